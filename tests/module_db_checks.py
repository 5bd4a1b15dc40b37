"""The checks: one module with one input in both libraries, and all that can be seen of it."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from op_db_checks import Raised, agree_on_raising, compare_gradients, gradients, largest, move
from op_db_compare import GRADIENT_ULPS, Mismatch, Rule, array, compare, flat, tensors
from op_db_translate import Absent, Arguments, Outside, constant

import minigrad

LIBRARIES = (torch, minigrad)
SEED = 7


# --- what is made in both libraries --------------------------------------------------------------


@dataclass
class Recipe:
    """A module that is an argument of another one: its class's name and its arguments."""

    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    input: Any = None  # a sample of the operator database has one

    def __repr__(self) -> str:
        words = [*map(repr, self.args), *(f"{k}={v!r}" for k, v in self.kwargs.items())]
        return f"{self.name}({', '.join(words)})"

    def make(self, library: Any, double: bool = False) -> Any:
        given = Ingredients(library, self, double=double)
        return module_class(library, self.name)(*given.args, **given.kwargs)


class Ingredients(Arguments):
    """Copies of arguments for one of the libraries, where a Recipe becomes a module."""

    def copy(self, value: Any) -> Any:
        if isinstance(value, Recipe):
            return value.make(self.library, self.double)
        if self.library is minigrad and callable(value) and not isinstance(value, type):
            return constant(value)
        return super().copy(value)


@dataclass
class Sample:
    """One way to make a module, and one input. (`input`, `args` and `kwargs` are for the report.)"""

    input: Recipe
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    dtype: torch.dtype
    training: bool
    is_called: bool = True
    has_gradient: bool = True
    desc: str = ""
    cache: dict[Any, Any] = field(default_factory=dict, repr=False)

    @cached_property
    def theirs(self) -> Case:
        return Case(torch, self)

    @cached_property
    def ours(self) -> Case:
        return Case(minigrad, self)

    def __iter__(self) -> Iterator[Case]:
        return iter((self.theirs, self.ours))


class Case:
    """A sample in one library: the module, its state before the call, and the outcome of it.

    `double`: in float64. `moved`: with all numbers moved by an ULP or two, by a generator with this
    seed."""

    def __init__(
        self, library: Any, sample: Sample, double: bool = False, moved: int | None = None
    ) -> None:
        self.library, self.sample, self.moved = library, sample, moved
        self.arguments = Ingredients(library, sample, double=double)
        library.default_generator.manual_seed(SEED)
        self.module = sample.input.make(library, double)
        self.next_draw = library.rand(2).tolist()
        dtype = torch.float64 if double else sample.dtype
        self.module.to(dtype if library is torch else constant(dtype)).train(sample.training)
        if moved is not None:
            self._move(np.random.default_rng(moved))

    def _move(self, generator: np.random.Generator) -> None:
        held = [*self.module.parameters(), *self.arguments.tensors.values()]
        with torch.no_grad():
            for tensor in held:
                if tensor.is_floating_point() and not uninitialized(tensor):
                    move(tensor, generator)

    @cached_property
    def result(self) -> Any:
        """What calling the module gives, or what it raises."""
        self.library.default_generator.manual_seed(SEED)
        self.before = self._versions()
        try:
            return self.module(*self.arguments.args, **self.arguments.kwargs)
        except (Absent, Outside):
            raise
        except Exception as error:
            return Raised(error)

    def _versions(self) -> dict[Any, int]:
        held = [*enumerate(self.arguments.tensors.values()), *self.module.named_buffers()]
        return {name: t._version for name, t in held if not uninitialized(t)}

    def changes(self) -> dict[Any, int]:
        """How often the call has changed each argument and buffer in place."""
        after = self._versions()
        return {name: after[name] - version for name, version in self.before.items()}

    @property
    def leaves(self) -> list[Any]:
        parameters = [p for p in self.module.parameters() if p.requires_grad]
        return [*self.arguments.leaves, *parameters]

    def gradients(self, order: int, seed: int) -> Any:
        """Gradients of that order, of inputs and parameters, or what taking them raises."""
        fresh = Case(self.library, self.sample, moved=self.moved)
        if isinstance(fresh.result, Raised):
            return []
        try:
            return gradients(self.library, fresh.result, fresh.leaves, seed, order, self.moved)
        except Exception as error:
            return Raised(error)

    def arrays(self) -> list[Any]:
        """The numbers of the result, then of the state after the call."""
        held = [*tensors(self.library, self.result), *self.module.state_dict().values()]
        return [array(t) for t in held]


def module_class(library: Any, name: str) -> type:
    found = getattr(library.nn, name, None)
    if found is None:
        raise Absent(f"nn.{name}")
    return found


def uninitialized(tensor: Any) -> bool:
    """Whether a lazy module has not yet found out the tensor's shape."""
    return type(tensor).__name__.startswith("Uninitialized")


def neutral(text: str) -> str:
    return re.sub(r" at 0x[0-9a-f]+", "", text.replace("minigrad.", "torch."))


def same(theirs: Any, ours: Any, what: str) -> None:
    if theirs != ours:
        raise Mismatch(f"{what} is {ours!r}\ninstead of {theirs!r}")


# --- one check each ------------------------------------------------------------------------------


def signature(name: str) -> None:
    """Names, order, kinds and defaults of the parameters of the constructor and of `forward`."""
    for method in ("__init__", "forward"):
        theirs, ours = (
            [
                (p.name, p.kind.name, neutral(str(p.default)))
                for p in inspect.signature(
                    getattr(module_class(library, name), method)
                ).parameters.values()
            ]
            for library in LIBRARIES
        )
        same(theirs, ours, f"the signature of {method}")


def construct(sample: Sample) -> None:
    """The same modules, parameters and buffers with equal bits, and as many random numbers drawn."""
    for what in (_children, _state, _registered):
        same(what(sample.theirs.module), what(sample.ours.module), f"{what.__name__[1:]}")
    same(sample.theirs.next_draw, sample.ours.next_draw, "the next random number")


def _children(module: Any) -> list[Any]:
    return [(name, type(child).__name__, child.training) for name, child in module.named_modules()]


def _state(module: Any) -> list[Any]:
    return [(name, *_bits(tensor)) for name, tensor in module.state_dict().items()]


def _registered(module: Any) -> list[Any]:
    params = [(n, type(p).__name__, p.requires_grad) for n, p in module.named_parameters()]
    return params + [(name, _bits(buffer)[:2]) for name, buffer in module.named_buffers()]


def _bits(tensor: Any) -> tuple[Any, ...]:
    if uninitialized(tensor):
        return (type(tensor).__name__,)
    dtype = str(tensor.dtype).rpartition(".")[2]
    return dtype, tuple(tensor.shape), tensor.detach().flatten().tolist()


def representation(sample: Sample) -> None:
    theirs, ours = (repr(case.module) for case in sample)
    same(theirs, neutral(ours), "repr")


def forward(sample: Sample) -> None:
    """The result, and the module's state after it (running statistics)."""
    theirs, ours = sample
    agree_on_raising(theirs.result, ours.result)
    if isinstance(theirs.result, Raised):
        return

    def again(**how: Any) -> list[Any]:
        case = Case(torch, sample, **how)
        return [] if isinstance(case.result, Raised) else case.arrays()

    rule = Rule(rerun=lambda number: again(moved=number), precise=lambda: again(double=True))
    after = [list(case.module.state_dict().values()) for case in sample]
    compare((theirs.result, after[0]), (ours.result, after[1]), rule)
    same(theirs.changes(), ours.changes(), "the number of changes in place")


def graph(sample: Sample) -> None:
    """The node that made each result."""
    theirs, ours = (
        [t.grad_fn and t.grad_fn.name() for t in flat(case.result) if hasattr(t, "grad_fn")]
        for case in sample
    )
    same(theirs, ours, "grad_fn")


def gradient(sample: Sample, order: int, seed: int) -> None:
    theirs, ours = (case.gradients(order, seed) for case in sample)
    agree_on_raising(theirs, ours)
    if isinstance(theirs, Raised):
        return

    def rerun(number: int) -> list[Any]:
        grads = Case(torch, sample, moved=number).gradients(order, seed)
        kept = zip(grads if isinstance(grads, list) else [], theirs, strict=False)
        return [array(g) for g, one in kept if one is not None and g is not None]

    # The gradient of the result is about 1: what a saturated function leaves of it is as precise.
    rule = Rule(GRADIENT_ULPS * 16 ** (order - 1), max(1.0, largest(theirs)), rerun)
    compare_gradients(theirs, ours, rule, order)


def copies(sample: Sample) -> None:
    """A copy, a deep copy and an unpickled module look and compute as the module does; a module that
    is made with other random numbers does so once it has loaded the module's state."""
    original = Case(minigrad, sample)
    expected = original.library.nn, _state(original.module), repr(original.module)
    for way, make in WAYS.items():
        case = Case(minigrad, sample)
        case.module = make(case)
        same(expected[1:], (_state(case.module), repr(case.module)), way)
        if sample.is_called:
            agree_on_raising(original.result, case.result)
            rule = Rule(least=0.0)  # the copy's memory may be laid out in another way
            for place, arrays in enumerate(zip(original.arrays(), case.arrays(), strict=True)):
                rule.check(place, *arrays, f"{way}: result {place}")


def _loaded(case: Case) -> Any:
    """A module with other initial values, which then loads the case's."""
    made = case.sample.input.make(minigrad)
    made.to(constant(case.sample.dtype)).train(case.sample.training)
    same(
        "<All keys matched successfully>", repr(made.load_state_dict(case.module.state_dict())), ""
    )
    return made


WAYS: dict[str, Callable[[Case], Any]] = {
    "copy": lambda case: copy.copy(case.module),
    "deepcopy": lambda case: copy.deepcopy(case.module),
    "pickle": lambda case: pickle.loads(pickle.dumps(case.module)),
    "load_state_dict": _loaded,
}


def error(sample: Sample) -> None:
    """The kind of exception that making or calling the module raises."""

    def attempt(library: Any) -> Any:
        try:
            return Case(library, sample).result
        except (Absent, Outside):
            raise
        except Exception as raised:
            return Raised(raised)

    agree_on_raising(*map(attempt, LIBRARIES))
