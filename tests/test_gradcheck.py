"""`gradcheck` and `gradgradcheck`: what passes, what fails, and with which words."""

import pytest
from both import on_both

from minigrad.autograd.gradcheck import GradcheckError


def leaf(torch, *shape, dtype=None, scale=0.3):
    count = 1
    for n in shape:
        count *= n
    values = (torch.arange(count).double() * scale + 0.2).reshape(shape)
    return values.to(dtype or torch.float64).requires_grad_()


def functions(torch):
    """Operations with a backward that is wrong in one way or another."""

    def make(name, backward):
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        members = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
        return type(name, (torch.autograd.Function,), members)

    calls = []

    def shaky(ctx, grad):
        calls.append(1)
        return 2 * grad * ctx.saved_tensors[0] + len(calls) * 1e-7

    return {
        "right": make("Right", lambda ctx, grad: 2 * grad * ctx.saved_tensors[0]),
        "wrong": make("Wrong", lambda ctx, grad: 3 * grad * ctx.saved_tensors[0]),
        "added": make("Added", lambda ctx, grad: 2 * grad * ctx.saved_tensors[0] + 1e-7),
        "shaky": make("Shaky", shaky),
        "none": make("Nothing", lambda ctx, grad: None),
    }


def outcome(log, check, *args, **options):
    """Note the verdict; of an error its type and its text up to PyTorch's advice."""
    try:
        log(check(*args, **options))
    except Exception as error:
        log(type(error), str(error).partition("\n\nNOTE")[0])


@on_both
def test_right(torch, log):
    check, twice = torch.autograd.gradcheck, torch.autograd.gradgradcheck
    x, y = leaf(torch, 2, 3), leaf(torch, 3, scale=0.5)
    for f, inputs in [
        (lambda x: x.exp() * x, x),
        (lambda x: x.sum(), (x,)),
        (lambda x, y: (x * y, (x @ y).sin()), (x, y)),
        (lambda x, y: [x * y, y.detach() * 2], [x, y]),
        (lambda x, n, y: x**n * y.sum(), (x, 3, y)),
        (lambda x: x.t().reshape(6)[1:4], x),
        (lambda x: x.unbind(0)[1], x),
        (lambda x, y: x * 2.0, (x, y)),
        (lambda x, y: x * y, (x, y.detach())),
        (functions(torch)["right"].apply, x),
    ]:
        log(check(f, inputs), twice(f, inputs))
    log(x.grad, x.tolist())


@pytest.mark.parametrize("name", ["right", "wrong", "added", "shaky", "none"])
@on_both
def test_wrong(torch, log, name):
    check = torch.autograd.gradcheck
    f, x, y = functions(torch)[name].apply, leaf(torch, 2), leaf(torch, 2)
    outcome(log, check, f, x)
    outcome(log, check, f, x, raise_exception=False)
    outcome(log, check, lambda x, y: (x * y, f(y)), (x, y))
    outcome(log, check, lambda x, y: (x * y).sum() + f(x).sum(), (x, y))
    outcome(log, check, f, x, atol=10.0, nondet_tol=1.0)
    outcome(log, check, f, x, atol=10.0, nondet_tol=1.0, check_undefined_grad=False)


@on_both
def test_a_derivative_that_is_hidden(torch, log):
    x = leaf(torch, 2)
    outcome(log, torch.autograd.gradcheck, lambda x: x * x.detach(), x)
    outcome(log, torch.autograd.gradcheck, lambda x: x.detach() * 2.0, x)
    outcome(log, torch.autograd.gradcheck, lambda x: x.detach() * 0.0 + 1.0, x)
    outcome(log, torch.autograd.gradgradcheck, lambda x: x.detach() * x, x)


@on_both
def test_second_derivatives(torch, log):
    class Once(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x * x

        @staticmethod
        def backward(ctx, grad):
            return 3 * grad * ctx.saved_tensors[0].detach() ** 2

    x = leaf(torch, 2)
    outcome(log, torch.autograd.gradcheck, Once.apply, x)
    outcome(log, torch.autograd.gradgradcheck, Once.apply, x, raise_exception=False)
    weight = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    outcome(log, torch.autograd.gradgradcheck, Once.apply, x, weight)
    for options in ({}, {"gen_non_contig_grad_outputs": True}):
        log(
            torch.autograd.gradgradcheck(lambda x: (x.exp(), x.sum()), leaf(torch, 2, 2), **options)
        )


@on_both
def test_bad_arguments(torch, log):
    check, twice = torch.autograd.gradcheck, torch.autograd.gradgradcheck
    x = leaf(torch, 2)
    outcome(log, check, lambda x: x, x.detach())
    outcome(log, check, lambda x: x, 3.0)
    outcome(log, check, lambda x: x, x.detach(), raise_exception=False)
    outcome(log, check, lambda x: x * 2, leaf(torch, 2, dtype=torch.float32), atol=1.0)
    expanded = torch.ones(1, dtype=torch.float64).expand(3).requires_grad_()
    outcome(log, check, lambda x: x, expanded)
    outcome(log, check, lambda x: x, x, check_backward_ad=False)
    outcome(log, check, lambda x: x, x, check_backward_ad=False, check_forward_ad=True)
    outcome(log, twice, lambda x: x, x, check_rev_over_rev=False)
    outcome(log, twice, lambda x: x, x, check_rev_over_rev=False, check_fwd_over_rev=True)
    sizes = iter([2, 2, 1, 1, 1, 1])
    outcome(log, check, lambda x: x[: next(sizes)], x)


@on_both
def test_forward_mode(torch, log):
    x, y = leaf(torch, 2), leaf(torch, 2)
    check = torch.autograd.gradcheck
    log(check(lambda x, y: (x * y.exp(), y.sum()), (x, y), check_forward_ad=True))
    options = {"check_backward_ad": False, "check_undefined_grad": False}
    log(check(lambda x, y: (x * y.exp(), y.sum()), (x, y), check_forward_ad=True, **options))
    outcome(log, check, lambda x: x * x.detach().exp(), x, check_forward_ad=True, **options)
    log(torch.autograd.gradgradcheck(lambda x: x.exp() * x, x, check_fwd_over_rev=True))


@on_both
def test_fast_mode(torch, log):
    check = torch.autograd.gradcheck
    f, x = functions(torch), leaf(torch, 2)
    log(check(f["right"].apply, x, fast_mode=True))
    log(check(f["wrong"].apply, x, fast_mode=True, raise_exception=False))


def test_batched_checks_say_what_to_do():
    import minigrad

    with pytest.raises(NotImplementedError, match="one by one"):
        minigrad.autograd.gradcheck(lambda x: x, leaf(minigrad, 2), check_batched_grad=True)
    assert issubclass(GradcheckError, RuntimeError)
