"""Pooling as PyTorch's functions offer it: arguments checked, the windows worked out, an op called.

Inputs are (N, C, L), (N, C, H, W) or (N, C, D, H, W), or the same without N. One dimension is
pooled as two, of which the first has size one.
"""

from __future__ import annotations

from typing import Any

from ..autograd.out import into
from . import pooling_checks as checks
from .average_pooling import Divisor, average_pool
from .max_pooling import is_recorded, max_pool, max_pool_values
from .reduction import mean
from .shape import squeeze, unsqueeze
from .windows import Axes

Array = Any
Tensor = Any
Pair = tuple[Tensor, Tensor]


# --- the largest element -------------------------------------------------------------------------


def _max_axes(
    dims: int, input: Tensor, kernel_size: Any, stride: Any, padding: Any, dilation: Any,
    ceil_mode: bool,
) -> Axes:  # fmt: skip
    name = f"max_pool{dims}d"
    array = checks.check_tensor(name, input)
    sizes = checks.window_sizes(name, dims, kernel_size, stride, padding, dilation)
    checks.check_rank(array, dims)
    kernel_name = f"{name}_with_indices_out_cpu_template()"
    axes = checks.sliding(array.shape, sizes, ceil_mode, kernel_name)
    checks.check_dtype(array, name, "all")
    return axes


def _axes_1d(
    name: str, input: Tensor, kernel_size: Any, stride: Any, padding: Any, dilation: Any,
    ceil_mode: bool,
) -> Axes:  # fmt: skip
    """The axes of one dimension pooled as two, of which the first has size one."""
    array = checks.check_tensor(name, input)
    sizes = checks.window_sizes(name, 1, kernel_size, stride, padding, dilation)
    checks.check_rank_1d(name.removesuffix("_with_indices"), array)
    plane = (*array.shape[:-1], 1, array.shape[-1])
    (kernel,), (step,), (pad,), (gap,) = sizes
    return checks.sliding(plane, ((1, kernel), (1, step), (0, pad), (1, gap)), ceil_mode, "")


def _max_axes_1d(
    input: Tensor, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> Axes:
    array = checks.check_tensor("max_pool1d", input)
    if array.ndim not in (2, 3) or 0 in array.shape[-2:]:
        raise RuntimeError(
            "max_pool1d: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for "
            f"input, but got:{list(array.shape)}"
        )
    sizes = checks.window_sizes("max_pool1d", 1, kernel_size, stride, padding, dilation)
    checks.check_window_1d(array, sizes, ceil_mode)
    kernel, step, pad, gap = sizes
    return _axes_1d("max_pool1d", input, kernel, step, pad, gap, ceil_mode)


def max_pool1d(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False,
) -> Tensor:  # fmt: skip
    """The largest element of each window along the last dimension: (N, C, L) to (N, C, L_out)."""
    axes = _max_axes_1d(input, kernel_size, stride, padding, dilation, ceil_mode)
    checks.check_dtype(input._array, "max_pool1d_impl")
    if not is_recorded(input):
        return max_pool_values(input, axes[1:])
    return squeeze(max_pool_values(unsqueeze(input, -2), axes), -2)


def max_pool1d_with_indices(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False,
) -> Pair:  # fmt: skip
    """`max_pool1d`, and where each element comes from."""
    name = "max_pool1d_with_indices"
    axes = _axes_1d(name, input, kernel_size, stride, padding, dilation, ceil_mode)
    checks.check_dtype(input._array, "max_pool2d", "all")
    values, indices = max_pool(unsqueeze(input, -2), axes)
    return squeeze(values, -2), squeeze(indices, -2)


def max_pool2d(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False,
) -> Tensor:  # fmt: skip
    """The largest element of each window: (N, C, H, W) to (N, C, H_out, W_out)."""
    axes = _max_axes(2, input, kernel_size, stride, padding, dilation, ceil_mode)
    return max_pool_values(input, axes)


def max_pool2d_with_indices(
    input: Tensor, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> Pair:
    """`max_pool2d`, and where in the flattened plane each element comes from."""
    return max_pool(input, _max_axes(2, input, kernel_size, stride, padding, dilation, ceil_mode))


def max_pool3d(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False,
) -> Tensor:  # fmt: skip
    """The largest element of each window of the last three dimensions."""
    axes = _max_axes(3, input, kernel_size, stride, padding, dilation, ceil_mode)
    return max_pool_values(input, axes)


def max_pool3d_with_indices(
    input: Tensor, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> Pair:
    """`max_pool3d`, and where in the flattened volume each element comes from."""
    return max_pool(input, _max_axes(3, input, kernel_size, stride, padding, dilation, ceil_mode))


# --- the average ---------------------------------------------------------------------------------


def avg_pool1d(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:  # fmt: skip
    """The average of each window along the last dimension: (N, C, L) to (N, C, L_out).

    `count_include_pad`: the zeros of the padding count as elements."""
    array = checks.check_tensor("avg_pool1d", input)
    if not isinstance(count_include_pad, bool):
        kind = type(count_include_pad).__name__
        raise TypeError(
            f"avg_pool1d(): argument 'count_include_pad' (position 6) must be bool, not {kind}"
        )
    axes = _axes_1d("avg_pool1d", input, kernel_size, stride, padding, 1, ceil_mode)
    checks.check_dtype(array, "avg_pool2d", "int64")
    return squeeze(average_pool(unsqueeze(input, -2), axes, Divisor(count_include_pad)), -2)


def avg_pool2d(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None, *, out: Any = None,
) -> Tensor:  # fmt: skip
    """The average of each window: (N, C, H, W) to (N, C, H_out, W_out).

    `divisor_override` is what the sums are divided by, if given."""
    if out is not None:
        return into(
            out,
            avg_pool2d,
            input,
            kernel_size,
            stride,
            padding,
            ceil_mode,
            count_include_pad,
            divisor_override,
            exact=True,
        )
    array = checks.check_tensor("avg_pool2d", input)
    sizes = checks.window_sizes("avg_pool2d", 2, kernel_size, stride, padding)
    divisor = _divisor(count_include_pad, divisor_override)
    if array.ndim < 3:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-max(array.ndim, 1)}, "
            f"{max(array.ndim - 1, 0)}], but got -3)"
        )
    axes = checks.sliding(array.shape, sizes, ceil_mode, "avg_pool2d()")
    checks.check_dtype(array, "avg_pool2d", "int64")
    return average_pool(input, axes, divisor)


def avg_pool3d(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None, *, out: Any = None,
) -> Tensor:  # fmt: skip
    """The average of each window of the last three dimensions."""
    if out is not None:
        return into(
            out,
            avg_pool3d,
            input,
            kernel_size,
            stride,
            padding,
            ceil_mode,
            count_include_pad,
            divisor_override,
            exact=True,
        )
    array = checks.check_tensor("avg_pool3d", input)
    sizes = checks.window_sizes("avg_pool3d", 3, kernel_size, stride, padding)
    checks.check_rank(array, 3)
    divisor = _divisor(count_include_pad, divisor_override)
    axes = checks.sliding(array.shape, sizes, ceil_mode, "avg_pool3d()")
    checks.check_dtype(array, "avg_pool3d_out_frame", "int64", half=False)
    return average_pool(input, axes, divisor)


def _divisor(include_pad: bool, override: int | None) -> Divisor:
    if override == 0:
        raise RuntimeError("divisor must be not zero")
    return Divisor(bool(include_pad), override)


# --- a given number of windows -------------------------------------------------------------------


def adaptive_avg_pool1d(input: Tensor, output_size: Any) -> Tensor:
    """The averages of `output_size` windows along the last dimension."""
    name = "adaptive_avg_pool1d"
    array = checks.check_tensor(name, input)
    size = checks.one_size(name, output_size)
    checks.check_rank_1d(name, array)
    return squeeze(adaptive_avg_pool2d(unsqueeze(input, -2), (1, size)), -2)


def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """The averages of output_size[0] x output_size[1] windows (None: as many as there are)."""
    given = checks.adaptive_sizes(input, output_size)
    array, sizes = input._array, _counts("adaptive_avg_pool2d: output_size must be", given, 2)
    if min(sizes) < 0:
        raise RuntimeError(_negative(sizes, 2, ", "))
    if sizes == (1, 1) and array.ndim > 1:
        return mean(input, (-1, -2), True)
    checks.check_adaptive_rank("adaptive_avg_pool2d", array, 2, "")
    checks.check_not_empty("adaptive_avg_pool2d", array, (-2, -1))
    checks.check_dtype(array, "adaptive_avg_pool2d")
    return average_pool(input, checks.adaptive(array, sizes))


def adaptive_avg_pool3d(input: Tensor, output_size: Any) -> Tensor:
    """The averages of a given number of windows of the last three dimensions."""
    given = checks.adaptive_sizes(input, output_size)
    array, sizes = input._array, _counts("adaptive_avg_pool3d: output_size must be", given, 3)
    if min(sizes) < 0:
        raise RuntimeError(_negative(sizes, 3, ","))
    if sizes == (1, 1, 1) and array.ndim > 2:
        return mean(input, (-1, -2, -3), True)
    checks.check_not_empty("adaptive_avg_pool3d", array, range(1, array.ndim))
    checks.check_adaptive_rank("adaptive_avg_pool3d", array, 3, "")
    checks.check_dtype(array, "adaptive_avg_pool3d_cpu")
    return average_pool(input, checks.adaptive(array, sizes))


def _negative(sizes: tuple[int, ...], dims: int, last: str) -> str:
    listed = f"{sizes[0]}, {last.join(map(str, sizes[1:]))}"
    return (
        f"adaptive_avg_pool{dims}d: elements of output_size must be greater than or equal to 0 but "
        f"received {{{listed}}}"
    )


def _counts(complaint: str, given: Any, dims: int) -> tuple[int, ...]:
    """`output_size` as a tuple of `dims` ints."""
    if isinstance(given, int):
        return (given,) * dims
    if len(given) != dims:
        raise RuntimeError(f"{complaint} {dims}")
    return tuple(given)


def adaptive_max_pool1d(input: Tensor, output_size: Any) -> Pair:
    """The largest elements of `output_size` windows along the last dimension, and their places."""
    name = "adaptive_max_pool1d"
    array = checks.check_tensor(name, input)
    size = checks.one_size(name, output_size)
    checks.check_rank_1d(name, array)
    checks.check_not_empty(name, array, range(1, array.ndim))
    values, indices = _adaptive_max(unsqueeze(input, -2), (1, size), 2)
    return squeeze(values, -2), squeeze(indices, -2)


def adaptive_max_pool2d(input: Tensor, output_size: Any) -> Pair:
    """The largest elements of a given number of windows, and their places in the flattened plane."""
    return _adaptive_max(input, checks.adaptive_sizes(input, output_size), 2)


def adaptive_max_pool3d(input: Tensor, output_size: Any) -> Pair:
    """`adaptive_max_pool2d` of the last three dimensions."""
    return _adaptive_max(input, checks.adaptive_sizes(input, output_size), 3)


def _adaptive_max(input: Tensor, given: Any, dims: int) -> Pair:
    name, array = f"adaptive_max_pool{dims}d", input._array
    checks.check_adaptive_rank(name, array, dims, ":")
    checks.check_not_empty(name, array, range(1, array.ndim))
    sizes = _counts(f"{name}(): internal error: output_size.size() must be", given, dims)
    if min(sizes) < 0:
        shape = [*array.shape[:-dims], *sizes]
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(sizes)}: {shape}")
    checks.check_dtype(array, name if dims == 2 else f"{name}_cpu")
    return max_pool(input, checks.adaptive(array, sizes))
