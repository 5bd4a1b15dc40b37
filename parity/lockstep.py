"""minigrad's run of a program, each event held against PyTorch's.

Two passes, since they answer different questions:

- *per step*: after each event minigrad's tensors are given PyTorch's values, in the backward pass
  before and after each node. So each operation, gradient and update starts from PyTorch's own
  inputs, and its distance is its own error alone. This is the verdict: within 4 ULPs, text, graph
  and random draws equal.
- *along the run*: minigrad runs freely. Now errors add up, and the distance of the parameters is
  how far the two trajectories have drifted. Text, graph and draws must be equal here too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from .callers import MASKS
from .compare import distance
from .differences import Difference, as_torch, epoch_of, shown, structures, worst_pair
from .program import Program
from .record import Arrays, Event, Recorder, Side

LIMIT = 4.0  # ULPs
_CURVES = 8  # so many parameters' paths are kept for the page


class Parted(BaseException):
    """The two runs do different things: from here on there is nothing to compare."""


@dataclass
class Curves:
    """What is drawn for a suite: a point per training step."""

    loss: list[tuple[float, float]] = field(default_factory=list)  # ours, theirs
    parameters: list[tuple[list[float], list[float]]] = field(default_factory=list)
    drift: list[float] = field(default_factory=list)


@dataclass
class Pass:
    """What one pass has found."""

    steps: int = 0
    events: int = 0
    values: int = 0
    bit_equal: int = 0
    largest: float = 0.0  # in ULPs
    largest_product: float = 0.0  # in units of the terms' rounding (units.py)
    lines: int = 0
    lines_equal: int = 0
    nodes: int = 0
    graph_equal: bool = True
    draws: int = 0
    draws_equal: bool = True
    drift: float = 0.0  # of the parameters, at the last step
    difference: Difference | None = None
    ended: str = ""  # the exception that ended both runs
    curves: Curves = field(default_factory=Curves)


class Comparison:
    """The sink of minigrad's run: takes each event together with PyTorch's next one."""

    def __init__(
        self, expected: Iterator[Event], forced: bool, progress: Callable[[], None] = lambda: None
    ) -> None:
        self.forced = forced
        self.found = Pass()
        self._expected = expected
        self._progress = progress
        self._optimized = False  # an optimizer has stepped

    def __call__(self, event: Event, units: Arrays = ()) -> Arrays | None:
        theirs = next(self._expected, _NOTHING)
        self._progress()
        self.found.events += 1
        self._structure(event, theirs)
        self._count(event)
        differs = self._values(event, theirs, units)
        self._curve(event, theirs)
        return theirs.arrays if self.forced and differs else None

    # What must be equal -------------------------------------------------------------------------

    def _structure(self, ours: Event, theirs: Event) -> None:
        if ours.kind in ("line", "warning", "error"):
            ours = ours._replace(text=as_torch(ours.text))
        if ours.kind == theirs.kind == "line":
            self._line(ours, theirs)
        elif ours[:4] != theirs[:4]:
            self._structure_differs(ours, theirs)

    def _structure_differs(self, ours: Event, theirs: Event) -> None:
        if ours.kind == "error" != theirs.kind:
            ours, what = ours._replace(name=f"{theirs.name}: {ours.name}"), "an exception"
        elif ours.kind != theirs.kind or ours.name != theirs.name:
            what = "another operation"
        elif ours.place != theirs.place:
            what = "another line of the program"
        elif ours.kind == "draw" and ours.text[0] == theirs.text[0]:
            self._draw_differs(ours, theirs)
        else:
            what = _STRUCTURE.get(ours.kind, "structure")
        if ours.kind in ("draw", "batch", "end"):
            self.found.draws_equal = False
        if what in ("graph, type or shape", "gradient's type or shape", "graph"):
            self.found.graph_equal = False
        self._part(what, ours, *structures(ours, theirs))

    def _draw_differs(self, ours: Event, theirs: Event) -> None:
        """The generator is in another state: the numbers say more than that, if they differ."""
        self.found.draws_equal = False
        pairs = zip(ours.arrays, theirs.arrays, strict=True)
        for mine, yours in pairs:
            if distance(mine, yours).ulps:  # type: ignore[arg-type]
                self._part("random draw", ours, *worst_pair(mine, yours))
        self._part("the generator's state", ours, *structures(ours, theirs))

    def _line(self, ours: Event, theirs: Event) -> None:
        self.found.lines += 1
        if ours.text == theirs.text:
            self.found.lines_equal += 1
        else:
            self._note("printed line", ours, repr(ours.text), repr(theirs.text))

    # What must be close -------------------------------------------------------------------------

    def _values(self, ours: Event, theirs: Event, units: Arrays) -> bool:
        """Measure each array; whether any was not bit-equal."""
        differs = False
        found = self.found
        for number, (mine, yours) in enumerate(zip(ours.arrays, theirs.arrays, strict=True)):
            if mine is None or yours is None:
                if mine is not yours:
                    self._part("a gradient", ours, shown(mine), shown(yours))
                continue
            unit = units[number] if number < len(units) else None
            result = distance(mine, yours, unit)
            found.values += result.values
            found.bit_equal += result.bit_equal
            if result.bit_equal == result.values:
                continue
            differs = True
            if unit is None:
                found.largest = max(found.largest, result.ulps)
            else:
                found.largest_product = max(found.largest_product, result.ulps)
            if ours.kind == "draw" and ours.name not in MASKS:
                found.draws_equal = False
                self._note("random draw", ours, *worst_pair(mine, yours))
            elif self.forced and not result.ulps <= LIMIT:
                what = f"{result.ulps:.4g} {'ULPs' if unit is None else 'units of rounding'}"
                self._note(what, ours, *worst_pair(mine, yours))
        return differs

    # What is counted ----------------------------------------------------------------------------

    def _count(self, event: Event) -> None:
        found = self.found
        if event.kind == "draw":
            found.draws += 1
        elif event.kind == "graph":
            found.steps += 1
        elif event.kind == "error":
            found.ended = f"{event.name}: {event.text}"
        if event.kind == "edge" and event.name.endswith("grad_inputs"):
            found.nodes += 1

    def _curve(self, ours: Event, theirs: Event) -> None:
        curves = self.found.curves
        if ours.kind == "graph" and ours.arrays and ours.arrays[0].size == 1:  # type: ignore[union-attr]
            curves.loss.append((float(ours.arrays[0].item()), float(theirs.arrays[0].item())))  # type: ignore[union-attr]
        elif ours.kind == "step" or (ours.kind == "leaf" and not self._optimized):
            if ours.kind == "step" and not self._optimized:  # the optimizer's order from now on
                self._optimized, curves.parameters, curves.drift = True, [], []
            mine, yours = _parameters(ours), _parameters(theirs)
            apart = [distance(a, b).ulps for a, b in zip(mine, yours, strict=True)]
            self.found.drift = max(apart, default=0.0)
            curves.drift.append(self.found.drift)
            curves.parameters.append((_first_values(mine), _first_values(yours)))

    # Differences --------------------------------------------------------------------------------

    def _note(self, what: str, event: Event, ours: str, theirs: str) -> None:
        if self.found.difference is None:
            file, line = event.place
            self.found.difference = Difference(
                what, self.found.steps, epoch_of(file), file, line,
                f"{event.name}" if event.kind != "edge" else f"backward of {event.name}",
                ours, theirs,
            )  # fmt: skip

    def _part(self, what: str, event: Event, ours: str, theirs: str) -> Any:
        self._note(what, event, ours, theirs)
        raise Parted


# What is held against an event after PyTorch's last one: never the same.
_NOTHING = Event("nothing", "PyTorch's run has ended", ("", 0))
_STRUCTURE = {
    "op": "graph, type or shape", "draw": "random state or shape", "batch": "batch",
    "graph": "graph", "edge": "gradient's type or shape", "leaf": "leaves", "warning": "warning",
    "step": "optimizer's state", "error": "error's text", "end": "random state",
}  # fmt: skip


def compare_run(
    side: Side, program: Program, expected: Iterator[Event], forced: bool,
    progress: Callable[[], None] = lambda: None,
) -> Pass:  # fmt: skip
    """One pass of `program` on `side`, compared with the events `expected`."""
    comparison = Comparison(expected, forced, progress)
    with suppress(Parted):
        Recorder(side, comparison).run(program)
    return comparison.found


@dataclass
class Result:
    """Both passes of one program."""

    name: str
    stepwise: Pass
    free: Pass | None  # None where the first pass has already parted

    @property
    def difference(self) -> Difference | None:
        """The first difference, of the pass that locates it best."""
        return self.stepwise.difference or (self.free.difference if self.free else None)

    @property
    def passed(self) -> bool:
        """The verdict."""
        return self.difference is None


def compare_program(
    program: Program, side: Side, events: Callable[[], Iterator[Event]],
    progress: Callable[[], None] = lambda: None,
) -> Result:  # fmt: skip
    """Both passes; the free one is of no use after another operation or another graph."""
    stepwise = compare_run(side, program, events(), True, progress)
    whole = stepwise.difference is None
    free = compare_run(side, program, events(), False, progress) if whole else None
    return Result(program.name, stepwise, free)


def _parameters(event: Event) -> list[Any]:
    """A leaf event alternates value and gradient; in a step's, the states follow."""
    leaf = event.kind == "leaf"
    arrays = event.arrays[::2] if leaf else event.arrays[: len(event.text[0])]
    return [array for array in arrays if array is not None]


def _first_values(arrays: list[Any]) -> list[float]:
    flat: list[float] = []
    for array in arrays:
        flat += [float(value) for value in array.reshape(-1)[: _CURVES - len(flat)]]
    return flat
