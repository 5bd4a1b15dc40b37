"""Instance normalisation as modules: each channel of each sample for itself."""

from __future__ import annotations

from typing import Any

from ...tensor import Tensor
from ...warn import warn
from .. import functional as F
from .batchnorm import _LazyNormBase, _NormBase

__all__ = [
    "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d", "LazyInstanceNorm1d",
    "LazyInstanceNorm2d", "LazyInstanceNorm3d",
]  # fmt: skip


class _InstanceNorm(_NormBase):
    """(B, C, ...), or (C, ...) for a single sample. By default without parameters and without
    running statistics."""

    momentum: float

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float = 0.1, affine: bool = False,
        track_running_stats: bool = False, device: Any = None, dtype: Any = None, *,
        bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias
        )

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        single, batched = self.allowed
        channels = input.dim() - single
        if input.size(channels) != self.num_features:
            message = (
                f"input's size at dim={channels} to match num_features ({self.num_features}), but "
                f"got: {input.size(channels)}."
            )
            if self.affine:
                raise ValueError(f"expected {message}")
            warn(
                f"input's size at dim={channels} does not match num_features. You can silence this "
                "warning by not passing in num_features, which is not used because affine=False"
            )
        if input.dim() == batched:
            return self._normalized(input)
        return self._normalized(input.unsqueeze(0)).squeeze(0)

    def _normalized(self, input: Tensor) -> Tensor:
        return F.instance_norm(
            input, self.running_mean, self.running_var, self.weight, self.bias,
            self.training or not self.track_running_stats,
            self.momentum if self.momentum is not None else 0.0, self.eps,
        )  # fmt: skip


class InstanceNorm1d(_InstanceNorm):
    """Of (B, C, L) or (C, L)."""

    allowed = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """Of (B, C, H, W) or (C, H, W)."""

    allowed = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """Of (B, C, D, H, W) or (C, D, H, W)."""

    allowed = (4, 5)


class LazyInstanceNorm1d(_LazyNormBase, _InstanceNorm):
    """`InstanceNorm1d` with as many features as the first input has channels."""

    allowed = (2, 3)
    cls_to_become = InstanceNorm1d


class LazyInstanceNorm2d(_LazyNormBase, _InstanceNorm):
    """`InstanceNorm2d` with as many features as the first input has channels."""

    allowed = (3, 4)
    cls_to_become = InstanceNorm2d


class LazyInstanceNorm3d(_LazyNormBase, _InstanceNorm):
    """`InstanceNorm3d` with as many features as the first input has channels."""

    allowed = (4, 5)
    cls_to_become = InstanceNorm3d
