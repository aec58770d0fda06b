#include "engine/cuda/launch.h"
#include "engine/ops/slice.h"

namespace noisymix::cuda {
namespace {

/// A plain image padded: h x w pixels become ho x wo.
struct Sizes {
  std::int64_t h, w, c, ho, wo;
};

template <typename T>
__global__ void pad_kernel(const T* x, T* y, const std::int64_t* rows, const std::int64_t* columns, Sizes s, T border,
                           std::int64_t count) {
  NM_FOR_EACH(i, count) {
    const std::int64_t channel = i % s.c, column = columns[i / s.c % s.wo], row = rows[i / s.c / s.wo % s.ho];
    const std::int64_t image = i / s.c / s.wo / s.ho;
    y[i] = row < 0 || column < 0 ? border : x[((image * s.h + row) * s.w + column) * s.c + channel];
  }
}

/// Every element of dx adds up the elements of dy that show it.
template <typename T>
__global__ void pad_grad_kernel(const T* dy, T* dx, const std::int64_t* rows, const std::int64_t* columns, Sizes s,
                                std::int64_t count) {
  NM_FOR_EACH(i, count) {
    const std::int64_t channel = i % s.c, column = i / s.c % s.w, row = i / s.c / s.w % s.h, image = i / s.c / s.w / s.h;
    compute_t<T> sum = 0;
    for (std::int64_t r = 0; r < s.ho; ++r) {
      if (rows[r] != row) continue;
      for (std::int64_t q = 0; q < s.wo; ++q)
        if (columns[q] == column) sum += value_of(dy[((image * s.ho + r) * s.wo + q) * s.c + channel]);
    }
    dx[i] = T(sum);
  }
}

Tensor on_device(const std::vector<std::int64_t>& values, Device device) {
  return Tensor::from(values, {static_cast<std::int64_t>(values.size())}, device);
}

}  // namespace

void pad2d(const Tensor& x, Tensor& y, const PadSources& sources, double value) {
  const Tensor rows = on_device(sources.rows, x.device()), columns = on_device(sources.columns, x.device());
  const Sizes s{x.dim(1), x.dim(2), x.dim(3), y.dim(1), y.dim(2)};
  dispatch_all(x.dtype(), [&]<typename T>() {
    launch(pad_kernel<T>, blocks_for(y.numel()), kBlock, x.data<T>(), y.mutable_data<T>(), rows.data<std::int64_t>(),
           columns.data<std::int64_t>(), s, convert_value<T>(value), y.numel());
  });
}

void pad2d_grad(const Tensor& dy, Tensor& dx, const PadSources& sources) {
  const Tensor rows = on_device(sources.rows, dy.device()), columns = on_device(sources.columns, dy.device());
  const Sizes s{dx.dim(1), dx.dim(2), dx.dim(3), dy.dim(1), dy.dim(2)};
  dispatch_floating("pad2d", dy.dtype(), [&]<typename T>() {
    launch(pad_grad_kernel<T>, blocks_for(dx.numel()), kBlock, dy.data<T>(), dx.mutable_data<T>(),
           rows.data<std::int64_t>(), columns.data<std::int64_t>(), s, dx.numel());
  });
}

}  // namespace noisymix::cuda
