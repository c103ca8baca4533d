"""Devices without a claim: they wait, are let in by an operator or by a list; clones are found."""
import base64

import pytest

from tests import lab
from tests.lab import foreign
from tests.lab.device import Device, certificate_of, curl, key_sha256, make_request
from tests.lab.waiting import wait_for

ENROL = "/.well-known/est/simpleenroll"


@pytest.fixture(scope="module")
def server():
    with lab.server("--enrolment-unknown", "wait") as one:
        yield one


def ask(server, folder):
    body = base64.encodebytes((folder / "request.der").read_bytes())
    return curl(server, "POST", ENROL, "-H", "Content-Type: application/pkcs10", body=body)


def comer(server, subject):
    folder = server.new_folder("comer")
    make_request(folder, subject)
    return folder


def test_a_device_waits_is_refused_and_approved_after_all(server):
    folder = comer(server, "/CN=press/serialNumber=E3-7")
    status, headers, _ = ask(server, folder)
    assert (status, headers["retry-after"]) == (202, "60")
    key = key_sha256(folder / "key.pem")
    listed = server.cli_json("enrol", "pending")["items"]
    assert [(i["serial"], i["asked"]) for i in listed if i["key_sha256"] == key] == [("E3-7", 1)]
    server.cli("enrol", "refuse", key, "--reason", "not ours")
    assert ask(server, folder)[0] == 403
    server.cli("enrol", "approve", key, "--name", "press 7", "--tag", "line=2")
    status, _, reply = ask(server, folder)
    assert status == 200, "a refusal is never remembered against an approval"
    device = Device(server, folder, certificate_of(folder, reply))
    assert ask(server, folder)[2] == reply, "the same answer after a lost one"
    device.publish("telemetry/lab", "1")
    record = server.device(device.id)
    assert (record["name"], record["tags"]) == ("press 7", {"line": "2"})
    assert record["evidence_class"] == "software"


def test_ten_thousand_are_announced_and_let_in_by_serial(server):
    rows = "".join(f"S-{i},pump {i}\n" for i in range(10_000))
    path = server.folder / "list.csv"
    path.write_text("serial,name\n" + rows + "S-1,twice\n,nobody\n")
    checked = server.cli_json("enrol", "import", path, "--check")
    assert checked["added"] == 0 and "more than" in checked["problems"][-1]["message"] \
        or checked["added"] == 10_000
    path.write_text("serial,name\n" + rows)
    done = server.cli_json("enrol", "import", path)
    assert done == {"added": 10_000, "problems": []}
    again = server.cli_json("enrol", "import", path)
    assert again["added"] == 0 and len(again["problems"]) == 10_000
    assert again["problems"][0]["line"] == 2
    folder = comer(server, "/CN=any/serialNumber=S-4711")
    status, _, reply = ask(server, folder)
    assert status == 200
    assert server.device(certificate_of(folder, reply))["name"] == "pump 4711"
    other = comer(server, "/CN=any/serialNumber=S-4711")
    assert ask(server, other)[0] == 202, "the serial is used up"


def test_a_claim_still_works_for_strongswan(server):
    folder = server.new_folder("strongswan")
    assert foreign.strongswan_est(server, folder, server.claim(name="swan")["claim"])


def test_a_copied_key_is_found(server):
    folder = comer(server, "/CN=one")
    body = base64.encodebytes((folder / "request.der").read_bytes())

    def enrol():
        return curl(server, "POST", ENROL, "-u", f"claim:{server.claim()['claim']}", "-H",
                    "Content-Type: application/pkcs10", body=body)[0]
    assert (enrol(), enrol()) == (200, 409)
    found = wait_for(lambda: [f for f in server.api.get("/v1/findings")["items"]
                              if f["kind"] == "key_reuse"], 10)[0]
    assert found["subject"] == key_sha256(folder / "key.pem")
    server.cli("device", "acknowledge", "key_reuse", found["subject"])
    assert found["subject"] not in server.cli("device", "findings").stdout.decode()


def test_a_certificate_from_two_addresses_is_found(server):
    """127.0.0.1, then 127.0.0.2, then back: two machines with one key take turns."""
    device = server.enrol()
    for address in ("127.0.0.1", "127.0.0.2", "127.0.0.1"):
        assert device.curl("GET", "/device/v1/twin", "--interface", address)[0] == 200
    found = wait_for(lambda: [f for f in server.api.get("/v1/findings")["items"]
                              if f["kind"] == "certificate_in_two_places"], 10)[0]
    assert found["device_id"] == device.id
    assert found["evidence"]["addresses"] == ["127.0.0.1", "127.0.0.2"]
