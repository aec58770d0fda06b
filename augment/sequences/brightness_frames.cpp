// Frames of brightness: the value of every colour, from darker to brighter by equal steps.
#include "augment/corruptions/brightness.h"
#include "augment/sequences/families.h"

namespace noisymix {
namespace {

class BrightnessStream : public NumberedStream {
 public:
  BrightnessStream(int frames, double percent, Image image, Key)
      : NumberedStream(frames), percent_(percent), image_(std::move(image)) {}

 protected:
  void write_frame(int i, Image& out) override { brightness(image_, percent_ * (i - 15) / 100, out); }

 private:
  double percent_;  ///< added per frame; in percent, so that the sums round as the benchmark's
  Image image_;
};

}  // namespace

std::unique_ptr<Sequence> make_brightness_sequence(ParameterSet set) {
  static constexpr BySet<double> kPercent{1.5, 2, 2};
  return sequence_of<BrightnessStream>(31, of_set(kPercent, set));
}

}  // namespace noisymix
