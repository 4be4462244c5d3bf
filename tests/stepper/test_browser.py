"""The stepper in a real browser: a saved page, JupyterLab, an untrusted notebook, an export."""

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from table import forked

from micrograd_lab import (
    MLP,
    Graph,
    Value,
    backward_steps,
    forward_steps,
    lecture,
    squared_error,
    step,
)
from micrograd_lab.tell.notation import as_given, number

webdriver = pytest.importorskip("selenium.webdriver", reason="pip install selenium")
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
CHROMEDRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and CHROMEDRIVER), reason="needs the programs chromium and chromedriver"
)
ROOT = Path(__file__).parents[2]
ATTACK = "</script><img src=x onerror=\"document.title='attacked'\">"


@pytest.fixture(scope="module")
def browser():
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage"):
        options.add_argument(f"--{flag}")
    options.add_argument("--window-size=1300,1000")
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(CHROMEDRIVER))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A JupyterLab server with a home of its own."""
    pytest.importorskip("jupyterlab", reason="pip install jupyterlab")
    server = Lab(tmp_path_factory.mktemp("lab"))
    yield server
    server.process.terminate()
    try:
        server.process.wait(20)
    except subprocess.TimeoutExpired:  # a kernel was still starting; it ends when it has no parent
        server.process.kill()
        server.process.wait()


class Lab:
    """A server that is up, and its folder of notebooks."""

    def __init__(self, home):
        self.folder, self.token = home / "notebooks", secrets.token_hex(16)
        self.folder.mkdir()
        places = {
            "JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime", "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces", "IPYTHONDIR": "ipython",
        }  # fmt: skip
        with open(home / "log", "wb") as log:
            self.process = subprocess.Popen(
                [
                    sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root",
                    "--ServerApp.ip=127.0.0.1", "--ServerApp.port=0",
                    f"--ServerApp.root_dir={self.folder}", f"--IdentityProvider.token={self.token}",
                ],
                env=os.environ
                | {name: str(home / place) for name, place in places.items()}
                | {"PYTHONPATH": str(ROOT)},
                stdout=log,
                stderr=log,
            )  # fmt: skip
        running = until(lambda: next((home / "runtime").glob("jpserver-*.json"), None), 60)
        self.url = until(lambda: json.loads(running.read_text() or "{}").get("url"))

    def open(self, browser, notebook):
        """Show a notebook, written to the folder first if it is given."""
        browser.get(f"{self.url}doc/tree/{notebook}?token={self.token}")
        until(lambda: browser.find_elements(By.CSS_SELECTOR, ".jp-Notebook .jp-Cell"), 60)


@pytest.fixture
def shown(browser, tmp_path):
    """A function that opens steppers as one page, and gives their handles."""

    def show(*steppers, change=lambda page: page):
        path = tmp_path / "page.html"
        steppers[0].save(path)
        page = path.read_text("utf-8")
        more = "\n".join(stepper.html for stepper in steppers[1:])
        path.write_text(change(page.replace("</body>", f"{more}</body>")), "utf-8")
        browser.get(path.as_uri())
        return [Walk(browser, i) for i in range(len(steppers))]

    return show


class Walk:
    """A stepper on the page that is open."""

    def __init__(self, browser, which=0):
        self.browser = browser
        self.host = browser.find_elements(By.CSS_SELECTOR, ".micrograd-stepper")[which]

    @property
    def root(self):
        return self.host.shadow_root

    def find(self, selector):
        return self.root.find_element(By.CSS_SELECTOR, selector)

    def find_all(self, selector):
        return self.root.find_elements(By.CSS_SELECTOR, selector)

    def press(self, name):
        self.find(f"button.{name}").click()

    def type(self, *keys):
        ActionChains(self.browser).send_keys(*keys).perform()

    def to(self, position):
        """Move the slider."""
        self.browser.execute_script(
            "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input'))",
            self.find("input[type=range]"), position,
        )  # fmt: skip

    @property
    def where(self):
        return self.find(".where").text

    @property
    def position(self):
        return int(self.where.split(" / ")[0])

    @property
    def panel(self):
        text = self.find(".panel").get_property("textContent")
        return " ".join(text.split())

    def numbers(self, kind):
        """The visible numbers of a kind, by the position of their node."""
        script = """
            const numbers = {};
            for (const text of arguments[0].querySelectorAll(`.wire text.${arguments[1]}`))
              if (!text.classList.contains("later"))
                numbers[text.closest(".wire").id.slice(1)] = text.textContent;
            return numbers"""
        numbers = self.browser.execute_script(script, self.root, kind)
        return {int(i): text for i, text in numbers.items()}


def until(condition, seconds=20):
    """What `condition` gives, as soon as it gives something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(WebDriverException):  # the page changes while one looks at it
            if result := condition():
                return result
        time.sleep(0.02)
    raise AssertionError(f"waited {seconds} s in vain")


def test_every_step_shows_the_numbers_of_the_engine(shown):
    result = lecture.network().result
    graph = Graph(result)
    at = {node: i for i, node in enumerate(graph.nodes)}
    values = {at[node]: as_given(node.data) for node in graph.nodes if not node.inputs}
    grads = {}
    expected = [(dict(values), {})]
    for event in forward_steps(graph):
        values[at[event.node]] = number(event.data)
        expected.append((dict(values), {}))
    grads[at[graph.result]] = "1"
    expected.append((values, dict(grads)))
    for event in backward_steps(graph):
        grads |= {at[edge.receiver]: number(edge.after) for edge in event.edges}
        expected.append((values, dict(grads)))

    (walk,) = shown(step(result))
    walk.find(".stage").click()
    for values, grads in expected:
        assert (walk.numbers("value"), walk.numbers("grad")) == (values, grads)
        walk.type(Keys.ARROW_RIGHT)
    assert walk.where == "43 / 43 · backward"
    assert grads[at[graph.result]] == "1"
    assert len(grads) == len(graph)


def test_the_panel_says_what_the_lecture_says(shown):
    (walk,) = shown(step(lecture.network().result))
    panels = []
    for position in range(44):
        walk.to(position)
        panels.append(walk.panel)
    assert any("s1 = " in text and "= 0.707" in text for text in panels)
    assert any("y1 = 1 ÷ (1 + exp(−s1)) = 1 ÷ (1 + exp(−0.707)) = 0.670" in t for t in panels)
    assert any("∂E/∂E = 1" in text for text in panels)
    assert any("= 0.126 × 0.5 = 0.0630 adds to −0.0296 → 0.0334" in text for text in panels)
    assert any("∂y1/∂s1 = y1 × (1 − y1) = 0.670 × (1 − 0.670) = 0.221" in t for t in panels)


@pytest.mark.parametrize(
    ("start", "keys", "end"),
    [
        (3, [Keys.ARROW_RIGHT], 4),
        (3, [Keys.ARROW_DOWN], 4),
        (3, [Keys.ARROW_LEFT, Keys.ARROW_UP], 1),
        (0, [Keys.ARROW_LEFT], 0),
        (3, [Keys.END], 11),
        (11, [Keys.ARROW_RIGHT], 11),
        (3, [Keys.HOME], 0),
        (3, ["x", Keys.PAGE_DOWN, Keys.ENTER], 3),
    ],
)
def test_keys_move(shown, start, keys, end):
    (walk,) = shown(step(forked()))
    walk.to(start)
    walk.find(".panel").click()
    walk.type(*keys)
    assert walk.position == end


def test_buttons_and_the_slider_move(shown):
    (walk,) = shown(step(forked()))
    positions = []
    for name in ("next", "next", "last", "previous", "first"):
        walk.press(name)
        positions.append(walk.position)
    assert positions == [1, 2, 11, 10, 0]
    walk.find("input[type=range]").send_keys(Keys.ARROW_RIGHT)
    assert walk.position == 1


def test_space_plays_and_stops(shown):
    (walk,) = shown(step(forked()))
    walk.find(".panel").click()
    walk.type(Keys.SPACE)
    assert walk.find(".play").text == "pause"
    until(lambda: walk.position == 2)
    assert walk.find(".panel").get_attribute("aria-live") == "off"
    walk.type(Keys.SPACE)
    assert walk.find(".play").text == "play"
    assert walk.position == 2


def test_it_plays_to_the_end_and_again_from_the_start(shown):
    (walk,) = shown(step(forked()))
    walk.to(10)
    walk.press("play")
    until(lambda: walk.find(".play").text == "play")
    assert walk.position == 11
    walk.press("play")
    assert walk.position == 0


def test_a_click_on_a_node_goes_to_its_step_and_a_second_one_to_its_other_step(shown):
    result = forked()
    (walk,) = shown(step(result))
    order = [node.label for node in Graph(result).nodes]
    z = walk.find(f"#n{order.index('z')}")
    z.click()
    assert walk.where == "2 / 11 · forward"
    z.click()
    assert walk.where == "10 / 11 · backward"
    walk.find(f"#n{order.index('E')}").click()
    assert walk.where == "7 / 11 · backward"
    walk.find(f"#n{order.index('x')}").click()  # its gradient is complete at the last step
    assert walk.where == "11 / 11 · backward"


def test_the_node_of_the_step_and_its_wires_light_up(shown):
    result = forked()
    (walk,) = shown(step(result))
    order = [node.label for node in Graph(result).nodes]
    x, w, z = (order.index(name) for name in "xwz")
    walk.to(2)
    assert [node.get_attribute("id") for node in walk.find_all(".now")] == [f"n{z}"]
    lit = {wire.get_attribute("id") for wire in walk.find_all(".lit.forward")}
    assert lit == {f"w{z}", f"e{z}_0", f"w{z - 1}"}
    walk.to(11)
    lit = {wire.get_attribute("id") for wire in walk.find_all(".lit.backward")}
    assert lit == {f"w{z - 1}", f"e{z - 1}_0", f"e{z - 1}_1", f"w{w}", f"w{x}"}


def test_the_panel_does_not_change_the_letters_of_the_picture(shown):
    (walk,) = shown(step(forked()))
    walk.press("last")
    sizes = {text.value_of_css_property("font-size") for text in walk.find_all(".stage .grad")}
    assert sizes == {"11px", "9px"}  # a gradient, and what one branch adds to it


def test_steppers_on_one_page_work_each_alone_and_twice(shown):
    first, second = step(lecture.network().result), step(forked())
    walks = shown(first, second, first)
    walks[0].press("next")
    walks[1].press("last")
    walks[2].to(40)
    assert [walk.position for walk in walks] == [1, 11, 40]
    walks[1].type(Keys.ARROW_LEFT)  # its button has the focus
    assert [walk.position for walk in walks] == [1, 10, 40]


def test_a_stepper_that_is_gone_leaves_the_keys_to_the_page(shown, browser):
    (walk,) = shown(
        step(forked()), change=lambda page: page.replace("</body>", "<input id='other'></body>")
    )
    walk.press("next")
    browser.execute_script("arguments[0].remove()", walk.host)
    other = browser.find_element(By.ID, "other")
    browser.execute_script(
        "window.seen = ''; document.addEventListener('keydown', (e) => (window.seen += e.key))"
    )
    other.send_keys("abc")
    assert browser.execute_script("return window.seen") == other.get_property("value") == "abc"


def test_no_id_of_a_picture_is_on_the_page(shown, browser):
    shown(step(forked()), step(forked()))
    assert browser.find_elements(By.CSS_SELECTOR, "[id]") == []


def test_a_page_that_forbids_scripts_shows_the_picture(shown, browser):
    policy = "<meta http-equiv='Content-Security-Policy' content=\"script-src 'none'\">"
    shown(step(forked()), change=lambda page: page.replace("<head>", f"<head>{policy}"))
    assert until(lambda: pictures(browser)) == 1


def pictures(browser):
    """How many pictures are on the page, and can be seen."""
    images = browser.find_elements(By.CSS_SELECTOR, ".micrograd-stepper > img")
    script = "return arguments[0].naturalWidth"
    return sum(img.is_displayed() and browser.execute_script(script, img) > 300 for img in images)


def test_a_label_is_shown_as_text(shown, browser):
    result = Value(2, ATTACK) * Value(3, "x")
    result.label = ATTACK + "!"
    (walk,) = shown(step(result))
    for name in ("next", "next", "next"):
        walk.press(name)
        assert walk.find_all("img, script") == []
    assert f"∂{ATTACK}!/∂x = {ATTACK} = 2" in walk.panel
    assert len(browser.find_elements(By.TAG_NAME, "img")) == 1
    assert browser.title != "attacked"


@pytest.mark.parametrize(
    ("light", "dark"),
    [
        ("data-jp-theme-light='true'", "data-jp-theme-light='false'"),  # JupyterLab
        ("class='vscode-light'", "class='vscode-dark'"),
        ("class='vscode-high-contrast vscode-high-contrast-light'", "class='vscode-high-contrast'"),
        ("data-theme='light'", "data-theme='dark'"),  # Sphinx
        ("data-bs-theme='light'", "data-bs-theme='dark'"),  # Quarto
    ],
)
def test_the_theme_of_the_page_is_followed(shown, browser, light, dark):
    (walk,) = shown(step(forked()), change=lambda page: page.replace("<body>", f"<body {light}>"))
    assert walk.find(".stepper").value_of_css_property("color") == "rgba(31, 41, 55, 1)"
    (walk,) = shown(step(forked()), change=lambda page: page.replace("<body>", f"<body {dark}>"))
    assert walk.find(".stepper").value_of_css_property("color") == "rgba(230, 234, 240, 1)"


@contextmanager
def media(browser, name, value):
    """The reader's settings, while the block runs."""
    command = "Emulation.setEmulatedMedia"
    browser.execute_cdp_cmd(command, {"features": [{"name": name, "value": value}]})
    yield
    browser.execute_cdp_cmd(command, {"features": []})


def test_the_theme_of_the_system_is_followed(shown, browser):
    with media(browser, "prefers-color-scheme", "dark"):
        (walk,) = shown(step(forked()))
        assert walk.find(".stepper").value_of_css_property("color") == "rgba(230, 234, 240, 1)"
        text = walk.find("text.value").value_of_css_property("fill")
        assert text == "rgb(79, 214, 168)"


def test_less_motion_is_respected(shown, browser):
    (walk,) = shown(step(forked()))
    assert walk.find(".stage").value_of_css_property("scroll-behavior") == "smooth"
    with media(browser, "prefers-reduced-motion", "reduce"):
        assert walk.find(".stage").value_of_css_property("scroll-behavior") == "auto"


def test_the_picture_scrolls_to_the_step(shown, browser):
    result = Value(1, "x")
    for _ in range(40):
        result = result.tanh()
    with media(browser, "prefers-reduced-motion", "reduce"):
        (walk,) = shown(step(result))
        node = walk.find("#n40")
        assert node.rect["x"] > 1300
        walk.to(40)
        assert 0 < node.rect["x"] < 1250
        assert browser.execute_script("return window.scrollX + window.scrollY") == 0


def test_one_can_use_it_without_seeing_it(shown):
    (walk,) = shown(step(forked()))
    assert walk.find(".stepper").aria_role == "group"
    assert walk.find(".stepper").accessible_name == "Computational graph of E, 7 nodes"
    assert walk.find(".panel").get_attribute("aria-live") == "polite"
    assert walk.find(".next").accessible_name == "next step"
    walk.press("next")
    assert walk.find("input").get_attribute("aria-valuetext") == "1 / 11 · forward"


def test_the_focus_is_visible(shown, browser):
    (walk,) = shown(step(forked()))
    walk.type(Keys.TAB)
    assert walk.find(".stepper").value_of_css_property("outline-style") == "solid"
    walk.type(Keys.TAB)
    assert walk.find(".first").value_of_css_property("outline-style") == "solid"


def test_a_neuron_of_a_large_network_is_one_step_with_all_that_happens_in_it(shown):
    network = MLP(2, [24, 24, 1], seed=1)
    (walk,) = shown(step(squared_error(network([0.1, 0.5]), 1.0)))
    walk.press("next")
    summed, activation = (line.text for line in walk.find_all(".line"))
    assert "+ " in summed
    assert "if" in activation
    assert len(walk.numbers("value")) == 4  # x_1, x_2, the target, and now the first neuron
    walk.press("last")
    assert len(walk.find_all(".line")) == 6  # of ReLU, and of Σ: two weights, two inputs, the bias
    assert len(walk.numbers("grad")) == len(walk.numbers("value"))


class Quiz(Walk):
    """The question of a backward step."""

    def answer(self, *numbers):
        """Types local derivatives and gradients in turn, presses Enter, gives what is said."""
        boxes = self.find_all(".quiz input")
        for box, text in zip(boxes, numbers):
            box.clear()
            box.send_keys(text)
        boxes[0].send_keys(Keys.ENTER)
        return [said.get_property("textContent") for said in self.find_all(".verdict")]


@pytest.fixture
def quiz(shown, browser):
    """The question ∂E/∂w = ∂E/∂a × x, ∂E/∂x = −3.36 + ∂E/∂a × w; a = w × x = −1, ∂E/∂a = 1.68."""
    x, w = Value(0.5, "x"), Value(-2, "w")
    a = w * x
    a.label = "a"
    result = a * 1.68 + x * -3.36
    result.label = "E"
    shown(step(result, quiz=True))
    walk = Quiz(browser)
    walk.press("last")
    return walk


def test_a_quiz_hides_the_gradients_until_the_answer_is_right(quiz):
    hidden = quiz.numbers("grad")
    quiz.answer("0.5", "0.84", "-2", "-6.72")
    assert quiz.panel.endswith("1 of 4 steps right at the first try")
    new = quiz.numbers("grad").items() - hidden.items()
    assert sorted(text for _, text in new) == ["0.840", "−6.72"]


@pytest.mark.parametrize(
    ("local", "gradient"),
    [("0,5", "0,84"), (".5", "8.4e-1"), ("1/2", "0.84"), ("0.5", "8,4·10⁻¹"), ("", "+0.836")],
)
def test_a_quiz_reads_numbers_as_people_write_them(quiz, local, gradient):
    quiz.answer(local, gradient, "−2", "-6,72")
    assert "right at the first try" in quiz.panel


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("-2", "-3.36"), "the local derivative is wrong: that is ∂a/∂x, not ∂a/∂w"),
        (("-0.5", "-0.84"), "the local derivative ∂a/∂w has the wrong sign"),
        (("7", "0.84"), "the local derivative ∂a/∂w is wrong"),
        (("0.5", ""), "the local derivative is right; now multiply it by ∂E/∂a"),
        (("0.5", "0.5"), "the upstream gradient ∂E/∂a is missing"),
        (("", "1.68"), "the local derivative ∂a/∂w is missing"),
        (("0.5", "2.18"), "the factors are multiplied, not added"),
        (("0.5", "-0.84"), "the sign is wrong"),
        (("0.5", "3"), "the local derivative is right; the other factor is ∂E/∂a = 1.68"),
        (("", "-3.36"), "the local derivative is wrong: you took ∂a/∂x for ∂a/∂w"),
        (("", "3"), "a factor is wrong: ∂E/∂a = 1.68, so look at ∂a/∂w"),
        (("zero", ""), "a number looks like 0.0728 or 7.28e-2"),
        (("", ""), "type the gradient, or both numbers"),
    ],
)  # fmt: skip
def test_a_quiz_says_which_factor_is_wrong(quiz, typed, said):
    assert quiz.answer(*typed)[0] == said


def test_the_boxes_of_a_quiz_are_called_by_what_goes_in(quiz):
    names = [box.accessible_name for box in quiz.find_all(".quiz input")]
    assert names == ["∂a/∂w", "∂E/∂w", "∂a/∂x", "∂E/∂x"]


def test_a_quiz_knows_what_was_there_before(quiz):
    assert (
        quiz.answer("", "", "-2", "-3.36")[1]
        == "that is what this step adds; −3.36 was there before"
    )


def test_a_quiz_shows_the_answer_when_asked(quiz):
    quiz.find_all(".quiz button")[1].click()
    assert quiz.panel.endswith("0 of 4 steps right at the first try")


def test_a_quiz_takes_what_one_computes_from_the_numbers_shown(shown, browser):
    a = Value(6, "a")  # σ(a) = 0.998 on the page, and 0.998 × (1 − 0.998) is not σ'(6) = 0.00247
    shown(step(a.sigmoid(), quiz=True))
    walk = Quiz(browser)
    walk.press("last")
    walk.answer("0.002", "0.002")
    assert "right at the first try" in walk.panel


def notebook(*outputs, code="1 + 1"):
    """A notebook with a code cell for each output, between two cells of text."""
    nbformat = pytest.importorskip("nbformat.v4")
    cells = [
        nbformat.new_code_cell(code, outputs=[nbformat.new_output("display_data", output)])
        for output in outputs
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.new_notebook(
        cells=[nbformat.new_markdown_cell("before"), *cells, nbformat.new_markdown_cell("after")],
        metadata={"kernelspec": kernel, "language_info": {"name": "python"}},
    )


def write(path, content):
    import nbformat

    nbformat.write(content, path)
    return path.name


def selected(browser):
    """Which cell of the notebook is selected, and how many there are."""
    cells = browser.find_elements(By.CSS_SELECTOR, ".jp-Notebook .jp-Cell")
    active = [i for i, cell in enumerate(cells) if "jp-mod-active" in cell.get_attribute("class")]
    return active, len(cells)


def run(browser):
    """Whether the cell of code was started; a notebook that is loading takes no keys at times."""
    idle = browser.find_elements(By.CSS_SELECTOR, "[data-status='idle']")
    editors = browser.find_elements(By.CSS_SELECTOR, ".jp-CodeCell .cm-content")
    if not (idle and editors):
        return False
    editors[0].click()
    control(browser, Keys.ENTER)
    return "[ ]" not in browser.find_element(By.CSS_SELECTOR, ".jp-CodeCell .jp-InputPrompt").text


def control(browser, key):
    ActionChains(browser).key_down(Keys.CONTROL).send_keys(key).key_up(Keys.CONTROL).perform()


def steppers(browser):
    """The steppers on the page, once there are some."""
    hosts = until(lambda: browser.find_elements(By.CSS_SELECTOR, ".micrograd-stepper"), 60)
    return [Walk(browser, i) for i in range(len(hosts))]


def test_a_cell_run_in_jupyterlab_shows_a_stepper_that_survives_reopening(lab, browser):
    code = "from micrograd_lab import Value, step\nstep(Value(-2, 'w') * Value(5, 'x'))"
    name = write(lab.folder / "run.ipynb", notebook({"text/plain": "not run"}, code=code))
    lab.open(browser, name)
    until(lambda: run(browser), 60)
    (walk,) = steppers(browser)
    walk.press("next")
    before = selected(browser)
    for key in (Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_UP, "j", "k", "a", "d", "d", "m"):
        walk.type(key)
    assert walk.where == "2 / 3 · seed"
    assert selected(browser) == before == ([1], 3)

    control(browser, "s")
    until(lambda: "micrograd-stepper" in (lab.folder / name).read_text("utf-8"))
    lab.open(browser, name)
    (walk,) = steppers(browser)
    walk.press("last")
    assert "∂v3/∂w = 1 × 5 = 5" in walk.panel.replace("←", "=").replace(" ∂v3/∂v3 × ∂v3/∂w =", "")


def test_an_untrusted_notebook_shows_the_pictures(lab, browser):
    output = {"text/html": step(forked()).html}
    lab.open(browser, write(lab.folder / "untrusted.ipynb", notebook(output, output)))
    until(lambda: pictures(browser) == 2, 60)
    for tag in ("script", "style"):
        assert browser.find_elements(By.CSS_SELECTOR, f".jp-OutputArea {tag}") == []


@pytest.fixture
def exported(browser, tmp_path):
    """A function that opens a notebook with a stepper in it, exported to HTML."""
    nbconvert = pytest.importorskip("nbconvert", reason="pip install nbconvert")
    output = {"text/html": step(forked()).html}
    html, _ = nbconvert.HTMLExporter().from_notebook_node(notebook(output))
    html = re.sub(r"<script src=.*?</script>", "", html)  # MathJax and require.js, from elsewhere
    (tmp_path / "notebook.html").write_text(html, "utf-8")
    return (tmp_path / "notebook.html").as_uri()


def test_an_export_without_scripts_shows_the_picture(exported, browser):
    command = "Emulation.setScriptExecutionDisabled"
    browser.execute_cdp_cmd(command, {"value": True})
    try:
        browser.get(exported)
        assert until(lambda: pictures(browser)) == 1
    finally:
        browser.execute_cdp_cmd(command, {"value": False})


def test_an_export_can_be_stepped_through(exported, browser):
    browser.get(exported)
    (walk,) = steppers(browser)
    walk.press("last")
    assert walk.where == "11 / 11 · backward"
