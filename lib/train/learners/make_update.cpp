#include "train/learners/make_update.hpp"

#include <algorithm>
#include <cmath>

#include "train/divergence.hpp"

namespace rlt {

template <std::floating_point T>
void make_update(SequenceModel<T>& model, Optimizer<T>& optimizer, const RunConfig& config,
                 const Score& score, Extent extent, Index number, double learning_rate, bool first,
                 TrainingState& state) {
  const double norm = clip_gradients(model.parameters(), config.clip);
  const double clipped = config.clip > 0 ? std::min(config.clip, norm) : norm;
  state.gradient_norm = norm;
  const double loss = score.loss_per_token();
  if (!std::isfinite(loss) || !std::isfinite(norm) ||
      squares_overflow<T>(config.optimizer, clipped)) {
    report_divergence(model, extent, loss, state, first);
  }
  state.last_loss = loss;
  optimizer.update(model.parameters(), number, learning_rate);
  state.interval += score;
}

template void make_update<float>(SequenceModel<float>&, Optimizer<float>&, const RunConfig&,
                                 const Score&, Extent, Index, double, bool, TrainingState&);
template void make_update<double>(SequenceModel<double>&, Optimizer<double>&, const RunConfig&,
                                  const Score&, Extent, Index, double, bool, TrainingState&);

}  // namespace rlt
