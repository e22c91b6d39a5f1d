"""What an independent QUIC stack finds out about a running gateway, one line per check."""

import asyncio
import json
import socket
import sys

from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection

import wire
from gateway_client import GatewayClient
from harness import check, closed_with, equal, run_checks
from http3_client import ANSWER_TIMEOUT

QUIC_V1 = 1
UNKNOWN_VERSION = 0x1A2A3A4A
MIB = 1024 * 1024


@check("START to STOP: handshake, ALPN, hello, echo, heartbeat, STOP")
async def start_to_stop(bench):
    client = bench.client("story")
    connection = await client.open()
    equal(connection.alpn, "gatesvr", "ALPN")
    started = await client.start()
    assert started.success and started.session, started
    equal((started.resumed, started.recovered), (False, True), "resumed, recovered")
    hello = await client.ask("hello")
    equal((hello.code, hello.headers.get("zone")), (200, "001"), "hello")
    echo = await client.ask("echo", {"a": "ü"}, b"\x00\xffbytes")
    equal((echo.code, echo.data, echo.headers), (200, b"\x00\xffbytes", {"a": "ü"}), "echo")
    beat = await client.heartbeat(1_234_567_890_123)
    equal(beat.client_timestamp, 1_234_567_890_123, "heartbeat")
    first = client.sequence[0]
    equal(client.sequence, [first, first + 1], "numbers")
    client.stop()
    closed_with(await connection.end(), 0)


@check("100 requests in flight are answered in full and numbered without a gap")
async def many(bench):
    client = bench.client("many")
    await client.log_in()
    asked = [client.send("echo", payload=str(n).encode()) for n in range(100)]
    answers = [await client.answer(msg_id) for msg_id in asked]
    equal([answer.data for answer in answers], [str(n).encode() for n in range(100)], "answers")
    first = min(client.sequence)
    equal(sorted(client.sequence), list(range(first, first + 101)), "numbers")


@check("BEFORE and AFTER pushes surround their answer")
async def ordering(bench):
    client = bench.client("order")
    await client.log_in()
    before = client.send("before", {"count": "2"})
    after = client.send("after", {"count": "2"})
    seen = {}
    for msg_id in (before, after):
        seen[msg_id] = (await client.answer(msg_id)).seq_id
    pushes = [await client.push() for _ in range(4)]
    titles = {push.message: push.seq_id for push in pushes}
    assert titles["[before] 1 of 2"] < titles["[before] 2 of 2"] < seen[before], (titles, seen)
    assert seen[after] < titles["[after] 1 of 2"] < titles["[after] 2 of 2"], (titles, seen)


@check("a frame of 900 KB goes both ways")
async def large(bench):
    client = bench.client("large")
    await client.log_in()
    payload = bytes(range(256)) * 3_600
    equal((await client.ask("echo", payload=payload)).data == payload, True, "same bytes")


@check("a frame in pieces of one byte is one frame")
async def pieces(bench):
    client = bench.client("pieces")
    await client.log_in()
    equal((await client.ask("echo", payload=b"in pieces", in_pieces_of=1)).data, b"in pieces", "echo")


@check("resume over a new connection replays what was missed, nothing twice")
async def resume(bench):
    client, other = bench.client("resume"), bench.client("sender")
    await client.log_in()
    await other.log_in()
    session = client.session
    await client.close(0)
    for number in range(3):
        await other.ask("broadcast", {"title": f"missed {number}"}, b"news")
    await client.open()
    answer = await client.start()
    equal((answer.success, answer.session), (True, session), "same session")
    equal((answer.resumed, answer.recovered), (True, True), "resumed, recovered")
    titles = [(await client.push()).message for _ in range(3)]
    equal(titles, [f"[broadcast] missed {n}" for n in range(3)], "replay")
    client.last_seq += 5
    equal((await client.ask("echo", payload=b"hole")).code, 200, "answer after a hole")
    first = client.sequence[0]
    equal(client.sequence, list(range(first, first + len(client.sequence))), "numbers")


@check("resume by session id tells the next number; another id is a new incarnation")
async def resume_by_id(bench):
    client = bench.client("byid")
    await client.log_in()
    session = client.session
    await client.close(0)
    await client.open()
    answer = await client.start(resume=session)
    equal((answer.session, answer.resumed, answer.recovered), (session, True, True), "resume")
    equal(answer.next_client_seq, client.last_seq + 1, "next_client_seq")
    equal((await client.ask("echo")).code, 200, "echo")
    await client.close(0)
    await client.open()
    answer = await client.start(resume="somebody else")
    equal((answer.success, answer.resumed), (True, False), "new incarnation")
    assert answer.session != session, "a new incarnation has a new id"
    assert answer.next_push_seq > client.last_acked, "numbers are never reused"


@check("a takeover tells the old connection 409 and closes it with 409")
async def takeover(bench):
    old, new = bench.client("taken"), bench.client("taken")
    await old.log_in()
    await new.log_in()
    final = await old.connection.take(lambda push: push.type == wire.ERROR)
    equal((final.code, final.msg_id, final.seq_id), (409, 0, 0), "final frame")
    closed_with(await old.connection.end(), 409)
    equal((await new.ask("echo")).code, 200, "the new one works")


@check("NAT rebinding: another source port, the same connection id")
async def rebinding(bench):
    client = bench.client("nat")
    await client.log_in()
    await client.connection.change_port(new_connection_id=False)
    for number in range(5):
        equal((await client.ask("echo", payload=str(number).encode())).code, 200, "echo")


@check("migration: another source port and another connection id, twice")
async def migration(bench):
    client = bench.client("move")
    await client.log_in()
    for _ in range(2):
        await client.connection.change_port(new_connection_id=True)
        equal((await client.ask("echo", payload=b"x" * 20_000)).code, 200, "echo after moving")


@check("version negotiation: an unknown version first, then QUIC v1")
async def negotiation(bench):
    client = bench.client("version")
    await client.open(versions=[UNKNOWN_VERSION, QUIC_V1])
    # A first packet that a slow machine repeats is answered again.
    assert client.packets_received("version_negotiation") >= 1, "no version negotiation"
    assert (await client.start()).success


@check("an unknown ALPN gets no connection")
async def alpn(bench):
    client = bench.client("alpn")
    connection = await client.open(alpn="nonsense", wait=False)
    await asyncio.wait([connection.ended], timeout=2)
    equal(connection.alpn, None, "ALPN")


@check("a frame above 1 MiB: PUSH_ERROR 413, closed with 413, and the session resumes")
async def oversize(bench):
    client = bench.client("oversize")
    await client.log_in()
    session = client.session
    client.connection.write((MIB + 1).to_bytes(4, "big") + b"x" * 100)
    equal((await client.connection.take(lambda push: push.type == wire.ERROR)).code, 413, "error")
    closed_with(await client.connection.end(), 413)
    await client.close()
    await client.open()
    equal((await client.start(resume=session)).resumed, True, "resumed")


@check("an empty frame and garbage: PUSH_ERROR 400, closed with 400")
async def garbage(bench):
    for bad in (b"\x00\x00\x00\x00", wire.frame(b"\xff\xff\xff\xff")):
        client = bench.client("garbage")
        await client.log_in()
        client.connection.write(bad)
        equal((await client.connection.take(lambda push: push.type == wire.ERROR)).code, 400, "error")
        closed_with(await client.connection.end(), 400)
        await client.close()


@check("a first frame that is not START is refused with 400 or 401, and closed so")
async def no_start(bench):
    client = bench.client("nostart")
    await client.open()
    client.send("echo")
    error = await client.connection.take(lambda push: push.type == wire.ERROR)
    assert error.code in (400, 401), error
    closed_with(await client.connection.end(), error.code)


@check("START with an over-long openid is refused by START_RESP and closed")
async def long_openid(bench):
    client = bench.client("long")
    await client.open()
    answer = await client.start(openid="x" * 129)
    equal(answer.success, False, "success")
    assert answer.code in (400, 401), answer
    closed_with(await client.connection.end(), answer.code)


@check("a business number with a gap: 400 that names the expected one, the connection stays")
async def gap(bench):
    client = bench.client("gap")
    await client.log_in()
    equal((await client.ask("echo")).code, 200, "echo")
    client.last_seq += 1
    refused = await client.ask("echo")
    equal((refused.type, refused.code, refused.seq_id), (wire.ERROR, 400, 0), "refusal")
    expected = client.last_seq - 1
    told = f"{refused.message} {refused.data.decode()}"
    assert str(expected) in told, f"{told} does not name {expected}"
    client.last_seq -= 2
    equal((await client.ask("echo")).code, 200, "the expected number")


@check("HTTP/3: the pages, several at once, and what is no page")
async def pages(bench):
    connection = await bench.client("pages", kind="http3").open()
    equal(connection.alpn, "h3", "ALPN")
    paths = ["/health", "/.well-known/gatesvr", "/nowhere"] * 3
    answers = await asyncio.gather(*(connection.http.get(path) for path in paths))
    equal([answer.status for answer in answers], ["200", "200", "404"] * 3, "status")
    equal(json.loads(answers[0].body)["status"], "healthy", "/health")
    found = {each["transport"]: each for each in json.loads(answers[1].body)["transports"]}
    equal(found["http3"]["port"], bench.address[1], "port")
    equal((await connection.http.settings())[0x01], 0, "QPACK_MAX_TABLE_CAPACITY")


@check("HTTP/3 stream: START, echo, 200 KB, pushes, STOP")
async def http3_stream(bench):
    client = bench.client("story3", kind="http3")
    await client.log_in()
    equal(client.connection.answer.status, "200", "status")
    equal(client.connection.answer.headers["content-type"], "application/x-gatesvr", "type")
    large = bytes(range(256)) * 800
    equal((await client.ask("echo", payload=large)).data == large, True, "same bytes")
    equal((await client.ask("echo", payload=b"bits", in_pieces_of=3)).data, b"bits", "echo")
    await client.ask("broadcast", {"title": "to all"}, b"news")
    equal((await client.push()).message, "[broadcast] to all", "push")
    # The push was taken after the answer that it came before.
    first = min(client.sequence)
    equal(sorted(client.sequence), list(range(first, first + len(client.sequence))), "numbers")
    client.stop()
    client.connection.http.end(client.connection.answer_stream)
    await asyncio.wait_for(client.connection.answer.ended.wait(), ANSWER_TIMEOUT)
    equal(client.connection.answer.trailers["gatesvr-code"], "0", "code")


@check("a session of QUIC resumes over HTTP/3, WebTransport and back, nothing lost")
async def http3_resume(bench):
    client, other = bench.client("move3"), bench.client("sender3", kind="http3")
    await client.log_in()
    await other.log_in()
    session = client.session
    for kind in ("http3", "webtransport", "quic", "webtransport", "http3"):
        await client.close(0 if client.kind == "quic" else 0x100)
        for number in range(3):
            await other.ask("broadcast", {"title": f"missed {number}"}, b"news")
        client.kind = kind
        await client.open()
        answer = await client.start()
        equal((answer.session, answer.resumed, answer.recovered), (session, True, True), "resume")
        titles = [(await client.push()).message for _ in range(3)]
        equal(titles, [f"[broadcast] missed {n}" for n in range(3)], "replay")
    equal((await client.ask("echo", payload=b"x")).data, b"x", "echo")


@check("HTTP/3 stream: a takeover ends it with 409 in the trailers, the connection goes on")
async def http3_takeover(bench):
    old, new = bench.client("taken3", kind="http3"), bench.client("taken3")
    await old.log_in()
    await new.log_in()
    final = await old.connection.take(lambda push: push.type == wire.ERROR)
    equal((final.code, final.seq_id), (409, 0), "final frame")
    await asyncio.wait_for(old.connection.answer.ended.wait(), ANSWER_TIMEOUT)
    equal(old.connection.answer.trailers["gatesvr-code"], "409", "code")
    equal((await old.connection.http.get("/health")).status, "200", "the connection")


@check("WebTransport: START, echo, 200 KB, pieces, pushes, STOP")
async def webtransport(bench):
    client = bench.client("storywt", kind="webtransport")
    connection = await client.open()
    assert (await client.start()).success
    equal((await connection.http.settings())[0x2B603742], 1, "ENABLE_WEBTRANSPORT")
    # The session's stream may be ahead of the stream that answers the CONNECT.
    await asyncio.wait_for(connection.connect_answer.begun.wait(), ANSWER_TIMEOUT)
    equal(connection.connect_answer.status, "200", "status")
    large = bytes(range(256)) * 800
    equal((await client.ask("echo", payload=large)).data == large, True, "same bytes")
    equal((await client.ask("echo", payload=b"bits", in_pieces_of=3)).data, b"bits", "echo")
    await client.ask("broadcast", {"title": "to all"}, b"news")
    equal((await client.push()).message, "[broadcast] to all", "push")
    client.stop()
    connection.end_stream()
    await asyncio.wait_for(connection.connect_answer.ended.wait(), ANSWER_TIMEOUT)
    capsule = bytes.fromhex("68430b") + bytes(4) + b"stopped"
    equal(connection.connect_answer.body, capsule, "close capsule")
    closed_with(await connection.end(), 0x100)


@check("WebTransport: a takeover closes the session with 409")
async def webtransport_takeover(bench):
    old, new = bench.client("takenwt", kind="webtransport"), bench.client("takenwt")
    await old.log_in()
    await new.log_in()
    final = await old.connection.take(lambda push: push.type == wire.ERROR)
    equal((final.code, final.seq_id), (409, 0), "final frame")
    await asyncio.wait_for(old.connection.connect_answer.ended.wait(), ANSWER_TIMEOUT)
    capsule = old.connection.connect_answer.body
    equal((capsule[:2], int.from_bytes(capsule[3:7], "big")), (b"\x68\x43", 409), "close capsule")


@check("WebTransport: what the gateway has no use for is refused, the session goes on")
async def webtransport_unwanted(bench):
    client = bench.client("extrawt", kind="webtransport")
    await client.log_in()
    connection = client.connection
    refused = 0x52E4A40FAA7B  # 403 as the draft maps it
    extra = connection.http.session_stream(connection.session)
    uni = connection.http.session_stream(connection.session, unidirectional=True)
    second = connection.http.connect("/gatesvr")
    connection.http.datagram(connection.session, b"nobody wants it")
    for _ in range(ANSWER_TIMEOUT * 20):
        if {extra, uni, second} <= connection.resets.keys():
            break
        await asyncio.sleep(0.05)
    found = [connection.resets.get(stream) for stream in (extra, uni, second)]
    equal(found, [refused, refused, 0x10B], "codes")
    equal((await client.ask("echo", payload=b"x")).data, b"x", "echo")


@check("WebTransport: another path or protocol is no session")
async def webtransport_elsewhere(bench):
    client = bench.client("pathwt", kind="webtransport")
    connection = await client.open()
    for path, protocol, status in (("/x", "webtransport", "404"), ("/gatesvr", "connect-udp", "501")):
        stream = connection.http.connect(path, protocol)
        await asyncio.wait_for(connection.http.answers[stream].ended.wait(), ANSWER_TIMEOUT)
        equal(connection.http.answers[stream].status, status, "status")


@check("Retry: above the limit of half-open handshakes a client must prove its address")
async def retry(bench):
    half_open = [initial_datagrams(bench) for _ in range(6)]
    sockets = []
    for datagrams in half_open:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sockets.append(sock)
        for datagram in datagrams:
            sock.sendto(datagram, bench.address)
    await asyncio.sleep(0.3)
    client = bench.client("retry")
    await client.open()
    assert client.packets_received("retry") >= 1, "no Retry"
    assert (await client.start()).success
    equal((await client.ask("hello")).code, 200, "hello")
    for sock in sockets:
        sock.close()


def initial_datagrams(bench):
    """The first flight of a handshake that nobody will go on with."""
    configuration = QuicConfiguration(is_client=True, alpn_protocols=["gatesvr"])
    configuration.server_name = "localhost"
    half = QuicConnection(configuration=configuration)
    half.connect(bench.address, now=0)
    return [datagram for datagram, _ in half.datagrams_to_send(now=0)]


if __name__ == "__main__":
    sys.exit(asyncio.run(run_checks(*sys.argv[1:5])))
