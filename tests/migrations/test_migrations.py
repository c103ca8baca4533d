"""Folders of every earlier version: today's program opens them and keeps all that is in them; it
refuses a newer one untouched, and a kill while it opens one leaves a folder that opens."""
import contextlib
import hashlib
import json
import pathlib
import random
import sqlite3
import subprocess
import tarfile
import time

import pytest

from tests import lab
from tests.lab.device import curl, post_request
from tests.migrations import population

FIXTURES = sorted((pathlib.Path(__file__).parent / "fixtures").glob("*.tar.xz"))
# A fixture is years old one day: nothing of it may be too old.
KEEP = ("--retention-readings", "36500d", "--retention-events", "36500d", "--retention-jobs",
        "36500d")
KILLS = 12
# Made before the format of event files was settled (HFEVTS02): those are left out, and the log says so.
BEFORE_EVENTS = {"2026-11-first.tar.xz"}
each_fixture = pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: path.name)


class Opened:
    """A fixture unpacked, with a server on it that a test starts."""

    def __init__(self, fixture, folder):
        with tarfile.open(fixture) as archive:
            archive.extractall(folder)
        for path in (folder / "data").rglob("*"):
            path.chmod(0o700 if path.is_dir() else 0o600)
        self.record = json.loads((folder / "record.json").read_text())
        self.server = lab.Server(folder, KEEP)
        self.has_events = fixture.name not in BEFORE_EVENTS

    def check(self):
        answers = [asked for asked in self.record["answers"]
                   if self.has_events or not asked["path"].endswith(("/events", "/timeline"))]
        population.check(self.server.api, answers)
        left_out = "not an event file of this version" in self.server.program.log_text()
        assert left_out != self.has_events


@pytest.fixture
def opened(fixture, tmp_path):
    one = Opened(fixture, tmp_path)
    yield one
    one.server.close()


def test_there_is_a_fixture():
    assert FIXTURES, "tests/migrations/make_fixture.py makes one"


def test_the_comparison_can_fail():
    old = [{"id": "a", "name": "x", "tags": {"k": "v"}}, {"id": "b", "name": "y"}]
    assert not population.missing(old, old + [{"id": "c"}], "list")
    assert not population.missing(old, list(reversed(old)), "list")
    assert population.missing(old, old[1:], "list") == ["list[a] is gone"]
    changed = [{"id": "a", "name": "x", "tags": {}}, {"id": "b", "name": "z"}]
    assert len(population.missing(old, changed, "list")) == 2
    assert population.missing([1.5, 2], [1.5], "points") and population.missing([1], [2], "points")


@each_fixture
def test_nothing_is_lost(opened):
    server = opened.server.start()
    opened.check()
    audit = server.api.post("/v1/audit/verify", {"checkpoints": [opened.record["checkpoint"]]})
    assert audit["ok"] is True, audit
    assert audit["entries_checked"] > 10
    server.restart()
    opened.check()


@each_fixture
def test_secrets_go_on_working(opened):
    server = opened.server.start()
    secrets = opened.record["secrets"]
    assert server.api.with_token(secrets["token"]).get("/v1/devices")["items"]
    assert server.api.with_token(secrets["revoked_token"]).call("GET", "/v1/devices").status == 401
    signed_in = server.api.with_token(None).call("POST", "/v1/session", secrets["user"])
    assert signed_in.status == 201, signed_in.text
    wrong = dict(secrets["user"], password="not this one")
    assert server.api.with_token(None).call("POST", "/v1/session", wrong).status == 401


@each_fixture
def test_the_folder_goes_on_living(opened):
    server = opened.server.start()
    before = {d["id"] for d in server.api.items("/v1/devices")}
    device = server.enrol(name="a newcomer")
    device.publish("telemetry/lab", '{"temp": 77.5}')
    assert [p["value"] for p in server.api.points(device.id, "lab.temp")] == [77.5]
    assert {d["id"] for d in server.api.items("/v1/devices")} == before | {device.id}
    # The claim that waits is known: it is the request that is wrong, until the claim's time is over.
    status, _, _ = post_request(server, opened.record["secrets"]["open_claim"], b"no request")
    assert status in (400, 401, 403), status
    status, _, _ = curl(server, "GET", "/.well-known/est/cacerts")
    assert status == 200
    opened.check()


def contents(folder):
    """Everything below a folder that is not the database's, by digest; of it, its rows."""
    out = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith("holdfast.db"):
            out[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
    with contextlib.closing(sqlite3.connect(folder / "holdfast.db")) as database:
        out["rows"] = list(database.iterdump())
    return out


@each_fixture
@pytest.mark.parametrize("domain", ["core", "a domain of tomorrow"])
def test_a_newer_folder_is_refused_untouched(opened, domain):
    data = opened.server.data
    with contextlib.closing(sqlite3.connect(data / "holdfast.db")) as database:
        database.execute("INSERT INTO migration (domain, number, name, at) VALUES (?, 9999, 'x', 1)",
                         (domain,))
        database.commit()
    before = contents(data)
    opened.server.launch()
    assert opened.server.program.line(60) is None, "it must not become ready"
    assert opened.server.program.wait(30) != 0
    log = opened.server.program.log_text()
    assert "newer version" in log and f"{domain} 9999" in log, log[-2000:]
    assert contents(data) == before


@each_fixture
def test_a_kill_while_it_opens_leaves_a_folder_that_opens(fixture, opened, tmp_path):
    """Migrations are one transaction each: whatever the moment, the next start goes on."""
    begin = time.monotonic()
    opened.server.start()
    whole = time.monotonic() - begin
    opened.server.kill9()
    chosen = random.Random(7)
    folder = tmp_path / "again"
    folder.mkdir()
    again = Opened(fixture, folder)
    with contextlib.closing(again.server) as server:
        for kill in range(KILLS):
            server.launch()
            try:
                server.program.wait(chosen.uniform(0, whole))
            except subprocess.TimeoutExpired:
                pass
            server.kill9()
            if kill % 4 == 3:
                server.start()
                again.check()
                server.kill9()
        server.start()
        again.check()
