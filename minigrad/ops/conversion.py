"""Changing the dtype or device of a tensor, and making tensors of other values."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd import node as graph
from ..autograd.node import wrap
from ..autograd.row import op
from ..device import device as Device
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
from ..layout import in_format
from ..promotion import NUMBERS

Array = Any
Tensor = Any


@op("ToCopyBackward0", input=lambda grad: grad)
def to_dtype(input: Array, dtype: Any, memory_format: Any = None) -> Array:
    """A copy of `input` in another dtype; the engine casts its gradient back."""
    return in_format(cast(input, dtype), memory_format)


def cast(array: Array, dtype: Any) -> Array:
    with np.errstate(all="ignore"):
        if array.dtype.kind == "f" and dtype.kind == "u":
            return array.astype(np.int64).astype(
                dtype
            )  # as C++ does on x86: through a wide integer
        return array.astype(dtype)


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
        Device.of(device)
    wanted = input._array.dtype if dtype is None else as_numpy(dtype, "to")
    copy = copy or flags[1:] == [True]
    placed = input._array if memory_format is None else in_format(input._array, memory_format)
    if wanted is input._array.dtype and not copy and placed is input._array:
        return input
    return to_dtype(input, wanted, memory_format)


def as_tensor_like(value: Any, like: Tensor) -> Tensor:
    """A Tensor for a value that is to be assigned into `like`: numbers in its dtype."""
    if isinstance(value, graph.Tensor):
        return value
    if not isinstance(value, NUMBERS):
        kind = "numpy.ndarray" if isinstance(value, np.ndarray) else type(value).__name__
        raise TypeError(f"can't assign a {kind} to a torch.{scalar_name(like._array.dtype)}Tensor")
    return wrap(number_as(value, like._array.dtype))


def _fits(value: Any, limits: Any) -> bool:
    return bool((limits.min or -limits.max) <= value <= limits.max)


def number_as(value: Any, dtype: Any) -> Array:
    """A number as a 0-d array of `dtype`; RuntimeError for an integer that is out of its range
    (uint8 takes -255 too, as 1), nan or infinite."""
    if dtype.kind in "iu" and not _fits(value, np.iinfo(dtype)):
        kind = "int" if dtype.name == "int32" else f"{dtype.name}_t"
        raise RuntimeError(f"value cannot be converted to type {kind} without overflow")
    return cast(np.asarray(value), dtype)


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
