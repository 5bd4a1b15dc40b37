"""Random tensors on a GPU: the functions of random_floats.py and random_integers.py for its memory.

The numbers come from Philox, as PyTorch's CUDA generator draws them (random_philox.py says what
that rests on), and each GPU has a generator of its own, whose state is a seed and an offset.
Uniform and normal numbers, integers, permutations and coins of one probability follow PyTorch's
recipes; coins of many probabilities and the other distributions are made of uniform numbers by
their formulas, so they have the right distribution, but not PyTorch's numbers. So has dropout, for
which PyTorch has a kernel of its own. Not confirmed on a GPU.
"""

from __future__ import annotations

import math
from typing import Any, NoReturn

import numpy as np

from . import gpu, random
from .autograd.node import wrap
from .device import device as Device
from .device import memory_of
from .random_floats import _check_uniform_bounds, _floating
from .random_philox import Gpu, PhiloxGenerator

Array = Any
Shape = tuple[int, ...]


class CudaGenerator(random.Generator):
    """A GPU's generator: `Generator(device="cuda")`."""

    def __init__(self, device: Any) -> None:
        self._index = memory_of(device)
        self._philox = PhiloxGenerator(gpu=_launches(self._index), like=_empty_on(self._index))
        self._seed = self._philox.seed

    @property
    def device(self) -> Device:
        return Device.at(self._index)

    def manual_seed(self, seed: int) -> CudaGenerator:
        """Begin again from a seed."""
        self._philox.manual_seed(int(seed))
        self._seed = self._philox.seed
        return self

    def seed(self) -> int:
        """Begin again from a seed of the system's, which is returned."""
        return random.Generator.seed(self)

    def initial_seed(self) -> int:
        """The seed that the generator began from."""
        return self._seed

    def get_state(self) -> Any:
        """Seed and offset: a uint8 Tensor of 16 bytes, in the host's memory."""
        return wrap(np.frombuffer(self._philox.get_state(), np.uint8).copy())

    def set_state(self, new_state: Any) -> CudaGenerator:
        """Go on from what `get_state` returned."""
        state = np.asarray(getattr(new_state, "_array", new_state), np.uint8)
        if state.size != 16:
            raise RuntimeError(f"a CUDA generator's state has 16 bytes, but got {state.size}")
        self._philox.set_state(state.tobytes())
        self._seed = self._philox.seed
        return self

    def clone_state(self) -> CudaGenerator:
        """Another generator that goes on from the same state."""
        return CudaGenerator(self.device).set_state(self.get_state())


def _launches(index: int | None) -> Gpu:
    """What a GPU's launches depend on."""
    properties = gpu.cupy().cuda.runtime.getDeviceProperties(index)
    return Gpu(properties["multiProcessorCount"], properties["maxThreadsPerMultiProcessor"])


def _empty_on(index: int | None) -> Array:
    return gpu.placed(np.empty(0, np.uint64), index)


def generator_of(index: int) -> CudaGenerator:
    """The default generator of GPU `index`; a new one begins from the last seed that was set."""
    if index not in random.gpu_generators:
        made = CudaGenerator(Device.at(index))
        random.gpu_generators[index] = made.manual_seed(random.default_generator.initial_seed())
    found: CudaGenerator = random.gpu_generators[index]
    return found


class Draws:
    """The functions that draw numbers into the memory of one GPU."""

    def __init__(self, index: int) -> None:
        self.index = index

    def philox(self, generator: Any) -> PhiloxGenerator:
        """The stream to draw from; RuntimeError for a generator of another device."""
        found = generator_of(self.index) if generator is None else generator
        if found.device.type != "cuda":
            raise RuntimeError("Expected a 'cuda' device type for generator but found 'cpu'")
        return found._philox  # type: ignore[no-any-return]

    def uniform(
        self, shape: Shape, dtype: Any, generator: Any = None, low: float = 0.0, high: float = 1.0
    ) -> Array:
        """Uniform numbers in [low, high)."""
        kind = _floating(dtype, "check_uniform_bounds")
        _check_uniform_bounds(kind, low, high)
        return self.philox(generator).uniform(math.prod(shape), kind, low, high).reshape(shape)

    def normal(
        self, shape: Shape, dtype: Any, generator: Any = None, mean: float = 0.0, std: float = 1.0,
        contiguous: bool = True,
    ) -> Array:  # fmt: skip
        """Normal numbers."""
        if not std >= 0.0:
            raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")
        kind = _floating(dtype, "normal_kernel_cuda")
        return self.philox(generator).normal(math.prod(shape), kind, mean, std).reshape(shape)

    def integers(
        self, shape: Shape, dtype: Any, generator: Any = None, low: int | None = None,
        high: int | None = None,
    ) -> Array:  # fmt: skip
        """Integers in [low, high), or of all that the dtype holds."""
        kind = np.dtype(dtype)
        first = 0 if low is None else low
        last = high if high is not None else _limit(kind)
        if first >= last:
            raise RuntimeError(
                f"random_ expects 'from' to be less than 'to', but got from={first} >= to={last}"
            )
        drawn = self.philox(generator).integers(math.prod(shape), first, last)
        return drawn.astype(kind).reshape(shape)

    def permutation(self, n: int, dtype: Any, generator: Any = None) -> Array:
        """0 to n - 1 in random order: drawn on the host, as equal keys have to be looked for."""
        there = self.philox(generator)
        here = PhiloxGenerator(there.seed, there.gpu)
        here.offset = there.offset
        order = here.permutation(n)
        there.offset = here.offset
        return gpu.placed(order.astype(dtype), self.index)

    def bernoulli(self, shape: Shape, dtype: Any, generator: Any, p: Any) -> Array:
        """1 with probability `p`, a number or an array, else 0."""
        philox, count = self.philox(generator), math.prod(shape)
        if not isinstance(p, (int, float)):
            return (philox.uniform(count).reshape(shape) < p).astype(dtype)
        if not 0.0 <= p <= 1.0:
            raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p:g}")
        return philox.bernoulli(count, p).astype(dtype).reshape(shape)

    # --- made of uniform numbers, u in (0, 1] ---

    def _unit(self, shape: Shape, generator: Any) -> Array:
        return 1 - self.philox(generator).uniform(math.prod(shape), np.float64).reshape(shape)

    def exponential(
        self, shape: Shape, dtype: Any, generator: Any = None, lambd: float = 1.0
    ) -> Array:
        """-log(u) / lambd."""
        if not lambd > 0.0:
            raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={lambd:g}")
        return (np.log(self._unit(shape, generator)) / -lambd).astype(dtype)

    def cauchy(
        self, shape: Shape, dtype: Any, generator: Any, median: float = 0.0, sigma: float = 1.0
    ) -> Array:
        """median + sigma tan(pi (u - 1/2))."""
        turn = np.pi * (self._unit(shape, generator) - 0.5)
        return (median + sigma * np.tan(turn)).astype(dtype)

    def log_normal(
        self, shape: Shape, dtype: Any, generator: Any, mean: float = 1.0, std: float = 2.0
    ) -> Array:
        """e to the power of normal numbers."""
        return np.exp(self.normal(shape, dtype, generator, mean, std))

    def geometric(self, shape: Shape, dtype: Any, generator: Any, p: float) -> Array:
        """ceil(log(u) / log(1 - p)), at least 1."""
        if not 0.0 < p < 1.0:
            raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p:g}")
        trials = np.ceil(np.log(self._unit(shape, generator)) / math.log1p(-p))
        return np.maximum(trials, 1).astype(dtype)

    def poisson(self, rates: Array, generator: Any = None) -> NoReturn:
        """NotImplementedError: draw on the CPU, then move."""
        raise NotImplementedError(
            "poisson is not implemented on CUDA devices: use torch.poisson(rates.cpu()).cuda()"
        )


def _limit(kind: np.dtype[Any]) -> int:
    """The end of the range of `random_()`: all integers that the dtype holds exactly."""
    if kind.kind == "f":
        return int(2 ** (np.finfo(kind).nmant + 1)) + 1
    return 2 if kind.kind == "b" else int(np.iinfo(kind).max) + (kind.itemsize < 8)
