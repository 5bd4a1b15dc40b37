"""minigrad.random against PyTorch's CPU generator: numbers and states, bit for bit."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from minigrad import random as ours
from minigrad import random_floats as floats
from minigrad import random_integers as integers

torch = pytest.importorskip("torch")

SEEDS = (0, 1, 42, 2**31, 2**32 + 7, -1, 2**64 - 1)
SIZES = (0, 1, 2, 15, 16, 17, 31, 32, 33, 100, 1000)
FLOATS = ("float16", "float32", "float64")
INTEGERS = ("bool", "uint8", "int8", "int16", "int32", "int64")

# name: (minigrad's draw, PyTorch's in-place draw), each given the generator.
Draw = Callable[[tuple[int, ...], str, Any], Any]
Fill = Callable[[Any, Any], Any]
DRAWS: dict[str, tuple[Draw, Fill]] = {
    "uniform": (floats.uniform, lambda t, g: t.uniform_(generator=g)),
    "uniform_bounds": (
        lambda s, d, g: floats.uniform(s, d, g, -0.3, 1.9),
        lambda t, g: t.uniform_(-0.3, 1.9, generator=g),
    ),
    "normal": (floats.normal, lambda t, g: t.normal_(generator=g)),
    "normal_scaled": (
        lambda s, d, g: floats.normal(s, d, g, 0.3, 1.7),
        lambda t, g: t.normal_(0.3, 1.7, generator=g),
    ),
    "log_normal": (
        lambda s, d, g: floats.log_normal(s, d, g, 0.3, 0.7),
        lambda t, g: t.log_normal_(0.3, 0.7, generator=g),
    ),
    "exponential": (
        lambda s, d, g: floats.exponential(s, d, g, 0.7),
        lambda t, g: t.exponential_(0.7, generator=g),
    ),
    "cauchy": (
        lambda s, d, g: floats.cauchy(s, d, g, 0.3, 0.7),
        lambda t, g: t.cauchy_(0.3, 0.7, generator=g),
    ),
    "geometric": (
        lambda s, d, g: floats.geometric(s, d, g, 0.3),
        lambda t, g: t.geometric_(0.3, generator=g),
    ),
    "integers": (integers.integers, lambda t, g: t.random_(generator=g)),
    "integers_to": (
        lambda s, d, g: integers.integers(s, d, g, 0, 100),
        lambda t, g: t.random_(100, generator=g),
    ),
}


def twins(seed: int) -> tuple[ours.Generator, Any]:
    return ours.Generator().manual_seed(seed), torch.Generator().manual_seed(seed)


def assert_same(actual: np.ndarray, expected: Any) -> None:
    assert actual.dtype == expected.numpy().dtype
    assert actual.shape == tuple(expected.shape)
    assert actual.tobytes() == expected.numpy().tobytes()


def assert_same_state(generator: ours.Generator, reference: Any) -> None:
    np.testing.assert_array_equal(generator.get_state(), reference.get_state().numpy())


def outcome(function: Callable[[], Any]) -> tuple[Any, ...]:
    """The result's bytes, or the error, and the warnings without PyTorch's source line."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result: Any = np.asarray(function())
            result = (result.dtype, result.tobytes())
        except Exception as error:
            result = (type(error), str(error))
    return result, [str(w.message).split(" (Triggered")[0] for w in caught]


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", DRAWS)
def test_draws_and_states_are_equal(name: str, dtype: str) -> None:
    draw, fill = DRAWS[name]
    for seed in SEEDS:
        for size in SIZES:
            generator, reference = twins(seed)
            expected = fill(torch.empty(size, dtype=getattr(torch, dtype)), reference)
            assert_same(draw((size,), dtype, generator), expected)
            assert_same_state(generator, reference)


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_million_normals_are_equal(dtype: str) -> None:
    generator, reference = twins(3)
    expected = torch.empty(1000, 1001, dtype=getattr(torch, dtype)).normal_(generator=reference)
    assert_same(floats.normal((1000, 1001), dtype, generator), expected)


def test_normals_of_a_strided_tensor_come_in_pairs() -> None:
    generator, reference = twins(3)
    expected = torch.empty(20, 10)[:, ::2].normal_(generator=reference)
    assert_same(
        floats.normal((20, 5), "float32", generator, contiguous=False), expected.contiguous()
    )


def test_factories_and_the_default_generator() -> None:
    for seed in (1, 1.9, True):
        torch.manual_seed(seed)
        assert ours.manual_seed(seed) is ours.default_generator
        assert_same(floats.uniform((3, 4), "float32"), torch.rand(3, 4))
        assert_same(floats.normal((3, 4), "float32"), torch.randn(3, 4))
        assert_same(
            floats.normal((3, 7), "float32", None, 2.0, 0.5), torch.normal(2.0, 0.5, (3, 7))
        )
        assert_same(integers.integers((5,), "int64", None, -3, 9), torch.randint(-3, 9, (5,)))
        assert_same(integers.permutation(10), torch.randperm(10))
        assert_same_state(ours.default_generator, torch.default_generator)


RANGES = (
    (0, 2), (-5, 5), (0, 128), (0, 300), (3, 3), (5, 3), (0, 2**24 + 9), (0, 2**28 - 1),
    (0, 2**28), (-7, 2**28), (0, 2**31 - 1), (0, 2**32), (1, 2**40), (-(2**62), 2**62 + 3),
    (-(2**63), 2**63 - 1), (2**24 + 1, 2**24 + 3), (2**40 + 1, 2**40 + 3), (70000, 70001),
    (-(2**63), None), (-5, None), (0, None), (2048, None), (70000, None), (0, 2**63 - 1),
)  # fmt: skip


@pytest.mark.parametrize("dtype", FLOATS + INTEGERS)
@pytest.mark.parametrize("bounds", RANGES)
def test_integer_ranges(bounds: tuple[int, int | None], dtype: str) -> None:
    generator, reference = twins(5)
    empty = torch.empty(40, dtype=getattr(torch, dtype))
    expected = outcome(lambda: empty.random_(*bounds, generator=reference))
    assert outcome(lambda: integers.integers((40,), dtype, generator, *bounds)) == expected
    assert_same_state(generator, reference)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_discrete_draws_into_integers(dtype: str) -> None:
    for size in SIZES:
        generator, reference = twins(size)
        empty = torch.empty(size, dtype=getattr(torch, dtype))
        assert_same(
            integers.integers((size,), dtype, generator), empty.random_(generator=reference)
        )
        expected = empty.bernoulli_(0.3, generator=reference)
        assert_same(floats.bernoulli((size,), dtype, generator, 0.3), expected)
        if dtype != "bool":
            expected = empty.geometric_(0.3, generator=reference)
            assert_same(floats.geometric((size,), dtype, generator, 0.3), expected)
        assert_same_state(generator, reference)


@pytest.mark.parametrize("dtype", FLOATS)
def test_bernoulli(dtype: str) -> None:
    # PyTorch draws with a number p by MKL on Intel processors: there, compare arrays alone.
    for size in (*SIZES, 4999, 5000):
        generator, reference = twins(size)
        p = np.linspace(0, 1, size).astype(dtype)
        expected = torch.bernoulli(torch.from_numpy(p), generator=reference)
        assert_same(floats.bernoulli((size,), dtype, generator, p), expected)
        assert_same_state(generator, reference)
        draws = floats.uniform((size,), "float64", generator.clone_state()) < 0.3
        np.testing.assert_array_equal(floats.bernoulli((size,), dtype, generator, 0.3), draws)


@pytest.mark.parametrize("dtype", FLOATS + INTEGERS)
@pytest.mark.parametrize("n", [-1, 0, 1, 2, 3, 128, 129, 256, 257, 1000, 2049, 2050])
def test_permutations(n: int, dtype: str) -> None:
    generator, reference = twins(n + 1)
    kind = getattr(torch, dtype)
    expected = outcome(lambda: torch.randperm(n, dtype=kind, generator=reference))
    assert outcome(lambda: integers.permutation(n, dtype, generator)) == expected
    assert_same_state(generator, reference)


def test_a_long_permutation() -> None:
    generator, reference = twins(0)
    expected = torch.randperm(100_000, generator=reference)
    assert_same(integers.permutation(100_000, "int64", generator), expected)
    assert_same_state(generator, reference)


@pytest.mark.parametrize("seed", range(5))
def test_mixed_draws_share_one_stream(seed: int) -> None:
    """Odd counts leave a normal number behind; other draws do not touch it."""
    plan = np.random.default_rng(seed)
    generator, reference = twins(seed)
    names = list(DRAWS)
    for _ in range(200):
        draw, fill = DRAWS[names[plan.integers(len(names))]]
        dtype, size = FLOATS[plan.integers(3)], int(plan.integers(40))
        expected = fill(torch.empty(size, dtype=getattr(torch, dtype)), reference)
        assert_same(draw((size,), dtype, generator), expected)
        assert_same_state(generator, reference)


@pytest.mark.parametrize("drawn", [0, 1, 7, 623, 624, 625, 1248, 1249])
def test_states_cross_over(drawn: int) -> None:
    generator, reference = twins(9)
    floats.uniform((drawn,), "float32", generator)
    floats.normal((3,), "float32", generator)
    received = torch.Generator()
    received.set_state(torch.from_numpy(generator.get_state().numpy()))
    assert received.initial_seed() == 9
    assert_same_state(generator, received)
    expected = torch.empty(5, dtype=torch.float64).normal_(generator=received)
    assert_same(floats.normal((5,), "float64", generator), expected)
    torch.empty(drawn).uniform_(generator=reference)
    torch.empty(1).normal_(generator=reference)
    taken = ours.Generator().set_state(reference.get_state().numpy())
    assert taken.initial_seed() == 9
    copy = taken.clone_state()
    for mine in (taken, copy):
        assert_same_state(mine, reference)
    expected = torch.empty(5).normal_(generator=reference)
    assert_same(floats.normal((5,), "float32", taken), expected)
    assert_same(floats.normal((5,), "float32", copy), expected)


def test_cached_normals_in_the_state() -> None:
    reference = torch.Generator()
    state = reference.get_state()
    state[5024:5032] = torch.arange(64, 72, dtype=torch.uint8)  # normal_y
    state[5040] = 1
    state[5048:5052] = torch.arange(1, 5, dtype=torch.uint8)  # the float cache
    state[5052] = 1
    reference.set_state(state)
    generator = ours.Generator().set_state(state.numpy())
    assert_same_state(generator, reference)
    expected = torch.empty(3, dtype=torch.float64).normal_(generator=reference)
    assert_same(floats.normal((3,), "float64", generator), expected)
    assert_same_state(generator, reference)
    assert_same_state(generator.manual_seed(4), reference.manual_seed(4))
    floats.normal((1,), "float32", generator)  # leaves the other half of a pair
    assert_same_state(generator.manual_seed(4), reference)


@pytest.mark.parametrize("seed", [*SEEDS, -(2**63), -(2**63) - 1, 2**64, 1.5, True, "a"])
def test_seeds(seed: Any) -> None:
    expected = outcome(lambda: torch.Generator().manual_seed(seed).initial_seed())
    actual = outcome(lambda: np.uint64(ours.Generator().manual_seed(seed).initial_seed()))
    if isinstance(expected[0][0], np.dtype):
        assert actual[0][1] == expected[0][1]
    else:
        assert actual == expected
    assert ours.Generator().initial_seed() == torch.Generator().initial_seed()
    generator = ours.Generator()
    assert generator.seed() == generator.initial_seed()


def broken_states() -> list[np.ndarray]:
    unseeded, nothing_left = (ours.Generator().get_state().numpy() for _ in range(2))
    unseeded[12], nothing_left[8] = 0, 0
    return [np.zeros(10, np.uint8), np.zeros(5056, np.uint8), unseeded, nothing_left]


@pytest.mark.parametrize("case", range(4))
def test_state_errors(case: int) -> None:
    state = broken_states()[case]
    expected = outcome(lambda: torch.Generator().set_state(torch.from_numpy(state)))
    assert outcome(lambda: ours.Generator().set_state(state)) == expected


def test_other_arguments_are_refused() -> None:
    with pytest.raises(TypeError, match=r"RNG state must be a torch\.ByteTensor"):
        ours.Generator().set_state(np.zeros(5056, np.float32))  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="CPU only"):
        ours.Generator("cuda")


ERRORS: tuple[tuple[str, tuple[Any, ...], str], ...] = (
    ("normal", (0.0, -0.1), "float32"), ("normal", (), "int32"),
    ("log_normal", (0.0, 0.0), "float32"), ("log_normal", (), "int32"),
    ("uniform", (1.0, 0.0), "float32"), ("uniform", (0.0, 1e300), "float32"),
    ("uniform", (0.0, float("nan")), "float32"), ("uniform", (-6e4, 6e4), "float16"),
    ("uniform", (), "int32"), ("exponential", (0.0,), "float32"), ("exponential", (), "int32"),
    ("cauchy", (0.0, 0.0), "float32"), ("cauchy", (), "int32"), ("geometric", (1.0,), "float32"),
    ("geometric", (0.5,), "bool"), ("bernoulli", (1.1,), "float32"),
    ("bernoulli", (float("nan"),), "float32"),
)  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "dtype"), ERRORS)
def test_errors(name: str, arguments: tuple[Any, ...], dtype: str) -> None:
    empty = torch.empty(3, dtype=getattr(torch, dtype))
    expected = outcome(lambda: getattr(empty, f"{name}_")(*arguments))
    assert isinstance(expected[0][1], str)
    assert outcome(lambda: getattr(floats, name)((3,), dtype, None, *arguments)) == expected
