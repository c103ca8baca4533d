#include "server/api/live_routes.hpp"

namespace holdfast::api {

Result<LiveHub::Wish> wish_of(const core::Call& call) {
  LiveHub::Wish wish;
  wish.caller = call.caller;
  for (std::string_view rest : call.request.query_values("device_id")) {
    for (bool more = true; more;) {  // repeated, or several in one with commas
      const std::size_t comma = rest.find(',');
      auto id = DeviceId::parse(rest.substr(0, comma));
      if (!id) {
        id.error().pointer = "?device_id";
        return std::unexpected(std::move(id.error()));
      }
      wish.devices.insert(*id);
      if (wish.devices.size() > kLiveDevicesMax) {
        return std::unexpected(
            Error{Code::invalid_argument, "at most 200 devices", {}, {}, "?device_id"});
      }
      more = comma != std::string_view::npos;
      rest.remove_prefix(more ? comma + 1 : rest.size());
    }
  }
  wish.last_event_id = call.request.header("Last-Event-ID").value_or("");
  return wish;
}

Status add_live_routes(core::Operations& operations, LiveHub& hub) {
  return operations.add_stream("stream_changes",
                               [&](const core::Call& call, http::Responder responder) {
                                 auto wish = wish_of(call);
                                 if (!wish) return responder.fail(wish.error());
                                 auto stream = responder.events();
                                 // Too many: the stream ends at once, and the client comes back
                                 // later.
                                 if (!hub.join(std::move(*wish), stream)) stream->close();
                               });
}

}  // namespace holdfast::api
