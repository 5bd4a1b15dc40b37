"""What linear algebra returns and raises: named tuples, `LinAlgError`, and checks of its inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import either
from ..autograd import node as graph
from ..dtypes import scalar_name
from ..promotion import not_a_tensor

Array = Any


class LinAlgError(RuntimeError):
    """A matrix does not have what was asked for: an inverse, a factorization."""


# --- named results -------------------------------------------------------------------------------


def _shown(self: Any) -> str:
    fields = ",\n".join(f"{n}={v!r}" for n, v in zip(self._fields, self, strict=True))
    return f"minigrad.return_types.{type(self).__name__}(\n{fields})"


class linalg_svd(NamedTuple):
    """`A = U @ diag(S) @ Vh`."""

    U: Any
    S: Any
    Vh: Any

    def __repr__(self) -> str:
        return _shown(self)


class svd(NamedTuple):
    """`A = U @ diag(S) @ V.mT`."""

    U: Any
    S: Any
    V: Any

    def __repr__(self) -> str:
        return _shown(self)


class linalg_qr(NamedTuple):
    """`A = Q @ R`."""

    Q: Any
    R: Any

    def __repr__(self) -> str:
        return _shown(self)


class qr(NamedTuple):
    """`A = Q @ R`."""

    Q: Any
    R: Any

    def __repr__(self) -> str:
        return _shown(self)


class linalg_eigh(NamedTuple):
    """`A = V @ diag(L) @ V.mT`."""

    eigenvalues: Any
    eigenvectors: Any

    def __repr__(self) -> str:
        return _shown(self)


class linalg_slogdet(NamedTuple):
    """`det(A) = sign * exp(logabsdet)`."""

    sign: Any
    logabsdet: Any

    def __repr__(self) -> str:
        return _shown(self)


class slogdet(NamedTuple):
    """`det(A) = sign * exp(logabsdet)`."""

    sign: Any
    logabsdet: Any

    def __repr__(self) -> str:
        return _shown(self)


class linalg_inv_ex(NamedTuple):
    """The inverse, and where elimination met a zero on the diagonal (0: nowhere)."""

    inverse: Any
    info: Any

    def __repr__(self) -> str:
        return _shown(self)


class linalg_cholesky_ex(NamedTuple):
    """The factor, and the order of the first minor that is not positive-definite (0: none)."""

    L: Any
    info: Any

    def __repr__(self) -> str:
        return _shown(self)


class linalg_lstsq(NamedTuple):
    """The solution of a least squares problem, and what came with it."""

    solution: Any
    residuals: Any
    rank: Any
    singular_values: Any

    def __repr__(self) -> str:
        return _shown(self)


class linalg_lu(NamedTuple):
    """`A = P @ L @ U`."""

    P: Any
    L: Any
    U: Any

    def __repr__(self) -> str:
        return _shown(self)


class linalg_lu_factor(NamedTuple):
    """Both factors of an LU factorization in one matrix, and the exchanges of rows."""

    LU: Any
    pivots: Any

    def __repr__(self) -> str:
        return _shown(self)


class linalg_lu_factor_ex(NamedTuple):
    """As `linalg_lu_factor`, and where U has a zero on its diagonal (0: nowhere)."""

    LU: Any
    pivots: Any
    info: Any

    def __repr__(self) -> str:
        return _shown(self)


class linalg_solve_ex(NamedTuple):
    """The solution of a system, and where elimination met a zero on the diagonal (0: nowhere)."""

    result: Any
    info: Any

    def __repr__(self) -> str:
        return _shown(self)


class triangular_solve(NamedTuple):
    """The solution of a triangular system, and a copy of its matrix."""

    solution: Any
    cloned_coefficient: Any

    def __repr__(self) -> str:
        return _shown(self)


# --- checks --------------------------------------------------------------------------------------


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


def check_float(name: str, array: Array) -> None:
    kind = scalar_name(array.dtype)
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
