// What needs no proof: the agent's programs, and a sign of life.
#include "server/hub/https/https.hpp"

namespace holdfast::hub {

void serve_agent(Https& https, Asked asked) {
  const core::Downloads* all = https.downloads();
  const core::Download* download = all ? all->find(asked.request.param("platform")) : nullptr;
  if (download == nullptr)
    return refuse(asked, failure(Code::not_found, "there is no agent for this platform"));
  asked.responder.send(download->answer(asked.request));
}

void serve_health(Https&, Asked asked) {
  asked.responder.send(http::json(200, R"({"status":"ok"})"));
}

}  // namespace holdfast::hub
