"""PyTorch's `torch.linalg`: inverses, factorizations, norms and products of matrices.

The work is done in `ops/solving.py` (inverses, systems, determinants, Cholesky),
`ops/factorizations.py` (QR, singular values, eigenvalues), `ops/matrices.py` and `ops/norms.py`.
Matrices are the last two dimensions of a Tensor; those before are a batch.
"""

from .ops import linalg_cholesky as cholesky
from .ops import linalg_cholesky_ex as cholesky_ex
from .ops import linalg_cond as cond
from .ops import linalg_cross as cross
from .ops import linalg_det as det
from .ops import linalg_diagonal as diagonal
from .ops import linalg_eigh as eigh
from .ops import linalg_eigvalsh as eigvalsh
from .ops import linalg_householder_product as householder_product
from .ops import linalg_inv as inv
from .ops import linalg_inv_ex as inv_ex
from .ops import linalg_lstsq as lstsq
from .ops import linalg_lu as lu
from .ops import linalg_lu_factor as lu_factor
from .ops import linalg_lu_factor_ex as lu_factor_ex
from .ops import linalg_lu_solve as lu_solve
from .ops import linalg_matrix_exp as matrix_exp
from .ops import linalg_matrix_norm as matrix_norm
from .ops import linalg_matrix_power as matrix_power
from .ops import linalg_matrix_rank as matrix_rank
from .ops import linalg_multi_dot as multi_dot
from .ops import linalg_norm as norm
from .ops import linalg_pinv as pinv
from .ops import linalg_qr as qr
from .ops import linalg_slogdet as slogdet
from .ops import linalg_solve as solve
from .ops import linalg_solve_ex as solve_ex
from .ops import linalg_solve_triangular as solve_triangular
from .ops import linalg_svd as svd
from .ops import linalg_svdvals as svdvals
from .ops import linalg_tensorinv as tensorinv
from .ops import linalg_tensorsolve as tensorsolve
from .ops import linalg_vander as vander
from .ops import linalg_vecdot as vecdot
from .ops import linalg_vector_norm as vector_norm
from .ops import matmul
from .ops.linalg_checks import LinAlgError

__all__ = [
    "LinAlgError", "cholesky", "cholesky_ex", "cond", "cross", "det", "diagonal", "eigh",
    "eigvalsh", "householder_product", "inv", "inv_ex", "lstsq", "lu", "lu_factor",
    "lu_factor_ex", "lu_solve", "matmul", "matrix_exp", "matrix_norm", "matrix_power",
    "matrix_rank", "multi_dot", "norm", "pinv", "qr", "slogdet", "solve", "solve_ex",
    "solve_triangular", "svd", "svdvals", "tensorinv", "tensorsolve", "vander", "vecdot",
    "vector_norm",
]  # fmt: skip


def __getattr__(name: str) -> object:
    if name in ("eig", "eigvals"):
        raise AttributeError(
            f"minigrad has no linalg.{name}: eigenvalues of a matrix that is not symmetric are complex "
            "numbers, which it does not have. For symmetric matrices there are eigh and eigvalsh"
        )
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
