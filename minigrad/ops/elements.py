"""Single elements by number: `take`, `put` and `index_put`."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import either
from ..autograd import node as graph
from ..autograd.row import op
from ..dtypes import scalar_name
from .gathering import into_other
from .gathering import written as _written
from .indexed import _check_tensor
from .indexing import INDEX_DTYPES, _index_put, check_index, check_put, dimensions_of
from .indexing import put as put_at

Array = Any
Tensor = Any


def take_array(input: Array, index: Array) -> Array:
    return input.reshape(-1)[index].reshape(index.shape)


def put_array(input: Array, index: Array, source: Array, accumulate: bool) -> Array:
    out = either.copied(input)
    if accumulate:
        either.at(np.add, out.reshape(-1), index.reshape(-1), source.reshape(-1))
    else:
        out.reshape(-1)[index.reshape(-1)] = source.reshape(-1)
    return out


@op(
    "TakeBackward0",
    input=lambda grad, input_shape, index, xp: xp.put(
        xp.zeros_shaped(input_shape, grad), index, grad, True
    ),
)
def _take(input: Array, index: Array) -> Array:
    return take_array(input, index)


@op(
    "PutBackward0",
    input=lambda grad, index, source_shape, accumulate, xp: (
        grad if accumulate else xp.put(grad, index, xp.zeros_shaped(source_shape, grad), False)
    ),
    source=lambda grad, index, source_shape, xp: xp.reshape(xp.take(grad, index), source_shape),
)
def _put(input: Array, index: Array, source: Array, accumulate: bool) -> Array:
    return put_array(input, index, source, accumulate)


def index_put(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """A copy of `input` in which `copy[indices] = values`; with `accumulate`, the values are added,
    once per occurrence. `indices`: a tuple of Tensors."""
    where = _checked_indices("index_put", input, indices, values)
    check_put(input, where, values)
    return _index_put(input, values, where, accumulate)


def index_put_(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """`index_put` in place."""
    where = _checked_indices("index_put_", input, indices, values)
    return put_at(input, where, values, accumulate)


def _checked_indices(name: str, input: Tensor, indices: Any, values: Any) -> list[Tensor | None]:
    if not isinstance(indices, (tuple, list)):
        kind = type(indices).__name__
        raise TypeError(
            f"{name}(): argument 'indices' (position 1) must be tuple of Tensors, not {kind}"
        )
    _check_tensor(name, "values", values, 2)
    dim = 0
    for number, index in enumerate(indices):
        if not isinstance(index, graph.Tensor):
            kind = type(index).__name__
            raise TypeError(f"expected Tensor as element {number} in argument 1, but got {kind}")
        if index._array.dtype.name not in INDEX_DTYPES:
            raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
        if dim >= input._array.ndim:
            raise IndexError(
                f"too many indices for tensor of dimension {input._array.ndim} (got {len(indices)})"
            )
        check_index(index._array, input._array.shape, dim, number)
        dim += dimensions_of(index)
    return list(indices)


def take(input: Tensor, index: Tensor, *, out: Any = None) -> Tensor:
    """The elements that `index` counts in row-major order, in the shape of `index`."""
    if out is not None:
        return into_other(out, take, input, index)
    _check_tensor("take", "index", index, 1)
    _check_single("take()", input, index)
    return _take(input, index)


def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """A copy of `input` with the elements of `source` written where `index` counts, or added."""
    _check_source(input, index, source)
    return _put(input, index, source, accumulate)


def put_(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """`put` in place."""
    _check_source(input, index, source)
    return _written(_put, input, index, source, accumulate)


def _check_source(input: Tensor, index: Tensor, source: Tensor) -> None:
    _check_tensor("put_", "index", index, 1)
    _check_tensor("put_", "source", source, 2)
    a, b = input._array, source._array
    if index._array.size != b.size:
        raise IndexError(
            "put_(): Expected source and index to have the same number of elements, but got "
            f"source.numel() = {b.size}, index.numel() = {index._array.size}"
        )
    if a.dtype != b.dtype:
        raise RuntimeError(
            "put_(): self and source expected to have the same dtype, but got self.dtype = "
            f"{scalar_name(a.dtype)} and source.dtype = {scalar_name(b.dtype)}"
        )
    _check_single("put_()", input, index)


def _check_single(name: str, input: Tensor, index: Tensor) -> None:
    where, size = index._array, input._array.size
    if where.dtype != np.int64:
        kind = scalar_name(where.dtype)
        raise RuntimeError(f"{name}: Expected a long tensor for index, but got {kind}")
    if where.size and not size:
        raise IndexError(f"{name}: tried to {name[:4].strip('_(')} from an empty tensor")
    outside = (where < -size) | (where >= size)
    if outside.any():
        first = np.atleast_1d(where)[np.atleast_1d(outside)][0]
        raise IndexError(
            f"out of range: tried to access index {first} on a tensor of {size} elements."
        )
