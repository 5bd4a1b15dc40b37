"""Storages: the memory that one or more tensors lie in, as one row of elements.

PyTorch's tensors know their storage. Ours are NumPy arrays, which know the array that they are a
view of: the last in that chain stands for the memory.
"""

from __future__ import annotations

from typing import Any

from .. import either, gpu
from ..autograd.geometry import address, element_strides
from ..device import device as Device

Array = Any
Geometry = tuple[int, tuple[int, ...], tuple[int, ...]]  # offset, sizes, strides in elements


class Storage:
    """A memory: its `elements` are a 1-D array of one dtype."""

    def __init__(self, elements: Array, location: str = "cpu") -> None:
        self.elements, self.location = elements, location

    def view(self, offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> Array:
        """The array that lies there; ValueError if part of it would lie outside."""
        numbers = (offset, *size, *stride)
        if len(size) != len(stride) or any(type(n) is not int or n < 0 for n in numbers):
            raise ValueError(f"sizes {size}, strides {stride} and offset {offset} make no tensor")
        if 0 in size:
            return either.empty(size, self.elements)
        end = offset + 1 + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
        if end > self.elements.size:
            raise ValueError(
                f"setStorage: sizes {list(size)}, strides {list(stride)}, storage offset {offset} "
                f"require {end} elements, the storage has {self.elements.size}"
            )
        width = self.elements.itemsize
        return either.as_strided(self.elements[offset:], size, [s * width for s in stride])


class Storages:
    """The storages of all tensors that are being saved, each once, numbered as they are met."""

    def __init__(self) -> None:
        self._of_root: dict[int, tuple[Array, Storage]] = {}  # with the root: its id stays its own
        self._keys: dict[int, str] = {}
        self._numbered: list[Storage] = []

    def find(self, array: Array) -> tuple[Storage, Geometry]:
        """The storage that `array` lies in, and where; RuntimeError if it has another dtype."""
        root = _root(array)
        if not _fits(array, root):  # PyTorch has no such layout, so there is nothing to share
            array = root = either.copied(array)
        if id(root) not in self._of_root:
            self._of_root[id(root)] = root, _saved(_elements(root, array.dtype))
        storage = self._of_root[id(root)][1]
        if storage.elements.dtype != array.dtype:
            raise RuntimeError(
                "Cannot save multiple tensors or storages that view the same data as different "
                "types"
            )
        offset = (address(array) - _span(root)[0]) // array.itemsize
        return storage, (offset, array.shape, element_strides(array))

    def key(self, storage: Storage) -> str:
        """The number of a storage, and so the name of its record."""
        if id(storage) not in self._keys:
            self._keys[id(storage)] = str(len(self._numbered))
            self._numbered.append(storage)
        return self._keys[id(storage)]

    def elements(self) -> list[Array]:
        return [storage.elements for storage in self._numbered]


def _saved(elements: Array) -> Storage:
    """A storage with the host's copy of a GPU's memory, and where that was."""
    return Storage(gpu.to_host(elements), str(Device.at(gpu.index_of(elements))))


def _root(array: Array) -> Array:
    """The array that owns the memory of `array`, or that came into NumPy from elsewhere."""
    base = root = array
    while base is not None:
        root = base if gpu.is_array(base) else root
        base = getattr(base, "base", None)
    return root


def _fits(array: Array, root: Array) -> bool:
    """Whether `array` is made of whole elements of its root's memory, counted upwards."""
    low, high = _span(root)
    distances = (address(array) - low, high - low, *array.strides)
    upwards = min(array.strides, default=0) >= 0 and min(root.strides, default=0) >= 0
    return upwards and not any(d % array.itemsize for d in distances)


def _span(root: Array) -> tuple[int, int]:
    """The addresses of the first byte and of the one after the last."""
    return either.byte_bounds(root) if root.size else (address(root), address(root))


def _elements(root: Array, dtype: Any) -> Array:
    """The whole memory of `root` as one row, gaps included."""
    if not root.size:
        return either.empty(0, root, dtype)
    low, high = _span(root)
    count = (high - low) // root.itemsize
    return either.as_strided(root, (count,), (root.itemsize,)).view(dtype)
