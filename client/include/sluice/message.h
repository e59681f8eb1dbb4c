// message.h: what arrives from a subscription, and what is told about a publish?
//
// Messages come in batches, as their publisher sent them. A MessageBatch shares the bytes that were
// received; a MessageView looks at one message in it; a Message is a view that keeps the bytes
// alive by itself. Nothing is copied until the program copies.
//
// Owner:    a MessageBatch or Message keeps its bytes as long as it lives, also after the client is
//           gone. A MessageView is valid while its batch is. Bytes are received in blocks of some
//           256 KiB, and a kept message keeps its block: copy what is to be kept for long.
// Thread:   values; any thread.
// Units:    bytes; times in nanoseconds since 1970 UTC.
// Tests:    tests/unit/client/subscription_test.cc

#pragma once

#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <sluice/error.h>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace sluice {

namespace detail {
struct BatchBody;
}

/// One message inside a batch.
class MessageView {
 public:
  std::string_view topic() const noexcept { return topic_; }
  /// Empty when it has none.
  ByteView key() const noexcept { return key_; }
  ByteView payload() const noexcept { return payload_; }
  std::string_view text() const noexcept { return as_text(payload_); }
  /// Of this subscription on memory topics, of the stream otherwise. Gaps name the same numbers.
  std::uint64_t sequence() const noexcept { return sequence_; }
  /// When its publisher batched it, by the publisher's clock.
  WallTime published_at() const noexcept { return published_at_; }
  /// When it is worth nothing any more, if its publisher said so.
  std::optional<WallTime> deadline() const noexcept;
  /// The value of the first header of that name.
  std::optional<std::string_view> header(std::string_view name) const noexcept;
  /// All of them, in order.
  std::vector<std::pair<std::string_view, std::string_view>> headers() const;

 private:
  friend class MessageBatch;
  std::string_view topic_;
  ByteView key_;
  ByteView payload_;
  ByteView headers_;  // encoded
  std::uint32_t header_count_ = 0;
  std::uint64_t sequence_ = 0;
  std::uint64_t deadline_ns_ = 0;
  WallTime published_at_{};
};

/// A message that keeps its bytes alive.
class Message : public MessageView {
 public:
  Message(MessageView view, std::shared_ptr<const detail::BatchBody> body)
      : MessageView(view), body_(std::move(body)) {}

 private:
  std::shared_ptr<const detail::BatchBody> body_;
};

/// Messages of one topic that arrived together: `for (const MessageView& message : batch)`.
class MessageBatch {
 public:
  explicit MessageBatch(std::shared_ptr<const detail::BatchBody> body) : body_(std::move(body)) {}

  std::string_view topic() const noexcept;
  /// At least 1.
  std::size_t size() const noexcept;
  /// Of the records: keys, headers and payloads with their framing.
  std::size_t bytes() const noexcept;
  std::uint64_t first_sequence() const noexcept;

  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = MessageView;
    using difference_type = std::ptrdiff_t;
    using pointer = const MessageView*;
    using reference = const MessageView&;

    reference operator*() const noexcept { return view_; }
    pointer operator->() const noexcept { return &view_; }
    Iterator& operator++() noexcept;
    bool operator==(const Iterator& other) const noexcept { return left_ == other.left_; }

   private:
    friend class MessageBatch;
    void read() noexcept;
    MessageView view_;
    ByteView records_;
    std::size_t left_ = 0;
  };
  Iterator begin() const noexcept;
  Iterator end() const noexcept { return {}; }

  /// A message of this batch, with a life of its own.
  Message keep(const MessageView& view) const { return {view, body_}; }
  /// The same without its first `count` messages. Requires: count < size().
  MessageBatch drop_first(std::size_t count) const;

 private:
  std::shared_ptr<const detail::BatchBody> body_;
};

/// Messages that this subscription matched and will not get, told in their place.
struct Gap {
  std::uint64_t first_sequence = 0;
  std::uint64_t last_sequence = 0;  ///< 0 where it cannot be known
  std::uint64_t count = 0;          ///< missing for this reason; 0 where it cannot be known
  std::uint64_t bytes = 0;
  std::string
      reason;  ///< dropped_oldest, dropped_newest, lagged, expired, conflated, disconnected…
};

/// The connection was lost and is back; the subscription is in force again. What had matched it
/// until the broker noticed stands before it as a Gap of reason "disconnected": with range and
/// count where the broker still knows (is_exact; no gap then means that nothing was missed), else
/// of unknown count. What was published to topics without a stream while it was away matched nobody
/// and is not counted. Sequences of memory topics start anew.
struct Reconnected {
  Error lost_because;
  Duration away{0};
  bool is_exact = false;
};

using Item = std::variant<Message, Gap, Reconnected>;
using BatchItem = std::variant<MessageBatch, Gap, Reconnected>;

/// How far a message is safe.
enum class Durability : std::uint8_t { kNone = 0, kMemory = 1, kOs = 2, kDisk = 3, kQuorum = 4 };
std::string_view durability_name(Durability durability) noexcept;  // "disk"

enum class ReceiptStatus : std::uint8_t {
  kAccepted = 0,   ///< every matched subscription took every message
  kPartial = 1,    ///< some copies were taken and some dropped
  kRejected = 2,   ///< no subscription took anything
  kExpired = 3,    ///< its deadline passed first
  kCancelled = 4,  ///< withdrawn
  kDuplicate = 5,  ///< an idempotent producer had sent it before
};
std::string_view receipt_status_name(ReceiptStatus status) noexcept;  // "accepted"

/// A subscription that did not take what was published.
struct RefusedBy {
  std::string subscription;
  std::string reason;  ///< "queue-full", "dropped_newest"
  std::uint64_t copies = 0;
};

/// What became of a publish. The broker may answer for several neighbours at once: then `messages`
/// is larger than what this call sent, and the counts are sums over all of them.
struct Receipt {
  ReceiptStatus status = ReceiptStatus::kAccepted;
  Durability durability = Durability::kNone;
  double pressure = 0;  ///< 0 none to 1 full: slow down before it is 1
  ErrorCode reason = ErrorCode::kNone;
  Duration retry_after{0};
  std::uint64_t messages = 0;
  // Copies: message × matched subscription.
  std::uint64_t matched = 0;
  std::uint64_t accepted = 0;
  std::uint64_t spilled = 0;
  std::uint64_t dropped = 0;
  std::uint64_t rejected = 0;
  std::uint64_t sequence = 0;  ///< of the first message, in a stream
  /// The number of the first message meant, of an idempotent producer; 0 of others.
  std::uint64_t producer_sequence = 0;
  std::vector<RefusedBy> refused_by;
  std::uint32_t refused_by_unlisted = 0;  ///< further subscriptions that are not listed
  /// What stood in the way, for people: the limit with its level and what it stands at. May be
  /// empty.
  std::string text;

  /// True when every matched subscription took it (or an earlier copy of it).
  bool ok() const noexcept {
    return status == ReceiptStatus::kAccepted || status == ReceiptStatus::kDuplicate;
  }
};

}  // namespace sluice
