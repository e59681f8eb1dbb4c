// inbox.h: which request does this answer belong to?
//
// All requests of a connection share one subscription below `$inbox.<session>.`; the correlation
// header tells their answers apart.
//
// Owner:    shared by the client's core and, per request, by the coroutine that waits.
// Thread:   any thread.
// Limits:   one entry a request that is waited for.
// Errors:   a request whose connection is lost fails with kConnectionLost.
// Source:   docs/formats/wire.md, section Request and reply
// Tests:    tests/unit/client/client_test.cc

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <sluice/message.h>
#include <string>

#include "client/src/slot.h"

namespace sluice::detail {

inline constexpr std::string_view kReplyToHeader = "reply_to";
inline constexpr std::string_view kCorrelationHeader = "correlation";

using MessageSlot = Slot<Message>;

class Inbox {
 public:
  struct Ticket {
    std::string reply_to;
    std::string correlation;
    std::shared_ptr<MessageSlot> slot;
  };

  /// "$inbox.00000000000000a1."
  static std::string prefix_of(std::uint64_t session_id);

  /// Of the connection that is open now; empty: there is none.
  void set_prefix(std::string prefix);
  /// A place for one answer. Fails with kConnectionLost where `prefix` is that of a connection
  /// which is gone: nobody would hear the answer.
  Result<Ticket> open(const std::string& prefix);
  void deliver(const MessageBatch& batch);
  void fail_all(const Error& error);

 private:
  std::mutex mutex_;
  std::string prefix_;
  std::uint64_t next_ = 1;
  std::size_t sweep_at_ = 1024;
  std::map<std::string, std::weak_ptr<MessageSlot>, std::less<>> waiting_;
};

}  // namespace sluice::detail
