"""Philox4x32-10, and PyTorch's CUDA numbers out of it, without a GPU.

The function is held against Random123's published known answers. What PyTorch makes of it is held
against numbers that people printed on their GPUs and published (four digits each, so no proof of
the last bits); where the tensor is larger than the GPU runs threads, the kind of GPU matters and is
named. Doubles, integers, `bernoulli` and permutations have no such published numbers: there
only the recipe's own properties are tested, and a GPU has to confirm the rest.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from minigrad.random_philox import Gpu, PhiloxGenerator, philox, words

# --- the function --------------------------------------------------------------------------------

PI = "243f6a88 85a308d3 13198a2e 03707344 a4093822 299f31d0"
KNOWN_ANSWERS = [  # rounds; counter and key; words (Random123, tests/kat_vectors)
    (7, "00000000 " * 6, "5f6fb709 0d893f64 4f121f81 4f730a48"),
    (7, "ffffffff " * 6, "5207ddc2 45165e59 4d8ee751 8c52f662"),
    (7, PI, "4dfccaba 190a87f0 c47362ba b6b5242a"),
    (10, "00000000 " * 6, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    (10, "ffffffff " * 6, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    (10, PI, "d16cfe09 94fdcceb 5001e420 24126ea1"),
]


def numbers(text: str) -> np.ndarray:
    return np.array([int(word, 16) for word in text.split()], np.uint32)


@pytest.mark.parametrize(("rounds", "given", "answer"), KNOWN_ANSWERS)
def test_known_answers(rounds, given, answer):
    given = numbers(given)
    assert np.array_equal(philox(given[:4], given[4:], rounds), numbers(answer))


def test_many_counters_at_once():
    given = np.stack([numbers(given) for rounds, given, _ in KNOWN_ANSWERS if rounds == 10])
    answers = [numbers(answer) for rounds, _, answer in KNOWN_ANSWERS if rounds == 10]
    assert np.array_equal(philox(given[:, :4], given[:, 4:]), answers)


def test_seed_offset_and_subsequence_fill_key_and_counter():
    counter = np.array([0x55667788, 0x11223344, 0x0BADCAFE, 0x0000BEEF], np.uint32)
    key = np.array([0xFEDCBA98, 0x76543210], np.uint32)
    thread = np.array([0x0000BEEF0BADCAFE], np.uint64)
    drawn = words(0x76543210FEDCBA98, thread, 0x1122334455667788 * 4)
    assert np.array_equal(drawn[0], philox(counter, key))


def test_an_offset_within_a_draw_is_refused():
    with pytest.raises(ValueError, match="multiple of 4, but got 2"):
        words(0, np.arange(3, dtype=np.uint64), 2)


# --- published numbers of GPUs -------------------------------------------------------------------


def printed(values: np.ndarray) -> list[float]:
    return [float(f"{value:.4f}") for value in values]


def test_rand_and_the_offset_after_it():
    """`torch.manual_seed(0)`, then `torch.rand(10, device="cuda")` twice."""
    generator = PhiloxGenerator().manual_seed(0)
    assert printed(generator.uniform(10)) == [
        0.3990, 0.5167, 0.0249, 0.9401, 0.9459, 0.7967, 0.4150, 0.8203, 0.2290, 0.9096,
    ]  # fmt: skip
    assert printed(generator.uniform(10)) == [
        0.9722, 0.7910, 0.4690, 0.3300, 0.3345, 0.3783, 0.7640, 0.6405, 0.1103, 0.3594,
    ]  # fmt: skip


def test_rand_of_another_seed():
    assert printed(PhiloxGenerator(42).uniform(12)) == [
        0.6130, 0.0101, 0.3984, 0.0403, 0.1563, 0.4825, 0.7362, 0.4060, 0.5189, 0.2867, 0.2416, 0.9228,
    ]  # fmt: skip


RANDN = {
    (0, 32): [
        -0.9247, -0.4253, -2.6438, 0.1452, -0.1209, -0.5797, -0.6229, -0.3284, -1.0745, -0.3631,
        -1.6711, 2.2655, 0.3117, -0.1842, 1.2866, 1.1820, -0.1271, 1.2169, 1.4353, 1.0605, -0.4941,
        -1.4244, -0.7244, -1.2973, 0.0697, -0.0074, 1.8969, 0.6878, -0.0779, -0.8373, 1.3506, -0.2879,
    ],
    (42, 19): [
        0.1940, 2.1614, -0.1721, 0.8491, -1.9244, 0.6530, -0.6494, -0.8175, 0.5280, -1.2753, -1.6621,
        -0.3033, -0.0926, 0.1992, -1.1204, 1.8577, -0.7145, 0.6881, 0.7968,
    ],
    (10, 3): [-0.1029, 1.6810, -0.2708],
}  # fmt: skip


@pytest.mark.parametrize(("seed", "size"), RANDN)
def test_randn(seed, size):
    assert printed(PhiloxGenerator(seed).normal(size)) == RANDN[seed, size]


def test_normal_on_more_elements_than_threads():
    """PyTorch issue 97097: 1000 x 100 of seed 14 on an RTX A4000 (48 multiprocessors)."""
    drawn = PhiloxGenerator(14, Gpu(48, 1536)).normal(100000, mean=5, std=5**0.5).reshape(1000, 100)
    assert printed(np.r_[drawn[0, :3], drawn[0, -3:]]) == [2.8731, 5.2727, 2.9889, 1.6853, 9.6331, 6.6319]  # fmt: skip
    assert printed(drawn[-3:, :3].ravel()) == [
        8.6297, 2.3137, 6.2596, 7.0551, 7.8583, 3.9990, 2.7337, 2.2106, 7.7815,
    ]  # fmt: skip
    assert printed(drawn[-3:, -3:].ravel()) == [
        7.9358, 4.4697, 2.7475, 4.1139, 8.9315, 4.2042, 8.2207, 6.5395, 4.2604,
    ]  # fmt: skip


def test_normal_on_several_passes():
    """PyTorch issue 143086: 9483264 numbers of seed 1 on an H100 (132 multiprocessors)."""
    drawn = PhiloxGenerator(1, Gpu(132, 2048)).normal(49 * 12 * 112 * 144)
    assert printed(drawn[:3]) == [-0.2963, 2.6764, -0.1408]
    assert printed(drawn[-3:]) == [-0.6970, -0.7780, 0.3267]


# --- the recipe's own properties -----------------------------------------------------------------

SMALL = Gpu(2, 512)  # 1024 threads


def test_elements_and_words():
    """Thread t's four words are the elements t, t + n, t + 2n, t + 3n of a pass."""
    generator = PhiloxGenerator(5, SMALL)
    drawn = generator.words(5000)
    threads = np.arange(1024, dtype=np.uint64)
    first, second = words(5, threads, 0), words(5, threads, 4)
    assert np.array_equal(drawn[:4096], first.T.ravel())
    assert np.array_equal(drawn[4096:], second.T.ravel()[:904])
    assert generator.offset == 8


@pytest.mark.parametrize(
    ("numel", "offset"), [(0, 0), (1, 4), (256, 4), (1024, 4), (1025, 4), (4096, 4), (4097, 8)]
)
def test_the_offset_grows_by_four_a_pass(numel, offset):
    generator = PhiloxGenerator(5, SMALL)
    assert len(generator.uniform(numel)) == numel
    assert generator.offset == offset


def test_doubles_take_two_words():
    generator = PhiloxGenerator(5, SMALL)
    drawn = generator.uniform(2049, np.float64)
    assert generator.offset == 8
    assert drawn.dtype == np.float64
    x, y = (int(word) for word in words(5, np.arange(1, dtype=np.uint64), 0)[0, :2])
    assert drawn[0] == (x ^ (y << 21)) * 2.0**-53 + 2.0**-54


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_distributions(dtype):
    unit = PhiloxGenerator(1).uniform(200000, dtype)
    assert unit.dtype == dtype
    assert 0 <= unit.min() < 1e-4 < 0.9999 < unit.max() < 1
    assert abs(unit.mean(dtype=np.float64) - 0.5) < 0.003
    normal = PhiloxGenerator(1).normal(200000, dtype).astype(np.float64)
    moments = [(normal**k).mean() for k in (1, 2, 3, 4)]
    assert np.allclose(moments, [0, 1, 0, 3], atol=0.06)
    assert abs(PhiloxGenerator(2).bernoulli(200000, 0.3).mean() - 0.3) < 0.004


def test_uniform_never_returns_its_upper_bound():
    """Of (0, 1], 1 is turned into 0: in float16 that happens to one number in 4096."""
    drawn = PhiloxGenerator(3).uniform(100000, np.float16, 2, 3)
    assert drawn.min() == 2
    assert drawn.max() < 3


def test_integers():
    small = PhiloxGenerator(5, SMALL).integers(3000, -3, 7)
    assert np.array_equal(small, PhiloxGenerator(5, SMALL).words(3000).astype(np.int64) % 10 - 3)
    generator = PhiloxGenerator(5, SMALL)
    wide = generator.integers(1025, 0, 2**40)
    assert generator.offset == 4
    x, y = (int(word) for word in words(5, np.arange(1, dtype=np.uint64), 0)[0, 2:])
    assert wide[1024] == ((x << 32) | y) % 2**40


@pytest.mark.parametrize("n", [0, 1, 2, 10, 1000, 100000])
def test_a_permutation_holds_every_number_once(n):
    assert np.array_equal(np.sort(PhiloxGenerator(n).permutation(n)), np.arange(n))


def test_permutations_are_equally_frequent():
    seen = Counter(tuple(PhiloxGenerator(seed).permutation(3)) for seed in range(3000))
    assert len(seen) == 6
    assert all(abs(count - 500) < 100 for count in seen.values())


def test_equal_keys_are_shuffled():
    seen = Counter()
    for seed in range(1200):
        order = np.arange(5)
        PhiloxGenerator(seed)._shuffle_equal(order, np.array([1, 4, 4, 4, 9]))
        assert (order[0], order[4]) == (0, 4)
        seen[tuple(order[1:4])] += 1
    assert len(seen) == 6
    assert all(abs(count - 200) < 60 for count in seen.values())


def test_the_first_thread_of_a_run_draws_its_words_in_order():
    order, generator = np.arange(7), PhiloxGenerator(3)
    generator._shuffle_equal(order, np.array([1, 1, 4, 4, 4, 4, 9]))
    expected = list(range(7))
    for start, stop in ((0, 2), (2, 6)):
        drawn = words(3, np.array([start], np.uint64), 0)[0]
        for i, word in zip(range(stop - start - 1, 0, -1), drawn, strict=False):
            a, b = start + i, start + int(word) % (i + 1)
            expected[a], expected[b] = expected[b], expected[a]
    assert order.tolist() == expected
    assert generator.offset == 8


def test_state():
    generator = PhiloxGenerator(2**63 + 5)
    generator.uniform(3)
    state = generator.get_state()
    assert state == (2**63 + 5).to_bytes(8, "little") + (4).to_bytes(8, "little")
    expected = generator.uniform(3)
    generator.manual_seed(0)
    generator.set_state(state)
    assert np.array_equal(generator.uniform(3), expected)
    assert np.array_equal(PhiloxGenerator(-1).uniform(3), PhiloxGenerator(2**64 - 1).uniform(3))
