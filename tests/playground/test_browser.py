"""The page in a real browser: Debian's chromium, headless, with its driver."""

import shutil
import time

import pytest

pytest.importorskip("bokeh")
webdriver = pytest.importorskip("selenium.webdriver")

Keys = webdriver.Keys
Select = pytest.importorskip("selenium.webdriver.support.select").Select

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


def labelled(browser, title):
    """The input, select or slider under a label."""
    script = FIND.replace(
        "e.textContent.trim().includes(arguments[1])", "(e.textContent.trim() === arguments[1])"
    )
    eventually(lambda: browser.execute_script(script, "label", title))
    label = browser.execute_script(script, "label", title)[0]
    return browser.execute_script(
        "return arguments[0].getRootNode().querySelector('input:not([type=hidden]), select')", label
    )


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


CHOICES = [
    *(("data set", "dataset", "moons"), ("loss", "loss", "squared_error"), ("solver", "solver", "sgd")),
    *(("schedule", "learning_rate", "cosine"), ("first weights", "weight_init", "orthogonal")),
]
NUMBERS = [
    *(
        ("seed", "random_state", 7),
        ("learning rate", "learning_rate_init", 0.5),
        ("batch size", "batch_size", 16),
    ),
    *(("L2 penalty", "alpha", 0.1), ("dropout", "dropout", 0.2), ("epochs at most", "max_iter", 50)),
]


def test_selects_and_numbers_set_what_their_labels_say(browser, server):
    view = opened(browser, server)
    Select(labelled(browser, "activation of layer 1")).select_by_value("relu")
    eventually(lambda: view.session.settings.activation[0] == "relu")
    for title, name, value in CHOICES:
        Select(labelled(browser, title)).select_by_value(value)
        eventually(lambda name=name, value=value: getattr(view.session.settings, name) == value)
    for title, name, value in NUMBERS:
        field = labelled(browser, title)
        field.send_keys(Keys.END, *[Keys.BACKSPACE] * 10)
        field.send_keys(str(value), Keys.ENTER)
        eventually(lambda name=name, value=value: getattr(view.session.settings, name) == value)
    Select(labelled(browser, "speed: training in a frame")).select_by_value("10 epochs")
    eventually(lambda: view.speed.value == "10 epochs")


def test_sliders_move_by_key(browser, server):
    view = opened(browser, server)
    handles = browser.execute_script(FIND, ".noUi-handle", "")
    before = view.session.settings.get_params()
    for handle in handles[:3]:
        browser.execute_script("arguments[0].focus()", handle)
        webdriver.ActionChains(browser).send_keys(Keys.ARROW_RIGHT).perform()
    for name in ("noise", "n_rows", "test_size"):
        eventually(lambda name=name: getattr(view.session.settings, name) > before[name])


def test_boxes_show_what_they_say(browser, server):
    view = opened(browser, server)
    for label, attribute in (("rows held out", "shows_test"), ("discretised", "is_discretised")):
        find(browser, "label", label).click()
        eventually(lambda attribute=attribute: getattr(view.output, attribute))


def test_a_click_on_the_output_adds_a_point(browser, server):
    view = opened(browser, server)
    n_points = len(view.session.train.y) + len(view.session.test.y)
    find(browser, "label", "add points by clicking").click()
    eventually(lambda: view.own.adds.active)
    canvas = browser.find_element("css selector", "section.output")
    browser.execute_script("arguments[0].scrollIntoView()", canvas)
    surface = browser.execute_script(
        FIND.replace("seen(document)", "seen(document.querySelector('section.output'))"), ".bk-events", ""
    )[0]
    webdriver.ActionChains(browser).move_to_element(surface).click().perform()
    eventually(lambda: view.session.settings.dataset == "own")
    assert len(view.session.points.y) == n_points + 1
    assert abs(view.session.points.X[-1]).max() < 1  # the middle of the plane


def test_files_are_learnt_from_or_refused(browser, server, tmp_path):
    view = opened(browser, server)
    files = {
        "text": "x,y,kind\n1,2,red\n",
        "one": "".join(f"{i},{i % 5},1\n" for i in range(30)),
        "large": "1.0,2.0,1\n" * 500_000,
        "good": "".join(f"{i},{(i * 7) % 5},{i % 3}\n" for i in range(30)),
    }
    for name, text in files.items():
        (tmp_path / f"{name}.csv").write_text(text)
    refusals = {"text": "'red' where a number is needed", "one": "there is nothing to learn"}
    for name, sentence in (refusals | {"large": "at most 1 MB are read"}).items():
        find(browser, "input[type=file]").send_keys(str(tmp_path / f"{name}.csv"))
        find(browser, "div", sentence)
    find(browser, "input[type=file]").send_keys(str(tmp_path / "good.csv"))
    eventually(lambda: view.session.settings.dataset == "own" and len(view.session.points.y) == 30)


def test_what_is_taken_away_arrives_as_files(browser, server, tmp_path):
    behaviour = {"behavior": "allow", "downloadPath": str(tmp_path)}
    browser.execute_cdp_cmd("Page.setDownloadBehavior", behaviour)
    opened(browser, server)
    click(browser, "epoch")
    find(browser, "div", "epoch 1")
    kinds = {"weights": b"PK", "picture": b"\x89PNG", "recording": b"GIF8"}
    for button, start in kinds.items():
        click(browser, button)
        ending = {"weights": "npz", "picture": "png", "recording": "gif"}[button]

        def has_arrived(ending=ending, start=start):
            files = list(tmp_path.glob(f"*.{ending}"))
            return files and files[0].read_bytes().startswith(start)

        eventually(has_arrived, seconds=60)


def test_each_control_has_a_name_and_is_reached_by_tab(browser, server):
    opened(browser, server)
    controls = browser.execute_script(FIND, "button, select, input:not([type=hidden])", "")
    shown = [e for e in controls if e.is_displayed()]
    assert len(shown) > 40
    assert [e.get_attribute("outerHTML") for e in shown if not e.accessible_name] == []
    deepest = """
    let e = document.activeElement
    while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement
    return e
    """
    reached = set()
    for _ in range(len(shown) + 40):
        webdriver.ActionChains(browser).send_keys(Keys.TAB).perform()
        reached.add(browser.execute_script(deepest).id)
    missed = [e for e in shown if e.is_enabled() and e.id not in reached]
    assert [e.get_attribute("outerHTML") for e in missed] == []


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
