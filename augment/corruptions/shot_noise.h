// Corruption "shot_noise": every value is counted in photons.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "augment/corruptions/corruption.h"

namespace noisymix {

/// Photons of a white value, by parameter set.
inline constexpr BySeverity<int> kShotNoise[] = {
    {500, 250, 100, 75, 50},
    {250, 100, 50, 30, 15},
    {60, 25, 12, 5, 3},
};

/// Poisson draws for the 256 means byte / 255 * photons: one word and one look-up each. Probabilities are
/// exact to 2^-32 up to 500 photons, which is all that the corruption needs, and to 2^-23 up to 700.
class PhotonCounts {
 public:
  /// Throws ShapeError unless 1 <= photons <= 700.
  explicit PhotonCounts(int photons);
  /// One count for each byte. More than `photons` cannot be told apart in the result and is drawn as
  /// `photons`.
  void draw(Key key, std::span<const std::uint8_t> bytes, Scratch& scratch,
            std::span<std::uint16_t> counts) const;

 private:
  void fill_row(int byte, int photons, const std::vector<double>& log_factorials);

  int bits_;  ///< of a word that choose the column of a byte's row
  std::vector<std::uint32_t>
      entries_;                      ///< 256 rows: a share of 2^24 to stay in the column, and else which one
  std::vector<std::int32_t> bases_;  ///< the count that the first column of a row means
};

/// clip(count / photons) times 255, truncated. `counts` has one entry per byte of the image. `values`, unless
/// null, receives what is truncated.
template <class Count>
void shot_noise(const Image& image, std::span<const Count> counts, int photons, Image& out,
                double* values = nullptr);

std::unique_ptr<Corruption> make_shot_noise(ParameterSet set, int severity);

}  // namespace noisymix
