#include "tools/corrupt.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <nlohmann/json.hpp>

#include "data/content_hash.h"
#include "data/file_bytes.h"
#include "data/npy.h"
#include "engine/cpu/parallel.h"
#include "engine/error.h"
#include "engine/io/atomic_file.h"
#include "tools/folder_claim.h"

namespace noisymix {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kImagesPerWrite = 2048, kImagesPerChunk = 16;

/// Writes image after image of one file, made in parallel.
class ImageFile {
 public:
  ImageFile(const fs::path& path, const Shape& shape) : file_(path) {
    const Bytes header = npy_header(shape, Dtype::u8);
    file_.write(header.data(), header.size());
  }

  /// `make(i, scratch, place)` writes entry i of `entries`, each `bytes` long.
  template <class Make>
  bool write(std::int64_t entries, std::size_t bytes, const Make& make,
             const std::function<bool(std::int64_t)>& tell) {
    const std::int64_t per_write =
        std::max<std::int64_t>(1, kImagesPerWrite * 3072 / static_cast<std::int64_t>(bytes));
    scratches_.resize(static_cast<std::size_t>(cpu::chunk_count(per_write, kImagesPerChunk)));
    for (std::int64_t first = 0; first < entries; first += per_write) {
      const std::int64_t count = std::min(per_write, entries - first);
      buffer_.resize(static_cast<std::size_t>(count) * bytes);
      cpu::parallel_for(count, kImagesPerChunk, [&](std::int64_t begin, std::int64_t end) {
        Scratch& scratch = scratches_[static_cast<std::size_t>(begin / kImagesPerChunk)];
        for (std::int64_t i = begin; i < end; ++i)
          make(first + i, scratch, buffer_.data() + static_cast<std::size_t>(i) * bytes);
      });
      file_.write(buffer_.data(), buffer_.size());
      if (!tell(count)) return false;
    }
    return true;
  }
  void commit() { file_.commit(); }

 private:
  AtomicFile file_;
  Bytes buffer_;
  std::vector<Scratch> scratches_;
};

/// The whole job: what it consists of, and where it stands.
class Job {
 public:
  Job(const Dataset& data, const CorruptOptions& options, fs::path folder, const CorruptObserver& observer)
      : data_(data), options_(options), folder_(std::move(folder)), observer_(observer) {
    const auto shape = data.sample_shape();
    NM_CHECK_AS(ConfigError, shape.size() == 3, data.description(), " holds points; corruptions need images");
    NM_CHECK_AS(ConfigError, shape[0] > 0, data.description(),
                ": the pictures differ in size; choose --resize and --crop, for example 256 and 224");
    height_ = shape[0];
    width_ = shape[1];
    channels_ = shape[2];
    NM_CHECK_AS(ConfigError, std::min(height_, width_) >= 8,
                "corruptions need images of 8 x 8 pixels or more, ", data.description(), " has ", height_,
                " x ", width_);
    for (const CorruptionType type : options_.corruptions)
      if (!exists(name_of(type))) progress_.total += data.size() * severities();
    for (const SequenceType type : options_.sequences)
      if (!exists(name_of(type))) progress_.total += data.size() * frames_of(type);
  }

  bool run() {
    fs::create_directories(folder_);
    claim_folder(folder_, "corrupt.json", "a set", settings());
    write_labels();
    for (const CorruptionType type : options_.corruptions)
      if (!exists(name_of(type)) && !write_corruption(type)) return false;
    for (const SequenceType type : options_.sequences)
      if (!exists(name_of(type)) && !write_sequence(type)) return false;
    return true;
  }

 private:
  std::int64_t severities() const { return static_cast<std::int64_t>(options_.severities.size()); }
  int frames_of(SequenceType type) const {
    return make_sequence(type, options_.parameters, options_.difficulty)->frames();
  }
  fs::path file_of(const char* type) const { return folder_ / (std::string(type) + ".npy"); }
  /// Files appear whole or not at all.
  bool exists(const char* type) const { return fs::exists(file_of(type)); }
  std::size_t image_bytes() const { return static_cast<std::size_t>(height_ * width_ * channels_); }

  bool tell(std::int64_t images) {
    progress_.done += images;
    if (observer_.progress) observer_.progress(progress_);
    return !(observer_.should_stop && observer_.should_stop());
  }

  nlohmann::ordered_json settings() const {
    return {{"data", data_.description()},
            {"data_hash", hash_dataset(data_)},
            {"constants", name_of(options_.parameters)},
            {"seed", options_.seed},
            {"severities", options_.sequences.empty() ? options_.severities : std::vector<int>{}},
            {"difficulty", options_.sequences.empty() ? 0 : options_.difficulty},
            {"glass_swap", options_.corruption_options.glass_swap},
            {"frost_pictures", options_.corruption_options.frost_pictures != nullptr}};
  }

  void write_labels() const {
    const std::int64_t n = data_.size(), copies = options_.sequences.empty() ? severities() : 1;
    Tensor labels = Tensor::empty({copies * n}, Dtype::i64);
    auto* values = labels.mutable_data<std::int64_t>();
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t copy = 0; copy < copies; ++copy) values[copy * n + i] = data_.get(i).label;
    write_npy(folder_ / "labels.npy", labels);
  }

  bool write_corruption(CorruptionType type) {
    progress_.file = file_of(name_of(type)).filename().string();
    const std::int64_t n = data_.size();
    ImageFile file(file_of(name_of(type)), {severities() * n, height_, width_, channels_});
    for (const int severity : options_.severities) {
      const auto corruption =
          make_corruption(type, severity, options_.parameters, options_.corruption_options);
      const auto make = [&](std::int64_t i, Scratch& scratch, std::uint8_t* place) {
        thread_local Image out;
        corruption->apply(data_.get(i).image, corruption_key(options_.seed, type, severity, i), scratch, out);
        std::copy(out.pixels.begin(), out.pixels.end(), place);
      };
      if (!file.write(n, image_bytes(), make, [this](std::int64_t images) { return tell(images); }))
        return false;
    }
    file.commit();
    return true;
  }

  bool write_sequence(SequenceType type) {
    progress_.file = file_of(name_of(type)).filename().string();
    const auto sequence = make_sequence(type, options_.parameters, options_.difficulty);
    const std::int64_t n = data_.size(), frames = sequence->frames();
    ImageFile file(file_of(name_of(type)), {n, frames, height_, width_, channels_});
    const auto make = [&](std::int64_t i, Scratch&, std::uint8_t* place) {
      thread_local Image frame;
      const auto stream =
          sequence->start(data_.get(i).image, sequence_key(options_.seed, type, options_.difficulty, i));
      for (std::int64_t f = 0; f < frames; ++f) {
        stream->next(frame);
        NM_CHECK_AS(ConfigError, frame.pixels.size() == image_bytes(), "[", name_of(type), "] frames of ",
                    frame.height, " x ", frame.width, " for images of ", height_, " x ", width_,
                    ": these constants crop; use images of 224");
        place = std::copy(frame.pixels.begin(), frame.pixels.end(), place);
      }
    };
    const auto told = [&](std::int64_t sequences) { return tell(sequences * frames); };
    if (!file.write(n, image_bytes() * static_cast<std::size_t>(frames), make, told)) return false;
    file.commit();
    return true;
  }

  const Dataset& data_;
  const CorruptOptions& options_;
  fs::path folder_;
  const CorruptObserver& observer_;
  std::int64_t height_ = 0, width_ = 0, channels_ = 0;
  CorruptProgress progress_;
};

}  // namespace

bool write_corrupted_set(const Dataset& data, const CorruptOptions& options, const fs::path& folder,
                         const CorruptObserver& observer) {
  NM_CHECK_AS(ConfigError, options.corruptions.empty() || options.sequences.empty(),
              "corruptions and sequences go to different folders");
  return Job(data, options, folder, observer).run();
}

}  // namespace noisymix
