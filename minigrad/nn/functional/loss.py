"""`nn.functional`'s losses: they check their arguments, and hand on to the ops."""

from __future__ import annotations

import warnings

import numpy as np

from ... import ops, promotion
from ...ops import classification_loss, loss
from ...tensor import Tensor
from .reduction import checked_reduction, legacy_reduction

__all__ = ["cross_entropy", "mse_loss", "nll_loss"]


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


def nll_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
    ignore_index: int = -100, reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Minus the log-probability that `input` gives to the class `target`.

    Args:
        input: log-probabilities, (N, C) or (N, C, ...), or (C,) for one sample.
        target: classes in [0, C), int64 or uint8, in the shape of `input` without its C.
        weight: of each class, (C,); a mean is divided by the sum of the samples' weights.
        ignore_index: samples of this class do not count.
        reduction: "mean", "sum" or "none".
        size_average, reduce: older names of `reduction`, with a warning.

    Raises:
        ValueError, RuntimeError: for another reduction, for shapes or dtypes that do not fit.
        IndexError: for a class that does not exist.
    """
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    reduction = checked_reduction(reduction)
    return classification_loss.nll_loss(input, target, weight, reduction, ignore_index)


def cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
    ignore_index: int = -100, reduce: bool | None = None, reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:  # fmt: skip
    """The cross-entropy between scores and classes: `nll_loss` of `log_softmax` of `input`.

    Args:
        input: scores of any size, (N, C) or (N, C, ...), or (C,) for one sample.
        target: classes, as for `nll_loss`; or probabilities, in the shape of `input`.
        label_smoothing: the part of a target's probability that goes to all classes alike.
        weight, ignore_index, reduction, size_average, reduce: as for `nll_loss`; probabilities
            know no `ignore_index`, and their mean is over the samples.

    Raises:
        as `nll_loss`; RuntimeError for a `label_smoothing` outside of [0, 1].
    """
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    reduction = checked_reduction(reduction)
    return classification_loss.cross_entropy_loss(
        input, target, weight, reduction, ignore_index, label_smoothing
    )
