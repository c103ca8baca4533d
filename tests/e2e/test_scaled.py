"""The first reading once more, with the server on PostgreSQL and NATS, chosen by configuration alone."""
import pathlib
import shutil

import pytest

from tests import lab
from tests.lab.engines import POSTGRES, Nats, Postgres
from tests.lab.process import binary, run
from tests.lab.server import Server


@pytest.mark.skipif(not POSTGRES.exists(), reason="PostgreSQL 15 is not installed")
def test_first_reading_on_postgresql_and_nats(tmp_path):
    postgres = Postgres(tmp_path / "postgres")
    nats = Nats(tmp_path / "nats")
    folder = tmp_path / "server"
    folder.mkdir()
    server = Server(folder, environment={"HOLDFAST_SQL_URL": postgres.url, "HOLDFAST_BUS_URL": nats.url})
    try:
        server.start()
        device = server.enrol(name="boiler")
        device.publish("telemetry/lab", '{"temp": 20.5}')
        assert [p["value"] for p in server.api.points(device.id, "lab.temp")] == [20.5]
        claims = server.api.get("/v1/claims")["items"]
        lab.wait_for(lambda: server.api.get(f"/v1/claims/{claims[0]['id']}")["progress"][-1]["at"], 15,
                     "the claim's last step, which notices bring")
        assert not pathlib.Path(server.data, "holdfast.db").exists(), "nothing was kept in SQLite"
        server.kill9()
        server.start()
        assert [p["value"] for p in server.api.points(device.id, "lab.temp")] == [20.5]
        device.publish("telemetry/lab", '{"temp": 21.5}')
        assert [p["value"] for p in server.api.points(device.id, "lab.temp")] == [20.5, 21.5]
    finally:
        server.close()
        nats.close()
        postgres.close()


@pytest.mark.skipif(not POSTGRES.exists(), reason="PostgreSQL 15 is not installed")
def test_a_backup_of_postgresql_restores_into_either_engine(tmp_path):
    """Device, reading, command, user and audit chain survive; no other file than the archive is used."""
    postgres = Postgres(tmp_path / "postgres")
    folder = tmp_path / "server"
    folder.mkdir()
    server = Server(folder, environment={"HOLDFAST_SQL_URL": postgres.url})
    others = []
    try:
        server.start()
        device = server.enrol(name="boiler", tags={"floor": "2"})
        device.publish("telemetry/lab", '{"temp": 20.5}')
        server.api.put(f"/v1/devices/{device.id}/twin/desired", {"mode": "eco"},
                       headers={"If-Match": "*"})
        token = server.cli_json("token", "create", "mine", "--kind", "service", "--role",
                                "administrator")["secret"]
        backup = folder / "backup"
        server.cli("backup", backup)
        device.publish("telemetry/lab", '{"temp": 99}')
        server.stop()
        ports = dict(server.listen)
        empty = Postgres(tmp_path / "empty")
        others.append(empty)
        for name, environment in (("sqlite", {}), ("postgres", {"HOLDFAST_SQL_URL": empty.url})):
            other = Server(server.new_folder(name), environment=environment)
            others.append(other)
            shutil.copy(str(server.data) + ".seal", str(other.data) + ".seal")
            run(binary("holdfast"), "restore", backup, "--data", other.data)
            other.listen = dict(ports)
            for _ in range(2):  # and once more: what was carried is not carried again
                other.start()
                api = other.api.with_token(token)
                seen = api.get(f"/v1/devices/{device.id}")
                assert (seen["name"], seen["tags"]) == ("boiler", {"floor": "2"}), name
                twin = api.get(f"/v1/devices/{device.id}/twin")
                assert (twin["desired"], twin["desired_version"]) == ({"mode": "eco"}, 1), name
                assert api.post("/v1/audit/verify", {})["ok"] is True, name
                device.server = other
                device.publish("telemetry/lab", '{"temp": 21.5}')
                assert [p["value"] for p in api.points(device.id, "lab.temp")][:2] == [20.5, 21.5]
                other.stop()
            assert pathlib.Path(other.data, "holdfast.db").exists() == (name == "sqlite")
    finally:
        server.close()
        for other in others:
            other.close()
        postgres.close()
