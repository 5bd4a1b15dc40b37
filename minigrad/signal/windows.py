"""Windows: weights that let a piece of a signal begin and end softly (F. Harris, "On the use of windows
for harmonic analysis with the discrete Fourier transform", Proceedings of the IEEE 66, 1978).

Each takes the length M; `sym=False` leaves the last point of a window of M + 1 away, so that copies
of the window side by side are periodic. All are functions of M numbers at equal distances; `dtype` is
float32 or float64, and `layout`, `device` and `requires_grad` are those of every factory.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from .. import ops
from ..dtypes import float32, float64, get_default_dtype
from ..layout import strided

Tensor = Any
NUTTALL = (0.3635819, 0.4891775, 0.1365995, 0.0106411)

__all__ = [
    "bartlett", "blackman", "cosine", "exponential", "gaussian", "general_cosine",
    "general_hamming", "hamming", "hann", "kaiser", "nuttall",
]  # fmt: skip


def _checked(name: str, M: int, options: dict[str, Any]) -> dict[str, Any]:
    """The options of a factory, with a dtype; ValueError if these cannot be."""
    dtype, layout = options.get("dtype") or get_default_dtype(), options.get("layout", strided)
    if M < 0:
        raise ValueError(f"{name} requires non-negative window length, got M={M}")
    if layout is not strided:
        raise ValueError(f"{name} is implemented for strided tensors only, got: {layout}")
    if dtype not in (float32, float64):
        shown = str(dtype).replace("minigrad", "torch")
        raise ValueError(f"{name} expects float32 or float64 dtypes, got: {shown}")
    return options | {"dtype": dtype}


def _points(M: int, start: float, step: float, scale: float, options: dict[str, Any]) -> Tensor:
    """The M numbers scale * (start + step * i)."""
    return ops.linspace(start * scale, (start + (M - 1) * step) * scale, M, **options)


def _period(M: int, sym: bool) -> int:
    """How many steps there are from one end of the window to the other."""
    return M - 1 if sym else M


def general_cosine(M: int, *, a: Iterable[float], sym: bool = True, **options: Any) -> Tensor:
    """The sum of (-1)**i a[i] cos(2 pi i n / period) over i."""
    options = _checked("general_cosine", M, options)
    if M < 2:
        return ops.ones(M, **options)
    if not isinstance(a, Iterable):
        raise TypeError("Coefficients must be a list/tuple")
    weights = [(-1) ** i * w for i, w in enumerate(a)]
    if not weights:
        raise ValueError("Coefficients cannot be empty")
    angles = _points(M, 0.0, 2 * math.pi / _period(M, sym), 1.0, options)
    factors = ops.tensor(weights, **options)  # (terms,)
    orders = ops.arange(len(weights), **options)
    return ops.sum(factors[:, None] * ops.cos(orders[:, None] * angles), 0)


def general_hamming(M: int, *, alpha: float = 0.54, sym: bool = True, **options: Any) -> Tensor:
    """alpha - (1 - alpha) cos(2 pi n / period)."""
    return general_cosine(M, a=[alpha, 1.0 - alpha], sym=sym, **options)


def hamming(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """0.54 - 0.46 cos(2 pi n / period)."""
    return general_hamming(M, sym=sym, **options)


def hann(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """1/2 - 1/2 cos(2 pi n / period)."""
    return general_hamming(M, alpha=0.5, sym=sym, **options)


def blackman(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """0.42 - 0.5 cos(2 pi n / period) + 0.08 cos(4 pi n / period)."""
    _checked("blackman", M, options)
    return general_cosine(M, a=[0.42, 0.5, 0.08], sym=sym, **options)


def nuttall(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """The sum of four cosines whose side lobes are lowest (A. Nuttall, 1981)."""
    return general_cosine(M, a=NUTTALL, sym=sym, **options)


def bartlett(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """A triangle: 1 - abs(2 n / period - 1)."""
    options = _checked("bartlett", M, options)
    if M < 2:
        return ops.ones(M, **options)
    return 1 - ops.abs(_points(M, -1.0, 2 / _period(M, sym), 1.0, options))


def cosine(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """The half wave sin(pi (n + 1/2) / M)."""
    options = _checked("cosine", M, options)
    scale = math.pi / (M + 1 if not sym and M > 1 else max(M, 1))
    return ops.sin(_points(M, 0.5, 1.0, scale, options))


def exponential(
    M: int, *, center: float | None = None, tau: float = 1.0, sym: bool = True, **options: Any
) -> Tensor:
    """exp(-abs(n - center) / tau); `center` is the middle unless `sym` is False."""
    options = _checked("exponential", M, options)
    if tau <= 0:
        raise ValueError(f"Tau must be positive, got: {tau} instead.")
    if sym and center is not None:
        raise ValueError("Center must be None for symmetric windows")
    if center is None:
        center = (M if not sym and M > 1 else M - 1) / 2.0
    return ops.exp(-ops.abs(_points(M, -center, 1.0, 1 / tau, options)))


def gaussian(M: int, *, std: float = 1.0, sym: bool = True, **options: Any) -> Tensor:
    """exp(-(n - middle)**2 / (2 std**2))."""
    options = _checked("gaussian", M, options)
    if std <= 0:
        raise ValueError(f"Standard deviation must be positive, got: {std} instead.")
    middle = (M if not sym and M > 1 else M - 1) / 2.0
    return ops.exp(-(_points(M, -middle, 1.0, 1 / (std * math.sqrt(2)), options) ** 2))


def kaiser(M: int, *, beta: float = 12.0, sym: bool = True, **options: Any) -> Tensor:
    """I0(beta sqrt(1 - x**2)) / I0(beta) for x from -1 to 1, where I0 is a Bessel function."""
    options = _checked("kaiser", M, options)
    if beta < 0:
        raise ValueError(f"beta must be non-negative, got: {beta} instead.")
    if M < 2:
        return ops.ones(M, **options)
    whole = ops.tensor(beta, dtype=options["dtype"])  # rounded, so that no root is negative
    last = ops.minimum(whole, -whole + (M - 1) * (2.0 * whole / _period(M, sym)))
    x = ops.linspace(-whole, last, M, **options)
    return ops.i0(ops.sqrt(whole * whole - x**2)) / ops.i0(whole)
