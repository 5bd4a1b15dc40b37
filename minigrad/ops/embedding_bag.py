"""Rows of a table looked up in bags, each bag reduced to one row by sum, mean or maximum.

n numbers of rows are in B bags, one bag after another: `bag` (n,) says into which each goes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import either
from ..autograd.node import wrap
from ..autograd.row import op
from ..dtypes import INT64
from ..promotion import check_tensors
from .embedding import add_rows, check_numbers, cpp_name, no_sparse

Array = Any
Tensor = Any
SUM, MEAN, MAX = range(3)


def _refused(grad: Any, with_factors: bool) -> Any:
    if with_factors:
        raise RuntimeError(
            "derivative for aten::_embedding_bag_per_sample_weights_backward is not implemented"
        )
    raise NotImplementedError("the derivative for '_embedding_bag_backward' is not implemented.")


@op("EmbeddingBagBackwardBackward0", value=_refused)
def differentiable_once(value: Array, with_factors: bool) -> Array:
    """The value itself, as a gradient of which PyTorch knows no derivative."""
    return value


def _gradient_of_rows(grad: Any, bag: Any, sizes: Any, factors: Any, present: Any, xp: Any) -> Any:
    """From the gradients of the bags, (B, D), those of the rows in them, (n, D)."""
    if sizes is not None:
        grad = grad / xp.unsqueeze(sizes, 1)
    rows = xp.index_select(grad, 0, bag)
    for each in (factors, present):
        rows = rows if each is None else rows * xp.unsqueeze(each, 1)
    return rows


def _factors_formula(grad: Any, weight: Any, index: Any, bag: Any, present: Any, xp: Any) -> Any:
    products = xp.index_select(grad, 0, bag) * xp.index_select(weight, 0, index)
    sums = xp.sum_dim(products, (1,), False)
    return sums if present is None else sums * present


@op(
    "EmbeddingBagBackward0",
    weight=lambda grad, weight_shape, index, bag, sizes, factors, present, by_frequency, xp: (
        xp.differentiable_once(
            xp.embedding_backward(
                _gradient_of_rows(grad, bag, sizes, factors, present, xp),
                index, weight_shape[0], -1, by_frequency,
            ),
            factors is not None,
        )
    ),
    factors=_factors_formula,
)  # fmt: skip
def _summed(
    weight: Array, index: Array, bag: Array, count: int, sizes: Array | None,
    factors: Array | None, present: Array | None, by_frequency: bool,
) -> Array:  # fmt: skip
    """The sum of each of `count` bags, or, given their sizes, the mean."""
    rows = weight[index]
    if factors is not None:
        rows *= factors[:, None]
    if present is not None:
        rows, bag = rows[present != 0], bag[present != 0]
    out = add_rows(rows, bag, count)
    return out if sizes is None else out / sizes[:, None]


@op(
    "EmbeddingBagBackward0",
    weight=lambda grad, weight_shape, largest, full, xp: xp.differentiable_once(
        xp.scatter_add(xp.zeros_shaped(weight_shape, grad), 0, largest, grad * full),
        False,
    ),
    factors=lambda grad: None,
)
def _maximum(weight: Array, largest: Array, full: Array, factors: None) -> Array:
    """The elements that `largest` (B, D) names, of the bags that are not empty (`full`, (B, 1))."""
    return np.where(full != 0, np.take_along_axis(weight, largest, 0), weight.dtype.type(0))


def _largest(weight: Array, index: Array, bag: Array, count: int) -> Array:
    """For each bag and column the number of the row with the largest element; the first, if equal."""
    out = either.zeros((count, weight.shape[1]), weight, INT64)
    begins = either.full(bag.shape, True, bool, bag)
    begins[1:] = bag[1:] != bag[:-1]
    starts = np.flatnonzero(begins).tolist()
    for start, stop in zip(starts, [*starts[1:], len(bag)], strict=False):
        numbers = index[start:stop]
        out[bag[start]] = numbers[weight[numbers].argmax(0)]
    return out


def embedding_bag(
    weight: Tensor, indices: Tensor, offsets: Tensor, scale_grad_by_freq: bool = False,
    mode: int = SUM, sparse: bool = False, per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False, padding_idx: int | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:  # fmt: skip
    """Rows of `weight` (V, D) named by `indices` (n,), reduced in bags that begin at `offsets` (B,).

    mode: 0 for sums (of rows times `per_sample_weights`, (n,), if given), 1 means, 2 maxima.
    include_last_offset: `offsets` has one element more, where the last bag ends.
    padding_idx: the number of a row that counts for nothing.

    Returns the bags (B, D), into which bag each index went, how many each has, and for maxima which
    rows they came from. Raises RuntimeError if dtypes, offsets or indices are not as they should be,
    NotImplementedError for `sparse=True`."""
    check_tensors("embedding_bag", weight=weight, indices=indices, offsets=offsets)
    table, index, begins = weight._array, indices._array, offsets._array
    _check_dtypes(table, index, begins, per_sample_weights)
    _check_offsets(begins, len(index))
    _check_range(index, len(table), mode)
    if sparse:
        raise no_sparse("embedding_bag")
    padding = _checked_padding(padding_idx, len(table))
    stops = np.concatenate([begins[1:], np.full_like(begins[:1], len(index))])
    if include_last_offset:
        begins, stops = begins[:-1], begins[1:]
    bag = either.counted(stops - begins)
    numbers = indices[: len(bag)].long()  # a tensor: the backward pass sees if it was written into
    index = numbers._array
    present = index != padding
    chosen = bag[present]
    sizes = np.bincount(chosen, minlength=len(begins))
    if mode == MAX:
        largest = wrap(_largest(table, index[present], bag[present], len(begins)))
        full = wrap((sizes > 0)[:, None].astype(table.dtype))
        out = _maximum(weight, largest, full, per_sample_weights)
        return out, wrap(bag), wrap(sizes), largest
    divisors = wrap(np.maximum(sizes, 1).astype(table.dtype)) if mode == MEAN else None
    mask = None if present.all() else wrap(present.astype(table.dtype))
    went = wrap(bag)
    out = _summed(
        weight, numbers, went, len(begins), divisors, per_sample_weights, mask, scale_grad_by_freq
    )
    if mode == SUM:
        sizes, went = np.zeros_like(sizes), wrap(either.empty(0, index, INT64))
    return out, went, wrap(sizes), wrap(sizes.copy())


def _check_dtypes(table: Array, index: Array, offsets: Array, factors: Tensor | None) -> None:
    for numbers in (index, offsets):
        check_numbers("embedding_bag", numbers)
    if table.dtype.kind != "f":
        raise RuntimeError(
            "Expected tensor for argument #1 'weight' to have one of the following scalar types: "
            f"Half, BFloat16, Float, Double; but got {cpp_name(table)} instead (while checking "
            "arguments for embedding_bag)"
        )
    if factors is not None and factors._array.dtype != table.dtype:
        raise RuntimeError(
            "Expected tensor for argument #1 'weight' to have the same type as tensor for argument "
            f"#1 'per_sample_weights'; but type {cpp_name(table)} does not equal "
            f"{cpp_name(factors._array)} (while checking arguments for embedding_bag)"
        )


def _check_offsets(offsets: Array, n: int) -> None:
    if offsets.size and offsets[0] != 0:
        raise RuntimeError(
            "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from "
            f"position 0. However, got {offsets[0]}\n[ torch.LongTensor{{}} ]"
        )
    if offsets.size and offsets[-1] > n:
        raise RuntimeError(
            f"offsets[-1] can not be greater than input's length {n} but got offsets[-1] of "
            f"{offsets[-1]}"
        )


def _check_range(index: Array, length: int, mode: int) -> None:
    wrong = np.flatnonzero((index < 0) | (index >= length))
    if not wrong.size:
        return
    at, value = wrong[0], index[wrong[0]]
    if mode == MAX:
        raise RuntimeError(
            f"embedding_bag: Expected idx >= 0 && idx < num_embeddings but found idx to be {value}"
        )
    raise RuntimeError(
        f"Index {at} of input takes value {value} which is not in the valid range [0, {length})"
    )


def _checked_padding(padding_idx: int | None, length: int) -> int:
    """The padding row counted from the start; -1 for none."""
    if padding_idx is None:
        return -1
    if not -length <= padding_idx < length:
        raise RuntimeError(
            f"padding_idx must be within the number of embeddings, -{length} through {length - 1}, "
            f"but got {padding_idx}"
        )
    return padding_idx % length
