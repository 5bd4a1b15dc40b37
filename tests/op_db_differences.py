"""Where minigrad knowingly differs from PyTorch in the operator database, and why.

A difference names the entries and the checks that it is about, and `when` narrows it to the samples
that show it. It must show: one that no longer does fails the test and has to be removed. `rare`
marks one that only the run of all samples meets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class Difference:
    reason: str
    entries: tuple[str, ...]  # names with their variants, as the test's ids have them
    checks: tuple[str, ...]  # of forward method operator inplace gradient second alias error
    when: Callable[[Any], bool] | None = None  # given the sample
    rare: bool = False

    def covers(self, check: str, sample: Any) -> bool:
        """`sample` is None for a variant that does not exist at all."""
        narrowed = self.when is None or (sample is not None and self.when(sample))
        return check in self.checks and narrowed


# The contents of these are whatever the memory held: dtype and shape are compared.
UNDEFINED_VALUES = {
    "empty", "empty_like", "empty_permuted", "empty_strided", "new_empty", "new_empty_strided", "resize_",
    "resize_as_",
}  # fmt: skip

# Singular vectors and eigenvectors are unique up to their signs, which are up to LAPACK's version:
# compared is what the sample's own `output_process_fn_grad` makes of them.
GAUGE_FREE = {"linalg.svd", "svd", "linalg.eigh", "linalg.eig"}

# Elementwise functions whose formula subtracts nearly equal numbers, in PyTorch too, so that small
# results have few correct digits (gelu: 1 + erf(x / sqrt(2)) for negative x; lgamma: its reflection at
# negative numbers): 4 ULPs of the largest.
CANCELS = {"lgamma", "nn.functional.gelu", "nn.functional.poisson_nll_loss", "special.ndtr"}

# PyTorch promises nothing about which of several equal elements these point at (it depends on the
# processor's vector instructions): any index at an equal element will do. The number tells where the
# dimension comes among the arguments after the first.
TIES = {"sort": 0, "argsort": 0, "topk": 1, "kthvalue": 1, "mode": 0}

DIFFERENCES: tuple[Difference, ...] = (
    Difference(
        "The difference of two norms near 20, in float32: 6 ULPs of 1.3. Norms are summed in float64 here and "
        "rounded once, in PyTorch in float32.",
        ("nn.functional.triplet_margin_loss", "nn.functional.triplet_margin_with_distance_loss"),
        ("forward",),
        when=lambda sample: sample.input.dtype == torch.int64,
    ),
    Difference(
        "An empty product of reflections does not depend on its input: here the gradients are empty, in PyTorch "
        "None.",
        ("linalg.householder_product",),
        ("gradient",),
        when=lambda sample: not sample.args[0].numel(),
    ),
    Difference(
        "The gradient of the first argument is zero where `src` was written; PyTorch 2.13 has it the wrong way "
        "round: for 4 elements, 2 of them overwritten, and weights 1, 2, 3, 4 it says 0, 2, 3, 0.",
        ("as_strided_scatter",),
        ("gradient", "second"),
    ),
    Difference(
        "float64 at -5.2: 1 + erf(x / sqrt(2)), where erf is half an ULP off either way, has nine digits.",
        ("special.ndtr",),
        ("forward", "out"),
        when=lambda sample: sample.input.dtype == torch.float64 and not sample.input.ndim,
    ),
    Difference(
        "Integers from 9 on: PyTorch computes erfc in float32, 32 ULPs off; here in float64, correctly rounded.",
        ("special.log_ndtr",),
        ("forward", "out"),
        when=lambda sample: sample.input.dtype == torch.int64,
    ),
    Difference(
        "`Tensor.__radd__(3, tensor)`, the method taken from the class and called on a number: a slot of "
        "a C class checks its `self`, a Python function does not. Operators never call it so.",
        ("__radd__", "__rmul__", "__rmod__", "__rpow__", "__rsub__"),
        ("error",),
        when=lambda sample: not isinstance(sample.input, torch.Tensor),
    ),
    Difference(
        "A first argument of shape (1,) or () grows to the result's shape in PyTorch's `addbmm_`; in place, "
        "minigrad never changes a shape.",
        ("addbmm",),
        ("inplace",),
        when=lambda sample: tuple(sample.input.shape) in ((1,), ()),
    ),
    Difference(
        "`out=` that shares memory with an input: PyTorch refuses; minigrad computes first and writes then, "
        "so the result is right.",
        ("kthvalue", "cat"),
        ("error",),
    ),
    Difference(
        "int64 `linspace` from 4.3 to -3: 3 of 50 values differ by one, where the float32 step rounds to "
        "either side of a whole number.",
        ("linspace", "linspace.tensor_overload"),
        ("forward",),
    ),
    Difference(
        "Second derivatives of p-norms (p > 2) at a zero vector: nan in PyTorch, 0 here.",
        ("linalg.norm.subgradients_at_zero",),
        ("second",),
    ),
    Difference(
        "Second derivatives of scaled_dot_product_attention of (batch, heads, ...) without dropout: "
        "PyTorch's kernel on the CPU has none; here they are those of the composition of ops.",
        ("nn.functional.scaled_dot_product_attention",),
        ("second",),
        when=lambda sample: sample.input.dim() == 4 and sample.kwargs["dropout_p"] == 0.0,
    ),
    Difference(
        "`sparse=True`: gradients are dense here, and asking for sparse ones is refused by a sentence.",
        ("nn.functional.embedding", "nn.functional.embedding_bag"),
        ("forward",),
        when=lambda sample: bool(sample.kwargs.get("sparse")),
    ),
    Difference(
        "The second derivative with a bias and no weight: PyTorch raises an internal error.",
        ("native_layer_norm",),
        ("second",),
        when=lambda sample: sample.args[1] is None and sample.args[2] is not None,
    ),
)
