"""What a type checker says of a user's program, and of the package's public names."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

USER = Path(__file__).with_name("user_program.txt").read_text("utf-8")
WRONG = """\
from micrograd_lab import MLP, Value

Value(1).sigmod()
Value(1).leaky_relu("0.2")
MLP(2, [1])([1, 2]).backwards()
"""
MYPY = ["mypy", "--strict", "--cache-dir", ".mypy", "--python-executable", sys.executable]
CHECKERS = {"mypy": MYPY, "pyright": ["pyright"]}
ENVIRONMENT = os.environ | {
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
    "VIRTUAL_ENV": sys.prefix,
    "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1",
}


def run(command, folder):
    pytest.importorskip(command[0])
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("checker", CHECKERS)
def test_a_users_program_has_no_type_errors(checker, tmp_path):
    (tmp_path / "user.py").write_text(USER, "utf-8")
    done = run([*CHECKERS[checker], "user.py"], tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("checker", CHECKERS)
def test_a_misspelt_operation_is_a_type_error(checker, tmp_path):
    (tmp_path / "wrong.py").write_text(WRONG, "utf-8")
    done = run([*CHECKERS[checker], "wrong.py"], tmp_path)
    said = [line for line in done.stdout.splitlines() if "error" in line and "wrong.py:" in line]
    assert [line.partition("wrong.py:")[2][0] for line in said] == ["3", "4", "5"]
    assert "sigmod" in said[0]


def test_the_public_names_have_types(tmp_path):
    done = run(
        ["pyright", "--verifytypes", "micrograd_lab", "--ignoreexternal", "--outputjson"], tmp_path
    )
    report = json.loads(done.stdout)["typeCompleteness"]
    if not report["packageRootDirectory"]:
        pytest.skip("pyright looks up installed packages only; this one is a link to its source")
    assert report["completenessScore"] >= 0.98
