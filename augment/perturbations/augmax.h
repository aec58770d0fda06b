// AugMax: the mixture of an image's augmentation chains that the network likes least.
#pragma once

#include <functional>
#include <vector>

#include "engine/key.h"
#include "engine/tensor.h"

namespace noisymix {

struct AugMaxOptions {
  int iterations = 10;  ///< sign ascent on the weights (original: 5 or 10)
  double step = 0.1;
  int friendly =
      0;  ///< an image stops once it has been misclassified so many times; 0 never (DiGN's form), original 1
};

/// Logits [b, k] of images for the network in evaluation mode.
using LogitsOf = std::function<Tensor(const Tensor& x)>;

/// x_B = (1 - m) x + m sum_i softmax(q)_i c_i per image, with m ~ U(0, 1) and q_i ~ U(0, 1) moved
/// `iterations` times by the sign of the gradient of the summed cross-entropy, m clipped to [0, 1]. clean and
/// every chain [b, h, w, c], labels i64 [b]; so is the result, off the tape. Image i draws from key.child(i):
/// 0 is m, 1.. are q. Throws ConfigError without a chain or for a negative number of iterations or step.
Tensor augmax(const Tensor& clean, const std::vector<Tensor>& chains, const Tensor& labels,
              const LogitsOf& logits_of, const AugMaxOptions& options, Key key);

}  // namespace noisymix
