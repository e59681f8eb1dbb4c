// slab.h: who keeps received bytes alive?
//
// A slab is a block of bytes that a socket reads into once and that everybody downstream then
// shares: frames, batches and queue entries are views into it, each holding a reference. The last
// reference to go, on whichever thread, gives the block back to the pool of the thread that made
// it. The bytes are written before they are shared and never after.
//
// Owner:    reference-counted by SlabRef; SlabPool owns the idle blocks and outlives every slab.
// Thread:   SlabRef: copy and drop on any thread. SlabPool: its owner thread only, except that
//           blocks come back from any thread without a lock.
// Units:    bytes.
// Limits:   offsets inside a slab fit 32 bits; the pool keeps at most `idle_max` blocks. A block
//           counts in the account it was made with from allocation to release, idle or not.
// Source:   docs/decisions/0003-receive-slabs.md
// Tests:    tests/unit/libs/base/slab_test.cc

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "libs/base/assert.h"
#include "libs/base/bytes.h"

namespace sluice::base {

class SlabPool;

/// Memory that blocks take, with what the allocator adds. One per thread that makes blocks, so that
/// counting seldom meets another thread; the last reference may go anywhere. What counts in an
/// account counts in its parent as well.
class alignas(64) SlabAccount {
 public:
  SlabAccount() noexcept = default;
  explicit SlabAccount(SlabAccount* parent) noexcept : parent_(parent) {}
  SlabAccount(const SlabAccount&) = delete;
  SlabAccount& operator=(const SlabAccount&) = delete;
  std::uint64_t bytes() const noexcept { return bytes_.load(std::memory_order_relaxed); }
  const SlabAccount* parent() const noexcept { return parent_; }

 private:
  friend class Slab;
  void add(std::uint64_t bytes) noexcept {
    for (SlabAccount* account = this; account != nullptr; account = account->parent_) {
      account->bytes_.fetch_add(bytes, std::memory_order_relaxed);
    }
  }

  std::atomic<std::uint64_t> bytes_{0};
  SlabAccount* parent_ = nullptr;
};

/// One block. Header and bytes are one allocation.
class Slab {
 public:
  std::byte* data() noexcept { return reinterpret_cast<std::byte*>(this + 1); }
  const std::byte* data() const noexcept { return reinterpret_cast<const std::byte*>(this + 1); }
  std::size_t capacity() const noexcept { return capacity_; }

  /// True when the caller holds the only reference, and may therefore reuse the bytes.
  bool is_sole_reference() const noexcept {
    return references_.load(std::memory_order_acquire) == 1;
  }

  /// How many hold it now; others may let go of it at any moment.
  std::uint32_t references() const noexcept { return references_.load(std::memory_order_relaxed); }

  /// What a block of that capacity takes of memory.
  static std::size_t footprint(std::size_t capacity) noexcept;

 private:
  friend class SlabPool;
  friend class SlabRef;
  Slab(SlabPool* home, SlabAccount* account, std::uint32_t capacity) noexcept
      : capacity_(capacity), home_(home), account_(account) {}
  static Slab* make(SlabPool* home, SlabAccount* account, std::size_t capacity);
  void destroy() noexcept;

  void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) recycle();
  }
  void recycle() noexcept;

  std::atomic<std::uint32_t> references_{1};
  std::uint32_t capacity_;
  SlabPool* home_;  // null: a block of its own size, freed when the last reference goes
  Slab* next_idle_ = nullptr;
  SlabAccount* account_;  // may be null; outlives the block
};

/// A counted reference to a slab.
class SlabRef {
 public:
  SlabRef() noexcept = default;
  SlabRef(const SlabRef& other) noexcept : slab_(other.slab_) {
    if (slab_ != nullptr) slab_->retain();
  }
  SlabRef(SlabRef&& other) noexcept : slab_(std::exchange(other.slab_, nullptr)) {}
  SlabRef& operator=(SlabRef other) noexcept {
    std::swap(slab_, other.slab_);
    return *this;
  }
  ~SlabRef() {
    if (slab_ != nullptr) slab_->release();
  }

  explicit operator bool() const noexcept { return slab_ != nullptr; }
  Slab* get() const noexcept { return slab_; }
  Slab* operator->() const noexcept { return slab_; }
  bool operator==(const SlabRef&) const noexcept = default;

  /// A block of exactly `capacity` bytes that belongs to no pool, and counts in `account`.
  static SlabRef make(std::size_t capacity, SlabAccount* account = nullptr);

 private:
  friend class SlabPool;
  explicit SlabRef(Slab* adopted) noexcept : slab_(adopted) {}
  Slab* slab_ = nullptr;
};

/// Bytes together with what keeps them alive: 16 bytes, copied freely.
class SharedBytes {
 public:
  SharedBytes() noexcept = default;
  /// Requires: offset + size within the slab.
  SharedBytes(SlabRef slab, std::uint32_t offset, std::uint32_t size) noexcept
      : slab_(std::move(slab)), offset_(offset), size_(size) {}

  /// A copy of `bytes` in a block of its own, which counts in `account`.
  static SharedBytes copy_of(ByteView bytes, SlabAccount* account = nullptr);

  const std::byte* data() const noexcept { return slab_->data() + offset_; }
  std::uint32_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  ByteView view() const noexcept { return empty() ? ByteView{} : ByteView(data(), size_); }
  const SlabRef& slab() const noexcept { return slab_; }

  /// The part from `offset`, `size` bytes long, sharing the same slab. Requires: within these.
  SharedBytes part(std::uint32_t offset, std::uint32_t size) const noexcept {
    DASSERT(offset <= size_ && size <= size_ - offset);
    return {slab_, offset_ + offset, size};
  }

 private:
  SlabRef slab_;
  std::uint32_t offset_ = 0;
  std::uint32_t size_ = 0;
};

static_assert(sizeof(SharedBytes) == 16);

/// Blocks of one size for one thread, kept when idle.
class SlabPool {
 public:
  /// `account` outlives every slab of this pool.
  SlabPool(std::size_t slab_bytes, std::size_t idle_max, SlabAccount* account = nullptr) noexcept
      : slab_bytes_(slab_bytes), idle_max_(idle_max), account_(account) {}
  SlabPool(const SlabPool&) = delete;
  SlabPool& operator=(const SlabPool&) = delete;
  /// Requires: every slab of this pool has come back: in_use() is 0.
  ~SlabPool();

  /// A block of slab_bytes(), reused when one is idle.
  SlabRef take();
  /// Frees idle blocks until at most `idle_max` are left.
  void trim(std::size_t idle_max) noexcept;

  std::size_t slab_bytes() const noexcept { return slab_bytes_; }
  /// Where this pool's blocks count, and copies made by its thread should; may be null.
  SlabAccount* account() const noexcept { return account_; }
  /// Blocks that are kept for the next take(); owner thread only.
  std::size_t idle() const noexcept { return idle_count_; }
  /// Blocks that are out. 0 means that no other thread touches this pool any more.
  std::size_t in_use() const noexcept { return in_use_.load(std::memory_order_acquire); }

 private:
  friend class Slab;
  void come_back(Slab* slab) noexcept;  // any thread
  void collect() noexcept;              // moves returned blocks to idle_

  std::size_t slab_bytes_;
  std::size_t idle_max_;
  SlabAccount* account_;
  std::size_t idle_count_ = 0;
  Slab* idle_ = nullptr;
  std::atomic<Slab*> returned_{nullptr};
  std::atomic<std::size_t> in_use_{0};
};

}  // namespace sluice::base
