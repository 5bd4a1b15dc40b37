"""`nn.functional`'s activation functions: the ops, with the keyword `inplace` where PyTorch has it."""

from __future__ import annotations

from typing import Any

from ... import ops
from ...ops import slope_activation
from ...tensor import Tensor
from ...warn import warn

__all__ = [
    "celu", "celu_", "elu", "elu_", "gelu", "glu", "gumbel_softmax", "hardshrink", "hardsigmoid",
    "hardswish", "hardtanh", "hardtanh_", "leaky_relu", "leaky_relu_", "log_softmax", "logsigmoid",
    "mish", "prelu", "relu", "relu6", "relu_", "rrelu", "rrelu_", "selu", "selu_", "sigmoid",
    "silu", "softmax", "softmin", "softplus", "softshrink", "softsign", "tanh", "tanhshrink",
    "threshold", "threshold_",
]  # fmt: skip

gelu, logsigmoid, softplus = ops.gelu, ops.logsigmoid, ops.softplus
hardshrink, softshrink = ops.hardshrink, ops.softshrink
glu, prelu = slope_activation.glu, slope_activation.prelu
relu_, elu_, selu_, celu_ = ops.relu_, ops.elu_, ops.selu_, ops.celu_
leaky_relu_, hardtanh_, threshold_ = ops.leaky_relu_, ops.hardtanh_, ops.threshold_


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(input, 0), elementwise."""
    return input.relu_() if inplace else ops.relu(input)


def sigmoid(input: Tensor) -> Tensor:
    """1 / (1 + exp(-input)), elementwise."""
    return ops.sigmoid(input)


def tanh(input: Tensor) -> Tensor:
    """The hyperbolic tangent, elementwise."""
    return ops.tanh(input)


def softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """exp(input) divided by its sum along `dim`; in `dtype`, if one is given."""
    return ops.softmax(input, _named_dim("softmax", input, dim), dtype)


def softmin(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """`softmax` of `-input`."""
    return ops.softmax(-input, _named_dim("softmin", input, dim), dtype)


def log_softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """The logarithm of `softmax`, computed without its rounding to zero."""
    return ops.log_softmax(input, _named_dim("log_softmax", input, dim), dtype)


def _named_dim(name: str, input: Tensor, dim: int | None) -> int:
    """`dim`; where it is left out, the one that PyTorch guesses, with its warning."""
    if dim is not None:
        return dim
    warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include "
        "dim=X as an argument."
    )
    return 0 if input._array.ndim in (0, 1, 3) else 1


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


def rrelu(
    input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False,
    inplace: bool = False,
) -> Tensor:  # fmt: skip
    """`input`, and below zero `input` times a slope: drawn from [lower, upper) for each element in
    training, else the middle. RuntimeError if `lower` is the larger."""
    call = slope_activation.rrelu_ if inplace else slope_activation.rrelu
    return call(input, lower, upper, training)


rrelu_ = slope_activation.rrelu_


def gumbel_softmax(
    logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Tensor:
    """A sample from the distribution that `softmax(logits)` names, with a gradient.

    Jang and others, "Categorical reparameterization with Gumbel-softmax", 2017.

    Args:
        logits: unnormalised log-probabilities, any shape.
        tau: the temperature; the smaller, the nearer the samples are to one class.
        hard: make them one class each; the gradient is that of the soft sample.
        eps: without effect, with a warning.
    """
    if eps != 1e-10:
        warn("`eps` parameter is deprecated and has no effect.")
    shape = logits.shape
    waits = ops.exponential_(ops.empty(shape, dtype=logits.dtype, device=logits.device))
    soft = ops.softmax((logits + -ops.log(waits)) / tau, dim)  # minus the log of a wait: Gumbel
    if not hard:
        return soft
    index = ops.max(soft, dim, keepdim=True)[1]
    one = ops.scatter(ops.zeros(shape, dtype=logits.dtype, device=logits.device), dim, index, 1.0)
    return one - soft.detach() + soft
