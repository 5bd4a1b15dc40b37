"""`minigrad.func`: transforms of functions, and modules with borrowed parameters."""

import importlib

import pytest
from both import on_both

import minigrad.func


def func(torch):
    return importlib.import_module(torch.__name__ + ".func")


def data(torch):
    x = torch.tensor([0.5, 1.5, -0.25], dtype=torch.float64)
    return x, torch.tensor([2.0, -1.0, 0.75], dtype=torch.float64)


def product(x, y):
    return (x * y).sin().sum() + (x * x * x).sum()


def bare(torch, tree):
    """A tree with Tensors as (detached, requires_grad): names of nodes may differ."""
    if isinstance(tree, torch.Tensor):
        return tree.detach(), tree.requires_grad
    if isinstance(tree, dict):
        return [(key, bare(torch, value)) for key, value in tree.items()]
    if isinstance(tree, (list, tuple)):
        return type(tree)(bare(torch, t) for t in tree)
    return tree


@on_both
def test_grad(torch, log):
    F = func(torch)
    x, y = data(torch)
    for argnums in (0, 1, -1, (0, 1), (1, 0), (1,)):
        log(bare(torch, F.grad(product, argnums)(x, y)))
        log(bare(torch, F.grad_and_value(product, argnums=argnums)(x, y)))
    log.error(F.grad(lambda x, y: (x.sum(), {"y": 1}), has_aux=True), x, y)
    log(F.grad_and_value(lambda x, y: (x.sum(), (x * 2, y)), has_aux=True)(x, y))
    log(F.grad(lambda x, scale: (x * scale).sum())(x, scale=3))
    log(F.grad(lambda x: y.sum())(x))
    tree = {"a": x, "b": [y, (x,)]}
    found = F.grad(lambda t: (t["a"] * t["b"][0] * t["b"][1][0]).sum())(tree)
    log(bare(torch, found))


@on_both
def test_errors(torch, log):
    F = func(torch)
    x, y = data(torch)
    for argnums in (2, -3, (0, 5), (), 1.5, None):
        log.error(F.grad(product, argnums), x, y)
        log.error(F.jacrev(product, argnums), x, y)
    for wrong in (lambda x: x, lambda x: (x.sum(), 1), lambda x: 1.0, lambda x: None):
        log.error(F.grad(wrong), x)
    log.error(F.grad(lambda x: x.sum(), has_aux=True), x)
    log.error(F.grad(lambda x: x.sum()), 1.0)
    log.error(F.grad(lambda x: x.sum()), torch.tensor([1]))
    log.error(F.vjp, lambda x: 2.0, x)
    log.error(F.jacrev(lambda x: 2.0), x)
    log.error(F.jacrev, product, chunk_size=0)
    log.error(F.jvp, lambda x: x, x, y)
    log.error(F.jvp, lambda x: x, (x,), (torch.ones(2),))
    log.error(F.jvp, lambda x: y, (x,), (x,), strict=True)


@on_both
def test_nesting(torch, log):
    F = func(torch)
    x, y = data(torch)
    cube = lambda x: x * x * x * x  # noqa: E731
    point = torch.tensor(0.75, dtype=torch.float64)
    derivative = cube
    for _ in range(4):
        derivative = F.grad(derivative)
        log(bare(torch, derivative(point)))
    log(bare(torch, F.grad(lambda x: F.grad(product, 1)(x, y).sum())(x)))
    log(bare(torch, F.jacrev(F.grad(product))(x, y)), bare(torch, F.hessian(product)(x, y)))
    log(bare(torch, F.hessian(product, argnums=(0, 1))(x, y)))
    log(bare(torch, F.grad(lambda x: F.jvp(torch.sin, (x,), (y,))[1].sum())(x)))
    log(bare(torch, F.jvp(F.grad(lambda x: product(x, y)), (x,), (y,))))
    log(bare(torch, F.grad(lambda x: F.vjp(torch.sin, x)[1](y)[0].sum())(x)))


@on_both
def test_graphs_around(torch, log):
    F = func(torch)
    x, y = data(torch)
    x.requires_grad_()
    found = F.grad(product)(x, y)
    log(bare(torch, found), torch.autograd.grad(found.sum(), x))
    weight = y.clone().requires_grad_()
    found, value = F.grad_and_value(lambda x: (x * x * weight).sum())(x.detach())
    log(bare(torch, found), bare(torch, value))
    log(torch.autograd.grad((found * found).sum() + value, weight))
    with torch.no_grad():
        log(bare(torch, F.grad(product)(x, y)), bare(torch, F.jacrev(torch.sin)(x)))
    log(x.grad, x.requires_grad, y.requires_grad)


@on_both
def test_vjp(torch, log):
    F = func(torch)
    x, y = data(torch)
    output, pull = F.vjp(lambda x, y: (x * y, x.sum()), x, y)
    log(output, pull((x, torch.ones((), dtype=torch.float64))))
    log(pull((y, torch.zeros((), dtype=torch.float64))))
    log.error(pull, x)
    output, pull = F.vjp(torch.sin, x)
    log(output, pull(y))
    log.error(pull, (y,))
    log.error(pull, torch.ones(2))
    log(F.vjp(lambda x: (x * 2, [x, y]), x, has_aux=True)[2])
    output, pull = F.vjp(lambda x: {"a": x * 2, "b": (x,)}, {"in": x})
    log(bare(torch, output), bare(torch, pull({"a": x, "b": (y,)})))


@on_both
def test_jvp(torch, log):
    F = func(torch)
    x, y = data(torch)
    log(F.jvp(torch.sin, (x,), (y,)))
    log(F.jvp(lambda x, y: (x * y, x.sum()), (x, y), (y, x)))
    log(F.jvp(lambda x: (x * x, y), (x,), (y,)))
    log(F.jvp(lambda x: (x * x, x), (x,), (y,), has_aux=True))
    log(bare(torch, F.jvp(lambda t: {"out": t["a"] * 2}, ({"a": x},), ({"a": y},))))


@pytest.mark.parametrize("name", ["jacrev", "jacfwd"])
@on_both
def test_jacobians(torch, log, name):
    F = func(torch)
    jacobian = getattr(F, name)
    x, y = data(torch)
    log(jacobian(torch.sin)(x), jacobian(lambda x: x.sum())(x))
    matrix = torch.stack([x, y])
    log(jacobian(lambda m: m.exp() * m)(matrix))
    log(jacobian(lambda x, y: (x * y, x.sum()), argnums=(0, 1))(x, y))
    log(jacobian(lambda x, y: (x * y, x.sum()), argnums=1)(x, y))
    log(jacobian(lambda x: (x * x, x), has_aux=True)(x))
    log(bare(torch, jacobian(lambda t: {"out": t["a"] * t["b"]})({"a": x, "b": y})))


def model(torch):
    net = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2))
    values = {
        "0.weight": torch.tensor([[1.0, 2.0], [3.0, 4.0]]), "0.bias": torch.ones(2),
        "1.weight": torch.tensor([[-1.0, 0.5], [0.25, 1.0]]), "1.bias": torch.zeros(2),
    }  # fmt: skip
    return net, values, torch.tensor([0.5, -2.0])


@on_both
def test_functional_call(torch, log):
    call = func(torch).functional_call
    net, values, x = model(torch)
    own = dict(net.named_parameters())
    log(call(net, values, x), call(net, values, (x,)), call(net, values, None, {"input": x}))
    first = {k: v for k, v in values.items() if k[0] == "0"}
    second = {k: v for k, v in values.items() if k[0] == "1"}
    log(call(net, [first, second], x), call(net, (first, second), x, strict=True))
    log(call(net, first, x).requires_grad, call(net, {**values, "other": x}, x))
    log(all(dict(net.named_parameters())[name] is p for name, p in own.items()))
    log(net[0].weight is own["0.weight"], hasattr(net, "other"))
    weights = {k: v.clone().requires_grad_() for k, v in values.items()}
    call(net, weights, x).sum().backward()
    log([w.grad for w in weights.values()], own["0.weight"].grad)
    loss = lambda values: call(net, values, x).sum()  # noqa: E731
    log(bare(torch, func(torch).grad(loss)(values)))


@on_both
def test_functional_call_errors(torch, log):
    call = func(torch).functional_call
    net, values, x = model(torch)
    before = net[0].weight
    log.error(call, net, [values, values], x)
    almost = {name: value for name, value in values.items() if name != "1.bias"}
    log.error(call, net, almost, x, strict=True)
    log.error(call, net, {**values, "other": x}, x, strict=True)
    log.error(call, net, {**almost, "other": x}, x, strict=True)
    log.error(call, net, {"0.weight": 3}, x)
    log.error(call, net, {"2.weight": x}, x)
    log.error(call, net, 3, x)
    log.error(call, net, {"0.weight": torch.ones(3, 3)}, x)
    log(net[0].weight is before)


@on_both
def test_functional_call_with_buffers(torch, log):
    class Counter(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("count", torch.zeros(1))

        def forward(self, x):
            return x + self.count

    net = Counter()
    log(func(torch).functional_call(net, {"count": torch.ones(1)}, torch.ones(1)), net.count)


@on_both
def test_functional_call_with_tied_weights(torch, log):
    call = func(torch).functional_call
    net, values, x = model(torch)
    net[1].weight = net[0].weight
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.fill_(0.5)
    W, V = values["0.weight"], values["1.weight"]
    log(call(net, {"0.weight": W}, x).tolist(), call(net, {"1.weight": W}, x).tolist())
    log(call(net, {"0.weight": W}, x, tie_weights=False).tolist())
    log.error(call, net, {"0.weight": W, "1.weight": V}, x)
    log(call(net, {"0.weight": W, "1.weight": W}, x).tolist())
    log(call(net, {"0.weight": W, "1.weight": V}, x, tie_weights=False).tolist())
    log(net[0].weight is net[1].weight)
    biases = {"0.bias": x, "1.bias": x}
    log(call(net, {"0.weight": W, **biases}, x, strict=True))
    log.error(call, net, {"0.weight": W, **biases}, x, strict=True, tie_weights=False)


def test_vmap_says_what_to_do() -> None:
    with pytest.raises(NotImplementedError, match="broadcast"):
        minigrad.func.vmap(lambda x: x)
