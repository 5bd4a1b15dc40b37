"""The unit of rounding where an operation subtracts what is nearly equal.

`log_softmax` is x - max(x) - log(sum): where one class is nearly certain, the last two terms are
all that is left, and they are the rounding of a sum near 1. A normalised number is x - mean, and
is near zero where x is near the mean. `gelu` of -4 is -2 times 1 - 0.99994. There the last
bit of an `exp`, an `erf` or a mean, which two libraries compute in two ways, is many ULPs of the
result. So these results and their gradients are measured in ULPs of the terms' sum, in their
magnitudes, as products are (`compare.py`). Every formula here is the operation's own, with
absolute values and plus signs.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .products import magnitudes, unit

if TYPE_CHECKING:
    from .record import Arrays, Side

Array = np.ndarray[Any, Any]


# --- results -------------------------------------------------------------------------------------


def log_softmax(side: Side, input: Any, dim: int | None = None, *more: Any, **options: Any) -> Any:
    """Of a logarithm of probabilities."""
    return None if dim is None else unit(_log_softmax_terms(side.values(input), dim))


def _log_softmax_terms(x: Array, dim: int) -> Array:
    """|x - max| + log(sum) + 1: a relative error of the sum is an absolute one of its logarithm."""
    shifted = x - x.max(axis=dim, keepdims=True)
    total: Array = np.exp(shifted).sum(axis=dim, keepdims=True)
    return np.abs(shifted) + np.log(total) + np.ones_like(total)


def softmax(side: Side, input: Any, dim: int | None = None, *more: Any, **options: Any) -> Any:
    """Of a softmax: 2 ULPs. Along the last dimension PyTorch's kernel uses an exponential that is
    up to 3.5 ULPs off in what comes out, against 1 for its `exp`."""
    if dim is None:
        return None
    shifted = np.exp(side.values(input) - side.values(input).max(axis=dim, keepdims=True))
    return 2 * unit(shifted / shifted.sum(axis=dim, keepdims=True))


def cross_entropy(
    side: Side, input: Any, target: Any, weight: Any = None, size_average: Any = None,
    ignore_index: int = -100, reduce: Any = None, reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:  # fmt: skip
    """Of the mean (or sum) of -log_softmax at the targets; other kinds have no unit of their own."""
    plain = weight is None and size_average is None and reduce is None and not label_smoothing
    classes, x = side.values(target), side.values(input)
    if not plain or classes.dtype.kind != "i" or (classes == ignore_index).any() or x.ndim < 2:
        return None
    terms = np.take_along_axis(_log_softmax_terms(x, 1), np.expand_dims(classes, 1), 1)
    reduced = {"none": terms[:, 0], "sum": terms.sum(), "mean": terms.mean()}
    return unit(np.asarray(reduced[reduction], x.dtype))


def gelu(side: Side, input: Any, *more: Any, **options: Any) -> Any:
    """Of x / 2 * (1 + erf): 2 ULPs of |x| / 2 * (1 + |erf|). PyTorch's own are up to 4.9 of these
    ULPs from a result in float64 (at x = 3.5), minigrad's 1.6."""
    x = np.abs(side.values(input))
    return 2 * unit(x * _normal_terms(side, input))


def _normal_terms(side: Side, input: Any) -> Array:
    """(1 + |erf(x / sqrt 2)|) / 2, of x's type."""
    return 0.5 * (1 + np.abs(side.values(side.torch.erf(input.detach() * math.sqrt(0.5)))))


def layer_norm(
    side: Side, input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None,
    eps: float = 1e-5,
) -> Any:  # fmt: skip
    """Of (x - mean) / deviation * weight + bias, over the last dimensions."""
    x = side.values(input)
    dims = tuple(range(x.ndim - len(tuple(normalized_shape)), x.ndim))
    return _normalized(side, x, dims, weight, bias, eps, tuple(normalized_shape))


def batch_norm(
    side: Side, input: Any, running_mean: Any, running_var: Any, weight: Any = None,
    bias: Any = None, training: bool = False, momentum: float = 0.1, eps: float = 1e-5,
) -> Arrays:  # fmt: skip
    """Of the same over all dimensions but the second, or with the running statistics; and of these.

    The rows of a matrix PyTorch adds one by one, in float32: k of them lose some sqrt(k) ULPs of
    mean and deviation, as measured against float64 (9 of 297 rows, 17 of 1,500), where other means
    are added in a tree or in float64 and lose one.
    """
    x = side.values(input)
    dims = (0, *range(2, x.ndim))
    shape = (-1, *[1] * (x.ndim - 2))  # of a value for each channel, to broadcast
    if training:
        unit_of_result = _normalized(side, x, dims, weight, bias, eps, shape, x.ndim == 2)
        return unit_of_result, *_running_units(side, x, dims, running_mean, running_var)
    mean, variance = (side.values(t).reshape(shape) for t in (running_mean, running_var))
    terms = (np.abs(x) + np.abs(mean)) / np.sqrt(variance + eps)
    return (unit(_affine(side, terms, weight, bias, shape).astype(x.dtype)),)


def _running_units(
    side: Side, x: Array, dims: tuple[int, ...], mean: Any, variance: Any
) -> list[Array]:
    """Of the running statistics: what they are now, and what the batch has added."""
    root = np.float32(math.sqrt(len(x)) if x.ndim == 2 else 1)
    added = np.abs(x).mean(axis=dims), x.var(axis=dims)
    return [
        unit((np.abs(side.values(kept)) + root * new).astype(x.dtype))
        for kept, new in zip((mean, variance), added, strict=True)
        if kept is not None
    ]


def _normalized(
    side: Side, x: Array, dims: tuple[int, ...], weight: Any, bias: Any, eps: float,
    shape: tuple[int, ...], one_by_one: bool = False,
) -> Array:  # fmt: skip
    root = math.sqrt(len(x)) if one_by_one else 1
    terms = _centered_sizes(x, dims, root)
    if one_by_one:  # then the deviation as well
        terms = terms + root * np.abs(x - x.mean(axis=dims, keepdims=True))
    terms = terms / np.sqrt(x.var(axis=dims, keepdims=True) + eps)
    return unit(_affine(side, terms, weight, bias, shape).astype(x.dtype))


def _centered_sizes(x: Array, dims: Any, root: float) -> Array:
    """Of x - mean, where the mean has lost `root` ULPs."""
    sizes = np.abs(x)
    return sizes + (root * sizes.mean(axis=dims, keepdims=True)).astype(x.dtype)


def _affine(side: Side, terms: Array, weight: Any, bias: Any, shape: tuple[int, ...]) -> Array:
    if weight is not None:
        terms = terms * np.abs(side.values(weight)).reshape(shape)
    return terms if bias is None else terms + np.abs(side.values(bias)).reshape(shape)


RESULTS = {
    "log_softmax": log_softmax, "softmax": softmax, "cross_entropy": cross_entropy, "gelu": gelu,
    "layer_norm": layer_norm,
}  # fmt: skip


# --- gradients -----------------------------------------------------------------------------------


def log_softmax_gradient(side: Side, node: Any, grad: Array) -> Arrays:
    """Of grad - exp(result) * sum(grad).

    In `cross_entropy` nobody sees the result, so it is each library's own; `exp` makes |result|
    ULPs of one.
    """
    result, dims = side.values(node._saved_result), _dims(node)
    powers = np.exp(result) * (1 + np.abs(result))
    return (unit(grad + powers * grad.sum(axis=dims, keepdims=True)),)


def softmax_gradient(side: Side, node: Any, grad: Array) -> Arrays:
    """Of result * (grad - sum(grad * result))."""
    result, dims = magnitudes(side, node, "_saved_result"), _dims(node)
    return (unit(result * (grad + (grad * result).sum(axis=dims, keepdims=True))),)


def _dims(node: Any) -> Any:
    """The dimension that was summed over: PyTorch keeps it as a number, modulo 2**64."""
    dims = getattr(node, "_saved_dims", None)
    return int(np.uint64(node._saved_dim).astype(np.int64)) if dims is None else dims


def gelu_gradient(side: Side, node: Any, grad: Array) -> Arrays:
    """Of grad * (distribution + x * density): 3 ULPs, since PyTorch's own are up to 4 off."""
    x = side.values(node._saved_self)
    density = np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
    terms = grad * (_normal_terms(side, node._saved_self) + np.abs(x) * density)
    return (3 * unit(terms.astype(x.dtype)),)


def layer_norm_gradient(side: Side, node: Any, grad: Array) -> Arrays:
    """Rows are samples: a row has one mean, each column its weight."""
    weight = node._saved_weight
    if weight is None:
        return ()
    x, w = side.values(node._saved_input), np.abs(side.values(weight))
    rows, g = x.reshape(-1, w.size), grad.reshape(-1, w.size)
    centered = _centered_terms(rows, side.values(node._saved_result2).reshape(-1, 1))
    of_input = _input_terms(g * w.reshape(-1), *centered).reshape(x.shape)
    return unit(of_input), *_parameter_units(g, centered[0], 0, w.shape)


def batch_norm_gradient(side: Side, node: Any, grad: Array) -> Arrays:
    """Rows are channels: a row has one mean, and one weight."""
    x = side.values(node._saved_input)
    if not _by_batch(node):
        return ()
    rows, g = (a.swapaxes(0, 1).reshape(x.shape[1], -1) for a in (x, grad))
    weight = node._saved_weight
    w = np.ones(len(rows), x.dtype) if weight is None else np.abs(side.values(weight))
    root = math.sqrt(len(x)) if x.ndim == 2 else 1
    centered = _centered_terms(rows, side.values(node._saved_result2).reshape(-1, 1), root)
    of_input = _input_terms(g * w[:, None], *centered)
    back = of_input.reshape(x.shape[1], x.shape[0], *x.shape[2:]).swapaxes(0, 1)
    return unit(back), *_parameter_units(g, centered[0], 1, w.shape)


def _by_batch(node: Any) -> bool:
    """Whether the statistics were the batch's: PyTorch says so, minigrad then kept them."""
    try:
        return bool(node._saved_training)
    except AttributeError:
        return hasattr(node, "_saved_result2")


def _centered_terms(rows: Array, rstd: Array, root: float = 1) -> tuple[Array, Array]:
    """Those of (x - mean) / deviation; and 1 / deviation."""
    return _centered_sizes(rows, 1, root) * rstd, rstd


def _input_terms(grad: Array, centered: Array, rstd: Array) -> Array:
    """Those of (grad - mean(grad) - centered * mean(grad * centered)) / deviation."""
    slope = (grad * centered).mean(axis=1, keepdims=True)
    return (grad + grad.mean(axis=1, keepdims=True) + centered * slope) * rstd


def _parameter_units(grad: Array, centered: Array, axis: int, shape: Any) -> Arrays:
    """Of the sums of grad * centered, and of grad."""
    count = grad.shape[axis]
    of_weight, of_bias = (grad * centered).sum(axis=axis), grad.sum(axis=axis)
    return unit(of_weight.reshape(shape), count), unit(of_bias.reshape(shape), count)


GRADIENTS = {
    "LogSoftmaxBackward0": log_softmax_gradient, "SoftmaxBackward0": softmax_gradient,
    "GeluBackward0": gelu_gradient, "NativeLayerNormBackward0": layer_norm_gradient,
    "NativeBatchNormBackward0": batch_norm_gradient,
}  # fmt: skip
