"""The inside of a checkpoint: the pickle of the object, with its storages named but not contained.

Saving writes PyTorch's names for our parts (`names.py`). Loading reads with Python's unpickler,
which runs whatever the file says, or by default with one that cannot (`weights_only.py`).
"""

from __future__ import annotations

import codecs
import io
import pickle
import sys
from collections import OrderedDict
from typing import Any

import numpy as np

from .. import dtypes, gpu
from ..device import device as Device
from ..device import memory_of
from ..tensor import Size, Tensor
from ..warn import warn
from . import names
from .archive import ArchiveReader, damaged
from .storage import Storage, Storages
from .weights_only import Interpreter

# --- saving --------------------------------------------------------------------------------------


def dump(obj: Any, protocol: int) -> tuple[bytes, list[Any]]:
    """The pickle of `obj`, and the memories of its tensors in the order of their numbers."""
    buffer = io.BytesIO()
    pickler = _Pickler(buffer, protocol)
    pickler.dump(obj)
    return buffer.getvalue(), pickler.storages.elements()


class _Pickler(pickle._Pickler):
    """Python's pickler; the one written in Python, which lets us choose the names it writes."""

    def __init__(self, file: Any, protocol: int) -> None:
        super().__init__(file, protocol)
        self.protocol, self.file = protocol, file
        self.storages = Storages()

    def persistent_id(self, obj: Any) -> Any:
        """A storage is only named in the pickle: its bytes have a record of their own."""
        if not isinstance(obj, Storage):
            return None
        kind = names.storage_type(dtypes.from_numpy(obj.elements.dtype))
        return "storage", kind, self.storages.key(obj), obj.location, obj.elements.size

    def reducer_override(self, obj: Any) -> Any:
        """How to write what PyTorch knows: a name (see `save_global`), or a call of one."""
        name = names.name_of(obj)
        if name is not None:
            return name[1]
        if isinstance(obj, Tensor):
            return self._reduce_tensor(obj)
        if isinstance(obj, Size):
            return Size, (tuple(obj),)
        if isinstance(obj, Device):
            return Device, (obj.type,) if obj.index is None else (obj.type, obj.index)
        if type(obj) is bytes and not obj and self.protocol < 3:
            return codecs.encode, (
                "",
                "latin1",
            )  # as other bytes are written; PyTorch reads just that
        return NotImplemented

    def _reduce_tensor(self, tensor: Tensor) -> Any:
        _warn_of_hooks(tensor)
        state = {k: v for k, v in tensor.__dict__.items() if not k.startswith("_accumulator")}
        hooks: Any = OrderedDict()  # PyTorch expects them, and always empty
        if isinstance(tensor, names.parameter_class()):
            of_parameter = (tensor.detach(), tensor.requires_grad, hooks)
            if state:
                return names.rebuild_parameter_with_state, (*of_parameter, state)
            return names.rebuild_parameter, of_parameter
        storage, geometry = self.storages.find(tensor._array)
        arguments = (storage, *geometry, tensor.requires_grad, hooks)
        if type(tensor) is Tensor and not state:
            return names.rebuild_tensor, arguments
        return names.rebuild_from_type, (names.rebuild_tensor, type(tensor), arguments, state)

    def save_global(self, obj: Any, name: str | None = None) -> None:
        """Write the name of a class or function, without asking whether it can be imported."""
        known = names.name_of(obj)
        if known is None:
            super().save_global(obj, name)  # type: ignore[misc]
            return
        self.write(pickle.GLOBAL + f"{known[0]}\n{known[1]}\n".encode())  # type: ignore[attr-defined]
        self.memoize(obj)  # type: ignore[attr-defined]


def _warn_of_hooks(tensor: Tensor) -> None:
    hooks = tensor.hooks if tensor._edge is None else tensor._edge[0].hooks
    for output_nr, hook in hooks.tensor.values() if hooks is not None else ():
        if output_nr == tensor.output_nr:
            warn(f"backward hook {hook!r} on tensor will not be serialized.")


# --- loading -------------------------------------------------------------------------------------


def unpickle(archive: ArchiveReader, map_location: Any, weights_only: bool, arguments: Any) -> Any:
    """The object in a checkpoint; `arguments` are for Python's unpickler."""
    program = archive.read("data.pkl")
    storages = _LoadedStorages(archive, map_location)
    if not weights_only:
        options = {"encoding": "utf-8", **arguments}  # for texts that Python 2 pickled
        return _Unpickler(io.BytesIO(program), storages, **options).load()
    try:
        return Interpreter(program, storages.load).run()
    except pickle.UnpicklingError as error:
        raise pickle.UnpicklingError(f"Weights only load failed. {error}\n{ADMITTED}") from None
    except MALFORMED as error:
        what = f"{type(error).__name__}: {error}"
        raise pickle.UnpicklingError(
            f"Weights only load failed. Malformed pickle ({what})."
        ) from error


ADMITTED = (
    "weights_only=True admits tensors, numbers, strings and containers. If you trust whoever made "
    "the file, weights_only=False loads anything, and runs anything that the file says."
)
MALFORMED = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)


class _Unpickler(pickle.Unpickler):
    """Python's unpickler, which imports and calls whatever the file names."""

    def __init__(self, file: Any, storages: _LoadedStorages, **arguments: Any) -> None:
        super().__init__(file, **arguments)
        self.storages = storages

    def persistent_load(self, pid: Any) -> Any:
        return self.storages.load(pid)

    def find_class(self, module: str, name: str) -> Any:
        part = names.find(module, name)
        return super().find_class(module, name) if part is None else part


class _LoadedStorages:
    """The storages of an archive, each read when it is first named."""

    def __init__(self, archive: ArchiveReader, map_location: Any) -> None:
        self.archive, self.map_location = archive, map_location
        order = archive.read("byteorder") if archive.has("byteorder") else b"little"
        if order not in (b"little", b"big"):
            damaged(f"Unknown endianness type: {order!r}")
        self._swap = order.decode() != sys.byteorder
        self._loaded: dict[str, Storage] = {}

    def load(self, pid: Any) -> Storage:
        """The storage that the pickle means by `("storage", type, key, location, numel)`."""
        if type(pid) is not tuple or len(pid) != 5 or pid[0] != "storage":
            raise pickle.UnpicklingError(
                f"Only persistent_load of storage is allowed, but got {type(pid)}"
            )
        _, kind, key, location, numel = pid
        if [type(part) for part in pid[1:]] != [names.StorageType, str, str, int]:
            raise pickle.UnpicklingError("a storage is not described as torch.save does it")
        dtype = kind.dtype.numpy
        if key not in self._loaded:
            storage = Storage(self._read(key, dtype, numel))
            self._loaded[key] = restore_location(self.map_location, storage, location)
        if self._loaded[key].elements.dtype != dtype:
            raise pickle.UnpicklingError(f"the storage {key} is named with two dtypes")
        return self._loaded[key]

    def _read(self, key: str, dtype: Any, numel: int) -> Any:
        name = f"data/{key}"
        if self.archive.size(name) != numel * dtype.itemsize:
            damaged(f"the record {name} has not the size of {numel} elements of {dtype}")
        elements = np.empty(numel, dtype)
        self.archive.read_into(name, elements)
        return elements.byteswap() if self._swap else elements


def restore_location(map_location: Any, storage: Any, location: str) -> Any:
    """`storage`, which was saved on `location`, where `map_location` wants it to be."""
    if isinstance(map_location, dict):
        location = map_location.get(location, location)
    elif callable(map_location):
        mapped = map_location(storage, location)
        if mapped is not None:
            if not isinstance(mapped, Storage):
                raise RuntimeError(f"map_location has to return a storage, not {type(mapped)}")
            return mapped
    elif map_location is not None:
        location = map_location
    kind = str(location).partition(":")[0]
    if kind == "cuda" and not gpu.device_count():
        raise RuntimeError(NO_CUDA)
    if kind == "cuda" and storage is not None:
        return Storage(gpu.placed(storage.elements, memory_of(location)), str(location))
    if kind != "cpu":
        raise RuntimeError(f"there is no device {location!r} for a storage: use map_location='cpu'")
    return storage


NO_CUDA = (
    "Attempting to deserialize object on a CUDA device but torch.cuda.is_available() is False. "
    "Use load with map_location='cpu' to map the storages to the CPU."
)
