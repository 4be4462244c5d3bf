"""Labels in pictures: Graphviz's text, and Matplotlib's."""

from unicodedata import normalize
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labels import PIECES, TYPESET, WORDS
from matplotlib.mathtext import MathTextParser
from matplotlib.text import Text

from micrograd_lab import Graph, Value, draw, draw_network, lecture
from micrograd_lab.drawing.graph.rendering import render
from micrograd_lab.drawing.showing import mathtext
from micrograd_lab.tell.notation import folded, label_html

LABELS = st.text() | st.lists(st.sampled_from(PIECES), max_size=9).map("".join)
SVG = "{http://www.w3.org/2000/svg}"
ALONE = str.maketrans("\u0302\u0304\u0303\u20d7\u0307", "ˆˉ˜→˙")


def texts(label):
    """The texts in the node of a value called `label`, each with its attributes."""
    root = ElementTree.fromstring(render(draw(Value(1.0, label)).source, "svg"))
    (node,) = (group for group in root.iter(f"{SVG}g") if group.get("id") == "n0")
    return {text.text: text.attrib for text in node.iter(f"{SVG}text")}


def letters(text):
    return sorted(normalize("NFD", text).translate(ALONE).replace(" ", ""))


@pytest.mark.parametrize("label", TYPESET)
def test_a_diagram_has_the_letters_of_the_formula(label):
    page = "".join(ElementTree.fromstring(f"<p>{label_html(label)}</p>").itertext())
    assert letters("".join(texts(label))) == letters(page)


@pytest.mark.parametrize("label", ["W_{ij}^{(1)}", "w_{1,1}^{(l)}", r"\bar{x}_i^2", "x_{50%}^{ab}"])
def test_a_superscript_stands_straight_above_its_subscript(label):
    drawn = texts(label).values()
    small = min(attributes["font-size"] for attributes in drawn)
    scripts = [each for each in drawn if each["font-size"] == small]
    left = min(float(each["x"]) for each in scripts)
    up, down = sorted(float(each["y"]) for each in scripts if float(each["x"]) == left)
    assert 7 < down - up < 14  # points


@pytest.mark.parametrize(
    ("label", "letter", "accent", "higher"),
    [
        (r"\bar{x}", "x", "ˉ", 0),
        (r"\tilde{h}", "h", "˜", 4),
        (r"\hat{\theta}", "θ", "ˆ", 4),
        (r"\vec{v}", "v", "→", 5),
    ],
)
def test_an_accent_stands_as_high_as_its_letter_needs(label, letter, accent, higher):
    drawn = texts(label)
    raised = float(drawn[letter]["y"]) - float(drawn[accent]["y"])
    assert raised == pytest.approx(higher, abs=2)


@pytest.mark.parametrize("suffix", ["svg", "png", "pdf"])
@pytest.mark.parametrize("label", [*TYPESET, "\u0302", "]\u0304"])
def test_a_label_is_drawn_in_silence(label, suffix, capfd):
    render(draw(Value(1.0, label)).source, suffix)
    assert capfd.readouterr() == ("", "")


@settings(max_examples=30, deadline=None)
@given(LABELS)
def test_any_label_is_a_diagram(label):
    assert texts(label) or not label_html(label).strip()


@pytest.mark.parametrize("label", TYPESET)
def test_matplotlib_sets_a_formula(label):
    style = mathtext(label)
    assert style["parse_math"]
    assert MathTextParser("path").parse(style["text"]).width > 0


def test_matplotlib_sets_a_comma_without_a_space():
    assert mathtext("w_{1,1}^{(1)}")["text"] == "$w_{1{,}1}^{(1)}$"


@pytest.mark.parametrize("label", WORDS, ids=lambda label: label[:20])
def test_matplotlib_shows_words_as_they_are(label):
    style = mathtext(label)
    assert not style["parse_math"]
    assert style["text"] == (label if len(label) <= 24 else label[:23] + "…")


@settings(deadline=None)
@given(LABELS)
def test_matplotlib_takes_any_label(label):
    style = mathtext(label)
    if style["parse_math"]:
        MathTextParser("path").parse(style["text"])
    style["text"].encode()


@pytest.fixture(scope="module")
def moved():
    """The lecture's network, whose weights were given other numbers."""
    result = lecture.network().result
    for node in Graph(result).nodes:
        if node.label.startswith("w_"):
            node.data += 0.1
    return result


NOTE = "w₁,₁⁽¹⁾, w₂,₁⁽¹⁾, w₀,₁⁽¹⁾ and 9 more have moved since this was recorded;"


def test_names_in_the_note_of_a_diagram_have_small_digits(moved):
    root = ElementTree.fromstring(draw(moved).svg)
    (group,) = (group for group in root.iter(f"{SVG}g") if group.get("class") == "legend")
    assert NOTE in [text.text for text in group.iter(f"{SVG}text")]


def test_names_in_the_note_of_a_network_have_small_digits(moved):
    notes = [text.get_text() for text in draw_network(moved).figure.findobj(Text)]
    assert f"{NOTE} shown at their present numbers" in notes


@pytest.mark.parametrize(
    ("note", "lines"),
    [
        (r"\hat{y}_12, x_{3}^2, w_hidden and b.grad", "ŷ₁₂, x₃², w_hidden and b.grad"),
        ("x_1 was set by hand", "x₁ was\nset by\nhand"),
        ("a" * 12 + " moved", "a" * 12 + "\nmoved"),
    ],
)
def test_words_are_folded_between_them(note, lines):
    assert folded(note, 7 if "\n" in lines else 80) == lines
