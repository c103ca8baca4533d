"""mosquitto's 1,825 packet sequences over mutual TLS; sequences_expected.yaml lists those that do
not pass and says why. What is listed and passes fails the test too: the list cannot go stale."""
import itertools

import pytest
import yaml

from tests import lab
from tests.interop import sequences
from tests.interop.fleet import enrol_many

FILES = sorted(path.name for path in sequences.FOLDER.glob("*.json"))
# New connections of one device are limited (1 a second, 60 at once): many devices take turns.
DEVICES = 240

pytestmark = pytest.mark.xdist_group("sequences")


@pytest.fixture(scope="module")
def crowd():
    with lab.server() as server:
        yield itertools.cycle(enrol_many(server, DEVICES))


@pytest.fixture(scope="module")
def expected():
    path = sequences.FOLDER.parent / "sequences_expected.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def listed(expected, file):
    """Name -> reason of the sequences of a file that are not to pass."""
    out = {}
    for reason, names in (expected["sequences"].get(file) or {}).items():
        assert reason in expected["reasons"], reason
        for name in names:
            # Two tests of a file may have one name; they then share the reason.
            assert out.get(name, reason) == reason, f"{name} is listed with two reasons"
            out[name] = reason
    return out


@pytest.mark.parametrize("file", FILES)
def test_sequences(crowd, expected, file):
    known = listed(expected, file)
    wrong, names = [], set()
    for sequence in sequences.load(file):
        names.add(sequence.name)
        if sequence.disabled or known.get(sequence.name) == "echo":
            assert sequence.disabled or sequences.needs_echo(sequence), sequence.name
            continue
        try:
            sequences.Player(next(crowd), sequence).play()
            if sequence.name in known:
                wrong.append(f"{sequence.name}: listed as '{known[sequence.name]}', but passes")
        except sequences.Failed as failed:
            if sequence.name not in known:
                wrong.append(f"{sequence.name}: {failed}; it sent {sequence.sent()[:3]}")
    assert set(known) <= names, f"listed, but not there: {set(known) - names}"
    assert not wrong, "\n".join(wrong)


def test_all_of_the_suite_is_there():
    assert len(FILES) == 19
    assert sum(len(sequences.load(name)) for name in FILES) == 1825
