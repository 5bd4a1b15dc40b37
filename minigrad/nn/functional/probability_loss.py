"""`nn.functional`'s losses that are minus the logarithm of a probability, or a divergence."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ... import ops
from ...autograd.grad_mode import no_grad
from ...ops import ctc_loss as ctc
from ...ops import elementwise_loss
from ...ops.arithmetic import scale
from ...ops.with_number import plus
from ...tensor import Tensor
from ...warn import warn
from .reduction import checked_reduction, chosen_reduction, legacy_reduction, reduced

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "ctc_loss", "gaussian_nll_loss",
    "kl_div", "poisson_nll_loss",
]  # fmt: skip


def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """-(target log(input) + (1 - target) log(1 - input)), the logarithms not below -100.

    Args:
        input: probabilities, any shape; RuntimeError outside of [0, 1].
        target: probabilities of the same shape (else ValueError) and dtype.
        weight: a factor that broadcasts to `target`.
        reduction: "mean", "sum" or "none".
        size_average, reduce: older names of `reduction`, with a warning.
    """
    reduction = chosen_reduction(size_average, reduce, reduction)
    if target.size() != input.size():
        raise ValueError(
            f"Using a target size ({target.size()}) that is different to the input size "
            f"({input.size()}) is deprecated. Please ensure they have the same size."
        )
    if weight is not None:
        weight = weight.expand(ops.broadcast_shapes(target.size(), weight.size()))
    return elementwise_loss.binary_cross_entropy(input, target, weight, reduction)


def binary_cross_entropy_with_logits(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean", pos_weight: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """`binary_cross_entropy` of `sigmoid(input)`, without the overflow of the two steps.

    pos_weight: a factor for the part of the positive targets, which broadcasts to `target`. Other
    arguments as for `binary_cross_entropy`."""
    reduction = chosen_reduction(size_average, reduce, reduction)
    if target.size() != input.size():
        raise ValueError(
            f"Target size ({target.size()}) must be the same as input size ({input.size()})"
        )
    return elementwise_loss.binary_cross_entropy_with_logits(
        input, target, weight, pos_weight, reduction
    )


def kl_div(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", log_target: bool = False,
) -> Tensor:  # fmt: skip
    """The divergence of Kullback and Leibler, target (log(target) - input).

    Args:
        input: log-probabilities, any shape.
        target: probabilities; with `log_target` their logarithms.
        reduction: "batchmean" (the sum divided by the size of dimension 0), "mean" (over all
            elements, with a warning), "sum" or "none".
        size_average, reduce: older names of `reduction`, with a warning.
    """
    if any(t._array.dtype.kind != "f" for t in (input, target)):
        raise RuntimeError("kl_div: Integral inputs not supported.")
    by_flags = size_average is not None or reduce is not None
    if by_flags:
        chosen = legacy_reduction(size_average, reduce)
    else:
        if reduction == "mean":
            _warn_of_mean()
        chosen = "sum" if reduction == "batchmean" else checked_reduction(reduction)
    if log_target:
        values = ops.exp(target) * (target - input)
    else:
        values = ops.xlogy(target, target) - target * input
    loss = reduced(values, chosen)
    if reduction == "batchmean" and input._array.ndim:
        return loss / len(input)
    return loss


def _warn_of_mean() -> None:
    warn(
        "reduction: 'mean' divides the total loss by both the batch size and the support size."
        "'batchmean' divides only by the batch size, and aligns with the KL div math definition."
        "'mean' will be changed to behave the same as 'batchmean' in the next major release."
    )


def poisson_nll_loss(
    input: Tensor, target: Tensor, log_input: bool = True, full: bool = False,
    size_average: bool | None = None, eps: float = 1e-8, reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Minus the log-probability of counts under Poisson distributions, without log(target!).

    Args:
        input: the distributions' means, or with `log_input` their logarithms.
        target: the counts.
        full: add Stirling's approximation of log(target!) where target > 1.
        eps: added to `input` before its logarithm is taken.
        reduction, size_average, reduce: as for `binary_cross_entropy`.
    """
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(reduction + " is not a valid value for reduction")
    if log_input:
        loss = ops.exp(input) - target * input
    else:
        loss = input - target * ops.log(plus(input, eps))
    if full:
        loss = loss + ops.masked_fill(_stirling(target), target <= 1, 0)
    return reduced(loss, reduction)


def _stirling(count: Tensor) -> Tensor:
    """n log(n) - n + log(2 pi n) / 2, which is nearly log(n!)."""
    around = scale(count, 2 * math.pi) if count.is_floating_point() else count * (2 * math.pi)
    return count * ops.log(count) - count + scale(ops.log(around), 0.5)


def gaussian_nll_loss(
    input: Tensor, target: Tensor, var: Tensor | float, full: bool = False, eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Minus the log-probability of `target` under normal distributions, without log(2 pi) / 2.

    Args:
        input: the distributions' means.
        var: their variances: a number; or of the shape of `input`, or with its last dimension
            left out, or with one dimension of size 1 for all. ValueError for others, and below 0.
        full: add the constant that was left out.
        eps: the least variance; the gradient does not notice it.
        reduction: "mean", "sum" or "none".
    """
    variance = _checked_variance(input, var)
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(reduction + " is not valid")
    variance = ops.clone(variance)
    with no_grad():
        ops.clamp_(variance, min=eps)
    loss = 0.5 * (ops.log(variance) + (input - target) ** 2 / variance)
    if full:
        loss = loss + 0.5 * math.log(2 * math.pi)
    return reduced(loss, reduction)


def _checked_variance(input: Tensor, var: Tensor | float) -> Tensor:
    if isinstance(var, float):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        return var * ops.ones_like(input)
    if ops.any(var < 0):
        raise ValueError("var has negative entry/entries")
    shape, sizes = input._array.shape, var._array.shape
    if sizes == shape:
        return var
    if sizes == shape[:-1]:
        return ops.unsqueeze(var, -1)
    if len(sizes) == len(shape):
        if sum(y for x, y in zip(shape, sizes, strict=True) if x != y) == 1:
            return var
    raise ValueError("var is of incorrect size")


def ctc_loss(
    log_probs: Tensor, targets: Tensor, input_lengths: Tensor | Sequence[int],
    target_lengths: Tensor | Sequence[int], blank: int = 0, reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:  # fmt: skip
    """Minus the log-probability of texts whose timing is not known (Graves and others, 2006).

    Args:
        log_probs: of each class at each step, (T, N, C), or (T, C) for one text; the gradient is
            right if they come from `log_softmax`.
        targets: classes without the blank, (N, L), or those of all texts in one vector.
        input_lengths, target_lengths: how much of each counts, (N,): integers.
        blank: the class that stands for no letter.
        reduction: "mean" (of the losses divided by their targets' lengths), "sum" or "none".
        zero_infinity: texts that are too long for their input have loss and gradient 0.

    Raises:
        RuntimeError: for lengths, targets or a blank that do not fit.
    """
    reduction = checked_reduction(reduction)
    steps = _lengths("input_lengths", input_lengths)
    sizes = _lengths("target_lengths", target_lengths)
    batched = log_probs._array.ndim == 3
    batch = log_probs if batched else ops.unsqueeze(log_probs, 1)
    loss = ctc.ctc_loss(batch, targets, steps, sizes, blank, zero_infinity)
    if zero_infinity:
        loss = ops.where(loss == math.inf, ops.zeros_like(loss), loss)
    if reduction == "mean":
        return ops.mean(
            loss / ops.clamp(ops.tensor(sizes, dtype=loss.dtype, device=loss.device), min=1)
        )
    if reduction == "sum":
        return ops.sum(loss)
    return loss if batched else ops.squeeze(loss, 0)


def _lengths(name: str, lengths: Tensor | Sequence[int]) -> list[int]:
    if not isinstance(lengths, Tensor):
        return list(lengths)
    if lengths._array.dtype.kind not in "iu":
        raise RuntimeError(f"{name} must be integral")
    values: list[int] = lengths._array.reshape(-1).tolist()
    return values
