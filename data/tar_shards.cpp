#include "data/tar_shards.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "data/tar.h"
#include "engine/cpu/parallel.h"
#include "engine/error.h"

namespace noisymix {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLargestPicture = std::uint64_t{256} << 20, kLargestLabel = 64;
constexpr std::int64_t kMostClasses = 1 << 20;

struct Picture {
  TarEntry entry;
  std::size_t shard = 0;
  std::int64_t label = 0;
};

/// One archive as found; labels are names until the classes of all archives are known.
struct Shard {
  std::vector<TarEntry> pictures;
  std::vector<std::string> classes;  // of each picture: folder, or number as text
};

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

std::string_view file_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

bool is_picture(std::string_view path) {
  const std::string name = lower(file_name(path));
  return !name.starts_with('.') &&
         (name.ends_with(".jpg") || name.ends_with(".jpeg") || name.ends_with(".png"));
}

bool is_label(std::string_view path) {
  return !file_name(path).starts_with('.') && lower(path).ends_with(".cls");
}

/// WebDataset: files of one example share everything up to the first point of the file's name.
std::string key_of(std::string_view path) {
  const std::size_t name = path.rfind('/') + 1;
  return std::string(path.substr(0, path.find('.', name)));
}

/// The folder that holds the file; empty without one.
std::string folder_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return {};
  const std::string_view name = file_name(path.substr(0, slash));
  return name == "." || name == ".." ? std::string() : std::string(name);
}

std::string place(const fs::path& shard, const TarEntry& entry) {
  return shard.string() + ":" + printable(entry.name, 120);
}

/// The class number in a .cls file, which is text.
std::int64_t class_number(const fs::path& shard, const TarEntry& entry) {
  const Bytes bytes = read_tar_entry(shard, entry, kLargestLabel);
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
    text.remove_suffix(1);
  std::int64_t number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  NM_CHECK_AS(
      DataError,
      error == std::errc() && end == text.data() + text.size() && number >= 0 && number < kMostClasses,
      place(shard, entry), ": holds ", text.empty() ? "nothing" : "\"" + printable(text) + "\"",
      ", expected a class number from 0");
  return number;
}

Shard pair_with_labels(const fs::path& path, std::vector<TarEntry> entries) {
  std::map<std::string, const TarEntry*> labels;
  for (const TarEntry& entry : entries)
    if (is_label(entry.name))
      NM_CHECK_AS(DataError, labels.emplace(key_of(entry.name), &entry).second, place(path, entry),
                  ": a second label for the same key");
  Shard shard;
  std::set<std::string> seen;
  for (const TarEntry& entry : entries) {
    if (!is_picture(entry.name)) continue;
    const std::string key = key_of(entry.name);
    const auto label = labels.find(key);
    NM_CHECK_AS(DataError, label != labels.end(), place(path, entry), ": has no label, expected ",
                printable(key, 120), ".cls in the same archive");
    NM_CHECK_AS(DataError, seen.insert(key).second, place(path, entry),
                ": a second picture for the same key");
    shard.classes.push_back(std::to_string(class_number(path, *label->second)));
    shard.pictures.push_back(entry);
  }
  return shard;
}

Shard label_by_folder(const fs::path& path, std::vector<TarEntry> entries) {
  Shard shard;
  for (TarEntry& entry : entries) {
    if (!is_picture(entry.name)) continue;
    shard.classes.push_back(folder_of(entry.name));
    NM_CHECK_AS(DataError, !shard.classes.back().empty(), place(path, entry),
                ": has no class, expected CLASS/FILE.jpg, or a number in KEY.cls beside KEY.jpg");
    shard.pictures.push_back(std::move(entry));
  }
  return shard;
}

class TarShards : public EncodedPictures {
 public:
  TarShards(std::vector<fs::path> paths, std::vector<std::string> class_names)
      : paths_(std::move(paths)), class_names_(std::move(class_names)) {
    std::vector<Shard> shards = index();
    if (class_names_.empty()) class_names_ = names_in(shards);
    std::map<std::string, std::int64_t> labels;
    for (std::size_t k = 0; k < class_names_.size(); ++k)
      labels.emplace(numbered_ ? std::to_string(k) : class_names_[k], static_cast<std::int64_t>(k));
    for (std::size_t s = 0; s < shards.size(); ++s) {
      if (!shards[s].pictures.empty()) stretches_.push_back(size());
      for (std::size_t i = 0; i < shards[s].pictures.size(); ++i) {
        const auto label = labels.find(shards[s].classes[i]);
        NM_CHECK_AS(DataError, label != labels.end(), place(paths_[s], shards[s].pictures[i]),
                    ": is of class ", printable(shards[s].classes[i]), ", which is not among the ",
                    class_names_.size(), " classes of classes.txt or the training split");
        pictures_.push_back({std::move(shards[s].pictures[i]), s, label->second});
      }
    }
    NM_CHECK_AS(DataError, !pictures_.empty(), paths_[0].string(), paths_.size() > 1 ? " and the others" : "",
                ": no PNG or JPEG files inside, expected CLASS/FILE.jpg");
    for (const fs::path& path : paths_) versions_.push_back(file_version(path.string()));
  }

  void cut(std::int64_t limit) {
    if (limit <= 0 || limit >= size()) return;
    pictures_.resize(static_cast<std::size_t>(limit));
    std::erase_if(stretches_, [limit](std::int64_t begin) { return begin >= limit; });
  }

  std::int64_t size() const override { return std::ssize(pictures_); }
  Bytes read(std::int64_t index) const override {
    const Picture& picture = at(index);
    return read_tar_entry(paths_[picture.shard], picture.entry, kLargestPicture);
  }
  std::string name(std::int64_t index) const override {
    return place(paths_[at(index).shard], at(index).entry);
  }
  std::int64_t label(std::int64_t index) const override { return at(index).label; }
  std::vector<std::string> class_names() const override { return class_names_; }
  std::uint64_t version(std::int64_t index) const override {
    return versions_[at(index).shard] ^ at(index).entry.offset;
  }
  std::vector<std::int64_t> stretches() const override { return stretches_; }

 private:
  const Picture& at(std::int64_t index) const {
    NM_CHECK(index >= 0 && index < size(), "[shards] picture ", index, " of ", size(), " does not exist");
    return pictures_[static_cast<std::size_t>(index)];
  }

  std::vector<Shard> index() {
    std::vector<std::vector<TarEntry>> entries(paths_.size());
    cpu::parallel_for(std::ssize(paths_), 1, [&](std::int64_t begin, std::int64_t) {
      const auto s = static_cast<std::size_t>(begin);
      entries[s] = list_tar(paths_[s]);
    });
    for (const auto& list : entries)
      numbered_ = numbered_ || std::any_of(list.begin(), list.end(),
                                           [](const TarEntry& entry) { return is_label(entry.name); });
    std::vector<Shard> shards(paths_.size());
    cpu::parallel_for(std::ssize(paths_), 1, [&](std::int64_t begin, std::int64_t) {
      const auto s = static_cast<std::size_t>(begin);
      shards[s] = (numbered_ ? pair_with_labels : label_by_folder)(paths_[s], std::move(entries[s]));
    });
    return shards;
  }

  std::vector<std::string> names_in(const std::vector<Shard>& shards) const {
    std::set<std::string> found;
    for (const Shard& shard : shards) found.insert(shard.classes.begin(), shard.classes.end());
    if (!numbered_) return {found.begin(), found.end()};
    std::int64_t most = -1;
    for (const std::string& number : found)
      most = std::max(most, static_cast<std::int64_t>(std::stoll(number)));
    std::vector<std::string> names;
    for (std::int64_t k = 0; k <= most; ++k) names.push_back(std::to_string(k));
    return names;
  }

  std::vector<fs::path> paths_;
  std::vector<std::string> class_names_;
  bool numbered_ = false;  // labels are numbers in .cls files
  std::vector<Picture> pictures_;
  std::vector<std::int64_t> stretches_;
  std::vector<std::uint64_t> versions_;  // of the archives
};

/// Archives directly in a folder whose names begin so.
std::vector<fs::path> archives(const fs::path& folder, std::string_view prefix) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (!name.starts_with('.') && name.starts_with(prefix) && lower(name).ends_with(".tar") &&
        fs::is_regular_file(it->path()))
      found.push_back(it->path());
  }
  NM_CHECK_AS(DataError, !error, folder.string(), ": cannot be listed: ", error.message());
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

std::vector<fs::path> shards_in(const fs::path& path) {
  if (fs::is_regular_file(path)) return {path};
  NM_CHECK_AS(DataError, fs::is_directory(path), path.string(), ": no such file or folder");
  std::vector<fs::path> found = archives(path, "");
  NM_CHECK_AS(DataError, !found.empty(), path.string(), ": no *.tar files inside");
  return found;
}

std::vector<fs::path> shards_of_split(const fs::path& root, bool train) {
  NM_CHECK_AS(DataError, !root.empty(),
              "shards needs a path: the folder that holds train/*.tar and test/*.tar");
  NM_CHECK_AS(DataError, fs::is_directory(root), root.string(), ": no such folder");
  const std::vector<std::string> names =
      train ? std::vector<std::string>{"train"} : std::vector<std::string>{"test", "val"};
  for (const std::string& name : names)
    if (fs::is_directory(root / name)) return shards_in(root / name);
  for (const std::string& name : names)
    if (std::vector<fs::path> found = archives(root, name); !found.empty()) return found;
  fail<DataError>(root.string(), ": no shards for ", train ? "training" : "testing", ", expected ",
                  train ? "train/*.tar or train*.tar" : "test/*.tar, val/*.tar, test*.tar or val*.tar");
}

std::shared_ptr<const EncodedPictures> open_tar_shards(const std::vector<fs::path>& shards,
                                                       std::vector<std::string> class_names,
                                                       std::int64_t limit) {
  NM_CHECK_AS(DataError, !shards.empty(), "[shards] no archives given");
  auto opened = std::make_shared<TarShards>(shards, std::move(class_names));
  opened->cut(limit);
  return opened;
}

std::shared_ptr<const EncodedPictures> open_split_shards(const fs::path& root, bool train,
                                                         std::int64_t limit) {
  const std::vector<fs::path> shards = shards_of_split(root, train);
  const fs::path classes = root / "classes.txt";
  std::vector<std::string> names;
  if (fs::exists(classes)) {
    names = read_file_lines(classes);
    const std::set<std::string> distinct(names.begin(), names.end());
    NM_CHECK_AS(DataError, !names.empty() && distinct.size() == names.size(), classes.string(), ": ",
                names.empty() ? "is empty" : "names a class twice", ", expected one class a line");
    for (const std::string& name : names)
      NM_CHECK_AS(DataError, printable(name, name.size()) == name, classes.string(),
                  ": has control characters in ", printable(name));
  } else if (!train) {
    names = open_tar_shards(shards_of_split(root, true))->class_names();
  }
  return open_tar_shards(shards, std::move(names), limit);
}

}  // namespace noisymix
