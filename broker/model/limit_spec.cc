#include "broker/model/limit_spec.h"

#include <algorithm>
#include <charconv>
#include <span>

#include "libs/base/assert.h"
#include "libs/base/units.h"
#include "libs/wire/topic_name.h"

namespace sluice::model {

using base::ErrorCode;
using base::fail;
using base::Status;

namespace {

// Those of async::TokenBucket, which this folder does not know.
constexpr std::uint64_t kRateMax = 10'000'000'000;
constexpr std::uint64_t kBurstSeconds = 86'400;
constexpr std::size_t kMatchBytes = 255;

template <typename Word>
Status store_word(std::span<const std::string_view> words, std::string_view value, Word& target) {
  const auto found = std::find(words.begin(), words.end(), value);
  if (found != words.end()) {
    target = static_cast<Word>(found - words.begin());
    return {};
  }
  std::string list;
  for (const std::string_view word : words) {
    list += (list.empty() ? "" : ", ") + std::string(word);
  }
  return fail(ErrorCode::kBadArgument,
              "it must be one of " + list + ", not \"" + std::string(value) + "\"");
}

Status store_count(std::string_view value, std::uint64_t& target) {
  std::uint64_t number = 0;
  const char* end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, number);
  if (error != std::errc{} || stop != end) {
    return fail(ErrorCode::kBadArgument,
                "it must be a whole number, not \"" + std::string(value) + "\"");
  }
  target = number;
  return {};
}

Status store_size(std::string_view value, std::uint64_t& target) {
  const auto size = base::parse_size(value);
  if (!size) return fail(size.error());
  target = *size;
  return {};
}

Status store_text(std::string_view value, std::string& target) {
  const bool control =
      std::any_of(value.begin(), value.end(), [](unsigned char c) { return c < ' ' || c == 127; });
  if (control) return fail(ErrorCode::kBadArgument, "it must not contain control characters");
  target = value;
  return {};
}

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// A name stands in refusals, metrics, the configuration and on command lines, unquoted.
Status check_name(const std::string& name) {
  const std::string rule =
      "; a name has 1 to 64 letters, digits, '-', '_' and '.', and begins with a letter or a digit";
  if (name.empty()) return fail(ErrorCode::kBadArgument, "the limit has no name" + rule);
  if (name.size() > kLimitNameBytes) {
    return fail(ErrorCode::kBadArgument,
                "the limit's name has " + std::to_string(name.size()) + " bytes" + rule);
  }
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if (is_letter_or_digit(c) || (i > 0 && (c == '-' || c == '_' || c == '.'))) continue;
    const bool shown = c > ' ' && c < 127;
    const std::string what = c == ' ' ? "a space"
                             : shown  ? "'" + std::string(1, c) + "'"
                                      : "a character that is not allowed";
    return fail(ErrorCode::kBadArgument, "the limit's name \"" + name + "\" has " + what +
                                             " at byte " + std::to_string(i + 1) + rule);
  }
  if (name == kRehearsalName) {
    return fail(ErrorCode::kBadArgument,
                "\"" + name + "\" is what `explain` calls a rehearsal; take another name");
  }
  return {};
}

// What is wrong with a rate and its burst.
Status check_rate(std::uint64_t rate, std::uint64_t burst, std::string_view rate_key,
                  std::string_view burst_key, std::string_view& wrong) {
  wrong = rate_key;
  if (rate > kRateMax) {
    return fail(ErrorCode::kBadArgument, std::string(rate_key) + " is " + std::to_string(rate) +
                                             ", and the most is " + std::to_string(kRateMax));
  }
  wrong = burst_key;
  if (rate == 0 && burst != 0) {
    return fail(ErrorCode::kBadArgument,
                std::string(burst_key) + " means nothing without " + std::string(rate_key));
  }
  if (burst > rate * kBurstSeconds) {
    return fail(ErrorCode::kBadArgument, std::string(burst_key) + " is " + std::to_string(burst) +
                                             ", more than a day's worth of " +
                                             std::string(rate_key) + " = " + std::to_string(rate));
  }
  return {};
}

}  // namespace

Status assign_limit_field(LimitSpec& spec, std::string_view key, std::string_view value) {
  if (key == "name") return store_text(value, spec.name);
  if (key == "match") return store_text(value, spec.match);
  if (key == "level") return store_word(kLimitLevelNames, value, spec.level);
  if (key == "direction") return store_word(kLimitDirectionNames, value, spec.direction);
  if (key == "enforce") return store_word(kLimitEnforceNames, value, spec.enforce);
  if (key == "messages_per_second") return store_count(value, spec.messages_per_second);
  if (key == "burst_messages") return store_count(value, spec.burst_messages);
  if (key == "bytes_per_second") return store_size(value, spec.bytes_per_second);
  ASSERT(key == "burst_bytes");
  return store_size(value, spec.burst_bytes);
}

Status check_limit(const LimitSpec& spec, std::string_view* key) {
  std::string_view unused;
  std::string_view& wrong = key != nullptr ? *key : unused;
  wrong = "name";
  if (Status name = check_name(spec.name); !name) return name;
  wrong = "messages_per_second";
  if (spec.messages_per_second == 0 && spec.bytes_per_second == 0) {
    return fail(ErrorCode::kBadArgument,
                "a limit needs messages_per_second or bytes_per_second, or both");
  }
  Status rate = check_rate(spec.messages_per_second, spec.burst_messages, "messages_per_second",
                           "burst_messages", wrong);
  if (!rate) return rate;
  rate =
      check_rate(spec.bytes_per_second, spec.burst_bytes, "bytes_per_second", "burst_bytes", wrong);
  if (!rate) return rate;
  wrong = "match";
  if (spec.level == LimitLevel::kNode && !spec.match.empty()) {
    return fail(ErrorCode::kBadArgument, "level node is the whole node, so match must be empty");
  }
  if (spec.match.size() > kMatchBytes) {
    return fail(ErrorCode::kBadArgument, "match has at most 255 bytes");
  }
  if (spec.level == LimitLevel::kTopic && !spec.match.empty()) {
    if (Status filter = wire::check_filter(spec.match); !filter) {
      return fail(ErrorCode::kBadArgument, "match: " + filter.error().message());
    }
  }
  wrong = "direction";
  if (spec.level == LimitLevel::kSubscription && spec.direction == LimitDirection::kIn) {
    return fail(ErrorCode::kBadArgument,
                "a publish comes in to a topic and not to a subscription; take direction out, or "
                "level topic");
  }
  wrong = "enforce";
  if (spec.direction == LimitDirection::kOut && spec.enforce == LimitEnforce::kReject) {
    return fail(ErrorCode::kBadArgument,
                "what goes out has been accepted, so it cannot be refused; take delay, which slows "
                "deliveries down, or observe");
  }
  wrong = {};
  return {};
}

std::string rate_text(const LimitSpec& spec) {
  std::string out;
  if (spec.messages_per_second != 0) {
    out = std::to_string(spec.messages_per_second) + " messages/s";
  }
  if (spec.bytes_per_second != 0) {
    out += (out.empty() ? "" : " and ") + base::format_size(spec.bytes_per_second) + "/s";
  }
  return out;
}

}  // namespace sluice::model
