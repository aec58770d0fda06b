// Settings of transfer learning.
#include "tools/schema_row.h"

namespace noisymix::schema {

Rows transfer_rows() {
  return {
      key("transfer.weights", NM_FIELD(transfer.weights), ConfigRange{},
          "Weights to start from: a run folder, or a safetensors file with PyTorch's names, relative to the "
          "working directory. Empty starts from random ones."),
      key("transfer.freeze", NM_FIELD(transfer.freeze), between(-1, 1000),
          "Every parameter up to and including this stage holds still; the number of the last stage leaves "
          "only the last layer to train, -1 trains all. `noisymix models NAME` shows the stages.",
          "D36"),
      key("transfer.replace_head", NM_FIELD(transfer.replace_head), ConfigRange{},
          "Draw the last layer anew, as other classes need it; false loads it too."),
      key("transfer.freeze_statistics", NM_FIELD(transfer.freeze_statistics), ConfigRange{},
          "Batch norms of the frozen stages keep their running statistics, too. The published code lets them "
          "go on moving."),
  };
}

}  // namespace noisymix::schema
