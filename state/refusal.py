"""What the store does not do, and why: in English for commands, and with its values apart for the pages' languages."""

from __future__ import annotations


class Refusal(Exception):
    """It cannot be done. The message is one line and never holds a secret. Commands show all kinds, pages those that
    scripts/operating/translations.py names."""

    def __init__(self, text: str, **values: object) -> None:
        """text: the message, with {name} in the place of each of the values; by it a page finds its translation."""
        super().__init__(text.format(**values) if values else text)
        self.text, self.values = text, values


class Unknown(Refusal):
    """There is no such account, key, session or delivery."""
