"""Indexing: `t[...]` and its assignment.

As in PyTorch an index expression is taken apart from left to right: an integer selects, a slice
slices, None puts in a dimension (all three are views), and what remains of tensors, lists and
masks is one gather, which copies.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ..autograd import node as graph
from ..autograd.inplace import view_op, write
from ..autograd.node import wrap
from ..autograd.row import op
from .conversion import as_tensor_like
from .dims import wrap_dim
from .inplace import copy_, fill_
from .shape import _view, alias, expand, row_major, unsqueeze

Array = Any
Tensor = Any
ALL = slice(None)


@view_op(
    "SelectBackward0",
    input=lambda grad, input_shape, dim, index, xp: xp.select_backward(
        grad, input_shape, dim, index
    ),
)
def _select(input: Array, dim: int, index: int) -> Array:
    return input[(ALL,) * dim + (index, ...)]


@op("SelectBackwardBackward0", grad=lambda grad, dim, index, xp: xp.select(grad, dim, index))
def select_backward(grad: Array, shape: tuple[int, ...], dim: int, index: int) -> Array:
    """Zeros of `shape` with `grad` at one position of `dim`."""
    out = np.zeros(shape, grad.dtype)
    out[(ALL,) * dim + (index, ...)] = grad
    return out


@view_op(
    "SliceBackward0",
    input=lambda grad, input_shape, dim, where, xp: xp.slice_backward(
        grad, input_shape, dim, where
    ),
)
def _slice(input: Array, dim: int, where: slice) -> Array:
    return input[(ALL,) * dim + (where, ...)]


@op("SliceBackwardBackward0", grad=lambda grad, dim, where, xp: xp.slice(grad, dim, where))
def slice_backward(grad: Array, shape: tuple[int, ...], dim: int, where: slice) -> Array:
    """Zeros of `shape` with `grad` in one slice of `dim`."""
    out = np.zeros(shape, grad.dtype)
    out[(ALL,) * dim + (where, ...)] = grad
    return out


@op(
    "IndexBackward0",
    input=lambda grad, input_shape, indices, xp: xp.index_backward(grad, input_shape, indices),
)
def index_rows(input: Array, indices: tuple[Any, ...]) -> Array:
    """Elements gathered by integer arrays (slices stand for untouched dimensions)."""
    try:
        return row_major(input[indices])
    except IndexError:
        raise _do_not_broadcast(indices) from None


def _do_not_broadcast(indices: tuple[Any, ...]) -> IndexError:
    shapes = ", ".join(str(list(i.shape)) for i in indices if isinstance(i, np.ndarray))
    return IndexError(
        f"shape mismatch: indexing tensors could not be broadcast together with shapes {shapes}"
    )


@op("IndexPutBackward1", grad=lambda grad, indices, xp: xp.index(grad, indices))
def index_backward(grad: Array, shape: tuple[int, ...], indices: tuple[Any, ...]) -> Array:
    """Zeros of `shape` to which `grad` is added at `indices`, once per occurrence."""
    out = np.zeros(shape, grad.dtype)
    np.add.at(out, indices, grad)
    return out


def _put_formula_input(grad: Any, indices: Any, xp: Any) -> Any:
    return xp.where(xp.untouched(grad, indices), grad, 0.0)


@op(
    "IndexPutBackward0",
    input=_put_formula_input,
    values=lambda grad, indices, xp: xp.index(grad, indices),
)
def _index_put(input: Array, values: Array, indices: tuple[Any, ...]) -> Array:
    out = input.copy()
    out[indices] = values
    return out


def select(input: Tensor, dim: int, index: int) -> Tensor:
    """A view without dimension `dim`, at position `index` of it."""
    array = input._array
    if not array.ndim:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    at = wrap_dim(dim, array.ndim)
    size = array.shape[at]
    if not -size <= index < size:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(array.shape)} at dimension {at}"
        )
    return _select(input, at, index % size)


def narrow(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """A view of `length` positions of `dim` from `start` on."""
    if not input._array.ndim:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    at = wrap_dim(dim, input._array.ndim)
    size = input._array.shape[at]
    begin = start + size if start < 0 else start
    if not 0 <= begin <= size:
        raise IndexError(
            f"start out of range (expected to be in range of [{-size}, {size}], but got {start})"
        )
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    if begin + length > size:
        raise RuntimeError(f"start ({begin}) + length ({length}) exceeds dimension size ({size}).")
    return _slice(input, at, slice(begin, begin + length, 1))


# --- index expressions ---------------------------------------------------------------------------


def getitem(input: Tensor, index: Any) -> Tensor:
    """`input[index]`."""
    if type(index) is int and input._array.ndim:
        return _apply_int(input, 0, index, 0)
    if isinstance(index, slice):  # alone, it is a node even where it takes everything
        return _apply_slice(input, 0, index, keep=True) if input._array.ndim else _no_slice()
    view, indices = _basic(input, index)
    if indices is not None:
        return index_rows(view, indices)
    return alias(view) if view is input else view


def setitem(input: Tensor, index: Any, value: Any) -> None:
    """`input[index] = value`, recorded like any other in-place operation."""
    value = as_tensor_like(value, input)
    view, indices = _basic(input, index)
    array = value._array
    if indices is None:
        _overwrite(view, value)
        return
    value = _without_leading_ones(value)
    array = value._array
    target = index_rows.forward(view._array, indices).shape
    try:
        np.broadcast_to(array, target)
    except ValueError:
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(array.shape)} cannot be broadcast to indexing "
            f"result of shape {list(target)}"
        ) from None
    if array.dtype is not view._array.dtype:
        raise RuntimeError(
            "Index put requires the source and destination dtypes match, got "
            f"{_scalar(view)} for the destination and {_scalar(value)} for the source."
        )
    write(_index_put.row, (view, value, indices), _index_put.forward(view._array, array, indices))


def _overwrite(view: Tensor, value: Tensor) -> None:
    """Copy `value` into `view` by the steps that PyTorch takes."""
    shape = view._array.shape
    if value._array.shape != shape and not value._array.ndim:
        fill_(view, value)
        return
    if value._array.shape != shape:
        value = _view(value, _trailing(value._array.shape))
        value = value if value._array.shape == shape else expand(value, shape)
    copy_(view, value)


def _trailing(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape without the ones that it begins with."""
    first = next((i for i, s in enumerate(shape) if s != 1), len(shape))
    return shape[first:]


def _without_leading_ones(value: Tensor) -> Tensor:
    shape = _trailing(value._array.shape)
    return value if shape == value._array.shape else _view(value, shape)


def _scalar(tensor: Tensor) -> str:
    from ..dtypes import scalar_name

    return scalar_name(tensor._array.dtype)


def _basic(input: Tensor, index: Any) -> tuple[Tensor, tuple[Any, ...] | None]:
    """The view that integers, slices and None select, and the arrays still to gather by."""
    items = [_regular(i) for i in (tuple(index) if _is_tuple(index) else (index,))]
    ndim = input._array.ndim
    used = sum(_consumes(i) for i in items)
    if not ndim and used:
        _zero_dim()
    if used > ndim:
        raise IndexError(f"too many indices for tensor of dimension {ndim}")
    view, dim, original = input, 0, 0
    rest = ndim - used  # dimensions for the first ellipsis
    gather: dict[int, Array] = {}
    for item in items:
        if item is Ellipsis and rest:
            dim, original, rest = dim + rest, original + rest, 0
        elif item is Ellipsis:
            continue
        elif item is None:
            view, dim = unsqueeze(view, dim), dim + 1
        elif isinstance(item, bool):
            view = unsqueeze(view, dim)
            gather[dim] = np.zeros(1 if item else 0, np.int64)
            dim += 1
        elif isinstance(item, int):
            view, original = _apply_int(view, dim, item, original), original + 1
        elif isinstance(item, slice):
            view, dim, original = _apply_slice(view, dim, item), dim + 1, original + 1
        else:
            for array in _index_arrays(item, view._array.shape, dim, len(gather)):
                gather[dim] = array
                dim, original = dim + 1, original + 1
    if not gather:
        return view, None
    return view, tuple(gather.get(i, ALL) for i in range(max(gather) + 1))


def _is_tuple(index: Any) -> bool:
    """A list with more than numbers in it is an index expression, as a tuple is."""
    parts = (list, tuple, slice, graph.Tensor, np.ndarray)
    return isinstance(index, tuple) or (
        isinstance(index, list)
        and any(isinstance(i, parts) or i is None or i is Ellipsis for i in index)
    )


def _regular(item: Any) -> Any:
    """One item of an index expression as int, bool, slice, None, Ellipsis or array."""
    if item is None or item is Ellipsis or isinstance(item, (bool, slice, int)):
        return item
    if isinstance(item, graph.Tensor):
        item = item._array
    elif isinstance(item, (list, tuple, range)):
        item = _whole(item)
    elif hasattr(item, "__index__") and not isinstance(item, np.ndarray):
        return operator.index(item)
    elif isinstance(item, str):
        raise TypeError("new(): invalid data type 'str'")
    elif not isinstance(item, np.ndarray):
        raise _unusable(type(item).__name__)
    if item.dtype.kind == "f":
        raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
    return item if item.ndim else item.item()


def _whole(numbers: Any) -> Array:
    """Nested lists of numbers as an array of integers or bools; fractions are cut off."""
    array = np.asarray(numbers)
    return array.astype(np.int64) if array.dtype.kind == "f" else array


def _unusable(kind: str) -> IndexError:
    return IndexError(
        "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid "
        f"indices (got {kind})"
    )


def _consumes(item: Any) -> int:
    """How many dimensions of the tensor an item stands for."""
    if item is None or item is Ellipsis or isinstance(item, bool):
        return 0
    return item.ndim if isinstance(item, np.ndarray) and item.dtype == bool else 1


def _zero_dim() -> Any:
    raise IndexError(
        "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to "
        "convert a 0-dim tensor to a number"
    )


def _no_slice() -> Any:
    raise IndexError("slice() cannot be applied to a 0-dim tensor.")


def _apply_int(input: Tensor, dim: int, index: int, original: int) -> Tensor:
    size = input._array.shape[dim]
    if not -size <= index < size:
        raise IndexError(
            f"index {index} is out of bounds for dimension {original} with size {size}"
        )
    return _select(input, dim, index % size)


def _apply_slice(input: Tensor, dim: int, item: slice, keep: bool = False) -> Tensor:
    size = input._array.shape[dim]
    step = 1 if item.step is None else operator.index(item.step)
    if not step:
        raise ValueError("slice step cannot be zero")
    if step < 0:
        raise ValueError("step must be greater than zero")
    start, stop, _ = slice(item.start, item.stop, step).indices(size)
    if start == 0 and stop == size and step == 1 and not keep:
        return input
    return _slice(input, dim, slice(start, stop, step))


def _index_arrays(item: Array, shape: tuple[int, ...], dim: int, number: int) -> list[Array]:
    """The integer arrays that an index array or mask stands for, checked against the sizes; the
    errors count as PyTorch does, from the `number` of arrays that came before."""
    if item.dtype == bool:
        if item.shape != shape[dim : dim + item.ndim]:
            at = next(
                i for i, (a, b) in enumerate(zip(item.shape, shape[dim:], strict=False)) if a != b
            )
            raise IndexError(
                f"The shape of the mask {list(item.shape)} at index {at} does not match the shape of the "
                f"indexed tensor {list(shape)} at index {dim + at}"
            )
        return list(np.nonzero(item))
    size = shape[dim]
    outside = (item < -size) | (item >= size)
    if outside.any():
        raise IndexError(
            f"index {item[outside].flat[0]} is out of bounds for dimension {number} with size {size}"
        )
    return [item.astype(np.int64)]  # a copy: the graph must not see later changes


def untouched(grad: Tensor, indices: tuple[Any, ...]) -> Tensor:
    """False where an assignment to `indices` wrote."""
    return wrap(untouched_array(grad._array, indices))


def untouched_array(grad: Array, indices: tuple[Any, ...]) -> Array:
    mask = np.ones(grad.shape, bool)
    mask[indices] = False
    return mask


index = index_rows  # the name that formulas use
