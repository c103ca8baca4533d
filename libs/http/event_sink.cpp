#include "libs/http/event_sink.hpp"

#include "libs/http/connection.hpp"

namespace holdfast::http {

Status EventSink::send(const Event& event) {
  const std::string text = format_event(event);
  enum class Did { added, gone, overrun } did = Did::added;
  const bool post = state_.with([&](State& state) {
    if (state.closed) {
      did = state.overrun ? Did::overrun : Did::gone;
      return false;
    }
    if (state.pending.size() + text.size() > pending_max_) {
      did = Did::overrun;
      state.overrun = state.closed = true;
      dropped_.add();
    } else {
      state.pending += text;
    }
    return !std::exchange(state.flush_posted, true);
  });
  if (post) post_flush();
  if (did == Did::added) return {};
  if (did == Did::gone) return fail(Code::closed, "The client of the event stream is gone.");
  return fail(Code::overloaded, "The client of the event stream is too slow and was cut off.");
}

void EventSink::close() {
  const bool post = state_.with([](State& state) {
    state.closed = true;
    return !std::exchange(state.flush_posted, true);
  });
  if (post) post_flush();
}

bool EventSink::closed() const {
  return state_.with([](const State& state) { return state.closed; });
}

void EventSink::on_closed(os::Task task) {
  const bool now = state_.with([&](State& state) {
    if (!state.ended) state.closed_task = std::move(task);
    return state.ended;
  });
  if (now) loop_.post(std::move(task));
}

void EventSink::begin_flush() {
  state_.with([](State& state) { state.flush_posted = false; });
}

std::string EventSink::take(std::size_t most) {
  return state_.with([&](State& state) {
    std::string out;
    if (state.pending.size() <= most) {
      out = std::move(state.pending);
      state.pending = {};
    } else {
      out = state.pending.substr(0, most);
      state.pending.erase(0, most);
    }
    return out;
  });
}

bool EventSink::overrun() const {
  return state_.with([](const State& state) { return state.overrun; });
}

bool EventSink::finished() const {
  return state_.with([](const State& state) { return state.closed && state.pending.empty(); });
}

void EventSink::gone() {
  os::Task task = state_.with([](State& state) {
    state.closed = state.ended = true;
    state.pending = {};
    return std::exchange(state.closed_task, nullptr);
  });
  if (task) loop_.post(std::move(task));
}

void EventSink::post_flush() {
  loop_.post([weak = connection_] {
    if (auto connection = weak.lock()) connection->flush_events();
  });
}

}  // namespace holdfast::http
