// queue_difference.h: where does a queue differ from its model?
//
// Owner:    one QueueComparison.
// Thread:   one.

#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "tests/unit/broker/queue/plain_queue.h"

namespace sluice::queue::testing {

class QueueDifference {
 public:
  explicit QueueDifference(std::string setup) : setup_(std::move(setup)) {}

  /// Since start(): what differed first; empty if nothing.
  const std::string& text() const { return text_; }
  void start() { text_.clear(); }
  void is(std::string text) { text_ = std::move(text); }

  template <typename A, typename B>
  void same(const A& real, const B& plain, const char* what) {
    if (real == plain || !text_.empty()) return;
    std::ostringstream text;
    text << what << ": queue " << real << ", model " << plain << " (" << setup_ << ")";
    text_ = text.str();
  }

  void compare(const PushResult& real, const PushResult& plain) {
    same(real.accepted, plain.accepted, "accepted");
    same(real.dropped, plain.dropped, "dropped");
    same(real.waiting, plain.waiting, "waiting");
    same(real.spilled, plain.spilled, "spilled");
    same(real.displaced, plain.displaced, "displaced");
    same(real.disconnect, plain.disconnect, "disconnect");
    if (plain.dropped > 0) same(int(real.drop_reason), int(plain.drop_reason), "drop_reason");
  }

  void compare(const std::vector<Settled>& real, const std::vector<Settled>& plain) {
    same(real.size(), plain.size(), "settled");
    for (std::size_t i = 0; i < real.size() && i < plain.size(); ++i) {
      same(real[i].token.value(), plain[i].token.value(), "settled token");
      same(real[i].accepted, plain[i].accepted, "settled accepted");
      same(real[i].dropped, plain[i].dropped, "settled dropped");
      same(real[i].spilled, plain[i].spilled, "settled spilled");
      if (plain[i].dropped > 0) {
        same(int(real[i].drop_reason), int(plain[i].drop_reason), "settled reason");
      }
    }
  }

  void compare(const Gap& real, const Gap& plain) {
    same(int(real.reason), int(plain.reason), "gap reason");
    same(real.first, plain.first, "gap first");
    same(real.last, plain.last, "gap last");
    same(real.count, plain.count, "gap count");
    same(real.bytes, plain.bytes, "gap bytes");
  }

  void compare(const Delivery& real, const std::vector<Message>& plain) {
    std::uint64_t bytes = 0;
    for (const Message& message : plain) bytes += message.bytes;
    same(real.sequence, plain.front().sequence, "delivered sequence");
    same(real.slice.first, plain.front().index, "delivered index");
    same(real.slice.records, bytes, "delivered bytes");
    same(real.queued_at.time_since_epoch().count(),
         plain.front().queued_at.time_since_epoch().count(), "queued at");
  }

 private:
  std::string setup_;
  std::string text_;
};

}  // namespace sluice::queue::testing
