#include "engine/ops/strided_copy.h"

#include "engine/cuda/parts.h"
#include "engine/cuda/words.h"

namespace noisymix::cuda {
namespace {

constexpr int kMaxAxes = 8;
constexpr int kTile = 32;

/// A StridedCopy as kernels take it.
struct Plan {
  StridedCopy::Axis axes[kMaxAxes];  // slowest first
  int count = 0;
  std::int64_t elements = 1;

  void push(const StridedCopy::Axis& axis) {
    axes[count++] = axis;
    elements *= axis.size;
  }
  struct Place {
    std::int64_t from, to;
  };
  /// Offsets of the index-th combination of positions.
  __device__ Place place(std::int64_t index) const {
    Place result{0, 0};
    for (int i = count - 1; i >= 0; --i) {
      const std::int64_t next = i == 0 ? 0 : index / axes[i].size, position = index - next * axes[i].size;
      result.from += position * axes[i].from_stride;
      result.to += position * axes[i].to_stride;
      index = next;
    }
    return result;
  }
};

template <typename Word>
__global__ void copy_kernel(const Word* __restrict__ from, Word* __restrict__ to, Plan plan) {
  NM_FOR_EACH(i, plan.elements) {
    const Plan::Place place = plan.place(i);
    to[place.to] = from[place.from];
  }
}

/// Transpose of axis a (contiguous in the source) and axis b (contiguous in the target) in square tiles that
/// pass through shared memory, so that both sides move whole lines; `outer` are the other axes.
template <typename Word>
__global__ void transpose_kernel(const Word* __restrict__ from, Word* __restrict__ to, Plan outer,
                                 StridedCopy::Axis a, StridedCopy::Axis b) {
  __shared__ Word tile[kTile][kTile + 1];  // the padding keeps columns out of each other's banks
  const int x = threadIdx.x % kTile, y = threadIdx.x / kTile, step = blockDim.x / kTile;
  const std::int64_t tiles_a = packs_of(a.size, kTile), tiles_b = packs_of(b.size, kTile);
  for (std::int64_t task = blockIdx.x; task < outer.elements * tiles_a * tiles_b; task += gridDim.x) {
    const std::int64_t a0 = task % tiles_a * kTile, b0 = task / tiles_a % tiles_b * kTile;
    const Plan::Place place = outer.place(task / tiles_a / tiles_b);
    const Word* source = from + place.from + a0 + b0 * b.from_stride;
    Word* target = to + place.to + a0 * a.to_stride + b0;
    __syncthreads();  // the tile may still be read from the task before
    for (int j = y; j < kTile; j += step)
      if (a0 + x < a.size && b0 + j < b.size) tile[j][x] = source[j * b.from_stride + x];
    __syncthreads();
    for (int i = y; i < kTile; i += step)
      if (a0 + i < a.size && b0 + x < b.size) target[i * a.to_stride + x] = tile[x][i];
  }
}

/// The copy with its contiguous last axis counted in words of `size` elements, where that is possible.
bool count_in_words(StridedCopy& copy, std::int64_t size) {
  StridedCopy::Axis& last = copy.axes.back();
  if (last.from_stride != 1 || last.to_stride != 1 || last.size % size != 0) return false;
  if (copy.from_offset % size != 0 || copy.to_offset % size != 0) return false;
  for (std::size_t k = 0; k + 1 < copy.axes.size(); ++k)
    if (copy.axes[k].from_stride % size != 0 || copy.axes[k].to_stride % size != 0) return false;
  for (std::size_t k = 0; k + 1 < copy.axes.size(); ++k) {
    copy.axes[k].from_stride /= size;
    copy.axes[k].to_stride /= size;
  }
  last.size /= size;
  copy.from_offset /= size;
  copy.to_offset /= size;
  return true;
}

/// The axis to transpose with the last one, or -1 where rows can be copied as they are. Short axes fill no
/// tiles.
int transposed_axis(const std::vector<StridedCopy::Axis>& axes) {
  const StridedCopy::Axis& last = axes.back();
  if (last.to_stride != 1 || last.from_stride == 1 || last.size < kTile / 2) return -1;
  for (std::size_t k = 0; k + 1 < axes.size(); ++k)
    if (axes[k].from_stride == 1 && axes[k].size >= kTile / 2) return static_cast<int>(k);
  return -1;
}

template <typename Word>
void copy_words(const std::byte* from, std::byte* to, const StridedCopy& copy) {
  const Word* source = reinterpret_cast<const Word*>(from) + copy.from_offset;
  Word* target = reinterpret_cast<Word*>(to) + copy.to_offset;
  const int column = transposed_axis(copy.axes);
  const int last = static_cast<int>(copy.axes.size()) - 1;
  Plan plan;
  for (int k = 0; k <= last; ++k)
    if (column < 0 || (k != column && k != last)) plan.push(copy.axes[static_cast<std::size_t>(k)]);
  if (column < 0) {
    launch(copy_kernel<Word>, blocks_for(plan.elements), kBlock, source, target, plan);
    return;
  }
  const StridedCopy::Axis a = copy.axes[static_cast<std::size_t>(column)], b = copy.axes.back();
  const std::int64_t tiles = plan.elements * packs_of(a.size, kTile) * packs_of(b.size, kTile);
  launch(transpose_kernel<Word>, static_cast<unsigned>(tiles < (1 << 20) ? tiles : 1 << 20), kBlock, source,
         target, plan, a, b);
}

}  // namespace

void copy_strided(const Tensor& from, Tensor& to, const StridedCopy& copy) {
  for (const StridedCopy::Axis& axis : copy.axes)
    if (axis.size == 0) return;
  StridedCopy plan = copy.simplified();
  if (plan.axes.empty()) plan.axes = {{1, 1, 1}};
  NM_CHECK(plan.axes.size() <= kMaxAxes, "[strided_copy] permutes more than ", kMaxAxes,
           " separate axes, which has no CUDA kernel");
  const std::size_t element = size_of(from.dtype());
  std::size_t word = common_word(16, from.raw(), to.raw());
  while (word > element && !count_in_words(plan, static_cast<std::int64_t>(word / element))) word /= 2;
  dispatch_word(word > element ? word : element,
                [&]<typename Word>() { copy_words<Word>(from.raw(), to.raw(), plan); });
}

}  // namespace noisymix::cuda
