// What the families of sequences share, and how each is made. For the implementation of make_sequence().
#pragma once

#include <memory>
#include <utility>

#include "augment/sequences/sequence.h"
#include "engine/error.h"

namespace noisymix {

/// A value per ParameterSet: CIFAR, Tiny-ImageNet, ImageNet.
template <class Row>
using BySet = Row[3];
template <class Row>
const Row& of_set(const BySet<Row>& table, ParameterSet set) {
  return table[static_cast<std::size_t>(set)];
}

/// A stream that knows the number of its next frame.
class NumberedStream : public FrameStream {
 public:
  explicit NumberedStream(int frames) : frames_(frames) {}
  void next(Image& out) final {
    NM_CHECK(next_ < frames_, "[sequence] the stream has only ", frames_, " frames, all of which were taken");
    write_frame(next_, out);
    ++next_;
  }

 protected:
  /// Called once per frame, in order.
  virtual void write_frame(int i, Image& out) = 0;

 private:
  int frames_;
  int next_ = 0;
};

/// The sequence whose streams are Stream(frames, constants, image, key).
template <class Stream, class Constants>
class SequenceOf : public Sequence {
 public:
  SequenceOf(int frames, Constants constants) : frames_(frames), constants_(std::move(constants)) {}
  int frames() const override { return frames_; }
  std::unique_ptr<FrameStream> start(const Image& image, Key key) const override {
    return std::make_unique<Stream>(frames_, constants_, image, key);
  }

 private:
  int frames_;
  Constants constants_;
};
template <class Stream, class Constants>
std::unique_ptr<Sequence> sequence_of(int frames, Constants constants) {
  return std::make_unique<SequenceOf<Stream, Constants>>(frames, std::move(constants));
}

// Each handles the types of its family; any other is an internal error.
std::unique_ptr<Sequence> make_noise_sequence(SequenceType type, ParameterSet set, int difficulty);
std::unique_ptr<Sequence> make_blur_sequence(SequenceType type, ParameterSet set);
std::unique_ptr<Sequence> make_snow_sequence(ParameterSet set);
std::unique_ptr<Sequence> make_brightness_sequence(ParameterSet set);
std::unique_ptr<Sequence> make_spatter_sequence(ParameterSet set);
std::unique_ptr<Sequence> make_geometry_sequence(SequenceType type, ParameterSet set,
                                                 const SequenceOptions& options);
std::unique_ptr<Sequence> make_tilt_sequence(ParameterSet set);

}  // namespace noisymix
