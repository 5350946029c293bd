#!/usr/bin/env bash
# A path of 256 bytes can be mounted by mount(2) and not by fsconfig(2).
#
# Versions: seen on Linux 6.18; python3 3.11.2-1+b1 of Debian 12 makes the calls. Needs root.
#
# A good guess: fsopen(2) and fsconfig(2) take what mount(2) took in its one page of options, and
# more, as each option is a call of its own: so a long `lowerdir` of an overlay goes in parts
# (`lowerdir+`, Linux 6.7), each up to PATH_MAX. A string of fsconfig(2) has at most 255 bytes, and
# one more is EINVAL, with nothing to read at the descriptor about it. Directories of container
# engines are often longer: mount(2) takes a path of up to 4095 bytes.
set -euo pipefail
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cat > "$work/try.py" <<'PY'
import ctypes, errno, os, sys
libc = ctypes.CDLL(None, use_errno=True)
FSOPEN, FSCONFIG, SET_STRING = 430, 431, 1
def call(*a):
    r = libc.syscall(*a)
    return r if r >= 0 else -ctypes.get_errno()
def option(length):
    fd = call(FSOPEN, b"overlay", 1)
    if fd < 0: return errno.errorcode[-fd]
    path = b"/" + b"d" * (length - 1)
    result = call(FSCONFIG, fd, SET_STRING, b"source", path, 0)
    try: said = os.read(fd, 200).decode().strip()
    except OSError: said = "nothing"
    os.close(fd)
    return ("taken" if result == 0 else errno.errorcode[-result]) + ", " + said + " said"
def mounted(length):
    lower = (sys.argv[1] + "/lower/").ljust(length, "d"); os.makedirs(lower)
    target, other = sys.argv[1] + "/target", sys.argv[1] + "/other"
    os.makedirs(target); os.makedirs(other)
    data = f"lowerdir={lower}:{other}".encode()
    return "mounted" if libc.mount(b"none", target.encode(), b"overlay", 0, data) == 0 else "failed"
print("255 bytes:", option(255)); print("256 bytes:", option(256)); print("mount(2), 256:", mounted(256))
PY
out=$(unshare --mount python3 "$work/try.py" "$work"); echo "$out"
[ "$out" = "255 bytes: taken, nothing said
256 bytes: EINVAL, nothing said
mount(2), 256: mounted" ] || { echo "the kernel has changed"; exit 1; }
echo "holds: an option of fsconfig(2) has at most 255 bytes"
