"""Array functions for NumPy's and CuPy's arrays, where NumPy does not hand the call on to CuPy.

Most functions of NumPy need no such help: `np.exp(a)` runs where `a` is, and so does
`np.zeros(shape, dtype, like=a)`. On the CPU each function here is NumPy's, at the cost of one look
at the type.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import gpu
from .gpu import as_array as as_array
from .gpu import is_array as is_array

Array = Any
HOST = (
    np.ndarray,
    np.generic,
)  # of a calculation whose result has no dimensions, NumPy's is a scalar
METHODS: dict[Any, str] = {
    np.maximum: "max",
    np.minimum: "min",
    np.logical_and: "all",
    np.logical_or: "any",
}


def contiguous(array: Array) -> Array:
    """`array` itself if its elements lie in memory in row-major order, else a copy that does."""
    return array if array.flags.c_contiguous else array.copy()


def copied(array: Array) -> Array:
    """A copy in row-major order that can be written: of NumPy's scalars too, which are no arrays."""
    return np.array(array, order="C") if isinstance(array, HOST) else array.copy()


def zeros(shape: Any, like: Array, dtype: Any = None) -> Array:
    """Zeros on the device of `like`, in its dtype or another."""
    kind = like.dtype if dtype is None else dtype
    return np.zeros(shape, kind) if isinstance(like, HOST) else np.zeros(shape, kind, like=like)


def empty(shape: Any, like: Array, dtype: Any = None) -> Array:
    """An array that is still to be written, on the device of `like`."""
    kind = like.dtype if dtype is None else dtype
    return np.empty(shape, kind) if isinstance(like, HOST) else np.empty(shape, kind, like=like)


def full(shape: Any, value: Any, dtype: Any, like: Array) -> Array:
    """An array filled with a number, on the device of `like`."""
    out = empty(shape, like, dtype)
    out.fill(value)
    return out


def eye(rows: int, columns: int, dtype: Any, like: Array) -> Array:
    """Ones on the diagonal of zeros, (rows, columns), on the device of `like`."""
    at = np.arange(columns, like=like)
    return (at == np.arange(rows, like=like)[:, None]).astype(dtype)


def reduce(ufunc: Any, array: Array, axis: Any = None, keepdims: bool = False) -> Array:
    """`ufunc.reduce`, of which CuPy has only sums and products: the others are methods there."""
    if isinstance(array, np.ndarray) or ufunc not in METHODS:
        return ufunc.reduce(array, axis=axis, keepdims=keepdims)
    return getattr(array, METHODS[ufunc])(axis=axis, keepdims=keepdims)


def greatest(array: Array, axis: Any, least: Any, keepdims: bool = False) -> Array:
    """The maximum over `axis`, and `least` if there is nothing: `initial=`, which CuPy has not."""
    if isinstance(array, np.ndarray):
        return np.max(array, axis=axis, keepdims=keepdims, initial=least)
    axes = range(array.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    if 0 not in [array.shape[a] for a in axes]:
        return np.maximum(array.max(axis=axis, keepdims=keepdims), least)
    return array.sum(axis=axis, keepdims=keepdims) + array.dtype.type(least)


def at(ufunc: Any, out: Array, index: Any, values: Array) -> None:
    """`ufunc.at`. CuPy has it for some functions and dtypes, and adds in any order; the rest goes
    here in rounds, one for each time that a place occurs."""
    if isinstance(out, np.ndarray):
        ufunc.at(out, index, values)
    elif ufunc is np.add and out.dtype.char in "ilefd":
        np.add.at(out, index, np.broadcast_to(values, out[index].shape))
    else:
        _in_rounds(ufunc, out, index, values)


def _in_rounds(ufunc: Any, out: Array, index: Any, values: Array) -> None:
    places = np.arange(out.size, like=out).reshape(out.shape)[index]
    values = np.broadcast_to(values, places.shape).reshape(-1)
    places, flat = places.reshape(-1), out.reshape(-1)
    while places.size:
        order = np.argsort(places, kind="stable")
        places, values = places[order], values[order]
        first = full(places.shape, True, bool, places)
        first[1:] = places[1:] != places[:-1]
        here = places[first]
        flat[here] = ufunc(flat[here], values[first]).astype(out.dtype, copy=False)
        places, values = places[~first], values[~first]
    out[...] = flat.reshape(out.shape)


def accumulate(ufunc: Any, array: Array, axis: int) -> Array:
    """`ufunc.accumulate`, of which CuPy has only sums and products: others reach twice as far with
    each step there."""
    if isinstance(array, np.ndarray) or ufunc in (np.add, np.multiply):
        return ufunc.accumulate(array, axis=axis)
    out = np.moveaxis(array.copy(), axis, 0)
    reach = 1
    while reach < len(out):
        out[reach:] = ufunc(out[reach:], out[:-reach])
        reach *= 2
    return np.moveaxis(out, 0, axis)


def grid(shape: Any, like: Array) -> list[Array]:
    """The positions along each dimension, as arrays that broadcast to `shape`."""
    ones = [1] * len(shape)
    return [
        np.arange(n, like=like).reshape([*ones[:dim], n, *ones[dim + 1 :]])
        for dim, n in enumerate(shape)
    ]


def counted(sizes: Array) -> Array:
    """0 as often as the first of `sizes` says, then 1, and so on: `np.repeat(arange, sizes)`."""
    ends = np.cumsum(sizes)
    total = int(ends[-1]) if sizes.size else 0
    return np.searchsorted(ends, np.arange(total, like=sizes), "right")


def on(index: Any, like: Array) -> Any:
    """A table of positions on the device of `like`; slices as they are."""
    return index if isinstance(index, slice) else np.asarray(index, like=like)


def vecdot(a: Array, b: Array) -> Array:
    """The products of the vectors along the last dimension."""
    return np.vecdot(a, b) if isinstance(a, np.ndarray) else np.add.reduce(a * b, axis=-1)


def writeable(array: Array) -> bool:
    """Whether NumPy lets one write; CuPy always does."""
    return not isinstance(array, np.ndarray) or array.flags.writeable


def as_strided(array: Array, shape: Any, strides: Any) -> Array:
    """A view with any strides, in bytes."""
    if isinstance(array, np.ndarray):
        return np.lib.stride_tricks.as_strided(array, shape, strides)
    return gpu.cupy().lib.stride_tricks.as_strided(array, shape, strides)


def byte_bounds(array: Array) -> tuple[int, int]:
    """The addresses of the first byte and of that after the last."""
    if isinstance(array, np.ndarray):
        return np.lib.array_utils.byte_bounds(array)
    begin = end = int(array.data.ptr)
    for size, step in zip(array.shape, array.strides, strict=True):
        reach = (size - 1) * step
        begin, end = begin + min(reach, 0), end + max(reach, 0)
    return begin, end + array.itemsize
