#include "augment/mixing/puzzlemix/max_flow.h"

#include <algorithm>

#include "engine/error.h"

namespace noisymix {

void GridCut::reset(std::int64_t height, std::int64_t width) {
  NM_CHECK(height >= 1 && width >= 1 && height <= 4096 && width <= 4096,
           "[max_flow] expects sides of 1 to 4096 nodes, got ", height, " x ", width);
  height_ = height, width_ = width, flow_ = 0;
  step_[kRight] = 1, step_[kLeft] = -1, step_[kDown] = width, step_[kUp] = -width;
  const auto nodes = static_cast<std::size_t>(height * width);
  capacity_.assign(4 * nodes, 0);
  excess_.assign(nodes, 0);
  level_.assign(nodes, -1);
  next_.assign(nodes, 0);
  queue_.resize(nodes);
}

void GridCut::add_costs(std::int64_t node, std::int64_t on_sink_side, std::int64_t on_source_side) {
  // What both sides cost is paid in any case; so is the smaller of an old rest and a new one of other sign.
  const std::int64_t old = excess_[static_cast<std::size_t>(node)];
  const std::int64_t from_source = on_sink_side + std::max<std::int64_t>(old, 0);
  const std::int64_t to_sink = on_source_side + std::max<std::int64_t>(-old, 0);
  flow_ += std::min(from_source, to_sink);
  excess_[static_cast<std::size_t>(node)] = from_source - to_sink;
}

void GridCut::add_edge(std::int64_t node, Direction direction, std::int64_t capacity_of_edge) {
  NM_ASSERT(capacity_of_edge >= 0);
  NM_ASSERT(direction == kRight ? node % width_ + 1 < width_ : node + width_ < height_ * width_);
  capacity(node, direction) += capacity_of_edge;
  capacity(node + step_[direction], direction ^ 1) += capacity_of_edge;
}

bool GridCut::find_levels() {
  std::fill(level_.begin(), level_.end(), -1);
  std::fill(next_.begin(), next_.end(), std::int8_t{0});
  std::size_t found = 0;
  for (std::size_t node = 0; node < excess_.size(); ++node)
    if (excess_[node] > 0) {
      level_[node] = 0;
      queue_[found++] = static_cast<std::int32_t>(node);
    }
  bool reaches_sink = false;
  for (std::size_t at = 0; at < found; ++at) {
    const std::int64_t node = queue_[at];
    const std::int32_t deeper = level_[static_cast<std::size_t>(node)] + 1;
    reaches_sink = reaches_sink || excess_[static_cast<std::size_t>(node)] < 0;
    for (int direction = 0; direction < 4; ++direction) {
      if (capacity(node, direction) == 0) continue;
      const std::int64_t neighbour = node + step_[direction];
      std::int32_t& level = level_[static_cast<std::size_t>(neighbour)];
      if (level >= 0) continue;
      level = deeper;
      queue_[found++] = static_cast<std::int32_t>(neighbour);
    }
  }
  return reaches_sink;
}

void GridCut::augment_from(std::int64_t start) {
  // A path is the list of its edges, 4 node + direction; the node at its end is where the search stands.
  path_.clear();
  std::int64_t node = start;
  std::int64_t& supply = excess_[static_cast<std::size_t>(start)];
  while (supply > 0) {
    if (std::int64_t& demand = excess_[static_cast<std::size_t>(node)]; demand < 0) {
      std::int64_t amount = std::min(supply, -demand);
      for (const std::int32_t edge : path_)
        amount = std::min(amount, capacity_[static_cast<std::size_t>(edge)]);
      supply -= amount;
      demand += amount;
      flow_ += amount;
      std::size_t full = path_.size();
      for (std::size_t i = path_.size(); i-- > 0;) {
        const std::int64_t tail = path_[i] / 4;
        const int direction = path_[i] % 4;
        capacity(tail, direction) -= amount;
        capacity(tail + step_[direction], direction ^ 1) += amount;
        if (capacity(tail, direction) == 0) full = i;
      }
      if (full < path_.size()) {  // on from where the first edge is used up
        node = path_[full] / 4;
        path_.resize(full);
      }
      continue;
    }
    std::int8_t& direction = next_[static_cast<std::size_t>(node)];
    const std::int32_t deeper = level_[static_cast<std::size_t>(node)] + 1;
    while (direction < 4 && (capacity(node, direction) == 0 ||
                             level_[static_cast<std::size_t>(node + step_[direction])] != deeper))
      ++direction;
    if (direction < 4) {
      path_.push_back(static_cast<std::int32_t>(4 * node + direction));
      node += step_[direction];
    } else if (path_.empty()) {
      return;
    } else {  // a dead end: its predecessor goes on with the next direction
      node = path_.back() / 4;
      path_.pop_back();
      ++next_[static_cast<std::size_t>(node)];
    }
  }
}

std::int64_t GridCut::solve() {
  while (find_levels())
    for (std::size_t node = 0; node < excess_.size(); ++node)
      if (excess_[node] > 0) augment_from(static_cast<std::int64_t>(node));
  return flow_;
}

}  // namespace noisymix
