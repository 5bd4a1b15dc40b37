"""Linear algebra beside PyTorch: values, gradients of two orders, graphs, mistakes."""

from __future__ import annotations

import numpy as np
import pytest
from oracle import check_gradient, reals, same

A, B = reals(3, 3), reals(3, 4, seed=1)
V, W = reals(3, seed=2), reals(3, seed=3)
BATCH, OTHER = reals(5, 2, 3), reals(5, 3, 4, seed=1)
SQUARES = reals(2, 3, 3, seed=5)
INPUTS = {"a": A, "b": B, "v": V, "w": W, "p": BATCH, "q": OTHER, "s": SQUARES}
INPUTS |= {"m": reals(2, 4, seed=4), "u": reals(2, seed=6)}
DIAGONALS = [
    "torch.trace(a)", "b.trace()", "torch.diag(a)", "torch.diag(b, 1)", "a.diag(-1)",
    "torch.diag(v)", "v.diag(-2)", "torch.diagonal(a)", "b.diagonal(1)", "p.diagonal(0, 1, 2)",
    "torch.diagonal(p, -1, -1, 0)", "torch.linalg.diagonal(p)", "torch.diag_embed(v)",
    "a.diag_embed(1)", "torch.diag_embed(a, -1, 0, 2)", "torch.diagflat(a)", "v.diagflat(1)",
    "torch.tril(a)", "torch.triu(b, 1)", "p.tril(-1)", "q.triu()", "a.t().tril()",
    "x = a.clone()\nx.tril_()\nx", "x = b.clone()\nx.triu_(-1)\nx",
    "x = a.clone()\nx.diagonal().mul_(2)\nx",
]  # fmt: skip
PRODUCTS = [
    "torch.inner(v, w)", "torch.inner(a, v)", "a.inner(a)", "torch.inner(p, a)",
    "torch.inner(v, torch.tensor(2.0).double())", "torch.vdot(v, w)", "torch.addbmm(m, p, q)",
    "m.addbmm(p, q, beta=2, alpha=3)", "torch.baddbmm(m, p, q)",
    "torch.baddbmm(m, p, q, beta=0, alpha=0.5)", "torch.addmv(u, p[0], v)",
    "u.addmv(p[0], v, beta=2, alpha=3)", "torch.addr(a, v, w)", "a.addr(v, w, beta=2, alpha=3)",
    "torch.ger(v, w)", "torch.chain_matmul(a, a, b)", "torch.chain_matmul(a)",
    "torch.linalg.multi_dot([v, a, b])", "torch.linalg.multi_dot([v, a, w])",
    "torch.linalg.multi_dot((a, b))", "torch.linalg.multi_dot([p[0], a, a, b, m.t()])",
    "torch.linalg.multi_dot([v, w])", "torch.tensordot(p, b, 1)", "torch.tensordot(p, p, 3)",
    "torch.tensordot(p, q, ([2, 0], [1, 0]))", "torch.tensordot(v, w, dims=0)",
    "torch.kron(a, b)", "v.kron(b)", "torch.cross(a, a + 1)", "torch.linalg.cross(a, b[:, :3])",
    "torch.cross(b, b * b)", "torch.linalg.cross(p, q[:, :2, 1:], dim=2)",
    "x = a.clone()\nx.addmm_(a, a, beta=2)\nx", "x = u.clone()\nx.addmv_(p[0], v)\nx",
    "x = a.clone()\nx.addr_(v, w, alpha=2)\nx", "x = m.clone()\nx.addbmm_(p, q)\nx",
]  # fmt: skip
EQUATIONS = [
    "'ij,jk->ik', a, b", "'ij,jk', a, b", "'ii->i', a", "'ii', a", "'ij->ji', a", "'i,j->ij', v, w",
    "'bij,bjk->bik', p, q", "'ij,jk,kl->il', a, a, b", "'...ij,...jk', p, q", "'i,i', v, w",
    "'i->', v", "'ij,j->i', a, v", "'ij,ij->ij', a, a", "'i,i->i', v, v", "'ij->', a",
    "'bij,j->bi', p, v", "'ij,kj->ik', a, a", "'bij,bjk,k->b', p, q, m[0]", "'...ii->...i', s",
    "'bii->b', s", "'i...->...', p", "'ij,k->', a, v", "'bij,kij->bk', p, p", "'iij->j', s[:, :2]",
    "'bi,bi->b', a, a", "'...,...->...', a, v", "'i j , j k -> i k', a, b", "'...->...', a",
    "'bhqd,bhkd->bhqk', s.view(2, 1, 3, 3), s.view(2, 1, 3, 3)", "'ij,ji', [a, a]",
    "a, [0, 1], b, [1, 2]", "a, [0, 1], b, [1, 2], [2, 0]", "p, [..., 1], a, [1, 2], [..., 2]",
    "'ij,jk->ik', a[:1], b[:, :1]", "'aB,Bc', a, b", "'i,j,k->ijk', v, w, u",
]  # fmt: skip
SPD = "(s @ s.mT + 2 * torch.eye(3, dtype=s.dtype))"
SOLVING = [
    "torch.linalg.inv(a)", "torch.inverse(s)", "a.inverse()", "torch.linalg.solve(a, b)",
    "torch.linalg.solve(a, v)", "torch.linalg.solve(s, b)", "torch.linalg.solve(s, a[:2])",
    "torch.linalg.solve(a, p, left=False)", "torch.linalg.det(a)", "torch.det(s)", "a.det()",
    "torch.linalg.slogdet(s)", "torch.slogdet(a)[1]", f"torch.logdet({SPD})",
    f"torch.linalg.cholesky({SPD})", f"torch.cholesky({SPD}, upper=True)",
    f"torch.linalg.cholesky({SPD}, upper=True)", "torch.linalg.matrix_power(a, 0)",
    "torch.matrix_power(a, 1)", "a.matrix_power(2)", "torch.linalg.matrix_power(a, 3)",
    "torch.linalg.matrix_power(s, 5)", "torch.linalg.matrix_power(a, -2)", "torch.linalg.pinv(p)",
    "torch.linalg.pinv(q)", "torch.pinverse(b)", f"torch.linalg.pinv({SPD}, hermitian=True)",
    "torch.linalg.lstsq(a, b).solution",
]  # fmt: skip
FACTORS = [
    "torch.linalg.svdvals(p)", "torch.linalg.eigvalsh(a + a.T)", "torch.linalg.svd(a).S",
    "U, S, V = torch.svd(p)\n(U * U, S, V * V)", "torch.linalg.qr(a)", "torch.qr(q)",
    "torch.linalg.qr(b.t())", "torch.linalg.qr(p, 'complete')",
    "L, Q = torch.linalg.eigh(a + a.T)\n(L, Q * Q)",
    "U, S, Vh = torch.linalg.svd(b, full_matrices=False)\n(U * U, S, Vh * Vh)",
    "torch.linalg.matrix_norm(a)", "torch.linalg.matrix_norm(p, 'nuc')",
    "torch.linalg.matrix_norm(a, 2)", "torch.linalg.matrix_norm(s, -2, keepdim=True)",
    "torch.linalg.matrix_norm(a, 1)", "torch.linalg.matrix_norm(p, float('inf'), dim=(0, 2))",
    "torch.linalg.matrix_norm(s, -1, keepdim=True)",
]  # fmt: skip
DISTANCES = ["torch.cdist(a, p[0])", "torch.cdist(p, p[0], p=1)", "torch.cdist(a, p[0], p=3)",
             "torch.cdist(a, p[0], p=float('inf'))", "torch.cdist(a, p[0], 0)"]  # fmt: skip
BY_PRODUCT = "torch.cdist(a, p[0], compute_mode='use_mm_for_euclid_dist')"
EINSUMS = [f"torch.einsum({e})" for e in EQUATIONS]


@pytest.mark.parametrize("program", DIAGONALS + PRODUCTS + EINSUMS)
def test_diagonals_and_products(program: str) -> None:
    same(program, ulps=64, grad_ulps=64, **INPUTS)


@pytest.mark.parametrize("program", SOLVING + FACTORS)
def test_matrices(program: str) -> None:
    same(program, ulps=1000, grad_ulps=4000, **INPUTS)


@pytest.mark.parametrize("program", [*DISTANCES, BY_PRODUCT])
def test_distances(program: str) -> None:
    same(program, ulps=64, grad_ulps=64, **INPUTS)


@pytest.mark.parametrize("program", DIAGONALS + PRODUCTS + EINSUMS + SOLVING + FACTORS + DISTANCES)
def test_gradient_is_the_slope(program: str) -> None:
    check_gradient(program, **INPUTS)


SINGULAR = np.array([[1.0, 2, 3], [2, 4, 6], [1, 0, 1]])


@pytest.mark.parametrize("program", ["torch.linalg.det(a)", "torch.linalg.det(a * a)"])
def test_determinant_of_singular_matrices(program: str) -> None:
    check_gradient(program, a=SINGULAR)  # not beside PyTorch, which has zeros where there are none
    check_gradient(f"torch.autograd.grad({program}, a, create_graph=True)[0]", a=SINGULAR)


CONSTANTS = [
    "torch.tril_indices(3, 4)", "torch.triu_indices(3, 3, 1)", "torch.tril_indices(2, 3, -1)",
    "torch.triu_indices(4, 2, dtype=torch.int32)", "torch.linalg.matrix_rank(torch.eye(3))",
    "torch.linalg.matrix_rank(torch.ones(2, 3, 3))", "torch.trace(torch.ones(2, 2).int())",
    "torch.diag(torch.tensor([True, False]))", "torch.arange(9).view(3, 3).tril()",
    "torch.einsum('ij,jk', torch.arange(4).view(2, 2), torch.arange(4).view(2, 2))",
    "torch.linalg.matrix_power(torch.arange(4).view(2, 2), 3)", "torch.linalg.det(torch.ones(0, 0))",
    "torch.addmv(torch.arange(2), torch.ones(2, 2).long(), torch.arange(2), beta=0.5)",
    "torch.linalg.matrix_norm(torch.ones(0, 2), 2)", "torch.linalg.svd(torch.ones(0, 3))[2]",
    "torch.linalg.inv_ex(torch.ones(2, 2)).info", "torch.linalg.eigh(torch.eye(2)).eigenvectors",
    "torch.linalg.eigh(torch.eye(2))", "torch.linalg.slogdet(torch.eye(2))",
    "torch.logdet(torch.zeros(2, 2))", "torch.logdet(torch.tensor([[-1.0, 0], [0, 1]]))",
    "torch.linalg.pinv(torch.ones(2, 3)).stride()", "torch.linalg.pinv(torch.ones(3, 2)).stride()",
    "torch.cdist(torch.ones(26, 0), torch.ones(3, 0))", "torch.cdist(torch.ones(2, 0), torch.ones(3, 0), p=np.inf)",
    "torch.cdist(torch.ones(26, 2), torch.ones(3, 2).requires_grad_())",
    "torch.cdist(torch.ones(3, 2), torch.ones(26, 2).requires_grad_())",
    "torch.cdist(torch.ones(3, 26), torch.ones(4, 26).requires_grad_())",
    "torch.cdist(torch.ones(25, 2), torch.ones(3, 2).requires_grad_())",
    "repr(torch.linalg.svd(torch.eye(2)))", "repr(torch.slogdet(torch.eye(2)))",
]  # fmt: skip


@pytest.mark.parametrize("program", CONSTANTS)
def test_whole_numbers_and_structure(program: str) -> None:
    same(program)


MISTAKES = """
    inv(S) | inv(torch.stack([E, S])) | inv(o(2, 3)) | inv(o(3)) | inv(o(2, 2).int())
    solve(S, o(2)) | solve(o(2, 3), o(2)) | solve(E, o(3)) | solve(E, o(2).double())
    solve(E, torch.tensor(1.0)) | det(o(2, 3)) | slogdet(o(2)) | cholesky(-E) | cholesky(o(3))
    cholesky(torch.stack([E, -E])) | qr(o(3)) | qr(E, mode='x') | svd(o(3)) | svd(E / 0)
    eigh(o(2, 3)) | eigh(E, UPLO='X') | eigh(E.int()) | matrix_norm(o(3)) | matrix_norm(E, 3)
    matrix_norm(E, 'x') | matrix_norm(E.int()) | matrix_norm(E, dim=(0, 0)) | matrix_power(o(2, 3), 2)
    matrix_power(S, -1) | pinv(o(3)) | pinv(E.int()) | matrix_rank(o(3)) | multi_dot([E])
    multi_dot([E, o(3, 2)]) | multi_dot([E, E.double()]) | cross(o(3), o(2, 3)) | cross(E, E)
    T.cdist(o(2, 3), o(2, 4)) | T.cdist(o(3), E) | T.cdist(E, E, p=-1) | T.cdist(E.int(), E)
    T.trace(o(3)) | T.diag(o(2, 2, 2)) | T.diagonal(o(3)) | T.diagonal(E, 0, 0, 0) | T.tril(o(3))
    T.triu(1) | T.diag_embed(o(2), 0, 1, 1) | T.tril_indices(-1, 2) | T.cross(o(2), o(2))
    T.cross(o(2, 3), E) | T.kron(1, E) | T.inner(o(2), o(3)) | T.inner(o(2), o(2).double())
    T.vdot(o(2), o(3)) | T.addbmm(o(2), E, o(2, 2, 2)) | T.addbmm(o(2), o(2, 2, 2), o(3, 2, 2))
    T.baddbmm(o(3), o(2, 2, 2), o(2, 2, 2)) | T.baddbmm(o(2), o(2, 2, 2), o(2, 3, 2))
    T.addmv(o(3), E, o(2)) | T.addmv(E, E, o(2)) | T.addr(o(3), o(2), o(2)) | T.addr(o(2), E, o(2))
    T.chain_matmul(o(2)) | T.tensordot(E, o(3, 2), 1) | T.tensordot(E, E, 3)
    T.tensordot(E, E, ([0], [0, 1])) | T.tensordot(E, E, -1) | T.einsum('ij,jk', E)
    T.einsum('ij->i', o(2)) | T.einsum('ij,jk', E, o(3, 2)) | T.einsum('i1', E)
    T.einsum('i->j', o(2)) | T.einsum('i->ii', o(2)) | T.einsum('ij..', o(2, 2, 2))
    T.einsum('ii', o(2, 3)) | T.einsum('i') | T.einsum(1, o(2)) | T.einsum('i...j...', E)
    T.einsum(E, [0, 53]) | T.einsum('...,...->...', o(2), o(3)) | T.matrix_power(E, 1.5)
"""


@pytest.mark.parametrize("call", [c.strip() for c in MISTAKES.replace("\n", "|").split("|")])
def test_mistakes(call: str) -> None:
    names = "E, S, o, T = torch.eye(2), torch.tensor([[1.0, 2], [2, 4]]), torch.ones, torch\n"
    if call:
        same(names + (call if call.startswith("T.") else f"torch.linalg.{call}"))


def test_the_error_of_singular_matrices_is_public() -> None:
    import minigrad

    with pytest.raises(minigrad.linalg.LinAlgError):
        minigrad.linalg.inv(minigrad.ones(2, 2))
