"""What an op leaves behind besides its values: versions of what it wrote into, memory of its own for
each result, the signs of zeros, and errors that only some arguments lead to."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from both import on_both
from op_calls import Call
from op_lines import CALLS
from oracle import LIBRARIES, flat, reals, same
from test_op_alternatives import programs
from test_op_forms import first_words
from test_properties import ALONE, attempt

X = reals(3, 4)

# Each ends with what was written into; its version is compared.
WRITTEN = [
    "for _ in range(3): (x * 2).sum().backward()\nx.grad",
    "torch.add(c, c, out=o)\no", "torch.sum(c, 0, out=o)\no", "torch.mm(c, c.mT, out=o)\no",
    "torch.sort(c, out=(o, i))\no", "torch.sort(c, out=(o, i))\ni", "torch.max(c, 0, out=(o, i))\ni",
    "torch.frexp(c, out=(o, i.int()))\no", "torch.cat((c, c), out=o)\no", "torch.arange(4.0, out=p)\np",
    "o.resize_(2).zero_()\no", "o.resize_(2)\no.resize_(2).zero_()\no", "o.resize_as_(c).zero_()\no",
    "c.t_()\nc", "c.squeeze_()\nc", "c.unsqueeze_(0)\nc", "c.transpose_(0, 1)\nc", "c.swapaxes_(0, 1)\nc",
    "c.as_strided_((2,), (1,))\nc", "c.detach_()\nc", "c.requires_grad_()\nc",
    "c[0] = 1\nc", "c[c > 0] = 1\nc", "c.index_put_((j,), c[:1])\nc", "c.index_fill_(0, j, 2)\nc",
    "c.masked_fill_(c > 0, 1)\nc", "c.scatter_(0, j[:, None], 2.0)\nc", "c.index_add_(0, j, c[:1])\nc",
    "c.random_()\nc.zero_()", "c.normal_()\nc.zero_()", "c.uniform_()\nc.zero_()", "c.bernoulli_()\nc.zero_()",
    "c.sort()\nc", "c.copy_(c)\nc", "c.tril_()\nc", "c.cumsum_(0)\nc", "c.frac_()\nc",
    "c.data.add_(1)\nc", "c.detach().add_(1)\nc", "c[0].add_(1)\nc", "torch.unbind(c)[0].add_(1)\nc",
    "F.embedding(j, c, max_norm=0.1)\nc", "F.embedding(j, c, max_norm=9.0)\nc",
    "F.embedding_bag(j[None], c, max_norm=0.1)\nc", "F.relu(c, inplace=True)\nc", "F.dropout(c, 0.0, True, True)\nc",
    "F.batch_norm(c, p, p + 1, training=True)\np", "F.batch_norm(c, p, p + 1)\np",
    "F.batch_norm(c, p, q, training=True, momentum=0.0)\nq",
    "F.instance_norm(c[None], q[:3], q[:3])\nq", "F.rrelu(c, inplace=True, training=True)\nc.zero_()",
    "b = torch.nn.BatchNorm1d(4).double()\nb(c)\nb(c)\nb.num_batches_tracked",
    "torch.nn.init.ones_(c)\nc", "torch.nn.init.eye_(c)\nc", "torch.nn.init.dirac_(c[:, :, None])\nc",
    "torch.nn.utils.vector_to_parameters(c.view(-1), [c])\nc",
    "(x * 2).sum().backward()\ntorch.nn.utils.clip_grad_norm_([x], 1.0)\nx.grad",
    "(x * 2).sum().backward()\nm = torch.nn.Module()\nm.w = torch.nn.Parameter(x)\nm.zero_grad(False)\nx.grad",
]  # fmt: skip
MAKE = (
    "F = torch.nn.functional\no, i, j = c.new_empty(0), torch.zeros(0).long(), torch.tensor([1])\n"
    "p, q = c[0] * 0, c[0] * 0 + 1\n"
)


@pytest.mark.parametrize("program", WRITTEN)
def test_versions(program: str) -> None:
    *before, last = program.split("\n")
    program = "\n".join([*before, f"({last}, {last}._version)"])
    same(MAKE + program, ulps=4, order=0, x=X, c=X)


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_results_lie_apart(call: Call) -> None:
    """Two results share memory if and only if they do in PyTorch."""
    for program, _ in programs(call):
        pairs = []
        for library in LIBRARIES:
            results = [t for t in flat(attempt(library, program)["r"]) if hasattr(t, "data_ptr")]
            arrays = [t.detach().numpy() for t in results if t.numel()]
            both = itertools.combinations(enumerate(arrays), 2)
            pairs.append([(i, j) for (i, a), (j, b) in both if np.may_share_memory(a, b)])
        assert pairs[1] == pairs[0], program


@pytest.mark.parametrize("mode", [0, 1, 2])
def test_results_of_embedding_bag_lie_apart(mode: int) -> None:
    for library in LIBRARIES:
        found = library.embedding_bag(
            library.ones(4, 3), library.tensor([1, 2, 2]), library.tensor([0, 2]), False, mode
        )
        arrays = [t.numpy() for t in found]
        assert not any(np.may_share_memory(a, b) for a, b in itertools.combinations(arrays, 2))


# At -0.0, PyTorch's sign is a matter of its vectors or, below zero, of which branch it takes.
OTHER_SIGNS = ("F.elu", "F.selu", "F.celu", "F.softshrink", "torch.logcumsumexp")


@pytest.mark.parametrize("line", [
    *(first_words(c.template) for c in ALONE if not c.template.startswith(OTHER_SIGNS)),
    *(f"F.leaky_relu(x, {slope})" for slope in (-0.5, 0.0, 2)),
    "F.prelu(x, -x.new_ones(1))", "F.threshold(x, 0.0, -0.0)", "F.threshold(x, -1.0, 2.0)", "F.hardtanh(x, -0.0, 1.0)",
    "F.hardtanh(x, 0.0, 1.0)", "torch.clamp(x, 0.0, 1.0)", "torch.clamp(x, -0.0, -0.0)", "F.relu6(x)",
])  # fmt: skip
def test_signs_of_zeros(line: str) -> None:
    """Of the values at both zeros, one by one: PyTorch's vectors of several may differ."""
    for zero in (0.0, -0.0):
        values = []
        for library in LIBRARIES:
            scope = {"torch": library, "F": library.nn.functional, "x": library.tensor([zero])}
            values.append([t.numpy() for t in flat(eval(line, scope)) if hasattr(t, "numpy")])
        for theirs, ours in zip(*values, strict=True):
            if theirs.dtype.kind == "f":
                agree = np.signbit(theirs) == np.signbit(ours)
                assert (agree | np.isnan(theirs)).all(), f"{zero}: {ours} instead of {theirs}"


# Every matrix of zeros and ones of this size: all ways in which pivots may vanish.
BITS = np.array(list(itertools.product((0.0, 1.0), repeat=9))).reshape(-1, 3, 3)


@pytest.mark.parametrize("line", [
    "torch.linalg.inv_ex(c).info", "torch.linalg.solve_ex(c, c).info", "torch.linalg.lu_factor_ex(c).info",
    "torch.linalg.matrix_rank(c)",
])  # fmt: skip
def test_all_matrices_of_bits(line: str) -> None:
    same(line, order=0, c=BITS)


SINGULAR = "c = torch.tensor([[1.0, 2.0, 0.0], [2.0, 4.0, 0.0], [0.0, 1.0, 1.0]])\n"
ERRORS = [
    *(f"{SINGULAR}torch.linalg.{name}_ex(c, check_errors=True)" for name in ("inv", "lu_factor", "cholesky")),
    f"{SINGULAR}torch.linalg.solve_ex(c, c, check_errors=True)",
    f"{SINGULAR}torch.linalg.lu_factor(c).LU", f"{SINGULAR}torch.linalg.lu_factor(torch.stack((c + 5, c)))",
    "torch.cat([torch.zeros(0), torch.ones(2, 3)], 1)", "torch.cat([torch.ones(2, 3), torch.zeros(0)], -1)",
    "torch.cat([torch.zeros(0), torch.zeros(0)])",
    "torch.cat([torch.zeros(0), torch.ones(2, 3), torch.ones(2, 4)], 0)",
    "torch.cat([torch.zeros(0), torch.ones(2, 3), torch.ones(4)], 0)",
    *(f"torch.nn.functional.binary_cross_entropy(torch.tensor([{p}]), torch.tensor([{t}]))"
      for p in (0.0, 1.0, -1e-6, 1.00001) for t in (0.0, 1.0)),
    *(f"p = torch.nn.utils.rnn.pack_sequence([torch.ones(3, {n}), torch.ones(2, {n})])\n"
      f"torch.nn.{kind}(4, 5)(p, {hx})[0].data.shape"
      for kind in ("RNN", "GRU") for n in (3, 4)
      for hx in ("None", "torch.ones(1, 2, 5)", "torch.ones(1, 3, 5)", "torch.ones(1, 2, 4)", "torch.ones(2, 5)")),
    "torch.unique(torch.ones(2, 3)[:, :0], dim=1).untyped_storage().nbytes()",
    "torch.histogramdd(torch.tensor([[0.0, 3.0], [1.0, 0.0], [1.0, 3.0]]), bins=[2, 3])",
    "torch.histogramdd(torch.tensor([[2.0], [1.0], [0.5]]), bins=[2], range=[0.0, 1.0])",
]  # fmt: skip


@pytest.mark.parametrize("program", ERRORS)
def test_errors(program: str) -> None:
    same(program, order=0)


@on_both
@pytest.mark.parametrize("given", [{}, {"recurse": True}, {"recurse": False}], ids=str)
def test_to_empty(torch: Any, log: Any, given: dict[str, bool]) -> None:
    """Uninitialised copies: parameters of submodules stay as they are without `recurse`."""
    outer = torch.nn.Sequential(torch.nn.Linear(2, 2))
    outer.register_buffer("mask", torch.ones(3))
    before = outer.mask.data_ptr(), outer[0].weight.data_ptr()
    outer.to_empty(device="cpu", **given)
    after = outer.mask.data_ptr(), outer[0].weight.data_ptr()
    log([a == b for a, b in zip(before, after, strict=True)])
