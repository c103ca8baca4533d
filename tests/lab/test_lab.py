"""The harness itself: that it fails when it should, and what is rarely used works."""
import time

import pytest

from tests import lab
from tests.lab import netns, tpm
from tests.lab.contract import contract
from tests.lab.process import run


class FakeAnswer:
    """An answer as lab.api makes them."""

    def __init__(self, status, body, kind="application/json", headers=()):
        self.status, self.json, self.body, self.text = status, body, b"x", str(body)
        self._headers = {"Content-Type": kind, "X-Request-Id": "req_1", **dict(headers)}

    def header(self, name):
        return self._headers.get(name)


def problem(code="not-found", status=404, **more):
    return {"type": f"/problems/{code}", "title": "x", "status": status, "code": code,
            "request_id": "req_1", **more}


def test_a_good_answer_passes():
    contract().check("GET", "/healthz", FakeAnswer(200, {"status": "ok"}))
    contract().check("GET", "/v1/devices/x", FakeAnswer(404, problem(), "application/problem+json"))


@pytest.mark.parametrize("method, path, answer", [
    ("GET", "/healthz", FakeAnswer(200, {"status": "fine"})),
    ("GET", "/healthz", FakeAnswer(200, {"status": "ok", "extra": 1})),
    ("GET", "/healthz", FakeAnswer(200, {"status": "ok"}, "text/plain")),
    ("GET", "/healthz", FakeAnswer(302, {})),
    ("GET", "/no/such/route", FakeAnswer(200, {})),
    ("GET", "/v1/sites/x", FakeAnswer(200, {})),
    ("GET", "/v1/devices/x", FakeAnswer(404, problem(), "application/json")),
    ("GET", "/v1/devices/x", FakeAnswer(404, problem("no-such-code"), "application/problem+json")),
    ("GET", "/v1/devices/x", FakeAnswer(410, problem(status=410), "application/problem+json")),
    ("GET", "/v1/devices/x", FakeAnswer(404, problem(surprise=1), "application/problem+json")),
])
def test_a_bad_answer_fails(method, path, answer):
    with pytest.raises(AssertionError):
        contract().check(method, path, answer)


def test_wait_for_gives_the_value_and_keeps_its_deadline():
    values = iter([0, None, "there"])
    assert lab.wait_for(lambda: next(values), 5) == "there"
    begin = time.monotonic()
    with pytest.raises(AssertionError, match="not within 0.1 s: the moon"):
        lab.wait_for(lambda: False, 0.1, "the moon")
    assert time.monotonic() - begin < 2


def test_a_failing_program_says_what_it_said():
    with pytest.raises(AssertionError, match="Unable to load"):
        run("openssl", "x509", "-in", "/dev/null")


def test_literal_paths_win_over_templates():
    assert contract().find("GET", "/v1/devices/facets").id == "get_device_facets"
    assert contract().find("GET", "/v1/devices/dev_1?x=y").id == "get_device"
    assert contract().find("GET", "/v1/devices/a/b") is None


def test_software_tpm(tmp_path):
    with tpm.software_tpm(tmp_path) as tcti:
        assert tcti.startswith("swtpm:host=127.0.0.1,port=")


def test_namespaces_can_be_cut(tmp_path):
    if not netns.available():
        pytest.skip("no right to make network namespaces here")
    with netns.pair() as (left, right):
        listener = lab.Program(right.command(
            "/usr/bin/python3", "-c", "import socket; s = socket.create_server(('', 4711)); "
            "print('ready', flush=True)\nwhile True: s.accept()[0].close()"), tmp_path / "log")
        try:
            assert listener.line() == "ready"
            reach = ["/usr/bin/python3", "-c", "import socket, sys; "
                     f"socket.create_connection(('{right.address}', 4711), 2)"]
            assert left.run(*reach, check=False).returncode == 0
            left.cut()
            assert left.run(*reach, check=False).returncode != 0
            left.mend()
            lab.wait_for(lambda: left.run(*reach, check=False).returncode == 0, 20, "mended")
        finally:
            listener.terminate()
