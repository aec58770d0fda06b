#include "tools/policy_file.h"

#include <nlohmann/json.hpp>

#include "augment/policies/auto_augment.h"
#include "augment/policies/fast_auto_augment.h"
#include "data/file_bytes.h"
#include "engine/error.h"
#include "engine/nearest_name.h"

namespace noisymix {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kLargestPolicyFile = std::uint64_t{16} << 20;
constexpr const char* kShape = "[[[\"Rotate\", 0.7, 0.2], ...], ...]";

Json parse(const std::filesystem::path& path, const std::string& file) {
  const Bytes bytes = read_file_bytes(path, kLargestPolicyFile);
  try {
    return Json::parse(bytes.begin(), bytes.end());
  } catch (const Json::parse_error& error) {
    fail<DataError>(file, ": is no JSON from byte ", error.byte, " on, expected a list of sub-policies, ",
                    kShape);
  } catch (const Json::exception&) {
    fail<DataError>(file, ": holds a number out of range, expected a list of sub-policies, ", kShape);
  }
}

PolicyOperation operation_of(const std::string& place, const std::string& name) {
  if (const auto operation = find_policy_operation(name)) return *operation;
  const std::string near = name.size() > 60 ? "" : nearest_name(name, policy_operation_names());
  std::string known;
  for (const std::string& each : policy_operation_names()) known += (known.empty() ? "" : ", ") + each;
  fail<DataError>(place, "no operation '", printable(name), "'",
                  near.empty() ? ", expected one of " + known : "; did you mean " + near + "?");
}

double share_of(const std::string& place, const char* what, const Json& value) {
  NM_CHECK_AS(DataError, value.is_number(), place, what, " is ", value.type_name(),
              ", expected a number 0 to 1");
  const double share = value.get<double>();
  NM_CHECK_AS(DataError, share >= 0 && share <= 1, place, what, " is ", share, ", expected 0 to 1");
  return share;
}

PolicyStep step_of(const std::string& place, const Json& json) {
  NM_CHECK_AS(DataError, json.is_array() && json.size() == 3 && json[0].is_string(), place,
              "expected [operation, probability, level], such as [\"Rotate\", 0.7, 0.2]");
  const PolicyOperation operation = operation_of(place, json[0].get<std::string>());
  const double probability = share_of(place, "the probability", json[1]);
  return fast_auto_augment_step(operation, probability, share_of(place, "the level", json[2]));
}

}  // namespace

Policy read_policy_file(const std::filesystem::path& path) {
  const std::string file = printable(path.string(), 200);
  const Json json = parse(path, file);
  NM_CHECK_AS(DataError, json.is_array() && !json.empty(), file, ": expected a list of sub-policies, ",
              kShape);
  Policy policy;
  policy.reserve(json.size());
  for (const Json& sub : json) {
    const std::string place = detail::concat_message(file, ": sub-policy ", policy.size() + 1, ": ");
    NM_CHECK_AS(DataError, sub.is_array() && !sub.empty() && sub.size() <= kLargestSubPolicy, place,
                "expected a list of 1 to ", kLargestSubPolicy, " operations [operation, probability, level]");
    SubPolicy& steps = policy.emplace_back();
    for (const Json& step : sub) steps.push_back(step_of(place, step));
  }
  return policy;
}

Policy find_policy(const std::string& name_or_path) {
  if (name_or_path == "none") return {};
  if (name_or_path == "cifar") return cifar_auto_augment();
  if (name_or_path == "imagenet") return imagenet_auto_augment();
  std::error_code ignored;
  const std::string shown = printable(name_or_path, 200),
                    near = nearest_name(name_or_path.substr(0, 60), {"none", "cifar", "imagenet"});
  NM_CHECK_AS(ConfigError, std::filesystem::exists(name_or_path, ignored), "views.policy: no policy file '",
              shown,
              near.empty() ? std::string("', expected none, cifar, imagenet or a JSON file")
                           : "'; did you mean " + near + "?");
  return read_policy_file(name_or_path);
}

}  // namespace noisymix
