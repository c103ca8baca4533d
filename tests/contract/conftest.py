"""One world for all contract tests of a worker."""
import pytest

from tests.contract.recipes import World


@pytest.fixture(scope="session")
def world(shared):
    return World(shared)
