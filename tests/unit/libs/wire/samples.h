// samples.h: one of every frame, each field filled, for the tests of this folder.
//
// Tests:    codec_test.cc, frame_test.cc, frame_reader_test.cc

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "libs/wire/batch.h"
#include "libs/wire/codec.h"

namespace sluice::wire::samples {

using Bytes = std::vector<std::byte>;

inline Bytes bytes_of(std::string_view text) {
  const ByteView view = base::as_bytes(text);
  return {view.begin(), view.end()};
}

/// A batch of three: a payload alone, one with everything, one that is empty.
inline Bytes sample_batch(Compression compression = Compression::kNone) {
  static const std::string kLong(300, 'x');
  BatchBuilder builder;
  builder.add(base::as_bytes("first"));
  builder.add({.key = base::as_bytes("key"),
               .payload = base::as_bytes(kLong),
               .deadline_ns = 1'700'000'000'000'000'000,
               .headers = {{"content-type", "text/plain"}, {"", ""}}});
  builder.add(ByteView{});
  return builder.finish({.compression = compression,
                         .producer_id = 7,
                         .producer_sequence = 40,
                         .publisher_time_ns = 1'600'000'000'000'000'000});
}

/// What for_each_frame gives of the greeting and of publishing.
template <typename Use>
void for_each_publisher_frame(Use use) {
  static const std::vector<std::byte> data = bytes_of("\x01\x02\x03");
  use(Hello{.features = 3,
            .producer_id = 9,
            .client_name = "cli",
            .client_version = "1.2",
            .producer_epoch = 3},
      0, 1, 48);
  use(Welcome{.version = 1,
              .features = 3,
              .max_frame = 1U << 20,
              .keepalive_ms = 30'000,
              .session_id = 5,
              .wall_time_ns = 6,
              .named_grant = 7,
              .node_name = "n1",
              .broker_version = "0.1.0",
              .producer_epoch = 3,
              .producer_next = 11},
      0, 1, 73);
  use(Auth{.mechanism = "PLAIN", .data = data}, kAuthDone, 2, 14);
  use(OpenTopic{.name = "a.b"}, 0, 3, 5);
  use(Topic{.topic = 4, .grant = 65536, .name = "a.b"}, 0, 3, 21);
  use(Receipt{.first_publish = 3,
              .status = ReceiptStatus::kPartial,
              .durability = Durability::kMemory,
              .pressure = 200,
              .reason = 200,
              .retry_after_ms = 250,
              .unlisted = 1,
              .messages = 8,
              .matched = 24,
              .accepted = 16,
              .spilled = 1,
              .dropped = 7,
              .rejected = 2,
              .sequence = 99,
              .subscriptions = {{7, 1, "slow"}, {1, 200, ""}},
              .text = "limit"},
      0, 5, 119);
}

/// What for_each_frame gives of subscribing.
template <typename Use>
void for_each_subscriber_frame(Use use) {
  use(Subscribe{.subscription = 1,
                .max_messages = 100,
                .max_bytes = 1000,
                .max_lag_ns = 5,
                .credit_messages = 10,
                .credit_bytes = 4096,
                .from = StartFrom::kSequence,
                .ack_mode = AckMode::kExplicit,
                .from_value = 17,
                .name = "s",
                .group = "g",
                .overflow = "drop_oldest",
                .filters = {"a.*", "b.>"},
                .resume = {.session = 6, .subscription = 2, .last_sequence = 9}},
      0, 4, 111);
  use(Subscribed{.subscription = 1,
                 .max_messages = 100,
                 .max_bytes = 1000,
                 .max_lag_ns = 5,
                 .next_sequence = 1,
                 .overflow = "drop_oldest",
                 .resumed = {.known = true, .matched = 12, .discarded = 3}},
      0, 4, 67);
  use(Unsubscribe{.subscription = 1}, 0, 6, 8);
  use(Unsubscribed{.subscription = 1, .matched = 10, .delivered = 7, .dropped = 2, .discarded = 1},
      0, 6, 40);
  use(Credit{.subscription = 1, .messages = 10, .bytes = 4096}, 0, 0, 24);
  use(Gap{.subscription = 1,
          .reason = GapReason::kLagged,
          .last_sequence = 20,
          .count = 11,
          .bytes = 512},
      0, 10, 32);
  use(Ack{.subscription = 1, .ranges = {{1, 1}, {5, 9}}}, kAckCumulative, 0, 40);
  use(Nack{.subscription = 1, .delay_ms = 50, .range = {3, 4}}, 0, 0, 24);
  use(Extend{.subscription = 1, .extend_ms = 500, .range = {3, 4}}, 0, 0, 24);
}

/// Calls `use(frame, flags, correlation, body bytes)` for each kind but PUBLISH and DELIVER.
template <typename Use>
void for_each_frame(Use use) {
  for_each_publisher_frame(use);
  for_each_subscriber_frame(use);
  use(Fetch{.from = StartFrom::kTime,
            .max_messages = 10,
            .from_value = 11,
            .max_bytes = 12,
            .deadline_ns = 13,
            .stream = "orders"},
      0, 8, 40);
  use(Cancel{.target = 5, .target_kind = FrameKind::kPublish, .withdrawn = 2, .topic = 8},
      kCancelExpired, 9, 34);
  use(Grant{.topic = 4, .bytes = 4096}, 0, 0, 16);
  use(State{.what = StateKind::kDrain,
            .level = 9,
            .reason = 210,
            .topic = 4,
            .retry_after_ms = 100,
            .text = "draining"},
      0, 0, 22);
  use(Request{.verb = "status", .body = "{}"}, 0, 11, 14);
  use(Reply{.error = 103, .body = "{\"a\":1}"}, 0, 11, 15);
  use(Ping{.opaque = 77}, 0, 12, 8);
  use(Pong{.opaque = 77, .wall_time_ns = 78}, 0, 12, 16);
  use(Goaway{.reason = 210, .deadline_ms = 5000, .text = "bye"}, 0, 0, 13);
  use(ErrorFrame{.code = 100, .closes = true, .subject = 4, .text = "no"}, 0, 3, 12);
}

}  // namespace sluice::wire::samples
