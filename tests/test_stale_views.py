"""Every op of views whose base was changed in place after they were made.

Such a view's node is renewed when it is asked for: the gradient has to pass the change as well.
"""

from __future__ import annotations

from typing import Any

import pytest
from op_calls import Call
from op_lines import CALLS
from oracle import LIBRARIES, Raised, compare
from strategies import Program
from test_memory import programs
from test_properties import attempt, outputs, pulled_back

LEAF = ".requires_grad_()"


def stale(program: Program) -> tuple[Program, list[str]]:
    """The program with a view in place of each leaf, of the same value, and the leaves' names."""
    lines, leaves = [], []
    for line in program.lines:
        name, _, text = line.partition(" = ")
        if not text.endswith(LEAF):
            lines.append(line)
            continue
        leaves.append(f"{name}_leaf")
        lines += [
            f"{name}_leaf = {text}",
            f"{name}_base = {name}_leaf * 0.5",
            f"{name} = {name}_base.view({name}_base.shape)",
            f"{name}_base.mul_(2)",
        ]
    return Program(lines), leaves


def gradients(library: Any, scope: dict[str, Any], leaves: list[str]) -> Any:
    results = outputs(library, scope["r"])
    try:
        return pulled_back(library, results, [scope[n] for n in leaves]) if results else None
    except RuntimeError as error:
        return Raised(error)


@pytest.mark.parametrize("call", [c for c in CALLS if c.derivatives and c.graph], ids=str)
def test_the_gradient_passes_the_change_of_the_base(call: Call) -> None:
    program, leaves = stale(next(programs(call, "whole", True, 1)))
    scopes = [attempt(library, program) for library in LIBRARIES]
    found = [
        (scope["r"], gradients(library, scope, leaves))
        for library, scope in zip(LIBRARIES, scopes, strict=True)
    ]
    compare(*found, 100 * call.ulps, program.lines[-1], norm=True)
