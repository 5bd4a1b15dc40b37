"""Saving and loading, in PyTorch's own checkpoint format and without PyTorch.

A checkpoint is a zip archive. `data.pkl` in it is a pickle of the saved object in which each tensor
says only how it lies in a memory: offset, sizes and strides. The memories ("storages") follow as
the records `data/0`, `data/1`, ..., so tensors that shared memory share it again after loading.

    archive.py      the zip archive, and files that are replaced as a whole or not at all
    storage.py      which memory a tensor lies in
    pickling.py     the pickle: names that PyTorch understands, and what a file may make run
    safetensors.py  the other common format, through the library of that name
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from ..device import device as Device
from ..warn import warn
from .archive import ArchiveReader, is_path, open_for_reading, open_for_writing, write_archive
from .pickling import dump, unpickle
from .safetensors import load_safetensors, save_safetensors
from .storage import Storage

__all__ = ["load", "load_safetensors", "save", "save_safetensors"]

MapLocation = Callable[[Storage, str], Any] | Device | str | dict[str, str] | None


def save(obj: Any, f: Any, pickle_module: Any = None, pickle_protocol: int = 2) -> None:
    """Write `obj`, which may contain Tensors anywhere, to `f` so that `torch.load` can read it.

    A path is replaced as a whole or, if anything fails, left as it was.

    Args:
        f: a path, or an object with `write`.
        pickle_module: `pickle`, as in PyTorch's signature; there is no other.
        pickle_protocol: 2 is the only one that `weights_only=True` accepts in PyTorch.

    Raises:
        RuntimeError: if the directory is missing, or tensors of two dtypes share memory.
        AttributeError: if `f` is neither a path nor has `write`.
    """
    _check_pickle_module(pickle_module)
    if not is_path(f) and not hasattr(f, "write"):
        raise AttributeError(
            "expected 'f' to be string, path, or a file-like object with a 'write' attribute"
        )
    pickled, storages = dump(obj, pickle_protocol)
    with open_for_writing(f) as stream:
        write_archive(stream, pickled, storages)


def load(
    f: Any, map_location: MapLocation = None, pickle_module: Any = None, *,
    weights_only: bool | None = True, mmap: bool | None = None, **pickle_load_args: Any,
) -> Any:  # fmt: skip
    """The object that `save`, or `torch.save`, wrote to `f`.

    Args:
        f: a path, or an object with `read`, `seek` and `tell`. A path that ends in `.safetensors`
            is read by `load_safetensors`.
        map_location: where tensors go that were saved on another device: a device, a dict of
            devices, or a function of a storage and its device. minigrad's own are on the CPU.
        weights_only: admit tensors, numbers, strings and containers, and nothing else. With False,
            the file may run anything: do that with files that you trust.
        pickle_load_args: for `pickle.Unpickler`, with `weights_only=False`.

    Raises:
        pickle.UnpicklingError: if the file names what may not be loaded, or is a pickle only.
        RuntimeError: if it is cut or damaged, or its tensors are of a dtype or on a device that
            minigrad does not have.
        EOFError: if it is empty.
    """
    if mmap:
        raise RuntimeError("minigrad reads checkpoints as a whole: leave out mmap=True")
    _check_pickle_module(pickle_module)
    if is_path(f) and os.fsdecode(f).endswith(".safetensors"):
        return load_safetensors(f, map_location)
    weights_only = weights_only is not False
    if weights_only and pickle_load_args:
        warn("pickle_load_args only works if `weights_only=False`.")
        pickle_load_args = {}
    with open_for_reading(f) as file, ArchiveReader(file) as archive:
        return unpickle(archive, map_location, weights_only, pickle_load_args)


def _check_pickle_module(module: Any) -> None:
    if module is not None and getattr(module, "__name__", None) != "pickle":
        raise RuntimeError(f"minigrad saves with Python's pickle: leave out pickle_module={module}")
