"""In-place ops beside PyTorch: values, versions, views and bases, rebased history, errors."""

from __future__ import annotations

import pytest
from oracle import check_gradient, reals, same

X, W = reals(2, 3), reals(2, 3, seed=1)
WRITES = [
    "add_(w)", "add_(1)", "add_(w, alpha=2)", "sub_(w)", "sub_(0.5)", "sub_(w, alpha=3)", "mul_(w)",
    "mul_(3)", "div_(w)", "div_(2)", "div_(w, rounding_mode='floor')",
    "div_(2, rounding_mode='trunc')", "pow_(2)", "pow_(3)", "neg_()", "exp_()", "abs_()", "sin_()",
    "cos_()", "sigmoid_()", "tanh_()", "relu_()", "clamp_(-1, 1)", "clamp_(min=0)",
    "clamp_(max=0.5)", "clip_(0, 1)", "clamp_(min=w)", "clamp_(w, w + 1)", "reciprocal_()",
    "sign_()", "floor_()", "ceil_()", "zero_()", "fill_(3)", "fill_(w[0, 0])", "copy_(w)",
    "copy_(w[0])", "copy_(c)", "fill_(torch.tensor(2))", "remainder_(2)", "remainder_(w)", "eq_(w)",
    "lt_(0)", "ne_(w)", "ge_(1)", "add_(w[0])", "mul_(w[:, :1])", "add_(torch.tensor(1))",
    "mul_(c)", "add_(y)", "copy_(c.float())", "mul_(y)", "add_(y[0] * 2)",
]  # fmt: skip
OPERATORS = [
    "y += w", "y -= w", "y *= w", "y /= w", "y **= 2", "y //= 2", "y %= 2", "y += 1",
    "y -= True + 1", "y /= 2", "y *= w[0]", "y += y",
]  # fmt: skip


@pytest.mark.parametrize("write", WRITES)
def test_writes(write: str) -> None:
    same(f"y = x * 2\nr = y.{write}\n(y, y._version, r is y)", ulps=2, x=X, w=W, c=W)


@pytest.mark.parametrize("statement", OPERATORS)
def test_operators(statement: str) -> None:
    same(f"y = x * 2\nbefore = y\n{statement}\n(y, y._version, y is before)", x=X, w=W)


@pytest.mark.parametrize(
    "write",
    [
        w
        for w in WRITES
        if w.split("_(")[0]
        not in ("eq", "lt", "ne", "ge", "remainder", "floor", "ceil", "sign", "div")
        or w in ("div_(w)", "div_(2)")
    ][:-3],
)
def test_gradient_is_the_slope(write: str) -> None:
    check_gradient(f"y = x * 2\ny.{write}\ny", x=X, w=W, c=W)


VIEWS = [
    "y[0]", "y[:, 1:]", "y.view(-1)", "y.t()", "y.view(3, 2)[1]", "y[0][1:]", "y.unsqueeze(0)",
    "y.permute(1, 0)[1:]", "y[:, ::2]", "y.reshape(6)", "y.squeeze()", "y.T", "y[..., 0]",
    "y.select(1, 0)", "y.narrow(1, 1, 2)", "y.flatten()", "y.transpose(0, 1)[0]",
]  # fmt: skip
INTO_VIEWS = [
    "add_(1)", "mul_(w[0, 0])", "exp_()", "zero_()", "fill_(w[0, 0])", "copy_(w[0, 0])", "mul_(v)",
]  # fmt: skip


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("write", INTO_VIEWS)
def test_writes_into_views(view: str, write: str) -> None:
    same(f"y = x * 2\nv = {view}\nv.{write}\n(y, v, y._version, v._version)", ulps=2, x=X, w=W)
    if write != "mul_(v)":  # which changes what its own gradient needs
        check_gradient(f"y = x * 2\nv = {view}\nv.{write}\n(y, v)", x=X, w=W)


PROGRAMS = [
    "v = y[0]\ny.mul_(2)\n(v, y, v._version)", "v = y[0]\nu = y[1]\nv.mul_(w[0])\n(u, v, y)",
    "v = y[0]\nu = v[1:]\nu.add_(w[0, 1:])\n(u, v, y)", "v = y[0]\ny[0] = w[0]\n(v, y)",
    "y.add_(1).mul_(2)\ny", "y.t()[0] = 5\ny", "v = y.view(-1)\nv[2:4] *= 3\n(y, v)",
    "z = y.detach()\nz.add_(1)\n(y, z, y._version)", "z = y.clone()\nz.add_(1)\n(y, z)",
    "z = y.data\nz.add_(1)\n(y, z, y._version)", "b = torch.zeros(2, 3).double()\nb.add_(x)\nb",
    "b = torch.zeros(2, 3).double()\nb[0] = x[0]\nb[1] = b[0] * 2\nb",
    "b = torch.zeros(2, 3).double()\nv = b[1]\nv.copy_(x[0])\n(b, v)",
    "b = torch.zeros(2, 3).double()\nb.copy_(x)\nb",
    "b = torch.ones(2, 3).double()\nb *= x\nb *= w\nb", "for i in range(2): y[i] = y[i] * w[i]\ny",
    "for r in y: s = r.sum()\ns", "y.sub_(y.mean())\ny", "v = y[0]\nv += 1\nv *= w[0]\ny",
    "y[:, 0] += w[:, 0]\ny[0] -= 1\ny", "v = y.expand(2, 2, 3)\ny.add_(w)\nv",
    "b = torch.zeros(2).double()\nb[0] = x.sum()\nb[1] = b[0] ** 2\nb.sum()",
]  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs(program: str) -> None:
    same(f"y = x * 2\n{program}", ulps=1, x=X, w=W)


@pytest.mark.parametrize(
    "program",
    [
        p
        for p in PROGRAMS
        if not any(s in p for s in ("detach", "data", "u.add_", "** 2", "v *= w[0]", "y[i] * w[i]"))
    ],
)
def test_gradient_of_programs_is_the_slope(program: str) -> None:
    check_gradient(f"y = x * 2\n{program}", x=X, w=W)


CHANGED = [
    "y = x.exp()\ny.add_(1)\ny", "z = x * 2\ny = z * z\nz.add_(1)\ny",
    "z = x * 2\ny = z * w\nz.mul_(2)\ny", "z = x * 2\ny = z.sigmoid()\nz.add_(1)\ny",
    "z = x * 2\ny = z.tanh()\ny.mul_(2)\ny", "z = w * 2\ny = x @ z.t()\nz[0] = 0\ny",
    "z = x * 2\ny = z.relu()\ny += 1\ny", "z = x * 2\ny = z ** 2\nz[0, 0] = 1\ny",
    "z = x * 2\ny = z.sum()\nz.zero_()\ny", "z = x * 2\ny = z.max()\nz.zero_()\ny",
    "z = x * 1\ny = z.prod()\nz.view(-1)[0] = 2\ny", "z = x * 2\ny = z / w\nz.add_(1)\ny",
    "z = w * 2\ny = x / z\nz.add_(1)\ny", "z = x * 2\ny = z.sqrt()\nz.add_(1)\ny",
    "z = x * 2\ny = z.abs()\nz.neg_()\ny", "z = x * 2\ny = torch.maximum(z, w)\nz.zero_()\ny",
    "z = x * 2\ny = z.clamp(0, 1)\nz.zero_()\ny", "z = x * 2\ny = z.std()\nz.zero_()\ny",
]  # fmt: skip


@pytest.mark.parametrize("program", CHANGED)
def test_saved_values_that_were_changed(program: str) -> None:
    same(program, ulps=1, order=1, x=X, w=W)


LEAF_MISTAKES = [
    "x.add_(1)", "x[:2].add_(1)", "x += 1\nx", "x.zero_()", "x.copy_(torch.ones(3))",
    "(x * 2).unbind()[0].add_(1)", "(x * 2).split(1)[0].add_(1)", "(x * 2).chunk(2)[1].mul_(2)",
    "x.expand(3, 3).add_(1)", "(x * 2).expand(3, 3).add_(1)",
    "with torch.no_grad(): v = x[:2]\nv.mul_(2)",
    "y = x * 2\nwith torch.no_grad(): v = y[:2]\nv.mul_(x[0])", "x.detach().add_(1)\nx",
    "x.data.add_(1)\nx", "with torch.no_grad(): x.add_(1)\n(x, x._version)",
    "with torch.no_grad(): x -= 0.1 * x\nx.is_leaf",
    "y = x.detach()\ny[0] = 5\n(x, x._version, y._version)",
]  # fmt: skip
MISTAKES = [
    "torch.ones(3).expand(3, 3).add_(1)", "torch.arange(3).add_(1.5)", "torch.arange(3).div_(2)",
    "torch.arange(3).mul_(torch.ones(3))", "torch.arange(3).sqrt_()", "torch.arange(3).exp_()",
    "torch.ones(1).add_(torch.ones(3))", "torch.ones(3).add_(torch.ones(2))",
    "torch.ones(3).add_(torch.ones(2, 3))", "torch.ones(3).copy_(torch.ones(2, 3))",
    "torch.ones(3).copy_(torch.ones(2))", "torch.ones(2, 3).copy_(torch.ones(2))",
    "torch.ones(3).fill_('a')", "torch.ones(3).fill_(torch.ones(1))",
    "torch.tensor([True]).add_(1)", "torch.tensor([True]).sub_(1)", "torch.ones(2).copy_(2)",
    "torch.arange(3).fill_(float('nan'))", "torch.arange(3).pow_(2.0)", "torch.arange(3).pow_(-1)",
]  # fmt: skip


@pytest.mark.parametrize("program", LEAF_MISTAKES)
def test_leaves_and_detached_tensors(program: str) -> None:
    same(f"x = torch.ones(3, requires_grad=True)\n{program}")


@pytest.mark.parametrize("program", MISTAKES)
def test_mistakes(program: str) -> None:
    same(program)
