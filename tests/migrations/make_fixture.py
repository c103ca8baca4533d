#!/usr/bin/python3
"""Makes a fixture of the present program's data folder: tests/migrations/make_fixture.py NAME

Run it once a release, before the first migration that comes after it, and commit the result:
tests/migrations/fixtures/NAME.tar.xz with the folder, its key ring and sealing key (as a killed
server leaves them: journal and database not tidied up), and record.json. Everything in it was made
for it; its keys protect nothing.
"""
import json
import pathlib
import sys
import tarfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests import lab  # noqa: E402
from tests.migrations import population  # noqa: E402

FOLDER = pathlib.Path(__file__).parent / "fixtures"


def make(server, record_path):
    secrets, devices = population.populate(server)
    server.restart()  # what came so far is sealed, what follows lies in the journal
    population.readings(devices["active"], "later", range(3, 5))
    api = server.api
    recorded = {"version": api.get("/v1/version"), "secrets": secrets,
                "checkpoint": api.get("/v1/audit/checkpoint")["note"],
                "answers": population.record(api, secrets["devices"])}
    record_path.write_text(json.dumps(recorded, indent=1, sort_keys=True) + "\n")
    server.kill9()


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    target = FOLDER / f"{sys.argv[1]}.tar.xz"
    if target.exists():
        sys.exit(f"{target} is there: a fixture is never changed, take another name")
    FOLDER.mkdir(exist_ok=True)
    with lab.server() as server:
        record = server.folder / "record.json"
        make(server, record)
        with tarfile.open(target, "w:xz", preset=9) as archive:
            for name in ("data", "data.ring", "data.seal", "record.json"):
                archive.add(server.folder / name, arcname=name, filter=anonymous)
    print(f"{target}: {target.stat().st_size} bytes")


def anonymous(member):
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return None if member.name == "data/admin-token" else member


if __name__ == "__main__":
    main()
