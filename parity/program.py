"""What is run on both sides: a suite (a function of `torch`) or a script (a file).

A `Program` travels to PyTorch's process, so it holds names, no functions.
"""

from __future__ import annotations

import importlib
import os
import random
import runpy
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Program:
    """`module` and `function` name a suite; without a module, `script` is the path of a file.

    `arguments` are a suite's keyword arguments, `options` what follows a script's name in the shell.
    """

    name: str
    module: str = ""
    function: str = ""
    script: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)
    options: tuple[str, ...] = ()

    def run(self, torch: Any) -> Any:
        """Run on the library `torch`. Every program starts from the same seeds."""
        random.seed(0)
        np.random.seed(0)
        torch.manual_seed(0)
        if self.module:
            suite = getattr(importlib.import_module(self.module), self.function)
            return suite(torch, **self.arguments)
        with script_environment(self.script, self.options):
            return runpy.run_path(self.script, run_name="__main__")


def chosen_device(library: Any) -> AbstractContextManager[Any]:
    """While a program runs: what makes new tensors on the device of `--device`."""
    place = os.environ.get("PARITY_DEVICE")
    return nullcontext() if place is None else library.device(place)


@contextmanager
def aliased(alias: str, modules: dict[str, ModuleType]) -> Iterator[None]:
    """For a while, `import ALIAS` and `import ALIAS.name` give these modules.

    `modules` is keyed by what follows the package's name: "" and ".nn", for example.
    """
    saved = {name: module for name, module in sys.modules.items() if _within(name, alias)}
    for name in saved:
        del sys.modules[name]
    sys.modules.update({alias + name: module for name, module in modules.items()})
    try:
        yield
    finally:
        for name in [name for name in sys.modules if _within(name, alias)]:
            del sys.modules[name]
        sys.modules.update(saved)


def _within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


@contextmanager
def script_environment(script: str, options: tuple[str, ...] = ()) -> Iterator[None]:
    """`sys.argv` and `sys.path` as `python script.py OPTIONS` sets them."""
    argv, path = sys.argv, sys.path[:]
    sys.argv = [script, *options]
    sys.path.insert(0, str(Path(script).resolve().parent))
    try:
        yield
    finally:
        sys.argv, sys.path[:] = argv, path
