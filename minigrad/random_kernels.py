"""Functions to the last bit: what `random.py` computes as PyTorch's processor kernels do.

A distribution is bit-equal only if its logarithm, sine and cosine are. In float64 PyTorch calls the
C library, and so does `libm`. In float32 it evaluates eight numbers at once by polynomials, with
fused multiply-adds; here they run on whole NumPy arrays, operation by operation in the same order.

The polynomials, and the way of reducing the argument, are those of avx_mathfun.h (zlib licence;
Giovanni Garberoglio's AVX version of Julien Pommier's sse_mathfun.h, 2007-2012), which follows
logf.c and sinf.c of the Cephes library by Stephen Moshier.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray


def libm(function: Callable[[float], float], values: Array) -> Array:
    """The C library's function on each element: NumPy's own differ in the last bit at times."""
    flat = np.fromiter(map(function, values.ravel().tolist()), np.float64, values.size)
    return flat.reshape(values.shape)


def log(value: float) -> float:
    """The logarithm, with -inf for 0."""
    return math.log(value) if value else -math.inf


def exp(value: float) -> float:
    """The exponential, with inf for what is too large."""
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf


def fma(a: Array, b: Any, c: Any) -> Array:
    """a * b + c rounded once, like the processor's fused multiply-add, in the dtype of `a`."""
    if a.dtype == np.float32:  # the product is exact in float64
        fused: Array = (np.multiply(a, b, dtype=np.float64) + c).astype(np.float32)
        return fused
    return _fma64(a, b, c)


def _fma64(a: Array, b: Any, c: Any) -> Array:
    """Dekker's product and Knuth's sum give what rounding lost; it is added back at the end."""
    with np.errstate(all="ignore"):
        product = a * b
        (a_high, a_low), (b_high, b_low) = _split(a), _split(b)
        lost = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
        total = product + c
        part = total - product
        lost = lost + ((product - (total - part)) + (c - part))
        fused: Array = total + lost
        return np.where(np.isfinite(fused), fused, total)


def _split(value: Any) -> tuple[Any, Any]:
    """`value` as the sum of two floats of 26 bits, whose products are exact."""
    scaled = value * 134217729.0  # 2**27 + 1
    high = scaled - (scaled - value)
    return high, value - high


# Coefficients from the highest power down.
_LOG = (7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
        -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1)  # fmt: skip
_SIN = (-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)
_COS = (2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)
_LN2 = (-2.12194440e-4, 0.693359375)  # ln 2, the small part and the large
_QUARTER_PI = (0.78515625, 2.4187564849853515625e-4, 3.77489497744594108e-8)  # pi / 4 in three


def _horner32(coefficients: tuple[float, ...], x: Array) -> Array:
    value: Array = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        value = fma(value, x, np.float32(coefficient))
    return value


def log32(x: Array) -> Array:
    """Natural logarithm of float32 in (0, 1]: x = 2**e * m with m in [sqrt(1/2), sqrt(2))."""
    mantissa, exponent = np.frexp(x)
    small = mantissa < np.float32(math.sqrt(0.5))
    e = (exponent - small).astype(np.float32)
    m = np.where(small, 2 * mantissa, mantissa) - np.float32(1)
    square = m * m
    tail = _horner32(_LOG, m) * m
    tail = fma(tail, square, e * np.float32(_LN2[0]))
    tail = fma(square, np.float32(-0.5), tail)
    return fma(e, np.float32(_LN2[1]), m + tail)


def sincos32(x: Array) -> tuple[Array, Array]:
    """Sine and cosine of float32 in [0, 2 pi]: x = octant * pi/4 + rest, with an even octant."""
    octant = ((x * np.float32(4 / math.pi)).astype(np.int32) + 1) & ~1
    rest, turns = x, octant.astype(np.float32)
    for part in _QUARTER_PI:
        rest = fma(turns, -np.float32(part), rest)
    square = rest * rest
    cosine = _horner32(_COS, square) * square
    cosine = fma(cosine, square, -(square * np.float32(0.5))) + np.float32(1)
    sine = _horner32(_SIN, square) * square
    sine = fma(sine, rest, rest)
    swapped = (octant & 2) != 0  # near an odd multiple of pi/2 the two change places
    sine, cosine = np.where(swapped, cosine, sine), np.where(swapped, sine, cosine)
    negative_sine, negative_cosine = (octant & 4) != 0, ((octant + 2) & 4) != 0
    return np.where(negative_sine, -sine, sine), np.where(negative_cosine, -cosine, cosine)
