"""The alert rules that hold at this moment, from the store's figures alone.

deploy/prometheus/alerts.yml has the rules. Those that need a past (rates of delays, of deaths, of refusals) are
Prometheus' alone. A test keeps names, limits and who is woken equal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from webapp.schemas.operations import ApiAlert, ApiOperations


class Alarm(NamedTuple):
    """wakes: it would wake somebody. value: what is wrong, for people; None: nothing is."""

    wakes: bool
    value: Callable[[ApiOperations], str | None]


def _shard(now: ApiOperations) -> str | None:
    away = [str(shard.number) for shard in now.shards if not shard.up]
    return f"shard {', '.join(away)}" if away else None


def _no_decoder(now: ApiOperations) -> str | None:
    return f"{now.calls_live} live calls" if not now.decoders and now.calls_live else None


def _behind(now: ApiOperations) -> str | None:
    behind = now.backlog_seconds > 5 * now.calls_live and now.backlog_seconds > 30
    return f"{now.backlog_seconds:.0f} s of audio" if behind else None


def _busy(now: ApiOperations) -> str | None:
    return f"{now.busy:.0%} busy" if now.busy is not None and now.busy > 0.8 else None


def _scores(now: ApiOperations) -> str | None:
    return f"{now.finals_waiting} utterances" if now.finals_waiting > 500 else None


def _dead(now: ApiOperations) -> str | None:
    return f"{now.dead} given up" if now.dead > 0 else None


def _memory(now: ApiOperations) -> str | None:
    return f"{now.memory_ratio:.0%} full" if now.memory_ratio is not None and now.memory_ratio > 0.6 else None


def _not_archived(now: ApiOperations) -> str | None:
    return f"{now.calls_unarchived} calls" if now.calls_unarchived > 100 else None


def _database(now: ApiOperations) -> str | None:
    return "ended calls and webhooks wait" if now.database == "away" else None


def _webhooks(now: ApiOperations) -> str | None:
    waiting = now.webhooks_waiting or 0
    return f"{waiting} wait" if waiting > 1000 else None


def _jobs(now: ApiOperations) -> str | None:
    return f"{now.jobs_failed} failed" if now.jobs_failed else None


ALARMS = {
    "EarshotShardAway": Alarm(True, _shard),
    "EarshotNoDecoder": Alarm(True, _no_decoder),
    "EarshotBehind": Alarm(True, _behind),
    "EarshotDecodersBusy": Alarm(False, _busy),
    "EarshotScoresLate": Alarm(True, _scores),
    "EarshotDeadChunks": Alarm(False, _dead),
    "EarshotMemory": Alarm(True, _memory),
    "EarshotNotArchived": Alarm(False, _not_archived),
    "EarshotDatabaseAway": Alarm(False, _database),
    "EarshotWebhooksWait": Alarm(False, _webhooks),
    "EarshotJobsFail": Alarm(False, _jobs),
}


def holding(now: ApiOperations) -> list[ApiAlert]:
    """The rules that hold, in their order."""
    found = ((name, alarm.wakes, alarm.value(now)) for name, alarm in ALARMS.items())
    return [ApiAlert(name, wakes, value) for name, wakes, value in found if value is not None]
