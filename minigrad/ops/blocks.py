"""How large arrays are walked through: in blocks that stay in the processor's cache from one pass
to the next, with NumPy's loops as they are fastest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np

Array = Any
BLOCK_BYTES = 1 << 20  # a common second-level cache
BUFFER, SHORT = 512, 300  # elements


def blocks(array: Array, length: int, item_bytes: int, most: int | None = None) -> Iterator[slice]:
    """Pieces of `length` things of `item_bytes` each, `most` things at a time at most; all at once
    if the array that they are from is on a GPU, where each operation on a piece is a launch."""
    if not isinstance(array, np.ndarray):
        return iter((slice(None),))
    step = max(BLOCK_BYTES // max(item_bytes, 1), 1)
    step = step if most is None else min(step, most)
    return (slice(start, start + step) for start in range(0, length, step))


def unbuffered(row: int) -> AbstractContextManager[None]:
    """For operations between each of many rows, of `row` elements, and a number, or one row.

    There NumPy copies as many whole rows as fit to its buffer of 8192 elements, to go through them
    at once. Rows of some hundreds are as fast where they lie, and the copies take as long again:
    with a smaller buffer there are none."""
    return _small_buffer() if row > SHORT else nullcontext()


@contextmanager
def _small_buffer() -> Iterator[None]:
    with np.errstate():  # which gives the buffer its old size back
        np.setbufsize(BUFFER)
        yield
