"""The checks: one call of an op in both libraries, its results and gradients compared."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from op_db_compare import GRADIENT_ULPS, Mismatch, Rule, array, compare, tensors
from op_db_differences import CANCELS, GAUGE_FREE, TIES, UNDEFINED_VALUES
from op_db_translate import Absent, Arguments, Outside, function

import minigrad

np.seterr(all="ignore")


# --- running one call in both libraries ----------------------------------------------------------


@dataclass
class Pair:
    """One call in two libraries."""

    theirs: Callable[..., Any]
    ours: Callable[..., Any]

    def __iter__(self) -> Iterator[tuple[Any, Callable[..., Any]]]:
        return iter([(torch, self.theirs), (minigrad, self.ours)])


@dataclass
class Raised:
    error: Exception

    @property
    def kind(self) -> str:
        return next(c.__name__ for c in type(self.error).__mro__ if c.__module__ == "builtins")

    def __str__(self) -> str:
        return f"{self.kind}: {str(self.error).splitlines()[0] if str(self.error) else ''}"


def trace(error: Exception) -> str:
    """The message, then where it comes from."""
    last, *lines = traceback.format_exception(error)[-4:][::-1]
    return last + "".join(lines[::-1])


def attempt(call: Callable[..., Any], arguments: Arguments, inplace: bool = False) -> Any:
    """The result of a call, or what it raised. `inplace`: on a clone of its first argument, which
    must be the result, or untouched if an exception was raised."""
    first = arguments.input.clone() if inplace else arguments.input
    arguments.library.default_generator.manual_seed(0)
    try:
        result = call(first, *arguments.args, **arguments.kwargs)
    except (Absent, Outside):
        raise
    except Exception as error:
        if inplace and arguments.library is minigrad:
            untouched(first, arguments.input)
        return Raised(error)
    if inplace and result is not first:
        raise Mismatch("the result is not the Tensor that was changed")
    return result


def untouched(tensor: Any, before: Any) -> None:
    """An in-place op that raises leaves values and version as they were."""
    same = tensor.shape == before.shape and np.array_equal(
        array(tensor), array(before), equal_nan=True
    )
    if not same or tensor._version:
        raise Mismatch("the call raised, but only after it had changed its Tensor")


def both(pair: Pair, sample: Any, inplace: bool = False) -> tuple[list[Any], list[Arguments]]:
    """Results and arguments in both libraries; Mismatch if just one raises, or another exception."""
    arguments = [Arguments(library, sample) for library, _ in pair]
    results = [attempt(call, a, inplace) for (_, call), a in zip(pair, arguments, strict=True)]
    agree_on_raising(*results)
    return results, arguments


def agree_on_raising(theirs: Any, ours: Any) -> None:
    """Mismatch if just one of them raised, or another kind of exception."""
    if isinstance(theirs, Raised) and isinstance(ours, Raised):
        if theirs.kind != ours.kind:
            raise Mismatch(f"raises {ours}\ninstead of    {theirs}")
    elif isinstance(ours, Raised):
        raise Mismatch(
            f"raises {trace(ours.error).rstrip()}\ninstead of returning {theirs!r}"[:2000]
        )
    elif isinstance(theirs, Raised):
        raise Mismatch(f"does not raise {theirs}\nbut returns {ours!r}"[:2000])


def nudged(sample: Any, number: int) -> Arguments:
    """A sample's arguments for PyTorch, each floating-point number moved by one or two ULPs."""
    arguments = Arguments(torch, sample)
    generator = np.random.default_rng(number)
    with torch.no_grad():
        for tensor in arguments.tensors.values():
            if tensor.is_floating_point() and 0 not in tensor.stride():
                move(tensor, generator)
    precise = torch.float64 in (
        sample.kwargs.get("dtype"),
        *(t.dtype for t in arguments.tensors.values()),
    )
    eps = torch.finfo(torch.float64 if precise else torch.float32).eps

    def moved(value: Any, kind: type = float) -> Any:
        return value * (1 + eps * generator.choice([-1, 1])) if type(value) is kind else value

    arguments.input = moved(
        moved(arguments.input, int)
    )  # an integer there is a number: `linspace(0, 1)`
    arguments.args = tuple(map(moved, arguments.args))
    arguments.kwargs = {name: moved(value) for name, value in arguments.kwargs.items()}
    return arguments


def move(tensor: torch.Tensor, generator: np.random.Generator) -> None:
    """Move each number by one or two ULPs, up or down."""
    signs = torch.from_numpy(generator.choice([-1.0, 1.0], tuple(tensor.shape))).to(tensor.dtype)
    tensor.copy_(tensor + tensor * signs * torch.finfo(tensor.dtype).eps)


def forward(entry: Any, pair: Pair, sample: Any, inplace: bool = False) -> None:
    results, arguments = both(pair, sample, inplace)
    if not isinstance(results[0], Raised):
        compare_results(entry, pair, sample, *results, inplace)
        theirs, ours = (memory(r, a) for r, a in zip(results, arguments, strict=True))
        if ours != theirs:
            raise Mismatch(f"(versions, memory shared) are {ours} instead of {theirs}")
        if inplace and (results[0]._version > 0) != (results[1]._version > 0):
            raise Mismatch(f"the version is {results[1]._version}, not {results[0]._version}")


def memory(result: Any, arguments: Arguments) -> Any:
    """The versions of the arguments, and which results lie in whose memory: a copy that is missing
    or one too many, a change that was not counted."""
    found = [t.detach() for t in tensors(arguments.library, result)]
    given = [t.detach() for t in arguments.tensors.values()]
    lie_in = [
        (i, j)
        for i, one in enumerate(found)
        for j, other in enumerate(given)
        if one.numel() and np.may_share_memory(array(one), array(other))
    ]
    return [t._version for t in given], lie_in


def compare_results(
    entry: Any, pair: Pair, sample: Any, theirs: Any, ours: Any, inplace: bool = False
) -> None:
    """Compare the results of one call, as precisely as this entry's are determined."""

    def rerun(number: int) -> list[Any]:
        result = attempt(pair.theirs, nudged(sample, number), inplace)
        return [array(t) for t in tensors(torch, result)]

    def precise() -> list[Any]:
        result = attempt(pair.theirs, Arguments(torch, sample, double=True), inplace)
        return [array(t) for t in tensors(torch, result)]

    def rerun_processed(number: int) -> list[Any]:
        result = attempt(pair.theirs, nudged(sample, number), inplace)
        return [array(t) for t in tensors(torch, sample.output_process_fn_grad(result))]

    elementwise = type(entry).__name__ in ("UnaryUfuncInfo", "BinaryUfuncInfo")
    rule = Rule(
        least=0.0 if entry.name in CANCELS else None,
        rerun=None if elementwise and not sample.kwargs else rerun,
        precise=precise,
    )
    if entry.name in TIES:
        ours = same_choice(sample, TIES[entry.name], theirs, ours)
    free = entry.name in GAUGE_FREE
    compare(theirs, ours, rule, values=entry.name not in UNDEFINED_VALUES and not free)
    if free:  # unique only up to signs or phases: what the sample makes of it is unique
        process = processed(sample)
        compare(
            process.theirs(theirs), process.ours(ours), Rule(GRADIENT_ULPS, 0.0, rerun_processed)
        )


def out_form(entry: Any, pair: Pair, sample: Any) -> None:
    """Compare what a call writes into `out=`, and that this is what it returns."""
    expected = attempt(pair.theirs, Arguments(torch, sample, requires_grad=False))
    if isinstance(expected, Raised) or not tensors(torch, expected):
        return
    theirs, ours = (with_out(library, call, sample, expected) for library, call in pair)
    if isinstance(theirs, Raised):  # not every overload has `out`
        return
    if isinstance(ours, Raised):
        raise Mismatch(f"with out= minigrad raises {trace(ours.error)}")
    compare_results(entry, pair, sample, theirs, ours)
    written = zip(tensors(torch, theirs), tensors(minigrad, ours), strict=True)
    if any(one._version and not other._version for one, other in written):
        raise Mismatch("out= was not counted as changed")


def with_out(library: Any, call: Callable[..., Any], sample: Any, like: Any) -> Any:
    """The result of a call that writes into Tensors of ones, shaped as those in `like`."""
    outs = tuple(library.from_numpy(np.ones(t.shape, array(t).dtype)) for t in tensors(torch, like))
    arguments = Arguments(library, sample, requires_grad=False)
    arguments.kwargs["out"] = outs if isinstance(like, tuple) else outs[0]
    result = attempt(call, arguments)
    if result is None:  # a list of copies that are written returns nothing
        return outs
    if not isinstance(result, Raised):
        if not all(a is b for a, b in zip(tensors(library, result), outs, strict=True)):
            raise Mismatch(f"with out= {library.__name__} returns another Tensor")
    return result


def same_choice(sample: Any, place: int, theirs: Any, ours: Any) -> Any:
    """Our result with PyTorch's indices put in where both point at equal elements.

    `place`: where among the arguments after the first the dimension may be."""
    args, kwargs = sample.args, sample.kwargs
    dim = kwargs.get("dim", args[place] if len(args) > place else -1)
    if kwargs.get("stable") or sample.input.ndim == 0:
        return ours

    def chosen(index: Any) -> Any:
        kept = array(index)
        kept = kept if kept.ndim == sample.input.ndim else np.expand_dims(kept, dim)
        return np.take_along_axis(array(sample.input), kept, dim)

    one, other = (
        r if isinstance(r, (torch.Tensor, minigrad.Tensor)) else r[1] for r in (theirs, ours)
    )
    if tuple(one.shape) != tuple(other.shape) or not np.array_equal(
        chosen(one), chosen(other), equal_nan=True
    ):
        return ours
    same = minigrad.from_numpy(array(one))
    return ours._replace(indices=same) if hasattr(ours, "_replace") else same


def processed(sample: Any) -> Pair:
    """What an entry wants done with a result before it is differentiated."""
    return Pair(sample.output_process_fn_grad, function(sample.output_process_fn_grad))


# --- gradients -----------------------------------------------------------------------------------


def gradients(
    library: Any, result: Any, leaves: list[Any], seed: int, order: int, moved: int | None = None
) -> list[Any]:
    """The gradients of that order, of the leaves and of the weights of lower orders; [] if there are
    none. `moved`: for weights that moved by an ULP or two, by a generator with this seed."""
    inputs = list(leaves)
    grads = tensors(library, result)
    for level in range(order):
        outputs = [(i, t) for i, t in enumerate(grads) if t is not None and t.requires_grad]
        if not outputs:
            return []
        weights = [library.from_numpy(weight([seed, level, i], t, moved)) for i, t in outputs]
        last = level == order - 1
        for w in weights:
            w.requires_grad_(not last)
        grads = library.autograd.grad(
            [t for _, t in outputs], inputs, weights, create_graph=not last, allow_unused=True
        )
        inputs += weights
    return list(grads)


def weight(seed: list[int], like: Any, moved: int | None) -> Any:
    """Random numbers of a Tensor's shape and dtype."""
    numbers = np.random.default_rng(seed).standard_normal(tuple(like.shape))
    made = np.asarray(numbers, str(like.dtype).rpartition(".")[2])
    if moved is not None:
        move(torch.from_numpy(made), np.random.default_rng(moved))
    return made


def gradient(pair: Pair, sample: Any, order: int, seed: int, inplace: bool = False) -> None:
    """Compare the gradients of that order (those of lower ones have their own comparison)."""
    process = processed(sample)

    def taken(
        library: Any, call: Any, process: Any, arguments: Arguments, moved: int | None = None
    ) -> Any:
        result = attempt(call, arguments, inplace)
        if isinstance(result, Raised):
            return []
        try:
            return gradients(library, process(result), arguments.leaves, seed, order, moved)
        except Exception as error:
            return Raised(error)

    results, arguments = both(pair, sample, inplace)
    if isinstance(results[0], Raised):
        return
    theirs = taken(torch, pair.theirs, process.theirs, arguments[0])
    ours = taken(minigrad, pair.ours, process.ours, arguments[1])
    agree_on_raising(theirs, ours)
    if isinstance(theirs, Raised):
        return

    def rerun(number: int) -> list[Any]:
        grads = taken(torch, pair.theirs, process.theirs, nudged(sample, number), number)
        kept = zip(grads if isinstance(grads, list) else [], theirs, strict=False)
        return [array(g) for g, one in kept if one is not None and g is not None]

    rule = Rule(GRADIENT_ULPS * 16 ** (order - 1), largest(theirs), rerun)
    compare_gradients(theirs, ours, rule, order)


def largest(grads: list[Any]) -> float:
    """The largest finite number in any of the gradients."""
    numbers = [np.abs(array(g)).ravel() for g in grads if g is not None]
    return float(max((n[np.isfinite(n)].max(initial=0.0) for n in numbers), default=0.0))


def compare_gradients(theirs: list[Any], ours: list[Any], rule: Rule, order: int) -> None:
    """Of a first gradient it can be seen whether it is None or zeros (in `.grad`). Of later ones it
    cannot, and PyTorch has no rule for it: None counts as zeros there, no gradients as all None."""
    if order > 1:
        theirs, ours = theirs or [None] * len(ours), ours or [None] * len(theirs)
    if len(theirs) != len(ours):
        raise Mismatch(f"{len(ours)} gradients of order {order} instead of {len(theirs)}")
    place = 0
    for index, pair in enumerate(zip(theirs, ours, strict=True)):
        where = f"gradient {index} of order {order}"
        a, b = (None if g is None else array(g) for g in pair)
        if order > 1 and (a is None) != (b is None):
            a, b = (np.zeros_like(b), b) if a is None else (a, np.zeros_like(a))
        if (a is None) != (b is None):
            raise Mismatch(f"{where} is {pair[1]!r} instead of {pair[0]!r}")
        if a is not None:
            if a.shape != b.shape or a.dtype != b.dtype:
                raise Mismatch(
                    f"{where} is {b.dtype}{list(b.shape)} instead of {a.dtype}{list(a.shape)}"
                )
            rule.check(place, a, b, where)
        place += pair[0] is not None
