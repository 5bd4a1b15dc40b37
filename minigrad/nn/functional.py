"""The functions behind the modules, without state: `minigrad.nn.functional`, usually called F."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from .. import ops, promotion
from ..ops import linear, loss
from ..tensor import Tensor
from .activations import (
    celu,
    elu,
    gelu,
    hardshrink,
    hardsigmoid,
    hardswish,
    hardtanh,
    leaky_relu,
    logsigmoid,
    mish,
    relu6,
    selu,
    silu,
    softplus,
    softshrink,
    softsign,
    tanhshrink,
    threshold,
)

__all__ = [
    "celu", "elu", "gelu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "leaky_relu",
    "linear", "log_softmax", "logsigmoid", "mish", "mse_loss", "relu", "relu6", "selu",
    "sigmoid", "silu", "softmax", "softmin", "softplus", "softshrink", "softsign", "tanh",
    "tanhshrink", "threshold",
]  # fmt: skip

_REDUCTIONS = ("none", "mean", "sum")


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
    return ops.softmax(input, _named_dim("softmax", input, dim, _stacklevel), dtype)


def softmin(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """`softmax` of `-input`."""
    return ops.softmax(-input, _named_dim("softmin", input, dim, _stacklevel), dtype)


def log_softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """The logarithm of `softmax`, computed without its rounding to zero."""
    return ops.log_softmax(input, _named_dim("log_softmax", input, dim, _stacklevel), dtype)


def _named_dim(name: str, input: Tensor, dim: int | None, stacklevel: int) -> int:
    """`dim`; where it is left out, the one that PyTorch guesses, with its warning."""
    if dim is not None:
        return dim
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include "
        "dim=X as an argument.",
        stacklevel=stacklevel,
    )
    return 0 if input._array.ndim in (0, 1, 3) else 1


def mse_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", weight: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The squared difference of `input` and `target`: its mean, its sum, or each element's.

    Args:
        input, target: of the same shape; others broadcast, with a warning.
        reduction: "mean", "sum" or "none".
        weight: a factor for each element, of the shape of `input`; the mean is then divided by
            the sum of the weights.
        size_average, reduce: older names of `reduction`, with a warning.

    Raises:
        ValueError: for another reduction, or a weight of another shape.
    """
    if target._array.shape != input._array.shape:
        warnings.warn(
            f"Using a target size ({target.size()}) that is different to the input size "
            f"({input.size()}). This will likely lead to incorrect results due to broadcasting. "
            "Please ensure they have the same size.",
            stacklevel=2,
        )
    if size_average is not None or reduce is not None:
        reduction = _legacy_reduction(size_average, reduce)
    if weight is not None:
        return _weighted_mse_loss(input, target, reduction, weight)
    if target._array.shape != input._array.shape:
        input, target = _broadcast(input, target)
    return loss.mse_loss(input, target, _checked_reduction(reduction))


def _broadcast(input: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Both as views of their common shape."""
    try:
        shape = np.broadcast_shapes(input._array.shape, target._array.shape)
    except ValueError:
        raise promotion.broadcast_error((input._array, target._array)) from None
    both = [t if t._array.shape == shape else t.expand(shape) for t in (input, target)]
    return both[0], both[1]


def _weighted_mse_loss(input: Tensor, target: Tensor, reduction: str, weight: Tensor) -> Tensor:
    if weight.size() != input.size():
        raise ValueError("Weights and input must have the same size.")
    errors = ops.pow(input - target, 2) * weight
    if reduction == "none":
        return errors
    if reduction == "sum":
        return ops.sum(errors)
    if reduction == "mean":
        return ops.sum(errors) / ops.sum(weight)
    raise ValueError(f"Invalid reduction mode: {reduction}. Expected one of 'none', 'mean', 'sum'.")


def _checked_reduction(reduction: str) -> str:
    if reduction == "elementwise_mean":
        warnings.warn(
            "reduction='elementwise_mean' is deprecated. Please use reduction='mean' instead.",
            stacklevel=3,
        )
        return "mean"
    if reduction not in _REDUCTIONS:
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return reduction


def _legacy_reduction(size_average: bool | None, reduce: bool | None, stacklevel: int = 3) -> str:
    """The reduction that two flags used to say: both are True if not given."""
    if reduce is False:
        reduction = "none"
    else:
        reduction = "sum" if size_average is False else "mean"
    warnings.warn(
        "size_average and reduce args will be deprecated, please use "
        f"reduction='{reduction}' instead.",
        stacklevel=stacklevel,
    )
    return reduction
