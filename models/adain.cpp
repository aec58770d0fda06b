#include "models/adain.h"

#include <charconv>
#include <string>

#include "engine/autograd.h"
#include "engine/io/torch_layout.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/gather.h"
#include "engine/ops/pool.h"
#include "engine/ops/reduce.h"
#include "engine/ops/slice.h"

namespace noisymix {
namespace {

using Step = AdaInStack::Step;
using Parts = std::vector<AdaInStack::Part>;

constexpr double kEpsilon = 1e-5;      // of the variance
constexpr int kLastEncoderLayer = 30;  // relu4_1

Parts encoder_parts(const AdaInOptions& options) {
  const std::int64_t* c = options.channels;
  return {{Step::plain_convolution, 0, 3, 3},
          {Step::convolution, 2, 3, c[0]},
          {Step::convolution, 5, c[0], c[0]},
          {Step::halve},
          {Step::convolution, 9, c[0], c[1]},
          {Step::convolution, 12, c[1], c[1]},
          {Step::halve},
          {Step::convolution, 16, c[1], c[2]},
          {Step::convolution, 19, c[2], c[2]},
          {Step::convolution, 22, c[2], c[2]},
          {Step::convolution, 25, c[2], c[2]},
          {Step::halve},
          {Step::convolution, 29, c[2], c[3]}};
}

Parts decoder_parts(const AdaInOptions& options) {
  const std::int64_t* c = options.channels;
  return {{Step::convolution, 1, c[3], c[2]},
          {Step::double_size},
          {Step::convolution, 5, c[2], c[2]},
          {Step::convolution, 8, c[2], c[2]},
          {Step::convolution, 11, c[2], c[2]},
          {Step::convolution, 14, c[2], c[1]},
          {Step::double_size},
          {Step::convolution, 18, c[1], c[1]},
          {Step::convolution, 21, c[1], c[0]},
          {Step::double_size},
          {Step::convolution, 25, c[0], c[0]},
          {Step::last_convolution, 28, c[0], 3}};
}

/// Every row, or column, twice: nearest-neighbour enlargement.
Tensor repeat_each(const Tensor& x, int axis) {
  std::vector<std::int64_t> twice;
  for (std::int64_t i = 0; i < x.dim(axis); ++i) twice.insert(twice.end(), 2, i);
  const auto count = static_cast<std::int64_t>(twice.size());
  return index_select(x, Tensor::from(twice, {count}, x.device()), axis);
}

/// The network is cut after relu4_1, while published files hold all of VGG-19.
NamedTensors without_deeper_layers(NamedTensors weights) {
  std::erase_if(weights, [](const auto& item) {
    const std::string& name = item.first;
    int number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    return error == std::errc() && end != name.data() + name.size() && *end == '.' &&
           number > kLastEncoderLayer;
  });
  return weights;
}

void load_weights(Module& module, const std::filesystem::path& file, bool cut) {
  NamedTensors weights = from_torch_layout(read_safetensors(file));
  try {
    module.load_state(cut ? without_deeper_layers(std::move(weights)) : weights);
  } catch (const DataError& error) {
    std::string problems = error.what();  // one a line
    for (std::size_t at = 0; (at = problems.find("\n ", at)) != std::string::npos;)
      problems.replace(at, 2, ";");
    fail<DataError>(file.string(), ": ", problems);
  }
}

}  // namespace

AdaInStack::AdaInStack(const std::vector<Part>& parts) {
  for (const Part& part : parts) {
    Built built{part.step, nullptr};
    if (part.in > 0) {
      const std::int64_t kernel = part.step == Step::plain_convolution ? 1 : 3;
      built.convolution = std::make_unique<Conv2d>(part.in, part.out, kernel);
      register_module(std::to_string(part.number), *built.convolution);
    }
    parts_.push_back(std::move(built));
  }
}

Tensor AdaInStack::forward(const Tensor& input, const Context& context) {
  Pool2dOptions pooling = Pool2dOptions::square(2, 2);
  pooling.ceil_mode = true;
  const Padding around{1, 1, 1, 1};
  Tensor x = input;
  for (Built& part : parts_) {
    switch (part.step) {
      case Step::halve:
        x = max_pool2d(x, pooling);
        break;
      case Step::double_size:
        x = repeat_each(repeat_each(x, 1), 2);
        break;
      case Step::plain_convolution:
        x = (*part.convolution)(x, context);
        break;
      case Step::convolution:
        x = relu((*part.convolution)(pad2d(x, around, PadMode::reflect), context));
        break;
      case Step::last_convolution:
        x = (*part.convolution)(pad2d(x, around, PadMode::reflect), context);
        break;
    }
  }
  return x;
}

ChannelMoments channel_moments(const Tensor& x) {
  NM_CHECK(x.rank() == 4 && x.dim(1) * x.dim(2) >= 2, "[adain] feature maps of shape ", x.shape(),
           ", expected [n, h, w, c] with two pixels or more");
  return {mean(x, {1, 2}, true), sqrt(add(variance(x, {1, 2}, true, true), kEpsilon))};
}

AdaIn::AdaIn(const AdaInOptions& options)
    : encoder_(encoder_parts(options)), decoder_(decoder_parts(options)) {}

void AdaIn::load(const std::filesystem::path& encoder, const std::filesystem::path& decoder) {
  load_weights(encoder_, encoder, true);
  load_weights(decoder_, decoder, false);
}

void AdaIn::to(Device device) {
  encoder_.to(device);
  decoder_.to(device);
}

Tensor AdaIn::encode(const Tensor& picture) {
  NM_CHECK(picture.rank() == 4 && picture.dim(3) == 3 && picture.dim(1) >= kSmallestAdaInSide &&
               picture.dim(2) >= kSmallestAdaInSide,
           "[adain] a picture of shape ", picture.shape(), ", expected [n, h, w, 3] with sides of ",
           kSmallestAdaInSide, " or more");
  return encoder_(picture, Context::evaluation());
}

ChannelMoments AdaIn::style_of(const Tensor& picture) {
  const NoGrad unrecorded;
  return channel_moments(encode(picture));
}

Tensor AdaIn::transfer(const Tensor& content, const ChannelMoments& style, double alpha) {
  NM_CHECK(alpha >= 0 && alpha <= 1, "[adain] alpha is ", alpha, ", expected 0 to 1");
  const NoGrad unrecorded;
  const Tensor features = encode(content);
  const ChannelMoments own = channel_moments(features);
  const Tensor styled = (features - own.mean) / own.deviation * style.deviation + style.mean;
  const Tensor blended = alpha == 1 ? styled : styled * alpha + features * (1 - alpha);
  const Tensor decoded = clamp(decoder_(blended, Context::evaluation()), 0, 1);
  // Poolings round up, so the decoded picture is up to 7 pixels larger, at the right and below.
  return slice(decoded, {{0, content.dim(0)}, {0, content.dim(1)}, {0, content.dim(2)}, {0, 3}});
}

}  // namespace noisymix
