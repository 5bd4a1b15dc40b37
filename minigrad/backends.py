"""Switches of numeric libraries that PyTorch uses; scripts set them, and here they change nothing."""

from __future__ import annotations


class _Absent:
    """A library or device that is not used here."""

    @staticmethod
    def is_available() -> bool:
        return False

    @staticmethod
    def is_built() -> bool:
        return False


class cudnn(_Absent):
    """Flags of NVIDIA's cuDNN: on a CPU every run is deterministic anyway."""

    enabled = True
    deterministic = False
    benchmark = False
    allow_tf32 = True

    @staticmethod
    def version() -> None:
        """cuDNN's version; None, as it is not used."""
        return


class _Matmul:
    """How a GPU multiplies matrices."""

    allow_tf32 = False
    allow_fp16_reduced_precision_reduction = True
    allow_bf16_reduced_precision_reduction = True


class cuda(_Absent):
    """NVIDIA's GPUs."""

    matmul = _Matmul


class mps(_Absent):
    """Apple's GPU."""


class mkl(_Absent):
    """Intel's library: NumPy brings a BLAS library of its own."""


class mkldnn(_Absent):
    """Intel's library for neural networks."""

    enabled = False


class openmp(_Absent):
    """Threads by OpenMP."""
