"""What the source promises: who imports whom, no recursion, no cycles, linear cost, memory."""

import ast
import gc
import inspect
import itertools
import subprocess
import sys
import tracemalloc
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.autograd.row import pointwise

PACKAGE = Path(mg.__file__).parent
OUTER = ("nn", "optim", "utils", "distributed")
CORE = [
    path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.relative_to(PACKAGE).parts[0] not in OUTER and path != PACKAGE / "__init__.py"
]


@contextmanager
def no_collector() -> Iterator[None]:
    """Without the cyclic garbage collector: what is not freed by reference counts stays."""
    gc.collect()
    gc.freeze()  # for good: what is there already need not be looked at by any `gc.collect()`
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def leaf(*shape: int) -> mg.Tensor:
    return mg.tensor(
        np.linspace(0.5, 1.5, int(np.prod(shape)), dtype=np.float32).reshape(shape),
        requires_grad=True,
    )


# ---- imports -------------------------------------------------------------------------------------


def imported(path: Path) -> set[str]:
    """The full names of all modules that a source file imports, also inside of functions."""
    package = [PACKAGE.name, *path.relative_to(PACKAGE).parent.parts]
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*start, node.module] if node.module else start)
            names |= {module} | {f"{module}.{alias.name}" for alias in node.names}
    return names


def test_imports_are_found() -> None:
    assert "minigrad.autograd.node.Node" in imported(PACKAGE / "autograd" / "engine.py")
    assert "minigrad.autograd.node" in imported(PACKAGE / "tensor.py")


@pytest.mark.parametrize("path", CORE, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_the_core_imports_no_outer_package(path: Path) -> None:
    outer = tuple(f"minigrad.{name}" for name in OUTER)
    assert [n for n in imported(path) if n.startswith(outer)] == []


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE))
)
def test_nothing_is_imported_but_numpy_and_the_standard_library(path: Path) -> None:
    allowed = {*sys.stdlib_module_names, "numpy", "minigrad", "cupy", ""}
    assert {n.partition(".")[0] for n in imported(path)} - allowed == set()


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE))
)
def test_no_source_is_made_at_run_time(path: Path) -> None:
    tree = ast.parse(path.read_text())
    called = {
        n.func.id
        for n in ast.walk(tree)
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
    }
    stars = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.names[0].name == "*"]
    assert called.isdisjoint({"exec", "eval", "compile"})
    assert stars == []
    assert "setrecursionlimit" not in path.read_text()


LATE = """
import sys
before = set(sys.modules)
import minigrad
top = "accelerator backends cuda func jit linalg mps nn optim signal special utils version xpu".split()
names = [f"minigrad.{name}" for name in top]
names += ["minigrad.autograd.forward_ad", "minigrad.autograd.functional"]
assert {*names, "dataclasses", "numpy.typing", "traceback"} & ({*sys.modules} - before) == set()
for name in names:
    package, _, attribute = name.rpartition(".")
    assert attribute in dir(sys.modules[package]), name
    assert getattr(sys.modules[package], attribute) is sys.modules[name], name
import minigrad.autograd.gradcheck
assert callable(minigrad.autograd.gradcheck)  # the function, not its module, as in PyTorch
"""


def test_what_few_programs_need_is_imported_when_they_ask_for_it() -> None:
    run = subprocess.run([sys.executable, "-c", LATE], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_a_row_has_no_class_of_nodes_before_it_records() -> None:
    """A class takes as long to make as all the rest of a row, and most rows never record."""

    @pointwise("TwiceBackward0", input=lambda grad: grad * 2)
    def twice(input: Any) -> Any:
        return input * 2

    assert twice.row.node_class is None
    twice(leaf(2).detach())
    assert twice.row.node_class is None
    first, second = twice(leaf(2)), twice(leaf(2))
    assert type(first.grad_fn) is type(second.grad_fn) is twice.row.node_class
    assert type(first.grad_fn).__name__ == first.grad_fn.name() == "TwiceBackward0"


# ---- long and wide graphs ------------------------------------------------------------------------


def test_a_chain_of_a_million_operations() -> None:
    """Forward, backward and out of memory; a recursion anywhere would overflow the stack."""
    with no_collector():
        x = mg.tensor(1.0, requires_grad=True)
        y = x
        for i in range(1_000_000):
            y = y + 1.0 if i % 2 else -y
            if i == 10:
                early = weakref.ref(y.grad_fn)
        y.backward()
        assert x.grad.item() == 1.0
        assert early() is not None
        del y
        assert early() is None


STEPS: dict[str, Callable[[Any, Any], Any]] = {
    "product": lambda y, x: y * 1.0,
    "exp and log": lambda y, x: y.exp().log(),
    "same operand twice": lambda y, x: (y + y) * 0.5,
    "leaf in every step": lambda y, x: y + x * 0.0,
    "views": lambda y, x: y.view(1, 2).view(2),
    "slices": lambda y, x: y[:],
    "in place": lambda y, x: y.clone().add_(1.0) if y is x else y.add_(1.0),
    "in place through views": lambda y, x: written(y.clone() if y is x else y),
}


def written(y: Any) -> Any:
    y[0].mul_(1.0)
    return y


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize(
    "how", ["backward", "grad", "inputs", "create_graph", "dropped", "retained"]
)
def test_long_chains_of_all_kinds(name: str, how: str) -> None:
    limit = 5 * sys.getrecursionlimit()
    with no_collector():
        x = mg.tensor([1.0, 2.0], requires_grad=True)
        y = x
        for _ in range(limit):
            y = STEPS[name](y, x)
        loss, node = y.sum(), weakref.ref(y.grad_fn)
        if how == "grad":
            found = mg.autograd.grad(loss, x)[0]
        elif how == "create_graph":
            found = mg.autograd.grad(loss, x, create_graph=True)[0]
        elif how != "dropped":
            loss.backward(inputs=[x] if how == "inputs" else None, retain_graph=how == "retained")
            found = x.grad
        if how != "dropped":
            assert found.tolist() == pytest.approx([1.0, 1.0], rel=0.01)
            del found
        del y, loss
        assert node() is None


def test_a_long_chain_of_functions() -> None:
    class Same(mg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * 1.0

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            return grad

    with no_collector():
        x = mg.tensor(1.0, requires_grad=True)
        y = x
        for _ in range(5 * sys.getrecursionlimit()):
            y = Same.apply(y)
        node = weakref.ref(y.grad_fn)
        y.backward()
        assert x.grad.item() == 1.0
        del y
        assert node() is None


def test_a_sum_of_ten_thousand_branches() -> None:
    x = mg.tensor(1.0, requires_grad=True)
    branches = [x * float(i % 3) for i in range(10_000)]
    total = branches[0]
    for branch in branches[1:]:
        total = total + branch
    total.backward()
    assert x.grad.item() == sum(i % 3 for i in range(10_000))
    x.grad = None
    mg.stack([x * 2.0 for _ in range(10_000)]).sum().backward()
    assert x.grad.item() == 20_000


def test_paths_are_not_walked_one_by_one() -> None:
    """A ladder of 200 rungs has 2**200 paths from top to bottom."""
    x = mg.tensor(1.0, dtype=mg.float64, requires_grad=True)
    y = x
    for _ in range(200):
        y = y + y
    y.backward()
    assert x.grad.item() == 2.0**200


# ---- cost ----------------------------------------------------------------------------------------


def calls(function: Callable[[], Any]) -> int:
    """How many calls of Python and C functions `function` makes."""
    count = 0

    def note(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(None)
    return count


def chain(n: int) -> Any:
    y = x = leaf(2)
    for _ in range(n):
        y = (y * x).exp() * 0.1
    return y.sum(), x


def ladder(n: int) -> Any:
    x = leaf(2)
    a, b = x * 1.0, x * 2.0
    for _ in range(n):
        a, b = a + b, a * 0.5
    return (a + b).sum(), x


def fan(n: int) -> Any:
    x = leaf(2)
    return mg.stack([x * 2.0 for _ in range(n)]).sum(), x


def many_leaves(n: int) -> Any:
    leaves = [leaf(2) for _ in range(n)]
    total = leaves[0]
    for x in leaves[1:]:
        total = total * x
    return total.sum(), leaves


def writes(n: int) -> Any:
    x = leaf(2)
    y = x * 1.0
    for _ in range(n):
        y[0].mul_(0.5)
        y.add_(1.0)
    return y.sum(), x


def old_views(n: int) -> Any:
    x = leaf(2)
    y = x * 1.0
    views = [y[0] for _ in range(n)]
    y.mul_(2.0)
    return sum(v * 1.0 for v in views), x


GRAPHS = [chain, ladder, fan, many_leaves, writes, old_views]


@pytest.mark.parametrize("build", GRAPHS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("step", ["forward", "backward", "grad", "create_graph"])
def test_cost_is_linear(build: Callable[[int], Any], step: str) -> None:
    """From 100 to 200 to 400 nodes the number of calls grows by the same amount per node."""

    def cost(n: int) -> int:
        if step == "forward":
            return calls(lambda: build(n))
        loss, inputs = build(n)
        if step == "backward":
            return calls(loss.backward)
        return calls(lambda: mg.autograd.grad(loss, inputs, create_graph=step == "create_graph"))

    cost(10)  # what is cached on first use
    first, second, third = cost(100), cost(200), cost(400)
    assert third - second == pytest.approx(2 * (second - first), rel=0.02)


def test_a_pass_runs_each_node_once_and_only_what_is_needed() -> None:
    x, w = leaf(2), leaf(2)
    ran: list[str] = []
    a, b = (x * w).exp(), w.sin()
    loss = (a * b + a).sum()
    nodes, pending = set(), [loss.grad_fn]
    while pending:
        node = pending.pop()
        if node is not None and node not in nodes and node.name().endswith("Backward0"):
            nodes.add(node)
            node.register_hook(lambda i, o, node=node: ran.append(node.name()))
            pending += [n for n, _ in node.next_functions]
    mg.autograd.grad(loss, x, retain_graph=True)
    assert sorted(ran) == sorted(
        ["SumBackward0", "AddBackward0", "MulBackward0", "ExpBackward0", "MulBackward0"]
    )
    ran.clear()
    loss.backward()
    assert len(ran) == len(nodes) == 6


# ---- cycles --------------------------------------------------------------------------------------


def attempts(tensor: Any) -> list[tuple[Any, ...]]:
    other = mg.tensor(np.full((2, 2), 0.5, np.float32), requires_grad=True)
    index, square = mg.tensor([1, 0]), mg.tensor([[1, 0], [0, 1]])
    vector, many = mg.tensor(np.ones(tensor.shape[:1], np.float32)), other.expand(2, 2, 2)
    return [
        (), (other,), (0,), (2.0,), (0, 1), (tensor > 1, other), (2, 2), (index,),
        (4,), ((4,),), ((1, 0),),
        (other, other), (vector,), (many,), (0, 0, 1), (0.5,), ((2, 2), (1, 2)),
        (other, vector), (vector, vector), (many, many), (other, many), (tensor > 1,), (tensor > 1, 2.0),
        (0, index), (0, index, other), (0, index, 2.0), ((index, index), vector), (index, vector),
        (vector, 0, 1), (mg.ones(tensor.shape[1:]), 0, 0),
        (0, square, other), (0, square), (0, index, other, "prod"), (0, square, other, "sum"),
        (tensor * 2,), (tensor.detach() * 2,), (mg.ones(tensor.shape[:1] + (3,)), mg.ones(3, 2)),
        (2.0, 0, 0.5), (mg.ones(2), (2,), (1,)), (other, mg.tensor([1, 2]).int()),
    ]  # fmt: skip


EXCLUDED = {
    "cuda",
    "pin_memory",
    "nonzero_static",  # takes its size by keyword
    "set_",
    "share_memory_",
    "register_hook",
    "register_post_accumulate_grad_hook",
    "backward",
}
METHODS = sorted(
    name
    for name in dir(mg.Tensor)
    if callable(getattr(mg.Tensor, name)) and name not in EXCLUDED
    and (not name.startswith("_") or (name.startswith("__") and name.strip("_") in mg.ops.__dict__))
)  # fmt: skip


def use(name: str, arguments: tuple[Any, ...], tensor: Any) -> bool:
    """Call a method and go backward through what it returns; whether it accepts the arguments."""
    try:
        out = getattr(tensor, name)(*arguments)
    except Exception:
        return False
    for part in out if isinstance(out, tuple) else (out,):
        if isinstance(part, mg.Tensor) and part.requires_grad:
            loss = part.sum()
            try:
                if tensor.requires_grad:
                    mg.autograd.grad(loss, [tensor], create_graph=True, allow_unused=True)
                loss.backward(retain_graph=True)
            except RuntimeError as error:
                if "is not implemented" not in str(error):
                    raise
    return True


@pytest.mark.parametrize("name", METHODS)
def test_no_method_makes_a_cycle(name: str) -> None:
    """After forward, recorded backward and backward, reference counts alone free everything."""
    accepted = 0
    kinds = [
        leaf(2, 2),
        leaf(2),
        leaf(3),
        leaf(2, 2).double().detach().requires_grad_(),
        leaf(1),
        leaf(2, 2, 2),
        mg.tensor([1, 0]),
        mg.tensor(1),
    ]
    with no_collector():
        for kind, position in itertools.product(kinds, range(len(attempts(kinds[0])))):
            tensor = kind * 1
            arguments = attempts(tensor)[position] if tensor.ndim else ()
            if any(getattr(a, "dtype", None) is mg.bool for a in arguments[:1]) and not (
                "ma" in name or name == "where"
            ):
                continue  # masks are for masked_fill and its like, and for where and maximum
            fine = use(name, arguments, tensor)
            node = weakref.ref(tensor.grad_fn) if tensor.grad_fn is not None else lambda: None
            del tensor, arguments
            if fine:
                accepted += 1
                assert node() is None
                assert gc.collect() == 0
            gc.collect()  # frames of errors
    assert accepted, f"no arguments found that {name} accepts"


def test_most_of_the_methods_were_tried() -> None:
    assert len(METHODS) > 100


PROGRAMS: dict[str, Callable[[Any], Any]] = {
    "training step": lambda x: ((x @ x - 1.0) ** 2).mean(),
    "saved results": lambda x: x.exp().sigmoid().tanh().sqrt(),
    "views and writes": lambda x: written((x * 1.0).t()),
    "stale view": lambda x: stale(x),
    "hook": lambda x: hooked(x),
    "retained": lambda x: retained(x),
    "penalty": lambda x: mg.autograd.grad((x**3).sum(), x, create_graph=True)[0],
    "nodes asked for": lambda x: asked(x),
    "unused outputs": lambda x: x.unbind(0)[0].max(dim=0)[0],
    "no grad": lambda x: no_grad(x),
}


def stale(x: Any) -> Any:
    y = x * 1.0
    v = y[0]
    y.mul_(2.0)
    return v * y.sum()


def hooked(x: Any) -> Any:
    y = x * 1.0
    y.register_hook(lambda grad: grad * 2.0)
    y.grad_fn.register_prehook(lambda outputs: None)
    return y * 2.0


def retained(x: Any) -> Any:
    y = x * 1.0
    y.retain_grad()
    return y.exp()


def asked(x: Any) -> Any:
    y = x * x
    y.grad_fn.next_functions[0][0].metadata["note"] = 1
    return y


def no_grad(x: Any) -> Any:
    with mg.no_grad():
        v = x.view(4).clone()
        v.mul_(1.0)
    return x.view(4) * v


@pytest.mark.parametrize("name", PROGRAMS)
def test_no_program_makes_a_cycle(name: str) -> None:
    x = leaf(2, 2)
    PROGRAMS[name](x)  # what is made once for each row
    with no_collector():
        y = PROGRAMS[name](x)
        node = weakref.ref(y.grad_fn)
        y.sum().backward()
        del y
        assert node() is None
        assert gc.collect() == 0


def test_a_graph_that_is_dropped_without_a_backward_pass() -> None:
    with no_collector():
        y = (leaf(2, 2).exp() * 2.0).sum()
        node = weakref.ref(y.grad_fn)
        del y
        assert node() is None


def test_errors_leave_no_graph_behind() -> None:
    with no_collector():
        x = leaf(2)
        y = x.exp()
        z = y * 2.0
        y.add_(1.0)
        node = weakref.ref(z.grad_fn)
        with pytest.raises(RuntimeError):
            z.sum().backward()
        del y, z
        gc.collect()  # the traceback's frames
        assert node() is None


# ---- AccumulateGrad ------------------------------------------------------------------------------


def test_a_leaf_has_one_accumulate_grad_as_long_as_somebody_holds_it() -> None:
    x = leaf(2)
    y = x * 2.0
    first = y.grad_fn.next_functions[0][0]
    assert first is (x * x).grad_fn.next_functions[1][0]
    assert first is x.exp().grad_fn.next_functions[0][0]
    assert first.variable is x
    reference = weakref.ref(first)
    del first
    with no_collector():
        del y
        assert reference() is None


def test_accumulate_grad_is_no_cycle_with_its_leaf() -> None:
    with no_collector():
        x = leaf(2)
        node = (x * 2.0).grad_fn.next_functions[0][0]
        reference = weakref.ref(x)
        del x
        assert reference() is not None
        del node
        assert reference() is None


# ---- memory --------------------------------------------------------------------------------------

MEGABYTE = 2**20


def traced(function: Callable[[], Any]) -> tuple[float, float]:
    """How many megabytes a call leaves behind, and how many more than before it had at its peak."""
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    result = function()
    after, peak = tracemalloc.get_traced_memory()
    del result
    return (after - before) / MEGABYTE, (peak - before) / MEGABYTE


@pytest.fixture
def tracing() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


def big_chain(x: Any, n: int = 20) -> Any:
    for _ in range(n):
        x = (x * 0.9).exp()
    return x.sum()


@pytest.mark.usefixtures("tracing")
def test_saved_values_are_released_by_the_backward_pass() -> None:
    x = mg.tensor(np.zeros(MEGABYTE // 4, np.float32), requires_grad=True)
    big_chain(x).backward()
    x.grad = None
    kept = []

    def forward() -> None:
        kept.append(big_chain(x))

    left, _ = traced(forward)
    assert 19 < left < 22  # the results of 20 exponentials, of 1 MB each
    left, peak = traced(kept[0].backward)
    assert left < -17  # all but x.grad is free, although the loss is alive
    assert peak < 5


@pytest.mark.usefixtures("tracing")
def test_saved_values_stay_where_the_graph_is_retained() -> None:
    x = mg.tensor(np.zeros(MEGABYTE // 4, np.float32), requires_grad=True)
    loss = big_chain(x)
    left, peak = traced(lambda: loss.backward(retain_graph=True))
    assert 0.9 < left < 1.1  # x.grad
    assert peak < 6


@pytest.mark.usefixtures("tracing")
def test_products_with_numbers_save_nothing() -> None:
    x = mg.tensor(np.zeros(MEGABYTE // 4, np.float32), requires_grad=True)
    kept = []

    def forward() -> None:
        y = x
        for _ in range(10):
            y = (y * 2.0 + 1.0 - x) / 3.0
        kept.append(y.sum())

    left, _ = traced(forward)
    assert left < 0.1


@pytest.mark.usefixtures("tracing")
def test_values_are_saved_only_for_inputs_that_need_a_gradient() -> None:
    constant = mg.tensor(np.zeros(MEGABYTE // 4, np.float32))
    x = mg.tensor(np.zeros(MEGABYTE // 4, np.float32), requires_grad=True)
    kept = []
    left, _ = traced(lambda: kept.append((constant + 1.0) * (x + 1.0)))
    assert 1.9 < left < 2.1  # the result and `constant + 1`; `x + 1` is needed by nobody


@pytest.mark.usefixtures("tracing")
def test_nothing_is_saved_without_recording() -> None:
    x = mg.tensor(np.zeros(MEGABYTE // 4, np.float32), requires_grad=True)
    with mg.no_grad():
        left, peak = traced(lambda: big_chain(x))
    assert left < 0.1
    assert peak < 4


@pytest.mark.usefixtures("tracing")
def test_a_thousand_training_steps_leave_nothing_behind() -> None:
    x = leaf(4, 4)

    def steps() -> None:
        for _ in range(300):
            loss = ((x @ x - 1.0) ** 2).mean()
            loss.backward()
            with mg.no_grad():
                x.sub_(x.grad * 0.01)
            x.grad = None

    steps()
    with no_collector():
        left, _ = traced(steps)
    assert left < 0.02


def test_gradients_in_between_are_released_during_the_pass() -> None:
    """When the hook of an early value runs, the gradients of later values are gone."""
    seen: list[Any] = []
    alive: list[int] = []

    def note(grad: Any) -> None:
        alive.append(sum(r() is not None for r in seen))
        seen.append(weakref.ref(grad))

    y = leaf(2)
    for _ in range(20):
        y = y.exp() * 0.1
        y.register_hook(note)
    y.sum().backward()
    assert len(alive) == 20
    assert max(alive) <= 1


def test_every_public_name_of_autograd_has_a_docstring() -> None:
    for name in mg.autograd.__all__:
        assert inspect.getdoc(getattr(mg.autograd, name)), name
