"""minigrad.nn held against PyTorch's own module database; how, is told in `module_db.py`.

One test per entry whose class minigrad has. `python tests/module_db.py --only NAME` shows more.
"""

from collections.abc import Callable
from typing import Any

import module_db
import pytest
from module_db_differences import DIFFERENCES

import minigrad

MUST_HAVE = 140  # entries; raise it, never lower it


def test_enough_entries_are_there() -> None:
    assert len(module_db.present()) >= MUST_HAVE


@pytest.mark.parametrize("name", module_db.present())
def test_entry(name: str) -> None:
    report = module_db.run(name)
    assert not report.failed, f"\n{report.text()}"
    assert report.passed, f"no sample of {name} was compared"
    assert report.stale() == [], "these differences no longer show: remove them from the list"


def test_every_known_difference_names_present_entries_and_gives_a_reason() -> None:
    for difference in DIFFERENCES:
        assert set(difference.entries) <= set(module_db.present()), difference
        assert set(difference.checks) <= set(module_db.CHECKS), difference
        assert len(difference.reason.split()) > 5, difference


# --- the harness itself notices what it is there to notice ---------------------------------------

Method = Callable[..., Any]


def another_initial_value(init: Method) -> Method:
    def changed(self: Any, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **kwargs)
        with minigrad.no_grad():
            self.weight[0, 0] *= 1 + 2**-23

    return changed


def one_more_draw(init: Method) -> Method:
    def changed(self: Any, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **kwargs)
        minigrad.rand(1)

    return changed


def one_more_buffer(init: Method) -> Method:
    def changed(self: Any, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **kwargs)
        self.register_buffer("count", minigrad.zeros(1), persistent=False)

    return changed


def frozen(init: Method) -> Method:
    def changed(self: Any, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **kwargs)
        self.weight.requires_grad_(False)

    return changed


def wrong_values(forward: Method) -> Method:
    return lambda self, input: forward(self, input) * (1 + 1e-5)


def detached_weight(forward: Method) -> Method:
    return lambda self, input: minigrad.nn.functional.linear(input, self.weight.detach(), self.bias)


def tripled_second_derivative(forward: Method) -> Method:
    return lambda self, input: forward(self, input) + ((input - input.detach()) ** 2).sum()


def changes_itself(forward: Method) -> Method:
    def changed(self: Any, input: Any) -> Any:
        result = forward(self, input)
        with minigrad.no_grad():
            self.weight.add_(1)
        return result

    return changed


@pytest.mark.parametrize(
    ("method", "wrong", "noticed"),
    [
        ("__init__", another_initial_value, {"construct"}),
        ("__init__", one_more_draw, {"construct"}),
        ("__init__", one_more_buffer, {"construct"}),
        ("__init__", frozen, {"construct", "gradient"}),
        ("forward", wrong_values, {"forward", "gradient", "graph"}),
        ("forward", detached_weight, {"gradient"}),
        ("forward", tripled_second_derivative, {"second"}),
        ("forward", changes_itself, {"forward"}),
        ("extra_repr", lambda _: lambda self: "in_features=10", {"repr"}),
        ("__reduce_ex__", lambda _: lambda self, protocol: (minigrad.nn.Linear, (10, 8)), {"copies"}),
    ],
)  # fmt: skip
def test_a_wrong_module_is_noticed(
    monkeypatch: Any, method: str, wrong: Any, noticed: set[str]
) -> None:
    changed = wrong(getattr(minigrad.nn.Linear, method))
    monkeypatch.setattr(minigrad.nn.Linear, method, changed)
    assert set(module_db.run("Linear").failed) >= noticed


def test_another_signature_is_noticed(monkeypatch: Any) -> None:
    class Linear(minigrad.nn.Linear):
        def __init__(self, in_features: int, out_features: int, bias: bool = False) -> None:
            super().__init__(in_features, out_features, bias)

    monkeypatch.setattr(minigrad.nn, "Linear", Linear)
    assert "signature" in module_db.run("Linear").failed


def test_a_right_module_passes() -> None:
    report = module_db.run("Linear")
    assert not report.failed, report.text()
    assert set(report.passed) == set(module_db.CHECKS) - {"error"}
