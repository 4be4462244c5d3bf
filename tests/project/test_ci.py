"""The scripts that `.ci/run` is made of."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not ROOT.joinpath(".ci").exists(), reason="not in a source distribution"),
]

PASSES = "def test_one():\n    pass\n"
SKIPS = "import pytest\ndef test_planted():\n    pytest.skip()\n"
MISSES = "import pytest\npytest.importorskip('no_such_package')\n"


def checked(tmp_path, program, **environment):
    """What `.ci/skipped` says about a file of tests, and with which exit status."""
    file, report = tmp_path / "test_it.py", tmp_path / "report.xml"
    file.write_text(program)
    colourless = {k: v for k, v in os.environ.items() if "COLOR" not in k and "PYTEST" not in k}
    subprocess.run(
        [sys.executable, "-m", "pytest", "-c", os.devnull, f"--junitxml={report}", file],
        env=colourless | environment, capture_output=True, check=False,
    )  # fmt: skip
    done = subprocess.run(
        [sys.executable, ROOT / ".ci" / "skipped", report],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stderr


@pytest.mark.parametrize("setting", ["FORCE_COLOR", "PY_COLORS", "NO_COLOR", "TERM"])
def test_a_skipped_test_is_found_whatever_the_colours(tmp_path, setting):
    expected = 1, "1 of 1 tests skipped: test_planted\n"
    assert checked(tmp_path, SKIPS, **{setting: "1"}) == expected


def test_a_file_that_is_skipped_as_a_whole_is_found(tmp_path):
    status, message = checked(tmp_path, MISSES)
    assert status == 1
    assert re.match("1 of 1 tests skipped: .*test_it", message)


def test_a_report_without_a_test_is_refused(tmp_path):
    assert checked(tmp_path, "") == (1, "0 of 0 tests skipped: \n")


def test_a_report_without_a_skipped_test_passes(tmp_path):
    assert checked(tmp_path, PASSES) == (0, "")


def test_the_run_takes_no_options_from_outside():
    run = ROOT.joinpath(".ci", "run").read_text("utf-8")
    assert run.index("unset PYTEST_ADDOPTS") < run.index("-m pytest")


def test_the_parts_that_defects_are_planted_in_exist_and_have_their_tests():
    program = ROOT.joinpath(".ci", "mutate").read_text("utf-8")
    (parts,) = (
        ast.literal_eval(statement.value)
        for statement in ast.parse(program).body
        if isinstance(statement, ast.Assign) and statement.targets[0].id == "PARTS"
    )
    for part, tests in parts.items():
        folder = ROOT / "micrograd_lab" / part
        assert folder.is_dir() or folder.with_suffix(".py").exists()
        assert all(ROOT.joinpath("tests", f"{name}.py").exists() for name in tests)


def test_the_defects_that_nobody_could_notice_are_of_lines_that_are_there():
    listed = ROOT.joinpath(".ci", "equivalent").read_text("utf-8")
    entries = re.findall(r"^(micrograd_lab/\S+)\n((?:[-+].*\n)+)= .+$", listed, re.MULTILINE)
    assert len(entries) == listed.count("\nmicrograd_lab/") == listed.count("\n= ")
    for file, lines in entries:
        before = re.findall(r"^-(.*)$", lines, re.MULTILINE)
        assert "\n".join(before) in ROOT.joinpath(file).read_text("utf-8"), lines
