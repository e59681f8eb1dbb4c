// pub_options.h: what a command line of `pub` or `request` says about the messages to send.
//
// Thread:   immutable once parsed.
// Tests:    tests/unit/cli/pub_options_test.cc

#pragma once

#include <optional>
#include <sluice/publisher.h>
#include <string>
#include <string_view>

#include "cli/arguments.h"

namespace sluice::cli {

/// The parts of a message that the command line gives.
struct MessageOptions {
  std::string topic;
  std::optional<std::string> payload;
  std::string file;  ///< "-" is standard input; empty: none
  std::string key;
  Headers headers;       ///< --traceparent among them
  Duration deadline{0};  ///< from the moment of publishing; 0 is none
};

struct PubOptions {
  MessageOptions message;
  bool lines = false;
  std::optional<std::string> separator;  ///< --topic-from-line
  std::uint64_t count = 1;
  std::optional<Need> need;
  bool receipt = false;  ///< print each
  bool each = false;     ///< every message in a batch of its own
  Receipts receipts = Receipts::kAll;
  std::optional<Duration> cancel_after;
  std::uint64_t producer_id = 0;     ///< 0: not an idempotent producer
  std::uint64_t first_sequence = 0;  ///< 0: where the broker stands
};

/// Publishes that --cancel-after withdraws one by one.
inline constexpr std::uint64_t kCancelCountMax = 10000;
/// The client takes no first number above it.
inline constexpr std::uint64_t kFirstSequenceMax = UINT64_MAX / 2;

/// What does not fit together, in words; empty when all does.
std::string contradiction(const PubOptions& options);

/// A line of --topic-from-line. Errors: kBadArgument when the separator is not in it.
struct TopicAndPayload {
  std::string_view topic;
  std::string_view payload;
};
Result<TopicAndPayload> split_line(std::string_view line, std::string_view separator);

/// "all", "problems" or "none". Returns what is wrong, or nothing.
std::string read_receipts(const std::string& text, Receipts& receipts);

/// Adds PAYLOAD, --file, --key, -H, --traceparent and --deadline to a verb.
void add_message_options(CLI::App& verb, MessageOptions& options);

/// The payload of PAYLOAD or --file. Errors: kIo, kMessageTooLarge, kCanceled.
Result<std::string> read_payload(const MessageOptions& options, int interrupt_fd);

/// A message with key and headers, without payload and deadline. Views into `options`.
Outgoing outgoing_of(const MessageOptions& options);

}  // namespace sluice::cli
