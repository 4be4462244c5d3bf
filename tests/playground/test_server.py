"""The playground on this machine."""

import http.client
import json
import re
import signal
import socket
import subprocess
import sys

import pytest


def get(server, path="/", method="GET", body=None, **headers):
    """The status, the type and the text of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    connection.request(method, path, body, headers)
    got = connection.getresponse()
    return got.status, got.headers["Content-Type"], got.read().decode()


def test_it_has_the_page_and_what_that_loads(server):
    status, kind, page = get(server)
    assert (status, kind) == (200, "text/html; charset=utf-8")
    for name in re.findall(r'(?:src|href)="(play\.\w+)"', page):
        assert get(server, f"/{name}")[0] == 200
    assert get(server, "/answer.js")[1] == "text/javascript; charset=utf-8"
    assert get(server, "/?expression=x")[0] == 200


def test_it_answers(server):
    question = {"expression": "w*x", "numbers": {"w": 2}, "wants": "code"}
    status, _, told = get(server, "/answer", "POST", json.dumps(question))
    assert status == 200
    assert json.loads(told)["numbers"] == {"w": 2, "x": 1}


@pytest.mark.parametrize(
    "path", ["/server.py", "/../cli.py", "/examples.md", "/answer", "/%2e%2e/cli.py"]
)
def test_it_has_nothing_else(server, path):
    assert get(server, path)[0] == 404


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
    ],
    ids=str,
)
def test_a_page_of_another_host_is_refused(server, method, headers):
    body = '{"expression": "x", "numbers": {}}' if method == "POST" else None
    path = "/answer" if body else "/"
    assert get(server, path, method, body, **headers)[0] == 403


def test_this_machine_is_known_by_two_names(server):
    for host in (f"127.0.0.1:{server.server_port}", f"localhost:{server.server_port}"):
        assert get(server, Host=host, Origin=f"http://{host}")[0] == 200


def test_no_other_machine_reaches_it(server):
    assert server.server_address[0] == "127.0.0.1"


@pytest.mark.parametrize("body", ["", "x" * 200_000, "{", "[]", '{"numbers": {"x": "y"}}'])
def test_what_is_no_question_gets_an_error_and_the_server_goes_on(server, body):
    status, _, told = get(server, "/answer", "POST", body)
    assert status == 400 or "error" in json.loads(told)
    assert get(server)[0] == 200


def test_what_breaks_off_leaves_the_terminal_alone(server, capfd):
    for told in ("abc", "1e3", "-1"):
        assert get(server, "/answer", "POST", "{}", **{"Content-Length": told})[0] == 400
    with socket.create_connection(("127.0.0.1", server.server_port)) as connection:
        connection.sendall(b"POST /answer HTTP/1.1\r\nHost: x\r\n")
    assert get(server, "/answer", "POST", b"\xff\xfe")[0] == 200
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("port", ["99999", "-1"])
def test_a_port_that_is_none_is_one_line(port):
    command = [sys.executable, "-m", "micrograd_lab", "play", f"--port={port}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert "a port is from 0 to 65535" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_command_serves_until_ctrl_c():
    command = [sys.executable, "-m", "micrograd_lab", "play", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        told = process.stdout.readline()
        port = int(re.search(r"http://127\.0\.0\.1:(\d+)/;", told)[1])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("GET", "/")
        assert connection.getresponse().status == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


def test_a_port_that_is_taken_is_one_line(server):
    command = [sys.executable, "-m", "micrograd_lab", "play", "--port", f"{server.server_port}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert done.stderr == (
        f"micrograd-lab play: port {server.server_port}: Address already in use; without --port "
        "a free one is found\n"
    )
