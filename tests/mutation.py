"""Breaks minigrad in many small ways and counts how many of them the tests notice.

    python tests/mutation.py [--count 200] [--seed 0] [--only FILE ...] [--at FILE:LINE]

A mutant is minigrad with one change in the core (`autograd/`, `ops/`, `optim/`, `nn/`): a sign, a
factor, a comparison turned, a constant, an axis or a default changed, a copy or a version bump left
out, a statement dropped. For each, the tests that call the changed function run until one fails.
The share caught is printed with the survivors. A mutant that cannot be imported does not count; one
that makes the tests hang for two minutes is caught.

Which tests call which function is recorded first, in one run of the fast test files (some minutes;
kept in the temporary folder that `--keep FOLDER` names, if given). The kept libraries do not fit:
mutmut changes code inside of functions only, but here the table of derivatives, lambdas in calls
at the top of a module, is what matters; cosmic-ray starts a process per mutant that imports PyTorch
again, and neither knows of version bumps and copies. Everything happens in copies of the tree.
"""

from __future__ import annotations

import argparse
import ast
import compileall
import contextlib
import io
import json
import multiprocessing
import os
import py_compile
import random
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
AREAS = ("autograd", "ops", "optim", "nn")
SLOW = {"test_parity", "test_data_workers", "test_summation", "test_examples", "test_structure",
        "test_data", "test_random_networks", "test_robustness", "test_random_bits",
        "test_properties", "test_state_machine"}  # fmt: skip
SECONDS = 25.0  # of tests for a mutant, as measured in the recording
HANGS = 120.0


# --- mutants -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mutant:
    """One change: the source between two offsets of a file replaced by another text."""

    file: str
    line: int
    kind: str
    start: int
    end: int
    text: str
    function: int  # the line of the innermost function around it; 0: the module

    def broken(self, source: bytes) -> bytes:
        return source[: self.start] + self.text.encode() + source[self.end :]

    def show(self, source: bytes) -> str:
        before = source[self.start : self.end].decode().replace("\n", " ")
        return f"{self.file}:{self.line}: {self.kind}: {before[:70]}  ->  {self.text[:76]}"


class Finder(ast.NodeVisitor):
    """Collects the mutants of one file."""

    def __init__(self, file: str, source: bytes) -> None:
        self.file, self.source = file, source
        self.starts = [0]
        for line in source.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))
        self.functions = [0]
        self.found: list[Mutant] = []
        self.visit(ast.parse(source))

    def add(self, kind: str, node: Any, text: str) -> None:
        start, end = self.place(node)
        here = self.functions[-1]
        self.found.append(Mutant(self.file, node.lineno, kind, start, end, text, here))

    def place(self, node: Any) -> tuple[int, int]:
        return (
            self.starts[node.lineno - 1] + node.col_offset,
            self.starts[node.end_lineno - 1] + node.end_col_offset,
        )

    def text(self, node: Any) -> str:
        start, end = self.place(node)
        return self.source[start:end].decode()

    def inside(self, node: Any, children: list[Any]) -> None:
        """Visit the body of a function; its code starts at its first decorator."""
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        self.functions.append(first)
        for child in children:
            self.visit(child)
        self.functions.pop()

    def visit_FunctionDef(self, node: Any) -> None:
        for decorator in node.decorator_list:
            self.visit(decorator)
        body = node.body[1:] if ast.get_docstring(node) is not None else node.body
        self.inside(node, [*node.args.defaults, *filter(None, node.args.kw_defaults), *body])
        for default in [*node.args.defaults, *filter(None, node.args.kw_defaults)]:
            if isinstance(default, ast.Constant) and isinstance(default.value, (bool, int, float)):
                self.functions.append(node.lineno)
                self.add("default", default, str(_another(default.value)))
                self.functions.pop()

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.inside(node, [node.body])
        if node.args.args and node.args.args[0].arg == "grad":
            self.functions.append(node.lineno)
            self.add("factor", node.body, f"2 * ({self.text(node.body)})")
            self.functions.pop()

    def visit_BinOp(self, node: ast.BinOp) -> None:
        swaps = {ast.Add: ("sign", "-"), ast.Sub: ("sign", "+"), ast.Mult: ("factor", "/"),
                 ast.Div: ("factor", "*"), ast.Pow: ("factor", "*")}  # fmt: skip
        if type(node.op) in swaps and not isinstance(node.left, (ast.Constant, ast.JoinedStr)):
            kind, sign = swaps[type(node.op)]
            self.add(kind, node, f"(({self.text(node.left)}) {sign} ({self.text(node.right)}))")
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.USub):
            if isinstance(node.operand, ast.Constant):
                self.add("axis or constant", node, str(_another(-node.operand.value)))
                return
            self.add("sign", node, self.text(node.operand))
        elif isinstance(node.op, ast.Not):
            self.add("comparison", node, f"bool({self.text(node.operand)})")
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        turned = {ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=",
                  ast.NotEq: "==", ast.Is: "is not", ast.IsNot: "is", ast.In: "not in",
                  ast.NotIn: "in"}  # fmt: skip
        if len(node.ops) == 1:
            left, right = self.text(node.left), self.text(node.comparators[0])
            self.add("comparison", node, f"{left} {turned[type(node.ops[0])]} {right}")
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        word = " or " if isinstance(node.op, ast.And) else " and "
        self.add("comparison", node, f"({word.join(f'({self.text(v)})' for v in node.values)})")
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, (bool, int, float)) and self.functions[-1]:
            self.add("axis or constant", node, str(_another(node.value)))

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if name in ("copy", "clone", "contiguous", "ascontiguousarray") and self.functions[-1]:
            owner = node.func.value  # type: ignore[attr-defined]
            function = isinstance(owner, ast.Name) and owner.id in ("np", "xp", "copy", "ops")
            if not function or node.args:
                self.add("copy", node, f"({self.text(node.args[0] if function else owner)})")
        self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Call) and self.functions[-1]:
            bump = "bump" in self.text(node)
            self.add("version bump" if bump else "dropped statement", node, "pass")
        if not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if self.functions[-1]:
            self.add("dropped statement", node, "pass")
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_Raise(self, node: ast.Raise) -> None:
        """The texts of errors are held by tests of their own."""


def _another(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    return 0 if value == -1 else value + 1 if isinstance(value, int) else value * 2 + 0.5


def all_mutants(only: list[str]) -> list[Mutant]:
    found = []
    for area in AREAS:
        for path in sorted((ROOT / "minigrad" / area).rglob("*.py")):
            file = str(path.relative_to(ROOT))
            if path.name != "__init__.py" and (not only or any(o in file for o in only)):
                found += Finder(file, path.read_bytes()).found
    return found


def drawn(mutants: list[Mutant], seed: int) -> Iterator[Mutant]:
    """All mutants in a random order that takes the kinds in turn."""
    rng = random.Random(seed)
    kinds: dict[str, list[Mutant]] = defaultdict(list)
    for mutant in rng.sample(mutants, len(mutants)):
        kinds[mutant.kind].append(mutant)
    while kinds:
        for kind in sorted(kinds):
            yield kinds[kind].pop()
            if not kinds[kind]:
                del kinds[kind]


# --- copies of the tree and processes in them ----------------------------------------------------


def copy_tree(folder: Path) -> Path:
    """What the tests need, with byte code that notices every change of its source."""
    unwanted = shutil.ignore_patterns("__pycache__", ".*")
    for name in ("minigrad", "tests", "parity"):
        shutil.copytree(ROOT / name, folder / name, ignore=unwanted)
    shutil.copy(ROOT / "pyproject.toml", folder)
    mode = py_compile.PycInvalidationMode.CHECKED_HASH
    compileall.compile_dir(folder, quiet=2, invalidation_mode=mode)
    return folder


def preload() -> None:
    """Import once what all children need, and nothing of minigrad."""
    import hypothesis
    import pytest
    import torch
    from torch.testing._internal import common_methods_invocations, common_modules

    torch.set_num_threads(1)
    for module in (hypothesis, pytest, common_methods_invocations, common_modules):
        assert module
    assert not any(name.startswith("minigrad") for name in sys.modules)


def pytest_in(folder: Path, arguments: list[str], plugins: list[Any]) -> int:
    """In a fork: run pytest in a copy of the tree. 99: minigrad cannot be imported."""
    os.chdir(folder)
    sys.path[:0] = [str(folder), str(folder / "tests")]
    sys.dont_write_bytecode = True
    with open(os.devnull, "w") as quiet:
        os.dup2(quiet.fileno(), 1)
        os.dup2(quiet.fileno(), 2)
    try:
        import minigrad

        assert Path(minigrad.__file__).is_relative_to(folder)
    except Exception:
        return 99
    import pytest

    options = ["-p", "no:cacheprovider", "-p", "no:xdist", "-q", "--tb=no"]
    options += ["-W", "ignore:Module already imported", *arguments]
    return int(pytest.main(options, plugins=plugins))


class Recorder:
    """Which functions each test calls, and how long it takes."""

    def __init__(self, folder: Path) -> None:
        self.folder = f"{folder / 'minigrad'}{os.sep}"
        self.tests: dict[str, Any] = {}

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            self.tests.pop(report.nodeid, None)
            self.failing = {*getattr(self, "failing", ()), report.nodeid}

    def pytest_runtest_protocol(self, item: Any, nextitem: Any) -> None:
        self.finish()
        self.item, self.began, self.seen = item.nodeid, time.perf_counter(), set()
        sys.settrace(self.trace)

    def trace(self, frame: Any, event: str, argument: Any) -> None:
        self.seen.add(frame.f_code)

    def finish(self) -> None:
        sys.settrace(None)
        if hasattr(self, "item"):
            calls = [
                f"minigrad/{c.co_filename.removeprefix(self.folder)}:{c.co_firstlineno}"
                for c in self.seen
                if c.co_filename.startswith(self.folder)
            ]
            self.tests[self.item] = [time.perf_counter() - self.began, calls]

    def result(self) -> dict[str, Any]:
        self.finish()
        failing = getattr(self, "failing", set())
        return {k: v for k, v in self.tests.items() if k not in failing}


def record(folder: Path, files: list[str], result: Path) -> None:
    recorder = Recorder(folder)
    pytest_in(folder, files, [recorder])
    result.write_text(json.dumps(recorder.result()))


def attempt(folder: Path, tests: list[str]) -> None:
    """In a fork: the exit status tells what became of a mutant."""
    os._exit(pytest_in(folder, ["-x", *tests], []))


# --- the tests of a mutant -----------------------------------------------------------------------


class Tests:
    """Which tests to run for a mutant: those that call its function, the most specific first."""

    def __init__(self, recorded: dict[str, Any]) -> None:
        self.recorded = recorded
        self.of: dict[str, set[str]] = defaultdict(set)
        for test, (_, calls) in recorded.items():
            for place in calls:
                self.of[place].add(test)
                self.of[place.rpartition(":")[0]].add(test)

    def choose(self, mutant: Mutant) -> list[str]:
        calling = self.of.get(f"{mutant.file}:{mutant.function}") or self.of[mutant.file]
        files: dict[str, list[str]] = defaultdict(list)
        for test in sorted(calling, key=lambda t: (len(self.recorded[t][1]), t)):
            files[test.partition("::")[0]].append(test)
        chosen: list[str] = []
        seconds = 0.0
        while any(files.values()) and seconds < SECONDS:  # in turn from each file
            for tests in files.values():
                if tests:
                    chosen.append(tests.pop(0))
                    seconds += self.recorded[chosen[-1]][0]
        return chosen


def try_out(folder: Path, mutant: Mutant, tests: list[str]) -> str:
    """`caught`, `survived`, `hangs` or `not importable`."""
    path = folder / mutant.file
    source = path.read_bytes()
    path.write_bytes(mutant.broken(source))
    process = multiprocessing.get_context("fork").Process(target=attempt, args=(folder, tests))
    try:
        process.start()
        process.join(HANGS)
        if process.is_alive():
            process.kill()
            return "hangs"
    finally:
        path.write_bytes(source)
    return {0: "survived", 99: "not importable"}.get(process.exitcode or 0, "caught")


def work(folder: Path, todo: Any, done: Any, tests: Tests) -> None:
    """A worker: takes mutants until there are no more."""
    while (mutant := todo.get()) is not None:
        chosen = tests.choose(mutant)
        done.put((mutant, try_out(folder, mutant, chosen) if chosen else "survived", len(chosen)))


# --- command line --------------------------------------------------------------------------------


def recorded_tests(folders: list[Path], keep: Path) -> dict[str, Any]:
    file = keep / "recorded.json"
    if file.is_file():
        return json.loads(file.read_text())
    print("recording which tests call which functions ...", flush=True)
    names = [p.stem for p in sorted((ROOT / "tests").glob("test_*.py")) if p.stem not in SLOW]
    big = [n for n in names if n in ("test_op_db", "test_optim")]
    parts = [big, [n for n in names if n not in big]]
    jobs = [
        (folder, [f"tests/{n}.py" for n in part], keep / f"part{i}.json")
        for i, (folder, part) in enumerate(zip(folders, parts, strict=True))
    ]
    processes = [multiprocessing.get_context("fork").Process(target=record, args=j) for j in jobs]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    found = {k: v for *_, part in jobs for k, v in json.loads(part.read_text()).items()}
    file.write_text(json.dumps(found))
    return found


def run(mutants: Iterator[Mutant], count: int, folders: list[Path], tests: Tests) -> Any:
    """Try mutants until `count` of them counted; yields (mutant, what became of it, tests)."""
    context = multiprocessing.get_context("fork")
    todo, done = context.Queue(), context.Queue()
    workers = [context.Process(target=work, args=(f, todo, done, tests)) for f in folders]
    for worker in workers:
        worker.start()
    waiting = counted = 0
    while True:
        while waiting < len(workers) + 1 and counted + waiting < count:
            if (mutant := next(mutants, None)) is None:
                break
            todo.put(mutant)
            waiting += 1
        if not waiting:
            break
        mutant, fate, number = done.get()
        waiting -= 1
        counted += fate != "not importable"
        yield mutant, fate, number
    for _ in workers:
        todo.put(None)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", default=[], metavar="FILE")
    parser.add_argument("--at", default="", metavar="FILE:LINE", help="all mutants of this line")
    parser.add_argument("--keep", type=Path, help="a folder for what was recorded")
    options = parser.parse_args()
    mutants = all_mutants(options.only)
    if options.at:
        mutants = [m for m in mutants if f"{m.file}:{m.line}".endswith(options.at)]
    print(f"{len(mutants)} mutants, {options.count} at most are tried", flush=True)
    with tempfile.TemporaryDirectory() as name, contextlib.redirect_stderr(io.StringIO()):
        folders = [copy_tree(Path(name) / str(i)) for i in (0, 1)]
        sources = {m.file: (ROOT / m.file).read_bytes() for m in mutants}
        preload()
        keep = options.keep or Path(name)
        keep.mkdir(exist_ok=True)
        tests = Tests(recorded_tests(folders, keep))
        fates: dict[str, int] = defaultdict(int)
        survivors = []
        for mutant, fate, number in run(
            drawn(mutants, options.seed), options.count, folders, tests
        ):
            fates[fate] += 1
            line = mutant.show(sources[mutant.file])
            print(f"{sum(fates.values()):4} {fate:14} ({number} tests) {line}", flush=True)
            if fate == "survived":
                survivors.append(line)
    caught = fates["caught"] + fates["hangs"]
    print("\nsurvivors:", *survivors, sep="\n  ")
    print(
        f"\n{caught} of {caught + len(survivors)} caught: {caught / max(1, caught + len(survivors)):.1%}"
        f" ({fates['hangs']} hang; {fates['not importable']} cannot be imported and do not count)"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
