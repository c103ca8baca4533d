"""First boot: one read-only image without any secret, twenty machines, a TPM each; and a stolen state folder."""
import contextlib
import hashlib
import shutil

import pytest

from tests import lab
from tests.lab import tpm
from tests.lab.process import Program, binary, run
from tests.lab.waiting import wait_for

MACHINES = 20


class Machine:
    """A mount namespace in which the state folder is the image below an overlay of this machine's own."""

    def __init__(self, folder, image, tcti):
        self.folder, self.image, self.tcti = folder, image, tcti
        self.program = None
        for part in ("upper", "work", "state"):
            (folder / part).mkdir(exist_ok=True)

    def start(self):
        state = self.folder / "state"
        overlay = (f"mount -t overlay overlay -o lowerdir={self.image},upperdir={self.folder}/upper,"
                   f"workdir={self.folder}/work {state} && exec \"$@\"")
        self.program = Program(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", overlay, "sh", binary("holdfast-agent"),
             "run", "--state", state, "--seal-path", state / "sealing", "--keys-tpm", self.tcti], self.folder / "agent.log")
        return self

    def endorsement(self):
        text = run(binary("holdfast-agent"), "tpm", "--keys-tpm", self.tcti).stdout.decode()
        return text.split()[1]


@pytest.fixture(scope="module")
def server():
    with lab.server() as running:
        yield running


@pytest.fixture(scope="module")
def image(server):
    """The image: where the server is, and the fingerprint of its root. Nothing of it is secret."""
    folder = server.new_folder("image")
    der = run("openssl", "x509", "-in", server.ca, "-outform", "DER").stdout
    host, port = server.device_address
    mqtt_host, mqtt_port = server.mqtt_address
    (folder / "agent.toml").write_text(
        f'[join]\ndevice = "{host}:{port}"\nmqtt = "{mqtt_host}:{mqtt_port}"\nroot = "{hashlib.sha256(der).hexdigest()}"\n'
        '[keys]\nstore = "tpm"\n[sample]\ninterval = "1s"\n')
    return folder


def attested(server):
    return [device for device in server.api.items("/v1/devices")
            if device["evidence_class"] == "hardware-attested" and device["state"] == "active"]


@pytest.mark.timeout(600)
def test_twenty_machines_of_one_image_join_alone(server, image):
    before = sorted(path.name for path in image.iterdir())
    with contextlib.ExitStack() as stack:
        machines = []
        for number in range(MACHINES):
            folder = server.new_folder(f"machine-{number}")
            machines.append(Machine(folder, image, stack.enter_context(tpm.software_tpm(folder))))
        # The first comes before it is expected: it asks until an operator has registered it.
        early, *others = machines
        for number, machine in enumerate(others):
            server.cli("tpm", "register", machine.endorsement(), "--name", f"machine {number + 1}")
        first_hash = early.endorsement()
        for machine in machines:
            machine.start()
            stack.callback(machine.program.terminate)
        wait_for(lambda: len(attested(server)) == MACHINES - 1, 240, "nineteen machines are active")
        assert "endorsement-untrusted" in early.program.log_tail() or "not registered" in early.program.log_tail()
        server.cli("tpm", "register", first_hash, "--name", "machine 0")
        wait_for(lambda: len(attested(server)) == MACHINES, 180, "the refusal was not for ever")
        keys = {device["certificate"]["fingerprint_sha256"] for device in attested(server)}
        assert len(keys) == MACHINES
        assert {device["name"] for device in attested(server)} == {f"machine {n}" for n in range(MACHINES)}
        for device in attested(server):
            wait_for(lambda one=device: server.api.items(f"/v1/devices/{one['id']}/metrics"), 60, "a reading came")

        # A stolen folder in a machine with another TPM: refused there, and it says why.
        others[0].program.terminate()
        folder = server.new_folder("thief")
        with tpm.software_tpm(folder) as tcti:
            thief = Machine(folder, image, tcti)
            shutil.copytree(others[0].folder / "upper", folder / "upper", dirs_exist_ok=True)
            thief.start()
            wait_for(lambda: not thief.program.running, 30, "the thief gives up")
            assert "another TPM" in thief.program.log_tail(), thief.program.log_tail()
    assert sorted(path.name for path in image.iterdir()) == before, "nothing was written to the image"


@pytest.mark.timeout(300)
def test_a_device_proves_its_tpm_again_at_each_start(server, image):
    folder = server.new_folder("checked")
    with tpm.software_tpm(folder) as tcti:
        machine = Machine(folder, image, tcti)
        server.cli("tpm", "register", machine.endorsement(), "--name", "checked")

        def device():
            return next((each for each in attested(server) if each["name"] == "checked"), None)

        def checks():
            shown = server.api.get(f"/v1/devices/{device()['id']}/attestation")
            return [each for each in shown["history"] if each["purpose"] == "check"]

        for start in (1, 2):
            machine.start()
            try:
                wait_for(device, 60, "it is active")
                wait_for(lambda count=start: len(checks()) == count, 90, "the server checked its TPM")
                assert "the server checked the TPM" in machine.program.log_tail()
            finally:
                machine.program.terminate()
        assert {each["outcome"] for each in checks()} == {"ok"}, checks()
