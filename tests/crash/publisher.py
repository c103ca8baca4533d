"""A device that publishes without pause through any number of crashes of the server.

It keeps what decision 4 of the architecture gives it to hold the server to: a PUBACK means stored,
and a message that it sends again with DUP is stored once.
"""
import collections
import threading

from tests.lab.mqtt import DISCONNECT, Closed, Refused, packet

WINDOW = 24
PAUSE_S = 0.02


class Publisher(threading.Thread):
    """Publishes 0, 1, 2, ... to `lab.n`, each with a text that is its own."""

    def __init__(self, device, level):
        super().__init__(daemon=True)
        self.device = device
        self.level = level
        self.sent = 0
        self.acknowledged = set()
        self.refused = collections.Counter()
        self.resent = 0
        self.lost_sessions = 0
        self.failure = None
        self._connected_before = False
        self._unacknowledged = collections.OrderedDict()
        self._ending = threading.Event()

    def finish(self, deadline_s=60):
        """Ends when everything that was sent is acknowledged."""
        self._ending.set()
        self.join(deadline_s)
        if self.failure:
            raise self.failure
        assert not self.is_alive(), f"{len(self._unacknowledged)} messages without answer"

    def run(self):
        try:
            while not (self._ending.is_set() and not self._unacknowledged):
                try:
                    self._connection()
                except (Closed, TimeoutError):
                    self._ending.wait(PAUSE_S)
                except Refused as refused:
                    self.refused[refused.code] += 1
                    threading.Event().wait(PAUSE_S * 10)
        except BaseException as error:  # seen by the test in finish()
            self.failure = error

    def _connection(self):
        client = self.device.mqtt_socket()
        with client:
            client.connect(level=self.level, client_id="steady", clean=False, expiry_s=3600,
                           check=True)
            if self._connected_before and not client.session_present:
                self.lost_sessions += 1
            self._connected_before = True
            for packet_id, value in self._unacknowledged.items():
                client.send(client.publish_bytes("telemetry/lab", self._payload(value), 1,
                                                 packet_id, dup=True))
                self.resent += 1
            while not (self._ending.is_set() and not self._unacknowledged):
                self._fill(client)
                packet_id, reason = client.puback()
                value = self._unacknowledged.pop(packet_id)
                assert reason == 0, f"PUBACK 0x{reason:02X}"
                self.acknowledged.add(value)
            client.send(packet(DISCONNECT, 0, b""))

    def _fill(self, client):
        out = b""
        while len(self._unacknowledged) < WINDOW and not self._ending.is_set():
            packet_id = self.sent % 65535 + 1
            self._unacknowledged[packet_id] = self.sent
            out += client.publish_bytes("telemetry/lab", self._payload(self.sent), 1, packet_id)
            self.sent += 1
        if out:
            client.send(out)

    @staticmethod
    def _payload(value):
        return b'{"n": %d}' % value
