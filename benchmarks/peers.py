"""The documents' data and starting values for peers, which have no layers and no loaders.

A peer's program is in `peer_NAME.py`, in that peer's own idiom. To end with the same numbers it
needs PyTorch's random initial values and order of batches; both are drawn here, by minigrad, before
anything is timed. (So the peers' times leave out what shuffling costs.)
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

import minigrad

Array = np.ndarray[Any, Any]
THREE = np.array([[1], [2], [3]], np.float32)
EPOCHS = 64  # orders of batches that are drawn; after that they are used again


def linear(features: int = 1) -> tuple[Array, Array]:
    """The initial weight (1, features) and bias (1,) of a linear layer."""
    layer = minigrad.nn.Linear(features, 1)
    return layer.weight.detach().numpy().copy(), layer.bias.detach().numpy().copy()


def orders(size: int, batch: int) -> Iterator[list[Array]]:
    """For each epoch the indices of its batches."""
    data = minigrad.utils.data
    places = data.TensorDataset(minigrad.arange(size))
    loader = data.DataLoader(places, batch_size=batch, shuffle=True)
    return itertools.cycle([[at.numpy() for (at,) in loader] for _ in range(EPOCHS)])


def ten_points() -> tuple[Array, Array]:
    x = np.arange(10, dtype="float32").reshape((10, 1))
    y = np.array([1.0, 1.3, 3.1, 2.0, 5.0, 6.3, 6.6, 7.4, 8.0, 9.0], dtype="float32")
    minigrad.manual_seed(1)
    return (x - np.mean(x)) / np.std(x), y


def parabola() -> tuple[Array, Array]:
    """100 points, (100, 1) each."""
    random = np.random.RandomState(1)
    x = random.uniform(-5, 3, 100)
    a, b, c = random.normal(3, 0.5, 100), random.normal(10, 1, 100), random.normal(-2, 2, 100)
    y = a * x**2 + b * x + c
    minigrad.manual_seed(1)
    return x.astype(np.float32)[:, None], y.astype(np.float32)[:, None]
