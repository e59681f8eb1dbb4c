// outcome_text.h: receipts, gaps and sums in words and as JSON.
//
// Each text form is one line without its end; each JSON form one object on one line.
//
// Thread:   any.
// Tests:    tests/unit/cli/outcome_text_test.cc

#pragma once

#include <map>
#include <optional>
#include <sluice/publisher.h>
#include <sluice/subscription.h>
#include <string>

namespace sluice::cli {

std::string receipt_text(const Receipt& receipt);
std::string receipt_json(const Receipt& receipt);

std::string gap_text(const Gap& gap);
std::string gap_json(const Gap& gap);

std::string reconnected_text(const Reconnected& reconnected);
std::string reconnected_json(const Reconnected& reconnected);

/// What a subscriber saw until it ended.
struct ReceivedTotals {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;  ///< of payloads
  std::uint64_t gaps = 0;
  std::uint64_t missing = 0;  ///< messages that the gaps name
  std::uint64_t reconnects = 0;
  std::map<std::string, std::uint64_t> missing_by_reason = {};
  Duration elapsed{0};  ///< from the first item to the last
  std::optional<SubscriptionAccount> account = {};

  void add(const Gap& gap);
};

std::string received_text(const ReceivedTotals& totals);
std::string received_json(const ReceivedTotals& totals);

/// What a publisher did until it ended.
struct PublishedTotals {
  PublishTotals sums;
  Receipts receipts = Receipts::kAll;  ///< those it asked for
  std::uint64_t not_published = 0;     ///< refused here: a bad topic, a message too large
  Duration elapsed{0};
};

/// What --cancel-after took back.
struct WithdrawnTotals {
  std::uint64_t publishes = 0;
  std::uint64_t not_sent = 0;  ///< of these, never left this client
  std::uint64_t copies = 0;    ///< that subscriptions will not get
  void add(const Withdrawal& withdrawal);
};
std::string withdrawn_text(const WithdrawnTotals& totals);
std::string withdrawn_json(const WithdrawnTotals& totals);

std::string published_text(const PublishedTotals& totals);
std::string published_json(const PublishedTotals& totals);

/// "1 234 567 messages, 33.9 MiB in 2.41 s (512 000/s, 14.1 MiB/s)"
std::string volume_text(std::uint64_t messages, std::uint64_t bytes, Duration elapsed);

}  // namespace sluice::cli
