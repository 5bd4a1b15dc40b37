"""`minigrad.utils.data` beside `torch.utils.data`: the same samples in the same batches in the same
order, with the generators left in the same state."""

import collections
import importlib
import itertools
import warnings

import numpy as np
import pytest
import torch

import minigrad
from minigrad.utils.data import iteration

Pair = collections.namedtuple("Pair", "x y")


def plain(value):
    """`value` without its library: tensors by dtype, shape and values, containers by type."""
    if isinstance(value, (torch.Tensor, minigrad.Tensor)):
        return (
            str(value.dtype).split(".")[-1],
            tuple(value.shape),
            value.tolist(),
            value.requires_grad,
        )
    if isinstance(value, dict):
        return type(value).__name__, {key: plain(v) for key, v in value.items()}
    if isinstance(value, (list, tuple, collections.deque)):
        return type(value).__name__, [plain(v) for v in value]
    return value.replace("minigrad", "torch") if isinstance(value, str) else value


def outcome(program, library):
    """What the program returns, then the state of the global generator and the warnings."""
    library.manual_seed(5)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = plain(program(library, library.utils.data))
        except Exception as error:
            result = Failure(plain(f"{type(error).__name__}: {error}"))
    state = bytes(library.get_rng_state().tolist())
    return result, state, [plain(str(w.message)) for w in caught]


class Failure(str):
    """What a program ended with that raised."""


def fails(program):
    """Marks a program that is expected to raise."""
    program.fails = True
    return program


def same(program, either=False):
    ours, theirs = outcome(program, minigrad), outcome(program, torch)
    assert ours[0] == theirs[0]
    assert ours[1] == theirs[1], "the generators' states differ"
    assert ours[2] == theirs[2]
    failed = isinstance(ours[0], Failure)
    assert either or failed == getattr(program, "fails", False), ours[0]
    return ours


def rows(t, n, dtype="float32"):
    """(n, 2) features and (n,) targets, every number different."""
    x = np.arange(2 * n).reshape(n, 2).astype(dtype)
    return t.from_numpy(x), t.from_numpy(-np.arange(n))


def state(generator):
    return bytes(generator.get_state().tolist())


# -- loaders over tensors -------------------------------------------------------------------------


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("batch_size", [1, 2, 3, 7, 10, 25, 100])
@pytest.mark.parametrize("n", [1, 10, 100])
def test_epochs(n, batch_size, shuffle, drop_last):
    """Three epochs, the generators compared after each batch."""

    def program(t, data):
        loader = data.DataLoader(
            data.TensorDataset(*rows(t, n)), batch_size, shuffle, drop_last=drop_last
        )
        log = [len(loader)]
        for _ in range(3):
            for batch in loader:
                log.append([batch, t.initial_seed(), state(t.default_generator)[-40:]])
            log.append(t.rand(1))
        return log

    same(program)


@pytest.mark.parametrize("batch_size", [1, 4, 5])
def test_a_generator_that_is_given(batch_size):
    """It draws seed and order; its state is the same after every single batch."""

    def program(t, data):
        generator = t.Generator().manual_seed(11)
        dataset = data.TensorDataset(*rows(t, 10))
        loader = data.DataLoader(dataset, batch_size, shuffle=True, generator=generator)
        log = []
        for _ in range(3):
            iterator = iter(loader)
            log.append(state(generator))
            for batch in iterator:
                log += [batch, state(generator)]
            log.append(state(generator))
        return log

    same(program)


def test_epochs_that_are_left_early():
    def program(t, data):
        loader = data.DataLoader(data.TensorDataset(*rows(t, 10)), 3, shuffle=True)
        log = [next(iter(loader)) for _ in range(3)]
        for batch in loader:
            log.append(batch)
            break
        iterator = iter(loader)
        other = iter(loader)
        log += [next(iterator), next(other), next(iterator), len(iterator)]
        log += [list(iterator), list(iterator), next(iterator, "end"), list(other)]
        return log

    same(program)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint8", "bool"])
def test_dtypes_and_shapes(dtype):
    def program(t, data):
        x = t.from_numpy(np.arange(24).reshape(6, 2, 2).astype(dtype))
        dataset = data.TensorDataset(x, x[:, 0, 0], x.transpose(1, 2), x[:, :0])
        return list(data.DataLoader(dataset, 4, shuffle=True))

    same(program)


def test_blocks_smaller_than_the_dataset(monkeypatch):
    """Rows gathered a few batches at a time give the same batches."""
    monkeypatch.setattr(iteration, "BLOCK_BYTES", 100)

    def program(t, data):
        log = []
        for batch_size in (1, 3, 7, 40):
            loader = data.DataLoader(data.TensorDataset(*rows(t, 50)), batch_size, shuffle=True)
            log += [list(loader), list(loader)]
        return log

    same(program)
    dataset = minigrad.utils.data.TensorDataset(minigrad.zeros(1000, 5))
    iterator = iter(minigrad.utils.data.DataLoader(dataset, 2))
    next(iterator)
    assert iterator._blocks[0].nbytes == 80


def test_batches_are_copies():
    def program(t, data):
        x, y = rows(t, 6)
        log = []
        for shuffle in (False, True):
            for a, b in data.DataLoader(data.TensorDataset(x, y), 2, shuffle=shuffle):
                a.zero_()
                b.add_(100)
                log.append([a, b])
        return [log, x, y]

    same(program)


def test_changes_of_the_data_during_an_epoch_are_seen():
    def program(t, data):
        x, y = rows(t, 6)
        log = []
        for i, batch in enumerate(data.DataLoader(data.TensorDataset(x, y), 2, shuffle=True)):
            log.append(batch)
            x.mul_(10) if i == 0 else y.zero_()
        return log

    same(program)


def test_data_that_requires_a_gradient():
    def program(t, data):
        x, y = rows(t, 6)
        x.requires_grad_()
        for a, _ in data.DataLoader(data.TensorDataset(x, y), 4, shuffle=True):
            (a * a).sum().backward()
        return x.grad

    same(program)


def test_the_fast_path_is_taken_where_it_should_be():
    data = minigrad.utils.data
    dataset = data.TensorDataset(*rows(minigrad, 6))

    class Doubled(data.TensorDataset):
        def __getitem__(self, index):
            return tuple(2 * v for v in super().__getitem__(index))

    fast = [data.DataLoader(dataset), data.DataLoader(dataset, 4, True, drop_last=True)]
    slow = [
        data.DataLoader(dataset, collate_fn=len),
        data.DataLoader(dataset, sampler=[0, 1]),
        data.DataLoader(Doubled(*dataset.tensors)),
        data.DataLoader(dataset, batch_size=None),
        data.DataLoader(dataset, batch_sampler=[[0, 1]]),
        data.DataLoader(data.TensorDataset(minigrad.ones(3, requires_grad=True))),
    ]
    assert all(isinstance(iter(loader), iteration.TensorRowsIter) for loader in fast)
    assert all(isinstance(iter(loader), iteration.SamplesIter) for loader in slow)


@pytest.mark.parametrize("batch_size", [1, 3, 10])
@pytest.mark.parametrize("shuffle", [False, True])
def test_both_paths_agree(batch_size, shuffle):
    """The fast path against collating sample by sample, in minigrad itself."""
    data = minigrad.utils.data

    class Plain(data.Dataset):
        def __getitem__(self, index):
            return fast.dataset[index]

        def __len__(self):
            return len(fast.dataset)

    fast = data.DataLoader(data.TensorDataset(*rows(minigrad, 25)), batch_size, shuffle)
    slow = data.DataLoader(Plain(), batch_size, shuffle)
    for _ in range(2):
        results = []
        for loader in (fast, slow):
            minigrad.manual_seed(1)
            results.append(plain([list(loader), minigrad.rand(1)]))
        assert results[0] == results[1]


# -- other loaders --------------------------------------------------------------------------------


class Squares:
    """A map-style dataset that needs no base class."""

    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        return {"i": i, "square": float(i * i), "name": f"n{i}"}


SQUARES = {
    "default": {},
    "batches": {"batch_size": 3},
    "shuffled": {"batch_size": 4, "shuffle": True},
    "dropped": {"batch_size": 4, "drop_last": True},
    "single": {"batch_size": None},
    "single_shuffled": {"batch_size": None, "shuffle": True},
    "sampler": {"sampler": [3, 1, 1], "batch_size": 2},
    "batch_sampler": {"batch_sampler": [[0, 1], [5], [2, 3, 4]]},
    "collate": {"batch_size": 4, "collate_fn": len},
    "in_order": {"in_order": False},
    "single_collate": {"batch_size": None, "collate_fn": str},
}


@pytest.mark.parametrize("name", SQUARES)
def test_map_style(name):
    def program(t, data):
        loader = data.DataLoader(Squares(10), **SQUARES[name])
        return [len(loader), list(loader), list(loader)]

    same(program)


def test_getitems():
    def program(t, data):
        class Many(Squares):
            def __getitems__(self, indices):
                return [self[i]["i"] + 100 for i in indices]

        return [
            list(data.DataLoader(Many(5), 2)),
            list(data.DataLoader(data.Subset(Many(9), [8, 2, 4]), 2)),
        ]

    same(program)


STREAMS = {
    "default": {},
    "batches": {"batch_size": 3},
    "dropped": {"batch_size": 3, "drop_last": True},
    "single": {"batch_size": None},
    "not_shuffled": {"shuffle": False},
}


@pytest.mark.parametrize("promised", [7, 2, None])
@pytest.mark.parametrize("name", STREAMS)
def test_iterable_style(name, promised):
    """With and without a length, and with one that is too short (which warns)."""

    def program(t, data):
        class Stream(data.IterableDataset):
            def __repr__(self):
                return "Stream()"

            def __iter__(self):
                return iter(range(7))

        if promised is not None:
            Stream.__len__ = lambda self: promised
        loader = data.DataLoader(Stream(), **STREAMS[name])
        log = [list(loader)]
        try:
            log.append(len(loader))
        except TypeError as error:
            log.append(str(error).split("'")[-1])
        return [*log, list(loader), list(loader)]

    same(program)


def test_a_stream_that_has_ended_is_not_asked_again():
    def program(t, data):
        class Pausing(data.IterableDataset):
            def __iter__(self):
                self.n = 0
                return self

            def __next__(self):
                self.n += 1
                if self.n % 5 == 0:
                    raise StopIteration
                return self.n

        iterator = iter(data.DataLoader(Pausing(), 3))
        return [next(iterator), next(iterator), next(iterator, "end"), next(iterator, "end")]

    same(program)


def test_pin_memory_warns_only():
    def program(t, data):
        return [
            list(data.DataLoader(Squares(2), pin_memory=True, pin_memory_device=d))
            for d in ("", "x")
        ]

    same(program)


REFUSED = [
    {"num_workers": -1},
    {"timeout": -1},
    {"prefetch_factor": 2},
    {"num_workers": 1, "prefetch_factor": -1},
    {"persistent_workers": True},
    {"sampler": [1], "shuffle": True},
    {"batch_size": 0},
    {"batch_sampler": [[1]], "batch_size": 2},
    {"batch_sampler": [[1]], "shuffle": True},
    {"batch_sampler": [[1]], "sampler": [1]},
    {"batch_sampler": [[1]], "drop_last": True},
    {"batch_size": None, "drop_last": True},
    {"batch_size": -1},
    {"batch_size": 1.5},
    {"batch_size": True},
    {"drop_last": 3},
    {"multiprocessing_context": "fork"},
]


@pytest.mark.parametrize("options", REFUSED, ids=str)
def test_refusals(options):
    same(fails(lambda t, data: data.DataLoader(Squares(3), **options)))


def test_more_refusals():
    programs = [
        lambda t, data: data.DataLoader(data.IterableDataset(), shuffle=True),
        lambda t, data: data.DataLoader(data.IterableDataset(), sampler=[1]),
        lambda t, data: data.DataLoader(data.IterableDataset(), batch_sampler=[[1]]),
        lambda t, data: data.DataLoader(Squares(0), shuffle=True),
        lambda t, data: list(data.DataLoader([1], sampler=[1])),
        lambda t, data: next(iter(data.DataLoader(Squares(3), timeout=1))),
        lambda t, data: data.TensorDataset(t.ones(2), t.ones(3)),
        lambda t, data: data.Dataset()[0],
        lambda t, data: data.ConcatDataset([]),
        lambda t, data: data.ConcatDataset([data.IterableDataset()]),
        lambda t, data: data.ConcatDataset([[1]])[-2],
        lambda t, data: list(data.ChainDataset([[1]])),
        lambda t, data: data.random_split([1, 2, 3], [1, 1]),
        lambda t, data: data.random_split([1], [-0.5, 1.5]),
        lambda t, data: data.RandomSampler([1], replacement=1),
        lambda t, data: data.RandomSampler([1], num_samples=0),
        lambda t, data: data.RandomSampler([]),
        lambda t, data: data.RandomSampler([1], num_samples=1.5),
        lambda t, data: iter(data.Sampler()),
        lambda t, data: data.WeightedRandomSampler([1.0], 0),
        lambda t, data: data.WeightedRandomSampler([1.0], True),
        lambda t, data: data.WeightedRandomSampler([1.0], 1, replacement=1),
        lambda t, data: data.WeightedRandomSampler([[1.0]], 1),
        lambda t, data: list(data.WeightedRandomSampler([-1.0, 1.0], 1)),
        lambda t, data: list(data.WeightedRandomSampler([1.0], 2, replacement=False)),
        lambda t, data: data.DistributedSampler([1], 2, 2),
        lambda t, data: data.DistributedSampler([1], 2, -1),
        lambda t, data: data.default_collate([object()]),
        lambda t, data: data.default_collate([[1, 2], [1]]),
        lambda t, data: data.default_collate([np.array(["a"])]),
        lambda t, data: data.default_collate([t.ones(2), t.ones(3)]),
        lambda t, data: data.default_collate([None]),
    ]
    for program in programs:
        same(fails(program))


def test_attributes_are_protected():
    def program(t, data):
        loader = data.DataLoader(Squares(3), batch_size=2)
        log = []
        for name in (
            "batch_size",
            "batch_sampler",
            "sampler",
            "drop_last",
            "dataset",
            "persistent_workers",
        ):
            try:
                setattr(loader, name, None)
            except ValueError as error:
                log.append(str(error))
        loader.collate_fn = len
        loader.note = 3
        names = [
            "batch_size",
            "drop_last",
            "num_workers",
            "timeout",
            "pin_memory",
            "prefetch_factor",
        ]
        return [
            log,
            [getattr(loader, n) for n in names],
            list(loader),
            type(loader.sampler).__name__,
        ]

    same(program)


# -- samplers -------------------------------------------------------------------------------------

SAMPLERS = {
    "sequential": lambda t, d: d.SequentialSampler("abcd"),
    "random": lambda t, d: d.RandomSampler(range(10)),
    "more": lambda t, d: d.RandomSampler(range(5), num_samples=13),
    "fewer": lambda t, d: d.RandomSampler(range(5), num_samples=3),
    "replaced": lambda t, d: d.RandomSampler(range(5), True),
    "many": lambda t, d: d.RandomSampler(range(9), True, 70),
    "generator": lambda t, d: d.RandomSampler(range(9), generator=t.Generator().manual_seed(1)),
    "subset": lambda t, d: d.SubsetRandomSampler([5, 7, 9, 1]),
    "subset_generator": lambda t, d: d.SubsetRandomSampler(range(20), t.Generator().manual_seed(2)),
    "weighted": lambda t, d: d.WeightedRandomSampler([0.1, 0.9, 0.4, 0, 3.0], 5),
    "weighted_once": lambda t, d: d.WeightedRandomSampler(range(9), 6, replacement=False),
    "weighted_one": lambda t, d: d.WeightedRandomSampler(t.tensor([1.0, 2.0]), 1, True),
    "weighted_many": lambda t, d: d.WeightedRandomSampler(
        np.arange(50) % 7, 300, generator=t.Generator().manual_seed(3)
    ),
    "distributed": lambda t, d: d.DistributedSampler(range(10), 3, 1),
    "batch": lambda t, d: d.BatchSampler(d.RandomSampler(range(10)), 3, False),
    "batch_dropped": lambda t, d: d.BatchSampler(range(10), 3, True),
    "batch_even": lambda t, d: d.BatchSampler(range(9), 3, False),
}


@pytest.mark.parametrize("name", SAMPLERS)
def test_samplers(name):
    def program(t, data):
        sampler = SAMPLERS[name](t, data)
        first = list(itertools.islice(sampler, 2))
        return [len(sampler), first, t.rand(1), list(sampler), t.rand(1), list(sampler), t.rand(1)]

    same(program)


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize(("n", "replicas"), [(10, 3), (9, 3), (2, 5), (7, 1)])
def test_distributed_sampler(n, replicas, shuffle, drop_last):
    def program(t, data):
        log = []
        for rank in range(replicas):
            sampler = data.DistributedSampler(range(n), replicas, rank, shuffle, 5, drop_last)
            log += [len(sampler), sampler.num_samples, sampler.total_size, list(sampler)]
            sampler.set_epoch(3)
            log += [list(sampler), list(data.DataLoader(range(n), 2, sampler=sampler))]
        return log

    same(program)


@pytest.mark.parametrize(
    "options",
    [{"replacement": True}, {"num_samples": 25}, {"replacement": True, "num_samples": 70}],
    ids=str,
)
@pytest.mark.parametrize("batch_size", [1, 4, 10, 32])
def test_random_samplers_over_tensors(options, batch_size):
    def program(t, data):
        dataset = data.TensorDataset(*rows(t, 10))
        generator = t.Generator().manual_seed(4)
        sampler = data.RandomSampler(dataset, generator=generator, **options)
        log = []
        for batch in data.DataLoader(dataset, batch_size, sampler=sampler):
            log += [batch, state(generator)]
        return [*log, state(generator)]

    same(program)


# -- datasets -------------------------------------------------------------------------------------


def test_datasets():
    def program(t, data):
        a, b = data.TensorDataset(*rows(t, 3)), data.TensorDataset(*rows(t, 4))
        both = a + b
        subset = data.Subset(both, [6, 0, 2])
        log = [
            a[0],
            a[1:],
            a[-1],
            len(a),
            len(both),
            both.cumulative_sizes,
            [both[i] for i in (0, 3, 6, -1, -7)],
        ]
        log += [subset[0], subset[1], len(subset), list(data.DataLoader(subset, 2))]
        log += [data.Subset(a, [2, 1])[[0, 1]], data.ConcatDataset([[1], [2, 3]])[2]]
        return log

    same(program)


def test_stacked_datasets():
    def program(t, data):
        x, y = data.TensorDataset(*rows(t, 5)), [10, 11, 12, 13, 14]
        part = data.Subset(range(20), [3, 1, 4, 1, 5])  # it has __getitems__
        log = []
        for stack in (data.StackDataset(x, y, part), data.StackDataset(x=x, y=y, part=part)):
            log += [len(stack), stack[1], stack[-1], stack.__getitems__([4, 0])]
            log += [list(data.DataLoader(stack, 2, shuffle=True)), type(stack.datasets).__name__]
        return log

    same(program)


def test_stacked_datasets_that_are_refused():
    class Short:
        def __len__(self):
            return 3

        def __getitems__(self, indices):
            return [0]

    programs = [
        lambda t, data: data.StackDataset(),
        lambda t, data: data.StackDataset([1], a=[1]),
        lambda t, data: data.StackDataset([1], [1, 2]),
        lambda t, data: data.StackDataset(a=[1], b=[1, 2]),
        lambda t, data: data.StackDataset(Short()).__getitems__([0, 1]),
        lambda t, data: data.StackDataset(a=Short()).__getitems__([0, 1]),
    ]
    for program in programs:
        same(fails(program))


def test_chained_streams():
    def program(t, data):
        class Count(data.IterableDataset):
            def __init__(self, n):
                self.n = n

            def __iter__(self):
                return iter(range(self.n))

            def __len__(self):
                return self.n

        chained = Count(3) + Count(2)
        return [len(chained), list(chained), list(data.DataLoader(chained, 2))]

    same(program)


def test_a_subset_that_forgets_getitems():
    @fails
    def program(t, data):
        class Bad(data.Subset):
            def __getitem__(self, index):
                return 1

        Bad([1], [0])

    same(program)


SPLITS = [
    [7, 3],
    [0.7, 0.3],
    [0.5, 0.25, 0.25],
    [1 / 3, 1 / 3, 1 / 3],
    [10, 0],
    [0.99, 0.01],
    [0.26, 0.26, 0.48],
    [1.0],
]


@pytest.mark.parametrize("lengths", SPLITS, ids=str)
@pytest.mark.parametrize("given", [False, True])
def test_random_split(lengths, given):
    def program(t, data):
        options = {"generator": t.Generator().manual_seed(42)} if given else {}
        parts = data.random_split(range(10), lengths, **options)
        return [
            [type(p).__name__, p.indices, list(data.DataLoader(p)) if len(p) else 0] for p in parts
        ]

    same(program)


# -- collating ------------------------------------------------------------------------------------


class Scores(collections.UserDict):
    pass


SAMPLES = {
    "tensors": lambda t: [t.ones(2), t.zeros(2)],
    "floats": lambda t: [1.5, 2.5],
    "ints": lambda t: [1, 2],
    "bools": lambda t: [True, False],
    "text": lambda t: ["a", "b"],
    "bytes": lambda t: [b"a", b"b"],
    "arrays": lambda t: [np.ones(2), np.zeros(2)],
    "float32": lambda t: [np.float32(1), np.float32(2)],
    "int8": lambda t: [np.array(1, np.int8)] * 3,
    "pairs": lambda t: [(1, t.ones(1)), (2, t.zeros(1))],
    "lists": lambda t: [[1, 2.5], [3, 4.5]],
    "named": lambda t: [Pair(1, t.ones(1)), Pair(2, t.ones(1))],
    "dicts": lambda t: [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}],
    "ordered": lambda t: [collections.OrderedDict(a=1)] * 2,
    "nested": lambda t: [{"a": [(1, "x")], "b": Pair({"c": t.ones(1)}, 2)}] * 2,
    "ranges": lambda t: [range(2), range(2)],
    "empty": lambda t: [(), ()],
    "scalars": lambda t: [t.tensor(1), t.tensor(2)],
    "bool_": lambda t: [np.bool_(1)] * 2,
    "counter": lambda t: [collections.Counter("aab"), collections.Counter("aab")],
    "default": lambda t: [collections.defaultdict(int, a=1)] * 2,
    "deque": lambda t: [collections.deque([1, 2])] * 2,
}


@pytest.mark.parametrize("name", SAMPLES)
def test_collate_and_convert(name):
    def program(t, data):
        return [data.default_collate(SAMPLES[name](t)), data.default_convert(SAMPLES[name](t))]

    same(program)


def test_convert():
    def program(t, data):
        values = [
            0,
            np.array([0, 1]),
            Pair(np.array(0), "x"),
            [np.float32(2), (np.ones(1), 3)],
            {"a": np.ones(1)},
        ]
        return [
            data.default_convert(v) for v in [*values, "text", b"x", np.array(["a"]).tolist(), None]
        ]

    same(program)


def test_collate_keeps_the_mapping_type():
    data = minigrad.utils.data
    batch = data.default_collate([Scores(a=1), Scores(a=2)])
    assert type(batch) is Scores
    assert batch["a"].tolist() == [1, 2]


def test_collate_with_a_table():
    def program(t, data):
        collate = importlib.import_module(f"{data.__name__}._utils.collate").collate

        def upper(batch, *, collate_fn_map):
            return [s.upper() for s in batch]

        log = [collate([("a", "b"), ("c", "d")], collate_fn_map={str: upper})]
        return [
            *log,
            collate(
                [True, False], collate_fn_map={int: lambda batch, *, collate_fn_map: len(batch)}
            ),
        ]

    same(program)


# -- names ----------------------------------------------------------------------------------------

PLACES = {
    "dataset": "Dataset IterableDataset TensorDataset StackDataset ConcatDataset ChainDataset "
    "Subset random_split",
    "sampler": "BatchSampler RandomSampler Sampler SequentialSampler SubsetRandomSampler "
    "WeightedRandomSampler",
    "dataloader": "DataLoader default_collate default_convert get_worker_info",
    "distributed": "DistributedSampler",
    "_utils.collate": "collate default_collate default_convert default_collate_fn_map",
    "_utils.worker": "WorkerInfo get_worker_info",
}


@pytest.mark.parametrize("place", PLACES)
def test_pytorch_s_import_paths(place):
    theirs = importlib.import_module(f"torch.utils.data.{place}")
    ours = importlib.import_module(f"minigrad.utils.data.{place}")
    assert all(hasattr(theirs, name) for name in PLACES[place].split())
    assert all(hasattr(ours, name) for name in PLACES[place].split())


def test_public_names():
    """All of PyTorch's, but those of data pipes."""
    pipes = {name for name in torch.utils.data.__all__ if "ipe" in name or "valida" in name}
    pipes |= {"DataChunk", "_DatasetKind", "non_deterministic"}
    missing = set(torch.utils.data.__all__) - set(minigrad.utils.data.__all__)
    assert missing <= pipes, missing - pipes
    assert minigrad.utils.data.DataLoader[int].__origin__ is minigrad.utils.data.DataLoader
