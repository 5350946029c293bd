/*
 * Launches a program many times and prints how long each launch took, in nanoseconds, a line each:
 * from before the clone until the program has been waited for. See launch.ts.
 *
 *   launch COUNT null|pipe own NAMESPACES PROGRAM   namespaces made here: 0, 4 or 7 of them
 *   launch COUNT null|pipe run PROGRAM ARGUMENT...  a program that makes them, by posix_spawn(3)
 *
 * With "null" the standard streams are /dev/null; with "pipe" standard output is a pipe that is
 * read to its end. A peer keeps standard error, to say why it fails.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static int namespaces;
static char **program;
static char uid_map[32], gid_map[32];
static int output[2] = { -1, -1 };
static const char *volatile failed_call;
static volatile int failed_errno;

static void fail(const char *call) {
  failed_call = call;
  failed_errno = errno;
  _exit(127);
}

static void write_file(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write(fd, text, strlen(text)) < 0 || close(fd) < 0) fail(path);
}

/* Runs in the memory of the parent, which sleeps until the execve. */
static int container(void *old_mask) {
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) fail("open");
  if (namespaces > 0) {
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) fail("mount /");
    write_file("/proc/self/setgroups", "deny");
    write_file("/proc/self/uid_map", uid_map);
    write_file("/proc/self/gid_map", gid_map);
    if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0) fail("mount");
    if (sethostname("box", 3) < 0) fail("sethostname");
  }
  if (dup2(null, 0) < 0 || dup2(output[1] < 0 ? null : output[1], 1) < 0 || dup2(null, 2) < 0) {
    fail("dup2");
  }
  if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0) fail("close_range");
  if (sigprocmask(SIG_SETMASK, old_mask, NULL) < 0) fail("sigprocmask");
  execve(program[0], program, environ);
  fail("execve");
  return 0;
}

static pid_t launch_own(void) {
  static char stack[64 * 1024] __attribute__((aligned(16)));
  int flags = CLONE_VM | CLONE_VFORK | SIGCHLD;
  if (namespaces >= 4) flags |= CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS;
  if (namespaces >= 7) flags |= CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP;
  sigset_t all, old;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &old);
  pid_t pid = clone(container, stack + sizeof stack, flags, &old);
  sigprocmask(SIG_SETMASK, &old, NULL);
  return pid;
}

static pid_t launch_peer(void) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
  if (output[1] < 0) posix_spawn_file_actions_adddup2(&actions, 0, 1);
  else posix_spawn_file_actions_adddup2(&actions, output[1], 1);
  pid_t pid;
  int error = posix_spawn(&pid, program[0], &actions, NULL, program, environ);
  posix_spawn_file_actions_destroy(&actions);
  errno = error;
  return error == 0 ? pid : -1;
}

static long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void die(const char *what) {
  perror(what);
  exit(1);
}

int main(int argc, char **argv) {
  if (argc < 5) return 2;
  int count = atoi(argv[1]);
  int piped = strcmp(argv[2], "pipe") == 0;
  int own = strcmp(argv[3], "own") == 0;
  if (own) namespaces = atoi(argv[4]);
  program = argv + (own ? 5 : 4);
  snprintf(uid_map, sizeof uid_map, "0 %d 1\n", (int)geteuid());
  snprintf(gid_map, sizeof gid_map, "0 %d 1\n", (int)getegid());

  long long *times = calloc(count, sizeof *times);
  for (int i = 0; i < count; i++) {
    long long begin = now();
    if (piped && pipe2(output, O_CLOEXEC) < 0) die("pipe2");
    pid_t pid = own ? launch_own() : launch_peer();
    if (pid < 0) die(own ? "clone" : program[0]);
    if (piped) {
      char buffer[65536];
      close(output[1]);
      while (read(output[0], buffer, sizeof buffer) > 0);
      close(output[0]);
    }
    int status;
    if (waitpid(pid, &status, 0) < 0) die("waitpid");
    times[i] = now() - begin;
    if (status != 0) {
      if (failed_call) fprintf(stderr, "%s: %s\n", failed_call, strerror(failed_errno));
      fprintf(stderr, "%s: wait status %d\n", program[0], status);
      return 1;
    }
  }
  for (int i = 0; i < count; i++) printf("%lld\n", times[i]);
  return 0;
}
