#!/usr/bin/env bash
# A rule of seccomp without conditions takes the place of those with conditions, in either order.
#
# Versions: libseccomp 2.5.4-1+deb12u1 (Debian 12), by which runc and crun make their filters. Needs gcc.
#
# A good guess: of several rules for one call, as a list in "syscalls" of linux.seccomp (runtime-spec)
# may have them, each whose conditions hold counts, or the first one, or the strictest; so a rule that
# answers one argument with EPERM goes on to do so beside a rule that answers all others with ENOSYS.
# No: the second removes the first from the filter, without an error, whichever was added first.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"; mkdir -p debs tree
apt-get install --reinstall --download-only -qq -y --no-install-recommends \
  -o Dir::Cache::archives="$work/debs" -o Debug::NoLocking=1 \
  libseccomp-dev=2.5.4-1+deb12u1 libseccomp2=2.5.4-1+deb12u1 >/dev/null 2>&1
for deb in debs/libseccomp*.deb; do dpkg-deb -x "$deb" tree; done

cat > rules.c <<'C'
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/personality.h>

static scmp_filter_ctx filter;

static void one(void) { /* an argument of its own: EPERM */
  if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(personality), 1,
                       SCMP_A0(SCMP_CMP_EQ, 0x1234)) != 0) exit(2);
}

static void all(void) { /* whatever the argument: ENOSYS */
  if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(personality), 0) != 0) exit(3);
}

int main(int argc, char **argv) {
  filter = seccomp_init(SCMP_ACT_ALLOW);
  for (int at = 1; at < argc; at++) (argv[at][0] == 'o' ? one : all)();
  if (seccomp_load(filter) != 0) return 4;
  printf("%s", personality(0x1234) == -1 && errno == EPERM ? "EPERM" : errno == ENOSYS ? "ENOSYS" : "none");
  return 0;
}
C
lib=tree/usr/lib/$(uname -m)-linux-gnu
gcc -o rules rules.c -I tree/usr/include "$lib/libseccomp.a"
alone=$(./rules one); after=$(./rules one all); before=$(./rules all one)
echo "alone: $alone; with a rule for all behind it: $after; before it: $before"
[[ "$alone $after $before" = "EPERM ENOSYS ENOSYS" ]] || { echo "libseccomp has changed"; exit 1; }
echo "holds: the rule without conditions is the only one"
