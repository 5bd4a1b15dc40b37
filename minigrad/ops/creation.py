"""Factories: tensors from values or from NumPy's memory, and what all factories have in common."""

from __future__ import annotations

import functools
from typing import Any, TypedDict

import numpy as np

from .. import dtypes, gpu
from ..autograd import anomaly, grad_mode
from ..autograd import node as graph
from ..autograd.node import wrap
from ..device import device as Device
from ..device import memory_of
from ..dtypes import dtype as Dtype
from ..layout import check_layout, in_format, memory_format
from ..layout import layout as Layout
from ..warn import warn
from . import memory
from .conversion import cast
from .dims import size_of

Array = Any
Tensor = Any


class Options(TypedDict, total=False):
    """What factories take by keyword. `layout` is always strided, and memory is never pinned."""

    dtype: Dtype | None
    layout: Layout | None
    device: Any
    pin_memory: bool | None
    requires_grad: bool
    out: Any  # a Tensor that receives the values


class LikeOptions(TypedDict, total=False):
    """What factories `..._like` take by keyword."""

    dtype: Dtype | None
    layout: Layout | None
    device: Any
    pin_memory: bool | None
    requires_grad: bool
    memory_format: memory_format | None


BESIDE: Any = object()  # as `device=`: where the array is already, whatever the default


def finish(array: Array, requires_grad: bool = False, device: Any = None) -> Tensor:
    """A leaf around `array`, as the common arguments of all factories want it."""
    if device is not BESIDE:
        place = memory_of(device)
        if device is not None or place is not None:
            array = gpu.placed(array, place)
    if requires_grad and array.dtype.kind != "f":
        raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
    result = wrap(array)
    result._requires_grad = bool(requires_grad)
    if grad_mode.is_inference_mode_enabled():
        result._version_counter = None
    if anomaly.enabled:
        anomaly.note_created(result)
    return result


def made(name: str, array: Array, options: Any) -> Tensor:
    """The result of the factory `name`: a new leaf, or `out=` with the values written to it."""
    check_layout(options.get("layout"))
    if options.get("pin_memory"):
        check_pinning()
    array = in_format(array, options.get("memory_format"))
    out = options.get("out")
    if options.get("pin_memory"):
        array = gpu.pinned(array)
    if out is None:
        device = options.get("device")
        if device is None and name.endswith("_like"):
            device = BESIDE
        return finish(array, options.get("requires_grad", False), device)
    array = gpu.placed(array, gpu.index_of(out._array))
    return memory.into(out, array, name).requires_grad_(options.get("requires_grad", False))


def check_pinning() -> None:
    """RuntimeError where there is no GPU to copy to."""
    if not gpu.device_count():
        raise RuntimeError(NO_PINNED_MEMORY)


def numpy_dtype(dtype: Dtype | None) -> Any:
    return dtypes.default_dtype() if dtype is None else dtype.numpy


def dtype_of(name: str, options: Any, default: Any = None) -> Any:
    """The NumPy dtype that `dtype=` or `out=` asks for, else `default`, else float32 or so.

    TypeError for a keyword that no factory has: this is the first that each of them calls."""
    for option in options:
        if option not in (LikeOptions if name.endswith("_like") else Options).__annotations__:
            if not (option == "memory_format" and name == "empty"):
                raise TypeError(f"{name}() got an unexpected keyword argument '{option}'")
    dtype, out = options.get("dtype"), options.get("out")
    wanted = None if dtype is None else dtypes.as_numpy(dtype, name)
    if out is not None:
        if wanted not in (None, out._array.dtype):
            raise RuntimeError(
                f"dtype {dtypes.scalar_name(wanted)} does not match dtype of out parameter "
                f"({dtypes.scalar_name(out._array.dtype)})"
            )
        return out._array.dtype
    if wanted is None:
        return dtypes.default_dtype() if default is None else default
    return wanted


NO_PINNED_MEMORY = (
    "pin_memory=True requires a CUDA or other accelerator backend; no pinned memory allocator is "
    "available on this system."
)

# --- from values ---------------------------------------------------------------------------------


def tensor(
    data: Any, *, dtype: Dtype | None = None, device: Any = None, requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """A new leaf with a copy of `data`: a number, nested sequences, an array or a Tensor.

    Python floats become the default dtype, ints int64, bools bool; arrays keep their dtype."""
    if isinstance(data, graph.Tensor):
        warn(COPY_WARNING, UserWarning)
    if pin_memory:
        check_pinning()
    wanted = None if dtype is None else dtypes.as_numpy(dtype, "tensor")
    array = values(data, wanted)
    if wanted is not None and array.dtype is not wanted:
        if not isinstance(data, (graph.Tensor, np.ndarray, np.generic)):
            _check_range(array, wanted)
        array = cast(array, wanted)
    copy = array.copy("K")
    return finish(gpu.pinned(copy) if pin_memory else copy, requires_grad, device)


def _check_range(array: Array, wanted: Any) -> None:
    """RuntimeError for Python numbers that an integer dtype cannot hold; -1 may become 255."""
    if wanted.kind in "iu" and array.size:
        limits = np.iinfo(wanted)
        low = limits.min if array.dtype.kind == "f" else limits.min or -limits.max
        if not (low <= array.min() and array.max() <= limits.max):
            raise RuntimeError(f"value cannot be converted to type {wanted.name} without overflow")


def values(data: Any, dtype: Any = None) -> Array:
    """`data` as an array of the dtype that `tensor(data)` has, or with no less digits than `dtype`."""
    if isinstance(data, graph.Tensor):
        return gpu.to_host(data._array)
    if isinstance(data, (np.ndarray, np.generic)):
        return dtypes.with_own_dtype(np.asarray(data))
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
        return gpu.to_host(value._array).reshape(-1)[0]
    if isinstance(value, (bool, int, float, np.number, np.bool_)):
        return value
    if isinstance(value, np.ndarray) and not value.ndim:
        return value[()]
    if isinstance(value, str):
        raise TypeError("new(): invalid data type 'str'")
    if isinstance(value, (list, tuple)):
        raise TypeError(f"'{type(value).__name__}' object cannot be interpreted as an integer")
    if isinstance(value, complex):
        raise TypeError(dtypes.NO_COMPLEX)
    raise RuntimeError(f"Could not infer dtype of {type(value).__name__}")


def as_tensor(data: Any, dtype: Dtype | None = None, device: Any = None) -> Tensor:
    """`data` as a Tensor; memory is shared, and a Tensor stays itself, where nothing changes."""
    if device is None and memory_of(None) is not None:
        device = Device.at(memory_of(None))
    if isinstance(data, np.ndarray):
        data = from_numpy(data)
    if isinstance(data, graph.Tensor):
        return data.to(dtype=dtype, device=device)
    return tensor(data, dtype=dtype, device=device)


def from_numpy(ndarray: Array) -> Tensor:
    """A Tensor that shares the memory of a NumPy array."""
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray).__name__})")
    array = dtypes.with_own_dtype(ndarray)
    if any(s < 0 for s in ndarray.strides):
        raise ValueError(
            "At least one stride in the given numpy array is negative, and tensors with negative strides "
            "are not currently supported. (You can probably work around this by making a copy of your "
            "array  with array.copy().) "
        )
    return finish(array, device="cpu")


# --- PyTorch's first constructors ----------------------------------------------------------------


def new_legacy(dtype: Any, args: Any, any_dtype: bool = False) -> Tensor:
    """`Tensor(2, 3)` makes a shape, `Tensor([2, 3])` takes values, `Tensor(t)` shares memory.

    The default device does not matter: they are on the CPU."""
    if len(args) == 1 and isinstance(args[0], graph.Tensor) and args[0]._array.ndim:
        if not any_dtype and args[0]._array.dtype != dtype:
            theirs, ours = dtypes.scalar_name(args[0]._array.dtype), dtypes.scalar_name(dtype)
            raise TypeError(f"expected a tensor of dtype {ours} (got {theirs}): use t.to(dtype)")
        return args[0].detach()
    whole = (int, np.integer, graph.Tensor)
    if len(args) == 1 and not isinstance(args[0], whole) and type(args[0]).__name__ != "Size":
        if not _is_sequence(args[0]) and not isinstance(args[0], (str, np.ndarray)):
            raise TypeError(f"new(): data must be a sequence (got {type(args[0]).__name__})")
        return finish(np.array(cast(values(args[0]), dtype), order="C"), device="cpu")
    return finish(np.zeros(size_of(args) if args else (0,), dtype), device="cpu")


class _TensorType(type):
    """The class of `FloatTensor` and its like: `isinstance` asks a Tensor for its dtype."""

    dtype: Dtype

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, graph.Tensor) and instance._array.dtype == cls.dtype.numpy

    def __call__(cls, *args: Any, device: Any = None) -> Tensor:
        if device is not None:
            return new_legacy(cls.dtype.numpy, args).to(device)
        return new_legacy(cls.dtype.numpy, args)


class FloatTensor(metaclass=_TensorType):
    dtype = dtypes.float32


class DoubleTensor(metaclass=_TensorType):
    dtype = dtypes.float64


class HalfTensor(metaclass=_TensorType):
    dtype = dtypes.float16


class LongTensor(metaclass=_TensorType):
    dtype = dtypes.int64


class IntTensor(metaclass=_TensorType):
    dtype = dtypes.int32


class ShortTensor(metaclass=_TensorType):
    dtype = dtypes.int16


class CharTensor(metaclass=_TensorType):
    dtype = dtypes.int8


class ByteTensor(metaclass=_TensorType):
    dtype = dtypes.uint8


class BoolTensor(metaclass=_TensorType):
    dtype = dtypes.bool


_TYPES = (FloatTensor, DoubleTensor, HalfTensor, LongTensor, IntTensor, ShortTensor, CharTensor,
          ByteTensor, BoolTensor)  # fmt: skip


def dtype_named(name: Any) -> Dtype:
    """The dtype of `"torch.FloatTensor"` or `FloatTensor`; ValueError for another name."""
    if isinstance(name, _TensorType):
        return name.dtype
    for kind in _TYPES:
        if name == f"torch.{kind.__name__}":
            return kind.dtype
    raise ValueError(f"invalid type: {name!r}")
