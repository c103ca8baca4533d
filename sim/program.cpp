#include "sim/program.hpp"

#include <charconv>
#include <cstdio>

namespace holdfast::sim {
namespace {

constexpr int kUsageExit = 2;
constexpr char kUsage[] =
    "Plays the whole of Holdfast, one server and its devices, on simulated machines that break.\n"
    "The same seed is the same run.\n"
    "\n"
    "  holdfast-sim replay SEED [--trace]           one run; with every event and log line\n"
    "  holdfast-sim run --seeds A..B [--seconds N]  many runs; none is begun after N seconds\n";

Result<std::uint64_t> number(std::string_view text, std::string_view what) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return fail(Code::invalid_argument,
                std::string(what) + " \"" + std::string(text) + "\" is no number");
  }
  return value;
}

Status read_seeds(std::string_view text, Invocation& out) {
  const auto dots = text.find("..");
  if (dots == std::string_view::npos) {
    return fail(Code::invalid_argument, "--seeds wants a range such as 1..200");
  }
  out.first = TRY(number(text.substr(0, dots), "seed"));
  out.last = TRY(number(text.substr(dots + 2), "seed"));
  if (out.last < out.first) return fail(Code::invalid_argument, "--seeds wants the lower one first");
  return {};
}

int replay(const Invocation& what) {
  RunOptions options;
  options.keep_trace = what.trace;
  const Report report = play(what.first, options);
  if (what.trace) {
    std::printf("-- events of the simulation\n%s\n-- what hosts said\n%s\n", report.trace.c_str(),
                report.journal.c_str());
  }
  std::printf("%s\n", summary(report).c_str());
  for (const auto& [name, count] : report.faults) {
    std::printf("  %3llu x %s\n", static_cast<unsigned long long>(count), name.c_str());
  }
  for (const std::string& violation : report.violations) {
    std::printf("VIOLATION %s\n", violation.c_str());
  }
  return report.good() ? 0 : 1;
}

int run(const Invocation& what, const os::Clock& clock) {
  const MonoTime start = clock.mono();
  const Tally tally = play_many(what, clock, {}, [](const Report& report) {
    if (report.good()) return;
    std::printf("%s\n", summary(report).c_str());
    for (const std::string& violation : report.violations) {
      std::printf("  VIOLATION %s\n", violation.c_str());
    }
    std::printf("  replay: %s\n", replay_command(report.seed).c_str());
    std::fflush(stdout);
  });
  std::printf("%s", tally_text(tally, clock.mono() - start).c_str());
  return tally.failed.empty() ? 0 : 1;
}

}  // namespace

Result<Invocation> parse_invocation(const std::vector<std::string>& arguments) {
  if (arguments.empty()) return fail(Code::invalid_argument, "replay or run is wanted");
  Invocation out;
  bool seeds = false;
  if (arguments[0] == "replay") {
    out.what = Invocation::What::replay;
  } else if (arguments[0] != "run") {
    return fail(Code::invalid_argument, "\"" + arguments[0] + "\" is neither replay nor run");
  }
  const bool one = out.what == Invocation::What::replay;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    const bool more = i + 1 < arguments.size();
    if (one && word == "--trace") {
      out.trace = true;
    } else if (!one && word == "--seeds" && more) {
      TRY(read_seeds(arguments[++i], out));
      seeds = true;
    } else if (!one && word == "--seconds" && more) {
      const std::uint64_t given = TRY(number(arguments[++i], "--seconds"));
      if (given > 1'000'000) return fail(Code::invalid_argument, "--seconds is at most 1000000");
      out.budget = seconds(static_cast<std::int64_t>(given));
    } else if (one && !seeds) {
      out.first = out.last = TRY(number(word, "seed"));
      seeds = true;
    } else {
      return fail(Code::invalid_argument, "\"" + word + "\" is not understood here");
    }
  }
  if (!seeds) return fail(Code::invalid_argument, one ? "which seed?" : "--seeds A..B is wanted");
  return out;
}

void Tally::add(const Report& report) {
  ++seeds;
  for (const auto& [name, count] : report.faults) faults[name] += count;
  acknowledged += report.acknowledged;
  readings += report.readings;
  commands += report.commands;
  simulated_s += report.simulated.seconds();
  if (!report.good()) failed.push_back(report.seed);
}

std::string tally_text(const Tally& tally, Duration took) {
  std::string out;
  std::uint64_t all = 0;
  for (const auto& [name, count] : tally.faults) {
    char line[96];
    std::snprintf(line, sizeof line, "%8llu x %s\n", static_cast<unsigned long long>(count),
                  name.c_str());
    out += line;
    all += count;
  }
  char text[320];
  std::snprintf(text, sizeof text,
                "%llu seeds in %.1f s, %zu failed: %.0f simulated seconds, %llu faults, %llu "
                "messages and %llu values acknowledged, %llu commands\n",
                static_cast<unsigned long long>(tally.seeds), took.seconds(), tally.failed.size(),
                tally.simulated_s, static_cast<unsigned long long>(all),
                static_cast<unsigned long long>(tally.acknowledged),
                static_cast<unsigned long long>(tally.readings),
                static_cast<unsigned long long>(tally.commands));
  out += text;
  for (const std::uint64_t seed : tally.failed) out += "replay: " + replay_command(seed) + "\n";
  return out;
}

Tally play_many(const Invocation& what, const os::Clock& clock, const RunOptions& options,
                const std::function<void(const Report&)>& each) {
  Tally tally;
  const MonoTime start = clock.mono();
  for (std::uint64_t seed = what.first; seed <= what.last; ++seed) {
    if (what.budget && clock.mono() - start > *what.budget) break;
    const Report report = play(seed, options);
    tally.add(report);
    each(report);
  }
  return tally;
}

int run_program(const std::vector<std::string>& arguments) {
  const auto what = parse_invocation(arguments);
  if (!what) {
    std::fprintf(stderr, "holdfast-sim: %s\n%s", what.error().text().c_str(), kUsage);
    return kUsageExit;
  }
  if (what->what == Invocation::What::replay) return replay(*what);
  const auto real = os::RealSystem::make();
  if (!real) {
    std::fprintf(stderr, "holdfast-sim: %s\n", real.error().text().c_str());
    return 1;
  }
  return run(*what, (*real)->system().clock);
}

}  // namespace holdfast::sim
