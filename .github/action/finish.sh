#!/usr/bin/env bash
# Ends the action with the exit code of btfbatch.
#
# Environment: CODE; empty if btfbatch was not started, because an earlier step failed.
set -euo pipefail
exit "${CODE:-1}"
