/**
 * A pod, as Kubernetes has them: containers that share their user, network, IPC and UTS namespaces,
 * while each has its own mounts and processes. The first one does nothing but hold what is shared;
 * the others come and go in it. See namespaces(7), and pause.c of Kubernetes.
 *
 * Prints:
 *
 *     The shop and the kitchen share:  user uts ipc net
 *     The shop and the kitchen do not: mount pid
 *     The shop is PID 1 of pod at 10.1.0.5, and leaves an order in shared memory
 *     The kitchen is PID 1 of pod at 10.1.0.5, and finds 1 order
 *     The kitchen sees the files of the shop: false
 */
// deno-lint-ignore-file no-console

import {
  address,
  bridge,
  hostname,
  join,
  mapRoot,
  type NamespaceKind,
  proc,
  type Recipe,
  recipe,
  tmpfs,
  unshare,
} from "../mod.ts";

const shared: NamespaceKind[] = ["user", "uts", "ipc", "net"];
const own: NamespaceKind[] = ["mount", "pid"];

const sandbox = recipe(
  unshare(...shared),
  mapRoot(),
  hostname("pod"),
  bridge("pod0"),
  address("pod0", "10.1.0.5/24"),
);
await using pause = sandbox.command("sleep", { args: ["infinity"] }).spawn();

const member = recipe(join(pause, ...shared), unshare(...own), proc(), tmpfs("/tmp"));

await using shop = member.command("sleep", { args: ["infinity"] }).spawn();
await using kitchen = member.command("sleep", { args: ["infinity"] }).spawn();
const shares = (kind: NamespaceKind) => shop.namespaces[kind] === kitchen.namespaces[kind];
console.log("The shop and the kitchen share: ", shared.filter(shares).join(" "));
console.log("The shop and the kitchen do not:", own.filter((kind) => !shares(kind)).join(" "));

const who = "is PID $$ of $(hostname) at $(hostname -I | tr -d ' ')";
await shell(
  member,
  `ipcmk -M 64 > /tmp/order; echo "The shop ${who}, and leaves an order in shared memory"`,
);
await shell(member, `echo "The kitchen ${who}, and finds $(ipcs -m | grep -c 0x) order"`);
await shell(
  member,
  'echo "The kitchen sees the files of the shop: $([ -e /tmp/order ] && echo true || echo false)"',
);

async function shell(box: Recipe, script: string): Promise<void> {
  await box.command("sh", { args: ["-c", script] }).spawn().status;
}
