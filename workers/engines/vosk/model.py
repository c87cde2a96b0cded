"""A loaded Vosk model."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

from workers.engines.audio import check_rate
from workers.engines.base import ModelUnusable, Snapshot, begun
from workers.engines.prepare import Prepared
from workers.engines.vosk import priming
from workers.engines.vosk.library import core_type, load_library
from workers.engines.vosk.pages import use_huge_pages
from workers.engines.vosk.recogniser import VoskRecogniser
from workers.engines.vosk.utterance import Utterance


class VoskModel:
    """Shared by all recognisers of a process, and by the processes of their open utterances.

    Raises:
        ModelUnusable: libvosk refuses the files.
    """

    partials_cost = False
    fork_safe = True  # libvosk starts no threads; children share its pages

    def __init__(self, prepared: Prepared) -> None:
        self._vosk = load_library()
        try:
            self._model = self._vosk.Model(prepared.folder)
        except Exception:  # the binding raises nothing narrower
            raise ModelUnusable(f"The Vosk model {prepared.name} in {prepared.folder} cannot be loaded.") from None
        primed = priming.identity()
        self.identity = f"vosk-{version('vosk')}:{core_type()}:{prepared.identity[:16]}:primed-{primed}"
        self.display_name = f"Vosk {prepared.name}"
        self._primed: dict[int, Any] = {}
        self._loaded_by = os.getpid()

    def warm_up(self, rate: int) -> Iterator[None]:
        """See Model.warm_up: prime a recogniser for tracks at this rate, which takes some seconds.

        Forked processes inherit it, so the self-check, before any fork, does it for the rate of telephony. Raises
        ValueError for a rate out of range.
        """
        check_rate(rate)
        if rate in self._primed:
            return
        recogniser = self.library_recogniser(rate)
        yield from priming.prime(recogniser, rate)
        self._primed[rate] = recogniser
        if os.getpid() == self._loaded_by:
            use_huge_pages()

    def recogniser(self, rate: int, snapshot: Snapshot | None, open_from: int = 0) -> VoskRecogniser:
        """See Model.recogniser. Raises ValueError for a rate out of range or a snapshot of another model."""
        check_rate(rate)
        return VoskRecogniser(self, rate, begun(self.identity, snapshot, open_from))

    def utterance(self, rate: int) -> Utterance:
        """A new open utterance. The first at a rate warms up, if nobody did."""
        for _ in self.warm_up(rate):
            pass
        return Utterance(self._primed[rate])

    def library_recogniser(self, rate: int) -> Any:
        """A new recogniser of the library's, as its own programs make it."""
        recogniser = self._vosk.KaldiRecognizer(self._model, rate)
        recogniser.SetWords(True)
        return recogniser
