// A small checker of the HTML that reports are written in.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace noisymix::testing {

/// "" when every element is closed in order, every attribute is quoted and no bare "<" or "&" stands in the
/// text; else the first fault.
inline std::string html_fault(std::string_view page) {
  constexpr std::string_view kVoid[] = {"meta", "img", "br"};
  std::vector<std::string> open;
  for (std::size_t i = 0; i < page.size(); ++i) {
    const auto near = [&] { return " near: " + std::string(page.substr(i, 60)); };
    if (page[i] == '&') {
      const std::size_t end = page.find(';', i);
      if (end == std::string_view::npos || end - i > 8 || end == i + 1) return "bare &" + near();
    }
    if (page[i] == '>') return "bare >" + near();
    if (page[i] != '<') continue;
    if (page.substr(i).starts_with("<!DOCTYPE html>")) {
      i += 14;
      continue;
    }
    // To the end of the tag, with attributes in double quotes.
    bool quoted = false;
    std::size_t end = i + 1;
    for (; end < page.size() && (quoted || page[end] != '>'); ++end) {
      if (page[end] == '"') quoted = !quoted;
      if (page[end] == '<') return "< within a tag" + near();
    }
    if (end == page.size()) return "a tag without end" + near();
    std::string_view tag = page.substr(i + 1, end - i - 1);
    const bool closing = tag.starts_with('/'), single = tag.ends_with('/');
    if (closing) tag.remove_prefix(1);
    const std::string name(tag.substr(0, tag.find_first_of(" /\n")));
    if (name.empty()) return "a tag without name" + near();
    if (closing) {
      if (open.empty() || open.back() != name) return "</" + name + "> closes another element" + near();
      open.pop_back();
    } else if (!single && std::find(std::begin(kVoid), std::end(kVoid), name) == std::end(kVoid)) {
      open.push_back(name);
      if (name == "style") {  // its content is not markup
        const std::size_t style_end = page.find("</style>", end);
        if (style_end == std::string_view::npos) return "<style> is not closed";
        end = style_end - 1;
      }
    }
    i = end;
  }
  return open.empty() ? "" : "<" + open.back() + "> is not closed";
}

/// How often a piece occurs.
inline int occurrences(std::string_view text, std::string_view piece) {
  int count = 0;
  for (std::size_t at = text.find(piece); at != std::string_view::npos;
       at = text.find(piece, at + piece.size()))
    ++count;
  return count;
}

}  // namespace noisymix::testing
