// Names of corruptions, perturbations and attacks for people.
#pragma once

#include <string>
#include <string_view>

namespace noisymix {

/// "Gaussian noise" for "gaussian_noise"; names without an entry of their own get spaces for underscores.
std::string label_of_type(std::string_view type);

}  // namespace noisymix
