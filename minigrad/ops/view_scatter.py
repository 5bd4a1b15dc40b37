"""Views as copies: a part of a Tensor (`narrow_copy`), and a whole Tensor in which other values stand
where a view would look (`select_scatter` and its kin)."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import either, promotion
from ..autograd import node as graph
from ..autograd.geometry import Geometry
from ..autograd.node import wrap
from ..autograd.out import into
from ..autograd.row import op
from .diagonals import _two_dims, diagonal_array
from .dims import wrap_dim
from .indexing import narrow
from .strided import _geometries, scatter_strided

Array = Any
Tensor = Any


def _kept(grad: Any, mask: Array, xp: Any) -> Any:
    """`grad` where the mask is True, and 0 elsewhere."""
    return xp.where(wrap(mask) if isinstance(grad, graph.Tensor) else mask, grad, 0.0)


def _outside(grad: Any, shape: Any, part: Any, *where: Any) -> Array:
    """True where a part, which is a function that returns a view, does not reach."""
    mask = either.full(tuple(shape), True, bool, getattr(grad, "_array", grad))
    part(mask, *where)[...] = False
    return mask


def _selected(array: Array, dim: int, index: int) -> Array:
    return array[(slice(None),) * dim + (index, ...)]


def _sliced(array: Array, dim: int, where: slice) -> Array:
    return array[(slice(None),) * dim + (where, ...)]


def _replaced(input: Array, src: Array, part: Any, *where: Any) -> Array:
    out = either.copied(input)
    part(out, *where)[...] = src
    return out


@op(
    "SelectScatterBackward0",
    input=lambda grad, dim, index, xp: _kept(
        grad, _outside(grad, grad.shape, _selected, dim, index), xp
    ),
    src=lambda grad, dim, index, xp: xp.select(grad, dim, index),
)
def _select_scatter(input: Array, src: Array, dim: int, index: int) -> Array:
    return _replaced(input, src, _selected, dim, index)


@op(
    "SliceScatterBackward0",
    input=lambda grad, dim, where, xp: _kept(
        grad, _outside(grad, grad.shape, _sliced, dim, where), xp
    ),
    src=lambda grad, dim, where, xp: xp.slice(grad, dim, where),
)
def _slice_scatter(input: Array, src: Array, dim: int, where: slice) -> Array:
    return _replaced(input, src, _sliced, dim, where)


@op(
    "DiagonalScatterBackward0",
    input=lambda grad, offset, dim1, dim2, xp: _kept(
        grad, _outside(grad, grad.shape, diagonal_array, offset, dim1, dim2), xp
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
    _has_dims("select", array)
    at = wrap_dim(dim, array.ndim)
    size = array.shape[at]
    if not -size <= index < size:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(array.shape)} at "
            f"dimension {at}"
        )
    _check_part(src, _selected(array, at, index))
    return _select_scatter(input, src, at, index % size)


def _has_dims(name: str, array: Array) -> None:
    if not array.ndim:
        raise IndexError(f"{name}() cannot be applied to a 0-dim tensor.")


def slice_scatter(
    input: Tensor, src: Tensor, dim: int = 0, start: int | None = None, end: int | None = None,
    step: int = 1, *, out: Any = None,
) -> Tensor:  # fmt: skip
    """A copy of `input` in which `src` stands at `start:end:step` of `dim`."""
    if out is not None:
        return into(out, slice_scatter, input, src, dim, start, end, step, exact=True)
    _has_dims("slice", input._array)
    at = wrap_dim(dim, input._array.ndim)
    if step <= 0:
        raise RuntimeError("slice step must be positive")
    first, last, _ = slice(start, end).indices(input._array.shape[at])
    where = slice(first, max(first, last), step)
    _check_part(src, _sliced(input._array, at, where))
    return _slice_scatter(input, src, at, where)


def _kept_strided(grad: Any, base: Geometry, view: Geometry, xp: Any) -> Any:
    """The gradient, but 0 where the view lies."""
    ones = either.full(view[0], True, bool, getattr(grad, "_array", grad))
    return _kept(grad, ~scatter_strided.forward(ones, base, view), xp)


@op(
    "AsStridedScatterBackward0",
    input=_kept_strided,
    src=lambda grad, base, view, xp: xp.gather_strided(grad, base, view),
)
def _as_strided_scatter(input: Array, src: Array, base: Geometry, view: Geometry) -> Array:
    out = either.copied(input)
    outside = ~scatter_strided.forward(either.full(view[0], True, bool, out), base, view)
    src = src.astype(out.dtype, copy=False)
    return np.where(outside, out, scatter_strided.forward(src, base, view))


def as_strided_scatter(
    input: Tensor, src: Tensor, size: Any, stride: Any, storage_offset: int | None = None, *,
    out: Any = None,
) -> Tensor:  # fmt: skip
    """A copy of `input` in which `src` stands where `as_strided` would look."""
    if out is not None:
        return into(out, as_strided_scatter, input, src, size, stride, storage_offset, exact=True)
    base, view = _geometries(input, size, stride, storage_offset)
    _check_part(src, either.empty(view[0], input._array))
    return _as_strided_scatter(input, src, base, view)


def diagonal_scatter(
    input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1
) -> Tensor:
    """A copy of `input` in which `src` stands on a diagonal."""
    where = (offset, *_two_dims(dim1, dim2, input._array.ndim))
    _check_part(src, diagonal_array(input._array, *where))
    return _diagonal_scatter(input, src, *where)


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
