"""Softmax over very many classes, most of them rare: `AdaptiveLogSoftmaxWithLoss`.

The frequent classes and one entry per cluster of rare classes share a softmax, the head. A class in
a cluster has the probability of its cluster times that within it, which smaller layers compute.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ... import ops
from ...tensor import Tensor
from .container import ModuleList, Sequential
from .linear import Linear
from .module import Module

__all__ = ["AdaptiveLogSoftmaxWithLoss"]


class _ASMoutput(NamedTuple):
    """What the module returns: each target's log-probability, (N,), and minus their mean."""

    output: Tensor
    loss: Tensor


class AdaptiveLogSoftmaxWithLoss(Module):
    """Log-probabilities of targets among many classes (Grave et al. 2017, "Efficient softmax
    approximation for GPUs").

    Args:
        in_features: of the input, (N, in_features) or (in_features,).
        n_classes: classes are numbered by falling frequency.
        cutoffs: rising class numbers at which the clusters begin; the first ends the head's own.
        div_value: the i-th cluster works with in_features // div_value**i features.
        head_bias: whether the head has a bias.

    Raises:
        ValueError: for cutoffs that are not unique, positive, rising and below `n_classes`.
        RuntimeError: for inputs and targets that do not fit.
    """

    def __init__(
        self, in_features: int, n_classes: int, cutoffs: Sequence[int], div_value: float = 4.0,
        head_bias: bool = False, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        cutoffs = _checked_cutoffs(cutoffs, n_classes)
        self.in_features, self.n_classes = in_features, n_classes
        self.cutoffs = [*cutoffs, n_classes]
        self.div_value, self.head_bias = div_value, head_bias
        self.shortlist_size = cutoffs[0]
        self.n_clusters = len(cutoffs)
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, head_bias, device, dtype)
        self.tail = ModuleList()
        for i, (start, end) in enumerate(self._ranges(), 1):
            features = int(in_features // div_value**i)
            self.tail.append(
                Sequential(
                    Linear(in_features, features, False, device, dtype),
                    Linear(features, end - start, False, device, dtype),
                )
            )

    def reset_parameters(self) -> None:
        """Draws new initial values."""
        self.head.reset_parameters()
        for projection, classes in self.tail:  # type: ignore[misc, attr-defined]
            projection.reset_parameters()
            classes.reset_parameters()

    def _ranges(self) -> list[tuple[int, int]]:
        """The first class of each cluster, and the one after its last."""
        return list(zip(self.cutoffs[:-1], self.cutoffs[1:], strict=True))

    def forward(self, input: Tensor, target: Tensor) -> _ASMoutput:
        """The log-probability of each target and the loss; `target` is int64, (N,) or ()."""
        _check_target(input, target)
        rows, targets = (input, target) if target.dim() else (input[None], target[None])
        entry = targets.clone()  # the head's column for each target
        within = []
        for i, (start, end) in enumerate(self._ranges()):
            at = ops.nonzero((targets >= start) & (targets < end))[:, 0]
            if at.numel():
                entry[at] = self.shortlist_size + i
                inner = ops.log_softmax(self.tail[i](rows[at]), 1)  # (members, classes)
                within.append((at, _picked(inner, targets[at] - start)))
        if ((targets < 0) | (targets >= self.n_classes)).any():
            raise RuntimeError(
                f"Target values should be in [0, {self.n_classes - 1}], but values in range "
                f"[{target.min().item()}, {target.max().item()}] were found. "
            )
        output = _picked(ops.log_softmax(self.head(rows), 1), entry)
        for at, inner in within:
            output = ops.index_add(output, 0, at, inner)
        output = output if target.dim() else output[0]
        return _ASMoutput(output, ops.mean(-output))

    def log_prob(self, input: Tensor) -> Tensor:
        """The log-probabilities of all classes: (N, in_features) to (N, n_classes)."""
        head = ops.log_softmax(self.head(input), 1)
        parts = [head[:, : self.shortlist_size]]
        for i, cluster in enumerate(self.tail):
            inner = ops.log_softmax(cluster(input), 1)
            parts.append(inner + head[:, self.shortlist_size + i, None])
        return ops.cat(parts, 1)

    def predict(self, input: Tensor) -> Tensor:
        """The likeliest class of each row, int64, (N,); a cluster is looked into only where the
        head finds it likelier than all of its own classes."""
        best = ops.argmax(self.head(input), 1)
        rare = ops.nonzero(best >= self.shortlist_size)[:, 0]
        if rare.numel():
            best[rare] = ops.argmax(self.log_prob(input[rare]), 1)
        return best


def _picked(scores: Tensor, column: Tensor) -> Tensor:
    """One element of each row."""
    return ops.gather(scores, 1, column[:, None])[:, 0]


def _checked_cutoffs(cutoffs: Sequence[int], n_classes: int) -> list[int]:
    cutoffs = list(cutoffs)
    if not cutoffs:
        raise ValueError("cutoffs should be a sequence of length larger than 0")
    if (
        cutoffs != sorted(set(cutoffs)) or min(cutoffs) <= 0 or max(cutoffs) > n_classes - 1
        or any(int(c) != c for c in cutoffs)
    ):  # fmt: skip
        raise ValueError(
            "cutoffs should be a sequence of unique, positive integers sorted in an increasing "
            "order, where each value is between 1 and n_classes-1"
        )
    return cutoffs


def _check_target(input: Tensor, target: Tensor) -> None:
    if target.dim() > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if target.dim() == 1 and input.shape[0] != target.shape[0]:
        raise RuntimeError("Input and target should have the same size in the batch dimension.")
    if input.dim() != target.dim() + 1:
        raise RuntimeError(
            f"{target.dim()}D target tensor expects {target.dim() + 1}D input tensors, "
            f"but found inputs with size {input.size()}"
        )
