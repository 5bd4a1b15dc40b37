"""Counting and looking up: `unique`, `bincount`, `histc`, `searchsorted`. None has a gradient."""

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
from ..promotion import floats_only, no_bools
from .dims import wrap_dim
from .reduction import _array

Array = Any
Tensor = Any

# --- distinct values -----------------------------------------------------------------------------


def _no_derivative(name: str) -> Any:
    def formula(grad: Any) -> Any:
        raise NotImplementedError(f"the derivative for '{name}' is not implemented.")

    return formula


@op("Unique2Backward0", input=_no_derivative("_unique2"))
def _unique(input: Array) -> tuple[Array, ...]:
    values, inverse, counts = np.unique(
        input.reshape(-1), return_inverse=True, return_counts=True, equal_nan=False
    )
    return values, inverse.reshape(input.shape), counts


@op("UniqueDimBackward0", input=_no_derivative("unique_dim"))
def _unique_dim(input: Array, dim: int) -> tuple[Array, ...]:
    if not input.shape[dim]:
        none = either.zeros(0, input, np.int64)
        return input.copy(), none, none
    values, inverse, counts = np.unique(
        input, axis=dim, return_inverse=True, return_counts=True, equal_nan=False
    )
    return values, inverse.reshape(-1), counts


def _runs(changes: Array) -> tuple[Array, Array, Array]:
    """From where a run begins: those positions, the number of each element's run, the lengths."""
    starts = np.flatnonzero(changes)
    return (
        starts,
        np.cumsum(changes) - 1,
        np.concatenate([starts[1:], np.full_like(starts[:1], changes.size)]) - starts,
    )


@op("UniqueConsecutiveBackward0", input=_no_derivative("unique_consecutive"))
def _consecutive(input: Array) -> tuple[Array, ...]:
    line = input.reshape(-1)
    changes = either.full(line.size, True, bool, line)
    changes[1:] = line[1:] != line[:-1]
    starts, inverse, counts = _runs(changes)
    return line[starts], inverse.reshape(input.shape), counts


@op("UniqueConsecutiveBackward0", input=_no_derivative("unique_dim_consecutive"))
def _consecutive_dim(input: Array, dim: int) -> tuple[Array, ...]:
    size = input.shape[dim]
    front = np.moveaxis(input, dim, 0)
    lines = front.reshape(size, input.size // max(size, 1))
    changes = either.full(len(lines), True, bool, lines)
    changes[1:] = (lines[1:] != lines[:-1]).any(1)
    starts, inverse, counts = _runs(changes)
    return np.moveaxis(front[starts], 0, dim), inverse, counts


def unique(
    input: Tensor, sorted: bool = True, return_inverse: bool = False,
    return_counts: bool = False, dim: int | None = None,
) -> Any:  # fmt: skip
    """The distinct elements in rising order, or the distinct slices along `dim`.

    With `return_inverse` also, for each element, which of them it is; with `return_counts` how
    often each occurs. (values[, inverse][, counts]), the latter two int64.
    """
    return _distinct("unique", _unique, _unique_dim, input, return_inverse, return_counts, dim)


def unique_consecutive(
    input: Tensor, return_inverse: bool = False, return_counts: bool = False,
    dim: int | None = None,
) -> Any:  # fmt: skip
    """The elements (or slices along `dim`) without those that equal the one before."""
    rows = (_consecutive, _consecutive_dim)
    return _distinct("unique_consecutive", *rows, input, return_inverse, return_counts, dim)


def _distinct(
    name: str, whole: Any, along: Any, input: Tensor, inverse: bool, counts: bool, dim: int | None
) -> Any:
    array = _array(name, input)
    if dim is None:
        found = whole(input)
    else:
        _check_slices(array.shape, dim)
        found = along(input, wrap_dim(dim, array.ndim))
    wanted = (True, inverse, counts)
    kept = tuple(t for t, w in zip(found, wanted, strict=True) if w)
    return kept if len(kept) > 1 else kept[0]


def _check_slices(shape: tuple[int, ...], dim: int) -> None:
    """Slices without elements cannot be told apart."""
    if not shape:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    at, sentence = wrap_dim(dim, len(shape)), "so unique cannot be applied"
    if shape[at] and 0 in shape:
        raise RuntimeError(f"There are 0 sized dimensions, and they aren't selected, {sentence}")
    if shape.count(0) > 1:
        raise RuntimeError(f"Number of zero sized dimensions is more than one, {sentence} ")


# --- counts --------------------------------------------------------------------------------------


@noted
def bincount(input: Tensor, weights: Any = None, minlength: int = 0) -> Tensor:
    """How often each of 0, 1, ... occurs in a vector of whole numbers (int64), or the sums of the
    `weights` of its occurrences."""
    array = _array("bincount", input)
    if array.dtype.kind == "f" or array.dtype == bool:
        kind = scalar_name(array.dtype)
        raise NotImplementedError(f"\"bincount_cpu\" not implemented for '{kind}'")
    if minlength < 0:
        raise RuntimeError("minlength should be >= 0")
    if array.ndim != 1 or (array.size and array.min() < 0):
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if weights is None:
        return wrap(np.bincount(array.astype(np.int64), minlength=minlength).astype(np.int64))
    by = weights._array
    if by.shape != array.shape:
        raise RuntimeError("weights should be 1-d and have the same length as input")
    sums = np.bincount(array.astype(np.int64), by.astype(np.float64), minlength)
    return wrap(sums.astype(np.float32 if by.dtype == np.float32 else np.float64))


@noted
def histc(input: Tensor, bins: int = 100, min: Any = 0, max: Any = 0, *, out: Any = None) -> Tensor:
    """How many elements fall into each of `bins` equal intervals from `min` to `max` (in the dtype
    of `input`); with equal bounds, from the smallest element to the largest."""
    if out is not None:
        return into(out, histc, input, bins, min, max, exact=True)
    array = _array("histc", input)
    no_bools("linspace_cpu", array)
    floats_only("histogram_cpu", array)
    if bins <= 0:
        raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {bins} for dimension 0")
    low, high = _range(array, min, max)
    if not (np.isfinite(low) and np.isfinite(high)):
        raise RuntimeError(f"torch.histc: range of [{low:g}, {high:g}] is not finite")
    if low > high:
        raise RuntimeError("torch.histc: max must be larger than min")
    inside = array[(array >= low) & (array <= high)].astype(np.float64)
    at = ((inside - low) * (bins / (high - low))).astype(np.int64)
    counts = np.bincount(np.minimum(at, bins - 1), minlength=bins)
    return wrap(counts.astype(array.dtype))


def _range(array: Array, low: Any, high: Any) -> tuple[float, float]:
    if low == high and array.size:
        low, high = array.min(), array.max()
    return (float(low) - 1, float(high) + 1) if low == high else (float(low), float(high))


# --- looking up ----------------------------------------------------------------------------------


@noted
def searchsorted(
    sorted_sequence: Tensor, input: Any, *, out_int32: bool = False, right: bool = False,
    side: str | None = None, sorter: Any = None, out: Any = None
) -> Tensor:  # fmt: skip
    """Where each value would have to be put into a sorted sequence so that it stays sorted.

    sorted_sequence: 1-d, or with the leading dimensions of `input`, whose rows belong together.
    right (or side="right"): behind equal elements instead of before them.
    sorter: the indices that sort the sequence, if it is not sorted.
    """
    if out is not None:
        return into(
            out,
            searchsorted,
            sorted_sequence,
            input,
            out_int32=out_int32,
            right=right,
            side=side,
            sorter=sorter,
            exact=True,
        )
    sequence = _array("searchsorted", sorted_sequence)
    values = _values("searchsorted", input, sequence)
    where = _side(right, side)
    _check_search(sequence, values, input)
    if sorter is not None:
        sequence = _reordered(sequence, sorter._array)
    return wrap(_found(sequence, values, where).astype(np.int32 if out_int32 else np.int64))


@noted
def bucketize(
    input: Any, boundaries: Tensor, *, out_int32: bool = False, right: bool = False, out: Any = None
) -> Tensor:
    """The number of the interval between sorted 1-d `boundaries` in which each value lies."""
    if out is not None:
        return into(out, bucketize, input, boundaries, out_int32=out_int32, right=right, exact=True)
    edges = _array("bucketize", boundaries)
    if edges.ndim != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({edges.ndim})")
    values = _values("bucketize", input, edges)
    found = _found(edges, values, "right" if right else "left")
    return wrap(found.astype(np.int32 if out_int32 else np.int64))


def _values(name: str, input: Any, sequence: Array) -> Array:
    if isinstance(input, graph.Tensor):
        return input._array
    if isinstance(input, promotion.NUMBERS):
        return np.asarray(input, like=sequence)
    raise promotion.not_a_tensor(name, "self", 2, input)


def _side(right: bool, side: str | None) -> str:
    if side not in (None, "left", "right"):
        raise RuntimeError(
            f"torch.searchsorted(): side can only be 'left' or 'right' but got {side}"
        )
    if side == "left" and right:
        raise RuntimeError(
            "torch.searchsorted(): side and right can't be set to opposites, got side of left while "
            "right was True"
        )
    return "right" if right or side == "right" else "left"


def _check_search(sequence: Array, values: Array, input: Any) -> None:
    if not sequence.ndim:
        raise RuntimeError(
            "torch.searchsorted(): input value can be a scalar only when boundaries tensor dimension "
            "is 1, but we got boundaries tensor dim(0)"
        )
    if sequence.ndim > 1 and sequence.shape[:-1] != values.shape[:-1]:
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of "
            "boundaries tensor and input value tensor must match, but we got boundaries tensor "
            f"{list(sequence.shape)} and input value tensor {list(values.shape)}"
        )
    if isinstance(input, graph.Tensor) and values.dtype is not sequence.dtype and values.ndim:
        raise RuntimeError(
            "torch.searchsorted(): boundary tensor and input value tensor should have same dtype, but got "
            f"boundary tensor type {scalar_name(sequence.dtype)} and input value tensor type "
            f"{scalar_name(values.dtype)}"
        )


def _reordered(sequence: Array, sorter: Array) -> Array:
    if sorter.shape != sequence.shape:
        raise RuntimeError(
            "torch.searchsorted(): boundary and sorter must have the same size, but got boundary tensor "
            f"{list(sequence.shape)}and got sorter tensor {list(sorter.shape)}"
        )
    if sorter.dtype != np.int64:
        raise RuntimeError(
            "torch.searchsorted(): sorter must be a tensor of long dtype but got dtype "
            f"{scalar_name(sorter.dtype)}"
        )
    if sorter.size and (sorter.min() < 0 or sorter.max() >= sequence.shape[-1]):
        raise RuntimeError("torch.searchsorted(): sorter index out of range")
    return np.take_along_axis(sequence, sorter, -1)


def _found(sequence: Array, values: Array, side: Any) -> Array:
    no_bools("searchsorted_out_cpu", *promotion.promoted((sequence, values)))
    if sequence.ndim == 1:
        return either.as_array(np.searchsorted(sequence, values, side))
    out = either.empty(values.shape, values, np.int64)
    for at in np.ndindex(sequence.shape[:-1]):
        out[at] = np.searchsorted(sequence[at], values[at], side)
    return out
