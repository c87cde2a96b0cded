"""What is asked of a switch, and who asks it."""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

Act = Literal["whisper", "barge", "takeover", "hangup"]
ACTS: tuple[Act, ...] = ("whisper", "barge", "takeover", "hangup")
"""whisper: the agent alone hears the supervisor. barge: everybody does. takeover: the supervisor has the customer, the
agent is out. hangup: the call is over."""

CHANNEL_NAME = "switch_channel"
"""The metadata of a call that names its agent's channel on the switch."""

CHANNEL = r"^[A-Za-z0-9._:@/;+-]{1,128}$"
"""A channel's name or id: nothing that means something in a dialplan's expressions. A sender names it."""

TIMEOUT_SECONDS = 5.0
"""How long a switch may take to answer."""


class Order(msgspec.Struct, frozen=True):
    """One act. by: who asks; extension: theirs, "" for a hangup."""

    act: Act
    call_id: str
    channel: str
    extension: str
    by: str


class SwitchError(Exception):
    """The switch does not answer, or will not. One sentence."""


class Switch(Protocol):
    """A switch. It answers when it has begun; the supervisor's phone may ring for a while."""

    def carry_out(self, order: Order) -> None:
        """Raises SwitchError."""
        ...
