"""Record a whole script: `python -m minigrad.tape SCRIPT.py [its arguments]`.

The script needs no change: it may import minigrad, or PyTorch, whose name then stands for
minigrad. When it ends the tape is printed, or written to the files that `--save` names:

    python -m minigrad.tape --save tape.json --save graph.svg SCRIPT.py --epochs 2
"""

from __future__ import annotations

import argparse
import importlib.abc
import importlib.util
import runpy
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from ..autograd.graph import record


class NamedTorch(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Makes `import torch` and `import torch.NAME` give minigrad and `minigrad.NAME`."""

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> Any:
        ours = fullname == "torch" or fullname.startswith("torch.")
        return importlib.util.spec_from_loader(fullname, self) if ours else None

    def create_module(self, spec: Any) -> Any:
        return import_module("minigrad" + spec.name.removeprefix("torch"))

    def exec_module(self, module: Any) -> None:
        """Importing minigrad's module has run it already."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a script and show what it did; an error of its own is raised after that."""
    parser = argparse.ArgumentParser(prog="python -m minigrad.tape", description=__doc__)
    parser.add_argument("--save", action="append", default=[], metavar="FILE")
    parser.add_argument("script")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args(arguments)
    sys.argv = [options.script, *options.arguments]
    sys.path[0] = str(Path(options.script).resolve().parent)
    sys.meta_path.insert(0, NamedTorch())
    recording = record()
    try:
        with recording as tape:
            runpy.run_path(options.script, run_name="__main__")
    finally:
        for path in options.save:
            tape.save(path)
        if not options.save:
            print(tape)


if __name__ == "__main__":
    main()
