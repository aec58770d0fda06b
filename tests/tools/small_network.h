// A convolutional network in f64 that takes milliseconds, and what a training pass through it gives.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "data/loader.h"
#include "models/registry.h"

namespace noisymix::testing {

inline std::unique_ptr<Model> small_network() {
  ModelOptions options;
  options.width = 0.0625;
  auto model = make_model("preactresnet18", options, Key(1));
  model->to(Dtype::f64);
  return model;
}

/// A batch of four examples around the given images [views * 4, 32, 32, 3].
inline Batch four_pictures(Tensor images, int views) {
  Batch batch;
  batch.images = std::move(images);
  batch.labels = Tensor::from(std::vector<std::int64_t>{0, 1, 2, 9}, {4});
  batch.views = views;
  return batch;
}

inline Tensor train_logits(Model& model, const Tensor& images) {
  Context context;
  context.training = true;
  return model(images, context);
}

}  // namespace noisymix::testing
