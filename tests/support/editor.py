"""An editor, as far as the YAML language server can tell: JSON-RPC over standard streams (LSP 3.17, base protocol)."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any

PATIENCE_S = 20

# What people set in their editors; nothing is fetched from anywhere.
SETTINGS = {
    "yaml": {
        "validate": True,
        "hover": True,
        "completion": True,
        "schemaStore": {"enable": False},
        "kubernetesCRDStore": {"enable": False},
        "format": {"enable": False},
    },
    "http": {},
    "[yaml]": {"editor.tabSize": 2},
}


class Editor:
    def __init__(self, server: list[str], folder: Path) -> None:
        self._process = subprocess.Popen(
            server, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._answers: dict[int, Any] = {}
        self._inbox: Queue[dict[str, Any]] = Queue()
        self._last_id = 0
        self._versions: dict[str, int] = {}
        self._diagnostics: dict[str, list[Any]] = {}
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()
        root = folder.as_uri()
        capabilities = {
            "workspace": {"configuration": True, "didChangeConfiguration": {"dynamicRegistration": True}},
            "textDocument": {
                "completion": {"completionItem": {"snippetSupport": True, "documentationFormat": ["markdown"]}},
                "hover": {"contentFormat": ["markdown"]},
            },
        }
        folders = [{"uri": root, "name": folder.name}]
        self.ask("initialize", processId=None, rootUri=root, capabilities=capabilities, workspaceFolders=folders)
        self._send({"method": "initialized", "params": {}})
        self._send({"method": "workspace/didChangeConfiguration", "params": {"settings": SETTINGS}})

    def close(self) -> None:
        try:
            self.ask("shutdown")
            self._send({"method": "exit", "params": None})
            self._process.wait(PATIENCE_S)
        finally:
            self._process.kill()
            self._process.communicate()
            self._reader.join(PATIENCE_S)

    # ---- what a person does

    def open(self, path: Path, text: str) -> str:
        """Show a file, which need not exist. Its URI."""
        uri = path.as_uri()
        self._diagnostics.pop(uri, None)
        self._send(
            {
                "method": "textDocument/didOpen",
                "params": {"textDocument": {"uri": uri, "languageId": "yaml", "version": 1, "text": text}},
            }
        )
        return uri

    def complete(self, uri: str, line: int, character: int) -> list[Any]:
        """What is offered at a place; lines and characters count from 0."""
        found = self.ask("textDocument/completion", **_at(uri, line, character))
        items: list[Any] = found["items"] if isinstance(found, dict) else found or []
        return items

    def hover(self, uri: str, line: int, character: int) -> str:
        found = self.ask("textDocument/hover", **_at(uri, line, character))
        return _text(found["contents"]) if found else ""

    def diagnostics(self, uri: str) -> list[Any]:
        """What is marked in a file, once the server has told it."""
        while uri not in self._diagnostics:
            self._take(self._next())
        return self._diagnostics[uri]

    # ---- the protocol

    def ask(self, method: str, **params: Any) -> Any:
        self._last_id += 1
        id = self._last_id
        self._send({"id": id, "method": method, "params": params or None})
        while id not in self._answers:
            self._take(self._next())
        return self._answers.pop(id)

    def _next(self) -> dict[str, Any]:
        try:
            return self._inbox.get(timeout=PATIENCE_S)
        except Empty:
            raise TimeoutError("the language server does not answer") from None

    def _take(self, message: dict[str, Any]) -> None:
        if "method" not in message:
            self._answers[message["id"]] = message.get("result")
        elif message["method"] == "textDocument/publishDiagnostics":
            self._diagnostics[message["params"]["uri"]] = message["params"]["diagnostics"]
        elif "id" in message:
            self._send({"id": message["id"], "result": _answer(message)})

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self._process.stdin.flush()

    def _read(self) -> None:
        stream = self._process.stdout
        assert stream
        while line := stream.readline():
            length = 0
            while line.strip():
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
                line = stream.readline()
            self._inbox.put(json.loads(stream.read(length)))


def _answer(request: dict[str, Any]) -> Any:
    if request["method"] != "workspace/configuration":
        return None
    return [SETTINGS.get(item.get("section", ""), {}) for item in request["params"]["items"]]


def _at(uri: str, line: int, character: int) -> dict[str, Any]:
    return {"textDocument": {"uri": uri}, "position": {"line": line, "character": character}}


def _text(contents: Any) -> str:
    if isinstance(contents, list):
        return "\n".join(map(_text, contents))
    return contents if isinstance(contents, str) else str(contents["value"])
