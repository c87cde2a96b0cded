"""The decoder's parent process: loads the model once where it can be shared, forks one decode loop a core.

It replaces a child that dies, and hands on its work at once, before its heartbeat runs out.
"""

from __future__ import annotations

import logging
import os
import random
import signal
import socket
import sys
import time
from typing import NoReturn

import redis

from state import keys, metrics, tracing
from state.calls.fleet import FleetMember, worker_name
from state.models import introduce_model
from state.server.connection import ServerUnfit
from state.server.opening import check_store, open_shards
from state.server.shards import Shards
from state.settings import EXIT_CONFIG, Settings
from workers.decoder.loop import DecodeLoop
from workers.engines.base import Model, ModelUnusable
from workers.engines.choose import Choice, Wanted, choose
from workers.engines.selfcheck import self_check
from workers.process import STOP_SIGNALS, Stop, start

log = logging.getLogger("earshot.decoder")

RESTART_SECONDS = 0.5
"""Seconds before a dead child is replaced, so that one that dies at once does not use up a core."""

SERVER_RETRY_SECONDS = 0.5


def main() -> NoReturn:
    """Entry point."""
    start("decoder", lambda settings: Parent(settings).run())


class Parent:
    """Keeps `decoder_loops` children alive until it must stop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._loops = settings.decoder_loops or len(os.sched_getaffinity(0))
        self._choice: Choice = choose(Wanted.by(settings))
        self._children: dict[int, str] = {}
        self._status = 0

    def run(self) -> int:
        """Fork, watch, replace. At SIGTERM pass it on and wait for all."""
        stop = Stop()
        shared = self._load() if self._choice.fork_safe else None
        # It wakes the pause below. The default action would leave it asleep.
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        while True:
            if stop():  # again and again: a child that was just forked gets it with our handler first
                for pid in self._children:
                    os.kill(pid, signal.SIGTERM)
            while not stop() and len(self._children) < self._loops:
                self._fork(shared)
            self._reap(stop)
            if stop() and not self._children:
                return self._status
            time.sleep(0.2)

    def _load(self) -> tuple[Model, str]:
        model = self._choice.load()
        return model, self_check(model)

    def _fork(self, shared: tuple[Model, str] | None) -> None:
        worker = worker_name(socket.gethostname(), os.getpid())
        sys.stdout.flush()
        pid = os.fork()
        if pid:
            self._children[pid] = worker
            return
        status = 1
        try:
            status = self._child(worker, shared)
        except (ModelUnusable, ServerUnfit) as error:
            sys.stderr.write(f"earshot decoder: {error}\n")
            status = EXIT_CONFIG
        except Exception:
            log.exception("decode loop failed")
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def _child(self, worker: str, shared: tuple[Model, str] | None) -> int:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        random.seed()  # a fork copies the parent's state: every child would have the same jitter
        stop = Stop(watch_parent=True)
        if shared is None:
            stop.die_at_once()  # loading takes a second or more, and hears no signal
            shared = self._load()
            stop.listen()
        model, digest = shared
        tracing.start("decoder", self._settings)
        shards = open_shards(self._settings, "worker")
        if not self._introduce(shards, model, digest, stop):
            return 0
        log.info("decoding", extra={"worker": worker, "model": model.identity})
        DecodeLoop(shards, model, worker, self._settings, stop).run()
        tracing.stop()
        return 0

    def _introduce(self, shards: Shards, model: Model, digest: str, stop: Stop) -> bool:
        """Wait for the server and make sure that this worker decodes as the others do."""
        while not stop():
            try:
                check_store(shards)
                agreed = introduce_model(shards.plain, model.identity, model.display_name, digest)
            except redis.RedisError as error:
                log.warning("waiting for the server", extra={"error": str(error)})
                time.sleep(SERVER_RETRY_SECONDS)
                continue
            if agreed != digest:
                raise ModelUnusable(
                    f"this machine decodes the self-check recording differently from the fleet ({digest[:12]}, the "
                    f"fleet has {agreed[:12]}): its processor or libraries differ (OPENBLAS_CORETYPE, see README); if "
                    f"the whole fleet has moved, delete selfcheck:{model.identity} from the hash {keys.FLEET}"
                )
            return True
        return False

    def _reap(self, stop: Stop) -> None:
        for pid in list(self._children):
            done, status = os.waitpid(pid, os.WNOHANG)
            if not done:
                continue
            name = self._children.pop(pid)
            code = os.waitstatus_to_exitcode(status)
            if code == EXIT_CONFIG:
                self._status = EXIT_CONFIG
                os.kill(os.getpid(), signal.SIGTERM)
            elif -code in STOP_SIGNALS and stop():
                pass  # it was still loading its model
            elif code or not stop():  # a child that dies while all stop leaves its work behind, too
                log.warning("a decode loop died", extra={"worker": name, "status": code})
                metrics.LOOPS_DIED.inc()
                self._hand_on(name, crashed=-code not in (signal.SIGKILL, signal.SIGTERM))
                if not stop():
                    time.sleep(RESTART_SECONDS)

    def _hand_on(self, name: str, crashed: bool) -> None:
        shards = open_shards(self._settings, "worker")
        try:
            shards.answers(lambda shard: FleetMember(shard, name, self._settings).leave(crashed))
        except redis.RedisError as error:
            log.warning("could not hand on a dead loop's work; others will", extra={"error": str(error)})
        finally:
            shards.close()
