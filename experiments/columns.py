"""The columns of the CSVs of rlt: their names and order, and what kind of thing each holds."""

# A run is known by these columns.
RUN = ["task", "rule", "protocol", "cell", "options", "seed"]
# eval.csv and lengths.csv, in the order in which rlt writes them.
EVAL = ["task", "rule", "protocol", "cell", "options", "parameters", "state_size", "seed", "step",
        "select", "split", "size_min", "size_max", "length_min", "length_max", "sequences",
        "sequences_correct", "tokens", "tokens_correct", "answers", "answers_correct",
        "token_accuracy", "sequence_accuracy", "answer_accuracy", "blank_accuracy", "loss", "bits",
        "chance", "best_constant", "position_majority", "chance_sequence",
        "best_constant_sequence", "position_majority_sequence", "answer_constant", "class_bits",
        "bytes", "bits_per_byte", "data_hash"]
TRAIN = ["task", "cell", "seed", "step", "sequences", "tokens", "wall_s", "learning_rate", "loss",
         "token_accuracy", "sequence_accuracy", "gradient_norm"]
# Columns that eval.csv did not always have: empty in older rows.
LATER = {"size_min", "size_max", "answers", "answers_correct", "answer_accuracy", "blank_accuracy",
         "bits", "answer_constant", "class_bits", "bytes", "bits_per_byte"}
# What no row of eval.csv may lack.
EVAL_ROW = RUN + ["select", "split", "length_min", "length_max", "step"]

# What a model got; all other columns say which model on which strings.
RIGHT = ["sequences_correct", "tokens_correct", "answers_correct", "token_accuracy",
         "sequence_accuracy", "answer_accuracy", "blank_accuracy"]
RESULTS = {*RIGHT, "loss", "bits", "bits_per_byte", "wall_s", "gradient_norm"}

# A predictor that knows nothing, or only the position; the score is sequence_accuracy.
BASELINES = ["chance_sequence", "best_constant_sequence", "position_majority_sequence"]

TEXT = {"task", "rule", "protocol", "cell", "options", "select", "split", "data_hash"}
# Settings that are words; `report.py merge --settings` makes columns of them.
TEXT |= {"window", "data", "task-option", "cell-option", "positions", "optimizer", "schedule",
         "precision"}
# Of horizon.py: one run a row.
TEXT |= {"task_option", "solved", "chosen", "failed", "unit"}
TEXT |= {"arm"}  # of block_recurrent.py
# Numbers of 64 bits, read as text: a float would make two of them one.
SEEDS = {"seed", "eval-seed"}
COUNTS = {"parameters", "state_size", "step", "size_min", "size_max", "length_min", "length_max",
          "sequences", "sequences_correct", "tokens", "tokens_correct", "answers",
          "answers_correct", "bytes"}
NUMBERS = (set(EVAL) | set(TRAIN)) - TEXT - SEEDS - COUNTS
