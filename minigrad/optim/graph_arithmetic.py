"""The functions of `arithmetic` on tensors, recorded: what rules use with `differentiable=True`.

Then the updated parameters remember how they came about, and a loss that is computed with them
can be differentiated with respect to what the step depended on: gradients, the state before it, a
learning rate that is a tensor. What a later step overwrites is copied first, so that the graph
keeps the values it needs. Numbers may be tensors here.
"""

from __future__ import annotations

from typing import Any

from .. import ops
from ..tensor import Tensor

__all__ = [
    "add_number", "add_scaled", "add_scaled_", "addcdiv_", "addcmul", "addcmul_", "assign_",
    "choose", "divide", "divide_", "lerp_", "limit_", "magnitude", "maximum_", "multiply_",
    "negative", "pieces", "reciprocal", "scale", "scale_", "sign", "sqrt",
]  # fmt: skip

Number = Any  # a Python number or a tensor with one element


def pieces(gradient: Tensor, *changed: Tensor, writes: int = 1) -> tuple[tuple[Tensor, ...]]:
    """The tensors as they are."""
    return ((gradient, *changed),)


def scale_(x: Tensor, factor: Number) -> None:
    x.copy_(x.clone() * factor)


def scale(x: Tensor, factor: Number) -> Tensor:
    return x.clone().mul(factor)


def divide_(x: Tensor, divisor: Number) -> None:
    x.copy_(x.clone() / divisor)


def divide(x: Tensor, divisor: Number) -> Tensor:
    return x.clone().div(divisor)


def add_number(x: Tensor, number: Number) -> Tensor:
    return x + number


def multiply_(x: Tensor, y: Tensor) -> None:
    x.copy_(x.clone() * y.clone())


def maximum_(x: Tensor, y: Tensor) -> None:
    x.copy_(x.clone().maximum(y.clone()))


def assign_(x: Tensor, y: Tensor) -> None:
    x.copy_(y)


def negative(x: Tensor) -> Tensor:
    return -x


def magnitude(x: Tensor) -> Tensor:
    return x.abs()


def sqrt(x: Tensor) -> Tensor:
    return x.sqrt().clone()  # the node of the root keeps its result


def reciprocal(x: Tensor) -> Tensor:
    return x.reciprocal().clone()


def sign(x: Tensor) -> Tensor:
    return x.sign()


def choose(condition: Tensor, x: Any, y: Any, like: Tensor) -> Tensor:
    return ops.where(condition, x, y).to(like.dtype)


def limit_(x: Tensor, low: float, high: float) -> None:
    x.copy_(x.clone().clamp(low, high))


def add_scaled_(x: Tensor, y: Tensor, alpha: Number) -> None:
    x.add_(_times(alpha, y))


def add_scaled(x: Tensor, y: Tensor, alpha: Number) -> Tensor:
    return x + _times(alpha, y)


def lerp_(x: Tensor, end: Tensor, weight: Number) -> None:
    x.add_(_times(weight, end - x))


def addcmul_(x: Tensor, a: Tensor, b: Tensor, factor: Number = 1) -> None:
    x.add_(_times(factor, a) * b.clone())


def addcmul(x: Tensor, a: Tensor, b: Tensor, factor: Number) -> Tensor:
    return x + _times(factor, a) * b.clone()


def addcdiv_(x: Tensor, a: Tensor, b: Tensor, factor: Number = 1) -> None:
    x.add_(_times(factor, a) / b.clone())


def _times(factor: Number, x: Tensor) -> Tensor:
    """factor * x, whose graph does not depend on what x is later."""
    return x.clone() * factor
