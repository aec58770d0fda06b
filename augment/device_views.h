// Views of a whole batch on the device where the data set lies: the same pictures from the same keys as Views
// makes one by one on the CPU.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "augment/views.h"
#include "engine/tensor.h"

namespace noisymix {

/// What differs from batch to batch, as make_views() reads it from the device: the words of the epoch's views
/// key, then the number of each example in the data set, 8 bytes each.
std::vector<std::byte> pack_batch(Key views_key, const std::vector<std::int64_t>& examples);

/// Fills `out`, f32 or bf16 [views * b, h, w, c], view-major, with the views that make_planned_views(plan)
/// makes of images[i] and views_key.child(i) for each example i of the batch. `images` are u8 [N, h, w, c],
/// `batch` u8 from pack_batch(); all on one device. Launches one kernel and waits for nothing, so that a
/// captured step may contain it.
void make_views(const ViewsPlan& plan, const Tensor& images, const Tensor& batch, Tensor& out);

/// out[k] = labels[example k of the batch]; both i64.
void gather_labels(const Tensor& labels, const Tensor& batch, Tensor& out);

/// One operation of a chain on every image of u8 [n, h, w, c].
Tensor apply_operation(const Tensor& images, const ChainStep& step);

namespace cpu {
void make_views(const Tensor& images, const Tensor& batch, const ViewsPlan& plan, Tensor& out);
void gather_labels(const Tensor& labels, const Tensor& batch, Tensor& out);
void apply_operation(const Tensor& images, const ChainStep& step, Tensor& out);
}  // namespace cpu
namespace cuda {
void make_views(const Tensor& images, const Tensor& batch, const ViewsPlan& plan, Tensor& out);
void gather_labels(const Tensor& labels, const Tensor& batch, Tensor& out);
void apply_operation(const Tensor& images, const ChainStep& step, Tensor& out);
}  // namespace cuda

}  // namespace noisymix
