// Exact minimum cuts of small grids: each node has a capacity from the source or to the sink and edges to its
// neighbours above, below, left and right.
#pragma once

#include <cstdint>
#include <vector>

namespace noisymix {

/// A maximum flow by shortest augmenting paths (Dinic), with whole capacities, hence exact and the same
/// everywhere. One object is used for many cuts: reset() keeps its memory.
class GridCut {
 public:
  /// A grid without capacities. Throws ShapeError when a side is not positive.
  void reset(std::int64_t height, std::int64_t width);

  /// Adds what it costs to put a node (row-major) on the sink's side and on the source's side, of any sign.
  void add_costs(std::int64_t node, std::int64_t on_sink_side, std::int64_t on_source_side);
  /// Adds what it costs to separate a node from its neighbour on the right or below, at least 0.
  void add_edge_right(std::int64_t node, std::int64_t capacity) { add_edge(node, kRight, capacity); }
  void add_edge_down(std::int64_t node, std::int64_t capacity) { add_edge(node, kDown, capacity); }

  /// The cost of the cheapest cut; call it once after all costs.
  std::int64_t solve();
  /// After solve(): whether the node lies on the source's side; of several cheapest cuts the one with the
  /// smallest source's side is taken.
  bool on_source_side(std::int64_t node) const { return level_[static_cast<std::size_t>(node)] >= 0; }

 private:
  enum Direction { kRight, kLeft, kDown, kUp };  // d ^ 1 is the way back
  void add_edge(std::int64_t node, Direction direction, std::int64_t capacity);
  bool find_levels();
  void augment_from(std::int64_t start);
  std::int64_t& capacity(std::int64_t node, int direction) {
    return capacity_[static_cast<std::size_t>(4 * node + direction)];
  }

  std::int64_t height_ = 0, width_ = 0, flow_ = 0;
  std::int64_t step_[4] = {};           // from a node to its neighbour
  std::vector<std::int64_t> capacity_;  // what is left of each edge, [node][direction]
  std::vector<std::int64_t> excess_;    // what is left from the source (> 0) or to the sink (< 0)
  std::vector<std::int32_t> level_;     // distance from the source, -1: not reached
  std::vector<std::int8_t> next_;       // first direction that a search has not given up
  std::vector<std::int32_t> queue_, path_;
};

}  // namespace noisymix
