#include "broker/admin/advice.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "broker/model/limit_spec.h"
#include "libs/base/units.h"

namespace sluice::admin {
namespace {

using model::LimitedBy;

// Of a message of unknown size.
constexpr std::uint64_t kMessageBytes = 1024;

std::string messages(std::uint64_t count) {
  return std::to_string(count) + (count == 1 ? " message" : " messages");
}

std::uint64_t bytes_per_message(const model::SubscriptionStatus& status) {
  return status.queued == 0 ? kMessageBytes
                            : std::max<std::uint64_t>(1, status.held_bytes / status.queued);
}

std::uint64_t messages_within(std::uint64_t count, std::uint64_t bytes, std::uint64_t each) {
  return std::min(count, bytes / each);
}

// Twice as long, or as long as the broker allows. Nothing where it is that long already.
std::optional<Advice> longer_queue(const model::SubscriptionExplanation& row) {
  const model::SubscriptionStatus& status = row.status;
  const std::uint64_t each = bytes_per_message(status);
  const std::uint64_t now = status.max_messages;
  const std::uint64_t count = std::max(now, std::min(2 * now, row.max_messages_allowed));
  const std::uint64_t bytes =
      std::max(status.max_bytes, std::min(count * each, row.max_bytes_allowed));
  const std::uint64_t more =
      messages_within(count, bytes, each) - messages_within(now, status.max_bytes, each);
  if (more == 0) return std::nullopt;
  Advice advice;
  advice.change = "give it a longer queue: ";
  if (count > now) {
    advice.change +=
        "max_messages " + std::to_string(count) + " in place of " + std::to_string(now);
  }
  if (bytes > status.max_bytes) {
    if (count > now) advice.change += ", and ";
    advice.change += "max_bytes " + base::format_size(bytes) + " in place of " +
                     base::format_size(status.max_bytes);
  }
  advice.cost = "memory: " + std::to_string(more) + " more messages x " + std::to_string(each) +
                " bytes each " + (status.queued == 0 ? "(assumed)" : "(as now)") + " = " +
                base::format_size(more * each) + " when it is full";
  return advice;
}

Advice other_ladder(const model::SubscriptionStatus& status) {
  if (status.overflow.starts_with("block")) {
    return {
        "let it lose messages instead of making publishers wait: overflow "
        "block:100ms,drop_oldest in place of " +
            status.overflow,
        "no memory; what it loses is told in gaps"};
  }
  return {"make publishers wait instead of losing messages: overflow block in place of " +
              status.overflow,
          "no memory beyond the grants of its publishers; they slow down to its pace"};
}

void add_queue_advice(const model::SubscriptionExplanation& row, std::vector<Advice>& out) {
  if (std::optional<Advice> longer = longer_queue(row)) out.push_back(std::move(*longer));
  out.push_back(other_ladder(row.status));
}

}  // namespace

std::string cause_of(const model::SubscriptionExplanation& row) {
  const model::SubscriptionStatus& status = row.status;
  switch (row.state) {
    case LimitedBy::kIdle:
      return "nothing is queued for it";
    case LimitedBy::kDelivering:
      return "nothing limits it: it goes as fast as it is fed";
    case LimitedBy::kWaitingCredit:
      return "its subscriber has granted no more: " + messages(status.queued) + " wait for credit";
    case LimitedBy::kRateLimited:
      if (row.which == model::kRehearsalName)
        return "a rehearsal makes it slow, until it ends by itself";
      return "the limit " + row.which + " paces its deliveries";
    case LimitedBy::kTcpWindow:
      return "its peer's socket takes no more: " + base::format_size(row.unsent_bytes) +
             " are written and not taken";
    case LimitedBy::kPaused:
      return "an operator has paused it";
    default:
      return std::string(model::kLimitedByNames[static_cast<std::size_t>(row.state)]);
  }
}

std::vector<Advice> advice_for(const model::SubscriptionExplanation& row) {
  std::vector<Advice> out;
  const model::SubscriptionStatus& status = row.status;
  switch (row.state) {
    case LimitedBy::kWaitingCredit: {
      const std::uint64_t more = std::max<std::uint64_t>(status.queued, 1);
      out.push_back({"consume faster, or add consumers with a shared subscription",
                     "no memory in the broker"});
      out.push_back({"grant more credit: " + messages(more) + " more",
                     "memory of the subscriber: " + std::to_string(more) + " x " +
                         std::to_string(bytes_per_message(status)) +
                         " bytes = " + base::format_size(more * bytes_per_message(status))});
      add_queue_advice(row, out);
      break;
    }
    case LimitedBy::kTcpWindow:
      out.push_back(
          {"read faster from the socket, or widen the network between", "no memory in the broker"});
      add_queue_advice(row, out);
      break;
    case LimitedBy::kRateLimited:
      if (row.which == model::kRehearsalName) {
        out.push_back({"sluice rehearse stop " + status.name, "no memory"});
        break;
      }
      out.push_back({"raise the limit " + row.which + ": sluice limit set " + row.which,
                     "no memory; what it protects gets more"});
      add_queue_advice(row, out);
      break;
    case LimitedBy::kPaused:
      out.push_back({"sluice subscription resume " + status.name, "no memory"});
      break;
    default:
      break;
  }
  return out;
}

std::vector<Advice> advice_for(const model::PublisherExplanation& row) {
  std::vector<Advice> out;
  if (row.state == LimitedBy::kRateLimited) {
    out.push_back({"raise the limit " + row.which + ": sluice limit set " + row.which,
                   "no memory; what it protects gets more"});
  }
  for (const std::string& name : row.blocked_by) {
    out.push_back({"see what limits it: sluice explain subscription " + name, ""});
  }
  return out;
}

}  // namespace sluice::admin
