#include "client/src/lane.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "libs/base/assert.h"
#include "libs/wire/topic_name.h"

namespace sluice::detail {
namespace {

// A record that is a payload alone: its size prefix and its attributes.
constexpr std::size_t kRecordOverhead = 6;

// `value` of a receipt that spoke for `all` messages, as far as `some` of them go.
std::uint64_t share(std::uint64_t value, std::uint64_t some, std::uint64_t all) {
  return some >= all ? value : value * some / all;
}

}  // namespace

Error outcome_unknown(const Error& reason) {
  const bool is_plain = reason.code == ErrorCode::kConnectionLost;
  const ErrorCode code =
      reason.code == ErrorCode::kTakenOver ? reason.code : ErrorCode::kConnectionLost;
  return {code, "outcome unknown: " + (is_plain ? reason.detail : reason.message())};
}

Lane::Lane(std::shared_ptr<Hub> hub, std::string topic, PublisherOptions options, Numbered numbered)
    : hub_(std::move(hub)),
      topic_(std::move(topic)),
      options_(std::move(options)),
      numbered_(numbered) {
  ASSERT(!is_numbered() || options_.receipts == Receipts::kAll);
}

Lane::~Lane() {
  ASSERT(builder_.empty() && sealed_.empty());
  hub_->retire(totals_);
}

Status Lane::append(ByteView payload) {
  std::unique_lock lock(mutex_);
  const std::size_t record_bytes = payload.size() + kRecordOverhead;
  if (Status status = admit(payload.size(), record_bytes); !status) return status;
  make_room_in_batch(record_bytes);
  builder_.add(payload);
  ++without_deadline_;
  finish_append(lock, payload.size(), record_bytes);
  return {};
}

Status Lane::append(std::string_view topic, const Outgoing& message, Interest interest) {
  if (message.headers.size() > wire::kMaxHeaders) {
    return base::fail(ErrorCode::kBadArgument, "a message has at most 64 headers");
  }
  wire::RecordInput input;
  input.key = message.key;
  input.payload = message.payload;
  input.headers = message.headers;
  if (message.deadline) input.deadline_ns = base::to_wire(*message.deadline);
  const std::size_t record_bytes = wire::encoded_record_bytes(input);

  std::unique_lock lock(mutex_);
  if (Status status = admit(message.payload.size(), record_bytes); !status) return status;
  const bool stands_alone = interest.ticket != nullptr;
  if (stands_alone || (topic_.empty() && open_.topic != topic)) seal();
  if (topic_.empty()) open_.topic = topic;
  make_room_in_batch(record_bytes);
  builder_.add(input);
  open_.deadline_ns = std::max(open_.deadline_ns, input.deadline_ns);
  if (!message.deadline) ++without_deadline_;
  if (interest.waiter) open_.waiters.push_back(std::move(interest.waiter));
  open_.ticket = std::move(interest.ticket);
  finish_append(lock, message.payload.size(), record_bytes);
  return {};
}

Status Lane::admit(std::size_t payload_bytes, std::size_t record_bytes) {
  if (Status status = hub_->admission(); !status) return status;
  if (record_bytes > hub_->max_message_bytes()) {
    return base::fail(ErrorCode::kMessageTooLarge, std::to_string(payload_bytes) + " bytes, " +
                                                       std::to_string(record_bytes) +
                                                       " as a record; the limit is " +
                                                       std::to_string(hub_->max_message_bytes()));
  }
  if (!hub_->reserve(record_bytes)) {
    return base::fail(ErrorCode::kWouldBlock, "max_pending_bytes wait to be sent");
  }
  return {};
}

void Lane::make_room_in_batch(std::size_t record_bytes) {
  const bool is_full = builder_.size() + record_bytes > hub_->limits().max_batch_bytes ||
                       builder_.count() == wire::kMaxBatchMessages;
  if (!builder_.empty() && is_full) seal();
}

void Lane::finish_append(std::unique_lock<std::mutex>& lock, std::size_t payload_bytes,
                         std::size_t record_bytes) {
  open_.reserved_bytes += record_bytes;
  ++open_.messages;
  ++totals_.messages;
  totals_.bytes += payload_bytes;
  if (open_.ticket != nullptr) seal();  // nothing joins it
  const bool must_queue = !std::exchange(is_queued_, true);
  lock.unlock();
  if (must_queue) hub_->queue_lane(shared_from_this());
}

// Completes the open batch; the next one to the same topic starts empty.
void Lane::seal() {
  if (builder_.empty()) return;
  wire::BatchBuilder::Options options;
  options.publisher_time_ns = base::to_wire(hub_->clock().wall_now());
  open_.bytes = builder_.finish(options);
  if (without_deadline_ > 0) open_.deadline_ns = 0;
  without_deadline_ = 0;
  OutBatch next;
  next.topic = open_.topic;
  sealed_.push_back(std::exchange(open_, std::move(next)));
}

std::size_t Lane::next_batch_bytes() {
  const std::lock_guard lock(mutex_);
  if (!sealed_.empty()) return sealed_.front().size();
  if (!builder_.empty()) return builder_.size();
  is_queued_ = false;
  return 0;
}

OutBatch Lane::take_at_most(std::size_t limit) {
  const std::lock_guard lock(mutex_);
  // More may have been appended since its size was asked for.
  const std::size_t bytes = sealed_.empty() ? builder_.size() : sealed_.front().size();
  if (bytes > limit) return {};
  if (sealed_.empty()) seal();
  ASSERT(!sealed_.empty());
  OutBatch batch = std::move(sealed_.front());
  sealed_.pop_front();
  if (batch.ticket != nullptr) batch.ticket->state = PublishTicket::State::kGone;  // until sent
  return batch;
}

std::uint64_t Lane::next_again() {
  const std::lock_guard lock(mutex_);
  return sealed_.empty() || !sealed_.front().is_again ? 0 : sealed_.front().sequence;
}

void Lane::put_back(OutBatch batch) {
  const std::lock_guard lock(mutex_);
  sealed_.push_front(std::move(batch));
  is_queued_ = true;  // by whoever puts it back
}

std::optional<OutBatch> Lane::take_out(const PublishTicket& ticket) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(sealed_.begin(), sealed_.end(), [&](const OutBatch& batch) {
    return batch.ticket.get() == &ticket;
  });
  if (found == sealed_.end()) return std::nullopt;
  OutBatch batch = std::move(*found);
  sealed_.erase(found);
  return batch;
}

void Lane::on_withdrawn(std::uint64_t copies) {
  const std::lock_guard lock(mutex_);
  totals_.withdrawn += copies;
}

void Lane::on_expired_later(std::uint64_t copies) {
  {
    const std::lock_guard lock(mutex_);
    totals_.expired_later += copies;
  }
  if (options_.on_expired) options_.on_expired(copies);
}

PublishTotals Lane::totals() const {
  const std::lock_guard lock(mutex_);
  return totals_;
}

void Lane::when_settled(std::function<void(Status)> done) {
  std::unique_lock lock(mutex_);
  settling_.push_back({totals_.messages, std::move(done)});
  settle(0, lock);
}

void Lane::on_receipt(const Receipt& receipt, std::uint64_t messages) {
  std::unique_lock lock(mutex_);
  const std::uint64_t all = receipt.messages;
  totals_.answered += messages;
  if (receipt.ok()) totals_.ok += messages;
  totals_.by_status[static_cast<std::size_t>(receipt.status)] += messages;
  totals_.matched += share(receipt.matched, messages, all);
  totals_.accepted += share(receipt.accepted, messages, all);
  totals_.spilled += share(receipt.spilled, messages, all);
  totals_.dropped += share(receipt.dropped, messages, all);
  totals_.rejected += share(receipt.rejected, messages, all);
  totals_.pressure = receipt.pressure;
  // The others were settled when they were sent.
  if (options_.receipts == Receipts::kAll) settle(messages, lock);
}

void Lane::on_sent_unanswered(std::uint64_t messages) {
  std::unique_lock lock(mutex_);
  settle(messages, lock);
}

void Lane::on_outcome_unknown(std::uint64_t messages) {
  std::unique_lock lock(mutex_);
  totals_.unknown += messages;
  settle(messages, lock);
}

void Lane::give_up(const OutBatch& batch, const Error& reason) {
  hub_->release(batch.reserved_bytes);
  if (batch.ticket != nullptr) batch.ticket->state = PublishTicket::State::kGone;
  on_outcome_unknown(batch.messages);
  const Error error = outcome_unknown(reason);
  for (const ReceiptWaiter& waiter : batch.waiters) waiter(base::fail(error));
}

void Lane::fail_waiting(const Error& error) {
  for (;;) {
    if (next_batch_bytes() == 0) return;
    const OutBatch batch = take_at_most(std::numeric_limits<std::size_t>::max());
    if (batch.is_again) {
      give_up(batch, error);
      continue;
    }
    hub_->release(batch.reserved_bytes);
    for (const ReceiptWaiter& waiter : batch.waiters) waiter(base::fail(error));
    std::unique_lock lock(mutex_);
    totals_.answered += batch.messages;
    totals_.by_status[static_cast<std::size_t>(ReceiptStatus::kRejected)] += batch.messages;
    settle(batch.messages, lock);
  }
}

// Counts, and tells those whose turn has come, without the lock.
void Lane::settle(std::uint64_t messages, std::unique_lock<std::mutex>& lock) {
  settled_ += messages;
  std::vector<Settling> ripe;
  while (!settling_.empty() && settling_.front().target <= settled_) {
    ripe.push_back(std::move(settling_.front()));
    settling_.erase(settling_.begin());
  }
  if (ripe.empty()) return;
  const std::uint64_t newly_unknown =
      totals_.unknown - std::exchange(unknown_told_, totals_.unknown);
  lock.unlock();
  for (const Settling& settling : ripe) {
    if (newly_unknown == 0) {
      settling.done(Status());
    } else {
      settling.done(
          base::fail(ErrorCode::kConnectionLost,
                     "the outcome of " + std::to_string(newly_unknown) + " messages is unknown"));
    }
  }
}

}  // namespace sluice::detail
