"""The playground on this machine, for requests and for browsers."""

import threading

import pytest

from micrograd_lab.playground.server import Server


@pytest.fixture(scope="session")
def server():
    with Server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
