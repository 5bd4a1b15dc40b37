"""The gamma function's logarithm, its derivatives, and the Hurwitz zeta function behind them.

NumPy has none of them. All are computed in float64, by what is to be found in Abramowitz and Stegun,
"Handbook of Mathematical Functions", chapters 6 and 23: recurrence up to where the asymptotic series
has converged, reflection for negative numbers, and for zeta the Euler-Maclaurin formula, as in
S. Moshier's Cephes library.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from .. import either
from ..autograd import node as graph
from ..autograd.inplace import inplace, write
from ..autograd.node import wrap
from ..autograd.out import into
from ..autograd.row import op, pointwise
from ..dtypes import default_dtype
from ..promotion import NUMBERS, check_tensors
from .recorded import on

Array = Any
Tensor = Any
EULER = 0.57721566490153286061
HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)
# Bernoulli numbers B_2, B_4, ... B_24, of which every asymptotic series here is made.
BERNOULLI = (
    1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798,
    -174611 / 330, 854513 / 138, -236364091 / 2730,
)  # fmt: skip
SHIFT = 10.0  # the asymptotic series are used from here on


def _series(coefficients: Any, x: Array) -> Array:
    """c[0] + c[1] x + c[2] x**2 + ..., by Horner's scheme."""
    value = np.zeros_like(x)
    for c in reversed(coefficients):
        value = value * x + c
    return value


# --- Hurwitz zeta --------------------------------------------------------------------------------


def _hurwitz(x: Array, q: Array) -> Array:
    """The sum of (q + k)**-x over k = 0, 1, ...: nine terms or more, then Euler-Maclaurin."""
    total, a = np.power(q, -x), q
    for step in range(int(min(max(9.0, 10.0 + either.greatest(-q, None, 0.0)), 1e4))):
        going = (step < 9) | (a <= 9)
        a = np.where(going, a + 1, a)
        total = np.where(going, total + np.power(a, -x), total)
    last = np.power(a, -x)
    total = total + last * a / (x - 1) - 0.5 * last
    rising, power = np.ones_like(x), last
    for k, bernoulli in enumerate(BERNOULLI):  # B_2k / (2k)! x (x+1) ... (x+2k-2) a**-(x+2k-1)
        rising, power = rising * (x + 2 * k), power / a
        term = rising * power * (bernoulli / math.factorial(2 * k + 2))
        total = np.where(np.isfinite(term), total + term, total)
        rising, power = rising * (x + 2 * k + 1), power / a
    return total


def zeta_array(input: Array, other: Array) -> Array:
    """The Hurwitz zeta function on arrays of floats: infinite at its poles, nan where it is none."""
    x, q = (a.astype(np.float64) for a in np.broadcast_arrays(input, other))
    pole = (q <= 0) & (q == np.floor(q))
    none = (x < 1) | ((q <= 0) & (x != np.floor(x))) | np.isnan(x) | np.isnan(q)
    inside = ~(pole | none | (x == 1))
    with np.errstate(all="ignore"):
        value = _hurwitz(np.where(inside, x, 2.0), np.where(inside, q, 1.0))
    value = np.where(pole, np.inf, np.where(none, np.nan, value))
    value = np.where(x == 1, np.inf, np.where(x < 1, np.nan, value))
    return value.astype(input.dtype)


def _no_derivative(grad: Any) -> Any:
    raise NotImplementedError("the derivative for 'zeta' is not implemented.")


def _zeta_gradient(grad: Any, input: Any, other: Any, xp: Any) -> Any:
    return grad * -input * on(_zeta, xp)(input + 1, other)


@pointwise("SpecialZetaBackward0", to_float=True, input=_no_derivative, other=_zeta_gradient)
def _zeta(input: Array, other: Array) -> Array:
    return zeta_array(input, other)


@pointwise("SpecialZetaBackward1", to_float=True, other=_zeta_gradient)
def _zeta_of_number(input: Array, other: Array) -> Array:
    return zeta_array(input, other)


@pointwise("SpecialZetaBackward2", to_float=True, input=_no_derivative)
def _zeta_by_number(input: Array, other: Array) -> Array:
    return zeta_array(input, other)


def special_zeta(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """The Hurwitz zeta function, the sum of (other + k)**-input over k = 0, 1, ...; one of the two
    may be a number. Only `other` has a derivative."""
    if out is not None:
        return into(out, special_zeta, input, other)
    if isinstance(input, NUMBERS):
        check_tensors("special_zeta", other=other)
        return _zeta_of_number(input, other)
    return (_zeta_by_number if isinstance(other, NUMBERS) else _zeta)(input, other)


# --- lgamma --------------------------------------------------------------------------------------

# (zeta(k) - 1) (-1)**k / k for k = 2, 3, ...: lgamma(2 + z) = z (1 - EULER) + their series, |z| <= 1/2
_K = np.arange(2.0, 36.0)
_TAYLOR = (_hurwitz(_K, np.array(2.0)) * (-1.0) ** _K / _K).tolist()
_STIRLING = [b / ((2 * k + 2) * (2 * k + 1)) for k, b in enumerate(BERNOULLI[:8])]


def _near_two(z: Array) -> Array:
    """lgamma(2 + z) for |z| up to 1/2."""
    return z * ((1 - EULER) + z * _series(_TAYLOR, z))


def _lgamma_positive(x: Array) -> Array:
    """Taylor's series about 2, reached by the recurrence, below SHIFT; Stirling's beyond."""
    far = np.maximum(x, SHIFT)
    stirling = (far - 0.5) * np.log(far) - far + HALF_LOG_TAU
    stirling = stirling + _series(_STIRLING, 1 / (far * far)) / far
    y, factor = np.minimum(x, SHIFT), np.ones_like(x)
    for _ in range(int(SHIFT) - 2):
        down = y > 2.5
        y = np.where(down, y - 1, y)
        factor = np.where(down, factor * y, factor)
    near = _near_two(np.where(y < 1.5, y - 1, y - 2))
    z = np.where(y < 0.5, y, y - 1)  # lgamma(1 + z) = lgamma(2 + z) - log(1 + z)
    near = np.where(y < 1.5, _near_two(z) - np.log1p(np.maximum(z, -0.5)), near)
    near = np.where(y < 0.5, near - np.log(y), near) + np.log(factor)
    return np.where(x < SHIFT, near, stirling)


def lgamma_array(input: Array) -> Array:
    """log(abs(gamma(x))) of floats: infinite at 0, -1, -2, ..."""
    x = input.astype(np.float64)
    size = np.abs(x)
    with np.errstate(all="ignore"):
        positive = _lgamma_positive(np.where(size > 0, size, 1.0))
        angle = np.pi * (size - np.round(size))
        reflected = np.log(np.pi / np.abs(size * np.sin(angle))) - positive
        value = np.where(x > 0, positive, np.where(x == np.floor(x), np.inf, reflected))
    value = np.where(np.isinf(x), np.inf, np.where(np.isnan(x), x, value))
    return value.astype(input.dtype)


def _lgamma_gradient(grad: Any, input: Any, xp: Any) -> Any:
    return grad * on(digamma, xp)(input)


@pointwise("LgammaBackward0", to_float=True, input=_lgamma_gradient)
def lgamma(input: Array) -> Array:
    """The logarithm of the absolute value of the gamma function."""
    return lgamma_array(input)


# --- digamma and polygamma -----------------------------------------------------------------------

_DIGAMMA = [b / (2 * k + 2) for k, b in enumerate(BERNOULLI[:7])]


def _digamma_positive(x: Array) -> Array:
    """Up by the recurrence psi(x) = psi(x + 1) - 1/x, then the asymptotic series."""
    total = np.zeros_like(x)
    for _ in range(int(SHIFT)):
        below = x < SHIFT
        total = np.where(below, total - 1 / x, total)
        x = np.where(below, x + 1, x)
    inverse = 1 / (x * x)
    return total + np.log(x) - 0.5 / x - _series(_DIGAMMA, inverse) * inverse


def digamma_array(input: Array) -> Array:
    """The derivative of `lgamma`; nan at -1, -2, ..., infinite at 0."""
    x = input.astype(np.float64)
    with np.errstate(all="ignore"):
        positive = _digamma_positive(np.where(x > 0, x, 1 - x))
        value = np.where(x > 0, positive, positive - np.pi / np.tan(np.pi * (x - np.trunc(x))))
    value = np.where((x < 0) & (x == np.floor(x)), np.nan, value)
    return np.where(x == 0, np.copysign(np.inf, -x), value).astype(input.dtype)


def _digamma_gradient(grad: Any, input: Any, xp: Any) -> Any:
    return grad * on(_polygamma, xp)(input, 1)


@pointwise("DigammaBackward0", to_float=True, input=_digamma_gradient)
def digamma(input: Array) -> Array:
    """The logarithmic derivative of the gamma function."""
    return digamma_array(input)


def _trigamma(x: Array) -> Array:
    """psi'(x): six steps of the recurrence and three Bernoulli numbers, as PyTorch takes, which
    give ten digits; below 1/2 by reflection."""
    y, total = np.where(x < 0.5, 1 - x, x), np.zeros_like(x)
    with np.errstate(all="ignore"):
        turned = (np.pi / np.sin(np.pi * x)) ** 2
        for _ in range(6):
            total = total + 1 / (y * y)
            y = y + 1
        inverse = 1 / (y * y)
        total = total + (1 + 1 / (2 * y) + inverse * _series(BERNOULLI[:3], inverse)) / y
    return np.where(x < 0.5, turned - total, total)


def _polygamma_gradient(grad: Any, input: Any, n: int, xp: Any) -> Any:
    return grad * on(_polygamma, xp)(input, n + 1)


@op("PolygammaBackward0", input=_polygamma_gradient)
def _polygamma(input: Array, n: int) -> Array:
    x = input.astype(np.float64)
    if n == 0:
        return digamma_array(input)
    if n == 1:
        return _trigamma(x).astype(input.dtype)
    scale = math.factorial(n) * (-1.0) ** (n + 1)
    return (scale * zeta_array(np.full_like(x, n + 1.0), x)).astype(input.dtype)


def _float_input(name: str, input: Any) -> Tensor:
    check_tensors(name, input=input)
    array = input._array
    return input if array.dtype.kind == "f" else wrap(array.astype(default_dtype()))


def polygamma(n: int, input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The derivative of order `n` of `digamma`."""
    if out is not None:
        return into(out, polygamma, n, input)
    if operator.index(n) < 0:
        raise RuntimeError("polygamma(n, x) does not support negative n.")
    return _polygamma(_float_input("polygamma", input), n)


def polygamma_method(input: Tensor, n: int) -> Tensor:
    """`polygamma` as a method: the Tensor comes first."""
    return polygamma(n, input)


def polygamma_(input: Tensor, n: int) -> Tensor:
    """`polygamma` in place."""
    if operator.index(n) < 0:
        raise RuntimeError("polygamma(n, x) does not support negative n.")
    return write(_polygamma.row, (input, n), _polygamma.forward(_float_input("", input)._array, n))


# --- the multivariate gamma function -------------------------------------------------------------


def _halves(p: int) -> list[float]:
    return [-0.5 * j for j in range(p)]


def _mvlgamma_gradient(grad: Any, input: Any, p: int, xp: Any) -> Any:
    terms = [on(digamma, xp)(input + half) for half in _halves(p)]
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return grad * total


@op("MvlgammaBackward0", input=_mvlgamma_gradient)
def _mvlgamma(input: Array, p: int) -> Array:
    total = sum(lgamma_array(input + half) for half in _halves(p))
    total = either.as_array(total + p * (p - 1) / 4 * math.log(math.pi))
    return total.astype(input.dtype, copy=False)


def _check_mvlgamma(input: Any, p: int) -> Tensor:
    if p < 1:
        raise RuntimeError("p has to be greater than or equal to 1")
    if isinstance(input, graph.Tensor) and input._array.dtype == bool:
        raise RuntimeError("The input tensor may not be a boolean tensor.")
    return _float_input("mvlgamma", input)


def mvlgamma(input: Tensor, p: int, *, out: Tensor | None = None) -> Tensor:
    """The logarithm of the multivariate gamma function of dimension `p`, of input > (p - 1) / 2."""
    if out is not None:
        return into(out, mvlgamma, input, p)
    return _mvlgamma(_check_mvlgamma(input, p), p)


def mvlgamma_(input: Tensor, p: int) -> Tensor:
    """`mvlgamma` in place."""
    floats = _check_mvlgamma(input, p)
    return write(_mvlgamma.row, (input, p), _mvlgamma.forward(floats._array, p))


lgamma_, digamma_ = inplace(lgamma), inplace(digamma)
