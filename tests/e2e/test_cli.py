"""The command line: its fixed faces, exit codes, and that errors say what to do."""
import json

import pytest

from tests import lab
from tests.lab.process import Program, binary, run


@pytest.fixture(scope="module")
def device(shared):
    made = shared.enrol(name="cli lab", tags={"floor": "1"})
    made.publish("telemetry/lab", '{"temp": 20.5}')
    made.publish("telemetry/lab", '{"temp": 21.5}')
    return made


def test_claim_face(shared):
    made = shared.cli_json("enrol", "claim")
    assert set(made) == {"id", "claim", "code", "expires_at"}
    enrolled = shared.enrol(claim=made["claim"])
    assert shared.device(enrolled.id)["id"] == enrolled.id


def test_telemetry_query_face(shared, device):
    """Every raw point, oldest first, RFC 3339."""
    out = shared.cli_json("telemetry", "query", device.id, "lab.temp", "--since", "1h")
    assert [p["value"] for p in out["points"]] == [20.5, 21.5]
    assert all(p["time"].endswith("Z") and "T" in p["time"] for p in out["points"])


def test_telemetry_query_is_unlimited(shared):
    many = shared.enrol(name="many")
    with many.mqtt() as mqtt:
        for start in range(0, 15000, 5000):
            batch = [{"time": 1795000000 + n, "n": n} for n in range(start, start + 5000)]
            assert mqtt.publish("telemetry/lab", json.dumps(batch)) == 0
        whole = shared.cli_json("telemetry", "query", many.id, "lab.n", "--from",
                                "2026-11-01T00:00:00Z", "--to", "2026-12-31T00:00:00Z")
    values = [p["value"] for p in whole["points"]]
    assert values == sorted(values) and len(values) > 10000, len(values)


def test_device_list_face(shared, device):
    out = shared.cli_json("device", "list")
    assert set(out) >= {"items", "next_cursor"} and out["next_cursor"] is None
    assert device.id in [item["id"] for item in out["items"]]
    table = shared.cli("device", "list").stdout.decode()
    assert "cli lab" in table and "\x1b[" not in table, "no colours into a pipe"


def test_device_verbs(shared):
    made = shared.enrol(name="verbs")
    shared.cli("device", "rename", made.id, "renamed verbs")
    shared.cli("device", "tag", "renamed verbs", "floor=3", "room=b")
    seen = shared.cli_json("device", "show", made.id)
    assert (seen["name"], seen["tags"]) == ("renamed verbs", {"floor": "3", "room": "b"})
    shared.cli("device", "quarantine", made.id, "--reason", "drill")
    assert shared.device(made.id)["state"] == "quarantined"
    shared.cli("device", "release", made.id)
    assert shared.device(made.id)["quarantine"] is None
    shared.cli("device", "revoke", made.id, "--reason", "stolen", "--yes")
    assert shared.device(made.id)["quarantine"]["revoked"] is True


def test_watch_shows_readings_as_they_come(shared, device):
    environment = {"HOLDFAST_SERVER": shared.ready["api"], "HOLDFAST_CA": shared.ca,
                   "HOLDFAST_TOKEN": shared.admin_token}
    log = shared.new_folder("watch") / "watch.log"
    watch = Program([binary("holdfast"), "device", "watch", device.id, "--json"], log, environment)
    try:
        lines = []

        def seen():
            device.publish("telemetry/lab", '{"temp": 77.25}')
            lines.extend(watch.pending_lines())
            return any("77.25" in line for line in lines)

        lab.wait_for(seen, 20, lambda: lines + [watch.log_tail()])
        assert all(json.loads(line) for line in lines), "one JSON object a line"
    finally:
        watch.terminate()


def test_twin_and_commands(shared, device):
    shared.cli("twin", "set", device.id, "mode=eco")
    assert shared.cli_json("twin", "get", device.id)["desired"] == {"mode": "eco"}
    assert shared.cli_json("twin", "diff", device.id)["in_sync"] is False
    with device.mqtt() as mqtt:
        mqtt.publish("twin/reported", '{"mode": "eco"}')
        assert shared.cli_json("twin", "diff", device.id)["in_sync"] is True
        assert mqtt.subscribe("command/#") == [1]
        command = shared.cli_json("command", "run", device.id, "blink", '{"n": 2}')
        message = mqtt.message()
        assert json.loads(message.payload)["payload"] == {"n": 2}
        mqtt.publish(f"reply/{command['id']}", '{"status": "ok", "result": "done"}')
    assert shared.cli_json("command", "show", command["id"])["result"] == "done"
    assert command["id"] in [c["id"] for c in shared.cli_json("command", "list")["items"]]
    waiting = shared.cli_json("command", "run", device.id, "later")
    shared.cli("command", "cancel", waiting["id"])
    assert shared.cli_json("command", "show", waiting["id"])["state"] == "cancelled"


def test_places_and_people(shared, device):
    site = shared.cli_json("site", "create", "cli site")
    kind = shared.cli_json("type", "create", "cli type")
    assert site["id"] in [s["id"] for s in shared.cli_json("site", "list")["items"]]
    assert kind["id"] in [t["id"] for t in shared.cli_json("type", "list")["items"]]
    token = shared.cli_json("token", "create", "reader", "--kind", "service", "--role", "viewer")
    secret = token["secret"]
    seen = shared.cli_json("device", "list", token=secret)["items"]
    assert device.id in [one["id"] for one in seen]
    assert shared.cli("site", "create", "not allowed", token=secret,
                      check=False).returncode == 5
    shared.cli("token", "remove", token["token"]["id"], "--yes")
    assert shared.cli("device", "list", token=secret, check=False).returncode == 4


def test_audit(shared, server):
    assert shared.cli_json("audit", "verify")["ok"] is True
    newest = shared.cli_json("audit", "list", "--limit", "1")["items"][0]
    proof = shared.cli_json("audit", "prove", str(newest["seq"]))
    assert proof["entry"]["seq"] == newest["seq"]


@pytest.mark.parametrize("words, code", [
    (("device", "show", "dev_0000000000000000000000000A"), 3),
    (("device", "list", "--no-such-flag"), 2),
    (("no-such-command",), 2),
    (("job", "show", "job_0000000000000000000000000A"), 3),
])
def test_exit_codes(shared, words, code):
    done = shared.cli(*words, check=False)
    assert done.returncode == code, done.stderr
    assert done.stdout == b"", "errors go to standard error"
    assert done.stderr


def test_exit_codes_of_conflict_token_and_network(shared):
    site = shared.cli_json("site", "create", "taken")
    shared.enrol(site_id=site["id"])
    assert shared.cli("site", "remove", site["id"], "--yes", check=False).returncode == 6
    assert shared.cli("device", "list", token="hft_" + "A" * 43, check=False).returncode == 4
    gone = shared.cli("device", "list", check=False,
                      environment={"HOLDFAST_SERVER": "https://localhost:9"})
    assert gone.returncode == 8, gone.stderr


def test_errors_under_json_are_problems(shared):
    done = shared.cli("device", "show", "dev_0000000000000000000000000A", "--json", check=False)
    text = done.stdout or done.stderr
    problem = json.loads(text)
    assert problem["code"] in ("not-found", "forbidden") and problem["mend"]


def test_a_typo_gets_a_suggestion(shared):
    done = shared.cli("devise", "list", check=False)
    assert done.returncode == 2 and b"device" in done.stderr


def test_config_check(shared):
    folder = shared.new_folder("config")
    good, bad = folder / "good.toml", folder / "bad.toml"
    good.write_text('[hub]\ndurability = "disk"\n')
    bad.write_text('[hub]\ndurabilty = "disk"\n')
    assert shared.cli("config", "check", good, check=False).returncode == 0
    done = shared.cli("config", "check", bad, check=False)
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert b"bad.toml:2" in said and b"hub.durability" in said, said


def test_a_wrong_configuration_stops_the_server(shared):
    for arguments in (["--api-lisen", "127.0.0.1:0"], ["--mqtt-listen", "nonsense"]):
        done = run(binary("holdfastd"), "--data", shared.new_folder("no") / "data", *arguments,
                   check=False)
        assert done.returncode != 0 and b"mend:" in done.stderr, done.stderr
        assert done.stdout == b""


def test_doctor(shared):
    done = shared.cli("doctor", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
