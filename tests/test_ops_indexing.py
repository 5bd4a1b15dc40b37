"""Indexing and assignment beside PyTorch: values, views or copies, graphs, gradients, errors."""

from __future__ import annotations

import numpy as np
import pytest
from oracle import check_gradient, reals, same

X, I, M = reals(3, 4, 2), np.array([2, 0, -1]), np.array([True, False, True])
INPUTS = {"x": X, "i": I, "m": M}
BASIC = [
    "x[0]", "x[-1]", "x[0, 1]", "x[0, 1, 1]", "x[:]", "x[1:]", "x[:2]", "x[::2]", "x[5:]", "x[-2:]",
    "x[2:1]", "x[:, 1]", "x[:, 1:3]", "x[..., 0]", "x[..., 1:]", "x[0, ..., 1]", "x[None]",
    "x[:, None]", "x[..., None]", "x[None, 0, None]", "x[...]", "x[0][1][0]", "x[:, :, :]",
    "x[1:, ::2, -1]", "x[()]", "x[:, 0:4]", "x[np.int64(1)]", "x[torch.tensor(1)]", "x[0:1, 0]",
    "x[:, -1:]", "x[-3]", "x[1:2][0]", "x.mT[0]", "x[:, 1][0]", "x[slice(1, None)]", "x[(0, 1)]",
    "x[None, ..., None]", "x[0:100]", "x[:-1]", "x[-100:2]",
]  # fmt: skip
GATHERED = [
    "x[i]", "x[[0, 2]]", "x[[0, 0, 1]]", "x[:, [1, 3]]", "x[i, 1]", "x[i, :, 0]", "x[i, [0, 1, 2]]",
    "x[:, [0, 1], [0, 1]]", "x[[0, 1], :, [0, 1]]", "x[i[:, None], [0, 1]]", "x[i, 1:3]",
    "x[1:, i]", "x[..., [0, 1]]", "x[m]", "x[m, 0]", "x[:, [True, False, True, False]]", "x[x > 0]",
    "x[(x > 0)[:, :, 0]]", "x[m][:, 0]", "x[True]", "x[False]", "x[None, i]", "x[i, None]",
    "x[i, ..., 1]", "x[0, i]", "x[[[0, 1], [1, 2]]]", "x[[]]", "x[np.array([0, 1])]", "x[i.int()]",
    "x[torch.tensor([[0, 1], [2, 0]])]", "x[range(2)]", "x[[True, False, False]]", "x[x > 99]",
    "x[0, [1, 1, 1]]", "x[m, 1:3, [0, 1]]", "x[i, i]", "x[torch.tensor(True)]",
    "x[[torch.tensor(0), torch.tensor(1)]]", "x[i.to(torch.uint8) % 2 == 0]",
    "x[[0, 2], [1, 3], [0, 1]]", "x[1, [0, 2]]",
]  # fmt: skip


@pytest.mark.parametrize("program", BASIC)
def test_views(program: str) -> None:
    same(program, **INPUTS)


@pytest.mark.parametrize("program", GATHERED)
def test_gathering(program: str) -> None:
    same(program, **INPUTS)


@pytest.mark.parametrize(
    "program", BASIC + [p for p in GATHERED if "False]" not in p and "[]" not in p]
)
def test_gradient_is_the_slope(program: str) -> None:
    check_gradient(program, **INPUTS)


@pytest.mark.parametrize("program", BASIC)
def test_views_share_memory(program: str) -> None:
    same(
        f"v = {program.replace('x', 'c', 1)}\nc.mul_(2)\n(v, c._version, v._version)"
        if "dim" not in program
        else "0",
        c=X,
    )


TARGETS = [
    "[0]", "[-1, 2]", "[0, 1, 1]", "[:]", "[1:]", "[:, 1]", "[..., 0]", "[::2, 1:3]", "[None]",
    "[i]", "[[0, 2]]", "[m]", "[:, [1, 3]]", "[i, 1]", "[y > 0]", "[...]", "[i, [0, 1, 2]]",
    "[m, 0]", "[0, ..., 1]", "[5:]", "[True]", "[i[:2], :, 0]", "[[0, 1], :, [0, 1]]",
    "[torch.tensor(1)]", "[()]",
]  # fmt: skip


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("value", ["5", "-1.5", "True", "w", "torch.tensor(3.0).double()", "w * w"])
def test_assignment(target: str, value: str) -> None:
    same(f"y = x * 2\ny{target} = {value}\n(y, y._version)", **INPUTS, w=np.array(0.5))


@pytest.mark.parametrize("target", [t for t in TARGETS if t != "[True]"])
def test_assignment_of_a_tensor_of_the_target_s_shape(target: str) -> None:
    same(
        f"y = x * 2\ny{target} = y{target}.detach() * w\n(y, y._version)", **INPUTS, w=np.array(0.5)
    )
    part = target.replace("y", "x")
    same(f"y = torch.zeros(3, 4, 2).double()\ny{part} = x{part}\ny", **INPUTS)


ASSIGNMENTS = [
    "y[0] = x[1]\ny", "y[:, 0] = x[0, :3, 0]\ny", "y[0] += x[1]\ny", "y[m] *= 2\ny",
    "y[0][1] = 3\ny", "y[0:2][1] = x[0]\ny", "v = y[0]\nv[1] = 7\n(y, v)",
    "y[i[:2]] = x[:2] * 3\ny", "v = y.view(-1)\nv[3] = x.sum()\n(y, v)", "y[y > 0] = 0\ny",
    "y[y > 0] = y[y > 0] * 2\ny", "y[1:, 0] = torch.tensor([[1.0, 2.0]]).double()\ny",
    "y[[0, 0]] = x[1:]\ny", "y[None, 0] = x[0]\ny", "y[..., 1] = y[..., 0]\ny",
    "y[0] = y[1]\ny[1] = y[2]\ny", "y[0] = 1\ny[0] = x[0]\ny", "y.mT[0].fill_(3)\ny",
    "y[0, 0] = x[0, 0].float()\ny", "y[0] = torch.arange(2)\ny", "y[0] = np.arange(2.0)\ny",
    "y[i] = np.ones(2)\ny",
]  # fmt: skip

UNSMOOTH = [
    "> 0", "float()", "np.", "[:, 0]", "[[0, 0]]",
]  # fmt: skip


@pytest.mark.parametrize("program", ASSIGNMENTS)
def test_assignment_programs(program: str) -> None:
    same(f"y = x * 2\n{program}", **INPUTS)


@pytest.mark.parametrize("program", [p for p in ASSIGNMENTS if not any(s in p for s in UNSMOOTH)])
def test_gradient_of_assignments_is_the_slope(program: str) -> None:
    check_gradient(f"y = x * 2\n{program}", **INPUTS)


MISTAKES = [
    "torch.ones(3)[3]", "torch.ones(3)[-4]", "torch.ones(3)[0, 0]", "torch.ones(2, 3)[0, 3]",
    "torch.ones(3)[torch.tensor([3])]", "torch.ones(3)[[-4]]", "torch.ones(2, 3)[:, [5]]",
    "torch.ones(3)[1.0]", "torch.ones(3)['a']", "torch.ones(3)[::-1]", "torch.ones(3)[::0]",
    "torch.ones(3)[torch.tensor([True, False])]", "torch.ones(2, 3)[:, torch.tensor([True])]",
    "torch.tensor(3.0)[0]", "torch.tensor(3.0)[:]", "torch.ones(3)[torch.tensor([1.0])]",
    "torch.ones(3)[..., ...]", "torch.ones(3)[None, None, 0, 0]",
    "torch.ones(3, 3)[[0, 1], [0, 1, 2]]", "torch.ones(3)[{}]", "torch.ones(3)[1.5:]",
    "torch.ones(2, 3)[torch.ones(2, 2) > 0]", "torch.ones(2)[torch.ones(2, 2) > 0]",
    "torch.ones(3)[[1.0]]", "x = torch.ones(3)\nx[5] = 1\nx", "x = torch.ones(3)\nx[0] = 'a'\nx",
    "x = torch.ones(3)\nx[:2] = torch.ones(3)\nx",
    "x = torch.ones(3)\nx[[0, 1]] = torch.ones(3)\nx", "x = torch.ones(3)\nx[0] = None\nx",
    "x = torch.ones(3)\nx[[0]] = torch.ones(1).double()\nx",
    "x = torch.ones(3)\nx[0] = torch.ones(2)\nx",
    "x = torch.ones(3)\nx[torch.tensor([True, False])] = 1\nx",
    "x = torch.ones(3)\nx[0] = [1, 2]\nx", "x = torch.ones(3)\nx[1.0] = 2\nx",
    "x = torch.ones(3, requires_grad=True)\nx[0] = 1\nx",
    "x = torch.ones(3, requires_grad=True)\nx[[0]] = 1\nx",
    "x = torch.ones(1).expand(3)\nx[0] = 1\nx", "x = torch.tensor(1.0)\nx[0] = 1\nx",
    "torch.ones(2, 2)[0, 0, 0]", "x = torch.arange(3)\nx[0] = 1.7\nx",
    "x = torch.arange(3)\nx[[0]] = 1.7\nx", "x = torch.arange(3)\nx[0] = float('nan')\nx == x",
    "x = torch.ones(3) > 0\nx[0] = 0\nx", "x = torch.ones(3, 3)\nx[[7]] = 0\nx", "torch.ones(0)[0]",
]  # fmt: skip


@pytest.mark.parametrize("program", MISTAKES)
def test_mistakes(program: str) -> None:
    same(program)


@pytest.mark.parametrize(
    "program",
    [
        "x[...]",
        "x[()]",
        "x[None]",
        "x[True]",
        "x[False]",
        "x[torch.tensor(True)]",
        "y = x * 1\ny[...] = 3.0\ny",
        "y = x * 1\ny[()] = 3.0\ny",
        "y = x * 1\ny[None] = 2.0\ny",
        "x[x > 9]",
    ],
)
def test_zero_dimensions(program: str) -> None:
    same(program, x=reals())
