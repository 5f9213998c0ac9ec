"""Nearest names, for hints."""

from __future__ import annotations

from collections.abc import Iterable

from wfrun.core.gaps import plain


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean ...?`, or nothing if no known word is near."""
    near = nearest(word, known)
    return f"did you mean `{near}`?" if near else ""


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that is most like this one, or nothing if none is near. Case and hyphens count for little."""
    from difflib import get_close_matches

    words = {plain(each): each for each in known}
    near = get_close_matches(plain(word), words, n=1, cutoff=0.6)
    return words[near[0]] if near else ""
