"""The Tensor itself: its place in the graph, its values in Python and NumPy, copies, mistakes."""

import copy
import io
import pickle

import numpy as np
import pytest
from both import on_both

import minigrad

# ---- requires_grad, grad, detach, data -----------------------------------------------------------


@on_both
def test_requires_grad(torch, log):
    x = torch.ones(2)
    log(x.requires_grad, x.is_leaf, x.grad, x.grad_fn)
    x.requires_grad = True
    log(x.requires_grad, x.requires_grad_(False) is x, x.requires_grad)
    log(x.requires_grad_(), (x * 2).requires_grad)
    x.requires_grad = False
    log((x * 2).requires_grad)
    log(
        torch.tensor([1.0], requires_grad=True),
        torch.ones(2, requires_grad=True),
        torch.zeros(1, requires_grad=True),
    )


@on_both
def test_errors_of_requires_grad(torch, log):
    x = torch.ones(2, requires_grad=True)
    y = x * 2
    log.error(setattr, y, "requires_grad", False)
    log.error(y.requires_grad_, False)
    log.error(setattr, y, "requires_grad", True)
    log.error(torch.ones(2, dtype=torch.int64).requires_grad_)
    log.error(torch.ones(2, dtype=torch.bool).requires_grad_)
    log.error(torch.ones(2, dtype=torch.int64).requires_grad_, False)
    log.error(torch.tensor, [1, 2], requires_grad=True)
    log.error(torch.ones, 2, dtype=torch.int32, requires_grad=True)
    log.error(setattr, x, "requires_grad", 1)
    log.error(setattr, x, "requires_grad", None)
    log(y.requires_grad_() is y)
    for name in ("is_leaf", "grad_fn", "shape", "_version"):
        try:
            setattr(x, name, None)
        except AttributeError:
            log(name, "cannot be set")


@on_both
def test_assigning_a_gradient(torch, log):
    x = torch.ones(2, requires_grad=True)
    g = torch.tensor([3.0, 4.0])
    x.grad = g
    log(x.grad is g, x.grad)
    x.grad = None
    log(x.grad)
    constant = torch.ones(2)
    constant.grad = g
    log(constant.grad)
    y = x * 2
    y.grad = g
    log(y.grad)
    for wrong in (
        1.0,
        [1.0, 2.0],
        np.ones(2),
        torch.ones(3),
        torch.ones(2, 1),
        torch.ones(2, dtype=torch.float64),
        x,
    ):
        log.error(setattr, x, "grad", wrong)
    log.error(setattr, x, "grad", torch.ones(2, dtype=torch.int64))
    log(x.grad)
    x.grad = g
    del x.grad
    log(x.grad)


@on_both
def test_detach(torch, log):
    x = torch.ones(2, requires_grad=True)
    y = x * 2
    d = y.detach()
    log(d, d.is_leaf, d is y, d.data_ptr() == y.data_ptr(), d._version)
    d[0] = 7.0
    log(y, y._version)
    log(y.detach_() is y, y.is_leaf, y.requires_grad, y.grad_fn)
    log(x.detach(), x.detach().requires_grad_() is x)


@on_both
def test_data(torch, log):
    x = torch.ones(2, requires_grad=True)
    d = x.data
    log(d, d.requires_grad, d is x.data, d.data_ptr() == x.data_ptr())
    x.data[0] = 5.0
    x.data.mul_(2)
    x.data -= 1
    log(x, x._version)
    x.data = torch.tensor([7.0, 8.0, 9.0])
    log(x, x.shape, x.requires_grad, x.is_leaf)
    log.error(setattr, x, "data", torch.tensor([1, 2]))
    log.error(setattr, x, "data", 3.0)
    (x * x).sum().backward()
    log(x.grad)


@on_both
def test_setting_data_shares_memory(torch, log):
    x, source = torch.ones(2, requires_grad=True), torch.zeros(2)
    x.data = source
    source[0] = 5.0
    log(x)
    y = torch.ones(2)
    y.data = x.data
    y.add_(1)
    log(x, source, y)


# ---- as Python numbers ---------------------------------------------------------------------------


def ways(torch):
    return {
        "item": lambda t: t.item(),
        "float": float,
        "int": int,
        "bool": bool,
        "index": lambda t: [10, 20, 30, 40][t],
        "range": lambda t: list(range(t)),
        "tolist": lambda t: t.tolist(),
        "len": len,
        "list": list,
        "round": lambda t: round(t),
        "complex": complex,
        "hash": lambda t: hash(t) == hash(t),
        "iterate": lambda t: [float(e) for e in t],
        "unpack": lambda t: (lambda a, b: (a, b))(*t),
        "contains": lambda t: (1 in t, 99 in t),
        "sum": sum,
        "max": max,
        "and": lambda t: t and 1,
        "not": lambda t: not t,
        "if": lambda t: 1 if t else 0,
        "add to list": lambda t: [1, 2] + t,
        "call": lambda t: t(),
        "format": lambda t: f"{t:.2f}",
        "format width": lambda t: f"{t:6}",
        "format plain": lambda t: f"{t}",
        "percent": lambda t: "%.1f" % t,  # noqa: UP031
        "str format": lambda t: f"{t:.3f} {t}",
        "numel": lambda t: (
        t.numel(), t.nelement(), t.dim(), t.ndim, tuple(t.shape), tuple(t.size())),
        "strides": lambda t: (t.stride(), t.storage_offset(), t.element_size(), t.is_contiguous()),
        "kind": lambda t: (t.type(), t.is_floating_point(), t.dtype, str(t.device)),
    }  # fmt: skip


VALUES = {
    "0-d float": lambda torch: torch.tensor(2.5),
    "0-d double": lambda torch: torch.tensor(1 / 3, dtype=torch.float64),
    "0-d int": lambda torch: torch.tensor(3),
    "0-d bool": lambda torch: torch.tensor(True),
    "0-d false": lambda torch: torch.tensor(0.0),
    "0-d nan": lambda torch: torch.tensor(float("nan")),
    "0-d inf": lambda torch: torch.tensor(float("inf")),
    "one element": lambda torch: torch.tensor([1.5]),
    "one integer": lambda torch: torch.tensor([1]),
    "one element, 2-d": lambda torch: torch.tensor([[1.5]]),
    "floats": lambda torch: torch.tensor([1.0, 2.0]),
    "integers": lambda torch: torch.tensor([2, 1]),
    "matrix": lambda torch: torch.tensor([[1.0, 2.0], [3.0, 4.0]]),
    "empty": lambda torch: torch.zeros(0),
    "empty, 2-d": lambda torch: torch.zeros(2, 0),
    "needs a gradient": lambda torch: torch.tensor([1.0, 2.0], requires_grad=True),
    "0-d, needs a gradient": lambda torch: torch.tensor(1.5, requires_grad=True),
    "result": lambda torch: torch.tensor(1.5, requires_grad=True) * 2,
    "transposed": lambda torch: torch.arange(6.0).view(2, 3).t(),
}


@pytest.mark.parametrize("way", ways(None))
@pytest.mark.parametrize("value", VALUES)
@on_both
def test_as_python(torch, log, value, way):
    log.error(ways(torch)[way], VALUES[value](torch))


@on_both
def test_iteration_records(torch, log):
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    total = 0
    for i, row in enumerate(x):
        log(row)
        total = total + (row * (i + 1)).sum()
    a, b = x
    (total + (a * b).sum()).backward()
    log(x.grad)
    for first, second in zip(torch.ones(2), torch.zeros(2), strict=True):
        log(first, second)


@on_both
def test_indices_from_tensors(torch, log):
    x = torch.arange(5.0)
    i = torch.tensor(2)
    log(
        x[i],
        x[i:],
        x[: torch.tensor(3)],
        [1, 2, 3][i],
        range(5)[i],
        x[torch.tensor(1) : torch.tensor(4)],
    )
    log.error(lambda: [1, 2, 3][torch.tensor(1.0)])
    log.error(lambda: x[5])
    log.error(lambda: x[0, 0])
    log.error(lambda: torch.tensor(1.0)[0])


@on_both
def test_comparison_and_truth(torch, log):
    x = torch.tensor([1.0, 2.0])
    log(x == x, x != 1, (x == x).all(), bool((x == x).all()), x == None, x != None, x is None)  # noqa: E711
    log.error(lambda: bool(x == x))
    log.error(lambda: x in [x])
    log.error(lambda: x in [torch.tensor([3.0, 4.0])])
    log({x: 1}[x], x.__hash__() == id(x) or True)


# ---- NumPy ---------------------------------------------------------------------------------------


@on_both
def test_numpy_shares_memory(torch, log):
    x = torch.tensor([1.0, 2.0])
    a = x.numpy()
    a[0] = 5.0
    x[1] = 7.0
    log(a, x, x.t().numpy(), x.view(2, 1).numpy())
    b = np.arange(6.0).reshape(2, 3)
    t, u = torch.from_numpy(b), torch.as_tensor(b)
    b[0, 0] = 100.0
    t[1, 1] = 200.0
    log(b, t, u, torch.tensor(b))
    log(torch.from_numpy(b.T), torch.from_numpy(b)[:, 1])
    c = np.asarray(x)
    c[0] = -1.0
    log(x, c)
    d = np.array(x)
    d[0] = -2.0
    log(x, d)


@on_both
def test_errors_with_numpy(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    log.error(x.numpy)
    log.error((x * 2).numpy)
    log.error(np.asarray, x)
    log.error(np.array, x * 2)
    log(x.detach().numpy(), x.numpy(force=True), (x * 2).detach().numpy())
    with torch.no_grad():
        log((x * 2).numpy())
    log.error(torch.from_numpy, [1.0])


@on_both
def test_numpy_functions_of_tensors(torch, log):
    x = torch.tensor([[1.0, 4.0], [9.0, 16.0]])
    log(np.asarray(x), np.array(x, dtype=np.float64), np.array(x[0]), np.asarray(x.sum()))
    log(np.allclose(x, x), np.shape(x), float(np.mean(x.numpy())))
    log(torch.tensor(np.float32(2.5)), torch.tensor(np.int64(3)), torch.tensor(np.arange(3)))
    log(torch.tensor([np.float64(1.5), 2.0]), torch.as_tensor([1, 2]))


@on_both
def test_numpy_operands(torch, log):
    x = torch.tensor([1.0, 2.0])
    log.error(lambda: x * np.float32(2.0))
    log.error(lambda: x * np.float64(2.0))
    log.error(lambda: np.float32(2.0) * x)
    log.error(lambda: np.float64(2.0) * x)
    log.error(lambda: np.float64(2.0) - x)
    log.error(lambda: x * np.array([1.0, 2.0]))
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    log.error(lambda: np.float64(2.0) * w)
    log.error(lambda: w + np.float64(2.0))


# ---- copies --------------------------------------------------------------------------------------


@on_both
def test_deepcopy(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (x * x).sum().backward()
    y = copy.deepcopy(x)
    log(y, y.grad, y is x, y.grad is x.grad, y.data_ptr() == x.data_ptr())
    with torch.no_grad():
        y.add_(1)
    y.grad.add_(1)
    log(x, x.grad, y, y.grad)
    log.error(copy.deepcopy, x * 2)
    pair = copy.deepcopy([x, x, {"x": x}])
    log(pair[0] is pair[1], pair[0] is pair[2]["x"], pair[0] is x)
    log(copy.deepcopy(torch.tensor(3)), copy.deepcopy(torch.ones(2, 2).t()).stride())


@on_both
def test_deepcopy_of_views(torch, log):
    base = torch.arange(6.0)
    view = base[2:4]
    a, b = copy.deepcopy([base, view])
    b[0] = 100.0
    log(a, b, base)


@on_both
def test_deepcopy_of_dimensions_in_another_order(torch, log):
    x = torch.arange(24.0).reshape(2, 3, 4).permute(1, 0, 2) * 1  # in memory as it was before
    y = copy.deepcopy(x)
    y.zero_()
    log(x.stride(), y.stride(), x)


@on_both
def test_copy(torch, log):
    x = torch.tensor([1.0, 2.0])
    y = copy.copy(x)
    y[0] = 5.0
    log(x, y, y is x)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@on_both
def test_pickle(torch, log, protocol):
    for x in (
        torch.tensor([1.0, 2.0], requires_grad=True),
        torch.tensor(3),
        torch.ones(2, 3).t(),
        torch.tensor([True]),
        torch.zeros(0, 2),
        torch.arange(6.0)[2:4],
        torch.tensor([1.0], dtype=torch.float64),
    ):
        y = pickle.loads(pickle.dumps(x, protocol))
        log(y, y.is_leaf, y is x)
    log.error(pickle.dumps, torch.tensor([1.0], requires_grad=True) * 2)


@on_both
def test_pickle_drops_the_gradient(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (x * x).sum().backward()
    stream = io.BytesIO()
    pickle.dump({"x": x}, stream)
    stream.seek(0)
    y = pickle.load(stream)["x"]
    log(y, y.grad)


@on_both
def test_clone(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x.clone()
    log(y, y.data_ptr() == x.data_ptr())
    (y * 3).sum().backward()
    log(x.grad)


# ---- mistakes ------------------------------------------------------------------------------------


@on_both
def test_names_that_do_not_exist(torch, log):
    x = torch.ones(2)
    log.error(lambda: x.nothing)
    log.error(lambda: x._nothing)
    log.error(lambda: torch.nothing)
    log.error(lambda: x.grads)
    log(hasattr(x, "nothing"), hasattr(x, "grad"), getattr(x, "nothing", 5))
    x.note = "mine"
    log(x.note)
    del x.note
    log(hasattr(x, "note"))


@on_both
def test_operands_that_do_not_fit(torch, log):
    x = torch.ones(2)
    for wrong in ("a", None, [1.0, 2.0], {}, (1.0, 2.0), object):
        log.error(lambda wrong=wrong: x + wrong)
        log.error(lambda wrong=wrong: wrong * x)
    log.error(lambda: x < "a")
    log.error(lambda: x == "a")
    log.error(lambda: x @ 2)
    log.error(lambda: x @ torch.ones(3))
    log.error(lambda: x + torch.ones(3))
    log.error(lambda: x.sum(5))
    log.error(lambda: x.view(3))


@on_both
def test_constructors_of_tensors(torch, log):
    log(
        torch.Tensor([1, 2]),
        torch.Tensor(2, 3).shape,
        torch.Tensor().shape,
        torch.is_tensor(torch.ones(1)),
    )
    log(
        isinstance(torch.ones(1), torch.Tensor),
        torch.is_tensor([1.0]),
        type(torch.ones(1)).__name__,
    )
    log.error(torch.Tensor, "a")
    log.error(torch.tensor, "a")
    log.error(torch.tensor, [[1.0], [1.0, 2.0]])
    log.error(torch.tensor, None)
    log.error(torch.tensor, torch.ones(2))
    log.error(torch.tensor, object())


@on_both
def test_sizes(torch, log):
    size = torch.ones(2, 3).shape
    log(
        size == (2, 3),
        size[0],
        size[-1],
        len(size),
        size.numel(),
        str(size),
        repr(size[1:]),
        tuple(size + (4,)),
    )
    log(
        isinstance(size, tuple),
        size == torch.Size([2, 3]),
        torch.Size([1]) + torch.Size([2]),
        type(size[:1]).__name__,
    )
    rows, columns = size
    log(rows, columns, f"{size}", torch.ones(2, 3).size(0), torch.ones(2, 3).size(-1))
    log.error(torch.ones(2, 3).size, 2)
    log(size * 2, hash(size) == hash((2, 3)), torch.Size(), torch.zeros(()).shape)


# ---- what NumPy cannot tell us from PyTorch ------------------------------------------------------


def test_the_text_of_a_size_names_this_library():
    assert repr(minigrad.ones(2, 3).shape) == "minigrad.Size([2, 3])"


@pytest.mark.parametrize(
    "make", [lambda t: t.detach(), lambda t: t.data, lambda t: t.view(2, 1), lambda t: t[:]]
)
def test_what_shares_memory_with_numpy(make):
    array = np.ones(2, dtype=np.float32)
    assert np.shares_memory(make(minigrad.from_numpy(array)).numpy(), array)
