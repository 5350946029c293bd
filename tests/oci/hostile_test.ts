/** A container against who runs further programs in it. */

import { assertEquals } from "@std/assert";
import { test } from "../support.ts";
import { Kitchen, noBusybox, until } from "./support.ts";

/** Runs programs by `exec` in a container that does nothing. */
async function execIn(
  kitchen: Kitchen,
  body: (exec: (...words: string[]) => ReturnType<Kitchen["bare"]>) => Promise<void>,
): Promise<void> {
  kitchen.configure("exec sleep 1000", (config) => {
    config.process.env = ["PATH=/bin"];
    // The programs of /bin are seen as they are here.
    config.root!.readonly = false;
  });
  const id = kitchen.id();
  const running = kitchen.start("--cgroup-manager=disabled", "run", id);
  await until(async () => (await kitchen.bare("state", id)).stdout.includes('"running"'));
  await body((...words) => {
    const signal = AbortSignal.timeout(20_000);
    return kitchen.callWith({ signal }, "--cgroup-manager=disabled", "exec", id, ...words);
  });
  await kitchen.bare("delete", "--force", id);
  await running.status;
}

test("exec makes Deno no program of the container (CVE-2019-5736)", async () => {
  using kitchen = new Kitchen();
  Deno.writeTextFileSync(kitchen.file("/bin/tool"), "#!/proc/self/exe\n", { mode: 0o755 });
  // Deno's executable would be started by what the container has in place of its loader.
  for (
    const [directory, name] of [["lib64", "ld-linux-x86-64.so.2"], ["lib", "ld-linux-aarch64.so.1"]]
  ) {
    Deno.mkdirSync(kitchen.file(`/${directory}`));
    Deno.copyFileSync("/bin/busybox", kitchen.file(`/${directory}/${name}`));
    Deno.chmodSync(kitchen.file(`/${directory}/${name}`), 0o755);
  }
  Deno.symlinkSync("/proc/self/exe", kitchen.file("/bin/link"));
  await execIn(kitchen, async (exec) => {
    for (const program of ["tool", "link"]) {
      // Deno's executable would end by SIGSEGV: busybox is no loader, but another program can be one.
      const { code, stderr } = await exec(program);
      assertEquals([code, /the program could not be started/.test(stderr)], [126, true], stderr);
    }
    assertEquals((await exec("echo", "dish")).stdout, "dish\n");
  });
}, noBusybox);

test("exec does not wait for a pipe that a container has in place of its users", async () => {
  using kitchen = new Kitchen();
  Deno.removeSync(kitchen.file("/etc/passwd"));
  new Deno.Command("mkfifo", { args: [kitchen.file("/etc/passwd")] }).outputSync();
  await execIn(kitchen, async (exec) => {
    assertEquals(await exec("sh", "-c", "echo $HOME"), { code: 0, stdout: "/\n", stderr: "" });
  });
}, noBusybox);
