"""Gradient formulas to the last digits: by the complex step.

For an analytic f that is real on the real numbers, f(x + ih) = f(x) + ih f'(x) + O(h^2). The
imaginary part of one run with h = 2^-100 is the slope, without the cancellation that leaves a
secant half of the digits (Squire and Trapp, "Using complex variables to estimate derivatives of
real functions", 1998).

minigrad has no complex tensors, but the forward of a row is NumPy code, and much of it takes
complex arrays. So each row that a line of `op_lines.py` records is run once more on complex
arrays, and its formulas are compared with what comes out. Where the forward refuses complex
numbers, leaves the imaginary part behind, or gives another real part, the step does not apply;
`test_property_is_not_empty` counts the rows where it does.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st
from op_calls import Call, calls
from op_lines import CALLS
from strategies import Program

import minigrad
from minigrad.autograd import anomaly
from minigrad.autograd.node import Node, unwrap
from minigrad.autograd.row import Row

STEP = 2.0**-100
DIFFERENTIABLE = [c for c in CALLS if c.derivatives and c.slopes]

# Rows whose forward takes complex arrays but is another function there.
NOT_ANALYTIC = {
    "factorizations._qr": "LAPACK conjugates: A = Q R with Q^H Q = 1, for real numbers Q^T Q",
    "pseudo_inverse._lstsq": "the same",
    "pseudo_inverse._pinv": "the same",
    "solving._factor": "the same",
    "triangular._cholesky_solve": "the same",
    "triangular._cholesky_inverse": "the same",
    "attention._attention": "its second result, not differentiable, is for the backward pass alone",
}


def name_of(op: Row) -> str:
    """The family's file and the function's name."""
    return f"{op.forward.__module__.rpartition('.')[2]}.{op.forward.__name__}"


def direction(array: Any, seed: int) -> Any:
    """Small numbers, all different from their neighbours."""
    return (((np.arange(array.size) * 5 + 3 * seed) % 7 - 2.5) / 4).reshape(array.shape)


def moves(value: Any) -> bool:
    """Whether the slope in the direction of this argument is asked for."""
    return isinstance(value, minigrad.Tensor) and value.requires_grad


def stepped(value: Any, seed: int) -> Any:
    """An argument of a forward, a step away from the real numbers if it requires a gradient."""
    if isinstance(value, list):
        return [stepped(v, seed + i) for i, v in enumerate(value)]
    if not isinstance(value, minigrad.Tensor):
        return value
    array = value._array
    return np.asarray(array + 1j * STEP * direction(array, seed)) if moves(value) else array


def complex_forward(op: Row, args: list[Any], results: list[Any]) -> list[Any] | None:
    """The slopes of the float results; None where the step does not apply."""
    values = [stepped(a, i) if i in op.inputs else unwrap(a) for i, a in enumerate(args)]
    with warnings.catch_warnings():
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        try:
            out = op.forward(*values)
        except (TypeError, ValueError, RuntimeError, np.exceptions.ComplexWarning):
            return None
    slopes = []
    for array, result in zip(out if isinstance(out, tuple) else (out,), results, strict=True):
        if result._array.dtype == np.float64:
            if np.asarray(array).dtype != np.complex128 or not _equal(array.real, result._array):
                return None
            slopes.append(array.imag / STEP)
    return slopes


def _equal(ones: Any, others: Any) -> bool:
    size = np.abs(others).max(initial=1)
    return np.shape(ones) == np.shape(others) and np.abs(ones - others).max(initial=0) < 1e-9 * size


def backward(op: Row, args: list[Any], made: Node, cotangents: list[Any]) -> tuple[float, float]:
    """What the row's formulas give for the slope in all directions together, and its size."""
    # a number from each input, by the same rule as `stepped`
    pairs = [
        (value, i + j)
        for i in op.inputs
        for j, value in enumerate(args[i] if isinstance(args[i], list) else [args[i]])
    ]
    with minigrad.no_grad():
        found = made(*[minigrad.tensor(c) for c in cotangents])
    grads = found if isinstance(found, tuple) else (found,)
    total = size = 0.0
    for (value, seed), grad in zip(pairs, grads, strict=True):
        if moves(value) and grad is not None:
            terms = grad.numpy() * direction(value._array, seed)
            total, size = total + float(terms.sum()), size + float(np.abs(terms).sum())
    return total, size


def check(op: Row, args: list[Any], results: list[Any], made: Node) -> bool:
    """Whether the step applies to a call of a row; if it does, the row's formulas agree with it."""
    slopes = complex_forward(op, args, results)
    if slopes is None or name_of(op) in NOT_ANALYTIC:
        return False
    cotangents = [direction(slope, 9) for slope in slopes]
    ahead = sum(float((s * c).sum()) for s, c in zip(slopes, cotangents, strict=True))
    back, size = backward(op, args, made, cotangents)
    if math.isfinite(ahead) and math.isfinite(back):
        assert ahead == pytest.approx(back, rel=1e-12, abs=1e-13 * (1 + size)), name_of(op)
    return True


def records(program: Program) -> list[tuple[Row, list[Any], list[Any], Node]]:
    """The calls of rows that made a node while a program ran: what anomaly mode takes note of."""
    seen: list[Any] = []

    def see(made: Node, op: Row | None, args: Any, results: Any, is_written: bool = True) -> None:
        if op is not None and is_written:
            seen.append((op, list(args), list(results), made))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(anomaly, "note", see)
        patch.setattr(anomaly, "enabled", True)
        minigrad.manual_seed(0)
        program.run(minigrad)
    return seen


def run(call: Call, data: st.DataObject) -> set[str]:
    """Draw a call, run it, check its rows. The names of those to which the step applies."""
    drawn = data.draw(calls(call))
    note(str(drawn.program))
    return {name_of(record[0]) for record in records(drawn.program) if check(*record)}


@pytest.mark.parametrize("call", DIFFERENTIABLE, ids=str)
@given(data=st.data())
def test_formulas_are_the_slopes_of_a_complex_step(call: Call, data: st.DataObject) -> None:
    run(call, data)


def test_property_is_not_empty() -> None:
    """The step applies to most of the table."""
    found: set[str] = set()

    @settings(max_examples=2, derandomize=True, database=None, deadline=None)
    @given(data=st.data())
    def every_line(data: st.DataObject) -> None:
        for call in DIFFERENTIABLE:
            found.update(run(call, data))

    every_line()
    assert len(found) >= 190
    assert {"transcendental.sinc", "linalg._mm", "convolution._convolution"} <= found
