import math

import pytest
from hypothesis import given as holds_for
from hypothesis import strategies as st

from micrograd_lab.tell.notation import as_given, number, number_latex


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
    ("text", "latex"),
    [("−7.62·10⁻⁹", r"-7.62 \cdot 10^{-9}"), ("−∞", r"-\infty"), ("0.5", "0.5")],
)
def test_a_number_in_latex(text, latex):
    assert number_latex(text) == latex
