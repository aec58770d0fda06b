#include "tools/trainer.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "data/batch_source.h"
#include "engine/autograd.h"
#include "engine/backend.h"
#include "engine/math_policy.h"
#include "engine/ops/cross_entropy.h"
#include "engine/ops/reduce.h"
#include "tools/event_file.h"
#include "tools/memory_advice.h"
#include "tools/metrics_log.h"
#include "tools/run_directory.h"
#include "tools/step_runner.h"
#include "tools/training_setup.h"
#include "tools/transfer.h"
#include "tools/work_progress.h"

namespace noisymix {
namespace {

constexpr std::int64_t kLogLinesPerEpoch = 10;

/// Seconds since the last lap, or since it was made.
class Stopwatch {
 public:
  double lap() {
    const double before = std::exchange(started_, steady_seconds());
    return started_ - before;
  }

 private:
  double started_ = steady_seconds();
};

bool due(std::int64_t count, std::int64_t every) {
  return every > 0 && count % every == 0;
}

}  // namespace

TestResult test_model(Model& model, DataLoader& loader, Dtype precision) {
  const NoGrad unrecorded;
  const Device device = model.device();
  double loss_sum = 0, correct = 0;
  std::int64_t examples = 0;
  Batch batch;
  loader.start_epoch(0);
  while (loader.next(batch)) {
    const Tensor images = batch.images.to(device).to(precision);
    const Tensor logits = model(images, Context::evaluation()).to(Dtype::f32);
    loss_sum += cross_entropy(logits, batch.labels.to(device)).item() * static_cast<double>(batch.size());
    const auto predicted = argmax(logits, 1).to_vector<std::int64_t>();
    const auto truth = batch.labels.to_vector<std::int64_t>();
    for (std::size_t i = 0; i < truth.size(); ++i) correct += predicted[i] == truth[i] ? 1 : 0;
    examples += batch.size();
  }
  NM_CHECK_AS(DataError, examples > 0, "the test split holds no examples");
  return {loss_sum / static_cast<double>(examples), correct / static_cast<double>(examples)};
}

struct Trainer::Impl {
  Config config;
  TrainOptions options;
  TrainObserver& observer;
  RunDirectory directory;
  Key key;  // streams: "init" weights, "data" order and views, "step" / number the draws of one step

  std::shared_ptr<const Dataset> train_data, test_data;
  ModelCard card;
  std::unique_ptr<Model> model;
  std::unique_ptr<Objective> objective;
  std::unique_ptr<Optimizer> optimizer;
  std::unique_ptr<BatchSource> source;
  std::unique_ptr<DataLoader> test_loader;
  std::unique_ptr<StepRunner> runner;
  Schedule schedule;

  Position position;
  std::unique_ptr<MetricsLog> metrics;
  std::unique_ptr<EventFile> events;  ///< null without train.tensorboard
  std::filesystem::path last_checkpoint;
  std::optional<EpochReport> last_epoch;
  // Of this process and epoch, for speeds only: they are not part of the position.
  double epoch_seconds = 0;
  std::int64_t epoch_examples = 0;

  Impl(const Config& settings, TrainOptions how, TrainObserver& watcher)
      : config(settings),
        options(std::move(how)),
        observer(watcher),
        directory(options.run),
        key(config.train.seed) {}

  bool on_disk() const { return !options.run.empty(); }
  void build();
  void open_run();
  void restore(const std::filesystem::path& file);
  TrainSummary run();
  std::optional<TrainEnd> run_epoch();
  StepParts parts() { return {*model, *objective, *optimizer, options.device, precision()}; }
  StepOutcome run_step(const Batch& batch, const StepSettings& settings);
  void train_step(const Batch& batch, Stopwatch& watch);
  /// Parameters are always f32; the dtype of its input decides in which one a model computes.
  Dtype precision() const { return config.train.precision == "bf16" ? Dtype::bf16 : Dtype::f32; }
  void log_step(const StepReport& report);
  void finish_epoch();
  void report_epoch(bool evaluate);
  void keep_if_best(EpochReport& report);
  void write_checkpoint();
  TrainSummary finish(TrainEnd end);
};

void Trainer::Impl::build() {
  const TrainConfig& train = config.train;
  const bool on_gpu = !options.device.is_cpu();
  NM_CHECK_AS(ConfigError, train.precision == "f32" || train.precision == "bf16" || train.precision == "tf32",
              "train.precision is \"f32\", \"tf32\" or \"bf16\", not \"", train.precision, '"');
  NM_CHECK_AS(ConfigError, train.precision != "tf32" || on_gpu,
              "train.precision = \"tf32\" is arithmetic of GPUs; use \"f32\" with --device cpu");
  set_math_policy({.tf32 = train.precision == "tf32", .deterministic = train.deterministic});
  train_data = open_split(config, true);
  test_data = open_split(config, false);
  card = make_card(config, *train_data);
  model = make_model(card.architecture, card.options, key.child("init"));
  model = with_ensemble(std::move(model), config.ensemble);
  model->to(options.device);
  objective = make_objective(config);
  const bool from_start = !options.resume || directory.checkpoints().empty();
  optimizer = make_optimizer(config.optimizer, begin_transfer(config.transfer, card, *model, from_start));
  const LoaderOptions loading{train.batch, true, train.drop_last, train.workers, train.prefetch};
  std::shared_ptr<const Views> views =
      make_views(config.views, make_normalization(config.data.normalization), config.data.transform.crop);
  const auto notice = [this](const std::string& text) { observer.notice(text); };
  source = replayed(make_batch_source(train_data, std::move(views), loading, key.child("data"),
                                      options.device, precision(), notice),
                    train.replays);
  test_loader = make_test_loader(test_data, config);
  NM_CHECK_AS(ConfigError, source->batches() > 0, "train.drop_last leaves no batch: the training set has ",
              train_data->size(), " examples, train.batch is ", train.batch);
  schedule = make_schedule(config, source->batches());
  runner = on_gpu && train.cuda_graph ? make_graph_runner(parts(), notice) : make_eager_runner(parts());
}

void Trainer::Impl::open_run() {
  if (!on_disk()) {
    NM_CHECK_AS(ConfigError, !options.resume, "[train] a run without a folder cannot be resumed");
    return;
  }
  if (options.resume) {
    directory.reopen(config);
    const auto checkpoints = directory.checkpoints();
    if (!checkpoints.empty()) restore(checkpoints.back());  // none: stopped before the first, so begin again
  } else {
    directory.create(config);
  }
  metrics = std::make_unique<MetricsLog>(directory.metrics_file(), position.metrics_bytes);
  if (config.train.tensorboard) events = std::make_unique<EventFile>(directory.root(), position.step + 1);
}

void Trainer::Impl::restore(const std::filesystem::path& file) {
  const Checkpoint checkpoint = load_checkpoint(file);
  model->load_state(checkpoint.model);
  optimizer->load_state(checkpoint.optimizer);
  objective->load_state(checkpoint.objective);
  position = checkpoint.position;
  last_checkpoint = file;
}

TrainSummary Trainer::Impl::run() {
  const TrainStart start{.model = card.architecture,
                         .train_data = train_data->description(),
                         .test_data = test_data->description(),
                         .device = backend_of(options.device).describe(),
                         .parameters = model->parameter_count(),
                         .epochs = config.train.epochs,
                         .steps_per_epoch = source->batches(),
                         .first_step = position.step};
  observer.started(start);
  if (on_disk() && last_checkpoint.empty()) {
    metrics->start(start, config.train.seed);
    write_checkpoint();  // so that there is always a good state to return to
  }
  while (position.epoch < config.train.epochs) {
    if (const auto end = run_epoch()) return finish(*end);
  }
  return finish(TrainEnd::completed);
}

/// Runs from the position to the end of its epoch; a value means that training ends before that.
std::optional<TrainEnd> Trainer::Impl::run_epoch() {
  const TrainConfig& train = config.train;
  epoch_seconds = 0;
  epoch_examples = 0;
  source->start_epoch(position.epoch, position.batch);
  const auto limit_reached = [&] { return train.max_steps > 0 && position.step >= train.max_steps; };
  if (limit_reached()) return TrainEnd::step_limit;
  Stopwatch watch;
  Batch batch;
  while (source->next(batch)) {
    train_step(batch, watch);
    if (options.should_stop && options.should_stop()) return TrainEnd::interrupted;
    if (limit_reached() && position.batch < source->batches()) return TrainEnd::step_limit;
    if (due(position.step, train.checkpoint_steps)) write_checkpoint();
  }
  finish_epoch();
  if (position.epoch == train.epochs) return std::nullopt;
  if (limit_reached()) return TrainEnd::step_limit;
  if (due(position.epoch, train.checkpoint_every)) write_checkpoint();
  return std::nullopt;
}

StepOutcome Trainer::Impl::run_step(const Batch& batch, const StepSettings& settings) {
  try {
    return runner->run(batch, settings);
  } catch (const OutOfMemoryError& error) {
    fail<OutOfMemoryError>(error.what(), batch_that_fits(parts(), batch));
  }
}

void Trainer::Impl::train_step(const Batch& batch, Stopwatch& watch) {
  const StepSettings settings{.key = key.child("step").child(position.step),
                              .lr = schedule(position.step),
                              .step = position.step,
                              .epoch = position.epoch,
                              .last_checkpoint = last_checkpoint};
  StepReport report{
      .epoch = position.epoch, .batch = position.batch, .step = position.step, .images = batch.size()};
  const StepOutcome outcome = run_step(batch, settings);
  report.loss = outcome.loss;
  report.stats = outcome.stats;

  ++position.step;
  ++position.batch;
  position.examples += batch.size();
  position.loss_sum += report.loss * static_cast<double>(batch.size());
  position.accuracy_sum += report.stats.accuracy * static_cast<double>(batch.size());
  report.lr = settings.lr;
  report.seconds = watch.lap();
  epoch_seconds += report.seconds;
  epoch_examples += batch.size();
  if (due(report.batch, std::max<std::int64_t>(1, source->batches() / kLogLinesPerEpoch))) log_step(report);
  observer.step_done(report);
}

void Trainer::Impl::log_step(const StepReport& report) {
  if (metrics != nullptr) metrics->step(report);
  if (events == nullptr) return;
  const Scalar scalars[] = {
      {"train/loss", report.loss}, {"train/accuracy", report.stats.accuracy}, {"lr", report.lr}};
  events->add(report.step + 1, scalars);
}

/// The epoch's means so far and, if wanted, the accuracy on the test split; logged and told to the observer.
void Trainer::Impl::report_epoch(bool evaluate) {
  const double examples = static_cast<double>(std::max<std::int64_t>(position.examples, 1));
  EpochReport report{.epoch = position.epoch + 1,
                     .step = position.step,
                     .train_loss = position.loss_sum / examples,
                     .train_accuracy = position.accuracy_sum / examples};
  report.lr = schedule(std::max<std::int64_t>(position.step - 1, 0));
  report.seconds = epoch_seconds;
  report.images_per_second = epoch_seconds > 0 ? static_cast<double>(epoch_examples) / epoch_seconds : 0;
  if (evaluate) {
    report.test = test_model(*model, *test_loader, precision());
    keep_if_best(report);
  }
  if (metrics != nullptr) metrics->epoch(report);
  if (events != nullptr && report.test) {
    const Scalar scalars[] = {{"test/loss", report.test->loss}, {"test/accuracy", report.test->accuracy}};
    events->add(report.step, scalars);
  }
  last_epoch = report;
  observer.epoch_done(report);
}

void Trainer::Impl::keep_if_best(EpochReport& report) {
  report.best = report.test->accuracy > position.best_accuracy;
  if (!report.best) return;
  position.best_accuracy = report.test->accuracy;
  position.best_epoch = report.epoch;
  if (!on_disk()) return;
  save_weights(directory.best_file(), *model, card);
  if (config.train.report == "best") save_weights(directory.model_file(), *model, card);
}

void Trainer::Impl::finish_epoch() {
  const std::int64_t done = position.epoch + 1;
  report_epoch(due(done, config.train.eval_every) || done == config.train.epochs);
  position.epoch = done;
  position.batch = position.examples = 0;
  position.loss_sum = position.accuracy_sum = 0;
}

void Trainer::Impl::write_checkpoint() {
  if (!on_disk()) return;
  metrics->sync();
  position.metrics_bytes = metrics->bytes();
  const std::filesystem::path file = directory.checkpoint_file(position.step);
  save_checkpoint(file, {card, position, model->state(), optimizer->state(), objective->state()});
  last_checkpoint = file;
  if (config.train.report == "last") save_weights(directory.model_file(), *model, card);
  directory.prune(config.train.keep);
  observer.checkpoint_written(file);
}

TrainSummary Trainer::Impl::finish(TrainEnd end) {
  write_checkpoint();
  // A look at an unfinished epoch. It comes after the checkpoint, so that a run continued from there has no
  // trace of it and equals one that never stopped.
  if (end == TrainEnd::step_limit && position.batch > 0) report_epoch(true);
  return {.end = end,
          .steps = position.step,
          .last = last_epoch,
          .best_accuracy = position.best_accuracy,
          .best_epoch = position.best_epoch,
          .weights = on_disk() ? directory.model_file() : std::filesystem::path()};
}

Trainer::Trainer(const Config& config, TrainOptions options, TrainObserver& observer)
    : impl_(std::make_unique<Impl>(config, std::move(options), observer)) {
  impl_->build();
  impl_->open_run();
}

Trainer::~Trainer() = default;

Model& Trainer::model() {
  return *impl_->model;
}

TrainSummary Trainer::run() {
  struct Stopped {  // also on the way out of an error
    TrainObserver& observer;
    ~Stopped() { observer.stopped(); }
  } stopped{impl_->observer};
  return impl_->run();
}

}  // namespace noisymix
