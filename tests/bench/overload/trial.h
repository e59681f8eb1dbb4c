// trial.h: runs one scenario against one broker, and takes account of every message.
//
// The sessions are those of the load generator; only what happens to them differs.
//
// Order:    subscribers are ready before the publisher connects, so that everyone is owed
//           everything; the phases are those of scenario.h.
// Thread:   owner thread only. It spins, so that messages leave when they are due.
// Errors:   ends the program when the handshake of any connection fails.

#pragma once

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "tests/bench/load/link.h"
#include "tests/bench/load/socket.h"
#include "tests/bench/overload/account.h"
#include "tests/bench/overload/readers.h"
#include "tests/bench/overload/scenario.h"

namespace sluice::bench {

template <typename Peer>
class Trial {
 public:
  explicit Trial(Scenario scenario)
      : scenario_(std::move(scenario)),
        work_(scenario_.work),
        room_(kCarryRoom + kReadBytes),
        readers_(scenario_, poller_) {}

  Account run();

 private:
  static constexpr std::uint64_t kPublisher = UINT64_MAX;
  static constexpr double kHandshakeSeconds = 20;
  static constexpr std::uint64_t kDrainNsMax = 60'000'000'000;

  void turn(int timeout_ms);
  void post_due(std::uint64_t now);
  void run_for(double seconds);
  void connect_all();
  void await_ready(std::uint64_t deadline_ns);
  void slow_phase(Account& account);
  void drain();
  bool settled() const;
  /// What is counted here; measured() also asks the kernel about both processes.
  Moment moment() const;
  Moment measured() const;

  const Scenario scenario_;
  const Work work_;
  Poller poller_;
  std::vector<std::byte> room_;
  Readers<Peer> readers_;
  std::optional<Link<typename Peer::Publisher>> publisher_;
  bool progress_ = false;
  bool posting_ = false;
  std::uint64_t posted_ = 0;  // on each topic
  std::uint64_t start_ns_ = 0;
  std::uint64_t phase_end_ns_ = 0;
};

template <typename Peer>
void Trial<Peer>::turn(int timeout_ms) {
  for (const epoll_event& event : poller_.wait(progress_ ? 0 : timeout_ms)) {
    if (event.data.u64 != kPublisher) {
      readers_.on_event(event.data.u64);
      continue;
    }
    while (publisher_->pull(room_, false)) {
    }
    if ((event.events & EPOLLOUT) != 0) publisher_->set_writable();
  }
  if (posting_) post_due(now_ns());
  readers_.read_slowly(now_ns());
  progress_ = publisher_ && publisher_->push();
}

template <typename Peer>
void Trial<Peer>::post_due(std::uint64_t now) {
  const double interval_ns = 1e9 / work_.rate;
  for (;;) {
    const auto due =
        start_ns_ + static_cast<std::uint64_t>(static_cast<double>(posted_) * interval_ns);
    if (due > now) return;
    for (unsigned lane = 0; lane < work_.lanes; ++lane) publisher_->session.post(due, lane);
    ++posted_;
  }
}

/// Phases follow each other by the clock, however long the last one took.
template <typename Peer>
void Trial<Peer>::run_for(double seconds) {
  phase_end_ns_ += static_cast<std::uint64_t>(seconds * 1e9);
  while (now_ns() < phase_end_ns_) turn(0);
}

template <typename Peer>
void Trial<Peer>::await_ready(std::uint64_t deadline_ns) {
  for (;;) {
    if (publisher_ && publisher_->over()) die(publisher_->why_over());
    const bool publisher_ready = !publisher_ || publisher_->session.ready();
    if (readers_.shake_hands() && publisher_ready) return;
    if (now_ns() > deadline_ns) die(work_.peer + ": the handshake did not finish");
    turn(10);
  }
}

template <typename Peer>
void Trial<Peer>::connect_all() {
  const auto deadline = now_ns() + static_cast<std::uint64_t>(kHandshakeSeconds * 1e9);
  readers_.connect(Group::kHealthy, scenario_.healthy);
  readers_.connect(Group::kStalled, scenario_.stalled);
  readers_.connect(Group::kOther, scenario_.other);
  await_ready(deadline);
  const int socket = connect_to(work_.host, work_.port);
  publisher_.emplace(socket, typename Peer::Publisher(work_, 0));
  poller_.add(socket, EPOLLIN | EPOLLOUT | EPOLLET, kPublisher);
  await_ready(deadline);
}

template <typename Peer>
void Trial<Peer>::slow_phase(Account& account) {
  readers_.begin_slow(Group::kStalled, now_ns());
  run_for(scenario_.slow_seconds / 2);
  account.slow_begin = moment();
  run_for(scenario_.slow_seconds / 2);
  account.slow_end = moment();
  readers_.end_slow();
}

template <typename Peer>
bool Trial<Peer>::settled() const {
  const auto& publisher = publisher_->session;
  return (publisher_->over() || publisher.settled()) && readers_.settled(publisher);
}

/// Until everything arrived or was told, or nothing came for some time, or it takes too long.
template <typename Peer>
void Trial<Peer>::drain() {
  post_due(phase_end_ns_);  // what the last turn was too early for
  posting_ = false;
  const auto patience = static_cast<std::uint64_t>(work_.drain_seconds * 1e9);
  const std::uint64_t last = now_ns() + kDrainNsMax;
  auto before = readers_.delivered();
  for (std::uint64_t end = now_ns() + patience; !settled() && now_ns() < std::min(end, last);) {
    turn(10);
    const auto delivered = readers_.delivered();
    if (delivered == before) continue;
    before = delivered;
    end = now_ns() + patience;
  }
}

template <typename Peer>
Moment Trial<Peer>::moment() const {
  Moment now;
  now.at_ns = now_ns();
  for (unsigned lane = 0; lane < work_.lanes; ++lane) {
    now.sent[lane] = publisher_->session.sent(lane);
    now.unsent[lane] = publisher_->session.unsent(lane);
  }
  now.delivered = readers_.delivered();
  return now;
}

template <typename Peer>
Moment Trial<Peer>::measured() const {
  Moment now = moment();
  if (work_.broker_pid != 0) now.broker = usage_of(work_.broker_pid);
  now.generator = usage_of(0);
  return now;
}

template <typename Peer>
Account Trial<Peer>::run() {
  connect_all();
  start_ns_ = phase_end_ns_ = now_ns();
  const double lead = work_.warmup_seconds + scenario_.lead_seconds;
  const std::uint64_t from = start_ns_ + static_cast<std::uint64_t>(lead * 1e9);
  readers_.measure_between(from, from + static_cast<std::uint64_t>(work_.seconds * 1e9));
  posting_ = true;
  Account account;
  run_for(work_.warmup_seconds);
  readers_.set_reading(Group::kStalled, false);
  account.stalled = measured();
  run_for(scenario_.lead_seconds);
  account.window_begin = measured();
  run_for(work_.seconds);
  account.window_end = measured();
  if (scenario_.slow_seconds > 0) slow_phase(account);
  readers_.set_reading(Group::kStalled, true);
  drain();
  account.end = measured();
  account.settled = settled();
  account.groups = readers_.account(publisher_->session);
  account.answers = publisher_->session.answers();
  account.publisher_over = publisher_->why_over();
  return account;
}

}  // namespace sluice::bench
