#include "server/api/stream_watch.hpp"

namespace holdfast::api {
namespace {

bool same_rights(const core::Caller& a, const core::Caller& b) {
  return a.id == b.id && a.roles == b.roles && a.owner_roles == b.owner_roles && a.sites == b.sites;
}

// An outage of the database is no reason to throw everybody out.
bool over(const Result<core::Caller>& now, const core::Caller& then) {
  if (now) return !same_rights(*now, then);
  return now.error().code == Code::unauthenticated;
}

}  // namespace

class StreamWatch::WatchedAnswer final : public http::Answer {
 public:
  WatchedAnswer(http::Responder inner, std::shared_ptr<List> list, core::Caller caller, Again again)
      : inner_(std::move(inner)),
        list_(std::move(list)),
        caller_(std::move(caller)),
        again_(std::move(again)) {}

  void respond(http::Response response) override { inner_.send(std::move(response)); }
  void on_gone(os::Task task) override { inner_.on_gone(std::move(task)); }
  std::shared_ptr<http::EventStream> open_events(http::Headers headers) override {
    auto stream = inner_.events(std::move(headers));
    auto watched = std::make_shared<Watched>(stream, std::move(caller_), std::move(again_));
    list_->with([&](auto& list) { list.push_back(std::move(watched)); });
    return stream;
  }

 private:
  http::Responder inner_;
  const std::shared_ptr<List> list_;
  core::Caller caller_;
  Again again_;
};

StreamWatch::StreamWatch(Metrics& metrics)
    : ended_(metrics.counter("holdfast_api_streams_ended_total",
                             "Streams ended because their credential no longer stood")) {}

http::Responder StreamWatch::watch(http::Responder responder, core::Caller caller, Again again) {
  const std::string request_id = responder.request_id();
  const std::string instance = responder.instance();
  return {std::make_unique<WatchedAnswer>(std::move(responder), list_, std::move(caller),
                                          std::move(again)),
          instance, request_id};
}

// Asked outside the lock: each asks the database.
void StreamWatch::check() {
  const auto all = list_->with([](auto& list) {
    std::erase_if(list, [](const auto& one) {
      const auto stream = one->stream.lock();
      return !stream || stream->closed();
    });
    return list;
  });
  for (const auto& one : all) {
    if (!over(one->again(), one->caller)) continue;
    if (const auto stream = one->stream.lock()) {
      stream->close();
      ended_.add();
    }
  }
}

}  // namespace holdfast::api
