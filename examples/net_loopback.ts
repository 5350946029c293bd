/**
 * A new network namespace has one interface, lo, and that is down: one cannot even talk to oneself.
 * Others come in by being moved there, and are missing then where they were. When the namespace
 * ends, a network card goes back to the machine, and a virtual interface, as here, ends too. See
 * network_namespaces(7).
 *
 * Prints:
 *
 *     A new network: lo
 *         to 127.0.0.1: Network is unreachable
 *     With loopback(): lo
 *         to 127.0.0.1: Connection refused
 *     A network with a cable: lo card
 *     The cable has moved to another: lo eth0
 *     Where it was: lo
 *     The other has ended, and where it was: lo
 */

import {
  join,
  loopback,
  mapRoot,
  moveInterface,
  type Recipe,
  recipe,
  unshare,
  veth,
} from "../mod.ts";

const list = "$(tail -n +3 /proc/net/dev | cut -d: -f1)";
const connect = "$( (: < /dev/tcp/127.0.0.1/9) 2>&1 | head -n 1 | cut -d: -f3)";
const tell = (box: Recipe, title: string, more = "") =>
  box.command("bash", { args: ["-c", `echo "${title}:" ${list}; ${more}`] }).spawn().status;
const keep = (box: Recipe) => box.command("sleep", { args: ["infinity"] }).spawn();

const fresh = recipe(unshare("user", "net"), mapRoot());
await tell(fresh, "A new network", `echo "    to 127.0.0.1:${connect}"`);
await tell(fresh.with(loopback()), "With loopback()", `echo "    to 127.0.0.1:${connect}"`);

// A cable is laid from a second network into the first, and its end there is moved into a third.
await using first = keep(fresh);
const inFirst = recipe(join(first, "user", "net"));
await using _second = keep(inFirst.with(unshare("net"), veth("eth0", { peer: "card" })));
await tell(inFirst, "A network with a cable");
{
  await using third = keep(inFirst.with(unshare("net"), moveInterface("card", { as: "eth0" })));
  await tell(recipe(join(third, "user", "net")), "The cable has moved to another");
  await tell(inFirst, "Where it was");
}
await tell(inFirst, "The other has ended, and where it was");
