"""The first reading once more, with the server on PostgreSQL and NATS, chosen by configuration alone."""
import pathlib

import pytest

from tests import lab
from tests.lab.engines import POSTGRES, Nats, Postgres
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
