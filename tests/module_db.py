"""PyTorch's own module database, run against minigrad.

PyTorch ships with the list that its developers test `torch.nn` by: for each module ways to construct
it, inputs, and mistakes. Each entry whose class minigrad has is run here in both libraries, in
float32 and float64, in training and in evaluation:

    signature   of the constructor and of `forward`: names, order, defaults
    construct   with the same seed: names, dtypes and bits of all parameters and buffers
    repr        what `print(module)` shows
    forward     the result, and the buffers afterwards
    graph       the name of the result's `grad_fn`
    gradient    on float64, of inputs and parameters; and the `second` one
    copies      copy, deepcopy, pickle and load_state_dict give modules that do the same
    error       what kind of exception a mistake raises

`python tests/module_db.py` prints the count and what fails, `--missing` the names that minigrad
lacks, `--failing` one line per failing entry, `--only Linear LSTM` everything about these entries.
At most 10 samples per dtype and mode are taken, evenly from all; `--all` takes every one.
`module_db_more.py` adds entries for modules that PyTorch's list leaves out;
`module_db_differences.py` is the list of what may differ, and why.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings
import zlib
from collections.abc import Iterator
from functools import cache
from typing import Any
from unittest.mock import patch

import module_db_checks as checks
import torch
from module_db_checks import Recipe, Sample
from module_db_differences import DIFFERENCES
from module_db_more import more_entries
from op_db import evenly, print_failing, print_stale, seed
from op_db_differences import Difference
from op_db_report import Report
from torch.testing._internal.common_modules import module_db

import minigrad

DTYPES = (torch.float32, torch.float64)
CHECKS = (
    "signature", "construct", "repr", "forward", "graph", "gradient", "second", "copies", "error",
)  # fmt: skip
BOUND = 10  # samples per entry, dtype and mode; 0 for all
FEW = 2  # of these, how many are copied
if os.environ.get("MINIGRAD_OP_DB") == "all":
    BOUND = FEW = 0


class ModuleReport(Report):
    @property
    def differences(self) -> list[Difference]:
        return [d for d in DIFFERENCES if self.name in d.entries]


# --- entries -------------------------------------------------------------------------------------


@cache
def entries() -> dict[str, Any]:
    """The entries by the name of their class."""
    return {entry.module_cls.__name__: entry for entry in [*module_db, *more_entries()]}


def present() -> list[str]:
    """The entries whose class minigrad has."""
    return [name for name in entries() if hasattr(minigrad.nn, name)]


# --- samples -------------------------------------------------------------------------------------


def modes(entry: Any) -> tuple[bool, ...]:
    return (True, False) if entry.train_and_eval_differ else (True,)


def samples(entry: Any, dtype: torch.dtype, training: bool) -> list[Sample]:
    with layers_as_recipes():
        seed()
        made = entry.module_inputs_func(
            entry,
            device="cpu",
            dtype=dtype,
            requires_grad=dtype == torch.float64,
            training=training,
        )
    return [sample(entry, one, dtype, training) for one in evenly(made, BOUND)]


def sample(entry: Any, given: Any, dtype: torch.dtype, training: bool) -> Sample:
    made, called = given.constructor_input, given.forward_input
    return Sample(
        Recipe(entry.module_cls.__name__, made.args, made.kwargs),
        () if called is None else called.args,
        {} if called is None else called.kwargs,
        dtype,
        training,
        is_called=called is not None,
        desc=given.desc,
    )


def layers_as_recipes() -> Any:
    """TransformerEncoder is given a layer; it has to be one of the same library."""

    def recipe(*args: Any, **kwargs: Any) -> Recipe:
        return Recipe("TransformerEncoderLayer", args, kwargs)

    return patch.object(torch.nn, "TransformerEncoderLayer", recipe)


def mistakes(entry: Any) -> list[Sample]:
    if entry.module_error_inputs_func is None:
        return []
    seed()
    made = [
        (given.module_error_input, training)
        for training in modes(entry)
        for given in entry.module_error_inputs_func(
            entry, device="cpu", dtype=torch.float32, requires_grad=False, training=training
        )
    ]
    return [sample(entry, given, torch.float32, mode) for given, mode in evenly(made, 2 * BOUND)]


# --- all checks of an entry ----------------------------------------------------------------------


def run(name: str) -> Report:
    """All checks of one entry."""
    entry, report = entries()[name], ModuleReport(name, bool(BOUND))
    started = time.perf_counter()
    report.note("signature", nothing(name), lambda: checks.signature(name))
    for dtype, training in ((d, mode) for d in DTYPES for mode in modes(entry)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            chosen = samples(entry, dtype, training)
        for index, one in enumerate(chosen):
            text = f"{name} {index}".encode()
            run_sample(report, one, zlib.crc32(text), entry.supports_gradgrad)
        for one in evenly(chosen, FEW):
            report.note("copies", one, lambda s=one: checks.copies(s))
    for one in mistakes(entry):
        report.note("error", one, lambda s=one: checks.error(s))
    report.seconds = time.perf_counter() - started
    return report


def nothing(name: str) -> Sample:
    """Stands in the report for a check that needs no sample."""
    return Sample(Recipe(name, (), {}), (), {}, torch.float32, True)


def run_sample(report: Report, one: Sample, seed: int, has_second: bool) -> None:
    report.note("construct", one, lambda: checks.construct(one))
    report.note("repr", one, lambda: checks.representation(one))
    if not one.is_called:
        return
    report.note("forward", one, lambda: checks.forward(one))
    report.note("graph", one, lambda: checks.graph(one))
    if one.dtype == torch.float64:
        report.note("gradient", one, lambda: checks.gradient(one, 1, seed))
        if has_second:
            report.note("second", one, lambda: checks.gradient(one, 2, seed))


# --- command line --------------------------------------------------------------------------------


def missing() -> Iterator[str]:
    return (name for name in entries() if not hasattr(minigrad.nn, name))


def print_count(reports: list[Report], seconds: float) -> None:
    passed, failed, known = (
        sum(sum(getattr(r, k).values()) for r in reports) for k in ("passed", "failed", "known")
    )
    bad = sum(bool(r.failed) for r in reports)
    own = len(entries()) - len(module_db)
    print(
        f"\n{len(entries())} entries ({len(module_db)} of PyTorch's module database, {own} of ours); minigrad "
        f"has {len(present())}.\n{len(reports)} run in {seconds:.0f} s: {passed} comparisons passed, {failed} "
        f"failed in {bad} entries, {known} are known differences, {sum(r.outside for r in reports)} use what "
        "minigrad does not claim (complex numbers)."
    )


def main() -> int:
    global BOUND, FEW
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="NAME", help="run these, in full detail"
    )
    parser.add_argument("--missing", action="store_true", help="print the names that are lacking")
    parser.add_argument("--failing", action="store_true", help="print only what fails")
    parser.add_argument("--all", action="store_true", help="every sample, not an even choice")
    options = parser.parse_args()
    if options.all:
        BOUND = FEW = 0
    if options.missing:
        print(" ".join(missing()))
        return 0
    started = time.perf_counter()
    wanted = [name for name in options.only or entries() if name in present()]
    for name in set(options.only) - set(wanted):
        print(f"minigrad has no nn.{name}" if name in entries() else f"no entry for {name}")
    reports = [run(name) for name in wanted]
    if not options.failing and not options.only:
        for r in reports:
            print(
                f"{r.name:32} {sum(r.passed.values()):5} passed {sum(r.failed.values()):4} failed {r.seconds:6.1f} s"
            )
    print_failing(reports)
    if options.only:
        print("\n" + "\n\n".join(r.text() for r in reports))
    print_stale(reports)
    print_count(reports, time.perf_counter() - started)
    return int(any(r.failed for r in reports))


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.exit(main())
