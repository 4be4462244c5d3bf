"""The site that Sphinx makes of ``docs``, in two browsers that reach nothing but the site."""

import html.parser
import io
import math
import re
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin

import measured
import pytest
from browsers import BROWSERS, Walk, start
from workloads import duration

import micrograd_lab
from micrograd_lab.drawing.showing import TEXT
from micrograd_lab.ops import OPS

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pages(site):
    """The pages, as names in the site; those of JupyterLite are its own."""
    names = (path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    return sorted(name for name in names if not name.startswith("lab/"))


@pytest.fixture(scope="module", params=BROWSERS)
def browser(request):
    with start(request.param, offline=True) as browser:
        yield browser


@pytest.fixture(scope="module")
def chromium():
    with start("chromium", offline=True) as browser:
        yield browser


class Links(html.parser.HTMLParser):
    """What a page links to or loads, and the places in it that have a name."""

    def __init__(self, page):
        super().__init__()
        self.links, self.ids = [], set()
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag, attributes):
        for name, x in attributes:
            if name in ("href", "src"):
                self.links.append(x)
            elif name == "id":
                self.ids.add(x)


def test_every_link_within_the_site_leads_to_its_place(site, pages):
    read = {page: Links(site / page) for page in pages}
    dead = []
    for page, found in read.items():
        for link in found.links:
            target, place = urldefrag(unquote(urljoin(f"http://site/{page}", link)))
            if re.match(r"\w+:", link) or (link.startswith("#") and not place):
                continue
            target = target.removeprefix("http://site/").partition("?")[0] or page
            known = read[target].ids if target in read else ()
            if not (site / target).is_file() or (place and place not in known):
                dead.append((page, link))
    assert not dead


def test_a_link_into_the_repository_leads_to_a_file():
    told = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "pyproject.toml"]
    place = r"https://github\.com/micrograd-lab/micrograd-lab/(?:blob|tree)/main/([\w./-]+)"
    paths = [path for file in told for path in re.findall(place, file.read_text("utf-8"))]
    assert paths
    assert not [path for path in paths if not (ROOT / path).exists()]


def test_every_public_name_has_an_entry(site):
    entries = "".join(path.read_text("utf-8") for path in (site / "reference").glob("*.html"))
    missing = [
        name for name in micrograd_lab.__all__ if f'id="micrograd_lab.{name}"' not in entries
    ]
    assert not missing


@pytest.fixture(scope="module")
def rows(site):
    """What the page of operations says about each, in HTML."""
    page = (site / "reference" / "operations.html").read_text("utf-8")
    return {
        found[1]: found[2]
        for found in re.finditer(r"<h3>(\w+)<.*?</h3>(.*?)</section>", page, re.DOTALL)
    }


def test_every_row_of_the_table_is_on_the_page_in_its_order(rows):
    assert list(rows) == list(OPS)


@pytest.mark.parametrize("op", OPS.values(), ids=OPS.keys())
def test_a_row_has_a_formula_its_partials_and_a_plot(rows, op):
    row = rows[op.name]
    assert row.count('<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">') == (
        1 + len(op.partials)
    )
    assert op.variadic or f"_images/{op.name}.svg" in row


RACES = {  # the times of each workload, by the file of its plot
    measured.plot_name(title).split("/")[1]: times
    for file in measured.FILES
    for title, times in measured.load(file)["workloads"].items()
}


@pytest.mark.parametrize("plot", RACES)
def test_a_plot_has_a_dot_and_the_time_of_each_way_in_the_order_of_their_times(site, plot):
    svg = (site / "_images" / plot).read_text("utf-8")
    dots = re.findall(r'<use class="\w+" xlink:href="#C[^"]*" x="([\d.]+)" y="([\d.]+)"', svg)
    (x, y), times = zip(*[map(float, dot) for dot in dots]), RACES[plot]
    ways = sorted(times, key=lambda way: -times[way]["median"])
    texts = re.findall("<!-- (.*) -->", svg)
    assert [text for text in texts if text in times] == ways
    told = [duration(times[way]["median"]) for way in ways]
    assert texts[-len(ways) - 1 : -1] == told
    assert list(y) == sorted(y, reverse=True)
    logs = [math.log(times[way]["median"]) for way in ways]
    for at, log in zip(x, logs):  # each where the line through the outer two has it
        assert at == pytest.approx(
            x[0] + (x[-1] - x[0]) * (log - logs[0]) / (logs[-1] - logs[0]), abs=0.2
        )


def test_texts_of_the_plots_of_times_have_ten_pixels_on_a_phone(chromium, address):
    chromium.open(f"{address}benchmarks.html")
    chromium.size(390, 900)
    shown = chromium.ask(
        "() => [...document.images].map((it) => [it.src, it.clientWidth / it.naturalWidth])"
    )
    scales = {src.split("/")[-1]: scale for src, scale in shown}
    assert RACES.keys() <= scales.keys()
    assert min(scales[plot] for plot in RACES) * TEXT * 4 / 3 >= 10


WRONG = """() => ({
  seen: document.body.innerText.length,
  broken: [...document.images].filter((it) => it.complete && !it.naturalWidth).map((it) => it.src),
})"""


def test_a_page_loads_from_the_site_alone_and_without_an_error(browser, address, pages):
    events = ["log.entryAdded", "network.beforeRequestSent", "network.fetchError"]
    browser.command("session.subscribe", events=[*events, "network.responseCompleted"])
    asked, wrong = set(), []
    for page in pages:
        browser.events.clear()
        browser.open(address + page)
        state = browser.ask(WRONG)
        for event in browser.events:
            told = event["params"]
            if event["method"] == "log.entryAdded":
                wrong += [(page, told["text"])] if told["level"] == "error" else []
                continue
            url = told["request"]["url"]
            asked.add(url)
            failed = event["method"] == "network.fetchError"
            if failed and re.search("/(python|lab)/", url) and "ABORTED" in told["errorText"]:
                continue  # a page that loads on was left
            if failed or told.get("response", {}).get("status", 0) >= 400:
                wrong.append((page, event["method"], url))
            elif not url.startswith((address, "data:", "blob:", "about:")):
                wrong.append((page, "outside", url))
        wrong += [(page, "broken", url) for url in state["broken"]]
        assert state["seen"] > 50
    assert not wrong
    assert {address + page for page in pages} <= asked


@pytest.mark.parametrize(
    "page", ["index", "notebooks/1_toy_graph", "notebooks/4_role_of_hidden_layers"]
)
def test_a_stepper_steps_on_the_site(browser, address, page):
    browser.open(f"{address}{page}.html")
    walk = Walk(browser)
    assert walk.position == 0
    walk.press("next")
    walk.press("next")
    assert walk.position == 2
    assert len(walk.numbers("value")) > 1


def test_a_number_on_the_home_page_can_be_changed(browser, address):
    browser.open(f"{address}index.html")
    walk = Walk(browser)
    walk.press("last")
    before = walk.numbers("value")
    walk.focus(".wire.leaf .leaf, .leaf")
    walk.type("Up")
    changed = [i for i, text in walk.numbers("value").items() if text != before[i]]
    assert len(changed) > 5


OVER = """() => [document.documentElement, ...document.querySelectorAll(".main, .content")]
  .filter((it) => it.scrollWidth > it.clientWidth + 1)
  .map((it) => it.tagName + it.className + (it.scrollWidth - it.clientWidth))"""


def test_no_page_is_wider_than_its_window(chromium, address, pages):
    wide = []
    for page in pages:
        chromium.open(address + page)
        for width in (390, 760, 1200):
            chromium.size(width, 900)
            wide += [(page, width, over) for over in chromium.ask(OVER)]
    assert not wide


def test_a_dark_page_has_no_white_slabs(chromium, address, pages):
    from PIL import Image

    def system(colours):
        media = {"features": [{"name": "prefers-color-scheme", "value": colours}]}
        chromium.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)

    slabs = []
    for page in pages:
        system("dark")
        chromium.size(1200, 900)
        chromium.open(address + page)
        height = chromium.ask("() => document.documentElement.scrollHeight")
        chromium.size(1200, min(height, 12_000))
        for how in ("system", "switch"):
            if how == "switch":  # of the page, which wins
                system("light")
                chromium.ask("() => { document.body.dataset.theme = 'dark' }")
            counts = Image.open(io.BytesIO(chromium.screenshot())).convert("L").histogram()
            white = sum(counts[245:]) / sum(counts)
            slabs += [(page, how, white)] if white > 0.005 else []
    assert not slabs
