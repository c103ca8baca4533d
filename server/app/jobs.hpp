// The server's regular jobs, in one place: what runs how often.
#pragma once

#include "server/app/parts.hpp"

namespace holdfast::app {

Status add_jobs(Parts& parts, const config::Config& config);

}  // namespace holdfast::app
