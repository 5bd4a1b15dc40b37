"""The random draws of samplers and loaders, as arrays and numbers.

They are the draws that PyTorch makes, one for one: a test compares the generators' states.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import random_integers
from ...random import Generator


def seed(generator: Generator | None = None) -> int:
    """One int64 between 0 and 2**63 - 1, from `generator` or the global one."""
    return int(random_integers.integers((), np.int64, generator))


def seeded_generator() -> Generator:
    """A new generator, seeded by one draw from the global one."""
    return Generator().manual_seed(seed())


def permutation(n: int, generator: Generator | None) -> np.ndarray[Any, Any]:
    """0 to n - 1 in random order: int64 of shape (n,)."""
    return random_integers.permutation(n, np.int64, generator)


def integers(high: int, count: int, generator: Generator | None) -> np.ndarray[Any, Any]:
    """`count` numbers from 0 to high - 1: int64 of shape (count,)."""
    return random_integers.integers((count,), np.int64, generator, 0, high)
