"""What a tape holds: tensors, nodes, and events in the order in which they happened.

Everything here is plain data that becomes JSON by `dataclasses.asdict`: a player in another
language needs nothing else. Tensors and nodes have numbers of their own (`id`, from 1 in order of
appearance), by which events refer to them; an event's `step` is its position on the tape.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

LIMIT = 64  # so many elements of a value are kept, the first ones
Number = float | int | bool | str  # "nan", "inf", "-inf" are text, since JSON has no such numbers


@dataclass(slots=True)
class Source:
    """A line of the user's program."""

    file: str
    line: int
    function: str
    text: str


@dataclass(slots=True)
class Value:
    """An array at one moment. `numbers`: its first elements, row by row; of a larger array also
    the least, the greatest and the mean."""

    shape: list[int]
    dtype: str
    numbers: list[Number]
    count: int
    low: Number | None = None
    high: Number | None = None
    mean: Number | None = None

    def __str__(self) -> str:
        if not self.shape:
            return short(self.numbers[0])
        shown = ", ".join(map(short, self.numbers[:6]))
        return f"[{shown}{', ...' if self.count > 6 else ''}]"


def short(number: Number) -> str:
    """A number in about six characters."""
    if isinstance(number, float):
        return "0" if number == 0 else f"{number:.4g}"
    return str(number)


def value_of(array: Any) -> Value | None:
    """The bounded copy of an array, a Tensor or None."""
    if array is None:
        return None
    array = getattr(array, "_array", array)
    array = array.get() if hasattr(array, "get") else np.asarray(array)
    first = array.ravel()[:LIMIT] if array.size <= 4096 else array[_corner(array.shape)].ravel()
    value = Value(
        list(array.shape), str(array.dtype), [plain(n) for n in first[:LIMIT].tolist()], array.size
    )
    if array.size > LIMIT:
        with np.errstate(all="ignore"):
            value.low, value.high, value.mean = (
                plain(f(array).item()) for f in (np.min, np.max, np.mean)
            )
    return value


def _corner(shape: Sequence[int]) -> tuple[Any, ...]:
    """An index of few elements, among them the first LIMIT, that spares copying a large array."""
    rows, index = 1, []
    for size in reversed(shape):
        index.append(slice(None, math.ceil(LIMIT / rows)))
        rows *= size
    return tuple(reversed(index))


def plain(number: Number) -> Number:
    """The number itself, or the text for what is not finite."""
    if isinstance(number, float) and not math.isfinite(number):
        return str(number)
    return number


# --- tensors and nodes ---------------------------------------------------------------------------


@dataclass(slots=True)
class TensorInfo:
    """One tensor. `name`: the user's variable, once it is found; `how` it came to be: "op",
    "created", "given" (it was there before), "detach", "data" or "gradient"; `of`: the tensor whose
    gradient it is, or that it was detached from; `shares`: the tensor whose memory it uses; `node`
    and `output_nr`: what made it, None for a leaf."""

    id: int
    how: str
    value: Value
    requires_grad: bool
    is_leaf: bool
    made: int
    source: Source | None
    version: int | None = 0
    name: str | None = None
    node: int | None = None
    output_nr: int = 0
    of: int | None = None
    shares: int | None = None
    freed: int | None = None  # the step at which nobody held it any more


@dataclass(slots=True)
class EdgeInfo:
    """Where the gradient of an input goes: to a node's output, or into a leaf."""

    input: str  # the input's name in the row
    to: str  # "node" or "leaf"
    id: int
    output_nr: int


@dataclass(slots=True)
class Saved:
    """What a node keeps for the backward pass."""

    name: str
    tensor: int | None
    version: int | None
    text: str  # for what is no tensor: a shape, a number


@dataclass(slots=True)
class NodeInfo:
    """One node of the graph. `name` is PyTorch's; `edges` are its `next_functions`."""

    id: int
    name: str
    op: str
    sequence_nr: int
    edges: list[EdgeInfo | None]
    saved: list[Saved]
    made: int
    source: Source | None
    ran: list[int] = field(default_factory=list)  # the steps of its runs
    saved_freed: int | None = None  # the step at which its saved values were dropped
    freed: int | None = None


# --- events --------------------------------------------------------------------------------------


@dataclass(slots=True, kw_only=True)
class Event:
    """Something that happened at a line of the program."""

    kind: str = "event"
    step: int
    source: Source | None
    in_backward: bool = False  # while a backward pass was running


@dataclass(slots=True)
class Argument:
    """What an op was called with: a tensor, or something else as text."""

    name: str
    tensor: int | None
    text: str


@dataclass(slots=True, kw_only=True)
class Op(Event):
    """An operation. `recorded` says whether it made a node, and if not, why."""

    kind: str = "op"
    op: str
    inputs: list[Argument]
    outputs: list[int]
    values: list[Value | None]
    node: int | None
    recorded: str
    in_place: bool


@dataclass(slots=True, kw_only=True)
class Created(Event):
    """A tensor was made from values, or (`how`) as an alias of another one."""

    kind: str = "created"
    how: str
    tensor: int
    of: int | None = None


@dataclass(slots=True, kw_only=True)
class Write(Event):
    """The values of a tensor were changed in place."""

    kind: str = "write"
    tensor: int
    version: int
    value: Value | None


@dataclass(slots=True, kw_only=True)
class GradSet(Event):
    """`.grad` was set from outside (None: forgotten)."""

    kind: str = "grad"
    tensor: int
    value: Value | None


@dataclass(slots=True)
class Waiting:
    """A node or leaf in the pass that is running: how many gradients have still to arrive."""

    to: str
    id: int
    count: int


@dataclass(slots=True)
class Delivery:
    """A gradient that went along an edge. `summed`: to its input's shape, which undoes broadcasting
    (`unsummed`: what the formula gave); `added`: to what had arrived before; `total`: the sum."""

    input: str
    to: str
    id: int
    output_nr: int
    value: Value | None
    summed: bool
    added: bool
    total: Value | None
    unsummed: Value | None = None


@dataclass(slots=True)
class Formula:
    """How the gradient of one input is computed: as in the row, with the user's names, and where a
    row calls a function of its own, as mathematics (`mathematics.py`)."""

    input: str
    text: str
    applied: str
    mathematics: str | None = None


@dataclass(slots=True, kw_only=True)
class PassStart(Event):
    """A backward pass begins."""

    kind: str = "backward"
    roots: list[Delivery]
    keep_graph: bool
    create_graph: bool
    only_inputs: bool  # `autograd.grad`, or `backward(inputs=...)`
    waiting: list[Waiting]
    ready: list[int]


@dataclass(slots=True, kw_only=True)
class Run(Event):
    """A node ran. `incoming`: the gradients of its outputs; `deliveries`: those of its inputs;
    `waiting`: the counts that changed since the event before."""

    kind: str = "run"
    backward: int  # the step at which the pass began
    node: int
    incoming: list[Value | None]
    formulas: list[Formula]
    deliveries: list[Delivery]
    freed: list[str]
    waiting: list[Waiting]
    ready: list[int]  # nodes for which all has arrived, the next to run first


@dataclass(slots=True, kw_only=True)
class Accumulate(Event):
    """All gradients of a leaf had arrived: they were added to `.grad` (AccumulateGrad)."""

    kind: str = "accumulate"
    backward: int
    tensor: int
    gradient: Value | None
    before: Value | None
    after: Value | None


@dataclass(slots=True, kw_only=True)
class PassEnd(Event):
    """A backward pass is over; `error`: what it raised."""

    kind: str = "backward_end"
    backward: int
    error: str | None


@dataclass(slots=True)
class Change:
    """What a step of an optimizer did to one parameter."""

    tensor: int
    before: Value | None
    gradient: Value | None
    after: Value | None
    version: int | None = None  # after the step


@dataclass(slots=True, kw_only=True)
class Step(Event):
    """A step of an optimizer."""

    kind: str = "step"
    optimizer: str
    options: dict[str, Number]
    changes: list[Change]
