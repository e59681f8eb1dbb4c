// limit_spec.h: what does a limit say?
//
// The words for it come from the configuration and from requests of operators; both hand field by
// field to assign_limit_field(), and the whole to check_limit().
//
// Thread:   values; any thread.
// Units:    messages and bytes, per second. Bytes are those of records: key, headers, payload and
//           a few of bookkeeping.
// Limits:   names have 1 to kLimitNameBytes, of letters, digits, '-', '_', '.' alone; rates and
//           bursts those of async::TokenBucket.
// Errors:   kBadArgument; the detail says what is wrong and what would be right.
// Tests:    tests/unit/broker/model/limit_spec_test.cc

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "libs/base/result.h"

namespace sluice::model {

/// Who shares a bucket. From the widest to the narrowest.
enum class LimitLevel : std::uint8_t {
  kNode,
  kListener,
  kUser,
  kConnection,
  kTopic,
  kSubscription
};
enum class LimitDirection : std::uint8_t { kIn, kOut };
/// What happens to what is over the limit.
enum class LimitEnforce : std::uint8_t { kDelay, kReject, kObserve };

inline constexpr std::array<std::string_view, 6> kLimitLevelNames = {
    "node", "listener", "user", "connection", "topic", "subscription"};
inline constexpr std::array<std::string_view, 2> kLimitDirectionNames = {"in", "out"};
inline constexpr std::array<std::string_view, 3> kLimitEnforceNames = {"delay", "reject",
                                                                       "observe"};

inline std::string_view name_of(LimitLevel level) {
  return kLimitLevelNames[static_cast<std::size_t>(level)];
}
inline std::string_view name_of(LimitDirection direction) {
  return kLimitDirectionNames[static_cast<std::size_t>(direction)];
}
inline std::string_view name_of(LimitEnforce enforce) {
  return kLimitEnforceNames[static_cast<std::size_t>(enforce)];
}

/// The keys of limit_fields.def, in its order.
inline constexpr std::array<std::string_view, 9> kLimitFields = {
#define FIELD(key, values, text) #key,
#include "broker/model/limit_fields.def"
#undef FIELD
};

inline constexpr std::size_t kLimitNameBytes = 64;
/// No limit has this name: explanations say it where a rehearsal holds deliveries back.
inline constexpr std::string_view kRehearsalName = "rehearsal";

struct LimitSpec {
  std::string name{};
  LimitLevel level = LimitLevel::kNode;
  std::string match{};
  LimitDirection direction = LimitDirection::kIn;
  std::uint64_t messages_per_second = 0;  // 0: not limited
  std::uint64_t bytes_per_second = 0;
  std::uint64_t burst_messages = 0;  // 0: a second's worth
  std::uint64_t burst_bytes = 0;
  LimitEnforce enforce = LimitEnforce::kDelay;

  std::uint64_t messages_at_once() const {
    return burst_messages != 0 ? burst_messages : messages_per_second;
  }
  std::uint64_t bytes_at_once() const { return burst_bytes != 0 ? burst_bytes : bytes_per_second; }
  bool operator==(const LimitSpec&) const = default;
};

/// Stores a value as people write it: "topic", "1000", "1MiB". Requires: a key of kLimitFields.
base::Status assign_limit_field(LimitSpec& spec, std::string_view key, std::string_view value);

/// Whether the fields make sense together. `key` is set to the field that does not.
base::Status check_limit(const LimitSpec& spec, std::string_view* key = nullptr);

/// "1000 messages/s", "1MiB/s", or both: for messages to people.
std::string rate_text(const LimitSpec& spec);

}  // namespace sluice::model
