"""The named tuples that ops with several results return: `x.sort().indices`."""

from collections import namedtuple
from typing import Any


class _Shown:
    """One line per field, as PyTorch shows them."""

    __slots__ = ()

    def __repr__(self) -> str:
        named: Any = self
        lines = ",\n".join(f"{f}={v!r}" for f, v in zip(named._fields, named, strict=True))
        return f"minigrad.return_types.{type(self).__name__}(\n{lines})"


class _ValuesAndIndices(_Shown, namedtuple("_ValuesAndIndices", "values indices")):
    __slots__ = ()


class max(_ValuesAndIndices):
    """`(values, indices)` of `max` along a dimension."""


class min(_ValuesAndIndices):
    """`(values, indices)` of `min` along a dimension."""


class sort(_ValuesAndIndices):
    """`(values, indices)` of `sort`."""


class topk(_ValuesAndIndices):
    """`(values, indices)` of `topk`."""


class kthvalue(_ValuesAndIndices):
    """`(values, indices)` of `kthvalue`."""


class median(_ValuesAndIndices):
    """`(values, indices)` of `median` along a dimension."""


class nanmedian(_ValuesAndIndices):
    """`(values, indices)` of `nanmedian` along a dimension."""


class mode(_ValuesAndIndices):
    """`(values, indices)` of `mode`."""


class cummax(_ValuesAndIndices):
    """`(values, indices)` of `cummax`."""


class cummin(_ValuesAndIndices):
    """`(values, indices)` of `cummin`."""


class aminmax(_Shown, namedtuple("aminmax", "min max")):
    """`(min, max)` of `aminmax`."""


class frexp(_Shown, namedtuple("frexp", "mantissa exponent")):
    """`(mantissa, exponent)` of `frexp`."""


class histogram(_Shown, namedtuple("histogram", "hist bin_edges")):
    """`(hist, bin_edges)` of `histogram`."""


class histogramdd(_Shown, namedtuple("histogramdd", "hist bin_edges")):
    """`(hist, bin_edges)` of `histogramdd`; one Tensor of edges for each dimension."""


# --- linear algebra ------------------------------------------------------------------------------


class linalg_svd(_Shown, namedtuple("linalg_svd", "U S Vh")):
    """`A = U @ diag(S) @ Vh`."""


class svd(_Shown, namedtuple("svd", "U S V")):
    """`A = U @ diag(S) @ V.mT`."""


class linalg_qr(_Shown, namedtuple("linalg_qr", "Q R")):
    """`A = Q @ R`."""


class qr(_Shown, namedtuple("qr", "Q R")):
    """`A = Q @ R`."""


class linalg_eigh(_Shown, namedtuple("linalg_eigh", "eigenvalues eigenvectors")):
    """`A = V @ diag(L) @ V.mT`."""


class linalg_slogdet(_Shown, namedtuple("linalg_slogdet", "sign logabsdet")):
    """`det(A) = sign * exp(logabsdet)`."""


class slogdet(_Shown, namedtuple("slogdet", "sign logabsdet")):
    """`det(A) = sign * exp(logabsdet)`."""


class linalg_inv_ex(_Shown, namedtuple("linalg_inv_ex", "inverse info")):
    """The inverse, and where elimination met a zero on the diagonal (0: nowhere)."""


class linalg_cholesky_ex(_Shown, namedtuple("linalg_cholesky_ex", "L info")):
    """The factor, and the order of the first minor that is not positive-definite (0: none)."""


class linalg_lstsq(_Shown, namedtuple("linalg_lstsq", "solution residuals rank singular_values")):
    """The solution of a least squares problem, and what came with it."""


class linalg_lu(_Shown, namedtuple("linalg_lu", "P L U")):
    """`A = P @ L @ U`."""


class linalg_lu_factor(_Shown, namedtuple("linalg_lu_factor", "LU pivots")):
    """Both factors of an LU factorization in one matrix, and the exchanges of rows."""


class linalg_lu_factor_ex(_Shown, namedtuple("linalg_lu_factor_ex", "LU pivots info")):
    """As `linalg_lu_factor`, and where U has a zero on its diagonal (0: nowhere)."""


class linalg_solve_ex(_Shown, namedtuple("linalg_solve_ex", "result info")):
    """The solution of a system, and where elimination met a zero on the diagonal (0: nowhere)."""


class triangular_solve(_Shown, namedtuple("triangular_solve", "solution cloned_coefficient")):
    """The solution of a triangular system, and a copy of its matrix."""
