// readers.h: the subscribers of a run, some of which stop reading for a while.
//
// A broker that closes the connection of one is a result and not a failure: the reader is over, and
// what it got until then counts.
//
// Owner:    the trial, whose poller hears of those that read.
// Thread:   owner thread only.

#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "tests/bench/load/link.h"
#include "tests/bench/load/socket.h"
#include "tests/bench/overload/account.h"
#include "tests/bench/overload/scenario.h"

namespace sluice::bench {

template <typename Peer>
class Readers {
 public:
  /// `poller` outlives this.
  Readers(const Scenario& scenario, Poller& poller)
      : scenario_(scenario), poller_(poller), room_(kCarryRoom + kReadBytes) {}

  void connect(Group group, unsigned count);
  /// Sends what the handshakes are about; true when all are done.
  /// Ends the program when one has failed.
  bool shake_hands();
  /// Latencies of messages that were meant to be sent then are recorded.
  void measure_between(std::uint64_t from_ns, std::uint64_t until_ns);

  /// The poller's number came with an event.
  void on_event(std::uint64_t number) { serve(*readers_[number], kReadBytes); }
  void set_reading(Group group, bool reads);
  /// From here on read_slowly() lets each reader of `group` have the bytes that its rate allows.
  void begin_slow(Group group, std::uint64_t now);
  void read_slowly(std::uint64_t now);
  void end_slow() { slow_since_ns_ = 0; }

  std::array<std::uint64_t, kGroups> delivered() const;
  /// Everyone who is still connected got or was told of all that was sent on its lane.
  template <typename Publisher>
  bool settled(const Publisher& publisher) const;
  template <typename Publisher>
  std::array<GroupAccount, kGroups> account(const Publisher& publisher) const;

 private:
  static constexpr std::size_t kSlowReadBytes = 16U << 10;

  struct Reader {
    Reader(Group in, int socket, typename Peer::Subscriber session)
        : group(in), link(socket, std::move(session)) {}
    Group group;
    Link<typename Peer::Subscriber> link;
    bool polled = true;
    std::uint64_t slow_from_bytes = 0;  // pulled when the slow phase began
  };

  void serve(Reader& reader, std::size_t limit);

  const Scenario& scenario_;
  Poller& poller_;
  std::vector<std::byte> room_;
  std::array<LatencySink, kGroups> sinks_;
  std::vector<std::unique_ptr<Reader>> readers_;
  Group slow_group_ = Group::kStalled;
  std::uint64_t slow_since_ns_ = 0;  // 0: nobody reads slowly
};

template <typename Peer>
void Readers<Peer>::connect(Group group, unsigned count) {
  const Work& work = scenario_.work;
  const auto receive_bytes =
      group == Group::kStalled ? static_cast<int>(scenario_.stalled_receive_bytes) : 0;
  for (unsigned i = 0; i < count; ++i) {
    const int socket = connect_to(work.host, work.port, receive_bytes);
    poller_.add(socket, EPOLLIN, readers_.size());
    LatencySink* sink = &sinks_[static_cast<std::size_t>(group)];
    readers_.push_back(std::make_unique<Reader>(
        group, socket, typename Peer::Subscriber(work, lane_of(group), sink)));
  }
}

template <typename Peer>
bool Readers<Peer>::shake_hands() {
  bool all = true;
  for (auto& reader : readers_) {
    if (reader->link.over()) die(reader->link.why_over());
    reader->link.push();
    all = all && reader->link.session.ready();
  }
  return all;
}

template <typename Peer>
void Readers<Peer>::measure_between(std::uint64_t from_ns, std::uint64_t until_ns) {
  for (LatencySink& sink : sinks_) {
    sink.from_ns = from_ns;
    sink.until_ns = until_ns;
  }
}

template <typename Peer>
void Readers<Peer>::serve(Reader& reader, std::size_t limit) {
  reader.link.pull(room_, true, limit);
  reader.link.set_writable();
  reader.link.push();
  if (!reader.link.over() || !reader.polled) return;
  poller_.remove(reader.link.socket());
  reader.polled = false;
}

template <typename Peer>
void Readers<Peer>::set_reading(Group group, bool reads) {
  for (std::size_t i = 0; i < readers_.size(); ++i) {
    Reader& reader = *readers_[i];
    if (reader.group != group || reader.link.over() || reader.polled == reads) continue;
    if (reads) poller_.add(reader.link.socket(), EPOLLIN, i);
    if (!reads) poller_.remove(reader.link.socket());
    reader.polled = reads;
  }
}

template <typename Peer>
void Readers<Peer>::begin_slow(Group group, std::uint64_t now) {
  slow_group_ = group;
  slow_since_ns_ = now;
  for (auto& reader : readers_) reader->slow_from_bytes = reader->link.pulled_bytes();
}

template <typename Peer>
void Readers<Peer>::read_slowly(std::uint64_t now) {
  if (slow_since_ns_ == 0) return;
  const double bytes_per_ns = scenario_.slow_rate * scenario_.work.payload_bytes / 1e9;
  const auto allowed =
      static_cast<std::uint64_t>(static_cast<double>(now - slow_since_ns_) * bytes_per_ns);
  for (auto& reader : readers_) {
    if (reader->group != slow_group_ || reader->link.over()) continue;
    const std::uint64_t taken = reader->link.pulled_bytes() - reader->slow_from_bytes;
    if (allowed >= taken + kSlowReadBytes) serve(*reader, kSlowReadBytes);
  }
}

template <typename Peer>
std::array<std::uint64_t, kGroups> Readers<Peer>::delivered() const {
  std::array<std::uint64_t, kGroups> sums{};
  for (const auto& reader : readers_) {
    sums[static_cast<std::size_t>(reader->group)] += reader->link.session.delivered().messages;
  }
  return sums;
}

template <typename Peer>
template <typename Publisher>
bool Readers<Peer>::settled(const Publisher& publisher) const {
  return std::all_of(readers_.begin(), readers_.end(), [&](const auto& reader) {
    const Delivered& one = reader->link.session.delivered();
    return reader->link.over() || one.messages + one.lost >= publisher.sent(lane_of(reader->group));
  });
}

template <typename Peer>
template <typename Publisher>
std::array<GroupAccount, kGroups> Readers<Peer>::account(const Publisher& publisher) const {
  std::array<GroupAccount, kGroups> groups;
  for (const auto& reader : readers_) {
    GroupAccount& group = groups[static_cast<std::size_t>(reader->group)];
    const Delivered& one = reader->link.session.delivered();
    ++group.readers;
    group.sum.messages += one.messages;
    group.sum.gap_frames += one.gap_frames;
    group.sum.lost += one.lost;
    group.sum.misplaced += one.misplaced;
    group.sum.untold += one.untold;
    const std::uint64_t owed = publisher.sent(lane_of(reader->group));
    group.missing += owed - std::min(owed, one.messages + one.lost);
    if (!reader->link.over()) continue;
    ++group.closed;
    ++group.told[reader->link.why_over()];
  }
  for (std::size_t i = 0; i < kGroups; ++i) groups[i].latency = sinks_[i].histogram;
  return groups;
}

}  // namespace sluice::bench
