"""PyTorch's `torch.linalg`: inverses, factorizations, norms and products of matrices.

The work is done in `ops/solving.py` (inverses, systems, determinants, Cholesky),
`ops/factorizations.py` (QR, singular values, eigenvalues), `ops/matrices.py` and `ops/norms.py`.
Matrices are the last two dimensions of a Tensor; those before are a batch.
"""

from .ops import linalg_cholesky as cholesky
from .ops import linalg_cholesky_ex as cholesky_ex
from .ops import linalg_cross as cross
from .ops import linalg_det as det
from .ops import linalg_diagonal as diagonal
from .ops import linalg_eigh as eigh
from .ops import linalg_eigvalsh as eigvalsh
from .ops import linalg_inv as inv
from .ops import linalg_inv_ex as inv_ex
from .ops import linalg_lstsq as lstsq
from .ops import linalg_matrix_norm as matrix_norm
from .ops import linalg_matrix_power as matrix_power
from .ops import linalg_matrix_rank as matrix_rank
from .ops import linalg_multi_dot as multi_dot
from .ops import linalg_norm as norm
from .ops import linalg_pinv as pinv
from .ops import linalg_qr as qr
from .ops import linalg_slogdet as slogdet
from .ops import linalg_solve as solve
from .ops import linalg_svd as svd
from .ops import linalg_svdvals as svdvals
from .ops import linalg_vector_norm as vector_norm
from .ops import matmul
from .ops.linalg_results import LinAlgError

__all__ = [
    "LinAlgError", "cholesky", "cholesky_ex", "cross", "det", "diagonal", "eigh", "eigvalsh",
    "inv", "inv_ex", "lstsq", "matmul", "matrix_norm", "matrix_power", "matrix_rank", "multi_dot",
    "norm", "pinv", "qr", "slogdet", "solve", "svd", "svdvals", "vector_norm",
]  # fmt: skip
