"""The tape: what it records, against mathematics, PyTorch's graph, and the source of this file."""

from __future__ import annotations

import gc
import importlib
import json
import subprocess
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch as pytorch

import minigrad as mg
from minigrad.autograd import anomaly, engine
from minigrad.tape.formulas import applied, formula_text

record = mg.autograd.graph.record


def line_before() -> int:
    """The number of the line before the caller's."""
    return sys._getframe(1).f_lineno - 1


def numbers(value: Any) -> list[Any]:
    return value.numbers


def regression(torch: Any) -> tuple[Any, Any, Any]:
    x = torch.tensor([[1.0], [2.0], [3.0]])
    W, b = torch.zeros(1, requires_grad=True), torch.zeros(1, requires_grad=True)
    return W, b, ((x * W + b - x) ** 2).mean()


# ---- against mathematics -------------------------------------------------------------------------


def test_the_regression_of_the_documents() -> None:
    """d/dW mean((xW + b - x)^2) = 2/3 sum(x (xW + b - x)) = -28/3 at W = b = 0; d/db = -4."""
    with record() as tape:
        W, b, loss = regression(mg)
        loss.backward()
        mg.optim.SGD([W, b], lr=0.5).step()
    arrived = {tape.label(e.tensor): e for e in tape.of_kind("accumulate")}
    assert numbers(arrived["W"].gradient) == pytest.approx([-28 / 3])
    assert numbers(arrived["b"].after) == pytest.approx([-4.0])
    assert arrived["W"].before is None
    (step,) = tape.of_kind("step")
    assert step.optimizer == "SGD"
    assert step.options["lr"] == 0.5
    assert numbers(step.changes[0].before) == [0.0]
    assert numbers(step.changes[0].after) == pytest.approx([14 / 3])
    product = next(e for e in tape.of_kind("run") if tape.nodes[e.node - 1].op == "mul")
    (formula,) = product.formulas
    assert (formula.text, formula.applied) == ("grad * input", "grad * x")
    assert product.deliveries[0].summed  # x has three rows, W is one number
    assert product.freed == ["input"]


def test_gradients_add_up_in_the_buffer_and_in_grad() -> None:
    with record() as tape:
        x = mg.tensor(3.0, requires_grad=True)
        (x * x + x).backward()  # 2x + 1
        (2.0 * x).backward()
    deliveries = [d for e in tape.of_kind("run") for d in e.deliveries if d.to == "leaf"]
    assert [(numbers(d.value)[0], d.added) for d in deliveries] == [
        (1.0, False), (3.0, True), (3.0, True), (2.0, False),
    ]  # fmt: skip
    assert [numbers(d.total)[0] for d in deliveries] == [1.0, 4.0, 7.0, 2.0]
    first, second = tape.of_kind("accumulate")
    assert (first.before, numbers(first.after)) == (None, [7.0])
    assert [numbers(v)[0] for v in (second.before, second.gradient, second.after)] == [7, 2, 9]
    assert tape.of_kind("write") == []  # the addition to x.grad is told once


def test_a_large_value_is_bounded() -> None:
    with record() as tape:
        x = mg.arange(10_000.0).view(100, 100)
    value = tape.tensors[tape.id_of(x) - 1].value
    assert value.numbers == [float(i) for i in range(64)]
    assert (value.count, value.low, value.high, value.mean) == (10_000, 0.0, 9999.0, 4999.5)


def test_numbers_that_are_not_finite_are_text() -> None:
    with record() as tape:
        x = mg.tensor([float("nan"), float("inf"), -1.0])
    assert tape.tensors[tape.id_of(x) - 1].value.numbers == ["nan", "inf", -1.0]
    json.dumps(tape.to_dict(), allow_nan=False)


# ---- against PyTorch -----------------------------------------------------------------------------


def diamond(torch: Any) -> Any:
    x = torch.tensor([0.5, 1.5], requires_grad=True)
    y = x.exp()
    a, b = y * x, y.sin()
    return (a + b * a).sum() + x.sum()


def split(torch: Any) -> Any:
    x = torch.tensor([[3.0, 1.0], [2.0, 4.0]], requires_grad=True)
    first, second = x.unbind(0)
    return (first * second.softmax(0)).mean() + x.max(dim=1)[0].sum()


def written(torch: Any) -> Any:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2.0
    y[0].mul_(3.0)
    return (y.exp() + x).sum()


def layers(torch: Any) -> Any:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
    return torch.nn.functional.cross_entropy(model(torch.ones(5, 3)), torch.tensor([0, 1, 1, 0, 1]))


PROGRAMS: list[Callable[[Any], Any]] = [
    diamond, split, written, layers, lambda torch: regression(torch)[2],
]  # fmt: skip


def hooked(loss: Any) -> list[str]:
    """Run backward; the names of the nodes in the order in which PyTorch's hooks fire."""
    fired: list[str] = []
    seen, pending = set(), [loss.grad_fn]
    while pending:
        node = pending.pop()
        if node is not None and node not in seen:
            seen.add(node)
            node.register_hook(lambda *_, node=node: fired.append(node.name()))
            pending += [n for n, _ in node.next_functions]
    loss.backward()
    return fired


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_order_of_execution_is_pytorchs(program: Callable[[Any], Any]) -> None:
    with record() as tape:
        program(mg).backward()
    ran = [
        "torch::autograd::AccumulateGrad" if e.kind == "accumulate" else tape.nodes[e.node - 1].name
        for e in tape
        if e.kind in ("run", "accumulate")
    ]
    assert ran == hooked(program(pytorch))


def pytorchs_edges(node: Any) -> list[Any]:
    """The graph behind a node, depth first: names and edges; a node seen before by its number."""
    found: list[Any] = []
    seen: dict[Any, int] = {}
    pending = [node]
    while pending:
        node = pending.pop()
        if node is None or node in seen:
            found.append(seen.get(node))
            continue
        seen[node] = len(seen)
        found.append((node.name(), [nr for _, nr in node.next_functions]))
        pending += [n for n, _ in reversed(node.next_functions)]
    return found


def our_edges(tape: Any, root: int) -> list[Any]:
    found: list[Any] = []
    seen: dict[Any, int] = {}
    pending: list[Any] = [("node", root)]
    while pending:
        key = pending.pop()
        if key is None or key in seen:
            found.append(seen.get(key))
            continue
        seen[key] = len(seen)
        kind, number = key
        if kind == "leaf":
            found.append(("torch::autograd::AccumulateGrad", []))
            continue
        node = tape.nodes[number - 1]
        found.append((node.name, [e.output_nr if e else 0 for e in node.edges]))
        pending += [(e.to, e.id) if e else None for e in reversed(node.edges)]
    return found


@pytest.mark.parametrize("program", PROGRAMS)
def test_nodes_and_edges_are_pytorchs(program: Callable[[Any], Any]) -> None:
    with record() as tape:
        loss = program(mg)
        loss.backward()
    assert our_edges(tape, tape.id_of(loss.grad_fn)) == pytorchs_edges(program(pytorch).grad_fn)


@pytest.mark.parametrize("program", PROGRAMS)
def test_counts_and_ready_queue(program: Callable[[Any], Any]) -> None:
    """A node runs when its count is 0, it is the newest ready one, and each count ends at 0."""
    with record() as tape:
        program(mg).backward()
    counts: dict[Any, int] = {}
    ready: list[int] = []
    for event in tape:
        if event.kind == "backward":
            counts = {(w.to, w.id): w.count for w in event.waiting}
            for d in event.roots:
                counts[d.to, d.id] -= 1
            ready = event.ready
        elif event.kind == "run":
            assert event.node == ready[0]
            assert counts["node", event.node] == 0
            for d in event.deliveries:
                counts[d.to, d.id] -= 1
            assert all(counts[w.to, w.id] == w.count for w in event.waiting)
            ready = event.ready
            ages = [tape.nodes[n - 1].sequence_nr for n in ready]
            assert ages == sorted(ages, reverse=True)
    assert set(counts.values()) == {0}
    assert ready == []


# ---- lines, names, places ------------------------------------------------------------------------


def test_source_lines_and_names() -> None:
    with record() as tape:
        x = mg.tensor([1.0, 2.0], requires_grad=True)
        first = line_before()
        layer = mg.nn.Linear(2, 1)
        values = {"y": layer(x)}
        second = line_before()
        values["y"].sum().backward()
        third = line_before()
    assert tape.events[0].source.line == first
    call = next(e for e in tape.of_kind("op") if e.node is not None)
    assert call.source.line == second
    assert {e.source.line for e in tape.of_kind("run")} == {third}
    assert {Path(e.source.file).name for e in tape} == {"test_tape.py"}
    assert "layer(x)" in call.source.text
    names = {info.name for info in tape.tensors}
    assert {"x", "layer.weight", "layer.bias", "values['y']"} <= names
    assert tape.label(tape.id_of(x.grad)) == "x.grad"
    assert tape.label(tape.id_of(layer.weight.grad)) == "layer.weight.grad"


def test_why_an_operation_is_not_recorded() -> None:
    with record() as tape:
        x = mg.tensor([1.0, 2.0], requires_grad=True)
        with mg.no_grad():
            x * 2.0
        x.detach() * 3.0
        _ = x > 1.0
        with mg.inference_mode():
            x * 4.0
        x * 5.0
    assert [e.recorded for e in tape.of_kind("op")] == [
        "no_grad", "no input requires grad", "not differentiable", "inference mode", "recorded",
    ]  # fmt: skip
    assert [e.how for e in tape.of_kind("created")] == ["created", "detach"]


def test_functions_that_are_no_rows() -> None:
    with record() as tape:
        x = mg.tensor([[1.0, 3.0], [2.0, 0.0]])
        place = x.argmax(1)
        one = mg.nn.functional.one_hot(place)
        found = (x > 1.0).nonzero(as_tuple=True)
        out = mg.empty(2, dtype=mg.int64)
        mg.argmax(x, 0, out=out)
    told = {t: e.op for e in tape.of_kind("op") for t in e.outputs}
    assert [told[tape.id_of(t)] for t in (place, one, *found)] == [
        "argmax", "one_hot", "nonzero", "nonzero",
    ]  # fmt: skip
    assert [e.op for e in tape.of_kind("op")].count("argmax") == 2
    assert [e.tensor for e in tape.of_kind("write")] == [tape.id_of(out)]
    calls = count_calls(lambda: x.argmax(1))
    with record():
        pass
    assert count_calls(lambda: x.argmax(1)) == calls


def test_changes_in_place_with_versions() -> None:
    with record() as tape:
        x = mg.tensor([1.0, 2.0], requires_grad=True)
        y = x * 1.0
        y.mul_(3.0)
        y[0].add_(1.0)
    assert tape.label(tape.of_kind("write")[0].tensor) == "y"
    assert [e.version for e in tape.of_kind("write")] == [1, 2]
    assert numbers(tape.of_kind("write")[0].value) == [3.0, 6.0]
    assert y.tolist() == [4.0, 6.0]


def test_grad_set_from_outside() -> None:
    with record() as tape:
        x = mg.tensor(2.0, requires_grad=True)
        optimizer = mg.optim.SGD([x], lr=0.1)
        optimizer.zero_grad()  # there is none: no event
        (x * x).backward()
        optimizer.zero_grad()
        x.grad = mg.tensor(1.0)
    assert [e.value and numbers(e.value) for e in tape.of_kind("grad")] == [None, [1.0]]


def test_an_error_shows_the_saving_and_the_changing_line() -> None:
    with record() as tape:
        x = mg.tensor([1.0, 2.0], requires_grad=True)
        y = x * 2.0
        z = y * y
        saved = line_before()
        y.add_(1.0)
        changed = line_before()
        with pytest.raises(RuntimeError, match="modified by an inplace operation") as raised:
            z.sum().backward()
    text = str(raised.value)
    assert f"test_tape.py:{saved}: z = y * y" in text
    assert f"test_tape.py:{changed}: y.add_(1.0)" in text
    assert tape.of_kind("backward_end")[0].error == text


def test_a_pass_inside_a_pass() -> None:
    """Checkpointing runs the forward again, and a backward pass of its own, inside backward."""
    with record() as tape:
        x = mg.tensor([0.5, 1.0], requires_grad=True)
        y = importlib.import_module("minigrad.utils.checkpoint").checkpoint(
            lambda t: t.exp().sin(), x, use_reentrant=True
        )
        y.sum().backward()
    assert len(tape.of_kind("backward")) == len(tape.of_kind("backward_end")) == 2
    assert any(e.in_backward for e in tape.of_kind("op"))
    with_tape = x.grad.tolist()
    x.grad = None
    x.exp().sin().sum().backward()
    assert with_tape == x.grad.tolist()


def test_a_recorded_backward_pass() -> None:
    with record() as tape:
        x = mg.tensor(2.0, requires_grad=True)
        (slope,) = mg.autograd.grad(x**3, x, create_graph=True)
        (curvature,) = mg.autograd.grad(slope, x)
    assert (slope.item(), curvature.item()) == (12.0, 12.0)
    first, second = tape.of_kind("backward")
    assert (first.create_graph, second.create_graph) == (True, False)
    assert first.only_inputs
    assert tape.of_kind("accumulate") == []


# ---- nothing changes -----------------------------------------------------------------------------


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_recording_changes_no_number(program: Callable[[Any], Any]) -> None:
    def gradients() -> list[Any]:
        loss = program(mg)
        leaves, pending, seen = [], [loss.grad_fn], set()
        while pending:
            node = pending.pop(0)
            if node is None or node in seen:
                continue
            seen.add(node)
            if hasattr(node, "variable"):
                leaves.append(node.variable)
            pending += [n for n, _ in node.next_functions]
        loss.backward()
        return [leaf.grad.tolist() for leaf in leaves]

    plain = gradients()
    with record():
        recorded = gradients()
    assert plain
    assert recorded == plain


def test_nothing_is_recorded_outside() -> None:
    _, _, loss = regression(mg)
    with record() as tape:
        pass
    loss.backward()
    assert (len(tape), tape.tensors, tape.nodes) == (0, [], [])
    assert str(tape) == "(nothing was recorded)"
    assert anomaly.tape is None
    assert not anomaly.enabled
    assert engine.walk is engine._Pass


def test_after_an_error_nothing_is_recorded() -> None:
    with pytest.raises(ZeroDivisionError), record():
        1 / 0
    assert (anomaly.tape, anomaly.enabled) == (None, False)


def test_recordings_do_not_nest_and_anomaly_mode_stays_what_it_was() -> None:
    with record():
        assert not mg.is_anomaly_enabled()
        with pytest.raises(RuntimeError, match="nested"), record():
            pass
        with mg.autograd.set_detect_anomaly(True):
            assert mg.is_anomaly_enabled()
        assert anomaly.enabled
    assert not anomaly.enabled
    with mg.autograd.set_detect_anomaly(True):
        with record():
            pass
        assert anomaly.enabled


def test_a_tape_keeps_no_tensor_and_no_node_alive() -> None:
    gc.collect()
    gc.disable()
    try:
        with record() as tape:
            x = mg.tensor([1.0, 2.0], requires_grad=True)
            y = (x * 2.0).exp()
            loss = y.sum()
            loss.backward()
            references = [weakref.ref(t) for t in (x, y, loss, y.grad_fn, x.grad)]
            number = tape.id_of(y)
            del x, y, loss
            assert [r() for r in references] == [None] * 5
        assert tape.tensors[number - 1].freed == len(tape)
    finally:
        gc.enable()


def training_step() -> None:
    W, b, loss = regression(mg)
    optimizer = mg.optim.SGD([W, b], lr=0.1)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    with mg.no_grad():
        W.mul_(2.0)
        W.detach() * 3.0


def count_calls(function: Callable[[], None]) -> int:
    calls = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    gc.disable()
    sys.setprofile(count)
    try:
        function()
    finally:
        sys.setprofile(None)
        gc.enable()
    return calls


def test_not_recording_costs_no_call() -> None:
    training_step()
    before = count_calls(training_step)
    with record():
        training_step()
    assert count_calls(training_step) == before
    listeners = []

    def note(frame: Any, event: str, argument: Any) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(anomaly.PACKAGE):
            listeners.append(Path(frame.f_code.co_filename).stem)

    sys.setprofile(note)
    try:
        training_step()
    finally:
        sys.setprofile(None)
    assert [name for name in listeners if name.startswith(("tape", "anomaly"))] == []


# ---- what is shown -------------------------------------------------------------------------------


def test_the_table_tells_why_the_gradient_is_what_it_is() -> None:
    with record() as tape:
        _, _, loss = regression(mg)
        loss.backward()
    text = str(tape)
    assert "grad * x, summed to [1] = [-9.333] to AccumulateGrad of W" in text
    assert "W.grad = [-9.333]" in text
    assert "test_tape.py:" in text
    assert max(map(len, text.splitlines())) <= 140


def test_formulas_are_read_from_their_rows() -> None:
    formulas = [f for f, _ in mg.ops.mul.row.formulas] if hasattr(mg.ops.mul, "row") else []
    pair = (lambda grad, other: grad * other, lambda grad, input: grad * input)
    assert [formula_text(f) for f in pair] == ["grad * other", "grad * input"]
    assert applied("xp.cos(input) * xp.f(grad, xp)", {"input": "W"}) == "cos(W) * f(grad)"
    assert all(isinstance(formula_text(f), str) for f in formulas)


def test_the_json_file_holds_all(tmp_path: Path) -> None:
    with record() as tape:
        _, _, loss = regression(mg)
        loss.backward()
    tape.save(tmp_path / "tape.json")
    data = json.loads((tmp_path / "tape.json").read_text())
    assert [e["step"] for e in data["events"]] == list(range(1, len(tape) + 1))
    assert [t["id"] for t in data["tensors"]] == list(range(1, len(tape.tensors) + 1))
    assert [n["name"] for n in data["nodes"]] == [n.name for n in tape.nodes]
    assert data["sources"] == {__file__: Path(__file__).read_text()}


def test_the_drawing_has_pytorchs_names(tmp_path: Path) -> None:
    with record() as tape:
        regression(mg)
    dot = tape.to_dot()
    for name in ("MeanBackward0", "PowBackward0", "SubBackward0", "AddBackward0", "MulBackward0"):
        assert f'label="{name}\\n' in dot
    assert dot.count('"AccumulateGrad"') == 2
    assert dot.count('[label="input"') == 4  # and W and b are the `other` of their ops
    tape.save(tmp_path / "graph.dot")
    assert (tmp_path / "graph.dot").read_text() == dot
    with pytest.raises(ValueError, match=r"must end in \.html"):
        tape.save("tape.xyz")


def test_a_drawing_without_graphviz(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with record() as tape:
        regression(mg)
    monkeypatch.setitem(sys.modules, "graphviz", None)
    with pytest.raises(ImportError, match=r"minigrad\[viz\]"):
        tape.save(tmp_path / "graph.svg")


@pytest.mark.parametrize("library", ["torch", "minigrad"])
def test_a_script_is_recorded_as_it_is(library: str, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        f"import sys\nimport {library} as torch\nimport {library}.nn as nn\n"
        "x = torch.tensor(3.0, requires_grad=True)\n(x * x).backward()\nprint(x.grad, sys.argv[1:])\n"
    )
    out = subprocess.run(
        [sys.executable, "-m", "minigrad.tape", str(script), "--epochs", "2"],
        capture_output=True, text=True, check=True, cwd=Path(mg.__file__).parents[1],
    ).stdout  # fmt: skip
    assert out.startswith("tensor(6.) ['--epochs', '2']\n")
    assert "script.py:5  (x * x).backward()" in out
    assert "x.grad = 6" in out


# ---- explain -------------------------------------------------------------------------------------


def test_explain_without_a_tape() -> None:
    with record():
        pass
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2.0
    v = y[0]
    assert "It is a leaf" in mg.explain(x)
    assert "no backward pass has reached it" in mg.explain(x)
    assert "not a leaf: MulBackward0" in mg.explain(y)
    assert "call retain_grad()" in mg.explain(y)
    assert "Only floating-point numbers" in mg.explain(mg.tensor([1, 2]))
    assert "It is a view of y." in mg.explain(v)
    assert "shared by v" in mg.explain(y)
    (y * y).sum().backward()
    assert ".grad has the sum" in mg.explain(x)
    y.add_(1.0)
    assert "changed in place once (version 1)" in mg.explain(y)
    with mg.inference_mode():
        assert "in inference mode" in mg.explain(x.detach() * 1.0)
    with pytest.raises(TypeError, match="expected a Tensor"):
        mg.explain(3)


def test_explain_with_a_tape() -> None:
    with record():
        x = mg.tensor([1.0, 2.0], requires_grad=True)
        unused = mg.tensor(1.0, requires_grad=True)
        d = x.detach()
        detached = line_before()
        with mg.no_grad():
            n = x * 2.0
            hidden = line_before()
        c = d * 2.0
        y = x.exp()
        y.sum().backward()
        backward = line_before()
        x.grad = None
        reset = line_before()
        d.add_(1.0)
        changed = line_before()
    assert f"detached from x at test_tape.py:{detached}" in mg.explain(d)
    assert f"made by mul at test_tape.py:{hidden} (n = x * 2.0)" in mg.explain(n)
    assert "under no_grad" in mg.explain(n)
    assert "no input of it required a gradient" in mg.explain(c)
    assert f"backward pass at test_tape.py:{backward}" in mg.explain(unused)
    assert "did not reach it" in mg.explain(unused)
    assert f"graph behind it was freed at test_tape.py:{backward}" in mg.explain(y)
    assert f"it was reset at test_tape.py:{reset}" in mg.explain(x)
    assert f"Version 1: test_tape.py:{changed}" in mg.explain(d)
    assert "shared by x" in mg.explain(d)
