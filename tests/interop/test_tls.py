"""TLS facts that a client library hides: resumption after revocation, silent sockets."""
import socket
import ssl
import time

import pytest

from tests import lab
from tests.lab.mqtt import Closed, Mqtt, Refused

SILENT = 300


def session_of(client):
    """The TLS session with its ticket: it has come once anything was read."""
    client.ping()
    session = client.tls.session
    assert session is not None and session.has_ticket
    return session


def test_a_session_is_resumed_and_checked_anew(shared):
    """OpenSSL does not look at the certificate again on resumption; the server must."""
    device = shared.enrol()
    first = Mqtt(shared.mqtt_address, shared.ca, device.cert, device.key)
    context = first._context
    first.connect(client_id="one")
    session = session_of(first)
    again = resumed(shared, context, session)
    again.connect(client_id="two").ping()
    assert again.tls.session_reused, "resumption works at all"
    session = session_of(again)
    shared.api.post(f"/v1/devices/{device.id}/revoke", {"reason": "stolen"})
    with pytest.raises((Refused, Closed)):
        resumed(shared, context, session).connect(client_id="three").ping()


def resumed(server, context, session):
    client = Mqtt.__new__(Mqtt)
    raw = socket.create_connection(server.mqtt_address, timeout=30)
    client.__dict__.update(address=server.mqtt_address, level=5, inbox=__import__(
        "collections").deque(), _buffer=b"", _next_id=0, session_present=False)
    try:
        client.tls = context.wrap_socket(raw, server_hostname="127.0.0.1", session=session)
    except (OSError, ssl.SSLError) as error:
        raise Closed(str(error)) from error
    return client


def test_silent_sockets_delay_nobody(server):
    """They take no handshake slot, and are closed after a while."""
    device = server.enrol()
    for address in (server.mqtt_address, server.device_address):
        silent = [socket.create_connection(address, timeout=30) for _ in range(SILENT)]
        try:
            begin = time.monotonic()
            device.mqtt(client_id="busy").publish("telemetry/lab", "1")
            status, _, _ = device.curl("GET", "/device/v1/twin")
            seconds = time.monotonic() - begin
            assert status == 200 and seconds < 3, f"{seconds:.1f} s beside silent sockets"
            silent[0].settimeout(20)
            assert silent[0].recv(1) == b"", "closed when nothing came for 10 s"
        finally:
            for one in silent:
                one.close()


def test_half_open_handshakes_delay_nobody(server):
    """Sockets that send half a ClientHello."""
    device = server.enrol()
    half = []
    for _ in range(100):
        one = socket.create_connection(server.mqtt_address, timeout=30)
        one.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        half.append(one)
    begin = time.monotonic()
    lab.wait_for(lambda: device.mqtt(client_id="busy").publish("telemetry/lab", "1") == 0, 3,
                 "a publish beside half-open handshakes")
    assert time.monotonic() - begin < 3
    for one in half:
        one.close()


def test_plaintext_is_no_way_in(shared):
    for address in (shared.mqtt_address, shared.device_address):
        with socket.create_connection(address, timeout=15) as plain:
            plain.sendall(b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04test")
            data = plain.recv(64)
            assert data == b"" or data[0] == 0x15, "at most a TLS alert"
