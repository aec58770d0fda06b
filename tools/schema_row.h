// How a row of the table of settings is written: a path, the field of Config behind it, what is allowed and
// what it means. Read by the schema_*.cpp files alone.
#pragma once

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine/error.h"
#include "tools/schema.h"

namespace noisymix::schema {

using Rows = std::vector<ConfigKey>;

/// A function from Config to a member, const or not, so that a row names its field once.
#define NM_FIELD(member)      \
  [](auto& config) -> auto& { \
    return config.member;     \
  }

using Texts = std::vector<std::string>;

inline ConfigRange at_least(double low) {
  return {.low = low};
}
inline ConfigRange above(double low) {
  return {.low = low, .low_open = true};
}
inline ConfigRange between(double low, double high) {
  return {.low = low, .high = high};
}
inline ConfigRange below(double low, double high) {
  return {.low = low, .high = high, .high_open = true};
}

template <typename T>
ConfigValue to_value(const T& field) {
  if constexpr (std::is_same_v<T, std::vector<int>> || std::is_same_v<T, std::vector<std::int64_t>>) {
    return std::vector<std::int64_t>(field.begin(), field.end());
  } else if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    return static_cast<std::int64_t>(field);
  } else {
    return field;
  }
}

template <typename T>
void from_value(T& field, const ConfigValue& value) {
  if constexpr (std::is_same_v<T, std::vector<int>> || std::is_same_v<T, std::vector<std::int64_t>>) {
    field.clear();
    for (const std::int64_t v : std::get<std::vector<std::int64_t>>(value)) {
      field.push_back(static_cast<typename T::value_type>(v));
    }
  } else if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    field = static_cast<T>(std::get<std::int64_t>(value));
  } else {
    field = std::get<T>(value);
  }
}

/// A key whose field is a bool, integer, double, text or list of integers.
template <typename Field>
ConfigKey key(std::string path, Field field, ConfigRange range, std::string meaning,
              std::string difference = "") {
  using T = std::remove_reference_t<decltype(field(std::declval<Config&>()))>;
  if constexpr (std::is_same_v<T, int> || std::is_same_v<T, std::vector<int>>) {
    NM_ASSERT(range.low >= -2147483648.0 && range.high <= 2147483647.0);  // from_value narrows
  }
  return {.path = std::move(path),
          .meaning = std::move(meaning),
          .difference = std::move(difference),
          .range = range,
          .choices = {},
          .read = [field](const Config& config) { return to_value(field(config)); },
          .write = [field](Config& config, const ConfigValue& value) { from_value(field(config), value); }};
}

/// A text key with a closed list of values.
template <typename Field>
ConfigKey key(std::string path, Field field, Texts choices, std::string meaning,
              std::string difference = "") {
  ConfigKey result = key(std::move(path), field, ConfigRange{}, std::move(meaning), std::move(difference));
  result.choices = std::move(choices);
  return result;
}

/// An enumeration: value i of the enum is spelled names[i].
template <typename Field>
ConfigKey enumeration(std::string path, Field field, Texts names, std::string meaning,
                      std::string difference) {
  using T = std::remove_reference_t<decltype(field(std::declval<Config&>()))>;
  return {.path = std::move(path),
          .meaning = std::move(meaning),
          .difference = std::move(difference),
          .range = {},
          .choices = names,
          .read = [field, names](const Config& config) -> ConfigValue {
            return names[static_cast<std::size_t>(field(config))];
          },
          .write =
              [field, names](Config& config, const ConfigValue& value) {
                const auto& text = std::get<std::string>(value);
                for (std::size_t i = 0; i < names.size(); ++i) {
                  if (names[i] == text) field(config) = static_cast<T>(i);
                }
              }};
}

/// The rows of each section, in the order to show them.
Rows data_rows();
Rows model_rows();
Rows transfer_rows();
Rows view_rows();
Rows perturb_rows();
Rows mix_rows();
Rows objective_rows();
Rows optimizer_rows();
Rows schedule_rows();
Rows train_rows();
Rows ensemble_rows();

}  // namespace noisymix::schema
