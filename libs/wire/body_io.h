// body_io.h: how is one field after another written to, or read from, a frame's body?
//
// BodyWriter and BodyReader have the same calls, so that codec.cc lists the fields of a frame once
// for both ways, and those of its extension area. The reader keeps the first thing that is wrong
// and gives zeros from then on; its caller asks for it once, at the end.
//
// Thread:   values; one thread at a time. Private to this folder.
// Errors:   kBadFrame, kReservedBits: what is wrong, and at which byte of the body.
// Source:   docs/formats/wire.md, section Fields.
// Tests:    tests/unit/libs/wire/codec_test.cc

#pragma once

#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "libs/base/assert.h"
#include "libs/wire/frames.h"

namespace sluice::wire {

/// The least and the most that a field may be.
struct Bounds {
  std::uint64_t min = 0;
  std::uint64_t max = std::numeric_limits<std::uint64_t>::max();
};

class BodyWriter {
 public:
  template <typename T>
  using Of = const T;  // what fields() takes of a frame

  /// Starts the frame; its length is written by finish().
  BodyWriter(std::vector<std::byte>& out, const FrameHeader& header)
      : out_(out), start_(out.size()) {
    out_.resize(start_ + kFrameHeaderBytes);
    write_header(out_.data() + start_, header);
  }

  template <typename Integer>
  void number(const char*, Integer value, Bounds = {}) {
    const std::size_t at = out_.size();
    out_.resize(at + sizeof value);
    base::store(out_.data() + at, value);
  }
  template <typename Enum>
  void choice(const char* what, Enum value, Bounds = {}) {
    number(what, static_cast<std::underlying_type_t<Enum>>(value));
  }
  void yes_no(const char* what, bool value) { number(what, static_cast<std::uint8_t>(value)); }
  void reserved(std::size_t bytes) { out_.resize(out_.size() + bytes); }
  template <typename Size, typename T>
  void list_size(const char* what, const std::vector<T>& list, Bounds bounds) {
    ASSERT(list.size() >= bounds.min && list.size() <= bounds.max);
    number(what, static_cast<Size>(list.size()));
  }
  void text(const char* what, std::string_view value) {
    ASSERT(value.size() <= std::numeric_limits<std::uint16_t>::max());
    number(what, static_cast<std::uint16_t>(value.size()));
    raw(base::as_bytes(value));
  }
  void long_bytes(const char* what, ByteView value) {
    ASSERT(value.size() <= kMaxMaxFrame);
    number(what, static_cast<std::uint32_t>(value.size()));
    raw(value);
  }
  void long_text(const char* what, std::string_view value) {
    long_bytes(what, base::as_bytes(value));
  }
  void raw(ByteView bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }

  /// Writes a tag of the extension area with what `value` writes, when it is `present`. The area
  /// and its flag come with the first one. Requires: before the fields, tags in rising order.
  template <typename Value>
  void tag(std::uint16_t tag, bool present, Value value) {
    if (!present) return;
    if (area_ == 0) {
      area_ = out_.size();
      out_.resize(area_ + 2);
      out_[start_ + kFlagsAt] |= std::byte{kFlagExtension};
    }
    number("tag", tag);
    const std::size_t at = out_.size();
    out_.resize(at + 2);
    value();
    store_size_of_what_follows(at);
    store_size_of_what_follows(area_);
  }
  void mark_present(bool) {}
  /// Text that takes the rest of a tag's value; cut where it is longer than `max`.
  void rest_text(const char*, std::string_view value, std::size_t max) {
    raw(base::as_bytes(value.substr(0, max)));
  }

  /// Completes the header for a body of which `more_bytes` are written by somebody else.
  void finish(std::size_t more_bytes = 0) {
    const std::size_t body = out_.size() - start_ - kFrameHeaderBytes + more_bytes;
    ASSERT(body <= kMaxMaxFrame);
    base::store(out_.data() + start_, static_cast<std::uint32_t>(body));
  }

 private:
  void store_size_of_what_follows(std::size_t at) {
    const std::size_t bytes = out_.size() - at - 2;
    ASSERT(bytes <= std::numeric_limits<std::uint16_t>::max());
    base::store(out_.data() + at, static_cast<std::uint16_t>(bytes));
  }

  std::vector<std::byte>& out_;
  std::size_t start_;
  static constexpr std::size_t kFlagsAt = 5;  // in the header

  std::size_t area_ = 0;  // where the extension area's size stands
};

class BodyReader {
 public:
  template <typename T>
  using Of = T;

  explicit BodyReader(ByteView body) noexcept
      : begin_(body.data()), at_(begin_), end_(begin_ + body.size()) {}

  template <typename Integer>
  void number(const char* what, Integer& value, Bounds bounds = {}) {
    const std::byte* field = take(what, sizeof value);
    value = field != nullptr ? base::load<Integer>(field) : Integer{};
    if (field != nullptr && (value < bounds.min || value > bounds.max)) {
      wrong_value(what, field, value);
    }
  }
  template <typename Enum>
  void choice(const char* what, Enum& value, Bounds bounds = {}) {
    std::underlying_type_t<Enum> number_read{};
    number(what, number_read, bounds);
    value = static_cast<Enum>(number_read);
  }
  void yes_no(const char* what, bool& value) {
    std::uint8_t number_read = 0;
    number(what, number_read, {0, 1});
    value = number_read != 0;
  }
  void reserved(std::size_t bytes) {
    const std::byte* field = take("reserved bytes", bytes);
    for (std::size_t i = 0; field != nullptr && i < bytes; ++i) {
      if (field[i] != std::byte{0}) return fail_at(base::ErrorCode::kReservedBits, "", field + i);
    }
  }
  template <typename Size, typename T>
  void list_size(const char* what, std::vector<T>& list, Bounds bounds) {
    Size size = 0;
    number(what, size, bounds);
    if (ok()) list.resize(size);
  }
  void text(const char* what, std::string_view& value) {
    std::uint16_t size = 0;
    number(what, size);
    value = base::as_text(view(what, size));
  }
  void long_bytes(const char* what, ByteView& value) {
    std::uint32_t size = 0;
    number(what, size);
    value = view(what, size);
  }
  void long_text(const char* what, std::string_view& value) {
    ByteView bytes;
    long_bytes(what, bytes);
    value = base::as_text(bytes);
  }
  /// What is left of the body.
  ByteView rest() {
    const ByteView left(at_, end_);
    at_ = end_;
    return ok() ? left : ByteView{};
  }
  ByteView view(const char* what, std::size_t bytes) {
    const std::byte* field = take(what, bytes);
    return field != nullptr ? ByteView(field, bytes) : ByteView{};
  }

  /// Passes the extension area of a frame whose flags say that it has one; tag() then reads it.
  void begin_extensions(std::uint8_t flags);
  /// Has `value` read what stands behind the tag, if the area has it. Requires: as the writer's.
  template <typename Value>
  void tag(std::uint16_t tag, bool, Value value) {
    if (extension_ == extensions_end_ || !seek_extension(tag)) return;
    const std::byte* const fields = at_;
    const std::byte* const end = end_;
    at_ = extension_;
    end_ = extension_ + base::load<std::uint16_t>(extension_ - 2);
    extension_ = end_;
    value();
    if (ok() && !at_end()) {
      fail_at(base::ErrorCode::kBadFrame, "bytes behind an extension's value", at_);
    }
    at_ = fields;
    end_ = end;
  }
  void mark_present(bool& present) { present = true; }
  void rest_text(const char* what, std::string_view& value, std::size_t max);

  bool ok() const noexcept { return code_ == base::ErrorCode::kNone; }
  bool at_end() const noexcept { return at_ == end_; }
  /// Where the next field stands.
  const std::byte* at() const noexcept { return at_; }
  void fail_at(base::ErrorCode code, std::string what, const std::byte* at);
  /// The first thing that was wrong, said of a frame of this kind. Requires: !ok().
  base::Error error(FrameKind kind) const;

 private:
  const std::byte* take(const char* what, std::size_t bytes) {
    if (static_cast<std::size_t>(end_ - at_) < bytes || !ok()) {
      fail_at(base::ErrorCode::kBadFrame, std::string(what) + " cut off", at_);
      return nullptr;
    }
    const std::byte* field = at_;
    at_ += bytes;
    return field;
  }
  void wrong_value(const char* what, const std::byte* at, std::uint64_t value);
  /// Moves extension_ behind the header of `tag`; false when the area has none.
  bool seek_extension(std::uint16_t tag) noexcept;

  const std::byte* begin_;
  const std::byte* at_;
  const std::byte* end_;
  const std::byte* extension_ = nullptr;       // the next one
  const std::byte* extensions_end_ = nullptr;  // of the area
  base::ErrorCode code_ = base::ErrorCode::kNone;
  std::string what_;
  std::size_t wrong_at_ = 0;
};

}  // namespace sluice::wire
