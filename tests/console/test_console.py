"""The console in Chromium against the real server and agent: each step of drive.mjs is a test."""
import json
import os
import pathlib
import re
import selectors
import signal
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("HOLDFAST_BIN", ROOT / "build/bin"))
READY_S = 60
STOP_S = 15
DRIVER_S = 235
POLL_S = 0.1
# The driver's own list: a step that is named there and not here, or the other way round, fails.
STEPS = re.findall(r"^await step\('([^']+)'", (ROOT / "tests/console/drive.mjs").read_text(), re.M)

pytestmark = [pytest.mark.xdist_group("console"), pytest.mark.timeout(320)]


def read_line(stream, seconds):
    """The first line within the time, or '' when there is none."""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if selector.select(end - time.monotonic()):
                return stream.readline()
    return ""


class Server:
    """holdfastd in `folder`, on free ports that stay the same when it starts again."""

    def __init__(self, folder):
        self.folder, self.log = folder, folder / "holdfastd.log"
        self.ports = {"api": 0, "mqtt": 0, "device": 0}
        self.process = self.ready = None

    def start(self):
        listen = [f"--{name}-listen=127.0.0.1:{port}" for name, port in self.ports.items()]
        with open(self.log, "ab") as errors:
            self.process = subprocess.Popen(
                [BIN / "holdfastd", "--data", self.folder / "data", *listen],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True)
        line = read_line(self.process.stdout, READY_S)
        assert line, f"holdfastd was not ready in {READY_S} s:\n{self.log.read_text()[-3000:]}"
        self.ready = json.loads(line)
        self.ports = {name: self.ready[name].rsplit(":", 1)[1] for name in self.ports}

    def kill9(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill9()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    one = Server(tmp_path_factory.mktemp("console"))
    try:
        one.start()
        yield one
    finally:
        one.stop()


def drive(server, env):
    """Runs the driver, and does what it asks for meanwhile; its two outputs."""
    out, err = server.folder / "driver.out", server.folder / "driver.err"
    with open(out, "wb") as lines, open(err, "wb") as errors:
        driver = subprocess.Popen([ROOT / "tools/node", ROOT / "tests/console/drive.mjs"], env=env,
                                  stdin=subprocess.DEVNULL, stdout=lines, stderr=errors)
    please = server.folder / "restart-please"
    end = time.monotonic() + DRIVER_S
    try:
        while driver.poll() is None and time.monotonic() < end:
            if please.exists():
                please.unlink()
                server.kill9()
                server.start()
            time.sleep(POLL_S)
    finally:
        if driver.poll() is None:
            driver.kill()
            driver.wait()
    return out.read_text(), err.read_text()


@pytest.fixture(scope="module")
def steps(server):
    """What the driver says of each step; it runs once."""
    ready, folder = server.ready, server.folder
    env = {**os.environ, "HOLDFAST_URL": ready["api"], "HOLDFAST_CA": ready["ca"],
           "HOLDFAST_SETUP": (folder / "data/setup-link").read_text().strip(),
           "HOLDFAST_AGENT": str(BIN / "holdfast-agent"),
           "HOLDFAST_BRIDGE": str(folder), "SHOTS": str(ROOT / "build/test/console-shots")}
    said, complained = drive(server, env)
    found = {}
    for line in said.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        found[entry["step"]] = entry
    if not found:
        pytest.fail(f"the driver said nothing:\n{complained[-3000:]}")
    found["stderr"] = complained
    found["log"] = server.log.read_text()[-3000:]
    return found


def test_there_are_steps():
    assert len(STEPS) >= 12


@pytest.mark.parametrize("name", STEPS)
def test_console(steps, name):
    entry = steps.get(name)
    late = steps.get("in time", {}).get("detail", "")
    assert entry, f"the driver did not come to it. {late}\n{steps['stderr'][-2000:]}\n{steps['log']}"
    assert entry["ok"], f"{entry['detail']}\n--- the server's log:\n{steps['log']}"
