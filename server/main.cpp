// holdfastd: reads its configuration, runs the server on this machine, and says when it is ready.
//
// Standard output carries one line of JSON when the server is ready, and nothing else; logs go to
// standard error; SIGINT and SIGTERM end it within ten seconds.
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <unistd.h>

#include "libs/wire/json.hpp"
#include "server/app/app.hpp"
#include "server/core/settings.hpp"

namespace {

using namespace holdfast;

constexpr std::size_t kConfigBytesMax = 1024 * 1024;

int refuse(const Error& error) {
  const CodeRow& row = row_of(error.code);
  std::fprintf(stderr, "holdfastd: %s\n  mend: %s\n  code: %s\n", error.text().c_str(), std::string(row.mend).c_str(),
               std::string(row.name).c_str());
  return row.cli_exit;
}

Result<config::Inputs> given(os::Files& files, int argc, char** argv) {
  config::Inputs inputs;
  inputs.arguments.assign(argv + 1, argv + argc);
  inputs.other_flags = {{"--config", 1}, {"--check", 0}, {"--help", 0}, {"--version", 0}};
  inputs.environment = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
  for (std::size_t i = 0; i + 1 < inputs.arguments.size(); ++i) {
    if (inputs.arguments[i] != "--config") continue;
    inputs.file_name = inputs.arguments[i + 1];
    inputs.file_text = string_of(TRY(os::read_file(files, inputs.file_name, kConfigBytesMax)));
  }
  return inputs;
}

// holdfastd --config FILE --check: every finding, one a line.
int check(const config::Inputs& inputs) {
  const auto findings = config::check(core::server_settings(), inputs);
  for (const config::Finding& finding : findings) {
    const std::string place = finding.line > 0 ? inputs.file_name + ":" + std::to_string(finding.line) : finding.key;
    std::fprintf(stderr, "%s: %s\n", place.c_str(), finding.message.c_str());
  }
  if (findings.empty()) std::printf("The configuration is valid.\n");
  return findings.empty() ? 0 : row_of(Code::config_invalid).cli_exit;
}

Level level_of(std::string_view name) {
  if (name == "debug") return Level::debug;
  if (name == "warning") return Level::warning;
  return name == "error" ? Level::error : Level::info;
}

std::string folder_of_program() {
  std::string path(4096, '\0');
  const auto size = ::readlink("/proc/self/exe", path.data(), path.size());
  path.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return os::folder_of(path);
}

// Installed beside the program, or built in the source tree.
app::Extras extras(os::Files& files, const Log& log) {
  app::Extras out;
  out.version = HOLDFAST_VERSION;
  out.processors = static_cast<unsigned>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
  const std::string here = folder_of_program();
  for (const std::string& place : {here + "/../share/holdfast/console", here + "/../../console/dist"}) {
    auto console = api::ConsoleFiles::load(files, place);
    if (!console) continue;
    out.console = *std::move(console);
    break;
  }
  if (out.console.size() == 0) log.warning("the console is not built: the API works without it");
  if (os::exists(files, here + "/holdfast-agent")) out.agents.push_back({"linux-x86_64", here + "/holdfast-agent"});
  return out;
}

void print_ready(const app::Ready& ready) {
  wire::JsonObject object{{"ready", true},
                          {"api", ready.api},
                          {"mqtt", ready.mqtt},
                          {"device", ready.device},
                          {"ca", ready.ca}};
  if (!ready.pki.empty()) object["pki"] = ready.pki;
  const std::string line = wire::json_text(object);
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

int run(int argc, char** argv) {
  auto real = os::RealSystem::make();
  if (!real) return refuse(real.error());
  const os::System system = (*real)->system();
  const auto inputs = given(system.files, argc, argv);
  if (!inputs) return refuse(inputs.error());
  if (std::ranges::find(inputs->arguments, "--check") != inputs->arguments.end()) return check(*inputs);
  const auto loaded = config::load(core::server_settings(), *inputs);
  if (!loaded) return refuse(loaded.error());
  if (!loaded->rest.empty() && loaded->rest.front() == "--version") {
    std::printf("holdfastd %s\n", HOLDFAST_VERSION);
    return 0;
  }
  const Log log(standard_error_sink(), level_of(loaded->config.text("log.level")));
  Metrics metrics;
  const auto transport = crypto::make_tls_transport(system.network, metrics);
  os::Loop& loop = (*real)->main_loop();
  auto opened = app::App::open(system, loop, *transport, loaded->config, extras(system.files, log), log, metrics);
  if (!opened) return refuse(opened.error());
  app::App& server = **opened;
  int status = 0;
  (*real)->on_stop_signal([&] { server.stop([&] { loop.stop(); }); });
  server.start([&](Result<app::Ready> ready) {
    if (ready) return print_ready(*ready);
    status = refuse(ready.error());
    loop.stop();
  });
  loop.run();
  return status;
}

}  // namespace

int main(int argc, char** argv) { return run(argc, argv); }
