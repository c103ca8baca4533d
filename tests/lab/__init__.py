"""The lab: server, agents, devices and foreign programs in three lines of a test. See README.md."""
from tests.lab.agent import Agent
from tests.lab.api import Api, ApiError
from tests.lab.device import Device, enrol
from tests.lab.mqtt import Closed, Mqtt
from tests.lab.process import Program, run
from tests.lab.server import Server, server
from tests.lab.waiting import wait_for

__all__ = ["Agent", "Api", "ApiError", "Closed", "Device", "Mqtt", "Program", "Server", "enrol",
           "run", "server", "wait_for"]
