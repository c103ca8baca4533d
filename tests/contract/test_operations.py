"""Every operation of the contract is there and answers a valid call as it says (the check of each
answer against openapi.yaml is in lab.contract)."""
import pytest

from tests import lab
from tests.contract import recipes
from tests.contract.recipes import RECIPES, operations, send, success_of, url
from tests.lab.contract import contract


def test_every_operation_has_a_recipe():
    named = {operation.id for operation in operations()}
    assert named - set(RECIPES) == set(), "make a recipe for each new operation"
    assert set(RECIPES) - named == set(), "recipes of operations that are no more"


@pytest.mark.parametrize("operation", operations(lambda op: not op.is_stream
                                                 and op.id != "complete_setup"), ids=repr)
def test_answers_a_valid_call(world, operation):
    answer = send(world, operation, RECIPES[operation.id](world))
    assert answer.status == success_of(operation), answer.text[:2000]


@pytest.mark.parametrize("operation", operations(lambda op: op.is_stream), ids=repr)
def test_stream_opens(world, operation):
    call = RECIPES[operation.id](world)
    with world.api.stream(url(operation, call.path)) as stream:
        if operation.id == "stream_claim_progress":
            name, claim = next(iter(stream))
            assert name == "claim" and claim["id"] == call.path["claim_id"]


def test_set_up_works_once():
    with lab.server() as server:
        world = recipes.World(server)
        operation = contract().operation("complete_setup")
        assert server.api.get("/v1/setup") == {"open": True}
        call = RECIPES["complete_setup"](world)
        wrong = dict(call.body, secret="x" * 40)
        assert send(world, operation, call, body=wrong).status in (401, 403)
        answer = send(world, operation, call)
        assert answer.status == 201, answer.text
        assert answer.json["roles"] == ["administrator"]
        assert server.api.get("/v1/setup") == {"open": False}
        assert send(world, operation, call).status in (401, 403, 409)
        entries = list(server.api.items("/v1/audit", action="complete_setup"))
        assert len({entry["request_id"] for entry in entries}) == 1, entries
        assert any(entry["object"].startswith("usr_") for entry in entries), entries


def test_unknown_routes_and_methods_are_problems(world):
    assert world.api.call("GET", "/v1/no-such-thing").status == 404
    answer = world.api.call("DELETE", "/v1/devices")
    assert answer.status == 405
    assert "GET" in answer.header("Allow")
