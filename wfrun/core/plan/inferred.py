"""What can be known of the value of a template before a run."""

from __future__ import annotations

from wfrun.core.definition import Path
from wfrun.core.expression import Template
from wfrun.core.plan.keys import Keys
from wfrun.core.plan.paths import shape_of
from wfrun.core.plan.shapes import ANY, NUMBER, TEXT, Shape, a_list, an_object
from wfrun.core.values import Json


def shape_of_template(template: Template, written: Json, keys: Keys) -> Shape:
    """The shape of what a template, which was `written` so, gives where these keys are set."""
    return _shape(template, written, (), keys)


def _shape(template: Template, written: Json, path: Path, keys: Keys) -> Shape:
    if isinstance(written, bool) or written is None:
        return Shape(frozenset(["null" if written is None else "boolean"]))
    if isinstance(written, int | float):
        return NUMBER
    if isinstance(written, str):
        return _of_text(template, written, path, keys)
    if isinstance(written, list):
        items = [_shape(template, item, (*path, index), keys) for index, item in enumerate(written)]
        return a_list(items[0] if items and all(item == items[0] for item in items) else ANY)
    return an_object({name: _shape(template, item, (*path, name), keys) for name, item in written.items()})


def _of_text(template: Template, text: str, path: Path, keys: Keys) -> Shape:
    """A path alone has the shape of what it leads to; a text with anything around its `${ … }` is text."""
    alone = text[2:-1].strip() if text.startswith("${") and text.endswith("}") else text
    if not alone.startswith("$"):
        return TEXT if alone is text else ANY
    for where, reference in template.references:
        if where == path and reference.text == alone:
            return shape_of(reference.segments, keys) if reference.definite else a_list(ANY)
    return TEXT if alone is text and not text.startswith(("$.", "$[")) and text != "$" else ANY
