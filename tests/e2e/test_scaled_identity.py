"""Identity on PostgreSQL: every statement of its own that the embedded engine's tests do not send there."""
import base64

import pytest

from tests.lab.device import certificate_of, curl, enrol, key_sha256, make_request, post_request
from tests.lab.engines import POSTGRES, Postgres
from tests.lab.server import Server
from tests.lab.waiting import wait_for

ENROL = "/.well-known/est/simpleenroll"


@pytest.mark.skipif(not POSTGRES.exists(), reason="PostgreSQL 15 is not installed")
def test_identity_on_postgresql(tmp_path):
    postgres = Postgres(tmp_path / "postgres")
    folder = tmp_path / "server"
    folder.mkdir()
    server = Server(folder, ["--enrolment-unknown", "wait"], {"HOLDFAST_SQL_URL": postgres.url})
    try:
        server.start()
        api = server.api
        # Who waits, and who was announced.
        done = api.post("/v1/registrations", {"csv": "serial,tags\nA-1,line=3\nB-*,\nA-1,\n"})
        assert (done["added"], [p["line"] for p in done["problems"]]) == (2, [4])
        waiting = server.new_folder("waiting")
        for serial, status in (("A-1", 200), ("B-7", 200), ("C-1", 202)):
            make_request(waiting, f"/CN=x/serialNumber={serial}")
            body = base64.encodebytes((waiting / "request.der").read_bytes())
            pkcs10 = ("-H", "Content-Type: application/pkcs10")
            assert curl(server, "POST", ENROL, *pkcs10, body=body)[0] == status, serial
        key = key_sha256(waiting / "key.pem")
        api.post(f"/v1/enrolments/{key}/refuse", {"reason": "no"})
        api.post(f"/v1/enrolments/{key}/approve", {"name": "late"})
        status, _, reply = curl(server, "POST", ENROL, *pkcs10, body=body)
        assert status == 200 and certificate_of(waiting, reply)
        assert [i["state"] for i in api.items("/v1/enrolments")].count("approved") == 3
        # A key of two devices is a finding.
        assert post_request(server, server.claim()["claim"], body)[0] == 409
        finding = wait_for(lambda: api.get("/v1/findings", query={"open": "true"})["items"], 10)[0]
        api.post("/v1/findings/acknowledge", {"kind": finding["kind"], "subject": finding["subject"]})
        # Replacement, end of service, lists.
        old = server.enrol()
        claim = api.post(f"/v1/devices/{old.id}/replace", {"reason": "burnt"})["claim"]
        assert enrol(server, claim=claim).id == old.id
        assert api.get(f"/v1/devices/{old.id}/replacements")["items"][0]["done_at"]
        receipt = api.post(f"/v1/devices/{old.id}/decommission", {"reason": "scrapped"})
        assert receipt["erase_state"] == "erase_pending"
        forecast = api.get("/v1/certificates/forecast")
        assert sum(day["expire"] for day in forecast["days"]) == 3
        orphans = api.get("/v1/orphans")
        assert orphans == {"records_without_certificate": [], "certificates_without_device": []}
        for name in ("issuing", "root"):
            status, _, crl = curl(server, "GET", f"/pki/{name}.crl")
            assert status == 200 and crl[:1] == b"\x30"
    finally:
        server.close()
        postgres.close()
