"""`nn.functional`'s pooling: the ops, max pooling with its indices if asked for, and what is made of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ... import ops
from ...dtypes import scalar_name
from ...ops import pooling
from ...promotion import floats_only
from ...tensor import Tensor

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d",
    "adaptive_max_pool1d_with_indices", "adaptive_max_pool2d", "adaptive_max_pool2d_with_indices",
    "adaptive_max_pool3d", "adaptive_max_pool3d_with_indices", "avg_pool1d", "avg_pool2d",
    "avg_pool3d", "lp_pool1d", "lp_pool2d", "lp_pool3d", "max_pool1d", "max_pool1d_with_indices",
    "max_pool2d", "max_pool2d_with_indices", "max_pool3d", "max_pool3d_with_indices",
    "max_unpool1d", "max_unpool2d", "max_unpool3d",
]  # fmt: skip

avg_pool1d, avg_pool2d, avg_pool3d = pooling.avg_pool1d, pooling.avg_pool2d, pooling.avg_pool3d
adaptive_avg_pool1d = pooling.adaptive_avg_pool1d
adaptive_avg_pool2d = pooling.adaptive_avg_pool2d
adaptive_avg_pool3d = pooling.adaptive_avg_pool3d
Ints = int | Sequence[int]
Result = Any  # a Tensor, or the Tensor and its indices


# --- the largest element -------------------------------------------------------------------------


def max_pool1d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
    dilation: Ints = 1, ceil_mode: bool = False, return_indices: bool = False,
) -> Result:  # fmt: skip
    """The largest element of each window: (N, C, L) to (N, C, L_out), or without N.

    Args:
        kernel_size: the window; stride: by default the same.
        padding: of negative infinity, at both ends; at most half of the window.
        dilation: how far the elements of a window are apart.
        ceil_mode: also take a window that begins inside and ends outside.
        return_indices: return where the elements come from, too.

    Raises:
        RuntimeError: for sizes that make no sense together.
    """
    function = pooling.max_pool1d_with_indices if return_indices else pooling.max_pool1d
    return function(input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool2d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
    dilation: Ints = 1, ceil_mode: bool = False, return_indices: bool = False,
) -> Result:  # fmt: skip
    """The largest element of each window: (N, C, H, W) to (N, C, H_out, W_out); see `max_pool1d`."""
    function = pooling.max_pool2d_with_indices if return_indices else pooling.max_pool2d
    return function(input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool3d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
    dilation: Ints = 1, ceil_mode: bool = False, return_indices: bool = False,
) -> Result:  # fmt: skip
    """The largest element of each window of the last three dimensions; see `max_pool1d`."""
    function = pooling.max_pool3d_with_indices if return_indices else pooling.max_pool3d
    return function(input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool1d_with_indices(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
    dilation: Ints = 1, ceil_mode: bool = False, return_indices: bool = False,
) -> Result:  # fmt: skip
    """`max_pool1d` with `return_indices=True`."""
    return pooling.max_pool1d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool2d_with_indices(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
    dilation: Ints = 1, ceil_mode: bool = False, return_indices: bool = False,
) -> Result:  # fmt: skip
    """`max_pool2d` with `return_indices=True`."""
    return pooling.max_pool2d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool3d_with_indices(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
    dilation: Ints = 1, ceil_mode: bool = False, return_indices: bool = False,
) -> Result:  # fmt: skip
    """`max_pool3d` with `return_indices=True`."""
    return pooling.max_pool3d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)


def adaptive_max_pool1d(input: Tensor, output_size: Any, return_indices: bool = False) -> Result:
    """The largest elements of `output_size` windows, which cover the last dimension."""
    found = pooling.adaptive_max_pool1d(input, output_size)
    return found if return_indices else found[0]


def adaptive_max_pool2d(input: Tensor, output_size: Any, return_indices: bool = False) -> Result:
    """The largest elements of output_size[0] x output_size[1] windows; None keeps a size."""
    found = pooling.adaptive_max_pool2d(input, output_size)
    return found if return_indices else found[0]


def adaptive_max_pool3d(input: Tensor, output_size: Any, return_indices: bool = False) -> Result:
    """`adaptive_max_pool2d` of the last three dimensions."""
    found = pooling.adaptive_max_pool3d(input, output_size)
    return found if return_indices else found[0]


def adaptive_max_pool1d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> Result:
    """`adaptive_max_pool1d` with `return_indices=True`."""
    return pooling.adaptive_max_pool1d(input, output_size)


def adaptive_max_pool2d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> Result:
    """`adaptive_max_pool2d` with `return_indices=True`."""
    return pooling.adaptive_max_pool2d(input, output_size)


def adaptive_max_pool3d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> Result:
    """`adaptive_max_pool3d` with `return_indices=True`."""
    return pooling.adaptive_max_pool3d(input, output_size)


# --- power means ---------------------------------------------------------------------------------


def lp_pool1d(
    input: Tensor, norm_type: float, kernel_size: int, stride: Ints | None = None,
    ceil_mode: bool = False,
) -> Tensor:  # fmt: skip
    """The p-norm of each window, sum(x^p)^(1/p) with p = `norm_type`: (N, C, L) to (N, C, L_out)."""
    means = avg_pool1d(ops.pow(input, norm_type), kernel_size, stride, 0, ceil_mode)
    return _norm(means, kernel_size, norm_type)


def lp_pool2d(
    input: Tensor, norm_type: float, kernel_size: Ints, stride: Ints | None = None,
    ceil_mode: bool = False,
) -> Tensor:  # fmt: skip
    """The p-norm of each window: (N, C, H, W) to (N, C, H_out, W_out)."""
    means = avg_pool2d(ops.pow(input, norm_type), kernel_size, stride, 0, ceil_mode)
    return _norm(means, math.prod(_several(kernel_size, 2)), norm_type)


def lp_pool3d(
    input: Tensor, norm_type: float, kernel_size: Ints, stride: Ints | None = None,
    ceil_mode: bool = False,
) -> Tensor:  # fmt: skip
    """The p-norm of each window of the last three dimensions."""
    means = avg_pool3d(ops.pow(input, norm_type), kernel_size, stride, 0, ceil_mode)
    return _norm(means, math.prod(_several(kernel_size, 3)), norm_type)


def _norm(means: Tensor, count: int, norm_type: float) -> Tensor:
    """From the mean of the powers their norm; sums below zero keep no root."""
    sums = ops.mul(ops.mul(ops.sign(means), ops.relu(ops.abs(means))), count)
    return ops.pow(sums, 1.0 / norm_type)


def _several(value: Ints, count: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, Sequence) else (value,) * count


# --- back to the larger size ---------------------------------------------------------------------


def max_unpool1d(
    input: Tensor, indices: Tensor, kernel_size: Ints, stride: Ints | None = None,
    padding: Ints = 0, output_size: Sequence[int] | None = None,
) -> Tensor:  # fmt: skip
    """Zeros with `input` where `indices` point, which `max_pool1d` returned: the inverse of it."""
    sizes = _unpooled(input, 1, kernel_size, stride, padding, output_size)
    out = _unpool2d(ops.unsqueeze(input, -1), ops.unsqueeze(indices, -1), (*sizes, 1))
    return ops.squeeze(out, -1)


def max_unpool2d(
    input: Tensor, indices: Tensor, kernel_size: Ints, stride: Ints | None = None,
    padding: Ints = 0, output_size: Sequence[int] | None = None,
) -> Tensor:  # fmt: skip
    """Zeros with `input` where `indices` point, which `max_pool2d` returned.

    Raises:
        ValueError: for an `output_size` that no pooling turns into the size of `input`.
        RuntimeError: for an index outside of it.
    """
    sizes = _unpooled(input, 2, kernel_size, stride, padding, output_size)
    return _unpool2d(input, indices, sizes)


def max_unpool3d(
    input: Tensor, indices: Tensor, kernel_size: Ints, stride: Ints | None = None,
    padding: Ints = 0, output_size: Sequence[int] | None = None,
) -> Tensor:  # fmt: skip
    """Zeros with `input` where `indices` point, which `max_pool3d` returned."""
    sizes = _unpooled(input, 3, kernel_size, stride, padding, output_size)
    steps = _several(kernel_size if stride is None else stride, 3)
    if indices._array.dtype.name != "int64":
        raise RuntimeError("elements in indices should be type int64")
    _check_unpool(input, indices, sizes, "3d", (4, 5))
    if min(steps) <= 0:
        raise RuntimeError(f"strides should be greater than zero, but got stride: {list(steps)}")
    floats_only("max_unpool3d", input._array)
    return ops.max_unpool3d(input, indices, sizes)


def _unpool2d(input: Tensor, indices: Tensor, sizes: tuple[int, ...]) -> Tensor:
    if indices._array.dtype.name != "int64":
        kind = scalar_name(indices._array.dtype)
        raise RuntimeError(f"elements in indices should be type int64 but got: {kind}")
    _check_unpool(input, indices, sizes, "2d", (3, 4))
    floats_only("max_unpool2d", input._array)
    return ops.max_unpool2d(input, indices, sizes)


def _check_unpool(
    input: Tensor, indices: Tensor, sizes: tuple[int, ...], dims: str, ranks: tuple[int, int]
) -> None:
    shape, where = input._array.shape, indices._array
    if len(shape) not in ranks:
        raise RuntimeError(
            f"Input to max_unpooling{dims} should be a {ranks[0]}d or {ranks[1]}d Tensor, but got a "
            f"tensor with {len(shape)} dimensions."
        )
    if shape != where.shape:
        raise RuntimeError(
            "Expected shape of indices to be same as that of the input tensor "
            f"({list(shape)}) but got indices tensor with shape: {list(where.shape)}"
        )
    outside = where[(where < 0) | (where >= math.prod(sizes))]
    if outside.size:
        raise RuntimeError(
            f"Found an invalid max index: {outside[0]} (output volumes are of size "
            f"{'x'.join(map(str, sizes))})"
        )


def _unpooled(
    input: Tensor, dims: int, kernel_size: Ints, stride: Ints | None, padding: Ints,
    output_size: Sequence[int] | None,
) -> tuple[int, ...]:  # fmt: skip
    """The size before pooling: `output_size`, if that is possible; by default the smallest."""
    kernel = _several(kernel_size, dims)
    steps = _several(kernel_size if stride is None else stride, dims)
    shape, pads = input._array.shape, _several(padding, dims)
    default = [(shape[d - dims] - 1) * steps[d] + kernel[d] - 2 * pads[d] for d in range(dims)]
    sizes = default if output_size is None else _given_size(output_size, default, steps)
    for d, size in enumerate(sizes):
        if size < 0:
            raise ValueError(
                "max_unpooling: output_size must contain non-negative spatial dimensions, but got "
                f"output_size[{d}]={size}"
            )
    return tuple(sizes)


def _given_size(
    output_size: Sequence[int], default: Sequence[int], steps: Sequence[int]
) -> list[int]:
    dims = len(default)
    given = list(output_size)
    if len(given) == dims + 2:
        given = given[2:]
    if len(given) != dims:
        raise ValueError(
            f"output_size should be a sequence containing {dims} or {dims + 2} elements, but it has "
            f"a length of '{len(given)}'"
        )
    for d in range(dims):
        low, high = default[d] - steps[d], default[d] + steps[d]
        if not low < given[d] < high:
            raise ValueError(
                f'invalid output_size "{output_size}" (dim {d} must be between {low} and {high})'
            )
    return given
