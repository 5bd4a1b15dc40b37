"""Small things about tensors that modules and optimizers share."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor

__all__ = ["typename", "zero_gradient"]


def typename(obj: Any) -> str:
    """`torch.FloatTensor` for a tensor, `int` for 3, `package.module.Class` for other objects."""
    if isinstance(obj, Tensor):
        return str(obj.type())
    kind = obj if isinstance(obj, type) else type(obj)
    if kind.__module__ in ("builtins", "__builtin__"):
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"


def zero_gradient(gradient: Tensor) -> None:
    """Fills a gradient with zeros in place, and takes it out of any graph that it is in."""
    if gradient.grad_fn is not None:
        gradient.detach_()
    else:
        gradient.requires_grad_(False)
    gradient.zero_()
