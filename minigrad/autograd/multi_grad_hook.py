"""A hook on several gradients at once: `register_multi_grad_hook`.

Each Tensor gets an ordinary hook of its own. What has arrived is gathered per backward pass, and a
pass knows which of the Tensors it will reach; so the last to arrive can tell that it is the last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from .hooks import PassHook, RemovableHandle
from .node import gradient_edge, refresh

Tensor = Any


class MultiHandle(RemovableHandle):
    """Removes the hooks of all the Tensors."""

    def __init__(self, handles: Sequence[RemovableHandle]) -> None:
        self.handles = tuple(handles)

    def remove(self) -> None:
        """Take all of them off; a second call does nothing."""
        for handle in self.handles:
            handle.remove()

    def __getstate__(self) -> Any:
        return self.handles

    def __setstate__(self, state: Any) -> None:
        self.handles = state


class _Gathering:
    """The gradients that arrived so far, in each backward pass that is under way."""

    def __init__(self, edges: Sequence[Any], fn: Callable[..., Any], mode: str) -> None:
        self.edges, self.fn, self.mode = edges, fn, mode
        self.grads: WeakKeyDictionary[Any, list[Any]] = WeakKeyDictionary()
        self.missing: WeakKeyDictionary[Any, int] = WeakKeyDictionary()

    def arrived(self, index: int, gradient: Tensor, backward_pass: Any) -> None:
        """Note a gradient; call `fn` if it is the last one (mode "all") or the first ("any")."""
        first = backward_pass not in self.missing
        if self.mode == "any":
            self.missing[backward_pass] = 0
            if first:
                self.fn(gradient)
            return
        if first:
            self.missing[backward_pass] = sum(
                _will_reach(backward_pass, edge) for edge in self.edges
            )
            self.grads[backward_pass] = [None] * len(self.edges)
        self.missing[backward_pass] -= 1
        self.grads[backward_pass][index] = gradient
        if not self.missing[backward_pass]:
            self.fn(self.grads.pop(backward_pass))


def _will_reach(backward_pass: Any, edge: Any) -> bool:
    """Whether a gradient arrives at `edge` in this pass of the engine."""
    target, output_nr = edge
    if output_nr is None and not backward_pass.into_leaves:
        raise RuntimeError(
            "A leaf node was passed to _will_engine_execute_node but we are currently running "
            "autograd.grad(). This is currently not supported."
        )
    if backward_pass.wanted is None:
        return target in (backward_pass.awaited if output_nr is None else backward_pass.nodes)
    return target in backward_pass.runs or any(target is w for w, _ in backward_pass.wanted)


def register_multi_grad_hook(
    tensors: Sequence[Tensor], fn: Callable[..., Any], *, mode: str = "all"
) -> RemovableHandle:
    """Call `fn` once in each backward pass that reaches some of `tensors`.

    mode: "all": `fn(gradients)` when the last has been computed; None for Tensors that the pass
        does not reach. "any": `fn(gradient)` with the first that is computed.

    What `fn` returns is ignored. Raises ValueError for another mode, AssertionError if a Tensor
    requires no gradient, and RuntimeError (in the pass) for leaves under `autograd.grad`."""
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    refresh(*tensors)
    edges = [gradient_edge(t) for t in tensors]
    if mode == "all" and None in edges:
        raise AssertionError("Expected gradient function to be set")
    gathering = _Gathering(edges, fn, mode)
    hooks = [(t, PassHook(gathering.arrived, i)) for i, t in enumerate(tensors) if edges[i]]
    return MultiHandle([tensor.register_hook(hook) for tensor, hook in hooks])
