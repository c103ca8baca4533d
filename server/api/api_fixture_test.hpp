// The API without sockets, for its tests: a store on a simulated machine, people, the operations
// that a test adds, and Dispatch in front of them.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/http/client.hpp"
#include "server/api/dispatch.hpp"
#include "server/core/testing/test_store.hpp"

namespace holdfast::api {

struct Answered {
  int status = 0;
  http::Headers headers;
  std::string body;
  wire::Json json() const { return wire::parse_json(body).value_or(wire::Json(nullptr)); }
  std::string code() const {
    const auto problem = http::problem_of({status, headers, bytes_of(body)});
    return problem ? problem->code : "";
  }
};

// Collects the events of a stream.
class TestStream final : public http::EventStream {
 public:
  Status send(const http::Event& event) override {
    if (closed_) return fail(Code::closed, "closed");
    events.push_back(event);
    return {};
  }
  void close() override {
    closed_ = true;
    if (task_) std::exchange(task_, nullptr)();
  }
  bool closed() const override { return closed_; }
  void on_closed(os::Task task) override { task_ = std::move(task); }
  std::vector<std::string> ids() const {
    std::vector<std::string> out;
    for (const auto& event : events) out.push_back(event.id);
    return out;
  }
  std::vector<http::Event> events;

 private:
  bool closed_ = false;
  os::Task task_;
};

// Where a Responder's answer goes in tests.
class TestAnswer final : public http::Answer {
 public:
  struct Place {
    std::optional<Answered> answered;
    std::shared_ptr<TestStream> stream;
  };
  explicit TestAnswer(std::shared_ptr<Place> place) : place_(std::move(place)) {}
  void respond(http::Response response) override {
    std::string body =
        response.shared_body ? string_of(*response.shared_body) : string_of(response.body);
    while (response.source) {
      const auto piece = response.source(4096);
      ASSERT_TRUE(piece) << piece.error().text();
      if (piece->empty()) break;
      body += text_of(*piece);
    }
    place_->answered = Answered{response.status, response.headers, std::move(body)};
  }
  std::shared_ptr<http::EventStream> open_events(http::Headers) override {
    place_->stream = std::make_shared<TestStream>();
    return place_->stream;
  }
  void on_gone(os::Task) override {}

 private:
  std::shared_ptr<Place> place_;
};

class ApiTest : public testing::Test {
 protected:
  static constexpr core::PasswordCosts kCheap{.memory_kib = 64, .passes = 1};
  inline static const std::string kPassword = "correct horse battery";

  ApiTest() : t(17) {
    EXPECT_TRUE(t.open());
    people = std::move(*core::People::make(t.store(), t.system().threads, t.metrics, kCheap));
    bootstrap = *people->make_bootstrap_token();
    workers = t.system().threads.start_workers("api", 4, queue_max);
  }
  void begin() {
    auto made =
        Dispatch::make(t.store(), *people, operations, *workers, t.log, t.metrics, fallback);
    ASSERT_TRUE(made) << made.error().text();
    dispatch = std::move(*made);
  }

  struct Ask {
    std::string method = "GET";
    std::string target;
    std::string body{};
    std::string bearer{};
    http::Headers headers{};
  };
  std::shared_ptr<TestAnswer::Place> start(const Ask& ask) {
    if (!dispatch) begin();
    http::Request request;
    request.method = ask.method;
    auto target = http::parse_target(ask.target);
    EXPECT_TRUE(target) << ask.target;
    request.path = target->path;
    request.segments = target->segments;
    request.query = target->query;
    request.headers = ask.headers;
    request.headers.set("Host", "localhost:8443");
    if (!ask.bearer.empty()) request.headers.set("Authorization", "Bearer " + ask.bearer);
    if (!ask.body.empty() && !request.headers.has("Content-Type")) {
      request.headers.set("Content-Type", "application/json");
    }
    request.body = bytes_of(ask.body);
    request.peer.address = "192.0.2.7:50312";
    request.request_id = "req_" + std::to_string(++requests);
    auto place = std::make_shared<TestAnswer::Place>();
    http::Responder responder(std::make_unique<TestAnswer>(place), request.path,
                              request.request_id);
    dispatch->handle(std::move(request), std::move(responder));
    return place;
  }
  Answered ask(const Ask& what) {
    const auto place = start(what);
    t.world.run_until([&] { return place->answered || place->stream; }, seconds(5));
    EXPECT_TRUE(place->answered) << what.method << " " << what.target;
    return place->answered.value_or(Answered{});
  }
  Answered admin(std::string method, std::string target, std::string body = "",
                 http::Headers headers = {}) {
    return ask(
        {std::move(method), std::move(target), std::move(body), bootstrap, std::move(headers)});
  }
  // A service token with these roles.
  std::string token(core::Roles roles, core::Sites sites = {}) {
    const auto caller = people->authenticate_bearer(bootstrap, "192.0.2.1", "req_0");
    EXPECT_TRUE(caller);
    core::NewToken wanted;
    wanted.kind = core::TokenKind::service;
    wanted.name = "test";
    wanted.roles = roles;
    wanted.sites = std::move(sites);
    auto made = people->create_token(*caller, wanted);
    EXPECT_TRUE(made) << made.error().text();
    return made->secret;
  }

  core::TestStore t;
  std::size_t queue_max = 64;
  std::unique_ptr<core::People> people;
  std::string bootstrap;
  std::unique_ptr<os::Workers> workers;
  core::Operations operations;
  Dispatch::Fallback fallback = [](const http::Request&) { return std::nullopt; };
  std::unique_ptr<Dispatch> dispatch;
  int requests = 0;
};

}  // namespace holdfast::api
