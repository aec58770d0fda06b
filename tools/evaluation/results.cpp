#include "tools/evaluation/results.h"

#include <bit>
#include <cmath>
#include <limits>
#include <set>
#include <string_view>

#include <nlohmann/json.hpp>

#include "data/file_bytes.h"
#include "engine/error.h"
#include "engine/io/atomic_file.h"
#include "tools/evaluation/base64.h"
#include "tools/evaluation/results_check.h"

namespace noisymix {
namespace {

using Json = nlohmann::json;                 // for reading
using OrderedJson = nlohmann::ordered_json;  // for writing: fields keep their order

constexpr const char* kFormat = "noisymix evaluation";
constexpr int kVersion = 1;
constexpr std::uint64_t kLargestResults = std::uint64_t{1} << 30;

// --- binary columns ---

std::string pack_bits(const std::vector<std::uint8_t>& bits) {
  std::vector<std::uint8_t> bytes((bits.size() + 7) / 8);
  for (std::size_t i = 0; i < bits.size(); ++i)
    bytes[i / 8] = static_cast<std::uint8_t>(bytes[i / 8] | (bits[i] & 1) << (i % 8));
  return encode_base64(bytes);
}

std::string pack_floats(const std::vector<float>& values) {
  std::vector<std::uint8_t> bytes;
  bytes.reserve(4 * values.size());
  for (const float value : values) {
    const auto word = std::bit_cast<std::uint32_t>(value);
    for (int shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<std::uint8_t>(word >> shift));
  }
  return encode_base64(bytes);
}

// --- writing ---

/// JSON has no infinity and no NaN; both become null.
OrderedJson number(double value) {
  return std::isfinite(value) ? OrderedJson(value) : OrderedJson(nullptr);
}

OrderedJson json_of(const Cell& cell) {
  OrderedJson bins = OrderedJson::array();
  for (const BinSums& bin : cell.bins)
    bins.push_back({bin.count, bin.confidence, bin.confidence_squared, bin.correct});
  return {{"suite", cell.suite},       {"type", cell.type},       {"severity", cell.severity},
          {"level", cell.level},       {"count", cell.count},     {"accuracy", cell.accuracy},
          {"loss", number(cell.loss)}, {"ece", cell.ece},         {"adaptive_rms", number(cell.adaptive_rms)},
          {"aurra", cell.aurra},       {"bins", std::move(bins)}, {"correct", pack_bits(cell.correct)}};
}

OrderedJson json_of(const SequenceScores& scores) {
  return {{"type", scores.type},
          {"noise", scores.noise},
          {"difficulty", scores.difficulty},
          {"count", scores.count},
          {"frames", scores.frames},
          {"flip_probability", scores.flip_probability},
          {"top5_distance", scores.top5_distance},
          {"zipf_distance", scores.zipf_distance},
          {"flips", pack_floats(scores.flips)}};
}

// --- reading ---

/// One object of the file; every error names the file and the field.
class Fields {
 public:
  Fields(const std::string& file, const Json& json, std::string place)
      : file_(file), json_(json), place_(std::move(place)) {
    NM_CHECK_AS(DataError, json.is_object(), file_, ": ", place_.empty() ? "the file" : place_,
                " is not a JSON object");
  }

  std::string text(const char* name) {
    const Json& value = get(name);
    if (!value.is_string()) bad(name, "expected a text");
    return value.get<std::string>();
  }
  bool boolean(const char* name) {
    const Json& value = get(name);
    if (!value.is_boolean()) bad(name, "expected true or false");
    return value.get<bool>();
  }
  double real(const char* name) { return real_of(get(name), name); }
  /// A number, or null for NaN.
  double real_or_null(const char* name) {
    return get(name).is_null() ? std::numeric_limits<double>::quiet_NaN() : real(name);
  }
  std::int64_t integer(const char* name) { return integer_of(get(name), name); }
  int small_integer(const char* name) {
    const std::int64_t value = integer(name);
    if (value < 0 || value > std::numeric_limits<int>::max()) bad(name, "out of range");
    return static_cast<int>(value);
  }
  std::uint64_t unsigned_integer(const char* name) {
    const Json& value = get(name);
    if (!value.is_number_unsigned()) bad(name, "expected an integer of at least 0");
    return value.get<std::uint64_t>();
  }
  std::vector<std::uint8_t> bytes(const char* name) {
    auto decoded = decode_base64(text(name));
    if (!decoded) bad(name, "not valid base64");
    return std::move(*decoded);
  }
  const Json& list(const char* name) {
    const Json& value = get(name);
    if (!value.is_array()) bad(name, "expected a list");
    return value;
  }
  std::string place(const char* name) const { return place_.empty() ? name : place_ + "." + name; }

  double real_of(const Json& value, const std::string& name) const {
    if (!value.is_number() || !std::isfinite(value.get<double>())) bad(name.c_str(), "expected a number");
    return value.get<double>();
  }
  std::int64_t integer_of(const Json& value, const std::string& name) const {
    const bool fits = value.is_number_integer() &&
                      (!value.is_number_unsigned() || value.get<std::uint64_t>() <= std::uint64_t{1} << 62);
    if (!fits) bad(name.c_str(), "expected an integer");
    return value.get<std::int64_t>();
  }
  /// After all fields are read: there may be no others.
  void finish() const {
    for (const auto& [name, value] : json_.items())
      if (!seen_.contains(name)) bad(printable(name).c_str(), "unknown field");
  }
  [[noreturn]] void bad(const char* name, const char* problem) const {
    fail<DataError>(file_, ": ", place(name), ": ", problem);
  }

 private:
  const Json& get(const char* name) {
    seen_.insert(name);
    const auto found = json_.find(name);
    if (found == json_.end()) bad(name, "missing");
    return *found;
  }

  const std::string& file_;
  const Json& json_;
  std::string place_;
  std::set<std::string, std::less<>> seen_;
};

std::string element(const std::string& list, std::size_t index) {
  return list + "[" + std::to_string(index) + "]";
}

Cell read_cell(const std::string& file, const Json& json, const std::string& place) {
  Fields fields(file, json, place);
  Cell cell;
  cell.suite = fields.text("suite");
  cell.type = fields.text("type");
  cell.severity = fields.small_integer("severity");
  cell.level = fields.real("level");
  cell.count = fields.integer("count");
  cell.accuracy = fields.real("accuracy");
  cell.loss = fields.real_or_null("loss");
  cell.ece = fields.real("ece");
  cell.adaptive_rms = fields.real_or_null("adaptive_rms");
  cell.aurra = fields.real("aurra");
  for (const Json& row : fields.list("bins")) {
    const std::string name = element("bins", cell.bins.size());
    if (!row.is_array() || row.size() != 4) fields.bad(name.c_str(), "expected a list of four numbers");
    cell.bins.push_back({fields.integer_of(row[0], name), fields.real_of(row[1], name),
                         fields.real_of(row[2], name), fields.integer_of(row[3], name)});
  }
  const std::vector<std::uint8_t> packed = fields.bytes("correct");
  if (!packed.empty()) {
    const auto bytes = static_cast<std::int64_t>(packed.size());
    if (cell.count <= 8 * (bytes - 1) || cell.count > 8 * bytes)
      fields.bad("correct", "the number of bits does not fit count");
    if (cell.count % 8 != 0 && packed.back() >> (cell.count % 8) != 0)
      fields.bad("correct", "there are bits after the last example");
    cell.correct.resize(static_cast<std::size_t>(cell.count));
    for (std::size_t i = 0; i < cell.correct.size(); ++i)
      cell.correct[i] = static_cast<std::uint8_t>(packed[i / 8] >> (i % 8) & 1);
  }
  fields.finish();
  return cell;
}

SequenceScores read_sequence(const std::string& file, const Json& json, const std::string& place) {
  Fields fields(file, json, place);
  SequenceScores scores;
  scores.type = fields.text("type");
  scores.noise = fields.boolean("noise");
  scores.difficulty = fields.small_integer("difficulty");
  scores.count = fields.integer("count");
  scores.frames = fields.small_integer("frames");
  scores.flip_probability = fields.real("flip_probability");
  scores.top5_distance = fields.real("top5_distance");
  scores.zipf_distance = fields.real("zipf_distance");
  const std::vector<std::uint8_t> packed = fields.bytes("flips");
  if (packed.size() % 4 != 0) fields.bad("flips", "does not hold whole numbers");
  for (std::size_t i = 0; i < packed.size(); i += 4)
    scores.flips.push_back(std::bit_cast<float>(little_endian_32(&packed[i])));
  fields.finish();
  return scores;
}

EvaluationResults read_results(const std::string& file, const Json& json) {
  Fields fields(file, json, "");
  EvaluationResults results;
  if (fields.text("format") != kFormat) fields.bad("format", "is not that of evaluation results");
  if (fields.integer("format_version") != kVersion)
    fields.bad("format_version", "unknown, the file was written by another version of noisymix");
  results.run = fields.text("run");
  results.title = fields.text("title");
  results.seed = fields.unsigned_integer("seed");
  results.weights_hash = fields.text("weights_hash");
  results.data = fields.text("data");
  results.data_hash = fields.text("data_hash");
  results.parameter_set = fields.text("parameter_set");
  results.settings = fields.text("settings");
  results.evaluation_seed = fields.unsigned_integer("evaluation_seed");
  results.version = fields.text("version");
  results.seconds = fields.real("seconds");
  results.images = fields.integer("images");
  for (const Json& name : fields.list("class_names")) {
    if (!name.is_string()) fields.bad("class_names", "expected a list of texts");
    results.class_names.push_back(name.get<std::string>());
  }
  for (const Json& cell : fields.list("cells"))
    results.cells.push_back(read_cell(file, cell, element("cells", results.cells.size())));
  for (const Json& scores : fields.list("sequences"))
    results.sequences.push_back(read_sequence(file, scores, element("sequences", results.sequences.size())));
  for (const auto& [name, counts] : {std::pair{"clean_confusion", &results.clean_confusion},
                                     {"corrupted_confusion", &results.corrupted_confusion}})
    for (const Json& count : fields.list(name)) counts->push_back(fields.integer_of(count, name));
  fields.finish();
  return results;
}

}  // namespace

const Cell* EvaluationResults::find(const std::string& suite, const std::string& type, int severity,
                                    double level) const {
  for (const Cell& cell : cells)
    if (cell.suite == suite && cell.type == type && cell.severity == severity && cell.level == level)
      return &cell;
  return nullptr;
}

const SequenceScores* EvaluationResults::find_sequence(const std::string& type, int difficulty) const {
  for (const SequenceScores& scores : sequences)
    if (scores.type == type && scores.difficulty == difficulty) return &scores;
  return nullptr;
}

std::filesystem::path results_file(const std::filesystem::path& run) {
  constexpr std::string_view kEnding = ".safetensors";
  const bool weights =
      !std::filesystem::is_directory(run) && (std::filesystem::exists(run) || run.extension() == kEnding);
  if (!weights) return run / "evaluation.json";
  std::filesystem::path file = run;
  if (file.extension() == kEnding) file.replace_extension();
  file += ".evaluation.json";
  return file;
}

void save_results(const std::filesystem::path& path, const EvaluationResults& results) {
  check_results(results, [](const std::string& field, const std::string& problem) {
    fail<ShapeError>("[save_results] ", field, " ", problem);
  });
  OrderedJson json{{"format", kFormat},
                   {"format_version", kVersion},
                   {"run", results.run},
                   {"title", results.title},
                   {"seed", results.seed},
                   {"weights_hash", results.weights_hash},
                   {"data", results.data},
                   {"data_hash", results.data_hash},
                   {"parameter_set", results.parameter_set},
                   {"settings", results.settings},
                   {"evaluation_seed", results.evaluation_seed},
                   {"version", results.version},
                   {"seconds", results.seconds},
                   {"images", results.images},
                   {"class_names", results.class_names},
                   {"cells", OrderedJson::array()},
                   {"sequences", OrderedJson::array()},
                   {"clean_confusion", results.clean_confusion},
                   {"corrupted_confusion", results.corrupted_confusion}};
  for (const Cell& cell : results.cells) json["cells"].push_back(json_of(cell));
  for (const SequenceScores& scores : results.sequences) json["sequences"].push_back(json_of(scores));
  // Folder names need not be UTF-8; what is not becomes a replacement character.
  write_file_atomically(path, json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + "\n");
}

EvaluationResults load_results(const std::filesystem::path& path) {
  const std::string file = path.string();
  const Bytes bytes = read_file_bytes(path, kLargestResults);
  const Json json = Json::parse(bytes.begin(), bytes.end(), nullptr, false);
  NM_CHECK_AS(DataError, !json.is_discarded(), file,
              ": is not valid JSON, it is damaged; delete it and evaluate again");
  EvaluationResults results = read_results(file, json);
  check_results(results, [&](const std::string& field, const std::string& problem) {
    fail<DataError>(file, ": ", field, ": ", problem);
  });
  return results;
}

}  // namespace noisymix
