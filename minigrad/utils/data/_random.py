"""The random draws of samplers and loaders, through minigrad's own random functions.

They are the draws that PyTorch makes, one for one: a test compares the generators' states.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import ops
from ...dtypes import int64
from ...random import Generator


def seed(generator: Generator | None = None) -> int:
    """One int64 between 0 and 2**63 - 1, from `generator` or the global one."""
    return int(ops.empty((), dtype=int64).random_(generator=generator).item())


def seeded_generator() -> Generator:
    """A new generator, seeded by one draw from the global one."""
    generator = Generator()
    generator.manual_seed(seed())
    return generator


def permutation(n: int, generator: Generator | None) -> np.ndarray[Any, Any]:
    """0 to n - 1 in random order: int64 of shape (n,)."""
    return ops.randperm(n, generator=generator)._array


def integers(high: int, count: int, generator: Generator | None) -> np.ndarray[Any, Any]:
    """`count` numbers from 0 to high - 1: int64 of shape (count,)."""
    return ops.randint(0, high, (count,), generator=generator)._array
