"""SIGKILL at random moments under load: what was acknowledged is there, once.

Readings by three devices, tags and commands by an operator. `SEEDS` times `ROUNDS` kills, some of
them while the server is still starting.
"""
import collections
import random
import threading

import pytest

from tests import lab
from tests.crash.publisher import Publisher

SEEDS = (1, 2, 3)
ROUNDS = 18
ALIVE_S_MAX = 0.5


class Operator(threading.Thread):
    """Sets a tag to 0, 1, 2, ...; keeps what was answered."""

    def __init__(self, server, device):
        super().__init__(daemon=True)
        self.server = server
        self.device = device
        made = server.api.post("/v1/tokens", {"kind": "service", "name": "operator",
                                              "roles": ["operator"]})
        self.api = server.api.with_token(made["secret"])
        self.answered = {}
        self.unknown = 0
        self.failure = None
        self._ending = threading.Event()

    def run(self):
        value = 0
        while not self._ending.is_set():
            try:
                answer = self.api.call("PUT", f"/v1/devices/{self.device}/tags/count",
                                       {"value": str(value)})
                assert answer.status == 200, answer.text
                self.answered[answer.header("X-Request-Id")] = value
                value += 1
            except OSError:
                self.api.close()
                self.unknown += 1
                value += 1
                self._ending.wait(0.02)
            except Exception as error:  # seen by the test
                if self._is_half_answer(error):
                    self.api.close()
                    value += 1
                    continue
                self.failure = error
                return

    @staticmethod
    def _is_half_answer(error):
        import http.client
        return isinstance(error, http.client.HTTPException)

    def finish(self):
        self._ending.set()
        self.join(60)
        if self.failure:
            raise self.failure


@pytest.mark.parametrize("seed", SEEDS)
def test_what_was_acknowledged_is_there_once(server, seed):
    dice = random.Random(seed)
    devices = [server.enrol() for _ in range(3)]
    publishers = [Publisher(device, level) for device, level in zip(devices, (4, 5, 5))]
    operator = Operator(server, devices[0].id)
    for thread in (*publishers, operator):
        thread.start()
    pause = threading.Event()
    for number in range(ROUNDS):
        before = sum(len(p.acknowledged) for p in publishers)
        lab.wait_for(lambda: failed(publishers) or
                     sum(len(p.acknowledged) for p in publishers) > before, 60, "progress")
        pause.wait(dice.uniform(0, ALIVE_S_MAX))
        server.kill9()
        if number % 6 == 5:
            server.launch()
            pause.wait(dice.uniform(0, 0.2))
            server.kill9()
        server.start()
    for publisher in publishers:
        publisher.finish()
    operator.finish()
    for publisher in publishers:
        check_readings(server, publisher)
    check_changes(server, operator)
    assert server.stop()[0] == 0


def failed(publishers):
    for publisher in publishers:
        if publisher.failure:
            raise publisher.failure
    return False


def check_readings(server, publisher):
    points = list(server.api.items(f"/v1/devices/{publisher.device.id}/telemetry",
                                   metric="lab.n", since="1h", limit=50000))
    seen = collections.Counter(int(point["value"]) for point in points)
    lost = sorted(publisher.acknowledged - set(seen))
    doubled = sorted(value for value, count in seen.items() if count > 1)
    assert len(publisher.acknowledged) == publisher.sent > ROUNDS
    assert not lost, f"{len(lost)} acknowledged readings are lost, such as {lost[:5]}"
    assert publisher.resent > 0, "the kills hit nothing in flight"
    assert not publisher.lost_sessions, "a persistent session did not survive"
    assert not doubled, f"{len(doubled)} readings are there twice, such as {doubled[:5]}"
    # Zeros at the end of a fraction are left out: to compare as text, all get six digits.
    times = [point["time"][:-1].partition(".") for point in points]
    times = [seconds + fraction.ljust(6, "0") for seconds, _, fraction in times]
    assert times == sorted(times) and len(set(times)) == len(times), "server time rises strictly"


def check_changes(server, operator):
    """Every answered change has one audit entry, and the last one is in effect."""
    entries = collections.Counter(
        entry["request_id"] for entry in server.api.items("/v1/audit", action="set_device_tag",
                                                          limit=1000))
    assert len(operator.answered) > ROUNDS
    missing = [r for r in operator.answered if entries[r] != 1]
    assert not missing, f"{len(missing)} answered changes without their one audit entry"
    tag = int(server.device(operator.device)["tags"]["count"])
    assert tag >= max(operator.answered.values())
    verdict = server.api.post("/v1/audit/verify", {})
    assert verdict["ok"] is True, verdict


def test_commands_and_twin_survive(server):
    """A queued command and a desired state that were answered reach the device after a crash."""
    device = server.enrol()
    with device.mqtt(client_id="keeper", clean=False, expiry_s=3600) as client:
        assert client.subscribe("command/#", "twin/desired") == [1, 1]
    wanted = []
    for number in range(5):
        path = f"/v1/devices/{device.id}"
        wanted.append(server.api.post(path + "/commands", {"name": "go", "payload": number})["id"])
        server.api.put(path + "/twin/desired", {"n": number}, headers={"If-Match": "*"})
        server.kill9()
        server.start()
    got, twins = [], []
    with device.mqtt(client_id="keeper", clean=False, expiry_s=3600) as client:
        assert client.session_present
        while len(got) < len(wanted) or not twins:
            message = client.message()
            (twins if message.topic == "twin/desired" else got).append(message)
    assert [message.topic.split("/")[2] for message in got] == wanted
    assert b'"version":5' in twins[-1].payload.replace(b" ", b"")


def test_enrolment_survives(server):
    """A certificate that was given out is known after a crash; its claim stays spent."""
    for _ in range(3):
        claim = server.claim()
        device = server.enrol(claim=claim["claim"])
        server.kill9()
        server.start()
        device.publish("telemetry/lab", "1")
        assert server.api.get(f"/v1/claims/{claim['id']}")["state"] == "spent"
        try:
            server.enrol(claim=claim["claim"])
            raise AssertionError("a claim was spent twice")
        except AssertionError as error:
            assert "claim-spent" in str(error)
