#include "tools/evaluation/type_labels.h"

#include <algorithm>
#include <cctype>
#include <utility>

namespace noisymix {
namespace {

// Where the name is not just the words of the identifier.
constexpr std::pair<std::string_view, const char*> kLabels[] = {
    {"gaussian_noise", "Gaussian noise"},
    {"gaussian_noise_2", "Gaussian noise 2"},
    {"gaussian_noise_3", "Gaussian noise 3"},
    {"gaussian_blur", "Gaussian blur"},
    {"jpeg_compression", "JPEG"},
    {"elastic_transform", "Elastic"},
    {"salt_pepper", "Salt & pepper"},
    {"fgsm", "FGSM"},
    {"pgd_linf", "PGD, L\xE2\x88\x9E"},
    {"pgd_l2", "PGD, L2"},
};

}  // namespace

std::string label_of_type(std::string_view type) {
  for (const auto& [name, label] : kLabels) {
    if (name == type) return label;
  }
  std::string label(type);
  std::replace(label.begin(), label.end(), '_', ' ');
  if (!label.empty()) label[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(label[0])));
  return label;
}

}  // namespace noisymix
