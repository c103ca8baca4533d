"""Enrolment by programs of others, and the quirks of those that are not here, byte for byte."""
import base64
import concurrent.futures
import socket
import ssl

import pytest

from tests.lab import foreign
from tests.lab.device import (certificate_of, curl, make_key, make_request, post_request,
                              problem_of)
from tests.lab.process import run

EST = "/.well-known/est"


def one_line(der):
    return base64.b64encode(der)


def in_lines(der):
    return base64.encodebytes(der)


def in_crlf_lines(der):
    return base64.encodebytes(der).replace(b"\n", b"\r\n")


def armoured(der):
    return (b"-----BEGIN CERTIFICATE REQUEST-----\n" +
            b"\n".join(one_line(der)[i:i + 64] for i in range(0, len(one_line(der)), 64)) +
            b"\n-----END CERTIFICATE REQUEST-----\n")


def new_armoured(der):
    return armoured(der).replace(b"CERTIFICATE REQUEST", b"NEW CERTIFICATE REQUEST")


def raw(der):
    return der


@pytest.mark.parametrize("form", [one_line, in_lines, in_crlf_lines, armoured, new_armoured, raw],
                         ids=lambda f: f.__name__)
def test_a_request_in_any_form(shared, form):
    folder = shared.new_folder("form")
    der = make_request(folder).read_bytes()
    status, headers, reply = post_request(shared, shared.claim()["claim"], form(der))
    assert status == 200, reply
    assert headers["content-type"] == "application/pkcs7-mime; smime-type=certs-only"
    assert headers["content-transfer-encoding"] == "base64"
    assert reply.endswith(b"\n") and reply.count(b"\n") == 1, "one line and LF"
    assert certificate_of(folder, reply).startswith("dev_")


@pytest.mark.parametrize("kind", ["P-256", "P-384", "Ed25519", "RSA-2048"])
def test_keys_that_are_taken(shared, kind):
    device = shared.enrol(kind=kind)
    assert shared.device(device.id)["certificate"]["key_algorithm"] == kind
    device.publish("telemetry/lab", "1")
    text = run("openssl", "x509", "-in", device.cert, "-noout", "-text").stdout.decode()
    for line in ("CA:FALSE", "Digital Signature", "TLS Web Client Authentication",
                 f"URI:urn:holdfast:{device.id}", f"Subject: CN = {device.id}",
                 "Subject Key Identifier", "Authority Key Identifier"):
        assert line in text, f"{line}\n{text}"


@pytest.mark.parametrize("kind", ["P-521", "RSA-1024"])
def test_keys_that_are_refused(shared, kind):
    der = make_request(shared.new_folder("weak"), kind=kind).read_bytes()
    claim = shared.claim()
    status, _, reply = post_request(shared, claim["claim"], in_lines(der))
    assert (status, problem_of(reply)) == (400, "csr-key-weak")
    assert shared.api.get(f"/v1/claims/{claim['id']}")["state"] == "open", "not spent"


def test_the_certificate_verifies_against_cacerts(shared):
    device = shared.enrol()
    folder = device.folder
    status, headers, body = curl(shared, "GET", EST + "/cacerts")
    assert (status, headers["content-type"]) == (200, "application/pkcs7-mime")
    assert body.count(b"\n") == 1
    chain = foreign.chain_of(shared, folder)
    assert len(chain) == 2
    (folder / "chain.pem").write_text("".join(chain))
    run("openssl", "verify", "-purpose", "sslclient", "-CAfile", shared.ca, "-untrusted",
        folder / "chain.pem", device.cert)


def test_csrattrs(shared):
    status, headers, body = curl(shared, "GET", EST + "/csrattrs")
    assert (status, headers["content-type"]) == (200, "application/csrattrs")
    assert body.strip() == b"MCEGCCqGSM49BAMCMBUGByqGSM49AgExCgYIKoZIzj0DAQc="


def test_strongswan_enrols(shared):
    folder = shared.new_folder("strongswan")
    (folder / "cert.der").write_bytes(
        foreign.strongswan_est(shared, folder, shared.claim(name="swan")["claim"]))
    text = run("openssl", "x509", "-inform", "DER", "-in", folder / "cert.der", "-noout",
               "-subject").stdout.decode()
    device = text.split("=")[-1].strip()
    assert shared.device(device)["name"] == "swan"


# ---- libest, from its own code: it reads headers by exact case, wants lines of 64, closes

def raw_exchange(server, text, body=b""):
    context = ssl.create_default_context(cafile=server.ca)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection(server.device_address, timeout=30) as plain:
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as tls:
            tls.sendall(text.encode() + body)
            out = b""
            while True:
                data = tls.recv(65536)
                if not data:
                    return out
                out += data


def libest_request(server, method, path, body=b"", authorization=""):
    host, port = server.device_address
    length = f"Content-Type: application/pkcs10\r\nContent-Length: {len(body)}\r\n" if body else ""
    return raw_exchange(server, f"{method} {EST}/{path} HTTP/1.1\r\nUser-Agent: libest 3.2.0\r\n"
                        f"Connection: close\r\nHost: {host}:{port}\r\nAccept: */*\r\n"
                        f"{authorization}{length}\r\n", body)


def test_libest_gets_lines_of_64_and_exact_headers(shared):
    head, _, body = libest_request(shared, "GET", "cacerts").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    lines = head.decode().split("\r\n")
    names = [line.split(":")[0] for line in lines[1:]]
    for name in ("Content-Type", "Content-Length", "Content-Transfer-Encoding"):
        assert name in names, f"libest looks for {name} in this very case: {names}"
    assert "Transfer-Encoding" not in names, "libest reads no chunks"
    rows = body.rstrip(b"\n").split(b"\n")
    assert len(rows) > 1 and all(len(row) == 64 for row in rows[:-1]) and len(rows[-1]) <= 64


def test_libest_probes_first_then_enrols(shared):
    folder = shared.new_folder("libest")
    body = in_lines(make_request(folder).read_bytes())
    first = libest_request(shared, "POST", "simpleenroll", body).decode()
    assert first.startswith("HTTP/1.1 401 ")
    assert 'WWW-Authenticate: Basic realm="holdfast"' in first
    secret = base64.b64encode(f"claim:{shared.claim()['claim']}".encode()).decode()
    answer = libest_request(shared, "POST", "simpleenroll", body,
                            f"Authorization: Basic {secret}\r\n")
    head, _, reply = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 "), answer
    assert all(len(row) <= 64 for row in reply.split(b"\n"))
    assert certificate_of(folder, reply).startswith("dev_")


# ---- what must not pass

def test_what_is_no_request(shared):
    claim = shared.claim()
    der = make_request(shared.new_folder("bad")).read_bytes()
    flipped = bytearray(der)
    flipped[-3] ^= 1
    for body in (b"", b"not base64 at all!", b"AAAA", der[:-9], bytes(flipped)):
        status, _, reply = post_request(shared, claim["claim"], body)
        assert (status, problem_of(reply)) == (400, "csr-malformed"), body[:20]
    assert shared.api.get(f"/v1/claims/{claim['id']}")["state"] == "open"


def test_a_large_body_is_refused_by_its_header(shared):
    """The answer comes before the body: nothing of it is sent here."""
    host, port = shared.device_address
    text = (f"POST {EST}/simpleenroll HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: "
            "application/pkcs10\r\nConnection: close\r\nContent-Length: 16385\r\n\r\n")
    answer = raw_exchange(shared, text)
    assert answer.startswith(b"HTTP/1.1 413 ") and b"body-too-large" in answer


def test_extensions_that_a_request_asks_for_are_not_copied(shared):
    folder = shared.new_folder("extensions")
    request = make_request(folder, extra=("-addext", "basicConstraints=critical,CA:TRUE", "-addext",
                                          "subjectAltName=DNS:server.example"))
    status, _, reply = post_request(shared, shared.claim()["claim"],
                                    in_lines(request.read_bytes()))
    assert status == 200
    certificate_of(folder, reply)
    text = run("openssl", "x509", "-in", folder / "cert.pem", "-noout", "-text").stdout.decode()
    assert "CA:FALSE" in text and "server.example" not in text


def test_claims(shared):
    folder = shared.new_folder("claims")
    first = in_lines(make_request(folder).read_bytes())
    make_key(folder / "key.pem")
    second = in_lines(make_request(folder).read_bytes())
    claim = shared.claim()["claim"]
    status, _, reply = post_request(shared, claim, first)
    assert status == 200
    assert post_request(shared, claim, first)[2] == reply, "a lost reply is sent again, the same"
    status, _, problem = post_request(shared, claim, second)
    assert (status, problem_of(problem)) == (403, "claim-spent")
    status, headers, problem = post_request(shared, "hfc_" + "0" * 26, second)
    assert (status, problem_of(problem)) == (401, "claim-unknown")
    revoked = shared.claim()
    shared.api.delete(f"/v1/claims/{revoked['id']}")
    status, _, problem = post_request(shared, revoked["claim"], second)
    assert (status, problem_of(problem)) == (403, "claim-revoked")
    bound = shared.claim(device_serial="SN-1")["claim"]
    status, _, problem = post_request(shared, bound, second)
    assert (status, problem_of(problem)) == (403, "claim-bound")
    for subject in ("/CN=any/serialNumber=SN-1",):
        request = make_request(folder, subject)
        status, _, _ = post_request(shared, bound, in_lines(request.read_bytes()))
        assert status == 200


def test_twelve_keys_race_for_one_claim(shared):
    claim = shared.claim()["claim"]
    requests = [in_lines(make_request(shared.new_folder("racer")).read_bytes())
                for _ in range(12)]
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda body: post_request(shared, claim, body)[0], requests))
    assert sorted(answers) == [200] + [403] * 11, answers


def test_renewal(shared):
    device = shared.enrol()
    before = shared.device(device.id)["certificate"]["serial"]
    renewed = shared.new_folder("renewed")
    body = in_lines(make_request(renewed, "/CN=ignored").read_bytes())
    header = ("-H", "Content-Type: application/pkcs10")
    status, _, reply = device.curl("POST", EST + "/simplereenroll", *header, body=body)
    assert status == 200, reply
    assert certificate_of(renewed, reply) == device.id
    again = device.curl("POST", EST + "/simplereenroll", *header, body=body)
    assert again[2] == reply
    assert shared.device(device.id)["certificate"]["serial"] != before
    device.publish("telemetry/lab", "1")  # the old one stays valid
    device.folder = renewed
    device.publish("telemetry/lab", "2")
    shared.api.post(f"/v1/devices/{device.id}/quarantine", {"reason": "drill"})
    other = in_lines(make_request(shared.new_folder("again")).read_bytes())
    assert device.curl("POST", EST + "/simplereenroll", *header, body=other)[0] == 200
    shared.api.post(f"/v1/devices/{device.id}/revoke", {"reason": "stolen"})
    other = in_lines(make_request(shared.new_folder("never")).read_bytes())
    assert device.curl("POST", EST + "/simplereenroll", *header, body=other)[0] in (401, 403)


def test_renewal_needs_a_certificate(shared):
    body = in_lines(make_request(shared.new_folder("nobody")).read_bytes())
    status, _, _ = post_request(shared, shared.claim()["claim"], body,
                                path=EST + "/simplereenroll")
    assert status in (401, 403)


@pytest.mark.parametrize("flag, status", [("--tlsv1.3", 200), ("--tls-max=1.2", 200),
                                          ("--tls-max=1.1", None)])
def test_tls_versions_of_the_device_port(shared, flag, status):
    arguments = flag.split("=")
    done = run("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", shared.ca,
               *arguments, shared.device_url + EST + "/cacerts", check=False)
    assert (done.returncode == 0) == (status is not None)
    if status:
        assert int(done.stdout) == status
