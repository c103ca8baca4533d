"""Every kind of certificate that the server issues, before the strict eyes of three foreign verifiers."""
import pytest

from tests import lab
from tests.lab import foreign
from tests.lab.process import run


@pytest.fixture(scope="module")
def issued():
    """Root, issuing CA, and a leaf of each profile in PEM: (folder, {name: purpose})."""
    with lab.server("--pki-listen", "127.0.0.1:0", "--pki-public-url", "http://pki.example") as server:
        folder = server.new_folder("profiles")
        for pem in foreign.chain_of(server, folder):
            (folder / "one.pem").write_text(pem)
            text = run("openssl", "x509", "-in", folder / "one.pem", "-noout", "-subject",
                       "-issuer").stdout.decode().split("\n")
            name = "root" if text[0].split("=", 1)[1] == text[1].split("=", 1)[1] else "issuing"
            (folder / f"{name}.pem").write_text(pem)
        (folder / "chain.pem").write_text((folder / "root.pem").read_text() +
                                          (folder / "issuing.pem").read_text())
        purposes = {}
        for kind in ("P-256", "P-384", "Ed25519", "RSA-2048"):
            device = server.enrol(kind=kind)
            (folder / f"device-{kind}.pem").write_bytes(device.cert.read_bytes())
            purposes[f"device-{kind}"] = "sslclient"
        for name, purpose in (("server", "sslserver"), ("ocsp", "ocsphelper")):
            run("openssl", "x509", "-in", server.data / "ca" / f"{name}.pem", "-out",
                folder / f"{name}.pem")
            purposes[name] = purpose
        yield folder, purposes


def test_openssl_strict(issued):
    folder, purposes = issued
    for name, purpose in purposes.items():
        done = run("openssl", "verify", "-x509_strict", "-purpose", purpose, "-CAfile",
                   folder / "root.pem", "-untrusted", folder / "issuing.pem",
                   folder / f"{name}.pem")
        assert done.stdout.endswith(b": OK\n"), (name, done)
    run("openssl", "verify", "-x509_strict", "-CAfile", folder / "root.pem",
        folder / "issuing.pem", folder / "root.pem")


def test_gnutls(issued):
    folder, purposes = issued
    for name in purposes:
        done = run("certtool", "--verify", "--verify-profile", "medium", "--load-ca-certificate",
                   folder / "chain.pem", "--infile", folder / f"{name}.pem")
        assert b"Verified. The certificate is trusted" in done.stdout, (name, done.stdout)


def test_strongswan(issued):
    folder, purposes = issued
    for name in purposes:
        done = run("pki", "--verify", "--in", folder / f"{name}.pem", "--cacert",
                   folder / "issuing.pem", "--cacert", folder / "root.pem")
        assert b"certificate trusted" in done.stdout, (name, done.stdout + done.stderr)


def test_the_documented_profile(issued):
    folder, purposes = issued
    for name in purposes:
        text = run("openssl", "x509", "-in", folder / f"{name}.pem", "-noout",
                   "-text").stdout.decode()
        for line in ("Version: 3", "CA:FALSE", "X509v3 Basic Constraints: critical",
                     "X509v3 Key Usage: critical\n                Digital Signature\n",
                     "Subject Key Identifier", "Authority Key Identifier",
                     "URI:http://pki.example/pki/", "OCSP - URI:http://pki.example/ocsp"):
            absent_by_design = name == "ocsp" and "pki.example" in line
            assert absent_by_design or line in text, f"{name}: {line}\n{text}"
        serial = run("openssl", "x509", "-in", folder / f"{name}.pem", "-noout",
                     "-serial").stdout.decode().strip().split("=")[1]
        assert len(serial) == 32 and int(serial[0], 16) < 8, "16 octets, positive"
    assert "OCSP No Check" in run("openssl", "x509", "-in", folder / "ocsp.pem", "-noout",
                                  "-text").stdout.decode()
    ca = run("openssl", "x509", "-in", folder / "issuing.pem", "-noout", "-text").stdout.decode()
    assert "CA:TRUE, pathlen:0" in ca and "Certificate Sign, CRL Sign" in ca
