#include "data/registry.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "data/cifar.h"
#include "data/decoded_pictures.h"
#include "data/idx.h"
#include "data/image_folder.h"
#include "data/image_transform.h"
#include "data/imagenet.h"
#include "data/shapes.h"
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
Opened circles(const DatasetOptions& o) {
  return make_circles(o.seed, o.train, o.count);
}
Opened polygon(const DatasetOptions& o) {
  return make_polygon(o.seed, o.train, o.count);
}
/// A set over pictures that are decoded when needed.
Opened decoded(const DatasetOptions& o, PictureSizes sizes,
               std::shared_ptr<const EncodedPictures> (*open)(const std::filesystem::path&, bool)) {
  return make_decoded_dataset(
      open(o.path, o.train), sizes,
      o.name + ", " + (o.train ? "train" : "test") + " split, from " + o.path.string());
}
Opened imagenet(const DatasetOptions& o) {
  return decoded(o, PictureSizes::any, open_imagenet);
}
Opened imagenet_r(const DatasetOptions& o) {
  return decoded(o, PictureSizes::any, open_imagenet_r);
}
Opened imagenette(const DatasetOptions& o) {
  return decoded(o, PictureSizes::any, open_imagenette);
}
Opened restricted_imagenet(const DatasetOptions& o) {
  return decoded(o, PictureSizes::any, open_restricted_imagenet);
}
Opened tiny_imagenet(const DatasetOptions& o) {
  return decoded(o, o.transform.active() ? PictureSizes::any : PictureSizes::equal, open_tiny_imagenet);
}

constexpr Entry kEntries[] = {
    {"shapes", "built in: textured shapes on textured grounds, 32x32 RGB, 10 classes, drawn from a seed",
     shapes},
    {"cifar10", "CIFAR-10, 32x32 RGB, 10 classes: path holds cifar-10-batches-bin/", cifar10},
    {"cifar100", "CIFAR-100, 32x32 RGB, 100 fine classes: path holds cifar-100-binary/", cifar100},
    {"mnist", "MNIST and relatives in IDX files, grey: path holds train-images-idx3-ubyte[.gz] and so on",
     mnist},
    {"folder", "PNG and JPEG files: path holds train/CLASS/ and test/CLASS/, or CLASS/ alone", folder},
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
    Opened dataset = entry.open(options);
    if (options.limit > 0 && options.limit < dataset->size()) dataset = make_subset(dataset, options.limit);
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
