"""`nn.functional`'s activation functions: the ops with the keyword `inplace`."""

from __future__ import annotations

from .. import ops
from ..tensor import Tensor

__all__ = [
    "celu", "elu", "gelu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "leaky_relu",
    "logsigmoid", "mish", "relu6", "selu", "silu", "softplus", "softshrink", "softsign",
    "tanhshrink", "threshold",
]  # fmt: skip

gelu, logsigmoid, softplus = ops.gelu, ops.logsigmoid, ops.softplus
hardshrink, softshrink = ops.hardshrink, ops.softshrink


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """`input * sigmoid(input)`, elementwise."""
    return ops.silu_(input) if inplace else ops.silu(input)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """`input * tanh(softplus(input))`, elementwise."""
    return ops.mish_(input) if inplace else ops.mish(input)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """`input`, and `alpha * (exp(input) - 1)` below zero, elementwise."""
    return ops.elu_(input, alpha) if inplace else ops.elu(input, alpha)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """`elu` with the constants of self-normalising networks, elementwise."""
    return ops.selu_(input) if inplace else ops.selu(input)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """`input`, and `alpha * (exp(input / alpha) - 1)` below zero, elementwise."""
    return ops.celu_(input, alpha) if inplace else ops.celu(input, alpha)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """`input`, and `negative_slope * input` below zero, elementwise."""
    call = ops.leaky_relu_ if inplace else ops.leaky_relu
    return call(input, negative_slope)


def hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Tensor:
    """`input` limited to [min_val, max_val], elementwise.

    Raises ValueError if `min_val` is the larger."""
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    return (ops.hardtanh_ if inplace else ops.hardtanh)(input, min_val, max_val)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """`input` limited to [0, 6], elementwise."""
    return hardtanh(input, 0.0, 6.0, inplace)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """`input` where it is over `threshold`, else `value`, elementwise."""
    return (ops.threshold_ if inplace else ops.threshold)(input, threshold, value)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """0 below -3, 1 above 3, a straight line between, elementwise."""
    return ops.hardsigmoid_(input) if inplace else ops.hardsigmoid(input)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """`input * hardsigmoid(input)`, elementwise."""
    return ops.hardswish_(input) if inplace else ops.hardswish(input)


def softsign(input: Tensor) -> Tensor:
    """`input / (1 + |input|)`, elementwise."""
    return input / (ops.abs(input) + 1)


def tanhshrink(input: Tensor) -> Tensor:
    """`input - tanh(input)`, elementwise."""
    return input - ops.tanh(input)
