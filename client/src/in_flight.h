// in_flight.h: which publishes of this connection have no receipt yet?
//
// Owner:    the publish pump, on the I/O thread.
// Thread:   the I/O thread.
// Limits:   what the broker's grants let out; one entry a batch. Of publishes that are answered
// only
//           when something goes wrong, the latest kUnansweredKept are remembered, and of those with
//           a deadline the latest kExpiringKept.
// Tests:    tests/unit/client/client_test.cc

#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <sluice/message.h>
#include <vector>

#include "client/src/lane.h"

namespace sluice::detail {

class InFlightPublishes {
 public:
  static constexpr std::size_t kUnansweredKept = 4096;
  static constexpr std::size_t kExpiringKept = 16384;

  /// The number for the next publish, which is counted as sent.
  std::uint64_t add(std::shared_ptr<Lane> lane, std::uint64_t messages,
                    std::vector<ReceiptWaiter> waiters);

  /// The latest publish is `batch`, which is numbered: it is kept until its receipt comes.
  void keep(OutBatch batch);

  /// `receipt` is the outcome of the publishes first..last; numbers that are not in flight are
  /// passed over. Tells lanes and waiters.
  void resolve(std::uint64_t first, std::uint64_t last, const Receipt& receipt);
  /// `number` has a deadline: copies of it may expire after its receipt.
  void note_deadline(std::uint64_t number, std::shared_ptr<Lane> lane);
  /// Whose publish with a deadline that was; null when that is too long ago.
  std::shared_ptr<Lane> lane_with_deadline(std::uint64_t number) const;
  bool contains(std::uint64_t number) const noexcept;
  std::uint64_t messages_of(std::uint64_t number) const noexcept;

  struct Kept {
    std::shared_ptr<Lane> lane;
    OutBatch batch;
  };
  /// The connection is gone: what is to be sent again, in the order in which it was sent.
  std::vector<Kept> take_kept();
  /// Publish `number` was sent before, and the broker cannot tell any more what became of it. False
  /// when it is none that was sent before.
  bool give_up_again(std::uint64_t number, const Error& reason);
  /// After take_kept(): everything in flight has an unknown outcome. Numbers start anew.
  /// Returns how many messages that are.
  std::uint64_t lose(const Error& reason);

  std::size_t size() const noexcept { return in_flight_; }

 private:
  struct Entry {
    std::shared_ptr<Lane> lane;  // null: resolved, or never to be
    std::uint64_t messages = 0;
    std::vector<ReceiptWaiter> waiters{};
    std::unique_ptr<OutBatch> kept{};  // with what it is sent again; without its waiters

    std::uint64_t sequence() const { return kept == nullptr ? 0 : kept->sequence; }
    bool is_awaited() const {
      return lane != nullptr && lane->options().receipts == Receipts::kAll;
    }
  };
  void trim();

  std::uint64_t first_number_ = 1;  // of entries_.front()
  std::deque<Entry> entries_;
  std::size_t in_flight_ = 0;
  std::deque<std::pair<std::uint64_t, std::weak_ptr<Lane>>> expiring_;  // rising; of kExpiringKept
};

}  // namespace sluice::detail
