// Is what receipts told of each publish what became of it? Compared with what subscribers saw and
// with the ledgers, exactly wherever the publisher was told all.

#include <algorithm>
#include <numeric>

#include "tests/sim/books.h"

namespace sluice::sim {
namespace {

using wire::GapReason;

// What may still be lost for this reason after a receipt said accepted.
bool may_come_later(GapReason reason) {
  return reason == GapReason::kDroppedOldest || reason == GapReason::kLagged ||
         reason == GapReason::kExpired || reason == GapReason::kCancelled ||
         reason == GapReason::kConflated || reason == GapReason::kSqueezed ||
         reason == GapReason::kSpillLost;
}

class OutcomeChecker final : public Checker {
 public:
  std::string_view name() const override { return "outcome"; }

  void at_rest(const World& world) override {
    const Books books(world);
    for (const QueueBook& book : books.queues()) {
      check_matched(world, books, book);
      check_reasons(world, books, book);
      check_each(world, books, book);
    }
    check_receipts(world, books);
    check_all_matched(world, books);
    check_later(world, books);
  }

 private:
  void check_matched(const World& world, const Books& books, const QueueBook& book) {
    std::uint64_t least = 0;
    std::uint64_t most = 0;
    for (const Published& published : world.history().publishes) {
      least += books.copies_least(published, book);
      most += books.copies_most(published, book);
    }
    if (least <= book.ledger.matched && book.ledger.matched <= most) return;
    broken(book.name + " matched " + std::to_string(book.ledger.matched) + " where " +
           std::to_string(least) + " to " + std::to_string(most) + " were published");
  }

  // What publishers of messages to this queue cannot know.
  std::uint64_t untold(const World& world, const Books& books, const QueueBook& book) {
    std::uint64_t sum = 0;
    for (const Published& published : world.history().publishes) {
      const bool listed =
          published.receipts == 0 ? false : books.row(published).receipt.unlisted == 0;
      if (listed || books.outcome(published) == Outcome::kNothing) continue;
      if (published.receipts == 0 && books.outcome(published) == Outcome::kPushed) continue;
      sum += books.copies_most(published, book);
    }
    return sum;
  }

  // A receipt names one reason for a queue that refused for several, so sums are compared; but no
  // reason is named for which nothing was lost.
  void check_reasons(const World& world, const Books& books, const QueueBook& book) {
    const std::uint64_t unknown = untold(world, books, book);
    std::uint64_t lost = 0;
    std::uint64_t lost_at_once = 0;
    std::uint64_t refused = 0;
    for (std::size_t i = 0; i < queue::kGapReasons; ++i) {
      const auto reason = static_cast<GapReason>(i + 1);
      // What waited when its subscription ended is discarded there and disconnected in a receipt.
      const std::uint64_t ended = reason == GapReason::kDisconnected ? book.ledger.discarded : 0;
      lost += book.ledger.dropped[i] + ended;
      if (!may_come_later(reason)) lost_at_once += book.ledger.dropped[i];
      refused += book.refused[i];
      if (book.refused[i] == 0 || book.ledger.dropped[i] + ended > 0) continue;
      broken(book.name + " lost nothing by " + std::string(wire::gap_reason_name(reason)) +
             " where receipts tell of " + std::to_string(book.refused[i]));
    }
    if (refused <= lost && lost_at_once <= refused + unknown) return;
    broken(book.name + " lost " + std::to_string(lost) + ", " + std::to_string(lost_at_once) +
           " of them at once, where receipts tell of " + std::to_string(refused) + " and " +
           std::to_string(unknown) + " have none");
  }

  // By publish: no more was seen than taken; and as much, where nothing was lost afterwards.
  void check_each(const World& world, const Books& books, const QueueBook& book) {
    const bool exact =
        book.whole && !book.cut && untold(world, books, book) == 0 &&
        std::accumulate(book.refused.begin(), book.refused.end(), std::uint64_t{0}) ==
            std::accumulate(book.ledger.dropped.begin(), book.ledger.dropped.end(),
                            std::uint64_t{0});
    const History& history = world.history();
    for (std::size_t place = 0; place < history.publishes.size(); ++place) {
      const Published& published = history.publishes[place];
      const std::uint64_t seen = book.seen_of[place];
      const std::uint64_t refused = book.refused_of[place];
      const std::uint64_t most = books.copies_most(published, book);
      const std::uint64_t least = books.copies_least(published, book);
      const bool right = seen + refused <= most && (!exact || seen + refused >= least);
      if (right) continue;
      broken(book.name + " saw " + std::to_string(seen) + " of publish " +
             std::to_string(published.number) + " of c" + std::to_string(published.actor) +
             " and refused " + std::to_string(refused) + " where it was due " +
             std::to_string(least) + " to " + std::to_string(most));
    }
  }

  // A receipt's counts are those of the queues together.
  void check_receipts(const World& world, const Books& books) {
    for (const Actor& actor : world.history().actors) {
      for (const testing::ReceiptRow& row : actor.client->receipts()) {
        check_receipt(world, books, actor, row);
      }
    }
  }

  void check_receipt(const World& world, const Books& books, const Actor& actor,
                     const testing::ReceiptRow& row) {
    std::uint64_t least = 0;
    std::uint64_t most = 0;
    std::uint64_t seen = 0;
    auto it = actor.publishes.lower_bound(row.first);
    for (; it != actor.publishes.end() && it->first <= row.last; ++it) {
      const Published& published = world.history().publishes[it->second];
      if (published.receipts == 0) continue;
      for (const QueueBook& book : books.queues()) {
        least += books.copies_least(published, book);
        most += books.copies_most(published, book);
        seen += book.seen_of[it->second];
      }
    }
    const wire::Receipt& r = row.receipt;
    const std::uint64_t pushed = r.matched - r.rejected;
    if (least <= pushed && pushed <= most && seen <= r.accepted + r.spilled) return;
    broken(actor.name + ": receipt of " + std::to_string(row.first) + " matched " +
           std::to_string(pushed) + " and accepted " + std::to_string(r.accepted) + " where " +
           std::to_string(least) + " to " + std::to_string(most) + " were due and " +
           std::to_string(seen) + " were seen");
  }

  // Where every publish has its receipt: what they say was matched is what the ledgers say.
  void check_all_matched(const World& world, const Books& books) {
    const std::vector<Published>& publishes = world.history().publishes;
    const bool told = std::all_of(publishes.begin(), publishes.end(),
                                  [](const Published& one) { return one.receipts == 1; });
    if (!told) return;
    std::uint64_t said = 0;
    for (const Actor& actor : world.history().actors) {
      for (const testing::ReceiptRow& row : actor.client->receipts()) {
        said += row.receipt.matched - row.receipt.rejected;
      }
    }
    std::uint64_t matched = 0;
    for (const QueueBook& book : books.queues()) matched += book.ledger.matched;
    if (said == matched) return;
    broken("ledgers matched " + std::to_string(matched) + " copies and receipts tell of " +
           std::to_string(said));
  }

  // What was withdrawn and what expired after its receipt is told as much as it was.
  void check_later(const World& world, const Books& books) {
    const History& history = world.history();
    std::uint64_t cancelled = 0;
    std::uint64_t expired = 0;
    for (const Actor& actor : history.actors) {
      for (const testing::Withdrawn& each : actor.client->withdrawn()) {
        if (each.expired) expired += each.copies;
        const auto it = actor.publishes.find(each.publish);
        if (it == actor.publishes.end()) {
          if (each.publish != 0) broken(actor.name + " was told of a publish it did not make");
          continue;
        }
        const Published& published = history.publishes[it->second];
        const bool pushed = books.outcome(published) != Outcome::kNothing;
        if (!each.expired && pushed) cancelled += each.copies;
        check_withdrawn(published, books, it->second, each);
      }
    }
    check_sums(world, books, expired, cancelled);
  }

  // Where every publisher is there to hear of it, and asked to.
  void check_sums(const World& world, const Books& books, std::uint64_t expired,
                  std::uint64_t cancelled) {
    const auto& actors = world.history().actors;
    const bool all =
        world.profile().all_receipts &&
        std::all_of(actors.begin(), actors.end(), [](const Actor& actor) { return actor.acts(); });
    // Beyond the subscriptions that a receipt names it does not tell why.
    const bool named = std::all_of(actors.begin(), actors.end(), [](const Actor& actor) {
      const auto& rows = actor.client->receipts();
      return std::all_of(rows.begin(), rows.end(),
                         [](const auto& row) { return row.receipt.unlisted == 0; });
    });
    if (!all || !named) return;
    std::uint64_t expired_late = 0;
    std::uint64_t lost = 0;
    for (const QueueBook& book : books.queues()) {
      const std::size_t at = queue::index_of(GapReason::kExpired);
      expired_late += book.ledger.dropped[at] - book.refused[at];
      lost += book.ledger.dropped[queue::index_of(GapReason::kCancelled)];
    }
    if (expired != expired_late) {
      broken(std::to_string(expired_late) + " copies expired after their receipt and " +
             std::to_string(expired) + " were told");
    }
    if (cancelled != lost) {
      broken(std::to_string(lost) + " copies were withdrawn from queues and " +
             std::to_string(cancelled) + " were told");
    }
  }

  void check_withdrawn(const Published& published, const Books& books, std::size_t place,
                       const testing::Withdrawn& withdrawn) {
    if (published.receipts == 0 || withdrawn.copies == 0) return;
    const testing::ReceiptRow& row = books.row(published);
    if (row.first != row.last) return;
    const bool nothing = books.outcome(published) == Outcome::kNothing;
    std::uint64_t seen = 0;
    for (const QueueBook& book : books.queues()) seen += book.seen_of[place];
    const std::uint64_t most = nothing ? published.messages : row.receipt.matched;
    if (seen + withdrawn.copies <= most) return;
    broken("publish " + std::to_string(published.number) + " of c" +
           std::to_string(published.actor) + ": " + std::to_string(withdrawn.copies) +
           " were withdrawn or expired and " + std::to_string(seen) + " seen, of " +
           std::to_string(most));
  }
};

}  // namespace

std::unique_ptr<Checker> make_outcome_checker() { return std::make_unique<OutcomeChecker>(); }

}  // namespace sluice::sim
