#include "libs/http/sync_client.hpp"

#include <future>

namespace holdfast::http {

SyncClient::SyncClient(os::Threads& threads, crypto::Transport& transport, os::Endpoint server,
                       crypto::ClientSettings settings, ClientOptions options)
    : loop_(threads.start_loop("http-client")) {
  std::promise<void> made;
  loop_->post([&] {
    client_ = std::make_unique<Client>(*loop_, transport, std::move(server), std::move(settings),
                                       options);
    made.set_value();
  });
  made.get_future().wait();
}

SyncClient::~SyncClient() {
  std::promise<void> gone;
  loop_->post([&] {
    client_.reset();
    // Once more, behind the streams that are destroyed by tasks of their own.
    loop_->post([&] { gone.set_value(); });
  });
  gone.get_future().wait();
}

Result<ClientResponse> SyncClient::send(ClientRequest request, Duration limit) {
  std::promise<Result<ClientResponse>> promise;
  auto future = promise.get_future();
  loop_->post([this, limit, &request, &promise] {
    request.deadline = limit == kNoLimit ? kNever : loop_->clock().mono() + limit;
    client_->send(std::move(request), [&promise](Result<ClientResponse> result) {
      promise.set_value(std::move(result));
    });
  });
  return future.get();
}

void SyncClient::pause(Duration duration) {
  std::promise<void> over;
  loop_->post([&] { loop_->after(duration, [&] { over.set_value(); }); });
  over.get_future().wait();
}

}  // namespace holdfast::http
