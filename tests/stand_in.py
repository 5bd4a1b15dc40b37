"""A stand-in for CuPy, for machines without a GPU: what it accepts CuPy accepts, and no more.

Its `ndarray` wraps a NumPy array and computes on the host, but behaves towards minigrad as CuPy's
does: it refuses `__array__` and every mix with a NumPy array, has the functions, methods and
keyword arguments that CuPy has (cupy_table.json, made by cupy_table.py from CuPy itself), returns
0-d arrays where NumPy returns scalars, and counts in `synchronisations` each time that the host
would wait for the GPU. While `installed()` it is what `import cupy` finds.

What it shows is that nothing is copied between devices unasked, and that each call exists. What it
cannot show is how CuPy's kernels round, how fast they are, and what only their results tell: CuPy
wraps an index that is out of range, and leaves open which of several values written to the same
place stays. It is stricter than CuPy in one thing: 0-d NumPy arrays are refused everywhere.
"""

from __future__ import annotations

import json
import operator
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from stand_in_kernel import host_kernel

TABLE = json.loads(Path(__file__).with_name("cupy_table.json").read_text())
SCALARS = (bool, int, float, np.generic, type(None), str, np.dtype, type, slice, type(Ellipsis))
AT_DTYPES = {  # from the errors of CuPy's scatter kernels
    "add": "iqQlLIefd", "subtract": "iI", "maximum": "iIlLqQfd", "minimum": "iIlLqQfd",
    "bitwise_and": "iIlLqQ", "bitwise_or": "iIlLqQ", "bitwise_xor": "iIlLqQ",
}  # fmt: skip
CREATION = (
    "array",
    "asarray",
    "ascontiguousarray",
    "empty",
    "zeros",
    "arange",
    "frombuffer",
    "tri",
)
DEVICES = 2
PROPERTIES = {  # an H200's size, so that Philox launches as many threads
    "name": b"stand-in", "major": 9, "minor": 0, "totalGlobalMem": 1 << 37,
    "multiProcessorCount": 132, "maxThreadsPerMultiProcessor": 2048,
}  # fmt: skip
synchronisations: list[str] = []  # what made the host wait, in order
launches: list[str] = []  # what would start a kernel: each call whose result is new memory


class Refused(TypeError):
    """What CuPy refuses."""


class ndarray(NDArrayOperatorsMixin):  # the operators are the ufuncs, as in CuPy
    """An array on the stand-in's device."""

    __slots__ = ("__weakref__", "_device", "_host", "_owner")
    __hash__ = None  # type: ignore[assignment]
    __array_priority__ = 100

    def __init__(self, shape: Any, dtype: Any = float, order: str = "C") -> None:
        self._host, self._owner = np.empty(shape, dtype, order), None
        self._device = current_device

    # --- what CuPy refuses ---

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise Refused("Implicit conversion to a NumPy array is not allowed.")

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        module = function.__module__.partition(".")[2]
        name = f"{module}.{function.__name__}" if module else function.__name__
        parameters = TABLE["functions"].get(name)
        if parameters is None:
            return NotImplemented
        check_arguments(name, parameters, args, kwargs)
        if name in CREATION:  # asked for by `like=`: the one way in
            return wrapped(function(*args, **kwargs), [])
        return run(function, args, kwargs)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        name = ufunc.__name__
        if name in TABLE["functions"]:  # matmul, which is no ufunc in CuPy
            check_arguments(name, TABLE["functions"][name], inputs, kwargs)
        elif name not in TABLE["ufuncs"]:
            return NotImplemented
        elif method == "__call__":
            check_ufunc(ufunc, TABLE["ufuncs"][name], inputs, kwargs)
        else:
            check_method(ufunc, method, inputs, kwargs)
        return run(getattr(ufunc, method), inputs, kwargs)

    # --- what it is ---

    shape = property(lambda self: self._host.shape)
    dtype, ndim = property(lambda self: self._host.dtype), property(lambda self: self._host.ndim)
    size, nbytes = property(lambda self: self._host.size), property(lambda self: self._host.nbytes)
    itemsize = property(lambda self: self._host.itemsize)
    strides = property(lambda self: self._host.strides)
    T = property(lambda self: wrapped(self._host.T, [self]))
    mT = property(lambda self: wrapped(self._host.mT, [self]))
    real = property(lambda self: wrapped(self._host.real, [self]))
    base = property(lambda self: self._owner)  # None: it has memory of its own
    device = property(lambda self: self._device)

    @shape.setter
    def shape(self, shape: Any) -> None:
        self._host.shape = shape

    @property
    def flags(self) -> Any:
        host = self._host.flags
        return types.SimpleNamespace(
            c_contiguous=host.c_contiguous,
            f_contiguous=host.f_contiguous,
            forc=host.forc,
            owndata=self._owner is None,
        )

    @property
    def data(self) -> Any:
        return types.SimpleNamespace(ptr=self._host.__array_interface__["data"][0])

    __cuda_array_interface__ = property(lambda self: {"shape": self.shape})

    def __len__(self) -> int:
        return len(self._host)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self._host)))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """A method, if CuPy's array has it."""
        if name.startswith("_") or name not in TABLE["methods"]:
            raise AttributeError(f"'cupy.ndarray' object has no attribute '{name}'")

        def method(*args: Any, **kwargs: Any) -> Any:
            check_arguments(f"ndarray.{name}", TABLE["methods"][name], args, kwargs)
            return run(getattr(np.ndarray, name), (self, *args), kwargs)

        return method

    def __getitem__(self, index: Any) -> Any:
        if any(as_bool(i) for i in index_parts(index)):
            synchronisations.append("an index of bools")
        return run(operator.getitem, (self, index), {})

    def __setitem__(self, index: Any, value: Any) -> None:
        if isinstance(value, (list, tuple)):
            raise Refused("CuPy assigns numbers and arrays of its own alone")
        run(operator.setitem, (self, index, value), {})

    # --- to the host ---

    def get(self) -> Any:
        synchronisations.append("get")
        return self._host.copy(order="K")

    def item(self) -> Any:
        synchronisations.append("item")
        return self._host.item()

    def tolist(self) -> Any:
        synchronisations.append("tolist")
        return self._host.tolist()

    def __bool__(self) -> bool:
        synchronisations.append("bool")
        return bool(self._host)

    def __int__(self) -> int:
        synchronisations.append("int")
        return int(self._host)

    def __float__(self) -> float:
        synchronisations.append("float")
        return float(self._host)

    def __repr__(self) -> str:
        return f"stand_in({self._host!r})"

    def __str__(self) -> str:
        synchronisations.append("str")
        return str(self._host)

    def set(self, array: Any) -> None:
        np.copyto(self._host, array)


# --- running on the host what CuPy would run on the GPU -------------------------------------------


def run(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """`function` on the hosts' arrays, its results wrapped again."""
    arrays: list[ndarray] = []
    args, kwargs = unwrapped(args, arrays), unwrapped(kwargs, arrays)
    if len({a._device.id for a in arrays}) > 1:
        raise Refused("arrays of several devices in one call")
    with np.errstate(all="ignore"):  # a GPU has no floating-point flags
        made = wrapped(function(*args, **kwargs), arrays)
    if not isinstance(made, ndarray) or made._owner is None or "out" in kwargs:
        launches.append(getattr(function, "__name__", str(function)))
    return made


def unwrapped(value: Any, arrays: list[ndarray]) -> Any:
    """`value` with NumPy arrays for ours, which are noted; Refused if a NumPy array is in it."""
    if isinstance(value, ndarray):
        arrays.append(value)
        return value._host
    if isinstance(value, (list, tuple)):
        made = [unwrapped(v, arrays) for v in value]
        return made if isinstance(value, list) else tuple(made)
    if isinstance(value, dict):
        return {name: unwrapped(v, arrays) for name, v in value.items()}
    if isinstance(value, np.ndarray):
        raise Refused("Unsupported type <class 'numpy.ndarray'>")
    return value


def wrapped(value: Any, sources: list[ndarray]) -> Any:
    """Our array for one of NumPy's: the same object where NumPy returned it, a view of its owner."""
    if isinstance(value, tuple):
        parts = [wrapped(v, sources) for v in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    if isinstance(value, list):
        return [wrapped(v, sources) for v in value]
    if not isinstance(value, (np.ndarray, np.generic)):
        return value
    for source in sources:
        if value is source._host:
            return source
    array = object.__new__(ndarray)
    array._host, array._owner = np.asarray(value), None
    array._device = sources[0]._device if sources else current_device
    for source in sources:
        if root(array._host) is root(source._host):
            array._owner = source if source._owner is None else source._owner
            if not array._host.flags.writeable and source._host.flags.writeable:
                array._host.flags.writeable = True  # as diagonals are in CuPy
    return array


def root(array: Any) -> Any:
    while getattr(array, "base", None) is not None:
        array = array.base
    return array


# --- what CuPy accepts ---------------------------------------------------------------------------


def check_arguments(name: str, parameters: list[str], args: Any, kwargs: Any) -> None:
    """TypeError unless CuPy's function takes these arguments."""
    by_position = [p for p in parameters if p not in ("*args", "**")]
    by_position = by_position[: by_position.index("*")] if "*" in by_position else by_position
    if len(args) > len(by_position) and "*args" not in parameters:
        raise Refused(f"{name}() takes {len(by_position)} positional arguments, not {len(args)}")
    for keyword in kwargs:
        if keyword not in parameters and "**" not in parameters:
            raise Refused(f"{name}() got an unexpected keyword argument '{keyword}'")


def check_ufunc(ufunc: Any, entry: Any, inputs: Any, kwargs: Any) -> None:
    for keyword in kwargs:
        if keyword not in entry["keywords"]:
            raise Refused(f"{ufunc.__name__}() got an unexpected keyword argument '{keyword}'")
    chars = [x.dtype.char for x in inputs if isinstance(x, ndarray)]
    loops = [t for t in entry["types"] if all(np.can_cast(c, t[0]) for c in chars)]
    if not loops:
        raise Refused(f"cupy_{ufunc.__name__} has no loop for {chars}")


def check_method(ufunc: Any, method: str, inputs: Any, kwargs: Any) -> None:
    name = ufunc.__name__
    if method not in TABLE["ufuncs"][name]["methods"]:
        raise NotImplementedError(f"`cupy_{name}.{method}` is not supported yet")
    for keyword in kwargs:
        if keyword not in ("axis", "dtype", "out", "keepdims"):
            raise Refused(f"{method}() got an unexpected keyword argument '{keyword}'")
    if method == "at" and inputs[0].dtype.char not in AT_DTYPES[name]:
        raise Refused(f"cupy.{name}.at does not support {inputs[0].dtype}")


def index_parts(index: Any) -> tuple[Any, ...]:
    return index if isinstance(index, tuple) else (index,)


def as_bool(index: Any) -> bool:
    return isinstance(index, ndarray) and index.dtype == bool


# --- the module that `import cupy` finds ----------------------------------------------------------


class Device:
    """One of the stand-in's devices; `with Device(1):` makes it the current one."""

    def __init__(self, id: int | None = None) -> None:
        self.id = current_device.id if id is None else id
        self.before: list[Device] = []

    def use(self) -> None:
        global current_device
        current_device = self

    def synchronize(self) -> None:
        synchronisations.append("synchronize")

    def __enter__(self) -> Device:
        self.before.append(current_device)
        self.use()
        return self

    def __exit__(self, *exception: object) -> None:
        self.before.pop().use()


current_device = Device(0)


def asarray(value: Any, dtype: Any = None) -> ndarray:
    """An upload, asked for."""
    if isinstance(value, ndarray):
        if value._device.id != current_device.id:
            return wrapped(value._host.copy(), [])
        return value if dtype is None else value.astype(dtype, copy=False)
    made: ndarray = wrapped(np.array(value, dtype, order="K"), [])
    return made


def module() -> types.ModuleType:
    """The stand-in as a module: what minigrad/gpu.py uses of CuPy by name."""
    made: Any = types.ModuleType("cupy")
    made.ndarray, made.asarray, made.asnumpy = ndarray, asarray, lambda a: a.get()
    made.array, made.ascontiguousarray = asarray, asarray
    made.empty = lambda shape, dtype=float: ndarray(shape, dtype)
    made.zeros = lambda shape, dtype=float: wrapped(np.zeros(shape, dtype), [])
    made.arange = lambda *args, **kwargs: wrapped(np.arange(*args, **kwargs), [])
    made.get_default_memory_pool = lambda: types.SimpleNamespace(
        used_bytes=lambda: 0, total_bytes=lambda: 0, free_all_blocks=lambda: None
    )
    made.cuda = types.SimpleNamespace(
        Device=Device,
        PinnedMemoryPointer=bytearray,
        alloc_pinned_memory=bytearray,
        runtime=types.SimpleNamespace(
            getDeviceCount=lambda: DEVICES, getDeviceProperties=lambda index: PROPERTIES
        ),
    )
    made.ElementwiseKernel = host_kernel(sys.modules[__name__])
    made.lib = types.SimpleNamespace(stride_tricks=types.SimpleNamespace(as_strided=as_strided))
    return made


def as_strided(x: ndarray, shape: Any = None, strides: Any = None) -> Any:
    return run(np.lib.stride_tricks.as_strided, (x, shape, strides), {})


@contextmanager
def installed() -> Iterator[None]:
    """While this lasts, `import cupy` gives the stand-in, and minigrad has a CUDA device."""
    from minigrad import gpu

    before = sys.modules.get("cupy")
    sys.modules["cupy"] = module()
    gpu.forget()
    try:
        yield
    finally:
        current_device.use() if current_device.id == 0 else Device(0).use()
        del sys.modules["cupy"]
        if before is not None:
            sys.modules["cupy"] = before
        gpu.forget()
