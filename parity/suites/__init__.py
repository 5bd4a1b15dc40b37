"""The documents' examples, one file per document, each a function of the library `torch`.

Then come real data sets, and a text: `real_data.py`, `images.py`, `char_gpt.py`.

`ALL` lists them in the order in which the table shows them. A suite's keyword arguments have the
document's own values as defaults; the second entry is what the test-suite uses instead.
"""

from __future__ import annotations

from typing import Any

from ..program import Program

_SHORT: dict[tuple[str, str], dict[str, Any]] = {
    ("linear_regression", "seeding"): {},
    ("linear_regression", "first_step"): {},
    ("linear_regression", "linear_regression_tensors"): {"nb_epochs": 100},
    ("linear_regression", "linear_regression_module"): {"nb_epochs": 100},
    ("dataloader_training", "manual_update"): {"num_epochs": 12},
    ("dataloader_training", "linear_module_dataloader"): {"num_epochs": 12},
    ("gd_vs_sgd", "gd_vs_sgd"): {"epochs": 10},
    ("training_process", "zero_grad"): {},
    ("training_process", "grad_fn_walk"): {},
    ("training_process", "gradient_accumulation"): {},
    ("training_process", "gradient_accumulation_mended"): {},
    ("training_process", "running_loss"): {"every": 20},
    ("basics", "accumulation"): {},
    ("basics", "numpy_memory"): {},
    ("basics", "no_grad_modes"): {},
    ("basics", "train_eval"): {},
    ("autograd_interface", "checkpointing"): {},
    ("autograd_interface", "custom_function"): {},
    ("autograd_interface", "double_backward"): {},
    ("autograd_interface", "jacobian_and_hessian"): {},
    ("real_data", "iris_softmax"): {"epochs": 21},
    ("real_data", "wine_accumulation"): {"epochs": 3},
    ("real_data", "diabetes_regression"): {"epochs": 3},
    ("real_data", "digits_mlp"): {"epochs": 1},
    ("images", "digits_cnn"): {"epochs": 1},
    ("images", "digits_lstm"): {"epochs": 1},
    ("images", "digits_gru"): {"epochs": 1},
    ("char_gpt", "char_gpt"): {"steps": 4, "length": 20},
}


def programs(short: bool = False) -> dict[str, Program]:
    """Every suite by its name, in full or shortened."""
    return {
        function: Program(
            function, f"{__name__}.{module}", function, arguments=arguments if short else {}
        )
        for (module, function), arguments in _SHORT.items()
    }
