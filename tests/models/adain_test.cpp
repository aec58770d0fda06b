// AdaIN with few channels against a plain computation in double, written from the description of the
// networks.
#include "models/adain.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "engine/error.h"
#include "engine/io/safetensors.h"
#include "engine/ops/random.h"
#include "tests/scratch_folder.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

/// Feature maps [channel][row][column].
struct Maps {
  int c = 0, h = 0, w = 0;
  std::vector<double> v;
  Maps(int channels, int height, int width)
      : c(channels), h(height), w(width), v(static_cast<std::size_t>(channels * height * width)) {}
  double& at(int k, int y, int x) { return v[static_cast<std::size_t>((k * h + y) * w + x)]; }
  double at(int k, int y, int x) const { return v[static_cast<std::size_t>((k * h + y) * w + x)]; }
};

struct Layer {
  std::string name;
  int in, out, kernel;
};

// Layer numbers, channels: 2, 3, 4 and 5 in the places of 64, 128, 256 and 512.
const std::vector<Layer> kEncoder = {{"0", 3, 3, 1},  {"2", 3, 2, 3},  {"5", 2, 2, 3},  {"9", 2, 3, 3},
                                     {"12", 3, 3, 3}, {"16", 3, 4, 3}, {"19", 4, 4, 3}, {"22", 4, 4, 3},
                                     {"25", 4, 4, 3}, {"29", 4, 5, 3}};
const std::vector<Layer> kDecoder = {{"1", 5, 4, 3},  {"5", 4, 4, 3},  {"8", 4, 4, 3},
                                     {"11", 4, 4, 3}, {"14", 4, 3, 3}, {"18", 3, 3, 3},
                                     {"21", 3, 2, 3}, {"25", 2, 2, 3}, {"28", 2, 3, 3}};

AdaInOptions few() {
  AdaInOptions options;
  std::copy_n(std::begin({2, 3, 4, 5}), 4, options.channels);
  return options;
}

/// Weights as a file holds them: [out, in, kernel, kernel].
Safetensors weights_of(const std::vector<Layer>& layers, Key key) {
  Safetensors file;
  for (const Layer& layer : layers) {
    const double fan_in = layer.in * layer.kernel * layer.kernel;  // sums near 1 keep results within [0, 1]
    const auto draw = [&](const char* what, const Shape& shape, double middle, double spread) {
      const Key own = key.child(layer.name).child(std::string_view(what));
      std::vector<float> values(static_cast<std::size_t>(shape.numel()));
      for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = static_cast<float>(middle + spread * own.normal(i));
      file.tensors.emplace_back(layer.name + "." + what, Tensor::from(values, shape));
    };
    draw("weight", {layer.out, layer.in, layer.kernel, layer.kernel}, 0.9 / fan_in, 1.5 / fan_in);
    draw("bias", {layer.out}, 0.02, 0.05);
  }
  return file;
}

int reflected(int i, int size) {
  if (i < 0) return -i;
  return i < size ? i : 2 * size - 2 - i;
}

Maps convolve(const Maps& x, const Layer& layer, const Safetensors& file, bool rectify) {
  const auto weight = file.at(layer.name + ".weight").to_vector<float>(),
             bias = file.at(layer.name + ".bias").to_vector<float>();
  Maps y(layer.out, x.h, x.w);
  const int k = layer.kernel, border = k / 2;
  for (int o = 0; o < y.c; ++o)
    for (int r = 0; r < y.h; ++r)
      for (int s = 0; s < y.w; ++s) {
        double sum = bias[static_cast<std::size_t>(o)];
        for (int i = 0; i < layer.in; ++i)
          for (int a = 0; a < k; ++a)
            for (int b = 0; b < k; ++b)
              sum += static_cast<double>(
                         weight[static_cast<std::size_t>(((o * layer.in + i) * k + a) * k + b)]) *
                     x.at(i, reflected(r + a - border, x.h), reflected(s + b - border, x.w));
        y.at(o, r, s) = rectify ? std::max(sum, 0.0) : sum;
      }
  return y;
}

Maps halve(const Maps& x) {
  Maps y(x.c, (x.h + 1) / 2, (x.w + 1) / 2);
  for (int k = 0; k < y.c; ++k)
    for (int r = 0; r < y.h; ++r)
      for (int s = 0; s < y.w; ++s) {
        double most = -1e300;
        for (int a = 2 * r; a < std::min(2 * r + 2, x.h); ++a)
          for (int b = 2 * s; b < std::min(2 * s + 2, x.w); ++b) most = std::max(most, x.at(k, a, b));
        y.at(k, r, s) = most;
      }
  return y;
}

Maps enlarge(const Maps& x) {
  Maps y(x.c, 2 * x.h, 2 * x.w);
  for (int k = 0; k < y.c; ++k)
    for (int r = 0; r < y.h; ++r)
      for (int s = 0; s < y.w; ++s) y.at(k, r, s) = x.at(k, r / 2, s / 2);
  return y;
}

Maps encode(const Maps& picture, const Safetensors& file) {
  Maps x = picture;
  for (const Layer& layer : kEncoder) {
    x = convolve(x, layer, file, layer.kernel == 3);
    if (layer.name == "5" || layer.name == "12" || layer.name == "25") x = halve(x);
  }
  return x;
}

Maps decode(Maps x, const Safetensors& file) {
  for (const Layer& layer : kDecoder) {
    x = convolve(x, layer, file, layer.name != "28");
    if (layer.name == "1" || layer.name == "14" || layer.name == "21") x = enlarge(x);
  }
  return x;
}

std::pair<double, double> moments(const Maps& x, int channel) {
  double sum = 0, squares = 0;
  const int n = x.h * x.w;
  for (int r = 0; r < x.h; ++r)
    for (int s = 0; s < x.w; ++s) sum += x.at(channel, r, s);
  const double mean = sum / n;
  for (int r = 0; r < x.h; ++r)
    for (int s = 0; s < x.w; ++s) squares += (x.at(channel, r, s) - mean) * (x.at(channel, r, s) - mean);
  return {mean, std::sqrt(squares / (n - 1) + 1e-5)};
}

Maps expected_transfer(const Maps& content, const Maps& style, double alpha, const Safetensors& encoder,
                       const Safetensors& decoder) {
  Maps x = encode(content, encoder);
  const Maps y = encode(style, encoder);
  for (int k = 0; k < x.c; ++k) {
    const auto own = moments(x, k), wanted = moments(y, k);
    for (int r = 0; r < x.h; ++r)
      for (int s = 0; s < x.w; ++s) {
        const double styled = (x.at(k, r, s) - own.first) / own.second * wanted.second + wanted.first;
        x.at(k, r, s) = alpha * styled + (1 - alpha) * x.at(k, r, s);
      }
  }
  return decode(x, decoder);
}

Tensor random_picture(int height, int width, Key key) {
  std::vector<float> values(static_cast<std::size_t>(height * width * 3));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(key.uniform(i));
  return Tensor::from(values, {1, height, width, 3});
}

Maps maps_of(const Tensor& picture) {
  const auto values = picture.to_vector<float>();
  Maps maps(3, static_cast<int>(picture.dim(1)), static_cast<int>(picture.dim(2)));
  for (int y = 0; y < maps.h; ++y)
    for (int x = 0; x < maps.w; ++x)
      for (int k = 0; k < 3; ++k)
        maps.at(k, y, x) = values[static_cast<std::size_t>((y * maps.w + x) * 3 + k)];
  return maps;
}

}  // namespace

TEST_CASE("AdaIN: transfer equals a plain computation in double, for odd sizes and every alpha") {
  const ScratchFolder folder;
  const Safetensors encoder = weights_of(kEncoder, Key(1)), decoder = weights_of(kDecoder, Key(2));
  write_safetensors(folder / "encoder", encoder);
  write_safetensors(folder / "decoder", decoder);
  AdaIn network(few());
  network.load(folder / "encoder", folder / "decoder");
  for (const auto& size : {std::pair{16, 16}, {17, 26}, {9, 31}}) {
    const int height = size.first, width = size.second;
    CAPTURE(height);
    CAPTURE(width);
    const Tensor content = random_picture(height, width, Key(3)), style = random_picture(20, 15, Key(4));
    for (const double alpha : {1.0, 0.4, 0.0}) {
      CAPTURE(alpha);
      const Maps expected = expected_transfer(maps_of(content), maps_of(style), alpha, encoder, decoder);
      const Tensor made = network.transfer(content, network.style_of(style), alpha);
      REQUIRE(made.shape() == content.shape());
      const Maps found = maps_of(made);
      double gap = 0;
      int inside = 0;
      for (int k = 0; k < 3; ++k)
        for (int y = 0; y < height; ++y)
          for (int x = 0; x < width; ++x) {
            gap = std::max(gap, std::abs(found.at(k, y, x) - std::clamp(expected.at(k, y, x), 0.0, 1.0)));
            inside += found.at(k, y, x) > 0 && found.at(k, y, x) < 1;
          }
      CHECK(gap < 3e-6);
      CHECK(inside > height * width);  // a third or more is not clipped
    }
  }
}

TEST_CASE("AdaIN: files with deeper layers of VGG load, what is wrong is named at once") {
  const ScratchFolder folder;
  Safetensors encoder = weights_of(kEncoder, Key(1)), decoder = weights_of(kDecoder, Key(2));
  encoder.tensors.emplace_back("32.weight", Tensor::zeros({5, 5, 3, 3}));
  encoder.tensors.emplace_back("51.bias", Tensor::zeros({5}));
  write_safetensors(folder / "encoder", encoder);
  write_safetensors(folder / "decoder", decoder);
  AdaIn network(few());
  CHECK_NOTHROW(network.load(folder / "encoder", folder / "decoder"));

  decoder.tensors[0].second = Tensor::zeros({4, 5, 1, 1});  // 1.weight
  std::erase_if(decoder.tensors, [](const auto& item) { return item.first == "14.bias"; });
  decoder.tensors.emplace_back("40.weight", Tensor::zeros({1}));
  write_safetensors(folder / "bad", decoder);
  try {
    network.load(folder / "encoder", folder / "bad");
    FAIL_CHECK("expected an error");
  } catch (const DataError& error) {
    const std::string what = error.what();
    CAPTURE(what);
    for (const char* part : {"bad", "1.weight", "14.bias", "40.weight"})
      CHECK(what.find(part) != std::string::npos);
    CHECK(what.find('\n') == std::string::npos);
  }
}

TEST_CASE("AdaIN: the full networks have the published sizes") {
  AdaIn network;
  CHECK(network.encoder().parameter_count() == 3505740);
  CHECK(network.decoder().parameter_count() == 3505219);
}

TEST_CASE("AdaIN: pictures too small or of another kind, alpha out of range") {
  AdaIn network(few());
  const Tensor picture = random_picture(12, 12, Key(1));
  const ChannelMoments style = network.style_of(picture);
  CHECK_THROWS_AS(network.style_of(random_picture(8, 12, Key(1))), ShapeError);
  CHECK_THROWS_AS(network.style_of(Tensor::zeros({1, 12, 12, 1})), ShapeError);
  CHECK_THROWS_AS(network.transfer(picture, style, 1.5), ShapeError);
  CHECK_THROWS_AS(channel_moments(Tensor::zeros({1, 1, 1, 3})), ShapeError);
}
