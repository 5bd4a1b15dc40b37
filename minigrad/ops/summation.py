"""Sums whose last bit is PyTorch's.

Floating-point addition is not associative: `(a + b) + c` and `a + (b + c)` may differ in the last
bit, so two libraries that add the same numbers in different orders print different losses. This
module adds in the order of PyTorch's CPU kernel, by means of a few NumPy calls.

The order has three parts, one section each:

1. *Lanes.* A vector unit adds several numbers at once: 8 float32 or 4 float64. A contiguous row
   is summed lane by lane, and the lanes are added up at the end; four vectors are under way at
   a time, so as not to wait for the previous addition. (`_sum_rows`, `_four_way_sum`)
2. *Cascade.* A running sum of a million terms loses digits, for the sum grows large and the terms
   do not. Hence 16 terms (or more) are summed first, then 16 such sums, and so on over four
   levels: the error grows with the number of levels instead of the number of terms. (`_cascade`)
3. *Walk.* Which of an array's dimensions is the row and which the lanes depends on its memory
   layout. (`_plan`)

`sum_array` is the entry; `mean` is this sum divided by the number of terms.

NumPy's part in it: `np.add.reduce` is used only where it adds one term after the other, that is
over fewer than 8 terms, or over an axis that is not the fastest one in memory. Over a long fastest
axis it adds pairwise, in an order of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from .. import either

Array: TypeAlias = np.ndarray[Any, Any]
Shape: TypeAlias = tuple[int, ...]

VECTOR_BYTES = 32  # 256 bits: PyTorch's sum uses no other width, whatever the CPU has
LEVELS = 4  # of the cascade
UNROLL = 4  # vectors under way at the same time
LARGE = 1 << 11  # elements from which einsum's start-up cost (a microsecond) is repaid

_add: Callable[..., Array] = np.add.reduce
_accumulate: Callable[..., Array] = np.add.accumulate  # running totals: never pairwise


def sum_array(
    array: Array,
    axes: Shape | None = None,
    keepdims: bool = False,
    dtype: np.dtype[Any] | None = None,
) -> Array | np.generic:
    """Sum `array` over `axes`, as PyTorch does on the CPU with one thread: the same bits.

    array: any shape; bool, integer, float16, float32 or float64.
    axes: non-negative, sorted; None sums over all of them.
    keepdims: keep the summed axes with size 1.
    dtype: convert to it before summing. By default integers and bool are summed in int64, floats
        in their own dtype (float16 in float32, rounded once at the end: one sum in a thousand
        then differs from PyTorch's by a unit in the last place).
    Returns an array, or a NumPy scalar where no axis is left.
    """
    if dtype is not None and dtype != array.dtype:
        array = array.astype(dtype)
    if array.dtype.kind != "f":
        return _sum_integers(array, axes, keepdims, dtype)
    if not isinstance(array, np.ndarray):  # a GPU adds in an order of its own
        return np.add.reduce(array, axis=axes, keepdims=keepdims)
    if array.itemsize == 2:
        return sum_array(array.astype(np.float32), axes, keepdims).astype(np.float16)
    if array.size < UNROLL:  # so few are added one after the other, whatever the layout
        return _add(array, axes, None, None, keepdims)
    if not keepdims and array.flags.c_contiguous and (axes is None or len(axes) == array.ndim):
        return _sum_row(array.reshape(-1), VECTOR_BYTES // array.itemsize)
    return _run(_plan(array.shape, array.strides, array.itemsize, axes, keepdims), array)


def _sum_integers(
    array: Array, axes: Shape | None, keepdims: bool, dtype: np.dtype[Any] | None
) -> Array | np.generic:
    """Integer addition is associative: any order gives the same (wrapped) result."""
    return _add(array, axes, dtype or np.int64, None, keepdims)


# --- Lanes -------------------------------------------------------------------------------------


def _sum_row(row: Array, lanes: int) -> np.generic:
    """Sum one contiguous row, (n,): what `_sum_rows` does, in fewer calls."""
    n = row.size
    if n == UNROLL:
        return _add(row)  # type: ignore[return-value]
    if n < lanes:
        lanes = 1
    full = n // lanes * lanes
    quads = n // (UNROLL * lanes)
    body = row[:full]
    if quads:
        split = quads * UNROLL * lanes
        first = row[:split]
        if 1 < quads < 16:  # one block of the cascade
            first = _add(first.reshape(quads, UNROLL * lanes), 0)
        elif quads > 1:
            first = _cascade(first.reshape(1, quads, UNROLL * lanes))[0]
        body = first
        if split < full:
            body = np.concatenate((first[:lanes], row[split:full], first[lanes:]))
    line = either.empty(n - full + lanes, row)
    line[: n - full] = row[full:]
    _add(body.reshape(-1, lanes), 0, None, line[n - full :])
    total: np.generic = _accumulate(line)[-1]
    return total


def _sum_rows(rows: Array, lanes: int) -> Array:
    """Sum each contiguous row: (J, n) -> (J,), where n >= lanes.

    The total of a row starts with the elements after the last full vector, then takes the lanes.
    """
    count, n = rows.shape
    vectors = n // lanes
    full = vectors * lanes
    line = either.empty((n - full + lanes, count), rows)
    line[: n - full] = rows[:, full:].T
    line[n - full :] = _four_way_sum(rows[:, :full].reshape(count, vectors, lanes)).T
    return _add_lines(line)


def _sum_columns(x: Array, group: int) -> Array:
    """Sum along the middle axis: (J, n, C) -> (J, C), each column on its own.

    Columns are taken `group` at a time, and need no unrolling then; the rest, fewer than `group`,
    are unrolled instead. A group of 0 unrolls all.
    """
    _, n, columns = x.shape
    if n == 1:
        copy: Array = x[:, 0] + x.dtype.type(0)  # and 0.0 for -0.0
        return copy
    together = columns // group * group if group else 0
    if together == 0:
        return _four_way_sum(x)
    if together == columns:
        return _cascade(x)
    parts = (_cascade(x[:, :, :together]), _four_way_sum(x[:, :, together:]))
    return np.concatenate(parts, axis=1)


def _four_way_sum(x: Array) -> Array:
    """Sum along the middle axis, in four partial sums by turns: (J, n, L) -> (J, L).

    What is left when n is no multiple of four goes to the first partial sum.
    """
    count, n, lanes = x.shape
    quads = n // UNROLL
    if quads == 0:
        return _add_axis(x, 1)
    full = quads * UNROLL
    partial = _cascade(x[:, :full].reshape(count, quads, UNROLL, lanes))
    if full < n:
        partial = np.concatenate((partial[:, :1], x[:, full:], partial[:, 1:]), axis=1)
    return _add_axis(partial, 1)


def _add_lines(lines: Array) -> Array:
    """Add contiguous lines, the first to the last: (M, K) -> (K,)."""
    if lines.shape[1] == 1:  # memory order would be pairwise
        return _accumulate(lines[:, 0])[-1:]
    return _add_axis(lines, 0)


# --- Cascade -----------------------------------------------------------------------------------


def _cascade(x: Array) -> Array:
    """Sum along axis 1 in blocks, blocks of blocks and so on: (J, n, ...) -> (J, ...).

    Each level sums what did not fill a block by itself; the levels are added up at the end,
    the lowest first.
    """
    count, n, *rest = x.shape
    if n < 16:
        return _add_axis(x, 1)
    power = max(4, (n - 1).bit_length() // LEVELS)
    total: Array | None = None
    for level in range(LEVELS):
        blocks = n >> power if level < LEVELS - 1 else 0
        full = blocks << power
        if full < n:
            left = _add_axis(x[:, full:], 1)
            total = left if total is None else total + left
        if not blocks:
            break
        x = _add_axis(x[:, :full].reshape(count, blocks, 1 << power, *rest), 2)
        n = blocks
    assert total is not None
    return total


def _add_axis(x: Array, axis: int) -> Array:
    """Add along an axis that is short or not the fastest in memory, one term after the other.

    `einsum` adds in the order of `np.add.reduce` and costs a third of it per inner loop.
    """
    n = x.shape[axis]
    if n == 1:
        return x[:, 0] if axis == 1 else x[:, :, 0]
    if x.size < LARGE:
        return _add(x, axis)
    if n < 8 and (x.shape[-1] == 1 or x.strides[axis] <= x.strides[-1]):
        return _add_slices(np.moveaxis(x, axis, 0))
    letters = "abcde"[: x.ndim]
    total: Array = np.einsum(f"{letters}->{letters.replace(letters[axis], '')}", x)
    return total


def _add_slices(x: Array) -> Array:
    """Add x[0], x[1] and so on: for large arrays and few slices."""
    total: Array = x[0] + x[1]
    for k in range(2, len(x)):
        total += x[k]
    total += 0  # the sum of -0.0 and -0.0 is 0.0, for PyTorch starts from 0.0
    return total


# --- Walk --------------------------------------------------------------------------------------


class _Dim(NamedTuple):
    """One dimension, or several that lie in memory as one."""

    axes: Shape  # of the array, outermost first
    size: int
    stride: int  # in bytes
    summed: bool


class _Plan(NamedTuple):
    """How to sum arrays of one layout."""

    order: Shape  # transposition that makes the array (outer, row, columns), or (outer, row)
    shape: Shape  # then (J, n, C) for columns, (J, n) for rows, (n,) for a single row
    lanes: int  # of a row, 0 for columns
    group: int  # of columns
    copy: bool  # strides of 0 or less, for which NumPy would choose an order of its own
    sums: Shape  # dimensions of the sums, as they come
    walk: Shape  # transposition that brings them to PyTorch's order
    chain: int  # so many sums are then added to make one element of the result
    result: Shape


def _run(plan: _Plan, array: Array) -> Array | np.generic:
    x = array.transpose(plan.order).reshape(plan.shape)
    if x.ndim == 1:
        return np.array(_sum_row(x, plan.lanes), ndmin=len(plan.result))[()]
    if plan.copy:
        x = either.contiguous(x)
    sums = _sum_rows(x, plan.lanes) if plan.lanes else _sum_columns(x, plan.group)
    if len(plan.sums) > 1:
        sums = sums.reshape(plan.sums).transpose(plan.walk)
    if plan.chain > 1:
        sums = _add_lines(either.contiguous(sums.reshape(plan.chain, -1)))
    return sums.reshape(plan.result)[()]


@lru_cache(maxsize=1024)
def _plan(shape: Shape, strides: Shape, itemsize: int, axes: Shape | None, keepdims: bool) -> _Plan:
    """Decide which dimensions are the row and the columns: the two innermost ones of the walk."""
    summed = frozenset(range(len(shape)) if axes is None else axes)
    dims = [_Dim((a,), n, strides[a], a in summed) for a, n in enumerate(shape) if n != 1]
    ones = tuple(a for a, n in enumerate(shape) if n == 1)
    summed_dims = _innermost_first([d for d in dims if d.summed]) or [_Dim((), 1, 0, True)]
    kept_dims = [d for d in reversed(dims) if not d.summed]
    row, *others = _merge(summed_dims) + _merge(kept_dims)
    column = others[0] if others else _Dim((), 1, 0, False)
    lanes = _lanes(row, itemsize)

    # Rows and outer dimensions may be taken in any order: the array's own avoids a copy.
    taken = sorted(others if lanes else others[1:], key=lambda d: -d.stride)
    inner = [row] if lanes else [row, column]
    sums = taken if lanes else [*taken, *others[:1]]
    count = math.prod(d.size for d in taken)
    chained = [d for d in others if d.summed]
    walk = chained[::-1] + [d for d in others[::-1] if not d.summed]
    lone = lanes > 0 and not others
    return _Plan(
        order=ones + tuple(a for d in taken + inner for a in d.axes),
        shape=(row.size,) if lone else (count, *(d.size for d in inner)),
        lanes=lanes,
        group=_column_group(row, column, itemsize),
        copy=any(d.stride <= 0 for d in dims),
        sums=tuple(d.size for d in sums),
        walk=tuple(sums.index(d) for d in walk),
        chain=math.prod(d.size for d in chained),
        result=tuple(
            1 if a in summed else n for a, n in enumerate(shape) if keepdims or a not in summed
        ),
    )


def _lanes(row: _Dim, itemsize: int) -> int:
    """Lanes of a contiguous row; 0 where the row is to be summed as a column."""
    lanes = VECTOR_BYTES // itemsize
    return lanes if row.stride == itemsize and row.size >= lanes else 0


def _column_group(row: _Dim, column: _Dim, itemsize: int) -> int:
    """How many columns are summed at a time: four vectors, four numbers, or none."""
    lanes = VECTOR_BYTES // itemsize
    if column.stride == itemsize and column.size >= lanes:
        return UNROLL * lanes
    return 0 if row.stride < column.stride else UNROLL


def _innermost_first(dims: list[_Dim]) -> list[_Dim]:
    """Sort by stride: PyTorch's insertion sort, for which an expanded dimension (stride 0) fits
    anywhere and therefore stays where it is."""
    dims = dims[::-1]
    for i in range(1, len(dims)):
        at = i
        for j in range(i - 1, -1, -1):
            a, b = dims[j], dims[at]
            if a.stride == 0 or b.stride == 0:
                continue
            if (a.stride, a.size) > (b.stride, b.size):
                dims[j], dims[at] = b, a
                at = j
            elif a.stride < b.stride:
                break
    return dims


def outermost_first(like: Array) -> list[int]:
    """The dimensions of an array in the order in which a new array like it is laid out."""
    layout = zip(like.shape, like.strides, strict=True)
    dims = [_Dim((number,), *place, False) for number, place in enumerate(layout)]
    return [dim.axes[0] for dim in _innermost_first(dims)[::-1]]


def empty_as(like: Array, dtype: Any) -> Array:
    """An array in the shape of `like` for new values, with its dimensions in that order."""
    if 0 not in like.strides:
        return np.empty_like(like, dtype)
    order = outermost_first(like)
    memory = either.empty([like.shape[d] for d in order], like, dtype)
    return memory.transpose(np.argsort(order).tolist())


def _merge(dims: list[_Dim]) -> list[_Dim]:
    """Join neighbours (innermost first) that lie in memory as one dimension."""
    merged = dims[:1]
    for d in dims[1:]:
        inner = merged[-1]
        if inner.size * inner.stride == d.stride:
            merged[-1] = _Dim(d.axes + inner.axes, d.size * inner.size, inner.stride, d.summed)
        else:
            merged.append(d)
    return merged
