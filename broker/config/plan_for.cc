#include "broker/config/plan_for.h"

#include <algorithm>
#include <bit>

#include "broker/config/plan_lines.h"
#include "broker/config/setting.h"
#include "libs/base/assert.h"
#include "libs/base/units.h"

namespace sluice::config {
namespace {

// Shares of the budget that one line may take before its bound is made smaller.
constexpr Size kMailboxShare = 32;
constexpr Size kIdleSlabShare = 32;
constexpr Size kHistoryShare = 32;
constexpr Size kFrameShare = 16;

constexpr Size kFrameSpare = kib(4);   // what a frame needs beside its largest message
constexpr Size kRecordBytes = 16;      // lengths of a message in its batch
constexpr Size kFrameLeast = kib(64);  // what settings.def allows
constexpr Size kMailboxLeast = 64;
constexpr Size kQueueBytesLeast = kib(4);

Size minus(Size a, Size b) { return a > b ? a - b : 0; }

Size history_bytes(const Settings& s) {
  Size sum = 0;
  for (const PlanLine& line : history(s)) sum = plus(sum, line.bytes);
  return sum;
}

// Bounds that follow from the wish before anything is summed up.
Settings first_settings(const PlanWish& wish, Size connections) {
  Settings s;
  s.node.memory_budget = wish.memory;
  s.node.shards = wish.shards;
  s.connection.max_connections = std::max<Size>(connections, 1);
  s.topic.max_topics = std::max<Size>(wish.topics, 1);
  const Size frame = std::bit_ceil(std::max(kFrameLeast, plus(wish.message, kFrameSpare)));
  s.connection.max_frame = std::max(s.connection.max_frame, frame);
  while (s.connection.max_frame > frame &&
         times(s.connection.max_frame, wish.publishers) > wish.memory / kFrameShare) {
    s.connection.max_frame /= 2;
  }
  s.topic.grant = 2 * s.connection.max_frame;
  const Size pairs = wish.shards * (wish.shards - 1);
  while (s.mailbox.entries > kMailboxLeast &&
         times(pairs, s.mailbox.entries * kMailboxEntryBytes) > wish.memory / kMailboxShare) {
    s.mailbox.entries /= 2;
  }
  while (s.history.marks > 1 && history_bytes(s) > wish.memory / kHistoryShare) {
    s.history.ended /= 2;
    s.history.drops /= 2;
    s.history.marks /= 2;
  }
  s.slab.idle_max =
      std::min(s.slab.idle_max, wish.memory / kIdleSlabShare / wish.shards / s.slab.bytes);
  return s;
}

std::vector<PlanLine> lines_of(const PlanWish& wish, const Settings& s) {
  const Size connections = s.connection.max_connections;
  const Size shards = wish.shards;
  std::vector<PlanLine> lines = {
      product("the process itself", {{kProcessBytes, nullptr}}),
      product("shards", {{shards, "shards"}, {kShardBytes, nullptr}}),
      product("mailboxes", {{shards * (shards - 1), "pairs"},
                            {s.mailbox.entries, "entries"},
                            {kMailboxEntryBytes, nullptr}}),
      product("slabs being filled", {{shards, "shards"}, {s.slab.bytes, nullptr}}),
      product("idle slabs kept for reuse",
              {{shards, "shards"}, {s.slab.idle_max, "slabs"}, {s.slab.bytes, nullptr}}),
      product("frames half received",
              {{wish.publishers, "publishers"}, {s.connection.max_frame, nullptr}}),
      product("connections", {{connections, "connections"}, {kConnectionBytes, nullptr}}),
      product("subscriptions",
              {{wish.subscriptions, "subscriptions"}, {kSubscriptionBytes, nullptr}}),
      product("topics", {{wish.topics, "topics"}, {shards, "shards"}, {kTopicBytes, nullptr}}),
      product("topics open for publishing",
              {{std::max(wish.topics, wish.publishers), "topics"}, {kOpenTopicBytes, nullptr}}),
      product("topics told to connections",
              {{connections, "connections"}, {wish.topics, "topics"}, {kToldTopicBytes, nullptr}}),
      unsent_output(s),
  };
  for (PlanLine& line : history(s)) lines.push_back(std::move(line));
  lines.push_back({"kept free, so that nobody is squeezed",
                   "15 % of " + base::format_size(wish.memory),
                   wish.memory - wish.memory / 100 * 85});
  return lines;
}

}  // namespace

FittedPlan plan_for(const PlanWish& wish) {
  ASSERT(wish.subscriptions > 0 && wish.message > 0 && wish.shards > 0);
  FittedPlan plan;
  plan.wish = wish;
  const Size connections =
      wish.connections != 0 ? wish.connections : plus(wish.subscriptions, wish.publishers);
  plan.settings = first_settings(wish, connections);
  plan.lines = lines_of(wish, plan.settings);
  for (const PlanLine& line : plan.lines) plan.sum = plus(plan.sum, line.bytes);
  plan.left = minus(wish.memory, plan.sum);
  plan.message_cost = plus(wish.message, kRecordBytes + kSingleMessageBytes);
  const Size charged = plus(wish.message, kRecordBytes + kQueuedSliceBytes);
  plan.queue_bytes_least = std::max(kQueueBytesLeast, plan.message_cost);

  auto& subscription = plan.settings.subscription;
  const Size each = plan.left / wish.subscriptions;
  const Size messages = std::min<Size>(each / plan.message_cost, 4'000'000'000);
  subscription.queue_messages = std::max<Size>(messages, 1);
  subscription.queue_bytes =
      std::max(kQueueBytesLeast, std::min<Size>(times(messages, charged), tib(1)));
  subscription.queue_messages_max = subscription.queue_messages;
  subscription.queue_bytes_max = subscription.queue_bytes;
  return plan;
}

bool FittedPlan::fits() const noexcept {
  return left / wish.subscriptions >= queue_bytes_least &&
         settings.connection.max_frame <= mib(64) && settings.node.memory_budget >= mib(16);
}

std::string FittedPlan::text() const {
  std::string out = rows(lines) + row("sum", "", sum) + row("left for queues", "", left);
  const Size each = left / wish.subscriptions;
  out += row("  for each of " + std::to_string(wish.subscriptions) + " queues", "", each);
  out += row("  a queued message",
             base::format_size(wish.message) + " + " +
                 std::to_string(kRecordBytes + kSingleMessageBytes) + "B of bookkeeping",
             message_cost);
  if (fits()) {
    return out + "  so each queue may hold " +
           std::to_string(settings.subscription.queue_messages) + " messages\n";
  }
  if (settings.connection.max_frame > mib(64)) {
    return out + "This cannot fit: no frame may be larger than 64MiB.\n";
  }
  if (settings.node.memory_budget < mib(16)) {
    return out + "This cannot fit: node.memory_budget is 16MiB at least.\n";
  }
  return out + "This cannot fit: a queue takes " + base::format_size(queue_bytes_least) +
         " at least. " +
         base::human_size(
             static_cast<double>(plus(sum, times(wish.subscriptions, queue_bytes_least)))) +
         " would be needed, and 15 % more to keep free.\n";
}

std::string FittedPlan::fragment() const {
  Settings fitted = settings;
  Settings defaults;
  const std::vector<Setting> ours = bind(fitted);
  const std::vector<Setting> theirs = bind(defaults);
  std::string out;
  std::string_view table;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const bool always = ours[i].name() == "node.memory_budget" || ours[i].name() == "node.shards";
    if (!always && format_value(ours[i]) == format_value(theirs[i])) continue;
    if (ours[i].table != table) {
      table = ours[i].table;
      out += (out.empty() ? "[" : "\n[") + std::string(table) + "]\n";
    }
    out += std::string(ours[i].key) + " = " + format_value(ours[i]) + "\n";
  }
  return out;
}

}  // namespace sluice::config
