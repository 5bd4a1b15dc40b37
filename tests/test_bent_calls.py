"""Every line of `op_lines.py` with one thing wrong: PyTorch refuses in the same words, or takes it.

In each call, one tensor after the other has a dimension more or less, is longer, shorter or empty
along one of its dimensions, or has another dtype; and each whole number of the line is another one.
Most of these calls are mistakes. What PyTorch computes nevertheless, minigrad computes too. The
cases in which the two differ are in `bent_differences.py`: all of those, and no others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from bent_differences import DIFFERENT
from op_calls import Call, _shape_spec
from op_lines import CALLS
from oracle import LIBRARIES, Raised, _run, compare
from test_op_alternatives import filled, values

SHAPE, SIZES = (2, 3), {"n": 3, "m": 2, "k": 4, "b": 2}
NUMBER = re.compile(r"(?<![\w.'-])-?\d+(?![\w.'])")
RANDOM = ("torch.normal", "torch.bernoulli", "torch.poisson", "dropout", "bernoulli_", "rrelu")
UNCHECKED = "F.scaled_dot_product_attention(x, y, z)"  # PyTorch reads what lies behind the values
BENT = [
    call
    for call in CALLS
    if call.template != UNCHECKED and not any(name in call.template for name in RANDOM)
]


def bent(array: Any, any_shape: bool) -> Iterator[tuple[str, Any]]:
    """An array that is not what the call wants; less variants where all shapes are wanted."""
    yield "no dims", array.reshape(-1)[:1].reshape(())
    if array.ndim:
        yield "first", np.asarray(array[0])
    yield "one more", array[None]
    for dim in range(min(array.ndim, 1) if any_shape else array.ndim):
        if not any_shape:
            another = np.roll(np.take(array, [0], dim), 1)  # not the same: matrices keep their rank
            yield f"longer {dim}", np.concatenate([array, another], dim)
            if array.shape[dim] > 1:
                yield f"shorter {dim}", np.delete(array, 0, dim)
        yield f"empty {dim}", np.take(array, [], dim)
    for dtype in ("int64",) if any_shape else ("float32", "int64"):
        if dtype != array.dtype:
            yield dtype, array.astype(dtype)


def numbers(line: str) -> Iterator[tuple[str, str]]:
    """The line with another number; its name is what is new, and where."""
    for place, match in enumerate(NUMBER.finditer(line)):
        value = int(match[0])
        for other in dict.fromkeys((value + 1, value - 1, -3, 5)):
            yield f"#{place} {other}", f"{line[: match.start()]}{other}{line[match.end() :]}"


def arrays_of(call: Call) -> dict[str, Any]:
    """Tensors that the call takes."""
    specs = {name: _shape_spec(call, name) for name in call.names}
    shapes = {
        name: SHAPE if spec in ("*", "=") else tuple(int(SIZES.get(w, w)) for w in spec.split())
        for name, spec in specs.items()
    }
    rng = np.random.default_rng(0)
    return {name: values(call, name, shape, SIZES, rng) for name, shape in shapes.items()}


def line_of(call: Call) -> str:
    """The line with the first of its alternatives."""
    shape = next((array.shape for array in arrays_of(call).values()), ())
    return filled(call.template, shape, SIZES)[0]


def cases(call: Call) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(name, line, tensors) of each wrong call."""
    arrays, line = arrays_of(call), line_of(call)
    for name, array in arrays.items():
        for what, other in bent(array, call.any_shape):
            yield f"{name} {what}", line, {**arrays, name: other}
    for dtype in ("int64", "bool"):
        yield f"all {dtype}", line, {name: a.astype(dtype) for name, a in arrays.items()}
    for what, other in numbers(line):
        yield what, other, arrays
    if call.names == ["x"]:
        single = arrays["x"].reshape(-1)[:1].reshape(())
        for what, other in numbers(line):
            yield f"{what} no dims", other, {"x": single}


def difference(call: Call, line: str, arrays: dict[str, Any]) -> str:
    """What differs: the "outcome", the "error" or its "text"; empty if nothing does."""
    line = re.sub(r"\bF\.", "torch.nn.functional.", line)
    theirs, ours = (_run(library, line, arrays)[0] for library in LIBRARIES)
    try:
        compare(theirs, ours, 1000 * call.ulps, line, norm=True)
    except AssertionError:
        if not (isinstance(theirs, Raised) and isinstance(ours, Raised)):
            return "outcome"
        return "error" if theirs.kind != ours.kind else "text"
    return ""


def said(found: dict[str, list[str]]) -> list[str]:
    return [name for names in found.values() for name in names]


def differences(call: Call) -> dict[str, str]:
    """{what differs: in which cases}."""
    found: dict[str, list[str]] = {}
    for name, line, arrays in cases(call):
        kind = difference(call, line, arrays)
        if kind and not (
            name[0] == "#" and name.endswith("no dims") and "x no dims" in said(found)
        ):
            found.setdefault(kind, []).append(name)
    return {kind: ", ".join(names) for kind, names in found.items()}


@pytest.mark.parametrize("call", BENT, ids=str)
def test_a_bent_call_ends_as_in_pytorch(call: Call) -> None:
    assert differences(call) == {
        kind: calls[key] for kind, calls in DIFFERENT.items() if (key := ident(call)) in calls
    }


def ident(call: Call) -> str:
    """The template; with the shapes of its tensors where another line has the same."""
    same = [other for other in BENT if other.template == call.template]
    shapes = " and ".join(_shape_spec(call, name) for name in call.names)
    return call.template if len(same) == 1 else f"{call.template} of {shapes}"


def test_the_differences_are_of_lines_that_exist() -> None:
    assert len({ident(call) for call in BENT}) == len(BENT)
    assert {key for calls in DIFFERENT.values() for key in calls} <= {ident(c) for c in BENT}
