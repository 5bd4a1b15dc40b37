"""CUDA where there is no GPU: call by call as PyTorch's build for the CPU.

PyTorch's oracle here is that build, so these tests hold on machines without a GPU. Where tensors
were to go to a device that they cannot be on, minigrad's error has PyTorch's type, begins with
PyTorch's text, and goes on with what to install.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from oracle import LIBRARIES, same

import minigrad
from minigrad.device import CPU_ONLY

ROOT = Path(__file__).resolve().parent.parent

SAME = [
    "torch.cuda.is_available()", "torch.cuda.is_initialized()", "torch.cuda.device_count()",
    "torch.cuda.is_bf16_supported()", "torch.cuda.is_tf32_supported()", "torch.cuda.get_arch_list()",
    "torch.cuda.get_gencode_flags()", "torch.cuda.has_half, torch.cuda.has_magma",
    "torch.cuda.default_generators", "torch.cuda.manual_seed(1)", "torch.cuda.manual_seed_all(1)",
    "torch.cuda.manual_seed('x')", "torch.cuda.manual_seed(None)", "torch.cuda.manual_seed_all('x')",
    "torch.cuda.manual_seed(1.5)", "torch.cuda.manual_seed_all(torch.tensor(3))", "torch.cuda.seed()",
    "torch.cuda.seed_all()", "torch.cuda.get_rng_state_all()", "torch.cuda.set_rng_state_all([])",
    "torch.cuda.set_rng_state(torch.get_rng_state())", "torch.cuda.empty_cache()",
    "torch.cuda.memory_allocated()", "torch.cuda.memory_allocated(0)",
    "torch.cuda.memory_allocated('cuda:3')", "torch.cuda.max_memory_allocated()",
    "torch.cuda.memory_reserved(), torch.cuda.max_memory_reserved()", "torch.cuda.memory_stats()",
    "torch.cuda.set_device(-1)", "torch.cuda.set_device('cuda')", "torch.cuda.set_device('cpu')",
    "torch.cuda.set_device(torch.device('cuda'))", "torch.cuda.set_device(None)",
    "torch.cuda.device('cpu')", "torch.cuda.device(-1).idx, torch.cuda.device('cuda:3').idx",
    "torch.cuda.device(-1).__enter__()", "torch.cuda.device_of(torch.ones(2)).__enter__()",
    "torch.cuda.stream(None).__enter__()", "torch.cuda.stream(None).stream",
    "torch.cuda.set_stream(None)", "torch.version.cuda", "torch.accelerator.is_available()",
    "torch.accelerator.current_accelerator()", "torch.accelerator.device_count()",
    "torch.backends.cuda.is_built()", "torch.backends.cuda.matmul.allow_tf32",
    "torch.backends.cudnn.is_available(), torch.backends.cudnn.version()",
    "torch.backends.cudnn.is_acceptable(torch.ones(2))",
    "torch.backends.mps.is_available(), torch.backends.mps.is_built()",
    "torch.ones(2).cuda('cpu')", "torch.ones(2).cuda(-1)", "torch.ones(2).to('gpu')",
    "torch.ones(2).to('mps')", "torch.ones(2).to('xpu')", "torch.ones(2).to('xla')",
    "torch.ones(2).to('cpu', non_blocking=True)", "torch.ones(2).cpu()", "torch.ones(2).is_cuda",
    "torch.ones(2).to('cpu:0').device", "torch.ones(2).is_pinned()", "torch.ones(2).get_device()",
    "torch.nn.Identity().cuda()", "torch.empty(2, pin_memory=True)",
]  # fmt: skip

REFUSED = [
    "torch.cuda.init()", "torch.cuda.current_device()", "torch.cuda.synchronize()",
    "torch.cuda.synchronize(0)", "torch.cuda.Stream()", "torch.cuda.Stream(0)", "torch.cuda.Event()",
    "torch.cuda.Event(enable_timing=True)", "torch.cuda.CUDAGraph()", "torch.cuda.current_stream()",
    "torch.cuda.default_stream()", "torch.cuda.get_device_name()", "torch.cuda.get_device_name(0)",
    "torch.cuda.get_device_properties(0)", "torch.cuda.get_device_capability()",
    "torch.cuda.mem_get_info()", "torch.cuda.initial_seed()", "torch.cuda.get_rng_state()",
    "torch.cuda.ipc_collect()", "torch.cuda.can_device_access_peer(0, 1)",
    "torch.cuda.set_per_process_memory_fraction(0.5)", "torch.cuda.cudart()",
    "torch.cuda.device(0).__enter__()", "torch.device(0)", "torch.device(1)",
    "torch.ones(2).cuda()", "torch.ones(2).cuda(0)", "torch.ones(2).cuda('cuda:1')",
    "torch.ones(2).cuda(torch.device('cuda', 1))", "torch.ones(2).cuda(non_blocking=True)",
    "torch.ones(2).to('cuda')", "torch.ones(2).to('cuda:1')", "torch.ones(2).to(0)",
    "torch.ones(2).to('cuda', torch.float64)", "torch.ones(2).to(device='cuda:0')",
    "torch.ones(2).to(torch.device('cuda'), non_blocking=True)", "torch.ones(2).pin_memory()",
    "torch.ones(2, device='cuda')", "torch.ones(2, device=0)", "torch.zeros(2, device='cuda:0')",
    "torch.empty(2, device=torch.device('cuda'))", "torch.full((2,), 1.0, device='cuda')",
    "torch.arange(2, device='cuda')", "torch.linspace(0, 1, 2, device='cuda')",
    "torch.eye(2, device='cuda')", "torch.rand(2, device='cuda')", "torch.randn(2, device='cuda')",
    "torch.randint(2, (2,), device='cuda')", "torch.randperm(2, device='cuda')",
    "torch.tensor([1.0], device='cuda')", "torch.as_tensor([1.0], device='cuda')",
    "torch.zeros_like(torch.ones(2), device='cuda')", "torch.ones(2).new_zeros(2, device='cuda')",
    "torch.randn_like(torch.ones(2), device='cuda')", "torch.nn.Linear(1, 1).cuda()",
    "torch.ones(2).new_tensor([1.0], device='cuda')", "torch.nn.Linear(1, 1).cuda(0)",
    "torch.nn.Linear(1, 1).to('cuda')", "torch.nn.Linear(1, 1, device='cuda')",
]  # fmt: skip


@pytest.mark.parametrize("program", SAME)
def test_same_as_the_cpu_build(program):
    same(program)


def raised(library: Any, program: str) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011  (which one is what is compared)
        eval(program, {"torch": library})
    return caught.value


@pytest.mark.parametrize("program", REFUSED)
def test_refusals_have_pytorchs_type_and_say_what_to_install(program):
    theirs, ours = (raised(library, program) for library in LIBRARIES)
    assert type(ours) is type(theirs)
    assert str(ours) == str(theirs).rstrip(".") + "." + CPU_ONLY
    assert 'pip install -e ".[cuda13]"' in str(ours)


@pytest.mark.parametrize(
    "call", ["set_device(0)", "set_device('cuda:1')", "reset_peak_memory_stats()"]
)
def test_where_pytorch_misses_an_internal_function(call):
    assert isinstance(raised(torch, f"torch.cuda.{call}"), AttributeError)
    assert isinstance(raised(minigrad, f"torch.cuda.{call}"), AssertionError)


def test_a_module_that_cannot_move_is_unchanged():
    net = minigrad.nn.Linear(2, 2)
    weight = net.weight
    with pytest.raises(AssertionError, match="CPU only"):
        net.to("cuda")
    assert net.weight is weight


def test_the_usual_guard_runs_on_the_cpu():
    same("torch.ones(2).to('cuda' if torch.cuda.is_available() else 'cpu')")


# --- cuDNN's flags -------------------------------------------------------------------------------

FLAGS = "(c.enabled, c.benchmark, c.deterministic, c.allow_tf32, c.benchmark_limit)"


def flags_after(library: Any, statements: str) -> Any:
    """The flags after some statements; all are set back in the end."""
    cudnn = library.backends.cudnn
    names = ("enabled", "benchmark", "deterministic", "allow_tf32", "benchmark_limit")
    before = [getattr(cudnn, name) for name in names]
    scope = {"torch": library, "c": cudnn, "seen": []}
    try:
        exec(statements, scope)
        return scope["seen"], eval(FLAGS, scope)
    except Exception as error:
        return type(error).__name__, str(error)
    finally:
        for name, value in zip(names, before, strict=True):
            setattr(cudnn, name, value)


@pytest.mark.parametrize(
    "statements",
    [
        "", "c.deterministic = True", "c.benchmark = True; c.enabled = False", "c.allow_tf32 = False",
        "c.enabled = 'x'", "c.enabled = 1", "c.benchmark = 1", "c.deterministic = 'a'",
        "c.allow_tf32 = 0", "c.benchmark_limit = 3", "seen.append(c.set_flags())",
        "seen.append(c.set_flags(_benchmark=True))", "c.set_flags(_benchmark_limit=4)",
        f"with c.flags(enabled=False, benchmark=True): seen.append({FLAGS})",
        f"with c.flags(): seen.append({FLAGS})",
        "torch.backends.cudnn.deterministic = True; seen.append(c.deterministic)",
    ],
)  # fmt: skip
def test_cudnn_flags(statements, monkeypatch):
    # PyTorch's own test databases, which other files import, forbid plain assignment of flags.
    module = torch.backends.flags_frozen.__globals__
    monkeypatch.setitem(module, "__allow_nonbracketed_mutation_flag", True)
    theirs, ours = (flags_after(library, statements) for library in LIBRARIES)
    assert ours == theirs


def test_cudnn_is_a_module_that_can_be_imported():
    assert importlib.import_module("minigrad.backends.cudnn") is minigrad.backends.cudnn


def test_minigrad_does_not_import_cupy():
    run = [sys.executable, "-c", "import minigrad, sys; print('cupy' in sys.modules)"]
    assert subprocess.run(run, cwd=ROOT, capture_output=True, text=True).stdout == "False\n"


@pytest.mark.parametrize("command", [["-m", "parity"], ["benchmarks/run.py"]])
def test_programs_that_take_a_device(command):
    run = [sys.executable, *command, "--device", "cuda"]
    ended = subprocess.run(run, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 2
    assert "it needs CuPy and a driver (docs/gpu.md)" in ended.stderr
    listed = subprocess.run([*run[:-1], "cpu", "--list"], cwd=ROOT, capture_output=True, text=True)
    assert listed.returncode == 0, listed.stderr
