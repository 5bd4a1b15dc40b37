"""Channels that become pixels, and back (`pixel_shuffle`), and channels in another order.

Shi et al. (2016) enlarge an image by r with r * r times as many channels: each group of them is
the r x r block of pixels at one place.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import promotion
from ..autograd.row import op

Array = Any
Tensor = Any


@op("PixelShuffleBackward0", input=lambda grad, factor, xp: xp.pixel_unshuffle(grad, factor))
def _pixel_shuffle(input: Array, factor: int) -> Array:
    return pixel_shuffle_array(input, factor)


@op("PixelUnshuffleBackward0", input=lambda grad, factor, xp: xp.pixel_shuffle(grad, factor))
def _pixel_unshuffle(input: Array, factor: int) -> Array:
    return pixel_unshuffle_array(input, factor)


def pixel_shuffle_array(input: Array, factor: int) -> Array:
    *outer, c, h, w = input.shape
    blocks = input.reshape(*outer, c // factor**2, factor, factor, h, w)
    rows = np.moveaxis(blocks, (-4, -3), (-3, -1))  # (..., C, H, r, W, r)
    return rows.copy(order="C").reshape(*outer, c // factor**2, h * factor, w * factor)


def pixel_unshuffle_array(input: Array, factor: int) -> Array:
    *outer, c, h, w = input.shape
    rows = input.reshape(*outer, c, h // factor, factor, w // factor, factor)
    blocks = np.moveaxis(rows, (-3, -1), (-4, -3))  # (..., C, r, r, H, W)
    return blocks.copy(order="C").reshape(*outer, c * factor**2, h // factor, w // factor)


@op(
    "ChannelShuffleBackward0",
    input=lambda grad, groups, xp: xp.channel_shuffle(grad, grad.shape[1] // groups),
)
def _channel_shuffle(input: Array, groups: int) -> Array:
    return channel_shuffle_array(input, groups)


def channel_shuffle_array(input: Array, groups: int) -> Array:
    n, c, *inner = input.shape
    grouped = input.reshape(n, groups, c // groups, *inner).swapaxes(1, 2)
    return grouped.copy(order="C").reshape(input.shape)


# --- the public functions ------------------------------------------------------------------------


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """(..., C * r * r, H, W) to (..., C, H * r, W * r)."""
    shape = _checked("pixel_shuffle", "upscale_factor", input, upscale_factor)
    if shape[-3] % upscale_factor**2:
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of "
            f"upscale_factor, but input.size(-3)={shape[-3]} is not divisible by {upscale_factor**2}"
        )
    return _pixel_shuffle(input, upscale_factor)


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """(..., C, H * r, W * r) to (..., C * r * r, H, W)."""
    shape = _checked("pixel_unshuffle", "downscale_factor", input, downscale_factor)
    for dim, what in ((-2, "height"), (-1, "width")):
        if shape[dim] % downscale_factor:
            raise RuntimeError(
                f"pixel_unshuffle expects {what} to be divisible by downscale_factor, but "
                f"input.size({dim})={shape[dim]} is not divisible by {downscale_factor}"
            )
    return _pixel_unshuffle(input, downscale_factor)


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """The channels of (N, C, ...) in `groups` groups, taken from each group in turn."""
    promotion.check_tensors("channel_shuffle", input=input)
    _check_int("channel_shuffle", "groups", groups)
    shape = input._array.shape
    if len(shape) < 3:
        raise RuntimeError(
            f"channel_shuffle expects input with > 2 dims, but got input with sizes {list(shape)}"
        )
    if groups <= 0:
        raise RuntimeError(
            f"Number of groups to divide channels in must be positive. Value of groups:{groups}"
        )
    if shape[1] % groups:
        raise RuntimeError(
            f"Number of channels must be divisible by groups. Got {shape[1]} channels and {groups} "
            "groups."
        )
    return _channel_shuffle(input, groups)


def _checked(name: str, argument: str, input: Tensor, factor: int) -> tuple[int, ...]:
    promotion.check_tensors(name, input=input)
    _check_int(name, argument, factor)
    shape: tuple[int, ...] = input._array.shape
    if len(shape) < 3:
        raise RuntimeError(
            f"{name} expects input to have at least 3 dimensions, but got input with {len(shape)} "
            "dimension(s)"
        )
    if factor <= 0:
        raise RuntimeError(f"{name} expects a positive {argument}, but got {factor}")
    return shape


def _check_int(name: str, argument: str, value: Any) -> None:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        kind = type(value).__name__
        raise TypeError(f"{name}(): argument '{argument}' (position 2) must be int, not {kind}")
