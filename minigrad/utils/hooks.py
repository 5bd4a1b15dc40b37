"""Hooks are functions that users hang into modules and optimizers; a handle takes one off again.

Each owner keeps its hooks in an `OrderedDict` from a number to the function. `RemovableHandle`
gives out the numbers and removes the entry when asked, or at the end of a `with` block. It refers
to the dictionaries weakly, so that a forgotten handle does not keep a module alive.
"""

from __future__ import annotations

import itertools
import weakref
from collections import OrderedDict
from types import TracebackType
from typing import Any

__all__ = ["RemovableHandle", "add_hook"]

_numbers = itertools.count()


class RemovableHandle:
    """Removes one hook from `hooks_dict`, and its number from each of `extra_dicts`."""

    def __init__(self, hooks_dict: OrderedDict[int, Any], *extra_dicts: OrderedDict[int, Any]):
        self.id = next(_numbers)
        self._dicts = [weakref.ref(d) for d in (hooks_dict, *extra_dicts)]

    def remove(self) -> None:
        """Takes the hook off; a second call does nothing."""
        for reference in self._dicts:
            hooks = reference()
            if hooks is not None:
                hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.remove()


def add_hook(
    hooks: OrderedDict[int, Any], hook: Any, *flags: OrderedDict[int, bool], prepend: bool = False
) -> RemovableHandle:
    """Puts `hook` at the end of `hooks` (or in front), marks it in `flags`; returns its handle."""
    handle = RemovableHandle(hooks, *flags)
    hooks[handle.id] = hook
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    for flag in flags:
        flag[handle.id] = True
    return handle
