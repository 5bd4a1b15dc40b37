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
from typing import Any, Protocol

from .. import gpu, promotion
from ..dtypes import default_dtype
from . import anomaly, devices
from . import node as graph
from .grad_mode import is_inference_mode_enabled, is_recording
from .node import Node, connect, leaf_edge, record, refresh, unwrap, wrap
from .out import into
from .plan import LISTS, ListNode, Plan

Formula = Callable[..., Any]
fused_ops: list[Op] = []  # which `fusion` runs in as few kernels as possible on a GPU


class Op(Protocol):
    """A row made callable on Tensors."""

    row: Row
    forward: Callable[..., Any]
    to_float: bool  # whether integers are computed as the default float

    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...


Decorator = Callable[[Callable[..., Any]], Op]


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
        self.first_alone = self.inputs == [0] and not self.variadic
        self.plans: dict[int, Plan] = {}
        self.node_class: Any = None  # made for the first plan: a program records few of all rows

    def plan(self, needs: int, count: int) -> Plan:
        """What to keep and to compute if these of the `count` inputs need a gradient (a bit each)."""
        if self.node_class is None:
            base = ListNode if {*LISTS} & {*self.parameters} else Node
            members = {"__slots__": (), "row": self}
            self.node_class = type(self.name.rpartition("::")[2], (base,), members)
        self.plans[needs] = plan = Plan(self, needs, count)
        return plan


def _parameters(function: Any) -> tuple[str, ...]:
    """The names of the arguments; `inspect.signature` would take most of the time of the import."""
    code = function.__code__
    names: tuple[str, ...] = code.co_varnames
    return names[: code.co_argcount]


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
        make = {1: _unary, 2: _binary}.get(len(row.parameters), _nary)
        call: Any = functools.wraps(forward)(make(row, to_float, tensors))
        call.row, call.forward, call.to_float = row, forward, to_float
        return _offered(call)

    return decorate


def _offered(op: Op) -> Op:
    """The op, of which `fusion` is told, now or when CuPy is imported."""
    fused_ops.append(op)
    if gpu.fusion is not None:
        gpu.fusion.fuse(op)
    return op


def _unary(row: Row, to_float: bool, _: Sequence[str]) -> Callable[..., Any]:
    forward, differentiable = row.forward, bool(row.formulas)

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
            connect(row, 1, (input._edge or leaf_edge(input),), (input,), (result,))
        elif anomaly.enabled or is_inference_mode_enabled():
            leave_out(row, (input,), (result,))
        return result

    return unary


def _binary(row: Row, to_float: bool, tensors: Sequence[str]) -> Callable[..., Any]:
    forward, differentiable, every = row.forward, bool(row.formulas), row.every

    def binary(input: Any, other: Any, *, out: Any = None) -> Any:
        if out is not None:
            return into(out, binary, input, other)
        if not (isinstance(other, graph.Tensor) and isinstance(input, graph.Tensor)):
            input, other = promotion.operands(forward, (input, other), to_float, tensors)
        a, b = input._array, other._array
        if a.dtype is not b.dtype or (to_float and a.dtype.kind != "f"):
            a, b = promotion.promoted((a, b), to_float)
        try:
            result = wrap(forward(a, b))
        except Exception as error:
            return _again(binary, (input, other), error, (a, b))
        if input._view is not None or other._view is not None:
            refresh(input, other)
        by_input, by_other = input._requires_grad, other._requires_grad
        if differentiable and (by_input or by_other) and is_recording():
            if not every:
                record(row, (input, other), (result,))
                return result
            edges = (
                (input._edge or leaf_edge(input)) if by_input else None,
                (other._edge or leaf_edge(other)) if by_other else None,
            )
            needs = 3 if by_input and by_other else 1 if by_input else 2  # one bit for each
            connect(row, needs, edges, (input, other), (result,))
        elif anomaly.enabled or is_inference_mode_enabled():
            leave_out(row, (input, other), (result,))
        return result

    return binary


def _nary(row: Row, to_float: bool, _: Sequence[str]) -> Callable[..., Any]:
    forward = row.forward

    def nary(*args: Any, out: Any = None) -> Any:
        if out is not None:
            return into(out, nary, *args)
        tensors = promotion.operands(forward, args, to_float)
        refresh(*tensors)
        arrays = promotion.promoted([t._array for t in tensors], to_float)
        try:
            result = wrap(forward(*arrays))
        except Exception as error:
            return _again(nary, tensors, error, arrays)
        recorded = is_recording() and record(row, tensors, [result])
        if not recorded and (anomaly.enabled or is_inference_mode_enabled()):
            leave_out(row, tensors, [result])
        return result

    return nary


def op(name: str, *, fused: bool = False, **formulas: Formula) -> Decorator:
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
                    if arg._requires_grad:
                        needed = True
                    arrays.append(arg._array)
                elif isinstance(arg, list):
                    if row.variadic:
                        refresh(*arg)
                        needed = True
                    arrays.append(unwrap(arg))
                else:
                    arrays.append(arg)
            try:
                out = forward(*arrays)
            except Exception as error:
                return _again(call, args, error)
            results = tuple(map(wrap, out)) if isinstance(out, tuple) else (wrap(out),)
            recorded = needed and is_recording() and record(row, args, results)
            if not recorded and (anomaly.enabled or is_inference_mode_enabled()):
                leave_out(row, args, results)
            return results if isinstance(out, tuple) else results[0]

        made: Any = call
        made.row, made.forward, made.to_float = row, forward, False
        return _offered(made) if fused else made

    return decorate


def _again(
    call: Callable[..., Any], args: Sequence[Any], error: Exception, arrays: Sequence[Any] = ()
) -> Any:
    """After a forward failed: once more with all Tensors on one device, if they were not; else the
    error, in PyTorch's words where `arrays` do not broadcast."""
    moved = devices.brought_together(args)
    if moved is not None:
        return call(*moved)
    if arrays and isinstance(error, ValueError):
        raise promotion.broadcast_error(arrays) from None
    if isinstance(error, AttributeError):  # of what is no array
        _check_inputs(call, args)
    raise error


def _check_inputs(call: Any, args: Sequence[Any]) -> None:
    """TypeError if an input is no Tensor; asked after a failure, to keep calls quick."""
    for i in call.row.inputs:
        of_several = isinstance(args[i], list) and any(isinstance(a, graph.Tensor) for a in args[i])
        if not (of_several or isinstance(args[i], graph.Tensor)):
            name = call.__name__.strip("_")
            raise promotion.not_a_tensor(name, call.row.parameters[i], i + 1, args[i]) from None


def leave_out(row: Row, args: Sequence[Any], results: Sequence[Any]) -> None:
    """The end of a call that makes no node."""
    if is_inference_mode_enabled():
        for result in results:
            result._version_counter = None
    if anomaly.enabled:
        anomaly.note_unrecorded(row, args, results)
