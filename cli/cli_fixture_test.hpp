// The command line without a server and without a terminal, for its tests: answers are scripted,
// what was asked and printed is kept.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "cli/commands/commands.hpp"
#include "libs/os/sim/simulation.hpp"

namespace holdfast::cli {

class TestTerminal final : public Terminal {
 public:
  void out(std::string_view text) override { printed += text; }
  void err(std::string_view text) override { said += text; }
  bool out_is_tty() const override { return tty; }
  bool in_is_tty() const override { return tty; }
  unsigned width() const override { return columns; }
  bool color() const override { return false; }
  Result<std::string> line(bool hidden, std::string_view prompt) override {
    said += prompt;
    asked_hidden = asked_hidden || hidden;
    if (typed.empty()) return fail(Code::closed, "Standard input has ended.");
    std::string first = typed.front();
    typed.pop_front();
    return first;
  }
  std::optional<std::string> variable(const std::string& name) const override {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  }

  std::string printed, said;
  bool tty = false;
  unsigned columns = 80;
  bool asked_hidden = false;
  std::deque<std::string> typed;
  std::map<std::string, std::string> variables;
};

struct Scripted {
  int status = 200;
  std::string body = "{}";
  http::Headers headers{};
};

// What the server would say, and what it was asked.
struct Script {
  // By "METHOD /target"; several answers to one are given one after the other, the last again.
  std::map<std::string, std::deque<Result<Scripted>>> answers;
  std::vector<http::ClientRequest> requests;
  std::vector<Target> targets;
  std::vector<Duration> pauses;

  void on(std::string request, Result<Scripted> answer) {
    answers[std::move(request)].push_back(std::move(answer));
  }
  const http::ClientRequest& last() const { return requests.back(); }
  std::string asked() const {
    std::string out;
    for (const auto& request : requests) {
      out += request.method + ' ' + request.target +
             (request.body.empty() ? "" : ' ' + string_of(request.body)) + '\n';
    }
    return out;
  }
};

class ScriptedLine final : public Line {
 public:
  explicit ScriptedLine(Script& script) : script_(script) {}
  Result<http::ClientResponse> send(http::ClientRequest request, Duration) override {
    const std::string key = request.method + ' ' + request.target;
    const auto on_body = request.on_body;
    script_.requests.push_back(std::move(request));
    const auto found = script_.answers.find(key);
    if (found == script_.answers.end()) {
      ADD_FAILURE() << "not in the script: " << key;
      return fail(Code::internal, key);
    }
    Result<Scripted> answer = found->second.front();
    if (found->second.size() > 1) found->second.pop_front();
    if (!answer) return std::unexpected(answer.error());
    http::ClientResponse response{answer->status, answer->headers, bytes_of(answer->body)};
    const std::string_view type =
        answer->status < 400 ? "application/json" : "application/problem+json";
    if (!response.headers.has("Content-Type")) response.headers.set("Content-Type", type);
    if (on_body && answer->status < 300) {
      if (auto taken = on_body(response.body); !taken) return std::unexpected(taken.error());
      response.body.clear();
    }
    return response;
  }
  void pause(Duration duration) override { script_.pauses.push_back(duration); }

 private:
  Script& script_;
};

class CliTest : public ::testing::Test {
 protected:
  CliTest() {
    terminal.variables = {{"HOLDFAST_SERVER", "https://hold.example:8443"},
                          {"HOLDFAST_TOKEN", "hft_secret"}};
  }
  // Runs the words and answers the exit code; what was printed before is forgotten.
  int run(std::vector<std::string> words) {
    terminal.printed.clear();
    terminal.said.clear();
    Shell shell{system,
                terminal,
                [this](const Target& target) -> Result<std::unique_ptr<Line>> {
                  script.targets.push_back(target);
                  return std::make_unique<ScriptedLine>(script);
                },
                "/home/.config/holdfast/config.json",
                "/usr/bin",
                &commands};
    return run_words(shell, words, "1.2.3");
  }
  void put(const std::string& path, std::string_view content) {
    ASSERT_TRUE(system.files.make_folder(os::folder_of(path)));
    ASSERT_TRUE(os::replace_file(system.files, path, view_of(content)));
  }
  std::string file(const std::string& path) {
    const auto bytes = os::read_file(system.files, path, 1 << 20);
    return bytes ? string_of(*bytes) : "(none)";
  }

  os::sim::Simulation world{5};
  os::System system = world.node("desk").system();
  TestTerminal terminal;
  Script script;
  Commands commands = all_commands();
};

}  // namespace holdfast::cli
