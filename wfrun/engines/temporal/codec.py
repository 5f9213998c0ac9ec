"""What is too large for a history stands elsewhere: the claim check pattern, as a codec of payloads.

Payloads of more than a few thousand bytes are compressed. What is still large is put into a store that all workers and
all users share, under its SHA-256, and the history has only that.
"""

from __future__ import annotations

import os
import zlib
from asyncio import sleep, to_thread
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import ParamSpec, Protocol, TypeVar

from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

from wfrun.errors import UsageError

COMPRESSED = b"binary/wfrun-zlib"
CLAIMED = b"binary/wfrun-blob"

COMPRESS_FROM = 4_096
# Of a history, 50 MiB in all are accepted, and 2 MiB in one payload.
CLAIM_FROM = 128 * 1_024


# A store that does not answer is asked again, after so many seconds each time: for what a call has given there is no
# other place, and the call is not made again for that.
PAUSES_S = (0.1, 0.3, 1.0, 3.0, 5.0)

P = ParamSpec("P")
T = TypeVar("T")


class Blobs(Protocol):
    """A store of bytes by their SHA-256 in hexadecimal. What is there is never changed."""

    def put(self, digest: str, data: bytes) -> None: ...

    def get(self, digest: str) -> bytes: ...


class Folder:
    """Blobs in a directory, which may be a network's. A name appears once all of its bytes are there."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def put(self, digest: str, data: bytes) -> None:
        place = self._path / digest
        if place.exists():
            return
        self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = self._path / f".{digest}.{os.getpid()}"
        with open(unfinished, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, place)

    def get(self, digest: str) -> bytes:
        """Raises OSError if it is missing, ValueError if it is not what was put there."""
        return checked(digest, (self._path / digest).read_bytes())


class Objects:
    """Blobs in a store that fsspec knows, by its address, like `s3://bucket/prefix`. fsspec's own variables and files,
    and those of the store, say with which right."""

    def __init__(self, address: str) -> None:
        try:
            from fsspec.core import url_to_fs

            self._files, self._root = url_to_fs(address)
        except (ImportError, ValueError) as error:
            hint = "pip install 'wfrun[temporal]' fsspec, and for s3:// also s3fs"
            raise UsageError("temporal.blobs", f"the store {address!r} cannot be used: {error}", hint=hint) from None

    def put(self, digest: str, data: bytes) -> None:
        """An object appears once all of its bytes are there; a second time it is the same."""
        if not self._files.exists(self._place(digest)):
            self._files.pipe_file(self._place(digest), data)

    def get(self, digest: str) -> bytes:
        """Raises OSError if it is missing, ValueError if it is not what was put there."""
        return checked(digest, bytes(self._files.cat_file(self._place(digest))))

    def _place(self, digest: str) -> str:
        return f"{self._root.rstrip('/')}/{digest}"


def checked(digest: str, data: bytes) -> bytes:
    if sha256(data).hexdigest() != digest:
        raise ValueError(f"the blob {digest} is not what was stored")
    return data


def store_at(place: str) -> Blobs:
    """Of a directory, or of an address with a scheme. Raises UsageError."""
    return Objects(place) if "://" in place else Folder(place)


class Claims(PayloadCodec):
    """Without `blobs`, payloads are only compressed."""

    def __init__(self, blobs: Blobs | None = None) -> None:
        self._blobs = blobs

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [await self._encoded(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [await self._decoded(payload) for payload in payloads]

    async def _encoded(self, payload: Payload) -> Payload:
        if payload.ByteSize() < COMPRESS_FROM:
            return payload
        data = zlib.compress(payload.SerializeToString(), 6)
        if self._blobs is None or len(data) < CLAIM_FROM:
            return Payload(metadata={"encoding": COMPRESSED}, data=data)
        digest = sha256(data).hexdigest()
        await _patiently(self._blobs.put, digest, data)
        return Payload(metadata={"encoding": CLAIMED}, data=digest.encode())

    async def _decoded(self, payload: Payload) -> Payload:
        encoding, data = payload.metadata.get("encoding"), payload.data
        if encoding == CLAIMED:
            if self._blobs is None:
                raise ValueError("a value stands in a blob store, and none is given: --blobs, or WFRUN_BLOBS")
            data = await _patiently(self._blobs.get, payload.data.decode())
        elif encoding != COMPRESSED:
            return payload
        return Payload.FromString(zlib.decompress(data))


async def _patiently(ask: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """In a thread: a worker has others to hear meanwhile. Raises OSError when the store has had its time."""
    for pause in PAUSES_S:
        try:
            return await to_thread(ask, *args, **kwargs)
        except OSError:
            await sleep(pause)
    return await to_thread(ask, *args, **kwargs)
