"""Nothing secret and nothing reported lies readable on a disk, in a log, or in a process list."""
import base64
import gzip
import pathlib
import struct
import subprocess
import zlib

from tests import lab
from tests.lab.search import Search

PASSWORD = "a horse that nobody rides 7713"
# Where what a device said may lie: nowhere in the clear.
TEXT = "zygomorphic-8213-pelargonium"
MESSAGE = "the quokka of valve 4471 is loose"
FIELD = "vermilion-field-90210-aa"
STATE = "reported-quincunx-5512-zz"
RESULT = "result-hemisphere-7741-yy"
REPORTED = {"a text of telemetry": TEXT, "a log's message": MESSAGE, "a log's field": FIELD,
            "a twin's reported state": STATE, "a command's result": RESULT}
NUMBER = 48151.6234203125
# How private keys begin: PKCS#8 of P-256 and Ed25519, SEC1's inner part, and PEM.
KEYS = {"a PKCS#8 key of P-256": bytes.fromhex("308187020100301306072a8648ce3d0201"),
        "a PKCS#8 key of Ed25519": bytes.fromhex("302e020100300506032b657004220420"),
        "a key in PEM": b"-----BEGIN PRIVATE KEY", "an EC key in PEM": b"-----BEGIN EC PRIVATE"}


def test_the_search_finds_what_it_looks_for():
    search = Search()
    secret = "hft_" + "k7q9w2m4" * 3
    search.add("it", secret, allow=["/allowed"])
    raw = secret.encode()
    for plain in (raw, raw.hex().encode(), raw.hex().upper().encode(),
                  *(base64.b64encode(b"x" * n + raw + b"y" * m) for n in range(3) for m in range(3)),
                  *(base64.urlsafe_b64encode(b"\xff" * n + raw) for n in range(3))):
        zstd = subprocess.run(["zstd", "-q", "-c"], input=b"junk " + plain, capture_output=True,
                              check=True).stdout
        for packed in (plain, zlib.compress(plain), gzip.compress(plain), zstd,
                       gzip.compress(b"deep " + zlib.compress(plain))):
            assert search.in_bytes(b"before" + packed + b"after", "here"), plain
    assert not search.in_bytes(raw, "/allowed")
    assert not search.in_bytes(raw[:-1] + b"x", "here")


def reported(server, device):
    device.publish("telemetry/lab", f'{{"v": "{TEXT}", "n": {NUMBER!r}}}')
    device.publish("log", f'{{"message": "{MESSAGE}",'
                          f' "fields": {{"f": "{FIELD}"}}}}')
    device.publish("twin/reported", f'{{"r": "{STATE}"}}')
    with device.mqtt(client_id="secrets") as mqtt:
        mqtt.subscribe("command/#")
        made = server.api.post(f"/v1/devices/{device.id}/commands", {"name": "blink"})
        mqtt.message()
        mqtt.publish(f"reply/{made['id']}", f'{{"status": "ok", "result": "{RESULT}"}}')
        mqtt.disconnect()
    lab.wait_for(lambda: server.api.get(f"/v1/commands/{made['id']}")["state"] == "succeeded", 30,
                 "the command's result")


def live_with_secrets(server, search):
    """A day of a server; every secret that comes up goes into the search."""
    api = server.api
    data = pathlib.Path(server.data)
    search.add("the administrator's token", server.admin_token, allow=[data / "admin-token"])
    # Of the link, the part that nobody may know: after the address.
    link = (data / "setup-link").read_text().strip()
    search.add("the set-up link's secret", link.rsplit("/", 1)[-1].rsplit("=", 1)[-1].lstrip("#"),
               allow=[data / "setup-link"])
    seal = pathlib.Path(f"{data}.seal")
    search.add("the sealing key", seal.read_bytes().strip(), allow=[seal])
    recovery = pathlib.Path(f"{data}.recovery")
    search.add("the recovery key", recovery.read_text().split()[-1], allow=[recovery])
    api.post("/v1/users", {"name": "anna", "password": PASSWORD, "roles": ["operator"]})
    search.add("a password", PASSWORD)
    signed_in = api.with_token(None).call("POST", "/v1/session",
                                          {"name": "anna", "password": PASSWORD})
    cookie = signed_in.header("Set-Cookie").split(";")[0].split("=", 1)[1]
    search.add("a session's cookie", cookie)
    token = server.cli_json("token", "create", "mine", "--kind", "service", "--role", "viewer")
    search.add("a token of the CLI", token["secret"])
    for state in ("open", "to be spent"):
        headers = {"Idempotency-Key": f"claim-{state.replace(chr(32), chr(45))}"}
        claim = api.post("/v1/claims", {"name": state}, headers=headers)
        search.add(f"a claim that is {state}", claim["claim"])
        search.add(f"a claim without its prefix that is {state}",
                   claim["claim"].removeprefix("hfc_").replace("-", ""))
        search.add(f"a join code of a claim that is {state}", claim["code"])
    device = server.enrol(claim=claim["claim"])
    reported(server, device)
    return device, server.agent("secretive")


def search_all(search, server, agent, *more):
    found = []
    for path in (server.data, f"{server.data}.ring", server.folder / "holdfastd.log",
                 agent.state, agent.folder / "agent.log", *more):
        found += search.in_folder(path)
    for program in (server.program, agent.program):
        if program.running:
            found += search.in_process(program.pid)
    assert not found, "\n".join(sorted(set(found))[:40])


def test_nothing_lies_about():
    search = Search()
    with lab.server("--log-level", "debug") as server:
        _, agent = live_with_secrets(server, search)
        for name, value in {**REPORTED, **KEYS}.items():
            search.add(name, value)
        search.add("a number of telemetry", repr(NUMBER))
        for order in "<>":
            search.needles.append(("a number of telemetry", f"a number's 8 bytes {order}",
                                   struct.pack(order + "d", NUMBER)))
        search_all(search, server, agent)
        backup = server.folder / "backup"
        server.cli("backup", backup)
        search_all(search, server, agent, backup, f"{backup}.ring")
        server.kill9()
        search_all(search, server, agent)
        server.start()  # what lay in the journal becomes files of series and events
        lab.wait_for(lambda: list(server.data.rglob("*.hfc")) and list(server.data.rglob("*.hfe")),
                     30, "sealed files")
        search_all(search, server, agent)
        agent.stop()
        server.stop()
        search_all(search, server, agent)
