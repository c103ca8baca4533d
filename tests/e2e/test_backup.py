"""Backup and restore: a restored server goes on, with its devices, and without its secrets."""
import pathlib
import shutil

from tests import lab
from tests.lab.process import binary, run


def test_a_restored_server_goes_on(server):
    device = server.enrol(name="kept")
    device.publish("telemetry/lab", '{"temp": 1}')
    token = server.cli_json("token", "create", "mine", "--kind", "service", "--role",
                            "administrator")["secret"]
    backup = server.folder / "backup"
    server.cli("backup", backup)
    assert (backup / "COMPLETE").exists() or any(backup.iterdir())
    assert pathlib.Path(str(backup) + ".ring").exists()
    device.publish("telemetry/lab", '{"temp": 2}')
    code, _ = server.stop()
    assert code == 0
    ports = dict(server.listen)

    other = lab.Server(server.new_folder("restored"))
    shutil.copy(str(server.data) + ".seal", str(other.data) + ".seal")
    run(binary("holdfast"), "restore", backup, "--data", other.data)
    other.listen = ports
    try:
        other.start()
        api = other.api.with_token(token)
        assert api.get(f"/v1/devices/{device.id}")["name"] == "kept"
        assert [p["value"] for p in api.points(device.id, "lab.temp")] == [1]
        device.server = other
        device.publish("telemetry/lab", '{"temp": 3}')
        assert [p["value"] for p in api.points(device.id, "lab.temp")] == [1, 3]
        assert api.post("/v1/audit/verify", {})["ok"] is True
    finally:
        other.close()


def test_a_backup_holds_no_secret(server):
    word = "zygomorphic-8213"
    device = server.enrol(name="teller")
    device.publish("telemetry/lab", f'{{"v": "{word}"}}')
    device.publish("log", f'{{"message": "{word}"}}')
    claim = server.claim()
    backup = server.folder / "backup"
    server.cli("backup", backup)
    seal = pathlib.Path(str(server.data) + ".seal").read_bytes()
    for path in [*backup.rglob("*"), pathlib.Path(str(backup) + ".ring")]:
        if path.is_file():
            data = path.read_bytes()
            for needle in (word.encode(), claim["claim"].encode(), server.admin_token.encode(),
                           seal.strip()):
                assert needle not in data, f"{needle[:12]} lies in {path}"
            assert path.name != "admin-token"


def test_a_backup_into_a_folder_that_is_there_is_refused(server):
    backup = server.folder / "backup"
    backup.mkdir()
    (backup / "precious").write_text("mine")
    done = server.cli("backup", backup, check=False)
    assert done.returncode != 0
    assert (backup / "precious").read_text() == "mine"


def test_a_cut_backup_is_refused(server):
    backup = server.folder / "backup"
    server.cli("backup", backup)
    victim = max((p for p in backup.rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)
    with open(victim, "r+b") as file:
        file.truncate(victim.stat().st_size // 2)
    target = server.folder / "other" / "data"
    target.parent.mkdir()
    shutil.copy(str(server.data) + ".seal", str(target) + ".seal")
    done = run(binary("holdfast"), "restore", backup, "--data", target, check=False)
    assert done.returncode != 0, "half a backup was taken for a whole one"
