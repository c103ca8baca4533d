"""What verifiers of others are told of certificates: CRLs and OCSP, asked by openssl and GnuTLS."""
import base64
import urllib.parse

import pytest

from tests import lab
from tests.lab.device import curl
from tests.lab.process import run
from tests.lab.waiting import wait_for

AGREE_S = 2


@pytest.fixture(scope="module")
def server():
    with lab.server("--pki-listen", "127.0.0.1:0") as one:
        yield one


@pytest.fixture
def chain(server):
    """Root and issuing CA in PEM, fetched in the clear as a foreign verifier would."""
    folder = server.new_folder("pki")
    for name in ("root", "issuing"):
        der = fetch(server, f"/pki/{name}.cer")
        (folder / f"{name}.der").write_bytes(der)
        run("openssl", "x509", "-inform", "DER", "-in", folder / f"{name}.der", "-out",
            folder / f"{name}.pem")
    (folder / "chain.pem").write_text((folder / "root.pem").read_text() +
                                      (folder / "issuing.pem").read_text())
    return folder


def fetch(server, path):
    return run("curl", "-sSf", server.ready["pki"] + path).stdout


def lists(server, chain):
    """Both CAs' lists, in PEM, in one file."""
    text = ""
    for name in ("root", "issuing"):
        (chain / f"{name}.crl").write_bytes(fetch(server, f"/pki/{name}.crl"))
        text += run("openssl", "crl", "-inform", "DER", "-in", chain / f"{name}.crl").stdout.decode()
    (chain / "crls.pem").write_text(text)
    return chain / "crls.pem"


def by_openssl_ocsp(server, chain, cert, *arguments):
    done = run("openssl", "ocsp", "-issuer", chain / "issuing.pem", "-cert", cert, "-CAfile",
               chain / "chain.pem", "-url", server.ready["pki"] + "/ocsp", *arguments, check=False)
    text = (done.stdout + done.stderr).decode()
    assert "Response verify OK" in text, text
    return text


def by_ocsptool(server, chain, cert):
    done = run("ocsptool", "--ask=" + server.ready["pki"] + "/ocsp", "--load-cert", cert,
               "--load-issuer", chain / "issuing.pem", "--load-trust", chain / "chain.pem",
               "--nonce", check=False)
    return (done.stdout + done.stderr).decode()


def by_openssl_crl(server, chain, cert):
    done = run("openssl", "verify", "-x509_strict", "-crl_check_all", "-CAfile",
               chain / "chain.pem", "-CRLfile", lists(server, chain), cert, check=False)
    return (done.stdout + done.stderr).decode()


def by_certtool_crl(server, chain, cert):
    """GnuTLS: the list is verified against its CA; then the chain with it."""
    lists(server, chain)
    run("certtool", "--verify-crl", "--inder", "--load-ca-certificate", chain / "issuing.der",
        "--infile", chain / "issuing.crl")
    done = run("certtool", "--verify", "--load-ca-certificate", chain / "chain.pem", "--load-crl",
               chain / "crls.pem", "--infile", cert, check=False)
    return (done.stdout + done.stderr).decode()


def test_four_verifiers_agree_within_two_seconds_of_a_revocation(server, chain):
    device, other = server.enrol(), server.enrol()
    for one in (device, other):
        assert "cert.pem: good" in by_openssl_ocsp(server, chain, one.cert)
        assert "Certificate Status: good" in by_ocsptool(server, chain, one.cert)
        assert by_openssl_crl(server, chain, one.cert).endswith(": OK\n")
        assert "Verified. The certificate is trusted" in by_certtool_crl(server, chain, one.cert)
    server.api.post(f"/v1/devices/{device.id}/revoke", {"reason": "stolen"})
    verdicts = (
        lambda: "cert.pem: revoked" in by_openssl_ocsp(server, chain, device.cert),
        lambda: "Certificate Status: revoked" in by_ocsptool(server, chain, device.cert),
        lambda: "certificate revoked" in by_openssl_crl(server, chain, device.cert),
        lambda: "revoked" in by_certtool_crl(server, chain, device.cert))
    # Each is asked until it agrees; how soon that is, the next test measures.
    for verdict in verdicts:
        wait_for(verdict, 30)
    status = server.api.get(f"/v1/devices/{device.id}")
    assert status["state"] == "quarantined"
    assert "cert.pem: good" in by_openssl_ocsp(server, chain, other.cert)
    assert by_openssl_crl(server, chain, other.cert).endswith(": OK\n")


def test_the_answer_is_there_two_seconds_after_the_call(server, chain):
    """One question, asked once, two seconds after the operator's call returned."""
    device = server.enrol()
    assert "cert.pem: good" in by_openssl_ocsp(server, chain, device.cert)
    fetch(server, "/pki/issuing.crl")  # a fresh list is there, and has to be replaced
    server.api.post(f"/v1/devices/{device.id}/revoke", {"reason": "drill"})
    der = request_for(chain, device.cert)
    serial = run("openssl", "x509", "-in", device.cert, "-noout", "-serial").stdout.decode()
    serial = serial.strip().split("=")[1]

    def told():
        post(server, chain, der)
        text = run("openssl", "ocsp", "-respin", chain / "answer.der", "-noverify",
                   "-resp_text").stdout.decode()
        lists(server, chain)
        crl = run("openssl", "crl", "-inform", "DER", "-in", chain / "issuing.crl", "-noout",
                  "-text").stdout.decode()
        return "Cert Status: revoked" in text and serial in crl
    wait_for(told, AGREE_S)


def request_for(chain, cert, *arguments):
    run("openssl", "ocsp", *arguments, "-issuer", chain / "issuing.pem", "-cert", cert, "-reqout",
        chain / "request.der")
    return (chain / "request.der").read_bytes()


def post(server, chain, der):
    (chain / "question.der").write_bytes(der)
    (chain / "answer.der").write_bytes(run(
        "curl", "-sSf", "-H", "Content-Type: application/ocsp-request", "--data-binary",
        f"@{chain / 'question.der'}", server.ready["pki"] + "/ocsp").stdout)


def test_ocsp_by_get(server, chain):
    device = server.enrol()
    der = request_for(chain, device.cert, "-no_nonce")
    text = base64.b64encode(der).decode()
    for path in (urllib.parse.quote(text, safe=""), urllib.parse.quote(text, safe="+=")):
        done = run("curl", "-sS", "-i", "--path-as-is", f"{server.ready['pki']}/ocsp/{path}")
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        assert b" 200 " in head.split(b"\r\n")[0], head
        assert b"Content-Type: application/ocsp-response" in head
        assert b"Cache-Control: public, max-age=60" in head
        (chain / "answer.der").write_bytes(body)
        said = run("openssl", "ocsp", "-respin", chain / "answer.der", "-issuer",
                   chain / "issuing.pem", "-cert", device.cert, "-CAfile", chain / "chain.pem")
        assert b"cert.pem: good" in said.stdout


def test_a_serial_that_was_never_issued_is_unknown(server, chain):
    text = run("openssl", "ocsp", "-issuer", chain / "issuing.pem", "-serial", "0x4142434445464748",
               "-CAfile", chain / "chain.pem", "-url", server.ready["pki"] + "/ocsp").stdout.decode()
    assert "0x4142434445464748: unknown" in text, text


def test_the_servers_own_certificates_are_known(server, chain):
    pem = chain / "server.pem"
    run("openssl", "x509", "-in", server.data / "ca" / "server.pem", "-out", pem)
    assert "server.pem: good" in by_openssl_ocsp(server, chain, pem)
    text = run("openssl", "ocsp", "-issuer", chain / "root.pem", "-cert", chain / "issuing.pem",
               "-CAfile", chain / "root.pem", "-url", server.ready["pki"] + "/ocsp")
    assert b"issuing.pem: good" in text.stdout, text.stdout + text.stderr


def test_another_cas_certificate_gets_no_answer(server, chain):
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", chain / "k.pem",
        "-out", chain / "foreign.pem", "-subj", "/CN=foreign", "-days", 1)
    done = run("openssl", "ocsp", "-issuer", chain / "foreign.pem", "-cert", chain / "foreign.pem",
               "-url", server.ready["pki"] + "/ocsp", "-noverify", check=False)
    assert b"unauthorized (6)" in done.stdout + done.stderr


def test_what_is_no_request_is_malformed(server, chain):
    for body in (b"", b"0", b"\x30\x03\x02\x01\x00"):
        post(server, chain, body)
        assert (chain / "answer.der").read_bytes() == bytes.fromhex("30030a0101")


def test_the_number_rises_and_the_list_is_version_2(server, chain):
    def number():
        lists(server, chain)
        text = run("openssl", "crl", "-inform", "DER", "-in", chain / "issuing.crl", "-noout",
                   "-text", "-crlnumber").stdout.decode()
        assert "Version 2" in text and "Authority Key Identifier" in text
        return int(text.split("crlNumber=0x")[1].split()[0], 16)
    first = number()
    assert number() == first, "nothing happened in between"
    server.api.post(f"/v1/devices/{server.enrol().id}/revoke", {"reason": "drill"})
    wait_for(lambda: number() > first, 10)
    last = number()
    server.restart()
    assert number() >= last, "also across a restart"


def test_in_the_clear_there_is_nothing_else(server):
    for path in ("/healthz", "/.well-known/est/cacerts", "/device/v1/twin", "/pki/..", "/"):
        done = run("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--path-as-is",
                   server.ready["pki"] + path)
        assert done.stdout in (b"404", b"400"), path


def test_over_tls_too_and_in_the_clear_only_when_switched_on(shared):
    assert "pki" not in shared.ready
    status, headers, body = curl(shared, "GET", "/pki/issuing.crl")
    assert (status, headers["content-type"]) == (200, "application/pkix-crl")
    assert body[:1] == b"\x30"
    assert curl(shared, "GET", "/pki/nobody.crl")[0] == 404


def test_certificates_name_the_public_address_only_where_there_is_one(shared):
    def text(device):
        return run("openssl", "x509", "-in", device.cert, "-noout", "-text").stdout.decode()
    plain = text(shared.enrol())
    assert "CRL Distribution" not in plain and "Authority Information" not in plain
    with lab.server("--pki-listen", "127.0.0.1:0", "--pki-public-url",
                    "http://pki.example:8080") as named:
        device = named.enrol()
        said = text(device)
        assert "URI:http://pki.example:8080/pki/" in said
        assert "OCSP - URI:http://pki.example:8080/ocsp" in said
        # What the certificate names is there, under another host in this test.
        path = said.split("URI:http://pki.example:8080")[1].split("\n")[0]
        assert fetch(named, path)[:1] == b"\x30"
        issuer = said.split("CA Issuers - URI:http://pki.example:8080")[1].split("\n")[0]
        assert fetch(named, issuer)[:1] == b"\x30"
