"""The forms in which each op is called: one input with a gradient at a time, every dtype, and
functions of one tensor on a fine grid.

The lines are those of `op_lines.py`; the results, as well as what is refused, are PyTorch's.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch
from op_calls import Call
from op_lines import CALLS
from oracle import LIBRARIES, Raised, flat, same, without_library
from strategies import Program
from test_op_alternatives import LAID_OUT_OTHERWISE, programs
from test_properties import _filled, assert_same, attempt, derivatives

DTYPES = ("bool", "uint8", "int8", "int32", "int64", "float16", "float32", "float64")


def largest(call: Call) -> tuple[Program, list[str]]:
    """The program of the call whose tensors have most elements: the first of those."""
    found = list(programs(call))
    return max(found, key=lambda one: one[0].lines[0].count(",") if one[0].lines else 0)


SEVERAL = [call for call in CALLS if call.derivatives and len(call.names) > 1]


@pytest.mark.parametrize("call", SEVERAL, ids=str)
def test_each_gradient_alone(call: Call) -> None:
    """What is computed for one input must not lean on what is computed for another one."""
    program, leaves = largest(call)
    for kept in leaves if len(leaves) > 1 else []:
        lines = [
            line if line.startswith(f"{kept} = ") else line.replace(".requires_grad_()", "")
            for line in program.lines
        ]
        alone = Program(lines)
        theirs, ours = (attempt(library, alone) for library in LIBRARIES)
        graph = call.graph and not LAID_OUT_OTHERWISE.match(call.template)
        assert_same(theirs["r"], ours["r"], 1.0, call.ulps, graph=graph)
        slopes = [
            derivatives(library, scope, [kept], call.derivatives)
            for library, scope in zip(LIBRARIES, (theirs, ours), strict=True)
        ]
        assert_same(slopes[0][:1], slopes[1][:1], 1.0, 4 * call.ulps, gradient=True)
        zeros = [torch.zeros_like(theirs[kept])]
        assert_same(*(_filled(s, zeros) for s in slopes), 1.0, 16 * call.ulps, gradient=True)


def cast(line: str, dtype: str) -> str:
    """A tensor's line with another dtype; small whole numbers, so that all dtypes hold them."""
    return f"{line.replace('.requires_grad_()', '')}.abs().round().to(torch.{dtype})"


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_dtypes(call: Call) -> None:
    """The dtype of the results for each dtype of the first input, and of all."""
    program, leaves = largest(call)
    for dtype in DTYPES:
        for several in (False, True) if len(leaves) > 1 else (True,):
            names = leaves if several else leaves[:1]
            lines = [
                cast(line, dtype) if line.partition(" = ")[0] in names else line
                for line in program.lines
            ]
            theirs, ours = (attempt(library, Program(lines))["r"] for library in LIBRARIES)
            if isinstance(theirs, Raised) or isinstance(ours, Raised):
                continue
            found = [
                [str(getattr(t, "dtype", type(t))) for t in flat(result)]
                for result in (theirs, ours)
            ]
            assert [without_library(name) for name in found[1]] == found[0], Program(lines)


GRID = np.arange(-24, 24, 0.0625)
NEAR = 2.0**-44  # relative, of values and slopes; the pieces of a function differ by more


# Of these the numbers are random, or wander further apart at the ends of the grid, or no floats.
LEFT_OUT = r"bitwise|unique|vector_norm|cumprod|zeta|log_ndtr|bernoulli|rrelu|\{index"
ONE_TENSOR = [
    call
    for call in CALLS
    if call.names == ["x"] and call.any_shape and not re.search(LEFT_OUT, call.template)
]


@pytest.mark.parametrize("call", ONE_TENSOR, ids=str)
def test_fine_grid(call: Call) -> None:
    """Functions that are computed in pieces agree with PyTorch's wherever these begin and end."""
    results = [on_grid(library, first_words(call.template)) for library in LIBRARIES]
    for theirs, ours in zip(*results, strict=True):
        if theirs.shape == GRID.shape:
            finite = np.isfinite(theirs)
            np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
            np.testing.assert_array_equal(ours[~finite], theirs[~finite])
            np.testing.assert_allclose(ours[finite], theirs[finite], NEAR, NEAR)


def first_words(template: str) -> str:
    words = {"dim": "0", "dims": "(0,)", "dim2": "0", "shape": str(GRID.shape)}
    return re.sub(r"\{([^{}]*)\}", lambda m: words.get(m[1], m[1].split("|")[0]), template)


def on_grid(library: Any, line: str) -> list[Any]:
    """Values and slopes."""
    x = library.tensor(GRID, requires_grad=True)
    r = eval(line, {"torch": library, "F": library.nn.functional, "x": x})
    if not isinstance(r, library.Tensor):
        return []
    slopes = [library.autograd.grad(r.sum(), x)[0]] if r.requires_grad else []
    return [t.numpy(force=True) for t in (r, *slopes)]


@pytest.mark.parametrize("line", ["torch.lgamma(x)", "torch.digamma(x)", "torch.polygamma(1, x)"])
def test_where_series_begin(line: str) -> None:
    """Asymptotic series are used for large numbers: at the border both ways are precise."""
    same(line, ulps=4, order=0, x=np.arange(8, 12, 2.0**-6))
