"""The arguments of convolutions: read into a `Geometry`, and refused where they do not fit.

The order of the checks and their sentences are PyTorch's.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from ..autograd import node as graph
from ..dtypes import FLOAT32, SCALAR_NAMES, from_numpy, scalar_name
from ..warn import warn
from .convolution_kernel import Geometry, Shape
from .padding import constant_pad_nd

Array = Any
Tensor = Any
_CPP_NAMES = {"Half": "c10::Half", "Long": "long int", "Byte": "unsigned char", "Char": "signed char"}  # fmt: skip
_SPATIAL = ("depth", "height", "width")


def checked(
    name: str, dims: int, input: Tensor, weight: Tensor, bias: Tensor | None, stride: Any,
    padding: Any, dilation: Any, groups: int,
) -> tuple[Geometry, Shape]:  # fmt: skip
    """The geometry of a convolution, and how many zeros "same" needs in addition at the end of
    each dimension (empty: none)."""
    a, w = _tensors(name, dims, input, weight, bias, groups)
    sizes = dims, w.ndim - 2
    steps = _numbers(name, "stride", stride, *sizes), _numbers(name, "dilation", dilation, *sizes)
    extra: Shape = ()
    if not isinstance(padding, str):
        zeros = _numbers(name, "padding", padding, *sizes)
    elif padding == "same":
        zeros, extra = _same(w.shape[2:], *steps)
    elif padding == "valid":
        zeros = (0,) * sizes[1]
    else:
        raise RuntimeError(f"Invalid padding string: '{padding}'")
    geometry = Geometry(steps[0], zeros, steps[1], groups)
    _check_numbers(geometry)
    _check_weight(a, w, groups)
    if a.shape[1] != w.shape[1] * groups:
        raise RuntimeError(
            f"Given groups={groups}, weight of size {list(w.shape)}, expected input"
            f"{list(a.shape)} to have {w.shape[1] * groups} channels, but got {a.shape[1]} "
            "channels instead"
        )
    _check_bias(f"Given weight of size {list(w.shape)}", w.shape[0], bias)
    _check_kernel(a, w, geometry, extra)
    _check_dtypes(name, a, w, bias)
    return geometry, extra


def checked_transposed(
    name: str, dims: int, input: Tensor, weight: Tensor, bias: Tensor | None, stride: Any,
    padding: Any, output_padding: Any, dilation: Any, groups: int,
) -> tuple[Geometry, Shape]:  # fmt: skip
    """The geometry of a transposed convolution, and the shape of its output."""
    a, w = _tensors(name, dims, input, weight, bias, groups)
    sizes = dims, w.ndim - 2
    geometry = Geometry(
        _numbers(name, "stride", stride, *sizes),
        _numbers(name, "padding", padding, *sizes),
        _numbers(name, "dilation", dilation, *sizes),
        groups,
    )
    more = _numbers(name, "output_padding", output_padding, *sizes)
    _check_numbers(geometry, more)
    _check_weight(a, w, groups)
    start = f"Given transposed=1, weight of size {list(w.shape)}"
    if a.shape[1] != w.shape[0]:
        raise RuntimeError(
            f"{start}, expected input{list(a.shape)} to have {w.shape[0]} channels, but got "
            f"{a.shape[1]} channels instead"
        )
    _check_bias(start, w.shape[1] * groups, bias)
    _check_not_empty(a, w)
    _check_dtypes(name, a, w, bias)
    _check_output_padding(geometry, more)
    size = tuple(
        (n - 1) * s - 2 * p + d * (k - 1) + m + 1
        for n, k, m, s, p, d in zip(a.shape[2:], w.shape[2:], more, *geometry[:3], strict=True)
    )
    if min(size) < 1:
        raise RuntimeError(
            f"Given input size per channel: ({_by(a.shape[2:])}). Calculated output size per "
            f"channel: ({_by(size)}). Output size is too small"
        )
    if any(m >= s for m, s in zip(more, geometry.stride, strict=True)):
        geometry = geometry._replace(unused=more)
    return geometry, (a.shape[0], w.shape[1] * groups, *size)


def padded_same(input: Tensor, extra: Shape) -> Tensor:
    """Zeros at the ends, where the padding of "same" cannot be the same on both sides."""
    warn(
        "Using padding='same' with even kernel lengths and odd dilation may require a zero-padded "
        "copy of the input be created"
    )
    return constant_pad_nd(input, [n for after in reversed(extra) for n in (0, after)])


# --- reading -------------------------------------------------------------------------------------


def _tensors(
    name: str, dims: int, input: Any, weight: Any, bias: Any, groups: Any
) -> tuple[Array, Array]:
    """The array of a batch, and that of the kernel."""
    tensors = [input, weight] if bias is None else [input, weight, bias]
    if not all(isinstance(t, graph.Tensor) for t in tensors) or type(groups) is not int:
        got = ", ".join(type(t).__name__ for t in tensors)
        raise TypeError(
            f"{name}() received an invalid combination of arguments - got ({got}, "
            f"groups={type(groups).__name__}), but expected Tensor input, Tensor weight, Tensor "
            "bias = None, and an int for groups"
        )
    a, w = input._array, weight._array
    if a.ndim not in (dims + 1, dims + 2):
        raise RuntimeError(
            f"Expected {dims + 1}D (unbatched) or {dims + 2}D (batched) input to {name}, but got "
            f"input of size: {list(a.shape)}"
        )
    if w.ndim < 3:
        raise RuntimeError("weight should have at least three dimensions")
    return (a if a.ndim == dims + 2 else a[None]), w


def _numbers(name: str, argument: str, value: Any, named: int, dims: int) -> Shape:
    """One integer for each of the kernel's dimensions, which should be as many as are named."""
    if type(value) is int:
        value = (value,) * named
        if named == dims:
            return value  # type: ignore[no-any-return]
    given = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    try:
        numbers = tuple(map(operator.index, given))
    except TypeError:
        raise TypeError(
            f"{name}(): argument '{argument}' must be tuple of ints, not {type(value).__name__}"
        ) from None
    if len(numbers) not in (1, dims):
        raise RuntimeError(
            f"expected {argument} to be a single integer value or a list of {dims} values to match "
            f"the convolution dimensions, but got {argument}={list(numbers)}"
        )
    return numbers * dims if len(numbers) == 1 else numbers


def _same(kernel: Shape, stride: Shape, dilation: Shape) -> tuple[Shape, Shape]:
    """The padding on both sides with which a convolution keeps the size, and what is missing then
    at the end where the sum of both sides is odd."""
    if set(stride) != {1}:
        raise RuntimeError("padding='same' is not supported for strided convolutions")
    totals = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    extra = tuple(n % 2 for n in totals)
    return tuple(n // 2 for n in totals), extra if any(extra) else ()


# --- refusing ------------------------------------------------------------------------------------


def _check_numbers(geometry: Geometry, output_padding: Shape = (0,)) -> None:
    stride, padding, dilation, groups = geometry[:4]
    if groups <= 0:
        raise RuntimeError("non-positive groups is not supported")
    if min(padding) < 0:
        raise RuntimeError("negative padding is not supported")
    if min(output_padding) < 0:
        raise RuntimeError("negative output_padding is not supported")
    if min(stride) <= 0:
        raise RuntimeError("non-positive stride is not supported")
    if min(dilation) <= 0:
        raise RuntimeError("non-positive dilation is not supported")


def _check_weight(a: Array, w: Array, groups: int) -> None:
    if a.ndim != w.ndim:
        raise RuntimeError(
            f"Expected {w.ndim}-dimensional input for {w.ndim}-dimensional weight {list(w.shape)}, "
            f"but got {a.ndim}-dimensional input of size {list(a.shape)} instead"
        )
    if w.shape[0] < groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be at least {groups} at dimension 0, but "
            f"got weight of size {list(w.shape)} instead"
        )
    if w.shape[0] % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, "
            f"but got weight of size [{list(w.shape)}] instead"
        )


def _check_bias(given: str, channels: int, bias: Tensor | None) -> None:
    if bias is not None and bias._array.shape != (channels,):
        raise RuntimeError(
            f"{given}, expected bias to be 1-dimensional with {channels} elements, but got bias "
            f"of size {list(bias._array.shape)} instead"
        )


def _check_kernel(a: Array, w: Array, geometry: Geometry, extra: Shape) -> None:
    """The kernel, spread by its dilation, must fit into the input with its padding."""
    ends = extra or (0,) * (a.ndim - 2)
    padded = [n + 2 * p + e for n, p, e in zip(a.shape[2:], geometry.padding, ends, strict=True)]
    spread = [d * (k - 1) + 1 for k, d in zip(w.shape[2:], geometry.dilation, strict=True)]
    if any(n < k for n, k in zip(padded, spread, strict=True)):
        raise RuntimeError(
            f"Calculated padded input size per channel: ({_by(padded)}). Kernel size: "
            f"({_by(spread)}). Kernel size can't be greater than actual input size"
        )
    _check_not_empty(a, w)


def _check_not_empty(a: Array, w: Array) -> None:
    if 0 in a.shape[2:]:
        raise RuntimeError(
            "Only zero batch or zero channel inputs are supported, but got input shape: "
            f"{list(a.shape)}"
        )
    if 0 in w.shape[2:]:
        raise RuntimeError(f"kernel size should be greater than zero, but got {list(w.shape[2:])}")


def _check_output_padding(geometry: Geometry, more: Shape) -> None:
    limits = [max(s, d) for s, d in zip(geometry.stride, geometry.dilation, strict=True)]
    if any(m >= most for m, most in zip(more, limits, strict=True)):
        sizes = {"output_padding": more, "stride": geometry.stride, "dilation": geometry.dilation}
        if len(more) == 1:  # PyTorch computes a signal as an image
            sizes = {n: (int(n != "output_padding"), *v) for n, v in sizes.items()}
        listed = [
            f"{n}_{axis}: {value}" for n, v in sizes.items()
            for axis, value in zip(_SPATIAL[-len(v):], v, strict=True)
        ]  # fmt: skip
        raise RuntimeError(
            "output padding must be smaller than either stride or dilation, but got "
            + " ".join(listed)
        )


def _check_dtypes(name: str, a: Array, w: Array, bias: Tensor | None) -> None:
    kind, transposed = scalar_name(a.dtype), "transpose" in name
    if a.dtype is not w.dtype:
        other = scalar_name(w.dtype)
        if a.dtype is not FLOAT32:
            raise RuntimeError(f"expected scalar type {kind} but found {other}")
        raise RuntimeError(
            f"Input type (torch.{kind}Tensor) and weight type (torch.{other}Tensor) should be the "
            "same or input should be a MKLDNN tensor and weight is a dense tensor"
        )
    if bias is not None and bias._array.dtype is not a.dtype:
        raise RuntimeError(
            f"Input type ({_cpp_name(a.dtype)}) and bias type ({_cpp_name(bias._array.dtype)}) "
            "should be the same"
        )
    if kind == "Bool" or (transposed and a.dtype.kind in "iu" and kind != "Long"):
        image = 3 if a.ndim == 5 else 2
        slow = f"slow_conv_transpose{image}d_out_cpu" if transposed else f"slow_conv{image}d_cpu"
        raise NotImplementedError(f"\"{slow}\" not implemented for '{kind}'")


def _cpp_name(dtype: Any) -> str:
    name = SCALAR_NAMES[from_numpy(dtype)]
    return _CPP_NAMES.get(name, name.lower())


def _by(sizes: Sequence[int]) -> str:
    return " x ".join(map(str, sizes))
