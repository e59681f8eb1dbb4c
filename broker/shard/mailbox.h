// mailbox.h: how do letters get from one shard to another?
//
// For each ordered pair of shards there is a ring with one writer and one reader. What a shard
// posts in a turn is collected and handed over as one entry at the turn's end, with at most one
// wake-up for each receiver. A ring that is full keeps its letters with the sender until the
// receiver has caught up; congested() tells the sender to refuse new work for that receiver
// meanwhile.
//
// Owner:    the daemon (or a test) owns the PostOffice; it outlives the shards, each of which owns
//           the Mail made for it.
// Thread:   PostOffice is shared; a Mail belongs to its shard.
// Limits:   kRingEntries turns per pair; letters per pair as told to congested().
// Order:    letters of one pair arrive in the order posted.
// Tests:    tests/unit/broker/shard/mailbox_test.cc

#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "broker/shard/letters.h"

namespace sluice::shard {

/// One writer, one reader; entries are the letters of one turn.
class LetterRing {
 public:
  static constexpr std::size_t kRingEntries = 16;

  /// Hands over `letters` and leaves it empty; false, changing nothing, when the ring is full.
  bool try_put(std::vector<Letter>& letters);
  /// Takes the oldest entry into `letters` (which must be empty); false when there is none.
  bool try_take(std::vector<Letter>& letters);
  bool empty() const noexcept;

 private:
  std::array<std::vector<Letter>, kRingEntries> entries_;
  alignas(64) std::atomic<std::size_t> written_{0};
  alignas(64) std::atomic<std::size_t> read_{0};
};

/// All rings of a node, and how to wake each shard.
class PostOffice {
 public:
  explicit PostOffice(std::uint16_t shard_count);

  /// Called from any shard when `shard` has mail and may be asleep. Set before any Mail is used.
  void set_wake(model::ShardId shard, std::function<void()> wake);

 private:
  friend class Mail;
  LetterRing& ring(model::ShardId from, model::ShardId to) {
    return rings_[from.value() * std::size_t{shard_count_} + to.value()];
  }

  struct alignas(64) Bell {
    std::atomic<bool> rung{false};
    std::function<void()> wake;
  };
  std::uint16_t shard_count_;
  std::unique_ptr<LetterRing[]> rings_;
  std::unique_ptr<Bell[]> bells_;
};

/// One shard's post.
class Mail {
 public:
  Mail(PostOffice& office, model::ShardId self);

  /// Collects a letter; it leaves with flush().
  void post(model::ShardId to, Letter letter) {
    outgoing_[to.value()].push_back(std::move(letter));
  }
  /// True when `limit` letters or more are waiting for `to` to catch up.
  bool congested(model::ShardId to, std::size_t limit) const noexcept {
    return outgoing_[to.value()].size() >= limit;
  }
  /// Hands over what was collected. False when something had to stay.
  bool flush();
  /// Calls `read(from, Letter&&)` for what has come, as long as `more()` is true between two
  /// letters. What is left is read by the next call, before anything that came later.
  template <typename Read, typename More>
  void receive(Read read, More more);
  bool has_unread() const noexcept { return next_unread_ < incoming_.size(); }

  std::uint64_t wakeups() const noexcept { return wakeups_; }
  std::uint64_t refusals() const noexcept { return refusals_; }
  /// Letters that wait for their receivers.
  std::size_t waiting() const noexcept;

 private:
  void begin_receive();
  /// The oldest entry of the next shard, in turns, that has one. Requires: !has_unread().
  bool take_next();

  PostOffice& office_;
  model::ShardId self_;
  std::vector<std::vector<Letter>> outgoing_;  // by receiver
  std::vector<Letter> incoming_;               // of one turn of incoming_from_
  std::size_t next_unread_ = 0;                // in incoming_
  model::ShardId incoming_from_;
  std::uint64_t wakeups_ = 0;
  std::uint64_t refusals_ = 0;
};

template <typename Read, typename More>
void Mail::receive(Read read, More more) {
  begin_receive();
  do {
    while (has_unread()) {
      if (!more()) return;
      read(incoming_from_, std::move(incoming_[next_unread_++]));
    }
  } while (take_next());
}

}  // namespace sluice::shard
