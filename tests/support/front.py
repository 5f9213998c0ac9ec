"""TLS in front of a server that has none, as a load balancer has it, and what clients say to it in their headers."""

from __future__ import annotations

import ssl
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from socket import SHUT_WR, create_connection, create_server, socket
from threading import Thread

import trustme
from hpack import Decoder
from hyperframe.frame import ContinuationFrame, Frame, HeadersFrame

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
CHUNK = 65_536


class Authority:
    """Whoever issues certificates, with these in files of a folder."""

    def __init__(self, folder: Path) -> None:
        self._ca = trustme.CA()
        folder.mkdir(exist_ok=True)
        self.file = folder / "ca.pem"
        self.cert, self.key = folder / "client.pem", folder / "client.key"
        self._ca.cert_pem.write_to_path(self.file)
        client = self._ca.issue_cert("client@example.com")
        client.cert_chain_pems[0].write_to_path(self.cert)
        client.private_key_pem.write_to_path(self.key)

    def server(self, clients: Authority | None = None) -> ssl.SSLContext:
        """For HTTP/2 on the loopback; only for clients that have a certificate of theirs, if that is wanted."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["h2"])
        self._ca.issue_cert("127.0.0.1").configure_cert(context)
        if clients is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            clients._ca.configure_trust(context)
        return context


class Front:
    """`requests` are the headers of all requests, by the last word of their paths."""

    def __init__(self, port: int, context: ssl.SSLContext) -> None:
        self._port = port
        self._context = context
        self._listener = create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.requests: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
        Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):  # it was closed
            while True:
                Thread(target=self._welcome, args=[self._listener.accept()[0]], daemon=True).start()

    def _welcome(self, raw: socket) -> None:
        with suppress(OSError), self._context.wrap_socket(raw, server_side=True) as client:
            with create_connection(("127.0.0.1", self._port)) as server:
                Thread(target=_pour, args=[server, client], daemon=True).start()
                heard = Heard(self.requests)
                while data := client.recv(CHUNK):
                    heard.read(data)
                    server.sendall(data)


def _pour(source: socket, target: socket) -> None:
    with suppress(OSError):
        while data := source.recv(CHUNK):
            target.sendall(data)
        target.shutdown(SHUT_WR)


class Heard:
    """What one client says, in frames of HTTP/2 (RFC 9113)."""

    def __init__(self, requests: defaultdict[str, list[dict[str, str]]]) -> None:
        self._requests = requests
        self._decoder = Decoder()
        self._unread = bytearray()
        self._block = b""
        self._begun = False

    def read(self, data: bytes) -> None:
        self._unread += data
        if not self._begun and len(self._unread) >= len(PREFACE):
            assert self._unread.startswith(PREFACE)
            del self._unread[: len(PREFACE)]
            self._begun = True
        while self._begun and (frame := self._frame()) is not None:
            if isinstance(frame, HeadersFrame | ContinuationFrame):
                self._block += frame.data
                if "END_HEADERS" in frame.flags:
                    self._request()

    def _frame(self) -> Frame | None:
        if len(self._unread) < 9:
            return None
        frame, length = Frame.parse_frame_header(memoryview(bytes(self._unread[:9])))
        if len(self._unread) < 9 + length:
            return None
        frame.parse_body(memoryview(bytes(self._unread[9 : 9 + length])))
        del self._unread[: 9 + length]
        return frame

    def _request(self) -> None:
        headers = {str(name): str(value) for name, value in self._decoder.decode(self._block)}
        self._block = b""
        self._requests[headers[":path"].rpartition("/")[2]].append(headers)


@contextmanager
def front_of(port: int, context: ssl.SSLContext) -> Iterator[Front]:
    front = Front(port, context)
    try:
        yield front
    finally:
        front.close()
