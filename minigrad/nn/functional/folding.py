"""`unfold` takes images apart into blocks, `fold` adds blocks up to images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ... import ops
from ...dtypes import scalar_name
from ...ops.folding import Blocks, Pair
from ...promotion import not_a_tensor
from ...tensor import Tensor

__all__ = ["fold", "unfold"]


def unfold(
    input: Tensor, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Tensor:
    """The blocks of images, as columns: (batch, channels, height, width) to (batch, channels *
    elements of a block, blocks); both also without the batch.

    Each of the sizes is a number or a pair of numbers.

    Raises:
        RuntimeError: a size is out of its range, or no block fits into the image.
        NotImplementedError: for integers.
    """
    _check_tensor("im2col", input)
    shape = input._array.shape
    if len(shape) < 3:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-len(shape)}, "
            f"{len(shape) - 1}], but got {len(shape)})"
        )
    blocks = _blocks(kernel_size, dilation, padding, stride)
    if len(shape) not in (3, 4) or 0 in shape[-3:]:
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero "
            f"dimensions for input, but got: {list(shape)}"
        )
    count = blocks.counts((shape[-2], shape[-1]))
    if min(count) < 1:
        raise RuntimeError(
            f"Given input with spatial size {shape[-2:]}, {_listed(blocks)}, calculated shape of "
            f"the array of sliding blocks as {count}, but its components must be at least one."
        )
    _check_dtype("im2col", input)
    return ops.im2col(input, blocks)


def fold(
    input: Tensor, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0,
    stride: Any = 1,
) -> Tensor:  # fmt: skip
    """Images of `output_size` to which each block is added at its place: (batch, channels *
    elements of a block, blocks) to (batch, channels, *output_size); both also without the batch.

    Raises:
        RuntimeError: a size is out of its range, or the input has another number of blocks.
        NotImplementedError: for integers.
    """
    _check_tensor("col2im", input)
    size = _pair("output_size", output_size)
    blocks = _blocks(kernel_size, dilation, padding, stride)
    shape = input._array.shape
    if len(shape) not in (2, 3) or 0 in shape[-2:]:
        raise RuntimeError(
            "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and "
            f"non-zero dimensions for input, but got: {list(shape)}"
        )
    _check_columns(shape, size, blocks)
    _check_dtype("col2im", input)
    return ops.col2im(input, size, blocks)


def _check_columns(shape: tuple[int, ...], size: Pair, blocks: Blocks) -> None:
    if shape[-2] % (blocks.kernel_size[0] * blocks.kernel_size[1]):
        raise RuntimeError(
            "Expected size of input's dimension 1 to be divisible by the product of kernel_size, "
            f"but got input.size(1)={shape[-2]} and kernel_size={blocks.kernel_size}."
        )
    rows, columns = blocks.counts(size)
    if rows * columns != shape[-1] or min(rows, columns) < 1:
        raise RuntimeError(
            f"Given output_size={size}, {_listed(blocks)}, stride={blocks.stride}, expected size "
            "of input's dimension 2 to match the calculated number of sliding blocks "
            f"{rows} * {columns} = {rows * columns}, but got input.size(2)={shape[-1]}."
        )


def _blocks(kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> Blocks:
    blocks = Blocks(
        _pair("kernel_size", kernel_size),
        _pair("dilation", dilation),
        _pair("padding", padding),
        _pair("stride", stride),
    )
    for name, label, values in (
        ("kernel size", "kernel", blocks.kernel_size),
        ("stride", "stride", blocks.stride),
        ("dilation", "dilation", blocks.dilation),
    ):
        if min(values) <= 0:
            raise RuntimeError(
                f"{name} should be greater than zero, but got "
                f"{label}_height: {values[0]} {label}_width: {values[1]}"
            )
    if min(blocks.padding) < 0:
        height, width = blocks.padding
        raise RuntimeError(
            f"padding should be non-negative, but got pad_height: {height} pad_width: {width}"
        )
    return blocks


def _pair(name: str, value: Any) -> Pair:
    if isinstance(value, int):
        return value, value
    if not isinstance(value, Sequence) or not all(isinstance(n, int) for n in value):
        raise TypeError(f"argument '{name}' must be tuple of ints, not {type(value).__name__}")
    if len(value) != 2:
        raise RuntimeError(f"It is expected {name} equals to 2, but got size {len(value)}")
    return value[0], value[1]


def _listed(blocks: Blocks) -> str:
    return f"kernel_size={blocks.kernel_size}, dilation={blocks.dilation}, padding={blocks.padding}"


def _check_tensor(name: str, input: Any) -> None:
    if not isinstance(input, Tensor):
        raise not_a_tensor(name, "input", 1, input)


def _check_dtype(name: str, input: Tensor) -> None:
    if input._array.dtype.kind in "iu":
        kind = scalar_name(input._array.dtype)
        raise NotImplementedError(f"\"{name}_out_cpu\" not implemented for '{kind}'")
