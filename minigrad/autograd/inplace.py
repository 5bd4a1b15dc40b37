"""Views and in-place operations: how a graph stays right when memory is shared and overwritten.

Every write raises the version that all aliases of a memory share, so a saved value that was
overwritten is noticed. A write through a view changes its base too; then the base gets the node
`CopySlices`, which sends the gradient of the written part through the operation and the rest
past it, and the other views, when they are used next, become strided pieces of the new base.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import either, promotion
from ..dtypes import castable, scalar_name
from . import anomaly, devices, hooks
from . import node as graph
from .geometry import Geometry, geometries, overlap
from .grad_mode import is_inference_mode_enabled, is_recording
from .node import Node, connect, gradient_edge, leaf_edge, next_sequence_nr, record, refresh, wrap
from .row import Decorator, Op, Row

MULTIPLE, NO_GRAD, CUSTOM = "multiple", "no_grad", "custom"


class View:
    """What a view knows: its base, the version at which its history was right, how it was made."""

    __slots__ = ("base", "kind", "version")

    def __init__(self, base: Any, version: int, kind: str | None) -> None:
        self.base, self.version, self.kind = base, version, kind


def view_op(name: str, kind: str | None = None, **formulas: Any) -> Decorator:
    """Make an op whose results share the memory of its first argument."""

    def decorate(forward: Callable[..., Any]) -> Op:
        row = Row(name, forward, formulas)

        def view(input: Any, *args: Any) -> Any:
            if input._view is not None:
                refresh_view(input)
            out = forward(input._array, *args)
            results = tuple(map(wrap, out)) if isinstance(out, tuple) else (wrap(out),)
            recording = is_recording()
            for result in results:
                share_memory(result, input, kind, recording)
            if recording and input._requires_grad:
                connect(row, 1, (input._edge or leaf_edge(input),), (input, *args), results)
            elif anomaly.enabled:
                anomaly.note_unrecorded(row, (input, *args), results)
            return results if isinstance(out, tuple) else results[0]

        made: Any = view
        made.row, made.forward, made.__doc__, made.__name__ = (
            row,
            forward,
            forward.__doc__,
            forward.__name__,
        )
        made.to_float = False
        return made

    return decorate


def share_memory(view: Any, input: Any, kind: str | None, recording: bool) -> None:
    """Make `view` a view of `input`, or of what that is a view of."""
    counter = view._version_counter = input._version_counter
    if counter is None:
        return
    if not recording:
        kind = kind or NO_GRAD
        if view._array.dtype.kind == "f":
            view._requires_grad = input._requires_grad  # as PyTorch has it; no gradient arrives
    parent = input._view
    if parent is None:
        view._view = View(input, counter[0], kind)
    else:
        view._view = View(parent.base, counter[0], parent.kind or kind)


def refresh_view(tensor: Any) -> None:
    """If the memory was written since the history was known, the view is a piece of its base."""
    view, version = tensor._view, tensor._version_counter[0]
    if view.version == version:
        return
    base = view.base
    if history_is_lost(tensor):
        if is_recording():
            raise RuntimeError(_lost_history(tensor))
        return
    view.version = version
    if base._requires_grad and view.kind is None:
        node = AsStridedBackward0(gradient_edge(base), *geometries(tensor))
        node.outputs = [(tensor._array.shape, tensor._array.dtype)]
        tensor._edge, tensor._requires_grad = (node, 0), True


def history_is_lost(tensor: Any) -> bool:
    """Whether this is a view without a way to its base's history, and its base was overwritten."""
    view = tensor._view
    if view is None or view.kind is None or view.version == tensor._version_counter[0]:
        return False
    return view.base._requires_grad or tensor._edge is not None


def _lost_history(tensor: Any) -> str:
    """Why a view of this kind has no history once its base was overwritten."""
    if tensor._view.kind == NO_GRAD:
        return f"A view was created in no_grad mode and {OVERWRITTEN} with grad mode enabled. {AMBIGUOUS}"
    text = MULTIPLE_VIEW if tensor._view.kind == MULTIPLE else CUSTOM_VIEW
    return f"{_origin(tensor)} is a view and {OVERWRITTEN}.{text.partition('.')[2]}"


def _origin(tensor: Any) -> str:
    edge = tensor._edge
    return f"Output {edge[1]} of {anomaly.op_name(edge[0])}" if edge else "This tensor"


class _Strided(Node):
    """A node that knows where a view lies in its base."""

    __slots__ = ("base_geometry", "view_geometry")

    def __init__(self, edge: Any, base_geometry: Geometry, view_geometry: Geometry) -> None:
        self.edges, self.saved = [edge], ()
        self.hooks = self.notes = None
        self.sequence_nr = next_sequence_nr()
        self.base_geometry, self.view_geometry = base_geometry, view_geometry

    def release(self) -> None:
        pass


class AsStridedBackward0(_Strided):
    __slots__ = ()

    def name(self) -> str:
        return "AsStridedBackward0"

    def apply(self, grads: Sequence[Any], on_tensors: bool, useful: Any = None) -> list[Any]:
        xp = graph.tensor_ops if on_tensors else graph.array_ops
        if grads[0] is None:
            return [None]
        if on_tensors and not grads[0]._array.size:  # then PyTorch records nothing
            return [xp.zeros_shaped(self.base_geometry[0], grads[0])]
        return [xp.scatter_strided(grads[0], self.base_geometry, self.view_geometry)]


class CopySlices(_Strided):
    """The history of a base after an operation wrote into a view of it."""

    __slots__ = ("operation",)
    operation: (
        Node | None
    )  # that of the in-place operation, as if the view stood alone; None: freed

    def apply(self, grads: Sequence[Any], on_tensors: bool, useful: Any = None) -> list[Any]:
        xp = graph.tensor_ops if on_tensors else graph.array_ops
        if grads[0] is None:
            return [None] * len(self.edges)
        if self.operation is None:
            raise RuntimeError(anomaly.FREED)
        base, view = self.base_geometry, self.view_geometry
        of_view = xp.gather_strided(grads[0], base, view)
        through, *others = self.operation.apply([of_view], on_tensors)
        ones = either.full(view[0], True, bool, getattr(grads[0], "_array", grads[0]))
        untouched = graph.array_ops.scatter_strided(ones, base, view) == 0
        kept = xp.where(wrap(untouched) if on_tensors else untouched, grads[0], 0.0)
        if through is not None:
            shape_ok = getattr(through, "_array", through).shape == view[0]
            through = through if shape_ok else xp.expand(through, view[0])
            kept = kept + xp.scatter_strided(through, base, view)
        inputs = [kept, *others]
        return (
            inputs if useful is None else [g if i in useful else None for i, g in enumerate(inputs)]
        )

    def release(self) -> None:
        self.operation = None

    def name(self) -> str:
        return "torch::autograd::CopySlices"


# --- writing -------------------------------------------------------------------------------------


def inplace(op: Op) -> Callable[..., Any]:
    """The in-place form of a pointwise op: `mul_` of `mul`."""
    row, to_float = op.row, op.to_float

    def write_result(input: Any, *args: Any) -> Any:
        begin_write(input, *args)
        tensors = promotion.operands(row.forward, (input, *args), to_float)
        arrays = promotion.promoted([t._array for t in tensors], to_float)
        try:
            out = either.as_array(row.forward(*arrays))
        except Exception as error:
            if (moved := devices.brought_together(tensors)) is not None:
                return write_result(*moved)
            if not isinstance(error, ValueError):
                raise
            raise promotion.broadcast_error(arrays) from None
        return write(row, tensors, out)

    write_result.__name__ = row.forward.__name__ + "_"
    return write_result


def write(
    row: Row, args: Sequence[Any], out: Any, sharing: str = "all", uniform: bool = False
) -> Any:
    """Overwrite the first of `args` with `out`, and record that it was `row` that did it.

    sharing: how much of the first one's memory the other inputs may share: "any" part, "all" of it
        (or none), or "none".
    uniform: all elements of `out` are equal, so that several may lie in one place."""
    input = args[0]
    target = input._array
    others = [args[i] for i in row.inputs if i]
    recording = begin_write(input, *others)
    if not uniform:
        check_overlap(input, others, sharing)
    if out.shape != target.shape:
        raise RuntimeError(
            f"output with shape {list(target.shape)} doesn't match the broadcast shape {list(out.shape)}"
        )
    if out.dtype is not target.dtype and not castable(out.dtype, target.dtype):
        raise RuntimeError(
            f"result type {scalar_name(out.dtype)} can't be cast to the desired output type "
            f"{scalar_name(target.dtype)}"
        )
    before = input._edge
    node = (
        record(row, [_before_write(row, input), *args[1:]], [input], False) if recording else None
    )
    np.copyto(target, out, casting="unsafe")
    input._bump_version()
    if node is not None:
        _rebase(input, before, node)
    return input


def begin_write(input: Any, *others: Any) -> bool:
    """Check that `input` may be written now; return whether the write has to be recorded."""
    inputs = [t for t in (input, *others) if isinstance(t, graph.Tensor)]
    refresh(*(inputs if input._view is None or input._view.kind is None else inputs[1:]))
    if input._view is not None:
        inputs.append(input._view.base)
    if input._version_counter is None and not is_inference_mode_enabled():
        raise RuntimeError(INFERENCE_UPDATE)
    recording = is_recording() and any([t._requires_grad for t in inputs])
    if recording:
        check_history(input)
    return recording


def check_overlap(input: Any, others: Sequence[Any], sharing: str = "all") -> None:
    """Check that each element of `input` has a place of its own, and that `others` share its memory
    only as far as `sharing` allows: where they do in part, the order of writing would matter."""
    target = input._array
    if 0 in [s for s, n in zip(target.strides, target.shape, strict=True) if n > 1] and target.size:
        raise RuntimeError(OVERLAP)
    if sharing == "any":
        return
    for other in others:
        if isinstance(other, graph.Tensor) and overlap(input, other) not in ("none", sharing):
            raise RuntimeError(SHARED)


def check_history(input: Any) -> None:
    if input._view is not None:
        if input._view.kind == NO_GRAD:
            raise RuntimeError(NO_GRAD_VIEW)
        if input._view.kind in (MULTIPLE, CUSTOM):
            text = MULTIPLE_VIEW if input._view.kind == MULTIPLE else CUSTOM_VIEW
            raise RuntimeError(f"{_origin(input)} {text}")
        base = input._view.base
        if base._edge is None and (base._requires_grad or input._requires_grad):
            raise RuntimeError(f"a view of a {LEAF}")
    if input._requires_grad and input._edge is None:
        raise RuntimeError(f"a {LEAF}")


def _before_write(row: Row, input: Any) -> Any:
    """The input as it was, for a node that outlives the old values."""
    first = row.parameters[0]
    saves_it = any(first in names for _, names in row.formulas)
    old = wrap(input._array.copy() if saves_it else input._array)
    old._requires_grad, old._edge = input._requires_grad, input._edge
    return old


def _rebase(tensor: Any, before: Any, node: Node) -> None:
    """Make `node` the newest history of a tensor that it has just written."""
    assert node.saved is not None
    version = tensor._version_counter[0]
    node.saved = [
        (v, version if getattr(v, "_saved_output_nr", None) == 0 else n) for v, n in node.saved
    ]
    if graph.packing is not None:
        graph.packing(node)
    _move_retained(before, tensor)
    if tensor._view is not None:
        rebase_view(tensor, node)


def rebase_view(tensor: Any, node: Node) -> None:
    """Put the node of an operation that wrote into a view behind the view's base."""
    base = tensor._view.base
    slices = CopySlices(gradient_edge(base), *geometries(tensor))
    slices.operation = node
    slices.edges = [*slices.edges, *node.edges[1:]]
    slices.outputs = [(base._array.shape, base._array.dtype)]
    before = base._edge
    base._edge, base._requires_grad = (slices, 0), True
    _move_retained(before, base)
    tensor._view.version = -1  # stale on purpose: the view's own history follows from its base's
    refresh_view(tensor)


def _move_retained(before: Any, tensor: Any) -> None:
    """`retain_grad` keeps the gradient of the newest values."""
    if before is None or before[0].hooks is None:
        return
    retained = before[0].hooks.retain.pop(before[1], None)
    if retained is not None:
        node, output_nr = tensor._edge
        hooks.of(node).retain[output_nr] = retained


LEAF = "leaf Variable that requires grad is being used in an in-place operation."
OVERWRITTEN = "its base or another view of its base has been modified inplace"
AMBIGUOUS = (
    "Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by "
    "moving both the view and the inplace either both inside the no_grad block (if you don't want "
    "the inplace to be tracked) or both outside (if you want the inplace to be tracked)."
)
NO_GRAD_VIEW = (
    "A view was created in no_grad mode and is being modified inplace with grad mode enabled. "
    f"{AMBIGUOUS}"
)
MULTIPLE_VIEW = (
    "is a view and is being modified inplace. This view is the output of a function that returns "
    "multiple views. Such functions do not allow the output views to be modified inplace. You "
    "should replace the inplace operation by an out-of-place one."
)
CUSTOM_VIEW = (
    "is a view and is being modified inplace. This view was created inside a custom Function (or because an "
    "input was returned as-is) and the autograd logic to handle view+inplace would override the custom "
    "backward associated with the custom Function, leading to incorrect gradients. This behavior is "
    "forbidden. You can fix this by cloning the output of the custom Function."
)
OVERLAP = (
    "unsupported operation: more than one element of the written-to tensor refers to a single "
    "memory location. Please clone() the tensor before performing the operation."
)
SHARED = (
    "unsupported operation: some elements of the input tensor and the written-to tensor refer to a "
    "single memory location. Please clone() the tensor before performing the operation."
)
INFERENCE_UPDATE = (
    "Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone "
    "to get a normal tensor before doing inplace update.See https://github.com/pytorch/rfcs/pull/17 for more "
    "details."
)
