"""Passes that are watched: nodes that have hooks, and gradients that were asked for by name.

`loss.backward()` without hooks comes nowhere near this file. `on_way` is the pass of `engine.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import anomaly
from .hooks import call_node_hooks
from .node import Node, place

Gradient = Any


def prune(on_way: Any, order: list[Node]) -> list[Node]:
    """Leave out the nodes from which no wanted edge can be reached."""
    runs, wanted = on_way.runs, on_way.wanted
    for node in reversed(order):  # producers first
        if any(e is not None and (e in wanted or e[0] in runs) for e in node.edges):
            runs.add(node)
    targets = {on_way.only_root, *(target for target, _ in wanted)}
    return [node for node in order if node in runs or node in targets]


def apply(on_way: Any, node: Node, outputs: list[Gradient]) -> Sequence[Gradient] | None:
    """Run a node that has hooks, or whose gradients were asked for; None if it need not run."""
    outputs[:], useful = _before(on_way, node, outputs)
    if useful == []:
        return None
    inputs = node.apply(outputs, on_way.on_tensors, useful)
    if anomaly.enabled:
        anomaly.check(node, inputs)
    if node.hooks is None or not node.hooks.post:
        return inputs
    fitted = [
        g if e is None or g is None else on_way.fit(g, *place(e))
        for e, g in zip(node.edges, inputs, strict=True)
    ]
    after: Sequence[Gradient] = call_node_hooks(node.hooks.post, on_way.on_tensors, fitted, outputs)
    return after


def _before(
    on_way: Any, node: Node, outputs: list[Gradient]
) -> tuple[list[Gradient], list[int] | None]:
    """What happens to a node's gradients before it runs: hooks, and keeping what was asked for.

    Returns the gradients and through which inputs the node leads to wanted edges (None: not
    asked; an empty list: it does not run). PyTorch keeps before the hooks if the node runs."""
    useful = None
    if on_way.wanted is not None:
        useful = [
            i for i, e in enumerate(node.edges)
            if e is not None and (e in on_way.wanted or e[0] in on_way.runs)
        ]  # fmt: skip
    if useful:
        _capture(on_way, node, outputs)
    if node.hooks is not None:
        outputs = node.hooks.on_gradients(outputs, on_way)
    if useful == []:
        _capture(on_way, node, outputs)
    elif node.hooks is not None:
        outputs = call_node_hooks(node.hooks.pre, on_way.on_tensors, outputs)
    return outputs, useful


def _capture(on_way: Any, node: Node, outputs: Sequence[Gradient]) -> None:
    """Keep the gradients of this node's outputs that were asked for."""
    for output_nr, gradient in enumerate(outputs):
        if (node, output_nr) in (on_way.wanted or ()):
            on_way.arrived[node, output_nr] = gradient
