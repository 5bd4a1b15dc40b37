"""Products of vectors, matrices and batches beside PyTorch, with graphs and gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from oracle import LIBRARIES, check_gradient, reals, same

A, B = reals(2, 3), reals(3, 4, seed=1)
V, W = reals(3, seed=2), reals(3, seed=3)
BATCH, OTHER = reals(5, 2, 3), reals(5, 3, 4, seed=1)
INPUTS = {"a": A, "b": B, "v": V, "w": W, "p": BATCH, "q": OTHER, "bias": reals(4, seed=4)}
PRODUCTS = [
    "a @ b", "torch.matmul(a, b)", "a.mm(b)", "torch.mm(a, b)", "a @ v", "a.mv(v)",
    "torch.mv(a, v)", "v @ b", "v @ w", "v.dot(w)", "torch.dot(v, w)", "v @ v", "a @ a.t()",
    "a.T @ a", "b.t() @ a.t()", "p @ q", "p.bmm(q)", "torch.bmm(p, q)", "p @ b", "p @ v", "a @ q",
    "v @ q", "p[0] @ b", "p.view(5, 1, 2, 3) @ q[:2].view(2, 3, 4)", "p[:, 0] @ b",
    "p.transpose(1, 2) @ p", "torch.addmm(bias, a, b)",
    "torch.addmm(bias, a, b, beta=0.5, alpha=2)", "bias.addmm(a, b)", "torch.outer(v, w)",
    "v.outer(bias)", "torch.nn.functional.linear(a, b.t())",
    "torch.nn.functional.linear(a, b.t(), bias)", "torch.nn.functional.linear(p, b.t(), bias)",
    "torch.nn.functional.linear(v, b.t(), bias)", "torch.nn.functional.linear(p, b.t())",
    "torch.nn.functional.linear(p.transpose(0, 1), b.t(), bias)", "(a @ b).sum()", "a @ b @ bias",
    "a.matmul(v) @ a", "p.expand(2, 5, 2, 3) @ q", "p @ q[0]", "p.transpose(0, 1) @ b", "p[0] @ q",
    "torch.addmm(a @ b, a, b)", "a[:, ::2] @ b[::2]",
]  # fmt: skip


@pytest.mark.parametrize("program", PRODUCTS)
def test_products(program: str) -> None:
    same(program, ulps=64, grad_ulps=64, **INPUTS)


@pytest.mark.parametrize("program", PRODUCTS)
def test_gradient_is_the_slope(program: str) -> None:
    check_gradient(program, **INPUTS)


@pytest.mark.parametrize("program", PRODUCTS)
def test_graph_where_one_side_needs_no_gradient(program: str) -> None:
    inputs = {name: array.astype(np.float32) for name, array in INPUTS.items()}
    constants = {"ca": inputs.pop("a"), "cv": inputs.pop("v"), "cp": inputs.pop("p")}
    same(
        "a, v, p = ca, cv, cp\n" + program, ulps=1000, grad_ulps=100, order=1, **inputs, **constants
    )


EMPTY = [
    "torch.ones(0, 3) @ torch.ones(3, 2)", "torch.ones(2, 0) @ torch.ones(0, 3)",
    "torch.ones(0) @ torch.ones(0)", "torch.ones(2, 0) @ torch.ones(0)",
    "torch.ones(0, 2, 3) @ torch.ones(3, 2)", "torch.ones(0, 2, 3) @ torch.ones(0, 3, 2)",
    "torch.outer(torch.ones(0), torch.ones(2))", "torch.arange(6).view(2, 3) @ torch.arange(3)",
    "torch.arange(4).view(2, 2) @ torch.arange(4).view(2, 2)", "torch.arange(3) @ torch.arange(3)",
    "torch.addmm(torch.ones(2), torch.ones(3, 0), torch.ones(0, 2))",
    "torch.ones(2, 2).int() @ torch.ones(2, 2).int()",
]  # fmt: skip


@pytest.mark.parametrize("program", EMPTY)
def test_empty_and_whole(program: str) -> None:
    same(program)


MISTAKES = [
    "torch.ones(2, 3) @ torch.ones(2, 3)", "torch.ones(2, 3) @ torch.ones(2)",
    "torch.ones(3) @ torch.ones(2)", "torch.ones(2) @ torch.ones(3, 2)",
    "torch.ones(2, 2, 3) @ torch.ones(2, 2, 3)", "torch.ones(2, 2, 3) @ torch.ones(3, 3, 2)",
    "torch.ones(2, 2) @ torch.ones(2, 2, dtype=torch.float64)",
    "torch.ones(2, 2) @ torch.arange(2)", "torch.ones(2) @ torch.arange(2)",
    "torch.ones(2, 2) @ torch.ones(2, 2).long()", "torch.tensor(1.0) @ torch.ones(2)",
    "torch.ones(2) @ torch.tensor(1.0)", "torch.ones(2).mm(torch.ones(2))",
    "torch.mm(torch.ones(2, 2), torch.ones(2))", "torch.ones(2).mv(torch.ones(2))",
    "torch.mv(torch.ones(2, 2), torch.ones(2, 2))", "torch.mv(torch.ones(2, 2), torch.ones(3))",
    "torch.dot(torch.ones(2, 2), torch.ones(2))", "torch.dot(torch.ones(2), torch.ones(3))",
    "torch.dot(torch.ones(2), torch.ones(2).double())",
    "torch.bmm(torch.ones(2, 2), torch.ones(2, 2))",
    "torch.bmm(torch.ones(2, 2, 2), torch.ones(2, 2))",
    "torch.bmm(torch.ones(2, 2, 3), torch.ones(2, 2, 3))",
    "torch.bmm(torch.ones(2, 2, 3), torch.ones(3, 3, 2))",
    "torch.outer(torch.ones(2, 2), torch.ones(2))", "torch.outer(torch.ones(2), torch.ones(1, 2))",
    "torch.ones(2, 3) @ 2", "torch.ones(2).matmul(2)",
    "torch.addmm(torch.ones(3), torch.ones(2, 2), torch.ones(2, 2))",
    "torch.addmm(torch.ones(2), torch.ones(2, 3), torch.ones(2, 2))",
    "torch.nn.functional.linear(torch.ones(2, 3), torch.ones(2, 2))",
    "torch.nn.functional.linear(torch.ones(2, 3), torch.ones(2, 3), torch.ones(3))",
    "torch.ones(2, 3, 4) @ torch.ones(3)",
    "torch.nn.functional.linear(torch.ones(2, 3), torch.ones(2, 2), torch.ones(2))",
    "torch.nn.functional.linear(torch.ones(2, 2).double(), torch.ones(2, 2), torch.ones(2))",
    "torch.ones(2, 3, 4) @ torch.ones(3, 4)", "[1.0] @ torch.ones(1)",
    "torch.bmm(torch.ones(2, 2, 2), torch.ones(2, 2, 2).double())",
    "torch.ones(2, 2).mv(torch.arange(2))",
]  # fmt: skip


@pytest.mark.parametrize("program", MISTAKES)
def test_mistakes(program: str) -> None:
    same(program)


@pytest.mark.parametrize(
    "program",
    [
        "torch.nn.functional.linear(x, w)", "torch.nn.functional.linear(x, w, w.sum(1))",
        "x @ w.t()", "x.t().contiguous().t() @ w.t()", "w @ x.t()", "(x @ w.t().contiguous())",
        "torch.addmm(x[:, :1], x, w.t(), alpha=2)",
    ],
)  # fmt: skip
def test_the_gradient_of_a_product_lies_in_memory_as_its_factor(program: str) -> None:
    """And its recorded computation has PyTorch's nodes, which depend on that order."""
    rng = np.random.default_rng(0)
    same(
        f"gx, gw = torch.autograd.grad(({program}).pow(2).sum(), (x, w), create_graph=True); "
        "nodes = [(gx + 0 * gx).grad_fn.next_functions[0][0], gw.grad_fn]; "
        "[gx.stride(), gw.stride()] + [(n.name(), [c and c.name() for c, _ in n.next_functions]) for n in nodes]",
        order=0, x=rng.standard_normal((5, 3), np.float32), w=rng.standard_normal((4, 3), np.float32),
    )  # fmt: skip


@pytest.mark.parametrize("bias", ["b", "None"])
@pytest.mark.parametrize("rows", [1, 3, 64, 65])
def test_few_rows_times_a_large_weight(rows: int, bias: str) -> None:
    """There the product of the transposes is computed; the result lies in memory as ever."""
    arrays = {"x": reals(rows, 400), "w": reals(350, 400, seed=1), "b": reals(350, seed=2)}
    found = []
    for torch in LIBRARIES:
        names: dict[str, Any] = {n: torch.tensor(a, requires_grad=True) for n, a in arrays.items()}
        out = torch.nn.functional.linear(names["x"], names["w"], eval(bias, names))
        out.backward(torch.from_numpy(reals(rows, 350, seed=3)))
        values = [out, names["x"].grad, names["w"].grad]
        found.append([(v.detach().numpy(), v.stride()) for v in values])
    for (theirs, stride), (ours, our_stride) in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-11)
        assert our_stride == stride
