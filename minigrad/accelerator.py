"""The accelerator of the machine, whatever its make: a CUDA device, if CuPy finds one."""

from __future__ import annotations

from typing import Any

from . import cuda, gpu
from .device import device as Device


def is_available() -> bool:
    """Whether tensors can be on an accelerator."""
    return gpu.device_count() > 0


def device_count() -> int:
    """How many accelerators tensors can be on."""
    return gpu.device_count()


def current_accelerator(check_available: bool = False) -> Device | None:
    """The kind of the accelerator; None if there is none."""
    return Device("cuda") if is_available() else None


def _check() -> None:
    if not is_available():
        raise RuntimeError("Cannot access accelerator device when none is available.")


def current_device_index() -> int:
    """The number of the current one; RuntimeError if there is none."""
    _check()
    return gpu.current_device()


def set_device_index(device: Any, /) -> None:
    """Make one the current one; RuntimeError if there is none."""
    _check()
    cuda.set_device(device)


def synchronize(device: Any = None, /) -> None:
    """Wait until it has done all that was asked of it; RuntimeError if there is none."""
    _check()
    cuda.synchronize(device)


current_device_idx, set_device_idx = current_device_index, set_device_index
