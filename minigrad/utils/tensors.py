"""Small things about tensors that modules and optimizers share."""

from __future__ import annotations

from ..questions import typename
from ..tensor import Tensor

__all__ = ["typename", "zero_gradient"]


def zero_gradient(gradient: Tensor) -> None:
    """Fills a gradient with zeros in place, and takes it out of any graph that it is in."""
    if gradient.grad_fn is not None:
        gradient.detach_()
    else:
        gradient.requires_grad_(False)
    gradient.zero_()
