#include "augment/corruptions/brightness.h"

#include <cstddef>
#include <cstdint>

#include "augment/corruptions/unit_range.h"
#include "augment/filters/hsv.h"
#include "engine/cpu/vectorise.h"

namespace noisymix {
namespace {

NM_VECTORISED(brighten_colours,
              (const std::uint8_t* in, std::uint8_t* out, std::size_t pixels, double* values, double amount),
              (in, out, pixels, values, amount)) {
  change_pixels(
      in, out, pixels,
      values, [amount](double&, double& v) __attribute__((always_inline)) { v = clip_unit(v + amount); });
}

void brighten_greys(const Image& image, Image& out, double* values, double amount) {
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    const double value = clip_unit(static_cast<double>(image.pixels[i]) / 255 + amount) * 255;
    out.pixels[i] = static_cast<std::uint8_t>(value);
    if (values != nullptr) values[i] = value;
  }
}

class Brightness final : public Corruption {
 public:
  explicit Brightness(double amount) : amount_(amount) {}
  void apply(const Image& image, Key, Scratch&, Image& out) const override {
    brightness(image, amount_, out);
  }

 private:
  double amount_;
};

}  // namespace

void brightness(const Image& image, double amount, Image& out, double* values) {
  set_shape_like(out, image);
  if (image.channels == 1) return brighten_greys(image, out, values, amount);
  brighten_colours(image.pixels.data(), out.pixels.data(), image.pixels.size() / 3, values, amount);
}

std::unique_ptr<Corruption> make_brightness(ParameterSet set, int severity) {
  return std::make_unique<Brightness>(constants_of(kBrightness, set, severity, "brightness"));
}

}  // namespace noisymix
