// Settings of the optimizer, the learning rate and the loop.
#include "tools/schema_row.h"

namespace noisymix::schema {

Rows optimizer_rows() {
  return {
      key("optimizer.name", NM_FIELD(optimizer.name), Texts{"sgd", "adam", "adamw"}, "Update rule.", "D16"),
      key("optimizer.lr", NM_FIELD(optimizer.lr), above(0), "Learning rate, before schedule and warm-up."),
      key("optimizer.momentum", NM_FIELD(optimizer.momentum), below(0, 1),
          "sgd: share of the last step kept."),
      key("optimizer.nesterov", NM_FIELD(optimizer.nesterov), ConfigRange{}, "sgd: look-ahead momentum.",
          "D16"),
      key("optimizer.weight_decay", NM_FIELD(optimizer.weight_decay), at_least(0),
          "Decay of every parameter, biases and batch norm included; adamw decouples it from the gradient."),
      key("optimizer.beta1", NM_FIELD(optimizer.beta1), below(0, 1),
          "adam, adamw: decay of the mean gradient."),
      key("optimizer.beta2", NM_FIELD(optimizer.beta2), below(0, 1),
          "adam, adamw: decay of the mean square."),
      key("optimizer.epsilon", NM_FIELD(optimizer.epsilon), above(0),
          "adam, adamw: added to the denominator."),
  };
}

Rows schedule_rows() {
  return {
      key("schedule.name", NM_FIELD(schedule.name), Texts{"constant", "cosine", "multistep"},
          "Learning rate over time: constant, half a cosine updated every step, or steps at milestones.",
          "D16"),
      key("schedule.floor", NM_FIELD(schedule.floor), at_least(0), "cosine: the learning rate at the end."),
      key("schedule.milestones", NM_FIELD(schedule.milestones), at_least(0),
          "multistep: epochs, counted from 0, after whose end the rate is multiplied by gamma.", "D39"),
      key("schedule.gamma", NM_FIELD(schedule.gamma), {.low = 0, .high = 1, .low_open = true},
          "multistep: the factor."),
      key("schedule.warmup_epochs", NM_FIELD(schedule.warmup_epochs), at_least(0),
          "Epochs over which the rate first rises in a straight line; may be a fraction."),
      key("schedule.warmup_start", NM_FIELD(schedule.warmup_start), at_least(0),
          "Learning rate at the first step of it."),
  };
}

Rows train_rows() {
  return {
      key("train.epochs", NM_FIELD(train.epochs), between(1, 1e6), "Passes over the training split."),
      key("train.batch", NM_FIELD(train.batch), between(1, 65536),
          "Examples per step, each with all its views."),
      key("train.eval_batch", NM_FIELD(train.eval_batch), between(1, 65536),
          "Examples per forward pass of evaluations."),
      key("train.seed", NM_FIELD(train.seed), at_least(0),
          "Seed of weights, order, views, mixing, noise and dropout."),
      key("train.precision", NM_FIELD(train.precision), Texts{"f32", "tf32", "bf16"},
          "Number format of the activations. With bf16, weights, optimizer, statistics and losses stay f32; "
          "tf32 is f32 "
          "with products of rounded operands, on GPUs only."),
      key("train.deterministic", NM_FIELD(train.deterministic), ConfigRange{},
          "On a GPU: only algorithms that give the same bits every time. The CPU always does."),
      key("train.cuda_graph", NM_FIELD(train.cuda_graph), ConfigRange{},
          "On a GPU: record a step once and replay it with one call. Does not change the result."),
      key("train.workers", NM_FIELD(train.workers), between(0, 256),
          "Threads that make views; 0 makes them between the steps. Does not change the result."),
      key("train.prefetch", NM_FIELD(train.prefetch), between(1, 1024), "Batches made ahead."),
      key("train.drop_last", NM_FIELD(train.drop_last), ConfigRange{},
          "Leave out the last batch when it is smaller."),
      key("train.replays", NM_FIELD(train.replays), between(1, 1000),
          "Steps taken with each batch, one after the other; \"free\" adversarial training takes 8 and "
          "divides the epochs "
          "by it."),
      key("train.max_steps", NM_FIELD(train.max_steps), at_least(0),
          "Stop after so many steps; 0 is no limit."),
      key("train.eval_every", NM_FIELD(train.eval_every), at_least(1),
          "Epochs between evaluations on the test split."),
      key("train.checkpoint_every", NM_FIELD(train.checkpoint_every), at_least(1),
          "Epochs between checkpoints."),
      key("train.checkpoint_steps", NM_FIELD(train.checkpoint_steps), at_least(0),
          "Also write one every so many steps; 0 is never."),
      key("train.keep", NM_FIELD(train.keep), between(1, 1e6), "Newest checkpoints kept."),
      key("train.report", NM_FIELD(train.report), Texts{"last", "best"},
          "Model whose results count: the last one, or the one with the best test accuracy.", "D15"),
      key("train.tensorboard", NM_FIELD(train.tensorboard), ConfigRange{},
          "Also write the curves to RUN/events.out.tfevents.*, which TensorBoard shows. Does not change the "
          "result."),
  };
}

Rows ensemble_rows() {
  return {
      key("ensemble.copies", NM_FIELD(ensemble.copies), between(1, 1000),
          "Noisy copies of the input over which the trained network's answer is averaged; 1 is the plain "
          "answer."),
      key("ensemble.noise", NM_FIELD(ensemble.noise), at_least(0), "Standard deviation of that noise."),
      key("ensemble.mean", NM_FIELD(ensemble.mean), Texts{"probabilities", "logits"}, "What is averaged.",
          "D25"),
  };
}

}  // namespace noisymix::schema
