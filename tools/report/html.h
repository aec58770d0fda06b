// The pieces of an HTML page that stands alone: escaped text, numbers, pictures as data, the frame.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "augment/image.h"

namespace noisymix::report {

/// Text for element content and quoted attributes: markup characters become entities, control characters and
/// broken UTF-8 become U+FFFD. Everything that comes from a file goes through here.
std::string escape(std::string_view text);

/// "81.2" for 0.8123.
std::string percent(double fraction, int decimals = 1);
/// "+3.2" or "−3.2" (a minus sign, not a hyphen) for a difference of fractions; "±0.0" when it rounds to
/// that.
std::string signed_points(double fraction, int decimals = 1);
/// Four significant digits at most, no trailing zeros: for axes and levels.
std::string short_number(double value);
/// "12,345".
std::string grouped(std::int64_t value);
/// "3 min 20 s".
std::string duration(double seconds);

/// "data:image/png;base64,..." of an image.
std::string data_uri(const Image& image);

/// <img> of an image that is shown `width` pixels wide; small ones keep their pixels visible.
std::string picture(const Image& image, std::string_view alternative, int width);

/// Class of a run's colour, "run0" to "run7": the same for one run on the whole page.
std::string run_class(std::size_t run);

/// One part of the page. `text` explains its figures; `body` is markup.
struct Section {
  std::string id, title;
  std::string text;  ///< escaped by frame_page()
  std::string body;
};

/// What stands above the sections.
struct Header {
  std::string title;
  std::string subtitle;
  std::string body;  ///< markup: legend, key figures
};

/// The whole document: no scripts, nothing loaded from anywhere; light, dark and printed.
std::string frame_page(const Header& header, const std::vector<Section>& sections);

/// The style sheet of frame_page().
std::string style_sheet();

}  // namespace noisymix::report
