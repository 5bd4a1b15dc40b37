"""PyTorch's own operator database, run against minigrad.

PyTorch ships with the list that its developers test it by: for each op its variants, the dtypes it
takes, whether it has a first and a second derivative, sample arguments, and arguments that are
mistakes. Each entry whose name minigrad has is run here in both libraries and compared:

    forward     the function, for float32, float64, int64 and bool
    method      `input.op(...)`, and `operator` the Python operator
    inplace     `input.op_(...)`: the value, that it is `input`, and the gradient through it
    gradient    on float64, for a random gradient of the output; and the `second` one
    alias       other names of the same function
    error       what kind of exception a wrong call raises
    out         what is written into `out=`, and that this is the result

`python tests/op_db.py` prints the count and what fails, `--missing` the names that minigrad lacks,
`--failing` one line per failing entry, `--only add sub` everything about these entries. At most
40 samples per dtype are taken, evenly from all; MINIGRAD_OP_DB=all in the environment (or `--all`)
takes every one. `op_db_differences.py` is the list of what may differ, and why.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
import warnings
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import torch
from op_db_checks import Pair, forward, gradient, out_form
from op_db_report import Report
from op_db_translate import Absent, at, function, public_path
from torch.testing._internal.common_methods_invocations import op_db

import minigrad

DTYPES = (torch.float32, torch.float64, torch.int64, torch.bool)
CHECKS = ("forward", "method", "operator", "inplace", "gradient", "second", "alias", "error", "out")
BOUND = 40  # samples per entry and dtype; 0 for all
FEW = 8  # of these, how many each variant of an entry takes
if os.environ.get("MINIGRAD_OP_DB") == "all":
    BOUND = FEW = 0


# --- entries -------------------------------------------------------------------------------------


@cache
def entries() -> dict[str, Any]:
    """The entries that support float32 on the CPU, by name and variant."""
    found: dict[str, Any] = {}
    for entry in op_db:
        if entry.supports_dtype(torch.float32, "cpu"):
            name = entry.full_name
            while name in found:
                name += "'"
            found[name] = entry
    return found


def present() -> list[str]:
    """The entries whose name minigrad has."""
    return [name for name, entry in entries().items() if has(entry)]


def has(entry: Any) -> bool:
    try:
        counterpart(entry)
    except Absent:
        return False
    return True


def counterpart(entry: Any) -> Callable[..., Any]:
    """minigrad's function for an entry: under the same dotted path, or a method of that name."""
    if callable(at(torch, entry.name)) and not isinstance(at(torch, entry.name), type):
        found = at(minigrad, entry.name)
        if not callable(found):
            raise Absent(entry.name)
        return found if at(torch, entry.name) is entry.op else function(entry.op)
    if public_path(entry.op) is None and not has_method(entry.name):
        raise Absent(f"Tensor.{entry.name}")
    return function(entry.op)


def has_method(name: str) -> bool:
    return any(getattr(minigrad.Tensor, n, None) is not None for n in (name, f"{name}_"))


# --- samples and what is done with them ----------------------------------------------------------


def evenly(items: list[Any], bound: int) -> list[Any]:
    """At most `bound` of the items, the first and the last among them; 0 means all."""
    if not bound or len(items) <= bound:
        return items
    return [items[i] for i in np.linspace(0, len(items) - 1, bound).astype(int)]


def samples(entry: Any, dtype: torch.dtype) -> list[Any]:
    if not entry.supports_dtype(dtype, "cpu"):
        return []
    grad = dtype == torch.float64 and entry.supports_autograd
    seed()
    made = entry.sample_inputs("cpu", dtype, requires_grad=grad, set_seed=False)
    return evenly(list(made), BOUND)


def seed() -> None:
    """Make the database draw the same samples each time. (Its own seeding before each sample, and
    `torch.manual_seed`, note a stack trace for every kind of device, which takes longer than all else.)
    """
    torch.default_generator.manual_seed(0)
    np.random.seed(0)
    random.seed(0)


# --- all checks of an entry ----------------------------------------------------------------------


def run(name: str) -> Report:
    """All checks of one entry."""
    entry, report = entries()[name], Report(name, bool(BOUND))
    started = time.perf_counter()
    pair = Pair(entry.op, counterpart(entry))
    for dtype in DTYPES:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            chosen = samples(entry, dtype)
        for index, sample in enumerate(chosen):
            report.note("forward", sample, lambda s=sample: forward(entry, pair, s))
            if dtype == torch.float64 and entry.supports_autograd:
                run_gradients(report, entry, pair, sample, zlib.crc32(f"{name} {index}".encode()))
        run_variants(report, entry, evenly(chosen, FEW), dtype)
        for sample in evenly(chosen, FEW // 2) if entry.supports_out else []:
            report.note("out", sample, lambda s=sample: out_form(entry, pair, s))
    run_errors(report, entry, pair)
    report.seconds = time.perf_counter() - started
    return report


def run_gradients(report: Report, entry: Any, pair: Pair, sample: Any, seed: int) -> None:
    report.note("gradient", sample, lambda: gradient(pair, sample, 1, seed))
    if entry.supports_gradgrad:
        report.note("second", sample, lambda: gradient(pair, sample, 2, seed))


def run_variants(report: Report, entry: Any, chosen: list[Any], dtype: torch.dtype) -> None:
    for check, theirs, inplace in variants(entry):
        try:
            pair = Pair(theirs, function(theirs))
        except Absent as absent:
            report.lacks(check, str(absent))
            continue
        with_gradient = inplace and dtype == torch.float64 and entry.supports_inplace_autograd
        for sample in chosen:
            if not isinstance(sample.input, torch.Tensor) and check != "alias":
                continue
            report.note(check, sample, lambda p=pair, s=sample, i=inplace: forward(entry, p, s, i))
            if with_gradient:
                report.note(
                    check, sample, lambda p=pair, s=sample: gradient(p, s, 1, 0, inplace=True)
                )


def variants(entry: Any) -> Iterator[tuple[str, Any, bool]]:
    """(check, PyTorch's callable, whether it works in place)."""
    found = [
        ("method", entry.method_variant, False),
        ("operator", entry.operator_variant, False),
        ("inplace", entry.inplace_variant, True),
        ("inplace", entry.inplace_operator_variant, True),
        *(("alias", alias.op, False) for alias in entry.aliases),
        *(("method", alias.method_variant, False) for alias in entry.aliases),
        *(("inplace", alias.inplace_variant, True) for alias in entry.aliases),
    ]
    return (v for v in found if v[1] is not None and v[1] is not entry.op)


def run_errors(report: Report, entry: Any, pair: Pair) -> None:
    if entry.error_inputs_func is None:
        return
    seed()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wrong = [e.sample_input for e in entry.error_inputs("cpu", set_seed=False)]
    for sample in evenly(wrong, 2 * BOUND):
        report.note("error", sample, lambda s=sample: forward(entry, pair, s))


# --- command line --------------------------------------------------------------------------------


def namespace(name: str) -> str:
    return name.rpartition(".")[0] or ("torch" if callable(at(torch, name)) else "Tensor")


def print_missing() -> None:
    groups: dict[str, list[str]] = defaultdict(list)
    for name, entry in entries().items():
        if not has(entry):
            groups[namespace(entry.name)].append(name)
    for space, names in sorted(groups.items()):
        print(f"\n{space} ({len(names)})\n  {' '.join(names)}")


def print_failing(reports: list[Report]) -> None:
    for report in reports:
        if report.failed:
            counts = ", ".join(f"{c} {n}" for c, n in report.failed.items())
            print(f"{report.name:34} {counts}")
            lacking = [c.split()[1] for c in report.first if " " in c]
            if lacking:
                print(f"    minigrad has no {' '.join(lacking)}")
            for check, text in report.first.items():
                if " " not in check:
                    print(f"    {check}: {text.splitlines()[0][:150]}")


def print_stale(reports: list[Report]) -> None:
    for report in reports:
        for difference in report.stale():
            print(f"{report.name}: no longer differs, remove it from the list: {difference.reason}")


def print_count(reports: list[Report], seconds: float) -> None:
    passed, failed, known = (
        sum(sum(getattr(r, k).values()) for r in reports) for k in ("passed", "failed", "known")
    )
    bad = sum(bool(r.failed) for r in reports)
    print(
        f"\n{len(entries())} entries of PyTorch's database support float32 on the CPU; minigrad has "
        f"{len(present())}.\n{len(reports)} run in {seconds:.0f} s: {passed} comparisons passed, {failed} failed "
        f"in {bad} entries, {known} are known differences, {sum(r.outside for r in reports)} use what "
        "minigrad does not claim (complex numbers, bfloat16, sparse tensors)."
    )


def wanted(only: list[str]) -> list[str]:
    """The present entries that are meant by names with or without their variant."""
    if not only:
        return present()
    chosen = [n for n, e in entries().items() if n in only or e.name in only]
    for name in chosen:
        if not has(entries()[name]):
            print(f"minigrad has no {name}")
    return [n for n in chosen if has(entries()[n])]


def main() -> int:
    global BOUND, FEW
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="NAME", help="run these entries, in full detail"
    )
    parser.add_argument(
        "--missing", action="store_true", help="print the names that minigrad lacks"
    )
    parser.add_argument(
        "--failing", action="store_true", help="print only what fails, without the table"
    )
    parser.add_argument("--all", action="store_true", help="every sample, not an even choice")
    options = parser.parse_args()
    if options.all:
        BOUND = FEW = 0
    if options.missing:
        print_missing()
        return 0
    started = time.perf_counter()
    reports = [run(name) for name in wanted(options.only)]
    if not options.failing and not options.only:
        for r in reports:
            print(
                f"{r.name:42} {sum(r.passed.values()):5} passed {sum(r.failed.values()):4} failed {r.seconds:6.1f} s"
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
