"""`device`: names of devices, which can be made on any machine."""

from __future__ import annotations

import copy
import pickle

import pytest
from oracle import LIBRARIES, same

import minigrad

PROGRAMS = [
    "repr(torch.device({}))", "str(torch.device({}))", "torch.device({}).type", "torch.device({}).index",
]  # fmt: skip
ARGUMENTS = [
    "'cpu'", "'cuda'", "'cuda:1'", "'cuda', 1", "'cuda', 0", "'cuda', None", "'cpu', 0", "'cpu:1'",
    "type='cuda'", "type='cuda', index=1", "'cuda', index=1", "device='cuda:1'", "b'cuda'",
    "torch.device('cuda:1')", "torch.device('cuda')", "device=torch.device('cpu')", "'cuda:127'",
    "'cuda', np.int64(1)", "'meta'", "'mps'", "'mps:0'", "'xpu:2'", "'xla'", "'hpu'", "'vulkan'",
    "'privateuseone:3'", "'opengl'", "'cpu', index=None",
]  # fmt: skip
MISTAKES = [
    "'cuda:-1'", "'cuda', -1", "'cuda', -2", "'cpu', -1", "'cuda:01'", "'cuda:a'", "'cuda:'",
    "'cuda: 1'", "'cuda :1'", "' cuda'", "''", "':1'", "'CUDA'", "'cuda:1:2'", "'cuda:1 '",
    "'cuda:+1'", "'cuda:\uff11'", "'cuda\\n'", "'cuda:99999999999'", "'cuda:2147483648'",
    "'cuda:1', 1", "'cuda:1', 2", "'gpu'", "'cuda_x'", "'cuda1'", "'1'", "-1", "True", "1.5", "None",
    "", "'cuda', 1.0", "'cuda', '1'", "'cuda', True", "index=1", "torch.device('cuda'), 1",
    "torch.device('cuda:1'), 2", "1, 1", "type=1", "type=torch.device('cpu')", "'cuda', 1, 2",
]  # fmt: skip
OTHERS = [
    "torch.device('cuda:0') == torch.device('cuda')", "torch.device('cuda') == 'cuda'",
    "torch.device('cuda:0') == torch.device('cuda', 0)", "torch.device('cpu') != torch.device('cpu')",
    "torch.device('cuda:0') != torch.device('cuda:1')", "torch.device('cpu') == torch.device('cpu', 0)",
    "hash(torch.device('cuda:1')) == hash(torch.device('cuda', 1))",
    "len({torch.device('cuda:1'), torch.device('cuda', 1), torch.device('cuda')})",
    "f\"{torch.device('cuda:1')}\"", "bool(torch.device('cpu'))",
    "torch.device('cuda') < torch.device('cuda:1')",
    "setattr(torch.device('cuda'), 'index', 2)", "setattr(torch.device('cuda'), 'type', 'cpu')",
    "setattr(torch.device('cuda'), 'foo', 2)", "type('x', (torch.device,), {})",
    "torch.device('cuda').__reduce__()[1]", "torch.device('cuda:1').__reduce__()[1]",
    "torch.device('cpu').__enter__()", "torch.ones(2).device", "torch.ones(2, device='cpu').device",
    "torch.ones(2, device=torch.device('cpu', 0)).device", "torch.ones(2).to(torch.device('cpu')).device",
]  # fmt: skip


@pytest.mark.parametrize("arguments", ARGUMENTS)
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_name_and_its_parts(program, arguments):
    same(program.format(arguments))


@pytest.mark.parametrize("arguments", MISTAKES)
def test_mistakes(arguments):
    same(f"torch.device({arguments})")


@pytest.mark.parametrize("program", OTHERS)
def test_equality_hash_and_use(program):
    same(program)


@pytest.mark.parametrize("round_trip", [copy.copy, copy.deepcopy, lambda d: pickle.loads(pickle.dumps(d))])  # fmt: skip
@pytest.mark.parametrize("name", ["cpu", "cuda", "cuda:1"])
def test_copies_and_pickles_are_equal(name, round_trip):
    for library in LIBRARIES:
        assert round_trip(library.device(name)) == library.device(name)


def test_a_device_that_tensors_cannot_be_on_is_refused():
    """PyTorch has tensors without values there; minigrad says that it has not."""
    with pytest.raises(NotImplementedError, match="device 'meta': leave out device="):
        minigrad.ones(2, device="meta")


def test_entering_cuda_is_refused_at_once():
    """PyTorch's CPU build lets `with device("cuda")` begin, and refuses the first new tensor."""
    with pytest.raises(AssertionError, match="Torch not compiled with CUDA enabled"):
        minigrad.device("cuda").__enter__()
