#include "libs/wire/body_io.h"

#include <utility>

namespace sluice::wire {

void BodyReader::fail_at(base::ErrorCode code, std::string what, const std::byte* at) {
  if (!ok()) return;
  code_ = code;
  what_ = std::move(what);
  wrong_at_ = static_cast<std::size_t>(at - begin_);
}

void BodyReader::wrong_value(const char* what, const std::byte* at, std::uint64_t value) {
  fail_at(base::ErrorCode::kBadFrame, std::string(what) + " is " + std::to_string(value), at);
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
