"""Whether a leaf may keep a gradient's array as its `.grad`, or must take a copy.

Two leaves that shared one array would both change when one of them adds to it. A new array is
safe. The gradient that came in, or a view of it, is safe too if it was held by nobody but the node
that has just run, which Python's reference counts tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from sys import getrefcount
from typing import Any

import numpy as np

Array = Any


def may_be_shared(gradient: Array, outputs: Sequence[Array | None]) -> bool:
    """Whether others may hold this memory than the node that has just run on `outputs`."""
    base = gradient.base
    if base is None:
        for output in outputs:  # noqa: SIM110  (any() of a generator takes five times as long)
            if output is gradient:
                return True
        return False
    # What `as_strided` made has a base that is no array.
    if getattr(base, "size", None) != gradient.size or not gradient.flags.c_contiguous:
        return True
    finished = [g is base or (_base(g) is base and _count(g) == FINISHED) for g in outputs]
    return _count(base) > ALONE + sum(finished)


def _base(array: Array | None) -> Array | None:
    return None if array is None else array.base


def _count(array: Array) -> int:
    return getrefcount(array)


def _count_with_one_holder() -> int:
    """The count of a variable's array that one other object holds."""
    holder = [np.empty(1)]
    array = holder[0]
    return _count(array)


def _count_in_loop() -> int:
    """The same for a comprehension's variable."""
    counts = [_count(array) for array in [np.empty(1)]]
    return counts[0]


ALONE, FINISHED = _count_with_one_holder(), _count_in_loop()
