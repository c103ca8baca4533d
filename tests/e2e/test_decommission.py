"""The end of a device's service, with the real agent; and new hardware in its place."""
import base64
import json

from tests.lab.device import curl, enrol
from tests.lab.process import run
from tests.lab.waiting import wait_for


def state_files(agent):
    return sorted(p.name for p in agent.state.rglob("*") if p.is_file() and p.name != "lock")


def test_a_decommissioned_agent_erases_itself_and_the_receipt_proves_it(server):
    agent = server.agent("farewell")
    device = wait_for(lambda: next((d for d in server.api.items("/v1/devices")
                                    if d["presence"]["online"]), None), 60)["id"]
    certificate = (agent.state / "identity.json").read_text()
    der = base64.b64decode(json.loads(certificate)["current"]["certificate"])
    receipt = server.cli_json("device", "decommission", device, "--reason", "scrapped", "--yes",
                              "--deadline", "1h")
    assert receipt["erase_state"] == "erase_pending"
    assert len(receipt["certificates_revoked"]) == 1
    done = wait_for(lambda: (lambda r: r if r["erase_state"] == "erased" else None)(
        server.cli_json("device", "receipt", device)), 120)
    assert wait_for(lambda: not agent.program.running, 30), "the program ends by itself"
    assert state_files(agent) == []
    assert not (agent.folder / "state.seal").exists()
    # Anybody can check the proof: openssl, with the certificate that the device had.
    folder = server.new_folder("proof")
    (folder / "cert.der").write_bytes(der)
    run("openssl", "x509", "-inform", "DER", "-in", folder / "cert.der", "-noout", "-pubkey",
        "-out", folder / "key.pem")
    (folder / "statement").write_text(done["proof"]["statement"])
    (folder / "signature").write_bytes(base64.b64decode(done["proof"]["signature"]))
    run("openssl", "dgst", "-sha256", "-verify", folder / "key.pem", "-signature",
        folder / "signature", folder / "statement")
    kinds = [e["kind"] for e in server.api.items(f"/v1/devices/{device}/timeline")]
    assert "decommission" in kinds and "erased" in kinds, "the tombstone has its history"
    assert server.device(device)["state"] == "decommissioned"


def test_an_absent_device_is_pending_then_overdue(server):
    device = server.enrol()
    server.api.post(f"/v1/devices/{device.id}/decommission",
                    {"reason": "lost", "erase_limit_s": 60})
    assert device.curl("GET", "/device/v1/twin")[0] in (401, 403)
    status, _, body = device.curl("GET", "/device/v1/erase")
    assert status == 200 and json.loads(body)["device_id"] == device.id
    status, _, _ = device.curl("POST", "/device/v1/erase", "-H", "Content-Type: application/json",
                               body=b'{"statement":"e30=","signature":"AAAA"}')
    assert status == 400
    receipt = server.api.get(f"/v1/devices/{device.id}/decommission")
    assert receipt["erase_state"] == "erase_pending" and receipt["fetched_at"]
    overdue = wait_for(lambda: (lambda r: r if r["erase_state"] == "erase_overdue" else None)(
        server.api.get(f"/v1/devices/{device.id}/decommission")), 120)
    assert overdue["overdue_at"]
    assert curl(server, "GET", "/device/v1/erase")[0] == 401


def test_new_hardware_takes_the_place_and_the_old_key_is_dead(shared):
    old = shared.enrol(name="press 4", tags={"line": "3"})
    old.publish("telemetry/lab", "1")
    claim = shared.cli_json("device", "replace", old.id, "--reason", "burnt", "--serial", "B-2")
    new = enrol(shared, claim=claim["claim"], subject="/CN=new/serialNumber=B-2")
    assert new.id == old.id
    new.publish("telemetry/lab", "2")
    assert old.publish("telemetry/lab", "3", check=False).returncode != 0
    record = shared.device(old.id)
    assert (record["name"], record["tags"], record["serial"]) == ("press 4", {"line": "3"}, "B-2")
    items = shared.api.get(f"/v1/devices/{old.id}/replacements")["items"]
    assert items[0]["done_at"] and items[0]["new_serial"] == "B-2"
    orphans = shared.cli_json("device", "orphans")
    assert old.id not in [o["device_id"] for o in orphans["records_without_certificate"]]
