"""Every argument of every module's constructor, given another value than its default, in turn.

A module is made in both libraries with the same seed; its `repr`, its attributes and its state are
compared. Then all parameters and buffers get numbers that no initialization gives (a weight of one
or a bias of zero would hide a mistake), and calls in training and in evaluation are compared:
results, gradients of each input and parameter, and the state that is left. An argument for which
nothing is listed here fails the test.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from module_db_checks import neutral, uninitialized
from oracle import LIBRARIES, compare, flat

import minigrad

ULPS = 256  # of float64: sums in another order

# Other values by the name of the argument; `; more` adds arguments without which it does nothing.
VALUES: dict[str, list[str]] = {
    "affine": ["True", "False"],
    "align_corners": ["True; mode='bilinear'", "False; mode='bicubic'"],
    "alpha": ["0.3", "2"],
    "approximate": ["'tanh'"],
    "batch_first": ["True"],
    "beta": ["0.3", "2"],
    "bias": ["False"],
    "blank": ["2"],
    "ceil_mode": ["True"],
    "count_include_pad": ["False; padding=1", "False; padding=1, ceil_mode=True"],
    "delta": ["0.3", "2.0"],
    "device": ["'cpu'", "torch.device('cpu')"],
    "dilation": ["2"],
    "dim": ["0", "1", "-1"],
    "distance_function": ["lambda a, b: (a - b).abs().amax(-1)"],
    "div_value": ["2.0", "1"],
    "divisor_override": ["3", "1"],
    "dtype": ["torch.float16", "torch.float64"],
    "elementwise_affine": ["False"],
    "end_dim": ["-2", "2"],
    "eps": ["0.1", "0.5"],
    "full": ["True", "True; log_input=False"],
    "groups": ["2", "4"],
    "head_bias": ["True"],
    "ignore_index": ["1", "0"],
    "include_last_offset": ["True"],
    "init": ["0.7", "-1"],
    "inplace": ["True"],
    "k": ["2.0", "3"],
    "keepdim": ["True"],
    "label_smoothing": ["0.1", "1.0"],
    "lambd": ["0.1", "1"],
    "layer_norm_eps": ["0.1"],
    "log_input": ["False"],
    "log_target": ["True", "True; reduction='batchmean'"],
    "lower": ["0.2"],
    "margin": ["0.3", "-0.2"],
    "max_norm": ["0.5", "2; norm_type=1.0"],
    "max_val": ["0.3"],
    "max_value": ["0.4"],
    "min_val": ["-0.3"],
    "min_value": ["-0.4"],
    "mode": ["'sum'", "'max'"],
    "momentum": ["0.9", "None", "0.0"],
    "negative_slope": ["0.5", "2"],
    "nonlinearity": ["'relu'"],
    "norm_first": ["True"],
    "norm_type": ["1.0; max_norm=0.5"],
    "num_parameters": ["4"],
    "output_padding": ["1; stride=2", "2; stride=3"],
    "p": ["0.2", "0.0", "1.0"],
    "padding": ["1", "2"],
    "padding_idx": ["2", "-1"],
    "padding_mode": [f"{m!r}; padding=1" for m in ("reflect", "replicate", "circular", "zeros")],
    "pos_weight": ["torch.tensor([0.5, 2, 1, 3])"],
    "recompute_scale_factor": ["True", "False"],
    "reduce": ["False", "True"],
    "reduction": ["'none'", "'sum'", "'mean'"],
    "return_indices": ["True"],
    "scale_grad_by_freq": ["True"],
    "size_average": ["False", "True", "False; reduce=False"],
    "start_dim": ["0", "2"],
    "stride": ["1", "2", "3"],
    "swap": ["True"],
    "threshold": ["0.5", "1; beta=3.0"],
    "track_running_stats": ["True", "False"],
    "upper": ["0.6"],
    "weight": ["torch.tensor([0.5, 2, 1, 3])"],
    "zero_infinity": ["True"],
    "_freeze": ["True"],
    "activation": ["'gelu'", "torch.nn.functional.gelu", "torch.nn.Tanh()"],
    "add_bias_kv": ["True"],
    "add_zero_attn": ["True", "True; add_bias_kv=True"],
    "dim_feedforward": ["7"],
    "dropout": ["0.3"],
}  # fmt: skip
SPARSE = "sparse"  # gradients that minigrad does not have
UNTRIED = {SPARSE, "_weight", "process_group"}

x1, x2, x3 = "x(2, 4, 9)", "x(2, 4, 6, 7)", "x(2, 4, 6, 5, 5)"
FLAT, SIGNS, CLASSES = "x(5, 4)", "sign(5, 4)", "index((5,), 4)"
PROBABLE = "x(5, 4).sigmoid()"
ELEMENTWISE = (
    "CELU ELU GELU Hardshrink Hardsigmoid Hardswish Hardtanh LeakyReLU Mish ReLU ReLU6 SELU SiLU "
    "Softplus Softshrink RReLU Dropout AlphaDropout"
)

# The arguments that must be given, and what to call the module with, in several ways.
MODULES: dict[str, tuple[str, list[str]]] = {
    **{name: ("", ["x(3, 4)", "x()"]) for name in ELEMENTWISE.split()},
    **{name: ("", ["x(2, 4, 6)", "x(6, 4)"]) for name in ("Softmax", "LogSoftmax", "Softmin", "GLU")},
    "Threshold": ("0.2, -1.5", ["x(3, 4)"]),
    "PReLU": ("", ["x(2, 4, 3)", "x(2, 4)"]),
    "Dropout1d": ("", [x1]), "Dropout2d": ("", [x2]), "Dropout3d": ("", [x3]),
    "FeatureAlphaDropout": ("", [x2]),
    **{f"{kind}{n}d": ("4, 4, 3", [x]) for kind in ("Conv", "ConvTranspose") for n, x in enumerate((x1, x2, x3), 1)},
    **{f"Lazy{kind}{n}d": ("4, 3", [x]) for kind in ("Conv", "ConvTranspose") for n, x in enumerate((x1, x2, x3), 1)},
    **{f"{kind}Norm{n}d": ("4", [x]) for kind in ("Batch", "Instance") for n, x in enumerate((x1, x2, x3), 1)},
    **{f"Lazy{kind}Norm{n}d": ("", [x]) for kind in ("Batch", "Instance") for n, x in enumerate((x1, x2, x3), 1)},
    **{f"{kind}Pool{n}d": ("3", [x]) for kind in ("Avg", "Max") for n, x in enumerate((x1, x2, x3), 1)},
    **{f"LPPool{n}d": ("3.0, 2", [x + ".abs()"]) for n, x in enumerate((x1, x2, x3), 1)},
    **{f"AdaptiveMaxPool{n}d": ("2", [x]) for n, x in enumerate((x1, x2, x3), 1)},
    "GroupNorm": ("2, 4", [x1]),
    "LayerNorm": ("(4, 3)", ["x(2, 4, 3)"]), "RMSNorm": ("(4, 3)", ["x(2, 4, 3)"]),
    "LocalResponseNorm": ("3", [x1, x2]),
    "Linear": ("4, 3", ["x(5, 4)", "x(4)", "x(2, 5, 4)"]), "LazyLinear": ("3", ["x(5, 4)"]),
    "Bilinear": ("4, 3, 2", ["x(5, 4), x(5, 3)"]),
    "Embedding": ("6, 4", ["index((3, 5), 6)"]),
    "EmbeddingBag": ("6, 4", ["index((3, 5), 6)", "index((7,), 6), torch.tensor([0, 3, 3, 7])"]),
    "AdaptiveLogSoftmaxWithLoss": ("4, 9, [2, 5]", ["x(7, 4), index((7,), 9)"]),
    "CosineSimilarity": ("", ["x(3, 4), x(3, 4)"]), "PairwiseDistance": ("", ["x(3, 4), x(3, 4)"]),
    "Flatten": ("", ["x(2, 3, 4, 2)"]),
    "Fold": ("(6, 5), 2", [f"x(2, 8, {n})" for n in (4, 6, 12, 20, 42)]), "Unfold": ("2", [x2]),
    "MaxUnpool1d": ("2", ["x(1, 2, 4), torch.tensor([[[0, 2, 4, 7], [1, 3, 5, 6]]])"]),
    "BCELoss": ("", [f"{PROBABLE}, unit(5, 4)"]), "BCEWithLogitsLoss": ("", [f"{FLAT}, unit(5, 4)"]),
    "CrossEntropyLoss": ("", [f"{FLAT}, {CLASSES}", f"{FLAT}, unit(5, 4)", "x(2, 4, 3), index((2, 3), 4)"]),
    "NLLLoss": ("", [f"{FLAT}, {CLASSES}", "x(2, 4, 3), index((2, 3), 4)"]),
    "NLLLoss2d": ("", ["x(2, 4, 3, 2), index((2, 3, 2), 4)"]),
    "CTCLoss": ("", ["x(6, 2, 4).log_softmax(-1), torch.tensor([[1, 3, 1], [3, 3, 1]]), (6, 5), (3, 2)"]),
    "CosineEmbeddingLoss": ("", ["x(5, 4), x(5, 4), sign(5)"]),
    "GaussianNLLLoss": ("", ["x(5, 4), x(5, 4), x(5, 4).abs()", "x(5, 4), x(5, 4), x(5, 1).abs()"]),
    "HingeEmbeddingLoss": ("", [f"{FLAT}, {SIGNS}"]), "HuberLoss": ("", [f"{FLAT}, {FLAT}"]),
    "KLDivLoss": ("", [f"{FLAT}, unit(5, 4)"]), "L1Loss": ("", [f"{FLAT}, {FLAT}"]),
    "MSELoss": ("", [f"{FLAT}, {FLAT}"]), "SmoothL1Loss": ("", [f"{FLAT}, {FLAT}"]),
    "MarginRankingLoss": ("", [f"{FLAT}, {FLAT}, {SIGNS}"]),
    "MultiLabelMarginLoss": ("", [f"{FLAT}, index((5, 4), 4)"]),
    "MultiLabelSoftMarginLoss": ("", [f"{FLAT}, unit(5, 4).round()"]),
    "MultiMarginLoss": ("", [f"{FLAT}, {CLASSES}"]),
    "PoissonNLLLoss": ("", [f"{FLAT}, 3 * unit(5, 4)"]), "SoftMarginLoss": ("", [f"{FLAT}, {SIGNS}"]),
    "TripletMarginLoss": ("", [f"{FLAT}, {FLAT}, {FLAT}"]),
    "TripletMarginWithDistanceLoss": ("", [f"{FLAT}, {FLAT}, {FLAT}"]),
    "RNNCell": ("4, 3", ["x(2, 4)", "x(2, 4), x(2, 3)", "x(4)"]), "GRUCell": ("4, 3", ["x(2, 4), x(2, 3)", "x(4)"]),
    "LSTMCell": ("4, 3", ["x(2, 4), (x(2, 3), x(2, 3))", "x(4)"]),
    "MultiheadAttention": ("4, 2", ["x(5, 5, 4), x(5, 5, 4), x(5, 5, 4)", "x(3, 4), x(5, 4), x(5, 4)"]),
    "TransformerEncoderLayer": ("4, 2", ["x(5, 3, 4)"]),
    "TransformerDecoderLayer": ("4, 2", ["x(5, 3, 4), x(5, 3, 4)"]),
    "Upsample": ("scale_factor=1.7", [x2]),
}  # fmt: skip

# Other values where those above make no sense: of one class's argument.
OWN_VALUES = {
    "CELU.alpha": ["0.25", "2"],  # PyTorch's gradient takes the reciprocal of a float32
    **{f"{kind}{n}d.padding": ["1", "'same'", "'valid'", "'same'; dilation=2"]
       for kind in ("Conv", "LazyConv") for n in (1, 2, 3)},
    "MaxUnpool1d.stride": ["3"], "MaxUnpool1d.padding": ["1; stride=4"], "GaussianNLLLoss.full": ["True"],
    "EmbeddingBag.scale_grad_by_freq": [],  # PyTorch divides by the counts of other rows
    **{f"{kind}Norm{n}d.bias": ["False", "False; affine=True"] for kind in ("Batch", "Instance") for n in (1, 2, 3)},
    "MultiheadAttention.kdim": [], "MultiheadAttention.vdim": [],
    "Upsample.mode": ["'bilinear'", "'bicubic'", "'nearest-exact'", "'area'"],
    "Upsample.scale_factor": [], "Upsample.size": [],
    "MultiMarginLoss.p": ["2"], "PairwiseDistance.p": ["1.0", "3", "0.5"],
    "TripletMarginLoss.p": ["1", "3.0"], "GLU.dim": ["0", "-1"],
    "BCELoss.weight": ["torch.tensor([0.5, 2, 1, 3])", "torch.tensor([[2.0]])"],
}  # fmt: skip


def parameters(name: str) -> Iterator[str]:
    for p in inspect.signature(getattr(minigrad.nn, name)).parameters.values():
        if p.default is not p.empty and p.name not in UNTRIED:
            yield p.name


def constructors(name: str) -> Iterator[str]:
    """The arguments as given always, then with another value for each of the others."""
    given = MODULES[name][0]
    yield given
    for parameter in parameters(name):
        for value in OWN_VALUES.get(f"{name}.{parameter}", VALUES.get(parameter)):
            first, _, more = value.partition("; ")
            others = [word for word in (given, f"{parameter}={first}", more) if word]
            yield ", ".join(others)


class Inputs:
    """Random tensors, the same ones in both libraries; `leaves` are those with a gradient."""

    def __init__(self, library: Any, seed: int = 0) -> None:
        self.library, self.rng, self.leaves = library, np.random.default_rng(seed), []

    def x(self, *shape: int) -> Any:
        leaf = self.library.tensor(self.rng.standard_normal(shape), requires_grad=True)
        self.leaves.append(leaf)
        return leaf * 1  # a module may write into it

    def unit(self, *shape: int) -> Any:
        return self.library.tensor(self.rng.random(shape))

    def sign(self, *shape: int) -> Any:
        return self.library.tensor(2.0 * self.rng.integers(0, 2, shape) - 1).double()

    def index(self, shape: tuple[int, ...], below: int) -> Any:
        return self.library.tensor(self.rng.integers(0, below, shape))

    def evaluated(self, text: str) -> Any:
        names = {n: getattr(self, n) for n in ("x", "unit", "sign", "index")}
        return eval(f"({text},)", {"torch": self.library, **names})


def attempt(library: Any, name: str, given: str, called: str) -> list[Any]:
    """All that can be seen; the first mistake ends it."""
    seen: list[Any] = []
    try:
        library.manual_seed(0)
        module = eval(f"torch.nn.{name}({given})", {"torch": library})
        seen += [neutral(repr(module)), attributes(module), state(module)]
        seen.append([(n, p.requires_grad) for n, p in module.named_parameters()])
        if "float16" not in given:
            module.double()
            for mode in (True, True, False):
                seen += observed(library, module.train(mode), called)
    except Exception as error:
        seen.append(f"{type(error).__name__}: {neutral(str(error))}".partition("\nExc")[0])
    return seen


def attributes(module: Any) -> list[Any]:
    plain = (bool, int, float, str, tuple)
    public = {n: v for n, v in vars(module).items() if not n.startswith("_")}
    public["transposed"] = getattr(module, "transposed", None)  # of the class, or of the object
    return sorted((n, repr(v)) for n, v in public.items() if isinstance(v, plain))


def state(module: Any) -> list[Any]:
    held = module.state_dict().items()
    return [(n, "lazy" if uninitialized(t) else t.detach()) for n, t in held]


def observed(library: Any, module: Any, called: str) -> list[Any]:
    inputs = Inputs(library)
    library.manual_seed(1)
    arguments = inputs.evaluated(called)
    if any(map(uninitialized, module.state_dict().values())):
        module(*arguments)
    refill(library, module)
    result = module(*arguments)
    wanted = [*inputs.leaves, *(p for p in module.parameters() if p.requires_grad)]
    outputs = [t for t in flat(result) if isinstance(t, library.Tensor)]
    ends = [t for t in outputs if t.requires_grad]
    weights = [cosines(library, t) for t in ends]
    slopes = library.autograd.grad(ends, wanted, weights, allow_unused=True) if ends else ()
    return [[t.detach() for t in outputs], list(slopes), state(module)]


def cosines(library: Any, like: Any) -> Any:
    """Different weights for different elements, whose sums do not cancel."""
    return 1.5 + library.arange(like.numel(), dtype=like.dtype).cos().reshape(like.shape)


def refill(library: Any, module: Any) -> None:
    rng = np.random.default_rng(5)
    with library.no_grad():
        for name, tensor in module.state_dict().items():
            if tensor.is_floating_point():
                array = rng.standard_normal(tuple(tensor.shape))
                tensor.copy_(library.tensor(abs(array) if "var" in name else array))


@pytest.mark.parametrize("name", MODULES)
def test_each_argument(name: str) -> None:
    for given in dict.fromkeys(constructors(name)):
        for called in MODULES[name][1]:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                theirs, ours = (attempt(library, name, given, called) for library in LIBRARIES)
            what = f"{name}({given})({called})"
            compare(theirs, ours, ULPS, what, norm=True)
