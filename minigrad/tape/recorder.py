"""The listener behind `graph.record()`: turns what happens into events of a tape.

`anomaly.tape` holds it while it records; ops, in-place changes, optimizers and the backward pass
(`backward.py`) call its `on_...` methods. It refers to tensors and nodes weakly, so that a
tape keeps no memory of the program alive; values are bounded copies.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ..autograd import anomaly
from ..autograd import node as graph
from ..autograd.grad_mode import is_inference_mode_enabled, is_recording
from .events import (
    Argument,
    Change,
    Created,
    EdgeInfo,
    GradSet,
    NodeInfo,
    Op,
    Saved,
    Source,
    Step,
    TensorInfo,
    Write,
    plain,
    value_of,
)  # fmt: skip
from .names import find_names

TEXT = 40  # characters of an argument that is no tensor


class Recorder:
    """Knows which number a tensor or node has on the tape, and writes the events."""

    def __init__(self, tape: Any) -> None:
        self.tape = tape
        self.known: dict[int, tuple[Any, int]] = {}  # by id(): a weak reference, the number
        self.unnamed: dict[int, TensorInfo] = {}
        self.with_grad: set[int] = set()  # numbers of tensors whose `.grad` is not None
        self.depth = 0  # backward passes that are running
        self.stepping: Any = None  # the optimizer whose step is running
        self.step_line: Any = None
        self.accumulating: Any = None  # the leaf whose `.grad` the engine is writing

    # --- numbers ---

    def number(self, thing: Any) -> int | None:
        """The number of a tensor or node that is on the tape already."""
        found = self.known.get(id(thing))
        return None if found is None else found[1]

    def remember(self, thing: Any, info: TensorInfo | NodeInfo) -> None:
        key = id(thing)
        gone = partial(_gone, weakref.ref(self), key, info)
        self.known[key] = (weakref.ref(thing, gone), info.id)

    def tensor(self, tensor: Any, how: str = "given", of: int | None = None) -> int:
        """The number of a tensor, which is put on the tape if it is new."""
        number = self.number(tensor)
        if number is not None:
            return number
        edge, value = tensor._edge, value_of(tensor)
        assert value is not None
        info = TensorInfo(
            len(self.tape.tensors) + 1, how, value, tensor._requires_grad, edge is None,
            len(self.tape.events), None if how == "given" else self.source(),
            version_of(tensor),
            node=None if edge is None else self.number(edge[0]),
            output_nr=0 if edge is None else edge[1], of=of,
        )  # fmt: skip
        self.tape.tensors.append(info)
        self.remember(tensor, info)
        self.unnamed[id(tensor)] = info
        if tensor._grad is not None:
            self.with_grad.add(info.id)
        if tensor._view is not None:
            info.shares = self.tensor(tensor._view.base)
        return info.id

    def node(self, node: Any, saved: Sequence[Saved] = ()) -> int:
        """The number of a node, which is put on the tape if it is new, after those behind it."""
        pending = [node]
        while pending:
            last = pending[-1]
            behind = [e[0] for e in last.edges if e is not None and e[1] is not None]
            unknown = [n for n in behind if self.number(n) is None]
            if self.number(last) is None and unknown:
                pending += unknown
                continue
            pending.pop()
            if self.number(last) is None:
                self.describe(last, saved if last is node else ())
        return self.known[id(node)][1]

    def describe(self, node: Any, saved: Sequence[Saved]) -> None:
        """Put a new node on the tape."""
        row = getattr(node, "row", None)
        edges = [
            None if edge is None else self.edge(name, edge)
            for name, edge in zip(input_names(node), node.edges, strict=True)
        ]
        made = node.metadata.get("made_at")
        if made is None and getattr(node, "operation", None) is not None:
            made = node.operation.metadata.get("made_at")  # that of a write through a view
        info = NodeInfo(
            len(self.tape.nodes) + 1, node.name(), op_name(row, node), node.sequence_nr, edges,
            list(saved), len(self.tape.events), self.source(made) if made else None,
        )  # fmt: skip
        self.tape.nodes.append(info)
        self.remember(node, info)

    def edge(self, name: str, edge: Any) -> EdgeInfo:
        target, output_nr = edge
        if output_nr is None:
            return EdgeInfo(name, "leaf", self.tensor(target), 0)
        return EdgeInfo(name, "node", self.node(target), output_nr)

    # --- events ---

    def source(self, line: Any = None) -> Source:
        line = line or anomaly.here()
        return Source(line.filename, line.lineno, line.name, line.line or "")

    def add(self, kind: Callable[..., Any], **fields: Any) -> Any:
        """Write an event at the user's line that is running."""
        self.find_names()
        source, step = self.source(), len(self.tape.events) + 1
        event = kind(step=step, source=source, in_backward=self.depth > 0, **fields)
        self.tape.events.append(event)
        return event

    def find_names(self) -> None:
        if not self.unnamed:
            return
        for info, name in find_names(self.unnamed):
            info.name = info.name or name
        self.unnamed = {key: info for key, info in self.unnamed.items() if info.name is None}

    def is_inside_step(self) -> bool:
        """Whether an optimizer's own arithmetic is running (not the closure it was given)."""
        if self.stepping is None:
            return False
        line = anomaly.here()
        return (line.filename, line.lineno) == self.step_line

    def on_op(
        self, node: Any, row: Any, args: Sequence[Any], results: Sequence[Any], is_written: bool
    ) -> None:
        """An op was called; `node` is None if it left none."""
        if self.is_inside_step():
            return
        self.find_names()
        if not is_written:  # the first argument stands for the tensor as it was
            args = [results[0], *args[1:]]
        inputs = list(self.arguments(row, args))
        recorded = node is not None and len(node.edges) > 0
        number = self.node(node, self.saved(node, results)) if recorded else None
        tensors = [t for t in results if isinstance(t, graph.Tensor)]
        outputs = [self.tensor(t, "op") for t in tensors]
        for t, output in zip(tensors, outputs, strict=True):
            info = self.tape.tensors[output - 1]
            if t._edge is not None and t._edge[0] is node:
                info.node, info.output_nr, info.is_leaf = number, t._edge[1], False
                info.requires_grad = True
        self.add(
            Op, op=op_name(row, node), inputs=inputs, outputs=outputs, node=number,
            values=[value_of(t) if is_written else None for t in tensors],
            recorded="recorded" if recorded else why_not(row), in_place=not is_written,
        )  # fmt: skip

    def arguments(self, row: Any, args: Sequence[Any]) -> Any:
        for i, arg in enumerate(args):
            name = row.parameters[i] if row is not None else f"input {i}"
            if isinstance(arg, list) and any(isinstance(a, graph.Tensor) for a in arg):
                for j, item in enumerate(arg):
                    if item is not None:
                        yield Argument(f"{name}[{j}]", self.tensor(item), "")
            elif isinstance(arg, graph.Tensor):
                yield Argument(name, self.tensor(arg), "")
            else:
                yield Argument(name, None, repr(arg)[:TEXT])

    def saved(self, node: Any, results: Sequence[Any]) -> Any:
        """What a new node keeps, with the names that its formulas have for it."""
        plan = getattr(node, "plan", None)
        names = plan.saved_names if plan is not None else ()
        for i, (value, version) in enumerate(node.saved or ()):
            name = names[min(i, len(names) - 1)] if names else f"saved {i}"
            if not isinstance(value, graph.Tensor):
                yield Saved(name, None, version, repr(value)[:TEXT])
            elif value._saved_output_nr is not None:
                yield Saved(name, self.tensor(results[value._saved_output_nr], "op"), version, "")
            else:
                yield Saved(name, self.tensor(value), version, "")

    def on_write(self, tensor: Any) -> None:
        """The version of a tensor went up."""
        own = self.accumulating is not None and tensor is self.accumulating._grad
        if own or self.is_inside_step():
            return
        number, version = self.tensor(tensor), tensor._version_counter[0]
        self.add(Write, tensor=number, version=version, value=value_of(tensor))

    def on_created(self, tensor: Any) -> None:
        if not self.is_inside_step():
            self.add(Created, how="created", tensor=self.tensor(tensor, "created"))

    def on_alias(self, source: Any, alias: Any, how: str) -> None:
        if self.is_inside_step():
            return
        of = self.tensor(source)
        number = self.tensor(alias, how, of)
        self.tape.tensors[number - 1].shares = of
        self.add(Created, how=how, tensor=number, of=of)

    def on_grad_set(self, tensors: Sequence[Any]) -> None:
        for tensor in tensors:
            number = self.tensor(tensor)
            if tensor._grad is None and number not in self.with_grad:
                continue  # there was none before
            self.note_gradient(tensor)
            self.add(GradSet, tensor=number, value=value_of(tensor._grad))

    def note_gradient(self, tensor: Any) -> None:
        """Know the tensor in `.grad` as the gradient of this one."""
        number = self.tensor(tensor)
        if tensor._grad is None:
            self.with_grad.discard(number)
        else:
            self.with_grad.add(number)
            self.tensor(tensor._grad, "gradient", number)

    def on_step(self, optimizer: Any, run: Callable[[], Any]) -> Any:
        """Run an optimizer's step and note what it did to each parameter."""
        self.find_names()
        line = anomaly.here()
        params = [p for group in optimizer.param_groups for p in group["params"]]
        before = [value_of(p) for p in params]
        self.stepping, self.step_line = optimizer, (line.filename, line.lineno)
        try:
            result = run()
        finally:
            self.stepping = None
        self.add(
            Step,
            optimizer=type(optimizer).__name__,
            options=options(optimizer.param_groups[0]),
            changes=[
                Change(self.tensor(p), old, value_of(p._grad), value_of(p), version_of(p))
                for p, old in zip(params, before, strict=True)
            ],
        )
        return result


def _gone(reference: Any, key: int, info: Any, _: Any) -> None:
    """A tensor or node on the tape was freed: note it, unless the tape is gone as well."""
    recorder = reference()
    if recorder is not None:
        recorder.known.pop(key, None)
        recorder.unnamed.pop(key, None)
        if anomaly.tape is recorder:
            info.freed = len(recorder.tape.events)


def version_of(tensor: Any) -> int | None:
    counter = tensor._version_counter
    return None if counter is None else counter[0]


def options(group: dict[str, Any]) -> dict[str, Any]:
    """The numbers among an optimizer's options."""
    return {k: plain(v) for k, v in group.items() if isinstance(v, int | float) and v is not False}


def op_name(row: Any, node: Any) -> str:
    if row is not None:
        return str(row.forward.__name__.strip("_"))
    function = getattr(node, "function", None)
    return function.__name__ if function is not None else str(node.name().rpartition("::")[2])


def input_names(node: Any) -> list[str]:
    """For each edge of a node, what the row calls that input."""
    row, count = getattr(node, "row", None), len(node.edges)
    if row is None:
        return ["base", *[f"input {i}" for i in range(1, count)]][:count]
    if row.variadic:
        return [f"tensors[{i}]" for i in range(count)]
    return [row.parameters[i] for i in row.inputs]


def why_not(row: Any) -> str:
    """Why an op was not recorded in the graph."""
    if is_inference_mode_enabled():
        return "inference mode"
    if not is_recording():
        return "no_grad"
    if row is not None and not row.formulas:
        return "not differentiable"
    return "no input requires grad"
