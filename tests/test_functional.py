"""`autograd.functional`: Jacobians, Hessians and their products, beside PyTorch's."""

import pytest
from both import on_both

FUNCTIONS = ["jacobian", "hessian", "vjp", "jvp", "hvp", "vhp"]
PRODUCTS = ["vjp", "jvp", "hvp", "vhp"]


def point(torch, *shape, scale=0.1):
    count = 1
    for n in shape:
        count *= n
    return (torch.arange(count).double() * scale + 0.3).reshape(shape)


def plain(torch, result):
    """Nested results as detached Tensors beside `requires_grad`."""
    if isinstance(result, torch.Tensor):
        return result.detach(), result.requires_grad
    return tuple(plain(torch, r) for r in result)


def cube(x):
    return (x * x * x).sum()


def mixed(x, y):
    return (x * y).sin().sum() + (x * x).sum() * y.sum()


def several(x, y):
    return x * y.sum(), (x.exp() * y).sum(), y * 2.0


def call(F, name, function, inputs, *v, **options):
    return getattr(F, name)(function, inputs, *v, **options)


@pytest.mark.parametrize("create_graph", [False, True])
@on_both
def test_jacobian(torch, log, create_graph):
    F = torch.autograd.functional
    x, y = point(torch, 2, 3), point(torch, 3, scale=0.7)
    if create_graph:
        x.requires_grad_()
        y.requires_grad_()
    log(F.jacobian(lambda x: x.exp() * x, x, create_graph=create_graph))
    log(F.jacobian(lambda x: (x.exp(),), x, create_graph=create_graph))
    log(F.jacobian(lambda x: x.sum(), (x,), create_graph=create_graph))
    log(F.jacobian(several, (x, y), create_graph=create_graph))
    log(F.jacobian(several, (y, y), create_graph=create_graph))
    log(F.jacobian(lambda x: x, y, create_graph=create_graph))


@on_both
def test_jacobian_of_a_network_can_be_trained(torch, log):
    W, b = point(torch, 3, 2).requires_grad_(), point(torch, 3).requires_grad_()
    x = point(torch, 2).requires_grad_()
    J = torch.autograd.functional.jacobian(lambda x: (W @ x + b).tanh(), x, create_graph=True)
    (J * J).sum().backward()
    log(W.grad, b.grad, x.grad)


@pytest.mark.parametrize("create_graph", [False, True])
@on_both
def test_hessian(torch, log, create_graph):
    F = torch.autograd.functional
    x, y = point(torch, 2, 2), point(torch, 2, scale=0.7)
    if create_graph:
        x.requires_grad_()
        y.requires_grad_()
    log(F.hessian(cube, x, create_graph=create_graph))
    log(F.hessian(cube, (x,), create_graph=create_graph))
    log(F.hessian(mixed, (x, y), create_graph=create_graph))
    log(F.hessian(lambda x: cube(x).reshape(1, 1), x, create_graph=create_graph))
    log(F.hessian(lambda x, y: cube(x), (x, y), create_graph=create_graph))
    log.error(F.hessian, lambda x: x * x, x)
    log.error(F.hessian, lambda x: (cube(x),), x)
    log.error(F.hessian, lambda x: 1.0, x)
    log.error(F.hessian, cube, [x])
    log.error(F.hessian, cube, (x, 1.0))


@pytest.mark.parametrize("create_graph", [False, True])
@on_both
def test_products(torch, log, create_graph):
    F = torch.autograd.functional
    x, y = point(torch, 2, 3), point(torch, 3, scale=0.7)
    u, w = point(torch, 2, 3, scale=-0.2), point(torch, 3, scale=0.4)
    if create_graph:
        for t in (x, y, u, w):
            t.requires_grad_()

    def note(result):  # a sum over a broadcast has another number in its node's name here
        log(plain(torch, result))

    options = {"create_graph": create_graph}
    note(F.vjp(lambda x: x.exp() * x, x, u, **options))
    note(F.vjp(several, (x, y), (u, u.sum(), w), **options))
    note(F.vjp(lambda x: x.sum(), x, **options))
    note(F.vjp(lambda x, y: x.sum().reshape(1), (x, y), **options))
    note(F.jvp(lambda x: x.exp() * x, x, u, **options))
    note(F.jvp(several, (x, y), (u, w), **options))
    note(F.jvp(lambda x: (x * y,), y.sum(), **options))
    note(F.vhp(mixed, (x, y), (u, w), **options))
    note(F.hvp(mixed, (x, y), (u, w), **options))
    note(F.hvp(cube, y.sum(), **options))
    note(F.vhp(cube, y.sum().reshape(1), **options))
    note(F.vhp(cube, (y,), (w,), **options))
    note(F.hvp(cube, y, (w,), **options))
    note(F.hvp(lambda x, y: cube(x), (x, y), (u, w), **options))
    note(F.vhp(lambda x, y: cube(x), (x, y), (u, w), **options))


@on_both
def test_products_under_no_grad(torch, log):
    F = torch.autograd.functional
    x, u = point(torch, 3), point(torch, 3, scale=-0.2)
    with torch.no_grad():
        for name in ("vjp", "jvp"):
            log(call(F, name, lambda x: x.exp() * x, x, u))
        for name in ("hvp", "vhp"):
            log(call(F, name, cube, x, u))
        log(F.jacobian(lambda x: x * x, x), F.hessian(cube, x))


@on_both
def test_gradients_through_products(torch, log):
    F = torch.autograd.functional
    for name in PRODUCTS:
        x, u = point(torch, 3).requires_grad_(), point(torch, 3, scale=-0.2).requires_grad_()
        function = (
            (lambda x: x.exp() * x) if name in ("vjp", "jvp") else (lambda x: (x.exp() * x).sum())
        )
        output, product = call(F, name, function, x, u, create_graph=True)
        (output.sum() + (product * product).sum()).backward()
        log(name, x.grad, u.grad)


@on_both
def test_inputs_are_left_alone(torch, log):
    F = torch.autograd.functional
    x = point(torch, 2).requires_grad_()
    seen = []

    def watched(x):
        seen.append((x.requires_grad, x.is_leaf))
        return (x * x).sum()

    for name in FUNCTIONS:
        v = {"vjp": (point(torch),), "jacobian": (), "hessian": ()}.get(name, (point(torch, 2),))
        call(F, name, watched, x, *v)
        call(F, name, watched, x, *v, create_graph=True)
        log(name, seen, x.grad, x._version)
        seen.clear()


@pytest.mark.parametrize("name", FUNCTIONS)
@on_both
def test_strict(torch, log, name):
    F = torch.autograd.functional
    x, y = point(torch, 2), point(torch, 2, scale=0.7)
    constant = point(torch, 2).sum()

    def outcome(*args, **options):
        return plain(torch, call(F, name, *args, **options))

    functions = [
        lambda x, y: constant,
        lambda x, y: x.sum(),
        lambda x, y: x.sum() + y.sum(),
        lambda x, y: (x * x).sum() + y.sum(),
        lambda x, y: (x * x * y).sum(),
        lambda x, y: (x * x * x).sum() + (y * y).sum(),
        lambda x, y: (x * y).sum().detach(),
        mixed,
        lambda x, y: (x + y).sum(),
        lambda x, y: (x.detach() * y * y).sum() + x.sum(),
    ]
    for function in functions:
        for create_graph in (False, True):
            for leaf in (False, True):
                inputs = tuple(t.clone().requires_grad_(leaf) for t in (x, y))
                v = {"vjp": (None,), "jacobian": (), "hessian": ()}.get(name, ((y, x),))
                for strict in (False, True):
                    options = {"create_graph": create_graph, "strict": strict}
                    log.error(outcome, function, inputs, *v, **options)


@on_both
def test_strict_with_several_outputs(torch, log):
    F = torch.autograd.functional
    x, y = point(torch, 2), point(torch, 2, scale=0.7)
    for name, v in (("jacobian", ()), ("vjp", ((x, x.sum(), x),)), ("jvp", ((y, x),))):
        log.error(call, F, name, several, (x, y), *v, strict=True)

        def products(x, y):
            return x * y, (x * y).sum(), x / y

        log.error(call, F, name, products, (x, y), *v, strict=True)


@pytest.mark.parametrize("name", PRODUCTS)
@on_both
def test_wrong_vectors(torch, log, name):
    F = torch.autograd.functional
    x, y = point(torch, 2), point(torch, 3)

    def pair(x):
        return x * 2, x.sum()

    for function, inputs in ((mixed, (x, x)), (cube, x), (cube, (y,)), (pair, y)):
        for v in (None, x, y, (x, y), (x, x), (x,), (), x.sum(), (x.sum(),), [x], (x, 1.0), 2.0):
            log.error(call, F, name, function, inputs, v)
    for wrong in (lambda x: [x], lambda x: 1.0, lambda x: (x, 1), lambda x: None, lambda x: (x, x)):
        log.error(call, F, name, wrong, x, x)


@on_both
def test_vectorize_and_strategy(torch, log):
    F = torch.autograd.functional
    x = point(torch, 2)
    log(F.jacobian(lambda x: x * x, x, vectorize=True))
    log(F.jacobian(lambda x: x * x, x, vectorize=True, strategy="forward-mode"))
    log(F.hessian(cube, x, vectorize=True))
    log(F.hessian(cube, x, vectorize=True, outer_jacobian_strategy="forward-mode").tolist())
    for options in (
        {"strategy": "sideways"},
        {"strategy": "forward-mode"},
        {"strategy": "forward-mode", "create_graph": True},
        {"strategy": "forward-mode", "strict": True, "vectorize": True},
        {"strict": True, "vectorize": True},
    ):
        log.error(F.jacobian, cube, x, **options)
    log.error(F.hessian, cube, x, outer_jacobian_strategy="sideways")
    log.error(F.hessian, cube, x, outer_jacobian_strategy="forward-mode")
