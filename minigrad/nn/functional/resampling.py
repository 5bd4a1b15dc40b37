"""`nn.functional.interpolate`, its older names, and the shuffles of pixels and channels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import ops
from ...dtypes import scalar_name
from ...ops.resampling import Axis
from ...tensor import Tensor
from ...warn import warn
from .pooling import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d

__all__ = [
    "channel_shuffle", "interpolate", "pixel_shuffle", "pixel_unshuffle", "upsample",
    "upsample_bilinear", "upsample_nearest",
]  # fmt: skip

pixel_shuffle, pixel_unshuffle = ops.pixel_shuffle, ops.pixel_unshuffle
channel_shuffle = ops.channel_shuffle
Sizes = int | Sequence[int]
Factors = float | Sequence[float]

_MODES = {  # the kind of weights, and for how many spatial dimensions
    "nearest": ("nearest", (1, 2, 3)), "nearest-exact": ("nearest-exact", (1, 2, 3)),
    "linear": ("linear", (1,)), "bilinear": ("linear", (2,)), "trilinear": ("linear", (3,)),
    "bicubic": ("cubic", (2,)),
}  # fmt: skip
_AREA = {1: adaptive_avg_pool1d, 2: adaptive_avg_pool2d, 3: adaptive_avg_pool3d}


def interpolate(
    input: Tensor, size: Sizes | None = None, scale_factor: Factors | None = None,
    mode: str = "nearest", align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None, antialias: bool = False,
) -> Tensor:  # fmt: skip
    """`input` of shape (N, C, ...) with its spatial dimensions at another size.

    Args:
        size, scale_factor: one of them: the sizes, or how often the old ones; a number for all
            dimensions, or one for each. A size from a factor is rounded down.
        mode: "nearest", "nearest-exact" or "area" (the average of what each output covers) for one
            to three spatial dimensions, "linear" for one, "bilinear" and "bicubic" for two,
            "trilinear" for three.
        align_corners: of the weighing modes: the outermost elements keep their places.
        recompute_scale_factor: use the ratio of the sizes instead of the factor that was given.
        antialias: not supported; shrink with mode="area" instead.

    Raises:
        ValueError: if arguments contradict each other.
        NotImplementedError: for a mode that does not exist for so many dimensions.
    """
    align_corners = _checked_align(mode, align_corners)
    shape = tuple(input.size())[2:]
    sizes, factors = _sizes(shape, size, scale_factor, recompute_scale_factor)
    if antialias:
        if mode not in ("bilinear", "bicubic", "lanczos") or input.dim() != 4:
            raise ValueError(
                "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and "
                "requires a 4-D tensor as input"
            )
        raise NotImplementedError(
            "interpolate: antialias=True is not supported; mode='area' averages what it shrinks"
        )
    _check_mode(mode, input.dim())
    if mode == "area":
        return _AREA[len(shape)](input, sizes)
    _check_input(input, mode, sizes)
    kind = _MODES[mode][0]
    axes = [
        Axis(kind, n, out, f, align_corners)
        for n, out, f in zip(shape, sizes, factors, strict=True)
    ]
    return ops.resample(input, axes)


def _checked_align(mode: str, align_corners: bool | None) -> bool:
    if mode in ("nearest", "area", "nearest-exact") and align_corners is not None:
        raise ValueError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear | "
            "bicubic | trilinear"
        )
    return bool(align_corners)


def _sizes(
    shape: tuple[int, ...], size: Sizes | None, factor: Factors | None, recompute: bool | None
) -> tuple[list[int], Sequence[float | None]]:
    """The output's sizes, and the factors if they are what the places are computed from."""
    dims = len(shape)
    if size is not None and factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is not None:
        given: list[Any] = list(size) if isinstance(size, (list, tuple)) else [size] * dims
        if len(given) != dims:
            raise ValueError(
                _wrong_count(shape, "output size of", size, "output size in (o1, o2, ...,oK)")
            )
        if recompute:
            raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
        if not all(hasattr(n, "__index__") for n in given):
            raise TypeError(
                f"interpolate(): argument 'size' must be int or a tuple of ints, not {size}"
            )
        return [int(n) for n in given], [None] * dims
    if factor is None:
        raise ValueError("either size or scale_factor should be defined")
    factors: list[Any] = list(factor) if isinstance(factor, (list, tuple)) else [factor] * dims
    if len(factors) != dims:
        raise ValueError(
            _wrong_count(shape, "scale_factor of shape", factor, "scale_factor in (s1, s2, ...,sK)")
        )
    if not all(isinstance(f, (int, float)) for f in factors):
        raise TypeError(
            f"interpolate(): argument 'scale_factor' must be float or a tuple of floats, not {factor}"
        )
    sizes = [math.floor(float(n) * f) for n, f in zip(shape, factors, strict=True)]
    return sizes, [None] * dims if recompute else [float(f) for f in factors]


def _wrong_count(shape: tuple[int, ...], what: str, given: Any, form: str) -> str:
    name = what.partition(" of")[0]
    return (
        f"Input and {'output' if name == 'output size' else name} must have the same number of "
        f"spatial dimensions, but got input with spatial dimensions of {list(shape)} and {what} "
        f"{given}. Please provide input tensor in (N, C, d1, d2, ...,dK) format and {form} format."
    )


def _check_mode(mode: str, ndim: int) -> None:
    if mode == "area" and ndim in (3, 4, 5):
        return
    dims = _MODES.get(mode, ("", ()))[1]
    if ndim - 2 in dims:
        return
    if mode in ("linear", "bilinear", "trilinear") and ndim in (3, 4, 5):
        raise NotImplementedError(f"Got {ndim}D input, but {mode} mode needs {dims[0] + 2}D input")
    raise NotImplementedError(
        f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {ndim}D) for the modes: "
        "nearest | linear | bilinear | bicubic | trilinear | lanczos | area | nearest-exact "
        f"(got {mode})"
    )


def _check_input(input: Tensor, mode: str, sizes: list[int]) -> None:
    array, dims = input._array, len(sizes)
    old = array.shape[2:]
    if min(*old, *sizes) <= 0:
        raise RuntimeError(
            "Input and output sizes should be greater than 0, but got input "
            f"({_named(old)}) output ({_named(sizes)})"
        )
    if not array.shape[1]:
        raise RuntimeError(
            f"Non-empty {dims + 2}D data tensor expected but got a tensor with sizes "
            f"{list(array.shape)}"
        )
    if array.dtype.kind != "f" and not (mode.startswith("nearest") and array.dtype == np.uint8):
        kind = _MODES[mode][0].removesuffix("-exact")
        kernel = f"compute_indices_weights_{kind}"
        if dims == 2 and kind != "cubic":  # PyTorch has a loop of its own for these
            kernel = f"upsample_{mode.removesuffix('-exact')}2d_channels_last"
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{scalar_name(array.dtype)}'")


def _named(sizes: Sequence[int]) -> str:
    letters = {1: "W", 2: "HW", 3: "DHW"}[len(sizes)]
    return ", ".join(f"{c}: {n}" for c, n in zip(letters, sizes, strict=True))


def upsample(
    input: Tensor, size: Sizes | None = None, scale_factor: Factors | None = None,
    mode: str = "nearest", align_corners: bool | None = None,
) -> Tensor:  # fmt: skip
    """The older name of `interpolate`."""
    _deprecated("upsample", "nn.functional.interpolate")
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(
    input: Tensor, size: Sizes | None = None, scale_factor: Factors | None = None
) -> Tensor:
    """`interpolate` with mode="nearest"."""
    _deprecated("upsample_nearest", "nn.functional.interpolate")
    return interpolate(input, size, scale_factor, mode="nearest")


def upsample_bilinear(
    input: Tensor, size: Sizes | None = None, scale_factor: Factors | None = None
) -> Tensor:
    """`interpolate` with mode="bilinear" and align_corners=True."""
    _deprecated("upsample_bilinear", "nn.functional.interpolate")
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)


def _deprecated(name: str, instead: str) -> None:
    warn(f"`nn.functional.{name}` is deprecated. Use `{instead}` instead.")
