"""Tensors put together and cut apart in other ways than `cat` and `split`: stacks, grids, pieces."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from .. import either, promotion
from ..autograd import node as graph
from ..autograd.node import wrap
from ..autograd.out import into
from ..autograd.row import op
from ..dtypes import scalar_name
from .dims import wrap_dim
from .indexing import _slice
from .masking import masked_select
from .pieces import _list_of_tensors, cat, stack
from .shape import expand, flatten, reshape, unsqueeze, view

Array = Any
Tensor = Any

concat = concatenate = cat


def _several(name: str, tensors: Sequence[Any]) -> list[Tensor]:
    """`f(a, b)`, `f((a, b))` and `f([a, b])` mean the same."""
    if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)):
        tensors = tensors[0]
    return _list_of_tensors(name, tensors)


def _each(rank: int, tensors: Sequence[Any]) -> Any:
    if len(tensors) == 1 and isinstance(tensors[0], graph.Tensor):
        return _at_least(rank, tensors[0])
    return tuple(_at_least(rank, t) for t in _several(f"atleast_{rank}d", tensors))


def _at_least(rank: int, tensor: Tensor) -> Tensor:
    """`tensor` with dimensions of size 1 put in front, and as the third dimension."""
    ndim = tensor._array.ndim
    if ndim >= rank:
        return tensor
    if not ndim:
        return view(tensor, (1,) * rank)
    if ndim == 1:
        tensor = unsqueeze(tensor, 0)
    return unsqueeze(tensor, -1) if rank == 3 else tensor


def atleast_1d(*tensors: Any) -> Any:
    """Scalars as vectors of one element; a tuple if there are several."""
    return _each(1, tensors)


def atleast_2d(*tensors: Any) -> Any:
    """Vectors as matrices of one row; a tuple if there are several."""
    return _each(2, tensors)


def atleast_3d(*tensors: Any) -> Any:
    """Vectors as (1, n, 1), matrices as (n, m, 1); a tuple if there are several."""
    return _each(3, tensors)


# --- stacks --------------------------------------------------------------------------------------


def hstack(tensors: Sequence[Tensor], *, out: Any = None) -> Tensor:
    """The tensors side by side: along dimension 1, or 0 if they are vectors."""
    if out is not None:
        return into(out, hstack, tensors)
    rows = [_at_least(1, t) for t in _non_empty("hstack", tensors)]
    return cat(rows, 0 if rows[0]._array.ndim == 1 else 1)


def vstack(tensors: Sequence[Tensor], *, out: Any = None) -> Tensor:
    """The tensors one below the other: vectors are rows."""
    if out is not None:
        return into(out, vstack, tensors)
    return cat([_at_least(2, t) for t in _non_empty("vstack", tensors)], 0)


row_stack = vstack


def dstack(tensors: Sequence[Tensor], *, out: Any = None) -> Tensor:
    """The tensors one behind the other: along dimension 2."""
    if out is not None:
        return into(out, dstack, tensors)
    return cat([_at_least(3, t) for t in _non_empty("dstack", tensors)], 2)


def column_stack(tensors: Sequence[Tensor], *, out: Any = None) -> Tensor:
    """The tensors side by side: vectors are columns."""
    if out is not None:
        return into(out, column_stack, tensors)
    columns = [
        reshape(t, (t._array.size, 1)) if t._array.ndim < 2 else t
        for t in _non_empty("column_stack", tensors)
    ]
    return cat(columns, 1)


def _non_empty(name: str, tensors: Sequence[Tensor]) -> list[Tensor]:
    given = _list_of_tensors(name, tensors)
    if not given:
        raise RuntimeError(f"{name} expects a non-empty TensorList")
    return given


def _blocks(shapes: Sequence[tuple[int, ...]]) -> list[tuple[slice, slice]]:
    """Where each matrix lies in the block diagonal one; a vector is a row."""
    places, row, column = [], 0, 0
    for shape in shapes:
        height, width = ((1, 1) + tuple(shape))[-2:]
        places.append((slice(row, row + height), slice(column, column + width)))
        row, column = row + height, column + width
    return places


@op(
    "BlockDiagBackward0",
    tensors=lambda grad, tensors_shape, xp: [
        xp.reshape(grad[place], shape)
        for place, shape in zip(_blocks(tensors_shape), tensors_shape, strict=True)
    ],
)
def _block_diag(tensors: list[Array]) -> Array:
    arrays = promotion.promoted(tensors)
    places = _blocks([a.shape for a in arrays])
    out = either.zeros((places[-1][0].stop, places[-1][1].stop), arrays[0])
    for array, place in zip(arrays, places, strict=True):
        out[place] = array
    return out


def block_diag(*tensors: Any) -> Tensor:
    """The matrix with these matrices (vectors are rows) along its diagonal, and zeros elsewhere."""
    given = _several("block_diag", tensors)
    for number, tensor in enumerate(given):
        if tensor._array.ndim > 2:
            raise RuntimeError(
                "torch.block_diag: Input tensors must have 2 or fewer dimensions. Input "
                f"{number} has {tensor._array.ndim} dimensions"
            )
    return _block_diag(given) if given else wrap(np.zeros((1, 0), np.float32))


# --- grids ---------------------------------------------------------------------------------------


def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Tensor, ...]:
    """The coordinates of all points of a grid: for each vector a view that varies along its own
    dimension. With `indexing="xy"` the first two dimensions are exchanged."""
    vectors = _several("meshgrid", tensors)
    if not vectors:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    for vector in vectors:
        if vector._array.ndim > 1:
            raise RuntimeError(
                "torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: "
                f"{list(vector._array.shape)}"
            )
        if vector._array.dtype != vectors[0]._array.dtype:
            raise RuntimeError("meshgrid expects all tensors to have the same dtype")
    if indexing not in (None, "ij", "xy"):
        raise RuntimeError(
            f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}'
        )
    dims = list(range(len(vectors)))
    if indexing == "xy" and len(dims) > 1:
        dims[0], dims[1] = 1, 0
    shape = [vectors[d]._array.size for d in dims]
    return tuple(
        expand(view(v, [-1 if i == dims[d] else 1 for i in range(len(dims))]), shape)
        for d, v in enumerate(vectors)
    )


def cartesian_prod(*tensors: Any) -> Tensor:
    """All combinations of one element of each vector, as the rows of a matrix."""
    vectors = _several("cartesian_prod", tensors)
    for vector in vectors:
        if vector._array.ndim != 1:
            raise RuntimeError(f"Expect a 1D vector, but got shape {list(vector._array.shape)}")
    if len(vectors) == 1:
        return vectors[0]
    return stack([flatten(grid) for grid in meshgrid(vectors, indexing="ij")], 1)


def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """All choices of `r` elements of a vector, in order, as the rows of a matrix."""
    promotion.check_tensors("combinations", input=input)
    if input._array.ndim != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {list(input._array.shape)}")
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    if not r:
        return wrap(either.empty(0, input._array))
    places = np.indices((input._array.size,) * r)
    before, after = places[:-1], places[1:]
    chosen = (before <= after if with_replacement else before < after).all(axis=0)
    mask = wrap(np.asarray(chosen, like=input._array))
    grids = meshgrid([input] * r, indexing="ij")
    return stack([masked_select(grid, mask) for grid in grids], 1)


# --- pieces --------------------------------------------------------------------------------------


def tensor_split(input: Tensor, indices_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of `input` cut along `dim`: into so many pieces (the first ones may be larger by one),
    or before each of the positions given."""
    promotion.check_tensors("tensor_split", input=input)
    ndim = input._array.ndim
    if not ndim:
        raise RuntimeError(
            "tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims"
        )
    at = wrap_dim(dim, ndim)
    size, wanted = input._array.shape[at], _numbers(indices_or_sections)
    if isinstance(wanted, int):
        if wanted <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {wanted}")
        least, larger = divmod(size, wanted)
        wanted = [least * i + min(i, larger) for i in range(1, wanted)]
    edges = [0, *wanted, size]
    return tuple(_between(input, at, a, b) for a, b in pairwise(edges))


def _between(input: Tensor, dim: int, start: int, stop: int) -> Tensor:
    first, last, _ = slice(start, stop).indices(input._array.shape[dim])
    return _slice(input, dim, slice(first, max(first, last), 1))


def _numbers(value: Any) -> Any:
    """Sections or positions as an int or a list of them."""
    if isinstance(value, graph.Tensor):
        if value._array.dtype != np.int64:
            kind = scalar_name(value._array.dtype)
            raise RuntimeError(
                "tensor_split expected tensor_indices_or_sections to have dtype of long, but got "
                f"{kind}"
            )
        if value._array.ndim > 1:
            raise RuntimeError(
                "tensor_split expected tensor_indices_or_sections to be a zero-dimensional or "
                f"one-dimensional tensor, but got a tensor with {value._array.ndim} dims"
            )
        return value._array.tolist()
    if isinstance(value, (list, tuple)):
        return [operator.index(v) for v in value]
    return operator.index(value)


def _cut(name: str, rank: int, input: Tensor, wanted: Any, dim: int) -> tuple[Tensor, ...]:
    promotion.check_tensors(name, input=input)
    shape = input._array.shape
    if len(shape) < rank:
        raise RuntimeError(
            f"torch.{name} requires a tensor with at least {rank} dimension, but got a tensor with "
            f"{len(shape)} dimensions!"
        )
    if isinstance(wanted, int) and (not wanted or shape[dim] % wanted):
        raise RuntimeError(
            f"torch.{name} attempted to split along dimension {dim}, but the size of the dimension "
            f"{shape[dim]} is not divisible by the split_size {wanted}!"
        )
    return tensor_split(input, wanted, dim)


def hsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """`tensor_split` along dimension 1, or 0 of a vector; sections must be of one size."""
    return _cut("hsplit", 1, input, indices_or_sections, 0 if input._array.ndim == 1 else 1)


def vsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """`tensor_split` along dimension 0; sections must be of one size."""
    return _cut("vsplit", 2, input, indices_or_sections, 0)


def dsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """`tensor_split` along dimension 2; sections must be of one size."""
    return _cut("dsplit", 3, input, indices_or_sections, 2)
