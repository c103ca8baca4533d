"""./run: one command to a running house, and Ctrl-C to none. In a network namespace of its own, since
its ports are the real ones, and with a home of its own; what it starts is built already."""
import json
import os
import pathlib
import re
import signal
import subprocess
import time

import pytest

from tests import lab
from tests.lab import netns
from tests.lab.process import ROOT, binary, run

START_S = 60
SECOND_S = 10
pytestmark = [pytest.mark.skipif(not netns.available(), reason="no right to make network namespaces"),
              pytest.mark.xdist_group("run")]


@pytest.fixture(scope="module")
def space():
    with netns.pair() as (here, _):
        yield here


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("run")


class Running:
    """./run in the namespace, in the foreground of a session of its own, as in a terminal."""

    def __init__(self, space, home, *arguments):
        self.home = home
        self.log = home / "run.log"
        self.log.write_bytes(b"")
        self.environment = {**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": "", "HOLDFAST_SERVER": "",
                            "HOLDFAST_CA": "", "HOLDFAST_TOKEN": "",
                            "HOLDFAST_BIN": str(pathlib.Path(binary("holdfastd")).parent)}
        begin = time.monotonic()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                space.command(str(ROOT / "run"), "--no-build", "--data", str(home / "data"), *arguments),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment,
                start_new_session=True)
        self.took_s = None
        self.begin = begin

    def said(self):
        return self.log.read_text(encoding="utf-8")

    def ready(self):
        def stopped_or_ready():
            return "Ctrl-C stops it" in self.said() or self.process.poll() is not None
        lab.wait_for(stopped_or_ready, START_S, self.said)
        self.took_s = time.monotonic() - self.begin
        assert self.process.poll() is None, self.said()
        return self

    def programs(self):
        """Process ids of holdfastd and the agent that use this home."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
            except OSError:
                continue
            if words and words[0].endswith((b"/holdfastd", b"/holdfast-agent")) and \
                    any(str(self.home).encode() in word for word in words[1:]):
                found.append(int(entry.name))
        return found

    def ctrl_c(self):
        """To the whole foreground group, as a terminal does."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(30)

    def close(self):
        if self.process.poll() is None:
            self.ctrl_c()


def cli(running, space, *words, check=True):
    return run(*space.command(binary("holdfast"), *words), environment=running.environment, check=check)


def test_first_run_reads_this_machine_and_ctrl_c_ends_it(space, home):
    running = Running(space, home).ready()
    try:
        said = running.said()
        assert re.search(r"console   https://localhost:8443/setup#\S+", said), said
        for what in ("devices", "commands", "data", "recovery"):
            assert re.search(rf"^  {what} ", said, re.M), said
        assert len(running.programs()) == 2
        # The command line is signed in, without a word in the environment.
        devices = lab.wait_for(
            lambda: [d for d in json.loads(cli(running, space, "device", "list", "--json").stdout)["items"]
                     if d["presence"]["online"]], 30, running.said)
        assert len(devices) == 1

        def readings():
            done = cli(running, space, "telemetry", "metrics", devices[0]["id"], "--json")
            return {m["name"].split(".")[0] for m in json.loads(done.stdout)["items"]}

        lab.wait_for(lambda: {"cpu", "memory", "disk"} <= readings(), 40, readings)
        # It still is next month: its own credential has no end.
        tokens = json.loads(cli(running, space, "token", "list", "--json").stdout)["items"]
        assert [t["expires_at"] for t in tokens if t["name"].startswith("command line on")] == [None]
    finally:
        code = running.ctrl_c()
    assert code == 130, running.said()
    lab.wait_for(lambda: not running.programs(), 15, running.programs)


def test_second_run_is_ready_at_once_and_knows_all_again(space, home):
    running = Running(space, home).ready()
    try:
        assert running.took_s <= SECOND_S, running.said()
        assert "joining" not in running.said(), "it joined again"
        items = json.loads(cli(running, space, "device", "list", "--json").stdout)["items"]
        assert len(items) == 1
        tokens = json.loads(cli(running, space, "token", "list", "--json").stdout)["items"]
        assert len([t for t in tokens if t["name"].startswith("command line on")]) == 1
    finally:
        running.ctrl_c()


def test_another_one_beside_it_says_what_to_do_and_leaves_nothing(space, home, tmp_path):
    running = Running(space, home).ready()
    try:
        second = Running(space, tmp_path)
        assert second.process.wait(START_S) == 1
        said = second.said()
        assert "./run: holdfastd ended while starting" in said and "mend:" in said, said
        assert "already in use" in said and "Is another one running" in said, said
        assert second.programs() == []
        assert len(running.programs()) == 2, "the first one goes on"
    finally:
        running.ctrl_c()


def test_a_new_data_folder_is_joined_anew(space, home):
    """The agent's folder of a server that is gone stands in nobody's way, nor does the context of the
    command line."""
    config = home / ".config/holdfast/config.json"
    before = json.loads(config.read_text())
    for path in list(home.glob("data")) + [home / "data.seal", home / "data.ring"]:
        path.rename(path.with_name("old-" + path.name))
    other = before["contexts"] if "contexts" in before else before
    assert other
    running = Running(space, home).ready()
    try:
        lab.wait_for(
            lambda: [d for d in json.loads(cli(running, space, "device", "list", "--json").stdout)["items"]
                     if d["presence"]["online"]], 30, running.said)
    finally:
        running.ctrl_c()


def test_a_server_that_dies_is_told(space, home):
    running = Running(space, home).ready()
    server = [pid for pid in running.programs()
              if b"holdfastd" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]]
    os.kill(server[0], signal.SIGKILL)
    assert running.process.wait(30) == 1
    assert "./run: holdfastd ended" in running.said() and "mend:" in running.said()
    assert running.programs() == [], "the agent was left behind"


@pytest.mark.parametrize("arguments, hint", [
    (["--no-such"], "unknown argument"), (["--build-only"], "nothing to do"), (["--data"], "--data"),
])
def test_wrong_arguments(space, tmp_path, arguments, hint):
    done = run(str(ROOT / "run"), "--no-build", *arguments, check=False,
               environment={"HOME": str(tmp_path)})
    assert done.returncode != 0 and hint in done.stderr.decode(), done.stderr


def test_help():
    text = run(str(ROOT / "run"), "--help").stdout.decode()
    for word in ("--build-only", "--no-build", "--data", "--api-listen"):
        assert word in text
