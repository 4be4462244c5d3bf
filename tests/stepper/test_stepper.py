import json
import os
import random
import re
import shutil
from base64 import b64decode
from html.parser import HTMLParser

import pytest
from scripts import in_node
from table import forked

from micrograd_lab import MLP, Graph, Value, backward_steps, dot, ieee, squared_error, step
from micrograd_lab.drawing.showing import page
from micrograd_lab.ops import OPS
from micrograd_lab.stepper.page import rows, templates
from micrograd_lab.tell.notation import number

ATTACK = "</script><img src=x onerror=alert(1)>"


def toy():
    w, x, b = Value(-2, "w"), Value(5, "x"), Value(3, "b")
    f = w * x + b
    f.label = "f"
    return f


class Elements(HTMLParser):
    """The start tags of a page, and the text of its scripts."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.scripts, self.inside = [], [], False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.inside = tag == "script"

    def handle_data(self, data):
        if self.inside:
            self.scripts.append(data)

    def handle_endtag(self, tag):
        self.inside = False


def data(stepper):
    return json.loads(Elements(stepper.html).scripts[0])


def asked(stepper, expression):
    """What an expression in `walk`, the walk of a stepper, gives."""
    if not shutil.which("node"):
        pytest.skip("needs the program node")
    text = f"(() => {{ const walk = new Walk(ROWS, GIVEN); return {expression} }})()"
    return in_node(text, data(stepper))


def steps(stepper):
    return asked(stepper, "walk.steps")


def picture(stepper):
    (source,) = re.findall(r'src="data:image/svg\+xml;base64,([^"]*)"', stepper.html)
    return b64decode(source).decode()


def test_a_fragment_is_a_picture_its_steps_and_a_script():
    tags = [tag for tag, _ in Elements(step(toy()).html).tags]
    assert tags == ["div", "style", "img", "script", "script"]


def test_a_fragment_loads_nothing():
    html = step(toy()).html.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?:|url\(|@import|src=(?!\"data:)", html)


def test_the_picture_is_finished():
    svg = picture(step(toy()))
    texts = re.findall(r'<text [^>]*\b(value|grad)"[^>]*>([^<]*)<', svg)
    assert sorted(texts) == sorted(
        [("value", n) for n in ("−2", "5", "−10", "3", "−7")]
        + [("grad", n) for n in ("5", "−2", "1", "1", "1")]
    )


def test_there_is_a_start_a_step_per_computed_value_the_seed_the_way_back_and_an_update():
    computed = sum(bool(node.inputs) for node in Graph(forked()).nodes)
    passes = ["start", *["forward"] * computed, "seed", *["backward"] * computed, "update"]
    assert [s["pass"] for s in steps(step(forked()))] == passes


def test_a_backward_step_stands_at_the_node_of_its_event():
    graph = Graph(forked())
    at = {node: i for i, node in enumerate(graph.nodes)}
    shown = [s for s in steps(step(forked())) if s["pass"] == "backward"]
    events = [at[event.node] for event in backward_steps(graph)]
    assert [(s["at"], s["nodes"]) for s in shown] == [(i, [i]) for i in events]


def test_stepping_through_a_result_changes_no_gradient():
    result = forked()
    result.backward()
    before = [node.grad for node in Graph(result).nodes]
    step(result)
    step(result, quiz=True)
    assert [node.grad for node in Graph(result).nodes] == before


def test_gradients_that_were_there_are_not_counted():
    fresh, used = toy(), toy()
    used.backward()
    assert step(fresh).html == step(used).html


def test_the_same_graph_gives_the_same_bytes():
    assert step(forked()).html == step(forked()).html


def test_a_label_is_text_wherever_it_appears():
    a = Value(1, ATTACK)
    result = a * 2
    result.label = ATTACK + "'\"&<!--"
    tags = Elements(whole(step(result))).tags
    assert [attrs for tag, attrs in tags if "onerror" in attrs] == []
    assert [tag for tag, _ in tags].count("img") == 1
    assert [tag for tag, _ in tags].count("script") == 2
    assert ATTACK not in picture(step(result))


def test_a_label_in_the_steps_is_escaped_html():
    names = data(step(Value(1, ATTACK) * 2))["names"]
    assert names[0] == "&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;"


def test_a_label_that_is_no_text_for_a_file_is_still_written(tmp_path):
    step(Value(1, "a\ud800\x00b") * 2).save(tmp_path / "page.html")
    assert "<!doctype html>" in (tmp_path / "page.html").read_text("utf-8")


def test_a_page_is_written_whole_or_not_at_all(tmp_path):
    with pytest.raises(FileNotFoundError):
        step(toy()).save(tmp_path / "none" / "page.html")
    stepper = step(toy())
    stepper.save(tmp_path / "page.html")
    with pytest.raises(ValueError, match=r"'f\.gif' has no known format; end it in \.html, "):
        stepper.save(tmp_path / "f.gif")
    assert (tmp_path / "page.html").read_text("utf-8").endswith("</html>\n")
    assert os.listdir(tmp_path) == ["page.html"]


def test_the_products_of_a_dot_are_called_by_their_factors():
    w, x = Value(2, "w_1"), Value(3, "x_1")
    names = data(step(dot([w], [x], Value(1, "w_0"))))["names"]
    assert "(<i>w</i><sub>1</sub> × <i>x</i><sub>1</sub>)" in names


def test_infinity_and_nan_are_shown():
    with ieee():
        result = Value(0, "x").log() * Value(0, "y")
    assert number(result.data) == "nan"
    assert "nan" in picture(step(result))
    (x, y) = (asked(step(result), f"walk.grads[{i}]") for i in (0, 2))
    assert (x, y) == ("NaN", "-Infinity")


def test_a_leaf_has_a_picture_and_no_steps():
    assert [s["pass"] for s in steps(step(Value(3, "x")))] == ["start", "seed"]


def test_a_quiz_about_one_pass_or_one_value_needs_no_list():
    z = Value(2, "w") * Value(3, "x")
    for one in ("forward", z):
        assert step(z + 1, quiz=one).html == step(z + 1, quiz=[one]).html


def test_a_quiz_hides_the_gradients_of_the_picture():
    assert "text.grad{opacity:0}" in picture(step(toy(), quiz=True))
    assert "text.grad{opacity:0}" not in picture(step(toy()))


def test_of_several_unknown_words_a_quiz_names_the_first():
    with pytest.raises(ValueError, match="cannot ask for 'sideways'; name forward"):
        step(toy(), quiz=["forward", "sideways", "around", "upward"])


def test_the_parameters_can_be_named():
    a, b = Value(1, "a"), Value(2, "b")
    kinds = re.findall(r'class="node (\w+)"', picture(step(a * b, parameters=[a])))
    assert kinds.count("parameter") == kinds.count("input") == 1


def test_only_a_value_has_steps():
    with pytest.raises(TypeError, match=r"result must be a Value, got float 2\.0"):
        step(2.0)


def chain(nodes):
    """A chain of so many nodes, an odd number, without a neuron."""
    result = Value(0)
    for _ in range(nodes // 2):
        result = result + 1
    return result


@pytest.mark.parametrize("quiz", [False, True])
def test_too_many_nodes_are_refused_with_what_would_work(quiz):
    asked = "a quiz about 1301 nodes" if quiz else r"1301 nodes, and \d+ once folded,"
    x = Value(0.5, "x")
    values = [x]
    random.seed(1)
    for k in range(650):  # nothing in it repeats itself
        values.append(random.choice([values[-1].sin, values[-1].cos])() * values[k * k % (k + 1)])
    result = values[-1]
    with pytest.raises(ValueError, match=f"{asked} .* at most 650"):
        step(result, quiz=quiz)


def whole(stepper):
    return page(stepper.html, stepper._about)


def large():
    """The loss of a network of 49 neurons, of which a layer of 24 is more than a picture shows."""
    result = squared_error(MLP(2, [24, 24, 1], seed=1)([0.1, 0.5]), 1.0)
    assert len(Graph(result)) > 650
    return result


def test_a_large_network_is_walked_neuron_by_neuron():
    stepper = step(large())
    walked = [s for s in steps(stepper) if s["pass"] != "update"]
    assert len(walked) < 100
    assert [len(s["nodes"]) for s in walked[1:4]] == [2, 2, 2]  # Σ and then its activation
    assert {*data(stepper)["several"].values()} == {"19 more"}


def test_a_large_network_shows_the_numbers_that_were_drawn():
    stepper = step(large())
    texts = asked(stepper, "[...walk.texts()].map(([key, changes]) => [key, changes.at(-1)[1]])")
    svg = picture(stepper)
    drawn = {}
    for kind, group in re.findall(r'<g id="(\w+)" class="(?:wire|edge)">(.*?)</g>', svg, re.DOTALL):
        for part, text in re.findall(r'\b(value|grad)"[^>]*>([^<]*)<', group):
            drawn[f"#{kind} text.{part}"] = text
    followed = dict(texts)
    assert len(drawn) > 30
    assert {key: followed.get(key) for key in drawn} == drawn


def test_650_nodes_make_a_page_below_2_mb():
    result = Value(0.5, "x")
    while len(Graph(result)) < 640:
        result = (result * Value(0.9, f"w_{{{len(Graph(result))}}}")).tanh()
    assert len(whole(step(result)).encode()) < 2_000_000


def test_marimo_shows_the_page_in_a_frame():
    kind, html = step(toy())._mime_()
    (frame,) = Elements(html).tags
    assert kind == "text/html"
    assert frame[0] == "iframe"
    assert frame[1]["srcdoc"] == whole(step(toy()))


def test_a_row_of_the_table_is_an_object_of_functions_for_the_page():
    negative = '"neg": {value: (m, x) => -x, partials: [(m, x, y, z, n, f) => -1.0]},'
    assert rows().splitlines()[1] == negative


def test_the_page_knows_where_each_letter_of_a_formula_goes():
    told = templates(OPS["mul"], 2)
    assert told["formula"] == "⟦2-x⟧ × ⟦2y⟧"
    assert told["partials"] == [["⟦0y⟧", True], ["⟦0x⟧", True]]
