// inspection.h: what do operators want to know of a shard?
//
// Answers are made in parts: each call looks at no more than kPart subscriptions and gives the
// thread back, so that a question of a million subscriptions stalls nobody. Between two parts the
// shard goes on; each row is true for itself.
//
// Owner:    Shard. Borrows its parts.
// Thread:   the owner shard only.
// Limits:   kPart; kWaitingLooked publishes that wait; lists as the query says.
// Order:    the same cursor, from a new one on, until the answer is false.
// Tests:    tests/unit/broker/shard/inspection_test.cc

#pragma once

#include <functional>
#include <string>
#include <vector>

#include "broker/model/account.h"
#include "broker/model/drop_page.h"
#include "broker/model/explanation.h"
#include "broker/shard/core.h"
#include "broker/shard/publishing.h"
#include "broker/shard/subscriptions.h"

namespace sluice::shard {

class Inspection {
 public:
  static constexpr std::size_t kPart = 1000;
  static constexpr std::size_t kWaitingLooked = 50'000;

  /// Where an answer in parts goes on.
  struct Cursor {
    std::size_t slot = 0;                    // of a subscription
    std::vector<std::uint64_t> connections;  // still to be listed, by id
    bool begun = false;
  };

  Inspection(Core& core, Subscriptions& subscriptions, const Publishing& publishing)
      : core_(core), subscriptions_(subscriptions), publishing_(publishing) {}

  /// True while there is more to look at.
  bool status(std::size_t limit, Cursor& cursor, model::ShardStatus& answer);
  bool audit(const model::AccountQuery& query, Cursor& cursor, model::AccountPage& answer);
  bool explain(const model::ExplainQuery& query, Cursor& cursor, model::Explanation& answer);
  model::DropPage drops(const model::DropQuery& query) const;

 private:
  bool look_at_part(Cursor& cursor, const std::function<void(Subscription&)>& visit);
  model::SubscriptionStatus status_of(Subscription& subscription);
  model::ConnectionStatus status_of(const Connection& connection) const;
  void reckon(const model::AccountQuery& query, std::uint64_t last_mark, base::MonotonicTime began,
              model::Account& account) const;
  void take_in(const model::AccountQuery& query, model::Account&& account,
               model::AccountPage& answer) const;
  void audit_ended(const model::AccountQuery& query, model::AccountPage& answer) const;
  std::int64_t ago(base::MonotonicTime time) const { return (core_.now - time).count(); }

  /// Of a limit; empty when it has none or has gone.
  std::string name_of(std::uint32_t number) const;
  void add(Subscription& subscription, std::size_t limit, model::Explanation& answer);
  void add(Connection& connection, Window& window, std::uint32_t topic, std::size_t limit,
           model::Explanation& answer);
  void explain_topic(const model::ExplainQuery& query, model::Explanation& answer);
  void explain_connections(const model::ExplainQuery& query, model::Explanation& answer);
  void explain_connection(Connection& connection, std::size_t limit, model::Explanation& answer);
  void add_blocked_by(const model::ExplainQuery& query, model::Explanation& answer);

  Core& core_;
  Subscriptions& subscriptions_;
  const Publishing& publishing_;
};

}  // namespace sluice::shard
