#include "tools/metrics_log.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <nlohmann/json.hpp>

#include "engine/error.h"

namespace noisymix {
namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void fail_with(const std::filesystem::path& path, const char* action, int error) {
  fail<DataError>(path.string(), ": cannot ", action, " this file: ", std::system_category().message(error));
}

}  // namespace

MetricsLog::MetricsLog(const std::filesystem::path& path, std::int64_t keep_bytes) : path_(path) {
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail_with(path, "open", errno);
  int error = 0;
  struct ::stat status {};
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    error = errno;
  } else if (::fstat(descriptor_, &status) != 0) {
    error = errno;
  } else {
    bytes_ = std::min<std::int64_t>(keep_bytes, status.st_size);
    if (::ftruncate(descriptor_, static_cast<::off_t>(bytes_)) != 0) error = errno;
  }
  if (error == 0) return;
  ::close(descriptor_);
  NM_CHECK_AS(ConfigError, error != EWOULDBLOCK, path.parent_path().string(),
              ": another process is training in this folder");
  fail_with(path, "open", error);
}

MetricsLog::~MetricsLog() {
  ::close(descriptor_);
}

void MetricsLog::start(const TrainStart& start, std::uint64_t seed) {
  append(Json{
      {"kind", "start"},
      {"version", NOISYMIX_VERSION},
      {"model", start.model},
      {"parameters", start.parameters},
      {"train_data", start.train_data},
      {"test_data", start.test_data},
      {"epochs", start.epochs},
      {"steps_per_epoch", start.steps_per_epoch},
      {"seed",
       seed}}.dump());
}

void MetricsLog::step(const StepReport& report) {
  append(Json{{"kind", "step"},
              {"step", report.step + 1},
              {"epoch", report.epoch + 1},
              {"loss", report.loss},
              {"cross_entropy", report.stats.cross_entropy},
              {"consistency", report.stats.consistency},
              {"accuracy", report.stats.accuracy},
              {"lambda", report.stats.lambda},
              {"layer", report.stats.layer},
              {"lr", report.lr},
              {"seconds", report.seconds}}
             .dump());
}

void MetricsLog::epoch(const EpochReport& report) {
  Json line{{"kind", "epoch"},
            {"epoch", report.epoch},
            {"step", report.step},
            {"train_loss", report.train_loss},
            {"train_accuracy", report.train_accuracy}};
  if (report.test) {
    line["test_loss"] = report.test->loss;
    line["test_accuracy"] = report.test->accuracy;
    line["best"] = report.best;
  }
  line["lr"] = report.lr;
  line["seconds"] = report.seconds;
  line["images_per_s"] = report.images_per_second;
  append(line.dump());
}

void MetricsLog::append(const std::string& line) {
  const std::string text = line + '\n';
  std::size_t done = 0;
  while (done < text.size()) {
    const ::ssize_t count = ::write(descriptor_, text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_with(path_, "write", errno);
    done += static_cast<std::size_t>(count);
  }
  bytes_ += static_cast<std::int64_t>(text.size());
}

void MetricsLog::sync() {
  if (::fsync(descriptor_) != 0) fail_with(path_, "flush", errno);
}

}  // namespace noisymix
