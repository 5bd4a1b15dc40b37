"""Which memory conversions, and gradients handed from node to node, share or copy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from both import on_both
from oracle import flat, reals, same

import minigrad

# `a` is an array, `c` a tensor that is turned, `p` a parameter.
CONVERSIONS = [
    "torch.from_dlpack(c)", "torch.from_dlpack(c, copy=True)", "torch.from_dlpack(a)",
    "torch.from_dlpack(a, copy=True)", "torch.asarray(a)", "torch.asarray(a, copy=True)", "torch.asarray(c)",
    "torch.asarray(c, copy=True)", "torch.asarray(a, dtype=torch.float32)", "torch.tensor(a)",
    "torch.as_tensor(a)", "torch.as_tensor(a.T)", "torch.from_numpy(a)", "torch.from_numpy(a[:, 1:])",
    "torch.frombuffer(a, dtype=torch.float64)", "torch.tensor(c)", "torch.as_tensor(c)", "c.clone()", "c.numpy()",
    "c.to(torch.float64)", "c.to(torch.float64, copy=True)", "c.to(torch.float32)", "c.double()", "c.new_tensor(c)",
    "copy.copy(c)", "copy.deepcopy(c)", "copy.deepcopy(c[1:])", "copy.deepcopy([c, c.T])[1]",
    "copy.deepcopy([c, c[0]])[1]", "c.detach()", "c.data",
    "torch.nn.Parameter(c)", "copy.deepcopy(p)", "p.data", "p.detach().clone()", "c.contiguous()", "c.T.contiguous()",
    "torch.empty_like(c).copy_(c)", "torch.clone(c)", "c.type(torch.float64)", "c.type(torch.float32)",
    "torch.utils.dlpack.from_dlpack(torch.utils.dlpack.to_dlpack(c))", "torch.nn.utils.parameters_to_vector([p])",
    "torch.nn.utils.parameters_to_vector([p, p])", "c.reshape(-1)", "c.T.reshape(-1)", "c.resize_(2)",
    "torch.from_numpy(np.flip(a).copy())",
    "copy.deepcopy(torch.from_numpy(np.asarray(memoryview(a[0])[::2])))", "copy.deepcopy(torch.from_numpy(a.T)[1:])",
    "copy.deepcopy([c, c.T.reshape(-1)[4:].view(torch.int64)])[1].view(torch.float64)",
    "copy.deepcopy(torch.from_numpy(np.arange(12, dtype=np.int16).view(np.int64)))",
]  # fmt: skip


@pytest.mark.parametrize("line", CONVERSIONS)
def test_memory_of_conversions(line: str) -> None:
    """Where it lies, and what is overwritten with it."""
    program = (
        f"import copy\np = torch.nn.Parameter(c.clone())\na = np.array(b)\nc = c.T\nr = {line}\n"
        "place = r.strides if isinstance(r, np.ndarray) else r.stride()\n"
        "if not isinstance(r, np.ndarray):\n    r = r.detach()\n"
        "r[...] = 7\n"
        "(place, r.tolist(), c, p.detach(), a.tolist())"
    )
    array = reals(3, 4)
    same(program, order=0, c=array, b=array.tolist())


@pytest.mark.parametrize(
    "line", ["x[a]", "x[a, a]", "x[:, a]", "x[[a]]", "y.__setitem__(a, x[0]) or y"]
)
def test_arrays_that_are_indices_are_copied(line: str) -> None:
    """They may be filled anew before the backward pass (in PyTorch that spoils the gradient)."""
    found = []
    for later in (0, 1):
        x = minigrad.tensor(reals(3, 3), requires_grad=True)
        a = np.array([0, 2])
        r = eval(line, {"x": x, "a": a, "y": x * 2})
        a *= 1 - later
        found.append(minigrad.autograd.grad((r * r).sum(), x)[0].tolist())
    assert found[0] == found[1]


@on_both
@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize(
    "line", ["x * 2", "x.clone()", "x.mean()", "x.view(-1)", "x.exp()", "x[0]"]
)
def test_writes_into_gradients_change_nothing_else(
    torch: Any, log: Any, line: str, create_graph: bool
) -> None:
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    y = x * 1
    z = eval(line, {"x": y})
    y.retain_grad()
    z.retain_grad()
    given, seen = torch.ones_like(z), []
    z.register_hook(lambda grad: seen.append(grad * 1))
    for _ in range(2):
        z.backward(given, retain_graph=True, create_graph=create_graph)
        log(x.grad, y.grad, z.grad, given, seen, y, z)
        with torch.no_grad():
            x.grad.fill_(7)
        log(y.grad, z.grad, given, seen, y, z)
        with torch.no_grad():
            z.grad.fill_(8)
        log(x.grad, y.grad, given, y, z)
    first = torch.autograd.grad(z, y, given, retain_graph=True)[0]
    first.detach().fill_(9)
    log(first, x.grad, y.grad, z.grad, given, y, z)
    log(torch.autograd.grad(z, y, given))


@pytest.mark.parametrize("mode", ["save_on_cpu", "allow_mutation_on_saved_tensors"])
def test_saved_tensors_are_copies(mode: str) -> None:
    """(PyTorch's `save_on_cpu` copies what is on a GPU only, and misses writes on the CPU.)"""
    x = minigrad.tensor([1.0, 2.0], requires_grad=True)
    with getattr(minigrad.autograd.graph, mode)():
        y = x * 3
        z = (y * y).sum()
        with minigrad.no_grad():
            y.mul_(2)
        z.backward()
    assert flat(x.grad)[0].tolist() == [18.0, 36.0]
