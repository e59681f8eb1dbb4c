// queue_comparison.h: drives a BoundedQueue and a PlainQueue with the same choices.
//
// Owner:    a test, or the fuzz target; `choose` says what happens next.
// Thread:   one.

#pragma once

#include <functional>
#include <map>
#include <optional>
#include <sstream>
#include <string>

#include "tests/unit/broker/queue/plain_queue.h"
#include "tests/unit/broker/queue/test_batches.h"

namespace sluice::queue::testing {

class QueueComparison {
 public:
  /// A number below the bound.
  using Choose = std::function<std::uint64_t(std::uint64_t bound)>;

  explicit QueueComparison(Choose choose)
      : choose_(std::move(choose)),
        bounds_(make_bounds()),
        ladder_(make_ladder()),
        real_(bounds_, ladder_),
        plain_(bounds_, ladder_) {}

  /// One random step on both. Empty, or what differed.
  std::string step() {
    difference_.clear();
    switch (choose_(16)) {
      case 0:
      case 1:
      case 2:
      case 3:
        push();
        break;
      case 4:
      case 5:
      case 6:
        next();
        break;
      case 7:
        put_back();
        break;
      case 8:
        pass_time();
        break;
      case 9:
        reserve();
        break;
      case 10:
        end_reservation();
        break;
      case 11:
        withdraw();
        break;
      case 12:
        set_ceiling();
        break;
      case 13:
      case 14:
        release();
        break;
      default:
        compare_settled();
        break;
    }
    real_.check_invariants();
    if (!closed_) compare_state();
    return difference_;
  }

  /// Delivers all that is left, closes, and compares to the end.
  std::string finish() {
    difference_.clear();
    const Credit ample{.messages = 1000, .bytes = 1'000'000};
    while (!closed_ && difference_.empty() && !real_.empty()) next(ample, UINT32_MAX);
    close();
    compare_settled();
    real_.check_invariants();
    compare_state();
    return difference_;
  }

  bool closed() const { return closed_; }
  std::string setup() const {
    return format_ladder(ladder_) + " messages " + std::to_string(bounds_.max_messages) +
           " bytes " + std::to_string(bounds_.max_bytes) + " lag " +
           std::to_string(bounds_.max_lag.count());
  }

 private:
  struct Part {
    model::Slice slice;
    std::vector<Message> messages;
  };

  Bounds make_bounds() {
    Bounds bounds{.max_messages = static_cast<std::uint32_t>(1 + choose_(12)),
                  .max_bytes = 150 + choose_(900)};
    if (choose_(3) == 0) bounds.max_lag = std::chrono::milliseconds(5 + choose_(30));
    return bounds;
  }
  Ladder make_ladder() {
    static const char* const ladders[] = {"drop_oldest",
                                          "drop_newest",
                                          "reject",
                                          "disconnect",
                                          "block",
                                          "block:20ms,drop_oldest",
                                          "block:20ms,reject",
                                          "block:20ms,drop_newest",
                                          "block:20ms,disconnect"};
    return parse_ladder(ladders[choose_(std::size(ladders))]).value();
  }

  base::Duration draw_time(std::uint64_t ms_max) {
    const std::uint64_t us = choose_(2) == 0 ? 0 : choose_(1000);
    return std::chrono::milliseconds(choose_(ms_max)) + std::chrono::microseconds(us);
  }

  template <typename A, typename B>
  void same(const A& real, const B& plain, const char* what) {
    if (real == plain || !difference_.empty()) return;
    std::ostringstream text;
    text << what << ": queue " << real << ", model " << plain << " (" << setup() << ")";
    difference_ = text.str();
  }

  // Some or all of a new batch, or what is left of the last.
  Part make_part() {
    if (!rest_ || choose_(2) == 0) {
      const bool compressed = choose_(4) == 0;
      const std::size_t count = 1 + choose_(6);
      const bool timed = choose_(3) == 0;
      std::vector<std::uint32_t> sizes;
      std::vector<std::int64_t> deadlines(count);
      for (std::size_t i = 0; i < count; ++i) {
        sizes.push_back(static_cast<std::uint32_t>(2 + choose_(choose_(8) == 0 ? 120 : 40)));
        if (!timed || choose_(3) == 0) continue;
        sizes.back() = std::max(sizes.back(), 10U);
        deadlines[i] = 1 + (now_.time_since_epoch() + draw_time(40)).count();
      }
      rest_ = Part{make_slice(sizes, compressed, deadlines), {}};
      rest_->slice.origin.publish = 1 + choose_(5);
      ++batch_;
      std::uint64_t sum = 0;
      for (const std::uint32_t size : sizes) sum += size;
      for (std::uint32_t i = 0; i < count; ++i) {
        const std::uint64_t share = sum * (i + 1) / count - sum * i / count;
        rest_->messages.push_back(
            {.sequence = 0,
             .batch = batch_,
             .index = i,
             .bytes = compressed ? static_cast<std::uint32_t>(share) : sizes[i],
             .queued_at = {},
             .origin = rest_->slice.origin.publish});
        // Of a compressed batch that cannot be read only the publish's deadline is known.
        if (deadlines[i] == 0 || compressed) continue;
        rest_->messages.back().expires = base::MonotonicTime(base::Duration(deadlines[i]));
      }
    }
    Part part = *rest_;
    const auto cut = static_cast<std::uint32_t>(choose_(part.slice.count));
    rest_.reset();
    if (cut == 0) return part;
    rest_ = part;
    part.slice = rest_->slice.split_front(cut);
    part.messages.resize(cut);
    rest_->messages.erase(rest_->messages.begin(), rest_->messages.begin() + cut);
    return part;
  }

  void push() {
    if (closed_) return;
    const Part part = make_part();
    const model::PublishToken token(++token_);
    base::MonotonicTime deadline = base::kNever;
    if (choose_(4) == 0) deadline = now_ + draw_time(30);
    compare(real_.push(part.slice, token, now_, deadline),
            plain_.push(part.messages, token, now_, deadline));
  }

  void compare(const PushResult& real, const PushResult& plain) {
    same(real.accepted, plain.accepted, "accepted");
    same(real.dropped, plain.dropped, "dropped");
    same(real.waiting, plain.waiting, "waiting");
    same(real.displaced, plain.displaced, "displaced");
    same(real.disconnect, plain.disconnect, "disconnect");
    if (plain.dropped > 0) same(int(real.drop_reason), int(plain.drop_reason), "drop_reason");
    if (real.disconnect) close();
  }

  void next() {
    Credit credit{.messages = choose_(6) == 0 ? 100 : choose_(5),
                  .bytes = static_cast<std::int64_t>(choose_(3) == 0 ? 10'000 : choose_(100))};
    const bool limited = choose_(4) == 0;
    next(credit, limited ? static_cast<std::uint32_t>(choose_(4)) : UINT32_MAX);
  }

  void next(Credit credit, std::uint32_t limit) {
    if (closed_) return;
    Credit left = credit;
    Gap gap;
    const std::vector<Message> expected = plain_.next(left, now_, limit, gap);
    const Item item = real_.next(credit, now_, limit);
    same(credit.messages, left.messages, "credit in messages");
    same(credit.bytes, left.bytes, "credit in bytes");
    const auto* real_gap = std::get_if<Gap>(&item);
    same(real_gap != nullptr, gap.count > 0, "gap told");
    if (real_gap != nullptr) compare(*real_gap, gap);
    const auto* delivery = std::get_if<Delivery>(&item);
    same(delivery == nullptr ? 0U : delivery->slice.count, expected.size(), "delivered");
    if (delivery == nullptr || expected.empty()) return;
    compare(*delivery, expected);
    if (choose_(3) == 0) {
      // The socket did not take it: in flight, until it does or it comes back.
      std::uint64_t bytes = kSliceOverhead + delivery->slice.records;
      real_.hold_in_flight(delivery->slice.count, bytes);
      plain_.hold_in_flight(expected.size(), bytes);
      flying_.push_back(Part{delivery->slice, expected});
      return;
    }
    if (out_.size() > 8) out_.erase(out_.begin());
    out_.emplace(delivery->sequence, Part{delivery->slice, expected});
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

  void release() {
    if (closed_ || flying_.empty()) return;
    const Part part = flying_.front();
    flying_.erase(flying_.begin());
    const std::uint64_t bytes = kSliceOverhead + part.slice.records;
    real_.release_in_flight(part.slice.count, bytes);
    plain_.release_in_flight(part.messages.size(), bytes);
    out_.emplace(part.messages.front().sequence, part);
  }

  void withdraw() {
    if (closed_) return;
    const std::uint64_t publish = 1 + choose_(5);
    model::Origin origin;
    origin.publish = publish;
    same(real_.withdraw(origin, now_), plain_.withdraw(publish, now_), "withdrawn");
  }

  void set_ceiling() {
    if (closed_) return;
    const std::uint64_t bytes = choose_(2) == 0 ? kNoCeiling : choose_(800);
    same(real_.set_ceiling(bytes, now_), plain_.set_ceiling(bytes, now_), "squeezed");
  }

  void put_back() {
    if (closed_ || out_.empty()) return;
    auto at = out_.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(choose_(out_.size())));
    real_.put_back(at->second.slice, at->first, now_, at->second.messages.front().deadline);
    plain_.put_back(at->second.messages, now_);
    out_.erase(at);
  }

  void pass_time() {
    if (closed_) return;
    now_ += std::chrono::milliseconds(choose_(12));
    const bool real = real_.on_time(now_);
    same(real, plain_.on_time(now_), "on_time");
    if (real) close();
  }

  void reserve() {
    const Part part = make_part();
    const bool real = real_.has_room(part.slice.count, part.slice.records, now_);
    same(real, plain_.has_room(part.slice.count, part.slice.records, now_), "has_room");
    if (!real || closed_ || reserved_.size() > 2) return;
    real_.reserve(part.slice.count, part.slice.records);
    plain_.reserve(part.slice.count, part.slice.records);
    reserved_.push_back(part);
  }

  void end_reservation() {
    if (closed_ || reserved_.empty()) return;
    const Part part = reserved_.back();
    reserved_.pop_back();
    if (choose_(2) == 0) {
      compare(real_.push_reserved(part.slice, now_), plain_.push_reserved(part.messages, now_));
    } else {
      real_.unreserve(part.slice.count, part.slice.records);
      plain_.unreserve(part.slice.count, part.slice.records);
    }
  }

  // Losses tell all that was dropped, by reason.
  void compare_losses() {
    const std::vector<Loss> losses = real_.take_losses();
    if (losses.size() > kMaxLosses + kGapReasons) difference_ = "more losses than the bound";
    for (const Loss& loss : losses) told_[index_of(loss.reason)] += loss.count;
    const Ledger plain = plain_.ledger();
    for (std::size_t i = 0; i < kGapReasons; ++i) same(told_[i], plain.dropped[i], "losses");
  }

  void close() {
    if (closed_) return;
    closed_ = true;
    real_.close();
    plain_.close();
  }

  void compare_settled() {
    compare_losses();
    const std::vector<Settled> real = real_.take_settled();
    const std::vector<Settled> plain = plain_.take_settled();
    same(real.size(), plain.size(), "settled");
    for (std::size_t i = 0; i < real.size() && i < plain.size(); ++i) {
      same(real[i].token.value(), plain[i].token.value(), "settled token");
      same(real[i].accepted, plain[i].accepted, "settled accepted");
      same(real[i].dropped, plain[i].dropped, "settled dropped");
      if (plain[i].dropped > 0) {
        same(int(real[i].drop_reason), int(plain[i].drop_reason), "settled reason");
      }
    }
  }

  void compare_state() {
    const Ledger real = real_.ledger();
    const Ledger plain = plain_.ledger();
    same(real.imbalance(), 0, "imbalance");
    same(real.matched, plain.matched, "matched");
    same(real.delivered, plain.delivered, "delivered in all");
    same(real.queued, plain.queued, "queued");
    same(real.in_flight, plain.in_flight, "in flight");
    same(real.waiting, plain.waiting, "waiting in all");
    same(real.discarded, plain.discarded, "discarded");
    for (std::size_t i = 0; i < kGapReasons; ++i) same(real.dropped[i], plain.dropped[i], "drops");
    same(real_.held_bytes(), plain_.held_bytes(), "held bytes");
    same(real_.queued(), plain.queued, "queued()");
    same(real_.empty(), plain_.empty(), "empty");
    same(real_.lag(now_).count(), plain_.lag(now_).count(), "lag");
    if (real_.next_time() > plain_.next_time()) difference_ = "next_time is late";
    if (choose_(50) == 0) real_.shrink();
  }

  Choose choose_;
  Bounds bounds_;
  Ladder ladder_;
  BoundedQueue real_;
  PlainQueue plain_;
  base::MonotonicTime now_{};
  std::uint64_t token_ = 0;
  std::uint64_t batch_ = 0;
  std::optional<Part> rest_;
  std::map<std::uint64_t, Part> out_;
  std::vector<Part> flying_;
  std::vector<Part> reserved_;
  std::array<std::uint64_t, kGapReasons> told_{};
  bool closed_ = false;
  std::string difference_;
};

}  // namespace sluice::queue::testing
