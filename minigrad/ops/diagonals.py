"""Diagonals and triangles of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes, either, gpu, promotion
from ..autograd.inplace import view_op, write
from ..autograd.node import wrap
from ..autograd.out import into
from ..autograd.row import op
from ..device import memory_of
from .dims import wrap_dim
from .shape import reshape

Array = Any
Tensor = Any

# --- diagonals -----------------------------------------------------------------------------------


@op(
    "DiagonalBackwardBackward0",
    grad=lambda grad, offset, dim1, dim2, xp: xp.diagonal(grad, offset, dim1, dim2),
)
def diagonal_backward(
    grad: Array, shape: tuple[int, ...], offset: int, dim1: int, dim2: int
) -> Array:
    """Zeros of `shape` with `grad` on one of its diagonals."""
    out = either.zeros(shape, grad)
    diagonal_array(out, offset, dim1, dim2)[...] = grad
    return out


def diagonal_array(input: Array, offset: int, dim1: int, dim2: int) -> Array:
    """A diagonal as a view; NumPy's own may not be written."""
    out = input.diagonal(offset, dim1, dim2)
    if isinstance(input, np.ndarray) and input.flags.writeable:
        out.flags.writeable = True
    return out


def _back(grad: Any, input_shape: Any, offset: int, dim1: int, dim2: int, xp: Any) -> Any:
    return xp.diagonal_backward(grad, input_shape, offset, dim1, dim2)


@view_op("DiagonalBackward0", input=_back)
def _diagonal(input: Array, offset: int, dim1: int, dim2: int) -> Array:
    return diagonal_array(input, offset, dim1, dim2)


@op("DiagonalBackward0_copy", input=_back)
def _diagonal_copy(input: Array, offset: int, dim1: int, dim2: int) -> Array:
    return input.diagonal(offset, dim1, dim2).copy()


@op(
    "DiagEmbedBackward0",
    input=lambda grad, offset, dim1, dim2, xp: xp.diagonal(grad, offset, dim1, dim2),
)
def _diag_embed(input: Array, offset: int, dim1: int, dim2: int) -> Array:
    n = input.shape[-1] + abs(offset)
    out = either.zeros((*input.shape[:-1], n, n), input)
    diagonal_array(out, offset, -2, -1)[...] = input
    moved = np.moveaxis(out, (-2, -1), (dim1, dim2))
    return moved if moved.flags.c_contiguous else moved.copy("C")


def diag_embed_array(input: Array, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Array:
    return _diag_embed.forward(input, offset, dim1 % (input.ndim + 1), dim2 % (input.ndim + 1))


def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """A view of the diagonal of two dimensions, which becomes the last dimension; `offset` counts
    the diagonals upwards from the main one."""
    promotion.check_tensors("diagonal", input=input)
    return _diagonal(input, offset, *_two_dims(dim1, dim2, input._array.ndim))


def linalg_diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """`diagonal` of the last two dimensions."""
    return diagonal(A, offset, dim1, dim2)


def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Square matrices whose diagonals are the rows (the last dimension) of `input`."""
    promotion.check_tensors("diag_embed", input=input)
    dims = _two_dims(dim1, dim2, input._array.ndim + 1)
    wrap_dim(-1, input._array.ndim)
    return _diag_embed(input, offset, *dims)


def _two_dims(dim1: int, dim2: int, ndim: int) -> tuple[int, int]:
    first, second = wrap_dim(dim1, ndim), wrap_dim(dim2, ndim)
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return first, second


def diag(input: Tensor, diagonal: int = 0, *, out: Any = None) -> Tensor:
    """The matrix with a vector on its diagonal, or a copy of the diagonal of a matrix."""
    if out is not None:
        return into(out, diag, input, diagonal, exact=True)
    promotion.check_tensors("diag", input=input)
    ndim = input._array.ndim
    if ndim not in (1, 2):
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {ndim}D")
    return (_diag_embed if ndim == 1 else _diagonal_copy)(input, diagonal, 0, 1)


def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """The matrix with all elements of `input` on its diagonal."""
    promotion.check_tensors("diagflat", input=input)
    return _diag_embed(reshape(input, -1), offset, 0, 1)


@op(
    "TraceBackward0",
    input=lambda grad, input_shape, xp: xp.diagonal_backward(
        xp.expand(grad, (min(input_shape),)), input_shape, 0, 0, 1
    ),
)
def _trace(input: Array) -> Array:
    return either.as_array(input.trace(dtype=np.int64 if input.dtype.kind in "iu" else input.dtype))


def trace(input: Tensor) -> Tensor:
    """The sum of the diagonal of a matrix; of integers, as int64."""
    promotion.check_tensors("trace", input=input)
    array = input._array
    if array.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {array.ndim}")
    if array.dtype == bool:
        raise NotImplementedError("\"trace\" not implemented for 'Bool'")
    return _trace(input)


# --- triangles -----------------------------------------------------------------------------------


@op("TrilBackward0", input=lambda grad, diagonal, xp: xp.tril(grad, diagonal))
def _tril(input: Array, diagonal: int) -> Array:
    return np.tril(input, diagonal)


@op("TriuBackward0", input=lambda grad, diagonal, xp: xp.triu(grad, diagonal))
def _triu(input: Array, diagonal: int) -> Array:
    return np.triu(input, diagonal)


def tril(input: Tensor, diagonal: int = 0, *, out: Any = None) -> Tensor:
    """The lower triangles of matrices (up to the given diagonal); zeros elsewhere."""
    if out is not None:
        return into(out, tril, input, diagonal, exact=True)
    _matrices("tril", input)
    return _tril(input, diagonal)


def triu(input: Tensor, diagonal: int = 0, *, out: Any = None) -> Tensor:
    """The upper triangles of matrices (from the given diagonal on); zeros elsewhere."""
    if out is not None:
        return into(out, triu, input, diagonal, exact=True)
    _matrices("triu", input)
    return _triu(input, diagonal)


def tril_(input: Tensor, diagonal: int = 0) -> Tensor:
    """`tril` in place."""
    _matrices("tril", input)
    return write(_tril.row, (input, diagonal), _tril.forward(input._array, diagonal))


def triu_(input: Tensor, diagonal: int = 0) -> Tensor:
    """`triu` in place."""
    _matrices("triu", input)
    return write(_triu.row, (input, diagonal), _triu.forward(input._array, diagonal))


def _matrices(name: str, input: Any) -> None:
    promotion.check_tensors(name, input=input)
    if input._array.ndim < 2:
        raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")


def tril_indices(
    row: int,
    col: int,
    offset: int = 0,
    *,
    dtype: Any = None,
    device: Any = None,
    layout: Any = None,
) -> Tensor:
    """The indices (2, n) of the lower triangle of a `row` by `col` matrix, row by row."""
    below = np.tri(*_sizes(row, col), offset, dtype=bool)
    return _indices("tril_indices", below, dtype, device)


def triu_indices(
    row: int,
    col: int,
    offset: int = 0,
    *,
    dtype: Any = None,
    device: Any = None,
    layout: Any = None,
) -> Tensor:
    """The indices (2, n) of the upper triangle of a `row` by `col` matrix, row by row."""
    above = ~np.tri(*_sizes(row, col), offset - 1, dtype=bool)
    return _indices("triu_indices", above, dtype, device)


def _sizes(row: int, col: int) -> tuple[int, int]:
    for name, size in (("row", row), ("col", col)):
        if size < 0:
            raise RuntimeError(f"{name} must be non-negative, got{size}")
    return row, col


def _indices(name: str, mask: Array, dtype: Any, device: Any) -> Tensor:
    wanted = dtypes.int64 if dtype is None else dtype
    if wanted not in (dtypes.int64, dtypes.int32):
        kind = dtypes.scalar_name(wanted.numpy)
        raise NotImplementedError(f"\"{name}\" not implemented for '{kind}'")
    found = np.stack(np.nonzero(mask)).astype(wanted.numpy)
    return wrap(gpu.placed(found, memory_of(device)))
