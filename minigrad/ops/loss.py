"""Losses whose mathematics PyTorch keeps in one node."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import promotion
from ..autograd.node import op
from .summation import sum_array

Array = Any
Tensor = Any


@op(
    "MseLossBackward0",
    input=lambda grad, input, target, reduction: _mse(grad, input, target, reduction),
    target=lambda grad, input, target, reduction: -_mse(grad, input, target, reduction),
)
def mse_loss(input: Array, target: Array, reduction: str) -> Array:
    """The squared differences (`reduction` "none"), their "mean", or their "sum"."""
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


def _mse(grad: Any, input: Any, target: Any, reduction: str) -> Any:
    difference = input - target
    scale = 2.0 / max(_numel(difference), 1) if reduction == "mean" else 2.0
    return difference * scale * grad


def _numel(value: Any) -> int:
    return int(np.prod(value.shape, dtype=np.int64))
