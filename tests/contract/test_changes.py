"""What the contract promises of every change: an audit entry, Idempotency-Key, If-Match."""
import copy
import datetime

import pytest

from tests.contract.recipes import NUMBERS, RECIPES, operations, send, success_of, url
from tests.lab.contract import contract

MUTATIONS = operations(lambda op: op.mutation and op.id != "complete_setup")
# Objects that appear or vanish have no state before or after; neither has what makes no object.
NO_BEFORE = {"set_retention", "erase_subject", "create_site", "create_type", "create_user", "create_token", "create_claim",
             "add_endorsement_root", "register_endorsement", "create_session", "run_command",
             "import_registrations", "create_backup", "create_ring_backup"}
NO_AFTER = {"delete_site", "delete_type", "delete_user", "delete_session", "delete_registration",
            "remove_endorsement_root", "release_endorsement"}


def entries_of(world, operation, request_id):
    return [entry for entry in world.api.get("/v1/audit", query={"action": operation.id,
                                                                 "limit": 50})["items"]
            if entry["request_id"] == request_id]


@pytest.mark.parametrize("operation", MUTATIONS, ids=repr)
def test_leaves_an_audit_entry(world, operation):
    call = RECIPES[operation.id](world)
    answer = send(world, operation, call)
    assert answer.status == success_of(operation), answer.text
    found = entries_of(world, operation, answer.header("X-Request-Id"))
    assert len(found) == 1, f"{len(found)} entries of {operation.id}"
    entry = found[0]
    if call.api is None:
        assert entry["actor"] == "bootstrap"
    else:
        assert entry["actor"].startswith("usr_"), entry
    assert entry["object"], entry
    for name in ("device_id", "site_id", "type_id", "user_id", "token_id", "claim_id",
                 "command_id", "job_id"):
        # A command is an object of its own: its entry names the device inside.
        if name in call.path and operation.id != "run_command":
            assert entry["object"] == call.path[name], entry
    assert (entry["before"] is None) == (operation.id in NO_BEFORE), entry
    if operation.id not in NO_AFTER:
        assert entry["after"] is not None, entry
    assert entry["before"] != entry["after"], entry
    text = str(entry)
    assert "correct horse" not in text and "hft_" not in text and "hfc_" not in text


@pytest.mark.parametrize("operation", MUTATIONS, ids=repr)
def test_a_refused_change_leaves_none(world, operation):
    """A call that fails changes nothing, so the audit does not grow."""
    call = RECIPES[operation.id](world)
    if operation.id in ("create_backup", "delete_session"):
        pytest.skip("takes nothing that could be wrong")
    before = world.api.get("/v1/audit", query={"limit": 1})["items"][0]["seq"]
    if isinstance(call.body, dict):
        answer = send(world, operation, call, body=dict(call.body, no_such_member=1)
                      if operation.id not in ("replace_desired", "update_desired") else [1])
        assert answer.status in (400, 422), answer.text
    else:
        answer = send(world, operation, call, headers={"If-Match": '"999999"'}) \
            if operation.needs_match else send_absent(world, operation, call)
        assert answer.status in (404, 409, 412, 422), answer.text
    after = world.api.get("/v1/audit", query={"limit": 1})["items"][0]["seq"]
    assert after == before, operation.id


def send_absent(world, operation, call):
    from tests.contract.recipes import ABSENT
    names = ("serial", "fingerprint", "endorsement")
    call.path = {name: ABSENT[name] if name.endswith("_id") or name in names else value
                 for name, value in call.path.items()}
    return send(world, operation, call)


@pytest.mark.parametrize("operation", operations(lambda op: op.takes_key), ids=repr)
def test_idempotency_key(world, operation):
    call = RECIPES[operation.id](world)
    key = {"Idempotency-Key": f"intent-{next(NUMBERS)}"}
    first = send(world, operation, call, headers=key)
    assert first.status == success_of(operation), first.text
    again = send(world, operation, call, headers=key)
    assert (again.status, again.body) == (first.status, first.body), "not the stored answer"
    assert again.etag == first.etag
    found = entries_of(world, operation, first.header("X-Request-Id")) + \
        entries_of(world, operation, again.header("X-Request-Id"))
    assert len({entry["seq"] for entry in found}) == 1, "it was done twice"
    if isinstance(call.body, dict):
        other = copy.deepcopy(call.body)
        other["reason" if "reason" in other else "name"] = world.name("other")[:60].replace(" ", "-")
        answer = send(world, operation, call, headers=key, body=other)
        assert (answer.status, answer.code) == (
            contract().problems["idempotency-mismatch"]["http_status"], "idempotency-mismatch")


@pytest.mark.parametrize("operation", operations(lambda op: op.needs_match), ids=repr)
def test_if_match(world, operation):
    call = RECIPES[operation.id](world)
    missing = send(world, operation, call, headers={"If-Match": None})
    assert (missing.status, missing.code) == (428, "precondition-required"), missing.text
    stale = send(world, operation, call, headers={"If-Match": '"987654"'})
    assert (stale.status, stale.code) == (412, "precondition-failed"), stale.text
    answer = send(world, operation, call, headers={"If-Match": current_etag(world, operation, call)})
    assert answer.status == success_of(operation), answer.text


def current_etag(world, operation, call):
    path = url(operation, call.path).removesuffix("/desired")
    answer = world.api.call("GET", path)
    assert answer.status == 200 and answer.etag, answer.text
    return answer.etag


def test_of_two_that_read_the_same_one_wins(world):
    device = world.device()
    path = f"/v1/devices/{device}"
    etag = world.api.call("GET", path).etag
    first = world.api.call("PATCH", path, {"name": "one"}, headers={"If-Match": etag})
    second = world.api.call("PATCH", path, {"name": "two"}, headers={"If-Match": etag})
    assert (first.status, second.status) == (200, 412)
    assert world.api.get(path)["name"] == "one"


def test_unknown_members_are_named(world):
    answer = world.api.call("POST", "/v1/sites", {"name": world.name("site"), "descripton": "x"})
    assert (answer.status, answer.code) == (422, "unknown-field"), answer.text
    assert answer.json["errors"][0]["pointer"] == "/descripton"


LISTS = operations(lambda op: any(p["name"] == "limit" for p in op.parameters)
                   and op.id not in ("query_telemetry", "list_newest_readings",
                                     "count_events"))  # own paging: tests/e2e


@pytest.mark.parametrize("operation", LISTS, ids=repr)
def test_limit_is_what_the_contract_says(world, operation):
    call = RECIPES[operation.id](world)
    limit = next(p for p in operation.parameters if p["name"] == "limit")["schema"]
    for wrong in (limit["minimum"] - 1, limit["maximum"] + 1, "many", ""):
        call.query = {"limit": wrong}
        answer = send(world, operation, call)
        assert (answer.status, answer.code) == (422, "invalid-argument"), f"{wrong}: {answer.text}"
        assert answer.json["errors"][0]["pointer"] == "?limit", answer.text
    call.query = {"limit": limit["maximum"]}
    assert send(world, operation, call).status == 200
    call.query = {"limit": 2, "cursor": "nonsense"}
    answer = send(world, operation, call)
    assert answer.status == 422, answer.text


@pytest.mark.parametrize("operation", LISTS, ids=repr)
def test_page_after_page_gives_the_same_as_one(world, operation):
    for _ in range(3):
        world.command()
        world.server.claim(site_id=world.site_a)
        world.user()
    call = RECIPES[operation.id](world)
    path = url(operation, call.path)
    frozen = {} if operation.id in ("list_sites", "list_types", "list_users", "list_tokens",
                                    "list_devices", "list_claims", "list_jobs",
                                    "list_enrolments", "list_registrations") \
        else {"to_seq": 9} if operation.id == "list_audit" else {"to": now()}
    whole = [row_id(row) for row in world.api.items(path, limit=1000, **frozen)]
    paged = [row_id(row) for row in world.api.items(path, limit=2, **frozen)]
    assert paged == whole and len(set(whole)) == len(whole)
    assert whole or operation.id == "query_events", "nothing to page through"


def row_id(row):
    names = ("id", "seq", "key_sha256", "endorsement", "serial")
    return next(row[name] for name in names if row.get(name) is not None)


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def test_pages_are_whole_and_without_doubles(world):
    names = {world.name("paged") for _ in range(7)}
    for name in names:
        world.api.post("/v1/sites", {"name": name})
    seen = [site["name"] for site in world.api.items("/v1/sites", q="paged", limit=2)]
    assert len(seen) == len(set(seen)) and names <= set(seen)
