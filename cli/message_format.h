// message_format.h: how is a message printed?
//
//   text     "orders.eu hello": topic and payload on one line, control characters escaped
//   raw      the payload's bytes and nothing else
//   json     one object per line
//   hex      topic and payload in hexadecimal
//   '%t %p\n' or anything else with a '%' or '\' in it: a template
//
// In a template %t is the topic, %p the payload, %x the payload in hexadecimal, %l its length, %k
// the key, %s the sequence, %d the date and time of publishing, %{name} a header, %j the JSON
// object, %% a percent sign; \n \t \r \0 \\ and \xNN stand for themselves.
//
// Thread:   immutable once parsed.
// Errors:   kBadArgument: an unknown name, an unknown or unfinished directive.
// Tests:    tests/unit/cli/message_format_test.cc

#pragma once

#include <optional>
#include <sluice/message.h>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::cli {

/// A message as values, so that it can be shown without a connection.
struct ShownMessage {
  std::string_view topic;
  std::string_view key;
  std::string_view payload;
  std::uint64_t sequence = 0;
  WallTime published_at{};
  std::optional<WallTime> deadline = {};
  std::vector<std::pair<std::string_view, std::string_view>> headers = {};
};

/// Views into `message`.
ShownMessage shown(const MessageView& message);

class MessageFormat {
 public:
  /// A name or a template, as above.
  static Result<MessageFormat> parse(std::string_view text);

  void append(std::string& out, const ShownMessage& message) const;
  /// True when gaps belong into the same stream of JSON objects.
  bool is_json() const noexcept { return is_json_; }

 private:
  enum class Kind : std::uint8_t {
    kLiteral,
    kTopic,
    kEscapedPayload,
    kPayload,
    kHexPayload,
    kLength,
    kKey,
    kSequence,
    kTime,
    kHeader,
    kJson,
  };
  struct Part {
    Kind kind = Kind::kLiteral;
    std::string text = {};  // of a literal, or the header's name
  };
  class Parser;
  static void append_part(std::string& out, const Part& part, const ShownMessage& message);

  std::vector<Part> parts_;
  bool is_json_ = false;
};

/// "2026-11-25T01:02:03.456789012Z"
std::string time_text(WallTime time);

}  // namespace sluice::cli
