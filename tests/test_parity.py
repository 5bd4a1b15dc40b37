"""The parity run: every suite passes in its short form, and nothing that is broken on purpose does.

PyTorch's side runs once, in its own process, for all tests of this file. A breakage replaces one
piece of minigrad; the run has to fail and to name the place.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from parity.compare import distance
from parity.lockstep import Result, compare_program
from parity.minigrad_side import MinigradSide
from parity.suites import programs
from parity.worker import Worker, read_spool

SUITES = programs(short=True)
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def compare() -> Iterator[Callable[[str], Result]]:
    """Runs a suite on minigrad and compares it with what PyTorch did."""
    with Worker() as worker:
        started = {name: worker.start(program) for name, program in SUITES.items()}

        def run(name: str) -> Result:
            path, events = started[name]
            events.result()
            return compare_program(SUITES[name], MinigradSide(), partial(read_spool, path))

        yield run


@pytest.mark.parametrize("name", SUITES)
def test_suite(name: str, compare: Callable[[str], Result]) -> None:
    result = compare(name)
    assert result.passed, str(result.difference)
    assert result.free is not None
    assert result.stepwise.largest <= 4
    assert result.stepwise.events == result.free.events > 1


# --- the measure -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_distance_counts_floats_in_between(dtype: type) -> None:
    start = np.array([1.0, -3.0, 0.0, 65504.0], dtype)
    moved = start
    for _ in range(3):
        moved = np.nextafter(moved, dtype(-np.inf))
    assert distance(moved, start) == (4, 0, 3.0)


def test_distance_across_zero_is_the_sum_of_both_sides() -> None:
    tiny = np.nextafter(np.float32(0), np.float32(1))
    assert distance(np.array([-tiny]), np.array([2 * tiny])).ulps == 3


def test_zeros_of_both_signs_are_equal_but_not_bit_equal() -> None:
    assert distance(np.array([-0.0, 1.0]), np.array([0.0, 1.0])) == (2, 1, 0.0)


def test_nan_and_infinity() -> None:
    strange = np.array([np.nan, np.inf, -np.inf])
    assert distance(strange, strange.copy()).ulps == 0
    assert distance(np.array([-np.inf]), np.array([np.inf])).ulps > 1e9
    assert distance(np.array([1.0]), np.array([np.nan])).ulps == np.inf
    assert distance(np.array([np.nan]), np.array([1.0])).ulps == np.inf


def test_integers_are_equal_or_infinitely_far() -> None:
    assert distance(np.array([1, 2]), np.array([1, 3])) == (2, 1, np.inf)


def test_types_and_shapes_are_part_of_the_value() -> None:
    assert distance(np.zeros(2, np.float32), np.zeros(2)).ulps == np.inf
    assert distance(np.zeros((1, 2)), np.zeros(2)).ulps == np.inf


def test_a_product_is_measured_at_the_size_of_its_terms() -> None:
    ours, theirs = np.array([3e-8], np.float32), np.array([1e-8], np.float32)
    assert distance(ours, theirs).ulps > 1e6
    assert distance(ours, theirs, np.array([1.0], np.float32)).ulps < 1
    # A scale smaller than the value does not make one ULP finer than the value's own.
    assert distance(theirs * 2, theirs, np.array([0.0], np.float32)).ulps > 1e6


# --- the command line ------------------------------------------------------------------------------

SCRIPT = """
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
x = torch.randn(20, 3)
print(x[:2])
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True)
for epoch in range(2):
    for (batch,) in DataLoader(TensorDataset(x), batch_size=4, shuffle=True):
        optimizer.zero_grad()
        loss = F.mse_loss(model(batch), batch[:, 0:1])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
print(__name__, torch.is_grad_enabled())
"""


def command(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-m", "parity", *arguments], cwd=folder, capture_output=True, text=True,
        timeout=120, env={**os.environ, "PYTHONPATH": path}, check=False,
    )  # fmt: skip


def test_list_names_every_suite() -> None:
    result = command("--list")
    assert (result.returncode, result.stdout.split()) == (0, list(SUITES))


def test_unknown_suite_is_a_wrong_command() -> None:
    result = command("no_such_suite")
    assert result.returncode == 2
    assert "no suite named no_such_suite" in result.stderr


def test_run_script(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(SCRIPT)
    result = command("run", "train.py", "--html", "page.html", folder=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "train.py" in result.stdout
    assert "1 passed, 0 failed" in result.stdout
    page = (tmp_path / "page.html").read_text()
    assert page.count("<polyline") >= 5  # two losses, pairs of parameters, the drift
    assert "http" not in page and "<script" not in page  # nothing from elsewhere


def test_run_script_that_ends_with_the_same_error(tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text("import torch\ntorch.ones(2).backward()\n")
    result = command("run", "wrong.py", folder=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "both runs ended with RuntimeError: element 0 of tensors does not" in result.stdout


def test_run_script_that_tells_the_libraries_apart(tmp_path: Path) -> None:
    script = "import torch\nx = torch.ones(2)\nprint(torch.nn.Linear.__module__)\n"
    (tmp_path / "apart.py").write_text(script)
    result = command("run", "apart.py", folder=tmp_path)
    assert result.returncode == 1
    assert f"{tmp_path / 'apart.py'}:3: print(torch.nn.Linear.__module__)" in result.stdout
    assert "torch.nn.modules.linear" in result.stdout
