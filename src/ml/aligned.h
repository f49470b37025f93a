// Arrays that start on a cache line, as the kernels' loads and stores need.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <span>

#include "ml/kernel/isa.h"

namespace gradmill::ml {

/// A fixed-size array of T, zeroed, aligned to 64 bytes. Movable; not thread-safe.
template <class T>
class AlignedArray {
 public:
  AlignedArray() = default;
  explicit AlignedArray(std::size_t size)
      : data_(static_cast<T*>(::operator new (size * sizeof(T), std::align_val_t{kLaneBytes}))),
        size_(size) {
    std::uninitialized_value_construct_n(data_.get(), size);
  }
  /// As AlignedArray(size), but not zeroed: for arrays that are overwritten anyway.
  [[nodiscard]] static AlignedArray unset(std::size_t size) {
    AlignedArray array;
    array.data_.reset(
        static_cast<T*>(::operator new (size * sizeof(T), std::align_val_t{kLaneBytes})));
    std::uninitialized_default_construct_n(array.data_.get(), size);
    array.size_ = size;
    return array;
  }
  [[nodiscard]] T* data() { return data_.get(); }
  [[nodiscard]] const T* data() const { return data_.get(); }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::span<T> span() { return {data_.get(), size_}; }

 private:
  struct Release {
    void operator()(T* data) const { ::operator delete (data, std::align_val_t{kLaneBytes}); }
  };
  std::unique_ptr<T, Release> data_;
  std::size_t size_ = 0;
};

}  // namespace gradmill::ml
