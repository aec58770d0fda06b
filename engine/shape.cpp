#include "engine/shape.h"

#include <limits>

#include "engine/error.h"

namespace noisymix {

Shape::Shape(std::initializer_list<std::int64_t> dims) : dims_(dims) { validate(); }
Shape::Shape(std::vector<std::int64_t> dims) : dims_(std::move(dims)) { validate(); }

void Shape::validate() {
  // Limit by bytes of the widest dtype, so that numel * size_of never overflows either.
  constexpr std::int64_t limit = std::numeric_limits<std::int64_t>::max() / 8;
  numel_ = 1;
  std::int64_t nonzero = 1;
  for (const std::int64_t d : dims_) {
    NM_CHECK(d >= 0, "[shape] sizes must not be negative, got ", str());
    if (d > 0) {
      NM_CHECK(nonzero <= limit / d, "[shape] too many elements: ", str());
      nonzero *= d;
    }
    numel_ *= d;
  }
}

std::int64_t Shape::operator[](int axis) const {
  return dims_[static_cast<std::size_t>(normalize_axis("shape", axis, rank()))];
}

std::vector<std::int64_t> Shape::strides() const {
  std::vector<std::int64_t> result(dims_.size());
  std::int64_t step = 1;
  for (std::size_t i = dims_.size(); i-- > 0;) {
    result[i] = step;
    step *= dims_[i];
  }
  return result;
}

std::string Shape::str() const {
  std::string text = "[";
  for (std::size_t i = 0; i < dims_.size(); ++i) text += (i ? ", " : "") + std::to_string(dims_[i]);
  return text + "]";
}

std::ostream& operator<<(std::ostream& out, const Shape& shape) { return out << shape.str(); }

int normalize_axis(const char* op, int axis, int rank) {
  NM_CHECK(axis >= -rank && axis < rank, "[", op, "] axis ", axis, " is outside the ", rank,
           " axes of the tensor");
  return axis < 0 ? axis + rank : axis;
}

Shape broadcast_shapes(const char* op, const Shape& a, const Shape& b) {
  const int rank = a.rank() > b.rank() ? a.rank() : b.rank();
  std::vector<std::int64_t> dims(static_cast<std::size_t>(rank));
  for (int i = 1; i <= rank; ++i) {
    const std::int64_t da = i <= a.rank() ? a[-i] : 1;
    const std::int64_t db = i <= b.rank() ? b[-i] : 1;
    NM_CHECK(da == db || da == 1 || db == 1, "[", op, "] cannot broadcast ", a, " with ", b,
             ": sizes must be equal or 1, counted from the last axis");
    dims[static_cast<std::size_t>(rank - i)] = da == 1 ? db : da;
  }
  return Shape(std::move(dims));
}

}  // namespace noisymix
