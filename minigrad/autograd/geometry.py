"""Where the elements of a tensor lie: its memory, and shape, strides and offset in it.

A view and its base show different parts of one memory. That is a NumPy array which owns it (the
`root`); places are counted in elements from its first one.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import either, gpu

Array = Any
Geometry = tuple[tuple[int, ...], tuple[int, ...], int]  # shape, strides and offset in elements


def geometries(tensor: Any) -> tuple[Geometry, Geometry]:
    """Where the base of a view lies, and the view, counted from whichever begins first."""
    base, view = tensor._view.base._array, tensor._array
    there, here = offset(base), offset(view)
    start = min(there, here)
    return (
        (base.shape, element_strides(base), there - start),
        (view.shape, element_strides(view), here - start),
    )


def offset(array: Array) -> int:
    """How many elements of its memory come before the first of `array`."""
    return int((address(array) - span(array)[0]) // array.itemsize)


def storage_offset(tensor: Any) -> int:
    """How many elements lie before the first of a view: in the memory that its base shows, or, if
    `view.data = other` gave it another memory, in that one."""
    if tensor._view is None:
        return 0
    base, view = tensor._view.base._array, tensor._array
    shared = root(base) is root(view)
    return offset(view) - offset(base) if shared else offset(view)


def root(array: Array) -> Array:
    """The array that owns the memory of `array`, or that came into NumPy from elsewhere."""
    base = owner = array
    while base is not None:  # what `as_strided` made has a base that is no array, but has one
        owner = base if gpu.is_array(base) else owner
        base = getattr(base, "base", None)
    return owner


def span(array: Array) -> tuple[int, int]:
    """The addresses of the first byte of the memory that `array` lies in, and after its last."""
    owner = root(array)
    return either.byte_bounds(owner) if owner.size else (address(array), address(array))


def overlap(a: Any, b: Any) -> str:
    """How much memory two tensors share: "none", "part" or "all" of it. As in PyTorch, tensors with
    gaps between their elements count as apart: telling would be hard."""
    one, other = a._array, b._array
    if a is b:
        return "all"
    if one.base is None and other.base is None and one is not other:
        return "none"
    if root(one) is not root(other) or not (_is_dense(one) and _is_dense(other)):
        return "none"
    (low, high), (start, end) = either.byte_bounds(one), either.byte_bounds(other)
    if (low, high) == (start, end):
        return "all" if _same_steps(one, other) else "part"
    return "part" if low < end and start < high else "none"


def _same_steps(one: Array, other: Array) -> bool:
    """Whether the strides are equal. A dimension of size 1 that NumPy put in has stride 0."""
    pairs = zip(one.strides, other.strides, one.shape, strict=False)
    return one.ndim == other.ndim and all(a == b or (n == 1 and 0 in (a, b)) for a, b, n in pairs)


def _is_dense(array: Array) -> bool:
    """Whether the elements fill a piece of the memory, in any order of dimensions."""
    steps = sorted((s, n) for s, n in zip(array.strides, array.shape, strict=True) if n > 1)
    expected = array.itemsize
    for step, size in steps:
        if step != expected:
            return False
        expected *= size
    return array.size > 0


def address(array: Array) -> int:
    """The address of the first element."""
    return int(
        array.data.ptr if hasattr(array.data, "ptr") else array.__array_interface__["data"][0]
    )


def element_strides(array: Array) -> tuple[int, ...]:
    """Strides in elements; those of an empty array are what they would be with sizes of 1."""
    if array.size:
        return tuple(s // array.itemsize for s in array.strides)
    sizes = [max(n, 1) for n in array.shape]
    return tuple(math.prod(sizes[i + 1 :]) for i in range(len(sizes)))


def copied_memory(array: Array, memo: dict[int, Any]) -> Array:
    """A copy of `array` for `copy.deepcopy`: arrays that share memory have copies that do."""
    owner, (low, high) = root(array), span(array)
    if id(owner) not in memo:
        step = owner.itemsize
        whole = either.as_strided(owner, ((high - low) // step,), (step,)).copy()
        memo[id(owner)] = whole.view(np.uint8)
    here = memo[id(owner)][address(array) - low :]
    return either.as_strided(here[: array.itemsize].view(array.dtype), array.shape, array.strides)
