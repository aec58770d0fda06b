#include "data/device_batches.h"

#include <algorithm>
#include <cstring>

#include "augment/device_views.h"
#include "engine/cpu/parallel.h"
#include "engine/error.h"
#ifdef NOISYMIX_CUDA
#include "engine/cuda/step_values.h"
#endif

namespace noisymix {
namespace {

constexpr std::int64_t kPartBytes = 16 << 20;  // of the images that are read before they are sent

/// Examples [begin, begin + rows of `images`) into host memory.
void read_examples(const Dataset& dataset, std::int64_t begin, Tensor& images, std::int64_t* labels) {
  const std::int64_t size = images.dim(1) * images.dim(2) * images.dim(3);
  auto* const to = images.mutable_data<std::uint8_t>();
  cpu::parallel_for(images.dim(0), 64, [&](std::int64_t from, std::int64_t end) {
    for (std::int64_t i = from; i < end; ++i) {
      const Example example = dataset.get(begin + i);
      const Image& image = example.image;
      NM_CHECK(
          image.height == images.dim(1) && image.width == images.dim(2) && image.channels == images.dim(3),
          "[loader] example ", begin + i, " is ", image.height, "x", image.width, "x", image.channels,
          ", expected ", images.dim(1), "x", images.dim(2), "x", images.dim(3));
      std::copy(image.pixels.begin(), image.pixels.end(), to + i * size);
      labels[i] = example.label;
    }
  });
}

Tensor upload_batch(const std::vector<std::byte>& bytes, Device device) {
#ifdef NOISYMIX_CUDA
  if (!device.is_cpu()) return cuda::upload("batch", bytes.data(), bytes.size(), device);
#endif
  return Tensor::from_bytes(bytes.data(), {static_cast<std::int64_t>(bytes.size())}, Dtype::u8, device);
}

}  // namespace

bool DeviceBatches::can_hold(const Dataset& dataset, const Views& views) {
  const std::vector<std::int64_t> shape = dataset.sample_shape();
  return shape.size() == 3 && shape[0] > 0 && !dataset.varies() && views.plan().has_value();
}

DeviceBatches::DeviceBatches(const Dataset& dataset, const Views& views, const LoaderOptions& options,
                             Key key, Device device)
    : order_(dataset.size(), options.batch, options.shuffle, options.drop_last, key) {
  const std::vector<std::int64_t> sample = dataset.sample_shape();
  NM_CHECK_AS(ConfigError, sample.size() == 3, "[loader] ", dataset.description(),
              ": points cannot be kept on a device, only images");
  NM_CHECK_AS(ConfigError, !dataset.varies(), "[loader] ", dataset.description(),
              ": pictures that are drawn anew each epoch cannot be kept on a device");
  const auto plan = views.plan();
  NM_CHECK_AS(ConfigError, plan.has_value(), "[loader] these views cannot be made on a device");
  plan_ = *plan;
  const std::int64_t n = dataset.size(), size = std::max<std::int64_t>(1, sample[0] * sample[1] * sample[2]);
  images_ = Tensor::empty({n, sample[0], sample[1], sample[2]}, Dtype::u8, device);
  std::vector<std::int64_t> labels(static_cast<std::size_t>(n));
  const std::int64_t part = std::max<std::int64_t>(1, kPartBytes / size);
  for (std::int64_t begin = 0; begin < n; begin += part) {
    const std::int64_t end = std::min(n, begin + part);
    Tensor host = Tensor::empty({end - begin, sample[0], sample[1], sample[2]}, Dtype::u8);
    read_examples(dataset, begin, host, labels.data() + begin);
    images_.rows(begin, end).copy_from(host);
  }
  labels_ = Tensor::from(labels, {n}, device);
}

std::vector<std::byte> DeviceBatches::packed(std::int64_t number) const {
  return pack_batch(order_.views_key(), order_.examples(number));
}

Batch DeviceBatches::make(std::int64_t number, Dtype dtype) const {
  const Tensor packed_batch = upload_batch(packed(number), device());
  const std::int64_t b = order_.size(number);
  const Shape shape({views() * b, images_.dim(1), images_.dim(2), images_.dim(3)});
  Batch batch{.images = Tensor::empty(shape, dtype, device()),
              .labels = Tensor::empty({b}, Dtype::i64, device()),
              .views = views(),
              .index = number,
              .epoch = order_.epoch()};
  fill(packed_batch, batch.images, batch.labels);
  return batch;
}

void DeviceBatches::fill(const Tensor& packed_batch, Tensor& images, Tensor& labels) const {
  make_views(plan_, images_, packed_batch, images);
  gather_labels(labels_, packed_batch, labels);
}

}  // namespace noisymix
