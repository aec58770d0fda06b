#include "augment/corruptions/defocus_blur.h"

#include <vector>

#include "augment/filters/disk_kernel.h"
#include "augment/filters/unit_values.h"
#include "engine/error.h"

namespace noisymix {
namespace {

class DefocusBlur final : public Corruption {
 public:
  explicit DefocusBlur(const DefocusRow& row) {
    Scratch scratch;
    const auto taps = disk_taps(row.radius, row.alias, scratch);
    disk_.assign(taps.begin(), taps.end());
  }
  void apply(const Image& image, Key, Scratch& scratch, Image& out) const override {
    defocus_blur(image, disk_, scratch, out);
  }

 private:
  std::vector<Tap> disk_;
};

}  // namespace

void defocus_blur(const Image& image, std::span<const Tap> disk, Scratch& scratch, double* values) {
  sum_taps(image.pixels.data(), image.height, image.width, image.channels, unit_table(), disk, Border::mirror,
           values, scratch);
  to_grey_levels(values, image.pixels.size());
}

void defocus_blur(const Image& image, std::span<const Tap> disk, Scratch& scratch, Image& out) {
  const Scratch::Frame frame(scratch);
  const auto values = scratch.take<double>(image.pixels.size());
  defocus_blur(image, disk, scratch, values.data());
  shape_like(image, out);
  truncate_to_bytes(values.data(), values.size(), out.pixels.data());
}

std::unique_ptr<Corruption> make_defocus_blur(ParameterSet set, int severity) {
  NM_CHECK_AS(ConfigError, severity >= 1 && severity <= kSeverities, "[defocus_blur] severity is ", severity,
              ", expected 1 to 5");
  return std::make_unique<DefocusBlur>(kDefocusBlur[static_cast<std::size_t>(set)][severity - 1]);
}

}  // namespace noisymix
