"""`nn.functional.pad`: checks its arguments, and chooses the op by `mode`."""

from __future__ import annotations

from collections.abc import Sequence

from ... import ops, promotion
from ...ops.int_tuples import int_tuple
from ...tensor import Tensor

__all__ = ["pad"]

_NAMES = {"reflect", "replicate", "circular"}


def pad(
    input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None
) -> Tensor:
    """`input` with more elements at the ends of its last dimensions.

    Args:
        input: for other modes than "constant" with one or two dimensions before the padded ones.
        pad: how many before and after, for the last dimension first: (left, right, top, bottom,
            front, back); negative numbers crop.
        mode: "constant", "reflect" (the mirror image without its edge), "replicate" (the outermost
            elements) or "circular" (the other end).
        value: the constant; 0 if not given.

    Raises:
        RuntimeError: if `pad` has an odd length, or crops or reflects more than there is.
        NotImplementedError: for another mode, or another number of dimensions.
    """
    if not isinstance(input, Tensor):
        raise promotion.not_a_tensor("pad", "input", 1, input)
    sizes = int_tuple("pad", "pad", 2, pad)
    if not isinstance(mode, str):
        kind = type(mode).__name__
        raise TypeError(f"pad(): argument 'mode' (position 3) must be str, not {kind}")
    if not (value is None or isinstance(value, (*promotion.NUMBERS, Tensor))):
        kind = type(value).__name__
        raise TypeError(f"pad(): argument 'value' (position 4) must be float, not {kind}")
    ndim = input._array.ndim
    if len(sizes) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    if len(sizes) > 2 * ndim:
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but got "
            f"padding length {len(sizes)} and input of dimension {ndim}"
        )
    if mode == "constant":
        return ops.constant_pad_nd(input, sizes, 0.0 if value is None else float(value))
    if value:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    if len(sizes) not in (2, 4, 6) or ndim - len(sizes) // 2 not in (1, 2):
        raise NotImplementedError(_unsupported(len(sizes), ndim))
    if mode not in _NAMES:
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    if mode == "circular":
        return ops.pad_circular(input, sizes)
    return ops.pad_boundary(input, sizes, mode)


def _unsupported(length: int, ndim: int) -> str:
    return (
        f"Padding size {length} is not supported for {ndim}D input tensor.\n"
        "Supported combinations for non-constant padding:\n"
        "  - 2D or 3D input: padding size = 2 (pads last dimension)\n"
        "  - 3D or 4D input: padding size = 4 (pads last 2 dimensions)\n"
        "  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)"
    )
