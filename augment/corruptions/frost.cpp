#include "augment/corruptions/frost.h"

#include <algorithm>
#include <cstddef>

#include "augment/corruptions/ice.h"
#include "augment/filters/bilinear_scale.h"
#include "augment/filters/gaussian_filter.h"
#include "engine/cpu/vectorise.h"
#include "engine/error.h"

namespace noisymix {

namespace {

[[gnu::always_inline]] inline double frosted(std::uint8_t x, std::uint8_t ice, double a, double b) {
  const double v = a * x + b * ice;
  return v < 255 ? v : 255;
}

NM_VECTORISED(frost_row,
              (const std::uint8_t* NM_RESTRICT in, const std::uint8_t* NM_RESTRICT ice, std::size_t n,
               double a, double b, std::uint8_t* NM_RESTRICT out),
              (in, ice, n, a, b, out)) {
  for (std::size_t i = 0; i < n; ++i)
    out[i] = static_cast<std::uint8_t>(static_cast<int>(frosted(in[i], ice[i], a, b)));
}

Image grey_of(const Image& picture) {
  if (picture.channels == 1) return picture;
  Image grey(picture.height, picture.width, 1);
  const std::uint8_t* p = picture.pixels.data();
  for (std::uint8_t& g : grey.pixels) {
    g = static_cast<std::uint8_t>((299 * p[0] + 587 * p[1] + 114 * p[2] + 500) / 1000);
    p += 3;
  }
  return grey;
}

Image rgb_of(const Image& picture) {
  if (picture.channels == 3) return picture;
  Image rgb(picture.height, picture.width, 3);
  for (std::size_t i = 0; i < rgb.pixels.size(); ++i) rgb.pixels[i] = picture.pixels[i / 3];
  return rgb;
}

/// Pictures at the scale of a set, for both kinds of images.
struct FrostPictures {
  std::vector<Image> rgb, grey;
};

std::shared_ptr<const FrostPictures> scaled_pictures(std::span<const Image> pictures, double scale) {
  auto result = std::make_shared<FrostPictures>();
  for (const Image& picture : pictures) {
    result->rgb.push_back(rgb_of(bilinear_scaled(picture, scale)));
    result->grey.push_back(grey_of(result->rgb.back()));
  }
  return result;
}

/// Made when first needed, then kept: all severities of a set share it.
std::shared_ptr<const FrostPictures> ice_at(ParameterSet set) {
  const auto made = [](ParameterSet s) { return scaled_pictures(ice_pictures(), frost_picture_scale(s)); };
  switch (set) {
    case ParameterSet::cifar: {
      static const auto pictures = made(ParameterSet::cifar);
      return pictures;
    }
    case ParameterSet::tiny_imagenet: {
      static const auto pictures = made(ParameterSet::tiny_imagenet);
      return pictures;
    }
    default: {
      static const auto pictures = made(ParameterSet::imagenet);
      return pictures;
    }
  }
}

/// Height x width from the picture's upper left corner on, continued by reflection.
std::span<const std::uint8_t> reflected(const Image& picture, int row, int column, int height, int width,
                                        Scratch& scratch) {
  const auto channels = static_cast<std::size_t>(picture.channels);
  const auto crop = scratch.take<std::uint8_t>(static_cast<std::size_t>(height) *
                                               static_cast<std::size_t>(width) * channels);
  std::uint8_t* to = crop.data();
  for (int y = 0; y < height; ++y) {
    const std::uint8_t* from = picture.row(border_position(row + y, picture.height, Border::reflect));
    for (int x = 0; x < width; ++x) {
      const int source = border_position(column + x, picture.width, Border::reflect);
      to = std::copy_n(from + static_cast<std::size_t>(source) * channels, channels, to);
    }
  }
  return crop;
}

class Frost final : public Corruption {
 public:
  Frost(const FrostConstants& constants, std::shared_ptr<const FrostPictures> pictures, bool procedural)
      : constants_(constants), pictures_(std::move(pictures)), procedural_(procedural) {}

  void apply(const Image& image, Key key, Scratch& scratch, Image& out) const override {
    const auto& pictures = image.channels == 3 ? pictures_->rgb : pictures_->grey;
    const FrostDraws draws = draw_frost(key, pictures, image.height, image.width);
    const Image& picture = pictures[static_cast<std::size_t>(draws.picture)];
    if (picture.height > image.height && picture.width > image.width) {
      const std::uint8_t* ice = picture.row(draws.row) + draws.column * picture.channels;
      frost(image, ice, picture.stride(), constants_, out);
      return;
    }
    NM_CHECK_AS(ConfigError, procedural_, "[frost] picture ", draws.picture, " is ", picture.height, " x ",
                picture.width, " after scaling; images of ", image.height, " x ", image.width,
                " need more than that on both sides: give larger pictures, or none");
    const Scratch::Frame frame(scratch);
    const auto ice = reflected(picture, draws.row, draws.column, image.height, image.width, scratch);
    frost(image, ice.data(), image.stride(), constants_, out);
  }

 private:
  FrostConstants constants_;
  std::shared_ptr<const FrostPictures> pictures_;
  bool procedural_;
};

}  // namespace

FrostConstants frost_constants(ParameterSet set, int severity) {
  NM_CHECK_AS(ConfigError, severity >= 1 && severity <= kSeverities, "[frost] the severity is 1 to 5, not ",
              severity);
  const auto& rows = set == ParameterSet::cifar           ? kFrostCifar
                     : set == ParameterSet::tiny_imagenet ? kFrostTinyImagenet
                                                          : kFrostImagenet;
  return rows[severity - 1];
}

double frost_picture_scale(ParameterSet set) {
  return set == ParameterSet::cifar ? 0.2 : set == ParameterSet::tiny_imagenet ? 0.3 : 1;
}

FrostDraws draw_frost(Key key, std::span<const Image> pictures, int height, int width) {
  const auto choices = std::min<std::int64_t>(kFrostPictures, static_cast<std::int64_t>(pictures.size()));
  NM_CHECK(choices > 0, "[draw_frost] no pictures");
  FrostDraws draws;
  draws.picture = static_cast<int>(key.below(0, choices));
  const Image& picture = pictures[static_cast<std::size_t>(draws.picture)];
  const auto places = [](int ice, int side) { return ice > side ? ice - side : ice; };
  draws.row = static_cast<int>(key.below(1, places(picture.height, height)));
  draws.column = static_cast<int>(key.below(2, places(picture.width, width)));
  return draws;
}

void frost_values(const Image& image, const std::uint8_t* ice, std::size_t ice_stride,
                  const FrostConstants& constants, double* values) {
  for (int y = 0; y < image.height; ++y, ice += ice_stride) {
    const std::uint8_t* row = image.row(y);
    for (std::size_t i = 0; i < image.stride(); ++i)
      *values++ = frosted(row[i], ice[i], constants.image, constants.frost);
  }
}

void frost(const Image& image, const std::uint8_t* ice, std::size_t ice_stride,
           const FrostConstants& constants, Image& out) {
  out.height = image.height;
  out.width = image.width;
  out.channels = image.channels;
  out.pixels.resize(image.pixels.size());
  for (int y = 0; y < image.height; ++y, ice += ice_stride)
    frost_row(image.row(y), ice, image.stride(), constants.image, constants.frost, out.row(y));
}

std::unique_ptr<Corruption> make_frost(ParameterSet set, int severity, const CorruptionOptions& options) {
  const FrostConstants constants = frost_constants(set, severity);
  if (options.frost_pictures == nullptr || options.frost_pictures->empty())
    return std::make_unique<Frost>(constants, ice_at(set), true);
  const std::span<const Image> all(*options.frost_pictures);
  const auto used = all.first(std::min<std::size_t>(all.size(), kFrostPictures));
  return std::make_unique<Frost>(constants, scaled_pictures(used, frost_picture_scale(set)), false);
}

}  // namespace noisymix
