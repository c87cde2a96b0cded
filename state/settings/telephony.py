"""How calls come in from telephony, and how supervisors act on the switch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from state.settings.values import about


@dataclass(frozen=True, kw_only=True)
class Streams:
    """Calls that come through sockets."""

    stream_chunk_ms: Annotated[
        int, about("Milliseconds of audio in a chunk that joins small frames from sockets", ge=100, le=5000)
    ] = 500
    stream_grace_seconds: Annotated[
        float,
        about("Seconds a call may go without a socket before it ends", ge=1, le=600),
    ] = 5.0
    streams_port: Annotated[
        int,
        about(
            "HTTP port of the streams process, which takes only telephony's websockets. 0: it has nothing to do; the"
            " web process takes them in any case",
            ge=0,
            le=65535,
        ),
    ] = 0
    twilio_auth_token: Annotated[
        str,
        about("Twilio's secret. If set, /v1/streams/twilio only takes requests signed with it (X-Twilio-Signature)"),
    ] = ""
    audiosocket_port: Annotated[
        int, about("TCP port of the audiosocket process for Asterisk. 0: none", ge=0, le=65535)
    ] = 0
    audiosocket_address: Annotated[
        str, about("Address of that port. AudioSocket knows no password, so keep it in a private network")
    ] = "127.0.0.1"
    vosk_port: Annotated[
        int,
        about(
            "TCP port of the audiosocket process for vosk-server's clients (2700 there), which show no key. 0: none",
            ge=0,
            le=65535,
        ),
    ] = 0
    vosk_address: Annotated[
        str, about("Address of that port. Everybody who reaches it may send calls, so keep it to this machine")
    ] = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class Switch:
    """Acting on the telephone switch."""

    ari_url: Annotated[
        str,
        about("Asterisk's ARI, http://host:8088/ari: lets supervisors whisper, barge, take over, hang up. Empty: none"),
    ] = ""
    ari_user: Annotated[str, about("User name at ARI")] = "earshot"
    ari_password: Annotated[str, about("Password of that user")] = ""
    ari_endpoint: Annotated[str, about("Asterisk endpoint of a supervisor's phone. {} stands for the extension")] = (
        "PJSIP/{}"
    )
    switch_webhook_url: Annotated[
        str, about("Address of another switch for the same: it gets a signed POST. Empty: none")
    ] = ""
    switch_webhook_secret: Annotated[str, about("Key that signs that POST (HMAC-SHA256, Standard Webhooks)")] = ""
