#include "client/src/publish_pump.h"

#include <limits>
#include <utility>

#include "libs/base/assert.h"

namespace sluice::detail {
namespace {

std::string reason_name(std::uint16_t reason) {
  if (reason < 100) {
    return std::string(wire::gap_reason_name(static_cast<wire::GapReason>(reason)));
  }
  if (!base::is_error_code(reason)) return "error " + std::to_string(reason);
  return std::string(base::error_info(static_cast<ErrorCode>(reason)).name);
}

std::uint8_t publish_flags(const PublisherOptions& options, bool is_named) {
  std::uint8_t flags = is_named ? wire::kPublishNamed : std::uint8_t{0};
  if (options.receipts == Receipts::kProblems) flags |= wire::kPublishReceiptProblems;
  if (options.receipts == Receipts::kNone) flags |= wire::kPublishReceiptNone;
  if (options.need.responders) flags |= wire::kPublishNeedResponders;
  return flags;
}

// What PUBLISH may have before its batch.
std::size_t bytes_before_batch(const PublisherOptions& options) {
  std::size_t bytes = 512;
  for (const std::string& name : options.need.names) bytes += 2 + name.size();
  return bytes;
}

Receipt rejection(const Error& error, std::uint64_t messages) {
  Receipt receipt;
  receipt.status = ReceiptStatus::kRejected;
  receipt.reason = error.code;
  receipt.messages = messages;
  receipt.text = error.detail;
  return receipt;
}

// Of what ended before it was sent.
Receipt unsent(ReceiptStatus status, ErrorCode reason, std::uint64_t messages) {
  Receipt receipt;
  receipt.status = status;
  receipt.reason = reason;
  receipt.messages = messages;
  receipt.text = "it was not sent";
  return receipt;
}

}  // namespace

Receipt to_receipt(const wire::Receipt& from) {
  Receipt receipt;
  receipt.status = static_cast<ReceiptStatus>(from.status);
  receipt.durability = static_cast<Durability>(from.durability);
  receipt.pressure = from.pressure / 255.0;
  receipt.reason = static_cast<ErrorCode>(from.reason);
  receipt.retry_after = std::chrono::milliseconds(from.retry_after_ms);
  receipt.messages = from.messages;
  receipt.matched = from.matched;
  receipt.accepted = from.accepted;
  receipt.spilled = from.spilled;
  receipt.dropped = from.dropped;
  receipt.rejected = from.rejected;
  receipt.sequence = from.sequence;
  for (const wire::ReceiptSubscription& refused : from.subscriptions) {
    receipt.refused_by.push_back(
        {std::string(refused.name), reason_name(refused.reason), refused.copies});
  }
  receipt.refused_by_unlisted = from.unlisted;
  receipt.text = from.text;
  return receipt;
}

void PublishPump::add_lanes(std::vector<std::shared_ptr<Lane>> lanes) {
  for (std::shared_ptr<Lane>& lane : lanes) {
    if (std::exchange(lane->is_active, true)) continue;
    lanes_.push_back(std::move(lane));
  }
}

void PublishPump::pump(Connection& connection) {
  if (!again_.empty()) send_again(connection);
  // Lanes take turns, a batch each, until all that is left of them must wait.
  std::size_t blocked = 0;
  while (!lanes_.empty() && blocked < lanes_.size() && connection.can_publish()) {
    turn_ %= lanes_.size();
    const std::shared_ptr<Lane> lane = lanes_[turn_];
    // What is sent again goes by its numbers, in send_again().
    const bool is_again = !again_.empty() && lane->next_again() != 0;
    switch (is_again ? Next::kBlocked : send_next(connection, lane)) {
      case Next::kMore:
        blocked = 0;
        ++turn_;
        break;
      case Next::kBlocked:
        ++blocked;
        ++turn_;
        break;
      case Next::kDone:
        lane->is_active = false;
        lanes_.erase(lanes_.begin() + static_cast<std::ptrdiff_t>(turn_));
        break;
    }
  }
  has_more_ = !lanes_.empty() && blocked < lanes_.size();
}

PublishPump::Next PublishPump::send_next(Connection& connection,
                                         const std::shared_ptr<Lane>& lane) {
  const std::size_t bytes = lane->next_batch_bytes();
  if (bytes == 0) return Next::kDone;
  TopicState* topic = ready_topic(connection, lane);
  if (topic == nullptr) return Next::kBlocked;
  const std::size_t frame_bytes = bytes + bytes_before_batch(lane->options());
  if (bytes > topic->window || frame_bytes > connection.max_frame_bytes()) {
    refuse_batch(*lane, {ErrorCode::kMessageTooLarge,
                         std::to_string(bytes) + " bytes; the broker takes less at once"});
    return Next::kMore;
  }
  // The size may have grown since; take() seals what is there now.
  if (bytes > topic->grant) return Next::kBlocked;
  send_batch(connection, lane, *topic);
  return Next::kMore;
}

TopicState* PublishPump::ready_topic(Connection& connection, const std::shared_ptr<Lane>& lane) {
  if (lane->topic().empty()) return &named_;
  if (lane->topic_state == nullptr) lane->topic_state = topic_of(lane->topic());
  TopicState& topic = *lane->topic_state;
  if (topic.state == TopicState::State::kClosed) open_topic(connection, lane->topic_state);
  return topic.state == TopicState::State::kOpen ? &topic : nullptr;
}

std::shared_ptr<TopicState> PublishPump::topic_of(const std::string& name) {
  std::shared_ptr<TopicState>& topic = topics_[name];
  if (topic == nullptr) {
    topic = std::make_shared<TopicState>();
    topic->name = name;
  }
  return topic;
}

void PublishPump::open_topic(Connection& connection, const std::shared_ptr<TopicState>& topic) {
  topic->state = TopicState::State::kOpening;
  const std::uint64_t correlation = requests_.add(
      [this, topic](Result<wire::Frame> answer) { on_topic(topic, std::move(answer)); });
  connection.send(wire::OpenTopic{topic->name}, correlation);
}

void PublishPump::on_topic(const std::shared_ptr<TopicState>& topic, Result<wire::Frame> answer) {
  topic->state = TopicState::State::kClosed;
  Result<wire::Topic> opened = base::fail(ErrorCode::kUnexpectedFrame, "no TOPIC for OPEN_TOPIC");
  if (answer && answer->header.kind == wire::FrameKind::kTopic) {
    opened = wire::decode<wire::Topic>(answer->header, answer->body.view());
  } else if (!answer) {
    opened = base::fail(answer.error());
  }
  if (!opened) {
    // A lost connection opens it again; all else is the broker's refusal.
    if (opened.error().code == ErrorCode::kConnectionLost) return;
    for (const std::shared_ptr<Lane>& lane : lanes_) {
      if (lane->topic_state == topic) lane->fail_waiting(opened.error());
    }
    return;
  }
  topic->state = TopicState::State::kOpen;
  topic->id = opened->topic;
  topic->grant = opened->grant;
  topic->window = opened->grant;
  topics_by_id_[topic->id] = topic;
}

void PublishPump::refuse_batch(Lane& lane, const Error& error) {
  const OutBatch batch = lane.take_at_most(std::numeric_limits<std::size_t>::max());
  if (batch.is_again) return lane.give_up(batch, error);
  hub_.release(batch.reserved_bytes);
  lane.on_receipt(rejection(error, batch.messages), batch.messages);
  if (lane.options().receipts != Receipts::kAll) lane.on_sent_unanswered(batch.messages);
  for (const ReceiptWaiter& waiter : batch.waiters) waiter(base::fail(error));
}

void PublishPump::settle_unsent(Lane& lane, const OutBatch& batch, const Receipt& receipt) {
  hub_.release(batch.reserved_bytes);
  if (batch.ticket != nullptr) batch.ticket->state = PublishTicket::State::kGone;
  if (lane.options().on_receipt) lane.options().on_receipt(receipt);
  lane.on_receipt(receipt, batch.messages);
  if (lane.options().receipts != Receipts::kAll) lane.on_sent_unanswered(batch.messages);
  for (const ReceiptWaiter& waiter : batch.waiters) waiter(receipt);
}

void PublishPump::withdraw(Connection* connection, const WithdrawRequest& request) {
  PublishTicket& ticket = *request.ticket;
  if (ticket.state == PublishTicket::State::kAgain && !request.only_waiting) {
    const Error error{ErrorCode::kConnectionLost, "it may have been published on it"};
    if (const auto batch = request.lane->take_out(ticket)) request.lane->give_up(*batch, error);
    return request.slot->set(base::fail(error));
  }
  if (ticket.state == PublishTicket::State::kWaiting) {
    const std::optional<OutBatch> batch = request.lane->take_out(ticket);
    if (!batch) return request.slot->set(Withdrawal{});
    settle_unsent(*request.lane, *batch,
                  unsent(ReceiptStatus::kCancelled, ErrorCode::kCanceled, batch->messages));
    return request.slot->set(Withdrawal{});
  }
  if (ticket.state == PublishTicket::State::kGone || request.only_waiting) {
    return request.slot->set(Withdrawal{ticket.state != PublishTicket::State::kGone, 0});
  }
  if (connection == nullptr || ticket.connection != connections_) {
    return request.slot->set(
        base::fail(ErrorCode::kConnectionLost, "what was published on it cannot be withdrawn"));
  }
  ticket.is_withdrawn = true;
  ask_to_withdraw(*connection, request);
}

void PublishPump::ask_to_withdraw(Connection& connection, const WithdrawRequest& request) {
  auto on_answer = [lane = request.lane, slot = request.slot](Result<wire::Frame> answer) {
    if (!answer) return slot->set(base::fail(answer.error()));
    if (answer->header.kind != wire::FrameKind::kCancel) {
      return slot->set(base::fail(ErrorCode::kUnexpectedFrame, "no CANCEL for CANCEL"));
    }
    const auto cancel = wire::decode<wire::Cancel>(answer->header, answer->body.view());
    if (!cancel) return slot->set(base::fail(cancel.error()));
    lane->on_withdrawn(cancel->withdrawn);
    slot->set(Withdrawal{true, cancel->withdrawn});
  };
  wire::Cancel cancel;
  cancel.target = request.ticket->number;
  cancel.topic = request.ticket->topic;
  cancel.name = request.ticket->name;
  connection.send(cancel, requests_.add(std::move(on_answer)));
}

void PublishPump::on_expired(const wire::Cancel& expired) {
  if (const auto lane = in_flight_.lane_with_deadline(expired.target)) {
    return lane->on_expired_later(expired.withdrawn);
  }
  PublishTotals late;
  late.expired_later = expired.withdrawn;
  hub_.retire(late);
}

void PublishPump::send_batch(Connection& connection, const std::shared_ptr<Lane>& lane,
                             TopicState& topic) {
  OutBatch batch = lane->take_at_most(topic.grant);
  if (batch.size() == 0) return;
  // Whether a deadline passed before it was taken, of what was sent before, only the broker knows.
  if (!batch.is_again && batch.deadline_ns != 0 &&
      batch.deadline_ns <= base::to_wire(hub_.clock().wall_now())) {
    return settle_unsent(
        *lane, batch,
        unsent(ReceiptStatus::kExpired, ErrorCode::kDeadlineExceeded, batch.messages));
  }
  if (lane->is_numbered() && batch.sequence == 0) {
    if (auto rest = numbers_.number(batch)) lane->put_back(std::move(*rest));
  }
  topic.grant -= batch.size();
  if (lane->options().receipts != Receipts::kAll) lane->on_sent_unanswered(batch.messages);
  const std::uint64_t number = in_flight_.add(lane, batch.messages, std::move(batch.waiters));
  if (batch.deadline_ns != 0) in_flight_.note_deadline(number, lane);
  if (batch.ticket != nullptr) {
    batch.ticket->state = PublishTicket::State::kSent;
    batch.ticket->connection = connections_;
    batch.ticket->number = number;
    batch.ticket->topic = topic.id;
    batch.ticket->name = batch.topic;
  }
  send_frame(connection, *lane, topic, number, std::move(batch));
}

void PublishPump::send_frame(Connection& connection, const Lane& lane, const TopicState& topic,
                             std::uint64_t number, OutBatch batch) {
  const PublisherOptions& options = lane.options();
  wire::Publish publish;
  publish.topic = topic.id;
  publish.name = batch.topic;
  publish.batch = batch.numbered ? ByteView(*batch.numbered) : ByteView(batch.bytes);
  publish.deadline_ns = batch.deadline_ns;
  publish.need.durability = static_cast<wire::Durability>(options.need.durability);
  publish.need.accept_all = options.need.accept_all;
  publish.need.names.assign(options.need.names.begin(), options.need.names.end());
  const std::uint8_t flags = publish_flags(options, lane.topic().empty());
  if (batch.numbered) {
    connection.send_publish(publish, number, flags, batch.numbered);
    return in_flight_.keep(std::move(batch));
  }
  hub_.release(batch.reserved_bytes);
  connection.send_publish(publish, number, flags, std::move(batch.bytes));
}

Status PublishPump::on_open(const wire::Welcome& welcome) {
  if (Status status = numbers_.on_open(welcome); !status) return status;
  ++connections_;
  named_.state = TopicState::State::kOpen;
  named_.grant = welcome.named_grant;
  named_.window = welcome.named_grant;
  return {};
}

void PublishPump::on_grant(const wire::Grant& grant) {
  if (grant.topic == 0) {
    named_.grant += grant.bytes;
    return;
  }
  const auto found = topics_by_id_.find(grant.topic);
  if (found != topics_by_id_.end()) found->second->grant += grant.bytes;
}

void PublishPump::on_receipt(const wire::Frame& frame, const wire::Receipt& receipt) {
  in_flight_.resolve(receipt.first_publish, frame.header.correlation, to_receipt(receipt));
}

bool PublishPump::on_publish_error(std::uint64_t number, const Error& error) {
  if (!in_flight_.contains(number)) return false;
  // What was sent before and is refused for its number may have been taken.
  if (error.code == ErrorCode::kBadArgument && in_flight_.give_up_again(number, error)) return true;
  in_flight_.resolve(number, number, rejection(error, in_flight_.messages_of(number)));
  return true;
}

void PublishPump::close(const Error& reason) {
  again_.clear();
  for (const std::shared_ptr<Lane>& lane : std::exchange(lanes_, {})) {
    lane->is_active = false;
    lane->fail_waiting(reason);
  }
}

}  // namespace sluice::detail
