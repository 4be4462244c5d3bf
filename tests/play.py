"""The playground's page in a browser."""

from base64 import b64decode
from urllib.parse import parse_qs, urlsplit

from browsers import HOSTS, Walk, until

SAVED = """(kind) => new Promise((done) => {
  const { createObjectURL } = URL;
  URL.createObjectURL = (blob) => {
    if (kind === "png" && blob.type !== "image/png") return createObjectURL(blob);
    URL.createObjectURL = createObjectURL;
    HTMLAnchorElement.prototype.click = function () {
      delete HTMLAnchorElement.prototype.click;
      const reader = new FileReader();
      reader.onload = () => done([this.download, reader.result]);
      reader.readAsDataURL(blob);
    };
    return "blob:";
  };
  document.querySelector(`.save [value=${kind}]`).click();
})"""


class Page:
    """The page in a browser."""

    def __init__(self, browser, address):
        self.browser, self.address = browser, address
        self.open()

    def open(self, state=""):
        self.browser.open(self.address + state)
        self.walk = Walk(self.browser)
        until(lambda: self.walk.count(".stage"))
        if state:
            until(lambda: not self.one(f"{HOSTS}.old", "Boolean(it)"))

    def one(self, selector, expression):
        return self.browser.ask(
            f"(selector) => {{ const it = document.querySelector(selector); return {expression} }}",
            selector,
        )

    def text(self, selector):
        return self.one(selector, "it.textContent")

    def value(self, name):
        return self.one(f"[name={name}]", "it.value")

    def other(self, act, instead=lambda: False):
        """Wait for another picture than there was before an act, or for what comes instead."""
        self.one(HOSTS, "(it.id = 'before', 0)")
        act()
        until(lambda: not self.one("#before", "Boolean(it)") or instead())

    def write(self, name, text):
        """Type over what is in a field, and wait for the picture or the error."""
        self.one(f"[name={name}]", "(it.focus(), it.select(), 0)")
        self.other(lambda: self.browser.type(text), lambda: self.text(".told.wrong"))

    def choose(self, example):
        self.other(lambda: self.one(f"button[value={example}]", "(it.click(), 0)"))

    @property
    def state(self):
        """The question in the address, and what was changed since."""
        place = urlsplit(self.browser.ask("() => location.href"))
        both = (parse_qs(part) for part in (place.query, place.fragment))
        return [{name: x for name, (x,) in part.items()} for part in both]

    def raise_leaf(self, i):
        """Add a little to the number of a leaf, as the arrow keys do."""
        self.walk.focus(f"#w{i} .leaf, #w{i}.leaf")
        self.walk.type("Up")

    def save(self, kind):
        """The name and the content of a file that the page saves."""
        name, told = self.browser.ask(SAVED, kind)
        return name, b64decode(told.partition(",")[2])
