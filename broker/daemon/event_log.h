// event_log.h: a shard's events as lines of the log.
//
// Owner:    Node; borrows the Logger.
// Thread:   any.

#pragma once

#include "broker/log/logger.h"
#include "broker/port/event_sink.h"

namespace sluice::daemon {

class EventLog final : public port::EventSink {
 public:
  explicit EventLog(log::Logger& logger) : logger_(logger) {}

  void connection_opened(model::ConnectionId id, std::string_view peer,
                         std::string_view client) override {
    logger_.debug("connection opened", {{"id", id}, {"peer", peer}, {"client", client}});
  }

  void connection_closed(model::ConnectionId id, std::string_view peer,
                         const base::Error* why) override {
    if (why == nullptr) {
      logger_.debug("connection closed", {{"id", id}, {"peer", peer}});
    } else {
      logger_.warn("connection closed", {{"id", id}, {"peer", peer}, {"reason", why->message()}});
    }
  }

  void subscription_dropping(model::ConnectionId id, std::string_view subscription,
                             std::uint64_t count) override {
    if (count == 0) {
      logger_.warn("subscription is losing messages",
                   {{"connection", id}, {"subscription", subscription}});
    } else {
      logger_.info("subscription stopped losing messages",
                   {{"connection", id}, {"subscription", subscription}, {"dropped", count}});
    }
  }

  void rehearsal(std::string_view subscription, bool begins, base::Duration delay,
                 base::Duration time) override {
    if (begins) {
      logger_.warn("rehearsal of a slow subscriber began",
                   {{"subscription", subscription}, {"delay", delay}, {"for", time}});
    } else {
      logger_.warn("rehearsal of a slow subscriber ended", {{"subscription", subscription}});
    }
  }

 private:
  log::Logger& logger_;
};

}  // namespace sluice::daemon
