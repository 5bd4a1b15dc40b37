"""`autograd.Function`: operations whose forward and backward the user writes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import gpu
from . import anomaly, grad_mode, inplace
from . import node as graph
from .node import Node, gradient_edge, next_sequence_nr, refresh

Tensor = Any


class FunctionCtx(Node):
    """The node of a custom operation, and the `ctx` that its forward and backward are given."""

    materialize = True
    _freed = False
    _memory: int | None = None  # the number of the GPU where the results are
    _tensor_positions: tuple[int, ...] = ()
    function: type[Function]

    def __init__(self) -> None:
        self.edges, self.saved, self.hooks, self.notes = (), [], None, None
        self.shape, self.dtype, self.other_outputs = (), None, ()
        self.sequence_nr = next_sequence_nr()
        self._dirty: tuple[Tensor, ...] = ()
        self._non_differentiable: tuple[Tensor, ...] = ()
        self.needs_input_grad: tuple[bool, ...] = ()
        self._to_save: tuple[Tensor | None, ...] = ()

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep inputs, outputs or other Tensors (or None) for backward, checked for changes."""
        for tensor in tensors:
            if tensor is not None and not isinstance(tensor, graph.Tensor):
                raise TypeError(
                    f"save_for_backward can only save variables, but argument {tensors.index(tensor)} is of "
                    f"type {type(tensor).__name__}"
                )
        self._to_save = tensors

    def save_for_forward(self, *tensors: Tensor | None) -> None:
        """Accepted for scripts that also define `jvp`; nothing is kept."""

    def mark_dirty(self, *tensors: Tensor) -> None:
        """Name the inputs that forward changed in place."""
        self._dirty = tensors

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """Name the outputs that have no gradient."""
        self._non_differentiable = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Whether backward is given zeros (True, the default) or None for unused outputs."""
        self.materialize = value

    @property
    def saved_tensors(self) -> tuple[Tensor | None, ...]:
        """What `save_for_backward` kept."""
        if self._freed:
            raise RuntimeError(anomaly.FREED)
        tensors = []
        for value, version in self.saved or ():
            if value is not None and value._version_counter[0] != version:
                raise RuntimeError(anomaly.modified(value, version or 0, self))
            tensors.append(None if value is None else self._placed(value))
        return tuple(tensors)

    def release(self) -> None:
        if any(value is not None for value, _ in self.saved or ()):
            self.saved, self._freed = [], True

    def name(self) -> str:
        return f"{self.function.__name__}Backward"

    def apply(self, grads: Sequence[Any], on_tensors: bool, useful: Any = None) -> list[Any]:
        """Run the user's backward and check what it returns."""
        arguments = [self._incoming(i, g) for i, g in enumerate(grads)]
        returned = self.function.backward(self, *arguments)
        returned = list(returned) if isinstance(returned, tuple) else [returned]
        expected = len(self.needs_input_grad)
        if len(returned) > expected and all(r is None for r in returned[expected:]):
            returned = returned[:expected]
        if len(returned) != expected:
            raise RuntimeError(
                f"function {self.name()} returned an incorrect number of gradients (expected {expected}, "
                f"got {len(returned)})"
            )
        for position, gradient in enumerate(returned):
            if gradient is not None and position not in self._tensor_positions:
                raise RuntimeError(
                    f"function {self.name()} returned a gradient different than None at position "
                    f"{position + 1}, but the corresponding forward input was not a Variable"
                )
        return [self._outgoing(i, returned[i], on_tensors) for i in self._tensor_positions]

    def _incoming(self, output_nr: int, gradient: Any) -> Tensor | None:
        if gradient is None:
            shape, dtype = self.outputs[output_nr]
            if not self.materialize or dtype is None:
                return None
            gradient = gpu.placed(np.zeros(shape, dtype), self._memory)
        return gradient if isinstance(gradient, graph.Tensor) else graph.wrap(gradient)

    def _outgoing(self, index: int, gradient: Tensor | None, on_tensors: bool) -> Any:
        edge = self.edges[self._tensor_positions.index(index)]
        if gradient is None:
            return None
        if not isinstance(gradient, graph.Tensor):
            raise RuntimeError(f"expected Variable or None (got {type(gradient).__name__})")
        if edge is None:  # goes nowhere, but hooks see it
            return gradient if on_tensors else gradient._array
        target, output_nr = edge
        shape = target._array.shape if output_nr is None else target.outputs[output_nr][0]
        if not _fits(gradient._array.shape, shape):
            raise RuntimeError(
                f"Function {self.name()} returned an invalid gradient at index {index} - got "
                f"{list(gradient._array.shape)} but expected shape compatible with {list(shape)}"
            )
        return gradient if on_tensors else gradient._array[...]


def _fits(gradient: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Whether a gradient can be summed to `shape`."""
    extra = len(gradient) - len(shape)
    return extra >= 0 and all(s in (1, g) for s, g in zip(shape, gradient[extra:], strict=True))


class Function:
    """Derive from this class, write `forward` and `backward` as static methods, call `apply`.

    `forward(ctx, *args)` computes with Tensors outside of the graph; or `forward(*args)` with a
    separate `setup_context(ctx, inputs, output)`. `backward(ctx, *grad_outputs)` returns one
    gradient per argument of forward, None where there is none."""

    _node_class: type[FunctionCtx]

    def __init_subclass__(cls) -> None:
        cls._node_class = type(f"{cls.__name__}Backward", (FunctionCtx,), {"function": cls})

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """The operation; to be overridden."""
        raise NotImplementedError(
            "You must implement the forward function for custom autograd.Function."
        )

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Its gradient; to be overridden."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function to use "
            "it with backward mode AD."
        )

    vjp = backward

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        """Where a forward without `ctx` keeps what backward needs."""
        raise NotImplementedError("setup_context is not implemented.")

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run forward and record one node for it."""
        if cls.vjp is not Function.vjp and cls.backward is Function.backward:
            cls.backward = staticmethod(cls.vjp)  # type: ignore[method-assign]
        ctx = cls._node_class()
        tensors = [a for a in args if isinstance(a, graph.Tensor)]
        refresh(*tensors)
        recording = grad_mode.is_recording() and any(t._requires_grad for t in tensors)
        ctx.needs_input_grad = tuple(isinstance(a, graph.Tensor) and a._requires_grad for a in args)
        ctx._tensor_positions = tuple(i for i, a in enumerate(args) if isinstance(a, graph.Tensor))
        ctx.edges = tuple(gradient_edge(t) for t in tensors) if recording else ()
        with grad_mode.no_grad():
            output = cls._forward(ctx, args, kwargs)
        results = list(output) if isinstance(output, tuple) else [output]
        for tensor in ctx._dirty:
            tensor._bump_version()
        if recording:
            results = _attach(ctx, results, tensors)
        _keep(ctx, results, recording)
        if anomaly.enabled:
            anomaly.note(ctx, None, tensors, results)
        return tuple(results) if isinstance(output, tuple) else results[0]

    @classmethod
    def _forward(cls, ctx: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if cls.setup_context is Function.setup_context:
            return cls.forward(ctx, *args, **kwargs)
        output = cls.forward(*args, **kwargs)
        cls.setup_context(ctx, args, output)
        return output


def _attach(ctx: FunctionCtx, results: list[Any], inputs: list[Tensor]) -> list[Any]:
    """Put the node behind the differentiable results."""
    for tensor in ctx._dirty:
        if not any(tensor is r for r in results):
            raise RuntimeError(
                "Some elements marked as dirty during the forward method were not returned as output. The "
                "inputs that are modified inplace must all be outputs of the Function."
            )
    excluded = [id(t) for t in ctx._non_differentiable]
    attached, outputs = [], []
    for output_nr, result in enumerate(results):
        is_tensor = isinstance(result, graph.Tensor)
        outputs.append((result._array.shape, result._array.dtype) if is_tensor else ((), None))
        if is_tensor and result._array.dtype.kind == "f" and id(result) not in excluded:
            kind = inplace.CUSTOM if len(results) == 1 else inplace.MULTIPLE
            result = _placed_result(ctx, result, inputs, output_nr, kind)
        attached.append(result)
    ctx.outputs = outputs
    first = next((r._array for r in results if isinstance(r, graph.Tensor)), None)
    ctx._memory = None if first is None else gpu.index_of(first)
    return attached


def _placed_result(
    ctx: FunctionCtx, result: Tensor, inputs: list[Tensor], output_nr: int, kind: str
) -> Tensor:
    if any(result is t for t in ctx._dirty):
        if result._edge is None and result._requires_grad:
            raise RuntimeError(
                "a leaf Variable that requires grad has been used in an in-place operation."
            )
        inplace.check_history(result)
        if result._view is not None:
            result._edge = (ctx, output_nr)
            inplace.rebase_view(result, ctx)
            return result
    elif any(result is t for t in inputs):  # forward returned an input: a view of it, as in PyTorch
        source, result = result, result._alias()
        inplace.share_memory(result, source, kind, True)
    elif result._view is not None:  # one that forward made, where nothing was recorded
        result._view.kind = kind
    result._edge, result._requires_grad = (ctx, output_nr), True
    return result


def _keep(ctx: FunctionCtx, results: list[Any], recording: bool) -> None:
    """Turn what `save_for_backward` was given into saved values that hold no cycle."""
    saved = []
    for tensor in ctx._to_save if recording else ():
        if tensor is not None and tensor._edge is not None and tensor._edge[0] is ctx:
            output_nr = tensor._edge[1]
            tensor = tensor._alias()
            tensor._saved_output_nr = output_nr
        saved.append((tensor, None if tensor is None else tensor._version_counter[0]))
    ctx.saved, ctx._to_save = saved, ()
    if graph.packing is not None:
        graph.packing(ctx)
    ctx._dirty = ctx._non_differentiable = ()


Function._node_class = type("FunctionBackward", (FunctionCtx,), {"function": Function})


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """For a `backward` that cannot itself be differentiated: doing so raises."""

    @functools.wraps(backward)
    def once(ctx: Any, *grads: Any) -> Any:
        recorded = grad_mode.is_recording() and any(
            g is not None and g._requires_grad for g in grads
        )
        with grad_mode.no_grad():
            out = backward(ctx, *grads)
        if not recorded:
            return out
        several = isinstance(out, tuple)
        marker = graph.wrap(np.zeros(())).requires_grad_()
        found = [
            o if o is None else _ErrorNode.apply(o, marker) for o in (out if several else (out,))
        ]
        return tuple(found) if several else found[0]

    return once


class _ErrorNode(Function):
    @staticmethod
    def forward(ctx: Any, tensor: Any, marker: Any) -> Any:
        return tensor.detach()

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        raise RuntimeError(
            "trying to differentiate twice a function that was marked with @once_differentiable"
        )
