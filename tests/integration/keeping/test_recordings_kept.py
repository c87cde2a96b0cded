"""Which calls are recorded, how long their sound is kept, and that what is erased is gone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import redis

from state.archive import erase
from state.archive.erase import Hold
from state.archive.opening import Archive
from state.calls.ingest import Ingest
from state.calls.listening import Sound
from state.calls.retention import Retention
from state.erasure import Erasure
from state.moments import DAY_MS
from state.recording import catalogue
from state.recording.sounds import Named, Piece, Sounds
from state.recording.spool import Spool
from state.settings import SettingsError, load
from state.settings.values import is_recorded, sound_days
from tests.harness.line import Line
from tests.harness.recorded import files, finish, noise, of, recorded, settings
from workers.jobs.aging import forget_sound
from workers.jobs.assembly import assemble
from workers.sentiment.assessor import Assessor


def test_only_calls_of_chosen_queues_are_recorded(
    store: redis.Redis, sqlite: Archive, sounds: Sounds, assessor: Assessor, tmp_path: Path
) -> None:
    days = "training=0,billing=9"
    for call_id, queue in (("a", "billing"), ("b", "training"), ("c", "sales")):
        line = Line(store, assessor, ["agent"], call_id, settings=settings("/x", days), queue=queue)
        line.ingest.put(call_id, "agent", None, noise(1))
        assert Spool(store, sounds).take(call_id) == (queue == "billing")
    ingest = Ingest(store, settings("/x", "training=0,*=5"))
    ingest.put("late", "agent", None, noise(1))
    assert Spool(store, sounds).take("late") == 1, "nobody has named its queue yet"
    ingest.create("late", ["agent"], {"queue": "training"})
    ingest.put("late", "agent", None, noise(2))
    assert Spool(store, sounds).take("late") == 0
    line = Line(store, assessor, ["agent"], "late", settings=settings("/x", days), queue="training")
    finish(store, sqlite, line)
    assert assemble(store, sqlite, sounds, "late") == "DROPPED"
    assert len(files(tmp_path)) == 1, "of call a"
    assert is_recorded(sound_days(days), "billing") and not is_recorded(sound_days(days), None)


def test_an_erased_call_cannot_be_heard(
    store: redis.Redis, archive: Archive, sounds: Sounds, assessor: Assessor, tmp_path: Path
) -> None:
    call = recorded(store, archive, sounds, assessor)
    other = recorded(store, archive, sounds, assessor, "c2")
    left = tmp_path / "recordings" / call.parts
    left.mkdir(parents=True, exist_ok=True)
    (left / "x#1").write_bytes(b"half written")
    erasure = Erasure(store, archive, settings(tmp_path / "recordings"))
    assert erasure.erase("c") == ["database", "recordings", "redis"]
    assert files(tmp_path) == of(other) and catalogue.find(archive, "c") is None
    # A job was about to write when the call was erased:
    sounds.put_part(call, [Piece("agent", Sound(0, 8000, 8000, "mulaw", noise(1).audio))])
    assert forget_sound(archive, sounds, "*=30", store.time()[0] * 1000) == 0
    assert files(tmp_path) == of(other)


def test_a_call_that_is_erased_meanwhile_leaves_nothing(
    store: redis.Redis, sqlite: Archive, sounds: Sounds, assessor: Assessor, tmp_path: Path
) -> None:
    line = Line(store, assessor, ["agent"], settings=settings("/x"))
    line.ingest.put("c", "agent", None, noise(1))
    real = sounds.put_part

    def erased_meanwhile(*arguments: Any) -> Any:
        Retention(store, settings("/x")).erase("c")
        return real(*arguments)

    sounds.put_part = erased_meanwhile  # type: ignore[method-assign, assignment]
    assert Spool(store, sounds).take("c") == 0 and files(tmp_path) == []


def test_sound_goes_by_queue_and_a_hold_keeps_it(
    store: redis.Redis, archive: Archive, sounds: Sounds, assessor: Assessor, tmp_path: Path
) -> None:
    for call_id, queue in (("a", "billing"), ("b", "sales"), ("held", "sales")):
        recorded(store, archive, sounds, assessor, call_id, queue=queue)
    erase.hold(archive, Hold("call", "held", "court", "lee", 1))
    now = store.time()[0] * 1000 + 10 * DAY_MS
    assert forget_sound(archive, sounds, "billing=30,*=5", now) == 1
    assert [call_id for call_id in ("a", "b", "held") if catalogue.find(archive, call_id)] == ["a", "held"]
    assert len(files(tmp_path)) == 2 * 2, "two recordings, each with its description file"
    assert forget_sound(archive, sounds, "", now) == 1, "no queue is recorded any more"
    assert [call_id for call_id in ("a", "b", "held") if catalogue.find(archive, call_id)] == ["held"]
    erase.release(archive, "call", "held")
    assert forget_sound(archive, sounds, "", now) == 1 and files(tmp_path) == []


def test_parts_that_nobody_made_a_recording_of_go(sounds: Sounds, sqlite: Archive, tmp_path: Path) -> None:
    sounds.put_part(Named("lost", 1), [Piece("agent", Sound(0, 8000, 8000, "mulaw", noise(1).audio))])
    written_ms = int(next((tmp_path / "recordings").rglob("0*")).stat().st_mtime * 1000)
    assert forget_sound(sqlite, sounds, "*=90", written_ms + 6 * DAY_MS) == 0 and files(tmp_path)
    assert forget_sound(sqlite, sounds, "*=90", written_ms + 8 * DAY_MS) == 0 and not files(tmp_path)


@pytest.mark.parametrize("days", ["billing", "=3", "a=1,a=2", "a=-1"])
def test_queues_and_days_that_cannot_be_meant_are_refused(days: str) -> None:
    with pytest.raises(SettingsError, match="SOUND_DAYS"):
        load({"SOUND_DAYS": days, "RECORDINGS": "/x", "DATABASE_URL": "sqlite:////x"})


def test_recording_needs_a_place_and_a_database() -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL: SOUND_DAYS is set"):
        load({"SOUND_DAYS": "*=1", "RECORDINGS": "/x"})
    with pytest.raises(SettingsError, match="RECORDINGS: SOUND_DAYS is set"):
        load({"SOUND_DAYS": "*=1", "DATABASE_URL": "sqlite:////x"})
