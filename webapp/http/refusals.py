"""Why the store's parts refuse something, in the language of the request. They say it in English, as commands do."""

from __future__ import annotations

import re

from webapp.http.language import _, later

_KNOWN = (
    later("account {name} exists already"),
    later("key {name} exists already. Revoke it first or take another name"),
    later("an agent's key has no other scope"),
    later("{name} is in API_KEYS. Remove it there and restart the web processes"),
    later("nobody is signed in as {name}"),
    later("there is no account {name}"),
    later("there is no key named {name}"),
    later("an agent's name is printable text of 1 to {n} characters"),
    later("a name is 1 to 64 letters, digits and . _ @ + -, and begins with a letter or digit"),
    later("a password has {least} to {most} characters"),
    later("there are {n} webhooks already"),
    later("a name has small letters, digits, _ and -; kafka is taken"),
    later("there is a webhook named {name} already"),
    later("this is no address"),
    later("the address must begin with https:// (http:// for one of WEBHOOK_ALLOW)"),
    later("the address may hold no name, password, blank or #"),
    later("there is no such webhook, or it is switched off"),
    later("there is no such delivery in the log"),
)

_FORMS = [(re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", re.escape(text)), re.DOTALL), text) for text in _KNOWN]


def in_words(refusal: Exception) -> str:
    """The refusal in the request's language; one that is not known here stays English."""
    said = str(refusal)
    for form, text in _FORMS:
        if found := form.fullmatch(said):
            return _(text, **found.groupdict())
    return said


def sentence(refusal: Exception) -> str:
    """The same with a capital and a full stop."""
    said = in_words(refusal)
    return f"{said[0].upper()}{said[1:]}."
