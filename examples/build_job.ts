/**
 * A compile job that can harm nothing: it reads the whole machine and can change none of it, its
 * source directory is an overlay whose changes are thrown away, and there is no network.
 *
 * Prints:
 *
 *     Hello from a program that was compiled in a container.
 *     In the job: build.log hello hello.c
 *     touch: cannot touch '/usr/mine': Read-only file system
 *     Network: lo
 *     Afterwards: hello.c
 */

import { bind, mapRoot, overlay, pivotRoot, recipe, tmpfs, unshare } from "../mod.ts";

const source = `${import.meta.dirname}/build_job`;

const job = recipe(
  unshare("user", "mount", "pid", "ipc", "net"),
  mapRoot(),
  bind("/", "/mnt", { readOnly: true }),
  tmpfs("/mnt/tmp"),
  overlay(`/mnt${source}`, { lower: [source], discard: true }),
  pivotRoot("/mnt"),
);

const script = `
  cc -Wall -o hello hello.c 2> build.log && ./hello
  echo In the job: *
  touch /usr/mine
  echo Network: $(tail -n +3 /proc/net/dev | cut -d: -f1)
`;
await job.command("sh", { args: ["-c", `exec 2>&1; ${script}`], cwd: source }).spawn().status;
await recipe().command("sh", { args: ["-c", "echo Afterwards: *"], cwd: source }).spawn().status;
