"""Programs of others, as they are in Debian: mosquitto's clients, strongSwan's pki."""
import base64

from tests.lab.process import Program, run


class MosquittoSub:
    """mosquitto_sub that runs beside the test; `lines()` is what it has printed so far."""

    def __init__(self, device, topic, *arguments):
        folder = device.server.new_folder("mosquitto_sub")
        self.seen = []
        # Line by line: into a pipe it would keep what it prints to itself.
        self.program = Program(["stdbuf", "-oL", "mosquitto_sub", *device.mosquitto_arguments(), "-t", topic, "-q",
                                "1", "-v", "-d", *arguments], folder / "mosquitto_sub.log")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.program.terminate()

    def lines(self):
        self.seen += self.program.pending_lines()
        return self.seen

    def subscribed(self):
        return any("SUBACK" in line for line in self.lines())

    def messages(self):
        """Lines of messages, without mosquitto's own talk (-d)."""
        talk = ("Client ", "Subscribed (")
        return [line for line in self.lines() if not line.startswith(talk)]


def strongswan_est(server, folder, claim, common_name="strongswan"):
    """strongSwan's `pki --est`: makes a P-256 key and request, enrols; returns the DER answer."""
    root = folder / "root.pem"
    root.write_bytes(open(server.ca, "rb").read())
    key, request = folder / "key.der", folder / "request.der"
    key.write_bytes(run("pki", "--gen", "--type", "ecdsa", "--size", 256).stdout)
    request.write_bytes(run("pki", "--req", "--type", "ecdsa", "--in", key, "--dn",
                            f"CN={common_name}").stdout)
    chain = []
    for index, pem in enumerate(chain_of(server, folder)):
        path = folder / f"ca-{index}.pem"
        path.write_text(pem)
        chain += ["--cacert", path]
    return run("pki", "--est", "--url", server.device_url, "--in", request, *chain,
               "--userpass", f"claim:{claim}").stdout


def chain_of(server, folder):
    """The certificates of `cacerts` in PEM, unwrapped by openssl."""
    from tests.lab.device import curl
    status, _, body = curl(server, "GET", "/.well-known/est/cacerts")
    assert status == 200, body
    (folder / "cacerts.der").write_bytes(base64.b64decode(body))
    text = run("openssl", "pkcs7", "-inform", "DER", "-in", folder / "cacerts.der",
               "-print_certs").stdout.decode()
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    return [begin + part.split(end)[0] + end + "\n" for part in text.split(begin)[1:]]
