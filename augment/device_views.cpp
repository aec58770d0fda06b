#include "augment/device_views.h"

#include <cstring>
#include <limits>
#include <memory>

#include "engine/cpu/parallel.h"
#include "engine/kernel.h"

namespace noisymix {
namespace {

constexpr Kernel make_views_kernel{"make_views", cpu::make_views, NM_CUDA(cuda::make_views)};
constexpr Kernel gather_labels_kernel{"gather_labels", cpu::gather_labels, NM_CUDA(cuda::gather_labels)};
constexpr Kernel apply_operation_kernel{"apply_operation", cpu::apply_operation,
                                        NM_CUDA(cuda::apply_operation)};

void check_images(const char* op, const Tensor& images) {
  NM_CHECK(images.rank() == 4 && images.dtype() == Dtype::u8 && (images.dim(3) == 1 || images.dim(3) == 3),
           "[", op, "] images are ", images.dtype(), " ", images.shape(), ", expected u8 [n, h, w, 1 or 3]");
  NM_CHECK(images.dim(1) * images.dim(2) * images.dim(3) <= std::numeric_limits<int>::max() / 2, "[", op,
           "] an image of ", images.shape(), " is too large");
}

/// Examples of a packed batch.
std::int64_t examples_in(const char* op, const Tensor& batch, Device device) {
  NM_CHECK(batch.rank() == 1 && batch.dtype() == Dtype::u8 && batch.numel() >= 8 && batch.numel() % 8 == 0,
           "[", op, "] the batch is ", batch.dtype(), " ", batch.shape(), ", expected u8 from pack_batch()");
  NM_CHECK(batch.device() == device, "[", op, "] the batch is on ", batch.device(), ", expected ", device);
  return batch.numel() / 8 - 1;
}

Image image_at(const Tensor& images, std::int64_t i) {
  Image image(static_cast<int>(images.dim(1)), static_cast<int>(images.dim(2)),
              static_cast<int>(images.dim(3)));
  std::memcpy(image.pixels.data(), images.raw() + static_cast<std::size_t>(i) * image.pixels.size(),
              image.pixels.size());
  return image;
}

/// Word k of a packed batch.
std::int64_t word(const Tensor& batch, std::int64_t k) {
  std::int64_t value = 0;
  std::memcpy(&value, batch.raw() + 8 * k, sizeof value);
  return value;
}

std::int64_t example_at(const Tensor& batch, std::int64_t k, std::int64_t count) {
  const std::int64_t i = word(batch, k + 1);
  NM_CHECK(i >= 0 && i < count, "[batch] example ", i, " of ", count);
  return i;
}

}  // namespace

std::vector<std::byte> pack_batch(Key views_key, const std::vector<std::int64_t>& examples) {
  std::vector<std::byte> bytes(8 * (examples.size() + 1));
  const std::uint64_t words = views_key.words();
  std::memcpy(bytes.data(), &words, 8);
  if (!examples.empty()) std::memcpy(bytes.data() + 8, examples.data(), 8 * examples.size());
  return bytes;
}

void make_views(const ViewsPlan& plan, const Tensor& images, const Tensor& batch, Tensor& out) {
  make_planned_views(plan);  // checks the plan
  check_images("make_views", images);
  const std::int64_t b = examples_in("make_views", batch, images.device());
  NM_CHECK(out.dtype() == Dtype::f32 || out.dtype() == Dtype::bf16, "[make_views] the output is ",
           out.dtype(), ", expected f32 or bf16");
  const Shape expected({plan.count() * b, images.dim(1), images.dim(2), images.dim(3)});
  NM_CHECK(out.shape() == expected && out.device() == images.device(), "[make_views] the output is ",
           out.shape(), " on ", out.device(), ", expected ", expected, " on ", images.device());
  make_views_kernel(images, batch, plan, out);
}

void gather_labels(const Tensor& labels, const Tensor& batch, Tensor& out) {
  const std::int64_t b = examples_in("gather_labels", batch, labels.device());
  NM_CHECK(labels.rank() == 1 && labels.dtype() == Dtype::i64, "[gather_labels] labels are ", labels.dtype(),
           " ", labels.shape(), ", expected i64 [n]");
  NM_CHECK(out.shape() == Shape({b}) && out.dtype() == Dtype::i64 && out.device() == labels.device(),
           "[gather_labels] the output is ", out.dtype(), " ", out.shape(), " on ", out.device(),
           ", expected i64 [", b, "] on ", labels.device());
  gather_labels_kernel(labels, batch, out);
}

Tensor apply_operation(const Tensor& images, const ChainStep& step) {
  check_images("apply_operation", images);
  NM_CHECK(step.level >= 0 && step.level <= 10, "[apply_operation] level is ", step.level,
           ", expected 0 to 10");
  Tensor out = Tensor::empty(images.shape(), Dtype::u8, images.device());
  apply_operation_kernel(images, step, out);
  return out;
}

namespace cpu {

void make_views(const Tensor& images, const Tensor& batch, const ViewsPlan& plan, Tensor& out) {
  const auto views = make_planned_views(plan);
  const Key key = Key::from_words(static_cast<std::uint64_t>(word(batch, 0)));
  const std::int64_t b = batch.numel() / 8 - 1, size = images.dim(1) * images.dim(2) * images.dim(3);
  Tensor floats = out.dtype() == Dtype::f32 ? out : Tensor::empty(out.shape());
  float* const to = floats.mutable_data<float>();
  parallel_for(b, 8, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float*> outputs(static_cast<std::size_t>(plan.count()));
    for (std::int64_t k = begin; k < end; ++k) {
      for (std::int64_t v = 0; v < plan.count(); ++v)
        outputs[static_cast<std::size_t>(v)] = to + (v * b + k) * size;
      const std::int64_t i = example_at(batch, k, images.dim(0));
      views->make(image_at(images, i), key.child(i), outputs);
    }
  });
  if (out.dtype() != Dtype::f32) out.copy_from(floats.to(out.dtype()));
}

void gather_labels(const Tensor& labels, const Tensor& batch, Tensor& out) {
  for (std::int64_t k = 0; k < out.numel(); ++k)
    out.mutable_data<std::int64_t>()[k] = labels.data<std::int64_t>()[example_at(batch, k, labels.numel())];
}

void apply_operation(const Tensor& images, const ChainStep& step, Tensor& out) {
  Image result, spare;
  for (std::int64_t i = 0; i < images.dim(0); ++i) {
    run_chain(image_at(images, i), {step}, result, spare);
    std::memcpy(out.raw() + static_cast<std::size_t>(i) * result.pixels.size(), result.pixels.data(),
                result.pixels.size());
  }
}

}  // namespace cpu
}  // namespace noisymix
