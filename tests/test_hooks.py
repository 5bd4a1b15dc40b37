"""Hooks on tensors, leaves and nodes: when they fire, in what order, and what they may change."""

import gc
import weakref

import pytest
from both import on_both

import minigrad


class Trace:
    """Makes hooks that note their name and what they were given."""

    def __init__(self, log):
        self.log = log

    def tensor(self, name):
        return lambda grad: self.log(name, grad)

    def post(self, name):
        return lambda inputs, outputs: self.log("post", name, inputs, outputs)

    def pre(self, name):
        return lambda outputs: self.log("pre", name, outputs)


def watch(log, *tensors):
    """Put every kind of hook on every tensor and on every node behind them."""
    trace = Trace(log)
    seen = set()
    pending = [t.grad_fn for t in tensors]
    while pending:
        node = pending.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        number = len(seen)
        node.register_prehook(trace.pre(f"{number} {node.name()}"))
        node.register_hook(trace.post(f"{number} {node.name()}"))
        pending += [n for n, _ in reversed(node.next_functions)]
    return seen  # who drops an AccumulateGrad may lose its hooks


# ---- on tensors ----------------------------------------------------------------------------------


@on_both
def test_a_hook_on_a_leaf(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    x.register_hook(lambda grad: log("hook", grad))
    (x * 3).sum().backward()
    log(x.grad)
    log(torch.autograd.grad((x * x).sum(), x), x.grad)


@on_both
def test_a_hook_on_a_value_in_between(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    y.register_hook(lambda grad: log("hook", grad))
    (y * y).sum().backward()
    log(x.grad)


@on_both
def test_a_hook_is_called_once_with_the_sum(torch, log):
    x = torch.tensor(2.0, requires_grad=True)
    y = x * 3
    x.register_hook(lambda grad: log("x", grad))
    y.register_hook(lambda grad: log("y", grad))
    (y * y + y + x * y).backward()
    log(x.grad)


@on_both
def test_hooks_replace_gradients_in_turn(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    y.register_hook(lambda grad: grad * 2)
    y.register_hook(lambda grad: log("second", grad))
    y.register_hook(lambda grad: grad + 1)
    x.register_hook(lambda grad: grad * 100)
    x.register_hook(lambda grad: log("x", grad))
    y.sum().backward()
    log(x.grad)


@on_both
def test_a_hook_on_a_root(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    loss = x.sum()
    loss.register_hook(lambda grad: grad * 5)
    loss.backward()
    log(x.grad)
    x.register_hook(lambda grad: grad * 2)
    x.backward(torch.ones(2))
    log(x.grad)


@pytest.mark.parametrize("value", ["number", "list", "shape", "dtype", "tuple"])
@on_both
def test_what_a_hook_may_not_return(torch, log, value):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    returned = {
        "number": 1.0,
        "list": [torch.ones(2)],
        "tuple": (torch.ones(2),),
        "shape": torch.ones(3),
        "dtype": torch.ones(2, dtype=torch.float64),
    }[value]
    y.register_hook(lambda grad: returned)
    log.error(y.sum().backward)
    log(x.grad)


@on_both
def test_errors_of_registering(torch, log):
    constant = torch.ones(2)
    log.error(constant.register_hook, print)
    log.error(constant.register_post_accumulate_grad_hook, print)
    x = torch.ones(2, requires_grad=True)
    log.error((x * 2).register_post_accumulate_grad_hook, print)
    with torch.no_grad():
        log.error((x * 2).register_hook, print)


@on_both
def test_removing_hooks(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    first = x.register_hook(lambda grad: log("first", grad))
    second = x.register_hook(lambda grad: log("second", grad))
    (x * 2).sum().backward()
    first.remove()
    first.remove()
    (x * 2).sum().backward()
    second.remove()
    (x * 2).sum().backward()
    with x.register_hook(lambda grad: log("within", grad)):
        (x * 2).sum().backward()
    (x * 2).sum().backward()
    log(x.grad)


@on_both
def test_a_hook_that_removes_itself(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 1

    def once(grad):
        log("once", grad)
        handle.remove()

    handle = y.register_hook(once)
    y.register_hook(lambda grad: log("always", grad))
    y.sum().backward(retain_graph=True)
    y.sum().backward()
    log(x.grad)


@on_both
def test_a_hook_that_removes_another(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    handles = []
    x.register_hook(lambda grad: handles[0].remove())
    handles.append(x.register_hook(lambda grad: log("second", grad)))
    (x * 2).sum().backward()
    (x * 2).sum().backward()


@on_both
def test_a_hook_that_adds_another(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)

    def adds(grad):
        log("adds")
        x.register_hook(lambda grad: log("added", grad))

    x.register_hook(adds)
    (x * 2).sum().backward()
    (x * 2).sum().backward()


@on_both
def test_an_error_in_a_hook(torch, log):
    x, w = torch.tensor([1.0, 2.0], requires_grad=True), torch.ones(2, requires_grad=True)
    y = x * w

    def fails(grad):
        raise ValueError("from the hook")

    handle = y.register_hook(fails)
    loss = y.sum()
    log.error(loss.backward)
    log(x.grad, w.grad)
    handle.remove()
    log.error(loss.backward)
    log(x.grad, w.grad, torch.is_grad_enabled())


@on_both
def test_grad_mode_inside_of_hooks(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * x
    y.register_hook(
        lambda grad: log(torch.is_grad_enabled(), grad.requires_grad, (x * 1).requires_grad)
    )
    y.sum().backward(retain_graph=True)
    torch.autograd.grad(y.sum(), x, create_graph=True)
    log(torch.is_grad_enabled())


@on_both
def test_a_hook_under_create_graph(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * x
    y.register_hook(lambda grad: grad * x)
    (g,) = torch.autograd.grad((y * y).sum(), x, create_graph=True)
    log(g)
    log(torch.autograd.grad(g.sum(), x))


@on_both
def test_a_hook_that_changes_the_gradient_in_place(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    z = y * y

    def scale(grad):
        grad.mul_(10)

    y.register_hook(scale)
    z.sum().backward()
    log(x.grad)


@on_both
def test_a_backward_pass_inside_of_a_hook(torch, log):
    x, w = torch.tensor(2.0, requires_grad=True), torch.tensor(3.0, requires_grad=True)

    def inner(grad):
        with torch.enable_grad():
            (w * w).backward()
        log("inner", w.grad, torch.is_grad_enabled())

    y = x * 2
    y.register_hook(inner)
    (y * w).backward()
    log(x.grad, w.grad)


@on_both
def test_a_hook_keeps_an_integer_argument_out(torch, log):
    x = torch.tensor([3.0, 1.0], requires_grad=True)
    values, order = x.max(dim=0)
    values.register_hook(lambda grad: log("values", grad))
    log.error(order.register_hook, print)
    (values * 2).backward()
    log(x.grad)


@on_both
def test_hooks_of_two_outputs_of_one_node(torch, log):
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], requires_grad=True)
    a, b, c = x.unbind(0)
    c.register_hook(lambda grad: log("c", grad))
    b.register_hook(lambda grad: log("b", grad))
    a.register_hook(lambda grad: grad * 10)
    (a * b).sum().backward()
    log(x.grad)


@on_both
def test_hooks_survive_in_place_changes(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    y.register_hook(lambda grad: log("before", grad))
    y.mul_(2)
    y.register_hook(lambda grad: log("after", grad))
    y.sum().backward()
    log(x.grad)


@on_both
def test_retain_grad_follows_in_place_changes(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    y.retain_grad()
    y.mul_(2)
    log(y.retains_grad)
    (y * 5).sum().backward()
    log(y.grad, x.grad)


@on_both
def test_retained_gradients_come_after_hooks(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    y.retain_grad()
    y.register_hook(lambda grad: grad * 2)
    (y * 5).sum().backward()
    log(y.grad, x.grad)


@on_both
def test_detached_and_copied_tensors_have_no_hooks(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    y.register_hook(lambda grad: log("y", grad))
    z = y.detach().requires_grad_()
    (z * 2).sum().backward()
    (y.clone() * 2).sum().backward()
    log(x.grad, z.grad)


# ---- after accumulation --------------------------------------------------------------------------


@on_both
def test_post_accumulate_grad_hooks(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)

    def note(leaf):
        log(leaf is x, leaf.grad)

    handle = x.register_post_accumulate_grad_hook(note)
    (x * 3).sum().backward()
    (x * 3 + x).sum().backward()
    torch.autograd.grad((x * 3).sum(), x)
    (x * 3).sum().backward(inputs=[x])
    handle.remove()
    (x * 3).sum().backward()
    log(x.grad)


@on_both
def test_an_optimizer_step_in_a_hook(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)

    def step(leaf):
        with torch.no_grad():
            leaf -= 0.5 * leaf.grad
        leaf.grad = None

    x.register_post_accumulate_grad_hook(step)
    for _ in range(3):
        (x * x).sum().backward()
        log(x, x.grad)


@on_both
def test_what_a_post_accumulate_hook_returns(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    x.register_post_accumulate_grad_hook(lambda leaf: torch.ones(2))
    log.error((x * 3).sum().backward)
    log(x.grad)


# ---- on nodes ------------------------------------------------------------------------------------


@on_both
def test_a_hook_after_a_node(torch, log):
    x, w = torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor(3.0, requires_grad=True)
    y = x * w
    y.grad_fn.register_hook(lambda inputs, outputs: log(inputs, outputs))
    (y * 2).sum().backward()
    log(x.grad, w.grad)


@on_both
def test_a_hook_after_a_node_with_constants(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    for y in (
        x * 3,
        x * torch.ones(2),
        torch.ones(2) * x,
        2 - x,
        torch.where(x > 1, x, torch.ones(2)),
    ):
        y.grad_fn.register_hook(lambda inputs, outputs: log(inputs, outputs))
        y.sum().backward()
    log(x.grad)


@on_both
def test_a_hook_before_a_node(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    y.grad_fn.register_prehook(lambda outputs: log(outputs))
    y.sum().backward()
    log(x.grad)


@on_both
def test_hooks_of_nodes_replace_gradients(torch, log):
    x, w = (
        torch.tensor([1.0, 2.0], requires_grad=True),
        torch.tensor([3.0, 3.0], requires_grad=True),
    )
    y = x * w
    y.grad_fn.register_prehook(lambda outputs: (outputs[0] * 10,))
    y.grad_fn.register_prehook(lambda outputs: log("pre", outputs))
    y.grad_fn.register_hook(lambda inputs, outputs: (inputs[0] * 2, inputs[1] * 0))
    y.grad_fn.register_hook(lambda inputs, outputs: log("post", inputs, outputs))
    y.sum().backward()
    log(x.grad, w.grad)


@pytest.mark.parametrize(
    "value", ["tensor", "list", "too few", "too many", "nones", "number", "shape"]
)
@pytest.mark.parametrize("kind", ["register_hook", "register_prehook"])
@on_both
def test_what_hooks_of_nodes_may_return(torch, log, kind, value):
    x, w = (
        torch.tensor([1.0, 2.0], requires_grad=True),
        torch.tensor([3.0, 3.0], requires_grad=True),
    )
    y = x * w
    one = torch.ones(2)
    count = 2 if kind == "register_hook" else 1
    returned = {
        "tensor": one,
        "list": [one] * count,
        "too few": (one,) * (count - 1),
        "too many": (one,) * (count + 1),
        "nones": (None,) * count,
        "number": 1.0,
        "shape": (torch.ones(3),) * count,
    }[value]
    getattr(y.grad_fn, kind)(lambda *gradients: returned)
    log.error(y.sum().backward)
    log(x.grad, w.grad)


@on_both
def test_hooks_on_the_node_of_a_leaf(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    node = y.grad_fn.next_functions[0][0]
    node.register_hook(lambda inputs, outputs: log("post", inputs, outputs, x.grad))
    node.register_prehook(lambda outputs: log("pre", outputs, x.grad))
    x.register_hook(lambda grad: log("tensor", grad, x.grad))
    x.register_post_accumulate_grad_hook(lambda leaf: log("accumulated", x.grad))
    y.sum().backward(retain_graph=True)
    y.sum().backward()
    torch.autograd.grad((x * 2).sum(), x)
    log(x.grad)


@on_both
def test_a_prehook_on_the_node_of_a_leaf_replaces(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    node = y.grad_fn.next_functions[0][0]
    node.register_prehook(lambda outputs: (outputs[0] * 10,))
    y.sum().backward()
    log(x.grad)


@on_both
def test_hooks_on_a_leaf_s_node_and_inputs(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    node = y.grad_fn.next_functions[0][0]
    node.register_hook(lambda inputs, outputs: log("post", inputs, outputs))
    node.register_prehook(lambda outputs: log("pre", outputs))
    x.register_hook(lambda grad: log("tensor", grad))
    x.register_post_accumulate_grad_hook(lambda leaf: log("accumulated", leaf.grad))
    y.sum().backward(inputs=[x])
    log(x.grad)


@on_both
def test_hooks_on_a_node_that_is_wanted(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    y.grad_fn.register_prehook(lambda outputs: log("pre", outputs))
    y.grad_fn.register_hook(lambda inputs, outputs: log("post", inputs, outputs))
    y.register_hook(lambda grad: grad * 2)
    y.retain_grad()
    z = (y * y).sum()
    log(torch.autograd.grad(z, y, retain_graph=True))
    log(torch.autograd.grad(z, [y, x], retain_graph=True))
    log(torch.autograd.grad(z, x))
    log(y.grad)


@on_both
def test_a_replacing_prehook_on_a_wanted_node(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    y.grad_fn.register_prehook(lambda outputs: (outputs[0] * 10,))
    z = (y * y).sum()
    log(torch.autograd.grad(z, y, retain_graph=True))
    log(torch.autograd.grad(z, [y, x]))


@on_both
def test_removing_hooks_of_nodes(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    first = y.grad_fn.register_hook(lambda inputs, outputs: log("post"))
    second = y.grad_fn.register_prehook(lambda outputs: log("pre"))
    y.sum().backward(retain_graph=True)
    first.remove()
    y.sum().backward(retain_graph=True)
    second.remove()
    y.sum().backward()
    log(x.grad)


@on_both
def test_hooks_of_nodes_under_create_graph(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * x
    y.grad_fn.register_hook(lambda inputs, outputs: tuple(g * 2 for g in inputs))
    (g,) = torch.autograd.grad((y * y).sum(), x, create_graph=True)
    log(g.tolist())
    log(torch.autograd.grad(g.sum(), x))


# ---- order ---------------------------------------------------------------------------------------

ORDERS = {
    "chain": lambda torch, x, w: [((x * 2).exp() + 1).log()],
    "diamond": lambda torch, x, w: diamond(x),
    "unequal arms": lambda torch, x, w: [x.exp().log().exp() + x * 2],
    "unequal arms, other way round": lambda torch, x, w: [x * 2 + x.exp().log().exp()],
    "arms made in turn": lambda torch, x, w: arms(x),
    "shared leaf": lambda torch, x, w: [x * w + w * w * x],
    "leaf at once": lambda torch, x, w: [(x * w) + w],
    "two roots": lambda torch, x, w: [x * w, w.exp()],
    "two roots, older first": lambda torch, x, w: [w.exp(), x * w],
    "root behind a root": lambda torch, x, w: behind(x, w),
    "the same root twice": lambda torch, x, w: [x * w] * 2,
    "leaf as a root": lambda torch, x, w: [x, x * w],
    "several outputs": lambda torch, x, w: [outputs(torch, x, w)],
    "cat": lambda torch, x, w: [torch.stack([x, w, x * w, w * x]).sum()],
    "ladder": lambda torch, x, w: [ladder(x, w)],
    "in place": lambda torch, x, w: [in_place(x, w)],
    "views": lambda torch, x, w: [x.view(1, 1).expand(2, 2).sum() + w.view(1)[0]],
}


def diamond(x):
    y = x * 2
    return [y * 3 + y.exp()]


def arms(x):
    a, b = x * 2, x.exp()
    c, d = b * a, a.exp()
    return [d * c + a]


def behind(x, w):
    y = x * w
    return [y.exp(), y]


def outputs(torch, x, w):
    a, b = torch.stack([x * w, w]).unbind(0)
    return b * a


def ladder(x, w):
    for _ in range(4):
        x, w = x * w, w + x
    return x - w


def in_place(x, w):
    y = x * 2
    z = y.view(1)
    z.mul_(w)
    y.add_(x)
    return y * z.sum()


@pytest.mark.parametrize("name", ORDERS)
@on_both
def test_order_of_nodes(torch, log, name):
    x, w = torch.tensor(1.5, requires_grad=True), torch.tensor(0.5, requires_grad=True)
    roots = ORDERS[name](torch, x, w)
    kept = watch(log, *roots)
    for leaf, text in ((x, "x"), (w, "w")):
        leaf.register_hook(Trace(log).tensor(f"{text} gradient"))
        leaf.register_post_accumulate_grad_hook(
            lambda leaf, text=text: log(f"{text} accumulated", leaf.grad)
        )
    torch.autograd.backward(roots, [torch.tensor(2.0 + i) for i, _ in enumerate(roots)])
    log(x.grad, w.grad, len(kept))


@pytest.mark.parametrize("name", ORDERS)
@pytest.mark.parametrize("wanted", ["x", "w", "both"])
@on_both
def test_order_of_nodes_towards_inputs(torch, log, name, wanted):
    x, w = torch.tensor(1.5, requires_grad=True), torch.tensor(0.5, requires_grad=True)
    roots = ORDERS[name](torch, x, w)
    kept = watch(log, *roots)
    inputs = {"x": [x], "w": [w], "both": [x, w]}[wanted]
    given = [torch.tensor(2.0 + i) for i, _ in enumerate(roots)]
    log(torch.autograd.grad(roots, inputs, given, allow_unused=True), len(kept))


@pytest.mark.parametrize("name", ORDERS)
@on_both
def test_order_of_nodes_when_recorded(torch, log, name):
    x, w = torch.tensor(1.5, requires_grad=True), torch.tensor(0.5, requires_grad=True)
    roots = ORDERS[name](torch, x, w)

    def note(text):
        return lambda inputs, outputs: log(text, [None if g is None else g.item() for g in inputs])

    seen, pending = set(), [r.grad_fn for r in roots]
    while pending:
        node = pending.pop()
        if node is not None and node not in seen:
            seen.add(node)
            node.register_hook(note(f"{len(seen)} {node.name()}"))
            pending += [n for n, _ in reversed(node.next_functions)]
    given = [torch.tensor(2.0 + i) for i, _ in enumerate(roots)]
    found = torch.autograd.grad(roots, [x, w], given, allow_unused=True, create_graph=True)
    log([None if g is None else g.item() for g in found])


@on_both
def test_order_of_all_kinds_of_hooks_on_one_value(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    y.grad_fn.register_hook(lambda inputs, outputs: log("post 1", inputs, outputs))
    y.grad_fn.register_prehook(lambda outputs: log("pre 1", outputs))
    y.register_hook(lambda grad: log("tensor 1", grad))
    y.retain_grad()
    y.register_hook(lambda grad: grad * 2)
    y.grad_fn.register_prehook(lambda outputs: log("pre 2", outputs, y.grad))
    y.grad_fn.register_hook(lambda inputs, outputs: log("post 2", inputs, outputs))
    (y * 5).sum().backward()
    log(x.grad, y.grad)


@on_both
def test_float_sums_are_added_in_the_same_order(torch, log):
    x = torch.tensor([0.1, 0.7, 1e-3], requires_grad=True)
    parts = [x * 0.1, x * 1e8, x / 3, x * -1e8, x.exp(), x * 1e-3, x.sin()]
    total = parts[3] + parts[0]
    for part in parts[1:]:
        total = total * 1.1 + part
    total.sum().backward()
    log([g.hex() for g in x.grad.tolist()])


# ---- memory --------------------------------------------------------------------------------------


def test_a_handle_keeps_nothing_alive():
    gc.disable()
    try:
        x = minigrad.tensor([1.0], requires_grad=True)
        y = x * 2
        other = minigrad.ones(3)
        handle = y.register_hook(lambda grad, other=other: None)
        node, held = weakref.ref(y.grad_fn), weakref.ref(other)
        del y, other
        assert node() is None
        assert held() is None
        handle.remove()
    finally:
        gc.enable()


def test_hooks_on_a_leaf_s_node_outlive_the_python_object():
    x = minigrad.tensor([1.0], requires_grad=True)
    y = x * 2
    calls = []
    y.grad_fn.next_functions[0][0].register_hook(lambda inputs, outputs: calls.append(1))
    y.sum().backward()
    assert calls == [1]


@on_both
def test_hooks_of_a_node_see_what_it_saved(torch, log):
    x = torch.ones(2, 3, requires_grad=True)
    y = x @ torch.ones(3, 2)
    node = y.grad_fn
    node.register_prehook(lambda grads: log("before", node._saved_mat2))
    node.register_hook(lambda inputs, grads: log("after", node._saved_mat2))
    y.sum().backward()
    log.error(lambda: node._saved_mat2)
