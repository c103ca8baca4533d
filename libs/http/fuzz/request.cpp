// Bytes from any client, through the whole server: parser, admission, handler, writer. The first
// byte says in how large pieces they arrive. Whatever comes, the server answers or closes, holds no
// more than its bounds, and every connection ends.
#include <cassert>

#include "libs/http/server.hpp"
#include "libs/http/harness_test.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast;
  if (size == 0) return 0;
  const std::size_t piece = data[0] % 64 + 1;
  View rest(data + 1, size - 1);

  http::testing::TestLoop loop;
  http::testing::TestEntropy entropy;
  Metrics metrics;
  http::Server server(
      loop, entropy, metrics, {}, [](const http::Request&) { return std::size_t{100}; },
      [](http::Request request, http::Responder responder) {
        assert(request.body.size() <= 100);
        assert(!request.method.empty() && !request.request_id.empty());
        assert(request.path.starts_with('/') || request.path == "*");
        if (request.path == "/drop") return;
        if (request.path == "/events") {
          auto events = responder.events();
          (void)events->send({"1", "", "x"});
          return events->close();
        }
        responder.send(http::content(200, "text/plain", request.method));
      });
  auto pair = http::testing::connect_streams(loop);
  server.accept(std::move(pair.server));
  Bytes answer(4096);
  while (!rest.empty()) {
    const View part = rest.first(std::min(piece, rest.size()));
    rest = rest.subspan(part.size());
    if (!pair.client->write(part)) break;
    loop.settle();
    while (pair.client->read(answer).value_or(0) > 0) {
    }
  }
  loop.advance(seconds(60));
  assert(server.connections() == 0);
  return 0;
}
