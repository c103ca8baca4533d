// holdfast config ..., trust install, doctor, version, help exit-codes.
#include "cli/commands/commands.hpp"
#include "cli/commands/doctor.hpp"
#include "cli/completion.hpp"
#include "libs/crypto/pem.hpp"

namespace holdfast::cli {
namespace {

constexpr Duration kProgramLimit = seconds(60);
constexpr std::size_t kProgramOutputMax = 1024 * 1024;  // bytes

// ---- configuration

// The server's program knows its own settings: it checks the file.
Status check_config(Run& run) {
  const std::string program = run.terminal().variable("HOLDFAST_HOLDFASTD").value_or("holdfastd");
  const std::string beside = run.shell().program_folder + "/holdfastd";
  const bool have = os::exists(run.shell().system.files, beside);
  const auto exit = run.shell().system.process.run(
      {have ? beside : program, "--config", run.given().text("FILE"), "--check"}, "", kProgramLimit,
      kProgramOutputMax);
  if (!exit) {
    return fail(Code::not_found,
                "The server's program holdfastd is needed for this, and was not found (" +
                    exit.error().text() + "): run it where the server is installed.");
  }
  run.terminal().out(exit->out);
  if (exit->status == 0) return {};
  return fail(Code::config_invalid,
              exit->err.empty() ? "The configuration is not valid." : exit->err);
}

Status show_config(Run& run) {
  const Reply reply = TRY(TRY(run.remote())->get("/v1/config"));
  if (run.json()) {
    run.print(reply.json);
    return {};
  }
  Table table{{{"KEY", 9}, {"VALUE", 8}, {"SOURCE", 5}}, {}};
  const wire::Json* items = json_at(reply.json, "items");
  if (items && items->is_array()) {
    for (const wire::Json& item : items->get_array()) {
      const bool secret = text_at(item, "secret") == "true";
      table.rows.push_back({text_at(item, "key"), secret ? "(secret)" : text_at(item, "value"),
                            text_at(item, "source")});
    }
  }
  run.print(table);
  return {};
}

// ---- trust

Result<std::string> ca_of_server(Run& run) {
  const Target target = TRY(run.target());
  if (!target.trust_der.empty()) return crypto::to_pem("CERTIFICATE", target.trust_der.front());
  const Reply reply = TRY(TRY(run.remote())->get("/v1/agent"));
  const std::string pem = text_at(reply.json, "ca_pem");
  if (pem.empty())
    return fail(Code::not_found, "The server does not tell its CA: give it with --ca FILE.");
  return pem;
}

Status run_program(Run& run, const std::vector<std::string>& argv) {
  const auto exit = run.shell().system.process.run(argv, "", kProgramLimit, kProgramOutputMax);
  if (!exit) return std::unexpected(exit.error());
  if (exit->status != 0) return fail(Code::io_error, argv.front() + " failed: " + exit->err);
  return {};
}

// For everything on this machine that uses the system's certificates; needs root.
Status trust_by_system(Run& run, const std::string& pem) {
  TRY(os::replace_file(run.shell().system.files, "/usr/local/share/ca-certificates/holdfast.crt",
                       view_of(pem)));
  return run_program(run, {"update-ca-certificates"});
}

// For Chromium and its relatives of this account (certutil comes with libnss3-tools).
Status trust_by_browser(Run& run, const std::string& pem) {
  const auto home = run.terminal().variable("HOME");
  if (!home) return fail(Code::not_found, "HOME is not set.");
  os::Files& files = run.shell().system.files;
  const std::string folder = *home + "/.pki/nssdb";
  if (!os::exists(files, folder + "/cert9.db")) {
    TRY(files.make_folder(folder));
    TRY(run_program(run, {"certutil", "-d", "sql:" + folder, "-N", "--empty-password"}));
  }
  const std::string file = folder + "/holdfast.pem";
  TRY(os::replace_file(files, file, view_of(pem)));
  TRY(run_program(
      run, {"certutil", "-d", "sql:" + folder, "-A", "-t", "C,,", "-n", "Holdfast", "-i", file}));
  return files.remove(file);
}

Status install_trust(Run& run) {
  const std::string pem = TRY(ca_of_server(run));
  const Status browser = trust_by_browser(run, pem);
  run.say(browser ? "Browsers of this account trust the server."
                  : "Browsers of this account were left alone: " + browser.error().text());
  if (browser && !run.given().has("system")) return {};
  const Status system = trust_by_system(run, pem);
  if (system) {
    run.say("This machine trusts the server.");
    return {};
  }
  run.say("This machine was left alone: " + system.error().text());
  if (browser && !run.given().has("system")) return {};
  return fail(system.error().code,
              "Run it as root for the whole machine, or install libnss3-tools for browsers.");
}

// ---- version, help

Status show_version(Run& run) {
  const Reply reply = TRY(TRY(run.remote())->get("/v1/version"));
  print_object(run, reply.json,
               {{"server", "version"},
                {"commit", "commit"},
                {"api", "api"},
                {"device protocol", "device_protocol"},
                {"started", "started_at"}});
  return {};
}

Status print_completion(Run& run) {
  run.terminal().out(TRY(completion_script(*run.shell().commands, run.given().text("SHELL"))));
  return {};
}

Status help_exit_codes(Run& run) {
  run.terminal().out(
      "0    done\n"
      "1    failed\n"
      "2    the command line or a value in it is wrong\n"
      "3    not found\n"
      "4    not signed in\n"
      "5    a permission is missing\n"
      "6    the state forbids it, or it has changed meanwhile\n"
      "7    partly done\n"
      "8    the server cannot be reached, or not in time\n"
      "9    the server failed\n"
      "130  interrupted\n"
      "\n"
      "Each problem has a code, and each code one of these: see /problems/CODE on the server.\n");
  return {};
}

}  // namespace

void add_system_commands(Commands& out) {
  out.push_back({"config check",
                 "Check a configuration file of the server",
                 {positional("FILE", "The file, in TOML")},
                 check_config});
  out.push_back({"config show",
                 "The configuration in effect, and where each value comes from",
                 {},
                 show_config});
  out.push_back({"trust install",
                 "Make browsers, or this machine, trust the server's CA",
                 {flag("--system", "For the whole machine; needs root")},
                 install_trust});
  out.push_back({"doctor", "Look at the way to the server, layer by layer", {}, doctor});
  out.push_back({"version", "Version of the server", {}, show_version});
  out.push_back({"completion",
                 "A script that completes words and options: source <(holdfast completion bash)",
                 {positional("SHELL", "bash, zsh or fish")},
                 print_completion});
  out.push_back({"help exit-codes", "What the exit codes mean", {}, help_exit_codes});
}

}  // namespace holdfast::cli
