import math
import re

import pytest
from hypothesis import given as holds_for
from hypothesis import strategies as st

from micrograd_lab.tell.notation import as_given, label_html, label_latex, label_parts, number


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0.6696679888909196, "0.670"),
        (0.126, "0.126"),
        (-0.24086, "−0.241"),
        (-7.0, "−7"),
        (0.0, "0"),
        (0.00076244, "0.000762"),
        (0.000076244, "0.0000762"),
        (7.6244e-9, "7.62·10⁻⁹"),
        (4.4, "4.40"),
        (12345.6, "12346"),
        (6.02e23, "6.02·10²³"),
        (0.9996, "1.00"),
        (99.96, "100"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (math.nan, "nan"),
    ],
)
def test_computed_numbers_have_three_digits(x, text):
    assert number(x) == text


@pytest.mark.parametrize(
    ("x", "text"),
    [(0.12, "0.12"), (-2.0, "−2"), (1 / 3, "0.333"), (1e-7, "1.00·10⁻⁷"), (math.inf, "∞")],
)
def test_given_numbers_stand_as_given(x, text):
    assert as_given(x) == text


@holds_for(st.floats(-1e300, 1e300))
def test_a_number_can_be_read_back(x):
    text = number(x).replace("−", "-").translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
    assert float(text.replace("·10", "e")) == pytest.approx(x, rel=0.0051)


@pytest.mark.parametrize(
    ("label", "pieces"),
    [
        ("x", [("x", "")]),
        ("z_1", [("z", ""), ("1", "sub")]),
        ("w_{1,1}^{(1)}", [("w", ""), ("1,1", "sub"), ("(1)", "sup")]),
        ("x_10", [("x", ""), ("10", "sub")]),
        ("w_12^2", [("w", ""), ("12", "sub"), ("2", "sup")]),
        (r"\theta_2", [("θ", ""), ("2", "sub")]),
        ("E'", [("E′", "")]),
        ("loss", [("loss", "")]),
        ("a b", [("a b", "")]),
        ("snake_case", [("snake_case", "")]),
        ("w_{", [("w_{", "")]),
        ("", [("", "")]),
    ],
)
def test_labels_are_taken_apart(label, pieces):
    assert label_parts(label) == pieces


@holds_for(st.text())
def test_any_label_is_escaped(label):
    plain = label_html(label)
    for place in ("sub", "sup"):
        plain = plain.replace(f"<{place}>", "").replace(f"</{place}>", "")
    assert "<" not in plain
    assert '"' not in plain


@holds_for(st.text())
def test_any_label_has_balanced_latex(label):
    typeset = label_latex(label).replace(r"\{", "").replace(r"\}", "")
    assert typeset.count("{") == typeset.count("}")


@pytest.mark.parametrize(
    ("label", "typeset"),
    [
        (r"\alpha_1", r"\alpha_1"),
        ("x^2'", "x'^2"),  # x^2' has two superscripts
        ("x_'", "x_{'}"),
        ("x^a_b", "x^a_b"),
        ("z_1 (v7)", "z_1 (v7)"),
        ("x_{&}", r"x_{\&}"),
        ("%_1", r"\%_1"),
        ("w_1_2", r"\text{w\_1\_2}"),
        (r"\newpage", r"\text{\textbackslash{}newpage}"),
        (r"\foo_1", r"\text{\textbackslash{}foo\_1}"),
        ("a\n\nb", r"\text{a  b}"),
        ("\0_1", r"\text{ \_1}"),
    ],
)
def test_labels_in_latex(label, typeset):
    assert label_latex(label) == typeset


@holds_for(st.text(alphabet="\\ab{}_^'%&#$~1 \n", max_size=12))
def test_no_label_brings_a_command_or_a_second_script(label):
    typeset = label_latex(label)
    outside = re.sub(r"\\(text(backslash|ascii(tilde|circum))\{\}|[#$%&_{}])", "", typeset)
    assert not re.search(r"[#$%&~\n]|\\(?!text\{)", outside)
    if not typeset.startswith(r"\text{"):
        assert outside.count("_") <= 1
        assert outside.count("^") <= 1
