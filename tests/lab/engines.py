"""Debian's PostgreSQL and NATS, started by the test in a folder of its own, stopped by process id."""
import os
import pathlib
import pwd
import shutil
import socket
import subprocess

from tests.lab.process import Program
from tests.lab.waiting import wait_for

POSTGRES = pathlib.Path("/usr/lib/postgresql/15/bin")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def listens(port):
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


class Postgres:
    """A database server that trusts loopback; never as root, because it refuses to."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.port = free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
        self.demoted = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
        if user:
            # Every folder above must let the other user through.
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            for parent in self.folder.parents:
                if str(parent) in ("/", "/tmp"):
                    break
                parent.chmod(parent.stat().st_mode | 0o011)
        self._run("initdb", "--no-sync", "-A", "trust", "-U", "postgres", "-E", "UTF8",
                  "--locale=C.UTF-8", "-D", self.folder / "db")
        self.process = subprocess.Popen(
            [POSTGRES / "postgres", "-D", self.folder / "db", "-p", str(self.port),
             "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={self.folder}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **self.demoted)
        wait_for(self._ready, 60, "PostgreSQL to take connections")

    def _ready(self):
        """It listens before it is ready, and says then that it is starting up."""
        return subprocess.run([POSTGRES / "pg_isready", "-q", "-h", "127.0.0.1", "-p",
                               str(self.port)], check=False).returncode == 0

    def _run(self, program, *arguments):
        subprocess.run([POSTGRES / program, *map(str, arguments)], check=True, cwd=self.folder,
                       stdout=subprocess.DEVNULL, **self.demoted)

    def close(self):
        self.process.terminate()
        self.process.wait(20)


class Nats:
    """A NATS server with JetStream."""

    def __init__(self, folder):
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True)
        self.port = free_port()
        self.url = f"nats://127.0.0.1:{self.port}"
        config = folder / "nats.conf"
        config.write_text(f'listen: 127.0.0.1:{self.port}\n'
                          f'jetstream {{ store_dir: "{folder}", max_mem: 64M, max_file: 256M }}\n',
                          encoding="utf-8")
        self.program = Program([shutil.which("nats-server") or "/usr/sbin/nats-server", "-c", config],
                               folder / "nats.log", {})
        wait_for(lambda: listens(self.port), 30, "NATS to listen")

    def close(self):
        self.program.terminate()
