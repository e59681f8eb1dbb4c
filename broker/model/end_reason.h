// end_reason.h: why is a subscription no more?
//
// Thread:   values; any thread.

#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace sluice::model {

enum class EndReason : std::uint8_t {
  kUnsubscribed,    // its client asked for it
  kLastMemberLeft,  // of a shared one
  // Its connection was closed, and why: in the order of metrics::CloseReason.
  kPeer,
  kNetwork,
  kProtocol,
  kHandshakeTimeout,
  kSlowConsumer,
  kDrain,
  kLimit,
  kInternal,
};

inline constexpr std::array<std::string_view, 10> kEndReasonNames = {
    "unsubscribed",      "last_member_left", "peer",  "network", "protocol",
    "handshake_timeout", "slow_consumer",    "drain", "limit",   "internal"};

}  // namespace sluice::model
