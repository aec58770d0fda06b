// evaluation.json: what is written is read back, and every kind of damage is refused with the file and the
// field named.
#include "tools/evaluation/results.h"

#include <doctest/doctest.h>

#include <cmath>
#include <fstream>

#include "data/file_bytes.h"
#include "engine/error.h"
#include "engine/key.h"
#include "tests/data/expect_data_error.h"
#include "tests/golden.h"
#include "tests/scratch_folder.h"
#include "tools/evaluation/base64.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

Cell cell_of(const std::string& suite, const std::string& type, int severity, double level) {
  Cell cell;
  cell.suite = suite;
  cell.type = type;
  cell.severity = severity;
  cell.level = level;
  cell.count = 11;
  cell.correct = {1, 0, 1, 1, 0, 0, 1, 1, 1, 0, 1};
  cell.accuracy = 7.0 / 11;
  cell.loss = 1.0 / 3;
  cell.ece = 0.1;
  cell.adaptive_rms = 0.2;
  cell.aurra = 0.7;
  cell.bins.resize(16);
  cell.bins[3] = {4, 0.9, 0.21, 1};
  cell.bins[15] = {7, 6.9, 6.81, 6};
  return cell;
}

EvaluationResults example() {
  EvaluationResults results;
  results.run = "runs/a";
  results.title = "a \"quoted\" title";
  results.seed = ~std::uint64_t{0};
  results.weights_hash = "12ab";
  results.data = "test";
  results.data_hash = "34cd";
  results.evaluation_seed = 5;
  results.version = "1";
  results.class_names = {"cat", "dog"};
  results.cells = {cell_of("clean", "clean", 0, 0), cell_of("corruptions", "fog", 2, 0),
                   cell_of("noise", "white_noise", 0, 0.1)};
  results.cells[1].loss = NAN;
  results.cells[1].adaptive_rms = NAN;
  results.cells[2].bins.clear();
  results.cells[2].correct.clear();
  results.sequences.push_back({"translate", false, 2, 3, 31, 0.5, 1.25, 0.125, {0.25f, 0.5f, 0.75f}});
  results.clean_confusion = {4, 1, 3, 3};
  results.seconds = 1.5;
  results.images = 33;
  return results;
}

nlohmann::ordered_json saved(const ScratchFolder& folder) {
  save_results(folder / "evaluation.json", example());
  std::ifstream in(folder / "evaluation.json");
  return nlohmann::ordered_json::parse(in);
}

}  // namespace

TEST_CASE("results: what is saved is loaded, saved again it is the same file") {
  ScratchFolder folder;
  const EvaluationResults results = example();
  save_results(folder / "evaluation.json", results);
  const EvaluationResults back = load_results(folder / "evaluation.json");
  CHECK(back.run == results.run);
  CHECK(back.title == results.title);
  CHECK(back.seed == results.seed);
  CHECK(back.class_names == results.class_names);
  CHECK(back.clean_confusion == results.clean_confusion);
  CHECK(back.corrupted_confusion.empty());
  REQUIRE(back.cells.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(back.cells[i].same_place(results.cells[i]));
    CHECK(back.cells[i].correct == results.cells[i].correct);
    CHECK(back.cells[i].accuracy == results.cells[i].accuracy);
    CHECK(back.cells[i].bins.size() == results.cells[i].bins.size());
  }
  CHECK(back.cells[0].loss == results.cells[0].loss);
  CHECK(std::isnan(back.cells[1].loss));
  CHECK(std::isnan(back.cells[1].adaptive_rms));
  CHECK(back.cells[0].bins[3].confidence_squared == 0.21);
  CHECK(back.cells[0].bins[15].correct == 6);
  REQUIRE(back.sequences.size() == 1);
  CHECK(back.sequences[0].flips == results.sequences[0].flips);
  CHECK(back.sequences[0].zipf_distance == 0.125);
  save_results(folder / "again.json", back);
  CHECK(read_file_bytes(folder / "again.json") == read_file_bytes(folder / "evaluation.json"));

  CHECK(back.find("corruptions", "fog", 2) == &back.cells[1]);
  CHECK(back.find("corruptions", "fog", 3) == nullptr);
  CHECK(back.find("noise", "white_noise", 0, 0.1) == &back.cells[2]);
  CHECK(back.find_sequence("translate", 2) == &back.sequences[0]);
  CHECK(back.find_sequence("translate") == nullptr);
}

TEST_CASE("results: ten thousand examples take under 2 kB a cell, plus its bins") {
  ScratchFolder folder;
  EvaluationResults results;
  Cell cell = cell_of("clean", "clean", 0, 0);
  cell.bins.clear();
  cell.count = 10000;
  cell.correct.assign(10000, 1);
  cell.accuracy = 1;
  results.cells = {cell};
  save_results(folder / "e.json", results);
  CHECK(std::filesystem::file_size(folder / "e.json") < 2500);
  CHECK(load_results(folder / "e.json").cells[0].correct == cell.correct);
}

TEST_CASE("results: the file of a run and of a weight file") {
  ScratchFolder folder;
  CHECK(results_file(folder.path()) == folder / "evaluation.json");
  CHECK(results_file("runs/new") == "runs/new/evaluation.json");
  CHECK(results_file("weights/model.v2.safetensors") == "weights/model.v2.evaluation.json");
  folder.write("model", std::string("x"));
  CHECK(results_file(folder / "model") == folder / "model.evaluation.json");
}

TEST_CASE("results: text that is not UTF-8 does not stop the evaluation") {
  ScratchFolder folder;
  EvaluationResults results = example();
  results.run = "run\xff";
  save_results(folder / "e.json", results);
  CHECK(load_results(folder / "e.json").run.starts_with("run"));
}

TEST_CASE("results: every field missing, of another type, or unknown is named") {
  ScratchFolder folder;
  const auto good = saved(folder);
  const std::string file = (folder / "bad.json").string();
  int tried = 0;
  const auto refuse = [&](const nlohmann::ordered_json& bad, const std::string& field) {
    folder.write("bad.json", bad.dump());
    CAPTURE(field);
    expect_data_error(file, field, [&] { load_results(file); });
    ++tried;
  };
  const auto objects = {std::pair<std::string, std::string>{"", ""},
                        {"/cells/1", "cells[1]."},
                        {"/sequences/0", "sequences[0]."}};
  for (const auto& [pointer, prefix] : objects) {
    const nlohmann::ordered_json::json_pointer at(pointer);
    for (const auto& [name, value] : good.at(at).items()) {
      const std::string field = prefix + name + ":";
      auto without = good;
      without.at(at).erase(name);
      refuse(without, field + " missing");
      auto other = good;
      other.at(at)[name] = nlohmann::ordered_json::object();
      refuse(other, field + " expected");
      other.at(at)[name] = value.is_string() ? nlohmann::ordered_json(1) : nlohmann::ordered_json("%");
      refuse(other, field);
    }
    auto more = good;
    more.at(at)["surplus"] = 1;
    refuse(more, prefix + "surplus: unknown field");
  }
  CHECK(tried == 3 * (19 + 12 + 9) + 3);
}

TEST_CASE("results: values out of range or in contradiction are named") {
  struct Case {
    const char* pointer;
    const char* value;
    const char* message;
  };
  const Case cases[] = {
      {"/format", "\"other\"", "format: is not that of evaluation results"},
      {"/format_version", "2", "format_version: unknown"},
      {"/seed", "-1", "seed: expected an integer of at least 0"},
      {"/seed", "1.5", "seed: expected an integer"},
      {"/seconds", "-1", "seconds: is -1"},
      {"/images", "-1", "images: is -1"},
      {"/images", "18446744073709551615", "images: expected an integer"},
      {"/class_names/0", "1", "class_names: expected a list of texts"},
      {"/class_names", "[\"a\"]", "clean_confusion: has 4 entries, expected 1 x 1"},
      {"/clean_confusion/0", "-1", "clean_confusion: has a negative entry"},
      {"/clean_confusion/0", "5", "clean_confusion: counts 12 examples"},
      {"/clean_confusion/0", "4611686018427387903", "clean_confusion: has the entry"},
      {"/cells/0", "1", "cells[0] is not a JSON object"},
      {"/cells/0/suite", "\"dirty\"", "cells[0].suite: is 'dirty'"},
      {"/cells/0/type", "\"fog\"", "cells[0].type: is 'fog'"},
      {"/cells/1/type", "\"\"", "cells[1].type: is ''"},
      {"/cells/0/severity", "1", "cells[0].severity: is 1, expected 0"},
      {"/cells/1/severity", "6", "cells[1].severity: is 6, expected 1 to 5"},
      {"/cells/1/severity", "99999999999", "cells[1].severity: out of range"},
      {"/cells/1/level", "0.5", "cells[1].level: is 0.5, expected 0"},
      {"/cells/2/level", "-0.5", "cells[2].level: is -0.5"},
      {"/cells/0/accuracy", "1.5", "cells[0].accuracy: is 1.5, expected 0 to 1"},
      {"/cells/0/accuracy", "0.5", "cells[0].accuracy: is 0.5, but 7 of 11"},
      {"/cells/0/accuracy", "null", "cells[0].accuracy: expected a number"},
      {"/cells/0/loss", "-1", "cells[0].loss: is -1"},
      {"/cells/0/ece", "1.5", "cells[0].ece: is 1.5"},
      {"/cells/0/adaptive_rms", "-0.1", "cells[0].adaptive_rms: is -0.1"},
      {"/cells/0/aurra", "2", "cells[0].aurra: is 2"},
      {"/cells/2/count", "0", "cells[2].count: is 0"},
      {"/cells/0/count", "12", "but 7 of 12 examples are correct"},
      {"/cells/0/count", "17", "cells[0].correct: the number of bits does not fit count"},
      {"/cells/0/count", "8", "cells[0].correct: the number of bits does not fit count"},
      {"/cells/0/correct", "\"zf8=\"", "cells[0].correct: there are bits after"},
      {"/cells/0/correct", "\"zQ\"", "cells[0].correct: not valid base64"},
      {"/cells/0/bins/3", "[4, 0.9, 0.21]", "cells[0].bins[3]: expected a list of four"},
      {"/cells/0/bins/3", "[4, \"a\", 0.21, 1]", "cells[0].bins[3]: expected a number"},
      {"/cells/0/bins", "[[11, 1, 1, 7]]", "cells[0].bins: has 1 bins, expected 16"},
      {"/cells/0/bins/3/0", "3", "cells[0].bins: count 10 examples"},
      {"/cells/0/bins/3/0", "-1", "cells[0].bins[3]: counts -1"},
      {"/cells/0/bins/3/0", "4611686018427387904", "cells[0].bins[3]: counts"},
      {"/cells/0/bins/3/1", "5", "cells[0].bins[3]: has a confidence sum of 5"},
      {"/cells/0/bins/3/2", "-5", "cells[0].bins[3]: has a sum of squared"},
      {"/cells/0/bins/3/3", "5", "cells[0].bins[3]: has 5 correct of 4"},
      {"/cells/0/bins/3/3", "2", "cells[0].bins: have 8 correct"},
      {"/sequences/0/type", "\"\"", "sequences[0].type: is empty"},
      {"/sequences/0/difficulty", "0", "sequences[0].difficulty: is 0"},
      {"/sequences/0/count", "4", "sequences[0].flips: has 3 entries, but there are 4"},
      {"/sequences/0/count", "-3", "sequences[0].count: is -3"},
      {"/sequences/0/frames", "1", "sequences[0].frames: is 1"},
      {"/sequences/0/flip_probability", "-1", "sequences[0].flip_probability: is -1"},
      {"/sequences/0/flip_probability", "0.4", "sequences[0].flip_probability: is 0.4, but the mean"},
      {"/sequences/0/top5_distance", "-1", "sequences[0].top5_distance: is -1"},
      {"/sequences/0/zipf_distance", "-1", "sequences[0].zipf_distance: is -1"},
      {"/sequences/0/flips", "\"AAAA\"", "sequences[0].flips: does not hold whole numbers"},
      {"/sequences/0/flips", "\"AACAPwAAAAAAAABA\"", "sequences[0].flips: has the entry 2"},
  };
  ScratchFolder folder;
  const auto good = saved(folder);
  for (const Case& c : cases) {
    CAPTURE(c.pointer);
    CAPTURE(c.value);
    auto bad = good;
    bad.at(nlohmann::ordered_json::json_pointer(c.pointer)) = nlohmann::ordered_json::parse(c.value);
    folder.write("bad.json", bad.dump());
    expect_data_error((folder / "bad.json").string(), c.message, [&] { load_results(folder / "bad.json"); });
  }
  auto twice = good;
  twice["cells"].push_back(twice["cells"][1]);
  folder.write("bad.json", twice.dump());
  expect_data_error("bad.json", "cells[3]: repeats cells[1]", [&] { load_results(folder / "bad.json"); });
  twice = good;
  twice["sequences"].push_back(twice["sequences"][0]);
  folder.write("bad.json", twice.dump());
  expect_data_error("bad.json", "sequences[1]: repeats", [&] { load_results(folder / "bad.json"); });
}

TEST_CASE("results: damaged bytes are loaded or refused, nothing else happens") {
  ScratchFolder folder;
  save_results(folder / "good.json", example());
  const Bytes good = read_file_bytes(folder / "good.json");
  Draws draws(Key(7).child("damage"));
  int refused = 0;
  for (int round = 0; round < 400; ++round) {
    Bytes bytes = good;
    const auto at = static_cast<std::size_t>(draws.below(static_cast<std::int64_t>(bytes.size())));
    if (round % 4 == 0) {
      bytes.resize(at);
    } else {
      bytes[at] = static_cast<std::uint8_t>(draws.below(256));
    }
    folder.write("bad.json", bytes);
    try {
      load_results(folder / "bad.json");
    } catch (const DataError& error) {
      CHECK(std::string(error.what()).find("bad.json") != std::string::npos);
      ++refused;
    }
  }
  CHECK(refused > 200);
  expect_data_error("none.json", "no such file", [&] { load_results(folder / "none.json"); });
}

TEST_CASE("results: what could not be loaded is not saved") {
  ScratchFolder folder;
  EvaluationResults results = example();
  results.cells[0].correct.pop_back();
  CHECK_THROWS_AS(save_results(folder / "e.json", results), ShapeError);
  CHECK(folder.names().empty());
}

TEST_CASE("base64: the vectors of RFC 4648, and nothing but canonical text") {
  const auto bytes = [](const std::string& text) {
    return std::vector<std::uint8_t>(text.begin(), text.end());
  };
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"},
                                                         {"\xff\xfe\xfd", "//79"}};
  for (const auto& [plain, coded] : vectors) {
    CHECK(encode_base64(bytes(plain)) == coded);
    CHECK(decode_base64(coded) == bytes(plain));
  }
  for (const char* bad :
       {"Z", "Zg=", "Zg", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Z g=", "Zm\n9", "Zm=v"})
    CHECK_FALSE(decode_base64(bad).has_value());
}
