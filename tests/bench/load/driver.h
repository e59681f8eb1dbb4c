// driver.h: moves bytes between the sessions of one peer and their sockets, and measures.
//
// One thread, one epoll, edge-triggered for publishers: each turn reads at most one buffer from
// every subscriber that has bytes and writes at most one from every publisher whose socket takes
// them, so neither starves. It never sleeps while there is something to do, and its own CPU time is
// part of the result.
//
// Order:    subscribers are ready before the first publisher connects; then warm-up, window, and
//           a drain in which everything sent must arrive; it is given up when nothing comes.
// Thread:   owner thread only.
// Errors:   ends the program when a connection closes or reports an error.

#pragma once

#include <memory>
#include <vector>

#include "tests/bench/load/link.h"
#include "tests/bench/load/result.h"
#include "tests/bench/load/session.h"
#include "tests/bench/load/socket.h"
#include "tests/bench/load/work.h"

namespace sluice::bench {

template <typename Peer>
class Driver {
 public:
  explicit Driver(const Work& work) : work_(work), room_(kCarryRoom + kReadBytes) {}

  Outcome run();

 private:
  static constexpr std::uint64_t kPublisherBit = 1ULL << 32;
  static constexpr double kHandshakeSeconds = 20;

  using PublisherLink = Link<typename Peer::Publisher>;
  using SubscriberLink = Link<typename Peer::Subscriber>;

  template <typename AnyLink>
  static void expect_open(const AnyLink& link) {
    if (link.over()) die(link.why_over());
  }
  /// One turn; waits at most `timeout_ms` when there is nothing to do.
  void turn(int timeout_ms);
  void post_due(std::uint64_t now);
  void run_until(std::uint64_t end_ns);
  void connect_all();
  void await_ready(std::uint64_t deadline_ns);
  void drain();
  Totals totals() const;
  std::uint64_t expected() const;
  bool settled() const;

  const Work work_;
  Poller poller_;
  std::vector<std::byte> room_;  // bytes carried over, then bytes read
  LatencySink sink_;
  std::vector<std::unique_ptr<PublisherLink>> publishers_;
  std::vector<std::unique_ptr<SubscriberLink>> subscribers_;
  bool progress_ = false;  // in this turn a publisher's socket took all it was given
  bool posting_ = false;
  std::uint64_t posted_ = 0;
  std::uint64_t post_start_ns_ = 0;
};

template <typename Peer>
void Driver<Peer>::turn(int timeout_ms) {
  // A socket that took everything may take more at once.
  const auto events = poller_.wait(progress_ ? 0 : timeout_ms);
  progress_ = false;
  for (const epoll_event& event : events) {
    const bool readable = (event.events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0;
    const std::uint64_t number = event.data.u64;
    if ((number & kPublisherBit) != 0) {
      PublisherLink& link = *publishers_[number & ~kPublisherBit];
      while (readable && link.pull(room_, false)) {
      }
      expect_open(link);
      if ((event.events & EPOLLOUT) != 0) link.set_writable();
    } else {
      SubscriberLink& link = *subscribers_[number];
      if (readable) link.pull(room_, work_.timed());
      link.set_writable();  // its few bytes are tried again whenever something comes in
      link.push();
      expect_open(link);
    }
  }
  if (posting_) post_due(now_ns());
  for (auto& link : publishers_) {
    progress_ = link->push() || progress_;
    expect_open(*link);
  }
}

template <typename Peer>
void Driver<Peer>::post_due(std::uint64_t now) {
  const double interval_ns = 1e9 / work_.rate;
  for (;;) {
    const auto due =
        post_start_ns_ + static_cast<std::uint64_t>(static_cast<double>(posted_) * interval_ns);
    if (due > now) return;
    publishers_[posted_ % publishers_.size()]->session.post(due);
    ++posted_;
  }
}

template <typename Peer>
void Driver<Peer>::run_until(std::uint64_t end_ns) {
  for (std::uint64_t now = now_ns(); now < end_ns; now = now_ns()) {
    // An open loop spins, so that the moment a message is sent is the moment it was meant to be.
    turn(posting_ ? 0 : static_cast<int>((end_ns - now) / 1'000'000) + 1);
  }
}

template <typename Peer>
void Driver<Peer>::await_ready(std::uint64_t deadline_ns) {
  for (;;) {
    bool all = true;
    for (const auto& link : subscribers_) all = all && link->session.ready();
    for (const auto& link : publishers_) all = all && link->session.ready();
    if (all) return;
    if (now_ns() > deadline_ns) die(work_.peer + ": the handshake did not finish");
    for (auto& link : subscribers_) link->push();
    turn(10);
  }
}

template <typename Peer>
void Driver<Peer>::connect_all() {
  const auto deadline = now_ns() + static_cast<std::uint64_t>(kHandshakeSeconds * 1e9);
  LatencySink* sink = work_.timed() ? &sink_ : nullptr;
  for (unsigned i = 0; i < work_.subscribers; ++i) {
    const int socket = connect_to(work_.host, work_.port);
    poller_.add(socket, EPOLLIN, i);
    subscribers_.push_back(std::make_unique<SubscriberLink>(
        socket, typename Peer::Subscriber(work_, i % work_.topics, sink)));
  }
  await_ready(deadline);
  for (unsigned i = 0; i < work_.publishers; ++i) {
    const int socket = connect_to(work_.host, work_.port);
    poller_.add(socket, EPOLLIN | EPOLLOUT | EPOLLET, kPublisherBit | i);
    publishers_.push_back(
        std::make_unique<PublisherLink>(socket, typename Peer::Publisher(work_, i % work_.topics)));
  }
  await_ready(deadline);
}

template <typename Peer>
Totals Driver<Peer>::totals() const {
  Totals totals;
  for (const auto& link : publishers_) {
    const Published& one = link->session.published();
    totals.sent += one.messages;
    totals.frames += one.frames;
    totals.receipts += one.receipts;
    totals.refused += one.refused;
  }
  for (const auto& link : subscribers_) {
    const Delivered& one = link->session.delivered();
    totals.delivered += one.messages;
    totals.gap_frames += one.gap_frames;
    totals.gap_messages += one.lost;
    totals.misplaced += one.misplaced;
  }
  return totals;
}

/// Deliveries that everything sent so far must lead to.
template <typename Peer>
std::uint64_t Driver<Peer>::expected() const {
  std::vector<std::uint64_t> sent(work_.topics);
  for (unsigned i = 0; i < work_.publishers; ++i) {
    sent[i % work_.topics] += publishers_[i]->session.published().messages;
  }
  std::uint64_t sum = 0;
  for (unsigned i = 0; i < work_.subscribers; ++i) sum += sent[i % work_.topics];
  return sum;
}

template <typename Peer>
bool Driver<Peer>::settled() const {
  for (const auto& link : publishers_) {
    if (!link->session.settled()) return false;
  }
  const Totals now = totals();
  return now.delivered + now.gap_messages >= expected();
}

template <typename Peer>
void Driver<Peer>::drain() {
  posting_ = false;
  for (auto& link : publishers_) link->session.stop();
  const auto patience = static_cast<std::uint64_t>(work_.drain_seconds * 1e9);
  std::uint64_t delivered = totals().delivered;
  for (std::uint64_t end = now_ns() + patience; !settled() && now_ns() < end;) {
    turn(10);
    if (totals().delivered == delivered) continue;
    delivered = totals().delivered;
    end = now_ns() + patience;
  }
}

template <typename Peer>
Outcome Driver<Peer>::run() {
  connect_all();
  const std::uint64_t start = now_ns();
  sink_.from_ns = start + static_cast<std::uint64_t>(work_.warmup_seconds * 1e9);
  post_start_ns_ = start;
  posting_ = work_.timed();
  if (!posting_) {
    for (auto& link : publishers_) link->session.start();
  }
  run_until(sink_.from_ns);
  Outcome outcome;
  outcome.before = snapshot(work_.broker_pid, totals());
  run_until(outcome.before.at_ns + static_cast<std::uint64_t>(work_.seconds * 1e9));
  outcome.after = snapshot(work_.broker_pid, totals());
  drain();
  outcome.final = totals();
  outcome.expected = expected();
  outcome.settled = settled();
  outcome.latency = sink_.histogram;
  return outcome;
}

}  // namespace sluice::bench
