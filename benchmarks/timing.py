"""One side of the comparison: a process that runs workloads with one library.

`run.py` starts it as `python timing.py minigrad 1` and sends requests, a JSON object a line, on
its standard input: `check` computes a workload's numbers, `time` times it. It waits in between,
so that only one side computes at any moment.
"""

from __future__ import annotations

import gc
import importlib
import json
import sys
import time
import traceback
from typing import Any

import numpy as np
from workloads import WORKLOADS, Run, Workload

PREPARED = 100  # graphs made ahead of the backward passes that are timed: few, to stay in the cache


def seconds(run: Run, calls: int) -> float:
    """The time that `calls` calls of `run.step` take together."""
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


def timed(workload: Workload, torch: Any, calls: int) -> dict[str, Any]:
    """Seconds per call, from a fresh setup and after a few calls to warm up."""
    run = workload.setup(torch)
    seconds(run, 1 + calls // 20 if calls > 1 else 0)
    gc.collect()
    return {"seconds": seconds(run, calls) / calls}


def checked(workload: Workload, torch: Any) -> dict[str, Any]:
    """What the workload computes, and about how long a call takes."""
    run = workload.setup(torch)
    first = seconds(run, workload.checks) / workload.checks
    numbers = run.numbers()
    again = seconds(run, 20) / 20 if first < 0.01 else first  # the very first calls are slower
    return {"numbers": numbers, "seconds": min(first, again)}


def serve(side: str, threads: int) -> None:
    """Answer requests until the standard input ends."""
    torch = importlib.import_module(side)
    if hasattr(torch, "set_num_threads"):
        torch.set_num_threads(threads)
    by_name = {workload.name: workload for workload in WORKLOADS}
    answer: dict[str, Any] = {"version": str(torch.__version__), "numpy": np.__version__}
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


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
