"""`autograd.graph`: hooks on saved values, nodes and edges from outside."""

import gc
import weakref

import pytest
from both import on_both

import minigrad


def leaf(torch, *values):
    return torch.tensor(values, requires_grad=True)


class Recorder:
    """Hooks that note what they are given; the values live in a list meanwhile."""

    def __init__(self, torch, log):
        self.torch, self.log, self.kept = torch, log, []

    def __enter__(self):
        self.block = self.torch.autograd.graph.saved_tensors_hooks(self.pack, self.unpack)
        return self.block.__enter__()

    def __exit__(self, *exc):
        return self.block.__exit__(*exc)

    def pack(self, tensor):
        self.log("pack", tensor)
        self.kept.append(tensor.tolist())
        return len(self.kept) - 1

    def unpack(self, index):
        self.log("unpack", self.kept[index])
        return self.torch.tensor(self.kept[index])


@on_both
def test_rows(torch, log):
    x = leaf(torch, 0.5, 1.5)
    c = torch.tensor([2.0, 3.0])
    with Recorder(torch, log):
        y = x.exp()
        z = (y * c).sin()
        total = (z * 3.0 + 1.0).sum()
    assert "Exp" in y.grad_fn.name()
    log(y.grad_fn._saved_result)
    total.backward()
    log(x.grad)


@on_both
def test_gradients_of_gradients(torch, log):
    x = leaf(torch, 0.5, 1.5)
    with Recorder(torch, lambda *values: None):
        y = (x.exp() * x).tanh()
    (first,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    (second,) = torch.autograd.grad((first * first).sum(), x)
    log(first.tolist(), second)


@on_both
def test_operations_that_write(torch, log):
    x = leaf(torch, 0.5, 1.5)
    with Recorder(torch, log):
        y = x * 2.0
        y.exp_()
        y.mul_(3.0)
    with Recorder(torch, lambda what, value: None):
        y[0].tanh_()
    y.sum().backward()
    log(x.grad)


@on_both
def test_custom_functions(torch, log):
    class Triple(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            result = x * 3
            ctx.save_for_backward(x, result, None, x + 1)
            return result

        @staticmethod
        def backward(ctx, grad):
            a, b, c, d = ctx.saved_tensors
            log(a.tolist(), b, c, d)
            return grad * 3

    x = leaf(torch, 0.5, 1.5)
    with Recorder(torch, log):
        y = Triple.apply(x)
    y.sum().backward()
    log(x.grad)


@on_both
def test_blocks(torch, log):
    hooks = torch.autograd.graph.saved_tensors_hooks
    x = leaf(torch, 0.5, 1.5)
    seen = []

    def named(name):
        def pack(tensor):
            seen.append(name)
            (tensor * tensor).sum()  # not seen by the hooks themselves
            return tensor

        return hooks(pack, lambda tensor: tensor)

    with named("outer"):
        x.exp()
        with named("inner"):
            x.exp()
            with torch.no_grad():
                x.exp()
        x.exp()
    x.exp()
    log(seen)
    try:
        with named("broken"):
            raise ValueError
    except ValueError:
        x.exp()
    log(seen)


@on_both
def test_errors(torch, log):
    graph = torch.autograd.graph
    x = leaf(torch, 0.5, 1.5)

    def run(pack, unpack=lambda tensor: tensor):
        with graph.saved_tensors_hooks(pack, unpack):
            y = x.exp()
            z = (y * y).sum()
        z.backward()

    def spoil(tensor):
        with torch.no_grad():
            tensor.mul_(2)
        return tensor

    def fail(tensor):
        raise KeyError("pack")

    log.error(run, spoil)
    log.error(run, lambda tensor: tensor, lambda tensor: 5)
    log.error(run, lambda tensor: tensor, lambda tensor: None)
    log.error(run, fail)
    log.error(run, lambda tensor: tensor, fail)


@on_both
def test_changes_after_packing_are_not_seen(torch, log):
    x = leaf(torch, 0.5, 1.5)
    for pack in (lambda t: t.detach().clone(), lambda t: t):
        x.grad = None
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            y = x * 1.0
            z = y * y
        with torch.no_grad():
            y.add_(1.0)
        log.error(z.sum().backward)
        log(x.grad)


@on_both
def test_freed_and_retained(torch, log):
    x = leaf(torch, 0.5, 1.5)
    with Recorder(torch, log):
        y = x.exp().sum()
    y.backward(retain_graph=True)
    y.backward()
    log.error(y.backward)
    log(x.grad)


@on_both
def test_save_on_cpu(torch, log):
    x = leaf(torch, 0.5, 1.5)
    with torch.autograd.graph.save_on_cpu():
        y = (x * x).exp()
    with torch.autograd.graph.save_on_cpu(pin_memory=False):
        z = y.sum()
    z.backward()
    log(x.grad)


@on_both
def test_disabling(torch, log):
    graph = torch.autograd.graph

    def enter(outer, inner):
        with outer, inner:
            log("inside")

    def hooks():
        return graph.saved_tensors_hooks(lambda t: t, lambda t: t)

    def disabled(message):
        return graph.disable_saved_tensors_hooks(message)

    log.error(enter, hooks(), disabled("not here"))
    log.error(enter, disabled("not here"), hooks())
    log.error(enter, disabled("not here"), disabled("nor here"))
    log.error(enter, hooks(), hooks())


def test_nothing_is_left_behind():
    x = leaf(minigrad, 0.5, 1.5)
    with minigrad.autograd.graph.saved_tensors_hooks(lambda t: t.tolist(), minigrad.tensor):
        y = x.exp()
    reference = weakref.ref(y.grad_fn)
    gc.disable()
    try:
        del y
        assert reference() is None
    finally:
        gc.enable()
    assert minigrad.autograd.node.packing is None


@on_both
def test_node_class(torch, log):
    Node = torch.autograd.graph.Node
    x = leaf(torch, 0.5, 1.5)
    y = (x * 2.0)[0]
    log(isinstance(y.grad_fn, Node), isinstance(y.grad_fn.next_functions[0][0], Node))
    log(isinstance((x * 2.0).grad_fn.next_functions[0][0], Node), isinstance(x, Node))
    log(issubclass(type(y.grad_fn), Node), issubclass(int, Node))
    with pytest.raises(TypeError, match="Can't instantiate abstract class Node"):
        Node()


@on_both
def test_gradient_edges_as_inputs(torch, log):
    edge = torch.autograd.graph.get_gradient_edge
    grad = torch.autograd.grad
    x = leaf(torch, 0.5, 1.5)
    y = x.exp()
    z = (y * 3.0).sum()
    other = leaf(torch, 1.0, 2.0)
    log(edge(x).output_nr, edge(x).node, edge(y).output_nr, edge(y).node is y.grad_fn)
    log(edge(x).node is (x * 1.0).grad_fn.next_functions[0][0])
    log(edge((x * 1.0).unbind(0)[1]).output_nr)
    log(grad(z, edge(y), retain_graph=True), grad(z, [edge(x), y], retain_graph=True))
    log(grad(z, edge(x), create_graph=True)[0].detach())
    log.error(grad, z, edge(other), retain_graph=True)
    log.error(grad, z, edge(other), retain_graph=True, allow_unused=True)
    log.error(grad, z, edge(other * 1.0), retain_graph=True, materialize_grads=True)
    log.error(edge, torch.ones(2))
    log.error(edge, x.detach())
    z.backward(inputs=edge(x), retain_graph=True)
    log(x.grad)
    z.backward(inputs=[edge(y), edge(x)], retain_graph=True)
    log(x.grad)


@on_both
def test_gradient_edges_as_outputs(torch, log):
    edge = torch.autograd.graph.get_gradient_edge
    x = leaf(torch, 0.5, 1.5)
    y = x.exp()
    z = (y * 3.0).sum()
    place = edge(z)
    log(torch.autograd.grad(place, x, retain_graph=True))
    log(torch.autograd.grad(edge(y), x, torch.ones(2), retain_graph=True))
    log(torch.autograd.grad([edge(y), z], x, [torch.ones(2), None], retain_graph=True))
    log.error(torch.autograd.grad, edge(y), x, retain_graph=True)
    log.error(torch.autograd.grad, edge(y), x, torch.ones(3), retain_graph=True)
    del z
    torch.autograd.backward(place, retain_graph=True)
    log(x.grad)
    torch.autograd.backward([place, edge(y)], [None, torch.ones(2)])
    log(x.grad)
    torch.autograd.backward(edge(x), torch.ones(2))
    log(x.grad)


@on_both
def test_increment_version(torch, log):
    increment = torch.autograd.graph.increment_version
    x = leaf(torch, 0.5, 1.5)
    y = x * 1.0
    z = (y * y).sum()
    increment(y)
    log(y._version)
    log.error(z.backward)
    increment([y, x, y])
    increment(t for t in (y, x))
    log(y._version, x._version)
    with torch.inference_mode():
        frozen = torch.ones(2)
    log(increment(frozen))
