"""Losses of several classes with a margin: the right class should lead every other one by it.

PyTorch has no second derivative of them; asking for one raises.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import either
from ..autograd.row import op
from ..dtypes import INT64, scalar_name
from ..promotion import floats_only
from .arithmetic import _not_implemented
from .elementwise_loss import constant, reduced, share
from .recorded import on

Array = Any
Tensor = Any


def _rows(array: Array) -> Array:
    return array if array.ndim == 2 else array.reshape(1, -1)


def _lacks(input: Array, target: Array, margin: float) -> Array:
    """By how much each class comes too near to the right one: (N, C)."""
    at = np.arange(len(input), like=input), target.reshape(-1)
    lacks = np.maximum(input - input[at][:, None] + input.dtype.type(margin), 0)
    lacks[at] = 0
    return lacks


def _multi_margin_gradient(
    grad: Any, input: Any, target: Any, p: int, margin: float, weight: Any, reduction: str, xp: Any
) -> Any:
    return on(multi_margin_backward, xp)(grad, input, target, p, margin, weight, reduction)


@op(
    "MultiMarginLossBackward0",
    input=_multi_margin_gradient,
)
def _multi_margin(
    input: Array, target: Array, p: int, margin: float, weight: Array | None, reduction: str
) -> Array:
    lacks = _lacks(_rows(input), target, margin)
    terms = lacks if p == 1 else lacks * lacks
    if weight is not None:
        terms = terms * weight[target.reshape(-1)][:, None]
    values = np.add.reduce(terms, axis=1) / input.dtype.type(terms.shape[1])
    return reduced(values if target.ndim else values[0], reduction)


@op(
    "torch::autograd::NotImplemented",
    grad0=_not_implemented("multi_margin_loss_backward"),
    input=_not_implemented("multi_margin_loss_backward"),
)
def multi_margin_backward(
    grad0: Array, input: Array, target: Array, p: int, margin: float, weight: Array | None,
    reduction: str,
) -> Array:  # fmt: skip
    """The gradient of the multi margin loss: what other classes get is taken from the right one."""
    lacks = _lacks(_rows(input), target, margin)
    slope = (lacks > 0).astype(input.dtype) if p == 1 else 2 * lacks
    if weight is not None:
        slope = slope * weight[target.reshape(-1)][:, None]
    slope[np.arange(len(slope), like=slope), target.reshape(-1)] = -np.add.reduce(slope, axis=1)
    slope *= input.dtype.type(share(target.shape, reduction) / slope.shape[1])
    return (slope * np.reshape(grad0, (-1, 1))).reshape(input.shape)


def multi_margin_loss(
    input: Tensor, target: Tensor, p: int, margin: float, weight: Tensor | None, reduction: str
) -> Tensor:
    """The mean over the classes j of max(0, margin - input[target] + input[j]) ** p."""
    array, classes = input._array, target._array
    _check_matrix(array)
    batch = (len(array),) if array.ndim == 2 else ()
    if classes.shape != batch and not (array.ndim < 2 and classes.size == 1):
        raise RuntimeError(
            "multi_margin_loss: target tensor should be 1-D with size equal to the number of input "
            f"samples (batch size). Expected target size [{len(_rows(array))}], but got "
            f"{list(classes.shape)}. Input has shape {list(array.shape)}."
        )
    if weight is not None and weight._array.size != _rows(array).shape[1]:
        raise RuntimeError(
            f"inconsistent weight size, expected {_rows(array).shape[1]} but got "
            f"{list(weight._array.shape)}"
        )
    constant("multi_margin_loss", "weight", weight)
    floats_only("multi_margin_loss_cpu_kernel", array)
    _check_classes(classes)
    if np.any((classes < 0) | (classes >= _rows(array).shape[1])):
        raise RuntimeError("target out of range")
    return _multi_margin(input, target, p, margin, weight, reduction)


def _check_matrix(array: Array) -> None:
    if array.ndim > 2 or (array.ndim and 0 in array.shape[-1:]):
        raise RuntimeError(
            "Expected non-empty vector or matrix with optional 0-dim batch size, but got: "
            f"{list(array.shape)}"
        )


def _check_classes(classes: Array) -> None:
    if classes.dtype is not INT64:
        raise RuntimeError(f"expected scalar type Long but found {scalar_name(classes.dtype)}")


# --- several right classes -----------------------------------------------------------------------


def _right(target: Array) -> tuple[Array, Array]:
    """Which slots of each row of targets count, those before the first -1, (N, C); and which
    classes are named by them, (N, C)."""
    counts = either.accumulate(np.logical_and, target >= 0, 1)
    named = either.zeros(target.shape, target, bool)
    rows = np.arange(len(target), like=target)[:, None]
    either.at(np.logical_or, named, (rows, np.where(counts, target, 0)), counts)
    return counts, named


def _pairs(input: Array, target: Array) -> tuple[Array, Array, Array]:
    """By how much each other class comes too near to each right one: (N, slots, C)."""
    counts, named = _right(target)
    slots = np.where(counts, target, 0)
    right = np.take_along_axis(input, slots, axis=1)[:, :, None]
    lacks = np.maximum(1 - right + input[:, None], 0)
    return lacks * (counts[:, :, None] & ~named[:, None]), slots, named


def _multilabel_margin_gradient(grad: Any, input: Any, target: Any, reduction: str, xp: Any) -> Any:
    return on(multilabel_margin_backward, xp)(grad, input, target, reduction)


@op(
    "MultilabelMarginLossBackward0",
    input=_multilabel_margin_gradient,
)
def _multilabel_margin(input: Array, target: Array, reduction: str) -> Array:
    lacks, _, _ = _pairs(_rows(input), _rows(target))
    values = np.add.reduce(lacks, axis=(1, 2)) / input.dtype.type(lacks.shape[2])
    return reduced(values if input.ndim == 2 else values[0], reduction)


@op(
    "torch::autograd::NotImplemented",
    grad0=_not_implemented("multilabel_margin_loss_backward"),
    input=_not_implemented("multilabel_margin_loss_backward"),
)
def multilabel_margin_backward(grad0: Array, input: Array, target: Array, reduction: str) -> Array:
    """The gradient of the multilabel margin loss."""
    lacks, slots, _ = _pairs(_rows(input), _rows(target))
    near = (lacks > 0).astype(input.dtype)
    slope = np.add.reduce(near, axis=1)
    rows = np.arange(len(slope), like=slope)[:, None]
    either.at(np.subtract, slope, (rows, slots), np.add.reduce(near, axis=2))
    slope *= input.dtype.type(share(input.shape[:-1], reduction) / slope.shape[1])
    return (slope * np.reshape(grad0, (-1, 1))).reshape(input.shape)


def multilabel_margin_loss(input: Tensor, target: Tensor, reduction: str) -> Tensor:
    """The sum over the right classes i and the others j of max(0, 1 - input[i] + input[j]), divided
    by the number of classes. A row of `target` names the right classes, up to the first -1."""
    array, classes = input._array, target._array
    _check_matrix(array)
    if classes.shape != array.shape and not (array.ndim < 2 and classes.size == array.size):
        raise RuntimeError(
            f"inconsistent target size: {list(classes.shape)} for input of size: "
            f"{list(array.shape)}"
        )
    floats_only("multilabel_margin_loss_forward_out_frame", array)
    _check_classes(classes)
    if classes.size and np.min(classes) < -1:
        raise RuntimeError("argument #2 'target' is out of range")
    if classes.size and np.max(classes) >= math.prod(array.shape[-1:]):
        raise RuntimeError("argument #2 'target' is out of range")
    return _multilabel_margin(input, target, reduction)
