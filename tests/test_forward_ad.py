"""Forward mode: tangents beside PyTorch's, which has formulas of its own for them."""

import pytest
from both import on_both

FUNCTIONS = {
    "arithmetic": lambda torch, x, y: (x * y + 2.0) / (y - 3.0) - x,
    "powers": lambda torch, x, y: (x**3) * (y.abs() ** 0.5) + x.square(),
    "exponentials": lambda torch, x, y: x.exp() * (y * y + 1.0).log() + x.sigmoid() + y.tanh(),
    "waves": lambda torch, x, y: x.sin() * y.cos(),
    "extremes": lambda torch, x, y: torch.maximum(x, y) + x.relu() + y.clamp(min=0.0),
    "sums": lambda torch, x, y: x.sum() * y.mean(dim=0) + x.prod(),
    "maximum": lambda torch, x, y: x.max(dim=1)[0] + y.amax(dim=0),
    "spread": lambda torch, x, y: x.var(dim=1) * y.std(),
    "products": lambda torch, x, y: x @ y.t() + x.mv(y[0]),
    "shapes": lambda torch, x, y: torch.cat(
        [x.t(), y[:1].expand(2, 3), y.reshape(9)[:3].view(1, 3)]
    ),
    "pieces": lambda torch, x, y: x[1:].unsqueeze(0) * y[:2] + x.unbind(0)[2],
    "conditions": lambda torch, x, y: torch.where(x > y, x * 2.0, y.exp()),
    "constant": lambda torch, x, y: x.sign() + y.floor(),
    "only one": lambda torch, x, y: x * 3.0,
}


def values(torch):
    x = torch.arange(9, dtype=torch.float64).reshape(3, 3) * 0.3 - 1.1
    y = 0.7 - torch.arange(9, dtype=torch.float64).reshape(3, 3) * 0.23
    return x, y, x * 0.5 + 1.0, y * y - 0.3


def bare(pair):
    """Primal and tangent without what differs: dual Tensors are recorded here."""
    return [None if t is None else t.detach() for t in pair]


@pytest.mark.parametrize("name", FUNCTIONS)
@on_both
def test_rows(torch, log, name):
    fa = torch.autograd.forward_ad
    x, y, v, w = values(torch)
    with fa.dual_level():
        a, b = fa.make_dual(x, v), fa.make_dual(y, w)
        log(bare(fa.unpack_dual(FUNCTIONS[name](torch, a, b))))
        log(bare(fa.unpack_dual(FUNCTIONS[name](torch, a, y))))
        log(bare(fa.unpack_dual(FUNCTIONS[name](torch, a, a))))


@on_both
def test_levels(torch, log):
    fa = torch.autograd.forward_ad
    x, _, v, _ = values(torch)
    log(bare(fa.unpack_dual(x)))
    log.error(fa.make_dual, x, v)
    with fa.dual_level() as level:
        log(level)
        a = fa.make_dual(x, v)
        b = a * a
        log(bare(fa.unpack_dual(a)), bare(fa.unpack_dual(b)), bare(fa.unpack_dual(x)))
        log(bare(fa.unpack_dual(x * 2.0)))
        log.error(fa.enter_dual_level)
    log(bare(fa.unpack_dual(b)))
    log(fa.enter_dual_level(), bare(fa.unpack_dual(a)))
    fa.exit_dual_level()
    log.error(fa.exit_dual_level, level=1)
    try:
        with fa.dual_level():
            raise KeyError
    except KeyError:
        log(fa.enter_dual_level())
        fa.exit_dual_level(level=0)


@on_both
def test_errors(torch, log):
    fa = torch.autograd.forward_ad
    x, _, v, _ = values(torch)
    with fa.dual_level():
        log.error(fa.make_dual, torch.tensor([1]), v)
        log.error(fa.make_dual, x, torch.tensor([1]))
        log.error(fa.make_dual, x, v[0])
        log.error(fa.make_dual, fa.make_dual(x, v), v)
        log.error(fa.make_dual, x, v, level=1)
        log.error(fa.unpack_dual, x, level=1)
        log.error(fa.unpack_dual, x.sum() * 2.0, level=1)
        log.error(fa.make_dual, [1.0], v)
        log.error(fa.unpack_dual, 3)
        log.error(fa.exit_dual_level, level=1)


@on_both
def test_operations_that_write(torch, log):
    fa = torch.autograd.forward_ad
    x, y, v, w = values(torch)
    with fa.dual_level():
        a, b = fa.make_dual(x, v), fa.make_dual(y, w)
        c = a * 1.0
        c.mul_(b).sin_()
        c[0] = b[1] * 2.0
        c[1].add_(a[2])
        c.exp_()
        log(bare(fa.unpack_dual(c)))


@on_both
def test_reverse_over_forward(torch, log):
    """The derivative of a tangent."""
    fa = torch.autograd.forward_ad
    x, y, v, w = values(torch)
    x.requires_grad_()
    w.requires_grad_()
    with fa.dual_level():
        a, b = fa.make_dual(x, v), fa.make_dual(y, w)
        primal, tangent = fa.unpack_dual((a * a * b).sin())
        log(primal.requires_grad, tangent.requires_grad)
        log(torch.autograd.grad((tangent * tangent).sum() + primal.sum(), [x, w]))


@on_both
def test_forward_over_reverse(torch, log):
    """A Hessian times a vector."""
    fa = torch.autograd.forward_ad
    x, y, v, _ = values(torch)
    x.requires_grad_()
    with fa.dual_level():
        a = fa.make_dual(x, v)
        loss = ((a * y).exp() * a).sum()
        (gradient,) = torch.autograd.grad(loss, a, create_graph=True)
        log(bare(fa.unpack_dual(gradient)))


@on_both
def test_a_network(torch, log):
    fa = torch.autograd.forward_ad
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
    x, _, v, _ = values(torch)
    with fa.dual_level():
        log(bare(fa.unpack_dual(net(fa.make_dual(x.float(), v.float())))))
