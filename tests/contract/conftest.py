"""One world for all contract tests of a worker."""
import pytest

from tests import lab
from tests.contract.recipes import World


@pytest.fixture(scope="session")
def world():
    """A server of its own, which lets unknown devices wait."""
    with lab.server("--enrolment-unknown", "wait") as server:
        yield World(server)
