"""The arithmetic of update rules on arrays, in place, with the roundings of PyTorch.

x + a * b enters the sum exactly and is rounded once: that is a fused multiply-add, as processors
compute it, and so PyTorch. NumPy has no such function, and rounding twice differs from it in the
last bit for about one value in fifty; over a training run that is visible. So the sum is computed
in a dtype that holds the product of two numbers exactly (float32 for float16, float64 for
float32), and rounded from there. For float64 there is no wider dtype: the rounding error of the
product is computed and added (Dekker 1971).

A rule is written once, with the functions of this module or with those of the same names in
`graph_arithmetic`, which work on tensors and leave a graph (`differentiable=True`). `pieces` cuts
large parameters into blocks: then no intermediate result is larger than a block, which stays in
the processor's cache.

(For float16 PyTorch does this in full vectors only, and rounds twice in the up to 31 elements that
remain; here all are rounded once.)
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np

from .. import either, gpu
from ..tensor import Tensor

__all__ = [
    "add_number", "add_scaled", "add_scaled_", "addcdiv_", "addcmul", "addcmul_", "assign_",
    "choose", "divide", "divide_", "lerp_", "limit_", "magnitude", "maximum_", "multiply_",
    "negative", "pieces", "reciprocal", "scale", "scale_", "sign", "sqrt",
]  # fmt: skip

Array = np.ndarray[Any, Any]

BLOCK = 65536  # elements: an update of float32 numbers then needs about 2 MiB at a time
SMALL = 1 << 14  # elements; the C library asks the system for the memory of more float64
_FLOAT16, _FLOAT32, _FLOAT64 = map(np.dtype, (np.float16, np.float32, np.float64))
_WIDE = {_FLOAT16: _FLOAT32, _FLOAT32: _FLOAT64}
_SPLITTER = 2.0**27 + 1  # cuts the 53 bits of a float64 into two halves of at most 27


def pieces(gradient: Tensor, *changed: Tensor, writes: int = 1) -> Iterable[tuple[Array, ...]]:
    """Pieces, of at most BLOCK elements if possible, of the arrays of a gradient and of tensors
    of the same shape that are about to be changed; all have at least one dimension.

    writes: how often the first one is changed, which shows in its version."""
    first = gradient._array
    arrays = [first]
    for _ in range(writes - 1):
        changed[0]._bump_version()
    for tensor in changed:
        tensor._bump_version()
        arrays.append(tensor._array)
    if gpu.fusion is not None and gpu.on_gpu(first):
        return gpu.fusion.in_one_kernel(arrays)  # type: ignore[no-any-return]
    size = first.size
    if size <= BLOCK:
        return (tuple(arrays if first.ndim else [a.reshape(1) for a in arrays]),)
    if not all([a.flags.c_contiguous for a in arrays]):
        return (tuple(arrays),)
    flat = [a.reshape(size) for a in arrays]
    return [tuple([a[i : i + BLOCK] for a in flat]) for i in range(0, size, BLOCK)]


# -- with numbers ---------------------------------------------------------------------------------


def scale_(x: Array, factor: float) -> None:
    """x *= factor."""
    _with_number(np.multiply, x, factor, x)


def scale(x: Array, factor: float) -> Array:
    """x * factor."""
    return _with_number(np.multiply, x, factor)


def divide_(x: Array, divisor: float) -> None:
    """x /= divisor."""
    _with_number(np.divide, x, divisor, x)


def divide(x: Array, divisor: float) -> Array:
    """x / divisor."""
    return _with_number(np.divide, x, divisor)


def add_number(x: Array, number: float) -> Array:
    """x + number, which is first rounded to the dtype of `x`."""
    return np.add(x, _number(number, x.dtype, x))  # type: ignore[no-any-return]


def _with_number(f: np.ufunc, x: Array, number: float, out: Array | None = None) -> Array:
    """f(x, number); a number that is combined with float16 is not rounded to float16 itself."""
    if x.dtype != _FLOAT16:
        return f(x, _number(number, x.dtype, x), out)  # type: ignore[no-any-return]
    wide = f(x.astype(_FLOAT32), _number(number, _FLOAT32, x))
    if out is None:
        return wide.astype(_FLOAT16)  # type: ignore[no-any-return]
    out[...] = wide
    return out


def _number(value: float, dtype: np.dtype[Any], like: Array) -> Any:
    """`_scalar`, or for CuPy, which takes no arrays of NumPy's, the scalar in it."""
    kept = _scalar(float(value), dtype)
    return kept[()] if gpu.on_gpu(like) else kept


@lru_cache(maxsize=1024)
def _scalar(value: float, dtype: np.dtype[Any], wide: np.dtype[Any] | None = None) -> Array:
    """A 0-d array of `value` rounded to `dtype`, then held in `wide`: NumPy works with these
    faster than with Python numbers, and does not let them change the dtype of an array."""
    return np.asarray(np.asarray(value, dtype), wide)


# -- element by element ---------------------------------------------------------------------------


def multiply_(x: Array, y: Array) -> None:
    """x *= y."""
    np.multiply(x, y, out=x)


def maximum_(x: Array, y: Array) -> None:
    """x = max(x, y)."""
    np.maximum(x, y, out=x)


def assign_(x: Array, y: Array) -> None:
    """x = y."""
    x[...] = y


def negative(x: Array) -> Array:
    """-x."""
    return -x


def magnitude(x: Array) -> Array:
    """|x|."""
    return np.abs(x)


def sqrt(x: Array) -> Array:
    """The square root. (PyTorch's vectors of float32 are up to 0.75 ULP off, this is exact.)"""
    return np.sqrt(x)


def reciprocal(x: Array) -> Array:
    """1 / x."""
    return 1 / x


def sign(x: Array) -> Array:
    """1, 0 or -1; 0 for what is no number."""
    return np.subtract(x > 0, x < 0, dtype=x.dtype)


def choose(condition: Array, x: Any, y: Any, like: Array) -> Array:
    """x where the condition holds, else y, in the dtype of `like`."""
    return np.where(condition, x, y).astype(like.dtype)


def limit_(x: Array, low: float, high: float) -> None:
    """x = min(max(x, low), high)."""
    np.clip(x, low, high, out=x)


# -- sums with products ---------------------------------------------------------------------------


def add_scaled_(x: Array, y: Array, alpha: float) -> None:
    """x += alpha * y; `alpha` is first rounded to the dtype of `x`."""
    if alpha == 1:
        x += y
    elif x.size == 1 and x.dtype == y.dtype == _FLOAT32 and not gpu.on_gpu(x):
        # a Python float is the wider dtype
        x.fill(x.item() + _scalar(float(alpha), _FLOAT32).item() * y.item())
    else:
        x[...] = _fused(x, y, alpha)


def add_scaled(x: Array, y: Array, alpha: float) -> Array:
    """A new array x + alpha * y, of the dtype of `x`."""
    return either.as_array(_fused(x, y, alpha)).astype(x.dtype, copy=False)  # type: ignore[no-any-return]


def lerp_(x: Array, end: Array, weight: float) -> None:
    """x += weight * (end - x), counted from whichever of the two is nearer."""
    if x.dtype == _FLOAT16:
        wide = x.astype(_FLOAT32)
        lerp_(wide, end.astype(_FLOAT32), weight)
        x[...] = wide
    elif abs(weight) < 0.5:
        x[...] = _fused(x, end - x, weight)
    else:
        x[...] = _fused(end, end - x, float(_scalar(weight, x.dtype) - 1))


def addcmul_(x: Array, a: Array, b: Array, factor: float = 1) -> None:
    """x += (factor * a) * b."""
    x[...] = _product_added(x, a, b, factor)


def addcmul(x: Array, a: Array, b: Array, factor: float) -> Array:
    """x + (factor * a) * b."""
    total = either.as_array(_product_added(x, a, b, factor))
    return total.astype(x.dtype, copy=False)  # type: ignore[no-any-return]


def _product_added(x: Array, a: Array, b: Array, factor: float) -> Any:
    if x.dtype == _FLOAT16:
        x, a, b = (y.astype(_FLOAT32) for y in (x, a, b))
    scaled = a if factor == 1 else scale(a, factor)
    if gpu.on_gpu(x):  # whose compiler fuses what it can
        return x + scaled * b
    if x.dtype == _FLOAT64:
        return _fused_float64(x, scaled, b)
    total = _widened(scaled, _FLOAT64, 0)
    total *= _widened(b, _FLOAT64, 1)
    total += _widened(x, _FLOAT64, 1)
    return total


def addcdiv_(x: Array, a: Array, b: Array, factor: float = 1) -> None:
    """x += (factor * a) / b."""
    if x.dtype == _FLOAT16:
        wide = x.astype(_FLOAT32)
        addcdiv_(wide, a.astype(_FLOAT32), b.astype(_FLOAT32), factor)
        x[...] = wide
    elif factor == 1:
        x += a / b
    else:
        quotient = scale(a, factor)
        quotient /= b
        x += quotient


def _fused(x: Array, y: Array, alpha: float) -> Any:
    """x + alpha * y, rounded once if the dtype is float64 and not at all yet if it is narrower."""
    dtype = x.dtype
    if y.dtype != dtype:  # computed in the wider of the two, as a float64 gradient of a float32
        dtype = np.result_type(x.dtype, y.dtype)
    if gpu.on_gpu(x):
        wide = _WIDE[dtype] if dtype == _FLOAT16 else dtype
        return x.astype(wide, copy=False) + y.astype(wide, copy=False) * wide.type(float(alpha))
    if dtype == _FLOAT64:
        return _fused_float64(x.astype(dtype), y.astype(dtype), float(alpha))
    wide = _WIDE[dtype]
    total = _widened(y, wide, 0)
    total *= _scalar(float(alpha), dtype, wide)
    total += _widened(x, wide, 1)
    return total


class _Kept(threading.local):
    """Memory for intermediate results, which a thread keeps from one call to the next: new memory
    of this size may come from the system each time, which clears it first."""

    def __init__(self) -> None:
        self.arrays = np.empty((2, BLOCK), _FLOAT64)


_kept = _Kept()


def _widened(x: Array, dtype: np.dtype[Any], place: int) -> Array:
    """`x` in a wider dtype; if it is large, in the kept memory, until the next call for a place."""
    if not SMALL < x.size <= BLOCK or dtype != _FLOAT64:
        return x.astype(dtype)
    wide = _kept.arrays[place, : x.size].reshape(x.shape)
    wide[...] = x
    return wide


def _fused_float64(x: Array, y: Array, factor: Any) -> Any:
    """x + y * factor; `factor` is a number or an array."""
    product = y * factor
    total = x + product
    high_y, low_y = _halves(y)
    high_factor, low_factor = _halves(np.float64(factor))
    lost_by_product = low_y * low_factor - (
        ((product - high_y * high_factor) - low_y * high_factor) - high_y * low_factor
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
