#include "broker/config/planner.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "libs/base/assert.h"
#include "libs/base/units.h"

namespace sluice::config {
namespace {

Size times(Size a, Size b) {
  Size product = 0;
  return __builtin_mul_overflow(a, b, &product) ? std::numeric_limits<Size>::max() : product;
}

Size plus(Size a, Size b) {
  Size sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? std::numeric_limits<Size>::max() : sum;
}

struct Factor {
  Size value;
  const char* noun;  // null: a size in bytes
};

/// One line: the product of its factors, written out as it is reckoned.
PlanLine product(std::string what, std::initializer_list<Factor> factors) {
  PlanLine line{std::move(what), {}, 1};
  for (const Factor& factor : factors) {
    if (!line.arithmetic.empty()) line.arithmetic += " x ";
    line.arithmetic += factor.noun == nullptr ? base::format_size(factor.value)
                                              : std::to_string(factor.value) + " " + factor.noun;
    line.bytes = times(line.bytes, factor.value);
  }
  return line;
}

std::string human(Size bytes) { return base::human_size(static_cast<double>(bytes)); }

std::string row(const std::string& what, const std::string& arithmetic, Size bytes) {
  std::string left = "  " + what;
  left.resize(std::max<std::size_t>(left.size() + 1, 40), ' ');
  left += arithmetic;
  left.resize(std::max<std::size_t>(left.size() + 1, 80), ' ');
  const std::string amount = human(bytes);
  return left + std::string(amount.size() < 10 ? 10 - amount.size() : 0, ' ') + amount + "\n";
}

std::string rows(const std::vector<PlanLine>& lines) {
  std::string out;
  for (const PlanLine& line : lines) out += row(line.what, line.arithmetic, line.bytes);
  return out;
}

PlanLine first_connection(const Settings& s) {
  const Size frame = s.connection.max_frame;
  return {"one connection with its largest frame",
          base::format_size(kConnectionBytes) + " + " + base::format_size(frame),
          plus(kConnectionBytes, frame)};
}

std::vector<PlanLine> needed(const Settings& s) {
  const Size shards = s.node.shards;
  return {
      product("the process itself", {{kProcessBytes, nullptr}}),
      product("shards", {{shards, "shards"}, {kShardBytes, nullptr}}),
      product("mailboxes", {{shards * (shards - 1), "pairs"},
                            {s.mailbox.entries, "entries"},
                            {kMailboxEntryBytes, nullptr}}),
      product("one receive slab per shard", {{shards, "shards"}, {s.slab.bytes, nullptr}}),
      first_connection(s),
      product("one default queue, full", {{s.subscription.queue_bytes, nullptr}}),
  };
}

std::vector<PlanLine> worst_case(const Settings& s) {
  const Size connections = s.connection.max_connections;
  return {
      product("idle slabs kept for reuse",
              {{s.node.shards, "shards"}, {s.slab.idle_max, "slabs"}, {s.slab.bytes, nullptr}}),
      product("idle connections", {{connections, "connections"}, {kConnectionBytes, nullptr}}),
      product("their unsent output",
              {{connections, "connections"}, {s.connection.output_high, nullptr}}),
      product("a subscription for each of them",
              {{connections, "subscriptions"}, {kSubscriptionBytes, nullptr}}),
      product("their default queues, full",
              {{connections, "queues"}, {s.subscription.queue_bytes, nullptr}}),
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
    plan.full_queues = (plan.budget - plan.needed_bytes) / settings.subscription.queue_bytes + 1;
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
  return out + "The worst case exceeds the budget by " + human(worst_case_bytes - budget) +
         ": every bound is kept by itself, their sum is not.\n" + "Within the budget are " +
         std::to_string(full_queues) + " default queues that are full at the same time.\n";
}

}  // namespace sluice::config
