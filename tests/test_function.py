"""`autograd.Function`: operations that users write, and what the engine demands of them."""

import gc
import weakref

import pytest
from both import on_both

import minigrad


def functions(torch):
    """The example operations, as classes of one library."""
    Function = torch.autograd.Function

    class Square(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return 2 * x * grad

    class Exp(Function):
        @staticmethod
        def forward(ctx, x):
            result = x.exp()
            ctx.save_for_backward(result)
            return result

        @staticmethod
        def backward(ctx, grad):
            (result,) = ctx.saved_tensors
            return grad * result

    class Scale(Function):
        @staticmethod
        def forward(ctx, x, factor, note=None):
            ctx.factor = factor
            return x * factor

        @staticmethod
        def backward(ctx, grad):
            return grad * ctx.factor, None, None

    class Product(Function):
        @staticmethod
        def forward(x, y):
            return x * y

        @staticmethod
        def setup_context(ctx, inputs, output):
            x, y = inputs
            ctx.save_for_backward(x, y)

        @staticmethod
        def backward(ctx, grad):
            x, y = ctx.saved_tensors
            gx = grad * y if ctx.needs_input_grad[0] else None
            gy = grad * x if ctx.needs_input_grad[1] else None
            return gx, gy

    class Two(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x, x * 3

        @staticmethod
        def backward(ctx, first, second):
            (x,) = ctx.saved_tensors
            return first * 2 * x + second * 3

    return {f.__name__: f for f in (Square, Exp, Scale, Product, Two)}


class Namespace:
    def __init__(self, torch):
        self.__dict__.update(functions(torch))


@on_both
def test_a_function_of_one_argument(torch, log):
    f = Namespace(torch)
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = f.Square.apply(x)
    log(y, y.grad_fn.name(), type(y.grad_fn).__name__, y.is_leaf)
    log.graph(y)
    (y * 3).sum().backward()
    log(x.grad)
    log.error(y.sum().backward)


@on_both
def test_a_saved_result(torch, log):
    f = Namespace(torch)
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    f.Exp.apply(x).sum().backward()
    log(x.grad)


@on_both
def test_arguments_that_are_no_tensors(torch, log):
    f = Namespace(torch)
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = f.Scale.apply(x, 3)
    log(y, y.grad_fn.factor)
    log.graph(y)
    y.sum().backward()
    f.Scale.apply(x, 4.0, "note").sum().backward()
    f.Scale.apply(x, torch.tensor(2.0)).sum().backward()
    log(x.grad)
    log(f.Scale.apply(torch.ones(2), 3))


@on_both
def test_setup_context(torch, log):
    f = Namespace(torch)
    x, w = (
        torch.tensor([1.0, 2.0], requires_grad=True),
        torch.tensor([3.0, 4.0], requires_grad=True),
    )
    f.Product.apply(x, w).sum().backward()
    log(x.grad, w.grad)
    f.Product.apply(x, torch.ones(2)).sum().backward()
    f.Product.apply(torch.ones(2), w).sum().backward()
    log(x.grad, w.grad)


@on_both
def test_needs_input_grad(torch, log):
    class Note(torch.autograd.Function):
        @staticmethod
        def forward(ctx, a, b, c, d):
            log("forward", ctx.needs_input_grad)
            return a * 2

        @staticmethod
        def backward(ctx, grad):
            log("backward", ctx.needs_input_grad)
            return grad, grad, None, grad

    x, w = torch.tensor(1.0, requires_grad=True), torch.tensor(2.0, requires_grad=True)
    Note.apply(x, torch.tensor(1.0), 3, w).backward()
    log(x.grad, w.grad)
    with torch.no_grad():
        Note.apply(x, torch.tensor(1.0), "text", w)
    Note.apply(torch.tensor(1.0), torch.tensor(1.0), 3, None)
    y = Note.apply(x, x, None, w)
    log(torch.autograd.grad(y, w, allow_unused=True))


@on_both
def test_forward_runs_without_recording(torch, log):
    class Inner(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x * 2
            log(torch.is_grad_enabled(), y.requires_grad, x.requires_grad)
            return y

        @staticmethod
        def backward(ctx, grad):
            log(torch.is_grad_enabled(), grad.requires_grad)
            return grad

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = Inner.apply(x)
    y.sum().backward(retain_graph=True)
    torch.autograd.grad(y.sum(), x, create_graph=True)
    with torch.no_grad():
        log(Inner.apply(x))
    log(torch.is_grad_enabled())


# ---- several outputs -----------------------------------------------------------------------------


@on_both
def test_several_outputs(torch, log):
    f = Namespace(torch)
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    a, b = f.Two.apply(x)
    log(a, b, a.output_nr, b.output_nr, a.grad_fn is b.grad_fn)
    (a + b).sum().backward(retain_graph=True)
    log(x.grad)
    b.sum().backward(retain_graph=True)
    log(x.grad)
    log(torch.autograd.grad(a.sum(), x))


@pytest.mark.parametrize("materialize", [True, False])
@on_both
def test_outputs_without_gradient(torch, log, materialize):
    class Pair(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(materialize)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, first, second):
            log(first, second)
            return first if second is None else second

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    a, b = Pair.apply(x)
    a.sum().backward(retain_graph=True)
    b.sum().backward()
    log(x.grad)


@on_both
def test_outputs_of_all_kinds(torch, log):
    class Kinds(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2, None, x.argmax(), "text", x > 1, 7

        @staticmethod
        def backward(ctx, *gradients):
            log(len(gradients), gradients)
            return gradients[0]

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    out = Kinds.apply(x)
    log(type(out), out)
    log(out[0].output_nr, out[2].output_nr)
    out[0].sum().backward()
    log(x.grad)


@on_both
def test_a_tuple_of_one_and_a_list(torch, log):
    def returning(make):
        class Wrap(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return make(x * 2)

            @staticmethod
            def backward(ctx, grad):
                return (grad,)

        return Wrap

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    log(returning(lambda y: (y,)).apply(x))
    log.error(returning(lambda y: [y]).apply, x)
    log.error(returning(lambda y: None).apply, x)
    log.error(returning(lambda y: {"y": 1}["y"]).apply, x)


@on_both
def test_mark_non_differentiable(torch, log):
    class Sort(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            largest, rest = x[1:], x[:1] * 5
            ctx.mark_non_differentiable(rest)
            return largest * 2, rest

        @staticmethod
        def backward(ctx, grad, nothing):
            log(grad, nothing)
            out = torch.zeros(2)
            out[1:] = grad * 2
            return out

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    a, b = Sort.apply(x)
    log(a, b, b.is_leaf)
    a.sum().backward()
    log(x.grad)


# ---- what backward may return --------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    ["one", "tuple", "list", "too few", "too many", "too many nones", "none",
    "nones", "number", "numbers",
     "shape", "broadcast shape", "summable shape", "double", "integer", "constant for a constant"],
)  # fmt: skip
@on_both
def test_what_backward_may_return(torch, log, value):
    class Give(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, w):
            return x * w

        @staticmethod
        def backward(ctx, grad):
            return {
                "one": grad,
                "tuple": (grad, grad * 2),
                "list": [grad, grad * 2],
                "too few": (grad,),
                "too many": (grad, grad, grad),
                "too many nones": (grad, grad, None, None),
                "none": None,
                "nones": (None, None),
                "number": 1.0,
                "numbers": (1.0, 2.0),
                "shape": (torch.ones(3), grad),
                "broadcast shape": (torch.ones(1), grad),
                "summable shape": (torch.ones(4, 2), grad),
                "double": (grad.double(), grad),
                "integer": (torch.ones(2, dtype=torch.int64), grad),
                "constant for a constant": (grad, torch.ones(5)),
            }[value]

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    w = torch.tensor([3.0, 4.0], requires_grad=value != "constant for a constant")
    log.error(Give.apply(x, w).sum().backward)
    log(x.grad, w.grad)


@on_both
def test_a_gradient_for_what_needs_none(torch, log):
    class Give(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, number, text):
            return x * number

        @staticmethod
        def backward(ctx, grad):
            return grad, torch.ones(2), 5

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    log.error(Give.apply(x, 2, "t").sum().backward)
    log(x.grad)


@on_both
def test_backward_that_returns_its_argument(torch, log):
    class Pass(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, w):
            return x + w

        @staticmethod
        def backward(ctx, grad):
            return grad, grad

    x, w = (
        torch.tensor([1.0, 2.0], requires_grad=True),
        torch.tensor([3.0, 4.0], requires_grad=True),
    )
    given = torch.tensor([5.0, 6.0])
    Pass.apply(x, w).backward(given)
    x.grad.zero_()
    log(x.grad, w.grad, given)


@on_both
def test_an_error_in_backward(torch, log):
    class Fail(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            raise KeyError("in backward")

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    log.error(Fail.apply(x).sum().backward)
    log(x.grad, torch.is_grad_enabled())


@on_both
def test_what_is_missing(torch, log):
    class NoBackward(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

    class NoForward(torch.autograd.Function):
        @staticmethod
        def backward(ctx, grad):
            return grad

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    log.error(NoBackward.apply(x).sum().backward)
    log.error(NoForward.apply, x)
    log.error(torch.autograd.Function.apply, x)


@on_both
def test_vjp_is_another_name_for_backward(torch, log):
    class Twice(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def vjp(ctx, grad):
            return grad * 2

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    Twice.apply(x).sum().backward()
    log(x.grad)


# ---- inputs that come back, and in-place ---------------------------------------------------------


@on_both
def test_forward_returns_its_input(torch, log):
    class Reverse(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, grad):
            return -grad

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = Reverse.apply(x)
    log(y, y is x, x.is_leaf, x, y._version)
    (y * 3).sum().backward()
    log(x.grad)
    z = x * 1
    u = Reverse.apply(z)
    log.graph(u)
    (u + z).sum().backward()
    log(x.grad)


@on_both
def test_forward_returns_a_view(torch, log):
    class First(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.view(-1)

        @staticmethod
        def backward(ctx, grad):
            return grad.view(2, 2)

    x = torch.ones(2, 2, requires_grad=True)
    y = First.apply(x * 2)
    log(y)
    y.sum().backward()
    log(x.grad)


def doubling(torch, mark=True, give_back=True):
    class Double(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            x.mul_(2)
            if mark:
                ctx.mark_dirty(x)
            return x if give_back else x + 0

        @staticmethod
        def backward(ctx, grad):
            return grad * 2

    return Double


@on_both
def test_mark_dirty(torch, log):
    Double = doubling(torch)
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    z = Double.apply(y)
    log(z is y, y, y._version)
    log.graph(y)
    (y * y).sum().backward()
    log(x.grad)
    log.error(Double.apply, x)
    constant = torch.ones(2)
    log(Double.apply(constant) is constant, constant, constant._version)


@on_both
def test_mark_dirty_is_noticed_by_saved_values(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    u = y * y
    doubling(torch).apply(y)
    log.error(u.sum().backward)


@on_both
def test_mark_dirty_on_a_view(torch, log):
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x * 3
    v = y[1:]
    log.error(doubling(torch).apply, v)
    log(y, v)
    log.graph(y)
    (y * y).sum().backward()
    log(x.grad)


@on_both
def test_mark_dirty_with_a_leaf_view(torch, log):
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    log.error(doubling(torch).apply, x[1:])


@on_both
def test_an_input_changed_and_not_returned(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    log.error(doubling(torch, give_back=False).apply, x * 1)


@on_both
def test_a_value_saved_and_changed(torch, log):
    f = Namespace(torch)
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    u = x * 1
    y = f.Square.apply(u)
    u.add_(1)
    log.error(y.sum().backward)
    z = f.Exp.apply(x)
    z.add_(1)
    log.error(z.sum().backward)
    log(x.grad)


# ---- saving --------------------------------------------------------------------------------------


@on_both
def test_saving_nothing_and_none(torch, log):
    class Save(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, bias):
            ctx.save_for_backward(x, None, bias)
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            log(len(ctx.saved_tensors), ctx.saved_tensors)
            return grad, None

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = Save.apply(x, None)
    y.sum().backward(retain_graph=True)
    y.sum().backward()
    log.error(y.sum().backward)
    log(x.grad)


@on_both
def test_a_function_that_saves_nothing_may_be_walked_twice(torch, log):
    f = Namespace(torch)
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = f.Scale.apply(x, 3)
    y.backward(torch.ones(2))
    log.error(y.backward, torch.ones(2))
    log(x.grad)


@on_both
def test_saving_what_is_no_tensor(torch, log):
    class Save(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x, 3.0)
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            return grad

    log.error(Save.apply, torch.tensor([1.0], requires_grad=True))


@on_both
def test_saving_twice_keeps_the_last(torch, log):
    class Save(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            ctx.save_for_backward(x * 10, x * 20)
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            log(ctx.saved_tensors)
            return grad

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    Save.apply(x).sum().backward()


@on_both
def test_saved_tensors_from_outside(torch, log):
    f = Namespace(torch)
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y, z = f.Square.apply(x), f.Exp.apply(x)
    log(y.grad_fn.saved_tensors, y.grad_fn.saved_tensors[0] is x, z.grad_fn.saved_tensors)
    y.sum().backward()
    log.error(lambda: y.grad_fn.saved_tensors)


@on_both
def test_saved_tensors_inside_of_forward(torch, log):
    class Save(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            log.error(lambda: ctx.saved_tensors)
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            return grad

    Save.apply(torch.tensor([1.0], requires_grad=True))


@on_both
def test_attributes_of_ctx(torch, log):
    class Keep(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, settings):
            ctx.settings, ctx.shape = settings, tuple(x.shape)
            log(type(ctx).__name__, ctx.name(), hasattr(ctx, "nothing"))
            return x * settings["factor"]

        @staticmethod
        def backward(ctx, grad):
            log(ctx.shape, sorted(ctx.settings), type(ctx).__name__)
            return grad * ctx.settings["factor"], None

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = Keep.apply(x, {"factor": 4.0})
    y.grad_fn.metadata["note"] = 1
    log(y.grad_fn.shape, y.grad_fn.metadata["note"])
    y.sum().backward()
    log(x.grad)


@on_both
def test_save_for_backward_in_no_grad(torch, log):
    f = Namespace(torch)
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with torch.no_grad():
        log(f.Square.apply(x), f.Two.apply(x))
    log(f.Square.apply(x.detach()))


# ---- differentiating twice -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Square", "Exp"])
@on_both
def test_derivatives_of_higher_order(torch, log, name):
    function = functions(torch)[name]
    x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    y = function.apply(function.apply(x * 0.5))
    for _ in range(3):
        (y,) = torch.autograd.grad(y.sum(), x, create_graph=True)
        log(y.tolist(), y.requires_grad)


@on_both
def test_a_gradient_penalty_through_functions(torch, log):
    f = Namespace(torch)
    x, w = (
        torch.tensor([1.0, 2.0], requires_grad=True),
        torch.tensor([3.0, 4.0], requires_grad=True),
    )
    a, b = f.Two.apply(f.Product.apply(x, w))
    loss = (a * b).sum()
    (g,) = torch.autograd.grad(loss, x, create_graph=True)
    ((g * g).sum() + loss).backward()
    log(x.grad, w.grad)


@on_both
def test_once_differentiable(torch, log):
    from importlib import import_module

    once = import_module(f"{torch.__name__}.autograd.function").once_differentiable

    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @once
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            log(torch.is_grad_enabled(), grad.requires_grad)
            return 2 * x * grad

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    Square.apply(x).sum().backward()
    log(x.grad)
    (g,) = torch.autograd.grad(Square.apply(x).sum(), x, create_graph=True)
    log(g.tolist(), g.requires_grad)
    y = Square.apply(x * 1)
    v = torch.ones(2, requires_grad=True)
    (g,) = torch.autograd.grad(y, x, v, create_graph=True)
    log(g.tolist(), g.requires_grad)
    log.error(torch.autograd.grad, g.sum(), x)


@on_both
def test_backward_with_a_function_inside(torch, log):
    f = Namespace(torch)

    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x * x

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return grad * 3 * f.Square.apply(x)

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (g,) = torch.autograd.grad(Cube.apply(x).sum(), x, create_graph=True)
    log(g.tolist())
    log(torch.autograd.grad(g.sum(), x))


@on_both
def test_recording_inside_of_backward(torch, log):
    class Inner(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            with torch.enable_grad():
                again = x.detach().requires_grad_()
                y = again * again
            (g,) = torch.autograd.grad(y, again, grad)
            return g

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (Inner.apply(x * 2) * 3).sum().backward()
    log(x.grad)


# ---- in the graph --------------------------------------------------------------------------------


@on_both
def test_hooks_on_a_function_s_node(torch, log):
    f = Namespace(torch)
    x, w = (
        torch.tensor([1.0, 2.0], requires_grad=True),
        torch.tensor([3.0, 4.0], requires_grad=True),
    )
    y = f.Product.apply(x, w)
    y.grad_fn.register_prehook(lambda outputs: log("pre", outputs))
    y.grad_fn.register_hook(lambda inputs, outputs: log("post", inputs, outputs))
    y.register_hook(lambda grad: grad * 2)
    y.retain_grad()
    y.sum().backward()
    log(x.grad, w.grad, y.grad)
    z = f.Scale.apply(x, 3)
    z.grad_fn.register_hook(lambda inputs, outputs: log("post", inputs, outputs))
    z.sum().backward()


@on_both
def test_next_functions_of_a_function(torch, log):
    f = Namespace(torch)
    x, w = torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor([3.0, 4.0])
    for y in (
        f.Product.apply(x * 1, w),
        f.Scale.apply(x, 2),
        f.Scale.apply(x * 1, w),
        f.Product.apply(x, x),
    ):
        log.graph(y)


@on_both
def test_the_text_of_a_function_s_tensor(torch, log):
    f = Namespace(torch)
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    log(str(f.Square.apply(x)), str(f.Scale.apply(x, 2)))


@on_both
def test_an_unused_input_of_a_function(torch, log):
    f = Namespace(torch)
    x, w = torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor(2.0, requires_grad=True)
    y = f.Scale.apply(x, w)
    log.error(torch.autograd.grad, y.sum(), [x, w], retain_graph=True)
    log(torch.autograd.grad(y.sum(), [x, w], allow_unused=True, retain_graph=True))
    y.sum().backward()
    log(x.grad, w.grad)


@on_both
def test_integer_arguments(torch, log):
    class Take(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, index):
            ctx.save_for_backward(index)
            log(ctx.needs_input_grad)
            return x[index]

        @staticmethod
        def backward(ctx, grad):
            (index,) = ctx.saved_tensors
            out = torch.zeros(3)
            out[index] = grad
            return out, None

    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    (Take.apply(x, torch.tensor([2, 0])) * torch.tensor([10.0, 20.0])).sum().backward()
    log(x.grad)


@on_both
def test_functions_inherit(torch, log):
    Scale = functions(torch)["Scale"]

    class Louder(Scale):
        @staticmethod
        def forward(ctx, x, factor):
            return Scale.forward(ctx, x, factor * 10)

        @staticmethod
        def backward(ctx, grad):
            return Scale.backward(ctx, grad)[:2]

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = Louder.apply(x, 2)
    y.sum().backward()
    log(y, x.grad)


# ---- memory --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Square", "Exp", "Scale", "Product", "Two"])
def test_a_function_makes_no_reference_cycle(name):
    function = functions(minigrad)[name]
    gc.collect()
    gc.disable()
    try:
        x = minigrad.tensor([1.0, 2.0], requires_grad=True)
        out = function.apply(*([x] if name in ("Square", "Exp", "Two") else [x, x]))
        out = out[0] if isinstance(out, tuple) else out
        result, node = weakref.ref(out), weakref.ref(out.grad_fn)
        out.sum().backward()
        del out
        assert result() is None
        assert node() is None
    finally:
        gc.enable()


@on_both
def test_views_that_a_function_makes_of_its_input(torch, log):
    """What may not be written into says so: one view, an input itself, several views."""

    class One(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.view(2, 2)

        @staticmethod
        def backward(ctx, grad):
            return grad.view(4)

    class Itself(One):
        @staticmethod
        def forward(ctx, x):
            return x

    class Two(One):
        @staticmethod
        def forward(ctx, x):
            return x.view(2, 2)[0], x[1:]

    def write(change, function, of_view):
        base = torch.ones(4, requires_grad=True) * 1
        made = function.apply(base)
        view = made[0] if function is Two else made
        view = view[0] if of_view else view
        change(base, view)
        return view * 2

    for function in (One, Itself, Two):
        for of_view in (False, True):
            log.error(write, lambda base, view: base.add_(1), function, of_view)
            log.error(write, lambda base, view: view.add_(1), function, of_view)
