"""Storages: the memory under a tensor, which all its views share, seen as one row.

A tensor has a NumPy (or CuPy) array, and an array that is a view knows the one whose memory it shows. These
classes are a window on that memory for the questions that are asked about it: where is it, how
large is it, do two tensors share it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from . import either, gpu
from .autograd.geometry import root, span
from .device import device as Device
from .dtypes import dtype as Dtype
from .dtypes import from_numpy

Array = Any


class _Storage:
    """A memory as the 1-D array `_row`."""

    def __init__(self, array: Array, dtype: Any) -> None:
        owner, (low, high) = root(array), span(array)
        count = (high - low) // owner.itemsize
        row = either.as_strided(owner, (count,), (owner.itemsize,)) if count else owner.reshape(-1)
        self._row, self._address = row.view(dtype), low

    @property
    def device(self) -> Device:
        """Where the memory is."""
        return Device.at(gpu.index_of(self._row))

    @property
    def is_cuda(self) -> bool:
        return self.device.type == "cuda"

    def data_ptr(self) -> int:
        """The address of the first byte."""
        return self._address

    def nbytes(self) -> int:
        """The size in bytes."""
        return int(self._row.nbytes)

    def size(self) -> int:
        """The number of elements (of an UntypedStorage: of bytes)."""
        return int(self._row.size)

    def element_size(self) -> int:
        """Bytes per element."""
        return int(self._row.itemsize)

    def tolist(self) -> list[Any]:
        """The elements as Python numbers."""
        return list(self._row.tolist())

    def is_shared(self) -> bool:
        """Whether other processes see the memory."""
        return False

    def __len__(self) -> int:
        return self.size()

    def __getitem__(self, index: int) -> Any:
        return self._row[index].item()

    def __setitem__(self, index: Any, value: Any) -> None:
        self._row[index] = value

    def __iter__(self) -> Iterator[Any]:
        return iter(self._row.tolist())

    def __repr__(self) -> str:
        return "".join(f" {v}\n" for v in self) + f"[{self._kind()} of size {self.size()}]"

    def _kind(self) -> str:
        raise NotImplementedError


class UntypedStorage(_Storage):
    """The bytes under a tensor."""

    def __init__(self, array: Array) -> None:
        super().__init__(array, np.uint8)

    def _kind(self) -> str:
        return f"minigrad.storage.UntypedStorage(device={self.device})"


class TypedStorage(_Storage):
    """The elements under a tensor, those of its views included."""

    def __init__(self, array: Array) -> None:
        super().__init__(array, array.dtype)

    @property
    def dtype(self) -> Dtype:
        return from_numpy(self._row.dtype)

    def _kind(self) -> str:
        return f"minigrad.storage.TypedStorage(dtype={self.dtype}, device={self.device})"


def is_storage(obj: object) -> bool:
    """Whether `obj` is a storage."""
    return isinstance(obj, _Storage)
