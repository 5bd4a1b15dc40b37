"""`minigrad.explain(t)`: a paragraph about one tensor, and why its `.grad` is what it is.

Much is read off the tensor itself. What only the past can tell (at which line it was detached,
which backward pass missed it) comes from the newest tape, if the tensor is on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import gpu
from ..autograd import node as graph
from ..autograd.inplace import history_is_lost
from . import Tape, latest
from .names import user_tensors

NOT_RECORDED = (
    "It was made from values, by an operation of which no input requires a gradient, under "
    "no_grad, or by detach(): run the program inside autograd.graph.record() to be told which."
)
NOT_ON_TAPE = (
    "It was there before the tape began, or a function of the library made it: the tape does not "
    "tell how."
)
FROZEN = "It is a Parameter, made with requires_grad=False or set so since."
NOWHERE = (
    "Its .grad stays None: it is a view that was made while nothing was recorded, so no gradient "
    "goes through it."
)
CUTS = {
    "no_grad": "ran under no_grad",
    "inference mode": "ran in inference mode",
    "not differentiable": "has no gradient",
}
WHY = {
    "no_grad": "under no_grad, where nothing is recorded in the graph",
    "inference mode": "in inference mode, where nothing is recorded in the graph",
    "not differentiable": "which has no gradient",
    "no input requires grad": "and no input of it required a gradient",
}


class Explanation(str):
    """Text that an interactive session shows as it is."""

    def __repr__(self) -> str:
        return str(self)


def explain(tensor: Any) -> Explanation:
    """Tell about a tensor: leaf or not and why, whether a gradient will arrive and if not why not,
    what shares its memory, and how often it was changed in place.

    Inside (or after) `with autograd.graph.record() as tape` the text names the lines of the
    program. Raises TypeError for what is no Tensor."""
    if not isinstance(tensor, graph.Tensor):
        raise TypeError(f"explain: expected a Tensor, but got {type(tensor).__name__}")
    names: dict[int, tuple[str, Any]] = {}
    for name, held in user_tensors():
        names.setdefault(id(held), (name, held))
    tape = latest()
    story = _Story(tensor, names, tape if tape is not None and tape.id_of(tensor) else None)
    return Explanation(" ".join(story.sentences()))


class _Story:
    """The sentences about one tensor. `names`: by id(), the user's variables and what they hold."""

    def __init__(self, tensor: Any, names: dict[int, tuple[str, Any]], tape: Tape | None) -> None:
        self.tensor, self.names, self.tape = tensor, names, tape
        self.lost = history_is_lost(tensor)
        self.needs = bool(tensor.requires_grad)  # brings the history of a view up to date
        self.node: Any = None if tensor._edge is None else tensor._edge[0]

    def sentences(self) -> Iterator[str]:
        tensor = self.tensor
        name = self.names[id(tensor)][0] if id(tensor) in self.names else "This"
        array = tensor._array
        yield f"{name} is a tensor of shape {list(array.shape)} and dtype {array.dtype}."
        yield from self.place()
        yield from self.gradient()
        yield from self.memory()
        yield from self.versions()

    # --- its place in the graph ---

    def place(self) -> Iterator[str]:
        if self.lost:
            yield (
                "It is a view whose memory was overwritten since, without a record of how: "
                "its place in the graph is lost."
            )
        elif self.node is not None:
            yield f"It is not a leaf: {self.node.name()} is the node of what {self.origin()}."
        elif self.needs:
            yield f"It is a leaf: no recorded operation made it, and requires_grad is set{self.made()}."
        else:
            yield f"It is a leaf that requires no gradient. {self.why_constant()}"

    def origin(self) -> str:
        """What the node behind this tensor comes from: what made it, or what changed it last."""
        event = self.event()
        if self.tape is None or event is None or event.kind != "op":
            return f"made it{self.made()}"
        number = self.tape.id_of(self.node)
        if event.node == number:
            return f"made it{self.made()}"
        changes = [e for e in self.tape.of_kind("op") if e.node == number and e.in_place]
        line = f"at {_line(changes[-1])}" if changes else "through what shares its memory"
        return f"changed it last, {line}; it was made at {_line(event)}"

    def event(self) -> Any:
        """The event on the tape that made this tensor."""
        if self.tape is None:
            return None
        number = self.tape.id_of(self.tensor)
        made: list[Any] = [
            *[e for e in self.tape.of_kind("created") if e.tensor == number],
            *[e for e in self.tape.of_kind("op") if number in e.outputs and not e.in_place],
        ]
        return made[0] if made else None

    def made(self) -> str:
        event = self.event()
        if event is None and self.node is not None:
            line = self.node.metadata.get("made_at")
            return f", at {_at(line.filename, line.lineno, line.line)}" if line else ""
        return "" if event is None else f", at {_line(event)}"

    def why_constant(self) -> str:
        event = self.event()
        if self.tensor._array.dtype.kind != "f":
            made = "" if event is None else f" It was made at {_line(event)}."
            return f"Only floating-point numbers can have gradients.{made}"
        if event is None:
            return self.why_unknown()
        if event.kind == "op":
            return f"It was made by {event.op} at {_line(event)} {WHY.get(event.recorded, '')}."
        if event.of is None:
            return f"It was made from values at {_line(event)}, without requires_grad=True."
        source = self.tape.label(event.of) if self.tape is not None else ""
        verb = "was detached from" if event.how == "detach" else "is the data of"
        return f"It {verb} {source} at {_line(event)}: gradients do not pass."

    def why_unknown(self) -> str:
        """For a constant whose making is not on the tape."""
        if self.tensor.is_inference():
            return "It was made in inference mode, where nothing is recorded in the graph."
        if type(self.tensor).__name__ == "Parameter":
            return FROZEN
        if self.tape is None:
            return NOT_RECORDED
        info = self.tape.tensors[(self.tape.id_of(self.tensor) or 0) - 1]
        if info.how == "gradient" and info.of is not None:
            return f"It is the gradient of {self.tape.label(info.of)}."
        return NOT_ON_TAPE

    # --- its gradient ---

    def gradient(self) -> Iterator[str]:
        if self.needs and self.node is None and graph.leaf_edge(self.tensor) is None:
            yield NOWHERE
        elif not self.needs:
            yield "No gradient will arrive: backward() does not look for one here."
        elif self.node is not None:
            yield from self.passing_gradient()
            yield from self.freed()
        elif self.tensor._grad is not None:
            yield f"Its .grad has the sum of what backward passes brought{self.arrivals()}."
        else:
            yield f"Its .grad is None{self.why_none()}."

    def passing_gradient(self) -> Iterator[str]:
        if self.tensor.retains_grad:
            state = "is None as yet" if self.tensor._grad is None else "holds it"
            yield f"retain_grad() was called, so a backward pass keeps its gradient; .grad {state}."
        else:
            yield (
                "A backward pass sends its gradient on, but does not keep it in .grad, since this "
                "is no leaf: call retain_grad() before backward() to see it."
            )

    def freed(self) -> Iterator[str]:
        """Whether a backward pass has used up a node behind this tensor."""
        pending, seen = [self.node], set()
        while pending:
            node = pending.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            if node.saved is None or getattr(node, "_freed", False):
                yield (
                    f"The graph behind it was freed{self.freed_by(node)}: another backward pass "
                    "raises (retain_graph=True would have kept it)."
                )
                return
            pending += [e[0] for e in node.edges if e is not None and e[1] is not None]

    def freed_by(self, node: Any) -> str:
        number = None if self.tape is None else self.tape.id_of(node)
        if self.tape is None or number is None:
            return " by a backward pass"
        step = self.tape.nodes[number - 1].saved_freed
        return " by a backward pass" if not step else f" at {_line(self.tape.events[step - 1])}"

    def passes(self) -> tuple[list[Any], list[Any]]:
        """The backward passes on the tape, and the arrivals of gradients at this leaf."""
        if self.tape is None:
            return [], []
        number = self.tape.id_of(self.tensor)
        arrivals = [e for e in self.tape.of_kind("accumulate") if e.tensor == number]
        failed = [e.backward for e in self.tape.of_kind("backward_end") if e.error is not None]
        return [e for e in self.tape.of_kind("backward") if e.step not in failed], arrivals

    def arrivals(self) -> str:
        _, arrivals = self.passes()
        lines = list(dict.fromkeys(_line(e) for e in arrivals))
        return f" ({len(arrivals)} on the tape, at {', '.join(lines)})" if lines else ""

    def why_none(self) -> str:
        passes, arrivals = self.passes()
        if self.tape is None:
            return (
                ": no backward pass has reached it, or it was reset since; the next one adds to it"
            )
        if not passes:
            return ": no backward pass has run since the tape records; one that reaches it sets it"
        number, last = self.tape.id_of(self.tensor), passes[-1]
        resets = [e for e in self.tape.of_kind("grad") if e.tensor == number]
        if arrivals and resets and resets[-1].step > arrivals[-1].step:
            return f": it was reset at {_line(resets[-1])}"
        if last.only_inputs:
            return f": the pass at {_line(last)} was for given inputs only, and not for this one"
        missed = f": the backward pass at {_line(last)} did not reach it, "
        cut = None if number is None else _cut(self.tape, number, last)
        if cut is None:
            return missed + "as what it began from does not depend on it"
        if cut.kind == "created":
            return missed + f"as the way from it was cut by {cut.how} at {_line(cut)}"
        return missed + f"as {cut.op} at {_line(cut)}, on the way from it, {CUTS[cut.recorded]}"

    # --- its memory ---

    def memory(self) -> Iterator[str]:
        tensor = self.tensor
        base = None if tensor._view is None else tensor._view.base
        if base is not None:
            name = self.names[id(base)][0] if id(base) in self.names else "a tensor without a name"
            yield f"It is a view of {name}."
        others = [
            name
            for name, other in self.names.values()
            if other is not tensor and other is not base and _overlap(other._array, tensor._array)
        ]
        if others:
            yield f"Its memory is shared by {', '.join(others)}: a change of one shows in all."

    def versions(self) -> Iterator[str]:
        counter = self.tensor._version_counter
        if counter is None:
            yield "It is an inference tensor, whose changes are not counted."
        elif counter[0]:
            times = "once" if counter[0] == 1 else f"{counter[0]} times"
            yield f"Its memory was changed in place {times} (version {counter[0]})."
            for version, line in counter[1:]:
                yield f"Version {version}: {_at(line.filename, line.lineno, line.line)}."


def _cut(tape: Tape, leaf: int, last: Any) -> Any:
    """The event at which what was computed from a leaf left the graph, on its way to the roots of
    a backward pass; None if no such way is on the tape.

    What follows from the leaf is found by going forward, what led to the roots by going back."""
    roots = [root.id for root in last.roots if root.to == "node"]
    steps = [
        (_sources(event), {*event.outputs} if event.kind == "op" else {event.tensor}, event)
        for event in (*tape.of_kind("op"), *tape.of_kind("created"))
        if event.step < last.step
    ]
    steps.sort(key=lambda step: step[2].step)
    after: set[int] = {leaf}
    before: set[int] = set()
    for sources, results, _ in steps:
        after |= results if after & sources else set()
    for sources, results, event in reversed(steps):
        led = before & results or (event.kind == "op" and event.node in roots)
        before |= sources | results if led else set()
    for sources, results, event in steps:
        from_graph = [s for s in after & sources if s == leaf or tape.tensors[s - 1].requires_grad]
        if from_graph and before & results and (event.kind == "created" or event.recorded in CUTS):
            return event
    return None


def _sources(event: Any) -> set[int]:
    """The tensors from which an operation, or an alias, was made."""
    tensors = [a.tensor for a in event.inputs] if event.kind == "op" else [event.of]
    return {tensor for tensor in tensors if tensor is not None}


def _overlap(a: Any, b: Any) -> bool:
    """Whether two arrays show the same memory; of a GPU's, whether their addresses overlap."""
    if type(a) is not type(b) or not np.may_share_memory(a, b):
        return False
    return gpu.on_gpu(a) or bool(np.shares_memory(a, b))


def _line(event: Any) -> str:
    return _at(event.source.file, event.source.line, event.source.text)


def _at(file: str, line: int, text: str | None) -> str:
    """`script.py:12` and the line's text."""
    short = file.replace("\\", "/").rpartition("/")[2]
    return f"{short}:{line}" + (f" ({text.strip()})" if text else "")
