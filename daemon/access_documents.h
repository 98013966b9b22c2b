// Tokens as the API shows them. Neither the secret nor its hash is ever among it, but for the text
// of a new one.
#pragma once

#include <string>
#include <vector>

#include "store/tokens.h"

namespace runbookd::daemon {

std::string token_json(store::StoredToken const& token);
std::string new_token_json(store::StoredToken const& token, std::string const& text);
// What asks for a new one.
std::string token_request_json(std::string const& principal, std::string const& name,
                               std::string const& lasts, std::vector<std::string> const& roles);
std::string token_list_json(std::vector<store::StoredToken> const& tokens);

}  // namespace runbookd::daemon
