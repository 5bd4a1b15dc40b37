"""How an op is written, and what calling it does.

An op is one row of a table of derivatives: its forward on arrays, and for each differentiable
input the formula of its gradient.

    @pointwise("MulBackward0",
               input=lambda grad, other: grad * other,
               other=lambda grad, input: grad * input)
    def mul(input, other):
        return input * other

Calling `mul` runs the forward and, if an input requires a gradient, records a node (`node.py`).

A formula's parameters say what it needs: `grad` (the gradient of the output; `grads` where there
are several), an input by its name, `NAME_shape` for its shape alone, `NAME_column_major` for
the order of a matrix in memory, `result` (`result1`, ... for
the others), `needs` (which inputs need a gradient) and `xp`: the ops' namespace, which works on
arrays, or on Tensors when the backward pass itself is recorded (`create_graph=True`). So one
formula serves every order of derivative. What no formula names is not kept, and a formula runs
only for an input that needs it. None mentions broadcasting or dtypes: the engine fits each
gradient to its input. A formula returns a new value, or `grad` or a view of it, never a saved one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple, Protocol

from .. import promotion
from ..dtypes import default_dtype
from . import anomaly
from . import node as graph
from .grad_mode import is_inference_mode_enabled, is_recording
from .node import Node, record, refresh, unwrap, wrap
from .out import into

Formula = Callable[..., Any]


class Op(Protocol):
    """A row made callable on Tensors."""

    row: Row
    forward: Callable[..., Any]
    to_float: bool  # whether integers are computed as the default float

    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...


Decorator = Callable[[Callable[..., Any]], Op]


LISTS = ("indices", "tensors")  # arguments that are lists of Tensors, and None between them


class ListNode(Node):
    """A node whose last saved value may be a list of Tensors, which are saved one by one."""

    __slots__ = ()

    def unpack(self, as_tensors: bool) -> list[Any]:
        values = super().unpack(as_tensors)
        names = self.plan.saved_names
        start = len(names) - 1
        return [*values[:start], values[start:]] if names and names[-1] in LISTS else values


class Plan(NamedTuple):
    """What a row keeps and computes when just these of its inputs need a gradient."""

    needs: tuple[bool, ...]
    saves: tuple[tuple[str, int], ...]  # ("value" | "shape" | "result", position)
    saved_names: tuple[str, ...]
    uses_context: bool
    formulas: tuple[tuple[int, Formula, Callable[[list[Any]], Any]], ...]
    variadic: bool


class Row:
    """One line of the table: an op's forward, its formulas, and what these need."""

    def __init__(
        self, name: str, forward: Callable[..., Any], formulas: dict[str, Formula]
    ) -> None:
        self.name, self.forward = name, forward
        self.parameters = _parameters(forward)
        if any(p.startswith("result") for p in self.parameters):
            raise ValueError(f"{name}: 'result' is what formulas call the output, not an input")
        self.inputs = [self.parameters.index(p) for p in formulas]  # the differentiable ones
        self.formulas = [(f, _parameters(f)) for f in formulas.values()]
        names = ["self" if p == "input" else p for p in formulas]  # as PyTorch calls them
        self.order = sorted(range(len(names)), key=names.__getitem__)  # and evaluates the formulas
        self.variadic = "tensors" in formulas  # one list of Tensors is the differentiable input
        self.every = self.inputs == list(range(len(self.parameters))) and not self.variadic
        base = ListNode if {*LISTS} & {*self.parameters} else Node
        self.node_class = type(name.rpartition("::")[2], (base,), {"__slots__": (), "row": self})
        self.plans: dict[int, Plan] = {}

    def plan(self, bits: int, count: int) -> Plan:
        """Which formulas run and which values they name, worked out once per combination of inputs
        that need a gradient: a bit for each of `count`."""
        needs = tuple(bool(bits >> i & 1) for i in range(count))
        active = [(i, *self.formulas[i]) for i in self.order if self.variadic or needs[i]]
        named = list(dict.fromkeys(n for _, _, names in active for n in names))
        kept = [n for n in named if n not in ("grad", *CONTEXT)]
        kept.sort(key=LISTS.__contains__)  # a list of Tensors, which are saved one by one: the last
        slots = ["grad", *kept, *CONTEXT]
        self.plans[bits] = plan = Plan(
            needs,
            tuple(map(self._source, kept)),
            tuple(kept),
            any(n in CONTEXT for n in named),
            tuple((i, f, _picker([slots.index(n) for n in names])) for i, f, names in active),
            self.variadic,
        )
        return plan

    def _source(self, name: str) -> tuple[str, int]:
        if name.startswith("result"):
            return "result", int(name.removeprefix("result") or 0)
        for kind in ("shape", "column_major"):
            if name.endswith("_" + kind):
                return kind, self.parameters.index(name.removesuffix("_" + kind))
        return "list" if name in LISTS else "value", self.parameters.index(name)


def _parameters(function: Any) -> list[str]:
    """The names of the arguments; `inspect.signature` would take most of the time of the import."""
    code = function.__code__
    return list(code.co_varnames[: code.co_argcount])


CONTEXT = ["xp", "grads", "needs"]  # what a formula may name beside `grad` and values of the call


def _picker(positions: list[int]) -> Callable[[list[Any]], Any]:
    """From the list of all values, the arguments of one formula."""
    if len(positions) == 1:
        position = positions[0]
        return lambda values: (values[position],)
    return itemgetter(*positions)


def pointwise(
    name: str = "", *, to_float: bool = False, tensors: Sequence[str] = (), **formulas: Formula
) -> Decorator:
    """Make an op of a forward on arrays that broadcast and are brought to one dtype first.

    Python numbers may stand for Tensors, except for the arguments named in `tensors`.
    `to_float`: integers are computed as the default float.
    The op takes `out=` (see `out.py`, also for functions that are not made here).
    Without formulas the op has no gradient and needs no name."""

    def decorate(forward: Callable[..., Any]) -> Op:
        row = Row(name, forward, formulas)
        differentiable = bool(formulas)

        @functools.wraps(forward)
        def unary(input: Any, *, out: Any = None) -> Any:
            if out is not None:
                return into(out, unary, input)
            if not isinstance(input, graph.Tensor):
                raise promotion.not_a_tensor(forward.__name__.strip("_"), "input", 1, input)
            if input._view is not None:
                input._refresh_view()
            array = input._array
            if to_float and array.dtype.kind != "f":
                array = array.astype(default_dtype())
            result = wrap(forward(array))
            if differentiable and input._requires_grad and is_recording():
                record(row, (input,), (result,))
            elif anomaly.enabled or is_inference_mode_enabled():
                leave_out(row, (input,), (result,))
            return result

        @functools.wraps(forward)
        def binary(input: Any, other: Any, *, out: Any = None) -> Any:
            if out is not None:
                return into(out, binary, input, other)
            if not (isinstance(input, graph.Tensor) and isinstance(other, graph.Tensor)):
                promotion.check_tensors(
                    forward.__name__.strip("_"),
                    **{n: input if n == "input" else other for n in tensors},
                )
                input, other = promotion.operands(forward, (input, other), to_float)
            a, b = input._array, other._array
            if a.dtype is not b.dtype or (to_float and a.dtype.kind != "f"):
                a, b = promotion.promoted((a, b), to_float)
            try:
                result = wrap(forward(a, b))
            except ValueError:
                raise promotion.broadcast_error((a, b)) from None
            if input._view is not None or other._view is not None:
                refresh(input, other)
            if differentiable and (input._requires_grad or other._requires_grad) and is_recording():
                record(row, (input, other), (result,))
            elif anomaly.enabled or is_inference_mode_enabled():
                leave_out(row, (input, other), (result,))
            return result

        @functools.wraps(forward)
        def nary(*args: Any, out: Any = None) -> Any:
            if out is not None:
                return into(out, nary, *args)
            tensors = promotion.operands(forward, args, to_float)
            refresh(*tensors)
            arrays = promotion.promoted([t._array for t in tensors], to_float)
            try:
                result = wrap(forward(*arrays))
            except ValueError:
                raise promotion.broadcast_error(arrays) from None
            finish(row, tensors, [result])
            return result

        call: Any = {1: unary, 2: binary}.get(len(row.parameters), nary)
        call.row, call.forward, call.to_float = row, forward, to_float
        return call

    return decorate


def op(name: str, **formulas: Formula) -> Decorator:
    """Make an op of a forward whose arguments come by position: arrays, lists of arrays, values.

    A forward that returns a tuple has several results; integer ones are not differentiable."""

    def decorate(forward: Callable[..., Any]) -> Op:
        row = Row(name, forward, formulas)

        @functools.wraps(forward)
        def call(*args: Any) -> Any:
            arrays = []
            needed = False
            for arg in args:
                if isinstance(arg, graph.Tensor):
                    if arg._view is not None:
                        arg._refresh_view()
                    needed = needed or arg._requires_grad
                    arg = arg._array
                elif isinstance(arg, list):
                    needed = needed or row.variadic
                    arg = unwrap(arg)
                arrays.append(arg)
            out = forward(*arrays)
            results = [wrap(o) for o in out] if isinstance(out, tuple) else [wrap(out)]
            if needed or anomaly.enabled or is_inference_mode_enabled():
                finish(row, args, results)
            return tuple(results) if isinstance(out, tuple) else results[0]

        made: Any = call
        made.row, made.forward, made.to_float = row, forward, False
        return made

    return decorate


def finish(row: Row, args: Sequence[Any], results: Sequence[Any]) -> None:
    """What is left to do once the results of a call are known."""
    node = record(row, args, results) if is_recording() else None
    if node is None and (anomaly.enabled or is_inference_mode_enabled()):
        leave_out(row, args, results)


def leave_out(row: Row, args: Sequence[Any], results: Sequence[Any]) -> None:
    """The end of a call that makes no node."""
    if is_inference_mode_enabled():
        for result in results:
            result._version_counter = None
    if anomaly.enabled:
        anomaly.note_unrecorded(row, args, results)
