"""scripts/asterisk: plays both parties of a demo call through a real Asterisk, and compares what Earshot writes down.

First the audio goes over HTTP. Then Asterisk plays it over local channels, then over SIP (baresip), then one party over
AudioSocket. Each must give the same words. Then a supervisor whispers, barges in, takes over and hangs up, and the
command checks who hears whom. It needs root and a few minutes. It uses 127.0.0.1 only, and leaves nothing running.
"""

from __future__ import annotations

import argparse
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
import wave
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
import requests

from scripts.machine.programs import free_port
from scripts.simulator.asterisk import supervisor as supervising
from scripts.simulator.asterisk import switch
from scripts.simulator.asterisk.ari import Ari
from state import g711
from state.people.access import Access
from tests.harness.calls.engines import english
from tests.harness.fleet import Fleet
from tests.harness.servers import start_server
from tests.harness.web import Web, wait_until, web_process

PATIENCE_SECONDS = 120.0


class House(msgspec.Struct):
    """Earshot, Asterisk, and the call to play: parties as mu-law at 8000 Hz, words as over HTTP."""

    folder: Path
    fleet: Fleet
    web: Web
    key: str
    ari: Ari
    password: str
    recordings: Path
    ports: dict[str, int]
    parties: dict[str, bytes]
    words: dict[str, str]


def words(fleet: Fleet, call_id: str) -> dict[str, str]:
    """The words of each party, without times, capitals and marks."""
    fleet.wait_finished([call_id])
    view = fleet.reads.call(call_id)
    assert view is not None
    said = {track: [one for one in view.utterances if one.track == track] for track in view.tracks}
    texts = {track: " ".join(one.text for one in found).lower() for track, found in said.items()}
    return {track: " ".join(re.findall(r"[\w']+", text)) for track, text in texts.items()}


def over_http(fleet: Fleet, web: Web, key: str, parties: dict[str, bytes]) -> dict[str, str]:
    """Post the call in chunks of a second. Returns its words."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "audio/PCMU"}
    for party, audio in parties.items():
        for n, at in enumerate(range(0, len(audio), 8000)):
            url = f"{web.url}/v1/calls/http/tracks/{party}/chunks/{n + 1}"
            requests.put(url, audio[at : at + 8000], headers=headers, timeout=10).raise_for_status()
    requests.post(f"{web.url}/v1/calls/http/end", headers=headers, timeout=10).raise_for_status()
    return words(fleet, "http")


@contextmanager
def earshot(folder: Path) -> Iterator[tuple[Fleet, Web, str, dict[str, int]]]:
    """A server, a decoder, a web process that asks for keys, and the AudioSocket process."""
    server = start_server("valkey9", dir=folder / "server")
    fleet = Fleet(server, folder, EARSHOT_ENGINE="moonshine")
    ports = {"audiosocket": free_port()}
    try:
        fleet.start("decoder", DECODER_LOOPS="2")
        fleet.start("audiosocket", ["-m", "webapp.audiosocket"], AUDIOSOCKET_PORT=str(ports["audiosocket"]))
        with web_process(server.url, folder / "web.log", AUTH="on") as web:
            yield fleet, web, Access(fleet.redis).api_keys.add("asterisk", ("ingest",)), ports
    finally:
        fleet.kill_all()
        server.kill()


@contextmanager
def house(folder: Path) -> Iterator[House]:
    """Everything running. All of it ends at the end. Raises NoAsterisk."""
    parties = {party: b"".join(chunk.audio for chunk in chunks) for party, chunks in english().items()}
    with ExitStack() as stack:
        fleet, web, key, ports = stack.enter_context(earshot(folder))
        ports |= {name: free_port() for name in ("http", "sip", "agent", "customer")}
        heard = over_http(fleet, web, key, parties)
        password = secrets.token_hex(8)
        filled = {f"{name}_port": port for name, port in ports.items()}
        tones = {"supervisor": g711_tone(1000.0, 20.0)}
        home = stack.enter_context(
            switch.running(
                folder / "asterisk.log", parties | tones, web_port=web.port, key=key, ari_password=password, **filled
            )
        )
        ari = Ari(ports["http"], password)
        stack.callback(ari.close)
        yield House(folder, fleet, web, key, ari, password, home / "recordings", ports, parties, heard)


def g711_tone(hertz: float, seconds: float) -> bytes:
    """A sine tone in mu-law."""
    import numpy as np

    at = np.arange(int(8000 * seconds)) / 8000
    return bytes(g711.encode_mulaw((8000 * np.sin(2 * np.pi * hertz * at)).astype("<i2").tobytes()))


def two_legs(house: House, endpoints: dict[str, str]) -> str:
    """Put both parties into a bridge, and tap each with a snoop channel. Returns the call's id."""
    call_id = str(uuid.uuid4())
    legs = {party: house.ari.call(endpoint) for party, endpoint in endpoints.items()}
    for party, channel in legs.items():
        house.ari.tap(channel, "earshot-send", party, CALL=call_id, AGENT_CHANNEL=legs["agent"])
    house.ari.bridge(*legs.values())
    return call_id


def local(house: House) -> dict[str, str]:
    """Let two local channels of the dialplan play a party each. Returns the words."""
    return words(house.fleet, two_legs(house, {party: f"Local/{party}@parties/n" for party in house.parties}))


def sip(house: House) -> dict[str, str]:
    """Let two phones (baresip) answer and play a party each over RTP. Returns the words."""
    phones = [_phone(house, party) for party in house.parties]
    try:
        return words(house.fleet, two_legs(house, {party: f"PJSIP/{party}" for party in house.parties}))
    finally:
        for phone in phones:
            phone.kill()
            phone.wait()


def _phone(house: House, party: str) -> subprocess.Popen[bytes]:
    folder = house.folder / f"phone-{party}"
    folder.mkdir()
    with wave.open(str(folder / "says.wav"), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(bytes(2 * 24000) + g711.decode_mulaw(house.parties[party]) + bytes(2 * 16000))
    (folder / "accounts").write_text(f"<sip:{party}@127.0.0.1>;regint=0;answermode=auto;audio_codecs=pcmu/8000/1\n")
    (folder / "config").write_text(
        f"sip_listen 127.0.0.1:{house.ports[party]}\n"
        "module_path /usr/lib/baresip/modules\nmodule g711.so\nmodule aufile.so\n"
        "module_app account.so\nmodule_app menu.so\n"
        f"audio_source aufile,{folder}/says.wav\naudio_player aufile,{folder}/hears.wav\naudio_alert aufile,/dev/null\n"
    )
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(["baresip", "-f", str(folder)], stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def audiosocket(house: House) -> dict[str, str]:
    """Let AudioSocket take over one party's channel. Returns the words."""
    call_id = str(uuid.uuid4())
    party = "Local/customer@parties-at-once/n"
    house.ari.ask("POST", "/channels", endpoint=party, context="audiosocket", extension=call_id, priority=1)
    wait_until(lambda: house.fleet.reads.call(call_id) is not None, "the call is there")
    return words(house.fleet, call_id)


def supervisor(house: House) -> list[str]:
    """Let a supervisor whisper, barge in and take over. Returns what went wrong. Each call is hung up at the end."""
    environ = {
        "ARI_URL": f"http://127.0.0.1:{house.ports['http']}/ari",
        "ARI_PASSWORD": house.password,
        "ARI_ENDPOINT": "Local/{}@parties/n",
    }
    faults = []
    with web_process(house.web.redis_url, house.folder / "supervisor.log", **environ) as web:
        for act in supervising.WHO_HEARS_THE_SUPERVISOR:
            fault = supervising.check(act, house.ari, web, house.fleet.ingest, house.recordings)
            faults += [f"{act}: {fault}"] if fault else []
    return faults


WAYS: dict[str, Callable[[House], dict[str, str]]] = {"local": local, "sip": sip, "audiosocket": audiosocket}


def main(argv: list[str]) -> int:
    """Exit status 1 and one line if a transcript differs, or Asterisk cannot be had."""
    known = [*WAYS, "supervisor"]
    parser = argparse.ArgumentParser(prog="scripts/asterisk", description=__doc__)
    parser.add_argument("ways", nargs="*", default=[], metavar="WAY", help=f"{', '.join(known)}; all if none")
    options = parser.parse_args(argv)
    unknown = set(options.ways) - set(known)
    if unknown:
        parser.error(f"no such way: {', '.join(sorted(unknown))}")
    ways = options.ways or [way for way in known if way != "sip" or shutil.which("baresip")]
    differ = 0
    try:
        switch.install()
        with tempfile.TemporaryDirectory(prefix="earshot-asterisk-") as folder, house(Path(folder)) as everything:
            if "supervisor" in ways:
                faults = supervisor(everything)
                differ += len(faults)
                print("supervisor   " + ("; ".join(faults) or "whisper, barge, takeover and hangup do what they say"))
            for way in [way for way in ways if way != "supervisor"]:
                began = time.monotonic()
                heard = WAYS[way](everything)
                expected = {track: everything.words[track] for track in heard}
                same = heard == expected
                differ += not same
                print(f"{way:<12} {'the same words' if same else 'OTHER WORDS'}, {time.monotonic() - began:.0f} s")
                if not same:
                    for track in heard:
                        print(f"  {track} over HTTP: {expected[track]}\n  {track} here:      {heard[track]}")
    except switch.NoAsterisk as error:
        sys.stderr.write(f"asterisk: {error}\n")
        return 1
    return 1 if differ else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
