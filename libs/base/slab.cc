#include "libs/base/slab.h"

#include <cstring>
#include <limits>
#include <new>

#include "libs/base/assert.h"

namespace sluice::base {
namespace {

// What glibc adds to an allocation: a word before it, sizes in steps of 16 bytes, and whole pages
// from the size on at which it maps them.
constexpr std::size_t kHeapStep = 16;
constexpr std::size_t kHeapWord = 8;
constexpr std::size_t kMappedFrom = 36U << 10;  // as sluiced sets it
constexpr std::size_t kPage = 4096;

constexpr std::size_t round_up(std::size_t size, std::size_t step) {
  return (size + step - 1) / step * step;
}

}  // namespace

std::size_t Slab::footprint(std::size_t capacity) noexcept {
  const std::size_t size = sizeof(Slab) + capacity + kHeapWord;
  return size < kMappedFrom ? round_up(size, kHeapStep) : round_up(size + kHeapWord, kPage);
}

Slab* Slab::make(SlabPool* home, SlabAccount* account, std::size_t capacity) {
  ASSERT(capacity <= std::numeric_limits<std::uint32_t>::max());
  void* memory = ::operator new(sizeof(Slab) + capacity);
  if (account != nullptr) account->add(footprint(capacity));
  return new (memory) Slab(home, account, static_cast<std::uint32_t>(capacity));
}

void Slab::destroy() noexcept {
  if (account_ != nullptr) account_->add(-footprint(capacity_));
  this->~Slab();
  ::operator delete(this);
}

void Slab::recycle() noexcept {
  if (home_ != nullptr) {
    home_->come_back(this);
  } else {
    destroy();
  }
}

SlabRef SlabRef::make(std::size_t capacity, SlabAccount* account) {
  return SlabRef(Slab::make(nullptr, account, capacity));
}

SharedBytes SharedBytes::copy_of(ByteView bytes, SlabAccount* account) {
  SlabRef slab = SlabRef::make(bytes.size(), account);
  if (!bytes.empty()) std::memcpy(slab->data(), bytes.data(), bytes.size());
  return {std::move(slab), 0, static_cast<std::uint32_t>(bytes.size())};
}

SlabPool::~SlabPool() {
  // Counting a block back is the last that another thread does to this pool.
  ASSERT(in_use_.load(std::memory_order_acquire) == 0);
  trim(0);
}

void SlabPool::trim(std::size_t idle_max) noexcept {
  collect();
  while (idle_count_ > idle_max) {
    std::exchange(idle_, idle_->next_idle_)->destroy();
    --idle_count_;
  }
}

SlabRef SlabPool::take() {
  if (idle_ == nullptr) collect();
  in_use_.fetch_add(1, std::memory_order_relaxed);
  if (idle_ == nullptr) return SlabRef(Slab::make(this, account_, slab_bytes_));
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
  if (returned_.load(std::memory_order_relaxed) == nullptr) return;
  Slab* slab = returned_.exchange(nullptr, std::memory_order_acquire);
  while (slab != nullptr) {
    Slab* next = slab->next_idle_;
    if (idle_count_ < idle_max_) {
      slab->next_idle_ = idle_;
      idle_ = slab;
      ++idle_count_;
    } else {
      slab->destroy();
    }
    slab = next;
  }
}

}  // namespace sluice::base
