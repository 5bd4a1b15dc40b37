"""`nn.functional`'s losses: they check their arguments, and hand on to the ops."""

from __future__ import annotations

import warnings

import numpy as np

from ... import ops, promotion
from ...ops import loss
from ...tensor import Tensor
from .reduction import checked_reduction, legacy_reduction

__all__ = ["mse_loss"]


def mse_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", weight: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The squared difference of `input` and `target`: its mean, its sum, or each element's.

    Args:
        input, target: of the same shape; others broadcast, with a warning.
        reduction: "mean", "sum" or "none".
        weight: a factor for each element, of the shape of `input`; the mean is then divided by
            the sum of the weights.
        size_average, reduce: older names of `reduction`, with a warning.

    Raises:
        ValueError: for another reduction, or a weight of another shape.
    """
    if target._array.shape != input._array.shape:
        warnings.warn(
            f"Using a target size ({target.size()}) that is different to the input size "
            f"({input.size()}). This will likely lead to incorrect results due to broadcasting. "
            "Please ensure they have the same size.",
            stacklevel=2,
        )
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    if weight is not None:
        return _weighted_mse_loss(input, target, reduction, weight)
    if target._array.shape != input._array.shape:
        input, target = _broadcast(input, target)
    return loss.mse_loss(input, target, checked_reduction(reduction))


def _broadcast(input: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Both as views of their common shape."""
    try:
        shape = np.broadcast_shapes(input._array.shape, target._array.shape)
    except ValueError:
        raise promotion.broadcast_error((input._array, target._array)) from None
    both = [t if t._array.shape == shape else t.expand(shape) for t in (input, target)]
    return both[0], both[1]


def _weighted_mse_loss(input: Tensor, target: Tensor, reduction: str, weight: Tensor) -> Tensor:
    if weight.size() != input.size():
        raise ValueError("Weights and input must have the same size.")
    errors = ops.pow(input - target, 2) * weight
    if reduction == "none":
        return errors
    if reduction == "sum":
        return ops.sum(errors)
    if reduction == "mean":
        return ops.sum(errors) / ops.sum(weight)
    raise ValueError(f"Invalid reduction mode: {reduction}. Expected one of 'none', 'mean', 'sum'.")
