"""Large arrays in blocks: every element once, and NumPy's settings and other threads left alone."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
import torch as pytorch

import minigrad
from minigrad.ops.blocks import BLOCK_BYTES, blocks, unbuffered
from minigrad.optim import arithmetic


@pytest.mark.parametrize("item_bytes", [0, 1, 1000, BLOCK_BYTES, 3 * BLOCK_BYTES])
@pytest.mark.parametrize("most", [None, 1, 7])
def test_blocks_are_all_there_in_order(item_bytes: int, most: int | None) -> None:
    for length in (0, 1, 20, 3000):
        pieces = list(blocks(np.empty(0), length, item_bytes, most))
        assert [i for piece in pieces for i in range(length)[piece]] == list(range(length))
        largest = max((len(range(length)[piece]) for piece in pieces), default=0)
        assert largest <= max(1, min(BLOCK_BYTES // max(item_bytes, 1), most or length))


def test_numpy_keeps_its_buffer() -> None:
    before = np.getbufsize()
    with unbuffered(1000):
        assert np.getbufsize() < 1000 < before
    with unbuffered(10):
        assert np.getbufsize() == before
    x = minigrad.ones(300, 1000, requires_grad=True)
    norm, channels = minigrad.nn.LayerNorm(1000), minigrad.nn.BatchNorm1d(300)
    (norm(x).softmax(1).log_softmax(1).sum() + channels(x[None]).sum()).backward()
    assert np.getbufsize() == before


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_threads_do_not_share_intermediate_results(name: str) -> None:
    """Two threads update parameters at the same time, as one after the other does."""
    drawn = np.random.default_rng(0).standard_normal((2, 2, arithmetic.BLOCK), np.float32)
    options = {"SGD": {"momentum": 0.9}}.get(name, {})

    def train(torch: Any, values: np.ndarray) -> np.ndarray:
        parameter = torch.tensor(values[0], requires_grad=True)
        optimizer = getattr(torch.optim, name)([parameter], lr=0.1, **options)
        for _ in range(20):
            parameter.grad = torch.tensor(values[1])
            optimizer.step()
        return parameter.detach().numpy()

    found: dict[int, np.ndarray] = {}
    threads = [
        threading.Thread(target=lambda i=i: found.update({i: train(minigrad, drawn[i])}))
        for i in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i in range(2):
        np.testing.assert_allclose(found[i], train(pytorch, drawn[i]), rtol=1e-5, atol=1e-6)
