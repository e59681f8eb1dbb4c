#include "libs/wire/frame_reader.h"

#include <algorithm>
#include <cstring>

#include "libs/base/assert.h"

namespace sluice::wire {

using base::SlabRef;

base::MutableByteView SlabCursor::room(std::size_t wanted) {
  const std::size_t needed = std::min(std::max(wanted, min_room_), pool_.slab_bytes());
  if (slab_ && slab_->is_sole_reference()) filled_ = 0;  // nobody looks at it any more
  if (!slab_ || slab_->capacity() - filled_ < needed) {
    slab_ = {};  // first, so that the pool may hand the same block out again
    slab_ = pool_.take();
    filled_ = 0;
  }
  return {slab_->data() + filled_, slab_->capacity() - filled_};
}

base::MutableByteView FrameReader::prepare() {
  if (buffered() == 0) {
    reading_shared_ = true;
    return cursor_.room(0);
  }
  make_room();
  return {slab_->data() + end_, slab_->capacity() - end_};
}

void FrameReader::commit(std::size_t bytes) {
  if (bytes == 0 || error_ != base::ErrorCode::kNone) return;
  if (reading_shared_) {
    if (!slab_) {
      slab_ = cursor_.slab_;
      begin_ = end_ = cursor_.filled_;
    }
    cursor_.filled_ += static_cast<std::uint32_t>(bytes);
  }
  end_ += static_cast<std::uint32_t>(bytes);
  ASSERT(end_ <= slab_->capacity());
}

base::Result<std::optional<Frame>> FrameReader::next() {
  if (error_ != base::ErrorCode::kNone) {
    return base::fail(error_, "an earlier frame could not be read");
  }
  if (buffered() < kFrameHeaderBytes) return std::nullopt;
  auto header = read_header({slab_->data() + begin_, buffered()}, max_body_);
  if (!header) {
    error_ = header.error().code;
    release();
    return base::fail(std::move(header.error()));
  }
  const FrameHeader& found = **header;
  const std::size_t frame_bytes = kFrameHeaderBytes + std::size_t{found.body_bytes};
  if (buffered() < frame_bytes) return std::nullopt;
  const std::uint32_t body = begin_ + static_cast<std::uint32_t>(kFrameHeaderBytes);
  begin_ += static_cast<std::uint32_t>(frame_bytes);
  if (begin_ != end_) return Frame{found, {slab_, body, found.body_bytes}};
  // Nothing is left over: the frame takes the reader's own reference along.
  Frame frame{found, {std::move(slab_), body, found.body_bytes}};
  release();
  return frame;
}

void FrameReader::settle() {
  if (buffered() == 0 || tail_ == Tail::kBlock) return;
  if (buffered() > kSmallPartialBytes) {
    // The partial frame goes on where it stands; the other readers get another slab.
    if (!is_front_of_cursor()) return;
    cursor_.slab_ = {};
    tail_ = Tail::kKept;
    return;
  }
  SlabRef small = SlabRef::make(buffered(), cursor_.pool().account());
  std::memcpy(small->data(), slab_->data() + begin_, buffered());
  if (is_front_of_cursor()) cursor_.filled_ = begin_;  // its bytes there are free again
  adopt_block(std::move(small));
}

bool FrameReader::is_front_of_cursor() const noexcept {
  return slab_ == cursor_.slab_ && cursor_.filled_ == end_;
}

std::size_t FrameReader::frame_bytes_wanted() const {
  if (buffered() < kFrameHeaderBytes) return kFrameHeaderBytes;
  const auto body = base::load<std::uint32_t>(slab_->data() + begin_);
  return kFrameHeaderBytes + std::size_t{std::min(body, max_body_)};
}

void FrameReader::make_room() {
  const std::size_t held = buffered();
  const std::size_t slab_bytes = cursor_.pool_.slab_bytes();
  // Where whole frames wait for next(), nothing says how much follows: as much again.
  const std::size_t known = frame_bytes_wanted();
  const std::size_t wanted = known > held ? known : held + std::max(held, cursor_.min_room_);
  const std::size_t room = slab_->capacity() - end_;
  const bool fits = begin_ + wanted <= slab_->capacity();
  const bool worth_it = room >= cursor_.min_room_ || (fits && held > kSmallPartialBytes);
  const bool may_go_on = tail_ != Tail::kShared || is_front_of_cursor();
  if (may_go_on && worth_it && (fits || wanted > slab_bytes)) {
    reading_shared_ = tail_ == Tail::kShared;
    return;
  }
  if (wanted <= slab_bytes) {
    const base::MutableByteView target = cursor_.room(std::max(wanted, held + cursor_.min_room_));
    std::memcpy(target.data(), slab_->data() + begin_, held);
    const std::uint32_t start = cursor_.filled_;
    cursor_.filled_ += static_cast<std::uint32_t>(held);
    slab_ = cursor_.slab_;
    begin_ = start;
    end_ = cursor_.filled_;
    tail_ = Tail::kShared;
    reading_shared_ = true;
    return;
  }
  // Larger than a slab: at most twice of what has arrived, so that announcing costs little.
  const std::size_t doubled = std::max(2 * held, slab_bytes);
  SlabRef larger = SlabRef::make(std::min(wanted, doubled), cursor_.pool().account());
  std::memcpy(larger->data(), slab_->data() + begin_, held);
  adopt_block(std::move(larger));
}

void FrameReader::adopt_block(SlabRef block) noexcept {
  end_ -= begin_;
  begin_ = 0;
  slab_ = std::move(block);
  tail_ = Tail::kBlock;
  reading_shared_ = false;
}

void FrameReader::release() noexcept {
  slab_ = {};
  begin_ = end_ = 0;
  tail_ = Tail::kShared;
}

}  // namespace sluice::wire
