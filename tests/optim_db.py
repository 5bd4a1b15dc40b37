"""PyTorch's own optimizer database, run against minigrad.

PyTorch ships with the list that its developers test optimizers by: for each the configurations
that it should be tried with, schedules to combine it with, and arguments that are mistakes. Each
entry that minigrad has is run here in both libraries, on float32 and on float64 parameters:

    steps      20 steps with the same gradients; after each, parameters and state are compared
    repr       what `print(optimizer)` shows, and the groups of the state dict
    resume     10 steps of PyTorch's, `torch.save`, and 10 steps of minigrad's that go on from there
    reload     the same from minigrad to minigrad, which must not change a bit
    flags      `foreach`, `fused` and `differentiable`, where the entry supports them
    schedule   30 steps with each of the entry's schedules: the same learning rates, to the last bit
    error      type and text of the exception for each mistake

`python tests/optim_db.py` prints the counts and what fails, `--only Adam LBFGS` these entries.
`DIFFERENCES` is the list of what may differ, and why.
"""

from __future__ import annotations

import argparse
import io
import sys
import traceback
import types
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch.testing._internal.common_optimizers import OptimizerErrorEnum, optim_db

import minigrad

DTYPES = (torch.float32, torch.float64)
SHAPES = [(3,), (7, 9), (), (5, 1), (2, 3, 4)]
STEPS = 20

# How far values may be from PyTorch's, in ULPs of the largest of their array. Rules without a
# square root are bit-equal; PyTorch's vectorised one is up to 0.75 ULP off where NumPy's is exact.
ULPS = {
    "SGD": 0,
    "Adamax": 0,
    "Rprop": 0,
    "ASGD": 0,
    "Adadelta": 12,  # the root of a quotient of roots is fed back into the state
    "Adafactor": 32,  # norms, and a matrix product
    "LBFGS": 2**14,  # an iteration amplifies how dot products are rounded
}
USUAL_ULPS = 4


@dataclass(frozen=True)
class Difference:
    """Checks of an entry that may fail, and why."""

    entry: str
    check: str
    word: str  # that is in the description of the configuration
    reason: str


_CAST = "loading casts the float32 counter to the parameter's dtype, and so does PyTorch"
DIFFERENCES = [
    Difference("ASGD", "reload", "float64", _CAST),
    Difference("NAdam", "reload", "float64", _CAST),
]


@dataclass
class Report:
    """What became of the checks of one entry."""

    name: str
    passed: Counter[str] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    outside: int = 0  # checks with complex numbers

    def note(self, check: str, described: str, run: Callable[[], None]) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                run()
        except Outside:
            self.outside += 1
        except Exception as error:
            for d in DIFFERENCES:
                if (d.entry, d.check) == (self.name, check) and d.word in described:
                    self.known[check] += 1
                    return
            text = str(error) if isinstance(error, AssertionError) else traceback.format_exc()
            self.failed.append(f"{self.name} {check} [{described}]: {text}")
        else:
            self.passed[check] += 1


# --- entries -------------------------------------------------------------------------------------

LEFT_OUT = {
    "SparseAdam": "sparse tensors do not exist here; it raises NotImplementedError",
    "Muon": "bfloat16 does not exist here; it raises NotImplementedError",
}


def entries() -> dict[str, Any]:
    return {info.name: info for info in optim_db}


def present() -> list[str]:
    return [name for name in entries() if name not in LEFT_OUT]


def configurations(info: Any, dtype: Any) -> list[Any]:
    return list(info.optim_inputs_func(device="cpu", dtype=dtype))


def translated(value: Any, library: Any, made_before: dict[int, Any] | None = None) -> Any:
    """An argument of PyTorch's as one of `library`: tensors are copied, each of them once."""
    memo: dict[int, Any] = {} if made_before is None else made_before
    if isinstance(value, torch.Tensor):
        if id(value) in memo:
            return memo[id(value)]
        if value.is_complex():
            raise Outside("complex numbers")
        made = library.from_numpy(value.detach().numpy().copy())
        if isinstance(value, torch.nn.Parameter):
            made = library.nn.Parameter(made)
        if value.grad is not None:
            made.grad = translated(value.grad, library)
        memo[id(value)] = made
        return made
    if isinstance(value, dict):
        return {k: translated(v, library, memo) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(translated(v, library, memo) for v in value)
    return value


class Outside(Exception):
    """What minigrad does not claim."""


# --- one side of a comparison --------------------------------------------------------------------


class Training:
    """Parameters of several shapes and an optimizer, in one library."""

    def __init__(self, library: Any, info: Any, kwargs: dict[str, Any], dtype: Any) -> None:
        self.library, self.info, self.done = library, info, 0
        self.changed: list[str] = []
        self.kwargs, self.torch_dtype = kwargs, dtype
        self.dtype = str(dtype).rpartition(".")[2]
        draw = np.random.default_rng(0)
        self.params = [
            library.from_numpy(np.asarray(draw.standard_normal(shape), self.dtype))
            for shape in SHAPES
        ]
        for p in self.params:
            p.requires_grad_()
        cls = getattr(library.optim, info.name)
        self.optimizer = cls(self.params, **translated(kwargs, library))

    def step(self) -> None:
        """One step; `changed` then names what has got a higher version by it."""
        before = {name: t._version for name, t in self.tensors()}
        self._step()
        self.changed = [n for n, t in self.tensors() if n in before and t._version > before[n]]

    def tensors(self) -> list[tuple[str, Any]]:
        return [(name, v) for name, v in self.values() if isinstance(v, self.library.Tensor)]

    def _step(self) -> None:
        if self.info.step_requires_closure:
            self.optimizer.step(self.closure)
        else:
            for i, p in enumerate(self.params):
                draw = np.random.default_rng([self.done, i])
                values = np.asarray(draw.standard_normal(tuple(p.shape)), self.dtype)
                p.grad = self.library.from_numpy(values)
            self.optimizer.step()
        self.done += 1

    def closure(self) -> Any:
        """A bowl, with a curvature of its own for each element."""
        self.optimizer.zero_grad()
        loss = 0
        for i, p in enumerate(self.params):
            curvature = np.random.default_rng(i).uniform(0.5, 2, tuple(p.shape))
            weights = self.library.from_numpy(np.asarray(curvature, self.dtype))
            loss = loss + (weights * (p - 1) ** 2).sum()
        loss.backward()
        return loss

    def steps(self, number: int) -> Training:
        for _ in range(number):
            self.step()
        return self

    def values(self) -> Iterator[tuple[str, Any]]:
        """Everything that an optimizer changes, by name."""
        for i, p in enumerate(self.params):
            yield f"parameter {i}", p
            if self.info.step_requires_closure:
                continue  # L-BFGS: values of zero but for rounding, once it has arrived
            for key, value in self.optimizer.state[p].items():
                yield from _leaves(f"{key} of parameter {i}", value)


def _leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, list):
        for i, item in enumerate(value):
            yield from _leaves(f"{name}[{i}]", item)
    else:
        yield name, value


def compare(theirs: Training, ours: Training, ulps: int) -> None:
    expected, actual = dict(theirs.values()), dict(ours.values())
    state_keys = [[list(t.optimizer.state[p]) for p in t.params] for t in (theirs, ours)]
    if not theirs.info.step_requires_closure:
        assert state_keys[0] == state_keys[1], f"keys {state_keys[1]} instead of {state_keys[0]}"
    assert set(expected) == set(actual), sorted(set(expected) ^ set(actual))
    for name, value in expected.items():
        compare_values(name, value, actual[name], ulps, theirs.done)
    assert ours.changed == theirs.changed, f"{ours.changed} changed, not {theirs.changed}"


def compare_values(name: str, expected: Any, actual: Any, ulps: int, step: int) -> None:
    if not isinstance(expected, torch.Tensor):
        if isinstance(expected, float):
            close = abs(expected - actual) <= max(ulps, 1) * 1e-6 * max(1.0, abs(expected))
            assert close, f"{name}: {actual} instead of {expected} after {step} steps"
        else:
            assert type(expected) is type(actual), f"{name}: {actual!r} / {expected!r}"
        return
    a, b = expected.detach().numpy(), actual.detach().numpy()
    assert (a.dtype, a.shape) == (b.dtype, b.shape), f"{name}: {b.dtype}{b.shape}"
    if a.tobytes() == b.tobytes() or not a.size:
        return
    unit = np.spacing(np.abs(a).max(initial=np.finfo(a.dtype).tiny))
    apart = np.abs(a - b).max() / unit
    assert apart <= ulps, f"{name}: {apart:.1f} ULP apart after {step} steps"


# --- checks --------------------------------------------------------------------------------------


def run(name: str) -> Report:
    """All checks of one entry."""
    info, report = entries()[name], Report(name)
    for dtype in DTYPES:
        for config in configurations(info, dtype):
            pair = (info, config.kwargs, dtype)
            for check in (steps, text, resume, reload):
                described = f"{config.desc}, {dtype}"
                report.note(check.__name__, described, lambda c=check, p=pair: c(*p))
        for flags in flag_sets(info):
            report.note("flags", str(flags), lambda f=flags, d=dtype: steps(info, f, d))
    for config in configurations(info, torch.float32):
        for number, makers in enumerate(info.scheduler_inputs):
            report.note(
                "schedule", f"{config.desc}, schedules {number}",
                lambda m=makers, c=config: schedule(info, c.kwargs, m),
            )  # fmt: skip
    if info.optim_error_inputs_func is not None:
        for wrong in info.optim_error_inputs_func("cpu", torch.float32):
            described = wrong.optimizer_error_input.desc
            report.note("error", described, lambda w=wrong: mistake(info, w))
    return report


def length(info: Any) -> int:
    """The steps of a training; one of L-BFGS is up to 20 of the others'."""
    return STEPS // 5 if info.step_requires_closure else STEPS


def steps(info: Any, kwargs: dict[str, Any], dtype: Any) -> None:
    theirs, ours = (Training(t, info, kwargs, dtype) for t in (torch, minigrad))
    for _ in range(length(info)):
        theirs.step()
        ours.step()
        compare(theirs, ours, ULPS.get(info.name, USUAL_ULPS))


def text(info: Any, kwargs: dict[str, Any], dtype: Any) -> None:
    theirs, ours = (Training(t, info, kwargs, dtype).steps(2) for t in (torch, minigrad))
    shown = repr(ours.optimizer).replace("minigrad.", "torch.")
    assert shown == repr(theirs.optimizer), f"{shown}\ninstead of\n{theirs.optimizer!r}"
    groups = [str(t.optimizer.state_dict()["param_groups"]) for t in (theirs, ours)]
    assert groups[0] == groups[1], f"{groups[1]} instead of {groups[0]}"


def resume(info: Any, kwargs: dict[str, Any], dtype: Any) -> None:
    """A file of PyTorch's is read, and the training goes on in minigrad."""
    theirs = Training(torch, info, kwargs, dtype).steps(length(info) // 2)
    file = io.BytesIO()
    torch.save([theirs.optimizer.state_dict(), [p.detach() for p in theirs.params]], file)
    theirs, ours = (_resumed(t, file, theirs) for t in (torch, minigrad))
    for _ in range(length(info) // 2):
        theirs.step()
        ours.step()
    compare(theirs, ours, ULPS.get(info.name, USUAL_ULPS))


def reload(info: Any, kwargs: dict[str, Any], dtype: Any) -> None:
    """After saving and loading not a bit is different."""
    first = Training(minigrad, info, kwargs, dtype).steps(length(info) // 2)
    file = io.BytesIO()
    minigrad.save([first.optimizer.state_dict(), [p.detach() for p in first.params]], file)
    second = _resumed(minigrad, file, first)
    first.steps(length(info) // 2)
    second.steps(length(info) // 2)
    ours = dict(second.values())
    for name, value in first.values():
        if isinstance(value, minigrad.Tensor):
            assert value.numpy(force=True).tobytes() == ours[name].numpy(force=True).tobytes(), name


def _resumed(library: Any, file: io.BytesIO, before: Training) -> Training:
    """A new training in `library` that goes on from a file that `before` has written."""
    file.seek(0)
    state, values = library.load(file, weights_only=False)
    training = Training(library, before.info, before.kwargs, before.torch_dtype)
    training.optimizer.load_state_dict(state)
    with library.no_grad():
        for p, value in zip(training.params, values, strict=True):
            p.copy_(value)
    training.done = before.done
    return training


def flag_sets(info: Any) -> list[dict[str, Any]]:
    """Flags that choose between PyTorch's implementations, which compute the same in other
    orders; `differentiable` needs parameters that are no leaves and has tests of its own."""
    return [{f: False} for f in info.supported_impls] + [
        {f: None} for f in info.supported_impls if f != "differentiable"
    ]


def schedule(info: Any, kwargs: dict[str, Any], makers: list[Any]) -> None:
    """The schedules of the database, which are functions that name classes of PyTorch's."""
    rates = []
    for library in (torch, minigrad):
        training = Training(library, info, kwargs, torch.float32)
        module = vars(library.optim.lr_scheduler)
        own = [types.FunctionType(m.__code__, {**m.__globals__, **module}) for m in makers]
        schedulers = [make(training.optimizer) for make in own]
        log = []
        for step in range(30):
            if not info.step_requires_closure:
                training.step()
            for scheduler in schedulers:
                plateau = isinstance(scheduler, library.optim.lr_scheduler.ReduceLROnPlateau)
                scheduler.step(*([step % 7] if plateau else []))
            log.append([float(group["lr"]) for group in training.optimizer.param_groups])
        rates.append(log)
    assert rates[0] == rates[1], f"{rates[1]} instead of {rates[0]}"


def mistake(info: Any, wrong: Any) -> None:
    """The same exception, with the same text."""
    found = [_raised(info, wrong, library) for library in (torch, minigrad)]
    if wrong.error_type is not UserWarning:
        assert issubclass(found[0][0], wrong.error_type), found
    assert found[1] == found[0], f"{found[1]} instead of {found[0]}"


def _raised(info: Any, wrong: Any, library: Any) -> tuple[type, str]:
    made = wrong.optimizer_error_input
    params = made.params
    if params is None:
        params = [torch.nn.Parameter(torch.randn(2, 3))]
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        try:
            params, kwargs = translated(params, library), translated(made.kwargs, library)
            optimizer = getattr(library.optim, info.name)(params, **kwargs)
            if wrong.error_on == OptimizerErrorEnum.STEP_ERROR:
                optimizer.step()
        except Outside:
            raise
        except Exception as error:
            return type(error), str(error).replace("minigrad.", "torch.")
    return type(None), ""


# --- command line --------------------------------------------------------------------------------


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="these entries")
    names = parser.parse_args().only or present()
    reports = [run(name) for name in names]
    for r in reports:
        counts = ", ".join(f"{n} {check}" for check, n in r.passed.items())
        print(f"{r.name:10} {len(r.failed):2} failed, passed: {counts}")
    for r in reports:
        print("\n".join(r.failed))
    passed, known = (sum(sum(getattr(r, k).values()) for r in reports) for k in ("passed", "known"))
    print(
        f"{len(entries())} entries, minigrad has {len(present())} ({', '.join(LEFT_OUT)} are left "
        f"out). {passed} checks passed, {sum(len(r.failed) for r in reports)} failed, {known} are "
        "known differences."
    )
    return int(any(r.failed for r in reports))


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.exit(main())
