#include "server/devices/rules.hpp"

#include <algorithm>

namespace holdfast::devices {
namespace {

struct Names {
  State state;
  std::string_view name;
};
constexpr std::array kStateNames{
    Names{State::unmanaged, "unmanaged"},     Names{State::registered, "registered"},
    Names{State::enrolled, "enrolled"},       Names{State::active, "active"},
    Names{State::quarantined, "quarantined"}, Names{State::decommissioned, "decommissioned"},
};

struct EvidenceNames {
  EvidenceClass evidence;
  std::string_view name;
};
constexpr std::array kEvidenceNames{
    EvidenceNames{EvidenceClass::hardware_attested, "hardware-attested"},
    EvidenceNames{EvidenceClass::hardware_asserted, "hardware-asserted"},
    EvidenceNames{EvidenceClass::software, "software"},
    EvidenceNames{EvidenceClass::claim, "claim"},
};

struct Move {
  State from, to;
};
constexpr std::array kMoves{
    Move{State::unmanaged, State::registered},      Move{State::unmanaged, State::decommissioned},
    Move{State::registered, State::enrolled},       Move{State::registered, State::quarantined},
    Move{State::registered, State::decommissioned}, Move{State::enrolled, State::active},
    Move{State::enrolled, State::quarantined},      Move{State::enrolled, State::decommissioned},
    Move{State::active, State::quarantined},        Move{State::active, State::enrolled},
    Move{State::active, State::decommissioned},     Move{State::quarantined, State::active},
    Move{State::quarantined, State::enrolled},      Move{State::quarantined, State::decommissioned},
};

bool control_character(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7F;
}

bool alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::unexpected<Error> wrong(std::string message, std::string pointer) {
  return std::unexpected(
      Error{Code::invalid_argument, std::move(message), {}, {}, std::move(pointer)});
}

}  // namespace

std::string_view name_of(State state) {
  for (const Names& row : kStateNames) {
    if (row.state == state) return row.name;
  }
  return "unmanaged";
}

std::optional<State> state_named(std::string_view name) {
  for (const Names& row : kStateNames) {
    if (row.name == name) return row.state;
  }
  return std::nullopt;
}

std::string_view name_of(EvidenceClass evidence) {
  for (const EvidenceNames& row : kEvidenceNames) {
    if (row.evidence == evidence) return row.name;
  }
  return "claim";
}

bool satisfies(EvidenceClass held, std::optional<EvidenceClass> demanded) {
  return !demanded || held <= *demanded;  // strongest first
}

std::optional<EvidenceClass> evidence_named(std::string_view name) {
  for (const EvidenceNames& row : kEvidenceNames) {
    if (row.name == name) return row.evidence;
  }
  return std::nullopt;
}

bool may_follow(State from, State to) {
  return std::any_of(kMoves.begin(), kMoves.end(),
                     [&](const Move& move) { return move.from == from && move.to == to; });
}

Status require_move(State from, State to) {
  if (may_follow(from, to)) return {};
  return fail(Code::conflict, "a device that is " + std::string(name_of(from)) + " cannot become " +
                                  std::string(name_of(to)));
}

State after_release(bool ever_connected) {
  return ever_connected ? State::active : State::enrolled;
}

Status check_name(std::string_view name, std::string_view pointer) {
  if (name.empty() || name.size() > kNameBytesMax) {
    return wrong("a name has 1 to 128 bytes", std::string(pointer));
  }
  if (std::any_of(name.begin(), name.end(), control_character)) {
    return wrong("a name holds no control characters", std::string(pointer));
  }
  return {};
}

std::string suggested_name(std::string_view wanted, std::string_view fallback) {
  std::string name;
  for (const char c : wanted) {
    if (!control_character(c)) name += c;
  }
  if (name.size() > kNameBytesMax) {
    std::size_t end = kNameBytesMax;
    while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0U) == 0x80U) --end;
    name.resize(end);
  }
  return name.empty() ? std::string(fallback) : name;
}

Status check_tag(std::string_view key, std::string_view value) {
  const bool key_fine =
      !key.empty() && key.size() <= kTagKeyBytesMax && alphanumeric(key.front()) &&
      std::all_of(key.begin(), key.end(),
                  [](char c) { return alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
  if (!key_fine) {
    return wrong("a tag's key starts with a letter or digit and has 1 to 64 of A-Z a-z 0-9 . _ -",
                 "/tags/" + std::string(key.substr(0, kTagKeyBytesMax)));
  }
  if (value.size() > kTagValueBytesMax)
    return wrong("a tag's value has at most 256 bytes", "/tags/" + std::string(key));
  return {};
}

Status check_tags(const Tags& tags) {
  if (tags.size() > kTagsMax) return wrong("a device has at most 64 tags", "/tags");
  for (const auto& [key, value] : tags) TRY(check_tag(key, value));
  return {};
}

Status check_reason(std::string_view reason) {
  if (reason.empty() || reason.size() > kReasonBytesMax)
    return wrong("say why, in 1 to 500 bytes", "/reason");
  return {};
}

}  // namespace holdfast::devices
