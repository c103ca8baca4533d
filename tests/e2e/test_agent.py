"""holdfast-agent on this machine: join, first reading, twin, commands, and a server that goes."""
import json
import re
import stat

import pytest

from tests import lab
from tests.lab import netns
from tests.lab.process import Program, binary, run

FIRST_READING_S = 30
MEMORY_MAX_KIB = 12 * 1024
OWN_MEMORY_MAX_KIB = 3 * 1024


@pytest.fixture(scope="module")
def joined(shared):
    """(agent, device id): this machine, joined and running."""
    agent = shared.agent("this-machine")
    found = lab.wait_for(lambda: [d for d in shared.api.items("/v1/devices", q="this-machine")],
                         FIRST_READING_S, "the agent's device")
    device = found[0]["id"]
    lab.wait_for(lambda: shared.device(device)["presence"]["online"], FIRST_READING_S,
                 agent.program.log_tail)
    yield agent, device
    agent.stop()


def metrics(server, device):
    return {m["name"]: m for m in server.api.get(f"/v1/devices/{device}/metrics")["items"]}


def test_first_reading_of_this_machine(shared, joined):
    agent, device = joined
    wanted = {"cpu", "load", "memory", "disk", "network"}
    lab.wait_for(lambda: wanted <= {name.split(".")[0] for name in metrics(shared, device)},
                 FIRST_READING_S, lambda: sorted(metrics(shared, device)))
    assert not agent.program.pending_lines(), "standard output is no log"
    seen = shared.device(device)
    assert seen["state"] == "active"
    assert seen["agent"]["version"].startswith("holdfast-agent ")
    lab.wait_for(lambda: shared.device(device)["os"], FIRST_READING_S, "inventory")
    assert "Debian" in shared.device(device)["os"]["name"]


def test_memory_is_this_machines(shared, joined):
    """Real figures: total memory as /proc/meminfo gives it, if a metric of it is sent."""
    _, device = joined
    lab.wait_for(lambda: metrics(shared, device), FIRST_READING_S, "metrics")
    with open("/proc/meminfo", encoding="ascii") as file:
        total = int(re.search(r"MemTotal:\s+(\d+)", file.read())[1]) * 1024
    values = [m["last_value"] for name, m in metrics(shared, device).items() if "total" in name]
    assert any(abs(float(value) - total) < 2 ** 20 for value in values), (total, values)


def test_the_state_folder_is_its_own(joined):
    agent, _ = joined
    assert stat.S_IMODE(agent.state.stat().st_mode) == 0o700
    for path in agent.state.rglob("*"):
        if path.is_file():
            assert not path.stat().st_mode & 0o077, path
            assert b"PRIVATE KEY-----" not in path.read_bytes(), f"{path} holds a key unsealed"


def test_it_is_small(shared, joined):
    """Resident memory once everything has run; libraries that other programs share count in full."""
    agent, device = joined
    lab.wait_for(lambda: "cpu.usage_percent" in metrics(shared, device), FIRST_READING_S, "a reading")
    with open(f"/proc/{agent.program.pid}/status", encoding="ascii") as file:
        said = file.read()
    resident, own = (int(re.search(rf"{name}:\s+(\d+) kB", said)[1]) for name in ("VmRSS", "RssAnon"))
    assert own <= OWN_MEMORY_MAX_KIB, f"{own} KiB"
    # Without optimisation the program itself is megabytes larger.
    if "/dev/" not in binary("holdfast-agent"):
        assert resident <= MEMORY_MAX_KIB, f"{resident} KiB"


def test_a_second_agent_on_the_folder_is_told_who_holds_it(joined):
    agent, _ = joined
    for words in (["run"], ["join", "-"]):
        done = run(binary("holdfast-agent"), *words, "--state", agent.state, check=False)
        assert done.returncode == 6, done.stderr
        said = done.stderr.decode()
        assert f"process {agent.program.pid}" in said and "folder-locked" in said, said
    assert agent.program.running, "the first one goes on"


@pytest.mark.skipif(not netns.available(), reason="no right to make network namespaces")
def test_a_code_works_on_another_machine(tmp_path):
    """The code names an address of the server's machine that others reach, never localhost."""
    with netns.pair() as (here, there):
        server = Program(here.command(
            binary("holdfastd"), "--data", tmp_path / "data", "--api-listen", "127.0.0.1:0",
            "--mqtt-listen", "[::]:0", "--device-listen", "[::]:0"), tmp_path / "holdfastd.log")
        agent = None
        try:
            ready = json.loads(server.line(60))
            token = (tmp_path / "data/admin-token").read_text().strip()
            environment = {"HOLDFAST_SERVER": ready["api"], "HOLDFAST_CA": ready["ca"],
                           "HOLDFAST_TOKEN": token, "HOME": str(tmp_path)}

            def cli(*words):
                return json.loads(here.run(binary("holdfast"), *words, "--json",
                                           environment=environment).stdout)

            code = cli("enrol", "claim")["code"]
            state = tmp_path / "state"
            there.run(binary("holdfast-agent"), "join", "-", "--state", state, text_in=code)
            identity = json.loads((state / "identity.json").read_text())
            assert identity["device"].rsplit(":", 1)[0] == here.address, identity
            agent = Program(there.command(binary("holdfast-agent"), "run", "--state", state),
                            tmp_path / "agent.log")
            lab.wait_for(lambda: [d for d in cli("device", "list")["items"]
                                  if d["presence"]["online"]], FIRST_READING_S, agent.log_tail)
        finally:
            for program in (agent, server):
                if program:
                    program.terminate()


def test_desired_state_is_applied_and_reported(shared, joined):
    _, device = joined
    path = f"/v1/devices/{device}/twin"
    lab.wait_for(lambda: shared.api.get(path)["reported"], FIRST_READING_S, "a reported state")
    shared.api.put(path + "/desired", {"sample_interval_s": 2}, headers={"If-Match": "*"})
    lab.wait_for(lambda: shared.api.get(path)["reported"].get("sample_interval_s") == 2, FIRST_READING_S,
                 lambda: shared.api.get(path))
    assert shared.api.get(path + "/diff")["in_sync"] is True


def test_a_command_is_carried_out(shared, joined):
    _, device = joined
    done = shared.api.post(f"/v1/devices/{device}/commands", {"name": "ping"},
                           query={"wait_s": 30})
    assert done["state"] == "succeeded", done
    done = shared.api.post(f"/v1/devices/{device}/commands", {"name": "no-such-thing"},
                           query={"wait_s": 30})
    assert done["state"] == "failed" and done["error"]["message"], done


def test_it_comes_back_and_loses_nothing(server):
    """While the server is away the agent spools; afterwards there is no hole."""
    agent = server.agent("spooler")
    device = lab.wait_for(lambda: list(server.api.items("/v1/devices", q="spooler")),
                          FIRST_READING_S, "the device")[0]["id"]
    lab.wait_for(lambda: metrics(server, device), FIRST_READING_S, agent.program.log_tail)
    server.api.put(f"/v1/devices/{device}/twin/desired", {"sample_interval_s": 1},
                   headers={"If-Match": "*"})
    name = sorted(metrics(server, device))[0]
    lab.wait_for(lambda: len(server.api.points(device, name)) >= 3, 60, "three readings")
    server.kill9()
    lab.wait_for(lambda: not server.program.running, 10, "the server is gone")
    server.start()
    before = len(server.api.points(device, name))
    lab.wait_for(lambda: len(server.api.points(device, name)) > before + 2, 90,
                 agent.program.log_tail)
    assert agent.stop() == 0


def test_a_wrong_code_is_refused_with_a_mend(shared):
    agent = lab.Agent(shared.new_folder("wrong"))
    for code in ("", "hello", "hf1.AAAA", "hf2." + "A" * 60):
        done = agent.join(code, check=False)
        assert done.returncode != 0
        assert b"mend:" in done.stderr, done.stderr
    revoked = shared.claim()
    shared.api.delete(f"/v1/claims/{revoked['id']}")
    done = agent.join(revoked["code"], check=False)
    assert done.returncode != 0 and b"claim-revoked" in done.stderr, done.stderr
    assert revoked["claim"].encode() not in done.stdout + done.stderr


def test_joining_again_with_the_same_code_is_harmless(shared):
    claim = shared.claim(name="twice")
    agent = lab.Agent(shared.new_folder("twice"))
    agent.join(claim["code"])
    before = shared.api.get(f"/v1/claims/{claim['id']}")["device_id"]
    agent.join(claim["code"])
    assert shared.api.get(f"/v1/claims/{claim['id']}")["device_id"] == before


def test_served_binary_is_the_one_that_runs(shared):
    """What Add device offers: the binary on both ports, with the digest that the API says."""
    import hashlib
    from tests.lab.device import curl
    offer = shared.api.get("/v1/agent")
    platform = offer["platforms"][0]
    want = hashlib.sha256(open(binary("holdfast-agent"), "rb").read()).hexdigest()
    assert platform["sha256"] == want
    status, headers, body = curl(shared, "GET", platform["path"])
    assert status == 200 and hashlib.sha256(body).hexdigest() == want
    assert headers["repr-digest"].startswith("sha-256=:")
    answer = shared.api.call("GET", platform["path"])
    assert hashlib.sha256(answer.body).hexdigest() == want


def test_version_and_usage():
    assert run(binary("holdfast-agent"), "--version").stdout.startswith(b"holdfast-agent ")
    assert run(binary("holdfast-agent"), "dance", check=False).returncode == 2
    done = run(binary("holdfast-agent"), "run", "--sate", "/tmp/x", check=False)
    assert done.returncode == 2 and b"state" in done.stderr, done.stderr
