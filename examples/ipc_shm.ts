/**
 * Keys of System V shared memory and names of POSIX message queues belong to the ipc namespace: one
 * key, and in each container other contents. When the last process of the namespace ends, they are
 * gone. See ipc_namespaces(7) and sysvipc(7).
 *
 * Prints:
 *
 *     First container:  The key leads to "soup", queues: orders
 *     Second container: The key leads to "stew", queues: bills
 *     Third container:  The key leads to nothing, queues:
 *     Outside:          The key leads to nothing
 */
// deno-lint-ignore-file no-console

import { linux, mapRoot, mqueue, recipe, SyscallError, unshare } from "../mod.ts";

const KEY = 0x5eed;
const SIZE = 100;

/** The shared memory of the key, as this process sees it. */
function memory(flags = 0): Uint8Array {
  const address = linux.shmat(linux.shmget(KEY, SIZE, flags));
  const pointer = Deno.UnsafePointer.create(address)!;
  return new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(pointer, SIZE));
}

function write(text: string): void {
  new TextEncoder().encodeInto(text, memory(linux.IPC_CREAT | 0o600));
}

function read(): string {
  try {
    return `leads to "${new TextDecoder().decode(memory()).replaceAll("\0", "")}"`;
  } catch (error) {
    if (error instanceof SyscallError && error.code === "ENOENT") return "leads to nothing";
    throw error;
  }
}

const [task, text] = Deno.args;
if (task === "write") write(text!);
else if (task === "read") console.log(read());
else {
  const box = recipe(unshare("user", "mount", "ipc"), mapRoot(), mqueue("/mnt"));
  const run = (script: string) => box.command("sh", { args: ["-c", script] }).spawn().status;
  const self = `${Deno.execPath()} run --allow-ffi ${import.meta.filename}`;
  const tell = `echo "The key $(${self} read), queues:" $(ls /mnt)`;

  await run(`${self} write soup; touch /mnt/orders; printf "First container:  "; ${tell}`);
  await run(`${self} write stew; touch /mnt/bills; printf "Second container: "; ${tell}`);
  await run(`printf "Third container:  "; ${tell}`);
  console.log(`Outside:          The key ${read()}`);
}
