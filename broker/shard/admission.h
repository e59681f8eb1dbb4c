// admission.h: may this publish come in, now?
//
// The door that every publish comes to. What can turn one away before a queue is asked is asked
// here, in this order:
//
//   its window     a topic that is not open, reserved, no valid name, or one too many; more bytes
//                  than were granted; a batch that no delivery has room for
//   its producer   another one's, or in part sent before; or sent before: the answer stands
//   the broker     drains; the deadline has passed; a name that is needed is empty; memory is full;
//                  a durability that is not to be had; a shard with interest has fallen behind
//   its limits     last, since what is turned away should not use them up
//
// What is known only when its turn has come is Publishing's: nobody to respond, no room where all
// must take it, a deadline that passed while it waited.
//
// Owner:    Publishing.
// Thread:   the owner shard only.
// Errors:   in Entry::why, as receipts have them.
// Tests:    tests/unit/broker/shard/publish_test.cc, limits_test.cc, memory_test.cc

#pragma once

#include <memory>

#include "broker/shard/core.h"

namespace sluice::shard {

class Admission {
 public:
  explicit Admission(Core& core) : core_(core) {}

  enum class Answer : std::uint8_t {
    kComesIn,
    kSentBefore,  // by the same idempotent producer
    kTurnedAway,
    kBreaksRule,  // of the protocol: told in an ERROR as well, as it may want no receipt
  };

  /// A publish at the door.
  struct Entry {
    Window* window = nullptr;  // charged with its bytes; null: none was
    model::TopicRef topic;
    base::Error why{base::ErrorCode::kNone, {}};  // it is turned away, or which rule it breaks
    base::Duration retry_after{0};                // where that is known
    base::MonotonicTime deadline = base::kNever;
    // Where a limit delays it:
    base::MonotonicTime due = base::MonotonicTime::min();
    std::uint32_t delayed_by = 0;
    std::unique_ptr<flow::Charged> charged;
  };

  /// Fills in `entry`, a new one.
  Answer ask(Connection& connection, const model::PublishCommand& command,
             const wire::BatchHeader& header, Entry& entry);

 private:
  Core& core_;
};

}  // namespace sluice::shard
