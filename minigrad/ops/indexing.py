"""Indexing: `t[...]` and its assignment.

As in PyTorch an index expression is taken apart from left to right: an integer selects, a slice
slices, None puts in a dimension (all three are views), and what remains of tensors, lists and
masks is one gather, which copies.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from .. import either, gpu
from ..autograd import node as graph
from ..autograd.inplace import begin_write, view_op, write
from ..autograd.node import unwrap, wrap
from ..autograd.row import op
from .conversion import as_tensor_like, to
from .dims import wrap_dim
from .inplace import copy_, fill_
from .shape import _view, alias, expand, row_major, unsqueeze

Array = Any
Tensor = Any
Indices = list[Any]  # index arrays, and None for a dimension that is taken whole
ALL = slice(None)
PLAIN = {int, slice}


@view_op(
    "SelectBackward0",
    input=lambda grad, input_shape, dim, index, xp: xp.select_backward(
        grad, input_shape, dim, index
    ),
)
def _select(input: Array, dim: int, index: int) -> Array:
    return input[(ALL,) * dim + (index, ...)] if dim else input[index, ...]


@op("SelectBackwardBackward0", grad=lambda grad, dim, index, xp: xp.select(grad, dim, index))
def select_backward(grad: Array, shape: tuple[int, ...], dim: int, index: int) -> Array:
    """Zeros of `shape` with `grad` at one position of `dim`."""
    out = either.zeros(shape, grad)
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
    out = either.zeros(shape, grad)
    out[(ALL,) * dim + (where, ...)] = grad
    return out


@op(
    "IndexBackward0",
    input=lambda grad, input_shape, indices, xp: xp.index_backward(grad, input_shape, indices),
)
def index_rows(input: Array, indices: Indices) -> Array:
    """Elements gathered by whole numbers and masks, one array or None for each dimension (or for
    those of a mask)."""
    try:
        return row_major(input[_key(indices)])
    except IndexError:
        raise _do_not_broadcast(indices) from None


def _key(indices: Indices) -> tuple[Any, ...]:
    """The index expression of NumPy's: None takes a whole dimension, bytes are a mask."""
    return tuple(
        [ALL if i is None else i.astype(bool) if i.dtype == np.uint8 else i for i in indices]
    )


def _do_not_broadcast(indices: Indices) -> IndexError:
    numbers = [
        n for i in _key(indices) if i is not ALL for n in (i.nonzero() if i.dtype == bool else [i])
    ]
    shapes = ", ".join(str(list(i.shape)) for i in numbers)
    return IndexError(
        f"shape mismatch: indexing tensors could not be broadcast together with shapes {shapes}"
    )


@op("IndexPutBackward1", grad=lambda grad, indices, xp: xp.index(grad, indices))
def index_backward(grad: Array, shape: tuple[int, ...], indices: Indices) -> Array:
    """Zeros of `shape` to which `grad` is added at `indices`, once per occurrence."""
    out = either.zeros(shape, grad)
    either.at(np.add, out, _key(indices), grad)
    return out


def _put_formula_input(grad: Any, indices: Any, accumulate: bool, xp: Any) -> Any:
    return grad if accumulate else xp.where(xp.untouched(grad, indices), grad, 0.0)


@op(
    "IndexPutBackward0",
    input=_put_formula_input,
    values=lambda grad, indices, xp: xp.index(grad, indices),
)
def _index_put(input: Array, values: Array, indices: Indices, accumulate: bool) -> Array:
    out = input.copy()
    if accumulate:
        either.at(np.add, out, _key(indices), values)
    else:
        out[_key(indices)] = values
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


def narrow(input: Tensor, dim: int, start: Any, length: int) -> Tensor:
    """A view of `length` positions of `dim` from `start` on."""
    if isinstance(start, graph.Tensor):
        if start._array.ndim or start._array.dtype.kind not in "iu":
            raise RuntimeError("start must be an 0-dim integral Tensor.")
        start = int(start._array)
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
    plain = type(index) is tuple and {*map(type, index)} <= PLAIN
    if plain and len(index) <= input._array.ndim:
        view, indices = _select_and_slice(input, index), None
    else:
        view, indices = _basic(input, index)
    if indices is not None:
        return index_rows(view, indices)
    return alias(view) if view is input else view


def _select_and_slice(input: Tensor, items: tuple[Any, ...]) -> Tensor:
    """What `_basic` does, for the most frequent index expressions: `x[0, 1]`, `x[:, 0]`."""
    dim = 0
    for number, item in enumerate(items):
        if type(item) is int:
            input = _apply_int(input, dim, item, number)
        else:
            input, dim = _apply_slice(input, dim, item), dim + 1
    return input


def setitem(input: Tensor, index: Any, value: Any) -> None:
    """`input[index] = value`, recorded like any other in-place operation."""
    value = as_tensor_like(value, input)
    view, indices = _basic(input, index, is_written=True)
    if indices is None:
        _overwrite(view, value)
        return
    put(view, indices, _without_leading_ones(value))


def put(
    view: Tensor, indices: list[Tensor | None], value: Tensor, accumulate: bool = False
) -> Tensor:
    """Overwrite the elements at `indices`, which were checked, with `value`, which broadcasts."""
    check_put(view, indices, value)
    args = (view, value, indices, accumulate)
    out = _index_put.forward(*unwrap(list(args)))
    return write(_index_put.row, args, out, "none" if value._array.ndim else "any")


def check_put(view: Tensor, indices: list[Tensor | None], value: Tensor) -> None:
    """RuntimeError unless `value` fits the elements at `indices`."""
    array, where = value._array, unwrap(indices)
    target = index_rows.forward(view._array, where).shape
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


def _basic(
    input: Tensor, index: Any, is_written: bool = False
) -> tuple[Tensor, list[Tensor | None] | None]:
    """The view that integers, slices and None select, and the tensors still to gather by.

    is_written: whether the view may be written comes before whether those tensors fit it."""
    items = [_regular(i) for i in (tuple(index) if _is_tuple(index) else (index,))]
    ndim = input._array.ndim
    used = sum(dimensions_of(i) for i in items)
    if not ndim and used:
        _zero_dim()
    if used > ndim:
        raise IndexError(f"too many indices for tensor of dimension {ndim}")
    view, dim = input, 0
    rest = ndim - used  # dimensions for the first ellipsis
    indices: list[Tensor | None] = []
    covered = arrays = 0  # dimensions that `indices` speak of, and arrays among them
    unchecked = []
    for place, item in enumerate(items):
        if item is Ellipsis and rest:
            dim, rest = dim + rest, 0
        elif item is Ellipsis:
            continue
        elif item is None:
            view, dim = unsqueeze(view, dim), dim + 1
        elif isinstance(item, bool):
            view = unsqueeze(view, dim)
            indices += [None] * (dim - covered) + [
                wrap(either.zeros(1 if item else 0, view._array, np.int64))
            ]
            dim, covered, arrays = dim + 1, dim + 1, arrays + 1
        elif isinstance(item, int):
            view = _apply_int(view, dim, item, place)
        elif isinstance(item, slice):
            view, dim = _apply_slice(view, dim, item), dim + 1
        else:
            if type(view._array) is not np.ndarray:
                item = to(item, device=view.device)  # an index of the CPU may mean a GPU's elements
            unchecked.append((item._array, dim, arrays))
            indices += [None] * (dim - covered) + [item]
            size = dimensions_of(item)
            dim = covered = dim + size
            arrays += size
    if indices and is_written:
        begin_write(view)
    for array, at, number in unchecked:
        check_index(array, view._array.shape, at, number)
    return view, indices or None


def _is_tuple(index: Any) -> bool:
    """A list with more than numbers in it is an index expression, as a tuple is."""
    parts = (list, tuple, slice, graph.Tensor, np.ndarray)
    return isinstance(index, tuple) or (
        isinstance(index, list)
        and any(isinstance(i, parts) or i is None or i is Ellipsis for i in index)
    )


def _regular(item: Any) -> Any:
    """One item of an index expression as int, bool, slice, None, Ellipsis or Tensor."""
    if item is None or item is Ellipsis or isinstance(item, (bool, slice, int)):
        return item
    if isinstance(item, (list, tuple, range)):
        item = wrap(_whole(item))
    elif isinstance(item, np.ndarray):
        item = wrap(item.copy())
    elif isinstance(item, graph.Tensor):
        pass
    elif hasattr(item, "__index__"):
        return operator.index(item)
    elif isinstance(item, str):
        raise TypeError("new(): invalid data type 'str'")
    else:
        raise _unusable(type(item).__name__)
    if item._array.dtype.name not in INDEX_DTYPES:
        raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
    return item if item._array.ndim else item._array.item()


INDEX_DTYPES = ("int64", "int32", "uint8", "bool")


def _whole(numbers: Any) -> Array:
    """Nested lists of numbers as an array of integers or bools; fractions are cut off."""
    array = np.asarray(numbers)
    return array.astype(np.int64) if array.dtype.kind == "f" else array


def _unusable(kind: str) -> IndexError:
    return IndexError(
        "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid "
        f"indices (got {kind})"
    )


def dimensions_of(item: Any) -> int:
    """How many dimensions of the tensor an item stands for."""
    if item is None or item is Ellipsis or isinstance(item, bool):
        return 0
    return item._array.ndim if isinstance(item, graph.Tensor) and _is_mask(item._array) else 1


def _is_mask(array: Array) -> bool:
    return array.dtype.name in ("bool", "uint8")


def _zero_dim() -> Any:
    raise IndexError(
        "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to "
        "convert a 0-dim tensor to a number"
    )


def _no_slice() -> Any:
    raise IndexError("slice() cannot be applied to a 0-dim tensor.")


def _apply_int(input: Tensor, dim: int, index: int, place: int) -> Tensor:
    """One number of an index; an error names its place in the index, as PyTorch does."""
    size = input._array.shape[dim]
    if not -size <= index < size:
        raise IndexError(f"index {index} is out of bounds for dimension {place} with size {size}")
    return _select(input, dim, index % size)


def _apply_slice(input: Tensor, dim: int, item: slice, keep: bool = False) -> Tensor:
    size = input._array.shape[dim]
    step = 1 if item.step is None else operator.index(item.step)
    if not step:
        raise ValueError("slice step cannot be zero")
    if step < 0:
        raise ValueError("step must be greater than zero")
    if not item.start and (item.stop is None or item.stop >= size) and step == 1 and not keep:
        return input  # it says so itself; `x[-3:]` of three elements is a slice
    start, stop, _ = slice(item.start, item.stop, step).indices(size)
    return _slice(input, dim, slice(start, stop, step))


def check_index(item: Array, shape: tuple[int, ...], dim: int, number: int) -> None:
    """IndexError unless an index array or mask fits the sizes; the errors count as PyTorch does,
    from the `number` of arrays that came before."""
    if _is_mask(item):
        if item.shape != shape[dim : dim + item.ndim]:
            at = next(
                i for i, (a, b) in enumerate(zip(item.shape, shape[dim:], strict=False)) if a != b
            )
            raise IndexError(
                f"The shape of the mask {list(item.shape)} at index {at} does not match the shape of the "
                f"indexed tensor {list(shape)} at index {dim + at}"
            )
        return
    size = shape[dim]
    outside = (item < -size) | (item >= size)
    if not gpu.on_gpu(outside) and outside.any():
        raise IndexError(
            f"index {item[outside].flat[0]} is out of bounds for dimension {number} with size {size}"
        )


def untouched(grad: Tensor, indices: list[Tensor | None]) -> Tensor:
    """False where an assignment to `indices` wrote."""
    return wrap(untouched_array(grad._array, unwrap(indices)))


def untouched_array(grad: Array, indices: Indices) -> Array:
    mask = either.full(grad.shape, True, bool, grad)
    mask[_key(indices)] = False
    return mask


index = index_rows  # the name that formulas use
