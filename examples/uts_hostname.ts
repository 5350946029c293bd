/**
 * Two names of the machine, the hostname and the NIS domain name, belong to the UTS namespace:
 * changed in one, they stay as they are in all others. See uts_namespaces(7).
 *
 * Prints:
 *
 *     Outside, before: ... and ...
 *     Inside:          kitchen and example.org
 *     Outside, after:  ... and ...
 *     Nothing has changed outside: true
 */
// deno-lint-ignore-file no-console

import { domainname, hostname, linux, mapRoot, recipe, unshare } from "../mod.ts";

const names = () => {
  const { nodename, domainname } = linux.uname();
  return `${nodename} and ${domainname}`;
};

const box = recipe(
  unshare("user", "uts"),
  mapRoot(),
  hostname("kitchen"),
  domainname("example.org"),
);

const before = names();
console.log(`Outside, before: ${before}`);
const script = 'echo "Inside:          $(uname -n) and $(cat /proc/sys/kernel/domainname)"';
await box.command("sh", { args: ["-c", script] }).spawn().status;
console.log(`Outside, after:  ${names()}`);
console.log(`Nothing has changed outside: ${names() === before}`);
