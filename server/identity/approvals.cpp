#include "server/identity/approvals.hpp"

#include "libs/crypto/hash.hpp"
#include "libs/wire/json.hpp"
#include "server/core/peer.hpp"
#include "server/identity/approval_rows.hpp"
#include "server/identity/csv.hpp"
#include "server/identity/json.hpp"
#include "server/identity/rules.hpp"

namespace holdfast::identity {
namespace {

constexpr std::array<std::string_view, kRequestStates.size()> kRequestNames{"waiting", "approved", "refused"};
constexpr std::size_t kSerialTextMax = 128;
constexpr Duration kRepeatKept = hours(24);

// Who asks has no name yet but the key that it showed.
core::Caller stranger(View key_hash, const std::string& host) {
  core::Caller caller;
  caller.kind = core::Caller::Kind::device;
  caller.id = "key:" + to_hex(key_hash);
  caller.name = "unknown device";
  caller.address = host;
  return caller;
}

Result<std::optional<Bytes>> key_column(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const auto bytes = from_hex(text);
  if (!bytes || bytes->size() != sizeof(crypto::Sha256)) {
    return fail(Code::invalid_argument, "key_sha256 has 64 hexadecimal digits");
  }
  return *bytes;
}

// "line=3;floor=1"
Result<devices::Tags> tags_column(std::string_view text) {
  devices::Tags out;
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find(';'));
    text.remove_prefix(std::min(text.size(), one.size() + 1));
    const std::size_t equals = one.find('=');
    const std::string key(one.substr(0, equals));
    out[key] = equals == std::string_view::npos ? "" : std::string(one.substr(equals + 1));
  }
  TRY(devices::check_tags(out));
  return out;
}

template <class IdType>
Result<std::optional<IdType>> id_column(std::string_view text) {
  if (text.empty()) return std::nullopt;
  return std::optional<IdType>(TRY(IdType::parse(text)));
}

using Columns = std::map<std::string, std::size_t, std::less<>>;

Result<Registration> registration_of(const Columns& columns, const CsvRow& row) {
  const auto field = [&](std::string_view name) -> std::string_view {
    const auto at = columns.find(name);
    return at == columns.end() || at->second >= row.fields.size() ? std::string_view() : row.fields[at->second];
  };
  if (!row.error.empty()) return fail(Code::invalid_argument, row.error);
  if (row.fields.size() > columns.size()) return fail(Code::invalid_argument, "more fields than the first line has");
  Registration out;
  out.serial = field("serial");
  if (out.serial.empty() || out.serial.size() > kSerialTextMax) {
    return fail(Code::invalid_argument, "a serial has 1 to 128 bytes");
  }
  if (out.serial == "*") return fail(Code::invalid_argument, "a pattern of all serials lets everybody in");
  out.key_hash = TRY(key_column(field("key_sha256")));
  if (out.key_hash && out.pattern()) return fail(Code::invalid_argument, "a key fits one serial, not a pattern");
  out.place.name = field("name");
  if (!out.place.name.empty()) TRY(devices::check_name(out.place.name));
  out.place.site = TRY(id_column<SiteId>(field("site_id")));
  out.place.type = TRY(id_column<TypeId>(field("type_id")));
  out.place.tags = TRY(tags_column(field("tags")));
  return out;
}

}  // namespace

std::string_view name_of(RequestState state) { return kRequestNames[static_cast<std::size_t>(state)]; }

std::optional<RequestState> request_state_named(std::string_view name) {
  for (const RequestState state : kRequestStates) {
    if (name_of(state) == name) return state;
  }
  return std::nullopt;
}

std::vector<Registration> read_registrations(std::string_view csv, std::vector<ImportProblem>& problems,
                                             std::vector<std::size_t>& lines) {
  std::vector<Registration> out;
  const auto rows = parse_csv(csv, kRegistrationRowsMax + 1);
  Columns columns;
  if (!rows.empty()) {
    for (std::size_t i = 0; i < rows[0].fields.size(); ++i) columns.emplace(rows[0].fields[i], i);
  }
  for (const auto& [name, at] : columns) {
    const bool known = name == "serial" || name == "key_sha256" || name == "name" || name == "site_id" ||
                       name == "type_id" || name == "tags";
    if (!known) problems.push_back({1, "there is no column \"" + name + "\""});
  }
  if (!columns.contains("serial")) problems.push_back({1, "the first line names the columns; \"serial\" is missing"});
  if (!problems.empty()) return out;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    auto one = registration_of(columns, rows[i]);
    if (one) {
      out.push_back(*std::move(one));
      lines.push_back(rows[i].line);
    } else {
      problems.push_back({rows[i].line, one.error().text()});
    }
  }
  return out;
}

Approvals::Approvals(core::Store& store, devices::Service& devices, Metrics& metrics, Issue issue)
    : store_(store),
      devices_(devices),
      issue_(std::move(issue)),
      waiting_(metrics.counter("holdfast_identity_enrolments_waiting_total", "Unknown devices that were told to wait")),
      let_in_(metrics.counter("holdfast_identity_enrolments_approved_total", "Unknown devices that were let in")),
      refused_(metrics.counter("holdfast_identity_enrolments_turned_away_total", "Questions of unknown devices refused")) {}

// ---- the device's side

Result<Waited> Approvals::enrol(View csr_der, std::string_view peer_address) {
  if (!open_) return fail(Code::unauthenticated, "send the claim: HTTP Basic, user `claim`, password the claim");
  const std::string host = core::host_of(peer_address);
  const auto csr = TRY(crypto::parse_csr(csr_der));
  const Bytes key_hash = crypto::hash(crypto::Digest::sha256, csr.key.spki_der());
  const Bytes csr_hash = crypto::hash(crypto::Digest::sha256, csr.der);
  Waited out;
  const Status done = store_.record(stranger(key_hash, host), "device.enrolled", [&](core::Change& change) {
    out = {};
    return attend(change, csr, csr_hash, host, out);
  });
  if (!done) {
    refused_.add();
    return std::unexpected(done.error());
  }
  if (!out.certificate) waiting_.add();
  return out;
}

Status Approvals::attend(core::Change& change, const crypto::Csr& csr, View csr_hash, const std::string& host, Waited& out) {
  const Bytes key_hash = crypto::hash(crypto::Digest::sha256, csr.key.spki_der());
  auto request = TRY(find_request(change.tx(), key_hash));
  const bool first = !request;
  if (first) {
    if (TRY(count_requests(change.tx(), RequestState::waiting)) >= kWaitingMax) {
      return fail(Code::overloaded, "too many devices wait for an approval");
    }
    const MonoTime now = store_.clock().mono();
    TRY(limit_.check(host, now));
    limit_.failed(host, now);
    request = EnrolmentRequest{};
    request->key_hash = key_hash;
    request->first_at = change.now();
    request->key_algorithm = csr.key.name();
  }
  request->serial = std::string(serial_of(csr)).substr(0, kSerialTextMax);
  request->name = csr.subject_cn.substr(0, devices::kNameBytesMax);
  request->address = host;
  request->last_at = change.now();
  ++request->asked;
  if (request->state == RequestState::waiting) {
    const auto announced = TRY(matching_registration(change.tx(), request->serial, key_hash));
    if (announced) {
      request->state = RequestState::approved;
      request->place = announced->place;
      request->decided_by = announced->created_by;
      request->decided_at = change.now();
      request->reason = "announced as " + announced->serial;
      out.certificate = TRY(let_in(change, *request, csr, csr_hash));
      if (!announced->pattern()) TRY(use_registration(change.tx(), announced->serial, *request->device));
      return put_request(change.tx(), *request);
    }
  }
  if (request->state == RequestState::approved) out.certificate = TRY(let_in(change, *request, csr, csr_hash));
  TRY(put_request(change.tx(), *request));
  if (request->state == RequestState::refused) {
    return fail(Code::forbidden, "an operator has refused this device: " + request->reason);
  }
  out.retry_after = kAskAgain;
  if (!first || out.certificate) return {};
  return change.notice("enrolment.waiting", wire::json_text(wire::JsonObject{{"key_sha256", to_hex(key_hash)},
                                                                             {"serial", request->serial},
                                                                             {"address", host}}));
}

Result<Bytes> Approvals::let_in(core::Change& change, EnrolmentRequest& request, const crypto::Csr& csr, View csr_hash) {
  if (request.device) {  // it was let in: only a lost reply is answered again
    const auto before = TRY(find_by_csr(change.tx(), *request.device, csr_hash, change.now() - kRepeatKept));
    if (before) return before->der;
    return fail(Code::already_exists, "this key has a certificate: renew it by simplereenroll");
  }
  devices::NewDevice wanted;
  wanted.name = request.place.name.empty() ? request.name : request.place.name;
  wanted.serial = request.serial;
  wanted.type = request.place.type;
  wanted.site = request.place.site;
  wanted.tags = request.place.tags;
  wanted.evidence = devices::EvidenceClass::software;
  const DeviceId device = TRY(devices_.create(change, wanted));
  TRY(devices_.set_state(change, device, devices::State::enrolled, "approved"));
  const IssuedCertificate issued = TRY(issue_(change, device, csr, csr_hash));
  request.device = device;
  let_in_.add();
  TRY(change.audit(device.text(), "", wire::json_text(request_json(request))));
  TRY(tell_issued(change, issued, wanted.site));
  return issued.der;
}

// ---- operators

Result<std::vector<EnrolmentRequest>> Approvals::requests(const core::Caller& caller, const Query& query) {
  const auto scope = TRY(core::site_filter(caller, "claim.read", "x.site_id"));
  std::vector<EnrolmentRequest> found;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    found = TRY(list_requests(tx, query, scope));
    return {};
  }));
  return found;
}

Result<EnrolmentRequest> Approvals::decide(const core::Caller& caller, std::string_view action, View key_hash,
                                           const std::function<Status(core::Change&, EnrolmentRequest&)>& decision) {
  EnrolmentRequest after;
  TRY(store_.change(caller, action, [&](core::Change& change) -> Status {
    auto request = TRY(find_request(change.tx(), key_hash));
    if (!request) return std::unexpected(core::refuse_missing(caller, "claim.write", "no such device waits"));
    TRY(core::require_at(caller, "claim.write", request->place.site));
    if (request->device) return fail(Code::conflict, "it has its certificate already: revoke the device instead");
    const std::string before = wire::json_text(request_json(*request));
    TRY(decision(change, *request));
    request->decided_by = caller.id;
    request->decided_at = change.now();
    TRY(put_request(change.tx(), *request));
    after = *request;
    TRY(change.audit("key:" + to_hex(key_hash), before, wire::json_text(request_json(after))));
    return change.notice("enrolment.decided",
                         wire::json_text(wire::JsonObject{{"key_sha256", to_hex(key_hash)}, {"state", name_of(after.state)}}),
                         after.place.site);
  }));
  return after;
}

Result<EnrolmentRequest> Approvals::approve(const core::Caller& caller, View key_hash, const Place& place) {
  TRY(core::require_at(caller, "claim.write", place.site));
  if (!place.name.empty()) TRY(devices::check_name(place.name));
  TRY(devices::check_tags(place.tags));
  return decide(caller, "approve_enrolment", key_hash, [&](core::Change&, EnrolmentRequest& request) -> Status {
    request.state = RequestState::approved;
    request.place = place;
    request.reason.clear();
    return {};
  });
}

Result<EnrolmentRequest> Approvals::refuse(const core::Caller& caller, View key_hash, const std::string& reason) {
  if (reason.empty() || reason.size() > 500) {
    return std::unexpected(Error{Code::invalid_argument, "say why, in 1 to 500 bytes", {}, {}, "/reason"});
  }
  return decide(caller, "refuse_enrolment", key_hash, [&](core::Change&, EnrolmentRequest& request) -> Status {
    request.state = RequestState::refused;
    request.reason = reason;
    return {};
  });
}

Result<Imported> Approvals::import(const core::Caller& caller, std::string_view csv, bool only_check) {
  TRY(core::require(caller, "claim.write"));
  Imported out;
  std::vector<std::size_t> lines;
  const auto wanted = read_registrations(csv, out.problems, lines);
  if (out.problems.empty() || !wanted.empty()) {
    const auto act = [&](core::Change& change) -> Status {
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        Registration one = wanted[i];
        const auto allowed = core::require_at(caller, "claim.write", one.place.site);
        const auto taken = TRY(find_registration(change.tx(), one.serial));
        if (!allowed || taken) {
          out.problems.push_back({lines[i], taken ? "the serial is registered already" : allowed.error().text()});
          continue;
        }
        one.created_by = caller.id;
        one.created_at = change.now();
        ++out.added;
        if (!only_check) TRY(insert_registration(change.tx(), one));
      }
      return change.audit("registrations", "",
                          wire::json_text(wire::JsonObject{{"added", only_check ? 0 : out.added},
                                                           {"problems", out.problems.size()}}));
    };
    const std::size_t problems_before = out.problems.size();
    Status done = store_.change(caller, "import_registrations", [&](core::Change& change) {
      out.added = 0;
      out.problems.resize(problems_before);
      return act(change);
    });
    if (!done && done.error().code == Code::conflict) {
      return std::unexpected(Error{Code::invalid_argument, "a line names a site or type that is not there", {}, {}, "/csv"});
    }
    TRY(done);
  }
  std::ranges::sort(out.problems, {}, &ImportProblem::line);
  return out;
}

Result<std::vector<Registration>> Approvals::registrations(const core::Caller& caller, std::string_view after,
                                                           std::size_t limit) {
  const auto scope = TRY(core::site_filter(caller, "claim.read", "x.site_id"));
  std::vector<Registration> found;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    found = TRY(list_registrations(tx, after, limit, scope));
    return {};
  }));
  return found;
}

Status Approvals::forget_registration(const core::Caller& caller, const std::string& serial) {
  return store_.change(caller, "delete_registration", [&](core::Change& change) -> Status {
    const auto found = TRY(find_registration(change.tx(), serial));
    if (!found) return std::unexpected(core::refuse_missing(caller, "claim.write", "no such serial is registered"));
    TRY(core::require_at(caller, "claim.write", found->place.site));
    TRY(delete_registration(change.tx(), serial));
    return change.audit("registration:" + serial, wire::json_text(registration_json(*found)), "");
  });
}

}  // namespace holdfast::identity
