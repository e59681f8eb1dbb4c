#include "broker/net/shard_loop.h"

#include <pthread.h>
#include <string>
#include <utility>

#include "libs/base/assert.h"

namespace sluice::net {

ShardLoop::ShardLoop(model::ShardId id, const shard::Options& options, const shard::Ports& ports,
                     const base::Clock& clock, std::uint64_t seed)
    : options_(options),
      metrics_(ports.metrics),
      clock_(clock),
      mail_(loop_, [this] { shard_->read_mail(); }),
      jobs_ready_(loop_, [this] { run_jobs(); }),
      timer_(loop_,
             [this] {
               timer_at_ = base::kNever;
               shard_->on_time();
             }),
      shard_(std::make_unique<shard::Shard>(id, options, ports, seed)) {
  loop_.on_turn_begin([this] { begin_turn(); });
  loop_.on_turn_end([this] { end_turn(); });
  ports.office.set_wake(id, [this] { wake(); });
}

ShardLoop::~ShardLoop() { ASSERT(!thread_.joinable()); }

void ShardLoop::start() {
  jobs_ready_.post();  // a first turn, which arms the timer
  thread_ = std::thread([this] {
    // For top -H, and to tell which one hangs.
    const std::string name = "shard-" + std::to_string(shard_->core().id.value());
    pthread_setname_np(pthread_self(), name.c_str());
    loop_.run();
  });
}

void ShardLoop::stop() {
  loop_.stop();
  if (thread_.joinable()) thread_.join();
  // The loop has no thread of its own any more, so its handles are this thread's again.
  pumps_.clear();
}

void ShardLoop::adopt(loop::OwnedFd socket) {
  {
    const std::lock_guard lock(mutex_);
    sockets_.push_back(std::move(socket));
  }
  jobs_ready_.post();
}

void ShardLoop::post(std::function<void(shard::Shard&)> job) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  jobs_ready_.post();
}

void ShardLoop::run_jobs() {
  std::vector<std::function<void(shard::Shard&)>> jobs;
  std::vector<loop::OwnedFd> sockets;
  {
    const std::lock_guard lock(mutex_);
    jobs.swap(jobs_);
    sockets.swap(sockets_);
  }
  for (loop::OwnedFd& socket : sockets) start_pump(std::move(socket));
  for (const auto& job : jobs) job(*shard_);
}

void ShardLoop::start_pump(loop::OwnedFd socket) {
  PumpOwner& owner = *this;
  auto pump = std::make_unique<ConnectionPump>(loop_, std::move(socket), *shard_, owner, options_);
  if (pump->start()) pumps_.emplace(pump.get(), std::move(pump));
}

void ShardLoop::begin_turn() { shard_->begin_turn(clock_.now(), clock_.wall_now()); }

void ShardLoop::end_turn() {
  const base::MonotonicTime began = loop_.now();
  if (shard_->end_turn(clock_.now(), clock_.wall_now())) loop_.request_turn();
  if (!sated_.empty()) loop_.request_turn();
  for (ConnectionPump* pump : std::exchange(sated_, {})) pump->resume_reading();
  if (!broken_.empty()) loop_.request_turn();  // for the letters that this brings
  for (ConnectionPump* pump : std::exchange(broken_, {})) pump->report_broken();
  for (ConnectionPump* pump : std::exchange(done_, {})) pumps_.erase(pump);
  arm_timer();
  metrics_.loop_turn.observe(clock_.now() - began);
}

void ShardLoop::arm_timer() {
  const base::MonotonicTime next = shard_->next_time();
  if (next >= timer_at_) return;
  timer_at_ = next;
  const base::MonotonicTime now = clock_.now();
  timer_.start(next > now ? next - now : base::Duration(0));
}

}  // namespace sluice::net
