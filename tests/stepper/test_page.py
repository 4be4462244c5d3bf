"""A page with steppers, in real browsers."""

import pytest
from browsers import Walk, until
from table import forked

from micrograd_lab import (
    MLP,
    Graph,
    Value,
    backward_steps,
    forward_steps,
    lecture,
    squared_error,
    step,
)
from micrograd_lab.tell.notation import as_given, number

pytestmark = pytest.mark.slow
ATTACK = "</script><img src=x onerror=\"document.title='attacked'\">"


def test_every_step_shows_the_numbers_of_the_engine(shown):
    result = lecture.network().result
    graph = Graph(result)
    at = {node: i for i, node in enumerate(graph.nodes)}
    values = {at[node]: as_given(node.data) for node in graph.nodes if not node.inputs}
    grads = {}
    expected = [(dict(values), {})]
    for event in forward_steps(graph):
        values[at[event.node]] = number(event.data)
        expected.append((dict(values), {}))
    grads[at[graph.result]] = "1"
    expected.append((values, dict(grads)))
    for event in backward_steps(graph):
        grads |= {at[edge.receiver]: number(edge.after) for edge in event.edges}
        expected.append((values, dict(grads)))

    slopes = {edge.receiver: edge.after for event in backward_steps(graph) for edge in event.edges}
    for w in sorted(graph.parameters, key=at.get):
        values = {**values, at[w]: number(w.data - 0.5 * slopes[w])}
        expected.append((values, grads))

    (walk,) = shown(step(result))
    walk.click(".stage")
    for values, grads in expected:
        assert (walk.numbers("value"), walk.numbers("grad")) == (values, grads)
        walk.type("Right")
    assert walk.where == "55 / 55 · update"
    assert len(grads) == len(graph)


def test_the_panel_says_what_the_lecture_says(shown):
    (walk,) = shown(step(lecture.network().result))
    panels = []
    for position in range(44):
        walk.to(position)
        panels.append(walk.told)
    assert any("s1 = " in text and "= 0.707" in text for text in panels)
    assert any("y1 = 1 ÷ (1 + exp(−s1)) = 1 ÷ (1 + exp(−0.707)) = 0.670" in t for t in panels)
    assert any("∂E/∂E = 1" in text for text in panels)
    assert any("= 0.126 × 0.5 = 0.0630 adds to −0.0296 → 0.0334" in text for text in panels)
    assert any("∂y1/∂s1 = y1 × (1 − y1) = 0.670 × (1 − 0.670) = 0.221" in t for t in panels)


@pytest.mark.parametrize(
    ("start", "keys", "end"),
    [
        (3, ["Right"], 4),
        (3, ["Down"], 4),
        (3, ["Left", "Up"], 1),
        (0, ["Left"], 0),
        (3, ["End"], 12),
        (12, ["Right"], 12),
        (3, ["Home"], 0),
        (3, ["x", "PageDown", "Enter"], 3),
    ],
)
def test_keys_move(shown, start, keys, end):
    (walk,) = shown(step(forked()))
    walk.to(start)
    walk.click(".text")
    walk.type(*keys)
    assert walk.position == end


def test_buttons_and_the_slider_move(shown):
    (walk,) = shown(step(forked()))
    positions = []
    for name in ("next", "next", "last", "previous", "first"):
        walk.press(name)
        positions.append(walk.position)
    assert positions == [1, 2, 12, 11, 0]
    walk.focus(".slider")
    walk.type("Right")
    assert walk.position == 1


def test_space_plays_and_stops(shown):
    (walk,) = shown(step(forked()))
    walk.click(".text")
    walk.type("Space")
    assert walk.text(".play") == "pause"
    until(lambda: walk.position == 2)
    assert walk.attribute(".text", "aria-live") == "off"
    walk.type("Space")
    assert walk.text(".play") == "play"
    assert walk.position == 2


def test_it_plays_to_the_end_and_again_from_the_start(shown):
    (walk,) = shown(step(forked()))
    walk.to(11)
    walk.press("play")
    until(lambda: walk.text(".play") == "play")
    assert walk.position == 12
    walk.press("play")
    assert walk.position == 0


def test_a_click_on_a_node_goes_to_its_step_and_a_second_one_to_its_other_step(shown):
    result = forked()
    (walk,) = shown(step(result))
    order = [node.label for node in Graph(result).nodes]
    z = f"#n{order.index('z')} > :first-child"
    walk.click(z)
    assert walk.where == "2 / 12 · forward"
    walk.click(z)
    assert walk.where == "10 / 12 · backward"
    walk.click(f"#n{order.index('E')}")
    assert walk.where == "7 / 12 · backward"
    walk.click(f"#n{order.index('x')}")  # its gradient is complete at the last step
    assert walk.where == "11 / 12 · backward"


def test_the_node_of_the_step_and_its_wires_light_up(shown):
    result = forked()
    (walk,) = shown(step(result))
    order = [node.label for node in Graph(result).nodes]
    x, w, z = (order.index(name) for name in "xwz")
    walk.to(2)
    assert walk.each(".now", "it.id") == [f"n{z}"]
    lit = {*walk.each(".lit.forward", "it.id")}
    assert lit == {f"w{z}", f"e{z}_0", f"w{z - 1}", *(f"e{at}" for at in ("4_0", "4_1", "5_0"))}
    walk.to(11)
    lit = {*walk.each(".lit.backward", "it.id")}
    assert lit == {f"w{z - 1}", f"e{z - 1}_0", f"e{z - 1}_1", f"w{w}", f"w{x}", f"e{z}_0"}


def test_the_panel_does_not_change_the_letters_of_the_picture(shown):
    (walk,) = shown(step(forked()))
    walk.press("last")
    sizes = {*walk.each(".stage .grad", "getComputedStyle(it).fontSize")}
    assert sizes == {"11px", "9px"}  # a gradient, and what one branch adds to it


def test_steppers_on_one_page_work_each_alone_and_twice(shown):
    first, second = step(lecture.network().result), step(forked())
    walks = shown(first, second, first)
    walks[0].press("next")
    walks[1].press("last")
    walks[2].to(40)
    assert [walk.position for walk in walks] == [1, 12, 40]
    walks[1].type("Left")  # its button has the focus
    assert [walk.position for walk in walks] == [1, 11, 40]


def test_a_stepper_that_is_gone_leaves_the_keys_to_the_page(shown, browser):
    (walk,) = shown(
        step(forked()), change=lambda page: page.replace("</body>", "<input id='other'></body>")
    )
    walk.press("next")
    browser.ask("() => document.querySelector('.micrograd-stepper').remove()")
    browser.ask(
        """() => {
            window.seen = "";
            document.addEventListener("keydown", (event) => (window.seen += event.key));
            document.querySelector("#other").focus();
        }"""
    )
    walk.type("abc")
    seen = browser.ask("() => [window.seen, document.querySelector('#other').value]")
    assert seen == ["abc", "abc"]


def test_no_id_of_a_picture_is_on_the_page(shown, browser):
    shown(step(forked()), step(forked()))
    assert browser.ask("() => document.querySelectorAll('[id]').length") == 0


def test_a_page_that_forbids_scripts_shows_the_picture(shown, browser):
    policy = "<meta http-equiv='Content-Security-Policy' content=\"script-src 'none'\">"
    shown(step(forked()), change=lambda page: page.replace("<head>", f"<head>{policy}"))
    assert until(
        lambda: browser.ask(
            """() => [...document.querySelectorAll(".micrograd-stepper > img")]
                .filter((img) => img.checkVisibility() && img.naturalWidth > 300).length"""
        )
    )


def test_a_label_is_shown_as_text(shown, browser):
    result = Value(2, ATTACK) * Value(3, "x")
    result.label = ATTACK + "!"
    (walk,) = shown(step(result))
    for name in ("next", "next", "next"):
        walk.press(name)
        assert walk.count("img, script") == 0
    assert f"∂{ATTACK}!/∂x = {ATTACK} = 2" in walk.told
    assert browser.ask("() => document.images.length") == 1
    assert browser.ask("() => document.title") != "attacked"


@pytest.mark.parametrize(
    ("light", "dark"),
    [
        ("data-jp-theme-light='true'", "data-jp-theme-light='false'"),  # JupyterLab
        ("class='vscode-light'", "class='vscode-dark'"),
        ("class='vscode-high-contrast vscode-high-contrast-light'", "class='vscode-high-contrast'"),
        ("data-theme='light'", "data-theme='dark'"),  # Sphinx
        ("data-bs-theme='light'", "data-bs-theme='dark'"),  # Quarto
    ],
)
def test_the_theme_of_the_page_is_followed(shown, browser, light, dark):
    (walk,) = shown(step(forked()), change=lambda page: page.replace("<body>", f"<body {light}>"))
    assert walk.style(".stepper", "color") == "rgb(31, 41, 55)"
    (walk,) = shown(step(forked()), change=lambda page: page.replace("<body>", f"<body {dark}>"))
    assert walk.style(".stepper", "color") == "rgb(230, 234, 240)"


def test_one_can_use_it_without_seeing_it(shown):
    (walk,) = shown(step(forked()))
    assert walk.named("group", "Computational graph of E, 7 nodes") == 1
    assert walk.attribute(".text", "aria-live") == "polite"
    assert walk.named("button", "next step") == 1
    walk.press("next")
    assert walk.attribute("input", "aria-valuetext") == "1 / 12 · forward"


def test_the_focus_is_visible(shown, browser):
    (walk,) = shown(step(forked()))
    walk.type("Tab")
    assert walk.style(".stepper", "outline-style") == "solid"
    walk.type("Tab")
    assert walk.style(".first", "outline-style") == "solid"


def test_a_neuron_of_a_large_network_is_one_step_with_all_that_happens_in_it(shown):
    network = MLP(2, [24, 24, 1], seed=1)
    (walk,) = shown(step(squared_error(network([0.1, 0.5]), 1.0)))
    walk.press("next")
    summed, activation = walk.each(".text .line", "it.textContent")
    assert "+ " in summed
    assert "if" in activation
    assert len(walk.numbers("value")) == 4  # x_1, x_2, the target, and now the first neuron
    walk.press("last")
    walk.press("previous")
    assert walk.count(".text .line") == 6  # of ReLU, and of Σ: two weights, two inputs, the bias
    assert len(walk.numbers("grad")) == len(walk.numbers("value"))


class Quiz(Walk):
    """The question of a step."""

    def answer(self, *numbers):
        """Types local derivatives and gradients in turn, presses Enter, gives what is said."""
        for k, text in enumerate(numbers):
            self.ask("(root, k) => all('.quiz input')[k].select()", k)
            self.type("Backspace", text)
        self.type("Enter")
        return self.each(".verdict", "it.textContent")


@pytest.fixture
def quiz(shown, browser):
    """The question ∂E/∂w = ∂E/∂a × x, ∂E/∂x = −3.36 + ∂E/∂a × w; a = w × x = −1, ∂E/∂a = 1.68."""
    x, w = Value(0.5, "x"), Value(-2, "w")
    a = w * x
    a.label = "a"
    result = a * 1.68 + x * -3.36
    result.label = "E"
    shown(step(result, quiz=True))
    walk = Quiz(browser)
    walk.press("last")
    return walk


def test_a_quiz_hides_the_gradients_until_the_answer_is_right(quiz):
    hidden = quiz.numbers("grad")
    quiz.answer("0.5", "0.84", "-2", "-6.72")
    assert quiz.told.endswith("1 of 3 steps right at the first try")
    new = quiz.numbers("grad").items() - hidden.items()
    assert sorted(text for _, text in new) == ["0.840", "−6.72"]


@pytest.mark.parametrize(
    ("local", "gradient"),
    [("0,5", "0,84"), (".5", "8.4e-1"), ("1/2", "0.84"), ("0.5", "8,4·10⁻¹"), ("", "+0.836")],
)
def test_a_quiz_reads_numbers_as_people_write_them(quiz, local, gradient):
    quiz.answer(local, gradient, "−2", "-6,72")
    assert "right at the first try" in quiz.told


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("-2", "-3.36"), "the local derivative is wrong: that is ∂a/∂x, not ∂a/∂w"),
        (("-0.5", "-0.84"), "the local derivative ∂a/∂w has the wrong sign"),
        (("7", "0.84"), "the local derivative ∂a/∂w is wrong"),
        (("0.5", ""), "the local derivative is right; now multiply it by ∂E/∂a"),
        (("0.5", "0.5"), "the upstream gradient ∂E/∂a is missing"),
        (("", "1.68"), "the local derivative ∂a/∂w is missing"),
        (("0.5", "2.18"), "the factors are multiplied, not added"),
        (("0.5", "-0.84"), "the sign is wrong"),
        (("0.5", "3"), "the local derivative is right; the other factor is ∂E/∂a = 1.68"),
        (("", "-3.36"), "the local derivative is wrong: you took ∂a/∂x for ∂a/∂w"),
        (("", "3"), "a factor is wrong: ∂E/∂a = 1.68, so look at ∂a/∂w"),
        (("zero", ""), "a number looks like 0.0728 or 7.28e-2"),
        (("", ""), "type the gradient, or both numbers"),
    ],
)  # fmt: skip
def test_a_quiz_says_which_factor_is_wrong(quiz, typed, said):
    assert quiz.answer(*typed)[0] == said


def test_the_boxes_of_a_quiz_are_called_by_what_goes_in(quiz):
    names = quiz.each(".quiz input", "it.getAttribute('aria-label')")
    assert names == ["∂a/∂w", "∂E/∂w", "∂a/∂x", "∂E/∂x"]


def test_a_quiz_knows_what_was_there_before(quiz):
    assert (
        quiz.answer("", "", "-2", "-3.36")[1]
        == "that is what this step adds; −3.36 was there before"
    )


def test_a_number_can_be_typed_while_a_quiz_asks(quiz):
    leaf = quiz.each(".wire.leaf", "it.id")[0]
    quiz.focus(f"#{leaf}")
    quiz.browser.type("Enter", "0.75", "Enter")
    assert quiz.text(f"#{leaf} text.value") == "0.75"


def test_a_quiz_shows_the_answer_when_asked(quiz):
    quiz.click(".quiz button:last-child")
    assert quiz.told.endswith("0 of 3 steps right at the first try")


def test_a_quiz_takes_what_one_computes_from_the_numbers_shown(shown, browser):
    a = Value(6, "a")  # σ(a) = 0.998 on the page, and 0.998 × (1 − 0.998) is not σ'(6) = 0.00247
    shown(step(a.sigmoid(), quiz=True))
    walk = Quiz(browser)
    walk.press("last")
    walk.answer("0.002")
    assert "right at the first try" in walk.told
