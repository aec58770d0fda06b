#include "engine/ops/gradient_sum.h"

#include "engine/cuda/launch.h"
#include "engine/cuda/tensor_table.cuh"

namespace noisymix::cuda {
namespace {

template <int N, typename T>
__global__ void add_kernel(const T* a, const T* b, T* sum, std::int64_t packs) {
  NM_FOR_EACH(i, packs) {
    const Pack<T, N> left = load_pack<N>(a + i * N), right = load_pack<N>(b + i * N);
    Pack<T, N> out;
#pragma unroll
    for (int k = 0; k < N; ++k) out.at[k] = T(value_of(left.at[k]) + value_of(right.at[k]));
    store_pack<N>(sum + i * N, out);
  }
}

/// Sets *found to 1 where an element is an infinity or NaN: those are the numbers that minus themselves are
/// not 0.
template <typename T>
__global__ void non_finite_kernel(const T* x, std::int64_t count, std::int32_t* found) {
  bool any = false;
  NM_FOR_EACH(i, count) {
    const auto v = value_of(x[i]);
    any = any || v - v != 0;
  }
  if (any) *found = 1;  // whoever writes, writes the same
}

/// Every block tests a piece of one tensor.
template <typename T>
__global__ void any_non_finite_kernel(TensorTable<1> table, std::int32_t* found) {
  const TablePiece piece(table);
  const T* x = static_cast<const T*>(table.at[0][piece.tensor]);
  bool any = false;
  for (std::int64_t i = piece.begin + threadIdx.x; i < piece.end; i += blockDim.x) {
    const auto v = value_of(x[i]);
    any = any || v - v != 0;
  }
  if (any) *found = 1;
}

template <typename T>
void test_all(const std::vector<Tensor>& tensors, Dtype dtype, Tensor& found) {
  TensorTable<1> table{};
  const auto flush = [&] {
    if (table.tensors > 0)
      launch(any_non_finite_kernel<T>, table.blocks(), kBlock, table, found.mutable_data<std::int32_t>());
    table = {};
  };
  for (const Tensor& x : tensors) {
    if (x.dtype() != dtype || x.numel() == 0) continue;
    const void* const arrays[1] = {x.raw()};
    if (table.add(arrays, x.numel())) continue;
    flush();
    table.add(arrays, x.numel());
  }
  flush();
}

}  // namespace

void find_non_finite(const std::vector<Tensor>& tensors, Tensor& found) {
  test_all<float>(tensors, Dtype::f32, found);
  test_all<double>(tensors, Dtype::f64, found);
  test_all<bfloat16>(tensors, Dtype::bf16, found);
}

void add_gradients(const Tensor& a, const Tensor& b, Tensor& sum) {
  dispatch_floating("backward", a.dtype(), [&]<typename T>() {
    constexpr int n = kPack<T>;
    const T *left = a.data<T>(), *right = b.data<T>();
    T* to = sum.mutable_data<T>();
    if (a.numel() % n == 0 && packable(left, right, to))
      launch(add_kernel<n, T>, blocks_for(a.numel() / n), kBlock, left, right, to, a.numel() / n);
    else
      launch(add_kernel<1, T>, blocks_for(a.numel()), kBlock, left, right, to, a.numel());
  });
}

bool finite(const Tensor& x) {
  Tensor found = Tensor::zeros({}, Dtype::i32, x.device());
  dispatch_floating("all_finite", x.dtype(), [&]<typename T>() {
    launch(non_finite_kernel<T>, blocks_for(x.numel()), kBlock, x.data<T>(), x.numel(),
           found.mutable_data<std::int32_t>());
  });
  return found.item() == 0;
}

}  // namespace noisymix::cuda
