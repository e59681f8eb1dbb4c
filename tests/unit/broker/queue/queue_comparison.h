// queue_comparison.h: do a BoundedQueue and a PlainQueue agree, whatever happens to both?
//
// Owner:    a test, or the fuzz target; `choose` says what happens next.
// Thread:   one.

#pragma once

#include <map>
#include <string>

#include "broker/store/memory/memory_spill_store.h"
#include "tests/unit/broker/queue/queue_difference.h"
#include "tests/unit/broker/queue/random_parts.h"

namespace sluice::queue::testing {

class QueueComparison {
 public:
  explicit QueueComparison(const Choose& choose)
      : choose_(choose),
        parts_(choose),
        bounds_(parts_.make_bounds()),
        ladder_(parts_.make_ladder()),
        real_(bounds_, ladder_, &store_, 1),
        plain_(bounds_, ladder_),
        difference_(setup()) {}

  /// One random step on both. Empty, or what differed.
  std::string step() {
    using Step = void (QueueComparison::*)();
    static constexpr Step kSteps[] = {&QueueComparison::push,
                                      &QueueComparison::push,
                                      &QueueComparison::push,
                                      &QueueComparison::push,
                                      &QueueComparison::next,
                                      &QueueComparison::next,
                                      &QueueComparison::next,
                                      &QueueComparison::put_back,
                                      &QueueComparison::pass_time,
                                      &QueueComparison::reserve,
                                      &QueueComparison::end_reservation,
                                      &QueueComparison::withdraw,
                                      &QueueComparison::set_ceiling,
                                      &QueueComparison::release,
                                      &QueueComparison::release,
                                      &QueueComparison::compare_settled};
    difference_.start();
    (this->*kSteps[choose_(std::size(kSteps))])();
    real_.check_invariants();
    if (!closed_) compare_state();
    return difference_.text();
  }

  /// Delivers all that is left, closes, and compares to the end.
  std::string finish() {
    difference_.start();
    const Credit ample{.messages = 1000, .bytes = 1'000'000};
    while (!closed_ && difference_.text().empty() && !real_.empty()) deliver(ample, UINT32_MAX);
    close();
    compare_settled();
    real_.check_invariants();
    compare_state();
    return difference_.text();
  }

  bool closed() const { return closed_; }
  std::string setup() const {
    return format_ladder(ladder_) + " messages " + std::to_string(bounds_.max_messages) +
           " bytes " + std::to_string(bounds_.max_bytes) + " lag " +
           std::to_string(bounds_.max_lag.count());
  }

 private:
  void push() {
    if (closed_) return;
    const Part part = parts_.make_part(now_);
    const model::PublishToken token(++token_);
    base::MonotonicTime deadline = base::kNever;
    if (choose_(4) == 0) deadline = now_ + parts_.draw_time(30);
    const PushResult real = real_.push(part.slice, token, now_, deadline);
    difference_.compare(real, plain_.push(part.messages, token, now_, deadline));
    if (real.disconnect) close();
  }

  void next() {
    Credit credit{.messages = choose_(6) == 0 ? 100 : choose_(5),
                  .bytes = static_cast<std::int64_t>(choose_(3) == 0 ? 10'000 : choose_(100))};
    deliver(credit, choose_(4) == 0 ? static_cast<std::uint32_t>(choose_(4)) : UINT32_MAX);
  }

  void deliver(Credit credit, std::uint32_t limit) {
    if (closed_) return;
    Credit left = credit;
    Gap gap;
    const std::vector<Message> expected = plain_.next(left, now_, limit, gap);
    const Item item = real_.next(credit, now_, limit);
    difference_.same(credit.messages, left.messages, "credit in messages");
    difference_.same(credit.bytes, left.bytes, "credit in bytes");
    const auto* real_gap = std::get_if<Gap>(&item);
    difference_.same(real_gap != nullptr, gap.count > 0, "gap told");
    if (real_gap != nullptr) difference_.compare(*real_gap, gap);
    const auto* delivery = std::get_if<Delivery>(&item);
    difference_.same(delivery == nullptr ? 0U : delivery->slice.count, expected.size(),
                     "delivered");
    if (delivery == nullptr || expected.empty()) return;
    difference_.compare(*delivery, expected);
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
    const std::uint64_t publish = parts_.draw_publish();
    model::Origin origin;
    origin.publish = publish;
    difference_.same(real_.withdraw(origin, now_), plain_.withdraw(publish, now_), "withdrawn");
  }

  void set_ceiling() {
    if (closed_) return;
    const std::uint64_t bytes = choose_(2) == 0 ? kNoCeiling : choose_(800);
    difference_.same(real_.set_ceiling(bytes, now_), plain_.set_ceiling(bytes, now_), "squeezed");
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
    difference_.same(real, plain_.on_time(now_), "on_time");
    if (real) close();
  }

  void reserve() {
    const Part part = parts_.make_part(now_);
    const bool real = real_.has_room(part.slice.count, part.slice.records, now_);
    difference_.same(real, plain_.has_room(part.slice.count, part.slice.records, now_), "has_room");
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
      difference_.compare(real_.push_reserved(part.slice, now_),
                          plain_.push_reserved(part.messages, now_));
    } else {
      real_.unreserve(part.slice.count, part.slice.records);
      plain_.unreserve(part.slice.count, part.slice.records);
    }
  }

  // Losses tell all that was dropped, by reason.
  void compare_losses() {
    const std::vector<Loss> losses = real_.take_losses();
    if (losses.size() > kMaxLosses + kGapReasons) difference_.is("more losses than the bound");
    for (const Loss& loss : losses) told_[index_of(loss.reason)] += loss.count;
    const Ledger plain = plain_.ledger();
    for (std::size_t i = 0; i < kGapReasons; ++i)
      difference_.same(told_[i], plain.dropped[i], "losses");
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
    difference_.compare(real, plain);
  }

  void compare_state() {
    const Ledger real = real_.ledger();
    const Ledger plain = plain_.ledger();
    difference_.same(real.imbalance(), 0, "imbalance");
    difference_.same(real.matched, plain.matched, "matched");
    difference_.same(real.delivered, plain.delivered, "delivered in all");
    difference_.same(real.queued, plain.queued, "queued");
    difference_.same(real.in_flight, plain.in_flight, "in flight");
    difference_.same(real.waiting, plain.waiting, "waiting in all");
    difference_.same(real.spilled, plain.spilled, "spilled");
    difference_.same(real.discarded, plain.discarded, "discarded");
    for (std::size_t i = 0; i < kGapReasons; ++i)
      difference_.same(real.dropped[i], plain.dropped[i], "drops");
    difference_.same(real_.held_bytes(), plain_.held_bytes(), "held bytes");
    difference_.same(real_.queued(), plain.queued, "queued()");
    difference_.same(real_.empty(), plain_.empty(), "empty");
    difference_.same(real_.lag(now_).count(), plain_.lag(now_).count(), "lag");
    if (real_.next_time() > plain_.next_time()) difference_.is("next_time is late");
    if (choose_(50) == 0) real_.shrink();
  }

  Choose choose_;
  RandomParts parts_;  // longer than what holds its topics
  Bounds bounds_;
  Ladder ladder_;
  store::MemorySpillStore store_;
  BoundedQueue real_;
  PlainQueue plain_;
  base::MonotonicTime now_{};
  std::uint64_t token_ = 0;
  std::map<std::uint64_t, Part> out_;
  std::vector<Part> flying_;
  std::vector<Part> reserved_;
  std::array<std::uint64_t, kGapReasons> told_{};
  bool closed_ = false;
  QueueDifference difference_;
};

}  // namespace sluice::queue::testing
