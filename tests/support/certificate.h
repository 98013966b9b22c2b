// A certificate that signs itself, made by the openssl program.
#pragma once

#include <cstdlib>
#include <stdexcept>
#include <string>

namespace runbookd::testing {

struct Certificate {
  std::string file, key;
};

// `names` as in a certificate: "IP:127.0.0.1,DNS:db.example".
inline Certificate make_certificate(std::string const& folder, std::string const& called,
                                    std::string const& names) {
  Certificate made{.file = folder + "/" + called + ".pem", .key = folder + "/" + called + ".key"};
  auto const command =
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "
      "/CN=" +
      called + " -addext subjectAltName=" + names + " -out " + made.file + " -keyout " + made.key +
      " 2> /dev/null";
  if (std::system(command.c_str()) != 0) {
    throw std::runtime_error("openssl made no certificate in " + folder);
  }
  return made;
}

}  // namespace runbookd::testing
