#include "augment/filters/jpeg_round_trip.h"

#include <algorithm>

#include "augment/filters/jpeg_blocks.h"
#include "augment/filters/jpeg_dct.h"
#include "augment/filters/jpeg_planes.h"
#include "engine/cpu/vectorise.h"

namespace noisymix {
namespace {

/// Quantises a plane in place, block by block.
NM_VECTORISED(quantise_plane, (const JpegPlane& plane, const JpegQuantiser& quantiser), (plane, quantiser)) {
  alignas(64) std::int32_t a[64], b[64];
  for (int v = 0; v < plane.blocks_high; ++v) {
    for (int u = 0; u < plane.blocks_wide; ++u) {
      std::uint8_t* const samples = plane.samples + 8 * (v * plane.stride + u);
      jpeg::forward_block(samples, plane.stride, b, a);
      for (int i = 0; i < 64; ++i) b[i] = jpeg::quantised(a[i], quantiser, i) * quantiser.step[i];
      jpeg::inverse_pass<true>(b, a);
      jpeg::transpose(a, b);
      jpeg::inverse_pass<false>(b, a);
      for (int y = 0; y < 8; ++y)
        for (int x = 0; x < 8; ++x) {
          const int value = a[8 * x + y] + 128;
          samples[y * plane.stride + x] =
              static_cast<std::uint8_t>(value < 0 ? 0 : (value > 255 ? 255 : value));
        }
    }
  }
}

}  // namespace

void jpeg_round_trip(const Image& image, int quality, Scratch& scratch, Image& out) {
  const Scratch::Frame frame(scratch);
  const JpegPlanes planes = take_jpeg_planes(image.height, image.width, image.channels, scratch);
  split_jpeg_planes(image, planes, scratch);
  for (int c = 0; c < planes.count; ++c)
    if (c < 2) {
      const JpegQuantiser quantiser = make_jpeg_quantiser(c, quality);
      quantise_plane(planes.plane[c], quantiser);
      if (c == 1) quantise_plane(planes.plane[2], quantiser);
    }
  out.height = image.height;
  out.width = image.width;
  out.channels = image.channels;
  out.pixels.resize(image.pixels.size());
  join_jpeg_planes(planes, scratch, out);
}

}  // namespace noisymix
