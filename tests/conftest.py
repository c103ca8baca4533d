"""Fixtures of all tests across processes. Logs of programs are shown for a failed test only."""
import pytest

from tests import lab
from tests.lab import process


@pytest.fixture(scope="session")
def shared():
    """One server for all tests of this worker that neither stop nor exhaust it."""
    with lab.server() as server:
        yield server


@pytest.fixture
def server():
    """A server of the test's own."""
    with lab.server() as one:
        yield one


def pytest_runtest_setup(item):
    process.forget_ended_logs()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.failed:
        for name, tail in process.logs_for_report():
            report.sections.append((f"log of {name}", tail))
