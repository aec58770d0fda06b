#include "augment/mixing/puzzlemix/puzzlemix.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "augment/mixing/puzzlemix/block_transport.h"
#include "augment/mixing/puzzlemix/mask_energy.h"
#include "engine/autograd.h"
#include "engine/cpu/parallel.h"
#include "engine/error.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/gather.h"
#include "engine/ops/permute.h"
#include "engine/ops/pool.h"

namespace noisymix {
namespace {

constexpr std::int64_t kImagesPerChunk = 4;

void check_options(const PuzzleMixOptions& options) {
  const auto check_number = [](const char* name, double value) {
    NM_CHECK_AS(ConfigError, value >= 0 && std::isfinite(value), "[puzzlemix] ", name,
                " must be a number of at least 0, got ", value);
  };
  check_number("alpha", options.alpha);
  check_number("eta", options.eta);
  check_number("beta", options.beta);
  check_number("gamma", options.gamma);
  check_number("t_eps", options.t_eps);
  NM_CHECK_AS(
      ConfigError, options.gamma <= 1,
      "[puzzlemix] gamma must be at most 1, else unlike neighbours could be worth more than like ones; got ",
      options.gamma);
  NM_CHECK_AS(ConfigError, options.labels >= 2 && options.labels <= 16,
              "[puzzlemix] labels must be in 2 .. 16, got ", options.labels);
  NM_CHECK_AS(ConfigError, options.neighbourhood >= 1 && options.transport_cell >= 1,
              "[puzzlemix] cells must have at least one pixel, got ", options.neighbourhood, " and ",
              options.transport_cell);
  NM_CHECK_AS(ConfigError, options.cost_scale > 0 && options.cost_scale <= 1e6,
              "[puzzlemix] cost_scale must be in (0, 1e6], got ", options.cost_scale);
  NM_CHECK_AS(ConfigError, !options.block_counts.empty(), "[puzzlemix] needs at least one number of blocks");
  for (const std::int64_t blocks : options.block_counts)
    NM_CHECK_AS(ConfigError, blocks >= 2 && blocks <= 64,
                "[puzzlemix] numbers of blocks must be in 2 .. 64, got ", blocks);
}

void check_side(std::int64_t side, std::int64_t blocks) {
  NM_CHECK(side >= blocks && side % blocks == 0, "[puzzlemix] images of ", side,
           " pixels along a side cannot be ", "cut into ", blocks,
           " blocks; choose numbers of blocks that divide the side");
}

/// The largest cell of at most `wanted` pixels that divides a block.
std::int64_t cell_in_block(std::int64_t wanted, std::int64_t block) {
  std::int64_t cell = std::min(wanted, block);
  while (block % cell != 0) --cell;
  return cell;
}

/// Means over cells of `cell` pixels of [n, s, s, c], on the host.
std::vector<double> cell_means(const Tensor& x, std::int64_t cell) {
  return avg_pool2d(x, Pool2dOptions::square(cell, cell)).to(Device{}).to(Dtype::f64).to_vector<double>();
}

/// Shares of each image's sum; equal ones where the sum is nothing to divide by.
void to_shares(std::vector<double>& values, std::int64_t per_image) {
  for (auto first = values.begin(); first != values.end(); first += per_image) {
    const auto end = first + per_image;
    const double sum = std::accumulate(first, end, 0.0);
    const bool usable = sum > 0 && std::isfinite(sum) && *std::min_element(first, end) >= 0;
    for (auto value = first; value != end; ++value)
      *value = usable ? *value / sum : 1 / static_cast<double>(per_image);
  }
}

/// Means over groups of fine x fine to coarse x coarse cells.
std::vector<double> coarsened(const double* fine_values, std::int64_t fine, std::int64_t coarse) {
  const std::int64_t ratio = fine / coarse;
  std::vector<double> result(static_cast<std::size_t>(coarse * coarse), 0.0);
  for (std::int64_t y = 0; y < fine; ++y)
    for (std::int64_t x = 0; x < fine; ++x)
      result[static_cast<std::size_t>(y / ratio * coarse + x / ratio)] += fine_values[y * fine + x];
  return result;
}

/// Masks and moves of a batch, on the grid of the cells that are moved.
struct Puzzles {
  std::int64_t side = 0;            // cells along a side
  std::vector<float> own, partner;  // [b][side][side]: weights of the two images, 0 where nothing came
  std::vector<std::int64_t> from, partner_from;  // [b][side][side]: which cell of them is seen
  std::vector<float> shares;                     // [b]

  Puzzles(std::int64_t batch, std::int64_t side_)
      : side(side_),
        own(static_cast<std::size_t>(batch * side * side)),
        partner(own.size()),
        from(own.size()),
        partner_from(own.size()),
        shares(static_cast<std::size_t>(batch)) {}
};

/// Finds the masks and moves of a batch.
class Solver {
 public:
  Solver(const PuzzleMixDraw& draw, const PuzzleMixOptions& options, const Tensor& first_view,
         const Tensor& saliency, const Normalization& normalization)
      : draw_(draw), options_(options), batch_(first_view.dim(0)), channels_(first_view.dim(3)) {
    const std::int64_t side = first_view.dim(1), block = side / draw.blocks;
    const std::int64_t seam_cell = cell_in_block(options.neighbourhood, block);
    const std::int64_t moved_cell = options.transport ? cell_in_block(options.transport_cell, block) : block;
    seam_side_ = side / seam_cell;
    side_ = side / moved_cell;
    means_ = cell_means(first_view, seam_cell);
    for (std::size_t i = 0; i < means_.size(); ++i) {
      const std::size_t c = i % static_cast<std::size_t>(channels_);
      means_[i] = means_[i] * static_cast<double>(normalization.stddev[c]) +
                  static_cast<double>(normalization.mean[c]);
    }
    shares_ = cell_means(saliency.reshape({batch_, side, side, 1}), moved_cell);
    to_shares(shares_, side_ * side_);
    for (std::int64_t i = 0; i < batch_; ++i) {
      const std::vector<double> blocks = coarsened(saliency_of(i), side_, draw.blocks);
      block_shares_.insert(block_shares_.end(), blocks.begin(), blocks.end());
    }
    if (options.transport) transport_.emplace(side_, options.t_eps);
  }

  Puzzles solve() const {
    Puzzles puzzles(batch_, side_);
    cpu::parallel_for(batch_, kImagesPerChunk, [&](std::int64_t begin, std::int64_t end) {
      AlphaBetaSwap swaps;
      for (std::int64_t i = begin; i < end; ++i) solve_image(i, swaps, puzzles);
    });
    return puzzles;
  }

 private:
  const double* saliency_of(std::int64_t image) const { return shares_.data() + image * side_ * side_; }

  void solve_image(std::int64_t i, AlphaBetaSwap& swaps, Puzzles& puzzles) const {
    const std::int64_t other = draw_.permutation[static_cast<std::size_t>(i)];
    const std::int64_t blocks = draw_.blocks, count = blocks * blocks;
    const std::int64_t image = seam_side_ * seam_side_ * channels_;
    const GridEnergy energy =
        mask_energy(options_, blocks, draw_.lambda,
                    {block_shares_.data() + i * count, block_shares_.data() + other * count},
                    {means_.data() + i * image, means_.data() + other * image, seam_side_, channels_});
    const std::vector<std::uint8_t> labelling = swaps.minimise(energy);
    const std::int64_t cells = side_ * side_, cells_per_block = side_ / blocks;
    float* own = puzzles.own.data() + i * cells;
    float* partner = puzzles.partner.data() + i * cells;
    double sum = 0;
    for (std::int64_t j = 0; j < cells; ++j) {
      const std::int64_t block = j / side_ / cells_per_block * blocks + j % side_ / cells_per_block;
      const double hidden =
          labelling[static_cast<std::size_t>(block)] / static_cast<double>(options_.labels - 1);
      own[j] = static_cast<float>(1 - hidden);
      partner[j] = static_cast<float>(hidden);
      sum += 1 - hidden;
    }
    puzzles.shares[static_cast<std::size_t>(i)] = static_cast<float>(sum / static_cast<double>(cells));
    move_cells(i, own, puzzles.from.data() + i * cells);
    move_cells(other, partner, puzzles.partner_from.data() + i * cells);
  }

  /// Where the cells of an image come from; its weight becomes 0 where nothing comes.
  void move_cells(std::int64_t image, float* weight, std::int64_t* from) const {
    const std::int64_t cells = side_ * side_;
    if (!transport_) {
      std::iota(from, from + cells, 0);
      return;
    }
    std::vector<float> saliency(saliency_of(image), saliency_of(image) + cells), visible;
    for (std::int64_t j = 0; j < cells; ++j) visible.push_back(weight[j] > 0 ? 1.0f : 0.0f);
    const std::vector<std::int64_t> plan = transport_->plan(saliency.data(), visible.data());
    for (std::int64_t j = 0; j < cells; ++j) {
      const std::int64_t source = plan[static_cast<std::size_t>(j)];
      if (source < 0) weight[j] = 0;
      from[j] = std::max<std::int64_t>(source, 0);
    }
  }

  const PuzzleMixDraw& draw_;
  const PuzzleMixOptions& options_;
  std::int64_t batch_, channels_, seam_side_ = 0, side_ = 0;
  std::vector<double> means_;                  // [b][seam cells][c], in [0, 1]
  std::vector<double> shares_, block_shares_;  // of the saliency, [b][moved cells] and [b][blocks]
  std::optional<BlockTransport> transport_;
};

/// Cells [images * side * side, pixels * c] of images [images, s, s, c].
Tensor cells_of(const Tensor& images, std::int64_t side) {
  const std::int64_t n = images.dim(0), pixels = images.dim(1) / side, c = images.dim(3);
  return permute(images.reshape({n, side, pixels, side, pixels, c}), {0, 1, 3, 2, 4, 5})
      .reshape({n * side * side, pixels * pixels * c});
}

Tensor images_of(const Tensor& cells, const Shape& shape, std::int64_t side) {
  const std::int64_t pixels = shape[1] / side;
  return permute(cells.reshape({shape[0], side, side, pixels, pixels, shape[3]}), {0, 1, 3, 2, 4, 5})
      .reshape(shape);
}

/// The pictures: own cells times their weights plus the partner's times theirs, on the images' device.
Tensor assemble(const Puzzles& puzzles, const std::vector<std::int64_t>& permutation, const Tensor& images,
                std::int64_t views) {
  const auto batch = static_cast<std::int64_t>(permutation.size());
  const std::int64_t cells = puzzles.side * puzzles.side, rows = images.dim(0) * cells;
  std::vector<std::int64_t> own_rows, partner_rows;
  std::vector<float> own_weights, partner_weights;
  own_rows.reserve(static_cast<std::size_t>(rows)), partner_rows.reserve(static_cast<std::size_t>(rows));
  for (std::int64_t view = 0; view < views; ++view) {
    for (std::int64_t i = 0; i < batch; ++i)
      for (std::int64_t j = 0; j < cells; ++j) {
        const auto at = static_cast<std::size_t>(i * cells + j);
        own_rows.push_back((view * batch + i) * cells + puzzles.from[at]);
        partner_rows.push_back((view * batch + permutation[static_cast<std::size_t>(i)]) * cells +
                               puzzles.partner_from[at]);
      }
    own_weights.insert(own_weights.end(), puzzles.own.begin(), puzzles.own.end());
    partner_weights.insert(partner_weights.end(), puzzles.partner.begin(), puzzles.partner.end());
  }
  const Tensor all = cells_of(images, puzzles.side);
  const auto weighted = [&](const std::vector<std::int64_t>& from, const std::vector<float>& weights) {
    const Tensor picked = index_select(all, Tensor::from(from, {rows}, images.device()));
    return mul(picked, Tensor::from(weights, {rows, 1}, images.device()).to(images.dtype()));
  };
  const Tensor mixed = add(weighted(own_rows, own_weights), weighted(partner_rows, partner_weights));
  return images_of(mixed, images.shape(), puzzles.side);
}

}  // namespace

PuzzleMixDraw draw_puzzlemix(const PuzzleMixOptions& options, std::int64_t batch, std::int64_t side,
                             Key key) {
  check_options(options);
  NM_CHECK(batch >= 0, "[puzzlemix] expects a batch of at least 0 images, got ", batch);
  for (const std::int64_t blocks : options.block_counts) check_side(side, blocks);
  PuzzleMixDraw draw;
  const auto choices = static_cast<std::int64_t>(options.block_counts.size());
  draw.blocks = options.block_counts[static_cast<std::size_t>(key.child("blocks").below(0, choices))];
  if (options.alpha > 0) draw.lambda = Draws(key.child("lambda")).beta(options.alpha, options.alpha);
  draw.permutation = permutation(key.child("permutation"), batch);
  return draw;
}

PuzzleMixed apply_puzzlemix(const PuzzleMixDraw& draw, const PuzzleMixOptions& options, const Tensor& images,
                            const Tensor& saliency, const Normalization& normalization, std::int64_t views) {
  check_options(options);
  const auto batch = static_cast<std::int64_t>(draw.permutation.size());
  NM_CHECK(images.defined() && images.rank() == 4 && images.dim(1) == images.dim(2),
           "[puzzlemix] expects square images [views * b, s, s, c], got ",
           images.defined() ? "shape " + images.shape().str() : "an undefined tensor");
  NM_CHECK(images.dim(3) == 1 || images.dim(3) == 3, "[puzzlemix] expects 1 or 3 channels, got shape ",
           images.shape());
  NM_CHECK(views >= 1 && images.dim(0) == views * batch, "[puzzlemix] the draw is for ", views, " views of ",
           batch, " images, got ", images.dim(0), " images");
  const Shape expected{batch, images.dim(1), images.dim(2)};
  NM_CHECK(saliency.defined() && saliency.shape() == expected, "[puzzlemix] expects a saliency of shape ",
           expected, ", got ", saliency.defined() ? saliency.shape().str() : "an undefined tensor");
  NM_CHECK(draw.blocks >= 2, "[puzzlemix] expects a draw of at least 2 blocks along a side, got ",
           draw.blocks);
  check_side(images.dim(1), draw.blocks);
  PuzzleMixed mixed;
  mixed.permutation = draw.permutation;
  if (batch == 0) {
    mixed.images = images;
    mixed.shares = Tensor::zeros({0}, Dtype::f32, images.device());
    return mixed;
  }
  const NoGrad unrecorded;
  const Puzzles puzzles = Solver(draw, options, images.rows(0, batch), saliency, normalization).solve();
  mixed.images = assemble(puzzles, draw.permutation, images.detach(), views);
  mixed.shares = Tensor::from(puzzles.shares, {batch}, images.device());
  return mixed;
}

PuzzleMixed puzzlemix(const PuzzleMixOptions& options, const Tensor& images, const Tensor& saliency,
                      const Normalization& normalization, Key key, std::int64_t views) {
  NM_CHECK(images.defined() && images.rank() == 4 && views >= 1 && images.dim(0) % views == 0,
           "[puzzlemix] expects images [", views, " * b, s, s, c], got ",
           images.defined() ? "shape " + images.shape().str() : "an undefined tensor");
  const PuzzleMixDraw draw = draw_puzzlemix(options, images.dim(0) / views, images.dim(1), key);
  return apply_puzzlemix(draw, options, images, saliency, normalization, views);
}

}  // namespace noisymix
