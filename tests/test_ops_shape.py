"""Views, reshapes, joining and cutting beside PyTorch: values, strides, memory, gradients."""

from __future__ import annotations

import numpy as np
import pytest
from oracle import check_gradient, reals, same

X = reals(2, 3, 4)
VIEWS = [
    "x.view(6, 4)", "x.view(-1)", "x.view((4, 6))", "x.view([2, -1])", "x.view(2, 3, 2, 2)",
    "x.view_as(x.reshape(4, 6))", "x.reshape(4, 6)", "x.reshape((-1,))", "torch.reshape(x, (3, 8))",
    "x.reshape_as(x.view(6, 4))", "x.flatten()", "x.flatten(1)", "x.flatten(0, 1)",
    "torch.flatten(x, 1)", "x.ravel()", "x.flatten(1, 1)", "x.view(24).flatten()", "x.unsqueeze(0)",
    "x.unsqueeze(-1)", "torch.unsqueeze(x, 2)", "x.view(1, 2, 1, 12).squeeze()",
    "x.view(1, 24).squeeze(0)", "x.squeeze(0)", "x.view(1, 24, 1).squeeze((0, 2))", "x.squeeze()",
    "torch.squeeze(x[:1], 0)", "x.squeeze(-1)", "x[0].t()", "x[0, 0].t()", "x.transpose(0, 2)",
    "x.transpose(-1, -2)", "torch.transpose(x, 0, 1)", "x.swapaxes(0, 1)", "x.permute(2, 0, 1)",
    "x.permute((1, 0, 2))", "torch.permute(x, (-1, 0, 1))", "x[0].T", "x.mT", "x[0].mT",
    "x.expand(2, 3, 4)", "x.expand(5, 2, 3, 4)", "x[:, :1].expand(-1, 3, -1)",
    "x[0, 0].expand(3, 4)", "x[0].expand_as(x)", "x.sum().expand(2, 2)", "x.contiguous()",
    "x.view(x.shape)", "x.transpose(0, 1).contiguous()", "x.clone()", "x.transpose(0, 2).clone()",
    "torch.clone(x)", "x.transpose(0, 1).reshape(-1)", "x.transpose(0, 1).flatten()",
    "x.transpose(0, 1).reshape(3, 2, 2, 2)", "x.expand(2, 2, 3, 4).reshape(4, 12)",
    "x.narrow(1, 0, 2)", "torch.narrow(x, 2, -2, 2)", "x.select(1, 2)", "torch.select(x, -1, -1)",
    "x.transpose(0, 1).view(3, 2, 2, 2)", "x[:, 1:].reshape(2, 8)", "x.view(24)[::2].view(3, 4)",
    "x[0].T.reshape(12)", "x.detach()", "x.data", "x[..., 1].t()", "x.view(1, 24).expand(3, 24)[1]",
    "x.squeeze(1).unsqueeze(1)", "x[0].expand(1, 3, 4).clone()",
]  # fmt: skip
JOINS = [
    "torch.cat([x, y])", "torch.cat((x, y), 1)", "torch.cat([x, y], dim=-1)", "torch.cat([x, x])",
    "torch.cat([x])", "torch.concat([x, y])", "torch.stack([x, y])", "torch.stack((x, y), 1)",
    "torch.stack([x, y, x], -1)", "torch.cat([x, torch.ones(0).double(), y])",
    "torch.cat([x, c], 1)", "torch.stack([x[0], c[1]])", "torch.stack([x.sum(), y.mean()])",
    "torch.cat([x.t(), y.t()])", "torch.cat([x, torch.ones(1, 3)])",
    "torch.cat([torch.arange(3), torch.ones(2)])",
    "torch.stack([torch.tensor(1), torch.tensor(2.5)])", "torch.cat([x[:1], y, x[1:]])",
    "torch.stack([t * 2 for t in x])", "torch.cat([x, x * y, y], 1)",
]  # fmt: skip
CUTS = [
    "x.split(1)", "x.split(2, 1)", "x.split([1, 2], 1)", "torch.split(x, 3, dim=2)",
    "torch.split(x, [1, 3], -1)", "x.chunk(2)", "x.chunk(3, 2)", "torch.chunk(x, 2, dim=-1)",
    "x.chunk(5)", "x.unbind()", "x.unbind(1)", "torch.unbind(x, -1)", "x.split(2, 1)[0]",
    "x.split(2, 1)[1] * 2", "x.chunk(2, 2)[1]", "x.unbind(1)[1]", "list(x)", "[r.sum() for r in x]",
    "a, b = x\na * b", "x.split([0, 3], 1)", "x.split([1, 2], 1)[1]",
    "a, _, b = x.unbind(1)\na / b",
]  # fmt: skip


@pytest.mark.parametrize("program", VIEWS + CUTS)
def test_views(program: str) -> None:
    same(program, x=X)


@pytest.mark.parametrize("program", JOINS)
def test_joins(program: str) -> None:
    same(program, x=reals(2, 3), y=reals(2, 3, seed=1), c=reals(2, 3, seed=2))


@pytest.mark.parametrize(
    "program", [p for p in VIEWS + CUTS if "detach" not in p and "data" not in p]
)
def test_gradient_is_the_slope(program: str) -> None:
    check_gradient(program, x=X)


@pytest.mark.parametrize("program", [p for p in JOINS if "x" in p])
def test_gradient_of_joins_is_the_slope(program: str) -> None:
    check_gradient(program, x=reals(2, 3), y=reals(2, 3, seed=1), c=reals(2, 3, seed=2))


@pytest.mark.parametrize("program", [p for p in VIEWS if "expand" not in p])
def test_memory_is_shared_where_pytorch_shares_it(program: str) -> None:
    same(
        f"v = ({program.replace('x', 'c')})\nc.fill_(7.0)\n(v, c._version, v._version, v._base is c)",
        c=X,
    )


@pytest.mark.parametrize(
    "program",
    [p for p in CUTS if "\n" not in p and p.startswith("x.") and not p.endswith(("]", "2"))],
)
def test_pieces_share_memory(program: str) -> None:
    same(
        f"v = {program.replace('x.', 'c.')}\nc.mul_(2)\n(v, v[0]._base is c, v[-1].stride())",
        c=X,
    )


SCALAR = [
    "x.view(1)", "x.view(1, 1)", "x.reshape(-1)", "x.flatten()", "x.unsqueeze(0)", "x.squeeze()",
    "x.squeeze(0)", "x.t()", "x.transpose(0, 0)", "x.permute()", "x.permute(())", "x.expand(3)",
    "x.clone()", "x.ravel()", "x.contiguous()", "x.view(())", "x.transpose(0, -1)",
    "torch.stack([x, x])", "x.T", "x.split(1)", "x.unbind()", "x.narrow(0, 0, 1)",
    "torch.cat([x, x])", "x.chunk(1)", "x.select(0, 0)",
]  # fmt: skip
EMPTY = [
    "x.view(3, 0)", "x.view(-1)", "x.view(0, 5)", "x.reshape(5, 0)", "x.flatten()", "x.t()",
    "x.unsqueeze(1)", "x.squeeze()", "x.expand(2, 0, 3)", "torch.cat([x, x])",
    "torch.stack([x, x])", "x.clone()", "x.unbind()", "x.unbind(1)", "x.split(1)", "x.chunk(2)",
    "x.split(2, 1)", "x.view(-1, 0)", "x.reshape(2, -1)", "x.split(0)", "x.chunk(2, 1)",
]  # fmt: skip


@pytest.mark.parametrize("program", SCALAR)
def test_zero_dimensions(program: str) -> None:
    same(program, x=reals())


@pytest.mark.parametrize("program", EMPTY)
def test_empty(program: str) -> None:
    same(program, order=1, x=reals(0, 3))


MISTAKES = [
    "torch.ones(3, 2).view(4)", "torch.ones(3, 2).view(-1, 4)", "torch.ones(3, 2).t().view(6)",
    "torch.ones(3, 2).view(-1, -1)", "torch.ones(3, 2).reshape(5)", "torch.ones(3, 2).view(-2, 3)",
    "torch.ones(3).view('a')", "torch.ones(3).view(1.5)", "torch.ones(3).expand(2)",
    "torch.ones(3).expand(3, 2)", "torch.ones(2, 3).expand(3)", "torch.ones(3).expand(-1, 3)",
    "torch.ones(3).transpose(0, 1)", "torch.ones(3, 3, 3).t()", "torch.ones(2, 3).permute(0, 0)",
    "torch.ones(2, 3).permute(0)", "torch.ones(2, 3).permute(0, 2)", "torch.ones(2).squeeze(3)",
    "torch.ones(2).unsqueeze(3)", "torch.ones(2).unsqueeze(-3)", "torch.ones(3).mT",
    "torch.cat([torch.ones(2), torch.ones(2, 2)])",
    "torch.cat([torch.ones(2, 3), torch.ones(2, 2)])",
    "torch.cat([torch.ones(2, 3), torch.ones(3, 3)], 1)", "torch.cat([])",
    "torch.cat(torch.ones(2))", "torch.cat([torch.ones(2), 1])", "torch.cat([torch.ones(2)], 1)",
    "torch.stack([])", "torch.stack([torch.ones(2), torch.ones(3)])",
    "torch.stack([torch.ones(2), 1])", "torch.stack([torch.ones(2)], 3)", "torch.ones(4).split(0)",
    "torch.ones(4).split(-1)", "torch.ones(4).split([1, 2])", "torch.ones(4).split([5, -1])",
    "torch.ones(4).chunk(0)", "torch.ones(4).chunk(-1)", "torch.ones(4).split(1, 1)",
    "torch.ones(4).unbind(1)", "torch.ones(2, 2).flatten(1, 0)", "torch.ones(4).flatten(2)",
    "torch.ones(4).narrow(0, 3, 2)", "torch.ones(4).narrow(0, 0, -1)",
    "torch.ones(4).narrow(0, 5, 1)", "torch.ones(4).select(0, 4)", "torch.ones(4).select(1, 0)",
    "torch.ones(2, 2).squeeze('a')", "torch.ones(3, 2).view(0, -1)", "torch.ones(0).view(-1, 0)",
    "torch.ones(2).expand(-2)", "torch.ones(2, 3).reshape(7, -1)", "torch.ones(2, 3).T.view(-1)",
    "torch.ones(4).chunk(2, 3)",
]  # fmt: skip


@pytest.mark.parametrize("program", MISTAKES)
def test_mistakes(program: str) -> None:
    same(program)


def test_reversing_more_than_two_dimensions() -> None:
    same("x.permute(2, 1, 0)", x=X)


def test_joins_do_not_share_memory() -> None:
    same("s = torch.cat([c])\nc.fill_(0)\n(s, torch.stack([c, c]), s._version)", c=np.ones(3))
