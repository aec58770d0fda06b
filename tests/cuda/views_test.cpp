// Views and operations made by the GPU, against the CPU's.
#include "augment/views.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <string>

#include "augment/device_views.h"
#include "tests/augment/images.h"
#include "tests/check_device.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

struct Size {
  int height, width, channels;
};
constexpr Size kSizes[] = {{32, 32, 3}, {28, 28, 1}, {64, 64, 3}, {8, 8, 3}, {33, 17, 3}};

/// Random, constant, gradient and smooth images of one size, and one whose channels differ in all of that.
Tensor images_of(Size size, Key key) {
  const auto [h, w, c] = size;
  std::vector<Image> images{random_image(h, w, c, key),
                            Image(h, w, c),
                            Image(h, w, c),
                            Image(h, w, c),
                            smooth_image(h, w, c, key.child(1)),
                            smooth_image(h, w, c, key.child(2))};
  for (std::uint8_t& p : images[1].pixels) p = 77;
  for (int y = 0; y < h; ++y)
    for (int x = 0; x < w; ++x)
      for (int k = 0; k < c; ++k) {
        images[2].row(y)[x * c + k] = static_cast<std::uint8_t>((3 * x + (k + 1) * y) % 256);
        const int kinds[] = {255 * (x > w / 2), 200, (x * y) % 61};
        images[3].row(y)[x * c + k] = static_cast<std::uint8_t>(kinds[k]);
      }
  std::vector<std::uint8_t> bytes;
  for (const Image& image : images) bytes.insert(bytes.end(), image.pixels.begin(), image.pixels.end());
  return Tensor::from(bytes, {static_cast<std::int64_t>(images.size()), h, w, c});
}

Tensor packed(Key key, const std::vector<std::int64_t>& examples, Device device = {}) {
  const auto bytes = pack_batch(key, examples);
  return Tensor::from_bytes(bytes.data(), {static_cast<std::int64_t>(bytes.size())}, Dtype::u8, device);
}

double largest_difference(const Tensor& a, const Tensor& b) {
  const auto x = a.to(Dtype::f32).to_vector<float>(), y = b.to(Dtype::f32).to_vector<float>();
  double most = x.size() == y.size() ? 0 : HUGE_VAL;
  for (std::size_t i = 0; i < x.size() && i < y.size(); ++i)
    most = std::isnan(x[i]) || std::isnan(y[i]) ? HUGE_VAL
                                                : std::max(most, std::abs(double{x[i]} - double{y[i]}));
  return most;
}

/// Compares the views of images 0, 1, ... under one key. Shares that come from logarithms may differ in the
/// last bit, and 255 of it with the default normalisation is 2.4e-7.
void check_views(const ViewsPlan& plan, const Tensor& images, Key key, Device device,
                 const std::string& what) {
  std::vector<std::int64_t> examples(static_cast<std::size_t>(images.dim(0)));
  for (std::size_t i = 0; i < examples.size(); ++i)
    examples[i] = static_cast<std::int64_t>(examples.size() - 1 - i);
  const Shape shape({plan.count() * images.dim(0), images.dim(1), images.dim(2), images.dim(3)});
  Tensor want = Tensor::empty(shape), got = Tensor::full(shape, NAN, Dtype::f32, device);
  make_views(plan, images, packed(key, examples), want);
  make_views(plan, images.to(device), packed(key, examples, device), got);
  const double difference = largest_difference(got.to(Device{}), want);
  CHECK_MESSAGE(difference <= 1e-6, what << ": " << difference);
}

}  // namespace

TEST_CASE("cuda: every operation gives the bytes of the CPU") {
  const auto device = gpu();
  if (!device) return;
  for (const Size& size : kSizes) {
    const Tensor images = images_of(size, Key(1)), there = images.to(*device);
    for (int operation = 0; operation < kAllOperations; ++operation)
      for (const double level : {0.0, 0.1, 1.37, 2.9, 6.5, 10.0})
        for (const bool negated : {false, true}) {
          if (size.height == 64 && (level < 1 || level > 6)) continue;
          const ChainStep step{static_cast<Operation>(operation), level, negated};
          const bool has_sign =
              step.operation == Operation::rotate || (operation >= static_cast<int>(Operation::shear_x) &&
                                                      operation <= static_cast<int>(Operation::translate_y));
          const bool has_level = operation >= static_cast<int>(Operation::posterize);
          if ((negated && !has_sign) || (level > 0 && !has_level)) continue;
          CHECK_MESSAGE(same_bits(apply_operation(there, step).to(Device{}), apply_operation(images, step)),
                        name_of(step.operation) << " at " << level << (negated ? ", negated, " : ", ")
                                                << size.height << "x" << size.width << "x" << size.channels);
        }
  }
}

TEST_CASE("cuda: rotations and shears at many levels give the bytes of the CPU") {
  const auto device = gpu();
  if (!device) return;
  const Tensor images = images_of({16, 16, 3}, Key(2)), there = images.to(*device);
  for (int i = 0; i <= 90; ++i)
    for (const Operation operation : {Operation::rotate, Operation::shear_x, Operation::shear_y}) {
      const ChainStep step{operation, i == 90 ? 10.0 : i / 9.0 + 0.003, i % 2 == 0};
      CHECK_MESSAGE(same_bits(apply_operation(there, step).to(Device{}), apply_operation(images, step)),
                    name_of(operation) << " at " << step.level);
    }
}

TEST_CASE("cuda: plain and crop/flip views") {
  const auto device = gpu();
  if (!device) return;
  const Normalization normalization{{0.49f, 0.48f, 0.45f}, {0.2f, 0.25f, 0.3f}};
  for (const Size& size : kSizes) {
    const Tensor images = images_of(size, Key(3));
    check_views(*make_plain_views(normalization)->plan(), images, Key(1), *device, "plain");
    for (const bool flip_first : {false, true})
      for (const bool flip : {false, true})
        for (const int padding : {0, 4, 70}) {
          if (size.height == 64 && padding != 4) continue;
          const auto views =
              make_crop_flip_views({padding, flip, flip_first}, normalization, padding == 4 ? 2 : 1);
          for (std::int64_t key = 0; key < 3; ++key)
            check_views(*views->plan(), images, Key(4).child(key), *device,
                        "crop/flip " + std::to_string(padding));
        }
  }
}

TEST_CASE("cuda: AugMix views of all sizes, under many keys") {
  const auto device = gpu();
  if (!device) return;
  for (const Size& size : kSizes) {
    const ViewsPlan plan = *make_augmix_views({}, {}, true, 2, {})->plan();
    for (std::int64_t key = 0; key < (size.height == 64 ? 1 : 8); ++key)
      check_views(plan, images_of(size, Key(5).child(key)), Key(6).child(key), *device,
                  "key " + std::to_string(key) + ", height " + std::to_string(size.height));
  }
}

TEST_CASE("cuda: AugMix views with all options") {
  const auto device = gpu();
  if (!device) return;
  const Tensor images = images_of({12, 10, 3}, Key(7)), grey = images_of({9, 11, 1}, Key(8));
  std::int64_t key = 0;
  for (const int width : {1, 2, 3, 4, 40})
    for (const double alpha : {1.0, 0.5, 2.5, 0.001})
      for (const int depth : {-1, 1, 4})
        for (const bool all : {false, true}) {
          if (width == 40 && (depth > 1 || all)) continue;
          AugMixOptions augmix;
          augmix.width = width;
          augmix.alpha = alpha;
          augmix.depth = depth;
          augmix.all_operations = all;
          augmix.random_severity = key % 2 == 0;
          augmix.severity = 1 + static_cast<int>(key % 10);
          const auto views = make_augmix_views({2, true, key % 3 == 0}, augmix, key % 4 < 2,
                                               1 + static_cast<int>(key % 2), {});
          check_views(*views->plan(), key % 5 == 0 ? grey : images, Key(9).child(key), *device,
                      "width " + std::to_string(width) + ", alpha " + std::to_string(alpha) + ", depth " +
                          std::to_string(depth));
          ++key;
        }
}

TEST_CASE("cuda: images too large for shared memory") {
  const auto device = gpu();
  if (!device) return;
  Tensor images = images_of({80, 100, 3}, Key(10));
  const ViewsPlan plan = *make_augmix_views({}, {}, true, 2, {})->plan();
  check_views(plan, images, Key(11), *device, "80 x 100");
}

TEST_CASE("cuda: views in bf16 are the rounded ones, and no examples give no views") {
  const auto device = gpu();
  if (!device) return;
  for (const int channels : {1, 3}) {
    const Tensor images = images_of({10, 12, channels}, Key(12)).to(*device);
    const ViewsPlan plan = *make_augmix_views({}, {}, true, 1, {})->plan();
    const Shape shape({4, 10, 12, channels});
    Tensor full = Tensor::empty(shape, Dtype::f32, *device),
           half = Tensor::empty(shape, Dtype::bf16, *device);
    make_views(plan, images, packed(Key(1), {3, 5}, *device), full);
    make_views(plan, images, packed(Key(1), {3, 5}, *device), half);
    CHECK(same_bits(half.to(Device{}), full.to(Dtype::bf16).to(Device{})));
    Tensor none = Tensor::empty({0, 10, 12, channels}, Dtype::f32, *device);
    make_views(plan, images, packed(Key(1), {}, *device), none);
  }
}
