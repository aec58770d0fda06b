#include "augment/corruptions/motion_blur.h"

#include "augment/filters/motion_filter.h"
#include "augment/filters/unit_values.h"
#include "engine/error.h"

namespace noisymix {
namespace {

class MotionBlur final : public Corruption {
 public:
  explicit MotionBlur(const MotionRow& row) : row_(row) {}
  void apply(const Image& image, Key key, Scratch& scratch, Image& out) const override {
    motion_blur(image, row_, draw_motion(key), scratch, out);
  }

 private:
  MotionRow row_;
};

}  // namespace

double draw_motion(Key key) {
  return -45 + 90 * key.uniform(0);
}

void motion_blur(const Image& image, const MotionRow& row, double degrees, Scratch& scratch, Image& out) {
  shape_like(image, out);
  motion_filter(image.pixels.data(), out.pixels.data(), image.height, image.width, image.channels, row.radius,
                row.sigma, degrees, scratch);
}

std::unique_ptr<Corruption> make_motion_blur(ParameterSet set, int severity) {
  NM_CHECK_AS(ConfigError, severity >= 1 && severity <= kSeverities, "[motion_blur] severity is ", severity,
              ", expected 1 to 5");
  return std::make_unique<MotionBlur>(kMotionBlur[static_cast<std::size_t>(set)][severity - 1]);
}

}  // namespace noisymix
