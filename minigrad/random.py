"""Random numbers: PyTorch's CPU generator and its distributions, bit for bit.

PyTorch draws 32-bit words from the Mersenne Twister (MT19937) and turns them into numbers with a
fixed recipe per distribution. NumPy ships the same twister, so only the recipes are written here.
The same seed then gives the same numbers, and leaves the generator in the same state, which is
what makes a whole training run comparable.

This file is the generator; what is drawn with it is in `random_floats.py` and `random_integers.py`.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from . import gpu
from .autograd import node as graph
from .device import cpu
from .device import device as Device

if TYPE_CHECKING:  # numpy.typing takes time to import
    from numpy.typing import NDArray

Array = np.ndarray
Shape = tuple[int, ...]

DEFAULT_SEED = 67280421310721
_INT64_MIN = -(2**63)
_WORDS = 624  # the twister's state, renewed as a whole when all its words are used
KIND_NAMES = {
    "bool": "Bool", "uint8": "Byte", "int8": "Char", "int16": "Short", "int32": "Int",
    "int64": "Long", "float16": "Half", "float32": "Float", "float64": "Double",
}  # fmt: skip
C_NAMES = {
    "bool": "bool", "uint8": "unsigned char", "int8": "signed char", "int16": "short int",
    "int32": "int", "int64": "long", "float16": "c10::Half", "float32": "float",
    "float64": "double",
}  # fmt: skip

# PyTorch's saved state, field by field: 5056 bytes. `normal_x`, `normal_rho` are always 0.
STATE_LAYOUT = np.dtype([
    ("seed", "<u8"), ("left", "<i4"), ("seeded", "<i4"), ("next", "<u8"), ("words", "<u8", _WORDS),
    ("normal_x", "<f8"), ("normal_y", "<f8"), ("normal_rho", "<f8"), ("normal_is_valid", "<i4"),
    ("padding", "<i4"), ("float_normal", "<f4"), ("float_normal_is_valid", "u1"),
    ("padding_end", "u1", 3),
])  # fmt: skip


@cache
def _zeros() -> Any:
    """The first state of a twister that is seeded right after; NumPy's own costs 60 us to find."""
    from numpy.random.bit_generator import ISeedSequence  # not before somebody draws

    class Zeros(ISeedSequence):
        def generate_state(self, n_words: int, dtype: Any = np.uint32) -> Array:
            return np.zeros(n_words, dtype)

    return Zeros()


class Generator:
    """A stream of 32-bit words, with the second half of the last pair of normal numbers.

    `Generator("cuda")` gives a GPU's (random_cuda.py). A new generator starts from PyTorch's default seed.
    """

    def __new__(cls, device: Any = "cpu") -> Any:
        if Device(device).type == "cpu":
            return object.__new__(cls)
        if Device(device).type != "cuda" or not gpu.device_count():
            raise RuntimeError(
                f"a Generator lives on the CPU only, or on a GPU that is there, but got device={device!s}"
            )
        from .random_cuda import CudaGenerator

        return object.__new__(CudaGenerator)

    def __init__(self, device: Any = "cpu") -> None:
        self._seeder: Any = None  # made when first drawn from: it takes time to import
        self.manual_seed(DEFAULT_SEED)

    @property
    def device(self) -> Device:
        return cpu

    def __repr__(self) -> str:
        return f"<minigrad.Generator object at {id(self):#x}>"

    def manual_seed(self, seed: int) -> Generator:
        """Restart from `seed`, from -2**63 to 2**64 - 1; the twister sees its low 32 bits."""
        if not isinstance(seed, int | np.integer) or isinstance(seed, bool):
            raise RuntimeError(f"manual_seed expected a long, but got {type(seed).__name__}")
        if not _INT64_MIN <= seed < 2**64:
            raise ValueError("Overflow when unpacking long long")
        self._seed = int(seed) % 2**64
        self._is_seeded = False
        self._fresh = True  # PyTorch's state tells "no word drawn yet" from "all words used up"
        self._next_normal: float | None = None
        self._next_float_normal: float | None = None  # kept for the state; no CPU draw uses it
        return self

    @property
    def _twister(self) -> Any:
        if not self._is_seeded:
            if self._seeder is None:
                self._bits = np.random.MT19937(_zeros())
                self._seeder = np.random.RandomState(self._bits)
            self._seeder.seed(self._seed & 0xFFFFFFFF)
            self._is_seeded = True
        return self._bits

    def seed(self) -> int:
        """Restart from a seed of the operating system's, and return it."""
        self.manual_seed(int.from_bytes(os.urandom(8), "little"))
        return self._seed

    def initial_seed(self) -> int:
        return self._seed

    def get_state(self) -> Any:
        """A uint8 Tensor: the 5056 bytes that `torch.Generator.get_state` gives at the same point."""
        twister = self._twister.state["state"]
        state = np.zeros(1, STATE_LAYOUT)
        used = 0 if self._fresh else int(twister["pos"])
        state["seed"], state["seeded"], state["words"] = self._seed, 1, twister["key"]
        state["next"], state["left"] = used, 1 if self._fresh else _WORDS + 1 - used
        if self._next_normal is not None:
            state["normal_y"], state["normal_is_valid"] = self._next_normal, 1
        if self._next_float_normal is not None:
            state["float_normal"], state["float_normal_is_valid"] = self._next_float_normal, 1
        return graph.wrap(state.view(np.uint8))

    def set_state(self, new_state: Any) -> Generator:
        """Continue from the bytes of `get_state`, minigrad's or PyTorch's: a Tensor or an array."""
        state = _parse_state(getattr(new_state, "_array", new_state))
        used = int(state["next"])
        self._seed, self._fresh = int(state["seed"]), used == 0
        key = state["words"].astype(np.uint32)
        position: Any = {"key": key, "pos": _WORDS if self._fresh else used}
        self._twister.state = {"bit_generator": "MT19937", "state": position}
        self._next_normal = float(state["normal_y"]) if state["normal_is_valid"] else None
        has_float = bool(state["float_normal_is_valid"])
        self._next_float_normal = float(state["float_normal"]) if has_float else None
        return self

    def clone_state(self) -> Generator:
        """Another generator that continues from the same point."""
        return Generator().set_state(self.get_state())

    def words32(self, count: int) -> NDArray[np.uint64]:
        """`count` draws of 32 bits, as uint64."""
        if count:
            self._fresh = False
        return self._twister.random_raw(count)

    def words64(self, count: int) -> NDArray[np.uint64]:
        """`count` draws of 64 bits; each takes two words, the high half first."""
        words = self.words32(2 * count)
        return (words[::2] << np.uint64(32)) | words[1::2]

    def uniform32(self, count: int) -> NDArray[np.float32]:
        """Multiples of 2**-24 in [0, 1), from the low 24 bits of one word each."""
        low_bits: NDArray[np.float32] = (self.words32(count) & np.uint64(0xFFFFFF)).astype("f4")
        return low_bits * np.float32(2**-24)

    def uniform64(self, count: int) -> NDArray[np.float64]:
        """Multiples of 2**-53 in [0, 1), from the low 53 bits of two words each."""
        low_bits: NDArray[np.float64] = (self.words64(count) & np.uint64(2**53 - 1)).astype("f8")
        return low_bits * 2.0**-53

    def normals(self, count: int) -> list[float]:
        """Standard normal numbers one at a time: Box-Muller pairs, an odd half kept for later."""
        values: list[float] = []
        if count and self._next_normal is not None:
            values.append(self._next_normal)
            self._next_normal = None
        pairs = (count - len(values) + 1) // 2
        uniforms = self.uniform64(2 * pairs).tolist() if pairs else []
        for u1, u2 in zip(uniforms[::2], uniforms[1::2], strict=True):
            radius, angle = math.sqrt(-2.0 * math.log1p(-u2)), 2.0 * math.pi * u1
            values += (radius * math.cos(angle), radius * math.sin(angle))
        if len(values) > count:
            self._next_normal = values.pop()
        return values


def _parse_state(new_state: NDArray[np.uint8]) -> np.void:
    if not isinstance(new_state, np.ndarray) or new_state.dtype != np.uint8:
        raise TypeError("RNG state must be a torch.ByteTensor")
    if new_state.size != STATE_LAYOUT.itemsize:
        raise RuntimeError(
            f"Expected a CPUGeneratorImplState of size {STATE_LAYOUT.itemsize} but found the "
            f"input RNG state size to be {new_state.size}"
        )
    state: np.void = np.ascontiguousarray(new_state).reshape(-1).view(STATE_LAYOUT)[0]
    used, left = int(state["next"]), int(state["left"])
    if state["seeded"] != 1 or used > _WORDS or left != (_WORDS + 1 - used if used else 1):
        raise RuntimeError("Invalid mt19937 state")
    return state


default_generator = Generator()
gpu_generators: dict[int, Any] = {}  # by the GPU's number, once it is drawn from (random_cuda.py)
default_generator.seed()  # as in PyTorch, every process starts elsewhere unless it seeds


def manual_seed(seed: Any) -> Generator:
    """Seed the default generator with `int(seed)` and return it."""
    for generator in gpu_generators.values():
        generator.manual_seed(int(seed))
    return default_generator.manual_seed(int(seed))


def seed() -> int:
    """Seed the default generator from the system's entropy; returns the seed."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed of the default generator."""
    return default_generator.initial_seed()


def get_rng_state() -> Any:
    """The default generator's state as a uint8 Tensor, in PyTorch's layout."""
    return default_generator.get_state()


def set_rng_state(new_state: Any) -> None:
    """Set the default generator's state; one that PyTorch saved is understood too."""
    default_generator.set_state(new_state)


@contextmanager
def fork_rng(
    devices: Any = None, enabled: bool = True, device_type: str = "cuda"
) -> Iterator[None]:
    """Inside of `with fork_rng():` draws go on as usual; after it the generator is where it was.

    `devices` and `device_type` are about GPUs, of which there are none."""
    before = default_generator.get_state()
    try:
        yield
    finally:
        if enabled:
            default_generator.set_state(before)
