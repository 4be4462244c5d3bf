"""Labels in plain text, HTML and LaTeX."""

import json
import re
from importlib.resources import files
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from labels import PIECES, TYPESET, WORDS

from micrograd_lab import Graph, Value, backward_steps
from micrograd_lab.tell.notation import label_html, label_latex, label_places, label_text

TABLE = json.loads(files("micrograd_lab.tell").joinpath("latex.json").read_text("utf-8"))
KNOWN = {"text", "textbackslash", "textasciitilde", "textasciicircum", *TABLE["symbols"]}
KNOWN |= TABLE["accents"].keys() | TABLE["alphabets"].keys()
LABELS = st.text() | st.lists(st.sampled_from(PIECES), max_size=9).map("".join)


@pytest.mark.parametrize("label", TYPESET)
def test_a_formula_is_set_in_plain_text_html_and_latex(label):
    assert (label_text(label), label_html(label), label_latex(label)) == TYPESET[label]


@pytest.mark.parametrize("label", WORDS, ids=lambda label: label[:20])
def test_what_is_no_formula_stays_words(label):
    faces = label_places(label, lambda text, face, place: face)
    assert (label_text(label), faces) == (label, {"": "words"})


@pytest.mark.parametrize(
    ("label", "typeset"),
    [
        ("w_1_2", r"\text{w\_1\_2}"),
        ("costs $5", r"\text{costs \$5}"),
        (r"\newpage", r"\text{\textbackslash{}newpage}"),
        ("a~b^", r"\text{a\textasciitilde{}b\textasciicircum{}}"),
        ("a\n\nb", r"\text{a  b}"),
        ("\0_1", r"\ _1"),
        ("σ of ℒ", r"\text{$\sigma$ of $\mathcal{L}$}"),
    ],
)
def test_words_are_escaped_in_latex(label, typeset):
    assert label_latex(label) == typeset


@given(LABELS)
def test_any_label_is_sound_html(label):
    tags = {element.tag for element in ElementTree.fromstring(f"<p>{label_html(label)}</p>").iter()}
    assert tags <= {"p", "i", "b", "sub", "sup", "span"}


@given(LABELS)
def test_any_label_can_be_encoded(label):
    for write in (label_text, label_html, label_latex):
        write(label).encode()


@given(LABELS)
def test_any_label_has_balanced_latex(label):
    typeset = re.sub(r"\\[{}]", "", label_latex(label))
    assert typeset.count("{") == typeset.count("}")


@given(LABELS)
def test_no_label_brings_a_command_or_a_second_script(label):
    typeset = label_latex(label)
    assert set(re.findall(r"\\([A-Za-z]+)", typeset)) <= KNOWN
    outside = re.sub(r"\\text\{(\\.|\{\}|[^{}]|\{[^{}]*\})*\}|\\.", "", typeset)
    assert outside.count("_") <= 1
    assert outside.count("^") <= 1


def test_a_step_calls_its_values_in_unicode():
    y = Value(2.0, r"\hat{y}") * Value(3.0, r"\mathbf{w}")
    y.label = r"L_{\text{CE}}"
    assert str(next(iter(backward_steps(y)))).splitlines() == [
        "∂L_{CE}/∂ŷ += 1 × 3 = 3",
        "∂L_{CE}/∂𝐰 += 1 × 2 = 2",
    ]


@pytest.mark.parametrize(
    "label", ["w_1", "b", "θ", r"\theta", "$w_1$", r"\hat{w}", r"\mathbf{w}_1"]
)
def test_a_leaf_that_is_called_like_a_weight_is_a_parameter(label):
    w = Value(1.0, label)
    assert Graph(w * Value(2.0, "x")).parameters == {w}
