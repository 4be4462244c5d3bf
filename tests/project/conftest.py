"""The site that Sphinx makes of ``docs``, and a server of this machine for it."""

import functools
import http.server
import subprocess
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILD = """
import socket, sys
def refuse(*_): raise OSError("the site is built without the network")
socket.socket.connect = socket.getaddrinfo = refuse
from sphinx.cmd.build import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of the site, built with warnings as errors and without a network."""
    for package in ("furo", "hatchling", "jupyterlite_core", "myst_nb", "sphinx"):
        pytest.importorskip(package, reason="pip install 'micrograd-lab[docs]'")
    folder = tmp_path_factory.mktemp("built")
    done = subprocess.run(
        [sys.executable, "-c", BUILD, "-W", "--keep-going", "-q", "-E",
         "-d", folder / "doctrees", ROOT / "docs", folder / "site"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert not done.returncode, done.stderr
    return folder / "site"


@pytest.fixture(scope="session")
def address(site):
    """Where a server of this machine has the site."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Quiet, directory=site)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
