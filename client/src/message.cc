#include <sluice/message.h>

#include "client/src/batch_body.h"
#include "libs/base/assert.h"
#include "libs/wire/batch.h"

namespace sluice {

std::optional<WallTime> MessageView::deadline() const noexcept {
  if (deadline_ns_ == 0) return std::nullopt;
  return WallTime(Duration(static_cast<std::int64_t>(deadline_ns_)));
}

std::optional<std::string_view> MessageView::header(std::string_view name) const noexcept {
  wire::RecordView record;
  record.headers = headers_;
  record.header_count = header_count_;
  wire::HeaderCursor cursor(record);
  std::string_view at;
  std::string_view value;
  while (cursor.next(at, value)) {
    if (at == name) return value;
  }
  return std::nullopt;
}

std::vector<std::pair<std::string_view, std::string_view>> MessageView::headers() const {
  std::vector<std::pair<std::string_view, std::string_view>> all;
  wire::RecordView record;
  record.headers = headers_;
  record.header_count = header_count_;
  wire::HeaderCursor cursor(record);
  std::pair<std::string_view, std::string_view> entry;
  while (cursor.next(entry.first, entry.second)) all.push_back(entry);
  return all;
}

std::string_view MessageBatch::topic() const noexcept { return *body_->topic; }

std::size_t MessageBatch::size() const noexcept { return body_->count; }

std::size_t MessageBatch::bytes() const noexcept { return body_->records.size(); }

std::uint64_t MessageBatch::first_sequence() const noexcept { return body_->first_sequence; }

MessageBatch MessageBatch::drop_first(std::size_t count) const {
  ASSERT(count < size());
  auto rest = std::make_shared<detail::BatchBody>();
  rest->memory = body_->memory;
  rest->frame = body_->frame;
  rest->whole = body_;
  rest->topic = body_->topic;
  const auto dropped = static_cast<std::uint32_t>(count);
  rest->records = body_->records.subspan(wire::skip_records(body_->records.data(), dropped));
  rest->count = body_->count - dropped;
  rest->first_sequence = body_->first_sequence + dropped;
  rest->published_at = body_->published_at;
  return MessageBatch(std::move(rest));
}

MessageBatch::Iterator MessageBatch::begin() const noexcept {
  Iterator iterator;
  iterator.records_ = body_->records;
  iterator.left_ = body_->count;
  iterator.view_.topic_ = *body_->topic;
  iterator.view_.sequence_ = body_->first_sequence;
  iterator.view_.published_at_ = body_->published_at;
  iterator.read();
  return iterator;
}

MessageBatch::Iterator& MessageBatch::Iterator::operator++() noexcept {
  ASSERT(left_ > 0);
  ++view_.sequence_;
  if (--left_ > 0) read();
  return *this;
}

void MessageBatch::Iterator::read() noexcept {
  const wire::RecordView record = wire::take_record(records_);
  view_.key_ = record.key;
  view_.payload_ = record.payload;
  view_.headers_ = record.headers;
  view_.header_count_ = record.header_count;
  view_.deadline_ns_ = record.deadline_ns;
}

std::string_view durability_name(Durability durability) noexcept {
  switch (durability) {
    case Durability::kNone:
      return "none";
    case Durability::kMemory:
      return "memory";
    case Durability::kOs:
      return "os";
    case Durability::kDisk:
      return "disk";
    case Durability::kQuorum:
      return "quorum";
  }
  return "unknown";
}

std::string_view receipt_status_name(ReceiptStatus status) noexcept {
  switch (status) {
    case ReceiptStatus::kAccepted:
      return "accepted";
    case ReceiptStatus::kPartial:
      return "partial";
    case ReceiptStatus::kRejected:
      return "rejected";
    case ReceiptStatus::kExpired:
      return "expired";
    case ReceiptStatus::kCancelled:
      return "cancelled";
    case ReceiptStatus::kDuplicate:
      return "duplicate";
  }
  return "unknown";
}

}  // namespace sluice
