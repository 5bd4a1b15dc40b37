"""The player's page without a browser: what is in it, and what it says of regressions and formulas.

How it behaves in a browser is tested in the folder browser/.
"""

from __future__ import annotations

import ast
import json
import sys
from dataclasses import asdict
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch as pytorch

import minigrad as mg
from minigrad.tape.events import Value
from minigrad.tape.fit import fits
from minigrad.tape.mathematics import MATHEMATICS
from minigrad.tape.page import SCRIPTS, STYLES, packed, page

record = mg.autograd.graph.record
PARTS = Path(mg.__file__).parent / "tape" / "player"


def train(epochs: int = 3, lr: float = 0.05) -> Any:
    """The documents' regression: a line through three points."""
    with record() as tape:
        x, y = mg.tensor([[1.0], [2.0], [3.0]]), mg.tensor([[1.0], [2.0], [3.0]])
        W, b = mg.zeros(1, requires_grad=True), mg.zeros(1, requires_grad=True)
        optimizer = mg.optim.SGD([W, b], lr=lr)
        for _ in range(epochs):
            cost = mg.mean((x * W + b - y) ** 2)
            optimizer.zero_grad()
            cost.backward()
            optimizer.step()
    return tape


class Elements(HTMLParser):
    """The elements of a page, with the text inside of its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, Any]]] = []
        self.scripts: list[str] = []
        self.inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.found.append((tag, dict(attrs)))
        self.inside = tag == "script"

    def handle_endtag(self, tag: str) -> None:
        self.inside = False

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.scripts.append(data)

    def of(self, tag: str) -> list[dict[str, Any]]:
        return [attributes for name, attributes in self.found if name == tag]


# ---- one page, no network ------------------------------------------------------------------------


def test_the_page_asks_for_nothing_outside(tmp_path: Path) -> None:
    train().save(tmp_path / "tape.html")
    text = (tmp_path / "tape.html").read_text(encoding="utf-8")
    elements = Elements(text)
    assert not [a for _, attributes in elements.found for a in attributes if a == "src"]
    assert [a["href"] for a in elements.of("link")] == ["data:,"]
    (policy,) = [a for a in elements.of("meta") if a.get("http-equiv")]
    assert policy["content"].startswith("default-src 'none'")
    for name in [*SCRIPTS, *STYLES, "player.html"]:
        part = (PARTS / name).read_text(encoding="utf-8")
        for word in ("http:", "https:", "//cdn", "@import", "url(", "fetch(", "XMLHttp", "import("):
            assert word not in part, (name, word)


def test_the_page_has_all_of_its_parts_and_they_are_readable() -> None:
    text = page(train())
    assert {p.name for p in PARTS.iterdir()} == {*SCRIPTS, *STYLES, "player.html"}
    for name in [*SCRIPTS, *STYLES]:
        part = (PARTS / name).read_text(encoding="utf-8")
        assert part in text
        assert part.startswith("/*"), f"{name} does not introduce itself"
        assert part.count("\n") <= 350, name
        assert max(map(len, part.splitlines())) < 260, name
    assert "<!-- " not in Elements(text).get_starttag_text()
    for place in ("styles", "tape", "scripts"):
        assert f"<!-- {place} -->" not in text


def test_every_control_has_a_name_for_a_screen_reader() -> None:
    elements = Elements(page(train()))
    for tag in ("button", "input", "svg", "section"):
        for attributes in elements.of(tag):
            named = {"aria-label", "aria-labelledby", "title"} & attributes.keys()
            assert named or attributes.get("data-act") in (None, "fit", "follow"), (tag, attributes)
    ids = [a["id"] for _, a in elements.found if "id" in a]
    assert len(ids) == len(set(ids))
    labels = [a["aria-labelledby"] for _, a in elements.found if "aria-labelledby" in a]
    assert set(labels) <= set(ids)


# ---- the data ------------------------------------------------------------------------------------


def unpacked(text: str) -> dict[str, Any]:
    """What the page's script reads: values from the pool, lines of source by their number."""
    data = json.loads(text)

    def unpack(item: Any) -> Any:
        if isinstance(item, list):
            return [unpack(i) for i in item]
        if isinstance(item, dict):
            if item.keys() == {"v"}:
                return data["pool"][item["v"]]
            return {key: unpack(i) for key, i in item.items()}
        return item

    return {key: unpack(data[key]) for key in ("events", "tensors", "nodes", "sources", "fits")}


def same(ours: Any, theirs: Any, sources: list[Any]) -> None:
    """Compare an unpacked thing with `asdict` of what the tape holds."""
    if isinstance(theirs, dict) and theirs.keys() == {"file", "line", "function", "text"}:
        file, line, function = ours
        lines = sources[file]["text"].splitlines()
        assert (sources[file]["file"], line, function) == (
            theirs["file"], theirs["line"], theirs["function"],
        )  # fmt: skip
        assert lines[line - 1].strip() == theirs["text"].strip()
    elif isinstance(theirs, dict):
        for key, item in theirs.items():
            if item is None or item is False:
                assert key not in ours
            else:
                same(ours[key], item, sources)
    elif isinstance(theirs, list):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            same(a, b, sources)
    elif isinstance(theirs, float):
        assert np.float32(ours) == np.float32(theirs)
    else:
        assert ours == theirs


def test_the_data_is_that_of_the_tape() -> None:
    with record() as tape:
        mg.manual_seed(0)
        model = mg.nn.Sequential(mg.nn.Linear(3, 40), mg.nn.Tanh(), mg.nn.Linear(40, 2))
        loss = mg.nn.functional.cross_entropy(model(mg.randn(5, 3)), mg.tensor([0, 1, 1, 0, 1]))
        loss.backward()
        (mg.tensor([float("nan"), 1.0], requires_grad=True) * mg.inf).sum().backward()
    data = unpacked(packed(tape))
    for kind in ("events", "tensors", "nodes"):
        same(data[kind], [asdict(item) for item in getattr(tape, kind)], data["sources"])
    assert [t["label"] for t in data["tensors"]] == [tape.label(t.id) for t in tape.tensors]


def test_an_equal_value_is_written_once() -> None:
    tape = train(epochs=60)
    pool = json.loads(packed(tape))["pool"]
    assert len({json.dumps(value) for value in pool}) == len(pool)
    assert len(pool) < 12 * 60  # five results, four gradients, two parameters in each epoch
    per_step = len(packed(tape)) / len(tape)
    assert per_step < 600, "a tape of 5,000 steps should stay below 3 MB"


def test_text_of_the_program_cannot_leave_its_place() -> None:
    trap = {}
    with record() as tape:
        x = mg.tensor([1.0], requires_grad=True)
        trap["</script><script>alert(1)</script><!--"] = x * 2.0  # </script><img src=x>
        trap["</script><script>alert(1)</script><!--"].sum().backward()
    text = page(tape)
    elements = Elements(text)
    assert len(elements.of("script")) == 1 + len(SCRIPTS)
    assert elements.of("img") == []
    data = json.loads(elements.scripts[0])
    assert data["sources"][0]["text"] == Path(__file__).read_text(encoding="utf-8")
    assert any("alert(1)" in t["label"] for t in data["tensors"])


def test_a_page_of_an_empty_tape() -> None:
    with record() as tape:
        pass
    data = json.loads(packed(tape))
    assert data == {k: [] for k in ("pool", "sources", "events", "tensors", "nodes", "fits")}


def test_a_notebook_shows_the_page_in_a_frame() -> None:
    tape = train(epochs=1)
    (attributes,) = Elements(tape._repr_html_()).of("iframe")
    assert attributes["srcdoc"] == page(tape)
    assert unescape(attributes["title"]) == "minigrad tape"


def test_tensors_are_html_only_if_asked_for() -> None:
    x = mg.tensor([[1.0, 2.0]], requires_grad=True)
    assert not hasattr(x, "_repr_html_")
    mg.autograd.graph.html_tensors()
    try:
        (x * "<b>".count("b")).sum().backward()
        html = x._repr_html_()
        assert "<td>1</td><td>2</td>" in html
        assert ".grad" in html
        assert "It is a leaf" in html
        assert "<td>7</td>" in mg.tensor(7)._repr_html_()
    finally:
        mg.autograd.graph.html_tensors(False)
    mg.autograd.graph.html_tensors(False)  # again: nothing happens
    assert not hasattr(x, "_repr_html_")


# ---- formulas ------------------------------------------------------------------------------------

CALLS = {
    "PowBackward0": lambda a, b: a**3,
    "MeanBackward0": lambda a, b: a.mean(),
    "MmBackward0": lambda a, b: a @ b.T,
    "AddmmBackward0": lambda a, b: mg.nn.functional.linear(a, b, b[:, 0]),
    "SqrtBackward0": lambda a, b: a.abs().sqrt(),
    "AbsBackward0": lambda a, b: a.abs(),
    "ReluBackward0": lambda a, b: a.relu(),
    "SigmoidBackward0": lambda a, b: a.sigmoid(),
    "TanhBackward0": lambda a, b: a.tanh(),
    "SoftmaxBackward0": lambda a, b: a.softmax(1),
    "LogSoftmaxBackward0": lambda a, b: a.log_softmax(1),
    "MseLossBackward0": lambda a, b: mg.nn.functional.mse_loss(a, b),
    "MseLossBackward0 sum": lambda a, b: mg.nn.functional.mse_loss(a, b, reduction="sum"),
}


def array(value: Value) -> np.ndarray:
    return np.array(value.numbers).reshape(value.shape)


@pytest.mark.parametrize("name", CALLS)
def test_mathematics_gives_the_gradient(name: str) -> None:
    mg.manual_seed(1)
    with record() as tape:
        a, b = mg.randn(2, 3, requires_grad=True), mg.randn(2, 3, requires_grad=True)
        result = CALLS[name](a, b)
        (result * mg.linspace(0.5, 2.5, result.numel()).view(result.shape)).sum().backward()
    event = next(e for e in tape.of_kind("run") if tape.nodes[e.node - 1].name == name.split()[0])
    node = tape.nodes[event.node - 1]
    names: dict[str, Any] = {"grad": array(event.incoming[0]), "sign": np.sign, "exp": np.exp}
    names["sum"] = lambda values, dims: values.sum(dims, keepdims=True)
    names |= {s.name: array(tape.tensors[s.tensor - 1].value) for s in node.saved if s.tensor}
    told = {f.input: f.mathematics for f in event.formulas if f.mathematics}
    assert {(node.name, i) for i in told} == {k for k in MATHEMATICS if k[0] == node.name}
    for delivery in event.deliveries:
        if delivery.input in told:
            expected = array(delivery.unsummed or delivery.value)
            computed = eval(told[delivery.input], {}, names)
            np.testing.assert_allclose(
                np.broadcast_to(computed, expected.shape), expected, rtol=1e-5
            )


def test_every_written_formula_is_tested() -> None:
    assert {node for node, _ in MATHEMATICS} == {name.split()[0] for name in CALLS}
    for text in MATHEMATICS.values():
        ast.parse(text, mode="eval")


def test_constants_are_put_in() -> None:
    with record() as tape:
        x = mg.tensor([1.0, 2.0, 4.0], requires_grad=True)
        (x**2).mean().backward()
    mean, square = (e.formulas[0].mathematics for e in tape.of_kind("run"))
    assert (mean, square) == ("grad / 3", "grad * 2 * input")


def test_what_a_sum_undoes_and_versions_after_a_step() -> None:
    tape = train(epochs=1)
    last = tape.of_kind("run")[-1]
    np.testing.assert_allclose(array(last.deliveries[0].unsummed).ravel(), [-2 / 3, -8 / 3, -6])
    assert array(last.deliveries[0].value).tolist() == pytest.approx([-28 / 3])
    (step,) = tape.of_kind("step")
    assert [c.version for c in step.changes] == [1, 1]


# ---- regressions ---------------------------------------------------------------------------------


def error(fit: dict[str, Any], theta: list[float]) -> float:
    predicted = np.array(fit["offset"]) + np.array(fit["basis"]) @ theta
    return float(((predicted - np.array(fit["y"])) ** 2).mean())


def test_the_line_of_the_documents() -> None:
    tape = train(epochs=3)
    (fit,) = fits(tape)
    assert [tape.label(t) for t in fit["tensors"]] == ["W", "b"]
    assert (fit["x"], fit["y"]) == ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    assert fit["basis"] == [[1.0, 1.0], [2.0, 1.0], [3.0, 1.0]]
    means = [e for e in tape.of_kind("op") if e.op == "mean"]
    steps = tape.of_kind("step")
    for mean, before in zip(means[1:], steps, strict=False):
        theta = [c.after.numbers[0] for c in before.changes]
        assert error(fit, theta) == pytest.approx(mean.values[0].numbers[0], rel=1e-5)
    assert error(fit, [0.0, 0.0]) == pytest.approx(14 / 3)
    assert fit["first"] < means[0].step < fit["last"] < means[-1].step


def test_one_weight_a_module_and_batches() -> None:
    with record() as tape:
        mg.manual_seed(1)
        x = mg.tensor([1.0, 2.0, 3.0])
        W = mg.tensor(0.5, requires_grad=True)
        ((x * W - 2 * x) ** 2).sum().backward()
        model, F = mg.nn.Linear(1, 1), mg.nn.functional
        loader = mg.utils.data.DataLoader(
            mg.utils.data.TensorDataset(x[:, None], 2 * x), batch_size=1
        )
        for batch, target in loader:
            F.mse_loss(model(batch)[:, 0], target).backward()
    weight, line = fits(tape)
    assert (weight["basis"], weight["y"]) == ([[1.0], [2.0], [3.0]], [2.0, 4.0, 6.0])
    assert line["basis"] == [[1.0, 1.0], [2.0, 1.0], [3.0, 1.0]]
    assert len(line["tensors"]) == 2


def test_a_polynomial_of_more_points_than_are_kept() -> None:
    with record() as tape:
        x = mg.linspace(-1, 1, 100)[:, None]
        weight = mg.zeros(1, 2, requires_grad=True)
        bias = mg.zeros(1, requires_grad=True)
        predicted = mg.nn.functional.linear(mg.cat([x, x**2], dim=1), weight, bias)
        mg.nn.functional.mse_loss(predicted, 3 * x**2 - x).backward()
    (fit,) = fits(tape)
    x64, basis = np.array(fit["x"]), np.array(fit["basis"])
    assert len(x64) == 64
    np.testing.assert_allclose(basis, np.stack([x64, x64**2, np.ones(64)], axis=1), atol=1e-7)
    assert error(fit, [-1.0, 3.0, 0.0]) < 1e-12


NO_FITS = {
    "not linear": lambda x, W: ((x * W).exp() - x) ** 2,
    "a product of parameters": lambda x, W: (x * W * W - x) ** 2,
    "no data": lambda x, W: (W - 1.0) ** 2,
    "two columns": lambda x, W: (x * W + x.flip(0) - mg.ones(3)) ** 2,
    "broadcast": lambda x, W: (x * W - mg.ones(1)) ** 2,
    "no parameter": lambda x, W: (x - 2.0 * x) ** 2,
    "changed in place": lambda x, W: ((x * W).add_(1.0) - x) ** 2,
    "two parameters compared": lambda x, W: (x * W - x * W) ** 2,
}


@pytest.mark.parametrize("name", NO_FITS)
def test_what_is_no_such_regression(name: str) -> None:
    with record() as tape:
        x, W = mg.tensor([1.0, 2.0, 3.0]), mg.tensor(0.5, requires_grad=True)
        NO_FITS[name](x, W).sum()
    assert fits(tape) == []


# ---- the drawing through Graphviz ----------------------------------------------------------------


def test_a_drawing_without_the_program_dot(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match="apt install graphviz"):
        train(epochs=1).save(tmp_path / "graph.svg")


def test_a_long_chain_from_before_the_recording() -> None:
    """The nodes behind a tensor are put on the tape without recursion."""
    x = mg.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(2 * sys.getrecursionlimit()):
        y = y + 1.0
    with record() as tape:
        y.backward()
    assert len(tape.of_kind("run")) == 2 * sys.getrecursionlimit()
    assert x.grad.item() == pytorch.tensor(1.0).item()
    packed(tape)
