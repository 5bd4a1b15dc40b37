"""The text of tensors, from NumPy arrays, against what PyTorch prints for the same values."""

import itertools
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from minigrad import printing

DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]
FLOATS = ["float16", "float32", "float64"]
nan, inf = math.nan, math.inf

# Values at which the choice of a notation turns, and values that it leaves out of account.
TURNING = [1.0, -1.0, 0.5, -3.0, 100.0, 1000.0, 1000.0001, 1001.0, 0.1, 100.00001, 1e-4, 9.9e-5]
TURNING += [1e8, 1.00001e8, 99999999.5, 123456.78, 2.5, 0.99995, 9.99996, 5e-324, 1e308, 65504.0]
IGNORED = [0.0, -0.0, nan, inf, -inf]


@contextmanager
def same_options(**options: Any) -> Iterator[None]:
    """Set the same print options in both libraries, and the defaults again afterwards."""
    libraries = (printing.set_printoptions, torch.set_printoptions)
    for set_printoptions in libraries:
        set_printoptions(**options)
    try:
        yield
    finally:
        for set_printoptions in libraries:
            set_printoptions(profile="default")


def expected(tensor: torch.Tensor) -> str:
    return str(tensor).replace("torch.", "minigrad.")


def assert_same_text(array: np.ndarray) -> None:
    assert printing.tensor_repr(array) == expected(torch.from_numpy(array))


def as_array(values: Any, dtype: str) -> np.ndarray:
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(values).astype(dtype)


# ---- Numbers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("value", [*TURNING, *IGNORED])
def test_zero_dimensional_floats(value: float, dtype: str) -> None:
    assert_same_text(as_array(value, dtype))
    assert_same_text(as_array(-value, dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("value", [0, 1, 2, 100])
def test_zero_dimensional_of_every_dtype(value: int, dtype: str) -> None:
    assert_same_text(as_array(value, dtype))


@pytest.mark.parametrize("first", [*TURNING, *IGNORED])
def test_two_values_choose_one_notation(first: float) -> None:
    for second, dtype in itertools.product([*TURNING, *IGNORED], FLOATS):
        assert_same_text(as_array([first, second], dtype))


@pytest.mark.parametrize(
    "values",
    [
        [1.0, 2.0, 3.0],
        [1.0, -20.0, inf],
        [1.5, nan, -inf, -0.0],
        [-inf, 1.0],
        [0.0] * 60,
        [nan] * 60,
        [-0.0, -inf] * 30,
        [1e-5, 1.0],
        [1e-5, 0.0],
        [999.9, 1.0],
        [[1e10, 1.0], [2.0, nan]],
        [0.00011, 0.0001],
    ],
)
@pytest.mark.parametrize("sci_mode", [None, True, False])
def test_chosen_floats(values: Any, sci_mode: bool | None) -> None:
    with same_options(sci_mode=sci_mode):
        for dtype in FLOATS:
            assert_same_text(as_array(values, dtype))


@pytest.mark.parametrize("dtype", [name for name in DTYPES if "int" in name])
def test_whole_range_of_integers(dtype: str) -> None:
    limits = np.iinfo(dtype)
    assert_same_text(np.array([[limits.min, 0], [1, limits.max]], dtype=dtype))
    assert_same_text(np.array([0, limits.max], dtype=dtype))


# ---- Shapes --------------------------------------------------------------------------------------

EMPTY = [(0,), (0, 3), (3, 0), (0, 0), (2, 0, 4), (1, 2, 3, 0)]
SMALL = [(), (1,), (1, 1), (3,), (2, 3), (3, 1), (2, 2, 2), (2, 1, 3, 2), (1, 2, 1, 2, 2), (2, 40)]
SUMMARISED = [
    (1001,),
    (40, 60),
    (3, 400, 5),
    (2, 2, 2, 300),
    (7, 7, 7, 7),
    (1, 1, 1001),
    (6, 6, 40),
]
SUMMARISED += [(1000,), (10, 100), (500, 3), (3, 500), (1001, 1), (2, 1001, 0)]


def filled(shape: tuple[int, ...], dtype: str, seed: int = 0) -> np.ndarray:
    numbers = np.random.default_rng(seed).uniform(-100, 100, shape)
    return as_array(abs(numbers) if dtype == "uint8" else numbers, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [*EMPTY, *SMALL, *SUMMARISED], ids=str)
def test_shapes(shape: tuple[int, ...], dtype: str) -> None:
    assert_same_text(filled(shape, dtype))


@pytest.mark.parametrize("dtype", ["int64", "float32"])
def test_what_a_summary_leaves_out_has_no_influence(dtype: str) -> None:
    array = np.ones((50, 50), dtype)
    array[3, 0] = array[0, 3] = array[25, 25] = 123456
    assert_same_text(array)
    array[47, 2] = 70000
    assert_same_text(array)
    array = np.ones((7, 200), dtype)  # one row is left out
    array[3] = 123456
    assert_same_text(array)


@pytest.mark.parametrize("count", range(15, 45))
def test_lines_wrap_at_the_same_column(count: int) -> None:
    for dtype in DTYPES:
        assert_same_text(filled((count,), dtype))
        assert_same_text(filled((2, count), dtype))


def test_arrays_that_are_not_contiguous() -> None:
    base = filled((6, 8, 10), "float32")
    for view in (base.T, base[::2, ::3, 1::4], base.transpose(1, 0, 2)[..., 0], base[0, :, 3]):
        assert_same_text(view)
    for view in (filled((60, 50), "float64").T, filled((90, 60), "int32")[::2, ::2]):
        assert_same_text(view)


def test_reversed_view() -> None:
    # PyTorch has no negative strides.
    array = np.arange(12.0).reshape(3, 4)[::-1, ::-1]
    assert printing.tensor_repr(array) == expected(torch.from_numpy(array.copy()))


def test_summary_reads_only_what_it_shows() -> None:
    # 8 TB if it were copied.
    array = np.broadcast_to(np.float64(0.25), (1_000_000, 1_000_000))
    tensor = torch.tensor(0.25, dtype=torch.float64).expand(1_000_000, 1_000_000)
    assert printing.tensor_repr(array) == expected(tensor)


# ---- Options -------------------------------------------------------------------------------------


@pytest.mark.parametrize("linewidth", [1, 24, 80, 200])
@pytest.mark.parametrize("edgeitems", [0, 1, 2, 5])
@pytest.mark.parametrize("threshold", [0, 5, 12, inf])
def test_options_in_all_combinations(threshold: float, edgeitems: int, linewidth: int) -> None:
    shapes = [(), (0,), (0, 2), (1,), (5,), (6,), (3, 4), (13, 2), (2, 3, 11)]
    for precision, sci_mode in itertools.product([0, 1, 4, 9], [None, True, False]):
        with same_options(
            precision=precision,
            threshold=threshold,
            edgeitems=edgeitems,
            linewidth=linewidth,
            sci_mode=sci_mode,
        ):
            for shape, dtype in itertools.product(shapes, ["int16", "float32", "bool"]):
                assert_same_text(filled(shape, dtype))
            assert_same_text(np.round(filled((3, 4), "float64")))


CALLS: list[dict[str, Any]] = [
    {"profile": "short"},
    {"profile": "full"},
    {"profile": "default"},
    {"profile": "no such profile"},
    {"profile": "short", "precision": 7, "threshold": 20},
    {"profile": "full", "edgeitems": 1, "linewidth": 30},
    {"sci_mode": True},
    {"sci_mode": False},
    {"precision": 0},
    {"linewidth": 41, "edgeitems": 0},
    {},
]


@pytest.mark.parametrize("first", CALLS, ids=str)
@pytest.mark.parametrize("second", CALLS, ids=str)
def test_options_left_by_successive_calls(first: dict[str, Any], second: dict[str, Any]) -> None:
    with same_options(**first), same_options(**second):
        assert printing.get_printoptions() == torch._tensor_str.get_printoptions()
        assert_same_text(filled((40, 30), "float32"))


@pytest.mark.parametrize("inner", CALLS, ids=str)
def test_context_manager(inner: dict[str, Any]) -> None:
    with same_options(precision=3, sci_mode=True):
        with printing.printoptions(**inner), torch._tensor_str.printoptions(**inner):
            assert printing.get_printoptions() == torch._tensor_str.get_printoptions()
        assert printing.get_printoptions() == torch._tensor_str.get_printoptions()
        assert_same_text(filled((3,), "float32"))


def test_context_manager_restores_after_an_error() -> None:
    before = printing.get_printoptions()
    with pytest.raises(KeyError), printing.printoptions(precision=1):
        raise KeyError
    assert printing.get_printoptions() == before


# ---- Suffixes ------------------------------------------------------------------------------------


def assert_same_suffixes(array: np.ndarray) -> None:
    """With requires_grad, and as the result of an op; floats only."""
    assert array.dtype.kind == "f"
    leaf = torch.from_numpy(array).requires_grad_()
    assert printing.tensor_repr(array, requires_grad=True) == expected(leaf)
    result = leaf.view(leaf.shape)
    assert result.grad_fn is not None
    ours = printing.tensor_repr(array, requires_grad=True, grad_fn_name=result.grad_fn.name())
    assert ours == expected(result)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", [*EMPTY, *SMALL, *SUMMARISED[:4]], ids=str)
def test_suffixes_of_every_shape(shape: tuple[int, ...], dtype: str) -> None:
    assert_same_suffixes(filled(shape, dtype))


@pytest.mark.parametrize("linewidth", range(10, 82))
def test_suffixes_break_at_the_same_column(linewidth: int) -> None:
    with same_options(linewidth=linewidth, threshold=20):
        for shape, dtype in itertools.product([(), (0, 3), (2,), (2, 2), (5, 5)], FLOATS):
            assert_same_suffixes(filled(shape, dtype))
            assert_same_text(filled(shape, "int32"))


@pytest.mark.parametrize("name", FLOATS)
def test_the_default_dtype_is_not_named(name: str) -> None:
    default = getattr(torch, name)
    torch.set_default_dtype(default)
    try:
        for dtype, shape in itertools.product(DTYPES, [(), (0,), (0, 2), (3,)]):
            array = filled(shape, dtype)
            ours = printing.tensor_repr(array, default_float=np.dtype(name))
            assert ours == expected(torch.from_numpy(array))
    finally:
        torch.set_default_dtype(torch.float32)


def test_names_given_by_the_caller() -> None:
    array = np.array([1, 2], np.int32)
    assert printing.tensor_repr(array, dtype_suffix="torch.int32") == str(torch.from_numpy(array))
    # A tensor on the meta device is the one other device that is there on every machine.
    meta = torch.empty(0, 3, device="meta", requires_grad=True)
    ours = printing.tensor_repr(
        np.empty((0, 3), np.float32), device_suffix="meta", requires_grad=True
    )
    assert ours == str(meta).replace("(...,", "([],")


@pytest.mark.parametrize("dtype", FLOATS)
def test_prefix_sets_the_indent(dtype: str) -> None:
    array = filled((3, 30), dtype)
    theirs = torch._tensor_str._tensor_str(torch.from_numpy(array), len("weight="))
    ours = printing.tensor_repr(array, prefix="weight=", default_float=dtype)
    assert ours == "weight=" + theirs + ")"


# ---- Random tensors ------------------------------------------------------------------------------


@st.composite
def arrays(draw: st.DrawFn) -> np.ndarray:
    """Small arrays of any dtype and shape; floats often at the turning points."""
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5))
    if dtype.kind != "f":
        return draw(hnp.arrays(dtype, shape))
    kinds = [
        st.sampled_from(TURNING),
        st.sampled_from(TURNING + IGNORED),
        st.integers(-2000, 2000).map(float),
        st.floats(-1000, 1000),
        st.floats(),
    ]
    numbers = draw(hnp.arrays(np.float64, shape, elements=draw(st.sampled_from(kinds))))
    return as_array(numbers, dtype.name)


@st.composite
def long_arrays(draw: st.DrawFn) -> np.ndarray:
    """Arrays of about a thousand elements and more, of a magnitude that is drawn."""
    dtype = draw(st.sampled_from(DTYPES))
    sizes = st.lists(st.sampled_from([1, 2, 5, 6, 7, 8, 33, 200]), min_size=1, max_size=4)
    shape = draw(sizes.filter(lambda shape: math.prod(shape) <= 20_000))
    numbers = np.random.default_rng(draw(st.integers(0, 10**6))).standard_normal(shape)
    numbers *= 10.0 ** draw(st.integers(-6, 9))
    if draw(st.booleans()):
        numbers = np.round(numbers)
    return as_array(abs(numbers) % 256 if dtype == "uint8" else numbers, dtype)


OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "precision": st.integers(0, 12),
        "threshold": st.one_of(st.integers(0, 1500), st.just(inf)),
        "edgeitems": st.integers(0, 6),
        "linewidth": st.integers(1, 160),
        "profile": st.sampled_from(["default", "short", "full"]),
        "sci_mode": st.sampled_from([None, True, False]),
    },
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(array=st.one_of(arrays(), long_arrays()))
@example(array=np.array(-0.0))
def test_random_tensors(array: np.ndarray) -> None:
    assert_same_text(array)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(array=st.one_of(arrays(), long_arrays()), options=OPTIONS)
def test_random_tensors_and_options(array: np.ndarray, options: dict[str, Any]) -> None:
    with same_options(**options):
        assert_same_text(array)
        if array.dtype.kind == "f":
            assert_same_suffixes(array)
