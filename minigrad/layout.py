"""How elements are laid out in memory, as PyTorch names it in the arguments of factories.

Every tensor here is `strided`. Of the memory formats, `channels_last` keeps the channels of an
(N, C, H, W) image side by side; the others are about the order of the dimensions.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import either

Array = Any


class layout:
    """`strided`, or the name of a sparse layout, which no tensor here has."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return f"minigrad.{self._name}"

    def __reduce__(self) -> str:
        return self._name


class memory_format(layout):
    """An order of the dimensions in memory."""


strided = layout("strided")
sparse_coo, sparse_csr = layout("sparse_coo"), layout("sparse_csr")
contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last")
channels_last_3d = memory_format("channels_last_3d")

_DIMENSIONS = {channels_last: 4, channels_last_3d: 5}


def check_layout(value: layout | None) -> None:
    """RuntimeError for a sparse layout."""
    if value is not None and value is not strided:
        raise RuntimeError(f"tensors here are strided: layout={value} is not implemented")


def in_format(array: Array, format: memory_format | None) -> Array:
    """`array` itself if it lies in memory in this format, else a copy that does."""
    if format is None or format is preserve_format:
        return array
    if format is contiguous_format:
        return either.contiguous(array).reshape(array.shape)
    wanted = _DIMENSIONS[format]
    if array.ndim != wanted:
        raise RuntimeError(f"required rank {wanted} tensor to use {format._name} format")
    return np.moveaxis(either.contiguous(np.moveaxis(array, 1, -1)), -1, 1)


def is_in_format(array: Array, format: memory_format) -> bool:
    """Whether the elements of `array` lie in memory in this order."""
    if format in _DIMENSIONS:
        fits = array.ndim == _DIMENSIONS[format]
        return fits and bool(np.moveaxis(array, 1, -1).flags.c_contiguous)
    return bool(array.flags.c_contiguous)


def suits(array: Array, format: memory_format | None) -> bool:
    """Whether a conversion to this format leaves `array` as it is. What is in neither of the
    formats that put channels last counts as contiguous, also if it is transposed."""
    if format is contiguous_format:
        return array.flags.c_contiguous or not any(is_in_format(array, f) for f in _DIMENSIONS)
    return in_format(array, format) is array
