#include "engine/ops/concat.h"

#include "engine/autograd.h"
#include "engine/ops/slice.h"
#include "engine/ops/strided_copy.h"

namespace noisymix {
namespace {

/// The copy of `part` to where it begins along `axis` of the joined shape.
StridedCopy placement(const Shape& part, const Shape& joined, int axis, std::int64_t begin) {
  const auto from = part.strides(), to = joined.strides();
  StridedCopy copy;
  for (std::size_t i = 0; i < from.size(); ++i) copy.axes.push_back({part.dims()[i], from[i], to[i]});
  copy.to_offset = begin * to[static_cast<std::size_t>(axis)];
  return copy;
}

Shape joined_shape(const std::vector<Tensor>& parts, int axis) {
  std::vector<std::int64_t> sizes = parts[0].shape().dims();
  const auto along = static_cast<std::size_t>(axis);
  for (std::size_t k = 1; k < parts.size(); ++k) {
    check_same_kind("concat", parts[0], parts[k]);
    std::vector<std::int64_t> other = parts[k].shape().dims();
    NM_CHECK(other.size() == sizes.size(), "[concat] part ", k, " has shape ", parts[k].shape(), ", part 0 ",
             parts[0].shape(), ": ranks must agree");
    const std::int64_t total = sizes[along] + other[along];
    other[along] = sizes[along];
    NM_CHECK(other == sizes, "[concat] part ", k, " has shape ", parts[k].shape(), ", part 0 ",
             parts[0].shape(), ": sizes may differ along axis ", axis, " only");
    sizes[along] = total;
  }
  return Shape(std::move(sizes));
}

}  // namespace

Tensor concat(const std::vector<Tensor>& parts, int axis) {
  NM_CHECK(!parts.empty(), "[concat] expects at least one tensor");
  const int along = normalize_axis("concat", axis, parts[0].rank());
  Tensor y = Tensor::empty(joined_shape(parts, along), parts[0].dtype(), parts[0].device());
  std::int64_t begin = 0;
  std::vector<Shape> shapes;
  std::vector<bool> needs;  // which parts need a gradient
  for (const Tensor& part : parts) {
    copy_strided("concat", part, y, placement(part.shape(), y.shape(), along, begin));
    begin += part.dim(along);
    shapes.push_back(part.shape());
    needs.push_back(wants_grad(part));
  }
  return record("concat", parts, y, [shapes, needs, along](const Tensor& dy) {
    Grads grads(shapes.size());
    std::int64_t offset = 0;
    for (std::size_t k = 0; k < shapes.size(); offset += shapes[k][along], ++k) {
      if (!needs[k]) continue;
      grads[k] = Tensor::empty(shapes[k], dy.dtype(), dy.device());
      copy_strided("concat", dy, grads[k], placement(shapes[k], dy.shape(), along, offset).reversed());
    }
    return grads;
  });
}

Tensor stack(const std::vector<Tensor>& parts, int axis) {
  NM_CHECK(!parts.empty(), "[stack] expects at least one tensor");
  const int along = normalize_axis("stack", axis, parts[0].rank() + 1);
  std::vector<Tensor> raised;
  for (const Tensor& part : parts) {
    NM_CHECK(part.shape() == parts[0].shape(), "[stack] expects equal shapes, got ", parts[0].shape(),
             " and ", part.shape());
    std::vector<std::int64_t> sizes = part.shape().dims();
    sizes.insert(sizes.begin() + along, 1);
    raised.push_back(part.reshape(sizes));
  }
  return concat(raised, along);
}

std::vector<Tensor> split(const Tensor& x, const std::vector<std::int64_t>& sizes, int axis) {
  const int along = normalize_axis("split", axis, x.rank());
  std::int64_t total = 0;
  for (const std::int64_t size : sizes) {
    NM_CHECK(size >= 0 && size <= x.dim(along), "[split] size ", size, " is outside axis ", along, " of ",
             x.shape());
    total += size;
  }
  NM_CHECK(total == x.dim(along), "[split] sizes add up to ", total, ", expected ", x.dim(along),
           " along axis ", along, " of ", x.shape());
  std::vector<Tensor> parts;
  std::vector<Range> ranges;
  for (int i = 0; i < x.rank(); ++i) ranges.push_back({0, x.dim(i)});
  Range& range = ranges[static_cast<std::size_t>(along)];
  range.stop = 0;
  for (const std::int64_t size : sizes) {
    range = {range.stop, range.stop + size};
    parts.push_back(along == 0 ? x.rows(range.start, range.stop) : slice(x, ranges));
  }
  return parts;
}

}  // namespace noisymix
