"""minigrad's speed beside PyTorch's: `python benchmarks/run.py`.

Each library runs in a process of its own, with one thread (or `--threads N`). For each workload
(`workloads.py`) both sides first show that they compute the same numbers. Then they are timed in
turn, minigrad, PyTorch, minigrad, PyTorch, ..., so that a busy machine slows both down. The ratio
is the median of the rounds' ratios, its spread their quartiles: below 1 minigrad is faster.

    python benchmarks/run.py --only 000 --only add-     the workloads whose names contain these
    python benchmarks/run.py --large --threads 2        what is large, with two threads on each side
    python benchmarks/run.py --peers                    also MyGrad and HIPS autograd (extra `peers`)
    python benchmarks/run.py --instructions             also instruction counts of small workloads (valgrind)
    python benchmarks/run.py --json FILE --plot FILE    figures for a program, and as a picture
    python benchmarks/run.py --markdown                 at the end the table again, as in README.md

The exit status is 1 if a workload failed or the two sides computed different numbers; a bar that
is missed is only reported.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import instructions
import numpy as np
import plot
from documents import LOOPS
from gpu import GPU
from overhead import CHAINS, GRAPH_BAR, GRAPHS, OVERHEAD
from workload import Workload
from workloads import WORKLOADS

HERE = Path(__file__).resolve().parent
PEERS = {"mygrad": "MyGrad", "autograd": "HIPS autograd"}
PEER_BAR = 1 / 3
SCALES = {"us": 1e6, "ms": 1e3, "MB": 1e-6}  # from seconds or bytes
SMALL = {workload.name for workload in LOOPS + OVERHEAD + CHAINS + GRAPHS}
ROUND = 0.05  # seconds that one side is timed for in one round, if a call takes no longer
ENOUGH = 6.0  # seconds after which a slow workload gets no more rounds
HEADER = f"{'workload':18}{'minigrad':>12}{'{}':>14}{'ratio':>8}  {'quartiles':13}{'bar':>5}"


class Failed(Exception):
    """A workload raised on one side, or the two sides disagree."""


def environment(threads: int) -> dict[str, str]:
    """The variables of a process that computes with so many threads and finds this minigrad."""
    count = {f"{library}_NUM_THREADS": str(threads) for library in ("OMP", "OPENBLAS", "MKL")}
    path = os.pathsep.join(filter(None, [str(HERE.parent), os.environ.get("PYTHONPATH")]))
    # an installed package has its compiled modules: an import is timed with them
    kept = {name: v for name, v in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, **count, "PYTHONPATH": path}


class Side:
    """One library in its own process (`timing.py`)."""

    def __init__(self, name: str, threads: int) -> None:
        self.name = name
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "timing.py"), name, str(threads)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=environment(threads),
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
            sys.exit(f'{self.name} did not run (it comes with: pip install -e ".[parity,peers]")')
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise Failed(f"{self.name} raised:\n{answer['error']}")
        return answer

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def measure(workload: Workload, sides: list[Side], repeats: int) -> dict[str, Any]:
    """One row: the figure per unit on both sides, and the ratio of each round."""
    answers = [side.ask(do="check", name=workload.name) for side in sides]
    agree(workload, [answer["numbers"] for answer in answers])
    first = [answer["seconds"] for answer in answers]
    calls = [max(1, round(ROUND / seconds)) for seconds in first]
    cost = sum(n * seconds for n, seconds in zip(calls, first, strict=True))
    # A call of seconds was measured well enough when it was checked; a short one was not warm yet.
    rounds = [first] if cost > ENOUGH / 2 else []
    while len(rounds) < max(2, min(repeats, int(ENOUGH / cost))):
        pairs = zip(sides, calls, strict=True)
        rounds.append([s.ask(do="time", name=workload.name, calls=n)["seconds"] for s, n in pairs])
    ratios = [ours / theirs for ours, theirs in rounds]
    low, ratio, high = statistics.quantiles(ratios, n=4, method="inclusive")
    scale = SCALES[workload.unit] / workload.units
    ours, theirs = (statistics.median(figures) * scale for figures in zip(*rounds, strict=True))
    return {
        "name": workload.name, "unit": workload.unit, "minigrad": ours, "theirs": theirs,
        "other": workload.other, "ratio": ratio, "quartiles": [low, high], "bar": workload.bar,
        "rounds": len(rounds), "met": None if workload.bar is None else ratio <= workload.bar,
    }  # fmt: skip


def agree(workload: Workload, numbers: list[list[float]]) -> None:
    """Raise unless both sides computed the same, up to float32's rounding over some steps."""
    ours, theirs = map(np.asarray, numbers)
    if ours.shape != theirs.shape:
        raise Failed(f"{workload.name}: {ours.size} numbers, {workload.other}: {theirs.size}")
    size = float(np.sqrt(np.mean(theirs**2)))  # a sum that cancels is as exact as its terms
    if not np.allclose(ours, theirs, rtol=1e-4, atol=1e-5 * size):
        worst = int(np.argmax(abs(ours - theirs)))
        raise Failed(f"number {worst}: {ours[worst]}, {workload.other} {theirs[worst]}")


def line(row: dict[str, Any]) -> str:
    low, high = row["quartiles"]
    bar = "" if row["bar"] is None else f"{row['bar']:5.2f}  {'met' if row['met'] else 'missed'}"
    return (
        f"{row['name']:18}{row['minigrad']:9.2f} {row['unit']}{row['theirs']:11.2f} {row['unit']}"
        f"{row['ratio']:8.2f}  {low:.2f} - {high:.2f}  {bar}"
    ).rstrip()


def summary(rows: list[dict[str, Any]]) -> list[str]:
    """What concerns more than one row."""
    judged = [row for row in rows if row["met"] is not None]
    lines = [f"bars met: {sum(row['met'] for row in judged)} of {len(judged)}"]
    graphs = [row for row in rows if row["name"] in {workload.name for workload in GRAPHS}]
    if len(graphs) > 1:
        ours, theirs = (
            max(row[side] for row in graphs) / min(row[side] for row in graphs)
            for side in ("minigrad", "theirs")
        )
        verdict = "met" if ours <= GRAPH_BAR else "missed"
        lines.append(
            f"time per node, largest graph to smallest: minigrad {ours:.2f}, PyTorch {theirs:.2f}, "
            f"bar {GRAPH_BAR:.2f}  {verdict}"
        )
    return lines


def markdown(rows: list[dict[str, Any]]) -> list[str]:
    """The table in Markdown."""
    lines = ["| workload | minigrad | PyTorch | ratio | bar |", "| --- | --- | --- | --- | --- |"]
    for row in rows:
        ours, theirs = (f"{row[side]:.2f} {row['unit']}" for side in ("minigrad", "theirs"))
        if row["other"] != "PyTorch":
            theirs += f" ({row['other']})"
        bar = "" if row["bar"] is None else f"{row['bar']:.2f}{'' if row['met'] else ', missed'}"
        lines.append(f"| {row['name']} | {ours} | {theirs} | {row['ratio']:.2f} | {bar} |")
    return lines


def machine(sides: list[Side], threads: int) -> str:
    """The processor and the versions that the figures belong to."""
    cpuinfo = Path("/proc/cpuinfo")
    text = cpuinfo.read_text() if cpuinfo.exists() else ""
    models = [e.partition(":")[2].strip() for e in text.splitlines() if e.startswith("model name")]
    versions = ", ".join(f"{side.name} {side.versions['version']}" for side in sides)
    return (
        f"{models[0] if models else platform.machine()}, {os.cpu_count()} cores, {threads} thread(s) "
        f"a side; Python {platform.python_version()}, NumPy {np.__version__}, {versions}"
    )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Time minigrad beside PyTorch.")
    option = parser.add_argument
    option("--only", action="append", metavar="NAME", help="workloads whose name contains NAME")
    option("--large", action="store_true", help="leave out the small workloads, and imports")
    option("--threads", type=int, default=1, metavar="N", help="threads of each side")
    option("--repeats", type=int, default=9, metavar="N", help="rounds per workload, at least 2")
    option("--peers", action="store_true", help="compare the documents' loops with peers as well")
    option("--instructions", action="store_true", help="count instructions of small workloads")
    option("--plot", type=Path, metavar="FILE", help="draw the ratios")
    option("--json", type=Path, metavar="FILE", help="also write the figures to FILE")
    option("--markdown", action="store_true", help="print the table in Markdown as well")
    option("--list", action="store_true", help="name the workloads and their bars")
    option("--device", choices=("cpu", "cuda"), default="cpu", help="where both sides compute")
    options = parser.parse_args()
    if options.device == "cuda":
        _on_gpu(parser)
    return options


def _on_gpu(parser: argparse.ArgumentParser) -> None:
    """Let both sides compute on a GPU; an error that says what is missing."""
    for side, missing in (
        ("minigrad", "CuPy and a driver (docs/gpu.md)"),
        ("torch", "a CUDA build"),
    ):
        if not importlib.import_module(side).cuda.is_available():
            parser.error(f"{side} finds no GPU to measure on: it needs {missing}")
    os.environ["BENCHMARK_DEVICE"] = "cuda"  # for the two sides' processes


def table(chosen: list[Workload], sides: list[Side], repeats: int) -> list[dict[str, Any]]:
    """The rows of two sides, printed as they are measured; a row that failed has no ratio."""
    print(HEADER.format(sides[1].name), flush=True)
    rows = []
    for workload in chosen:
        try:
            rows.append(measure(workload, sides, repeats))
            print(line(rows[-1]), flush=True)
        except Failed as failure:
            rows.append({"name": workload.name, "failed": str(failure)})
            print(f"{workload.name:18}failed\n{failure}", flush=True)
    return rows


def counted(chosen: list[Workload], threads: int) -> list[dict[str, Any]]:
    """Instruction counts of the small workloads on both sides."""
    small = [w for w in chosen if w.name in SMALL and w.units < 1000]
    if not instructions.available():
        sys.exit("--instructions needs valgrind and os.fork, which are not there")
    if not small:
        return []
    print(
        "\ninstructions per unit, of Python, NumPy and the library, without the kernel's; "
        "counting takes minutes",
        flush=True,
    )
    names, environ = [workload.name for workload in small], environment(threads)
    sides = [instructions.count(side, names, environ) for side in ("minigrad", "torch")]
    print(f"{'instructions':18}{'minigrad':>12}{'torch':>12}{'ratio':>8}")
    rows = []
    for workload, *answers in zip(small, *sides, strict=True):
        agree(workload, [answer["numbers"] for answer in answers])
        ours, theirs = (answer["instructions"] / workload.units for answer in answers)
        rows.append({"name": workload.name, "minigrad": ours, "torch": theirs})
        print(f"{workload.name:18}{ours:12,.0f}{theirs:12,.0f}{ours / theirs:8.2f}", flush=True)
    return rows


def main() -> int:
    options = arguments()
    wanted = options.only or [""]
    every = WORKLOADS + (GPU if options.device == "cuda" else [])
    chosen = [w for w in every if any(part in w.name for part in wanted)]
    if options.large:
        chosen = [w for w in chosen if w.name not in SMALL and not w.name.startswith("import-")]
    if options.list or not chosen:
        for workload in chosen or every:
            bar = "" if workload.bar is None else f"{workload.bar:.2f}"
            print(f"{workload.name:18}{bar}".rstrip())
        return 0 if options.list else 2
    ours, *others = sides = [
        Side(name, options.threads)
        for name in ("minigrad", "torch", *(PEERS if options.peers else ()))
    ]
    about = machine(sides, options.threads)
    print(about)
    all_rows = table(chosen, [ours, others[0]], options.repeats)
    loops = [workload for workload in chosen if workload in LOOPS]
    for peer in others[1:]:
        against = [w._replace(bar=PEER_BAR, other=PEERS[peer.name]) for w in loops]
        all_rows += table(against, [ours, peer], options.repeats)
    for side in sides:
        side.close()
    rows = [row for row in all_rows if "failed" not in row]
    print(*summary(rows), sep="\n")
    if options.markdown:
        print("", about, "", *markdown(rows), "", sep="\n")
    believed = {row["name"] for row in rows}
    agreed = [workload for workload in chosen if workload.name in believed]
    counts = counted(agreed, options.threads) if options.instructions else []
    if options.json:
        result = {"machine": about, "rows": all_rows, "instructions": counts}
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    if options.plot:
        plot.save(rows, about, options.plot)
    return 1 if len(rows) < len(all_rows) else 0


if __name__ == "__main__":
    sys.exit(main())
