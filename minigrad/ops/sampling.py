"""Random tensors: PyTorch's numbers for the same seed. `minigrad.random` draws them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Unpack

import numpy as np

from .. import gpu, random, random_floats, random_integers
from ..autograd import node as graph
from ..autograd.inplace import write
from ..autograd.node import wrap
from ..autograd.noted import noted
from ..autograd.row import op
from ..device import memory_of
from ..dtypes import INT64, scalar_name
from ..promotion import check_tensors
from . import memory
from .arithmetic import _not_implemented
from .creation import LikeOptions, Options, dtype_of, made
from .factories import shape_of
from .summation import outermost_first

Array = Any
Tensor = Any
Generator = random.Generator


class RandomOptions(Options, total=False):
    """What the random factories take by keyword."""

    generator: Generator | None


class RandomLikeOptions(LikeOptions, total=False):
    """What the random factories `..._like` take by keyword."""

    generator: Generator | None


def _split(options: Any) -> tuple[Generator | None, Any]:
    """The generator, and the options that all factories have."""
    return options.get("generator"), {k: v for k, v in options.items() if k != "generator"}


def floats(index: int | None) -> Any:
    """The functions that draw floats in the memory of GPU `index`, or of the host for None."""
    if index is None:
        return random_floats
    from ..random_cuda import Draws

    return Draws(index)


def integers(index: int | None) -> Any:
    """The same for integers."""
    return random_integers if index is None else floats(index)


def _place(options: Any) -> int | None:
    return memory_of(options.get("device"))


def rand(*args: Any, size: Any = None, **options: Unpack[RandomOptions]) -> Tensor:
    """Uniform numbers in [0, 1)."""
    generator, others = _split(options)
    shape = shape_of("rand", args if size is None else (size,))
    return made(
        "rand", floats(_place(others)).uniform(shape, dtype_of("rand", others), generator), others
    )


def randn(*args: Any, size: Any = None, **options: Unpack[RandomOptions]) -> Tensor:
    """Normal numbers of mean 0 and variance 1."""
    generator, others = _split(options)
    shape = shape_of("randn", args if size is None else (size,))
    return made(
        "randn", floats(_place(others)).normal(shape, dtype_of("randn", others), generator), others
    )


def rand_like(input: Tensor, **options: Unpack[RandomLikeOptions]) -> Tensor:
    """Uniform numbers in [0, 1) in the shape of `input`."""
    generator, others = _split(options)
    dtype = dtype_of("rand_like", others, input._array.dtype)
    drawn = _in_memory_order(
        input._array, lambda s: floats(gpu.index_of(input._array)).uniform(s, dtype, generator)
    )
    return made("rand_like", drawn, others)


def randn_like(input: Tensor, **options: Unpack[RandomLikeOptions]) -> Tensor:
    """Normal numbers in the shape of `input`."""
    generator, others = _split(options)
    dtype = dtype_of("randn_like", others, input._array.dtype)
    # into a tensor whose elements do not lie in order PyTorch draws pair by pair
    contiguous = bool(input._array.flags.c_contiguous)
    drawn = _in_memory_order(
        input._array,
        lambda s: floats(gpu.index_of(input._array)).normal(
            s, dtype, generator, contiguous=contiguous
        ),
    )
    return made("randn_like", drawn, others)


def _in_memory_order(like: Array, draw: Callable[[tuple[int, ...]], Array]) -> Array:
    """Numbers drawn one after the other as the elements of `like` lie in memory."""
    if like.flags.c_contiguous:
        return draw(like.shape)
    order = outermost_first(like)
    return draw(tuple(like.shape[d] for d in order)).transpose(np.argsort(order).tolist())


def _bounds(name: str, args: Any, named: Any) -> tuple[int, int]:
    """`(high)` or `(low, high)`, by position or by name."""
    names = ["low", "high"] if len(args) + len(named) == 2 else ["high"]
    given = dict(zip([n for n in names if n not in named], args, strict=True)) | named
    low, high = given.get("low", 0), given["high"]
    for argument, value in (("low", low), ("high", high)):
        if isinstance(value, float):
            raise TypeError(f"{name}(): argument '{argument}' must be int, not float")
    return int(low), int(high)


def randint(*args: Any, **options: Any) -> Tensor:
    """`randint(high, size)` or `randint(low, high, size)`: integers in [low, high), int64.

    By keyword `low`, `high`, `size`, `generator` and what all factories take."""
    generator, others = _split(options)
    named = {n: others.pop(n) for n in ("low", "high") if n in others}
    if "size" not in others and len(args) + len(named) < 2:
        raise TypeError(
            f"randint() received an invalid combination of arguments - got "
            f"({', '.join(type(a).__name__ for a in args)}): it takes (low, high, size) or "
            "(high, size)"
        )
    size = others.pop("size") if "size" in others else args[-1]
    bounds = _bounds("randint", args if len(args) + len(named) < 2 or "size" in options
                     else args[:-1], named)  # fmt: skip
    if not isinstance(size, (tuple, list)):
        raise TypeError(
            f"randint(): argument 'size' (position {len(args)}) must be tuple of ints, not "
            f"{type(size).__name__}"
        )
    dtype = dtype_of("randint", others, INT64)
    drawn = integers(_place(others)).integers(
        shape_of("randint", (size,)), dtype, generator, *bounds
    )
    return made("randint", drawn, others)


def randint_like(input: Tensor, *args: Any, **options: Any) -> Tensor:
    """`randint_like(input, high)` or `(input, low, high)`: integers in [low, high) in the shape
    and dtype of `input`."""
    generator, others = _split(options)
    low, high = _bounds(
        "randint_like", args, {n: others.pop(n) for n in ("low", "high") if n in others}
    )
    dtype = dtype_of("randint_like", others, input._array.dtype)
    drawn = _in_memory_order(
        input._array,
        lambda s: integers(gpu.index_of(input._array)).integers(s, dtype, generator, low, high),
    )
    return made("randint_like", drawn, others)


def randperm(n: int, **options: Unpack[RandomOptions]) -> Tensor:
    """0 ... n - 1 in random order, int64."""
    generator, others = _split(options)
    drawn = integers(_place(others)).permutation(n, dtype_of("randperm", others, INT64), generator)
    return made("randperm", drawn, others)


# --- random functions of tensors -----------------------------------------------------------------


@op("NormalBackward1", mean=lambda grad, xp: xp.zeros_like(grad))
def _around(mean: Array, std: Any, generator: Any) -> Array:
    return floats(gpu.index_of(mean)).normal(mean.shape, mean.dtype, generator, 0.0, std) + mean


@op("NormalBackward2", std=lambda grad, xp: xp.zeros_like(grad))
def _scaled(mean: Any, std: Array, generator: Any) -> Array:
    return floats(gpu.index_of(std)).normal(std.shape, std.dtype, generator) * std + std.dtype.type(
        mean
    )


@op(
    "NormalBackward3",
    mean=lambda grad, xp: xp.zeros_like(grad),
    std=lambda grad, xp: xp.zeros_like(grad),
)
def _each(mean: Array, std: Array, generator: Any) -> Array:
    unit = floats(gpu.index_of(mean)).normal(
        np.broadcast_shapes(mean.shape, std.shape), mean.dtype, generator
    )
    return (unit * std + mean).astype(mean.dtype, copy=False)


def normal(
    mean: Any = 0.0, std: Any = 1.0, size: Any = None, *, generator: Generator | None = None,
    **options: Unpack[Options],
) -> Tensor:  # fmt: skip
    """Normal numbers: `mean` and `std` are numbers (with `size`) or Tensors (each element its own)."""
    tensors = [isinstance(v, graph.Tensor) for v in (mean, std)]
    if not any(tensors):
        if size is None:
            raise TypeError(
                "normal() received an invalid combination of arguments - got (float, float): "
                "numbers for mean and std need a size"
            )
        dtype = dtype_of("normal", options)
        shape = shape_of("normal", (size,))
        return made(
            "normal", floats(_place(options)).normal(shape, dtype, generator, mean, std), options
        )
    if tensors[1] and bool((std._array < 0).any()):
        raise RuntimeError("normal expects all elements of std >= 0.0")
    row: Any = _each if all(tensors) else _around if tensors[0] else _scaled
    return _out("normal", row(mean, std, generator), options.get("out"))


def _out(name: str, drawn: Tensor, out: Tensor | None) -> Tensor:
    return drawn if out is None else memory.into(out, drawn._array, name)


@op("BernoulliBackward0", input=lambda grad, xp: xp.zeros_like(grad))
def _bernoulli(input: Array, generator: Any) -> Array:
    return floats(gpu.index_of(input)).bernoulli(input.shape, input.dtype, generator, input)


@op("torch::autograd::NotImplemented", tensors=_not_implemented("bernoulli"))
def _bernoulli_of_number(tensors: Any, input: Array, p: float, generator: Any) -> Array:
    return floats(gpu.index_of(input)).bernoulli(input.shape, input.dtype, generator, p)


def _trials(like: Array, p: Any, generator: Any) -> Array:
    """1 with probability `p`, a number or an array, in the shape and dtype of `like`."""
    if gpu.is_array(p):
        order = outermost_first(like)
        p = np.broadcast_to(p, like.shape).transpose(order)
    return _in_memory_order(
        like, lambda s: floats(gpu.index_of(like)).bernoulli(s, like.dtype, generator, p)
    )


def bernoulli(
    input: Tensor, p: float | None = None, *, generator: Generator | None = None,
    out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """1 with the probability that `input` gives for the element (or with `p`), else 0."""
    check_tensors("bernoulli", input=input)
    if p is None:
        return _out("bernoulli", _bernoulli(input, generator), out)
    recorded = [input] if input._requires_grad else []
    return _out("bernoulli", _bernoulli_of_number(recorded, input, p, generator), out)


@op("PoissonBackward0", input=lambda grad, xp: xp.zeros_like(grad))
def _poisson(input: Array, generator: Any) -> Array:
    return floats(gpu.index_of(input)).poisson(input, generator)


def poisson(input: Tensor, generator: Generator | None = None) -> Tensor:
    """Poisson-distributed whole numbers, each with the rate that `input` gives for the element."""
    check_tensors("poisson", input=input)
    return _poisson(input, generator)


@noted
def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *,
    generator: Generator | None = None, out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Indices drawn with the weights in `input`: (n,) gives (num_samples,), (m, n) a row for each.

    Weights need not sum to one. Without replacement no index comes twice in a row. int64."""
    check_tensors("multinomial", input=input)
    weights = input._array
    _check_weights(weights, num_samples, replacement)
    if replacement and num_samples > 1:
        drawn = _with_replacement(weights, num_samples, generator)
    else:  # each index waits an exponential time at the rate of its weight; the first ones win
        with np.errstate(all="ignore"):
            race = weights / floats(gpu.index_of(weights)).exponential(
                weights.shape, weights.dtype, generator
            )
        drawn = np.argsort(-race, axis=-1, kind="stable")[..., :num_samples]
    if out is not None and out._array.dtype != INT64:
        raise RuntimeError(
            f"multinomial expects Long tensor out, got: {scalar_name(out._array.dtype)}"
        )
    return _out("multinomial", wrap(drawn.astype(INT64)), out)


def _check_weights(weights: Array, num_samples: int, replacement: bool) -> None:
    if weights.dtype.kind != "f":
        raise RuntimeError(
            "multinomial only supports floating-point dtypes for input, got: "
            + scalar_name(weights.dtype)
        )
    if weights.ndim not in (1, 2):
        raise RuntimeError("prob_dist must be 1 or 2 dim")
    if num_samples <= 0:
        raise RuntimeError("cannot sample n_sample <= 0 samples")
    if not replacement and num_samples > weights.shape[-1]:
        raise RuntimeError(
            "cannot sample n_sample > prob_dist.size(-1) samples without replacement"
        )
    if not ((weights >= 0) & np.isfinite(weights)).all():
        raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
    if (weights.sum(-1) <= 0).any():
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")


def _with_replacement(weights: Array, num_samples: int, generator: Generator | None) -> Array:
    """One uniform number per sample, looked up in the row's cumulative distribution."""
    cumulative = np.add.accumulate(weights, -1, dtype=weights.dtype)
    cumulative = cumulative / cumulative[..., -1:]
    cumulative[..., -1] = 1
    count = num_samples * (weights.size // weights.shape[-1])
    uniforms = floats(gpu.index_of(weights)).uniform((count,), np.float64, generator)
    rows = cumulative.reshape(-1, weights.shape[-1])
    each = uniforms.reshape(len(rows), num_samples)
    drawn = [np.searchsorted(row, u) for row, u in zip(rows, each, strict=True)]
    return np.concatenate(drawn).reshape(*weights.shape[:-1], num_samples)


# --- in place ------------------------------------------------------------------------------------


def _sampling_row(name: str) -> Any:
    @op(name, input=lambda grad, xp: xp.zeros_like(grad))
    def drawn(input: Array) -> Array:
        return input

    return drawn.row


_UNIFORM, _NORMAL = _sampling_row("UniformBackward0"), _sampling_row("NormalBackward0")
_BERNOULLI = _sampling_row("BernoulliBackward2")
_BETWEEN, _BELOW, _RANDOM = map(_sampling_row, (f"RandomBackward{i}" for i in range(3)))
_EXPONENTIAL, _CAUCHY = _sampling_row("ExponentialBackward0"), _sampling_row("CauchyBackward0")
_LOG_NORMAL, _GEOMETRIC = _sampling_row("LogNormalBackward0"), _sampling_row("GeometricBackward0")


@op(
    "BernoulliBackward1",
    input=lambda grad, xp: xp.zeros_like(grad),
    p=lambda grad, xp: xp.zeros_like(grad),
)
def _bernoulli_each(input: Array, p: Array) -> Array:
    return input


def _overwrite(row: Any, input: Tensor, draw: Callable[[tuple[int, ...]], Array]) -> Tensor:
    return write(row, (input,), _in_memory_order(input._array, draw))


def uniform_(
    input: Tensor, from_: float = 0.0, to: float = 1.0, *, generator: Generator | None = None,
    **named: float,
) -> Tensor:  # fmt: skip
    """Overwrite with uniform numbers in [from, to)."""
    low, dtype = named.get("from", from_), input._array.dtype
    return _overwrite(
        _UNIFORM,
        input,
        lambda s: floats(gpu.index_of(input._array)).uniform(s, dtype, generator, low, to),
    )


def normal_(
    input: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None
) -> Tensor:
    """Overwrite with normal numbers."""
    contiguous = bool(input._array.flags.c_contiguous)
    dtype = input._array.dtype
    return _overwrite(
        _NORMAL,
        input,
        lambda s: floats(gpu.index_of(input._array)).normal(
            s, dtype, generator, mean, std, contiguous
        ),
    )


def random_(input: Tensor, from_: int | None = None, to: int | None = None, *, generator: Generator | None = None,
            **named: int) -> Tensor:  # fmt: skip
    """Overwrite with integers: `random_()`, `random_(to)` or `random_(from, to)`."""
    low = named.get("from", from_)
    row = _RANDOM if low is None and to is None else _BETWEEN
    if low is not None and to is None and "from" not in named:
        low, to, row = 0, low, _BELOW
    dtype = input._array.dtype
    return _overwrite(
        row,
        input,
        lambda s: integers(gpu.index_of(input._array)).integers(s, dtype, generator, low, to),
    )


def bernoulli_(input: Tensor, p: Any = 0.5, *, generator: Generator | None = None) -> Tensor:
    """Overwrite with 1 with probability `p` (a number or a Tensor), else 0."""
    if isinstance(p, graph.Tensor):
        return write(_bernoulli_each.row, (input, p), _trials(input._array, p._array, generator))
    return write(_BERNOULLI, (input,), _trials(input._array, p, generator))


def exponential_(
    input: Tensor, lambd: float = 1.0, *, generator: Generator | None = None
) -> Tensor:
    """Overwrite with exponentially distributed numbers of rate `lambd`."""
    dtype = input._array.dtype
    return _overwrite(
        _EXPONENTIAL,
        input,
        lambda s: floats(gpu.index_of(input._array)).exponential(s, dtype, generator, lambd),
    )


def log_normal_(
    input: Tensor, mean: float = 1.0, std: float = 2.0, *, generator: Generator | None = None
) -> Tensor:
    """Overwrite with e ** x for normal x of this mean and standard deviation."""
    dtype = input._array.dtype
    return _overwrite(
        _LOG_NORMAL,
        input,
        lambda s: floats(gpu.index_of(input._array)).log_normal(s, dtype, generator, mean, std),
    )


def cauchy_(
    input: Tensor, median: float = 0.0, sigma: float = 1.0, *, generator: Generator | None = None
) -> Tensor:
    """Overwrite with Cauchy-distributed numbers."""
    dtype = input._array.dtype
    return _overwrite(
        _CAUCHY,
        input,
        lambda s: floats(gpu.index_of(input._array)).cauchy(s, dtype, generator, median, sigma),
    )


def geometric_(input: Tensor, p: float, *, generator: Generator | None = None) -> Tensor:
    """Overwrite with the number of trials up to the first success, each with probability `p`."""
    dtype = input._array.dtype
    return _overwrite(
        _GEOMETRIC,
        input,
        lambda s: floats(gpu.index_of(input._array)).geometric(s, dtype, generator, p),
    )
