"""The user's names for tensors: found by looking through the variables of the running functions.

When an operation is recorded its result has no name yet; a later event finds it in a variable.
Also looked at are tensors in lists, tuples and dicts (`params[0]`), and parameters of modules
(`model.weight`).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any

from ..autograd import node as graph
from ..autograd.anomaly import LIBRARIES

FRAMES, ENTRIES = 12, 100  # how far the search goes: functions, and entries of one container
OPTIMIZED = 1  # flag of a code object: its variables are not kept in a dict


def find_names(wanted: dict[int, Any]) -> Iterator[tuple[Any, str]]:
    """Yield (what `wanted` has for it, name) for tensors, by `id`, that a user's variable holds."""
    for name, tensor in user_tensors():
        if id(tensor) in wanted:
            yield wanted[id(tensor)], name


def user_tensors() -> Iterator[tuple[str, Any]]:
    """Yield (name, tensor) for what the variables of the running user's functions hold."""
    frame: Any = sys._getframe(1)
    looked_at = 0
    while frame is not None and looked_at < FRAMES:
        if not frame.f_code.co_filename.startswith(LIBRARIES):
            looked_at += 1
            yield from _in_frame(frame)
        frame = frame.f_back


def _in_frame(frame: Any) -> list[tuple[str, Any]]:
    variables = frame.f_locals
    found = [
        pair
        for name, value in list(variables.items())
        if not name.startswith("__")
        for pair in _tensors(name, value)
    ]
    if sys.version_info < (3, 13) and frame.f_code.co_flags & OPTIMIZED:
        # The frame keeps the dict that was just made. It would hold each tensor until the function
        # returns, also those whose variables are deleted before.
        variables.clear()
    return found


def _tensors(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The tensors that a variable holds, each with an expression for it."""
    if isinstance(value, graph.Tensor):
        yield name, value
    elif type(value) in (list, tuple):
        for i, item in enumerate(value[:ENTRIES]):
            if isinstance(item, graph.Tensor):
                yield f"{name}[{i}]", item
    elif type(value) is dict:
        for key, item in islice(value.items(), ENTRIES):
            if isinstance(item, graph.Tensor):
                yield f"{name}[{key!r}]", item
    elif hasattr(type(value), "named_parameters"):
        for path, parameter in value.named_parameters():
            yield f"{name}.{path}", parameter
