#include "augment/corruptions/speckle_noise.h"

#include <cstddef>
#include <cstdint>

#include "augment/corruptions/unit_range.h"
#include "augment/filters/random_fields.h"
#include "engine/cpu/vectorise.h"
#include "engine/error.h"

namespace noisymix {
namespace {

template <class T>
inline __attribute__((always_inline)) T value_of(std::uint8_t byte, T noise) {
  const T x = static_cast<T>(byte) / T{255};
  return clip_unit(x + x * noise) * T{255};
}

NM_VECTORISED(corrupt,
              (const std::uint8_t* NM_RESTRICT in, const float* NM_RESTRICT noise,
               std::uint8_t* NM_RESTRICT out, std::size_t count),
              (in, noise, out, count)) {
  for (std::size_t i = 0; i < count; ++i)
    out[i] = static_cast<std::uint8_t>(static_cast<std::int32_t>(value_of(in[i], noise[i])));
}

NM_VECTORISED(scale, (float* values, std::size_t count, float factor), (values, count, factor)) {
  for (std::size_t i = 0; i < count; ++i) values[i] *= factor;
}

class SpeckleNoise final : public Corruption {
 public:
  explicit SpeckleNoise(double deviation) : deviation_(deviation) {}
  void apply(const Image& image, Key key, Scratch& scratch, Image& out) const override {
    const Scratch::Frame frame(scratch);
    const auto noise = scratch.take<float>(image.pixels.size());
    draw_speckle_noise(key, deviation_, noise);
    take_shape(out, image);
    corrupt(image.pixels.data(), noise.data(), out.pixels.data(), noise.size());
  }

 private:
  double deviation_;
};

}  // namespace

void draw_speckle_noise(Key key, double deviation, std::span<float> noise) {
  fill_normal(key, noise);
  scale(noise.data(), noise.size(), static_cast<float>(deviation));
}

template <class T>
void speckle_noise(const Image& image, std::span<const T> noise, Image& out, T* values) {
  NM_CHECK(noise.size() == image.pixels.size(), "[speckle_noise] ", noise.size(), " draws for an image of ",
           image.pixels.size(), " bytes");
  take_shape(out, image);
  for (std::size_t i = 0; i < noise.size(); ++i) {
    const T value = value_of(image.pixels[i], noise[i]);
    out.pixels[i] = static_cast<std::uint8_t>(value);
    if (values != nullptr) values[i] = value;
  }
}

template void speckle_noise(const Image&, std::span<const float>, Image&, float*);
template void speckle_noise(const Image&, std::span<const double>, Image&, double*);

std::unique_ptr<Corruption> make_speckle_noise(ParameterSet set, int severity) {
  return std::make_unique<SpeckleNoise>(constants_of(kSpeckleNoise, set, severity, "speckle_noise"));
}

}  // namespace noisymix
