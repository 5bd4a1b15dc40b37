"""Factories beside PyTorch: values, dtypes, shared memory, errors."""

from __future__ import annotations

import pytest
from oracle import same

VALUES = [
    "1", "1.5", "True", "[1, 2]", "[1, 2.5]", "[True, False]", "[[1], [2]]", "[]", "[[]]", "(1, 2)",
    "[(1, 2), [3, 4]]", "float('nan')", "[float('inf'), -0.0]", "np.arange(3)",
    "np.ones((2, 2), np.float32)", "np.float64(2.5)", "np.int32(3)", "[np.float32(1.5), 2]",
    "[np.arange(2), np.arange(2)]", "[torch.tensor(1), torch.tensor(2.5)]", "torch.ones(2)",
    "torch.arange(3)", "range(3)", "[1, True]", "[True, 1.5]", "[[True], [2]]", "np.array(True)",
    "2 ** 40", "[np.float64(1), np.float64(2)]", "np.ones((2, 3))[:, ::2]", "np.ones((2, 3)).T",
    "[[1.5, 2], [3, 4]]", "np.array([1, 2], np.uint8)", "[torch.ones(1), torch.zeros(1)]",
]  # fmt: skip
FACTORIES = [
    "torch.zeros(2, 3)", "torch.zeros((2, 3))", "torch.zeros([2])", "torch.zeros(())",
    "torch.zeros(0, 2)", "torch.ones(2, dtype=torch.int64)", "torch.full((2,), 7)",
    "torch.full((2, 2), 1.5)", "torch.full((1,), True)", "torch.full((2,), 1, dtype=torch.float64)",
    "torch.eye(3)", "torch.eye(2, 3)", "torch.eye(2, dtype=torch.int64)", "torch.arange(5)",
    "torch.arange(1, 5)", "torch.arange(1, 10, 3)", "torch.arange(5.0)", "torch.arange(0, 1, 0.1)",
    "torch.arange(5, 0, -1)", "torch.arange(0, 5, dtype=torch.float64)", "torch.arange(1, 2, 0.3)",
    "torch.arange(3, dtype=torch.uint8)", "torch.arange(0)", "torch.arange(-3, 3)",
    "torch.arange(0.5, 4)", "torch.linspace(0, 1, 5)", "torch.linspace(0, 1, 11)",
    "torch.linspace(-10, 10, 100)", "torch.linspace(3, 10, 1)", "torch.linspace(1, 0, 3)",
    "torch.linspace(0, 1, 0)", "torch.linspace(0, 10, 5, dtype=torch.float64)",
    "torch.linspace(0, 1, 7, dtype=torch.float64)", "torch.linspace(0, 10, 4, dtype=torch.int64)",
    "torch.zeros_like(torch.ones(2, 3))", "torch.ones_like(torch.arange(3))",
    "torch.zeros_like(torch.ones(2), dtype=torch.int32)", "torch.full_like(torch.ones(2), 3)",
    "torch.full_like(torch.arange(2), 3.7)", "torch.empty(2, 3).shape",
    "torch.empty_like(torch.ones(2)).dtype", "torch.zeros(2, requires_grad=True)",
    "torch.ones(2, device='cpu')", "torch.ones(2).new_zeros(3)", "torch.arange(2).new_ones(2, 2)",
    "torch.ones(1).double().new_tensor([1, 2])", "torch.Tensor([1, 2])", "torch.Tensor(2, 3).shape",
    "torch.Tensor().shape", "torch.FloatTensor([1, 2])", "torch.FloatTensor(2, 3).shape",
    "torch.LongTensor([1, 2])", "torch.LongTensor([1.5, 2])", "torch.DoubleTensor([1])",
    "torch.IntTensor([1])", "torch.BoolTensor([1, 0])", "torch.ByteTensor([1])",
    "torch.zeros_like(torch.ones(2, 3).t())", "torch.ones_like(torch.ones(2, 3).t())",
    "torch.zeros(torch.Size([2]))", "torch.arange(torch.tensor(3))",
    "torch.full((2,), torch.tensor(2.5))", "torch.zeros(size=(2, 3))", "torch.ones(size=(2,))",
    "torch.full(size=(2,), fill_value=3)", "torch.arange(start=0, end=4)", "torch.arange(end=4)",
    "torch.linspace(start=0, end=1, steps=3)", "torch.linspace(0.1, 0.9, 33)",
    "torch.arange(0, 3, 0.7)", "torch.ones(2, 3).t().new_zeros(2)", "torch.empty((2, 0))",
]  # fmt: skip


@pytest.mark.parametrize("values", VALUES)
def test_tensor(values: str) -> None:
    same(f"torch.tensor({values})")
    same(f"torch.as_tensor({values})")


@pytest.mark.parametrize(
    "dtype", ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]
)
@pytest.mark.parametrize(
    "values", ["[0, 1, 2]", "[1.5, -2.5, 0.0]", "[True, False]", "np.array([1.5, 300.0])", "3"]
)
def test_tensor_of_a_dtype(values: str, dtype: str) -> None:
    if (
        dtype != "uint8" or "-" not in values
    ):  # of a negative number PyTorch's depends on the machine
        same(f"torch.tensor({values}, dtype=torch.{dtype})")


@pytest.mark.parametrize("program", FACTORIES)
def test_factories(program: str) -> None:
    same(program, order=0)


MEMORY = [
    "t = torch.from_numpy(a)\na[0] = 9\nt", "t = torch.as_tensor(a)\na[0] = 9\nt",
    "t = torch.tensor(a)\na[0] = 9\nt", "t = torch.from_numpy(a)\nt.mul_(2)\na.tolist()",
    "t = torch.ones(2)\nn = t.numpy()\nt.add_(1)\nn.tolist()",
    "t = torch.from_numpy(a[::2])\nt.stride(), t",
    "t = torch.from_numpy(a.reshape(2, 2).T)\nt.stride(), t.is_contiguous()",
    "t = torch.ones(2)\ntorch.as_tensor(t) is t",
    "t = torch.ones(2, requires_grad=True)\nt.detach().numpy().tolist()",
    "np.asarray(torch.arange(3)).tolist()", "np.array(torch.ones(2), dtype=np.int64).tolist()",
    "torch.as_tensor(a, dtype=torch.float64).data_ptr() == torch.from_numpy(a).data_ptr()",
    "torch.tensor(np.ones((2, 3)).T).stride()", "(torch.from_numpy(a) + 1).dtype",
    "torch.from_numpy(np.array(3.5))", "torch.from_numpy(np.ones((0, 2)))",
]  # fmt: skip


@pytest.mark.parametrize("program", MEMORY)
def test_memory_shared_with_numpy(program: str) -> None:
    same(f"a = np.arange(4.0)\n{program}")


MISTAKES = [
    "torch.tensor([[1], [2, 3]])", "torch.tensor([1, [2]])", "torch.tensor([[1], 2])",
    "torch.tensor('a')", "torch.tensor(['a'])", "torch.tensor(None)", "torch.tensor([None])",
    "torch.tensor({})", "torch.tensor(2 ** 70)", "torch.tensor([1], requires_grad=True)",
    "torch.ones(2, dtype=torch.int64, requires_grad=True)", "torch.zeros(-1)", "torch.zeros('a')",
    "torch.zeros(2.5)", "torch.ones(2, -3)", "torch.from_numpy([1])",
    "torch.from_numpy(np.arange(3)[::-1])", "torch.arange(0, 5, -1)", "torch.arange(5, 0)",
    "torch.arange(0, 5, 0)", "torch.linspace(0, 1, -1)", "torch.as_tensor('a')", "torch.eye(-1)",
    "torch.full((2,), 'a')", "torch.FloatTensor(1.5)", "torch.FloatTensor('a')",
    "torch.ones(2, requires_grad=True).numpy()", "torch.tensor([torch.ones(2)])",
    "torch.zeros_like(2)", "torch.arange('a')", "torch.linspace(0, 1, 2.5)",
    "torch.tensor([1.5, 'a'])", "torch.tensor([[1, 2], [3, 4, 5]])",
]  # fmt: skip


@pytest.mark.parametrize("program", MISTAKES)
def test_mistakes(program: str) -> None:
    same(program)
