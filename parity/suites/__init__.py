"""What is run on both libraries: the scripts in `examples/`, and functions of the library `torch`.

The scripts tell the documents' stories, and are what a student runs. The functions, one file per
document, are what the documents have besides. Then come real data sets: `real_data.py`,
`images.py`.

The table shows them in this order. Each has the document's own numbers of epochs by default; what
stands beside the name is what the test-suite uses instead.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..program import Program

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

SHORT_EXAMPLES: dict[str, tuple[str, ...]] = {
    "linear_regression_tensors": ("--epochs", "100"),
    "linear_regression_module": ("--epochs", "100"),
    "linear_module_dataloader": ("--epochs", "12"),
    "gd_vs_sgd": ("--epochs", "10"),
    "zero_grad": (),
    "gradient_accumulation": (),
    "grad_fn_walk": (),
    "train_eval": (),
    "custom_function": (),
    "double_backward": (),
    "digits_cnn": ("--epochs", "1"),
    "char_gpt": ("--steps", "4", "--length", "20"),
}

_SHORT: dict[tuple[str, str], dict[str, Any]] = {
    ("linear_regression", "seeding"): {},
    ("linear_regression", "first_step"): {},
    ("dataloader_training", "manual_update"): {"num_epochs": 12},
    ("training_process", "running_loss"): {"every": 20},
    ("basics", "accumulation"): {},
    ("basics", "numpy_memory"): {},
    ("basics", "no_grad_modes"): {},
    ("autograd_interface", "checkpointing"): {},
    ("autograd_interface", "jacobian_and_hessian"): {},
    ("real_data", "iris_softmax"): {"epochs": 21},
    ("real_data", "wine_accumulation"): {"epochs": 3},
    ("real_data", "diabetes_regression"): {"epochs": 3},
    ("real_data", "digits_mlp"): {"epochs": 1},
    ("images", "digits_lstm"): {"epochs": 1},
    ("images", "digits_gru"): {"epochs": 1},
}


def programs(short: bool = False) -> dict[str, Program]:
    """Every suite by its name, in full or shortened."""
    examples = {
        name: Program(name, script=str(EXAMPLES / f"{name}.py"), options=options if short else ())
        for name, options in SHORT_EXAMPLES.items()
    }
    functions = {
        function: Program(
            function, f"{__name__}.{module}", function, arguments=arguments if short else {}
        )
        for (module, function), arguments in _SHORT.items()
    }
    return examples | functions
