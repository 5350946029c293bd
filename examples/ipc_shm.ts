/**
 * Keys of System V shared memory and names of POSIX message queues belong to the ipc namespace: in
 * each container the same key and the same name lead to something else. When the last process of
 * the namespace ends, they are gone. See ipc_namespaces(7), sysvipc(7) and mq_overview(7).
 *
 * Prints:
 *
 *     First container:  the memory holds "soup", the queue "soup"
 *     Second container: the memory holds "stew", the queue "stew"
 *     Third container:  no memory with this key
 *     Outside:          no memory with this key
 */
// deno-lint-ignore-file no-console

import { linux, mapRoot, recipe, SyscallError, unshare } from "../mod.ts";

const KEY = 0x5eed;
const NAME = "/orders";
const SIZE = 100;

/** The shared memory of the key, as this process sees it. */
function memory(flags = 0): Uint8Array {
  const address = linux.shmat(linux.shmget(KEY, SIZE, flags));
  const pointer = Deno.UnsafePointer.create(address)!;
  return new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(pointer, SIZE));
}

function write(text: string): void {
  const bytes = new TextEncoder().encode(text);
  memory(linux.IPC_CREAT | 0o600).set(bytes);
  using queue = linux.mq_open(NAME, linux.O_CREAT | linux.O_WRONLY, 0o600);
  linux.mq_send(queue, bytes);
}

function read(): string {
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).replaceAll("\0", "");
  try {
    const stored = text(memory());
    using queue = linux.mq_open(NAME, linux.O_RDONLY);
    return `the memory holds "${stored}", the queue "${text(linux.mq_receive(queue))}"`;
  } catch (error) {
    if (error instanceof SyscallError && error.code === "ENOENT") return "no memory with this key";
    throw error;
  }
}

const [task, text] = Deno.args;
if (task === "write") write(text!);
else if (task === "read") console.log(read());
else {
  const box = recipe(unshare("user", "ipc"), mapRoot());
  const run = (script: string) => box.command("sh", { args: ["-c", script] }).spawn().status;
  const self = `${Deno.execPath()} run --allow-ffi ${import.meta.filename}`;

  await run(`${self} write soup; printf "First container:  "; ${self} read`);
  await run(`${self} write stew; printf "Second container: "; ${self} read`);
  await run(`printf "Third container:  "; ${self} read`);
  console.log(`Outside:          ${read()}`);
}
