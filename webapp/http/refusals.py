"""Why the store refuses something, in the language of the request."""

from __future__ import annotations

from state.refusal import Refusal
from webapp.http.language import _


def in_words(refusal: Refusal) -> str:
    """The refusal in the request's language; one without a translation stays English."""
    return _(refusal.text, **refusal.values)


def sentence(refusal: Refusal) -> str:
    """The same with a capital and a full stop."""
    said = in_words(refusal)
    return f"{said[0].upper()}{said[1:]}."
