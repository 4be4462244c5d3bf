#!/usr/bin/env -S uv run --script
# /// script
# requires-python = ">=3.10"
# dependencies = ["nox>=2025.2.9"]
# ///
"""The checks of CONTRIBUTING.md, each in an environment of its own: `nox -s tests`."""

import nox

nox.needs_version = ">=2024.4.15"
nox.options.default_venv_backend = "uv|virtualenv"


@nox.session(python=["3.10", "3.11", "3.12", "3.13", "3.14"])
def tests(session: nox.Session) -> None:
    """The README's test command."""
    session.install(".[test]")
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """The hooks of pre-commit: lint, format, types, spelling."""
    session.install(".")
    session.run("python", ".ci/hooks")


@nox.session
def docs(session: nox.Session) -> None:
    """The site, into build/site; a warning is an error."""
    session.install(".[docs]", "pip")
    session.run("python", "docs/browser/fetch.py")
    session.run("python", "-m", "sphinx", "-W", "-b", "html", "docs", "build/site")


@nox.session
def benchmarks(session: nox.Session) -> None:
    """The ratios that the documentation quotes."""
    session.install(".", "micrograd==0.1.0")
    session.run("python", "benchmarks/engine.py")


if __name__ == "__main__":
    nox.main()
