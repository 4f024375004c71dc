"""The page in Debian's chromium, by mouse and by keyboard alone; pictures are kept in the test's folder."""

import os
from pathlib import Path

import pytest
from serving_process import Served

pytestmark = pytest.mark.slow

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
LINE = "one two three four five six"
WORDS = "eins zwei drei vier fünf sechs"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """A context of its own, with an empty profile."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.is_file():
        pytest.skip(f"{CHROMIUM} is missing: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        profile = tmp_path_factory.mktemp("profile")
        context = driver.chromium.launch_persistent_context(
            profile, executable_path=CHROMIUM, args=list(QUIET), viewport={"width": 1180, "height": 900}
        )
        context.set_default_timeout(20_000)
        yield context
        context.close()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return tmp_path_factory.mktemp("pictures")


@pytest.fixture
def page(browser, server):
    """The page with a translated sentence; fails if it asks anybody else for anything, or reports an error."""
    page = browser.new_page()
    asked, complaints = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(server.url)
    page.fill("#text", LINE)
    page.keyboard.press("Enter")
    page.locator("#translation").filter(has_text=WORDS).wait_for()
    page.wait_for_selector(".times .bar")
    yield page
    page.close()
    assert asked and all(url.startswith(f"{server.url}/") for url in asked), asked
    # A refusal that the page says itself is no mistake of the page.
    assert [text for text in complaints if "the server responded with a status of 422" not in text] == []


def lit(page):
    return page.eval_on_selector_all(".word.lit", "words => words.map(word => word.textContent)")


def words(page):
    return page.inner_text("#translation").split()


def test_codes_light_up_their_words(page, pictures):
    chips = page.locator(".chip")
    assert chips.count() in (3, 4)  # two words a code, and one for the end perhaps
    page.screenshot(path=pictures / "light.png")
    for place in range(3):
        chips.nth(place).hover()
        assert lit(page) == WORDS.split()[2 * place : 2 * place + 2]
    page.locator(".word").nth(4).hover()
    assert page.locator(".chip.lit").count() == 1
    assert page.locator(".chip").nth(2).get_attribute("class").endswith("lit")
    page.screenshot(path=pictures / "lit.png")


def test_a_code_is_swapped(page, pictures):
    before = words(page)
    page.locator(".chip").nth(1).click()
    options = page.locator(".option")
    options.first.wait_for()
    assert options.count() == 8 and page.locator(".option[aria-pressed=true]").count() == 1
    page.screenshot(path=pictures / "swap.png", full_page=True)
    # Another code may write the same words; which ones do differs between machines, as the test trains the model.
    would = page.locator(".option .would").all_inner_texts()
    other = options.nth(next(place for place, text in enumerate(would) if text.split() != before))
    assert other.get_attribute("aria-pressed") == "false"
    code, would = other.get_attribute("data-code"), other.locator(".would").inner_text()
    other.click()
    page.locator(f".chip[data-place='1'] b:text-is('{code}')").wait_for()
    assert page.inner_text("#translation") == would
    assert words(page) != before and page.locator(".chip.swapped").count() == 1
    assert page.locator(".word.changed").count() >= 1
    assert f"Code 2 is now {code}" in page.inner_text("#status")
    page.screenshot(path=pictures / "swapped.png")
    page.locator("#reset").click()
    assert words(page) == before and page.locator(".chip.swapped").count() == 0


def test_any_code_can_be_tried(page):
    page.locator(".chip").first.click()
    page.fill("#any-code", "7")
    page.keyboard.press("Enter")
    page.locator(".chip[data-place='0'] b:text-is('7')").wait_for()


def test_keyboard_alone(page, pictures):
    def active():
        return page.evaluate("[document.activeElement.className, document.activeElement.textContent].join('|')")

    page.locator("#text").focus()
    for _ in range(12):  # past the examples and the button
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('chip')"):
            break
    assert page.evaluate("document.activeElement.dataset.place") == "0"
    assert lit(page) == WORDS.split()[:2]
    page.keyboard.press("ArrowRight")
    assert lit(page) == WORDS.split()[2:4]
    page.screenshot(path=pictures / "keyboard.png")
    page.keyboard.press("Enter")
    page.locator(".option").first.wait_for()
    assert active().startswith("option|")  # the focus is in the list
    page.keyboard.press("Escape")
    assert page.locator("#swap").is_hidden()
    assert page.evaluate("document.activeElement.dataset.place") == "1"  # and back
    page.keyboard.press("Enter")
    page.locator(".option").first.wait_for()
    page.keyboard.press("ArrowDown")
    code = page.evaluate("document.activeElement.dataset.code")
    page.keyboard.press("Enter")
    page.locator(f".chip[data-place='1'] b:text-is('{code}')").wait_for()
    assert page.evaluate("document.activeElement.dataset.place") == "1"


def test_what_a_screen_reader_is_told(page):
    label = page.locator(".chip").first.get_attribute("aria-label")
    assert label.startswith("Code 1 of ") and "It wrote: eins zwei." in label
    assert page.inner_text("#status") == f"Translation: {WORDS}"
    unnamed = page.evaluate(
        "[...document.querySelectorAll('button, a, input, textarea')]"
        ".filter(e => e.checkVisibility() && !(e.ariaLabel || e.textContent.trim() || e.labels?.length)).length"
    )
    assert unnamed == 0
    assert page.evaluate("[...document.querySelectorAll('h1, h2, h3')].map(h => h.tagName)")[0] == "H1"


def test_candidates(page):
    candidates = page.locator("#candidates button")
    assert candidates.count() == 4
    scores = [float(text.replace("−", "-")) for text in page.locator("#candidates .score").all_inner_texts()]
    assert scores == sorted(scores, reverse=True)
    candidates.nth(1).click()
    assert page.inner_text("#translation") == candidates.nth(1).locator(".text").inner_text()


def test_how_it_works(page, pictures):
    page.click("text=How it works")
    page.wait_for_selector("#how-stage .piece")
    assert page.locator("#translate-view").is_hidden()
    count = int(page.inner_text("#how-count").split()[-1])
    assert page.locator("#how-stage .piece").count() == len(LINE.split()) + 1
    for number in range(2, count + 1):
        page.keyboard.press("ArrowRight")
        assert page.inner_text("#how-count") == f"Step {number} of {count}"
        if number in (3, count):
            page.screenshot(path=pictures / f"how-{number}.png")
    assert page.inner_text("#how-stage .sentence") == WORDS
    assert page.locator("#how-next").is_disabled()
    page.keyboard.press("ArrowLeft")
    assert page.inner_text("#how-count") == f"Step {count - 1} of {count}"


def test_dark_and_light(page, pictures):
    def paper():
        return page.evaluate("getComputedStyle(document.documentElement).backgroundColor")

    light = paper()
    page.emulate_media(color_scheme="dark")
    page.locator(":root[data-theme=dark]").wait_for()
    assert paper() != light
    page.screenshot(path=pictures / "dark.png")
    page.click("#theme")
    assert paper() == light
    page.reload()
    assert paper() == light  # the choice is kept
    page.click("#theme")
    page.evaluate("localStorage.clear()")


def test_errors_are_said(page):
    page.evaluate("document.querySelector('#text').removeAttribute('maxlength')")
    page.fill("#text", "one " * 600)
    page.wait_for_selector("#problem:not([hidden])")
    assert page.inner_text("#problem") == "text 1 has 2399 characters; this server reads at most 2000"
    page.fill("#text", LINE)
    page.locator("#problem").wait_for(state="hidden")


def test_text_is_never_html(browser, server):
    page = browser.new_page()
    page.goto(server.url)
    page.fill("#text", "<img src=x onerror=alert(1)> <b>one</b>")
    page.keyboard.press("Enter")
    page.wait_for_selector(".times .bar")
    assert page.locator("main img, main b:text-is('one')").count() == 0
    page.close()


def test_a_narrow_screen(page, pictures):
    page.set_viewport_size({"width": 390, "height": 844})
    page.screenshot(path=pictures / "narrow.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.set_viewport_size({"width": 1180, "height": 900})


def test_the_api_page(browser, server, pictures):
    page = browser.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{server.url}/docs")
    page.get_by_label("Send to /translate").click()
    page.wait_for_selector("pre:has-text('\"candidates\"')")
    page.screenshot(path=pictures / "api.png")
    assert all(url.startswith(f"{server.url}/") for url in asked), asked
    page.close()


def test_without_a_server(browser, model):
    with Served(model.folder) as server:
        page = browser.new_page()
        page.goto(server.url)
        page.wait_for_selector(".times .bar")
        server.stop()
        page.fill("#text", "one")
        page.wait_for_selector("#problem:not([hidden])")
        assert page.inner_text("#problem") == "The server does not answer."
        page.close()
