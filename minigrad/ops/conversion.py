"""Changing the dtype or device of a tensor, and making tensors of other values."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import gpu
from ..autograd import node as graph
from ..autograd.node import wrap
from ..autograd.row import op
from ..device import device as Device
from ..device import memory_of
from ..dtypes import (
    DIMENSIONED,
    NUMBER,
    SCALAR_TENSOR,
    as_numpy,
    combine,
    from_numpy,
    number_dtype,
    scalar_name,
)
from ..dtypes import dtype as Dtype
from ..layout import in_format, suits
from ..promotion import NUMBERS

Array = Any
Tensor = Any


@op("ToCopyBackward0", input=lambda grad: grad)
def to_dtype(input: Array, dtype: Any, memory_format: Any = None) -> Array:
    """A copy of `input` in another dtype; the engine casts its gradient back."""
    return in_format(cast(input, dtype), memory_format)


@op("ToCopyBackward0", input=lambda grad, source, index, xp: xp.to_device(grad, source, index))
def to_device(input: Array, index: Any, source: Any) -> Array:
    """A copy of `input`, which is in the memory of GPU `source` (None: the host), in that of GPU
    `index`; its gradient goes back."""
    return gpu.placed(input, index)


def cast(array: Array, dtype: Any) -> Array:
    with np.errstate(all="ignore"):
        if array.dtype.kind == "f" and dtype.kind == "u":
            return array.astype(np.int64).astype(
                dtype
            )  # as C++ does on x86: through a wide integer
        return array.astype(dtype, "C" if 0 in array.strides else "K")  # expanded: row by row


def to(
    input: Tensor, *args: Any, dtype: Any = None, device: Any = None, non_blocking: bool = False,
    copy: bool = False, memory_format: Any = None,
) -> Tensor:  # fmt: skip
    """`to(dtype)`, `to(device)`, `to(device, dtype)` or `to(other)`: `input` itself if nothing changes.

    Two flags may follow by position: `non_blocking`, which means nothing here, and `copy`."""
    flags = []
    for arg in args:
        if isinstance(arg, bool):
            flags.append(arg)
        elif isinstance(arg, Dtype) or arg in (float, int, bool):
            dtype = arg
        elif isinstance(arg, graph.Tensor):
            dtype, device = from_numpy(arg._array.dtype), arg.device
        elif isinstance(arg, (str, Device, int)):
            device = arg
        elif arg is not None:
            raise TypeError(
                f"to() received an invalid combination of arguments - got ({type(arg).__name__})"
            )
    if device is not None:
        place, source = memory_of(device), gpu.index_of(input._array)
        if place != source:
            moved = to_device(input, place, source)
            return to(moved, dtype=dtype, memory_format=memory_format)
    wanted = input._array.dtype if dtype is None else as_numpy(dtype, "to")
    copy = copy or flags[1:] == [True]
    if wanted is input._array.dtype and not copy and suits(input._array, memory_format):
        return input
    return to_dtype(input, wanted, memory_format)


def as_tensor_like(value: Any, like: Tensor) -> Tensor:
    """A Tensor for a value that is to be assigned into `like`: numbers in its dtype."""
    if isinstance(value, graph.Tensor):
        return value
    if not isinstance(value, NUMBERS):
        kind = "numpy.ndarray" if isinstance(value, np.ndarray) else type(value).__name__
        raise TypeError(f"can't assign a {kind} to a torch.{scalar_name(like._array.dtype)}Tensor")
    return wrap(number_as(value, like._array.dtype, like._array))


def _fits(value: Any, limits: Any) -> bool:
    least = limits.min if limits.min or isinstance(value, float) else -limits.max
    return bool(least <= value <= limits.max)


def number_as(value: Any, dtype: Any, like: Array = None) -> Array:
    """A number as a 0-d array of `dtype`, on the device of `like`; RuntimeError for an integer that is out of its range
    (uint8 takes the whole number -255 too, as 1), nan or infinite."""
    if dtype.kind in "iu" and not _fits(value, np.iinfo(dtype)):
        kind = "int" if dtype.name == "int32" else f"{dtype.name}_t"
        raise RuntimeError(f"value cannot be converted to type {kind} without overflow")
    return np.asarray(cast(np.asarray(value), dtype), like=like)


def result_type(tensor1: Any, tensor2: Any) -> Dtype:
    """The dtype that an operation on these two (Tensors or numbers) has."""
    ranked = []
    for value in (tensor1, tensor2):
        if isinstance(value, graph.Tensor):
            array = value._array
            ranked.append((array.dtype, DIMENSIONED if array.ndim else SCALAR_TENSOR))
        else:
            ranked.append((number_dtype(value), NUMBER))
    return from_numpy(combine(*ranked))
