#include "libs/http/responder.hpp"

namespace holdfast::http {

Responder& Responder::operator=(Responder&& other) noexcept {
  if (this != &other) {
    Responder dropped(std::move(*this));
    answer_ = std::move(other.answer_);
    instance_ = std::move(other.instance_);
    request_id_ = std::move(other.request_id_);
  }
  return *this;
}

Responder::~Responder() {
  if (answer_) fail(Error{Code::internal, "the request was dropped without an answer", {}, {}, {}});
}

void Responder::send(Response response) {
  if (auto answer = std::move(answer_)) answer->respond(std::move(response));
}

void Responder::send(Result<Response> result) {
  if (result) {
    send(std::move(*result));
  } else {
    fail(result.error());
  }
}

void Responder::fail(const Error& error) {
  send(problem(error, {instance_, request_id_, {}}));
}

std::shared_ptr<EventStream> Responder::events(Headers headers) {
  auto answer = std::move(answer_);
  return answer ? answer->open_events(std::move(headers)) : nullptr;
}

void Responder::on_gone(os::Task task) {
  if (answer_) answer_->on_gone(std::move(task));
}

}  // namespace holdfast::http
