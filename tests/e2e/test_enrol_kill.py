"""SIGKILL while many devices enrol: whoever asks again gets the very certificate, and there is one of each."""
import base64
import concurrent.futures
import threading

from tests.lab.device import certificate_of, curl, make_request, post_request
from tests.lab.process import run

DEVICES = 24
KILL_AFTER = (1, 9, 17)  # answers


def test_a_killed_server_answers_the_same_afterwards(server):
    claims = [server.claim(name=f"kill {i}")["claim"] for i in range(DEVICES)]
    folders = [server.new_folder("kill") for _ in range(DEVICES)]
    bodies = [base64.encodebytes(make_request(folder).read_bytes()) for folder in folders]
    answered = {}
    counted = threading.Lock()

    for limit in KILL_AFTER:
        killed = threading.Event()

        def enrol(index, limit=limit, killed=killed):
            if killed.is_set():
                return
            try:
                status, _, reply = post_request(server, claims[index], bodies[index])
            except (AssertionError, IndexError, ValueError):
                return  # the connection was cut: curl failed, or saw half an answer
            assert status == 200, reply
            with counted:
                assert answered.setdefault(index, reply) == reply, "what was answered stays"
                if len(answered) >= limit and not killed.is_set():
                    killed.set()
                    server.kill9()

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(enrol, range(DEVICES)))
        if server.program.running:
            server.kill9()
        server.start()

    assert len(answered) >= KILL_AFTER[-1]
    serials = set()
    for index in range(DEVICES):
        status, _, reply = post_request(server, claims[index], bodies[index])
        assert status == 200
        assert answered.get(index, reply) == reply, "the same bytes, and so the same serial"
        certificate_of(folders[index], reply)
        serials.add(run("openssl", "x509", "-in", folders[index] / "cert.pem", "-noout",
                        "-serial").stdout)
    assert len(serials) == DEVICES
    devices = list(server.api.items("/v1/devices", q="kill"))
    assert len(devices) == DEVICES, "one device each, none twice"
    assert curl(server, "GET", "/healthz")[0] == 200
