#include "augment/corruptions/pixelate.h"

#include <algorithm>

#include "augment/filters/box_resize.h"
#include "engine/error.h"

namespace noisymix {

void pixelate(const Image& image, double share, Scratch& scratch, Image& out) {
  NM_CHECK(share > 0 && share <= 1, "[pixelate] share of the side is ", share,
           ", expected more than 0 and at most 1");
  const auto left = [&](int side) { return std::max(1, static_cast<int>(side * share)); };
  const int height = left(image.height), width = left(image.width);
  const Scratch::Frame frame(scratch);
  const auto small = scratch.take<std::uint8_t>(static_cast<std::size_t>(height) *
                                                static_cast<std::size_t>(width * image.channels));
  box_resize(image.pixels.data(), image.height, image.width, image.channels, small.data(), height, width,
             scratch);
  out.height = image.height;
  out.width = image.width;
  out.channels = image.channels;
  out.pixels.resize(image.pixels.size());
  box_resize(small.data(), height, width, image.channels, out.pixels.data(), image.height, image.width,
             scratch);
}

namespace {

class Pixelate final : public Corruption {
 public:
  explicit Pixelate(double share) : share_(share) {}
  void apply(const Image& image, Key, Scratch& scratch, Image& out) const override {
    pixelate(image, share_, scratch, out);
  }

 private:
  double share_;
};

}  // namespace

std::unique_ptr<Corruption> make_pixelate(ParameterSet set, int severity) {
  NM_CHECK(severity >= 1 && severity <= kSeverities, "[pixelate] severity is ", severity,
           ", expected 1 to 5");
  return std::make_unique<Pixelate>(kPixelate[static_cast<int>(set)][severity - 1]);
}

}  // namespace noisymix
