"""Enrolment by a TPM with tpm2-tools, openssl and curl alone, and each way to be refused."""
import json

import pytest

from tests import lab
from tests.lab import tpm
from tests.lab.process import run


def script(server, folder, tcti, *more, step=""):
    return tpm.enrol(server, folder, tcti, *more, step=step)


def refused(done):
    assert done.returncode == 9, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def server():
    with lab.server() as running:
        yield running


def test_a_registered_tpm_enrols_and_comes_back(server):
    folder = server.new_folder("registered")
    with tpm.software_tpm(folder) as tcti:
        unknown = refused(script(server, folder, tcti))
        assert unknown["code"] == "endorsement-untrusted"
        server.cli("tpm", "register", tpm.endorsement_hash(folder, tcti), "--name", "pump north")
        done = script(server, folder, tcti)
        assert done.returncode == 0, done.stdout + done.stderr
        device = done.stdout.splitlines()[-1]
        shown = server.device(device)
        assert shown["evidence_class"] == "hardware-attested" and shown["name"] == "pump north"
        assert server.api.get(f"/v1/devices/{device}/attestation")["tpm"]["changed"] == []
        assert server.cli_json("tpm", "show", device)["tpm"]["changed"] == []
        server.cli("tpm", "accept", device, "--yes")
        text = run("openssl", "x509", "-in", folder / "device.pem", "-noout", "-text").stdout.decode()
        assert "2.25.157168589.1" in text and "hardware-attested" in text
        run("openssl", "verify", "-x509_strict", "-CAfile", server.ca, "-partial_chain", "-untrusted",
            server.data / "ca" / "issuing.pem", folder / "device.pem")
        # The attestation key of tpm2-tools is a new one each time: to us that is another TPM.
        assert refused(script(server, folder, tcti))["code"] == "endorsement-taken"
        server.cli("tpm", "release", tpm.endorsement_hash(folder, tcti), "--yes")
        server.cli("tpm", "register", tpm.endorsement_hash(folder, tcti))
        assert script(server, folder, tcti).returncode == 0


@pytest.mark.parametrize("step, word", [("replay", "nonce"), ("not-resident", "not resident"),
                                        ("other-key", "another key")])
def test_each_lie_is_refused_with_its_reason(server, step, word):
    folder = server.new_folder(step)
    with tpm.software_tpm(folder) as tcti:
        server.cli("tpm", "register", tpm.endorsement_hash(folder, tcti))
        problem = refused(script(server, folder, tcti, step=step))
        assert problem["code"] == "attestation-refused" and word in problem["detail"], problem


def test_another_attestation_key_cannot_open_the_credential(server):
    folder = server.new_folder("wrong-name")
    with tpm.software_tpm(folder) as tcti:
        server.cli("tpm", "register", tpm.endorsement_hash(folder, tcti))
        done = script(server, folder, tcti, step="wrong-name")
        assert done.returncode not in (0, 9) and "0x1DF" in done.stderr, done.stderr


def test_a_makers_certificate_lets_in_where_its_root_admits(server):
    folder = server.new_folder("maker")
    with tpm.software_tpm(folder, certified=True) as tcti:
        run("tpm2_nvread", "-T", tcti, "0x1c00002", "-o", folder / "ek-cert.der")
        chain = [folder / "ek-cert.der", folder / "ca" / "issuercert.pem"]
        assert refused(script(server, folder, tcti, *chain))["code"] == "endorsement-untrusted"
        server.cli("tpm", "trust", folder / "ca" / "swtpm-localca-rootca-cert.pem", "--name", "swtpm")
        assert refused(script(server, folder, tcti, *chain))["code"] == "endorsement-unregistered"
        root = server.api.get("/v1/endorsement-roots")["items"][0]["fingerprint"]
        server.cli("tpm", "distrust", root, "--yes")
        server.cli("tpm", "trust", folder / "ca" / "swtpm-localca-rootca-cert.pem", "--name", "swtpm", "--admits")
        done = script(server, folder, tcti, *chain)
        assert done.returncode == 0, done.stdout + done.stderr
        assert server.device(done.stdout.splitlines()[-1])["evidence_class"] == "hardware-attested"
