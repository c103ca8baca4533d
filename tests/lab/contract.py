"""Holds every answer that a test sees against contract/openapi.yaml and contract/problems.yaml.

An undeclared operation, status, content type or member fails the test that saw it. `SEEN` counts
answers by (operation id, status), so that a test can say what was never called.
"""
import collections
import functools
import re

import jsonschema
import yaml

from tests.lab.process import ROOT

SEEN = collections.Counter()
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$")
METHODS = ("get", "post", "put", "patch", "delete")
FORMATS = jsonschema.FormatChecker(formats=())


@FORMATS.checks("date-time")
def _is_time(value):
    return not isinstance(value, str) or bool(TIME.match(value))


def _load(name):
    with open(ROOT / "contract" / name, encoding="utf-8") as file:
        return yaml.load(file, getattr(yaml, "CSafeLoader", yaml.SafeLoader))


class Operation:
    """One operation of the contract, with its parameters resolved."""

    def __init__(self, document, path, method, node):
        self.id = node["operationId"]
        self.path = path
        self.method = method.upper()
        self.node = node
        self.open = node.get("security") == []
        self.permission = node.get("x-permission")
        self.mutation = node.get("x-mutation", False)
        self.site_scoped = node.get("x-site-scoped", False)
        shared = document["paths"][path].get("parameters", [])
        self.parameters = [_resolved(document, p) for p in shared + node.get("parameters", [])]
        self.takes_key = any(p["name"] == "Idempotency-Key" for p in self.parameters)
        self.needs_match = any(p["name"] == "If-Match" and p.get("required")
                               for p in self.parameters)
        self.is_stream = "x-sse-events" in node
        pattern = re.sub(r"\\{\w+\\}", "([^/?]+)", re.escape(path))
        self.pattern = re.compile(f"^{pattern}$")
        self.parts = len([p for p in path.split("/") if not p.startswith("{")])

    def __repr__(self):
        return self.id


def _resolved(document, node):
    while "$ref" in node:
        target = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


class Contract:
    """The two files, read once a process."""

    def __init__(self):
        self.document = _load("openapi.yaml")
        self.problems = {row["code"]: row for row in _load("problems.yaml")["problems"]}
        self.permissions = self.document["x-permissions"]
        self.operations = [Operation(self.document, path, method, item[method])
                           for path, item in self.document["paths"].items()
                           for method in METHODS if method in item]
        # Literal paths win over templated ones.
        self._by_literals = sorted(self.operations, key=lambda op: -op.parts)
        self._resolver = jsonschema.RefResolver("", self.document)
        self._validators = {}

    def operation(self, name):
        return next(op for op in self.operations if op.id == name)

    def find(self, method, path):
        path = path.split("?")[0]
        for operation in self._by_literals:
            if operation.method == method and operation.pattern.match(path):
                return operation
        return None

    def validate(self, schema, value, where):
        key = id(schema)
        if key not in self._validators:
            self._validators[key] = (jsonschema.Draft202012Validator(
                schema, resolver=self._resolver, format_checker=FORMATS), schema)
        errors = sorted(self._validators[key][0].iter_errors(value), key=lambda e: list(e.path))
        assert not errors, f"{where}: {errors[0].json_path}: {errors[0].message[:600]}"

    def check(self, method, path, answer):
        """Fails unless `answer` (lab.api.Answer) is one that the contract declares."""
        where = f"{method} {path} -> {answer.status}"
        assert answer.header("X-Request-Id"), f"{where}: no X-Request-Id"
        operation = self.find(method, path)
        if operation is None:
            assert answer.status in (401, 404, 405), f"{where}: not in the contract"
            self._check_problem(answer, where)
            return
        SEEN[(operation.id, answer.status)] += 1
        responses = operation.node["responses"]
        declared = responses.get(str(answer.status)) or responses.get(f"{answer.status // 100}XX")
        assert declared, f"{where}: {operation.id} does not declare this status: {answer.text[:500]}"
        declared = _resolved(self.document, declared)
        for name in declared.get("headers", {}):
            if name in ("ETag", "Holdfast-Backup-Id", "Set-Cookie", "Repr-Digest"):
                assert answer.header(name), f"{where}: header {name} is missing"
        if answer.status >= 400:
            self._check_problem(answer, where)
        self._check_body(declared.get("content"), answer, where)

    def _check_body(self, content, answer, where):
        if not content:
            assert not answer.body, f"{where}: a body where none is declared: {answer.body[:200]}"
            return
        kind = (answer.header("Content-Type") or "").split(";")[0].strip()
        assert kind in content, f"{where}: Content-Type '{kind}' is not one of {list(content)}"
        if kind.endswith("json"):
            self.validate(content[kind]["schema"], answer.json, where)

    def _check_problem(self, answer, where):
        kind = (answer.header("Content-Type") or "").split(";")[0]
        assert kind == "application/problem+json", f"{where}: {kind}: {answer.text[:300]}"
        problem = answer.json
        row = self.problems.get(problem.get("code"))
        assert row, f"{where}: unknown problem code {problem}"
        assert problem["status"] == answer.status == row["http_status"], f"{where}: {problem}"
        assert problem["type"] == f"/problems/{row['code']}", f"{where}: {problem}"
        assert problem["request_id"] == answer.header("X-Request-Id"), f"{where}: {problem}"

    def check_event(self, operation, name, data):
        schema = operation.node["x-sse-events"].get(name)
        assert schema, f"{operation.id}: event '{name}' is not declared"
        self.validate(schema, data, f"{operation.id}: event {name}")


@functools.cache
def contract():
    return Contract()
