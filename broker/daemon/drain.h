// drain.h: when does a drain end, and what was left?
//
// Every shard is asked again and again what it still has to do: until all have nothing left, or the
// deadline is over. Then connections are cut, and given a moment to take their last frames. A shard
// that does not answer is waited for until the deadline, and never for longer than kStuckAfter
// behind it: what is known of it is what it said last.
//
//   Drain drain(shards, deadline);
//   switch (drain.on_time(now)) …      every few milliseconds: ask, cut, end
//   drain.on_answer(shard, left);      whenever one comes
//
// Owner:    Node, from the first signal on.
// Thread:   the main thread.
// Limits:   ends within deadline + kCutGrace + 2 * kStuckAfter, whatever shards do.
// Tests:    tests/unit/broker/daemon/drain_test.cc, tests/integration/hostile/drain_test.py

#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

#include "libs/base/clock.h"

namespace sluice::daemon {

/// How a node ended.
struct DrainResult {
  std::uint64_t messages_left = 0;  // queued, and not delivered by the deadline
  std::uint64_t publishes_left = 0;
  std::vector<std::size_t> stuck;  // shards that did not answer any more
};

class Drain {
 public:
  /// What connections have to take their last frames, once everything was delivered or given up.
  static constexpr std::chrono::milliseconds kCutGrace{500};
  /// A shard that has not answered for so long when time is up does not answer any more.
  static constexpr std::chrono::seconds kStuckAfter{2};

  /// What a shard has still to do.
  struct Left {
    bool drained = false;
    std::uint64_t messages = 0;
    std::uint64_t publishes = 0;
    std::uint64_t connections = 0;
  };

  enum class Act : std::uint8_t {
    kWait,
    kAsk,  // those in to_ask()
    kCut,  // every connection of every shard
    kEnd,  // result() is complete
  };

  Drain(std::size_t shards, base::MonotonicTime deadline) : shards_(shards), until_(deadline) {}

  Act on_time(base::MonotonicTime now);
  void on_answer(std::size_t shard, const Left& left);
  /// Time is up now.
  void shorten(base::MonotonicTime now) { until_ = std::min(until_, now); }

  const std::vector<std::size_t>& to_ask() const { return to_ask_; }
  const DrainResult& result() const { return result_; }

 private:
  struct Shard {
    bool asked = false;  // and has not answered
    bool stuck = false;
    Left left;
  };

  bool gives_up(base::MonotonicTime now);
  bool is_over(base::MonotonicTime now);
  Act ask(base::MonotonicTime now);
  void note_result();

  std::vector<Shard> shards_;
  std::vector<std::size_t> to_ask_;
  base::MonotonicTime until_;
  base::MonotonicTime asked_at_;
  bool asked_ = false;           // a first time
  bool drained_before_ = false;  // when all had answered the last time
  bool cutting_ = false;
  DrainResult result_;
};

}  // namespace sluice::daemon
