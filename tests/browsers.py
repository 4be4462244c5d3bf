"""Real browsers, driven by WebDriver BiDi: Chromium through chromedriver, Firefox by itself."""

import base64
import json
import re
import shutil
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager, suppress

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
CHROMEDRIVER = shutil.which("chromedriver")
FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
MISSING = {
    "chromium": not (CHROMIUM and CHROMEDRIVER) and "needs the programs chromium and chromedriver",
    "firefox": not FIREFOX and "needs the program firefox-esr",
}
SIZE = (1300, 1000)
HOSTS = ".micrograd-stepper"
KEYS = {
    name: chr(0xE000 + code)
    for name, code in {
        "Backspace": 0x03, "Tab": 0x04, "Enter": 0x07, "Shift": 0x08, "Control": 0x09,
        "Escape": 0x0C, "Space": 0x0D, "PageUp": 0x0E, "PageDown": 0x0F, "End": 0x10,
        "Home": 0x11, "Left": 0x12, "Up": 0x13, "Right": 0x14, "Down": 0x15,
    }.items()
}  # fmt: skip


class Failed(Exception):
    """What the browser says that went wrong."""


class Browser:
    """One tab of a browser."""

    def __init__(self, address, context=None):
        import websocket

        self.socket = websocket.create_connection(address, suppress_origin=True, timeout=30)
        self.sent = 0
        self.events = []  # that the browser told of while it was asked for something
        if context is None:
            self.command("session.new", capabilities={})
            context = self.command("browsingContext.create", type="tab")["context"]
        self.context = context
        self.size(*SIZE)

    def command(self, method, **params):
        """The browser's answer to a command of the protocol."""
        self.sent += 1
        self.socket.send(json.dumps({"id": self.sent, "method": method, "params": params}))
        while (answer := json.loads(self.socket.recv())).get("id") != self.sent:
            self.events.append(answer)
        if answer["type"] == "error":
            raise Failed(f"{method}: {answer['message']}")
        return answer["result"]

    def open(self, url):
        """Go to a page, and wait until it is loaded; the same page is loaded again."""
        for place in ("about:blank", url):
            where = {"context": self.context, "url": place, "wait": "none"}
            self.command("browsingContext.navigate", **where)
            self.loaded(f"location.href.startsWith({re.split('[?#]', place)[0]!r})")

    def reload(self):
        self.ask("() => { window.old = true }")
        self.command("browsingContext.reload", context=self.context, wait="none")
        self.loaded("!window.old")

    def loaded(self, condition):
        """Wait for a page; Firefox does not always say that it is complete."""
        until(lambda: self.ask(f"() => {condition} && document.readyState === 'complete'"))

    def ask(self, function, *arguments):
        """What a function in JavaScript gives, also by a promise, as far as JSON has it."""
        told = ", ".join(map(json.dumps, arguments))
        answer = self.command(
            "script.evaluate",
            expression=f"Promise.resolve(({function})({told})).then((it) => JSON.stringify(it))",
            target={"context": self.context},
            awaitPromise=True,
            userActivation=True,
        )
        if answer["type"] == "exception":
            raise Failed(answer["exceptionDetails"]["text"])
        return json.loads(answer["result"].get("value", "null"))

    def size(self, width, height):
        """Make the window's inside so large."""
        viewport = {"width": width, "height": height}
        self.command("browsingContext.setViewport", context=self.context, viewport=viewport)

    def screenshot(self):
        """The PNG of what can be seen."""
        shot = self.command("browsingContext.captureScreenshot", context=self.context)
        return base64.b64decode(shot["data"])

    def type(self, *keys, held=()):
        """Press keys one after another: names of `KEYS`, or texts; others are held meanwhile."""
        held = [KEYS[key] for key in held]
        pressed = [c for key in keys for c in ([KEYS[key]] if key in KEYS else key)]
        actions = [{"type": "keyDown", "value": key} for key in held]
        for key in pressed:
            actions += [{"type": kind, "value": key} for kind in ("keyDown", "keyUp")]
        actions += [{"type": "keyUp", "value": key} for key in held]
        self.act({"type": "key", "id": "keys", "actions": actions})

    def click(self, x, y):
        self.drag((x, y))

    def drag(self, *points):
        """Press the pointer at the first point, move it to the others, and release it."""
        moves = [{"type": "pointerMove", "x": round(x), "y": round(y)} for x, y in points]
        down, up = ({"type": kind, "button": 0} for kind in ("pointerDown", "pointerUp"))
        self.act({"type": "pointer", "id": "mouse", "actions": [moves[0], down, *moves[1:], up]})

    def act(self, source):
        self.command("input.performActions", context=self.context, actions=[source])


NOWHERE = {"http": "127.0.0.1", "http_port": 9, "ssl": "127.0.0.1", "ssl_port": 9, "type": 1}


@contextmanager
def firefox(*, offline=False, **preferences):
    """A tab of a new Firefox, with these preferences and a profile of its own.

    If it is offline, it reaches this machine alone.
    """
    if offline:
        preferences |= {f"network__proxy__{name}": x for name, x in NOWHERE.items()}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        with open(f"{profile}/user.js", "w", encoding="utf-8") as settings:
            for name, x in preferences.items():
                told = json.dumps(x)
                settings.write(f'user_pref("{name.replace("__", ".")}", {told});\n')
        process = subprocess.Popen(
            [FIREFOX, "--headless", "--no-remote", "--remote-debugging-port=0",
             "--profile", profile, "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        patience = threading.Timer(60, process.kill)
        patience.start()
        try:
            told = None
            while not told and (line := process.stderr.readline()):
                told = re.search(r"WebDriver BiDi listening on (ws://\S+)", line)
            patience.cancel()
            if not told:
                raise Failed("Firefox did not start within a minute")
            browser = Browser(f"{told[1]}/session")
            browser.name = "firefox"
            yield browser
            browser.socket.close()
        finally:
            patience.cancel()
            process.kill()
            process.wait(20)
            process.stderr.close()


@contextmanager
def chromium(*, offline=False):
    """A tab of a new Chromium; its `driver` knows the commands of its developer tools."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    options.set_capability("webSocketUrl", True)
    for flag in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage"):
        options.add_argument(f"--{flag}")
    if offline:
        options.add_argument("--proxy-server=127.0.0.1:9")
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(CHROMEDRIVER))
    try:
        browser = Browser(driver.capabilities["webSocketUrl"], driver.current_window_handle)
        browser.name, browser.driver = "chromium", driver
        yield browser
        browser.socket.close()
    finally:
        driver.quit()


BROWSERS = {"chromium": chromium, "firefox": firefox}


def start(name, **options):
    """A browser of this name, or a skipped test."""
    pytest.importorskip("selenium", reason="pip install selenium")
    if MISSING[name]:
        pytest.skip(MISSING[name])
    return BROWSERS[name](**options)


class Walk:
    """A stepper on the page that is open."""

    def __init__(self, browser, which=0):
        self.browser, self.which = browser, which

    def ask(self, function, *arguments):
        """What a function of the stepper's shadow root and more gives."""
        return self.browser.ask(
            f"""(...given) => {{
                const host = document.querySelectorAll("{HOSTS}")[{self.which}];
                const all = (selector) => [...host.shadowRoot.querySelectorAll(selector)];
                const find = (selector) => all(selector)[0];
                return ({function})(host.shadowRoot, ...given);
            }}""",
            *arguments,
        )

    def each(self, selector, expression):
        """What an expression in `it` gives for each of the elements."""
        return self.ask(f"(root, selector) => all(selector).map((it) => {expression})", selector)

    def one(self, selector, expression):
        return self.ask(
            f"(root, selector) => {{ const it = find(selector); return {expression} }}", selector
        )

    def count(self, selector):
        return len(self.each(selector, "0"))

    def text(self, selector):
        return " ".join(self.one(selector, "it.textContent").split())

    def attribute(self, selector, name):
        return self.one(selector, f"it.getAttribute({name!r})")

    def style(self, selector, name):
        return self.one(selector, f"getComputedStyle(it).getPropertyValue({name!r})")

    def shown(self, selector):
        """How many of the elements can be seen."""
        return sum(self.each(selector, "it.checkVisibility({visibilityProperty: true})"))

    def box(self, selector):
        """Left, top, right and bottom of an element in the window."""
        return self.one(
            selector,
            "(({ left, top, right, bottom }) => [left, top, right, bottom])"
            "(it.getBoundingClientRect())",
        )

    def centre(self, selector):
        self.one(selector, "it.scrollIntoView({ block: 'nearest', behavior: 'instant' })")
        left, top, right, bottom = self.box(selector)
        return (left + right) / 2, (top + bottom) / 2

    def click(self, selector):
        """Click in the middle of an element."""
        self.browser.click(*self.centre(selector))

    def press(self, name):
        self.click(f"button.{name}")

    def named(self, role, name):
        """How many elements a screen reader finds by this role and name."""
        find = {"context": self.browser.context, "locator": {"type": "css", "value": HOSTS}}
        hosts = self.browser.command("browsingContext.locateNodes", **find)["nodes"]
        start = hosts[self.which]["value"]["shadowRoot"]["sharedId"]
        find["locator"] = {"type": "accessibility", "value": {"role": role, "name": name}}
        find["startNodes"] = [{"sharedId": start}]
        return len(self.browser.command("browsingContext.locateNodes", **find)["nodes"])

    def type(self, *keys, **held):
        self.browser.type(*keys, **held)

    def focus(self, selector):
        self.one(selector, "it.focus()")

    def drag(self, selector, *by):
        """Drag an element sideways, by so many pixels in turn."""
        x, y = self.centre(selector)
        self.browser.drag((x, y), *((x + dx, y) for dx in by))

    def to(self, position):
        """Move the slider."""
        self.ask(
            """(root, position) => {
                const slider = find(".slider");
                slider.value = position;
                slider.dispatchEvent(new Event("input"));
            }""",
            position,
        )

    @property
    def where(self):
        return self.text(".where")

    @property
    def position(self):
        return int(self.where.split(" / ")[0])

    @property
    def told(self):
        return self.text(".text")

    def numbers(self, kind):
        """The visible numbers of a kind, by the position of their node."""
        numbers = self.ask(
            """(root, kind) => Object.fromEntries(all(`.wire text.${kind}`)
                .filter((text) => !text.classList.contains("later"))
                .map((text) => [text.closest(".wire").id.slice(1), text.textContent]))""",
            kind,
        )
        return {int(i): text for i, text in numbers.items()}


def until(condition, seconds=20):
    """What `condition` gives, as soon as it gives something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(Failed):  # the page changes while one looks at it
            if result := condition():
                return result
        time.sleep(0.02)
    raise AssertionError(f"waited {seconds} s in vain")
