// Frames of spatter: drops of water that run down.
#include <vector>

#include "augment/corruptions/spatter.h"
#include "augment/filters/gaussian_filter.h"
#include "augment/sequences/families.h"

namespace noisymix {
namespace {

struct Constants {
  SpatterConstants spatter;
  std::vector<float> run;  ///< the shares of a pixel that go to row `first` from its own, and those below
  int first;
};

/// The layer is smoothed and cut at the start; each frame shows it and then lets it run.
class SpatterStream : public NumberedStream {
 public:
  SpatterStream(int frames, const Constants& constants, Image image, Key key)
      : NumberedStream(frames),
        constants_(constants),
        image_(std::move(image)),
        layer_(static_cast<std::size_t>(image_.height) * static_cast<std::size_t>(image_.width)),
        moved_(layer_.size()) {
    draw_spatter(key, constants_.spatter, layer_);
    gaussian_filter(layer_.data(), layer_.data(), image_.height, image_.width, 1, constants_.spatter.blur, 4,
                    Border::nearest, scratch_);
    for (float& v : layer_) v = v < static_cast<float>(constants_.spatter.threshold) ? 0.0f : v;
    // What runs may be shallower than a drop: it is neither smoothed nor cut again.
    constants_.spatter.blur = 0;
    constants_.spatter.threshold = 0;
  }

 protected:
  void write_frame(int, Image& out) override {
    spatter<float>(image_, layer_, constants_.spatter, scratch_, out);
    run_down();
  }

 private:
  /// Convolves the columns; nothing comes in from outside.
  void run_down() {
    const auto width = static_cast<std::size_t>(image_.width);
    moved_.assign(layer_.size(), 0.0f);
    for (int y = 0; y < image_.height; ++y) {
      float* to = moved_.data() + static_cast<std::size_t>(y) * width;
      int source = y - constants_.first;
      for (const float share : constants_.run) {
        if (source >= 0 && source < image_.height) {
          const float* from = layer_.data() + static_cast<std::size_t>(source) * width;
          for (std::size_t x = 0; x < width; ++x) to[x] += share * from[x];
        }
        --source;
      }
    }
    layer_.swap(moved_);
  }

  Constants constants_;
  Image image_;
  std::vector<float> layer_, moved_;
  Scratch scratch_;
};

}  // namespace

std::unique_ptr<Sequence> make_spatter_sequence(ParameterSet set) {
  static const BySet<Constants> kConstants{
      {{.6, .265, 1.75, .7, .6, false}, {.2f, .8f}, 0},
      {{.6, .25, 1.75, .7, .6, false}, {.2f, .8f}, 0},
      {{.65, .27, 3.7, .69, .6, false}, {.05f, .1f, .15f, .7f}, -1},
  };
  return sequence_of<SpatterStream>(31, of_set(kConstants, set));
}

}  // namespace noisymix
