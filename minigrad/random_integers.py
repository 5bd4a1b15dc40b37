"""Random whole numbers and permutations, bit for bit as PyTorch's CPU generator draws them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .random import C_NAMES, KIND_NAMES, Array, Generator, Shape, default_generator
from .warn import warn

if TYPE_CHECKING:  # numpy.typing takes time to import
    from numpy.typing import DTypeLike

_INT64_MIN = -(2**63)


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
        raise NotImplementedError(f"\"{name}\" not implemented for '{KIND_NAMES[kind.name]}'")
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
            raise RuntimeError(f"{name} is out of bounds for {C_NAMES[kind.name]}")
        if limits and abs(bound) > _greatest(kind):
            digits = limits.nmant + 1
            warn(
                f"{name} is out of bounds [-(2^{digits}), 2^{digits}]. Due to precision limitations"
                f" {C_NAMES[kind.name]} can support discrete uniform distribution only within this"
                " range. This warning will become an error in version 1.7 release, please fix the "
                "code in advance"
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
            f"n cannot be greater than {_greatest(kind) + 1} for {KIND_NAMES[kind.name]} type."
        )
    if kind.kind != "f" and n > _greatest(kind) + 1:
        raise RuntimeError(f"value cannot be converted to type {kind.name}_t without overflow")
