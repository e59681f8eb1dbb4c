// random_parts.h: bounds, ladders, and slices with the messages that a plain queue knows them by.
//
// Owner:    one QueueComparison; `choose` says what happens next.
// Thread:   one.

#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "tests/unit/broker/queue/plain_queue.h"
#include "tests/unit/broker/queue/test_batches.h"

namespace sluice::queue::testing {

/// A number below the bound.
using Choose = std::function<std::uint64_t(std::uint64_t bound)>;

struct Part {
  model::Slice slice;
  std::vector<Message> messages;
};

class RandomParts {
 public:
  explicit RandomParts(Choose choose)
      : choose_(std::move(choose)),
        topics_{{model::TopicSlot(0)}, {model::TopicSlot(1)}, {model::TopicSlot(2)}} {}

  Bounds make_bounds() {
    Bounds bounds{.max_messages = static_cast<std::uint32_t>(1 + choose_(12)),
                  .max_bytes = 150 + choose_(choose_(2) == 0 ? 900 : 2500)};
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
                                          "block:20ms,disconnect",
                                          "conflate,drop_oldest",
                                          "conflate:key,drop_oldest",
                                          "conflate:key,drop_newest",
                                          "conflate,reject",
                                          "conflate:key,disconnect",
                                          "conflate,block",
                                          "conflate:key,block:20ms,drop_oldest",
                                          "block:20ms,conflate,drop_oldest",
                                          "block:20ms,conflate:key,drop_newest",
                                          "block:20ms,conflate,disconnect",
                                          "spill:600,drop_oldest",
                                          "spill:1200,drop_oldest",
                                          "spill:500,drop_newest",
                                          "spill:900,reject",
                                          "spill:400,disconnect",
                                          "spill:700,block",
                                          "spill:500,block:20ms,drop_oldest",
                                          "block:20ms,spill:700,drop_newest",
                                          "block:20ms,spill:400,drop_oldest"};
    return parse_ladder(ladders[choose_(std::size(ladders))]).value();
  }

  base::Duration draw_time(std::uint64_t ms_max) {
    const std::uint64_t us = choose_(2) == 0 ? 0 : choose_(1000);
    return std::chrono::milliseconds(choose_(ms_max)) + std::chrono::microseconds(us);
  }

  // One of the last publishes.
  std::uint64_t draw_publish() { return batch_ - std::min<std::uint64_t>(batch_, choose_(6)); }

  // Some or all of a new batch, or what is left of the last.
  Part make_part(base::MonotonicTime now) {
    if (!rest_ || choose_(2) == 0) {
      const bool compressed = choose_(4) == 0;
      const std::size_t count = 1 + choose_(6);
      const bool timed = choose_(3) == 0;
      std::vector<std::uint32_t> sizes;
      std::vector<std::int64_t> deadlines(count);
      std::vector<int> keys(count);
      const bool keyed = choose_(2) == 0;
      for (std::size_t i = 0; i < count; ++i) {
        sizes.push_back(static_cast<std::uint32_t>(2 + choose_(choose_(8) == 0 ? 120 : 40)));
        if (keyed) keys[i] = static_cast<int>(choose_(5));
        if (keys[i] != 0) sizes[i] = std::max(sizes[i], 12U);
        if (!timed || choose_(3) == 0) continue;
        sizes.back() = std::max(sizes.back(), keys[i] != 0 ? 14U : 10U);
        deadlines[i] = 1 + (now.time_since_epoch() + draw_time(40)).count();
      }
      rest_ = Part{make_slice(sizes, compressed, deadlines, keys), {}};
      rest_->slice.origin.publish = batch_ + 1;
      const auto topic = static_cast<int>(choose_(std::size(topics_)));
      rest_->slice.topic = model::TopicRef(topics_[topic]);
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
             .origin = rest_->slice.origin.publish,
             .topic = topic,
             .key = compressed ? 0 : keys[i]});
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

 private:
  Choose choose_;
  model::TopicNode topics_[3];  // longer than what holds them
  std::uint64_t batch_ = 0;
  std::optional<Part> rest_;
};

}  // namespace sluice::queue::testing
