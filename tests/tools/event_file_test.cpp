// Event files, read back by a reader of their own, and a run that writes them.
#include "tools/event_file.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "engine/error.h"
#include "tests/data/expect_data_error.h"
#include "tests/scratch_folder.h"
#include "tests/tools/small_runs.h"
#include "tools/config.h"
#include "tools/run_directory.h"
#include "tools/trainer.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

struct Read {
  double wall_time = 0;
  std::int64_t step = 0;
  std::string file_version;
  int session_status = -1;
  std::vector<std::pair<std::string, float>> scalars;
};

/// Bit by bit, unlike the table of the writer.
std::uint32_t slow_crc(const std::string& bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const char c : bytes)
    for (int bit = 0; bit < 8; ++bit) {
      const std::uint32_t feedback = (crc ^ (static_cast<std::uint8_t>(c) >> bit)) & 1;
      crc = (crc >> 1) ^ (feedback * 0x82F63B78u);
    }
  return crc ^ 0xFFFFFFFF;
}

std::uint32_t masked(const std::string& bytes) {
  const std::uint32_t crc = slow_crc(bytes);
  return ((crc >> 15) | (crc << 17)) + 0xA282EAD8u;
}

template <typename T>
T take(std::string& bytes) {
  REQUIRE(bytes.size() >= sizeof(T));
  T value;
  std::memcpy(&value, bytes.data(), sizeof(T));
  bytes.erase(0, sizeof(T));
  return value;
}

std::string take_bytes(std::string& bytes, std::size_t count) {
  REQUIRE(bytes.size() >= count);
  std::string piece = bytes.substr(0, count);
  bytes.erase(0, count);
  return piece;
}

std::uint64_t take_varint(std::string& bytes) {
  std::uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    const auto byte = take<std::uint8_t>(bytes);
    value |= static_cast<std::uint64_t>(byte & 127) << shift;
    if (byte < 128) return value;
  }
}

void read_summary(std::string summary, Read& event) {
  while (!summary.empty()) {
    REQUIRE(take_varint(summary) == (1 << 3 | 2));
    std::string value = take_bytes(summary, take_varint(summary));
    REQUIRE(take_varint(value) == (1 << 3 | 2));
    std::string tag = take_bytes(value, take_varint(value));
    REQUIRE(take_varint(value) == (2 << 3 | 5));
    event.scalars.emplace_back(tag, take<float>(value));
    CHECK(value.empty());
  }
}

Read read_event(std::string data) {
  Read event;
  while (!data.empty()) {
    switch (take_varint(data)) {
      case 1 << 3 | 1:
        event.wall_time = take<double>(data);
        break;
      case 2 << 3 | 0:
        event.step = static_cast<std::int64_t>(take_varint(data));
        break;
      case 3 << 3 | 2:
        event.file_version = take_bytes(data, take_varint(data));
        break;
      case 5 << 3 | 2:
        read_summary(take_bytes(data, take_varint(data)), event);
        break;
      case 7 << 3 | 2: {
        std::string session = take_bytes(data, take_varint(data));
        REQUIRE(take_varint(session) == (1 << 3 | 0));
        event.session_status = static_cast<int>(take_varint(session));
        break;
      }
      default:
        FAIL("unknown field");
    }
  }
  return event;
}

std::vector<Read> read_events(const std::filesystem::path& path) {
  std::string bytes = file_bytes(path);
  std::vector<Read> events;
  while (!bytes.empty()) {
    const std::string length = bytes.substr(0, 8);
    const auto size = take<std::uint64_t>(bytes);
    CHECK(take<std::uint32_t>(bytes) == masked(length));
    const std::string data = take_bytes(bytes, size);
    CHECK(take<std::uint32_t>(bytes) == masked(data));
    events.push_back(read_event(data));
  }
  return events;
}

std::vector<std::filesystem::path> event_files(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().filename().string().starts_with("events.out.tfevents.")) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

TEST_CASE("event file: CRC-32C of RFC 3720") {
  CHECK(crc32c("") == 0);
  CHECK(crc32c("123456789") == 0xE3069283);
  CHECK(crc32c(std::string(32, '\0')) == 0x8A9136AA);
  CHECK(crc32c(std::string(32, '\xFF')) == 0x62A8AB43);
  std::string rising, falling;
  for (int i = 0; i < 32; ++i) rising.push_back(static_cast<char>(i));
  falling.assign(rising.rbegin(), rising.rend());
  CHECK(crc32c(rising) == 0x46DD794E);
  CHECK(crc32c(falling) == 0x113FDB5C);
}

TEST_CASE("event file: what is written is read back") {
  ScratchFolder folder;
  double now = 1700000000.25;
  std::filesystem::path path;
  {
    EventFile file(folder.path(), 301, [&] { return now; });
    path = file.path();
    CHECK(path.filename() == "events.out.tfevents.1700000000.000");
    now += 1.5;
    const Scalar scalars[] = {{"train/loss", 0.1}, {"lr", 1e-6}};
    file.add(301, scalars);
    const Scalar one[] = {{"test/loss", -2}};
    file.add(std::int64_t{1} << 40, one);
  }
  const auto events = read_events(path);
  REQUIRE(events.size() == 4);
  CHECK(events[0].file_version == "brain.Event:2");
  CHECK(events[0].wall_time == 1700000000.25);
  CHECK(events[1].session_status == 1);
  CHECK(events[1].step == 301);
  CHECK(events[2].wall_time == 1700000001.75);
  CHECK(events[2].step == 301);
  CHECK(events[2].scalars == std::vector<std::pair<std::string, float>>{{"train/loss", 0.1f}, {"lr", 1e-6f}});
  CHECK(events[3].step == std::int64_t{1} << 40);
  CHECK(events[3].scalars == std::vector<std::pair<std::string, float>>{{"test/loss", -2.0f}});

  const EventFile second(folder.path(), 1, [] { return 1700000000.0; });
  CHECK(second.path().filename() == "events.out.tfevents.1700000000.001");
  expect_data_error("/nowhere", "cannot make", [] { EventFile("/nowhere", 1); });
}

TEST_CASE("event file: a run writes curves, a resumed one continues them, and they change nothing") {
  ScratchFolder folder;
  struct Silent : TrainObserver {
  } silent;
  Config config = circles_run();
  config.train.max_steps = 15;
  Trainer(config, {folder / "plain", false, {}}, silent).run();
  CHECK(event_files(folder / "plain").empty());
  config.train.tensorboard = true;
  Trainer(config, {folder / "run", false, {}}, silent).run();
  CHECK(file_bytes(folder / "plain/model.safetensors") == file_bytes(folder / "run/model.safetensors"));
  CHECK(differing_keys(config, RunDirectory(folder / "plain").read_config()).empty());
  config.train.max_steps = 0;
  Trainer(config, {folder / "run", true, {}}, silent).run();
  const auto files = event_files(folder / "run");
  REQUIRE(files.size() == 2);

  const auto value_at = [](const std::vector<Read>& events, const std::string& tag,
                           std::int64_t step) -> std::optional<float> {
    for (const Read& event : events)
      for (const auto& [name, value] : event.scalars)
        if (name == tag && event.step == step) return value;
    return std::nullopt;
  };
  const auto first = read_events(files[0]), second = read_events(files[1]);
  CHECK(first[1].step == 1);
  CHECK(second[1].step == 16);
  CHECK(second[1].session_status == 1);
  int steps = 0, epochs = 0;
  for (const auto& line : comparable_metrics(folder / "run")) {
    const bool step_line = line["kind"] == "step";
    if (!step_line && line["kind"] != "epoch") continue;
    const auto step = line["step"].get<std::int64_t>();
    const auto& events = step <= 15 ? first : second;
    CAPTURE(step);
    const auto expect = [&](const char* tag, const char* key) {
      CHECK(value_at(events, tag, step) == line[key].get<float>());
    };
    if (step_line) {
      ++steps;
      expect("train/loss", "loss");
      expect("train/accuracy", "accuracy");
      expect("lr", "lr");
    } else {
      ++epochs;
      expect("test/loss", "test_loss");
      expect("test/accuracy", "test_accuracy");
    }
  }
  CHECK(steps == 24);
  CHECK(epochs == 4);
}
