// holdfast tpm ...
#include "cli/commands/commands.hpp"

namespace holdfast::cli {
namespace {

using wire::JsonObject;

constexpr std::string_view kRoots = "/v1/endorsement-roots";
constexpr std::string_view kEndorsements = "/v1/endorsements";

Status list_makers(Run& run) {
  return print_list(run, kRoots, {},
                    {{{"NAME", 9}, "name"},
                     {{"ADMITS", 5}, "admits"},
                     {{"UNTIL", 4}, "not_after", true},
                     {{"FINGERPRINT", 6}, "fingerprint"}});
}

Status trust_maker(Run& run) {
  JsonObject body{{"certificate", TRY(run.read_input(run.given().text("FILE")))},
                  {"admits", run.given().has("admits")}};
  if (const auto name = run.given().maybe("name")) body["name"] = *name;
  const Reply reply = TRY(TRY(run.remote())->send("POST", kRoots, body));
  run.done(reply, "Trusted: " + text_at(reply.json, "name") + ", " +
                      text_at(reply.json, "fingerprint") + '.');
  return {};
}

Status distrust_maker(Run& run) {
  const std::string which = run.given().text("FINGERPRINT");
  TRY(run.confirm("Trust the maker " + which + " no longer?"));
  run.done(
      TRY(TRY(run.remote())
              ->send("DELETE", std::string(kRoots) + '/' + http::encode_component(which), nullptr)),
      "Removed.");
  return {};
}

Status list_tpms(Run& run) {
  http::Params query;
  add_page(run, query);
  return print_list(run, kEndorsements, query,
                    {{{"ENDORSEMENT", 9}, "endorsement"},
                     {{"REGISTERED", 5}, "registered"},
                     {{"NAME", 6}, "name"},
                     {{"DEVICE", 7}, "device_id"},
                     {{"LAST PROOF", 4}, "last_at", true}});
}

Status register_tpm(Run& run) {
  JsonObject body{{"endorsement", run.given().text("HASH")}};
  if (const auto name = run.given().maybe("name")) body["name"] = *name;
  if (const auto serial = run.given().maybe("serial")) body["serial"] = *serial;
  if (const auto site = run.given().maybe("site")) body["site_id"] = TRY(run.site(*site));
  if (const auto type = run.given().maybe("type")) body["type_id"] = TRY(run.type(*type));
  if (run.given().has("tag")) body["tags"] = TRY(pairs_of(run.given().all("tag")));
  const Reply reply = TRY(TRY(run.remote())->send("POST", kEndorsements, body));
  run.done(reply, "Expected; its device enrols by itself when it comes.");
  return {};
}

Status release_tpm(Run& run) {
  const std::string which = run.given().text("HASH");
  TRY(run.confirm("Forget the TPM " + which + "? Its device stays, but can not come back by it."));
  run.done(
      TRY(TRY(run.remote())
              ->send("DELETE", std::string(kEndorsements) + '/' + http::encode_component(which),
                     nullptr)),
      "Forgotten.");
  return {};
}

std::string path_of_attestation(const std::string& id) {
  return "/v1/devices/" + http::encode_component(id) + "/attestation";
}

Status show_tpm(Run& run) {
  const std::string id = TRY(run.device(run.given().text("DEVICE")));
  print_object(run, TRY(TRY(run.remote())->get(path_of_attestation(id))).json,
               {{"endorsement", "tpm.endorsement"},
                {"maker", "tpm.root"},
                {"last proof", "tpm.last_at"},
                {"silent", "tpm.silent"},
                {"resets", "tpm.reset_count"},
                {"changed PCRs", "tpm.changed"},
                {"history", "history"}});
  return {};
}

Status accept_tpm(Run& run) {
  const std::string id = TRY(run.device(run.given().text("DEVICE")));
  TRY(run.confirm("Expect from now on what the device started with last?"));
  run.done(TRY(TRY(run.remote())->send("POST", path_of_attestation(id) + "/accept", nullptr)),
           "Accepted.");
  return {};
}

}  // namespace

void add_tpm_commands(Commands& out) {
  const Argument device = positional("DEVICE", "Name or id");
  const Argument hash = positional("HASH", "SHA-256 of the endorsement key, hexadecimal");
  out.push_back({"tpm makers", "The makers whose TPMs are trusted", {}, list_makers});
  out.push_back(
      {"tpm trust",
       "Trust a maker of TPMs",
       {positional("FILE", "Its CA certificate as PEM; - is standard input"),
        value("--name", "What to call it"), flag("--admits", "Let any TPM of this maker enrol")},
       trust_maker});
  out.push_back({"tpm distrust",
                 "Trust a maker no longer",
                 {positional("FINGERPRINT", "Of its certificate")},
                 distrust_maker});
  out.push_back({"tpm list", "Endorsement keys that are registered or were seen", page_arguments(),
                 list_tpms});
  out.push_back({"tpm register",
                 "Expect a TPM: its device enrols by itself",
                 {hash, value("--name", "Name of the device"),
                  value("--serial", "Its serial number"), value("--site", "Its site, name or id"),
                  value("--type", "Its type, name or id"), many_values("--tag", "key=value")},
                 register_tpm});
  out.push_back({"tpm release", "Forget a TPM, so that it may enrol anew", {hash}, release_tpm});
  out.push_back({"tpm show", "What a device's TPM has proven, and when", {device}, show_tpm});
  out.push_back({"tpm accept", "Expect what the device's TPM said last", {device}, accept_tpm});
}

}  // namespace holdfast::cli
