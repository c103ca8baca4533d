"""mosquitto's own clients over mutual TLS, and one device's view of another."""
import json

import pytest

from tests import lab
from tests.lab.foreign import MosquittoSub
from tests.lab.process import run


@pytest.mark.parametrize("version", ["mqttv311", "mqttv5"])
def test_publish_and_subscribe(shared, version):
    device = shared.enrol()
    with MosquittoSub(device, "#", "-V", version, "-i", f"sub-{version}") as sub:
        lab.wait_for(sub.subscribed, 15, sub.program.log_tail)
        device.publish("telemetry/lab", '{"temp": 1.5}', "-V", version, "-i", "pub")
        command = shared.api.post(f"/v1/devices/{device.id}/commands",
                                  {"name": "blink", "payload": {"n": 2}})
        lab.wait_for(sub.messages, 15, sub.lines)
        assert len(sub.messages()) == 1, "its own readings do not come back"
        topic, body = sub.messages()[0].split(" ", 1)
        assert topic == f"command/blink/{command['id']}"
        assert json.loads(body)["payload"] == {"n": 2}
        device.publish(f"reply/{command['id']}", '{"status": "ok", "result": 4}', "-V", version)
    ended = shared.api.get(f"/v1/commands/{command['id']}")
    assert (ended["state"], ended["result"]) == ("succeeded", 4)
    assert [p["value"] for p in shared.api.points(device.id, "lab.temp")] == [1.5]


def test_a_second_device_sees_nothing_of_the_first(shared):
    first, second = shared.enrol(), shared.enrol()
    with MosquittoSub(second, "#", "-t", "+/+/+", "-t", f"devices/{first.id}/#", "-t",
                      "telemetry/#", "-t", "$SYS/#", "-t", "/#") as spy:
        lab.wait_for(spy.subscribed, 15, spy.program.log_tail)
        first.publish("telemetry/lab", '{"secret": 1}')
        first.publish("event/door", '{"message": "open"}')
        first.publish("twin/reported", '{"mode": "eco"}')
        command = shared.api.post(f"/v1/devices/{first.id}/commands", {"name": "blink"})
        # A command of its own comes after all that: what was to come of the first has come.
        shared.api.post(f"/v1/devices/{second.id}/commands", {"name": "own"})
        lab.wait_for(spy.messages, 15, spy.lines)
        assert [m.split("/")[1] for m in spy.messages()] == ["own"], spy.messages()
    with MosquittoSub(second, "#") as spy:
        lab.wait_for(spy.subscribed, 15, spy.program.log_tail)
        assert not [m for m in spy.messages() if command["id"] in m]


def test_publishing_into_another_tree_is_refused(shared):
    first, second = shared.enrol(), shared.enrol()
    for topic in (f"devices/{first.id}/telemetry/lab", f"{first.id}/telemetry/lab",
                  "/telemetry/lab", "command/blink/1", "twin/desired", "$SYS/broker"):
        done = second.publish(topic, "1", "-V", "mqttv5", "-d", check=False)
        assert b"PUBACK" in done.stdout and b"RC:135" in done.stdout, (topic, done.stdout)
    assert shared.api.get(f"/v1/devices/{first.id}/metrics")["items"] == []


def test_a_will_is_stored_when_the_connection_is_cut(shared):
    device = shared.enrol()
    with MosquittoSub(device, "none/such", "--will-topic", "event/gone", "--will-payload",
                      '{"message": "power lost", "severity": "critical"}') as sub:
        lab.wait_for(sub.subscribed, 15, sub.program.log_tail)
        sub.program.kill9()
        lab.wait_for(lambda: [e for e in shared.api.get(
            "/v1/events", query={"device_id": device.id, "kind": "event"})["items"]
            if e["message"] == "power lost"], 15, "the will")


def test_commands_wait_for_an_offline_session(shared):
    device = shared.enrol()
    keep = ("-i", "keeper", "-c", "-V", "mqttv5", "-x", "600")
    with MosquittoSub(device, "command/#", *keep) as sub:
        lab.wait_for(sub.subscribed, 15, sub.program.log_tail)
    ids = [shared.api.post(f"/v1/devices/{device.id}/commands", {"name": "later"})["id"]
           for _ in range(3)]
    with MosquittoSub(device, "command/#", *keep) as sub:
        lab.wait_for(lambda: len(sub.messages()) >= 3, 15, sub.lines)
        assert [m.split(" ")[0].split("/")[2] for m in sub.messages()] == ids
    lab.wait_for(lambda: {shared.api.get(f"/v1/commands/{i}")["state"] for i in ids} ==
                 {"delivered"}, 15, "delivered")


def test_mqtt_port_takes_tls_1_3_with_a_certificate_only(shared):
    device = shared.enrol()
    host, port = shared.mqtt_address
    base = ["mosquitto_pub", "-h", host, "-p", port, "--cafile", shared.ca, "-t", "telemetry/lab",
            "-m", "1", "-q", 1]
    with_cert = ["--cert", device.cert, "--key", device.key]
    old = run("openssl", "s_client", "-connect", f"{host}:{port}", "-tls1_2", "-cert", device.cert,
              "-key", device.key, text_in="", check=False)
    assert b"alert protocol version" in old.stderr, old.stderr
    assert run(*base, check=False).returncode != 0
    run(*base, *with_cert)
    other = shared.new_folder("stranger")
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-keyout", other / "key.pem", "-out", other / "cert.pem", "-subj", f"/CN={device.id}",
        "-days", 30)
    done = run(*base, "--cert", other / "cert.pem", "--key", other / "key.pem", check=False)
    assert done.returncode != 0, "a stranger's certificate with a device's name"


@pytest.mark.parametrize("content, payload, metric, value", [
    ("application/senml+json", '[{"bn": "boiler:", "n": "temp", "u": "Cel", "v": 61.2}]',
     "lab.boiler:temp", 61.2),
    ("application/json", '{"a": {"b": {"c": "x"}}}', "lab.a.b.c", "x"),
])
def test_payload_formats(shared, content, payload, metric, value):
    device = shared.enrol()
    device.publish("telemetry/lab", payload, "-V", "mqttv5", "-D", "publish", "content-type",
                   content)
    assert [p["value"] for p in shared.api.points(device.id, metric)] == [value]
