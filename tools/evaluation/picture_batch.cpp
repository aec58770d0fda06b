#include "tools/evaluation/picture_batch.h"

#include <algorithm>

#include "augment/normalize.h"
#include "engine/cpu/parallel.h"
#include "engine/error.h"

namespace noisymix {
namespace {

constexpr std::int64_t kImagesPerChunk = 8;

}  // namespace

void PictureBatch::load(const Dataset& data, std::int64_t first, std::int64_t count, const Change& change) {
  examples_.resize(static_cast<std::size_t>(count));
  cpu::parallel_for(count, kImagesPerChunk, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) examples_[static_cast<std::size_t>(i)] = data.get(first + i);
  });
  labels_ = Tensor::empty({count}, Dtype::i64);
  auto* labels = labels_.mutable_data<std::int64_t>();
  for (std::int64_t i = 0; i < count; ++i) labels[i] = examples_[static_cast<std::size_t>(i)].label;
  is_changed_ = static_cast<bool>(change);
  if (is_changed_) change_images(first, change);
}

void PictureBatch::change_images(std::int64_t first, const Change& change) {
  const auto count = static_cast<std::int64_t>(examples_.size());
  changed_.resize(examples_.size());
  scratches_.resize(
      std::max(scratches_.size(), static_cast<std::size_t>(cpu::chunk_count(count, kImagesPerChunk))));
  cpu::parallel_for(count, kImagesPerChunk, [&](std::int64_t begin, std::int64_t end) {
    Scratch& scratch = scratches_[static_cast<std::size_t>(begin / kImagesPerChunk)];
    for (std::int64_t i = begin; i < end; ++i) {
      const auto place = static_cast<std::size_t>(i);
      change(examples_[place].image, first + i, scratch, changed_[place]);
    }
  });
}

Tensor PictureBatch::normalized(const Normalization& normalization) const {
  if (examples_.front().image.pixels.empty()) {
    const std::size_t features = examples_.front().features.size();
    Tensor x = Tensor::empty(
        {static_cast<std::int64_t>(examples_.size()), static_cast<std::int64_t>(features)}, Dtype::f32);
    auto* out = x.mutable_data<float>();
    for (std::size_t i = 0; i < examples_.size(); ++i)
      std::copy_n(examples_[i].features.begin(), features, out + i * features);
    return x;
  }
  std::vector<const Image*> images;
  for (std::size_t i = 0; i < examples_.size(); ++i)
    images.push_back(is_changed_ ? &changed_[i] : &examples_[i].image);
  return normalized_batch(images, normalization);
}

Tensor normalized_batch(const std::vector<const Image*>& images, const Normalization& normalization) {
  const Image& like = *images.front();
  Tensor x = Tensor::empty({static_cast<std::int64_t>(images.size()), like.height, like.width, like.channels},
                           Dtype::f32);
  auto* out = x.mutable_data<float>();
  cpu::parallel_for(
      static_cast<std::int64_t>(images.size()), kImagesPerChunk, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
          const Image& image = *images[static_cast<std::size_t>(i)];
          NM_ASSERT(image.pixels.size() == like.pixels.size());
          normalize(image, normalization, out + static_cast<std::size_t>(i) * image.pixels.size());
        }
      });
  return x;
}

}  // namespace noisymix
