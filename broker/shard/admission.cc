#include "broker/shard/admission.h"

#include <algorithm>

#include "broker/shard/limiting.h"

namespace sluice::shard {

using base::ErrorCode;
using base::fail;
using base::Result;
using base::Status;

namespace {

constexpr std::string_view kInboxPrefix = "$inbox.";

// What a delivery's body has before the batch. A publish by topic id needs less, so a batch could
// come in that no subscriber may be sent.
constexpr std::uint32_t kDeliverBytes = wire::kDeliverHeaderBytes - wire::kFrameHeaderBytes;

Result<bool> was_sent_before(const Connection& connection, const wire::BatchHeader& header) {
  using Verdict = session::ProducerState::Verdict;
  if (header.producer_id != connection.producer_id) {
    return fail(ErrorCode::kBadArgument, "a batch of producer " +
                                             std::to_string(header.producer_id) +
                                             " on a connection that said HELLO as " +
                                             std::to_string(connection.producer_id));
  }
  const Verdict verdict = connection.producer->check(header.producer_sequence, header.count);
  const auto numbers = [&header] {
    return "producer sequence " + std::to_string(header.producer_sequence) + " and the " +
           std::to_string(header.count - 1) + " behind it";
  };
  if (verdict == Verdict::kMixed) {
    return fail(ErrorCode::kBadArgument, numbers() + ": some of them were sent before, not all");
  }
  if (verdict == Verdict::kForgotten) {
    return fail(ErrorCode::kBadArgument, numbers() + ": too far back to know whether it was sent");
  }
  return verdict == Verdict::kDuplicate;
}

// An empty name would be that of every subscription without one.
bool names_nobody(const wire::Need& need) {
  return std::any_of(need.names.begin(), need.names.end(),
                     [](std::string_view name) { return name.empty(); });
}

Status find_topic(Core& core, Connection& connection, const model::PublishCommand& command,
                  Admission::Entry& entry) {
  if (!command.name.empty()) {
    entry.window = &connection.named;
    if (command.name.front() == '$' && !command.name.starts_with(kInboxPrefix)) {
      return fail(ErrorCode::kReservedTopic, std::string(command.name));
    }
    Result<model::TopicRef> topic = core.topics.intern(command.name);
    if (!topic) return fail(topic.error());
    entry.topic = std::move(*topic);
    return {};
  }
  OpenTopic* open = connection.last_topic;
  if (open == nullptr || wire_topic(open->topic) != command.topic) {
    const auto it = connection.topics.find(command.topic);
    if (it == connection.topics.end()) {
      return fail(ErrorCode::kUnknownTopicId, "id " + std::to_string(command.topic));
    }
    open = connection.last_topic = &it->second;
  }
  entry.window = &open->window;
  entry.topic = open->topic;
  return {};
}

Status take_window(Core& core, Connection& connection, const model::PublishCommand& command,
                   const wire::BatchHeader& header, Admission::Entry& entry) {
  Status valid = find_topic(core, connection, command, entry);
  const std::uint32_t length = header.length;
  if (entry.window != nullptr && length > entry.window->left) {
    valid = fail(ErrorCode::kGrantExceeded, std::to_string(length) + " bytes published where " +
                                                std::to_string(entry.window->left) +
                                                " were left of the grant");
    entry.window = nullptr;
  }
  const std::uint32_t length_max = core.options.max_frame - kDeliverBytes;
  if (length > length_max) {
    valid = fail(ErrorCode::kMessageTooLarge, "a batch may have " + std::to_string(length_max) +
                                                  " bytes, so that its delivery fits a frame");
  }
  if (entry.window == nullptr) return valid;
  entry.window->left -= length;
  entry.window->used_at = core.now;
  if (entry.window->limited_by == model::LimitedBy::kIdle) {
    core.states.update(connection, *entry.window, command.topic);
  }
  return valid;
}

Status ask_broker(Core& core, const model::PublishCommand& command, const model::TopicRef& topic) {
  if (core.draining) return fail(ErrorCode::kDraining);
  if (command.deadline_ns != 0 && command.deadline_ns <= base::to_wire(core.wall_now)) {
    return fail(ErrorCode::kDeadlineExceeded);
  }
  if (names_nobody(command.need)) return fail(ErrorCode::kBadArgument);
  if (std::string full = core.memory.refusal(topic.slot()); !full.empty()) {
    return fail(ErrorCode::kMemoryBudget, std::move(full));
  }
  if (command.need.durability > wire::Durability::kMemory) {
    return fail(ErrorCode::kDurabilityUnavailable);
  }
  if (core.shard_count() == 1) return {};
  bool busy = false;
  each_shard(core.topics.match(topic).remote, [&](model::ShardId shard) {
    if (!core.mail.congested(shard, core.options.mailbox_entries)) return;
    core.metrics.mailbox_refusals.add();
    busy = true;
  });
  return busy ? Status(fail(ErrorCode::kShardBusy)) : Status();
}

Admission::Answer ask_limits(Core& core, Connection& connection, const wire::BatchHeader& header,
                             Admission::Entry& entry) {
  using Kind = flow::Verdict::Kind;
  const flow::LimitLists lists = core.limiting->in(connection, entry.topic);
  const std::uint64_t records = header.length - wire::kBatchHeaderBytes;
  const flow::Offer offer{header.count, records, core.now, entry.deadline};
  const flow::Verdict verdict = flow::charge(lists, offer);
  if (verdict.kind == Kind::kPass) return Admission::Answer::kComesIn;
  if (verdict.kind == Kind::kDelay) {
    entry.due = verdict.when;
    entry.delayed_by = verdict.by->limit->number;
    entry.charged = std::make_unique<flow::Charged>(flow::charged(lists, offer));
    return Admission::Answer::kComesIn;
  }
  const bool rejected = verdict.kind == Kind::kReject;
  if (rejected) entry.retry_after = verdict.when - core.now;
  entry.why.code = rejected ? ErrorCode::kRateLimited : ErrorCode::kDeadlineExceeded;
  if (verdict.by != nullptr) {
    entry.why.detail = flow::refusal_text(*verdict.by, offer, verdict.when);
  }
  return Admission::Answer::kTurnedAway;
}

}  // namespace

Admission::Answer Admission::ask(Connection& connection, const model::PublishCommand& command,
                                 const wire::BatchHeader& header, Entry& entry) {
  const auto refused = [&entry](base::Error& why, Answer answer) {
    entry.why = std::move(why);
    return answer;
  };
  if (Status taken = take_window(core_, connection, command, header, entry); !taken) {
    return refused(taken.error(), Answer::kBreaksRule);
  }
  if (header.producer_id != 0) {
    Result<bool> before = was_sent_before(connection, header);
    if (!before) return refused(before.error(), Answer::kBreaksRule);
    if (*before) return Answer::kSentBefore;
  }
  if (Status open = ask_broker(core_, command, entry.topic); !open) {
    return refused(open.error(), Answer::kTurnedAway);
  }
  if (command.deadline_ns != 0) entry.deadline = core_.to_monotonic(command.deadline_ns);
  return core_.limiting == nullptr ? Answer::kComesIn
                                   : ask_limits(core_, connection, header, entry);
}

}  // namespace sluice::shard
