"""Factories: tensors from values, from NumPy's memory, or filled by a rule."""

from __future__ import annotations

import functools
import math
import operator
import warnings
from typing import Any

import numpy as np

from .. import dtypes
from ..autograd import grad_mode
from ..autograd import node as graph
from ..autograd.node import wrap
from ..device import device as Device
from ..dtypes import dtype as Dtype
from ..promotion import NUMBERS, check_tensors
from .conversion import cast
from .dims import size_of

Array = Any
Tensor = Any


def finish(array: Array, requires_grad: bool = False, device: Any = None) -> Tensor:
    """A leaf around `array`, as the common arguments of all factories want it."""
    if device is not None:
        Device.of(device)
    if requires_grad and array.dtype.kind != "f":
        raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
    result = wrap(array)
    result._requires_grad = requires_grad
    if grad_mode.is_inference_mode_enabled():
        result._version_counter = None
    return result


def numpy_dtype(dtype: Dtype | None) -> Any:
    return dtypes.default_dtype() if dtype is None else dtype.numpy


# --- from values ---------------------------------------------------------------------------------


def tensor(
    data: Any, *, dtype: Dtype | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """A new leaf with a copy of `data`: a number, nested sequences, an array or a Tensor.

    Python floats become the default dtype, ints int64, bools bool; arrays keep their dtype."""
    if isinstance(data, graph.Tensor):
        warnings.warn(COPY_WARNING, UserWarning, stacklevel=2)
    array = values(data, None if dtype is None else dtype.numpy)
    wanted = array.dtype if dtype is None else dtype.numpy
    return finish(
        np.array(cast(array, wanted) if array.dtype is not wanted else array, order="K"),
        requires_grad,
        device,
    )


def values(data: Any, dtype: Any = None) -> Array:
    """`data` as an array of the dtype that `tensor(data)` has, or with no less digits than `dtype`."""
    if isinstance(data, graph.Tensor):
        return data._array
    if isinstance(data, (np.ndarray, np.generic)):
        dtypes.from_numpy(data.dtype)
        return np.asarray(data)
    shape = _nested_shape(data)
    if shape and isinstance(_first(data), str):
        raise ValueError("too many dimensions 'str'")
    flat: list[Any] = []
    _flatten(data, shape, 0, flat)
    if not flat:
        return np.zeros(shape, dtypes.default_dtype())
    if all(isinstance(v, np.ndarray) for v in flat):
        return np.array(flat).reshape(shape)
    kinds = {v.dtype if isinstance(v, np.generic) else dtypes.number_dtype(v) for v in flat}
    common = functools.reduce(dtypes.promote_types_numpy, kinds)
    try:
        wide = np.array(flat, np.float64 if common.kind == "f" else common).reshape(shape)
        return wide if dtype is not None and dtype.kind == "f" else wide.astype(common)
    except OverflowError:
        raise ValueError("Overflow when unpacking long long") from None


COPY_WARNING = (
    "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
    "sourceTensor.detach().clone().requires_grad_(True), rather than torch.tensor(sourceTensor)."
)


def _nested_shape(data: Any) -> tuple[int, ...]:
    """The shape that the first elements of nested sequences suggest."""
    shape = []
    while _is_sequence(data):
        shape.append(len(data))
        if not len(data):
            break
        data = data[0]
    return tuple(shape)


def _first(data: Any) -> Any:
    while _is_sequence(data) and len(data):
        data = data[0]
    return data


def _is_sequence(data: Any) -> bool:
    return isinstance(data, (list, tuple, range)) or (
        isinstance(data, np.ndarray) and bool(data.ndim)
    )


def _flatten(data: Any, shape: tuple[int, ...], dim: int, out: list[Any]) -> None:
    """Append the numbers of `data`, whose sequences must have the sizes of `shape`."""
    if dim == len(shape):
        out.append(_number(data))
        return
    if not _is_sequence(data):
        raise TypeError(
            "new(): invalid data type 'str'" if isinstance(data, str) else "not a sequence"
        )
    if len(data) != shape[dim]:
        raise ValueError(f"expected sequence of length {shape[dim]} at dim {dim} (got {len(data)})")
    for item in data:
        _flatten(item, shape, dim + 1, out)


def _number(value: Any) -> Any:
    if isinstance(value, graph.Tensor):
        if value._array.size != 1:
            raise ValueError("only one element tensors can be converted to Python scalars")
        return value._array.reshape(-1)[0]
    if isinstance(value, (bool, int, float, np.number, np.bool_)):
        return value
    if isinstance(value, np.ndarray) and not value.ndim:
        return value[()]
    if isinstance(value, str):
        raise TypeError("new(): invalid data type 'str'")
    if isinstance(value, (list, tuple)):
        raise TypeError(f"'{type(value).__name__}' object cannot be interpreted as an integer")
    if isinstance(value, complex):
        raise TypeError(
            "complex numbers are not supported: minigrad has real dtypes only; use two tensors"
        )
    raise RuntimeError(f"Could not infer dtype of {type(value).__name__}")


def as_tensor(data: Any, dtype: Dtype | None = None, device: Any = None) -> Tensor:
    """`data` as a Tensor; memory is shared, and a Tensor stays itself, where nothing changes."""
    if isinstance(data, graph.Tensor):
        return data.to(dtype) if dtype is not None else data
    if isinstance(data, np.ndarray):
        shared = from_numpy(data)
        return shared.to(dtype) if dtype is not None else shared
    return tensor(data, dtype=dtype, device=device)


def from_numpy(ndarray: Array) -> Tensor:
    """A Tensor that shares the memory of a NumPy array."""
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray).__name__})")
    dtypes.from_numpy(ndarray.dtype)
    if any(s < 0 for s in ndarray.strides):
        raise ValueError(
            "At least one stride in the given numpy array is negative, and tensors with negative strides "
            "are not currently supported. (You can probably work around this by making a copy of your "
            "array  with array.copy().) "
        )
    return finish(ndarray)


def legacy(dtype: Any) -> Any:
    """`FloatTensor` and its like: called with sizes, or with one sequence of values."""

    def constructor(*args: Any) -> Tensor:
        if not args:
            return finish(np.zeros(0, dtype))
        if len(args) == 1 and not isinstance(args[0], int):
            if isinstance(args[0], graph.Tensor):
                return args[0].detach()
            if isinstance(args[0], float):
                raise TypeError("new(): data must be a sequence (got float)")
            return finish(np.array(cast(values(args[0]), np.dtype(dtype)), order="C"))
        return finish(np.zeros(size_of(args), dtype))

    return constructor


FloatTensor, DoubleTensor, HalfTensor = legacy(np.float32), legacy(np.float64), legacy(np.float16)
LongTensor, IntTensor, ShortTensor = legacy(np.int64), legacy(np.int32), legacy(np.int16)
CharTensor, ByteTensor, BoolTensor = legacy(np.int8), legacy(np.uint8), legacy(np.bool_)

# --- filled by a rule ----------------------------------------------------------------------------


def _size(name: str, size: Any) -> tuple[int, ...]:
    try:
        shape = size_of(size)
    except TypeError:
        bad = next(
            s
            for s in (size[0] if isinstance(size[0], (list, tuple)) else size)
            if not isinstance(s, int)
        )
        raise TypeError(
            f"{name}(): argument 'size' (position 1) must be tuple of ints, not {type(bad).__name__}"
        ) from None
    for s in shape:
        if s < 0:
            if name == "zeros":
                raise RuntimeError("zeros: Dimension size must be non-negative.")
            raise RuntimeError(
                f"Trying to create tensor with negative dimension {s}: {list(shape)}"
            )
    return shape


def zeros(
    *args: Any,
    size: Any = None,
    dtype: Dtype | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Zeros of shape `size`."""
    return finish(
        np.zeros(_size("zeros", args if size is None else (size,)), numpy_dtype(dtype)),
        requires_grad,
        device,
    )


def ones(
    *args: Any,
    size: Any = None,
    dtype: Dtype | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Ones of shape `size`."""
    return finish(
        np.ones(_size("ones", args if size is None else (size,)), numpy_dtype(dtype)),
        requires_grad,
        device,
    )


def empty(
    *args: Any,
    size: Any = None,
    dtype: Dtype | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of shape `size` whose values are not set (here they are zeros)."""
    return finish(
        np.zeros(_size("empty", args if size is None else (size,)), numpy_dtype(dtype)),
        requires_grad,
        device,
    )


def full(
    size: Any,
    fill_value: Any,
    *,
    dtype: Dtype | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of shape `size` filled with a number, whose kind decides the dtype."""
    if not isinstance(fill_value, (*NUMBERS, graph.Tensor)):
        raise TypeError(
            f"full(): argument 'fill_value' (position 2) must be Number, not {type(fill_value).__name__}"
        )
    value = fill_value._array if isinstance(fill_value, graph.Tensor) else np.asarray(fill_value)
    wanted = dtype.numpy if dtype is not None else dtypes.number_dtype(value.item())
    return finish(np.full(_size("full", (size,)), cast(value, wanted)), requires_grad, device)


def zeros_like(
    input: Tensor, *, dtype: Dtype | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Zeros in the shape and dtype of `input`."""
    check_tensors("zeros_like", input=input)
    return finish(np.zeros_like(input._array, _dtype_like(input, dtype)), requires_grad, device)


def ones_like(
    input: Tensor, *, dtype: Dtype | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Ones in the shape and dtype of `input`."""
    check_tensors("ones_like", input=input)
    return finish(np.ones_like(input._array, _dtype_like(input, dtype)), requires_grad, device)


def empty_like(
    input: Tensor, *, dtype: Dtype | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """A tensor in the shape and dtype of `input` whose values are not set (here they are zeros)."""
    check_tensors("empty_like", input=input)
    return zeros_like(input, dtype=dtype, device=device, requires_grad=requires_grad)


def full_like(
    input: Tensor,
    fill_value: Any,
    *,
    dtype: Dtype | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor in the shape and dtype of `input`, filled with a number."""
    wanted = _dtype_like(input, dtype)
    return finish(
        np.full(input._array.shape, cast(np.asarray(fill_value), wanted)), requires_grad, device
    )


def _dtype_like(input: Tensor, dtype: Dtype | None) -> Any:
    return input._array.dtype if dtype is None else dtype.numpy


def eye(
    n: int,
    m: int | None = None,
    *,
    dtype: Dtype | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """The (n, m) matrix with ones on its diagonal and zeros elsewhere."""
    for name, size in (("n", n), ("m", m)):
        if size is not None and size < 0:
            raise RuntimeError(f"{name} must be greater or equal to 0, got {size}")
    return finish(np.eye(n, m, dtype=numpy_dtype(dtype)), requires_grad, device)


def arange(
    start: Any = None, end: Any = None, step: Any = 1, *, dtype: Dtype | None = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """start, start + step, ... below `end`; int64 if all three are whole numbers."""
    start, end = (0, start) if end is None else (start or 0, end)
    for value in (start, end, step):
        if not isinstance(value, (*NUMBERS, graph.Tensor)):
            raise TypeError(
                f"arange(): argument 'end' (position 1) must be Number, not {type(value).__name__}"
            )
    start, end, step = (v.item() if isinstance(v, graph.Tensor) else v for v in (start, end, step))
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if (end - start) * step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    whole = all(isinstance(v, (int, np.integer)) for v in (start, end, step))
    wanted = (
        dtype.numpy
        if dtype is not None
        else np.dtype(np.int64)
        if whole
        else dtypes.default_dtype()
    )
    count = math.ceil((end - start) / step)
    wide = np.int64 if wanted.kind in "iu" and whole else np.float64
    return finish(
        (wide(start) + np.arange(count, dtype=wide) * wide(step)).astype(wanted),
        requires_grad,
        device,
    )


def linspace(
    start: Any,
    end: Any,
    steps: int,
    *,
    dtype: Dtype | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`steps` numbers from `start` to `end`, both included, at equal distances."""
    steps = operator.index(steps)
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    wanted = numpy_dtype(dtype)
    kind = wanted.type if wanted.kind == "f" else np.float32
    if steps == 1:
        return finish(np.full(1, start).astype(wanted), requires_grad, device)
    step = (kind(end) - kind(start)) / kind(max(steps - 1, 1))
    wide, i = np.float64, np.arange(steps)  # PyTorch rounds once, after multiplying and adding
    rising = (wide(kind(start)) + wide(step) * i).astype(kind)
    falling = (wide(kind(end)) - wide(step) * (steps - 1 - i)).astype(kind)
    return finish(np.where(i < steps // 2, rising, falling).astype(wanted), requires_grad, device)
