"""The gateway's wire format, written by hand from docs: no generated code, no protobuf library."""

# RequestType and PushType.
START, STOP, HEARTBEAT, BUSINESS, ACK = 1, 2, 3, 4, 5
START_RESP, HEARTBEAT_RESP, BUSINESS_DATA, ERROR = 1, 2, 3, 4

VARINT, BYTES = 0, 2


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field, value):
    return b"" if value == 0 else varint(field << 3 | VARINT) + varint(value)


def data(field, value):
    value = value.encode() if isinstance(value, str) else value
    return b"" if value == b"" else varint(field << 3 | BYTES) + varint(len(value)) + value


def string_map(field, values):
    entries = (data(1, key) + data(2, value) for key, value in values.items())
    return b"".join(varint(field << 3 | BYTES) + varint(len(e)) + e for e in entries)


def read_varint(buffer, at):
    value = shift = 0
    while True:
        byte = buffer[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def fields(buffer):
    """field number -> list of values; numbers and bytes are all that the protocol uses."""
    found, at = {}, 0
    while at < len(buffer):
        tag, at = read_varint(buffer, at)
        if tag & 7 == VARINT:
            value, at = read_varint(buffer, at)
        elif tag & 7 == BYTES:
            length, at = read_varint(buffer, at)
            value, at = bytes(buffer[at : at + length]), at + length
        else:
            raise ValueError(f"wire type {tag & 7} is not used by this protocol")
        found.setdefault(tag >> 3, []).append(value)
    return found


def one(found, field, default=0):
    return found.get(field, [default])[-1]


def text(found, field):
    return one(found, field, b"").decode()


def read_map(found, field):
    pairs = (fields(entry) for entry in found.get(field, []))
    return {text(pair, 1): text(pair, 2) for pair in pairs}


def frame(body):
    return len(body).to_bytes(4, "big") + body


def request(kind, payload, msg_id=0, seq_id=0, openid="", headers=None):
    """A ClientRequest as a whole frame."""
    body = number(1, msg_id) + number(2, seq_id) + number(3, kind) + data(4, payload)
    return frame(body + string_map(5, headers or {}) + data(6, openid))


def start(openid, token="default-token", last_acked=0, resume=""):
    return data(1, openid) + data(2, token) + number(3, last_acked) + data(16, resume)


def business(action, params=None, payload=b""):
    return data(1, action) + string_map(2, params or {}) + data(3, payload)


class Push:
    """A ServerPush with its payload decoded."""

    def __init__(self, body):
        found = fields(body)
        self.msg_id, self.seq_id, self.type = one(found, 1), one(found, 2), one(found, 3)
        self.headers = read_map(found, 5)
        inner = fields(one(found, 4, b""))
        if self.type == START_RESP:
            self.success = one(inner, 1) == 1
            self.error = fields(one(inner, 2, b""))
            self.code = one(self.error, 1)
            self.heartbeat_interval, self.session = one(inner, 3), text(inner, 4)
            self.resumed, self.recovered = one(inner, 16) == 1, one(inner, 17) == 1
            self.next_client_seq, self.next_push_seq = one(inner, 18), one(inner, 20)
        elif self.type == HEARTBEAT_RESP:
            self.client_timestamp, self.server_timestamp = one(inner, 1), one(inner, 2)
        elif self.type in (BUSINESS_DATA, ERROR):
            self.code, self.message = one(inner, 1), text(inner, 2)
            self.data = one(inner, 3, b"")

    def __repr__(self):
        return f"Push({self.__dict__})"
