"""Requests of HTTP/3 on aioquic, whose QPACK and framing are not the gateway's."""

import asyncio

from aioquic.h3.connection import H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived

# How long anything may take that must happen, s: the machine may be slow and busy.
ANSWER_TIMEOUT = 60


class Answer:
    """What came back for one request."""

    def __init__(self):
        self.headers = self.trailers = None
        self.body = b""
        self.begun = asyncio.Event()
        self.ended = asyncio.Event()
        self._read = 0

    @property
    def status(self):
        return self.headers[":status"]

    def unread(self):
        """Body bytes since the last call."""
        start, self._read = self._read, len(self.body)
        return self.body[start:]

    def add(self, event):
        if isinstance(event, HeadersReceived):
            fields = {name.decode(): value.decode() for name, value in event.headers}
            if self.headers is None:
                self.headers = fields
                self.begun.set()
            else:
                self.trailers = fields
        elif isinstance(event, DataReceived):
            self.body += event.data
        if event.stream_ended:
            self.ended.set()


class Http3Exchange:
    """All requests of one connection."""

    def __init__(self, quic, transmit, webtransport=False):
        self._quic, self._transmit = quic, transmit
        self._http = H3Connection(quic, enable_webtransport=webtransport)
        self._settled = asyncio.Event()
        self.answers = {}

    async def settings(self):
        await asyncio.wait_for(self._settled.wait(), ANSWER_TIMEOUT)
        return self._http.received_settings

    def take(self, quic_event):
        for event in self._http.handle_event(quic_event):
            if isinstance(event, (HeadersReceived, DataReceived)):
                self.answers[event.stream_id].add(event)
        if self._http.received_settings is not None:
            self._settled.set()

    def post(self, path, content_type):
        """Begins a POST whose body follows; returns its stream."""
        return self._begin("POST", path, [(b"content-type", content_type.encode())], False)

    def connect(self, path, protocol="webtransport"):
        """Begins a WebTransport session; returns its id."""
        return self._begin("CONNECT", path, [(b":protocol", protocol.encode())], False)

    def session_stream(self, session, unidirectional=False):
        """Opens a stream of a session; what is sent on it is no frame of HTTP/3."""
        return self._http.create_webtransport_stream(session, unidirectional)

    def datagram(self, session, data):
        self._http.send_datagram(session, data)
        self._transmit()

    def body(self, stream, data):
        self._http.send_data(stream, data, end_stream=False)
        self._transmit()

    def end(self, stream):
        self._http.send_data(stream, b"", end_stream=True)
        self._transmit()

    async def get(self, path):
        answer = self.answers[self._begin("GET", path, [], True)]
        await asyncio.wait_for(answer.ended.wait(), ANSWER_TIMEOUT)
        return answer

    def _begin(self, method, path, headers, end):
        stream = self._quic.get_next_available_stream_id()
        self.answers[stream] = Answer()
        target = [(b":method", method.encode()), (b":scheme", b"https")]
        target += [(b":authority", b"localhost"), (b":path", path.encode())]
        self._http.send_headers(stream, target + headers, end_stream=end)
        self._transmit()
        return stream
