"""The whole suite with minigrad's tensors on a CUDA device: `pytest --device cuda`.

The ordinary tests compare minigrad with PyTorch. Here minigrad's default device is `cuda`, so its
side of each test computes there, while PyTorch stays on the CPU and is the oracle as always. The
device is a GPU where CuPy finds one, else the stand-in (stand_in.py), which refuses every mix of
the two memories. So that the tests need not be written twice,

- `x.numpy()`, `np.asarray(x)` and `from_numpy(a)` copy between the memories when a test calls them
  (a test's own line: minigrad's lines are refused as ever);
- random numbers are the CPU generator's, drawn there and copied: PyTorch's, that is; those of the
  CUDA generator have tests of their own (test_gpu.py, test_random_philox.py);
- numbers may differ by what other orders of addition and other kernels do: see `ULPS`.

Tests that are about the CPU by nature are in `left_out.py`, with the reason; the summary counts
them by it.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import stand_in
from left_out import LEFT_OUT

import minigrad
from minigrad import gpu, random_cuda, random_floats, random_integers
from minigrad.device import set_default

NUMPY, MINIGRAD = (str(Path(module.__file__).parent) for module in (np, minigrad))
ULPS = 64  # of the largest number in a result, as in device_db.py
chosen = False  # whether this run is one on a device


class Near:
    """An array that is equal to another if each element is, to within ULPS of the largest one."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, array: Any) -> None:
        self.array = np.asarray(array)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Near) and near(self.array, other.array)

    def __repr__(self) -> str:
        return f"Near({self.array!r})"


def near(a: Any, b: Any) -> bool:
    """Whether two arrays are equal to within ULPS of the largest finite number."""
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    if a.dtype.kind != "f" or not a.size:
        return bool(np.array_equal(a, b))
    finite = np.abs(a[np.isfinite(a)])
    bound = ULPS * np.spacing(finite.max(initial=np.finfo(a.dtype).tiny))
    with np.errstate(all="ignore"):
        same = (a == b) | (np.isnan(a) & np.isnan(b)) | (np.abs(a - b) <= bound)
    return bool(same.all())


def bits(array: Any) -> Any:
    """What two arrays are compared by: their bytes, or on a device their numbers."""
    return Near(array) if chosen else array.tobytes()


def neutral(text: str) -> str:
    """A text as it would be on the CPU."""
    if not chosen:
        return text
    if text == "cuda:0":
        return "cpu"
    text = text.replace("device(type='cuda', index=0)", "device(type='cpu')")
    return re.sub(r",\s+device='(cpu|cuda:0)'", "", text).replace("torch.cuda.", "torch.")


# --- what a test asks of a Tensor ----------------------------------------------------------------


def asked_by_a_test() -> bool:
    """Whether the line that called our caller is a test's: none of minigrad's, also through NumPy."""
    frame = sys._getframe(2)
    while frame.f_code.co_filename.startswith(NUMPY):
        frame = frame.f_back
    return not frame.f_code.co_filename.startswith(MINIGRAD)


def ask_tensors_for_copies() -> None:
    """Let tests call `numpy()`, `np.asarray` and `from_numpy` on a device's Tensors."""
    to_numpy, to_array, from_numpy = (
        minigrad.Tensor.numpy, minigrad.Tensor.__array__, minigrad.from_numpy
    )  # fmt: skip

    def numpy(self: Any, *, force: bool = False) -> Any:
        if asked_by_a_test() and self.is_cuda:
            return to_numpy(self.cpu(), force=force)
        return to_numpy(self, force=force)

    def array(self: Any, dtype: Any = None, copy: bool | None = None) -> Any:
        return to_array(self.cpu() if asked_by_a_test() else self, dtype, copy)

    def uploaded(ndarray: Any) -> Any:
        made = from_numpy(ndarray)
        return made.to(minigrad.get_default_device()) if asked_by_a_test() else made

    minigrad.Tensor.numpy, minigrad.Tensor.__array__ = numpy, array  # type: ignore[method-assign]
    minigrad.from_numpy = uploaded


class HostDraws:
    """In place of random_cuda.Draws: the CPU generator's functions, their results copied."""

    def __init__(self, index: int) -> None:
        self.index = index

    def __getattr__(self, name: str) -> Callable[..., Any]:
        draw = getattr(random_floats, name, None) or getattr(random_integers, name)

        def drawn(*args: Any, **kwargs: Any) -> Any:
            here = [gpu.to_host(a) if gpu.is_array(a) else a for a in args]
            return gpu.placed(draw(*here, **kwargs), self.index)

        return drawn


# --- pytest's part -------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--device", choices=("cpu", "cuda"), default="cpu",
        help="where minigrad's tensors are: cuda is a GPU, or its stand-in where there is none",
    )  # fmt: skip
    parser.addoption(
        "--left-out", action="store_true", help="with --device cuda: what else is left out, alone"
    )


def pytest_configure(config: pytest.Config) -> None:
    global chosen
    chosen = config.getoption("device") == "cuda"
    if not chosen:
        return
    if not gpu.device_count():
        there = stand_in.installed()
        there.__enter__()
        config.add_cleanup(lambda: there.__exit__(None, None, None))
    ask_tensors_for_copies()
    random_cuda.Draws = HostDraws
    set_default("cuda")
    config.add_cleanup(lambda: set_default(None))


@pytest.fixture(autouse=True)
def on_device() -> None:
    """The default device, whatever the last test has made of it."""
    if chosen:
        minigrad.cuda.set_device(0)
        set_default("cuda")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what is left out, with its reason."""
    if not chosen:
        return
    unused = {pattern for patterns in LEFT_OUT.values() for pattern in patterns}
    for item in items:
        reason, pattern = reason_for(item.nodeid)
        unused.discard(pattern)
        if bool(reason) != config.getoption("left_out"):
            item.add_marker(pytest.mark.skip(reason=f"left out: {reason}"))
    whole = {item.nodeid.partition("::")[0].rpartition("/")[2] for item in items}
    if not any("::" in arg for arg in config.args):
        unused = {p for p in unused if p.partition("::")[0] in whole}
        if unused:
            raise pytest.UsageError(f"left_out.py names tests that are not there: {unused}")


def reason_for(nodeid: str) -> tuple[str, str]:
    """Why a test is left out, and the pattern that says so; two empty texts if it is not."""
    name = nodeid.rpartition("/")[2] if "[" not in nodeid else short(nodeid)
    for reason, patterns in LEFT_OUT.items():
        for pattern in (name, name.partition("[")[0], name.partition("::")[0]):
            if pattern in patterns:
                return reason, pattern
    return "", ""


def short(nodeid: str) -> str:
    path, _, parameters = nodeid.partition("[")
    return f"{path.rpartition('/')[2]}[{parameters}"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How many tests ran on the device, and how many were left out by which reason."""
    if not chosen:
        return
    stats = terminalreporter.stats
    kind = "stand-in" if gpu.cupy().ndarray is stand_in.ndarray else "GPU"
    passed, failed = len(stats.get("passed", ())), len(stats.get("failed", ()))
    left = Counter(
        report.longrepr[2].removeprefix("Skipped: left out: ")
        for report in stats.get("skipped", ())
        if "left out: " in report.longrepr[2]
    )
    terminalreporter.write_sep("-", f"device cuda ({kind})")
    terminalreporter.write_line(f"{passed + failed} tests ran there, {passed} passed")
    for reason, count in left.most_common():
        terminalreporter.write_line(f"{count} left out: {reason}")
