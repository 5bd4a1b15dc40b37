"""Modified Bessel functions of the first kind, I0 and I1, also scaled by exp(-abs(x)).

Up to 20 they are their power series, whose terms are all positive; beyond, their asymptotic series
(Abramowitz and Stegun, "Handbook of Mathematical Functions", 9.6.10 and 9.7.1). In float64.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.inplace import inplace
from ..autograd.row import pointwise
from .recorded import on

Array = Any
FAR = 20.0


def _near(order: int, x: Array) -> Array:
    """(x/2)**order times the sum of (x**2 / 4)**k / (k! (k + order)!)."""
    square = x * x / 4
    total = np.ones_like(x)
    for k in range(60, 0, -1):
        total = 1 + square / (k * (k + order)) * total
    return total * (x / 2) ** order


def _far_scaled(order: int, x: Array) -> Array:
    """exp(-x) I(x): 1 / sqrt(2 pi x) times a series in 1/x."""
    total = np.ones_like(x)
    for k in range(30, 0, -1):
        total = 1 - (4 * order * order - (2 * k - 1) ** 2) / (8 * k * x) * total
    return total / np.sqrt(x) / np.sqrt(2 * np.pi)  # 2 pi x may overflow


def _bessel(order: int, input: Array, scaled: bool) -> Array:
    x = np.abs(input.astype(np.float64))
    near, far = _near(order, np.minimum(x, FAR)), _far_scaled(order, np.maximum(x, FAR))
    with np.errstate(all="ignore"):
        value = (
            np.where(x < FAR, near * np.exp(-x), far)
            if scaled
            else np.where(x < FAR, near, far * np.exp(np.minimum(x / 2, 500)) ** 2)
        )
    value = np.where(np.isposinf(x), 0.0 if scaled else np.inf, value)
    value = np.where(np.isnan(x), x, value)
    return (value * np.sign(input) if order else value).astype(input.dtype)


def _i0_gradient(grad: Any, input: Any, xp: Any) -> Any:
    return grad * on(i1, xp)(input)


@pointwise("I0Backward0", to_float=True, input=_i0_gradient)
def i0(input: Array) -> Array:
    """The modified Bessel function of order 0."""
    return _bessel(0, input, False)


def _i0e_gradient(grad: Any, input: Any, result: Any, xp: Any) -> Any:
    return grad * (on(i1e, xp)(input) - on(_sign, xp)(input) * result)


@pointwise("SpecialI0EBackward0", to_float=True, input=_i0e_gradient)
def i0e(input: Array) -> Array:
    """`i0(input) * exp(-abs(input))`."""
    return _bessel(0, input, True)


def _over_input(value: Any, input: Any, xp: Any) -> Any:
    """`value / input`, of which the limit at 0 is 1/2 here."""
    zero = input == 0
    return xp.where(zero, 0.5, value / xp.where(zero, 1.0, input))


def _i1_gradient(grad: Any, input: Any, result: Any, xp: Any) -> Any:
    return grad * (on(i0, xp)(input) - _over_input(result, input, xp))


@pointwise("SpecialI1Backward0", to_float=True, input=_i1_gradient)
def i1(input: Array) -> Array:
    """The modified Bessel function of order 1."""
    return _bessel(1, input, False)


def _i1e_gradient(grad: Any, input: Any, result: Any, xp: Any) -> Any:
    slope = on(i0e, xp)(input) - on(_sign, xp)(input) * result
    return grad * (slope - _over_input(result, input, xp))


@pointwise("SpecialI1EBackward0", to_float=True, input=_i1e_gradient)
def i1e(input: Array) -> Array:
    """`i1(input) * exp(-abs(input))`."""
    return _bessel(1, input, True)


@pointwise("SgnBackward0", input=lambda grad, input: grad * 0)
def _sign(input: Array) -> Array:
    return np.sign(input)


i0_ = inplace(i0)
