"""What linear algebra asks of its inputs, and raises. What it returns is in `return_types.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import either
from ..autograd import node as graph
from ..dtypes import FLOAT32, FLOAT64, scalar_name
from ..promotion import not_a_tensor

Array = Any


class LinAlgError(RuntimeError):
    """A matrix does not have what was asked for: an inverse, a factorization."""


def check_matrices(name: str, A: Any, argument: str = "A", floats: bool = True) -> Array:
    """The array of a Tensor of at least two dimensions, of float32 or float64."""
    if not isinstance(A, graph.Tensor):
        raise not_a_tensor(name.replace(".", "_"), argument, 1, A)
    array = A._array
    if array.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor {argument} must have at least 2 dimensions.")
    if floats:
        check_float(name, array)
    return array


# Functions that leave it to their kernels to refuse a dtype.
KERNELS = {
    "cholesky": "cholesky_cpu", "cholesky_solve": "cholesky_solve_cpu", "linalg.lu": "lu_cpu",
    "cholesky_inverse": "cholesky_inverse_out_cpu", "torch.lu_factor": "lu_cpu",
    "triangular_solve": "triangular_solve_cpu", "linalg.solve_triangular": "triangular_solve_cpu",
}  # fmt: skip


def check_float(name: str, array: Array) -> None:
    kind = scalar_name(array.dtype)
    if name in KERNELS and array.dtype not in (FLOAT32, FLOAT64):
        raise NotImplementedError(f"\"{KERNELS[name]}\" not implemented for '{kind}'")
    if array.dtype.kind != "f":
        raise RuntimeError(
            f"{name}: Expected a floating point or complex tensor as input. Got {kind}"
        )
    if array.dtype == np.float16:
        raise RuntimeError(f"{name}: Low precision dtypes not supported. Got {kind}")


def check_square(name: str, A: Any, floats: bool = True) -> Array:
    """The array of a Tensor of square matrices."""
    array = check_matrices(name, A, floats=False)
    rows, columns = array.shape[-2:]
    if rows != columns:
        raise RuntimeError(
            f"{name}: A must be batches of square matrices, "
            f"but they are {rows} by {columns} matrices"
        )
    if floats:
        check_float(name, array)
    return array


def raise_first(name: str, infos: Array, sentence: str) -> None:
    """LinAlgError for the first matrix of a batch whose info is not 0."""
    flat = infos.ravel()
    failed = np.flatnonzero(flat)
    if failed.size:
        where = f"(Batch element {failed[0]}): " if infos.ndim else ""
        raise LinAlgError(f"{name}: {where}{sentence.format(flat[failed[0]])}")


def each(matrices: Array, measure: Any) -> Array:
    """`measure` (an integer) of each matrix of a batch."""
    batch: Sequence[int] = matrices.shape[:-2]
    out = either.zeros(batch, matrices, np.int32)
    for at in np.ndindex(*batch):
        out[at] = measure(matrices[at])
    return out


def zero_pivot(matrix: Array) -> int:
    """The 1-based position of the first zero pivot of Gaussian elimination; 0 if there is none."""
    work = matrix.copy()
    for i in range(len(work)):
        best = i + int(np.argmax(np.abs(work[i:, i])))
        if work[best, i] == 0:
            return i + 1
        work[[i, best]] = work[[best, i]]
        work[i + 1 :, i:] -= np.outer(work[i + 1 :, i] / work[i, i], work[i, i:])
    return 0


def bad_minor(matrix: Array) -> int:
    """The order of the first leading minor that is not positive; 0 if all are."""
    for order in range(1, len(matrix) + 1):
        try:
            np.linalg.cholesky(matrix[:order, :order])
        except np.linalg.LinAlgError:
            return order
    return 0
