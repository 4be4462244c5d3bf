"""The stepper where it is shown: in JupyterLab, untrusted, in an export, in a theme."""

import json
import os
import re
import secrets
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from browsers import MISSING, Walk, chromium, firefox, until
from table import forked

from micrograd_lab import Graph, step

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]


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
        browser.open(f"{self.url}doc/tree/{notebook}?token={self.token}")
        until(lambda: count(browser, ".jp-Notebook .jp-Cell"), 60)


@pytest.fixture(scope="module")
def alone():
    """Chromium, whose developer tools change what the reader's system says."""
    pytest.importorskip("selenium", reason="pip install selenium")
    if MISSING["chromium"]:
        pytest.skip(MISSING["chromium"])
    with chromium() as browser:
        yield browser


@contextmanager
def emulated(browser, command, during, after):
    """What the developer tools pretend, while the block runs."""
    browser.driver.execute_cdp_cmd(f"Emulation.{command}", during)
    try:
        yield
    finally:
        browser.driver.execute_cdp_cmd(f"Emulation.{command}", after)


def media(browser, name, value):
    """The reader's settings, while the block runs."""
    during = {"features": [{"name": name, "value": value}]}
    return emulated(browser, "setEmulatedMedia", during, {"features": []})


@pytest.fixture
def page(alone, tmp_path):
    """A function that opens a stepper as a page."""

    def show(stepper):
        stepper.save(tmp_path / "page.html")
        alone.open((tmp_path / "page.html").as_uri())
        return Walk(alone)

    return show


def test_the_theme_of_the_system_is_followed(page, alone):
    with media(alone, "prefers-color-scheme", "dark"):
        walk = page(step(forked()))
        assert walk.style(".stepper", "color") == "rgb(230, 234, 240)"
        assert walk.style("text.value", "fill") == "rgb(79, 214, 168)"


def test_less_motion_is_respected(page, alone):
    walk = page(step(forked()))
    assert walk.style(".stage", "scroll-behavior") == "smooth"
    with media(alone, "prefers-reduced-motion", "reduce"):
        assert walk.style(".stage", "scroll-behavior") == "auto"


@pytest.fixture
def touched():
    """Firefox of a reader who touches, and wants less motion."""
    pytest.importorskip("websocket", reason="pip install websocket-client")
    if MISSING["firefox"]:
        pytest.skip(MISSING["firefox"])
    with firefox(ui__primaryPointerCapabilities=1, ui__prefersReducedMotion=1) as browser:
        yield browser


def test_less_motion_is_respected_by_firefox_too(touched, tmp_path):
    step(forked()).save(tmp_path / "page.html")
    touched.open((tmp_path / "page.html").as_uri())
    assert Walk(touched).style(".stage", "scroll-behavior") == "auto"


def test_a_finger_finds_buttons_of_44_px(touched, tmp_path):
    result = forked()
    x = Graph(result).nodes[0]
    step(result, data=[[1], [2]], inputs=[x]).save(tmp_path / "page.html")
    touched.open((tmp_path / "page.html").as_uri())
    walk = Walk(touched)
    walk.press("last")
    walk.press("again")
    small = """(({ width, height }) => [it.className, width, height])(it.getBoundingClientRect())"""
    sizes = [it for it in walk.each("button, select, input", small) if it[1]]
    assert len(sizes) > 20
    assert [it for it in sizes if min(it[1:]) < 44] == []


def count(browser, selector):
    return browser.ask("(selector) => document.querySelectorAll(selector).length", selector)


def pictures(browser):
    """How many pictures are on the page, and can be seen."""
    return browser.ask(
        """() => [...document.querySelectorAll(".micrograd-stepper > img")]
            .filter((img) => img.checkVisibility() && img.naturalWidth > 300).length"""
    )


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
    """Which cells of the notebook are selected, and how many there are."""
    return browser.ask(
        """() => {
            const cells = [...document.querySelectorAll(".jp-Notebook .jp-Cell")];
            const active = cells.map((cell) => cell.matches(".jp-mod-active"));
            return [active.flatMap((is, i) => is ? [i] : []), cells.length];
        }"""
    )


def run(browser):
    """Whether the cell of code was started; a notebook that is loading takes no keys at times."""
    editor = ".jp-CodeCell .cm-content"
    if not (count(browser, "[data-status='idle']") and count(browser, editor)):
        return False
    x, y = browser.ask(
        """(editor) => {
            const { left, top } = document.querySelector(editor).getBoundingClientRect();
            return [left + 20, top + 8];
        }""",
        editor,
    )
    browser.click(x, y)
    browser.type("Enter", held=["Control"])
    prompt = "() => document.querySelector('.jp-CodeCell .jp-InputPrompt').textContent"
    return "[ ]" not in browser.ask(prompt)


def steppers(browser):
    """The steppers on the page, once there are some that can be stepped through."""
    script = """() => [...document.querySelectorAll(".micrograd-stepper")]
        .filter((host) => host.shadowRoot).length"""
    return [Walk(browser, i) for i in range(until(lambda: browser.ask(script), 60))]


def test_a_cell_run_in_jupyterlab_shows_a_stepper_that_survives_reopening(lab, browser):
    code = "from micrograd_lab import Value, step\nstep(Value(-2, 'w') * Value(5, 'x'))"
    name = f"run-{browser.name}.ipynb"
    write(lab.folder / name, notebook({"text/plain": "not run"}, code=code))
    lab.open(browser, name)
    until(lambda: run(browser), 60)
    (walk,) = steppers(browser)
    walk.press("next")
    before = selected(browser)
    for key in ("Down", "Down", "Up", "j", "k", "a", "d", "d", "m"):
        walk.type(key)
    assert walk.where == "2 / 4 · seed"
    assert selected(browser) == before == [[1], 3]

    browser.type("s", held=["Control"])
    until(lambda: "micrograd-stepper" in (lab.folder / name).read_text("utf-8"))
    lab.open(browser, name)
    (walk,) = steppers(browser)
    walk.to(3)
    assert "∂v3/∂w ← ∂v3/∂v3 × ∂v3/∂w = 1 × 5 = 5" in walk.told


def test_an_untrusted_notebook_shows_the_pictures(lab, browser):
    output = {"text/html": step(forked()).html}
    name = f"untrusted-{browser.name}.ipynb"
    lab.open(browser, write(lab.folder / name, notebook(output, output)))
    until(lambda: pictures(browser) == 2, 60)
    for tag in ("script", "style"):
        assert count(browser, f".jp-OutputArea {tag}") == 0


@pytest.fixture
def exported(tmp_path):
    """The address of a notebook with a stepper in it, exported to HTML."""
    nbconvert = pytest.importorskip("nbconvert", reason="pip install nbconvert")
    output = {"text/html": step(forked()).html}
    html, _ = nbconvert.HTMLExporter().from_notebook_node(notebook(output))
    html = re.sub(r"<script src=.*?</script>", "", html)  # MathJax and require.js, from elsewhere
    (tmp_path / "notebook.html").write_text(html, "utf-8")
    return (tmp_path / "notebook.html").as_uri()


def test_an_export_without_scripts_shows_the_picture(exported, alone):
    command = "setScriptExecutionDisabled"
    with emulated(alone, command, {"value": True}, {"value": False}):
        alone.open(exported)
        assert until(lambda: pictures(alone)) == 1


def test_an_export_can_be_stepped_through(exported, browser):
    browser.open(exported)
    (walk,) = steppers(browser)
    walk.press("last")
    assert walk.where == "12 / 12 · update"
