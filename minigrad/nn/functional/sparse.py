"""`nn.functional`'s lookups in tables: `embedding`, `embedding_bag`, `one_hot`."""

from __future__ import annotations

from ... import ops
from ...autograd.grad_mode import no_grad
from ...ops.embedding_bag import MAX, MEAN, SUM
from ...tensor import Tensor

__all__ = ["embedding", "embedding_bag", "one_hot"]

_MODES = {"sum": SUM, "mean": MEAN, "max": MAX}

one_hot = ops.one_hot


def embedding(
    input: Tensor, weight: Tensor, padding_idx: int | None = None, max_norm: float | None = None,
    norm_type: float = 2.0, scale_grad_by_freq: bool = False, sparse: bool = False,
) -> Tensor:  # fmt: skip
    """Rows of `weight` (V, D) by number: `input` (*) of int64 or int32 gives (*, D).

    Args:
        padding_idx: the number of a row that gets no gradient; negative ones count from the end.
        max_norm: rows that are used and have a larger `norm_type`-norm are scaled down to it, in
            place.
        scale_grad_by_freq: divide gradients by how often their row occurs in `input`.
        sparse: not supported.

    Raises:
        AssertionError: for a `padding_idx` that is not in the table.
        IndexError: for a number in `input` that is not.
        NotImplementedError: for `sparse=True`.
    """
    row = -1
    if padding_idx is not None:
        length = weight.size(0)
        if not -length <= padding_idx < length:
            raise AssertionError("Padding_idx must be within num_embeddings")
        row = padding_idx % length
    if max_norm is not None:
        _limit_norms(weight, input, max_norm, norm_type)
    return ops.embedding(weight, input, row, scale_grad_by_freq, sparse)


def _limit_norms(weight: Tensor, input: Tensor, max_norm: float, norm_type: float) -> None:
    with no_grad():
        ops.embedding_renorm_(weight, input, max_norm, norm_type)


def embedding_bag(
    input: Tensor, weight: Tensor, offsets: Tensor | None = None, max_norm: float | None = None,
    norm_type: float = 2, scale_grad_by_freq: bool = False, mode: str = "mean",
    sparse: bool = False, per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False, padding_idx: int | None = None,
) -> Tensor:  # fmt: skip
    """Rows of `weight` (V, D) by number, reduced in bags: (B, D).

    Args:
        input: (B, n), bags of the same size; or (N,), and `offsets` (B,) says where each begins.
        mode: "sum", "mean" or "max".
        per_sample_weights: factors for the rows, in the shape of `input`; with mode "sum" only.
        include_last_offset: `offsets` has (B + 1) elements, the last one being N.
        max_norm, norm_type, scale_grad_by_freq, padding_idx: as for `embedding`; padding counts
            for nothing in a bag.

    Raises:
        ValueError, RuntimeError: for arguments that do not fit each other.
        NotImplementedError: for `sparse=True`, or weights of samples in another mode.
    """
    if per_sample_weights is not None and input.size() != per_sample_weights.size():
        raise ValueError(
            f"embedding_bag: If per_sample_weights ({per_sample_weights.shape}) is not None, then it "
            f"must have the same shape as the input ({input.shape})"
        )
    if weight.dim() != 2:
        raise ValueError(
            f"weight has to be a 2D Tensor, but got Tensor of dimension {weight.dim()}"
        )
    input, begins, per_sample_weights = _in_a_row(
        input, offsets, per_sample_weights, include_last_offset
    )
    if mode not in _MODES:
        raise ValueError("mode has to be one of sum, mean or max")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError("max mode does not support scaling the gradient by the frequency")
    if mode == "max" and sparse:
        raise ValueError("max mode does not support sparse weights")
    if max_norm is not None:
        _limit_norms(weight, input, max_norm, norm_type)
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported "
            f"for mode='sum' (got mode='{mode}'). Please open a feature request on GitHub."
        )
    return ops.embedding_bag(
        weight, input, begins, scale_grad_by_freq, _MODES[mode], sparse, per_sample_weights,
        include_last_offset, padding_idx,
    )[0]  # fmt: skip


def _in_a_row(
    input: Tensor, offsets: Tensor | None, factors: Tensor | None, last_offset: bool
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Indices (N,), where bags begin, and factors (N,)."""
    if input.dim() == 2:
        if offsets is not None:
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of "
                f"fixed length sequences. However, found offsets of type {type(offsets)}"
            )
        bags, size = input.shape
        begins = ops.arange(bags + last_offset, device=input.device) * size
        return input.reshape(-1), begins, None if factors is None else factors.reshape(-1)
    if input.dim() == 1:
        if offsets is None:
            raise ValueError("offsets has to be a 1D Tensor but got None")
        if offsets.dim() != 1:
            raise ValueError("offsets has to be a 1D Tensor")
        return input, offsets, factors
    raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.dim()}")
