"""x + alpha * y with one rounding, as processors compute it, and so PyTorch.

A fused multiply-add rounds once: the product enters the sum exactly. NumPy has no such function,
and rounding twice differs from it in the last bit for about one value in fifty; over a training
run that is visible. So the sum is computed in a dtype that holds the product of two numbers
exactly (float32 for float16, float64 for float32), and rounded from there. For float64 there is no
wider dtype: the rounding error of the product is computed and added (Dekker 1971).

(For float16 PyTorch does this in full vectors only, and rounds twice in the up to 31 elements that
remain; here all are rounded once.)
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

__all__ = ["add_scaled", "add_scaled_", "scale_"]

Array = np.ndarray[Any, Any]

_FLOAT16, _FLOAT32, _FLOAT64 = map(np.dtype, (np.float16, np.float32, np.float64))
_WIDE = {_FLOAT16: _FLOAT32, _FLOAT32: _FLOAT64}
_SPLITTER = 2.0**27 + 1  # cuts the 53 bits of a float64 into two halves of at most 27


def add_scaled_(x: Array, y: Array, alpha: float) -> None:
    """x += alpha * y, in place; `alpha` is first rounded to the dtype of `x`."""
    if alpha == 1:
        x += y
    elif x.size == 1 and x.dtype == y.dtype == _FLOAT32:  # a Python float is the wider dtype
        x.fill(x.item() + _scalar(alpha, _FLOAT32).item() * y.item())
    else:
        x[...] = _fused(x, y, alpha)


def add_scaled(x: Array, y: Array, alpha: float) -> Array:
    """A new array x + alpha * y, of the dtype of `x`."""
    return np.asarray(_fused(x, y, alpha), x.dtype)


def scale_(x: Array, factor: float) -> None:
    """x *= factor, in place; a factor of float16 numbers is not rounded to float16 itself."""
    if x.dtype == _FLOAT16:
        x[...] = x.astype(_WIDE[_FLOAT16]) * _scalar(factor, _WIDE[_FLOAT16])
    else:
        x *= _scalar(factor, x.dtype)


@lru_cache(maxsize=1024)
def _scalar(value: float, dtype: np.dtype[Any], wide: np.dtype[Any] | None = None) -> Array:
    """A 0-d array of `value` rounded to `dtype`, then held in `wide`: NumPy works with these
    faster than with Python numbers, and does not let them change the dtype of an array."""
    return np.asarray(np.asarray(value, dtype), wide)


def _fused(x: Array, y: Array, alpha: float) -> Any:
    """x + alpha * y, rounded once if the dtype is float64 and not at all yet if it is narrower."""
    dtype = x.dtype
    if y.dtype != dtype:  # computed in the wider of the two, as a float64 gradient of a float32
        dtype = np.result_type(x, y)
    if dtype == _FLOAT64:
        return _fused_float64(x.astype(dtype), y.astype(dtype), alpha)
    wide = _WIDE[dtype]
    total = y.astype(wide)
    total *= _scalar(alpha, dtype, wide)
    total += x.astype(wide)
    return total


def _fused_float64(x: Array, y: Array, alpha: float) -> Any:
    product = y * alpha
    total = x + product
    high_y, low_y = _halves(y)
    high_alpha, low_alpha = _halves(np.float64(alpha))
    lost_by_product = low_y * low_alpha - (
        ((product - high_y * high_alpha) - low_y * high_alpha) - high_y * low_alpha
    )
    back = total - x
    lost_by_sum = (x - (total - back)) + (product - back)
    lost = lost_by_sum + lost_by_product
    return np.where(np.isfinite(lost), total + lost, total)  # infinite values lose nothing


def _halves(a: Any) -> tuple[Any, Any]:
    """a = high + low, each with so few bits that products of halves are exact (Veltkamp)."""
    scaled = a * _SPLITTER
    high = scaled - (scaled - a)
    return high, a - high
