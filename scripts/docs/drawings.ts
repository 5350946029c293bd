/**
 * `deno task docs`: draws the pictures of `docs/how_it_works.md`.
 *
 * @module
 */

import { formatted } from "./format.ts";
import { arrow, box, drawing, line, text } from "./svg.ts";

/** Where the drawings are. */
const DIRECTORY = new URL("../../docs/drawings/", import.meta.url);

/** From the steps to the container. */
function pipeline(): string {
  const stages = [
    ["Step[]", "plain data"],
    ["Recipe", "fields checked"],
    ["PlanBuilder", "calls of each step"],
    ["LaunchProgram", "the whole launch"],
    ["table", "bytes, with slots"],
    ["engine", "machine code"],
    ["Container", "pid, streams"],
  ] as const;
  const width = 118, gap = 24;
  return drawing(1010, 260, "From the list of steps to the container that runs", [
    ...stages.flatMap(([title, words], index) => {
      const x = 18 + index * (width + gap);
      const place = { x, y: 60, width, height: 66 };
      return [
        box(place, title, [words], index < 5 ? "" : "accent"),
        ...(index === 0 ? [] : [arrow([[x - gap + 2, 93], [x - 3, 93]])]),
      ];
    }),
    line([[18, 48], [18, 40], [704, 40], [704, 48]]),
    text(361, 30, "data: nothing has run", "middle"),
    line([[728, 48], [728, 40], [988, 40], [988, 48]]),
    text(858, 30, "a launch", "middle"),
    text(219, 150, "RecipeError", "middle code"),
    text(219, 168, "a wrong field", "middle faint"),
    box({ x: 302, y: 196, width, height: 56 }, "Host", ["the machine"]),
    arrow([[314, 196], [314, 129]]),
    text(324, 150, "RecipeError", "code"),
    text(324, 168, "would change", "faint"),
    text(324, 184, "the host", "faint"),
    text(503, 150, "plan()", "middle code"),
    text(503, 168, "every call, none made", "middle faint"),
    text(503, 192, "needs()", "middle code"),
    text(503, 210, "what is reached", "middle faint"),
    text(503, 226, "of the host", "middle faint"),
    text(645, 150, "laid out once,", "middle faint"),
    text(645, 168, "filled in", "middle faint"),
    text(645, 184, "for each launch", "middle faint"),
    text(787, 150, "SyscallError", "middle code"),
    text(787, 168, "step, call, errno, fix", "middle faint"),
    text(787, 184, "read from the table", "middle faint"),
  ]);
}

/** Who runs when, on which memory. */
function memory(): string {
  return drawing(1010, 380, "The memory of a launch: script and container share it until execve", [
    text(20, 34, "time →", "faint"),
    text(20, 82, "script's thread", "strong"),
    box({ x: 170, y: 56, width: 130, height: 44 }, "JavaScript"),
    box({ x: 310, y: 56, width: 110, height: 44 }, "engine"),
    box({ x: 430, y: 56, width: 330, height: 44 }, "asleep in the clone", [], "dashed"),
    box({ x: 770, y: 56, width: 90, height: 44 }, "engine"),
    box({ x: 870, y: 56, width: 124, height: 44 }, "JavaScript"),
    text(20, 152, "container", "strong"),
    box({ x: 430, y: 126, width: 330, height: 44 }, "engine: the steps' calls", [], "accent"),
    box({ x: 770, y: 126, width: 224, height: 44 }, "the program", [], "warm"),
    line([[425, 50], [425, 176]], "dashed"),
    text(434, 117, "clone(CLONE_VM|CLONE_VFORK|CLONE_NEW...)", "code"),
    line([[765, 50], [765, 176]], "dashed"),
    text(774, 117, "execve(...)", "code"),
    text(20, 216, "memory", "strong"),
    box({ x: 170, y: 196, width: 824, height: 172 }, ""),
    text(182, 216, "of the script"),
    box({ x: 182, y: 228, width: 236, height: 60 }, "V8's heap, its threads", [
      "the container never looks at it",
    ]),
    box({ x: 430, y: 228, width: 330, height: 60 }, "the table", [
      "records, strings, results",
    ], "accent"),
    box({ x: 182, y: 298, width: 236, height: 60 }, "the engine", ["about 200 bytes, read-only"]),
    box({ x: 430, y: 298, width: 330, height: 60 }, "the stack", ["not touched between the calls"]),
    arrow([[590, 170], [590, 226]]),
    text(598, 190, "walks, writes results", "faint"),
    arrow([[786, 258], [763, 258]]),
    text(792, 254, "read by the script afterwards:", "faint"),
    text(792, 270, "which record failed, and how", "faint"),
    text(882, 190, "on memory of its own", "middle faint"),
  ]);
}

/** The bytes of the table. */
function record(): string {
  const byte = 50, left = 90;
  const cell = (
    row: number,
    from: number,
    size: number,
    title: string,
    words: readonly string[] = [],
    style = "",
  ) =>
    box(
      { x: left + from * byte, y: 40 + row * 62, width: size * byte, height: 56 },
      title,
      words,
      style,
    );
  const offset = (row: number, at: number) =>
    text(left - 12, 72 + row * 62, `${at}`, "middle code");
  return drawing(
    910,
    580,
    "The bytes of a table: a header, records of 88 bytes, what they point to",
    [
      text(left, 26, "header, 16 bytes", "strong"),
      offset(0, 0),
      cell(0, 0, 4, "failedAt", ["the first record that failed"]),
      cell(0, 4, 4, "failedWith", ["its errno; 0: none"]),
      cell(0, 8, 8, "", [], "dashed"),
      text(left, 124, "record, 88 bytes; as many as there are calls", "strong"),
      ...[0, 16, 32, 48, 64, 80].map((at, index) => offset(index + 1.5, at)),
      cell(1.5, 0, 4, "number", ["of the system call"]),
      cell(1.5, 4, 4, "references", ["one bit an argument"]),
      cell(1.5, 8, 8, "accepted", ["up to eight errnos that are no failure"]),
      cell(2.5, 0, 4, "onZero", ["the child of clone"], "accent"),
      cell(2.5, 4, 4, "onAccepted", ["an accepted errno"], "accent"),
      cell(2.5, 8, 4, "onFailure", ["any other errno"], "accent"),
      cell(2.5, 12, 4, "onSuccess", ["more than 0"], "accent"),
      ...[0, 1, 2].flatMap((row) => [
        cell(3.5 + row, 0, 8, `argument ${row * 2}`),
        cell(3.5 + row, 8, 8, `argument ${row * 2 + 1}`),
      ]),
      cell(6.5, 0, 8, "result", ["not back yet: -2³²"], "warm"),
      text(
        left + 8 * byte + 20,
        458,
        "An edge is the offset of a record; 0 ends the walk.",
        "faint",
      ),
      text(left + 8 * byte + 20, 476, "A slot is an argument, or a word of a structure,", "faint"),
      text(left + 8 * byte + 20, 494, "that is written before each run.", "faint"),
      cell(7.5, 0, 16, "what arguments point to", [
        "NUL-terminated strings, bytes, structures, and memory for the kernel to write",
      ]),
    ],
  );
}

/** The processes of a launch with an init, and of one that joins a pid namespace. */
function processes(): string {
  return drawing(1010, 400, "The processes of a launch with an init, and of one that joins", [
    text(20, 30, 'unshare("pid"), ..., init()', "code strong"),
    box({ x: 20, y: 50, width: 150, height: 60 }, "the script", ["thread asleep"]),
    box({ x: 20, y: 150, width: 460, height: 234 }, "", [], "dashed"),
    text(110, 172, "the pid namespace", "faint"),
    box(
      { x: 36, y: 190, width: 190, height: 60 },
      "process 1",
      ["the steps before init()"],
      "accent",
    ),
    box({ x: 276, y: 190, width: 190, height: 60 }, "process 2", ["the later steps"], "accent"),
    box(
      { x: 36, y: 306, width: 190, height: 60 },
      "PID 1: the init",
      ["reaps, forwards signals"],
      "warm",
    ),
    box({ x: 276, y: 306, width: 190, height: 60 }, "PID 2: the program", ["its child"], "warm"),
    arrow([[95, 110], [95, 188]]),
    text(103, 136, "clone", "code"),
    arrow([[226, 220], [274, 220]]),
    text(250, 212, "clone", "code middle"),
    arrow([[131, 250], [131, 304]]),
    text(139, 280, "execveat(memfd)", "code"),
    arrow([[371, 250], [371, 304]]),
    text(379, 280, "execve", "code"),
    text(530, 30, "join(pid), ...", "code strong"),
    box({ x: 530, y: 50, width: 150, height: 60 }, "the script", ["thread asleep"]),
    box(
      { x: 530, y: 190, width: 160, height: 60 },
      "process 1",
      ["setns(pid), then ends"],
      "accent",
    ),
    box({ x: 822, y: 150, width: 174, height: 234 }, "", [], "dashed"),
    text(834, 172, "the joined namespace", "faint"),
    box(
      { x: 834, y: 190, width: 150, height: 60 },
      "process 2",
      ["a child of the script too"],
      "accent",
    ),
    box({ x: 834, y: 306, width: 150, height: 60 }, "the program", [], "warm"),
    arrow([[605, 110], [605, 188]]),
    text(613, 136, "clone", "code"),
    arrow([[690, 220], [832, 220]]),
    text(757, 212, "CLONE_PARENT", "code middle"),
    arrow([[625, 250], [625, 304]]),
    text(560, 322, "exit_group(0)", "code"),
    arrow([[909, 250], [909, 304]]),
    text(917, 280, "execve", "code"),
  ]);
}

const DRAWINGS: Readonly<Record<string, () => string>> = {
  "pipeline.svg": pipeline,
  "memory.svg": memory,
  "record.svg": record,
  "processes.svg": processes,
};

/** Each drawing, with its file. */
export async function drawings(): Promise<readonly { readonly file: URL; readonly svg: string }[]> {
  return await Promise.all(
    Object.entries(DRAWINGS).map(async ([name, draw]) => ({
      file: new URL(name, DIRECTORY),
      svg: await formatted(draw(), "svg"),
    })),
  );
}

if (import.meta.main) {
  await Deno.mkdir(DIRECTORY, { recursive: true });
  for (const { file, svg } of await drawings()) await Deno.writeTextFile(file, svg);
}
