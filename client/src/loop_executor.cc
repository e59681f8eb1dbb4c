#include "client/src/loop_executor.h"

namespace sluice::detail {

LoopExecutor::LoopExecutor(loop::Loop& loop)
    : loop_(loop), wakeup_(loop, [] {}), timer_(loop, [this] { armed_for_ = base::kNever; }) {}

void LoopExecutor::post(Work work) {
  const std::lock_guard lock(mutex_);
  ready_.push_back(std::move(work));
  // Under the lock: the executor may not go before this is done.
  attract();
}

async::TimerId LoopExecutor::post_at(base::MonotonicTime when, Work work) {
  const std::lock_guard lock(mutex_);
  const async::TimerId id = next_timer_;
  next_timer_ = id.next();
  timers_.emplace(TimerKey{when, id}, std::move(work));
  attract();
  return id;
}

bool LoopExecutor::cancel(async::TimerId timer) {
  const std::lock_guard lock(mutex_);
  for (auto it = timers_.begin(); it != timers_.end(); ++it) {
    if (it->first.second != timer) continue;
    timers_.erase(it);
    return true;
  }
  return false;
}

void LoopExecutor::run_ready() {
  Work work;
  for (int i = 0; i < kWorkPerTurn && take_next(work); ++i) {
    work();
    work = nullptr;
  }
  arm_timer();
}

void LoopExecutor::finish() {
  {
    const std::lock_guard lock(mutex_);
    timers_.clear();
  }
  Work work;
  while (take_next(work)) {
    work();
    work = nullptr;
  }
}

// The loop takes another turn, at whose end run_ready is called.
void LoopExecutor::attract() {
  if (loop_.is_owner()) {
    loop_.request_turn();
  } else {
    wakeup_.post();
  }
}

bool LoopExecutor::take_next(Work& work) {
  const std::lock_guard lock(mutex_);
  const auto first = timers_.begin();
  if (first != timers_.end() && first->first.first <= clock_.now()) {
    work = std::move(first->second);
    timers_.erase(first);
    return true;
  }
  if (ready_.empty()) return false;
  work = std::move(ready_.front());
  ready_.pop_front();
  return true;
}

void LoopExecutor::arm_timer() {
  base::MonotonicTime next = base::kNever;
  {
    const std::lock_guard lock(mutex_);
    if (!ready_.empty()) loop_.request_turn();
    if (!timers_.empty()) next = timers_.begin()->first.first;
  }
  if (next == armed_for_) return;
  armed_for_ = next;
  if (next == base::kNever) return timer_.cancel();
  timer_.start(next - clock_.now());
}

}  // namespace sluice::detail
