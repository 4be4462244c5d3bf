"""Programs written for micrograd, its lecture and microgpt, with only the import changed."""

import contextlib
import io
import re
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).with_name("programs")
OWN = {
    "lecture": "value_with_closures",
    "demo": "value_with_closures",
    "gpt": "value_with_slopes",
}


def text_of(name):
    return (PROGRAMS / f"{name}.txt").read_text("utf-8")


def printed(program):
    """What a program prints."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(compile(program, "<program>", "exec"), {"__name__": "__main__"})
    return out.getvalue()


@pytest.mark.parametrize("name", OWN)
def test_a_program_prints_what_it_does_with_a_value_of_its_own(name):
    program = text_of(name)
    with_its_own = program.replace("from micrograd_lab import Value\n", text_of(OWN[name]))
    assert with_its_own != program
    ours, theirs = printed(program).splitlines(), printed(with_its_own).splitlines()
    assert ours == theirs
    assert len(re.findall(r"\d\.\d{4}", "\n".join(ours))) >= 10
