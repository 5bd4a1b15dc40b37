"""The normal distribution function, its logarithm and its inverse, and entropies.

They are the error function in other clothes: see `error_function.py`. All are computed in float64.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd.out import into
from ..autograd.row import pointwise
from ..promotion import NUMBERS, check_tensors
from .arithmetic import add, mul
from .error_function import (
    SQRT_PI,
    erf,
    erf_array,
    erfc_array,
    inverse_array,
    scaled_tail,
)
from .recorded import on

Array = Any
Tensor = Any
SQRT_HALF = math.sqrt(0.5)


# --- exp(x**2) erfc(x) ---------------------------------------------------------------------------


def erfcx_array(input: Array) -> Array:
    """exp(x**2) erfc(x), which neither overflows nor underflows for x > 0."""
    x = input.astype(np.float64)
    with np.errstate(over="ignore"):
        square = _exp_square(x)
        near = square * (1 - erf_array(np.clip(x, -0.46875, 0.46875)))
        tail = scaled_tail(np.maximum(np.abs(x), 0.46875))
        value = np.where(np.abs(x) <= 0.46875, near, np.where(x > 0, tail, 2 * square - tail))
    return value.astype(input.dtype)


def _exp_square(x: Array) -> Array:
    """exp(x**2), with x**2 in two parts: rounding it at once would cost up to nine bits."""
    x = np.clip(x, -30.0, 1.0)  # beyond: infinite, or not used
    coarse = np.trunc(x * 16) / 16
    return np.exp(coarse * coarse) * np.exp((x - coarse) * (x + coarse))


@pointwise(
    "SpecialErfcxBackward0",
    to_float=True,
    input=lambda grad, input, result: (input * result * 2 - 2 / SQRT_PI) * grad,
)
def erfcx(input: Array) -> Array:
    """The scaled complementary error function, `exp(input**2) * erfc(input)`."""
    return erfcx_array(input)


# --- the normal distribution ---------------------------------------------------------------------


def ndtr(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The area under the normal distribution's density to the left of `input`."""
    if out is not None:
        return into(out, ndtr, input)
    check_tensors("special_ndtr", input=input)
    return mul(add(erf(mul(input, SQRT_HALF)), 1), 0.5)  # as PyTorch: 0 from about -5.5 on


@pointwise(
    "SpecialNdtriBackward0",
    to_float=True,
    input=lambda grad, result, xp: grad * xp.exp(result * result / 2) * math.sqrt(2 * math.pi),
)
def ndtri(input: Array) -> Array:
    """The number to the left of which the area `input` lies; infinite at 0 and 1, nan beyond."""
    p = input.astype(np.float64)
    inner = (p > 0) & (p < 1)
    half = np.where(inner, np.minimum(p, 1 - p), 0.5)
    y = inverse_array(1 - 2 * half, 2 * half) / SQRT_HALF
    value = np.where(inner, np.where(p < 0.5, -y, y), np.nan)
    value = np.where(p == 0, -np.inf, np.where(p == 1, np.inf, value))
    return value.astype(input.dtype)


@pointwise(
    "SpecialLogNdtrBackward0",
    to_float=True,
    input=lambda grad, input, xp: grad / on(erfcx, xp)(input * -SQRT_HALF) * math.sqrt(2 / math.pi),
)
def log_ndtr(input: Array) -> Array:
    """The logarithm of `ndtr`, also where that underflows."""
    x = input.astype(np.float64)
    t = x * SQRT_HALF
    with np.errstate(all="ignore"):
        low = np.log(erfcx_array(-t) / 2) - t * t
        value = np.where(x < -1, low, np.log1p(-erfc_array(t) / 2))
    return value.astype(input.dtype)


# --- entropies -----------------------------------------------------------------------------------


@pointwise(
    "SpecialEntrBackward0",
    to_float=True,
    input=lambda grad, input, xp: grad * xp.where(input < 0, math.nan, -(xp.log(input) + 1)),
)
def entr(input: Array) -> Array:
    """`-input * log(input)`: 0 at 0, and -inf for negative numbers."""
    with np.errstate(all="ignore"):
        value = -input * np.log(input)
    kind = input.dtype.type
    return np.where(input == 0, kind(0), np.where(input < 0, kind(-np.inf), value))


def xlog1py_array(input: Array, other: Array) -> Array:
    """`input * log(1 + other)`; 0 where `input` is, unless `other` is nan."""
    with np.errstate(all="ignore"):
        value = input * np.log1p(other)
    return np.where((input == 0) & ~np.isnan(other), value.dtype.type(0), value)


def _of_input(grad: Any, input: Any, other: Any, xp: Any) -> Any:
    return xp.where((input == 0) & (other <= -1), 0.0, grad * on(_log1p, xp)(other))


@pointwise("Log1PBackward0", input=lambda grad, input: grad / (input + 1))
def _log1p(input: Array) -> Array:
    return np.log1p(input)


@pointwise(
    "SpecialXlog1PyBackward0",
    to_float=True,
    input=_of_input,
    other=lambda grad, input, other: grad * input / (other + 1),
)
def _xlog1py(input: Array, other: Array) -> Array:
    return xlog1py_array(input, other)


@pointwise(
    "SpecialXlog1PyBackward1",
    to_float=True,
    other=lambda grad, input, other: grad * input / (other + 1),
)
def _xlog1py_of_number(input: Array, other: Array) -> Array:
    return xlog1py_array(input, other)


@pointwise("SpecialXlog1PyBackward2", to_float=True, input=_of_input)
def _xlog1py_by_number(input: Array, other: Array) -> Array:
    return xlog1py_array(input, other)


def xlog1py(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """`input * log(1 + other)`, and 0 where `input` is 0; one of the two may be a number."""
    if out is not None:
        return into(out, xlog1py, input, other)
    if isinstance(input, NUMBERS):
        check_tensors("special_xlog1py", other=other)
        return _xlog1py_of_number(input, other)
    return (_xlog1py_by_number if isinstance(other, NUMBERS) else _xlog1py)(input, other)
