"""The backward pass: which nodes run, in what order, and where the gradients go.

Every node was numbered when it was made, and a node's consumers were made after it. So the nodes
reachable from the roots, newest first, are in an order in which each runs only after all of its
consumers. It is the order of PyTorch's engine too, whose queue of ready nodes gives out the newest.
One walk finds the nodes, one loop runs them; nothing is recursive.

Gradients are bare arrays. With `create_graph=True` they are Tensors instead, so that the same
formulas record a graph of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from . import anomaly, grad_mode
from . import node as graph
from .node import Edge, Node

Gradient = Any  # an array, a Tensor when the pass is recorded, or None for zero
by_age = attrgetter("sequence_nr")


def run_backward(
    roots: Sequence[Edge],
    gradients: Sequence[Gradient],
    keep_graph: bool,
    create_graph: bool,
    wanted: Sequence[Edge] | None = None,
    into_leaves: bool = True,
) -> dict[Edge, Gradient]:
    """Send `gradients` from the `roots` through the graph.

    `into_leaves`: what reaches a leaf is added to its `.grad`. With `wanted`, only nodes on a way
    to a wanted edge run, and what arrives at wanted edges is returned."""
    previous = grad_mode.is_grad_enabled()
    grad_mode.set_mode(create_graph)
    try:
        return _Pass(keep_graph, create_graph, wanted, into_leaves).run(roots, gradients)
    finally:
        grad_mode.set_mode(previous)


class _Pass:
    """One walk through the graph, and what is on its way."""

    def __init__(
        self, keep_graph: bool, on_tensors: bool, wanted: Sequence[Edge] | None, into_leaves: bool
    ) -> None:
        self.keep_graph, self.on_tensors, self.into_leaves = keep_graph, on_tensors, into_leaves
        self.fit = fit_tensor if on_tensors else fit_array
        self.wanted = None if wanted is None else set(wanted)
        self.runs: set[Any] = set()  # with `wanted`: the nodes that lead to a wanted edge
        self.awaited: dict[Any, int] = {}  # per leaf: how many edges have still to deliver
        self.sums: dict[Edge, Gradient] = {}  # what has arrived so far
        self.arrived: dict[Edge, Gradient] = {}  # at wanted edges

    def run(self, roots: Sequence[Edge], gradients: Sequence[Gradient]) -> dict[Edge, Gradient]:
        order = self.schedule(roots)
        sums, on_tensors = self.sums, self.on_tensors
        self.hand_on(roots, gradients, gradients)
        for node in order:
            if len(node.outputs) == 1:
                outputs = [sums.pop((node, 0), None)]
            else:
                outputs = [sums.pop((node, i), None) for i in range(len(node.outputs))]
            if node.hooks is not None:
                outputs = self.hooked_tensor(node.hooks, outputs)
            useful = None if self.wanted is None else self.capture(node, outputs, self.wanted)
            if useful == []:
                continue
            if node.hooks is not None:
                outputs = self.hooked(node.hooks.pre, outputs)
            inputs = node.apply(outputs, on_tensors, useful)
            if useful is not None:
                inputs = [g if i in useful else None for i, g in enumerate(inputs)]
            if anomaly.enabled:
                anomaly.check(node, inputs)
            if not self.keep_graph:
                node.release()
            if node.hooks is not None and node.hooks.post:
                inputs = self.hooked(node.hooks.post, list(map(self.fitted, node.edges, inputs)), outputs)
            self.hand_on(node.edges, inputs, outputs)
        return self.arrived

    def hand_on(
        self, edges: Sequence[Edge | None], gradients: Sequence[Gradient], outputs: Sequence[Gradient]
    ) -> None:
        """Fit each gradient to the value that it belongs to and add it to what arrived before.

        `outputs` are the gradients that the node was given: they, and views, may have other
        holders, so a leaf takes a copy of such an array."""
        sums = self.sums
        for edge, gradient in zip(edges, gradients, strict=True):
            if edge is None:
                continue
            target, output_nr = edge
            if gradient is not None:
                if output_nr is None:
                    shape, dtype = target._array.shape, target._array.dtype
                else:
                    shape, dtype = target.outputs[output_nr]
                if gradient.shape != shape or gradient.dtype is not dtype:
                    gradient = self.fit(gradient, shape, dtype)
                before = sums.get(edge)
                if before is not None:
                    gradient = before + gradient
                elif output_nr is None and not self.on_tensors and may_be_shared(gradient, outputs):
                    gradient = gradient.copy()
                sums[edge] = gradient
            if output_nr is None:
                self.awaited[target] -= 1
                if not self.awaited[target]:
                    self.arrive(target, sums.pop(edge, None))

    def schedule(self, roots: Sequence[Edge]) -> list[Node]:
        """The nodes to run, consumers before producers; counts what each leaf has to wait for."""
        awaited = self.awaited
        seen: set[Node] = set()
        order: list[Node] = []
        pending: list[Any] = list(roots)
        while pending:
            target, output_nr = pending.pop()
            if output_nr is None:
                awaited[target] = awaited.get(target, 0) + 1
            elif target not in seen:
                seen.add(target)
                order.append(target)
                for edge in target.edges:
                    if edge is not None:
                        pending.append(edge)
        order.sort(key=by_age, reverse=True)
        return order if self.wanted is None else self.prune(order, self.wanted)

    def prune(self, order: list[Node], wanted: set[Edge]) -> list[Node]:
        """Leave out the nodes from which no wanted edge can be reached."""
        runs = self.runs
        for node in reversed(order):  # producers first
            if any(e is not None and (e in wanted or e[0] in runs) for e in node.edges):
                runs.add(node)
        targets = {target for target, _ in wanted}
        return [node for node in order if node in runs or node in targets]

    def fitted(self, edge: Edge | None, gradient: Gradient) -> Gradient:
        """What `hand_on` does to a gradient first; here for hooks that want to see the result."""
        if edge is None or gradient is None:
            return None
        target, output_nr = edge
        shape, dtype = (target._array.shape, target._array.dtype) if output_nr is None else target.outputs[output_nr]
        return self.fit(gradient, shape, dtype)

    def arrive(self, leaf: Any, gradient: Gradient) -> None:
        """All gradients of a leaf are there: this is what AccumulateGrad does."""
        hooks = leaf.hooks
        if hooks is not None:
            gradient = self.hooked_tensor(hooks, [gradient])[0]
        if self.wanted is not None and (leaf, None) not in self.wanted:
            return
        if not self.into_leaves:
            self.arrived[leaf, None] = gradient
            return
        if hooks is not None:
            gradient = self.hooked(hooks.pre, [gradient])[0]
        if gradient is not None:
            accumulate(leaf, gradient, self.on_tensors)
        for hook in list(hooks.accumulated.values()) if hooks is not None else ():
            if hook(leaf) is not None:
                raise RuntimeError("Tensor post accumulate grad hooks should return None.")
        if hooks is not None:
            self.hooked(hooks.post, [], [gradient])

    def capture(self, node: Node, outputs: Sequence[Gradient], wanted: set[Edge]) -> list[int]:
        """Keep the gradients that were asked for; return which inputs of the node lead to others."""
        for output_nr, gradient in enumerate(outputs):
            if (node, output_nr) in wanted:
                self.arrived[node, output_nr] = gradient
        return [i for i, e in enumerate(node.edges) if e is not None and (e in wanted or e[0] in self.runs)]

    def hooked_tensor(self, hooks: Any, gradients: Sequence[Gradient]) -> list[Gradient]:
        """What `Tensor.register_hook` and `retain_grad` asked for, in that order."""
        gradients = list(gradients)
        for output_nr, hook in list(hooks.tensor.values()):
            replaced = hook(as_tensor(gradients[output_nr]))
            if replaced is not None:
                gradients[output_nr] = self.replacement(replaced, gradients[output_nr], hook)
        for output_nr, retaining in hooks.retain.items():
            tensor = retaining()
            if tensor is not None and gradients[output_nr] is not None:
                gradient = as_tensor(gradients[output_nr])
                tensor._grad = gradient.clone() if tensor._grad is None else tensor._grad + gradient
        return gradients

    def hooked(
        self, registry: dict[int, Callable[..., Any]], gradients: Any, *others: Any
    ) -> Any:
        """Call node hooks on tuples of Tensors; each may return a replacement of the first."""
        for hook in list(registry.values()):
            tensors = [tuple(map(as_tensor, gs)) for gs in (gradients, *others)]
            replaced = hook(*tensors)
            if replaced is not None:
                if not isinstance(replaced, tuple):
                    raise TypeError(f"expected tuple, but hook returned '{type(replaced).__name__}'")
                if len(replaced) != len(gradients):
                    raise RuntimeError(
                        f"hook '{_name(hook)}' has returned an incorrect number of values "
                        f"(got {len(replaced)}, but expected {len(gradients)})"
                    )
                pairs = zip(replaced, gradients, strict=True)
                gradients = [self.replacement(new, old, hook) for new, old in pairs]
        return gradients

    def replacement(self, new: Any, old: Gradient, hook: Any) -> Gradient:
        """The Tensor that a hook returned, as this pass carries gradients."""
        if new is None:
            return None
        if not isinstance(new, graph.Tensor):
            raise TypeError(f"expected Variable, but hook returned '{type(new).__name__}'")
        if old is not None and new._array.shape != tuple(old.shape):
            raise RuntimeError(f"hook '{_name(hook)}' has changed the size of value")
        if old is not None and new.type() != as_tensor(old).type():
            raise RuntimeError(
                f"hook '{_name(hook)}' has changed the type of value (was {as_tensor(old).type()} got {new.type()})"
            )
        return new if self.on_tensors else new._array


def _name(hook: Any) -> str:
    return getattr(hook, "__name__", type(hook).__name__)


def may_be_shared(gradient: Any, outputs: Sequence[Gradient]) -> bool:
    return gradient.base is not None or gradient is outputs[0] or any([gradient is g for g in outputs[1:]])


def as_tensor(gradient: Gradient) -> Any:
    return gradient if gradient is None or isinstance(gradient, graph.Tensor) else graph.wrap(gradient)


def accumulate(tensor: Any, gradient: Gradient, on_tensors: bool) -> None:
    """Add to `.grad`: in place, unless the addition itself is to be recorded."""
    if tensor._grad is None:
        tensor._grad = graph.tensor_ops.copy(gradient) if on_tensors else graph.wrap(gradient)
        if grad_mode.is_inference_mode_enabled():
            tensor._grad._version_counter = None
    elif on_tensors:
        tensor._grad = tensor._grad + gradient
    else:
        array = tensor._grad._array
        np.add(array, gradient, out=array)
        tensor._grad._bump_version()


def fit_array(gradient: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """A gradient in the shape and dtype of its input: undoes broadcasting and promotion."""
    if gradient.shape != shape:
        gradient = graph.array_ops.sum_to_size(gradient, shape)
    return gradient if gradient.dtype is dtype else gradient.astype(dtype)


def fit_tensor(gradient: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """`fit_array` for a gradient that is itself part of a graph."""
    if gradient._array.shape != shape:
        gradient = graph.tensor_ops.sum_to_size(gradient, shape)
    return gradient if gradient._array.dtype is dtype else graph.tensor_ops.to_dtype(gradient, dtype)
