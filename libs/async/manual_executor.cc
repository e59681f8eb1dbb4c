#include "libs/async/manual_executor.h"

#include "libs/base/assert.h"

namespace sluice::async {

void ManualExecutor::post(Work work) {
  const std::lock_guard lock(mutex_);
  ready_.push_back(std::move(work));
}

TimerId ManualExecutor::post_at(base::MonotonicTime when, Work work) {
  const std::lock_guard lock(mutex_);
  const TimerId id = next_timer_;
  next_timer_ = id.next();
  timers_.emplace(TimerKey{when, id}, std::move(work));
  return id;
}

bool ManualExecutor::cancel(TimerId timer) {
  const std::lock_guard lock(mutex_);
  for (auto it = timers_.begin(); it != timers_.end(); ++it) {
    if (it->first.second != timer) continue;
    timers_.erase(it);
    return true;
  }
  return false;
}

std::size_t ManualExecutor::run_ready() {
  ASSERT(is_current());
  std::size_t ran = 0;
  for (;; ++ran) {
    Work work;
    {
      const std::lock_guard lock(mutex_);
      if (ready_.empty()) return ran;
      work = std::move(ready_.front());
      ready_.pop_front();
    }
    work();
  }
}

void ManualExecutor::advance(base::Duration by) {
  const base::MonotonicTime until = clock_.now() + by;
  run_ready();
  while (run_next_timer(until)) run_ready();
  if (clock_.now() < until) clock_.advance(until - clock_.now());
}

void ManualExecutor::run_until_idle() {
  run_ready();
  while (run_next_timer(base::kNever)) run_ready();
}

std::size_t ManualExecutor::timer_count() const {
  const std::lock_guard lock(mutex_);
  return timers_.size();
}

bool ManualExecutor::run_next_timer(base::MonotonicTime until) {
  Work work;
  {
    const std::lock_guard lock(mutex_);
    if (timers_.empty()) return false;
    const auto first = timers_.begin();
    const base::MonotonicTime when = first->first.first;
    if (when > until) return false;
    if (when > clock_.now()) clock_.advance(when - clock_.now());
    work = std::move(first->second);
    timers_.erase(first);
  }
  work();
  return true;
}

}  // namespace sluice::async
