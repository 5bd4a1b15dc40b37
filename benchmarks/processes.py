"""Figures of a whole process: peak memory, an epoch of data, the time of an import.

Memory and imports are measured in a fresh Python process each, which prints one number.
"""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from typing import Any

from workload import Run, Torch, Workload, sample

PEAK = """
import sys, {name} as torch

def status(field):
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))

if hasattr(torch, "set_num_threads"):
    torch.set_num_threads({threads})
before = status("VmRSS")
nn = torch.nn
torch.manual_seed(0)
layers = [layer for _ in range(20) for layer in (nn.Linear(1024, 1024), nn.ReLU())]
model = nn.Sequential(*layers)
x = torch.randn(4096, 1024)
loss = model(x).square().mean()
loss.backward()
print(loss.item(), status("VmHWM") - before)
"""
IMPORT = "import time; t = time.perf_counter(); import {name}; print(1, time.perf_counter() - t)"


def child(program: str, name: str) -> tuple[float, float]:
    """What a program prints in a process of its own: a number to compare, and its figure."""
    program = program.format(name=name, threads=os.environ["OMP_NUM_THREADS"])  # of `--threads`
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    first, second = map(float, run.stdout.split())
    return first, second


def measured_alone(program: str, name: str) -> Run:
    last = [0.0]

    def figure() -> float:
        last[0], result = child(program, name)
        return result

    return Run(lambda: None, lambda: last, figure=figure)


def peak_memory(torch: Torch) -> Run:
    """How much forward and backward of a 20-layer MLP (width 1024, batch 4096) add to the memory
    of the process, parameters and data included."""
    return measured_alone(PEAK, torch.__name__)


def importing(torch: Torch, other: str) -> Run:
    """`import minigrad`, and on the other side `import torch` or `import numpy`."""
    return measured_alone(IMPORT, "minigrad" if torch.__name__ == "minigrad" else other)


def data_epoch(torch: Torch) -> Run:
    """One epoch of 60,000 samples of 784 floats in shuffled batches of 64."""
    data = torch.utils.data
    torch.manual_seed(0)
    x, y = torch.rand(60_000, 784), torch.randint(10, (60_000,))
    loader = data.DataLoader(data.TensorDataset(x, y), batch_size=64, shuffle=True)
    last: list[Any] = []

    def epoch() -> None:
        for batch in loader:
            last[:] = batch

    return Run(epoch, lambda: sample(*last))


PROCESSES = [
    Workload("memory-mlp-20", peak_memory, 0.7, checks=1, unit="MB"),
    Workload("dataloader-60000", data_epoch, 0.3, checks=1, unit="ms"),
    Workload("import-torch", partial(importing, other="torch"), 0.1, checks=1, unit="ms"),
    Workload(
        "import-numpy", partial(importing, other="numpy"), 1.5, checks=1, unit="ms", other="NumPy"
    ),
]
