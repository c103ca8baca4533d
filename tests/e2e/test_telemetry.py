"""Questions to the series: functions, fill rules, several devices at once; values end to end."""
import json

import pytest

from tests import lab


@pytest.fixture(scope="module")
def fleet(shared):
    """Three devices of two racks: a counter that starts anew, and a gap."""
    devices = [shared.enrol() for _ in range(3)]
    for number, device in enumerate(devices):
        shared.api.patch(f"/v1/devices/{device.id}", {"tags": {"rack": "a" if number < 2 else "b"}})
        with device.mqtt() as mqtt:
            for minute in [0, 1, 2, 6, 7]:
                counter = 100 * minute if minute < 6 else minute
                mqtt.publish("telemetry/lab", json.dumps({"time": f"2026-01-01T00:0{minute}:00Z",
                                                          "count": counter, "temp": number * 10 + minute}))
    return devices


def compare(shared, fleet, **query):
    query = {"device_id": [d.id for d in fleet], "bucket_s": 60, "from": "2026-01-01T00:00:00Z",
             "to": "2026-01-01T00:10:00Z", **query}
    answer = shared.api.get("/v1/telemetry", query=query)
    assert answer["partial"] is False
    return answer


def test_lines_lie_on_one_grid_and_say_their_gaps(shared, fleet):
    answer = compare(shared, fleet, metric="lab.temp", functions="mean,p95,count")
    assert len(answer["starts"]) == 10 and len(answer["lines"]) == 9
    line = next(one for one in answer["lines"]
                if (one["device_id"], one["function"]) == (fleet[1].id, "mean"))
    assert line["values"] == [10, 11, 12, None, None, None, 16, 17, None, None]
    assert line["gaps"] == [{"from": "2026-01-01T00:03:00Z", "to": "2026-01-01T00:06:00Z"},
                            {"from": "2026-01-01T00:08:00Z", "to": "2026-01-01T00:10:00Z"}]
    assert line["relative_error"] == 0


@pytest.mark.parametrize("fill, values", [
    ("none", [0, 1, 2, 6, 7]),
    ("previous", [0, 1, 2, 2, 2, 2, 6, 7, 7, 7]),
    ("linear", [0, 1, 2, 3, 4, 5, 6, 7, None, None])])
def test_fill_rules(shared, fleet, fill, values):
    answer = compare(shared, fleet[:1], metric="lab.temp", functions="max", fill=fill)
    assert answer["lines"][0]["values"] == values
    assert len(answer["starts"]) == len(values)
    assert len(answer["lines"][0]["gaps"]) == 2, "gaps are those of the data"


def test_rates_survive_a_counter_that_starts_anew(shared, fleet):
    answer = compare(shared, fleet[:1], metric="lab.count", functions="increase,rate")
    increase, rate = (line["values"] for line in answer["lines"])
    assert increase == [None, 100, 100, None, None, None, 6, 1, None, None]
    assert rate[1] == pytest.approx(100 / 60) and rate[6] == pytest.approx(6 / 240)


def test_groups_and_top(shared, fleet):
    answer = compare(shared, fleet, metric="lab.temp", functions="count,mean", group_by="tag:rack")
    lines = {(one["group"], one["function"]): one["values"] for one in answer["lines"]}
    assert lines["a", "count"][0] == 2 and lines["b", "count"][0] == 1
    assert lines["a", "mean"][0] == 5 and lines["b", "mean"][0] == 20
    top = compare(shared, fleet, metric="lab.temp", functions="mean", top=1)
    assert [one["device_id"] for one in top["lines"]] == [fleet[2].id] and top["left_out"] == 2
    answer = shared.api.call("GET", "/v1/telemetry", query={
        "device_id": fleet[0].id, "metric": "lab.temp", "bucket_s": 60, "functions": "last", "group_by": "tag:rack"})
    assert (answer.status, answer.code) == (422, "invalid-argument") or answer.status == 400, answer.text


def test_every_kind_of_value_comes_back_exactly(shared):
    device = shared.enrol()
    sent = {"big": 9007199254740993, "least": -9223372036854775808, "real": 0.1, "yes": True,
            "text": "h\u00e9llo", "state": "open"}
    device.publish("telemetry/all", json.dumps({**sent, "nothing": None}))
    newest = shared.api.get("/v1/telemetry/newest", query={
        "device_id": device.id, "metric": [f"all.{name}" for name in [*sent, "nothing"]]})
    assert {item["metric"][4:]: item["value"] for item in newest["items"]} == sent
    for name, value in sent.items():
        point = shared.api.points(device.id, f"all.{name}")[0]["value"]
        assert point == value and isinstance(point, type(value)), name
    buckets = shared.api.get(f"/v1/devices/{device.id}/telemetry", query={
        "metric": "all.big", "bucket_s": 3600, "functions": "last,p50"})
    assert buckets["buckets"][0]["last"] == sent["big"] and "p50" in buckets["buckets"][0]["percentiles"]


def test_newest_of_many_devices_by_page_and_after_a_restart(server):
    devices = [server.enrol() for _ in range(3)]
    for number, device in enumerate(devices):
        device.publish("telemetry/lab", json.dumps({"temp": number}))
    read = lambda: {item["device_id"]: item["value"]  # noqa: E731
                    for item in server.api.items("/v1/telemetry/newest", metric="lab.temp", limit=2)}
    assert read() == {device.id: number for number, device in enumerate(devices)}
    server.restart()
    assert read() == {device.id: number for number, device in enumerate(devices)}
    shown = server.cli("telemetry", "newest", "lab.temp", "--device", devices[2].id)
    assert f"{devices[2].id}\tlab.temp\t2\t".encode() in shown.stdout


def test_too_many_metrics_are_refused_clearly():
    with lab.server("--limits-metrics-per-device", "3") as server:
        device = server.enrol()
        with device.mqtt(level=5) as mqtt:
            assert mqtt.publish("telemetry/lab", '{"a": 1, "b": 2, "c": 3}') == 0
            assert mqtt.publish("telemetry/lab", '{"d": 4}') == 0x97
        event = lab.wait_for(lambda: next(server.api.items("/v1/events", device_id=device.id, kind="refused"), None),
                             5, "the refusal on the device's timeline")
        assert event["fields"]["code"] == "quota-exceeded"
        metrics = server.api.get(f"/v1/devices/{device.id}/metrics")
        assert len(metrics["items"]) == metrics["metrics_max"] == 3
