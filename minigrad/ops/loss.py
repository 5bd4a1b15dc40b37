"""Losses whose mathematics PyTorch keeps in one node."""

from __future__ import annotations

import math
from typing import Any

from .. import promotion
from ..autograd.row import op
from ..promotion import floats_only
from .arithmetic import scale
from .summation import sum_array

Array = Any
Tensor = Any


@op(
    "MseLossBackward0",
    fused=True,
    input=lambda grad, input, target, reduction, xp: xp.mse_loss_backward(
        grad, input, target, reduction
    ),
    target=lambda grad, input, target, reduction, xp: xp.mse_loss_backward(
        grad, target, input, reduction
    ),
)
def mse_loss(input: Array, target: Array, reduction: str) -> Array:
    """The squared differences (`reduction` "none"), their "mean", or their "sum"."""
    if input.dtype is not target.dtype:
        input, target = promotion.promoted((input, target))
    floats_only("mse_cpu", input)
    try:
        difference = input - target
    except ValueError:
        raise promotion.broadcast_error((input, target)) from None
    squares = difference * difference
    if reduction == "none":
        return squares
    total = sum_array(squares)
    return total / squares.dtype.type(squares.size) if reduction == "mean" else total


def _mse_twice(grad: Any, shape: tuple[int, ...], reduction: str, xp: Any) -> Any:
    return xp.scale(grad, _slope(shape, reduction))


def _slope(shape: tuple[int, ...], reduction: str) -> float:
    """The derivative of a square by its root, 2, or with the mean 2 / n."""
    count = math.prod(shape) if reduction == "mean" else 1
    return 2.0 / count if count else math.nan


@op(
    "MseLossBackwardBackward0",
    fused=True,
    grad0=lambda grad, input, target, reduction, xp: xp.mse_loss_backward(
        grad, input, target, reduction
    ),
    input=lambda grad, grad0, input_shape, reduction, xp: _mse_twice(
        grad * grad0, input_shape, reduction, xp
    ),
    target=lambda grad, grad0, input_shape, reduction, xp: (
        -_mse_twice(grad * grad0, input_shape, reduction, xp)
    ),
)
def mse_loss_backward(grad0: Array, input: Array, target: Array, reduction: str) -> Array:
    """The gradient of `mse_loss` for its `input`; for its `target`, with the two exchanged."""
    difference = input - target
    return scale.forward(difference, _slope(difference.shape, reduction)) * grad0
