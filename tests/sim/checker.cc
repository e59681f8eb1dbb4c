#include "tests/sim/checker.h"

#include <algorithm>
#include <map>
#include <set>

namespace sluice::sim {

using testing::ReceiptRow;
using testing::Told;

namespace {

class Checker {
 public:
  explicit Checker(Scenario& scenario) : scenario_(scenario) {}

  std::string run() {
    if (!scenario_.broker().idle()) tell_what_is_left();
    count_deliveries();
    for (const auto& actor : scenario_.actors()) {
      who_ = "client " + std::to_string(&actor - scenario_.actors().data());
      check_receipts(*actor);
      for (const std::uint32_t id : actor->subscriptions) check_subscription(*actor, id);
    }
    check_groups();
    return std::move(broken_);
  }

 private:
  void broken(const std::string& what) { broken_ += who_ + ": " + what + "\n"; }

  void tell_what_is_left() {
    for (std::size_t i = 0; i < scenario_.broker().size(); ++i) {
      const model::ShardStatus status = scenario_.broker().shard(i).status(1000);
      broken("shard " + std::to_string(i) + " has " + std::to_string(status.publishes_pending) +
             " publishes pending");
      for (const model::SubscriptionStatus& s : status.subscription_list) {
        if (s.queued + s.waiting == 0) continue;
        broken("  " + s.name + " " + s.overflow + " max " + std::to_string(s.max_messages) + ", " +
               std::to_string(s.max_bytes) + " B, lag " + std::to_string(s.max_lag_ns) +
               ": queued " + std::to_string(s.queued) + ", waiting " + std::to_string(s.waiting) +
               ", credit " + std::to_string(s.credit_messages) + ", " +
               std::to_string(s.credit_bytes) + " B");
      }
    }
  }

  void count_deliveries() {
    for (const auto& actor : scenario_.actors()) {
      for (const auto& [id, list] : actor->client->told()) {
        for (const Told& told : list) {
          if (told.count == 0) ++delivered_[told.payload];
        }
      }
    }
  }

  // One receipt for every publish of a client that is still there; and what it says of copies adds
  // up and is no less than what was seen.
  void check_receipts(const Actor& actor) {
    std::map<std::uint64_t, int> receipts;
    for (const ReceiptRow& row : actor.client->receipts()) {
      check_receipt(actor, row);
      for (std::uint64_t number = row.first; number <= row.last; ++number) ++receipts[number];
    }
    for (const auto& [number, published] : actor.published) {
      const int count = receipts[number];
      const bool may_miss = actor.left || actor.client->gone();
      const int expected = published.wants_receipt ? 1 : 0;
      if (count == expected || (count == 0 && may_miss)) continue;
      broken("publish " + std::to_string(number) + " has " + std::to_string(count) + " receipts");
    }
  }

  void check_receipt(const Actor& actor, const ReceiptRow& row) {
    const wire::Receipt& r = row.receipt;
    const std::string name = "receipt " + std::to_string(row.first);
    if (r.matched != r.accepted + r.dropped + r.rejected) broken(name + " does not add up");
    const bool refused =
        r.status == wire::ReceiptStatus::kRejected || r.status == wire::ReceiptStatus::kExpired;
    if (refused && r.accepted != 0) broken(name + " is rejected and accepted");
    std::uint64_t seen = 0;
    std::uint64_t messages = 0;
    for (std::uint64_t number = row.first; number <= row.last; ++number) {
      const auto published = actor.published.find(number);
      if (published == actor.published.end()) {
        broken(name + " is of something that was not published");
        continue;
      }
      messages += published->second.payloads.size();
      for (const std::string& payload : published->second.payloads) seen += delivered_[payload];
    }
    if (seen > r.accepted) {
      broken(name + " accepted " + std::to_string(r.accepted) + ", delivered " +
             std::to_string(seen));
    }
    if (messages != r.messages) broken(name + " counts other messages");
    const bool whole = r.dropped == 0 && r.rejected == 0;
    if ((r.status == wire::ReceiptStatus::kAccepted) != (whole && !refused)) {
      broken(name + " has a status that its counts do not");
    }
  }

  // In order, each once, and every hole is told where it is.
  void check_subscription(const Actor& actor, std::uint32_t id) {
    const auto found = actor.client->told().find(id);
    const std::string name = "subscription " + std::to_string(id);
    std::uint64_t next = 1;
    std::uint64_t missing = 0;
    std::uint64_t messages = 0;
    std::uint64_t dropped = 0;
    std::map<std::string, std::uint64_t> last_of_publisher;
    if (found != actor.client->told().end()) {
      for (const Told& told : found->second) {
        if (told.count != 0) {
          missing += told.count;
          dropped += told.count;
          continue;
        }
        if (told.sequence != next + missing) {
          broken(name + " got #" + std::to_string(told.sequence) + " where " +
                 std::to_string(next) + " and " + std::to_string(missing) + " missing came before");
        }
        check_order(told, last_of_publisher, name);
        next = told.sequence + 1;
        missing = 0;
        ++messages;
      }
    }
    const auto account = actor.client->accounts().find(id);
    if (account == actor.client->accounts().end()) return;
    const wire::Unsubscribed& a = account->second;
    if (a.matched != a.delivered + a.dropped + a.discarded) broken(name + " account is wrong");
    if (a.delivered != messages) broken(name + " account has other deliveries");
    if (a.dropped < dropped) broken(name + " account has fewer drops");
  }

  void check_order(const Told& told, std::map<std::string, std::uint64_t>& last,
                   const std::string& name) {
    const std::uint64_t number = std::stoull(told.payload);
    std::uint64_t& before = last[publisher_of(told.payload) + " " + told.topic];
    if (number <= before) {
      broken(name + " got message " + std::to_string(number) + " after " + std::to_string(before));
    }
    before = number;
  }

  std::string publisher_of(const std::string& payload) {
    if (publisher_.empty()) {
      for (const auto& actor : scenario_.actors()) {
        const std::string key = std::to_string(&actor - scenario_.actors().data());
        for (const auto& [number, published] : actor->published) {
          for (const std::string& each : published.payloads) publisher_[each] = key;
        }
      }
    }
    return publisher_[payload];
  }

  // A message that a group took goes to one of its members.
  void check_groups() {
    who_ = "groups";
    std::map<std::string, std::set<std::string>> seen;
    for (const auto& actor : scenario_.actors()) {
      for (const auto& [id, group] : actor->groups) {
        const auto found = actor->client->told().find(id);
        if (found == actor->client->told().end()) continue;
        for (const Told& told : found->second) {
          if (told.count == 0 && !seen[group].insert(told.payload).second) {
            broken(group + " delivered " + told.payload + " twice");
          }
        }
      }
    }
  }

  Scenario& scenario_;
  std::string who_ = "broker";
  std::string broken_;
  std::map<std::string, std::uint64_t> delivered_;
  std::map<std::string, std::string> publisher_;
};

}  // namespace

std::string broken_promises(Scenario& scenario) { return Checker(scenario).run(); }

}  // namespace sluice::sim
