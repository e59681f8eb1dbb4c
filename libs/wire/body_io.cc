#include "libs/wire/body_io.h"

#include <utility>

namespace sluice::wire {
namespace {

constexpr std::size_t kTagBytes = 4;  // u16 tag, u16 bytes of its value

}  // namespace

void BodyReader::fail_at(base::ErrorCode code, std::string what, const std::byte* at) {
  if (!ok()) return;
  code_ = code;
  what_ = std::move(what);
  wrong_at_ = static_cast<std::size_t>(at - begin_);
}

void BodyReader::wrong_value(const char* what, const std::byte* at, std::uint64_t value) {
  fail_at(base::ErrorCode::kBadFrame, std::string(what) + " is " + std::to_string(value), at);
}

void BodyReader::begin_extensions(std::uint8_t flags) {
  if ((flags & kFlagExtension) == 0) return;
  std::uint16_t area_bytes = 0;
  number("extension area", area_bytes);
  const ByteView area = view("extension area", area_bytes);
  const std::byte* const end = area.data() + area.size();
  int last_tag = -1;
  for (const std::byte* at = area.data(); at != end;) {
    const auto left = static_cast<std::size_t>(end - at);
    const std::size_t value_bytes = left < kTagBytes ? 0 : base::load<std::uint16_t>(at + 2);
    if (left < kTagBytes + value_bytes) {
      return fail_at(base::ErrorCode::kBadFrame, "extension cut off", at);
    }
    const auto tag = base::load<std::uint16_t>(at);
    if (tag <= last_tag) {
      return fail_at(base::ErrorCode::kBadFrame, "extension tags do not rise", at);
    }
    last_tag = tag;
    at += kTagBytes + value_bytes;
  }
  extension_ = area.data();
  extensions_end_ = end;
}

bool BodyReader::seek_extension(std::uint16_t tag) noexcept {
  while (extension_ != extensions_end_) {
    const auto next = base::load<std::uint16_t>(extension_);
    if (next > tag) return false;
    extension_ += kTagBytes;
    if (next == tag) return true;
    extension_ += base::load<std::uint16_t>(extension_ - 2);
  }
  return false;
}

void BodyReader::rest_text(const char* what, std::string_view& value, std::size_t max) {
  const std::byte* const start = at_;
  value = base::as_text(rest());
  if (value.size() > max) {
    fail_at(base::ErrorCode::kBadFrame,
            std::string(what) + " over " + std::to_string(max) + " bytes", start);
  }
}

base::Error BodyReader::error(FrameKind kind) const {
  ASSERT(!ok());
  std::string detail(frame_name(kind));
  detail += ": ";
  if (!what_.empty()) detail += what_ + " ";
  detail += "at byte " + std::to_string(wrong_at_);
  return {code_, std::move(detail)};
}

}  // namespace sluice::wire
