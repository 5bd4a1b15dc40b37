"""Instructions that a call executes, counted by valgrind: unlike times, they hardly depend on how
busy the machine is.

For each library one process runs under valgrind: it imports the library, which takes PyTorch a
minute there, and warms each workload up. Then it forks two children, of which one makes `MORE`
calls more than the other. Valgrind reports what each of them executed in all; the difference is
what the calls executed.

Counted are the instructions of Python, NumPy and the library together, not those of the kernel,
and each as one, however long it takes. Valgrind has no AVX-512, so both sides use their AVX2 code.
`python instructions.py minigrad 1 000-tensors 002-gd` is the process that runs under valgrind.
"""

from __future__ import annotations

import gc
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from timing import library, seconds, workloads
from workload import Run

FEW, MORE = 10, 100
REPORT = re.compile(r"==(\d+)== I +refs: +([\d,]+)")


def available() -> bool:
    return shutil.which("valgrind") is not None and hasattr(os, "fork")


def count(side: str, names: Sequence[str], environment: dict[str, str]) -> list[dict[str, Any]]:
    """For each workload the `numbers` that it computed and the `instructions` of a call."""
    program = [sys.executable, __file__, side, environment["OMP_NUM_THREADS"], *names]
    valgrind = ["valgrind", "--tool=cachegrind", "--cache-sim=no"]
    run = subprocess.run(
        [*valgrind, f"--cachegrind-out-file={os.devnull}", *program],
        capture_output=True, text=True, env=environment | {"PYTHONHASHSEED": "0"},
    )  # fmt: skip
    if run.returncode:
        raise RuntimeError(f"{side} under valgrind:\n{run.stderr}")
    totals = {pid: int(total.replace(",", "")) for pid, total in REPORT.findall(run.stderr)}
    rows = [json.loads(line) for line in run.stdout.splitlines()]
    for row in rows:
        few, many = (totals[str(pid)] for pid in row.pop("children"))
        row["instructions"] = (many - few) / MORE
    return rows


def child(run: Run, calls: int) -> int:
    """The number of a process that made these calls, on as many prepared graphs in any case."""
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        return pid
    if run.prepare is None:
        for _ in range(calls):
            run.step()
    else:
        prepared = [run.prepare() for _ in range(FEW + MORE)]
        for item in prepared[:calls]:
            run.step(item)
    os._exit(0)


def main(side: str, threads: int, names: Sequence[str]) -> None:
    """Print a JSON object a line: what a workload computed, and its two children."""
    torch, by_name = library(side, threads), workloads(side)
    for name in names:
        run = by_name[name].setup(torch)
        seconds(run, by_name[name].checks)
        row = {"name": name, "numbers": run.numbers()}
        gc.collect()
        gc.freeze()  # a collection in a child would go through all that was imported
        row["children"] = [child(run, calls) for calls in (FEW, FEW + MORE)]
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
