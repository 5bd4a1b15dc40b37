"""CUDA devices: there are none yet, and everything that asks is told so.

This module answers as PyTorch's own build for the CPU does. What only looks (how many, how much
memory) finds nothing; seeds and empty caches are nothing to do; what needs a GPU raises PyTorch's
type of error, with the line that says what minigrad can do (docs/gpu.md has the plan).

Two kinds of call end in an AssertionError here that stumble over a missing internal function in
PyTorch's CPU build (an AttributeError): `set_device(0)` and the `reset_..._stats` family.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, NoReturn

from .device import CPU_ONLY, NO_CUDA
from .device import device as Device

has_half, has_magma = True, False
default_generators: tuple[Any, ...] = ()


class OutOfMemoryError(RuntimeError):
    """The GPU's memory is used up: what scripts catch; never raised."""


# --- what there is: nothing ----------------------------------------------------------------------


def is_available() -> bool:
    """Whether tensors can be on a GPU."""
    return False


def is_initialized() -> bool:
    """Whether a GPU is in use."""
    return False


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Whether the GPU computes with bfloat16."""
    return False


def is_tf32_supported() -> bool:
    """Whether the GPU multiplies float32 matrices by way of TF32."""
    return False


def device_count() -> int:
    """How many GPUs tensors can be on."""
    return 0


def get_arch_list() -> list[str]:
    """The GPU architectures that there is code for."""
    return []


def get_gencode_flags() -> str:
    """The compiler's flags for these architectures."""
    return ""


# --- seeds ---------------------------------------------------------------------------------------


def manual_seed(seed: int) -> None:
    """Seed the current GPU's generator; without a GPU nothing is to be seeded, as in PyTorch."""
    int(seed)  # ValueError or TypeError for what is no number


def manual_seed_all(seed: int) -> None:
    """Seed the generators of all GPUs; without a GPU nothing is to be seeded, as in PyTorch."""
    int(seed)


def seed() -> None:
    """Seed the current GPU's generator from the system's entropy: nothing to do."""


def seed_all() -> None:
    """Seed all GPUs' generators from the system's entropy: nothing to do."""


def get_rng_state_all() -> list[Any]:
    """The states of all GPUs' generators."""
    return []


def set_rng_state(new_state: Any, device: Any = "cuda") -> None:
    """Set the state of a GPU's generator: nothing to do."""


def set_rng_state_all(new_states: Any) -> None:
    """Set the states of all GPUs' generators: nothing to do."""


# --- memory --------------------------------------------------------------------------------------


def empty_cache() -> None:
    """Give back memory that is kept for later: nothing to do."""


def memory_allocated(device: Any = None) -> int:
    """Bytes of GPU memory that tensors take."""
    return 0


max_memory_allocated = memory_reserved = max_memory_reserved = memory_allocated


def memory_stats(device: Any = None) -> OrderedDict[str, Any]:
    """All figures of the GPU's memory."""
    return OrderedDict()


# --- the current device and stream ---------------------------------------------------------------


def _index(wanted: Any, optional: bool = False) -> int:
    """The number of a CUDA device, or -1, if no number is needed. ValueError if it is no GPU's."""
    if isinstance(wanted, int):
        return wanted
    found = Device(wanted) if isinstance(wanted, str) else wanted
    if isinstance(found, Device) and found.type != "cuda":
        raise ValueError(f"Expected a cuda device, but got: {wanted}")
    if isinstance(found, Device) and found.index is not None:
        return found.index
    if not optional:
        raise ValueError(
            f"Expected a torch.device with a specified index or an integer, but got:{wanted}"
        )
    return -1


def set_device(device: Any) -> None:
    """Make a GPU the current one. A negative number leaves things as they are."""
    if _index(device) >= 0:
        raise AssertionError(NO_CUDA)


class device:
    """`with cuda.device(0):` makes a GPU the current one. -1 changes nothing."""

    def __init__(self, device: Any) -> None:
        self.idx = _index(device, optional=True)

    def __enter__(self) -> None:
        if self.idx >= 0:
            raise RuntimeError("PyTorch was compiled without CUDA support." + CPU_ONLY)

    def __exit__(self, *exception: object) -> None:
        pass


class device_of(device):
    """`with cuda.device_of(x):` makes x's GPU the current one; a tensor on the CPU has none."""

    def __init__(self, obj: Any) -> None:
        super().__init__(-1)


class Stream:
    """A queue of work on a GPU."""

    def __init__(self, device: Any = None, priority: int = 0, **kwargs: Any) -> None:
        raise RuntimeError("torch.cuda.Stream requires CUDA support." + CPU_ONLY)


class Event:
    """A mark in a stream, to wait for or to take the time at."""

    def __init__(
        self, enable_timing: bool = False, blocking: bool = False, interprocess: bool = False
    ) -> None:
        raise RuntimeError("Tried to instantiate dummy base class Event." + CPU_ONLY)


class CUDAGraph:
    """Work that was recorded and can be run again."""

    def __init__(self, keep_graph: bool = False) -> None:
        raise RuntimeError("Tried to instantiate dummy base class CUDAGraph." + CPU_ONLY)


class StreamContext:
    """`with cuda.stream(s):` queues work in the stream s; in None, where it would be anyway."""

    def __init__(self, stream: Stream | None) -> None:
        self.stream = stream

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        pass


def stream(stream: Stream | None) -> StreamContext:
    """The context that queues work in a stream."""
    return StreamContext(stream)


def set_stream(stream: Stream | None) -> None:
    """Queue the work that follows in a stream; None: where it would be anyway."""


# --- what needs a GPU ----------------------------------------------------------------------------


def init() -> NoReturn:
    """AssertionError: there is no GPU to be made ready."""
    raise AssertionError(NO_CUDA)


def _needs_gpu(*args: Any, **kwargs: Any) -> NoReturn:
    """AssertionError: there is no GPU."""
    raise AssertionError(NO_CUDA)


current_device = synchronize = current_stream = default_stream = _needs_gpu
get_device_name = get_device_properties = get_device_capability = _needs_gpu
get_rng_state = initial_seed = _needs_gpu
mem_get_info = ipc_collect = can_device_access_peer = _needs_gpu
set_per_process_memory_fraction = get_per_process_memory_fraction = _needs_gpu
current_blas_handle = get_sync_debug_mode = set_sync_debug_mode = cudart = _needs_gpu
reset_peak_memory_stats = reset_max_memory_allocated = reset_accumulated_memory_stats = _needs_gpu
