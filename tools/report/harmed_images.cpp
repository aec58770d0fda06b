#include "tools/report/harmed_images.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "augment/normalize.h"
#include "engine/autograd.h"
#include "engine/error.h"
#include "tools/evaluation/type_labels.h"

namespace noisymix::report {
namespace {

/// Class and largest softmax probability.
struct Answer {
  std::size_t label = 0;
  double confidence = 0;
};

Answer answer_of(const float* logits, std::size_t classes) {
  Answer answer;
  answer.label = static_cast<std::size_t>(std::max_element(logits, logits + classes) - logits);
  double sum = 0;
  for (std::size_t k = 0; k < classes; ++k)
    sum += std::exp(static_cast<double>(logits[k] - logits[answer.label]));
  answer.confidence = 1 / sum;
  return answer;
}

std::vector<Answer> answers(const LoadedRun& run, const std::vector<Image>& images, std::int64_t batch) {
  std::vector<Answer> result;
  const auto classes = static_cast<std::size_t>(run.card.classes());
  for (std::size_t first = 0; first < images.size(); first += static_cast<std::size_t>(batch)) {
    const std::size_t count = std::min(images.size() - first, static_cast<std::size_t>(batch));
    const Image& like = images[first];
    Tensor x = Tensor::empty({static_cast<std::int64_t>(count), like.height, like.width, like.channels});
    float* out = x.mutable_data<float>();
    for (std::size_t i = 0; i < count; ++i)
      normalize(images[first + i], run.normalization, out + i * like.pixels.size());
    const std::vector<float> logits =
        (*run.model)(x.to(run.model->device()), Context::evaluation()).to_vector<float>();
    for (std::size_t i = 0; i < count; ++i) result.push_back(answer_of(logits.data() + i * classes, classes));
  }
  return result;
}

std::string class_name(const LoadedRun& run, std::size_t label) {
  return label < run.card.class_names.size() ? run.card.class_names[label] : std::to_string(label);
}

std::vector<Image> corrupt(const std::vector<Image>& clean, const Corruption& corruption, Key key) {
  std::vector<Image> result(clean.size());
  Scratch scratch;
  for (std::size_t i = 0; i < clean.size(); ++i) {
    corruption.apply(clean[i], key.child(static_cast<std::int64_t>(i)), scratch, result[i]);
  }
  return result;
}

/// Places of confident mistakes on images that were right, the most confident first.
std::vector<std::size_t> mistakes(const std::vector<std::size_t>& labels, const std::vector<Answer>& before,
                                  const std::vector<Answer>& after) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (before[i].label == labels[i] && after[i].label != labels[i] && std::isfinite(after[i].confidence)) {
      places.push_back(i);
    }
  }
  std::stable_sort(places.begin(), places.end(),
                   [&](std::size_t a, std::size_t b) { return after[a].confidence > after[b].confidence; });
  return places;
}

}  // namespace

std::vector<HarmedImage> collect_harmed_images(const LoadedRun& run, const Dataset& data,
                                               const CorruptionMaker& make, const HarmedOptions& options) {
  const NoGrad unrecorded;
  NM_CHECK(options.batch > 0, "[harmed images] expects a positive batch, got ", options.batch);
  std::vector<HarmedImage> result;
  if (data.sample_shape().size() != 3) return result;
  std::vector<Image> clean;
  std::vector<std::size_t> labels;
  for (std::int64_t i = 0; i < std::min(options.searched, data.size()); ++i) {
    Example example = data.get(i);
    clean.push_back(std::move(example.image));
    labels.push_back(static_cast<std::size_t>(example.label));
  }
  const std::vector<Answer> before = answers(run, clean, options.batch);
  std::set<std::size_t> shown;
  for (const std::string& type : options.types) {
    const Key key = Key(options.evaluation_seed)
                        .child("corruption")
                        .child(std::string_view(type))
                        .child(options.severity);
    const std::vector<Image> corrupted = corrupt(clean, *make(type, options.severity), key);
    const std::vector<Answer> after = answers(run, corrupted, options.batch);
    std::size_t taken = 0;
    for (const std::size_t i : mistakes(labels, before, after)) {
      if (taken == options.per_type) break;
      if (!shown.insert(i).second) continue;
      ++taken;
      result.push_back({clean[i],
                        corrupted[i],
                        class_name(run, labels[i]),
                        label_of_type(type) + ", severity " + std::to_string(options.severity),
                        {class_name(run, before[i].label), before[i].confidence},
                        {class_name(run, after[i].label), after[i].confidence}});
    }
  }
  return result;
}

}  // namespace noisymix::report
