"""The error function, its complement and its inverse.

NumPy has none of them. `erf` and `erfc` follow W. J. Cody, "Rational Chebyshev approximations for
the error function", Mathematics of Computation 23 (1969), whose three quotients of polynomials are
good to the last digits of a float64. `erfinv` begins with M. Giles, "Approximating the erfinv
function", GPU Computing Gems (2012), and is then refined by Newton's method.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autograd.inplace import inplace
from ..autograd.row import pointwise

Array = Any
SQRT_PI = math.sqrt(math.pi)

# Cody's coefficients, highest power first: erf(x)/x in x**2 up to 0.46875; exp(x**2) erfc(x) in x
# up to 4; and in 1/x**2 beyond.
SMALL = (
    (1.85777706184603153e-1, 3.16112374387056560e00, 1.13864154151050156e02,
     3.77485237685302021e02, 3.20937758913846947e03),
    (1.0, 2.36012909523441209e01, 2.44024637934444173e02, 1.28261652607737228e03,
     2.84423683343917062e03),
)  # fmt: skip
MIDDLE = (
    (2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e00,
     6.61191906371416295e01, 2.98635138197400131e02, 8.81952221241769090e02,
     1.71204761263407058e03, 2.05107837782607147e03, 1.23033935479799725e03),
    (1.0, 1.57449261107098347e01, 1.17693950891312499e02, 5.37181101862009858e02,
     1.62138957456669019e03, 3.29079923573345963e03, 4.36261909014324716e03,
     3.43936767414372164e03, 1.23033935480374942e03),
)  # fmt: skip
LARGE = (
    (1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1,
     1.25781726111229246e-1, 1.60837851487422766e-2, 6.58749161529837803e-4),
    (1.0, 2.56852019228982242e00, 1.87295284992346725e00, 5.27905102951428412e-1,
     6.05183413124413191e-2, 2.33520497626869185e-3),
)  # fmt: skip
# Giles's coefficients, highest power first, in w = -log(1 - x**2), centred: for w < 5, and beyond.
CENTRE = (
    2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087, -0.00125372503,
    -0.00417768164, 0.246640727, 1.50140941,
)  # fmt: skip
TAIL = (
    -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613,
    0.00943887047, 1.00167406, 2.83297682,
)  # fmt: skip


def _polynomial(coefficients: Sequence[float], x: Array) -> Array:
    """Horner's scheme."""
    value = coefficients[0] * np.ones_like(x)
    for coefficient in coefficients[1:]:
        value = value * x + coefficient
    return value


def _quotient(pair: tuple[Sequence[float], Sequence[float]], x: Array) -> Array:
    return _polynomial(pair[0], x) / _polynomial(pair[1], x)


def _gaussian(x: Array) -> Array:
    """exp(-x**2), with x**2 in two parts: rounding it at once would cost up to nine bits."""
    coarse = np.trunc(x * 16) / 16
    return np.exp(-coarse * coarse) * np.exp(-(x - coarse) * (x + coarse))


def _tail(x: Array) -> Array:
    """erfc for x > 0.46875."""
    return scaled_tail(x) * _gaussian(np.minimum(x, 28.0))  # it is 0 from 27.3 on


def scaled_tail(x: Array) -> Array:
    """exp(x**2) erfc(x) for x > 0.46875."""
    middle, large = np.minimum(x, 4.0), np.maximum(x, 4.0)
    inverse = 1 / (large * large)
    far = (1 / SQRT_PI - inverse * _quotient(LARGE, inverse)) / large
    return np.where(x <= 4.0, _quotient(MIDDLE, middle), far)


def erf_array(input: Array) -> Array:
    """erf on an array of floats, computed in float64."""
    x = input.astype(np.float64)
    size = np.minimum(np.abs(x), 6.0)  # nan stays nan; erf(6) is 1
    near = size * _quotient(SMALL, np.minimum(size, 0.46875) ** 2)
    far = 0.5 - _tail(np.maximum(size, 0.46875)) + 0.5
    return np.copysign(np.where(size <= 0.46875, near, far), x).astype(input.dtype)


def erfc_array(input: Array) -> Array:
    """erfc on an array of floats, computed in float64."""
    x = input.astype(np.float64)
    size = np.abs(x)
    near = 1 - x * _quotient(SMALL, np.minimum(size, 0.46875) ** 2)
    tail = _tail(np.maximum(size, 0.46875))
    return np.where(size <= 0.46875, near, np.where(x < 0, 2 - tail, tail)).astype(input.dtype)


def erfinv_array(input: Array) -> Array:
    """erfinv on an array of floats, computed in float64."""
    x = np.abs(input.astype(np.float64))
    inside = np.where(x < 1, x, 0.0)
    y = inverse_array(inside, 1 - inside)
    y = np.where(x == 1, np.inf, np.where(x < 1, y, np.nan))
    return np.copysign(y, input).astype(input.dtype)


def inverse_array(inside: Array, outside: Array) -> Array:
    """The y >= 0 with erf(y) = inside and erfc(y) = outside, of which the smaller one is exact."""
    w = -np.log(outside) - np.log1p(inside)
    y = inside * _first_guess(w)
    for _ in range(3):
        # Near 1 the distance to 1 is exact, and erfc, which is close to an exponential there, has
        # all its digits: Newton's step is taken on its logarithm.
        rest = erfc_array(y)
        near = rest * np.log(outside / rest)
        error = np.where(inside < 0.5, erf_array(y) - inside, near)
        y = y - error * (SQRT_PI / 2) * np.exp(y * y)
    return y


def _first_guess(w: Array) -> Array:
    """erfinv(x) / x by Giles's polynomials, which end at w = 16; by its asymptote beyond."""
    root = np.sqrt(np.clip(w, 5.0, 16.0)) - 3
    far = np.sqrt(np.maximum(w, 16.0))
    asymptote = np.sqrt(far * far + np.log(2 / (SQRT_PI * far)))
    tail = np.where(w < 16, _polynomial(TAIL, root), asymptote)
    return np.where(w < 5, _polynomial(CENTRE, np.minimum(w, 5.0) - 2.5), tail)


@pointwise(
    "ErfBackward0",
    to_float=True,
    input=lambda grad, input, xp: xp.exp(-(input * input)) * (2 / SQRT_PI) * grad,
)
def erf(input: Array) -> Array:
    """2/sqrt(pi) times the integral of exp(-t**2) from 0 to `input`."""
    return erf_array(input)


@pointwise(
    "ErfcBackward0",
    to_float=True,
    input=lambda grad, input, xp: xp.exp(-(input * input)) * (-2 / SQRT_PI) * grad,
)
def erfc(input: Array) -> Array:
    """`1 - erf(input)`, accurate where that is tiny."""
    return erfc_array(input)


@pointwise(
    "ErfinvBackward0",
    to_float=True,
    input=lambda grad, result, xp: xp.exp(result * result) * (SQRT_PI / 2) * grad,
)
def erfinv(input: Array) -> Array:
    """The number whose `erf` is `input`; infinite at -1 and 1, nan beyond."""
    return erfinv_array(input)


erf_, erfc_, erfinv_ = inplace(erf), inplace(erfc), inplace(erfinv)
