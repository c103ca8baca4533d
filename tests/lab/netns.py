"""Network namespaces joined by a virtual cable: `with netns.pair() as (left, right):`.

Needs the right to make them (root, or CAP_SYS_ADMIN and CAP_NET_ADMIN); `available()` tells.
Traffic between the two never leaves the machine.
"""
import contextlib
import functools
import os

from tests.lab.process import run


class Namespace:
    """A namespace with one interface `eth0` of the given address."""

    def __init__(self, name, address):
        self.name = name
        self.address = address

    def command(self, *command):
        """The command line that runs `command` inside."""
        return ["ip", "netns", "exec", self.name, *command]

    def run(self, *command, **options):
        return run(*self.command(*command), **options)

    def cut(self):
        """Pulls the cable."""
        self.run("ip", "link", "set", "eth0", "down")

    def mend(self):
        self.run("ip", "link", "set", "eth0", "up")


@functools.cache
def available():
    name = f"hfprobe{os.getpid()}"
    if run("ip", "netns", "add", name, check=False).returncode != 0:
        return False
    works = run("ip", "netns", "exec", name, "ip", "link", "set", "lo", "up",
                check=False).returncode == 0
    run("ip", "netns", "del", name, check=False)
    return works


@contextlib.contextmanager
def pair(prefix="192.0.2"):
    """Two namespaces, .1 and .2 of a documentation network, that reach each other and no more."""
    left = Namespace(f"hfl{os.getpid()}", f"{prefix}.1")
    right = Namespace(f"hfr{os.getpid()}", f"{prefix}.2")
    made = []
    try:
        for space in (left, right):
            run("ip", "netns", "add", space.name)
            made.append(space)
        run("ip", "link", "add", "eth0", "netns", left.name, "type", "veth", "peer", "name",
            "eth0", "netns", right.name)
        for space in (left, right):
            space.run("ip", "addr", "add", f"{space.address}/24", "dev", "eth0")
            for link in ("lo", "eth0"):
                space.run("ip", "link", "set", link, "up")
        yield left, right
    finally:
        for space in made:
            run("ip", "netns", "del", space.name, check=False)
