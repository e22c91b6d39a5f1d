"""Runs checks against a running gateway and prints one line for each."""

import asyncio
import hashlib
import sys
import traceback

from gateway_client import GatewayClient
from http3_client import ANSWER_TIMEOUT

CHECK_TIMEOUT = 4 * ANSWER_TIMEOUT

checks = []


def check(title):
    def register(run):
        checks.append((title, run))
        return run

    return register


def openid_in(zone, name):
    """An openid that begins with `name` and belongs to the zone."""
    for number in range(1_000):
        openid = f"{name}-{number}"
        digest = hashlib.md5(openid.encode()).digest()
        if int.from_bytes(digest[:4], "big") % 6 + 1 == zone:
            return openid
    raise AssertionError("no openid found")


def equal(found, expected, what):
    assert found == expected, f"{what}: {found!r:.500} instead of {expected!r:.500}"


def closed_with(event, code):
    assert event.frame_type is None, f"closed by the transport: {event}"
    equal(event.error_code, code, "close code")


class Bench:
    """The gateway under test, and the clients that a check has made."""

    def __init__(self, address, ca, grpc_address):
        self.address, self.ca, self.grpc_address = address, ca, grpc_address
        self.clients = []

    def client(self, name, kind="quic", zone=1):
        client = GatewayClient(self.address, self.ca, openid_in(zone, name), kind)
        self.clients.append(client)
        return client

    async def end(self):
        for client in self.clients:
            await client.close()


async def run_checks(host, port, ca, grpc_port):
    passed = failed = 0
    for title, run in checks:
        bench = Bench((host, int(port)), ca, f"{host}:{grpc_port}")
        try:
            await asyncio.wait_for(run(bench), CHECK_TIMEOUT)
            passed += 1
            print(f"ok    {title}", flush=True)
        except Exception as error:
            failed += 1
            print(f"FAIL  {title}: {type(error).__name__} {error}", flush=True)
            if "-v" in sys.argv:
                traceback.print_exc()
        finally:
            try:
                await asyncio.wait_for(bench.end(), CHECK_TIMEOUT)
            except Exception as error:
                print(f"      closing failed: {error}", flush=True)
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0
