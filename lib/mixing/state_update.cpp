#include "mixing/state_update.hpp"

#include <algorithm>

#include "nn/elementwise.hpp"
#include "tensor/lanes.hpp"

namespace rlt {

template <std::floating_point T>
void StateUpdate<T>::declare(ParameterSet<T>& parameters, const std::string& name) {
  const Init matrix = init::lecun_normal();
  if (projects()) {
    out_.declare(parameters, name + ".out", inputs_, width_, Bias::none, matrix);
    gate_.declare(parameters, name + ".gate", kind_, inputs_, width_);
  }
  if (!thinks()) return;
  if (projects()) norm_.declare(parameters, name + ".ff.norm", width_);
  up_.declare(parameters, name + ".ff.up", projects() ? width_ : inputs_, hidden_width_, Bias::none,
              matrix);
  down_.declare(parameters, name + ".ff.down", hidden_width_, width_, Bias::none, matrix);
  gate2_.declare(parameters, name + ".ff.gate", kind_, hidden_width_, width_);
}

template <std::floating_point T>
void StateUpdate<T>::carve(Workspace& workspace, Index all, Index rows) {
  Arena& tape = workspace.tape;
  Arena& scratch = workspace.scratch;
  dcandidate_ = scratch.take<T>(rows, width_);
  if (projects()) {
    candidate_ = tape.take<T>(all, width_);
    dgate_input_ = scratch.take<T>(rows, inputs_);
    out_.carve(workspace, rows);
    gate_.carve(workspace, all, rows);
  }
  if (!thinks()) return;
  hidden_ = tape.take<T>(all, hidden_width_);
  candidate2_ = tape.take<T>(all, width_);
  dhidden_ = scratch.take<T>(rows, hidden_width_);
  up_.carve(workspace, rows);
  down_.carve(workspace, rows);
  gate2_.carve(workspace, all, rows);
  if (!projects()) return;
  middle_ = tape.take<T>(all, width_);
  normal_ = tape.take<T>(all, width_);
  dmiddle_ = scratch.take<T>(rows, width_);
  dnormal_ = scratch.take<T>(rows, width_);
  norm_.carve(workspace, rows);
}

template <std::floating_point T>
void StateUpdate<T>::forward(Index first, Matrix<const T> c, Matrix<const T> m, Matrix<T> next) {
  const Index rows = c.rows;
  const Matrix<T> z = part(projects() ? candidate_ : candidate2_, first, rows, width_);
  if (projects()) out_.forward(m, z);
  if (form_ == Form::skip) return gate_.forward(first, c, z, m, next);
  const Matrix<T> h = part(hidden_, first, rows, hidden_width_);
  const Matrix<T> z2 = part(candidate2_, first, rows, width_);
  if (form_ == Form::dual) {
    const Matrix<T> middle = part(middle_, first, rows, width_);
    const Matrix<T> normal = part(normal_, first, rows, width_);
    gate_.forward(first, c, z, m, middle);
    norm_.forward(middle, normal);
    think(first, normal, z2);
    return gate2_.forward(first, middle, z2, h, next);
  }
  think(first, m, z2);
  for_buffer_blocks(rows * width_, [&](Index from, Index to) {
    for (Index i = from; i < to; i += lane_count<T>) {
      store_lanes(z2.data + i, xsimd::tanh(load_lanes(z2.data + i, to - i)), to - i);
    }
  });
  gate2_.forward(first, c, z2, h, next);
}

template <std::floating_point T>
void StateUpdate<T>::backward(Index first, Matrix<const T> c, Matrix<const T> m,
                              Matrix<const T> dnext, Matrix<T> dc, Matrix<T> dm) {
  const Index rows = c.rows;
  if (form_ == Form::skip) return project_backward(first, c, m, dnext, dc, dm);
  const Matrix<T> h = part(hidden_, first, rows, hidden_width_);
  const Matrix<T> z2 = part(candidate2_, first, rows, width_);
  const Matrix<T> dz2(dcandidate_, rows, width_);
  const Matrix<T> dh(dhidden_, rows, hidden_width_);
  std::fill_n(dh.data, rows * hidden_width_, T(0));
  if (form_ == Form::single) {
    // c' = gate2(c, tanh(W_2 h))
    gate2_.backward(first, c, z2, h, dnext, dc, dz2, dh);
    for_buffer_blocks(rows * width_, [&](Index from, Index to) {
      for (Index i = from; i < to; ++i) dz2.data[i] *= 1 - z2.data[i] * z2.data[i];
    });
    return think_backward(first, m, dh, dz2, dm);
  }
  const Matrix<T> middle = part(middle_, first, rows, width_);
  const Matrix<T> dmiddle(dmiddle_, rows, width_);
  const Matrix<T> dnormal(dnormal_, rows, width_);
  // c' = gate2(c1, W_2 h)
  gate2_.backward(first, middle, z2, h, dnext, dmiddle, dz2, dh);
  think_backward(first, part(normal_, first, rows, width_), dh, dz2, dnormal);
  // RMS(c1)
  norm_.backward(middle, dnormal, dmiddle_, dmiddle);
  // c1 = gate(c, m W)
  project_backward(first, c, m, dmiddle, dc, dm);
}

// z = W_2 h, h = relu(W_1 x)
template <std::floating_point T>
void StateUpdate<T>::think(Index first, Matrix<const T> x, Matrix<T> z) {
  const Matrix<T> h = part(hidden_, first, x.rows, hidden_width_);
  up_.forward(x, h);
  for_buffer_blocks(x.rows * hidden_width_, [&](Index from, Index to) {
    for (Index i = from; i < to; ++i) h.data[i] = std::max(h.data[i], T(0));
  });
  down_.forward(h, z);
}

// dh holds what the gate has given; overwrites dx.
template <std::floating_point T>
void StateUpdate<T>::think_backward(Index first, Matrix<const T> x, Matrix<T> dh,
                                    Matrix<const T> dz, Matrix<T> dx) {
  const Matrix<const T> h = part(hidden_, first, x.rows, hidden_width_);
  // z = W_2 h
  down_.begin_backward();
  for_row_blocks(x.rows, [&](const RowBlock& block) {
    down_.backward_parameters_block(block, block.of(h), block.of(dz));
    down_.backward_input_block(block.of(dz), block.of(dh), Write::add);
  });
  down_.end_backward(x.rows);
  // h = relu(W_1 x)
  for_buffer_blocks(x.rows * hidden_width_, [&](Index from, Index to) {
    for (Index i = from; i < to; ++i) dh.data[i] = h.data[i] > 0 ? dh.data[i] : T(0);
  });
  up_.backward(x, dh, dx);
}

template <std::floating_point T>
void StateUpdate<T>::project_backward(Index first, Matrix<const T> c, Matrix<const T> m,
                                      Matrix<const T> dnext, Matrix<T> dc, Matrix<T> dm) {
  const Matrix<T> dz(dcandidate_, c.rows, width_);
  const Matrix<T> dgate_input(dgate_input_, c.rows, inputs_);
  std::fill_n(dgate_input_, c.rows * inputs_, T(0));
  // gate(c, z), which reads m
  gate_.backward(first, c, part(candidate_, first, c.rows, width_), m, dnext, dc, dz, dgate_input);
  // z = m W
  out_.backward(m, dz, dm);
  add(dm.data, dgate_input_, dm.data, c.rows * inputs_);
}

template class StateUpdate<float>;
template class StateUpdate<double>;

}  // namespace rlt
