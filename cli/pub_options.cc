#include "cli/pub_options.h"

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "cli/line_reader.h"
#include "cli/suggest.h"

namespace sluice::cli {
namespace {

constexpr std::size_t kPayloadBytesMax = 64U << 20;  // the largest frame that a broker may allow

}  // namespace

std::string contradiction(const PubOptions& options) {
  const MessageOptions& message = options.message;
  const int sources =
      (message.payload ? 1 : 0) + (message.file.empty() ? 0 : 1) + (options.lines ? 1 : 0);
  if (options.separator && !options.lines) return "--topic-from-line needs --lines";
  if (options.separator && options.separator->empty()) return "--topic-from-line: it is empty";
  if (options.separator && !message.topic.empty()) {
    return fmt::format("the topics stand in the lines; leave '{}' out", message.topic);
  }
  if (!options.separator && message.topic.empty()) return "TOPIC is required";
  if (sources == 0) {
    return "there is nothing to publish: give PAYLOAD ('' for an empty one), --file FILE (- is "
           "standard input) or --lines";
  }
  if (sources > 1) return "give only one of PAYLOAD, --file and --lines";
  if (options.lines && options.count != 1) return "--count does not go with --lines";
  if (options.receipt && options.receipts != Receipts::kAll) {
    return "--receipt prints each; it does not go with --receipts problems or none";
  }
  if (options.each && options.receipts != Receipts::kAll) return "--each needs --receipts all";
  if (options.first_sequence > 0 && options.producer_id == 0) {
    return "--first-sequence needs --producer-id";
  }
  if (options.first_sequence > kFirstSequenceMax) {
    return fmt::format("--first-sequence is at most {}", kFirstSequenceMax);
  }
  if (options.producer_id != 0 && options.receipts != Receipts::kAll) {
    return "--producer-id needs --receipts all";
  }
  if (!options.cancel_after) return {};
  if (options.lines) return "--cancel-after does not go with --lines";
  if (options.receipts != Receipts::kAll) return "--cancel-after needs --receipts all";
  if (options.count > kCancelCountMax) {
    return fmt::format("--cancel-after withdraws at most {} messages", kCancelCountMax);
  }
  return {};
}

std::string read_receipts(const std::string& text, Receipts& receipts) {
  if (text == "all") {
    receipts = Receipts::kAll;
  } else if (text == "problems") {
    receipts = Receipts::kProblems;
  } else if (text == "none") {
    receipts = Receipts::kNone;
  } else {
    return fmt::format("'{}' is not all, problems or none{}", text,
                       did_you_mean(text, {"all", "problems", "none"}));
  }
  return {};
}

Result<TopicAndPayload> split_line(std::string_view line, std::string_view separator) {
  const std::size_t at = line.find(separator);
  if (at == std::string_view::npos) {
    return base::fail(ErrorCode::kBadArgument, fmt::format("there is no '{}' in it", separator));
  }
  return TopicAndPayload{line.substr(0, at), line.substr(at + separator.size())};
}

void add_message_options(CLI::App& verb, MessageOptions& options) {
  verb.add_option("TOPIC", options.topic, "Where to, such as orders.eu.created");
  verb.add_option_function<std::string>(
      "PAYLOAD", [&options](const std::string& text) { options.payload = text; },
      "The message, byte by byte as given");
  verb.add_option("-f,--file", options.file, "The message is this file; - is standard input")
      ->type_name("FILE");
  verb.add_option("--key", options.key, "The message's key");
  add_headers(verb, options.headers);
  add_value(
      verb, "--traceparent", "TRACE",
      [&options](const std::string& value) {
        return read_header("traceparent=" + value, options.headers);
      },
      "The trace it belongs to, as a W3C traceparent: a header");
  add_duration(verb, "--deadline", options.deadline,
               "After this time the message is worth nothing, and nobody gets it");
}

Result<std::string> read_payload(const MessageOptions& options, int interrupt_fd) {
  if (options.file.empty()) return options.payload.value_or(std::string());
  if (options.file == "-") return read_all(STDIN_FILENO, interrupt_fd, kPayloadBytesMax);
  const int fd = open(options.file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return base::fail(ErrorCode::kIo, fmt::format("{}: {}", options.file, std::strerror(errno)));
  }
  auto payload = read_all(fd, interrupt_fd, kPayloadBytesMax);
  close(fd);
  if (!payload) payload.error().detail = options.file + ": " + payload.error().detail;
  return payload;
}

Outgoing outgoing_of(const MessageOptions& options) {
  Outgoing message;
  message.key = as_bytes(options.key);
  for (const auto& [name, value] : options.headers) message.headers.emplace_back(name, value);
  return message;
}

}  // namespace sluice::cli
