"""What is too large for a history stands elsewhere: the claim check pattern, as a codec of payloads.

Payloads of more than a few thousand bytes are compressed. What is still large is put into a store that all workers and
all users share, under its SHA-256, and the history has only that.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

COMPRESSED = b"binary/wfrun-zlib"
CLAIMED = b"binary/wfrun-blob"

COMPRESS_FROM = 4_096
# Of a history, 50 MiB in all are accepted, and 2 MiB in one payload.
CLAIM_FROM = 128 * 1_024


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
        data = (self._path / digest).read_bytes()
        if sha256(data).hexdigest() != digest:
            raise ValueError(f"the blob {digest} is not what was stored")
        return data


class Claims(PayloadCodec):
    """Without `blobs`, payloads are only compressed."""

    def __init__(self, blobs: Blobs | None = None) -> None:
        self._blobs = blobs

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self._encoded(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self._decoded(payload) for payload in payloads]

    def _encoded(self, payload: Payload) -> Payload:
        if payload.ByteSize() < COMPRESS_FROM:
            return payload
        data = zlib.compress(payload.SerializeToString(), 6)
        if self._blobs is None or len(data) < CLAIM_FROM:
            return Payload(metadata={"encoding": COMPRESSED}, data=data)
        digest = sha256(data).hexdigest()
        self._blobs.put(digest, data)
        return Payload(metadata={"encoding": CLAIMED}, data=digest.encode())

    def _decoded(self, payload: Payload) -> Payload:
        encoding, data = payload.metadata.get("encoding"), payload.data
        if encoding == CLAIMED:
            if self._blobs is None:
                raise ValueError("a value stands in a blob store, and none is given: --blobs, or WFRUN_BLOBS")
            data = self._blobs.get(payload.data.decode())
        elif encoding != COMPRESSED:
            return payload
        return Payload.FromString(zlib.decompress(data))
