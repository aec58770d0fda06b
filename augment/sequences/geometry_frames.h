// Frames that move every pixel: translation, rotation, scale, shear; and tilt, the view of a turned plane.
#pragma once

#include <array>

#include "augment/image_ops.h"

namespace noisymix {

/// A pose of the image: turned clockwise about its centre, enlarged, sheared along its rows.
struct Pose {
  double degrees = 0, scale = 1, shear_degrees = 0;
};

/// The matrix for affine() that shows a width x height image in a pose, as torchvision computes it, with the
/// centre (width, height) / 2. With `legacy_centre` as its version 0.2 did: the centre is half a pixel
/// further in both directions, and shear by a degrees also shrinks the height by cos(a).
AffineMatrix pose_matrix(int width, int height, const Pose& pose, bool legacy_centre = false);

/// The row-major 3 x 3 matrix from pixel indices of an image to those of its view when its plane is turned by
/// `phi_degrees` about the vertical and `theta_degrees` about the horizontal axis, at a distance and with a
/// focal length of its diagonal.
std::array<double, 9> tilt_matrix(int width, int height, double phi_degrees, double theta_degrees);

}  // namespace noisymix
