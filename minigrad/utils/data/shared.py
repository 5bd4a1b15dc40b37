"""Objects on their way from one process to another, their arrays through shared memory.

`pack` pickles an object without the bytes of its arrays: protocol 5 of pickle sets these aside as
buffers. `send` writes the buffers into a file that lives in memory and has no name, then sends the
pickle and the file's descriptor. `receive` maps the file, and the arrays are put together on top
of it: their bytes went through neither pickle nor pipe. Since the file has no name, nothing can be
left behind: whoever is killed, and when, the system frees it with the last process that holds it.
"""

from __future__ import annotations

import io
import mmap
import os
import pickle
import sys
import tempfile
from collections.abc import Iterator
from multiprocessing import reduction
from typing import TYPE_CHECKING, Any

import numpy as np

from ...autograd.node import wrap
from ...tensor import Tensor

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

__all__ = ["Parcel", "pack", "receive", "send"]

ALIGNMENT = 64
"""Arrays start at multiples of a cache line."""

COPY_BELOW = 2**20
"""Smaller files are read into ordinary memory. A larger one is mapped, which saves a copy, but
before Python 3.13 a mapping keeps a descriptor, and a process has only a thousand of them."""

_MMAP_OPTIONS: dict[str, Any] = {"trackfd": False} if sys.version_info >= (3, 13) else {}

Parcel = tuple[bytes, list[memoryview]]
"""The pickle of an object, and the buffers that it refers to by their order."""


def pack(obj: Any) -> Parcel:
    """Make an object ready for `send`. Raises what pickling raises; nothing has been sent then."""
    file, buffers = io.BytesIO(), list[memoryview]()
    _Pickler(file, 5, buffer_callback=lambda buffer: buffers.append(buffer.raw())).dump(obj)
    return file.getvalue(), buffers


class _Pickler(pickle.Pickler):
    """Sets aside the bytes of every array, also where the array is a view or a tensor's."""

    def reducer_override(self, obj: Any) -> Any:
        if type(obj) is Tensor:
            if obj.requires_grad and not obj.is_leaf:
                raise RuntimeError(_NON_LEAF)
            return _tensor, (obj._array, obj.requires_grad)
        if type(obj) is np.ndarray and not (_is_one_piece(obj) and obj.flags.writeable):
            return obj.copy(order="K").__reduce_ex__(5)
        return NotImplemented


_NON_LEAF = (
    "Cowardly refusing to serialize non-leaf tensor which requires_grad, since autograd does not "
    "support crossing process boundaries.  If you just want to transfer the data, call detach() "
    "on the tensor before serializing (e.g., putting it on the queue)."
)


def _is_one_piece(array: np.ndarray[Any, Any]) -> bool:
    return array.flags.c_contiguous or array.flags.f_contiguous


def _tensor(array: np.ndarray[Any, Any], requires_grad: bool) -> Tensor:
    tensor = wrap(array)
    return tensor.requires_grad_() if requires_grad else tensor


def send(connection: Connection, parcel: Parcel) -> None:
    """Send what `pack` made; OSError if nobody listens at the other end."""
    pickled, buffers = parcel
    sizes = [buffer.nbytes for buffer in buffers]
    connection.send((pickled, sizes))
    if not any(sizes):
        return
    with _unnamed_file() as file:
        for buffer, (start, _) in zip(buffers, _places(sizes), strict=True):
            file.seek(start)
            file.write(buffer)
        file.flush()
        reduction.send_handle(connection, file.fileno(), None)


def receive(connection: Connection) -> Any:
    """The next object; EOFError or OSError if the other end is closed."""
    pickled, sizes = connection.recv()
    if not any(sizes):
        return pickle.loads(pickled, buffers=[bytearray() for _ in sizes])
    with open(reduction.recv_handle(connection), "rb", buffering=0) as file:
        memory = memoryview(_contents(file))
    return pickle.loads(pickled, buffers=[memory[i:j] for i, j in _places(sizes)])


def _contents(file: io.FileIO) -> bytearray | mmap.mmap:
    size = os.fstat(file.fileno()).st_size
    if size >= COPY_BELOW:
        return mmap.mmap(file.fileno(), size, **_MMAP_OPTIONS)
    contents = bytearray(size)
    file.seek(0)
    file.readinto(contents)
    return contents


def _unnamed_file() -> Any:
    if hasattr(os, "memfd_create"):  # Linux: pages of memory, whatever the size of /dev/shm
        return open(os.memfd_create("minigrad-batch"), "r+b")
    return tempfile.TemporaryFile()


def _places(sizes: list[int]) -> Iterator[tuple[int, int]]:
    """Where in the file each buffer starts and ends."""
    end = 0
    for size in sizes:
        start = -(-end // ALIGNMENT) * ALIGNMENT
        end = start + size
        yield start, end
