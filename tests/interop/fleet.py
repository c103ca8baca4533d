"""Many devices at once: keys and requests in this process, for tests that need a crowd."""
import base64
import http.client
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID

from tests.lab.device import Device


def enrol_many(server, count):
    """`count` devices over one connection of EST."""
    context = ssl.create_default_context(cafile=server.ca)
    host, port = server.device_address
    connection = http.client.HTTPSConnection(host, port, context=context, timeout=60)
    try:
        return [_enrol(server, connection) for _ in range(count)]
    finally:
        connection.close()


def _enrol(server, connection):
    folder = server.new_folder("crowd")
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "crowd")])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(
        key, hashes.SHA256())
    secret = base64.b64encode(f"claim:{server.claim()['claim']}".encode()).decode()
    connection.request("POST", "/.well-known/est/simpleenroll",
                       base64.b64encode(request.public_bytes(serialization.Encoding.DER)),
                       {"Authorization": f"Basic {secret}", "Content-Type": "application/pkcs10"})
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 200, body
    certificate = pkcs7.load_der_pkcs7_certificates(base64.b64decode(body))[0]
    (folder / "key.pem").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()))
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    name = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    return Device(server, folder, name)
