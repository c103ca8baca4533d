#include "agent/program.hpp"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include "agent/agent.hpp"
#include "agent/doctor/doctor.hpp"
#include "agent/doctor/status.hpp"
#include "agent/join/join.hpp"
#include "agent/join/state_lock.hpp"
#include "agent/settings.hpp"
#include "libs/crypto/aead.hpp"
#include "libs/crypto/hash.hpp"
#include "libs/est/claim_code.hpp"
#include "libs/keys/tpm_device.hpp"

namespace holdfast::agent {
namespace {

constexpr std::size_t kSettingsBytesMax = 256 * 1024;
constexpr int kUsageExit = 2;

constexpr const char* kUsage = R"(holdfast-agent COMMAND [--state DIR] [--SETTING VALUE ...]

  join - [--again]   joins this machine with the code on standard input
                     (holdfast enrol claim makes one; --again replaces an identity)
  run                runs until SIGTERM
  status             says who this device is and what waits to be sent
  tpm                prints the hash of the TPM's endorsement key, to register it
  doctor             tests the way to the server, layer by layer
  --version, --help

Settings are in DIR/agent.toml, HOLDFAST_AGENT_... and flags; the default of DIR is
/var/lib/holdfast-agent.
)";

int refuse(const Error& error) {
  const CodeRow& row = row_of(error.code);
  // The table's mend is for callers of an API, who get a list of members.
  const std::string mend = error.code == Code::invalid_argument
                               ? "Look at holdfast-agent --help, and give it again."
                               : std::string(row.mend);
  std::fprintf(stderr, "holdfast-agent: %s\n  mend: %s\n  code: %s\n", error.text().c_str(),
               mend.c_str(), std::string(row.name).c_str());
  return row.cli_exit;
}

struct Invocation {
  std::string command;
  bool again = false;
  config::Config config;
};

// The settings file lies in the state folder, which flags or the environment name: two passes.
Result<Invocation> read_invocation(os::Files& files, const std::vector<std::string>& arguments) {
  config::Inputs inputs;
  inputs.arguments = arguments;
  inputs.env_prefix = kEnvironmentPrefix;
  inputs.other_flags = {{"--again", 0}, {"--help", 0}, {"--version", 0}};
  inputs.environment = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value ? std::optional<std::string>(value) : std::nullopt;
  };
  const auto first = TRY(config::load(agent_settings(), inputs));
  const std::string file = os::join(first.config.text("state"), "agent.toml");
  auto text = os::read_file(files, file, kSettingsBytesMax);
  if (text) {
    inputs.file_name = file;
    inputs.file_text = string_of(*text);
  } else if (text.error().code != Code::not_found) {
    return std::unexpected(text.error());
  }
  auto loaded = TRY(config::load(agent_settings(), inputs));
  Invocation out;
  out.config = std::move(loaded.config);
  for (const std::string& word : loaded.rest) {
    if (word == "--again") {
      out.again = true;
    } else if (word == "-" && out.command == "join") {
      out.command = "join -";
    } else if (out.command.empty()) {
      out.command = word;
    } else {
      return fail(Code::invalid_argument,
                  "unexpected argument; a join code goes to standard input, never into arguments");
    }
  }
  return out;
}

Result<std::string> read_code() {
  std::string out;
  std::array<char, 256> piece{};
  while (out.size() <= 4 * est::kJoinCodeBytesMax) {
    const auto got = ::read(STDIN_FILENO, piece.data(), piece.size());
    if (got < 0) return fail(Code::io_error, "the join code cannot be read from standard input");
    if (got == 0) break;
    out.append(piece.data(), static_cast<std::size_t>(got));
  }
  crypto::wipe({reinterpret_cast<std::uint8_t*>(piece.data()), piece.size()});
  return out;
}

int join_command(os::RealSystem& real, crypto::Transport& transport, const Invocation& what) {
  const AgentOptions options = options_of(what.config, "");
  auto state = StateFolder::open(real.system(), options.state, options.seal_path, options.keys);
  if (!state) return refuse(state.error());
  const auto lock =
      StateLock::take(real.system().files, real.system().clock.wall(), options.state, "join");
  if (!lock) return refuse(lock.error());
  auto code = read_code();
  if (!code) return refuse(code.error());
  Join join(real.system(), real.main_loop(), transport, **state);
  Result<Joined> result = fail(Code::cancelled, "stopped before the machine was joined");
  real.on_stop_signal([&] { real.main_loop().stop(); });
  join.run(*code, what.again, [&](Result<Joined> joined) {
    result = std::move(joined);
    real.main_loop().stop();
  });
  crypto::wipe({reinterpret_cast<std::uint8_t*>(code->data()), code->size()});
  real.main_loop().run();
  if (!result) return refuse(with_context(std::move(result), "joining").error());
  std::fprintf(stderr, "%s as %s\n", result->before ? "joined before" : "joined",
               result->device_id.c_str());
  return 0;
}

// First boot: no identity yet, and the settings say where to get one by the TPM. Nothing to do is
// success.
Result<bool> join_alone(os::RealSystem& real, crypto::Transport& transport,
                        const Invocation& what) {
  if (what.config.text("join.device").empty()) return false;
  const AgentOptions options = options_of(what.config, "");
  if (TRY(StateFolder::read_identity(real.system().files, options.state))) return false;
  est::JoinCode to;
  to.device = what.config.text("join.device");
  to.mqtt = what.config.text("join.mqtt");
  to.ca_fingerprint =
      TRY(with_context(crypto::parse_fingerprint(what.config.text("join.root")), "join.root"));
  const auto state =
      TRY(StateFolder::open(real.system(), options.state, options.seal_path, options.keys));
  const auto lock =
      TRY(StateLock::take(real.system().files, real.system().clock.wall(), options.state, "join"));
  Join join(real.system(), real.main_loop(), transport, *state);
  Result<Joined> result = fail(Code::cancelled, "stopped before the machine was joined");
  real.on_stop_signal([&] { real.main_loop().stop(); });
  join.on_refusal([](const Error& error) {
    std::fprintf(stderr, "joining by the TPM: %s; trying again\n", error.text().c_str());
  });
  join.run_alone(std::move(to), [&](Result<Joined> joined) {
    result = std::move(joined);
    real.main_loop().stop();
  });
  real.main_loop().run();
  if (!result)
    return std::unexpected(with_context(std::move(result), "joining by the TPM").error());
  std::fprintf(stderr, "joined as %s, keys %s\n", result->device_id.c_str(),
               state->keys_where().c_str());
  return true;
}

// What an operator registers to let this machine in by its TPM.
int tpm_command(const Invocation& what) {
  const AgentOptions options = options_of(what.config, "");
  const auto device = keys::open_tpm(options.keys.tcti);
  if (!device) return refuse(device.error());
  const auto endorsement = (*device)->endorsement();
  if (!endorsement) return refuse(endorsement.error());
  const auto area = tpm::parse_public(endorsement->public_area);
  const auto key = area ? tpm::key_of(*area) : std::unexpected(area.error());
  if (!key) return refuse(key.error());
  std::printf("endorsement  %s\ncertificate  %s\n", to_hex(key->fingerprint()).c_str(),
              endorsement->certificate_der.empty() ? "none" : "of its maker");
  return 0;
}

int run_command(os::RealSystem& real, crypto::Transport& transport, const Invocation& what,
                const std::string& version) {
  if (const auto joined = join_alone(real, transport, what); !joined) return refuse(joined.error());
  MachineProbe probe(real.system());
  os::Loop& loop = real.main_loop();
  auto agent = Agent::open(real.system(), loop, transport, probe, options_of(what.config, version),
                           standard_error_sink());
  if (!agent) return refuse(agent.error());
  real.on_stop_signal([&, stopping = false]() mutable {
    if (std::exchange(stopping, true)) return;
    (*agent)->stop([&] { loop.stop(); });
  });
  (*agent)->on_erased([&] { (*agent)->stop([&] { loop.stop(); }); });
  (*agent)->start();
  loop.run();
  return 0;
}

int doctor_command(os::RealSystem& real, crypto::Transport& transport, const Invocation& what) {
  const AgentOptions options = options_of(what.config, "");
  Doctor doctor(real.system(), real.main_loop(), transport, options.state, options.seal_path);
  int exit = 0;
  real.on_stop_signal([&] { real.main_loop().stop(); });
  doctor.run([&](const std::vector<Examined>& all) {
    std::fputs(doctor_text(all).c_str(), stdout);
    for (const Examined& each : all)
      exit = each.result ? exit : row_of(each.result.error().code).cli_exit;
    real.main_loop().stop();
  });
  real.main_loop().run();
  return exit;
}

int status_command(os::RealSystem& real, const Invocation& what) {
  const AgentOptions options = options_of(what.config, "");
  const auto text = status_text(real.system(), options.state);
  if (!text) return refuse(text.error());
  std::fputs(text->c_str(), stdout);
  return 0;
}

}  // namespace

int run_program(const std::vector<std::string>& arguments, const std::string& version) {
  auto real = os::RealSystem::make();
  if (!real) return refuse(real.error());
  const auto what = read_invocation((*real)->system().files, arguments);
  if (!what) return refuse(what.error());
  if (what->command == "--version") {
    std::printf("holdfast-agent %s\n", version.c_str());
    return 0;
  }
  Metrics metrics;
  const auto transport = crypto::make_tls_transport((*real)->system().network, metrics);
  if (what->command == "join -") return join_command(**real, *transport, *what);
  if (what->command == "run") return run_command(**real, *transport, *what, version);
  if (what->command == "status") return status_command(**real, *what);
  if (what->command == "tpm") return tpm_command(*what);
  if (what->command == "doctor") return doctor_command(**real, *transport, *what);
  std::fputs(kUsage, what->command == "--help" ? stdout : stderr);
  return what->command == "--help" ? 0 : kUsageExit;
}

}  // namespace holdfast::agent
