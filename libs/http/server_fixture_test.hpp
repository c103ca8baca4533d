// A Server on streams in memory, for its tests.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/http/harness_test.hpp"
#include "libs/http/server.hpp"

namespace holdfast::http {

struct Peer {
  std::unique_ptr<testing::MemoryStream> stream;

  bool send(std::string_view text) { return stream->write(view_of(text)).has_value(); }
  std::string read(std::size_t most = SIZE_MAX) {
    std::string out;
    while (out.size() < most) {
      Bytes piece(std::min<std::size_t>(4096, most - out.size()));
      const auto got = stream->read(piece);
      if (!got) break;
      if (*got == 0) {
        ended = true;
        break;
      }
      out += text_of(View(piece).first(*got));
    }
    return out;
  }
  bool ended = false;  // the server closed; known after read()
};

class ServerTest : public ::testing::Test {
 protected:
  Peer connect() {
    if (!server) {
      server = std::make_unique<Server>(
          loop, entropy, metrics, options,
          [this](const Request& head) -> Result<std::size_t> { return admit(head); },
          [this](Request request, Responder responder) {
            paths.push_back(request.path);
            handler(std::move(request), std::move(responder));
          });
    }
    auto pair = testing::connect_streams(loop);
    last_server_stream = pair.server.get();
    server->accept(std::move(pair.server));
    return {std::move(pair.client)};
  }
  std::string exchange(Peer& peer, std::string_view text) {
    EXPECT_TRUE(peer.send(text));
    loop.settle();
    return peer.read();
  }
  std::uint64_t counted(std::string_view name) {
    return metrics.counter("holdfast_http_" + std::string(name) + "_total", "", "server=\"api\"")
        .value();
  }

  testing::TestLoop loop;
  testing::TestEntropy entropy;
  Metrics metrics;
  ServerOptions options;
  std::function<Result<std::size_t>(const Request&)> admit = [](const Request&) { return 100; };
  Handler handler = [](Request request, Responder responder) {
    responder.send(content(200, "text/plain",
                           request.method + ' ' + request.path + ' ' + string_of(request.body)));
  };
  std::vector<std::string> paths;
  std::vector<Responder> held;  // by handlers that answer later
  testing::MemoryStream* last_server_stream = nullptr;
  std::unique_ptr<Server> server;
};

}  // namespace holdfast::http
