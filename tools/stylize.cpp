#include "tools/stylize.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "data/content_hash.h"
#include "data/decoded_cache.h"
#include "data/file_bytes.h"
#include "data/image_codec.h"
#include "engine/error.h"
#include "engine/key.h"
#include "tools/folder_claim.h"

namespace noisymix {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kStylesKept = 1 << 14;  // 4 KiB each
constexpr int kMostDraws = 20;

bool is_picture(const fs::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg";
}

/// Pictures at any depth, relative to root and sorted; nothing hidden, no links to folders.
std::vector<fs::path> pictures_below(const fs::path& root) {
  NM_CHECK_AS(DataError, fs::is_directory(root), root.string(), ": no such folder");
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::recursive_directory_iterator it(root, error), end; !error && it != end; it.increment(error)) {
    if (it->path().filename().string().starts_with('.')) {
      if (it->is_directory()) it.disable_recursion_pending();
    } else if (it->is_regular_file() && is_picture(it->path())) {
      found.push_back(it->path().lexically_relative(root));
    }
  }
  NM_CHECK_AS(DataError, !error, root.string(), ": cannot be listed: ", error.message());
  NM_CHECK_AS(DataError, !found.empty(), root.string(), ": no PNG or JPEG files inside");
  std::sort(found.begin(), found.end());
  return found;
}

Tensor to_tensor(const Image& image, Device device) {
  std::vector<float> values(image.pixels.size());
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(image.pixels[i]) / 255;
  return Tensor::from(values, {1, image.height, image.width, 3}, device);
}

Image to_image(const Tensor& picture) {
  const std::vector<float> values = picture.to_vector<float>();
  Image image(static_cast<int>(picture.dim(1)), static_cast<int>(picture.dim(2)), 3);
  for (std::size_t i = 0; i < values.size(); ++i)
    image.pixels[i] = static_cast<std::uint8_t>(std::lround(values[i] * 255));
  return image;
}

/// Styles by number, encoded when they are first drawn.
class Styles {
 public:
  Styles(const fs::path& root, std::vector<fs::path> files, int side, AdaIn& network)
      : root_(root), files_(std::move(files)), side_(side), network_(network) {}

  /// Drawn with the key, again where a file cannot be read: collections of paintings hold all sorts of
  /// pictures.
  ChannelMoments draw(Key key, std::int64_t& unreadable) {
    for (int attempt = 0;; ++attempt) {
      const auto number =
          static_cast<std::size_t>(key.below(static_cast<std::uint64_t>(attempt), std::ssize(files_)));
      try {
        return moments(number);
      } catch (const DataError& error) {
        NM_CHECK_AS(DataError, attempt + 1 < kMostDraws, kMostDraws,
                    " styles drawn one after the other cannot be read; the last: ", error.what());
        ++unreadable;
      }
    }
  }

 private:
  ChannelMoments moments(std::size_t number) {
    if (const auto known = known_.find(number); known != known_.end()) return known->second;
    const fs::path file = root_ / files_[number];
    const Image image = decode_to_side(file.string(), read_file_bytes(file), side_, true);
    const ChannelMoments made = network_.style_of(to_tensor(image, network_.device()));
    if (known_.size() < kStylesKept) known_.emplace(number, made);
    return made;
  }

  fs::path root_;
  std::vector<fs::path> files_;
  int side_;
  AdaIn& network_;
  std::map<std::size_t, ChannelMoments> known_;
};

nlohmann::ordered_json settings_of(const StylizeOptions& options, const std::vector<fs::path>& styles) {
  std::string names;
  for (const fs::path& style : styles) names += style.generic_string() + "\n";
  return {{"encoder", hash_file(options.encoder)},
          {"decoder", hash_file(options.decoder)},
          {"styles", std::to_string(styles.size()) + "-" + std::to_string(Key(0).child(names).words())},
          {"style_size", options.style_side},
          {"alpha", options.alpha},
          {"seed", options.seed}};
}

void check_targets(const StylizeOptions& options, const std::vector<fs::path>& contents) {
  const fs::path inside =
      fs::weakly_canonical(options.out).lexically_relative(fs::weakly_canonical(options.content));
  NM_CHECK_AS(ConfigError, inside.empty() || *inside.begin() == "..", options.out.string(),
              " lies in the folder of the content; choose another --out");
  std::set<fs::path> targets;
  for (const fs::path& content : contents)
    NM_CHECK_AS(DataError, targets.insert(fs::path(content).replace_extension(".png")).second,
                (options.content / content).string(),
                ": another picture differs from it in the extension alone; rename one of them");
}

}  // namespace

StylizeResult stylize_tree(const StylizeOptions& options) {
  NM_CHECK_AS(ConfigError, options.alpha >= 0 && options.alpha <= 1, "alpha is ", options.alpha,
              ", expected 0 to 1");
  NM_CHECK_AS(ConfigError, options.style_side >= kSmallestAdaInSide && options.style_side <= 4096,
              "the styles' shorter side is ", options.style_side, ", expected ", kSmallestAdaInSide,
              " to 4096");
  const std::vector<fs::path> contents = pictures_below(options.content),
                              files = pictures_below(options.styles);
  check_targets(options, contents);
  AdaIn network(options.network);
  network.load(options.encoder, options.decoder);
  network.to(options.device);
  fs::create_directories(options.out);
  claim_folder(options.out, "stylize.json", "pictures", settings_of(options, files));

  Styles styles(options.styles, files, options.style_side, network);
  const Key key = Key(options.seed).child("style");
  StylizeResult result;
  for (const fs::path& content : contents) {
    if (options.should_stop && options.should_stop()) {
      result.finished = false;
      break;
    }
    const fs::path from = options.content / content,
                   to = options.out / fs::path(content).replace_extension(".png");
    if (fs::exists(to)) {
      ++result.there;
    } else {
      const Image image = to_rgb(read_image(from));
      NM_CHECK_AS(DataError, std::min(image.height, image.width) >= kSmallestAdaInSide, from.string(),
                  ": is ", image.height, "x", image.width, ", expected sides of ", kSmallestAdaInSide,
                  " or more");
      const ChannelMoments style = styles.draw(key.child(content.generic_string()), result.unreadable_styles);
      const Image styled =
          to_image(network.transfer(to_tensor(image, options.device), style, options.alpha).to(Device{}));
      fs::create_directories(to.parent_path());
      write_png(to, styled);
      ++result.written;
    }
    if (options.progress) options.progress(result.written + result.there, std::ssize(contents));
  }
  return result;
}

}  // namespace noisymix
