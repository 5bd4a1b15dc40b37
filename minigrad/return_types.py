"""The named tuples that ops with several results return: `x.sort().indices`."""

from collections import namedtuple
from typing import Any

PAIR = ("values", "indices")
FIELDS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("cummax", "cummin", "kthvalue", "max", "median", "min", "mode", "nanmedian", "sort", "topk"), PAIR
    ),
    "aminmax": ("min", "max"),
    "frexp": ("mantissa", "exponent"),
    "histogram": ("hist", "bin_edges"),
    "histogramdd": ("hist", "bin_edges"),  # a Tensor of edges for each dimension
    "linalg_cholesky_ex": ("L", "info"),  # the first minor that is not positive-definite (0: none)
    "linalg_eigh": ("eigenvalues", "eigenvectors"),
    "linalg_inv_ex": ("inverse", "info"),  # where elimination met a zero on the diagonal (0: nowhere)
    "linalg_lstsq": ("solution", "residuals", "rank", "singular_values"),
    "linalg_lu": ("P", "L", "U"),
    "linalg_lu_factor": ("LU", "pivots"),  # both factors in one matrix, and the exchanges of rows
    "linalg_lu_factor_ex": ("LU", "pivots", "info"),
    "linalg_qr": ("Q", "R"),
    "linalg_slogdet": ("sign", "logabsdet"),
    "linalg_solve_ex": ("result", "info"),
    "linalg_svd": ("U", "S", "Vh"),
    "qr": ("Q", "R"),
    "slogdet": ("sign", "logabsdet"),
    "svd": ("U", "S", "V"),
    "triangular_solve": ("solution", "cloned_coefficient"),
}  # fmt: skip


class Shown:
    """One line per field, as PyTorch shows them."""

    __slots__ = ()

    def __repr__(self) -> str:
        named: Any = self
        lines = ",\n".join(f"{f}={v!r}" for f, v in zip(named._fields, named, strict=True))
        return f"minigrad.return_types.{type(self).__name__}(\n{lines})"


def __getattr__(name: str) -> Any:
    """The class of this name, made when it is first asked for: to make all takes a while."""
    if name not in FIELDS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    members = {"__slots__": (), "__module__": __name__, "__doc__": f"What `{name}` returns."}
    made = type(name, (Shown, namedtuple(name, FIELDS[name])), members)
    globals()[name] = made
    return made


def __dir__() -> list[str]:
    return sorted({*globals(), *FIELDS})
