"""What the names in a checkpoint stand for.

A pickle names classes and functions by module. In a checkpoint these are PyTorch's: a tensor is
"call `torch._utils._rebuild_tensor_v2` with this storage, offset, size and stride". `NAMES` gives
our part for each, and is read backwards to save. `CONTAINERS` are Python's own names that a file
may use under `weights_only=True`.
"""

from __future__ import annotations

import functools
import pickle
import pkgutil
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any

from .. import dtypes
from ..device import device as Device
from ..ops.creation import BESIDE, finish
from ..tensor import Size, Tensor
from .storage import Storage


class StorageType:
    """What PyTorch calls `torch.FloatStorage` and so on: in a checkpoint, the name of a dtype."""

    def __init__(self, dtype: dtypes.dtype) -> None:
        self.dtype = dtype


@functools.cache
def parameter_class() -> Any:
    """`nn.Parameter`, by name as unpicklers find classes: the core does not depend on `nn`."""
    return pkgutil.resolve_name(f"{__package__.partition('.')[0]}.nn.parameter:Parameter")


def rebuild_tensor(
    storage: Any, offset: Any, size: Any, stride: Any, requires_grad: Any, hooks: Any, _: Any = None
) -> Tensor:
    """A tensor of PyTorch's description; hooks are never saved, so there are none."""
    if not isinstance(storage, Storage):
        raise pickle.UnpicklingError("a tensor is made of a storage")
    tensor = finish(storage.view(offset, tuple(size), tuple(stride)), bool(requires_grad), BESIDE)
    tensor._bump_version()  # in PyTorch, being put into the storage counts as a change
    return tensor


def rebuild_parameter(data: Any, requires_grad: Any, hooks: Any) -> Tensor:
    if not isinstance(data, Tensor):
        raise pickle.UnpicklingError("a Parameter is made of a tensor")
    parameter: Tensor = parameter_class()(data, bool(requires_grad))
    return parameter


def rebuild_parameter_with_state(data: Any, requires_grad: Any, hooks: Any, state: Any) -> Tensor:
    return _with_attributes(rebuild_parameter(data, requires_grad, hooks), state)


def rebuild_from_type(rebuild: Any, cls: Any, args: Any, state: Any) -> Tensor:
    """A tensor that has attributes of its own, or is of a subclass."""
    known = rebuild is rebuild_tensor or rebuild is rebuild_parameter
    if not known or not issubclass(cls, Tensor):
        raise pickle.UnpicklingError("what is to be rebuilt is no tensor")
    tensor = rebuild(*args)
    if type(tensor) is not cls:
        tensor = Tensor._make_subclass(cls, tensor, tensor.requires_grad)
    return _with_attributes(tensor, state)


def _with_attributes(tensor: Tensor, state: Any) -> Tensor:
    attributes = state[0] if isinstance(state, tuple) else state  # in a tuple, slots follow
    tensor.__dict__.update(attributes or {})
    return tensor


def encode(text: str = "", encoding: str = "latin1") -> bytes:
    """Bytes, which pickle's protocol 2 writes as text."""
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"bytes are not written in the encoding {encoding!r}")
    return text.encode("latin1")


def make_bytearray(text: Any = "", encoding: str = "latin1") -> bytearray:
    return bytearray(text if isinstance(text, bytes) else encode(text, encoding))


NAMES: dict[tuple[str, str], Any] = {
    ("torch._utils", "_rebuild_tensor_v2"): rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): rebuild_parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): rebuild_parameter_with_state,
    ("torch._tensor", "_rebuild_from_type_v2"): rebuild_from_type,
    ("torch", "Size"): Size,
    ("torch", "device"): Device,
    ("torch", "Tensor"): Tensor,
    ("torch", "DoubleStorage"): StorageType(dtypes.float64),
    ("torch", "FloatStorage"): StorageType(dtypes.float32),
    ("torch", "HalfStorage"): StorageType(dtypes.float16),
    ("torch", "LongStorage"): StorageType(dtypes.int64),
    ("torch", "IntStorage"): StorageType(dtypes.int32),
    ("torch", "ShortStorage"): StorageType(dtypes.int16),
    ("torch", "CharStorage"): StorageType(dtypes.int8),
    ("torch", "ByteStorage"): StorageType(dtypes.uint8),
    ("torch", "BoolStorage"): StorageType(dtypes.bool),
    ("torch", "float64"): dtypes.float64,
    ("torch", "float32"): dtypes.float32,
    ("torch", "float16"): dtypes.float16,
    ("torch", "int64"): dtypes.int64,
    ("torch", "int32"): dtypes.int32,
    ("torch", "int16"): dtypes.int16,
    ("torch", "int8"): dtypes.int8,
    ("torch", "uint8"): dtypes.uint8,
    ("torch", "bool"): dtypes.bool,
}
CONTAINERS: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("collections", "Counter"): Counter,
    ("builtins", "set"): set,
    ("builtins", "frozenset"): frozenset,
    ("builtins", "complex"): complex,
    ("builtins", "bytes"): encode,
    ("builtins", "bytearray"): make_bytearray,
    ("_codecs", "encode"): encode,
}
MAY_BE_CALLED: tuple[Callable[..., Any], ...] = (
    rebuild_tensor, rebuild_parameter, rebuild_parameter_with_state, rebuild_from_type, Size,
    Device, OrderedDict, Counter, set, frozenset, complex, encode, make_bytearray,
)  # fmt: skip
_NAME_BY_ID = {id(part): name for name, part in NAMES.items()}
_STORAGE_TYPES = {part.dtype: part for part in NAMES.values() if isinstance(part, StorageType)}


def name_of(part: Any) -> tuple[str, str] | None:
    """PyTorch's module and name for a part of minigrad."""
    return _NAME_BY_ID.get(id(part)) or (PARAMETER if part is parameter_class() else None)


def storage_type(dtype: dtypes.dtype) -> StorageType:
    return _STORAGE_TYPES[dtype]


def find(module: str, name: str) -> Any:
    """Our part for a name of PyTorch; None for a name that is not PyTorch's.

    Raises UnpicklingError if minigrad has no such part."""
    if (module, name) == PARAMETER:
        return parameter_class()
    part = NAMES.get((module, name))
    if part is None and module.partition(".")[0] == "torch":
        advice = OTHER_DTYPE if name.endswith("Storage") or name in _OTHER_DTYPES else OTHER_PART
        raise pickle.UnpicklingError(f"Unsupported global: GLOBAL {module}.{name}. {advice}")
    return part


PARAMETER = ("torch.nn.parameter", "Parameter")
_OTHER_DTYPES = ("_rebuild_tensor_v3", "bfloat16", "complex64", "complex128")
OTHER_DTYPE = (
    "The file has tensors of a dtype that minigrad does not have: in PyTorch, convert them, for "
    "example with float(), and save again."
)
OTHER_PART = (
    "minigrad has nothing of that name: in PyTorch, save dense tensors and the state_dict() of "
    "modules and optimizers instead of the objects themselves."
)
