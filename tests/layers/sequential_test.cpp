// A row of modules.
#include "layers/sequential.h"

#include "layers/activation.h"
#include "layers/linear.h"
#include "tests/layers/check_layer.h"

using namespace noisymix;
using namespace noisymix::testing;

TEST_CASE("sequential owns, names and applies its children in order") {
  Sequential row;
  const Tensor x = random_normal({3, 2}, Key(1));
  CHECK(same_bits(row(x, {}), x));
  Linear& first = row.emplace<Linear>(2, 4);
  row.emplace<Activation>(ActivationKind::relu);
  Linear& last = row.emplace<Linear>(4, 1);
  row.initialize(Key(2));
  CHECK(row.size() == 3);
  CHECK(&row[2] == &last);
  CHECK(last.path() == "2");
  CHECK(names_of(row.state()) == std::vector<std::string>{"0.weight", "0.bias", "2.weight", "2.bias"});
  CHECK(same_bits(row(x, {}), last(relu(first(x, {})), {})));
  CHECK_THROWS_AS(row[3], std::out_of_range);
}

TEST_CASE("children under names of their own, and a part of the row") {
  Sequential row;
  row.emplace_named<Linear>("first", 2, 3);
  row.emplace<Linear>(3, 4);
  CHECK(names_of(row.state()) ==
        std::vector<std::string>{"first.weight", "first.bias", "1.weight", "1.bias"});
  row.initialize(Key(1));
  const Tensor x = random_normal({5, 2}, Key(2));
  const Tensor middle = row.run(x, {}, 0, 1);
  CHECK(middle.shape() == Shape{5, 3});
  CHECK(same_bits(row.run(middle, {}, 1, 2), row(x, {})));
  CHECK(same_bits(row.run(x, {}, 1, 1), x));
}
