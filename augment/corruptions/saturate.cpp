#include "augment/corruptions/saturate.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "augment/corruptions/unit_range.h"
#include "augment/filters/hsv.h"
#include "engine/cpu/vectorise.h"

namespace noisymix {
namespace {

NM_VECTORISED(saturate_colours,
              (const std::uint8_t* in, std::uint8_t* out, std::size_t pixels, double* values, double factor,
               double offset),
              (in, out, pixels, values, factor, offset)) {
  change_pixels(
      in, out, pixels, values, [ factor, offset ](double& s, double&) __attribute__((always_inline)) {
        s = clip_unit(s * factor + offset);
      });
}

class Saturate final : public Corruption {
 public:
  explicit Saturate(const SaturateParameters& parameters) : parameters_(parameters) {}
  void apply(const Image& image, Key, Scratch&, Image& out) const override {
    saturate(image, parameters_, out);
  }

 private:
  SaturateParameters parameters_;
};

}  // namespace

void saturate(const Image& image, const SaturateParameters& parameters, Image& out, double* values) {
  set_shape_like(out, image);
  if (image.channels == 1) {
    std::copy(image.pixels.begin(), image.pixels.end(), out.pixels.begin());
    if (values != nullptr) std::copy(image.pixels.begin(), image.pixels.end(), values);
    return;
  }
  saturate_colours(image.pixels.data(), out.pixels.data(), image.pixels.size() / 3, values, parameters.factor,
                   parameters.offset);
}

std::unique_ptr<Corruption> make_saturate(ParameterSet set, int severity) {
  return std::make_unique<Saturate>(constants_of(kSaturate, set, severity, "saturate"));
}

}  // namespace noisymix
