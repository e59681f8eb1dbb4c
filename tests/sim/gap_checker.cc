// Is every hole in what a subscription saw told where it is, with the reason, exactly once?

#include <algorithm>
#include <set>

#include "tests/sim/books.h"

namespace sluice::sim {
namespace {

using testing::Told;
using wire::GapReason;

bool has_step(const Subscribed& subscribed, std::string_view step) {
  return subscribed.overflow.find(step) != std::string::npos;
}

// Whether something can go missing for that reason.
bool is_possible(const Subscribed& subscribed, GapReason reason) {
  switch (reason) {
    case GapReason::kDroppedOldest:
      return has_step(subscribed, "drop_oldest");
    case GapReason::kDroppedNewest:
      return has_step(subscribed, "drop_newest");
    case GapReason::kConflated:
      return has_step(subscribed, "conflate");
    case GapReason::kLagged:
      return subscribed.max_lag_ns > 0;
    case GapReason::kRejected:
      return has_step(subscribed, "reject");
    default:
      return true;
  }
}

class GapChecker final : public Checker {
 public:
  std::string_view name() const override { return "gaps"; }

  void at_rest(const World& world) override {
    const Books books(world);
    for (const QueueBook& book : books.queues()) {
      for (const std::size_t place : book.members) {
        const Subscribed& subscribed = world.history().subscriptions[place];
        if (!book.shared) check_holes(world, subscribed, book);
      }
      if (book.shared) check_shared(world, book);
      check_sums(book);
    }
  }

 private:
  const std::vector<Told>& told_of(const World& world, const Subscribed& subscribed) {
    static const std::vector<Told> kNone;
    const auto& all = world.history().actors[subscribed.actor].client->told();
    const auto found = all.find(subscribed.id);
    return found == all.end() ? kNone : found->second;
  }

  // Every sequence once: delivered, or in the hole that gaps tell of where it is.
  void check_holes(const World& world, const Subscribed& subscribed, const QueueBook& book) {
    const std::string& who = subscribed.shown_name;
    std::uint64_t next = 1;  // behind what was delivered last
    std::uint64_t missing = 0;
    std::uint64_t last = 0;       // of the gaps since
    std::uint64_t conflated = 0;  // of those missing
    const auto close = [&](std::uint64_t at) {
      if (next + missing == at && (missing == 0 || last < at)) return;
      broken(who + " has #" + std::to_string(at) + " behind #" + std::to_string(next - 1) +
             " where gaps tell of " + std::to_string(missing) + ", the last #" +
             std::to_string(last));
    };
    for (const Told& told : told_of(world, subscribed)) {
      if (told.count == 0) {
        close(told.sequence);
        next = told.sequence + 1;
        missing = last = conflated = 0;
        continue;
      }
      if (told.sequence < next || told.count > told.last - told.sequence + 1) {
        broken(who + " was told of a gap #" + std::to_string(told.sequence) + "-" +
               std::to_string(told.last) + " of " + std::to_string(told.count) + " behind #" +
               std::to_string(next - 1));
      }
      if (!is_possible(subscribed, told.reason)) {
        broken(who + " was told of a gap for " + std::string(wire::gap_reason_name(told.reason)));
      }
      missing += told.count;
      last = std::max(last, told.last);
      if (told.reason == GapReason::kConflated) conflated += told.count;
    }
    const bool is_there = subscribed.end_said == kNotYet && subscribed.end_heard == kNotYet;
    if (!is_there || subscribed.heard == kNotYet || book.lives != 1) return;
    close(book.ledger.matched + 1);
    // The newest of all stands for others, and nothing for it.
    if (conflated > 0 && conflated == missing) broken(who + " was not given the newest message");
  }

  // The members together: every sequence once.
  void check_shared(const World& world, const QueueBook& book) {
    if (book.lives != 1) return;
    std::set<std::uint64_t> sequences;
    std::uint64_t missing = 0;
    for (const std::size_t place : book.members) {
      const Subscribed& subscribed = world.history().subscriptions[place];
      for (const Told& told : told_of(world, subscribed)) {
        if (told.count > 0) {
          missing += told.count;
        } else if (!sequences.insert(told.sequence).second) {
          broken(book.name + " got #" + std::to_string(told.sequence) + " twice");
        }
      }
    }
    if (!book.whole) return;
    if (sequences.size() + missing != book.ledger.matched ||
        (!sequences.empty() && *sequences.rbegin() > book.ledger.matched)) {
      broken(book.name + " matched " + std::to_string(book.ledger.matched) + ", saw " +
             std::to_string(sequences.size()) + " and was told of " + std::to_string(missing));
    }
  }

  // What is told is what the ledger says, by reason; of one that ended perhaps not all of it.
  void check_sums(const QueueBook& book) {
    for (std::size_t i = 0; i < queue::kGapReasons; ++i) {
      const std::uint64_t lost = book.ledger.dropped[i];
      if (book.whole ? book.told[i] == lost : book.told[i] <= lost) continue;
      broken(book.name + " lost " + std::to_string(lost) + " by " +
             std::string(wire::gap_reason_name(static_cast<GapReason>(i + 1))) +
             " and was told of " + std::to_string(book.told[i]));
    }
    // What was in flight when its connection went is discarded, though it may have arrived. What
    // counts as delivered was handed to a socket, so it was seen.
    const std::uint64_t least = book.ledger.delivered;
    const std::uint64_t most = least + (book.cut ? book.ledger.discarded : 0);
    if (least <= book.seen && book.seen <= most) return;
    broken(book.name + " saw " + std::to_string(book.seen) + " where the ledger delivered " +
           std::to_string(book.ledger.delivered));
  }
};

}  // namespace

std::unique_ptr<Checker> make_gap_checker() { return std::make_unique<GapChecker>(); }

}  // namespace sluice::sim
