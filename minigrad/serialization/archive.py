"""The outside of a checkpoint: a zip archive of uncompressed records, written and read safely.

What is read is nobody's word: each record's checksum is compared, its size is known before memory
is taken for it, and whatever is wrong with an archive becomes a RuntimeError that says so.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import struct
import sys
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, NoReturn

import numpy as np

ALIGNMENT = 64  # bytes: records start at multiples of it, so that a file can be mapped into memory
CHUNK = 1 << 20
ROOT = "archive"  # PyTorch puts all records into one folder, whose name means nothing
HEADER = 30 + 4  # bytes before a record, besides its name: zip's header, and that of the padding
ZIP64_FIELD = 20  # what a record of 2 GB or more has in addition
# all that Python's zipfile is known to raise on an archive that is not well-formed
DAMAGE = (
    zipfile.BadZipFile, zlib.error, struct.error, ValueError, LookupError, EOFError, OverflowError,
    RuntimeError, OSError,
)  # fmt: skip


def is_path(f: Any) -> bool:
    return isinstance(f, (str, os.PathLike))


# --- writing -------------------------------------------------------------------------------------


class _Stream:
    """The `write` of a file and nothing else: `zipfile` then writes from front to back, so any
    object with `write` will do. It may be slow, write in part, or keep what it was given."""

    def __init__(self, file: Any) -> None:
        self.file, self.written = file, 0

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        for start in range(0, len(view), CHUNK):
            self._write_all(bytes(view[start : start + CHUNK]))
        self.written += len(view)
        return len(view)

    def _write_all(self, chunk: bytes) -> None:
        while chunk:
            count = self.file.write(chunk)
            if count is None or count >= len(chunk):
                return
            if count <= 0:
                raise OSError("the file object's write() accepts no more bytes")
            chunk = chunk[count:]

    def flush(self) -> None:
        if hasattr(self.file, "flush"):
            self.file.flush()


def write_archive(file: Any, pickled: bytes, storages: list[Any]) -> None:
    """Write a checkpoint of a pickle and the memories (1-D arrays) that it refers to by number."""
    stream = _Stream(file)
    with zipfile.ZipFile(stream, "w") as archive:  # type: ignore[call-overload]
        _write_record(archive, stream, "data.pkl", pickled)
        _write_record(archive, stream, "byteorder", sys.byteorder.encode())
        for key, elements in enumerate(storages):
            _write_record(archive, stream, f"data/{key}", elements.view(np.uint8).data)
        _write_record(archive, stream, "version", b"3\n")
    stream.flush()


def _write_record(archive: zipfile.ZipFile, stream: _Stream, name: str, data: Any) -> None:
    """Append a record; the extra field of its header fills the space up to the alignment."""
    info = zipfile.ZipInfo(f"{ROOT}/{name}")  # of 1980: equal objects make equal files
    header = HEADER + len(info.filename)
    if len(data) * 1.05 > zipfile.ZIP64_LIMIT:  # the condition under which zipfile adds the field
        header += ZIP64_FIELD
    padding = -(stream.written + header) % ALIGNMENT
    info.extra = struct.pack("<2sH", b"FB", padding) + b"Z" * padding
    archive.writestr(info, data)
    info.extra = b""  # not once more in the table of contents


@contextlib.contextmanager
def open_for_writing(f: Any) -> Iterator[Any]:
    """A file to write to. If `f` is a path, it gets the content when everything is written.

    Until then it lies in a temporary file beside it. Links are followed; devices and pipes, which
    cannot be replaced, are written directly."""
    if not is_path(f):
        yield f
        return
    path = os.path.realpath(os.fsdecode(f))
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        raise RuntimeError(f"Parent directory {os.path.dirname(os.fsdecode(f))} does not exist.")
    if os.path.exists(path) and not stat.S_ISREG(os.stat(path).st_mode):
        with open(path, "wb") as special:
            yield special
        return
    with _replacing(path, folder) as file:
        yield file


@contextlib.contextmanager
def _replacing(path: str, folder: str) -> Iterator[Any]:
    mode = _mode_of(path)
    temporary = os.path.join(folder, f".{secrets.token_hex(8)}.tmp")
    try:
        with open(temporary, "xb") as file:  # with the permissions that a new file has
            yield file
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    _sync_folder(folder)


def _mode_of(path: str) -> int | None:
    """The permissions of a file that exists and may be written; None for a new one."""
    try:
        with open(path, "r+b") as file:
            return stat.S_IMODE(os.fstat(file.fileno()).st_mode)
    except FileNotFoundError:
        return None


def _sync_folder(folder: str) -> None:
    """Make the renaming last through a crash, where folders can be opened (not on Windows)."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


# --- reading -------------------------------------------------------------------------------------


@contextlib.contextmanager
def open_for_reading(f: Any) -> Iterator[Any]:
    if is_path(f):
        with open(f, "rb") as file:
            yield file
        return
    for method in ("seek", "tell", "read"):
        if not hasattr(f, method):
            raise AttributeError(
                f"'{type(f).__name__}' object has no attribute '{method}'. You can only load from "
                "a path, or a file that is seekable: read the data into io.BytesIO and load that."
            )
    yield f


class ArchiveReader:
    """A checkpoint opened for reading: `read(name)` and `read_into(name, array)`."""

    def __init__(self, file: Any) -> None:
        _check_kind(file)
        try:
            file.seek(0, os.SEEK_END)
            self._size = file.tell()
            self._zip = zipfile.ZipFile(file)
            self._records = {info.filename: info for info in self._zip.infolist()}
        except DAMAGE as error:
            damaged(f"failed finding central directory ({error})", error)
        self._root = next(iter(self._records), "").partition("/")[0]
        if not (self.has("data.pkl") and self.has("version")):
            raise RuntimeError(
                "the file is a zip archive, but no checkpoint: it has no record data.pkl"
            )
        if self.has("constants.pkl"):
            raise RuntimeError(
                "the file is a TorchScript program, not a checkpoint: in PyTorch, load it with "
                "torch.jit.load and save its state_dict() with torch.save"
            )

    def __enter__(self) -> ArchiveReader:
        return self

    def __exit__(self, *exception: object) -> None:
        self._zip.close()

    def has(self, name: str) -> bool:
        return f"{self._root}/{name}" in self._records

    def size(self, name: str) -> int:
        """The size of a record in bytes, as far as the archive can be so large."""
        info = self._records.get(f"{self._root}/{name}")
        if info is None:
            damaged(f"it has no record {name}")
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
            raise RuntimeError(
                f"the record {name} is compressed or encrypted: a checkpoint's records are plain; "
                "save it again, or pack it again without compression (zip -0)"
            )
        if info.file_size != info.compress_size or info.file_size > self._size:
            damaged(f"the record {name} is larger than the file")
        return info.file_size

    def read(self, name: str) -> bytes:
        content = np.empty(self.size(name), np.uint8)
        self.read_into(name, content)
        return content.tobytes()

    def read_into(self, name: str, array: Any) -> None:
        """Fill a 1-D array with the bytes of a record of the same size."""
        try:
            missing = self._copy(name, array.view(np.uint8))
        except DAMAGE as error:
            damaged(f"{name}: {error}", error)
        if missing:
            damaged(f"the record {name} is cut")

    def _copy(self, name: str, target: Any) -> int:
        """Read the record's bytes; return how many are missing."""
        with self._zip.open(self._records[f"{self._root}/{name}"]) as record:
            while len(target):
                count: int = record.readinto(target[:CHUNK].data)  # type: ignore[attr-defined]
                if not count:
                    break
                target = target[count:]
            record.read(1)  # at the end, zipfile compares the checksum
        return len(target)


def _check_kind(file: Any) -> None:
    """Say what a file is that is no zip archive, as far as its first bytes tell."""
    start = file.tell()
    magic = file.read(4)
    file.seek(start)
    if not magic:
        raise EOFError(
            "Ran out of input: the file is empty, or was read to its end already (seek(0)?)"
        )
    if magic[:1] == b"\x80":
        raise RuntimeError(
            "the file is in PyTorch's format from before version 1.6 (or a bare pickle), which "
            "minigrad does not read: in PyTorch, save it again with "
            "torch.save(torch.load(path), path)"
        )
    if magic != b"PK\x03\x04":
        raise RuntimeError(
            f"the file is no checkpoint: it starts with {magic!r}, not as a zip archive"
        )


def damaged(what: str, error: BaseException | None = None) -> NoReturn:
    raise RuntimeError(
        f"failed reading zip archive: {what}. The file is cut or damaged, or no checkpoint."
    ) from error
