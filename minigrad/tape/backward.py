"""A backward pass that writes down each of its steps. It computes what `engine._Pass` does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from ..autograd import anomaly
from ..autograd import node as graph
from ..autograd.engine import Gradient, _Pass, fit_array
from ..autograd.node import Edge, Node, place
from .events import (
    Accumulate,
    Delivery,
    Formula,
    PassEnd,
    PassStart,
    Run,
    Waiting,
    value_of,
)  # fmt: skip
from .formulas import applied, formula_text
from .mathematics import mathematics
from .recorder import Recorder, input_names, op_name

READY = 50  # so many nodes of the ready queue are listed


class RecordedPass(_Pass):
    """Overrides the three moments that a tape shows: the order, handing on, and arriving."""

    recorder: Recorder
    start: int  # the step at which the pass began
    order: list[Node]

    def run(self, roots: Sequence[Edge], gradients: Sequence[Gradient]) -> dict[Edge, Gradient]:
        self.recorder, self.start = anomaly.tape, 0
        self.by_edges: dict[int, Node] = {}
        self.expected: Counter[Any] = Counter()
        self.ready: set[Node] = set()
        error = None
        self.recorder.depth += 1
        try:
            return super().run(roots, gradients)
        except BaseException as raised:
            error = str(raised)
            raise
        finally:
            self.recorder.depth -= 1
            self.recorder.add(PassEnd, backward=self.start, error=error)

    def schedule(self, roots: Sequence[Edge]) -> list[Node]:
        order = super().schedule(roots)
        self.by_edges = {id(node.edges): node for node in order}
        for edges in [roots, *[node.edges for node in order]]:
            self.expected.update(edge[0] for edge in edges if edge is not None)
        return order

    def hand_on(
        self,
        edges: Sequence[Edge | None],
        gradients: Sequence[Gradient],
        outputs: Sequence[Gradient],
    ) -> None:
        if not self.start:
            names = [f"root {i}" for i in range(len(edges))]
            event = self.recorder.add(
                PassStart, roots=[], keep_graph=self.keep_graph, create_graph=self.on_tensors,
                only_inputs=self.wanted is not None, waiting=self.waiting(self.expected), ready=[],
            )  # fmt: skip
            self.start, deliveries = event.step, event.roots
        else:
            node = self.by_edges[id(edges)]
            names, event = input_names(node), self.ran(node, outputs)
            deliveries = event.deliveries
        for name, edge, gradient in zip(names, edges, gradients):  # noqa: B905
            if edge is not None:
                self.deliver(name, edge, gradient, deliveries)
                super().hand_on([edge], [gradient], outputs)
        event.ready = self.ready_now()
        if isinstance(event, Run):
            event.waiting = self.waiting([edge[0] for edge in edges if edge is not None])

    def ran(self, node: Node, outputs: Sequence[Gradient]) -> Any:
        recorder = self.recorder
        self.ready.discard(node)
        info = recorder.tape.nodes[recorder.node(node) - 1]
        event = recorder.add(
            Run, backward=self.start, node=info.id, incoming=[value_of(g) for g in outputs],
            formulas=formulas(recorder, node, info), deliveries=[], freed=[], waiting=[], ready=[],
        )  # fmt: skip
        info.ran.append(event.step)
        if not self.keep_graph and info.saved_freed is None and is_released(node):
            info.saved_freed = event.step
            event.freed = [s.name for s in info.saved if s.version is not None]
        return event

    def deliver(self, name: str, edge: Edge, gradient: Gradient, into: list[Delivery]) -> None:
        """Note one gradient on its way, and what it will be added to."""
        info = self.recorder.edge(name, edge)
        target, output_nr = edge
        self.expected[target] -= 1
        if output_nr is not None and not self.expected[target]:
            self.ready.add(target)
        value = total = unsummed = None
        summed = False
        before = self.sums.get(edge if output_nr else target)
        if gradient is not None:
            fitted = fit_array(bare(gradient), *place(edge))
            value = total = value_of(fitted)
            summed = gradient.shape != fitted.shape
            unsummed = value_of(bare(gradient)) if summed else None
            if before is not None:
                total = value_of(bare(before) + fitted)
        added = before is not None and gradient is not None
        into.append(
            Delivery(name, info.to, info.id, info.output_nr, value, summed, added, total, unsummed)
        )

    def arrive(self, leaf: Any, gradient: Gradient) -> None:
        """Note what AccumulateGrad does, unless the pass only looks for wanted gradients."""
        recorder = self.recorder
        passed_by = self.wanted is not None and (leaf, None) not in self.wanted
        if passed_by or not self.into_leaves:
            super().arrive(leaf, gradient)
            return
        before, outer, recorder.accumulating = value_of(leaf._grad), recorder.accumulating, leaf
        try:
            super().arrive(leaf, gradient)
        finally:
            recorder.accumulating = outer
        recorder.note_gradient(leaf)
        recorder.add(
            Accumulate, backward=self.start, tensor=recorder.tensor(leaf), before=before,
            gradient=value_of(gradient), after=value_of(leaf._grad),
        )  # fmt: skip

    def waiting(self, targets: Any) -> list[Waiting]:
        found = []
        for target in dict.fromkeys(targets):
            is_leaf = isinstance(target, graph.Tensor)
            number = self.recorder.tensor(target) if is_leaf else self.recorder.node(target)
            found.append(Waiting("leaf" if is_leaf else "node", number, self.expected[target]))
        return found

    def ready_now(self) -> list[int]:
        """The ready queue: the node with the highest sequence number is the next to run."""
        queue = sorted(self.ready, key=lambda node: node.sequence_nr, reverse=True)
        return [self.recorder.node(node) for node in queue[:READY]]


def bare(gradient: Gradient) -> Any:
    return getattr(gradient, "_array", gradient)


def is_released(node: Any) -> bool:
    """Whether a second backward pass through this node would raise."""
    return node.saved is None or getattr(node, "_freed", False)


def formulas(recorder: Recorder, node: Any, info: Any) -> list[Formula]:
    """The formulas that ran, as text: in the row's names, and in the user's."""
    plan, inputs = getattr(node, "plan", None), input_names(node)
    if plan is None:
        text = f"{op_name(None, node)}.backward(grad)"
        return [Formula(", ".join(inputs), text, text)]
    names: dict[str, str] = {}
    for saved in info.saved:
        label = recorder.tape.label(saved.tensor) if saved.tensor else saved.text
        names.setdefault(saved.name, label)
    found = []
    for index, formula, _ in plan.formulas:
        text = formula_text(formula)
        input = "tensors" if plan.variadic else inputs[index]
        written = mathematics(info, input, recorder.tape)
        found.append(Formula(input, text, applied(text, names), written))
    return found
