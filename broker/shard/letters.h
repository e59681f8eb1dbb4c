// letters.h: what shards tell one another.
//
// A letter is a value that owns or shares all it speaks of; nothing in it points into a shard.
//
// Thread:   made on one shard, read on another, once.
// Source:   docs/ARCHITECTURE.md, section Shards.

#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "broker/model/ids.h"
#include "broker/queue/bounded_queue.h"
#include "broker/session/producer_state.h"
#include "broker/topic/topic_registry.h"
#include "libs/base/result.h"

namespace sluice::shard {

/// A subscription that did not take what was published.
struct Refusal {
  std::string subscription;
  std::uint64_t copies = 0;
  std::uint16_t reason = 0;  // ErrorCode or GapReason, as in wire::ReceiptSubscription
};
inline constexpr std::size_t kMaxRefusals = 16;

/// What became of the copies of a publish.
struct Copies {
  std::uint64_t matched = 0;
  std::uint64_t accepted = 0;
  std::uint64_t spilled = 0;  // of `accepted`: those that went to a spill
  std::uint64_t dropped = 0;
  std::uint64_t rejected = 0;
  std::uint64_t expired = 0;    // of `dropped`: those whose deadline passed, or would have
  std::uint64_t cancelled = 0;  // of `dropped`: those that their publisher withdrew
  std::uint32_t unlisted = 0;   // refusing subscriptions beyond kMaxRefusals
  std::uint8_t pressure = 0;
  base::Duration retry_after{0};  // the longest that a refusing queue is expected to need
  std::vector<Refusal> refusals;

  void add(const Copies& other);
  /// Counts `count` copies as dropped and names who did not take them.
  void drop(std::string subscription, std::uint64_t count, wire::GapReason reason);
  /// Names a subscription that did not take them; counts nothing.
  void refuse(std::string subscription, std::uint64_t copies, std::uint16_t reason);
  /// Why the whole publish is refused: what trying again does not help with, if anyone names it.
  /// Requires: refusals, with error codes.
  base::ErrorCode reason_of_refusal() const;
  /// Why nobody has any of a publish that was not refused. Requires: refusals, with gap reasons.
  base::ErrorCode reason_of_loss() const;
};

/// A publish for the subscriptions of another shard. In two phases when it must be taken by all
/// or none: kReserve is answered, then kCommit or kAbort follows; else kDirect alone.
struct PublishLetter {
  enum class Phase : std::uint8_t { kDirect, kReserve, kCommit, kAbort };
  model::PublishToken token;  // of the sender
  Phase phase = Phase::kDirect;
  bool need_all = false;                // kReserve: every subscription, not only rejecting ones
  std::vector<std::string> need_names;  // kReserve: these as well
  topic::TopicName topic;
  model::TopicSlot topic_slot;  // the sender's, with its generation: a key to remember by
  std::uint32_t topic_generation = 0;
  base::SharedBytes batch;
  model::Origin origin;
  base::MonotonicTime deadline = base::kNever;
  base::SlabAccount* account = nullptr;  // where copies that wait count; outlives all shards
  base::MonotonicTime earliest_deadline = base::kNever;  // as in model::Slice
};

/// The answer to kReserve (`refused` or not), or the outcome of kDirect and kCommit.
struct PublishResultLetter {
  model::PublishToken token;  // of the one who asked
  bool reserved = false;      // answers kReserve
  bool refused = false;
  Copies copies;
  std::vector<std::string> names;  // kReserve: which of need_names are here
};

/// A publish waits behind a `block` step on the sender; the answer to it follows.
struct PublishWaitingLetter {
  model::PublishToken token;  // of the one who asked
  std::string subscription;   // that it waits for; the first where it waits for several
};

/// A publisher withdraws; answered by WithdrawnLetter with how many copies that was here.
struct WithdrawLetter {
  std::uint64_t token = 0;  // of the sender
  model::Origin origin;
  topic::TopicName topic;
};
struct WithdrawnLetter {
  std::uint64_t token = 0;
  std::uint64_t withdrawn = 0;
};
/// Copies of what a connection of the receiver's published have expired in queues of the sender.
struct ExpiredLetter {
  model::Origin origin;
  std::uint64_t copies = 0;
};

/// A connection of the sender's wants to publish as a producer whose home the receiver is.
struct ProducerClaimLetter {
  std::uint64_t producer = 0;
  std::uint64_t epoch = 0;  // of a client that comes back; 0: it is a new one
  model::ConnectionId connection;
};
/// It may, and this is what the producer has sent so far.
struct ProducerLeaseLetter {
  std::uint64_t producer = 0;
  std::uint64_t epoch = 0;  // 0: it may not, a newer client has been there since
  model::ConnectionId connection;
  session::ProducerState state;
};
/// Another connection wants it: to whom holds it.
struct ProducerRecallLetter {
  std::uint64_t producer = 0;
};
/// The connection that held it is gone.
struct ProducerReturnLetter {
  std::uint64_t producer = 0;
  session::ProducerState state;
};

/// A subscription of the sender's began or ended.
struct InterestLetter {
  std::string filter;
  bool strict = false;
  bool add = true;
  std::uint64_t token = 0;  // echoed in InterestDoneLetter; 0: no answer wanted
  wire::Resume resume{};    // with a token: an earlier subscription that this one follows
};
struct InterestDoneLetter {
  std::uint64_t token = 0;
  wire::Resumed resumed{};  // how that one ended, if it did on the sender
};

/// A shared subscription on its home; told by serial from a later one in its slot.
struct GroupRef {
  model::SubscriptionSlot slot;
  std::uint64_t serial = 0;
};
/// A consumer of a shared subscription whose queue lives on the shard written to.
struct MemberKey {
  model::ShardId shard;  // of the connection, whose id is its shard's
  model::ConnectionId connection;
  model::SubscriptionId subscription;
  std::uint64_t join = 0;  // tells it from an earlier consumer of the same id
  bool operator==(const MemberKey&) const = default;
};
struct GroupSpec {
  std::string group;
  std::vector<std::string> filters;
  queue::Bounds bounds;
  queue::Ladder ladder;
};
struct GroupJoinLetter {
  GroupSpec spec;
  MemberKey member;
  std::string member_name;
  queue::Credit credit;
};
struct GroupJoinedLetter {
  MemberKey member;
  GroupRef group;  // on the sender
  base::ErrorCode error = base::ErrorCode::kNone;
  std::string detail;
  queue::Bounds bounds;
  queue::Ladder ladder;
  std::uint64_t next_sequence = 0;
};
/// So much of what was dealt, in bytes as the queue counts them.
struct DealtSum {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;

  void add(const DealtSum& more) {
    messages += more.messages;
    bytes += more.bytes;
  }
};
/// What a member granted and what its socket took since the last one: at most one per turn.
struct GroupNewsLetter {
  GroupRef group;
  MemberKey member;
  queue::Credit granted;
  DealtSum taken;
  std::uint32_t paced_by = 0;  // the limit that something dealt to it waits for now
};
struct GroupLeaveLetter {
  GroupRef group;
  MemberKey member;
  DealtSum taken;  // since the last news
  DealtSum lost;   // its socket went away with it
};
/// Something for a member on the shard written to.
struct GroupItemLetter {
  MemberKey member;
  GroupRef group;          // on the sender
  topic::TopicName topic;  // of a delivery
  queue::Item item;        // its slice holds no topic
};
/// A slice or a gap could not be handed over: the member is gone.
struct GroupReturnLetter {
  GroupRef group;
  topic::TopicName topic;  // of a delivery
  queue::Item item;        // its slice holds no topic
};

/// The group ended, as its ladder came to `disconnect`.
struct GroupExpelledLetter {
  MemberKey member;
  std::string detail;
};

using Letter =
    std::variant<PublishLetter, PublishResultLetter, PublishWaitingLetter, WithdrawLetter,
                 WithdrawnLetter, ExpiredLetter, ProducerClaimLetter, ProducerLeaseLetter,
                 ProducerRecallLetter, ProducerReturnLetter, InterestLetter, InterestDoneLetter,
                 GroupJoinLetter, GroupJoinedLetter, GroupNewsLetter, GroupLeaveLetter,
                 GroupItemLetter, GroupReturnLetter, GroupExpelledLetter>;

}  // namespace sluice::shard
