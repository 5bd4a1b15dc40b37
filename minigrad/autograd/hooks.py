"""Hooks: functions of the user's that are called on the way of a gradient (or of a module's call).

Each owner keeps its hooks in an `OrderedDict` from a number to the function. `RemovableHandle`
gives out the numbers and removes the entry when asked, or at the end of a `with` block. It refers
to the dictionary weakly, so that a forgotten handle keeps nothing alive.
"""

from __future__ import annotations

import itertools
import weakref
from collections import OrderedDict
from typing import Any

_numbers = itertools.count()


class RemovableHandle:
    """Removes one hook from `hooks_dict`, and its number from each of `extra_dicts`."""

    def __init__(self, hooks_dict: OrderedDict[int, Any], *extra_dicts: OrderedDict[int, Any]):
        self.id = next(_numbers)
        self._dicts = [weakref.ref(d) for d in (hooks_dict, *extra_dicts)]

    def remove(self) -> None:
        """Take the hook off; a second call does nothing."""
        for reference in self._dicts:
            hooks = reference()
            if hooks is not None:
                hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


def add_hook(
    hooks: OrderedDict[int, Any], hook: Any, *flags: OrderedDict[int, bool], prepend: bool = False
) -> RemovableHandle:
    """Put `hook` at the end of `hooks` (or in front), mark it in `flags`; return its handle."""
    handle = RemovableHandle(hooks, *flags)
    hooks[handle.id] = hook
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    for flag in flags:
        flag[handle.id] = True
    return handle


class Hooks:
    """The hooks of one node, or of one leaf, in the order in which the engine calls them.

    `tensor`: (output number, function of that output's gradient); `retain`: outputs whose
    gradient is kept in a Tensor's `.grad`; `pre`: functions of all gradients before the node;
    `accumulated`: functions of a leaf whose `.grad` was just updated; `post`: after the node."""

    __slots__ = ("accumulated", "post", "pre", "retain", "tensor")

    def __init__(self) -> None:
        self.tensor: OrderedDict[int, Any] = OrderedDict()
        self.retain: dict[int, Any] = {}
        self.pre: OrderedDict[int, Any] = OrderedDict()
        self.accumulated: OrderedDict[int, Any] = OrderedDict()
        self.post: OrderedDict[int, Any] = OrderedDict()

    def add(self, kind: str, hook: Any) -> RemovableHandle:
        return add_hook(getattr(self, kind), hook)


def of(owner: Any) -> Hooks:
    """The hooks of a node or leaf, made when the first one is registered."""
    if owner.hooks is None:
        owner.hooks = Hooks()
    hooks: Hooks = owner.hooks
    return hooks
