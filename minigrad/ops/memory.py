"""The memory under a tensor: changing its size in place, and writing results to `out=`."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from .. import either
from ..autograd.geometry import address, span
from ..autograd.grad_mode import is_recording
from ..autograd.inplace import OVERLAP
from ..dtypes import castable, scalar_name
from ..layout import in_format, memory_format
from .conversion import cast
from .dims import size_of

Array = Any
Tensor = Any


def resize_(input: Tensor, *size: Any, memory_format: memory_format | None = None) -> Tensor:
    """Give `input` another shape in place: the first elements of its memory, in row-major order.

    Where the memory is too small, a larger one takes its place (new elements are zeros); tensors
    that shared the old one keep it. RuntimeError for a tensor that requires a gradient.
    """
    if input.requires_grad:
        raise RuntimeError("cannot resize variables that require grad")
    shape = size_of(size)
    if min(shape, default=0) < 0:
        raise RuntimeError(f"resize_: sizes must not be negative, but got {list(shape)}")
    if input._array.shape != shape:
        input._bump_version()
    input._array = in_format(_resized(input._array, shape), memory_format)
    return input


def resize_as_(
    input: Tensor, the_template: Tensor, *, memory_format: memory_format | None = None
) -> Tensor:
    """Give `input` the shape of another tensor in place, as `resize_` does."""
    return resize_(input, the_template._array.shape, memory_format=memory_format)


def _resized(array: Array, shape: tuple[int, ...]) -> Array:
    if array.shape == shape:
        return array
    count = math.prod(shape)
    there = (_end(array) - address(array)) // array.itemsize
    row = either.as_strided(array, (min(count, there),), (array.itemsize,))
    if there < count:
        row = np.concatenate((row, either.zeros(count - there, array)))
    return row.reshape(shape)


def _end(array: Array) -> int:
    return span(array)[1]


def set_(input: Tensor, *source: Any) -> Tensor:
    """Not supported: a tensor keeps the storage that it was made with."""
    raise NotImplementedError(
        "set_() is not supported: assign `t.data = other` to exchange the values of a tensor, or "
        "`t.copy_(other)` to overwrite them"
    )


def into(out: Tensor, array: Array, name: str) -> Tensor:
    """Write a result into `out=`, which is given its shape if need be; its dtype stays."""
    target = out._array
    if out.requires_grad and is_recording():
        raise RuntimeError(
            f"{name}(): functions with out=... arguments don't support automatic differentiation, "
            "but one of the arguments requires grad."
        )
    if not castable(array.dtype, target.dtype):
        raise RuntimeError(
            f"result type {scalar_name(array.dtype)} can't be cast to the desired output type "
            f"{scalar_name(target.dtype)}"
        )
    if target.size and any(
        s == 0 and n > 1 for s, n in zip(target.strides, target.shape, strict=True)
    ):
        raise RuntimeError(OVERLAP)
    if target.shape != array.shape:
        if target.size:
            warnings.warn(RESIZED % (list(target.shape), list(array.shape)), UserWarning, 3)
        resize_(out, array.shape)
    np.copyto(out._array, cast(array, target.dtype))
    out._bump_version()
    return out


RESIZED = (
    "An output with one or more elements was resized since it had shape %s, which does not match "
    "the required output shape %s. This behavior is deprecated, and in a future PyTorch release "
    "outputs will not be resized unless they have zero elements. You can explicitly reuse an out "
    "tensor t by resizing it, inplace, to zero elements with t.resize_(0)."
)
