"""Gradient checkpointing: less memory for a second forward pass.

`checkpoint(f, x)` is `f(x)`, but what `f` would save for the backward pass is not kept. When the
backward pass arrives there, `f` runs once more to get it. The random number generator is set back
for that, so that dropout drops the same elements.

There are two ways. With `use_reentrant=False` `f` is recorded as always, and hooks on its saved
values (`autograd/graph.py`) throw them away and compute them again on demand. It is the one to
use: every kind of backward pass works. With `use_reentrant=True` `f` runs unrecorded, as a
`Function` whose backward records it anew and sends a second backward pass through it.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any

from .. import autograd, ops, random
from ..autograd import Function, enable_grad, no_grad
from ..autograd import node as graph
from ..autograd.grad_mode import is_grad_enabled
from ..autograd.graph import saved_tensors_hooks
from ..autograd.interface import is_partial
from ..warn import warn

Tensor = Any
Contexts = Callable[[], tuple[AbstractContextManager[Any], AbstractContextManager[Any]]]
__all__ = ["CheckpointError", "checkpoint", "checkpoint_sequential", "set_checkpoint_early_stop"]


class CheckpointError(RuntimeError):
    """The second run of a checkpointed function did not save what the first one did."""


def noop_context_fn() -> tuple[AbstractContextManager[Any], AbstractContextManager[Any]]:
    """Nothing around the forward run, nothing around the second one."""
    return nullcontext(), nullcontext()


def checkpoint(
    function: Callable[..., Any], *args: Any, use_reentrant: bool | None = None,
    context_fn: Contexts = noop_context_fn, determinism_check: str = "default", debug: bool = False,
    early_stop: bool = True, **kwargs: Any,
) -> Any:  # fmt: skip
    """`function(*args, **kwargs)`, whose saved values are computed again in the backward pass.

    `preserve_rng_state=False` (a keyword) does not set the random numbers back for that.
    `context_fn` returns two context managers, for the first and the second run.
    `determinism_check`: "default" compares shapes and dtypes of the two runs and raises
    CheckpointError, "none" does not. `debug` and `early_stop` are accepted: the second run always
    goes to its end. Keyword arguments, `context_fn` and `debug` need `use_reentrant=False`."""
    if use_reentrant is None:
        warn(NOT_EXPLICIT.format("", CHECKPOINT_WILL_RAISE), UserWarning)
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if use_reentrant:
        if kwargs:
            raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
        if context_fn is not noop_context_fn or debug is not False:
            raise ValueError(
                "Passing `context_fn` or `debug` is only supported when use_reentrant=False."
            )
        return CheckpointFunction.apply(function, preserve, *args)
    if determinism_check not in CHECKS:
        raise ValueError(
            f"determinism_check should be one of {list(CHECKS)}, but got {determinism_check}"
        )
    first, second = context_fn()
    if not is_grad_enabled():
        with first:
            return function(*args, **kwargs)
    rerun = _Rerun(function, args, kwargs, preserve, second, determinism_check == "default")
    with saved_tensors_hooks(rerun.pack, rerun.unpack), first:
        return function(*args, **kwargs)


def checkpoint_sequential(
    functions: Any, segments: int, input: Tensor, use_reentrant: bool | None = None, **kwargs: Any
) -> Tensor:
    """Run `functions` (a Sequential or a list) one after the other, in `segments` pieces.

    Each piece but the last is checkpointed."""
    if use_reentrant is None:
        text = NOT_EXPLICIT.format(".checkpoint_sequential", SEQUENTIAL_WILL_RAISE)
        warn(text, UserWarning)
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    functions = list(functions.children() if hasattr(functions, "children") else functions)
    size = len(functions) // segments
    last = size * (segments - 1)
    for start in range(0, last, size):
        piece = functions[start : start + size]
        input = checkpoint(
            _in_turn, piece, input, use_reentrant=use_reentrant, preserve_rng_state=preserve
        )
    return _in_turn(functions[last:], input)


def _in_turn(functions: Sequence[Callable[..., Any]], input: Tensor) -> Tensor:
    for function in functions:
        input = function(input)
    return input


@contextmanager
def set_checkpoint_early_stop(enable: bool) -> Iterator[None]:
    """Accepted for scripts that set it; the second run always goes to its end."""
    yield


# --- use_reentrant=False -------------------------------------------------------------------------


class _Inputs(Function):
    """Keeps the Tensors among the arguments the way a node keeps its inputs.

    So they are checked for changes, freed with the graph, and dropped by an outer checkpoint."""

    @staticmethod
    def forward(ctx: Any, marker: Tensor, *tensors: Tensor) -> Tensor:
        ctx.save_for_backward(*tensors)
        return marker.detach()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        raise AssertionError("nothing is computed from this output")


class _Rerun:
    """One checkpointed call: how to run it again, and what the last run saved, by position."""

    def __init__(
        self, function: Any, args: Any, kwargs: dict[str, Any], preserve: bool,
        context: AbstractContextManager[Any], check: bool,
    ) -> None:  # fmt: skip
        self.function, self.kwargs, self.context, self.check = function, kwargs, context, check
        self.state = random.get_rng_state() if preserve else None
        self.args = [None if isinstance(a, graph.Tensor) else a for a in args]
        self.places = [i for i, a in enumerate(args) if isinstance(a, graph.Tensor)]
        marker = ops.zeros(0, requires_grad=True)
        self.inputs = _Inputs.apply(marker, *[args[i] for i in self.places]).grad_fn
        self.holders: list[weakref.ref[_Holder]] = []  # one per saved Tensor of the first run
        self.values: dict[int, Tensor] = {}
        self.found = 0

    def pack(self, tensor: Tensor) -> _Holder:
        holder = _Holder(len(self.holders), describe(tensor))
        self.holders.append(weakref.ref(holder))
        return holder

    def unpack(self, holder: _Holder) -> Tensor:
        if holder.position not in self.values:
            self.run()
        return self.values.pop(holder.position)

    def run(self) -> None:
        """Compute what the call saves once more."""
        self.values, self.found = {}, 0
        args = list(self.args)
        for place, tensor in zip(self.places, self.inputs.saved_tensors, strict=True):
            args[place] = tensor
        with random_state(self.state), enable_grad(), self.context, ExitStack() as stack:
            stack.enter_context(saved_tensors_hooks(self.pack_again, lambda tensor: tensor))
            self.function(*args, **self.kwargs)
        if self.found < len(self.holders):
            raise CheckpointError(NUMBER.format(len(self.holders), self.found))
        if self.check:
            self.compare()

    def pack_again(self, tensor: Tensor) -> Tensor:
        if self.found >= len(self.holders):
            raise CheckpointError(MORE)
        if self.holders[self.found]() is not None:  # somebody may still ask for it
            self.values[self.found] = tensor.detach()
        self.found += 1
        return tensor.detach()

    def compare(self) -> None:
        """The Tensors of the two runs have to be of one kind."""
        different = ""
        for position, tensor in self.values.items():
            holder = self.holders[position]()
            if holder is not None and holder.description != describe(tensor):
                different += (
                    f"tensor at position {position}:\nsaved metadata: {holder.description}\n"
                    f"recomputed metadata: {describe(tensor)}\n"
                )
        if different:
            raise CheckpointError(METADATA.format(different))


class _Holder:
    """What a node keeps in place of a Tensor: its position among those that the call saved."""

    __slots__ = ("__weakref__", "description", "position")

    def __init__(self, position: int, description: dict[str, Any]) -> None:
        self.position, self.description = position, description


def describe(tensor: Tensor) -> dict[str, Any]:
    return {"shape": tensor.shape, "dtype": tensor.dtype, "device": tensor.device}


@contextmanager
def random_state(state: Tensor | None) -> Iterator[None]:
    """The default generator as it was at `state` for the block; None: as it is."""
    if state is None:
        yield
        return
    before = random.get_rng_state()
    random.set_rng_state(state)
    try:
        yield
    finally:
        random.set_rng_state(before)


# --- use_reentrant=True --------------------------------------------------------------------------


class CheckpointFunction(Function):
    """A call as one node, whose backward runs the call again and goes through its graph."""

    @staticmethod
    def forward(ctx: Any, run_function: Any, preserve_rng_state: bool, *args: Any) -> Any:
        if not any(isinstance(a, graph.Tensor) and a.requires_grad for a in args):
            warn(NO_GRADIENT, UserWarning)
        ctx.run_function = run_function
        ctx.state = random.get_rng_state() if preserve_rng_state else None
        ctx.places = [i for i, a in enumerate(args) if isinstance(a, graph.Tensor)]
        ctx.inputs = [None if i in ctx.places else a for i, a in enumerate(args)]
        ctx.save_for_backward(*[args[i] for i in ctx.places])
        with no_grad():
            return run_function(*args)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        if is_partial.get():
            raise RuntimeError(NO_PARTIAL_PASS)
        inputs = list(ctx.inputs)
        for place, tensor in zip(ctx.places, ctx.saved_tensors, strict=True):
            inputs[place] = tensor.detach().requires_grad_(tensor.requires_grad)
        with random_state(ctx.state), enable_grad():
            outputs = ctx.run_function(*inputs)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        pairs = [
            (output, gradient)
            for output, gradient in zip(outputs, grad_outputs, strict=True)
            if isinstance(output, graph.Tensor) and output.requires_grad
        ]
        if not pairs:
            raise RuntimeError(
                "none of output has requires_grad=True, this checkpoint() is not necessary"
            )
        autograd.backward([o for o, _ in pairs], [g for _, g in pairs])
        return None, None, *[i.grad if isinstance(i, graph.Tensor) else None for i in inputs]


CHECKS = ("default", "none")
NOT_EXPLICIT = (
    "torch.utils.checkpoint{}: the use_reentrant parameter should be passed explicitly. {} "
    "use_reentrant=False is recommended, but if you need to preserve the current default behavior, "
    "you can pass use_reentrant=True. Refer to docs for more details on the differences between the "
    "two variants."
)
CHECKPOINT_WILL_RAISE = (
    "Starting in PyTorch 2.9, calling checkpoint without use_reentrant will raise an exception."
)
SEQUENTIAL_WILL_RAISE = "In version 2.9 we will raise an exception if use_reentrant is not passed."
NO_GRADIENT = "None of the inputs have requires_grad=True. Gradients will be None"
NO_PARTIAL_PASS = (
    "When use_reentrant=True, torch.utils.checkpoint is incompatible with .grad() or passing an "
    "`inputs` parameter to .backward(). To resolve this error, you can either set "
    "use_reentrant=False, or call .backward() without passing the `inputs` argument."
)
NUMBER = (
    "torch.utils.checkpoint: A different number of tensors was saved during the original forward and "
    "recomputation.\nNumber of tensors saved during forward: {}\nNumber of tensors saved during "
    "recomputation: {}.\n"
)
MORE = (
    "torch.utils.checkpoint: trying to save more tensors during recomputation than during the original "
    "forward pass.\n"
)
METADATA = (
    "torch.utils.checkpoint: Recomputed values for the following tensors have different metadata than "
    "during the forward pass.\n{}.\n"
)
