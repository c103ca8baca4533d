"""Every verb of the command line with arguments that work, from a world that has one of each."""
import pathlib
import re

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/reference/command-line.md"


def documented():
    """{verb: [(argument, required)]} as the reference page says."""
    verbs, current = {}, None
    for line in PAGE.read_text(encoding="utf-8").split("\n"):
        if line.startswith("## holdfast "):
            current = verbs.setdefault(line.removeprefix("## holdfast "), [])
        elif line.startswith("## "):
            current = None
        elif current is not None and (found := re.match(r"\| `([^`]+)` \| (.*) \|$", line)):
            current.append((found[1], "(required)" in found[2]))
    return verbs


class World:
    """One of each, on a server."""

    def __init__(self, server):
        self.device = server.enrol(name="every verb")
        self.device.publish("telemetry/lab", '{"temp": 20.5}')
        self.site = server.cli_json("site", "create", "a site")["id"]
        self.type = server.cli_json("type", "create", "a type")["id"]
        self.token = server.cli_json("token", "create", "a token", "--kind", "service", "--role",
                                     "viewer")["token"]["id"]
        self.user = server.cli_json("user", "create", "anna", "--role", "viewer",
                                    text_in="a password of some length\n")["id"]
        server.cli("twin", "set", self.device.id, "mode=fast")
        self.claim = server.cli_json("enrol", "claim")["id"]
        self.command = server.cli_json("command", "run", self.device.id, "later")["id"]
        self.job = server.cli_json("job", "list", "--kind", "jobs.trim")["items"][0]["id"]


LISTS = ("device list", "site list", "type list", "user list", "token list", "enrol list",
         "command list", "job list", "audit list", "event query")


def reads(world):
    """{verb: arguments} of what only looks."""
    device = world.device.id
    return {
        **{verb: () for verb in LISTS},
        "device show": (device,), "site show": (world.site,), "type show": (world.type,),
        "user show": (world.user,), "token show": (world.token,), "enrol show": (world.claim,),
        "command show": (world.command,), "job show": (world.job,),
        "telemetry metrics": (device,), "telemetry newest": ("lab.temp",), "device orphans": (),
        "device findings": (), "device forecast": (),
        "enrol pending": (), "enrol registered": (), "telemetry query": (device, "lab.temp"),
        "event explain": ("severity>=warning", "temp*", "--from", "2026-01-01T00:00:00Z"),
        "twin get": (device,), "twin diff": (device,), "audit verify": (), "audit prove": ("1",),
        "retention show": (), "retention preview": (), "tpm list": (), "tpm makers": (),
        "config show": (), "version": (), "whoami": (), "doctor": (),
    }


def follows(world):
    """What goes on until it is stopped."""
    return {"device watch": (), "telemetry tail": (world.device.id,), "event tail": ()}


def changes(world, folder):
    """{verb: (arguments, standard input)} of what changes the server, the most final last."""
    device = world.device.id
    return {
        "enrol claim": ((), None), "enrol revoke": ((world.claim,), None),
        "erase subject": ((device, "--preview"), None),
        "device rename": ((device, "another name"), None),
        "device assign": ((device, "--site", world.site), None),
        "device tag": ((device, "floor=2"), None),
        "device quarantine": ((device, "--reason", "drill"), None),
        "device release": ((device,), None),
        "twin set": ((device, "mode=eco"), None),
        "command run": ((device, "another"), None), "command cancel": ((world.command,), None),
        "site create": (("another site",), None),
        "site change": ((world.site, "--name", "same site"), None),
        "type create": (("another type",), None),
        "type change": ((world.type, "--name", "same type"), None),
        "user create": (("berta", "--role", "viewer"), "a password of some length\n"),
        "user change": ((world.user, "--disable"), None),
        "token create": (("another token", "--kind", "service", "--role", "viewer"), None),
        "token change": ((world.token, "--name", "same token"), None),
        "job retry": ((world.job,), None), "backup": ((folder / "copy",), None),
        "device replace": ((device, "--reason", "water damage"), None),
        "device revoke": ((device, "--reason", "stolen"), None),
        "token remove": ((world.token,), None), "user remove": ((world.user,), None),
        "type remove": ((world.type,), None),
        "device decommission": ((device, "--reason", "scrap"), None),
    }


# May find nothing, and then print nothing into a pipe.
MAY_BE_EMPTY = {"device orphans", "device findings", "enrol pending", "enrol registered",
                "retention preview", "tpm list", "tpm makers"}

def tested_elsewhere():
    """Verbs that other tests across processes run, as `"group", "verb"` in their source."""
    here = pathlib.Path(__file__).resolve().parents[1]
    source = "\n".join(path.read_text(encoding="utf-8") for path in here.rglob("test_*.py"))
    return {verb for verb in documented()
            if ", ".join(f'"{word}"' for word in verb.split()) in source}
