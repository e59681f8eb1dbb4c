#include "client/src/in_flight.h"

#include <algorithm>
#include <utility>

#include "libs/base/assert.h"

namespace sluice::detail {
namespace {

// A receipt may speak for several publishes; each is told its own number.
template <typename Tell>
void tell(const Tell& tell_it, const Receipt& receipt, std::uint64_t sequence) {
  if (!tell_it) return;
  if (sequence == 0) return tell_it(receipt);
  Receipt numbered = receipt;
  numbered.producer_sequence = sequence;
  tell_it(numbered);
}

}  // namespace

std::uint64_t InFlightPublishes::add(std::shared_ptr<Lane> lane, std::uint64_t messages,
                                     std::vector<ReceiptWaiter> waiters) {
  entries_.push_back({std::move(lane), messages, std::move(waiters)});
  if (entries_.back().is_awaited()) ++in_flight_;
  const std::uint64_t number = first_number_ + entries_.size() - 1;
  trim();
  return number;
}

void InFlightPublishes::keep(OutBatch batch) {
  ASSERT(!entries_.empty() && batch.sequence != 0);
  entries_.back().kept = std::make_unique<OutBatch>(std::move(batch));
}

void InFlightPublishes::resolve(std::uint64_t first, std::uint64_t last, const Receipt& receipt) {
  // A lane hears of each run of its publishes at once; the waiters come last, so that the totals
  // know what they are told.
  const std::uint64_t begin = std::max(first, first_number_);
  const std::uint64_t end = std::min(last + 1, first_number_ + entries_.size());
  std::shared_ptr<Lane> lane;
  std::uint64_t messages = 0;
  std::uint64_t sequence = 0;
  std::vector<std::pair<ReceiptWaiter, std::uint64_t>> waiters;
  const auto tell_lane = [&] {
    if (lane == nullptr) return;
    // The program first: what waits in flush() goes on with the next call.
    tell(lane->options().on_receipt, receipt, sequence);
    lane->on_receipt(receipt, messages);
  };
  for (std::uint64_t number = begin; number < end; ++number) {
    Entry entry = std::exchange(entries_[number - first_number_], {});
    if (entry.lane == nullptr) continue;
    if (entry.is_awaited()) --in_flight_;
    if (entry.lane != lane) {
      tell_lane();
      lane = entry.lane;
      messages = 0;
      sequence = entry.sequence();
    }
    if (entry.kept != nullptr) lane->hub()->release(entry.kept->reserved_bytes);
    messages += entry.messages;
    for (ReceiptWaiter& waiter : entry.waiters) {
      waiters.emplace_back(std::move(waiter), entry.sequence());
    }
  }
  tell_lane();
  trim();
  for (const auto& [waiter, number] : waiters) tell(waiter, receipt, number);
}

void InFlightPublishes::note_deadline(std::uint64_t number, std::shared_ptr<Lane> lane) {
  expiring_.emplace_back(number, std::move(lane));
  if (expiring_.size() > kExpiringKept) expiring_.pop_front();
}

std::shared_ptr<Lane> InFlightPublishes::lane_with_deadline(std::uint64_t number) const {
  const auto found = std::lower_bound(
      expiring_.begin(), expiring_.end(), number,
      [](const auto& entry, std::uint64_t wanted) { return entry.first < wanted; });
  if (found == expiring_.end() || found->first != number) return nullptr;
  return found->second.lock();
}

bool InFlightPublishes::contains(std::uint64_t number) const noexcept {
  return messages_of(number) > 0;
}

std::uint64_t InFlightPublishes::messages_of(std::uint64_t number) const noexcept {
  if (number < first_number_ || number - first_number_ >= entries_.size()) return 0;
  return entries_[number - first_number_].messages;
}

std::vector<InFlightPublishes::Kept> InFlightPublishes::take_kept() {
  std::vector<Kept> all;
  for (Entry& entry : entries_) {
    if (entry.kept == nullptr) continue;
    entry.kept->waiters = std::move(entry.waiters);
    all.push_back({std::move(entry.lane), std::move(*entry.kept)});
    entry = {};
  }
  return all;
}

bool InFlightPublishes::give_up_again(std::uint64_t number, const Error& reason) {
  if (messages_of(number) == 0) return false;
  Entry& entry = entries_[number - first_number_];
  if (entry.kept == nullptr || !entry.kept->is_again) return false;
  Kept given_up{std::move(entry.lane), std::move(*entry.kept)};
  given_up.batch.waiters = std::move(entry.waiters);
  entry = {};
  --in_flight_;
  trim();
  given_up.lane->give_up(given_up.batch, reason);
  return true;
}

std::uint64_t InFlightPublishes::lose(const Error& reason) {
  std::deque<Entry> entries = std::exchange(entries_, {});
  first_number_ = 1;
  in_flight_ = 0;
  expiring_.clear();
  std::uint64_t unknown = 0;
  const Error error = outcome_unknown(reason);
  for (const Entry& entry : entries) {
    if (!entry.is_awaited()) continue;
    unknown += entry.messages;
    entry.lane->on_outcome_unknown(entry.messages);
    for (const ReceiptWaiter& waiter : entry.waiters) waiter(base::fail(error));
  }
  return unknown;
}

void InFlightPublishes::trim() {
  while (!entries_.empty()) {
    const Entry& front = entries_.front();
    if (front.is_awaited()) return;
    if (front.lane != nullptr && entries_.size() <= kUnansweredKept) return;
    entries_.pop_front();
    ++first_number_;
  }
}

}  // namespace sluice::detail
