"""Which switch is set up."""

from __future__ import annotations

from state.settings import Settings
from webapp.switch.asterisk import Asterisk
from webapp.switch.base import Switch
from webapp.switch.webhook import Webhook


def switch_of(settings: Settings) -> Switch | None:
    """The switch that is set up, if any."""
    if settings.ari_url:
        return Asterisk(settings.ari_url, settings.ari_user, settings.ari_password, settings.ari_endpoint)
    if settings.switch_webhook_url:
        return Webhook(settings.switch_webhook_url, settings.switch_webhook_secret)
    return None
