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
