"""`backward` and `grad`: what the engine computes, accumulates, frees and refuses."""

import pytest
from both import on_both

import minigrad

# ---- backward ------------------------------------------------------------------------------------


@on_both
def test_backward_of_a_scalar(torch, log):
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    w = torch.tensor(4.0, requires_grad=True)
    loss = ((x * w + 1) ** 2).mean()
    log(loss.backward(), loss, x.grad, w.grad)


@on_both
def test_backward_takes_the_gradient_of_a_vector(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (x * x).backward(torch.tensor([10.0, 100.0]))
    log(x.grad)
    (x * x).backward(gradient=torch.tensor([1.0, 1.0]))
    log(x.grad)


@on_both
def test_backward_of_a_leaf(torch, log):
    x = torch.tensor(3.0, requires_grad=True)
    x.backward()
    log(x.grad)
    x.backward(torch.tensor(5.0))
    log(x.grad)


@on_both
def test_backward_of_one_element_in_any_shape(torch, log):
    x = torch.ones(1, 1, 1, requires_grad=True)
    (x * 2).backward()
    log(x.grad)


@on_both
def test_backward_of_several_roots(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y, z = x * 2, (x * x).sum()
    torch.autograd.backward([y, z], [torch.ones(2), None])
    log(x.grad)
    a = x * 3
    torch.autograd.backward((a, a), grad_tensors=(torch.ones(2), torch.tensor([10.0, 20.0])))
    log(x.grad)


@on_both
def test_a_root_may_lie_behind_another_root(torch, log):
    x = torch.tensor(2.0, requires_grad=True)
    y = x * 3
    z = y * y
    torch.autograd.backward([z, y, x])
    log(x.grad)


@pytest.mark.parametrize("name", ["one tensor", "generator", "tuple"])
@on_both
def test_how_roots_may_be_given(torch, log, name):
    x = torch.tensor(2.0, requires_grad=True)
    y = x * 3
    roots = {"one tensor": y, "tuple": (y,), "generator": [y]}[name]
    torch.autograd.backward(roots, torch.tensor(2.0))
    log(x.grad)


@on_both
def test_gradients_of_other_dtypes(torch, log):
    x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    w = torch.tensor([3.0, 4.0], dtype=torch.float32, requires_grad=True)
    y = x * w
    y.backward(torch.ones(2, dtype=torch.float64), retain_graph=True)
    log(y, x.grad, w.grad)
    y.backward(torch.ones(2, dtype=torch.float32))
    log(x.grad, w.grad)


@on_both
def test_an_integer_gradient_is_refused_or_cast_alike(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    log.error((x * 2).backward, torch.ones(2, dtype=torch.int64))
    log(x.grad)
    log.error(torch.autograd.grad, x * 2, x, torch.ones(2, dtype=torch.bool))


@pytest.mark.parametrize("shape", [(3,), (1,), (2, 1), (), (1, 2)])
@on_both
def test_a_gradient_of_the_wrong_shape(torch, log, shape):
    x = torch.ones(2, requires_grad=True)
    log.error((x * 2).backward, torch.ones(shape))
    log.error(torch.autograd.grad, x * 2, x, torch.ones(shape))
    log(x.grad)


@on_both
def test_errors_of_the_arguments(torch, log):
    x = torch.ones(2, requires_grad=True)
    constant = torch.ones(2)
    log.error((x * 2).backward)
    log.error(x.backward)
    log.error(constant.sum().backward)
    log.error(constant.backward)
    log.error(torch.autograd.backward, [])
    log.error(torch.autograd.backward, ())
    log.error(torch.autograd.backward, [x.sum(), constant.sum()])
    log.error(torch.autograd.backward, [x.sum(), x.sum()], [None])
    log.error(torch.autograd.backward, [x.sum()], [None, None])
    log.error(x.sum().backward, inputs=[])
    log.error(x.sum().backward, inputs=[constant])
    log.error(x.sum().backward, inputs=())
    log.error(x.sum().backward, 1.0)
    log.error(x.sum().backward, [1.0])
    log.error((x > 0).backward)
    log.error(torch.ones(2, dtype=torch.int64).backward)
    log(x.grad)


@on_both
def test_empty_tensors(torch, log):
    x = torch.ones(0, requires_grad=True)
    log.error((x * 2).backward)
    (x * 2).sum().backward()
    log(x.grad)
    y = torch.ones(0, 3, requires_grad=True)
    (y * 2).backward(torch.ones(0, 3))
    log(y.grad)


# ---- accumulation --------------------------------------------------------------------------------


@on_both
def test_gradients_add_up_over_calls(torch, log):
    x = torch.tensor([1.0, -2.0], requires_grad=True)
    for factor in (1.0, 2.0, 3.0):
        (x * factor).sum().backward()
        log(x.grad, x.grad._version)


@on_both
def test_accumulation_happens_in_place(torch, log):
    x = torch.ones(2, requires_grad=True)
    (x * 2).sum().backward()
    first, array = x.grad, x.grad.numpy()
    (x * 3).sum().backward()
    log(x.grad is first, first, array, first._version)


@on_both
def test_create_graph_accumulates_out_of_place(torch, log):
    x = torch.ones(2, requires_grad=True)
    (x * 2).sum().backward()
    first = x.grad
    (x * x * x).sum().backward(create_graph=True)
    log(x.grad is first, first, x.grad)
    second = x.grad
    (x * x).sum().backward()
    log(x.grad is second, second, x.grad)


@on_both
def test_a_gradient_set_by_hand_is_added_to(torch, log):
    x = torch.ones(2, requires_grad=True)
    mine = torch.tensor([10.0, 20.0])
    x.grad = mine
    (x * 2).sum().backward()
    log(x.grad is mine, mine, mine._version)
    x.grad = None
    (x * 2).sum().backward()
    log(x.grad is mine, mine, x.grad)


@on_both
def test_a_leaf_used_many_times(torch, log):
    x = torch.tensor(2.0, requires_grad=True)
    y = x * x + x * 3 + x
    log.graph(y)
    y.backward()
    log(x.grad)


@on_both
def test_only_leaves_get_a_gradient(torch, log):
    x = torch.tensor(2.0, requires_grad=True)
    y = x * 3
    z = y * y
    z.backward()
    log(x.grad, y.is_leaf, z.is_leaf, x.is_leaf)
    log(y.grad)  # warns
    log(z.grad)


@on_both
def test_retain_grad(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    log(y.retains_grad, x.retains_grad)
    y.retain_grad()
    y.retain_grad()
    x.retain_grad()
    log(y.retains_grad, x.retains_grad, y.grad)
    y.sum().backward(retain_graph=True)
    log(y.grad, x.grad)
    before = y.grad
    (y * y).sum().backward()
    log(y.grad, before, before is y.grad)
    log.error(torch.ones(2).retain_grad)


@on_both
def test_retain_grad_of_a_root(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    loss = (x * 3).sum()
    loss.retain_grad()
    loss.backward()
    log(loss.grad, x.grad)


@on_both
def test_a_retained_gradient_under_create_graph(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * x
    y.retain_grad()
    (y * y).sum().backward(create_graph=True)
    log(y.grad, x.grad)
    x.grad = y.grad = None


@on_both
def test_retain_grad_after_the_backward_pass_freed_the_tensor(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * x
    y.retain_grad()
    z = (y * 3).sum()
    del y
    z.backward()
    log(x.grad)


# ---- memory is not shared ------------------------------------------------------------------------


@on_both
def test_leaves_do_not_share_their_gradients(torch, log):
    a, b = torch.ones(3, requires_grad=True), torch.ones(3, requires_grad=True)
    (a + b).sum().backward()
    a.grad.zero_()
    log(a.grad, b.grad)


@on_both
def test_a_gradient_is_not_what_the_user_passed(torch, log):
    x = torch.ones(3, requires_grad=True)
    given = torch.tensor([1.0, 2.0, 3.0])
    x.backward(given)
    given.zero_()
    log(x.grad)
    y = torch.ones(3, requires_grad=True)
    given = torch.tensor([1.0, 2.0, 3.0])
    (y + 1).backward(given)
    y.grad.zero_()
    log(given)
    (y + 1).backward(given)
    (y.view(3) + 1).backward(given)
    log(given, y.grad)


@on_both
def test_accumulating_leaves_other_gradients_alone(torch, log):
    a, b, c = (torch.ones(2, requires_grad=True) for _ in range(3))
    s = a + b
    (s + c).sum().backward()
    (a * 5).sum().backward()
    log(a.grad, b.grad, c.grad)


@pytest.mark.parametrize(
    "function",
    [
        lambda a, b: a + b,
        lambda a, b: a - b,
        lambda a, b: (a + b).view(2, 2),
        lambda a, b: (a + b).t(),
        lambda a, b: (a + b)[:],
        lambda a, b: a.reshape(4) + b.reshape(4),
        lambda a, b: a.unsqueeze(0) + b,
        lambda a, b: a.expand(2, 2) + b.clone(),
    ],
)
@pytest.mark.parametrize("inputs", [False, True])
def test_gradients_are_alone_in_their_memory(function, inputs):
    """More than PyTorch promises: there `x.grad` may be a view of what the user passed."""
    a, b = minigrad.ones(2, 2, requires_grad=True), minigrad.ones(2, 2, requires_grad=True)
    y = function(a, b)
    y.retain_grad()
    given = minigrad.arange(y.numel(), dtype=minigrad.float32).reshape(y.shape)
    y.backward(given, inputs=[a, b] if inputs else None)
    tensors = [t for t in (given, a.grad, b.grad, y.grad) if t is not None]
    assert len(tensors) >= 3
    for changed in tensors:
        before = [t.tolist() for t in tensors if t is not changed]
        changed.add_(100.0)
        assert [t.tolist() for t in tensors if t is not changed] == before


@on_both
def test_grad_of_expanded_gradients_is_writable(torch, log):
    x = torch.ones(2, 3, requires_grad=True)
    x.sum().backward()
    x.grad[0, 0] = 7.0
    log(x.grad)
    (g,) = torch.autograd.grad((x + 1).mean(), x)
    log(g)


# ---- freeing -------------------------------------------------------------------------------------


@on_both
def test_a_second_backward_pass(torch, log):
    x = torch.tensor(2.0, requires_grad=True)
    y = x * x
    y.backward()
    log.error(y.backward)
    log(x.grad)


@on_both
def test_a_second_backward_pass_over_a_retained_graph(torch, log):
    x = torch.tensor(2.0, requires_grad=True)
    y = x.exp() * x
    y.backward(retain_graph=True)
    y.backward()
    log(x.grad)
    log.error(y.backward)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x + 1,
        lambda x: x * 3,
        lambda x: 3 / x,
        lambda x: x / 3,
        lambda x: -x,
        lambda x: x.sum(),
        lambda x: x.mean(),
        lambda x: x.view(2, 1),
        lambda x: x**2,
        lambda x: x**1,
        lambda x: x.exp(),
        lambda x: x.relu(),
        lambda x: x.clone(),
        lambda x: x[0],
        lambda x: x.t(),
        lambda x: x.reshape(1, 2),
        lambda x: x.clamp(0, 1),
        lambda x: x.max(),
        lambda x: x.double(),
        lambda x: x.expand(3, 2),
        lambda x: x.unsqueeze(0),
        lambda x: x.abs(),
    ],
)
@on_both
def test_what_may_be_walked_twice(torch, log, function):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = function(x).sum()
    y.backward()
    log.error(y.backward)
    log(x.grad)


@on_both
def test_the_part_of_a_graph_that_was_walked_is_freed(torch, log):
    x = torch.tensor(2.0, requires_grad=True)
    shared = x * x
    a, b = shared.exp(), shared * 2
    a.backward()
    log(x.grad)
    log.error(b.backward)
    log(x.grad)
    log.error(a.backward)


@on_both
def test_a_pass_towards_one_input_frees_only_its_way(torch, log):
    x, y = torch.tensor(2.0, requires_grad=True), torch.tensor(3.0, requires_grad=True)
    a, b = x * x, y * y
    z = a * b
    log(torch.autograd.grad(z, x, retain_graph=False))
    log.error(torch.autograd.grad, b, y)
    log.error(torch.autograd.grad, a, x)
    log.error(torch.autograd.grad, z, y)


@on_both
def test_an_error_in_the_middle_of_a_pass(torch, log):
    x, w = torch.tensor(2.0, requires_grad=True), torch.tensor(5.0, requires_grad=True)
    middle = x * x
    middle.backward()
    log.error((middle * w).backward)
    log(x.grad, w.grad, torch.is_grad_enabled())


# ---- inputs= -------------------------------------------------------------------------------------


@on_both
def test_inputs_restrict_accumulation(torch, log):
    x, w = torch.tensor(2.0, requires_grad=True), torch.tensor(5.0, requires_grad=True)
    (x * w).backward(inputs=[x])
    log(x.grad, w.grad)
    (x * w).backward(inputs=w)
    log(x.grad, w.grad)
    torch.autograd.backward([x * w, x * x], inputs=(x, w))
    log(x.grad, w.grad)


@on_both
def test_inputs_that_are_no_leaves(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * x
    z = (y * 3).sum()
    z.backward(inputs=[y], retain_graph=True)
    log(x.grad)
    log(y.grad)
    y.retain_grad()
    z.backward(inputs=[y], retain_graph=True)
    log(y.grad)
    z.backward(inputs=[x, y])
    log(x.grad, y.grad)


@on_both
def test_inputs_that_are_not_reached(torch, log):
    x, w = torch.tensor(2.0, requires_grad=True), torch.tensor(5.0, requires_grad=True)
    log.error((x * x).backward, inputs=[w])
    log(x.grad, w.grad)
    log.error((x * x).backward, inputs=[x, w])
    log(x.grad, w.grad)


@on_both
def test_an_input_named_twice(torch, log):
    x = torch.tensor(2.0, requires_grad=True)
    (x * x).backward(inputs=[x, x])
    log(x.grad)
    log(torch.autograd.grad(x * x, [x, x]))


@on_both
def test_inputs_with_create_graph(torch, log):
    x = torch.tensor(2.0, requires_grad=True)
    (x**3).backward(inputs=[x], create_graph=True)
    log(x.grad)
    first = x.grad
    x.grad = None
    first.backward()
    log(x.grad)


@on_both
def test_accumulation_into_inputs_is_in_place(torch, log):
    x = torch.tensor([2.0, 1.0], requires_grad=True)
    (x * 3).sum().backward(inputs=[x])
    first = x.grad
    (x * 3).sum().backward(inputs=[x])
    log(first is x.grad, first)


@on_both
def test_inputs_and_gradients_do_not_share_memory(torch, log):
    x, w = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    given = torch.tensor([1.0, 2.0])
    (x + w).backward(given, inputs=[x, w])
    x.grad.zero_()
    log(x.grad, w.grad, given)


# ---- grad ----------------------------------------------------------------------------------------


@on_both
def test_grad_leaves_dot_grad_alone(torch, log):
    x, w = torch.tensor(2.0, requires_grad=True), torch.tensor(5.0, requires_grad=True)
    log(torch.autograd.grad(x * w, [x, w]), x.grad, w.grad)
    log(torch.autograd.grad(x * w, x), x.grad, w.grad)
    log(torch.autograd.grad(outputs=x * w, inputs=(w, x)))


@on_both
def test_grad_outputs(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    log(torch.autograd.grad(x * x, x, torch.tensor([1.0, 10.0])))
    log(torch.autograd.grad([x * x, x.sum()], [x], [torch.tensor([1.0, 10.0]), None]))
    log(torch.autograd.grad([x * x, x.sum()], [x], (torch.tensor([1.0, 10.0]), torch.tensor(3.0))))
    log.error(torch.autograd.grad, [x * x, x.sum()], [x], [torch.ones(2)])
    log.error(torch.autograd.grad, x * x, x)


@on_both
def test_grad_outputs_that_need_a_gradient(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    v = torch.tensor([1.0, 10.0], requires_grad=True)
    (g,) = torch.autograd.grad(x * x, x, v, create_graph=True)
    log(g)
    log(torch.autograd.grad(g.sum(), [v, x]))


@on_both
def test_unused_inputs(torch, log):
    x, w = torch.tensor(2.0, requires_grad=True), torch.ones(2, 1, requires_grad=True)
    log.error(torch.autograd.grad, x * x, [x, w])
    log.error(torch.autograd.grad, x * x, [w])
    log(torch.autograd.grad(x * x, [x, w], allow_unused=True))
    log(torch.autograd.grad(x * x, [w], allow_unused=True))
    log(torch.autograd.grad(x * x, [x, w], materialize_grads=True))
    log(torch.autograd.grad(x * x, [x, w], materialize_grads=True, allow_unused=True))
    log(torch.autograd.grad(x * x, [x, w], materialize_grads=True, create_graph=True))
    log.error(torch.autograd.grad, x * x, [x, w], materialize_grads=True, allow_unused=False)
    log.error(torch.autograd.grad, x * x, [x, w], allow_unused=False)


@on_both
def test_errors_of_grad(torch, log):
    x, constant = torch.tensor(2.0, requires_grad=True), torch.tensor(3.0)
    log.error(torch.autograd.grad, x * x, constant)
    log.error(torch.autograd.grad, x * x, [x, constant])
    log.error(torch.autograd.grad, constant, x)
    log.error(torch.autograd.grad, constant * 2, x)
    log.error(torch.autograd.grad, [], x)
    log.error(torch.autograd.grad, x * x, [])
    log.error(torch.autograd.grad, x * x, [], allow_unused=True)


@on_both
def test_grad_with_respect_to_a_value_in_between(torch, log):
    x = torch.tensor(2.0, requires_grad=True)
    y = x * 3
    z = y * y + x
    log(torch.autograd.grad(z, y, retain_graph=True))
    log(torch.autograd.grad(z, [y, x], retain_graph=True))
    log(torch.autograd.grad(z, z, retain_graph=True))
    log(torch.autograd.grad(z, [z, y, x], torch.tensor(2.0), retain_graph=True))
    log(torch.autograd.grad(x, x))
    log.error(torch.autograd.grad, y, z)


@on_both
def test_grad_with_respect_to_one_output_of_several(torch, log):
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    a, b = x.unbind(0)
    log(a.output_nr, b.output_nr)
    z = (a * b).sum()
    log(torch.autograd.grad(z, [a, b], retain_graph=True))
    log(torch.autograd.grad(z, [b], retain_graph=True))
    log(torch.autograd.grad(z, [x, b], retain_graph=True))
    z.backward(inputs=[a])
    log(x.grad)
    y = torch.tensor([3.0, 1.0, 2.0], requires_grad=True)
    values, indices = y.max(dim=0)
    log(torch.autograd.grad(values * 2, [values, y]), indices)


@on_both
def test_an_unused_output_of_an_op_with_several(torch, log):
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], requires_grad=True)
    parts = x.unbind(0)
    parts[1].sum().backward()
    log(x.grad)
    a, b = x.split([1, 2])
    log(torch.autograd.grad((b * b).sum(), x))
    log(torch.autograd.grad(a.sum(), [x, b], allow_unused=True))


@on_both
def test_a_gradient_that_stops(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    log(torch.autograd.grad((x.detach() * x).sum(), x))
    y = x * 2
    log.error(torch.autograd.grad, (y.detach() * 3).sum(), x)
    log(x.argmax(), x > 1, (x > 1).requires_grad)


@on_both
def test_a_pass_of_grad_inside_of_no_grad(torch, log):
    x = torch.tensor(2.0, requires_grad=True)
    y = x * x
    with torch.no_grad():
        log(torch.autograd.grad(y, x, create_graph=True), torch.is_grad_enabled())
    z = x * x
    with torch.no_grad():
        z.backward()
    log(x.grad, torch.is_grad_enabled())


@on_both
def test_freeing_by_grad(torch, log):
    x = torch.tensor(2.0, requires_grad=True)
    y = x * x
    torch.autograd.grad(y, x)
    log.error(torch.autograd.grad, y, x)
    z = x * x
    torch.autograd.grad(z, x, create_graph=True)
    log(torch.autograd.grad(z, x, create_graph=False, retain_graph=True))
    torch.autograd.grad(z, x, create_graph=True, retain_graph=False)
    log.error(torch.autograd.grad, z, x)


@on_both
def test_the_warning_of_create_graph(torch, log):
    x = torch.tensor(2.0, requires_grad=True)
    (x * x).backward(create_graph=True)
    log(x.grad)
    x.grad = None
    torch.autograd.backward([x * x], create_graph=True)
    log(x.grad)
    x.grad = None
    log(torch.autograd.grad(x * x, x, create_graph=True))


# ---- double backward and beyond ------------------------------------------------------------------

EXPRESSIONS = {
    "power": lambda torch, x: x**5,
    "square root": lambda torch, x: x.sqrt(),
    "power of a tensor": lambda torch, x: x**x,
    "number to a power": lambda torch, x: 2.0**x,
    "quotient": lambda torch, x: (x + 1) / (x * x),
    "reciprocal": lambda torch, x: 1 / x,
    "exponential": lambda torch, x: (x * 2).exp(),
    "logarithm": lambda torch, x: x.log() * x,
    "sigmoid": lambda torch, x: x.sigmoid(),
    "tanh": lambda torch, x: x.tanh() * x,
    "sine": lambda torch, x: (x * x).sin(),
    "relu": lambda torch, x: (x - 1).relu() ** 3,
    "absolute value": lambda torch, x: (x - 1).abs() ** 3,
    "mean of squares": lambda torch, x: (x * x * x).mean(),
    "sum over one dimension": lambda torch, x: x.sum(0) ** 3,
    "matrix product": lambda torch, x: x.view(2, 2) @ x.view(2, 2).t() @ x.view(2, 2),
    "matrix times vector": lambda torch, x: (x.view(2, 2) @ x[:2]) ** 2,
    "dot": lambda torch, x: x.dot(x * x),
    "broadcast": lambda torch, x: x.view(4, 1) * x * x.sum(),
    "index": lambda torch, x: x[[0, 1, 1]] ** 3,
    "slices": lambda torch, x: x[1:] ** 2 * x[:-1],
    "cat": lambda torch, x: torch.cat([x, x * x]) ** 2,
    "stack": lambda torch, x: torch.stack([x * x, x]).prod(0),
    "maximum": lambda torch, x: torch.maximum(x * x, x + 1) ** 2,
    "where": lambda torch, x: torch.where(x > 1, x**3, x**2),
    "clamp": lambda torch, x: x.clamp(0.6, 1.8) ** 3,
    "max over a dimension": lambda torch, x: x.view(2, 2).max(dim=1).values ** 3,
    "max": lambda torch, x: x.max() ** 3,
    "variance": lambda torch, x: x.var() * x,
    "standard deviation": lambda torch, x: x.std() * x,
    "mse": lambda torch, x: torch.nn.functional.mse_loss(x * x, x) ** 2,
    "addmm": lambda torch, x: torch.addmm(x[:2], x.view(2, 2), x.view(2, 2)) ** 2,
    "expand": lambda torch, x: x.expand(3, 4).sum(0) ** 3,
    "double precision": lambda torch, x: x.double() ** 3,
    "transposed": lambda torch, x: (x.view(2, 2).t() * x.view(2, 2)) ** 2,
    "product": lambda torch, x: x.prod(),
    "clone and detach": lambda torch, x: x.clone() * x.detach() * x**2,
    "in place": lambda torch, x: (x * x).mul_(x).add_(x),
    "in place in a slice": lambda torch, x: written(x),
}


def written(x):
    y = x * x
    y[1:3] *= x[0]
    y[0] = x[3] ** 2
    return y


@pytest.mark.parametrize("name", EXPRESSIONS)
@on_both
def test_first_second_and_third_derivative(torch, log, name):
    x = torch.tensor([0.5, 1.5, 2.0, 1.25], dtype=torch.float64, requires_grad=True)
    y = EXPRESSIONS[name](torch, x)
    log(y)
    for _ in range(3):
        (y,) = torch.autograd.grad(y.sum(), x, create_graph=True)
        log(y.tolist(), y.requires_grad)
        if not y.requires_grad:
            return


@pytest.mark.parametrize("name", EXPRESSIONS)
@on_both
def test_a_gradient_penalty(torch, log, name):
    x = torch.tensor([0.5, 1.5, 2.0, 1.25], dtype=torch.float64, requires_grad=True)
    w = torch.tensor(0.75, dtype=torch.float64, requires_grad=True)
    y = EXPRESSIONS[name](torch, x * w)
    (g,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    ((g * g).sum() + y.sum()).backward()
    log(g.tolist(), x.grad, w.grad)


@on_both
def test_second_derivatives_through_dot_grad(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (x**3).sum().backward(create_graph=True)
    first = x.grad
    log(first)
    (first * first).sum().backward(inputs=[x])
    log(x.grad)
    x.grad = None


@on_both
def test_the_graph_of_a_recorded_pass(torch, log):
    x, w = torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor(3.0, requires_grad=True)
    for loss in ((x * w).sum(), (x * x * w).sum()):
        gx, gw = torch.autograd.grad(loss, [x, w], create_graph=True)
        log(gx.tolist(), gw.tolist(), gx.requires_grad, gw.requires_grad)


@on_both
def test_a_recorded_pass_of_a_linear_function_needs_no_graph(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (g,) = torch.autograd.grad((x * 3).sum(), x, create_graph=True)
    log(g.tolist(), g.requires_grad)
    log.error(torch.autograd.grad, g.sum(), x)


@on_both
def test_hessian_times_vector(torch, log):
    w = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    v = torch.tensor([[1.0, -1.0], [0.5, 2.0]])
    loss = ((w @ w) ** 2).mean()
    (g,) = torch.autograd.grad(loss, w, create_graph=True)
    log(torch.autograd.grad((g * v).sum(), w))


@on_both
def test_newton_s_method(torch, log):
    x = torch.tensor(3.0, requires_grad=True)
    for _ in range(5):
        y = x**4 - 2 * x**2 + x
        (g,) = torch.autograd.grad(y, x, create_graph=True)
        (h,) = torch.autograd.grad(g, x)
        with torch.no_grad():
            x -= g / h
        log(x.tolist(), g.tolist(), h.tolist())


# ---- the graph as users see it -------------------------------------------------------------------

GRAPHS = {
    "sum and product": lambda torch, x, w: x * w + x,
    "number operands": lambda torch, x, w: 2 * x - 1 / w,
    "mean of squares": lambda torch, x, w: ((x - w) ** 2).mean(),
    "constant operand": lambda torch, x, w: x * torch.ones(2) + torch.ones(2),
    "detached operand": lambda torch, x, w: x * w.detach(),
    "the same operand twice": lambda torch, x, w: x * x,
    "outputs with numbers": lambda torch, x, w: x.unbind(0)[1] * x.unbind(0)[0],
    "views": lambda torch, x, w: x.view(2, 1).t().expand(3, 2).reshape(6).squeeze(),
    "cat": lambda torch, x, w: torch.cat([x, torch.ones(1), x]),
    "stack": lambda torch, x, w: torch.stack([x, w.expand(2)]),
    "indexing": lambda torch, x, w: x[0] * x[None, 1:] + x[[0, 1]],
    "matrix product": lambda torch, x, w: x.view(1, 2) @ x.view(2, 1),
    "linear": lambda torch, x, w: torch.nn.functional.linear(x.view(1, 2), x.view(1, 2), w.view(1)),
    "mse": lambda torch, x, w: torch.nn.functional.mse_loss(x, torch.ones(2)),
    "dtypes": lambda torch, x, w: x.double() * w,
    "in place": lambda torch, x, w: x.clone().mul_(w).add_(1),
    "max": lambda torch, x, w: x.max(dim=0).values * x.max(),
    "where": lambda torch, x, w: torch.where(x > 0, x, w),
    "reductions": lambda torch, x, w: x.sum() + x.sum(0) + x.mean(0) + x.var() + x.std(),
}


@pytest.mark.parametrize("name", GRAPHS)
@on_both
def test_nodes_and_edges(torch, log, name):
    x, w = torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor(3.0, requires_grad=True)
    y = GRAPHS[name](torch, x, w)
    log(y)
    log.graph(y)


@on_both
def test_attributes_of_nodes(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    node = y.grad_fn
    log(node.name(), type(node).__name__, node is y.grad_fn, len(node.next_functions))
    node.metadata["note"] = 1
    log(list(node.metadata), y.grad_fn.metadata["note"])
    leaf, number = node.next_functions[0]
    log(leaf.name(), type(leaf).__name__, number, leaf.variable is x, len(leaf.next_functions))
    leaf.metadata["note"] = 2
    log(list(leaf.metadata), node.next_functions[0][0].metadata["note"])
    log(node.next_functions[1])
    log(x.grad_fn, torch.ones(2).grad_fn)


@on_both
def test_the_text_of_nodes(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    for y in (x * 3, x.sum(), x.view(2, 1).t()):
        log(repr(y.grad_fn), str(y.grad_fn.next_functions))


@on_both
def test_the_leaf_s_node_is_one_object(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    a, b = (x * 3).grad_fn.next_functions[0][0], x.exp().grad_fn.next_functions[0][0]
    log(a is b, a == b, hash(a) == hash(b), a.variable is b.variable)
    log((x * x).grad_fn.next_functions[0][0] is (x * x).grad_fn.next_functions[1][0])


@on_both
def test_walking_the_graph_by_hand(torch, log):
    x = torch.tensor([[1.0, 2.0]], requires_grad=True)
    w = torch.tensor([[1.0], [2.0]], requires_grad=True)
    node = ((x @ w) ** 2).mean().grad_fn
    while node is not None:
        log(node)
        node = node.next_functions[0][0] if node.next_functions else None


@on_both
def test_saved_values_of_nodes(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    log(hasattr((x * x).grad_fn, "_saved_self"), hasattr(y.grad_fn, "nothing of that name"))
    log((x * x).grad_fn._saved_self, x.exp().grad_fn._saved_result)


@pytest.mark.parametrize("keeper", ["tensor", "node before", "node after", "retain_grad"])
@pytest.mark.parametrize(
    "function", [lambda x: x.view(6), lambda x: x.t(), lambda x: x[None], lambda x: x + 0]
)
def test_what_a_hook_keeps_is_not_the_gradient_of_a_leaf(keeper, function):
    """The leaf takes over an array only if nobody else holds it, also by way of a view."""
    x = minigrad.ones(2, 3, requires_grad=True)
    y = function(x)
    kept = []
    if keeper == "tensor":
        y.register_hook(kept.append)
    elif keeper == "node before":
        y.grad_fn.register_prehook(lambda grads: kept.extend(grads))
    elif keeper == "node after":
        y.grad_fn.register_hook(lambda inputs, grads: kept.extend([*inputs, *grads]))
    else:
        y.retain_grad()
    (y * 2).sum().backward()
    if keeper == "retain_grad":
        kept.append(y.grad)
    x.grad.zero_()
    assert all((k.numpy() == 2).all() for k in kept if k is not None)
    assert kept


def test_the_gradient_of_a_weight_is_the_array_of_the_product():
    """Not a copy of it: the formula's transposed product lies as the weight does."""
    weight = minigrad.ones(20, 30, requires_grad=True)
    minigrad.nn.functional.linear(minigrad.ones(8, 30), weight).sum().backward()
    assert weight.grad.is_contiguous()
    assert weight.grad.numpy().base is not None  # a copy would own its memory


@on_both
def test_backward_with_inputs_makes_a_result_keep_its_gradients(torch, log):
    x = torch.ones(2, requires_grad=True)
    middle = x * 2
    end = (middle * 3).sum()
    end.backward(inputs=[middle], retain_graph=True)
    log(middle.retains_grad, middle.grad, x.grad)
    end.backward()
    log(middle.grad, x.grad)
