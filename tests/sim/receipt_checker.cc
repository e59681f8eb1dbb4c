// Is there one receipt for each publish that wants one, and does it agree with itself?

#include <algorithm>
#include <map>

#include "tests/sim/books.h"

namespace sluice::sim {
namespace {

using wire::ReceiptStatus;

constexpr std::uint16_t kErrorCodesFrom = 100;  // below: gap reasons

class ReceiptChecker final : public Checker {
 public:
  std::string_view name() const override { return "receipts"; }

  void at_rest(const World& world) override {
    const History& history = world.history();
    for (const Published& published : history.publishes) {
      const Actor& actor = history.actors[published.actor];
      const bool there = !actor.left && actor.gone == kNotYet;
      const bool wants = !published.never_told() && !published.told_problems();
      who_ = actor.name + ": receipt of " + std::to_string(published.number);
      if (published.receipts > 1) broken(who_ + " came more than once");
      if (published.receipts == 0 && wants && there) broken(who_ + " has not come");
    }
    for (const Actor& actor : history.actors) {
      for (const testing::ReceiptRow& row : actor.client->receipts()) {
        who_ = actor.name + ": receipt of " + std::to_string(row.first);
        check_row(history, actor, row);
      }
    }
  }

 private:
  void check_row(const History& history, const Actor& actor, const testing::ReceiptRow& row) {
    const wire::Receipt& r = row.receipt;
    std::uint64_t messages = 0;
    auto it = actor.publishes.lower_bound(row.first);
    for (; it != actor.publishes.end() && it->first <= row.last; ++it) {
      const Published& published = history.publishes[it->second];
      if (published.never_told()) continue;
      if (published.told_problems() && r.status == ReceiptStatus::kAccepted) continue;
      messages += published.messages;
      check_needs(published, row);
    }
    if (messages != r.messages) {
      broken(who_ + " counts " + std::to_string(r.messages) + " messages of " +
             std::to_string(messages));
    }
    if (r.matched != r.accepted + r.spilled + r.dropped + r.rejected) {
      broken(who_ + " does not add up");
    }
    if (messages > 0 && r.matched % messages != 0 && row.first == row.last) {
      broken(who_ + " matched part of a publish");
    }
    check_status(r);
    check_refused(row);
  }

  void check_status(const wire::Receipt& r) {
    const bool taken = r.accepted + r.spilled > 0;
    const bool lost = r.dropped + r.rejected > 0;
    bool right = true;
    switch (r.status) {
      case ReceiptStatus::kAccepted:
        right = !lost && r.reason == 0;
        break;
      case ReceiptStatus::kPartial:
        right = taken && r.dropped > 0 && r.rejected == 0 && r.reason == 0;
        break;
      default:
        right = !taken && r.reason != 0;
    }
    if (!right) broken(who_ + " has a status that its counts do not have");
    const bool durable = r.durability != wire::Durability::kNone;
    if (durable != taken) broken(who_ + " has a durability that its counts do not have");
  }

  // Who did not take it is named, with as many copies as were not taken.
  void check_refused(const testing::ReceiptRow& row) {
    const wire::Receipt& r = row.receipt;
    std::uint64_t dropped = 0;
    std::uint64_t rejected = 0;
    for (const testing::Refused& refused : row.refused) {
      (refused.reason < kErrorCodesFrom ? dropped : rejected) += refused.copies;
    }
    const bool all = r.unlisted == 0;
    if (all ? dropped != r.dropped : dropped > r.dropped) {
      broken(who_ + " dropped " + std::to_string(r.dropped) + " and names " +
             std::to_string(dropped));
    }
    if (rejected > r.rejected) broken(who_ + " names more rejected copies than there are");
  }

  // One that ended between the asking and the taking needs nothing any more; one that came then is
  // not meant.
  void check_needs(const Published& published, const testing::ReceiptRow& row) {
    const wire::Receipt& r = row.receipt;
    std::uint64_t ended = 0;
    for (const testing::Refused& refused : row.refused) {
      const bool left =
          refused.reason == static_cast<std::uint16_t>(wire::GapReason::kDisconnected);
      if (left) ended += refused.copies;
    }
    if (published.need_all && r.accepted > 0 && r.dropped > ended && r.unlisted == 0) {
      broken(who_ + " needs all and was taken in part");
    }
    if (r.status != ReceiptStatus::kAccepted && r.status != ReceiptStatus::kPartial) return;
    for (const testing::Refused& refused : row.refused) {
      for (const std::string& name : published.need_names) {
        if (refused.name == name) broken(who_ + " needs " + name + " that did not take it");
      }
    }
    for (const std::string& name : published.need_names) {
      if (name == "nobody") broken(who_ + " needs nobody there and was taken");
    }
  }

  std::string who_;
};

}  // namespace

std::unique_ptr<Checker> make_receipt_checker() { return std::make_unique<ReceiptChecker>(); }

}  // namespace sluice::sim
