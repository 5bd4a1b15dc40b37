"""Random programs: several ops in a row, printed tensors, drawn numbers, on both libraries.

`programs` draws one line after the other, each from the lines of `op_lines.py`, for tensors that
the lines before have made: results are used again, some twice, some never, so that gradients meet
and add up.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from hypothesis import given, note, settings
from hypothesis import strategies as st
from op_calls import Call, fill
from op_lines import CALLS
from oracle import LIBRARIES, graph
from strategies import (
    DTYPES,
    FLOATS,
    Program,
    arrays,
    broadcastable,
    generic,
    literal,
    shapes,
    tensors,
)

# Functions of any tensors, with finite results and slopes for numbers of moderate size.
UNBOUNDED = ("exp", "sinh", "cosh", "tan", "prod", "**", "pow", "acos", "asin", "atanh", "erfinv")
OMITTED = (
    "_(", "round", "floor", "ceil", "sort", "heaviside", "bernoulli", "dropout", "rrelu", "normal(",
    "poisson", "float16", "float32", "fmod", "remainder", "median", "mode", "as_strided", "kthvalue", "nextafter",
)  # fmt: skip


def usable(call: Call) -> bool:
    text = call.template
    return (
        call.derivatives == 2
        and call.any_shape
        and not any(":" in spec for spec in call.specs.values())
        and not {"c", "d"} & {*call.names}
        and not any(word in text for word in UNBOUNDED + OMITTED)
        and not text.startswith("torch.special")
    )


USABLE = [call for call in CALLS if usable(call)]


@st.composite
def programs(draw: st.DrawFn, length: int = 6) -> tuple[Program, list[str]]:
    """A program of at most `length` ops, and the names of its leaves."""
    count = draw(st.integers(1, 3))
    found = draw(broadcastable(count, 1, 3, empty=False))
    leaves = [f"x{i}" for i in range(count)]
    values = draw(generic(*found))
    lines = [
        f"{name} = {draw(tensors(array, overlapping=False))}"
        for name, array in zip(leaves, values, strict=True)
    ]
    program = Program(lines)
    scope = program.run(torch)
    names = list(leaves)
    for number in range(draw(st.integers(1, length))):
        line = draw(_lines(names, scope))
        made = _attempted(scope, line)
        if made is not None:
            names.append(f"r{number}")
            scope[names[-1]] = made
            program.lines.append(f"{names[-1]} = {line}")
    program.lines.append(f"total = {' + '.join(f'({n} * {n}).sum()' for n in names[-2:])}")
    return program, leaves


@st.composite
def _lines(draw: st.DrawFn, names: list[str], scope: dict[str, Any]) -> str:
    call = draw(st.sampled_from(USABLE))
    chosen = {n: draw(st.sampled_from(names[::-1])) for n in call.names}
    shape = tuple(scope[chosen["x"]].shape) if "x" in chosen else ()
    return fill(draw, call, shape, {}, chosen)


def _attempted(scope: dict[str, Any], line: str) -> Any:
    """The result of a line in PyTorch, if it is a small tensor of moderate numbers."""
    try:
        made = Program([f"r = {line}"]).run(torch, **scope)["r"]
    except (RuntimeError, IndexError, ValueError):
        return None
    if not isinstance(made, torch.Tensor) or not made.requires_grad or not 0 < made.numel() < 100:
        return None
    return made if bool((made.abs() < 100).all()) else None


@settings(max_examples=30 * settings.default.max_examples)
@given(drawn=programs())
def test_programs_of_ops_have_the_same_gradients(drawn: tuple[Program, list[str]]) -> None:
    program, leaves = drawn
    again = "\n".join(f"print({n}.grad)" for n in leaves)
    note(f"{program}print(total)\ntotal.backward()\n{again}")
    theirs, ours = (program.run(library) for library in LIBRARIES)
    for name in theirs:
        if isinstance(theirs[name], torch.Tensor):
            one, other = theirs[name], ours[name]
            assert tuple(one.shape) == tuple(other.shape), name
            assert one.requires_grad == other.requires_grad, name
            assert_close(one, other, name)
    if all("(" not in line.split(" = ")[1][13:] for line in program.lines[: len(leaves)]):
        assert graph(theirs["total"].grad_fn) == graph(ours["total"].grad_fn)
    for side in (theirs, ours):
        side["total"].backward()
    for name in leaves:
        assert (theirs[name].grad is None) == (ours[name].grad is None), name
        if theirs[name].grad is not None:
            assert_close(theirs[name].grad, ours[name].grad, f"{name}.grad")


def assert_close(one: Any, other: Any, what: str) -> None:
    expected, found = one.numpy(force=True), other.numpy(force=True)
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(np.isfinite(found), finite, what)
    size = np.abs(expected[finite]).max(initial=1.0)
    np.testing.assert_allclose(
        found[finite], expected[finite], rtol=1e-7, atol=1e-9 * size, err_msg=what
    )


# --- printing --------------------------------------------------------------------------------------

OPTIONS = [
    "", "precision=2", "sci_mode=True", "linewidth=40", "threshold=5, edgeitems=1", "profile='short'",
]  # fmt: skip


@settings(max_examples=60 * settings.default.max_examples)
@given(data=st.data())
def test_tensors_print_alike(data: st.DataObject) -> None:
    dtype = data.draw(st.sampled_from(DTYPES))
    array = data.draw(arrays(shapes(max_dims=3, max_size=5), dtype))
    if dtype in FLOATS and data.draw(st.booleans()):
        array = array * np.asarray(10.0 ** data.draw(st.integers(-6, 9)), dtype)
    source = data.draw(tensors(array, data.draw(st.booleans())))
    options = data.draw(st.sampled_from(OPTIONS))
    tail = data.draw(st.sampled_from(["", " * 1", ".sum()", "[:1]" if array.ndim else ""]))
    program = Program([f"torch.set_printoptions({options})", f"x = {source}", f"print(x{tail})"])
    note(str(program))
    texts: list[list[str]] = [[], []]
    for library, lines in zip(LIBRARIES, texts, strict=True):
        try:
            program.run(library, print=lambda t, lines=lines: lines.append(str(t)))
        finally:
            library.set_printoptions(profile="default")
    assert texts[1] == [text.replace("torch.", "minigrad.") for text in texts[0]]


# --- random numbers --------------------------------------------------------------------------------

DRAWS = [
    "torch.rand({s})", "torch.randn({s})", "torch.randint(-3, 11, {s})", "torch.randperm({n})",
    "torch.rand({s}, dtype=torch.float64)", "torch.randn({s}, dtype=torch.float64)",
    "torch.bernoulli(torch.full({s}, 0.3))", "torch.empty({s}).uniform_(-1, 2)",
    "torch.empty({s}).normal_(1, 2)", "torch.empty({s}).exponential_(2)",
    "torch.zeros({s}, dtype=torch.int64).random_()", "torch.zeros({s}).random_(10)",
    "torch.empty({s}).geometric_(0.3)", "torch.empty({s}).log_normal_()", "torch.empty({s}).cauchy_()",
    "torch.multinomial(torch.arange(1.0, 6), {m}, replacement=True)",
    "torch.multinomial(torch.arange(1.0, 6), 3)", "torch.poisson(torch.full({s}, 3.5))",
    "F.dropout(torch.ones({s}), 0.4)", "torch.normal(torch.zeros({s}), 2.0)",
    "torch.nn.init.kaiming_uniform_(torch.empty({k}, {m}))",
    "torch.nn.init.trunc_normal_(torch.empty({k}, {m}))",
    "torch.nn.init.xavier_normal_(torch.empty({k}, {m}))",
]  # fmt: skip


@settings(max_examples=60 * settings.default.max_examples)
@given(data=st.data())
def test_random_seeds_and_sizes_draw_alike(data: st.DataObject) -> None:
    seed = data.draw(st.one_of(st.integers(0, 10), st.integers(-(2**63), 2**63 - 1)))
    lines = [f"torch.manual_seed({seed})"]
    for number in range(data.draw(st.integers(1, 4))):
        sizes = {n: data.draw(st.integers(1, 40)) for n in "nmk"}
        shape = data.draw(shapes(max_dims=3, max_size=7))
        template = data.draw(st.sampled_from(DRAWS))
        lines.append(f"r{number} = {template.format(s=shape, **sizes)}")
    program = Program(lines)
    note(str(program))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs, ours = (program.run(library) for library in LIBRARIES)
    for name in [n for n in theirs if n.startswith("r")]:
        one, other = theirs[name].numpy(), ours[name].numpy()
        assert one.dtype == other.dtype
        assert one.shape == other.shape
        # logarithms and matrix products are not those of the same library: a few units apart
        np.testing.assert_allclose(other, one, rtol=2e-6, atol=1e-6, err_msg=name)
    after = [library.get_rng_state().numpy() for library in LIBRARIES]
    np.testing.assert_array_equal(*after)


def test_literals_are_read_back() -> None:
    """What the strategies write is what they have drawn."""
    values = np.array([[0.5, -0.0], [np.inf, np.nan]])
    made = Program([f"x = {literal(values)}"]).run(torch)["x"].numpy()
    np.testing.assert_array_equal(made, values)
    assert np.array_equal(np.signbit(made), np.signbit(values))
