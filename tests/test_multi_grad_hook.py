"""`autograd.graph.register_multi_grad_hook`, and changing what was saved."""

import pytest
from both import on_both


def leaf(torch, *values):
    return torch.tensor(values, requires_grad=True)


def four(torch):
    x, y = leaf(torch, 1.0, 2.0), leaf(torch, 3.0, 4.0)
    return x, y, x * y, x + 1


@pytest.mark.parametrize("mode", ["all", "any"])
@on_both
def test_the_hook_runs_once_with_what_arrived(torch, log, mode):
    tensors = four(torch)
    x, _, product, shifted = tensors
    handle = torch.autograd.graph.register_multi_grad_hook(tensors, log, mode=mode)
    product.sum().backward(retain_graph=True)
    log("second", x.grad)
    (product * shifted).sum().backward(retain_graph=True)
    log("inputs=")
    (product * shifted).sum().backward(inputs=[x], retain_graph=True)
    log("one step")
    shifted.sum().backward(retain_graph=True)
    log("create_graph")
    (product**2).sum().backward(create_graph=True)
    handle.remove()
    handle.remove()
    (product * shifted).sum().backward()
    log(x.grad, isinstance(handle, torch.utils.hooks.RemovableHandle))


@on_both
def test_several_of_them_and_other_hooks_run_in_order(torch, log):
    x, y, product, _ = four(torch)
    product.register_hook(lambda grad: log("product", grad))
    torch.autograd.graph.register_multi_grad_hook([x, product], lambda g: log("first", g))
    x.register_hook(lambda grad: grad * 10)
    torch.autograd.graph.register_multi_grad_hook([x, y], lambda g: log("second", g))
    product.sum().backward()
    log(x.grad, y.grad)


@on_both
def test_what_the_hook_returns_is_ignored(torch, log):
    x, y, product, _ = four(torch)
    torch.autograd.graph.register_multi_grad_hook([x, y], lambda grads: 0 * grads[0])
    product.sum().backward()
    log(x.grad)


@on_both
def test_a_leaf_that_is_not_wanted_has_no_hooks_called(torch, log):
    x, y, product, _ = four(torch)
    y.register_hook(lambda grad: log("y", grad))
    product.register_hook(lambda grad: log("product", grad))
    product.sum().backward(inputs=[x])
    log(x.grad, y.grad)


@on_both
def test_under_autograd_grad(torch, log):
    x, y, product, _ = four(torch)
    twice = product * 2
    torch.autograd.graph.register_multi_grad_hook([product, twice], lambda g: log("hook", g))
    log(torch.autograd.grad(twice.sum(), x, retain_graph=True))
    log(torch.autograd.grad(twice.sum(), product, retain_graph=True))
    log(torch.autograd.grad(product.sum(), [x, y], retain_graph=True))
    torch.autograd.graph.register_multi_grad_hook([x], log)
    log.error(lambda: torch.autograd.grad(product.sum(), x))


@on_both
def test_wrong_arguments(torch, log):
    register = torch.autograd.graph.register_multi_grad_hook
    log.error(lambda: register([torch.ones(2)], log))
    register([torch.ones(2)], log, mode="any").remove()
    log.error(lambda: register([leaf(torch, 1.0)], log, mode="some"))


@on_both
def test_a_view_of_a_changed_base(torch, log):
    x = leaf(torch, 1.0, 2.0)
    base = x * 1
    view = base[:1]
    base.mul_(3)
    torch.autograd.graph.register_multi_grad_hook([view, x], log)
    (view.sum() + base.sum()).backward()


# --- allow_mutation_on_saved_tensors -------------------------------------------------------------


@on_both
def test_a_saved_value_may_be_changed(torch, log):
    x = leaf(torch, 1.0, 2.0)
    with torch.autograd.graph.allow_mutation_on_saved_tensors():
        copy = x.clone()
        loss = (copy**2 + copy.exp() + copy.sin().mul_(3)).sum()
        copy.mul_(10)
        loss.backward(create_graph=True)
        log(x.grad, copy)
        log(torch.autograd.grad(x.grad.sum(), x))


@on_both
def test_a_leaf_changed_without_recording(torch, log):
    x = leaf(torch, 1.0, 2.0)
    with torch.autograd.graph.allow_mutation_on_saved_tensors():
        loss = (x**3).sum()
        with torch.no_grad():
            x.mul_(2)
        loss.backward()
        log(x.grad, x)


@on_both
def test_the_backward_pass_has_to_run_in_the_block(torch, log):
    x = leaf(torch, 1.0, 2.0)
    with torch.autograd.graph.allow_mutation_on_saved_tensors() as kept:
        loss = (x**2).sum()
        kept.clear()
        log.error(loss.backward)
        other = (x**2).sum()
        log.error(torch.autograd.graph.allow_mutation_on_saved_tensors().__enter__)
    log.error(other.backward)
    with torch.autograd.graph.allow_mutation_on_saved_tensors():
        (x**2).sum().backward()
    log(x.grad)
