// producer_state.h: has this producer sent this before?
//
// An idempotent producer numbers its messages; after it has lost a connection it sends again what
// it has no receipt for. What was taken before is then a duplicate. Numbers below the next one that
// were never taken (skipped, or refused) stay open and may still come.
//
// Owner:    a value; of the connection that has the producer's lease, else of the producer's home.
// Thread:   the owner's.
// Units:    sequence numbers, one a message.
// Limits:   kOpenMax ranges stay open; of those before the oldest of them nothing is known any
// more. Source:   docs/decisions/0009-producers-are-leased.md Tests:
// tests/unit/broker/session/producer_state_test.cc

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sluice::session {

class ProducerState {
 public:
  static constexpr std::size_t kOpenMax = 64;

  enum class Verdict : std::uint8_t {
    kNew,        // none of it was taken
    kDuplicate,  // all of it was taken
    kMixed,      // some of it was: not what was sent before
    kForgotten,  // so far back that nobody knows
  };

  /// Of the messages first to first + count - 1. Requires: count > 0, no overflow.
  Verdict check(std::uint64_t first, std::uint64_t count) const noexcept;
  /// They are taken. Requires: check() says kNew.
  void take(std::uint64_t first, std::uint64_t count);
  /// They were taken, and then refused: they may come again.
  void give_back(std::uint64_t first, std::uint64_t count);

  /// The lowest number above all that were taken.
  std::uint64_t next() const noexcept { return next_; }
  void check_invariants() const;

 private:
  struct Range {
    std::uint64_t first = 0;
    std::uint64_t end = 0;  // behind the last
  };

  void open(Range range);

  std::uint64_t next_ = 0;
  std::uint64_t known_from_ = 0;  // below it nothing is known
  std::vector<Range> open_;       // below next_, by number, apart from one another
};

}  // namespace sluice::session
