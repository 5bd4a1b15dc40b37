"""How a loss of many elements becomes one number: the argument `reduction`, and its older names."""

from __future__ import annotations

from ... import ops
from ...tensor import Tensor
from ...warn import warn

__all__ = ["checked_reduction", "chosen_reduction", "legacy_reduction", "reduced"]

_REDUCTIONS = ("none", "mean", "sum")


def checked_reduction(reduction: str) -> str:
    if reduction == "elementwise_mean":
        warn("reduction='elementwise_mean' is deprecated. Please use reduction='mean' instead.")
        return "mean"
    if reduction not in _REDUCTIONS:
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return reduction


def legacy_reduction(size_average: bool | None, reduce: bool | None) -> str:
    """The reduction that two flags used to say: both are True if not given."""
    if reduce is False:
        reduction = "none"
    else:
        reduction = "sum" if size_average is False else "mean"
    warn(
        "size_average and reduce args will be deprecated, please use "
        f"reduction='{reduction}' instead."
    )
    return reduction


def chosen_reduction(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """The reduction that a call names, by the old flags or by the new word; it is checked."""
    if size_average is not None or reduce is not None:
        return legacy_reduction(size_average, reduce)
    return checked_reduction(reduction)


def reduced(values: Tensor, reduction: str) -> Tensor:
    """The elements' losses as they are, their mean, or their sum."""
    if reduction == "none":
        return values
    return ops.mean(values) if reduction == "mean" else ops.sum(values)
