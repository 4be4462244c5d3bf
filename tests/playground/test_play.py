"""The playground's page, in two browsers, with the Python of this machine answering."""

import io
import re

import pytest
from browsers import BROWSERS, start, until
from play import Page

from micrograd_lab.playground.answers import EXAMPLES

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=BROWSERS)
def browser(request):
    with start(request.param, offline=True) as browser:
        yield browser


@pytest.fixture
def page(browser, server):
    return Page(browser, server.address)


def test_the_first_picture_is_there_without_python_and_steps(page):
    assert page.text("pre code").startswith("from micrograd_lab import expression, step")
    page.walk.press("next")
    page.walk.press("next")
    assert page.walk.numbers("value")[4] == "−7"


def test_what_is_typed_becomes_a_picture_and_keeps_its_numbers(page):
    page.write("expression", "g = sigmoid(w*x + c)")
    until(lambda: page.value("numbers") == "w=-2 x=5 c=1")
    assert page.state[0] == {"expression": "g = sigmoid(w*x + c)", "numbers": "w=-2 x=5 c=1"}
    page.write("numbers", "w=0.5 x=2 c=-1")
    page.walk.press("next")
    page.walk.press("next")
    page.walk.press("next")
    assert "0.500" in page.walk.numbers("value").values()
    assert '"c": -1' in page.text("pre code")


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("expression", "2x + 1", "write * for a product"),
        ("expression", "sigmod(x)", "did you mean sigmoid?"),
        ("numbers", "w=two", "'two' is not a number for w; write w=0.5"),
        ("numbers", "w=1 x=2 b=3 X=4", "X has a number, but the expression does not read it"),
        ("expression", "log(0 - x)", "log"),
    ],
)
def test_an_error_says_why_and_the_picture_stays(page, name, text, says):
    before = page.text("pre code")
    page.write(name, text)
    until(lambda: says in page.text(".state"))
    assert page.text("pre code") == before
    assert page.walk.count(".stage") == 1


def test_code_and_fields_follow_a_number_that_is_changed_in_the_picture(page):
    page.raise_leaf(0)
    until(lambda: page.value("numbers") == "w=-1.9 x=5 b=3")
    until(lambda: '"w": -1.9' in page.text("pre code"))
    page.write("expression", "h = w*x*x")
    until(lambda: page.value("numbers") == "w=-1.9 x=5")


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_shown_and_its_address_shows_it_again(page, name):
    page.choose(name)
    assert page.state[0] == {"example": name}
    assert page.text("[aria-pressed=true]") == EXAMPLES[name][0]
    page.raise_leaf(0)
    until(lambda: "numbers = {" in page.text("pre code"))
    page.walk.press("last")
    until(lambda: page.state[1].get("step") == page.walk.one(".slider", "it.max"))
    address = page.browser.ask("() => location.href").removeprefix(page.address)
    code, numbers = page.text("pre code"), page.walk.numbers("value")
    page.open(address)
    until(lambda: page.text("pre code") == code)
    assert page.walk.numbers("value") == numbers
    assert page.walk.position == int(page.walk.one(".slider", "it.max"))


def test_numbers_may_be_written_with_room_and_lines_are_statements(page):
    page.write("numbers", "w = 0.25, x: 4")
    until(lambda: page.text("pre code").count('"w": 0.25, "x": 4, "b": 3'))
    page.open("?expression=g%20%3D%20w*x%0Af%20%3D%20g%2B1&numbers=w%3D2")
    assert page.value("expression") == "g = w*x; f = g+1"
    assert page.value("numbers") == "w=2 x=1"


def test_code_and_files_are_of_the_picture_whatever_is_typed(page):
    page.write("expression", "f = w*x*")
    until(lambda: page.text(".told.wrong"))
    page.raise_leaf(0)
    until(lambda: '"w": -1.9' in page.text("pre code"))
    name, file = page.save("svg")
    assert (name, b"-1.9" in file.replace("−".encode(), b"-")) == ("graph.svg", True)


def test_a_rate_that_is_changed_is_in_the_code_and_in_the_page(page):
    page.choose("toy")
    page.walk.press("last")
    page.walk.one(".eta", "(it.focus(), it.select())")
    page.walk.type("0.25")
    until(lambda: "rate=-0.25)" in page.text("pre code"))
    _, file = page.save("html")
    assert b'"eta":0.25' in file


def test_a_rate_that_is_none_makes_no_update(page):
    page.walk.press("last")
    page.walk.one(".eta", "(it.focus(), it.select())")
    page.walk.type("abc", "Enter")
    assert page.value("numbers") == "w=-2 x=5 b=3"
    assert page.walk.attribute(".eta", "aria-invalid") == "true"


def test_the_way_back_leads_to_the_example_before(page):
    page.choose("xor")
    page.choose("toy")
    page.browser.ask("() => history.back()")
    until(lambda: page.text("[aria-pressed=true]") == EXAMPLES["xor"][0])
    until(lambda: "squared_error" in page.text("pre code"))
    page.browser.ask("() => history.back()")
    until(lambda: page.value("expression") == "f = w*x + b")


def test_a_training_is_in_the_code(page):
    page.choose("xor")
    page.walk.press("last")
    page.walk.press("again")
    until(lambda: "numbers = {" in page.text("pre code"))
    assert page.text("pre code").count("w_{1,1}^{(1)}") == 1


@pytest.mark.parametrize(
    ("kind", "begins"),
    [("html", b"<!doctype html>"), ("svg", b"<svg"), ("tex", b"% In a"), ("png", b"\x89PNG")],
)
def test_a_file_has_the_numbers_of_the_picture(page, kind, begins):
    page.raise_leaf(0)
    until(lambda: page.value("numbers") == "w=-1.9 x=5 b=3")
    name, file = page.save(kind)
    assert name == f"graph.{kind}"
    assert file.startswith(begins)
    if kind == "png":
        from PIL import Image

        picture = Image.open(io.BytesIO(file)).convert("L")
        assert picture.width > 800
        assert picture.getpixel((2, 2)) > 240  # light
    else:
        assert re.search("[−-]1.9", file.decode())


def test_a_server_that_has_ended_is_told_of(page):
    page.browser.ask("() => { window.fetch = () => Promise.reject(Error('gone')) }")
    page.write("expression", "x*x*x")
    until(lambda: "start `micrograd-lab play` again" in page.text(".state"))


@pytest.mark.parametrize("width", [390, 760, 1200, 1600])
def test_the_page_is_not_wider_than_its_window(page, width):
    page.browser.size(width, 900)
    page.choose("network")
    assert page.browser.ask("() => document.documentElement.scrollWidth") <= width
    page.browser.size(1300, 1000)
