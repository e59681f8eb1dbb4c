// event_sink.h: where does a shard say that something changed?
//
// State changes only, never per message. The shell logs them, limited in rate.
//
// Owner:    the shell; the shard borrows it for life.
// Thread:   called on any shard; implementations are thread-safe.

#pragma once

#include <cstdint>
#include <string_view>

#include "broker/model/ids.h"
#include "libs/base/clock.h"
#include "libs/base/result.h"

namespace sluice::port {

class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void connection_opened(model::ConnectionId id, std::string_view peer,
                                 std::string_view client) = 0;
  /// Once for each, with what ended it at last; `why` is empty when the client simply left.
  virtual void connection_closed(model::ConnectionId id, std::string_view peer,
                                 const base::Error* why) = 0;
  /// A subscription began (`count` 0) or ended losing messages, with how many so far.
  virtual void subscription_dropping(model::ConnectionId id, std::string_view subscription,
                                     std::uint64_t count) = 0;
  /// A rehearsal of a slow subscriber began, for `time`, or ended.
  virtual void rehearsal(std::string_view subscription, bool begins, base::Duration delay,
                         base::Duration time) = 0;
};

}  // namespace sluice::port
