"""YAML at the door: bytes become JSON data with positions, or one clear error.

Accepted is what JSON can say: mappings with text keys, lists, text, finite numbers, true, false, null. A plain scalar
as a key is its text, so `200:` is the key "200" and collides with `"200":`. Anchors and aliases are fine, and share
the value; what they expand to is counted as if it had been written out. Nothing here recurses: size, depth and the
number of keys and values are bounded, so a hostile file costs little before it is refused.
"""

from __future__ import annotations

from hashlib import sha256

from wfrun.core.definition import Document
from wfrun.errors import InvalidError, Place, Problem

MAX_BYTES = 1024 * 1024


def parse_document(source: bytes, file: str) -> Document:
    """Raises InvalidError with code `yaml.*` and the line and column of the first thing that cannot be accepted."""
    # Late, for importing the parser takes longer than reading most files, and what was read before is not read again.
    from wfrun.load.builder import Builder
    from wfrun.load.events import YamlError
    from wfrun.load.parser import events
    from wfrun.load.text import decode, refuse_controls

    text = decode(source, file, kind="yaml", max_bytes=MAX_BYTES).replace("\r\n", "\n").replace("\r", "\n")
    refuse_controls(text, file, kind="yaml")
    builder = Builder(max_characters=MAX_BYTES)
    try:
        for event in events(text):
            builder.feed(event)
    except YamlError as error:
        place = Place(file, error.line, error.column)
        raise InvalidError([Problem(error.code, error.message, place, error.hint)]) from None
    return Document(builder.root, builder.marks, builder.keys, file, source, sha256(source).hexdigest())
