"""`python -m parity`: the command line."""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from pathlib import Path

from .program import Program
from .suites import programs


def main(arguments: list[str] | None = None) -> int:
    """Run what is asked for; 0 if all passed, 1 if anything differs, 2 for a wrong command."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.device == "cuda":
        _on_gpu(parser)
    suites = programs(options.short)
    if options.list:
        print("\n".join(suites))
        return 0
    chosen = _chosen(parser, options.names, suites)
    if options.plot and "gd_vs_sgd" not in [program.name for program in chosen]:
        parser.error("--plot draws the figures of gd_vs_sgd, which is not among the names")

    os.environ["TQDM_DISABLE"] = "1"  # a program's progress bar would run into this one's
    for module in ("torch", "rich"):
        if importlib.util.find_spec(module) is None:
            parser.error(f'{module} is not installed: pip install -e ".[parity]"')
    from .report import progress_bar, show
    from .runner import compare_all

    with progress_bar() as bar:
        results = compare_all(chosen, bar.begin, bar.advance)
    show(results)
    if options.html:
        from .html import write_page

        write_page(options.html, results)
    if options.plot:
        from .plots import draw

        draw(options.plot, suites["gd_vs_sgd"])
    return 0 if all(result.passed for result in results) else 1


def _on_gpu(parser: argparse.ArgumentParser) -> None:
    """Let both libraries make their tensors on a GPU; an error that says what is missing."""
    import minigrad

    if not minigrad.cuda.is_available():
        parser.error("minigrad finds no GPU: it needs CuPy and a driver (docs/gpu.md)")
    import torch

    if not torch.cuda.is_available():
        parser.error("PyTorch finds no GPU to compare with: it was built without CUDA")
    os.environ["PARITY_DEVICE"] = "cuda"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m parity",
        description="Run programs on PyTorch and on minigrad and compare every step.",
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME",
        help="suites to run, all by default; or: run SCRIPT.py, any script that imports torch "
        "(or minigrad as torch)",
    )  # fmt: skip
    parser.add_argument("--list", action="store_true", help="list the suites")
    parser.add_argument("--short", action="store_true", help="fewer epochs, as the test-suite runs")
    parser.add_argument("--html", metavar="FILE", help="write a page with table and curves")
    parser.add_argument("--plot", metavar="DIR", help="draw the figures of gd_vs_sgd")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where to compute")
    return parser


def _chosen(
    parser: argparse.ArgumentParser, names: list[str], suites: dict[str, Program]
) -> list[Program]:
    if names[:1] == ["run"]:
        if len(names) != 2 or not Path(names[1]).is_file():
            parser.error("run takes the path of one script")
        return [Program(Path(names[1]).name, script=str(Path(names[1]).resolve()))]
    unknown = [name for name in names if name not in suites]
    if unknown:
        parser.error(f"no suite named {', '.join(unknown)}; --list shows them")
    return [suites[name] for name in names] or list(suites.values())


if __name__ == "__main__":
    sys.exit(main())
