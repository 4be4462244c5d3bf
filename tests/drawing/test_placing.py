"""Labels along links, checked against Matplotlib's own geometry."""

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from micrograd_lab.drawing.network.pen import Segment, place


@st.composite
def columns(draw):
    """Links from every place of one column to every place of another, 300 points away."""
    left, right = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    return [
        Segment((0, (left - 1) * 90 - i * 180), (300, (right - 1) * 90 - j * 180), width=5)
        for i in range(left)
        for j in range(right)
    ]


@settings(deadline=None, max_examples=40)
@given(columns(), st.integers(30, 120))
def test_labels_meet_neither_each_other_nor_a_link_nor_what_stands_around(links, length):
    around = Segment((100, 0), (130, 0)).box(0, 30, -20, 20)
    starts = place(links, [length] * len(links), 20, 15, [around])
    if starts is None:
        return
    labels = [link.box(at, length, -15, 20) for link, at in zip(links, starts)]
    lines = [link.box(0, link.length, -2.5, 2.5) for link in links]
    for one, other in combinations(labels, 2):
        assert not one.intersects_path(other)
    for i, label in enumerate(labels):
        assert not label.intersects_path(around)
        assert not any(label.intersects_path(lines[j]) for j in range(len(lines)) if j != i)
        assert 0 <= starts[i] <= links[i].length - length


def test_labels_that_do_not_fit_are_not_placed():
    crossing = [Segment((0, 0), (100, 10)), Segment((0, 10), (100, 0))]
    assert place(crossing, [60, 60], 10, 10) is None
    assert place([Segment((0, 0), (100, 0))], [90], 10, 10) is None
    obstacle = Segment((50, 0), (51, 0)).box(0, 1, -1, 1)
    assert place([Segment((0, 0), (100, 0))], [9], 1, 1, [obstacle]) is None
