#include "libs/async/local_executor.h"

namespace sluice::async {

// Everything that notifies does so under the lock: the runner may destroy the executor as soon as
// it can take the lock and sees that it is done.
void LocalExecutor::post(Work work) {
  const std::lock_guard lock(mutex_);
  ready_.push_back(std::move(work));
  changed_.notify_one();
}

TimerId LocalExecutor::post_at(base::MonotonicTime when, Work work) {
  const std::lock_guard lock(mutex_);
  const TimerId id = next_timer_;
  next_timer_ = id.next();
  timers_.emplace(TimerKey{when, id}, std::move(work));
  changed_.notify_one();
  return id;
}

bool LocalExecutor::cancel(TimerId timer) {
  const std::lock_guard lock(mutex_);
  for (auto it = timers_.begin(); it != timers_.end(); ++it) {
    if (it->first.second != timer) continue;
    timers_.erase(it);
    return true;
  }
  return false;
}

void LocalExecutor::run() {
  runner_ = std::this_thread::get_id();
  std::unique_lock lock(mutex_);
  Work work;
  while (take_next(lock, work)) {
    lock.unlock();
    work();
    work = nullptr;
    lock.lock();
  }
}

void LocalExecutor::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  changed_.notify_one();
}

// Waits for work that is due; false when the executor ends and none is left.
bool LocalExecutor::take_next(std::unique_lock<std::mutex>& lock, Work& work) {
  for (;;) {
    const auto first = timers_.begin();
    const bool has_timer = first != timers_.end() && !stopping_;
    if (has_timer && first->first.first <= clock_.now()) {
      work = std::move(first->second);
      timers_.erase(first);
      return true;
    }
    if (!ready_.empty()) {
      work = std::move(ready_.front());
      ready_.pop_front();
      return true;
    }
    if (stopping_) return false;
    if (has_timer) {
      const base::Duration wait = first->first.first - clock_.now();
      changed_.wait_for(lock, wait);
    } else {
      changed_.wait(lock);
    }
  }
}

}  // namespace sluice::async
