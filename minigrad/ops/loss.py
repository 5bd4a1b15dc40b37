"""Losses whose mathematics PyTorch keeps in one node."""

from __future__ import annotations

import math
from typing import Any

from .. import promotion
from ..autograd.row import op
from .summation import sum_array

Array = Any
Tensor = Any


@op(
    "MseLossBackward0",
    input=lambda grad, input, target, reduction, xp: _mse_gradient(
        grad, input - target, reduction, xp
    ),
    target=lambda grad, input, target, reduction, xp: _mse_gradient(
        grad, target - input, reduction, xp
    ),
)
def mse_loss(input: Array, target: Array, reduction: str) -> Array:
    """The squared differences (`reduction` "none"), their "mean", or their "sum"."""
    if input.dtype is not target.dtype:
        input, target = promotion.promoted((input, target))
    try:
        difference = input - target
    except ValueError:
        raise promotion.broadcast_error((input, target)) from None
    squares = difference * difference
    if reduction == "none":
        return squares
    total = sum_array(squares)
    return total / squares.dtype.type(squares.size) if reduction == "mean" else total


def _mse_gradient(grad: Any, difference: Any, reduction: str, xp: Any) -> Any:
    count = math.prod(difference.shape) if reduction == "mean" else 1
    return xp.mul(difference, 2.0 / count if count else math.nan) * grad
