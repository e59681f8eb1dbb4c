#include "broker/admin/routes.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "broker/admin/prometheus_text.h"

namespace sluice::admin {
namespace {

constexpr const char* kPlain = "text/plain; charset=utf-8";
constexpr const char* kJson = "application/json";

std::string readiness_json(const Readiness& readiness) {
  nlohmann::json capabilities = nlohmann::json::array();
  for (const Capability& capability : readiness.capabilities) {
    nlohmann::json entry = {{"name", capability.name}, {"ready", capability.ready}};
    if (!capability.detail.empty()) entry["detail"] = capability.detail;
    capabilities.push_back(std::move(entry));
  }
  const nlohmann::json body = {{"ready", readiness.ready}, {"capabilities", capabilities}};
  return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

/// Methods without a body: what else there is to read would be taken for the next request.
bool may_have_body(const httplib::Request& request) {
  return (request.method != "GET" && request.method != "HEAD") ||
         request.has_header("Content-Length") || request.has_header("Transfer-Encoding");
}

const char* reason_of(int status) {
  switch (status) {
    case 404:
      return "there is nothing at this path";
    case 405:
      return "this path is only read, with GET or HEAD";
    case 413:
      return "the request is larger than 64 KiB";
    case 414:
      return "the path is too long";
    case 500:
      return "the daemon failed to answer";
    default:
      return "the request cannot be understood";
  }
}

}  // namespace

Routes::Routes(Sources sources) : sources_(std::move(sources)) {
  set_payload_max_length(kRequestBytesMax);
  add("/metrics", [this](const httplib::Request&, httplib::Response& response) {
    response.set_content(prometheus_text(sources_.metrics()), kPrometheusContentType);
  });
  add("/livez", [](const httplib::Request&, httplib::Response& response) {
    response.set_content("alive\n", kPlain);
  });
  add("/readyz", [this](const httplib::Request&, httplib::Response& response) {
    const Readiness readiness = sources_.readiness();
    response.status = readiness.ready ? 200 : 503;
    response.set_content(readiness_json(readiness), kJson);
  });
  add("/api/status", [this](const httplib::Request&, httplib::Response& response) {
    response.set_content(sources_.status_json(), kJson);
  });
  set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
    return check_method(request, response);
  });
  // The cast names which of two overloads is meant.
  set_error_handler(HandlerWithResponse(
      [this](const httplib::Request&, httplib::Response& r) { return explain(r); }));
  set_exception_handler([](const httplib::Request&, httplib::Response& response,
                           const std::exception_ptr&) { response.status = 500; });
}

void Routes::add(const std::string& path, Handler handler) {
  paths_.push_back(path);
  Get(path, std::move(handler));
}

httplib::Server::HandlerResponse Routes::check_method(const httplib::Request& request,
                                                      httplib::Response& response) const {
  const bool known = std::find(paths_.begin(), paths_.end(), request.path) != paths_.end();
  if (request.method == "GET" || request.method == "HEAD" || !known) {
    return HandlerResponse::Unhandled;
  }
  response.status = 405;
  response.set_header("Allow", "GET, HEAD");
  return HandlerResponse::Handled;
}

httplib::Server::HandlerResponse Routes::explain(httplib::Response& response) const {
  if (!response.body.empty()) return HandlerResponse::Unhandled;
  std::string text = std::to_string(response.status) + ": " + reason_of(response.status) + "\n";
  if (response.status == 404) {
    text += "paths:";
    for (const std::string& path : paths_) text += " " + path;
    text += "\n";
  }
  response.set_content(text, kPlain);
  return HandlerResponse::Handled;
}

bool Routes::serve(ConnectionStream& stream, bool last) {
  bool closed = false;
  bool body = false;
  const bool ok = process_request(
      stream, last, closed, [&body](httplib::Request& request) { body = may_have_body(request); });
  return ok && !closed && !last && !body;
}

}  // namespace sluice::admin
