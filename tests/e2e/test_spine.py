"""What holds the rest up, tried as somebody would who does not believe it: foreign bytes, kills,
numbers that are counted by hand."""
import base64
import http.client
import json
import re
import ssl
import struct
import subprocess
import time

import pytest

from tests import lab
from tests.lab.device import curl, post_request, problem_of
from tests.lab.mqtt import CONNACK, CONNECT, Closed, Refused, packet, text
from tests.lab.process import run

WITHIN_S = 1.0


def metric(server, name):
    """Sum of a metric's samples, from /metrics."""
    answer = server.api.call("GET", "/metrics", headers={"Accept": None})
    rows = re.findall(rf"^{re.escape(name)}(?:{{.*}})? ([0-9.e+]+)$", answer.text, re.MULTILINE)
    return sum(float(row) for row in rows)


def timeline(server, device, kind):
    return [item for item in server.api.get(f"/v1/devices/{device.id}/timeline")["items"]
            if item["kind"] == kind]


# ---- live streams

def test_a_stream_over_a_restart_is_told_to_read_anew(server):
    device = server.enrol()
    with server.api.stream("/v1/stream", {"device_id": device.id}) as stream:
        server.api.patch(f"/v1/devices/{device.id}", {"name": "before"})
        events = iter(stream)
        assert next(events)[0] == "device"
        last = stream.id
    server.api.patch(f"/v1/devices/{device.id}", {"name": "missed"})
    with server.api.stream("/v1/stream", {"device_id": device.id},
                           headers={"Last-Event-ID": last}) as stream:
        name, data = next(iter(stream))
        assert (name, data["changes"]["name"]) == ("device", "missed"), "it goes on where it was"
        last = stream.id
    server.kill9()
    server.start()
    with server.api.stream("/v1/stream", {"device_id": device.id},
                           headers={"Last-Event-ID": last}) as stream:
        events = iter(stream)
        assert next(events)[0] == "reset"
        assert server.device(device.id)["name"] == "missed"
        server.api.patch(f"/v1/devices/{device.id}", {"name": "after"})
        name, data = next(events)
        assert (name, data["changes"]["name"]) == ("device", "after")


def test_a_tail_goes_on_over_a_kill(server):
    device = server.enrol()
    path = f"/v1/devices/{device.id}/telemetry/tail"
    device.publish("telemetry/lab", '{"temp": 0}')
    with server.api.stream(path) as stream, device.mqtt() as mqtt:
        mqtt.publish("telemetry/lab", '{"temp": 1}')
        assert next(iter(stream))[1]["value"] == 1
        last = stream.id
        mqtt.publish("telemetry/lab", '{"temp": 2}')
    server.kill9()
    server.start()
    with server.api.stream(path, headers={"Last-Event-ID": last}) as stream:
        device.publish("telemetry/lab", '{"temp": 3}')
        seen = []
        for name, data in stream:
            seen.append("reset" if name == "reset" else data["value"])
            if seen[-1] == 3:
                break
    assert seen in ([2, 3], ["reset", 3]), "goes on, or says that it does not"
    assert [p["value"] for p in server.api.points(device.id, "lab.temp")] == [0, 1, 2, 3]


def test_a_stream_takes_two_hundred_devices(shared):
    device = shared.enrol()
    others = [f"dev_{n:026d}" for n in range(199)]
    with shared.api.stream("/v1/stream", {"device_id": [*others, device.id]}) as stream:
        shared.api.patch(f"/v1/devices/{device.id}", {"name": "one of many"})
        assert next(iter(stream))[1]["id"] == device.id
    with shared.api.stream("/v1/stream", {"device_id": ",".join([*others, device.id])}) as stream:
        shared.api.patch(f"/v1/devices/{device.id}", {"name": "by commas"})
        assert next(iter(stream))[1]["id"] == device.id
    answer = shared.api.call("GET", "/v1/stream", query={
        "device_id": [*others, device.id, f"dev_{999:026d}"]})
    assert (answer.status, answer.code) == (422, "invalid-argument"), answer.text


def test_a_fast_metric_comes_once_a_second(shared):
    device = shared.enrol()
    device.publish("telemetry/lab", '{"fast": -1}')
    with shared.api.stream("/v1/stream", {"device_id": device.id}) as stream, \
            device.mqtt() as mqtt:
        begin = time.monotonic()
        sent = 0
        while time.monotonic() - begin < 2.5:
            mqtt.publish("telemetry/lab", f'{{"fast": {sent}}}')
            sent += 1
        got = []
        for name, data in stream:
            if name == "reading" and data["metric"] == "lab.fast" and data["value"] >= 0:
                got.append(data["value"])
                if data["value"] == sent - 1:
                    break
        seconds = time.monotonic() - begin
    assert sent > 10 and len(got) <= seconds + 1, (sent, got, seconds)
    assert got == sorted(got), "and the last one came"


# ---- MQTT by hand

def test_a_refused_topic_in_3_1_1(shared):
    """There is no way to say no but to close: it is recorded and counted."""
    device = shared.enrol()
    refused = metric(shared, "holdfast_hub_publishes_refused_total")
    client = device.mqtt(level=4)
    client.send(client.publish_bytes("devices/other/telemetry/x", "1", 1, 7))
    assert client.wait_closed() is None
    lab.wait_for(lambda: shared.device(device.id)["presence"]["last_disconnect_reason"] ==
                 "topic-refused", 5, lambda: shared.device(device.id)["presence"])
    lab.wait_for(lambda: timeline(shared, device, "refused"), 5, "the timeline")
    entry = timeline(shared, device, "refused")[0]
    assert entry["fields"]["topic"] == "devices/other/telemetry/x", entry
    assert metric(shared, "holdfast_hub_publishes_refused_total") > refused
    assert metric(shared, "holdfast_hub_disconnects_total") > 0
    five = device.mqtt(level=5)
    assert five.publish("devices/other/telemetry/x", "1") == 0x87
    assert five.publish("telemetry/lab", "1") == 0, "5.0 goes on"


def test_empty_client_ids(shared):
    device = shared.enrol()
    with pytest.raises(Refused) as error:
        device.mqtt(level=4, client_id="", clean=False)
    assert error.value.code == 2
    device.mqtt(level=4, client_id="").ping()
    five = device.mqtt_socket()
    five.level = 5
    five.send(packet(CONNECT, 0, text("MQTT") + b"\x05\x02\x00\x3c" + b"\x00" + text("")))
    body = five.read(CONNACK).body
    assert body[1] == 0 and b"\x12\x00" in body, "an Assigned Client Identifier"
    five.ping()


def test_numbers_of_the_contract_in_connack(shared):
    client = shared.enrol().mqtt_socket()
    client.level = 5
    client.send(packet(CONNECT, 0, text("MQTT") + b"\x05\x02\xff\xff" + b"\x05\x11" +
                       struct.pack(">I", 0xFFFFFFFF) + text("c")))
    body = client.read(CONNACK).body
    assert body[1] == 0
    for name, wanted in {"session expiry": b"\x11" + struct.pack(">I", 604800),
                         "receive maximum": b"\x21" + struct.pack(">H", 64),
                         "maximum QoS": b"\x24\x01", "retain": b"\x25\x00",
                         "packet size": b"\x27" + struct.pack(">I", 262144),
                         "alias": b"\x22\x00\x00", "wildcard": b"\x28\x01",
                         "subscription ids": b"\x29\x00", "shared": b"\x2a\x00",
                         "keep alive": b"\x13" + struct.pack(">H", 1200)}.items():
        assert wanted in body, f"{name}: {body.hex()}"


def test_a_publish_that_is_too_large_is_final(shared):
    device = shared.enrol()
    with device.mqtt() as client:
        assert client.publish("twin/reported", '{"a": "' + "x" * 66_000 + '"}') == 0x99
        assert client.publish("telemetry/lab", "1") == 0
    big = device.mqtt()
    big.send(big.publish_bytes("telemetry/lab", b" " * 262_144, 1, 5))
    assert big.wait_closed() == 0x95


def test_wills_outlive_a_kill_of_the_server(server):
    device = server.enrol()
    client = device.mqtt(client_id="w", expiry_s=600,
                         will=("event/gone", '{"message": "power lost"}'))
    client.ping()
    server.kill9()
    server.start()

    def wills():
        return [e for e in server.api.get("/v1/events", query={
            "device_id": device.id, "kind": "event"})["items"] if e["message"] == "power lost"]
    lab.wait_for(wills, 15, "the will")
    server.kill9()
    server.start()
    assert len(wills()) == 1


def test_quarantine_ends_a_long_poll(shared):
    device = shared.enrol()
    url = shared.device_url + "/device/v1/next?wait_s=50"
    poll = subprocess.Popen(
        ["curl", "-sS", "--cacert", str(shared.ca), "--cert", str(device.cert), "--key",
         str(device.key), "-w", "%{http_code}", url], stdout=subprocess.PIPE)
    lab.wait_for(lambda: shared.device(device.id)["presence"]["online"], 10, "the poll")
    shared.api.post(f"/v1/devices/{device.id}/quarantine", {"reason": "drill"})
    begin = time.monotonic()
    poll.communicate(timeout=20)
    assert time.monotonic() - begin < WITHIN_S
    status, _, reply = device.curl("GET", "/device/v1/next?wait_s=50")
    assert (status, problem_of(reply)) == (403, "device-quarantined")


# ---- telemetry by hand

def test_senml_cbor_with_base_names_and_times(shared):
    """[{bn: "boiler:", bt: 1769868131, n: "temp", u: "Cel", v: 61.25}, {n: "on", vb: true},
    {n: "temp", t: -10, v: 60}], written byte by byte (RFC 8428 section 6)."""
    device = shared.enrol()
    body = bytes.fromhex("83" "a5" "21" "67626f696c65723a" "22" "1a697e0b63" "00" "6474656d70"
                         "01" "6343656c" "02" "f95" "3a8"
                         "a2" "00" "626f6e" "04" "f5"
                         "a3" "00" "6474656d70" "06" "29" "02" "183c")
    status, _, reply = device.curl("POST", "/device/v1/telemetry/lab", "-H",
                                   "Content-Type: application/senml+cbor", body=body)
    assert status == 204, reply
    query = {"metric": "lab.boiler:temp", "from": "2026-01-01T00:00:00Z",
             "to": "2026-03-01T00:00:00Z"}
    points = shared.api.get(f"/v1/devices/{device.id}/telemetry", query=query)["points"]
    assert [(p["value"], p["time"]) for p in points] == [
        (60, "2026-01-31T14:02:01Z"), (61.25, "2026-01-31T14:02:11Z")]
    assert all(p["time_source"] == "device" for p in points)


def test_four_levels_and_not_five(shared):
    device = shared.enrol()
    with device.mqtt() as client:
        assert client.publish("telemetry/lab", '{"a":{"b":{"c":{"d":1}}}}') == 0
        assert client.publish("telemetry/lab", '{"a":{"b":{"c":{"d":{"e":1}}}}}') == 0x99
        assert client.publish("telemetry/lab", '{"x": 1, "list": [1, 2]}') == 0x99
        assert client.publish("telemetry/lab", '[{"ok": 1}, {"bad": [1]}]') == 0x99
        assert client.publish("telemetry/lab", '{"n": null, "s": "text", "t": true}') == 0
    names = {m["name"] for m in shared.api.get(f"/v1/devices/{device.id}/metrics")["items"]}
    assert names == {"lab.a.b.c.d", "lab.s", "lab.t"}, "all of a message, or nothing"


def test_logs_one_and_many(shared):
    device = shared.enrol()
    with device.mqtt() as client:
        assert client.publish("log", '{"message": "one", "severity": "error"}') == 0
        assert client.publish("log", '[{"message": "two"}, {"message": "three", "fields": '
                                     '{"n": 3}}]') == 0
        assert client.publish("log", '{"severity": "error"}') == 0x99
        assert client.publish("log", '[{"message": "whole"}, {"no": "message"}]') == 0x99

    def logs():
        return {e["message"]: e for e in shared.api.get("/v1/events", query={
            "device_id": device.id, "kind": "log"})["items"]}
    lab.wait_for(lambda: set(logs()) == {"one", "two", "three"}, 10, logs)
    assert logs()["one"]["severity"] == "error" and logs()["three"]["fields"]["n"] == 3


def test_clocks_that_are_wrong(shared):
    device = shared.enrol()
    with device.mqtt() as client:
        for when in ("1970-01-01T00:00:05Z", "2090-01-01T00:00:00Z"):
            assert client.publish("telemetry/lab", f'{{"time": "{when}", "v": 1}}') == 0
    points = shared.api.points(device.id, "lab.v")
    assert [p["time_source"] for p in points] == ["uncertain", "uncertain"]


# ---- words on the timeline

def test_the_timeline_names_commands_and_writes_times(shared):
    device = shared.enrol()
    with device.mqtt() as client:
        client.subscribe("command/#")
        command = shared.api.post(f"/v1/devices/{device.id}/commands", {"name": "blink"})
        client.message()
        client.publish(f"reply/{command['id']}", '{"status": "ok"}')
    wanted = {"command blink: sent", "command blink: delivered", "command blink: succeeded"}
    lab.wait_for(lambda: wanted <= {i["message"] for i in timeline(shared, device, "command")},
                 10, lambda: timeline(shared, device, "command"))
    enrolled = lab.wait_for(lambda: timeline(shared, device, "enrolled"), 10, "enrolled")[0]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[0-9:.]+Z", enrolled["fields"]["not_after"]), enrolled


# ---- refusals that say when to come back

def test_wrong_claims_are_slowed_down_and_told_for_how_long(server):
    folder = server.new_folder("guess")
    body = lab.device.make_request(folder).read_bytes()
    for _ in range(11):
        status, headers, reply = post_request(server, "hfc_" + "0" * 26, body)
        if status == 429:
            break
    assert (status, problem_of(reply)) == (429, "rate-limited")
    assert int(headers["retry-after"]) >= 1


def test_too_many_requests_of_one_device(shared):
    device = shared.enrol()
    context = ssl.create_default_context(cafile=shared.ca)
    context.load_cert_chain(device.cert, device.key)
    connection = http.client.HTTPSConnection(*shared.device_address, context=context, timeout=30)
    for _ in range(5_000):
        connection.request("GET", "/device/v1/twin")
        response = connection.getresponse()
        body = response.read()
        if response.status == 429:
            break
    else:
        pytest.skip("this machine is too slow to reach the limit")
    assert problem_of(body) == "rate-limited"
    assert int(response.headers["Retry-After"]) >= 1


def test_signing_in_tells_how_long_to_wait(shared):
    body = {"name": "nobody at all", "password": "wrong password!"}
    for _ in range(8):
        answer = shared.api.with_token(None).call("POST", "/v1/session", body)
        if answer.status == 429:
            break
    assert answer.status == 429 and int(answer.header("Retry-After")) >= 1


# ---- the audit log, by programs of others

def test_a_proof_holds_without_the_server(server, tmp_path):
    device = server.enrol()
    server.api.patch(f"/v1/devices/{device.id}", {"name": "proven"})
    entry = next(iter(server.api.items("/v1/audit", action="update_device")))
    bundle = tmp_path / "bundle.json"

    def proven():
        done = server.cli("audit", "prove", str(entry["seq"]), "--json", check=False)
        bundle.write_bytes(done.stdout)
        return done.returncode == 0
    lab.wait_for(proven, 10, "a checkpoint over the entry")
    script = str(lab.process.ROOT / "tools" / "verify-proof")
    good = run(script, bundle, check=False)
    assert good.returncode == 0, good.stderr + good.stdout
    told = json.loads(bundle.read_bytes())
    other = base64.b64decode(told["entry_base64"]).replace(b"update_device", b"delete_device")
    for member, value in {"entry_base64": base64.b64encode(other).decode(),
                          "leaf_index": told["leaf_index"] + 1,
                          "inclusion_path": told["inclusion_path"][:-1]}.items():
        bundle.write_text(json.dumps({**told, member: value}))
        assert run(script, bundle, check=False).returncode != 0, member
