"""The playground on the site: Python in a worker of the page, with nothing but the site."""

import json
import time

import pytest
from browsers import BROWSERS, HOSTS, start, until
from play import Page

from micrograd_lab.playground.answers import EXAMPLES, FIRST, answer

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=BROWSERS)
def browser(request, site):
    if not (site / "python").is_dir():
        pytest.skip("needs python docs/browser/fetch.py")
    with start(request.param, offline=True) as browser:
        yield browser


@pytest.fixture(scope="module")
def page(browser, address):
    return Page(browser, f"{address}play/")


def test_the_first_picture_steps_while_python_is_loading(page):
    page.walk.press("next")
    page.walk.press("next")
    assert "Python is" in page.text(".state")
    assert page.walk.numbers("value")[4] == "−7"
    until(lambda: not page.text(".loading"), 60)


def test_what_is_typed_becomes_a_picture(page):
    page.write("expression", "g = sigmoid(w*x + c)")
    until(lambda: page.value("numbers") == "w=-2 x=5 c=1")
    page.walk.press("last")
    assert page.walk.numbers("value")[5] == "0.000123"
    assert 'f = expression("g = sigmoid(w*x + c)", numbers)' in page.text("pre code")


def test_an_error_is_in_the_words_of_the_package(page):
    page.write("expression", "2x")
    until(lambda: "write * for a product" in page.text(".state"))


def rounded(record):
    """A record without the last digits, in which two machines' sines may differ."""
    return json.loads(record, parse_float=lambda x: round(float(x), 12))


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_the_same_page_as_outside_the_browser(page, name):
    page.choose(name)
    outside = json.loads(answer(json.dumps({"example": name, "numbers": {}})))
    assert page.text("pre code") == outside["code"]
    record = outside["html"].partition('<script type="application/json">')[2]
    record = record.partition("</script>")[0]
    assert rounded(page.one(f"{HOSTS} > script", "it.textContent")) == rounded(record)


@pytest.mark.parametrize("kind", ["html", "svg", "tex", "png"])
def test_a_picture_is_saved(page, kind):
    page.choose("network")
    name, file = page.save(kind)
    assert name == f"network.{kind}"
    assert len(file) > 10_000


def test_an_address_shows_the_same_again(page):
    page.choose("xor")
    page.raise_leaf(0)
    until(lambda: "numbers = {" in page.text("pre code"))
    code, numbers = page.text("pre code"), page.walk.numbers("value")
    time.sleep(0.2)  # until the address has it
    page.open(page.browser.ask("() => location.href").removeprefix(page.address))
    until(lambda: page.text("pre code") == code)
    assert page.walk.numbers("value") == numbers


def test_without_a_question_the_address_is_the_first_picture(page):
    page.open()
    assert page.value("expression") == FIRST["expression"]
