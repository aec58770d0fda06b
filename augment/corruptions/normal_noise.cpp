#include "augment/corruptions/normal_noise.h"

#include <cstddef>
#include <cstdint>

#include "augment/corruptions/unit_range.h"
#include "augment/filters/random_fields.h"
#include "engine/cpu/vectorise.h"
#include "engine/error.h"

namespace noisymix {
namespace {

template <NoiseForm kForm, class T>
inline __attribute__((always_inline)) T value_of(std::uint8_t byte, T noise) {
  const T x = static_cast<T>(byte) / T{255};
  return clip_unit(x + (kForm == NoiseForm::added ? noise : x * noise)) * T{255};
}

template <NoiseForm kForm>
inline __attribute__((always_inline)) void corrupt_body(const std::uint8_t* NM_RESTRICT in,
                                                        const float* NM_RESTRICT noise,
                                                        std::uint8_t* NM_RESTRICT out, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    out[i] = static_cast<std::uint8_t>(static_cast<std::int32_t>(value_of<kForm>(in[i], noise[i])));
}

NM_VECTORISED(add, (const std::uint8_t* in, const float* noise, std::uint8_t* out, std::size_t count),
              (in, noise, out, count)) {
  corrupt_body<NoiseForm::added>(in, noise, out, count);
}
NM_VECTORISED(add_in_proportion,
              (const std::uint8_t* in, const float* noise, std::uint8_t* out, std::size_t count),
              (in, noise, out, count)) {
  corrupt_body<NoiseForm::proportional>(in, noise, out, count);
}

NM_VECTORISED(scale, (float* values, std::size_t count, float factor), (values, count, factor)) {
  for (std::size_t i = 0; i < count; ++i) values[i] *= factor;
}

class NormalNoise final : public Corruption {
 public:
  NormalNoise(NoiseForm form, double deviation) : form_(form), deviation_(deviation) {}
  void apply(const Image& image, Key key, Scratch& scratch, Image& out) const override {
    const Scratch::Frame frame(scratch);
    const auto noise = scratch.take<float>(image.pixels.size());
    draw_normal_noise(key, deviation_, noise);
    set_shape_like(out, image);
    (form_ == NoiseForm::added ? add : add_in_proportion)(image.pixels.data(), noise.data(),
                                                          out.pixels.data(), noise.size());
  }

 private:
  NoiseForm form_;
  double deviation_;
};

template <NoiseForm kForm, class T>
void replay(const Image& image, std::span<const T> noise, Image& out, T* values) {
  for (std::size_t i = 0; i < noise.size(); ++i) {
    const T value = value_of<kForm>(image.pixels[i], noise[i]);
    out.pixels[i] = static_cast<std::uint8_t>(value);
    if (values != nullptr) values[i] = value;
  }
}

}  // namespace

void draw_normal_noise(Key key, double deviation, std::span<float> noise) {
  fill_normal(key, noise);
  scale(noise.data(), noise.size(), static_cast<float>(deviation));
}

template <class T>
void apply_normal_noise(const char* name, NoiseForm form, const Image& image, std::span<const T> noise,
                        Image& out, T* values) {
  NM_CHECK(noise.size() == image.pixels.size(), "[", name, "] ", noise.size(), " draws for an image of ",
           image.pixels.size(), " bytes");
  set_shape_like(out, image);
  (form == NoiseForm::added ? replay<NoiseForm::added, T> : replay<NoiseForm::proportional, T>)(image, noise,
                                                                                                out, values);
}

template void apply_normal_noise(const char*, NoiseForm, const Image&, std::span<const float>, Image&,
                                 float*);
template void apply_normal_noise(const char*, NoiseForm, const Image&, std::span<const double>, Image&,
                                 double*);

std::unique_ptr<Corruption> make_normal_noise(NoiseForm form, double deviation) {
  return std::make_unique<NormalNoise>(form, deviation);
}

}  // namespace noisymix
