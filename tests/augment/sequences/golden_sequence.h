// Recorded perturbation sequences: an image, draws, and the frames that the benchmark's own generator made.
#pragma once

#include <string>
#include <vector>

#include "augment/sequences/sequence.h"
#include "tests/augment/corruptions/golden_case.h"

namespace noisymix::testing {

inline const Safetensors& golden_sequence_arrays() {
  static const Safetensors arrays = read_safetensors(fixture_path("perturbations/perturbations.safetensors"));
  return arrays;
}

struct GoldenSequence {
  Image input;
  std::vector<Image> frames;
  nlohmann::json entry;  ///< of the manifest
};

/// Every recorded case of a perturbation ("rotate", "rotate_legacy_centre"); at least one.
inline std::vector<GoldenSequence> golden_sequences(const std::string& perturbation) {
  static const auto manifest = read_json(fixture_path("perturbations/manifest.json"));
  std::vector<GoldenSequence> cases;
  for (const auto& entry : manifest["cases"]) {
    if (entry["perturbation"] != perturbation) continue;
    GoldenSequence golden;
    golden.entry = entry;
    golden.input = golden_image(golden_sequence_arrays().at("images"), entry["image"].get<int>());
    const Tensor frames = golden_sequence_arrays().at(entry["tensor"].get<std::string>());
    REQUIRE(frames.dim(0) == entry["frames"].get<int>());
    for (int i = 0; i < frames.dim(0); ++i) golden.frames.push_back(golden_image(frames, i));
    cases.push_back(std::move(golden));
  }
  REQUIRE(!cases.empty());
  return cases;
}

/// All frames of a sequence.
inline std::vector<Image> frames_of(const Sequence& sequence, const Image& image, Key key) {
  const auto stream = sequence.start(image, key);
  std::vector<Image> frames(static_cast<std::size_t>(sequence.frames()));
  for (Image& frame : frames) stream->next(frame);
  return frames;
}

/// Replays the recorded cases of a type that draws nothing, with the constants of CIFAR-P: no frame may
/// differ by more than `levels`, nor in more than `share` of its bytes.
inline void check_golden_sequence(SequenceType type, int levels, double share,
                                  const SequenceOptions& options = {}) {
  const auto sequence = make_sequence(type, ParameterSet::cifar, 1, options);
  for (const auto& golden :
       golden_sequences(std::string(name_of(type)) + (options.legacy_centre ? "_legacy_centre" : ""))) {
    REQUIRE(golden.frames.size() == static_cast<std::size_t>(sequence->frames()));
    const auto frames = frames_of(*sequence, golden.input, Key(1));
    for (std::size_t i = 0; i < frames.size(); ++i) {
      CAPTURE(i);
      const Difference d = difference(frames[i], golden.frames[i]);
      CHECK(d.largest <= levels);
      CHECK(d.share <= share);
    }
  }
}

}  // namespace noisymix::testing
