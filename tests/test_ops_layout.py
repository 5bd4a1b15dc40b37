"""Shapes, orders, pieces and places beside PyTorch: values, views, graphs, gradients, errors."""

from __future__ import annotations

import re

import numpy as np
import pytest
from both import on_both
from oracle import check_gradient, reals, same

X, M, V = reals(2, 3, 4), reals(3, 4), reals(3)
INPUTS = {
    "x": X, "m": M, "v": V, "w": reals(2, seed=1), "s": np.array(0.75), "i": np.array([0, 1]),
    "b": M > 0, "k": np.array([[0, 1, 2, 0]]), "ks": np.array([[0, 1, 2, 0], [0, 0, 0, 1]]),
    "n": reals(2, 4, seed=2),
}  # fmt: skip
VIEWS = [
    "x.unflatten(2, (2, 2))", "x.unflatten(-1, (-1, 2))", "x.moveaxis(0, 2)", "x.movedim(0, 2)",
    "torch.movedim(x, (0, 1), (2, 0))", "x.swapaxes(0, 1)", "x.swapdims(0, 1)", "s.movedim(0, 0)",
    "torch.broadcast_to(v, (2, 3))", "torch.broadcast_tensors(v, m.t())", "m.H", "m.adjoint()",
    "x.mH", "torch.hsplit(v, 3)", "torch.hsplit(m, 2)", "m.vsplit(3)", "x.dsplit((1, 3))",
    "x.split_with_sizes((1, 3), 2)", "m.tensor_split(3, 1)", "m.tensor_split((1, 2))",
    "m.tensor_split(torch.tensor([1]))", "m.tensor_split((2, 1, 9))", "v.unfold(0, 2, 1)",
    "m.unfold(1, 3, 2)", "m.unfold(0, 2, 1).unfold(1, 2, 2)", "s.unfold(0, 1, 1)",
    "x.as_strided((2, 2), (1, 2), 0)", "m.as_strided((3, 2), (2, 1), 1)",
    "m[1].as_strided((2,), (1,))",
    "m.as_strided((2, 3), (1, 1))", "v.expand(2, 3).as_strided((2, 2), (0, 1))",
    "torch.meshgrid(v, w)", "torch.meshgrid(v, w, indexing='xy')", "torch.meshgrid([s, w])",
    "torch.atleast_1d(s)", "torch.atleast_2d(v)", "torch.atleast_2d(s)", "torch.atleast_3d(m)",
    "torch.atleast_3d(v, m, s)", "v.expand_as(m.t())", "v.repeat_interleave(2)",
]  # fmt: skip
COPIES = [
    "x.repeat(1, 2, 1)", "x.repeat((2, 1, 1, 1))", "x.repeat(0, 1, 1)", "s.repeat(3)", "v.tile(2)",
    "x.tile((2,))", "torch.tile(x, (1, 2, 1, 1))", "m.repeat_interleave(2)",
    "torch.repeat_interleave(m.sum(), torch.tensor([3]))", "torch.repeat_interleave(m.sum(), 2)",
    "m.repeat_interleave(2, 0)", "m.repeat_interleave(torch.tensor([1, 2, 0]), 0)",
    "torch.repeat_interleave(torch.tensor([1, 2]))", "torch.hstack((v, v))", "torch.hstack((m, m))",
    "torch.hstack((s, s))", "torch.vstack((v, v))", "torch.dstack((v, v))", "torch.dstack((x, x))",
    "torch.column_stack((v, v))", "torch.column_stack((m, v))", "torch.row_stack((v, v))",
    "x.flip(0)", "x.flip(0, 1)", "x.flip((0, -1))", "x.fliplr()", "x.flipud()", "x.roll(1)",
    "x.roll(-1, 0)", "x.roll((1, 2), (0, 1))", "m.rot90(2)",
    "m.rot90()", "x.rot90(-1, (1, 2))", "x.rot90(3, (2, 0))",
    "torch.cartesian_prod(v, w)", "torch.cartesian_prod(v)", "torch.combinations(v)",
    "torch.combinations(v, 3, True)", "torch.combinations(v, 1)", "torch.block_diag(m, v, s)",
    "m.narrow_copy(0, 1, 1)", "torch.select_scatter(m, m[1], 0, 0)", "m.unsafe_split(2)",
    "torch.slice_scatter(m, m[:2], 0, 1)", "torch.diagonal_scatter(m, v)", "m.unsafe_chunk(2)",
    "torch.cat((torch.zeros(0), x[0]), 1)", "torch.concat((m, m), dim=1)",
    "torch.concatenate((v, v))",
]  # fmt: skip
PLACES = [
    "m.index_select(0, i)", "s.index_select(0, i[:1])", "m.index_select(1, torch.tensor(1))",
    "m.index_add(0, i, n)", "m.index_add(0, i, n, alpha=2)", "m.index_copy(0, i, n)",
    "m.index_fill(0, i, 2.0)", "m.index_fill(0, i * 0, s)", "m.index_put((i,), n)",
    "m.index_put((i * 0,), n, True)", "m.index_put((b,), s)", "m.take(k)", "m.take(-k - 1)",
    "m.take_along_dim(k)", "m.take_along_dim(k, 0)", "m.take_along_dim(k + 9, 0)", "m.put(i, w)",
    "m.put(i * 0, w, True)",
    "m.gather(0, k)", "m.gather(1, ks)", "s.gather(0, i[0])", "n.scatter(0, ks[:1] % 2, n[:1] * 2)",
    "m.scatter(0, k, 2.0)", "m.scatter_add(0, ks, n)", "m.masked_fill(b, 2.0)",
    "m.masked_fill(b, s)",
    "m.masked_fill(b[0], 1)", "v[:, None].masked_fill(b, 0)", "m.masked_select(b)",
    "v[:, None].masked_select(b)", "m.masked_scatter(b, x)",
    "m.index_reduce(0, i, n, 'prod')", "m.index_reduce(0, i, n, 'amax')",
    "s.nonzero(as_tuple=True)", "s.nonzero()", "m.nonzero()", "torch.argwhere(b)",
    "b.nonzero(as_tuple=True)",
]  # fmt: skip
REDUCED = [
    f"m.scatter_reduce(0, ks, n, '{r}', include_self={i})"
    for r in ("sum", "prod", "mean", "amax", "amin")
    for i in (True, False)
]
CHANGES = [
    "squeeze_()", "squeeze_(0)", "unsqueeze_(0)", "transpose_(0, 1)", "t_()", "swapaxes_(0, 1)",
    "swapdims_(0, 1)", "as_strided_((2,), (1,))", "index_add_(0, i, n)", "scatter_(0, k, 2.0)",
    "scatter_add_(0, ks, n)", "masked_fill_(b, 2.0)", "masked_fill_(b, s)", "index_copy_(0, i, n)",
    "masked_scatter_(b, x)", "index_fill_(0, i, 2)", "index_put_((i,), n)", "put_(i, w)",
    "scatter_reduce_(0, ks, n, 'prod')", "index_put_((i * 0,), n, accumulate=True)",
]  # fmt: skip


@pytest.mark.parametrize("program", VIEWS + COPIES + PLACES)
def test_values_and_gradients(program: str) -> None:
    same(program, **INPUTS)


@pytest.mark.parametrize("program", REDUCED)
def test_reduced_into_places(program: str) -> None:
    same(program, ulps=2, grad_ulps=16, **INPUTS)


@pytest.mark.parametrize(
    "program",
    [
        p
        for p in VIEWS + COPIES + PLACES
        if re.search(r"nonzero|argwhere|^torch.repeat_interleave", p) is None
    ],
)
def test_gradient_is_the_slope(program: str) -> None:
    check_gradient(program, **INPUTS)


@pytest.mark.parametrize("program", VIEWS)
def test_views_share_memory(program: str) -> None:
    leaves = "x, m, v, w, s"
    same(
        f"{leaves} = [t.detach() for t in ({leaves})]\n"
        f"y = {program}\n[t.mul_(2) for t in ({leaves})]\ny",
        **INPUTS,
    )


@pytest.mark.parametrize("change", CHANGES)
def test_in_place(change: str) -> None:
    same(f"y = m * 1\nz = y.{change}\n(y, z is y, y._version)", **INPUTS)
    same(f"y = (x * 1)[0]\ny.{change}\n(y, y._version)", **INPUTS)
    same(f"m.{change}", **INPUTS)


SAVED = [
    "y = m[i]\ni.add_(-1)\ny.sum().backward()", "y = m.gather(0, k)\nk.zero_()\ny.sum().backward()",
    "y = m[[0, 1]].sum()\ny.backward()\ny.backward()",
    "y = m * 1\ny[i] = 3.0\ni.add_(1)\ny.sum().backward()",
    "y = m.scatter(0, k, 1.0)\nk.zero_()\ny.sum().backward()",
    "y = m.index_select(0, i)\ni.zero_()\ny.sum().backward()",
    "y = m.masked_select(b).sum()\ny.backward()\ny.backward()",
    "m[:, [0, 1]].grad_fn._saved_indices[1]",
    "y = m.index_select(0, i).sum()\ny.backward()\ny.backward()",
    "y = m.take(k)\nk.zero_()\ny.sum().backward()",
    "p = torch.split(m * 1, 1)[0]\np.unsqueeze_(0)", "p = (m * 1).unsafe_split(1)[0]\np.mul_(2)",
    "y = m.scatter(0, k, m[:1], reduce='add')\ny.sum().backward()",
]  # fmt: skip


@pytest.mark.parametrize("program", SAVED)
def test_index_tensors_are_saved(program: str) -> None:
    same(program if "._saved" in program or "p." in program else f"{program}\n0", order=0, **INPUTS)


MISTAKES = [
    "m.gather(0, k.float())", "m.gather(0, i)", "m.gather(0, torch.zeros(2, 5).long())",
    "m.gather(0, k + 9)", "m.gather(0, -k)", "m.gather(2, k)", "m.gather(0, 2)",
    "m.scatter(0, i, m)", "m.scatter(0, torch.zeros(4, 4).long(), m)", "m.scatter(0, k, m.float())",
    "m.scatter(0, k, m, reduce='x')", "m.scatter_reduce(0, k, m, 'foo')", "m.index_select(0, v)",
    "m.index_select(0, k)", "m.index_select(0, i + 9)", "m.index_add(0, i, m)",
    "m.index_add(0, k, m)",
    "m.index_copy(0, i, v)", "m.index_copy(0, i + 9, n)", "m.index_fill(0, i + 9, 1)",
    "m.index_fill(0, i, v)", "m.take(k + 90)", "m.put(i, v)", "m.take_along_dim(i, 0)",
    "m.masked_fill(m, 1.0)", "m.masked_fill(b, v)", "m.masked_fill(b[:2], 1.0)",
    "m.masked_select(m)",
    "m.masked_scatter(b, v)", "m.index_put((i, i, i), s)", "m.index_put(i, s)", "m.unfold(0, 5, 1)",
    "m.as_strided((99,), (1,))", "m.as_strided((2,), (1, 2))", "v.view(torch.int16).shape",
    "v.float().view(torch.double)", "x.H", "v.adjoint()", "m.flip(0, 0)", "v.fliplr()",
    "s.flipud()",
    "m.roll((1, 2), 0)", "v.rot90()", "m.rot90(1, (0, 0))", "x.repeat(2, 2)", "m.repeat(1, -1)",
    "v.repeat_interleave(torch.tensor([1, 2]))", "v.repeat_interleave(torch.tensor([1, -2, 1]))",
    "torch.hsplit(m, 3)", "torch.vsplit(v, 1)", "torch.broadcast_shapes((2,), (4, 3), 5)",
    "m.tensor_split(0)", "s.tensor_split(1)",
    "torch.meshgrid(v, v, indexing='z')", "torch.block_diag(x)",
    "torch.combinations(m)", "torch.hstack(())", "x.movedim((0, 0), (1, 2))",
    "x.unflatten(2, (3, 2))", "torch.select_scatter(m, v, 0, 0)",
    "torch.broadcast_shapes((2,), (3,))", "torch.broadcast_shapes(-1)", "x.movedim((0, 1), (0,))",
    "torch.broadcast_shapes((2, 1), (3,), 1)", "torch.nonzero(3)",
    "m[torch.tensor([0], dtype=torch.int8)]",
]  # fmt: skip


@pytest.mark.parametrize("program", MISTAKES)
def test_mistakes(program: str) -> None:
    same(program, **INPUTS)


SIZES = ["int8", "int16", "float32", "int32", "float64", "int64"]


@pytest.mark.parametrize("start", SIZES)
@on_both
def test_views_as_another_dtype(torch, log, start):
    whole = torch.arange(24).to(getattr(torch, start)).reshape(2, 3, 4)
    parts = [
        whole, whole[0], whole[..., 2:], whole[:, :2], whole[..., :3], whole[..., 1:], whole[0, 0, 0],
        whole.reshape(-1)[:6], whole.reshape(4, 6), whole.reshape(4, 6)[1:, :5], whole.transpose(0, 1),
        whole.transpose(1, 2), whole.transpose(0, 2)[..., :1], whole[..., ::2], whole[:0],
        whole[0, :, :1].expand(3, 4), whole[0, :, :1], whole[..., 0].T, whole.reshape(3, 8)[:, 4:],
        whole.reshape(4, 6)[:, :4], whole.reshape(-1)[1:5], whole.reshape(-1)[2:10:2], whole.reshape(-1)[4:20:2],
        whole.reshape(4, 6)[:, :4].T[:, :4], whole.reshape(3, 8)[1:, ::2], whole[:1, :1, :1],
    ]  # fmt: skip
    for part in parts:
        for dtype in SIZES:
            try:
                view = part.view(getattr(torch, dtype))
                log(view, view._is_view(), view.stride() if view.numel() else 0, view._version)
            except RuntimeError as error:
                log(error)
