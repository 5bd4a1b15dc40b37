"""Rows of a table looked up by number: `embedding`, and `embedding_bag`, which reduces bags of them.

The gradient of a lookup adds each row's gradient to the row of the table that it came from, in the
order of occurrence, since that decides the last bit. `add_rows` does it in passes: the first
occurrences of all numbers at once, then the second ones, and so on. The numbers that occur most
often come first, so that each pass adds to the beginning of one array, and the last ones are summed
number by number.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import either, gpu
from ..autograd.node import wrap
from ..autograd.noted import noted
from ..autograd.row import op
from ..dtypes import INT64
from ..promotion import check_tensors
from .softmax import _one_by_one

Array = Any
Tensor = Any


def add_rows(rows: Array, index: Array, length: int) -> Array:
    """Zeros of `length` rows, to which `rows` (n, D) are added at `index` (n,), one after another."""
    out = either.zeros((length, rows.shape[1]), rows)
    if not index.size:
        return out
    if not isinstance(index, np.ndarray):
        either.at(np.add, out, index, rows)
        return out
    # NumPy sorts 16-bit integers digit by digit, ten times as fast as longer ones
    order = np.argsort(index.astype(np.uint16) if length <= 1 << 16 else index, kind="stable")
    number, rows = index[order], either.contiguous(rows)
    starts = np.flatnonzero(np.concatenate(([True], number[1:] != number[:-1])))
    counts = np.diff(starts, append=len(number))
    frequent_first = np.argsort(-counts, kind="stable")
    starts, counts = starts[frequent_first], counts[frequent_first]
    sums = rows.take(order[starts], 0)
    for occurrence in range(1, int(counts[0])):
        again = np.count_nonzero(counts > occurrence)  # so many, from the first on
        if again < counts[0] - occurrence:  # fewer numbers than passes are left
            for i, (start, count) in enumerate(zip(starts[:again], counts, strict=False)):
                rest = rows[order[start + occurrence : start + count]]
                sums[i] = _one_by_one(np.concatenate((sums[i : i + 1], rest)))
            break
        sums[:again] += rows.take(order[starts[:again] + occurrence], 0)
    out[number[starts]] = sums
    return out


def _row_factors(index: Array, length: int, padding_idx: int, by_frequency: bool) -> Array | None:
    """By what the gradient of each looked up row is multiplied; None if by 1 throughout."""
    if not by_frequency and padding_idx < 0:
        return None
    factors = either.full(index.shape, 1, np.float64, index)
    if by_frequency:
        factors /= np.bincount(index, minlength=length)[index]
    factors[index == padding_idx] = 0
    return factors


@op(
    "EmbeddingDenseBackwardBackward0",
    grad0=lambda grad, index, length, padding_idx, by_frequency, xp: xp.embedding_factors(
        xp.reshape(xp.index_select(grad, 0, xp.reshape(index, (-1,))), (*index.shape, -1)),
        index, length, padding_idx, by_frequency,
    ),
)  # fmt: skip
def embedding_backward(
    grad0: Array, index: Array, length: int, padding_idx: int, by_frequency: bool
) -> Array:
    """The gradient of a table of `length` rows from that of the rows that were looked up."""
    flat, rows = index.reshape(-1), grad0.reshape(index.size, grad0.shape[-1])
    factors = _row_factors(flat, length, padding_idx, by_frequency)
    if factors is not None:
        kept = factors != 0
        if by_frequency:
            rows = rows * factors[:, None].astype(rows.dtype)
        if gpu.on_gpu(rows):
            rows = np.where(kept[:, None], rows, rows.dtype.type(0))
        elif not kept.all():
            rows, flat = rows[kept], flat[kept]
    return add_rows(rows, flat, length)


def embedding_factors_array(
    rows: Array, index: Array, length: int, padding_idx: int, by_frequency: bool
) -> Array:
    """Rows (*, D) times what `embedding_backward` multiplies their gradients by."""
    factors = _row_factors(index.reshape(-1), length, padding_idx, by_frequency)
    if factors is None:
        return rows
    return rows * factors.reshape(*index.shape, 1).astype(rows.dtype)


def embedding_factors(
    rows: Tensor, index: Tensor, length: int, padding_idx: int, by_frequency: bool
) -> Tensor:
    """`embedding_factors_array` made of ops."""
    factors = _row_factors(index._array.reshape(-1), length, padding_idx, by_frequency)
    if factors is None:
        return rows
    return rows * wrap(factors.reshape(*index._array.shape, 1).astype(rows._array.dtype))


@op(
    "EmbeddingBackward0",
    weight=lambda grad, weight_shape, index, padding_idx, by_frequency, xp: xp.embedding_backward(
        grad, index, weight_shape[0], padding_idx, by_frequency
    ),
)
def _embedding(weight: Array, index: Array, padding_idx: int, by_frequency: bool) -> Array:
    return weight.take(index, 0)


def embedding(
    weight: Tensor, indices: Tensor, padding_idx: int = -1, scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:  # fmt: skip
    """Rows of `weight` (V, D) by number: `indices` of any shape (*), int64 or int32, gives (*, D).

    padding_idx: the number of a row that gets no gradient; -1 for none.
    scale_grad_by_freq: divide each gradient by how often its number occurs.

    Raises IndexError for a number that is not in [0, V), RuntimeError for another dtype or a weight
    that is no matrix, NotImplementedError for `sparse=True`: gradients are dense here."""
    check_tensors("embedding", weight=weight, indices=indices)
    if weight._array.ndim != 2:
        raise RuntimeError("'weight' must be 2-D")
    check_numbers("embedding", indices._array)
    if sparse:
        raise no_sparse("embedding")
    _check_range(indices._array, len(weight._array))
    return _embedding(weight, indices, padding_idx, scale_grad_by_freq)


def _check_range(index: Array, length: int) -> None:
    if gpu.on_gpu(index):  # the host would have to wait to know
        return
    if index.size and (index.min() < 0 or index.max() >= length):
        raise IndexError("index out of range in self")


def no_sparse(name: str) -> NotImplementedError:
    return NotImplementedError(
        f"{name}: sparse gradients are not supported; with sparse=False the gradient is a dense "
        "tensor of the same values"
    )


_CPP_NAMES = {
    "float32": "torch.FloatTensor", "float64": "torch.DoubleTensor", "float16": "torch.HalfTensor",
    "int16": "torch.ShortTensor", "int8": "torch.CharTensor", "uint8": "torch.ByteTensor",
    "int32": "torch.IntTensor", "int64": "torch.LongTensor", "bool": "CPUBoolType",
}  # fmt: skip


def cpp_name(array: Array) -> str:
    """What PyTorch's C++ calls a tensor of this dtype."""
    return _CPP_NAMES[array.dtype.name]


def check_numbers(name: str, index: Array) -> None:
    if index.dtype.name not in ("int64", "int32"):
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: "
            f"Long, Int; but got {cpp_name(index)} instead (while checking arguments for {name})"
        )


def embedding_renorm_(input: Tensor, indices: Tensor, max_norm: float, norm_type: float) -> Tensor:
    """Scale the rows of `input` (V, D) that are named in `indices` down, in place, to a norm of
    `max_norm`, where theirs is larger. `norm_type` is the exponent of the norm."""
    check_numbers("embedding_renorm_", indices._array)
    table, numbers = input._array, np.unique(indices._array)
    _check_range(numbers, len(table))
    rows = table[numbers]
    norms = np.linalg.norm(rows.astype(np.float64), norm_type, axis=1)
    large = norms > max_norm
    factors = (max_norm / (norms[large] + 1e-7)).astype(table.dtype)
    table[numbers[large]] = rows[large] * factors[:, None]
    input._bump_version()
    return input


@noted
def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Class numbers (*), int64, as rows with a single 1: (*, num_classes), int64.

    num_classes: by default one more than the largest number. RuntimeError if a number is negative
    or too large, or none is there to tell how many classes there are."""
    classes = tensor._array
    if classes.dtype != INT64:
        raise RuntimeError("one_hot is only applicable to index tensor of type LongTensor.")
    if not classes.size and num_classes <= 0:
        raise RuntimeError("Can not infer total number of classes from empty tensor.")
    if classes.size and classes.min() < 0:
        raise RuntimeError("Class values must be non-negative.")
    if num_classes == -1:
        num_classes = int(classes.max()) + 1
    elif classes.size and classes.max() >= num_classes:
        raise RuntimeError("Class values must be smaller than num_classes.")
    return wrap((classes[..., None] == np.arange(num_classes, like=classes)).astype(INT64))
