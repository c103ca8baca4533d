"""Every operation as every role, as the same role of another site, and as nobody.

The calls are wrong in all else (absent ids, no body, no If-Match), so an answer of 404, 422 or 428
to one who may not call shows that the check comes too late.
"""
import pytest

from tests.contract.recipes import ABSENT, RECIPES, operations, url
from tests.lab.contract import contract

ROLES = ("viewer", "technician", "operator", "auditor", "administrator")
CLOSED = operations(lambda op: not op.open)
# To be refused is what the test wants; to be let in would make these really happen, or hang.
HARMFUL = {"create_backup", "delete_session"}


@pytest.fixture(scope="session")
def callers(world):
    """(role, limited?) -> Api; the limited ones hold their role at site B only."""
    out = {}
    for role in ROLES:
        out[role, False] = world.token([role])[1]
        out[role, True] = world.token([role], [world.site_b])[1]
    return out


def paths(world, operation):
    """With ids that do not exist, and with those of site A where there are such."""
    names = [p["name"] for p in operation.parameters if p["in"] == "path"]
    known = {"device_id": world.device_a, "site_id": world.site_a}
    yield url(operation, {name: ABSENT[name] for name in names})
    if set(names) & set(known):
        yield url(operation, {name: known.get(name, ABSENT[name]) for name in names})


def call(api, operation, path):
    if operation.is_stream:
        # A stream that opens would stay open: the accept header alone cannot be served.
        return stream_status(api, path)
    return api.call(operation.method, path)


def stream_status(api, path):
    from tests.lab.api import ApiError
    try:
        with api.stream(path):
            return None
    except ApiError as error:
        contract().check("GET", path, error.answer)
        return error.answer


@pytest.mark.parametrize("operation", CLOSED, ids=repr)
def test_nobody_is_asked_to_sign_in(world, operation):
    for token in (None, "hft_" + "A" * 43, "nonsense"):
        for path in paths(world, operation):
            answer = call(world.api.with_token(token), operation, path)
            assert answer is not None, f"{path} opened for nobody"
            assert answer.status == 401, f"{path}: {answer.text}"
            assert answer.code in ("unauthenticated", "token-invalid"), answer.text
            assert answer.header("WWW-Authenticate"), "401 names its scheme (RFC 9110, 11.6.1)"


@pytest.mark.parametrize("operation", CLOSED, ids=repr)
def test_roles(world, callers, operation):
    row = contract().permissions[operation.permission]
    for role in ROLES:
        holds = role in row["roles"]
        if holds and operation.id in HARMFUL:
            continue
        for path in paths(world, operation):
            answer = call(callers[role, False], operation, path)
            if holds:
                assert answer is None or answer.status not in (401, 403), \
                    f"{role} holds {operation.permission}: {answer.text}"
            else:
                refused(answer, operation, role)


@pytest.mark.parametrize("operation", CLOSED, ids=repr)
def test_roles_of_another_site(world, callers, operation):
    """Server permissions count only without limits; a thing of another site is as one that is not."""
    row = contract().permissions[operation.permission]
    names = {p["name"] for p in operation.parameters if p["in"] == "path"}
    for role in ROLES:
        holds = role in row["roles"]
        api = callers[role, True]
        answers = [call(api, operation, path) for path in paths(world, operation)
                   if not (holds and operation.id in HARMFUL and row["scope"] != "server")]
        if not holds or row["scope"] == "server":
            for answer in answers:
                refused(answer, operation, role)
        elif row["scope"] == "site" and names & {"device_id", "site_id", "claim_id", "command_id"}:
            for answer in answers:
                refused(answer, operation, role)
            assert len({answer.json["title"] + answer.json.get("detail", "")
                        for answer in answers}) == 1, "the two refusals can be told apart"


def refused(answer, operation, role):
    assert answer is not None, f"{role} got a stream without {operation.permission}"
    assert answer.status == 403, f"{role} without {operation.permission}: {answer.text}"
    assert answer.code == "forbidden", answer.text
    assert answer.json["permission"] == operation.permission, answer.text


def test_lists_hold_only_what_the_caller_may_see(world, callers):
    """Site-scoped lists of one limited to site B show nothing of site A."""
    world.command()
    world.server.claim(site_id=world.site_a)
    device_b = world.device(site_id=world.site_b)
    limited = callers["administrator", True]
    assert [d["id"] for d in limited.items("/v1/devices")] == [device_b]
    assert [s["id"] for s in limited.items("/v1/sites")] == [world.site_b]
    assert {c["site_id"] for c in limited.items("/v1/claims")} <= {world.site_b}
    assert list(limited.items("/v1/commands")) == []
    assert world.device_a not in {e["device_id"] for e in limited.items("/v1/events")}
    facets = limited.get("/v1/devices/facets")
    assert [row["value"] for row in facets["site"]] == [world.site_b]


def test_a_limited_caller_cannot_move_a_device_out_or_in(world, callers):
    limited = callers["operator", True]
    device_b = world.device(site_id=world.site_b)
    for site in (world.site_a, None):
        answer = limited.call("PATCH", f"/v1/devices/{device_b}", {"site_id": site},
                              headers={"If-Match": "*"})
        assert (answer.status, answer.code) == (403, "forbidden"), answer.text
    answer = limited.call("POST", "/v1/claims", {"site_id": world.site_a})
    assert answer.status == 403, answer.text
    assert limited.call("POST", "/v1/claims", {"site_id": world.site_b}).status == 201
    assert limited.call("POST", "/v1/claims", {}).status in (403, 422)


def test_a_token_of_a_demoted_user_holds_no_more_than_the_user(world):
    """Kind `api` never holds more than its user does, also later."""
    world.user(["administrator"])  # another, so that this one may be demoted
    user = world.user(["administrator"])
    session = world.api.with_token(None).call(
        "POST", "/v1/session", {"name": user["name"], "password": "correct horse battery"})
    from tests.contract.recipes import CookieApi
    cookie = CookieApi(world.api, session.header("Set-Cookie").split(";")[0])
    made = cookie.post("/v1/tokens", {"name": "mine", "roles": ["operator"]})
    api = world.api.with_token(made["secret"])
    assert api.call("POST", "/v1/types", {"name": world.name("type")}).status == 201
    world.api.patch(f"/v1/users/{user['id']}", {"roles": ["viewer"]})
    answer = api.call("POST", "/v1/types", {"name": world.name("type")})
    assert answer.status == 403, answer.text
    world.api.patch(f"/v1/users/{user['id']}", {"disabled": True})
    assert api.call("GET", "/v1/types").status == 401


def test_a_cookie_without_the_header_changes_nothing(world):
    api = world.signed_in()
    assert api.call("GET", "/v1/session").status == 200
    api.csrf = None
    answer = api.call("DELETE", "/v1/session")
    assert (answer.status, answer.code) == (403, "csrf"), answer.text
    assert api.call("GET", "/v1/session").status == 200


def test_the_recipes_of_open_operations_need_no_token(world):
    for operation in operations(lambda op: op.open and op.method == "GET"):
        if operation.id == "download_agent":
            continue
        path = url(operation, RECIPES[operation.id](world).path)
        answer = world.api.with_token(None).call("GET", path, headers={"Accept": "text/markdown"})
        assert answer.status == 200, f"{path}: {answer.text[:300]}"
