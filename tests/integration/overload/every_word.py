"""Every word that Sluice says of an overload or an error, and how a command line produces it.

A new error code, gap reason, receipt status, limited-by state or end reason needs a line here, or
every_code_test.py fails. `Made` names the test method that produces the word; `Elsewhere` says why
no command line does, and which test does instead: that file must exist and hold the given text.
"""

import dataclasses
import re


@dataclasses.dataclass(frozen=True)
class Made:
    test: str  # a method of every_code_test.EveryCode


@dataclasses.dataclass(frozen=True)
class Elsewhere:
    why: str
    file: str
    text: str  # of the file


BREAKS = "the client library never breaks the protocol"
HOSTILE = "tests/integration/hostile/hostile_test.py"
NO_STREAMS = "it belongs to streams, which are not there yet"


def hostile(text):
    return Elsewhere(BREAKS, HOSTILE, text)


ERRORS = {
    "bad-magic": hostile("BAD_MAGIC"),
    "unsupported-version": hostile("BAD_VERSION"),
    "bad-frame": hostile("BAD_FRAME"),
    "frame-too-large": Made("test_frames_that_the_client_does_not_take"),
    "reserved-bits": hostile("RESERVED"),
    "unknown-kind": hostile("UNKNOWN_KIND"),
    "unexpected-frame": hostile("UNEXPECTED"),
    "bad-batch": hostile("BAD_BATCH"),
    "bad-checksum": hostile("BAD_CHECKSUM"),
    "unknown-topic-id": hostile("UNKNOWN_TOPIC"),
    "unknown-subscription": hostile("UNKNOWN_SUBSCRIPTION"),
    "credit-overflow": hostile("CREDIT_OVERFLOW"),
    "grant-exceeded": Elsewhere(BREAKS, "tests/unit/broker/shard/publish_test.cc",
                                "grant-exceeded"),
    "handshake-timeout": hostile("HANDSHAKE_TIMEOUT"),
    "unsupported-feature": Elsewhere(
        "no verb asks for what the broker does not have",
        "tests/integration/overload/every_code_test.py", "def test_what_streams_need"),
    "decompression": Elsewhere(
        "the client library does not compress yet, and the broker opens no compressed batch",
        "tests/unit/libs/wire/batch_compression_test.cc", "decompression"),
    "not-in-sequence": hostile("numbers that fall"),
    "bad-topic": Made("test_names_and_arguments"),
    "bad-filter": Made("test_names_and_arguments"),
    "bad-ladder": Made("test_names_and_arguments"),
    "bad-argument": Made("test_names_and_arguments"),
    "bad-configuration": Elsewhere(
        "sluiced names the key, its place and what is wrong with it, and not the code",
        "tests/integration/overload/every_code_test.py", "def test_a_bad_configuration"),
    "duplicate-subscription": Elsewhere(
        "the client library numbers subscriptions itself",
        "tests/unit/broker/shard/connection_test.cc", "duplicate-subscription"),
    "message-too-large": Made("test_names_and_arguments"),
    "reserved-topic": Made("test_names_and_arguments"),
    "group-mismatch": Made("test_a_group_with_other_settings"),
    "unknown-limit": Made("test_limits"),
    "not-found": Made("test_states"),
    "queue-full": Made("test_reject"),
    "deadline-exceeded": Made("test_a_deadline_that_has_passed"),
    "canceled": Made("test_a_publish_that_is_withdrawn_behind_a_block"),
    "no-responders": Made("test_nobody_answers"),
    "shard-busy": Made("test_a_small_mailbox_between_shards"),
    "slow-consumer": Made("test_disconnect"),
    "memory-budget": Made("test_memory_that_does_not_suffice"),
    "topic-limit": Made("test_more_topics_than_allowed"),
    "subscription-limit": Elsewhere(
        "a command has one subscription",
        "tests/integration/overload/every_code_test.py", "def test_more_subscriptions"),
    "connection-limit": Made("test_more_connections_than_allowed"),
    "draining": Made("test_a_broker_that_goes_away"),
    "durability-unavailable": Made("test_needs_that_are_not_met"),
    "need-not-met": Made("test_needs_that_are_not_met"),
    "rate-limited": Made("test_limits"),
    "not-taken": Made("test_a_publish_that_nobody_keeps"),
    "rehearsal-disabled": Made("test_a_subscriber_that_is_paused"),
    "connection-lost": Made("test_a_broker_that_dies"),
    "connect-failed": Made("test_a_broker_that_is_not_there"),
    "timeout": Made("test_a_server_that_says_nothing"),
    "address-in-use": Made("test_an_address_that_is_taken"),
    "io": Made("test_names_and_arguments"),
    "resource-exhausted": Made("test_limits"),
    "closed": Elsewhere(
        "what a program does with a client that it closed; the commands do not",
        "tests/unit/client/client_test.cc", "kClosed"),
    "would-block": Elsewhere(
        "an answer of try_ calls of the client library, which waits instead in the commands",
        "tests/unit/client/client_test.cc", "kWouldBlock"),
    "unavailable": Elsewhere(
        "a command asks one thing at a time, and only while it is connected",
        "tests/unit/broker/shard/connection_test.cc", "unavailable"),
    "taken-over": Made("test_two_of_one_producer"),
    "internal": Elsewhere("it takes a bug", "tests/unit/libs/base/result_test.cc", "kInternal"),
}

GAPS = {
    "dropped_oldest": Made("test_drop_oldest"),
    "dropped_newest": Made("test_drop_newest"),
    "conflated": Made("test_conflate"),
    "expired": Made("test_copies_that_expire_in_a_queue"),
    "disconnected": Made("test_disconnect"),
    "lagged": Made("test_max_lag"),
    "too_large": Made("test_a_message_larger_than_the_queue"),
    "rejected": Made("test_block_then_reject"),
    "cancelled": Made("test_a_publish_that_is_withdrawn"),
    "squeezed": Made("test_memory_runs_short"),
    "spill_lost": Elsewhere("a spill store in memory loses nothing",
                            "tests/unit/broker/queue/bounded_queue_spill_test.cc", "spill_lost"),
}

RECEIPTS = {
    "accepted": Made("test_a_publish_that_is_accepted"),
    "partial": Made("test_drop_newest"),
    "rejected": Made("test_reject"),
    "expired": Made("test_a_deadline_that_has_passed"),
    "cancelled": Made("test_a_publish_that_is_withdrawn_behind_a_block"),
    "duplicate": Made("test_a_publish_that_is_repeated"),
}


LIMITED_BY = {
    "idle": Made("test_states"),
    "delivering": Made("test_a_subscriber_that_is_busy"),
    "waiting_credit": Made("test_states"),
    "ack_window_full": Elsewhere(NO_STREAMS, "broker/model/limited_by.h", "kAckWindowFull"),
    "rate_limited": Made("test_a_limit_on_deliveries"),
    "tcp_window": Made("test_a_subscriber_that_does_not_read"),
    "disk_read": Elsewhere("a spill store in memory has everything at hand",
                           "tests/unit/broker/shard/spill_test.cc", "disk_read"),
    "breaker_open": Elsewhere(NO_STREAMS, "broker/model/limited_by.h", "kBreakerOpen"),
    "paused": Made("test_a_subscriber_that_is_paused"),
    "blocked_by": Made("test_a_publisher_that_is_blocked"),
}

NO_SUBSCRIPTIONS = "a connection that is closed for this never had a subscription"

ENDS = {
    "unsubscribed": Made("test_ends_that_are_asked_for"),
    "last_member_left": Made("test_ends_that_are_asked_for"),
    "peer": Made("test_ends_of_connections"),
    "network": Made("test_ends_of_connections"),
    "protocol": Made("test_ends_of_connections"),
    "handshake_timeout": Elsewhere(NO_SUBSCRIPTIONS, "broker/model/end_reason.h",
                                   "kHandshakeTimeout"),
    "slow_consumer": Made("test_ends_of_connections"),
    "drain": Elsewhere("a broker that went down cannot be asked",
                       "tests/unit/broker/shard/ended_subscriptions_test.cc", "kDrain"),
    "limit": Elsewhere(NO_SUBSCRIPTIONS, "broker/model/end_reason.h", "kLimit"),
    "internal": Elsewhere("it takes a bug", "broker/model/end_reason.h", "kInternal"),
}

DURABILITIES = {
    "none": Made("test_durabilities"),
    "memory": Made("test_durabilities"),
    "os": Elsewhere(NO_STREAMS, "libs/wire/frames_publish.h", "kOs"),
    "disk": Elsewhere(NO_STREAMS, "libs/wire/frames_publish.h", "kDisk"),
    "quorum": Elsewhere(NO_STREAMS, "libs/wire/frames_publish.h", "kQuorum"),
}

AUDIT_STATES = {
    "live": Made("test_ends_that_are_asked_for"),
    "ended": Made("test_ends_that_are_asked_for"),
}


def declared(root):
    """{kind: words} as the sources declare them."""
    errors = re.findall(r"^X\(k(\w+), \d+", (root / "libs/base/errors.def").read_text(), re.M)
    gaps = enumerators(root / "libs/wire/frames_subscribe.h", "GapReason")
    receipts = enumerators(root / "libs/wire/frames_publish.h", "ReceiptStatus")
    states = enumerators(root / "broker/model/limited_by.h", "LimitedBy")
    ends = enumerators(root / "broker/model/end_reason.h", "EndReason")
    durabilities = enumerators(root / "libs/wire/frames_publish.h", "Durability")
    states_of_audit = re.search(r'ended \? "(\w+)" : "(\w+)"',
                                (root / "broker/admin/inspection_json.cc").read_text())
    return {"error": {spelled(name, "-") for name in errors},
            "gap reason": {spelled(name, "_") for name in gaps},
            "receipt status": {spelled(name, "_") for name in receipts},
            "limited by": {spelled(name, "_") for name in states},
            "end reason": {spelled(name, "_") for name in ends},
            "durability": {spelled(name, "_") for name in durabilities},
            "audit state": set(states_of_audit.groups())}


def enumerators(path, name):
    body = re.search(r"enum class %s\b[^{]*\{(.*?)\};" % name, path.read_text(), re.S)[1]
    return re.findall(r"\bk(\w+)", re.sub("//.*", "", body))


def spelled(name, separator):
    """DroppedOldest is dropped_oldest or dropped-oldest."""
    return re.sub(r"(?<!^)(?=[A-Z])", separator, name).lower()


TABLE = {"error": ERRORS, "gap reason": GAPS, "receipt status": RECEIPTS,
         "limited by": LIMITED_BY, "end reason": ENDS, "durability": DURABILITIES,
         "audit state": AUDIT_STATES}
