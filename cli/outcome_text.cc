#include "cli/outcome_text.h"

#include <array>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sluice/units.h>

#include "cli/json_text.h"
#include "cli/table.h"

namespace sluice::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array kStatuses = {ReceiptStatus::kAccepted,  ReceiptStatus::kPartial,
                                  ReceiptStatus::kRejected,  ReceiptStatus::kExpired,
                                  ReceiptStatus::kCancelled, ReceiptStatus::kDuplicate};

// Names come from other clients: what is not UTF-8 is replaced rather than refused.
std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string escaped(std::string_view text) {
  std::string out;
  append_escaped(out, text);
  return out;
}

std::string name_of(ErrorCode code) { return std::string(base::error_info(code).name); }

// Lost with a connection, or not answered by the time this program ended.
std::uint64_t unknown_of(const PublishedTotals& totals) {
  const PublishTotals& sums = totals.sums;
  return totals.receipts == Receipts::kAll ? sums.messages - sums.answered : sums.unknown;
}

double seconds_of(Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

std::string receipt_text(const Receipt& receipt) {
  std::string out = fmt::format(
      "{} messages={} durability={} matched={} accepted={}", receipt_status_name(receipt.status),
      receipt.messages, durability_name(receipt.durability), receipt.matched, receipt.accepted);
  if (receipt.spilled > 0) out += fmt::format(" spilled={}", receipt.spilled);
  if (receipt.dropped > 0) out += fmt::format(" dropped={}", receipt.dropped);
  if (receipt.rejected > 0) out += fmt::format(" rejected={}", receipt.rejected);
  if (receipt.pressure > 0) out += fmt::format(" pressure={:.2f}", receipt.pressure);
  if (receipt.sequence > 0) out += fmt::format(" sequence={}", receipt.sequence);
  if (receipt.producer_sequence > 0) {
    out += fmt::format(" producer_sequence={}", receipt.producer_sequence);
  }
  if (receipt.reason != ErrorCode::kNone) out += " reason=" + name_of(receipt.reason);
  if (receipt.retry_after.count() > 0) {
    out += " retry_after=" + format_duration(receipt.retry_after);
  }
  for (const RefusedBy& refused : receipt.refused_by) {
    out += fmt::format(" refused_by={}:{}:{}", escaped(refused.subscription), refused.reason,
                       refused.copies);
  }
  if (receipt.refused_by_unlisted > 0) {
    out += fmt::format(" refused_by_unlisted={}", receipt.refused_by_unlisted);
  }
  if (!receipt.text.empty()) out += fmt::format(" text=\"{}\"", escaped(receipt.text));
  return out;
}

std::string receipt_json(const Receipt& receipt) {
  Json refused = Json::array();
  for (const RefusedBy& by : receipt.refused_by) {
    refused.push_back(
        {{"subscription", by.subscription}, {"reason", by.reason}, {"copies", by.copies}});
  }
  Json out;
  out["status"] = receipt_status_name(receipt.status);
  out["messages"] = receipt.messages;
  out["durability"] = durability_name(receipt.durability);
  out["matched"] = receipt.matched;
  out["accepted"] = receipt.accepted;
  out["spilled"] = receipt.spilled;
  out["dropped"] = receipt.dropped;
  out["rejected"] = receipt.rejected;
  out["pressure"] = receipt.pressure;
  out["sequence"] = receipt.sequence;
  out["producer_sequence"] = receipt.producer_sequence;
  out["reason"] = receipt.reason == ErrorCode::kNone ? Json() : Json(name_of(receipt.reason));
  out["retry_after_ns"] = receipt.retry_after.count();
  out["refused_by"] = std::move(refused);
  out["refused_by_unlisted"] = receipt.refused_by_unlisted;
  out["text"] = receipt.text;
  return dump(out);
}

std::string gap_text(const Gap& gap) {
  if (gap.count == 0) return fmt::format("gap: unknown number of messages missing: {}", gap.reason);
  std::string out = fmt::format("gap: {} missing, sequence {} to {}", counted(gap.count, "message"),
                                gap.first_sequence, gap.last_sequence);
  // Of what a lost connection took with it nobody knows the bytes.
  if (gap.bytes > 0) out += ", " + human_size(static_cast<double>(gap.bytes));
  return out + ": " + gap.reason;
}

std::string gap_json(const Gap& gap) {
  Json body;
  body["first_sequence"] = gap.first_sequence;
  body["last_sequence"] = gap.last_sequence;
  body["count"] = gap.count;
  body["bytes"] = gap.bytes;
  body["reason"] = gap.reason;
  return dump(Json{{"gap", std::move(body)}});
}

std::string reconnected_text(const Reconnected& reconnected) {
  return fmt::format("reconnected after {}; the connection was lost: {}",
                     human_duration(reconnected.away), reconnected.lost_because.message());
}

std::string reconnected_json(const Reconnected& reconnected) {
  Json body;
  body["away_ns"] = reconnected.away.count();
  body["lost_because"] = reconnected.lost_because.message();
  body["gap_is_exact"] = reconnected.is_exact;
  return dump(Json{{"reconnected", std::move(body)}});
}

void WithdrawnTotals::add(const Withdrawal& withdrawal) {
  ++publishes;
  if (!withdrawal.was_sent) ++not_sent;
  copies += withdrawal.copies;
}

std::string withdrawn_text(const WithdrawnTotals& totals) {
  std::string out = fmt::format("withdrawn: {} of {}",
                                totals.copies == 1 ? "1 copy" : grouped(totals.copies) + " copies",
                                counted(totals.publishes, "message"));
  if (totals.not_sent > 0) out += fmt::format("; {} were never sent", grouped(totals.not_sent));
  return out;
}

std::string withdrawn_json(const WithdrawnTotals& totals) {
  Json body;
  body["publishes"] = totals.publishes;
  body["not_sent"] = totals.not_sent;
  body["copies"] = totals.copies;
  return dump(Json{{"withdrawn", std::move(body)}});
}

void ReceivedTotals::add(const Gap& gap) {
  ++gaps;
  missing += gap.count;
  missing_by_reason[gap.reason] += gap.count;
}

std::string volume_text(std::uint64_t messages, std::uint64_t bytes, Duration elapsed) {
  std::string out =
      fmt::format("{}, {}", counted(messages, "message"), human_size(static_cast<double>(bytes)));
  const double seconds = seconds_of(elapsed);
  if (messages < 2 || seconds <= 0) return out;
  const double rate = static_cast<double>(messages) / seconds;
  return out + fmt::format(" in {} ({}/s, {}/s)", human_duration(elapsed),
                           grouped(static_cast<unsigned long long>(rate)),
                           human_size(static_cast<double>(bytes) / seconds));
}

std::string received_text(const ReceivedTotals& totals) {
  std::string out = volume_text(totals.messages, totals.bytes, totals.elapsed);
  out += fmt::format("; {}, {} missing", counted(totals.gaps, "gap"), grouped(totals.missing));
  for (const auto& [reason, count] : totals.missing_by_reason) {
    if (count > 0) out += fmt::format(", {} {}", grouped(count), reason);
  }
  if (totals.reconnects > 0) out += fmt::format("; {}", counted(totals.reconnects, "reconnection"));
  if (totals.account) {
    const SubscriptionAccount& account = *totals.account;
    out += fmt::format("; broker: {} matched = {} delivered + {} dropped + {} discarded",
                       account.matched, account.delivered, account.dropped, account.discarded);
  }
  return out;
}

std::string received_json(const ReceivedTotals& totals) {
  Json out;
  out["messages"] = totals.messages;
  out["bytes"] = totals.bytes;
  out["elapsed_ns"] = totals.elapsed.count();
  out["gaps"] = totals.gaps;
  out["missing"] = totals.missing;
  out["missing_by_reason"] = Json::object();
  for (const auto& [reason, count] : totals.missing_by_reason) {
    out["missing_by_reason"][reason] = count;
  }
  out["reconnects"] = totals.reconnects;
  if (totals.account) {
    out["account"] = {{"matched", totals.account->matched},
                      {"delivered", totals.account->delivered},
                      {"dropped", totals.account->dropped},
                      {"discarded", totals.account->discarded}};
  }
  return dump(out);
}

std::string published_text(const PublishedTotals& totals) {
  const PublishTotals& sums = totals.sums;
  std::string out = volume_text(sums.messages, sums.bytes, totals.elapsed) + "; receipts:";
  bool any = false;
  for (const ReceiptStatus status : kStatuses) {
    const std::uint64_t count = sums.by_status[static_cast<std::size_t>(status)];
    if (count == 0) continue;
    out += fmt::format("{} {} {}", any ? "," : "", grouped(count), receipt_status_name(status));
    any = true;
  }
  if (!any) {
    out += totals.receipts == Receipts::kAll    ? " none"
           : totals.receipts == Receipts::kNone ? " not asked for"
                                                : " no problems";
  }
  out += fmt::format("; copies: {} matched, {} accepted", grouped(sums.matched),
                     grouped(sums.accepted));
  if (sums.spilled > 0) out += fmt::format(", {} spilled", grouped(sums.spilled));
  if (sums.dropped > 0) out += fmt::format(", {} dropped", grouped(sums.dropped));
  if (sums.rejected > 0) out += fmt::format(", {} rejected", grouped(sums.rejected));
  if (sums.expired_later > 0) out += fmt::format(", {} expired later", grouped(sums.expired_later));
  if (sums.withdrawn > 0) out += fmt::format(", {} withdrawn", grouped(sums.withdrawn));
  if (const auto unknown = unknown_of(totals)) {
    out += fmt::format("; outcome of {} unknown", grouped(unknown));
  }
  if (totals.not_published > 0) {
    out += fmt::format("; {} not published", counted(totals.not_published, "line"));
  }
  return out;
}

std::string published_json(const PublishedTotals& totals) {
  const PublishTotals& sums = totals.sums;
  Json by_status = Json::object();
  for (const ReceiptStatus status : kStatuses) {
    by_status[std::string(receipt_status_name(status))] =
        sums.by_status[static_cast<std::size_t>(status)];
  }
  Json out;
  out["messages"] = sums.messages;
  out["bytes"] = sums.bytes;
  out["elapsed_ns"] = totals.elapsed.count();
  out["answered"] = sums.answered;
  out["ok"] = sums.ok;
  out["unknown"] = unknown_of(totals);
  out["not_published"] = totals.not_published;
  out["receipts"] = std::move(by_status);
  out["copies"] = {{"matched", sums.matched},    {"accepted", sums.accepted},
                   {"spilled", sums.spilled},    {"dropped", sums.dropped},
                   {"rejected", sums.rejected},  {"expired_later", sums.expired_later},
                   {"withdrawn", sums.withdrawn}};
  return dump(out);
}

}  // namespace sluice::cli
