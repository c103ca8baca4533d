"""A server for long under a load that rises and falls: what it holds does not grow.

HOLDFAST_SOAK_S seconds (./test --long gives it a quarter of an hour; by default a short run shows
that the test itself works). Agents, devices that keep their connection, devices that come and go
by mosquitto_pub, and an operator who reads. Descriptors, threads and resident memory are measured
at the end of each round, when the load has gone: after the first third they may not trend upward.
"""
import os
import statistics
import threading
import time

from tests import lab

SOAK_S = int(os.environ.get("HOLDFAST_SOAK_S", "20"))
ROUND_S = max(4, min(30, SOAK_S // 6))
DEVICES = 12
CONNECT_EVERY_S = 7
AGENTS = 2
# Caches and the head of the series fill up over time; they are bounded, and small here.
GROWTH_KIB_MAX = 24 * 1024
PEAK_KIB_MAX = 400 * 1024
AGENT_KIB_MAX = 40 * 1024


class Held:
    """What a process holds now."""

    def __init__(self, pid):
        self.descriptors = len(os.listdir(f"/proc/{pid}/fd"))
        self.threads = len(os.listdir(f"/proc/{pid}/task"))
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            fields = dict(line.split(":", 1) for line in file if ":" in line)
        self.kib = int(fields["VmRSS"].split()[0])

    def __repr__(self):
        return f"{self.kib // 1024} MiB, {self.descriptors} fds, {self.threads} threads"


class Load:
    """Devices that publish for a while, each in a thread of its own; counts what was acknowledged."""

    def __init__(self, server, devices):
        self.server = server
        self.devices = devices
        self.acknowledged = dict.fromkeys((d.id for d in devices), 0)
        self.errors = []

    def round(self, seconds, rate):
        """Half of them hold a connection and publish `rate` times a second, half come and go."""
        end = time.monotonic() + seconds
        workers = [threading.Thread(target=self._guarded, args=(work, device, end, rate))
                   for i, device in enumerate(self.devices)
                   for work in [self._steady if i % 2 else self._coming_and_going]]
        for worker in workers:
            worker.start()
        while alive := [worker for worker in workers if worker.is_alive()]:
            self._read()
            alive[0].join(0.5)
        for worker in workers:
            worker.join(120)
        assert not self.errors, self.errors[:3]

    def _guarded(self, work, device, end, rate):
        try:
            work(device, end, rate)
        except Exception as error:  # noqa: BLE001 - told by round()
            self.errors.append(f"{device.id}: {error!r}")

    def _payload(self, device):
        number = self.acknowledged[device.id]
        return f'{{"n": {number}, "text": "value {number % 7}"}}'

    def _steady(self, device, end, rate):
        pause = threading.Event()
        with device.mqtt(client_id="soak") as mqtt:
            while time.monotonic() < end:
                mqtt.publish("telemetry/soak", self._payload(device))
                self.acknowledged[device.id] += 1
                pause.wait(1 / rate)  # the rate is the load, nothing is waited for
            mqtt.disconnect()

    def _coming_and_going(self, device, end, _):
        pause = threading.Event()
        while time.monotonic() < end:
            device.publish("telemetry/soak", self._payload(device))
            self.acknowledged[device.id] += 1
            pause.wait(CONNECT_EVERY_S)  # more often, and the hub says connection rate exceeded

    def _read(self):
        """What an operator looks at meanwhile."""
        self.server.api.get("/v1/devices", query={"limit": 20})
        device = self.devices[0].id
        self.server.api.get(f"/v1/devices/{device}/telemetry",
                            query={"metric": "soak.n", "since": "1h", "bucket_s": 60})
        self.server.api.get("/v1/events", query={"limit": 50})


def presences(server):
    return [d["presence"]["online"] for d in server.api.items("/v1/devices")]


def test_nothing_grows(server):
    agents = [server.agent(f"soak agent {i}") for i in range(AGENTS)]
    devices = [server.enrol(name=f"soak {i}") for i in range(DEVICES)]
    load = Load(server, devices)
    end = time.monotonic() + SOAK_S
    held, held_by_agent = [], []
    number = 0
    while time.monotonic() < end or number < 4:
        load.round(ROUND_S, rate=(2, 20, 60, 5)[number % 4])
        number += 1
        lab.wait_for(lambda: presences(server).count(True) == AGENTS, 60,
                     lambda: f"only the agents stay online: {presences(server)}")
        held.append(Held(server.program.pid))
        held_by_agent.append([Held(agent.program.pid) for agent in agents])
        print(f"round {number}: server {held[-1]}, agents {held_by_agent[-1]}", flush=True)
    check_all_there(server, load)
    settled = held[len(held) // 3:]
    check_no_growth("server", settled, GROWTH_KIB_MAX)
    assert max(one.kib for one in held) < PEAK_KIB_MAX, held
    for of_one in zip(*held_by_agent[len(held) // 3:]):
        check_no_growth("agent", list(of_one), AGENT_KIB_MAX // 4)
        assert max(one.kib for one in of_one) < AGENT_KIB_MAX, of_one
    assert [agent.program.running for agent in agents] == [True] * AGENTS
    code, seconds = server.stop()
    assert code == 0 and seconds < 10


def check_all_there(server, load):
    for device in load.devices:
        stored = [p["value"] for p in server.api.points(device.id, "soak.n")]
        assert sorted(stored) == list(range(load.acknowledged[device.id])), device.id


def check_no_growth(name, held, kib_max):
    """The second half against the first: medians, so that one reading says nothing."""
    half = len(held) // 2
    early, late = held[:half] or held[:1], held[half:]

    def middle(of, what):
        return statistics.median(getattr(one, what) for one in of)
    told = f"{name}: {held}"
    assert middle(late, "descriptors") <= middle(early, "descriptors") + 2, told
    assert middle(late, "threads") <= middle(early, "threads"), told
    assert middle(late, "kib") - middle(early, "kib") < kib_max, told
