"""The page in a browser: it shows the right numbers, follows the filter, and nothing that anybody wrote ever runs."""

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from typer.testing import CliRunner

from slack_audit_cli.app import app
from slack_audit_cli.page.reading import visible
from tests.report.archive import HOSTILE, NOON, archive, event, hostile, ordinary, write

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
pytestmark = [
    pytest.mark.skipif(
        CHROMIUM is None, reason="no Chromium is installed here: chromium, chromium-browser, google-chrome"
    ),
    pytest.mark.xdist_group("browser"),
]
LATE = [event(NOON + 5, "late 1"), event(NOON + 65, "late 2", "anomaly", details={"reason": ["ip_address"]})]
NAMES = [visible(it.replace("\ud83d", "?")) for it in HOSTILE]  # as a page may show them
DRAWN = "document.querySelectorAll('#chart-logins .main-svg').length > 0"
WATCH = "window.violations = []; addEventListener('securitypolicyviolation', (it) => violations.push(it.violatedDirective));"


@dataclass
class Shown:
    """A page that a browser shows, and whatever it did that it should not."""

    page: Page
    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def tile(self, name: str) -> int:
        return int(self.page.locator(f"#tile-{name}").inner_text().replace(",", ""))

    def count(self, place: str) -> int:
        return int(self.page.locator(f"{place} .count").inner_text().replace(",", ""))

    def bars(self, chart: str) -> dict[str, int]:
        """What a ranking shows, by its labels."""
        x, labels = self.page.evaluate(
            "(id) => { const it = document.getElementById(id); return [it.data[0].x, it.data[0].customdata.map((one) => one[0])]; }",
            f"chart-{chart}",
        )
        return dict(zip(labels, x, strict=True))

    def over_time(self, chart: str = "timeline") -> int:
        """The sum of all bars."""
        heights = "(id) => document.getElementById(id).data.flatMap((it) => it.y)"
        bars: list[int] = self.page.evaluate(heights, f"chart-{chart}")
        return sum(bars)

    def filter(self, **values: str) -> None:
        for name, value in values.items():
            box = self.page.locator(f"#filter [name={name}]")
            (box.select_option if name in {"location", "section"} else box.fill)(value)
        self.page.locator("#filter").evaluate("(it) => it.requestSubmit()")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield running
        running.close()


def until(page: Page, expression: str) -> None:
    """Waits for it. Playwright's own wait runs a text as code, which the page's policy refuses."""
    deadline = time.monotonic() + 30
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, expression
        page.wait_for_timeout(20)


def opened(browser: Browser, folder: Path, forge, *options: str) -> Shown:
    file = folder / "report.html"
    result = CliRunner().invoke(
        app, ["report", "--folder", str(write(forge, folder / "bucket")), "--output", str(file), *options]
    )
    assert result.exit_code == 0, result.output
    shown = Shown(browser.new_page(viewport={"width": 1440, "height": 900}))
    page = shown.page
    page.set_default_timeout(60_000)
    page.add_init_script(WATCH)
    page.on("request", lambda it: shown.asked.append(it.url))
    page.on("console", lambda it: shown.said.append(it.text))
    page.on("pageerror", lambda it: shown.said.append(str(it)))
    page.on("dialog", lambda it: shown.said.append(f"a dialog: {it.message}"))
    page.goto(file.as_uri())
    until(page, DRAWN)
    return shown


@pytest.fixture(scope="module")
def plain(browser, tmp_path_factory) -> Shown:
    return opened(browser, tmp_path_factory.mktemp("plain"), archive(ordinary(), LATE))


@pytest.fixture(scope="module")
def tricky(browser, tmp_path_factory) -> Shown:
    return opened(browser, tmp_path_factory.mktemp("tricky"), archive(ordinary() + hostile()))


@pytest.fixture
def shown(plain) -> Iterator[Shown]:
    """The same page for all tests, without a filter and in the light."""
    yield plain
    plain.page.emulate_media(color_scheme="light", media="screen")
    plain.page.evaluate(
        "() => { state.by = 'second'; state.down = true; if (state.filtered) { form.reset(); apply(); } else showTable(); }"
    )
    assert plain.said == []
    assert [it for it in plain.asked if not it.startswith(("file:", "data:"))] == []
    assert plain.page.evaluate("violations") == []


# ---- what it shows ----


def test_it_shows_all_events_and_its_scripts_count_as_the_command_did(shown):
    assert [shown.tile(it) for it in ("events", "people", "actions", "addresses", "anomalies", "failures", "exports", "late")] == [
        42, 2, 11, 2, 3, 3, 1, 2,
    ]  # fmt: skip
    assert shown.over_time() == shown.count("#events") == 42
    assert shown.over_time("logins") == 11
    assert shown.bars("actions")["file_downloaded"] == 21
    assert shown.bars("reasons") == {"tor": 2, "asn": 1, "ip_address": 1}
    assert shown.bars("delays") == {"up to 6 h": 2}
    command, script = shown.page.evaluate("[data.figures, figuresOf(events)]")
    for it in (command, script):
        it.pop("undated", None)
        it["timeline"].sort()
        for name in ("actions", "actors", "ips", "locations", "reasons", "delays"):
            it[name].sort()
    assert script == command


FILTERS = (
    ({"action": "user_login"}, 8, 1, 8),
    ({"action": "user_login*"}, 11, 2, 11),
    ({"actor": "Bo Example · bo@example.com"}, 12, 1, 3),
    ({"actor": "ADA@", "location": "Harbour"}, 30, 1, 8),
    ({"ip": "192.0.2.*"}, 30, 1, 8),
    ({"section": "late"}, 2, 1, 0),
    ({"from": "2026-01-01T12:10:00"}, 20, 2, 11),
    ({"from": "2026-01-01T12:10:00", "to": "2026-01-01T12:12:30"}, 6, 1, 6),
    ({"text": "previous_ip_address"}, 1, 1, 0),
    ({"action": "user_login*", "ip": "198.51.100.9", "from": "2026-01-01T12:14:30"}, 2, 1, 2),
    ({"action": "nothing like it"}, 0, 0, 0),
)


def test_figures_charts_and_tables_follow_the_filter(shown):
    for values, events, people, logins in FILTERS:
        shown.page.evaluate("() => { for (const it of form.elements) if (it.name) it.value = ''; }")
        shown.filter(**values)
        told = shown.tile("events"), shown.tile("people"), shown.over_time(), shown.over_time("logins")
        assert (values, *told) == (values, events, people, events, logins)
        assert shown.count("#events") == shown.page.locator("#events tbody tr").count() == events
        assert sum(shown.bars("actions").values()) == sum(shown.bars("ips").values()) == events
        assert shown.page.locator("#nothing").is_visible() == (events == 0)
        assert f"{events} of 42 events match" in shown.page.locator("#scope").inner_text()


def test_a_click_on_a_bar_filters_by_it(shown):
    label = shown.page.locator("#chart-actors .bars .point").nth(1)
    label.scroll_into_view_if_needed()
    box = label.bounding_box()
    shown.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    shown.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert shown.page.locator("[name=actor]").input_value() == "Bo Example · bo@example.com"
    assert shown.tile("events") == 12


def test_sections_hold_what_is_notable_and_the_others_are_named(shown):
    assert shown.count("#section-anomalies") == 3
    assert "reason: tor, asn" in shown.page.locator("#section-anomalies").inner_text()
    assert "late, 1h 9m later" in shown.page.locator("#section-late").inner_text()
    assert "new_scopes: files:read" in shown.page.locator("#section-apps").inner_text()
    assert not shown.page.locator("#section-external").is_visible()
    assert "External organisations" in shown.page.locator("#empty").inner_text()


# ---- how it is used ----


def test_the_table_is_sorted_by_any_column(shown):
    first = shown.page.locator("#events tbody tr").first
    assert "2026-01-01 12:19:30" in first.inner_text()
    shown.page.get_by_role("button", name="Time (UTC)").click()
    assert "2026-01-01 12:00:00" in first.inner_text()
    shown.page.get_by_role("button", name="Action").click()
    assert "a_name_that_nobody_knows" in first.inner_text()
    assert shown.page.locator("#events th.action").get_attribute("aria-sort") == "ascending"


def test_it_works_by_keyboard_alone(shown):
    page = shown.page
    page.locator(".skip").focus()
    assert page.locator(".skip").bounding_box()["x"] >= 0
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "theme"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "action"
    page.keyboard.type("user_login_failed")
    until(page, "state.filtered")
    assert shown.tile("events") == 3
    page.locator("#events th.time button").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.dataset.column") == "second"
    page.locator("#events summary").first.focus()
    page.keyboard.press("Enter")
    raw = page.locator("#events pre").inner_text()
    assert json.loads(raw) == ordinary()[28]
    page.keyboard.press("Enter")
    page.locator("#events pre").wait_for(state="detached")


def test_it_is_dark_and_light_as_the_system_or_as_asked(shown):
    def luminance() -> Any:
        return shown.page.evaluate(
            "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number).reduce((a, b) => a + b)"
        )

    def label() -> Any:
        return shown.page.locator("#chart-actions .ytick text").first.evaluate("(it) => getComputedStyle(it).fill")

    assert (luminance() > 600, label()) == (True, "rgb(26, 31, 38)")
    shown.page.emulate_media(color_scheme="dark")
    until(shown.page, "document.querySelector('#chart-actions .ytick text').style.fill !== 'rgb(26, 31, 38)'")
    assert luminance() < 120
    shown.page.locator("#theme").click()
    assert (luminance() > 600, label()) == (True, "rgb(26, 31, 38)")
    shown.page.locator("#theme").click()
    assert (luminance() < 120, label()) == (True, "rgb(232, 236, 241)")
    shown.page.locator("#theme").click()
    assert shown.page.locator("#theme").inner_text() == "Theme: as the system"


def test_on_paper_it_has_no_controls_and_its_charts_need_no_colour(shown):
    page = shown.page
    page.emulate_media(media="print")
    until(page, "printing && document.querySelector('#chart-timeline').data[0].marker.color.match(/^#(..)\\1\\1$/)")
    assert not page.locator("#filter").is_visible()
    assert not page.locator("#theme").is_visible()
    assert page.locator("#events thead").first.evaluate("(it) => getComputedStyle(it).display") == "table-header-group"
    assert page.locator("#events tbody tr").first.evaluate("(it) => getComputedStyle(it).breakInside") == "avoid"
    greys = page.evaluate("document.querySelector('#chart-timeline').data.map((it) => it.marker.color)")
    assert len(set(greys)) == len(greys) == 6
    assert shown.over_time() == 42
    page.emulate_media(media="screen")
    until(page, "!printing")
    pdf = page.pdf(format="A4")
    assert pdf.startswith(b"%PDF-")
    assert pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") >= 2
    assert len(pdf) < 3_000_000


# ---- what never happens ----


def test_what_anybody_wrote_is_only_ever_text(tricky):
    page = tricky.page
    page.locator("#size").select_option("1000")
    page.locator("details").evaluate_all("(all) => all.forEach((it) => { it.open = true; })")
    until(page, "document.querySelectorAll('#events pre').length === events.length")
    added = "script, img, iframe, object, embed, a[href^='javascript'], svg a, b, i, [onload], [onerror], main link"
    assert page.locator(added).count() == 3
    assert page.evaluate("[...document.scripts].filter((it) => it.src).length") == 0
    cells = set(page.locator("#events td.action").all_text_contents())
    assert set(NAMES) <= cells
    assert tricky.said == []


def test_plotly_shows_tags_as_text(tricky):
    page = tricky.page
    page.locator("#filter [name=ip]").fill("*<*")
    page.locator("#filter").evaluate("(it) => it.requestSubmit()")
    labels = page.locator("#chart-ips .ytick text").all_text_contents()
    assert {"<script>alert(1)</script>", "<b>bold</b>"} <= set(labels)
    assert page.locator("#chart-ips tspan[style*=bold], #chart-ips a").count() == 0
    page.locator("#chart-ips").scroll_into_view_if_needed()
    box = page.locator("#chart-ips .bars .point").first.bounding_box()
    page.mouse.move(box["x"] + 2, box["y"] + box["height"] / 2)
    page.mouse.move(box["x"] + 4, box["y"] + box["height"] / 2)
    page.locator("#chart-ips .hovertext text").first.wait_for()
    assert page.locator("#chart-ips .hovertext").text_content().strip() in {f"{it}: 1" for it in NAMES}
    assert page.locator("#chart-ips .hovertext a, #chart-ips .hovertext tspan[style]").count() == 0
    page.locator("#filter").evaluate("(it) => it.reset()")
    assert tricky.said == []


def test_the_policy_refuses_whatever_else_would_run_or_connect(tricky):
    assert [it for it in tricky.asked if not it.startswith(("file:", "data:"))] == []
    assert tricky.page.evaluate("violations") == []
    refused = tricky.page.evaluate(
        """async () => {
          const tried = await fetch('https://example.com/').then(() => 'connected', () => 'refused');
          const script = document.createElement('script');
          script.textContent = 'window.ran = true';
          document.body.append(script);
          const picture = new Image();
          const seen = new Promise((done) => { picture.onload = () => done('shown'); picture.onerror = () => done('refused'); });
          picture.src = 'https://example.com/a.png';
          const answer = [tried, await seen, window.ran === undefined];
          script.remove();
          return [...answer, [...new Set(violations)].sort()];
        }"""
    )
    assert refused == ["refused", "refused", True, ["connect-src", "img-src", "script-src-elem"]]


# ---- many, and none ----


def test_a_page_that_holds_only_some_says_what_a_filter_covers(browser, tmp_path):
    more = [event(NOON + 1_500 + n, f"more {n}") for n in range(300)]
    shown = opened(browser, tmp_path, archive(ordinary() + more), "--rows", "100")
    assert (shown.tile("events"), shown.over_time(), shown.bars("actions")["file_downloaded"]) == (340, 340, 320)
    scope = shown.page.locator("#scope")
    assert (
        scope.inner_text()
        == "The charts and figures count all 340 events; a filter covers the 100 that the page holds."
    )
    assert "The page holds 100 of 340" in shown.page.locator("#embedded").inner_text()
    shown.filter(section="exports")
    assert (shown.tile("events"), shown.over_time()) == (1, 1)
    assert "1 of the 100 events that the page holds, of 340 in all, match section Exports" in scope.inner_text()
    assert shown.said == []
    shown.page.close()


def test_a_page_of_nothing_is_whole(browser, tmp_path):
    shown = opened(browser, tmp_path, archive(ordinary()), "--actor", "nobody")
    assert (shown.tile("events"), shown.over_time()) == (0, 0)
    assert shown.page.locator("#nothing").is_visible()
    assert shown.said == []
    shown.page.close()
