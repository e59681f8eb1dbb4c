#include "broker/daemon/drain.h"

#include <algorithm>
#include <utility>

#include "libs/base/assert.h"

namespace sluice::daemon {

Drain::Act Drain::on_time(base::MonotonicTime now) {
  const bool open = std::any_of(shards_.begin(), shards_.end(),
                                [](const Shard& one) { return one.asked && !one.stuck; });
  if (open && !gives_up(now)) return Act::kWait;
  if (!asked_ || !is_over(now)) return ask(now);
  note_result();
  if (std::exchange(cutting_, true)) return Act::kEnd;
  until_ = now + kCutGrace;
  return Act::kCut;
}

// True when who has not answered by now is not waited for.
bool Drain::gives_up(base::MonotonicTime now) {
  if (now < until_ || now - asked_at_ < kStuckAfter) return false;
  for (Shard& shard : shards_) shard.stuck = shard.asked;
  return true;
}

bool Drain::is_over(base::MonotonicTime now) {
  const auto all = [this](auto is_so) {
    return std::all_of(shards_.begin(), shards_.end(), is_so);
  };
  if (now >= until_) return true;
  if (cutting_) {
    return all([](const Shard& one) { return one.stuck || one.left.connections == 0; });
  }
  // Twice in a row: a letter may be on its way from a shard asked late to one asked early.
  const bool drained = all([](const Shard& one) { return !one.stuck && one.left.drained; });
  return std::exchange(drained_before_, drained) && drained;
}

Drain::Act Drain::ask(base::MonotonicTime now) {
  to_ask_.clear();
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    if (shards_[i].asked) continue;  // it has the question
    shards_[i].asked = true;
    to_ask_.push_back(i);
  }
  asked_ = true;
  asked_at_ = now;
  return Act::kAsk;
}

void Drain::on_answer(std::size_t shard, const Left& left) {
  ASSERT(shard < shards_.size() && shards_[shard].asked);
  shards_[shard] = {false, false, left};
}

// What was left when time was up: cutting connections only adds to what was not delivered.
void Drain::note_result() {
  result_.stuck.clear();
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    if (shards_[i].stuck) result_.stuck.push_back(i);
    if (cutting_) continue;
    result_.messages_left += shards_[i].left.messages;
    result_.publishes_left += shards_[i].left.publishes;
  }
}

}  // namespace sluice::daemon
