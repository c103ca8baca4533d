"""From nothing to a reading by foreign programs only: openssl, curl, mosquitto_pub, the API."""
import json
import os
import stat

from tests import lab


def test_first_reading_by_foreign_programs(shared):
    device = shared.enrol(name="boiler")
    device.publish("telemetry/lab", '{"temp": 20.5, "door": {"open": true}}')
    points = shared.api.points(device.id, "lab.temp")
    assert [(p["value"], p["time_source"]) for p in points] == [(20.5, "server")]
    assert shared.api.points(device.id, "lab.door.open")[0]["value"] is True
    seen = shared.device(device.id)
    assert (seen["name"], seen["state"]) == ("boiler", "active")
    assert seen["presence"]["last_disconnect_reason"] == "client"


def test_the_claim_shows_every_step(shared):
    claim = shared.claim(name="stepper")
    steps = lambda: {s["step"]: s for s in  # noqa: E731
                     shared.api.get(f"/v1/claims/{claim['id']}")["progress"]}
    assert steps()["code_shown"]["at"] and not steps()["claimed"]["at"]
    device = shared.enrol(claim=claim["claim"])
    assert steps()["certificate_issued"]["at"] and not steps()["connected"]["at"]
    device.publish("telemetry/lab", "21")
    lab.wait_for(lambda: steps()["first_reading"]["at"], 10, "the claim's last step")
    assert steps()["connected"]["at"]
    seen = shared.api.get(f"/v1/claims/{claim['id']}")
    assert (seen["state"], seen["device_id"]) == ("spent", device.id)


def test_the_progress_stream_ends_with_the_first_reading(shared):
    claim = shared.claim(name="followed")
    with shared.api.stream(f"/v1/claims/{claim['id']}/progress") as stream:
        events = iter(stream)
        assert next(events)[0] == "claim"
        device = shared.enrol(claim=claim["claim"])
        device.publish("telemetry/lab", "21")
        last = None
        for name, data in events:
            assert name == "claim"
            last = data
        assert all(step["at"] for step in last["progress"]), last


def test_ready_line_and_admin_token(server):
    assert set(server.ready) >= {"ready", "api", "mqtt", "device", "ca"}
    assert server.ready["ready"] is True
    assert server.ready["api"].startswith("https://localhost:")
    assert server.ready["device"].startswith("https://127.0.0.1:")
    assert server.program.pending_lines() == [], "standard output carries the ready line only"
    token = os.stat(server.data / "admin-token")
    assert stat.S_IMODE(token.st_mode) == 0o600
    assert stat.S_IMODE(os.stat(server.data).st_mode) == 0o700
    for beside in (".seal", ".ring"):
        path = str(server.data) + beside
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600, path
        assert not path.startswith(str(server.data) + "/"), "keys lie outside the data folder"
    session = server.api.get("/v1/session")
    assert session["actor"]["kind"] == "bootstrap" and session["roles"] == ["administrator"]


def test_sigterm_ends_it_in_time_with_work_at_hand(server):
    """Open sessions and streams do not hold the server up; devices are told."""
    device = server.enrol()
    client = device.mqtt(client_id="stays")
    with server.api.stream("/v1/stream"):
        code, seconds = server.stop()
    assert code == 0 and seconds < 10, (code, seconds)
    assert client.wait_closed() == 0x8B
    assert server.program.pending_lines() == []


def test_a_restarted_server_knows_all_again(server):
    device = server.enrol(name="kept", tags={"floor": "2"})
    device.publish("telemetry/lab", '{"temp": 1}')
    server.restart()
    device.publish("telemetry/lab", '{"temp": 2}')
    assert [p["value"] for p in server.api.points(device.id, "lab.temp")] == [1, 2]
    seen = server.device(device.id)
    assert (seen["name"], seen["tags"]) == ("kept", {"floor": "2"})


def test_a_second_server_on_the_same_folder_is_refused(server):
    other = lab.Server(server.folder)
    other.data = server.data
    other.program = lab.Program(
        [lab.process.binary("holdfastd"), "--data", server.data, "--api-listen", "127.0.0.1:0",
         "--mqtt-listen", "127.0.0.1:0", "--device-listen", "127.0.0.1:0"],
        server.folder / "second.log")
    assert other.program.line() is None
    assert other.program.wait() != 0
    assert "folder-locked" in other.program.log_text()
    assert server.api.get("/healthz") == {"status": "ok"}


def test_secrets_are_in_no_log(server):
    claim = server.claim()
    device = server.enrol(claim=claim["claim"])
    device.publish("telemetry/lab", json.dumps({"secretword": "xylophone-4711"}))
    token = server.api.post("/v1/tokens", {"kind": "service", "name": "t", "roles": ["viewer"]})["secret"]
    server.stop()
    log = server.program.log_text()
    for secret in (claim["claim"], token, server.admin_token, "xylophone-4711"):
        assert secret not in log


def test_reported_values_do_not_lie_in_the_folder_in_the_clear(server):
    """What devices report is encrypted at rest; so are tokens, claims and queued commands."""
    claim = server.claim()
    device = server.enrol(claim=claim["claim"])
    word = "zygomorphic-8213"
    with device.mqtt() as mqtt:
        assert mqtt.publish("telemetry/lab", json.dumps({"v": word})) == 0
        assert mqtt.publish("log", json.dumps({"message": f"log {word}"})) == 0
        assert mqtt.publish("twin/reported", json.dumps({"v": word})) == 0
        assert mqtt.publish("inventory", json.dumps({"hardware": {"serial": word}})) == 0
    server.api.post(f"/v1/devices/{device.id}/commands", {"name": "say", "payload": word})
    token = server.api.post("/v1/tokens", {"kind": "service", "name": "t", "roles": ["viewer"]})["secret"]
    server.stop()
    needles = [n.encode() for n in (word, token, claim["claim"])]
    for path in server.folder.rglob("*"):
        if path.is_file() and str(path).startswith(str(server.data)):
            data = path.read_bytes()
            for needle in needles:
                assert needle not in data, f"{needle} lies in {path.relative_to(server.folder)}"
