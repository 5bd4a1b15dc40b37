"""Random numbers: PyTorch's CPU generator and its distributions, bit for bit.

PyTorch draws 32-bit words from the Mersenne Twister (MT19937) and turns them into numbers with a
fixed recipe per distribution. NumPy ships the same twister, so only the recipes are written here.
The same seed then gives the same numbers, and leaves the generator in the same state, which is
what makes a whole training run comparable.

The functions below return NumPy arrays and share the form `f(shape, dtype, generator, ...)`; a
generator of None means `default_generator`. Two things decide how many words a draw takes:
float64 recipes join two words (the first is the high half), float32 recipes use one; and a normal
draw of 16 numbers or more goes by blocks of 16 (`_normal_blocks`), a smaller one by pairs.

What is reached against PyTorch 2.13 on x86-64 with AVX2 or newer: all distributions are bit-equal,
`normal` in float32 too (10^6 out of 10^6, ULP distance 0). There PyTorch evaluates the Cephes
polynomials for log, sin and cos with fused multiply-adds, and `log32` and `sincos32` follow
them operation by operation. Processors without AVX2 take another path in PyTorch and differ in
the last bits. By its published source (not measured here), PyTorch hands the scalar
`bernoulli_(p)` to the MKL library on Intel processors, which draws other numbers; here it is always
the recipe that PyTorch uses on AMD, where sizes 1 to 5000 were compared and are equal.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from .autograd import node as graph
from .device import cpu
from .device import device as Device
from .random_kernels import exp, fma, libm, log, log32, sincos32

Array = NDArray[Any]
Shape = tuple[int, ...]

DEFAULT_SEED = 67280421310721
_WORDS = 624  # the twister's state, renewed as a whole when all its words are used
_INT64_MIN = -(2**63)
_KIND_NAMES = {
    "bool": "Bool", "uint8": "Byte", "int8": "Char", "int16": "Short", "int32": "Int",
    "int64": "Long", "float16": "Half", "float32": "Float", "float64": "Double",
}  # fmt: skip
_C_NAMES = {
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

    Only `device="cpu"` exists. A new generator starts from PyTorch's default seed.
    """

    def __init__(self, device: Any = "cpu") -> None:
        if Device(device).type != "cpu":
            raise RuntimeError(f"a Generator lives on the CPU only, but got device={device!s}")
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
default_generator.seed()  # as in PyTorch, every process starts elsewhere unless it seeds


def manual_seed(seed: Any) -> Generator:
    """Seed the default generator with `int(seed)` and return it."""
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


def uniform(
    shape: Shape, dtype: DTypeLike, generator: Generator | None = None,
    low: float = 0.0, high: float = 1.0,
) -> Array:  # fmt: skip
    """Uniform numbers in [low, high), as `torch.rand` and `Tensor.uniform_`."""
    kind = _floating(dtype, "check_uniform_bounds")
    _check_uniform_bounds(kind, low, high)
    generator, count = generator or default_generator, math.prod(shape)
    wide = np.float64 if kind == np.float64 else np.float32
    unit: Array = generator.uniform64(count) if wide is np.float64 else generator.uniform32(count)
    if low == 0.0 and high == 1.0 and kind == wide:
        return unit.reshape(shape)
    start, end = wide(low), wide(high)
    values = fma(unit, end - start, start).astype(kind)
    values[values == kind.type(high)] = kind.type(low)  # rounding may have reached the open end
    return values.reshape(shape)


def _check_uniform_bounds(kind: np.dtype[Any], low: float, high: float) -> None:
    limit = float(np.finfo(kind).max)
    for name, bound in (("from", low), ("to", high)):
        if not -limit <= bound <= limit:
            raise RuntimeError(f"{name} is out of bounds for {_C_NAMES[kind.name]}")
    if low > high:
        raise RuntimeError(
            f"uniform_ expects to return a [from, to) range, but found from={low:g} > to={high:g}"
        )
    if high - low > limit:
        raise RuntimeError(
            f"uniform_ expects to-from <= std::numeric_limits<{_KIND_NAMES[kind.name]}>::max(), but"
            f" found to={high:g} and from={low:g} which result in to-from to exceed the limit"
        )


def normal(
    shape: Shape, dtype: DTypeLike, generator: Generator | None = None,
    mean: float = 0.0, std: float = 1.0, contiguous: bool = True,
) -> Array:  # fmt: skip
    """Normal numbers, as `torch.randn`, `torch.normal(mean, std, size)` and `Tensor.normal_`.

    `contiguous=False` gives what `normal_` draws into a tensor that is not contiguous: pairs,
    whatever the size.
    """
    if not std >= 0.0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")
    generator, count = generator or default_generator, math.prod(shape)
    if not count:
        return np.zeros(shape, dtype)
    kind = _floating(dtype, "normal_kernel_cpu")
    if count >= 16 and contiguous:
        return _normal_blocks(count, kind, generator, mean, std).reshape(shape)
    values = np.array(generator.normals(count), np.float64)
    if mean != 0.0 or std != 1.0:
        values = fma(values, np.float64(std), np.float64(mean))
    return _cast(values, kind).reshape(shape)


def _normal_blocks(
    count: int, kind: np.dtype[Any], generator: Generator, mean: float, std: float
) -> Array:
    """Blocks of 16: 8 uniforms give the radii and 8 the angles of Box-Muller, in place.

    When 16 does not divide `count`, 16 more uniforms are drawn and replace the last 16 numbers.
    float32 and float64 have drawn uniforms for the incomplete block before, float16 has not.
    """
    wide = np.float64 if kind == np.float64 else np.float32
    draw = generator.uniform64 if wide is np.float64 else generator.uniform32
    whole = count - count % 16
    uniforms: Array = draw(count if kind == wide else whole)[:whole]
    if count > whole:
        uniforms = np.concatenate((uniforms, draw(16)))
    normals = _box_muller16(uniforms, wide(mean), wide(std)).astype(kind, copy=False)
    if count == whole:
        return normals
    return np.concatenate((normals[: count - 16], normals[-16:]))


def _box_muller16(uniforms: Array, mean: np.floating[Any], std: np.floating[Any]) -> Array:
    blocks = uniforms.reshape(-1, 2, 8)
    u1, u2 = 1 - blocks[:, 0], blocks[:, 1]  # u1 in (0, 1], so that its logarithm is finite
    if uniforms.dtype == np.float32:
        radius = np.sqrt(np.float32(-2) * log32(u1))
        sine, cosine = sincos32(np.float32(2 * math.pi) * u2)
    else:
        radius, angle = np.sqrt(-2.0 * libm(math.log, u1)), 2.0 * math.pi * u2
        sine, cosine = libm(math.sin, angle), libm(math.cos, angle)
    values = np.stack((radius * cosine, radius * sine), axis=1)
    if mean != 0 or std != 1:
        with np.errstate(over="ignore"):
            values = fma(values, std, mean)
    return values.reshape(-1)


def log_normal(
    shape: Shape, dtype: DTypeLike, generator: Generator | None = None,
    mean: float = 1.0, std: float = 2.0,
) -> Array:  # fmt: skip
    """exp of normal numbers drawn by pairs, as `Tensor.log_normal_`."""
    if not std > 0.0:
        raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std:g}")
    kind = _floating(dtype, "log_normal_cpu")
    normals = np.array((generator or default_generator).normals(math.prod(shape)), np.float64)
    values = libm(exp, fma(normals, np.float64(std), np.float64(mean)))
    return _cast(values, kind).reshape(shape)


def exponential(
    shape: Shape, dtype: DTypeLike, generator: Generator | None = None, lambd: float = 1.0
) -> Array:
    """Exponential numbers of rate `lambd`, as `Tensor.exponential_`."""
    kind = np.dtype(dtype)
    if not lambd > 0.0:
        raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={lambd:g}")
    if kind.kind != "f":
        raise RuntimeError(
            "Exponential distribution is a continuous probability distribution. dtype must be a "
            f"floating point but you specified {_KIND_NAMES[kind.name]}"
        )
    uniforms = (generator or default_generator).uniform64(math.prod(shape))
    return _cast(-1.0 / lambd * libm(math.log1p, -uniforms), kind).reshape(shape)


def cauchy(
    shape: Shape, dtype: DTypeLike, generator: Generator | None = None,
    median: float = 0.0, sigma: float = 1.0,
) -> Array:  # fmt: skip
    """Cauchy numbers, as `Tensor.cauchy_`."""
    kind = np.dtype(dtype)
    if not sigma > 0.0:
        raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma:g}")
    if kind.kind != "f":
        raise RuntimeError(
            "Cauchy distribution is a continuous probability distribution. dtype must be a "
            f"floating point but you specified {_C_NAMES[kind.name]}"
        )
    uniforms = (generator or default_generator).uniform64(math.prod(shape))
    tangents = libm(math.tan, math.pi * (uniforms - 0.5))
    return _cast(fma(tangents, np.float64(sigma), np.float64(median)), kind).reshape(shape)


def geometric(shape: Shape, dtype: DTypeLike, generator: Generator | None, p: float) -> Array:
    """Number of trials up to the first success, as `Tensor.geometric_(p)`."""
    if not 0.0 < p < 1.0:
        raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p:g}")
    kind = np.dtype(dtype)
    if kind.kind == "b":
        raise NotImplementedError("\"geometric_cpu\" not implemented for 'Bool'")
    uniforms = (generator or default_generator).uniform64(math.prod(shape))
    trials = np.ceil(libm(log, uniforms) / math.log1p(-p))
    return _cast(trials, kind).reshape(shape)


def bernoulli(
    shape: Shape, dtype: DTypeLike, generator: Generator | None, p: float | Array
) -> Array:
    """1 with probability `p`, else 0, in `dtype`.

    A number `p` is compared with float64 uniforms, as `bernoulli_(p)` and dropout do. An array `p`
    is broadcast to `shape`, as in `torch.bernoulli(input)`: float64 probabilities take float64
    uniforms, others float32 ones.
    """
    generator, count = generator or default_generator, math.prod(shape)
    if not isinstance(p, np.ndarray):
        if not 0.0 <= p <= 1.0:
            raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p:g}")
        return (generator.uniform64(count) < p).astype(dtype).reshape(shape)
    if not ((p >= 0) & (p <= 1)).all():
        raise RuntimeError(
            "Expected p_in >= 0 && p_in <= 1 to be true, but got false.  (Could this error message "
            "be improved?  If so, please report an enhancement request to PyTorch.)"
        )
    wide = p.dtype == np.float64
    uniforms: Array = generator.uniform64(count) if wide else generator.uniform32(count)
    return (uniforms.reshape(shape) < p).astype(dtype)


def poisson(rates: Array, generator: Generator | None = None) -> Array:
    """Poisson numbers of the given rates, as `torch.poisson`.

    Below a rate of 10 uniform numbers are multiplied until they fall below e**-rate (Knuth); from
    there on by transformed rejection (W. Hoermann, "The transformed rejection method for
    generating Poisson random variables", 1993, algorithm PTRS)."""
    if rates.dtype.kind != "f":
        raise NotImplementedError(
            f"\"poisson_cpu\" not implemented for '{_KIND_NAMES[rates.dtype.name]}'"
        )
    if not (rates >= 0).all():
        raise RuntimeError("invalid Poisson rate, expected rate to be non-negative")
    generator = generator or default_generator
    drawn = [_poisson(rate, generator) for rate in rates.ravel().tolist()]
    return np.array(drawn, np.float64).astype(rates.dtype).reshape(rates.shape)


def _poisson(rate: float, generator: Generator) -> float:
    if rate == 0:
        return 0.0
    if rate >= 10:
        return _poisson_by_rejection(rate, generator)
    limit, product, count = math.exp(-rate), 1.0, 0
    while True:
        product *= float(generator.uniform64(1)[0])
        if product <= limit:
            return float(count)
        count += 1


def _poisson_by_rejection(rate: float, generator: Generator) -> float:
    b = 0.931 + 2.53 * math.sqrt(rate)
    a = -0.059 + 0.02483 * b
    inverse_alpha, v_r = 1.1239 + 1.1328 / (b - 3.4), 0.9277 - 3.6224 / (b - 2)
    while True:
        u, v = (generator.uniform64(2) - np.array((0.5, 0.0))).tolist()
        distance = 0.5 - abs(u)
        if not distance:
            continue
        k = math.floor((2 * a / distance + b) * u + rate + 0.43)
        if distance >= 0.07 and v <= v_r:
            return float(k)
        if k < 0 or (distance < 0.013 and v > distance):
            continue
        height = log(v) + math.log(inverse_alpha) - math.log(a / (distance * distance) + b)
        if height <= -rate + k * math.log(rate) - math.lgamma(k + 1):
            return float(k)


def integers(
    shape: Shape, dtype: DTypeLike, generator: Generator | None = None,
    low: int | None = None, high: int | None = None,
) -> Array:  # fmt: skip
    """Integers in [low, high) in any dtype, as `torch.randint` and `Tensor.random_(low, high)`.

    Without `high`, up to the greatest value of an integer dtype, or 2**digits of a float one;
    without both as `Tensor.random_()`. A range below 2**28 takes one word, a wider one two.
    """
    kind = np.dtype(dtype)
    generator, count = generator or default_generator, math.prod(shape)
    top = _greatest(kind)
    if low is None and high is None:
        wide = kind in (np.int64, np.float64)
        words = generator.words64(count) if wide else generator.words32(count)
        return (words % np.uint64(top + 1)).astype(np.int64).astype(kind).reshape(shape)
    start = 0 if low is None else low
    if high is None and start == _INT64_MIN:
        values = _full_range(count, kind, generator)
        return values.reshape(shape)
    start, stop = _check_range(kind, start, top + 1 if high is None else high, high is None)
    span, base = np.uint64(stop - start), np.int64(start)
    words = generator.words64(count) if span >= 2**28 else generator.words32(count)
    return ((words % span).view(np.int64) + base).astype(kind).reshape(shape)


def _full_range(count: int, kind: np.dtype[Any], generator: Generator) -> Array:
    name = "random_full_64_bits_range_kernel_cpu"
    if kind.name in ("bool", "float16"):
        raise NotImplementedError(f"\"{name}\" not implemented for '{_KIND_NAMES[kind.name]}'")
    if kind.name not in ("int64", "float32", "float64"):
        raise RuntimeError(f"{name} handles only int64, double, float and bfloat16")
    return generator.words64(count).view(np.int64).astype(kind)


def _greatest(kind: np.dtype[Any]) -> int:
    """The last integer of the run 0, 1, 2, ... that `kind` holds without a gap."""
    if kind.kind == "f":
        return int(2 ** (np.finfo(kind).nmant + 1))
    return 1 if kind.kind == "b" else int(np.iinfo(kind).max)


def _check_range(kind: np.dtype[Any], start: int, stop: int, open_end: bool) -> tuple[int, int]:
    """Raise PyTorch's errors for `random_(start, stop)`; round the bounds to a float dtype's."""
    if start >= stop and not open_end:
        raise RuntimeError(
            f"random_ expects 'from' to be less than 'to', but got from={start} >= to={stop}"
        )
    if kind.kind == "f":
        start, stop = _round_bounds(kind, start, stop, open_end)
    limits: Any = np.finfo(kind) if kind.kind == "f" else None
    least = float(limits.min) if limits else 0 if kind.kind == "b" else int(np.iinfo(kind).min)
    most = float(limits.max) if limits else _greatest(kind)
    for name, bound in (("from", start), ("to - 1", stop - 1)):
        if not least <= bound <= most:
            raise RuntimeError(f"{name} is out of bounds for {_C_NAMES[kind.name]}")
        if limits and abs(bound) > _greatest(kind):
            digits = limits.nmant + 1
            warnings.warn(
                f"{name} is out of bounds [-(2^{digits}), 2^{digits}]. Due to precision limitations"
                f" {_C_NAMES[kind.name]} can support discrete uniform distribution only within this"
                " range. This warning will become an error in version 1.7 release, please fix the "
                "code in advance",
                stacklevel=3,
            )
    return start, stop


def _round_bounds(kind: np.dtype[Any], start: int, stop: int, open_end: bool) -> tuple[int, int]:
    """Move a bound that rounding to `kind` would carry out of the range to the next float inside.

    That next float lies one unit in the last place further: 2**(exponent - digits + 1).
    """
    digits = np.finfo(kind).nmant + 1
    above = _as_held(kind, start + 1)
    if above < start:
        start = above + 2 ** max(abs(start + 1).bit_length() - digits, 0)
    below = _as_held(kind, stop - 1)
    if below >= stop and not open_end:
        stop = below - 2 ** max(abs(stop - 1).bit_length() - digits, 0)
    if open_end and start >= stop - 1:
        raise RuntimeError(
            "random_ expects 'from' casted to dtype to be less than or equal to 'to_inc' casted to "
            f"dtype, but got from={start} > to_inc={stop - 1}"
        )
    if start >= stop:
        raise RuntimeError(
            "random_ expects 'from' casted to dtype to be less than 'to' casted to dtype, "
            f"but got from={start} >= to={stop}"
        )
    return start, stop


def _as_held(kind: np.dtype[Any], value: int) -> int:
    """`value` rounded to the float dtype `kind`; beyond int64, the processor's -2**63."""
    with np.errstate(over="ignore"):
        held = float(kind.type(value))
    return int(held) if abs(held) < 2**63 else _INT64_MIN


def permutation(n: int, dtype: DTypeLike = np.int64, generator: Generator | None = None) -> Array:
    """A random order of 0 ... n-1, as `torch.randperm`: Fisher-Yates from the front."""
    kind = np.dtype(dtype)
    _check_permutation(n, kind)
    words = (generator or default_generator).words32(max(n - 1, 0))
    offsets = (words % np.arange(n, 1, -1, dtype=np.uint64)).tolist()
    order = list(range(n))
    for position, offset in enumerate(offsets):
        other = position + offset
        order[position], order[other] = order[other], order[position]
    return np.array(order, kind)


def _check_permutation(n: int, kind: np.dtype[Any]) -> None:
    if n < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {n}: [{n}]")
    if n >= 2**32 // 20:  # PyTorch draws 64 bits there
        raise NotImplementedError(f"randperm is limited to n < {2**32 // 20}, but got n={n}")
    if kind.kind == "b":
        raise NotImplementedError("\"randperm\" not implemented for 'Bool'")
    if kind.kind == "f" and n > _greatest(kind) + 1:
        raise RuntimeError(
            f"n cannot be greater than {_greatest(kind) + 1} for {_KIND_NAMES[kind.name]} type."
        )
    if kind.kind != "f" and n > _greatest(kind) + 1:
        raise RuntimeError(f"value cannot be converted to type {kind.name}_t without overflow")


def _floating(dtype: DTypeLike, kernel: str) -> np.dtype[Any]:
    kind = np.dtype(dtype)
    if kind.kind != "f":
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{_KIND_NAMES[kind.name]}'")
    return kind


def _cast(values: Array, kind: np.dtype[Any]) -> Array:
    """float64 to `kind` as C++ does it: float16 is reached through float32."""
    if kind == np.float64:
        return values
    with np.errstate(over="ignore", invalid="ignore"):
        return values.astype(np.float32).astype(kind) if kind == np.float16 else values.astype(kind)
