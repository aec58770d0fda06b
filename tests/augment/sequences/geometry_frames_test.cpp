// Frames that move pixels against recorded ones.
#include "augment/sequences/geometry_frames.h"

#include "augment/filters/perspective_warp.h"
#include "tests/augment/images.h"
#include "tests/augment/sequences/golden_sequence.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

void check_matrices(const std::string& perturbation, bool legacy_centre, Pose (*pose_of_frame)(int)) {
  for (const auto& golden : golden_sequences(perturbation)) {
    const auto& matrices = golden.entry["inverse_affine"];
    for (std::size_t i = 0; i < matrices.size(); ++i) {
      CAPTURE(i);
      const auto matrix = pose_matrix(32, 32, pose_of_frame(static_cast<int>(i)), legacy_centre);
      for (std::size_t j = 0; j < 6; ++j)
        CHECK(matrix[j] == doctest::Approx(matrices[i][j].get<double>()).epsilon(1e-14));
    }
  }
}

}  // namespace

TEST_CASE("geometry frames: matrices of rotation, scale and zoom are the recorded ones") {
  const auto rotation = [](int i) { return Pose{.degrees = i - 15.0}; };
  const auto scale = [](int i) { return Pose{.scale = (70 + 2 * i) / 100.0}; };
  for (const bool legacy : {false, true}) {
    const std::string suffix = legacy ? "_legacy_centre" : "";
    check_matrices("rotate" + suffix, legacy, rotation);
    check_matrices("scale" + suffix, legacy, scale);
  }
  check_matrices("zoom_blur", false, [](int i) { return Pose{.scale = 1 + 0.004 * (i + 1)}; });
}

TEST_CASE("geometry frames: translation, rotation and scale are exact") {
  check_golden_sequence(SequenceType::translate, 0, 0);
  check_golden_sequence(SequenceType::rotate, 0, 0);
  check_golden_sequence(SequenceType::scale, 0, 0);
}

TEST_CASE("geometry frames: rotation and scale about the old centre") {
  check_golden_sequence(SequenceType::scale, 0, 0, {.legacy_centre = true});
  // The recorded matrices of rotation differ from pose_matrix() in their last bits, which moves a pixel that
  // lies on a whole number; with these matrices all frames are exact.
  check_golden_sequence(SequenceType::rotate, 1, 0.001, {.legacy_centre = true});
  for (const auto& golden : golden_sequences("rotate_legacy_centre")) {
    for (std::size_t i = 0; i < golden.frames.size(); ++i) {
      Image out;
      affine(golden.input, out, golden.entry["inverse_affine"][i].get<AffineMatrix>());
      CHECK(out == golden.frames[i]);
    }
  }
}

TEST_CASE("geometry frames: shear moves rows about the middle one") {
  const auto matrix = pose_matrix(20, 10, {.shear_degrees = 45});
  const AffineMatrix expected{1, 1, -5, 0, 1, 0};  // the row at height 5 stays
  for (std::size_t j = 0; j < 6; ++j) CHECK(matrix[j] == doctest::Approx(expected[j]));
  const auto old = pose_matrix(20, 10, {.shear_degrees = 45}, true);
  CHECK(old[4] == doctest::Approx(std::sqrt(2.0)));
  CHECK(old[3] == doctest::Approx(0));
}

TEST_CASE("tilt: matrices are the recorded ones") {
  for (const auto& golden : golden_sequences("tilt")) {
    for (std::size_t i = 0; i < golden.frames.size(); ++i) {
      const double degrees = golden.entry["angles_deg"][i];
      CHECK(degrees == 0.75 * (static_cast<double>(i) - 15));
      const auto matrix = tilt_matrix(32, 32, degrees, degrees);
      for (std::size_t j = 0; j < 9; ++j)
        CHECK(matrix[j] ==
              doctest::Approx(golden.entry["matrices"][i][j / 3][j % 3].get<double>()).epsilon(1e-13));
    }
  }
}

TEST_CASE("tilt: warps with the recorded matrices are exact") {
  Scratch scratch;
  for (const auto& golden : golden_sequences("tilt")) {
    for (std::size_t i = 0; i < golden.frames.size(); ++i) {
      CAPTURE(i);
      std::array<double, 9> matrix;
      for (std::size_t j = 0; j < 9; ++j) matrix[j] = golden.entry["matrices"][i][j / 3][j % 3];
      Image out;
      perspective_warp(golden.input, matrix, scratch, out);
      CHECK(difference(out, golden.frames[i]).share == 0);
    }
  }
}

TEST_CASE("tilt: frames are exact") {
  check_golden_sequence(SequenceType::tilt, 0, 0);
}

TEST_CASE("geometry frames: the middle frame of every type is the image") {
  for (const auto type :
       {SequenceType::translate, SequenceType::rotate, SequenceType::scale, SequenceType::shear}) {
    for (const int channels : {1, 3}) {
      const Image image = random_image(17, 33, channels, Key(2));
      const auto frames = frames_of(*make_sequence(type, ParameterSet::cifar), image, Key(0));
      const bool is_whole = type != SequenceType::scale;  // the scale of frame 15 is 1 up to rounding
      CHECK(difference(frames[type == SequenceType::translate ? 7 : 15], image).largest <=
            (is_whole ? 0 : 1));
      CHECK(difference(frames[0], image).share > 0.2);
      CHECK(difference(frames.back(), image).share > 0.2);
    }
  }
}
