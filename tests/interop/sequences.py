"""Plays mosquitto's packet sequences (mqtt-sequences/, EPL-2.0 or EDL-1.0) over mutual TLS.

A device's tree is private, so what a sequence publishes is mapped into it: plain topics of PUBLISH
become `telemetry/<topic>` (remaining length raised by as much), and the texts that serve as
payloads become JSON of the same length. All else is sent as it is written, byte for byte.
"""
import json
import pathlib
import re
import struct

from tests.lab.mqtt import Closed, Mqtt, packet, read_varint, text, varint

FOLDER = pathlib.Path(__file__).parent / "mqtt-sequences"
TOKEN = re.compile(r"'[^']*'|\S+")
PAYLOADS = {"payload": b"1234567", "message": b"7654321"}
PREFIX = "telemetry/"
ANSWER_S = 5


class Failed(Exception):
    """What a sequence wanted and did not get."""


class Sequence:
    """One test of a file, with its group's defaults applied."""

    def __init__(self, file, group, test):
        self.file = file
        self.name = f"{group['group']} / {test['name']}"
        pick = lambda key, default: test.get(key, group.get(key, default))  # noqa: E731
        self.level = pick("ver", 4)
        self.connect = pick("connect", True)
        self.expect_disconnect = pick("expect_disconnect", True)
        self.disabled = pick("disable", False)
        self.client_id = test["name"]
        self.messages = test["msgs"]

    def sent(self):
        return [m["payload"] for m in self.messages if m["type"] == "send"]

    def received(self):
        return [m["payload"] for m in self.messages if m["type"] == "recv"]


def load(name):
    groups = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return [Sequence(name, group, test) for group in groups for test in group["tests"]]


def number(word):
    return int(word[1:])


def encode(words):
    """Bytes of a payload in words (see the data's README)."""
    out = bytearray()
    for word in TOKEN.findall(words):
        if word[0] == "'":
            out += word[1:-1].encode()
        elif word[0] == "i":
            out.append(number(word))
        elif word[0] in "Hkms":
            out += struct.pack(">H", number(word))
        elif word[0] == "L":
            out += struct.pack(">I", number(word))
        elif word[0] in "vr":
            out += long_varint(number(word))
        else:
            out += bytes.fromhex(word)
    return bytes(out)


def long_varint(value):
    """Also beyond four bytes, which no packet may hold."""
    return varint(value)


WILL = re.compile(r"10 r(\d+) (s4 'MQTT' 0[45] 06 k10 .*)s1 'p' s1 'p'$")


def mapped(words):
    """A PUBLISH, or the will of a CONNECT, moved into the device's tree."""
    will = WILL.match(words)
    if will:
        topic = PREFIX + "p"
        remaining = int(will[1]) + len(PREFIX)
        return f"10 r{remaining} {will[2]}s{len(topic)} '{topic}' s1 'p'"
    # 0x10 says that nobody subscribes; the server itself takes what devices say.
    words = re.sub(r"^40 r3 (m\d+) 10$", r"40 r2 \1", words)
    if not re.match(r"3[0-9A-Fa-f]\b", words):
        return words
    match = re.match(r"(\S+) r(\d+) s(\d+) '([^']*)'", words)
    if match:
        head, remaining, length, topic = match.groups()
        plain = re.fullmatch(r"[A-Za-z0-9_/-]+", topic) and int(length) == len(topic)
        if plain:
            topic = PREFIX + topic.replace("/", "_")
            more = len(PREFIX)
            words = f"{head} r{int(remaining) + more} s{len(topic)} '{topic}'" + words[match.end():]
    for name, json_text in PAYLOADS.items():
        words = re.sub(rf"'{name}'$", f"'{json_text.decode()}'", words)
    return words


class Player:
    """Plays one sequence on one connection."""

    def __init__(self, device, sequence):
        self.sequence = sequence
        self.client = device.mqtt_socket()
        self.client.settimeout(ANSWER_S)

    def play(self):
        with self.client:
            try:
                self._open()
                for message in self.sequence.messages:
                    self._step(message)
            except Closed as closed:
                raise Failed(f"closed early: {closed}") from None
            except TimeoutError:
                raise Failed(f"no answer within {ANSWER_S} s") from None
            self._end()

    def _open(self):
        if not self.sequence.connect:
            return
        body = text("MQTT") + bytes([self.sequence.level, 2]) + struct.pack(">H", 60)
        body += b"\x00" if self.sequence.level == 5 else b""
        self.client.send(packet(1, 0, body + text(self.sequence.client_id)))
        answer = self.client.read_packet()
        if answer.kind != 2 or answer.body[1] != 0:
            raise Failed(f"CONNECT was answered by {answer}")

    def _step(self, message):
        if message["type"] == "send":
            self.client.send(encode(mapped(message["payload"])))
        elif message["type"] == "recv":
            self._receive(encode(mapped(message["payload"])))
        else:
            raise Failed(f"{message['type']} is nothing that a device can do")

    def _receive(self, wanted):
        got = self.client.read_packet()
        head = bytes([got.kind << 4 | got.flags]) + varint(len(got.body))
        if wanted[0] == 0x20 and got.kind == 2:
            # The server's own properties follow: flags and code are what is compared.
            _, at = read_varint(wanted, 1)
            same = wanted[at:at + 2] == got.body[:2]
        elif wanted[0] == 0xE0 and got.kind == 14:
            # A reason string may follow the code.
            same = wanted[2:3] == got.body[:1]
        else:
            same = wanted == head + got.body
        if not same:
            raise Failed(f"wanted {wanted.hex(' ')}, got {(head + got.body)[:40].hex(' ')}")

    def _end(self):
        """Closed, or alive: a PINGREQ tells, without waiting for what does not come."""
        try:
            self.client.send(b"\xc0\x00")
            got = self.client.read_packet()
        except Closed:
            if not self.sequence.expect_disconnect:
                raise Failed("closed at the end") from None
            return
        except TimeoutError:
            raise Failed("neither closed nor alive at the end") from None
        if self.sequence.expect_disconnect:
            if got.kind != 13:
                return self._end_after(got)
            raise Failed(f"open at the end: {got}")
        if got.kind != 13:
            raise Failed(f"wanted PINGRESP, got {got}")

    def _end_after(self, last):
        """The last word before the end, such as a CONNACK that refuses; then the end must come."""
        if last.kind not in (2, 14):
            raise Failed(f"open at the end: {last}")
        try:
            self.client.read_packet()
        except Closed:
            return
        except TimeoutError:
            pass
        raise Failed(f"open after {last}")


def needs_echo(sequence):
    """It waits for what itself or another client publishes: no device hears that here."""
    return any(m["type"] == "external_publish" for m in sequence.messages) or \
        any(re.match(r"3[0-9A-Fa-f]\b", words) for words in sequence.received())
