"""Diagrams as TikZ, and what LaTeX makes of them."""

import re
import subprocess
from shutil import which

import pytest
from graphs import after_backward, classifier, copies, folded
from hypothesis import given, settings
from hypothesis import strategies as st
from labels import PIECES, TYPESET, WORDS

from micrograd_lab import Value, draw, total
from micrograd_lab.lecture import chain, network, toy

DOCUMENT = r"\documentclass{article}\usepackage{amsmath, amssymb, tikz}\begin{document}"
with_latex = pytest.mark.skipif(
    not (which("pdflatex") and which("pdftotext")), reason="there is no pdflatex, or no pdftotext"
)


def lecture():
    return after_backward(network("corrected").result, "E")


def odd():
    labels = PIECES + WORDS + [*TYPESET]
    return total(Value(1.0, label) for label in labels if len(label) < 100)


PICTURES = {
    "toy": lambda: draw(after_backward(toy().result, "f")),
    "dark": lambda: draw(after_backward(toy().result, "f"), theme="dark"),
    "lecture": lambda: draw(lecture()),
    "layers": lambda: draw(lecture(), layers=True),
    "chain": lambda: draw(after_backward(chain(layers=6).result, "z")),
    "down": lambda: draw(lecture(), layers=True, rankdir="TB"),
    "folded": lambda: draw(folded()),
    "softmax": lambda: draw(classifier(r"L_{\text{CE}}"), textbook=True),
    "copies": lambda: draw(copies()),
    "odd": lambda: draw(odd(), collapse="nothing"),
}


def tikz(diagram, folder):
    return diagram.save(folder / "f.tex").read_text("utf-8")


def typeset(path):
    """The words on the pages that pdflatex makes of a file, and the pages' sizes."""
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", path.name]
    done = subprocess.run(command, cwd=path.parent, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:].decode(errors="replace")
    pdf = path.with_suffix(".pdf")
    said = subprocess.run(["pdftotext", "-bbox", pdf, "-"], capture_output=True, check=True)
    text = said.stdout.decode()
    sizes = re.findall(r'<page width="([\d.]+)" height="([\d.]+)"', text)
    words = "".join(re.findall(r">([^<]*)</word>", text)).replace("−", "-")
    return words, [(float(width), float(height)) for width, height in sizes]


@with_latex
@pytest.mark.parametrize("picture", PICTURES)
def test_latex_makes_one_page_of_the_size_of_the_picture(picture, tmp_path):
    diagram = PICTURES[picture]()
    _, (size,) = typeset(diagram.save(tmp_path / "f.tex"))
    drawn = re.search(r'width="([\d.]+)pt" height="([\d.]+)pt"', diagram.svg)
    assert size == pytest.approx([float(side) for side in drawn.groups()], abs=0.1)


@with_latex
@pytest.mark.parametrize("picture", ["toy", "lecture", "down", "folded", "copies"])
def test_every_number_of_the_picture_is_typeset(picture, tmp_path):
    diagram = PICTURES[picture]()
    words, _ = typeset(diagram.save(tmp_path / "f.tex"))
    numbers = re.findall(r'class="[^"]*(?:value|grad)"[^>]*>([^<]+)<', diagram.svg)
    assert len(numbers) > 8
    for number in numbers:
        assert number.replace("−", "-") in words


@with_latex
def test_a_document_takes_pictures_where_it_wants_them(tmp_path):
    for name in ("toy", "dark"):
        PICTURES[name]().save(tmp_path / f"{name}.tex")
    path = tmp_path / "document.tex"
    inputs = r"before \input{toy} \resizebox{\textwidth}{!}{\input{dark.tex}} after \end{document}"
    path.write_text(DOCUMENT + inputs, "utf-8")
    words, (size,) = typeset(path)
    assert "before" in words
    assert "after" in words
    assert words.count("-10") == 2
    assert size[1] > 700  # a page of the document, not of the picture


@with_latex
def test_labels_are_typeset_as_mathematics_or_as_the_words_they_are(tmp_path):
    labels = [r"\newpage", r"x_{\input /etc/hosts }", "50%", "a&b", "#", "<b>", "a|b", "日"]
    words, _ = typeset(draw(total(Value(1.0, x) for x in labels)).save(tmp_path / "f.tex"))
    for shown in (r"\newpage", r"{\input/etc/hosts}", "50%", "a&amp;b", "#", "a|b", "?"):
        assert shown in words


def test_a_name_is_the_latex_of_its_label(tmp_path):
    text = tikz(PICTURES["lecture"](), tmp_path)
    assert "{$w_{1,1}^{(1)}$};" in text
    assert r"{$\times$};" in text
    assert r"{$\boldsymbol{0.000779}$};" in text


def test_in_a_picture_from_top_to_bottom_names_and_numbers_stand_on_the_right(tmp_path):
    text = tikz(PICTURES["down"](), tmp_path)
    assert re.search(r"anchor=base west, text=ink, size=15\] at .* \{\$z_1\$\};", text)
    assert re.search(r"anchor=base west, text=value, size=11\] at .*\{0.178\}", text)
    assert re.search(r"anchor=base, text=ink, size=17\] at .*\{\$\\times\$\};", text)


def test_the_colours_are_those_of_the_light_theme_unless_another_is_asked_for(tmp_path):
    light, dark = (tikz(draw(toy().result, theme=theme), tmp_path) for theme in ("auto", "dark"))
    assert r"\definecolor{value}{HTML}{00694F}" in light
    assert r"\definecolor{value}{HTML}{4FD6A8}" in dark
    assert ["fill=page, line width=1bp" in text for text in (light, dark)] == [False, True]


def test_a_picture_that_tex_cannot_hold_is_refused(tmp_path):
    x = Value(0.1, "x")
    for _ in range(230):
        x = x.tanh()
    with pytest.raises(ValueError, match=r"2\d{4}.\d+ by \d+.\d+ points exceed TeX's 16000"):
        draw(x, collapse="nothing").save(tmp_path / "f.tex")
    assert list(tmp_path.iterdir()) == []


def test_the_same_graph_gives_the_same_file(tmp_path):
    assert tikz(PICTURES["softmax"](), tmp_path) == tikz(PICTURES["softmax"](), tmp_path)


@settings(max_examples=60)
@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
def test_a_label_adds_neither_commands_nor_comments(tmp_path_factory, label):
    text = tikz(draw(Value(1.0, label).exp()), tmp_path_factory.mktemp("f"))
    picture = text.partition(r"\makeatother")[2].partition(r"\end{tikzpicture}")[0]
    assert re.findall(r"\\(?:input|newpage|frac|bm)\b|(?<!\\)[%#&]|\^\^", picture) == []
    bare = re.sub(r"\\[{}]", "", picture)
    assert bare.count("{") == bare.count("}")
