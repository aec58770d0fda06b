// Tilt: the image as a plane in space, turned about both of its axes, seen through a pinhole.
#include <cmath>
#include <numbers>

#include "augment/filters/perspective_warp.h"
#include "augment/sequences/families.h"
#include "augment/sequences/geometry_frames.h"

namespace noisymix {

std::array<double, 9> tilt_matrix(int width, int height, double phi_degrees, double theta_degrees) {
  const double phi = phi_degrees * (std::numbers::pi / 180), theta = theta_degrees * (std::numbers::pi / 180);
  const double focal = std::sqrt(static_cast<double>(width) * width + static_cast<double>(height) * height);
  const double x = width / 2.0, y = height / 2.0;
  // Rows of the rotation: about the vertical axis first. The plane lies at depth 1, so its third column
  // counts.
  const double turned[3][3] = {
      {std::cos(phi), 0, -std::sin(phi)},
      {-std::sin(theta) * std::sin(phi), std::cos(theta), -std::sin(theta) * std::cos(phi)},
      {std::cos(theta) * std::sin(phi), std::sin(theta), std::cos(theta) * std::cos(phi)}};
  double placed[3][3];
  for (int r = 0; r < 3; ++r) {
    placed[r][0] = turned[r][0];
    placed[r][1] = turned[r][1];
    placed[r][2] = turned[r][0] * -x + turned[r][1] * -y + turned[r][2];
  }
  placed[2][2] += focal;
  std::array<double, 9> matrix;
  for (std::size_t c = 0; c < 3; ++c) {
    matrix[c] = focal * placed[0][c] + x * placed[2][c];
    matrix[3 + c] = focal * placed[1][c] + y * placed[2][c];
    matrix[6 + c] = placed[2][c];
  }
  return matrix;
}

namespace {

class TiltStream : public NumberedStream {
 public:
  TiltStream(int frames, double step_degrees, Image image, Key)
      : NumberedStream(frames), step_degrees_(step_degrees), image_(std::move(image)) {}

 protected:
  void write_frame(int i, Image& out) override {
    const double degrees = step_degrees_ * (i - 15);
    perspective_warp(image_, tilt_matrix(image_.width, image_.height, degrees, degrees), scratch_, out);
  }

 private:
  double step_degrees_;
  Image image_;
  Scratch scratch_;
};

}  // namespace

std::unique_ptr<Sequence> make_tilt_sequence(ParameterSet set) {
  static constexpr BySet<double> kStep{0.75, 1, 1};
  return sequence_of<TiltStream>(31, of_set(kStep, set));
}

}  // namespace noisymix
