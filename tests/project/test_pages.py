"""The pages of the documentation, and the `conftest.py` that runs their examples."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_somewhere(page):
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text("utf-8"))
    missing = [link for link in links if not (page.parent / link).exists()]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_session_and_command_of_a_page_is_in_a_block_that_runs(page):
    text = page.read_text("utf-8")
    runs = {"pycon": ">>> ", "console": "$ "}
    for prompt in runs.values():
        prompted = re.findall(rf"^{re.escape(prompt)}.*", text, re.MULTILINE)
        inside = [
            line
            for language, block in BLOCK.findall(text)
            if runs.get(language) == prompt
            for line in block.splitlines()
            if line.startswith(prompt)
        ]
        assert inside == prompted


PLANTED = {  # a page, and of each of its examples whether it passes, fails or is skipped
    "names_stay": ("```python\nx = 1\n```\n\n```pycon\n>>> x\n1\n```\n", ".."),
    "names_end_with_their_page": ("```pycon\n>>> x\n1\n```\n", "F"),
    "another_output": ("```pycon\n>>> 1 + 1\n3\n```\n", "F"),
    "an_error": ("```python\n1 / 0\n```\n", "F"),
    "a_command": ("```console\n$ micrograd-lab --help\n```\n", "."),
    "a_failing_command": ("```console\n$ micrograd-lab --frob\n```\n", "F"),
    "a_command_of_others": ("```console\n$ pip install . && micrograd-lab --frob\n```\n", "."),
    "an_error_that_is_shown": (
        "```console\n$ micrograd-lab --frob\nmicrograd-lab: ... --help\n```\n",
        ".",
    ),
    "what_is_printed": ("```console\n$ micrograd-lab --help\nusage: ...\n```\n", "."),
    "what_is_not_printed": ("```console\n$ micrograd-lab --help\nabuse: ...\n```\n", "F"),
    "what_is_missing": (
        '<!-- skip: next if(missing("none")) -->\n\n```python\n1 / 0\n```\n\n```python\n1\n```\n',
        ".s.",
    ),
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """What a run of the planted pages shows."""
    folder = tmp_path_factory.mktemp("planted")
    (folder / "conftest.py").write_text(ROOT.joinpath("conftest.py").read_text("utf-8"), "utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "docs").mkdir()
    for name, (page, _) in PLANTED.items():
        (folder / "docs" / f"{name}.md").write_text(page, "utf-8")
    environment = {k: v for k, v in os.environ.items() if "COLOR" not in k and "PYTEST" not in k}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--tb=no", "docs"],
        cwd=folder, capture_output=True, text=True, check=False,
        env=environment | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
    )  # fmt: skip
    return dict(re.findall(r"^docs.(\w+)\.md ([.Fs]+)", done.stdout, re.MULTILINE))


@pytest.mark.slow
@pytest.mark.parametrize("name", PLANTED)
def test_what_a_page_says_is_compared_with_what_its_blocks_give(outcomes, name):
    assert outcomes[name] == PLANTED[name][1]
