// deno-lint-ignore-file no-console -- the test reads the output
/**
 * A script whose Workers launch concurrently, each recipes of every shape, while garbage is
 * collected: `threads_script.ts WORKERS ROUNDS`. Another Worker is started and terminated in the
 * middle of its launches, repeatedly. The script prints how many launches were right.
 */

import { SHAPES } from "./shapes.ts";

declare function gc(): void;

interface Task {
  readonly rounds: number;
  readonly shapes: readonly string[];
}

async function work({ rounds, shapes }: Task): Promise<number> {
  let right = 0;
  const collect = setInterval(gc, 1);
  for (let round = 0; round < rounds; round++) {
    const outputs = await Promise.all(shapes.map(async (shape) => {
      const { box, terminal, permissions, timeout } = SHAPES[shape]!;
      const word = crypto.randomUUID();
      const { stdout } = await box.command("echo", {
        args: [word],
        ...(terminal && { terminal, stderr: "null" }),
        ...(permissions && { permissions }),
        ...(timeout !== undefined && { timeout }),
      }).output();
      return new TextDecoder().decode(stdout).trim() === word;
    }));
    right += outputs.filter((is) => is).length;
  }
  clearInterval(collect);
  return right;
}

function start(task: Task): { worker: Worker; done: Promise<number> } {
  const worker = new Worker(import.meta.url, { type: "module" });
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = ({ message }) => reject(new Error(message));
  worker.postMessage(task);
  return { worker, done: promise };
}

if ("WorkerGlobalScope" in globalThis) {
  addEventListener("message", async (event) => {
    (self as unknown as Worker).postMessage(await work((event as MessageEvent<Task>).data));
  });
} else {
  const [workers, rounds] = Deno.args.map(Number) as [number, number];
  const shapes = Object.keys(SHAPES).filter((name) => Deno.uid() === 0 || !SHAPES[name]!.rootOnly);
  let working = true;
  const all = Promise.all(Array.from({ length: workers }, async () => {
    const { worker, done } = start({ rounds, shapes });
    const right = await done;
    worker.terminate();
    return right;
  })).finally(() => working = false);
  let terminated = 0;
  while (working) {
    const { worker, done } = start({ rounds: Infinity, shapes });
    done.catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 200 + Math.random() * 300));
    worker.terminate();
    terminated++;
  }
  const right = await all;
  console.log(
    JSON.stringify({ right, wanted: rounds * shapes.length, terminated }),
  );
  Deno.exit();
}
