#include "data/contact_sheet.h"

#include <algorithm>
#include <vector>

#include "data/image_codec.h"
#include "engine/error.h"

namespace noisymix {
namespace {

/// Example of each cell, row by row; -1 leaves a cell empty. With one row per class a row takes its own class
/// only.
std::vector<std::int64_t> choose_examples(const Dataset& dataset, int rows, int cols) {
  const auto cells = static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols);
  std::vector<std::int64_t> chosen(cells, -1);
  if (rows != dataset.classes()) {
    for (std::size_t i = 0; i < cells && i < static_cast<std::size_t>(dataset.size()); ++i)
      chosen[i] = static_cast<std::int64_t>(i);
    return chosen;
  }
  std::vector<int> filled(static_cast<std::size_t>(rows), 0);
  std::size_t left = cells;
  for (std::int64_t i = 0; i < dataset.size() && left > 0; ++i) {
    const auto row = static_cast<std::size_t>(dataset.label(i));
    if (filled[row] == cols) continue;
    chosen[row * static_cast<std::size_t>(cols) + static_cast<std::size_t>(filled[row]++)] = i;
    --left;
  }
  return chosen;
}

void draw_magnified(const Image& image, int scale, int top, int left, Image& sheet) {
  for (int y = 0; y < image.height * scale; ++y)
    for (int x = 0; x < image.width * scale; ++x)
      std::copy_n(image.row(y / scale) + 3 * (x / scale), 3, sheet.row(top + y) + 3 * (left + x));
}

}  // namespace

Image tile_images(const std::vector<Image>& images, int rows, int cols, int scale) {
  NM_CHECK_AS(ConfigError,
              rows >= 1 && rows <= 1000 && cols >= 1 && cols <= 1000 && scale >= 1 && scale <= 64,
              "contact sheet: ", rows, " rows, ", cols, " columns, scale ", scale,
              ", expected 1 to 1000 rows and columns and a scale of 1 to 64");
  const auto columns = static_cast<std::size_t>(cols);
  NM_CHECK_AS(ConfigError, images.size() == static_cast<std::size_t>(rows) * columns,
              "contact sheet: ", images.size(), " images for ", rows, " rows and ", cols, " columns");
  std::int64_t height = 0, width = 0;
  for (const Image& image : images) {
    height = std::max<std::int64_t>(height, image.height);
    width = std::max<std::int64_t>(width, image.width);
  }
  const std::int64_t cell_height = (height + 1) * scale, cell_width = (width + 1) * scale;  // grid: one pixel
  check_image_size("contact sheet", rows * cell_height + scale, cols * cell_width + scale);
  Image sheet(static_cast<int>(rows * cell_height) + scale, static_cast<int>(cols * cell_width) + scale, 3);
  std::fill(sheet.pixels.begin(), sheet.pixels.end(), std::uint8_t{255});
  for (std::size_t i = 0; i < images.size(); ++i) {
    if (images[i].pixels.empty()) continue;
    draw_magnified(to_rgb(images[i]), scale,
                   static_cast<int>(static_cast<std::int64_t>(i / columns) * cell_height) + scale,
                   static_cast<int>(static_cast<std::int64_t>(i % columns) * cell_width) + scale, sheet);
  }
  return sheet;
}

Image make_contact_sheet(const Dataset& dataset, int rows, int cols, int scale) {
  const auto shape = dataset.sample_shape();
  NM_CHECK_AS(DataError, shape.size() == 3, "contact sheet: ", dataset.description(), " holds no images");
  NM_CHECK_AS(ConfigError, shape[0] > 0, "contact sheet: ", dataset.description(),
              ": the pictures differ in size, choose a crop and a resize");
  NM_CHECK_AS(ConfigError, rows >= 1 && rows <= 1000 && cols >= 1 && cols <= 1000, "contact sheet: ", rows,
              " rows, ", cols, " columns, expected 1 to 1000 of both");
  std::vector<Image> images;
  for (const std::int64_t example : choose_examples(dataset, rows, cols))
    images.push_back(example < 0 ? Image() : dataset.get(example).image);
  return tile_images(images, rows, cols, scale);
}

}  // namespace noisymix
