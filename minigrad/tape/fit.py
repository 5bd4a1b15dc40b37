"""Regressions on a tape: what the player needs to draw the fitted curve and the loss surface.

Where a program squares `prediction - target` (or calls `mse_loss`), and the prediction is made of
one column of data and a few parameters to which it is linear (a line, a polynomial), then

    prediction = offset + basis @ parameters        (N,) = (N,) + (N, K) @ (K,)

and with it the mean squared error is known for all parameters, not only for those on the tape. The
basis is found by running the recorded operations again on numbers, once for each parameter.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .events import LIMIT, Value

PARAMETERS, POINTS, BATCHES, OPERATIONS = 6, 256, 200, 40  # a fit has at most so many

FORWARD: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "true_divide": np.divide,
    "neg": np.negative,
    "square": np.square,
    "pow_number": np.power,
    "matmul": np.matmul,
    "mm": np.matmul,
    "addmm": lambda input, mat1, mat2, *_: input + mat1 @ mat2,
    "cat": lambda *parts: np.concatenate(parts[:-1], parts[-1]),
}
SWAPPED = ("t", "transpose", "permute")  # of a matrix
SAME_NUMBERS = (
    "view", "reshape", "squeeze", "squeeze_all", "squeeze_dim", "unsqueeze", "select", "index",
    "slice", "clone", "expand", "alias", "detach", "contiguous", "flatten",
)  # fmt: skip


@dataclass(slots=True)
class Fit:
    """One model. `first` and `last`: the steps at which its error was computed; `tensors`: its
    parameters; by point (x, y) the row of the basis, with the offset in front."""

    first: int
    tensors: list[int]
    last: int = 0
    batches: set[tuple[int, int]] = field(default_factory=set)
    points: dict[tuple[float, float], list[float]] = field(default_factory=dict)


class NotFound(Exception):
    """The operations are not those of such a regression."""


def fits(tape: Any) -> list[dict[str, Any]]:
    """The regressions of a tape, for JSON."""
    producers: dict[int, Any] = {}
    found: dict[tuple[int, ...], Fit] = {}
    for event in tape.of_kind("op"):
        producers.update(dict.fromkeys(event.outputs, None if event.in_place else event))
        pair = compared(tape, event, producers)
        if pair is not None:
            try:
                note(found, event.step, Program(tape, producers, *pair))
            except NotFound:
                continue
    return [packed(fit) for fit in found.values() if len(fit.points) > 1]


def packed(fit: Fit) -> dict[str, Any]:
    points = sorted(fit.points.items())
    return {
        "first": fit.first,
        "last": fit.last,
        "tensors": fit.tensors,
        "x": [x for (x, _), _ in points],
        "y": [y for (_, y), _ in points],
        "offset": [row[0] for _, row in points],
        "basis": [row[1:] for _, row in points],
    }


def compared(tape: Any, event: Any, producers: dict[int, Any]) -> tuple[int, int] | None:
    """The prediction and the target whose difference is squared by an operation."""
    tensors = [a.tensor for a in event.inputs if a.tensor is not None]
    if event.op == "mse_loss":
        pair = tensors[:2]
    elif event.op == "square" or (
        event.op == "pow_number" and event.inputs[1].text in ("2", "2.0")
    ):
        difference = producers.get(tensors[0])
        if difference is None or difference.op != "sub":
            return None
        pair = [a.tensor for a in difference.inputs[:2]]
    else:
        return None
    if len(pair) != 2 or None in pair:
        return None
    infos = [tape.tensors[t - 1] for t in pair]
    if infos[0].value.count != infos[1].value.count:
        return None  # one of them was broadcast
    if infos[0].requires_grad == infos[1].requires_grad:
        return None
    return (pair[0], pair[1]) if infos[0].requires_grad else (pair[1], pair[0])


def note(found: dict[tuple[int, ...], Fit], step: int, program: Program) -> None:
    """Add the points of one batch to the fit of its parameters."""
    fit = found.setdefault(tuple(program.parameters), Fit(step, program.parameters))
    fit.last = step
    batch = (program.data, program.target)
    if batch in fit.batches or len(fit.batches) >= BATCHES:
        return
    fit.batches.add(batch)
    x, y = (program.numbers(t).ravel()[: program.rows] for t in batch)
    table = program.basis()
    for point, row in zip(zip(x.tolist(), y.tolist(), strict=True), table.tolist(), strict=True):
        if len(fit.points) < POINTS and np.isfinite([*point, *row]).all():
            fit.points.setdefault(point, row)


class Program:
    """The operations from data and parameters to a prediction, which can be run again."""

    def __init__(self, tape: Any, producers: dict[int, Any], prediction: int, target: int) -> None:
        self.tape, self.producers = tape, producers
        self.prediction, self.target = prediction, target
        self.count = tape.tensors[prediction - 1].value.count
        self.rows = min(self.count, LIMIT)
        self.order: list[Any] = []  # the operations, the last one first
        self.parameters: list[int] = []
        columns: dict[int, None] = {}
        pending, seen = [prediction], set()
        while pending:
            tensor = pending.pop()
            info, event = tape.tensors[tensor - 1], producers.get(tensor)
            if tensor in seen:
                continue
            seen.add(tensor)
            has_size = bool(info.value.shape) and info.value.count == self.count
            batch = event is not None and event.op in SAME_NUMBERS and not info.requires_grad
            if event is not None and not (batch and has_size):
                self.order.append(event)
                pending += [a.tensor for a in event.inputs if a.tensor is not None]
            elif info.requires_grad:
                self.parameters.append(tensor)
            elif has_size:
                columns.setdefault(tensor)
        self.parameters.sort()
        size = sum(tape.tensors[p - 1].value.count for p in self.parameters)
        if len(columns) != 1 or not 1 <= size <= PARAMETERS or len(self.order) > OPERATIONS:
            raise NotFound
        (self.data,) = columns
        self.order.sort(key=lambda event: event.step)

    def basis(self) -> np.ndarray:
        """(N, 1 + K): what the prediction is with all parameters 0, and what each adds."""
        size = sum(self.tape.tensors[p - 1].value.count for p in self.parameters)
        offset = self.run(np.zeros(size))
        columns = [self.run(row) - offset for row in np.eye(size)]
        trial = np.linspace(-1.7, 2.3, size)
        table = np.stack([offset, *columns], axis=1)
        if not np.allclose(self.run(trial), table @ np.r_[1.0, trial], rtol=1e-6, atol=1e-9):
            raise NotFound  # not linear in the parameters
        return table

    def run(self, theta: np.ndarray) -> np.ndarray:
        """The prediction (N,) with these numbers as parameters."""
        results: dict[int, np.ndarray] = {}
        for p in self.parameters:
            value = self.tape.tensors[p - 1].value
            results[p], theta = theta[: value.count].reshape(value.shape), theta[value.count :]
        for event in self.order:
            (output,) = event.outputs if len(event.outputs) == 1 else (None,)
            if output is None:
                raise NotFound
            results[output] = self.apply(event, self.tape.tensors[output - 1].value, results)
        prediction = results[self.prediction].ravel()
        if len(prediction) != self.rows:
            raise NotFound
        return prediction

    def apply(self, event: Any, made: Value, results: dict[int, np.ndarray]) -> np.ndarray:
        args = [
            _constant(a.text) if a.tensor is None
            else results[a.tensor] if a.tensor in results
            else self.numbers(a.tensor)
            for a in event.inputs
        ]  # fmt: skip
        shape = [self.rows if size == self.count else size for size in made.shape]
        try:
            if event.op in FORWARD:
                return np.asarray(FORWARD[event.op](*args))
            if event.op in SWAPPED and len(shape) == 2 and args[0].shape == tuple(shape[::-1]):
                return args[0].T
            if event.op in SAME_NUMBERS:
                return np.asarray(args[0]).reshape(shape)
        except (ValueError, TypeError):
            pass
        raise NotFound

    def numbers(self, tensor: int) -> np.ndarray:
        """The recorded numbers of data; of a long column its first rows."""
        value = self.tape.tensors[tensor - 1].value
        if value.count != self.count and value.count > LIMIT:
            raise NotFound
        array = np.array([float(n) for n in value.numbers])
        return array.reshape([self.rows if n == self.count else n for n in value.shape])


def _constant(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        raise NotFound from None
