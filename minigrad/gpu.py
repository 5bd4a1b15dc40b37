"""CuPy: the arrays of tensors on a GPU.

A tensor on the CPU holds a NumPy array, one on a GPU a CuPy array. Most code need not know: NumPy
hands `np.exp(a)`, `a + b` and `np.empty(shape, like=a)` on to the library whose arrays it is given.
Here is what has to be asked by name: whether there is a GPU, and copies between the two memories.
The few functions that NumPy does not hand on are in either.py.

CuPy is imported when somebody first asks for a CUDA device, and nowhere else.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np

Array = Any
arrays: tuple[Any, ...] = (np.ndarray,)  # CuPy's arrays too, once it is imported
fusion: Any = None  # the package, once CuPy is imported: other programs do not need it
_cupy: Any = None
_asked = False


def cupy() -> Any:
    """The module, or None where it is not installed or finds no GPU."""
    global _cupy, _asked, arrays, fusion
    if not _asked:
        _asked, _cupy = True, _imported()
        if _cupy is not None:
            fusion = import_module(f"{__package__}.fusion")
            arrays = (np.ndarray, _cupy.ndarray, fusion.Element)
            fusion.fuse_rows()
    return _cupy


def _imported() -> Any:
    try:
        found: Any = import_module("cupy")
    except ImportError:
        return None
    try:
        return found if found.cuda.runtime.getDeviceCount() else None
    except Exception:  # CuPy's own type of error: no driver, or one that is too old
        return None


def forget() -> None:
    """Ask again at the next call: for tests, which put a stand-in in CuPy's place."""
    global _cupy, _asked, arrays, fusion
    if fusion is not None:
        fusion.unfuse_rows()
    _cupy, _asked, arrays, fusion = None, False, (np.ndarray,), None
    _number.cache_clear()


def is_asked() -> bool:
    """Whether anybody has asked for a GPU."""
    return _asked


def device_count() -> int:
    """How many GPUs there are."""
    library = cupy()
    return 0 if library is None else int(library.cuda.runtime.getDeviceCount())


def current_device() -> int:
    """The number of the GPU where new arrays are made."""
    return int(cupy().cuda.Device().id)


def is_array(value: Any) -> bool:
    """Whether this is an array of NumPy or CuPy."""
    return isinstance(value, arrays)


def as_array(value: Any) -> Array:
    """An array of either library as it is; anything else (NumPy's scalars) as a NumPy array."""
    return value if isinstance(value, arrays) else np.asarray(value)


def on_gpu(array: Any) -> bool:
    """Whether an array (or a NumPy scalar) is not in the host's memory."""
    return not isinstance(array, (np.ndarray, np.generic))


def index_of(array: Array) -> int | None:
    """The number of the GPU whose memory an array is in; None for the host's."""
    return None if isinstance(array, (np.ndarray, np.generic)) else int(array.device.id)


def placed(array: Array, index: int | None) -> Array:
    """`array` in the memory of GPU `index`, or of the host for None: itself if it is there."""
    if index_of(array) == index:
        return array
    if index is None:
        return array.get()
    with cupy().cuda.Device(index):
        return cupy().asarray(array)


def pinned(array: Array) -> Array:
    """A copy of a host's array in memory that the GPU can copy from while the host goes on."""
    memory = cupy().cuda.alloc_pinned_memory(max(array.nbytes, 1))
    copy = np.frombuffer(memory, array.dtype, array.size).reshape(array.shape)
    np.copyto(copy, array)
    return copy


def is_pinned(array: Array) -> bool:
    """Whether a host's array lies in such memory."""
    if not _cupy:
        return False
    while isinstance(array, np.ndarray):
        array = array.base
    return isinstance(getattr(array, "obj", array), _cupy.cuda.PinnedMemoryPointer)


def to_host(array: Array) -> Array:
    """`array` as a NumPy array: a copy, for which the host waits, if it was on a GPU."""
    return array if index_of(array) is None else array.get()


def host_scalar(array: Array) -> Any:
    """The one element of an array as a NumPy scalar."""
    return to_host(array)[()]


def number(value: Any, dtype: Any, like: Array) -> Array:
    """A number as a 0-d array on the GPU of `like`, which is kept for later calls."""
    if value:
        return _number(value, dtype, int(like.device.id))
    return placed(np.asarray(value, dtype), int(like.device.id))  # 0.0 and -0.0 are equal keys


@lru_cache(maxsize=512)
def _number(value: Any, dtype: Any, index: int) -> Array:
    with np.errstate(over="ignore"):
        return placed(np.asarray(value).astype(dtype), index)
