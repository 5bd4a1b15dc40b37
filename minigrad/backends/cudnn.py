"""Flags of NVIDIA's cuDNN: they can be set, and on a CPU every run is deterministic anyway.

`enabled`, `deterministic`, `benchmark` and `allow_tf32` are bools; anything else is a RuntimeError,
as in PyTorch. `flags(...)` sets them for a while.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

enabled = True
deterministic = False
benchmark = False
benchmark_limit: int | None = None
allow_tf32 = True
fp32_precision = "none"
depthwise_kernel = "auto"

_FLAGS = (
    "enabled", "benchmark", "benchmark_limit", "deterministic", "allow_tf32", "fp32_precision",
    "depthwise_kernel",
)  # fmt: skip
_SETTERS = {
    "enabled": "set_enabled_cudnn",
    "deterministic": "set_deterministic_cudnn",
    "benchmark": "set_benchmark_cudnn",
    "allow_tf32": "set_allow_tf32_cublas",
}


class _Checked(ModuleType):
    """A module whose flags are checked when they are set."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _SETTERS and not isinstance(value, bool):
            kind = type(value).__name__
            raise RuntimeError(f"{_SETTERS[name]} expects a bool, but got {kind}")
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Checked


def is_available() -> bool:
    """Whether cuDNN is used."""
    return False


def version() -> None:
    """cuDNN's version; None, as it is not used."""
    return


def is_acceptable(tensor: Any) -> bool:
    """Whether cuDNN would compute with this tensor."""
    return False


def set_flags(
    _enabled: bool | None = None,
    _benchmark: bool | None = None,
    _benchmark_limit: int | None = None,
    _deterministic: bool | None = None,
    _allow_tf32: bool | None = None,
    _fp32_precision: str = "none",
    _depthwise_kernel: str | None = None,
) -> tuple[Any, ...]:
    """Set the bools that are not None, and return what all seven flags were.

    The three others belong to a cuDNN that is there: PyTorch sets none of them without it.
    """
    module = sys.modules[__name__]
    before = tuple(getattr(module, name) for name in _FLAGS)
    values = (_enabled, _benchmark, _deterministic, _allow_tf32)
    for name, value in zip(
        ("enabled", "benchmark", "deterministic", "allow_tf32"), values, strict=True
    ):
        if value is not None:
            setattr(module, name, value)
    return before


@contextmanager
def flags(
    enabled: bool = False,
    benchmark: bool = False,
    benchmark_limit: int = 10,
    deterministic: bool = False,
    allow_tf32: bool = True,
) -> Iterator[None]:
    """`with cudnn.flags(deterministic=True):` sets all flags, and sets them back."""
    before = set_flags(enabled, benchmark, benchmark_limit, deterministic, allow_tf32)
    try:
        yield
    finally:
        set_flags(*before)
