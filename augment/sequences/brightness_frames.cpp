// Frames of brightness: the value of every colour, from darker to brighter by equal steps.
#include "augment/corruptions/brightness.h"
#include "augment/sequences/families.h"

namespace noisymix {
namespace {

class BrightnessStream : public NumberedStream {
 public:
  BrightnessStream(int frames, double step, Image image, Key)
      : NumberedStream(frames), step_(step), image_(std::move(image)) {}

 protected:
  void write_frame(int i, Image& out) override { brightness(image_, step_ * (i - 15), out); }

 private:
  double step_;
  Image image_;
};

}  // namespace

std::unique_ptr<Sequence> make_brightness_sequence(ParameterSet set) {
  static constexpr BySet<double> kStep{.015, .02, .02};
  return sequence_of<BrightnessStream>(31, of_set(kStep, set));
}

}  // namespace noisymix
