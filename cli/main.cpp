// holdfast: the command line of operators. It speaks to the server through contract/openapi.yaml
// and nothing else, but for `restore`, `audit verify DIR` and `trust install`, which work on this
// machine.
#include <unistd.h>

#include <cstdio>

#include "cli/commands/commands.hpp"
#include "libs/http/sync_client.hpp"

namespace {

using namespace holdfast;

class TlsLine final : public cli::Line {
 public:
  TlsLine(const os::System& system, crypto::Transport& transport, const cli::Target& target)
      : client_(system.threads, transport, target.server, settings_of(target)) {}

  Result<http::ClientResponse> send(http::ClientRequest request, Duration limit) override {
    return client_.send(std::move(request), limit);
  }
  void pause(Duration duration) override { client_.pause(duration); }

 private:
  static crypto::ClientSettings settings_of(const cli::Target& target) {
    crypto::ClientSettings settings;
    settings.trust_der = target.trust_der;
    settings.trust_fingerprint = target.fingerprint;
    settings.server_name = target.server.host;
    return settings;
  }
  http::SyncClient client_;
};

std::string contexts_path(const cli::Terminal& terminal) {
  const auto config = terminal.variable("XDG_CONFIG_HOME");
  if (config && !config->empty()) return *config + "/holdfast/config.json";
  return terminal.variable("HOME").value_or(".") + "/.config/holdfast/config.json";
}

std::string program_folder() {
  std::string path(4096, '\0');
  const auto size = ::readlink("/proc/self/exe", path.data(), path.size());
  path.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return os::folder_of(path);
}

}  // namespace

int main(int argc, char** argv) {
  auto machine = os::RealSystem::make();
  if (!machine) {
    std::fprintf(stderr, "error: %s\n", machine.error().text().c_str());
    return 1;
  }
  const auto terminal = cli::real_terminal();
  const os::System system = (*machine)->system();
  Metrics metrics;
  const auto transport = crypto::make_tls_transport(system.network, metrics);
  const cli::Commands commands = cli::all_commands();
  cli::Shell shell{system,
                   *terminal,
                   [&](const cli::Target& target) -> Result<std::unique_ptr<cli::Line>> {
                     return std::make_unique<TlsLine>(system, *transport, target);
                   },
                   contexts_path(*terminal),
                   program_folder(),
                   &commands};
  return cli::run_words(shell, {argv + 1, argv + argc}, HOLDFAST_VERSION);
}
