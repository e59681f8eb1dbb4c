// The part of Node that asks its shards for audits, drops and explanations.

#include <algorithm>
#include <memory>
#include <mutex>
#include <utility>

#include "broker/admin/control_json.h"
#include "broker/admin/inspection_json.h"
#include "broker/daemon/node.h"
#include "libs/base/units.h"
#include "libs/wire/topic_name.h"

namespace sluice::daemon {

using base::ErrorCode;

namespace {

using Cursor = shard::Inspection::Cursor;

// One question to all shards, each answering in parts.
template <typename Answer>
class Asking : public std::enable_shared_from_this<Asking<Answer>> {
 public:
  using Step = std::function<bool(shard::Shard&, Cursor&, Answer&)>;
  using Done = std::function<void(std::vector<Answer>&&)>;

  Asking(std::size_t shards, Step step, Done done)
      : left_(shards), step_(std::move(step)), done_(std::move(done)) {}

  void ask(net::ShardLoop& loop) {
    struct State {
      Cursor cursor;
      Answer answer;
    };
    go_on(loop, std::make_shared<State>());
  }

 private:
  template <typename State>
  void go_on(net::ShardLoop& loop, std::shared_ptr<State> state) {
    loop.post([self = this->shared_from_this(), &loop, state](shard::Shard& s) {
      if (self->step_(s, state->cursor, state->answer)) {
        self->go_on(loop, state);
      } else {
        self->take(std::move(state->answer));
      }
    });
  }

  void take(Answer&& answer) {
    bool last = false;
    {
      const std::lock_guard lock(mutex_);
      answers_.push_back(std::move(answer));
      last = --left_ == 0;
    }
    if (last) done_(std::move(answers_));
  }

  std::mutex mutex_;
  std::vector<Answer> answers_;
  std::size_t left_;
  const Step step_;
  const Done done_;
};

model::ControlResult carry_out(const admin::Order& order, shard::Rehearsals& rehearsals) {
  using Kind = admin::Order::Kind;
  switch (order.kind) {
    case Kind::kSlow:
      return rehearsals.slow(order.name, order.delay, order.time);
    case Kind::kStop:
      return rehearsals.stop(order.name);
    case Kind::kPause:
    case Kind::kResume:
      return rehearsals.pause(order.name, order.kind == Kind::kPause);
    case Kind::kList:
      break;
  }
  return rehearsals.list();
}

}  // namespace

void Node::answer(const port::AdminReturn& where, ErrorCode error, std::string body) {
  shards_[where.shard.value()]->post(
      [where, error, body = std::move(body)](shard::Shard& s) { s.reply(where, error, body); });
}

void Node::refuse(const port::AdminReturn& where, const base::Error& error) {
  answer(where, error.code, admin::error_json(error.detail));
}

template <typename Answer>
void Node::ask_shards(std::function<bool(shard::Shard&, Cursor&, Answer&)> step,
                      std::function<void(std::vector<Answer>&&)> done) {
  // What is made of the answers may take long, and no shard has to wait for it.
  auto on_answers = [this, done = std::move(done)](std::vector<Answer>&& answers) {
    auto kept = std::make_shared<std::vector<Answer>>(std::move(answers));
    on_main([done, kept] { done(std::move(*kept)); });
  };
  auto asking =
      std::make_shared<Asking<Answer>>(shards_.size(), std::move(step), std::move(on_answers));
  each_shard([&asking](net::ShardLoop& shard) { asking->ask(shard); });
}

void Node::on_main(std::function<void()> job) {
  {
    const std::lock_guard lock(main_mutex_);
    main_jobs_.push_back(std::move(job));
  }
  main_ready_.post();
}

void Node::run_main_jobs() {
  std::vector<std::function<void()>> jobs;
  {
    const std::lock_guard lock(main_mutex_);
    jobs.swap(main_jobs_);
  }
  for (const auto& job : jobs) job();
}

void Node::gather(std::size_t limit, std::function<void(admin::NodeStatus&&)> done) {
  ask_shards<model::ShardStatus>(
      [limit](shard::Shard& s, Cursor& cursor, model::ShardStatus& part) {
        return s.inspection().status(limit, cursor, part);
      },
      [this, done = std::move(done)](std::vector<model::ShardStatus>&& parts) {
        admin::NodeStatus status;
        status.node = options_.node_name;
        status.version = options_.broker_version;
        status.memory = memory_status();
        status.draining = draining_;
        status.uptime_ms = static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::milliseconds>(clock_.now() - started_at_)
                .count());
        status.shards = std::move(parts);
        done(std::move(status));
      });
}

bool Node::inspect(const port::AdminReturn& where, std::string_view verb, std::string_view body) {
  if (verb == "audit") {
    audit(where, body);
  } else if (verb == "drops") {
    drops(where, body);
  } else if (verb == "explain") {
    explain(where, body);
  } else if (verb.starts_with("rehearse.") || verb.starts_with("subscription.")) {
    control(where, verb, body);
  } else {
    return false;
  }
  return true;
}

void Node::audit(const port::AdminReturn& where, std::string_view body) {
  const auto query = admin::parse_audit(body);
  if (!query) return refuse(where, query.error());
  if (!query->topic.empty()) {
    const auto valid = wire::check_topic(query->topic);
    if (!valid) return refuse(where, valid.error());
  }
  ask_shards<model::AccountPage>(
      [query = *query](shard::Shard& s, Cursor& cursor, model::AccountPage& page) {
        return s.inspection().audit(query, cursor, page);
      },
      [this, where, query = *query](std::vector<model::AccountPage>&& pages) {
        answer(where, ErrorCode::kNone,
               admin::audit_json(std::move(pages), query, where.max_bytes));
      });
}

void Node::drops(const port::AdminReturn& where, std::string_view body) {
  const auto query = admin::parse_drops(body);
  if (!query) return refuse(where, query.error());
  ask_shards<model::DropPage>(
      [query = *query](shard::Shard& s, Cursor&, model::DropPage& page) {
        page = s.inspection().drops(query);
        return false;
      },
      [this, where](std::vector<model::DropPage>&& pages) {
        answer(where, ErrorCode::kNone,
               admin::drops_json(std::move(pages), clock_.wall_now(), where.max_bytes));
      });
}

void Node::explain(const port::AdminReturn& where, std::string_view body) {
  const auto query = admin::parse_explain(body);
  if (!query) return refuse(where, query.error());
  if (query->kind == model::ExplainKind::kTopic) {
    const auto valid = wire::check_topic(query->name);
    if (!valid) return refuse(where, valid.error());
  }
  ask_shards<model::Explanation>(
      [query = *query](shard::Shard& s, Cursor& cursor, model::Explanation& part) {
        return s.inspection().explain(query, cursor, part);
      },
      [this, where, query = *query](std::vector<model::Explanation>&& parts) {
        const bool any = std::any_of(parts.begin(), parts.end(), [](const auto& part) {
          return part.subscription_count + part.connection_count + part.publisher_count != 0;
        });
        if (!any) return refuse(where, {ErrorCode::kNotFound, query.name});
        answer(where, ErrorCode::kNone,
               admin::explain_json(std::move(parts), query, where.max_bytes));
      });
}

void Node::control(const port::AdminReturn& where, std::string_view verb, std::string_view body) {
  const auto order = admin::parse_order(verb, body);
  if (!order) return refuse(where, order.error());
  using Kind = admin::Order::Kind;
  const bool rehearses = order->kind == Kind::kSlow;
  if (rehearses && !settings_.rehearsal.enabled) {
    return refuse(where, {ErrorCode::kRehearsalDisabled, "rehearsal.enabled is false"});
  }
  if (rehearses && order->time > settings_.rehearsal.max_duration) {
    return refuse(
        where, {ErrorCode::kBadArgument,
                "a rehearsal may last " + base::format_duration(settings_.rehearsal.max_duration) +
                    " here (rehearsal.max_duration)"});
  }
  ask_shards<model::ControlResult>(
      [order = *order](shard::Shard& s, Cursor&, model::ControlResult& result) {
        result = carry_out(order, s.rehearsals());
        return false;
      },
      [this, where, order = *order](std::vector<model::ControlResult>&& results) {
        std::uint64_t subscriptions = 0;
        std::uint64_t refused = 0;
        for (const model::ControlResult& result : results) {
          subscriptions += result.subscriptions;
          refused += result.refused;
        }
        if (order.kind != Kind::kList && subscriptions == 0) {
          return refuse(where, {ErrorCode::kNotFound, order.name});
        }
        if (refused != 0) {
          return refuse(where,
                        {ErrorCode::kResourceExhausted,
                         std::to_string(shard::Rehearsals::kMax) + " rehearsals run on one shard"});
        }
        answer(where, ErrorCode::kNone, admin::control_json(results));
      });
}

}  // namespace sluice::daemon
