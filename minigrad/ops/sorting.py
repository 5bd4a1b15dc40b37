"""Order: `sort`, `topk`, `kthvalue`, and what is defined by rank: medians, quantiles, the mode.

All go by one stable order, in which nan counts as the largest number. The gradient of an element
that was picked goes back to where it was picked.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import either, return_types
from ..autograd.node import wrap
from ..autograd.noted import noted
from ..autograd.out import into
from ..autograd.row import op
from ..promotion import no_bools
from .dims import wrap_dim
from .extremes import _shared_all
from .numpy_names import numpy_names
from .reduction import _array

Array = Any
Tensor = Any


def _order(array: Array, dim: int, descending: bool) -> Array:
    """The positions of the elements along `dim` in sorted order; equals stay in theirs."""
    if not descending:
        return np.argsort(array, axis=dim, kind="stable")
    backwards = np.argsort(np.flip(array, dim), axis=dim, kind="stable")
    return array.shape[dim] - 1 - np.flip(backwards, dim)


def _picked(array: Array, at: Array, dim: int) -> tuple[Array, Array]:
    """The elements at these positions, and the positions in memory of their own."""
    return np.take_along_axis(array, at, dim), at.astype(np.int64, "C")


def _sorted(input: Array, dim: int, descending: bool) -> tuple[Array, Array]:
    if not input.ndim:
        return input.copy(), either.zeros((), input, np.int64)
    return _picked(input, _order(input, dim, descending), dim)


def _back(grad: Any, input_shape: Any, result1: Any, dim: int, xp: Any) -> Any:
    return xp.at_index(grad, input_shape, result1, dim, True)


def _back_reduced(
    grad: Any, input_shape: Any, result1: Any, dim: int, keepdim: bool, xp: Any
) -> Any:
    return xp.at_index(grad, input_shape, result1, dim, keepdim)


# --- sorting -------------------------------------------------------------------------------------


@op("SortBackward0", input=_back)
def _sort(input: Array, dim: int, descending: bool) -> tuple[Array, Array]:
    return _sorted(input, dim, descending)


@op("SortBackward1", input=_back)
def _stable_sort(input: Array, dim: int, descending: bool) -> tuple[Array, Array]:
    return _sorted(input, dim, descending)


@numpy_names
def sort(
    input: Tensor,
    dim: int = -1,
    descending: bool = False,
    *,
    stable: bool | None = None,
    out: Any = None,
) -> return_types.sort:
    """(values, indices) in rising or falling order along `dim`; nan is the largest.

    Equal elements stay in order, whether `stable` is asked for or not."""
    if out is not None:
        named: return_types.sort = into(
            out, sort, input, dim, descending, stable=stable, exact=True
        )
        return named
    row = _sort if stable is None else _stable_sort
    return return_types.sort(*row(input, wrap_dim(dim, _array("sort", input).ndim), descending))


@noted
@numpy_names
def argsort(
    input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = False, out: Any = None
) -> Tensor:
    """The indices (int64) that sort `input` along `dim`."""
    if out is not None:
        return into(out, argsort, input, dim, descending, stable=stable, exact=True)
    array = _array("argsort", input)
    return wrap(_sorted(array, wrap_dim(dim, array.ndim), descending)[1])


def msort(input: Tensor, *, out: Any = None) -> Tensor:
    """The values sorted along the first dimension."""
    if out is not None:
        return into(out, msort, input, exact=True)
    return sort(input, 0).values


@op("TopkBackward0", input=_back)
def _topk(input: Array, k: int, dim: int, largest: bool) -> tuple[Array, Array]:
    if not input.ndim:
        return input.copy(), either.zeros((), input, np.int64)
    first = (slice(None),) * dim + (slice(k),)
    return _picked(input, _order(input, dim, largest)[first], dim)


@numpy_names
def topk(
    input: Tensor,
    k: int,
    dim: int | None = -1,
    largest: bool = True,
    sorted: bool = True,
    *,
    out: Any = None,
) -> return_types.topk:
    """(values, indices) of the `k` largest or smallest elements along `dim`, in order."""
    if out is not None:
        named: return_types.topk = into(out, topk, input, k, dim, largest, sorted, exact=True)
        return named
    array = _array("topk", input)
    at = wrap_dim(-1 if dim is None else dim, array.ndim)
    if not 0 <= k <= (array.shape[at] if array.ndim else 1):
        raise RuntimeError("selected index k out of range")
    if array.dtype == bool:
        raise RuntimeError("topk does not support bool dtypes on CPU")
    return return_types.topk(*_topk(input, k, at, largest))


# --- one element by its rank ---------------------------------------------------------------------


def _ranked(input: Array, rank: Any, dim: int, keepdim: bool) -> tuple[Array, Array]:
    """The elements with `rank` (a number, or one for each line) in the order along `dim`."""
    if not input.ndim:
        return input.copy(), either.zeros((), input, np.int64)
    at = np.take_along_axis(_order(input, dim, False), rank, dim)
    values = np.take_along_axis(input, at, dim)
    return (values, at) if keepdim else (values.squeeze(dim), at.squeeze(dim))


def _filled(array: Array, dim: int, value: int) -> Array:
    """A rank that is the same for every line along `dim`."""
    shape = list(array.shape)
    if shape:
        shape[dim] = 1
    return either.full(shape, value, np.int64, array)


@op("KthvalueBackward0", input=_back_reduced)
def _kthvalue(input: Array, k: int, dim: int, keepdim: bool) -> tuple[Array, Array]:
    return _ranked(input, _filled(input, dim, k - 1), dim, keepdim)


@numpy_names
def kthvalue(
    input: Tensor, k: int, dim: int | None = -1, keepdim: bool = False, *, out: Any = None
) -> return_types.kthvalue:
    """(values, indices) of the `k`-th smallest element along `dim`, counted from 1."""
    if out is not None:
        named: return_types.kthvalue = into(out, kthvalue, input, k, dim, keepdim, exact=True)
        return named
    array = _array("kthvalue", input)
    at = wrap_dim(-1 if dim is None else dim, array.ndim)
    _has_elements("kthvalue", array, at)
    if not 1 <= k <= (array.shape[at] if array.ndim else 1):
        raise RuntimeError(f"kthvalue(): selected number k out of range for dimension {at}")
    if array.dtype == bool and array.ndim:
        raise NotImplementedError("\"kthvalue_cpu\" not implemented for 'Bool'")
    return return_types.kthvalue(*_kthvalue(input, k, at, keepdim))


def _has_elements(name: str, array: Array, dim: int) -> None:
    if array.ndim and not array.shape[dim]:
        raise IndexError(f"{name}(): Expected reduction dim {dim} to have non-zero size.")


def _median_ranks(input: Array, dim: int, ignore_nan: bool) -> Array:
    """The rank of the (lower) median of each line: the first nan, unless these are ignored."""
    if not input.ndim:
        return either.zeros((), input, np.int64)
    numbers = np.add.reduce(input == input, axis=dim, dtype=np.int64, keepdims=True)
    middle = np.maximum(numbers - 1, 0) // 2
    return middle if ignore_nan else np.where(numbers < input.shape[dim], numbers, middle)


def _middle(input: Array, ignore_nan: bool) -> Array:
    if not input.size:
        # PyTorch's nan, turned into an integer: the least int32 or int64, of which the lower bits
        # are 0 in a smaller dtype
        wide = np.int64 if input.dtype == np.int64 else np.int32
        none = np.asarray(np.nan if input.dtype.kind == "f" else np.iinfo(wide).min)
        return either.full((), none.astype(input.dtype)[()], input.dtype, input)
    line = input.reshape(-1)
    return _ranked(line, _median_ranks(line, 0, ignore_nan), 0, False)[0]


@op("MedianBackward0", input=_shared_all)
def _median(input: Array) -> Array:
    return _middle(input, False)


@op("NanmedianBackward0", input=_shared_all)
def _nanmedian(input: Array) -> Array:
    return _middle(input, True)


@op("MedianBackward1", input=_back_reduced)
def _median_dim(input: Array, dim: int, keepdim: bool) -> tuple[Array, Array]:
    return _ranked(input, _median_ranks(input, dim, False), dim, keepdim)


@op("NanmedianBackward1", input=_back_reduced)
def _nanmedian_dim(input: Array, dim: int, keepdim: bool) -> tuple[Array, Array]:
    return _ranked(input, _median_ranks(input, dim, True), dim, keepdim)


@numpy_names
def median(input: Tensor, dim: int | None = None, keepdim: bool = False, *, out: Any = None) -> Any:
    """The middle element, the lower one of two; along `dim` (values, indices). nan wins."""
    if out is not None:
        return into(out, median, input, dim, keepdim, exact=True)
    if dim is None:
        no_bools("median_cpu", _array("median", input))
        return _median(input)
    return return_types.median(*_median_dim(input, _median_at("median", input, dim), keepdim))


@numpy_names
def nanmedian(
    input: Tensor, dim: int | None = None, keepdim: bool = False, *, out: Any = None
) -> Any:
    """`median` of what is not nan."""
    if out is not None:
        return into(out, nanmedian, input, dim, keepdim, exact=True)
    if dim is None:
        no_bools("median_cpu", _array("nanmedian", input))
        return _nanmedian(input)
    at = _median_at("nanmedian", input, dim)
    return return_types.nanmedian(*_nanmedian_dim(input, at, keepdim))


def _median_at(name: str, input: Tensor, dim: int) -> int:
    array = _array(name, input)
    at = wrap_dim(dim, array.ndim)
    _has_elements("median", array, at)
    if array.dtype == bool:
        raise NotImplementedError("\"median_out\" not implemented for 'Bool'")
    return at


@op("ModeBackward0", input=_back_reduced)
def _mode(input: Array, dim: int, keepdim: bool) -> tuple[Array, Array]:
    if not input.ndim:
        return input.copy(), either.zeros((), input, np.int64)
    values = np.moveaxis(np.take_along_axis(input, _order(input, dim, False), dim), dim, -1)
    position = np.arange(values.shape[-1], like=values)
    begins = either.full(values.shape, True, bool, values)
    begins[..., 1:] = values[..., 1:] != values[..., :-1]
    length = position - either.accumulate(np.maximum, np.where(begins, position, 0), -1)
    rank = np.expand_dims(length.argmax(-1), dim)
    return _ranked(input, rank, dim, keepdim)


@numpy_names
def mode(
    input: Tensor, dim: int = -1, keepdim: bool = False, *, out: Any = None
) -> return_types.mode:
    """(values, indices) of the most frequent element along `dim`: the smallest such value, where
    it occurs last."""
    if out is not None:
        named: return_types.mode = into(out, mode, input, dim, keepdim, exact=True)
        return named
    array = _array("mode", input)
    at = wrap_dim(dim, array.ndim)
    _has_elements("mode", array, at)
    return return_types.mode(*_mode(input, at, keepdim))
