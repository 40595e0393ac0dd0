// rlt: the commands, and what becomes of an error.
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <new>
#include <system_error>

#include "base/cpu.hpp"
#include "base/error.hpp"
#include "base/level.hpp"
#include "base/memory.hpp"
#include "base/number.hpp"
#include "base/parallel.hpp"
#include "base/version.hpp"
#include "commands.hpp"
#include "io/standard_streams.hpp"

namespace {

using rlt::Exit;
using rlt::fail;
using rlt::Index;

Exit run(int argc, char** argv) {
  rlt::CommandLine line(
      argc, argv,
      "rlt trains recurrent and linear-attention sequence cells on formal languages and diagnostic "
      "tasks,\n"
      "tests how they generalise to lengths they never saw, and writes tidy CSV.\n\n"
      "  rlt train --task parity --cell rdn          train, select, evaluate; writes a run folder\n"
      "  rlt eval runs/... --lengths 50-500:50       accuracy at each length\n"
      "  rlt cells rdn                               what a cell computes, and its options\n\n"
      "Numbers are decimal. Of a flag that is given twice the last one counts.",
      fmt::format("rlt {} ({}, {}, {})", rlt::version(), rlt::commit(), rlt::compiler(),
                  rlt::level()));
  constexpr Index most_threads = 1024;
  Index threads = 0;
  const auto common = [&](const rlt::Flags& flags) {
    flags
        .number<Index>("threads", threads, 1, most_threads,
                       "threads; the result does not depend on it")
        .shows("")
        .group("Run");
  };
  for (const rlt::Command* command :
       {&rlt::train_command, &rlt::eval_command, &rlt::gradcheck_command, &rlt::bench_command,
        &rlt::cells_command, &rlt::tasks_command, &rlt::data_command, &rlt::info_command}) {
    line.add(*command, common);
  }
  const rlt::Action action = line.parse();
  if (const char* const text = std::getenv("RLT_THREADS"); text != nullptr && threads == 0) {
    threads = rlt::number_from<Index>("RLT_THREADS", text, 1, most_threads);
  }
  if (threads > 0) rlt::set_thread_count(static_cast<int>(threads));
  return action();
}

/// Runs, and sees to it that all that was printed has arrived.
Exit run_and_deliver(int argc, char** argv) {
  try {
    const Exit exit = run(argc, argv);
    rlt::close_stdout();
    return exit;
  } catch (const std::filesystem::filesystem_error& error) {
    fail(Exit::failed, "'{}': {}", error.path1().string(), error.code().message());
  } catch (const std::system_error& error) {  // only fmt::print throws it
    rlt::fail_stdout(error.code().value());
  }
}

}  // namespace

int main(int argc, char** argv) {
  rlt::prepare_standard_streams();
  try {
    const std::string note = rlt::hand_over(argv);
    if (!note.empty()) rlt::print_message("rlt: note: {}", note);
    rlt::prepare_processor();
    return static_cast<int>(run_and_deliver(argc, argv));
  } catch (const rlt::Error& error) {
    rlt::print_message("rlt: {}", error.what());
    return static_cast<int>(error.code());
  } catch (const std::bad_alloc&) {
    const rlt::MemoryLeft left = rlt::memory_left();
    rlt::print_message(
        "rlt: out of memory: {} are left {}, and this needed more; make --batch, --d-model, "
        "--layers, --window, --lengths, --piece or --length smaller",
        rlt::bytes_text(left.bytes), left.where);
    return static_cast<int>(Exit::failed);
  } catch (const std::exception& error) {
    rlt::print_message("rlt: internal error: {}", error.what());
    return static_cast<int>(Exit::failed);
  }
}
