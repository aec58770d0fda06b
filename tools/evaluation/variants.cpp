#include "tools/evaluation/variants.h"

#include <algorithm>
#include <utility>

#include "data/corrupted_sets.h"
#include "data/image_transform.h"
#include "data/npy.h"
#include "engine/error.h"
#include "tools/evaluation/attack_variants.h"

namespace noisymix {
namespace {

Variant at(const char* suite, const char* type, int severity, double level, std::int64_t examples) {
  Variant variant;
  variant.place.suite = suite;
  variant.place.type = type;
  variant.place.severity = severity;
  variant.place.level = level;
  variant.examples = examples;
  return variant;
}

std::vector<CorruptionType> chosen_types(const EvaluateOptions& options) {
  return options.corruptions.empty() ? corruptions_named({"benchmark"}) : options.corruptions;
}

void add_corruptions(std::vector<Variant>& variants, const EvaluateOptions& options, std::int64_t examples) {
  for (const CorruptionType type : chosen_types(options)) {
    for (const int severity : options.severities) {
      Variant variant = at("corruptions", name_of(type), severity, 0, examples);
      const std::shared_ptr<const Corruption> corruption =
          make_corruption(type, severity, options.parameters, options.corruption_options);
      variant.corrupt = [=, seed = options.seed](const Image& clean, std::int64_t index, Scratch& scratch,
                                                 Image& out) {
        corruption->apply(clean, corruption_key(seed, type, severity, index), scratch, out);
      };
      variants.push_back(std::move(variant));
    }
  }
}

void add_noise(std::vector<Variant>& variants, const EvaluateOptions& options, std::int64_t examples,
               bool images) {
  const Key key = Key(options.seed).child("evaluate");
  for (const double sigma : options.white_noise) {
    Variant variant = at("noise", "white_noise", 0, sigma, examples);
    variant.perturb = [=](const Tensor& x, const Tensor&, const LoadedRun&, std::int64_t first) {
      return add_white_noise(x, sigma, key.child("white_noise"), first);
    };
    variants.push_back(std::move(variant));
  }
  if (!images) return;
  for (const double level : options.salt_pepper) {
    Variant variant = at("noise", "salt_pepper", 0, level, examples);
    variant.perturb = [=, channels = options.channels](const Tensor& x, const Tensor&, const LoadedRun&,
                                                       std::int64_t first) {
      return add_salt_pepper(x, level, channels, key.child("salt_pepper"), first);
    };
    variants.push_back(std::move(variant));
  }
}

std::int64_t limited(std::int64_t examples, std::int64_t limit) {
  return limit > 0 ? std::min(examples, limit) : examples;
}

}  // namespace

std::vector<Variant> make_variants(const EvaluateOptions& options, const Dataset& data) {
  const bool images = data.sample_shape().size() == 3;
  const std::int64_t examples = data.size();
  for (const Suite suite : {Suite::corruptions, Suite::sequences, Suite::attacks, Suite::calibration}) {
    NM_CHECK_AS(ConfigError, images || !options.has(suite), "suite ", name_of(suite), " needs images, ",
                data.description(), " holds points; use clean and noise");
  }
  std::vector<Variant> variants{at("clean", "clean", 0, 0, examples)};
  if (options.has(Suite::noise)) add_noise(variants, options, examples, images);
  if (options.has(Suite::corruptions) || options.has(Suite::calibration))
    add_corruptions(variants, options, examples);
  if (options.has(Suite::attacks)) {
    for (Variant& variant : make_attack_variants(options, limited(examples, options.attack_limit)))
      variants.push_back(std::move(variant));
  }
  return variants;
}

namespace {

std::vector<std::string> names_of(const std::vector<CorruptionType>& types) {
  std::vector<std::string> names;
  for (const CorruptionType type : types) names.emplace_back(name_of(type));
  return names;
}

PictureTreeOptions tree_options(const EvaluateOptions& options, const Dataset& clean) {
  PictureTreeOptions tree;
  tree.image_size = static_cast<int>(clean.sample_shape()[0]);
  tree.unreadable = options.skip_unreadable ? Unreadable::skip : Unreadable::error;
  return tree;
}

/// Rows of an array, 0 when there is none: the file is then reported with all others that lack.
std::int64_t rows_of(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return 0;
  const Shape shape = read_npy_header(file).shape;
  return shape.rank() == 0 ? 0 : shape[0];
}

/// Arrays of another size get the transform of the clean pictures: CIFAR-10-C for a model that sees CIFAR-10
/// at 224 x 224. Those of the same size were corrupted after it.
std::shared_ptr<const Dataset> as_clean(std::shared_ptr<const Dataset> arrays, const Dataset& clean) {
  if (arrays->sample_shape() == clean.sample_shape()) return arrays;
  return make_transformed(std::move(arrays), clean.transform());
}

Variant from_tree(const char* suite, const std::string& type, int severity, const PictureTree& tree) {
  Variant variant = at(suite, type.c_str(), severity, 0, tree.data->size());
  variant.data = tree.data;
  variant.classes = tree.classes;
  return variant;
}

}  // namespace

std::vector<Variant> make_published_variants(const EvaluateOptions& options, const Dataset& data,
                                             const Dataset& whole, const std::filesystem::path& folder) {
  NM_CHECK_AS(ConfigError, data.sample_shape().size() == 3, "corrupted pictures need a model of images, ",
              data.description(), " holds points");
  const std::vector<std::string> types = names_of(chosen_types(options));
  std::vector<Variant> variants{at("clean", "clean", 0, 0, data.size())};
  if (std::filesystem::exists(folder / "labels.npy")) {
    // A set of the beginning only is as good as one of everything.
    const bool beginning = rows_of(folder / (types.front() + ".npy")) == kSeverities * data.size();
    const CorruptedArrays arrays(folder, types, data.class_names(), beginning ? &data : &whole);
    for (const std::string& type : types) {
      for (const int severity : options.severities) {
        variants.push_back(at("corruptions", type.c_str(), severity, 0, data.size()));
        variants.back().data = as_clean(arrays.open(type, severity), data);
      }
    }
    return variants;
  }
  check_corrupted_trees(folder, types);
  for (const std::string& type : types) {
    for (const int severity : options.severities) {
      const std::filesystem::path root = folder / type / std::to_string(severity);
      variants.push_back(from_tree("corruptions", type, severity,
                                   open_picture_tree(root, data.class_names(), tree_options(options, data))));
    }
  }
  return variants;
}

Variant make_renditions_variant(const EvaluateOptions& options, const Dataset& clean,
                                const std::filesystem::path& folder) {
  NM_CHECK_AS(ConfigError, clean.sample_shape().size() == 3, "pictures need a model of images, ",
              clean.description(), " holds points");
  PictureTreeOptions tree = tree_options(options, clean);
  tree.every_class = false;
  tree.transform = clean.transform();
  return from_tree("renditions", folder.filename().string(), 0,
                   open_picture_tree(folder, clean.class_names(), tree));
}

}  // namespace noisymix
