// Sizes of a row-major tensor.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <ostream>
#include <string>
#include <vector>

namespace noisymix {

/// Sizes in row-major order; {} is a scalar with one element. Sizes are never negative and numel() never overflows.
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<std::int64_t> dims);
  explicit Shape(std::vector<std::int64_t> dims);

  int rank() const { return static_cast<int>(dims_.size()); }
  std::int64_t numel() const { return numel_; }
  /// Size along an axis; negative axes count from the end. Throws ShapeError outside the rank.
  std::int64_t operator[](int axis) const;
  const std::vector<std::int64_t>& dims() const { return dims_; }
  /// Elements between neighbours along each axis, row-major.
  std::vector<std::int64_t> strides() const;
  std::string str() const;
  bool operator==(const Shape& other) const { return dims_ == other.dims_; }

 private:
  void validate();
  std::vector<std::int64_t> dims_;
  std::int64_t numel_ = 1;
};

std::ostream& operator<<(std::ostream& out, const Shape& shape);

/// Maps an axis in [-rank, rank) to [0, rank); throws ShapeError naming `op` otherwise.
int normalize_axis(const char* op, int axis, int rank);

/// The shape both operands broadcast to (sizes equal or 1, aligned at the end); throws ShapeError naming `op`.
Shape broadcast_shapes(const char* op, const Shape& a, const Shape& b);

}  // namespace noisymix
