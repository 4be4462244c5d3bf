"""What the playground's page asks of Python."""

import json
import re
import subprocess
import sys

import pytest

from micrograd_lab import Graph, expression, lecture, step
from micrograd_lab.playground.answers import EXAMPLES, answer, page


def ask(**question):
    return json.loads(answer(json.dumps({"numbers": {}} | question)))


def record(html):
    """The record that a page carries."""
    told = re.search(r'<script type="application/json">(.*?)</script>', html, re.DOTALL)
    return json.loads(told[1].replace("<\\/", "</"))


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_code_beside_a_picture_makes_the_same_page_in_a_program_of_its_own(name):
    told = ask(example=name)
    program = f"import sys\n{told['code']}".rstrip()
    *before, last = program.split("\n")
    program = "\n".join([*before, f"sys.stdout.write({last}.html)"])
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.decode() == told["html"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_code_at_other_numbers_has_these_numbers(name):
    nodes = record(ask(example=name)["html"])["nodes"]
    names = ask(example=name)["names"]
    leaf = next(i for i, node in enumerate(nodes) if "form" not in node)
    told = ask(example=name, numbers={names[leaf]: 0.625})
    assert "0.625" in told["code"]
    changed = record(told["html"])["nodes"]
    assert changed[leaf]["data"] == 0.625
    for i, node in enumerate(nodes):
        assert i == leaf or changed[i] == node


def test_an_expression_is_recorded_at_its_numbers():
    told = ask(expression="f = w*x + b", numbers={"w": -2, "x": 5, "b": 3})
    assert told["numbers"] == {"w": -2, "x": 5, "b": 3}
    assert told["names"] == ["w", "x", "b", "v4", "f"]
    assert told["html"] == step(expression("f = w*x + b", {"w": -2, "x": 5, "b": 3})).html


def test_a_name_without_a_number_is_1_and_one_that_is_not_read_is_left_out():
    assert ask(expression="w*y", numbers={"w": -2, "x": 5})["numbers"] == {"w": -2, "y": 1}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("w*", "cannot read 'w*'"),
        ("2x", "write * for a product"),
        ("sigmod(x)", "did you mean sigmoid?"),
        ("log(-x)", "log"),
        ("__import__('os').system('true')", "is not understood"),
        ('"x" + 1', "is not understood"),
        ("", "nothing to compute"),
    ],
)
def test_an_error_is_in_the_words_of_the_package(text, says):
    assert says in ask(expression=text)["error"]


@pytest.mark.parametrize("number", ["1e400", "NaN", "[]", '"1"'])
def test_a_number_that_is_none_is_an_error(number):
    question = f'{{"expression": "x*x", "numbers": {{"x": {number}}}}}'
    assert list(json.loads(answer(question))) == ["error"]


def test_a_name_that_is_typed_with_a_number_has_to_be_read():
    told = ask(expression="w*y", numbers={"w": -2, "x": 5}, typed="w = 3, y: 2", wants="code")
    assert told["numbers"] == {"w": 3, "y": 2}
    assert "X has a number" in ask(expression="w*x", typed="X=3")["error"]
    assert "beyond 1.8e308" in ask(expression="w*x", typed="w=1e400")["error"]


def test_a_large_number_is_written_as_it_was():
    assert '"x": 1e+300' in ask(expression="x+1", typed="x=1e300", wants="code")["code"]


@pytest.mark.parametrize(("name", "last"), [("toy", "rate=0.25)\n"), ("mlp", ", rate=0.25)\n")])
def test_a_rate_is_in_the_last_line_once(name, last):
    code = ask(example=name, rate=0.25, wants="code")["code"]
    assert code.endswith(last)
    assert code.count("rate=") == 1


@pytest.mark.parametrize(
    "question", ["[]", "{", '{"numbers": 1}', '{"numbers": {}, "wants": "/x.svg"}', "null"]
)
def test_what_is_no_question_gets_an_error(question):
    assert list(json.loads(answer(question))) == ["error"]


def test_an_example_that_is_not_there_is_named():
    assert ask(example="gpt")["error"].startswith("there is no example 'gpt'; there are toy, ")


def test_a_name_that_means_something_in_python_or_html_stays_a_name():
    told = ask(expression="f = step*expression", numbers={"step": 2, "expression": 3})
    assert told["names"] == ["step", "expression", "f"]
    assert "σ" in ask(expression="σ = sigmoid(x)")["code"]


@pytest.mark.parametrize(
    ("kind", "begins"), [("html", "<!doctype html>"), ("svg", "<svg"), ("tex", "% In a document")]
)
def test_a_file_has_the_present_numbers(kind, begins):
    told = ask(example="network", numbers={"x_1": 0.875}, wants=kind)["file"]
    assert told.startswith(begins)
    assert "0.875" in told


def test_the_page_shows_a_picture_before_anybody_answers():
    told = page('<a href="../">home</a>')
    assert told.count('<div class="micrograd-stepper">') == 1
    assert '<a href="../">home</a>' in told
    assert all(f'<button type="button" value="{name}">' in told for name in EXAMPLES)


def test_the_examples_are_those_of_the_lecture():
    network = record(ask(example="network")["html"])
    assert len(network["nodes"]) == len(Graph(lecture.network().result))
