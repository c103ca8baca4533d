"""What a fixture's folder holds, and how today's program is asked for it.

A record is a list of questions and the answers that the program of the fixture gave. Today's
answers may say more, they must not say less: every recorded member is there with its value, every
recorded item of a list is there under its id.
"""
from tests import lab
from tests.lab.device import problem_of, post_request  # noqa: F401 - problem_of for tests

PASSWORD = "correct horse battery"
MONTH = {"from": "2026-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"}
# What goes on changing by itself, or by being asked for.
VOLATILE = {"presence", "last_used_at", "last_used_address", "last_sign_in", "total_estimate",
            "next_cursor", "last_seen", "health", "device_count"}
OPEN_STATES = {"queued", "sent", "delivered", "open", "pending", "scheduled", "running"}
# Of what was under way and has come to its end since.
ENDING = {"state", "updated_at", "finished_at", "revision"}
LISTS = ("/v1/devices", "/v1/sites", "/v1/types", "/v1/users", "/v1/tokens", "/v1/claims",
         "/v1/commands", "/v1/audit")
KEYS = ("id", "seq", "number", "name")


# ---- a folder's life

def populate(server):
    """A small life of every kind of thing; returns secrets that must go on working."""
    api = server.api
    site = api.post("/v1/sites", {"name": "Works 1"})["id"]
    kind = api.post("/v1/types", {"name": "pump", "description": "made for the tests"})["id"]
    api.post("/v1/users", {"name": "anna", "password": PASSWORD, "roles": ["operator"]})
    token = api.post("/v1/tokens", {"kind": "service", "name": "for ever",
                                    "roles": ["administrator"]})
    gone = api.post("/v1/tokens", {"kind": "service", "name": "taken back", "roles": ["viewer"]})
    api.delete(f"/v1/tokens/{gone['token']['id']}", "*")
    devices = {name: server.enrol(kind=key, name=name, site_id=site, type_id=kind, tags={"role": name})
               for name, key in (("active", "P-256"), ("quarantined", "P-384"),
                                 ("revoked", "Ed25519"), ("quiet", "RSA-2048"))}
    for name, device in devices.items():
        if name != "quiet":
            readings(device, name, range(3))
    open_claim = server.claim(name="still to come")
    withdrawn = server.claim(name="withdrawn")
    api.delete(f"/v1/claims/{withdrawn['id']}", "*")
    active = devices["active"]
    command(server, active)
    api.put(f"/v1/devices/{active.id}/twin/desired", {"interval": 5, "mode": {"fan": "auto"}},
            headers={"If-Match": "*"})
    active.publish("twin/reported", '{"interval": 4}')
    api.patch(f"/v1/devices/{active.id}", {"name": "renamed"})
    api.post(f"/v1/devices/{devices['quarantined'].id}/quarantine", {"reason": "odd readings"})
    api.post(f"/v1/devices/{devices['revoked'].id}/revoke", {"reason": "stolen"})
    return {"token": token["secret"], "revoked_token": gone["secret"],
            "open_claim": open_claim["claim"], "devices": {n: d.id for n, d in devices.items()},
            "user": {"name": "anna", "password": PASSWORD}}, devices


def readings(device, name, numbers):
    """Numbers, texts, booleans, with and without a device's time; and a log line."""
    for i in numbers:
        device.publish("telemetry/lab", f'{{"temp": {20.5 + i}, "count": {i}, "door": "door {i}",'
                                        f' "on": {"true" if i % 2 else "false"}}}')
        device.publish("log", f'{{"message": "{name} says {i}", "severity": "warning",'
                              f' "fields": {{"n": {i}}}}}')


def command(server, device):
    """One command that succeeds, one that is never fetched."""
    with device.mqtt(client_id="fixture") as mqtt:
        mqtt.subscribe("command/#")
        made = server.api.post(f"/v1/devices/{device.id}/commands", {"name": "blink"})
        assert mqtt.message().topic.startswith("command/blink/")
        mqtt.publish(f"reply/{made['id']}", '{"status": "ok", "result": {"times": 4}}')
        mqtt.disconnect()
    lab.wait_for(lambda: server.api.get(f"/v1/commands/{made['id']}")["state"] == "succeeded", 20,
                 "a command's answer")
    server.api.post(f"/v1/devices/{device.id}/commands", {"name": "wait"})


# ---- asking

def questions(devices):
    for path in LISTS:
        yield path, {}
    yield "/v1/events", MONTH
    for device in devices.values():
        yield f"/v1/devices/{device}", {}
        yield f"/v1/devices/{device}/twin", {}
        yield f"/v1/devices/{device}/metrics", {}
        yield f"/v1/devices/{device}/timeline", MONTH
        for metric in ("temp", "count", "door", "on"):
            yield f"/v1/devices/{device}/telemetry", {"metric": f"lab.{metric}", **MONTH}


def answer(api, path, query):
    """The whole answer, all its pages; lists as lists."""
    first = api.get(path, query=query)
    if "next_cursor" in first:
        return list(api.items(path, **query))
    return first["items"] if "items" in first else first


def record(api, devices):
    return [{"path": path, "query": query, "answer": answer(api, path, query)}
            for path, query in questions(devices)]


# ---- comparing

def key_of(item):
    return next((item[key] for key in KEYS if key in item), None)


def missing(old, new, where):
    """What `new` lacks of `old`, as sentences."""
    if isinstance(old, dict):
        if not isinstance(new, dict):
            return [f"{where}: {new!r} is no object"]
        skip = VOLATILE | (ENDING if old.get("state") in OPEN_STATES else set())
        out = []
        for name, value in old.items():
            if name in skip:
                continue
            if name not in new:
                out.append(f"{where}.{name} is gone; it was {value!r}")
            else:
                out += missing(value, new[name], f"{where}.{name}")
        return out
    if isinstance(old, list):
        return missing_items(old, new, where)
    return [] if old == new else [f"{where}: {new!r} instead of {old!r}"]


def missing_items(old, new, where):
    if old and isinstance(old[0], dict) and key_of(old[0]) is not None:
        there = {key_of(item): item for item in new}
        out = []
        for item in old:
            name = key_of(item)
            out += (missing(item, there[name], f"{where}[{name}]") if name in there
                    else [f"{where}[{name}] is gone"])
        return out
    if len(new) < len(old):
        return [f"{where}: {len(new)} items, there were {len(old)}"]
    return [line for i, item in enumerate(old)
            for line in missing(item, new[i], f"{where}[{i}]")]


def check(api, recorded):
    """Asks all again; asserts that nothing is missing."""
    out = []
    for question in recorded:
        now = answer(api, question["path"], question["query"])
        out += missing(question["answer"], now, question["path"])
    assert not out, "\n".join(out[:40])
