"""What a call of a pooling function means: its windows, or PyTorch's sentence about the mistake."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from .. import promotion
from ..dtypes import FLOAT16, scalar_name
from .int_tuples import ints
from .windows import Adaptive, Axes, Sliding

Array = Any
Tensor = Any
NUMBER = {1: "one int", 2: "two ints", 3: "three ints"}
LETTERS = {2: "HW", 3: "THW"}


def window_sizes(
    name: str, dims: int, kernel_size: Any, stride: Any, padding: Any, dilation: Any = 1
) -> tuple[tuple[int, ...], ...]:
    """Kernel, stride, padding and dilation as tuples of `dims` ints; the stride is by default the
    kernel."""
    given = {"kernel_size": kernel_size, "stride": () if stride is None else stride}
    given |= {"padding": padding, "dilation": dilation}
    sizes = [ints(name, n, at, v) for at, (n, v) in enumerate(given.items(), 2)]
    for argument, size in zip(given, sizes, strict=True):
        if len(size) not in (1, dims) and not (argument == "stride" and not size):
            raise RuntimeError(_wrong_length(name, argument, len(size), dims))
    sizes[1] = sizes[1] or sizes[0]
    return tuple([size * dims if len(size) == 1 else size for size in sizes])


def _wrong_length(name: str, argument: str, length: int, dims: int) -> str:
    if name == "max_pool1d":
        omitted, comma = ("None, ", ",") if argument == "stride" else ("", ",")
        if argument in ("kernel_size", "dilation"):
            comma = ""
        return (
            f"{name}() {argument} must be {omitted}an int, list of ints{comma} or tuple of ints of "
            f"size 1 but got size {length}"
        )
    if dims == 1:
        return f"{name.removesuffix('_with_indices')}() argument '{argument}' should contain one int (got {length})"
    either = "be either" if argument == "dilation" else "either be"
    if name == "avg_pool3d":
        either = "be"
    omitted = "omitted, " if argument == "stride" else ""
    return f"{name}: {argument} must {either} {omitted}a single int, or a tuple of {NUMBER[dims]}"


def output_size(
    size: int, kernel: int, stride: int, padding: int, dilation: int, ceil_mode: bool
) -> int:
    """How many windows fit; with `ceil_mode` also one that begins inside and ends outside."""
    reach = dilation * (kernel - 1) + 1
    if stride == 0:
        raise RuntimeError("stride should not be zero")
    if padding < 0:
        raise RuntimeError(f"pad must be non-negative, but got pad: {padding}")
    if padding > int(reach / 2):
        raise RuntimeError(
            f"pad should be at most half of effective kernel size, but got pad={padding}, "
            f"kernel_size={kernel} and dilation={dilation}"
        )
    out = (size + 2 * padding - reach + (stride - 1 if ceil_mode else 0)) // stride + 1
    if ceil_mode and (out - 1) * stride >= size + padding:
        out -= 1
    return out


@lru_cache(maxsize=256)
def sliding(
    shape: tuple[int, ...], sizes: tuple[tuple[int, ...], ...], ceil_mode: bool, kernel_name: str
) -> Axes:
    """The axes of 2-d or 3-d pooling, once it is certain that the input can be pooled so."""
    dims = len(sizes[0])
    kernels, strides, paddings, dilations = sizes
    each = zip(shape[-dims:], kernels, strides, paddings, dilations, strict=True)
    outs = [output_size(n, k, s, p, d, ceil_mode) for n, k, s, p, d in each]
    _check_positive("kernel size", "k", sizes[0], dims)
    _check_positive("stride", "d", sizes[1], dims)
    _check_positive("dilation", "dilation", sizes[3], dims)
    _check_shape(shape, dims, kernel_name)
    if kernel_name == "avg_pool3d()":
        _check_larger(shape[-3:], sizes[0])
    if min(outs) < 1:
        planes = shape[-dims - 1]
        before = "x".join(map(str, (planes, *shape[-dims:])))
        after = "x".join(map(str, (planes, *outs)))
        raise RuntimeError(
            f"Given input size: ({before}). Calculated output size: ({after}). Output size is too small"
        )
    return tuple(
        Sliding(n, out, *one) for n, out, *one in zip(shape[-dims:], outs, *sizes, strict=True)
    )


def _check_positive(what: str, prefix: str, sizes: tuple[int, ...], dims: int) -> None:
    if min(sizes) <= 0:
        named = _named(prefix, sizes, dims)
        raise RuntimeError(f"{what} should be greater than zero, but got {named}")


def _named(prefix: str, sizes: Sequence[int], dims: int) -> str:
    return " ".join(f"{prefix}{c}: {n}" for c, n in zip(LETTERS[dims], sizes, strict=True))


def _check_shape(shape: tuple[int, ...], dims: int, kernel_name: str) -> None:
    inner = shape[1:] if len(shape) == dims + 2 else shape
    if dims == 2 and (len(shape) not in (3, 4) or 0 in inner):
        raise RuntimeError(
            f"Expected 3D or 4D (batch mode) tensor with optional 0 dim batch size for input, but "
            f"got:{list(shape)}"
        )
    if dims == 3 and 0 in inner:
        raise RuntimeError(
            f"{kernel_name}: Expected input's non-batch dimensions to have positive length, but "
            f"input has a shape of {list(shape)} and non-batch dimension 0 has length zero!"
        )


def _check_larger(shape: Sequence[int], kernel: tuple[int, ...]) -> None:
    if any(n < k for n, k in zip(shape, kernel, strict=True)):
        image = _named("", shape, 3)
        raise RuntimeError(
            f"input image ({image}) smaller than kernel size ({_named('k', kernel, 3)})"
        )


def check_rank(array: Array, dims: int) -> None:
    if array.ndim not in (dims + 1, dims + 2):
        raise RuntimeError(
            f"non-empty {dims + 1}D or {dims + 2}D (batch mode) tensor expected for input"
        )


def check_window_1d(array: Array, sizes: Sequence[tuple[int, ...]], ceil_mode: bool) -> None:
    """The checks of `max_pool1d`, which has sentences of its own."""
    (kernel,), (stride,), (padding,), (dilation,) = sizes
    name = "max_pool1d()"
    for what, size in (("kernel_size", kernel), ("stride", stride)):
        if size <= 0:
            raise RuntimeError(f"{name} {what} must be greater than zero, but got {size}")
    if padding < 0:
        raise RuntimeError(f"{name} padding must be non-negative, but got {padding}")
    if padding > kernel // 2:
        raise RuntimeError(
            f"{name} padding should be at most half of kernel size, but got padding={padding} and "
            f"kernel_size={kernel}"
        )
    if dilation <= 0:
        raise RuntimeError(f"{name} dilation must be greater than zero, but got {dilation}")
    out = output_size(array.shape[-1], kernel, stride, padding, dilation, ceil_mode)
    if out < 1:
        raise RuntimeError(f"{name} Invalid computed output size: {out}")


def check_rank_1d(name: str, array: Array) -> None:
    if array.ndim not in (2, 3):
        raise RuntimeError(
            f"Expected 2 to 3 dimensions, but got {array.ndim}-dimensional tensor for argument #1 "
            f"'self' (while checking arguments for {name})"
        )


def check_tensor(name: str, input: Any) -> Array:
    promotion.check_tensors(name, input=input)
    return input._array


def check_dtype(array: Array, kernel_name: str, integers: str = "", half: bool = True) -> None:
    """NotImplementedError unless the array is of floats, or of integers where some are allowed."""
    dtype = array.dtype
    if dtype.kind == "f" and (half or dtype is not FLOAT16):
        return
    if not (integers == "all" and dtype.kind in "iu") and dtype.name != integers:
        kind = scalar_name(dtype)
        raise NotImplementedError(f"\"{kernel_name}\" not implemented for '{kind}'")


# --- adaptive ------------------------------------------------------------------------------------


def adaptive(array: Array, sizes: Sequence[int]) -> Axes:
    shape = array.shape[-len(sizes) :]
    return tuple(Adaptive(n, out) for n, out in zip(shape, sizes, strict=True))


def adaptive_sizes(input: Tensor, given: Any) -> Any:
    """`output_size` with the input's sizes instead of None; a single int stays what it is."""
    shape = tuple(input.size())
    if isinstance(given, int):
        return given
    if len(shape) <= len(given):
        raise ValueError(f"Input dimension should be at least {len(given) + 1}")
    return [
        n if out is None else out
        for out, n in zip(given, shape[len(shape) - len(given) :], strict=True)
    ]


def one_size(name: str, given: Any) -> int:
    size = ints(name, "output_size", 2, given)
    if len(size) != 1:
        raise RuntimeError(
            f"{name}() argument 'output_size' should contain one int (got {len(size)})"
        )
    return size[0]


def check_not_empty(name: str, array: Array, dims: Sequence[int]) -> None:
    for dim in dims:
        if not array.shape[dim]:
            raise RuntimeError(
                f"{name}(): Expected input to have non-zero size for non-batch dimensions, but input "
                f"has sizes {list(array.shape)} with dimension {dim % array.ndim} being empty"
            )


def check_adaptive_rank(name: str, array: Array, dims: int, colon: str) -> None:
    if array.ndim not in (dims + 1, dims + 2):
        raise RuntimeError(
            f"{name}(): Expected {dims + 1}D or {dims + 2}D tensor, but got{colon} "
            f"{list(array.shape)}"
        )
