"""A small MQTT client over mutual TLS: one thread, blocking, every packet in the test's hands.

Speaks 3.1.1 (level 4) and 5.0 (level 5). It hides nothing: acknowledgements are packets that the
test reads, reason codes are numbers.
"""
import collections
import socket
import ssl
import struct

CONNECT, CONNACK, PUBLISH, PUBACK = 1, 2, 3, 4
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK = 8, 9, 10, 11
PINGREQ, PINGRESP, DISCONNECT = 12, 13, 14

Packet = collections.namedtuple("Packet", "kind flags body")
Message = collections.namedtuple("Message", "topic payload qos id dup retain")


class Closed(Exception):
    """The server has closed the connection."""


class Refused(Exception):
    """CONNACK with an error; `code` is the return or reason code."""

    def __init__(self, code):
        super().__init__(f"CONNACK 0x{code:02X}")
        self.code = code


def text(value):
    data = value.encode() if isinstance(value, str) else value
    return struct.pack(">H", len(data)) + data


def varint(value):
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def read_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def packet(kind, flags, body):
    return bytes([kind << 4 | flags]) + varint(len(body)) + body


class Mqtt:
    """One connection. Not shared between threads."""

    def __init__(self, address, ca, cert=None, key=None, session=None, deadline_s=30):
        self.address = address
        self.level = 5
        self.assigned_id = None
        self.session_present = False
        self.inbox = collections.deque()
        self._buffer = b""
        self._next_id = 0
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.load_verify_locations(ca)
        if cert:
            self._context.load_cert_chain(cert, key)
        try:
            raw = socket.create_connection(address, timeout=deadline_s)
        except OSError as error:
            raise Closed(str(error)) from error
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self.tls = self._context.wrap_socket(raw, server_hostname=address[0], session=session)
        except (OSError, ssl.SSLError) as error:
            raw.close()
            raise Closed(str(error)) from error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Cuts the connection without a word."""
        self.tls.close()

    # ---- bytes

    def send(self, data):
        try:
            self.tls.sendall(data)
        except OSError as error:
            raise Closed(str(error)) from error

    def settimeout(self, seconds):
        self.tls.settimeout(seconds)

    def _fill(self):
        try:
            data = self.tls.recv(65536)
        except TimeoutError:
            raise
        except OSError as error:
            raise Closed(str(error)) from error
        if not data:
            raise Closed("end of stream")
        self._buffer += data

    def take(self, count):
        """Exactly `count` raw bytes."""
        while len(self._buffer) < count:
            self._fill()
        out, self._buffer = self._buffer[:count], self._buffer[count:]
        return out

    def read_packet(self):
        head = self.take(1)[0]
        length = shift = 0
        while True:
            byte = self.take(1)[0]
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        return Packet(head >> 4, head & 15, self.take(length))

    def read(self, kind):
        """The next packet of a kind; messages that come before it wait in `inbox`."""
        while True:
            got = self.read_packet()
            if got.kind == kind:
                return got
            if got.kind == PUBLISH:
                self.inbox.append(self._message(got))
            elif got.kind == DISCONNECT:
                raise Closed(f"DISCONNECT 0x{got.body[0] if got.body else 0:02X}")
            else:
                raise AssertionError(f"wanted packet {kind}, got {got}")

    # ---- packets

    def connect(self, level=5, client_id="lab", clean=True, keep_alive=60, expiry_s=None,
                will=None, check=True):
        """`will` is (topic, payload). Raises Refused when the server refuses and `check` is set."""
        self.level = level
        flags = (2 if clean else 0) | (0x0C if will else 0)
        body = text("MQTT") + bytes([level, flags]) + struct.pack(">H", keep_alive)
        if level == 5:
            expiry = b"" if expiry_s is None else b"\x11" + struct.pack(">I", expiry_s)
            body += varint(len(expiry)) + expiry
        body += text(client_id)
        if will:
            body += (b"\x00" if level == 5 else b"") + text(will[0]) + text(will[1])
        self.send(packet(CONNECT, 0, body))
        answer = self.read(CONNACK)
        self.session_present = bool(answer.body[0] & 1)
        if answer.body[1] and check:
            self.close()
            raise Refused(answer.body[1])
        return self

    def packet_id(self):
        self._next_id = self._next_id % 65535 + 1
        return self._next_id

    def publish_bytes(self, topic, payload, qos=1, packet_id=None, dup=False):
        body = text(topic)
        if qos:
            body += struct.pack(">H", packet_id)
        body += b"\x00" if self.level == 5 else b""
        body += payload.encode() if isinstance(payload, str) else payload
        return packet(PUBLISH, (8 if dup else 0) | qos << 1, body)

    def publish(self, topic, payload, qos=1, packet_id=None, dup=False):
        """Publishes; at QoS 1 waits for the acknowledgement and returns its reason code."""
        packet_id = packet_id or (self.packet_id() if qos else None)
        self.send(self.publish_bytes(topic, payload, qos, packet_id, dup))
        if not qos:
            return None
        answer_id, reason = self.puback()
        assert answer_id == packet_id, (answer_id, packet_id)
        return reason

    def puback(self):
        """The next acknowledgement: (packet id, reason)."""
        body = self.read(PUBACK).body
        return struct.unpack(">H", body[:2])[0], body[2] if len(body) > 2 else 0

    def subscribe(self, *filters, qos=1):
        """Returns the granted QoS, or reason, of each filter."""
        body = struct.pack(">H", self.packet_id()) + (b"\x00" if self.level == 5 else b"")
        for one in filters:
            body += text(one) + bytes([qos])
        self.send(packet(SUBSCRIBE, 2, body))
        answer = self.read(SUBACK).body
        at = 2
        if self.level == 5:
            length, at = read_varint(answer, 2)
            at += length
        return list(answer[at:])

    def _message(self, got):
        qos = got.flags >> 1 & 3
        length = struct.unpack(">H", got.body[:2])[0]
        topic, at, packet_id = got.body[2:2 + length].decode(), 2 + length, None
        if qos:
            packet_id, at = struct.unpack(">H", got.body[at:at + 2])[0], at + 2
        if self.level == 5:
            size, at = read_varint(got.body, at)
            at += size
        return Message(topic, got.body[at:], qos, packet_id, bool(got.flags & 8),
                       bool(got.flags & 1))

    def message(self, acknowledge=True):
        """The next message down."""
        got = self.inbox.popleft() if self.inbox else self._message(self.read(PUBLISH))
        if acknowledge and got.qos:
            self.send(packet(PUBACK, 0, struct.pack(">H", got.id)))
        return got

    def ping(self):
        self.send(packet(PINGREQ, 0, b""))
        self.read(PINGRESP)

    def disconnect(self):
        self.send(packet(DISCONNECT, 0, b""))
        self.close()

    def wait_closed(self, deadline_s=10):
        """Reads until the server closes; returns the reason of its DISCONNECT, or None."""
        self.settimeout(deadline_s)
        reason = None
        try:
            while True:
                got = self.read_packet()
                if got.kind == DISCONNECT:
                    reason = got.body[0] if got.body else 0
                elif got.kind == PUBLISH:
                    self.inbox.append(self._message(got))
        except Closed:
            return reason
        except TimeoutError:
            raise AssertionError(f"still open after {deadline_s} s") from None
