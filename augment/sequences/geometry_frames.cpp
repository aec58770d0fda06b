#include "augment/sequences/geometry_frames.h"

#include <cmath>
#include <numbers>

#include "augment/sequences/families.h"

namespace noisymix {
namespace {

double radians(double degrees) {
  return degrees * (std::numbers::pi / 180);
}

/// Lets a linear map leave (x, y) in place.
void fix_point(AffineMatrix& m, double x, double y) {
  m[2] = m[0] * -x + m[1] * -y + x;
  m[5] = m[3] * -x + m[4] * -y + y;
}

struct Constants {
  SequenceType type;
  double first = 0,
         step = 1;  ///< of the translation in pixels, the angle in degrees, or the scale in percent
  bool legacy_centre = false;
};

class GeometryStream : public NumberedStream {
 public:
  GeometryStream(int frames, const Constants& constants, Image image, Key)
      : NumberedStream(frames), constants_(constants), image_(std::move(image)) {}

 protected:
  void write_frame(int i, Image& out) override {
    const double amount = constants_.first + constants_.step * i;
    Pose pose;
    switch (constants_.type) {
      case SequenceType::translate:
        return translate_x(image_, out, -static_cast<int>(amount));
      case SequenceType::rotate:
        pose.degrees = amount;
        break;
      case SequenceType::scale:
        pose.scale = amount / 100;
        break;
      default:
        pose.shear_degrees = amount;
    }
    affine(image_, out, pose_matrix(image_.width, image_.height, pose, constants_.legacy_centre));
  }

 private:
  Constants constants_;
  Image image_;
};

}  // namespace

AffineMatrix pose_matrix(int width, int height, const Pose& pose, bool legacy_centre) {
  const double angle = radians(pose.degrees), shear = radians(pose.shear_degrees);
  AffineMatrix m{};
  if (legacy_centre) {
    const double determinant =
        std::cos(angle + shear) * std::cos(angle) + std::sin(angle + shear) * std::sin(angle);
    const double factor = 1 / pose.scale / determinant;
    m = {factor * std::cos(angle + shear), factor * std::sin(angle + shear), 0,
         factor * -std::sin(angle),        factor * std::cos(angle),         0};
    fix_point(m, width * 0.5 + 0.5, height * 0.5 + 0.5);
  } else {
    const double sine = std::sin(angle), cosine = std::cos(angle), slope = std::tan(shear);
    m = {(-sine * slope + cosine) / pose.scale,
         (cosine * slope + sine) / pose.scale,
         0,
         -sine / pose.scale,
         cosine / pose.scale,
         0};
    fix_point(m, width * 0.5, height * 0.5);
  }
  return m;
}

std::unique_ptr<Sequence> make_geometry_sequence(SequenceType type, ParameterSet set,
                                                 const SequenceOptions& options) {
  static constexpr BySet<int> kTranslateFrames{16, 31, 41}, kTranslateFirst{-7, -15, -20};
  static constexpr BySet<double> kScaleFirst{70, 40, 40}, kScaleStep{2, 2.5, 2.5};
  int frames = 31;
  Constants constants{type, -15, 1, options.legacy_centre};
  switch (type) {
    case SequenceType::translate:
      frames = of_set(kTranslateFrames, set);
      constants.first = of_set(kTranslateFirst, set);
      break;
    case SequenceType::scale:
      constants.first = of_set(kScaleFirst, set);
      constants.step = of_set(kScaleStep, set);
      break;
    case SequenceType::rotate:
    case SequenceType::shear:
      break;
    default:
      NM_ASSERT(false);
  }
  return sequence_of<GeometryStream>(frames, constants);
}

}  // namespace noisymix
