"""Devices: where a tensor's memory is.

A `device` is only a name, such as `cuda:1`, and can be made on any machine. Tensors can be on the
CPU and, where CuPy finds them, on CUDA devices: `device.of`, which every `device=` argument goes
through, refuses all others.
"""

from __future__ import annotations

import operator
import re
from typing import Any, NoReturn, SupportsIndex

from . import gpu

CPU_ONLY = (
    " minigrad computes on the CPU only here: CuPy, by which it uses GPUs (docs/gpu.md), is not "
    'installed or finds none. CuPy comes with: pip install -e ".[cuda13]" (CUDA 12: ".[cuda12]")'
)
NO_CUDA = "Torch not compiled with CUDA enabled." + CPU_ONLY
NO_ACCELERATOR = "Cannot access accelerator device when none is available." + CPU_ONLY

TYPES = (
    "cpu", "cuda", "ipu", "xpu", "mkldnn", "opengl", "opencl", "ideep", "hip", "ve", "fpga", "maia",
    "xla", "lazy", "vulkan", "mps", "meta", "hpu", "mtia", "privateuseone",
)  # fmt: skip
_WRITTEN = re.compile(r"([a-zA-Z_]+)(?::(0|[1-9][0-9]*))?", re.ASCII)


class device:
    """`device("cpu")`, `device("cuda:0")` or `device("cuda", 0)`; prints as in PyTorch.

    type: a name out of TYPES, with or without an index; a device; or an index alone, which means
        the machine's accelerator.
    Raises RuntimeError for an unknown name or a negative index, and for an index alone, as there is
    no accelerator.
    """

    __slots__ = ("index", "type")
    type: str
    index: int | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        name, index = _parsed(*_arguments(args, kwargs))
        object.__setattr__(self, "type", name)
        object.__setattr__(self, "index", index)

    def __init_subclass__(cls) -> None:
        raise TypeError("type 'torch.device' is not an acceptable base type")

    def __setattr__(self, name: str, value: Any) -> None:
        if name in device.__slots__:
            raise AttributeError(f"attribute '{name}' of 'torch.device' objects is not writable")
        raise AttributeError(f"'torch.device' object has no attribute '{name}'")

    @staticmethod
    def of(value: Any) -> device:
        """The device of a `device=` argument, if tensors can be on it; PyTorch's errors if not."""
        if value == "cpu":  # by far the most frequent one
            return cpu
        found = value if isinstance(value, device) else device(value)
        return found if found.type == "cpu" else _on_gpu(found)

    @staticmethod
    def at(index: int | None) -> device:
        """The device of an array: GPU `index`, or the CPU for None."""
        return cpu if index is None else device("cuda", index)

    def __enter__(self) -> device:
        """`with device("cuda"):` makes new tensors there."""
        _before.append(default_index)
        set_default(self)
        return self

    def __exit__(self, *exception: object) -> None:
        global default_index
        default_index = _before.pop()

    def __reduce__(self) -> Any:
        return device, (self.type,) if self.index is None else (self.type, self.index)

    def __repr__(self) -> str:
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type='{self.type}'{index})"

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def _unordered(self, other: object) -> NoReturn:
        """TypeError: devices have no order."""
        raise TypeError("comparison not implemented")

    __lt__ = __le__ = __gt__ = __ge__ = _unordered


def _arguments(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
    """The name and the index: PyTorch takes `(device)` and `(type, index=None)`."""
    named = dict(zip(("type", "index"), args, strict=False)) | kwargs
    if len(args) > 2 or named.keys() not in ({"device"}, {"type"}, {"type", "index"}):
        raise _wrong_call(args, kwargs)
    first, index = named.get("device", named.get("type")), named.get("index")
    if isinstance(first, str | bytes):
        return first, index
    if index is not None:
        raise TypeError(f"device(): argument 'type' (position 1) must be str, not {_kind(first)}")
    if "type" in kwargs or isinstance(first, bool) or not isinstance(first, SupportsIndex | device):
        raise _wrong_call(args, kwargs)
    return first, None


def _kind(value: Any) -> str:
    return "torch.device" if isinstance(value, device) else type(value).__name__


def _wrong_call(args: tuple[Any, ...], kwargs: dict[str, Any]) -> TypeError:
    """PyTorch's error for arguments that fit neither form, up to its listing of both."""
    given = [_kind(value) for value in args]
    given += [f"{name}={_kind(value)}" for name, value in kwargs.items()]
    listed = ", ".join(given) + (", " if kwargs else "")
    return TypeError(
        f"device() received an invalid combination of arguments - got ({listed}), but expected one "
        "of:\n * (torch.device device)\n * (str type, int index = -1)\n"
    )


def _parsed(first: Any, index: Any) -> tuple[str, int | None]:
    """The type and the index of what `device` was called with."""
    if isinstance(first, device):
        return first.type, first.index
    if isinstance(first, SupportsIndex):
        if not gpu.device_count():
            _checked(first)
            raise RuntimeError(NO_ACCELERATOR)
        return "cuda", _checked(first)
    name, written = _split(first.decode() if isinstance(first, bytes) else first)
    if index is None:
        return name, written
    if isinstance(index, bool) or not isinstance(index, SupportsIndex):
        raise TypeError(f"device(): argument 'index' (position 2) must be int, not {_kind(index)}")
    if written is not None:
        raise RuntimeError(
            f"type (string) must not include an index because index was passed explicitly: {first}"
        )
    return name, _checked(index)


def _checked(index: SupportsIndex) -> int:
    number = operator.index(index)
    if number < 0:
        raise RuntimeError("Device index must not be negative")
    return number


def _split(text: str) -> tuple[str, int | None]:
    """`cuda:1` as `cuda` and 1."""
    if not text:
        raise RuntimeError("Device string must not be empty")
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise RuntimeError(f"Invalid device string: '{text}'")
    name, index = found.groups()
    if name not in TYPES:
        listed = ", ".join(TYPES)
        raise RuntimeError(
            f"Expected one of {listed} device type at start of device string: {name}"
        )
    if index is not None and int(index) >= 2**31:
        raise RuntimeError(f"Could not parse device index '{index}' in device string '{text}'")
    return name, None if index is None else int(index)


def _on_gpu(found: device) -> device:
    """A device with the number of the GPU that it means; PyTorch's errors if there is none."""
    count = gpu.device_count() if found.type == "cuda" else 0
    if not count:
        _refuse(found)
    if found.index is None:
        return device("cuda", gpu.current_device())
    if found.index >= count:
        raise RuntimeError(
            "CUDA error: invalid device ordinal\nGPU device may be out of range, do you have "
            f"enough GPUs? {found} was asked for, and there are {count}"
        )
    return found


def _refuse(found: device) -> NoReturn:
    """PyTorch's type of error for a device that tensors cannot be on."""
    if found.type == "cuda":
        raise AssertionError(NO_CUDA)
    if found.type == "xpu":
        raise AssertionError("Torch not compiled with XPU enabled")
    if found.type in ("mps", "vulkan", "xla"):
        raise RuntimeError(f"PyTorch is not linked with support for {found.type} devices")
    raise NotImplementedError(
        f"tensors cannot be on the device '{found}': leave out device= or use device='cpu'"
    )


def memory_of(value: Any) -> int | None:
    """The number of the GPU that a `device=` argument means; None for the host's memory."""
    if value is None:
        return default_index
    if value == "cpu":
        return None
    found = device.of(value)
    return None if found.type == "cpu" else found.index


def set_default(value: Any) -> None:
    """Make new tensors on a device from now on; None: on the CPU."""
    global default_index
    default_index = memory_of("cpu" if value is None else value)


def default_device() -> device:
    """Where new tensors are made."""
    return device.at(default_index)


def cuda_device(wanted: Any = None) -> device:
    """The GPU that `.cuda(wanted)` means; AssertionError where there is none."""
    if isinstance(wanted, int) and not gpu.device_count():
        device(wanted)
    found = device("cuda" if wanted is None else wanted)
    if found.type != "cuda":
        raise RuntimeError("Invalid device, must be cuda device")
    return device.of(found)


cpu = device("cpu")
default_index: int | None = None  # the GPU where new tensors are made; None: on the CPU
_before: list[int | None] = []  # inside of `with device(...)`: what it was outside
