"""minigrad held against PyTorch's own operator database; how, is told in `op_db.py`.

One test per entry whose name minigrad has. `python tests/op_db.py --only NAME` shows more of one.
"""

import re
from typing import Any

import numpy as np
import op_db
import pytest
import torch
from op_db_compare import Mismatch, Rule, compare
from op_db_differences import DIFFERENCES

import minigrad

MUST_HAVE = 563  # entries, of those that support float32 on the CPU; raise it, never lower it


def test_enough_entries_are_there() -> None:
    assert len(op_db.present()) >= MUST_HAVE


@pytest.mark.parametrize("name", op_db.present())
def test_entry(name: str) -> None:
    report = op_db.run(name)
    assert not report.failed, f"\n{report.text()}"
    assert report.passed, f"no sample of {name} was compared"
    assert report.stale() == [], "these differences no longer show: remove them from the list"


def test_every_known_difference_names_present_entries_and_gives_a_reason() -> None:
    for difference in DIFFERENCES:
        assert set(difference.entries) <= set(op_db.present()), difference
        assert set(difference.checks) <= set(op_db.CHECKS), difference
        assert len(difference.reason.split()) > 5, difference


# --- the harness itself notices what it is there to notice ---------------------------------------


@pytest.mark.parametrize(
    ("wrong", "checks"),
    [
        (lambda x: x.exp() * (1 + 2e-6), {"forward", "gradient", "second"}),
        (lambda x: x.exp().to(minigrad.float64), {"forward"}),
        (lambda x: x.exp().reshape(-1), {"forward"}),
        (lambda x: x.exp().detach(), {"forward", "gradient", "second"}),
        (lambda x: x.exp() + (x - x.detach()), {"gradient"}),
        (lambda x: x.exp() + (x - x.detach()) ** 2, {"second"}),
        (lambda x: (x.exp(),), {"forward"}),
        (lambda x: x.missing(), {"forward", "gradient", "second"}),
    ],
    ids=["values", "dtype", "shape", "graph", "gradient", "second", "structure", "exception"],
)
def test_a_wrong_function_is_noticed(monkeypatch: Any, wrong: Any, checks: set[str]) -> None:
    assert not op_db.run("exp").failed
    monkeypatch.setattr(minigrad, "exp", wrong)
    assert set(op_db.run("exp").failed) >= checks


def test_a_wrong_method_is_noticed(monkeypatch: Any) -> None:
    monkeypatch.setattr(minigrad.Tensor, "exp", lambda x: -minigrad.exp(x))
    monkeypatch.setattr(minigrad.Tensor, "exp_", lambda x: minigrad.exp(x))
    assert set(op_db.run("exp").failed) == {"method", "inplace"}


def test_an_out_that_is_not_written_is_noticed(monkeypatch: Any) -> None:
    def mm(input: Any, mat2: Any, *, out: Any = None) -> Any:
        return input @ mat2 if out is None else out

    monkeypatch.setattr(minigrad, "mm", mm)
    assert set(op_db.run("mm").failed) == {"out"}


def test_a_call_that_does_not_raise_is_noticed(monkeypatch: Any) -> None:
    monkeypatch.setattr(minigrad, "dot", lambda input, other: (input * other).sum())
    assert "error" in op_db.run("dot").failed


def test_an_inplace_op_that_changes_and_then_raises_is_noticed(monkeypatch: Any) -> None:
    def add_(input: Any, *args: Any, **kwargs: Any) -> Any:
        input.zero_()
        raise RuntimeError("too late")

    monkeypatch.setattr(minigrad.Tensor, "add_", add_)
    assert "only after it had changed" in op_db.run("add").text()


def test_a_failure_tells_the_sample_and_both_results(monkeypatch: Any) -> None:
    monkeypatch.setattr(minigrad, "exp", lambda x: x)
    text = op_db.run("exp").text()
    assert re.search(r"(?s)ULPs apart.*\nexpected .*\nactual ", text)
    assert "sample: (<float32[20" in text


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (1.0, 1.0 + 5 * 2**-23),
        (0.0, 1e-40),
        (np.nan, 0.0),
        (0.0, np.nan),
        (np.inf, 1.0),
        (np.inf, -np.inf),
    ],
)
def test_numbers_that_count_as_different(expected: float, actual: float) -> None:
    pair = [
        lib.from_numpy(np.array([v], np.float32))
        for lib, v in ((torch, expected), (minigrad, actual))
    ]
    with pytest.raises(Mismatch):
        compare(*pair, Rule())


def test_numbers_that_count_as_equal() -> None:
    near = np.array([1.0 + 4 * 2**-23, np.nan, np.inf, 0.0], np.float32)
    given = torch.tensor([1.0, torch.nan, torch.inf, -0.0])
    compare(given, minigrad.from_numpy(near), Rule())


def test_a_sum_is_held_to_what_a_rounding_of_its_terms_does_to_it() -> None:
    terms = np.array([1.0, -1.0 + 2**-20], np.float32)
    theirs = torch.from_numpy(terms).sum()

    def rerun(number: int) -> list[Any]:
        signs = np.random.default_rng(number).choice([-1, 1], 2)
        return [np.sum(terms * (1 + signs * np.finfo(np.float32).eps), dtype=np.float32)]

    apart = minigrad.tensor(theirs.item() + 2**-23)
    with pytest.raises(Mismatch):
        compare(theirs, apart, Rule())
    compare(theirs, apart, Rule(rerun=rerun))
    with pytest.raises(Mismatch):
        compare(theirs, minigrad.tensor(theirs.item() + 2**-18), Rule(rerun=rerun))


def test_a_more_precise_result_than_pytorch_has_is_accepted() -> None:
    theirs, ours = torch.tensor([1.0 + 2**-18]), minigrad.tensor([1.0])
    compare(theirs, ours, Rule(precise=lambda: [np.array([1.0])]))
    with pytest.raises(Mismatch):
        compare(theirs, ours, Rule(precise=lambda: [np.array([1.0 + 2**-18 + 2**-20])]))
