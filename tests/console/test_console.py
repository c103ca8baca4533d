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
DRIVER_S = 170
# The driver's own list: a step that is named there and not here, or the other way round, fails.
STEPS = re.findall(r"^await step\('([^']+)'", (ROOT / "tests/console/drive.mjs").read_text(), re.M)

pytestmark = [pytest.mark.xdist_group("console"), pytest.mark.timeout(240)]


def read_line(stream, seconds):
    """The first line within the time, or '' when there is none."""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if selector.select(end - time.monotonic()):
                return stream.readline()
    return ""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """holdfastd on free ports with a new data folder: its ready line and the folder."""
    folder = tmp_path_factory.mktemp("console")
    log = folder / "holdfastd.log"
    with open(log, "wb") as errors:
        process = subprocess.Popen(
            [BIN / "holdfastd", "--data", folder / "data", "--api-listen", "127.0.0.1:0",
             "--mqtt-listen", "127.0.0.1:0", "--device-listen", "127.0.0.1:0"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True)
    try:
        line = read_line(process.stdout, READY_S)
        assert line, f"holdfastd was not ready in {READY_S} s:\n{log.read_text()[-3000:]}"
        yield json.loads(line), folder
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def steps(server):
    """What the driver says of each step; it runs once."""
    ready, folder = server
    env = {**os.environ, "HOLDFAST_URL": ready["api"], "HOLDFAST_CA": ready["ca"],
           "HOLDFAST_SETUP": (folder / "data/setup-link").read_text().strip(),
           "HOLDFAST_AGENT": str(BIN / "holdfast-agent"),
           "SHOTS": str(ROOT / "build/test/console-shots")}
    done = subprocess.run([ROOT / "tools/node", ROOT / "tests/console/drive.mjs"], env=env, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=DRIVER_S, check=False)
    found = {}
    for line in done.stdout.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        found[entry["step"]] = entry
    if not found:
        pytest.fail(f"the driver said nothing:\n{done.stderr[-3000:]}")
    found["stderr"] = done.stderr
    found["log"] = (folder / "holdfastd.log").read_text()[-3000:]
    return found


def test_there_are_steps():
    assert len(STEPS) >= 12


@pytest.mark.parametrize("name", STEPS)
def test_console(steps, name):
    entry = steps.get(name)
    late = steps.get("in time", {}).get("detail", "")
    assert entry, f"the driver did not come to it. {late}\n{steps['stderr'][-2000:]}\n{steps['log']}"
    assert entry["ok"], f"{entry['detail']}\n--- the server's log:\n{steps['log']}"
