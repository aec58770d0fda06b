// 3x3 convolutions of stride 1 by Winograd's algorithm F(2x2, 3x3), in f32, with the layouts of conv.h.
//
// A tile of 2x2 outputs depends on 4x4 inputs. With the fixed matrices B, G, A of Winograd (1980) it is
//   y = A^T [ (G g G^T) * (B^T d B) ] A        d: 4x4 inputs, g: 3x3 filter, *: element by element
// which takes 16 products where the direct sum takes 36. Summed over input channels, each of the 16 positions
// ("planes") of a transformed tile is a matrix product of its own: M[plane] = V[plane] U[plane], with V
// [tiles, c] the transformed inputs and U [c, o] the transformed filter. The transforms only add, subtract
// and halve. Shapes must satisfy winograd_applies(). Every function is parallel and gives the same bits for
// any number of threads, and for a picture whatever others are in its batch, but other bits than conv.h.
#pragma once

#include "engine/cpu/conv_geometry.h"

namespace noisymix::cpu {

void winograd_forward(const ConvShape& shape, const float* x, const float* weight, const float* bias,
                      float* y);

void winograd_input_grad(const ConvShape& shape, const float* dy, const float* weight, float* dx);

void winograd_weight_grad(const ConvShape& shape, const float* x, const float* dy, float* dweight);

}  // namespace noisymix::cpu
