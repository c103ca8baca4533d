#include "libs/http/client.hpp"

#include <algorithm>

#include "libs/http/client_pool.hpp"

namespace holdfast::http {
namespace {

constexpr std::size_t kScratchSize = 16 * 1024;  // bytes of one read

std::string host_header(const os::Endpoint& server) {
  const bool six = server.host.contains(':');
  std::string host = six ? '[' + server.host + ']' : server.host;
  if (server.port != 443) host += ':' + std::to_string(server.port);
  return host;
}

}  // namespace

ClientPool::ClientPool(os::Loop& on, crypto::Transport& over, os::Endpoint server,
                       crypto::ClientSettings settings, ClientOptions how)
    : loop(on),
      options(how),
      scratch(kScratchSize),
      transport_(over),
      server_(std::move(server)),
      host_(host_header(server_)),
      settings_(std::move(settings)) {
  if (settings_.alpn.empty()) settings_.alpn = {"http/1.1"};
}

RequestTag ClientPool::send(ClientRequest request, ResponseFn done) {
  const RequestTag tag{++next_tag_};
  if (waiting_.size() >= options.waiting_max) {
    loop.post([done = std::move(done)]() mutable {
      done(fail(Code::overloaded, "Too many requests wait for the server."));
    });
    return tag;
  }
  auto job = std::make_shared<ClientJob>();
  job->tag = tag;
  job->request = std::move(request);
  job->done = std::move(done);
  if (job->request.deadline != kNever) {
    job->timer = loop.at(job->request.deadline, [weak = weak_from_this(), tag] {
      if (auto pool = weak.lock()) {
        pool->give_up(tag,
                      Error{Code::deadline_exceeded,
                            "The server at " + pool->server_.text() + " did not answer in time.",
                            {},
                            {},
                            {}});
      }
    });
  }
  waiting_.push_back(std::move(job));
  dispatch();
  return tag;
}

void ClientPool::cancel(RequestTag tag) {
  loop.post([weak = weak_from_this(), tag] {
    if (auto pool = weak.lock()) {
      pool->give_up(tag, Error{Code::cancelled, "The request was cancelled.", {}, {}, {}});
    }
  });
}

void ClientPool::replace(crypto::ClientSettings settings) {
  settings_ = std::move(settings);
  if (settings_.alpn.empty()) settings_.alpn = {"http/1.1"};
  ++generation_;
  for (auto it = connections_.begin(); it != connections_.end();) {
    auto connection = *it++;
    if (connection->idle()) ended(*connection);
  }
}

void ClientPool::stop() {
  stopped_ = true;
  for (const auto& job : std::exchange(waiting_, {})) loop.cancel(job->timer);
  for (const auto& connection : std::exchange(connections_, {})) {
    if (connection->job()) loop.cancel(connection->job()->timer);
    connection->drop();
  }
}

// Ends a request wherever it is.
void ClientPool::give_up(RequestTag tag, Error error) {
  const auto has_tag = [&](const auto& job) { return job->tag == tag; };
  if (auto found = std::ranges::find_if(waiting_, has_tag); found != waiting_.end()) {
    auto job = *found;
    waiting_.erase(found);
    return answered(job, std::unexpected(std::move(error)));
  }
  for (const auto& connection : connections_) {
    auto job = connection->job();
    if (!job || job->tag != tag) continue;
    ended(*connection);
    return answered(job, std::unexpected(std::move(error)));
  }
}

void ClientPool::answered(const std::shared_ptr<ClientJob>& job, Result<ClientResponse> result) {
  loop.cancel(job->timer);
  const auto self = shared_from_this();
  if (!stopped_) job->done(std::move(result));
  if (!stopped_) dispatch();
}

void ClientPool::repeat(std::shared_ptr<ClientJob> job) {
  job->repeated = true;
  waiting_.push_front(std::move(job));
  dispatch();
}

void ClientPool::ended(ClientConnection& connection) {
  const auto keep = connection.shared_from_this();
  connections_.remove(keep);
  keep->drop();
}

void ClientPool::idle(ClientConnection& connection) {
  if (connection.generation() != generation_) return ended(connection);
  connection.rest();
}

// Gives waiting requests to idle connections, and makes connections for the others.
void ClientPool::dispatch() {
  for (const auto& connection : connections_) {
    if (waiting_.empty()) return;
    if (!connection->idle()) continue;
    auto job = std::move(waiting_.front());
    waiting_.pop_front();
    connection->run(std::move(job), host_);
  }
  while (connecting_ < waiting_.size() &&
         connections_.size() + connecting_ < options.connections_max) {
    connect();
  }
}

void ClientPool::connect() {
  ++connecting_;
  transport_.connect(loop, server_, settings_, loop.clock().mono() + options.connect_limit,
                     [weak = weak_from_this(), generation = generation_](auto stream) {
                       if (auto pool = weak.lock()) pool->connected(generation, std::move(stream));
                     });
}

void ClientPool::connected(std::uint64_t generation,
                           Result<std::unique_ptr<crypto::SecureStream>> stream) {
  --connecting_;
  if (stopped_) return;
  if (stream) {
    connections_.push_back(
        std::make_shared<ClientConnection>(*this, std::move(*stream), generation));
    connections_.back()->rest();
    return dispatch();
  }
  // One failure is one request's: the next one tries again.
  if (waiting_.empty()) return;
  auto job = std::move(waiting_.front());
  waiting_.pop_front();
  answered(job, std::unexpected(std::move(stream.error())));
}

Client::Client(os::Loop& loop, crypto::Transport& transport, os::Endpoint server,
               crypto::ClientSettings settings, ClientOptions options)
    : pool_(std::make_shared<ClientPool>(loop, transport, std::move(server), std::move(settings),
                                         options)) {}
Client::~Client() {
  pool_->stop();
}

RequestTag Client::send(ClientRequest request, ResponseFn done) {
  return pool_->send(std::move(request), std::move(done));
}
void Client::cancel(RequestTag request) {
  pool_->cancel(request);
}
void Client::replace(crypto::ClientSettings settings) {
  pool_->replace(std::move(settings));
}

}  // namespace holdfast::http
