/**
 * A filesystem in memory that only the container sees, and that takes 10 MB and not more. The
 * host's list of mounts does not change. See mount_namespaces(7) and tmpfs(5).
 *
 * Prints:
 *
 *     Inside, /mnt is a tmpfs with rw,size=10240k...
 *     Outside, /mnt is no mount.
 *     head: error writing 'standard output': No space left on device
 *     The file has 10485760 bytes.
 */
// deno-lint-ignore-file no-console

import { mapRoot, mountsOf, recipe, tmpfs, unshare } from "../mod.ts";

const box = recipe(unshare("user", "mount"), mapRoot(), tmpfs("/mnt", { size: "10m" }));

{
  await using container = box.command("sleep", { args: ["infinity"] }).spawn();
  const inside = mountsOf(container).find(({ target }) => target === "/mnt");
  const outside = mountsOf().find(({ target }) => target === "/mnt");
  console.log(`Inside, /mnt is a ${inside?.type} with ${inside?.data}`);
  console.log(`Outside, /mnt is ${outside === undefined ? "no mount" : outside.type}.`);
}

const script = `
  head -c 11M /dev/zero > /mnt/file
  echo "The file has $(stat -c %s /mnt/file) bytes."
`;
await box.command("sh", { args: ["-c", `exec 2>&1; ${script}`] }).spawn().status;
