"""`out=` of every function that takes it: which dtypes it may have, and what then stands in it.

minigrad writes a result wherever it can be cast; several functions of PyTorch refuse (`LENIENT`).
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from op_lines import CALLS
from oracle import LIBRARIES, Raised, _run, compare
from test_bent_calls import arrays_of, line_of

import minigrad

DTYPES = ("float64", "float32", "int64")
# PyTorch wants another dtype, or the very one of the result.
LENIENT = (
    "torch.remainder torch.lerp torch.heaviside torch.round torch.nan_to_num torch.where torch.renorm "
    "torch.sum torch.linalg.vector_norm torch.norm torch.linalg.lstsq torch.linalg.matrix_power "
    "torch.as_strided_scatter torch.softmax torch.log_softmax torch.clip torch.linalg.vecdot "
    "torch.linalg.norm torch.argsort torch.all torch.any torch.isin torch.signbit torch.isposinf "
    "torch.isneginf torch.inner torch.det torch.neg torch.conj_physical torch.special.softmax "
    "torch.special.round torch.special.log_softmax"
)
STRICT = ["torch.prod", "torch.cumsum", "torch.cumprod"]  # PyTorch computes in the dtype of `out`
SPACES = {
    "torch": minigrad, "torch.linalg": minigrad.linalg, "torch.special": minigrad.special,
    "torch.nn.functional": minigrad.nn.functional,
}  # fmt: skip
x, y, S, v = "c[:3, :3]", "c[:3, :2]", "(c[:3, :3] @ c[:3, :3].mT)", "c[0]"

# Functions that no line of `op_lines.py` calls as a whole.
MORE = """
torch.linalg.inv({x}); torch.linalg.det({x}); torch.linalg.slogdet({x}); torch.linalg.solve({x}, {y})
torch.linalg.cholesky({S}); torch.linalg.qr({x}); torch.linalg.eigvalsh({S}); torch.linalg.inv_ex({x})
torch.linalg.solve_ex({x}, {y}); torch.linalg.cholesky_ex({S}); torch.linalg.lu_factor_ex({x})
torch.linalg.householder_product({y}, {v}[:2]); torch.linalg.tensorsolve({x}, {v}[:3]); torch.linalg.vecdot({x}, {x})
torch.linalg.tensorinv({x}, 1); torch.linalg.matrix_rank({x}); torch.linalg.cond({x}); torch.linalg.pinv({x})
torch.linalg.norm({x}); torch.linalg.cross({x}, {x}.mT); torch.linalg.vander({v}); torch.linalg.ldl_factor({S})
torch.linalg.lu({x}); torch.linalg.lu_factor({x}); torch.linalg.svdvals({x}); torch.linalg.multi_dot(({x}, {y}))
torch.arange(3); torch.linspace(0, 1, 3); torch.logspace(0, 1, 3); torch.eye(2); torch.zeros(2); torch.ones(2)
torch.full((2,), 1.5); torch.range(0, 2); torch.tril({x}); torch.triu({x}); torch.cat(({x}, {x})); torch.stack(({v}, {v}))
torch.hstack(({v}, {v})); torch.vstack(({v}, {v})); torch.dstack(({v}, {v})); torch.column_stack(({v}, {v}))
torch.msort({x}); torch.argsort({x}); torch.nonzero({x}); torch.searchsorted({v}, {x}); torch.bucketize({x}, {v})
torch.isin({x}, {v}); torch.histc({x}, 3); torch.cholesky_inverse({S}); torch.cholesky_solve({y}, {S}); torch.ger({v}, {v})
torch.logaddexp({x}, {x}); torch.signbit({x}); torch.isposinf({x}); torch.isneginf({x}); torch.index_select({x}, 0, i)
torch.gather({x}, 0, i[:, None]); torch.take({x}, i); torch.take_along_dim({x}, i[:, None], 0)
torch.linalg.matrix_power({x}, 2); torch.histogram({x}); torch.quantile({x}, 0.5); torch.nanquantile({x}, 0.5)
torch.std({x}, 0); torch.var({x}, 0); torch.mean({x}, 0); torch.nanmean({x}, 0); torch.cross({x}, {x}.mT); torch.dot({v}, {v})
torch.inverse({x}); torch.logdet({x}); torch.orgqr({y}, {v}[:2]); torch.qr({x})
torch.triangular_solve({y}, {x}); torch.svd({x}); torch.linalg.eigh({S}); torch.linalg.svd({x}); torch.inner({v}, {v})
torch.det({x}); torch.frexp({x}); torch.argmin({x}); torch.row_stack(({v}, {v})); torch.concat(({x}, {x})); torch.neg({x})
torch.alias_copy({x}); torch.as_strided_copy({x}, (2,), (1,)); torch.diagonal_copy({x}); torch.expand_copy({v}, (2, 4))
torch.permute_copy({x}, (1, 0)); torch.select_copy({x}, 0, 1); torch.squeeze_copy({x}); torch.t_copy({x}); torch.view_copy({x}.contiguous(), (9,))
torch.transpose_copy({x}, 0, 1); torch.unfold_copy({v}, 0, 2, 1); torch.unsqueeze_copy({x}, 0); torch.nonzero_static({x}, size=2)
torch.lu_solve({y}, *torch.linalg.lu_factor({x})); torch.divide({x}, {x}); torch.subtract({x}, {x}); torch.conj_physical({x})
torch.nn.functional.avg_pool3d(c[None, None, None], 2, 1, 1); torch.nn.functional.normalize({x}); torch.arctan2({x}, {x})
torch.linalg.matmul({x}, {y}); torch.special.softmax({x}, 0); torch.special.logsumexp({x}, 0); torch.special.round({x})
torch.special.xlogy({x}, {x}); torch.special.ndtr({x}); torch.special.log_softmax({x}, 0); torch.true_divide({x}, {x})
torch.special.polygamma(1, {x}); torch.special.multigammaln({x} + 5, 2); torch.special.logit({x}); torch.polar({x}, {x})
"""  # noqa: E501


def path_of(line: str) -> str:
    return re.sub(r"^F\.", "torch.nn.functional.", line).partition("(")[0]


def takes_out(path: str) -> bool:
    space, _, name = path.rpartition(".")
    function = getattr(SPACES.get(space), name, None)
    try:
        return "out" in inspect.signature(function).parameters if callable(function) else False
    except ValueError:
        return False


def whole(line: str) -> bool:
    """Whether the first bracket of the line closes at its end."""
    depth = 0
    for i, letter in enumerate(line):
        depth += (letter == "(") - (letter == ")")
        if letter == ")" and not depth:
            return i == len(line) - 1
    return False


def programs() -> Iterator[tuple[str, dict[str, Any]]]:
    """A call of each function that takes `out`, and its tensors, which need no gradient."""
    for call in CALLS:
        line = line_of(call)
        if (
            whole(line)
            and takes_out(path_of(line))
            and "normal" not in line
            and "noulli" not in line
        ):
            renamed = re.sub(r"(?<![\w.'])([xyzw])\b(?!\w*=)", r"c\1", line)
            yield renamed, {n if n in "cd" else f"c{n}": a for n, a in arrays_of(call).items()}
    values = {"c": np.linspace(1, 3, 16).reshape(4, 4) ** 2 % 1.7, "i": np.array([0, 2, 1])}
    for line in MORE.format(x=x, y=y, S=S, v=v).replace("\n", "; ").split("; "):
        if line:
            yield line, values


PROGRAMS = list({path_of(line): (line, arrays) for line, arrays in programs()}.values())


def given(library: Any, line: str, arrays: dict[str, Any], dtype: str) -> Any:
    """(what is returned, what stands in `out`) or what was raised."""
    found = _run(library, line, arrays)[0]
    one = f"torch.empty(0, dtype=torch.{dtype})"
    out = f"({f'{one}, ' * len(found)})" if isinstance(found, tuple) else one
    program = f"out = {out}\nr = {line[:-1]}, out=out)\n(r, out)"
    return _run(library, re.sub(r"\bF\.", "torch.nn.functional.", program), arrays)[0]


def ends(line: str, arrays: dict[str, Any], dtype: str) -> str:
    """Whether minigrad is more lenient or stricter, or the result differs; empty if none of it."""
    theirs, ours = (given(library, line, arrays, dtype) for library in LIBRARIES)
    if isinstance(theirs, Raised):
        return "" if isinstance(ours, Raised) else "lenient"
    if isinstance(ours, Raised):
        return "strict"
    compare(theirs, ours, 1 << 12, line, norm=True)
    return ""


@pytest.mark.parametrize(("line", "arrays"), PROGRAMS, ids=[line for line, _ in PROGRAMS])
def test_out_of_every_dtype(line: str, arrays: dict[str, Any]) -> None:
    found = {ends(line, arrays, dtype) for dtype in DTYPES} - {""}
    known = {"lenient": LENIENT.split(), "strict": STRICT}
    assert found == {how for how, paths in known.items() if path_of(line) in paths}
