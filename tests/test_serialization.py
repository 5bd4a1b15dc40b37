"""Checkpoints: exchanged with PyTorch both ways, refused when hostile, and never half written."""

import collections
import contextlib
import copy
import io
import json
import os
import pickle
import stat
import struct
import sys
import types
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad import nn, optim
from minigrad.serialization import load, load_safetensors, save, save_safetensors

DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]


def saved(library: Any, obj: Any, **options: Any) -> io.BytesIO:
    """What `library` writes, ready to be read."""
    file = io.BytesIO()
    (torch.save if library is torch else save)(obj, file, **options)
    file.seek(0)
    return file


def loaded(library: Any, file: Any, **options: Any) -> Any:
    file.seek(0)
    return (torch.load if library is torch else load)(file, **options)


def plain(value: Any) -> Any:
    """`value` in terms that both libraries share: tensors by dtype, geometry and elements."""
    if isinstance(value, (torch.Tensor, mg.Tensor)):
        parameter = isinstance(value, (torch.nn.Parameter, nn.Parameter))
        strides = None if value.numel() == 0 else tuple(value.stride())
        kind = str(value.dtype).partition(".")[2]
        values = value.detach().numpy().tobytes()
        extra = plain(value.__dict__)
        return (
            "tensor",
            parameter,
            kind,
            tuple(value.shape),
            strides,
            values,
            value.requires_grad,
            extra,
        )
    if isinstance(value, (torch.Size, mg.Size)):
        return "Size", tuple(value)
    if isinstance(value, (torch.dtype, mg.dtype, torch.device, mg.device)):
        return str(value).removeprefix("torch.").removeprefix("minigrad.")
    if isinstance(value, dict):
        items = [(plain(k), plain(v)) for k, v in value.items()]
        attributes = getattr(value, "__dict__", {}).items()
        return type(value).__name__, items, [(k, plain(v)) for k, v in attributes]
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [plain(v) for v in value]
    if isinstance(value, (set, frozenset)):
        return type(value).__name__, sorted(map(repr, value))
    return type(value).__name__, repr(value)


def offsets(tensors: list[Any]) -> list[int]:
    return [t.data_ptr() - tensors[0].data_ptr() for t in tensors]


# ---- structures that both libraries can build ----------------------------------------------------


def views(t: Any) -> Any:
    base = t.arange(24.0)
    square = base[3:19].view(4, 4)
    return [
        base,
        square,
        square.t(),
        square[1:, ::2],
        base[5:6].expand(3),
        base[7],
        square.select(1, 2),
    ]


def empties(t: Any) -> Any:
    return [t.empty(0), t.zeros(3, 0, 2), t.arange(5)[2:2], t.tensor([])]


def module_state(t: Any) -> Any:
    t.manual_seed(3)
    return t.nn.Sequential(t.nn.Linear(3, 4), t.nn.ReLU(), t.nn.Linear(4, 1)).state_dict()


def training_state(t: Any) -> Any:
    t.manual_seed(5)
    model = t.nn.Linear(3, 2)
    optimizer = t.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True)
    model(t.ones(4, 3)).sum().backward()
    optimizer.step()
    return {"epoch": 3, "model": model.state_dict(), "optimizer": optimizer.state_dict()}


def attributes(t: Any) -> Any:
    tensor, parameter = t.ones(2), t.nn.Parameter(t.zeros(2))
    tensor.note, parameter.note = "a", [1, None]
    return tensor, parameter


def containers(t: Any) -> Any:
    shared = [1, 2]
    return {
        "numbers": [0, -1, 255, 256, 70000, -(2**31), 2**31, 2**63, -(10**50), 1.5, float("inf"), True],
        "complex": 1 + 2j, "text": ["", "ä€𝄞", "a\nb", "\ud800"], "bytes": [b"\x00\xff", bytearray(b"ab"), bytearray()],
        "nested": ((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, [4, {5: {"6": None}}])), 7: "int key", (1, 2): "tuple key",
        "set": {1, "b"}, "ordered": collections.OrderedDict(b=1, a=2), "counter": collections.Counter("abca"),
        "twice": [shared, shared], "size": t.Size([2, 3]), "dtypes": [getattr(t, d) for d in DTYPES],
        "devices": [t.device("cpu"), t.device("cuda", 1)],
    }  # fmt: skip


STRUCTURES: dict[str, Callable[[Any], Any]] = {
    "a tensor": lambda t: t.tensor([[1.5, -2.0], [float("nan"), 0.0]]),
    "a scalar": lambda t: t.tensor(3),
    "None": lambda t: None,
    "views": views,
    "dtypes": lambda t: [t.ones(3, dtype=getattr(t, d)) for d in DTYPES],
    "empty": empties,
    "requires_grad": lambda t: [t.ones(2, requires_grad=True), t.ones(2, requires_grad=True) * 2],
    "Parameters": lambda t: [
        t.nn.Parameter(t.ones(2, 3)),
        t.nn.Parameter(t.arange(2), requires_grad=False),
    ],
    "attributes": attributes,
    "containers": containers,
    "a module's state": module_state,
    "a training's state": training_state,
    "many": lambda t: [t.tensor(i) for i in range(300)],
}


@pytest.mark.parametrize("name", STRUCTURES)
@pytest.mark.parametrize("weights_only", [True, False])
def test_pytorch_reads_what_minigrad_wrote(name: str, weights_only: bool) -> None:
    file = saved(mg, STRUCTURES[name](mg))
    assert plain(loaded(torch, file, weights_only=weights_only)) == plain(STRUCTURES[name](torch))


@pytest.mark.parametrize("name", STRUCTURES)
@pytest.mark.parametrize("weights_only", [True, False])
def test_minigrad_reads_what_pytorch_wrote(name: str, weights_only: bool) -> None:
    file = saved(torch, STRUCTURES[name](torch))
    assert plain(loaded(mg, file, weights_only=weights_only)) == plain(STRUCTURES[name](mg))


@pytest.mark.parametrize("name", STRUCTURES)
@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_minigrad_reads_what_it_wrote(name: str, protocol: int) -> None:
    obj = STRUCTURES[name](mg)
    for weights_only in (True, False):
        file = saved(mg, obj, pickle_protocol=protocol)
        assert plain(loaded(mg, file, weights_only=weights_only)) == plain(obj)


@pytest.mark.parametrize("name", ["a tensor", "views", "dtypes", "Parameters", "a module's state"])
def test_the_records_are_pytorchs(name: str) -> None:
    """Not only readable: the pickle and the storages are the same bytes."""
    ours, theirs = (zipfile.ZipFile(saved(t, STRUCTURES[name](t))) for t in (mg, torch))
    assert set(ours.namelist()) <= set(theirs.namelist())
    for record in ours.namelist():
        assert ours.read(record) == theirs.read(record), record
    assert {n for n in theirs.namelist() if "/data" in n} == {
        n for n in ours.namelist() if "/data" in n
    }


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_minigrad_reads_pytorchs_other_protocols(protocol: int) -> None:
    obj = {"w": torch.ones(2, 3), "s": {1, 2}, "t": (1, "a", b"b"), "long": "x" * 70000}
    file = saved(torch, obj, pickle_protocol=protocol)
    assert plain(loaded(mg, file)) == plain(obj)


def test_a_model_moves_between_the_libraries() -> None:
    class Net:
        def __new__(cls, t: Any) -> Any:
            return t.nn.Sequential(t.nn.Linear(3, 4), t.nn.ReLU(), t.nn.Linear(4, 1))

    def step(t: Any, model: Any, optimizer: Any) -> None:
        optimizer.zero_grad()
        model(t.linspace(-1.0, 1.0, 6).view(2, 3)).sum().backward()
        optimizer.step()

    sides = {}
    for t, library_optim in ((torch, torch.optim), (mg, optim)):
        t.manual_seed(1)
        model = Net(t)
        optimizer = library_optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        step(t, model, optimizer)
        sides[t] = model, optimizer
    for source, target in ((torch, mg), (mg, torch)):
        model, optimizer = sides[source]
        state = loaded(
            target, saved(source, {"m": model.state_dict(), "o": optimizer.state_dict()})
        )
        other = Net(target)
        other.load_state_dict(state["m"])
        library_optim = torch.optim if target is torch else optim
        other_optimizer = library_optim.SGD(other.parameters(), lr=0.5)
        other_optimizer.load_state_dict(state["o"])
        for t, m, o in ((source, copy.deepcopy(model), None), (target, other, other_optimizer)):
            if o is None:
                o = (torch.optim if t is torch else optim).SGD(m.parameters(), lr=0.1)
                o.load_state_dict(copy.deepcopy(optimizer.state_dict()))
            step(t, m, o)
            sides[source, t] = [p.detach().numpy() for p in m.parameters()]
        for a, b in zip(sides[source, source], sides[source, target], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6)


def test_whole_modules_of_minigrad() -> None:
    mg.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    file = saved(mg, model)
    with pytest.raises(
        pickle.UnpicklingError, match=r"minigrad\.nn\.modules\.container\.Sequential"
    ):
        loaded(mg, file)
    other = loaded(mg, file, weights_only=False)
    x = mg.ones(1, 2)
    assert other(x).tolist() == model(x).tolist()
    other(x).sum().backward()
    assert other[0].weight.grad is not None
    assert "ReLU" in repr(other)


def test_whole_modules_of_pytorch_are_refused() -> None:
    file = saved(torch, torch.nn.Linear(1, 1))
    for weights_only in (True, False):
        with pytest.raises(
            pickle.UnpicklingError, match=r"torch\.nn\.modules\.linear\.Linear.*state_dict"
        ):
            loaded(mg, file, weights_only=weights_only)


def test_other_dtypes_are_refused() -> None:
    for dtype in (torch.bfloat16, torch.complex64, torch.uint16):
        with pytest.raises(pickle.UnpicklingError, match="dtype that minigrad does not have"):
            loaded(mg, saved(torch, torch.ones(1, dtype=dtype)))
    with pytest.raises(pickle.UnpicklingError, match="_rebuild_sparse_tensor"):
        loaded(mg, saved(torch, torch.ones(1).to_sparse()))


elements = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.binary(),
    st.complex_numbers(allow_nan=False),
)  # fmt: skip
keys = st.one_of(st.integers(), st.text(), st.tuples(st.integers(), st.text()))
objects = st.recursive(
    elements,
    lambda inner: st.one_of(
        st.lists(inner), st.dictionaries(keys, inner), st.tuples(inner), st.tuples(inner, inner, inner),
        st.sets(keys), st.dictionaries(keys, inner).map(collections.OrderedDict),
    ),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=60, deadline=None, derandomize=True)
@given(objects)
def test_containers_of_all_kinds(obj: Any) -> None:
    file = saved(mg, obj)
    for library, weights_only in ((mg, True), (mg, False), (torch, True), (torch, False)):
        result = loaded(library, file, weights_only=weights_only)
        assert result == obj
        assert plain(result) == plain(obj)


# ---- shared memory -------------------------------------------------------------------------------


@pytest.mark.parametrize("source", [torch, mg], ids=["from PyTorch", "from minigrad"])
@pytest.mark.parametrize("target", [torch, mg], ids=["to PyTorch", "to minigrad"])
def test_views_share_memory_after_loading(source: Any, target: Any) -> None:
    result = loaded(target, saved(source, views(source)))
    assert offsets(result) == offsets(views(source)) == offsets(views(torch))
    with target.no_grad():
        result[0].fill_(-1.0) if target is torch else result[0].copy_(mg.full((24,), -1.0))
    assert all((t == -1.0).all() for t in result)


def test_the_same_tensor_stays_the_same() -> None:
    x, p = mg.ones(2), nn.Parameter(mg.ones(2))
    a, b, c, d = loaded(mg, saved(mg, [x, x, p, p]))
    assert a is b
    assert c is d


def test_tied_parameters_stay_tied() -> None:
    first, second = nn.Linear(3, 3), nn.Linear(3, 3)
    second.weight = first.weight
    state = nn.Sequential(first, second).state_dict()
    for library in (mg, torch):
        result = loaded(library, saved(mg, state))
        assert result["0.weight"].data_ptr() == result["1.weight"].data_ptr()
        assert result["0.bias"].data_ptr() != result["1.bias"].data_ptr()


def test_memory_of_numpy_is_shared_too() -> None:
    array = np.arange(10.0)
    a, b = mg.from_numpy(array[2:]), mg.from_numpy(array[:8])
    file = saved(mg, [a, b])
    assert [n for n in zipfile.ZipFile(file).namelist() if "/data/" in n] == ["archive/data/0"]
    for library in (mg, torch):
        a, b = loaded(library, file)
        assert offsets([b, a]) == [0, 16]
        assert a.tolist() == list(range(2, 10))


def test_columns_of_a_fortran_array() -> None:
    array = np.asfortranarray(np.arange(12.0).reshape(3, 4))
    tensors = [mg.from_numpy(array), mg.from_numpy(array[:, 1:3]), mg.from_numpy(array[1])]
    for library in (mg, torch):
        result = loaded(library, saved(mg, tensors))
        assert [t.tolist() for t in result] == [
            array.tolist(),
            array[:, 1:3].tolist(),
            array[1].tolist(),
        ]
        assert [tuple(t.stride()) for t in result] == [(1, 3), (1, 3), (3,)]
        assert offsets(result) == [0, 24, 8]


def test_memory_that_is_not_numpys(tmp_path: Path) -> None:
    np.arange(6, dtype=np.float32).tofile(tmp_path / "raw")
    mapped = np.memmap(tmp_path / "raw", np.float32, "r+")
    owned = np.frombuffer(bytearray(mapped.tobytes()), np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(owned, 3, writeable=True)
    file = saved(mg, [mg.from_numpy(a) for a in (mapped[2:], owned, windows, windows[1])])
    for library in (mg, torch):
        tensors = loaded(library, file)
        assert [t.tolist() for t in tensors[:2]] == [[2, 3, 4, 5], [0, 1, 2, 3, 4, 5]]
        assert tensors[2].tolist() == [[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5]]
        assert tensors[3].tolist() == [1, 2, 3]
        assert offsets(tensors[1:]) == [0, 0, 4]


def test_layouts_that_pytorch_does_not_have_are_copied() -> None:
    raw = np.zeros(3, [("flag", np.uint8), ("value", np.float64)])
    raw["value"] = [1, 2, 3]
    backwards = np.arange(4.0)[::-1]
    for array in (backwards, raw["value"], np.arange(12.0).reshape(3, 4)[::-1, 1:]):
        tensor = mg.ones(1)
        tensor._array = array
        for library in (mg, torch):
            assert loaded(library, saved(mg, tensor)).tolist() == array.tolist()


def test_one_memory_of_two_dtypes_is_refused() -> None:
    array = np.arange(4, dtype=np.float32)
    with pytest.raises(RuntimeError, match="view the same data as different types"):
        saved(mg, [mg.from_numpy(array), mg.from_numpy(array.view(np.int32))])


def test_loaded_tensors_are_ready_for_work() -> None:
    x = loaded(mg, saved(mg, mg.tensor([1.0, 2.0], requires_grad=True)))
    (x * x).sum().backward()
    assert x.grad.tolist() == [2.0, 4.0]
    with mg.no_grad():
        x.add_(1.0)
    assert x._version == 2  # loading has written once, as in PyTorch
    with mg.inference_mode():
        assert loaded(mg, saved(mg, x)).is_inference()


def test_pickle_and_deepcopy_are_as_before() -> None:
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    for y in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert y.tolist() == x.tolist()
        assert y.requires_grad
        assert b"torch" not in pickle.dumps(x)


def test_hooks_are_not_saved_and_that_is_said() -> None:
    for t in (torch, mg):
        x = t.ones(2, requires_grad=True)
        for tensor in (x, x * 2):
            tensor.register_hook(lambda grad: grad)
            with pytest.warns(UserWarning, match="will not be serialized"):
                saved(t, tensor)


# ---- the archive ---------------------------------------------------------------------------------


def data_positions(content: bytes) -> dict[str, int]:
    positions = {}
    for info in zipfile.ZipFile(io.BytesIO(content)).infolist():
        name, extra = struct.unpack_from("<HH", content, info.header_offset + 26)
        positions[info.filename] = info.header_offset + 30 + name + extra
    return positions


def test_records_are_aligned_and_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    tensors = [mg.ones(n) for n in range(20)]
    content = saved(mg, tensors).getvalue()
    assert {p % 64 for p in data_positions(content).values()} == {0}
    assert {i.compress_type for i in zipfile.ZipFile(io.BytesIO(content)).infolist()} == {
        zipfile.ZIP_STORED
    }
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 40)  # records as of more than 2 GB
    large = saved(mg, tensors).getvalue()
    assert large != content
    assert {p % 64 for p in data_positions(large).values()} == {0}
    assert plain(torch.load(io.BytesIO(large))) == plain(load(io.BytesIO(large))) == plain(tensors)


def test_pytorch_maps_the_file_into_memory(tmp_path: Path) -> None:
    save(views(mg), tmp_path / "a.pt")
    assert plain(torch.load(tmp_path / "a.pt", mmap=True)) == plain(views(torch))


def test_equal_objects_make_equal_files(tmp_path: Path) -> None:
    for name in "ab":
        save(training_state(mg), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_other_byte_order() -> None:
    obj = [torch.arange(5.0), torch.arange(4, dtype=torch.int16), torch.tensor([True])]
    source = zipfile.ZipFile(saved(torch, obj))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as target:
        for info in source.infolist():
            content = source.read(info)
            if info.filename.endswith("byteorder"):
                content = {"little": b"big", "big": b"little"}[sys.byteorder]
            elif "/data/" in info.filename:
                width = obj[int(info.filename[-1])].element_size()
                content = np.frombuffer(content, f"V{width}").view(f"u{width}").byteswap().tobytes()
            target.writestr(info.filename, content)
    assert plain(loaded(mg, file)) == plain(obj)


class Slow:
    """An object with `write` alone, which takes a few bytes at a time."""

    def __init__(self) -> None:
        self.parts: list[Any] = []

    def write(self, data: Any) -> int:
        self.parts.append(data[:1000])
        return len(self.parts[-1])


def test_file_objects(tmp_path: Path) -> None:
    obj = {"w": mg.arange(1000.0)}
    slow = Slow()
    save(obj, slow)
    obj["w"].add_(1.0)  # what was handed to `write` is not the tensor's own memory
    assert loaded(torch, io.BytesIO(b"".join(slow.parts)))["w"].tolist() == list(range(1000))
    with open(tmp_path / "a", "wb", buffering=0) as file:
        file.write(b"before")
        save(obj, file)
    for library in (mg, torch):
        with open(tmp_path / "a", "rb") as file:
            file.seek(6)
            result = (load if library is mg else torch.load)(file)["w"]
            assert result.tolist() == obj["w"].tolist()
    with pytest.raises(AttributeError, match="'write' attribute"):
        save(obj, 3)
    with pytest.raises(AttributeError, match=r"'int'.*seek"):
        load(3)


def test_files_of_both_libraries(tmp_path: Path) -> None:
    save({"w": mg.ones(3)}, str(tmp_path / "a.pt"))
    assert torch.load(tmp_path / "a.pt")["w"].tolist() == [1.0, 1.0, 1.0]
    torch.save({"w": torch.ones(2)}, tmp_path / "a.pt")
    assert load(str(tmp_path / "a.pt"))["w"].tolist() == [1.0, 1.0]
    assert os.listdir(tmp_path) == ["a.pt"]


def test_options(tmp_path: Path) -> None:
    file = saved(mg, mg.ones(1), pickle_module=pickle)
    assert loaded(mg, file, weights_only=None).tolist() == [1.0]
    with pytest.warns(UserWarning, match="pickle_load_args"):
        loaded(mg, file, encoding="ascii")
    assert loaded(mg, file, weights_only=False, encoding="ascii").tolist() == [1.0]
    with pytest.raises(RuntimeError, match="mmap"):
        loaded(mg, file, mmap=True)
    with pytest.raises(RuntimeError, match="pickle_module"):
        save(1, file, pickle_module=json)


# ---- devices -------------------------------------------------------------------------------------


def on_cuda() -> io.BytesIO:
    """A checkpoint as a machine with a GPU would write it."""
    source = zipfile.ZipFile(saved(torch, [torch.arange(3.0)]))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name.endswith("data.pkl"):
                content = content.replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0")
            target.writestr(name, content)
    return file


LOCATIONS: dict[str, Callable[[Any], Any]] = {
    "name": lambda t: "cpu",
    "device": lambda t: t.device("cpu"),
    "dict": lambda t: {"cuda:0": "cpu"},
    "function": lambda t: lambda storage, location: storage,
    "nothing": lambda t: None,
    "other dict": lambda t: {"cuda:1": "cpu"},
    "function of nothing": lambda t: lambda storage, location: None,
    "cuda": lambda t: "cuda",
}


@pytest.mark.parametrize("how", LOCATIONS)
def test_tensors_of_a_gpu(how: str) -> None:
    outcomes = []
    for t in (torch, mg):
        try:
            outcomes.append(loaded(t, on_cuda(), map_location=LOCATIONS[how](t))[0].tolist())
        except RuntimeError as error:
            outcomes.append(str(error).partition(". ")[0])
    if not torch.cuda.is_available():
        assert outcomes[0] == outcomes[1]


def test_unknown_devices() -> None:
    with pytest.raises(RuntimeError, match="no device 'mps'"):
        loaded(mg, saved(mg, mg.ones(1)), map_location="mps")
    with pytest.raises(RuntimeError, match="has to return a storage"):
        loaded(mg, saved(mg, mg.ones(1)), map_location=lambda storage, location: 3)


# ---- files from strangers ------------------------------------------------------------------------

ran: list[str] = []


def strike(*args: Any) -> str:
    ran.append("struck")
    return "struck"


class Calls:
    """Pickles as a call of `function`."""

    def __init__(self, function: Any, *args: Any) -> None:
        self.function, self.args = function, args

    def __reduce__(self) -> Any:
        return self.function, self.args


class Grenade:
    def __init__(self) -> None:
        ran.append("made")

    def __setstate__(self, state: Any) -> None:
        ran.append("state")

    def __getstate__(self) -> Any:
        return {"a": 1}


def archive_of(program: bytes) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", program)
        archive.writestr("archive/version", b"3\n")
        archive.writestr("archive/byteorder", b"little")
        archive.writestr("archive/data/0", np.arange(4.0, dtype=np.float32).tobytes())
    file.seek(0)
    return file


@pytest.fixture(autouse=True)
def _nothing_ran() -> Iterator[None]:
    ran.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


HOSTILE: dict[str, tuple[Callable[[Path], Any], str]] = {
    "os.system": (lambda p: Calls(os.system, f"touch {p}"), r"(posix|nt)\.system"),
    "eval": (lambda p: Calls(eval, f"open({str(p)!r}, 'w')"), r"builtins\.eval"),
    "exec": (lambda p: Calls(exec, f"open({str(p)!r}, 'w')"), r"builtins\.exec"),
    "getattr": (lambda p: Calls(getattr, mg.ones, "__globals__"), r"builtins\.getattr"),
    "open": (lambda p: Calls(open, str(p), "w"), r"(io|_io)\.open|builtins\.open"),
    "a function": (lambda p: Calls(strike), r"test_serialization\.strike"),
    "a class": (
        lambda p: Grenade(),
        r"(copyreg|copy_reg)\._reconstructor|test_serialization\.Grenade",
    ),
    "numpy": (lambda p: np.float64(1.0), r"numpy.*scalar"),
    "numpy array": (lambda p: np.ones(2), r"numpy.*(_reconstruct|_frombuffer)"),
    "defaultdict": (lambda p: collections.defaultdict(Grenade), r"collections\.defaultdict"),
    "import": (lambda p: Calls(__import__, "this"), r"builtins\.__import__"),
    "of ours": (lambda p: Calls(mg.manual_seed, 1), r"minigrad\.random\.manual_seed"),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_a_call_is_refused_by_name(name: str, protocol: int, tmp_path: Path) -> None:
    make, expected = HOSTILE[name]
    evil = make(tmp_path / "ran")
    ran.clear()
    if protocol >= 2:
        file = saved(mg, {"a": mg.ones(1), "b": [evil]}, pickle_protocol=protocol)
        with pytest.raises(pickle.UnpicklingError, match=expected):
            loaded(mg, file)
    with pytest.raises(pickle.UnpicklingError, match=expected):
        load(archive_of(pickle.dumps(evil, protocol)))
    assert ran == []
    assert not (tmp_path / "ran").exists()


def test_weights_only_false_runs_what_the_file_names(tmp_path: Path) -> None:
    file = saved(mg, Calls(strike))
    with pytest.raises(pickle.UnpicklingError):
        loaded(mg, file)
    assert ran == []
    assert loaded(mg, file, weights_only=False) == "struck"
    assert ran == ["struck"]


def test_pytorchs_hostile_files_are_refused(tmp_path: Path) -> None:
    for weights_only in (True, None):
        with pytest.raises(pickle.UnpicklingError, match=r"test_serialization\.strike"):
            loaded(mg, saved(torch, [torch.ones(2), Calls(strike)]), weights_only=weights_only)
    assert ran == []


PROTO = b"\x80\x02"
STORAGE = (
    b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x04tQ"
)
REBUILD = b"ctorch._utils\n_rebuild_tensor_v2\n("
ORDERED = b"ccollections\nOrderedDict\n"
PROGRAMS: dict[str, bytes] = {
    "an old instance": b"(X\x01\x00\x00\x00xios\nsystem\n.",
    "an old instance of ours": b"(iminigrad\nmanual_seed\n.",
    "instance of an admitted name": b"(K\x05itorch\nTensor\n.",
    "object": b"(cos\nsystem\nX\x01\x00\x00\x00xo.",
    "new object": PROTO + b"ctorch\nTensor\nK\x05\x85\x81.",
    "call of a class that is only a name": PROTO + b"ctorch\nTensor\nK\x05\x85R.",
    "call of a dtype": PROTO + b"ctorch\nfloat32\n)R.",
    "call of a string": PROTO + b"X\x02\x00\x00\x00os)R.",
    "call of a tensor": PROTO + REBUILD + STORAGE + b"K\x00)))\x89Nt" + b"R)R.",
    "attributes of a class": PROTO + ORDERED + b"N}X\x06\x00\x00\x00updateK\x01s\x86b.",
    "attributes of Counter": PROTO + b"ccollections\nCounter\nN}X\x06\x00\x00\x00updateK\x01s\x86b.",
    "attributes of a dtype": PROTO + b"ctorch\nfloat32\n}X\x05\x00\x00\x00_nameK\x01sb.",
    "attributes of a function": PROTO + b"ctorch._utils\n_rebuild_tensor_v2\n}X\x01\x00\x00\x00aK\x01sb.",
    "slots of a tensor": PROTO + REBUILD + STORAGE + b"K\x00)))\x89NtRN}X\x06\x00\x00\x00_arrayK\x01s\x86b.",
    "a dotted name": b"\x80\x04\x8c\x05torch\x8c\x14Tensor.backward.__globals__\x93.",
    "append to a class": PROTO + ORDERED + b"K\x01a.",
    "append to a dict": PROTO + b"}K\x01a.",
    "item of a list": PROTO + b"](K\x00K\x01u.",
    "item of a tensor": PROTO + REBUILD + STORAGE + b"K\x00)))\x89NtRK\x00K\x01s.",
    "odd items": PROTO + b"}(K\x00u.",
    "unhashable key": PROTO + b"}(]K\x01u.",
    "extension": PROTO + b"\x82\x01.",
    "persistent text": b"Psomething\n.",
    "persistent number": PROTO + b"K\x01Q.",
    "persistent module": PROTO + b"(X\x06\x00\x00\x00moduleK\x01K\x01K\x01K\x01tQ.",
    "storage of another type": PROTO + STORAGE.replace(b"ctorch\nFloatStorage\n", b"ctorch\nfloat32\n") + b".",
    "storage elsewhere": PROTO + STORAGE.replace(b"X\x01\x00\x00\x000", b"X\x05\x00\x00\x00../..") + b".",
    "storage too large": PROTO + STORAGE.replace(b"K\x04", b"J\xff\xff\xff\x7f") + b".",
    "storage below zero": PROTO + STORAGE.replace(b"K\x04", b"J\xff\xff\xff\xff") + b".",
    "storage of two dtypes": PROTO + b"]" + STORAGE + b"a" + STORAGE.replace(b"Float", b"Int") + b"a.",
    "tensor beyond its storage": PROTO + REBUILD + STORAGE + b"K\x02K\x03\x85K\x01\x85\x89NtR.",
    "stride beyond its storage": PROTO + REBUILD + STORAGE + b"K\x00K\x02\x85K\x04\x85\x89NtR.",
    "negative offset": PROTO + REBUILD + STORAGE + b"J\xff\xff\xff\xffK\x01\x85K\x01\x85\x89NtR.",
    "negative stride": PROTO + REBUILD + STORAGE + b"K\x03K\x02\x85J\xff\xff\xff\xff\x85\x89NtR.",
    "negative size": PROTO + REBUILD + STORAGE + b"K\x00J\xff\xff\xff\xff\x85K\x01\x85\x89NtR.",
    "huge size": PROTO + REBUILD + STORAGE + b"K\x00(\x8a\x08" + b"\xff" * 7 + b"\x7ftK\x00\x85\x89NtR.",
    "huge empty size": PROTO + REBUILD + STORAGE + b"K\x00(K\x00\x8a\x08" + b"\xff" * 7 + b"\x7ft(K\x00K\x00t\x89NtR.",
    "sizes without strides": PROTO + REBUILD + STORAGE + b"K\x00K\x02\x85)\x89NtR.",
    "sizes of text": PROTO + REBUILD + STORAGE + b"K\x00X\x01\x00\x00\x002\x85K\x01\x85\x89NtR.",
    "tensor of a list": PROTO + REBUILD + b"]K\x00)))\x89NtR.",
    "parameter of a list": PROTO + b"ctorch._utils\n_rebuild_parameter\n(]\x88NtR.",
    "rebuilt by another function": PROTO + b"ctorch._tensor\n_rebuild_from_type_v2\n(c_codecs\nencode\n"
    b"ctorch\nTensor\n)}tR.",
    "rebuilt as another class": PROTO + b"ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._utils\n_rebuild_tensor_v2\n"
    b"ctorch\nSize\n)}tR.",
    "another codec": PROTO + b"c_codecs\nencode\nX\x01\x00\x00\x00aX\x05\x00\x00\x00rot13\x86R.",
    "a huge bytearray": PROTO + b"c__builtin__\nbytearray\nJ\xff\xff\xff\x7f\x85R.",
    "arguments that are no tuple": PROTO + b"ctorch\nSize\n]R.",
    "unknown memo": PROTO + b"h\x07.",
    "memo of nothing": PROTO + b"q\x00.",
    "a huge memo": PROTO + b"r\xff\xff\xff\xff.",
    "empty stack": PROTO + b".",
    "no mark": PROTO + b"t.",
    "tuple of too few": PROTO + b"K\x01\x87.",
    "no end": PROTO + b"K\x01",
    "cut number": PROTO + b"J\x00",
    "cut text": PROTO + b"X\xff\xff\xff\x7fabc",
    "cut name": PROTO + b"ctorch\nSi",
    "wrong text": PROTO + b"X\x01\x00\x00\x00\xff.",
    "empty": b"",
    "no pickle": b"hello",
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_hostile_programs_are_refused(name: str) -> None:
    before = dict(vars(collections.Counter)), dict(vars(mg.float32)), mg.initial_seed()
    with pytest.raises((pickle.UnpicklingError, RuntimeError)) as caught:
        load(archive_of(PROGRAMS[name]))
    assert not isinstance(caught.value, (RecursionError, NotImplementedError))
    assert (dict(vars(collections.Counter)), dict(vars(mg.float32)), mg.initial_seed()) == before


REASONS = {
    "rebuilt by another function": "what is to be rebuilt is no tensor",
    "rebuilt as another class": "what is to be rebuilt is no tensor",
    "tensor of a list": "a tensor is made of a storage",
    "parameter of a list": "a Parameter is made of a tensor",
    "tensor beyond its storage": "storage offset 2 require 5 elements, the storage has 4",
    "stride beyond its storage": "storage offset 0 require 5 elements, the storage has 4",
    "cut text": "pickle data was truncated",
    "an old instance": r"GLOBAL os\.system",
    "extension": "Unsupported operand 130",
    "call of a class that is only a name": "Trying to call reduce",
    "storage too large": "has not the size of 2147483647 elements",
    "storage elsewhere": r"no record data/\.\./\.\.",
    "a huge bytearray": "Malformed pickle",
}


@pytest.mark.parametrize("name", REASONS)
def test_the_reason_is_given(name: str) -> None:
    with pytest.raises((pickle.UnpicklingError, RuntimeError), match=REASONS[name]):
        load(archive_of(PROGRAMS[name]))


def test_a_record_that_claims_to_be_larger_than_the_file() -> None:
    """Memory is taken for what can be there, not for what is claimed."""
    content = bytearray(archive_of(PROGRAMS["storage too large"]).getvalue())
    entry = content.rindex(b"archive/data/0") - 46
    struct.pack_into("<II", content, entry + 20, 0x7FFFFFF0, 0x7FFFFFF0)
    with pytest.raises(RuntimeError, match="larger than the file"):
        load(io.BytesIO(content))


def test_the_pieces_of_the_hostile_programs_work() -> None:
    """The programs above fail for what they try, not for how they are written."""
    program = PROTO + REBUILD + STORAGE + b"K\x01K\x02\x85K\x02\x85\x89NtR."
    assert load(archive_of(program)).tolist() == [1.0, 3.0]


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.data())
def test_random_programs_do_no_harm(data: st.DataObject) -> None:
    """Pickles with instructions replaced at random give an object or an UnpicklingError."""
    program = bytearray(zipfile.ZipFile(saved(mg, training_state(mg))).read("archive/data.pkl"))
    for _ in range(data.draw(st.integers(1, 4))):
        program[data.draw(st.integers(0, len(program) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(pickle.UnpicklingError, RuntimeError):
        load(archive_of(bytes(program)))


# ---- damage --------------------------------------------------------------------------------------


def small_checkpoint() -> bytes:
    return saved(
        torch, {"w": torch.arange(6.0).view(2, 3), "b": torch.ones(2), "n": [1, "two"]}
    ).getvalue()


def clearly(content: bytes, weights_only: bool = True) -> Any:
    """The loaded object, or None after a clear refusal."""
    try:
        return plain(load(io.BytesIO(content), weights_only=weights_only))
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        return None if len(str(error)) > 20 else "an error without a sentence"


@pytest.mark.parametrize("library", [torch, mg], ids=["PyTorch's", "minigrad's"])
def test_cut_files(library: Any) -> None:
    content = saved(library, module_state(library)).getvalue()
    for length in [*range(0, 80), *range(80, len(content), 37), len(content) - 1]:
        assert clearly(content[:length]) is None
    assert clearly(content) is not None
    with pytest.raises(RuntimeError, match=r"failed reading zip archive.*cut or damaged"):
        load(io.BytesIO(content[:-1]))


@pytest.mark.parametrize("library", [torch, mg], ids=["PyTorch's", "minigrad's"])
@pytest.mark.parametrize("bit", [0, 3, 7])
def test_flipped_bytes(library: Any, bit: int) -> None:
    """A flipped bit is reported, or was in bytes that mean nothing: the values are never wrong."""
    obj = {"w": library.arange(6.0).view(2, 3), "b": library.ones(2), "n": [1, "two"]}
    content = saved(library, obj).getvalue()
    positions = data_positions(content)
    meaningful: set[int] = set()
    for name in ("data.pkl", "data/0", "data/1", "byteorder"):
        info = zipfile.ZipFile(io.BytesIO(content)).getinfo(f"archive/{name}")
        start = positions[info.filename]
        meaningful |= set(range(start, start + info.file_size))
    for i in range(len(content)):
        damaged = bytearray(content)
        damaged[i] ^= 1 << bit
        result = clearly(bytes(damaged), weights_only=bool(i % 2))
        assert result is None or (result == plain(obj) and i not in meaningful), i


def test_the_file_system_says_the_same(tmp_path: Path) -> None:
    content = small_checkpoint()
    for i in range(0, len(content), 11):
        damaged = bytearray(content)
        damaged[i] ^= 0xFF
        (tmp_path / "a").write_bytes(damaged)
        try:
            from_file = plain(load(tmp_path / "a"))
        except (pickle.UnpicklingError, RuntimeError):
            from_file = None
        assert from_file == clearly(bytes(damaged))


def test_foreign_files(tmp_path: Path) -> None:
    legacy = io.BytesIO()
    torch.save({"a": torch.ones(2)}, legacy, _use_new_zipfile_serialization=False)
    other_zip = io.BytesIO()
    with zipfile.ZipFile(other_zip, "w") as archive:
        archive.writestr("a/b", "c")
    script = io.BytesIO()
    torch.jit.save(torch.jit.script(torch.nn.ReLU()), script)
    compressed = io.BytesIO()
    with zipfile.ZipFile(compressed, "w", zipfile.ZIP_DEFLATED) as archive:
        source = zipfile.ZipFile(io.BytesIO(small_checkpoint()))
        for name in source.namelist():
            archive.writestr(name, source.read(name))
    cases = [
        (legacy.getvalue(), r"before version 1\.6.*torch\.save\(torch\.load\(path\), path\)"),
        (pickle.dumps([1]), "bare pickle"),
        (other_zip.getvalue(), r"no record data\.pkl"),
        (script.getvalue(), "TorchScript"),
        (compressed.getvalue(), "compressed"),
        (b"\x89PNG\r\n\x1a\n" * 10, "no checkpoint"),
        (b"hello world", "no checkpoint"),
    ]
    for content, message in cases:
        with pytest.raises(RuntimeError, match=message):
            load(io.BytesIO(content))
        with pytest.raises(RuntimeError, match=message):
            load(io.BytesIO(content), weights_only=False)
    with pytest.raises(EOFError, match="Ran out of input"):
        load(io.BytesIO())
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "missing")
    with pytest.raises(IsADirectoryError):
        load(tmp_path)


# ---- files are replaced as a whole or not at all -------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    assert [p.name for p in tmp_path.iterdir() if p.suffix == ".tmp"] == []


class Fails:
    def __reduce__(self) -> Any:
        raise KeyError("not to be saved")


def test_what_cannot_be_pickled_leaves_the_old_file(folder: Path) -> None:
    save([1], folder / "a")
    with pytest.raises(KeyError):
        save([mg.ones(10), Fails()], folder / "a")
    with pytest.raises((pickle.PicklingError, AttributeError)):
        save(lambda: 1, folder / "b")
    assert load(folder / "a") == [1]
    assert os.listdir(folder) == ["a"]


@pytest.mark.parametrize("step", ["fsync", "replace", "chmod"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failing_save_leaves_the_old_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException
) -> None:
    save([1], folder / "a")

    def fail(*args: Any) -> None:
        raise error

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(type(error)):
        save([2], folder / "a")
    assert load(folder / "a") == [1]
    assert os.listdir(folder) == ["a"]


def test_the_file_is_complete_before_it_gets_its_name(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    replace, fsync = os.replace, os.fsync

    def seen_replace(source: Any, target: Any) -> None:
        events.append("replace")
        assert Path(source).parent == folder
        assert load(source) == [2]
        assert load(target) == [1]
        replace(source, target)

    def seen_fsync(descriptor: int) -> None:
        events.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    save([1], folder / "a")
    monkeypatch.setattr(os, "replace", seen_replace)
    monkeypatch.setattr(os, "fsync", seen_fsync)
    save([2], folder / "a")
    assert events == ["file", "replace", "folder"]


def test_permissions_are_those_of_a_plain_open(folder: Path) -> None:
    for mask in (0o022, 0o077, 0o002):
        old = os.umask(mask)
        try:
            save(1, folder / f"saved{mask}")
            open(folder / f"opened{mask}", "wb").close()
        finally:
            os.umask(old)
        modes = [
            stat.S_IMODE(os.stat(folder / f"{kind}{mask}").st_mode) for kind in ("saved", "opened")
        ]
        assert modes[0] == modes[1] == 0o666 & ~mask
    os.chmod(folder / "saved18", 0o640)
    save(2, folder / "saved18")
    assert stat.S_IMODE(os.stat(folder / "saved18").st_mode) == 0o640


def test_links_and_pipes(folder: Path) -> None:
    (folder / "inner").mkdir()
    (folder / "link").symlink_to(folder / "inner" / "a")
    for value in (1, 2):
        save(value, folder / "link")
        assert (folder / "link").is_symlink()
        assert load(folder / "inner" / "a") == value
    os.mkfifo(folder / "pipe")
    reader = os.open(folder / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        save(3, folder / "pipe")
        assert load(io.BytesIO(os.read(reader, 1 << 16))) == 3
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(os.stat(folder / "pipe").st_mode)


def test_bad_paths(folder: Path) -> None:
    for library in (torch.save, save):
        with pytest.raises(RuntimeError, match=r"Parent directory .*missing does not exist\."):
            library(1, folder / "missing" / "a")
    with pytest.raises(OSError, match="directory"):
        save(1, folder)


# ---- safetensors ---------------------------------------------------------------------------------


def stand_in() -> types.ModuleType:
    """`safetensors.numpy` in a few lines, after the format's public description."""
    names = {"BOOL": "?", "U8": "u1", "I8": "i1", "I16": "<i2", "I32": "<i4", "I64": "<i8",
             "F16": "<f2", "F32": "<f4", "F64": "<f8"}  # fmt: skip

    def write(arrays: dict[str, Any], metadata: Any = None) -> bytes:
        header: dict[str, Any] = {"__metadata__": metadata} if metadata else {}
        body = b""
        for name, array in arrays.items():
            kind = next(k for k, v in names.items() if np.dtype(v) == array.dtype)
            start, body = len(body), body + array.tobytes()
            header[name] = {"dtype": kind, "shape": array.shape, "data_offsets": [start, len(body)]}
        text = json.dumps(header).encode()
        return struct.pack("<Q", len(text)) + text + body

    def read(content: bytes) -> dict[str, Any]:
        length = struct.unpack_from("<Q", content)[0]
        header = json.loads(content[8 : 8 + length])
        header.pop("__metadata__", None)
        return {
            name: np.frombuffer(
                content[8 + length :][slice(*e["data_offsets"])], names[e["dtype"]]
            ).reshape(e["shape"])
            for name, e in header.items()
        }

    module: Any = types.ModuleType("safetensors.numpy")
    module.save, module.load = write, read
    return module


@pytest.fixture
def safetensors(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The library, or where it is not installed, the stand-in."""
    try:
        import safetensors.numpy as library
    except ImportError:
        library = stand_in()
        monkeypatch.setitem(sys.modules, "safetensors", types.ModuleType("safetensors"))
        monkeypatch.setitem(sys.modules, "safetensors.numpy", library)
    return library


@pytest.mark.usefixtures("safetensors")
def test_safetensors(folder: Path) -> None:
    tensors = {d: mg.ones(2, 3, dtype=getattr(mg, d)) for d in DTYPES}
    tensors |= {
        "scalar": mg.tensor(3.0), "empty": mg.zeros(0, 2), "turned": mg.arange(6.0).view(2, 3).t(),
        "parameter": nn.Parameter(mg.ones(2)).detach(),
    }  # fmt: skip
    save_safetensors(tensors, folder / "a.safetensors", {"made": "here"})
    assert b'"made"' in (folder / "a.safetensors").read_bytes()
    for result in (
        load_safetensors(folder / "a.safetensors"),
        load(folder / "a.safetensors", "cpu"),
    ):
        assert result.keys() == tensors.keys()
        for name, tensor in tensors.items():
            assert result[name].dtype is tensor.dtype
            assert result[name].shape == tensor.shape
            assert result[name].tolist() == tensor.tolist()
            if name.startswith("float"):
                result[name].add_(1)  # the memory is its own and may be written
    file = io.BytesIO()
    save_safetensors(tensors, file)
    file.seek(0)
    assert load_safetensors(file)["turned"].tolist() == tensors["turned"].tolist()


@pytest.mark.usefixtures("safetensors")
def test_what_safetensors_cannot_hold(folder: Path) -> None:
    base = mg.arange(6.0)
    with pytest.raises(RuntimeError, match="share memory: 'a' and 'b'"):
        save_safetensors({"a": base[:4], "b": base[3:]}, folder / "a")
    save_safetensors({"a": base[:3], "b": base[3:]}, folder / "a")
    with pytest.raises(TypeError, match="tensors only, but 'a' is a list"):
        save_safetensors({"a": [1]}, folder / "a")
    assert load_safetensors(folder / "a")["b"].tolist() == [3.0, 4.0, 5.0]
    with pytest.raises(RuntimeError, match="CUDA device"):
        load_safetensors(folder / "a", "cuda")
    for content in (b"", b"hello world", (folder / "a").read_bytes()[:-1]):
        with pytest.raises(RuntimeError, match="cut or damaged, or no safetensors file"):
            load_safetensors(io.BytesIO(content))
    header = json.dumps({"a": {"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]}}).encode()
    with pytest.raises(RuntimeError, match="dtype 'BF16'"):
        load_safetensors(io.BytesIO(struct.pack("<Q", len(header)) + header + b"\0\0"))
    with pytest.raises(RuntimeError, match="has to be a device"):
        load_safetensors(folder / "a", {"cuda": "cpu"})


def test_without_safetensors(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    for call in (
        lambda: save_safetensors({}, folder / "a"),
        lambda: load_safetensors(folder / "a"),
        lambda: load(folder / "a.safetensors"),
    ):
        with pytest.raises(ImportError, match="pip install safetensors"):
            call()
    assert list(folder.iterdir()) == []
