"""Windows on the memory: `unfold` and `as_strided`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import either
from ..autograd.geometry import Geometry, address, element_strides, root, span
from ..autograd.inplace import view_op
from ..autograd.row import op
from .dims import size_of, wrap_dim
from .shape_in_place import _changed

Array = Any
Tensor = Any

# --- windows -------------------------------------------------------------------------------------


@view_op(
    "UnfoldBackward0",
    input=lambda grad, input_shape, dim, size, step, xp: xp.unfold_backward(
        grad, input_shape, dim, size, step
    ),
)
def _unfold(input: Array, dim: int, size: int, step: int) -> Array:
    if not input.ndim:
        return input.reshape(1)[:size]
    count = (input.shape[dim] - size) // step + 1
    shape = (*input.shape[:dim], count, *input.shape[dim + 1 :], size)
    strides = list(input.strides)
    strides[dim] *= step
    return either.as_strided(input, shape, (*strides, input.strides[dim]))


@op(
    "UnfoldBackwardBackward0",
    grad=lambda grad, dim, size, step, xp: xp.unfold(grad, dim, size, step),
)
def unfold_backward(grad: Array, shape: tuple[int, ...], dim: int, size: int, step: int) -> Array:
    """Zeros of `shape` to which the windows of `grad` are added where they lie."""
    if not shape:
        return grad.sum()
    out = either.zeros(shape, grad)
    count = grad.shape[dim]
    for i in range(size):
        where = slice(i, i + step * (count - 1) + 1, step)
        out[(slice(None),) * dim + (where,)] += grad[..., i]
    return out


def unfold(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """A view of all windows of `size` elements along a dimension, one every `step`; the windows
    are the last dimension of the result."""
    ndim = input._array.ndim
    at = wrap_dim(dimension, ndim)
    most = input._array.shape[at] if ndim else 1
    if size < 0:
        raise RuntimeError(f"size is {size} but must be >= 0")
    if size > most:
        raise RuntimeError(
            f"maximum size for tensor at dimension {at} is {most} but size is {size}"
        )
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    return _unfold(input, at, size, step)


@view_op(
    "AsStridedBackward0", input=lambda grad, base, view, xp: xp.scatter_strided(grad, base, view)
)
def _as_strided(input: Array, base: Geometry, view: Geometry) -> Array:
    return _window(input, view)


@op("AsStridedBackward1", input=lambda grad, base, view, xp: xp.scatter_strided(grad, base, view))
def _as_strided_in_place(input: Array, base: Geometry, view: Geometry) -> Array:
    return _window(input, view)


def _window(array: Array, view: Geometry) -> Array:
    """What lies in the memory of `array` at these places."""
    (size, stride, offset), (low, high) = view, span(array)
    owner = root(array)
    bytes_ = either.as_strided(owner, ((high - low) // owner.itemsize,), (owner.itemsize,))
    row = bytes_.view(array.dtype)
    return either.as_strided(row[offset:], size, [s * array.itemsize for s in stride])


def as_strided(input: Tensor, size: Any, stride: Any, storage_offset: int | None = None) -> Tensor:
    """A view of the memory under `input`, with this shape, steps between neighbours, and start, all
    counted in elements. Elements may overlap; their gradients add up."""
    return _as_strided(input, *_geometries(input, size, stride, storage_offset))


def as_strided_(input: Tensor, size: Any, stride: Any, storage_offset: int | None = None) -> Tensor:
    """`as_strided` in place."""
    return _changed(_as_strided_in_place, input, *_geometries(input, size, stride, storage_offset))


def _geometries(
    input: Tensor, size: Any, stride: Any, offset: int | None
) -> tuple[Geometry, Geometry]:
    """Where the input lies in its memory, and where the result is to lie."""
    array = input._array
    low, high = span(array)
    here = (array.shape, element_strides(array), (address(array) - low) // array.itemsize)
    shape, steps = size_of([size]), size_of([stride])
    start = here[2] if offset is None else offset
    if len(shape) != len(steps):
        raise RuntimeError("mismatch in length of strides and shape")
    if min(steps, default=0) < 0:
        raise RuntimeError(
            f"as_strided: Negative strides are not supported at the moment, got strides: {list(steps)}"
        )
    last = start + sum((n - 1) * s for n, s in zip(shape, steps, strict=True)) + 1
    if 0 not in shape and last * array.itemsize > high - low:
        raise RuntimeError(
            f"setStorage: sizes {list(shape)}, strides {list(steps)}, storage offset {start}, and "
            f"itemsize {array.itemsize} requiring a storage size of {last * array.itemsize} are out of "
            f"bounds for storage of size {high - low}"
        )
    return here, (shape, steps, start)


# --- windows as copies: the gradients of `as_strided` --------------------------------------------


def _laid_out(buffer: Array, geometry: Geometry, start: int = 0) -> Array:
    shape, strides, offset = geometry
    steps = [s * buffer.itemsize for s in strides]
    return either.as_strided(buffer[offset - start :], shape, steps)


def _buffer(like: Array, *geometries: Geometry) -> Array:
    ends = [
        offset + 1 + sum((n - 1) * s for n, s in zip(shape, strides, strict=True))
        if math.prod(shape)
        else 1
        for shape, strides, offset in geometries
    ]
    return either.zeros(max(ends), like)


@op("AsStridedBackward0", input=lambda grad, base, view, xp: xp.scatter_strided(grad, base, view))
def gather_strided(input: Array, base: Geometry, view: Geometry) -> Array:
    """The part `view` of an input that lies in memory as `base` says; a copy."""
    buffer = _buffer(input, base, view)
    if _overlaps(base):
        either.at(np.add, buffer, _places(buffer, base), input)
        buffer = (buffer / np.maximum(_counts(buffer, base), 1)).astype(buffer.dtype)
    else:
        _laid_out(buffer, base)[...] = input
    return _laid_out(buffer, view).copy()


def _overlaps(geometry: Geometry) -> bool:
    """Whether two elements may lie in one place."""
    steps = sorted((s, n) for s, n in zip(geometry[1], geometry[0], strict=True) if n > 1)
    reach = 0
    for step, size in steps:
        if step <= reach:
            return True
        reach += step * (size - 1)
    return False


def _places(buffer: Array, geometry: Geometry) -> Array:
    """Where in `buffer` each element lies."""
    return _laid_out(np.arange(buffer.size, like=buffer), geometry)


def _counts(buffer: Array, geometry: Geometry) -> Array:
    """How many elements lie in each place of `buffer`."""
    return np.bincount(_places(buffer, geometry).reshape(-1), minlength=buffer.size)


@op(
    "AsStridedScatterBackward0",
    input=lambda grad, base, view, xp: xp.gather_strided(grad, base, view),
)
def scatter_strided(input: Array, base: Geometry, view: Geometry) -> Array:
    """Zeros in the shape of `base` with `input` added where `view` lies in it; elements of `base`
    that lie in one place share the sum."""
    buffer = _buffer(input, base, view)
    if _overlaps(view):
        either.at(np.add, buffer, _places(buffer, view), input)
    else:
        target = _laid_out(buffer, view)
        target[...] = input
    out = _laid_out(buffer, base)
    if _overlaps(base):
        out = (out / _laid_out(_counts(buffer, base), base)).astype(out.dtype)
    return out
