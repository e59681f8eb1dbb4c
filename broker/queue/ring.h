// ring.h: a queue at both ends that costs nothing while it is empty and allocates only to grow.
//
// Owner:    one BoundedQueue.
// Thread:   the owner's.
// Units:    places; a power of two of them, from 4.
// Limits:   2^31 places. T is default-constructible, and its moved-from value owns nothing.
// Tests:    tests/unit/broker/queue/ring_test.cc

#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "libs/base/assert.h"

namespace sluice::queue {

template <typename T>
class Ring {
 public:
  bool empty() const noexcept { return size_ == 0; }
  std::uint32_t size() const noexcept { return size_; }
  std::size_t memory_bytes() const noexcept { return places_ * sizeof(T); }

  /// Requires: i < size(). 0 is the front.
  T& operator[](std::uint32_t i) noexcept {
    DASSERT(i < size_);
    return data_[place(i)];
  }
  const T& operator[](std::uint32_t i) const noexcept {
    DASSERT(i < size_);
    return data_[place(i)];
  }
  T& front() noexcept { return (*this)[0]; }
  const T& front() const noexcept { return (*this)[0]; }
  T& back() noexcept { return (*this)[size_ - 1]; }
  const T& back() const noexcept { return (*this)[size_ - 1]; }

  /// A new last place, for the caller to fill.
  T& push_back() {
    if (size_ == places_) resize(places_ == 0 ? kPlacesMin : places_ * 2);
    return data_[place(size_++)];
  }
  void push_back(T value) { push_back() = std::move(value); }

  void push_front(T value) {
    if (size_ == places_) resize(places_ == 0 ? kPlacesMin : places_ * 2);
    head_ = (head_ - 1) & (places_ - 1);
    ++size_;
    front() = std::move(value);
  }

  /// Requires: not empty.
  T pop_front() {
    DASSERT(size_ > 0);
    T value = std::move(data_[head_]);
    head_ = (head_ + 1) & (places_ - 1);
    --size_;
    return value;
  }

  /// Forgets the front. Requires: not empty, and what the front owned was moved away.
  void drop_front() {
    DASSERT(size_ > 0);
    head_ = (head_ + 1) & (places_ - 1);
    --size_;
  }

  /// Requires: not empty.
  void pop_back() {
    DASSERT(size_ > 0);
    back() = T{};
    --size_;
  }

  /// Puts `value` before what is at `i`; moves the shorter side. Requires: i <= size().
  void insert(std::uint32_t i, T value) {
    ASSERT(i <= size_);
    if (i < size_ - i) {
      push_front(T{});
      for (std::uint32_t at = 0; at < i; ++at) (*this)[at] = std::move((*this)[at + 1]);
    } else {
      push_back(T{});
      for (std::uint32_t at = size_ - 1; at > i; --at) (*this)[at] = std::move((*this)[at - 1]);
    }
    (*this)[i] = std::move(value);
  }

  /// Takes out what is at `i`; moves the shorter side. Requires: i < size().
  T erase(std::uint32_t i) {
    ASSERT(i < size_);
    T value = std::move((*this)[i]);
    if (i < size_ - i) {
      for (std::uint32_t at = i; at > 0; --at) (*this)[at] = std::move((*this)[at - 1]);
      head_ = (head_ + 1) & (places_ - 1);
    } else {
      for (std::uint32_t at = i; at + 1 < size_; ++at) (*this)[at] = std::move((*this)[at + 1]);
    }
    --size_;
    return value;
  }

  void clear() noexcept {
    data_.reset();
    places_ = head_ = size_ = 0;
  }

  /// Gives back places that are not needed.
  void shrink() {
    if (size_ == 0) return clear();
    const std::uint32_t wanted = std::bit_ceil(size_ < kPlacesMin ? kPlacesMin : size_);
    if (wanted < places_) resize(wanted);
  }

 private:
  static constexpr std::uint32_t kPlacesMin = 4;

  std::uint32_t place(std::uint32_t i) const noexcept { return (head_ + i) & (places_ - 1); }

  void resize(std::uint32_t places) {
    ASSERT(places >= size_ && places > 0);
    auto moved = std::make_unique<T[]>(places);
    for (std::uint32_t i = 0; i < size_; ++i) moved[i] = std::move((*this)[i]);
    data_ = std::move(moved);
    places_ = places;
    head_ = 0;
  }

  std::unique_ptr<T[]> data_;
  std::uint32_t places_ = 0;
  std::uint32_t head_ = 0;
  std::uint32_t size_ = 0;
};

}  // namespace sluice::queue
