// deno-lint-ignore-file no-console -- the test reads the output
/**
 * A script with many concurrent containers, each of which writes different bytes when all are
 * running: `crowd_script.ts COUNT`. It prints how many have written the expected bytes.
 */

import { type Container, init, mapRoot, recipe, unshare } from "../../mod.ts";

const count = Number(Deno.args[0]);
const box = recipe(unshare("user", "pid"), mapRoot());
const boxes = [box, box.with(init())];

/** More bytes than a pipe holds. */
const SIZE = 100_000;

const line = (index: number) => `container ${index} writes this\n`;

async function hash(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

async function expected(index: number): Promise<string> {
  const text = line(index).repeat(Math.ceil(SIZE / line(index).length)).slice(0, SIZE);
  return await hash(new TextEncoder().encode(text));
}

const containers: Container[] = [];
for (let index = 0; index < count; index++) {
  containers.push(
    boxes[index % 2]!.command("sh", {
      args: ["-c", `read line; yes "$line" | head -c ${SIZE}`],
      stdin: "piped",
      stdout: "piped",
    }).spawn(),
  );
}
const alive = containers.filter(({ pid }) => pid > 0).length;
const right = await Promise.all(containers.map(async (container, index) => {
  const writer = container.stdin.getWriter();
  const output = container.stdout.bytes();
  await writer.write(new TextEncoder().encode(line(index)));
  await writer.close();
  const { success } = await container.status;
  return success && await hash(await output as Uint8Array<ArrayBuffer>) === await expected(index);
}));
console.log(JSON.stringify({ alive, right: right.filter((is) => is).length }));
