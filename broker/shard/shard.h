// shard.h: what does one thread of the broker do?
//
// The driver: takes bytes from connections, turns them into commands, hands each to the part that
// answers it, and at the end of a turn deals, sends and posts what came of it. It knows sockets,
// time and the other shards only through ports, so tests and the simulator run this very code.
//
//   begin_turn(now, wall_now)  read_mail()  received(…)…  on_time()  end_turn(now, wall_now)
//
// Owner:    the daemon, one per thread. Borrows options, metrics, post office and ports, all of
//           which outlive it. Links: see port/link.h.
// Thread:   one thread, that of its loop.
// Limits:   Options.
// Errors:   what a peer does wrong is answered on its connection; nothing is returned.
// Order:    as above; a turn need not contain every step.
// Tests:    tests/unit/broker/shard

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "broker/model/status.h"
#include "broker/port/admin_sink.h"
#include "broker/shard/core.h"
#include "broker/shard/expiry_notices.h"
#include "broker/shard/groups.h"
#include "broker/shard/inspection.h"
#include "broker/shard/limiting.h"
#include "broker/shard/memory_keeper.h"
#include "broker/shard/output.h"
#include "broker/shard/producers.h"
#include "broker/shard/publishing.h"
#include "broker/shard/rehearsals.h"
#include "broker/shard/subscriptions.h"
#include "broker/shard/withdrawals.h"

namespace sluice::shard {

class Shard {
 public:
  Shard(model::ShardId id, const Options& options, const Ports& ports, std::uint64_t seed);
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;
  ~Shard();

  void begin_turn(base::MonotonicTime now, base::WallTime wall_now);
  /// Reads what other shards have posted.
  void read_mail();
  /// Sends all that the turn has brought. True when more work is ready at once.
  bool end_turn(base::MonotonicTime now, base::WallTime wall_now);

  /// A new connection. Null when there are as many as there may be, or the broker drains: the
  /// shell then closes the socket.
  Connection* open(port::Link& link, std::string peer);
  /// The frame that tells a client why open() gave null just now.
  std::vector<std::byte> refusal() const;
  /// Room for the next bytes of a connection; they are told by received().
  base::MutableByteView prepare(Connection& connection) { return connection.reader.prepare(); }
  void received(Connection& connection, std::size_t bytes);
  /// The socket has taken everything that was written.
  void writable(Connection& connection);
  /// The peer has gone, or (`why`) the network took it. The link is not used any more.
  void closed(Connection& connection, const base::Error* why);

  /// The peer sends no more; what it is owed is sent, then the link is closed.
  void ended(Connection& connection);

  /// What is due by now: blocked publishes, messages too old, handshakes, housekeeping.
  void on_time();
  base::MonotonicTime next_time() const;

  /// The answer to an administrative request, one for each; dropped when its connection has gone.
  void reply(const port::AdminReturn& where, base::ErrorCode error, std::string_view body);

  /// The limits in force from now on; null: none.
  void set_limits(flow::LimitTableRef table) {
    limiting_.set_table(std::move(table));
    publishing_.recharge();
  }

  /// Says GOAWAY to every client, refuses new work, goes on delivering.
  void start_drain(base::Duration deadline);
  /// True when nothing is left to deliver or to answer.
  bool is_drained() const;
  /// Closes every connection, delivered or not.
  void close_all();

  /// What it holds now; lists hold at most `limit` entries each.
  model::ShardStatus status(std::size_t limit);
  /// The same in parts, and more.
  Inspection& inspection() { return inspection_; }
  Rehearsals& rehearsals() { return rehearsals_; }
  /// Frames or letters have come that no turn has had time for.
  bool has_unread() const { return core_.mail.has_unread() || !core_.unread.empty(); }
  std::size_t publishes_pending() const { return publishing_.pending(); }
  /// See Publishing::blockers().
  std::vector<std::string> blockers(const Connection& connection, std::uint32_t topic) const {
    return publishing_.blockers(connection, topic);
  }
  /// Messages that queues hold.
  std::uint64_t left_over() const { return subscriptions_.held(); }
  std::size_t connection_count() const { return core_.connections.size(); }
  const Core& core() const { return core_; }
  /// Calls `visit(const Subscription&)` for each that has its queue here.
  template <typename Visit>
  void each_subscription(Visit visit) const {
    subscriptions_.each(visit);
  }
  /// Aborts when an invariant does not hold. For tests and the simulator.
  void check_invariants() const;

 private:
  void dispatch(Connection& connection, const wire::Frame& frame);
  base::Status run(Connection& connection, const model::Command& command);
  void read_frames(Connection& connection);
  void read_on();
  base::Status hello(Connection& connection, const model::HelloCommand& command);
  void welcome(Connection& connection);
  base::Status admin(Connection& connection, const model::AdminCommand& command);
  base::Status cancel(Connection& connection, const model::CancelCommand& command);
  void answer_error(Connection& connection, const base::Error& error, std::uint64_t correlation);
  void close(Connection& connection, metrics::CloseReason reason, const base::Error* why);
  void finish_close(Connection& connection);
  void resume_reading(Connection& connection);
  void housekeep();
  void read_letter(model::ShardId from, Letter&& letter);
  void update_gauges();
  void pass_on();
  void tell_expired(const model::Origin& origin, std::uint64_t copies);
  void destroy_dead();

  Core core_;
  port::AdminSink& admin_;
  Subscriptions subscriptions_;
  Groups groups_;
  Limiting limiting_;
  Publishing publishing_;
  Producers producers_;
  Withdrawals withdrawals_;
  Output output_;
  Inspection inspection_;
  Rehearsals rehearsals_;
  MemoryKeeper memory_keeper_;
  std::uint64_t last_connection_ = 0;
  std::deque<model::ConnectionId> handshakes_;  // in order of arrival: who has not said HELLO
  base::MonotonicTime next_housekeeping_;       // the clock's start: at once
  bool mail_stuck_ = false;
  std::vector<Connection*> flushing_;  // scratch of end_turn
};

}  // namespace sluice::shard
