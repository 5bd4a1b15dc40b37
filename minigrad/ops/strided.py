"""Windows on the memory (`unfold`, `as_strided`), shapes changed in place, and values put into a
part of a copy (`select_scatter` and its kin)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided as strided_array

from .. import promotion
from ..autograd.inplace import (
    Geometry,
    _before_write,
    _move_retained,
    address,
    begin_write,
    element_strides,
    view_op,
)
from ..autograd.node import record, wrap
from ..autograd.out import into
from ..autograd.row import Op, op
from .diagonals import _two_dims, diagonal_array
from .dims import size_of, wrap_dim
from .indexing import narrow
from .memory import root, span
from .shape import _drop_ones, _joined, pieces, scatter_strided, split

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
    return strided_array(input, shape, (*strides, input.strides[dim]))


@op(
    "UnfoldBackwardBackward0",
    grad=lambda grad, dim, size, step, xp: xp.unfold(grad, dim, size, step),
)
def unfold_backward(grad: Array, shape: tuple[int, ...], dim: int, size: int, step: int) -> Array:
    """Zeros of `shape` to which the windows of `grad` are added where they lie."""
    if not shape:
        return grad.sum()
    out = np.zeros(shape, grad.dtype)
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
    bytes_ = strided_array(owner, ((high - low) // owner.itemsize,), (owner.itemsize,))
    row = bytes_.view(array.dtype)
    return strided_array(row[offset:], size, [s * array.itemsize for s in stride])


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


# --- shapes changed in place ---------------------------------------------------------------------


def _changed(change: Op, input: Tensor, *args: Any) -> Tensor:
    """`input` itself in another shape: its memory stays, its version rises."""
    recording = begin_write(input)
    before, edge = _before_write(change.row, input), input._edge
    input._array = change.forward(input._array, *args)
    if recording:
        record(change.row, [before, *args], [input])
        _move_retained(edge, input)
    input._bump_version()
    if input._view is not None:
        input._view.version = input._version_counter[0]
    return input


def _same_elements(grad: Any, input_shape: Any, xp: Any) -> Any:
    return xp.reshape(grad, input_shape)


@op("SqueezeBackward3", input=_same_elements)
def _squeeze_all(input: Array) -> Array:
    return _drop_ones(input, range(input.ndim))


@op("SqueezeBackward4", input=_same_elements)
def _squeeze_dim(input: Array, dim: int) -> Array:
    return _drop_ones(input, [dim])


@op("SqueezeBackward5", input=_same_elements)
def _squeeze_dims(input: Array, dims: tuple[int, ...]) -> Array:
    return _drop_ones(input, dims)


@op("UnsqueezeBackward1", input=_same_elements)
def _unsqueeze(input: Array, dim: int) -> Array:
    return np.expand_dims(input, dim)


@op("TBackward1", input=lambda grad, xp: xp.t(grad))
def _t(input: Array) -> Array:
    return input.T


@op(
    "TransposeBackward1",
    input=lambda grad, dim0, dim1, xp: xp.transpose(grad, dim0, dim1) if grad.ndim else grad,
)
def _transpose(input: Array, dim0: int, dim1: int) -> Array:
    return input.swapaxes(dim0, dim1) if input.ndim else input


def squeeze_(input: Tensor, dim: Any = None) -> Tensor:
    """`squeeze` in place."""
    ndim = input._array.ndim
    if dim is None:
        return _changed(_squeeze_all, input)
    if isinstance(dim, (list, tuple)):
        return _changed(_squeeze_dims, input, tuple(wrap_dim(d, ndim) for d in dim))
    return _changed(_squeeze_dim, input, wrap_dim(dim, ndim))


def unsqueeze_(input: Tensor, dim: int) -> Tensor:
    """`unsqueeze` in place."""
    return _changed(_unsqueeze, input, wrap_dim(dim, input._array.ndim + 1))


def t_(input: Tensor) -> Tensor:
    """`t` in place."""
    ndim = input._array.ndim
    if ndim > 2:
        raise RuntimeError(f"t_() expects a tensor with <= 2 dimensions, but self is {ndim}D")
    return _changed(_t, input)


def transpose_(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """`transpose` in place."""
    ndim = input._array.ndim
    return _changed(_transpose, input, wrap_dim(dim0, ndim), wrap_dim(dim1, ndim))


def swapdims_(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """`swapdims` in place."""
    return transpose_(input, dim0, dim1)


def swapaxes_(input: Tensor, axis0: int, axis1: int) -> Tensor:
    """`swapaxes` in place."""
    return transpose_(input, axis0, axis1)


# --- a part of a copy ----------------------------------------------------------------------------


def _kept(grad: Any, mask: Array, xp: Any) -> Any:
    """`grad` where the mask is True, and 0 elsewhere."""
    return xp.where(mask if isinstance(grad, (np.ndarray, np.generic)) else wrap(mask), grad, 0.0)


def _outside(shape: Any, part: Any, *where: Any) -> Array:
    """True where a part, which is a function that returns a view, does not reach."""
    mask = np.ones(tuple(shape), bool)
    part(mask, *where)[...] = False
    return mask


def _selected(array: Array, dim: int, index: int) -> Array:
    return array[(slice(None),) * dim + (index, ...)]


def _sliced(array: Array, dim: int, where: slice) -> Array:
    return array[(slice(None),) * dim + (where, ...)]


def _replaced(input: Array, src: Array, part: Any, *where: Any) -> Array:
    out = np.array(input, order="C")
    part(out, *where)[...] = src
    return out


@op(
    "SelectScatterBackward0",
    input=lambda grad, dim, index, xp: _kept(grad, _outside(grad.shape, _selected, dim, index), xp),
    src=lambda grad, dim, index, xp: xp.select(grad, dim, index),
)
def _select_scatter(input: Array, src: Array, dim: int, index: int) -> Array:
    return _replaced(input, src, _selected, dim, index)


@op(
    "SliceScatterBackward0",
    input=lambda grad, dim, where, xp: _kept(grad, _outside(grad.shape, _sliced, dim, where), xp),
    src=lambda grad, dim, where, xp: xp.slice(grad, dim, where),
)
def _slice_scatter(input: Array, src: Array, dim: int, where: slice) -> Array:
    return _replaced(input, src, _sliced, dim, where)


@op(
    "DiagonalScatterBackward0",
    input=lambda grad, offset, dim1, dim2, xp: _kept(
        grad, _outside(grad.shape, diagonal_array, offset, dim1, dim2), xp
    ),
    src=lambda grad, offset, dim1, dim2, xp: xp.diagonal(grad, offset, dim1, dim2),
)
def _diagonal_scatter(input: Array, src: Array, offset: int, dim1: int, dim2: int) -> Array:
    return _replaced(input, src, diagonal_array, offset, dim1, dim2)


def _check_part(src: Tensor, part: Array) -> None:
    if src._array.shape != part.shape:
        raise RuntimeError(
            "expected src to have a size equal to the slice of self. src size = "
            f"{list(src._array.shape)}, slice size = {list(part.shape)}"
        )


def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """A copy of `input` in which `src` stands at position `index` of `dim`."""
    array = input._array
    at = wrap_dim(dim, array.ndim)
    size = array.shape[at] if array.ndim else 0
    if not -size <= index < size:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(array.shape)} at "
            f"dimension {at}"
        )
    _check_part(src, _selected(array, at, index))
    return _select_scatter(input, src, at, index % size)


def slice_scatter(
    input: Tensor, src: Tensor, dim: int = 0, start: int | None = None, end: int | None = None,
    step: int = 1, *, out: Any = None,
) -> Tensor:  # fmt: skip
    """A copy of `input` in which `src` stands at `start:end:step` of `dim`."""
    if out is not None:
        return into(out, slice_scatter, input, src, dim, start, end, step, exact=True)
    at = wrap_dim(dim, input._array.ndim)
    if step <= 0:
        raise RuntimeError("slice step must be positive")
    first, last, _ = slice(start, end).indices(input._array.shape[at])
    where = slice(first, max(first, last), step)
    _check_part(src, _sliced(input._array, at, where))
    return _slice_scatter(input, src, at, where)


def _kept_strided(grad: Any, base: Geometry, view: Geometry, xp: Any) -> Any:
    """The gradient, but 0 where the view lies."""
    ones = np.ones(view[0], bool)
    return _kept(grad, ~scatter_strided.forward(ones, base, view), xp)


@op(
    "AsStridedScatterBackward0",
    input=_kept_strided,
    src=lambda grad, base, view, xp: xp.gather_strided(grad, base, view),
)
def _as_strided_scatter(input: Array, src: Array, base: Geometry, view: Geometry) -> Array:
    out = input.copy()
    outside = ~scatter_strided.forward(np.ones(view[0], bool), base, view)
    return np.where(outside, out, scatter_strided.forward(src, base, view))


def as_strided_scatter(
    input: Tensor, src: Tensor, size: Any, stride: Any, storage_offset: int | None = None, *,
    out: Any = None,
) -> Tensor:  # fmt: skip
    """A copy of `input` in which `src` stands where `as_strided` would look."""
    if out is not None:
        return into(out, as_strided_scatter, input, src, size, stride, storage_offset, exact=True)
    base, view = _geometries(input, size, stride, storage_offset)
    _check_part(src, np.empty(view[0], input._array.dtype))
    return _as_strided_scatter(input, src, base, view)


def diagonal_scatter(
    input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1
) -> Tensor:
    """A copy of `input` in which `src` stands on a diagonal."""
    where = (offset, *_two_dims(dim1, dim2, input._array.ndim))
    _check_part(src, diagonal_array(input._array, *where))
    return _diagonal_scatter(input, src, *where)


# --- copies of pieces ----------------------------------------------------------------------------


@op(
    "NarrowCopyBackward0",
    input=lambda grad, input_shape, dim, where, xp: xp.slice_backward(
        grad, input_shape, dim, where
    ),
)
def _narrow_copy(input: Array, dim: int, where: slice) -> Array:
    return _sliced(input, dim, where).copy("C")


def narrow_copy(input: Tensor, dim: int, start: int, length: int, *, out: Any = None) -> Tensor:
    """`narrow` as a copy."""
    if out is not None:
        return into(out, narrow_copy, input, dim, start, length, exact=True)
    promotion.check_tensors("narrow_copy", input=input)
    if dim >= input._array.ndim:
        raise RuntimeError(f"Expected dim < {input._array.ndim}, but got {dim}")
    narrow(input.detach(), dim, start, length)  # for its errors
    at = wrap_dim(dim, input._array.ndim)
    begin = start % input._array.shape[at] if start < 0 else start
    return _narrow_copy(input, at, slice(begin, begin + length, 1))


def _pieces_formula(grads: Any, input_shape: Any, sizes: Any, dim: int, xp: Any) -> Any:
    return _joined(grads, input_shape, sizes, dim, xp)


@op("UnsafeSplitBackward0", input=_pieces_formula)
def _unsafe_split(input: Array, sizes: Any, dim: int) -> tuple[Array, ...]:
    return tuple(pieces(input, sizes, dim))


@op("UnsafeSplitWithSizesBackward0", input=_pieces_formula)
def _unsafe_split_with_sizes(input: Array, sizes: Any, dim: int) -> tuple[Array, ...]:
    return tuple(pieces(input, sizes, dim))


def _sizes_of_split(tensor: Tensor, split_size: Any, dim: int) -> tuple[tuple[int, ...], int]:
    """The sizes of the pieces of `split`, and the dimension from the front."""
    at = wrap_dim(dim, tensor._array.ndim)
    return tuple(p._array.shape[at] for p in split(tensor.detach(), split_size, dim)), at


def unsafe_split(tensor: Tensor, split_size: int, dim: int = 0) -> tuple[Tensor, ...]:
    """`split` whose pieces count as tensors of their own: an in-place change of one of them is
    allowed, and goes unnoticed by the others."""
    return _unsafe_split(tensor, *_sizes_of_split(tensor, split_size, dim))  # type: ignore[no-any-return]


def unsafe_split_with_sizes(input: Tensor, split_sizes: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """`split_with_sizes` whose pieces count as tensors of their own."""
    return _unsafe_split_with_sizes(input, *_sizes_of_split(input, list(split_sizes), dim))  # type: ignore[no-any-return]


def unsafe_chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """`chunk` whose pieces count as tensors of their own."""
    total = input._array.shape[wrap_dim(dim, input._array.ndim)]
    return unsafe_split(input, max(1, -(-total // chunks)), dim)


def split_with_sizes(input: Tensor, split_sizes: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of `input` cut along `dim` into pieces of these sizes."""
    return split(input, list(split_sizes), dim)
