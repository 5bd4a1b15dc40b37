"""Process-wide switches that scripts set first of all.

Most of them choose between fast and exact kernels in PyTorch. Here every run on a CPU is
deterministic and exact anyway: a setting is checked and remembered, and changes no number.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from . import dtypes
from .device import default_device, set_default
from .device import device as Device
from .dtypes import dtype as Dtype
from .ops import dtype_named

_deterministic: tuple[bool, bool] = (False, False)  # (on, only warn)
_threads = os.cpu_count() or 1
_matmul_precision = "highest"


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Remember `mode`; all algorithms here are deterministic in either."""
    global _deterministic
    _deterministic = bool(mode), bool(mode and warn_only)


def are_deterministic_algorithms_enabled() -> bool:
    """What `use_deterministic_algorithms` was last told."""
    return _deterministic[0]


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """The `warn_only` that `use_deterministic_algorithms` was last told."""
    return _deterministic[1]


def set_num_threads(int: int) -> None:
    """Remember a number of threads; how many NumPy's products use is its BLAS library's setting
    (for example the environment variable OPENBLAS_NUM_THREADS)."""
    global _threads
    if type(int) is not type(1):
        raise RuntimeError(f"set_num_threads expects an int, but got {type(int).__name__}")
    if int <= 0:
        raise RuntimeError("set_num_threads expects a positive integer")
    _threads = int


def get_num_threads() -> int:
    """What `set_num_threads` was last told; the number of processors before."""
    return _threads


get_num_interop_threads = get_num_threads


def set_flush_denormal(mode: bool) -> bool:
    """Not supported, hence False: denormal numbers are kept."""
    return False


def set_float32_matmul_precision(precision: str) -> None:
    """Remember "highest", "high" or "medium"; products are always of full precision."""
    global _matmul_precision
    if precision in ("highest", "high", "medium"):
        _matmul_precision = precision


def get_float32_matmul_precision() -> str:
    """What `set_float32_matmul_precision` was last told."""
    return _matmul_precision


def set_default_device(device: Any) -> None:
    """Make new tensors on a device from now on; AssertionError for one that is not there."""
    set_default(device)


def get_default_device() -> Device:
    """Where new tensors are made."""
    return default_device()


def set_default_tensor_type(t: Any) -> None:
    """Make the dtype of `FloatTensor`, `"torch.DoubleTensor"` or so the default one."""
    dtypes.set_default_dtype(t if isinstance(t, Dtype) else dtype_named(t))


def compile(
    model: Callable[..., Any] | None = None, *, fullgraph: bool = False, dynamic: bool | None = None,
    backend: Any = "inductor", mode: str | None = None, options: Any = None, disable: bool = False,
) -> Any:  # fmt: skip
    """`model` itself, also as a decorator: nothing is compiled, and the options change nothing."""
    if model is None:
        return compile
    if not callable(model):
        raise AssertionError(f"A callable function is expected, but {type(model)} is provided.")
    return model
