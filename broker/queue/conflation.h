// conflation.h: which message of a topic or key is the newest that a queue holds?
//
// Made when a full queue begins to conflate, and kept until it has drained to half: then a new
// message finds the one it stands for without a walk over the queue.
//
// Owner:    one BoundedQueue, whose messages stand by themselves as long as it exists.
// Thread:   the owner's.
// Limits:   one entry for each message queued, and as many that have left it. A message costs
//           O(log entries), and reading its key where the ladder says `key`; beginning and ending
//           O(messages queued), at most once for half of them delivered or dropped.
// Tests:    tests/unit/broker/queue/bounded_queue_conflate_test.cc, bounded_queue_model_test.cc

#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "broker/model/slice.h"

namespace sluice::queue {

/// What one message may stand for another by. Exact, so that none is taken for another's.
struct ConflationKey {
  std::uint32_t topic = 0;
  std::uint32_t generation = 0;
  bool keyed = false;  // a message without a key stands for those of its topic without one
  std::string key;
  auto operator<=>(const ConflationKey&) const = default;
};

/// The keys of a slice's messages, in order. Only `by_key` reads records, and only then is a
/// compressed batch unpacked; where that fails its messages count as without key.
std::vector<ConflationKey> conflation_keys(const model::Slice& slice, bool by_key);

class Conflation {
 public:
  /// Sequence of the newest message of a key; 0 when none is known. It may have left the queue.
  std::uint64_t newest(const ConflationKey& key) const;
  void set_newest(const ConflationKey& key, std::uint64_t sequence);

  std::size_t size() const noexcept { return newest_.size(); }
  /// Forgets what `is_gone(sequence)`.
  template <typename Gone>
  void forget(Gone is_gone) {
    for (auto it = newest_.begin(); it != newest_.end();) {
      if (is_gone(it->second)) {
        key_bytes_ -= it->first.key.size();
        it = newest_.erase(it);
      } else {
        ++it;
      }
    }
  }

  std::size_t memory_bytes() const noexcept {
    return sizeof(*this) + newest_.size() * kNodeBytes + key_bytes_;
  }

  std::uint32_t built = 0;  // messages that were left when it began

 private:
  static constexpr std::size_t kNodeBytes = 96;  // of a map of these, malloc's share included

  std::map<ConflationKey, std::uint64_t> newest_;
  std::size_t key_bytes_ = 0;
};

}  // namespace sluice::queue
