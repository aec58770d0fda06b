// Operations on 8-bit images, byte for byte those of the imaging library that the published methods were run
// with: truncation instead of rounding, black fill, per-channel tables.
//
// All write to `out`, which takes the shape of `image` and keeps its memory from call to call. `out` must be
// another object than `image`. Images are grey or RGB.
#pragma once

#include <array>

#include "augment/image.h"

namespace noisymix {

// --- Tables: each byte is replaced by a function of itself
// --------------------------------------------------------

/// Stretches every channel so that its darkest value becomes 0 and its brightest 255; constant channels stay.
void autocontrast(const Image& image, Image& out);
/// Flattens every channel's histogram.
void equalize(const Image& image, Image& out);
/// Keeps the top `bits` bits, 0 (black) to 8 (unchanged).
void posterize(const Image& image, Image& out, int bits);
/// Inverts all values >= threshold, 0 (invert everything) to 256 (unchanged).
void solarize(const Image& image, Image& out, int threshold);
/// 255 - v.
void invert(const Image& image, Image& out);

// --- Geometry: bilinear, black outside
// ----------------------------------------------------------------------------

/// Output pixel (x, y) shows the source at (m0 x' + m1 y' + m2, m3 x' + m4 y' + m5), where x' = x + 1/2, y' =
/// y + 1/2 are pixel centres. Sources outside the image are black; inside, neighbours beyond the border
/// repeat it.
using AffineMatrix = std::array<double, 6>;
void affine(const Image& image, Image& out, const AffineMatrix& matrix);
/// Counter-clockwise about the centre, in degrees. Multiples of 90 (square images; 0 and 180 always) are
/// exact.
void rotate(const Image& image, Image& out, double degrees);
/// The matrix rotate() uses, entries rounded to 15 decimals.
AffineMatrix rotation_matrix(int width, int height, double degrees);
/// affine with (1, factor, 0, 0, 1, 0) and (1, 0, 0, factor, 1, 0): the image's origin stays in place.
void shear_x(const Image& image, Image& out, double factor);
void shear_y(const Image& image, Image& out, double factor);
/// Content moves left / up by `shift` whole pixels (right / down when negative).
void translate_x(const Image& image, Image& out, int shift);
void translate_y(const Image& image, Image& out, int shift);
/// The same affine map by the nearest pixel, in the imaging library's 16.16 fixed-point arithmetic. Throws
/// ShapeError unless the entries are finite and below 1e9.
void affine_nearest(const Image& image, Image& out, const AffineMatrix& matrix);
/// rotate() by the nearest pixel.
void rotate_nearest(const Image& image, Image& out, double degrees);
/// Mirrors left and right.
void flip_horizontal(const Image& image, Image& out);
/// The image surrounded by `padding` black pixels, then its part of the original size whose upper left corner
/// is (top, left), each in 0..2 * padding.
void pad_crop(const Image& image, Image& out, int padding, int top, int left);

/// Paints the square of `side` pixels about (centre_x, centre_y) with the grey (125, 123, 114), which is near
/// the mean of photographs (123 in grey images). The part outside the image is cut off, not moved; the corner
/// is truncated and both ends are painted, as the imaging library draws rectangles. Nothing for side <= 0.
void cutout(const Image& image, Image& out, double centre_x, double centre_y, double side);

// --- Blends of the image with a degenerate one: degenerate + factor * (image - degenerate), truncated
// ---------------

/// Saturation: the degenerate image is grey. Grey images stay as they are.
void color(const Image& image, Image& out, double factor);
/// The degenerate image is constant, the rounded mean of the grey image.
void contrast(const Image& image, Image& out, double factor);
/// The degenerate image is black.
void brightness(const Image& image, Image& out, double factor);
/// The degenerate image is smoothed over 3 x 3 pixels, the border excepted.
void sharpness(const Image& image, Image& out, double factor);
/// One channel, the weighted sum 0.299 R + 0.587 G + 0.114 B in 16-bit fixed point.
void grayscale(const Image& image, Image& out);

// --- For the implementation
// -----------------------------------------------------------------------------------------

/// Gives `out` the shape height x width x channels; no allocation when its memory suffices.
inline void set_shape(Image& out, int height, int width, int channels) {
  out.height = height;
  out.width = width;
  out.channels = channels;
  out.pixels.resize(static_cast<std::size_t>(height) * out.stride());
}
inline void set_shape_like(Image& out, const Image& image) {
  set_shape(out, image.height, image.width, image.channels);
}

/// Rotations that move whole pixels: by 0 and 180 degrees and, of squares, 90 and 270. False for all others,
/// which leave `out` as it is.
bool rotate_by_quarters(const Image& image, Image& out, double degrees);

/// Row y of affine() with columns [begin, end), in double precision pixel by pixel: the reference that the
/// faster routines fall back to wherever their error could change a byte. Writes the columns only.
void affine_row_exact(const Image& image, Image& out, const AffineMatrix& matrix, int y, int begin, int end);

}  // namespace noisymix
