"""`minigrad.explain`: why a tensor has a gradient or none, and at which line that was decided.

What becomes of the gradient is PyTorch's (each case runs there too); the lines are this file's.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch as pytorch

import minigrad as mg

record = mg.autograd.graph.record


def leaves(torch: Any) -> tuple[Any, Any]:
    return torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor([3.0], requires_grad=True)


def by_detach(torch: Any, w: Any, x: Any) -> Any:
    return x * (w * 2.0).detach()  # the cut


def by_data(torch: Any, w: Any, x: Any) -> Any:
    values = w.data  # the cut
    return x * (values + 1.0)


def under_no_grad(torch: Any, w: Any, x: Any) -> Any:
    hidden = w.exp()
    with torch.no_grad():
        scaled = hidden * 2.0  # the cut
    return x * (scaled + 1.0)


def by_comparison(torch: Any, w: Any, x: Any) -> Any:
    mask = w * 3.0 > 4.0  # the cut
    return x * mask.float()


CUTS = {
    by_detach: "cut by detach at",
    by_data: "cut by data at",
    under_no_grad: "ran under no_grad",
    by_comparison: "has no gradient",
}


def line_of(function: Callable[..., Any], text: str) -> int:
    """The number of the line of this file, in `function`, that contains `text`."""
    code = function.__code__
    with open(code.co_filename, encoding="utf-8") as file:
        lines = file.read().splitlines()
    return next(i for i in range(code.co_firstlineno, len(lines)) if text in lines[i - 1])


@pytest.mark.parametrize("program", CUTS, ids=lambda program: program.__name__)
def test_the_cut_on_the_way_is_named(program: Any) -> None:
    w, x = leaves(pytorch)
    program(pytorch, w, x).sum().backward()
    assert w.grad is None
    with record():
        w, x = leaves(mg)
        program(mg, w, x).sum().backward()
        text = mg.explain(w)
    assert w.grad is None
    assert CUTS[program] in text
    assert f"test_explain.py:{line_of(program, '# the cut')}" in text


def test_a_cut_beside_the_way_is_not_named() -> None:
    with record():
        w, x = leaves(mg)
        w.detach().sum()
        (x * x).sum().backward()
        text = mg.explain(w)
    assert "what it began from does not depend on it" in text
    assert "detach" not in text


def test_a_view_made_under_no_grad_gets_no_gradient() -> None:
    for torch in (pytorch, mg):
        w, _ = leaves(torch)
        with torch.no_grad():
            part = w[0]
        assert part.requires_grad
        (part * 2.0).backward()
        assert part.grad is None
        assert w.grad is None
    assert "no gradient goes through it" in mg.explain(part)


def test_a_frozen_parameter() -> None:
    layer = mg.nn.Linear(1, 1)
    layer.weight.requires_grad_(False)
    assert "a Parameter, made with requires_grad=False or set so" in mg.explain(layer.weight)
    assert "Parameter" not in mg.explain(mg.ones(1))


def test_a_gradient_is_told_from_other_constants() -> None:
    with record():
        w, _ = leaves(mg)
        (w * w).sum().backward()
        text = mg.explain(w.grad)
    assert "It is the gradient of w." in text


def test_what_the_tape_does_not_know_is_not_guessed() -> None:
    before = mg.ones(2)
    with record():
        after = before * 2.0
        text = mg.explain(before)
    assert after.grad_fn is None
    assert "before the tape began" in text
    assert "under no_grad" not in text


def test_the_line_of_an_integer() -> None:
    with record():
        w, _ = leaves(mg)
        mask = w > 1.0
        made = sys._getframe().f_lineno - 1
    assert "Only floating-point numbers" in mg.explain(mask)
    assert f"made at test_explain.py:{made} (mask = w > 1.0)" in mg.explain(mask)


def test_a_changed_tensor_has_two_lines() -> None:
    with record():
        w, _ = leaves(mg)
        y = w.exp()
        y += 1.0
        changed = sys._getframe().f_lineno - 1
        z = w * 2.0
        z[0].mul_(3.0)
    text = mg.explain(y)
    assert f"AddBackward0 is the node of what changed it last, at test_explain.py:{changed}" in text
    assert f"it was made at test_explain.py:{changed - 1} (y = w.exp())" in text
    assert "CopySlices is the node of what changed it last, through what shares" in mg.explain(z)
