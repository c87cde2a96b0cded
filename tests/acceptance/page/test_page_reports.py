"""The reports' page, in a browser against the real web process with an archive."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from scripts.operating import scorecard
from state.archive.opening import Archive
from state.archive.write import write
from tests.harness.browser import complaints, watched_page
from tests.harness.calls.reported import BERLIN, REPORTED
from tests.harness.servers import Server
from tests.harness.web import Web, web_process
from tests.integration.api.test_reviews import GREETING, heard

ASKED = "/reports?from=2026-03-25&to=2026-03-31&zone=Europe/Berlin"


@pytest.fixture(scope="module")
def web(valkey: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("web")
    url = f"sqlite:///{folder / 'archive.db'}"
    archive = Archive(url)
    for call in REPORTED:
        write(archive, call, "test")
    write(archive, heard("rude", datetime(2026, 2, 10, 12, tzinfo=BERLIN), (GREETING,), agent="Mia"), "test")
    write(archive, heard("slow", datetime(2026, 1, 10, 12, tzinfo=BERLIN), agent="Mia"), "test")
    archive.close()
    with web_process(valkey.url, folder / "web.log", DATABASE_URL=url) as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with watched_page(browser, 1440, 900, timezone="Asia/Tokyo") as opened:
        yield opened


@pytest.fixture
def questions(web: Web, tmp_path: Path) -> Iterator[None]:
    """Puts the scorecard's questions back afterwards."""
    before = tmp_path / "before.yaml"
    before.write_text(requests.get(f"{web.url}/v1/scorecard.yaml", timeout=30).text)
    yield
    assert scorecard.main(["--url", web.url, "set", "--force", str(before)]) == 0


def test_the_page_shows_plots_and_tables_of_what_is_asked_for(page: Page, web: Web) -> None:
    page.goto(web.url + ASKED)
    expect(page.locator("#said")).to_have_text("16 calls from 2026-03-25 to 2026-03-31. Days and times: Europe/Berlin.")
    expect(page.locator("#plots").get_by_role("img")).to_have_count(7)
    calls = page.get_by_role("img", name="Calls, by day 7 of 7 days; lowest 0 on 2026-03-25, highest 8 on 2026-03-27.")
    expect(calls.locator("rect")).to_have_count(7)
    taken = page.get_by_role("img", name=re.compile("Time until a call was taken, by day 1 of 7 days"))
    expect(taken.locator(".none")).to_have_count(6)
    day = page.get_by_role("region", name="By day").get_by_role("row", name=re.compile("^2026-03-27"))
    expect(day).to_contain_text("4 (50 %)")
    agents = page.get_by_role("region", name="By agent").locator("tbody th")
    expect(agents).to_have_text(["not named", "Tom", "Dana", "=cmd()"])

    compared = page.get_by_role("group", name="Compared over time")
    expect(compared.locator("figcaption")).to_have_text(["not named", "Tom", "Dana", "=cmd()"])
    dana = compared.get_by_role("img", name=re.compile("Dana, by day 1 of 7 days; lowest 100 %"))
    expect(dana.locator("rect")).to_have_count(1)
    page.locator("#compare-by").select_option("queues")
    page.locator("#compare-figure").select_option("Mood at the end of those calls")
    expect(compared.locator("figcaption")).to_have_text(["not named", "billing", "sales"])
    expect(compared.get_by_role("img", name=re.compile("billing, by day .* on 2026-03-27"))).to_be_visible()

    page.get_by_role("textbox", name="Queue").fill("sales")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#said")).to_contain_text("2 calls from")
    expect(page).to_have_url(re.compile("queue=sales"))
    with page.expect_download() as file:
        page.get_by_role("heading", name="By agent").get_by_role("link", name="CSV").click()
    assert "Tom,2," in file.value.path().read_text()
    page.go_back()
    expect(page.locator("#said")).to_contain_text("16 calls")


def test_what_cannot_be_reported_is_said(page: Page, web: Web) -> None:
    page.goto(f"{web.url}/reports?from=2026-04-01&to=2026-03-31")
    expect(page.locator("#said")).to_contain_text("must be at most 365 days before the last day")
    expect(page.locator("#report")).to_be_hidden()
    page.goto(f"{web.url}/reports?from=2025-01-01&to=2025-01-31&zone=UTC")
    expect(page.locator("#said")).to_contain_text("No call ended from 2025-01-01 to 2025-01-31.")
    expect(page.locator("#report")).to_be_hidden()
    page.goto(f"{web.url}/reviews?from=2025-01-01&to=2025-01-31")
    expect(page.locator("#found")).to_contain_text("No call ended from 2025-01-01 to 2025-01-31.")
    expect(page.get_by_role("heading", name="Sample")).to_be_hidden()
    page.goto(f"{web.url}/reports?from=2025-01-01&to=2025-01-31&zone=UTC")
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#said")).to_contain_text("Days and times: Asia/Tokyo.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_it_is_accessible_fits_and_prints(page: Page, web: Web, width: int, scheme: str) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme=scheme)
    page.goto(web.url + ASKED)
    expect(page.locator("#plots").get_by_role("img")).to_have_count(7)
    assert complaints(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    name = page.get_by_role("region", name="By day").locator("tbody th").first
    before = name.bounding_box()
    page.get_by_role("region", name="By day").evaluate("box => { box.scrollLeft = 300; }")
    assert before is not None and before == name.bounding_box(), "the first column stays in sight"
    assert before["width"] > 100 and before["height"] < 40, "a day is one line"
    page.emulate_media(media="print")
    expect(page.get_by_role("button", name="Print")).to_be_hidden()
    assert page.evaluate(
        "document.querySelector('main').scrollHeight <= document.querySelector('main').clientHeight + 1"
    )


@pytest.mark.usefixtures("questions")
def test_a_sampled_call_is_opened_answered_for_and_kept(page: Page, web: Web, browser: Browser) -> None:
    page.goto(f"{web.url}/reviews?from=2026-02-01&to=2026-02-28")
    expect(page.locator("#found")).to_contain_text("1 call of the time from 2026-02-01 to 2026-02-28")
    page.locator("#sample tbody a").click()
    greeting = page.get_by_role("group", name="Did the agent greet the customer?")
    expect(greeting.get_by_label("No", exact=True)).to_be_checked()
    expect(greeting).to_contain_text("A rule says no")
    greeting.get_by_role("button", name="0:04").click()
    expect(page.locator("[data-call=list]")).to_contain_text("line 1")
    polite = page.get_by_role("group", name="Was the agent polite and patient?")
    polite.get_by_label("Yes").check()
    expect(page.locator("#score")).to_have_text("Score 67 %")
    page.get_by_label("Comment").fill("Patient, but no greeting")
    page.get_by_role("button", name="Keep review").click()
    page.get_by_role("textbox", name="Your name").fill("Sam")
    page.get_by_role("button", name="That is me").click()
    expect(page.locator("#reviews")).to_have_text("Sam: 67 %, Patient, but no greeting")
    expect(page.locator("#agents tbody tr")).to_have_text("Mia1167 %")
    expect(page.locator("#sample tbody td").last).to_have_text("Sam")

    page.get_by_text("Questions of the scorecard").click()
    expect(page.locator("#edited li")).to_have_count(6)
    expect(page.get_by_label("Answered by").first).to_have_value("rule:greeting-missing")
    page.get_by_role("button", name="Another question").click()
    page.keyboard.type("Did one hear a smile?")
    page.get_by_role("button", name="Save questions").click()
    expect(page.get_by_role("group", name="Did one hear a smile?")).to_be_visible()
    plain = browser.new_page(viewport={"width": 390, "height": 844}, color_scheme="dark")
    plain.goto(page.url)
    expect(plain.locator("#reviews")).to_have_text("Sam: 67 %, Patient, but no greeting")
    assert complaints(plain) == []
    assert plain.evaluate("document.documentElement.scrollWidth <= innerWidth")
    plain.close()


@pytest.mark.parametrize(("width", "height"), [(390, 844), (720, 450)])
def test_a_call_is_reviewed_where_there_is_little_room(page: Page, web: Web, width: int, height: int) -> None:
    """On a phone, and at 200 % zoom."""
    page.set_viewport_size({"width": width, "height": height})
    page.goto(f"{web.url}/reviews?from=2026-01-01&to=2026-01-31")
    page.locator("#sample tbody a").click()
    expect(page.get_by_role("region", name="Transcript")).to_be_in_viewport()
    page.get_by_role("group", name="Was what the agent said correct?").get_by_label("No", exact=True).check()
    page.get_by_label("Comment").fill(f"seen at {width}")
    page.get_by_role("button", name="Keep review").click()
    page.get_by_role("textbox", name="Your name").fill(f"Sam{width}")
    page.get_by_role("button", name="That is me").click()
    expect(page.locator("#reviews")).to_contain_text(f"seen at {width}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Close").click()
    expect(page.locator("#sample tbody a")).to_be_in_viewport()


@pytest.mark.usefixtures("questions")
def test_the_questions_are_changed_as_yaml_and_an_error_marks_its_line(page: Page, web: Web) -> None:
    page.goto(f"{web.url}/reviews")
    page.get_by_text("Questions of the scorecard").click()
    page.get_by_text("Advanced: the questions as YAML").click()
    field = page.get_by_label("The questions, as YAML")
    expect(field).to_have_value(re.compile("^version: .*id: greeting", re.DOTALL))
    good = field.input_value()
    field.fill(good.replace("id: kind", "id: Kind!"))
    page.get_by_role("button", name="Save YAML").click()
    page.get_by_role("textbox", name="Your name").fill("Sam")
    page.get_by_role("button", name="That is me").click()
    expect(page.locator("#yaml-fault")).to_contain_text("small letters")
    assert "Kind!" in field.evaluate("field => field.value.slice(field.selectionStart, field.selectionEnd)")
    added = good + "- id: smell\n  text: Did one smell a rat?\n"
    file = {"name": "questions.yaml", "mimeType": "application/yaml", "buffer": added.encode()}
    page.get_by_label("Take a file").set_input_files([file])
    page.get_by_role("button", name="Save YAML").click()
    expect(page.locator("#said")).to_contain_text("The questions are saved.")
    expect(page.locator("#edited li").last.get_by_label("Question")).to_have_value("Did one smell a rat?")
    assert complaints(page) == []


@pytest.mark.usefixtures("questions")
def test_the_questions_are_read_and_saved_by_command(
    web: Web, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at = ["--url", web.url]
    assert scorecard.main([*at, "show"]) == 0
    file = tmp_path / "mine.yaml"
    file.write_text(capsys.readouterr().out.replace("polite and patient", "kind"))
    assert scorecard.main([*at, "set", str(file)]) == 0
    assert capsys.readouterr().out.endswith("questions\n")
    assert "Was the agent kind?" in requests.get(f"{web.url}/v1/scorecard.yaml", timeout=10).text
    assert scorecard.main([*at, "set", str(file)]) == 1, "it must not change an edition that no longer applies"
    assert capsys.readouterr().err.startswith("scorecard: Somebody")
    assert scorecard.main([*at, "set", "--force", str(file)]) == 0
