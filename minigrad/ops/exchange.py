"""Memory from and for other libraries: DLPack, Python's buffers, and whatever `asarray` is given.

DLPack (dmlc.github.io/dlpack) is a small C structure that describes an array in memory, handed
over in a capsule: NumPy, PyTorch, JAX, CuPy read each other's arrays with it, without a copy.
NumPy writes and reads the structure for us.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..autograd import node as graph
from ..device import device as Device
from ..device import memory_of
from ..dtypes import dtype as Dtype
from .conversion import cast
from .creation import finish, from_numpy, tensor

Tensor = Any
CPU = (1, 0)  # DLPack's device type kDLCPU, and the number of the device


class _Capsule:
    """A bare DLPack capsule as the kind of object that NumPy reads."""

    def __init__(self, capsule: Any) -> None:
        self._capsule = capsule

    def __dlpack__(self, **options: Any) -> Any:
        return self._capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return CPU


def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A Tensor on the memory of another library's array, or of a DLPack capsule.

    BufferError or RuntimeError from the other library if it does not give its memory away."""
    if device is not None and Device.of(device).type != "cpu":
        return from_dlpack(ext_tensor, copy=copy).to(device)
    if not hasattr(ext_tensor, "__dlpack__"):
        ext_tensor = _Capsule(ext_tensor)
    elif not _on_cpu(ext_tensor):
        raise RuntimeError("from_dlpack: the array is not in the CPU's memory; copy it there first")
    array = np.from_dlpack(ext_tensor)
    if not array.flags.writeable:
        array = _writeable(array)
    return from_numpy(array.copy("K") if copy else array)


def _on_cpu(ext_tensor: Any) -> bool:
    kind, _ = ext_tensor.__dlpack_device__()
    return int(kind) == CPU[0]


def _writeable(array: Any) -> Any:
    """The same memory: an array from the first version of DLPack, which knew no read-only arrays."""
    description = dict(array.__array_interface__, data=(array.ctypes.data, False))
    holder = _Memory(description, array)
    return np.asarray(holder)


class _Memory:
    """Memory described to NumPy by its address; `owner` keeps it alive."""

    def __init__(self, description: dict[str, Any], owner: Any) -> None:
        self.__array_interface__, self.owner = description, owner


def to_dlpack(
    input: Tensor, *, stream: Any = -1, max_version: tuple[int, int] | None = None,
    dl_device: tuple[Any, int] | None = None, copy: bool | None = None,
) -> Any:  # fmt: skip
    """A DLPack capsule with the memory of `input`; BufferError for one that requires a gradient."""
    if input.requires_grad:
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
    if stream not in (None, -1):
        raise AssertionError("stream should be None on cpu.")
    return input._array.__dlpack__(max_version=max_version, dl_device=dl_device, copy=copy)


def dlpack_device(input: Tensor) -> tuple[int, int]:
    """DLPack's numbers for the CPU."""
    return CPU


def frombuffer(
    buffer: Any, *, dtype: Dtype, count: int = -1, offset: int = 0, requires_grad: bool = False
) -> Tensor:
    """A 1-D Tensor on the memory of a Python buffer (bytes, bytearray, array, memoryview, ...).

    `offset` is in bytes; `count` elements, or all. ValueError where they do not fit."""
    try:
        length = memoryview(buffer).nbytes
    except TypeError:
        raise ValueError("object does not implement Python buffer protocol.") from None
    kind = dtypes.as_numpy(dtype, "frombuffer")
    width = kind.itemsize
    if not length or not count:
        raise ValueError(f"both buffer length ({length}) and count ({count}) must not be 0")
    if not 0 <= offset < length:
        raise ValueError(
            f"offset ({offset} bytes) must be non-negative and no greater than buffer length "
            f"({length} bytes) minus 1"
        )
    if count < 0 and (length - offset) % width:
        raise ValueError(
            f"buffer length ({length - offset} bytes) after offset ({offset} bytes) must be a "
            f"multiple of element size ({width})"
        )
    if count > 0 and offset + count * width > length:
        raise ValueError(
            f"requested buffer length ({count} * {width} bytes) after offset ({offset} bytes) must "
            f"not be greater than actual buffer length ({length} bytes)"
        )
    array = np.frombuffer(buffer, kind, count, offset)
    return finish(array if array.flags.writeable else _writeable(array), requires_grad, "cpu")


def asarray(
    obj: Any, *, dtype: Dtype | None = None, device: Any = None, copy: bool | None = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """`obj` as a Tensor: its memory is shared where that is possible and `copy` is not True.

    Takes Tensors, NumPy arrays, DLPack, buffers, numbers and sequences; `copy=False` raises
    ValueError where memory cannot be shared."""
    if device is None and memory_of(None) is not None:
        device = Device.at(memory_of(None))
    if device is not None and Device.of(device).type != "cpu":
        made = asarray(obj, dtype=dtype, device="cpu", copy=copy).to(device)
        return finish(made._array, True, device) if requires_grad else made
    shared = _shared(obj, dtype)
    if shared is None:
        if copy is False:
            raise ValueError("can't alias arbitrary sequence into a tensor.")
        return tensor(obj, dtype=dtype, requires_grad=requires_grad)
    wanted = shared._array.dtype if dtype is None else dtypes.as_numpy(dtype, "asarray")
    if wanted != shared._array.dtype:
        if copy is False:
            have, want = map(dtypes.scalar_name, (shared._array.dtype, wanted))
            raise ValueError(f"can't alias tensor with dtype '{have}' into dtype '{want}'.")
        return finish(cast(shared._array, wanted), requires_grad)
    if copy:
        return finish(shared._array.copy("K"), requires_grad)
    if shared.requires_grad and not requires_grad and shared is obj:
        return shared
    if shared is obj:
        return shared.requires_grad_(requires_grad or shared.requires_grad)
    return finish(shared._array, requires_grad)


def _shared(obj: Any, dtype: Dtype | None) -> Tensor | None:
    """A Tensor on the memory of `obj`; None for numbers and sequences."""
    if isinstance(obj, graph.Tensor):
        return obj
    if isinstance(obj, np.generic):
        return from_numpy(np.array(obj))
    if isinstance(obj, np.ndarray):
        return from_numpy(obj)
    if hasattr(obj, "__dlpack__"):
        return from_dlpack(obj)
    if isinstance(obj, (bytes, bytearray, memoryview)):
        return frombuffer(
            obj, dtype=dtypes.from_numpy(dtypes.default_dtype()) if dtype is None else dtype
        )
    return None
