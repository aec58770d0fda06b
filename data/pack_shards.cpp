#include "data/pack_shards.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <memory>
#include <numeric>
#include <set>

#include "data/image_folder.h"
#include "data/tar.h"
#include "engine/error.h"
#include "engine/key.h"

namespace noisymix {
namespace {

namespace fs = std::filesystem;

void make_empty_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  NM_CHECK_AS(DataError, !error, folder.string(), ": cannot be created: ", error.message());
  for (const auto& entry : fs::directory_iterator(folder))
    NM_CHECK_AS(DataError, entry.path().extension() != ".tar", folder.string(), ": holds archives already (",
                entry.path().filename().string(), "); remove them or choose another --out");
}

/// list_image_folder() comes in a shuffled order; another seed shuffles on, and sorted undoes it.
std::vector<std::size_t> order_of(const FolderListing& listing, const PackOptions& options) {
  std::vector<std::size_t> order(listing.files.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto by_name = [&](std::size_t a, std::size_t b) {
    return std::pair(listing.labels[a], listing.files[a]) < std::pair(listing.labels[b], listing.files[b]);
  };
  if (options.shuffled && options.seed == 0) return order;
  std::sort(order.begin(), order.end(), by_name);
  if (!options.shuffled) return order;
  std::vector<std::size_t> shuffled;
  for (const std::int64_t i : permutation(Key(options.seed).child("pack"), std::ssize(order)))
    shuffled.push_back(order[static_cast<std::size_t>(i)]);
  return shuffled;
}

/// Archives 000000.tar, 000001.tar, ... of one folder.
class ShardFolder {
 public:
  ShardFolder(fs::path folder, std::uint64_t largest) : folder_(std::move(folder)), largest_(largest) {}

  void add(const std::string& name, const Bytes& content) {
    if (shard_ && shard_->size() > 0 && shard_->size_with(name, content.size()) > largest_) finish();
    if (!shard_) {
      char file[32];
      std::snprintf(file, sizeof file, "%06lld.tar", static_cast<long long>(count_++));
      shard_ = std::make_unique<TarWriter>(folder_ / file);
    }
    shard_->add(name, content);
  }
  void finish() {
    if (shard_) shard_->finish();
    shard_.reset();
  }
  std::int64_t count() const { return count_; }

 private:
  fs::path folder_;
  std::uint64_t largest_;
  std::int64_t count_ = 0;
  std::unique_ptr<TarWriter> shard_;
};

}  // namespace

PackResult pack_shards(const fs::path& root, const fs::path& out, const PackOptions& options) {
  const FolderListing listings[] = {list_image_folder(root, true), list_image_folder(root, false)};
  const char* const names[] = {"train", "test"};
  const std::int64_t total = std::ssize(listings[0].files) + std::ssize(listings[1].files);
  for (const char* name : names) make_empty_folder(out / name);
  std::string classes;
  for (const std::string& name : listings[0].class_names) {
    NM_CHECK_AS(DataError, printable(name, name.size()) == name, (root / printable(name)).string(),
                ": has control characters in its name; rename it");
    classes += name + "\n";
  }
  write_file_atomically(out / "classes.txt", classes);

  PackResult result;
  for (int split = 0; split < 2; ++split) {
    const FolderListing& listing = listings[split];
    ShardFolder shards(out / names[split], options.shard_bytes);
    for (const std::size_t i : order_of(listing, options)) {
      if (options.should_stop && options.should_stop()) {
        result.finished = false;
        return result;
      }
      const fs::path& file = listing.files[i];
      const std::string& class_name = listing.class_names[static_cast<std::size_t>(listing.labels[i])];
      shards.add(class_name + "/" + file.filename().string(), read_file_bytes(file));
      ++result.pictures;
      if (options.progress) options.progress(result.pictures, total);
    }
    shards.finish();
    result.shards += shards.count();
  }
  return result;
}

std::uint64_t parse_size(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string unit(end, text.data() + text.size());
  const int shift = unit.empty() ? 0 : unit == "K" ? 10 : unit == "M" ? 20 : unit == "G" ? 30 : -1;
  NM_CHECK_AS(ConfigError,
              error == std::errc() && shift >= 0 && value >= 1 && value <= (std::uint64_t{1} << 40 >> shift),
              "a size is a number with K, M, G or nothing behind it, such as 500M, not '", printable(text),
              "'");
  return value << shift;
}

}  // namespace noisymix
