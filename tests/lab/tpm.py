"""A software TPM 2.0 (Debian's swtpm) for one test: `with lab.tpm.software_tpm(folder) as tcti:`."""
import contextlib
import hashlib
import os
import socket
import subprocess

from tests.lab.process import ROOT, Program, run
from tests.lab.waiting import wait_for


def _free_pair():
    """Two neighbouring free ports: swtpm's clients take control at the port after the data's."""
    for _ in range(100):
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port
    raise AssertionError("no two neighbouring ports are free")


def _answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def _maker(folder):
    """A maker of its own: what swtpm_setup needs to be told."""
    ca = folder / "ca"
    ca.mkdir()
    (folder / "localca.conf").write_text(
        f"statedir = {ca}\nsigningkey = {ca}/signkey.pem\nissuercert = {ca}/issuercert.pem\n"
        f"certserial = {ca}/certserial\n")
    (folder / "localca.options").write_text(
        "--platform-manufacturer Holdfast --platform-version 1 --platform-model Test\n")
    (folder / "setup.conf").write_text(
        f"create_certs_tool = /usr/bin/swtpm_localca\ncreate_certs_tool_config = {folder}/localca.conf\n"
        f"create_certs_tool_options = {folder}/localca.options\nactive_pcr_banks = sha256\n")
    return ["--create-ek-cert", "--lock-nvram", "--config", folder / "setup.conf"]


@contextlib.contextmanager
def software_tpm(folder, certified=False):
    """Yields the TCTI string, such as swtpm:host=127.0.0.1,port=4321.

    `certified`: with a certificate of its maker for the RSA endorsement key; the maker's CAs lie in
    folder/ca: issuercert.pem, swtpm-localca-rootca-cert.pem."""
    state = folder / "tpm"
    if not state.exists():
        state.mkdir()
        run("swtpm_setup", "--tpm2", "--tpmstate", state, "--createek", "--overwrite",
            *(_maker(folder) if certified else ()))
    port = _free_pair()
    program = Program(
        ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={state}",
         "--server", f"type=tcp,port={port},bindaddr=127.0.0.1",
         "--ctrl", f"type=tcp,port={port + 1},bindaddr=127.0.0.1",
         "--flags", "not-need-init,startup-clear"], folder / "swtpm.log")
    try:
        wait_for(lambda: _answers(port + 1) or not program.running, 30, "swtpm answers")
        assert program.running, program.log_tail()
        yield f"swtpm:host=127.0.0.1,port={port}"
    finally:
        program.terminate()


def endorsement_hash(folder, tcti):
    """What an operator registers: SHA-256 of the endorsement key's SubjectPublicKeyInfo."""
    run("tpm2_createek", "-Q", "-T", tcti, "-c", folder / "ek.ctx", "-G", "rsa", "-f", "der", "-u",
        folder / "ek.der")
    run("tpm2_flushcontext", "-T", tcti, "-t")
    return hashlib.sha256((folder / "ek.der").read_bytes()).hexdigest()


def enrol(server, folder, tcti, *more, step=""):
    """By tpm2-tools and curl alone (tests/interop/tpm-enrol.sh); the ended program. Its last line is
    the device's id, or with status 9 the server's problem."""
    script = ROOT / "tests" / "interop" / "tpm-enrol.sh"
    return subprocess.run([script, folder, server.device_url, server.ca, tcti, *map(str, more)],
                          timeout=120, env=dict(os.environ, STEP=step), capture_output=True,
                          text=True, check=False)
