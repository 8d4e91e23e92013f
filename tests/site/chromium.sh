#!/bin/sh
# A Chromium for the browser tests: the one that is there, else Debian's where we may install it, else Playwright's own.
for name in ${CHROMIUM:+"$CHROMIUM"} chromium chromium-browser google-chrome; do command -v "$name" >/dev/null && exit 0; done
if [ "$(id -u)" = 0 ] && grep -q '^ID=debian' /etc/os-release 2>/dev/null; then
  echo "installing Chromium"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq </dev/null && apt-get install -y -qq --no-install-recommends chromium </dev/null >/dev/null && exit 0
fi
exec .venv/bin/python -m playwright install chromium
