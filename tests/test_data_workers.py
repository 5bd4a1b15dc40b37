"""Worker processes of a `DataLoader`: the same batches as PyTorch's workers give and as the main
process reads itself, the same errors, and nothing left behind however it ends."""

import contextlib
import gc
import multiprocessing
import os
import pathlib
import pickle
import random
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from test_data import STREAMS, Pair, Squares, fails, outcome, rows, same

import minigrad
from minigrad.utils.data import shared

ROOT = pathlib.Path(__file__).parent.parent
data = minigrad.utils.data


class Items(minigrad.utils.data.Dataset):
    """`n` samples, made by a function of the index."""

    def __init__(self, n, make):
        self.n, self.make = n, make

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        return self.make(i)


def stream(d, make):
    """An iterable dataset of either library; `make` gives an iterator."""

    class Stream(d.IterableDataset):
        def __repr__(self):
            return "Stream()"

        def __iter__(self):
            return make()

    return Stream()


# -- the same batches -----------------------------------------------------------------------------

OPTIONS = {
    "default": {},
    "batches": {"batch_size": 3},
    "shuffled": {"batch_size": 4, "shuffle": True},
    "dropped": {"batch_size": 4, "drop_last": True},
    "single_shuffled": {"batch_size": None, "shuffle": True},
    "batch_sampler": {"batch_sampler": [[0, 1], [5], [2, 3, 4]]},
    "collate": {"batch_size": 4, "collate_fn": len},
    "one_worker": {"num_workers": 1, "batch_size": 4, "shuffle": True},
    "three_ahead": {"prefetch_factor": 3, "batch_size": 2, "shuffle": True},
}


@pytest.mark.parametrize("name", OPTIONS)
def test_map_style(name):
    """PyTorch's batches and generator states; the main process reads the same batches."""
    options = {"num_workers": 2, **OPTIONS[name]}

    def program(t, d):
        loader = d.DataLoader(Squares(10), **options)
        return [len(loader), list(loader), t.rand(1), list(loader)]

    with_workers = same(program)
    options["num_workers"], options["prefetch_factor"] = 0, None
    assert with_workers == outcome(program, minigrad)


def test_tensors_and_a_generator_that_is_given():
    def program(t, d):
        generator = t.Generator().manual_seed(11)
        loader = d.DataLoader(
            d.TensorDataset(*rows(t, 10)), 3, True, num_workers=2, generator=generator
        )
        return [[*loader, generator.get_state(), t.rand(1)] for _ in range(2)]

    same(program)


def test_what_batches_can_be():
    def program(t, d):
        def make(i):
            return {
                "pair": Pair(i, np.full(2, i)),
                "text": (f"n{i}", b"x"),
                "views": [t.arange(6).reshape(2, 3).t(), t.ones(0, 2), t.tensor(i % 2 == 0)],
                "half": t.ones(2, dtype=t.float16),
            }

        nothing = d.DataLoader([None, {}, [], "a"], batch_size=None, num_workers=1)
        arrays = d.DataLoader([np.eye(3)[::2]], None, num_workers=1, collate_fn=lambda a: a)
        nested = d.DataLoader(Items(5, make), 2, num_workers=2)
        return [*nested, *nothing, *(array.tolist() for array in arrays)]

    same(program)


def test_random_numbers_and_what_workers_know():
    """Each worker draws what PyTorch's worker draws, from all three generators."""

    def program(t, d):
        def make(i):
            info = d.get_worker_info()
            facts = [info.id, info.num_workers, info.seed, info.dataset.n, t.initial_seed()]
            draws = [random.random(), np.random.rand(), np.random.randn(), t.rand(2), t.randn(20)]
            return [i, facts, draws, t.get_num_threads(), repr(info).partition("dataset")[0]]

        loader = d.DataLoader(
            Items(7, make), None, True, num_workers=2, collate_fn=lambda sample: sample
        )
        return [list(loader), list(loader), t.rand(1), d.get_worker_info()]

    same(program)


def test_worker_init_fn():
    def program(t, d):
        def init(worker):
            d.get_worker_info().dataset.make = lambda i: (worker, i, random.random())

        return list(d.DataLoader(Items(5, None), 2, num_workers=2, worker_init_fn=init))

    same(program)


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("persistent", [False, True])
def test_iterable_style(name, persistent):
    """Whole copies in each worker, then shares of different size, and a length that is too short."""
    options = {"num_workers": 2, "persistent_workers": persistent, **STREAMS[name]}

    def program(t, d):
        def shares():
            info = d.get_worker_info()
            return iter(range(7) if info.id == 0 else range(10, 12))

        promising = stream(d, lambda: iter(range(4)))
        type(promising).__len__ = lambda self: 3
        log = []
        for dataset in (stream(d, lambda: iter(range(5))), stream(d, shares), promising):
            loader = d.DataLoader(dataset, **options)
            log += [list(loader), t.rand(1), list(loader)]
            log += [len(loader), list(loader)] if dataset is promising else []
        return log

    same(program)


def test_persistent_workers():
    """They keep their generators and their dataset; an epoch left early leaves nothing over."""

    def program(t, d):
        seen = []

        def make(i):
            seen.append(i)
            return i, list(seen), random.random(), d.get_worker_info().seed

        loader = d.DataLoader(
            Items(7, make), 2, True, num_workers=2, persistent_workers=True, collate_fn=list
        )
        log = [list(loader), next(iter(loader))]
        processes = {p.pid for p in multiprocessing.active_children()}
        log += [list(loader), t.rand(1), iter(loader) is iter(loader)]
        return [*log, processes == {p.pid for p in multiprocessing.active_children()}]

    same(program)


def test_how_far_ahead_indices_are_drawn():
    def program(t, d):
        log = []
        for factor in (None, 1, 4):
            drawn = iter(range(20))
            loader = d.DataLoader(range(20), sampler=drawn, num_workers=2, prefetch_factor=factor)
            iterator = iter(loader)
            for _ in range(3):
                log.append([next(iterator), drawn.__length_hint__()])
        return log

    same(program)


def test_a_slow_worker_holds_up_nothing_but_its_own_batches():
    def program(t, d):
        gate = multiprocessing.get_context("fork").Event()

        def make(i):
            return i if i != 0 or gate.wait() else None

        iterator = iter(d.DataLoader(Items(8, make), num_workers=2, in_order=False, timeout=20))
        log = [next(iterator) for _ in range(6)]  # the other worker reads all that is left
        gate.set()
        log.append(sorted(int(batch) for batch in iterator))
        return [*log, *d.DataLoader(Items(8, make), num_workers=2, in_order=True)]

    same(program)


def test_loaders_at_the_same_time():
    """Each has workers of its own, and its end does not disturb those of another."""

    def program(t, d):
        loader = d.DataLoader(range(6), 2, True, num_workers=1)
        log = [list(zip(loader, loader, strict=True))]
        kept = iter(loader)
        log += [next(kept), list(loader), list(kept), [len(kept), list(kept)]]
        return log

    same(program)


def test_messages_larger_than_a_pipe():
    """Both sides send a megabyte that goes through no shared memory, and neither waits for ever."""
    batches = [[i] * 400_000 for i in range(6)]
    loader = data.DataLoader(
        Items(6, str), batch_sampler=batches, num_workers=2, collate_fn="".join, prefetch_factor=3
    )
    assert list(loader) == [str(i) * 400_000 for i in range(6)]


# -- errors ---------------------------------------------------------------------------------------


class Wordy(Exception):
    """Cannot be made from one text."""

    def __init__(self, code, text):
        super().__init__(code, text)


class Messenger(Exception):
    """Takes its text by keyword."""

    message = "none"

    def __init__(self, message):
        super().__init__(message)


def ends(error):
    """The type of an error, the first lines of its text, and the last."""
    lines = str(error).splitlines()
    return [type(error).__name__, lines[:2], lines[-1]]


def close(iterator):
    """PyTorch's iterators take five seconds to end if an exception's traceback still knows them."""
    getattr(iterator, "_shutdown_workers", int)()


ERRORS = [
    ValueError("bad"),
    KeyError("a\nb"),
    Wordy(3, "x"),
    Messenger("m"),
    StopIteration(4),
    IndexError(),
]


@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_an_error_in_a_dataset(error):
    """It arrives with its type and traceback, and the other batches can still be had."""

    def program(t, d):
        def make(i):
            if i == 3:
                raise error
            return i

        iterator = iter(d.DataLoader(Items(6, make), num_workers=2))
        log = [next(iterator) for _ in range(3)]
        try:
            next(iterator)
        except Exception as caught:
            log.append(ends(caught))
        log.append(list(iterator))
        close(iterator)
        return log

    same(program)


def wrong(*_):
    raise OSError("wrong")


FAULTY = {
    "init": lambda t, d: d.DataLoader(["a", "b"], num_workers=2, worker_init_fn=wrong),
    "collate": lambda t, d: d.DataLoader(["a", "b"], num_workers=1, collate_fn=wrong),
    "iter": lambda t, d: d.DataLoader(stream(d, wrong), num_workers=1),
    "index": lambda t, d: d.DataLoader(["a", "b"], 2, num_workers=1, sampler=[0, 9]),
    "sizes": lambda t, d: d.DataLoader([t.ones(1), t.ones(2)], 2, num_workers=1),
}


@pytest.mark.parametrize("name", FAULTY)
def test_errors_elsewhere(name):
    def program(t, d):
        iterator = iter(FAULTY[name](t, d))
        try:
            next(iterator)
        except Exception as error:
            return ends(error)
        finally:
            close(iterator)

    same(program)


def test_what_cannot_be_sent():
    """PyTorch prints a traceback and waits for ever."""
    x = minigrad.ones(3, 2, requires_grad=True)

    class Local(Exception):
        pass

    def refuse(_):
        raise Local("mine")

    for dataset, text in [
        (Items(1, lambda i: lambda: i), "Can't pickle"),
        (Items(1, lambda i: x[i] * 2), "Cowardly refusing"),
        (Items(1, refuse), "Local: mine"),
    ]:
        with pytest.raises(RuntimeError, match="in DataLoader worker process 0(.|\n)*" + text):
            next(iter(data.DataLoader(dataset, None, num_workers=1)))
    leaf = next(iter(data.DataLoader([x], None, num_workers=1)))
    assert leaf.requires_grad
    assert leaf.is_leaf


REFUSED = [
    {"prefetch_factor": -1},
    {"timeout": -1},
    {"multiprocessing_context": "thread"},
    {"multiprocessing_context": 3},
]


@pytest.mark.parametrize("options", REFUSED, ids=str)
def test_refusals(options):
    same(fails(lambda t, d: list(d.DataLoader(Squares(3), num_workers=1, **options))))


def test_nothing_read_ahead_is_refused():
    """PyTorch has the same text, and then an error in its destructor."""
    loader = data.DataLoader(Squares(3), num_workers=1, prefetch_factor=0)
    with pytest.raises(AssertionError, match="prefetch_factor must be greater than 0 for"):
        iter(loader)


def test_an_iterator_cannot_be_pickled():
    for workers in (0, 1):
        with pytest.raises(NotImplementedError, match="cannot be pickled"):
            pickle.dumps(iter(data.DataLoader(Squares(3), num_workers=workers)))


def test_too_many_workers_warn():
    def program(t, d):
        return d.DataLoader(Squares(3), num_workers=1000).prefetch_factor

    same(program)


def test_the_time_is_up():
    def program(t, d):
        gate = multiprocessing.get_context("fork").Event()

        def make(i):
            return i if i != 2 or gate.wait() else None

        log = []
        iterator = iter(d.DataLoader(Items(4, make), num_workers=1, timeout=0.2))
        try:
            log += [next(iterator), next(iterator), next(iterator)]
        except RuntimeError as error:
            log.append(str(error))
        gate.set()
        log.append(list(iterator))
        close(iterator)
        return log

    same(program)


# -- nothing is left behind -----------------------------------------------------------------------


def holdings():
    """Child processes, open files, threads' number and shared memory (but PyTorch's)."""
    tasks = pathlib.Path("/proc/self/task")
    children = [c for task in tasks.iterdir() for c in (task / "children").read_text().split()]
    memory = [n for n in os.listdir("/dev/shm") if not n.startswith(("torch_", "sem.mp"))]
    return {
        *(f"process {child}" for child in children),
        *(f"thread {task}" for task in os.listdir(tasks)),
        *(
            f"file {fd}"
            for fd in os.listdir("/proc/self/fd")
            if os.path.lexists(f"/proc/self/fd/{fd}")
        ),
        *(f"memory {name}" for name in memory),
    }


def eventually(condition, seconds=20):
    """Wait for what must come to pass; how long does not matter."""
    deadline = time.monotonic() + seconds
    while not (done := condition()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return done


def big(i):
    """Two megabytes: in shared memory while the batch is in use."""
    return minigrad.full((2**19,), i)


def suicidal(i):
    if i == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return big(i)


def raising(i):
    if i == 5:
        raise ValueError(i)
    return big(i)


def consume(loader):
    return [batch for (batch,) in loader]


def leave(loader):
    for _ in loader:
        break


def raise_in_the_loop(loader):
    for _ in loader:
        raise ValueError


def forget_in_a_cycle(loader):
    cycle = [iter(loader)]
    cycle.append(cycle)
    next(cycle[0])


ENDINGS = {
    "exhausted": (big, consume, {}),
    "shared_out": (big, consume, {"persistent_workers": True}),
    "left": (big, leave, {}),
    "left_persistent": (big, leave, {"persistent_workers": True}),
    "error_in_the_loop": (big, raise_in_the_loop, {}),
    "forgotten": (big, forget_in_a_cycle, {}),
    "error_in_a_worker": (raising, consume, {}),
    "killed": (suicidal, consume, {}),
    "killed_unread": (suicidal, leave, {}),
    "not_started": (big, iter, {}),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_nothing_is_left_behind(name):
    make, use, options = ENDINGS[name]
    before = holdings()
    loader = data.DataLoader(Items(8, make), num_workers=2, **options)
    with contextlib.suppress(ValueError, RuntimeError):
        use(loader)
    del loader
    assert eventually(lambda: gc.collect() >= 0 and holdings() <= before), holdings() - before


def test_a_worker_that_is_killed():
    """PyTorch's message, within seconds, with what happened to the worker as its cause."""

    def program(t, d):
        def make(i):
            time.sleep(0.2)  # PyTorch looks for it only once it waits
            os.kill(os.getpid(), signal.SIGKILL)

        iterator = iter(d.DataLoader(Items(2, make), num_workers=1))
        try:
            next(iterator)
        except RuntimeError as error:
            texts = [str(error), str(error.__cause__)]
            return [re.sub(r"\d+", "N", text) for text in texts]
        finally:
            close(iterator)

    assert "exited unexpectedly" in str(same(program))


@pytest.mark.parametrize("end", [lambda: sys.exit(3), lambda: os._exit(0)])
def test_a_worker_that_exits(end):
    loader = data.DataLoader(Items(2, lambda i: end()), num_workers=1)
    with pytest.raises(
        RuntimeError, match=r"^DataLoader worker \(pid\(s\) \d+\) exited unexpectedly$"
    ):
        next(iter(loader))


def test_a_killed_worker_is_found_though_a_process_of_its_holds_the_connection(monkeypatch):
    from minigrad.utils.data import pool

    monkeypatch.setattr(pool, "CHECK_INTERVAL", 0.1)
    read, write = os.pipe()

    def make(i):
        if os.fork() == 0:
            os.close(write)
            os.read(read, 1)  # stays until the test ends
            os._exit(0)
        os.kill(os.getpid(), signal.SIGKILL)

    iterator = iter(data.DataLoader(Items(2, make), num_workers=1))
    with pytest.raises(RuntimeError, match="exited unexpectedly"):
        next(iterator)
    os.close(write)
    os.close(read)


def test_persistent_workers_are_replaced_after_one_was_killed():
    loader = data.DataLoader(range(4), None, num_workers=2, persistent_workers=True)
    assert list(loader) == [0, 1, 2, 3]
    os.kill(loader._iterator._pool.pids[0], signal.SIGKILL)
    with pytest.raises(RuntimeError, match="exited unexpectedly"):
        list(loader)
    assert list(loader) == [0, 1, 2, 3]


def test_after_a_failure_there_is_nothing_to_wait_for():
    iterator = iter(data.DataLoader(Items(8, suicidal), None, num_workers=2))
    with pytest.raises(RuntimeError, match="exited unexpectedly"):
        list(iterator)
    with pytest.raises(AssertionError, match="Invalid iterator state"):
        list(iterator)


def test_a_copy_of_the_process_ends_nothing():
    """A process that was forked has the iterator too; its end there is not the workers' end."""
    iterator = iter(data.DataLoader(range(20), None, num_workers=2))
    first = next(iterator)
    child = os.fork()
    if child == 0:
        del iterator
        os._exit(0)
    assert os.waitpid(child, 0) == (child, 0)
    assert [first, *iterator] == list(range(20))


class Interrupted(multiprocessing.context.ForkProcess):
    """A process that Ctrl-C reaches while it comes up."""

    def run(self):
        signal.signal(signal.SIGINT, signal.default_int_handler)  # see PROGRAM
        os.kill(os.getpid(), signal.SIGINT)
        super().run()


class Context(type(multiprocessing.get_context("fork"))):
    Process = Interrupted


def test_a_worker_that_is_interrupted_early_says_nothing(capfd):
    loader = data.DataLoader(range(4), num_workers=1, multiprocessing_context=Context())
    with pytest.raises(RuntimeError, match="exited unexpectedly"):
        next(iter(loader))
    assert capfd.readouterr() == ("", "")


# -- whole programs -------------------------------------------------------------------------------

PROGRAM = """
import os, signal, sys, time
import minigrad as torch
from minigrad.utils.data import DataLoader, IterableDataset

class Squares:
    def __len__(self):
        return 40

    def __getitem__(self, i):
        return torch.full((1000,), i * i)

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's `&` has it ignored
    loader = DataLoader(Squares(), 4, num_workers=2, {options})
    iterator = iter(loader)
    batch = next(iterator)
    print(*iterator._pool.pids, flush=True)
    {rest}
"""


def start(tmp_path, rest, options=""):
    """A program in a session of its own, with every warning an error; and its workers' ids."""
    script = tmp_path / "program.py"
    script.write_text(PROGRAM.replace("{options}", options).replace("{rest}", rest))
    process = subprocess.Popen(
        [sys.executable, "-X", "dev", "-W", "error", str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    return process, [int(pid) for pid in process.stdout.readline().split()]


def are_gone(pids):
    """Whether the processes have ended; one whose parent has died may wait for init as a zombie."""
    return all(state(pid) in ("", "Z") for pid in pids)


def state(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


@pytest.mark.parametrize("whom", ["group", "program"])
@pytest.mark.parametrize(
    "where", ["time.sleep(60)", "sum(1 for _ in iter(lambda: list(loader), 0))"]
)
def test_ctrl_c(tmp_path, where, whom):
    """In the loop, or while it waits; to all processes as a terminal sends it, or to one."""
    process, workers = start(tmp_path, where)
    time.sleep(0.1)
    (os.killpg if whom == "group" else os.kill)(process.pid, signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert (errors.count("Traceback"), errors.strip().splitlines()[-1]) == (
        1,
        "KeyboardInterrupt",
    ), errors
    assert (output, process.returncode) == ("", -signal.SIGINT), errors
    assert len(workers) == 2
    assert eventually(lambda: are_gone(workers))


def test_workers_end_with_their_parent(tmp_path):
    process, workers = start(tmp_path, "os.kill(os.getpid(), signal.SIGKILL)")
    process.communicate(timeout=60)
    assert len(workers) == 2
    assert eventually(lambda: are_gone(workers))


@pytest.mark.parametrize("options", ["", "persistent_workers=True"])
def test_the_end_of_the_program(tmp_path, options):
    process, workers = start(tmp_path, "sys.keep = iterator, batch", options)
    assert process.communicate(timeout=60) == ("", "")
    assert process.returncode == 0
    assert len(workers) == 2
    assert are_gone(workers)


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_start_methods(tmp_path, method):
    """A program that starts its workers afresh reads the same, and says nothing."""
    rest = "print([int(b[:, 0].sum()) for b in iterator])"
    process, workers = start(tmp_path, rest, f"multiprocessing_context={method!r}")
    output, errors = process.communicate(timeout=60)
    expected = [sum(i * i for i in range(k, k + 4)) for k in range(4, 40, 4)]
    assert (output, errors) == (f"{expected}\n", "")
    assert are_gone(workers)


def test_a_dataset_that_cannot_be_pickled_where_it_must():
    before = holdings()
    loader = data.DataLoader([lambda: 1], num_workers=1, multiprocessing_context="spawn")
    with (
        pytest.warns(UserWarning, match="Got pickle error"),
        pytest.raises((AttributeError, TypeError, pickle.PicklingError)),
    ):
        iter(loader)
    tracker = multiprocessing.resource_tracker._resource_tracker  # Python's own, until it ends
    kept = {f"process {tracker._pid}", f"file {tracker._fd}"}
    assert eventually(lambda: gc.collect() >= 0 and holdings() <= before | kept)


# -- arrays through shared memory -----------------------------------------------------------------

ARRAYS = {
    "row": np.arange(1000.0),
    "columns": np.asfortranarray(np.arange(12).reshape(3, 4)),
    "view": np.arange(1000)[::3],
    "broadcast": np.broadcast_to(np.float32(2), (5, 7)),
    "empty": np.ones((0, 3), np.int8),
    "scalar": np.array(3.5),
    "text": np.array(["a", "bcd"]),
    "objects": np.array([None, {"a": 1}], object),
    "dates": np.array(["2020-01-01"], "datetime64[D]"),
    "records": np.array([(1, 2.5)], [("a", "i4"), ("b", "f8")]),
    "reversed": np.arange(6).reshape(2, 3)[::-1, ::-1],
}


def sent(obj):
    """The object after a journey."""
    here, there = multiprocessing.Pipe()
    with here, there:
        shared.send(here, shared.pack(obj))
        return shared.receive(there)


@pytest.mark.parametrize("limit", [0, 2**20])
def test_arrays_arrive_whole(limit, monkeypatch):
    """Mapped or copied: equal, with the same dtype and layout, and the receiver's own."""
    monkeypatch.setattr(shared, "COPY_BELOW", limit)
    files = len(os.listdir("/proc/self/fd"))
    arrived = sent([ARRAYS, minigrad.arange(6).reshape(2, 3).t(), "text"])
    for name, array in ARRAYS.items():
        other = arrived[0][name]
        np.testing.assert_array_equal(other, array, strict=True)
        assert other.flags.f_contiguous == array.copy(order="K").flags.f_contiguous
        assert other.flags.writeable
    assert arrived[1].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert arrived[1].add_(1)[0, 0] == 1
    del arrived, other
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == files


def test_no_array_is_pickled():
    arrays = [minigrad.zeros(1000, 1000), np.zeros((500, 500)).T, np.zeros(10**6)[::2]]
    arrays.append(minigrad.nn.Parameter(minigrad.zeros(1000)))
    pickled, buffers = shared.pack(arrays)
    assert len(pickled) < 2000
    assert sum(buffer.nbytes for buffer in buffers) == 4 * 10**6 + 2 * 10**6 + 4 * 10**6 + 4000


def test_batches_can_be_kept():
    """Each PyTorch batch keeps a file open, of which a process may have a thousand."""
    files = len(os.listdir("/proc/self/fd"))
    batches = list(data.DataLoader(minigrad.arange(200), 4, num_workers=2))
    assert len(batches) == 50
    assert len(os.listdir("/proc/self/fd")) == files
