"""Hooks: functions of the user's that the engine calls on the way."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable
from typing import Any

Hook = Callable[..., Any]
_ids = itertools.count()


class RemovableHandle:
    """What registering a hook returns: `remove()` takes the hook out again; so does `with`."""

    def __init__(self, hooks: dict[int, Any]) -> None:
        self.id = next(_ids)
        self._hooks = weakref.ref(_Registry.of(hooks))

    def remove(self) -> None:
        registry = self._hooks()
        if registry is not None:
            registry.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


class _Registry(dict[int, Any]):
    """A dict that can be referred to weakly, so that a handle keeps nothing alive."""

    __slots__ = ("__weakref__",)

    @staticmethod
    def of(hooks: dict[int, Any]) -> _Registry:
        assert isinstance(hooks, _Registry)
        return hooks


class Hooks:
    """The hooks of one node, or of one leaf, in the order in which the engine calls them.

    `tensor`: (output number, function of that output's gradient); `retain`: outputs whose
    gradient is kept in a Tensor's `.grad`; `pre`, `post`: functions of all gradients before and
    after the node; `accumulated`: functions of a leaf whose `.grad` was just updated."""

    __slots__ = ("accumulated", "post", "pre", "retain", "tensor")

    def __init__(self) -> None:
        self.tensor, self.pre, self.post = _Registry(), _Registry(), _Registry()
        self.retain: dict[int, Any] = {}
        self.accumulated = _Registry()

    def add(self, kind: str, hook: Any) -> RemovableHandle:
        registry: _Registry = getattr(self, kind)
        handle = RemovableHandle(registry)
        registry[handle.id] = hook
        return handle


def of(owner: Any) -> Hooks:
    """The hooks of a node or leaf, made when the first one is registered."""
    if owner.hooks is None:
        owner.hooks = Hooks()
    hooks: Hooks = owner.hooks
    return hooks
