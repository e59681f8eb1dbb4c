// limited_by_states.h: what limits each subscription and each publisher of this shard, and since?
//
// Holds the state of every subscription and of every window (a connection's publishing to one
// topic) up to date, with the time spent in each. A state is looked at where it may change (after a
// push, a grant, a flush) and compared; only a change costs anything. `delivering` goes on for
// kQuiet after the last delivery, so that a queue which is emptied in every turn does not count as
// idle between its turns; a subscription that waited for a limit within that time is `rate_limited`
// instead, also at the moment of a delivery. That either is over is found by sweeps, which also
// catch what had no event.
//
// Owner:    Core. Borrows its metrics, options and time.
// Thread:   the owner shard only.
// Units:    time of the shard's turns.
// Limits:   kSweepWindows windows per sweep.
// Source:   docs/ARCHITECTURE.md, section Explain.
// Tests:    tests/unit/broker/shard/limited_by_test.cc

#pragma once

#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/metrics/shard_metrics.h"
#include "broker/model/ids.h"
#include "broker/model/limited_by_times.h"
#include "broker/shard/options.h"
#include "libs/base/clock.h"

namespace sluice::shard {

struct Connection;
struct Subscription;
struct Window;

class LimitedByStates {
 public:
  static constexpr base::Duration kQuiet = std::chrono::milliseconds(250);
  static constexpr std::size_t kSweepWindows = 4096;

  LimitedByStates(metrics::ShardMetrics& metrics, const Options& options,
                  const base::MonotonicTime& now)
      : metrics_(metrics), options_(options), now_(now) {}

  void begin(Subscription& subscription);
  void end(Subscription& subscription);
  /// After anything that may have changed its state.
  void update(Subscription& subscription);
  model::LimitedByTimes times(const Subscription& subscription) const;
  /// The number of the limit that holds its deliveries back, or did within kQuiet; 0: none. Of a
  /// shared one also a limit of a member's connection, for which something dealt to it waits.
  std::uint32_t pacer(const Subscription& subscription) const;

  void begin(Window& window);
  void end(Window& window);
  /// After a publish to the window of `topic` (0: by name), and whatever may have changed its
  /// state.
  void update(Connection& connection, Window& window, std::uint32_t topic);
  model::LimitedByTimes times(const Window& window) const;

  /// Brings the metrics up to now, and windows that have come to rest to `idle`.
  void sweep(const std::function<Connection*(model::ConnectionId)>& find);

  /// A window that is not idle.
  struct Active {
    model::ConnectionId connection;
    std::uint32_t topic = 0;
  };
  const std::vector<Active>& active() const { return active_; }

 private:
  enum class Kind : std::uint8_t { kSubscription, kPublisher };
  // How many are in a state, and up to when their time stands in the metrics.
  struct Count {
    std::uint64_t number = 0;
    base::MonotonicTime until;
  };

  model::LimitedBy state_of(const Subscription& subscription) const;
  model::LimitedBy state_of_going(const Subscription& subscription) const;
  model::LimitedBy state_of(const Window& window) const;
  void change(Kind kind, model::LimitedBy state, int by);
  void settle(Kind kind, std::size_t state);

  metrics::ShardMetrics& metrics_;
  const Options& options_;
  const base::MonotonicTime& now_;
  std::array<std::array<Count, model::kLimitedByCount>, 2> counts_;
  std::vector<Active> active_;
  std::size_t sweep_ = 0;
};

/// Of a connection: the window of `topic`, 0 for publishes by name; null when it is not open.
Window* find_window(Connection& connection, std::uint32_t topic);

}  // namespace sluice::shard
