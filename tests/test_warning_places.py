"""Every warning names the line of the program that causes it: the last one of each program below.

A line inside of the library would tell nobody what to mend. `test_every_warning_is_caused` finds the places that
warn in the sources: a new one needs a program here.
"""

import ast
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad

PACKAGE = Path(minigrad.__file__).parent
AREAS = ("autograd", "ops", "optim", "nn")
MODEL = "layer = nn.Linear(2, 2)"
RATES = (
    "optimizer = torch.optim.SGD([p], 0.1)\nrates = torch.optim.lr_scheduler.StepLR(optimizer, 2)"
)
HOOK = "nn.Module.__call__"
OWN_STEP = "optimizer.step = lambda: None"
OLD_HOOK = "layer.register_backward_hook(lambda *given: None)"
BROKEN = """
class Broken(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.set_materialize_grads(False)
        return x * 1
    @staticmethod
    def backward(ctx, grad):
        {body}"""
MODULE = """
class Own(nn.Module):
    def forward(self, x):
        return {result}
own = Own()"""
FAILING = (
    MODULE.format(result="x.not_there")
    + """
def hook(*given):
    raise ValueError("hook")
{register}
try:
    {call}
except AttributeError:
    pass"""
)

# Programs; the last line, or the one that is marked, causes one warning.
PROGRAMS = [
    # -- autograd
    "torch.autograd.detect_anomaly()",
    "gradcheck(lambda x: x * 2, (x,), atol=1, eps=1e-3)",
    BROKEN.format(body="assert grad is not None; return grad")
    + "\ntry:\n    gradcheck(Broken.apply, (d,))  # here\nexcept Exception:\n    pass",
    BROKEN.format(body="return torch.ones(2, 2, dtype=torch.float64) if grad is None else grad")
    + "\ntry:\n    gradcheck(Broken.apply, (d,))  # here\nexcept Exception:\n    pass",
    "torch.autograd.backward(x.sum(), create_graph=True)", "x.sum().backward(create_graph=True)",
    "out = torch.ones(3)\ntorch.add(c, c, out=out)", "out = torch.ones(3)\ntorch.sum(c, 0, out=out)",
    "out = torch.ones(3)\ntorch.exp(c, out=out)", "out = torch.ones(3)\ntorch.matmul(c, c, out=out)",
    # -- ops
    "F.conv1d(torch.ones(1, 1, 6), torch.ones(1, 1, 2), padding='same')",
    "F.conv2d(torch.ones(1, 1, 6, 6), torch.ones(1, 1, 2, 2), padding='same')",
    "torch.tensor(c)", "torch.cov(c[:, :1])", "torch.var(c[:1], 0)", "torch.std(c[0, 0])",
    "c[:1].var(0)", "torch.var_mean(c[:1], 0)", "torch.std_mean(c[:1], 0)",
    "F.rms_norm(c, (2,), torch.ones(2).double())",
    # -- optim
    "torch.optim.SGD([p, p], 0.1)", "torch.optim.Adam([p, p], 0.1)",
    f"{RATES}\noptimizer.step()\nrates.step(1)", f"{RATES}\nrates.step()",
    f"{RATES}\n{OWN_STEP}\nrates.step()", f"{RATES}\nrates.get_lr()",
    *(f"{RATES}\ntorch.optim.lr_scheduler.{name}.get_lr()" for name in (
        "ExponentialLR(optimizer, 0.5)", "MultiStepLR(optimizer, [2])", "ConstantLR(optimizer)",
        "LinearLR(optimizer)", "PolynomialLR(optimizer)", "CosineAnnealingLR(optimizer, 2)",
        "CosineAnnealingWarmRestarts(optimizer, 2)", "LambdaLR(optimizer, float)",
        "CyclicLR(optimizer, 0.1, 0.2)", "OneCycleLR(optimizer, 0.1, 3)",
        "MultiplicativeLR(optimizer, float)")),
    f"{RATES}\ntorch.optim.swa_utils.SWALR(optimizer, 0.1).get_lr()",
    f"{RATES}\nplateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer)\nplateau.step(1.0, 1)",
    # -- nn.functional
    *(f"F.{name}(c)" for name in ("softmax", "softmin", "log_softmax")),
    "F.gumbel_softmax(c, eps=0.1)", "F.dropout2d(torch.ones(2, 2, 2))", "F.dropout3d(c)",
    "F.mse_loss(c, c[0])", "F.l1_loss(c, c[0])", "F.smooth_l1_loss(c, c[0])", "F.huber_loss(c, c[0])",
    "F.kl_div(c, c)", "F.mse_loss(c, c, reduction='elementwise_mean')", "F.mse_loss(c, c, reduce=True)",
    "F.l1_loss(c, c, size_average=False)", "F.nll_loss(c, torch.tensor([0, 1]), reduce=True)",
    "F.cross_entropy(c, torch.tensor([0, 1]), reduce=True)", "F.soft_margin_loss(c, c, reduce=True)",
    "F.upsample(torch.ones(1, 1, 2, 2), 4)", "F.upsample_nearest(torch.ones(1, 1, 2, 2), 4)",
    "F.upsample_bilinear(torch.ones(1, 1, 2, 2), 4)",
    # -- nn.init
    "nn.init.trunc_normal_(torch.ones(3), 9.0)", "nn.init.kaiming_uniform_(torch.ones(0, 2))",
    "nn.init.kaiming_normal_(torch.ones(0, 2))", "nn.init.uniform(torch.ones(3))", "nn.init.kaiming_normal(c)",
    # -- modules
    *(f"nn.{name}()(c)" for name in ("Softmax", "Softmin", "LogSoftmax")),
    "nn.Softmax(None)(c)", "nn.Hardtanh(min_value=-1)", "nn.Hardtanh(max_value=2)",
    "nn.InstanceNorm1d(3)(torch.ones(1, 2, 4))", "nn.NLLLoss2d()", "nn.MSELoss(reduce=True)",
    "nn.L1Loss(False)", "nn.KLDivLoss()(c, c)", "nn.MSELoss()(c, c[0])",
    "nn.LSTM(2, 2, dropout=0.5)", "nn.GRU(2, 2, dropout=0.5)", "nn.RNN(2, 2, dropout=0.5)",
    f"{MODEL}\nlayer.state_dict({{}})", "nn.Dropout2d()(torch.ones(2, 2, 2))",
    "nn.TransformerEncoder(nn.TransformerEncoderLayer(2, 1), 1)",
    f"{MODEL}\nlayer.register_full_backward_hook(lambda *given: None)\nout = layer(c).sum()\nout.backward()",
    f"{MODULE.format(result='[x]')}\nown.register_full_backward_hook(lambda *given: None)\nown(x)",
    f"{MODULE.format(result='x.exp().exp()')}\nown.{OLD_HOOK[6:]}\nown(x)",
    f"{MODULE.format(result='(x.exp(), x.sin())')}\nown.{OLD_HOOK[6:]}\nown(x)",
    f"{MODULE.format(result='[x.exp()]')}\nown.{OLD_HOOK[6:]}\nown(x)",
    FAILING.format(register="own.register_forward_hook(hook, always_call=True)", call="own(x)  # here"),
    "attend = nn.MultiheadAttention(2, 1)\nattend(c, c, c, torch.zeros(2) > 0, attn_mask=torch.zeros(2, 2))",
    # -- nn.utils
    "nn.utils.clip_grad_norm([p], 1.0)", "nn.utils.clip_grad_norm_((q for q in ()), 1.0)",
    f"{MODEL}\nnn.utils.weight_norm(layer)",
    f"import {{library}}.nn.utils.stateless as stateless\n{MODEL}\nstateless.functional_call(layer, {{}}, (c,))",
]  # fmt: skip


def caused(library: Any, program: str) -> list[Any]:
    """The warnings of a program, in the order in which they come."""
    x, d = (
        library.ones(2, 2, dtype=t, requires_grad=True) for t in (library.float32, library.float64)
    )
    scope = {"torch": library, "nn": library.nn, "F": library.nn.functional, "x": x, "d": d}
    scope |= {"c": x.detach() * library.tensor([1.0, 2.0]), "p": library.nn.Parameter(x.detach())}
    scope |= {"gradcheck": library.autograd.gradcheck, "Function": library.autograd.Function}
    with warnings.catch_warnings(record=True) as found, np.errstate(all="ignore"):
        warnings.simplefilter("always")
        try:
            exec(compile(program.replace("{library}", library.__name__), "program", "exec"), scope)
        finally:
            library.autograd.set_detect_anomaly(False)
    return found


def cause(program: str) -> int:
    """The number of the line that is marked, or of the last."""
    lines = program.splitlines()
    return next((i for i, line in enumerate(lines, 1) if "# here" in line), len(lines))


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_warning_names_the_line_that_causes_it(program: str) -> None:
    places = [(w.filename, w.lineno) for w in caused(minigrad, program)]
    assert places == [("program", cause(program))], places


def test_every_warning_is_caused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each call of `warn` in the core is reached by some program."""
    wanted = {
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for area in AREAS
        for path in (PACKAGE / area).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "warn"
    }
    reached, show = set(), warnings.warn_explicit

    def seen(*given: Any) -> None:
        frame = sys._getframe(2)
        path = Path(frame.f_code.co_filename).relative_to(PACKAGE)
        reached.add(f"{path}:{frame.f_lineno}")
        show(*given)

    monkeypatch.setattr(warnings, "warn_explicit", seen)
    for program in PROGRAMS:
        caused(minigrad, program)
    assert wanted <= reached, wanted - reached
