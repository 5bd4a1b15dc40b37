"""Hooks: functions of the user's that are called on the way of a gradient (or of a module's call).

Each owner keeps its hooks in an `OrderedDict` from a number to the function. `RemovableHandle`
gives out the numbers and removes the entry when asked, or at the end of a `with` block. It refers
to the dictionary weakly, so that a forgotten handle keeps nothing alive.
"""

from __future__ import annotations

import itertools
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from . import node as graph

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

    def __getstate__(self) -> Any:
        """A copy of a handle removes the hook from the copies of its dictionaries."""
        return [d for d in (reference() for reference in self._dicts) if d is not None], self.id

    def __setstate__(self, state: Any) -> None:
        dicts, self.id = state
        self._dicts = [weakref.ref(d) for d in dicts]
        while next(_numbers) <= self.id:  # numbers given out later must be other ones
            pass

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


class PassHook:
    """A hook of a Tensor that is told which backward pass it is called from, and replaces nothing:
    one Tensor's part in a hook on several (`multi_grad_hook.py`)."""

    def __init__(self, arrived: Callable[[int, Any, Any], None], index: int) -> None:
        self.arrived, self.index = arrived, index

    def __call__(self, gradient: Any, backward_pass: Any) -> None:
        self.arrived(self.index, gradient, backward_pass)


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

    def on_gradients(self, gradients: Sequence[Any], backward_pass: Any) -> list[Any]:
        """Do what `Tensor.register_hook` and `retain_grad` asked for, in that order."""
        gradients = list(gradients)
        for output_nr, hook in list(self.tensor.values()):
            gradient = gradients[output_nr]
            if isinstance(hook, PassHook):
                hook(as_tensor(gradient), backward_pass)
                continue
            replaced = hook(as_tensor(gradient))
            if replaced is not None:
                gradients[output_nr] = _replacement(
                    replaced, gradient, hook, backward_pass.on_tensors
                )
        for output_nr, retaining in self.retain.items():
            tensor, gradient = retaining(), as_tensor(gradients[output_nr])
            if tensor is not None and gradient is not None:
                before = tensor._grad
                tensor._grad = gradient.clone() if before is None else before + gradient
        return gradients

    def on_accumulated(self, leaf: Any) -> None:
        """Call the hooks for a leaf's new `.grad`."""
        for hook in list(self.accumulated.values()):
            if hook(leaf) is not None:
                raise RuntimeError("Tensor post accumulate grad hooks should return None.")


def call_node_hooks(
    registry: OrderedDict[int, Any], on_tensors: bool, gradients: Any, *others: Any
) -> Any:
    """Call hooks of a node on tuples of Tensors; each may return a replacement of the first."""
    for hook in list(registry.values()):
        replaced = hook(*[tuple(map(as_tensor, gs)) for gs in (gradients, *others)])
        if replaced is None:
            continue
        if not isinstance(replaced, tuple):
            raise TypeError(f"expected tuple, but hook returned '{type(replaced).__name__}'")
        if len(replaced) != len(gradients):
            raise RuntimeError(
                f"hook '{_name(hook)}' has returned an incorrect number of values "
                f"(got {len(replaced)}, but expected {len(gradients)})"
            )
        pairs = zip(replaced, gradients, strict=True)
        gradients = [_replacement(new, old, hook, on_tensors) for new, old in pairs]
    return gradients


def _replacement(new: Any, old: Any, hook: Any, on_tensors: bool) -> Any:
    """The Tensor that a hook returned instead of `old`, as the pass carries gradients."""
    if new is None:
        return None
    if not isinstance(new, graph.Tensor):
        raise TypeError(f"expected Variable, but hook returned '{type(new).__name__}'")
    old = as_tensor(old)
    if old is not None and new.shape != old.shape:
        raise RuntimeError(f"hook '{_name(hook)}' has changed the size of value")
    if old is not None and new.type() != old.type():
        raise RuntimeError(
            f"hook '{_name(hook)}' has changed the type of value (was {old.type()} got {new.type()})"
        )
    return new if on_tensors else new._array


def as_tensor(gradient: Any) -> Any:
    """A gradient as users see it; None stays None."""
    bare = gradient is not None and not isinstance(gradient, graph.Tensor)
    return graph.wrap(gradient) if bare else gradient


def _name(hook: Any) -> str:
    return getattr(hook, "__name__", type(hook).__name__)


def of(owner: Any) -> Hooks:
    """The hooks of a node or leaf, made when the first one is registered."""
    if owner.hooks is None:
        owner.hooks = Hooks()
    hooks: Hooks = owner.hooks
    return hooks
