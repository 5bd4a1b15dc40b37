"""Random numbers as PyTorch's CUDA generator draws them, worked out on paper with NumPy.

A GPU has thousands of threads that all draw at once, so its generator has no state that moves from
number to number. Philox4x32-10 is a function instead: it scrambles a 128-bit counter with a 64-bit
key, in ten rounds of multiplications, and gives four 32-bit words. PyTorch sets

    key      the seed
    counter  (how many numbers each thread has drawn before) / 4, in the low 64 bits: the offset
             the number of the thread, in the high 64 bits: the subsequence

and launches threads enough for one number each, up to what the GPU runs at the same time. Thread t
of n draws four words w0 to w3 and fills elements t, t + n, t + 2n and t + 3n, then goes on with its
next counter at t + 4n. So a tensor of up to n elements uses w0 alone. After each call the offset
grows by 4 for each such pass, and it must be known how many threads a GPU runs to know the numbers
of a large tensor (`Gpu`).

Sources: J. Salmon, M. Moraes, R. Dror, D. Shaw, "Parallel random numbers: as easy as 1, 2, 3"
(SC 2011) for the function, held against the known answers published with Random123; public copies
of cuRAND's headers for the distributions; PyTorch's headers for offsets and launches.

Nothing here is confirmed on a GPU by this project, and nothing is wired into `random.py`: it is
what a CUDA backend is to be held against. tests/test_random_philox.py compares it with numbers that
other people printed on theirs, to the four digits that PyTorch prints.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray

_MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL = np.array([0x9E3779B9, 0xBB67AE85], np.uint32)  # the golden ratio, the square root of 3 - 1
_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
_INVERSE32 = np.float32(2.3283064e-10)  # 2**-32
_TURN32 = np.float32(_INVERSE32 * np.float32(6.2831855))
_BLOCK = 256  # threads in a block of PyTorch's kernels for random numbers
_SHUFFLE_ODDS = 12 * math.log(0.9)


def philox(counter: Array, key: Array, rounds: int = 10) -> Array:
    """Philox4x32: scramble counters with a key.

    counter: uint32, (..., 4), the lowest word first; key: uint32, (..., 2) or (2,).
    Returns uint32 words of counter's shape.
    """
    c0, c1, c2, c3 = np.moveaxis(counter.astype(np.uint64), -1, 0)
    for turn in range(rounds):
        k0, k1 = np.moveaxis(_key_of_round(key, turn), -1, 0)
        product0, product1 = c0 * _MULTIPLIERS[0], c2 * _MULTIPLIERS[1]  # 32 by 32 bits: 64 bits
        c0, c1 = (product1 >> _HALF) ^ c1 ^ k0, product1 & _LOW
        c2, c3 = (product0 >> _HALF) ^ c3 ^ k1, product0 & _LOW
    return np.stack([c0, c1, c2, c3], axis=-1).astype(np.uint32)


def _key_of_round(key: Array, turn: int) -> Array:
    """The key after `turn` steps of its Weyl sequence, modulo 2**32."""
    stepped = key.astype(np.uint64) + np.uint64(turn) * _WEYL.astype(np.uint64)
    return stepped & _LOW


def words(seed: int, subsequence: Array, offset: int) -> Array:
    """The four words that threads draw next: cuRAND's `curand_init`, then `curand4`.

    subsequence: the threads' numbers, (n,); offset: words that each has drawn, a multiple of 4, as
    PyTorch keeps it. Returns uint32, (n, 4). Not confirmed on a GPU.
    """
    if offset % 4:
        raise ValueError(f"PyTorch keeps the offset a multiple of 4, but got {offset}")
    block = offset // 4
    counter = np.empty((len(subsequence), 4), np.uint32, like=subsequence)
    counter[:, 0], counter[:, 1] = block & 0xFFFFFFFF, block >> 32
    counter[:, 2] = subsequence & 0xFFFFFFFF
    counter[:, 3] = subsequence >> 32
    return philox(counter, np.array([seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF], np.uint32))


class Gpu(NamedTuple):
    """What a launch depends on; the default is an H200 by its data sheet (compute capability 9.0)."""

    multiprocessors: int = 132
    threads_per_multiprocessor: int = 2048

    def threads(self, numel: int) -> int:
        """Threads in the launch for `numel` numbers. Not confirmed on a GPU."""
        most = self.multiprocessors * (self.threads_per_multiprocessor // _BLOCK)
        return _BLOCK * min(most, -(-numel // _BLOCK))


class PhiloxGenerator:
    """A CUDA generator's state: the seed, and the offset that the next call begins at.

    `like`: an array of the library that computes the numbers, where it keeps them.

    Every method returns `numel` numbers in the order of a contiguous tensor's elements, as one call
    of PyTorch's function on a tensor of that size. Not confirmed on a GPU.
    """

    def __init__(
        self, seed: int = 67280421310721, gpu: Gpu | None = None, like: Array | None = None
    ) -> None:
        self.seed, self.offset, self.gpu = seed % 2**64, 0, gpu or Gpu()
        self.like = np.empty(0) if like is None else like

    def manual_seed(self, seed: int) -> PhiloxGenerator:
        """Begin again at offset 0, as `torch.cuda.manual_seed` does."""
        self.seed, self.offset = seed % 2**64, 0
        return self

    def get_state(self) -> bytes:
        """Seed and offset, 64 bits each, little-endian: PyTorch's 16 bytes. Not confirmed."""
        return np.array([self.seed, self.offset], "<u8").tobytes()

    def set_state(self, state: bytes) -> None:
        """Go on from what `get_state` returned."""
        self.seed, self.offset = (int(n) for n in np.frombuffer(state, "<u8"))

    def draw(self, numel: int, per_draw: int) -> Array:
        """What the threads of one launch draw, and move on by: four words for `per_draw` numbers.

        Returns uint32, (passes, per_draw, threads, 4 // per_draw), in the order of the tensor's
        elements, and more numbers than asked for at the end.
        """
        if numel == 0:
            return np.empty((0, per_draw, 1, 4 // per_draw), np.uint32, like=self.like)  # no launch
        threads = self.gpu.threads(numel)
        passes = -(-numel // (threads * per_draw))
        subsequence = np.arange(threads, dtype=np.uint64, like=self.like)
        drawn = [words(self.seed, subsequence, self.offset + 4 * i) for i in range(passes)]
        self.offset += 4 * passes
        return np.stack(drawn).reshape(passes, threads, per_draw, 4 // per_draw).swapaxes(1, 2)

    def words(self, numel: int) -> Array:
        """The words of `numel` numbers of 32 bits: uint32, (numel,)."""
        return self.draw(numel, 4).reshape(-1)[:numel]

    def wide_words(self, numel: int) -> Array:
        """The pairs of words of `numel` numbers of 64 bits: uint32, (numel, 2)."""
        return self.draw(numel, 2).reshape(-1, 2)[:numel]

    def uniform(
        self, numel: int, dtype: Any = np.float32, low: float = 0, high: float = 1
    ) -> Array:
        """`rand`, `uniform_`: cuRAND draws from (0, 1], and PyTorch turns a `high` into a `low`.

        A multiplication and an addition are rounded once each here; a GPU may fuse them.
        """
        kind = np.dtype(dtype).type
        if kind is np.float64:
            unit = _unit64(self.wide_words(numel))
        else:
            unit = _unit32(self.words(numel))
        low, high = kind(low), kind(high)
        value = (unit * unit.dtype.type(high - low) + low).astype(kind)
        return np.where(value == high, low, value)

    def normal(self, numel: int, dtype: Any = np.float32, mean: float = 0, std: float = 1) -> Array:
        """`randn`, `normal_`: Box-Muller on the numbers of each draw, the sine first.

        float32: a GPU takes its fast sine and cosine, so the last digits are not to be had here.
        """
        if np.dtype(dtype) == np.float64:
            pair = self.draw(numel, 2)  # (passes, 2, threads, 2)
            radius, angle = _unit64(pair[:, 0::2]), 2 * np.pi * _unit64(pair[:, 1::2])
        else:
            four = self.draw(numel, 4)[..., 0]  # (passes, 4, threads)
            radius, angle = _unit32(four[:, 0::2]), _angle32(four[:, 1::2])
        size = np.sqrt(-2 * np.log(radius))  # (passes, pairs, threads)
        drawn = np.stack([size * np.sin(angle), size * np.cos(angle)], axis=2).reshape(-1)[:numel]
        return (drawn * drawn.dtype.type(std) + drawn.dtype.type(mean)).astype(dtype)

    def integers(self, numel: int, low: int, high: int) -> Array:
        """`randint(low, high)`, `random_(low, high)`: the remainder by the range, int64.

        From a range of 2**28 on, two words make a number, so that no remainder is favoured much.
        """
        span = high - low
        if span >= 2**28:
            drawn = _joined(self.wide_words(numel))
        else:
            drawn = self.words(numel).astype(np.uint64)
        return (drawn % np.uint64(span)).astype(np.int64) + low

    def bernoulli(self, numel: int, p: float) -> Array:
        """`bernoulli_(p)` with a number p: a float32 of (0, 1] below the float64 p, bool."""
        return _unit32(self.words(numel)).astype(np.float64) < p

    def permutation(self, n: int) -> Array:
        """`randperm(n)`: 0 to n - 1 sorted by random keys, equal keys shuffled, int64.

        The keys have just so many bits that equal ones have a chance of one in ten. They are the
        low bits of `random_(smallest, largest)` on int32, or int64 if it takes more than 32 bits;
        that leaves out the largest integer, and draws two words in both cases.
        """
        if n == 0:
            return np.empty(0, np.int64)
        bits = min(64, math.ceil(math.log2(n - (6 * n * n + 1) / _SHUFFLE_ODDS)))
        span = 2 ** (32 if bits <= 32 else 64) - 1
        keys = _joined(self.wide_words(n)) % np.uint64(span) & np.uint64((1 << bits) - 1)
        order = np.argsort(keys, kind="stable")
        self._shuffle_equal(order, keys[order])
        return order

    def _shuffle_equal(self, order: Array, keys: Array) -> None:
        """Fisher-Yates inside each run of equal keys, drawn by the thread at the run's begin."""
        n, offset = len(order), self.offset
        self.offset += -(-n // 4) * 4
        starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
        for start, stop in zip(starts, np.r_[starts[1:], n], strict=True):
            size = int(stop - start)
            drawn = self._thread(int(start), offset, size - 1)
            for i, word in zip(range(size - 1, 0, -1), drawn, strict=True):
                a, b = start + i, start + word % (i + 1)
                order[a], order[b] = order[b], order[a]

    def _thread(self, thread: int, offset: int, count: int) -> list[int]:
        """`count` words of one thread, one after the other."""
        one = np.array([thread], np.uint64)
        drawn = [words(self.seed, one, offset + 4 * i)[0] for i in range(-(-count // 4))]
        return [int(word) for four in drawn for word in four][:count]


def _joined(pair: Array) -> Array:
    """Two words as one 64-bit number, the high half first: (..., 2) to (...)."""
    wide = pair.astype(np.uint64)
    return (wide[..., 0] << _HALF) | wide[..., 1]


def _unit32(word: Array) -> Array:
    """A word as a float32 in (0, 1], the middle of its step."""
    return word.astype(np.float32) * _INVERSE32 + _INVERSE32 / np.float32(2)


def _angle32(word: Array) -> Array:
    """A word as a float32 angle in (0, 2 pi]."""
    return word.astype(np.float32) * _TURN32 + _TURN32 / np.float32(2)


def _unit64(pair: Array) -> Array:
    """Two words as a float64 in (0, 1]; the second counts from bit 21 on: (..., 2) to (...)."""
    wide = pair.astype(np.uint64)
    mixed = wide[..., 0] ^ (wide[..., 1] << np.uint64(21))
    return mixed.astype(np.float64) * 2.0**-53 + 2.0**-54
