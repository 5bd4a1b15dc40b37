"""Losses of a classifier: the negative log-likelihood of the right class, and the cross-entropy.

`nll_loss` takes log-probabilities and picks that of each sample's class; `cross_entropy` is
`nll_loss` of `log_softmax`, or, where the target is a distribution over the classes, minus the sum
of its products with the log-probabilities. Classes are counted by dimension 1; what comes after it
(the pixels of an image) are more samples, and an input of one dimension is one sample.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from .. import either
from ..autograd.row import Op, op
from ..dtypes import INT64, scalar_name
from ..promotion import check_tensors, floats_only
from .arithmetic import add, div, mul, neg, scale
from .gathering import gather
from .inplace import fill_
from .masking import masked_fill, masked_select
from .recorded import on
from .reduction import sum as sum_of
from .shape import contiguous, view
from .softmax import log_softmax
from .with_number import over, plus

Array = Any
Tensor = Any
LEVELS, BLOCK = 8, 16  # of PyTorch's running sum


class Chosen(NamedTuple):
    """What a call of `nll_loss` picks from its input, and how much each of it counts."""

    at: tuple[Array, ...]  # an index array for each dimension of the input
    kept: Array | None  # which samples are not ignored; None if none is
    factors: Array | None  # the weight of each sample's class
    total: Any  # the sum of the weights, by which a mean is divided


def _choose(input: Array, target: Array, weight: Array | None, ignore_index: int) -> Chosen:
    classes = input.shape[min(1, input.ndim - 1)]
    target = target.astype(INT64, copy=False)
    kept = None
    if not isinstance(target, np.ndarray):  # not looked at, which the host would have to wait for
        kept = target != ignore_index
        target = np.where(kept, target, 0)
    elif _largest(target) >= classes or 0 <= ignore_index < classes:
        kept = target != ignore_index
        target = np.where(kept, target, 0)
        wrong = target[(target < 0) | (target >= classes)]
        if wrong.size:
            raise IndexError(f"Target {wrong[0]} is out of bounds.")
    factors = None if weight is None else weight[target]
    if factors is not None and kept is not None:
        factors = np.where(kept, factors, factors.dtype.type(0))
    if factors is not None:
        total = cascaded_sum(factors.reshape(-1))
    else:
        total = either.as_array(target.size if kept is None else np.count_nonzero(kept))
        total = total.astype(input.dtype)[()]
    return Chosen(_places(input, target), kept, factors, total)


def _largest(target: Array) -> Any:
    """The largest target; a negative one counts as a large unsigned number."""
    return np.maximum.reduce(target.view(np.uint64), axis=None, initial=0)


def _places(input: Array, target: Array) -> tuple[Array, ...]:
    """An index of the element of `input` that each target means."""
    if input.ndim == 1:
        return (target.reshape(1),)
    if input.ndim == 2:
        return np.arange(len(target), like=target), target
    n, _, height, width = input.shape
    sample, row, column = (np.arange(size, like=target) for size in (n, height, width))
    return sample[:, None, None], target, row[:, None], column


def cascaded_sum(terms: Array) -> Any:
    """The sum of a vector in the order of PyTorch's `nll_loss`.

    The first term is added last. Of the others 16 (or more) are added first, then 16 such sums,
    and so on, as in `summation.py`. PyTorch ends a block late if its last sample is ignored; that
    is not followed here, and may change the last bit.
    """
    total = terms.dtype.type(0)
    if not isinstance(terms, np.ndarray):  # a GPU adds in an order of its own
        return np.add.reduce(terms)
    if not terms.size:
        return total
    block = 1 << max(4, (terms.size - 1).bit_length() // LEVELS)
    level = terms[1:]
    while level.size:
        full = level.size // block * block
        if full < level.size:
            total = total + np.add.accumulate(level[full:])[-1]
        columns = either.contiguous(level[:full].reshape(-1, block).T)
        level = np.add.reduce(columns, axis=0) if columns.shape[1] > 1 else _in_order(columns)
    return total + terms[0]


def _in_order(column: Array) -> Array:
    return np.add.accumulate(column.reshape(-1))[-1:]


def _row(name: str) -> Op:
    """The row of `nll_loss`, which PyTorch has twice: with and without dimensions after the
    classes. Its gradient is zero but at the chosen places, and is a row as well."""

    @op(
        name + "Backward0",
        input=lambda grad, input, target, chosen, reduction, xp: on(backward, xp)(
            grad, input, target, chosen, reduction
        ),
    )
    def loss(input: Array, target: Array, chosen: Chosen, reduction: str) -> Array:
        terms = -input[chosen.at]
        if chosen.factors is not None:
            terms = terms * chosen.factors
        if chosen.kept is not None:
            terms = np.where(chosen.kept, terms, terms.dtype.type(0))
        if reduction == "none":
            return terms
        total = cascaded_sum(terms.reshape(-1)) + 0  # 0.0 instead of -0.0
        return np.divide(total, chosen.total) if reduction == "mean" else total

    @op(
        name + "BackwardBackward0",
        grad0=lambda grad, target, chosen, reduction, xp: on(loss, xp)(
            grad, target, chosen, reduction
        ),
        input=lambda grad, xp: xp.zeros_like(grad),
    )
    def backward(
        grad0: Array, input: Array, target: Array, chosen: Chosen, reduction: str
    ) -> Array:
        share = -np.divide(grad0, chosen.total) if reduction == "mean" else -grad0
        if chosen.factors is not None:
            share = share * chosen.factors
        if chosen.kept is not None:
            share = np.where(chosen.kept, share, input.dtype.type(0))
        out = either.zeros(input.shape, input)
        out[chosen.at] = share
        return out

    return loss


_nll_loss, _nll_loss2d = _row("NllLoss"), _row("NllLoss2D")


def nll_loss(
    input: Tensor, target: Tensor, weight: Tensor | None, reduction: str, ignore_index: int
) -> Tensor:
    """Minus the log-probability of each sample's class: the mean, the "sum", or of each ("none").

    input: (C,), (N, C) or (N, C, ...); target: (), (N,) or (N, ...), int64 or uint8; weight: (C,).
    The mean is divided by the sum of the samples' weights; those of class `ignore_index` count
    nothing. Raises IndexError for a class that does not exist, ValueError or RuntimeError for
    shapes that do not fit, or another dtype.
    """
    shape, sizes = input._array.shape, target._array.shape
    if not shape:
        raise ValueError("Expected 1 or more dimensions (got 0)")
    if len(shape) > 1 and shape[:1] != (sizes[:1] or (0,)):
        raise ValueError(
            f"Expected input batch_size ({shape[0]}) to match target batch_size "
            f"({sizes[0] if sizes else 0})."
        )
    if len(shape) in (1, 2):
        _check_vector(shape, sizes)
        return _chosen_loss(_nll_loss, input, target, weight, reduction, ignore_index)
    if len(shape) == 4:
        _check_image(shape, sizes)
        return _chosen_loss(_nll_loss2d, input, target, weight, reduction, ignore_index)
    places = (shape[0], *shape[2:])
    if sizes[1:] != shape[2:]:
        raise RuntimeError(f"Expected target size {list(places)}, got {list(sizes)}")
    flat = (1, math.prod(shape[2:])) if math.prod(shape) else (0, 0)
    as_image = view(contiguous(input), (*shape[:2], *flat))
    target = view(contiguous(target), (shape[0], *flat))
    out = _chosen_loss(_nll_loss2d, as_image, target, weight, reduction, ignore_index)
    return view(out, places) if reduction == "none" else out


def _check_vector(shape: tuple[int, ...], sizes: tuple[int, ...]) -> None:
    if len(sizes) > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if len(shape) == 1 and sizes not in ((), (1,)):
        raise ValueError(
            f"For 1D input, 1D target must have size 1, but got target size: {sizes[0]}"
        )


def _check_image(shape: tuple[int, ...], sizes: tuple[int, ...]) -> None:
    if len(sizes) != 3:
        raise RuntimeError(
            "only batches of spatial targets supported (3D tensors) but got targets of dimension: "
            f"{len(sizes)}"
        )
    if sizes[1:] != shape[2:]:
        raise RuntimeError(f"size mismatch (got input: {list(shape)} , target: {list(sizes)}")


def _chosen_loss(
    row: Op, input: Tensor, target: Tensor, weight: Tensor | None, reduction: str, ignore_index: int
) -> Tensor:
    array, classes = input._array, target._array
    image = row is _nll_loss2d
    if weight is not None:
        _check_weight(array, weight, image)
    if classes.dtype not in (INT64, np.uint8):
        raise RuntimeError(
            f"expected target dtype to be Long or Byte, but got {scalar_name(classes.dtype)}"
        )
    floats_only("nll_loss2d_forward_out_frame" if image else "nll_loss_out_frame", array)
    factors = None if weight is None else weight._array
    if array.ndim == 1 and reduction == "none":
        reduction = "sum"  # of one
    return row(input, target, _choose(array, classes, factors, ignore_index), reduction)


def _check_weight(input: Array, weight: Tensor, image: bool) -> None:
    classes = input.shape[min(1, input.ndim - 1)]
    array = weight._array
    if array.shape != (classes,) and image:
        raise RuntimeError("weight tensor should be defined either for all or no classes")
    if array.shape != (classes,):
        raise RuntimeError(_wrong_weight(classes, array))
    if array.dtype is not input.dtype:
        raise RuntimeError(
            f"expected scalar type {scalar_name(input.dtype)} but found {scalar_name(array.dtype)}"
        )
    if weight._requires_grad:
        name = "nll_loss2d_forward" if image else "nll_loss_forward"
        raise RuntimeError(
            f"The function '{name}' is not differentiable with respect to argument 'weight'. This "
            "input cannot have requires_grad True."
        )


def _wrong_weight(classes: int, weight: Array) -> str:
    return (
        f"weight tensor should be defined either for all {classes} classes or no classes but got "
        f"weight tensor of shape: {list(weight.shape)}"
    )


# --- cross-entropy -------------------------------------------------------------------------------


def cross_entropy_loss(
    input: Tensor, target: Tensor, weight: Tensor | None, reduction: str, ignore_index: int,
    label_smoothing: float,
) -> Tensor:  # fmt: skip
    """The cross-entropy of unnormalised log-probabilities, with classes or with distributions.

    input: (C,), (N, C) or (N, C, ...). target: classes as for `nll_loss`, or probabilities of the
    shape of `input`. weight: (C,). label_smoothing: so much of each target's probability is spread
    evenly over all classes.
    """
    check_tensors("cross_entropy_loss", input=input, target=target)
    shape = input._array.shape
    if target._array.shape == shape:
        if target._array.dtype.kind != "f":
            raise RuntimeError(
                "Expected floating point type for target with class probabilities, got "
                f"{scalar_name(target._array.dtype)}"
            )
        if ignore_index >= 0:
            raise RuntimeError("ignore_index is not supported for floating point target")
    if not 0 <= label_smoothing <= 1:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing:g}")
    dim = min(1, len(shape) - 1)
    if target._array.shape == shape:
        return _of_distributions(input, target, weight, reduction, label_smoothing, dim)
    logs = log_softmax(input, dim)
    loss = nll_loss(logs, target, weight, reduction, ignore_index)
    if not label_smoothing:
        return loss
    ignored = target == ignore_index
    even = _evenly(logs, ignored, weight, reduction, dim)
    if reduction == "mean":
        count = sum_of(~ignored) if weight is None else _total_weight(weight, target, ignored)
        even = div(even, count)
    return add(scale(loss, 1 - label_smoothing), scale(even, label_smoothing / shape[dim]))


def _evenly(logs: Tensor, ignored: Tensor, weight: Any, reduction: str, dim: int) -> Tensor:
    """Minus the sum of the log-probabilities of all classes, weighted: of each sample, or of all."""
    if weight is not None:
        logs = mul(logs, _beside_classes(weight, logs._array.ndim))
    of_each = masked_fill(neg(sum_of(logs, dim)), ignored, 0.0)
    return of_each if reduction == "none" else sum_of(of_each)


def _total_weight(weight: Tensor, target: Tensor, ignored: Tensor) -> Tensor:
    return sum_of(gather(weight, 0, masked_select(target, ~ignored)))


def _beside_classes(weight: Tensor, ndim: int) -> Tensor:
    """A weight of each class in a shape that broadcasts against an input of `ndim` dimensions."""
    return view(weight, (-1,) if ndim == 1 else (1, -1, *[1] * (ndim - 2)))


def _of_distributions(
    input: Tensor, target: Tensor, weight: Any, reduction: str, smoothing: float, dim: int
) -> Tensor:
    shape = input._array.shape
    if weight is not None and weight._array.shape != (shape[dim],):
        raise RuntimeError("cross_entropy: " + _wrong_weight(shape[dim], weight._array))
    logs = log_softmax(input, dim)
    if smoothing:
        target = plus(scale(target, 1 - smoothing), smoothing / shape[dim])
    products = mul(logs, target)
    if weight is not None:
        products = mul(products, _beside_classes(weight, len(shape)))
    if reduction == "none":
        return neg(sum_of(products, dim))
    loss = sum_of(products)
    if reduction == "sum":
        return neg(loss)
    count = math.prod(shape) // shape[dim] if shape[dim] else 0
    return over(neg(loss), count) if count else neg(fill_(loss, math.nan))
