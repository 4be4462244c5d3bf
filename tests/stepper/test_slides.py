"""A stepper on the slides of reveal.js: of the slide's keys it takes those that are its own."""

import os
from pathlib import Path

import pytest
from browsers import Walk, until
from table import forked

from micrograd_lab import step

if not os.environ.get("REVEAL"):
    pytest.skip("REVEAL names no folder of reveal.js's", allow_module_level=True)
pytestmark = pytest.mark.slow

DECK = """<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="{reveal}/reveal.css">
<div class="reveal"><div class="slides">
<section>first</section><section>{page}</section><section>{frame}</section></div></div>
<script src="{reveal}/reveal.js"></script>
<script>Reveal.initialize({{ transition: "none" }})</script>"""


@pytest.fixture
def walk(browser, tmp_path):
    """The stepper on the second slide, which is scaled, and was not seen at first."""
    stepper = step(forked())
    reveal = (Path(os.environ["REVEAL"]) / "dist").as_uri()
    deck = tmp_path / "deck.html"
    html = DECK.format(reveal=reveal, page=stepper.html, frame=stepper.embed)
    deck.write_text(html, "utf-8")
    browser.size(900, 500)
    browser.open(deck.as_uri())
    until(lambda: browser.ask("() => Reveal.isReady()"))
    browser.ask("() => Reveal.slide(1)")
    walk = Walk(browser)
    until(lambda: walk.count("button.next"))
    return walk


def slide(browser):
    return browser.ask("() => Reveal.getIndices().h")


def test_its_keys_do_not_turn_the_slide(walk, browser):
    walk.press("next")
    walk.type("Right")
    assert (walk.position, slide(browser)) == (2, 1)


def test_a_number_is_typed_where_it_stands_though_the_slide_is_scaled(walk):
    number = walk.centre(".leaf text.value")
    walk.click(".leaf text.value")
    typed = walk.centre(".edit")
    assert max(abs(a - b) for a, b in zip(number, typed)) < 16


def test_the_frame_shows_the_page(walk, browser):
    browser.ask("() => Reveal.slide(2)")
    inside = "document.querySelector('iframe').contentDocument.querySelector('.micrograd-stepper')"
    assert until(lambda: browser.ask(f"() => {inside}.shadowRoot !== null"))
