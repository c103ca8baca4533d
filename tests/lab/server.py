"""A server of a test's own: a temporary folder, free ports, and an end that always comes."""
import json
import os
import pathlib
import shutil
import tempfile
import time

from tests.lab.agent import Agent
from tests.lab.api import Api
from tests.lab.device import enrol
from tests.lab.process import Program, binary, run

READY_S = 60


class Server:
    """holdfastd in `folder`; started by `start`, or by `with lab.server() as s`."""

    def __init__(self, folder, arguments=(), environment=None):
        self.folder = pathlib.Path(folder)
        self.data = self.folder / "data"
        self.arguments = list(arguments)
        self.environment = environment or {}
        self.program = None
        self.ready = None
        self.listen = {"api": "127.0.0.1:0", "mqtt": "127.0.0.1:0", "device": "127.0.0.1:0"}
        self._api = None
        self._agents = []
        self._counter = 0

    # ---- life

    def start(self):
        self.launch()
        return self.await_ready()

    def launch(self):
        """Starts the program and does not wait until it is ready."""
        self.program = Program(
            [binary("holdfastd"), "--data", self.data, "--api-listen", self.listen["api"],
             "--mqtt-listen", self.listen["mqtt"], "--device-listen", self.listen["device"],
             *self.arguments], self.folder / "holdfastd.log", self.environment)

    def await_ready(self):
        line = self.program.line(READY_S)
        assert line is not None, f"holdfastd ended while starting\n{self.program.log_tail()}"
        self.ready = json.loads(line)
        # The ports stay the same over a restart: agents and devices come back to them.
        for name in self.listen:
            port = self.ready[name].rsplit(":", 1)[1]
            self.listen[name] = f"127.0.0.1:{port}"
        self._api = None
        return self

    def stop(self):
        """SIGTERM; returns (exit code, seconds it took)."""
        self._forget_connection()
        begin = time.monotonic()
        code = self.program.terminate()
        return code, time.monotonic() - begin

    def kill9(self):
        self._forget_connection()
        self.program.kill9()

    def restart(self):
        if self.program.running:
            self.stop()
        return self.start()

    def _forget_connection(self):
        if self._api:
            self._api.close()

    def close(self):
        for agent in self._agents:
            agent.stop()
        self._forget_connection()
        if self.program and self.program.running:
            self.program.terminate()

    # ---- faces

    @property
    def ca(self):
        return self.ready["ca"]

    @property
    def admin_token(self):
        return (self.data / "admin-token").read_text(encoding="utf-8").strip()

    @property
    def api(self):
        """The API as the bootstrap administrator."""
        if self._api is None:
            self._api = Api(self.ready["api"], self.ca, self.admin_token)
        return self._api

    @property
    def mqtt_address(self):
        host, port = self.listen["mqtt"].rsplit(":", 1)
        return host, int(port)

    @property
    def device_url(self):
        return self.ready["device"]

    @property
    def device_address(self):
        host, port = self.listen["device"].rsplit(":", 1)
        return host, int(port)

    def cli(self, *arguments, token=None, check=True, text_in=None, environment=None):
        """Runs the command line against this server."""
        env = {"HOLDFAST_SERVER": self.ready["api"], "HOLDFAST_CA": str(self.ca),
               "HOLDFAST_TOKEN": token or self.admin_token, "HOME": str(self.folder),
               "XDG_CONFIG_HOME": str(self.folder / "config"), **(environment or {})}
        return run(binary("holdfast"), *arguments, environment=env, check=check, text_in=text_in)

    def cli_json(self, *arguments, **options):
        return json.loads(self.cli(*arguments, "--json", **options).stdout)

    # ---- devices

    def new_folder(self, name):
        self._counter += 1
        path = self.folder / f"{name}-{self._counter}"
        path.mkdir()
        return path

    def claim(self, **fields):
        return self.api.post("/v1/claims", fields)

    def enrol(self, **options):
        """A device with a certificate of its own, made by openssl and curl (lab.device)."""
        return enrol(self, **options)

    def agent(self, name="agent", claim=None):
        """holdfast-agent joined and running."""
        agent = Agent(self.new_folder(name))
        agent.join((claim or self.claim(name=name))["code"])
        agent.start()
        self._agents.append(agent)
        return agent

    def device(self, device_id):
        return self.api.get(f"/v1/devices/{device_id}")


class server:  # noqa: N801 - reads as a verb: with lab.server() as s
    """Context of one server; leaves nothing behind, stops all that was started."""

    def __init__(self, *arguments, environment=None):
        self._arguments = arguments
        self._environment = environment

    def __enter__(self):
        base = os.environ.get("HOLDFAST_TEST_TMP")
        self._folder = tempfile.mkdtemp(prefix="holdfast-lab-", dir=base)
        self._server = Server(self._folder, self._arguments, self._environment)
        try:
            return self._server.start()
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        try:
            self._server.close()
        finally:
            # Logs are read by conftest.py after the test: they outlive the folder by a copy.
            from tests.lab import process
            process.keep_logs_of(self._folder)
            shutil.rmtree(self._folder, ignore_errors=True)
