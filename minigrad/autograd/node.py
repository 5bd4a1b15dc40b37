"""The graph: what one operation leaves behind for the backward pass.

An op is written once, as a row of a table of derivatives: its forward on arrays, and for each
differentiable input the formula of its gradient.

    @pointwise("MulBackward0",
               input=lambda grad, other: grad * other,
               other=lambda grad, input: grad * input)
    def mul(input, other):
        return input * other

Calling `mul` runs the forward. If an input requires a gradient, it also makes a `Node` of the
class `MulBackward0`, which keeps

- its edges: for each input, to which node (and which of its outputs) the gradient goes next;
- its saved values: only those that the formulas still to be run name as their parameters.

A formula's parameters are `grad` (the gradient of the output; `grads` where there are several),
`result` (`result1`, ... for the others), an input by its name, `NAME_shape` for its shape alone,
`needs` (which inputs need a gradient) and `xp`: the ops' namespace, which works on arrays, or on
Tensors when the backward pass itself is recorded (`create_graph=True`). So one formula serves
every order of derivative. No formula mentions broadcasting or dtypes: the engine fits each
gradient to its input. A formula returns a new value, or `grad` or a view of it, never a saved one.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import weakref
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from .. import promotion
from . import anomaly, hooks
from .grad_mode import is_inference_mode_enabled, is_recording

Formula = Callable[..., Any]
Edge = tuple[Any, "int | None"]  # (node, output number), or (leaf Tensor, None)
Saved = tuple[Any, "int | None"]  # a value, and its version if it is a Tensor
Tensor: Any = None  # minigrad.tensor.Tensor puts itself here: tensors and nodes need each other
array_ops: Any = None  # the two namespaces that a formula's `xp` may be, put here by minigrad.ops
tensor_ops: Any = None
next_sequence_nr = itertools.count().__next__
new = object.__new__


class Node:
    """One recorded operation. The rows make its subclasses, which carry PyTorch's names."""

    __slots__ = ("edges", "hooks", "outputs", "plan", "saved", "sequence_nr", "__dict__", "__weakref__")
    edges: Sequence[Edge | None]
    saved: Sequence[Saved] | None  # None once they are freed
    outputs: Sequence[tuple[tuple[int, ...], Any]]  # (shape, dtype) of each
    sequence_nr: int  # the clock of recording: consumers have higher numbers than producers
    hooks: hooks.Hooks | None
    plan: Plan
    row: Row

    def apply(
        self, grads: Sequence[Any], on_tensors: bool, useful: Sequence[int] | None = None
    ) -> Sequence[Any]:
        """From the gradients of the outputs those of the inputs (of the `useful` ones, if given);
        None where none is needed."""
        plan = self.plan
        inputs: list[Any] = [None] * len(self.edges)
        values = [grads[0], *self.unpack(on_tensors)] if self.saved != [] else [grads[0]]
        if grads[0] is None and all([g is None for g in grads]):
            return inputs
        if plan.uses_context:
            values += (tensor_ops if on_tensors else array_ops, grads, plan.needs)
        for index, formula, pick in plan.formulas:
            if useful is None or index in useful or plan.variadic:
                inputs[index] = formula(*pick(values))
        return inputs[0] if plan.variadic else inputs

    def unpack(self, as_tensors: bool) -> list[Any]:
        """The saved values, once it is certain that they are still what they were."""
        if self.saved is None:
            raise RuntimeError(anomaly.FREED)
        values = []
        for value, version in self.saved:
            if version is not None:
                if value._version_counter[0] != version:
                    raise RuntimeError(anomaly.modified(value, version, self))
                value = self._placed(value) if as_tensors else value._array
            values.append(value)
        return values

    def _placed(self, value: Any) -> Any:
        """A saved input is the Tensor itself. A saved output was kept without its node, since a
        node that holds its own output is a cycle; here it gets its place in the graph back."""
        if value._saved_output_nr is None:
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
        """A dictionary for the user's own notes."""
        return self.__dict__.setdefault("_metadata", {})

    def _sequence_nr(self) -> int:
        return self.sequence_nr

    def register_hook(self, hook: Callable[..., Any]) -> hooks.RemovableHandle:
        """Call `hook(grad_inputs, grad_outputs)` after this node ran; it may return new inputs."""
        return hooks.of(self).add("post", hook)

    def register_prehook(self, hook: Callable[..., Any]) -> hooks.RemovableHandle:
        """Call `hook(grad_outputs)` before this node runs; it may return replacements."""
        return hooks.of(self).add("pre", hook)


class AccumulateGrad:
    """Where a gradient ends: it is added to `variable.grad`.

    The engine serves leaves without this object; it is made when somebody asks for it, and its
    hooks are kept by the leaf, so that they outlive it."""

    __slots__ = ("variable", "__weakref__")
    next_functions = ()

    def __init__(self, variable: Any) -> None:
        self.variable = variable

    def name(self) -> str:
        return "torch::autograd::AccumulateGrad"

    def __repr__(self) -> str:
        return f"<AccumulateGrad object at {id(self):#x}>"

    @property
    def metadata(self) -> Any:
        return self.variable.__dict__.setdefault("_accumulator_metadata", {})

    def _sequence_nr(self) -> int:
        return 2**64 - 1  # it runs as soon as it is ready

    def register_hook(self, hook: Callable[..., Any]) -> hooks.RemovableHandle:
        return hooks.of(self.variable).add("post", hook)

    def register_prehook(self, hook: Callable[..., Any]) -> hooks.RemovableHandle:
        return hooks.of(self.variable).add("pre", hook)


def accumulator(leaf: Any) -> AccumulateGrad:
    """The leaf's AccumulateGrad: the same object as long as anybody holds it."""
    reference = leaf.__dict__.get("_accumulator")
    node = reference() if reference is not None else None
    if node is None:
        node = AccumulateGrad(leaf)
        leaf.__dict__["_accumulator"] = weakref.ref(node)
    return node


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

    def __init__(self, name: str, forward: Callable[..., Any], formulas: dict[str, Formula]) -> None:
        self.name, self.forward = name, forward
        self.parameters = list(inspect.signature(forward).parameters)
        self.inputs = [self.parameters.index(p) for p in formulas]  # the differentiable ones
        self.formulas = [(f, list(inspect.signature(f).parameters)) for f in formulas.values()]
        names = ["self" if p == "input" else p for p in formulas]  # as PyTorch calls them
        self.order = sorted(range(len(names)), key=names.__getitem__)  # and evaluates the formulas
        self.variadic = "tensors" in formulas  # one list of Tensors is the differentiable input
        self.node_class = type(name.rpartition("::")[2], (Node,), {"__slots__": (), "row": self})
        self.plans: dict[tuple[bool, ...], Plan] = {}

    def plan(self, needs: tuple[bool, ...]) -> Plan:
        """Which formulas run and which values they name, worked out once per combination."""
        active = [(i, *self.formulas[i]) for i in self.order if self.variadic or needs[i]]
        named = list(dict.fromkeys(n for _, _, names in active for n in names))
        kept = [n for n in named if n not in ("grad", *CONTEXT)]
        slots = ["grad", *kept, *CONTEXT]
        self.plans[needs] = plan = Plan(
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
        kind = "shape" if name.endswith("_shape") else "value"
        return kind, self.parameters.index(name.removesuffix("_shape"))


CONTEXT = ["xp", "grads", "needs"]  # what a formula may name beside `grad` and values of the call


def _picker(positions: list[int]) -> Callable[[list[Any]], Any]:
    """From the list of all values, the arguments of one formula."""
    if len(positions) == 1:
        position = positions[0]
        return lambda values: (values[position],)
    return itemgetter(*positions)


def record(row: Row, args: Sequence[Any], results: Sequence[Any]) -> Node | None:
    """Make the node of one call of `row`, if one of its inputs needs a gradient, and put it behind
    the call's results."""
    edges: list[Edge | None] = []
    needs = []
    for tensor in args[0] if row.variadic else [args[i] for i in row.inputs]:
        if isinstance(tensor, Tensor) and tensor._requires_grad:
            edges.append(tensor._edge or leaf_edge(tensor))
            needs.append(True)
        else:
            edges.append(None)
            needs.append(False)
    key = tuple(needs)
    if True not in key:
        return None
    plan = row.plans.get(key) or row.plan(key)
    node = new(row.node_class)
    node.plan, node.edges, node.hooks = plan, edges, None
    node.sequence_nr = next_sequence_nr()
    node.saved = saved = []
    for kind, i in plan.saves:
        saved.append(save(kind, i, args, results))
    node.outputs = outputs = []
    for output_nr, result in enumerate(results):
        array = result._array
        outputs.append((array.shape, array.dtype))
        if array.dtype.kind == "f":
            result._edge, result._requires_grad = (node, output_nr), True
    if anomaly.enabled:
        anomaly.note(node)
    return node  # type: ignore[no-any-return]


def save(kind: str, index: int, args: Sequence[Any], results: Sequence[Any]) -> Saved:
    """A value that a formula names, taken from the call."""
    if kind == "value":
        value = args[index]
        if not isinstance(value, Tensor):
            return value, None
    elif kind == "shape":
        value = args[index]
        return [t._array.shape for t in value] if isinstance(value, list) else value._array.shape, None
    else:
        value = results[index]._alias()
        value._saved_output_nr = index
    if value._version_counter is None:
        raise RuntimeError(anomaly.INFERENCE)
    return value, value._version_counter[0]


def gradient_edge(value: Any) -> Edge | None:
    """Where the gradient of an op's input goes; None if it needs none."""
    if not isinstance(value, Tensor) or not value._requires_grad:
        return None
    return value._edge or leaf_edge(value)


def leaf_edge(leaf: Any) -> Edge | None:
    """Into the leaf's `.grad`; nowhere, if it is a view that was made while nothing was recorded."""
    return (leaf, None) if leaf._view is None or leaf._view.kind is None else None


# --- calling a row -------------------------------------------------------------------------------

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def wrap(array: Any) -> Any:
    """A Tensor around an array (or a NumPy scalar); it is not a part of any graph."""
    tensor = new(Tensor)
    tensor._array = array if isinstance(array, np.ndarray) else promotion.as_array(array)
    tensor._requires_grad = False
    tensor._edge = tensor._grad = tensor._view = tensor._saved_output_nr = tensor.hooks = None
    tensor._version_counter = [0]
    return tensor


def pointwise(name: str = "", *, to_float: bool = False, **formulas: Formula) -> Decorator:
    """Make an op of a forward on arrays that broadcast and are brought to one dtype first.

    Python numbers may stand for Tensors. `to_float`: integers are computed as the default float.
    Without formulas the op has no gradient and needs no name."""

    def decorate(forward: Callable[..., Any]) -> Callable[..., Any]:
        row = Row(name, forward, formulas)
        differentiable = bool(formulas)

        @functools.wraps(forward)
        def unary(input: Any) -> Any:
            if not isinstance(input, Tensor):
                raise promotion.not_a_tensor(name_of(forward), "input", 1, input)
            if input._view is not None:
                input._refresh_view()
            array = input._array
            if to_float and array.dtype.kind != "f":
                array = array.astype(promotion.default_dtype())
            result = wrap(forward(array))
            if differentiable and input._requires_grad and is_recording():
                record(row, (input,), (result,))
            elif is_inference_mode_enabled():
                result._version_counter = None
            return result

        @functools.wraps(forward)
        def binary(input: Any, other: Any) -> Any:
            if not (isinstance(input, Tensor) and isinstance(other, Tensor)):
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
            elif is_inference_mode_enabled():
                result._version_counter = None
            return result

        @functools.wraps(forward)
        def nary(*args: Any) -> Any:
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
        return call  # type: ignore[no-any-return]

    return decorate


def op(name: str, **formulas: Formula) -> Decorator:
    """Make an op of a forward whose arguments come by position: arrays, lists of arrays, values.

    A forward that returns a tuple has several results; integer ones are not differentiable."""

    def decorate(forward: Callable[..., Any]) -> Callable[..., Any]:
        row = Row(name, forward, formulas)

        @functools.wraps(forward)
        def call(*args: Any) -> Any:
            arrays = []
            needed = False
            for arg in args:
                if isinstance(arg, Tensor):
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
            if needed or is_inference_mode_enabled():
                finish(row, args, results)
            return tuple(results) if isinstance(out, tuple) else results[0]

        call.row, call.forward = row, forward  # type: ignore[attr-defined]
        return call

    return decorate


def unwrap(value: Any) -> Any:
    """The array of a Tensor, also inside a list; anything else as it is."""
    if isinstance(value, Tensor):
        return value._array
    return [unwrap(v) for v in value] if isinstance(value, list) else value


def finish(row: Row, args: Sequence[Any], results: Sequence[Any]) -> None:
    """What is left to do once the results of a call are known."""
    if is_recording():
        record(row, args, results)
    elif is_inference_mode_enabled():
        for result in results:
            result._version_counter = None


def refresh(*tensors: Any) -> None:
    """A view whose base was changed in place gets its new history before it is used."""
    for tensor in tensors:
        if tensor._view is not None:
            tensor._refresh_view()


def name_of(forward: Callable[..., Any]) -> str:
    return forward.__name__.strip("_")
