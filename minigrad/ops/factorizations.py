"""Orthogonal factorizations: QR, singular values, symmetric eigenvalues.

The formulas are those of Giles (2008), "Collected matrix derivative results", and Seeger et al.
(2017), "Auto-differentiating linear algebra". Where singular values or eigenvalues coincide, their
vectors have no derivative, and what is computed for it is infinite.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import either
from .. import return_types as results
from ..autograd.grad_mode import is_recording
from ..autograd.node import wrap
from ..autograd.out import into
from ..autograd.row import op
from ..dtypes import scalar_name
from .linalg_checks import LinAlgError, check_matrices, check_square
from .shape import transpose
from .solving import by_columns

Array = Any
Tensor = Any


def _on_diagonal(values: Any, xp: Any) -> Any:
    return xp.diag_embed(values, 0, -2, -1)


def _ones(values: Any, xp: Any) -> Any:
    """Identity matrices for rows of values."""
    return _on_diagonal(xp.zeros_like(values) + 1, xp)


def sum_of(*terms: Any) -> Any:
    """The sum of those terms that are there."""
    total = None
    for term in terms:
        if term is not None:
            total = term if total is None else total + term
    return total


# --- QR ------------------------------------------------------------------------------------------


def _qr_gradient(grads: Any, result: Any, result1: Any, mode: str, xp: Any) -> Any:
    Q, R = result, result1
    m, n = Q.shape[-2], R.shape[-1]
    _check_mode(mode, m, n)
    gQ, gR = grads
    if m >= n:
        return _tall_gradient(gQ, gR, Q, R, xp)
    # A = Q (R1 R2): what R2 says about Q joins its gradient, and Q R1 is a square QR.
    gR1, gR2 = (None, None) if gR is None else (gR[..., :m], gR[..., m:])
    if gR2 is not None:
        gQ = sum_of(gQ, Q @ R[..., m:] @ gR2.mT)
    first = _tall_gradient(gQ, gR1, Q, R[..., :m], xp)
    second = Q @ gR2 if gR2 is not None else xp.zeros_like(Q @ R[..., m:])
    return xp.cat([first, second], -1)


def _tall_gradient(gQ: Any, gR: Any, Q: Any, R: Any, xp: Any) -> Any:
    """(gQ + Q symmetric-from-the-lower-half(M)) R^-T, with M = R gR^T - gQ^T Q."""
    M = sum_of(None if gR is None else R @ gR.mT, None if gQ is None else -(gQ.mT @ Q))
    lower = xp.tril(M, 0)
    inside = sum_of(gQ, Q @ (lower + xp.tril(M, -1).mT))
    return xp.solve_system(R, inside.mT, True, False).mT


def _check_mode(mode: str, m: int, n: int) -> None:
    if mode == "complete" and m > n:
        raise RuntimeError(
            "The QR decomposition is not differentiable when mode='complete' and nrows > ncols"
        )
    if mode == "r":
        raise RuntimeError(
            "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please "
            "use linalg.qr(A, mode='reduced') if you are going to require gradients."
        )


@op("LinalgQrBackward0", A=_qr_gradient)
def _qr(A: Array, mode: Any) -> tuple[Array, Array]:
    if mode == "r":
        return either.empty(0, A), by_columns(np.linalg.qr(A, "r"))
    Q, R = np.linalg.qr(A, mode)
    return by_columns(Q), by_columns(R)


def linalg_qr(A: Tensor, mode: str = "reduced", *, out: Any = None) -> Any:
    """(Q, R) with `A = Q @ R`, of (..., m, n): Q has orthonormal columns, R is upper triangular.

    mode: "reduced": (m, k) and (k, n), k = min(m, n); "complete": (m, m) and (m, n); "r": R alone.
    """
    if out is not None:
        return into(out, linalg_qr, A, mode, exact=True)
    check_matrices("linalg.qr", A)
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', "
            "or 'complete'"
        )
    return results.linalg_qr(*_qr(A, mode))


def qr(input: Tensor, some: bool = True, *, out: Any = None) -> Any:
    """`linalg.qr` under its older name."""
    if out is not None:
        return into(out, qr, input, some, exact=True)
    return results.qr(*linalg_qr(input, "reduced" if some else "complete"))


# --- singular values -----------------------------------------------------------------------------


def _svd_gradient(grads: Any, result: Any, result1: Any, result2: Any, xp: Any) -> Any:
    S = result1
    k = S.shape[-1]
    U, Vh = result[..., :k], result2[..., :k, :]
    gU = None if grads[0] is None else grads[0][..., :k]
    gVh = None if grads[2] is None else grads[2][..., :k, :]
    core = None if grads[1] is None else _on_diagonal(grads[1], xp)
    if gU is None and gVh is None:
        return U @ core @ Vh
    squares = S * S
    gaps = xp.unsqueeze(squares, -2) - xp.unsqueeze(squares, -1) + _ones(S, xp)
    if gU is not None:
        core = sum_of(core, _skew(U.mT @ gU) / gaps * xp.unsqueeze(S, -2))
    if gVh is not None:
        core = sum_of(core, xp.unsqueeze(S, -1) * (_skew(Vh @ gVh.mT) / gaps))
    grad = U @ core @ Vh
    if gU is not None and U.shape[-2] > k:  # what moves the columns out of their span
        moved = gU / xp.unsqueeze(S, -2)
        grad = grad + (moved - U @ (U.mT @ moved)) @ Vh
    if gVh is not None and Vh.shape[-1] > k:
        moved = gVh / xp.unsqueeze(S, -1)
        grad = grad + U @ (moved - (moved @ Vh.mT) @ Vh)
    return grad


def _skew(M: Any) -> Any:
    return M - M.mT


@op("LinalgSvdBackward0", A=_svd_gradient)
def _svd(A: Array, full_matrices: bool) -> tuple[Array, Array, Array]:
    try:
        U, S, Vh = np.linalg.svd(A, full_matrices)
    except np.linalg.LinAlgError:
        raise LinAlgError(
            "linalg.svd: The algorithm failed to converge because the input matrix contained "
            "non-finite values."
        ) from None
    return by_columns(U), S, by_columns(Vh)


def _check_svd(A: Any) -> None:
    array = check_matrices("linalg.svd", A)
    if not np.isfinite(array).all():
        raise LinAlgError(
            "linalg.svd: The algorithm failed to converge because the input matrix contained "
            "non-finite values."
        )


def linalg_svd(
    A: Tensor, full_matrices: bool = True, *, driver: str | None = None, out: Any = None
) -> Any:
    """(U, S, Vh) with `A = U @ diag(S) @ Vh`, of (..., m, n); S falls. Without `full_matrices` U has
    k = min(m, n) columns and Vh k rows. A `driver` is for GPUs."""
    if out is not None:
        return into(out, linalg_svd, A, full_matrices, driver=driver, exact=True)
    if driver is not None:
        raise RuntimeError(
            "torch.linalg.svd: keyword argument `driver=` is only supported on CUDA inputs with "
            "cuSOLVER backend."
        )
    _check_svd(A)
    return results.linalg_svd(*_svd(A, full_matrices))


def linalg_svdvals(A: Tensor, *, driver: str | None = None, out: Any = None) -> Tensor:
    """The singular values of matrices, from the largest to the smallest."""
    if out is not None:
        return into(out, linalg_svdvals, A, driver=driver, exact=True)
    _check_svd(A)
    if A.requires_grad and is_recording():
        return _svd(A, False)[1]
    return wrap(np.linalg.svd(A._array, compute_uv=False))


def svd(input: Tensor, some: bool = True, compute_uv: bool = True, *, out: Any = None) -> Any:
    """(U, S, V) with `input = U @ diag(S) @ V.mT`: the older form of `linalg.svd`."""
    if out is not None:
        return into(out, svd, input, some, compute_uv, exact=True)
    if input._array.ndim < 2:
        raise RuntimeError(
            "linalg.svd: input should have at least 2 dimensions, but has "
            f"{input._array.ndim} dimensions instead"
        )
    _check_svd(input)
    if compute_uv:
        U, S, Vh = _svd(input, not some)
        return results.svd(U, S, transpose(Vh, -2, -1))
    array = input._array
    zeros = [either.zeros((*array.shape[:-2], n, n), array) for n in array.shape[-2:]]
    return results.svd(wrap(zeros[0]), linalg_svdvals(input), wrap(zeros[1]))


# --- symmetric eigenvalues -----------------------------------------------------------------------


def _eigh_gradient(grads: Any, result: Any, result1: Any, xp: Any) -> Any:
    L, V = result, result1
    gL, gV = grads
    if gV is None:
        return (V * xp.unsqueeze(gL, -2)) @ V.mT
    identity = _ones(L, xp)
    gaps = xp.unsqueeze(L, -2) - xp.unsqueeze(L, -1) + identity
    core = V.mT @ gV / gaps * (1 - identity)
    core = core if gL is None else core + _on_diagonal(gL, xp)
    grad = V @ core @ V.mT
    return (grad + grad.mT) * 0.5


@op("LinalgEighBackward0", A=_eigh_gradient)
def _eigh(A: Array, uplo: Any) -> tuple[Array, Array]:
    if not np.isfinite(A).all():
        return either.full(A.shape[:-1], np.nan, A.dtype, A), either.full(
            A.shape, np.nan, A.dtype, A
        )
    L, V = np.linalg.eigh(A, uplo)
    return L, by_columns(V)


def _check_eigh(A: Any, uplo: str) -> Any:
    array = check_square("linalg.eigh", A, floats=False)
    if uplo.upper() not in ("L", "U"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {uplo}")
    if array.dtype.kind != "f" or array.dtype == np.float16:
        kind = scalar_name(array.dtype)
        raise NotImplementedError(f"\"linalg_eigh_cpu\" not implemented for '{kind}'")
    return uplo.upper()


def linalg_eigh(A: Tensor, UPLO: str = "L", *, out: Any = None) -> Any:
    """(eigenvalues, eigenvectors) of symmetric matrices, of which the lower half is read (the upper
    for UPLO "U"): the values rise, the vectors are columns."""
    if out is not None:
        return into(out, linalg_eigh, A, UPLO, exact=True)
    return results.linalg_eigh(*_eigh(A, _check_eigh(A, UPLO)))


def linalg_eigvalsh(A: Tensor, UPLO: str = "L", *, out: Any = None) -> Tensor:
    """The eigenvalues of symmetric matrices, rising."""
    if out is not None:
        return into(out, linalg_eigvalsh, A, UPLO, exact=True)
    uplo = _check_eigh(A, UPLO)
    if (A.requires_grad and is_recording()) or not np.isfinite(A._array).all():
        return _eigh(A, uplo)[0]
    return wrap(np.linalg.eigvalsh(A._array, uplo))
