"""NVIDIA's GPUs, as a library to compute with: not used, but the switches can be set."""

from __future__ import annotations


class _Matmul:
    """How a GPU multiplies matrices."""

    __slots__ = (
        "allow_bf16_reduced_precision_reduction",
        "allow_fp16_reduced_precision_reduction",
        "allow_tf32",
        "fp32_precision",
    )

    def __init__(self) -> None:
        self.allow_tf32 = False
        self.fp32_precision = "none"
        self.allow_fp16_reduced_precision_reduction = True
        self.allow_bf16_reduced_precision_reduction = True


matmul = _Matmul()


def is_available() -> bool:
    """Whether tensors can be on one."""
    return False


def is_built() -> bool:
    """Whether there is code for them."""
    return False
