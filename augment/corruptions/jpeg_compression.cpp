#include "augment/corruptions/jpeg_compression.h"

#include "augment/filters/jpeg_round_trip.h"
#include "engine/error.h"

namespace noisymix {
namespace {

class JpegCompression final : public Corruption {
 public:
  explicit JpegCompression(int quality) : quality_(quality) {}
  void apply(const Image& image, Key, Scratch& scratch, Image& out) const override {
    jpeg_round_trip(image, quality_, scratch, out);
  }

 private:
  int quality_;
};

}  // namespace

std::unique_ptr<Corruption> make_jpeg_compression(ParameterSet set, int severity) {
  NM_CHECK(severity >= 1 && severity <= kSeverities, "[jpeg_compression] severity is ", severity,
           ", expected 1 to 5");
  return std::make_unique<JpegCompression>(kJpegQuality[static_cast<int>(set)][severity - 1]);
}

}  // namespace noisymix
