"""holdfast-agent as a test starts it."""
import json

from tests.lab.process import Program, binary, run


class Agent:
    """One agent with its state in `folder`."""

    def __init__(self, folder):
        self.folder = folder
        self.state = folder / "state"
        self.program = None

    def join(self, code, check=True):
        """Enrols with a join code, read from standard input."""
        return run(binary("holdfast-agent"), "join", "-", "--state", self.state, text_in=code,
                   check=check)

    def start(self, *arguments):
        self.program = Program([binary("holdfast-agent"), "run", "--state", self.state,
                                *arguments], self.folder / "agent.log")
        return self

    def stop(self):
        if self.program and self.program.running:
            return self.program.terminate()
        return None

    def kill9(self):
        self.program.kill9()

    def doctor(self):
        done = run(binary("holdfast-agent"), "doctor", "--state", self.state, "--json", check=False)
        return done.returncode, json.loads(done.stdout)
