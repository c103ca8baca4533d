"""Every verb of the command line as its users meet it: help, JSON, piped, on a terminal, with wrong
arguments, without the right, with a token that has ended, and without a server."""
import json
import re
import signal

import pytest

from tests import lab
from tests.e2e import cli_verbs
from tests.lab import terminal
from tests.lab.process import Program, binary, run

VERBS = cli_verbs.documented()
COLUMNS = 72


@pytest.fixture(scope="module")
def house():
    """A server and one of each thing."""
    with lab.server() as server:
        yield server, cli_verbs.World(server)


def environment_of(server, token=None):
    return {"HOLDFAST_SERVER": server.ready["api"], "HOLDFAST_CA": str(server.ca),
            "HOLDFAST_TOKEN": token or server.admin_token, "HOME": str(server.folder / "nobody"),
            "XDG_CONFIG_HOME": str(server.folder / "nothing"), "NO_COLOR": ""}


def problem_of(done):
    """The one object on standard error."""
    assert done.stdout == b"", done.stdout
    lines = done.stderr.decode().strip().split("\n")
    assert len(lines) == 1, lines
    problem = json.loads(lines[0])
    assert problem["type"] == "/problems/" + problem["code"]
    assert problem["title"] and problem["mend"] and isinstance(problem["status"], int), problem
    return problem


def failure_of(done, code):
    """What a failure says to people: what, why, mend and code, once."""
    said = done.stderr if isinstance(done.stderr, str) else done.stderr.decode()
    assert re.match(r"error: .+\n(  why:  .+\n)?(  permission: .+\n)?  mend: .+\n  code: " + code,
                    said), said
    assert said.count("error:") == 1, said
    return said


# ---- without a server

def test_every_verb_is_tried_here(house, tmp_path):
    server, world = house
    tried = {*cli_verbs.reads(world), *cli_verbs.follows(world),
             *cli_verbs.changes(world, tmp_path)}
    assert tried <= set(VERBS), tried - set(VERBS)
    untried = set(VERBS) - tried - cli_verbs.tested_elsewhere()
    assert not untried, f"add to tests/e2e/cli_verbs.py, or give a test of its own: {untried}"


@pytest.mark.parametrize("verb", VERBS)
def test_help(verb):
    done = run(binary("holdfast"), *verb.split(), "--help")
    text = done.stdout.decode()
    assert f"Usage: holdfast {verb}" in text and done.stderr == b""
    for argument, _ in VERBS[verb]:
        assert argument.split()[0].split(",")[-1] in text, (argument, text)


@pytest.mark.parametrize("verb", VERBS)
def test_wrong_arguments(verb, tmp_path):
    """Exit 2, nothing on standard output, and the help that fits; nobody is asked for it."""
    nowhere = {"HOLDFAST_SERVER": "https://localhost:9", "HOME": str(tmp_path)}

    def wrong(*words):
        return run(binary("holdfast"), *verb.split(), *words, check=False, environment=nowhere)

    done = wrong("--no-such-option")
    assert done.returncode == 2 and done.stdout == b""
    said = failure_of(done, "invalid-argument")
    assert "--no-such-option" in said and f"holdfast {verb} --help" in said, said
    assert problem_of(wrong("--no-such-option", "--json"))["code"] == "invalid-argument"
    required = [name for name, needed in VERBS[verb] if needed and not name.startswith("-")]
    if required:
        done = wrong()
        assert done.returncode == 2 and required[0].split()[0] in failure_of(done, "invalid-argument")


@pytest.mark.parametrize("words, hint", [
    (("devcie", "list"), "`device`"), (("device", "lst"), "`list`"), (("device",), "watch"),
    (("device", "list", "--onlin"), "`--online`"), ((), "login"),
    (("device", "list", "surplus"), "surplus"),
])
def test_what_was_perhaps_meant(words, hint):
    done = run(binary("holdfast"), *words, check=False)
    assert done.returncode == 2 and hint in failure_of(done, "invalid-argument")


def verbs_of(group, begin):
    found = {verb.split()[1] for verb in VERBS if verb.startswith(f"{group} {begin}")}
    assert found
    return found


def test_completion_in_bash():
    ask = """source <("$0" completion bash)
             complete_line() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _holdfast; echo "${COMPREPLY[*]}"; }
             complete_line holdfast dev; complete_line holdfast device re
             complete_line holdfast device list --o; complete_line holdfast --json twin ''"""
    done = run("bash", "-c", ask, binary("holdfast"))
    first, second, third, fourth = done.stdout.decode().strip().split("\n")
    assert first == "device" and set(second.split()) == verbs_of("device", "re")
    assert third.split() == ["--online", "--offline"]
    assert fourth.split()[:3] == ["get", "set", "diff"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_completion_is_read_by_its_shell(shell, tmp_path):
    if run("which", shell, check=False).returncode != 0:
        pytest.skip(f"{shell} is not installed")
    script = tmp_path / "script"
    script.write_bytes(run(binary("holdfast"), "completion", shell).stdout)
    assert run(shell, "-n", script).stderr == b""
    if shell == "fish":
        done = run("fish", "-c", f"source {script}; complete -C 'holdfast device re'")
        assert {line.split("\t")[0] for line in done.stdout.decode().split("\n")[:-1]} \
            == verbs_of("device", "re")


def test_exit_codes_are_documented():
    text = run(binary("holdfast"), "help", "exit-codes").stdout.decode()
    for code in ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "130"):
        assert re.search(rf"^{code}\s+\w", text, re.M), code


# ---- what looks

def test_reads_print_json(house):
    server, world = house
    for verb, words in cli_verbs.reads(world).items():
        done = run(binary("holdfast"), *verb.split(), *words, "--json",
                   environment=environment_of(server))
        answer = json.loads(done.stdout)
        assert isinstance(answer, dict), f"{verb}: no object"
        assert done.stdout.count(b"\n") == 1 and done.stderr == b"", f"{verb}: more than JSON"
        if verb in cli_verbs.LISTS:
            assert list(answer) == ["items", "next_cursor"], verb
    assert not (server.folder / "nobody").exists(), "looking left something behind"
    assert not (server.folder / "nothing").exists(), "looking left something behind"


def test_reads_into_a_pipe(house):
    """Data on standard output, tabs between, no heads, no colours; each line has as many fields."""
    server, world = house
    for verb, words in cli_verbs.reads(world).items():
        done = run(binary("holdfast"), *verb.split(), *words, environment=environment_of(server))
        text = done.stdout.decode()
        assert text or verb in cli_verbs.MAY_BE_EMPTY, verb
        assert "\x1b" not in text, verb
        if verb in cli_verbs.LISTS:
            assert done.stderr == b"", (verb, done.stderr)
            fields = {line.count("\t") for line in text.split("\n")[:-1]}
            assert len(fields) == 1 and fields != {0}, (verb, text)


def test_reads_on_a_terminal(house):
    """Heads above, columns aligned, nothing wider than the terminal; the id goes last but goes."""
    server, world = house
    for verb, words in cli_verbs.reads(world).items():
        seen = terminal.run(binary("holdfast"), *verb.split(), *words, columns=COLUMNS,
                            environment=environment_of(server))
        assert seen.returncode == 0 and (seen.lines or verb in cli_verbs.MAY_BE_EMPTY), (verb, seen.err)
        if verb in cli_verbs.LISTS:
            assert seen.lines[0] == seen.lines[0].upper() and len(seen.lines) > 1, (verb, seen.out)
            assert max(map(len, seen.lines)) <= COLUMNS, (verb, seen.out)
            assert not any("\t" in line for line in seen.lines), verb


def test_an_empty_list_says_so(house):
    server, _ = house
    words = ("device", "list", "--q", "no device has this name")
    seen = terminal.run(binary("holdfast"), *words, environment=environment_of(server))
    assert (seen.returncode, seen.out) == (0, "") and "Nothing found" in seen.err
    done = run(binary("holdfast"), *words, environment=environment_of(server))
    assert (done.stdout, done.stderr) == (b"", b""), "a pipe gets nothing at all"


def test_quiet_prints_ids_alone(house):
    server, world = house
    for verb in ("device list", "site list", "type list", "user list", "token list", "enrol list",
                 "command list", "job list"):
        ids = server.cli(*verb.split(), "-q").stdout.decode().split()
        items = server.cli_json(*verb.split())["items"]
        assert set(ids) >= {item["id"] for item in items} - {None}, verb


def test_what_goes_on_ends_with_ctrl_c(house, tmp_path):
    """Lines come as things happen, one JSON object each; SIGINT ends it, as shells expect."""
    server, world = house
    with world.device.mqtt() as mqtt:
        for verb, words in cli_verbs.follows(world).items():
            goes_on_until_ctrl_c(server, mqtt, verb, words, tmp_path)


def goes_on_until_ctrl_c(server, mqtt, verb, words, tmp_path):
    program = Program([binary("holdfast"), *verb.split(), *words, "--json"],
                      tmp_path / "follow.log", environment_of(server))
    try:
        lines = []

        def more():
            mqtt.publish("telemetry/lab", '{"temp": 21.5}')
            mqtt.publish("event/knock", '{"severity": "notice"}')
            lines.extend(program.pending_lines())
            return lines

        lab.wait_for(more, 20, program.log_tail)
        assert all(isinstance(json.loads(line), dict) for line in lines), lines
        program.process.send_signal(signal.SIGINT)
        assert program.wait(10) in (130, -signal.SIGINT)
    finally:
        program.terminate()


# ---- what is refused

def tokens(server):
    """(a token that may nothing but look, one that has ended)."""
    viewer = server.cli_json("token", "create", "viewer", "--kind", "service", "--role", "viewer")
    short = server.cli_json("token", "create", "short", "--kind", "service", "--role",
                            "administrator", "--expires", "1s")
    lab.wait_for(lambda: run(binary("holdfast"), "whoami", check=False,
                             environment=environment_of(server, short["secret"])).returncode == 4,
                 10, "the token's end")
    return viewer["secret"], short["secret"]


def test_changes_without_the_right(house, tmp_path):
    server, world = house
    viewer, ended = tokens(server)
    for verb, (words, text_in) in cli_verbs.changes(world, tmp_path).items():
        for token, exit_code, code in ((viewer, 5, "forbidden"), (ended, 4, "unauthenticated")):
            done = run(binary("holdfast"), *verb.split(), *words, "--yes", text_in=text_in,
                       environment=environment_of(server, token), check=False)
            assert done.returncode == exit_code and done.stdout == b"", (verb, done.stderr)
            said = failure_of(done, code)
            assert "request: req_" in said, said
            assert exit_code != 5 or re.search(r"permission: \w+\.\w+", said), said
            done = run(binary("holdfast"), *verb.split(), *words, "--yes", "--json",
                       text_in=text_in, environment=environment_of(server, token), check=False)
            problem = problem_of(done)
            assert problem["code"] == code and problem["request_id"].startswith("req_")
    assert not (tmp_path / "copy").exists(), "a backup that was refused left a folder"


def test_reads_with_a_token_that_has_ended(house):
    server, world = house
    _, ended = tokens(server)
    for verb, words in cli_verbs.reads(world).items():
        if verb in ("version", "doctor"):  # open to all; tells
            continue
        done = run(binary("holdfast"), *verb.split(), *words, check=False,
                   environment=environment_of(server, ended))
        assert done.returncode == 4 and done.stdout == b"", (verb, done.stderr)


def test_what_cannot_be_undone_asks(house):
    server, world = house
    words = ("device", "revoke", world.device.id, "--reason", "lost")
    done = server.cli(*words, check=False)
    assert done.returncode == 2 and b"--yes" in done.stderr, "without a terminal it does not guess"
    seen = terminal.run(binary("holdfast"), *words, typed="n\n", environment=environment_of(server))
    assert seen.returncode != 0 and "[y/N]" in seen.err, seen.err
    assert server.device(world.device.id)["quarantine"] is None, "no is no"


# ---- without a server, from here on the house is empty

def test_changes_then_a_server_that_is_gone(house, tmp_path):
    """Each change works once with JSON; afterwards, the server stopped, each says what to do."""
    server, world = house
    everything = cli_verbs.changes(world, tmp_path)
    for verb, (words, text_in) in everything.items():
        done = run(binary("holdfast"), *verb.split(), *words, "--yes", "--json", text_in=text_in,
                   environment=environment_of(server))
        assert done.stdout == b"" or isinstance(json.loads(done.stdout), dict), verb
    assert (tmp_path / "copy").is_dir() and (tmp_path / "copy.ring").exists()
    environment = environment_of(server)
    server.stop()
    for verb, words in {**{v: w for v, (w, _) in everything.items()}, **cli_verbs.reads(world)}.items():
        if verb == "backup":
            words = (tmp_path / "another",)
        done = run(binary("holdfast"), *verb.split(), *words, "--yes", text_in="a password of some length\n",
                   environment=environment, check=False)
        assert done.returncode == 8, (verb, done.returncode, done.stderr)
        if verb != "doctor":  # prints what it found
            assert done.stdout == b"", verb
            assert "holdfastd" in failure_of(done, "unreachable"), verb
    assert not (tmp_path / "another").exists()
