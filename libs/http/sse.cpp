#include "libs/http/sse.hpp"

namespace holdfast::http {
namespace {

// A line break inside an id or a name would end its field: such text never goes out.
std::string one_line(std::string_view text) {
  std::string out(text);
  std::erase_if(out, [](char c) { return c == '\r' || c == '\n'; });
  return out;
}

}  // namespace

std::string format_event(const Event& event) {
  std::string out = "id: " + one_line(event.id) + '\n';
  std::erase(out, '\0');  // an id with one would be ignored
  if (!event.name.empty()) out += "event: " + one_line(event.name) + '\n';
  if (event.name.empty() && event.data.empty()) return out + '\n';
  std::string_view rest = event.data;
  while (true) {
    const std::size_t end = rest.find_first_of("\r\n");
    out += "data: ";
    out += rest.substr(0, end);
    out += '\n';
    if (end == std::string_view::npos) break;
    const bool crlf = rest[end] == '\r' && end + 1 < rest.size() && rest[end + 1] == '\n';
    rest.remove_prefix(end + (crlf ? 2 : 1));
  }
  out += '\n';
  return out;
}

Status EventParser::feed(View bytes, const std::function<void(Event)>& event) {
  for (char c : text_of(bytes)) {
    if (skip_lf_) {
      skip_lf_ = false;
      if (c == '\n') continue;
    }
    if (c == '\n' || c == '\r') {
      skip_lf_ = c == '\r';
      std::string text = std::move(buffer_);
      buffer_.clear();
      std::string_view view = text;
      if (start_ && view.starts_with("\xEF\xBB\xBF")) view.remove_prefix(3);
      start_ = false;
      line(view, event);
      continue;
    }
    buffer_ += c;
    if (buffer_.size() + event_.data.size() > kEventMax) {
      return fail(Code::payload_too_large, "An event of the stream is larger than 1 MiB.");
    }
  }
  return {};
}

void EventParser::line(std::string_view text, const std::function<void(Event)>& event) {
  if (text.empty()) {
    if (has_data_) {
      event_.data.pop_back();  // the line break after the last line
      event_.id = last_id_;
      event(std::exchange(event_, {}));
    }
    event_ = {};
    has_data_ = false;
    return;
  }
  const std::size_t colon = text.find(':');
  const std::string_view field = text.substr(0, colon);
  std::string_view value = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "data") {
    event_.data += value;
    event_.data += '\n';
    has_data_ = true;
  } else if (field == "event") {
    event_.name = value;
  } else if (field == "id" && !value.contains('\0')) {
    last_id_ = value;
  }
}

}  // namespace holdfast::http
