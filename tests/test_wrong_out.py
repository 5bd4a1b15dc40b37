"""Every function that takes `out=`, with tensors there that do not fit, and with some that do.

The lines are those of `op_lines.py` without a gradient. What is raised, which warning comes, and
what the tensor is afterwards (its shape, dtype, values, version, and whether it is what is
returned) are PyTorch's, except where `DIFFERENT_OUT` says that they are not.
"""

from __future__ import annotations

import ast
import re
import warnings
from typing import Any

import numpy as np
import pytest
import torch
from op_calls import Call
from oracle import LIBRARIES, Raised, without_library
from test_wrong_arguments import FUNCTIONS, LISTING, scopes_of

# `r` is the result without `out`; `base` is what else can be seen afterwards.
KINDS = {
    "right": "o = torch.zeros_like(r)", "empty": "o = torch.zeros(0, dtype=r.dtype)",
    "another shape": "o = torch.zeros(7, dtype=r.dtype)", "float32": "o = torch.zeros_like(r).float()",
    "int64": "o = torch.zeros_like(r).long()", "leaf": "o = torch.zeros_like(r).requires_grad_()",
    "result": "o = torch.zeros_like(r).requires_grad_() * 1",
    "view": "base = torch.zeros((2, *r.shape), dtype=r.dtype); o = base[1]",
    "no tensor": "o = 1.5",
    "an input with a gradient": "o = torch.zeros_like(r); x.requires_grad_()",
}  # fmt: skip


RANDOM = {"torch." + name for name in ("normal", "bernoulli", "multinomial")}
# Where something else is seen, mostly because ...
# - a few functions of PyTorch's compute in place in `out`, or take two steps (the version differs)
# - its kernels for exact functions (`abs`, `floor`) want the dtype of the result, minigrad casts
# - its sums compute in the dtype of `out`
# - `out` and inputs that require a gradient are looked at in another order, or not at all
# - `matrix_power` and `chain_matmul` have no `out` in minigrad
DIFFERENT_OUT = {
    "right": """
torch.nanmean torch.kron torch.matrix_power torch.chain_matmul
torch.arccos torch.arccosh torch.arcsin torch.arctanh torch.view_copy
""",
    "empty": """
torch.nanmean torch.kron torch.matrix_power torch.chain_matmul
torch.arccos torch.arccosh torch.arcsin torch.arctanh torch.view_copy
""",
    "another shape": """
torch.nanmean torch.narrow_copy torch.addbmm torch.kron
torch.matrix_power torch.chain_matmul torch.arccos torch.arccosh torch.arcsin torch.arctanh
torch.view_copy
""",
    "float32": """
torch.abs torch.sign torch.floor torch.ceil torch.trunc torch.frac torch.sgn torch.signbit
torch.heaviside torch.round torch.nan_to_num torch.clamp torch.clamp_min torch.clamp_max
torch.where torch.renorm torch.nanmean torch.max torch.min torch.linalg.vector_norm torch.norm
torch.all torch.any torch.kron torch.softmax torch.log_softmax
torch.matrix_power torch.clip torch.chain_matmul torch.absolute torch.arccos torch.arccosh
torch.arcsin torch.arctanh torch.conj_physical torch.fix torch.isneginf torch.isposinf torch.neg
torch.negative torch.inner torch.isin torch.linalg.vecdot
""",
    "int64": """
torch.signbit torch.sum torch.nansum torch.nanmean torch.prod torch.cumsum torch.cumprod
torch.all torch.any torch.cat torch.stack torch.matrix_power
torch.chain_matmul torch.column_stack torch.dstack torch.hstack torch.isneginf torch.isposinf
torch.vstack torch.isin torch.concat torch.concatenate torch.row_stack
""",
    "leaf": """
torch.quantile torch.tensordot torch.linalg.matrix_norm torch.linalg.matrix_power
torch.matrix_power torch.histc torch.chain_matmul torch.linalg.cond torch.special.ndtr
torch.inner torch.linalg.tensorinv torch.linalg.tensorsolve torch.view_copy torch.nanquantile
""",
    "result": """
torch.floor_divide torch.heaviside torch.quantile torch.diag torch.slice_scatter torch.tensordot
torch.linalg.matrix_norm torch.linalg.matrix_power torch.softmax torch.log_softmax
torch.matrix_power torch.histc torch.chain_matmul torch.alias_copy torch.conj_physical
torch.diagonal_copy torch.squeeze_copy torch.t_copy torch.linalg.cond torch.special.ndtr
torch.inner torch.linalg.tensorinv torch.linalg.tensorsolve torch.as_strided_copy
torch.expand_copy torch.permute_copy torch.select_copy torch.transpose_copy torch.unfold_copy
torch.unsqueeze_copy torch.view_copy torch.nanquantile
""",
    "view": """
torch.nanmean torch.kron torch.matrix_power torch.chain_matmul
torch.arccos torch.arccosh torch.arcsin torch.arctanh torch.view_copy
""",
    "no tensor": """
torch.add torch.sub torch.mul torch.div torch.floor_divide
torch.divide torch.multiply torch.subtract torch.true_divide torch.view_copy
""",
    "an input with a gradient": """
torch.eq torch.ne torch.lt torch.le torch.gt torch.ge torch.logical_not torch.logical_and
torch.logical_or torch.logical_xor torch.signbit torch.floor_divide torch.heaviside torch.argmax
torch.quantile torch.all torch.any torch.diag torch.slice_scatter torch.tensordot
torch.linalg.matrix_norm torch.linalg.matrix_power torch.softmax
torch.log_softmax torch.matrix_power torch.bucketize torch.searchsorted torch.histc
torch.chain_matmul torch.alias_copy torch.argmin torch.conj_physical torch.diagonal_copy
torch.isneginf torch.isposinf torch.squeeze_copy torch.t_copy torch.linalg.cond
torch.linalg.matrix_rank torch.special.ndtr torch.greater torch.greater_equal torch.inner
torch.isin torch.less torch.less_equal torch.not_equal torch.linalg.tensorinv
torch.linalg.tensorsolve torch.as_strided_copy torch.expand_copy torch.permute_copy
torch.select_copy torch.transpose_copy torch.unfold_copy torch.unsqueeze_copy torch.view_copy
torch.nanquantile torch.nonzero_static
""",
}
# The texts for another dtype differ from kernel to kernel.
CLASS_ALONE = {"float32", "int64", "no tensor"}


def first(name: str) -> Call | None:
    """The first line that is one call whose result is one tensor, and for which PyTorch has `out`."""
    for call in FUNCTIONS[name]:
        (scope, _), line = scopes_of(call)
        called: Any = ast.parse(line).body[0]
        if "x" in scope and re.fullmatch(
            r"torch[\w.]+", ast.unparse(getattr(called.value, "func", called))
        ):
            try:
                scope["r"] = eval(line, scope)
                eval(f"{line[:-1]}, out=torch.empty(0, dtype=r.dtype))", scope)
            except (TypeError, AttributeError, RuntimeError):  # it has no `out`, or several
                continue
            return call
    return None


def seen(library: Any, scope: dict[str, Any], line: str, kind: str) -> list[Any]:
    names = {n: t.clone() for n, t in scope.items() if isinstance(t, library.Tensor)}
    scope = {**scope, **names, "base": None}
    found: list[Any] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            scope["r"] = eval(line, scope)
            exec(KINDS[kind], scope)
            found.append(eval(f"{line[:-1]}, out=o)", scope) is scope["o"])
        except Exception as error:
            raised = Raised(error)
            text = raised.text.partition("\nException raised from")[0]
            plain = LISTING in text or kind in CLASS_ALONE
            found.append(
                (raised.kind, "" if plain else re.sub(r"^[\w:]+\(\): functions", "functions", text))
            )
    found += [text for w in caught if "resized" in (text := str(w.message).partition(" (Trig")[0])]
    if not isinstance(found[0], tuple):
        for t in (scope["o"], scope["base"]):
            found.append(isinstance(t, library.Tensor) and state(t))
    return found


def state(t: Any) -> list[Any]:
    version = "none" if t.is_inference() else t._version
    values = np.round(t.detach().double().numpy(), 3) + 0.0
    return [
        without_library(str(t.dtype)),
        tuple(t.shape),
        version,
        t.requires_grad,
        values.tolist(),
    ]


def both(call: Call, kind: str) -> list[Any]:
    torch.set_warn_always(True)
    scopes, line = scopes_of(call)
    with np.errstate(all="ignore"):
        return [seen(*pair, line, kind) for pair in zip(LIBRARIES, scopes, strict=True)]


@pytest.mark.parametrize(
    "name", [name for name in FUNCTIONS if name.startswith("torch.") and name not in RANDOM]
)
@pytest.mark.filterwarnings("ignore")
def test_out(name: str) -> None:
    call = first(name)
    for kind in KINDS if call else ():
        theirs, ours = both(call, kind)
        if name in DIFFERENT_OUT.get(kind, "").split():
            assert ours != theirs, f"{kind}: no difference is left: take it off the list"
        else:
            assert ours == theirs, kind
