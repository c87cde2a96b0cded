"""Finds words that nobody may see: card, account and social-security numbers, phone numbers, e-mail addresses,
dates of birth, as people speak them and as digits.

Works on whitespace words, because that is what a transcript, a table and an export have. Digits are collected
over a track's utterances as long as nothing else is said in between, so a card number read in four breaths is
one number.

What is masked, and what is not (a choice, as order, parcel and policy numbers sound alike):

* runs of 7 and more digits are masked, whatever they are: 13-19 as a card (whether or not the check digit is
right: a recogniser may miss one), else as phone, social-security or account number by their form;
* a run of 3-6 digits is masked only when something secret was named just before it (PIN, security code, sort
code, account, card, social); * numbers named as order, parcel, booking, policy, reference, case ... are left
readable up to 10 digits: a supervisor needs them and they open no account; longer ones are masked all the
same;
* amounts ("one million two hundred thousand pounds") stay;
* a date is masked only when birth is spoken of just before: appointments and deliveries stay readable.

Not found: numbers with letters in them (IBAN, passports, licence plates), names, postal addresses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from workers.insight.redaction.dictation import MASKED_NUMBER, Run, runs
from workers.insight.redaction.spelled import birth_dates, emails
from workers.insight.words.spoken import Spoken, canonical
from workers.insight.words.tokens import wordset

Kind = Literal["card", "account", "ssn", "phone", "email", "birth_date", "code"]

MASKED_WORD = "▒▒"
"""Stands for each masked word of an address or a date; MASKED_NUMBER for each of a number."""

WINDOW_SECONDS = 30.0
"""At most so many seconds between two utterances of a track over which a number may go on."""
CUE_WORDS = 14
"""Words before a number, of either party, in which its name is looked for."""
SHORT_CUE_WORDS = 8
"""The same for numbers so short that only their name makes them secret."""
CUE_SECONDS = 20.0

CARD_DIGITS = range(13, 20)
LONG_DIGITS = 7
"""Digits from which a number is masked, unless the words name it as harmless."""
SHORT_DIGITS = 3
"""Digits from which a number named as secret is masked (card security codes have 3)."""
HARMLESS_DIGITS = 10
"""At most so many digits for which the name of a harmless number counts. A longer one may be a card."""

SECRET_CUES: dict[str, Kind] = {
    "card": "card", "visa": "card", "mastercard": "card", "amex": "card", "debit": "card", "credit": "card",
    "account": "account", "iban": "account", "sort": "account", "routing": "account", "bank": "account",
    "social": "ssn", "ssn": "ssn", "insurance": "account", "passport": "account", "licence": "account",
    "license": "account", "pin": "code", "cvv": "code", "cvc": "code", "security": "code", "passcode": "code",
    "password": "code", "code": "code", "phone": "phone", "mobile": "phone", "telephone": "phone",
    "cell": "phone", "landline": "phone", "call": "phone", "ring": "phone", "reach": "phone", "text": "phone",
}  # fmt: skip
SHORT_CUES = wordset("card account sort social ssn pin cvv cvc passcode password code")
"""Names strong enough to make three digits secret ("insurance" may be in the company's name)."""
AMOUNT_WORDS = wordset("pounds pound dollars dollar euros euro pence cents quid percent people miles units kilometers")
HARMLESS_CUES = wordset(
    "order parcel tracking booking reservation reference policy ticket case invoice flight engineer"
    " claim serial model meter confirmation consignment receipt postcode zip"
)


class Mask(msgspec.Struct, frozen=True):
    """Words first..last (indices of the text's whitespace words, both included) of an utterance are to be
    masked.

    start, end: the same as character offsets into the text, end exclusive.
    """

    utterance_id: str
    kind: Kind
    first: int
    last: int
    start: int
    end: int


class Finding(msgspec.Struct, frozen=True):
    """Something secret, or, with kind None, a number that is not (yet).

    pieces:  (utterance id, first, last) word index spans, oldest first.
    certain: nothing said elsewhere in the call can change it.
    open:    a number that the next utterance of its track may go on with.
    digits:  how many digits a number has; 0 for what is none.
    """

    kind: Kind | None
    pieces: list[tuple[str, int, int]]
    certain: bool = False
    open: bool = False
    digits: int = 0


def find(utterances: Sequence[Spoken]) -> list[Mask]:
    """All masks in some utterances of a call, all tracks; order of utterances does not matter.

    Give the last half minute at least, so that numbers spread over utterances are seen whole. A mask may
    appear on an earlier utterance once a later one has completed a number.
    """
    said = canonical(list(utterances))
    spans: dict[str, list[tuple[int, int, Kind]]] = {}
    for found in findings(said):
        if found.kind is not None:
            for utterance_id, first, last in found.pieces:
                spans.setdefault(utterance_id, []).append((first, last, found.kind))
    return [mask for u in said for mask in _masks(u, spans.get(u.id, []))]


def findings(said: list[Spoken]) -> list[Finding]:
    """Secrets, and numbers that are none, in utterances in canonical order."""
    out: list[Finding] = []
    # written first, what the words say it is wins over what a run of digits looks like
    for utterance in said:
        words = utterance.text.split()
        out += [Finding("email", [(utterance.id, *span)], certain=True) for span in emails(words)]
        before = _words_before(utterance, 0, said)
        out += [Finding("birth_date", [(utterance.id, *span)]) for span in birth_dates(words, before)]
    for track in sorted({u.track for u in said}):
        own = [u for u in said if u.track == track]
        for run in runs(own, WINDOW_SECONDS):
            if run.pieces:
                certain = run.masked or len(run.digits) > HARMLESS_DIGITS
                is_open = not run.followed_by and run.pieces[-1][0] == own[-1].id
                out.append(Finding(_judge(run, said), run.pieces, certain, is_open, len(run.digits)))
    return out


def redact(text: str, masks: Sequence[Mask]) -> str:
    """`text` with the masked words (masks of this utterance) replaced; word count and order stay."""
    words = text.split()
    for mask in masks:
        for index in range(mask.first, min(mask.last + 1, len(words))):
            words[index] = glyph(mask.kind)
    return " ".join(words)


def glyph(kind: Kind | None) -> str:
    """The sign for a masked word."""
    return MASKED_WORD if kind in ("email", "birth_date") else MASKED_NUMBER


def _masks(utterance: Spoken, spans: list[tuple[int, int, Kind]]) -> list[Mask]:
    offsets: list[tuple[int, int]] = []
    at = 0
    for word in utterance.text.split():
        at = utterance.text.index(word, at)
        offsets.append((at, at + len(word)))
        at += len(word)
    covered: set[int] = set()
    masks: list[Mask] = []
    for first, last, kind in sorted(spans, key=lambda s: (s[0] - s[1], s[0])):
        if covered.isdisjoint(range(first, last + 1)):
            covered.update(range(first, last + 1))
            masks.append(Mask(utterance.id, kind, first, last, offsets[first][0], offsets[last][1]))
    return sorted(masks, key=lambda m: m.first)


def _judge(run: Run, said: list[Spoken]) -> Kind | None:
    """The kind of a run of digits; None for harmless."""
    digits, count = run.digits, len(run.digits)
    if run.masked:
        return "account"
    if count in CARD_DIGITS:
        return "card"
    if count < SHORT_DIGITS:
        return None
    if count <= HARMLESS_DIGITS and run.followed_by in AMOUNT_WORDS and len(run.pieces) == 1:
        return None
    cue, harmless, name = _cue(run, said, CUE_WORDS if count >= LONG_DIGITS else SHORT_CUE_WORDS)
    if harmless and count <= HARMLESS_DIGITS:
        return None
    if count >= LONG_DIGITS:
        if cue is not None and cue != "code":
            return cue
        if count == 9 and not digits.startswith("0"):
            return "ssn"
        return "phone" if count in (7, 10, 11, 12) or run.plus else "account"
    return cue if name in SHORT_CUES else None


def _cue(run: Run, said: list[Spoken], reach: int) -> tuple[Kind | None, bool, str]:
    """The nearest name within `reach` words before the run: its kind if secret, whether harmless, the
    word."""
    utterance_id, first, _ = run.pieces[0]
    utterance = next(u for u in said if u.id == utterance_id)
    for word in reversed(_words_before(utterance, first, said)[-reach:]):
        form = word.lower().strip(".,!?;:'\"")
        form = form if form in SECRET_CUES else form.removesuffix("s")
        if form in HARMLESS_CUES:
            return None, True, form
        if form in SECRET_CUES:
            return SECRET_CUES[form], False, form
    return None, False, ""


def _words_before(utterance: Spoken, index: int, said: list[Spoken]) -> list[str]:
    """The last CUE_WORDS words said before word `index` of `utterance`, by anybody."""
    words = utterance.text.split()[:index]
    for earlier in reversed([u for u in said if u.start < utterance.start]):
        if len(words) >= CUE_WORDS or utterance.start - earlier.end > CUE_SECONDS:
            break
        words = earlier.text.split() + words
    return words[-CUE_WORDS:]
