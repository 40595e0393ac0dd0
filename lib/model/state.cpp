#include "model/state.hpp"

#include "base/memory.hpp"
#include "base/size.hpp"

namespace rlt {

template <std::floating_point T>
State<T>::State(Index rows, const std::vector<StateLayout>& parts) : rows_(rows) {
  for (const StateLayout& part : parts) {
    parts_.push_back({part.size(), part.copies, part.in_lanes, stride_});
    size_ += part.size();
    if (!part.in_lanes) stride_ += part.size();
  }
  Index end = round_up(product(rows, stride_), lane_count<T>);
  for (Part& part : parts_) {
    if (!part.in_lanes) continue;
    part.begin = end;
    end += product(head_lanes(part).groups() * lane_count<T>, part.size / part.copies);
  }
  require_memory(bytes_of(sizeof(T), end), "the state of a batch",
                 "--batch, --lengths, --d-model or --layers");
  numbers_.resize(static_cast<std::size_t>(end));
}

template <std::floating_point T>
Matrix<T> State<T>::part(Index index) {
  const Part& part = parts_[static_cast<std::size_t>(index)];
  if (part.in_lanes) return {nullptr, 0, 0};
  return {numbers_.data() + part.begin, rows_, part.size, stride_};
}

template <std::floating_point T>
T* State<T>::lanes(Index index) {
  const Part& part = parts_[static_cast<std::size_t>(index)];
  return part.in_lanes ? numbers_.data() + part.begin : nullptr;
}

template <std::floating_point T>
T& State<T>::number(const Part& part, Index row, Index i) {
  T* const begin = numbers_.data() + part.begin;
  if (!part.in_lanes) return begin[row * stride_ + i];
  const Index size = part.size / part.copies;
  const Index head = i / size;
  const HeadLanes lanes = head_lanes(part);
  return begin[(lanes.group(row, head) * size + i % size) * lane_count<T> + lanes.lane(row, head)];
}

template <std::floating_point T>
void State<T>::fill(Index index, const T* from) {
  const Part& part = parts_[static_cast<std::size_t>(index)];
  for (Index row = 0; row < rows_; ++row) {
    for (Index i = 0; i < part.size; ++i) number(part, row, i) = from[i];
  }
}

template <std::floating_point T>
void State<T>::copy(Index row, State& other, Index other_row) {
  for (std::size_t k = 0; k < parts_.size(); ++k) {
    for (Index i = 0; i < parts_[k].size; ++i) {
      number(parts_[k], row, i) = other.number(other.parts_[k], other_row, i);
    }
  }
}

template <std::floating_point T>
template <typename Body>
void State<T>::for_each_part(Body body) {
  T* row_form = as_rows_.data();
  for (Index row = 0; row < rows_; ++row) {
    for (const Part& part : parts_) {
      for (Index i = 0; i < part.size; ++i) body(number(part, row, i), *row_form++);
    }
  }
}

template <std::floating_point T>
Matrix<T> State<T>::to_rows() {
  as_rows_.resize(static_cast<std::size_t>(rows_ * size_));
  for_each_part([](const T& own, T& in_row) { in_row = own; });
  return {as_rows_.data(), rows_, size_};
}

template <std::floating_point T>
void State<T>::from_rows() {
  for_each_part([](T& own, const T& in_row) { own = in_row; });
}

template class State<float>;
template class State<double>;

}  // namespace rlt
