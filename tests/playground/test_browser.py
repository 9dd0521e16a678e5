"""The page in a real browser: Debian's chromium, headless, with its driver."""

import shutil
import time

import pytest

pytest.importorskip("bokeh")
webdriver = pytest.importorskip("selenium.webdriver")

pytestmark = [
    pytest.mark.full,
    pytest.mark.browser,
    pytest.mark.skipif(shutil.which("chromedriver") is None, reason="needs chromium and its driver"),
]

# the widgets live in nested shadow roots
FIND = """
const found = [], seen = (root) => { for (const e of root.querySelectorAll("*")) {
  if (e.shadowRoot) seen(e.shadowRoot)
  if (e.matches(arguments[0]) && e.textContent.trim().includes(arguments[1])) found.push(e) } }
seen(document); return found
"""


@pytest.fixture(scope="module")
def server():
    views = []
    from sknn_scratch.playground.page.server import Background

    background = Background(seen=views.append)
    background.views = views
    yield background
    background.stop()


@pytest.fixture
def browser():
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1280,800"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    yield driver
    severe = [entry["message"] for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]
    driver.quit()
    assert severe == []


def eventually(holds, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return
        time.sleep(0.1)
    raise AssertionError("it did not happen in time")


def find(browser, selector, text=""):
    eventually(lambda: browser.execute_script(FIND, selector, text))
    return browser.execute_script(FIND, selector, text)[0]


def opened(browser, server, query=""):
    n_before = len(server.views)
    browser.get(server.url + query)
    find(browser, "button", "play")
    eventually(lambda: len(server.views) == n_before + 1)
    return server.views[-1]


def click(browser, text):
    browser.execute_script("arguments[0].click()", find(browser, "button", text))


def test_circles_are_learnt_by_pressing_play(browser, server):
    view = opened(browser, server)
    click(browser, "play")
    eventually(lambda: view.session.measured().test_score >= 0.95, seconds=60)
    click(browser, "pause")
    eventually(lambda: not view.is_playing)


def test_buttons_do_what_they_say(browser, server):
    view = opened(browser, server)
    click(browser, "step")
    eventually(lambda: view.session.n_steps == 1)
    click(browser, "epoch")
    eventually(lambda: view.session.n_epochs == 1)
    click(browser, "code")
    find(browser, "pre", "ScratchMLPClassifier(")
    click(browser, "add a layer")
    eventually(lambda: view.session.settings.hidden_layer_sizes == (4, 4, 4))
    find(browser, "button", "add a unit to layer 3")  # the buttons of the new network are there
    click(browser, "add a unit to layer 1")
    eventually(lambda: view.session.settings.hidden_layer_sizes == (5, 4, 4))
    click(browser, "x₁x₂")
    eventually(lambda: view.session.settings.features == ("x1", "x2", "product"))
    click(browser, "reset")
    eventually(lambda: view.session.n_steps == 0)


def test_buttons_can_be_pressed_by_key(browser, server):
    view = opened(browser, server)
    browser.execute_script("arguments[0].focus()", find(browser, "button", "step"))
    webdriver.ActionChains(browser).send_keys(" ").perform()
    eventually(lambda: view.session.n_steps == 1)


def test_the_link_restores_the_settings(browser, server):
    view = opened(browser, server, "?dataset=moons&noise=0.2&hidden_layer_sizes=3,2&solver=sgd")
    assert view.session.settings.dataset == "moons"
    click(browser, "link")
    eventually(lambda: "solver=sgd" in browser.current_url)
    again = opened(browser, server, browser.current_url.removeprefix(server.url))
    assert again.session.settings == view.session.settings


def test_a_bad_link_is_refused_on_the_page(browser, server):
    opened(browser, server, "?noise=much")
    find(browser, "div", "noise='much', which cannot be read")


def test_a_tab_has_a_session_of_its_own(browser, server):
    first = opened(browser, server)
    browser.switch_to.new_window("tab")
    second = opened(browser, server)
    click(browser, "step")
    eventually(lambda: second.session.n_steps == 1)
    assert first.session.n_steps == 0


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_no_wider_than_the_screen(browser, server, size, scheme):
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size[0] < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    opened(browser, server)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= size[0]
    paper = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(20, 24, 30)") == (scheme == "dark")
