"""The accelerator of the machine, whatever its make: there is none that tensors can be on."""

from __future__ import annotations

from typing import Any, NoReturn


def is_available() -> bool:
    """Whether tensors can be on an accelerator."""
    return False


def device_count() -> int:
    """How many accelerators tensors can be on."""
    return 0


def current_accelerator(check_available: bool = False) -> None:
    """The accelerator's device; None, as there is none."""
    return


def _none(*args: Any, **kwargs: Any) -> NoReturn:
    """RuntimeError: there is no accelerator."""
    raise RuntimeError("Cannot access accelerator device when none is available.")


current_device_index = current_device_idx = set_device_index = set_device_idx = synchronize = _none
