"""The pages as a user sees them, over real runs."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import PATIENCE, Pages, Seen, served, tune

expect.set_options(timeout=PATIENCE)


def open_experiments(page: Page, pages: Pages) -> None:
    page.goto(pages.address)
    expect(page.get_by_role("heading", name="Experiments")).to_be_visible()


def open_tab(page: Page, pages: Pages, tab: str) -> None:
    open_experiments(page, pages)
    page.locator("a[data-row]").first.click()
    page.get_by_role("navigation", name="Views of the experiment").get_by_text(tab).click()


def first_trial(page: Page, pages: Pages) -> None:
    open_tab(page, pages, "Trials")
    page.locator("a[data-row]").first.click()
    expect(page.get_by_text("Output of the trainer")).to_be_visible()


def test_the_table_shows_each_experiment(seen: Seen, pages: Pages) -> None:
    open_experiments(seen.page, pages)

    row = seen.page.get_by_role("row").nth(1)
    expect(row).to_contain_text("succeeded")
    expect(row).to_contain_text("6 of 6 ended")
    expect(seen.page.get_by_role("status")).to_contain_text("live")


def test_the_token_leaves_the_address_and_stays_for_the_next_visit(
    seen: Seen, pages: Pages
) -> None:
    open_experiments(seen.page, pages)
    assert "token" not in seen.page.url

    seen.page.goto(pages.base)

    expect(seen.page.get_by_role("row").nth(1)).to_contain_text("succeeded")


def test_without_the_token_a_page_says_what_to_do(context: BrowserContext, pages: Pages) -> None:
    page = context.new_page()

    page.goto(f"{pages.base}/#token=wrong")

    expect(page.get_by_role("alert")).to_contain_text("Open the address that `trialwatch ui`")


def test_the_address_of_a_new_server_is_opened_in_the_same_tab(
    context: BrowserContext, pages: Pages
) -> None:
    page = context.new_page()
    page.goto(f"{pages.base}/#token=of-the-server-before")
    expect(page.get_by_role("alert")).to_contain_text("Open the address that `trialwatch ui`")

    page.goto(pages.address)

    expect(page.get_by_role("row").nth(1)).to_contain_text("succeeded")
    assert "token" not in page.url


def test_more_tabs_than_a_browser_has_connections_are_all_shown(
    context: BrowserContext, pages: Pages
) -> None:
    hide = """Object.defineProperty(document, "hidden", {get: () => true, configurable: true});
        document.dispatchEvent(new Event("visibilitychange"))"""
    for _ in range(6):
        behind = context.new_page()
        open_experiments(behind, pages)
        behind.evaluate(hide)
    page = context.new_page()

    open_experiments(page, pages)

    expect(page.get_by_role("row").nth(1)).to_contain_text("succeeded")


def test_an_experiment_that_was_deleted_is_shown_when_it_comes_again(
    context: BrowserContext, ended_run: Path, tmp_path: Path
) -> None:
    root, aside = tmp_path / "copy", tmp_path / "aside"
    shutil.copytree(ended_run, root)
    page = context.new_page()
    with served(root) as pages:
        open_tab(page, pages, "Overview")
        (root / "default").rename(aside)
        expect(page.get_by_role("alert")).to_contain_text("there is no experiment")
        expect(page.locator(".state-of-link")).to_contain_text("live")

        aside.rename(root / "default")

        expect(page.get_by_role("alert")).to_have_count(0)
        expect(page.locator(".pill").first).to_contain_text("succeeded")


def test_the_overview_has_the_history_and_its_table(seen: Seen, pages: Pages) -> None:
    open_tab(seen.page, pages, "Overview")

    card = seen.page.get_by_role("region", name="loss of each trial")
    expect(card.locator("canvas")).to_be_visible()
    card.get_by_role("button", name="Show as a table").click()
    expect(card.get_by_role("row")).to_have_count(7)


def test_the_curves_are_those_of_the_trials(seen: Seen, pages: Pages) -> None:
    open_tab(seen.page, pages, "Curves")

    expect(seen.page.locator(".curve-list a")).to_have_count(6)
    seen.page.get_by_role("button", name="Show as a table").click()
    expect(seen.page.get_by_role("row")).to_have_count(6 * 12 + 1)


def test_a_zoom_is_in_the_address(seen: Seen, pages: Pages) -> None:
    open_tab(seen.page, pages, "Curves")
    over = seen.page.locator(".u-over")
    box = over.bounding_box()
    assert box

    seen.page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + 50)
    seen.page.mouse.down()
    seen.page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 60, steps=5)
    seen.page.mouse.up()

    expect(seen.page).to_have_url(re.compile(r"zoom=\d+-\d+"))
    seen.page.get_by_role("button", name="Show all points").click()
    expect(seen.page).not_to_have_url(re.compile("zoom"))


def test_a_filter_holds_for_the_table_and_the_plots(seen: Seen, pages: Pages) -> None:
    open_tab(seen.page, pages, "Trials")
    seen.page.keyboard.press("/")
    seen.page.keyboard.type("act = gelu AND loss < 99")

    expect(seen.page.locator("#fault")).to_contain_text(re.compile(r"^[1-5] of 6$"))
    count = seen.page.locator("tbody a[data-row]").count()
    seen.page.keyboard.press("Escape")
    seen.page.keyboard.press("[")

    expect(seen.page.locator("#fault")).to_have_text(f"{count} of 6")
    expect(seen.page.get_by_label(re.compile(rf"^{count} trials across"))).to_be_visible()


def test_a_fault_in_a_filter_is_shown(seen: Seen, pages: Pages) -> None:
    open_tab(seen.page, pages, "Trials")

    seen.page.get_by_role("searchbox").fill("learning > 1")

    expect(seen.page.locator("#fault")).to_have_text("there is no column learning")


def test_the_columns_are_sorted_by_their_heads(seen: Seen, pages: Pages) -> None:
    open_tab(seen.page, pages, "Trials")
    seen.page.get_by_role("button", name="loss").click()
    expect(seen.page).to_have_url(re.compile("sort=loss"))

    values = [
        float(text) for text in seen.page.locator("tbody tr td:nth-child(3)").all_inner_texts()
    ]

    assert values == sorted(values)


def test_the_trials_are_saved_as_csv(seen: Seen, pages: Pages) -> None:
    open_tab(seen.page, pages, "Trials")

    with seen.page.expect_download() as download:
        seen.page.get_by_role("button", name="CSV").click()

    lines = Path(download.value.path()).read_text().splitlines()
    assert lines[0] == "trial,state,lr,act,loss,seconds,note"
    assert len(lines) == 7


def test_the_log_of_a_trial_is_text_with_its_metrics_marked(seen: Seen, pages: Pages) -> None:
    dialogs: list[str] = []
    seen.page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    first_trial(seen.page, pages)

    log = seen.page.get_by_role("log")
    expect(log.locator("mark")).to_have_count(12)
    expect(log).to_contain_text("<img src=x onerror=alert(1)></script> green")
    expect(log).to_contain_text("the last words")
    assert "\u202e" not in log.inner_text()
    assert seen.page.locator("img").count() == 0
    assert dialogs == []


def test_a_format_is_tried_with_the_log_of_a_trial(seen: Seen, pages: Pages) -> None:
    first_trial(seen.page, pages)
    seen.page.get_by_role("main").get_by_role("link", name="Try a metrics format").click()

    expect(seen.page.get_by_text("loss: 12 values")).to_be_visible()
    seen.page.get_by_label("Names of the metrics").fill("los")
    expect(seen.page.get_by_text("los: nothing")).to_be_visible()
    expect(seen.page.locator(".why").first).to_contain_text("loss")


def test_the_keys_are_shown(seen: Seen, pages: Pages) -> None:
    open_experiments(seen.page, pages)
    seen.page.keyboard.press("?")
    expect(seen.page.get_by_role("dialog")).to_contain_text("go to the filter")

    seen.page.keyboard.press("Escape")
    seen.page.keyboard.press("j")
    seen.page.keyboard.press("Enter")

    expect(seen.page).to_have_url(re.compile("/e/default/"))


@pytest.mark.parametrize("tab", ["Overview", "Curves", "Parameters", "Trials", "YAML"])
def test_no_page_is_wider_than_a_phone(seen: Seen, pages: Pages, tab: str) -> None:
    seen.page.set_viewport_size({"width": 380, "height": 780})
    open_tab(seen.page, pages, tab)
    expect(seen.page.locator(".card").first).to_be_visible()

    width = seen.page.evaluate("document.documentElement.scrollWidth")

    assert width <= 380


def test_a_run_is_followed_point_by_point(seen: Seen, tmp_path: Path) -> None:
    with served(tmp_path) as pages:
        page = seen.page
        page.goto(pages.address)
        expect(page.get_by_text("No experiments yet")).to_be_visible()
        run = tune(tmp_path, "--parallel", "1", trials=2, steps=150)
        try:
            page.locator("a[data-row]").first.click()
            page.get_by_text("Curves").click()
            expect(page.locator(".curve-list")).to_contain_text("running")
            page.get_by_role("button", name="Show as a table").click()
            rows = page.get_by_role("row")
            expect(rows.nth(5)).to_be_visible()
            before = rows.count()
            expect(rows.nth(before + 20)).to_be_visible()
            expect(page.locator(".pill").first).to_contain_text("succeeded", timeout=4 * PATIENCE)
            expect(rows).to_have_count(2 * 150 + 1)
        finally:
            run.terminate()
            run.communicate(timeout=120)


def test_a_page_whose_server_was_killed_says_so_and_keeps_what_it_shows(
    context: BrowserContext, ended_run: Path, tmp_path: Path
) -> None:
    root = tmp_path / "copy"
    shutil.copytree(ended_run, root)
    page = context.new_page()
    with served(root) as first:
        open_experiments(page, first)
    expect(page.get_by_role("status")).to_contain_text("reconnecting")
    expect(page.get_by_role("row").nth(1)).to_contain_text("succeeded")
