#include "tools/report/image_grid.h"

#include "tools/report/html.h"

namespace noisymix::report {
namespace {

constexpr int kShownWidth = 112;

std::string side(const Image& image, const std::string& alternative, const Prediction& prediction,
                 bool right) {
  return "<div>" + picture(image, alternative, kShownWidth) + "<p class=\"" + (right ? "right" : "wrong") +
         "\">" + (right ? "\xE2\x9C\x93 " : "\xE2\x9C\x97 ") + "<b>" + escape(prediction.label) + "</b> " +
         percent(prediction.confidence, 0) + "&nbsp;%</p></div>";
}

}  // namespace

std::string draw(const ImageGrid& grid) {
  if (grid.images.empty()) return "";
  std::string out = "<figure class=\"images\"><figcaption><i class=\"dot " + run_class(grid.run) + "\"></i>" +
                    escape(grid.title) + "</figcaption>\n<div class=\"cards\">\n";
  for (const HarmedImage& image : grid.images) {
    out += "<div class=\"harmed\"><div class=\"pair\">" +
           side(image.clean, image.truth + ", clean", image.before, true) +
           side(image.corrupted, image.truth + ", " + image.corruption, image.after, false) +
           "</div><p class=\"what\">" + escape(image.corruption) + "</p></div>\n";
  }
  return out + "</div></figure>\n";
}

}  // namespace noisymix::report
