"""The append-only file in which a shard stores its finished batches.

Layout: one line of JSON (the settings and their checksum), then one frame per batch::

    magic b"BTCH" | payload size u32 | crc32 of the payload u32 | payload | b"DONE"

A frame is synced to disk before the next batch starts, so a kill at any point leaves whole frames and at most one torn
frame at the end, which the next run cuts off. All numbers are little-endian.
"""

import errno
import fcntl
import json
import os
import struct
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np

from vqnat.distillation.disk_errors import writing
from vqnat.errors import UserError
from vqnat.records.checksums import sealed, unsealed

MAGIC, END = b"BTCH", b"DONE"
_FRAME = struct.Struct("<4sII")  # magic, payload size in bytes, crc32
_RECORD = struct.Struct("<IId")  # batch, number of hypotheses, seconds
MOST_HEADER = 1 << 20  # bytes
LOCK_WAIT = 5.0  # seconds: the children of a killed run need a moment to notice and exit


@dataclass
class Record:
    """The hypotheses of one batch, those of one sentence together and best first.

    A sentence without a row keeps its raw target.
    """

    batch: int  # index into the batch plan
    seconds: float  # decoding time
    ids: np.ndarray  # (n,) int32, sentence, see sources.py
    lengths: np.ndarray  # (n,) int32, tokens with the end-of-sentence symbol
    scores: np.ndarray  # (n,) float32, length-normalized log-probability (natural logarithm)
    tokens: np.ndarray  # (sum of lengths,) int32

    def pack(self) -> bytes:
        """The payload of a frame."""
        head = _RECORD.pack(self.batch, len(self.ids), self.seconds)
        arrays = [(self.ids, "<i4"), (self.lengths, "<i4"), (self.scores, "<f4"), (self.tokens, "<i4")]
        return head + b"".join(np.asarray(array, dtype).tobytes() for array, dtype in arrays)

    @classmethod
    def unpack(cls, payload: bytes) -> "Record":
        """The inverse of ``pack``; the arrays are views into ``payload``. Raises ValueError for any other payload."""
        if len(payload) < _RECORD.size:
            raise ValueError("no record")
        batch, n, seconds = _RECORD.unpack_from(payload)
        at = _RECORD.size
        ids = np.frombuffer(payload, "<i4", n, at)
        lengths = np.frombuffer(payload, "<i4", n, at + 4 * n)
        scores = np.frombuffer(payload, "<f4", n, at + 8 * n)
        if at + 12 * n > len(payload) or len(payload) % 4:
            raise ValueError(f"{n} hypotheses")
        tokens = np.frombuffer(payload[at + 12 * n :], "<i4")
        if len(lengths) and (lengths.min() < 0 or lengths.sum(dtype=np.int64) != len(tokens)):
            raise ValueError("other lengths than tokens")
        return cls(batch, seconds, ids, lengths, scores, tokens)

    def token_offsets(self, payload_at: int) -> np.ndarray:
        """File offsets of the hypotheses, (n,) int64 bytes, for a payload at ``payload_at``."""
        first = payload_at + _RECORD.size + 12 * len(self.ids)
        return first + 4 * (np.cumsum(self.lengths, dtype=np.int64) - self.lengths)


def scan(path: Path, start: int) -> Iterator[tuple[int, int, Record]]:
    """Yield (payload offset, end offset, record) for each whole frame from ``start`` up to a torn one.

    It only reads, so another process may be writing the journal. Raises UserError for a frame whose checksum is right
    and whose content no writer makes.
    """
    with open(path, "rb") as file:
        whole = os.path.getsize(path)
        file.seek(start)
        while len(head := file.read(_FRAME.size)) == _FRAME.size:
            magic, size, checksum = _FRAME.unpack(head)
            if magic != MAGIC or file.tell() + size > whole:
                return
            payload, end = file.read(size), file.read(len(END))
            if end != END or zlib.crc32(payload) != checksum:
                return
            try:
                record = Record.unpack(payload)
            except ValueError as error:
                raise UserError(f"{path}: not the journal of a distillation at byte {start} ({error})") from error
            yield start + _FRAME.size, file.tell(), record
            start = file.tell()


def read_header(path: Path) -> tuple[dict | None, int]:
    """The header and the offset of the first frame; (None, 0) if the header is incomplete. Raises UserError."""
    with open(path, "rb") as file:
        line = file.readline(MOST_HEADER)
    if len(line) == MOST_HEADER:
        raise UserError(f"{path}: not a shard of a distillation; move it away")
    if not line.endswith(b"\n"):
        return None, 0
    try:
        header = unsealed(json.loads(line))
        return header | {"settings": dict(header["settings"])}, len(line)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(f"{path}: not a shard of a distillation; move it away") from error


class Journal:
    """A journal opened for writing, locked against a second writer.

    Args:
        path: the file, made when missing.
        header: written into a new file; the caller compares it with that of an old file.

    Raises:
        UserError: another process holds the lock, the file is not a journal, or the disk is full.
    """

    def __init__(self, path: Path, header: dict) -> None:
        self.path = path
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self.file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+b", buffering=0)
        self._lock()
        found, self.first = read_header(path)
        self.header = header if found is None else found
        self.end = self.first
        self.done: dict[int, int] = {}  # batch -> number of hypotheses
        if found is None:
            self._write(json.dumps(sealed(header)).encode() + b"\n")
            self.first = self.end
        for _, end, record in scan(path, self.first):
            self.done[record.batch] = len(record.ids)
            self.end = end
        self.torn = os.path.getsize(path) - self.end  # bytes cut off
        with writing(path):
            os.ftruncate(self.file.fileno(), self.end)

    def append(self, record: Record) -> None:
        """Add a batch; it is on disk when this returns."""
        payload = record.pack()
        self._write(_FRAME.pack(MAGIC, len(payload), zlib.crc32(payload)) + payload + END)
        self.done[record.batch] = len(record.ids)

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        with writing(self.path):
            os.ftruncate(self.file.fileno(), self.end)
            self.file.seek(self.end)
            try:
                while view:
                    view = view[self.file.write(view) :]
                os.fsync(self.file.fileno())
            except OSError:
                os.ftruncate(self.file.fileno(), self.end)  # needs no space
                raise
        self.end += len(data)

    def _lock(self) -> None:
        give_up = time.monotonic() + LOCK_WAIT
        while True:
            try:
                return fcntl.flock(self.file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP):
                    return None  # no locks on this file system: the user must not start a shard twice
                if time.monotonic() > give_up:
                    self.file.close()
                    message = f"{self.path}: another process is writing this shard; wait for it or kill it"
                    raise UserError(message) from error
                time.sleep(0.1)

    def close(self) -> None:
        """Release the lock."""
        self.file.close()

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
