"""Shape ops: views of the same memory where that is possible, copies where it is not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autograd import node as graph
from ..autograd.geometry import element_strides, storage_offset
from ..autograd.inplace import view_op
from ..autograd.node import unwrap, wrap
from ..autograd.row import op
from ..dtypes import dtype as Dtype
from ..dtypes import scalar_name
from ..layout import contiguous_format, in_format, preserve_format
from .dims import distinct_dims, infer_size, size_of, wrap_dim
from .numpy_names import numpy_names
from .summation import empty_as

Array = Any
Tensor = Any

# --- the same elements in another shape ----------------------------------------------------------


@view_op("ViewBackward0", input=lambda grad, input_shape, xp: xp.reshape(grad, input_shape))
def _view(input: Array, shape: tuple[int, ...]) -> Array:
    out = input.reshape(shape)
    if not (input.flags.c_contiguous or np.may_share_memory(out, input)) and out.size:
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one "
            "dimension spans across two contiguous subspaces). Use .reshape(...) instead."
        )
    return out


@op("UnsafeViewBackward0", input=lambda grad, input_shape, xp: xp.reshape(grad, input_shape))
def _unsafe_view(input: Array, shape: tuple[int, ...]) -> Array:
    return input.reshape(shape)


@view_op("ReshapeAliasBackward0", input=lambda grad, input_shape, xp: xp.reshape(grad, input_shape))
def _reshape_alias(input: Array, shape: tuple[int, ...]) -> Array:
    return input.reshape(shape)


@op("CloneBackward0", input=lambda grad: grad)
def _clone(input: Array) -> Array:
    if 0 not in input.strides:
        return input.copy("K") if input.ndim else input.copy()
    out = empty_as(input, input.dtype)
    out[...] = input
    return out


@op("CloneBackward0", input=lambda grad: grad)
def _clone_contiguous(input: Array) -> Array:
    return input.copy("C")


@view_op("AliasBackward0", input=lambda grad: grad)
def alias(input: Array) -> Array:
    """A new Tensor for the same memory."""
    return input[...]


def view(input: Tensor, *shape: Any, size: Any = None, dtype: Any = None) -> Tensor:
    """The same memory in another shape; RuntimeError if that needs a copy. One size may be -1.

    `view(dtype)`: the same bytes as elements of another type, without a gradient."""
    if dtype is not None or (shape and isinstance(shape[0], Dtype)):
        return _as_type(input, (dtype or shape[0]).numpy)
    if size is not None:
        shape = (size,)
    if not shape:
        raise TypeError("view() received no arguments, but expected a dtype or a tuple of ints")
    return _view(input, infer_size(size_of(shape), input._array.size))


def _as_type(input: Tensor, dtype: Any) -> Tensor:
    if dtype.itemsize != input._array.itemsize:
        _check_that_elements_fit(input, dtype)
    result = wrap(input._array.view(dtype))
    result._version_counter = input._version_counter
    return result


def _check_that_elements_fit(input: Tensor, dtype: Any) -> None:
    """Elements of another size have to begin and end where elements do now."""
    array, steps = input._array, element_strides(input._array)
    kinds = f"to view {scalar_name(array.dtype)} as {scalar_name(dtype)} (different element sizes)"
    if not array.ndim:
        raise RuntimeError(f"self.dim() cannot be 0 {kinds}")
    times = dtype.itemsize // array.itemsize  # 0: smaller elements fit everywhere
    places = {"size(-1)": array.shape[-1], "storage_offset()": storage_offset(input)}
    _check_divisible(places, times, kinds)
    if steps[-1] != 1:
        raise RuntimeError(f"self.stride(-1) must be 1 {kinds}, but got {steps[-1]}")
    _check_divisible({f"stride({i})": step for i, step in enumerate(steps[:-1])}, times, kinds)


def _check_divisible(places: dict[str, int], times: int, kinds: str) -> None:
    for name, value in places.items():
        if times and value % times:
            raise RuntimeError(f"self.{name} must be divisible by {times} {kinds}, but got {value}")


def reshape(input: Tensor, *shape: Any) -> Tensor:
    """`view` where that is possible, else a copy in the other shape."""
    size = infer_size(
        size_of(shape[0] if len(shape) == 1 and not _is_int(shape[0]) else shape), input._array.size
    )
    if input._array.flags.c_contiguous:
        return _view(input, size)
    if not input._array.size or np.may_share_memory(input._array.reshape(size), input._array):
        return _reshape_alias(input, size)
    return _unsafe_view(_clone_contiguous(input), size)


def _is_int(value: Any) -> bool:
    return not isinstance(value, (list, tuple))


def view_as(input: Tensor, other: Tensor) -> Tensor:
    """`input` viewed in the shape of `other`."""
    return view(input, other._array.shape)


def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """`input` reshaped to the shape of `other`."""
    return reshape(input, other._array.shape)


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """The dimensions from `start_dim` to `end_dim` made one."""
    shape = input._array.shape
    if not shape:
        return reshape(input, 1)
    start, end = wrap_dim(start_dim, len(shape)), wrap_dim(end_dim, len(shape))
    if start > end:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if start == end:
        return input
    return reshape(input, shape[:start] + (math.prod(shape[start : end + 1]),) + shape[end + 1 :])


def ravel(input: Tensor) -> Tensor:
    """All elements in one dimension, in order in memory."""
    return reshape(contiguous(input), -1)


@view_op("UnsqueezeBackward0", input=lambda grad, dim, xp: xp.squeeze(grad, dim))
def _unsqueeze(input: Array, dim: int) -> Array:
    return np.expand_dims(input, dim)


@numpy_names
def unsqueeze(input: Tensor, dim: Any = None) -> Tensor:
    """A dimension of size 1 put in before `dim`."""
    return _unsqueeze(input, wrap_dim(dim, input._array.ndim + 1))


def unsqueeze_dims(input: Tensor, dims: Sequence[int]) -> Tensor:
    """Dimensions of size 1 put in, so that they are `dims` of the result."""
    for dim in sorted(dims):
        input = _unsqueeze(input, dim)
    return input


def unsqueeze_dims_array(array: Array, dims: Sequence[int]) -> Array:
    shape = list(array.shape)
    for dim in sorted(dims):
        shape.insert(dim, 1)
    return array.reshape(shape)


def squeeze_array(array: Array, dim: int) -> Array:
    """The method `squeeze` raises where there is nothing to drop."""
    return array.squeeze(dim) if array.ndim else array


def _drop_ones(input: Array, dims: Sequence[int]) -> Array:
    return input.reshape([s for i, s in enumerate(input.shape) if not (i in dims and s == 1)])


def _put_back(grad: Any, shape: tuple[int, ...], dims: Sequence[int], xp: Any) -> Any:
    """The gradient of `squeeze`: those of `dims` that had size 1 are there again."""
    return xp.unsqueeze_dims(grad, [d for d in dims if shape[d : d + 1] == (1,)])


@view_op(
    "SqueezeBackward0",
    input=lambda grad, input_shape, xp: _put_back(grad, input_shape, range(len(input_shape)), xp),
)
def _squeeze_all(input: Array) -> Array:
    return _drop_ones(input, range(input.ndim))


@view_op(
    "SqueezeBackward1",
    input=lambda grad, input_shape, dim, xp: _put_back(grad, input_shape, [dim], xp),
)
def _squeeze_dim(input: Array, dim: int) -> Array:
    return _drop_ones(input, [dim])


@view_op(
    "SqueezeBackward2",
    input=lambda grad, input_shape, dims, xp: _put_back(grad, input_shape, dims, xp),
)
def _squeeze_dims(input: Array, dims: tuple[int, ...]) -> Array:
    return _drop_ones(input, dims)


@op("SqueezeBackward4", input=lambda grad, dim, xp: xp.unsqueeze(grad, dim))
def squeeze_product(input: Array, dim: int) -> Array:
    """The product of a vector and a matrix without the dimension that was put in for it."""
    return _drop_ones(input, [dim])


@numpy_names
def squeeze(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """Without the dimensions of size 1: all of them, or those that are named."""
    ndim = input._array.ndim
    if dim is None:
        return _squeeze_all(input)
    if isinstance(dim, (list, tuple)):
        return _squeeze_dims(input, distinct_dims(dim, ndim))
    return _squeeze_dim(input, wrap_dim(dim, ndim))


# --- the dimensions in another order -------------------------------------------------------------


@view_op("TBackward0", input=lambda grad, xp: xp.t(grad))
def _t(input: Array) -> Array:
    return input.T


def t(input: Tensor) -> Tensor:
    """A matrix transposed; vectors and scalars stay as they are."""
    if unwrap(input).ndim > 2:
        raise RuntimeError(
            f"t() expects a tensor with <= 2 dimensions, but self is {input._array.ndim}D"
        )
    return _t(input)


@view_op(
    "TransposeBackward0",
    input=lambda grad, dim0, dim1, xp: (  # NumPy does not transpose numbers
        grad if xp is graph.array_ops and not grad.ndim else xp.transpose(grad, dim0, dim1)
    ),
)
def _transpose(input: Array, dim0: int, dim1: int) -> Array:
    return input.swapaxes(dim0, dim1) if input.ndim else input[...]


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dimensions exchanged."""
    ndim = input._array.ndim
    return _transpose(input, wrap_dim(dim0, ndim), wrap_dim(dim1, ndim))


@view_op(
    "PermuteBackward0", input=lambda grad, dims, xp: xp.permute(grad, np.argsort(dims).tolist())
)
def _permute(input: Array, dims: tuple[int, ...]) -> Array:
    return input.transpose(dims)


def permute(input: Tensor, *dims: Any) -> Tensor:
    """The dimensions in the order `dims`."""
    if not dims:
        raise TypeError('permute() missing 1 required positional arguments: "dims"')
    ndim = input._array.ndim
    given = size_of(dims)
    if len(given) != ndim:
        raise RuntimeError(
            f"permute(sparse_coo): number of dimensions in the tensor input does not match the length "
            f"of the desired ordering of dimensions i.e. input.dim() = {ndim} is not equal to "
            f"len(dims) = {len(given)}"
        )
    order = tuple(wrap_dim(d, ndim) for d in given)
    if len(set(order)) != ndim:
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return _permute(input, order)


def reversed_dims(input: Tensor) -> Tensor:
    """All dimensions in reverse: the attribute `T`."""
    return _permute(input, tuple(reversed(range(input._array.ndim))))


def matrix_transpose(input: Tensor) -> Tensor:
    """The last two dimensions exchanged: the attribute `mT`. A number is returned as it is."""
    if not input._array.ndim:
        return input
    if input._array.ndim < 2:
        raise RuntimeError(
            "tensor.mT is only supported on matrices or batches of matrices. Got "
            f"{input._array.ndim}-D tensor."
        )
    return transpose(input, -2, -1)


# --- broadcasting and copies ---------------------------------------------------------------------


@view_op("ExpandBackward0", input=lambda grad: grad)
def _expand(input: Array, size: tuple[int, ...]) -> Array:
    expanded = np.broadcast_to(input, size)
    if isinstance(expanded, np.ndarray) and input.flags.writeable:
        expanded = np.lib.stride_tricks.as_strided(input, size, expanded.strides)
    return expanded


def expand(input: Tensor, *size: Any) -> Tensor:
    """`input` repeated along dimensions of size 1, without a copy; -1 keeps a size."""
    have = input._array.shape
    want = size_of(size)
    if len(want) < len(have):
        raise RuntimeError(
            f"expand(torch.FloatTensor{{{list(have)}}}, size={list(want)}): the number of sizes provided "
            f"({len(want)}) must be greater or equal to the number of dimensions in the tensor ({len(have)})"
        )
    padded = (None,) * (len(want) - len(have)) + have
    sizes = []
    for i in reversed(range(len(want))):  # PyTorch looks at the last dimension first
        w, h = want[i], padded[i]
        if w == -1 and h is None:
            raise RuntimeError(
                f"The expanded size of the tensor (-1) isn't allowed in a leading, non-existing dimension {i}"
            )
        if h not in (None, 1) and w not in (-1, h):
            raise RuntimeError(
                f"The expanded size of the tensor ({w}) must match the existing size ({h}) at "
                f"non-singleton dimension {i}.  Target sizes: {list(want)}.  Tensor sizes: {list(have)}"
            )
        sizes.append(h if w == -1 else w)
    return _expand(input, tuple(reversed(sizes)))


def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """`input` expanded to the shape of `other`."""
    return expand(input, other._array.shape)


@op("CloneBackward0", input=lambda grad: grad)
def _clone_as(input: Array, memory_format: Any) -> Array:
    return in_format(input.copy("K"), memory_format)


def clone(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """A copy that passes its gradient on."""
    if memory_format is not None and memory_format is not preserve_format:
        return _clone_as(input, memory_format)
    return _clone(input)


def contiguous(input: Tensor, memory_format: Any = None) -> Tensor:
    """`input` itself if its elements lie in order, else a copy in which they do."""
    if memory_format is preserve_format:
        raise RuntimeError("preserve memory format is unsupported by the contiguous operator")
    if memory_format is not None and memory_format is not contiguous_format:
        placed = in_format(input._array, memory_format) is input._array
        return input if placed else _clone_as(input, memory_format)
    return input if input._array.flags.c_contiguous else _clone_contiguous(input)


def row_major(out: Array) -> Array:
    """A new array in PyTorch's order, where NumPy kept that of the inputs."""
    return out if out.flags.c_contiguous else out.copy("C")
