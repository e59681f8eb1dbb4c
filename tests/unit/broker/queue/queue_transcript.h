// queue_transcript.h: a test of a queue as a transcript: a command, and behind the arrow what it
// must answer.
//
//   queue LADDER [m=MESSAGES] [b=BYTES] [lag=TIME]     sizes are of records; see also `size`
//   push N [size=BYTES] [until=TIME]                   one batch; its token counts up from 1
//   next [m=] [b=] [limit=]    back FIRST-LAST    at TIME (on_time)    when (next_time)
//   settled    ledger    room N    reserve N    unreserve N    commit N    held    close    empty
//
// Owner:    one test.
// Thread:   one.

#pragma once

#include <gtest/gtest.h>
#include <map>
#include <optional>
#include <sstream>
#include <string>

#include "broker/queue/bounded_queue.h"
#include "libs/base/units.h"
#include "tests/unit/broker/queue/manual_spill_store.h"
#include "tests/unit/broker/queue/test_batches.h"

namespace sluice::queue::testing {

inline std::string reason_name(wire::GapReason reason) {
  return std::string(gap_reason_name(reason));
}

class Transcript {
 public:
  void run(const std::string& text) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      const std::size_t start = line.find_first_not_of(' ');
      if (start == std::string::npos) continue;
      const std::size_t arrow = line.find(" -> ");
      const std::string command = line.substr(start, arrow - start);
      const std::string expected = arrow == std::string::npos ? "" : line.substr(arrow + 4);
      EXPECT_EQ(execute(command), expected) << "in: " << command;
      if (queue_) queue_->check_invariants();
    }
  }

 private:
  using Options = std::map<std::string, std::string>;

  std::string execute(const std::string& command) {
    std::istringstream words(command);
    std::string verb;
    words >> verb;
    argument_.clear();
    options_.clear();
    for (std::string word; words >> word;) {
      const std::size_t equals = word.find('=');
      if (equals == std::string::npos) {
        argument_ = word;
      } else {
        options_[word.substr(0, equals)] = word.substr(equals + 1);
      }
    }
    return dispatch(verb);
  }

  std::string dispatch(const std::string& verb) {
    if (verb == "queue") return make_queue();
    if (verb == "push") return push();
    if (verb == "next") return next();
    if (verb == "back") return put_back();
    if (verb == "at") return at();
    if (verb == "when") return show(queue_->next_time());
    if (verb == "settled") return settled();
    if (verb == "ledger") return ledger();
    if (verb == "room") return queue_->has_room(count(), count() * size(), now_) ? "yes" : "no";
    if (verb == "reserve") return queue_->reserve(count(), count() * size()), "";
    if (verb == "unreserve") return queue_->unreserve(count(), count() * size()), "";
    if (verb == "commit") return show(queue_->push_reserved(published(), now_));
    if (verb == "store") return set_store();
    if (verb == "kept") return std::to_string(store_.kept());
    if (verb == "spilled") return std::to_string(queue_->spilled_bytes());
    if (verb == "awaits") return queue_->awaits_spill() ? "yes" : "no";
    if (verb == "withdraw") return withdraw();
    if (verb == "ceiling") return std::to_string(queue_->set_ceiling(count_or_none(), now_));
    if (verb == "held") return std::to_string(queue_->held_bytes());
    if (verb == "close") return queue_->close(), "";
    if (verb == "empty") return queue_->empty() ? "yes" : "no";
    if (verb == "lag") return base::format_duration(queue_->lag(now_));
    ADD_FAILURE() << "unknown command " << verb;
    return {};
  }

  std::uint32_t count() const { return static_cast<std::uint32_t>(std::stoul(argument_)); }
  std::uint64_t number(const std::string& key, std::uint64_t otherwise) const {
    const auto found = options_.find(key);
    return found == options_.end() ? otherwise : std::stoull(found->second);
  }
  base::Duration time(const std::string& text) const { return base::parse_duration(text).value(); }
  std::uint32_t size() const { return static_cast<std::uint32_t>(number("size", 10)); }
  model::Slice slice() const {
    return make_slice(std::vector<std::uint32_t>(count(), size()), options_.contains("z"));
  }
  model::Slice published() {
    model::Slice made = slice();
    made.origin.publish = ++token_;
    return made;
  }

  std::string make_queue() {
    Bounds bounds{.max_messages = static_cast<std::uint32_t>(number("m", 1000)),
                  .max_bytes = number("b", 1'000'000)};
    if (options_.contains("lag")) bounds.max_lag = time(options_["lag"]);
    queue_.emplace(bounds, parse_ladder(argument_).value(), &store_, 1);
    return "";
  }

  // What the store is from now on.
  std::string set_store() {
    store_.full = argument_ == "full";
    store_.late = argument_ == "late";
    store_.lost = argument_ == "lost";
    store_.memory = argument_ != "disk";
    return "";
  }

  std::string withdraw() {
    model::Origin origin;
    origin.publish = count();
    return std::to_string(queue_->withdraw(origin, now_));
  }

  std::uint64_t count_or_none() const { return argument_ == "none" ? kNoCeiling : count(); }

  std::string push() {
    const auto deadline =
        options_.contains("until") ? base::MonotonicTime(time(options_["until"])) : base::kNever;
    const model::Slice made = published();
    return show(queue_->push(made, model::PublishToken(token_), now_, deadline));
  }

  static std::string show(const PushResult& result) {
    std::string out;
    const auto add = [&](const char* name, std::uint32_t value) {
      if (value > 0)
        out += (out.empty() ? "" : " ") + std::string(name) + " " + std::to_string(value);
    };
    add("accepted", result.accepted);
    add("spilled", result.spilled);
    add("dropped", result.dropped);
    if (result.dropped > 0) out += " " + reason_name(result.drop_reason);
    add("waiting", result.waiting);
    add("displaced", result.displaced);
    if (result.disconnect) out += " disconnect";
    return out;
  }

  static std::string range(std::uint64_t first, std::uint64_t last) {
    return std::to_string(first) + "-" + std::to_string(last);
  }

  std::string next() {
    Credit credit{.messages = number("m", 1000),
                  .bytes = static_cast<std::int64_t>(number("b", 1'000'000))};
    const Credit before = credit;
    const Item item =
        queue_->next(credit, now_, static_cast<std::uint32_t>(number("limit", UINT32_MAX)));
    if (const auto* gap = std::get_if<Gap>(&item)) {
      return "gap " + reason_name(gap->reason) + " " + range(gap->first, gap->last) + " count " +
             std::to_string(gap->count) + " bytes " + std::to_string(gap->bytes);
    }
    const auto* delivery = std::get_if<Delivery>(&item);
    if (delivery == nullptr) return "nothing";
    const model::Slice& sent = delivery->slice;
    EXPECT_EQ(before.messages - credit.messages, sent.count);
    EXPECT_EQ(before.bytes - credit.bytes, sent.records);
    delivered_[delivery->sequence] = sent;
    return range(delivery->sequence, delivery->sequence + sent.count - 1);
  }

  std::string put_back() {
    const std::uint64_t first = std::stoull(argument_);
    queue_->put_back(delivered_.at(first), first, now_);
    delivered_.erase(first);
    return "";
  }

  std::string at() {
    now_ = base::MonotonicTime(time(argument_));
    return queue_->on_time(now_) ? "disconnect" : "";
  }

  static std::string show(base::MonotonicTime time) {
    if (time == base::kNever) return "never";
    if (time == base::MonotonicTime::min()) return "now";
    return base::format_duration(time.time_since_epoch());
  }

  std::string settled() {
    std::string out;
    EXPECT_EQ(queue_->has_settled(), true) << "nothing settled";
    for (const Settled& one : queue_->take_settled()) {
      out += (out.empty() ? "" : ", ") + ("#" + std::to_string(one.token.value()));
      if (one.accepted > 0) out += " accepted " + std::to_string(one.accepted);
      if (one.spilled > 0) out += " spilled " + std::to_string(one.spilled);
      if (one.dropped > 0) {
        out += " dropped " + std::to_string(one.dropped) + " " + reason_name(one.drop_reason);
      }
    }
    EXPECT_FALSE(queue_->has_settled());
    return out;
  }

  std::string ledger() {
    const Ledger ledger = queue_->ledger();
    std::string out = "matched " + std::to_string(ledger.matched);
    const auto add = [&](const std::string& name, std::uint64_t value) {
      if (value > 0) out += " " + name + " " + std::to_string(value);
    };
    add("delivered", ledger.delivered);
    add("queued", ledger.queued);
    add("spilled", ledger.spilled);
    add("waiting", ledger.waiting);
    add("discarded", ledger.discarded);
    for (std::size_t i = 0; i < kGapReasons; ++i) {
      add(reason_name(static_cast<wire::GapReason>(i + 1)), ledger.dropped[i]);
    }
    return out;
  }

  ManualSpillStore store_;
  std::optional<BoundedQueue> queue_;
  base::MonotonicTime now_{};
  std::uint64_t token_ = 0;
  std::map<std::uint64_t, model::Slice> delivered_;
  std::string argument_;
  Options options_;
};

}  // namespace sluice::queue::testing
