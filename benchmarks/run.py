"""minigrad's speed beside PyTorch's: `python benchmarks/run.py`.

Each library runs in a process of its own, with one thread (or `--threads N`). For each workload
(`workloads.py`) both sides first show that they compute the same numbers. Then they are timed in
turn, minigrad, PyTorch, minigrad, PyTorch, ..., so that a busy machine slows both down. The ratio
is the median of the rounds' ratios, its spread their quartiles: below 1 minigrad is faster.

    python benchmarks/run.py --only 000 --only add-     the workloads whose names contain these
    python benchmarks/run.py --json FILE                figures for a program

The exit status is 1 if a workload failed or the two sides computed different numbers; a bar that
is missed is only reported.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from workloads import GRAPH_BAR, GRAPHS, WORKLOADS, Workload

HERE = Path(__file__).resolve().parent
SIDES = ("minigrad", "torch")
ROUND = 0.05  # seconds that one side is timed for in one round, if a call takes no longer
ENOUGH = 6.0  # seconds after which a slow workload gets no more rounds
HEADER = f"{'workload':18}{'minigrad':>12}{'PyTorch':>12}{'ratio':>8}  {'quartiles':13}{'bar':>5}"


class Failed(Exception):
    """A workload raised on one side, or the two sides disagree."""


class Side:
    """One library in its own process (`timing.py`)."""

    def __init__(self, name: str, threads: int) -> None:
        self.name = name
        count = {f"{library}_NUM_THREADS": str(threads) for library in ("OMP", "OPENBLAS", "MKL")}
        path = os.pathsep.join(filter(None, [str(HERE.parent), os.environ.get("PYTHONPATH")]))
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "timing.py"), name, str(threads)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, **count, "PYTHONPATH": path},
        )  # fmt: skip
        self.versions = self._answer()

    def ask(self, **request: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f'{self.name} did not run (PyTorch comes with: pip install -e ".[parity]")')
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise Failed(f"{self.name} raised:\n{answer['error']}")
        return answer

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def measure(workload: Workload, sides: list[Side], repeats: int) -> dict[str, Any]:
    """One row: microseconds per unit on both sides, and the ratio of each round."""
    answers = [side.ask(do="check", name=workload.name) for side in sides]
    agree(workload, [answer["numbers"] for answer in answers])
    calls = [max(1, round(ROUND / answer["seconds"])) for answer in answers]
    cost = sum(n * answer["seconds"] for n, answer in zip(calls, answers, strict=True))
    # A call longer than a round was timed well enough when it was checked.
    rounds = [[answer["seconds"] for answer in answers]] if max(calls) == 1 else []
    while len(rounds) < max(2, min(repeats, int(ENOUGH / cost))):
        pairs = zip(sides, calls, strict=True)
        rounds.append([s.ask(do="time", name=workload.name, calls=n)["seconds"] for s, n in pairs])
    ratios = [ours / theirs for ours, theirs in rounds]
    low, ratio, high = statistics.quantiles(ratios, n=4, method="inclusive")
    ours, theirs = (
        statistics.median(times) * 1e6 / workload.units for times in zip(*rounds, strict=True)
    )
    return {
        "name": workload.name, "minigrad_us": ours, "torch_us": theirs, "ratio": ratio,
        "quartiles": [low, high], "bar": workload.bar, "rounds": len(rounds),
        "met": None if workload.bar is None else ratio <= workload.bar,
    }  # fmt: skip


def agree(workload: Workload, numbers: list[list[float]]) -> None:
    """Raise unless both sides computed the same, up to float32's rounding over some steps."""
    ours, theirs = map(np.asarray, numbers)
    if ours.shape != theirs.shape or not np.allclose(ours, theirs, rtol=1e-4, atol=1e-6):
        raise Failed(f"{workload.name}: minigrad computed {ours}, PyTorch {theirs}")


def line(row: dict[str, Any]) -> str:
    low, high = row["quartiles"]
    bar = "" if row["bar"] is None else f"{row['bar']:5.2f}  {'met' if row['met'] else 'missed'}"
    return (
        f"{row['name']:18}{row['minigrad_us']:9.2f} us{row['torch_us']:9.2f} us{row['ratio']:8.2f}"
        f"  {low:.2f} - {high:.2f}  {bar}"
    ).rstrip()


def summary(rows: list[dict[str, Any]]) -> list[str]:
    """What concerns more than one row."""
    judged = [row for row in rows if row["met"] is not None]
    lines = [f"bars met: {sum(row['met'] for row in judged)} of {len(judged)}"]
    graphs = [row for row in rows if row["name"] in {workload.name for workload in GRAPHS}]
    if len(graphs) > 1:
        ours, theirs = (
            max(row[side] for row in graphs) / min(row[side] for row in graphs)
            for side in ("minigrad_us", "torch_us")
        )
        verdict = "met" if ours <= GRAPH_BAR else "missed"
        lines.append(
            f"time per node, largest graph to smallest: minigrad {ours:.2f}, PyTorch {theirs:.2f}, "
            f"bar {GRAPH_BAR:.2f}  {verdict}"
        )
    return lines


def machine(sides: list[Side], threads: int) -> str:
    """The processor and the versions that the figures belong to."""
    cpuinfo = Path("/proc/cpuinfo")
    text = cpuinfo.read_text() if cpuinfo.exists() else ""
    models = [e.partition(":")[2].strip() for e in text.splitlines() if e.startswith("model name")]
    ours, theirs = (side.versions for side in sides)
    return (
        f"{models[0] if models else platform.machine()}, {os.cpu_count()} cores, "
        f"{threads} thread(s) a side; Python {platform.python_version()}, NumPy {ours['numpy']}, "
        f"PyTorch {theirs['version']}, minigrad {ours['version']}"
    )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Time minigrad beside PyTorch.")
    option = parser.add_argument
    option("--only", action="append", metavar="NAME", help="workloads whose name contains NAME")
    option("--threads", type=int, default=1, metavar="N", help="threads of each side")
    option("--repeats", type=int, default=9, metavar="N", help="rounds per workload, at least 2")
    option("--json", type=Path, metavar="FILE", help="also write the figures to FILE")
    option("--list", action="store_true", help="name the workloads and their bars")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    wanted = options.only or [""]
    chosen = [w for w in WORKLOADS if any(part in w.name for part in wanted)]
    if options.list or not chosen:
        for workload in WORKLOADS:
            bar = "" if workload.bar is None else f"{workload.bar:.2f}"
            print(f"{workload.name:18}{bar}".rstrip())
        return 0 if options.list else 2
    sides = [Side(name, options.threads) for name in SIDES]
    about = machine(sides, options.threads)
    print(about, HEADER, sep="\n", flush=True)
    rows, failures = [], 0
    for workload in chosen:
        try:
            rows.append(measure(workload, sides, options.repeats))
            print(line(rows[-1]), flush=True)
        except Failed as failure:
            failures += 1
            print(f"{workload.name:18}failed\n{failure}", flush=True)
    print(*summary(rows), sep="\n")
    if options.json:
        options.json.write_text(json.dumps({"machine": about, "rows": rows}, indent=1) + "\n")
    for side in sides:
        side.close()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
