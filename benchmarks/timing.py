"""One side of the comparison: a process that runs workloads with one library.

`run.py` starts it as `python timing.py minigrad 1` and sends requests, a JSON object a line, on
its standard input: `check` computes a workload's numbers, `time` times it. It waits in between,
so that only one side computes at any moment. `python timing.py minigrad 1 000-module 50` makes 50
calls of one workload and ends (for `instructions.py`).
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import time
import traceback
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from typing import Any

import numpy as np
from workload import Run, Workload

TORCH_LIKE = ("minigrad", "torch")
PREPARED = 100  # graphs made ahead of the backward passes that are timed: few, to stay in the cache


def seconds(run: Run, calls: int) -> float:
    """The time that `calls` calls of `run.step` take together (or what `figure` measures)."""
    if run.figure is not None:
        return sum(run.figure() for _ in range(calls))
    if os.environ.get("BENCHMARK_DEVICE") == "cuda" and run.prepare is None:
        return between_events(run, calls)
    if run.prepare is None:
        start = time.perf_counter()
        for _ in range(calls):
            run.step()
        return time.perf_counter() - start
    total = 0.0
    for done in range(0, calls, PREPARED):
        prepared = [run.prepare() for _ in range(min(PREPARED, calls - done))]
        start = time.perf_counter()
        for item in prepared:
            run.step(item)
        total += time.perf_counter() - start
    return total


def between_events(run: Run, calls: int) -> float:
    """The same on a GPU, by its own clock: from before the first kernel to after the last."""
    cuda = next(sys.modules[side].cuda for side in TORCH_LIKE if side in sys.modules)
    start, end = (cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    for _ in range(calls):
        run.step()
    end.record()
    end.synchronize()
    return float(start.elapsed_time(end)) / 1000


def timed(workload: Workload, torch: Any, calls: int) -> dict[str, Any]:
    """Seconds per call, from a fresh setup and after a few calls to warm up."""
    run = workload.setup(torch)
    if run.figure is None:
        seconds(run, 1 + calls // 20)
    gc.collect()
    return {"seconds": seconds(run, calls) / calls}


def checked(workload: Workload, torch: Any) -> dict[str, Any]:
    """What the workload computes, and about how long a call takes."""
    run = workload.setup(torch)
    first = seconds(run, workload.checks) / workload.checks
    numbers = run.numbers()
    is_short = first < 0.01 and run.figure is None
    again = seconds(run, 20) / 20 if is_short else first  # the very first calls are slower
    return {"numbers": numbers, "seconds": min(first, again)}


def version(side: str) -> str:
    try:
        return installed(side)
    except PackageNotFoundError:  # a checkout that is not installed
        return str(importlib.import_module(side).__version__)


def workloads(side: str) -> dict[str, Workload]:
    """The workloads by name; a peer has its own programs for some of them (`peers.py`)."""
    if side in TORCH_LIKE:
        from gpu import GPU
        from workloads import WORKLOADS as everywhere

        WORKLOADS = everywhere + GPU
    else:
        WORKLOADS = importlib.import_module(f"peer_{side}").LOOPS
    return {workload.name: workload for workload in WORKLOADS}


def library(side: str, threads: int) -> Any:
    """What `setup` is called with; for a peer minigrad, which draws its initial values."""
    torch = importlib.import_module(side if side in TORCH_LIKE else "minigrad")
    if hasattr(torch, "set_num_threads"):
        torch.set_num_threads(threads)
    if "BENCHMARK_DEVICE" in os.environ:
        torch.set_default_device(os.environ["BENCHMARK_DEVICE"])
    return torch


def serve(side: str, threads: int) -> None:
    """Answer requests until the standard input ends."""
    torch, by_name = library(side, threads), workloads(side)
    answer: dict[str, Any] = {"version": version(side), "numpy": np.__version__}
    print(json.dumps(answer), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        workload = by_name[request["name"]]
        try:
            if request["do"] == "check":
                answer = checked(workload, torch)
            else:
                answer = timed(workload, torch, request["calls"])
        except Exception:
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), flush=True)


def alone(side: str, threads: int, name: str, calls: int) -> None:
    """Some calls of one workload."""
    seconds(workloads(side)[name].setup(library(side, threads)), calls)


if __name__ == "__main__":
    if len(sys.argv) > 3:
        alone(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
    else:
        serve(sys.argv[1], int(sys.argv[2]))
