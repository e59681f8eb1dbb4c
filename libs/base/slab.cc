#include "libs/base/slab.h"

#include <cstring>
#include <limits>
#include <new>

#include "libs/base/assert.h"

namespace sluice::base {
namespace {

void* allocate(std::size_t capacity) {
  ASSERT(capacity <= std::numeric_limits<std::uint32_t>::max());
  return ::operator new(sizeof(Slab) + capacity);
}

void destroy(Slab* slab) noexcept {
  slab->~Slab();
  ::operator delete(slab);
}

}  // namespace

void Slab::recycle() noexcept {
  if (home_ != nullptr) {
    home_->come_back(this);
  } else {
    destroy(this);
  }
}

SlabRef SlabRef::make(std::size_t capacity) {
  return SlabRef(new (allocate(capacity)) Slab(nullptr, static_cast<std::uint32_t>(capacity)));
}

SharedBytes SharedBytes::copy_of(ByteView bytes) {
  SlabRef slab = SlabRef::make(bytes.size());
  if (!bytes.empty()) std::memcpy(slab->data(), bytes.data(), bytes.size());
  return {std::move(slab), 0, static_cast<std::uint32_t>(bytes.size())};
}

SlabPool::~SlabPool() {
  // Counting a block back is the last that another thread does to this pool.
  ASSERT(in_use_.load(std::memory_order_acquire) == 0);
  collect();
  while (idle_ != nullptr) destroy(std::exchange(idle_, idle_->next_idle_));
}

SlabRef SlabPool::take() {
  if (idle_ == nullptr) collect();
  in_use_.fetch_add(1, std::memory_order_relaxed);
  if (idle_ == nullptr) {
    const auto capacity = static_cast<std::uint32_t>(slab_bytes_);
    return SlabRef(new (allocate(slab_bytes_)) Slab(this, capacity));
  }
  Slab* slab = std::exchange(idle_, idle_->next_idle_);
  --idle_count_;
  slab->references_.store(1, std::memory_order_relaxed);
  return SlabRef(slab);
}

void SlabPool::come_back(Slab* slab) noexcept {
  Slab* head = returned_.load(std::memory_order_relaxed);
  do {
    slab->next_idle_ = head;
  } while (!returned_.compare_exchange_weak(head, slab, std::memory_order_release,
                                            std::memory_order_relaxed));
  in_use_.fetch_sub(1, std::memory_order_release);
}

void SlabPool::collect() noexcept {
  Slab* slab = returned_.exchange(nullptr, std::memory_order_acquire);
  while (slab != nullptr) {
    Slab* next = slab->next_idle_;
    if (idle_count_ < idle_max_) {
      slab->next_idle_ = idle_;
      idle_ = slab;
      ++idle_count_;
    } else {
      destroy(slab);
    }
    slab = next;
  }
}

}  // namespace sluice::base
