// The references by cell name; the contract fails for a cell without one.
#include "reference/aaren.hpp"
#include "reference/agalite.hpp"
#include "reference/block_recurrent.hpp"
#include "reference/delta_lstm.hpp"
#include "reference/delta_mlp.hpp"
#include "reference/delta_rnn.hpp"
#include "reference/deltanet.hpp"
#include "reference/elman.hpp"
#include "reference/elstm.hpp"
#include "reference/galite.hpp"
#include "reference/gru.hpp"
#include "reference/gtrxl.hpp"
#include "reference/linear.hpp"
#include "reference/lstm.hpp"
#include "reference/rdn.hpp"
#include "reference/sliding_window.hpp"
#include "reference/srwm.hpp"
#include "reference/transformer.hpp"
#include "reference/transformer_preln.hpp"
#include "reference/transformer_xl.hpp"

namespace reference {

Forward find(const std::string& cell) {
  static const std::map<std::string, Forward> all = {
      {"lstm", lstm},
      {"elstm", elstm},
      {"gru", gru},
      {"elman", elman},
      {"transformer", transformer},
      {"transformer_preln", transformer_preln},
      {"aaren", aaren},
      {"deltanet", deltanet},
      {"delta_rnn", delta_rnn},
      {"delta_lstm", delta_lstm},
      {"delta_mlp", delta_mlp},
      {"srwm", srwm},
      {"gtrxl", gtrxl},
      {"rdn", rdn},
      {"linear", linear},
      {"galite", galite},
      {"agalite", agalite},
      {"transformer_xl", transformer_xl},
      {"sliding_window", sliding_window},
      {"block_recurrent", block_recurrent},
  };
  const auto found = all.find(cell);
  return found == all.end() ? Forward() : found->second;
}

}  // namespace reference
