"""What the gRPC of Google's C core finds out about a running gateway: as its upstream, and as who pushes."""

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc

import wire
from harness import check, equal, run_checks

ZONE = 2
GATEWAY = "/gatesvr.proto.GatewayService/"
CALL_TIMEOUT = 30
COMPRESSIONS = (grpc.Compression.NoCompression, grpc.Compression.Deflate, grpc.Compression.Gzip)


class Upstream(grpc.GenericRpcHandler):
    """An upstream of one zone: echoes, refuses, and is silent."""

    def __init__(self, bench):
        self.requests = []
        self.server = grpc.server(ThreadPoolExecutor(8))
        self.server.add_generic_rpc_handlers((self,))
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.channel = grpc.insecure_channel(bench.grpc_address)

    async def __aenter__(self):
        self.server.start()
        request = wire.data(1, f"127.0.0.1:{self.port}") + wire.data(2, f"{ZONE:03}")
        answer = wire.fields(await self.call("RegisterUpstream", request + wire.data(3, "python")))
        equal(wire.one(answer, 1), 1, f"registered: {answer}")
        return self

    async def __aexit__(self, *_):
        request = wire.data(1, f"127.0.0.1:{self.port}") + wire.data(2, f"{ZONE:03}")
        await self.call("DeregisterUpstream", request)
        self.channel.close()
        self.server.stop(None)

    def service(self, details):
        if details.method.endswith("/ProcessRequest"):
            return grpc.unary_unary_rpc_method_handler(self.process)
        return None

    def process(self, request, context):
        found = wire.fields(request)
        self.requests.append(found)
        action = wire.text(found, 3)
        if action == "refuse":
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "zu viel: 100 %")
        if action == "compress":
            context.set_compression(grpc.Compression.Gzip)
        payload = wire.one(found, 5, b"")
        return (
            wire.number(1, 200)
            + wire.data(3, payload)
            + wire.string_map(4, wire.read_map(found, 4))
            + wire.number(5, wire.one(found, 7))
        )

    async def call(self, method, request, **options):
        """A unary call to the gateway."""
        path = method if method.startswith("/") else GATEWAY + method
        unary = self.channel.unary_unary(path)
        return await asyncio.to_thread(unary, request, timeout=CALL_TIMEOUT, **options)

    async def status_of(self, method, request, **options):
        try:
            await self.call(method, request, **options)
        except grpc.RpcError as error:
            return error.code()
        return grpc.StatusCode.OK


async def session(bench, name):
    """A client of the upstream's zone, with its session."""
    client = bench.client(name, zone=ZONE)
    await client.open()
    assert (await client.start()).success
    return client


def shown(title):
    """A push as clients see it: its type before its title."""
    return f"[news] {title}"


def push_to(client, title, payload=b""):
    fields = {1: "openid", 2: client.openid, 3: "news", 4: title, 6: payload}
    return b"".join(wire.data(field, value) for field, value in fields.items())


@check("gRPC core: requests travel to an upstream and back, with its errors")
async def requests(bench):
    async with Upstream(bench) as upstream:
        client = await session(bench, "core")
        for size in (0, 1, 20_000, 600_000):
            payload = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
            answer = await client.ask("echo", {"a": "ü"}, payload)
            equal((answer.code, answer.data == payload), (200, True), f"echo of {size} bytes")
        asked = [client.send("echo", payload=str(n).encode()) for n in range(200)]
        answers = [(await client.answer(msg_id)).data for msg_id in asked]
        equal(answers, [str(n).encode() for n in range(200)], "answers")
        refused = await client.ask("refuse")
        assert refused.code >= 500, refused
        equal(len(upstream.requests), 205, "requests that reached the upstream")


@check("gRPC core: pushes arrive once each, compressed or not, in the order of one caller")
async def pushes(bench):
    async with Upstream(bench) as upstream:
        client = await session(bench, "pushed")
        for number in range(60):
            request = push_to(client, f"push {number}", b"data " * number)
            compression = COMPRESSIONS[number % 3]
            answer = wire.fields(await upstream.call("PushToClient", request, compression=compression))
            equal(wire.one(answer, 1), 1, f"push {number}: {answer}")
        seen = [await client.push() for _ in range(60)]
        equal([push.message for push in seen], [shown(f"push {number}") for number in range(60)], "titles")
        equal([push.data for push in seen], [b"data " * number for number in range(60)], "data")


@check("gRPC core: 1,500 pushes at once are all answered, and arrive once each")
async def at_once(bench):
    async with Upstream(bench) as upstream:
        client = await session(bench, "crowd")
        unary = upstream.channel.unary_unary(GATEWAY + "PushToClient")
        wanted = {f"push {number}" for number in range(1_500)}
        calls = [unary.future(push_to(client, title), timeout=CALL_TIMEOUT) for title in wanted]
        seen = sorted([(await client.push()).message for _ in range(len(wanted))])
        equal(seen, sorted(map(shown, wanted)), "titles")
        for call in calls:
            equal(wire.one(wire.fields(await asyncio.to_thread(call.result)), 1), 1, "success")


@check("gRPC core: PushStream answers each push under its number")
async def stream(bench):
    async with Upstream(bench) as upstream:
        client = await session(bench, "stream")
        messages = [
            wire.data(1, wire.number(1, number) + wire.data(2, push_to(client, f"push {number}")))
            for number in range(1, 301)
        ]
        call = upstream.channel.stream_stream(GATEWAY + "PushStream")
        answers = await asyncio.to_thread(lambda: list(call(iter(messages), timeout=CALL_TIMEOUT)))
        results = [wire.fields(one) for answer in answers for one in wire.fields(answer).get(1, [])]
        equal(sorted(wire.one(result, 1) for result in results), list(range(1, 301)), "numbers")
        assert all(wire.one(wire.fields(wire.one(result, 2)), 1) == 1 for result in results), results
        titles = [(await client.push()).message for _ in range(300)]
        equal(titles, [shown(f"push {number}") for number in range(1, 301)], "titles")


@check("gRPC core: what is no call gets its status")
async def statuses(bench):
    async with Upstream(bench) as upstream:
        Status = grpc.StatusCode
        equal(await upstream.call("/grpc.health.v1.Health/Check", b""), b"\x08\x01", "health")
        equal(await upstream.status_of("NoSuchMethod", b""), Status.UNIMPLEMENTED, "unknown method")
        large = bytes(4 * 1024 * 1024 + 1)
        for compression in COMPRESSIONS:
            found = await upstream.status_of("PushToClient", large, compression=compression)
            equal(found, Status.RESOURCE_EXHAUSTED, f"too large, compression {compression}")
        answer = wire.fields(await upstream.call("PushToClient", b"\xff\xff"))
        equal(wire.one(answer, 1), 0, "a malformed push")


if __name__ == "__main__":
    sys.exit(asyncio.run(run_checks(*sys.argv[1:5])))
