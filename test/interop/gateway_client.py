"""A client of the gateway on aioquic, which shares no code with the gateway's own QUIC engine."""

import asyncio
from contextlib import asynccontextmanager

from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import (
    ConnectionTerminated,
    ProtocolNegotiated,
    StopSendingReceived,
    StreamDataReceived,
    StreamReset,
)
from aioquic.quic.logger import QuicLogger

import wire
from http3_client import ANSWER_TIMEOUT, Http3Exchange


@asynccontextmanager
async def connect(address, configuration, create_protocol, wait):
    """What aioquic's own connect() does, over IPv4 alone: not every machine has IPv6."""
    quic = QuicConnection(configuration=configuration)
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: create_protocol(quic), local_addr=("127.0.0.1", 0)
    )
    try:
        protocol.connect(address, transmit=wait)
        if wait:
            await protocol.wait_connected()
        yield protocol
    finally:
        protocol.close()
        await protocol.wait_closed()
        transport.close()


class GatewayConnection(QuicConnectionProtocol):
    """One QUIC connection with its one stream: frames out, decoded pushes in."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.alpn = None
        self.ended = asyncio.get_running_loop().create_future()
        self.stream_ended = False
        self.pushes = []
        self._arrived = asyncio.Event()
        self._buffer = b""
        self._stream = None

    def quic_event_received(self, event):
        if isinstance(event, ProtocolNegotiated):
            self.alpn = event.alpn_protocol
        elif isinstance(event, StreamDataReceived):
            self._buffer += event.data
            self.stream_ended = self.stream_ended or event.end_stream
            self._split()
        elif isinstance(event, ConnectionTerminated) and not self.ended.done():
            self.ended.set_result(event)
            self._arrived.set()

    def _split(self):
        while len(self._buffer) >= 4:
            length = int.from_bytes(self._buffer[:4], "big")
            if len(self._buffer) < 4 + length:
                break
            self.pushes.append(wire.Push(self._buffer[4 : 4 + length]))
            self._buffer = self._buffer[4 + length :]
        self._arrived.set()

    def write(self, data):
        if self._stream is None:
            self._stream = self._quic.get_next_available_stream_id()
        self._quic.send_stream_data(self._stream, data)
        self.transmit()

    async def take(self, matches):
        """Waits for the first push that matches, and takes it out."""

        async def search():
            while True:
                for push in self.pushes:
                    if matches(push):
                        self.pushes.remove(push)
                        return push
                if self.ended.done():
                    raise ConnectionError(f"closed before it came: {self.ended.result()}")
                self._arrived.clear()
                await self._arrived.wait()

        return await asyncio.wait_for(search(), ANSWER_TIMEOUT)

    async def end(self):
        """The ConnectionTerminated event. error_code is the application's where frame_type is None."""
        return await asyncio.wait_for(asyncio.shield(self.ended), ANSWER_TIMEOUT)

    async def change_port(self, new_connection_id):
        """Goes on from another local port: as after a NAT rebinding, or as an active migration."""
        former = self._transport
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: self, local_addr=("127.0.0.1", 0)
        )
        former.close()
        if new_connection_id:
            self.change_connection_id()
        return transport.get_extra_info("sockname")[1]


class Http3GatewayConnection(GatewayConnection):
    """The same over HTTP/3: the frames are the bodies of one POST and of its answer."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.http = Http3Exchange(self._quic, self.transmit)

    def quic_event_received(self, event):
        if not isinstance(event, StreamDataReceived):
            super().quic_event_received(event)
        self.http.take(event)
        if self._stream is None:
            return
        answer = self.http.answers[self._stream]
        self._buffer += answer.unread()
        self.stream_ended = answer.ended.is_set()
        self._split()

    @property
    def answer(self):
        return self.http.answers[self._stream]

    @property
    def answer_stream(self):
        return self._stream

    def write(self, data):
        if self._stream is None:
            self._stream = self.http.post("/gatesvr/stream", "application/x-gatesvr")
        self.http.body(self._stream, data)


class WebTransportGatewayConnection(GatewayConnection):
    """The same over WebTransport: the frames travel on one stream of a session."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.http = Http3Exchange(self._quic, self.transmit, webtransport=True)
        self.session = None
        self.resets = {}

    def quic_event_received(self, event):
        if isinstance(event, (StreamReset, StopSendingReceived)):
            self.resets[event.stream_id] = event.error_code
        # Beside its header such a stream has nothing of HTTP/3, which aioquic's would look for.
        ours = isinstance(event, StreamDataReceived) and event.stream_id == self._stream
        if ours or not isinstance(event, StreamDataReceived):
            super().quic_event_received(event)
        if not ours:
            self.http.take(event)

    def write(self, data):
        if self.session is None:
            self.session = self.http.connect("/gatesvr")
            self._stream = self.http.session_stream(self.session)
        self._quic.send_stream_data(self._stream, data)
        self.transmit()

    @property
    def connect_answer(self):
        return self.http.answers[self.session]

    def end_stream(self):
        """Ends our side of the session's stream."""
        self._quic.send_stream_data(self._stream, b"", end_stream=True)
        self.transmit()


KINDS = {
    "quic": (GatewayConnection, "gatesvr"),
    "http3": (Http3GatewayConnection, "h3"),
    "webtransport": (WebTransportGatewayConnection, "h3"),
}


class GatewayClient:
    """Sessions over such connections, the numbers kept as deployed clients keep them."""

    def __init__(self, address, ca, openid, kind="quic"):
        self.address, self.ca, self.openid = address, ca, openid
        self.kind = kind
        self.connection = None
        self.logger = QuicLogger()
        self.session = ""
        self.last_acked = self.last_seq = self.last_msg_id = 0
        self.sequence = []
        self._context = None

    async def open(self, alpn=None, versions=None, wait=True):
        protocol, usual_alpn = KINDS[self.kind]
        alpn = alpn or usual_alpn
        configuration = QuicConfiguration(is_client=True, alpn_protocols=[alpn], idle_timeout=30)
        configuration.load_verify_locations(self.ca)
        configuration.server_name = "localhost"
        if self.kind == "webtransport":
            configuration.max_datagram_frame_size = 65_536
        self.logger = configuration.quic_logger = QuicLogger()
        if versions is not None:
            configuration.supported_versions = versions
            configuration.original_version = versions[0]
        self._context = connect(self.address, configuration, protocol, wait)
        self.connection = await asyncio.wait_for(self._context.__aenter__(), ANSWER_TIMEOUT)
        return self.connection

    def packets_received(self, kind):
        """How many packets of this type (`retry`, `version_negotiation`) the last connection got."""
        events = [event for trace in self.logger.to_dict()["traces"] for event in trace["events"]]
        headers = (
            event["data"]["header"]
            for event in events
            if event["name"] == "transport:packet_received"
        )
        return sum(header["packet_type"] == kind for header in headers)

    async def start(self, resume="", last_acked=None, seq_id=0, openid=None):
        msg_id = self._next_msg_id()
        last_acked = self.last_acked if last_acked is None else last_acked
        payload = wire.start(openid or self.openid, "default-token", last_acked, resume)
        self.connection.write(wire.request(wire.START, payload, msg_id, seq_id, self.openid))
        answer = await self.connection.take(
            lambda push: push.type == wire.START_RESP and push.msg_id == msg_id
        )
        if answer.success:
            self.session = answer.session
        return answer

    async def log_in(self, **kwargs):
        """Opens, starts, says hello."""
        await self.open()
        answer = await self.start(**kwargs)
        assert answer.success, answer
        assert (await self.ask("hello")).code == 200
        return answer

    def send(self, action, params=None, payload=b"", in_pieces_of=None):
        msg_id = self._next_msg_id()
        self.last_seq += 1
        body = wire.business(action, params, payload)
        frame = wire.request(wire.BUSINESS, body, msg_id, self.last_seq, self.openid)
        step = in_pieces_of or len(frame)
        for at in range(0, len(frame), step):
            self.connection.write(frame[at : at + step])
        return msg_id

    async def ask(self, action, params=None, payload=b"", in_pieces_of=None):
        return await self.answer(self.send(action, params, payload, in_pieces_of))

    async def answer(self, msg_id):
        return self._saw(await self.connection.take(lambda push: push.msg_id == msg_id))

    async def push(self):
        """The next push that answers nothing."""
        return self._saw(
            await self.connection.take(
                lambda push: push.msg_id == 0 and push.type == wire.BUSINESS_DATA
            )
        )

    async def heartbeat(self, timestamp):
        msg_id = self._next_msg_id()
        self.connection.write(
            wire.request(wire.HEARTBEAT, wire.number(1, timestamp), msg_id, 0, self.openid)
        )
        return await self.connection.take(lambda push: push.type == wire.HEARTBEAT_RESP)

    def stop(self):
        payload = wire.number(1, 1)
        self.connection.write(wire.request(wire.STOP, payload, self._next_msg_id(), 0, self.openid))

    async def close(self, code=0):
        """Closes the connection with an application code, without STOP."""
        if self.connection is None:
            return
        self.connection._quic.close(error_code=code, reason_phrase="")
        self.connection.transmit()
        await self._context.__aexit__(None, None, None)
        self.connection = None

    def _saw(self, push):
        if push.seq_id > 0:
            self.sequence.append(push.seq_id)
            self.last_acked = max(self.last_acked, push.seq_id)
            ack = wire.number(1, self.last_acked)
            self.connection.write(wire.request(wire.ACK, ack, openid=self.openid))
        return push

    def _next_msg_id(self):
        self.last_msg_id += 1
        return self.last_msg_id
