"""A device made of foreign programs alone: openssl makes key and request, curl speaks EST."""
import base64
import hashlib
import json
import pathlib

from tests.lab.mqtt import Mqtt
from tests.lab.process import run

KEYS = {
    "P-256": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "P-384": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "P-521": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
    "Ed25519": ["-algorithm", "ED25519"],
    "RSA-2048": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "RSA-1024": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
}


class Device:
    """Key and certificate in files, and what one does with them."""

    def __init__(self, server, folder, device_id):
        self.server = server
        self.folder = pathlib.Path(folder)
        self.id = device_id

    @property
    def key(self):
        return self.folder / "key.pem"

    @property
    def cert(self):
        return self.folder / "cert.pem"

    def mqtt(self, **options):
        """A connected MQTT client (lab.mqtt)."""
        return Mqtt(self.server.mqtt_address, self.server.ca, self.cert, self.key).connect(
            **options)

    def mqtt_socket(self):
        """The client before CONNECT: TLS alone."""
        return Mqtt(self.server.mqtt_address, self.server.ca, self.cert, self.key)

    def curl(self, method, path, *arguments, body=None):
        """HTTPS on port 8444 with the certificate; returns (status, headers, body)."""
        return curl(self.server, method, path, "--cert", self.cert, "--key", self.key, *arguments,
                    body=body)

    def mosquitto_arguments(self):
        host, port = self.server.mqtt_address
        return ["-h", host, "-p", port, "--cafile", self.server.ca, "--cert", self.cert, "--key",
                self.key, "--tls-version", "tlsv1.3"]

    def publish(self, topic, payload, *arguments, check=True):
        """By mosquitto_pub, QoS 1; it ends when the server has acknowledged."""
        return run("mosquitto_pub", *self.mosquitto_arguments(), "-t", topic, "-m", payload, "-q",
                   1, *arguments, check=check)


def make_key(path, kind="P-256"):
    run("openssl", "genpkey", *KEYS[kind], "-out", path)


def make_request(folder, subject="/CN=lab device", kind="P-256", extra=(), form="DER"):
    """Key and PKCS#10 request by openssl; the request's path."""
    make_key(folder / "key.pem", kind)
    request = folder / f"request.{form.lower()}"
    run("openssl", "req", "-new", "-key", folder / "key.pem", "-subj", subject, "-outform", form,
        "-out", request, *extra)
    return request


def key_sha256(key):
    """SHA-256 of its SubjectPublicKeyInfo, in hexadecimal."""
    der = run("openssl", "pkey", "-in", key, "-pubout", "-outform", "DER").stdout
    return hashlib.sha256(der).hexdigest()


def curl(server, method, path, *arguments, body=None):
    """curl on port 8444; returns (status, headers in lower case, body)."""
    url = path if path.startswith("https:") else server.device_url + path
    data = [] if body is None else ["--data-binary", "@-"]
    done = run("curl", "-sS", "-i", "--max-time", 70, "--cacert", server.ca, "-X", method, *data,
               "-H", "Expect:", *arguments, url, text_in=body)
    head, _, rest = done.stdout.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = {k.strip().lower(): v.strip() for k, v in
               (line.split(":", 1) for line in lines[1:])}
    return int(lines[0].split()[1]), headers, rest


def post_request(server, claim, body, *arguments, path="/.well-known/est/simpleenroll"):
    """One simpleenroll with a claim, by curl."""
    return curl(server, "POST", path, "-u", f"claim:{claim}", "-H",
                "Content-Type: application/pkcs10", *arguments, body=body)


def certificate_of(folder, reply):
    """Unwraps EST's certs-only answer with openssl into cert.pem; returns its subject's CN."""
    (folder / "reply.der").write_bytes(base64.b64decode(reply))
    run("openssl", "pkcs7", "-inform", "DER", "-in", folder / "reply.der", "-print_certs", "-out",
        folder / "cert.pem")
    subject = run("openssl", "x509", "-in", folder / "cert.pem", "-noout", "-subject", "-nameopt",
                  "multiline").stdout.decode()
    return subject.split("=")[-1].strip()


def enrol(server, claim=None, kind="P-256", subject="/CN=lab device", **fields):
    """A new device; `fields` go into its claim (site_id, type_id, name, tags)."""
    folder = server.new_folder("device")
    request = make_request(folder, subject, kind)
    secret = claim or server.claim(**fields)["claim"]
    status, _, reply = post_request(server, secret, base64.encodebytes(request.read_bytes()))
    assert status == 200, f"simpleenroll -> {status} {reply.decode(errors='replace')}"
    return Device(server, folder, certificate_of(folder, reply))


def problem_of(reply):
    return json.loads(reply)["code"]
