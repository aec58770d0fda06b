#include "tools/report/html.h"

#include <array>
#include <cmath>
#include <cstdio>

#include "data/image_codec.h"
#include "tools/evaluation/base64.h"

namespace noisymix::report {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// Bytes of the UTF-8 character that starts here, or 0 where there is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  const std::size_t length = first < 0x80   ? 1
                             : first < 0xC2 ? 0
                             : first < 0xE0 ? 2
                             : first < 0xF0 ? 3
                             : first < 0xF5 ? 4
                                            : 0;
  if (length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  if (length < 3) return length;
  const unsigned second = byte(1);  // overlong forms, surrogates, beyond the last code point
  const bool bad = (first == 0xE0 && second < 0xA0) || (first == 0xED && second >= 0xA0) ||
                   (first == 0xF0 && second < 0x90) || (first == 0xF4 && second >= 0x90);
  return bad ? 0 : length;
}

std::string printed(const char* format, int decimals, double value) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), format, decimals, value);
  return text.data();
}

}  // namespace

std::string escape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(text.substr(i));
    const char c = text[i];
    if (length == 0 ||
        (length == 1 && (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) && c != '\n' && c != '\t')) {
      out += kReplacement;
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '&') {
      out += "&amp;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (c == '\'') {
      out += "&#39;";
    } else {
      out += text.substr(i, length);
    }
    i += std::max<std::size_t>(length, 1);
  }
  return out;
}

std::string percent(double fraction, int decimals) {
  return printed("%.*f", decimals, 100 * fraction);
}

std::string signed_points(double fraction, int decimals) {
  const std::string size = printed("%.*f", decimals, std::abs(100 * fraction));
  if (size.find_first_not_of("0.") == std::string::npos) return "±" + size;
  return (fraction < 0 ? "\xE2\x88\x92" : "+") + size;
}

std::string short_number(double value) {
  return printed("%.*g", 4, value);
}

std::string grouped(std::int64_t value) {
  std::string digits = std::to_string(value);
  const std::size_t first = value < 0 ? 1 : 0;
  for (std::size_t end = digits.size(); end > first + 3; end -= 3) digits.insert(end - 3, ",");
  return digits;
}

std::string duration(double seconds) {
  if (seconds < 60) return printed("%.*f", seconds < 10 ? 1 : 0, seconds) + " s";
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 3600) return std::to_string(whole / 60) + " min " + std::to_string(whole % 60) + " s";
  return std::to_string(whole / 3600) + " h " + std::to_string(whole % 3600 / 60) + " min";
}

std::string data_uri(const Image& image) {
  return "data:image/png;base64," + encode_base64(encode_png(image));
}

std::string picture(const Image& image, std::string_view alternative, int width) {
  return "<img" + std::string(image.width * 2 <= width ? " class=\"pixels\"" : "") + " src=\"" +
         data_uri(image) + "\" alt=\"" + escape(alternative) + "\" width=\"" + std::to_string(width) +
         "\" height=\"" + std::to_string(image.width > 0 ? width * image.height / image.width : width) +
         "\">";
}

std::string run_class(std::size_t run) {
  return "run" + std::to_string(run % 8);
}

std::string frame_page(const Header& header, const std::vector<Section>& sections) {
  std::string page =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
      "style-src 'unsafe-inline'; img-src data:\">\n<title>" +
      escape(header.title) + "</title>\n<style>\n";
  page.append(style_sheet())
      .append("</style>\n</head>\n<body>\n<header>\n<p class=\"eyebrow\">noisymix report</p>\n");
  page += "<h1>" + escape(header.title) + "</h1>\n";
  if (!header.subtitle.empty()) page += "<p class=\"subtitle\">" + escape(header.subtitle) + "</p>\n";
  page += header.body;
  if (sections.size() > 1) {
    page += "<nav aria-label=\"Sections\">";
    for (const Section& section : sections) {
      page += "<a href=\"#" + escape(section.id) + "\">" + escape(section.title) + "</a>";
    }
    page += "</nav>\n";
  }
  page += "</header>\n<main>\n";
  for (const Section& section : sections) {
    page += "<section id=\"" + escape(section.id) + "\">\n<h2>" + escape(section.title) + "</h2>\n";
    if (!section.text.empty()) page += "<p class=\"explanation\">" + escape(section.text) + "</p>\n";
    page += section.body + "</section>\n";
  }
  return page + "</main>\n</body>\n</html>\n";
}

}  // namespace noisymix::report
