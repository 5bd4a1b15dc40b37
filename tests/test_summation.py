"""`sum_array` adds in PyTorch's order: the same bits, for every size, layout and pair of axes.

The order is that of PyTorch's kernel for vectors of 256 bits, which it uses on every x86 CPU: with
`ATEN_CPU_CAPABILITY` set to default, avx2 or avx512 these tests pass alike.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from minigrad.ops.summation import sum_array

FLOATS = [np.float32, np.float64]
SIZES = [*range(301), 511, 512, 513, 1000, 4096, 10_007, 65_536, 1_000_000, 2_100_003]
SIDES = [1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 31, 32, 33, 65, 129, 1000]
SHAPES_3D = list(itertools.product([1, 2, 3, 5, 8, 16, 33, 70], repeat=3))
SHAPES_4D = [(4, 3, 8, 5), (2, 16, 9, 33), (8, 6, 5, 5), (16, 32, 8, 8), (5, 4, 3, 2)]


def normal(shape: int | tuple[int, ...], dtype: type, seed: int = 0) -> np.ndarray:
    """Numbers of magnitudes from 0.01 to 100 and both signs, so that sums cancel."""
    rng = np.random.default_rng([seed, *np.atleast_1d(shape)])
    return np.asarray(rng.standard_normal(shape) * 10.0 ** rng.integers(-2, 3, shape), dtype)


def pytorch_sum(
    array: np.ndarray, axes: tuple[int, ...] | None, keepdims: bool = False
) -> np.ndarray:
    everything = tuple(range(array.ndim))
    tensor = torch.from_numpy(array)  # keeps the strides
    return tensor.sum(everything if axes is None else axes, keepdim=keepdims).numpy()


def expanded(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """As `Tensor.expand`: strides of 0 (`np.broadcast_to`, but writable, as PyTorch wants it)."""
    strides = np.broadcast_to(array, shape).strides
    return np.lib.stride_tricks.as_strided(array, shape, strides)


def assert_same_bits(
    array: np.ndarray, axes: tuple[int, ...] | None, keepdims: bool = False
) -> None:
    with np.errstate(invalid="ignore", over="ignore"):
        ours = np.asarray(sum_array(array, axes, keepdims))
    theirs = pytorch_sum(array, axes, keepdims)
    assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
    nan = np.isnan(theirs)
    same = (ours == theirs) & (np.signbit(ours) == np.signbit(theirs))
    assert (same | nan).all(), (array.shape, array.strides, axes)
    assert (np.isnan(ours) == nan).all()


def every_choice_of_axes(ndim: int) -> list[tuple[int, ...]]:
    return [a for k in range(1, ndim + 1) for a in itertools.combinations(range(ndim), k)]


@pytest.mark.parametrize("dtype", FLOATS)
def test_one_dimension(dtype: type) -> None:
    for n in SIZES:
        assert_same_bits(normal(n, dtype), None)
        if n < 5000:
            assert_same_bits(normal((n, 1), dtype), (0,))
            assert_same_bits(normal((n, 1), dtype), None, keepdims=True)
            assert_same_bits(normal((1, n), dtype), (1,), keepdims=True)


@pytest.mark.parametrize("dtype", FLOATS)
def test_every_second_element(dtype: type) -> None:
    for n in [n for n in SIZES if 0 < n < 5000]:
        assert_same_bits(normal(2 * n, dtype)[::2], None)


@pytest.mark.parametrize("dtype", FLOATS)
def test_two_dimensions(dtype: type) -> None:
    for shape in itertools.product(SIDES, SIDES):
        array = normal(shape, dtype)
        for axes in (None, *every_choice_of_axes(2)):
            assert_same_bits(array, axes)
            assert_same_bits(array.T, axes)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    "shape", [(4096, 40), (70_000, 3), (70_000, 9), (1 << 19, 4), (40, 4096), (3, 70_000)]
)
def test_long_sides(dtype: type, shape: tuple[int, int]) -> None:
    for axes in (None, *every_choice_of_axes(2)):
        assert_same_bits(normal(shape, dtype), axes)


@pytest.mark.parametrize("dtype", FLOATS)
def test_sliced_and_expanded(dtype: type) -> None:
    for m, n in itertools.product([s for s in SIDES if s < 200], repeat=2):
        layouts = [
            normal((m, n + 3), dtype)[:, 1 : n + 1],
            normal((m, 2 * n), dtype)[:, ::2],
            normal((2 * m, n), dtype)[::2],
            expanded(normal(n, dtype), (m, n)),
            expanded(normal((m, 1), dtype), (m, n)),
        ]
        for array, axes in itertools.product(layouts, (None, *every_choice_of_axes(2))):
            assert_same_bits(array, axes)


@pytest.mark.parametrize("dtype", FLOATS)
def test_three_dimensions(dtype: type) -> None:
    for shape in SHAPES_3D:
        array = normal(shape, dtype)
        for axes in every_choice_of_axes(3):
            assert_same_bits(array, axes)
            assert_same_bits(array.transpose(2, 0, 1), axes)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", SHAPES_4D)
def test_four_dimensions_in_every_memory_order(dtype: type, shape: tuple[int, ...]) -> None:
    array = normal(shape, dtype)
    for order in itertools.permutations(range(4)):
        for axes in every_choice_of_axes(4):
            assert_same_bits(array.transpose(order), axes, keepdims=True)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("source", [(9, 1, 20), (1, 1, 20), (9, 1, 1), (1, 33, 1), (1, 1, 1)])
def test_expanded_in_every_memory_order(dtype: type, source: tuple[int, ...]) -> None:
    array = expanded(normal(source, dtype), (9, 33, 20))
    for order in itertools.permutations(range(3)):
        for axes in every_choice_of_axes(3):
            assert_same_bits(array.transpose(order), axes)


@pytest.mark.parametrize("dtype", FLOATS)
def test_overlapping_windows(dtype: type) -> None:
    """As `Tensor.unfold`: two dimensions with one stride, the shorter of which is the row."""
    size = np.dtype(dtype).itemsize
    for shape in itertools.product([2, 3, 5, 9, 17, 40, 300], repeat=2):
        for count, stride in ((1, size), (6, 700 * size), (6, 0), (20, size), (20, 2 * size)):
            array = np.lib.stride_tricks.as_strided(
                normal(6 * 700, dtype), (count, *shape), (stride, size, size)
            )
            for axes in every_choice_of_axes(3):
                assert_same_bits(array, axes)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    "shape", [(1,), (9,), (600,), (9, 1), (1, 40), (5, 40), (3000, 3), (3, 3000)]
)
def test_the_sum_of_negative_zeros_is_positive(dtype: type, shape: tuple[int, ...]) -> None:
    for axes in (None, *every_choice_of_axes(len(shape))):
        assert_same_bits(np.full(shape, -0.0, dtype), axes)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("n", [1, 2, 3, 5, 8, 9, 40, 600])
def test_inf_and_nan(dtype: type, n: int) -> None:
    for place, value in itertools.product({0, n // 2, n - 1}, (np.inf, -np.inf, np.nan)):
        array = normal((n, 9), dtype)
        array[place] = value
        for axes in (None, (0,), (1,)):
            assert_same_bits(array, axes)
    both = normal(n + 1, dtype)
    both[0], both[-1] = np.inf, -np.inf
    assert_same_bits(both, None)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 3), ()])
def test_empty_and_zero_dimensional(shape: tuple[int, ...]) -> None:
    for dtype in FLOATS:
        assert_same_bits(normal(shape, dtype), None)
        for axes in every_choice_of_axes(len(shape)):
            assert_same_bits(normal(shape, dtype), axes)
            assert_same_bits(normal(shape, dtype), axes, keepdims=True)


@pytest.mark.parametrize("shape", [(1000, 1), (3, 50, 40), (600,), (1, 30, 1)])
def test_an_axis_of_size_one(shape: tuple[int, ...]) -> None:
    """Summing over an axis of size 1 copies: the result shares no memory with the input."""
    array = normal((*shape, 1), np.float32)
    assert_same_bits(array, (len(shape),))
    assert not np.shares_memory(sum_array(array, (len(shape),)), array)


@pytest.mark.parametrize("shape", [(1000,), (33, 70), (70, 33), (5, 70, 8)])
def test_float16_is_rounded_once(shape: tuple[int, ...]) -> None:
    """PyTorch adds float16 in float32 too, with lanes in another order: rarely one ULP apart."""
    array = normal(shape, np.float32).clip(-100, 100).astype(np.float16)
    for axes in every_choice_of_axes(len(shape)):
        ours, theirs = np.asarray(sum_array(array, axes)), pytorch_sum(array, axes)
        assert ours.dtype == np.float16
        exact = np.sum(array.astype(np.float64), axis=axes)
        unit = np.spacing(np.abs(theirs)).astype(np.float64)
        assert (np.abs(ours.astype(np.float64) - exact) <= 0.51 * unit).all()
        assert (ours == theirs).mean() >= 0.95


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.int8, np.int16, np.int32, np.int64])
def test_integers_are_summed_in_int64(dtype: type) -> None:
    array = np.random.default_rng(0).integers(0, 100, (33, 70)).astype(dtype)
    for axes in every_choice_of_axes(2):
        ours = np.asarray(sum_array(array, axes))
        theirs = torch.from_numpy(array).sum(axes).numpy()
        assert ours.dtype == theirs.dtype == np.int64
        assert (ours == theirs).all()
    big = np.full(3, 2**62, np.int64)
    assert sum_array(big) == torch.from_numpy(big).sum().numpy()  # both wrap around


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (np.int64, np.float32),
        (np.float32, np.float64),
        (np.float64, np.float32),
        (np.float32, np.int64),
        (np.int64, np.uint8),
        (np.bool_, np.float32),
        (np.float16, np.float32),
    ],
)
def test_dtype_converts_before_the_sum(source: type, target: type) -> None:
    array = (normal((33, 70), np.float64) * 3).clip(0, 250).astype(source)
    tensor = torch.from_numpy(array)
    torch_dtype = torch.from_numpy(np.zeros(1, target)).dtype
    for axes in every_choice_of_axes(2):
        ours = np.asarray(sum_array(array, axes, dtype=np.dtype(target)))
        theirs = tensor.sum(axes, dtype=torch_dtype).numpy()
        assert ours.dtype == theirs.dtype
        assert (ours == theirs).all()


def test_reversed_arrays_which_pytorch_does_not_have() -> None:
    for shape in [(1000,), (70, 33), (33, 5)]:
        array = normal(shape, np.float32)[::-1]
        for axes in every_choice_of_axes(len(shape)):
            exact = np.sum(array.astype(np.float64), axis=axes)
            bound = 20 * np.finfo(np.float32).eps * np.abs(array.astype(np.float64)).sum(axes)
            assert (np.abs(sum_array(array, axes) - exact) <= bound).all()


def test_a_long_sum_keeps_its_digits() -> None:
    """What the cascade is for: one by one, 4 million times 0.1 would be 3% off in float32."""
    array = np.full((1 << 22, 4), 0.1, np.float32)
    exact = np.float64(np.float32(0.1)) * (1 << 22)
    one_by_one = np.add.accumulate(array[:, 0])[-1]
    assert abs(one_by_one - exact) > 1e-3 * exact
    assert (np.abs(sum_array(array, (0,)) - exact) < 1e-6 * exact).all()


def test_the_input_is_not_changed() -> None:
    for shape in [(5,), (25,), (100,), (1000,), (64, 10), (5000, 4), (33, 5)]:
        array = normal(shape, np.float32)
        before = array.copy()
        for axes in every_choice_of_axes(len(shape)):
            sum_array(array, axes)
        assert (array == before).all()
