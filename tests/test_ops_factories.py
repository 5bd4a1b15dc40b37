"""Creation, random tensors, conversions, and what scripts lean on, beside PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from oracle import reals, same

import minigrad

OPTIONS = [
    "torch.ones(2, layout=torch.strided, pin_memory=False)", "torch.ones(2, pin_memory=True)",
    "torch.zeros(2, out=torch.ones(2))", "torch.zeros(2, out=torch.ones(2, dtype=torch.int64))",
    "torch.zeros(2, out=torch.ones(3))", "torch.zeros(2, dtype=torch.float32, out=torch.arange(2))",
    "o = torch.ones(0); torch.arange(3, out=o) is o", "torch.eye(2, out=torch.empty(0))",
    "torch.zeros(2, dtype=float)", "torch.zeros(2, dtype=int)", "torch.ones(1, dtype=bool)",
    "torch.ones(1, dtype='float32')", "torch.zeros()", "torch.zeros(2, foo=1)", "torch.zeros('a')",
    "torch.ones(2, memory_format=torch.contiguous_format)", "torch.tensor([1.0], pin_memory=True)",
    "torch.empty(1, 2, 3, 4, memory_format=torch.channels_last).stride()",
    "torch.zeros_like(torch.ones(1, 2, 3, 4), memory_format=torch.channels_last).stride()",
    "torch.ones(1, 2, 3, 4).contiguous(memory_format=torch.channels_last).stride()",
    "torch.ones(1, 2, 3, 4).is_contiguous(memory_format=torch.channels_last)",
    "torch.ones(2).clone(memory_format=torch.channels_last)", "torch.range(1, 4)",
    "torch.logspace(0, 2, 3)", "torch.logspace(0, 1, 5, dtype=torch.int64)",
    "torch.logspace(0, 1, 3, base=-2)", "torch.logspace(0, 1, -1)", "torch.logspace(0, 1, 1)",
    "torch.logspace(-3, 3, 40, base=2, dtype=torch.float64)", "torch.scalar_tensor(3)",
    "torch.scalar_tensor('a')", "torch.empty_strided((2, 3), (1, 2)).stride()",
    "torch.empty_strided((2,), (1, 2))", "torch.empty_permuted((2, 3, 4), (0, 2, 1)).stride()",
    "torch.empty_permuted((2, 3), (0, 0))", "torch.arange(2).new_full((2,), 3.5)",
    "torch.ones(2).new_zeros(2, dtype=torch.int64, device='cpu')", "torch.ones(2).new([3, 4])",
    "torch.ones(2).new_ones((2, 1), requires_grad=True)", "torch.ones(2).new_empty(2, 3).shape",
    "torch.ones(2).new_empty_strided((2, 3), (1, 2)).stride()",
    "torch.Tensor(np.ones(2))", "torch.Tensor(torch.arange(3)).dtype", "torch.Tensor(3.0)",
    "torch.LongTensor(np.ones(2))", "torch.FloatTensor(torch.Size([2, 3])).shape",
    "isinstance(torch.ones(2), torch.FloatTensor), isinstance(torch.ones(2), torch.LongTensor)",
    "torch.autograd.Variable(torch.ones(2), requires_grad=True)", "torch.autograd.Variable(3)",
    "isinstance(torch.ones(1), torch.autograd.Variable)", "torch.full((2,), 'a')",
]  # fmt: skip
RANDOM = [
    "torch.rand(3, generator=torch.Generator().manual_seed(1), out=torch.empty(3))",
    "torch.rand(size=(2, 2))", "torch.randint(3, 9, (20,))", "torch.randint(low=0, high=5, size=[4])",
    "torch.randint(5, size=(3,))", "torch.randint(5, 2)", "torch.randint_like(torch.ones(9), 5)",
    "torch.randint_like(torch.ones(9, dtype=torch.uint8), 3, high=7)", "torch.randint(5)",
    "torch.rand_like(torch.ones(2, 3).t()).stride()", "torch.randn_like(torch.ones(5, 4).t())",
    "torch.rand_like(torch.arange(3))",
    "torch.ones(3, 7).t().uniform_()", "torch.ones(3, 7).t().normal_()",
    "torch.bernoulli(torch.rand(3, 7).t())", "torch.bernoulli(torch.rand(3, 7).t(), 0.3)",
    "torch.ones(2, 3, 4).permute(2, 0, 1).random_(9)",
    "torch.ones(3, 7).t().bernoulli_(torch.rand(7, 3))", "torch.ones(9, 4)[:, ::2].exponential_()",
    "torch.randn_like(torch.ones(20), dtype=torch.float64)",
    "torch.multinomial(torch.arange(1.0, 9), 5)", "torch.multinomial(torch.rand(3, 7), 4)",
    "torch.multinomial(torch.rand(3, 7), 40, replacement=True)", "torch.multinomial(torch.ones(2), 3)",
    "torch.multinomial(torch.rand(5), 1)", "torch.multinomial(torch.tensor([0.0, 0.0]), 1)",
    "torch.multinomial(torch.tensor([1.0, -1.0]), 1)", "torch.multinomial(torch.arange(1, 3), 1)",
    "torch.multinomial(torch.ones(1, 1, 1), 1)", "torch.multinomial(torch.ones(2), 0)",
    "torch.multinomial(torch.rand(5, 9), 2, replacement=True)",
    "torch.poisson(torch.tensor(np.repeat([0, 0.5, 3, 9.9, 10, 80, 3e4], 9)))",
    "torch.poisson(torch.tensor([-1.0]))", "torch.poisson(torch.ones(3, dtype=torch.float64) * 15)",
    "torch.bernoulli(torch.ones(9), 0.3)", "torch.normal(torch.arange(3.0), 0.5)",
    "torch.normal(2.0, torch.arange(5.0))", "torch.normal(torch.zeros(2, 1), torch.ones(3))",
    "torch.normal(torch.zeros(2), -1.0)", "torch.normal(torch.zeros(2), torch.tensor([1.0, -1.0]))",
    "torch.normal(1.0, 2.0, (20,))", "torch.normal(0.0, 1.0)", "torch.ones(5).log_normal_(0.5, 0.2)",
    "torch.ones(5).cauchy_()", "torch.ones(5).geometric_(0.3)", "torch.ones(5).exponential_(2.0)",
    "torch.ones(5, dtype=torch.int32).geometric_(0.4)", "torch.ones(5).geometric_(1.5)",
]  # fmt: skip
HISTORIES = [
    "torch.normal(x)", "torch.normal(x, x.abs())", "torch.normal(0.0, x.abs())", "torch.poisson(x.abs())",
    "torch.bernoulli(x.sigmoid())", "(x * 1).geometric_(0.5)", "(x * 1).cauchy_()", "(x * 1).random_()",
    "(x * 1).log_normal_()", "(x * 1).random_(5)", "(x * 1).random_(1, 5)", "x.uniform_()",
    "(x * 1).bernoulli_(0.5)", "(x * 1).bernoulli_(torch.full((2, 3), 0.5))", "x.type_as(torch.arange(2))",
    "x.to(torch.float32, non_blocking=True, copy=True)", "x.type('torch.FloatTensor')", "x.new_tensor([1])",
    "x.clone(memory_format=torch.preserve_format)", "x.real", "x.conj()", "x.resize_(2)",
]  # fmt: skip
CONVERSIONS = [
    "c.type('torch.FooTensor')", "c.type(torch.LongTensor)", "c.type_as(c) is c", "c.to(float) is c",
    "c.to(int).dtype", "c.is_pinned()", "c.is_shared()",
    "c.itemsize, c.nbytes, c.ndimension(), c.layout, c.get_device(), c.is_cuda", "c.stride(-1)", "c.stride(5)",
    "c.is_set_to(c), c.is_set_to(c.clone()), c.view(-1).is_set_to(c), c[:].is_set_to(c)",
    "c.is_same_size(c), torch.is_same_size(c, c[0])", "c.untyped_storage().nbytes(), c.storage().size()",
    "c[1:].untyped_storage().nbytes(), c[1:].storage().tolist(), len(c[1].storage())", "c.imag",
    "c[1].untyped_storage().data_ptr() == c.data_ptr()", "torch.is_nonzero(c)", "torch.numel(c)",
    "torch.is_floating_point(c), torch.is_complex(c), torch.is_signed(c), torch.get_device(c)",
    "c.resize_(2, 2)", "c.t().resize_(2, 2)", "c.resize_(1); c.resize_(5)", "c.resize_as_(torch.ones(1, 2))",
    "c.resize_(1); c._version", "c.resize_(2, 2); c.untyped_storage().nbytes()", "c.__dlpack__(stream=1)",
    "torch.asarray(c) is c", "torch.asarray(c, copy=True)", "torch.asarray([1, 2.5])",
    "torch.asarray(c.numpy(), dtype=torch.float32, copy=False)", "torch.asarray([1], copy=False)",
    "torch.asarray(c.numpy(), requires_grad=True)", "torch.asarray(np.float32(3))",
    "torch.frombuffer(bytearray(8), dtype=torch.float32)", "torch.frombuffer([1], dtype=torch.int8)",
    "torch.frombuffer(bytearray(9), dtype=torch.float32, offset=1, count=2)",
    "torch.frombuffer(bytearray(9), dtype=torch.float32)", "torch.frombuffer(b'', dtype=torch.int8)",
    "torch.frombuffer(bytearray(8), dtype=torch.float32, count=5)",
    "torch.frombuffer(bytearray(8), dtype=torch.float32, offset=9)", "torch.from_dlpack(np.ones(2))",
    "torch.utils.dlpack.from_dlpack(torch.utils.dlpack.to_dlpack(c))", "c.requires_grad_().__dlpack__()",
    "np.sqrt(c * c)", "np.sqrt((c * c).sum())", "np.isnan(c)", "np.add(np.ones(1), c)", "c + np.ones(1)",
    "np.float64(2) * c", "np.maximum(c, 0)", "np.argmax(c)", "np.exp(c.requires_grad_())",
    "torch.from_numpy(np.concatenate([c, c]))", "c.numpy(force=True).dtype.name", "c.cpu() is c",
]  # fmt: skip
SCRIPTS = [
    "torch.typename(torch.ones(2)), torch.typename(3)", "torch.finfo(torch.float16)", "torch.finfo()",
    "torch.finfo(torch.float64).eps, torch.finfo(torch.float64).bits", "torch.finfo(torch.int8)",
    "torch.iinfo(torch.uint8)", "torch.iinfo(torch.int64).max", "torch.iinfo(torch.float32)",
    "torch.accelerator.is_available(), torch.accelerator.current_accelerator()", "torch.is_storage(1)",
    "torch.accelerator.synchronize()", "torch.cuda.is_available(), torch.cuda.device_count()",
    "torch.cuda.memory_allocated(), torch.cuda.max_memory_allocated()",
    "torch.cuda.manual_seed_all(1), torch.cuda.empty_cache(), torch.version.cuda",
    "torch.backends.mps.is_available(), torch.backends.mps.is_built(), torch.backends.cudnn.version()",
    "torch.set_default_device('cpu'); d = torch.get_default_device(); "
    "torch.set_default_device(None); d",
    "torch.Generator().device",
    "torch.use_deterministic_algorithms(True); torch.are_deterministic_algorithms_enabled()",
    "torch.use_deterministic_algorithms(False)", "torch.set_num_threads(0)", "torch.set_num_threads(1.5)",
    "torch.set_float32_matmul_precision('high'); torch.get_float32_matmul_precision()",
    "torch.set_float32_matmul_precision('highest')", "torch.set_default_dtype(torch.int64)",
    "torch.compile(abs, disable=True)(-1), torch.compile(disable=True)(abs)(-1)", "torch.jit.is_scripting()",
    "torch.compile(3)", "torch.set_default_tensor_type('torch.LongTensor')", "torch.Generator().get_state().dtype",
    "torch.set_default_tensor_type(torch.DoubleTensor); d = torch.ones(1); "
    "torch.set_default_tensor_type(torch.FloatTensor); d", "torch.channels_last, torch.strided",
    "torch.manual_seed(3)\nwith torch.random.fork_rng(): torch.rand(5)\ntorch.rand(2)",
    "torch.manual_seed(3); s = torch.random.get_rng_state(); torch.rand(1); torch.set_rng_state(s); torch.rand(1)",
    "torch.manual_seed(3).initial_seed(), torch.initial_seed()", "with torch.device('cpu'): pass\ntorch.ones(1)",
]  # fmt: skip


@pytest.mark.parametrize("program", [*OPTIONS, *SCRIPTS])
def test_factories_and_switches(program: str) -> None:
    same(program, ulps=1)


@pytest.mark.parametrize("program", RANDOM)
def test_random(program: str) -> None:
    same(f"torch.manual_seed(5); {program}")


@pytest.mark.parametrize("program", HISTORIES)
def test_histories(program: str) -> None:
    same(f"torch.manual_seed(5); {program}", x=reals(2, 3), order=1)


@pytest.mark.parametrize("program", CONVERSIONS)
@pytest.mark.parametrize("dtype", ["float64", "int32"])
def test_conversions(program: str, dtype: str) -> None:
    same(program, c=reals(3, 2).round(1).astype(dtype))


def test_memory_is_shared_with_other_libraries() -> None:
    for export in (np.from_dlpack, torch.from_dlpack, torch.asarray, np.asarray):
        ours = minigrad.ones(2, 3)
        theirs = export(ours[:, 1:])
        theirs[0, 0] = 7
        assert ours.tolist() == [[1, 7, 1], [1, 1, 1]]
    for source in (np.ones((2, 3), "f"), torch.ones(2, 3)):
        for take in (minigrad.from_dlpack, minigrad.asarray):
            source[0, 1] = 1
            take(source[:, 1:])[0, 0] = 7
            assert source.tolist() == [[1, 7, 1], [1, 1, 1]]
    buffer = bytearray(4)
    minigrad.frombuffer(buffer, dtype=minigrad.uint8)[1] = 9
    assert list(buffer) == [0, 9, 0, 0]


def test_an_old_capsule_gives_writeable_memory() -> None:
    source = torch.ones(2)
    minigrad.utils.dlpack.from_dlpack(torch.utils.dlpack.to_dlpack(source))[0] = 3
    assert source.tolist() == [3, 1]


@pytest.mark.parametrize("name", ["complex64", "complex128", "cfloat"])
def test_complex_numbers_are_refused(name: str) -> None:
    with pytest.raises(AttributeError, match="complex numbers are not supported"):
        getattr(minigrad, name)
    with pytest.raises(TypeError, match="complex numbers are not supported"):
        minigrad.tensor([1j])


def test_what_is_not_there_says_what_to_do() -> None:
    calls = {
        "jit.script": lambda: minigrad.jit.script(abs), "jit.trace": lambda: minigrad.jit.trace(abs, 1),
        "copy_": lambda: minigrad.ones(2).set_(minigrad.ones(2)),
        "multiprocessing": lambda: minigrad.ones(2).share_memory_(),
    }  # fmt: skip
    for hint, call in calls.items():
        with pytest.raises(NotImplementedError, match=hint):
            call()
    assert minigrad.cuda.__name__ == "minigrad.cuda"
    assert hasattr(minigrad, "no_such_name") is False
