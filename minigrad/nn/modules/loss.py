"""Loss functions as modules: each calls its namesake in `functional` with its own reduction."""

from __future__ import annotations

from ...tensor import Tensor
from .. import functional as F
from ..functional.reduction import legacy_reduction
from .module import Module

__all__ = ["MSELoss"]


class _Loss(Module):
    """What all losses have: how they reduce the elements' losses to one number."""

    reduction: str

    def __init__(
        self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
    ) -> None:
        super().__init__()
        if size_average is not None or reduce is not None:
            reduction = legacy_reduction(size_average, reduce, stacklevel=4)
        self.reduction = reduction


class MSELoss(_Loss):
    """Mean squared error: the mean of (input - target)**2, or with `reduction="sum"` the sum,
    with "none" each element's."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.mse_loss(input, target, reduction=self.reduction)
