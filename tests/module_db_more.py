"""Entries in the manner of PyTorch's module database for modules that it leaves out.

A case is how to construct the module and what to call it with: a shape stands for random numbers of
that shape, `Index` for random indices, anything else for itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.testing import make_tensor
from torch.testing._internal.common_modules import (
    ErrorModuleInput,
    FunctionInput,
    ModuleErrorEnum,
    ModuleInfo,
    ModuleInput,
)


@dataclass(frozen=True)
class Index:
    shape: tuple[int, ...]
    below: int


def made(*args: Any, **kwargs: Any) -> FunctionInput:
    return FunctionInput(*args, **kwargs)


Case = tuple[FunctionInput, tuple[Any, ...]]
IMAGES = (2, 4, 6, 6)
OFFSETS = torch.tensor([0, 2, 2, 5])

CASES: dict[str, list[Case]] = {
    "AlphaDropout": [(made(), ((3, 40),)), (made(0.2), ((2, 3, 5),)), (made(p=0.0), ((4,),))],
    "ChannelShuffle": [(made(2), (IMAGES,)), (made(4), (IMAGES,))],
    "CosineSimilarity": [
        (made(), ((4, 5), (4, 5))), (made(dim=0), ((4, 5), (4, 5))), (made(2, 0.1), ((2, 3, 4), (1, 3, 4))),
    ],
    "Dropout": [(made(), ((3, 40),)), (made(0.2), ((2, 3, 5),)), (made(p=1.0), ((4,),)), (made(0.0), ((4,),))],
    "Dropout1d": [(made(), ((3, 8, 5),)), (made(0.3), ((8, 5),))],
    "Dropout2d": [(made(), (IMAGES,)), (made(0.3), ((4, 3, 3),))],
    "Dropout3d": [(made(), ((2, 4, 3, 3, 3),)), (made(0.3), ((4, 2, 3, 3),))],
    "EmbeddingBag": [
        (made(10, 3), (Index((4, 5), 10),)),
        (made(10, 3, mode="sum"), (Index((4, 5), 10),)),
        (made(10, 3, mode="max"), (Index((4, 5), 10),)),
        (made(10, 3, mode="sum"), (Index((7,), 10), OFFSETS)),
        (made(10, 3, mode="mean"), (Index((7,), 10), OFFSETS)),
        (made(10, 3, mode="sum", padding_idx=2), (Index((4, 5), 10),)),
        (made(10, 3, mode="sum", include_last_offset=True), (Index((5,), 10), OFFSETS)),
        (made(10, 3, mode="sum"), (Index((4, 5), 10), None, (4, 5))),
        (made(10, 3, max_norm=1.0), (Index((4, 5), 10),)),
    ],
    "FeatureAlphaDropout": [(made(), (IMAGES,)), (made(0.2), ((4, 6, 5),))],
    "Flatten": [(made(), (IMAGES,)), (made(0, 1), (IMAGES,)), (made(start_dim=2, end_dim=-1), (IMAGES,))],
    "Fold": [
        (made((4, 5), (2, 2)), ((2, 12, 12),)),
        (made((6, 6), 3, dilation=1, padding=1, stride=2), ((2, 18, 9),)),
    ],
    "Hardsigmoid": [(made(), ((3, 9),)), (made(inplace=False), ((),))],
    "Identity": [(made(), ((3, 4),)), (made(54, unused=True), ((3, 4),))],
    "LazyBatchNorm1d": [(made(), ((4, 3),)), (made(affine=False), ((4, 3, 5),)), (made(momentum=None), ((4, 3),))],
    "LazyBatchNorm2d": [(made(), (IMAGES,)), (made(track_running_stats=False), (IMAGES,))],
    "LazyLinear": [(made(5), ((4, 3),)), (made(5, bias=False), ((2, 4, 3),))],
    "MaxUnpool1d": [(made(2), ((1, 2, 3), torch.tensor([[[0, 2, 4], [1, 3, 5]]])))],
    "MaxUnpool2d": [(made(2), ((1, 1, 2, 2), torch.tensor([[[[5, 6], [9, 15]]]])))],
    "PairwiseDistance": [
        (made(), ((4, 5), (4, 5))), (made(p=1.0), ((4, 5), (5,))), (made(3, 1e-3, True), ((5,), (5,))),
    ],
    "PixelShuffle": [(made(2), (IMAGES,)), (made(2), ((1, 3, 8, 2, 3),))],
    "PixelUnshuffle": [(made(2), (IMAGES,)), (made(3), (IMAGES,))],
    "RReLU": [(made(), ((3, 40),)), (made(0.2, 0.5), ((2, 3, 5),))],
    "TripletMarginLoss": [
        (made(), ((4, 5), (4, 5), (4, 5))),
        (made(margin=0.5, p=1.0, swap=True, reduction="none"), ((4, 5), (4, 5), (4, 5))),
        (made(reduction="sum", eps=1e-3), ((4, 5), (4, 5), (4, 5))),
    ],
    "TripletMarginWithDistanceLoss": [
        (made(), ((4, 5), (4, 5), (4, 5))),
        (made(margin=0.5, swap=True, reduction="none"), ((4, 5), (4, 5), (4, 5))),
    ],
    "Unflatten": [
        (made(1, (2, 2)), (IMAGES,)), (made(1, torch.Size([4, 1])), (IMAGES,)), (made(-1, (2, -1)), (IMAGES,)),
    ],
    "Unfold": [
        (made(2), (IMAGES,)), (made((2, 3), dilation=1, padding=(1, 0), stride=(2, 1)), (IMAGES,)),
        (made(kernel_size=(3, 2)), ((3, 4, 5),)),
    ],
    "Upsample": [
        (made(scale_factor=2), (IMAGES,)), (made(size=(4, 9)), (IMAGES,)), (made(scale_factor=1.5), ((2, 3, 7),)),
        (made(scale_factor=2, mode="bilinear"), (IMAGES,)),
        (made(size=(9, 4), mode="bilinear", align_corners=True), (IMAGES,)),
        (made(scale_factor=2.3, mode="bilinear", recompute_scale_factor=True), (IMAGES,)),
        (made(size=7, mode="linear"), ((2, 3, 4),)), (made(scale_factor=(2, 1.5), mode="bicubic"), (IMAGES,)),
    ],
    "UpsamplingBilinear2d": [(made(scale_factor=2), (IMAGES,)), (made((4, 9)), (IMAGES,))],
    "UpsamplingNearest2d": [(made(scale_factor=2), (IMAGES,)), (made((4, 9)), (IMAGES,))],
}  # fmt: skip

MISTAKES: dict[str, list[Case]] = {
    "AlphaDropout": [(made(-0.1), ()), (made(1.5), ())],
    "Dropout": [(made(-0.1), ()), (made(1.5), ())],
    "Dropout1d": [(made(), ((1, 2, 3, 4),)), (made(), ((4,),))],
    "Dropout2d": [(made(2.0), ())],
    "EmbeddingBag": [
        (made(10, 3), (Index((3,), 10),)),
        (made(10, 3), (Index((2, 3, 4), 10),)),
        (made(10, 3), (Index((2, 3), 10), OFFSETS)),
        (made(10, 3, padding_idx=10), ()),
        (made(10, 3, mode="median"), (Index((2, 3), 10),)),
        (made(10, 3, mode="mean"), (Index((2, 3), 10), None, (2, 3))),
    ],
    "Flatten": [(made(3, 1), (IMAGES,)), (made(5), (IMAGES,))],
    "LazyLinear": [(made(-1), ((4, 3),))],
    "PixelShuffle": [(made(3), (IMAGES,)), (made(2), ((4, 4),)), (made(0), (IMAGES,))],
    "PixelUnshuffle": [(made(4), (IMAGES,)), (made(2), ((4, 4),)), (made(-1), (IMAGES,))],
    "TripletMarginLoss": [(made(), ((4, 5), (4, 5), (3, 4))), (made(reduction="all"), ((5,), (5,), (5,)))],
    "Unflatten": [(made(1, 4), ()), (made("c", (2, 2)), ()), (made(1, (3, 2)), (IMAGES,))],
    "Unfold": [(made(9), (IMAGES,)), (made(2), ((3, 4),))],
    "Fold": [(made((4, 5), 2), ((2, 11, 12),)), (made((4, 5), 2), ((2, 12, 11),))],
    "Upsample": [
        (made(), (IMAGES,)), (made(scale_factor=2, mode="cubist"), (IMAGES,)),
        (made(scale_factor=2, mode="linear"), (IMAGES,)), (made(size=3, scale_factor=2), (IMAGES,)),
    ],
}  # fmt: skip

BOTH_MODES = {
    "AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout", "LazyBatchNorm1d",
    "LazyBatchNorm2d", "RReLU",
}  # fmt: skip


def more_entries() -> list[ModuleInfo]:
    return [
        ModuleInfo(
            getattr(torch.nn, name),
            module_inputs_func=inputs,
            module_error_inputs_func=mistakes if name in MISTAKES else None,
            train_and_eval_differ=name in BOTH_MODES,
        )
        for name in CASES
    ]


def inputs(info: Any, device: str, dtype: Any, requires_grad: bool, training: bool) -> list[Any]:
    return _inputs(CASES[info.module_cls.__name__], dtype, requires_grad)


def mistakes(info: Any, device: str, dtype: Any, requires_grad: bool, training: bool) -> list[Any]:
    return [
        ErrorModuleInput(wrong, error_on=ModuleErrorEnum.FORWARD_ERROR, error_regex="")
        for wrong in _inputs(MISTAKES[info.module_cls.__name__], dtype, requires_grad)
    ]


def _inputs(cases: list[Case], dtype: Any, requires_grad: bool) -> list[ModuleInput]:
    return [
        ModuleInput(constructor, FunctionInput(*(_value(v, dtype, requires_grad) for v in given)))
        for constructor, given in cases
    ]


def _value(value: Any, dtype: Any, requires_grad: bool) -> Any:
    if isinstance(value, Index):
        return torch.randint(value.below, value.shape)
    if isinstance(value, tuple):
        return make_tensor(value, device="cpu", dtype=dtype, requires_grad=requires_grad)
    return value
