/* The container of a box in C without a libc: the same calls in the same order as its table, for
   x86_64. -DFOUR makes four namespaces, otherwise it is the recipe of the README.
   cc -O2 -nostdlib -static -fno-stack-protector [-DFOUR] box.c; box PROGRAM ARGUMENTS... */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/futex.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define MS_NOSUID 2
#define MS_NODEV 4
#define MS_NOEXEC 8
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

static long sys(long number, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
  __asm__ volatile("syscall" : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}
#define CALL(name, ...) CALL_(name, ##__VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define CALL_(name, a, b, c, d, e, f, ...) \
  sys(SYS_##name, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

/* Makes a call in the container; one that fails ends it. */
static long must(long result) {
  if (result < 0) CALL(exit_group, 127);
  return result;
}

#ifdef FOUR
#define KINDS (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS)
#define NAME "box"
#else
#define KINDS (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET)
#define NAME "a-cooler-hostname"
#endif

static char cwd[4096];
static int alive = 1;

/* Writes "0 ID 1" and returns its length. */
static int map_text(char *to, unsigned id) {
  char digits[10];
  int count = 0, length = 0;
  do digits[count++] = '0' + id % 10; while (id /= 10);
  to[length++] = '0';
  to[length++] = ' ';
  while (count > 0) to[length++] = digits[--count];
  to[length++] = ' ';
  to[length++] = '1';
  return length;
}

static long open_at(long directory, const char *path, uint64_t flags, uint64_t resolve) {
  struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = resolve};
  return CALL(openat2, directory, path, &how, sizeof how);
}

static void write_file(long proc, const char *path, const char *text, int length) {
  long fd = must(open_at(proc, path, O_WRONLY, RESOLVE_BENEATH | RESOLVE_NO_XDEV));
  must(CALL(write, fd, text, length));
}

static void mount_on(const char *path, const char *type, int flags, const char *data) {
  long fd = must(open_at(AT_FDCWD, path, O_PATH | O_DIRECTORY, RESOLVE_NO_SYMLINKS));
  must(CALL(fchdir, fd));
  must(CALL(mount, type, ".", type, flags, data));
}

static void tie(void) {
  must(CALL(prctl, PR_SET_PDEATHSIG, SIGKILL));
  CALL(futex, &alive, FUTEX_CMP_REQUEUE_PRIVATE, 0, 0, &alive, 1);
}

static void container(char **argv, char **envp, unsigned uid, unsigned gid) {
  char text[32];
  long statfs[15], mask = 0;
  long umask = CALL(umask, 0);
  tie();
  struct mount_attr private = {.propagation = MS_PRIVATE};
  must(CALL(mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &private, sizeof private));
  long proc = must(open_at(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY, RESOLVE_NO_SYMLINKS));
  must(CALL(fstatfs, proc, statfs));
  if (statfs[0] != PROC_SUPER_MAGIC) CALL(exit_group, 127);
  write_file(proc, "self/setgroups", "deny", 4);
  write_file(proc, "self/uid_map", text, map_text(text, uid));
  write_file(proc, "self/gid_map", text, map_text(text, gid));
#ifndef FOUR
  mount_on("/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "size=10m");
#endif
  mount_on("/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, 0);
  must(CALL(sethostname, NAME, sizeof NAME - 1));
  long directory = CALL(getcwd, cwd, sizeof cwd) < 0
                       ? -1
                       : open_at(AT_FDCWD, cwd, O_PATH | O_DIRECTORY, RESOLVE_NO_MAGICLINKS);
  if (directory < 0 || CALL(fchdir, directory) < 0) must(CALL(chdir, "/"));
  CALL(umask, umask);
  tie();
  must(CALL(close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC));
  must(CALL(rt_sigprocmask, SIG_SETMASK, &mask, 0, 8));
  CALL(execve, argv[1], argv + 1, envp);
  CALL(exit_group, 127);
}

__asm__(".globl _start\n_start: mov %rsp, %rdi\n and $-16, %rsp\n call begin\n");

void begin(long *stack) {
  char **argv = (char **)(stack + 1), **envp = argv + *stack + 1;
  uint64_t all = ~0ull;
  int pid = 0, status;
  char info[128];
  unsigned uid = CALL(geteuid), gid = CALL(getegid);
  CALL(set_tid_address, &alive);
  CALL(rt_sigprocmask, SIG_SETMASK, &all, 0, 8);
  long cloned = CALL(clone, CLONE_VM | CLONE_VFORK | CLONE_PARENT_SETTID | KINDS | SIGCHLD, 0, &pid);
  if (cloned == 0) container(argv, envp, uid, gid);
  if (cloned < 0) CALL(exit_group, 125);
  for (;;) {
    long ended;
    while ((ended = CALL(wait4, -1, &status, 1 /* WNOHANG */, 0)) > 0)
      if (ended == cloned)
        CALL(exit_group, status & 127 ? 128 + (status & 127) : status >> 8 & 255);
    CALL(rt_sigtimedwait, &all, info, 0, 8);
  }
}
