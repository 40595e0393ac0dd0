#include "mixing/relative_positions.hpp"

#include <cmath>

#include "tensor/transpose.hpp"

namespace rlt {

template <std::floating_point T>
void RelativePositions<T>::declare(ParameterSet<T>& parameters, const std::string& name) {
  projection_.declare(parameters, name, width_, outputs_, Bias::zero, init::lecun_normal());
}

template <std::floating_point T>
void RelativePositions<T>::carve(Workspace& workspace, Index capacity) {
  capacity_ = capacity;
  encoded_ = projected_ = 0;
  encodings_ = workspace.tape.take<T>(capacity, width_);
  projections_ = workspace.tape.take<T>(capacity, outputs_);
  transposed_ = workspace.tape.take<T>(capacity, outputs_);
  projection_.carve(workspace, capacity);
}

template <std::floating_point T>
void RelativePositions<T>::project(Index distances) {
  for (; encoded_ < distances; ++encoded_) encode(encoded_);
  projected_ = distances;
  projection_.forward(last(encodings_, width_, distances), last(projections_, outputs_, distances));
  constexpr Index slice = 64;
  parallel_for(divide_up(outputs_, slice), [&](Index index, int) {
    const Index first = index * slice;
    const Index count = std::min(slice, outputs_ - first);
    transpose(rows(distances).col_block(first, count),
              Matrix<T>(transposed_, outputs_, capacity_)
                  .row_block(first, count)
                  .col_block(capacity_ - distances, distances));
  });
}

template <std::floating_point T>
void RelativePositions<T>::backward(Matrix<const T> dr) {
  // R_i = s_i W + b
  projection_.backward_parameters(last(encodings_, width_, dr.rows), dr);
}

template <std::floating_point T>
void RelativePositions<T>::encode(Index distance) {
  T* const s = last(encodings_, width_, distance + 1).data;
  const Index sines = divide_up(width_, 2);
  for (Index c = 0; c < width_; ++c) {
    const Index number = c < sines ? c : c - sines;
    const double exponent = -2 * static_cast<double>(number) / static_cast<double>(width_);
    const double angle = static_cast<double>(distance) * std::pow(10000.0, exponent);
    s[c] = static_cast<T>(c < sines ? std::sin(angle) : std::cos(angle));
  }
}

template class RelativePositions<float>;
template class RelativePositions<double>;

}  // namespace rlt
