"""PyTorch's operator database on minigrad's CUDA device, compared with minigrad on the CPU.

Each sample of the database (see op_db.py) runs twice in minigrad: on the CPU, and with its Tensors
on `cuda`. Results and first gradients must be the same (to a few units in the last place of the
largest, as other sums are allowed on a GPU), lie on the device, and come without copies between the
devices. Without a GPU the device is the stand-in (stand_in.py).

`python tests/device_db.py` prints the count and what fails, by the line that failed;
`--only add sub` everything about these entries.
"""

from __future__ import annotations

import argparse
import sys
import traceback
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
import op_db
import stand_in
import torch
from op_db_checks import processed, tensors
from op_db_translate import Absent, Arguments, Outside, memory

import minigrad
from minigrad import either, gpu
from minigrad.autograd.node import wrap

DTYPES = (torch.float32, torch.float64, torch.int64, torch.bool)
FEW = 6  # samples per entry and dtype
ULPS = 64  # of the largest number in a result
RANDOM = {  # other generators draw other numbers
    "bernoulli", "cauchy", "exponential", "geometric", "log_normal", "multinomial", "normal",
    "poisson", "rand_like", "randint", "randint_like", "randn", "randn_like", "uniform", "randperm",
    "nn.functional.dropout", "nn.functional.dropout2d", "nn.functional.dropout3d",
    "nn.functional.alpha_dropout", "nn.functional.feature_alpha_dropout", "nn.functional.rrelu",
    "nn.functional.multi_head_attention_forward", "nn.functional.fractional_max_pool2d",
    "nn.functional.fractional_max_pool3d", "nn.functional.scaled_dot_product_attention",
    "svd_lowrank", "pca_lowrank", "nn.functional.gumbel_softmax", "empty", "empty_like",
    "new_empty", "new_empty_strided", "empty_permuted", "empty_strided",
}  # fmt: skip


class OnDevice(Arguments):
    """A sample's arguments with their Tensors on `cuda`, laid out as on the CPU."""

    def _tensor(self, value: torch.Tensor) -> Any:
        whole = memory(value)
        steps = tuple(s * whole.itemsize for s in value.stride())
        there = gpu.placed(whole, 0)[value.storage_offset() :]
        made = wrap(either.as_strided(there, tuple(value.shape), steps))
        return made.requires_grad_() if value.requires_grad and self.requires_grad else made


class Failure(Exception):
    """A result on the device that is not the CPU's."""


def check(call: Callable[..., Any], process: Any, sample: Any, exact: bool) -> None:
    """Compare one call, and the gradients of its leaves, on both devices."""
    runs = [attempt(call, process, kind(minigrad, sample)) for kind in (Arguments, OnDevice)]
    (here, error), (there, other) = runs
    if error is not None:
        if other is None or mro(type(other)) != mro(type(error)):
            raise Failure(f"{other!r} instead of {error!r}")
        return
    if other is not None:
        raise other
    if len(here) != len(there):
        raise Failure(f"{len(there)} results instead of {len(here)}")
    for ours, theirs in zip(there, here, strict=True):
        compare(theirs, ours, exact)


def mro(kind: type) -> type:
    return next(c for c in kind.__mro__ if c.__module__ == "builtins")


def attempt(call: Callable[..., Any], process: Any, arguments: Arguments) -> Any:
    """All results and gradients of a call, and the exception that it ended with."""
    minigrad.manual_seed(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = call(arguments.input, *arguments.args, **arguments.kwargs)
            found = list(tensors(minigrad, result))
            grads: list[Any] = []
            outputs = [t for t in tensors(minigrad, process(result)) if t.requires_grad]
            if outputs and arguments.leaves:
                weights = [minigrad.ones_like(t) for t in outputs]
                grads = list(
                    minigrad.autograd.grad(outputs, arguments.leaves, weights, allow_unused=True)
                )
    except (Absent, Outside):
        raise
    except Exception as error:
        return [], error
    return found + [g for g in grads if g is not None], None


def compare(here: Any, there: Any, exact: bool) -> None:
    a, b = here.numpy(force=True), there.numpy(force=True)
    if a.shape != b.shape or a.dtype != b.dtype:
        raise Failure(f"{b.dtype}{list(b.shape)} instead of {a.dtype}{list(a.shape)}")
    if not exact or np.array_equal(a, b, equal_nan=a.dtype.kind == "f"):
        return
    if a.dtype.kind != "f":
        raise Failure(f"{b} instead of {a}")
    finite = np.abs(a[np.isfinite(a)])
    bound = ULPS * np.spacing(max(finite.max(initial=0), np.finfo(a.dtype).tiny))
    with np.errstate(all="ignore"):
        if not np.array_equal(np.isfinite(a), np.isfinite(b)) or np.nanmax(abs(a - b)) > bound:
            raise Failure(f"{b} instead of {a}")


def run(name: str) -> tuple[int, list[tuple[str, str]]]:
    """How many comparisons of an entry passed, and of each that failed where and why."""
    entry = op_db.entries()[name]
    call, passed, failed = op_db.counterpart(entry), 0, []
    for dtype in DTYPES:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            chosen = op_db.evenly(op_db.samples(entry, dtype), FEW)
        for sample in chosen:
            try:
                check(call, processed(sample).ours, sample, entry.name not in RANDOM)
            except (Absent, Outside):
                continue
            except Exception as error:
                failed.append((place(error), f"{type(error).__name__}: {error}"))
            else:
                passed += 1
    return passed, failed


def place(error: Exception) -> str:
    """The last line of minigrad's that an exception came through."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "/minigrad/minigrad/" in f.filename or "/minigrad/" in f.filename]
    if not ours:
        return "the result"
    last = ours[-1]
    return f"{last.filename.rpartition('/minigrad/')[2]}:{last.lineno}: {last.line}"


def device() -> Any:
    """What has to be entered for a CUDA device to be there: nothing on a machine with a GPU."""
    return nullcontext() if gpu.device_count() else stand_in.installed()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME")
    parser.add_argument("--part", default="0/1", help="every n-th entry from the k-th on: k/n")
    options = parser.parse_args()
    first, step = map(int, options.part.split("/"))
    places: Counter[str] = Counter()
    examples: dict[str, str] = {}
    entries: dict[str, set[str]] = defaultdict(set)
    total, bad = 0, 0
    with device():
        names = op_db.wanted(options.only)[first::step]
        for name in names:
            passed, failed = run(name)
            total, bad = total + passed, bad + bool(failed)
            for where, why in failed:
                places[where] += 1
                entries[where].add(name)
                examples.setdefault(where, why.replace("\n", " ")[:200])
    for where, count in sorted(places.items()):
        print(
            f"{count:5} {where}\n      {examples[where]}\n      {' '.join(sorted(entries[where]))[:300]}"
        )
    print(f"{total} comparisons passed, {places.total()} failed, in {bad} of {len(names)} entries")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
