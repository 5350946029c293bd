/**
 * Sandboxes on a machine with a graphics processor of NVIDIA: `deno task test:gpu`. No other machine
 * can show it, so it is no part of the suite.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { bind, devices, mapRoot, proc, type Recipe, recipe, sandbox, unshare } from "../../mod.ts";
import { assertRefused, test } from "../support.ts";

const PROCESSORS = entriesOf("/dev").filter((name) => /^nvidia[0-9]+$/.test(name)).sort();

const noProcessor = PROCESSORS.length === 0
  ? "needs a graphics processor of NVIDIA: /dev/nvidia0"
  : undefined;
const noMonitor = noProcessor ?? missing("nvidia-smi", "--help");
const noPython = noProcessor ?? missing("python3", "--version");

/** Copies bytes to the processor and back; prints how many are there, or the number of the error. */
const CUDA = `
import ctypes, sys
def call(name, *args):
    code = getattr(cuda, name)(*args)
    if code != 0:
        print(name, code)
        sys.exit(1)
cuda = ctypes.CDLL("libcuda.so.1")
call("cuInit", 0)
count, device, context, memory = ctypes.c_int(), ctypes.c_int(), ctypes.c_void_p(), ctypes.c_uint64()
call("cuDeviceGetCount", ctypes.byref(count))
call("cuDeviceGet", ctypes.byref(device), 0)
call("cuCtxCreate_v2", ctypes.byref(context), 0, device)
call("cuMemAlloc_v2", ctypes.byref(memory), 1 << 20)
sent, received = ctypes.create_string_buffer(b"soup" * (1 << 18), 1 << 20), ctypes.create_string_buffer(1 << 20)
call("cuMemcpyHtoD_v2", memory, sent, 1 << 20)
call("cuMemcpyDtoH_v2", received, memory, 1 << 20)
managed = ctypes.c_uint64()
call("cuMemAllocManaged", ctypes.byref(managed), 4, 1)
print(count.value, received.raw == sent.raw)
`;

/** Where a driver that is no package has its libraries is in the environment. */
const env = ["LD_LIBRARY_PATH"];

const ALL = { gpus: "all", env } as const;

test("nvidia-smi lists the processors of this machine", async () => {
  const outside = await outputOf(recipe(), "nvidia-smi", "-L");
  assertMatch(outside, /^0 GPU 0: /);
  assertEquals(await outputOf(sandbox(ALL), "nvidia-smi", "-L"), outside);
}, noMonitor);

test("without gpus there is none", async () => {
  const [code] = (await outputOf(sandbox({ env }), "nvidia-smi", "-L")).split(" ");
  assert(code !== "0");
}, noMonitor);

test("CUDA copies memory in a sandbox, without capabilities", async () => {
  const expected = `0 ${PROCESSORS.length} True`;
  assertEquals(await outputOf(recipe(), "python3", "-c", CUDA), expected);
  assertEquals(await outputOf(sandbox(ALL), "python3", "-c", CUDA), expected);
  const [, number] = /^nvidia([0-9]+)$/.exec(PROCESSORS[0]!)!;
  assertEquals(
    await outputOf(sandbox({ gpus: [Number(number)], env }), "python3", "-c", CUDA),
    "0 1 True",
  );
}, noPython);

test("without /dev/nvidia-uvm the driver gives a number, and Ramekin a reason", async () => {
  const nodes = ["nvidiactl", PROCESSORS[0]!].map((name) => `/dev/${name}`);
  const bound = recipe(
    unshare("user", "mount", "pid"),
    mapRoot(),
    proc(),
    devices("/dev"),
    ...nodes.map((path) => bind(path, path, { make: true })),
  );
  assertEquals(await outputOf(bound, "python3", "-c", CUDA), "1 cuInit 999");
  assertRefused(() => sandbox({ devices: nodes }), { says: "/dev/nvidia-uvm" });
}, noPython);

/** The exit status and the output of a program. */
async function outputOf(box: Recipe, program: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await box.command(program, { args }).output();
  const [text, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes).trim());
  return `${code} ${text}${code === 0 ? "" : errors}`;
}

function entriesOf(directory: string): string[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => name);
}

function missing(program: string, flag: string): string | undefined {
  try {
    new Deno.Command(program, { args: [flag], stdout: "null", stderr: "null" }).outputSync();
    return undefined;
  } catch {
    return `needs ${program}`;
  }
}
