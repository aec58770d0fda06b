// make_views() on the CPU; tests/cuda/views_test.cpp compares the GPU with it.
#include "augment/device_views.h"

#include <cstring>

#include "engine/error.h"
#include "tests/augment/images.h"
#include "tests/golden.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

Tensor packed(Key key, const std::vector<std::int64_t>& examples) {
  const auto bytes = pack_batch(key, examples);
  return Tensor::from_bytes(bytes.data(), {static_cast<std::int64_t>(bytes.size())}, Dtype::u8);
}

Tensor stack_of_random_images(std::int64_t count) {
  Tensor images = Tensor::empty({count, 9, 7, 3}, Dtype::u8);
  for (std::int64_t i = 0; i < count; ++i) {
    const Image image = random_image(9, 7, 3, Key(1).child(i));
    std::memcpy(images.raw() + i * 9 * 7 * 3, image.pixels.data(), image.pixels.size());
  }
  return images;
}

}  // namespace

TEST_CASE("a batch of views is that of its images, view-major, with a key for each example") {
  const Tensor images = stack_of_random_images(5);
  const std::vector<std::int64_t> examples{4, 0, 4};
  const auto views = make_augmix_views({}, {}, true, 2, {});
  REQUIRE(views->plan().has_value());
  Tensor out = Tensor::empty({9, 9, 7, 3});
  make_views(*views->plan(), images, packed(Key(3), examples), out);
  std::vector<std::vector<float>> want(3, std::vector<float>(9 * 7 * 3));
  for (std::size_t k = 0; k < examples.size(); ++k) {
    views->make(image_of(images, examples[k]), Key(3).child(examples[k]),
                {want[0].data(), want[1].data(), want[2].data()});
    for (std::size_t v = 0; v < 3; ++v)
      CHECK(std::memcmp(out.data<float>() + (v * 3 + k) * want[v].size(), want[v].data(),
                        want[v].size() * 4) == 0);
  }
  Tensor half = Tensor::empty(out.shape(), Dtype::bf16);
  make_views(*views->plan(), images, packed(Key(3), examples), half);
  const Tensor rounded = out.to(Dtype::bf16);
  CHECK(std::memcmp(half.raw(), rounded.raw(), half.bytes()) == 0);

  const Tensor labels = Tensor::from(std::vector<std::int64_t>{9, 8, 7, 6, 5}, {5});
  Tensor gathered = Tensor::empty({3}, Dtype::i64);
  gather_labels(labels, packed(Key(3), examples), gathered);
  CHECK(gathered.to_vector<std::int64_t>() == std::vector<std::int64_t>{5, 9, 5});
}

TEST_CASE("make_views names what does not fit") {
  const Tensor images = stack_of_random_images(2), batch = packed(Key(1), {0, 1});
  const ViewsPlan plan = *make_plain_views({})->plan();
  Tensor out = Tensor::empty({2, 9, 7, 3});
  CHECK_THROWS_AS(make_views(plan, images.to(Dtype::f32), batch, out), ShapeError);
  CHECK_THROWS_AS(make_views(plan, images, batch.to(Dtype::f32), out), ShapeError);
  CHECK_THROWS_AS(make_views(plan, images, batch.rows(0, 23), out), ShapeError);
  CHECK_THROWS_WITH_AS(make_views(plan, images, packed(Key(1), {0, 2}), out), "[batch] example 2 of 2",
                       ShapeError);
  Tensor wrong = Tensor::empty({2, 9, 7, 1}), whole = Tensor::empty({2, 9, 7, 3}, Dtype::u8);
  CHECK_THROWS_AS(make_views(plan, images, batch, wrong), ShapeError);
  CHECK_THROWS_AS(make_views(plan, images, batch, whole), ShapeError);
  ViewsPlan none = plan;
  none.plain = 0;
  CHECK_THROWS_AS(make_views(none, images, batch, out), ConfigError);
  CHECK_THROWS_AS(apply_operation(images, {Operation::rotate, 11, false}), ShapeError);
}
