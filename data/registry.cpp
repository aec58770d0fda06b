#include "data/registry.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "data/added_pictures.h"
#include "data/cifar.h"
#include "data/decoded_pictures.h"
#include "data/idx.h"
#include "data/image_folder.h"
#include "data/image_transform.h"
#include "data/imagenet.h"
#include "data/shapes.h"
#include "data/tar_shards.h"
#include "data/toy.h"
#include "engine/error.h"

namespace noisymix {
namespace {

using Opened = std::shared_ptr<const Dataset>;

struct Entry {
  const char* name;
  const char* description;
  Opened (*open)(const DatasetOptions&);
  bool mixed_sizes = false;
};

Opened shapes(const DatasetOptions& o) {
  return make_shapes(o.seed, o.train, o.count);
}
Opened cifar10(const DatasetOptions& o) {
  return open_cifar(o.path, CifarKind::cifar10, o.train);
}
Opened cifar100(const DatasetOptions& o) {
  return open_cifar(o.path, CifarKind::cifar100, o.train);
}
Opened mnist(const DatasetOptions& o) {
  return open_mnist(o.path, o.train);
}
Opened folder(const DatasetOptions& o) {
  return open_image_folder(o.path, o.train, o.image_size, o.limit);
}
/// A set over pictures that are decoded when needed, or once into a cache.
Opened decoded(const DatasetOptions& o, PictureSizes sizes, std::shared_ptr<const EncodedPictures> pictures,
               const std::string& description) {
  if (o.cache.empty())
    return make_decoded_dataset(std::move(pictures), {sizes, o.image_size, o.fast_decode}, description);
  const std::string split = o.train ? "train" : "test";
  const CacheOptions cache{.file = o.cache / (split + "-" + std::to_string(o.image_size) + ".cache"),
                           .side = o.image_size,
                           .fast_decode = o.fast_decode,
                           .progress = o.progress,
                           .should_stop = o.should_stop};
  return make_cached(std::move(pictures), sizes, cache, description);
}
Opened shards(const DatasetOptions& o) {
  return decoded(o, o.image_size > 0 ? PictureSizes::square : PictureSizes::any,
                 open_split_shards(o.path, o.train, o.limit),
                 std::string("pictures, ") + (o.train ? "train" : "test") + " split, from the shards in " +
                     o.path.string());
}
Opened circles(const DatasetOptions& o) {
  return make_circles(o.seed, o.train, o.count);
}
Opened polygon(const DatasetOptions& o) {
  return make_polygon(o.seed, o.train, o.count);
}
/// A layout of class folders.
Opened layout(const DatasetOptions& o, PictureSizes sizes,
              std::shared_ptr<const EncodedPictures> (*open)(const std::filesystem::path&, bool)) {
  return decoded(o, sizes, open(o.path, o.train),
                 o.name + ", " + (o.train ? "train" : "test") + " split, from " + o.path.string());
}
Opened imagenet(const DatasetOptions& o) {
  return layout(o, PictureSizes::any, open_imagenet);
}
Opened imagenet_r(const DatasetOptions& o) {
  return layout(o, PictureSizes::any, open_imagenet_r);
}
Opened imagenette(const DatasetOptions& o) {
  return layout(o, PictureSizes::any, open_imagenette);
}
Opened restricted_imagenet(const DatasetOptions& o) {
  return layout(o, PictureSizes::any, open_restricted_imagenet);
}
Opened tiny_imagenet(const DatasetOptions& o) {
  return layout(o, o.transform.active() ? PictureSizes::any : PictureSizes::equal, open_tiny_imagenet);
}

constexpr Entry kEntries[] = {
    {"shapes", "built in: textured shapes on textured grounds, 32x32 RGB, 10 classes, drawn from a seed",
     shapes},
    {"cifar10", "CIFAR-10, 32x32 RGB, 10 classes: path holds cifar-10-batches-bin/", cifar10},
    {"cifar100", "CIFAR-100, 32x32 RGB, 100 fine classes: path holds cifar-100-binary/", cifar100},
    {"mnist", "MNIST and relatives in IDX files, grey: path holds train-images-idx3-ubyte[.gz] and so on",
     mnist},
    {"folder", "PNG and JPEG files: path holds train/CLASS/ and test/CLASS/, or CLASS/ alone", folder},
    {"shards",
     "PNG and JPEG files in tar archives: path holds train/*.tar and test/*.tar; see noisymix data shard",
     shards},
    {"imagenet", "ImageNet-1k, decoded when needed: path holds train/CLASS/ and val/CLASS/", imagenet, true},
    {"tiny-imagenet", "Tiny-ImageNet, 64x64, 200 classes: path holds train/CLASS/images/ and val/",
     tiny_imagenet},
    {"imagenet-r", "ImageNet-R, renditions of 200 ImageNet classes, test split only: path holds CLASS/",
     imagenet_r, true},
    {"imagenette", "ImageNette, ten ImageNet classes: path holds train/ and val/ with ten folders each",
     imagenette, true},
    {"restricted-imagenet", "nine super-classes of ImageNet: path as for imagenet", restricted_imagenet,
     true},
    {"circles", "built in: two noisy concentric circles of points", circles},
    {"polygon", "built in: points inside and outside a concave polygon, with label noise at its border",
     polygon},
};

/// The set of the options as its reader gives it, limited.
Opened open_limited(const Entry& entry, const DatasetOptions& options) {
  Opened dataset = entry.open(options);
  if (options.limit > 0 && options.limit < dataset->size()) return make_subset(dataset, options.limit);
  return dataset;
}

Opened with_partners(const Entry& entry, const DatasetOptions& options, Opened dataset) {
  DatasetOptions others = options;
  others.path = options.paired;
  Opened partners;
  if (options.name == "folder") {
    FolderListing originals = list_image_folder(options.path, true);
    const auto count = static_cast<std::size_t>(dataset->size());  // less than all with a limit
    originals.files.resize(count);
    originals.labels.resize(count);
    partners = open_listing(list_partners(originals, options.path, options.paired), options.image_size,
                            "pictures from " + options.paired.string());
  } else {
    partners = open_limited(entry, others);
    check_same_labels(*dataset, *partners);
  }
  return make_paired(std::move(dataset), std::move(partners), options.paired_share);
}

Opened with_extra(const DatasetOptions& options, Opened dataset) {
  Opened extra = open_listing(list_extra(options.extra, dataset->class_names()), options.image_size,
                              "extra pictures from " + options.extra.string());
  return make_joined(std::move(dataset), std::move(extra));
}

std::string known_names() {
  std::string names;
  for (const Entry& entry : kEntries) names += (names.empty() ? "" : ", ") + std::string(entry.name);
  return names;
}

}  // namespace

std::shared_ptr<const Dataset> open_dataset(const DatasetOptions& options) {
  NM_CHECK_AS(ConfigError, options.limit >= 0, "data set limit is ", options.limit,
              ", expected 0 (all) or more");
  for (const Entry& entry : kEntries) {
    if (options.name != entry.name) continue;
    Opened dataset = open_limited(entry, options);
    if (options.train && !options.paired.empty()) dataset = with_partners(entry, options, std::move(dataset));
    if (options.train && !options.extra.empty()) dataset = with_extra(options, std::move(dataset));
    return make_transformed(std::move(dataset), options.transform);
  }
  fail<ConfigError>("unknown data set '", options.name, "', expected one of ", known_names());
}

bool has_mixed_sizes(const std::string& name) {
  return std::any_of(std::begin(kEntries), std::end(kEntries),
                     [&](const Entry& entry) { return entry.name == name && entry.mixed_sizes; });
}

std::vector<std::pair<std::string, std::string>> list_datasets() {
  std::vector<std::pair<std::string, std::string>> names;
  for (const Entry& entry : kEntries) names.emplace_back(entry.name, entry.description);
  return names;
}

}  // namespace noisymix
