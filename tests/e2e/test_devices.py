"""A device's life as operators see it: quarantine, release, revoke, presence, timeline."""
import time

import pytest

from tests import lab
from tests.lab.mqtt import Refused

WITHIN_S = 1.0


def closed_after(client, act):
    """Seconds from the answer of `act` to the end of the client's connection, and the reason."""
    act()
    begin = time.monotonic()
    reason = client.wait_closed()
    return time.monotonic() - begin, reason


@pytest.mark.parametrize("verb", ["quarantine", "revoke"])
@pytest.mark.parametrize("level", [4, 5])
def test_live_sessions_end_within_a_second(shared, verb, level):
    device = shared.enrol()
    client = device.mqtt(level=level, client_id="live")
    other = shared.enrol().mqtt(client_id="bystander")
    seconds, reason = closed_after(client, lambda: shared.api.post(
        f"/v1/devices/{device.id}/{verb}", {"reason": "drill"}))
    assert seconds < WITHIN_S, f"{seconds:.2f} s"
    assert reason == (0x87 if level == 5 else None)
    with pytest.raises(Refused) as refused:
        device.mqtt(level=level)
    assert refused.value.code == (0x87 if level == 5 else 5)
    other.ping()
    seen = shared.device(device.id)
    assert seen["state"] == "quarantined"
    assert seen["quarantine"]["reason"] == "drill"
    assert seen["quarantine"]["revoked"] is (verb == "revoke")
    assert seen["presence"]["online"] is False


def test_release_lets_it_back_and_revoked_stays_out(shared):
    device = shared.enrol()
    path = f"/v1/devices/{device.id}"
    shared.api.post(path + "/quarantine", {"reason": "drill"})
    status, _, reply = device.curl("GET", "/device/v1/twin")
    assert (status, b"device-quarantined" in reply) == (403, True)
    released = shared.api.post(path + "/release", {})
    assert released["quarantine"] is None and released["state"] != "quarantined"
    lab.wait_for(lambda: device.curl("GET", "/device/v1/twin")[0] == 200, 5, "HTTPS is let in")
    device.publish("telemetry/lab", "1")
    shared.api.post(path + "/revoke", {"reason": "stolen"})
    answer = shared.api.call("POST", path + "/release", {})
    assert (answer.status, answer.code) == (409, "conflict")
    status, _, _ = device.curl("GET", "/device/v1/twin")
    assert status in (401, 403)


def test_presence(shared):
    device = shared.enrol()
    presence = lambda: shared.device(device.id)["presence"]  # noqa: E731
    assert presence()["online"] is False and presence()["since"] is None
    client = device.mqtt(level=5)
    online = lab.wait_for(lambda: presence() if presence()["online"] else None, 5, "online")
    assert online["protocol"] == "mqtt-5.0" and online["address"].startswith("127.0.0.1")
    client.disconnect()
    lab.wait_for(lambda: not presence()["online"], 5, "offline")
    assert presence()["last_disconnect_reason"] == "client"
    device.mqtt(level=4).close()
    lab.wait_for(lambda: presence()["last_disconnect_reason"] == "connection-lost", 5, presence)


def test_live_stream_tells_of_readings_and_changes(shared):
    device = shared.enrol()
    device.publish("telemetry/lab", '{"temp": 0}')
    with shared.api.stream("/v1/stream", {"device_id": device.id}) as stream:
        shared.api.patch(f"/v1/devices/{device.id}", {"name": "seen live"})
        device.publish("telemetry/lab", '{"temp": 42.5}')
        wanted = {"device", "reading"}
        for name, data in stream:
            if name == "device" and data["changes"].get("name") == "seen live":
                wanted.discard("device")
            if name == "reading" and data["value"] == 42.5:
                assert (data["device_id"], data["metric"]) == (device.id, "lab.temp")
                wanted.discard("reading")
            if not wanted:
                return


def test_tail_resumes_where_it_was_cut(shared):
    device = shared.enrol()
    device.publish("telemetry/lab", '{"temp": 0}')
    path = f"/v1/devices/{device.id}/telemetry/tail"
    with device.mqtt() as mqtt:
        with shared.api.stream(path) as stream:
            mqtt.publish("telemetry/lab", '{"temp": 1}')
            events = iter(stream)
            assert next(e for e in events)[1]["value"] == 1
            last = stream.id
        for value in (2, 3, 4):
            mqtt.publish("telemetry/lab", f'{{"temp": {value}}}')
        with shared.api.stream(path, headers={"Last-Event-ID": last}) as stream:
            events = iter(stream)
            assert [next(events)[1]["value"] for _ in range(3)] == [2, 3, 4]


def test_timeline_tells_who_did_what(shared):
    device = shared.enrol()
    with device.mqtt(level=5) as mqtt:
        mqtt.publish("event/door", '{"message": "door opened", "severity": "warning"}')
        assert mqtt.publish("telemetry/bad", "{") == 0x99
        assert mqtt.publish("devices/other/telemetry/x", "1") == 0x87
    shared.api.patch(f"/v1/devices/{device.id}", {"name": "renamed"})
    shared.api.post(f"/v1/devices/{device.id}/quarantine", {"reason": "drill"})

    def items():
        return shared.api.get(f"/v1/devices/{device.id}/timeline")["items"]

    wanted = {"event", "payload_malformed", "refused", "connect", "quarantine", "enrolled"}
    lab.wait_for(lambda: wanted <= {item["kind"] for item in items()}, 10,
                 lambda: [item["kind"] for item in items()])
    found = items()
    # Zeros at the end of a fraction are not written.
    times = [i["time"].rstrip("Z").ljust(26, "0") for i in found]
    assert times == sorted(times, reverse=True)
    by_kind = {item["kind"]: item for item in found}
    assert by_kind["event"]["message"] == "door opened"
    assert by_kind["event"]["severity"] == "warning"
    assert any(item["lane"] == "operators" and item["actor"] == "bootstrap" for item in found)


def test_sessions_of_one_device_are_bounded(shared):
    device = shared.enrol()
    clients = [device.mqtt(client_id=f"c{n}") for n in range(4)]
    with pytest.raises(Refused) as refused:
        device.mqtt(client_id="fifth")
    assert refused.value.code == 0x97
    clients[0].disconnect()
    lab.wait_for(lambda: connects(device, "fifth"), 10, "a place for the fifth")


def connects(device, client_id):
    try:
        return device.mqtt(client_id=client_id)
    except Refused:
        return None


def test_take_over(shared):
    device = shared.enrol()
    first = device.mqtt(client_id="same")
    device.mqtt(client_id="same").ping()
    assert first.wait_closed() == 0x8E
