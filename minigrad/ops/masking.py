"""Elements chosen by a mask, and the places of those that are not zero."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import either, promotion
from ..autograd import node as graph
from ..autograd.node import wrap
from ..autograd.noted import noted
from ..autograd.out import into
from ..autograd.row import op
from ..dtypes import scalar_name
from .conversion import number_as
from .gathering import into_other, written
from .pieces import unbind
from .shape import row_major

Array = Any
Tensor = Any


def _outside(grad: Any, mask: Any, xp: Any) -> Any:
    return xp.masked_fill(grad, mask, 0.0)


def masked_fill_array(input: Array, mask: Array, value: float) -> Array:
    """`input` with a number where `mask` is True."""
    return row_major(np.where(mask, value, input))


def _fill(input: Array, mask: Array, value: Array) -> Array:
    return row_major(np.where(mask, value.astype(input.dtype), input))


@op("MaskedFillBackward0", input=_outside)
def _masked_fill(input: Array, mask: Array, value: Array) -> Array:
    return _fill(input, mask, value)


@op(
    "MaskedFillBackward1",
    input=_outside,
    value=lambda grad, mask, xp: xp.sum(xp.masked_select(grad, mask)),
)
def _masked_fill_tensor(input: Array, mask: Array, value: Array) -> Array:
    return _fill(input, mask, value)


def _selected_back(grad: Any, input_shape: Any, mask: Any, xp: Any) -> Any:
    shape = np.broadcast_shapes(input_shape, tuple(mask.shape))
    return xp.masked_scatter(xp.zeros_shaped(shape, grad), mask, grad)


@op("MaskedSelectBackward0", input=_selected_back)
def _masked_select(input: Array, mask: Array) -> Array:
    return masked_select_array(input, mask)


def masked_select_array(input: Array, mask: Array) -> Array:
    values, chosen = np.broadcast_arrays(input, mask)
    return np.atleast_1d(values)[np.atleast_1d(chosen)]


def _source_back(grad: Any, mask: Any, source_shape: Any, xp: Any) -> Any:
    """The gradients of the elements that were used; zeros for the rest."""
    used = xp.masked_select(grad, mask)
    rest = int(np.prod(source_shape)) - used.shape[0]
    return xp.reshape(xp.cat([used, xp.zeros_shaped((rest,), grad)], 0), source_shape)


@op("MaskedScatterBackward0", input=_outside, source=_source_back)
def _masked_scatter(input: Array, mask: Array, source: Array) -> Array:
    return masked_scatter_array(input, mask, source)


def masked_scatter_array(input: Array, mask: Array, source: Array) -> Array:
    shape = np.broadcast_shapes(input.shape, mask.shape)
    out, chosen = np.broadcast_to(input, shape).copy("C"), np.broadcast_to(mask, shape)
    np.atleast_1d(out)[np.atleast_1d(chosen)] = source.reshape(-1)[: int(np.count_nonzero(chosen))]
    return out


# --- the public functions ------------------------------------------------------------------------


def masked_fill(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """`input` with `value` (a number or a 0-d Tensor) where `mask` is True; both broadcast."""
    row, args = _filling("masked_fill", input, mask, value)
    _check_broadcast(input, mask)
    return row(*args)


def masked_fill_(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """`masked_fill` in place."""
    row, args = _filling("masked_fill_", input, mask, value)
    _check_broadcast(input, mask)
    return written(row, *args, sharing="any")


def _filling(name: str, input: Tensor, mask: Tensor, value: Any) -> tuple[Any, list[Any]]:
    known = isinstance(value, (graph.Tensor, *promotion.NUMBERS))
    if not known or not isinstance(mask, graph.Tensor):
        kinds = f"{type(mask).__name__}, {type(value).__name__}"
        raise TypeError(f"{name}() received an invalid combination of arguments - got ({kinds})")
    if mask._array.dtype != bool:
        raise RuntimeError(
            "masked_fill_ only supports boolean masks, but got mask with dtype "
            f"{_cpp_name(mask._array.dtype)}"
        )
    if not isinstance(value, graph.Tensor):
        number = number_as(value, input._array.dtype, input._array)
        return _masked_fill, [input, mask, number]
    if value._array.ndim:
        raise RuntimeError(
            "masked_fill_ only supports a 0-dimensional value tensor, but got tensor with "
            f"{value._array.ndim} dimension(s)."
        )
    return _masked_fill_tensor, [input, mask, value]


def _cpp_name(dtype: Any) -> str:
    names = {
        "Long": "long int",
        "Byte": "unsigned char",
        "Char": "signed char",
        "Half": "c10::Half",
    }
    name = scalar_name(dtype)
    return names.get(name, name.lower())


def _check_broadcast(input: Tensor, mask: Tensor) -> None:
    try:
        np.broadcast_shapes(input._array.shape, mask._array.shape)
    except ValueError:
        raise promotion.broadcast_error((mask._array, input._array)) from None


def masked_select(input: Tensor, mask: Tensor, *, out: Any = None) -> Tensor:
    """The elements where `mask` is True, in one dimension; both broadcast."""
    if out is not None:
        return into_other(out, masked_select, input, mask)
    promotion.check_tensors("masked_select", input=input, mask=mask)
    if mask._array.dtype != bool:
        raise RuntimeError("masked_select: expected BoolTensor for mask")
    _check_broadcast(input, mask)
    return _masked_select(input, mask)


def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """`input` with the elements of `source`, one after the other, where `mask` is True."""
    _check_source("masked_scatter", input, mask, source)
    _check_count(mask, source, np.broadcast_shapes(input._array.shape, mask._array.shape))
    return _masked_scatter(input, mask, source)


def masked_scatter_(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """`masked_scatter` in place."""
    _check_source("masked_scatter_", input, mask, source)
    shape, wanted = input._array.shape, mask._array.shape
    if np.broadcast_shapes(shape, wanted) != shape:
        raise RuntimeError(
            f"expand(CPUBoolType{{{list(wanted)}}}, size={list(shape)}): the number of sizes provided "
            f"({len(shape)}) must be greater or equal to the number of dimensions in the tensor "
            f"({len(wanted)})"
        )
    _check_count(mask, source, shape)
    return written(_masked_scatter, input, mask, source, sharing="any")


def _check_source(name: str, input: Tensor, mask: Tensor, source: Any) -> None:
    for position, (argument, value) in enumerate((("mask", mask), ("source", source)), 1):
        if not isinstance(value, graph.Tensor):
            raise promotion.not_a_tensor(name, argument, position, value)
    if mask._array.dtype != bool:
        raise RuntimeError(
            "masked_scatter_ only supports boolean masks, but got mask with dtype "
            f"{scalar_name(mask._array.dtype)}"
        )
    if input._array.dtype != source._array.dtype:
        raise RuntimeError(
            "masked_scatter: expected self and source to have same dtypes but got"
            f"{scalar_name(input._array.dtype)} and {scalar_name(source._array.dtype)}"
        )
    _check_broadcast(input, mask)


def _check_count(mask: Tensor, source: Tensor, shape: tuple[int, ...]) -> None:
    if np.count_nonzero(np.broadcast_to(mask._array, shape)) > source._array.size:
        raise RuntimeError("Number of elements of source < number of ones in mask")


# --- places --------------------------------------------------------------------------------------


@noted
def nonzero(input: Tensor, *, out: Any = None, as_tuple: bool = False) -> Any:
    """The places of the elements that are not zero: one row of `input.ndim` numbers for each, or
    with `as_tuple` one vector for each dimension, which serve as an index."""
    if out is not None:
        return into(out, nonzero, input, exact=True)
    promotion.check_tensors("nonzero", input=input)
    if not isinstance(as_tuple, bool):
        raise TypeError(
            f"nonzero(): argument 'as_tuple' must be bool, not {type(as_tuple).__name__}"
        )
    if as_tuple and not input._array.ndim:
        return unbind(wrap(_places(input._array.reshape(1))), 1)
    places = wrap(_places(input._array))
    return unbind(places, 1) if as_tuple else places


def nonzero_static(input: Tensor, *, size: int, fill_value: int = -1, out: Any = None) -> Tensor:
    """The first `size` rows of `nonzero`; where there are not so many, rows of `fill_value`."""
    if out is not None:
        return into(out, nonzero_static, input, size=size, fill_value=fill_value, exact=True)
    promotion.check_tensors("nonzero_static", input=input)
    if size < 0:
        raise RuntimeError("nonzero_static: 'size' must be an non-negative integer")
    places = _places(input._array)[:size]
    rest = either.full((size - len(places), input._array.ndim), fill_value, np.int64, places)
    return wrap(np.concatenate([places, rest]))


def _places(array: Array) -> Array:
    if not array.ndim:
        return either.zeros((int(bool(array)), 0), array, np.int64)
    return np.stack(np.nonzero(array)).T  # the numbers of one dimension lie side by side


def argwhere(input: Tensor) -> Tensor:
    """The places of the elements that are not zero: one row of `input.ndim` numbers for each."""
    promotion.check_tensors("argwhere", input=input)
    return wrap(_places(input._array))
