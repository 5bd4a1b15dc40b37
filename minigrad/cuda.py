"""CUDA devices: there are none yet, and everything that asks is told so.

What only looks (how many, how much memory) answers as PyTorch does on a machine without a GPU;
what needs one raises PyTorch's AssertionError.
"""

from __future__ import annotations

from typing import Any, NoReturn

from .device import NO_CUDA


def is_available() -> bool:
    """Whether tensors can be on a GPU."""
    return False


def is_initialized() -> bool:
    """Whether a GPU is in use."""
    return False


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Whether the GPU computes with bfloat16."""
    return False


def device_count() -> int:
    """How many GPUs tensors can be on."""
    return 0


def get_arch_list() -> list[str]:
    """The GPU architectures that there is code for."""
    return []


def manual_seed(seed: int) -> None:
    """Seed the current GPU's generator; without a GPU nothing is to be seeded, as in PyTorch."""


def manual_seed_all(seed: int) -> None:
    """Seed the generators of all GPUs; without a GPU nothing is to be seeded, as in PyTorch."""


def seed() -> None:
    """Seed the current GPU's generator from the system's entropy: nothing to do."""


seed_all = seed


def get_rng_state_all() -> list[Any]:
    """The states of all GPUs' generators."""
    return []


def set_rng_state_all(new_states: Any) -> None:
    """Set the states of all GPUs' generators: nothing to do."""


def empty_cache() -> None:
    """Give back memory that is kept for later: nothing to do."""


def memory_allocated(device: Any = None) -> int:
    """Bytes of GPU memory that tensors take."""
    return 0


max_memory_allocated = memory_reserved = max_memory_reserved = memory_allocated


def reset_peak_memory_stats(device: Any = None) -> None:
    """Forget the largest memory in use: nothing to do."""


def _no_gpu(*args: Any, **kwargs: Any) -> NoReturn:
    """AssertionError: there is no GPU."""
    raise AssertionError(NO_CUDA)


current_device = set_device = synchronize = ipc_collect = current_stream = default_stream = _no_gpu
get_device_name = get_device_properties = get_device_capability = mem_get_info = _no_gpu
get_rng_state = set_rng_state = initial_seed = Stream = Event = init = _no_gpu
