"""What a module's backward hooks hang on: an identity before its inputs and one behind its outputs.

The gradient of the outputs passes the second identity first; there it is noted, and the pre-hooks
may replace it. When the gradient of the inputs arrives at the first one, the hooks are called with
both. What is no Tensor is None in what the hooks see.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any

from ...autograd.function import Function
from ...autograd.grad_mode import is_grad_enabled
from ...tensor import Tensor
from ...warn import warn

__all__ = ["BackwardHook", "warn_if_incomplete", "with_module"]

Hook = Callable[..., Any]
Gradients = tuple[Any, ...]


class BackwardHookFunction(Function):
    """The identity, a node of the graph for all tensors together."""

    @staticmethod
    def forward(ctx: Any, *args: Tensor) -> tuple[Tensor, ...]:
        ctx.mark_non_differentiable(*[arg for arg in args if not arg.requires_grad])
        return args

    @staticmethod
    def backward(ctx: Any, *args: Any) -> Gradients:
        return args


class BackwardHook:
    """The hooks of one module during one call of it."""

    def __init__(self, module: Any, hooks: list[Hook], pre_hooks: list[Hook]) -> None:
        self.module, self.hooks, self.pre_hooks = module, hooks, pre_hooks
        self.grad_outputs: Gradients | None = None
        self.input_places: list[int] | None = None  # where the Tensors are among the inputs
        self.output_places: list[int] | None = None
        self.input_count = self.output_count = 0

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The module's inputs, behind an identity whose gradient calls the hooks."""
        self.input_count = len(args)
        args, self.input_places = _through_identity(args, self._at_the_inputs)
        return args

    def leave(self, result: Any) -> Any:
        """The module's outputs, behind an identity that notes their gradients."""
        outputs = result if isinstance(result, tuple) else (result,)
        self.output_count = len(outputs)
        outputs, self.output_places = _through_identity(outputs, self._at_the_outputs)
        return outputs if isinstance(result, tuple) else outputs[0]

    def _at_the_inputs(self, grad_input: Gradients, _: Gradients) -> Gradients | None:
        if self.grad_outputs is None:  # a gradient that did not come through the outputs
            return None
        places = self.input_places or []
        found = _spread(places, grad_input, self.input_count)
        for hook in self.hooks:
            changed = hook(self.module, found, self.grad_outputs)
            if changed is not None:
                _check_count("hook", "grad_input", changed, found)
                found = changed
        self.grad_outputs = None
        return tuple(found[place] for place in places)

    def _at_the_outputs(self, _: Gradients, grad_output: Gradients) -> Gradients:
        places = self.output_places or []
        found = _spread(places, grad_output, self.output_count)
        for hook in self.pre_hooks:
            changed = hook(self.module, found)
            if changed is not None:
                _check_count("pre hook", "grad_output", changed, found)
                found = changed
        self.grad_outputs = found
        if self.input_places is None:
            self._call_without_inputs(found)
        return tuple(found[place] for place in places)

    def _call_without_inputs(self, grad_outputs: Gradients) -> None:
        """No input has a gradient: the hooks are called here, as none will arrive there."""
        warn(
            "Full backward hook is firing when gradients are computed with respect to module outputs since no "
            "inputs require gradients. See "
            "https://docs.pytorch.org/docs/main/generated/torch.nn.Module.html"
            "#torch.nn.Module.register_full_backward_hook for more details."
        )
        for hook in self.hooks:
            changed = hook(self.module, (None,) * self.input_count, grad_outputs)
            nothing = isinstance(changed, tuple) and all(grad is None for grad in changed)
            if changed is not None and not nothing:
                raise RuntimeError(
                    "Backward hook for Modules where no input requires gradient should always return None or "
                    "None for all gradients."
                )
        self.grad_outputs = None


def _through_identity(values: Any, hook: Hook) -> tuple[Any, list[int] | None]:
    """The values with their Tensors behind an identity that has this hook, and where they are; the
    same values and None if no gradient will come."""
    places = [i for i, value in enumerate(values) if isinstance(value, Tensor)]
    tensors = [values[i] for i in places]
    if not (any(t.requires_grad for t in tensors) and is_grad_enabled()):
        return values, None
    results = BackwardHookFunction.apply(*tensors)
    node = next(t.grad_fn for t in results if t.grad_fn is not None)
    node.register_hook(hook)
    replaced = list(values)
    for place, result in zip(places, results, strict=True):
        replaced[place] = result
    return (tuple(replaced) if type(values) is tuple else type(values)(*replaced)), places


def _spread(places: list[int], values: Sequence[Any], count: int) -> Gradients:
    found = dict(zip(places, values, strict=True))
    return tuple(found.get(place) for place in range(count))


def _check_count(kind: str, name: str, got: Sequence[Any], expected: Sequence[Any]) -> None:
    if len(got) != len(expected):
        raise RuntimeError(
            f"Backward {kind} returned an invalid number of {name}, got {len(got)}, but expected {len(expected)}"
        )


# --- the older kind, which hangs on the last node of a module ------------------------------------


def with_module(hook: Hook, module: Any) -> Hook:
    """`hook` called with the module first, to which it holds no reference."""
    reference = weakref.ref(module)

    def call(grad_input: Gradients, grad_output: Gradients) -> Any:
        owner = reference()
        if owner is None:
            raise RuntimeError("You are trying to call the hook of a dead Module!")
        return hook(owner, grad_input, grad_output)

    return call


def warn_if_incomplete(inputs: Any, result: Any, node: Any) -> None:
    """Warn if the last node of a module is not all of it, so that a hook on it sees too little."""
    results = (result,) if isinstance(result, Tensor) else result
    if not _all_tensors(results):
        _warn(
            "Using non-full backward hooks on a Module that does not return a single Tensor or a tuple of "
            "Tensors is deprecated and will be removed in future versions. This hook will be missing some of "
            "the grad_output. Please use register_full_backward_hook to get the documented behavior."
        )
        return
    if not _all_tensors(inputs):
        _warn(
            "Using non-full backward hooks on a Module that does not take as input a single Tensor or a tuple "
            "of Tensors is deprecated and will be removed in future versions. This hook will be missing some "
            "of the grad_input. Please use register_full_backward_hook to get the documented behavior."
        )
        return
    if len({t.grad_fn for t in results if t.grad_fn is not None}) > 1:
        _warn(
            "Using a non-full backward hook when outputs are generated by different autograd Nodes is "
            "deprecated and will be removed in future versions. This hook will be missing some grad_output. "
            "Please use register_full_backward_hook to get the documented behavior."
        )
        return
    made_by = {t.grad_fn for t in inputs if t.grad_fn is not None}
    if made_by != {edge[0] for edge in node.next_functions}:
        _warn(
            "Using a non-full backward hook when the forward contains multiple autograd Nodes is deprecated "
            "and will be removed in future versions. This hook will be missing some grad_input. Please use "
            "register_full_backward_hook to get the documented behavior."
        )


def _all_tensors(values: Any) -> bool:
    return isinstance(values, tuple) and all(isinstance(value, Tensor) for value in values)


def _warn(text: str) -> None:
    warn(text, FutureWarning)
