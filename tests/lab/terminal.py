"""A program on a terminal of a test's own (pty): it believes that people look at it."""
import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time


class Seen:
    """What came out: `out` as on the screen, without carriage returns; `err` apart."""

    def __init__(self, returncode, out, err):
        self.returncode, self.out, self.err = returncode, out, err

    @property
    def lines(self):
        return self.out.split("\n")[:-1]


def run(*command, columns=80, rows=24, typed="", environment=None, deadline_s=60):
    """Runs a program to its end with standard input and output on a terminal; `typed` is what
    somebody types at the first prompt. Standard error is no terminal."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen([str(part) for part in command], stdin=theirs, stdout=theirs,
                               stderr=subprocess.PIPE, start_new_session=True,
                               env=dict(os.environ, **(environment or {})))
    os.close(theirs)
    out, err = b"", b""
    open_ends = {ours, process.stderr.fileno()}
    deadline = time.monotonic() + deadline_s
    while open_ends:
        left = deadline - time.monotonic()
        if left <= 0:
            process.kill()
            raise AssertionError(f"{command} did not end within {deadline_s} s\n{out!r}\n{err!r}")
        for end in select.select(list(open_ends), [], [], left)[0]:
            try:
                piece = os.read(end, 65536)
            except OSError:  # a pty without a program reads as an error
                piece = b""
            if not piece:
                open_ends.discard(end)
            elif end == ours:
                out += piece
            else:
                err += piece
                if typed and err.endswith(b" "):  # a prompt
                    os.write(ours, typed.encode())
                    typed = ""
    process.stderr.close()
    os.close(ours)
    return Seen(process.wait(30), out.decode().replace("\r\n", "\n"), err.decode())
