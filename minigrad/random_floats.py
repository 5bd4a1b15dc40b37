"""Random floating-point numbers, bit for bit as PyTorch's CPU generator draws them.

The functions return NumPy arrays and share the form `f(shape, dtype, generator, ...)`; a generator
of None means `default_generator`. Two things decide how many words of the twister a draw takes:
float64 recipes join two words (the first is the high half), float32 recipes use one; and a normal
draw of 16 numbers or more goes by blocks of 16 (`_normal_blocks`), a smaller one by pairs.

What is reached against PyTorch 2.13 on x86-64 with AVX2 or newer: all distributions are bit-equal,
`normal` in float32 too (10^6 out of 10^6, ULP distance 0). There PyTorch evaluates the Cephes
polynomials for log, sin and cos with fused multiply-adds, and `log32` and `sincos32` follow
them operation by operation. Processors without AVX2 take another path in PyTorch and differ in
the last bits. By its published source (not measured here), PyTorch hands the scalar
`bernoulli_(p)` to the MKL library on Intel processors, which draws other numbers; here it is always
the recipe that PyTorch uses on AMD, where sizes 1 to 5000 were compared and are equal.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .random import C_NAMES, KIND_NAMES, Array, Generator, Shape, default_generator
from .random_kernels import exp, fma, libm, log, log32, sincos32

if TYPE_CHECKING:  # numpy.typing takes time to import
    from numpy.typing import DTypeLike


def uniform(
    shape: Shape, dtype: DTypeLike, generator: Generator | None = None,
    low: float = 0.0, high: float = 1.0,
) -> Array:  # fmt: skip
    """Uniform numbers in [low, high), as `torch.rand` and `Tensor.uniform_`."""
    kind = _floating(dtype, "check_uniform_bounds")
    _check_uniform_bounds(kind, low, high)
    generator, count = generator or default_generator, math.prod(shape)
    wide = np.float64 if kind == np.float64 else np.float32
    unit: Array = generator.uniform64(count) if wide is np.float64 else generator.uniform32(count)
    if low == 0.0 and high == 1.0 and kind == wide:
        return unit.reshape(shape)
    start, end = wide(low), wide(high)
    values = fma(unit, end - start, start).astype(kind)
    values[values == kind.type(high)] = kind.type(low)  # rounding may have reached the open end
    return values.reshape(shape)


def _check_uniform_bounds(kind: np.dtype[Any], low: float, high: float) -> None:
    limit = float(np.finfo(kind).max)
    for name, bound in (("from", low), ("to", high)):
        if not -limit <= bound <= limit:
            raise RuntimeError(f"{name} is out of bounds for {C_NAMES[kind.name]}")
    if low > high:
        raise RuntimeError(
            f"uniform_ expects to return a [from, to) range, but found from={low:g} > to={high:g}"
        )
    if high - low > limit:
        raise RuntimeError(
            f"uniform_ expects to-from <= std::numeric_limits<{KIND_NAMES[kind.name]}>::max(), but"
            f" found to={high:g} and from={low:g} which result in to-from to exceed the limit"
        )


def normal(
    shape: Shape, dtype: DTypeLike, generator: Generator | None = None,
    mean: float = 0.0, std: float = 1.0, contiguous: bool = True,
) -> Array:  # fmt: skip
    """Normal numbers, as `torch.randn`, `torch.normal(mean, std, size)` and `Tensor.normal_`.

    `contiguous=False` gives what `normal_` draws into a tensor that is not contiguous: pairs,
    whatever the size.
    """
    if not std >= 0.0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")
    generator, count = generator or default_generator, math.prod(shape)
    if not count:
        return np.zeros(shape, dtype)
    kind = _floating(dtype, "normal_kernel_cpu")
    if count >= 16 and contiguous:
        return _normal_blocks(count, kind, generator, mean, std).reshape(shape)
    values = np.array(generator.normals(count), np.float64)
    if mean != 0.0 or std != 1.0:
        values = fma(values, np.float64(std), np.float64(mean))
    return _cast(values, kind).reshape(shape)


def _normal_blocks(
    count: int, kind: np.dtype[Any], generator: Generator, mean: float, std: float
) -> Array:
    """Blocks of 16: 8 uniforms give the radii and 8 the angles of Box-Muller, in place.

    When 16 does not divide `count`, 16 more uniforms are drawn and replace the last 16 numbers.
    float32 and float64 have drawn uniforms for the incomplete block before, float16 has not.
    """
    wide = np.float64 if kind == np.float64 else np.float32
    draw = generator.uniform64 if wide is np.float64 else generator.uniform32
    whole = count - count % 16
    uniforms: Array = draw(count if kind == wide else whole)[:whole]
    if count > whole:
        uniforms = np.concatenate((uniforms, draw(16)))
    normals = _box_muller16(uniforms, wide(mean), wide(std)).astype(kind, copy=False)
    if count == whole:
        return normals
    return np.concatenate((normals[: count - 16], normals[-16:]))


def _box_muller16(uniforms: Array, mean: np.floating[Any], std: np.floating[Any]) -> Array:
    blocks = uniforms.reshape(-1, 2, 8)
    u1, u2 = 1 - blocks[:, 0], blocks[:, 1]  # u1 in (0, 1], so that its logarithm is finite
    if uniforms.dtype == np.float32:
        radius = np.sqrt(np.float32(-2) * log32(u1))
        sine, cosine = sincos32(np.float32(2 * math.pi) * u2)
    else:
        radius, angle = np.sqrt(-2.0 * libm(math.log, u1)), 2.0 * math.pi * u2
        sine, cosine = libm(math.sin, angle), libm(math.cos, angle)
    values = np.stack((radius * cosine, radius * sine), axis=1)
    if mean != 0 or std != 1:
        with np.errstate(over="ignore"):
            values = fma(values, std, mean)
    return values.reshape(-1)


def log_normal(
    shape: Shape, dtype: DTypeLike, generator: Generator | None = None,
    mean: float = 1.0, std: float = 2.0,
) -> Array:  # fmt: skip
    """exp of normal numbers drawn by pairs, as `Tensor.log_normal_`."""
    if not std > 0.0:
        raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std:g}")
    kind = _floating(dtype, "log_normal_cpu")
    normals = np.array((generator or default_generator).normals(math.prod(shape)), np.float64)
    values = libm(exp, fma(normals, np.float64(std), np.float64(mean)))
    return _cast(values, kind).reshape(shape)


def exponential(
    shape: Shape, dtype: DTypeLike, generator: Generator | None = None, lambd: float = 1.0
) -> Array:
    """Exponential numbers of rate `lambd`, as `Tensor.exponential_`."""
    kind = np.dtype(dtype)
    if not lambd > 0.0:
        raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={lambd:g}")
    if kind.kind != "f":
        raise RuntimeError(
            "Exponential distribution is a continuous probability distribution. dtype must be a "
            f"floating point but you specified {KIND_NAMES[kind.name]}"
        )
    uniforms = (generator or default_generator).uniform64(math.prod(shape))
    return _cast(-1.0 / lambd * libm(math.log1p, -uniforms), kind).reshape(shape)


def cauchy(
    shape: Shape, dtype: DTypeLike, generator: Generator | None = None,
    median: float = 0.0, sigma: float = 1.0,
) -> Array:  # fmt: skip
    """Cauchy numbers, as `Tensor.cauchy_`."""
    kind = np.dtype(dtype)
    if not sigma > 0.0:
        raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma:g}")
    if kind.kind != "f":
        raise RuntimeError(
            "Cauchy distribution is a continuous probability distribution. dtype must be a "
            f"floating point but you specified {C_NAMES[kind.name]}"
        )
    uniforms = (generator or default_generator).uniform64(math.prod(shape))
    tangents = libm(math.tan, math.pi * (uniforms - 0.5))
    return _cast(fma(tangents, np.float64(sigma), np.float64(median)), kind).reshape(shape)


def geometric(shape: Shape, dtype: DTypeLike, generator: Generator | None, p: float) -> Array:
    """Number of trials up to the first success, as `Tensor.geometric_(p)`."""
    if not 0.0 < p < 1.0:
        raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p:g}")
    kind = np.dtype(dtype)
    if kind.kind == "b":
        raise NotImplementedError("\"geometric_cpu\" not implemented for 'Bool'")
    uniforms = (generator or default_generator).uniform64(math.prod(shape))
    trials = np.ceil(libm(log, uniforms) / math.log1p(-p))
    return _cast(trials, kind).reshape(shape)


def bernoulli(
    shape: Shape, dtype: DTypeLike, generator: Generator | None, p: float | Array
) -> Array:
    """1 with probability `p`, else 0, in `dtype`.

    A number `p` is compared with float64 uniforms, as `bernoulli_(p)` and dropout do. An array `p`
    is broadcast to `shape`, as in `torch.bernoulli(input)`: float64 probabilities take float64
    uniforms, others float32 ones.
    """
    generator, count = generator or default_generator, math.prod(shape)
    if not isinstance(p, np.ndarray):
        if not 0.0 <= p <= 1.0:
            raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p:g}")
        return (generator.uniform64(count) < p).astype(dtype).reshape(shape)
    if not ((p >= 0) & (p <= 1)).all():
        raise RuntimeError(
            "Expected p_in >= 0 && p_in <= 1 to be true, but got false.  (Could this error message "
            "be improved?  If so, please report an enhancement request to PyTorch.)"
        )
    wide = p.dtype == np.float64
    uniforms: Array = generator.uniform64(count) if wide else generator.uniform32(count)
    return (uniforms.reshape(shape) < p).astype(dtype)


def poisson(rates: Array, generator: Generator | None = None) -> Array:
    """Poisson numbers of the given rates, as `torch.poisson`.

    Below a rate of 10 uniform numbers are multiplied until they fall below e**-rate (Knuth); from
    there on by transformed rejection (W. Hoermann, "The transformed rejection method for
    generating Poisson random variables", 1993, algorithm PTRS)."""
    if rates.dtype.kind != "f":
        raise NotImplementedError(
            f"\"poisson_cpu\" not implemented for '{KIND_NAMES[rates.dtype.name]}'"
        )
    if not (rates >= 0).all():
        raise RuntimeError("invalid Poisson rate, expected rate to be non-negative")
    generator = generator or default_generator
    drawn = [_poisson(rate, generator) for rate in rates.ravel().tolist()]
    return np.array(drawn, np.float64).astype(rates.dtype).reshape(rates.shape)


def _poisson(rate: float, generator: Generator) -> float:
    if rate == 0:
        return 0.0
    if rate >= 10:
        return _poisson_by_rejection(rate, generator)
    limit, product, count = math.exp(-rate), 1.0, 0
    while True:
        product *= float(generator.uniform64(1)[0])
        if product <= limit:
            return float(count)
        count += 1


def _poisson_by_rejection(rate: float, generator: Generator) -> float:
    b = 0.931 + 2.53 * math.sqrt(rate)
    a = -0.059 + 0.02483 * b
    inverse_alpha, v_r = 1.1239 + 1.1328 / (b - 3.4), 0.9277 - 3.6224 / (b - 2)
    while True:
        u, v = (generator.uniform64(2) - np.array((0.5, 0.0))).tolist()
        distance = 0.5 - abs(u)
        if not distance:
            continue
        k = math.floor((2 * a / distance + b) * u + rate + 0.43)
        if distance >= 0.07 and v <= v_r:
            return float(k)
        if k < 0 or (distance < 0.013 and v > distance):
            continue
        height = log(v) + math.log(inverse_alpha) - math.log(a / (distance * distance) + b)
        if height <= -rate + k * math.log(rate) - math.lgamma(k + 1):
            return float(k)


def _floating(dtype: DTypeLike, kernel: str) -> np.dtype[Any]:
    kind = np.dtype(dtype)
    if kind.kind != "f":
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{KIND_NAMES[kind.name]}'")
    return kind


def _cast(values: Array, kind: np.dtype[Any]) -> Array:
    """float64 to `kind` as C++ does it: float16 is reached through float32."""
    if kind == np.float64:
        return values
    with np.errstate(over="ignore", invalid="ignore"):
        return values.astype(np.float32).astype(kind) if kind == np.float16 else values.astype(kind)
