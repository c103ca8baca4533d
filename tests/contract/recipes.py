"""A valid call of every operation of the contract, on objects made for it.

`RECIPES[operation id](world)` returns a Call. An operation without a recipe fails the tests, so a
new one cannot come without them.
"""
import base64
import dataclasses
import hashlib
import itertools
import json
import urllib.parse

from tests import lab
from tests.lab import tpm
from tests.lab.contract import contract
from tests.lab.device import curl, key_sha256, make_request, post_request
from tests.lab.process import run

RECIPES = {}
NUMBERS = itertools.count(1)
PASSWORD = "correct horse battery"
ABSENT = {"device_id": "dev_0000000000000000000000000A", "site_id": "site_0000000000000000000000000A",
          "type_id": "typ_0000000000000000000000000A", "user_id": "usr_0000000000000000000000000A",
          "token_id": "tok_0000000000000000000000000A", "claim_id": "clm_0000000000000000000000000A",
          "command_id": "cmd_0000000000000000000000000A", "job_id": "job_0000000000000000000000000A",
          "seq": "999999999", "subject": "dev_0000000000000000000000000A", "class_name": "no-such", "fingerprint": "0" * 64,
          "endorsement": "0" * 64, "key_sha256": "0" * 64, "serial": "no-such-serial", "tag": "floor", "platform": "linux-none", "code": "no-such-problem"}


@dataclasses.dataclass
class Call:
    """Path parameters, body, query and headers of one request; `api`: the caller, if special."""

    path: dict = dataclasses.field(default_factory=dict)
    body: object = None
    query: dict = None
    headers: dict = dataclasses.field(default_factory=dict)
    api: object = None


def recipe(function):
    RECIPES[function.__name__] = function
    return function


def url(operation, path):
    out = operation.path
    for name, value in path.items():
        out = out.replace("{" + name + "}", urllib.parse.quote(str(value), safe=""))
    return out


def send(world, operation, call, headers=None, body=None):
    """Sends a call; If-Match is `*` where the contract needs one and the call gives none."""
    sent = dict(call.headers, **(headers or {}))
    if operation.needs_match:
        sent.setdefault("If-Match", "*")
    return (call.api or world.api).call(
        operation.method, url(operation, call.path), body=call.body if body is None else body,
        query=call.query, headers=sent)


class World:
    """A server with two sites; makes what a recipe needs."""

    def __init__(self, server):
        self.server = server
        self.api = server.api
        self.site_a = self.site()
        self.site_b = self.site()
        self.device_a = self.device(site_id=self.site_a)

    def name(self, what):
        return f"{what} {next(NUMBERS)}"

    def site(self):
        return self.api.post("/v1/sites", {"name": self.name("site")})["id"]

    def type(self):
        return self.api.post("/v1/types", {"name": self.name("type")})["id"]

    def user(self, roles=("viewer",)):
        name = f"user{next(NUMBERS)}"
        return self.api.post("/v1/users", {"name": name, "password": PASSWORD,
                                           "roles": list(roles)})

    def token(self, roles, sites=None, kind="service"):
        """(token, an Api that uses it)"""
        made = self.api.post("/v1/tokens", {"kind": kind, "name": self.name("token"),
                                            "roles": list(roles), "sites": sites})
        return made["token"], self.api.with_token(made["secret"])

    def device(self, **fields):
        return self.server.enrol(name=self.name("device"), **fields).id

    def command(self, device=None):
        path = f"/v1/devices/{device or self.device_a}/commands"
        return self.api.post(path, {"name": "blink", "payload": {"n": 1}})["id"]

    def job(self):
        """A scheduled job: a claim that will expire makes one."""
        self.server.claim()
        return next(self.api.items("/v1/jobs", state="scheduled"))["id"]

    def signed_in(self):
        """An Api with a session cookie instead of a token."""
        user = self.user()
        api = self.api.with_token(None)
        answer = api.call("POST", "/v1/session", {"name": user["name"], "password": PASSWORD})
        assert answer.status == 201, answer.text
        cookie = answer.header("Set-Cookie").split(";")[0]
        return CookieApi(api, cookie)


class CookieApi(lab.Api):
    """A browser's view: the session cookie, and the header against forged requests."""

    def __init__(self, api, cookie, csrf="1"):
        super().__init__(api.url.geturl(), api.ca)
        self.cookie = cookie
        self.csrf = csrf

    def _headers(self, headers, body):
        return dict(super()._headers(headers, body), Cookie=self.cookie,
                    **({"X-Holdfast-CSRF": self.csrf} if self.csrf else {}))


def _nothing(name):
    """Operations without parameters or body."""
    RECIPES[name] = lambda world: Call()


for _name in ("get_setup get_session list_devices get_device_facets stream_changes list_sites "
              "list_types list_users list_tokens list_claims list_endorsements list_endorsement_roots query_events count_events "
              "explain_events tail_events list_commands get_certificate_forecast list_orphans "
              "list_findings list_audit get_audit_checkpoint list_jobs create_backup get_config "
              "get_version get_agent_downloads get_health get_readiness "
              "get_server_metrics").split():
    _nothing(_name)


def _of_device(name):
    RECIPES[name] = lambda world: Call({"device_id": world.device_a})


for _name in ("get_device get_device_timeline list_metrics tail_telemetry get_twin "
              "diff_twin get_device_attestation").split():
    _of_device(_name)


@recipe
def import_registrations(world):
    return Call(body={"csv": f"serial,name\n{world.name('S').replace(' ', '-')},pump\n"})


@recipe
def delete_registration(world):
    serial = world.name("S").replace(" ", "-")
    world.api.post("/v1/registrations", {"csv": f"serial\n{serial}\n"})
    return Call({"serial": serial})


@recipe
def list_registrations(world):
    for _ in range(3):
        delete_registration(world)
    return Call()


@recipe
def list_enrolments(world):
    for _ in range(3):
        waiting_key(world)
    return Call()


def waiting_key(world):
    """The key of a device that waits; the server has to let it (`enrolment.unknown`)."""
    folder = world.server.new_folder("waiting")
    body = base64.encodebytes(make_request(folder).read_bytes())
    # New keys are counted by address: each comes from one of its own.
    source = f"127.0.{next(NUMBERS) % 250}.{next(NUMBERS) % 250 + 1}"
    status, _, _ = curl(world.server, "POST", "/.well-known/est/simpleenroll", "--interface",
                        source, "-H",
                        "Content-Type: application/pkcs10", body=body)
    assert status == 202
    return {"key_sha256": key_sha256(folder / "key.pem")}


@recipe
def approve_enrolment(world):
    return Call(waiting_key(world), {"name": world.name("approved")})


@recipe
def refuse_enrolment(world):
    return Call(waiting_key(world), {"reason": "drill"})


@recipe
def acknowledge_finding(world):
    folder = world.server.new_folder("reuse")
    body = base64.encodebytes(make_request(folder).read_bytes())
    for status in (200, 409):
        secret = world.server.claim(site_id=world.site_a)["claim"]
        assert post_request(world.server, secret, body)[0] == status
    return Call(body={"kind": "key_reuse", "subject": key_sha256(folder / "key.pem")})


@recipe
def decommission_device(world):
    return Call({"device_id": world.device(site_id=world.site_a)}, {"reason": "drill"})


@recipe
def get_decommission(world):
    device = world.device(site_id=world.site_a)
    world.api.post(f"/v1/devices/{device}/decommission", {"reason": "drill"})
    return Call({"device_id": device})


@recipe
def replace_device(world):
    return Call({"device_id": world.device_a}, {"reason": "drill"})


@recipe
def list_replacements(world):
    return Call({"device_id": world.device_a})


@recipe
def complete_setup(world):
    link = (world.server.data / "setup-link").read_text(encoding="utf-8").strip()
    return Call(body={"secret": link.split("#")[1], "name": "first.admin", "password": PASSWORD},
                api=world.api.with_token(None))


@recipe
def create_session(world):
    return Call(body={"name": world.user()["name"], "password": PASSWORD},
                api=world.api.with_token(None))


@recipe
def delete_session(world):
    return Call(api=world.signed_in())


@recipe
def update_device(world):
    return Call({"device_id": world.device_a}, {"name": world.name("renamed")})


@recipe
def set_device_tag(world):
    return Call({"device_id": world.device_a, "tag": "floor"}, {"value": world.name("floor")})


@recipe
def delete_device_tag(world):
    world.api.put(f"/v1/devices/{world.device_a}/tags/old", {"value": "x"})
    return Call({"device_id": world.device_a, "tag": "old"})


@recipe
def quarantine_device(world):
    return Call({"device_id": world.device()}, {"reason": "looks odd"})


@recipe
def release_device(world):
    device = world.device()
    world.api.post(f"/v1/devices/{device}/quarantine", {"reason": "looks odd"})
    return Call({"device_id": device}, {"reason": "was a drill"})


@recipe
def revoke_device(world):
    return Call({"device_id": world.device()}, {"reason": "stolen"})


@recipe
def create_site(world):
    return Call(body={"name": world.name("site"), "description": "a place"})


@recipe
def get_site(world):
    return Call({"site_id": world.site_a})


@recipe
def update_site(world):
    return Call({"site_id": world.site_a}, {"description": world.name("about")})


@recipe
def delete_site(world):
    return Call({"site_id": world.site()})


@recipe
def create_type(world):
    return Call(body={"name": world.name("type"),
                      "streams": [{"stream": "lab", "field": "temp", "unit": "Cel"}]})


@recipe
def get_type(world):
    return Call({"type_id": world.type()})


@recipe
def update_type(world):
    return Call({"type_id": world.type()}, {"description": "changed"})


@recipe
def delete_type(world):
    return Call({"type_id": world.type()})


@recipe
def create_user(world):
    return Call(body={"name": f"new{next(NUMBERS)}", "password": PASSWORD, "roles": ["viewer"]})


@recipe
def get_user(world):
    return Call({"user_id": world.user()["id"]})


@recipe
def update_user(world):
    return Call({"user_id": world.user()["id"]}, {"disabled": True})


@recipe
def delete_user(world):
    return Call({"user_id": world.user()["id"]})


@recipe
def create_token(world):
    return Call(body={"kind": "service", "name": world.name("token"), "roles": ["viewer"]})


@recipe
def get_token(world):
    return Call({"token_id": world.token(["viewer"])[0]["id"]})


@recipe
def update_token(world):
    return Call({"token_id": world.token(["viewer"])[0]["id"]}, {"name": world.name("token")})


@recipe
def revoke_token(world):
    return Call({"token_id": world.token(["viewer"])[0]["id"]})


def _endorsement(world):
    digest = hashlib.sha256(world.name("tpm").encode()).hexdigest()
    world.api.post("/v1/endorsements", {"endorsement": digest})
    return digest


@recipe
def register_endorsement(world):
    return Call(body={"endorsement": hashlib.sha256(world.name("tpm").encode()).hexdigest(),
                      "name": world.name("pump"), "tags": {"line": "3"}})


@recipe
def release_endorsement(world):
    return Call({"endorsement": _endorsement(world)})


def _maker(world):
    """A root certificate of a maker of TPMs, as PEM."""
    folder = world.server.new_folder("maker")
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-keyout", folder / "key.pem", "-out", folder / "root.pem", "-days", 30, "-subj",
        f"/CN={world.name('maker')}", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    return (folder / "root.pem").read_text()


@recipe
def add_endorsement_root(world):
    return Call(body={"certificate": _maker(world), "admits": False})


@recipe
def remove_endorsement_root(world):
    made = world.api.post("/v1/endorsement-roots", {"certificate": _maker(world)})
    return Call({"fingerprint": made["fingerprint"]})


@recipe
def accept_device_attestation(world):
    folder = world.server.new_folder("tpm")
    with tpm.software_tpm(folder) as tcti:
        world.api.post("/v1/endorsements", {"endorsement": tpm.endorsement_hash(folder, tcti),
                                            "site_id": world.site_a})
        done = tpm.enrol(world.server, folder, tcti)
    assert done.returncode == 0, done.stdout + done.stderr
    return Call({"device_id": done.stdout.splitlines()[-1]})


@recipe
def create_claim(world):
    return Call(body={"expires_in_s": 600, "site_id": world.site_a, "tags": {"floor": "2"}})


@recipe
def get_claim(world):
    return Call({"claim_id": world.server.claim(site_id=world.site_a)["id"]})


@recipe
def revoke_claim(world):
    return get_claim(world)


@recipe
def stream_claim_progress(world):
    return get_claim(world)


@recipe
def query_telemetry(world):
    return Call({"device_id": world.device_a}, query={"metric": "lab.temp", "since": "1h"})


@recipe
def compare_telemetry(world):
    return Call(query={"device_id": world.device_a, "metric": "lab.temp", "since": "1h", "bucket_s": 60,
                       "functions": "mean,p95,rate", "fill": "linear", "top": 3})


@recipe
def get_retention(world):
    return Call()


@recipe
def preview_retention(world):
    return Call()


@recipe
def set_retention(world):
    name = f"class-{next(NUMBERS)}"
    return Call({"class_name": name}, {"keep_s": 864000, "rollup_s": 3600, "rollup_keep_s": 8640000, "streams": [name]})


@recipe
def preview_erasure(world):
    return Call({"subject": world.device_a})


@recipe
def erase_subject(world):
    device = world.device(site_id=world.site_a)
    return Call({"subject": device}, {"confirm": device, "reason": "asked for"})


@recipe
def list_newest_readings(world):
    return Call(query={"metric": "lab.temp"})


@recipe
def replace_desired(world):
    return Call({"device_id": world.device_a}, {"mode": "eco", "n": next(NUMBERS)})


@recipe
def update_desired(world):
    return replace_desired(world)


@recipe
def run_command(world):
    return Call({"device_id": world.device_a}, {"name": "blink", "payload": {"n": 3}})


@recipe
def get_command(world):
    return Call({"command_id": world.command()})


@recipe
def cancel_command(world):
    return get_command(world)


@recipe
def prove_audit_entry(world):
    return Call({"seq": 0})


@recipe
def verify_audit(world):
    return Call(body={})


@recipe
def get_job(world):
    return Call({"job_id": world.job()})


@recipe
def retry_job(world):
    return get_job(world)


@recipe
def create_ring_backup(world):
    answer = world.api.call("POST", "/v1/backup")
    assert answer.status == 200, answer.text
    return Call(body={"backup_id": answer.header("Holdfast-Backup-Id")})


@recipe
def download_agent(world):
    platforms = world.api.get("/v1/agent")["platforms"]
    assert platforms, "the server has no agent binary to give"
    return Call({"platform": platforms[0]["platform"]})


@recipe
def get_problem_page(world):
    return Call({"code": "claim-expired"}, headers={"Accept": "text/markdown"})


def success_of(operation):
    """The status that a valid call gives."""
    return next(int(status) for status in operation.node["responses"] if status[0] == "2")


def json_body(answer):
    return json.loads(answer.body) if answer.body else None


def operations(condition=lambda operation: True):
    return [operation for operation in contract().operations if condition(operation)]
