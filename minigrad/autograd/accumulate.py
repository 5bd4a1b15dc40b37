"""The node at the end of every path, for whoever asks for it.

The engine adds to `.grad` itself (`engine.accumulate`); it needs no such object. PyTorch shows one
in `next_functions`, and users hang hooks on it.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from . import hooks
from .hooks import RemovableHandle


class AccumulateGrad:
    """Where a gradient ends: it is added to `variable.grad`.

    The engine serves leaves without this object; it is made when somebody asks for it, and its
    hooks are kept by the leaf, so that they outlive it."""

    __slots__ = ("__weakref__", "variable")
    next_functions = ()

    def __init__(self, variable: Any) -> None:
        self.variable = variable

    def name(self) -> str:
        return "torch::autograd::AccumulateGrad"

    def __repr__(self) -> str:
        return f"<AccumulateGrad object at {id(self):#x}>"

    @property
    def metadata(self) -> Any:
        return self.variable.__dict__.setdefault("_accumulator_metadata", {})

    def _sequence_nr(self) -> int:
        return 2**64 - 1  # it runs as soon as it is ready

    def register_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        return hooks.of(self.variable).add("post", hook)

    def register_prehook(self, hook: Callable[..., Any]) -> RemovableHandle:
        return hooks.of(self.variable).add("pre", hook)


def accumulator(leaf: Any) -> AccumulateGrad:
    """The leaf's AccumulateGrad: the same object as long as anybody holds it."""
    reference = leaf.__dict__.get("_accumulator")
    node = reference() if reference is not None else None
    if node is None:
        node = AccumulateGrad(leaf)
        leaf.__dict__["_accumulator"] = weakref.ref(node)
    return node
