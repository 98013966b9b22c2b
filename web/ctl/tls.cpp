#include "web/ctl/tls.h"

#include <algorithm>
#include <climits>

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace runbookd::ctl {

namespace {

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct FreeLine {
  void operator()(SSL* line) const { SSL_free(line); }
};

std::string last_error() {
  auto const code = ERR_get_error();
  auto const* text = code == 0 ? nullptr : ERR_reason_error_string(code);
  return text == nullptr ? "the TLS connection broke" : text;
}

bool is_address(std::string const& host) {
  in6_addr ignored{};
  return inet_pton(AF_INET, host.c_str(), &ignored) == 1 ||
         inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
}

}  // namespace

struct TlsLine::State {
  std::unique_ptr<SSL_CTX, FreeContext> context{SSL_CTX_new(TLS_client_method())};
  std::unique_ptr<SSL, FreeLine> line;
  std::string trouble;  // before anything was sent
};

TlsLine::TlsLine(int descriptor, std::string const& host, std::string const& ca_file)
    : state_(std::make_unique<State>()) {
  auto* const context = state_->context.get();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  bool const trusts = ca_file.empty() ? SSL_CTX_set_default_verify_paths(context) == 1
                                      : SSL_CTX_load_verify_file(context, ca_file.c_str()) == 1;
  if (!trusts) {
    state_->trouble = "no certificate of an authority can be read from " +
                      (ca_file.empty() ? std::string("the system's folder") : ca_file);
    return;
  }
  state_->line.reset(SSL_new(context));
  auto* const line = state_->line.get();
  auto* const wanted = SSL_get0_param(line);
  if (is_address(host)) {
    X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str());
  } else {
    SSL_set1_host(line, host.c_str());
    // what the macro of that name does, without its cast
    SSL_ctrl(line, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(host.c_str()));
  }
  SSL_set_fd(line, descriptor);
  SSL_set_connect_state(line);
}

TlsLine::~TlsLine() = default;

TlsLine::Step TlsLine::step_of(int result) const {
  if (result > 0) {
    return {.size = static_cast<std::size_t>(result)};
  }
  switch (SSL_get_error(state_->line.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return {.waits = Waits::to_read};
    case SSL_ERROR_WANT_WRITE:
      return {.waits = Waits::to_write};
    case SSL_ERROR_ZERO_RETURN:
      return {.over = true};
    default: {
      auto const verdict = SSL_get_verify_result(state_->line.get());
      return {.trouble = verdict == X509_V_OK
                             ? last_error()
                             : std::string("the daemon's certificate is not trusted: ") +
                                   X509_verify_cert_error_string(verdict)};
    }
  }
}

TlsLine::Step TlsLine::greet() {
  if (!state_->trouble.empty()) {
    return {.trouble = state_->trouble};
  }
  ERR_clear_error();
  return step_of(SSL_connect(state_->line.get()));
}

TlsLine::Step TlsLine::send(std::string_view bytes) {
  ERR_clear_error();
  auto const size = static_cast<int>(std::min<std::size_t>(bytes.size(), INT_MAX));
  return step_of(SSL_write(state_->line.get(), bytes.data(), size));
}

TlsLine::Step TlsLine::receive(std::span<char> into) {
  ERR_clear_error();
  auto const size = static_cast<int>(std::min<std::size_t>(into.size(), INT_MAX));
  return step_of(SSL_read(state_->line.get(), into.data(), size));
}

}  // namespace runbookd::ctl
