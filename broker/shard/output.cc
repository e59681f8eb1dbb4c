#include "broker/shard/output.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "broker/shard/ledger_scope.h"
#include "broker/shard/limiting.h"
#include "libs/base/assert.h"

namespace sluice::shard {

bool Output::flush(Connection& connection) {
  if (connection.state == ConnectionState::kClosed) return false;
  publishing_.write_due(connection);
  pieces_.clear();
  handed_.clear();
  bytes_ = 0;
  header_used_ = 0;
  if (!connection.control.empty()) {
    std::memcpy(header_room(connection.control.size()), connection.control.data(),
                connection.control.size());
    connection.control.clear();
    if (connection.control.capacity() > kQuantum) connection.control.shrink_to_fit();
  }
  const std::size_t unsent = connection.link->unsent_bytes();
  const std::size_t high = core_.output_high;
  if (connection.state == ConnectionState::kOpen && unsent < high) {
    write_dealt(connection, high - unsent);
    write_ready(connection, high - unsent);
  }
  if (unsent == 0) release(connection);
  if (bytes_ > 0) send(connection);
  if (!handed_.empty()) hold(connection);
  if (connection.state != ConnectionState::kOpen) return false;
  const bool more = !connection.ready.empty() || has_dealt(connection);
  if (!more) return false;
  if (connection.link->unsent_bytes() > 0) {
    // The peer reads slower than we could send: the rest goes when the socket has drained.
    if (!connection.output_paused) core_.metrics.output_pauses.add();
    connection.output_paused = true;
    note_pause(connection);
    return false;
  }
  return true;
}

// What is ready waits for the peer's socket now. Where many wait, the sweep will tell.
void Output::note_pause(const Connection& connection) {
  const std::size_t count = std::min(connection.ready.size(), kPauseNoted);
  for (std::size_t i = 0; i < count; ++i) {
    core_.states.update(subscriptions_.at(connection.ready[i]));
  }
}

DealtSum Output::sum_of(const queue::Item& item, std::uint32_t overhead) {
  const auto* delivery = std::get_if<queue::Delivery>(&item);
  if (delivery == nullptr) return {};
  return {delivery->slice.count, std::uint64_t{delivery->slice.records} + overhead};
}

void Output::hand(const InFlight& handed) {
  if (handed.sum.messages == 0) return;
  const auto is_same = [&handed](const InFlight& last) {
    return last.join == handed.join && last.queue.serial == handed.queue.serial;
  };
  if (!handed_.empty() && is_same(handed_.back())) {
    handed_.back().sum.add(handed.sum);
  } else {
    handed_.push_back(handed);
  }
}

// If the socket did not take the whole write, nothing of it counts as delivered yet: which part it
// took is not known by message. What was dealt is in flight already, until it has been taken.
void Output::hold(Connection& connection) {
  if (connection.link->unsent_bytes() == 0) {
    for (const InFlight& handed : handed_) {
      if (handed.join != 0) groups_.taken(connection, handed);
    }
    return;
  }
  for (const InFlight& handed : handed_) {
    if (handed.join != 0) continue;
    Subscription* subscription = subscriptions_.find(handed.queue.slot);
    if (subscription == nullptr || subscription->serial != handed.queue.serial) continue;
    LedgerScope scope(core_, *subscription);
    subscription->queue.hold_in_flight(handed.sum.messages, handed.sum.bytes);
  }
  connection.in_flight.insert(connection.in_flight.end(), handed_.begin(), handed_.end());
}

void Output::release(Connection& connection) {
  if (connection.in_flight.empty()) return;
  for (const InFlight& sent : std::exchange(connection.in_flight, {})) {
    if (sent.join != 0) {
      groups_.taken(connection, sent);
      continue;
    }
    Subscription* subscription = subscriptions_.find(sent.queue.slot);
    if (subscription == nullptr || subscription->serial != sent.queue.serial) continue;
    {
      LedgerScope scope(core_, *subscription);
      subscription->queue.release_in_flight(sent.sum.messages, sent.sum.bytes);
    }
    subscriptions_.schedule(*subscription);  // what waits there may go on
  }
}

void Output::write_dealt(Connection& connection, std::size_t budget) {
  while (!connection.dealt.empty() && !is_full(budget)) {
    if (core_.limiting != nullptr && !pace_dealt(connection)) return;
    Dealt dealt = std::move(connection.dealt.front());
    connection.dealt.pop_front();
    hand({dealt.group, sum_of(dealt.item, dealt.overhead), dealt.subscription, dealt.join});
    write_item(connection, dealt.subscription, std::move(dealt.item));
  }
}

// Cuts what was dealt first to what its limits let go now. False: nothing, it waits.
bool Output::pace_dealt(Connection& connection) {
  const std::uint32_t let = core_.limiting->let_dealt(connection);
  if (let == 0) {
    groups_.held_back(connection, connection.dealt.front());
    return false;
  }
  Dealt& first = connection.dealt.front();
  auto* delivery = std::get_if<queue::Delivery>(&first.item);
  if (delivery == nullptr || let >= delivery->slice.count) return true;
  Dealt part = first;
  part.overhead = 0;
  std::get<queue::Delivery>(part.item).slice = delivery->slice.split_front(let);
  delivery->sequence += let;
  connection.dealt.push_front(std::move(part));
  return true;
}

// Whether something dealt to it could go now.
bool Output::has_dealt(const Connection& connection) const {
  if (connection.dealt.empty()) return false;
  return connection.limits == nullptr || connection.limits->paced_until <= core_.now;
}

void Output::write_ready(Connection& connection, std::size_t budget) {
  std::vector<model::SubscriptionSlot>& ready = connection.ready;
  // Each queue gets one quantum in turn; those that have no more leave the list.
  while (!ready.empty() && !is_full(budget)) {
    std::size_t kept = 0;
    std::size_t i = 0;
    for (; i < ready.size() && !is_full(budget); ++i) {
      Subscription& subscription = subscriptions_.at(ready[i]);
      if (write_quantum(connection, subscription, budget)) {
        ready[kept++] = ready[i];
      } else {
        subscription.ready = false;
      }
    }
    const bool stopped_early = i < ready.size();
    std::move(ready.begin() + static_cast<std::ptrdiff_t>(i), ready.end(),
              ready.begin() + static_cast<std::ptrdiff_t>(kept));
    const std::size_t size = kept + (ready.size() - i);
    ready.resize(size);
    // Who was not reached is first in line next time.
    if (stopped_early) {
      std::rotate(ready.begin(), ready.begin() + static_cast<std::ptrdiff_t>(kept), ready.end());
      return;
    }
  }
}

bool Output::write_quantum(Connection& connection, Subscription& subscription, std::size_t budget) {
  const std::size_t stop = bytes_ + kQuantum;
  bool more = true;
  while (more && bytes_ < stop && !is_full(budget)) {
    if (subscription.is_held(core_.now)) {
      more = false;
      break;
    }
    queue::Item item;
    std::uint32_t let = UINT32_MAX;
    if (core_.limiting != nullptr) let = core_.limiting->let_out(subscription, subscription.credit);
    if (let > 1 && subscription.rehearsed != nullptr) let = 1;
    if (let != 0) {
      LedgerScope scope(core_, subscription);
      item = subscription.queue.next(subscription.credit, core_.now, let);
    }
    if (core_.limiting != nullptr) core_.limiting->went(item);
    if (subscription.queue.is_timed()) {
      subscriptions_.settle(subscription);
      subscriptions_.schedule(subscription);
    }
    more = !std::holds_alternative<std::monostate>(item);
    if (!more) break;
    if (std::holds_alternative<queue::Delivery>(item)) {
      subscription.note_delivery(core_.now);
      hand({{subscription.slot, subscription.serial},
            sum_of(item, queue::kSliceOverhead),
            subscription.id,
            0});
    }
    if (subscription.rehearsed != nullptr) subscriptions_.schedule(subscription);
    write_item(connection, subscription.id, std::move(item));
  }
  core_.states.update(subscription);
  return more;
}

void Output::write_item(Connection& connection, model::SubscriptionId id, queue::Item&& item) {
  if (auto* delivery = std::get_if<queue::Delivery>(&item)) {
    write_delivery(connection, id, std::move(*delivery));
    return;
  }
  const auto* gap = std::get_if<queue::Gap>(&item);
  if (gap == nullptr) return;
  wire::Gap frame;
  frame.subscription = id.value();
  frame.reason = gap->reason;
  frame.last_sequence = gap->last;
  frame.count = gap->count;
  frame.bytes = gap->bytes;
  std::vector<std::byte> encoded;  // gaps are rare and coalesced: an allocation is no matter
  wire::encode(encoded, frame, gap->first);
  std::memcpy(header_room(encoded.size()), encoded.data(), encoded.size());
  core_.metrics.gaps[gap->reason].add();
  core_.metrics.sent_frames.add();
}

void Output::write_delivery(Connection& connection, model::SubscriptionId id,
                            queue::Delivery&& delivery) {
  const model::Slice& slice = delivery.slice;
  announce(connection, slice.topic);
  const auto total = wire::read_batch_header(slice.batch.view());
  const bool whole = slice.count == total.count;
  const bool cut = !whole && !slice.compressed();
  const std::uint32_t batch_bytes =
      cut ? static_cast<std::uint32_t>(wire::kBatchHeaderBytes) + slice.records
          : slice.batch.size();
  wire::Deliver frame;
  frame.subscription = id.value();
  frame.topic = wire_topic(slice.topic);
  frame.first = cut ? 0 : slice.first;
  frame.count = slice.count;
  const bool copies = batch_bytes < kCopyBelow;
  const std::size_t headers = wire::kDeliverHeaderBytes + (cut ? wire::kBatchHeaderBytes : 0);
  std::byte* at = header_room(copies ? wire::kDeliverHeaderBytes + batch_bytes : headers);
  wire::write_deliver_header(at, frame, delivery.sequence, batch_bytes);
  at += wire::kDeliverHeaderBytes;
  std::size_t offset = 0;
  if (cut) {
    offset = slice.offset;
    wire::make_slice_header(at, total, slice.batch.view().subspan(offset, slice.records),
                            slice.first, slice.count);
    at += wire::kBatchHeaderBytes;
  }
  const std::size_t rest = cut ? slice.records : batch_bytes;
  if (copies) {
    std::memcpy(at, slice.batch.data() + offset, rest);
  } else {
    shared_piece(slice.batch, offset, rest);
  }
  core_.metrics.delivered_messages.add(slice.count);
  core_.metrics.delivered_batches.add();
  core_.metrics.delivered_bytes.add(batch_bytes);
  core_.metrics.sent_frames.add();
  core_.metrics.queue_time.observe(core_.now - delivery.queued_at, slice.count);
}

void Output::announce(Connection& connection, const model::TopicRef& topic) {
  const std::size_t memory = connection.announced.memory_bytes();
  if (!connection.announced.tell(topic.slot(), topic.generation())) return;
  core_.charge(connection, connection.announced.memory_bytes() - memory);
  wire::Topic frame;
  frame.topic = wire_topic(topic);
  frame.name = *core_.topics.name(topic);
  std::vector<std::byte> encoded;  // once per topic and connection
  wire::encode(encoded, frame, 0);
  std::memcpy(header_room(encoded.size()), encoded.data(), encoded.size());
  core_.metrics.sent_frames.add();
}

// Room in the headers' buffer; joins the last piece when that is there as well.
std::byte* Output::header_room(std::size_t bytes) {
  const std::size_t offset = header_used_;
  header_used_ += bytes;
  if (header_bytes_.size() < header_used_) {
    header_bytes_.resize(std::max(2 * header_used_, kQuantum));
  }
  bytes_ += bytes;
  if (!pieces_.empty() && pieces_.back().data == nullptr) {
    pieces_.back().size += bytes;
  } else {
    pieces_.push_back({nullptr, offset, bytes});
  }
  return header_bytes_.data() + offset;
}

void Output::shared_piece(const base::SharedBytes& bytes, std::size_t offset, std::size_t size) {
  pieces_.push_back({bytes.data() + offset, 0, size});
  if (keep_alive_.empty() || !(keep_alive_.back() == bytes.slab())) {
    keep_alive_.push_back(bytes.slab());
  }
  bytes_ += size;
}

void Output::send(Connection& connection) {
  views_.clear();
  for (const Piece& piece : pieces_) {
    const std::byte* data =
        piece.data != nullptr ? piece.data : header_bytes_.data() + piece.offset;
    views_.emplace_back(data, piece.size);
  }
  core_.metrics.sent_bytes.add(bytes_);
  connection.link->write(views_, keep_alive_, base::ByteView(header_bytes_.data(), header_used_));
  keep_alive_.clear();
}

}  // namespace sluice::shard
