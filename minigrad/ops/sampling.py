"""Random tensors: PyTorch's numbers for the same seed. `minigrad.random` draws them."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import random
from ..autograd import node as graph
from ..autograd.inplace import write
from ..autograd.node import wrap
from ..autograd.row import op
from ..dtypes import INT64
from ..dtypes import dtype as Dtype
from .creation import _dtype_like, _size, finish, numpy_dtype

Array = Any
Tensor = Any
Generator = random.Generator


def rand(
    *size: Any, generator: Generator | None = None, dtype: Dtype | None = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Uniform numbers in [0, 1)."""
    drawn = random.uniform(_size("rand", size), numpy_dtype(dtype), generator)
    return finish(drawn, requires_grad, device)


def randn(
    *size: Any, generator: Generator | None = None, dtype: Dtype | None = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Normal numbers of mean 0 and variance 1."""
    drawn = random.normal(_size("randn", size), numpy_dtype(dtype), generator)
    return finish(drawn, requires_grad, device)


def rand_like(
    input: Tensor, *, dtype: Dtype | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Uniform numbers in [0, 1) in the shape of `input`."""
    return finish(
        random.uniform(input._array.shape, _dtype_like(input, dtype)), requires_grad, device
    )


def randn_like(
    input: Tensor, *, dtype: Dtype | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Normal numbers in the shape of `input`."""
    return finish(
        random.normal(input._array.shape, _dtype_like(input, dtype)), requires_grad, device
    )


def randint(*args: Any, generator: Generator | None = None, dtype: Dtype | None = None, device: Any = None,
            requires_grad: bool = False, **named: Any) -> Tensor:  # fmt: skip
    """`randint(high, size)` or `randint(low, high, size)`: integers in [low, high), int64."""
    names = ["low", "high", "size"] if len(args) + len(named) == 3 else ["high", "size"]
    given = dict(zip([n for n in names if n not in named], args, strict=True)) | named
    kind = INT64 if dtype is None else dtype.numpy
    low, high = int(given.get("low", 0)), int(given["high"])
    drawn = random.integers(_size("randint", (given["size"],)), kind, generator, low, high)
    return finish(drawn, requires_grad, device)


def randperm(n: int, *, generator: Generator | None = None, dtype: Dtype | None = None, device: Any = None,
             requires_grad: bool = False) -> Tensor:  # fmt: skip
    """0 ... n - 1 in random order, int64."""
    return finish(
        random.permutation(n, INT64 if dtype is None else dtype.numpy, generator),
        requires_grad,
        device,
    )


def normal(mean: Any, std: Any = 1.0, size: Any = None, *, generator: Generator | None = None,
           dtype: Dtype | None = None) -> Tensor:  # fmt: skip
    """Normal numbers: `mean` and `std` are numbers (with `size`) or Tensors (each element its own)."""
    if size is not None:
        return finish(
            random.normal(
                _size("normal", (size,)), numpy_dtype(dtype), generator, float(mean), float(std)
            )
        )
    arrays = [t._array for t in (mean, std) if isinstance(t, graph.Tensor)]
    unit = random.normal(
        np.broadcast_shapes(*[a.shape for a in arrays]), arrays[0].dtype, generator
    )
    scale, shift = (getattr(v, "_array", v) for v in (std, mean))
    return wrap((unit * scale + shift).astype(arrays[0].dtype))


def bernoulli(input: Tensor, *, generator: Generator | None = None) -> Tensor:
    """1 with the probability that `input` gives for the element, else 0."""
    return wrap(random.bernoulli(input._array.shape, input._array.dtype, generator, input._array))


# --- in place ------------------------------------------------------------------------------------


def _sampling_row(name: str) -> Any:
    @op(name, input=lambda grad, xp: xp.zeros_like(grad))
    def drawn(input: Array) -> Array:
        return input

    return drawn.row


_UNIFORM, _NORMAL = _sampling_row("UniformBackward0"), _sampling_row("NormalBackward0")
_BERNOULLI, _RANDOM = _sampling_row("BernoulliBackward1"), _sampling_row("RandomBackward2")
_EXPONENTIAL = _sampling_row("ExponentialBackward0")


def uniform_(
    input: Tensor,
    from_: float = 0.0,
    to: float = 1.0,
    *,
    generator: Generator | None = None,
    **named: float,
) -> Tensor:
    """Overwrite with uniform numbers in [from, to)."""
    low = named.get("from", from_)
    return write(
        _UNIFORM,
        (input,),
        random.uniform(input._array.shape, input._array.dtype, generator, low, to),
    )


def normal_(
    input: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None
) -> Tensor:
    """Overwrite with normal numbers."""
    contiguous = bool(input._array.flags.c_contiguous)
    drawn = random.normal(input._array.shape, input._array.dtype, generator, mean, std, contiguous)
    return write(_NORMAL, (input,), drawn)


def random_(input: Tensor, from_: int | None = None, to: int | None = None, *, generator: Generator | None = None,
            **named: int) -> Tensor:  # fmt: skip
    """Overwrite with integers: `random_()`, `random_(to)` or `random_(from, to)`."""
    low = named.get("from", from_)
    if low is not None and to is None and "from" not in named:
        low, to = 0, low
    drawn = random.integers(input._array.shape, input._array.dtype, generator, low, to)
    return write(_RANDOM, (input,), drawn)


def bernoulli_(input: Tensor, p: Any = 0.5, *, generator: Generator | None = None) -> Tensor:
    """Overwrite with 1 with probability `p` (a number or a Tensor), else 0."""
    probability = p._array if isinstance(p, graph.Tensor) else p
    drawn = random.bernoulli(input._array.shape, input._array.dtype, generator, probability)
    return write(_BERNOULLI, (input,), drawn)


def exponential_(
    input: Tensor, lambd: float = 1.0, *, generator: Generator | None = None
) -> Tensor:
    """Overwrite with exponentially distributed numbers of rate `lambd`."""
    drawn = random.exponential(input._array.shape, input._array.dtype, generator, lambd)
    return write(_EXPONENTIAL, (input,), drawn)


# --- the generator's state -----------------------------------------------------------------------


def get_rng_state() -> Tensor:
    """The default generator's state as a uint8 Tensor, in PyTorch's layout."""
    return wrap(random.default_generator.get_state())


def set_rng_state(new_state: Tensor) -> None:
    """Set the default generator's state; one that PyTorch saved is understood too."""
    random.default_generator.set_state(new_state._array)


def seed() -> int:
    """Seed the default generator from the system's entropy; returns the seed."""
    return random.default_generator.seed()


def initial_seed() -> int:
    """The seed of the default generator."""
    return random.default_generator.initial_seed()
