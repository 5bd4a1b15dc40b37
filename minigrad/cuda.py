"""CUDA devices: what there is, and what can be asked of it, through CuPy (gpu.py, docs/gpu.md).

Without CuPy or a GPU this module answers as PyTorch's own build for the CPU does. What only looks
(how many, how much memory) finds nothing; seeds and empty caches are nothing to do; what needs a
GPU raises PyTorch's type of error, with the line that says what to install.

Two kinds of call end in an AssertionError there that stumble over a missing internal function in
PyTorch's CPU build (an AttributeError): `set_device(0)` and the `reset_..._stats` family.
"""

from __future__ import annotations

from collections import OrderedDict
from types import SimpleNamespace
from typing import Any, NoReturn

from . import gpu
from .device import CPU_ONLY, NO_CUDA
from .device import device as Device

has_half, has_magma = True, False
default_generators: tuple[Any, ...] = ()


class OutOfMemoryError(RuntimeError):
    """The GPU's memory is used up: what scripts catch. CuPy raises an error of its own."""


# --- what there is --------------------------------------------------------------------------------


def is_available() -> bool:
    """Whether tensors can be on a GPU."""
    return gpu.device_count() > 0


def is_initialized() -> bool:
    """Whether a GPU is in use."""
    return gpu.is_asked() and gpu.device_count() > 0


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Whether the GPU computes with bfloat16."""
    return False


def is_tf32_supported() -> bool:
    """Whether the GPU multiplies float32 matrices by way of TF32."""
    return False


def device_count() -> int:
    """How many GPUs tensors can be on."""
    return gpu.device_count()


def _library() -> Any:
    """CuPy; AssertionError where it is missing or finds no GPU."""
    library = gpu.cupy()
    if library is None:
        raise AssertionError(NO_CUDA)
    return library


def _number(device: Any) -> int:
    """The number of the GPU that is meant; None: the current one."""
    _library()
    index = -1 if device is None else _index(device, optional=True)
    return gpu.current_device() if index < 0 else index


def get_arch_list() -> list[str]:
    """The GPU architectures that there is code for."""
    return []


def get_gencode_flags() -> str:
    """The compiler's flags for these architectures."""
    return ""


# --- seeds ---------------------------------------------------------------------------------------


def _generator(device: Any = None) -> Any:
    from .random_cuda import generator_of

    return generator_of(_number(device))


def manual_seed(seed: int) -> None:
    """Seed the current GPU's generator; without a GPU nothing is to be seeded, as in PyTorch."""
    number = int(seed)  # ValueError or TypeError for what is no number
    if is_available():
        _generator().manual_seed(number)


def manual_seed_all(seed: int) -> None:
    """Seed the generators of all GPUs; without a GPU nothing is to be seeded, as in PyTorch."""
    number = int(seed)
    for index in range(gpu.device_count()):
        _generator(index).manual_seed(number)


def seed() -> None:
    """Seed the current GPU's generator from the system's entropy."""
    if is_available():
        _generator().seed()


def seed_all() -> None:
    """Seed all GPUs' generators from the system's entropy."""
    for index in range(gpu.device_count()):
        _generator(index).seed()


def initial_seed() -> int:
    """The seed of the current GPU's generator."""
    return int(_generator().initial_seed())


def get_rng_state(device: Any = "cuda") -> Any:
    """The state of a GPU's generator."""
    return _generator(device).get_state()


def get_rng_state_all() -> list[Any]:
    """The states of all GPUs' generators."""
    return [get_rng_state(index) for index in range(gpu.device_count())]


def set_rng_state(new_state: Any, device: Any = "cuda") -> None:
    """Set the state of a GPU's generator; without a GPU nothing is to be done."""
    if is_available():
        _generator(device).set_state(new_state)


def set_rng_state_all(new_states: Any) -> None:
    """Set the states of all GPUs' generators; without a GPU nothing is to be done."""
    for index, state in enumerate(new_states):
        set_rng_state(state, index)


# --- memory --------------------------------------------------------------------------------------


def empty_cache() -> None:
    """Give back memory that is kept for later."""
    if is_available():
        _library().get_default_memory_pool().free_all_blocks()


def memory_allocated(device: Any = None) -> int:
    """Bytes of GPU memory that tensors take."""
    return int(_library().get_default_memory_pool().used_bytes()) if is_available() else 0


def memory_reserved(device: Any = None) -> int:
    """Bytes of GPU memory that tensors take or that are kept for later ones."""
    return int(_library().get_default_memory_pool().total_bytes()) if is_available() else 0


# CuPy's pool keeps no peaks; what it holds is an upper bound of what was taken since it was emptied
max_memory_allocated = max_memory_reserved = memory_reserved


def memory_stats(device: Any = None) -> OrderedDict[str, Any]:
    """The figures of the GPU's memory that there are."""
    if not is_available():
        return OrderedDict()
    return OrderedDict(
        {
            "allocated_bytes.all.current": memory_allocated(),
            "reserved_bytes.all.current": memory_reserved(),
        }
    )


def reset_peak_memory_stats(device: Any = None) -> None:
    """Forget the peaks: gives back what is kept for later."""
    _library()
    empty_cache()


reset_max_memory_allocated = reset_accumulated_memory_stats = reset_peak_memory_stats


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """(free, total) bytes of the GPU."""
    with _library().cuda.Device(_number(device)):
        free, total = _library().cuda.runtime.memGetInfo()
    return int(free), int(total)


# --- what a GPU is -------------------------------------------------------------------------------


def get_device_properties(device: Any = None) -> SimpleNamespace:
    """Name, compute capability, memory and size of a GPU."""
    found = _library().cuda.runtime.getDeviceProperties(_number(device))
    return SimpleNamespace(
        name=found["name"].decode(),
        major=found["major"],
        minor=found["minor"],
        total_memory=found["totalGlobalMem"],
        multi_processor_count=found["multiProcessorCount"],
    )


def get_device_name(device: Any = None) -> str:
    """The name of a GPU."""
    return str(get_device_properties(device).name)


def get_device_capability(device: Any = None) -> tuple[int, int]:
    """The compute capability of a GPU."""
    found = get_device_properties(device)
    return found.major, found.minor


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
    index = _index(device)
    if index >= 0:
        _library().cuda.Device(index).use()


def current_device() -> int:
    """The number of the current GPU."""
    return _number(None)


def synchronize(device: Any = None) -> None:
    """Wait until a GPU has done all that was asked of it."""
    _library().cuda.Device(_number(device)).synchronize()


class device:
    """`with cuda.device(0):` makes a GPU the current one. -1 changes nothing."""

    def __init__(self, device: Any) -> None:
        self.idx = _index(device, optional=True)

    def __enter__(self) -> None:
        self._entered = None
        if self.idx >= 0:
            if not is_available():
                raise RuntimeError("PyTorch was compiled without CUDA support." + CPU_ONLY)
            self._entered = _library().cuda.Device(self.idx)
            self._entered.__enter__()

    def __exit__(self, *exception: object) -> None:
        if self._entered is not None:
            self._entered.__exit__(*exception)


class device_of(device):
    """`with cuda.device_of(x):` makes x's GPU the current one; a tensor on the CPU has none."""

    def __init__(self, obj: Any) -> None:
        super().__init__(obj.get_device())


class Stream:
    """A queue of work on a GPU."""

    def __init__(self, device: Any = None, priority: int = 0, **kwargs: Any) -> None:
        if not is_available():
            raise RuntimeError("torch.cuda.Stream requires CUDA support." + CPU_ONLY)
        self._stream = kwargs.get("stream") or _library().cuda.Stream(non_blocking=True)

    def synchronize(self) -> None:
        """Wait until all that was queued here is done."""
        self._stream.synchronize()

    def wait_event(self, event: Event) -> None:
        """What is queued from now on begins after the event."""
        self._stream.wait_event(event._event)

    def wait_stream(self, stream: Stream) -> None:
        """What is queued from now on begins after what is queued in `stream` now."""
        self.wait_event(stream.record_event())

    def record_event(self, event: Event | None = None) -> Event:
        """Mark the present end of the queue."""
        mark = Event() if event is None else event
        mark.record(self)
        return mark

    def query(self) -> bool:
        """Whether all that was queued here is done."""
        return bool(self._stream.done)


class Event:
    """A mark in a stream, to wait for or to take the time at."""

    def __init__(
        self, enable_timing: bool = False, blocking: bool = False, interprocess: bool = False
    ) -> None:
        if not is_available():
            raise RuntimeError("Tried to instantiate dummy base class Event." + CPU_ONLY)
        self._event = _library().cuda.Event(block=blocking, disable_timing=not enable_timing)

    def record(self, stream: Stream | None = None) -> None:
        """Put the mark at the end of a stream: by default of the current one."""
        self._event.record(None if stream is None else stream._stream)

    def synchronize(self) -> None:
        """Wait until the mark is reached."""
        self._event.synchronize()

    def query(self) -> bool:
        """Whether the mark is reached."""
        return bool(self._event.done)

    def elapsed_time(self, end_event: Event) -> float:
        """Milliseconds between two marks that are reached."""
        return float(_library().cuda.get_elapsed_time(self._event, end_event._event))


class CUDAGraph:
    """Work that was recorded and can be run again."""

    def __init__(self, keep_graph: bool = False) -> None:
        raise RuntimeError("Tried to instantiate dummy base class CUDAGraph." + CPU_ONLY)


class StreamContext:
    """`with cuda.stream(s):` queues work in the stream s; in None, where it would be anyway."""

    def __init__(self, stream: Stream | None) -> None:
        self.stream = stream

    def __enter__(self) -> None:
        if self.stream is not None:
            self.stream._stream.__enter__()

    def __exit__(self, *exception: object) -> None:
        if self.stream is not None:
            self.stream._stream.__exit__(*exception)


def stream(stream: Stream | None) -> StreamContext:
    """The context that queues work in a stream."""
    return StreamContext(stream)


def set_stream(stream: Stream | None) -> None:
    """Queue the work that follows in a stream; None: where it would be anyway."""
    if stream is not None:
        stream._stream.use()


def current_stream(device: Any = None) -> Stream:
    """The stream that work is queued in."""
    return Stream(stream=_library().cuda.get_current_stream())


def default_stream(device: Any = None) -> Stream:
    """The stream that work is queued in unless another is chosen."""
    return Stream(stream=_library().cuda.Stream.null)


# --- what minigrad does not have ------------------------------------------------------------------


def init() -> None:
    """Make the GPU ready; AssertionError if there is none."""
    _library()


def _needs_gpu(*args: Any, **kwargs: Any) -> NoReturn:
    """AssertionError: there is no GPU; NotImplementedError: not through CuPy."""
    _library()
    raise NotImplementedError("this function of torch.cuda is not supported: use CuPy's own")


ipc_collect = can_device_access_peer = _needs_gpu
set_per_process_memory_fraction = get_per_process_memory_fraction = _needs_gpu
current_blas_handle = get_sync_debug_mode = set_sync_debug_mode = cudart = _needs_gpu
