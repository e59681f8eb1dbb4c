"""The wire protocol, encoded from docs/formats/wire.md alone: no code of Sluice is used here.

encode(fields) takes the fields of an example and gives its bytes as a list of (bytes, label)
pieces, one for each field of the document's tables. Needs python3-xxhash.
"""

import struct

import xxhash

KINDS = {
    "HELLO": 1, "WELCOME": 2, "AUTH": 3, "OPEN_TOPIC": 4, "TOPIC": 5, "PUBLISH": 6, "RECEIPT": 7,
    "SUBSCRIBE": 8, "SUBSCRIBED": 9, "UNSUBSCRIBE": 10, "UNSUBSCRIBED": 11, "CREDIT": 12,
    "DELIVER": 13, "GAP": 14, "ACK": 15, "NACK": 16, "EXTEND": 17, "FETCH": 18, "CANCEL": 19,
    "GRANT": 20, "STATE": 21, "REQUEST": 22, "REPLY": 23, "PING": 24, "PONG": 25, "GOAWAY": 26,
    "ERROR": 27,
}

# Fields of each body in order. Types: u8 to u64; zN, N reserved bytes; str, text behind a u16
# length; blob, hexadecimal bytes behind a u32 length; json, text behind a u32 length; nN:list, the
# number of a list's elements as an uN; list*type, the elements of a list one after another.
BODIES = {
    "HELLO": "u32 magic,u16 version_min,u16 version_max,u32 features,u32 max_frame,"
             "u64 producer_id,str client_name,str client_version",
    "WELCOME": "u16 version,z2 reserved,u32 features,u32 max_frame,u32 keepalive_ms,"
               "u64 session_id,u64 wall_time_ns,u64 named_grant,str node_name,str broker_version",
    "AUTH": "str mechanism,blob data",
    "OPEN_TOPIC": "str name",
    "TOPIC": "u32 topic,z4 reserved,u64 grant,str name",
    "RECEIPT": "u64 first_publish,u8 status,u8 durability,u8 pressure,z1 reserved,u16 reason,"
               "n16 subscriptions,u32 retry_after_ms,u32 unlisted,u64 messages,u64 matched,"
               "u64 accepted,u64 spilled,u64 dropped,u64 rejected,u64 sequence,"
               "*receipt_subscription subscriptions",
    "SUBSCRIBE": "u32 subscription,u32 max_messages,u64 max_bytes,u64 max_lag_ns,"
                 "u64 credit_messages,u64 credit_bytes,u8 from,u8 ack_mode,n16 filters,"
                 "z4 reserved,u64 from_value,str name,str group,str overflow,*str filters",
    "SUBSCRIBED": "u32 subscription,u32 max_messages,u64 max_bytes,u64 max_lag_ns,"
                  "u64 next_sequence,str overflow",
    "UNSUBSCRIBE": "u32 subscription,z4 reserved",
    "UNSUBSCRIBED": "u32 subscription,z4 reserved,u64 matched,u64 delivered,u64 dropped,"
                    "u64 discarded",
    "CREDIT": "u32 subscription,z4 reserved,u64 messages,u64 bytes",
    "GAP": "u32 subscription,u16 reason,z2 reserved,u64 last_sequence,u64 count,u64 bytes",
    "ACK": "u32 subscription,n32 ranges,*range ranges",
    "NACK": "u32 subscription,u32 delay_ms,u64 first,u64 last",
    "EXTEND": "u32 subscription,u32 extend_ms,u64 first,u64 last",
    "FETCH": "u8 from,z3 reserved,u32 max_messages,u64 from_value,u64 max_bytes,u64 deadline_ns,"
             "str stream",
    "CANCEL": "u64 target,u8 target_kind,z7 reserved,u64 withdrawn",
    "GRANT": "u32 topic,z4 reserved,u64 bytes",
    "STATE": "u8 what,u8 level,u16 reason,u32 topic,u32 retry_after_ms,str text",
    "REQUEST": "str verb,json body",
    "REPLY": "u16 error,z2 reserved,json body",
    "PING": "u64 opaque",
    "PONG": "u64 opaque,u64 wall_time_ns",
    "GOAWAY": "u16 reason,z2 reserved,u32 deadline_ms,str text",
    "ERROR": "u16 code,u8 closes,z1 reserved,u32 subject,str text",
}
PARTS = {
    "receipt_subscription": "u64 copies,u16 reason,str name",
    "range": "u64 first,u64 last",
}
INTEGERS = {"8": "<B", "16": "<H", "32": "<I", "64": "<Q"}
COMPRESSIONS = {"none": 0, "lz4": 1, "zstd": 2}


def integer(bits, value):
    return struct.pack(INTEGERS[str(bits)], value)


def sized_text(text):
    raw = text.encode()
    return integer(16, len(raw)) + raw


def field(kind, name, values):
    """The pieces of one field."""
    if kind.startswith("z"):
        return [(bytes(int(kind[1:])), name)]
    if kind.startswith("n"):
        return [(integer(kind[1:], len(values[name])), f"number of {name}: {len(values[name])}")]
    if kind.startswith("*"):
        pieces = []
        for element in values[name]:
            if kind == "*str":
                pieces.append((sized_text(element), f'"{element}"'))
            else:
                pieces += body_fields(PARTS[kind[1:]], element)
        return pieces
    value = values[name]
    if kind.startswith("u"):
        return [(integer(kind[1:], value), f"{name} {value}")]
    if kind == "str":
        return [(sized_text(value), f'{name} "{value}"')]
    raw = bytes.fromhex(value) if kind == "blob" else value.encode()
    return [(integer(32, len(raw)), f"bytes of {name}: {len(raw)}"), (raw, name)]


def body_fields(layout, values):
    pieces = []
    for entry in layout.split(","):
        kind, name = entry.split(" ")
        pieces += field(kind, name, values)
    return pieces


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def varint_text(text):
    raw = text.encode()
    return varint(len(raw)) + raw


def record(message):
    """The pieces of one record."""
    attributes = 0
    inner = []
    if "key" in message:
        attributes |= 1
        inner.append((varint_text(message["key"]), f'key "{message["key"]}"'))
    if "headers" in message:
        attributes |= 2
        inner.append((varint(len(message["headers"])),
                      f'number of headers: {len(message["headers"])}'))
        for name, value in message["headers"]:
            inner.append((varint_text(name) + varint_text(value), f'header "{name}": "{value}"'))
    if "deadline_ns" in message:
        attributes |= 4
        inner.append((integer(64, message["deadline_ns"]), f'deadline {message["deadline_ns"]}'))
    inner.append((message["payload"].encode(), f'payload "{message["payload"]}"'))
    inner.insert(0, (bytes([attributes]), f"attributes {attributes:03b}"))
    size = sum(len(raw) for raw, _ in inner)
    return [(varint(size), f"size {size}")] + inner


def batch(values):
    """The pieces of a batch. Compressed records come from the example, as no compressor is ours."""
    messages = values["batch.records"]
    records = [piece for message in messages for piece in record(message)]
    records_bytes = sum(len(raw) for raw, _ in records)
    compression = values["batch.compression"]
    if compression != "none":
        records = [(bytes.fromhex(values["batch.compressed"]), f"records, by {compression}")]
    length = 80 + sum(len(raw) for raw, _ in records)
    deadline = min((m["deadline_ns"] for m in messages if "deadline_ns" in m), default=0)
    summed = [
        (integer(32, len(messages)), f"message count {len(messages)}"),
        (integer(8, COMPRESSIONS[compression]), f"compression {compression}"),
        (bytes(3), "reserved"),
        (integer(64, values["batch.producer_id"]), "producer id"),
        (integer(64, values["batch.producer_sequence"]), "producer sequence"),
        (integer(64, values["batch.publisher_time_ns"]), "publisher's time"),
        (integer(64, deadline), "earliest deadline"),
        (integer(32, records_bytes), f"bytes of the records: {records_bytes}"),
        (bytes(4), "reserved"),
    ] + records
    checksum = xxhash.xxh3_64_intdigest(b"".join(raw for raw, _ in summed))
    return [
        (b"SLB1", "batch: magic"),
        (integer(32, length), f"length {length}"),
        (integer(64, values["batch.base_sequence"]), "base sequence"),
        (integer(64, values["batch.broker_time_ns"]), "broker time"),
        (integer(64, checksum), "XXH3-64 of all that follows"),
    ] + summed


def extension_area(values):
    """The pieces of an extension area; none when the frame has none."""
    tags = []
    if values["kind"] == "PUBLISH" and "deadline_ns" in values:
        tags.append((1, integer(64, values["deadline_ns"]), "deadline"))
    if "need_durability" in values:
        tags.append((2, integer(8, values["need_durability"]), "needed durability"))
    if "need_accept_all" in values:
        tags.append((3, integer(8, values["need_accept_all"]), "accept all"))
    if "need_names" in values:
        names = values["need_names"]
        raw = integer(16, len(names)) + b"".join(sized_text(name) for name in names)
        tags.append((4, raw, "needed names"))
    if "welcomed_producer" in values:
        producer = values["welcomed_producer"]
        raw = integer(64, producer["epoch"]) + integer(64, producer["next"])
        tags.append((1, raw, "epoch, next"))
    if "producer_epoch" in values:
        tags.append((1, integer(64, values["producer_epoch"]), "producer epoch"))
    if "receipt_text" in values:
        tags.append((1, values["receipt_text"].encode(), "text"))
    if "resume" in values:
        resume = values["resume"]
        raw = integer(64, resume["session"]) + integer(32, resume["subscription"])
        tags.append((1, raw + integer(64, resume["last_sequence"]),
                     "session, subscription, last_sequence"))
    if "resumed" in values:
        resumed = values["resumed"]
        raw = integer(64, resumed["matched"]) + integer(64, resumed["discarded"])
        tags.append((1, raw, "matched, discarded"))
    if "cancel_topic" in values:
        tags.append((1, integer(32, values["cancel_topic"]), "topic"))
    if "cancel_name" in values:
        tags.append((2, values["cancel_name"].encode(), "name"))
    if "unknown_tag" in values:
        tags.append((values["unknown_tag"], bytes.fromhex(values["unknown_value"]), "unknown"))
    if not tags:
        return []
    size = sum(4 + len(raw) for _, raw, _ in tags)
    pieces = [(integer(16, size), f"extension area of {size} bytes")]
    for tag, raw, label in tags:
        pieces.append((integer(16, tag) + integer(16, len(raw)), f"tag {tag}, {len(raw)} bytes"))
        pieces.append((raw, label))
    return pieces


def publish_body(values):
    name = values["name"].encode()
    pieces = [
        (integer(32, values["topic"]), f'topic {values["topic"]}'),
        (integer(16, len(name)), f"bytes of name: {len(name)}"),
        (bytes(2), "reserved"),
    ]
    if name:
        pieces.append((name, f'name "{values["name"]}"'))
    return pieces + batch(values)


def deliver_body(values):
    return body_fields("u32 subscription,u32 topic,u32 first,u32 count", values) + batch(values)


def encode(values):
    """The pieces of an example: a frame, or a batch alone."""
    kind = values["kind"]
    if kind == "batch":
        return batch(values)
    if kind == "PUBLISH":
        body = publish_body(values)
    elif kind == "DELIVER":
        body = deliver_body(values)
    else:
        body = body_fields(BODIES[kind], values)
    body = extension_area(values) + body
    size = sum(len(raw) for raw, _ in body)
    return [
        (integer(32, size), f"body bytes {size}"),
        (integer(8, KINDS[kind]), f"kind {kind}"),
        (integer(8, values["flags"]), f'flags {values["flags"]}'),
        (bytes(2), "reserved"),
        (integer(64, values["correlation"]), f'correlation {values["correlation"]}'),
    ] + body
