"""Follows `grad_fn`: which nodes there are, how they hang together, what flows through them.

Nodes are numbered in the order in which they are first seen, so that the numbers are the same in
both libraries exactly if the graphs are. Each is listened to with a pair of hooks, which fire in
the engine's order. After a backward pass hooks and numbers are dropped; what is left of the graph
is found again if the program goes on with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .units import gradient_units

if TYPE_CHECKING:
    from .record import Recorder


def dtype_name(tensor: Any) -> str:
    """`float32`: without the library's name."""
    return str(tensor.dtype).rpartition(".")[2]


class Graph:
    """The part of the program's graph that was seen since the last backward pass."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._numbers: dict[int, int] = {}  # id of a node -> its number
        self._nodes: list[Any] = []  # keeps the nodes alive, so that an id stays one node's
        self._handles: list[Any] = []

    def describe(self, root: Any) -> tuple[Any, ...]:
        """The root's number, then a row (number, name, edges) for every node not seen before."""
        first = self._numbers.get(id(root))
        if first is not None:
            return (first,)
        queue: list[Any] = []
        rows: list[Any] = [self._number(root, queue)]
        for node in queue:  # grows while it is walked
            edges = tuple(
                None if child is None else (self._number(child, queue), child_output)
                for child, child_output in node.next_functions
            )
            rows.append((self._numbers[id(node)], node.name(), edges))
        return tuple(rows)

    def _number(self, node: Any, queue: list[Any]) -> int:
        number = self._numbers.get(id(node))
        if number is None:
            number = self._numbers[id(node)] = len(self._nodes)
            self._nodes.append(node)
            queue.append(node)
            self._listen(node, number)
        return number

    def _listen(self, node: Any, number: int) -> None:
        name = node.name()
        label = f"{name} #{number}"
        self._handles.append(node.register_prehook(self._arrives(label)))
        self._handles.append(node.register_hook(self._leaves(label, number)))

    def _arrives(self, label: str) -> Callable[..., Any]:
        def hook(grad_outputs: Any) -> Any:
            return self._edge(label + " grad_outputs", grad_outputs)

        return hook

    def _leaves(self, label: str, number: int) -> Callable[..., Any]:
        def hook(grad_inputs: Any, grad_outputs: Any) -> Any:
            units: Any = ()
            if self._recorder.sink.forced:
                with self._recorder.quietly():
                    side, node = self._recorder.side, self._nodes[number]
                    units = gradient_units(side, node, grad_inputs, grad_outputs)
            return self._edge(label + " grad_inputs", grad_inputs, units)

        return hook

    def _edge(self, label: str, gradients: Any, units: Any = ()) -> Any:
        """Record the gradients; hand them back only where the sink may have changed them."""
        recorder = self._recorder
        with recorder.quietly():
            text = tuple(
                None if gradient is None else (dtype_name(gradient), tuple(gradient.shape))
                for gradient in gradients
            )
            recorder.send("edge", label, text, gradients, units)
        return tuple(gradients) if recorder.sink.forced else None

    @contextmanager
    def walked(self, roots: Any) -> Iterator[None]:
        """Around a backward pass: record its root and graph before, the leaves after it."""
        recorder = self._recorder
        tensors = recorder.tensors(roots)
        text = tuple(
            () if root.grad_fn is None else self.describe(root.grad_fn) for root in tensors
        )
        recorder.send("graph", "backward from", text, tensors)
        try:
            yield
            self._send_leaves()
        finally:
            self.forget()

    def _send_leaves(self) -> None:
        leaves = [node.variable for node in self._nodes if node.name().endswith("AccumulateGrad")]
        tensors = [tensor for leaf in leaves for tensor in (leaf.detach(), leaf.grad)]
        text = tuple(None if tensor is None else tuple(tensor.shape) for tensor in tensors)
        self._recorder.send("leaf", "leaves and their .grad", text, tensors)

    def forget(self) -> None:
        """Drop all hooks and numbers."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        self._numbers.clear()
        self._nodes.clear()
