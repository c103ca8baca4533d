"""Programs that a test starts: found, logged, and stopped by their process id.

A program's standard error goes to a file in the test's folder; the file is shown when a test
fails (conftest.py), and never otherwise.
"""
import os
import pathlib
import queue
import signal
import subprocess
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOG_TAIL_BYTES = 3000
LINES_MAX = 100_000

# Log files of the programs of the running test, newest last: conftest.py empties and shows it.
LOGS = []


def binary(name):
    """A program of ours: from $HOLDFAST_BIN, else build/bin."""
    folder = pathlib.Path(os.environ.get("HOLDFAST_BIN", ROOT / "build/bin"))
    path = folder / name
    assert path.exists(), f"{path} is not built: ./run --build-only, or set HOLDFAST_BIN"
    return str(path)


def run(*command, text_in=None, deadline_s=60, environment=None, cwd=None, check=True):
    """Runs a program to its end; on a failure its output is in the message."""
    command = [str(part) for part in command]
    env = dict(os.environ, **(environment or {}))
    data = text_in.encode() if isinstance(text_in, str) else text_in
    done = subprocess.run(command, input=data, stdin=subprocess.DEVNULL if data is None else None,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=deadline_s,
                          env=env, cwd=cwd, check=False)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}\nended with {done.returncode}\n"
                             f"{done.stdout[-2000:].decode(errors='replace')}"
                             f"{done.stderr[-2000:].decode(errors='replace')}")
    return done


class Program:
    """A program that runs beside the test. Standard output is read by a thread into `lines`."""

    def __init__(self, command, log, environment=None, stdin=None):
        self.command = [str(part) for part in command]
        self.log = pathlib.Path(log)
        self._lines = queue.Queue(LINES_MAX)
        LOGS.append(self.log)
        with open(self.log, "ab") as err:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=err, env=dict(os.environ, **(environment or {})),
                start_new_session=True)
        if stdin is not None:
            self.process.stdin.write(stdin.encode() if isinstance(stdin, str) else stdin)
            self.process.stdin.close()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            try:
                self._lines.put_nowait(line.decode(errors="replace").rstrip("\n"))
            except queue.Full:
                pass
        self._lines.put(None)

    @property
    def pid(self):
        return self.process.pid

    @property
    def running(self):
        return self.process.poll() is None

    def line(self, deadline_s=30):
        """The next line of standard output; None when the program has closed it."""
        try:
            return self._lines.get(timeout=deadline_s)
        except queue.Empty:
            raise AssertionError(f"{self.command[0]} printed nothing for {deadline_s} s\n"
                                 f"{self.log_tail()}") from None

    def pending_lines(self):
        """What has been printed since, without waiting."""
        lines = []
        while not self._lines.empty():
            line = self._lines.get_nowait()
            if line is not None:
                lines.append(line)
        return lines

    def wait(self, deadline_s=30):
        return self.process.wait(deadline_s)

    def terminate(self, deadline_s=15):
        """SIGTERM, then SIGKILL after the deadline; returns the exit code."""
        if self.running:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(deadline_s)
            except subprocess.TimeoutExpired:
                self.kill9()
                raise AssertionError(f"{self.command[0]} did not end within {deadline_s} s of "
                                     f"SIGTERM\n{self.log_tail()}") from None
        return self.process.returncode

    def kill9(self):
        if self.running:
            self.process.kill()
        self.process.wait(30)

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def log_tail(self):
        return self.log_text()[-LOG_TAIL_BYTES:]


def keep_logs_of(folder):
    """Reads the logs that lie in `folder`, which is about to go; LOGS holds text from then on."""
    for index, log in enumerate(LOGS):
        if isinstance(log, pathlib.Path) and str(log).startswith(str(folder)):
            text = log.read_text(errors="replace") if log.exists() else ""
            LOGS[index] = (log.name, text[-LOG_TAIL_BYTES:])


def forget_ended_logs():
    """At the start of a test: logs of servers that earlier tests have closed."""
    LOGS[:] = [log for log in LOGS if isinstance(log, pathlib.Path)]


def logs_for_report():
    """(name, tail) of every log of the running test."""
    for log in LOGS:
        if isinstance(log, tuple):
            yield log
        elif log.exists():
            yield log.name, log.read_text(errors="replace")[-LOG_TAIL_BYTES:]
