"""`nn.functional`'s losses that are 0 once one thing leads another by a margin."""

from __future__ import annotations

from collections.abc import Callable

from ... import ops
from ...ops import elementwise_loss
from ...ops import margin_loss as several
from ...ops.distances import pairwise_distance
from ...ops.with_number import minus, plus
from ...promotion import number_like
from ...tensor import Tensor
from .reduction import chosen_reduction, legacy_reduction, reduced

__all__ = [
    "cosine_embedding_loss", "hinge_embedding_loss", "margin_ranking_loss", "multi_margin_loss",
    "multilabel_margin_loss", "multilabel_soft_margin_loss", "soft_margin_loss",
    "triplet_margin_loss", "triplet_margin_with_distance_loss",
]  # fmt: skip


def hinge_embedding_loss(
    input: Tensor, target: Tensor, margin: float = 1.0, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """`input` (a distance) where `target` is 1, and max(0, margin - input) where it is -1.

    reduction: "mean", "sum" or "none"; size_average, reduce: its older names, with a warning."""
    reduction = chosen_reduction(size_average, reduce, reduction)
    zeros = ops.zeros_like(input)
    lack = ops.clamp_min(number_like(margin, input._array) - input, 0)
    apart = ops.where(target != 1, lack, zeros)
    return reduced(apart + ops.where(target != -1, input, zeros), reduction)


def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0,
    size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """max(0, -target (input1 - input2) + margin): `input1` is to be the larger where `target` is 1.

    RuntimeError unless all have as many dimensions. reduction, size_average, reduce: as for
    `hinge_embedding_loss`."""
    reduction = chosen_reduction(size_average, reduce, reduction)
    if not input1.dim() == input2.dim() == target.dim():
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {input1.size()}, input2: {input2.size()}, target: {target.size()} "
        )
    return reduced(ops.clamp_min(plus(-target * (input1 - input2), float(margin)), 0), reduction)


def triplet_margin_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 1.0, p: float = 2,
    eps: float = 1e-6, swap: bool = False, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """max(0, margin + d(anchor, positive) - d(anchor, negative)), where d is the p-norm of the
    difference (plus `eps`) over the last dimension.

    Args:
        anchor, positive, negative: (N, D) or (D,); RuntimeError unless all have as many dimensions.
        margin: ValueError unless positive.
        swap: take d(positive, negative) where it is smaller (Balntas and others, 2016).
        reduction, size_average, reduce: as for `hinge_embedding_loss`.
    """
    reduction = chosen_reduction(size_average, reduce, reduction)
    _check_margin(margin)
    _check_dimensions(anchor, positive, negative)

    near = pairwise_distance(anchor, positive, p, eps)
    far = pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = ops.minimum(far, pairwise_distance(positive, negative, p, eps))
    return reduced(ops.clamp_min(plus(near, margin) - far, 0), reduction)


def _check_margin(margin: float) -> None:
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")


def _check_dimensions(anchor: Tensor, positive: Tensor, negative: Tensor) -> None:
    if not anchor.dim() == positive.dim() == negative.dim():
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of "
            f"dimensions, but got: anchor {anchor.dim()}D, positive {positive.dim()}D, and negative "
            f"{negative.dim()}D inputs"
        )


def triplet_margin_with_distance_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None, margin: float = 1.0,
    swap: bool = False, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """`triplet_margin_loss` with any distance; without one, it is the Euclidean."""
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    _check_margin(margin)
    _check_dimensions(anchor, positive, negative)
    distance = distance_function or pairwise_distance
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = ops.minimum(far, distance(positive, negative))
    return reduced(ops.clamp_min(margin + near - far, 0), reduction)


def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0,
    size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """1 - cos where `target` is 1, and max(0, cos - margin) where it is -1, for the angle between
    the vectors `input1` and `input2`.

    input1, input2: (N, D) with a target (N,), or (D,) with a target (); else RuntimeError.
    reduction, size_average, reduce: as for `hinge_embedding_loss`."""
    reduction = chosen_reduction(size_average, reduce, reduction)
    dim = target.dim()
    if dim > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if input1.dim() != dim + 1 or input2.dim() != dim + 1:
        raise RuntimeError(
            f"{dim}D target tensor expects {dim + 1}D input tensors, but found inputs with sizes "
            f"{list(input1.shape)} and {list(input2.shape)}."
        )
    squares = [plus(ops.sum(x * x, dim), 1e-12) for x in (input1, input2)]
    cosine = ops.sum(input1 * input2, dim) / ops.sqrt(squares[0] * squares[1])
    zeros = ops.zeros_like(cosine)
    alike = ops.where(target == 1, number_like(1, cosine._array) - cosine, zeros)
    unlike = ops.where(target == -1, ops.clamp_min(minus(cosine, margin), 0), zeros)
    return reduced(alike + unlike, reduction)


def multi_margin_loss(
    input: Tensor, target: Tensor, p: int = 1, margin: float = 1.0, weight: Tensor | None = None,
    size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """The mean over the classes j of max(0, margin - input[target] + input[j]) ** p.

    Args:
        input: (N, C) or (C,).
        target: classes, (N,) or (), int64.
        p: 1 or 2, else ValueError.
        weight: of each class, (C,).
        reduction, size_average, reduce: as for `hinge_embedding_loss`.
    """
    reduction = chosen_reduction(size_average, reduce, reduction)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight.dim() != 1:
        raise ValueError("weight must be one-dimensional")
    return several.multi_margin_loss(input, target, p, margin, weight, reduction)


def multilabel_margin_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """The sum over the right classes i and the others j of max(0, 1 - input[i] + input[j]), divided
    by the number of classes.

    input: (N, C) or (C,). target: of the same shape, int64; a row names the right classes, up to
    the first -1. reduction, size_average, reduce: as for `hinge_embedding_loss`."""
    reduction = chosen_reduction(size_average, reduce, reduction)
    return several.multilabel_margin_loss(input, target, reduction)


def multilabel_soft_margin_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """The mean over the last dimension of the binary cross-entropies of `sigmoid(input)`.

    weight: a factor that broadcasts to `input`. reduction, size_average, reduce: as for
    `hinge_embedding_loss`."""
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    loss = -(target * ops.logsigmoid(input) + (1 - target) * ops.logsigmoid(-input))
    if weight is not None:
        loss = loss * weight
    last = input.dim() - 1
    loss = ops.sum(loss, last) / input.size(last)
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(reduction + " is not valid")
    return reduced(loss, reduction)


def soft_margin_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """log(1 + exp(-target input)), for targets of 1 and -1, any shape.

    reduction, size_average, reduce: as for `hinge_embedding_loss`."""
    reduction = chosen_reduction(size_average, reduce, reduction)
    return elementwise_loss.soft_margin_loss(input, target, reduction)
