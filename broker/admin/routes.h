// routes.h: which path answers what?
//
// Thread:   set up by one thread, then serves on any.
// Tests:    tests/integration/admin/http_server_test.cc

#pragma once

#include <httplib.h>

#include "broker/admin/connection_stream.h"
#include "broker/admin/http_server.h"

namespace sluice::admin {

/// The HTTP library as a parser of requests and a table of paths; it opens no socket of its own.
class Routes : private httplib::Server {
 public:
  explicit Routes(Sources sources);

  /// Reads one request from `stream` and answers it. True when the connection can take another.
  bool serve(ConnectionStream& stream, bool last);

 private:
  void add(const std::string& path, Handler handler);
  HandlerResponse check_method(const httplib::Request& request, httplib::Response& response) const;
  /// Gives an error without a body one.
  HandlerResponse explain(httplib::Response& response) const;

  Sources sources_;
  std::vector<std::string> paths_;
};

}  // namespace sluice::admin
