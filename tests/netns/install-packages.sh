#!/bin/sh
# Install the lab's Debian packages. Idempotent; as anyone but root it only says what is missing (exit 1 then).
# No daemon is started: the lab runs its own, in its own namespaces.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
missing=
for package in $(grep -v '^#' "$here/debian-packages.txt"); do
    state=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
    [ "$state" = "install ok installed" ] || missing="$missing $package"
done
if [ -z "$missing" ]; then
    echo "lab packages: all there"
    exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "lab packages missing:$missing" >&2
    echo "as root: apt-get install --no-install-recommends$missing" >&2
    exit 1
fi

policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    # invoke-rc.d asks this file whether a service may start; 101 means no.
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 0755 "$policy"
    trap 'rm -f "$policy"' EXIT INT TERM HUP
fi
# shellcheck disable=SC2086 # one word per package is meant
install="apt-get install -y -q --no-install-recommends $missing"
DEBIAN_FRONTEND=noninteractive $install || {
    apt-get update -q
    DEBIAN_FRONTEND=noninteractive $install
}
echo "lab packages installed:$missing"
