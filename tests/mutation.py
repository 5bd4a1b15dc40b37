"""Breaks minigrad in many small ways and counts how many of them the tests notice.

    python tests/mutation.py [--count 200] [--seed 0] [--only FILE ...] [--kind KIND ...]

A mutant is minigrad with one change in the core (`autograd/`, `ops/`, `optim/`, `nn/`): a sign, a
factor, a comparison turned, a constant, an axis or a default changed, a copy or a version bump left
out, a statement dropped. For each, the tests that call the changed function run until one fails:
first the few that are quickest and most specific, then all others (`--seconds` of them), then those
that call anything else in its file.
The share caught is printed with the survivors. A mutant that cannot be imported does not count, one
that nobody can observe (`EQUIVALENT`) is not made; one that computes for two minutes is caught.

Which tests call which function is recorded first, in one run of the fast test files (some minutes;
`--keep FOLDER` keeps it: a test file is recorded again when it or minigrad has changed). The kept
libraries do not fit: mutmut changes code inside of functions only, but here the table of
derivatives, lambdas in calls at the top of a module, is what matters; cosmic-ray starts a process
per mutant that imports PyTorch again, and neither knows of version bumps and copies. Everything
happens in a copy of the tree.
"""

from __future__ import annotations

import argparse
import ast
import compileall
import hashlib
import json
import multiprocessing
import os
import py_compile
import random
import re
import resource
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice, zip_longest
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
AREAS = ("autograd", "ops", "optim", "nn")
SLOW = {"test_parity", "test_data_workers", "test_examples", "test_structure", "test_docs",
        "test_robustness", "test_state_machine"}  # fmt: skip
HANGS = 120  # seconds of the processor
FIRST = 16  # tests of the first round: most mutants fail one of those, and few files are collected
OF_ARRAYS = ("np", "xp", "copy", "ops", "either")  # whose `copy` has its argument in brackets
DECLARED = "test_signatures"  # reads defaults without calling the functions that have them

# Changes that nobody can observe: (the text of the mutant, why).
EQUIVALENT = [
    (r"2 \* \(xp\.zeros_(like|shaped)\([^()]*\)\)$", "twice zero is zero"),
    (r"/ \(np\.nan\)\)$", "nan either way"),
    (r"2 \* \(xp\.normalization_backward\(", "a list of gradients, of which the first ones count"),
    (r"/ \(\(-1(\.0)?\) \*\* ", "a sign is its own reciprocal"),
    (r"forward_ad\.py:\d+: axis or constant: -1  ->  0$", "there is one level at most"),
    (r"graph_arithmetic\.py:25: (default|axis)", "`writes` is for the other arithmetic"),
    (
        r"matrix_functions\.py:4\d: axis or constant: 0(\.0)?  ->",
        "so small a norm needs no scaling",
    ),
    (r"norms\.py:\d+: comparison: ord > 0  ->", "the order is never 0"),
    (r"softmax\.py:\d+: copy: (array|input)\.copy", "of an array without elements"),
    (r"softmax\.py:\d+: copy: np\.ascontiguousarray\(input", "for speed: of loops over samples"),
    (r"recurrent\.py:\d+: copy: either\.contiguous\(weight", "for speed: it is used in each step"),
    (r"embedding\.py:\d+: copy: either\.contiguous\(rows", "for speed: it is taken from in a loop"),
    (r"standardization\.py:\d+: copy: either\.contiguous", "for speed: a factor of products"),
    (r"gamma\.py:\d+: comparison: x < 1  ->", "1 has a value of its own"),
    (r"resampling\.py:\d+: sign: size - 1  ->", "a guard: no place is as far as that"),
    (r"matrices\.py:\d+: axis or constant: 0\.0  ->", "of equal points: it cancels"),
    (r"optim/arithmetic\.py:\d+: comparison: not SMALL", "where a result is kept, not which"),
    (r"2\.0\*\*27 \+ 1  ->", "either splits a float64 into halves of which products are exact"),
    (r"dims\.py:\d+: axis or constant: 0  ->  1$", "the first of two ways to the same shape"),
    (r"gamma\.py:\d+: axis or constant: 0  ->  1$", "reflected or not: the same number"),
    (r"gamma\.py:\d+: comparison: x > 0  ->", "0 has a value of its own"),
    (r"shifts\.py:\d+: comparison: other < bits", "NumPy too makes it 0"),
    (r"sorting\.py:193: axis or constant: 0  ->", "half of 1 is 0, rounded down"),
    (r"distances\.py:\d+: axis or constant: 0  ->  1$", "either of two arrays of one dtype"),
    (r"radam\.py:\d+: comparison: rho > 5\.0", "it is never just 5"),
    (r"arithmetic\.py:408: comparison: exponent < 0", "the shorter of two ways to a power"),
    (r"gamma\.py:\d+: comparison: x < SHIFT  ->", "one step more of the recurrence, or not"),
    (r"summation\.py:\d+: comparison: x\.size < LARGE", "two ways to add in one order"),
    (r"normal_distribution\.py:4[89]: ", "x**2 in any two parts, up to an unused bound"),
    (r"matrices\.py:181: axis or constant: 0  ->", "times a sign of 0"),
    (r"nn/init\.py:\d+: comparison: tensor [<>]=? ", "a random number meets a bound by accident"),
]


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
        defaults = [*node.args.defaults, *filter(None, node.args.kw_defaults)]
        self.inside(node, [*(d for d in defaults if not isinstance(d, ast.Constant)), *body])
        for default in defaults:
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
            function = isinstance(owner, ast.Name) and owner.id in OF_ARRAYS
            if not function or node.args:
                self.add("copy", node, f"({self.text(node.args[0] if function else owner)})")
        self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Call) and self.functions[-1]:
            bump = "bump" in self.text(node)
            self.add("version bump" if bump else "dropped statement", node, "pass")
        if not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    def visit_keyword(self, node: ast.keyword) -> None:
        # strict=True of `zip` is a guard against mistakes in minigrad itself, copy=False of `astype`
        # spares a copy
        if ast.unparse(node) not in ("strict=True", "copy=False"):
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
                source = path.read_bytes()
                found += [m for m in Finder(file, source).found if observable(m.show(source))]
    return found


def observable(shown: str) -> bool:
    return not any(re.search(pattern, shown) for pattern, _ in EQUIVALENT)


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


def in_a_fork(limit: int, function: Any, *arguments: Any) -> int:
    """The exit status of a call in a process of its own: it may break what it likes.

    The limit is one of processor time, so that a busy machine does not look like a mutant that
    hangs; the much longer one of the clock is for two threads that wait for each other."""

    def child() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
        os._exit(function(*arguments))

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join(5 * limit)
    process.kill()
    process.join()
    return process.exitcode or 0


def pytest_in(folder: Path, arguments: list[str], plugin: Any) -> int:
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
    return int(pytest.main(options, plugins=[plugin]))


# --- which tests call which function -------------------------------------------------------------


class Recorder:
    """The processor time of each test that passes, and the functions of minigrad that it calls."""

    def __init__(self, folder: Path, result: Path) -> None:
        self.prefix, self.result = f"{folder}{os.sep}", result
        self.tests: dict[str, Any] = {}
        self.failing: set[str] = set()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: Any) -> Any:
        began, seen = time.process_time(), set()
        sys.settrace(lambda frame, event, argument: seen.add(frame.f_code))
        try:
            return (yield)
        finally:
            sys.settrace(None)
            calls = {
                f"{code.co_filename.removeprefix(self.prefix)}:{code.co_firstlineno}"
                for code in seen
                if code.co_filename.startswith(f"{self.prefix}minigrad")
            }
            self.tests[item.nodeid] = [time.process_time() - began, sorted(calls)]

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            self.failing.add(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        passing = {k: v for k, v in self.tests.items() if k not in self.failing}
        self.result.write_text(json.dumps(passing))


class Chosen:
    """A plugin that runs the given tests in the given order."""

    def __init__(self, tests: list[str]) -> None:
        self.order = {test: i for i, test in enumerate(tests)}

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        items[:] = [item for item in items if item.nodeid in self.order]
        items.sort(key=lambda item: self.order[item.nodeid])


def recorded_tests(folder: Path, keep: Path) -> dict[str, Any]:
    """{test: [seconds, places called]}; a file is recorded once for a state of it and minigrad."""
    package = b"".join(path.read_bytes() for path in sorted(folder.glob("minigrad/**/*.py")))
    found: dict[str, Any] = {}
    for path in sorted(folder.glob("tests/test_*.py")):
        if path.stem in SLOW:
            continue
        state = hashlib.sha256(package + path.read_bytes()).hexdigest()[:12]
        result = keep / f"{path.stem}-{state}.json"
        if not result.exists():
            print(f"recording which functions {path.name} calls", flush=True)
            recorder = Recorder(folder, result)
            status = in_a_fork(3600, pytest_in, folder, [f"tests/{path.name}"], recorder)
            if status not in (0, 1, 5):  # passed, some failed, there are none
                result.unlink(missing_ok=True)
                raise SystemExit(f"tests/{path.name} cannot be run: pytest ended with {status}")
        found |= json.loads(result.read_text())
    return found


class Tests:
    """Which tests to run for a mutant: those that call its function, the quick and specific first."""

    def __init__(self, recorded: dict[str, Any]) -> None:
        self.recorded = recorded
        self.of: dict[str, set[str]] = defaultdict(set)
        for test, (_, calls) in recorded.items():
            for place in calls:
                self.of[place].add(test)
                self.of[place.rpartition(":")[0]].add(test)

    def cost(self, test: str) -> tuple[float, str]:
        """Small for tests that are quick and call little else."""
        seconds, calls = self.recorded[test]
        return seconds * len(calls), test

    def choose(self, mutant: Mutant, seconds: float) -> list[str]:
        """Half of the time in turn from each file, half the quickest and most specific of all."""
        calling = self.of.get(f"{mutant.file}:{mutant.function}") or self.of[mutant.file]
        if mutant.kind == "default":
            calling = calling | {test for test in self.recorded if DECLARED in test}
        ranked = sorted(calling, key=self.cost)
        files: dict[str, list[str]] = defaultdict(list)
        for test in ranked:
            files[test.partition("::")[0]].append(test)
        in_turn = filter(None, chain(*zip_longest(*files.values())))
        halves = (self.within(seconds / 2, half) for half in (in_turn, ranked))
        return list(dict.fromkeys(chain(*halves))) or ranked[:1]

    def others(self, mutant: Mutant, chosen: list[str], seconds: float) -> list[str]:
        """Tests that call something else of the file: what runs when minigrad is imported, as the
        rows are made, shows in those."""
        left = self.of[mutant.file].difference(chosen)
        return list(self.within(seconds, sorted(left, key=self.cost)))

    def within(self, seconds: float, tests: Iterable[str]) -> Iterator[str]:
        """The tests that this time allows; one long test does not displace all others."""
        for test in tests:
            if self.recorded[test][0] <= seconds:
                yield test
                seconds -= self.recorded[test][0]


def try_out(folder: Path, mutant: Mutant, tests: list[str]) -> str:
    """`caught`, `survived`, `hangs` or `not importable`."""
    path = folder / mutant.file
    source = path.read_bytes()
    path.write_bytes(mutant.broken(source))
    try:
        files = sorted({test.partition("::")[0] for test in tests})
        status = in_a_fork(HANGS, pytest_in, folder, ["-x", *files], Chosen(tests)) if tests else 0
    finally:
        path.write_bytes(source)
    fates = {0: "survived", 5: "survived", 99: "not importable", -9: "hangs", -24: "hangs"}
    return fates.get(status, "caught")


# --- command line --------------------------------------------------------------------------------


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--skip", type=int, default=0, help="of the drawn ones, to go on later")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", default=[], metavar="FILE")
    parser.add_argument("--kind", nargs="+", default=[], help='as printed: "copy", "default", ...')
    parser.add_argument("--at", nargs="+", default=[], metavar="FILE:LINE", help="all of a line")
    parser.add_argument("--keep", type=Path, help="a folder for what was recorded")
    parser.add_argument("--seconds", type=float, default=25, help="of tests for a mutant")
    options = parser.parse_args()
    mutants = all_mutants(options.only)
    if options.kind:
        mutants = [m for m in mutants if m.kind in options.kind]
    if options.at:
        mutants = [m for m in mutants if f"{m.file}:{m.line}".endswith(tuple(options.at))]
    print(f"{len(mutants)} mutants, {options.count} at most are tried", flush=True)
    fates: dict[str, list[str]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as name:
        folder = copy_tree(Path(name))
        preload()
        keep = options.keep or folder
        keep.mkdir(exist_ok=True)
        tests = Tests(recorded_tests(folder, keep))
        for i, mutant in enumerate(islice(drawn(mutants, options.seed), options.skip, None)):
            if i - len(fates["not importable"]) == options.count:
                break
            chosen = tests.choose(mutant, options.seconds)
            rounds = [chosen[:FIRST], chosen[FIRST:], tests.others(mutant, chosen, options.seconds)]
            fate = "survived"
            for batch in filter(None, rounds):
                fate = try_out(folder, mutant, batch)
                if fate != "survived":
                    break
            line = mutant.show((ROOT / mutant.file).read_bytes())
            fates[fate].append(line)
            print(f"{options.skip + i:4} {fate} ({len(chosen)} tests) {line}", flush=True)
    caught = len(fates["caught"]) + len(fates["hangs"])
    tried = caught + len(fates["survived"])
    print("\nsurvivors:", *fates["survived"], sep="\n  ")
    print(
        f"\n{caught} of {tried} caught: {caught / max(1, tried):.1%} ({len(fates['hangs'])} hang; "
        f"{len(fates['not importable'])} cannot be imported and do not count)"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
