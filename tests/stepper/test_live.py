"""Numbers that are changed on the page, and what follows from them."""

import re
from urllib.parse import parse_qs, unquote

import pytest
from browsers import SIZE, until
from scripts import close
from table import forked

from micrograd_lab import MLP, SGD, Graph, Value, lecture, squared_error, step, total
from micrograd_lab.tell.notation import number

pytestmark = pytest.mark.slow
LEAVES = {"x": 0.5, "y": 2.0, "w": -1.5, "b": 0.25}


def model(**changes):
    """E = z² + exp(z·x) ÷ (y² + 1) − b·σ(y), with z = tanh(w·x + b)."""
    x, y, w, b = (Value(changes.get(name, data), name) for name, data in LEAVES.items())
    z = (w * x + b).tanh()
    result = z * z + (z * x).exp() / (y * y + 1) - b * y.sigmoid()
    result.label = "E"
    return result


def places(result):
    """The position of each labelled node, by its label."""
    return {node.label: i for i, node in enumerate(Graph(result).nodes) if node.label}


def at(result, label):
    """The selector of a node's number."""
    return f"#w{places(result)[label]} text.value"


def texts(walk):
    """What the picture says after the backward pass: numbers, by the ids of their groups."""
    last = walk.one(".slider", "it.max")
    passes = []
    while not passes or "update" in passes[-1]:
        walk.to(last)
        passes.append(walk.where)
        last = int(last) - 1
    return walk.ask(
        """() => Object.fromEntries(all(".stage :is(.wire, .edge) text")
            .filter((text) => text.checkVisibility({ opacityProperty: true }))
            .map((text) => [`${text.closest("[id]").id} ${text.classList[0]}`, text.textContent]))
        """
    )


def fresh(shown, result):
    """What the picture of a new record says."""
    (walk,) = shown(step(result))
    return texts(walk)


def type_into(walk, selector, text):
    """Click on a number, and type another."""
    walk.click(selector)
    assert walk.one(".edit", "it === it.getRootNode().activeElement")
    walk.type(text)


def numbers_in_address(browser):
    """The state in the address, with all digits."""
    settled = "() => new Promise((done) => setTimeout(() => done(location.hash), 150))"
    fragment = browser.ask(settled).removeprefix("#")
    return {name: float(x) for name, (x,) in parse_qs(unquote(fragment)).items()}


def test_the_picture_does_not_scroll_away_from_the_number_that_is_typed(shown, wide):
    wide(390, 800)
    (walk,) = shown(step(lecture.network().result))
    walk.press("last")
    walk.ask("() => new Promise((done) => setTimeout(done, 800))")  # it scrolls smoothly
    type_into(walk, "#w0 text.value", "0.7")
    left, _, right, _ = walk.box(".edit")
    assert 0 <= left < right <= 390


NUMBERS = [
    ("3", 3), ("-0.7", -0.7), ("−2", -2), ("1/4", 0.25), ("7·10⁻²", 0.07), ("0", 0),
    ("1,25", 1.25), ("1e-3", 0.001), ("12.5", 12.5),
]  # fmt: skip


@pytest.mark.parametrize("label", LEAVES)
def test_after_a_number_was_typed_all_numbers_are_those_of_a_fresh_record(shown, label):
    (walk,) = shown(step(model()))
    got = []
    for typed, _ in NUMBERS:
        type_into(walk, at(model(), label), typed)
        walk.type("Enter")
        got.append(texts(walk))
    for (_, x), numbers in zip(NUMBERS, got, strict=True):
        assert numbers == fresh(shown, model(**{label: x})), x


def test_numbers_follow_while_one_types(shown):
    (walk,) = shown(step(model()))
    type_into(walk, at(model(), "w"), "3")
    assert walk.text(at(model(), "w")) == "3"
    assert walk.count(".edit") == 1


@pytest.mark.parametrize("nonsense", ["abc", "1.2.3", "", "--3", "1/", "2 3x"])
def test_nonsense_is_marked_and_changes_nothing(shown, nonsense):
    (walk,) = shown(step(model()))
    before = texts(walk)
    type_into(walk, at(model(), "w"), ["Backspace", nonsense][bool(nonsense)])
    assert walk.attribute(".edit", "aria-invalid") == "true"
    walk.type("Enter")
    assert walk.count(".edit") == 0
    assert texts(walk) == before


def test_a_number_that_is_too_large_is_no_number(shown):
    (walk,) = shown(step(model()))
    before = texts(walk)
    type_into(walk, at(model(), "w"), "1/0")
    assert walk.attribute(".edit", "aria-invalid") == "true"
    walk.type("Enter")
    assert texts(walk) == before


def test_escape_takes_a_number_back(shown):
    (walk,) = shown(step(model()))
    before = texts(walk)
    type_into(walk, at(model(), "w"), "3")
    walk.type("Escape")
    assert walk.count(".edit") == 0
    assert texts(walk) == before


@pytest.mark.parametrize(
    ("key", "then"),
    [("Up", -1.4), ("Down", -1.6), ("PageUp", -0.5), ("PageDown", -2.5)],
)
def test_an_arrow_key_moves_the_number_that_has_the_focus(shown, browser, key, then):
    (walk,) = shown(step(model()))
    walk.focus(f"#w{places(model())['w']}")
    walk.type(key)
    assert numbers_in_address(browser)["w"] == then


def test_an_arrow_key_on_a_number_does_not_go_to_another_step(shown):
    (walk,) = shown(step(model()))
    walk.to(3)
    walk.focus(f"#w{places(model())['w']}")
    walk.type("Up")
    assert walk.position == 3


def test_a_number_that_has_the_focus_is_typed_after_enter(shown, browser):
    (walk,) = shown(step(model()))
    walk.focus(f"#w{places(model())['w']}")
    walk.type("Enter")
    walk.type("4")
    walk.type("Enter")
    assert numbers_in_address(browser)["w"] == 4


@pytest.mark.parametrize(("by", "then"), [([40], -0.5), ([-40], -2.5), ([80, 20], -1)])
def test_dragging_sideways_moves_a_number(shown, browser, by, then):
    (walk,) = shown(step(model()))
    walk.drag(at(model(), "w"), *by)
    assert numbers_in_address(browser)["w"] == then
    assert walk.count(".edit") == 0


def test_reset_brings_the_record_back(shown):
    (walk,) = shown(step(model()))
    before = texts(walk)
    for label in LEAVES:
        type_into(walk, at(model(), label), "0.3")
        walk.type("Enter")
    assert texts(walk) != before
    walk.press("reset")
    assert texts(walk) == before
    assert walk.count(".changed") == 0
    assert walk.shown(".reset") == 0


def test_what_changed_is_marked_and_told(shown):
    (walk,) = shown(step(model()))
    type_into(walk, at(model(), "b"), "1")
    walk.type("Enter")
    marked = walk.count(".changed")
    assert marked > 10
    assert walk.text(".alerts") == f"changed b from 0.25 to 1: {marked} numbers follow"


def many(x=0.5):
    """A sum with so many uses of x that it is drawn at each."""
    x = Value(x, "x")
    return total([x.sin(), x.cos(), x.tanh(), x.exp(), x * x, x.sigmoid(), x.atan()])


@pytest.mark.parametrize("number", [-0.7, 2])
def test_a_leaf_that_is_drawn_several_times_follows_at_each(shown, number):
    copies = ".edge text.value[style], .edge text.value"
    (walk,) = shown(step(many()))
    drawn = walk.each(copies, "it.textContent")
    assert len(drawn) > 4
    assert set(drawn) == {"0.5"}
    type_into(walk, ".edge text.value", str(number))
    walk.type("Enter")
    assert texts(walk) == fresh(shown, many(number))


def test_an_undefined_operation_says_so_and_the_page_recovers(shown):
    def record(x):
        x = Value(x, "x")
        moved = x - 1
        moved.label = "m"
        return moved.log() * x

    result = record(2)
    (walk,) = shown(step(result))
    before = texts(walk)
    type_into(walk, "#w0 text.value", "1/2")
    assert walk.text(".alerts .alert") == told_by_the_engine(lambda: record(0.5))
    assert walk.numbers("value") == {0: "0.5", 1: "1", 2: "−0.500", 3: "?", 4: "?"}
    assert walk.numbers("grad") == {4: "1"}  # of the result with respect to itself
    walk.type("Escape")
    assert walk.count(".alerts .alert") == 0
    assert texts(walk) == before


def told_by_the_engine(record):
    """The engine's words, with the minus sign of the page."""
    with pytest.raises(ValueError, match="undefined") as caught:
        record()
    told = re.sub(r"Value\((\w+): (\S+), grad=0\)", r"\1 = \2", str(caught.value))
    return told.replace("-", "−")


def test_a_number_that_would_leave_a_recorded_branch_says_so(shown):
    y = Value(2, "x") * 3
    y.label = "y"
    result = y * 2 if y > 0 else -y
    (walk,) = shown(step(result))
    type_into(walk, "#w0 text.value", "-2")
    told = "y > 0 held"
    assert walk.text(".alerts .alert").startswith(told)
    assert "what follows is still the recorded branch" in walk.text(".alerts .alert")
    walk.type("Escape")
    assert walk.count(".alerts .alert") == 0


def test_a_gradient_that_waits_for_a_branch_looks_unfinished(shown):
    result = forked()
    (walk,) = shown(step(result))
    z = places(result)["z"]
    pending = []
    for position in range(6, 12):
        walk.to(position)
        pending.append(walk.count(f"#w{z} .pending:not(.later)"))
    assert pending == [0, 0, 1, 0, 0, 0]


def trained(record, start, sign=-1, eta=0.5, times=1):
    """The parameters after so many updates by the engine, each of a new record, and the losses."""
    now, losses = dict(start), []
    for _ in range(times + 1):
        result = record(now)
        losses.append(result.data)
        result.backward()
        parameters = sorted(Graph(result).parameters, key=lambda w: w.label)
        before = dict(now)
        if sign < 0:
            SGD(parameters, lr=eta).step()
        for w in parameters:
            now[w.label] = w.data if sign < 0 else w.data + eta * w.grad
    return before, losses


def record_lecture(weights):
    return lecture.network(weights=weights).result


@pytest.fixture
def training(shown):
    """A stepper of a model at its update."""

    def show(result, **more):
        (walk,) = shown(step(result, **more))
        walk.press("last")
        return walk

    return show


def record_model(numbers):
    return model(**numbers)


@pytest.mark.parametrize("times", [1, 3, 100])
def test_again_updates_the_parameters_as_the_engine_does(training, browser, times):
    walk = training(model())
    if times == 100:
        walk.press("run")
        until(lambda: "after 100 updates" in walk.text(".curve"))
    else:
        for _ in range(times):
            walk.press("again")
    expected, losses = trained(record_model, LEAVES, times=times)
    state = numbers_in_address(browser)
    for name in ("w", "b"):
        assert close(state[name], expected[name]), name
    first, last = (f"{number(x)}" for x in (losses[0], losses[-1]))
    assert walk.text(".curve > div").endswith(f"{first} → {last}")


def test_run_updates_the_network_of_the_lecture_as_the_engine_does(training, browser):
    walk = training(lecture.network().result)
    walk.press("run")
    until(lambda: "after 100 updates" in walk.text(".curve"))
    expected, _ = trained(record_lecture, lecture.WEIGHTS, times=100)
    state = numbers_in_address(browser)
    got = sorted(x for name, x in state.items() if name.startswith("w"))
    assert len(got) == len(expected)
    for ours, theirs in zip(sorted(expected.values()), got, strict=True):
        assert close(ours, theirs)


def test_the_sign_printed_on_the_slide_ascends(training, browser):
    walk = training(model())
    walk.click(".signs button[value='1']")
    for _ in range(3):
        walk.press("again")
    expected, losses = trained(record_model, LEAVES, sign=1, times=3)
    assert losses == sorted(losses)
    for name in ("w", "b"):
        assert close(numbers_in_address(browser)[name], expected[name]), name
    assert "b ← b + η" in walk.told


def test_the_learning_rate_can_be_typed(training, browser):
    walk = training(model())
    walk.one(".eta", "(it.focus(), it.select())")
    walk.type("0,1", "Enter")
    expected, _ = trained(record_model, LEAVES, eta=0.1)
    for name in ("w", "b"):
        assert close(numbers_in_address(browser)[name], expected[name]), name


@pytest.mark.parametrize("typed", ["fast", "0", "-1", "1/0"])
def test_a_learning_rate_that_is_none_is_marked_and_not_used(training, browser, typed):
    walk = training(model())
    walk.one(".eta", "(it.focus(), it.select())")
    walk.type(typed)
    assert walk.attribute(".eta", "aria-invalid") == "true"
    walk.press("again")
    expected, _ = trained(record_model, LEAVES)
    assert close(numbers_in_address(browser)["w"], expected["w"])


def test_too_large_a_learning_rate_stops_with_a_message(training):
    w = Value(1, "w")
    walk = training(w**4 + w**2)
    walk.one(".eta", "(it.focus(), it.select())")
    walk.type("100")
    walk.press("run")
    told = "η = 100 is too large: reset, and try a smaller one"
    until(lambda: told in walk.text(".alerts"))


@pytest.mark.parametrize("act", ["reset", "type"])
def test_a_run_ends_where_a_number_is_changed(training, act):
    walk = training((Value(2, "w") - 1) ** 2, rate=1e-3)
    walk.press("run")
    until(lambda: walk.text(".curve"))
    if act == "reset":
        walk.press("reset")
    else:
        walk.focus("#w0")
        walk.type("Enter", "5")
    walk.ask("() => new Promise((done) => setTimeout(done, 300))")  # more than ten pictures
    assert walk.text("#w0 text.value") == {"reset": "2.00", "type": "4.99"}[act]
    assert walk.text(".curve") == ""


def neuron(w=0.5, b=-0.2, x=1.0, t=0.0):
    """E = ½(σ(w·x + b) − t)²."""
    w, b, x, t = Value(w, "w"), Value(b, "b"), Value(x, "x"), Value(t, "t")
    result = ((w * x + b).sigmoid() - t).half_square()
    result.label = "E"
    return result, x, t


ROWS = [[1.5, 1], [-0.5, 0], [2, 0]]


@pytest.fixture
def sampled(training):
    result, x, t = neuron()
    return training(result, data=ROWS, inputs=[x, t])


def test_a_sample_can_be_chosen(sampled, shown):
    sampled.press("after")
    assert "sample 1 of 3" in sampled.text(".sample")
    sampled.press("after")
    assert "sample 2 of 3" in sampled.text(".sample")
    got = texts(sampled)
    x, t = ROWS[1]
    assert got == fresh(shown, neuron(x=x, t=t)[0])


def test_the_sample_before_the_first_is_the_last(sampled):
    sampled.press("after")
    sampled.press("before")
    assert "sample 3 of 3" in sampled.text(".sample")


def mean_gradients(w, b):
    """The gradient of w and of b by the engine, the mean over the samples; and their mean loss."""
    sums = [0, 0, 0]
    for x, t in ROWS:
        result = neuron(w, b, x, t)[0]
        result.backward()
        grads = {node.label: node.grad for node in Graph(result).nodes}
        for k, it in enumerate((grads["w"], grads["b"], result.data)):
            sums[k] += it / len(ROWS)
    return sums


def test_an_update_can_take_the_mean_over_all_samples(sampled, browser):
    sampled.click(".batches button[value='1']")
    w, b = 0.5, -0.2
    for _ in range(3):
        sampled.press("again")
        dw, db, _ = mean_gradients(w, b)
        w, b = w - 0.5 * dw, b - 0.5 * db
        state = numbers_in_address(browser)
        assert close(state["w"], w)
        assert close(state["b"], b)
    assert sampled.text(".curve > div").endswith(f"→ {number(mean_gradients(w, b)[2])}")


def test_again_goes_from_sample_to_sample(sampled, browser):
    sampled.press("after")
    w, b = 0.5, -0.2
    for x, t in (ROWS * 2)[:4]:
        sampled.press("again")
        result = neuron(w, b, x, t)[0]
        result.backward()
        for node in Graph(result).nodes:
            if node.label == "w":
                w -= 0.5 * node.grad
            if node.label == "b":
                b -= 0.5 * node.grad
        state = numbers_in_address(browser)
        assert close(state["w"], w)
        assert close(state["b"], b)
    assert "sample 2 of 3" in sampled.text(".sample")


def test_the_line_of_losses_grows(training):
    walk = training(model())
    points = []
    for _ in range(4):
        walk.press("again")
        points.append(len(walk.attribute(".curve polyline", "points").split()))
    assert points == [2, 3, 4, 5]


def folded(x=0.1):
    network = MLP(2, [16, 16, 1], seed=1)
    return squared_error(network([Value(x, "x_1"), Value(0.5, "x_2")]), 1.0), network


def widths(walk):
    """Width and colour of the links of a folded network."""
    return walk.each(
        ".stage .edge :is(path, polyline)",
        "[parseFloat(getComputedStyle(it).strokeWidth).toFixed(2), getComputedStyle(it).stroke]",
    )


def test_a_folded_network_follows_its_input(shown):
    result, _ = folded()
    (walk,) = shown(step(result))
    type_into(walk, "#w0 text.value", "-0.8")
    walk.type("Enter")
    got = texts(walk), widths(walk)
    (walk,) = shown(step(folded(-0.8)[0]))
    assert got == (texts(walk), widths(walk))


def test_the_links_of_a_folded_network_follow_an_update(shown):
    result, network = folded()
    (walk,) = shown(step(result))
    walk.press("last")
    drawn = widths(walk)
    walk.press("again")
    got = texts(walk), widths(walk)
    result.backward()
    SGD(network.parameters(), lr=0.5).step()
    (walk,) = shown(step(result))
    assert got == (texts(walk), widths(walk))
    assert got[1] != drawn


def test_the_address_restores_step_numbers_and_learning_rate(shown, browser):
    (walk,) = shown(step(model()))
    type_into(walk, at(model(), "w"), "-1/3")
    walk.type("Enter")
    walk.to(walk.one(".slider", "it.max"))
    walk.one(".eta", "(it.focus(), it.select())")
    walk.type("0.25")
    walk.to(5)
    before = walk.where, walk.numbers("value"), walk.told
    address = numbers_in_address(browser)
    browser.reload()
    assert (walk.where, walk.numbers("value"), walk.told) == before
    assert numbers_in_address(browser) == address == {"step": 5, "w": -1 / 3, "η": 0.25}


def test_names_that_look_alike_have_an_address_each(shown, browser):
    result = Value(2, "w_1") * Value(3, "w1") + Value(4, "step")
    (walk,) = shown(step(result))
    walk.focus(".leaf")
    walk.type("Up")
    assert numbers_in_address(browser) == {"step": 0, "v1": 2.1}
    browser.open(browser.ask("() => location.href").split("#")[0] + "#step=2&v4=9")
    browser.reload()
    assert sorted(walk.numbers("value").values()) == ["15", "2", "3", "6", "9"]


def test_another_address_of_an_open_page_is_followed(shown, browser):
    (walk,) = shown(step(model()), address="#step=3&w=7&η=0.25")
    assert (walk.position, walk.one(".eta", "it.value")) == (3, "0.25")
    browser.ask("() => { location.hash = '#step=9&b=2' }")
    until(lambda: walk.position == 9)
    assert walk.one(".eta", "it.value") == "0.5"
    browser.ask("() => { location.hash = '#' }")
    until(lambda: walk.position == 0)
    assert texts(walk) == fresh(shown, model())


def test_reset_brings_the_rate_back(shown):
    (walk,) = shown(step(model()))
    walk.press("last")
    walk.one(".signs button:last-child", "it.click()")
    assert walk.shown(".reset") == 1
    walk.press("reset")
    assert walk.count(".signs .here[value='-1']") == 1
    assert walk.shown(".reset") == 0


def test_a_number_that_is_changed_ends_the_play(shown):
    (walk,) = shown(step(model()))
    walk.press("play")
    type_into(walk, at(model(), "w"), "3")
    assert walk.text(".play") == "play"


def test_an_address_that_is_nonsense_is_forgiven(shown):
    (walk,) = shown(step(model()), address="#step=999&w=much&E=7&q")
    assert walk.where == "29 / 29 · update"
    assert texts(walk) == fresh(shown, model())


def test_two_steppers_leave_the_address_alone(shown, browser):
    first, _ = shown(step(model()), step(forked()))
    first.press("next")
    type_into(first, at(model(), "w"), "3")
    first.type("Enter")
    assert numbers_in_address(browser) == {}


def chain(length):
    result = Value(0.5, "x")
    for _ in range(length):
        result = result.tanh()
    return result


@pytest.mark.parametrize("times", [3, 17, 40, 58])
def test_a_held_key_keeps_the_node_of_the_step_in_view(shown, times):
    (walk,) = shown(step(chain(60)))
    walk.click(".text")
    walk.type(*["Right"] * times)
    left, _, right, _ = walk.box(".now")
    start, _, end, _ = walk.box(".stage")
    assert start <= left
    assert right <= end


@pytest.mark.parametrize("result", [forked(), folded()[0]], ids=["forked", "folded"])
def test_every_node_and_wire_has_a_role_and_a_name(shown, result):
    (walk,) = shown(step(result))
    walk.press("last")
    named = walk.each(
        ".stage :is(.node, .wire)", "[it.getAttribute('role'), it.getAttribute('aria-label')]"
    )
    assert [pair for pair in named if not all(pair)] == []


def test_a_screen_reader_finds_a_number_and_what_it_is(shown):
    (walk,) = shown(step(forked()))
    walk.to(11)
    assert walk.named("spinbutton", "w = −2, ∂E/∂w = −0.215") == 1
    assert walk.named("button", "z = −0.762, ∂E/∂z = −1.02") == 1


def test_the_tab_key_reaches_the_buttons_before_the_picture(shown):
    (walk,) = shown(step(forked()))
    buttons = walk.count(":is(.bar, .head) :is(button, select, input)")
    walk.type(*["Tab"] * (1 + buttons))
    assert walk.one(".stage", "it.contains(it.getRootNode().activeElement)") is False
    walk.type("Tab")
    assert walk.one(".stage", "it.contains(it.getRootNode().activeElement)") is True


@pytest.fixture
def wide(browser):
    """A function that makes the window so wide; afterwards it is as before."""
    yield browser.size
    browser.size(*SIZE)


SMALL = """Math.min(...[...root.querySelectorAll("*")]
    .filter((it) => it.checkVisibility({ opacityProperty: true }) && !it.closest(".spoken, .later")
        && [...it.childNodes].some((node) => node.nodeType === 3 && node.data.trim())
        && it.tagName !== "STYLE")
    .map((it) => {
        const scale = it.getScreenCTM ? Math.hypot(it.getScreenCTM().a, it.getScreenCTM().b) : 1;
        return scale * parseFloat(getComputedStyle(it).fontSize);
    }))"""


@pytest.mark.parametrize("width", [390, 760, 1200])
@pytest.mark.parametrize(
    "result", [lecture.network().result, folded()[0]], ids=["lecture", "folded"]
)
def test_no_text_is_below_10_px(shown, wide, width, result):
    wide(width, 800)
    (walk,) = shown(step(result))
    for name in ("first", "next", "last"):
        walk.press(name)
        assert walk.ask(f"(root) => {SMALL}") >= 9.99


@pytest.mark.parametrize("width", [390, 760, 1200])
def test_the_page_is_no_wider_than_the_window(shown, wide, browser, width):
    wide(width, 800)
    (walk,) = shown(step(lecture.network().result))
    walk.press("last")
    assert browser.ask("() => document.documentElement.scrollWidth - innerWidth") <= 0


def test_upright_a_phone_shows_the_step_below_the_picture_without_scrolling(shown, wide):
    wide(390, 844)
    example = lecture.network()
    (walk,) = shown(step(example.result, chapters=example.chapters))
    walk.to(27)
    _, _, _, bottom = walk.box(".text .line")
    assert bottom < 844
    left, _, right, _ = walk.box(".chapters .here")
    assert 0 <= left < right <= 390


def test_chapters_may_be_named_in_any_order(shown):
    chapters = {"learn": ("update", None, "third"), "back": ("backward", None, "second")}
    (walk,) = shown(step(model(), chapters=chapters | {"on": ("forward", None, "first")}))
    for chapter, note in (("on", "first"), ("back", "second"), ("learn", "third")):
        at = list(chapters | {"on": 0}).index(chapter) + 1
        walk.click(f".chapters button:nth-child({at})")
        assert (walk.text(".chapters .here"), walk.text(".note")) == (chapter, note)


@pytest.fixture
def full(browser):
    """A function that fills the screen with a stepper."""

    def fill(walk):
        walk.press("full")
        until(lambda: browser.ask("() => document.fullscreenElement !== null"))

    yield fill
    browser.ask("() => document.exitFullscreen()")
    until(lambda: browser.ask("() => document.fullscreenElement === null"))


def scale(walk):
    """How large the picture is, in pixels for each of its units."""
    return walk.one(".stage svg", "it.getScreenCTM().a")


def test_the_picture_is_zoomed_in_full_screen_too(shown, full):
    (walk,) = shown(step(Value(2, "w") * Value(3, "x")))
    before = scale(walk)
    full(walk)
    filled = scale(walk)
    assert filled > 1.3 * before
    walk.press("larger")
    assert scale(walk) == pytest.approx(1.25 * filled, rel=0.02)
    walk.press("fit")
    assert scale(walk) == pytest.approx(filled, rel=0.02)


def test_no_text_is_below_10_px_in_full_screen(shown, wide, full):
    wide(390, 800)
    (walk,) = shown(step(lecture.network().result))
    full(walk)
    assert walk.ask(f"(root) => {SMALL}") >= 9.99


def test_a_picture_that_fits_the_page_still_does_when_the_page_gets_narrower(shown, wide):
    wide(1200, 800)
    (walk,) = shown(step(lecture.network().result))
    walk.press("fit")
    wide(700, 800)
    assert walk.one(".stage", "it.scrollWidth - it.clientWidth") == 0


BUTTONS = """(({ width, height }) => [it.className, Math.min(width, height)])
    (it.getBoundingClientRect())"""


@pytest.mark.parametrize("width", [390, 1200])
def test_every_button_is_36_px_high_and_wide(training, wide, width):
    wide(width, 800)
    result, x, t = neuron()
    walk = training(result, data=ROWS, inputs=[x, t])
    walk.press("again")
    sizes = walk.each("button", BUTTONS)
    assert len(sizes) > 20
    assert [it for it in sizes if 0 < it[1] < 36] == []


@pytest.mark.parametrize("browser", ["chromium"], indirect=True)  # which shows what it prints
def test_a_page_prints_its_whole_picture(shown, browser):
    (walk,) = shown(step(lecture.network().result))
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    right = walk.box(".stage svg")[2]
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert right <= walk.box(".stage")[2]


def test_a_printout_has_a_sheet_for_every_step(shown):
    (walk,) = shown(step(forked()))
    walk.ask("() => { EventTarget.prototype.addEventListener = () => {} }")  # no printer here
    walk.press("print")
    sheets = walk.one("iframe", "it.srcdoc.split('<section class=\"sheet\">')")[1:]
    assert len(sheets) == int(walk.one(".slider", "it.max")) + 1
    assert ["forward:" in sheet for sheet in sheets[:3]] == [False, True, True]
    assert walk.position == 0
