"""Grad mode: what is recorded where, by block, decorator, generator, call and thread."""

import asyncio
import threading

import pytest
from both import on_both

MODES = ["no_grad", "enable_grad", "inference_mode"]


@pytest.mark.parametrize("mode", MODES)
@on_both
def test_a_block(torch, log, mode):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with getattr(torch, mode)() as value:
        y = x * 2
        log(value, torch.is_grad_enabled(), torch.is_inference_mode_enabled(), y, y.is_leaf)
    log(torch.is_grad_enabled(), torch.is_inference_mode_enabled(), x * 2)


@pytest.mark.parametrize("outer", MODES)
@pytest.mark.parametrize("inner", MODES)
@on_both
def test_nesting(torch, log, outer, inner):
    x = torch.tensor([1.0, 2.0], requires_grad=True)

    def note():
        y = x * 2
        log(torch.is_grad_enabled(), torch.is_inference_mode_enabled(), y, y.is_inference())

    with getattr(torch, outer)():
        note()
        with getattr(torch, inner)():
            note()
        note()
    note()


@pytest.mark.parametrize("mode", MODES)
@on_both
def test_leaving_by_an_error(torch, log, mode):
    try:
        with getattr(torch, mode)():
            raise KeyError("inside")
    except KeyError as error:
        log(error)
    log(torch.is_grad_enabled(), torch.is_inference_mode_enabled())


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("called", [True, False])
@on_both
def test_a_decorator(torch, log, mode, called):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    decorator = getattr(torch, mode)() if called else getattr(torch, mode)

    @decorator
    def double(value, *, factor=2):
        """Twice."""
        log(torch.is_grad_enabled())
        return value * factor

    log(double(x), double(x, factor=3), double.__name__, double.__doc__, torch.is_grad_enabled())
    with torch.no_grad():
        log(double(x))

    @decorator
    def fails():
        raise KeyError("inside")

    log.error(fails)
    log(torch.is_grad_enabled())


@on_both
def test_a_decorated_function_that_calls_itself(torch, log):
    x = torch.tensor(1.0, requires_grad=True)

    @torch.no_grad()
    def power(value, n):
        return value if n == 0 else power(value * 2, n - 1)

    log(power(x, 3), torch.is_grad_enabled())


@on_both
def test_a_decorated_method(torch, log):
    x = torch.tensor(1.0, requires_grad=True)

    class Model:
        @torch.no_grad()
        def double(self, value):
            return value * 2

        @staticmethod
        @torch.enable_grad()
        def triple(value):
            return value * 3

    log(Model().double(x))
    with torch.no_grad():
        log(Model().triple(x))


@pytest.mark.parametrize("mode", ["no_grad", "enable_grad", "inference_mode"])
@on_both
def test_a_generator(torch, log, mode):
    @getattr(torch, mode)()
    def generator():
        log("inside", torch.is_grad_enabled())
        received = yield torch.is_grad_enabled()
        log("received", received, torch.is_grad_enabled())
        try:
            yield 2
        except KeyError as error:
            log("caught", error, torch.is_grad_enabled())
        try:
            yield 3
        finally:
            log("closing", torch.is_grad_enabled())

    with torch.no_grad() if mode == "enable_grad" else torch.enable_grad():
        g = generator()
        log(next(g), torch.is_grad_enabled())
        log(g.send("sent"), torch.is_grad_enabled())
        log(g.throw(KeyError("thrown")), torch.is_grad_enabled())
        g.close()
        log(torch.is_grad_enabled())


@on_both
def test_the_value_of_a_generator(torch, log):
    @torch.no_grad()
    def generator():
        yield 1
        return "end"

    def outer():
        log((yield from generator()))

    log(list(outer()), generator.__name__)

    @torch.no_grad()
    def failing():
        yield 1
        raise KeyError("inside")

    log.error(list, failing())
    log(torch.is_grad_enabled())


@on_both
def test_set_grad_enabled_as_a_function(torch, log):
    x = torch.tensor(1.0, requires_grad=True)
    torch.set_grad_enabled(False)
    log(torch.is_grad_enabled(), x * 2)
    torch.set_grad_enabled(True)
    log(torch.is_grad_enabled(), x * 2)
    torch.set_grad_enabled(mode=False)
    log(torch.is_grad_enabled())


@on_both
def test_set_grad_enabled_as_a_block(torch, log):
    with torch.set_grad_enabled(False):
        log(torch.is_grad_enabled())
        with torch.set_grad_enabled(True):
            log(torch.is_grad_enabled())
        log(torch.is_grad_enabled())
    log(torch.is_grad_enabled())
    block = torch.set_grad_enabled(False)
    log(torch.is_grad_enabled())
    with block:
        log(torch.is_grad_enabled())
    log(torch.is_grad_enabled())


@on_both
def test_set_grad_enabled_as_a_decorator(torch, log):
    x = torch.tensor(1.0, requires_grad=True)

    @torch.set_grad_enabled(False)
    def double(value):
        return value * 2

    log(torch.is_grad_enabled(), double(x), torch.is_grad_enabled())


@on_both
def test_one_object_used_twice(torch, log):
    block = torch.no_grad()
    with block:
        log(torch.is_grad_enabled())
    log(torch.is_grad_enabled())
    with block:
        log(torch.is_grad_enabled())
    log(torch.is_grad_enabled())


@on_both
def test_inference_mode_may_be_switched_off(torch, log):
    x = torch.tensor(1.0, requires_grad=True)
    with torch.inference_mode(False):
        log(x * 2, torch.is_inference_mode_enabled())
    with torch.inference_mode(), torch.inference_mode(False):
        log(torch.is_inference_mode_enabled(), torch.is_grad_enabled(), x * 2)
    with torch.inference_mode(mode=True):
        log(torch.is_inference_mode_enabled())

    @torch.inference_mode(False)
    def double(value):
        return value * 2

    log(double(x))


@on_both
def test_threads_have_their_own_mode(torch, log):
    notes = []

    def note():
        notes.append(torch.is_grad_enabled())
        torch.set_grad_enabled(False)
        notes.append(torch.is_grad_enabled())

    with torch.no_grad():
        thread = threading.Thread(target=note)
        thread.start()
        thread.join()
        notes.append(torch.is_grad_enabled())
    thread = threading.Thread(target=note)
    thread.start()
    thread.join()
    log(notes, torch.is_grad_enabled())


@on_both
def test_two_threads_at_once(torch, log):
    x = torch.tensor(1.0, requires_grad=True)
    entered, checked = threading.Event(), threading.Event()
    notes = []

    def other():
        with torch.no_grad():
            entered.set()
            checked.wait(10)
            notes.append((x * 2).requires_grad)

    thread = threading.Thread(target=other)
    thread.start()
    entered.wait(10)
    notes.append((x * 2).requires_grad)
    checked.set()
    thread.join()
    log(notes)


@on_both
def test_coroutines_run(torch, log):
    async def inner():
        with torch.no_grad():
            await asyncio.sleep(0)
            log(torch.is_grad_enabled())

    asyncio.run(inner())
    log(torch.is_grad_enabled())


@on_both
def test_backward_in_another_thread(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = (x * x).sum()
    with torch.no_grad():
        thread = threading.Thread(target=y.backward)
        thread.start()
        thread.join()
    log(x.grad)


# ---- what no_grad changes ------------------------------------------------------------------------


@on_both
def test_factories_inside_of_no_grad(torch, log):
    with torch.no_grad():
        x = torch.tensor([1.0, 2.0], requires_grad=True)
        y = torch.ones(2).requires_grad_()
        log(x, y, x * y)
    log(x * y)


@on_both
def test_updating_a_leaf(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    log.error(x.mul_, 2)
    with torch.no_grad():
        x -= 0.5
        x.mul_(2)
        x[0] = 7.0
    log(x, x.is_leaf, x._version)
    (x * x).sum().backward()
    log(x.grad)


@on_both
def test_enable_grad_inside_of_no_grad(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with torch.no_grad():
        with torch.enable_grad():
            y = (x * x).sum()
        z = y * 2
        log(y, z)
    y.backward()
    log(x.grad)


# ---- inference mode ------------------------------------------------------------------------------


@on_both
def test_inference_tensors(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with torch.inference_mode():
        made, product, view = torch.ones(2), x * 2, x.view(2, 1)
        log(made.is_inference(), product.is_inference(), view.is_inference(), x.is_inference())
        log(made, product, view.tolist())
        made.add_(1)
        log(made)
        log.error(lambda: made._version)
    log(made.is_inference(), product.is_inference(), torch.ones(1).is_inference())
    log.error(lambda: made._version)
    log(x._version)


@pytest.mark.parametrize(
    "use",
    [
        lambda torch, made, x: made * x,
        lambda torch, made, x: made + x,
        lambda torch, made, x: made * 2,
        lambda torch, made, x: made.add_(1),
        lambda torch, made, x: made.add_(x),
        lambda torch, made, x: made.clone() * x,
        lambda torch, made, x: made.requires_grad_(),
        lambda torch, made, x: made.requires_grad_(False),
        lambda torch, made, x: made.view(2, 1),
        lambda torch, made, x: made.view(2, 1).add_(1),
        lambda torch, made, x: made.detach(),
        lambda torch, made, x: made.sum(),
        lambda torch, made, x: x.clone().mul_(made),
        lambda torch, made, x: x.clone().add_(made),
        lambda torch, made, x: x.clone().copy_(made),
        lambda torch, made, x: torch.stack([made, x]),
        lambda torch, made, x: (made.clone().requires_grad_() * x).sum().backward(),
        lambda torch, made, x: x.sum().backward(made[0]),
        lambda torch, made, x: setattr(x, "grad", made),
        lambda torch, made, x: made.tolist(),
        lambda torch, made, x: made.numpy(),
        lambda torch, made, x: made.backward(),
    ],
)
@on_both
def test_inference_tensors_outside(torch, log, use):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with torch.inference_mode():
        made = torch.ones(2)
    log.error(use, torch, made, x)
    with torch.no_grad():
        log.error(use, torch, made, x)
    log(x.grad)


@on_both
def test_normal_tensors_inside_of_inference_mode(torch, log):
    x, normal = torch.tensor([1.0, 2.0], requires_grad=True), torch.ones(2)
    y = x * x
    with torch.inference_mode():
        log.error(normal.add_, 1)
        log(normal, normal._version, normal.is_inference())
        log.error(x.add_, 1)
        log.error(y.sum().backward)
        log.error(torch.autograd.grad, y, x, torch.ones(2))
        view = normal[0]
        view.add_(1)
        log(normal, normal._version, view.is_inference())
    log(x, normal)


@on_both
def test_backward_inside_of_inference_mode(torch, log):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = (x * x).sum()
    with torch.inference_mode():
        log.error(y.backward)
    log(x.grad, None if x.grad is None else x.grad.is_inference())


@pytest.mark.parametrize("kind", ["function", "generator", "closed generator"])
@on_both
def test_two_threads_in_one_decorated_function(torch, log, kind):
    """Each finds its own mode again, whichever leaves first."""
    first_is_in, second_is_in, first_is_out = (threading.Event() for _ in range(3))
    modes = []

    def stay(entered, leave):
        entered.set()
        leave.wait(10)

    @torch.no_grad()
    def step(entered, leave):
        yield stay(entered, leave)

    @torch.no_grad()
    def step_late(entered, leave):
        try:
            yield
        finally:
            stay(entered, leave)

    def visit_by_closing(*events):
        generator = step_late(*events)
        next(generator)
        generator.close()

    visit = {
        "function": torch.no_grad()(stay),
        "generator": lambda *events: list(step(*events)),
        "closed generator": visit_by_closing,
    }[kind]

    def second():
        torch.set_grad_enabled(False)
        first_is_in.wait(10)
        visit(second_is_in, first_is_out)
        modes.append(torch.is_grad_enabled())

    def first():
        visit(first_is_in, second_is_in)
        modes.append(torch.is_grad_enabled())
        first_is_out.set()

    threads = [threading.Thread(target=f) for f in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log(modes)
