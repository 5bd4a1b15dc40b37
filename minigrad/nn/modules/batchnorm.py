"""Batch normalisation as modules: `BatchNorm1d`, `2d`, `3d` differ in the inputs that they take.

While training they normalise with the statistics of the batch and keep running ones, which are
used after `eval()`. `_NormBase` is also the base of instance normalisation (`instancenorm.py`).
"""

from __future__ import annotations

from typing import Any

from ... import ops
from ...tensor import Tensor
from .. import functional as F
from .. import init
from ..parameter import Parameter, UninitializedBuffer, UninitializedParameter
from .lazy import LazyModuleMixin
from .module import Module

__all__ = [
    "BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "LazyBatchNorm1d", "LazyBatchNorm2d",
    "LazyBatchNorm3d", "SyncBatchNorm",
]  # fmt: skip

Shape = tuple[int, ...]


class _NormBase(Module):
    """`weight` and `bias` (if `affine`), running statistics (if `track_running_stats`): all of
    shape (num_features,).

    `momentum` is the part of the way that the running statistics go in a step; None makes them the
    mean over all batches, which `num_batches_tracked` counts."""

    _version = 2  # state dicts of version 1 have no num_batches_tracked
    weight: Any
    bias: Any
    running_mean: Any
    running_var: Any
    num_batches_tracked: Any
    allowed: tuple[int, ...]  # numbers of dimensions of the input

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1,
        affine: bool = True, track_running_stats: bool = True, device: Any = None,
        dtype: Any = None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        self._make_parameters(bias, device, dtype)
        if track_running_stats:
            options = {"device": device, "dtype": dtype}
            self.register_buffer("running_mean", ops.zeros(num_features, **options))
            self.register_buffer("running_var", ops.ones(num_features, **options))
            self.register_buffer("num_batches_tracked", ops.tensor(0, device=device))
        else:
            for name in ("running_mean", "running_var", "num_batches_tracked"):
                self.register_buffer(name, None)
        self.reset_parameters()

    def _make_parameters(self, bias: bool, device: Any, dtype: Any) -> None:
        for name, is_there in (("weight", self.affine), ("bias", self.affine and bias)):
            parameter = None
            if is_there:
                parameter = Parameter(ops.empty(self.num_features, device=device, dtype=dtype))
            self.register_parameter(name, parameter)

    def reset_running_stats(self) -> None:
        """Sets the running mean to 0, the running variance to 1, the count to 0."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Resets the running statistics, the weight to ones and the bias to zeros."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() not in self.allowed:
            raise ValueError(f"expected {_dims(self.allowed)} input (got {input.dim()}D input)")

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, local_metadata: dict[str, Any], *args: Any
    ) -> None:
        key = prefix + "num_batches_tracked"
        if (local_metadata.get("version") or 1) < 2 and self.track_running_stats:
            if key not in state_dict:
                state_dict[key] = self.num_batches_tracked
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)


def _dims(allowed: tuple[int, ...]) -> str:
    return " or ".join(f"{n}D" for n in allowed)


class _BatchNorm(_NormBase):
    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        momentum = self.momentum
        if self.training and self.track_running_stats and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if momentum is None:
                momentum = 1.0 / self.num_batches_tracked.item()
        use_batch = self.training or (self.running_mean is None and self.running_var is None)
        keeps = not self.training or self.track_running_stats
        return F.batch_norm(
            input,
            self.running_mean if keeps else None,
            self.running_var if keeps else None,
            self.weight, self.bias, use_batch, momentum or 0.0, self.eps,
        )  # fmt: skip


class BatchNorm1d(_BatchNorm):
    """Of (B, C) or (B, C, L), each of C channels brought to mean 0 and variance 1."""

    allowed = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Of (B, C, H, W), each of C channels brought to mean 0 and variance 1."""

    allowed = (4,)


class BatchNorm3d(_BatchNorm):
    """Of (B, C, D, H, W), each of C channels brought to mean 0 and variance 1."""

    allowed = (5,)


class SyncBatchNorm(_BatchNorm):
    """`BatchNorm` of any input (B, C, ...) in one process, where there is nothing to synchronise.

    NotImplementedError for a process group: statistics over several processes are not supported."""

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1,
        affine: bool = True, track_running_stats: bool = True, process_group: Any = None,
        device: Any = None, dtype: Any = None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        if process_group is not None:
            raise NotImplementedError(
                "SyncBatchNorm: process groups are not supported; without one it normalises the "
                "batch of this process, as BatchNorm does"
            )
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias
        )
        self.process_group = process_group

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() < 2:
            raise ValueError(f"expected at least 2D input (got {input.dim()}D input)")


# --- lazy ones -----------------------------------------------------------------------------------


class _LazyNormBase(LazyModuleMixin, _NormBase):
    """The number of features is that of the first input."""

    weight: UninitializedParameter
    bias: UninitializedParameter

    def __init__(
        self, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
        track_running_stats: bool = True, device: Any = None, dtype: Any = None, *,
        bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(0, eps, momentum, False, False, device, dtype)
        self.affine = affine
        self.track_running_stats = track_running_stats
        options = {"device": device, "dtype": dtype}
        if affine:
            self.weight = UninitializedParameter(**options)
            if bias:
                self.bias = UninitializedParameter(**options)
        if track_running_stats:
            self.running_mean = UninitializedBuffer(**options)
            self.running_var = UninitializedBuffer(**options)
            self.num_batches_tracked = ops.tensor(0, device=device)

    def reset_parameters(self) -> None:
        if not self.has_uninitialized_params() and self.num_features:
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:  # type: ignore[override]
        if not self.has_uninitialized_params():
            return
        self.num_features = input.shape[1]
        tensors = [self.weight, self.bias] if self.affine else []
        if self.track_running_stats:
            tensors += [self.running_mean, self.running_var]
        for tensor in tensors:
            if tensor is not None:
                tensor.materialize((self.num_features,))
        self.reset_parameters()


class LazyBatchNorm1d(_LazyNormBase, _BatchNorm):
    """`BatchNorm1d` with as many features as the first input has channels."""

    allowed = (2, 3)
    cls_to_become = BatchNorm1d


class LazyBatchNorm2d(_LazyNormBase, _BatchNorm):
    """`BatchNorm2d` with as many features as the first input has channels."""

    allowed = (4,)
    cls_to_become = BatchNorm2d


class LazyBatchNorm3d(_LazyNormBase, _BatchNorm):
    """`BatchNorm3d` with as many features as the first input has channels."""

    allowed = (5,)
    cls_to_become = BatchNorm3d
