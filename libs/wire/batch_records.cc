#include <algorithm>
#include <string>

#include "libs/wire/batch.h"
#include "libs/wire/batch_layout.h"
#include "libs/wire/varint.h"

namespace sluice::wire {
namespace {

using base::ErrorCode;
using base::load;

/// What is wrong in a record, where; `code` kNone: nothing.
struct Wrong {
  ErrorCode code = ErrorCode::kNone;
  const char* what = "";
  const std::byte* at = nullptr;
};

Wrong bad(const char* what, const std::byte* at) { return {ErrorCode::kBadBatch, what, at}; }

/// Moves `at` past a size and as many bytes.
Wrong check_sized(const std::byte*& at, const std::byte* end, const char* what) {
  const std::byte* start = at;
  std::uint32_t size = 0;
  if (!take_varint(at, end, size) || size > static_cast<std::size_t>(end - at)) {
    return bad(what, start);
  }
  at += size;
  return {};
}

Wrong check_headers(const std::byte*& at, const std::byte* end) {
  const std::byte* start = at;
  std::uint32_t count = 0;
  if (!take_varint(at, end, count) || count == 0 || count > kMaxHeaders) {
    return bad("the number of headers, allowed are 1 to 64", start);
  }
  for (std::uint32_t i = 0; i < 2 * count; ++i) {
    const Wrong wrong = check_sized(at, end, i % 2 == 0 ? "a header's name" : "a header's value");
    if (wrong.code != ErrorCode::kNone) return wrong;
  }
  return {};
}

/// A record's inside, from its attributes to `end`; puts its deadline into `deadline`.
Wrong check_record(const std::byte* at, const std::byte* end, std::uint64_t& deadline) {
  const auto attributes = load<std::uint8_t>(at);
  if ((attributes & ~kAttributesAll) != 0) {
    return {ErrorCode::kReservedBits, "attributes of a record", at};
  }
  ++at;
  Wrong wrong;
  if ((attributes & kAttributeKey) != 0) {
    const std::byte* start = at;
    wrong = check_sized(at, end, "a key");
    if (wrong.code == ErrorCode::kNone && at - start == 1) wrong = bad("an empty key", start);
  }
  if (wrong.code == ErrorCode::kNone && (attributes & kAttributeHeaders) != 0) {
    wrong = check_headers(at, end);
  }
  if (wrong.code == ErrorCode::kNone && (attributes & kAttributeDeadline) != 0) {
    if (end - at < 8) return bad("a deadline", at);
    deadline = load<std::uint64_t>(at);
    if (deadline == 0) return bad("a deadline of 0", at);
  }
  return wrong;
}

/// The one walk over the records: their sizes, their insides, their number, earliest deadline.
Wrong walk(ByteView records, std::uint32_t count, std::uint64_t& earliest) {
  const std::byte* at = records.data();
  const std::byte* const end = at + records.size();
  std::uint32_t found = 0;
  for (; at != end; ++found) {
    const std::byte* const start = at;
    std::uint32_t size = 0;
    const auto low = static_cast<std::uint8_t>(*at);
    if (low < 0x80) {  // nearly every record has one of these two sizes
      size = low;
      ++at;
    } else if (end - at >= 2 && load<std::uint8_t>(at + 1) - 1U < 0x7F) {
      size = (low & 0x7FU) | (static_cast<std::uint32_t>(at[1]) << 7);
      at += 2;
    } else if (!take_varint(at, end, size)) {
      return bad("the size of a record", start);
    }
    if (size == 0 || size > static_cast<std::size_t>(end - at)) {
      return bad("the size of a record", start);
    }
    if (*at != std::byte{0}) {
      std::uint64_t deadline = 0;
      const Wrong wrong = check_record(at, at + size, deadline);
      if (wrong.code != ErrorCode::kNone) return wrong;
      earliest = std::min(earliest - 1, deadline - 1) + 1;  // 0, none, is the latest of all
    }
    at += size;
  }
  if (found != count) return bad("the message count is not the number of records", end);
  return {};
}

base::Status to_status(const Wrong& wrong, ByteView records) {
  if (wrong.code == ErrorCode::kNone) return {};
  return base::fail(wrong.code, std::string(wrong.what) + " at byte " +
                                    std::to_string(wrong.at - records.data()) + " of the records");
}

}  // namespace

base::Status check_records(ByteView records, std::uint32_t count) {
  std::uint64_t earliest = 0;
  return to_status(walk(records, count, earliest), records);
}

base::Status check_records_of(const BatchHeader& header, ByteView records) {
  std::uint64_t earliest = 0;
  const Wrong wrong = walk(records, header.count, earliest);
  if (wrong.code != ErrorCode::kNone) return to_status(wrong, records);
  if (earliest != header.earliest_deadline_ns) {
    return base::fail(ErrorCode::kBadBatch, "earliest deadline at byte 64 is " +
                                                std::to_string(header.earliest_deadline_ns) +
                                                ", in the records it is " +
                                                std::to_string(earliest));
  }
  return {};
}

std::size_t skip_records(const std::byte* records, std::uint32_t count) noexcept {
  const std::byte* at = records;
  for (; count != 0; --count) {
    const auto low = static_cast<std::uint8_t>(*at);
    at += low < 0x80 ? low + 1U : record_bytes(at);
  }
  return static_cast<std::size_t>(at - records);
}

RecordView take_record(ByteView& records) noexcept {
  const std::byte* at = records.data();
  const std::uint32_t size = take_checked_varint(at);
  const std::byte* const end = at + size;
  records = {end, records.data() + records.size()};
  const auto attributes = load<std::uint8_t>(at++);
  RecordView view;
  if ((attributes & kAttributeKey) != 0) {
    const std::uint32_t bytes = take_checked_varint(at);
    view.key = {at, bytes};
    at += bytes;
  }
  if ((attributes & kAttributeHeaders) != 0) {
    view.header_count = take_checked_varint(at);
    const std::byte* const first = at;
    for (std::uint32_t i = 0; i < 2 * view.header_count; ++i) {
      const std::uint32_t bytes = take_checked_varint(at);
      at += bytes;
    }
    view.headers = {first, at};
  }
  if ((attributes & kAttributeDeadline) != 0) {
    view.deadline_ns = load<std::uint64_t>(at);
    at += 8;
  }
  view.payload = {at, end};
  return view;
}

std::uint64_t earliest_deadline(ByteView records, std::uint32_t count) noexcept {
  std::uint64_t earliest = 0;
  for (; count != 0; --count) {
    earliest = std::min(earliest - 1, take_record(records).deadline_ns - 1) + 1;
  }
  return earliest;
}

bool HeaderCursor::next(std::string_view& name, std::string_view& value) noexcept {
  if (left_ == 0) return false;
  --left_;
  const std::byte* at = rest_.data();
  const std::byte* const end = at + rest_.size();
  for (std::string_view* text : {&name, &value}) {
    const std::uint32_t bytes = take_checked_varint(at);
    *text = base::as_text({at, bytes});
    at += bytes;
  }
  rest_ = {at, end};
  return true;
}

}  // namespace sluice::wire
