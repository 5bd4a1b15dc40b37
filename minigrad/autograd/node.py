"""The graph: what one operation leaves behind for the backward pass.

An op (a row of the table, see `row.py`) whose input requires a gradient makes a `Node`. Its class
is named as in PyTorch, and it keeps

- its edges: for each input, to which node (and which of its outputs) the gradient goes next;
- its saved values: only those that the row's formulas name, each with the version that it had;
- its number in the order of recording, which is all that the engine needs to find its way.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import gpu
from . import anomaly, hooks
from .accumulate import accumulator
from .grad_mode import is_recording
from .hooks import Hooks, RemovableHandle

if TYPE_CHECKING:
    from .plan import Plan
    from .row import Row

Edge = tuple[Any, "int | None"]  # (node, output number), or (leaf Tensor, None)
Output = tuple[tuple[int, ...], Any]  # shape and dtype of a node's output
Saved = tuple[Any, "int | None"]  # a value, and its version if it is a Tensor
Tensor: Any = None  # minigrad.tensor.Tensor puts itself here: tensors and nodes need each other
array_ops: Any = None  # the two namespaces that a formula's `xp` may be, put here by minigrad.ops
tensor_ops: Any = None
packing: Any = None  # hands saved values to `saved_tensors_hooks` while some are set (graph.py)
next_sequence_nr = itertools.count().__next__
new = object.__new__
ndarray = np.ndarray


class Node:
    """One recorded operation. The rows make its subclasses, which carry PyTorch's names."""

    __slots__ = (
        "__weakref__", "dtype", "edges", "hooks", "notes", "other_outputs", "plan", "saved",
        "sequence_nr", "shape",
    )  # fmt: skip
    edges: Sequence[Edge | None]
    saved: Sequence[Saved] | None  # None once they are freed
    shape: tuple[int, ...]  # of the first output
    dtype: Any
    other_outputs: Sequence[Output]  # of an op with several results
    sequence_nr: int  # the clock of recording: consumers have higher numbers than producers
    hooks: Hooks | None
    notes: dict[str, Any] | None  # see `metadata`
    plan: Plan
    row: Row

    @property
    def outputs(self) -> list[Output]:
        """Shape and dtype of each output that a gradient can come for."""
        return [(self.shape, self.dtype), *self.other_outputs]

    @outputs.setter
    def outputs(self, outputs: Sequence[Output]) -> None:
        (self.shape, self.dtype), *self.other_outputs = outputs

    def apply(
        self, grads: Sequence[Any], on_tensors: bool, useful: Sequence[int] | None = None
    ) -> Sequence[Any]:
        """From the gradients of the outputs those of the inputs (of the `useful` ones, if given);
        None where none is needed."""
        plan = self.plan
        inputs: list[Any] = [None] * len(self.edges)
        values = self.unpack(on_tensors) if plan.saves else []
        grad = grads[0]
        if grad is None and all([g is None for g in grads]):
            return inputs
        values.append(grad)
        if plan.uses_context:
            values += (tensor_ops if on_tensors else array_ops, grads, plan.needs)
        for index, formula, pick in plan.formulas:
            if useful is None or index in useful or plan.variadic:
                inputs[index] = formula(grad) if pick is None else formula(*pick(values))
        return inputs[0] if plan.variadic else inputs

    def unpack(self, as_tensors: bool) -> list[Any]:
        """The saved values, once it is certain that they are still what they were."""
        if self.saved is None:
            raise RuntimeError(anomaly.FREED)
        values = []
        for value, version in self.saved:
            if version is None:
                values.append(value)
            elif value._version_counter[0] != version:
                raise RuntimeError(anomaly.modified(value, version, self))
            else:
                values.append(self._placed(value) if as_tensors else value._array)
        return values

    def _placed(self, value: Any) -> Any:
        """A saved input is the Tensor itself. A saved output was kept without its node, since a
        node that holds its own output is a cycle; here it gets its place in the graph back."""
        if not isinstance(value, Tensor):
            return value.placed(self)  # packed by the user's hooks
        if value._saved_output_nr is None or value._array.dtype.kind != "f":
            return value
        output = value._alias()
        output._edge, output._requires_grad = (self, value._saved_output_nr), True
        return output

    def release(self) -> None:
        """Drop the saved values; if Tensors were among them, a second backward pass raises."""
        for _, version in self.saved or ():
            if version is not None:
                self.saved = None
                return

    def __call__(self, *grads: Any) -> Any:
        """Run this node alone: from Tensors, gradients of its outputs, those of its inputs."""
        mode = is_recording()
        inputs = self.apply([g if mode or g is None else g._array for g in grads], mode)
        found = tuple(g if g is None or isinstance(g, Tensor) else wrap(g) for g in inputs)
        return found if len(found) != 1 else found[0]

    def __getattr__(self, name: str) -> Any:
        """`_saved_self`, `_saved_result` and the like, as PyTorch shows them."""
        wanted = name.removeprefix("_saved_").replace("self", "input")
        if name.startswith("_saved_") and wanted in self.plan.saved_names:
            return self.unpack(True)[self.plan.saved_names.index(wanted)]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} object at {id(self):#x}>"

    def name(self) -> str:
        return self.row.name

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        return tuple(
            (None, 0) if e is None else (accumulator(e[0]), 0) if e[1] is None else (e[0], e[1])
            for e in self.edges
        )

    @property
    def metadata(self) -> Any:
        """A dictionary for notes: the user's own, and in anomaly mode where the node was made."""
        if self.notes is None:
            self.notes = {}
        return self.notes

    def _sequence_nr(self) -> int:
        return self.sequence_nr

    def register_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(grad_inputs, grad_outputs)` after this node ran; it may return new inputs."""
        return hooks.of(self).add("post", hook)

    def register_prehook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(grad_outputs)` before this node runs; it may return replacements."""
        return hooks.of(self).add("pre", hook)


def record(
    row: Row, args: Sequence[Any], results: Sequence[Any], is_written: bool = True
) -> Node | None:
    """Make the node of one call of `row`, if one of its inputs needs a gradient, and put it behind
    the call's results (whose values may be still to be written)."""
    if row.first_alone:  # what follows does the same, in twice the time
        only = args[0]
        if not isinstance(only, Tensor) or not only._requires_grad:
            return None
        return connect(row, 1, (only._edge or leaf_edge(only),), args, results, is_written)
    edges: list[Edge | None] = []
    needs = 0  # one bit for each input
    bit = 1
    for tensor in args if row.every else args[0] if row.variadic else [args[i] for i in row.inputs]:
        if isinstance(tensor, Tensor) and tensor._requires_grad:
            edges.append(tensor._edge or leaf_edge(tensor))
            needs |= bit
        else:
            edges.append(None)
        bit <<= 1
    return connect(row, needs, tuple(edges), args, results, is_written) if needs else None


def connect(
    row: Row,
    needs: int,
    edges: tuple[Edge | None, ...],
    args: Sequence[Any],
    results: Sequence[Any],
    is_written: bool = True,
) -> Node:
    """Make a node with these edges, and put it behind the results."""
    plan = row.plans.get(needs) or row.plan(needs, len(edges))
    node: Any = row.node_class()
    node.plan = plan
    node.edges, node.sequence_nr = edges, next_sequence_nr()
    node.saved = plan.save(args, results) if plan.saves else ()
    node.hooks = node.notes = None
    first = results[0]
    array = first._array
    node.shape = array.shape
    node.dtype = dtype = array.dtype
    node.other_outputs = attach_others(node, results) if len(results) > 1 else ()
    if dtype.kind == "f":
        first._edge, first._requires_grad = (node, 0), True
    if anomaly.enabled:
        anomaly.note(node, row, args, results, is_written)
    if packing is not None and is_written:
        packing(node)
    return node


def attach_others(node: Node, results: Sequence[Any]) -> list[Output]:
    """Put a node behind all results but the first."""
    outputs: list[Output] = []
    for output_nr, result in enumerate(results[1:], 1):
        array = result._array
        outputs.append((array.shape, array.dtype))
        if array.dtype.kind == "f":
            result._edge, result._requires_grad = (node, output_nr), True
    while outputs and outputs[-1][1].kind != "f":
        outputs.pop()  # no gradient comes for integers, and hooks do not hear of them
    return outputs


def save(value: Any) -> Saved:
    """A value with the version that it has now, if it is a Tensor."""
    if not isinstance(value, Tensor):
        return value, None
    counter = value._version_counter
    if counter is None:
        raise RuntimeError(anomaly.INFERENCE)
    return value, counter[0]


def gradient_edge(value: Any) -> Edge | None:
    """Where the gradient of an op's input goes; None if it needs none."""
    if not isinstance(value, Tensor) or not value._requires_grad:
        return None
    return value._edge or leaf_edge(value)


def place(edge: Edge) -> Output:
    """The shape and dtype of the value that an edge's gradient belongs to."""
    target, output_nr = edge
    if output_nr is None:
        array = target._array
        return array.shape, array.dtype
    return target.outputs[output_nr]  # type: ignore[no-any-return]


def leaf_edge(leaf: Any) -> Edge | None:
    """Into the leaf's `.grad`; nowhere, if it is a view that was made while nothing was recorded."""
    return (leaf, None) if leaf._view is None or leaf._view.kind is None else None


def wrap(array: Any) -> Any:
    """A Tensor around an array (or a NumPy scalar); it is not a part of any graph."""
    tensor = new(Tensor)
    tensor._array = array if type(array) is ndarray else gpu.as_array(array)
    tensor._requires_grad = False
    tensor._edge = tensor._grad = tensor._view = tensor._saved_output_nr = tensor.hooks = None
    tensor._version_counter = [0]
    return tensor


def unwrap(value: Any) -> Any:
    """The array of a Tensor, also inside a list; anything else as it is."""
    if isinstance(value, Tensor):
        return value._array
    return [unwrap(v) for v in value] if isinstance(value, list) else value


def refresh(*tensors: Any) -> None:
    """A view whose base was changed in place gets its new history before it is used."""
    for tensor in tensors:
        if tensor is not None and tensor._view is not None:
            tensor._refresh_view()
