"""The command line's fixed faces at size, signing in as people do, and streams that outlive a
server."""
import json
import re
import stat

import pytest

from tests import lab
from tests.lab import terminal
from tests.lab.process import Program, binary, run

POINTS = 200_000
BATCH = 5_000
FIRST_S = 1_795_000_000  # 2026-11-18
PASSWORD = "correct horse battery staple"


def bare(server, **more):
    """No server, no token: what a new account on this machine has."""
    return {"HOLDFAST_SERVER": "", "HOLDFAST_CA": "", "HOLDFAST_TOKEN": "", "NO_COLOR": "",
            "HOME": str(server.folder / "home"), "XDG_CONFIG_HOME": "", **more}


# ---- faces

def test_query_of_200000_points(shared):
    """Unlimited, oldest first, RFC 3339, each once."""
    device = shared.enrol(name="two hundred thousand")
    with device.mqtt() as mqtt:
        for start in range(0, POINTS, BATCH):
            batch = [{"time": FIRST_S + n / 4, "n": n} for n in range(start, start + BATCH)]
            assert mqtt.publish("telemetry/lab", json.dumps(batch)) == 0
    span = ("--from", "2026-11-01T00:00:00Z", "--to", "2026-12-31T00:00:00Z")
    whole = shared.cli_json("telemetry", "query", device.id, "lab.n", *span)
    assert list(whole) == ["points"]
    points = whole["points"]
    assert [p["value"] for p in points] == list(range(POINTS))
    assert all(list(p) == ["time", "value"] for p in points)
    form = re.compile(r"2026-11-1[89]T\d\d:\d\d:\d\d(\.\d+)?Z")
    assert all(form.fullmatch(p["time"]) for p in points)
    lines = shared.cli("telemetry", "query", device.id, "lab.n", *span).stdout.decode().split("\n")
    assert lines[0] == points[0]["time"] + "\t0" and len(lines) == POINTS + 1
    newest = shared.cli_json("telemetry", "query", device.id, "lab.n", *span, "--order", "desc",
                             "--limit", "3")["points"]
    assert [p["value"] for p in newest] == [POINTS - 1, POINTS - 2, POINTS - 3]


def test_claim_into_the_agent(shared, tmp_path):
    """`holdfast enrol claim | holdfast-agent join -` is the whole of it."""
    made = shared.cli("enrol", "claim", "--name", "by a pipe")
    code = made.stdout.decode()
    assert re.fullmatch(r"hf1\.[A-Za-z0-9_-]+\n", code), "the code, and nothing else"
    run(binary("holdfast-agent"), "join", "-", "--state", tmp_path / "state", text_in=code)
    names = [item["name"] for item in shared.cli_json("device", "list")["items"]]
    assert "by a pipe" in names


# ---- signing in

@pytest.fixture(scope="module")
def anna(shared):
    shared.cli("user", "create", "anna", "--role", "administrator", "--all-sites",
               text_in=PASSWORD + "\n")
    return "anna"


def test_signing_in_on_a_terminal(shared, anna):
    here = bare(shared)
    seen = terminal.run(binary("holdfast"), "login", shared.ready["api"], "--ca", shared.ca,
                        "--user", anna, typed=PASSWORD + "\n", environment=here)
    assert seen.returncode == 0, seen.err
    assert "Password" in seen.err and "administrator" in seen.err
    assert "\n" in seen.out or seen.out == "", "nothing but the line break"
    stored = shared.folder / "home/.config/holdfast/config.json"
    assert stat.S_IMODE(stored.stat().st_mode) == 0o600
    assert PASSWORD not in stored.read_text()
    # From here on no argument and no variable is needed.
    who = json.loads(run(binary("holdfast"), "whoami", "--json", environment=here).stdout)
    assert who["actor"]["name"] == "anna"
    run(binary("holdfast"), "device", "list", environment=here)
    # What is stored for one server goes to no other.
    other = run(binary("holdfast"), "whoami", check=False,
                environment=bare(shared, HOLDFAST_SERVER="https://localhost:9"))
    assert other.returncode == 8
    run(binary("holdfast"), "logout", environment=here)
    assert run(binary("holdfast"), "whoami", environment=here, check=False).returncode == 4


def test_a_wrong_password(shared, anna):
    done = run(binary("holdfast"), "login", shared.ready["api"], "--ca", shared.ca, "--user", anna,
               text_in="wrong wrong wrong\n", environment=bare(shared), check=False)
    assert done.returncode == 4 and b"mend:" in done.stderr, done.stderr
    assert b"wrong wrong wrong" not in done.stdout + done.stderr


def test_signing_in_with_a_token_from_a_pipe(shared, tmp_path):
    made = shared.cli_json("token", "create", "piped", "--kind", "service", "--role", "viewer")
    here = bare(shared, HOME=str(tmp_path))
    run(binary("holdfast"), "login", shared.ready["api"], "--ca", shared.ca, "--token-file", "-",
        text_in=made["secret"] + "\n", environment=here)
    assert json.loads(run(binary("holdfast"), "whoami", "--json", environment=here).stdout)
    listed = run(binary("holdfast"), "context", "list", "--json", environment=here).stdout
    assert json.loads(listed)["items"][0]["server"] == shared.ready["api"]


def test_a_server_that_nobody_vouches_for(shared, tmp_path):
    here = bare(shared, HOME=str(tmp_path), HOLDFAST_SERVER=shared.ready["api"],
                HOLDFAST_TOKEN=shared.admin_token)
    done = run(binary("holdfast"), "device", "list", environment=here, check=False)
    assert done.returncode == 4 and b"server-untrusted" in done.stderr, done.stderr
    assert shared.admin_token.encode() not in done.stdout + done.stderr
    missing = run(binary("holdfast"), "device", "list", "--ca", "/nowhere.pem", environment=here,
                  check=False)
    assert missing.returncode == 3 and b"/nowhere.pem" in missing.stderr, missing.stderr


def test_an_account_that_never_signed_in(shared, tmp_path):
    done = run(binary("holdfast"), "device", "list", check=False,
               environment=bare(shared, HOME=str(tmp_path)))
    assert done.returncode == 4 and b"holdfast login" in done.stderr, done.stderr
    assert list(tmp_path.iterdir()) == [], "looking left something behind"


def test_contexts(shared, tmp_path):
    here = bare(shared, HOME=str(tmp_path))
    for name in ("one", "two"):
        made = shared.cli_json("token", "create", name, "--kind", "service", "--role", "viewer")
        run(binary("holdfast"), "login", shared.ready["api"], "--ca", shared.ca, "--context", name,
            "--token-file", "-", text_in=made["secret"] + "\n", environment=here)

    def current():
        who = json.loads(run(binary("holdfast"), "whoami", "--json", environment=here).stdout)
        return who["actor"]["name"]

    assert current() == "two"
    run(binary("holdfast"), "context", "use", "one", environment=here)
    assert current() == "one"
    run(binary("holdfast"), "context", "remove", "one", environment=here)
    assert current() == "two"
    assert run(binary("holdfast"), "context", "use", "one", environment=here,
               check=False).returncode == 3


def test_a_browser_trusts_the_server_afterwards(shared, tmp_path):
    """`trust install` puts the CA into the store that Chromium and its relatives read."""
    shared.cli("trust", "install", environment={"HOME": str(tmp_path)})
    listed = run("certutil", "-d", f"sql:{tmp_path}/.pki/nssdb", "-L", "-n", "Holdfast", "-a")
    with open(shared.ca, encoding="ascii") as file:
        assert listed.stdout.decode().split() == file.read().split()


def test_an_announced_device_is_forgotten(shared, tmp_path):
    (tmp_path / "devices.csv").write_text("serial,key_sha256,name,site_id,type_id,tags\nSN-77,,,,,\n")
    shared.cli("enrol", "import", tmp_path / "devices.csv")
    assert "SN-77" in shared.cli("enrol", "registered").stdout.decode()
    shared.cli("enrol", "forget", "SN-77", "--yes")
    assert "SN-77" not in shared.cli("enrol", "registered").stdout.decode()


# ---- streams

def test_a_tail_outlives_the_server(server, tmp_path):
    """The server is killed and comes back: the tail goes on by itself and misses nothing that was
    stored afterwards."""
    device = server.enrol(name="tailed")
    # The bootstrap token is another one after a start.
    token = server.cli_json("token", "create", "tail", "--kind", "service", "--role", "viewer")
    environment = {"HOLDFAST_SERVER": server.ready["api"], "HOLDFAST_CA": str(server.ca),
                   "HOLDFAST_TOKEN": token["secret"], "HOME": str(tmp_path)}
    tail = Program([binary("holdfast"), "telemetry", "tail", device.id, "lab.temp", "--json"],
                   tmp_path / "tail.log", environment)
    try:
        lines = []

        def comes(value):
            lines.extend(tail.pending_lines())
            return any(f'"value":{value}' in line for line in lines)

        def publish_until(value):
            with device.mqtt() as mqtt:
                lab.wait_for(lambda: mqtt.publish("telemetry/lab", json.dumps({"temp": value})) == 0
                             and comes(value), 40, lambda: lines[-3:] + [tail.log_tail()])

        publish_until(1.5)
        server.kill9()
        server.start()
        publish_until(2.5)
        assert tail.running
        assert all(isinstance(json.loads(line), dict) for line in lines)
    finally:
        tail.terminate()


def test_a_reader_that_goes_away_ends_it(shared):
    """`holdfast ... | head -1` leaves nothing running and complains to nobody."""
    script = '"$0" audit list | head -1; echo "${PIPESTATUS[0]}"'
    environment = {"HOLDFAST_SERVER": shared.ready["api"], "HOLDFAST_CA": str(shared.ca),
                   "HOLDFAST_TOKEN": shared.admin_token}
    done = run("bash", "-c", script, binary("holdfast"), environment=environment)
    assert done.stderr == b"" and done.stdout.count(b"\n") == 2, (done.stdout, done.stderr)
