"""`nn.functional`'s losses for regression and classification.

They check their arguments, and hand on to the ops. Losses of probabilities and of margins are in
`probability_loss.py` and `margin_loss.py`.
"""

from __future__ import annotations

import numpy as np

from ... import ops, promotion
from ...ops import classification_loss, elementwise_loss, loss
from ...tensor import Tensor
from ...warn import warn
from .reduction import checked_reduction, chosen_reduction, legacy_reduction, reduced

__all__ = ["cross_entropy", "huber_loss", "l1_loss", "mse_loss", "nll_loss", "smooth_l1_loss"]


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
    same_size = target._array.shape == input._array.shape
    if not same_size:
        _warn_of_broadcasting(input, target)
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    if weight is not None:
        errors = ops.pow(input - target, 2)
        return _weighted(errors, input, weight, reduction)
    if not same_size:
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


def _weighted(errors: Tensor, input: Tensor, weight: Tensor, reduction: str) -> Tensor:
    """Each error times its weight; the mean is divided by the sum of the weights."""
    _check_weight(input, weight)
    errors = errors * weight
    if reduction == "mean":
        return ops.sum(errors) / ops.sum(weight)
    return _named_reduction(errors, reduction)


def _check_weight(input: Tensor, weight: Tensor) -> None:
    if weight.size() != input.size():
        raise ValueError("Weights and input must have the same size.")


def _named_reduction(errors: Tensor, reduction: str) -> Tensor:
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(
            f"Invalid reduction mode: {reduction}. Expected one of 'none', 'mean', 'sum'."
        )
    return reduced(errors, reduction)


def _warn_of_broadcasting(input: Tensor, target: Tensor) -> None:
    warn(
        f"Using a target size ({target.size()}) that is different to the input size "
        f"({input.size()}). This will likely lead to incorrect results due to broadcasting. "
        "Please ensure they have the same size."
    )


def l1_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", weight: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The distance |input - target|: its mean, its sum, or each element's.

    The arguments and errors are those of `mse_loss`."""
    if target._array.shape != input._array.shape:
        _warn_of_broadcasting(input, target)
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    both = _broadcast(input, target)
    if weight is not None:
        return _weighted(ops.abs(both[0] - both[1]), input, weight, reduction)
    return reduced(ops.abs(both[0] - both[1]), checked_reduction(reduction))


def smooth_l1_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", beta: float = 1.0,
) -> Tensor:  # fmt: skip
    """A square where |input - target| is below `beta`, and a straight line beyond, of slope 1.

    beta: RuntimeError below zero; with 0 it is `l1_loss`. Other arguments as for `mse_loss`."""
    if target._array.shape != input._array.shape:
        _warn_of_broadcasting(input, target)
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    input, target = _broadcast(input, target)
    if beta == 0.0:
        return reduced(ops.abs(input - target), checked_reduction(reduction))
    return elementwise_loss.smooth_l1_loss(input, target, checked_reduction(reduction), beta)


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0,
    weight: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """A square where |input - target| is below `delta`, and a straight line beyond, of slope delta.

    delta: RuntimeError unless positive. weight: of each element; here a mean is one over the
    elements, as in PyTorch. Other arguments as for `mse_loss`."""
    if target._array.shape != input._array.shape:
        _warn_of_broadcasting(input, target)
    both = _broadcast(input, target)
    if weight is None:
        return elementwise_loss.huber_loss(*both, checked_reduction(reduction), delta)
    _check_weight(input, weight)
    return _named_reduction(elementwise_loss.huber_loss(*both, "none", delta) * weight, reduction)


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
    reduction = chosen_reduction(size_average, reduce, reduction)
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
    reduction = chosen_reduction(size_average, reduce, reduction)
    return classification_loss.cross_entropy_loss(
        input, target, weight, reduction, ignore_index, label_smoothing
    )
