"""Instructions that a step executes, counted by valgrind: they do not depend on how busy the
machine is, as times do.

A count includes Python and NumPy (whose CPU dispatch sees fewer vector instructions under valgrind
than outside). Two runs with different numbers of calls leave out what starting up costs.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

FEW, MANY = 20, 60  # calls


def available() -> bool:
    return shutil.which("valgrind") is not None


def per_call(side: str, name: str, environment: dict[str, str]) -> float:
    """Instructions of one call of a workload's step."""
    few, many = (_total(side, name, calls, environment) for calls in (FEW, MANY))
    return (many - few) / (MANY - FEW)


def _total(side: str, name: str, calls: int, environment: dict[str, str]) -> int:
    program = [str(Path(__file__).with_name("timing.py")), side, "1", name, str(calls)]
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={os.devnull}"]
    run = subprocess.run(
        [*command, sys.executable, *program],
        capture_output=True, text=True, check=True, env=environment | {"PYTHONHASHSEED": "0"},
    )  # fmt: skip
    found = re.search(r"Collected : (\d+)", run.stderr)
    assert found is not None, run.stderr
    return int(found[1])
