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

// One that was good for a month in 2020.
inline Certificate make_expired_certificate(std::string const& folder, std::string const& called) {
  Certificate made{.file = folder + "/" + called + ".pem", .key = folder + "/" + called + ".key"};
  auto const command =
      "cd " + folder + " && : > index.txt && printf '[ca]\\ndefault_ca = d\\n[d]\\n" +
      "new_certs_dir = .\\ndatabase = index.txt\\nrand_serial = yes\\ndefault_md = sha256\\n" +
      "policy = p\\n[p]\\ncommonName = supplied\\n' > ca.cnf && openssl req -new -newkey ec "
      "-pkeyopt " +
      "ec_paramgen_curve:prime256v1 -nodes -subj /CN=" + called + " -keyout " + made.key +
      " -out request.pem 2> /dev/null && openssl ca -selfsign -batch -notext -config ca.cnf -in "
      "request.pem -keyfile " +
      made.key + " -startdate 20200101000000Z -enddate 20200201000000Z -out " + made.file +
      " 2> /dev/null";
  if (std::system(command.c_str()) != 0) {
    throw std::runtime_error("openssl made no expired certificate in " + folder);
  }
  return made;
}

}  // namespace runbookd::testing
