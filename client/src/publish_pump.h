// publish_pump.h: which batch goes out next, and to whom does a receipt belong?
//
// Takes batches from the lanes that have some, in turn, as far as the connection and the grant of
// each topic allow. One topic without grant holds up nothing but its own lanes.
//
// Owner:    the engine, on the I/O thread.
// Thread:   the I/O thread.
// Limits:   the broker's grants; Connection::can_publish.
// Errors:   to waiters and lanes: kMessageTooLarge, those the broker answers to OPEN_TOPIC or
// PUBLISH. Source:   docs/formats/wire.md, section Publishing Tests:
// tests/unit/client/client_test.cc

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "client/src/connection.h"
#include "client/src/hub.h"
#include "client/src/in_flight.h"
#include "client/src/lane.h"
#include "client/src/producer_numbers.h"
#include "client/src/request_table.h"

namespace sluice::detail {

/// What a connection knows of a topic that is published to.
struct TopicState {
  enum class State : std::uint8_t { kClosed, kOpening, kOpen };
  std::string name;
  State state = State::kClosed;
  std::uint32_t id = 0;
  std::uint64_t grant = 0;   // bytes that may be sent now
  std::uint64_t window = 0;  // the first grant: no batch may be larger
};

class PublishPump {
 public:
  PublishPump(Hub& hub, RequestTable& requests, const ClientOptions& options)
      : hub_(hub), requests_(requests), numbers_(options) {}

  void add_lanes(std::vector<std::shared_ptr<Lane>> lanes);
  /// Sends what may be sent.
  void pump(Connection& connection);

  Status on_open(const wire::Welcome& welcome);
  void on_grant(const wire::Grant& grant);
  void on_receipt(const wire::Frame& frame, const wire::Receipt& receipt);
  /// Copies of a publish expired after its receipt.
  void on_expired(const wire::Cancel& expired);
  /// Takes it out where it waits, else asks the broker for it. `connection` may be null.
  void withdraw(Connection* connection, const WithdrawRequest& request);
  /// The broker refused publish `number`; false when no such publish is in flight.
  bool on_publish_error(std::uint64_t number, const Error& error);
  struct Lost {
    std::uint64_t unknown = 0;    // messages whose outcome is now unknown
    std::uint64_t to_resend = 0;  // messages that are sent again
  };
  /// What was not sent stays.
  Lost on_lost(const Error& reason);
  /// Nothing will be sent any more: what waits fails.
  void close(const Error& reason);

  /// The last pump() ended because the connection took no more, not for want of batches or grants.
  bool has_more() const noexcept { return has_more_; }
  const ProducerNumbers& numbers() const noexcept { return numbers_; }

 private:
  enum class Next : std::uint8_t { kDone, kBlocked, kMore };
  /// Sends again what was lost with the former connection, in the order of its numbers.
  void send_again(Connection& connection);
  void put_back(InFlightPublishes::Kept kept, const Error& reason, Lost& lost);
  Next send_next(Connection& connection, const std::shared_ptr<Lane>& lane);
  TopicState* ready_topic(Connection& connection, const std::shared_ptr<Lane>& lane);
  void open_topic(Connection& connection, const std::shared_ptr<TopicState>& topic);
  void on_topic(const std::shared_ptr<TopicState>& topic, Result<wire::Frame> answer);
  void refuse_batch(Lane& lane, const Error& error);
  void ask_to_withdraw(Connection& connection, const WithdrawRequest& request);
  /// It is not sent: everybody hears why in `receipt`.
  void settle_unsent(Lane& lane, const OutBatch& batch, const Receipt& receipt);
  void send_batch(Connection& connection, const std::shared_ptr<Lane>& lane, TopicState& topic);
  void send_frame(Connection& connection, const Lane& lane, const TopicState& topic,
                  std::uint64_t number, OutBatch batch);
  std::shared_ptr<TopicState> topic_of(const std::string& name);

  Hub& hub_;
  RequestTable& requests_;
  ProducerNumbers numbers_;
  std::vector<std::shared_ptr<Lane>> lanes_;  // those with something to send
  std::vector<std::shared_ptr<Lane>> again_;  // of these, those with something to send again
  bool has_more_ = false;
  std::size_t turn_ = 0;  // whose turn it is among them
  TopicState named_;      // stands for all publishes that name their topic
  // Kept while the connection lasts: a topic's window comes with its first opening only.
  std::map<std::string, std::shared_ptr<TopicState>> topics_;
  std::unordered_map<std::uint32_t, std::shared_ptr<TopicState>> topics_by_id_;
  InFlightPublishes in_flight_;
  std::uint64_t connections_ = 0;  // so far
};

/// A receipt of the wire as the program sees it.
Receipt to_receipt(const wire::Receipt& receipt);

}  // namespace sluice::detail
