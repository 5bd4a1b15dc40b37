"""Whole slices by number: `index_select` and its family.

`index` is a vector that counts positions of one dimension. What `index_select` reads, `index_add`
and `index_copy` write; each is the gradient of another.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import either, gpu, promotion
from ..autograd import node as graph
from ..autograd.inplace import begin_write, check_overlap
from ..autograd.out import into
from ..autograd.row import op
from ..dtypes import scalar_name
from .conversion import number_as
from .dims import wrap_dim
from .gather_checks import check_bounds
from .gathering import into_other
from .gathering import written as _written
from .scatter_reduction import UFUNCS, reduce_formula_input, reduce_formula_src, reduced_array

Array = Any
Tensor = Any


def _place(index: Array, dim: int) -> tuple[Any, ...]:
    return (slice(None),) * dim + (index.reshape(-1),)


def index_select_array(input: Array, dim: int, index: Array) -> Array:
    if not input.ndim:
        return input.copy()
    return either.contiguous(input[_place(index, dim)])


def index_add_array(input: Array, dim: int, index: Array, source: Array) -> Array:
    return _index_add.forward(input, dim, index, source, 1)


def index_fill_array(input: Array, dim: int, index: Array, value: Any) -> Array:
    out = either.copied(input)
    if out.size:
        np.atleast_1d(out)[_place(index, dim)] = value
    return out


def _selected(grad: Any, dim: int, index: Any, source_shape: Any, xp: Any) -> Any:
    return xp.reshape(xp.index_select(grad, dim, index), source_shape)


def _cleared(grad: Any, dim: int, index: Any, xp: Any) -> Any:
    return xp.index_fill(grad, dim, index, 0.0)


@op(
    "IndexSelectBackward0",
    input=lambda grad, input_shape, dim, index, xp: xp.index_add(
        xp.zeros_shaped(input_shape, grad), dim, index, grad
    ),
)
def _index_select(input: Array, dim: int, index: Array) -> Array:
    return index_select_array(input, dim, index)


@op(
    "IndexAddBackward0",
    input=lambda grad: grad,
    source=lambda grad, dim, index, source_shape, alpha, xp: (
        _selected(grad, dim, index, source_shape, xp) * alpha
    ),
)
def _index_add(input: Array, dim: int, index: Array, source: Array, alpha: Any) -> Array:
    out = either.copied(input)
    scaled = source if alpha == 1 else source * source.dtype.type(alpha)
    either.at(np.add, np.atleast_1d(out), _place(index, dim), np.atleast_1d(scaled))
    return out


@op("IndexCopyBackward0", input=_cleared, source=_selected)
def _index_copy(input: Array, dim: int, index: Array, source: Array) -> Array:
    out = either.copied(input)
    np.atleast_1d(out)[_place(index, dim)] = source
    return out


@op("IndexFillBackward0", input=_cleared)
def _index_fill(input: Array, dim: int, index: Array, value: Array) -> Array:
    return index_fill_array(input, dim, index, value)


@op(
    "IndexFillBackward1",
    input=_cleared,
    value=lambda grad, dim, index, xp: xp.sum(grad - _cleared(grad, dim, index, xp)),
)
def _index_fill_tensor(input: Array, dim: int, index: Array, value: Array) -> Array:
    return index_fill_array(input, dim, index, value.astype(input.dtype))


@op("IndexReduceBackward0", input=reduce_formula_input, src=reduce_formula_src)
def _index_reduce(
    input: Array, dim: int, index: Array, src: Array, reduce: str, include_self: bool
) -> Array:
    return reduced_array(input, dim, index, src, reduce, include_self)


def index_select(input: Tensor, dim: int, index: Tensor, *, out: Any = None) -> Tensor:
    """The slices of dimension `dim` that `index` counts, in its order."""
    if out is not None:
        return into_other(out, index_select, input, dim, index)
    promotion.check_tensors("index_select", input=input)
    _check_tensor("index_select", "index", index, 2)
    at, array = wrap_dim(dim, input._array.ndim), index._array
    if array.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    if array.dtype.name not in ("int64", "int32"):
        raise RuntimeError("index_select(): Expected dtype int32 or int64 for index")
    if not input._array.ndim and array.size != 1:
        raise RuntimeError(
            f"index_select(): Index to scalar can have only 1 value, got {array.size} value(s)"
        )
    size = input._array.shape[at] if input._array.ndim else 1
    if not gpu.on_gpu(array) and ((array < 0) | (array >= size)).any():
        raise IndexError("index out of range in self")
    return _index_select(input, at, index)


def index_add(
    input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Any = 1, out: Any = None
) -> Tensor:
    """`input` with `alpha` times the slices of `source` added where `index` says."""
    if out is not None:
        return into(out, index_add, input, dim, index, source, alpha=alpha, exact=True)
    at = _checked_add("index_add", input, dim, index, source, alpha)
    return _index_add(input, at, index, source, alpha)


def index_add_(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Any = 1) -> Tensor:
    """`index_add` in place."""
    at = _checked_add("index_add_", input, dim, index, source, alpha)
    return _written(_index_add, input, at, index, source, alpha)


def _checked_add(
    name: str, input: Tensor, dim: int, index: Tensor, source: Tensor, alpha: Any
) -> int:
    if not isinstance(alpha, promotion.NUMBERS):
        raise TypeError(f"{name}(): argument 'alpha' must be Number, not {type(alpha).__name__}")
    return _checked_source(name, "index_add_", input, dim, index, source)


def _checked_source(
    name: str, kernel: str, input: Tensor, dim: int, index: Tensor, source: Tensor
) -> int:
    """The dimension from the front, once index and source fit the input."""
    _check_tensor(name, "index", index, 2)
    _check_tensor(name, "source", source, 3)
    a, b, where = input._array, source._array, index._array
    at = wrap_dim(dim, a.ndim)
    if where.dtype.name not in ("int64", "int32"):
        raise RuntimeError(
            f"{kernel}(): Expected dtype int32/int64 for index but got: {scalar_name(where.dtype)}"
        )
    if where.ndim > 1:
        raise IndexError(
            f"{kernel}(): Index is supposed to be a vector, but got dim: {where.ndim} with type: "
            f"{scalar_name(where.dtype)} and size: {list(where.shape)}"
        )
    if a.dtype != b.dtype:
        raise RuntimeError(
            f"{kernel}(): self ({scalar_name(a.dtype)}) and source ({scalar_name(b.dtype)}) must have "
            "the same scalar type"
        )
    if a.ndim and not b.ndim and where.size != 1:
        raise IndexError(f"Dimension specified as {at} but tensor has no dimensions")
    count = b.shape[at] if b.ndim > at else 1
    if where.size != count:
        raise RuntimeError(
            f"{kernel}(): Number of indices ({where.size}) should be equal to source.size(dim): "
            f"({count}), for dim: {at}"
        )
    if a.shape[:at] + a.shape[at + 1 :] != b.shape[:at] + b.shape[at + 1 :] or a.ndim < b.ndim:
        raise RuntimeError(
            "source tensor shape must match self tensor shape, excluding the specified dimension. "
            f"Got self.shape = {list(a.shape)} source.shape = {list(b.shape)}"
        )
    check_bounds(index, a.shape[at] if a.ndim else 1, at)
    return at


def index_copy(
    input: Tensor, dim: int, index: Tensor, source: Tensor, *, out: Any = None
) -> Tensor:
    """`input` with the slices of `source` written where `index` says."""
    if out is not None:
        return into(out, index_copy, input, dim, index, source, exact=True)
    return _index_copy(input, _checked_copy("index_copy", input, dim, index, source), index, source)


def index_copy_(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """`index_copy` in place."""
    begin_write(input, source)
    wrap_dim(dim, input._array.ndim)
    check_overlap(input, (index, source), "none")  # whatever their shapes
    at = _checked_copy("index_copy_", input, dim, index, source)
    return _written(_index_copy, input, at, index, source)


def _checked_copy(name: str, input: Tensor, dim: int, index: Tensor, source: Tensor) -> int:
    _check_tensor(name, "index", index, 2)
    _check_tensor(name, "source", source, 3)
    a, b, where, name = input._array, source._array, index._array, "index_copy_()"
    at = wrap_dim(dim, a.ndim)
    if where.ndim > 1:
        raise IndexError(f"{name}: Index should have dimension 1 or 0 (got {where.ndim})")
    if not b.ndim and where.size != 1:
        raise IndexError(
            f"{name}: When source is scalar, index should have one element (got {where.size})"
        )
    if b.ndim and a.ndim and a.ndim != b.ndim:
        raise IndexError(
            f"{name}: When source and destination are not scalars, their dimensionality must match. "
            f"Source dimensionality ({b.ndim}), destination dimensionality ({a.ndim})"
        )
    if where.dtype != np.int64:
        kind = scalar_name(where.dtype)
        raise RuntimeError(f"{name}: Expected a long tensor for index, but got {kind}")
    if a.dtype != b.dtype:
        raise RuntimeError(
            f"{name}: self and source expected to have the same dtype, but got (self) "
            f"{scalar_name(a.dtype)} and (source) {scalar_name(b.dtype)}"
        )
    mine, theirs = a.shape[:at] + a.shape[at + 1 :], b.shape[:at] + b.shape[at + 1 :]
    if mine != theirs:
        raise RuntimeError(
            f"{name}: Source/destination tensor must have same slice shapes. Destination slice shape: "
            f"{_sizes(mine)} at dimension {at} and source slice shape: {_sizes(theirs)} at dimension 0."
        )
    if b.ndim and where.size != b.shape[at]:
        raise IndexError(
            f"{name}: Number of indices ({where.size}) should be equal to source.size(dim) "
            f"({b.shape[at]})"
        )
    size = a.shape[at] if a.ndim else 1
    check_bounds(index, size, at, lambda text: IndexError(f"{name}: {text}"))
    return at


def _sizes(shape: tuple[int, ...]) -> str:
    return " ".join(map(str, shape))


def index_fill(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """`input` with the slices that `index` counts set to `value`, a number or a 0-d Tensor."""
    return _filling("index_fill", input, dim, index, value, False)


def index_fill_(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """`index_fill` in place."""
    return _filling("index_fill_", input, dim, index, value, True)


def _filling(
    name: str, input: Tensor, dim: int, index: Tensor, value: Any, in_place: bool
) -> Tensor:
    if in_place:
        begin_write(input, value)
    at = wrap_dim(dim, input._array.ndim)
    row: Any = _index_fill_tensor
    if not isinstance(value, graph.Tensor):
        if not isinstance(value, promotion.NUMBERS):
            kind = type(value).__name__
            raise TypeError(
                f"{name}() received an invalid combination of arguments - got (int, Tensor, {kind})"
            )
        row, value = _index_fill, number_as(value, input._array.dtype, input._array)
    elif value._array.ndim:
        raise RuntimeError(
            "index_fill_ only supports a 0-dimensional value tensor, but got tensor with "
            f"{value._array.ndim} dimension(s)."
        )
    if index._array.dtype != np.int64:
        raise IndexError("index_fill_(): Expected dtype int64 for index.")
    if index._array.ndim > 1:
        raise RuntimeError("Index has to be a vector/scalar")
    size = input._array.shape[at] if input._array.ndim else 1
    outside = (index._array < -size) | (index._array >= size)
    if outside.any() and size == 0:
        raise RuntimeError(f"index_fill_(): dimension {at} has no elements that could be filled")
    if outside.any() and input._array.size:
        first = np.atleast_1d(index._array)[np.atleast_1d(outside)][0]
        raise IndexError(f"index {first} is out of bounds for dimension {at} with size {size}")
    if in_place:
        return _written(row, input, at, index, value, sharing="any")
    return row(input, at, index, value)


def index_reduce(
    input: Tensor,
    dim: int,
    index: Tensor,
    source: Tensor,
    reduce: str,
    *,
    include_self: bool = True,
    out: Any = None,
) -> Tensor:
    """The slices of `source` reduced ("prod", "mean", "amax", "amin") into those of `input` that
    `index` counts."""
    if out is not None:
        return into(
            out,
            index_reduce,
            input,
            dim,
            index,
            source,
            reduce,
            include_self=include_self,
            exact=True,
        )
    at, spread = _reducing("index_reduce", input, dim, index, source, reduce)
    return _index_reduce(input, at, spread, source, reduce, include_self)


def index_reduce_(
    input: Tensor,
    dim: int,
    index: Tensor,
    source: Tensor,
    reduce: str,
    *,
    include_self: bool = True,
) -> Tensor:
    """`index_reduce` in place."""
    at, spread = _reducing("index_reduce_", input, dim, index, source, reduce)
    return _written(_index_reduce, input, at, spread, source, reduce, include_self)


def _reducing(
    name: str, input: Tensor, dim: int, index: Tensor, source: Tensor, reduce: str
) -> tuple[int, Tensor]:
    """The dimension, and the index in the shape of the source, as `scatter_reduce` has it."""
    if reduce not in UFUNCS or reduce == "sum":
        raise RuntimeError(
            f"{name}(): Expected reduce to be one of prod, mean, amax or amin but got {reduce}."
        )
    at = _checked_source(name, "index_reduce_", input, dim, index, source)
    shape = source._array.shape
    ones = (1,) * at + (-1,) + (1,) * (len(shape) - at - 1) if shape else ()
    spread = graph.wrap(np.broadcast_to(index._array.reshape(ones), shape))
    spread._version_counter = index._version_counter
    return at, spread


def _check_tensor(name: str, argument: str, value: Any, position: int) -> None:
    if not isinstance(value, graph.Tensor):
        raise promotion.not_a_tensor(name, argument, position, value)
