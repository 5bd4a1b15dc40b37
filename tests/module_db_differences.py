"""Where minigrad knowingly differs from PyTorch in the module database, and why.

As in `op_db_differences.py`: a difference names entries and checks, `when` narrows it to samples
that show it, and one that no longer shows fails the test and has to be removed.
"""

from __future__ import annotations

from op_db_differences import Difference

DIFFERENCES: tuple[Difference, ...] = (
    Difference(
        "Second derivatives of scaled_dot_product_attention: PyTorch's kernel on the CPU has none; here "
        "they are those of the composition of ops.",
        (
            "TransformerEncoderLayer",
            "TransformerDecoderLayer",
            "TransformerEncoder",
            "Transformer",
        ),
        ("second",),
    ),
)
