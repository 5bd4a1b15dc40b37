"""The scripts in `examples/`: each runs on its own, is short, and prints what it prints on PyTorch.

`test_parity.py` compares every step of them; here a script is started as a student starts it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from parity.program import Program
from parity.suites import EXAMPLES, SHORT_EXAMPLES

ROOT = EXAMPLES.parent
IMPORT = "import minigrad as torch"


def started(name: str, *options: str, folder: Path = ROOT) -> str:
    """What `python examples/NAME.py OPTIONS` prints; it must end well and warn of nothing."""
    result = subprocess.run(
        [sys.executable, "-W", "error", EXAMPLES / f"{name}.py", *options], cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TQDM_DISABLE": "1", "MPLBACKEND": "Agg"},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


def on_pytorch(name: str, options: tuple[str, ...], folder: Path) -> str:
    """What the script prints when its one line that names minigrad says `import torch`."""
    import torch

    source = (EXAMPLES / f"{name}.py").read_text("utf-8")
    assert source.count("minigrad") == source.count(IMPORT) == 1
    script = folder / f"{name}.py"
    script.write_text(source.replace(IMPORT, "import torch"), "utf-8")
    for text in EXAMPLES.glob("*.txt"):
        (folder / text.name).write_bytes(text.read_bytes())
    printed = StringIO()
    with redirect_stdout(printed):
        Program(name, script=str(script), options=options).run(torch)
    return printed.getvalue()


def test_every_script_is_listed() -> None:
    assert sorted(path.stem for path in EXAMPLES.glob("*.py")) == sorted(SHORT_EXAMPLES)


@pytest.mark.parametrize("name", SHORT_EXAMPLES)
def test_prints_what_it_prints_on_pytorch(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TQDM_DISABLE", "1")
    ours = started(name, *SHORT_EXAMPLES[name], folder=tmp_path)
    assert ours.count("\n") >= 2
    assert ours == on_pytorch(name, SHORT_EXAMPLES[name], tmp_path)


@pytest.mark.parametrize("name", SHORT_EXAMPLES)
def test_is_a_page_long(name: str) -> None:
    assert len((EXAMPLES / f"{name}.py").read_text("utf-8").splitlines()) <= 70


@pytest.mark.parametrize("name", SHORT_EXAMPLES)
def test_the_list_of_scripts_tells_about_it(name: str) -> None:
    assert f"[{name}.py]({name}.py)" in (EXAMPLES / "README.md").read_text("utf-8")


def test_plot_is_saved(tmp_path: Path) -> None:
    started("gd_vs_sgd", "--epochs", "6", "--plot", "paths.png", folder=tmp_path)
    assert (tmp_path / "paths.png").read_bytes().startswith(b"\x89PNG")


def test_progress_bar_leaves_the_printed_text_alone(tmp_path: Path) -> None:
    options = ("--epochs", "6")
    result = subprocess.run(
        [sys.executable, EXAMPLES / "gd_vs_sgd.py", *options], cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TQDM_DISABLE": ""},
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert result.stdout == started("gd_vs_sgd", *options, folder=tmp_path)
    assert "GD: 100%" in result.stderr
