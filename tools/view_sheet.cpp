#include "tools/view_sheet.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "data/batch_order.h"
#include "data/contact_sheet.h"
#include "engine/error.h"
#include "tools/training_setup.h"

namespace noisymix {
namespace {

Image bytes_of(const std::vector<float>& values, const Image& like) {
  Image image(like.height, like.width, like.channels);
  for (std::size_t i = 0; i < values.size(); ++i)
    image.pixels[i] = static_cast<std::uint8_t>(std::lround(std::clamp(values[i], 0.0f, 1.0f) * 255));
  return image;
}

/// Views of one example in one epoch.
void append_views(const Views& views, const Image& image, Key key, std::vector<Image>& cells) {
  std::vector<std::vector<float>> values(static_cast<std::size_t>(views.count()),
                                         std::vector<float>(image.pixels.size()));
  std::vector<float*> outputs;
  for (auto& view : values) outputs.push_back(view.data());
  views.make(image, key, outputs);
  for (const auto& view : values) cells.push_back(bytes_of(view, image));
}

}  // namespace

Image make_view_sheet(const Config& config, const ViewSheetOptions& options) {
  NM_CHECK_AS(ConfigError,
              options.images >= 1 && options.images <= 100 && options.epochs >= 1 && options.epochs <= 50,
              "view sheet: ", options.images, " images, ", options.epochs,
              " epochs, expected 1 to 100 images and 1 to 50 epochs");
  const auto data = open_split(config, true);
  NM_CHECK_AS(DataError, data->sample_shape().size() == 3, "view sheet: ", data->description(),
              " holds no images");
  const auto views = make_views(config.views, make_normalization("none"), config.data.transform.crop);
  // The trainer's loader makes the same keys.
  BatchOrder order(data->size(), 1, false, false, Key(config.train.seed).child("data"));
  const auto rows = static_cast<int>(std::min<std::int64_t>(options.images, data->size()));
  std::vector<Image> cells;
  for (int i = 0; i < rows; ++i) {
    cells.push_back(data->get(i).image);
    for (int epoch = 0; epoch < options.epochs; ++epoch) {
      order.start_epoch(epoch);
      const Key key = order.views_key().child(std::int64_t{i});
      append_views(*views, data->draw(i, key).image, key, cells);
    }
  }
  return tile_images(cells, rows, 1 + options.epochs * views->count(), options.scale);
}

}  // namespace noisymix
