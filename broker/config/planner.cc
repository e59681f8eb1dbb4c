#include "broker/config/planner.h"

#include <algorithm>

#include "broker/config/plan_lines.h"
#include "libs/base/assert.h"
#include "libs/base/units.h"

namespace sluice::config {
namespace {

PlanLine first_connection(const Settings& s) {
  const Size frame = s.connection.max_frame;
  return {"one connection with its largest frame",
          base::format_size(kConnectionBytes) + " + " + base::format_size(frame),
          plus(kConnectionBytes, frame)};
}

// Of one subscription that chose nothing: its queue, and its spill, which is kept in memory.
Size default_queue(const Settings& s) {
  for (const std::string& step : s.subscription.overflow) {
    if (!step.starts_with("spill")) continue;
    const auto said = base::parse_size(step.substr(std::min<std::size_t>(step.size(), 6)));
    return plus(s.subscription.queue_bytes, said ? *said : s.subscription.spill_bytes);
  }
  return s.subscription.queue_bytes;
}

std::vector<PlanLine> needed(const Settings& s) {
  const Size shards = s.node.shards;
  std::vector<PlanLine> lines = {
      product("the process itself", {{kProcessBytes, nullptr}}),
      product("shards", {{shards, "shards"}, {kShardBytes, nullptr}}),
      product("mailboxes", {{shards * (shards - 1), "pairs"},
                            {s.mailbox.entries, "entries"},
                            {kMailboxEntryBytes, nullptr}}),
      product("one receive slab per shard", {{shards, "shards"}, {s.slab.bytes, nullptr}}),
      first_connection(s),
      product("one default queue, full", {{default_queue(s), nullptr}}),
  };
  for (PlanLine& line : history(s)) lines.push_back(std::move(line));
  return lines;
}

std::vector<PlanLine> worst_case(const Settings& s) {
  const Size connections = s.connection.max_connections;
  return {
      product("idle slabs kept for reuse",
              {{s.node.shards, "shards"}, {s.slab.idle_max, "slabs"}, {s.slab.bytes, nullptr}}),
      product("idle connections", {{connections, "connections"}, {kConnectionBytes, nullptr}}),
      unsent_output(s),
      product("a subscription for each of them",
              {{connections, "subscriptions"}, {kSubscriptionBytes, nullptr}}),
      product("their default queues, full", {{connections, "queues"}, {default_queue(s), nullptr}}),
      product("topics", {{s.topic.max_topics, "topics"}, {kTopicBytes, nullptr}}),
  };
}

}  // namespace

Plan make_plan(const Settings& settings) {
  ASSERT(settings.node.shards > 0);
  Plan plan;
  plan.budget = settings.node.memory_budget;
  plan.needed = needed(settings);
  plan.worst_case = worst_case(settings);
  for (const PlanLine& line : plan.needed) {
    plan.needed_bytes = plus(plan.needed_bytes, line.bytes);
  }
  plan.worst_case_bytes = plan.needed_bytes;
  for (const PlanLine& line : plan.worst_case) {
    plan.worst_case_bytes = plus(plan.worst_case_bytes, line.bytes);
  }
  if (plan.fits()) {
    // The one queue that is needed counts as well.
    plan.full_queues = (plan.budget - plan.needed_bytes) / default_queue(settings) + 1;
  }
  return plan;
}

std::string Plan::needed_text() const {
  return "needed for the broker's own work and for the first client:\n" + rows(needed) +
         row("sum", "", needed_bytes) + row("node.memory_budget", "", budget);
}

std::string Plan::text() const {
  std::string out = needed_text();
  out += "worst case, if all clients use their bounds at once, beyond the above:\n" +
         rows(worst_case) + row("sum of both", "", worst_case_bytes);
  if (!fits()) return out + "This cannot fit.\n";
  if (worst_case_fits()) return out + "Even the worst case fits.\n";
  return out + "The worst case exceeds the budget by " +
         base::human_size(static_cast<double>(worst_case_bytes - budget)) +
         ". The budget is kept all the same: from 85 % of it on the largest queues\n"
         "are squeezed, and in the end publishes are refused with memory-budget. Without that, " +
         std::to_string(full_queues) +
         "\ndefault queues may be full at the same time. `sluice plan` "
         "finds bounds that fit.\n";
}

}  // namespace sluice::config
