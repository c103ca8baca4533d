#include "server/api/api.hpp"

#include <atomic>

#include "server/api/dispatch.hpp"

namespace holdfast::api {
namespace {

constexpr Duration kStopCheck = milliseconds(20);

http::ServerOptions server_options(os::Workers& workers, std::size_t connections_max) {
  http::ServerOptions out;
  out.name = "api";
  out.workers = &workers;
  out.connections_max = connections_max;
  out.headers = {{"X-Content-Type-Options", "nosniff"},
                 {"Referrer-Policy", "no-referrer"},
                 {"Cross-Origin-Resource-Policy", "same-origin"},
                 {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"}};
  return out;
}

crypto::ServerSettings server_settings(crypto::Credential credential) {
  crypto::ServerSettings out;
  out.credential = std::move(credential);
  out.client = crypto::ClientCertificate::none;
  out.allow_tls12 = true;
  out.alpn = {"http/1.1"};
  return out;
}

// What lives on a loop: made, used and destroyed there.
struct Place {
  std::unique_ptr<http::Server> server;
  std::unique_ptr<os::Listener> listener;
};

class ApiServer final : public Api {
 public:
  using Started = std::move_only_function<void(Status)>;

  ApiServer(Parts parts, Options options, std::shared_ptr<crypto::ServerContext> context)
      : parts_(parts), options_(std::move(options)), context_(std::move(context)) {}
  ~ApiServer() override;

  Status build();
  void start(os::Loop& on, Started started) override;
  os::Endpoint endpoint() const override { return options_.listen; }
  Status replace(crypto::Credential credential) override {
    return context_->replace(server_settings(std::move(credential)));
  }
  void stop(Duration limit, os::Loop& on, os::Task done) override;

 private:
  struct Lane {
    std::unique_ptr<os::Loop> loop;
    std::shared_ptr<Place> place = std::make_shared<Place>();
  };
  void listen_on(std::size_t index, os::Loop& on, std::shared_ptr<Started> started);
  Status open(Lane& lane);
  void check_streams_later(os::Loop& loop);
  void wait_for_quiet(MonoTime until, os::Loop& on, std::shared_ptr<os::Task> done);

  Parts parts_;
  Options options_;
  std::shared_ptr<crypto::ServerContext> context_;
  std::unique_ptr<os::Workers> workers_;
  std::unique_ptr<Dispatch> dispatch_;
  std::vector<Lane> lanes_;
};

Status ApiServer::build() {
  workers_ = parts_.system.threads.start_workers("api", options_.workers, options_.queue_max);
  dispatch_ = TRY(Dispatch::make(
      parts_.store, parts_.people, parts_.operations, *workers_, parts_.log, parts_.metrics,
      [this](const http::Request& request) { return options_.console.answer(request); },
      options_.body_max));
  lanes_.resize(std::max(1U, options_.loops));
  for (Lane& lane : lanes_) lane.loop = parts_.system.threads.start_loop("api");
  return {};
}

// First the workers, which hold responders; then what lies on the loops, on them: the task owns it,
// so it dies before the loop whether the loop still runs the task or not.
ApiServer::~ApiServer() {
  if (dispatch_) dispatch_->end_checks();
  workers_.reset();
  for (Lane& lane : lanes_) {
    if (!lane.loop) continue;
    lane.loop->post([place = std::move(lane.place)] {
      place->listener.reset();
      place->server.reset();
    });
  }
  for (Lane& lane : lanes_) lane.loop.reset();
}

// On a loop of ours, which drops its timers when it ends.
void ApiServer::check_streams_later(os::Loop& loop) {
  loop.after(kStreamCheckEvery, [this, &loop] {
    dispatch_->check_streams();
    check_streams_later(loop);
  });
}

void ApiServer::start(os::Loop& on, Started started) {
  lanes_.front().loop->post([this] { check_streams_later(*lanes_.front().loop); });
  for (std::string_view missing : parts_.operations.missing()) {
    parts_.log.warning("operation without a handler", {{"operation", missing}});
  }
  listen_on(0, on, std::make_shared<Started>(std::move(started)));
}

// One after the other: the first finds the port, the others join it.
void ApiServer::listen_on(std::size_t index, os::Loop& on, std::shared_ptr<Started> started) {
  if (index == lanes_.size()) {
    on.post([started] { (*started)({}); });
    return;
  }
  lanes_[index].loop->post([this, index, &on, started] {
    Status opened = open(lanes_[index]);
    on.post([this, index, &on, started, opened = std::move(opened)] {
      if (!opened) return (*started)(opened);
      listen_on(index + 1, on, started);
    });
  });
}

Status ApiServer::open(Lane& lane) {
  Place& place = *lane.place;
  place.server = std::make_unique<http::Server>(
      *lane.loop, parts_.system.entropy, parts_.metrics,
      server_options(*workers_, options_.connections_max),
      [this](const http::Request& head) -> Result<std::size_t> { return dispatch_->admit(head); },
      [this](http::Request request, http::Responder responder) {
        dispatch_->handle(std::move(request), std::move(responder));
      });
  place.listener = TRY(parts_.transport.listen(
      *lane.loop, options_.listen, context_,
      [server = place.server.get()](std::unique_ptr<crypto::SecureStream> stream) {
        server->accept(std::move(stream));
      }));
  options_.listen = place.listener->endpoint();
  return {};
}

void ApiServer::stop(Duration limit, os::Loop& on, os::Task done) {
  for (Lane& lane : lanes_) {
    lane.loop->post([place = lane.place] {
      place->listener.reset();
      if (place->server) place->server->drain();
    });
  }
  wait_for_quiet(parts_.system.clock.mono() + limit, on,
                 std::make_shared<os::Task>(std::move(done)));
}

// Counts the connections of all loops; looks again until there are none or time is up.
void ApiServer::wait_for_quiet(MonoTime until, os::Loop& on, std::shared_ptr<os::Task> done) {
  struct Count {
    std::size_t lanes;  // still to answer
    std::size_t connections = 0;
  };
  auto count = std::make_shared<Count>(lanes_.size());
  for (Lane& lane : lanes_) {
    lane.loop->post([this, place = lane.place, count, until, &on, done] {
      const std::size_t open = place->server ? place->server->connections() : 0;
      on.post([this, count, open, until, &on, done] {
        count->connections += open;
        if (--count->lanes > 0) return;
        if (count->connections == 0 || parts_.system.clock.mono() >= until) return (*done)();
        on.after(kStopCheck, [this, until, &on, done] { wait_for_quiet(until, on, done); });
      });
    });
  }
}

}  // namespace

Result<std::unique_ptr<Api>> Api::make(Parts parts, Options options) {
  auto context = TRY(parts.transport.make_context(server_settings(options.credential)));
  auto server = std::make_unique<ApiServer>(parts, std::move(options), std::move(context));
  TRY(server->build());
  return server;
}

}  // namespace holdfast::api
