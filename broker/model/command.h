// command.h: what does a client ask for, whatever protocol it speaks?
//
// A protocol turns bytes into these; the shard knows nothing else of its clients. Text fields are
// views into the bytes the command came from and live as long as the call that hands it over.
//
// Thread:   values; the owner shard.
// Units:    in the field names.

#pragma once

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "libs/base/slab.h"
#include "libs/wire/frames.h"

namespace sluice::model {

/// The first command of every connection.
struct HelloCommand {
  std::uint64_t correlation = 0;
  wire::Hello hello;
};

struct OpenTopicCommand {
  std::uint64_t correlation = 0;
  std::string_view name;
};

/// When a publisher wants a receipt.
enum class ReceiptMode : std::uint8_t { kAlways, kProblems, kNever };

struct PublishCommand {
  std::uint64_t number = 0;
  std::uint32_t topic = 0;  // id as announced on the connection; 0 when `name` is set
  std::string_view name;
  base::SharedBytes batch;  // not checked yet
  ReceiptMode receipt_mode = ReceiptMode::kAlways;
  bool need_responders = false;
  std::uint64_t deadline_ns = 0;  // wall time
  wire::Need need;
};

struct SubscribeCommand {
  std::uint64_t correlation = 0;
  wire::Subscribe subscribe;
};

struct UnsubscribeCommand {
  std::uint64_t correlation = 0;
  std::uint32_t subscription = 0;
};

struct CreditCommand {
  std::uint32_t subscription = 0;
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
};

/// Withdraw what is not delivered yet.
struct CancelCommand {
  std::uint64_t correlation = 0;
  std::uint64_t target = 0;  // publish number, or REQUEST's correlation
  wire::FrameKind target_kind = wire::FrameKind::kPublish;  // kPublish or kRequest
  // Of a publish, exactly one of them: its topic, as the publish named it.
  std::uint32_t topic = 0;
  std::string_view name;
};

struct PingCommand {
  std::uint64_t correlation = 0;
  std::uint64_t opaque = 0;
};

/// Administration: answered by the admin side of the daemon, not by the shard.
struct AdminCommand {
  std::uint64_t correlation = 0;
  std::string_view verb;
  std::string_view body;
};

/// A well-formed request for something this broker does not offer: answered, connection stays.
struct UnsupportedCommand {
  std::uint64_t correlation = 0;
  std::string_view what;
};

/// Well-formed and without effect, such as the answer to a ping.
struct IgnoredCommand {};

using Command = std::variant<HelloCommand, OpenTopicCommand, PublishCommand, SubscribeCommand,
                             UnsubscribeCommand, CreditCommand, CancelCommand, PingCommand,
                             AdminCommand, UnsupportedCommand, IgnoredCommand>;

}  // namespace sluice::model
