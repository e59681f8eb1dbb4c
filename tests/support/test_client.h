// test_client.h: a client of the native protocol over a TestLink.
//
// What it says is queued as bytes and reaches its shard in the next turn; what it hears is checked
// for being well formed and kept twice: as values, and as lines of text for transcripts:
//
//   client.subscribe({.id = 1, .filters = {"a.*"}});
//   EXPECT_EQ(client.heard(), "SUBSCRIBED 1 next=1\n");
//
// Topics that are only announced and grants are not in the transcript: they are checked instead.
//
// Owner:    ShardHarness.
// Thread:   the test's.
// Tests:    it is used by tests/unit/broker/shard and tests/sim.

#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "broker/shard/shard.h"
#include "libs/wire/codec.h"
#include "tests/support/test_link.h"

namespace sluice::testing {

struct SubscribeOptions {
  std::uint32_t id = 1;
  std::vector<std::string> filters{};
  std::string overflow{};
  std::uint32_t max_messages = 0;
  std::uint64_t max_bytes = 0;
  std::uint64_t max_lag_ns = 0;
  std::uint64_t credit = 1000000;  // messages; bytes are 2^29 when this is not 0
  std::string name{};
  std::string group{};
};

struct PublishOptions {
  std::vector<std::string> payloads{};
  std::vector<std::string> keys{};  // of the payloads; empty: none has one
  std::uint8_t flags = 0;           // wire::kPublish…; kPublishNamed is set where it belongs
  std::uint64_t deadline_ns = 0;
  wire::Need need{};
  wire::Compression compression = wire::Compression::kNone;
  std::uint64_t producer_id = 0;
  std::uint64_t producer_sequence = 0;
};

/// What a subscription was told, in order: a message or a gap.
struct Told {
  std::uint64_t sequence = 0;  // of the message, or the first of the gap
  std::uint64_t last = 0;      // of the gap
  std::uint64_t count = 0;     // of the gap; 0: a message
  std::uint64_t bytes = 0;     // of the message's record, or of those missing
  wire::GapReason reason = wire::GapReason::kDroppedOldest;
  std::string topic{};
  std::string payload{};
};

/// A subscription that a receipt names.
struct Refused {
  std::string name{};
  std::uint64_t copies = 0;
  std::uint16_t reason = 0;
};

struct ReceiptRow {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  wire::Receipt receipt{};  // its views are empty
  std::vector<std::string> names{};
  std::string text{};
  std::vector<Refused> refused{};  // the subscriptions named
};

/// The answer to CANCEL (0 copies when it was refused), or copies that expired after their receipt.
struct Withdrawn {
  std::uint64_t correlation = 0;
  std::uint64_t publish = 0;
  std::uint64_t copies = 0;
  bool expired = false;
};

class TestClient {
 public:
  TestClient(shard::Shard& shard, model::ShardId id) : shard_(&shard), shard_id_(id) {}

  // What it says. Each is sent with the next turn.
  void hello(std::string_view name = "test", std::uint64_t producer_id = 0,
             std::uint64_t producer_epoch = 0);
  /// What WELCOME said of this producer.
  std::uint64_t producer_epoch() const { return producer_epoch_; }
  std::uint64_t producer_next() const { return producer_next_; }
  void open_topic(std::string_view name);
  /// By name. Returns the publish number.
  std::uint64_t publish(std::string_view topic, const PublishOptions& options);
  std::uint64_t publish(std::string_view topic, std::initializer_list<std::string> payloads) {
    return publish(topic, PublishOptions{.payloads = payloads});
  }
  /// To a topic that was opened.
  std::uint64_t publish_open(std::string_view topic, const PublishOptions& options);
  void subscribe(const SubscribeOptions& options);
  void unsubscribe(std::uint32_t id);
  /// Of a publish by name. Answered under the correlation 300000 + number.
  void cancel(std::string_view topic, std::uint64_t number);
  void credit(std::uint32_t id, std::uint64_t messages, std::uint64_t bytes = 1U << 24);
  template <typename Frame>
  void say(const Frame& frame, std::uint64_t correlation = 0, std::uint8_t flags = 0) {
    wire::encode(outgoing_, frame, correlation, flags);
  }
  void say_bytes(base::ByteView bytes) {
    outgoing_.insert(outgoing_.end(), bytes.begin(), bytes.end());
  }
  void half_close() { half_closed_ = true; }
  /// The network takes it away, once its shard has had that many more bytes, whole frame or not.
  void vanish(std::size_t after = 0) {
    vanishes_ = true;
    vanish_after_ = after;
  }

  // What it hears.
  /// One line a frame since the last call.
  std::string heard();
  const std::map<std::uint32_t, std::vector<Told>>& told() const { return told_; }
  const std::vector<ReceiptRow>& receipts() const { return receipts_; }
  const std::vector<Withdrawn>& withdrawn() const { return withdrawn_; }
  const std::vector<std::uint16_t>& errors() const { return errors_; }
  const std::map<std::uint32_t, wire::Unsubscribed>& accounts() const { return accounts_; }
  bool subscribed(std::uint32_t id) const { return subscribed_.contains(id); }
  std::uint64_t session() const { return session_; }
  std::uint32_t topic_id(std::string_view name) const;
  /// Whether OPEN_TOPIC of that name has been answered.
  bool opened(std::string_view name) const;
  /// Bytes it may still publish to an open topic, or ("") by name.
  std::uint64_t window(std::string_view topic) const;
  std::uint64_t last_publish() const { return last_publish_; }
  bool gone() const { return gone_; }
  /// What it has said and its shard does not have yet.
  std::size_t unsaid_bytes() const { return outgoing_.size(); }
  TestLink& link() { return link_; }
  model::ShardId shard_id() const { return shard_id_; }

  // For ShardHarness.
  /// Lets the shard have what was said, at most `most` bytes. False when there was nothing to do.
  bool act(std::size_t most);
  void listen();

 private:
  /// The shard has at most `most` of what was said. Returns how much.
  std::size_t hand_over(std::size_t most);
  std::uint64_t publish_to(std::uint32_t topic, std::string_view name, const PublishOptions& what);
  void hear(const wire::FrameHeader& header, base::ByteView body);
  template <typename Frame>
  static Frame decoded(const wire::FrameHeader& header, base::ByteView body);
  void hear_topic(const wire::FrameHeader& header, base::ByteView body);
  void hear_receipt(const wire::FrameHeader& header, base::ByteView body);
  void hear_subscribed(const wire::FrameHeader& header, base::ByteView body);
  void hear_unsubscribed(const wire::FrameHeader& header, base::ByteView body);
  void hear_deliver(const wire::FrameHeader& header, base::ByteView body);
  void hear_gap(const wire::FrameHeader& header, base::ByteView body);
  void hear_other(const wire::FrameHeader& header, base::ByteView body);
  void line(std::string text) { lines_ += std::move(text) + "\n"; }

  shard::Shard* shard_;
  model::ShardId shard_id_;
  TestLink link_;
  shard::Connection* connection_ = nullptr;
  std::vector<std::byte> outgoing_;
  std::vector<std::byte> incoming_;
  bool half_closed_ = false;
  bool vanishes_ = false;
  std::size_t vanish_after_ = 0;
  bool gone_ = false;

  std::string lines_;
  std::map<std::uint32_t, std::vector<Told>> told_;
  std::vector<ReceiptRow> receipts_;
  std::vector<Withdrawn> withdrawn_;
  std::vector<std::uint16_t> errors_;
  std::map<std::uint32_t, wire::Unsubscribed> accounts_;
  std::map<std::uint32_t, bool> subscribed_;
  std::map<std::uint32_t, std::string> topic_names_;
  std::map<std::uint32_t, std::uint64_t> windows_;  // by topic id
  std::uint64_t producer_epoch_ = 0;
  std::uint64_t producer_next_ = 0;
  std::uint64_t session_ = 0;
  std::uint64_t last_publish_ = 0;
};

}  // namespace sluice::testing
