"""The backward pass: which nodes run, in what order, and where the gradients go.

Every node was numbered when it was made, and a node's consumers were made after it. So the nodes
reachable from the roots, newest first, are in an order in which each runs only after all of its
consumers. It is the order of PyTorch's engine too, whose queue of ready nodes gives out the newest.
One walk finds the nodes, one loop runs them; nothing is recursive.

Gradients are bare arrays. With `create_graph=True` they are Tensors instead, so that the same
formulas record a graph of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from .. import promotion
from . import anomaly, grad_mode, watched
from . import node as graph
from .hooks import call_node_hooks
from .node import Edge, Node, place
from .ownership import may_be_shared

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
        return walk(keep_graph, create_graph, wanted, into_leaves).run(roots, gradients)
    finally:
        grad_mode.set_mode(previous)


class _Pass:
    """One walk through the graph, and what is on its way."""

    __slots__ = (
        "__weakref__",
        "arrived",
        "awaited",
        "fit",
        "into_leaves",
        "keep_graph",
        "nodes",
        "on_tensors",
        "only_root",
        "runs",
        "sums",
        "wanted",
    )  # fmt: skip

    def __init__(
        self, keep_graph: bool, on_tensors: bool, wanted: Sequence[Edge] | None, into_leaves: bool
    ) -> None:
        self.keep_graph, self.on_tensors, self.into_leaves = keep_graph, on_tensors, into_leaves
        self.fit = fit_tensor if on_tensors else fit_array
        self.wanted = None if wanted is None else set(wanted)
        self.nodes: set[Node] = set()  # all that can be reached
        self.runs: set[Any] = set()  # with `wanted`: the nodes that lead to a wanted edge
        self.awaited: dict[Any, int] = {}  # per leaf: how many edges have still to deliver
        self.sums: dict[Any, Gradient] = {}  # what has arrived so far, by leaf, node, or edge to
        # an output that is not the first
        self.arrived: dict[Edge, Gradient] = {}  # at wanted edges
        self.only_root: Any = None  # node or leaf, whose hooks are called even if it leads nowhere

    def run(self, roots: Sequence[Edge], gradients: Sequence[Gradient]) -> dict[Edge, Gradient]:
        sums, on_tensors, wanted = self.sums, self.on_tensors, self.wanted
        self.only_root = roots[0][0] if len(roots) == 1 else None
        order = self.schedule(roots)
        self.hand_on(roots, gradients, gradients)
        for node in order:
            outputs = [sums.pop(node, None)]
            if node.other_outputs:
                outputs += [sums.pop((node, i), None) for i in range(1, len(node.outputs))]
            inputs: Sequence[Gradient] | None
            if node.hooks is None and wanted is None:
                inputs = node.apply(outputs, on_tensors)
                if anomaly.enabled:
                    anomaly.check(node, inputs)
            else:
                inputs = watched.apply(self, node, outputs)
            if inputs is None:
                continue
            if not self.keep_graph:
                node.release()
            self.hand_on(node.edges, inputs, outputs)
        return self.arrived

    def hand_on(
        self,
        edges: Sequence[Edge | None],
        gradients: Sequence[Gradient],
        outputs: Sequence[Gradient],
    ) -> None:
        """Fit each gradient to the value that it belongs to and add it to what arrived before.

        `outputs` are the gradients that the node was given: they, and views, may have other
        holders, so a leaf takes a copy of such an array."""
        sums = self.sums
        for edge, gradient in zip(edges, gradients):  # noqa: B905  (checked where they are made)
            if edge is None:
                continue
            target, output_nr = edge
            if output_nr is None:
                self.hand_to_leaf(target, gradient, outputs)
            elif gradient is not None:
                shape, dtype = (target.shape, target.dtype) if not output_nr else place(edge)
                if gradient.shape != shape or gradient.dtype is not dtype:
                    gradient = self.fit(gradient, shape, dtype)
                key = edge if output_nr else target
                before = sums.get(key)
                sums[key] = gradient if before is None else before + gradient

    def hand_to_leaf(self, leaf: Any, gradient: Gradient, outputs: Sequence[Gradient]) -> None:
        """One more gradient for a leaf, which receives their sum when all are there."""
        before = self.sums.pop(leaf, None)
        if gradient is None:
            gradient = before
        else:
            array = leaf._array
            if gradient.shape != array.shape or gradient.dtype is not array.dtype:
                gradient = self.fit(gradient, array.shape, array.dtype)
            if before is not None:
                gradient = before + gradient
            elif not self.on_tensors and may_be_shared(gradient, outputs):
                gradient = gradient.copy()
        self.awaited[leaf] = missing = self.awaited[leaf] - 1
        if missing:
            self.sums[leaf] = gradient
        else:
            self.arrive(leaf, gradient)

    def schedule(self, roots: Sequence[Edge]) -> list[Node]:
        """The nodes to run, consumers before producers; counts what each leaf has to wait for."""
        awaited, seen = self.awaited, self.nodes
        order: list[Node] = []
        ways = [roots]  # the edges of all nodes that were found
        for edges in ways:  # which grows meanwhile
            for edge in edges:
                if edge is None:
                    continue
                target, output_nr = edge
                if output_nr is None:
                    awaited[target] = awaited.get(target, 0) + 1
                elif target not in seen:
                    seen.add(target)
                    order.append(target)
                    ways.append(target.edges)
        order.sort(key=by_age, reverse=True)
        return order if self.wanted is None else watched.prune(self, order)

    def arrive(self, leaf: Any, gradient: Gradient) -> None:
        """All gradients of a leaf are there: this is what AccumulateGrad does."""
        hooks = leaf.hooks
        needed = self.wanted is None or (leaf, None) in self.wanted
        if hooks is not None and (needed or leaf is self.only_root):
            gradient = hooks.on_gradients([gradient], self)[0]
        if not needed:
            return
        if not self.into_leaves:
            self.arrived[leaf, None] = gradient
            return
        if hooks is not None:
            gradient = call_node_hooks(hooks.pre, self.on_tensors, [gradient])[0]
        if gradient is not None:
            accumulate(leaf, gradient, self.on_tensors)
        if hooks is not None:
            hooks.on_accumulated(leaf)
            call_node_hooks(hooks.post, self.on_tensors, [], [gradient])


walk = _Pass  # while a tape records, its own kind of pass (tape/backward.py)


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
        try:
            np.add(array, gradient, array)
        except ValueError:  # `leaf.data` was given another shape
            raise promotion.broadcast_error((array, gradient)) from None
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
    return (
        gradient if gradient._array.dtype is dtype else graph.tensor_ops.to_dtype(gradient, dtype)
    )
