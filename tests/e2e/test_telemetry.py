"""Questions to the series: functions, fill rules, several devices at once; values end to end."""
import json
import shutil
import subprocess
import zlib

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


def test_retention_is_previewed_set_and_kept(server):
    device = server.enrol()
    device.publish("telemetry/debug", '{"a": 1}')
    device.publish("telemetry/lab", '{"a": 1}')
    shown = {c["name"]: c for c in server.api.get("/v1/retention")["items"]}
    assert set(shown) == {"default", "events"} and shown["default"]["origin"] == "configuration"
    server.cli("retention", "set", "short", "--keep", "2d", "--rollup", "1h", "--rollup-keep", "60d",
               "--stream", "debug", "--yes")
    device.publish("telemetry/debug", '{"a": 2}')
    server.restart()
    shown = {c["name"]: c for c in server.api.get("/v1/retention")["items"]}
    assert (shown["short"]["keep_s"], shown["short"]["streams"]) == (172800, ["debug"])
    assert shown["short"]["origin"] == "operator"
    server.api.get(f"/v1/erasure/{device.id}")  # seals
    assert {c["name"]: c.get("days") for c in server.api.get("/v1/retention")["items"]}["short"] == 1
    assert [p["value"] for p in server.api.points(device.id, "debug.a")] == [1, 2]
    taken = server.api.call("PUT", "/v1/retention/other", {"keep_s": 86400, "streams": ["debug"]})
    assert (taken.status, taken.code) == (409, "conflict"), taken.text
    steps = server.api.get("/v1/retention/preview", query={"to": "2100-01-01T00:00:00Z"})["steps"]
    assert {(s["class"], s["action"], s["reason"]) for s in steps} >= {("short", "drop", "age"), ("default", "drop", "age")}
    dry = server.cli_json("retention", "set", "short", "--keep", "5d", "--stream", "debug", "--dry-run")
    assert dry["dry_run"] is True
    assert {c["name"]: c["keep_s"] for c in server.api.get("/v1/retention")["items"]}["short"] == 172800


def readable(folder):
    """Everything in a folder: as it lies there, and whatever parts of it decompress."""
    out = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        data = path.read_bytes()
        out.append(data)
        at = data.find(b"\x28\xb5\x2f\xfd")
        while at >= 0:
            got = subprocess.run(["zstd", "-dc"], input=data[at:], capture_output=True, check=False).stdout
            out.append(got)
            at = data.find(b"\x28\xb5\x2f\xfd", at + 4)
        for start in range(0, min(len(data), 4096)):
            if data[start:start + 1] == b"\x78":
                try:
                    out.append(zlib.decompressobj().decompress(data[start:]))
                except zlib.error:
                    pass
    return b"\0".join(out)


def test_an_erased_device_is_gone_from_folder_and_old_backup(server):
    gone, stays = server.enrol(), server.enrol()
    for device, word in ((gone, "quicksilver"), (stays, "marigold")):
        device.publish("telemetry/lab", json.dumps({"note": word, "temp": 21.5}))
        device.publish("event/door", json.dumps({"message": f"{word} opened"}))
    backup = server.new_folder("backup") / "made"
    server.cli("backup", backup)
    found = server.api.get(f"/v1/erasure/{gone.id}")
    assert found["readings"]["points"] == 2 and found["events"]["events"] >= 1 and found["erased"] is False
    assert server.cli("erase", "device", gone.id, "--reason", "asked for", check=False).returncode != 0, "asks first"
    receipt = server.cli_json("erase", "device", gone.id, "--reason", "asked for", "--yes")
    assert receipt["erased"] is True and receipt["readings"]["points"] == 2
    assert server.api.points(gone.id, "lab.note") == []
    assert [p["value"] for p in server.api.points(stays.id, "lab.note")] == ["marigold"]
    assert not [e for e in server.api.items("/v1/events", device_id=gone.id) if "quicksilver" in e["message"]]
    audit = [json.dumps(e) for e in server.api.items("/v1/audit") if e.get("action") in ("erase_subject", "erasure.done")]
    assert len(audit) == 2
    server.restart()
    assert server.api.points(gone.id, "lab.note") == []
    assert [p["value"] for p in server.api.points(stays.id, "lab.note")] == ["marigold"]
    server.stop()
    for folder in (server.data, backup):
        assert b"quicksilver" not in readable(folder)


def test_an_old_backup_under_todays_ring_does_not_bring_it_back(server):
    device = server.enrol()
    device.publish("telemetry/lab", '{"note": "quicksilver"}')
    backup = server.new_folder("backup") / "made"
    server.cli("backup", backup)
    old = {path: path.read_bytes() for path in (server.data / "series").rglob("*.hfc")}
    server.cli("erase", "device", device.id, "--reason", "asked for", "--yes")
    server.stop()
    # The series files, as the backup holds them, come back beside the present ring.
    for path, content in old.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    server.launch()
    server.await_ready()
    assert old
    assert server.api.points(device.id, "lab.note") == []
