#include "augment/corruptions/gaussian_blur.h"

#include "augment/filters/gaussian_filter.h"
#include "augment/filters/unit_values.h"
#include "engine/error.h"

namespace noisymix {
namespace {

class GaussianBlur final : public Corruption {
 public:
  explicit GaussianBlur(double sigma) : sigma_(sigma) {}
  void apply(const Image& image, Key, Scratch& scratch, Image& out) const override {
    gaussian_blur(image, sigma_, scratch, out);
  }

 private:
  double sigma_;
};

}  // namespace

void gaussian_blur(const Image& image, double sigma, Scratch& scratch, double* values) {
  look_up(image.pixels.data(), image.pixels.size(), unit_table(), values);
  gaussian_filter(values, values, image.height, image.width, image.channels, sigma, 4.0, Border::nearest,
                  scratch);
  to_grey_levels(values, image.pixels.size());
}

void gaussian_blur(const Image& image, double sigma, Scratch& scratch, Image& out) {
  const Scratch::Frame frame(scratch);
  const auto values = scratch.take<double>(image.pixels.size());
  gaussian_blur(image, sigma, scratch, values.data());
  shape_like(image, out);
  truncate_to_bytes(values.data(), values.size(), out.pixels.data());
}

std::unique_ptr<Corruption> make_gaussian_blur(ParameterSet set, int severity) {
  NM_CHECK_AS(ConfigError, severity >= 1 && severity <= kSeverities, "[gaussian_blur] severity is ", severity,
              ", expected 1 to 5");
  return std::make_unique<GaussianBlur>(kGaussianBlur[static_cast<std::size_t>(set)][severity - 1]);
}

}  // namespace noisymix
