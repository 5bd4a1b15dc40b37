"""Tells the program's calls from the library's own, by the code that calls.

What a program asks for is recorded; what an optimizer, a `DataLoader` or `print` does inside is
not, since there two libraries may go different ways to the same result. Between the two are the
layers of `torch.nn`: what their `forward` calls is recorded, as if the program had written it.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import numpy as np

Place = tuple[str, int]  # file and line of the program

# Calls that produce random numbers: compared bit by bit, with the generator's state after them.
DRAWS = frozenset(
    "rand rand_like randn randn_like randint randint_like randperm normal bernoulli multinomial "  # noqa: SIM905
    "uniform_ normal_ bernoulli_ random_ exponential_ dropout kaiming_uniform_ kaiming_normal_ "
    "xavier_uniform_ xavier_normal_ trunc_normal_".split()
)
# These draw a mask for values that were computed before: the state is compared bit by bit, the
# values as any result is.
MASKS = frozenset({"dropout"})


class Callers:
    """For one library: whose call is this, and from which line of the program?"""

    def __init__(self, torch: Any) -> None:
        self._library = torch.__name__
        here = Path(__file__).parent
        site = Path(np.__file__).parent.parent
        folders = (here, Path(torch.__file__).parent, site, Path(os.__file__).parent)
        self._suites = f"{here / 'suites'}{os.sep}"
        self._foreign = (*(f"{folder}{os.sep}" for folder in folders), "<frozen")
        self._programs: dict[CodeType, bool] = {}

    def is_program(self, frame: FrameType) -> bool:
        """Whether this is code of the suite or script (or of a module next to it)."""
        code = frame.f_code
        known = self._programs.get(code)
        if known is None:
            file = code.co_filename
            known = file.startswith(self._suites) or not file.startswith(self._foreign)
            self._programs[code] = known
        return known

    def counts(self, caller: FrameType | None, name: str) -> bool:
        """Calls of the program count, and of a layer's `forward`; else only a layer's draws."""
        if caller is None:
            return False
        if self.is_program(caller):
            return True
        module = caller.f_globals.get("__name__", "")
        if not module.startswith(self._library + ".nn."):
            return False
        return _in_forward(caller) or (name in DRAWS and not module.endswith(".init"))

    def place(self, frame: FrameType | None) -> Place:
        """The line of the program that led here."""
        while frame is not None and not self.is_program(frame):
            frame = frame.f_back
        return ("", 0) if frame is None else (frame.f_code.co_filename, frame.f_lineno)


def _in_forward(frame: FrameType | None) -> bool:
    """Whether this is a layer's `forward`, or a helper of it in the same file."""
    file = frame.f_code.co_filename if frame is not None else ""
    while frame is not None and frame.f_code.co_filename == file:
        if frame.f_code.co_name.endswith("forward"):
            return True
        frame = frame.f_back
    return False
