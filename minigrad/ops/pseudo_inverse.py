"""Matrices that have no inverse: pseudo-inverses, ranks and least squares.

The derivative of the pseudo-inverse is that of Golub and Pereyra (1973), "The differentiation of
pseudo-inverses and nonlinear least squares problems whose variables separate".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import either
from .. import return_types as results
from ..autograd.node import wrap
from ..autograd.out import into
from ..autograd.row import op
from ..dtypes import scalar_name
from .factorizations import linalg_svdvals, sum_of
from .linalg_checks import check_matrices

Array = Any
Tensor = Any


def pinv_gradient(grad: Any, A: Any, P: Any) -> Any:
    """The gradient of P = pinv(A) (Golub and Pereyra, 1973), in the cheaper of two groupings."""
    G = grad.mT
    if A.shape[-2] <= A.shape[-1]:
        K = G @ P
        KP = K @ P.mT
        return -((P @ K).mT) + KP - (A @ P) @ KP + (P.mT @ P) @ (G - K @ A)
    K = P @ G
    PK = P.mT @ K
    return -((K @ P).mT) + ((G - A @ K) @ P) @ P.mT + PK - (PK @ P) @ A


@op("LinalgPinvBackward0", A=lambda grad, A, result: pinv_gradient(grad, A, result))
def _pinv(A: Array, atol: Any, rtol: Any, hermitian: bool) -> Array:
    if hermitian:
        L, V = np.linalg.eigh(A)
        inverse = _reciprocals(L, either.greatest(np.abs(L), -1, 0), atol, rtol)
        return (V * inverse[..., None, :]) @ V.mT
    U, S, Vh = np.linalg.svd(A, False)
    inverse = _reciprocals(S, either.greatest(S, -1, 0), atol, rtol)
    return (Vh.mT * inverse[..., None, :]) @ U.mT


def _reciprocals(values: Array, largest: Array, atol: Any, rtol: Any) -> Array:
    """1 / value, and 0 for those that count as zero."""
    keep = np.abs(values) > _cutoff(largest, atol, rtol)[..., None]
    return np.where(keep, 1 / np.where(keep, values, 1), 0).astype(values.dtype)


def _cutoff(largest: Array, atol: Any, rtol: Any) -> Array:
    return either.as_array(np.maximum(atol, rtol * largest))


def _tolerances(array: Array, atol: Any, rtol: Any) -> tuple[Any, Any]:
    """By default max(m, n) times the resolution of the dtype, relative to the largest value."""
    atol, rtol = (getattr(t, "_array", t) for t in (atol, rtol))
    if rtol is None:
        default = max(array.shape[-2:]) * np.finfo(array.dtype).eps
        rtol = default if atol is None else np.where(np.asarray(atol) > 0, 0.0, default)
    return (0.0 if atol is None else atol), rtol


def linalg_pinv(
    A: Tensor,
    rcond: Any = None,
    hermitian: bool = False,
    *,
    atol: Any = None,
    rtol: Any = None,
    out: Any = None,
) -> Tensor:
    """The Moore-Penrose inverse; singular values up to max(atol, rtol * largest) count as zero."""
    if out is not None:
        return into(out, linalg_pinv, A, rcond, hermitian, atol=atol, rtol=rtol)
    array = A._array
    if array.ndim < 2 or array.dtype not in (np.float32, np.float64):
        kind, sizes = scalar_name(array.dtype), list(array.shape)
        raise RuntimeError(
            f"linalg.pinv({kind}{{{sizes}}}): expected a tensor with 2 or more dimensions of float, "
            "double, cfloat or cdouble types"
        )
    tolerances = _tolerances(array, atol, rcond if rtol is None else rtol)
    return _pinv(A, *tolerances, hermitian)


def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """`linalg.pinv` under its older name."""
    return linalg_pinv(input, rcond)


def linalg_matrix_rank(
    A: Tensor,
    tol: Any = None,
    hermitian: bool = False,
    *,
    atol: Any = None,
    rtol: Any = None,
    out: Any = None,
) -> Tensor:
    """The number of singular values above max(atol, rtol * largest)."""
    if out is not None:
        return into(out, linalg_matrix_rank, A, tol, hermitian, atol=atol, rtol=rtol)
    array = check_matrices("torch.linalg.matrix_rank", A, "input")
    if tol is not None:
        atol, rtol = tol, 0.0
    atol, rtol = _tolerances(array, atol, rtol)
    if hermitian:
        values = np.abs(np.linalg.eigvalsh(array))
    else:
        values = np.linalg.svd(array, compute_uv=False)
    cutoff = _cutoff(either.greatest(values, -1, 0), atol, rtol)
    return wrap(np.count_nonzero(values > cutoff[..., None], axis=-1))


def _is_vector(A: Any, B: Any) -> bool:
    """Whether each right side is one vector, not a matrix of columns."""
    return bool(B.ndim == A.ndim - 1 and B.shape == A.shape[:-1])


def _columns(grads: Any, A: Any, B: Any, X: Any, xp: Any) -> tuple[Any, Any, Any]:
    """The gradient of X, B and X, all as matrices."""
    if not _is_vector(A, B):
        return grads[0], B, X
    grad = grads[0] if grads[0] is None else xp.unsqueeze(grads[0], -1)
    return grad, xp.unsqueeze(B, -1), xp.unsqueeze(X, -1)


def _lstsq_gradient_a(grads: Any, A: Any, B: Any, result: Any, xp: Any) -> Any:
    """X = pinv(A) B, and the residuals are the sums of the squares of A X - B."""
    grad, B, result = _columns(grads, A, B, result, xp)
    through_x = grad if grad is None else grad @ B.mT
    of_x = through_x if through_x is None else pinv_gradient(through_x, A, xp.pseudo_inverse(A))
    if grads[1] is None or 0 in grads[1].shape:
        return of_x
    return sum_of(of_x, 2 * ((A @ result - B) * xp.unsqueeze(grads[1], -2)) @ result.mT)


def _lstsq_gradient_b(grads: Any, A: Any, B: Any, result: Any, xp: Any) -> Any:
    vector = _is_vector(A, B)
    grad, B, result = _columns(grads, A, B, result, xp)
    of_b = grad if grad is None else xp.pseudo_inverse(A).mT @ grad
    if grads[1] is not None and 0 not in grads[1].shape:
        of_b = sum_of(of_b, -2 * ((A @ result - B) * xp.unsqueeze(grads[1], -2)))
    return of_b[..., 0] if vector and of_b is not None else of_b


@op("LinalgLstsqBackward0", A=_lstsq_gradient_a, B=_lstsq_gradient_b)
def _lstsq(A: Array, B: Array, rtol: float, driver: str) -> tuple[Array, Array]:
    vector = _is_vector(A, B)
    B = B[..., None] if vector else B
    X = _by_qr(A, B) if driver == "gels" else _pinv.forward(A, 0.0, rtol, False) @ B
    X, residuals = _in_memory_of(A, X), _residuals(A, B, X, driver)
    return (X[..., 0] if vector else X), residuals


def _in_memory_of(A: Array, X: Array) -> Array:
    """LAPACK writes each column of the solution over that of `B`, in room for the longer one."""
    *batch, n, k = X.shape
    out = either.empty((*batch, k, max(A.shape[-2], n)), X).mT[..., :n, :]
    out[...] = X
    return out


def _by_qr(A: Array, B: Array) -> Array:
    """For matrices of full rank."""
    if A.shape[-2] >= A.shape[-1]:
        Q, R = np.linalg.qr(A)
        return np.linalg.solve(R, Q.mT @ B)
    Q, R = np.linalg.qr(A.mT)
    return Q @ np.linalg.solve(R.mT, B)


def _residuals(A: Array, B: Array, X: Array, driver: str) -> Array:
    m, n = A.shape[-2:]
    if driver == "gelsy" or m <= n or np.any(np.linalg.matrix_rank(A) < n):
        return either.empty(0, A)
    return either.as_array(((A @ X - B) ** 2).sum(-2))


def pseudo_inverse_array(A: Array) -> Array:
    """The pseudo-inverse with the default tolerance."""
    return _pinv.forward(A, *_tolerances(A, None, None), False)


def pseudo_inverse(A: Tensor) -> Tensor:
    """`linalg_pinv`, for formulas."""
    return linalg_pinv(A)


def _check_lstsq(a: Array, b: Array, driver: str | None) -> None:
    if a.dtype != b.dtype:
        raise RuntimeError(
            "torch.linalg.lstsq: Expected input and other to have the same dtype, but got input's "
            f"dtype {scalar_name(a.dtype)} and other's dtype {scalar_name(b.dtype)}"
        )
    if a.dtype not in (np.float32, np.float64):
        raise RuntimeError("This function doesn't handle types other than float and double")
    if driver not in (None, "gels", "gelsy", "gelsd", "gelss"):
        raise RuntimeError(
            "torch.linalg.lstsq: parameter `driver` should be one of (gels, gelsy, gelsd, gelss)"
        )


def linalg_lstsq(
    A: Tensor, B: Tensor, rcond: Any = None, *, driver: str | None = None, out: Any = None
) -> Any:
    """(solution, residuals, rank, singular_values) of the X that makes `A @ X - B` smallest.

    The rank is given for the drivers "gelsy" (default), "gelsd" and "gelss", singular values for
    the last two. The solution is that of the pseudo-inverse."""
    if out is not None:
        return into(out, linalg_lstsq, A, B, rcond, driver=driver)
    a, b = A._array, B._array
    if a.ndim < 2:
        raise RuntimeError("torch.linalg.lstsq: input must have at least 2 dimensions.")
    if not _is_vector(a, b) and (b.ndim < 2 or a.shape[-2] != b.shape[-2]):
        raise RuntimeError("torch.linalg.lstsq: input.size(-2) should match other.size(-2)")
    _check_lstsq(a, b, driver)
    rtol = max(a.shape[-2:]) * np.finfo(a.dtype).eps if rcond is None else float(rcond)
    solution, residuals = _lstsq(A, B, rtol, driver or "gelsy")
    empty = wrap(either.empty(0, a, np.int64))
    rank = empty if driver == "gels" else linalg_matrix_rank(A, rtol=rtol)
    values = (
        linalg_svdvals(A.detach()) if driver in ("gelsd", "gelss") else wrap(either.empty(0, a))
    )
    return results.linalg_lstsq(solution, residuals, rank, values)
