"""Two web processes' clocks differ: only the store's clock decides about sessions, cookies and forms."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
import requests

from scripts.disasters.clock import Clock
from state.people.access import Access
from tests.harness.provider import Provider, provider
from tests.harness.servers import Server
from tests.harness.signing_in import PASSWORD, csrf_of
from tests.harness.web import Web, web_process

HOURS = 3600


@pytest.fixture
def there() -> Iterator[Provider]:
    with provider() as running:
        running.claims = {"sub": "248289", "preferred_username": "lee", "groups": ["leads"]}
        yield running


class Browser:
    """A browser at a site with two web processes. Each request may reach either, as behind a load balancer."""

    def __init__(self) -> None:
        self._cookies = ""
        self.kept_seconds: int | None = None

    def ask(self, web: Web, path: str, form: dict[str, str] | None = None) -> requests.Response:
        method = "GET" if form is None else "POST"
        sent = {"Cookie": self._cookies} if self._cookies else {}
        answer = requests.request(method, web.url + path, data=form, headers=sent, timeout=10, allow_redirects=False)
        if "Set-Cookie" in answer.headers:
            given = answer.headers["Set-Cookie"]
            self._cookies = given.partition(";")[0]
            age = re.search(r"Max-Age=(\d+)", given)
            self.kept_seconds = int(age[1]) if age else None
        return answer

    def sign_in(self, form_from: Web, send_to: Web) -> requests.Response:
        token = csrf_of(self.ask(form_from, "/sign-in").text)
        return self.ask(send_to, "/sign-in", {"csrf_token": token, "name": "dana", "password": PASSWORD})

    def sign_out(self, form_from: Web, send_to: Web) -> requests.Response:
        return self.ask(send_to, "/sign-out", {"csrf_token": csrf_of(self.ask(form_from, "/").text)})

    def status(self, web: Web) -> int:
        return self.ask(web, "/v1/session").status_code


def date_of(web: Web) -> datetime:
    return parsedate_to_datetime(requests.get(f"{web.url}/healthz", timeout=10).headers["Date"])


@pytest.mark.parametrize("ahead_seconds", [3, -3, 13 * HOURS, -13 * HOURS])
def test_a_sign_in_is_good_on_web_processes_whose_clocks_differ(
    ahead_seconds: int, valkey: Server, store: redis.Redis, tmp_path: Path, there: Provider
) -> None:
    Access(store).users.add("dana", "supervisor", PASSWORD)
    clock = Clock(tmp_path / "clock")
    clock.set(ahead_seconds)
    environ = {"AUTH": "on", "OIDC_SUPERVISORS": "leads", **{n.upper(): v for n, v in there.settings.items()}}
    with (
        web_process(valkey.url, tmp_path / "right.log", **environ) as right,
        web_process(valkey.url, tmp_path / "wrong.log", **environ, **clock.environ) as wrong,
    ):
        behind, ahead = (right, wrong) if ahead_seconds > 0 else (wrong, right)
        assert date_of(behind) < date_of(ahead), "the clocks do differ"
        for first, second in ((right, wrong), (wrong, right)):
            browser = Browser()
            assert browser.sign_in(form_from=first, send_to=second).status_code == 303
            assert browser.kept_seconds is not None and 12 * HOURS - 60 < browser.kept_seconds <= 12 * HOURS
            assert [browser.status(web) for web in (first, second, first)] == [200] * 3
            until = {browser.ask(web, "/v1/session").json()["until"] for web in (first, second)}
            assert len(until) == 1
            assert browser.sign_out(form_from=first, send_to=second).status_code == 303
            assert [browser.status(web) for web in (first, second)] == [401] * 2

            visitor = Browser()
            begun = visitor.ask(first, "/sign-in/oidc").headers["Location"]
            back = urlsplit(requests.get(begun, allow_redirects=False, timeout=10).headers["Location"])
            assert visitor.ask(second, f"{back.path}?{back.query}").status_code == 303
            assert [visitor.status(web) for web in (first, second)] == [200] * 2
