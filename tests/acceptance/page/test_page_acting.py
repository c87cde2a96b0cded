"""Supervisors act on calls: each sees at once what the others do. Two browsers, a real web process, a real store."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
import redis
from playwright.sync_api import Browser, Locator, Page, expect

from state import keys
from state.archive.opening import Archive
from state.archive.write import write
from state.calls.ingest import Ingest
from state.events import ScoreEvent, encode
from state.people.access import Access
from state.people.audit import Audit
from state.settings import Settings
from state.types import Alert, Point, Reason, Sentiment, Standing
from tests.harness.browser import watched_page
from tests.harness.calls.reported import call as ended_call
from tests.harness.calls.switch import Switch
from tests.harness.servers import Server
from tests.harness.signing_in import PASSWORD
from tests.harness.wall import cell, order, wait_until
from tests.harness.web import Web, web_process
from tests.integration.api.test_find import say


@pytest.fixture(scope="module")
def web(valkey: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("web")
    url = f"sqlite:///{folder / 'archive.db'}"
    archive = Archive(url)
    for name, mood in (("lea-1", -0.6), ("lea-2", 0.2)):
        ended = ended_call(name, datetime(2026, 3, 27, 12, tzinfo=UTC), mood=mood)
        write(archive, msgspec.structs.replace(ended, metadata={"customer": "Lea"}), "test")
    archive.close()
    with web_process(valkey.url, folder / "web.log", AUTH="on", DATABASE_URL=url) as web:
        yield web


def trouble(
    store: redis.Redis, call_id: str, at: float = 12.0, attention: float = 0.8, gist: Sequence[Point] = ()
) -> None:
    """The call is raised, with an alert at that second. gist: what is known of it."""
    alerts = [Alert("escalation", "Asks for a manager", second) for second in (12.0, 40.0) if second <= at]
    standing = Standing(
        score=-0.6,
        attention=attention,
        alerts=alerts,
        raised=True,
        raised_at=at,
        reasons=[Reason("angry", at)],
        gist=list(gist),
    )
    event = ScoreEvent(call_id, "customer:0", Sentiment(-0.6, 0.5), standing)
    store.hset(keys.call(call_id), "standing", msgspec.msgpack.encode(standing))
    store.xadd(keys.FEED, {"j": encode(event)})


@pytest.fixture
def calls(store: redis.Redis) -> redis.Redis:
    ingest = Ingest(store, Settings())
    for call_id, agent in (("c1", "Ann"), ("c2", "Bob"), ("c3", "Cat")):
        ingest.create(call_id, ["agent", "customer"], {"agent": agent, "customer": f"Kim {call_id}"})
    trouble(store, "c1", attention=0.9)
    trouble(store, "c2", attention=0.6)
    return store


@pytest.fixture
def desks(browser: Browser, web: Web, calls: redis.Redis) -> Iterator[tuple[Page, Page]]:
    """Dana's page and Tom's, each in a browser profile of its own."""
    pages = []
    with ExitStack() as stack:
        for name in ("dana", "tom"):
            Access(calls).users.add(name, "supervisor", PASSWORD)
            page = stack.enter_context(watched_page(browser, 1440, 900))
            page.set_default_timeout(15_000)
            page.goto(web.url)
            page.get_by_label("Name").fill(name)
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("button", name="Sign in").click()
            expect(cell(page, "c1", "agent")).to_contain_text("Ann")
            pages.append(page)
        yield pages[0], pages[1]


def bell(page: Page) -> Locator:
    return page.locator("[data-bell=count]")


def row(page: Page, call_id: str) -> None:
    page.locator(f'tr[data-call-id="{call_id}"] a').focus()


def test_two_supervisors_see_each_other_take_acknowledge_snooze_and_hand_back(
    desks: tuple[Page, Page], calls: redis.Redis
) -> None:
    dana, tom = desks
    expect(bell(dana)).to_have_text("2")
    assert order(dana)[:2] == ["c1", "c2"]

    row(dana, "c1")
    dana.keyboard.press("t")
    expect(cell(dana, "c1", "alerts")).to_contain_text("You are on it")
    expect(cell(tom, "c1", "alerts")).to_contain_text("dana is on it")
    for page in desks:
        expect(bell(page)).to_have_text("1")
    wait_until(lambda: order(tom)[:2] == ["c2", "c1"], tom)

    row(tom, "c1")
    tom.keyboard.press("a")
    expect(tom.locator("#said")).to_have_text("dana is on it.")

    row(tom, "c2")
    tom.keyboard.press("a")
    expect(cell(dana, "c2", "alerts")).to_contain_text("Seen by tom")
    expect(bell(dana)).to_have_text("0")
    trouble(calls, "c2", at=40.0, attention=0.6)
    expect(bell(dana)).to_have_text("1")
    expect(cell(tom, "c2", "alerts")).not_to_contain_text("Seen by")
    tom.keyboard.press("s")
    snoozed = dana.locator("tbody[data-group=snoozed] tr[data-call-id=c2]")
    expect(snoozed.locator("[data-field=alerts]")).to_contain_text("Snoozed by tom · 5 min left")
    expect(snoozed).to_have_attribute("data-level", "calm")
    expect(dana.locator("[data-status=count-needs]")).to_have_text("1")

    row(dana, "c1")
    dana.keyboard.press("t")
    expect(cell(tom, "c1", "alerts")).not_to_contain_text("is on it")
    expect(bell(tom)).to_have_text("1")
    tom.reload()
    expect(cell(tom, "c2", "alerts")).to_contain_text("Snoozed by you")
    deeds = [(e.deed.who, e.deed.what, e.deed.about) for e in reversed(Audit(calls).read("acts", 50))]
    assert deeds == [
        ("dana", "take", "c1"),
        ("tom", "acknowledge", "c2"),
        ("tom", "snooze", "c2"),
        ("dana", "hand-back", "c1"),
    ]


def test_of_two_who_take_a_call_at_once_one_has_it_and_the_other_is_told(desks: tuple[Page, Page]) -> None:
    dana, tom = desks
    for page in desks:
        page.locator('tr[data-call-id="c1"] a').click()
        expect(page.locator("#call .body")).to_be_visible()
    ask = """() => new Promise((done) => setTimeout(() => {
        document.querySelector("[data-desk=take]").click();
        done();
    }, 300 - Date.now() % 300))"""  # both at the same beat of the clock
    dana.evaluate(f"() => {{ ({ask})(); }}")
    tom.evaluate(f"() => {{ ({ask})(); }}")
    for page in desks:
        expect(page.locator("[data-desk=who]")).to_have_text(re.compile("^(You are|dana is|tom is) on it$"))
    winner, loser = (dana, tom) if dana.locator("[data-desk=who]").text_content() == "You are on it" else (tom, dana)
    name = "dana" if winner is dana else "tom"
    expect(winner.locator("[data-desk=who]")).to_have_text("You are on it")
    expect(loser.locator("[data-desk=who]")).to_have_text(f"{name} is on it")
    loser.get_by_role("button", name=f"Take over from {name}").click()
    expect(loser.locator("[data-desk=who]")).to_have_text("You are on it")
    expect(winner.locator("[data-desk=who]")).to_have_text(re.compile(r"^(dana|tom) is on it$"))


def test_notes_and_tags_are_read_by_the_other_at_once_and_found_by_the_search(desks: tuple[Page, Page]) -> None:
    dana, tom = desks
    tom.goto(tom.url.split("#")[0] + "#/calls/c3")
    row(dana, "c3")
    dana.keyboard.press("n")
    expect(dana.get_by_label("Note", exact=True)).to_be_focused()
    dana.keyboard.type("wants <b>his</b> money")
    dana.keyboard.press("Enter")
    tom.get_by_text("Notes and tags").click()
    expect(tom.locator("[data-desk=notes]")).to_contain_text("wants <b>his</b> money")
    expect(tom.locator("[data-desk=notes]")).to_contain_text("dana")
    assert tom.locator("[data-desk=notes] b").count() == 0
    tom.get_by_label("Tag", exact=True).fill("vip")
    tom.keyboard.press("Enter")
    expect(cell(dana, "c3", "alerts")).to_contain_text("vip")
    dana.keyboard.press("Escape")
    dana.get_by_label(re.compile("^Search")).fill("his")
    wait_until(lambda: order(dana) == ["c3"], dana)
    tom.get_by_role("button", name="Remove tag vip").click()
    expect(cell(dana, "c3", "alerts")).not_to_contain_text("vip")


def test_the_bell_lists_what_is_unresolved_and_tells_by_sound_and_notification_if_asked_to(
    desks: tuple[Page, Page], calls: redis.Redis
) -> None:
    dana, _ = desks
    dana.context.grant_permissions(["notifications"])
    dana.add_init_script(
        """window.told = [];
        window.Notification = class { constructor(title, more) { window.told.push([title, more.body]); }
            static permission = "default";
            static async requestPermission() { return (this.permission = "granted"); } };
        const start = OscillatorNode.prototype.start;
        OscillatorNode.prototype.start = function (...at) { told.push("tone"); return start.apply(this, at); };"""
    )
    dana.reload()
    expect(bell(dana)).to_have_text("2")
    trouble(calls, "c3")
    expect(bell(dana)).to_have_text("3")
    assert dana.evaluate("told") == [], "nothing is said unasked"

    dana.keyboard.press("b")
    items = dana.locator("[data-bell=list] li")
    expect(items).to_have_count(3)
    expect(items.first).to_contain_text("Ann with Kim c1")
    items.first.get_by_role("button", name="Acknowledge").click()
    expect(items).to_have_count(2)
    dana.get_by_label("Desktop notifications").check()
    dana.get_by_label("Sound").check()
    expect(dana.get_by_label("Desktop notifications")).to_be_checked()
    dana.evaluate("told.length = 0")
    dana.keyboard.press("Escape")
    expect(items.first).to_be_hidden()
    dana.wait_for_timeout(100)

    trouble(calls, "c1", at=40.0)
    wait_until(lambda: dana.evaluate("told").count("tone") == 2, dana)
    told = ["Ann with Kim c1", "angry, since 0:40, nobody is on it"]
    wait_until(lambda: told in dana.evaluate("told"), dana)
    dana.reload()
    assert dana.get_by_label("Sound").is_checked()


def test_a_card_tells_what_led_to_an_alert_and_lets_act_at_once(desks: tuple[Page, Page], calls: redis.Redis) -> None:
    dana, tom = desks
    Ingest(calls, Settings()).create("c9", ["customer"], {"agent": "Eve", "customer": "Lea"})
    steps = [
        Point("happened", f"the customer {what}", "my money back", 3.0 + at, ["customer:0"], "customer")
        for at, what in enumerate(("accuses", "wants a refund", "is in distress"))
    ]
    promise = Point("promise", "", "you'll have it on Monday", 6.0, ["agent:0"], "agent")
    outcome = Point("outcome", "open: the customer is in distress", "my money", 7.0, ["customer:0"], "customer")
    trouble(calls, "c9", gist=[*steps, promise, outcome])
    story = (
        "Third call, the customer accuses, wants a refund, promised “you'll have it on Monday”, "
        "open: the customer is in distress"
    )
    card = dana.locator("#peek")
    cell(dana, "c9", "text").hover()
    for words in ("Eve with Lea", "angry, since 0:12, nobody is on it", story):
        expect(card).to_contain_text(words)
    expect(card.locator(".earlier li")).to_have_text([re.compile("content$"), re.compile("angry$")])
    card.get_by_role("button", name="Not needed").click()
    expect(card.get_by_role("button", name="Not needed")).to_have_attribute("aria-pressed", "true")
    assert Audit(calls).read("acts", 1)[0].deed.what == "judge needs_attention: not needed"
    dana.keyboard.press("Escape")
    expect(card).to_be_hidden()
    row(dana, "c9")
    expect(card).to_contain_text(story)
    with dana.expect_request(re.compile("/v1/calls/c9/audio")) as heard:
        dana.keyboard.press("p")
    assert "from=2.0" in heard.value.url, "ten seconds before"
    expect(dana.locator("[data-call=story]")).to_have_text(story)
    expect(card).to_be_hidden()
    tom.keyboard.press("b")
    expect(tom.locator("[data-bell=list]")).to_contain_text(story)


def test_an_agent_asks_for_help_and_a_supervisor_answers(
    browser: Browser, web: Web, desks: tuple[Page, Page], calls: redis.Redis
) -> None:
    dana, _ = desks
    say(calls, "c3", 0, "I want my money back now")
    key = Access(calls).api_keys.add("cat", ("agent",), "Cat")
    with watched_page(browser, 390, 844) as cat:
        cat.goto(f"{web.url}/enter#{key}")
        expect(cat.locator("#lines")).to_contain_text("I want my money back now")
        assert key not in cat.url
        cat.get_by_label("Needs an approval").check()
        cat.get_by_role("button", name="Ask for help").click()
        expect(cat.get_by_role("status")).to_contain_text("You asked for help")
        expect(cell(dana, "c3", "alerts")).to_contain_text("Asks for help")
        assert order(dana)[0] == "c3", "before the raised ones"
        expect(bell(dana)).to_have_text("3")
        cat.get_by_role("button", name="I need no help any more").click()
        expect(bell(dana)).to_have_text("2")
        cat.get_by_role("button", name="Ask for help").click()
        expect(bell(dana)).to_have_text("3")
        cell(dana, "c3", "agent").click()
        expect(dana.locator("#call-help")).to_contain_text("Needs an approval")
        dana.get_by_label("Message to the agent").fill("Up to 50 is <b>fine</b>")
        dana.keyboard.press("Enter")
        expect(cat.get_by_role("listitem").filter(has_text="dana: Up to 50 is <b>fine</b>")).to_be_visible()
        expect(bell(dana)).to_have_text("2")
        assert cat.evaluate("document.documentElement.scrollWidth <= innerWidth")
        Access(calls).api_keys.revoke("cat")
        cat.wait_for_url("**/sign-in?**")


def test_without_sign_in_a_supervisor_says_who_she_is_once(
    browser: Browser, valkey: Server, calls: redis.Redis, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with web_process(valkey.url, tmp_path_factory.mktemp("open") / "web.log") as web:
        page = browser.new_page()
        page.goto(web.url)
        expect(cell(page, "c1", "agent")).to_contain_text("Ann")
        row(page, "c1")
        page.keyboard.press("t")
        page.get_by_role("textbox", name="Your name").fill("Mia")
        page.get_by_role("button", name="That is me").click()
        expect(cell(page, "c1", "alerts")).to_contain_text("You are on it")
        row(page, "c2")
        page.keyboard.press("a")
        expect(cell(page, "c2", "alerts")).to_contain_text("Seen by you")
        page.close()
    assert Audit(calls).read("acts", 1)[0].deed.who == "Mia"


def test_a_supervisor_joins_from_the_row_and_the_opened_call_where_the_switch_knows_its_channel(
    browser: Browser, valkey: Server, calls: redis.Redis, tmp_path: Path
) -> None:
    Ingest(calls, Settings()).create("c4", ["agent", "customer"], {"agent": "Eve", "switch_channel": "17.3"})
    with (
        Switch() as switch,
        web_process(valkey.url, tmp_path / "web.log", AUTH="on", ARI_URL=f"{switch.url}/ari") as web,
        watched_page(browser, 1440, 900) as page,
    ):
        threading.Thread(target=switch.serve_forever, daemon=True).start()
        Access(calls).users.add("dana", "supervisor", PASSWORD)
        page.goto(web.url)
        page.get_by_label("Name").fill("dana")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        row(page, "c1")
        page.keyboard.press("c")
        menu, button = page.locator("#phone"), 'tr[data-call-id="{}"] [data-part=phone]'
        expect(menu).to_be_hidden()
        page.locator('tr[data-call-id="c1"]').hover()
        expect(page.locator(button.format("c1"))).to_be_hidden()
        page.locator('tr[data-call-id="c4"]').hover()
        page.locator(button.format("c4")).click()
        expect(menu).to_contain_text("Eve")
        expect(page.locator("#call")).to_be_hidden()
        page.keyboard.press("Escape")
        row(page, "c4")
        page.keyboard.press("c")
        expect(menu).to_be_visible()
        menu.get_by_role("button", name="Hang up").press("Enter")
        sure = page.get_by_role("dialog", name="Hang up Eve?")
        expect(sure).to_have_accessible_description("Everybody on this call is cut off at once.")
        expect(sure.get_by_role("button", name="Cancel")).to_be_focused()
        page.keyboard.press("t")
        page.keyboard.press("Escape")
        expect(sure).to_be_hidden()
        expect(menu.get_by_role("button", name="Hang up")).to_be_focused()
        assert switch.asked == []
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(sure.get_by_role("button", name="Hang up")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#said")).to_contain_text("hung up")
        assert switch.asked[-1]["method"] == "DELETE"

        cell(page, "c1", "agent").click()
        expect(page.get_by_role("button", name="Worst moment")).to_be_visible()
        expect(page.locator("#switch")).to_be_hidden()
        cell(page, "c4", "agent").click()
        page.locator("#switch summary").click()
        opened = page.locator("#switch")
        opened.get_by_role("button", name="Whisper to the agent").click()
        expect(page.locator("#said")).to_contain_text("at which extension")
        page.locator("#switch summary").click()
        opened.get_by_label("Your extension").fill("201")
        opened.get_by_role("button", name="Save").click()
        expect(page.locator("#said")).to_contain_text("calls you at 201")
        opened.get_by_role("button", name="Whisper to the agent").click()
        expect(page.locator("#said")).to_contain_text("Only the agent will hear you")
        assert switch.asked[-1]["query"]["extension"] == "whisper"
        assert switch.asked[-1]["query"]["endpoint"] == "PJSIP/201"
        switch.shutdown()
    deeds = [(entry.deed.who, entry.deed.what, entry.deed.about) for entry in Audit(calls).read("acts", 9)]
    assert deeds[0] == ("dana", "whisper", "c4") and deeds[-1] == ("dana", "hangup", "c4")
