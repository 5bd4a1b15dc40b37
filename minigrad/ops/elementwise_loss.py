"""Losses of element beside element: smooth L1, Huber, binary cross-entropy, soft margin.

Each is a row `value of each element, then reduced`; its gradient is a row too, since PyTorch
records it as one: the slope of each element's value times the incoming gradient, and 1 / n of it
for a mean. A gradient depends linearly on the incoming one, so that one's derivative is the same
row again; only the curvature needs a formula of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import promotion
from ..autograd import node as graph
from ..autograd.grad_mode import is_recording
from ..autograd.row import Op, op
from ..dtypes import scalar_name
from ..promotion import floats_only
from .activation import _logsigmoid
from .recorded import on
from .summation import sum_array

Array = Any
Tensor = Any


def reduced(values: Array, reduction: str) -> Array:
    """The values themselves ("none"), their "sum" or their "mean", in PyTorch's order."""
    if reduction == "none":
        return values
    total = sum_array(values)
    return np.divide(total, values.dtype.type(values.size)) if reduction == "mean" else total


def share(shape: Any, reduction: str) -> float:
    """How much each element counts in the result."""
    count = math.prod(shape) if reduction == "mean" else 1
    return 1 / count if count else math.nan


def constant(name: str, argument: str, value: Tensor | None) -> None:
    """RuntimeError for an argument that requires a gradient but has no formula."""
    if value is not None and value._requires_grad and is_recording():
        raise RuntimeError(
            f"The function '{name}' is not differentiable with respect to argument '{argument}'. "
            "This input cannot have requires_grad True."
        )


# --- of the difference alone ---------------------------------------------------------------------


def _of_difference(
    name: str, kernel: str, value: Callable[..., Any], slope: Any, curvature: Any, promotes: bool
) -> Op:
    """The row of a loss of |input - target|: `value(size, width)`, `slope(difference, width)`, and
    `curvature`, which the loss has where the difference is at most `width`, and 0 elsewhere.
    Unless it `promotes`, the result has the dtype of `input` whatever that of `target`."""

    @op(
        f"{name}Backward0",
        input=lambda grad, input, target, reduction, width, xp: on(backward, xp)(
            grad, input, target, reduction, width
        ),
        target=lambda grad, input, target, reduction, width, xp: on(backward, xp)(
            grad, target, input, reduction, width
        ),
    )
    def loss(input: Array, target: Array, reduction: str, width: float) -> Array:
        own = input.dtype
        input, target = promotion.promoted((input, target))
        if input.dtype.kind != "f":
            raise NotImplementedError(
                f"\"{kernel}\" not implemented for '{scalar_name(input.dtype)}'"
            )
        values = value(np.abs(input - target), input.dtype.type(width))
        return reduced(values if promotes else values.astype(own, copy=False), reduction)

    def bend(grad: Any, grad0: Any, input: Any, target: Any, width: float, reduction: str) -> Any:
        inside = abs(input - target) <= width
        return grad * grad0 * (inside * (curvature(width) * share(input.shape, reduction)))

    @op(
        f"{name}BackwardBackward0",
        grad0=lambda grad, input, target, reduction, width, xp: on(backward, xp)(
            grad, input, target, reduction, width
        ),
        input=lambda grad, grad0, input, target, reduction, width: bend(
            grad, grad0, input, target, width, reduction
        ),
        target=lambda grad, grad0, input, target, reduction, width: (
            -bend(grad, grad0, input, target, width, reduction)
        ),
    )
    def backward(grad0: Array, input: Array, target: Array, reduction: str, width: float) -> Array:
        input, target = promotion.promoted((input, target))
        size = input.dtype.type(share(input.shape, reduction))
        return slope(input - target, input.dtype.type(width)) * size * grad0

    return loss


_smooth_l1_loss = _of_difference(
    "SmoothL1Loss",
    "smooth_l1_cpu",
    lambda size, beta: np.where(size < beta, size * size / beta / 2, size - beta / 2),
    lambda difference, beta: np.clip(difference / beta, -1, 1),
    lambda beta: 1 / beta,
    promotes=True,
)
_huber_loss = _of_difference(
    "HuberLoss",
    "huber_cpu",
    lambda size, delta: np.where(size < delta, size * size / 2, (size - delta / 2) * delta),
    lambda difference, delta: np.clip(difference, -delta, delta),
    lambda delta: 1.0,
    promotes=False,
)


def smooth_l1_loss(input: Tensor, target: Tensor, reduction: str, beta: float) -> Tensor:
    """With d = |input - target|: d^2 / (2 beta) below `beta`, d - beta / 2 above (Girshick, 2015)."""
    if beta < 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    return _smooth_l1_loss(input, target, reduction, beta)


def huber_loss(input: Tensor, target: Tensor, reduction: str, delta: float) -> Tensor:
    """With d = |input - target|: d^2 / 2 below `delta`, delta (d - delta / 2) above (Huber, 1964)."""
    if delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    return _huber_loss(input, target, reduction, delta)


# --- of probabilities ----------------------------------------------------------------------------

SMALLEST_LOG = -100  # what the logarithm of a probability of 0 is taken for
SMALLEST_VARIANCE = 1e-12


def _weighted(grad: Any, weight: Any, shape: Any, reduction: str) -> Any:
    """A gradient of each element, as the weight and the mean want it."""
    grad = grad if weight is None else grad * weight
    return grad * share(shape, reduction) if reduction == "mean" else grad


def _variance(input: Any, xp: Any) -> Any:
    variance = (1 - input) * input
    return xp.where(variance < SMALLEST_VARIANCE, SMALLEST_VARIANCE, variance)


def _log_odds(input: Any, xp: Any) -> Any:
    return xp.log(input) - xp.log(1 - input)


def _padded_variance(input: Any) -> Any:
    """PyTorch's second derivatives move away from 0 and 1 where the first one stops short."""
    return (input + SMALLEST_VARIANCE) * (1 - input + SMALLEST_VARIANCE)


def _bce_bend(input: Any, target: Any) -> Any:
    """The second derivative of an element by its input."""
    variance = _padded_variance(input)
    return (input * input - input * target * 2 + target) / (variance * variance)


def _bce_gradient(grad: Any, input: Any, target: Any, weight: Any, reduction: str, xp: Any) -> Any:
    return on(bce_backward, xp)(grad, input, target, weight, reduction)


@op(
    "BinaryCrossEntropyBackward0",
    fused=True,
    input=_bce_gradient,
    target=lambda grad, input, weight, reduction, xp: _weighted(
        -_log_odds(input, xp) * grad, weight, input.shape, reduction
    ),
)
def _bce(input: Array, target: Array, weight: Array | None, reduction: str) -> Array:
    if np.any((input < 0) | (input > 1)):
        raise RuntimeError("all elements of input should be between 0 and 1")
    failure = np.maximum(np.log1p(-input), input.dtype.type(SMALLEST_LOG))
    success = np.maximum(np.log(input), input.dtype.type(SMALLEST_LOG))
    values = (target - 1) * failure - target * success
    return reduced(values if weight is None else values * weight, reduction)


@op(
    "BinaryCrossEntropyBackwardBackward0",
    fused=True,
    grad0=lambda grad, input, target, weight, reduction: _weighted(
        grad * (input - target) / _padded_variance(input), weight, input.shape, reduction
    ),
    input=lambda grad, grad0, input, target, weight, reduction: _weighted(
        _bce_bend(input, target) * grad * grad0, weight, input.shape, reduction
    ),
    target=lambda grad, grad0, input, weight, reduction, xp: _weighted(
        -grad * grad0 / _variance(input, xp), weight, input.shape, reduction
    ),
)
def bce_backward(
    grad0: Array, input: Array, target: Array, weight: Array | None, reduction: str
) -> Array:
    """The gradient of the binary cross-entropy for its `input`."""
    slope = grad0 * (input - target) / _variance(input, graph.array_ops)
    return _weighted(slope, weight, input.shape, reduction)


def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None, reduction: str
) -> Tensor:
    """-(target log(input) + (1 - target) log(1 - input)), the logarithms not below -100."""
    constant("binary_cross_entropy", "weight", weight)
    for other in (target, weight):
        if other is not None and other._array.dtype is not input._array.dtype:
            raise RuntimeError(
                f"Found dtype {scalar_name(other._array.dtype)} but expected "
                f"{scalar_name(input._array.dtype)}"
            )
    floats_only("binary_cross_entropy", input._array)
    return _bce(input, target, weight, reduction)


def _logits_gradient(
    grad: Any, input: Any, target: Any, weight: Any, pos_weight: Any, reduction: str, xp: Any
) -> Any:
    if pos_weight is None:
        slope = (xp.sigmoid(input) - target) * grad
    else:
        positive = pos_weight * target
        slope = ((positive + 1 - target) * xp.sigmoid(input) - positive) * grad
    return _weighted(slope, weight, input.shape, reduction)


def _logits_target_gradient(
    grad: Any, input: Any, weight: Any, pos_weight: Any, reduction: str, xp: Any
) -> Any:
    if pos_weight is None:
        slope = -input
    else:
        slope = on(_logsigmoid, xp)(-input) - on(_logsigmoid, xp)(input) * pos_weight
    return _weighted(slope * grad, weight, input.shape, reduction)


@op(
    "BinaryCrossEntropyWithLogitsBackward0",
    fused=True,
    input=_logits_gradient,
    target=_logits_target_gradient,
)
def _bce_with_logits(
    input: Array, target: Array, weight: Array | None, pos_weight: Array | None, reduction: str
) -> Array:
    log = _logsigmoid.forward(input)
    if pos_weight is not None:
        log = ((pos_weight - 1) * target + 1) * log
    values = (1 - target) * input - log
    return reduced(values if weight is None else values * weight, reduction)


def binary_cross_entropy_with_logits(
    input: Tensor, target: Tensor, weight: Tensor | None, pos_weight: Tensor | None, reduction: str
) -> Tensor:
    """The binary cross-entropy of `sigmoid(input)`, without its overflow; `pos_weight` multiplies
    the part of the positive targets."""
    name = "binary_cross_entropy_with_logits"
    for position, (argument, value) in enumerate(
        (("weight", weight), ("pos_weight", pos_weight)), 3
    ):
        if value is not None and not isinstance(value, graph.Tensor):
            raise promotion.not_a_tensor(name, argument, position, value)
        constant(name, argument, value)
    floats_only("log_sigmoid_cpu", input._array)
    if target._array.dtype.kind != "f":
        raise RuntimeError(
            f"result type {scalar_name(input._array.dtype)} can't be cast to the desired output "
            f"type {scalar_name(target._array.dtype)}"
        )
    return _bce_with_logits(input, target, weight, pos_weight, reduction)


# --- of a margin ---------------------------------------------------------------------------------


def _soft_bend(input: Any, target: Any, reduction: str, xp: Any) -> Any:
    margin = target * input
    bend = xp.sigmoid(margin) * xp.sigmoid(-margin)
    return target * target * bend * share(input.shape, reduction)


def _soft_gradient(grad: Any, input: Any, target: Any, reduction: str, xp: Any) -> Any:
    return on(soft_margin_backward, xp)(grad, input, target, reduction)


@op(
    "SoftMarginLossBackward0",
    fused=True,
    input=_soft_gradient,
)
def _soft_margin(input: Array, target: Array, reduction: str) -> Array:
    try:
        margin = target.astype(input.dtype, copy=False) * input
    except ValueError:
        raise promotion.broadcast_error((input, target)) from None
    return reduced(np.log1p(np.exp(-margin)), reduction)


@op(
    "SoftMarginLossBackwardBackward0",
    fused=True,
    grad0=_soft_gradient,
    input=lambda grad, grad0, input, target, reduction, xp: (
        grad * grad0 * _soft_bend(input, target, reduction, xp)
    ),
)
def soft_margin_backward(grad0: Array, input: Array, target: Array, reduction: str) -> Array:
    """The gradient of the soft margin loss."""
    input, target = promotion.promoted((input, target))
    power = np.exp(-target * input)
    size = input.dtype.type(share(input.shape, reduction))
    return -target * power / (1 + power) * size * grad0


def soft_margin_loss(input: Tensor, target: Tensor, reduction: str) -> Tensor:
    """log(1 + exp(-target input)), for targets of 1 and -1."""
    constant("soft_margin_loss", "target", target)
    if input._array.dtype.kind != "f":
        kind = scalar_name(input._array.dtype)
        raise RuntimeError(f"result type Float can't be cast to the desired output type {kind}")
    return _soft_margin(input, target, reduction)
