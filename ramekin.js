// Ramekin in one file. Made by `deno task bundle` of mod.ts; a test compares them.
// @ts-self-types="./mod.ts"
var call = (function call(name, ...args) {
  return {
    name,
    args
  };
});
var flags = (function flags(value, names) {
  return new Named(value, () => flagNames(value, names));
});
var flagNames = (function flagNames(value, names) {
  let rest = value;
  const words3 = [];
  for (const [name, bits] of Object.entries(names)) {
    if (bits !== 0 && containsBits(rest, bits)) {
      words3.push(name);
      rest -= bits;
    }
  }
  if (rest !== 0 || words3.length === 0) words3.push(rest === 0 ? "0" : `0x${rest.toString(16)}`);
  return words3.join("|");
});
var constant = (function constant(value, names) {
  return new Named(value, () => {
    const entry = Object.entries(names).find(([, known]) => known === value);
    return entry?.[0] ?? String(value);
  });
});
var mode = (function mode(value) {
  return new Named(value, () => `0${value.toString(8)}`);
});
var pointerList = (function pointerList(items, text4) {
  return new Struct(new Uint8Array((items.length + 1) * 8), text4, items.map((to, index) => ({
    offset: index * 8,
    to
  })));
});
var written = (function written(text4) {
  return typeof text4 === "string" ? text4 : text4();
});
var containsBits = (function containsBits(value, bits) {
  const high = Math.floor(value / 2 ** 32), low = value >>> 0;
  const bitsHigh = Math.floor(bits / 2 ** 32), bitsLow = bits >>> 0;
  return (high & bitsHigh) >>> 0 === bitsHigh && (low & bitsLow) >>> 0 === bitsLow;
});
var geteuid = (function geteuid() {
  return call("geteuid");
});
var getegid = (function getegid() {
  return call("getegid");
});
var capabilityOutput = (function capabilityOutput() {
  return new Output(24, "&data");
});
var capget = (function capget(data2) {
  return call("capget", HEADER, data2);
});
var readCapabilities = (function readCapabilities(data2) {
  const names = (set) => Object.keys(CAPABILITIES).filter((name) => {
    const bit = CAPABILITIES[name];
    return data2.getUint32((set + (bit < 32 ? 0 : 3)) * 4, true) >>> bit % 32 & 1;
  });
  return {
    effective: names(0),
    permitted: names(1),
    inheritable: names(2)
  };
});
var at = (function at(directory) {
  return directory === AT_FDCWD ? at_fdcwd : directory;
});
var ppoll = (function ppoll(fds, milliseconds) {
  const bytes = new Uint8Array(fds.length * 8);
  const view2 = new DataView(bytes.buffer);
  fds.forEach(({ fd, events }, index) => {
    view2.setInt32(index * 8, fd, true);
    view2.setInt16(index * 8 + 4, events, true);
  });
  const list2 = new Struct(bytes, () => `[${fds.map(({ fd }) => fd).join(", ")}]`);
  return call("ppoll", list2, fds.length, timespec(milliseconds), null, SIGSET_SIZE);
});
var timespec = (function timespec(milliseconds) {
  if (milliseconds === void 0) return null;
  const seconds2 = Math.floor(milliseconds / 1e3);
  const nanoseconds = Math.round((milliseconds - seconds2 * 1e3) * 1e6);
  const words3 = new BigInt64Array([
    BigInt(seconds2),
    BigInt(nanoseconds)
  ]);
  return new Struct(new Uint8Array(words3.buffer), `{${milliseconds} ms}`);
});
var waitid = (function waitid(idType, id2, info, options) {
  return call("waitid", constant(idType, WAIT_ID_TYPES), id2, info, flags(options, WAIT_FLAGS), null);
});
var siginfoOutput = (function siginfoOutput() {
  return new Output(128, "&siginfo");
});
var readChildState = (function readChildState(info) {
  const pid = info.getInt32(16, true);
  if (pid === 0) return void 0;
  return {
    code: info.getInt32(8, true),
    pid,
    uid: info.getUint32(20, true),
    status: info.getInt32(24, true)
  };
});
var signalName = (function signalName(signal) {
  if (signal < SIGRTMIN) return constant(signal, SIGNALS);
  return new Named(signal, () => `SIGRTMIN+${signal - SIGRTMIN}`);
});
var pidfd_open = (function pidfd_open(pid, flagBits) {
  return call("pidfd_open", pid, flagBits);
});
var rt_sigaction = (function rt_sigaction(signal, action, old = null) {
  const bytes = action === null ? null : action === "SIG_DFL" ? DEFAULT_ACTION : IGNORE_ACTION;
  return call("rt_sigaction", signalName(signal), bytes, old, SIGSET_SIZE2);
});
var sigactionOutput = (function sigactionOutput() {
  return new Output(32, "&old");
});
var isIgnored = (function isIgnored(action) {
  return action.getBigUint64(0, true) === 1n;
});
var rt_sigprocmask = (function rt_sigprocmask(mask2, old) {
  const how = new Named(2, "SIG_SETMASK");
  return call("rt_sigprocmask", how, typeof mask2 === "string" ? MASKS[mask2] : mask2, old, SIGSET_SIZE2);
});
var execve = (function execve(path2, argv, envp) {
  return call("execve", path2, argv, envp);
});
var exit_group = (function exit_group(code) {
  return call("exit_group", code);
});
var gettid = (function gettid() {
  return call("gettid");
});
var prctl = (function prctl(operation, argument2 = 0, argument3 = 0, argument4 = 0, argument5 = 0) {
  const named = constant(operation, PRCTL_OPERATIONS);
  const second = typeof argument2 === "number" ? nameSecond(operation, argument2) : argument2;
  const third = operation === PR_CAP_AMBIENT && argument2 !== PR_CAP_AMBIENT_CLEAR_ALL ? constant(argument3, CAPABILITIES) : argument3;
  return call("prctl", named, second, third, argument4, argument5);
});
var nameSecond = (function nameSecond(operation, argument) {
  switch (operation) {
    case PR_SET_PDEATHSIG:
      return signalName(argument);
    case PR_CAPBSET_READ:
    case PR_CAPBSET_DROP:
      return constant(argument, CAPABILITIES);
    case PR_CAP_AMBIENT:
      return constant(argument, AMBIENT_OPERATIONS);
    case PR_SET_SECUREBITS:
      return flags(argument, SECUREBITS);
    default:
      return argument;
  }
});
var openat = (function openat(directory, path2, flagBits, fileMode = 0) {
  const named = flagBits === O_RDONLY ? new Named(0, "O_RDONLY") : flags(flagBits, OPEN_FLAGS);
  return call("openat", at(directory), path2, named, mode(fileMode));
});
var openat2 = (function openat2(directory, path2, how) {
  const { resolve: resolve2 = 0 } = how;
  const words3 = new BigUint64Array([
    how.flags,
    how.mode ?? 0,
    resolve2
  ].map(BigInt));
  const text4 = () => `{${flags(how.flags, OPEN_FLAGS).text}, ${mode(how.mode ?? 0).text}, ${flags(resolve2, RESOLVE_FLAGS).text}}`;
  const struct = new Struct(new Uint8Array(words3.buffer), text4);
  return call("openat2", at(directory), path2, struct, OPEN_HOW_SIZE);
});
var close = (function close(fd) {
  return call("close", fd);
});
var close_range = (function close_range(first, last, flagBits) {
  const named = flags(flagBits, {
    CLOSE_RANGE_UNSHARE,
    CLOSE_RANGE_CLOEXEC
  });
  return call("close_range", first, last === 4294967295 ? new Named(last, "~0U") : last, named);
});
var dup3 = (function dup3(from, to, flagBits) {
  return call("dup3", from, to, flags(flagBits, {
    O_CLOEXEC
  }));
});
var fcntl = (function fcntl(fd, command, argument) {
  return call("fcntl", fd, constant(command, FCNTL_COMMANDS), argument);
});
var read = (function read(fd, buffer, size2) {
  return call("read", fd, buffer, size2);
});
var write = (function write(fd, bytes, size2) {
  return call("write", fd, bytes, size2);
});
var pipe2 = (function pipe2(ends, flagBits) {
  return call("pipe2", ends, flags(flagBits, OPEN_FLAGS));
});
var faccessat = (function faccessat(directory, path2, rights) {
  const named = rights === F_OK ? new Named(F_OK, "F_OK") : flags(rights, {
    R_OK,
    W_OK,
    X_OK
  });
  return call("faccessat", at(directory), path2, named);
});
var getcwd = (function getcwd(path2) {
  return call("getcwd", path2, path2.size);
});
var chdir = (function chdir(path2) {
  return call("chdir", path2);
});
var fchdir = (function fchdir(fd) {
  return call("fchdir", fd);
});
var eventfd2 = (function eventfd2(value, flagBits) {
  return call("eventfd2", value, flagBits);
});
var openLibc = (function openLibc() {
  const addresses2 = openAny("libc.so.6", `libc.musl-${Deno.build.arch}.so.1`);
  const callable = (name) => new Deno.UnsafeFnPointer(addresses2[name], FUNCTIONS[name]);
  return {
    memfd_create: callable("memfd_create"),
    write: callable("write"),
    close: callable("close"),
    getenv: callable("getenv"),
    environ: addresses2.environ
  };
});
var openAny = (function openAny(name, otherwise) {
  try {
    return Deno.dlopen(name, SYMBOLS).symbols;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    try {
      return Deno.dlopen(otherwise, SYMBOLS).symbols;
    } catch {
      throw error;
    }
  }
});
var syscallNumber = (function syscallNumber(name, architecture) {
  return NUMBERS[name][architecture === "x86_64" ? 0 : 1];
});
var assemble = (function assemble(parts, architecture) {
  const places = /* @__PURE__ */ new Map();
  const records = [];
  const offsets = /* @__PURE__ */ new Map();
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index];
    const offset = HEADER2.size + records.length * RECORD.size;
    if (part instanceof Label) places.set(part, offset);
    else {
      offsets.set(part.call, offset);
      records.push(part);
    }
  }
  const end = HEADER2.size + records.length * RECORD.size;
  const table = new Table(end, offsets);
  const goOn = (label, otherwise) => {
    if (label === void 0) return otherwise;
    if (label === END) return 0;
    const place2 = places.get(label);
    if (place2 === void 0) throw new TypeError(`the label "${label.text}" has no place`);
    return place2 === end ? 0 : place2;
  };
  for (let index = 0; index < records.length; index++) {
    const record = records[index];
    const offset = HEADER2.size + index * RECORD.size;
    const next = offset + RECORD.size === end ? 0 : offset + RECORD.size;
    table.int32(offset + RECORD.number, syscallNumber(record.call.name, architecture));
    if (record.accept !== void 0) table.accepted(offset + RECORD.accepted, record.accept);
    table.int32(offset + RECORD.onZero, goOn(record.onZero, next));
    table.int32(offset + RECORD.onAccepted, goOn(record.onAccepted, next));
    table.int32(offset + RECORD.onFailure, goOn(record.onFailure, 0));
    table.int32(offset + RECORD.onSuccess, goOn(record.onSuccess, next));
    table.arguments(offset, record.call);
  }
  return {
    bytes: table.finished(),
    relocations: table.relocations,
    calls: records.map((record) => record.call),
    outputs: table.outputs
  };
});
var recordOffset = (function recordOffset(index) {
  return HEADER2.size + index * RECORD.size;
});
var resultOffset = (function resultOffset(index) {
  return recordOffset(index) + RECORD.result;
});
var argumentOffset = (function argumentOffset(index, argument) {
  return recordOffset(index) + RECORD.arguments + argument * 8;
});
var recordIndex = (function recordIndex(offset) {
  return (offset - HEADER2.size) / RECORD.size;
});
var sheet = (function sheet(size2) {
  const bytes = new Uint8Array(size2);
  return {
    bytes,
    view: new DataView(bytes.buffer)
  };
});
var engine = (function engine() {
  return loaded ??= Engine.load();
});
var place = (function place(program, memory) {
  memory.bytes.set(program.bytes);
  const { view: view2, address: address2 } = memory;
  for (let index = 0; index < program.relocations.length; index++) {
    const at2 = program.relocations[index];
    const value = address2 + view2.getUint32(at2, true);
    view2.setUint32(at2, value >>> 0, true);
    view2.setUint32(at2 + 4, Math.floor(value / 2 ** 32), true);
  }
});
var loadShared = (function loadShared(libc, image) {
  const name = new TextEncoder().encode("ramekin-engine\0");
  const fd = libc.memfd_create.call(name, MFD_CLOEXEC2);
  if (fd < 0) {
    throw new UnsupportedError("the engine is loaded from a memfd, and memfd_create failed: this process has as many open files as it may (ulimit -n), or a seccomp filter forbids it");
  }
  try {
    if (Number(libc.write.call(fd, image, BigInt(image.length))) !== image.length) {
      throw new UnsupportedError("the engine could not be written to its memfd");
    }
    return Deno.dlopen(`/proc/self/fd/${fd}`, SYMBOLS2).symbols;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new UnsupportedError("the engine cannot be loaded from /proc/self/fd; Ramekin needs /proc, and memory files that may be executed (vm.memfd_noexec below 2)", {
      cause: error
    });
  } finally {
    libc.close.call(fd);
  }
});
var takes = (function takes(capability, kinds = '"user"') {
  return `this takes ${capability}; without it, do it in a recipe: recipe(unshare(${kinds}), mapRoot(), ...)`;
});
var mount = (function mount(source, target, type, flagBits, data2) {
  return call("mount", source, target, type, flags(flagBits, MOUNT_FLAGS), data2);
});
var sethostname = (function sethostname(name) {
  return call("sethostname", name, new TextEncoder().encode(name).length);
});
var failureOf = (function failureOf(outcome) {
  const { failed } = outcome;
  if (failed === void 0) return void 0;
  const { call: call2, errno } = failed;
  const refusal2 = call2.verdict?.read(outcome.output(call2.verdict.answer));
  if (refusal2 === void 0 || refusal2.errno === 0) {
    return {
      call: call2,
      errno,
      name: call2.name,
      text: describeCall(call2),
      words: void 0
    };
  }
  const { name, text: text4 } = call2.verdict;
  return {
    call: call2,
    name,
    text: text4,
    ...refusal2
  };
});
var syscall = (function syscall(call2, hint) {
  return Number(syscalls([
    {
      call: call2
    }
  ], hint).result(call2));
});
var syscalls = (function syscalls(parts, hint) {
  const loaded2 = engine();
  const outcome = loaded2.run(assemble(parts, loaded2.architecture));
  const failure = failureOf(outcome);
  if (failure === void 0) return outcome;
  const { name, errno, text: text4, words: words3 } = failure;
  const mend = shortageHint(errnoName(errno)) ?? hint;
  throw new SyscallError({
    syscall: name,
    errno,
    call: text4,
    hint: hintOf(words3, mend)
  });
});
var optional = (function optional(field2) {
  return {
    ...field2,
    optional: true
  };
});
var text3 = (function text3(limits2 = {}) {
  const { min = 0, max = Infinity } = limits2;
  const schema = {
    type: "string",
    ...min > 0 && {
      minLength: min
    },
    ...max < Infinity && {
      maxLength: max
    }
  };
  return field("a string", schema, (value) => {
    if (typeof value !== "string") return mismatch(value, "a string");
    if (value.includes("\0")) return "holds a NUL byte, which no string of the kernel's can";
    const size2 = new TextEncoder().encode(value).length;
    if (size2 < min) return "is empty";
    if (size2 > max) return `has ${size2} bytes; the kernel takes at most ${max}`;
    return void 0;
  });
});
var variableName = (function variableName() {
  const base = text3({
    min: 1
  });
  const schema = {
    type: "string",
    pattern: "^[^=]+$"
  };
  return field("a name of a variable", schema, (value) => base.issue(value) ?? (value.includes("=") ? `a name must not contain "="` : void 0));
});
var path = (function path() {
  return {
    ...text3({
      min: 1,
      max: PATH_BYTES
    }),
    expected: "a path"
  };
});
var absolutePath = (function absolutePath() {
  const base = path();
  const schema = {
    ...base.schema,
    pattern: "^/(?!(.*/)?\\.\\.(/|$))"
  };
  return field("a path that begins with /", schema, (value) => {
    const issue = base.issue(value);
    if (issue !== void 0) return issue;
    if (!value.startsWith("/")) return `"${value}" has to begin with /`;
    if (value.split("/").includes("..")) return `"${value}" must not contain ".."`;
    return void 0;
  });
});
var integer = (function integer(min = 0, max = Number.MAX_SAFE_INTEGER) {
  const expected = max === Number.MAX_SAFE_INTEGER ? `a whole number, ${min} or more` : `a whole number from ${min} to ${max}`;
  const schema = {
    type: "integer",
    minimum: min,
    maximum: max
  };
  return field(expected, schema, (value) => {
    if (typeof value !== "number" || !Number.isInteger(value)) return mismatch(value, expected);
    if (value < min || value > max) return `${value} is not ${expected}`;
    return void 0;
  });
});
var id = (function id() {
  return integer(0, 4294967294);
});
var modeBits = (function modeBits() {
  return integer(0, 4095);
});
var boolean = (function boolean() {
  return field("true or false", {
    type: "boolean"
  }, (value) => {
    if (typeof value !== "boolean") return mismatch(value, "true or false");
    return void 0;
  });
});
var oneOf = (function oneOf(words3) {
  const expected = words3.map((word4) => `"${word4}"`).join(", ");
  return field(`one of ${expected}`, {
    enum: words3
  }, (value) => {
    if (typeof value !== "string") return mismatch(value, `one of ${expected}`);
    if (words3.includes(value)) return void 0;
    const near = nearest(value, words3);
    return near === void 0 ? `"${value}" is none of ${expected}` : `"${value}" is none of ${expected}; did you mean "${near}"?`;
  });
});
var list = (function list(of, min = 0) {
  const expected = `a list, each ${of.expected}`;
  const schema = {
    type: "array",
    items: schemaOf(of),
    ...min > 0 && {
      minItems: min
    }
  };
  return field(expected, schema, (value) => {
    if (!Array.isArray(value)) return mismatch(value, expected);
    if (value.length < min) return `needs at least ${min === 1 ? "one" : min}: ${of.expected}`;
    for (const [index, item] of value.entries()) {
      const issue = of.issue(item);
      if (issue !== void 0) return `number ${index + 1}: ${issue}`;
    }
    return void 0;
  });
});
var dictionary = (function dictionary(key, of) {
  const expected = `an object, each value ${of.expected}`;
  const schema = {
    type: "object",
    propertyNames: schemaOf(key),
    additionalProperties: schemaOf(of)
  };
  return field(expected, schema, (value) => {
    if (!isObject(value)) return mismatch(value, expected);
    for (const [name, item] of Object.entries(value)) {
      const issue = key.issue(name) ?? of.issue(item);
      if (issue !== void 0) return `"${name}": ${issue}`;
    }
    return void 0;
  });
});
var invalidField = (function invalidField(value, fields) {
  const names = Object.keys(fields);
  for (const name of Object.keys(value)) {
    if (names.includes(name) || value[name] === void 0) continue;
    const near = nearest(name, names);
    const known = names.length === 0 ? "there are no fields" : `the fields are ${names.join(", ")}`;
    return {
      field: name,
      issue: `is unknown; ${near === void 0 ? known : `did you mean "${near}"?`}`
    };
  }
  for (const [name, field2] of Object.entries(fields)) {
    const given = value[name];
    if (given === void 0) {
      if (field2.optional) continue;
      return {
        field: name,
        issue: `is missing: ${field2.expected}`
      };
    }
    const issue = field2.issue(given);
    if (issue !== void 0) return {
      field: name,
      issue
    };
  }
  return void 0;
});
var isObject = (function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
});
var schemaOf = (function schemaOf(field2) {
  return field2.schema ?? {};
});
var field = (function field(expected, schema, issue) {
  return {
    expected,
    optional: false,
    schema,
    issue
  };
});
var mapRoot = (function mapRoot() {
  return {
    step: "mapRoot"
  };
});
var mapText = (function mapText(ranges) {
  return ranges.map(({ inside: inside2, outside: outside2, count: count2 }) => `${inside2} ${outside2} ${count2}
`).join("");
});
var parseMountOptions = (function parseMountOptions(options, initial = 0) {
  let flags2 = initial;
  const data2 = [];
  for (const option of splitOptions(options ?? "")) {
    const word4 = Object.hasOwn(WORDS, option) ? WORDS[option] : void 0;
    if (word4 !== void 0) flags2 = flags2 & ~(word4.clear ?? 0) | (word4.set ?? 0);
    else if (!option.startsWith("x-") && !option.startsWith("X-")) data2.push(option);
  }
  return {
    flags: flags2 >>> 0,
    data: data2.length === 0 ? null : data2.join(",")
  };
});
var splitOptions = (function splitOptions(options) {
  return options.match(/(?:"[^"]*"|[^,"])+/g) ?? [];
});
var tmpfs = (function tmpfs(target, options = {}) {
  return {
    step: "tmpfs",
    target,
    ...options
  };
});
var proc = (function proc(target = "/proc", options = {}) {
  return {
    step: "proc",
    target,
    ...options
  };
});
var special = (function special(step) {
  return {
    step,
    get fields() {
      return {
        target: absolutePath(),
        options: optional(text3({
          max: 4095
        }))
      };
    },
    issue: ({ options }) => options === void 0 ? void 0 : mountOptionsComplaint(options)
  };
});
var hostname = (function hostname(name) {
  return {
    step: "hostname",
    name
  };
});
var normalize = (function normalize(path2) {
  return "/" + path2.split("/").filter((part) => part !== "" && part !== ".").join("/");
});
var isWithin = (function isWithin(path2, directory) {
  return directory === "/" || path2 === directory || path2.startsWith(`${directory}/`);
});
var directoryOf = (function directoryOf(path2) {
  return path2.slice(0, path2.lastIndexOf("/")) || "/";
});
var once = (function once(make) {
  let made;
  return () => made ??= make();
});
var unshare3 = (function unshare3(...kinds) {
  const last = kinds.at(-1);
  const options = typeof last === "object" ? last : {};
  const names = kinds.filter((kind2) => typeof kind2 !== "object");
  return {
    step: "unshare",
    kinds: names,
    ...options
  };
});
var environmentVariable = (function environmentVariable(name) {
  const value = engine().libc.getenv.call(encoder3.encode(`${name}\0`));
  return value === null ? void 0 : Deno.UnsafePointerView.getCString(value);
});
var environmentStrings = (function environmentStrings() {
  const list2 = environ();
  const addresses2 = [];
  if (list2 === null) return addresses2;
  const view2 = new Deno.UnsafePointerView(list2);
  for (let offset = 0; ; offset += 8) {
    const address2 = view2.getBigUint64(offset);
    if (address2 === 0n) return addresses2;
    addresses2.push(address2);
  }
});
var environmentBlock = (function environmentBlock(inherited2, changes) {
  const kept = changes.size === 0 ? inherited2 : inherited2.filter((address2) => !changes.has(nameAt(address2)));
  const added = [
    ...changes
  ].map(([name, value]) => `${name}=${value}`);
  const bytes = new Uint8Array((kept.length + added.length + 1) * 8);
  new BigUint64Array(bytes.buffer).set(kept);
  const pointers = added.map((to, i) => ({
    offset: (kept.length + i) * 8,
    to
  }));
  return new Struct(bytes, `[${kept.length + added.length} variables]`, pointers);
});
var environ = (function environ() {
  const variable = new Deno.UnsafePointerView(engine().libc.environ);
  return Deno.UnsafePointer.create(variable.getBigUint64());
});
var epoll_create1 = (function epoll_create1(flagBits) {
  return call("epoll_create1", flags(flagBits, {
    EPOLL_CLOEXEC
  }));
});
var epollLayout = (function epollLayout(architecture) {
  return architecture === "x86_64" ? {
    data: 4,
    size: 12
  } : {
    data: 8,
    size: 16
  };
});
var epoll_ctl = (function epoll_ctl(epoll, operation, fd, event, architecture) {
  const { data: data2, size: size2 } = epollLayout(architecture);
  const bytes = new Uint8Array(size2);
  const view2 = new DataView(bytes.buffer);
  view2.setUint32(0, event.events, true);
  view2.setUint32(data2, event.data, true);
  const text4 = () => `{${flags(event.events, EPOLL_EVENTS).text}, ${event.data}}`;
  const struct = new Struct(bytes, text4);
  const named = constant(operation, {
    EPOLL_CTL_ADD,
    EPOLL_CTL_DEL,
    EPOLL_CTL_MOD
  });
  return call("epoll_ctl", epoll, named, fd, struct);
});
var epollOutput = (function epollOutput(count2, architecture) {
  return new Output(count2 * epollLayout(architecture).size, "&events");
});
var epoll_pwait = (function epoll_pwait(epoll, events, milliseconds, architecture) {
  const count2 = events.size / epollLayout(architecture).size;
  return call("epoll_pwait", epoll, events, count2, milliseconds, null, SIGSET_SIZE3);
});
var readEpollEvents = (function readEpollEvents(events, count2, architecture) {
  const { data: data2, size: size2 } = epollLayout(architecture);
  return Array.from({
    length: count2
  }, (_, index) => ({
    events: events.getUint32(index * size2, true),
    data: events.getUint32(index * size2 + data2, true)
  }));
});
var reactor = (function reactor() {
  return started ??= new Reactor();
});
var readSome2 = (function readSome2(fd) {
  const { buffer } = transfers();
  const count2 = transfer("read", fd, BUFFER_SIZE);
  return count2 === void 0 ? void 0 : buffer.bytes.slice(0, count2);
});
var transfers = (function transfers() {
  return engine().once("transfers", () => {
    const loaded2 = engine();
    const buffer = loaded2.allocate(BUFFER_SIZE);
    const table = (direction) => {
      const described = call(direction, 0, buffer.address, 0);
      const program = assemble([
        {
          call: described
        }
      ], loaded2.architecture);
      const memory = loaded2.allocate(program.bytes.length);
      place(program, memory);
      return memory;
    };
    return {
      buffer,
      read: table("read"),
      write: table("write")
    };
  });
});
var transfer = (function transfer(direction, fd, size2) {
  const table = transfers()[direction];
  for (; ; ) {
    table.view.setUint32(argumentOffset(0, 0), fd, true);
    table.view.setUint32(argumentOffset(0, 2), size2, true);
    const errno = engine().runIn(table);
    if (errno === 0) return table.view.getUint32(resultOffset(0), true);
    if (errno === ERRNO.EAGAIN) return void 0;
    if (errno === ERRNO.EIO && direction === "read") return 0;
    if (errno !== ERRNO.EINTR) throw new SyscallError({
      syscall: direction,
      errno
    });
  }
});
var commandOutput = (function commandOutput(status, stdout, stderr) {
  const collected = (name, bytes) => {
    if (bytes === void 0) throw new TypeError(`Cannot get '${name}': '${name}' is not piped`);
    return bytes;
  };
  return {
    ...status,
    get stdout() {
      return collected("stdout", stdout);
    },
    get stderr() {
      return collected("stderr", stderr);
    }
  };
});
var clone3 = (function clone3(flagBits, stored, cgroup) {
  const bits = flagBits + CLONE_PARENT_SETTID + (cgroup === void 0 ? 0 : CLONE_INTO_CGROUP);
  const signal = (flagBits & CLONE_PARENT) === 0 ? SIGNALS.SIGCHLD : 0;
  const args = argsOf(BigInt(bits), signal, Number(cgroup?.value ?? 0));
  const exit = signal === 0 ? "" : ", exit_signal=SIGCHLD";
  const group = cgroup === void 0 ? "" : `, cgroup=${cgroup.text}`;
  const text4 = `{flags=${flags(bits, FLAGS2).text}${exit}${group}}`;
  const struct = new Struct(args, text4, [
    {
      offset: ARGS.parentTid,
      to: stored
    }
  ]);
  return call("clone3", struct, ARGS.size);
});
var clone3Probe = (function clone3Probe() {
  const unknownFlag = 1n << 63n;
  return call("clone3", new Struct(argsOf(unknownFlag, 0, 1), "{flags=1<<63}"), ARGS.size);
});
var argsOf = (function argsOf(flagBits, exitSignal, cgroup) {
  const bytes = new Uint8Array(ARGS.size);
  const view2 = new DataView(bytes.buffer);
  view2.setBigUint64(ARGS.flags, flagBits, true);
  view2.setUint32(ARGS.exitSignal, exitSignal, true);
  view2.setInt32(ARGS.cgroup, cgroup, true);
  return bytes;
});
var lockProcess = (function lockProcess() {
  return call("futex", WORD, LOCK, 0, null);
});
var unlockProcess = (function unlockProcess() {
  return call("futex", WORD, UNLOCK);
});
var prepareLock = (function prepareLock() {
  engine().once("the process's lock", () => {
    const map = call("mmap", WORD, SIZE2, PROTECTION, MAPPING, -1, 0);
    syscalls([
      {
        call: map,
        accept: [
          "EEXIST"
        ]
      }
    ]);
    return true;
  });
});
var newProcess = (function newProcess() {
  return {
    parts: [],
    pid: new Output(4, "&pid"),
    then: "exec",
    ownMemory: false
  };
});
var compareWord = (function compareWord(word4, value) {
  return call("futex", word4, FUTEX_CMP_REQUEUE_PRIVATE, 0, 0, word4, value);
});
var baseOf = (function baseOf(draft, path2) {
  const root = draft.sequence.rootOf(path2);
  if (root !== void 0) return {
    directory: root,
    resolve: RESOLVE_IN_ROOT
  };
  const { target, own } = draft.container.ground.mountOf(path2);
  if (!own || target === normalize(path2)) return void 0;
  return target === "/" ? void 0 : {
    directory: target,
    resolve: RESOLVE_BENEATH
  };
});
var isUnwatched = (function isUnwatched(draft, path2) {
  return baseOf(draft, path2) === void 0 && draft.gate?.places.resolvedPath(path2) === void 0;
});
var needsMountPoint = (function needsMountPoint(draft, path2) {
  return !draft.container.ground.isThere(path2) && draft.container.ground.isContainerMount(directoryOf(normalize(path2)));
});
var mountAt = (function mountAt(draft, source, target, type, flags2, data2) {
  checkOptions(draft, data2);
  refuseRoot(draft, target);
  if (needsMountPoint(draft, target)) makeMountPoint(draft, target, "directory");
  if (isUnwatched(draft, target)) {
    draft.call(mount(source, target, type, flags2, data2));
  } else {
    inPlace(draft, openAt(draft, target, O_PATH | O_DIRECTORY), () => {
      draft.call(mount(source, ".", type, flags2, data2));
    });
  }
  draft.container.ground.mounted(target, true);
});
var checkOptions = (function checkOptions(draft, data2) {
  const size2 = new TextEncoder().encode(data2 ?? "").length;
  if (size2 > OPTION_BYTES) {
    draft.refuse(`the options have ${size2} bytes, and mount(2) takes ${OPTION_BYTES}; use less`);
  }
});
var refuseRoot = (function refuseRoot(draft, target) {
  if (normalize(target) !== "/") return;
  draft.refuse("what is mounted on / is seen by nobody, as paths begin below it; mount it in a directory, on a tmpfs for instance, and make that the root with pivotRoot()");
});
var openDirectory = (function openDirectory(path2) {
  const flags2 = O_PATH | O_DIRECTORY | O_CLOEXEC;
  return openat2(at_fdcwd, path2, {
    flags: flags2,
    resolve: RESOLVE_NO_MAGICLINKS
  });
});
var openDevNull = (function openDevNull() {
  return openat(at_fdcwd, "/dev/null", O_RDWR | O_CLOEXEC, 0);
});
var tieToScript = (function tieToScript(writer, draft, order2) {
  if (draft.deathSignal === 0) return;
  writer.add(prctl(PR_SET_PDEATHSIG, draft.deathSignal), CHILD_EDGES);
  const { script, thread } = order2.resources;
  if (thread !== void 0 && !draft.stages.some((stage) => stage.ownMemory)) {
    const alive = compareWord(new Named(thread.address, "&tid"), new Named(thread.id, "tid"));
    writer.add(alive, {
      ...CHILD_EDGES,
      accept: [
        "EAGAIN"
      ],
      onAccepted: EXIT_CHILD
    });
  } else {
    writer.add(ppoll([
      {
        fd: script,
        events: POLLIN
      }
    ], 0), {
      ...CHILD_EDGES,
      onSuccess: EXIT_CHILD
    });
  }
});
var writeOrder = (function writeOrder(writer, draft, order2) {
  const add = (call2) => writer.add(call2, CHILD_EDGES);
  if (draft.container.ground.hasMounts) enterAgain(writer);
  if (order2.cwd !== void 0) enterDirectory(add, order2.cwd);
  if (order2.terminal === void 0) {
    connectStdio(add, order2.stdio);
    if (draft.container.terminals !== void 0) useOwnNull(writer, order2.stdio);
  } else {
    if (!draft.container.sessionLeader) add(setsid());
    connectTerminal(add, order2.terminal);
  }
  if (order2.uid !== void 0 || order2.gid !== void 0) {
    if (!draft.container.setgroupsDenied) add(setgroups([]));
    if (order2.gid !== void 0) add(setresgid(order2.gid, order2.gid, order2.gid));
    if (order2.uid !== void 0) add(setresuid(order2.uid, order2.uid, order2.uid));
  }
  tieToScript(writer, draft, order2);
  if (draft.stages.length > 1) add(prctl(PR_SET_DUMPABLE, 0));
  if (draft.listener !== void 0) sendListener(add, draft.listener, order2);
  add(close_range(3, 4294967295, CLOSE_RANGE_CLOEXEC));
  add(rt_sigprocmask("none", null));
  for (const call2 of draft.beforeProgram) add(call2);
  return writeExecCandidates(writer, order2);
});
var enterAgain = (function enterAgain(writer) {
  const path2 = new Output(4096, "&path");
  const [lost, done] = [
    new Label("the directory is gone"),
    new Label("the directory is entered")
  ];
  const otherwise = {
    ...CHILD_EDGES,
    accept: [
      "ENOENT",
      "ENOTDIR",
      "EACCES",
      "ELOOP"
    ],
    onAccepted: lost
  };
  writer.add(getcwd(path2), otherwise);
  const directory = new ResultOf(writer.add(openDirectory(path2), otherwise), "directory");
  writer.add(fchdir(directory), {
    ...otherwise,
    onZero: done
  });
  writer.place(lost);
  writer.add(chdir("/"), CHILD_EDGES);
  writer.place(done);
});
var connectStdio = (function connectStdio(add, stdio) {
  stdio.forEach((kind2, fd) => {
    if (kind2 === "inherit") return;
    add(dup3(kind2 === "null" ? new ResultOf(openNull, "null") : kind2.fd, fd, 0));
  });
});
var writeExecCandidates = (function writeExecCandidates(writer, order2) {
  const paths = candidates(order2.program, order2.searchPath);
  const argv = pointerList([
    order2.program,
    ...order2.args
  ], `[${[
    order2.program,
    ...order2.args
  ].map((arg) => JSON.stringify(arg)).join(", ")}]`);
  const tellWhy = new Label("tell why");
  const attempts = paths.map((path2, index) => {
    const last = index === paths.length - 1;
    const call2 = writer.add(execve(path2, argv, order2.environment), last ? {
      onFailure: tellWhy
    } : {
      accept: NOT_HERE,
      onFailure: tellWhy
    });
    return {
      path: path2,
      execve: call2
    };
  });
  writer.chapter = "failure";
  writer.place(tellWhy);
  return attempts.map(({ path: path2, execve: execve2 }) => {
    const next = new Label(`after ${path2}`);
    const exists = writer.add(faccessat(at_fdcwd, path2, F_OK), {
      onFailure: next
    });
    const opened = writer.add(openat(at_fdcwd, path2, O_RDONLY | O_CLOEXEC, 0), {
      onFailure: next
    });
    const head = new Output(256, "&head");
    const readHead = writer.add(read(new ResultOf(opened, "fd"), head, 256), {
      onFailure: next
    });
    writer.place(next);
    return {
      path: path2,
      execve: execve2,
      exists,
      readHead,
      head
    };
  });
});
var candidates = (function candidates(program, searchPath) {
  if (program.includes("/")) return [
    program
  ];
  return searchPath.split(":").map((directory) => directory === "" ? program : `${directory}/${program}`);
});
var link = (function link(draft, order2) {
  const writer = new ProgramWriter();
  const vfork = draft.meetings.length === 0;
  const needsSockets = !vfork || order2.terminal?.place === "container" || draft.listener !== void 0;
  const labels = draft.stages.map((_, index) => new Label(`process ${index + 1}`));
  const [restore, closing] = [
    new Label("restore"),
    new Label("closing")
  ];
  const mask2 = new Output(8, "&mask");
  writer.chapter = "script";
  const sockets = needsSockets ? writer.add(socketpair(SYNC_SOCKETS), {
    onFailure: END
  }) : void 0;
  if (!vfork) writer.add(passCredentials(SCRIPT_SOCKET, true), {
    onFailure: closing
  });
  let dumpable;
  const [changes, minds] = [
    changesDumpability(draft, order2),
    mindsDumpability(draft)
  ];
  if (changes || minds) writer.add(lockProcess(), {
    accept: LOCKLESS,
    onFailure: closing
  });
  if (changes || minds && !vfork) {
    dumpable = writer.add(prctl(PR_GET_DUMPABLE), {
      onFailure: closing
    });
    if (draft.container.exposed) writer.add(prctl(PR_SET_DUMPABLE, 0), {
      onFailure: closing
    });
  }
  writer.add(rt_sigprocmask("all", mask2), {
    onFailure: closing
  });
  writer.chapter = "clone";
  const cloned = writer.add(cloneStage(draft, order2, 0, vfork ? CLONE_VFORK : 0), {
    onZero: labels[0],
    onFailure: restore
  });
  writer.chapter = "script";
  writer.place(restore);
  writer.add(rt_sigprocmask(mask2, null));
  writer.place(closing);
  if (minds && dumpable === void 0) {
    const unlocked = new Label("unlocked");
    writer.add(unlockProcess(), {
      accept: LOCKLESS,
      onFailure: unlocked
    });
    writer.place(unlocked);
  }
  if (needsSockets) writer.add(close(CONTAINER_SOCKET));
  let pidfd;
  if (vfork) {
    pidfd = writer.add(pidfd_open(new OutputField(draft.main.pid, 0, "pid"), 0));
  }
  writer.end();
  let attempts = [];
  draft.stages.forEach((stage, index) => {
    writer.place(labels[index]);
    writer.chapter = "begin";
    if (index === 0) {
      defaultSignals(writer, order2);
      if (needsSockets) writer.add(close(SCRIPT_SOCKET), CHILD_EDGES);
      if (order2.stdio.includes("null")) writer.add(openNull, CHILD_EDGES);
    }
    if (draft.stages[index - 1]?.then !== "init") tieToScript(writer, draft, order2);
    if (index === firstOf2(draft)) enterGroup(writer, draft, order2);
    for (const part of stage.parts) writer.part(part);
    if (stage.then === "exec") {
      writer.chapter = "program";
      attempts = writeOrder(writer, draft, order2);
      return;
    }
    writer.chapter = "clone";
    const flags2 = CLONE_VFORK | (stage.then === "exit" ? CLONE_PARENT : 0);
    const cloned2 = writer.add(cloneStage(draft, order2, index + 1, flags2), {
      ...CHILD_EDGES,
      onZero: labels[index + 1]
    });
    if (stage.then === "exit") writer.add(exit_group(0));
    else becomeInit(writer, draft, order2, cloned2);
  });
  writer.chapter = "failure";
  writer.place(EXIT_CHILD);
  writer.add(exit_group(127));
  return {
    parts: writer.parts,
    vfork,
    chapters: writer.chapters,
    clone: cloned,
    sockets,
    pidfd,
    dumpable,
    attempts
  };
});
var firstOf2 = (function firstOf2(draft) {
  return draft.shielded ? 1 : 0;
});
var changesDumpability = (function changesDumpability(draft, order2) {
  return draft.container.exposed || draft.stages.length > 1 || order2.uid !== void 0 || order2.gid !== void 0 || makesCall(draft, ({ name }) => CHANGES_IDS.has(name));
});
var mindsDumpability = (function mindsDumpability(draft) {
  return makesCall(draft, ({ args }) => args.some((argument) => typeof argument === "string" && argument.startsWith("/proc/self/")));
});
var makesCall = (function makesCall(draft, fits) {
  return draft.stages.some(({ parts }) => parts.some((part) => "call" in part && fits(part.call)));
});
var cloneStage = (function cloneStage(draft, order2, index, ways) {
  const { pid, ownMemory } = draft.stages[index];
  const isContainer = index === firstOf2(draft);
  const entrance = isContainer ? order2.entrance : void 0;
  const later = entrance === void 0 ? 0 : CLONE_NEWCGROUP;
  const flags2 = ways | (ownMemory ? 0 : CLONE_VM) | (isContainer ? draft.cloneFlags & ~later : 0);
  const resets = index === 0 && order2.resources.ignored !== void 0;
  if (!resets && entrance?.directory === void 0) return clone(flags2, pid);
  return clone3(flags2 + (resets ? CLONE_CLEAR_SIGHAND : 0), pid, entrance?.directory);
});
var enterGroup = (function enterGroup(writer, draft, { entrance }) {
  if (entrance === void 0) return;
  writer.chapter = "limits";
  for (const file of entrance.files) writer.add(write(file, MYSELF, MYSELF.length), CHILD_EDGES);
  if ((draft.cloneFlags & CLONE_NEWCGROUP) !== 0) {
    writer.add(unshare(CLONE_NEWCGROUP), CHILD_EDGES);
  }
});
var defaultSignals = (function defaultSignals(writer, { resources: resources2 }) {
  for (const signal of resources2.ignored ?? CHANGEABLE_SIGNALS) {
    writer.add(rt_sigaction(signal, "SIG_DFL"), CHILD_EDGES);
  }
});
var runCleanups = (function runCleanups(endings) {
  const errors = [];
  for (const end of endings.toReversed()) {
    try {
      end();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
});
var reapStatus = (function reapStatus(pidfd, wait = false) {
  const info = siginfoOutput();
  const call2 = waitid(P_PIDFD, pidfd, info, wait ? WEXITED : WEXITED | WNOHANG);
  return statusIn(syscalls([
    {
      call: call2,
      accept: [
        "EINTR"
      ]
    }
  ]).output(info));
});
var statusIn = (function statusIn(info) {
  const state = readChildState(info);
  if (state === void 0) return void 0;
  const { code, status } = state;
  const rest = {
    timedOut: false,
    outOfMemory: false
  };
  if (code === CLD_EXITED) return {
    success: status === 0,
    code: status,
    signal: null,
    ...rest
  };
  return {
    success: false,
    code: 128 + status,
    signal: signalName2(status),
    ...rest
  };
});
var concat = (function concat(parts) {
  const whole = new Uint8Array(parts.reduce((sum2, part) => sum2 + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
});
var conclude = (function conclude({ pidfd, endings }, descriptors, status, stdout, stderr) {
  syscalls([
    pidfd,
    ...descriptors
  ].flatMap((fd) => fd === void 0 ? [] : [
    {
      call: close(fd)
    }
  ]));
  runCleanups(endings);
  return commandOutput(status, stdout, stderr);
});
var checkCommand = (function checkCommand(program, options) {
  const issue = text3({
    min: 1
  }).issue(program);
  if (issue !== void 0) throw new RecipeError(`the program's name ${issue}`);
  const wrong = invalidField({
    ...options,
    cwd: options.cwd && pathOf2(options.cwd)
  }, FIELDS);
  if (wrong !== void 0) {
    throw new RecipeError(`the command's option "${wrong.field}" ${wrong.issue}`);
  }
});
var pathOf2 = (function pathOf2(path2) {
  if (typeof path2 === "string") return path2;
  if (path2.protocol !== "file:") throw new RecipeError(`${path2} is no file: URL`);
  return decodeURIComponent(path2.pathname);
});
var hasClone3 = (function hasClone3() {
  return engine().once("clone3", () => {
    const outcome = engine().run(assemble([
      {
        call: clone3Probe()
      }
    ], engine().architecture));
    return outcome.failed?.errno === ERRNO.EINVAL;
  });
});
var openInheritedFds = (function openInheritedFds(draft) {
  const descriptors = /* @__PURE__ */ new Map();
  for (const { call: call2, descriptor, check, stepIndex } of draft.handed) {
    try {
      descriptors.set(descriptor, syscall(call2));
      check?.();
    } catch (error) {
      closeInheritedFds(descriptors);
      throw stepError(error, draft, stepIndex);
    }
  }
  return descriptors;
});
var bindSlots = (function bindSlots(program, descriptors) {
  const { bytes, outputs } = program;
  const view2 = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (const [output, number] of descriptors) {
    const at2 = outputs.get(output);
    if (at2 !== void 0) view2.setInt32(at2, number, true);
  }
});
var closeInheritedFds = (function closeInheritedFds(descriptors) {
  for (const number of descriptors.values()) syscall(close(number));
});
var callerOf = (function callerOf() {
  const [uid, gid, capabilities2] = [
    geteuid(),
    getegid(),
    capabilityOutput()
  ];
  const outcome = syscalls([
    {
      call: uid
    },
    {
      call: gid
    },
    {
      call: capget(capabilities2)
    }
  ]);
  const { effective, inheritable } = readCapabilities(outcome.output(capabilities2));
  return {
    euid: Number(outcome.result(uid)),
    egid: Number(outcome.result(gid)),
    inheritable,
    mayChangeNetwork: effective.includes("CAP_NET_ADMIN"),
    mayMapIds: effective.includes("CAP_SETUID") && effective.includes("CAP_SETGID")
  };
});
var scriptPidfd = (function scriptPidfd() {
  return engine().once("script's pidfd", () => syscall(call("pidfd_open", Deno.pid, 0), "containers need this call: Linux 5.3, and no seccomp filter that hides it"));
});
var scriptThread = (function scriptThread() {
  return engine().once("script's thread", () => {
    const [address2, id2] = [
      new Output(8, "&address"),
      gettid()
    ];
    const asked = {
      call: prctl(PR_GET_TID_ADDRESS, address2),
      accept: [
        "EINVAL"
      ]
    };
    const outcome = syscalls([
      {
        call: id2
      },
      asked
    ]);
    const thread = {
      address: outcome.output(address2).getBigUint64(0, true),
      id: Number(outcome.result(id2))
    };
    const word4 = Deno.UnsafePointer.create(thread.address);
    if (word4 === null) return void 0;
    return new Deno.UnsafePointerView(word4).getInt32() === thread.id ? thread : void 0;
  });
});
var ignoredSignals = (function ignoredSignals() {
  return engine().once("ignored signals", () => {
    const asked = CHANGEABLE_SIGNALS.map((signal) => {
      const action = sigactionOutput();
      return {
        signal,
        action,
        call: rt_sigaction(signal, null, action)
      };
    });
    const outcome = syscalls(asked.map(({ call: call2 }) => ({
      call: call2
    })));
    return asked.filter(({ action }) => isIgnored(outcome.output(action))).map(({ signal }) => signal);
  });
});
var resources = (function resources(hasInit) {
  return {
    script: scriptPidfd(),
    init: hasInit ? initImage() : -1,
    thread: scriptThread(),
    ignored: hasClone3() ? ignoredSignals() : void 0
  };
});
var stdioSlots = (function stdioSlots(kinds) {
  return kinds.map((kind2, fd) => kind2 === "piped" ? {
    fd: new OutputField(PLACES[fd], 0, PLACES[fd].text.slice(1))
  } : kind2);
});
var openPipe = (function openPipe(fd) {
  const ends = new Output(8, "&ends");
  const opened = syscalls([
    {
      call: pipe2(ends, O_CLOEXEC)
    }
  ]).output(ends);
  const [readable, writable] = [
    opened.getInt32(0, true),
    opened.getInt32(4, true)
  ];
  return fd === 0 ? {
    ours: writable,
    theirs: readable
  } : {
    ours: readable,
    theirs: writable
  };
});
var prepare = (function prepare(draft, order2) {
  const layout = link(draft, order2);
  return {
    draft,
    order: order2,
    layout,
    program: assemble(layout.parts, engine().architecture)
  };
});
var spawn = (function spawn(prepared, numbers, alter) {
  const { draft, order: order2 } = prepared;
  const cgroup = ContainerCgroup.make(draft);
  if (cgroup === void 0) return launchHanded(prepared, numbers, alter);
  try {
    const inGroup = prepare(draft, {
      ...order2,
      entrance: cgroup.entrance
    });
    const launched = launchHanded(inGroup, numbers, alter);
    cgroup.entered();
    return {
      ...launched,
      cgroup
    };
  } catch (error) {
    cgroup.discard();
    throw error;
  }
});
var launchHanded = (function launchHanded(prepared, numbers, alter) {
  const handed = openInheritedFds(prepared.draft);
  try {
    bindSlots(prepared.program, numbers);
    bindSlots(prepared.program, handed);
    return start(prepared, alter);
  } finally {
    closeInheritedFds(handed);
  }
});
var start = (function start({ draft, order: order2, layout, program }, alter) {
  const loaded2 = engine();
  prepareLock();
  alter?.(program, layout);
  const copied = draft.stages.some((stage) => stage.ownMemory);
  const memory = layout.vfork && !copied ? void 0 : loaded2.allocate(program.bytes.length, copied ? "shared" : "private");
  let outcome;
  if (memory === void 0) outcome = loaded2.run(program);
  else {
    place(program, memory);
    loaded2.runIn(memory);
    outcome = new RunResult(program, memory.view);
  }
  const started2 = {
    draft,
    order: order2,
    layout,
    outcome
  };
  let terminal;
  let listener;
  const endings = [];
  try {
    if (layout.vfork) restoreDumpable(started2);
    if (!layout.vfork && outcome.failed === void 0) {
      const socket = socketOf(outcome);
      serveSyncPoints(draft, socket, (tool, args) => runIdMapTool(launch, tool, args), endings);
      if (order2.terminal?.place === "container") terminal = receive(socket);
      if (draft.listener !== void 0) listener = receive(socket);
      waitForEnd(socket);
      restoreDumpable(started2);
    }
    if (outcome.failed !== void 0 || !hasBegun(started2)) throw launchError(started2);
    if (order2.terminal?.place === "container") terminal ??= receive(socketOf(outcome));
    if (draft.listener !== void 0) listener ??= receive(socketOf(outcome));
    const pid = children(started2).at(-1);
    const pidfd = layout.pidfd === void 0 ? syscall(pidfd_open(pid, 0)) : Number(outcome.result(layout.pidfd));
    for (const passed of children(started2).slice(0, -1)) reap(passed);
    if (hasSockets(started2)) syscall(close(socketOf(outcome)));
    return {
      pid,
      pidfd,
      terminal,
      listener,
      endings
    };
  } catch (thrown) {
    const error = outcome.failed === void 0 ? thrown : launchError(started2);
    for (const fd of [
      terminal,
      listener
    ]) if (fd !== void 0) syscall(close(fd));
    clearAway(started2);
    try {
      runCleanups(endings);
    } catch {
    }
    if (!layout.vfork) restoreDumpable(started2);
    throw error;
  } finally {
    if (memory !== void 0) loaded2.release(memory);
  }
});
var hasBegun = (function hasBegun({ layout, outcome }) {
  return layout.attempts.some(({ execve: execve2 }) => outcome.result(execve2) === PENDING);
});
var restoreDumpable = (function restoreDumpable({ layout, outcome }) {
  if (layout.dumpable === void 0) return;
  const dumpable = Number(outcome.result(layout.dumpable));
  const restore = prctl(PR_SET_DUMPABLE, dumpable);
  syscalls([
    // 0 is also what stands there when the launch has not come as far.
    ...dumpable > 0 ? [
      {
        call: restore,
        accept: [
          "EINVAL"
        ]
      }
    ] : [],
    {
      call: unlockProcess(),
      accept: LOCKLESS
    }
  ]);
});
var children = (function children({ draft, outcome }) {
  const pids = [];
  for (const stage of draft.stages) {
    const pid = pidOf2(outcome, stage.pid);
    if (pid > 0) pids.push(pid);
    if (stage.then === "init") break;
  }
  return pids;
});
var pidOf2 = (function pidOf2(outcome, stage) {
  return outcome.output(stage).getInt32(0, true);
});
var hasSockets = (function hasSockets({ layout, outcome }) {
  return layout.sockets !== void 0 && outcome.result(layout.sockets) === 0n;
});
var collectPromptly = (async function collectPromptly(launched, descriptors, timeout = Infinity) {
  if (launched.cgroup !== void 0 || !await reactor().mayBlock()) return void 0;
  const { pidfd } = launched;
  const info = siginfoOutput();
  const closed = descriptors.flatMap((fd) => fd === void 0 ? [] : [
    ppoll([
      {
        fd,
        events: 0
      }
    ], 0)
  ]);
  const waits = [
    ppoll([
      {
        fd: pidfd,
        events: POLLIN
      }
    ], Math.min(PATIENCE_MS, timeout)),
    ...closed
  ];
  const outcome = syscalls([
    ...waits.map((call2) => ({
      call: call2,
      accept: UNANSWERED,
      onZero: END,
      onAccepted: END
    })),
    {
      call: waitid(P_PIDFD, pidfd, info, WEXITED),
      accept: UNANSWERED
    }
  ]);
  const status = statusIn(outcome.output(info));
  if (status === void 0) return void 0;
  const [, stdout, stderr] = descriptors.map((fd) => fd === void 0 ? void 0 : readAll(fd));
  return conclude(launched, descriptors, status, stdout, stderr);
});
var readAll = (function readAll(fd) {
  const parts = [];
  for (; ; ) {
    const bytes = readSome2(fd);
    if (bytes === void 0 || bytes.length === 0) return concat(parts);
    parts.push(bytes);
  }
});
var isSame = (function isSame(one, other) {
  return one.length === other.length && one.every((address2, index) => address2 === other[index]);
});
var lowerMapRoot = (function lowerMapRoot(_step, draft) {
  mapOwnIds(draft, 0, 0);
});
var idsOf2 = (function idsOf2({ ids: ids2, caller }) {
  return ids2 ?? {
    uid: caller.euid,
    gid: caller.egid
  };
});
var mapOwnIds = (function mapOwnIds(draft, uid, gid) {
  const own = idsOf2(draft.container);
  claimMaps(draft);
  draft.gate?.writesProc();
  denySetgroups(draft);
  const uids = mapText([
    {
      inside: uid,
      outside: own.uid,
      count: 1
    }
  ]);
  const gids = mapText([
    {
      inside: gid,
      outside: own.gid,
      count: 1
    }
  ]);
  for (const call2 of writeFileCalls("/proc/self/uid_map", uids)) draft.call(call2);
  for (const call2 of writeFileCalls("/proc/self/gid_map", gids)) draft.call(call2);
  draft.container.ids = {
    uid,
    gid
  };
});
var denySetgroups = (function denySetgroups(draft) {
  draft.container.setgroupsDenied = true;
  for (const call2 of writeFileCalls("/proc/self/setgroups", "deny")) draft.call(call2);
});
var writeFileCalls = (function writeFileCalls(path2, text4) {
  const bytes = encoder4.encode(text4);
  const opened = openat(at_fdcwd, path2, O_WRONLY | O_CLOEXEC, 0);
  const fd = new ResultOf(opened, "fd");
  return [
    opened,
    write(fd, bytes, bytes.length),
    close(fd)
  ];
});
var claimMaps = (function claimMaps(draft) {
  draft.needs("user", "there are no ids to map");
  if (draft.container.idsMapped) {
    draft.refuse("the ids are mapped already, and the kernel takes one map only");
  }
  draft.container.idsMapped = true;
});
var keepParentNetns = (function keepParentNetns(draft) {
  draft.container.network = draft.container.own.has("net") ? {
    outside: insideSocket(draft)
  } : {};
});
var lowerTmpfs = (function lowerTmpfs(step, draft) {
  draft.needs("mount", NEEDS_MOUNT);
  const { flags: flags2, data: data2 } = parseMountOptions(step.options, MS_NOSUID | MS_NODEV);
  const words3 = [
    ...step.size === void 0 ? [] : [
      `size=${step.size}`
    ],
    ...step.mode === void 0 ? [] : [
      `mode=${step.mode.toString(8).padStart(4, "0")}`
    ],
    ...data2 === null ? [] : [
      data2
    ]
  ];
  mountAt(draft, "tmpfs", step.target, "tmpfs", flags2, words3.join(",") || null);
});
var lowerKernelFilesystem = (function lowerKernelFilesystem({ step: type, target, options }, draft) {
  draft.needs("mount", NEEDS_MOUNT);
  draft.gate?.mounts({
    source: type,
    target,
    type,
    ...options && {
      options
    }
  });
  const { flags: flags2, data: data2 } = parseMountOptions(options, MS_NOSUID | MS_NODEV | MS_NOEXEC);
  mountAt(draft, type, target, type, flags2, data2);
});
var lowerHostname = (function lowerHostname(step, draft) {
  draft.needs("uts", "it would rename the host");
  draft.call(sethostname(step.name));
});
var setUpRestrictedNetwork = (function setUpRestrictedNetwork(draft) {
  const network = draft.gate?.network;
  if (network === void 0) return;
  inside(draft, (kernel) => kernel.request(setLink("lo", {
    up: true
  })));
  if (network === "loopback") return;
  const socket = new ResultOf(draft.call(tcpSocket()), "proxy");
  draft.call(bindLoopback(socket, PROXY_PORT));
  draft.call(listen(socket, BACKLOG));
  draft.listener = socket;
});
var lowerUnshare = (function lowerUnshare(step, draft) {
  const kinds = new Set(step.kinds);
  if (kinds.has("pid")) draft.needsHostPids();
  if (kinds.has("net")) keepParentNetns(draft);
  enterNamespaces(kinds, draft);
  draft.container.unshares(kinds);
  if (kinds.has("mount")) {
    const propagation2 = step.propagation === "slave" ? MS_SLAVE : MS_PRIVATE;
    draft.call(mount(null, "/", null, MS_REC | propagation2, null));
  }
  if (kinds.has("mount")) draft.gate?.entersMounts();
  if (kinds.has("net")) setUpRestrictedNetwork(draft);
});
var enterNamespaces = (function enterNamespaces(kinds, draft) {
  let flags2 = 0;
  for (const kind2 of kinds) if (kind2 !== "time") flags2 |= CLONE_FLAG[kind2];
  if (draft.untouched) draft.cloneWith(flags2);
  else if (flags2 !== 0) {
    draft.call(unshare(flags2));
    if (kinds.has("pid")) draft.fork("exit");
  }
  if (!kinds.has("time")) return;
  draft.call(unshare(CLONE_NEWTIME));
  enterTime(draft);
});
var lower = (function lower(step, draft) {
  LOWERINGS[step.step](step, draft);
});
var planRecipe = (function planRecipe(steps, gate) {
  const draft = new PlanBuilder(steps, gate);
  steps.forEach((step, index) => {
    draft.sequence.begin(index);
    lower(step, draft);
  });
  return draft;
});
var checkStep = (function checkStep(value, index, definitions) {
  if (!isObject(value) || typeof value["step"] !== "string") {
    throw new RecipeError('is no step: an object with the field "step"', {
      stepIndex: index
    });
  }
  const { step, ...rest } = value;
  const name = step;
  const definition = definitions.get(name);
  if (definition === void 0) {
    const near = nearest(name, [
      ...definitions.keys()
    ]);
    throw new RecipeError(`there is no step "${name}"; ` + (near === void 0 ? `the steps are ${[
      ...definitions.keys()
    ].join(", ")}` : `did you mean "${near}"?`), {
      stepIndex: index
    });
  }
  const wrong = invalidField(rest, definition.fields);
  if (wrong !== void 0) {
    throw new RecipeError(wrong.issue, {
      step: name,
      stepIndex: index,
      field: wrong.field
    });
  }
  const issue = definition.issue?.(value);
  if (issue !== void 0) throw new RecipeError(issue, {
    step: name,
    stepIndex: index
  });
});
var recipe = (function recipe(...ingredients) {
  return new Recipe(ingredients.flatMap((item) => item instanceof Recipe ? item.steps : [
    item
  ]));
});
var frozenCopy = (function frozenCopy(value) {
  if (typeof value !== "object" || value === null) return value;
  const copy2 = Array.isArray(value) ? value.map(frozenCopy) : Object.fromEntries(Object.entries(value).map(([key, item]) => [
    key,
    frozenCopy(item)
  ]));
  return Object.freeze(copy2);
});
var __defProp = Object.defineProperty;
var __export = (target, all) => {
  for (var name in all)
    __defProp(target, name, { get: all[name], enumerable: true });
};

// ffi/errno.ts
var ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  E2BIG: 7,
  ENOEXEC: 8,
  EBADF: 9,
  ECHILD: 10,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  ENOTBLK: 15,
  EBUSY: 16,
  EEXIST: 17,
  EXDEV: 18,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  ENOTTY: 25,
  ETXTBSY: 26,
  EFBIG: 27,
  ENOSPC: 28,
  ESPIPE: 29,
  EROFS: 30,
  EMLINK: 31,
  EPIPE: 32,
  EDOM: 33,
  ERANGE: 34,
  EDEADLK: 35,
  ENAMETOOLONG: 36,
  ENOLCK: 37,
  ENOSYS: 38,
  ENOTEMPTY: 39,
  ELOOP: 40,
  ENOMSG: 42,
  EIDRM: 43,
  ECHRNG: 44,
  EL2NSYNC: 45,
  EL3HLT: 46,
  EL3RST: 47,
  ELNRNG: 48,
  EUNATCH: 49,
  ENOCSI: 50,
  EL2HLT: 51,
  EBADE: 52,
  EBADR: 53,
  EXFULL: 54,
  ENOANO: 55,
  EBADRQC: 56,
  EBADSLT: 57,
  EBFONT: 59,
  ENOSTR: 60,
  ENODATA: 61,
  ETIME: 62,
  ENOSR: 63,
  ENONET: 64,
  ENOPKG: 65,
  EREMOTE: 66,
  ENOLINK: 67,
  EADV: 68,
  ESRMNT: 69,
  ECOMM: 70,
  EPROTO: 71,
  EMULTIHOP: 72,
  EDOTDOT: 73,
  EBADMSG: 74,
  EOVERFLOW: 75,
  ENOTUNIQ: 76,
  EBADFD: 77,
  EREMCHG: 78,
  ELIBACC: 79,
  ELIBBAD: 80,
  ELIBSCN: 81,
  ELIBMAX: 82,
  ELIBEXEC: 83,
  EILSEQ: 84,
  ERESTART: 85,
  ESTRPIPE: 86,
  EUSERS: 87,
  ENOTSOCK: 88,
  EDESTADDRREQ: 89,
  EMSGSIZE: 90,
  EPROTOTYPE: 91,
  ENOPROTOOPT: 92,
  EPROTONOSUPPORT: 93,
  ESOCKTNOSUPPORT: 94,
  EOPNOTSUPP: 95,
  EPFNOSUPPORT: 96,
  EAFNOSUPPORT: 97,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ENETDOWN: 100,
  ENETUNREACH: 101,
  ENETRESET: 102,
  ECONNABORTED: 103,
  ECONNRESET: 104,
  ENOBUFS: 105,
  EISCONN: 106,
  ENOTCONN: 107,
  ESHUTDOWN: 108,
  ETOOMANYREFS: 109,
  ETIMEDOUT: 110,
  ECONNREFUSED: 111,
  EHOSTDOWN: 112,
  EHOSTUNREACH: 113,
  EALREADY: 114,
  EINPROGRESS: 115,
  ESTALE: 116,
  EUCLEAN: 117,
  ENOTNAM: 118,
  ENAVAIL: 119,
  EISNAM: 120,
  EREMOTEIO: 121,
  EDQUOT: 122,
  ENOMEDIUM: 123,
  EMEDIUMTYPE: 124,
  ECANCELED: 125,
  ENOKEY: 126,
  EKEYEXPIRED: 127,
  EKEYREVOKED: 128,
  EKEYREJECTED: 129,
  EOWNERDEAD: 130,
  ENOTRECOVERABLE: 131,
  ERFKILL: 132
};
var TEXT = {
  EPERM: "Operation not permitted",
  ENOENT: "No such file or directory",
  ESRCH: "No such process",
  EINTR: "Interrupted system call",
  EIO: "Input/output error",
  ENXIO: "No such device or address",
  E2BIG: "Argument list too long",
  ENOEXEC: "Exec format error",
  EBADF: "Bad file descriptor",
  ECHILD: "No child processes",
  EAGAIN: "Resource temporarily unavailable",
  ENOMEM: "Cannot allocate memory",
  EACCES: "Permission denied",
  EFAULT: "Bad address",
  ENOTBLK: "Block device required",
  EBUSY: "Device or resource busy",
  EEXIST: "File exists",
  EXDEV: "Invalid cross-device link",
  ENODEV: "No such device",
  ENOTDIR: "Not a directory",
  EISDIR: "Is a directory",
  EINVAL: "Invalid argument",
  ENFILE: "Too many open files in system",
  EMFILE: "Too many open files",
  ENOTTY: "Inappropriate ioctl for device",
  ETXTBSY: "Text file busy",
  EFBIG: "File too large",
  ENOSPC: "No space left on device",
  ESPIPE: "Illegal seek",
  EROFS: "Read-only file system",
  EMLINK: "Too many links",
  EPIPE: "Broken pipe",
  EDOM: "Numerical argument out of domain",
  ERANGE: "Numerical result out of range",
  EDEADLK: "Resource deadlock avoided",
  ENAMETOOLONG: "File name too long",
  ENOLCK: "No locks available",
  ENOSYS: "Function not implemented",
  ENOTEMPTY: "Directory not empty",
  ELOOP: "Too many levels of symbolic links",
  ENOMSG: "No message of desired type",
  EIDRM: "Identifier removed",
  ECHRNG: "FdStream number out of range",
  EL2NSYNC: "Level 2 not synchronized",
  EL3HLT: "Level 3 halted",
  EL3RST: "Level 3 reset",
  ELNRNG: "Link number out of range",
  EUNATCH: "Protocol driver not attached",
  ENOCSI: "No CSI structure available",
  EL2HLT: "Level 2 halted",
  EBADE: "Invalid exchange",
  EBADR: "Invalid request descriptor",
  EXFULL: "Exchange full",
  ENOANO: "No anode",
  EBADRQC: "Invalid request code",
  EBADSLT: "Invalid slot",
  EBFONT: "Bad font file format",
  ENOSTR: "Device not a stream",
  ENODATA: "No data available",
  ETIME: "Timer expired",
  ENOSR: "Out of streams resources",
  ENONET: "Machine is not on the network",
  ENOPKG: "Package not installed",
  EREMOTE: "Object is remote",
  ENOLINK: "Link has been severed",
  EADV: "Advertise error",
  ESRMNT: "Srmount error",
  ECOMM: "Communication error on send",
  EPROTO: "Protocol error",
  EMULTIHOP: "Multihop attempted",
  EDOTDOT: "RFS specific error",
  EBADMSG: "Bad message",
  EOVERFLOW: "Value too large for defined data type",
  ENOTUNIQ: "Name not unique on network",
  EBADFD: "File descriptor in bad state",
  EREMCHG: "Remote address changed",
  ELIBACC: "Can not access a needed shared library",
  ELIBBAD: "Accessing a corrupted shared library",
  ELIBSCN: ".lib section in a.out corrupted",
  ELIBMAX: "Attempting to link in too many shared libraries",
  ELIBEXEC: "Cannot exec a shared library directly",
  EILSEQ: "Invalid or incomplete multibyte or wide character",
  ERESTART: "Interrupted system call should be restarted",
  ESTRPIPE: "Streams pipe error",
  EUSERS: "Too many users",
  ENOTSOCK: "Socket operation on non-socket",
  EDESTADDRREQ: "Destination address required",
  EMSGSIZE: "Message too long",
  EPROTOTYPE: "Protocol wrong type for socket",
  ENOPROTOOPT: "Protocol not available",
  EPROTONOSUPPORT: "Protocol not supported",
  ESOCKTNOSUPPORT: "Socket type not supported",
  EOPNOTSUPP: "Operation not supported",
  EPFNOSUPPORT: "Protocol family not supported",
  EAFNOSUPPORT: "Address family not supported by protocol",
  EADDRINUSE: "Address already in use",
  EADDRNOTAVAIL: "Cannot assign requested address",
  ENETDOWN: "Network is down",
  ENETUNREACH: "Network is unreachable",
  ENETRESET: "Network dropped connection on reset",
  ECONNABORTED: "Software caused connection abort",
  ECONNRESET: "Connection reset by peer",
  ENOBUFS: "No buffer space available",
  EISCONN: "Transport endpoint is already connected",
  ENOTCONN: "Transport endpoint is not connected",
  ESHUTDOWN: "Cannot send after transport endpoint shutdown",
  ETOOMANYREFS: "Too many references: cannot splice",
  ETIMEDOUT: "Connection timed out",
  ECONNREFUSED: "Connection refused",
  EHOSTDOWN: "Host is down",
  EHOSTUNREACH: "No route to host",
  EALREADY: "Operation already in progress",
  EINPROGRESS: "Operation now in progress",
  ESTALE: "Stale file handle",
  EUCLEAN: "Structure needs cleaning",
  ENOTNAM: "Not a XENIX named type file",
  ENAVAIL: "No XENIX semaphores available",
  EISNAM: "Is a named type file",
  EREMOTEIO: "Remote I/O error",
  EDQUOT: "Disk quota exceeded",
  ENOMEDIUM: "No medium found",
  EMEDIUMTYPE: "Wrong medium type",
  ECANCELED: "Operation canceled",
  ENOKEY: "Required key not available",
  EKEYEXPIRED: "Key has expired",
  EKEYREVOKED: "Key has been revoked",
  EKEYREJECTED: "Key was rejected by service",
  EOWNERDEAD: "Owner died",
  ENOTRECOVERABLE: "State not recoverable",
  ERFKILL: "Operation not possible due to RF-kill"
};
function errnoName(errno) {
  const entry = Object.entries(ERRNO).find(([, number]) => number === errno);
  return entry?.[0];
}
function errnoText(name) {
  return TEXT[name];
}

// ffi/text_position.ts
function positionText(position) {
  if (position === void 0) return "";
  const { file, line, column } = position;
  return file === void 0 ? `line ${line}, column ${column}: ` : `${file}:${line}:${column}: `;
}

// ffi/errors.ts
var SyscallError = class extends Error {
  /** `"SyscallError"`. */
  name = "SyscallError";
  /** The system call by the kernel's name: `"mount"`. */
  syscall;
  /** The errno's number. */
  errno;
  /** The errno's name: `"EPERM"`. */
  code;
  /** The call as C would write it, where it is known. */
  call;
  /** The name of the step that made the call, where a recipe did. */
  step;
  /** The position of that step in its recipe, counted from 0. */
  stepIndex;
  /** What to do about it, where that is known. */
  hint;
  /** An error of the system call that the details name. */
  constructor(details) {
    super(syscallMessage(details));
    this.syscall = details.syscall;
    this.errno = details.errno;
    this.code = errnoName(details.errno) ?? "UNKNOWN";
    this.call = details.call;
    this.step = details.step;
    this.stepIndex = details.stepIndex;
    this.hint = details.hint;
  }
};
var UnsupportedError = class extends Error {
  /** `"UnsupportedError"`. */
  name = "UnsupportedError";
};
var PermissionError = class extends Error {
  /** `"PermissionError"`. */
  name = "PermissionError";
  /** The grant that is missing: `"ffi"`. */
  grant;
  /** What was to be reached, where it has a name: `"/usr"`. */
  value;
  /** The name of the step that reaches for it, where one does. */
  step;
  /** The position of that step in its recipe, counted from 0. */
  stepIndex;
  /** Where that step stands, when the recipe is a text. */
  position;
  /** An error of the grant that is missing. */
  constructor(message2, grant, details = {}) {
    super(positionText(details.position) + message2, details);
    this.position = details.position;
    this.grant = grant;
    this.value = details.value;
    this.step = details.step;
    this.stepIndex = details.stepIndex;
  }
};
function invalidArgument(syscall2, call2, hint) {
  return new SyscallError({
    syscall: syscall2,
    errno: ERRNO.EINVAL,
    call: call2,
    hint
  });
}
function syscallMessage(details) {
  const { syscall: syscall2, errno, call: call2, step, stepIndex, hint } = details;
  const name = errnoName(errno);
  const reason = name ? `${name} (${errnoText(name)})` : `errno ${errno}`;
  const where = step === void 0 ? "" : stepIndex === void 0 ? `${step}: ` : `step ${stepIndex + 1} (${step}): `;
  return `${where}${call2 ?? syscall2} failed: ${reason}` + (hint ? `
  ${hint}` : "");
}

// ffi/call.ts
var Named = class {
  value;
  #text;
  constructor(value, text4) {
    this.value = value;
    this.#text = text4;
  }
  /** Its kernel name. */
  get text() {
    return written(this.#text);
  }
};
var Output = class {
  size;
  text;
  constructor(size2, text4 = "&out") {
    this.size = size2;
    this.text = text4;
  }
};
var OutputField = class {
  output;
  offset;
  text;
  constructor(output, offset, text4) {
    this.output = output;
    this.offset = offset;
    this.text = text4;
  }
};
var ResultOf = class {
  call;
  text;
  constructor(call2, text4) {
    this.call = call2;
    this.text = text4;
  }
};
var Struct = class {
  bytes;
  pointers;
  #text;
  constructor(bytes, text4, pointers = []) {
    this.bytes = bytes;
    this.pointers = pointers;
    this.#text = text4;
  }
  /** Its fields, as C would write them. */
  get text() {
    return written(this.#text);
  }
  /** How many bytes it has. */
  get size() {
    return this.bytes.length;
  }
};






function describeCall(call2) {
  return `${call2.name}(${call2.args.map(describeArgument).join(", ")})`;
}
function describeArgument(argument) {
  if (argument === null) return "NULL";
  if (typeof argument === "string") return JSON.stringify(argument);
  if (typeof argument === "number" || typeof argument === "bigint") return String(argument);
  if (argument instanceof Uint8Array) return describeBytes(argument);
  return argument.text;
}

function describeBytes(bytes) {
  const shown3 = bytes.subarray(0, 40);
  const text4 = new TextDecoder().decode(shown3);
  const printable = !/[^\t\n\x20-\x7e]/.test(text4);
  if (printable) return JSON.stringify(text4) + (bytes.length > shown3.length ? "..." : "");
  return `[${bytes.length} bytes]`;
}


// ffi/calls/constants/capabilities.ts
var CAPABILITIES = {
  CAP_CHOWN: 0,
  CAP_DAC_OVERRIDE: 1,
  CAP_DAC_READ_SEARCH: 2,
  CAP_FOWNER: 3,
  CAP_FSETID: 4,
  CAP_KILL: 5,
  CAP_SETGID: 6,
  CAP_SETUID: 7,
  CAP_SETPCAP: 8,
  CAP_LINUX_IMMUTABLE: 9,
  CAP_NET_BIND_SERVICE: 10,
  CAP_NET_BROADCAST: 11,
  CAP_NET_ADMIN: 12,
  CAP_NET_RAW: 13,
  CAP_IPC_LOCK: 14,
  CAP_IPC_OWNER: 15,
  CAP_SYS_MODULE: 16,
  CAP_SYS_RAWIO: 17,
  CAP_SYS_CHROOT: 18,
  CAP_SYS_PTRACE: 19,
  CAP_SYS_PACCT: 20,
  CAP_SYS_ADMIN: 21,
  CAP_SYS_BOOT: 22,
  CAP_SYS_NICE: 23,
  CAP_SYS_RESOURCE: 24,
  CAP_SYS_TIME: 25,
  CAP_SYS_TTY_CONFIG: 26,
  CAP_MKNOD: 27,
  CAP_LEASE: 28,
  CAP_AUDIT_WRITE: 29,
  CAP_AUDIT_CONTROL: 30,
  CAP_SETFCAP: 31,
  CAP_MAC_OVERRIDE: 32,
  CAP_MAC_ADMIN: 33,
  CAP_SYSLOG: 34,
  CAP_WAKE_ALARM: 35,
  CAP_BLOCK_SUSPEND: 36,
  CAP_AUDIT_READ: 37,
  CAP_PERFMON: 38,
  CAP_BPF: 39,
  CAP_CHECKPOINT_RESTORE: 40
};

// ffi/calls/users.ts
function getuid() {
  return call("getuid");
}

function getgid() {
  return call("getgid");
}

function idOutput(text4) {
  return new Output(4, text4);
}
function getresuid(real, effective, saved) {
  return call("getresuid", real, effective, saved);
}
function getresgid(real, effective, saved) {
  return call("getresgid", real, effective, saved);
}
function setresuid(real, effective, saved) {
  return call("setresuid", real, effective, saved);
}
function setresgid(real, effective, saved) {
  return call("setresgid", real, effective, saved);
}
function setgroups(groups) {
  if (groups.length === 0) return call("setgroups", 0, null);
  const bytes = new Uint8Array(new Uint32Array(groups).buffer);
  return call("setgroups", groups.length, new Struct(bytes, `[${groups.join(", ")}]`));
}
function groupsOutput(count2) {
  return new Output(count2 * 4, "&groups");
}
function getgroups(groups) {
  return call("getgroups", groups === null ? 0 : groups.size / 4, groups);
}
var SETS = [
  "effective",
  "permitted",
  "inheritable"
];
var CAPABILITY_VERSION_3 = 537396514;
var HEADER = new Struct(new Uint8Array(new Uint32Array([
  CAPABILITY_VERSION_3,
  0
]).buffer), "{_LINUX_CAPABILITY_VERSION_3, 0}");


function capset(state) {
  const words3 = new Uint32Array(6);
  SETS.forEach((set, index) => {
    for (const name of state[set]) {
      const bit = CAPABILITIES[name];
      words3[index + (bit < 32 ? 0 : 3)] |= 1 << bit % 32;
    }
  });
  const text4 = SETS.map((set) => `${set}=[${state[set].join(", ")}]`).join(", ");
  return call("capset", HEADER, new Struct(new Uint8Array(words3.buffer), `{${text4}}`));
}


// ffi/calls/constants/at.ts
var AT_FDCWD = -100;
var AT_SYMLINK_NOFOLLOW = 256;
var AT_EACCESS = 512;
var AT_REMOVEDIR = 512;
var AT_SYMLINK_FOLLOW = 1024;
var AT_NO_AUTOMOUNT = 2048;
var AT_EMPTY_PATH = 4096;
var AT_RECURSIVE = 32768;

// ffi/calls/at.ts
var at_fdcwd = new Named(AT_FDCWD, "AT_FDCWD");


// ffi/calls/constants/prctl.ts
var PR_SET_PDEATHSIG = 1;
var PR_GET_PDEATHSIG = 2;
var PR_GET_DUMPABLE = 3;
var PR_SET_DUMPABLE = 4;
var PR_GET_KEEPCAPS = 7;
var PR_SET_KEEPCAPS = 8;
var PR_SET_NAME = 15;
var PR_GET_NAME = 16;
var PR_GET_SECCOMP = 21;
var PR_SET_SECCOMP = 22;
var PR_CAPBSET_READ = 23;
var PR_CAPBSET_DROP = 24;
var PR_GET_SECUREBITS = 27;
var PR_SET_SECUREBITS = 28;
var PR_SET_CHILD_SUBREAPER = 36;
var PR_GET_CHILD_SUBREAPER = 37;
var PR_SET_NO_NEW_PRIVS = 38;
var PR_GET_NO_NEW_PRIVS = 39;
var PR_GET_TID_ADDRESS = 40;
var PR_CAP_AMBIENT = 47;
var PRCTL_OPERATIONS = {
  PR_SET_PDEATHSIG,
  PR_GET_PDEATHSIG,
  PR_GET_DUMPABLE,
  PR_SET_DUMPABLE,
  PR_GET_KEEPCAPS,
  PR_SET_KEEPCAPS,
  PR_SET_NAME,
  PR_GET_NAME,
  PR_GET_SECCOMP,
  PR_SET_SECCOMP,
  PR_CAPBSET_READ,
  PR_CAPBSET_DROP,
  PR_GET_SECUREBITS,
  PR_SET_SECUREBITS,
  PR_SET_CHILD_SUBREAPER,
  PR_GET_CHILD_SUBREAPER,
  PR_SET_NO_NEW_PRIVS,
  PR_GET_NO_NEW_PRIVS,
  PR_CAP_AMBIENT
};
var PR_CAP_AMBIENT_IS_SET = 1;
var PR_CAP_AMBIENT_RAISE = 2;
var PR_CAP_AMBIENT_LOWER = 3;
var PR_CAP_AMBIENT_CLEAR_ALL = 4;
var AMBIENT_OPERATIONS = {
  PR_CAP_AMBIENT_IS_SET,
  PR_CAP_AMBIENT_RAISE,
  PR_CAP_AMBIENT_LOWER,
  PR_CAP_AMBIENT_CLEAR_ALL
};
var SECBIT_NOROOT = 1;
var SECBIT_NOROOT_LOCKED = 2;
var SECBIT_NO_SETUID_FIXUP = 4;
var SECBIT_NO_SETUID_FIXUP_LOCKED = 8;
var SECBIT_KEEP_CAPS = 16;
var SECBIT_KEEP_CAPS_LOCKED = 32;
var SECBIT_NO_CAP_AMBIENT_RAISE = 64;
var SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED = 128;
var SECUREBITS = {
  SECBIT_NOROOT,
  SECBIT_NOROOT_LOCKED,
  SECBIT_NO_SETUID_FIXUP,
  SECBIT_NO_SETUID_FIXUP_LOCKED,
  SECBIT_KEEP_CAPS,
  SECBIT_KEEP_CAPS_LOCKED,
  SECBIT_NO_CAP_AMBIENT_RAISE,
  SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED
};

// ffi/calls/constants/signals.ts
var SIGNALS = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGSTKFLT: 16,
  SIGCHLD: 17,
  SIGCONT: 18,
  SIGSTOP: 19,
  SIGTSTP: 20,
  SIGTTIN: 21,
  SIGTTOU: 22,
  SIGURG: 23,
  SIGXCPU: 24,
  SIGXFSZ: 25,
  SIGVTALRM: 26,
  SIGPROF: 27,
  SIGWINCH: 28,
  SIGIO: 29,
  SIGPWR: 30,
  SIGSYS: 31
};
var SIGRTMIN = 32;
var SIGRTMAX = 64;
var CHANGEABLE_SIGNALS = Array.from({
  length: SIGRTMAX
}, (_, index) => index + 1).filter((signal) => signal !== SIGNALS.SIGKILL && signal !== SIGNALS.SIGSTOP);

// ffi/calls/constants/limits.ts
var RLIMITS = {
  CPU: 0,
  FSIZE: 1,
  DATA: 2,
  STACK: 3,
  CORE: 4,
  RSS: 5,
  NPROC: 6,
  NOFILE: 7,
  MEMLOCK: 8,
  AS: 9,
  LOCKS: 10,
  SIGPENDING: 11,
  MSGQUEUE: 12,
  NICE: 13,
  RTPRIO: 14,
  RTTIME: 15
};
var RLIM_INFINITY = 0xffffffffffffffffn;

// ffi/calls/limits.ts
function prlimit64(pid, resource, limit, old) {
  const known = constant(resource, RLIMITS);
  const named = new Named(resource, () => `RLIMIT_${known.text}`);
  if (limit === null) return call("prlimit64", pid, named, null, old);
  const text4 = (value) => value === RLIM_INFINITY ? "RLIM_INFINITY" : String(value);
  const words3 = [
    BigInt(limit.soft),
    BigInt(limit.hard)
  ];
  const bytes = new Uint8Array(new BigUint64Array(words3).buffer);
  const struct = new Struct(bytes, `{${text4(words3[0])}, ${text4(words3[1])}}`);
  return call("prlimit64", pid, named, struct, old);
}
function rlimitOutput() {
  return new Output(16, "&rlimit");
}
function readRlimit(told) {
  return {
    soft: told.getBigUint64(0, true),
    hard: told.getBigUint64(8, true)
  };
}

// ffi/calls/polling.ts
var SIGSET_SIZE = 8;
var POLLIN = 1;



// ffi/calls/constants/waiting.ts
var P_ALL = 0;
var P_PID = 1;
var P_PGID = 2;
var P_PIDFD = 3;
var WAIT_ID_TYPES = {
  P_ALL,
  P_PID,
  P_PGID,
  P_PIDFD
};
var WNOHANG = 1;
var WSTOPPED = 2;
var WEXITED = 4;
var WCONTINUED = 8;
var WNOWAIT = 16777216;
var WAIT_FLAGS = {
  WNOHANG,
  WSTOPPED,
  WEXITED,
  WCONTINUED,
  WNOWAIT
};
var CLD_EXITED = 1;
var CLD_KILLED = 2;
var CLD_DUMPED = 3;
var CLD_TRAPPED = 4;
var CLD_STOPPED = 5;
var CLD_CONTINUED = 6;

// ffi/calls/waiting.ts




// ffi/calls/processes.ts

function kill(pid, signal) {
  return call("kill", pid, signalName(signal));
}

function pidfd_send_signal(pidfd, signal) {
  return call("pidfd_send_signal", pidfd, signalName(signal), null, 0);
}
function pidfd_getfd(pidfd, target) {
  return call("pidfd_getfd", pidfd, target, 0);
}



var SIGSET_SIZE2 = 8;
var DEFAULT_ACTION = new Struct(new Uint8Array(32), "SIG_DFL");
var IGNORE_ACTION = new Struct(new Uint8Array([
  1,
  ...new Array(31).fill(0)
]), "SIG_IGN");

var MASKS = {
  all: new Struct(new Uint8Array(SIGSET_SIZE2).fill(255), "~[]"),
  none: new Struct(new Uint8Array(SIGSET_SIZE2), "[]")
};

function execveat(directory, path2, argv, envp, flagBits) {
  const named = flags(flagBits, {
    AT_EMPTY_PATH,
    AT_SYMLINK_NOFOLLOW
  });
  return call("execveat", at(directory), path2, argv, envp, named);
}

function getpid() {
  return call("getpid");
}
function getppid() {
  return call("getppid");
}

function getsid(pid) {
  return call("getsid", pid);
}
function setsid() {
  return call("setsid");
}



// ffi/linux/mod.ts

// ffi/calls/constants/files.ts
var CLOSE_RANGE_UNSHARE = 2;
var CLOSE_RANGE_CLOEXEC = 4;
var F_DUPFD = 0;
var F_GETFD = 1;
var F_SETFD = 2;
var F_GETFL = 3;
var F_SETFL = 4;
var F_DUPFD_CLOEXEC = 1030;
var F_SETPIPE_SZ = 1031;
var F_GETPIPE_SZ = 1032;
var F_ADD_SEALS = 1033;
var F_GET_SEALS = 1034;
var FCNTL_COMMANDS = {
  F_DUPFD,
  F_GETFD,
  F_SETFD,
  F_GETFL,
  F_SETFL,
  F_DUPFD_CLOEXEC,
  F_SETPIPE_SZ,
  F_GETPIPE_SZ,
  F_ADD_SEALS,
  F_GET_SEALS
};
var FD_CLOEXEC = 1;
var F_SEAL_SEAL = 1;
var F_SEAL_SHRINK = 2;
var F_SEAL_GROW = 4;
var F_SEAL_WRITE = 8;
var MFD_CLOEXEC = 1;
var MFD_ALLOW_SEALING = 2;
var MFD_NOEXEC_SEAL = 8;
var MFD_EXEC = 16;
var SEEK_SET = 0;
var SEEK_CUR = 1;
var SEEK_END = 2;
var RENAME_NOREPLACE = 1;
var RENAME_EXCHANGE = 2;
var RENAME_WHITEOUT = 4;
var F_OK = 0;
var X_OK = 1;
var W_OK = 2;
var R_OK = 4;
var S_IFMT = 61440;
var S_IFIFO = 4096;
var S_IFCHR = 8192;
var S_IFDIR = 16384;
var S_IFBLK = 24576;
var S_IFREG = 32768;
var S_IFLNK = 40960;
var S_IFSOCK = 49152;

// ffi/calls/constants/mount_descriptors.ts
var OPEN_TREE_CLONE = 1;
var OPEN_TREE_CLOEXEC = 524288;
var MOVE_MOUNT_F_SYMLINKS = 1;
var MOVE_MOUNT_F_AUTOMOUNTS = 2;
var MOVE_MOUNT_F_EMPTY_PATH = 4;
var MOVE_MOUNT_T_SYMLINKS = 16;
var MOVE_MOUNT_T_AUTOMOUNTS = 32;
var MOVE_MOUNT_T_EMPTY_PATH = 64;
var MOVE_MOUNT_SET_GROUP = 256;
var MOVE_MOUNT_BENEATH = 512;
var MOVE_MOUNT_FLAGS = {
  MOVE_MOUNT_F_SYMLINKS,
  MOVE_MOUNT_F_AUTOMOUNTS,
  MOVE_MOUNT_F_EMPTY_PATH,
  MOVE_MOUNT_T_SYMLINKS,
  MOVE_MOUNT_T_AUTOMOUNTS,
  MOVE_MOUNT_T_EMPTY_PATH,
  MOVE_MOUNT_SET_GROUP,
  MOVE_MOUNT_BENEATH
};
var FSOPEN_CLOEXEC = 1;
var FSMOUNT_CLOEXEC = 1;
var FSPICK_CLOEXEC = 1;
var FSPICK_SYMLINK_NOFOLLOW = 2;
var FSPICK_NO_AUTOMOUNT = 4;
var FSPICK_EMPTY_PATH = 8;
var FSPICK_FLAGS = {
  FSPICK_CLOEXEC,
  FSPICK_SYMLINK_NOFOLLOW,
  FSPICK_NO_AUTOMOUNT,
  FSPICK_EMPTY_PATH
};
var FSCONFIG_SET_FLAG = 0;
var FSCONFIG_SET_STRING = 1;
var FSCONFIG_SET_BINARY = 2;
var FSCONFIG_SET_PATH = 3;
var FSCONFIG_SET_PATH_EMPTY = 4;
var FSCONFIG_SET_FD = 5;
var FSCONFIG_CMD_CREATE = 6;
var FSCONFIG_CMD_RECONFIGURE = 7;
var FSCONFIG_CMD_CREATE_EXCL = 8;
var FSCONFIG_COMMANDS = {
  FSCONFIG_SET_FLAG,
  FSCONFIG_SET_STRING,
  FSCONFIG_SET_BINARY,
  FSCONFIG_SET_PATH,
  FSCONFIG_SET_PATH_EMPTY,
  FSCONFIG_SET_FD,
  FSCONFIG_CMD_CREATE,
  FSCONFIG_CMD_RECONFIGURE,
  FSCONFIG_CMD_CREATE_EXCL
};

// ffi/calls/constants/mounts.ts
var MS_RDONLY = 1;
var MS_NOSUID = 2;
var MS_NODEV = 4;
var MS_NOEXEC = 8;
var MS_SYNCHRONOUS = 16;
var MS_REMOUNT = 32;
var MS_MANDLOCK = 64;
var MS_DIRSYNC = 128;
var MS_NOSYMFOLLOW = 256;
var MS_NOATIME = 1024;
var MS_NODIRATIME = 2048;
var MS_BIND = 4096;
var MS_MOVE = 8192;
var MS_REC = 16384;
var MS_SILENT = 32768;
var MS_UNBINDABLE = 131072;
var MS_PRIVATE = 262144;
var MS_SLAVE = 524288;
var MS_SHARED = 1048576;
var MS_RELATIME = 2097152;
var MS_I_VERSION = 8388608;
var MS_STRICTATIME = 16777216;
var MS_LAZYTIME = 33554432;
var MOUNT_FLAGS = {
  MS_RDONLY,
  MS_NOSUID,
  MS_NODEV,
  MS_NOEXEC,
  MS_SYNCHRONOUS,
  MS_REMOUNT,
  MS_MANDLOCK,
  MS_DIRSYNC,
  MS_NOSYMFOLLOW,
  MS_NOATIME,
  MS_NODIRATIME,
  MS_BIND,
  MS_MOVE,
  MS_REC,
  MS_SILENT,
  MS_UNBINDABLE,
  MS_PRIVATE,
  MS_SLAVE,
  MS_SHARED,
  MS_RELATIME,
  MS_I_VERSION,
  MS_STRICTATIME,
  MS_LAZYTIME
};
var MNT_FORCE = 1;
var MNT_DETACH = 2;
var MNT_EXPIRE = 4;
var UMOUNT_NOFOLLOW = 8;
var UMOUNT_FLAGS = {
  MNT_FORCE,
  MNT_DETACH,
  MNT_EXPIRE,
  UMOUNT_NOFOLLOW
};
var MOUNT_ATTR_RDONLY = 1;
var MOUNT_ATTR_NOSUID = 2;
var MOUNT_ATTR_NODEV = 4;
var MOUNT_ATTR_NOEXEC = 8;
var MOUNT_ATTR__ATIME = 112;
var MOUNT_ATTR_RELATIME = 0;
var MOUNT_ATTR_NOATIME = 16;
var MOUNT_ATTR_STRICTATIME = 32;
var MOUNT_ATTR_NODIRATIME = 128;
var MOUNT_ATTR_IDMAP = 1048576;
var MOUNT_ATTR_NOSYMFOLLOW = 2097152;
var MOUNT_ATTRIBUTES = {
  MOUNT_ATTR_RDONLY,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR__ATIME,
  MOUNT_ATTR_RELATIME,
  MOUNT_ATTR_NOATIME,
  MOUNT_ATTR_STRICTATIME,
  MOUNT_ATTR_NODIRATIME,
  MOUNT_ATTR_IDMAP,
  MOUNT_ATTR_NOSYMFOLLOW
};

// ffi/calls/constants/namespaces.ts
var CLONE_NEWTIME = 128;
var CLONE_VM = 256;
var CLONE_FS = 512;
var CLONE_FILES = 1024;
var CLONE_SIGHAND = 2048;
var CLONE_PIDFD = 4096;
var CLONE_PTRACE = 8192;
var CLONE_VFORK = 16384;
var CLONE_PARENT = 32768;
var CLONE_THREAD = 65536;
var CLONE_NEWNS = 131072;
var CLONE_SYSVSEM = 262144;
var CLONE_SETTLS = 524288;
var CLONE_PARENT_SETTID = 1048576;
var CLONE_CHILD_CLEARTID = 2097152;
var CLONE_UNTRACED = 8388608;
var CLONE_CHILD_SETTID = 16777216;
var CLONE_NEWCGROUP = 33554432;
var CLONE_NEWUTS = 67108864;
var CLONE_NEWIPC = 134217728;
var CLONE_NEWUSER = 268435456;
var CLONE_NEWPID = 536870912;
var CLONE_NEWNET = 1073741824;
var CLONE_IO = 2147483648;
var CLONE_FLAGS = {
  CLONE_NEWTIME,
  CLONE_VM,
  CLONE_FS,
  CLONE_FILES,
  CLONE_SIGHAND,
  CLONE_PIDFD,
  CLONE_PTRACE,
  CLONE_VFORK,
  CLONE_PARENT,
  CLONE_THREAD,
  CLONE_NEWNS,
  CLONE_SYSVSEM,
  CLONE_SETTLS,
  CLONE_PARENT_SETTID,
  CLONE_CHILD_CLEARTID,
  CLONE_UNTRACED,
  CLONE_CHILD_SETTID,
  CLONE_NEWCGROUP,
  CLONE_NEWUTS,
  CLONE_NEWIPC,
  CLONE_NEWUSER,
  CLONE_NEWPID,
  CLONE_NEWNET,
  CLONE_IO
};

// ffi/calls/constants/open.ts
var O_RDONLY = 0;
var O_WRONLY = 1;
var O_RDWR = 2;
var O_CREAT = 64;
var O_EXCL = 128;
var O_NOCTTY = 256;
var O_TRUNC = 512;
var O_APPEND = 1024;
var O_NONBLOCK = 2048;
var O_SYNC = 1052672;
var O_DSYNC = 4096;
var O_NOATIME = 262144;
var O_CLOEXEC = 524288;
var O_PATH = 2097152;
var onArm = typeof Deno !== "undefined" && Deno.build.arch === "aarch64";
var O_TMPFILE = onArm ? 4210688 : 4259840;
var O_DIRECT = onArm ? 65536 : 16384;
var O_DIRECTORY = onArm ? 16384 : 65536;
var O_NOFOLLOW = onArm ? 32768 : 131072;
var OPEN_FLAGS = {
  O_TMPFILE,
  O_SYNC,
  O_DSYNC,
  O_WRONLY,
  O_RDWR,
  O_CREAT,
  O_EXCL,
  O_NOCTTY,
  O_TRUNC,
  O_APPEND,
  O_NONBLOCK,
  O_NOATIME,
  O_CLOEXEC,
  O_PATH,
  O_DIRECT,
  O_DIRECTORY,
  O_NOFOLLOW
};
var RESOLVE_NO_XDEV = 1;
var RESOLVE_NO_MAGICLINKS = 2;
var RESOLVE_NO_SYMLINKS = 4;
var RESOLVE_BENEATH = 8;
var RESOLVE_IN_ROOT = 16;
var RESOLVE_CACHED = 32;
var RESOLVE_FLAGS = {
  RESOLVE_NO_XDEV,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_BENEATH,
  RESOLVE_IN_ROOT,
  RESOLVE_CACHED
};

// ffi/calls/constants/shared_memory.ts
var IPC_CREAT = 512;
var IPC_EXCL = 1024;
var IPC_PRIVATE = 0;
var IPC_RMID = 0;
var SHM_RDONLY = 4096;
var SHMGET_FLAGS = {
  IPC_CREAT,
  IPC_EXCL
};

// ffi/calls/constants/statx.ts
var STATX_TYPE = 1;
var STATX_MODE = 2;
var STATX_NLINK = 4;
var STATX_UID = 8;
var STATX_GID = 16;
var STATX_ATIME = 32;
var STATX_MTIME = 64;
var STATX_CTIME = 128;
var STATX_INO = 256;
var STATX_SIZE = 512;
var STATX_BLOCKS = 1024;
var STATX_BASIC_STATS = 2047;
var STATX_BTIME = 2048;
var STATX_MNT_ID = 4096;
var STATX_FLAGS = {
  STATX_BASIC_STATS,
  STATX_TYPE,
  STATX_MODE,
  STATX_NLINK,
  STATX_UID,
  STATX_GID,
  STATX_ATIME,
  STATX_MTIME,
  STATX_CTIME,
  STATX_INO,
  STATX_SIZE,
  STATX_BLOCKS,
  STATX_BTIME,
  STATX_MNT_ID
};

// ffi/calls/constants/terminals.ts
var TCGETS = 21505;
var TCSETS = 21506;
var TCFLSH = 21515;
var TIOCSCTTY = 21518;
var TIOCGPGRP = 21519;
var TIOCSPGRP = 21520;
var TIOCGWINSZ = 21523;
var TIOCSWINSZ = 21524;
var TIOCNOTTY = 21538;
var TIOCGPTN = 2147767344;
var TIOCSPTLCK = 1074025521;
var TIOCGPTPEER = 21569;
var IOCTL_REQUESTS = {
  TCGETS,
  TCSETS,
  TCFLSH,
  TIOCSCTTY,
  TIOCGPGRP,
  TIOCSPGRP,
  TIOCGWINSZ,
  TIOCSWINSZ,
  TIOCNOTTY,
  TIOCGPTN,
  TIOCSPTLCK,
  TIOCGPTPEER
};

// ffi/calls/files.ts

var OPEN_HOW_SIZE = 24;





function ioctl(fd, request, argument) {
  return call("ioctl", fd, constant(request, IOCTL_REQUESTS), argument);
}


function pwrite64(fd, bytes, size2, at2) {
  return call("pwrite64", fd, bytes, size2, at2);
}
function pread64(fd, buffer, size2, offset) {
  return call("pread64", fd, buffer, size2, offset);
}

var PipeEnds = class {
  output = new Output(8, "&pipe");
  reader = new OutputField(this.output, 0, "pipe[0]");
  writer = new OutputField(this.output, 4, "pipe[1]");
};
function mkdirat(directory, path2, fileMode) {
  return call("mkdirat", at(directory), path2, mode(fileMode));
}
function mknodat(directory, path2, fileMode, device2) {
  return call("mknodat", at(directory), path2, mode(fileMode), device2);
}
function makedev(major, minor) {
  return (minor & 255 | major << 8 | (minor & ~255) << 12) >>> 0;
}
function symlinkat(target, directory, path2) {
  return call("symlinkat", target, at(directory), path2);
}
function unlinkat(directory, path2, flagBits) {
  return call("unlinkat", at(directory), path2, flags(flagBits, {
    AT_REMOVEDIR
  }));
}
function readlinkat(directory, path2, target) {
  return call("readlinkat", at(directory), path2, target, target.size);
}

function fchmodat(directory, path2, fileMode) {
  return call("fchmodat", at(directory), path2, mode(fileMode));
}
function fchmod(fd, fileMode) {
  return call("fchmod", fd, mode(fileMode));
}



function umask(mask2) {
  return call("umask", mode(mask2));
}
function memfd_create(name, flagBits) {
  return call("memfd_create", name, flags(flagBits, {
    MFD_CLOEXEC,
    MFD_ALLOW_SEALING,
    MFD_NOEXEC_SEAL,
    MFD_EXEC
  }));
}


// ffi/engine/libc.ts
var SYMBOLS = {
  memfd_create: {
    type: "pointer"
  },
  write: {
    type: "pointer"
  },
  close: {
    type: "pointer"
  },
  getenv: {
    type: "pointer"
  },
  environ: {
    type: "pointer"
  }
};
var FUNCTIONS = {
  // int memfd_create(const char *name, unsigned int flags)
  memfd_create: {
    parameters: [
      "buffer",
      "u32"
    ],
    result: "i32"
  },
  // ssize_t write(int fd, const void *buf, size_t count)
  write: {
    parameters: [
      "i32",
      "buffer",
      "usize"
    ],
    result: "isize"
  },
  // int close(int fd)
  close: {
    parameters: [
      "i32"
    ],
    result: "i32"
  },
  // char *getenv(const char *name)
  getenv: {
    parameters: [
      "buffer"
    ],
    result: "pointer"
  }
};



// ffi/engine/memory.ts
var Memory = class {
  address;
  size;
  bytes;
  view;
  pointer;
  /** The memory of `size` bytes at `address`, which must stay mapped. */
  constructor(address2, size2) {
    this.address = address2;
    this.size = size2;
    const pointer = Deno.UnsafePointer.create(BigInt(address2));
    if (pointer === null) throw new TypeError("memory at address 0");
    this.pointer = pointer;
    const buffer = Deno.UnsafePointerView.getArrayBuffer(pointer, size2);
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
  }
};

// ffi/syscall_numbers.ts
var NUMBERS = {
  // name: [x86_64, aarch64]
  accept4: [
    288,
    242
  ],
  acct: [
    163,
    89
  ],
  add_key: [
    248,
    217
  ],
  bind: [
    49,
    200
  ],
  bpf: [
    321,
    280
  ],
  capget: [
    125,
    90
  ],
  capset: [
    126,
    91
  ],
  chdir: [
    80,
    49
  ],
  chroot: [
    161,
    51
  ],
  clock_gettime: [
    228,
    113
  ],
  clock_settime: [
    227,
    112
  ],
  clone: [
    56,
    220
  ],
  clone3: [
    435,
    435
  ],
  close: [
    3,
    57
  ],
  close_range: [
    436,
    436
  ],
  connect: [
    42,
    203
  ],
  dup: [
    32,
    23
  ],
  dup3: [
    292,
    24
  ],
  epoll_create1: [
    291,
    20
  ],
  epoll_ctl: [
    233,
    21
  ],
  epoll_pwait: [
    281,
    22
  ],
  eventfd2: [
    290,
    19
  ],
  execve: [
    59,
    221
  ],
  execveat: [
    322,
    281
  ],
  exit: [
    60,
    93
  ],
  exit_group: [
    231,
    94
  ],
  faccessat: [
    269,
    48
  ],
  fchdir: [
    81,
    50
  ],
  fchmod: [
    91,
    52
  ],
  fchmodat: [
    268,
    53
  ],
  fchown: [
    93,
    55
  ],
  fchownat: [
    260,
    54
  ],
  fcntl: [
    72,
    25
  ],
  fsconfig: [
    431,
    431
  ],
  fsmount: [
    432,
    432
  ],
  fsopen: [
    430,
    430
  ],
  fspick: [
    433,
    433
  ],
  fstat: [
    5,
    80
  ],
  fstatfs: [
    138,
    44
  ],
  ftruncate: [
    77,
    46
  ],
  getcwd: [
    79,
    17
  ],
  futex: [
    202,
    98
  ],
  getdents64: [
    217,
    61
  ],
  getegid: [
    108,
    177
  ],
  geteuid: [
    107,
    175
  ],
  getgid: [
    104,
    176
  ],
  getgroups: [
    115,
    158
  ],
  getpgid: [
    121,
    155
  ],
  getpid: [
    39,
    172
  ],
  getppid: [
    110,
    173
  ],
  getrandom: [
    318,
    278
  ],
  getresgid: [
    120,
    150
  ],
  getresuid: [
    118,
    148
  ],
  getsid: [
    124,
    156
  ],
  getsockname: [
    51,
    204
  ],
  getsockopt: [
    55,
    209
  ],
  gettid: [
    186,
    178
  ],
  getuid: [
    102,
    174
  ],
  getxattr: [
    191,
    8
  ],
  init_module: [
    175,
    105
  ],
  io_uring_setup: [
    425,
    425
  ],
  ioctl: [
    16,
    29
  ],
  ioprio_set: [
    251,
    30
  ],
  kcmp: [
    312,
    272
  ],
  keyctl: [
    250,
    219
  ],
  kill: [
    62,
    129
  ],
  landlock_add_rule: [
    445,
    445
  ],
  landlock_create_ruleset: [
    444,
    444
  ],
  landlock_restrict_self: [
    446,
    446
  ],
  linkat: [
    265,
    37
  ],
  listen: [
    50,
    201
  ],
  listxattr: [
    194,
    11
  ],
  lseek: [
    8,
    62
  ],
  memfd_create: [
    319,
    279
  ],
  mkdirat: [
    258,
    34
  ],
  mknodat: [
    259,
    33
  ],
  mmap: [
    9,
    222
  ],
  mount: [
    165,
    40
  ],
  mount_setattr: [
    442,
    442
  ],
  move_mount: [
    429,
    429
  ],
  mprotect: [
    10,
    226
  ],
  mq_open: [
    240,
    180
  ],
  mq_timedreceive: [
    243,
    183
  ],
  mq_timedsend: [
    242,
    182
  ],
  mq_unlink: [
    241,
    181
  ],
  msgctl: [
    71,
    187
  ],
  msgget: [
    68,
    186
  ],
  munmap: [
    11,
    215
  ],
  nanosleep: [
    35,
    101
  ],
  newfstatat: [
    262,
    79
  ],
  open_tree: [
    428,
    428
  ],
  openat: [
    257,
    56
  ],
  openat2: [
    437,
    437
  ],
  perf_event_open: [
    298,
    241
  ],
  personality: [
    135,
    92
  ],
  pidfd_getfd: [
    438,
    438
  ],
  pidfd_open: [
    434,
    434
  ],
  pidfd_send_signal: [
    424,
    424
  ],
  pipe2: [
    293,
    59
  ],
  pivot_root: [
    155,
    41
  ],
  ppoll: [
    271,
    73
  ],
  prctl: [
    157,
    167
  ],
  pread64: [
    17,
    67
  ],
  prlimit64: [
    302,
    261
  ],
  process_vm_readv: [
    310,
    270
  ],
  process_vm_writev: [
    311,
    271
  ],
  ptrace: [
    101,
    117
  ],
  pwrite64: [
    18,
    68
  ],
  quotactl: [
    179,
    60
  ],
  read: [
    0,
    63
  ],
  readlinkat: [
    267,
    78
  ],
  readv: [
    19,
    65
  ],
  reboot: [
    169,
    142
  ],
  recvfrom: [
    45,
    207
  ],
  recvmsg: [
    47,
    212
  ],
  renameat2: [
    316,
    276
  ],
  request_key: [
    249,
    218
  ],
  rt_sigaction: [
    13,
    134
  ],
  rt_sigprocmask: [
    14,
    135
  ],
  rt_sigtimedwait: [
    128,
    137
  ],
  sched_getaffinity: [
    204,
    123
  ],
  sched_setaffinity: [
    203,
    122
  ],
  sched_yield: [
    24,
    124
  ],
  seccomp: [
    317,
    277
  ],
  semctl: [
    66,
    191
  ],
  semget: [
    64,
    190
  ],
  sendfile: [
    40,
    71
  ],
  sendmsg: [
    46,
    211
  ],
  sendto: [
    44,
    206
  ],
  setdomainname: [
    171,
    162
  ],
  setgid: [
    106,
    144
  ],
  setgroups: [
    116,
    159
  ],
  sethostname: [
    170,
    161
  ],
  setns: [
    308,
    268
  ],
  setpgid: [
    109,
    154
  ],
  setpriority: [
    141,
    140
  ],
  setresgid: [
    119,
    149
  ],
  setresuid: [
    117,
    147
  ],
  setsid: [
    112,
    157
  ],
  setsockopt: [
    54,
    208
  ],
  setuid: [
    105,
    146
  ],
  setxattr: [
    188,
    5
  ],
  shmat: [
    30,
    196
  ],
  shmctl: [
    31,
    195
  ],
  shmdt: [
    67,
    197
  ],
  shmget: [
    29,
    194
  ],
  shutdown: [
    48,
    210
  ],
  signalfd4: [
    289,
    74
  ],
  socket: [
    41,
    198
  ],
  socketpair: [
    53,
    199
  ],
  statfs: [
    137,
    43
  ],
  statx: [
    332,
    291
  ],
  swapon: [
    167,
    224
  ],
  symlinkat: [
    266,
    36
  ],
  sync: [
    162,
    81
  ],
  syslog: [
    103,
    116
  ],
  tgkill: [
    234,
    131
  ],
  timerfd_create: [
    283,
    85
  ],
  timerfd_settime: [
    286,
    86
  ],
  umask: [
    95,
    166
  ],
  umount2: [
    166,
    39
  ],
  uname: [
    63,
    160
  ],
  unlinkat: [
    263,
    35
  ],
  unshare: [
    272,
    97
  ],
  userfaultfd: [
    323,
    282
  ],
  utimensat: [
    280,
    88
  ],
  wait4: [
    61,
    260
  ],
  waitid: [
    247,
    95
  ],
  write: [
    1,
    64
  ],
  writev: [
    20,
    66
  ]
};


// ffi/engine/program.ts
var Label = class {
  text;
  constructor(text4) {
    this.text = text4;
  }
};
var END = new Label("end");
var HEADER2 = {
  failedAt: 0,
  failedWith: 4,
  size: 16
};
var RECORD = {
  number: 0,
  references: 4,
  accepted: 8,
  onZero: 16,
  onAccepted: 20,
  onFailure: 24,
  onSuccess: 28,
  arguments: 32,
  result: 80,
  size: 88
};
var PENDING = -(2n ** 32n);





var encoder = new TextEncoder();
var paper = sheet(16 * 1024);

var Table = class {
  relocations = [];
  outputs = /* @__PURE__ */ new Map();
  #end = 0;
  #offsets;
  #strings = /* @__PURE__ */ new Map();
  #structs = /* @__PURE__ */ new Map();
  constructor(end, offsets) {
    this.#offsets = offsets;
    this.#reserve(end);
  }
  finished() {
    return paper.bytes.slice(0, this.#end);
  }
  int32(offset, value) {
    paper.view.setInt32(offset, value, true);
  }
  accepted(offset, names) {
    if (names.length > 8) throw new TypeError("a record accepts at most eight errnos");
    names.forEach((name, index) => paper.view.setUint8(offset + index, ERRNO[name]));
  }
  arguments(record, call2) {
    if (call2.args.length > 6) throw new TypeError(`${call2.name} has more than six arguments`);
    let references = 0;
    for (let index = 0; index < call2.args.length; index++) {
      const argument = call2.args[index];
      const offset = record + RECORD.arguments + index * 8;
      if (argument instanceof ResultOf || argument instanceof OutputField) {
        references |= 1 << index;
        this.int32(offset, this.#source(argument, call2));
      } else {
        this.#value(offset, argument, call2);
      }
    }
    if (references !== 0) this.int32(record + RECORD.references, references);
  }
  #value(offset, argument, call2) {
    if (argument === null || argument === 0) return;
    if (typeof argument === "number" || typeof argument === "bigint") {
      this.#number(offset, argument);
    } else if (argument instanceof Named) this.#number(offset, argument.value);
    else this.#address(offset, this.#place(argument, call2));
  }
  #number(offset, value) {
    if (typeof value === "bigint") paper.view.setBigInt64(offset, BigInt.asIntN(64, value), true);
    else if (value >= 0 && value < 2 ** 31) this.int32(offset, value);
    else {
      paper.view.setInt32(offset, value | 0, true);
      paper.view.setInt32(offset + 4, Math.floor(value / 2 ** 32), true);
    }
  }
  #address(offset, to) {
    this.int32(offset, to);
    this.int32(offset + 4, 0);
    this.relocations.push(offset);
  }
  /** Where a value lies that is known once the program runs. */
  #source(argument, call2) {
    if (argument instanceof OutputField) {
      return this.#place(argument.output, call2) + argument.offset;
    }
    const record = this.#offsets.get(argument.call);
    if (record === void 0) throw new TypeError(`${argument.call.name} is not in the program`);
    return record + RECORD.result;
  }
  #place(value, call2) {
    if (typeof value === "string") return this.#string(value, call2);
    if (value instanceof ResultOf || value instanceof OutputField) return this.#source(value, call2);
    if (value instanceof Output) return this.#output(value);
    if (value instanceof Struct) return this.#struct(value, call2);
    const at2 = this.#reserve(value.length);
    paper.bytes.set(value, at2);
    return at2;
  }
  #string(text4, call2) {
    const known = this.#strings.get(text4);
    if (known !== void 0) return known;
    if (text4.includes("\0")) {
      throw invalidArgument(call2.name, describeCall(call2), "a NUL byte ends every string of the kernel's; take it out");
    }
    const at2 = this.#reserve(text4.length * 3 + 1);
    const { written: written2 } = encoder.encodeInto(text4, paper.bytes.subarray(at2, this.#end));
    this.#end = at2 + written2 + 1;
    this.#strings.set(text4, at2);
    return at2;
  }
  #struct(struct, call2) {
    const known = this.#structs.get(struct);
    if (known !== void 0) return known;
    const at2 = this.#reserve(struct.bytes.length);
    this.#structs.set(struct, at2);
    paper.bytes.set(struct.bytes, at2);
    for (const { offset, to } of struct.pointers) this.#address(at2 + offset, this.#place(to, call2));
    return at2;
  }
  #output(output) {
    const known = this.outputs.get(output);
    if (known !== void 0) return known;
    const at2 = this.#reserve(output.size);
    this.outputs.set(output, at2);
    return at2;
  }
  /** Memory of zeros behind all that is there, aligned for any structure. */
  #reserve(size2) {
    const begin2 = this.#end;
    const at2 = Math.ceil(begin2 / 8) * 8;
    this.#end = at2 + size2;
    if (this.#end > paper.bytes.length) {
      const larger = sheet(this.#end * 2);
      larger.bytes.set(paper.bytes);
      paper = larger;
    }
    paper.bytes.fill(0, begin2, this.#end);
    return at2;
  }
};

// ffi/engine/bytes.ts
var ENGINE = {
  x86_64: "f0VMRgIBAQAAAAAAAAAAAAMAPgABAAAAAAAAAAAAAABAAAAAAAAAAFADAAAAAAAAAAAAAEAAOAAEAEAACAAHAAEAAAAFAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAUAIAAAAAAABQAgAAAAAAAAAAAQAAAAAAAQAAAAYAAABQAgAAAAAAAFACAQAAAAAAUAIBAAAAAADAAAAAAAAAAMAAAAAAAAAAAAABAAAAAAACAAAABgAAAFACAAAAAAAAUAIBAAAAAABQAgEAAAAAAMAAAAAAAAAAwAAAAAAAAAAIAAAAAAAAAFHldGQGAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABAAAAAAAAAAAQAAAAIAAAABAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQAAABIABABwAQAAAAAAAN8AAAAAAAAAAHJ1bgAAAABTVUFUifZIiftIjSw3RItlBEiLfSBB9sQBdARIizw7SIt1KEH2xAJ0BEiLNDNIi1UwQfbEBHQESIsUE0yLVThB9sQIdAROixQTTItFQEH2xBB0BE6LBANMi01IQfbEIHQETosMC4tFAMdFUAAAAADHRVT/////DwVIhcB0EUiJRVBIPQHw//9zEYtFHOs9x0VUAAAAAItFEOsx99hIi00ISIXJdBIPttE50HQGSMHpCOvui0UU6xSDewQAdQtIielIKdmJC4lDBItFGEiNLAOFwA+FNv///4tDBEFcXVvDAAQAAAAAAAAAIAEAAAAAAAAFAAAAAAAAAGgBAAAAAAAABgAAAAAAAAA4AQAAAAAAAAoAAAAAAAAABQAAAAAAAAALAAAAAAAAABgAAAAAAAAA+///bwAAAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAuc2hzdHJ0YWIALmhhc2gALmR5bnN5bQAuZHluc3RyAC50ZXh0AC5laF9mcmFtZQAuZHluYW1pYwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACwAAAAUAAAACAAAAAAAAACABAAAAAAAAIAEAAAAAAAAUAAAAAAAAAAIAAAAAAAAACAAAAAAAAAAEAAAAAAAAABEAAAALAAAAAgAAAAAAAAA4AQAAAAAAADgBAAAAAAAAMAAAAAAAAAADAAAAAQAAAAgAAAAAAAAAGAAAAAAAAAAZAAAAAwAAAAIAAAAAAAAAaAEAAAAAAABoAQAAAAAAAAUAAAAAAAAAAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAIQAAAAEAAAAGAAAAAAAAAHABAAAAAAAAcAEAAAAAAADfAAAAAAAAAAAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAACcAAAABAAAAAgAAAAAAAABQAgAAAAAAAFACAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAgAAAAAAAAAAAAAAAAAAAAxAAAABgAAAAMAAAAAAAAAUAIBAAAAAABQAgAAAAAAAMAAAAAAAAAAAwAAAAAAAAAIAAAAAAAAABAAAAAAAAAAAQAAAAMAAAAAAAAAAAAAAAAAAAAAAAAAEAMAAAAAAAA6AAAAAAAAAAAAAAAAAAAAAQAAAAAAAAAAAAAAAAAAAA==",
  aarch64: "f0VMRgIBAQAAAAAAAAAAAAMAtwABAAAAAAAAAAAAAABAAAAAAAAAAGgDAAAAAAAAAAAAAEAAOAAEAEAACQAIAAEAAAAFAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAASAIAAAAAAABIAgAAAAAAAAAAAQAAAAAAAQAAAAYAAABIAgAAAAAAAEgCAQAAAAAASAIBAAAAAADgAAAAAAAAAOAAAAAAAAAAAAABAAAAAAACAAAABgAAAEgCAAAAAAAASAIBAAAAAABIAgEAAAAAAMAAAAAAAAAAwAAAAAAAAAAIAAAAAAAAAFHldGQGAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABAAAAAAAAAAAQAAAAIAAAABAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQAAABIABABwAQAAAAAAANgAAAAAAAAAAHJ1bgAAAADpAwCqCkAhi0sFQLlAEUD5SwAANiBpYPhBFUD5SwAINiFpYfhCGUD5SwAQNiJpYvhDHUD5SwAYNiNpY/hEIUD5SwAgNiRpZPhFJUD5SwAoNiVpZfhIAUC57H9gskwpAPkBAADUwAAAtEApAPkf/D+xwgAAVEwdQLkUAAAUX1UAuUwRQLkRAAAU4AMAS0wFQPkMAQC0jR0AEr8BAGtgAABUjP1I0/v//xdMFUC5BwAAFCwFQLmMAAA1TAEJyywBALkgBQC5TBlAuSoBDIvs+f+1IAVAucADX9YEAAAAAAAAACABAAAAAAAABQAAAAAAAABoAQAAAAAAAAYAAAAAAAAAOAEAAAAAAAAKAAAAAAAAAAUAAAAAAAAACwAAAAAAAAAYAAAAAAAAAPv//28AAAAACAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABIAgEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAuc2hzdHJ0YWIALmhhc2gALmR5bnN5bQAuZHluc3RyAC50ZXh0AC5keW5hbWljAC5nb3QALmdvdC5wbHQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACwAAAAUAAAACAAAAAAAAACABAAAAAAAAIAEAAAAAAAAUAAAAAAAAAAIAAAAAAAAACAAAAAAAAAAEAAAAAAAAABEAAAALAAAAAgAAAAAAAAA4AQAAAAAAADgBAAAAAAAAMAAAAAAAAAADAAAAAQAAAAgAAAAAAAAAGAAAAAAAAAAZAAAAAwAAAAIAAAAAAAAAaAEAAAAAAABoAQAAAAAAAAUAAAAAAAAAAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAIQAAAAEAAAAGAAAAAAAAAHABAAAAAAAAcAEAAAAAAADYAAAAAAAAAAAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAACcAAAAGAAAAAwAAAAAAAABIAgEAAAAAAEgCAAAAAAAAwAAAAAAAAAADAAAAAAAAAAgAAAAAAAAAEAAAAAAAAAAwAAAAAQAAAAMAAAAAAAAACAMBAAAAAAAIAwAAAAAAAAgAAAAAAAAAAAAAAAAAAAAIAAAAAAAAAAgAAAAAAAAANQAAAAEAAAADAAAAAAAAABADAQAAAAAAEAMAAAAAAAAYAAAAAAAAAAAAAAAAAAAACAAAAAAAAAAIAAAAAAAAAAEAAAADAAAAAAAAAAAAAAAAAAAAAAAAACgDAAAAAAAAPgAAAAAAAAAAAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAA="
};
var INIT = {
  x86_64: "f0VMRgIBAQAAAAAAAAAAAAIAPgABAAAAhQBAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAAAAEAAOAABAAAAAAAAAAEAAAAFAAAAAAAAAAAAAAAAAEAAAAAAAAAAQAAAAAAARAEAAAAAAABEAQAAAAAAAAAQAAAAAAAA//////////9pbml0AEiB7IAAAAC/AgAAAEiNNeD///8x0kG6CAAAALgOAAAADwW/DwAAAEiNNc3///+4nQAAAA8FMf9Iiea6CAAAALgAAAAADwWLHCQx/7gDAAAADwW//////0iJ5roBAAAARTHSuD0AAAAPBYXAfhw52HXhiwQkD7b8g+B/dAaNuIAAAAC45wAAAA8FSI09Y////0iJ5jHSQboIAAAAuIAAAAAPBYP4EXSrhcB43oN8JAgAf9eJ34nGuD4AAAAPBevK",
  aarch64: "f0VMRgIBAQAAAAAAAAAAAAIAtwABAAAAiABAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAAAAEAAOAABAAAAAAAAAAEAAAAFAAAAAAAAAAAAAAAAAEAAAAAAAAAAQAAAAAAAYAEAAAAAAABgAQAAAAAAAAAAAQAAAAAA//////////9pbml0AAAAAP8DAtFAAIDSQf//EAIAgNIDAYDS6BCA0gEAANTgAYDSwf7/EOgUgNIBAADUAACA0uEDAJECAYDS6AeA0gEAANTzA0C5AACA0igHgNIBAADUAACAkuEDAJEiAIDSAwCA0ogggNIBAADUHwAAcU0BAFQfABNr4f7/VOEDQLkgPAhTIRgAckAAAFQgAAIRyAuA0gEAANTg+v8Q4QMAkQIAgNIDAYDSKBGA0gEAANQfRABxAP3/VAD//zfhC0C5PwAAcaz+/1ThAwAq4AMTKigQgNIBAADU8P//Fw=="
};

// ffi/engine/engine.ts
var SYMBOLS2 = {
  // u32 run(table, u32 offset): the errno of the first failure, or 0
  run: {
    parameters: [
      "pointer",
      "u32"
    ],
    result: "u32"
  },
  runInPool: {
    name: "run",
    parameters: [
      "pointer",
      "u32"
    ],
    result: "u32",
    nonblocking: true
  }
};
var MMAP_FLAGS = {
  PROT_READ: 1,
  PROT_WRITE: 2,
  MAP_SHARED: 1,
  MAP_PRIVATE: 2,
  MAP_ANONYMOUS: 32
};
var MFD_CLOEXEC2 = 1;
var ARENA_SIZE = 256 * 1024;
var loaded;

var RunResult = class {
  #program;
  #table;
  constructor(program, table) {
    this.#program = program;
    this.#table = table;
  }
  /** The first call that failed, if one did. */
  get failed() {
    const errno = this.#table.getUint32(HEADER2.failedWith, true);
    if (errno === 0) return void 0;
    const at2 = this.#table.getUint32(HEADER2.failedAt, true);
    return {
      call: this.#program.calls[recordIndex(at2)],
      errno
    };
  }
  /** What the call answered: a negative errno where it failed. */
  result(call2) {
    return this.#table.getBigInt64(resultOffset(this.#program.calls.indexOf(call2)), true);
  }
  /** What the kernel has written there. */
  output(output) {
    const at2 = this.#program.outputs.get(output);
    if (at2 === void 0) throw new TypeError("the output is not in the program");
    return new DataView(this.#table.buffer, this.#table.byteOffset + at2, output.size);
  }
};
var Engine = class _Engine {
  /** The architecture of this machine. */
  architecture;
  /** What libc is needed for beside the engine. */
  libc;
  #symbols;
  // Calls of this isolate follow one another, so one arena serves them all.
  #arena;
  #kept = /* @__PURE__ */ new Map();
  constructor(architecture, libc) {
    this.architecture = architecture;
    this.libc = libc;
    this.#symbols = loadShared(libc, Uint8Array.fromBase64(ENGINE[architecture]));
    this.#arena = this.allocate(ARENA_SIZE);
  }
  /** Loads the engine into this process. */
  static load() {
    if (Deno.build.os !== "linux") {
      throw new UnsupportedError(`containers are made of Linux namespaces, and this is ${Deno.build.os}; run it on Linux`);
    }
    const architecture = Deno.build.arch;
    if (architecture !== "x86_64" && architecture !== "aarch64") {
      throw new UnsupportedError(`the engine is made for x86_64 and aarch64, not ${architecture}`);
    }
    try {
      return new _Engine(architecture, openLibc());
    } catch (error) {
      if (!(error instanceof Deno.errors.NotCapable)) throw error;
      throw new PermissionError("system calls need the permission to use FFI; run it with `deno run --allow-ffi` (plain: a path after it is not enough, as memory is addressed too)", "ffi", {
        cause: error
      });
    }
  }
  /** Runs a program in the calling thread, up to its end or its first failure. */
  run(program) {
    const size2 = program.bytes.length;
    if (size2 > this.#arena.size) this.#growArena(size2);
    const arena = this.#arena;
    place(program, arena);
    this.#symbols.run(arena.pointer, HEADER2.size);
    return new RunResult(program, new DataView(arena.bytes.slice(0, size2).buffer));
  }
  /** Runs a program that lies in memory of its own; answers the errno of its first failure, or 0. */
  runIn(memory) {
    memory.view.setBigUint64(0, 0n);
    return this.#symbols.run(memory.pointer, HEADER2.size);
  }
  /** As {@linkcode runIn}, on a thread of Deno's pool, so that it may block. */
  runInPool(memory) {
    memory.view.setBigUint64(0, 0n);
    return this.#symbols.runInPool(memory.pointer, HEADER2.size);
  }
  /** What is made once and kept as long as the engine: descriptors, tables in memory. */
  once(name, make) {
    if (!this.#kept.has(name)) this.#kept.set(name, make());
    return this.#kept.get(name);
  }
  /** Zeroed memory outside V8's heap. `"shared"` stays one also for a child that copies the rest. */
  allocate(size2, sharing = "private") {
    const kind2 = sharing === "shared" ? MMAP_FLAGS.MAP_SHARED : MMAP_FLAGS.MAP_PRIVATE;
    const map = call("mmap", null, size2, constant(MMAP_FLAGS.PROT_READ | MMAP_FLAGS.PROT_WRITE, {}), constant(kind2 | MMAP_FLAGS.MAP_ANONYMOUS, {}), -1, 0);
    const table = assemble([
      {
        call: map
      }
    ], this.architecture).bytes.slice();
    const errno = this.#symbols.run(Deno.UnsafePointer.of(table), HEADER2.size);
    if (errno !== 0) {
      const hint = "memory is short, here or in this process's control group, or by ulimit -v";
      throw new SyscallError({
        syscall: "mmap",
        errno,
        call: describeCall(map),
        hint
      });
    }
    const address2 = new DataView(table.buffer).getBigInt64(resultOffset(0), true);
    return new Memory(Number(address2), size2);
  }
  /** Gives memory back; nothing may use it any more. */
  release(memory) {
    const unmap = call("munmap", memory.address, memory.size);
    this.run(assemble([
      {
        call: unmap
      }
    ], this.architecture));
  }
  #growArena(size2) {
    const old = this.#arena;
    this.#arena = this.allocate(2 ** Math.ceil(Math.log2(size2)));
    this.release(old);
  }
};



// ffi/linux/direct.ts
function direct(call2, hints) {
  return Number(outcomeOf(call2, hints).result(call2));
}
function outcomeOf(call2, hints = {}) {
  const loaded2 = engine();
  const outcome = loaded2.run(assemble([
    {
      call: call2
    }
  ], loaded2.architecture));
  const { failed } = outcome;
  if (failed === void 0) return outcome;
  const code = errnoName(failed.errno);
  throw new SyscallError({
    syscall: call2.name,
    errno: failed.errno,
    call: describeCall(call2),
    hint: code && hints[code]
  });
}


// ffi/linux/owned_fd.ts
var OwnedFd = class {
  #number;
  /** Takes over an open descriptor. */
  constructor(number) {
    this.#number = number;
  }
  /**
   * Its number, as long as it is open.
   *
   * @throws {TypeError} where it is closed
   */
  get number() {
    if (this.#number === void 0) throw new TypeError("the descriptor is closed");
    return this.#number;
  }
  /** Closes it, unless it is closed. */
  close() {
    const number = this.#number;
    if (number === void 0) return;
    this.#number = void 0;
    direct(close(number));
  }
  /** Closes it at the end of a `using` scope. */
  [Symbol.dispose]() {
    this.close();
  }
};
function raw(fd) {
  return typeof fd === "number" ? fd : fd.number;
}

// ffi/linux/files.ts
var MOST_AT_ONCE = 64 * 1024;
function open(path2, flags2 = O_CLOEXEC, mode2 = 0) {
  return openat3(AT_FDCWD, path2, flags2, mode2);
}
function openat3(directory, path2, flags2 = O_CLOEXEC, mode2 = 0) {
  return new OwnedFd(direct(openat(raw(directory), path2, flags2, mode2)));
}
function openat22(directory, path2, how) {
  return new OwnedFd(direct(openat2(raw(directory), path2, how), {
    EXDEV: "the path leaves the directory or the mount that it has to stay in"
  }));
}
function close2(fd) {
  if (typeof fd === "number") direct(close(fd));
  else fd.close();
}
function read2(fd, buffer) {
  const output = new Output(Math.min(buffer.length, MOST_AT_ONCE), "&buffer");
  const call2 = read(raw(fd), output, output.size);
  const outcome = outcomeOf(call2);
  const { buffer: memory, byteOffset } = outcome.output(output);
  const count2 = Number(outcome.result(call2));
  buffer.set(new Uint8Array(memory, byteOffset, count2));
  return count2;
}
function write2(fd, bytes) {
  const part = bytes.subarray(0, MOST_AT_ONCE);
  return direct(write(raw(fd), part, part.length));
}
function pipe22(flags2 = O_CLOEXEC) {
  const { output } = new PipeEnds();
  const ends = outcomeOf(pipe2(output, flags2)).output(output);
  return [
    new OwnedFd(ends.getInt32(0, true)),
    new OwnedFd(ends.getInt32(4, true))
  ];
}
function memfd_create2(name, flags2 = MFD_CLOEXEC) {
  return new OwnedFd(direct(memfd_create(name, flags2)));
}

// ffi/calls/statx.ts
function statx(directory, path2, flagBits, mask2, told) {
  const named = flags(flagBits, {
    AT_SYMLINK_NOFOLLOW,
    AT_NO_AUTOMOUNT,
    AT_EMPTY_PATH
  });
  return call("statx", at(directory), path2, named, flags(mask2, STATX_FLAGS), told);
}
function statxOutput() {
  return new Output(256, "&statx");
}
function readStatx(told) {
  const device2 = (at2) => makedev(told.getUint32(at2, true), told.getUint32(at2 + 4, true));
  return {
    mask: told.getUint32(0, true),
    nlink: told.getUint32(16, true),
    uid: told.getUint32(20, true),
    gid: told.getUint32(24, true),
    mode: told.getUint16(28, true),
    ino: told.getBigUint64(32, true),
    size: Number(told.getBigUint64(40, true)),
    rdev: device2(128),
    dev: device2(136),
    mnt_id: Number(told.getBigUint64(144, true))
  };
}

// ffi/linux/directories.ts
var PATH_MAX = 4096;
function chdir2(path2) {
  direct(chdir(path2));
}
function fchdir2(fd) {
  direct(fchdir(raw(fd)));
}
function getcwd2() {
  const path2 = new Output(PATH_MAX, "&path");
  const call2 = getcwd(path2);
  const outcome = outcomeOf(call2);
  return text(outcome.output(path2), Number(outcome.result(call2)) - 1);
}
function umask2(mask2) {
  return direct(umask(mask2));
}
function mkdir(path2, mode2 = 511) {
  mkdirat2(AT_FDCWD, path2, mode2);
}
function mkdirat2(directory, path2, mode2 = 511) {
  direct(mkdirat(raw(directory), path2, mode2));
}
function mknodat2(directory, path2, mode2, device2 = 0) {
  direct(mknodat(raw(directory), path2, mode2, device2), {
    EPERM: "device files take CAP_MKNOD outside of user namespaces; a bind mount of one does not"
  });
}
function makedev2(major, minor) {
  return makedev(major, minor);
}
function symlinkat2(target, directory, path2) {
  direct(symlinkat(target, raw(directory), path2));
}
function readlinkat2(directory, path2) {
  const target = new Output(PATH_MAX, "&target");
  const call2 = readlinkat(raw(directory), path2, target);
  const outcome = outcomeOf(call2);
  return text(outcome.output(target), Number(outcome.result(call2)));
}
function unlinkat2(directory, path2, flags2 = 0) {
  direct(unlinkat(raw(directory), path2, flags2), {
    EISDIR: "it is a directory: linux.AT_REMOVEDIR"
  });
}
function statx2(directory, path2, flags2 = 0, mask2 = STATX_BASIC_STATS | STATX_MNT_ID) {
  const told = statxOutput();
  return readStatx(outcomeOf(statx(raw(directory), path2, flags2, mask2, told)).output(told));
}
function text(view2, length) {
  return new TextDecoder().decode(new Uint8Array(view2.buffer, view2.byteOffset, length));
}

// ffi/calls/message_queues.ts
var MESSAGE_SIZE = 8192;
function mq_open(name, flagBits, fileMode) {
  return call("mq_open", name, flags(flagBits, OPEN_FLAGS), mode(fileMode), null);
}
function mq_unlink(name) {
  return call("mq_unlink", name);
}
function mq_timedsend(queue, message2, priority) {
  return call("mq_timedsend", queue, message2, message2.length, priority, null);
}
function mq_timedreceive(queue, message2) {
  return call("mq_timedreceive", queue, message2, message2.size, null, null);
}

// ffi/linux/message_queues.ts
var SLASH = "the name of a queue has one slash, which is its first character";
function mq_open2(name, flags2, mode2 = 0) {
  return new OwnedFd(direct(mq_open(withoutSlash(name), flags2, mode2), {
    EACCES: SLASH
  }));
}
function mq_unlink2(name) {
  direct(mq_unlink(withoutSlash(name)), {
    EACCES: SLASH
  });
}
function mq_send(queue, message2, priority = 0) {
  direct(mq_timedsend(raw(queue), message2, priority));
}
function mq_receive(queue) {
  const message2 = new Output(MESSAGE_SIZE, "&message");
  const call2 = mq_timedreceive(raw(queue), message2);
  const outcome = outcomeOf(call2);
  const { buffer, byteOffset } = outcome.output(message2);
  return new Uint8Array(buffer, byteOffset, Number(outcome.result(call2))).slice();
}
function withoutSlash(name) {
  return name.replace(/^\//, "");
}

// ffi/calls/mounts.ts
var TREE_FLAGS = {
  OPEN_TREE_CLONE,
  AT_SYMLINK_NOFOLLOW,
  AT_NO_AUTOMOUNT,
  AT_EMPTY_PATH,
  AT_RECURSIVE,
  OPEN_TREE_CLOEXEC
};

function umount2(target, flagBits) {
  return call("umount2", target, flags(flagBits, UMOUNT_FLAGS));
}
function open_tree(directory, path2, flagBits) {
  return call("open_tree", at(directory), path2, flags(flagBits, TREE_FLAGS));
}
function move_mount(fromDirectory, fromPath, toDirectory, toPath, flagBits) {
  const named = flags(flagBits, MOVE_MOUNT_FLAGS);
  return call("move_mount", at(fromDirectory), fromPath, at(toDirectory), toPath, named);
}
var MOUNT_ATTR_SIZE = 32;
function mount_setattr(directory, path2, flagBits, attributes) {
  const { attr_set = 0, attr_clr = 0, propagation: propagation2 = 0, userns_fd = 0 } = attributes;
  const words3 = new BigUint64Array([
    attr_set,
    attr_clr,
    propagation2,
    userns_fd
  ].map(BigInt));
  const text4 = Object.entries(attributes).map(([name, value]) => `${name}=${word(name, value)}`);
  const struct = new Struct(new Uint8Array(words3.buffer), `{${text4.join(", ")}}`);
  const named = flags(flagBits, TREE_FLAGS);
  return call("mount_setattr", at(directory), path2, named, struct, MOUNT_ATTR_SIZE);
}
function word(name, value) {
  if (name === "userns_fd") return String(value);
  return flags(value, name === "propagation" ? MOUNT_FLAGS : MOUNT_ATTRIBUTES).text;
}
function fsopen(type, flagBits) {
  return call("fsopen", type, flags(flagBits, {
    FSOPEN_CLOEXEC
  }));
}
function fsconfig(fd, command, key, value, aux) {
  return call("fsconfig", fd, constant(command, FSCONFIG_COMMANDS), key, value, at(aux));
}
function fsmount(fd, flagBits, attributes) {
  const named = flags(flagBits, {
    FSMOUNT_CLOEXEC
  });
  return call("fsmount", fd, named, flags(attributes, MOUNT_ATTRIBUTES));
}
function fspick(directory, path2, flagBits) {
  return call("fspick", at(directory), path2, flags(flagBits, FSPICK_FLAGS));
}

// ffi/linux/mount_descriptors.ts
var TAKES_ADMIN = takes("CAP_SYS_ADMIN", '"user", "mount"');
function open_tree2(directory, path2, flags2 = OPEN_TREE_CLOEXEC) {
  return new OwnedFd(direct(open_tree(raw(directory), path2, flags2), {
    EPERM: TAKES_ADMIN,
    EINVAL: "a copy for an ordinary user must hold what is mounted below: linux.AT_RECURSIVE"
  }));
}
function move_mount2(fromDirectory, fromPath, toDirectory, toPath, flags2 = 0) {
  direct(move_mount(raw(fromDirectory), fromPath, raw(toDirectory), toPath, flags2), {
    EPERM: TAKES_ADMIN,
    EINVAL: "a directory is mounted on a directory only, a file on a file only, and no mount out of a shared one (MS_PRIVATE)",
    ENOTDIR: "a directory is mounted on a directory only, and a file on a file only"
  });
}
function mount_setattr2(directory, path2, flags2, attributes) {
  direct(mount_setattr(raw(directory), path2, flags2, attributes), {
    EPERM: `${TAKES_ADMIN}; attributes that the mount got outside are locked`,
    EINVAL: "the path is no mount, or the attributes contradict each other"
  });
}
function fsopen2(type, flags2 = FSOPEN_CLOEXEC) {
  return new OwnedFd(direct(fsopen(type, flags2), {
    EPERM: TAKES_ADMIN,
    ENODEV: "this kernel does not know the type of filesystem (see /proc/filesystems)"
  }));
}
function fsconfig2(filesystem, command, key = null, value = null, aux = 0) {
  direct(fsconfig(raw(filesystem), command, key, value, raw(aux)), {
    EPERM: TAKES_ADMIN,
    EINVAL: "an option does not suit the filesystem; linux.read of its descriptor tells which"
  });
}
function fsmount2(filesystem, flags2 = FSMOUNT_CLOEXEC, attributes = 0) {
  return new OwnedFd(direct(fsmount(raw(filesystem), flags2, attributes), {
    EPERM: TAKES_ADMIN,
    EINVAL: "the filesystem is to be made first: fsconfig with linux.FSCONFIG_CMD_CREATE"
  }));
}
function fspick2(directory, path2, flags2 = FSPICK_CLOEXEC) {
  return new OwnedFd(direct(fspick(raw(directory), path2, flags2), {
    EPERM: TAKES_ADMIN,
    EINVAL: "the path is no mount"
  }));
}

// ffi/calls/statfs.ts
function statfs(path2, told) {
  return call("statfs", path2, told);
}
function statfsOutput() {
  return new Output(120, "&statfs");
}
function readStatfs(told) {
  const word4 = (index) => Number(told.getBigUint64(index * 8, true));
  return {
    type: word4(0),
    bsize: word4(1),
    blocks: word4(2),
    bfree: word4(3),
    bavail: word4(4),
    files: word4(5),
    ffree: word4(6),
    flags: word4(10)
  };
}

// ffi/linux/mounts.ts
var TAKES_ADMIN2 = takes("CAP_SYS_ADMIN", '"user", "mount"');
var UNKNOWN_TYPE = "this kernel does not know the type of filesystem (see /proc/filesystems)";
function mount2(source, target, type, flags2 = 0, data2 = null) {
  direct(mount(source, target, type, flags2, data2), {
    EPERM: TAKES_ADMIN2,
    ENODEV: UNKNOWN_TYPE
  });
}
function umount22(target, flags2 = 0) {
  direct(umount2(target, flags2), {
    EPERM: TAKES_ADMIN2,
    EBUSY: "it is in use; linux.MNT_DETACH takes it away all the same",
    EINVAL: "nothing is mounted there, or it was mounted outside the user namespace"
  });
}
function statfs2(path2) {
  const told = statfsOutput();
  return readStatfs(outcomeOf(statfs(path2, told)).output(told));
}

// ffi/calls/constants/namespace_files.ts
var NS_GET_USERNS = 46849;
var NS_GET_PARENT = 46850;
var NS_GET_NSTYPE = 46851;
var NS_GET_OWNER_UID = 46852;
var NAMESPACE_REQUESTS = {
  NS_GET_USERNS,
  NS_GET_PARENT,
  NS_GET_NSTYPE,
  NS_GET_OWNER_UID
};

// ffi/calls/namespaces.ts
function clone(flagBits, stored) {
  const storesPid = stored !== null && (flagBits & CLONE_PIDFD) === 0;
  const bits = (flagBits | (storesPid ? CLONE_PARENT_SETTID : 0)) >>> 0;
  const set = () => bits === 0 ? "" : `${flags(bits, CLONE_FLAGS).text}|`;
  const named = new Named(bits + SIGNALS.SIGCHLD, () => `${set()}SIGCHLD`);
  return call("clone", named, null, stored, 0, 0);
}
function unshare(flagBits) {
  return call("unshare", flags(flagBits, CLONE_FLAGS));
}
function setns(fd, flagBits) {
  return call("setns", fd, flags(flagBits, CLONE_FLAGS));
}
function namespaceIoctl(fd, request, told = 0) {
  return call("ioctl", fd, constant(request, NAMESPACE_REQUESTS), told);
}
function pivot_root(newRoot2, putOld) {
  return call("pivot_root", newRoot2, putOld);
}
function chroot(path2) {
  return call("chroot", path2);
}

function setdomainname(name) {
  return call("setdomainname", name, new TextEncoder().encode(name).length);
}
var UTSNAME_LENGTH = 65;
function uname(names) {
  return call("uname", names);
}
function utsname() {
  return new Output(6 * UTSNAME_LENGTH, "&utsname");
}
function readUtsname(names) {
  const text4 = (index) => {
    const start2 = names.byteOffset + index * UTSNAME_LENGTH;
    const field2 = new Uint8Array(names.buffer, start2, UTSNAME_LENGTH);
    return new TextDecoder().decode(field2.subarray(0, field2.indexOf(0)));
  };
  return {
    sysname: text4(0),
    nodename: text4(1),
    release: text4(2),
    version: text4(3),
    machine: text4(4),
    domainname: text4(5)
  };
}

// ffi/linux/namespaces.ts
var MANY_THREADS = 'a process of several threads, as Deno is, cannot enter a user namespace (user_namespaces(7)); a recipe can: recipe(unshare("user"), ...)';
var SHARED_ROOT = "a thread enters a mount namespace only when it shares its root and working directory with no other thread: linux.unshare(linux.CLONE_FS) first";
function unshare2(flags2) {
  const shared = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD;
  direct(unshare(flags2), {
    EPERM: takes("CAP_SYS_ADMIN", '"user", ...'),
    EINVAL: has(flags2, CLONE_NEWUSER) ? MANY_THREADS : has(flags2, shared) ? "threads of one process cannot cease to share this" : "this kernel does not have all of these namespaces (ls /proc/self/ns)",
    ENOSPC: "there are as many namespaces as sysctl user.max_*_namespaces allow, or they are nested too deep"
  });
}
function setns2(fd, kind2 = 0) {
  const hints = {
    EPERM: takes("CAP_SYS_ADMIN there and here", '"user", ...'),
    EUSERS: "a process of several threads, as Deno is, cannot enter a time namespace; a recipe can",
    EINVAL: has(kind2, CLONE_NEWUSER) ? MANY_THREADS : has(kind2, CLONE_NEWNS) ? SHARED_ROOT : kind2 === 0 ? `for a user namespace: ${MANY_THREADS}; for a mount namespace: ${SHARED_ROOT}` : "the descriptor is of another namespace"
  };
  direct(setns(raw(fd), kind2), hints);
}
function pivot_root2(newRoot2, oldRoot) {
  direct(pivot_root(newRoot2, oldRoot), {
    EPERM: takes("CAP_SYS_ADMIN", '"user", "mount"'),
    EINVAL: "the new root must be a mount (bind it on itself), no mount may be shared (MS_REC|MS_PRIVATE on /), and the root must not be the initial ramdisk"
  });
}
function chroot2(path2) {
  direct(chroot(path2), {
    EPERM: takes("CAP_SYS_CHROOT", '"user", "mount"')
  });
}
function sethostname2(name) {
  direct(sethostname(name), nameHints("hostname"));
}
function setdomainname2(name) {
  direct(setdomainname(name), nameHints("domain name"));
}
function gethostname() {
  return uname2().nodename;
}
function uname2() {
  const names = utsname();
  return readUtsname(outcomeOf(uname(names)).output(names));
}
function nameHints(what) {
  return {
    EPERM: takes("CAP_SYS_ADMIN", '"user", "uts"'),
    EINVAL: `a ${what} has at most 64 bytes`
  };
}
function has(flags2, some) {
  return (flags2 & some) !== 0;
}

// ffi/calls/constants/sockets.ts
var AF_UNIX = 1;
var AF_INET = 2;
var AF_INET6 = 10;
var AF_NETLINK = 16;
var SOCK_STREAM = 1;
var SOCK_RAW = 3;
var SOCK_SEQPACKET = 5;
var SOCK_CLOEXEC = 524288;
var SOCK_NONBLOCK = 2048;
var SHUT_WR = 1;
var SOL_SOCKET = 1;
var SO_PASSCRED = 16;
var SOL_NETLINK = 270;
var NETLINK_CAP_ACK = 10;
var NETLINK_EXT_ACK = 11;
var NETLINK_ROUTE = 0;
var NETLINK_NETFILTER = 12;
var MSG_DONTWAIT = 64;
var MSG_CMSG_CLOEXEC = 1073741824;
var SIOCGIFINDEX = 35123;
var SIOCGSKNS = 35148;

// ffi/calls/sockets.ts
var SCM_RIGHTS = 1;
var CMSG_HEADER = 16;
var CMSG_SPACE = 24;
var CREDENTIALS_SPACE = 32;
var MSGHDR = {
  iov: 16,
  iovlen: 24,
  control: 32,
  controllen: 40,
  size: 56
};
function socketpair(pair) {
  return call("socketpair", constant(AF_UNIX, {
    AF_UNIX
  }), constant(SOCK_SEQPACKET | SOCK_CLOEXEC, {
    "SOCK_SEQPACKET|SOCK_CLOEXEC": SOCK_SEQPACKET | SOCK_CLOEXEC
  }), 0, pair);
}
function sendDescriptor(socket, fd) {
  const control = new Uint8Array(CMSG_SPACE);
  const view2 = new DataView(control.buffer);
  view2.setUint32(0, CMSG_HEADER + 4, true);
  view2.setInt32(8, SOL_SOCKET, true);
  view2.setInt32(12, SCM_RIGHTS, true);
  view2.setInt32(CMSG_HEADER, fd, true);
  const struct = new Struct(control, "&control");
  return call("sendmsg", socket, message(new Uint8Array(1), struct, `{SCM_RIGHTS, ${fd}}`), 0);
}
function receiveDescriptor(socket, control) {
  const flags2 = constant(MSG_CMSG_CLOEXEC, {
    MSG_CMSG_CLOEXEC
  });
  return call("recvmsg", socket, message(new Output(1), control, "&message"), flags2);
}
function passCredentials(socket, on) {
  return call("setsockopt", socket, constant(SOL_SOCKET, {
    SOL_SOCKET
  }), constant(SO_PASSCRED, {
    SO_PASSCRED
  }), new Struct(Uint8Array.of(on ? 1 : 0, 0, 0, 0), on ? "&1" : "&0"), 4);
}
function receiveByte(socket, sender) {
  return call("recvmsg", socket, message(new Output(1), sender, "&message"), 0);
}
function senderOutput() {
  return new Output(CREDENTIALS_SPACE, "&sender");
}
function senderOf(sender) {
  return sender.getInt32(CMSG_HEADER, true);
}
function controlOutput() {
  return new Output(CMSG_SPACE, "&control");
}
function descriptorOf(control) {
  return control.getInt32(12, true) === SCM_RIGHTS ? control.getInt32(CMSG_HEADER, true) : void 0;
}
function message(data2, control, text4) {
  const vector = new Uint8Array(16);
  vector[8] = 1;
  const iov = new Struct(vector, "&iov", [
    {
      offset: 0,
      to: data2
    }
  ]);
  const bytes = new Uint8Array(MSGHDR.size);
  bytes[MSGHDR.iovlen] = 1;
  bytes[MSGHDR.controllen] = control.size;
  return new Struct(bytes, text4, [
    {
      offset: MSGHDR.iov,
      to: iov
    },
    {
      offset: MSGHDR.control,
      to: control
    }
  ]);
}
var SOCKET_FLAGS = {
  SOCK_NONBLOCK,
  SOCK_CLOEXEC
};
function tcpSocket() {
  const type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  const text4 = "SOCK_STREAM|SOCK_NONBLOCK|SOCK_CLOEXEC";
  return call("socket", constant(AF_INET, {
    AF_INET
  }), constant(type, {
    [text4]: type
  }), 0);
}
function bindLoopback(socket, port) {
  const address2 = new Uint8Array(16);
  const view2 = new DataView(address2.buffer);
  view2.setUint16(0, AF_INET, true);
  view2.setUint16(2, port);
  address2.set([
    127,
    0,
    0,
    1
  ], 4);
  return call("bind", socket, new Struct(address2, `{AF_INET, 127.0.0.1:${port}}`), address2.length);
}
function listen(socket, backlog) {
  return call("listen", socket, backlog);
}
function accept(socket) {
  const named = flags(SOCK_NONBLOCK | SOCK_CLOEXEC, SOCKET_FLAGS);
  return call("accept4", socket, null, null, named);
}
function shutdownWrite(socket) {
  return call("shutdown", socket, constant(SHUT_WR, {
    SHUT_WR
  }));
}
function netlinkSocket(protocol) {
  const type = SOCK_RAW | SOCK_CLOEXEC;
  return call("socket", constant(AF_NETLINK, {
    AF_NETLINK
  }), constant(type, {
    "SOCK_RAW|SOCK_CLOEXEC": type
  }), constant(protocol, {
    NETLINK_ROUTE,
    NETLINK_NETFILTER
  }));
}
function setNetlinkOption(socket, option) {
  return call("setsockopt", socket, constant(SOL_NETLINK, {
    SOL_NETLINK
  }), constant(option, {
    NETLINK_CAP_ACK,
    NETLINK_EXT_ACK
  }), new Struct(Uint8Array.of(1, 0, 0, 0), "&1"), 4);
}
function sendto(socket, message2) {
  return call("sendto", socket, message2, message2.size, 0, null, 0);
}
function sendPieces(socket, pieces, text4) {
  const vector = new Uint8Array(pieces.length * 16);
  const view2 = new DataView(vector.buffer);
  pieces.forEach(({ size: size2 }, index) => view2.setBigUint64(index * 16 + 8, BigInt(size2), true));
  const iov = new Struct(vector, "&iov", pieces.map(({ at: at2 }, index) => ({
    offset: index * 16,
    to: at2
  })));
  const bytes = new Uint8Array(MSGHDR.size);
  new DataView(bytes.buffer).setBigUint64(MSGHDR.iovlen, BigInt(pieces.length), true);
  return call("sendmsg", socket, new Struct(bytes, text4, [
    {
      offset: MSGHDR.iov,
      to: iov
    }
  ]), 0);
}
function recvfrom(socket, message2, flagBits) {
  const named = flags(flagBits, {
    MSG_DONTWAIT
  });
  return call("recvfrom", socket, message2, message2.size, named, null, null);
}
function openSocketNamespace(socket) {
  return call("ioctl", socket, constant(SIOCGSKNS, {
    SIOCGSKNS
  }), 0);
}
var IFREQ = {
  index: 16,
  size: 40
};
function getInterfaceIndex(socket, request) {
  return call("ioctl", socket, constant(SIOCGIFINDEX, {
    SIOCGIFINDEX
  }), request);
}
function interfaceRequest(name) {
  const bytes = new Uint8Array(IFREQ.size);
  new TextEncoder().encodeInto(name, bytes.subarray(0, IFREQ.index - 1));
  return new Struct(bytes, `{${JSON.stringify(name)}}`);
}
function indexField(request, name) {
  return new OutputField(request, IFREQ.index, `index of ${name}`);
}

// ffi/engine/failure.ts

var SHORTAGES = {
  EMFILE: "this process has as many open files as it may; raise the limit (ulimit -n)",
  ENFILE: "this machine has as many open files as it may (sysctl fs.file-max)",
  ENOMEM: "memory is short, here or in this process's cgroup"
};
function shortageHint(code) {
  return code && SHORTAGES[code];
}
function hintOf(words3, mend) {
  if (words3 === void 0) return mend;
  return mend === void 0 ? words3 : `${words3}; ${mend}`;
}

// ffi/syscalls.ts



// ffi/netlink/ip.ts
function parseIp(text4) {
  const family = text4.includes(":") ? AF_INET6 : AF_INET;
  const bytes = family === AF_INET ? parseIpv4(text4) : parseIpv6(text4);
  return bytes && {
    family,
    bytes: Uint8Array.from(bytes)
  };
}
function parsePrefix(text4) {
  const [address2, length, ...more] = text4.split("/");
  const ip = parseIp(address2);
  if (ip === void 0 || length === void 0 || more.length > 0) return void 0;
  if (!/^(0|[1-9][0-9]{0,2})$/.test(length) || Number(length) > ip.bytes.length * 8) {
    return void 0;
  }
  return {
    ...ip,
    length: Number(length)
  };
}
function formatIp(bytes) {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({
    length: 8
  }, (_, i) => bytes[i * 2] << 8 | bytes[i * 2 + 1]);
  const words3 = groups.map((group) => group.toString(16));
  const [start2, count2] = longestZeros(groups);
  if (count2 < 2) return words3.join(":");
  return `${words3.slice(0, start2).join(":")}::${words3.slice(start2 + count2).join(":")}`;
}
function networkOf({ bytes, length }) {
  return bytes.map((byte, index) => {
    const kept = Math.min(8, Math.max(0, length - index * 8));
    return byte & 65280 >> kept;
  });
}
function parseIpv4(text4) {
  const parts = text4.split(".");
  const valid = parts.length === 4 && parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) <= 255);
  return valid ? parts.map(Number) : void 0;
}
function parseIpv6(text4) {
  const halves = text4.split("::");
  if (halves.length > 2) return void 0;
  const [before, after] = halves.map((half) => half === "" ? [] : half.split(":"));
  const head = parseGroups(before, after === void 0);
  if (after === void 0) return head?.length === 16 ? head : void 0;
  const tail = parseGroups(after, true);
  if (head === void 0 || tail === void 0 || head.length + tail.length > 14) return void 0;
  return [
    ...head,
    ...new Array(16 - head.length - tail.length).fill(0),
    ...tail
  ];
}
function parseGroups(groups, mayEndInIpv4) {
  const bytes = [];
  for (const [index, group] of groups.entries()) {
    const last = index === groups.length - 1;
    if (/^[0-9a-f]{1,4}$/i.test(group)) {
      const value = parseInt(group, 16);
      bytes.push(value >> 8, value & 255);
    } else {
      const ipv4 = last && mayEndInIpv4 ? parseIpv4(group) : void 0;
      if (ipv4 === void 0) return void 0;
      bytes.push(...ipv4);
    }
  }
  return bytes;
}
function longestZeros(groups) {
  let best = [
    0,
    0
  ];
  for (let start2 = 0; start2 < groups.length; start2++) {
    let count2 = 0;
    while (groups[start2 + count2] === 0) count2++;
    if (count2 > best[1]) best = [
      start2,
      count2
    ];
  }
  return best;
}

// ffi/netlink/message.ts
var Attribute = class {
  type;
  payload;
  constructor(type, payload2) {
    this.type = type;
    this.payload = payload2;
  }
};
var NLM_F_REQUEST = 1;
var NLM_F_ACK = 4;
var NLM_F_EXCL = 512;
var NLM_F_CREATE = 1024;
var NLM_F_APPEND = 2048;
var NLM_F_DUMP = 768;
var NLM_F_CAPPED = 256;
var NLM_F_ACK_TLVS = 512;
var NLMSG_ERROR = 2;
var NLMSG_DONE = 3;
var HEADER_SIZE = 16;
var ATTRIBUTE_HEADER_SIZE = 4;
var NLA_F_NESTED = 32768;
var NLA_TYPE_MASK = 16383;
var ERROR_OFFSET = HEADER_SIZE;
var REQUEST_OFFSET = HEADER_SIZE + 4;
var NLMSGERR_ATTR_MSG = 1;
function nested(type, ...attributes) {
  return new Attribute(type | NLA_F_NESTED, attributes);
}
function text2(type, value) {
  return new Attribute(type, [
    encoder2.encode(`${value}\0`)
  ]);
}
function word2(type, value) {
  return new Attribute(type, [
    uint32(value)
  ]);
}
function raw2(type, ...bytes) {
  return new Attribute(type, [
    Uint8Array.from(bytes)
  ]);
}
function uint32(value) {
  if (typeof value !== "number") return value;
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}
function encode(messages, sequence = 1) {
  const writer = new MessageWriter();
  messages.forEach((message2, index) => writer.message(message2, sequence + index));
  return writer;
}
function decode(bytes) {
  const view2 = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const messages = [];
  for (let at2 = 0; at2 + HEADER_SIZE <= bytes.length; ) {
    const length = view2.getUint32(at2, true);
    if (length < HEADER_SIZE || at2 + length > bytes.length) break;
    messages.push({
      type: view2.getUint16(at2 + 4, true),
      flags: view2.getUint16(at2 + 6, true),
      sequence: view2.getUint32(at2 + 8, true),
      payload: bytes.subarray(at2 + HEADER_SIZE, at2 + length)
    });
    at2 += aligned(length);
  }
  return messages;
}
function decodeAttributes(bytes) {
  const view2 = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const attributes = /* @__PURE__ */ new Map();
  for (let at2 = 0; at2 + ATTRIBUTE_HEADER_SIZE <= bytes.length; ) {
    const length = view2.getUint16(at2, true);
    if (length < ATTRIBUTE_HEADER_SIZE || at2 + length > bytes.length) break;
    const type = view2.getUint16(at2 + 2, true) & NLA_TYPE_MASK;
    attributes.set(type, bytes.subarray(at2 + ATTRIBUTE_HEADER_SIZE, at2 + length));
    at2 += aligned(length);
  }
  return attributes;
}
function readAnswer(answer) {
  const errno = -answer.getInt32(ERROR_OFFSET, true);
  const flags2 = answer.getUint16(6, true);
  if ((flags2 & NLM_F_ACK_TLVS) === 0) return {
    errno,
    words: void 0
  };
  const length = Math.min(answer.getUint32(0, true), answer.byteLength);
  const copied = (flags2 & NLM_F_CAPPED) === 0 && errno !== 0 ? answer.getUint32(REQUEST_OFFSET, true) : HEADER_SIZE;
  const at2 = REQUEST_OFFSET + aligned(copied);
  if (at2 > length) return {
    errno,
    words: void 0
  };
  const told = new Uint8Array(answer.buffer, answer.byteOffset + at2, length - at2);
  const words3 = decodeAttributes(told).get(NLMSGERR_ATTR_MSG);
  return {
    errno,
    words: words3 && decodeText(words3)
  };
}
function decodeText(bytes) {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}
function decodeUint32(bytes) {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(0, true);
}
var MessageWriter = class {
  holes = [];
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #end = 0;
  get bytes() {
    return this.#bytes.slice(0, this.#end);
  }
  message({ type, flags: flags2, payload: payload2 }, sequence) {
    const start2 = this.#reserve(HEADER_SIZE);
    this.#pieces(payload2);
    this.#view.setUint32(start2, this.#end - start2, true);
    this.#view.setUint16(start2 + 4, type, true);
    this.#view.setUint16(start2 + 6, flags2 | NLM_F_REQUEST, true);
    this.#view.setUint32(start2 + 8, sequence, true);
    this.#reserve(0);
  }
  #pieces(pieces) {
    for (const piece of pieces) {
      if (piece instanceof Attribute) this.#attribute(piece);
      else if (piece instanceof Uint8Array) this.#append(piece);
      else {
        this.holes.push({
          offset: this.#end,
          value: piece
        });
        this.#append(new Uint8Array(4));
      }
    }
  }
  #attribute({ type, payload: payload2 }) {
    const start2 = this.#reserve(ATTRIBUTE_HEADER_SIZE);
    this.#pieces(payload2);
    this.#view.setUint16(start2, this.#end - start2, true);
    this.#view.setUint16(start2 + 2, type, true);
  }
  #append(bytes) {
    const at2 = this.#end;
    this.#grow(at2 + bytes.length);
    this.#bytes.set(bytes, at2);
  }
  /** Room for a header, aligned as every header is. */
  #reserve(size2) {
    const at2 = aligned(this.#end);
    this.#grow(at2 + size2);
    return at2;
  }
  #grow(end) {
    this.#end = end;
    if (end <= this.#bytes.length) return;
    const grown = new Uint8Array(end * 2);
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
};
var encoder2 = new TextEncoder();
function aligned(size2) {
  return size2 + 3 & ~3;
}

// ffi/netlink/address.ts
var RTM_NEWADDR = 20;
var RTM_GETADDR = 22;
var IFA_ADDRESS = 1;
var IFA_LOCAL = 2;
var IFA_F_NODAD = 2;
function addAddress(index, { family, bytes, length }) {
  const flags2 = family === AF_INET6 ? IFA_F_NODAD : 0;
  return {
    type: RTM_NEWADDR,
    flags: NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
    payload: [
      // struct ifaddrmsg (linux/if_addr.h)
      Uint8Array.of(family, length, flags2, 0),
      uint32(index),
      new Attribute(IFA_LOCAL, [
        bytes
      ]),
      new Attribute(IFA_ADDRESS, [
        bytes
      ])
    ],
    words: [
      "RTM_NEWADDR",
      `${formatIp(bytes)}/${length}`,
      describe(index)
    ]
  };
}
function listAddresses() {
  const payload2 = [
    new Uint8Array(ADDRESS_HEADER_SIZE)
  ];
  return {
    type: RTM_GETADDR,
    flags: NLM_F_DUMP,
    payload: payload2,
    words: [
      "RTM_GETADDR"
    ]
  };
}
var ADDRESS_HEADER_SIZE = 8;
function readAddress({ payload: payload2 }) {
  const header2 = new DataView(payload2.buffer, payload2.byteOffset, ADDRESS_HEADER_SIZE);
  const attributes = decodeAttributes(payload2.subarray(ADDRESS_HEADER_SIZE));
  const bytes = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS);
  return {
    link: header2.getUint32(4, true),
    address: `${formatIp(bytes)}/${header2.getUint8(1)}`
  };
}
function describe(index) {
  return typeof index === "number" ? String(index) : index.text;
}

// ffi/netlink/link.ts
var RTM_NEWLINK = 16;
var RTM_DELLINK = 17;
var RTM_GETLINK = 18;
var IFLA = {
  ADDRESS: 1,
  IFNAME: 3,
  MTU: 4,
  LINK: 5,
  MASTER: 10,
  LINKINFO: 18,
  NET_NS_PID: 19,
  NET_NS_FD: 28
};
var IFLA_INFO_KIND = 1;
var IFLA_INFO_DATA = 2;
var VETH_INFO_PEER = 1;
var IFLA_MACVLAN_MODE = 1;
var IFF_UP = 1;
var LINK_NAME_BYTES = 15;
var MACVLAN_MODES = {
  private: 1,
  vepa: 2,
  bridge: 4,
  passthru: 8
};
function addVeth(one, other) {
  const header2 = linkHeader(0, void 0);
  const peer = new Attribute(VETH_INFO_PEER, [
    ...header2,
    ...settings(other)
  ]);
  const words3 = [
    ...describe2(one),
    "peer",
    ...describe2(other)
  ];
  return addLink("veth", one, words3, [
    peer
  ]);
}
function addBridge(link2) {
  return addLink("bridge", link2, describe2(link2), []);
}
function addDummy(link2) {
  return addLink("dummy", link2, describe2(link2), []);
}
function addMacvlan(link2, parent, mode2) {
  const words3 = [
    ...describe2(link2),
    `on ${nameOf(parent)}`
  ];
  const data2 = [
    word2(IFLA_MACVLAN_MODE, MACVLAN_MODES[mode2])
  ];
  return addLink("macvlan", link2, words3, data2, [
    word2(IFLA.LINK, parent)
  ]);
}
function setLink(link2, change) {
  const name = typeof link2 === "string" && change.name === void 0 ? [
    text2(IFLA.IFNAME, link2)
  ] : [];
  return {
    type: RTM_NEWLINK,
    flags: NLM_F_ACK,
    payload: [
      ...linkHeader(indexOf(link2), change.up),
      ...name,
      ...settings(change)
    ],
    words: [
      "RTM_NEWLINK",
      describeLink(link2),
      ...describe2(change)
    ]
  };
}
function deleteLink(link2) {
  return {
    type: RTM_DELLINK,
    flags: NLM_F_ACK,
    payload: [
      ...linkHeader(indexOf(link2), void 0),
      ...typeof link2 === "string" ? [
        text2(IFLA.IFNAME, link2)
      ] : []
    ],
    words: [
      "RTM_DELLINK",
      describeLink(link2)
    ]
  };
}
function listLinks() {
  const payload2 = linkHeader(0, void 0);
  return {
    type: RTM_GETLINK,
    flags: NLM_F_DUMP,
    payload: payload2,
    words: [
      "RTM_GETLINK"
    ]
  };
}
function readLink({ payload: payload2 }) {
  const header2 = new DataView(payload2.buffer, payload2.byteOffset, LINK_HEADER_SIZE);
  const attributes = decodeAttributes(payload2.subarray(LINK_HEADER_SIZE));
  const number = (type) => {
    const bytes = attributes.get(type);
    return bytes && decodeUint32(bytes);
  };
  const kind2 = decodeAttributes(attributes.get(IFLA.LINKINFO) ?? new Uint8Array()).get(IFLA_INFO_KIND);
  const hardware = attributes.get(IFLA.ADDRESS) ?? new Uint8Array();
  const flags2 = header2.getUint32(8, true);
  return {
    index: header2.getInt32(4, true),
    name: decodeText(attributes.get(IFLA.IFNAME) ?? new Uint8Array()),
    kind: kind2 && decodeText(kind2),
    up: (flags2 & IFF_UP) !== 0,
    flags: flags2,
    mtu: number(IFLA.MTU) ?? 0,
    address: Array.from(hardware, (byte) => byte.toString(16).padStart(2, "0")).join(":"),
    master: number(IFLA.MASTER),
    link: number(IFLA.LINK)
  };
}
var LINK_HEADER_SIZE = 16;
function linkHeader(index, up) {
  const change = up === void 0 ? 0 : IFF_UP;
  return [
    uint32(0),
    uint32(index),
    uint32(up ? IFF_UP : 0),
    uint32(change)
  ];
}
function addLink(kind2, link2, words3, data2, more = []) {
  const info = nested(IFLA.LINKINFO, text2(IFLA_INFO_KIND, kind2), ...data2.length === 0 ? [] : [
    nested(IFLA_INFO_DATA, ...data2)
  ]);
  return {
    type: RTM_NEWLINK,
    flags: NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
    payload: [
      ...linkHeader(0, link2.up),
      ...settings(link2),
      ...more,
      info
    ],
    words: [
      "RTM_NEWLINK",
      kind2,
      ...words3
    ]
  };
}
function settings({ name, master, mtu, namespace }) {
  return [
    ...name === void 0 ? [] : [
      text2(IFLA.IFNAME, name)
    ],
    ...master === void 0 ? [] : [
      word2(IFLA.MASTER, master)
    ],
    ...mtu === void 0 ? [] : [
      word2(IFLA.MTU, mtu)
    ],
    ...namespace === void 0 ? [] : [
      namespaceAttribute(namespace)
    ]
  ];
}
function namespaceAttribute(namespace) {
  return "pid" in namespace ? word2(IFLA.NET_NS_PID, namespace.pid) : word2(IFLA.NET_NS_FD, namespace.fd);
}
function describe2({ up, name, master, mtu, namespace }) {
  return [
    ...name === void 0 ? [] : [
      JSON.stringify(name)
    ],
    ...mtu === void 0 ? [] : [
      `mtu ${mtu}`
    ],
    ...master === void 0 ? [] : [
      `master ${nameOf(master)}`
    ],
    ...namespace === void 0 ? [] : [
      `to ${describeNetwork(namespace)}`
    ],
    ...up === void 0 ? [] : [
      up ? "up" : "down"
    ]
  ];
}
function describeNetwork(namespace) {
  if ("fd" in namespace) return nameOf(namespace.fd);
  return `the network of ${Number.isNaN(namespace.pid) ? "PID" : namespace.pid}`;
}
function describeLink(link2) {
  return typeof link2 === "string" ? JSON.stringify(link2) : nameOf(link2.index);
}
function indexOf(link2) {
  return typeof link2 === "string" ? 0 : link2.index;
}
function nameOf(value) {
  return typeof value === "number" ? String(value) : value.text;
}

// ffi/netlink/request.ts
var ANSWER_SIZE = 512;
function answerOutput() {
  return new Output(ANSWER_SIZE, "&answer");
}
function socketCalls(protocol, fdOf3) {
  const socket = netlinkSocket(protocol);
  const fd = fdOf3(socket);
  return [
    socket,
    setNetlinkOption(fd, NETLINK_EXT_ACK),
    setNetlinkOption(fd, NETLINK_CAP_ACK)
  ];
}
function requestCalls(socket, messages, answer, words3 = messages[0].words) {
  return [
    send(socket, messages),
    recvfrom(socket, answer, MSG_DONTWAIT),
    checkAnswer(words3, answer)
  ];
}
function send(socket, messages) {
  const encoded = encode(messages);
  const text4 = messages.map(({ words: words3 }) => `{${words3.join(", ")}}`).join(", ");
  if (encoded.holes.length === 0) return sendto(socket, new Struct(encoded.bytes, text4));
  return sendPieces(socket, piecesOf(encoded), text4);
}
function checkAnswer(words3, answer) {
  const none = new Named(4294967295, "~0U");
  const verdict = {
    name: words3[0],
    text: words3.join(" "),
    answer,
    read: readAnswer
  };
  const error = new OutputField(answer, ERROR_OFFSET, "answer.error");
  return {
    ...call("close_range", none, none, error),
    verdict
  };
}
function piecesOf({ bytes, holes }) {
  const pieces = [];
  let from = 0;
  for (const { offset, value } of holes) {
    if (offset > from) pieces.push({
      at: bytes.slice(from, offset),
      size: offset - from
    });
    pieces.push({
      at: value,
      size: 4
    });
    from = offset + 4;
  }
  if (from < bytes.length) pieces.push({
    at: bytes.slice(from),
    size: bytes.length - from
  });
  return pieces;
}

// ffi/netlink/route.ts
var RTM_NEWROUTE = 24;
var RTM_GETROUTE = 26;
var RTA = {
  DST: 1,
  OIF: 4,
  GATEWAY: 5,
  PRIORITY: 6,
  PREFSRC: 7,
  TABLE: 15
};
var RT_TABLE_MAIN = 254;
var RTPROT_BOOT = 3;
var RT_SCOPE_UNIVERSE = 0;
var RT_SCOPE_LINK = 253;
var RTN_UNICAST = 1;
function addRoute(destination3, { via, device: device2 }) {
  const { family, length } = destination3;
  const scope = via === void 0 && family !== AF_INET6 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  return {
    type: RTM_NEWROUTE,
    flags: NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
    payload: [
      // struct rtmsg (linux/rtnetlink.h)
      Uint8Array.of(family, length, 0, 0, RT_TABLE_MAIN, RTPROT_BOOT, scope, RTN_UNICAST),
      uint32(0),
      ...length === 0 ? [] : [
        new Attribute(RTA.DST, [
          networkOf(destination3)
        ])
      ],
      ...via === void 0 ? [] : [
        new Attribute(RTA.GATEWAY, [
          via.bytes
        ])
      ],
      ...device2 === void 0 ? [] : [
        word2(RTA.OIF, device2)
      ]
    ],
    words: [
      "RTM_NEWROUTE",
      describeDestination(destination3),
      ...via === void 0 ? [] : [
        `via ${formatIp(via.bytes)}`
      ],
      ...device2 === void 0 ? [] : [
        typeof device2 === "number" ? `${device2}` : device2.text
      ]
    ]
  };
}
function listRoutes() {
  const payload2 = [
    new Uint8Array(ROUTE_HEADER_SIZE)
  ];
  return {
    type: RTM_GETROUTE,
    flags: NLM_F_DUMP,
    payload: payload2,
    words: [
      "RTM_GETROUTE"
    ]
  };
}
var ROUTE_HEADER_SIZE = 12;
function readRoute({ payload: payload2 }) {
  const header2 = payload2.subarray(0, ROUTE_HEADER_SIZE);
  const attributes = decodeAttributes(payload2.subarray(ROUTE_HEADER_SIZE));
  const ip = (type) => {
    const bytes = attributes.get(type);
    return bytes && formatIp(bytes);
  };
  const number = (type) => {
    const bytes = attributes.get(type);
    return bytes && decodeUint32(bytes);
  };
  const everything = header2[0] === AF_INET6 ? "::" : "0.0.0.0";
  return {
    destination: `${ip(RTA.DST) ?? everything}/${header2[1]}`,
    via: ip(RTA.GATEWAY),
    link: number(RTA.OIF),
    source: ip(RTA.PREFSRC),
    metric: number(RTA.PRIORITY) ?? 0,
    table: number(RTA.TABLE) ?? header2[4]
  };
}
function describeDestination({ bytes, length }) {
  return length === 0 ? `default ${formatIp(bytes)}/0` : `${formatIp(bytes)}/${length}`;
}

// ffi/netlink/socket.ts
var RECEIVE_SIZE = 32 * 1024;
var NetlinkSocket = class {
  #fd;
  /**
   * Opens it, or takes over one that is open.
   *
   * @throws {SyscallError} `EAFNOSUPPORT` where the kernel has no network
   */
  constructor(protocol = NETLINK_ROUTE) {
    if (typeof protocol === "object") {
      this.#fd = protocol.opened;
      return;
    }
    const [socket, ...options] = socketCalls(protocol, (call2) => new ResultOf(call2, "socket"));
    const outcome = syscalls([
      socket,
      ...options
    ].map((call2) => ({
      call: call2
    })));
    this.#fd = Number(outcome.result(socket));
  }
  /** Its descriptor, as long as it is open. */
  get number() {
    if (this.#fd === void 0) throw new TypeError("the socket is closed");
    return this.#fd;
  }
  /** All interfaces. */
  links() {
    return this.list(listLinks()).map(readLink);
  }
  /** The addresses of all interfaces. */
  addresses() {
    return this.list(listAddresses()).map(readAddress);
  }
  /** The routes of all tables. */
  routes() {
    return this.list(listRoutes()).map(readRoute);
  }
  /** Makes a request; see {@linkcode requestCalls}. */
  request(messages, words3) {
    const calls = requestCalls(this.number, messages, answerOutput(), words3);
    syscalls(calls.map((call2) => ({
      call: call2
    })));
  }
  /** The messages that the kernel answers a request of a list with. */
  list(message2) {
    syscall(send(this.number, [
      message2
    ]));
    const received = [];
    for (; ; ) {
      const output = new Output(RECEIVE_SIZE);
      const call2 = recvfrom(this.number, output, MSG_DONTWAIT);
      const outcome = syscalls([
        {
          call: call2
        }
      ]);
      const { buffer, byteOffset } = outcome.output(output);
      const bytes = new Uint8Array(buffer, byteOffset, Number(outcome.result(call2)));
      for (const answer of decode(bytes)) {
        if (answer.type === NLMSG_DONE) return received;
        if (answer.type === NLMSG_ERROR) throw refusal(message2, bytes);
        received.push(answer);
      }
    }
  }
  /** Closes it, unless it is closed. */
  close() {
    const fd = this.#fd;
    if (fd === void 0) return;
    this.#fd = void 0;
    syscall(close(fd));
  }
  /** Closes it at the end of a `using` scope. */
  [Symbol.dispose]() {
    this.close();
  }
};
function refusal({ words: words3 }, answer) {
  const view2 = new DataView(answer.buffer, answer.byteOffset, answer.length);
  const { errno, words: hint } = readAnswer(view2);
  return new SyscallError({
    syscall: words3[0],
    errno,
    call: words3.join(" "),
    hint
  });
}

// ffi/linux/network.ts
function links() {
  using socket = new NetlinkSocket();
  return socket.links();
}
function addresses() {
  using socket = new NetlinkSocket();
  return socket.addresses();
}
function routes() {
  using socket = new NetlinkSocket();
  return socket.routes();
}

// ffi/linux/prctl.ts
var NAME_LENGTH = 16;
function prctl2(operation, argument2 = 0, argument3 = 0, argument4 = 0, argument5 = 0) {
  switch (operation) {
    case PR_GET_NAME: {
      const name = new Output(NAME_LENGTH, "&name");
      const view2 = outcomeOf(prctl(operation, name)).output(name);
      const bytes = new Uint8Array(view2.buffer, view2.byteOffset, NAME_LENGTH);
      return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
    }
    // These two store an int where their argument points.
    case PR_GET_PDEATHSIG:
    case PR_GET_CHILD_SUBREAPER: {
      const told = new Output(4, "&told");
      return outcomeOf(prctl(operation, told)).output(told).getInt32(0, true);
    }
    default:
      return direct(prctl(operation, argument2, argument3, argument4, argument5), {
        EPERM: "the thread has not the capability that this takes (CAP_SETPCAP), or not any more"
      });
  }
}
function prlimit(pid, resource, limit = null) {
  const old = rlimitOutput();
  const call2 = prlimit64(pid, RLIMITS[resource], limit, old);
  const outcome = outcomeOf(call2, {
    EPERM: "raising a hard limit takes CAP_SYS_RESOURCE outside of user namespaces",
    EINVAL: "the soft limit is above the hard one"
  });
  return readRlimit(outcome.output(old));
}

// ffi/calls/getdents.ts
function getdents64(directory, entries) {
  return call("getdents64", directory, entries, entries.size);
}
var ENTRY = {
  ino: 0,
  reclen: 16,
  type: 18,
  name: 19
};
var TYPE_SHIFT = 12;
function readDirectoryEntries(entries, size2) {
  const found = [];
  for (let start2 = 0; start2 < size2; ) {
    const length = entries.getUint16(start2 + ENTRY.reclen, true);
    const bytes = new Uint8Array(entries.buffer, entries.byteOffset + start2, length);
    const name = new TextDecoder().decode(bytes.subarray(ENTRY.name, bytes.indexOf(0, ENTRY.name)));
    if (name !== "." && name !== "..") {
      const type = entries.getUint8(start2 + ENTRY.type) << TYPE_SHIFT;
      found.push({
        ino: entries.getBigUint64(start2 + ENTRY.ino, true),
        type,
        name
      });
    }
    start2 += length;
  }
  return found;
}

// ffi/files/read_dir.ts
var PART_SIZE = 8 * 1024;
function namesIn(path2) {
  return entriesIn(path2).map(({ name }) => name);
}
function entriesIn(path2) {
  const directory = syscall(openat(at_fdcwd, path2, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0));
  try {
    const entries = [];
    for (; ; ) {
      const part = new Output(PART_SIZE, "&entries");
      const list2 = getdents64(directory, part);
      const outcome = syscalls([
        {
          call: list2,
          accept: [
            "ENOENT"
          ]
        }
      ]);
      const size2 = Number(outcome.result(list2));
      if (size2 <= 0) return entries;
      entries.push(...readDirectoryEntries(outcome.output(part), size2));
    }
  } finally {
    syscall(close(directory));
  }
}

// ffi/files/read_links.ts
var AT_ONCE = 256;
var LONGEST = 128;
function readLinks(paths) {
  const found = [];
  for (let start2 = 0; start2 < paths.length; start2 += AT_ONCE) {
    found.push(...readSome(paths.slice(start2, start2 + AT_ONCE)));
  }
  return found;
}
function readSome(paths) {
  const links2 = paths.map((path2) => {
    const target = new Output(LONGEST, "&target");
    return {
      target,
      call: readlinkat(at_fdcwd, path2, target)
    };
  });
  const accept2 = [
    "ENOENT",
    "EACCES",
    "ESRCH",
    "EPERM",
    "ENOTDIR",
    "EINVAL"
  ];
  const outcome = syscalls(links2.map(({ call: call2 }) => ({
    call: call2,
    accept: accept2
  })));
  const decoder = new TextDecoder();
  return links2.map(({ target, call: call2 }) => {
    const length = Number(outcome.result(call2));
    if (length <= 0) return void 0;
    const { buffer, byteOffset } = outcome.output(target);
    return decoder.decode(new Uint8Array(buffer, byteOffset, length));
  });
}

// ffi/proc/proc_dir.ts
function processDirectory(process) {
  if (process !== "thread-self") requireOwnProc();
  return `/proc/${process}`;
}
function requireOwnProc() {
  engine().once("own /proc", () => {
    const [self] = readLinks([
      "/proc/self"
    ]);
    if (self === String(Deno.pid)) return true;
    throw new UnsupportedError("/proc shows the processes of another pid namespace than this script's, where their numbers mean others; give the script a /proc of its own: proc() in the recipe that it runs in, or mount -t proc proc /proc");
  });
}
function allPids() {
  return namesIn("/proc").filter((name) => /^\d+$/.test(name)).map(Number);
}

// ffi/files/read_file.ts
var SMALL = 4 * 1024;
var PART = 32 * 1024;
function readWholeFile(directory, path2) {
  return readSmall(directory, path2) ?? readLarge(directory, path2);
}
function readWholeText(directory, path2) {
  return new TextDecoder().decode(readWholeFile(directory, path2));
}
function readSmall(directory, path2) {
  const opened = openat(directory, path2, O_RDONLY | O_CLOEXEC, 0);
  const fd = new ResultOf(opened, "fd");
  const part = new Output(SMALL, "&buffer");
  const got = read(fd, part, SMALL);
  const rest = read(fd, new Output(1, "&rest"), 1);
  const closing = new Label("closing");
  const outcome = syscalls([
    {
      call: opened
    },
    {
      call: got,
      onFailure: closing
    },
    {
      call: rest,
      onFailure: closing
    },
    closing,
    {
      call: close(fd)
    }
  ]);
  return outcome.result(rest) === 0n ? bytesOf(outcome, got, part) : void 0;
}
function readLarge(directory, path2) {
  const fd = syscall(openat(directory, path2, O_RDONLY | O_CLOEXEC, 0));
  try {
    const parts = [];
    for (let part = readPart(fd); part.length > 0; part = readPart(fd)) parts.push(part);
    return concatenated(parts);
  } finally {
    syscall(close(fd));
  }
}
function readPart(fd) {
  const part = new Output(PART, "&buffer");
  const got = read(fd, part, PART);
  return bytesOf(syscalls([
    {
      call: got
    }
  ]), got, part);
}
function bytesOf(outcome, got, part) {
  const { buffer, byteOffset } = outcome.output(part);
  return new Uint8Array(buffer, byteOffset, Number(outcome.result(got)));
}
function concatenated(parts) {
  const whole = new Uint8Array(parts.reduce((size2, part) => size2 + part.length, 0));
  let at2 = 0;
  for (const part of parts) {
    whole.set(part, at2);
    at2 += part.length;
  }
  return whole;
}

// ffi/proc/process_identity.ts
function processIdentity(process) {
  const pid = typeof process === "number" ? process : pidOf(process);
  return {
    pid,
    started: startOf(readWholeText(at_fdcwd, `${processDirectory(pid)}/stat`))
  };
}
function startOf(stat) {
  return Number(statField(stat, 22));
}
function statField(stat, number) {
  return stat.slice(stat.lastIndexOf(")") + 2).trimEnd().split(" ")[number - 3];
}
function pidOf(pidfd) {
  const told = readWholeText(at_fdcwd, `/proc/thread-self/fdinfo/${pidfd.number}`);
  const pid = Number(/^Pid:\s*(-?\d+)/m.exec(told)?.[1]);
  if (pid > 0) return pid;
  throw new TypeError(`descriptor ${pidfd.number} is no pidfd, or one of a process that has ended`);
}

// ffi/proc/process_namespaces.ts
var FILES = [
  "cgroup",
  "ipc",
  "mnt",
  "net",
  "pid",
  "pid_for_children",
  "time",
  "time_for_children",
  "user",
  "uts"
];
function namespaces(pid) {
  const [ids2] = idsOf([
    pid ?? "thread-self"
  ], FILES);
  return ids2;
}
function otherNamespaces(pid, files) {
  const [own, others] = idsOf([
    "thread-self",
    pid
  ], files);
  return files.filter((name) => others[name] !== void 0 && others[name] !== own[name]);
}
function idsOf(processes, files) {
  const directories = processes.map((process) => `${processDirectory(process)}/ns`);
  const links2 = readLinks(directories.flatMap((directory) => files.map((name) => `${directory}/${name}`)));
  return directories.map((directory, index) => {
    const those = links2.slice(index * files.length, (index + 1) * files.length);
    if (those.every((link2) => link2 === void 0)) {
      direct(readlinkat(at_fdcwd, `${directory}/user`, new Output(64, "&target")), {
        EACCES: "the process is another user's, or has privileges that this one has not",
        ENOENT: "there is no such process, or not any more"
      });
    }
    const ids2 = {};
    files.forEach((name, index2) => {
      const link2 = namespaceLink(those[index2]);
      if (link2 !== void 0) ids2[name] = link2.id;
    });
    return ids2;
  });
}
function namespaceLink(link2) {
  const [, type, id2] = /^(\w+):\[(\d+)\]$/.exec(link2 ?? "") ?? [];
  return type === void 0 ? void 0 : {
    type,
    id: Number(id2)
  };
}

// ffi/linux/processes.ts
var OTHERS = "the process belongs to another user; that takes CAP_KILL";
function getpid2() {
  return direct(getpid());
}
function getppid2() {
  return direct(getppid());
}
function gettid2() {
  return direct(gettid());
}
function setsid2() {
  return direct(setsid(), {
    EPERM: "the process leads a process group; only a child of it can begin a session"
  });
}
function getsid2(pid = 0) {
  return direct(getsid(pid));
}
function kill2(pid, signal) {
  direct(kill(pid, numberOf(signal)), {
    EPERM: OTHERS
  });
}
function pidfd_open2(pid, flags2 = 0) {
  return new OwnedFd(direct(pidfd_open(pid, flags2)));
}
function pidfd_send_signal2(pidfd, signal) {
  direct(pidfd_send_signal(raw(pidfd), numberOf(signal)), {
    EPERM: OTHERS
  });
}
function pidfd_getfd2(pidfd, target) {
  return new OwnedFd(direct(pidfd_getfd(raw(pidfd), target), {
    EPERM: "this takes the right to trace the process: CAP_SYS_PTRACE (ptrace(2))"
  }));
}
function waitid2(child, options = WEXITED) {
  const info = siginfoOutput();
  const call2 = typeof child === "number" ? waitid(P_PID, child, info, options) : waitid(P_PIDFD, child.number, info, options);
  return readChildState(outcomeOf(call2).output(info));
}
function numberOf(signal) {
  return typeof signal === "number" ? signal : SIGNALS[signal];
}

// ffi/calls/shared_memory.ts
function shmget(key, size2, flagBits) {
  return call("shmget", key, size2, flags(flagBits, SHMGET_FLAGS));
}
function shmat(id2, flagBits) {
  return call("shmat", id2, null, flags(flagBits, {
    SHM_RDONLY
  }));
}
function shmdt(address2) {
  return call("shmdt", address2);
}
function shmctl(id2, command) {
  return call("shmctl", id2, constant(command, {
    IPC_RMID
  }), null);
}

// ffi/linux/shared_memory.ts
function shmget2(key, size2, flags2 = 0) {
  return direct(shmget(key, size2, flags2), {
    ENOENT: "there is none with this key; linux.IPC_CREAT makes it"
  });
}
function shmat2(id2, flags2 = 0) {
  const call2 = shmat(id2, flags2);
  return outcomeOf(call2).result(call2);
}
function shmdt2(address2) {
  direct(shmdt(address2));
}
function shmctl2(id2, command) {
  direct(shmctl(id2, command));
}

// ffi/linux/users.ts
function getuid2() {
  return direct(getuid());
}
function geteuid2() {
  return direct(geteuid());
}
function getgid2() {
  return direct(getgid());
}
function getegid2() {
  return direct(getegid());
}
function getresuid2() {
  return ids(getresuid);
}
function getresgid2() {
  return ids(getresgid);
}
function setresuid2(real, effective, saved) {
  direct(setresuid(real, effective, saved), idHints("CAP_SETUID"));
}
function setresgid2(real, effective, saved) {
  direct(setresgid(real, effective, saved), idHints("CAP_SETGID"));
}
function getgroups2() {
  const count2 = direct(getgroups(null));
  const groups = groupsOutput(count2);
  const view2 = outcomeOf(getgroups(groups)).output(groups);
  return Array.from({
    length: count2
  }, (_, index) => view2.getUint32(index * 4, true));
}
function setgroups2(groups) {
  direct(setgroups(groups), idHints("CAP_SETGID"));
}
function capget2() {
  const data2 = capabilityOutput();
  return readCapabilities(outcomeOf(capget(data2)).output(data2));
}
function capset2(state) {
  direct(capset(state), {
    EPERM: "a thread can only keep capabilities that it has"
  });
}
function ids(describe3) {
  const [real, effective, saved] = [
    idOutput("&real"),
    idOutput("&effective"),
    idOutput("&saved")
  ];
  const outcome = outcomeOf(describe3(real, effective, saved));
  const id2 = (output) => outcome.output(output).getUint32(0, true);
  return {
    real: id2(real),
    effective: id2(effective),
    saved: id2(saved)
  };
}
function idHints(capability) {
  return {
    EPERM: `this takes ${capability}; a user namespace may deny setgroups(2) altogether`,
    EINVAL: "the id is not mapped into the user namespace"
  };
}

// ffi/proc/mountinfo.ts
function mountsOf(process) {
  const pid = typeof process === "object" ? process.pid : process ?? "thread-self";
  return parseMountinfo(readWholeText(at_fdcwd, `${processDirectory(pid)}/mountinfo`));
}
function parseMountinfo(text4) {
  return text4.split("\n").filter((line) => line !== "").map(parseLine);
}
function parseLine(line) {
  const fields = line.split(" ");
  const end = fields.indexOf("-", 6);
  const [major, minor] = fields[2].split(":").map(Number);
  return {
    id: Number(fields[0]),
    parent: Number(fields[1]),
    device: {
      major,
      minor
    },
    root: unescape(fields[3]),
    target: unescape(fields[4]),
    options: fields[5].split(","),
    propagation: parsePropagation(fields.slice(6, end)),
    type: unescape(fields[end + 1]),
    source: unescape(fields[end + 2]),
    data: unescape(fields[end + 3] ?? "")
  };
}
function parsePropagation(fields) {
  const propagation2 = {};
  for (const field2 of fields) {
    const [name, group] = field2.split(":");
    if (name === "shared") propagation2.shared = Number(group);
    else if (name === "master") propagation2.master = Number(group);
    else if (name === "propagate_from") propagation2.propagateFrom = Number(group);
    else if (name === "unbindable") propagation2.unbindable = true;
  }
  return propagation2;
}
function unescape(field2) {
  return field2.replace(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(parseInt(digits, 8)));
}

// ffi/missing.ts
function ifThere(ask) {
  try {
    return ask();
  } catch (error) {
    if (error instanceof SyscallError) return void 0;
    throw error;
  }
}

// ffi/proc/namespace_list.ts
var TYPES = [
  "cgroup",
  "ipc",
  "mnt",
  "net",
  "pid",
  "time",
  "user",
  "uts"
];
function listNamespaces() {
  const list2 = new NamespaceList();
  const pids = allPids();
  list2.addProcesses(pids);
  list2.addMounts();
  list2.addOpenFiles(pids);
  list2.addRelatives();
  return list2.entries();
}
var NamespaceList = class {
  #found = /* @__PURE__ */ new Map();
  addProcesses(pids) {
    const files = pids.flatMap((pid) => TYPES.map((type) => ({
      pid,
      file: nsFile(pid, type)
    })));
    readLinks(files.map(({ file }) => file)).forEach((link2, index) => {
      const { pid, file } = files[index];
      this.#add(link2, file)?.pids.push(pid);
    });
  }
  addMounts() {
    for (const { type, root, target } of mountsOf()) {
      if (type === "nsfs") this.#add(root, target)?.mounts.push(target);
    }
  }
  addOpenFiles(pids) {
    const files = pids.flatMap((pid) => (ifThere(() => namesIn(`/proc/${pid}/fd`)) ?? []).map((fd) => `/proc/${pid}/fd/${fd}`));
    readLinks(files).forEach((link2, index) => this.#add(link2, files[index]));
  }
  /** Parents and owners, which may be seen nowhere else; what has vanished meanwhile is left out. */
  addRelatives() {
    for (const found of [
      ...this.#found.values()
    ]) {
      for (const file of found.files) {
        if (!found.asked) this.#open(found, file);
      }
      if (!found.asked) this.#found.delete(found.id);
    }
  }
  #open(found, file) {
    ifThere(() => {
      using fd = open(file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
      if (idOf(fd) === found.id) this.#askRelatives(found, fd);
    });
  }
  entries() {
    const processes = /* @__PURE__ */ new Map();
    const look = (pid) => {
      if (!processes.has(pid)) processes.set(pid, processOf(pid));
      return processes.get(pid);
    };
    return [
      ...this.#found.values()
    ].sort((a, b) => a.id - b.id).map((found) => ({
      type: found.type,
      id: found.id,
      processes: found.pids.length,
      first: firstOf(found.pids.toSorted((a, b) => a - b), look),
      parent: found.parent,
      owner: found.owner,
      madeBy: found.madeBy,
      mounts: found.mounts
    }));
  }
  /** Notes a namespace that a link shows; other links are none of this list's. */
  #add(link2, file) {
    const { type, id: id2 } = namespaceLink(link2) ?? {};
    const known = TYPES.find((known2) => known2 === type);
    if (known === void 0) return void 0;
    const found = this.#entry(known, id2);
    found.files.push(file);
    return found;
  }
  #entry(type, id2) {
    const known = this.#found.get(id2);
    if (known !== void 0) return known;
    const found = {
      type,
      id: id2,
      files: [],
      pids: [],
      mounts: [],
      asked: false,
      parent: void 0,
      owner: void 0,
      madeBy: void 0
    };
    this.#found.set(id2, found);
    return found;
  }
  #askRelatives(found, fd) {
    found.asked = true;
    found.owner = this.#askRelative("user", fd, NS_GET_USERNS);
    if (found.type === "user" || found.type === "pid") {
      found.parent = this.#askRelative(found.type, fd, NS_GET_PARENT);
    }
    if (found.type === "user") found.madeBy = ownerOf(fd);
  }
  /** The id of a parent or an owner, which is noted too. */
  #askRelative(type, fd, request) {
    const number = ifThere(() => direct(namespaceIoctl(fd.number, request)));
    if (number === void 0) return void 0;
    using relative = new OwnedFd(number);
    const id2 = idOf(relative);
    const found = this.#entry(type, id2);
    if (!found.asked) this.#askRelatives(found, relative);
    return id2;
  }
};
function nsFile(pid, type) {
  return `/proc/${pid}/ns/${type}`;
}
function idOf(fd) {
  return Number(statx2(fd, "", AT_EMPTY_PATH).ino);
}
function ownerOf(fd) {
  const uid = new Output(4, "&uid");
  return ifThere(() => outcomeOf(namespaceIoctl(fd.number, NS_GET_OWNER_UID, uid)).output(uid).getUint32(0, true));
}
function firstOf(pids, look) {
  for (const pid of pids) {
    const process = look(pid);
    if (process !== void 0) return process;
  }
  return void 0;
}
function processOf(pid) {
  return ifThere(() => {
    const args = readWholeText(at_fdcwd, `/proc/${pid}/cmdline`).replace(/\0+$/, "");
    const command = args === "" ? readWholeText(at_fdcwd, `/proc/${pid}/comm`).trimEnd() : args.replaceAll("\0", " ");
    return {
      pid,
      uid: statx2(AT_FDCWD, `/proc/${pid}`).uid,
      command
    };
  });
}

// ffi/proc/process_ids.ts
function pidsIn(process) {
  const pid = typeof process === "number" ? process : process.pid;
  const status = readWholeText(at_fdcwd, `${processDirectory(pid)}/status`);
  return /^NSpid:\s*(.*)$/m.exec(status)?.[1]?.split(/\s+/).map(Number) ?? [
    pid
  ];
}

// recipe/schema.ts


function content() {
  return field("a string", {
    type: "string"
  }, (value) => typeof value === "string" ? void 0 : mismatch(value, "a string"));
}
var PATH_BYTES = 4095;










function object(fields) {
  const expected = `an object with ${Object.keys(fields).join(", ")}`;
  return field(expected, objectSchema(fields), (value) => {
    if (!isObject(value)) return mismatch(value, expected);
    const wrong = invalidField(value, fields);
    return wrong && `"${wrong.field}" ${wrong.issue}`;
  });
}
function either(one, other) {
  const expected = `${one.expected}, or ${other.expected}`;
  const schema = {
    anyOf: [
      schemaOf(one),
      schemaOf(other)
    ]
  };
  return field(expected, schema, (value) => {
    if (one.issue(value) === void 0 || other.issue(value) === void 0) {
      return void 0;
    }
    return mismatch(value, expected);
  });
}

function nearest(word4, words3) {
  let best;
  let bestDistance = Math.max(1, Math.floor(word4.length / 3)) + 1;
  for (const candidate of words3) {
    const distance = editDistance(word4.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [
      candidate,
      distance
    ];
  }
  return best;
}

function objectSchema(fields) {
  const entries = Object.entries(fields);
  const required = entries.filter(([, field2]) => !field2.optional).map(([name]) => name);
  return {
    type: "object",
    properties: Object.fromEntries(entries.map(([name, field2]) => [
      name,
      {
        description: field2.expected,
        ...field2.schema
      }
    ])),
    ...required.length > 0 && {
      required
    },
    additionalProperties: false
  };
}


function mismatch(value, expected) {
  return `should be ${expected}, not ${shown(value)}`;
}
function shown(value) {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  if (typeof value === "string") return JSON.stringify(value.slice(0, 60));
  return typeof value === "function" ? "a function" : String(value);
}
function editDistance(a, b) {
  let row = Array.from({
    length: b.length + 1
  }, (_, i) => i);
  let rowBefore = [];
  for (let i = 1; i <= a.length; i++) {
    const next = [
      i
    ];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? rowBefore[j - 2] + 1 : Infinity;
      next.push(Math.min(replaced, swapped, row[j] + 1, next[j - 1] + 1));
    }
    [rowBefore, row] = [
      row,
      next
    ];
  }
  return row[b.length];
}

// recipe/steps/bind.ts
var RESTRICTIONS = {
  nosuid: MOUNT_ATTR_NOSUID,
  nodev: MOUNT_ATTR_NODEV,
  noexec: MOUNT_ATTR_NOEXEC,
  nosymfollow: MOUNT_ATTR_NOSYMFOLLOW
};
function bind(source, target = source, options = {}) {
  return {
    step: "bind",
    source,
    target,
    ...options
  };
}
var bindDefinition = {
  step: "bind",
  get fields() {
    return {
      source: path(),
      target: absolutePath(),
      readOnly: optional(boolean()),
      recursive: optional(boolean()),
      optional: optional(boolean()),
      restrict: optional(list(oneOf(Object.keys(RESTRICTIONS))))
    };
  }
};

// recipe/steps/devices.ts
function devices(target = "/dev") {
  return {
    step: "devices",
    target
  };
}
var devicesDefinition = {
  step: "devices",
  get fields() {
    return {
      target: absolutePath()
    };
  }
};

// recipe/steps/files.ts
var fileFields = () => ({
  path: absolutePath(),
  mode: optional(modeBits()),
  host: optional(boolean())
});
function mkdir2(path2, options = {}) {
  return {
    step: "mkdir",
    path: path2,
    ...options
  };
}
var mkdirDefinition = {
  step: "mkdir",
  get fields() {
    return fileFields();
  }
};
function symlink(target, path2, options = {}) {
  return {
    step: "symlink",
    target,
    path: path2,
    ...options
  };
}
var symlinkDefinition = {
  step: "symlink",
  get fields() {
    return {
      target: text3({
        min: 1,
        max: 4095
      }),
      path: absolutePath(),
      host: optional(boolean())
    };
  }
};
function writeFile(path2, text4, options = {}) {
  return {
    step: "writeFile",
    path: path2,
    text: text4,
    ...options
  };
}
var writeFileDefinition = {
  step: "writeFile",
  get fields() {
    return {
      ...fileFields(),
      text: content()
    };
  }
};
function mknod(path2, node) {
  return {
    step: "mknod",
    path: path2,
    ...node
  };
}
var mknodDefinition = {
  step: "mknod",
  get fields() {
    return {
      ...fileFields(),
      type: oneOf([
        "b",
        "c",
        "p"
      ]),
      major: optional(integer(0, 4095)),
      minor: optional(integer(0, 1048575))
    };
  },
  issue({ type, major, minor }) {
    if (type === "p" && (major ?? minor) !== void 0) return "a pipe has no device number";
    if (type !== "p" && (major === void 0 || minor === void 0)) {
      return `a device needs "major" and "minor"`;
    }
    return void 0;
  }
};

// recipe/steps/id_maps.ts

var mapRootDefinition = {
  step: "mapRoot",
  fields: {}
};
function mapCurrentUser() {
  return {
    step: "mapCurrentUser"
  };
}
var mapCurrentUserDefinition = {
  step: "mapCurrentUser",
  fields: {}
};
function mapIds(maps) {
  return {
    step: "mapIds",
    ...maps
  };
}
var MAP_LINES = 340;
var MAP_BYTES = 4095;
var LAST_ID = 4294967294;
var mapIdsDefinition = {
  step: "mapIds",
  get fields() {
    const range = object({
      inside: id(),
      outside: id(),
      count: integer(1, 4294967295)
    });
    return {
      uids: list(range, 1),
      gids: list(range, 1),
      setgroups: optional(oneOf([
        "allow",
        "deny"
      ]))
    };
  },
  issue({ uids, gids }) {
    return contradiction("uids", uids) ?? contradiction("gids", gids);
  }
};

function contradiction(name, ranges) {
  if (ranges.length > MAP_LINES) return `"${name}" has more than ${MAP_LINES} ranges`;
  const size2 = mapText(ranges).length;
  if (size2 > MAP_BYTES) {
    return `"${name}" has ${size2} bytes as a map; the kernel takes ${MAP_BYTES}`;
  }
  for (const [i, a] of ranges.entries()) {
    if (Math.max(a.inside, a.outside) + a.count > LAST_ID + 1) {
      return `"${name}", range ${i + 1}, goes beyond the last id, ${LAST_ID}`;
    }
    for (const [j, b] of ranges.slice(0, i).entries()) {
      for (const side of [
        "inside",
        "outside"
      ]) {
        if (a[side] < b[side] + b.count && b[side] < a[side] + a.count) {
          return `"${name}" contradicts itself: ranges ${j + 1} and ${i + 1} overlap ${side}`;
        }
      }
    }
  }
  return void 0;
}

// recipe/steps/identity.ts
function setUser(ids2) {
  return {
    step: "setUser",
    ...ids2
  };
}
var setUserDefinition = {
  step: "setUser",
  get fields() {
    return {
      uid: id(),
      gid: optional(id()),
      groups: optional(list(id()))
    };
  }
};
function capabilities(sets) {
  return {
    step: "capabilities",
    ...sets
  };
}
var capabilitiesDefinition = {
  step: "capabilities",
  get fields() {
    const capabilityList = optional(list(oneOf(Object.keys(CAPABILITIES))));
    return {
      keep: capabilityList,
      bounding: capabilityList,
      permitted: capabilityList,
      effective: capabilityList,
      inheritable: capabilityList,
      ambient: capabilityList
    };
  },
  issue({ keep, bounding, permitted, effective, inheritable, ambient }) {
    const others = bounding ?? permitted ?? effective ?? inheritable ?? ambient;
    if (keep !== void 0 && others !== void 0) return `"keep" stands in place of all others`;
    const lacks = (set, of) => of === void 0 ? void 0 : set?.find((name) => !of.includes(name));
    const notPermitted = lacks(effective, permitted) ?? lacks(ambient, permitted);
    if (notPermitted !== void 0) return `${notPermitted} is not in "permitted"`;
    const notInheritable = lacks(ambient, inheritable);
    if (notInheritable !== void 0) return `${notInheritable} is not in "inheritable"`;
    return void 0;
  }
};
function noNewPrivileges() {
  return {
    step: "noNewPrivileges"
  };
}
var noNewPrivilegesDefinition = {
  step: "noNewPrivileges",
  fields: {}
};

// recipe/namespaces.ts
var CLONE_FLAG = {
  user: CLONE_NEWUSER,
  mount: CLONE_NEWNS,
  pid: CLONE_NEWPID,
  uts: CLONE_NEWUTS,
  ipc: CLONE_NEWIPC,
  net: CLONE_NEWNET,
  cgroup: CLONE_NEWCGROUP,
  time: CLONE_NEWTIME
};
var NAMESPACE_FILE = {
  user: "user",
  mount: "mnt",
  pid: "pid",
  uts: "uts",
  ipc: "ipc",
  net: "net",
  cgroup: "cgroup",
  time: "time"
};
var NAMESPACE_KINDS = Object.keys(CLONE_FLAG);
function limitSetting(kind2) {
  return `max_${NAMESPACE_FILE[kind2]}_namespaces`;
}

// recipe/steps/join.ts
function join(target, ...kinds) {
  const last = kinds.at(-1);
  const options = typeof last === "object" ? last : {};
  const names = kinds.filter((kind2) => typeof kind2 !== "object");
  return {
    step: "join",
    target: dataOf(target),
    ...names.length === 0 ? {} : {
      kinds: names
    },
    ...options
  };
}
function dataOf(target) {
  if (target instanceof OwnedFd) return processIdentity(target);
  if (typeof target === "object" && "identity" in target) return target.identity;
  return target;
}
var joinDefinition = {
  step: "join",
  get fields() {
    return {
      target: either(integer(1, 2 ** 31 - 1), either(path(), object({
        pid: integer(1, 2 ** 31 - 1),
        started: integer(0)
      }))),
      kinds: optional(list(oneOf(NAMESPACE_KINDS), 1)),
      credentials: optional(oneOf([
        "root",
        "keep"
      ])),
      root: optional(boolean()),
      cwd: optional(boolean()),
      environment: optional(boolean()),
      cgroup: optional(boolean())
    };
  },
  issue({ target, kinds = [], ...options }) {
    if (typeof target !== "string") return void 0;
    if (kinds.length > 1) return "a file is one namespace, of one kind";
    const ofProcess = [
      "root",
      "cwd",
      "environment",
      "cgroup"
    ].find((name) => options[name] === true);
    return ofProcess && `"${ofProcess}" is of a process, and the target is a file`;
  }
};

// ffi/calls/landlock.ts
var LANDLOCK_ACCESS_FS = {
  EXECUTE: 2 ** 0,
  WRITE_FILE: 2 ** 1,
  READ_FILE: 2 ** 2,
  READ_DIR: 2 ** 3,
  REMOVE_DIR: 2 ** 4,
  REMOVE_FILE: 2 ** 5,
  MAKE_CHAR: 2 ** 6,
  MAKE_DIR: 2 ** 7,
  MAKE_REG: 2 ** 8,
  MAKE_SOCK: 2 ** 9,
  MAKE_FIFO: 2 ** 10,
  MAKE_BLOCK: 2 ** 11,
  MAKE_SYM: 2 ** 12,
  REFER: 2 ** 13,
  TRUNCATE: 2 ** 14,
  IOCTL_DEV: 2 ** 15
};
var LANDLOCK_ACCESS_NET = {
  BIND_TCP: 2 ** 0,
  CONNECT_TCP: 2 ** 1
};
var LANDLOCK_SCOPE = {
  ABSTRACT_UNIX_SOCKET: 2 ** 0,
  SIGNAL: 2 ** 1
};
var CREATE_RULESET_VERSION = new Named(1, "LANDLOCK_CREATE_RULESET_VERSION");
var RULE_PATH_BENEATH = new Named(1, "LANDLOCK_RULE_PATH_BENEATH");
var RULE_NET_PORT = new Named(2, "LANDLOCK_RULE_NET_PORT");
function landlockVersion() {
  return call("landlock_create_ruleset", null, 0, CREATE_RULESET_VERSION);
}
function landlock_create_ruleset({ files, ports, scopes }) {
  const words3 = [
    files,
    ports,
    scopes
  ];
  const text4 = () => `{${flags(files, LANDLOCK_ACCESS_FS).text}, ${flags(ports, LANDLOCK_ACCESS_NET).text}, ${flags(scopes, LANDLOCK_SCOPE).text}}`;
  const known = words3.findLastIndex((word4) => word4 !== 0) + 1;
  const struct = structOf(words3.slice(0, known), text4);
  return call("landlock_create_ruleset", struct, struct.size, 0);
}
function pathBeneathOutput(rights) {
  return new Output(12, `{${flags(rights, LANDLOCK_ACCESS_FS).text}, fd}`);
}
function writePathBeneath(pipe, rights, directory) {
  const vector = new DataView(new ArrayBuffer(32));
  vector.setUint32(8, 8, true);
  vector.setUint32(24, 4, true);
  const text4 = () => `{${flags(rights, LANDLOCK_ACCESS_FS).text}, ${directory.text}}`;
  const struct = new Struct(new Uint8Array(vector.buffer), text4, [
    {
      offset: 0,
      to: structOf([
        rights
      ], "")
    },
    {
      offset: 16,
      to: directory
    }
  ]);
  return call("writev", pipe, struct, 2);
}
function addPathBeneath(ruleset, rule) {
  return call("landlock_add_rule", ruleset, RULE_PATH_BENEATH, rule, 0);
}
function addNetPort(ruleset, rights, port) {
  const text4 = () => `{${flags(rights, LANDLOCK_ACCESS_NET).text}, ${port}}`;
  return call("landlock_add_rule", ruleset, RULE_NET_PORT, structOf([
    rights,
    port
  ], text4), 0);
}
function landlock_restrict_self(ruleset) {
  return call("landlock_restrict_self", ruleset, 0);
}
function structOf(words3, text4) {
  return new Struct(new Uint8Array(new BigUint64Array(words3.map(BigInt)).buffer), text4);
}

// recipe/landlock_rights.ts
var FILES_SINCE = 3;
var PORTS_SINCE = 4;
var SCOPES_SINCE = 6;
var FILE_RIGHTS = {
  read: LANDLOCK_ACCESS_FS.READ_FILE + LANDLOCK_ACCESS_FS.READ_DIR,
  write: LANDLOCK_ACCESS_FS.WRITE_FILE + LANDLOCK_ACCESS_FS.REMOVE_DIR + LANDLOCK_ACCESS_FS.REMOVE_FILE + LANDLOCK_ACCESS_FS.MAKE_CHAR + LANDLOCK_ACCESS_FS.MAKE_DIR + LANDLOCK_ACCESS_FS.MAKE_REG + LANDLOCK_ACCESS_FS.MAKE_SOCK + LANDLOCK_ACCESS_FS.MAKE_FIFO + LANDLOCK_ACCESS_FS.MAKE_BLOCK + LANDLOCK_ACCESS_FS.MAKE_SYM + LANDLOCK_ACCESS_FS.REFER + LANDLOCK_ACCESS_FS.TRUNCATE + LANDLOCK_ACCESS_FS.IOCTL_DEV,
  execute: LANDLOCK_ACCESS_FS.EXECUTE + LANDLOCK_ACCESS_FS.READ_FILE + LANDLOCK_ACCESS_FS.READ_DIR
};
var PORT_RIGHTS = {
  bindTcp: LANDLOCK_ACCESS_NET.BIND_TCP,
  connectTcp: LANDLOCK_ACCESS_NET.CONNECT_TCP
};
var SCOPES = {
  abstractSockets: LANDLOCK_SCOPE.ABSTRACT_UNIX_SOCKET,
  signals: LANDLOCK_SCOPE.SIGNAL
};
var RIGHTS_OF_FILE = LANDLOCK_ACCESS_FS.EXECUTE + LANDLOCK_ACCESS_FS.WRITE_FILE + LANDLOCK_ACCESS_FS.READ_FILE + LANDLOCK_ACCESS_FS.TRUNCATE + LANDLOCK_ACCESS_FS.IOCTL_DEV;
function deniableFileRights(version) {
  if (version < 1) return 0;
  if (version < 2) return LANDLOCK_ACCESS_FS.REFER - 1;
  if (version < 3) return LANDLOCK_ACCESS_FS.TRUNCATE - 1;
  if (version < 5) return LANDLOCK_ACCESS_FS.IOCTL_DEV - 1;
  return LANDLOCK_ACCESS_FS.IOCTL_DEV * 2 - 1;
}

// recipe/steps/landlock.ts
function landlock(rules) {
  return {
    step: "landlock",
    ...rules
  };
}
var FILE_WORDS = [
  "read",
  "write",
  "execute"
];
var PORT_WORDS = [
  "bindTcp",
  "connectTcp"
];
var landlockDefinition = {
  step: "landlock",
  get fields() {
    const paths = optional(list(absolutePath()));
    const ports = optional(list(integer(0, 65535)));
    return {
      read: paths,
      write: paths,
      execute: paths,
      bindTcp: ports,
      connectTcp: ports,
      isolate: optional(list(oneOf(Object.keys(SCOPES)))),
      degrade: optional(boolean())
    };
  },
  issue(step) {
    return [
      ...FILE_WORDS,
      ...PORT_WORDS,
      "isolate"
    ].every((word4) => step[word4] === void 0) ? `says neither of files (${FILE_WORDS.join(", ")}), nor of ports (${PORT_WORDS.join(", ")}), nor what to isolate` : void 0;
  }
};

// recipe/steps/limits.ts
function limits(limits2) {
  return {
    step: "limits",
    ...limits2
  };
}
var UNITS = {
  "": 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40
};
var SIZE = /^(\d+)([kmgt]?)$/i;
var size = {
  expected: 'a number of bytes, or a string with a unit: "512k", "64m", "2g", "1t"',
  optional: false,
  schema: {
    anyOf: [
      integer().schema,
      {
        type: "string",
        pattern: "^\\d+[kmgtKMGT]?$"
      }
    ]
  },
  issue(value) {
    const bytes = typeof value === "string" ? bytesOf2(value) : value;
    if (typeof bytes === "number" && Number.isSafeInteger(bytes) && bytes >= 0) return void 0;
    const shown3 = typeof value === "string" ? JSON.stringify(value) : String(value);
    return `should be ${size.expected}, or "unlimited", not ${shown3}`;
  }
};
var sizeOrNone = {
  ...size,
  schema: {
    anyOf: [
      {
        enum: [
          "unlimited"
        ]
      },
      size.schema
    ]
  },
  issue: (value) => value === "unlimited" ? void 0 : size.issue(value)
};
var cpus = {
  expected: 'a number of processors from 0.01 on, or "unlimited"',
  optional: false,
  schema: {
    anyOf: [
      {
        enum: [
          "unlimited"
        ]
      },
      {
        type: "number",
        minimum: 0.01,
        maximum: 1e6
      }
    ]
  },
  issue(value) {
    if (value === "unlimited") return void 0;
    if (typeof value === "number" && value >= 0.01 && value <= 1e6) return void 0;
    return `should be ${cpus.expected}, not ${JSON.stringify(value)}`;
  }
};
var cpuset = {
  expected: 'a list of processors: "0-1,3"',
  optional: false,
  schema: {
    type: "string",
    pattern: "^\\d+(-\\d+)?(,\\d+(-\\d+)?)*$"
  },
  issue(value) {
    const issue = text3({
      min: 1
    }).issue(value);
    if (issue !== void 0) return issue;
    const ranges = value.split(",").map((range) => /^(\d+)(?:-(\d+))?$/.exec(range));
    const wrong = ranges.some((range) => range === null || Number(range[2] ?? range[1]) < Number(range[1]) || Number(range[1]) > 65535);
    return wrong ? `should be ${cpuset.expected}, not "${value}"` : void 0;
  }
};
var device = {
  expected: 'a block device: "/dev/sda" or "8:0"',
  optional: false,
  schema: {
    type: "string",
    pattern: "^(\\d+:\\d+|/.+)$"
  },
  issue(value) {
    const issue = text3({
      min: 1
    }).issue(value);
    if (issue !== void 0) return issue;
    return /^(\d+:\d+|\/.+)$/.test(value) ? void 0 : `should be ${device.expected}, not "${value}"`;
  }
};
var count = () => either(integer(1), oneOf([
  "unlimited"
]));
var limitFields = () => ({
  memory: optional(sizeOrNone),
  memoryHigh: optional(sizeOrNone),
  swap: optional(sizeOrNone),
  cpus: optional(cpus),
  cpuWeight: optional(integer(1, 1e4)),
  pids: optional(count()),
  io: optional(list(object({
    device,
    readBps: optional(sizeOrNone),
    writeBps: optional(sizeOrNone),
    readIops: optional(count()),
    writeIops: optional(count())
  }))),
  cpuset: optional(cpuset)
});
var limitsDefinition = {
  step: "limits",
  get fields() {
    return limitFields();
  }
};
function bytesOf2(value) {
  const [, digits, unit] = SIZE.exec(value) ?? [];
  return digits === void 0 ? void 0 : Number(digits) * UNITS[unit.toLowerCase()];
}

// recipe/steps/masks.ts
function maskPaths(...paths) {
  return {
    step: "maskPaths",
    paths
  };
}
var maskPathsDefinition = {
  step: "maskPaths",
  get fields() {
    return {
      paths: list(absolutePath(), 1)
    };
  }
};
function readonlyPaths(...paths) {
  return {
    step: "readonlyPaths",
    paths
  };
}
var readonlyPathsDefinition = {
  step: "readonlyPaths",
  get fields() {
    return {
      paths: list(absolutePath(), 1)
    };
  }
};

// recipe/mount_options.ts
var WORDS = {
  ro: {
    set: MS_RDONLY
  },
  rw: {
    clear: MS_RDONLY
  },
  nosuid: {
    set: MS_NOSUID
  },
  suid: {
    clear: MS_NOSUID
  },
  nodev: {
    set: MS_NODEV
  },
  dev: {
    clear: MS_NODEV
  },
  noexec: {
    set: MS_NOEXEC
  },
  exec: {
    clear: MS_NOEXEC
  },
  sync: {
    set: MS_SYNCHRONOUS
  },
  async: {
    clear: MS_SYNCHRONOUS
  },
  dirsync: {
    set: MS_DIRSYNC
  },
  mand: {
    set: MS_MANDLOCK
  },
  nomand: {
    clear: MS_MANDLOCK
  },
  noatime: {
    set: MS_NOATIME
  },
  atime: {
    clear: MS_NOATIME
  },
  nodiratime: {
    set: MS_NODIRATIME
  },
  diratime: {
    clear: MS_NODIRATIME
  },
  relatime: {
    set: MS_RELATIME
  },
  norelatime: {
    clear: MS_RELATIME
  },
  strictatime: {
    set: MS_STRICTATIME
  },
  nostrictatime: {
    clear: MS_STRICTATIME
  },
  lazytime: {
    set: MS_LAZYTIME
  },
  nolazytime: {
    clear: MS_LAZYTIME
  },
  nosymfollow: {
    set: MS_NOSYMFOLLOW
  },
  symfollow: {
    clear: MS_NOSYMFOLLOW
  },
  silent: {
    set: MS_SILENT
  },
  loud: {
    clear: MS_SILENT
  },
  iversion: {
    set: MS_I_VERSION
  },
  noiversion: {
    clear: MS_I_VERSION
  },
  defaults: {
    clear: MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_SYNCHRONOUS
  },
  // Words for /etc/fstab and for mount(8) itself, which mean nothing to the kernel.
  auto: {},
  noauto: {},
  _netdev: {},
  nofail: {}
};
var OTHER_STEPS = {
  bind: "bind",
  rbind: "bind",
  remount: "remount",
  move: "bind",
  shared: "propagation",
  rshared: "propagation",
  slave: "propagation",
  rslave: "propagation",
  private: "propagation",
  rprivate: "propagation",
  unbindable: "propagation",
  runbindable: "propagation",
  loop: "bind"
};
function mountOptionsComplaint(options) {
  for (const word4 of splitOptions(options)) {
    const step = Object.hasOwn(OTHER_STEPS, word4) ? OTHER_STEPS[word4] : void 0;
    if (word4 === "loop") return `"loop" needs a loop device, which mount(2) does not make`;
    if (step !== void 0) return `"${word4}" is the step ${step}()`;
  }
  return void 0;
}



// recipe/steps/mounts.ts
function mount3(source, target, options) {
  return {
    step: "mount",
    source,
    target,
    ...options
  };
}
var mountDefinition = {
  step: "mount",
  get fields() {
    return {
      source: text3(),
      target: absolutePath(),
      type: text3({
        min: 1
      }),
      options: optional(text3({
        max: 4095
      }))
    };
  },
  issue: ({ options }) => options === void 0 ? void 0 : mountOptionsComplaint(options)
};

var tmpfsDefinition = {
  step: "tmpfs",
  get fields() {
    return {
      target: absolutePath(),
      size: optional(text3({
        min: 1
      })),
      mode: optional(modeBits()),
      options: optional(text3({
        max: 4095
      }))
    };
  },
  issue({ size: size2, options }) {
    if (size2 !== void 0 && !/^\d+[kmgKMG%]?$/.test(size2)) {
      return `"size" is "${size2}", which is no number of bytes, kilobytes (k) ... or per cent (%)`;
    }
    if (size2 !== void 0 && parseInt(size2) === 0) return '"size" 0 is no limit to the kernel';
    if (size2 !== void 0 && parseInt(size2) > Number.MAX_SAFE_INTEGER) {
      return `"size" is ${size2}, more than any machine has`;
    }
    return options === void 0 ? void 0 : mountOptionsComplaint(options);
  }
};

var procDefinition = special("proc");
function sysfs(target = "/sys", options = {}) {
  return {
    step: "sysfs",
    target,
    ...options
  };
}
var sysfsDefinition = special("sysfs");
function mqueue(target = "/dev/mqueue", options = {}) {
  return {
    step: "mqueue",
    target,
    ...options
  };
}
var mqueueDefinition = special("mqueue");

var PROPAGATION = {
  private: MS_PRIVATE,
  shared: MS_SHARED,
  slave: MS_SLAVE,
  unbindable: MS_UNBINDABLE
};
function propagation(target, type, options = {}) {
  return {
    step: "propagation",
    target,
    type,
    ...options
  };
}
var propagationDefinition = {
  step: "propagation",
  get fields() {
    return {
      target: absolutePath(),
      type: oneOf(Object.keys(PROPAGATION)),
      recursive: optional(boolean())
    };
  }
};
function remount(target, options, more = {}) {
  return {
    step: "remount",
    target,
    options,
    ...more
  };
}
var remountDefinition = {
  step: "remount",
  get fields() {
    return {
      target: absolutePath(),
      options: text3({
        max: 4095
      }),
      bind: optional(boolean())
    };
  },
  issue({ options, bind: bind3 }) {
    const { data: data2 } = parseMountOptions(options);
    if (data2 !== null && bind3 !== false) {
      return `"${data2}" is for the filesystem, not for this mount alone: { bind: false } sets it`;
    }
    return mountOptionsComplaint(options);
  }
};
function unmount(target, options = {}) {
  return {
    step: "unmount",
    target,
    ...options
  };
}
var unmountDefinition = {
  step: "unmount",
  get fields() {
    return {
      target: absolutePath(),
      detach: optional(boolean())
    };
  }
};

// recipe/steps/names.ts
var NAME_BYTES = 64;

var hostnameDefinition = {
  step: "hostname",
  get fields() {
    return {
      name: text3({
        min: 1,
        max: NAME_BYTES
      })
    };
  }
};
function domainname(name) {
  return {
    step: "domainname",
    name
  };
}
var domainnameDefinition = {
  step: "domainname",
  get fields() {
    return {
      name: text3({
        min: 1,
        max: NAME_BYTES
      })
    };
  }
};

// recipe/network_schema.ts
function interfaceName() {
  const base = text3({
    min: 1,
    max: LINK_NAME_BYTES
  });
  return {
    expected: `a name of at most ${LINK_NAME_BYTES} bytes`,
    optional: false,
    schema: {
      ...base.schema,
      pattern: "^[^/:%\\s]+$"
    },
    issue(value) {
      const issue = base.issue(value);
      if (issue !== void 0) return issue;
      const name = value;
      if (name === "." || name === "..") return `"${name}" is no name of an interface`;
      return /[/:%\s]/.test(name) ? `"${name}" must have no "/", ":", "%" or space, as it is the name of an interface` : void 0;
    }
  };
}
function ipPrefix() {
  return addressField("an address like 10.0.0.2/24 or fd00::2/64", (text4) => {
    if (parsePrefix(text4) !== void 0) return void 0;
    return parseIp(text4) === void 0 ? `"${text4}" is no address with a prefix, like 10.0.0.2/24 or fd00::2/64` : `"${text4}" lacks the length of its network's prefix, like ${text4}${text4.includes(":") ? "/64" : "/24"}`;
  });
}
function ipAddress() {
  return addressField("an address like 10.0.0.1 or fd00::1", (text4) => parseIp(text4) === void 0 ? `"${text4}" is no address, like 10.0.0.1 or fd00::1` : void 0);
}
function destination() {
  const prefix = ipPrefix();
  return {
    ...prefix,
    expected: `"default", or a network like 10.1.0.0/16`,
    issue: (value) => value === "default" ? void 0 : prefix.issue(value)
  };
}
function addressField(expected, issue) {
  const base = text3({
    min: 1
  });
  return {
    expected,
    optional: false,
    ...base.schema && {
      schema: base.schema
    },
    issue: (value) => base.issue(value) ?? issue(value)
  };
}

// recipe/steps/network/addresses.ts
function address(device2, address2) {
  return {
    step: "address",
    device: device2,
    address: address2
  };
}
var addressDefinition = {
  step: "address",
  get fields() {
    return {
      device: interfaceName(),
      address: ipPrefix()
    };
  }
};
function route(destination3, options) {
  return {
    step: "route",
    destination: destination3,
    ...options
  };
}
var routeDefinition = {
  step: "route",
  get fields() {
    return {
      destination: destination(),
      via: optional(ipAddress()),
      device: optional(interfaceName())
    };
  },
  issue(step) {
    const { destination: destination3, via, device: device2 } = step;
    if (via === void 0 && device2 === void 0) {
      return `where to? It needs "via", the address of a gateway, or "device", an interface`;
    }
    return via !== void 0 && parseIp(via).family !== prefixOf(step).family ? `"${destination3}" and "${via}" are of two kinds, IPv4 and IPv6` : void 0;
  }
};
function prefixOf({ destination: destination3, via }) {
  if (destination3 !== "default") return parsePrefix(destination3);
  return parsePrefix(via?.includes(":") ? "::/0" : "0.0.0.0/0");
}

// recipe/steps/network/links.ts
function loopback() {
  return {
    step: "loopback"
  };
}
var loopbackDefinition = {
  step: "loopback",
  fields: {}
};
function bridge(name, options = {}) {
  return {
    step: "bridge",
    name,
    ...options
  };
}
var bridgeDefinition = {
  step: "bridge",
  get fields() {
    return {
      name: interfaceName(),
      ports: optional(list(interfaceName()))
    };
  }
};
function dummy(name) {
  return {
    step: "dummy",
    name
  };
}
var dummyDefinition = {
  step: "dummy",
  get fields() {
    return {
      name: interfaceName()
    };
  }
};

// recipe/steps/network/outside.ts
function veth(name, options = {}) {
  return {
    step: "veth",
    name,
    ...options
  };
}
var vethDefinition = {
  step: "veth",
  get fields() {
    return {
      name: interfaceName(),
      peer: optional(interfaceName()),
      peerAddress: optional(ipPrefix()),
      bridge: optional(interfaceName())
    };
  },
  issue({ peer, peerAddress }) {
    return peerAddress !== void 0 && peer === void 0 ? `"peerAddress" needs "peer", the name of the end that gets it` : void 0;
  }
};
function macvlan(name, options) {
  return {
    step: "macvlan",
    name,
    ...options
  };
}
var macvlanDefinition = {
  step: "macvlan",
  get fields() {
    return {
      name: interfaceName(),
      parent: interfaceName(),
      mode: optional(oneOf(Object.keys(MACVLAN_MODES)))
    };
  }
};
function moveInterface(name, options = {}) {
  return {
    step: "moveInterface",
    name,
    ...options
  };
}
var moveInterfaceDefinition = {
  step: "moveInterface",
  get fields() {
    return {
      name: interfaceName(),
      as: optional(interfaceName())
    };
  }
};

// recipe/steps/network/translation.ts
function masquerade(source, options = {}) {
  return {
    step: "masquerade",
    source,
    ...options
  };
}
var masqueradeDefinition = {
  step: "masquerade",
  get fields() {
    return {
      source: ipPrefix(),
      inside: optional(boolean())
    };
  }
};
function publish(port, options) {
  return {
    step: "publish",
    port,
    ...options
  };
}
var publishDefinition = {
  step: "publish",
  get fields() {
    return {
      port: integer(1, 65535),
      address: ipAddress(),
      to: optional(integer(1, 65535)),
      protocol: optional(oneOf([
        "tcp",
        "udp"
      ])),
      inside: optional(boolean())
    };
  }
};

// recipe/steps/network/user_network.ts
function userNetwork(program) {
  return {
    step: "userNetwork",
    ...program === void 0 ? {} : {
      program
    }
  };
}
var USER_NETWORK_PROGRAMS = [
  "slirp4netns",
  "pasta"
];
var userNetworkDefinition = {
  step: "userNetwork",
  get fields() {
    return {
      program: optional(oneOf(USER_NETWORK_PROGRAMS))
    };
  }
};

// recipe/steps/overlay.ts
function overlay(target, options) {
  return {
    step: "overlay",
    target,
    ...options
  };
}
var overlayDefinition = {
  step: "overlay",
  get fields() {
    return {
      target: absolutePath(),
      lower: list(absolutePath(), 1),
      upper: optional(absolutePath()),
      work: optional(absolutePath()),
      discard: optional(boolean())
    };
  },
  issue({ lower: lower2, upper, work, discard }) {
    if (upper === void 0 !== (work === void 0)) return `"upper" and "work" go together`;
    if (upper !== void 0 && discard === true) return `"discard" takes the place of "upper"`;
    if (upper === void 0 && discard !== true && lower2.length < 2) {
      return `without "upper" or "discard" there have to be two lower directories`;
    }
    return void 0;
  }
};

// recipe/steps/process.ts
function setEnv(variables) {
  return {
    step: "setEnv",
    variables
  };
}
var setEnvDefinition = {
  step: "setEnv",
  get fields() {
    return {
      variables: dictionary(variableName(), text3())
    };
  }
};
function clearEnv(options = {}) {
  return {
    step: "clearEnv",
    ...options
  };
}
var clearEnvDefinition = {
  step: "clearEnv",
  get fields() {
    return {
      keep: optional(list(variableName()))
    };
  }
};
function umask3(mask2) {
  return {
    step: "umask",
    mask: mask2
  };
}
var umaskDefinition = {
  step: "umask",
  get fields() {
    return {
      mask: integer(0, 511)
    };
  }
};
function rlimit(resource, soft, hard = soft) {
  return {
    step: "rlimit",
    resource,
    soft,
    hard
  };
}
var rlimitDefinition = {
  step: "rlimit",
  get fields() {
    const limit = either(integer(0), oneOf([
      "unlimited"
    ]));
    return {
      resource: oneOf(Object.keys(RLIMITS).map((name) => name.toLowerCase())),
      soft: limit,
      hard: limit
    };
  },
  issue({ soft, hard }) {
    if (hard !== "unlimited" && (soft === "unlimited" || soft > hard)) {
      return `"soft" (${soft}) is beyond "hard" (${hard})`;
    }
    return void 0;
  }
};
function newSession() {
  return {
    step: "newSession"
  };
}
var newSessionDefinition = {
  step: "newSession",
  fields: {}
};
function dieWithParent(signal = "SIGKILL") {
  return {
    step: "dieWithParent",
    signal
  };
}
var dieWithParentDefinition = {
  step: "dieWithParent",
  get fields() {
    return {
      signal: {
        ...oneOf(Object.keys(SIGNALS)),
        schema: {
          enum: [
            ...Object.keys(SIGNALS),
            null
          ]
        },
        issue: (value) => value === null ? void 0 : oneOf(Object.keys(SIGNALS)).issue(value)
      }
    };
  }
};
function init() {
  return {
    step: "init"
  };
}
var initDefinition = {
  step: "init",
  fields: {}
};

// recipe/steps/programs.ts
function programs(...paths) {
  const last = paths.at(-1);
  const options = typeof last === "object" ? last : {};
  const names = paths.filter((path2) => typeof path2 !== "object");
  return {
    step: "programs",
    programs: names,
    ...options
  };
}
var programsDefinition = {
  step: "programs",
  get fields() {
    return {
      programs: list(absolutePath(), 1),
      root: optional(absolutePath()),
      copy: optional(boolean())
    };
  }
};

// recipe/path.ts



function nameOf2(path2) {
  return path2.slice(path2.lastIndexOf("/") + 1);
}

// recipe/steps/root.ts
function pivotRoot(path2) {
  return {
    step: "pivotRoot",
    path: path2
  };
}
var pivotRootDefinition = {
  step: "pivotRoot",
  get fields() {
    return {
      path: absolutePath()
    };
  },
  issue: ({ path: path2 }) => normalize(path2) === "/" ? "/ is the root already" : void 0
};
function chroot3(path2) {
  return {
    step: "chroot",
    path: path2
  };
}
var chrootDefinition = {
  step: "chroot",
  get fields() {
    return {
      path: absolutePath()
    };
  }
};
function chdir3(path2) {
  return {
    step: "chdir",
    path: path2
  };
}
var chdirDefinition = {
  step: "chdir",
  get fields() {
    return {
      path: path()
    };
  }
};

// ffi/seccomp/all_syscalls.ts
var X86_64 = `
  read write open close stat fstat lstat poll lseek mmap mprotect munmap brk rt_sigaction
  rt_sigprocmask rt_sigreturn ioctl pread64 pwrite64 readv writev access pipe select sched_yield
  mremap msync mincore madvise shmget shmat shmctl dup dup2 pause nanosleep getitimer alarm
  setitimer getpid sendfile socket connect accept sendto recvfrom sendmsg recvmsg shutdown bind
  listen getsockname getpeername socketpair setsockopt getsockopt clone fork vfork execve exit
  wait4 kill uname semget semop semctl shmdt msgget msgsnd msgrcv msgctl fcntl flock fsync
  fdatasync truncate ftruncate getdents getcwd chdir fchdir rename mkdir rmdir creat link unlink
  symlink readlink chmod fchmod chown fchown lchown umask gettimeofday getrlimit getrusage sysinfo
  times ptrace getuid syslog getgid setuid setgid geteuid getegid setpgid getppid getpgrp setsid
  setreuid setregid getgroups setgroups setresuid getresuid setresgid getresgid getpgid setfsuid
  setfsgid getsid capget capset rt_sigpending rt_sigtimedwait rt_sigqueueinfo rt_sigsuspend
  sigaltstack utime mknod uselib personality ustat statfs fstatfs sysfs getpriority setpriority
  sched_setparam sched_getparam sched_setscheduler sched_getscheduler sched_get_priority_max
  sched_get_priority_min sched_rr_get_interval mlock munlock mlockall munlockall vhangup
  modify_ldt pivot_root _sysctl prctl arch_prctl adjtimex setrlimit chroot sync acct settimeofday
  mount umount2 swapon swapoff reboot sethostname setdomainname iopl ioperm create_module
  init_module delete_module get_kernel_syms query_module quotactl nfsservctl getpmsg putpmsg
  afs_syscall tuxcall security gettid readahead setxattr lsetxattr fsetxattr getxattr lgetxattr
  fgetxattr listxattr llistxattr flistxattr removexattr lremovexattr fremovexattr tkill time futex
  sched_setaffinity sched_getaffinity set_thread_area io_setup io_destroy io_getevents io_submit
  io_cancel get_thread_area lookup_dcookie epoll_create epoll_ctl_old epoll_wait_old
  remap_file_pages getdents64 set_tid_address restart_syscall semtimedop fadvise64 timer_create
  timer_settime timer_gettime timer_getoverrun timer_delete clock_settime clock_gettime
  clock_getres clock_nanosleep exit_group epoll_wait epoll_ctl tgkill utimes vserver mbind
  set_mempolicy get_mempolicy mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify
  mq_getsetattr kexec_load waitid add_key request_key keyctl ioprio_set ioprio_get inotify_init
  inotify_add_watch inotify_rm_watch migrate_pages openat mkdirat mknodat fchownat futimesat
  newfstatat unlinkat renameat linkat symlinkat readlinkat fchmodat faccessat pselect6 ppoll
  unshare set_robust_list get_robust_list splice tee sync_file_range vmsplice move_pages utimensat
  epoll_pwait signalfd timerfd_create eventfd fallocate timerfd_settime timerfd_gettime accept4
  signalfd4 eventfd2 epoll_create1 dup3 pipe2 inotify_init1 preadv pwritev rt_tgsigqueueinfo
  perf_event_open recvmmsg fanotify_init fanotify_mark prlimit64 name_to_handle_at
  open_by_handle_at clock_adjtime syncfs sendmmsg setns getcpu process_vm_readv process_vm_writev
  kcmp finit_module sched_setattr sched_getattr renameat2 seccomp getrandom memfd_create
  kexec_file_load bpf execveat userfaultfd membarrier mlock2 copy_file_range preadv2 pwritev2
  pkey_mprotect pkey_alloc pkey_free statx io_pgetevents rseq uretprobe uprobe 424
  pidfd_send_signal io_uring_setup io_uring_enter io_uring_register open_tree move_mount fsopen
  fsconfig fsmount fspick pidfd_open clone3 close_range openat2 pidfd_getfd faccessat2
  process_madvise epoll_pwait2 mount_setattr quotactl_fd landlock_create_ruleset landlock_add_rule
  landlock_restrict_self memfd_secret process_mrelease futex_waitv set_mempolicy_home_node
  cachestat fchmodat2 map_shadow_stack futex_wake futex_wait futex_requeue statmount listmount
  lsm_get_self_attr lsm_set_self_attr lsm_list_modules mseal setxattrat getxattrat listxattrat
  removexattrat open_tree_attr file_getattr file_setattr
`;
var AARCH64 = `
  io_setup io_destroy io_submit io_cancel io_getevents setxattr lsetxattr fsetxattr getxattr
  lgetxattr fgetxattr listxattr llistxattr flistxattr removexattr lremovexattr fremovexattr getcwd
  lookup_dcookie eventfd2 epoll_create1 epoll_ctl epoll_pwait dup dup3 fcntl inotify_init1
  inotify_add_watch inotify_rm_watch ioctl ioprio_set ioprio_get flock mknodat mkdirat unlinkat
  symlinkat linkat renameat umount2 mount pivot_root nfsservctl statfs fstatfs truncate ftruncate
  fallocate faccessat chdir fchdir chroot fchmod fchmodat fchownat fchown openat close vhangup
  pipe2 quotactl getdents64 lseek read write readv writev pread64 pwrite64 preadv pwritev sendfile
  pselect6 ppoll signalfd4 vmsplice splice tee readlinkat newfstatat fstat sync fsync fdatasync
  sync_file_range timerfd_create timerfd_settime timerfd_gettime utimensat acct capget capset
  personality exit exit_group waitid set_tid_address unshare futex set_robust_list get_robust_list
  nanosleep getitimer setitimer kexec_load init_module delete_module timer_create timer_gettime
  timer_getoverrun timer_settime timer_delete clock_settime clock_gettime clock_getres
  clock_nanosleep syslog ptrace sched_setparam sched_setscheduler sched_getscheduler
  sched_getparam sched_setaffinity sched_getaffinity sched_yield sched_get_priority_max
  sched_get_priority_min sched_rr_get_interval restart_syscall kill tkill tgkill sigaltstack
  rt_sigsuspend rt_sigaction rt_sigprocmask rt_sigpending rt_sigtimedwait rt_sigqueueinfo
  rt_sigreturn setpriority getpriority reboot setregid setgid setreuid setuid setresuid getresuid
  setresgid getresgid setfsuid setfsgid times setpgid getpgid getsid setsid getgroups setgroups
  uname sethostname setdomainname getrlimit setrlimit getrusage umask prctl getcpu gettimeofday
  settimeofday adjtimex getpid getppid getuid geteuid getgid getegid gettid sysinfo mq_open
  mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr msgget msgctl msgrcv msgsnd
  semget semctl semtimedop semop shmget shmctl shmat shmdt socket socketpair bind listen accept
  connect getsockname getpeername sendto recvfrom setsockopt getsockopt shutdown sendmsg recvmsg
  readahead brk munmap mremap add_key request_key keyctl clone execve mmap fadvise64 swapon
  swapoff mprotect msync mlock munlock mlockall munlockall mincore madvise remap_file_pages mbind
  get_mempolicy set_mempolicy migrate_pages move_pages rt_tgsigqueueinfo perf_event_open accept4
  recvmmsg 260 wait4 prlimit64 fanotify_init fanotify_mark name_to_handle_at open_by_handle_at
  clock_adjtime syncfs setns sendmmsg process_vm_readv process_vm_writev kcmp finit_module
  sched_setattr sched_getattr renameat2 seccomp getrandom memfd_create bpf execveat userfaultfd
  membarrier mlock2 copy_file_range preadv2 pwritev2 pkey_mprotect pkey_alloc pkey_free statx
  io_pgetevents rseq kexec_file_load 424 pidfd_send_signal io_uring_setup io_uring_enter
  io_uring_register open_tree move_mount fsopen fsconfig fsmount fspick pidfd_open clone3
  close_range openat2 pidfd_getfd faccessat2 process_madvise epoll_pwait2 mount_setattr
  quotactl_fd landlock_create_ruleset landlock_add_rule landlock_restrict_self memfd_secret
  process_mrelease futex_waitv set_mempolicy_home_node cachestat fchmodat2 map_shadow_stack
  futex_wake futex_wait futex_requeue statmount listmount lsm_get_self_attr lsm_set_self_attr
  lsm_list_modules mseal setxattrat getxattrat listxattrat removexattrat open_tree_attr
  file_getattr file_setattr
`;
var TABLES = {
  x86_64: once(() => numbersOf(X86_64)),
  aarch64: once(() => numbersOf(AARCH64))
};
function allSyscalls(architecture) {
  return TABLES[architecture]();
}
function isSyscallName(name) {
  return allSyscalls("x86_64").has(name) || allSyscalls("aarch64").has(name);
}
function numbersOf(table) {
  const numbers = /* @__PURE__ */ new Map();
  let next = 0;
  for (const word4 of table.trim().split(/\s+/)) {
    if (/^\d+$/.test(word4)) next = Number(word4);
    else numbers.set(word4, next++);
  }
  return numbers;
}


// recipe/seccomp_default.ts
var FILES2 = `
  access chdir chmod chown chroot close close_range copy_file_range creat dup dup2 dup3 faccessat
  faccessat2 fadvise64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl fdatasync
  flock fstat fstatfs fsync ftruncate futimesat getcwd getdents getdents64 lchown link linkat lseek
  lstat mkdir mkdirat mknod mknodat name_to_handle_at newfstatat open openat openat2 pipe pipe2
  pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv rename
  renameat renameat2 rmdir sendfile splice stat statfs statx symlink symlinkat sync sync_file_range
  syncfs tee truncate umask unlink unlinkat utime utimensat utimes vmsplice write writev
  fgetxattr flistxattr fremovexattr fsetxattr getxattr lgetxattr listxattr llistxattr lremovexattr
  lsetxattr removexattr setxattr getxattrat listxattrat removexattrat setxattrat
  file_getattr file_setattr listmount statmount
  inotify_add_watch inotify_init inotify_init1 inotify_rm_watch
  io_cancel io_destroy io_getevents io_pgetevents io_setup io_submit
`;
var WAITING = `
  epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 poll
  ppoll pselect6 select signalfd signalfd4
  alarm clock_getres clock_gettime clock_nanosleep getitimer gettimeofday nanosleep setitimer time
  timer_create timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create
  timerfd_gettime timerfd_settime times
`;
var CLOCK = `adjtimex clock_adjtime`;
var MEMORY = `
  brk cachestat madvise map_shadow_stack memfd_create memfd_secret mincore mlock mlock2 mlockall mmap
  mprotect mremap mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect
  process_mrelease remap_file_pages
`;
var PROCESSES = `
  arch_prctl capget capset execve execveat exit exit_group fork get_robust_list get_thread_area
  getcpu getegid geteuid getgid getgroups getpgid getpgrp getpid getppid getpriority getrandom
  getresgid getresuid getrlimit getrusage getsid gettid getuid ioprio_get ioprio_set kill membarrier
  pause pidfd_open pidfd_send_signal prctl prlimit64 restart_syscall rseq rt_sigaction rt_sigpending
  rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo
  sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam
  sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam
  sched_setscheduler sched_yield set_robust_list set_thread_area set_tid_address setfsgid setfsuid
  setgid setgroups setpgid setpriority setregid setresgid setresuid setreuid setrlimit setsid setuid
  sigaltstack sysinfo tgkill tkill uname vfork wait4 waitid
  futex futex_requeue futex_wait futex_waitv futex_wake
  ptrace process_vm_readv process_vm_writev uprobe uretprobe
  seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self
  lsm_get_self_attr lsm_list_modules
`;
var MESSAGES = `
  accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg recvmsg
  sendmmsg sendmsg sendto setsockopt shutdown
  mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink msgctl msgget msgrcv msgsnd
  semctl semget semop semtimedop shmat shmctl shmdt shmget
`;
var SECCOMP_GROUPS = {
  "@mounts": `
    fsconfig fsmount fsopen fspick mount mount_setattr move_mount open_tree open_tree_attr pivot_root
    umount2
  `,
  "@namespaces": "clone clone3 setns unshare"
};
var CLONE_NAMESPACES = 2114060288;
var CLONE_NEWTIME2 = 128;
var INT = 4294967295;
var SOCKET_FAMILIES = [
  1,
  2,
  10,
  16,
  17
];
var PERSONALITIES = [
  0,
  8,
  131072,
  131080,
  4294967295
];
var TYPING = [
  21522,
  21532
];
var ENOSYS = 38;
var DEFAULT_SECCOMP_PROFILE = {
  defaultAction: "SCMP_ACT_ERRNO",
  get syscalls() {
    return [
      allow([
        FILES2,
        WAITING,
        CLOCK,
        MEMORY,
        PROCESSES,
        MESSAGES
      ].flatMap(words)),
      allowWhere([
        "clone"
      ], {
        index: 0,
        bits: CLONE_NAMESPACES,
        are: 0
      }),
      allowWhere([
        "unshare"
      ], {
        index: 0,
        bits: CLONE_NAMESPACES + CLONE_NEWTIME2,
        are: 0
      }),
      {
        names: [
          "clone3"
        ],
        action: "SCMP_ACT_ERRNO",
        errnoRet: ENOSYS
      },
      ...SOCKET_FAMILIES.map((are) => allowWhere([
        "socket",
        "socketpair"
      ], {
        index: 0,
        bits: INT,
        are
      })),
      ...PERSONALITIES.map((are) => allowWhere([
        "personality"
      ], {
        index: 0,
        bits: INT,
        are
      })),
      ...TYPING.map((are) => ({
        ...allowWhere([
          "ioctl"
        ], {
          index: 1,
          bits: INT,
          are
        }),
        action: "SCMP_ACT_ERRNO"
      })),
      allow([
        "ioctl"
      ])
    ];
  }
};
function allowMore(profile, more) {
  if (more.length === 0) return profile;
  const groups = SECCOMP_GROUPS;
  const names = more.flatMap((name) => words(groups[name] ?? name));
  return {
    ...profile,
    syscalls: [
      allow(names),
      ...profile.syscalls ?? []
    ]
  };
}
function words(text4) {
  return text4.trim().split(/\s+/);
}
function allow(names) {
  return {
    names,
    action: "SCMP_ACT_ALLOW"
  };
}
function allowWhere(names, { index, bits, are }) {
  return {
    ...allow(names),
    args: [
      {
        index,
        value: bits,
        valueTwo: are,
        op: "SCMP_CMP_MASKED_EQ"
      }
    ]
  };
}

// ffi/seccomp/bpf.ts
var BPF = {
  load: 32,
  and: 84,
  jump: 5,
  equal: 21,
  greater: 37,
  greaterOrEqual: 53,
  return: 6
};
var MOST_INSTRUCTIONS = 4096;
var INSTRUCTION_SIZE = 8;
var FAR = 254;
function assembleFilter(parts) {
  const backwards = new BackwardsProgram();
  for (const part of parts.toReversed()) {
    if (!("kind" in part)) backwards.place(part);
    else backwards.add(part);
  }
  return backwards.bytes();
}
var BackwardsProgram = class {
  #words = [];
  #places = /* @__PURE__ */ new Map();
  place(label) {
    this.#places.set(label, this.#words.length);
  }
  add(instruction) {
    switch (instruction.kind) {
      case "load":
        return this.#word(BPF.load, instruction.offset);
      case "and":
        return this.#word(BPF.and, instruction.mask);
      case "return":
        return this.#word(BPF.return, instruction.value);
      case "jump":
        return this.#word(BPF.jump, this.#distance(instruction.to));
      case "branch":
        return this.#branch(instruction);
    }
  }
  bytes() {
    const bytes = new Uint8Array(this.#words.length * INSTRUCTION_SIZE);
    const view2 = new DataView(bytes.buffer);
    this.#words.toReversed().forEach(({ code, jt, jf, k }, index) => {
      const at2 = index * INSTRUCTION_SIZE;
      view2.setUint16(at2, code, true);
      view2.setUint8(at2 + 2, jt);
      view2.setUint8(at2 + 3, jf);
      view2.setUint32(at2 + 4, k, true);
    });
    return bytes;
  }
  #branch({ test, value, holds, fails }) {
    const next = this.#words.length;
    const reachable = (label) => {
      if (label === void 0) return next;
      if (this.#distance(label) >= FAR) this.#word(BPF.jump, this.#distance(label));
      else return this.#places.get(label);
      return this.#words.length;
    };
    const [jt, jf] = [
      reachable(holds),
      reachable(fails)
    ].map((place2) => this.#words.length - place2);
    this.#word(BPF[test], value, jt, jf);
  }
  #distance(label) {
    const place2 = this.#places.get(label);
    if (place2 === void 0) throw new TypeError(`the label "${label.text}" has no later place`);
    return this.#words.length - place2;
  }
  #word(code, k, jt = 0, jf = 0) {
    this.#words.push({
      code,
      jt,
      jf,
      k: k >>> 0
    });
  }
};

// ffi/seccomp/filter.ts
var SECCOMP_RET = {
  KILL_PROCESS: 2147483648,
  KILL_THREAD: 0,
  TRAP: 196608,
  ERRNO: 327680,
  TRACE: 2146435072,
  LOG: 2147221504,
  ALLOW: 2147418112
};
var SECCOMP_DATA = {
  number: 0,
  architecture: 4,
  arguments: 16,
  size: 64
};
var AUDIT_ARCH = {
  x86_64: 3221225534,
  aarch64: 3221225655
};
var X32 = 1073741824;
function compileFilter(filter, architecture) {
  const bytes = assembleFilter(new Compiler(filter, architecture).parts());
  if (bytes.length > MOST_INSTRUCTIONS * INSTRUCTION_SIZE) {
    throw new RangeError(`the filter has ${bytes.length / INSTRUCTION_SIZE} instructions, and the kernel takes ${MOST_INSTRUCTIONS} at most`);
  }
  return bytes;
}
var RuleIndex = class {
  #rules = /* @__PURE__ */ new Map();
  #otherwise;
  constructor({ rules, otherwise }) {
    this.#otherwise = [
      {
        names: [],
        answer: otherwise
      }
    ];
    for (const rule of rules) {
      for (const name of rule.names) {
        const known = this.#rules.get(name);
        if (known === void 0) this.#rules.set(name, [
          rule
        ]);
        else if (!isUnconditional(known.at(-1))) known.push(rule);
      }
    }
  }
  /** The rules for the call; the last of them is without conditions. */
  for(name) {
    const rules = this.#rules.get(name);
    if (rules === void 0) return this.#otherwise;
    return isUnconditional(rules.at(-1)) ? rules : [
      ...rules,
      ...this.#otherwise
    ];
  }
};
function isUnconditional({ conditions = [] }) {
  return conditions.length === 0;
}
var Compiler = class {
  #filter;
  #architecture;
  #answers = /* @__PURE__ */ new Map();
  #decisions = /* @__PURE__ */ new Map();
  constructor(filter, architecture) {
    this.#filter = filter;
    this.#architecture = architecture;
  }
  parts() {
    const ranges = this.#ranges();
    const foreign = this.#answer(this.#filter.foreign);
    const value = AUDIT_ARCH[this.#architecture];
    const search = [
      {
        kind: "load",
        offset: SECCOMP_DATA.architecture
      },
      {
        kind: "branch",
        test: "equal",
        value,
        fails: foreign
      },
      {
        kind: "load",
        offset: SECCOMP_DATA.number
      },
      ...searchAmong(ranges)
    ];
    const decisions = [
      ...this.#decisions.values()
    ].flatMap((decision) => this.#decide(decision));
    const answers = [
      ...this.#answers
    ].flatMap(([value2, label]) => [
      label,
      {
        kind: "return",
        value: value2
      }
    ]);
    return [
      ...search,
      ...decisions,
      ...answers
    ];
  }
  #ranges() {
    const { unknown } = this.#filter;
    const rules = new RuleIndex(this.#filter);
    const known = [
      ...allSyscalls(this.#architecture)
    ].sort(([, a], [, b]) => a - b);
    const ranges = [];
    const add = (first, decision) => {
      if (ranges.at(-1)?.decision !== decision) ranges.push({
        first,
        decision
      });
    };
    let next = 0;
    for (const [name, number] of known) {
      if (number > next) add(next, this.#answer(unknown));
      add(number, this.#decision(rules.for(name)));
      next = number + 1;
    }
    add(next, this.#answer(unknown));
    if (this.#architecture === "x86_64") add(X32, this.#answer(X32_ANSWER));
    return ranges;
  }
  /** Where it is decided about the calls that these rules are for: one place for the same rules. */
  #decision(rules) {
    const first = rules[0];
    if (isUnconditional(first)) return this.#answer(first.answer);
    const key = JSON.stringify(rules.map(({ answer, conditions }) => [
      answer,
      conditions
    ]), (_, value) => typeof value === "bigint" ? String(value) : value);
    let decision = this.#decisions.get(key);
    if (decision === void 0) {
      decision = {
        label: new Label(`about ${first.names.join(", ")}`),
        rules
      };
      this.#decisions.set(key, decision);
    }
    return decision.label;
  }
  #answer(value) {
    let label = this.#answers.get(value);
    if (label === void 0) {
      label = new Label(`answer 0x${value.toString(16)}`);
      this.#answers.set(value, label);
    }
    return label;
  }
  #decide({ label, rules }) {
    const parts = [
      label
    ];
    for (const { answer, conditions = [] } of rules) {
      const otherwise = new Label("the next rule");
      for (const condition of conditions) parts.push(...compare(condition, otherwise));
      parts.push({
        kind: "jump",
        to: this.#answer(answer)
      }, otherwise);
    }
    return parts;
  }
};
var X32_ANSWER = SECCOMP_RET.ERRNO | 38;
function searchAmong(ranges) {
  if (ranges.length === 1) return [
    {
      kind: "jump",
      to: ranges[0].decision
    }
  ];
  const half = Math.ceil(ranges.length / 2);
  const [below2, above] = [
    ranges.slice(0, half),
    ranges.slice(half)
  ];
  const value = above[0].first;
  if (ranges.length === 2) {
    const [holds, fails] = [
      above[0].decision,
      below2[0].decision
    ];
    return [
      {
        kind: "branch",
        test: "greaterOrEqual",
        value,
        holds,
        fails
      }
    ];
  }
  const upper = new Label(`${value} and above`);
  return [
    {
      kind: "branch",
      test: "greaterOrEqual",
      value,
      holds: upper
    },
    ...searchAmong(below2),
    upper,
    ...searchAmong(above)
  ];
}
var EVERY_BIT = 0xffffffffffffffffn;
var LOW = 0xffffffffn;
function compare(condition, otherwise) {
  const { index, comparison, value, mask: mask2 = EVERY_BIT } = condition;
  const at2 = SECCOMP_DATA.arguments + index * 8;
  const holds = new Label("it holds");
  const high = {
    offset: at2 + 4,
    mask: Number(mask2 >> 32n),
    value: Number(value >> 32n)
  };
  const low = {
    offset: at2,
    mask: Number(mask2 & LOW),
    value: Number(value & LOW)
  };
  const parts = isEquality(comparison) ? equality(high, low, ...directions(comparison === "equal", holds, otherwise)) : order(high, low, comparison === "greater" || comparison === "lessOrEqual" ? "greater" : "greaterOrEqual", ...directions(comparison.startsWith("greater"), holds, otherwise));
  return [
    ...parts,
    holds
  ];
}
function isEquality(comparison) {
  return comparison === "equal" || comparison === "unequal";
}
function directions(straight, holds, otherwise) {
  return straight ? [
    holds,
    otherwise
  ] : [
    otherwise,
    holds
  ];
}
function equality(high, low, yes, no) {
  return [
    ...loadMasked(high),
    {
      kind: "branch",
      test: "equal",
      value: high.value,
      fails: no
    },
    ...loadMasked(low),
    {
      kind: "branch",
      test: "equal",
      value: low.value,
      holds: yes,
      fails: no
    }
  ];
}
function order(high, low, test, yes, no) {
  return [
    {
      kind: "load",
      offset: high.offset
    },
    {
      kind: "branch",
      test: "greater",
      value: high.value,
      holds: yes
    },
    {
      kind: "branch",
      test: "equal",
      value: high.value,
      fails: no
    },
    {
      kind: "load",
      offset: low.offset
    },
    {
      kind: "branch",
      test,
      value: low.value,
      holds: yes,
      fails: no
    }
  ];
}
function loadMasked({ offset, mask: mask2 }) {
  const load = {
    kind: "load",
    offset
  };
  return mask2 === 4294967295 ? [
    load
  ] : [
    load,
    {
      kind: "and",
      mask: mask2
    }
  ];
}

// recipe/seccomp_profile.ts
var ACTIONS = {
  SCMP_ACT_KILL: SECCOMP_RET.KILL_THREAD,
  SCMP_ACT_KILL_PROCESS: SECCOMP_RET.KILL_PROCESS,
  SCMP_ACT_KILL_THREAD: SECCOMP_RET.KILL_THREAD,
  SCMP_ACT_TRAP: SECCOMP_RET.TRAP,
  SCMP_ACT_ERRNO: SECCOMP_RET.ERRNO,
  SCMP_ACT_TRACE: SECCOMP_RET.TRACE,
  SCMP_ACT_ALLOW: SECCOMP_RET.ALLOW,
  SCMP_ACT_LOG: SECCOMP_RET.LOG
};
var COMPARISONS = {
  SCMP_CMP_NE: "unequal",
  SCMP_CMP_LT: "less",
  SCMP_CMP_LE: "lessOrEqual",
  SCMP_CMP_EQ: "equal",
  SCMP_CMP_GE: "greaterOrEqual",
  SCMP_CMP_GT: "greater"
};
var FLAGS = [
  "SECCOMP_FILTER_FLAG_TSYNC",
  "SECCOMP_FILTER_FLAG_LOG",
  "SECCOMP_FILTER_FLAG_SPEC_ALLOW"
];
function word3() {
  const expected = "an unsigned 64-bit number";
  return {
    expected,
    optional: false,
    schema: {
      anyOf: [
        integer().schema,
        {
          type: "string",
          pattern: "^(0[xX][0-9a-fA-F]+|\\d+)$"
        }
      ]
    },
    issue(value) {
      if (typeof value === "string") {
        if (!/^(0x[0-9a-f]+|\d+)$/i.test(value)) return `"${value}" is not ${expected}`;
        return BigInt(value) < 2n ** 64n ? void 0 : `${value} is not ${expected}`;
      }
      if (typeof value !== "number" || !Number.isInteger(value) || value < 0) {
        return `should be ${expected}`;
      }
      return Number.isSafeInteger(value) ? void 0 : `is a number too large to be exact; write it as a text: "0x..."`;
    }
  };
}
var LAST_ERRNO = 4095;
function seccompProfile() {
  const action = oneOf(Object.keys(ACTIONS));
  const errno = optional(integer(0, LAST_ERRNO));
  const argument = object({
    index: integer(0, 5),
    value: word3(),
    valueTwo: optional(word3()),
    op: oneOf([
      ...Object.keys(COMPARISONS),
      "SCMP_CMP_MASKED_EQ"
    ])
  });
  const rule = object({
    names: list(text3({
      min: 1
    }), 1),
    action,
    errnoRet: errno,
    args: optional(list(argument))
  });
  return object({
    defaultAction: action,
    defaultErrnoRet: errno,
    architectures: optional(list(text3({
      min: 1
    }))),
    flags: optional(list(oneOf(FLAGS))),
    syscalls: optional(list(rule))
  });
}
function filterOf(profile) {
  const { defaultAction, defaultErrnoRet, syscalls: syscalls2 = [] } = profile;
  return {
    otherwise: answerOf(defaultAction, defaultErrnoRet),
    unknown: defaultAction === "SCMP_ACT_ERRNO" ? answerOf(defaultAction, ERRNO.ENOSYS) : answerOf(defaultAction, defaultErrnoRet),
    foreign: SECCOMP_RET.KILL_PROCESS,
    rules: syscalls2.flatMap(rulesOf)
  };
}
function rulesOf({ names, action, errnoRet, args = [] }) {
  const answer = answerOf(action, errnoRet);
  const conditions = args.map(conditionOf);
  const indices = new Set(args.map(({ index }) => index));
  if (indices.size < args.length) {
    return conditions.map((condition) => ({
      names,
      answer,
      conditions: [
        condition
      ]
    }));
  }
  return [
    {
      names,
      answer,
      conditions
    }
  ];
}
function conditionOf({ index, value, valueTwo = 0, op }) {
  if (op !== "SCMP_CMP_MASKED_EQ") {
    return {
      index,
      comparison: COMPARISONS[op],
      value: BigInt(value)
    };
  }
  const mask2 = BigInt(value);
  return {
    index,
    comparison: "equal",
    value: BigInt(valueTwo) & mask2,
    mask: mask2
  };
}
function answerOf(action, errnoRet = ERRNO.EPERM) {
  const data2 = action === "SCMP_ACT_ERRNO" || action === "SCMP_ACT_TRACE" ? errnoRet : 0;
  return (ACTIONS[action] | data2) >>> 0;
}

// recipe/steps/seccomp.ts
function seccomp(profile = {}) {
  return "defaultAction" in profile ? {
    step: "seccomp",
    profile
  } : {
    step: "seccomp",
    ...profile
  };
}
function callName() {
  const base = text3({
    min: 1
  });
  const groups = Object.keys(SECCOMP_GROUPS);
  return {
    ...base,
    expected: `the name of a system call, or ${groups.map((name) => `"${name}"`).join(", ")}`,
    issue(value) {
      const issue = base.issue(value);
      const name = value;
      if (issue !== void 0 || isSyscallName(name) || groups.includes(name)) return issue;
      const near = nearest(name, [
        ...groups,
        ...allSyscalls("x86_64").keys()
      ]);
      return `there is no call "${name}"` + (near === void 0 ? "" : `; did you mean "${near}"?`);
    }
  };
}
var seccompDefinition = {
  step: "seccomp",
  get fields() {
    return {
      profile: optional(seccompProfile()),
      allow: optional(list(callName()))
    };
  }
};

// recipe/steps/sysctl.ts
function sysctl(settings2) {
  return {
    step: "sysctl",
    settings: settings2
  };
}
function pathOf(name) {
  const swapped = {
    ".": "/",
    "/": "."
  };
  return /^[^./]*\//.test(name) ? name : name.replace(/[./]/g, (separator) => swapped[separator]);
}
function settingName() {
  const base = text3({
    min: 1,
    max: 255
  });
  return {
    ...base,
    expected: "the name of a setting, such as net.ipv4.ip_forward",
    schema: {
      ...base.schema,
      pattern: "^[^./]+([./][^./]+)+$"
    },
    issue(value) {
      const issue = base.issue(value);
      if (issue !== void 0) return issue;
      const parts = pathOf(value).split("/");
      return parts.length > 1 && parts.every((part) => ![
        "",
        ".",
        ".."
      ].includes(part)) ? void 0 : "is no name of a setting, such as net.ipv4.ip_forward";
    }
  };
}
var sysctlDefinition = {
  step: "sysctl",
  get fields() {
    return {
      settings: dictionary(settingName(), either(text3(), integer(-(2 ** 53) + 1)))
    };
  }
};

// recipe/steps/time.ts
function timeOffset(offsets) {
  return {
    step: "timeOffset",
    ...offsets
  };
}
var LIMIT = 46e8;
var seconds = {
  ...integer(-LIMIT, LIMIT),
  expected: "a number of seconds",
  schema: {
    type: "number",
    minimum: -LIMIT,
    maximum: LIMIT
  },
  issue(value) {
    if (typeof value !== "number" || !Number.isFinite(value)) {
      return "should be a number of seconds";
    }
    if (Math.abs(value) > LIMIT) return `${value} is more than the kernel takes, ${LIMIT} seconds`;
    return void 0;
  }
};
var timeOffsetDefinition = {
  step: "timeOffset",
  get fields() {
    return {
      monotonic: optional(seconds),
      boottime: optional(seconds)
    };
  },
  issue: ({ monotonic, boottime }) => (monotonic ?? boottime) === void 0 ? `needs "monotonic" or "boottime"` : void 0
};

// recipe/steps/unshare.ts

var unshareDefinition = {
  step: "unshare",
  get fields() {
    return {
      kinds: list(oneOf(NAMESPACE_KINDS), 1),
      propagation: optional(oneOf([
        "private",
        "slave"
      ]))
    };
  },
  issue({ kinds, propagation: propagation2 }) {
    if (propagation2 !== void 0 && !kinds.includes("mount")) {
      return `"propagation" is about mounts, and "mount" is not among the kinds`;
    }
    return void 0;
  }
};

// recipe/steps/user_namespaces.ts
function disableUserNamespaces() {
  return {
    step: "disableUserNamespaces"
  };
}
var disableUserNamespacesDefinition = {
  step: "disableUserNamespaces",
  fields: {}
};

// recipe/default_path.ts
var DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// ffi/environment.ts
var encoder3 = new TextEncoder();



function nameAt(address2) {
  const text4 = Deno.UnsafePointerView.getCString(Deno.UnsafePointer.create(address2));
  return text4.slice(0, text4.indexOf("="));
}


// ffi/calls/constants/events.ts
var EPOLL_CLOEXEC = 524288;
var EPOLL_CTL_ADD = 1;
var EPOLL_CTL_DEL = 2;
var EPOLL_CTL_MOD = 3;
var EPOLLIN = 1;
var EPOLLPRI = 2;
var EPOLLOUT = 4;
var EPOLLERR = 8;
var EPOLLHUP = 16;
var EPOLLRDHUP = 8192;
var EPOLLEXCLUSIVE = 268435456;
var EPOLLONESHOT = 1073741824;
var EPOLLET = 2147483648;
var EPOLL_EVENTS = {
  EPOLLIN,
  EPOLLPRI,
  EPOLLOUT,
  EPOLLERR,
  EPOLLHUP,
  EPOLLRDHUP,
  EPOLLEXCLUSIVE,
  EPOLLONESHOT,
  EPOLLET
};
var EFD_NONBLOCK = 2048;
var EFD_CLOEXEC = 524288;

// ffi/calls/events.ts
var SIGSET_SIZE3 = 8;







// ffi/reactor.ts
var MAX_EVENTS = 256;
var UNREF_INTERVAL_MS = 20;
var BLOCKS_A_TURN = 16;
var started;

var Reactor = class {
  #epoll;
  #wake;
  #watches = /* @__PURE__ */ new Map();
  #wait;
  #events;
  /** How many waits keep the event loop alive. */
  #holders = 0;
  /** Whether {@linkcode Reactor.#waitInPool} is under way; one thread waits for all. */
  #looping = false;
  /** Whether that thread waits now. */
  #inPool = false;
  /** Whether it has been told to come back. */
  #woken = false;
  /** How many ask in this turn of the script whether they may block. */
  #asking = 0;
  /** How many may have blocked since the event loop has had its turn. */
  #blocks = 0;
  #timer;
  /** Use {@linkcode reactor}: there is one an isolate. */
  constructor() {
    const loaded2 = engine();
    const { architecture } = loaded2;
    this.#epoll = syscall(epoll_create1(EPOLL_CLOEXEC));
    try {
      this.#wake = syscall(eventfd2(0, EFD_CLOEXEC | EFD_NONBLOCK));
    } catch (error) {
      syscall(close(this.#epoll));
      throw error;
    }
    this.#control(EPOLL_CTL_ADD, this.#wake, EPOLLIN);
    const events = epollOutput(MAX_EVENTS, architecture);
    const wait = epoll_pwait(this.#epoll, events, -1, architecture);
    const program = assemble([
      {
        call: wait,
        accept: [
          "EINTR"
        ]
      }
    ], architecture);
    this.#wait = loaded2.allocate(program.bytes.length);
    place(program, this.#wait);
    this.#events = program.outputs.get(events);
  }
  /** Takes a descriptor in; it is not looked at before it is waited for. */
  watch(fd) {
    this.#control(EPOLL_CTL_ADD, fd, EPOLLONESHOT);
    const watch = new Watch(fd, {
      arm: (readiness) => {
        const event = readiness === "readable" ? EPOLLIN : EPOLLOUT;
        this.#control(EPOLL_CTL_MOD, fd, EPOLLONESHOT | event);
      },
      hold: (change) => {
        this.#holders += change;
        this.#goOn();
      },
      forget: () => {
        this.#watches.delete(fd);
        this.#control(EPOLL_CTL_DEL, fd, 0);
        this.#goOn();
      },
      look: () => this.#goOn()
    });
    this.#watches.set(fd, watch);
    return watch;
  }
  /**
   * Whether the script's thread may wait by itself for a moment, as it is of no use to anybody else:
   * nothing is waited for, nobody else asks in this turn of the script, and the event loop has had
   * its turn lately.
   */
  async mayBlock() {
    this.#asking++;
    await void 0;
    const may = this.#asking === 1 && this.#holders === 0 && this.#blocks < BLOCKS_A_TURN;
    await void 0;
    this.#asking--;
    if (may) this.#blocks++;
    return may;
  }
  #control(operation, fd, events) {
    syscall(epoll_ctl(this.#epoll, operation, fd, {
      events,
      data: fd
    }, engine().architecture));
  }
  /** Waits in the pool while the event loop is to be kept alive, and looks now and then otherwise. */
  #goOn() {
    const holds = this.#holders > 0;
    if (holds && !this.#looping) void this.#waitInPool();
    if (!holds && this.#inPool && !this.#woken) {
      this.#woken = true;
      syscall(write(this.#wake, ONE, ONE.length));
    }
    const looks = !this.#looping && this.#watches.values().some((watch) => watch.pending);
    if (looks) this.#timer ??= this.#lookNowAndThen();
    else if (this.#timer !== void 0) {
      clearInterval(this.#timer);
      this.#timer = void 0;
    }
  }
  #lookNowAndThen() {
    const timer = setInterval(() => {
      this.#look();
      this.#goOn();
    }, UNREF_INTERVAL_MS);
    Deno.unrefTimer(timer);
    return timer;
  }
  async #waitInPool() {
    this.#looping = true;
    do {
      this.#setTimeout(-1);
      this.#inPool = true;
      await engine().runInPool(this.#wait);
      this.#blocks = 0;
      this.#inPool = false;
      this.#dispatch();
      await void 0;
      if (this.#holders > 0) this.#look();
    } while (this.#holders > 0);
    this.#looping = false;
    this.#goOn();
  }
  #look() {
    this.#setTimeout(0);
    engine().runIn(this.#wait);
    this.#dispatch();
  }
  #setTimeout(milliseconds) {
    this.#wait.view.setInt32(argumentOffset(0, 3), milliseconds, true);
  }
  #dispatch() {
    const { view: view2 } = this.#wait;
    const count2 = Math.max(0, Number(view2.getBigInt64(resultOffset(0), true)));
    const events = new DataView(view2.buffer, view2.byteOffset + this.#events);
    for (const { data: fd } of readEpollEvents(events, count2, engine().architecture)) {
      if (fd === this.#wake) {
        syscall(read(fd, new Output(8), 8));
        this.#woken = false;
      } else {
        this.#watches.get(fd)?.signal();
      }
    }
  }
};
var ONE = new Uint8Array([
  1,
  0,
  0,
  0,
  0,
  0,
  0,
  0
]);
var Watch = class {
  #fd;
  #owner;
  #resolve;
  #ref = true;
  #closed = false;
  /** Use {@linkcode Reactor.watch}. */
  constructor(fd, owner2) {
    this.#fd = fd;
    this.#owner = owner2;
  }
  /** The descriptor. */
  get fd() {
    return this.#fd;
  }
  /** Whether somebody waits. */
  get pending() {
    return this.#resolve !== void 0;
  }
  /** Whether it is no longer watched. */
  get closed() {
    return this.#closed;
  }
  /** Resolves once the descriptor is ready, or no longer watched. One at a time may wait. */
  ready(readiness) {
    if (this.#closed) return Promise.resolve();
    const { promise, resolve: resolve2 } = Promise.withResolvers();
    this.#resolve = resolve2;
    this.#owner.arm(readiness);
    if (this.#ref) this.#owner.hold(1);
    else this.#owner.look();
    return promise;
  }
  /** Lets the wait go on; the reactor calls it. */
  signal() {
    const resolve2 = this.#resolve;
    if (resolve2 === void 0) return;
    this.#resolve = void 0;
    if (this.#ref) this.#owner.hold(-1);
    resolve2();
  }
  /** Says whether waiting keeps the event loop alive, as it does at first. */
  keepAlive(ref) {
    if (this.#ref === ref) return;
    this.#ref = ref;
    if (this.pending) this.#owner.hold(ref ? 1 : -1);
  }
  /** Ends the watch; the descriptor itself stays open. */
  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.signal();
    this.#owner.forget();
  }
};

// ffi/engine/transfer.ts
var BUFFER_SIZE = 256 * 1024;

function writeSome(fd, bytes) {
  const { buffer } = transfers();
  const part = bytes.subarray(0, BUFFER_SIZE);
  buffer.bytes.set(part);
  return transfer("write", fd, part.length) ?? 0;
}



// launch/output.ts


// host/settings.ts
function readHostNumber(path2) {
  return ifThere(() => Number(readWholeText(at_fdcwd, path2)));
}

// launch/hints.ts
function hintFor(syscall2, text4, code, container) {
  if (code === void 0) return void 0;
  const failure = {
    text: text4,
    container
  };
  if (syscall2 === "clone3") return hintFor("clone", text4, code, container);
  return HINTS[`${syscall2} ${code}`]?.(failure) ?? HINTS[code]?.(failure) ?? shortageHint(code);
}
var HINTS = {
  ENOSYS: ({ text: text4 }) => {
    const since = SINCE[text4.slice(0, text4.indexOf("("))];
    return since === void 0 ? "this kernel, or a seccomp filter around this process, does not have the call" : `the call needs Linux ${since}, and no seccomp filter that hides it`;
  },
  "clone EAGAIN": () => "there are as many processes as there may be: of this user (ulimit -u), or in the cgroup",
  "clone EPERM": namespacesDenied,
  "clone EACCES": () => "this user may not move processes into the container's control group",
  "unshare EPERM": namespacesDenied,
  "clone ENOSPC": namespacesUsedUp,
  "unshare ENOSPC": namespacesUsedUp,
  "clone EUSERS": namespacesUsedUp,
  "unshare EUSERS": namespacesUsedUp,
  "clone EINVAL": namespaceUnknown,
  "unshare EINVAL": namespaceUnknown,
  "write EPERM": ({ text: text4, container }) => text4.includes("write(setting,") ? SETTING_DENIED : text4.includes('"monotonic ') || text4.includes('"boottime ') ? appArmor() ?? needsPrivilege(container) : appArmor() ?? (text4.includes("/proc/") || container.own.has("user") ? "the kernel refuses the map: an ordinary user may map the own id alone, and others with newuidmap and /etc/subuid; and root's id is mapped by nobody without CAP_SETFCAP" : void 0),
  "openat EACCES": ({ text: text4, container }) => {
    if (isSetting(text4)) return SETTING_DENIED;
    if (text4.includes("/proc/self/") && container.exposed) {
      return "a container that joins others is closed to all but root while it is made, also to itself; do this in a second recipe, run in there";
    }
    if (/\/proc\/\w+\/(uid_map|gid_map|setgroups)/.test(text4)) return appArmor();
    if (text4.includes("cgroup.procs")) return cgroupDenied();
    return isOfProcess(text4) ? otherUsers() : unsearchable(text4);
  },
  // The kernel itself denies nobody these.
  "close_range EPERM": () => FILTERED,
  "openat2 EPERM": () => FILTERED,
  "pidfd_open EPERM": () => FILTERED,
  "pidfd_open ESRCH": () => "there is no such process, or not any more",
  "setns ESRCH": () => "the process has ended",
  "setns EPERM": ({ text: text4 }) => text4.includes("CLONE_NEWUSER") ? "only who has made a user namespace, or is privileged, may join it" : 'this takes CAP_SYS_ADMIN in the user namespace that the namespaces belong to: join that too, join(target, "user", ...)',
  "setns EINVAL": ({ text: text4 }) => text4.includes("CLONE_NEWUSER") ? "the user namespace is the container's already, or the file is no user namespace" : text4.includes("CLONE_NEWPID") ? "a pid namespace can be joined from one above it only; or the file is no pid namespace" : "the file is no namespace of this kind",
  "write EACCES": ({ text: text4 }) => text4.includes("cgroup") ? cgroupDenied() : void 0,
  "openat ENOENT": ({ text: text4 }) => {
    if (text4.includes("timens_offsets")) return "this kernel has no time namespaces (Linux 5.6)";
    if (text4.includes("/proc/self/")) {
      return "there is no /proc here; Ramekin needs it to be mounted";
    }
    return isSetting(text4) ? SETTING_MISSING : missingPlace(text4);
  },
  "openat2 ENOENT": ({ text: text4 }) => isSetting(text4) ? SETTING_MISSING : missingPlace(text4),
  "openat2 ENOTDIR": ({ text: text4 }) => isWorkingDirectory(text4) ? "it is no directory" : void 0,
  "openat2 ELOOP": ({ text: text4 }) => isWorkingDirectory(text4) ? "a link in /proc on the way leads out of the container, or there are too many links" : text4.includes("RESOLVE_NO_SYMLINKS") ? "a symbolic link is on the way by now, which was not there when the grants were looked at" : void 0,
  "openat2 EACCES": ({ text: text4 }) => isSetting(text4) ? SETTING_DENIED : unsearchable(text4),
  "write EINVAL": ({ text: text4 }) => text4.includes("write(setting,") ? "the kernel does not take this value" : void 0,
  "openat2 EXDEV": () => "a symbolic link on the way leads out of the filesystem that the recipe has mounted; make it a relative one within it",
  "mount EPERM": ({ text: text4, container }) => {
    if (text4.includes(`"proc"`)) {
      return container.own.has("pid") ? 'the kernel lets an ordinary user mount /proc only where the /proc outside is not covered in part, as in many containers it is; bind it instead: bind("/proc")' : 'a new /proc needs a pid namespace: put unshare("pid") before it';
    }
    if (text4.includes(`"sysfs"`)) return 'a new /sys needs a network namespace: unshare("net")';
    if (text4.includes(`"mqueue"`)) return 'a new mqueue needs an ipc namespace: unshare("ipc")';
    if (text4.includes("MS_REMOUNT")) {
      return "options that the mount got outside are locked; repeat those that /proc/self/mountinfo shows for it";
    }
    return appArmor() ?? needsPrivilege(container);
  },
  "mount EACCES": () => appArmor(),
  "mount ENOENT": () => "the mount point, or the source, does not exist; mkdir() makes a directory",
  "mount ENOTDIR": () => "the mount point is no directory",
  "mount ENODEV": ({ text: text4 }) => `this kernel does not know the type of filesystem (see /proc/filesystems): ${text4}`,
  "mount EINVAL": ({ text: text4 }) => text4.includes(`"overlay"`) ? "an option or a directory of the overlay does not suit the kernel, which says more in dmesg(1); in a user namespace no lower directory may have a mount of the host below it" : "an option does not suit the filesystem, or there is no mount at this place",
  "mount EBUSY": () => "something is mounted there already, or it is in use",
  "open_tree ENOENT": () => "it does not exist where the step stands; behind pivotRoot() no file of the host's does",
  "open_tree EINVAL": () => "an ordinary user cannot leave away what is mounted below it: bind() does not with { recursive: true }, and a lower directory of overlay() has to have nothing mounted below it",
  "move_mount ENOENT": () => "the mount point does not exist; mkdir() or writeFile() makes one where the recipe may",
  "move_mount ENOTDIR": () => "a directory can be bound on a directory only, and a file on a file only",
  "move_mount EINVAL": () => "a directory can be bound on a directory only, and a file on a file only",
  "move_mount EPERM": ({ container }) => appArmor() ?? needsPrivilege(container),
  "mount_setattr EPERM": ({ container }) => appArmor() ?? needsPrivilege(container),
  "umount2 EINVAL": () => "nothing is mounted there, or it was mounted outside, where an ordinary user cannot take it away",
  "umount2 EBUSY": () => "it is in use; { detach: true } takes it away all the same",
  "pivot_root EINVAL": () => "the root of this machine is its initial ramdisk, which cannot be taken away; or the new root is on a shared mount",
  "symlinkat EEXIST": () => "something is there already",
  "mknodat EEXIST": () => "something is there already",
  "mknodat EPERM": ({ container }) => container.own.has("user") ? "a user namespace has no right to make device files; devices() and bind() need none" : "making device files needs CAP_MKNOD",
  "setresuid EINVAL": unmapped,
  "setresgid EINVAL": unmapped,
  "setgroups EINVAL": unmapped,
  "setresuid EPERM": () => "changing the user needs CAP_SETUID: a recipe of root, or mapRoot()",
  "setresgid EPERM": () => "changing the group needs CAP_SETGID: a recipe of root, or mapRoot()",
  "setgroups EPERM": () => 'setgroups(2) is denied, or needs CAP_SETGID; in a user namespace: mapIds({ setgroups: "allow" })',
  "chdir ENOENT": () => "the directory does not exist in the container",
  "chdir ENOTDIR": () => "it is no directory",
  "chroot ENOENT": () => "the directory does not exist in the container",
  "chroot ENOTDIR": () => "it is no directory",
  "setsid EPERM": () => "the program leads a session already",
  "sethostname EPERM": ({ container }) => needsPrivilege(container),
  "setdomainname EPERM": ({ container }) => needsPrivilege(container),
  "chroot EPERM": ({ container }) => container.own.has("user") ? needsPrivilege(container) : 'this takes CAP_SYS_CHROOT; as an ordinary user, put a user namespace before it: unshare("user"), mapRoot()',
  "pivot_root EPERM": ({ container }) => needsPrivilege(container),
  "open_tree EPERM": ({ container }) => appArmor() ?? needsPrivilege(container),
  "prlimit64 EPERM": () => "to raise a hard limit takes CAP_SYS_RESOURCE on the host itself",
  "prctl EPERM": () => "the process has not the capability that this takes, or not any more",
  "seccomp EINVAL": () => "this kernel has no seccomp filters (CONFIG_SECCOMP_FILTER)",
  "seccomp EPERM": () => "a filter that is in force already does not allow another",
  "seccomp ENOMEM": () => "the filters that are in force are too long together",
  "landlock_restrict_self E2BIG": () => "there are 16 rulesets in force already, and no more can be",
  "capset EPERM": () => "a process can only keep capabilities that it has",
  "execveat EACCES": () => "memory files may not be executed here (sysctl vm.memfd_noexec)",
  "execve ENOEXEC": () => "the file is neither a program nor a script",
  "execve E2BIG": () => "arguments and environment are larger than the kernel takes (execve(2)), or than the memory that is left for them",
  "pwrite64 ENOSPC": filesystemFull,
  "write ERANGE": () => "the clock would be before 0, or beyond what the kernel counts",
  "write ENOSPC": filesystemFull,
  "mkdirat ENOSPC": filesystemFull,
  "mknodat ENOSPC": filesystemFull,
  "openat ENOSPC": filesystemFull,
  "openat2 ENOSPC": filesystemFull,
  "symlinkat ENOSPC": filesystemFull,
  "sendfile ENOSPC": filesystemFull,
  "ioctl ENODEV": noInterface,
  "RTM_NEWLINK ENODEV": noInterface,
  "RTM_NEWLINK EEXIST": () => "an interface has this name already; choose another one",
  "RTM_NEWLINK EOPNOTSUPP": ({ text: text4 }) => {
    const [, kind2] = text4.split(" ");
    const bridge2 = text4.match(/master index of (\S+)/)?.[1];
    if (bridge2 !== void 0) return `${bridge2} is no bridge, or this kernel has no ${kind2}`;
    return `this kernel has no interfaces of this kind, or has not loaded them: modprobe ${kind2}`;
  },
  "RTM_NEWLINK EPERM": changesNetwork,
  "RTM_NEWADDR EPERM": changesNetwork,
  "RTM_NEWROUTE EPERM": changesNetwork,
  "RTM_NEWADDR EEXIST": () => "the interface has this address already",
  "RTM_NEWADDR EACCES": () => "IPv6 is off there (sysctl net.ipv6.conf.*.disable_ipv6)",
  "RTM_NEWROUTE EEXIST": () => "there is a route to it already",
  "RTM_NEWROUTE ENETUNREACH": gatewayOutOfReach,
  "RTM_NEWROUTE EHOSTUNREACH": gatewayOutOfReach,
  "masquerade ENOENT": noTranslation,
  "masquerade EOPNOTSUPP": noTranslation,
  "publish ENOENT": noTranslation,
  "publish EOPNOTSUPP": noTranslation,
  "socket EPROTONOSUPPORT": noTranslation,
  EROFS: () => "the filesystem can only be read there",
  ELOOP: () => "there are too many symbolic links on the way"
};
var SETTING_MISSING = "the kernel has no such setting in this namespace, or there is no /proc here";
var SETTING_DENIED = "this setting is not left to a container, but to root of the host";
function isSetting(text4) {
  return /"(\/proc\/)?sys\/(net|kernel|fs|user)\//.test(text4);
}
var SINCE = {
  open_tree: "5.2",
  move_mount: "5.2",
  mount_setattr: "5.12",
  openat2: "5.6",
  close_range: "5.9",
  pidfd_open: "5.3"
};
function namespacesDenied({ text: text4, container }) {
  if (!text4.includes("CLONE_NEWUSER")) {
    const isFirst = text4.startsWith("clone") && text4.includes("CLONE_NEW");
    return container.own.has("user") && !isFirst ? FILTERED : PRIVILEGE;
  }
  if (readHostNumber("/proc/sys/kernel/unprivileged_userns_clone") === 0) {
    return "ordinary users may not make user namespaces here: sysctl -w kernel.unprivileged_userns_clone=1 allows it";
  }
  return appArmor() ?? "user namespaces are forbidden here: in a chroot, or by a seccomp filter or security module around this process (docker run --security-opt seccomp=unconfined ...)";
}
function otherUsers() {
  return "the process is another user's, or has privileges that this one has not";
}
function cgroupDenied() {
  return "this user may not bring processes into this cgroup: it, or one that both the old and the new lie in, is another user's";
}
function isOfProcess(text4) {
  return /\/proc\/\d+\/|^openat\(process,/.test(text4);
}
function appArmor() {
  return readHostNumber("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") === 1 ? 'AppArmor lets ordinary users do nothing in their user namespaces here: an AppArmor profile for deno with "userns," allows it, or sysctl -w kernel.apparmor_restrict_unprivileged_userns=0' : void 0;
}
function filesystemFull() {
  return 'the filesystem is full; give its tmpfs more { size }, or where there are too many files, { options: "nr_inodes=..." }';
}
function isWorkingDirectory(text4) {
  return text4.includes("RESOLVE_NO_MAGICLINKS");
}
function unsearchable(text4) {
  return text4.includes("O_PATH") ? "a directory on the way may not be searched by this user (chmod +x), so no program of this user's reaches it either; leave the path out" : void 0;
}
function missingPlace(text4) {
  if (isWorkingDirectory(text4)) return "the directory does not exist in the container";
  if (text4.includes("O_CREAT")) {
    return "the directory that it lies in does not exist; mkdir() makes it";
  }
  if (text4.includes("O_DIRECTORY")) return "the directory does not exist; mkdir() makes it";
  return text4.includes("O_PATH") ? "it does not exist; where it is the source of bind(), { optional: true } leaves the step out" : void 0;
}
function namespacesUsedUp({ text: text4 }) {
  for (const kind2 of NAMESPACE_KINDS) {
    if (!text4.includes(flagName(kind2))) continue;
    const setting = limitSetting(kind2);
    const limit = readHostNumber(`/proc/sys/user/${setting}`);
    if (limit !== void 0 && limit < 16) {
      return `there may be ${limit} ${kind2} namespaces here: sysctl -w user.${setting}=10000 allows more`;
    }
  }
  return "namespaces are nested too deep (32 levels), or there are as many as the sysctls user.max_*_namespaces allow";
}
function namespaceUnknown({ text: text4 }) {
  const missing2 = NAMESPACE_KINDS.find((kind2) => text4.includes(flagName(kind2)) && readHostNumber(`/proc/sys/user/${limitSetting(kind2)}`) === void 0);
  return missing2 === void 0 ? void 0 : `this kernel has no ${missing2} namespaces`;
}
function noInterface({ text: text4 }) {
  if (!/SIOCGIFINDEX|RTM_/.test(text4)) return void 0;
  const name = text4.match(/"([^"]*)"/)?.[1];
  return `there is no interface ${name} in that network; veth(), bridge() and the like make one`;
}
function changesNetwork({ container }) {
  return container.own.has("user") ? 'the network belongs to another user namespace; join that too, as in join(target, "user", "net")' : 'this takes CAP_NET_ADMIN; as an ordinary user, put "user" among the namespaces: unshare("user", "net"), mapRoot()';
}
function noTranslation() {
  return "this kernel translates no addresses by nf_tables (modprobe nf_tables nft_chain_nat nft_masq nft_fib_inet), or not in tables that end with their script (Linux 5.12)";
}
function gatewayOutOfReach() {
  return "the gateway lies in no network of the container's; address() puts an interface into one";
}
function unmapped({ container }) {
  return container.own.has("user") ? "the id is not mapped into the user namespace; mapIds() maps more than one" : void 0;
}
function needsPrivilege(container) {
  if (!container.own.has("user")) return PRIVILEGE;
  return "the user namespace has no right to this, or a seccomp filter around this process forbids it";
}
var FILTERED = "a seccomp filter or security module around this process forbids it (docker run --security-opt seccomp=unconfined ...)";
var PRIVILEGE = 'this takes CAP_SYS_ADMIN; as an ordinary user, put "user" among the namespaces: unshare("user", ...), mapRoot()';
function flagName(kind2) {
  return kind2 === "mount" ? "CLONE_NEWNS" : `CLONE_NEW${kind2.toUpperCase()}`;
}

// ffi/calls/clone3.ts
var CLONE_CLEAR_SIGHAND = 4294967296;
var CLONE_INTO_CGROUP = 8589934592;
var FLAGS2 = {
  ...CLONE_FLAGS,
  CLONE_CLEAR_SIGHAND,
  CLONE_INTO_CGROUP
};
var ARGS = {
  flags: 0,
  parentTid: 24,
  exitSignal: 32,
  cgroup: 80,
  size: 88
};




// ffi/process_lock.ts
var ADDRESS = 142996733952;
var SIZE2 = 4096;
var PROTECTION = new Named(3, "PROT_READ|PROT_WRITE");
var MAPPING = new Named(1048610, "MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED_NOREPLACE");
var LOCK = new Named(6 | 128, "FUTEX_LOCK_PI_PRIVATE");
var UNLOCK = new Named(7 | 128, "FUTEX_UNLOCK_PI_PRIVATE");
var WORD = new Named(ADDRESS, "&lock");


var LOCKLESS = [
  "EAGAIN",
  "EDEADLK",
  "EFAULT",
  "EINVAL",
  "ENOSYS",
  "EPERM",
  "ESRCH"
];


// plan/parent_work.ts
var SYNC_SOCKETS = new Output(8, "&sockets");
var SCRIPT_SOCKET = new OutputField(SYNC_SOCKETS, 0, "sockets[0]");
var CONTAINER_SOCKET = new OutputField(SYNC_SOCKETS, 4, "sockets[1]");

// plan/process.ts

var EXIT_CHILD = new Label("give up");

// ffi/calls/futex.ts
var FUTEX_CMP_REQUEUE_PRIVATE = new Named(4 | 128, "FUTEX_CMP_REQUEUE_PRIVATE");


// plan/paths.ts


function openPlace(draft, path2, flags2, mode2, text4, edges = {}) {
  const place2 = path2.startsWith("/") ? draft.gate?.places.resolvedPath(path2) : void 0;
  const call2 = place2 === void 0 ? openat(at_fdcwd, path2, flags2 | O_CLOEXEC, mode2) : openat2(at_fdcwd, place2, {
    flags: flags2 | O_CLOEXEC,
    mode: mode2,
    resolve: RESOLVE_NO_SYMLINKS
  });
  return new ResultOf(draft.call(call2, edges), text4);
}
function atEntry(draft, path2, use) {
  const base = baseOf(draft, path2);
  if (base === void 0 && isUnwatched(draft, path2)) return use(at_fdcwd, path2);
  const normal = normalize(path2);
  const directory = base === void 0 ? openPlace(draft, directoryOf(normal), O_PATH | O_DIRECTORY, 0, "directory") : directoryOf(normal) === base.directory ? openBase(draft, base) : openBeneath(draft, base, directoryOf(normal), O_PATH | O_DIRECTORY, 0);
  use(directory, nameOf2(normal));
  draft.call(close(directory));
}
function openAt(draft, path2, flags2, mode2 = 0, edges = {}) {
  const base = path2.startsWith("/") ? baseOf(draft, path2) : void 0;
  return base === void 0 ? openPlace(draft, path2, flags2, mode2, "fd", edges) : openBeneath(draft, base, normalize(path2), flags2, mode2, edges);
}
function openBeneath(draft, base, path2, flags2, mode2, edges = {}) {
  const directory = openBase(draft, base);
  const relative = path2.slice(base.directory.length + 1);
  const how = {
    flags: flags2 | O_CLOEXEC,
    mode: mode2,
    resolve: base.resolve
  };
  const opened = draft.call(openat2(directory, relative, how), edges);
  draft.call(close(directory));
  return new ResultOf(opened, "fd");
}
function openBase(draft, { directory, resolve: resolve2 }) {
  const text4 = resolve2 === RESOLVE_IN_ROOT ? "root" : "base";
  return openPlace(draft, directory, O_PATH | O_DIRECTORY, 0, text4);
}
function makeDirectories(draft, path2) {
  const parts = normalize(path2).slice(1).split("/");
  const root = draft.sequence.rootOf(path2);
  parts.forEach((_, index) => {
    const directory = "/" + parts.slice(0, index + 1).join("/");
    if (draft.container.ground.isThere(directory) || root !== void 0 && isWithin(root, directory)) {
      return;
    }
    atEntry(draft, directory, (within, name) => {
      draft.call(mkdirat(within, name, 493), {
        accept: [
          "EEXIST"
        ]
      });
    });
  });
}

function makeMountPoint(draft, path2, kind2) {
  if (kind2 === "directory") return makeDirectories(draft, path2);
  makeDirectories(draft, directoryOf(normalize(path2)));
  atEntry(draft, path2, (directory, name) => {
    draft.call(mknodat(directory, name, S_IFREG | 420, 0), {
      accept: [
        "EEXIST"
      ]
    });
  });
}
var OPTION_BYTES = 4095;

function inPlace(draft, directory, use) {
  const opened = draft.call(openat(at_fdcwd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0));
  const here = new ResultOf(opened, "here");
  draft.call(fchdir(directory));
  use();
  draft.call(fchdir(here));
  draft.call(close(here));
  draft.call(close(directory));
}



function enterDirectory(add, path2) {
  const directory = new ResultOf(add(openDirectory(path2)), "directory");
  add(fchdir(directory));
  add(close(directory));
}
function copyTree(draft, path2, text4, more = 0) {
  const flags2 = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | more;
  if (draft.gate === void 0) {
    return new ResultOf(draft.call(open_tree(at_fdcwd, path2, flags2)), text4);
  }
  const place2 = openAt(draft, path2, O_PATH);
  const tree = draft.call(open_tree(place2, "", flags2 | AT_EMPTY_PATH));
  draft.call(close(place2));
  return new ResultOf(tree, text4);
}
function copyDevice(draft, path2, text4) {
  const tree = copyTree(draft, path2, text4);
  const readOnly = mount_setattr(tree, "", AT_EMPTY_PATH, {
    attr_set: MOUNT_ATTR_RDONLY
  });
  draft.call(readOnly, {
    accept: [
      "ENOSYS"
    ]
  });
  return tree;
}
function attachAt(draft, tree, target) {
  refuseRoot(draft, target);
  const flags2 = MOVE_MOUNT_F_EMPTY_PATH;
  if (isUnwatched(draft, target)) {
    draft.call(move_mount(tree, "", at_fdcwd, target, flags2));
  } else {
    const place2 = openAt(draft, target, O_PATH);
    draft.call(move_mount(tree, "", place2, "", flags2 | MOVE_MOUNT_T_EMPTY_PATH));
    draft.call(close(place2));
  }
}

// launch/program_writer.ts
var CHILD_EDGES = {
  onFailure: EXIT_CHILD
};
var ProgramWriter = class {
  parts = [];
  chapters = /* @__PURE__ */ new Map();
  chapter = "script";
  /** Adds a call of the chapter. */
  add(call2, edges = {}) {
    this.parts.push({
      call: call2,
      ...edges
    });
    this.chapters.set(call2, this.chapter);
    return call2;
  }
  /** Adds what a step has written. */
  part(part) {
    this.parts.push("call" in part ? {
      ...CHILD_EDGES,
      ...part
    } : part);
  }
  /** What is added next can be reached from elsewhere. */
  place(label) {
    this.parts.push(label);
  }
  /** The walk does not go on behind the call that was added last. */
  end() {
    const last = this.parts.pop();
    this.parts.push({
      ...last,
      onZero: END,
      onAccepted: END,
      onFailure: END,
      onSuccess: END
    });
  }
};

// launch/exec.ts
var openNull = openDevNull();



function sendListener(add, listener, { resources: resources2 }) {
  add(dup3(listener, resources2.script, O_CLOEXEC));
  add(sendDescriptor(CONTAINER_SOCKET, resources2.script));
}


function useOwnNull(writer, stdio) {
  const places = stdio.flatMap((kind2, fd) => kind2 === "null" ? [
    fd
  ] : []);
  if (places.length === 0) return;
  const missing2 = new Label("there is no /dev/null");
  const opened = writer.add(openDevNull(), {
    ...CHILD_EDGES,
    accept: [
      "ENOENT",
      "ENOTDIR",
      "EACCES"
    ],
    onAccepted: missing2
  });
  for (const fd of places) writer.add(dup3(new ResultOf(opened, "null"), fd, 0), CHILD_EDGES);
  writer.place(missing2);
}
function connectTerminal(add, terminal) {
  const slave = terminal.place === "script" ? terminal.fd : openTerminal(add, terminal);
  add(ioctl(slave, TIOCSCTTY, 0));
  for (const fd of [
    0,
    1,
    2
  ]) add(dup3(slave, fd, 0));
}
function openTerminal(add, { reserved, size: size2 }) {
  const opened = add(openat(at_fdcwd, "/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC, 0));
  const master = new ResultOf(opened, "master");
  add(ioctl(master, TIOCSPTLCK, new Struct(new Uint8Array(4), "&0")));
  add(ioctl(master, TIOCSWINSZ, size2));
  const slave = add(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  add(dup3(master, reserved, O_CLOEXEC));
  add(sendDescriptor(CONTAINER_SOCKET, reserved));
  return new ResultOf(slave, "slave");
}

var NOT_HERE = [
  "ENOENT",
  "ENOTDIR",
  "EACCES"
];


// launch/link.ts





var CHANGES_IDS = /* @__PURE__ */ new Set([
  "setresuid",
  "setresgid"
]);


var MYSELF = new Uint8Array([
  48
]);
function stepOf(call2, draft, { clone: clone2, chapters }) {
  if (call2 === clone2) return draft.cloneStep;
  return chapters.get(call2) === "limits" ? draft.limits?.stepIndex : draft.stepOf.get(call2);
}

function becomeInit(writer, draft, order2, cloned) {
  writer.chapter = "init";
  writer.add(close_range(0, 4294967295, CLOSE_RANGE_CLOEXEC), CHILD_EDGES);
  const event = writer.add(eventfd2(new ResultOf(cloned, "pid"), EFD_CLOEXEC), CHILD_EDGES);
  writer.add(dup3(new ResultOf(event, "event"), 0, 0), CHILD_EDGES);
  tieToScript(writer, draft, order2);
  const argv = pointerList([
    "init"
  ], '["init"]');
  const none = pointerList([], "[]");
  writer.add(execveat(order2.resources.init, "", argv, none, AT_EMPTY_PATH), CHILD_EDGES);
}

// launch/explain.ts
function launchError(launch2) {
  const { draft, outcome, layout } = launch2;
  const failure = failureOf(outcome);
  if (failure === void 0) {
    return new SyscallError({
      syscall: "clone",
      errno: ERRNO.EINTR,
      hint: "the container was killed while it was being made; is its memory short?"
    });
  }
  const { call: call2, errno, name, text: text4, words: words3 } = failure;
  if (layout.attempts.some((attempt) => attempt.execve === call2)) {
    return programError(launch2, errno);
  }
  return new SyscallError({
    syscall: name,
    errno,
    call: text4,
    ...stepDetails(draft, stepOf(call2, draft, layout)),
    hint: hintOf(words3, hintOfFailure(name, text4, errno, draft))
  });
}
function hintOfFailure(name, text4, errno, draft) {
  const code = errnoName(errno);
  const hint = hintFor(name, text4, code, draft.container);
  if (draft.limits?.limits.memory === void 0 || !SHORT_OF_MEMORY.has(code)) return hint;
  const little = "limits() may allow too little memory for the launch itself: 1 MiB is enough";
  return hint === void 0 ? little : `${little}; or ${hint}`;
}
var SHORT_OF_MEMORY = /* @__PURE__ */ new Set([
  "E2BIG",
  "ENFILE",
  "ENOMEM",
  "ENOSPC"
]);
function stepError(error, draft, stepIndex) {
  if (!(error instanceof SyscallError)) return error;
  const { syscall: syscall2, errno, call: call2 } = error;
  const hint = hintOf(error.hint, hintFor(syscall2, call2 ?? syscall2, errnoName(errno), draft.container));
  return new SyscallError({
    syscall: syscall2,
    errno,
    call: call2,
    ...stepDetails(draft, stepIndex),
    hint
  });
}
function stepDetails(draft, stepIndex) {
  return stepIndex === void 0 ? {} : {
    step: draft.sequence.nameOf(stepIndex),
    stepIndex
  };
}
function programError(launch2, lastErrno) {
  const { order: order2, outcome, layout } = launch2;
  const errnoOf = (attempt) => -Number(outcome.result(attempt.execve));
  const attempts = layout.attempts.filter((attempt) => errnoOf(attempt) > 0);
  const found = attempts.find((attempt) => headOf(launch2, attempt) !== void 0);
  const denied = attempts.find((attempt) => errnoOf(attempt) === ERRNO.EACCES && (attempts.length === 1 || outcome.result(attempt.exists) === 0n));
  const told = found ?? denied ?? attempts.at(-1);
  const general = lastErrno === ERRNO.E2BIG || lastErrno === ERRNO.ENOMEM;
  const errno = general || told === attempts.at(-1) ? lastErrno : errnoOf(told);
  const error = (hint) => new SyscallError({
    syscall: "execve",
    errno,
    call: describeExecve(told.path),
    hint
  });
  if (general) {
    return error(hintOfFailure("execve", "execve", errno, launch2.draft));
  }
  if (denied !== void 0 && isLandlocked(launch2)) {
    return error(`${told.path} may not be executed; landlock() has to allow it: the program, its loader and its libraries`);
  }
  if (found !== void 0) return error(whyNotStarted(told.path, headOf(launch2, found), errno));
  if (denied !== void 0 && outcome.result(denied.readHead) === BigInt(-ERRNO.EISDIR)) {
    return error(`${told.path} is a directory`);
  }
  if (denied !== void 0) {
    return error(`${told.path} may not be executed: it, or a directory on the way to it, denies it`);
  }
  if (!NOT_THERE.has(errno)) {
    return error(hintOfFailure("execve", "execve", errno, launch2.draft) ?? "");
  }
  const where = order2.program.includes("/") ? "" : ` in the directories of PATH (${order2.searchPath})`;
  return new Deno.errors.NotFound(`program not found in the container: "${order2.program}"${where}: ${errnoText("ENOENT")}
  is it on the container's file tree, as the steps have made it?`, {
    cause: error("the program is not there")
  });
}
var NOT_THERE = /* @__PURE__ */ new Set([
  ERRNO.ENOENT,
  ERRNO.ENOTDIR,
  ERRNO.EACCES
]);
function isLandlocked({ draft }) {
  return draft.beforeProgram.some(({ name }) => name === "landlock_restrict_self");
}
function headOf({ outcome }, attempt) {
  const count2 = Number(outcome.result(attempt.readHead));
  if (count2 <= 0) return void 0;
  const { buffer, byteOffset } = outcome.output(attempt.head);
  return new Uint8Array(buffer, byteOffset, count2);
}
function whyNotStarted(path2, head, errno) {
  const code = errnoName(errno);
  if (code === "EACCES") {
    return `${path2} is there, but may not be executed; chmod +x it, or see whether it lies on a mount with noexec`;
  }
  const text4 = new TextDecoder().decode(head);
  if (text4.startsWith("#!")) {
    const interpreter = text4.slice(2).trimStart().split(/[\s\0]/)[0];
    return `${path2} is a script, and its interpreter "${interpreter}" is not in the container`;
  }
  if (text4.startsWith("\x7FELF")) {
    return code === "ENOENT" ? `${path2} is there, but its dynamic loader is not: bind the libraries too (see ldd ${path2})` : `${path2} is made for another kind of machine`;
  }
  return `${path2} is neither a program nor a script that begins with "#!"`;
}
function describeExecve(path2) {
  return `execve(${JSON.stringify(path2)}, ...)`;
}

// launch/sync.ts
function serveSyncPoints(draft, socket, runProgram, endings) {
  for (const meeting of draft.meetings) {
    const pid = waitForArrival(socket);
    if (pid === void 0) return;
    for (const act of meeting.acts(String(pid))) {
      if ("calls" in act) makeCalls(act.calls, draft, meeting);
      else if ("begin" in act) endings.push(begin(act, pid, draft, meeting));
      else runProgram(act.program, act.args);
    }
    syscalls([
      {
        call: write(socket, new Uint8Array(1), 1),
        accept: [
          "EPIPE"
        ]
      }
    ]);
  }
  syscall(passCredentials(socket, false));
}
function waitForEnd(socket) {
  while (waitForByte(socket)) ;
}

function begin(upkeep, pid, draft, meeting) {
  try {
    return upkeep.begin(pid);
  } catch (error) {
    throw stepError(error, draft, meeting.stepIndex);
  }
}
function makeCalls(calls, draft, meeting) {
  const last = new Label("last");
  const parts = calls.slice(0, -1).map((call2) => ({
    call: call2,
    onFailure: last
  }));
  try {
    syscalls([
      ...parts,
      last,
      {
        call: calls.at(-1)
      }
    ]);
  } catch (error) {
    throw stepError(error, draft, meeting.stepIndex);
  }
}
function waitForArrival(socket) {
  const sender = senderOutput();
  const call2 = receiveByte(socket, sender);
  const outcome = syscalls([
    {
      call: call2,
      accept: [
        "ECONNRESET"
      ]
    }
  ]);
  return outcome.result(call2) > 0n ? senderOf(outcome.output(sender)) : void 0;
}
function waitForByte(socket) {
  const byte = read(socket, new Output(1), 1);
  return Number(syscalls([
    {
      call: byte,
      accept: [
        "ECONNRESET"
      ]
    }
  ]).result(byte)) > 0;
}

// launch/status.ts


function signalName2(number) {
  const entry = Object.entries(SIGNALS).find(([, known]) => known === number);
  return entry === void 0 ? null : entry[0];
}

// ffi/fd_stream.ts
var READS_A_TURN = 64;
var PIPE_SIZE = 64 * 1024;
var LARGE_PIPE_SIZE = 1024 * 1024;
var FdStream = class {
  fd;
  blocking;
  #watch;
  #readsThisTurn;
  #abandoned;
  #grown;
  /** Takes the descriptor over; where it may block, it is only read when there is something. */
  constructor(fd, blocking = false) {
    this.fd = fd;
    this.blocking = blocking;
    this.#readsThisTurn = 0;
    this.#abandoned = false;
    this.#grown = false;
    this.#watch = reactor().watch(fd);
    if (blocking) this.#readsThisTurn = READS_A_TURN;
  }
  /** The next bytes; empty at the end. */
  async read() {
    for (; ; ) {
      if (this.#watch.closed) return new Uint8Array();
      const bytes = this.#readsThisTurn < READS_A_TURN ? readSome2(this.fd) : void 0;
      this.#readsThisTurn++;
      if (bytes !== void 0) {
        if (bytes.length === PIPE_SIZE) this.#grow();
        return bytes;
      }
      if (this.#abandoned) return new Uint8Array();
      await this.#watch.ready("readable");
      this.#readsThisTurn = this.blocking ? READS_A_TURN - 1 : 0;
    }
  }
  /** Everything up to the end. */
  async readAll() {
    const parts = [];
    for (; ; ) {
      const bytes = await this.read();
      if (bytes.length === 0) return parts.length === 1 ? parts[0] : concat(parts);
      parts.push(bytes);
    }
  }
  /** Writes all the bytes, as fast as they are taken. */
  async write(bytes) {
    for (let done = 0; done < bytes.length; ) {
      if (this.#watch.closed) throw new Deno.errors.BrokenPipe("the stream is closed");
      const count2 = writeSome(this.fd, bytes.subarray(done));
      done += count2;
      if (count2 === 0) await this.#watch.ready("writable");
    }
  }
  /** Takes what is there for the end, as whoever is left on the other side will not be waited for. */
  abandon() {
    this.#abandoned = true;
    if (!this.blocking) this.#readsThisTurn = 0;
    this.#watch.signal();
  }
  /** A pipe that was full is made as large as an ordinary user may have it (pipe(7)). */
  #grow() {
    if (this.#grown) return;
    this.#grown = true;
    const call2 = fcntl(this.fd, F_SETPIPE_SZ, LARGE_PIPE_SIZE);
    syscalls([
      {
        call: call2,
        accept: [
          "EPERM",
          "EBUSY",
          "EBADF",
          "ENOMEM"
        ]
      }
    ]);
  }
  /** Says whether waiting for it keeps the event loop alive. */
  keepAlive(ref) {
    this.#watch.keepAlive(ref);
  }
  /** Whether it is closed. */
  get closed() {
    return this.#watch.closed;
  }
  /** Closes the descriptor. */
  close() {
    if (this.#watch.closed) return;
    this.#watch.close();
    syscall(close(this.fd));
  }
};


// launch/collect.ts
function collectSync(launched, descriptors, timeout) {
  const { pidfd, cgroup } = launched;
  const end = timeout === void 0 ? Infinity : performance.now() + timeout;
  const collected = /* @__PURE__ */ new Map();
  for (const fd of descriptors) if (fd !== void 0) collected.set(fd, []);
  const open3 = new Set(collected.keys());
  let timedOut = false;
  let status;
  while (status === void 0 || open3.size > 0 && !timedOut) {
    const waitsForEnd = open3.size === 0 && (timedOut || end === Infinity);
    if (!waitsForEnd) {
      waitForAny(status === void 0 ? [
        ...open3,
        pidfd
      ] : [
        ...open3
      ], timedOut ? Infinity : end);
    }
    if (!timedOut && performance.now() >= end) {
      timedOut = true;
      if (status === void 0) syscall(pidfd_send_signal(pidfd, SIGNALS.SIGKILL));
    }
    for (const fd of open3) {
      const bytes = readSome2(fd);
      if (bytes?.length === 0) open3.delete(fd);
      else if (bytes !== void 0) collected.get(fd).push(bytes);
    }
    if (status !== void 0) continue;
    status = reapStatus(pidfd, waitsForEnd);
    if (status !== void 0 && cgroup !== void 0) status = {
      ...status,
      ...cgroup.endSync()
    };
  }
  const [, stdout, stderr] = descriptors.map((fd) => fd === void 0 ? void 0 : concat(collected.get(fd)));
  return conclude(launched, descriptors, {
    ...status,
    timedOut
  }, stdout, stderr);
}

function endSync(launched) {
  syscall(pidfd_send_signal(launched.pidfd, SIGNALS.SIGKILL));
  collectSync(launched, [], void 0);
}
function waitForAny(fds, end) {
  const left = end === Infinity ? void 0 : Math.max(0, end - performance.now());
  const call2 = ppoll(fds.map((fd) => ({
    fd,
    events: POLLIN
  })), left);
  syscalls([
    {
      call: call2,
      accept: [
        "EINTR"
      ]
    }
  ]);
}

// proxy/host.ts
function parseHost(text4) {
  const match = /^(\[[0-9A-Fa-f:.]+\]|[^\s:/?#@[\]\\%]+)(?::(\d{1,5}))?$/.exec(text4);
  if (match === null) return void 0;
  const name = canonicalName(match[1]);
  const port = match[2] === void 0 ? void 0 : Number(match[2]);
  if (name === void 0 || port !== void 0 && (port < 1 || port > 65535)) return void 0;
  return {
    name,
    port
  };
}
function canonicalName(name) {
  const url = URL.parse(`http://${name}/`);
  if (url === null || url.username !== "" || url.password !== "" || url.port !== "") {
    return void 0;
  }
  const canonical = url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  return canonical === "" ? void 0 : canonical;
}

// permissions/permissions.ts
var grantFields = () => ({
  read: grantOf(path()),
  write: grantOf(path()),
  net: optional(either(oneOf([
    "inherit",
    "loopback"
  ]), either(boolean(), list(hostField())))),
  env: grantOf(variableName()),
  run: grantOf(text3({
    min: 1
  })),
  sys: optional(either(oneOf([
    "inherit"
  ]), boolean()))
});
var permissionsField = {
  expected: `"inherit", "none" or grants`,
  optional: true,
  issue: (value) => typeof value === "string" ? oneOf([
    "inherit",
    "none"
  ]).issue(value) : object(grantFields()).issue(value)
};
function grantOf(item) {
  return optional(either(oneOf([
    "inherit"
  ]), either(boolean(), list(item))));
}
function hostField() {
  const base = text3({
    min: 1
  });
  const expected = `a host with or without a port, such as "example.org:443"`;
  return {
    ...base,
    expected,
    issue: (value) => base.issue(value) ?? (parseHost(value) === void 0 ? `"${value}" is not ${expected}` : void 0)
  };
}

// recipe/errors.ts
var RecipeError = class extends Error {
  /** `"RecipeError"`. */
  name = "RecipeError";
  /** The name of the step, where one is at fault. */
  step;
  /** The position of that step, counted from 0. */
  stepIndex;
  /** The field of the step, where one is at fault. */
  field;
  /** Where it stands, when the recipe is a text. */
  position;
  /** What is wrong, without the place. */
  issue;
  /** An error at the place that the details name. */
  constructor(message2, details = {}) {
    super(positionText(details.position) + placeOf(details) + message2);
    this.issue = message2;
    this.position = details.position;
    this.step = details.step;
    this.stepIndex = details.stepIndex;
    this.field = details.field;
  }
};
function placeOf({ step, stepIndex, field: field2 }) {
  if (step === void 0) return stepIndex === void 0 ? "" : `step ${stepIndex + 1}: `;
  const number = stepIndex === void 0 ? step : `step ${stepIndex + 1} (${step})`;
  return field2 === void 0 ? `${number}: ` : `${number}, "${field2}": `;
}

// container/command_options.ts
var kind = oneOf([
  "piped",
  "inherit",
  "null"
]);
var FIELDS = {
  args: optional(list(text3())),
  cwd: optional(text3({
    min: 1
  })),
  clearEnv: optional(boolean()),
  env: optional(dictionary(variableName(), text3())),
  uid: optional(id()),
  gid: optional(id()),
  signal: {
    expected: "an AbortSignal",
    optional: true,
    issue: () => void 0
  },
  stdin: optional(kind),
  stdout: optional(kind),
  stderr: optional(kind),
  timeout: optional(integer(0)),
  terminal: optional(boolean()),
  permissions: permissionsField
};



// container/pinned_namespace.ts
var PinnedNamespace = class {
  /** The kind of namespace. */
  kind;
  /** The file that it is mounted on. */
  path;
  #released = false;
  /** Use {@linkcode Container.keep}. */
  constructor(kind2, path2) {
    this.kind = kind2;
    this.path = path2;
  }
  /**
   * Unmounts and removes the file. The namespace stays as long as somebody else is in it.
   *
   * @throws {SyscallError} `EINVAL` where it was unmounted by hand, `ENOENT` where the file is gone
   */
  release() {
    if (this.#released) return;
    syscall(umount2(this.path, MNT_DETACH));
    this.#released = true;
    syscall(unlinkat(at_fdcwd, this.path, 0));
  }
  /** Releases it at the end of a `using` scope. */
  [Symbol.dispose]() {
    this.release();
  }
};
function pinNamespace(pid, kind2, path2) {
  const made = openat(at_fdcwd, path2, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 292);
  syscalls([
    {
      call: made
    },
    {
      call: close(new ResultOf(made, "fd"))
    }
  ], "the namespace is mounted on a new file, in a directory that is there");
  const bind3 = mount(`${processDirectory(pid)}/ns/${NAMESPACE_FILE[kind2]}`, path2, null, MS_BIND, null);
  try {
    syscall(bind3);
  } catch (error) {
    syscall(unlinkat(at_fdcwd, path2, 0));
    throw error instanceof SyscallError ? keepError(error, kind2) : error;
  }
  return new PinnedNamespace(kind2, path2);
}
function keepError({ syscall: syscall2, errno, code, call: call2 }, kind2) {
  return new SyscallError({
    syscall: syscall2,
    errno,
    call: call2,
    hint: hintFor2(code, kind2)
  });
}
function hintFor2(code, kind2) {
  if (code === "EPERM") {
    return "a namespace is kept by a mount in this script's own file tree, which takes CAP_SYS_ADMIN; an ordinary user keeps one by a container that goes on running in it";
  }
  if (code === "EINVAL" && kind2 === "mount") {
    return "a mount namespace cannot be mounted where that would be seen in itself: the mount that the file lies on has to be private (mount --make-private), and the namespace younger than this script's";
  }
  return void 0;
}

// container/streams.ts
function outputStream(channel) {
  const stream = new ReadableStream({
    type: "bytes",
    async pull(controller) {
      const bytes2 = await channel.read();
      if (bytes2.length > 0) return controller.enqueue(bytes2);
      channel.close();
      controller.close();
      controller.byobRequest?.respond(0);
    },
    cancel: () => channel.close()
  });
  const bytes = async () => concat(await Array.fromAsync(stream));
  const text4 = async () => new TextDecoder().decode(await bytes());
  return Object.assign(stream, {
    bytes,
    text: text4,
    arrayBuffer: async () => (await bytes()).buffer,
    json: async () => JSON.parse(await text4())
  });
}
function inputStream(channel) {
  return new WritableStream({
    write: (bytes) => channel.write(bytes),
    close: () => channel.close(),
    abort: () => channel.close()
  });
}

// container/container.ts
var Container = class {
  /** The pid of the container's first process, as this script sees it. */
  pid;
  /** Resolves when the program has ended. */
  status;
  #pidfd;
  #enter;
  #exit;
  #cgroup;
  #endings;
  #channels;
  #stdin;
  #outputs = [];
  #ended = false;
  #timedOut = false;
  #killed = false;
  #identity;
  /** Use `spawn()`. */
  constructor(launched, descriptors, limits2, enter2) {
    this.pid = launched.pid;
    this.#enter = enter2;
    this.#pidfd = launched.pidfd;
    this.#cgroup = launched.cgroup;
    this.#endings = launched.endings;
    this.#exit = reactor().watch(launched.pidfd);
    this.#channels = descriptors.map((fd) => fd === void 0 ? void 0 : new FdStream(fd));
    this.status = this.#wait(limits2);
  }
  /**
   * The same as `pid`; `pidsIn` tells what it is in the container.
   *
   * @example
   * ```ts
   * import { mapRoot, pidsIn, recipe, unshare } from "@ramekin/ramekin";
   * import { assertEquals } from "@std/assert";
   *
   * const box = recipe(unshare("user", "pid"), mapRoot());
   * await using container = box.command("sleep", { args: ["60"] }).spawn();
   * assertEquals(pidsIn(container.hostPid).at(-1), 1);
   * ```
   */
  get hostPid() {
    return this.pid;
  }
  /**
   * What tells the container's first process from all others, as data: what `join` makes of a
   * container.
   *
   * @example One container joins another, which is told as data
   * ```ts
   * import { join, mapRoot, recipe, unshare } from "@ramekin/ramekin";
   * import { assertEquals } from "@std/assert";
   *
   * const first = recipe(unshare("user", "net"), mapRoot());
   * await using container = first.command("sleep", { args: ["60"] }).spawn();
   * assertEquals(join(container, "user", "net").target, container.identity);
   * ```
   *
   * @throws {TypeError} when the container has ended
   */
  get identity() {
    this.#needsToRun();
    return this.#identity ??= processIdentity(this.pid);
  }
  /**
   * The ids of the namespaces that the container's first process is in, by their kinds; it shares
   * those with the script that are the same as `linux.namespaces()` has.
   *
   * @throws {TypeError} when the container has ended
   */
  get namespaces() {
    this.#needsToRun();
    const ids2 = namespaces(this.pid);
    return Object.fromEntries(NAMESPACE_KINDS.map((kind2) => [
      kind2,
      ids2[NAMESPACE_FILE[kind2]]
    ]).filter(([, id2]) => id2 !== void 0));
  }
  /**
   * A program in this container, with the options and methods of `recipe.command`: in all its
   * namespaces, its root, working directory and cgroups, as root of its user namespace; with the
   * environment and within the limits that the recipe sets: `capabilities`, `clearEnv`, `landlock`,
   * `noNewPrivileges`, `rlimit`, `seccomp`, `setEnv`. For less than that, or more, see `join`.
   * Nothing runs yet.
   *
   * @example
   * ```ts
   * import { hostname, mapRoot, recipe, unshare } from "@ramekin/ramekin";
   *
   * const box = recipe(unshare("user", "uts"), mapRoot(), hostname("a-cooler-hostname"));
   * await using container = box.command("sleep", { args: ["60"] }).spawn();
   * const { stdout } = await container.enter("hostname").output();
   * console.log(new TextDecoder().decode(stdout)); // a-cooler-hostname
   * ```
   *
   * @throws {TypeError} when the container has ended
   * @throws {SyscallError} `EACCES` where its first process has become another user
   */
  enter(program, options = {}) {
    return this.#enter(this.identity, program, options);
  }
  /**
   * Keeps a namespace of the container's first process beyond its end, by a mount on a new file,
   * for `join(path)` here or in another script. For root only: it is a mount outside of any
   * container. A pid namespace can be kept, but has no more processes once its PID 1 has ended.
   *
   * @example For root: a network that outlives its container
   * ```ts
   * import { join, recipe, unshare } from "@ramekin/ramekin";
   *
   * async function showLinksAfterwards(): Promise<void> {
   *   const first = recipe(unshare("net")).command("sleep", { args: ["60"] }).spawn();
   *   using network = first.keep("net", "/run/kitchen-network");
   *   await first[Symbol.asyncDispose]();
   *   await recipe(join(network.path)).command("ip", { args: ["link"] }).spawn().status;
   * }
   * ```
   *
   * @throws {TypeError} when the container has ended
   * @throws {SyscallError} `EPERM` for an ordinary user, `EEXIST` where the file is there already,
   * `EINVAL` for a mount namespace where mounts are not private
   */
  keep(kind2, path2) {
    this.#needsToRun();
    return pinNamespace(this.pid, kind2, path2);
  }
  /**
   * What the program reads.
   *
   * @throws {TypeError} where that is not piped
   */
  get stdin() {
    return this.#stdin ??= inputStream(this.#channel(0));
  }
  /**
   * What the program writes to its standard output.
   *
   * @throws {TypeError} where it is not piped
   */
  get stdout() {
    return this.#outputs[1] ??= outputStream(this.#channel(1));
  }
  /**
   * What the program writes to its standard error.
   *
   * @throws {TypeError} where it is not piped
   *
   * @example
   * ```ts
   * import { recipe } from "@ramekin/ramekin";
   *
   * const command = recipe().command("ls", { args: ["/nonesuch"], stderr: "piped" });
   * await using container = command.spawn();
   * console.log(await container.stderr.text()); // ls: cannot access '/nonesuch': ...
   * ```
   */
  get stderr() {
    return this.#outputs[2] ??= outputStream(this.#channel(2));
  }
  /**
   * Waits for the end of the program, and answers how it has ended and what it has written.
   *
   * @example
   * ```ts
   * import { recipe } from "@ramekin/ramekin";
   * import { assertEquals } from "@std/assert";
   *
   * const container = recipe().command("echo", { args: ["soup"], stdout: "piped" }).spawn();
   * const { success, stdout } = await container.output();
   * assertEquals([success, new TextDecoder().decode(stdout)], [true, "soup\n"]);
   * ```
   *
   * @throws {TypeError} where one of its streams is being read already
   */
  async output() {
    if (this.#channels[0] !== void 0 && this.#stdin === void 0) this.#channels[0].close();
    const [status, stdout, stderr] = await Promise.all([
      this.status,
      this.#collect(1),
      this.#collect(2)
    ]);
    return commandOutput(status, stdout, stderr);
  }
  /**
   * Sends a signal to the container's first process. Where that is the program itself, as PID 1 it
   * ignores the signals that it does not handle, SIGKILL apart; with the step `init` it gets them.
   *
   * @example
   * ```ts
   * import { init, mapRoot, recipe, unshare } from "@ramekin/ramekin";
   * import { assertEquals } from "@std/assert";
   *
   * const box = recipe(unshare("user", "pid"), mapRoot(), init());
   * await using container = box.command("sleep", { args: ["60"] }).spawn();
   * container.kill("SIGTERM");
   * assertEquals((await container.status).code, 128 + 15);
   * ```
   *
   * @throws {TypeError} when the container has ended, or for a signal that Linux does not have
   */
  kill(signal = "SIGTERM") {
    this.#needsToRun();
    const number = SIGNALS[signal];
    if (number === void 0) throw new TypeError(`Linux has no signal ${signal}`);
    syscall(pidfd_send_signal(this.#pidfd, number));
    if (number === SIGNALS.SIGKILL) this.#cgroup?.killed();
  }
  /**
   * What the container uses of the machine; once it has ended, what it has used.
   *
   * @throws {TypeError} where the recipe has no step `limits`
   */
  usage() {
    return this.#group.usage();
  }
  /**
   * Changes limits; those that are left out stay as they are.
   *
   * @example More processes, while it runs; then the container stands still for a moment
   * ```ts
   * import { limits, recipe, UnsupportedError } from "@ramekin/ramekin";
   *
   * const box = recipe(limits({ pids: 100 }));
   * try {
   *   await using container = box.command("sleep", { args: ["60"] }).spawn();
   *   container.update({ pids: 200 });
   *   await container.pause();
   *   container.resume();
   * } catch (error) {
   *   if (!(error instanceof UnsupportedError)) throw error;
   *   console.log(error.message); // no group that this user may change
   * }
   * ```
   *
   * @throws {TypeError} when the container has ended, or the recipe has no step `limits`
   * @throws {RecipeError} where a limit is wrong
   * @throws {UnsupportedError} where it cannot be set here
   * @throws {SyscallError} naming the file that says no: `EBUSY` where more is in use than is to be
   */
  update(limits2) {
    this.#runningGroup.update(limits2);
  }
  /**
   * Freezes all processes of the container, which do not notice; resolves when they stand still.
   *
   * @throws {TypeError} when the container has ended, or the recipe has no step `limits`
   */
  async pause() {
    await this.#runningGroup.pause();
  }
  /**
   * Lets the processes go on that `pause()` has frozen.
   *
   * @throws {TypeError} when the container has ended, or the recipe has no step `limits`
   */
  resume() {
    this.#runningGroup.resume();
  }
  /** Lets the container keep the event loop alive, as it does at first. */
  ref() {
    this.#keepAlive(true);
  }
  /** Keeps the container from keeping the event loop alive. */
  unref() {
    this.#keepAlive(false);
  }
  /** Kills the container (SIGKILL), closes its streams, and waits until nothing of it is left. */
  async [Symbol.asyncDispose]() {
    if (!this.#ended) this.kill("SIGKILL");
    await this.status;
    for (const channel of this.#channels) channel?.close();
  }
  async #wait({ signal, timeout, ended }) {
    const kill3 = () => {
      if (this.#ended) return;
      this.#killed = true;
      this.kill("SIGKILL");
    };
    if (signal?.aborted === true) kill3();
    signal?.addEventListener("abort", kill3);
    const timer = timeout === void 0 ? void 0 : setTimeout(() => {
      this.#timedOut = !this.#ended;
      kill3();
    }, timeout);
    let status;
    while (status === void 0) {
      await this.#exit.ready("readable");
      status = reapStatus(this.#pidfd);
    }
    this.#ended = true;
    if (timer !== void 0) clearTimeout(timer);
    signal?.removeEventListener("abort", kill3);
    this.#exit.close();
    syscall(close(this.#pidfd));
    if (this.#cgroup !== void 0) status = {
      ...status,
      ...await this.#cgroup.end()
    };
    runCleanups(this.#endings);
    if (this.#killed) this.#channels.forEach((channel) => channel?.abandon());
    await ended?.();
    return this.#timedOut ? {
      ...status,
      timedOut: true
    } : status;
  }
  #needsToRun() {
    if (this.#ended) throw new TypeError("the container has ended already");
  }
  get #group() {
    if (this.#cgroup !== void 0) return this.#cgroup;
    throw new TypeError("the container has no control group of its own; the step limits({}) gives it one");
  }
  get #runningGroup() {
    this.#needsToRun();
    return this.#group;
  }
  #channel(fd) {
    const channel = this.#channels[fd];
    if (channel === void 0) {
      const name = [
        "stdin",
        "stdout",
        "stderr"
      ][fd];
      throw new TypeError(`Cannot get '${name}': '${name}' is not piped`);
    }
    return channel;
  }
  async #collect(fd) {
    const channel = this.#channels[fd];
    if (channel === void 0) return void 0;
    const stream = this.#outputs[fd];
    if (stream !== void 0) return await stream.bytes();
    const bytes = await channel.readAll();
    channel.close();
    return bytes;
  }
  #keepAlive(ref) {
    this.#exit.keepAlive(ref);
    for (const channel of this.#channels) channel?.keepAlive(ref);
  }
};

// ffi/cgroups/files.ts
function readFile(path2) {
  return ifThere(() => readWholeText(at_fdcwd, path2).trim());
}
function readNumber(path2) {
  return toNumber(readFile(path2));
}
function readEntry(path2, word4) {
  const line = readFile(path2)?.split("\n").find((line2) => line2.startsWith(`${word4} `));
  return toNumber(line?.slice(word4.length));
}
function toNumber(text4) {
  return text4 === void 0 || text4.trim() === "" ? void 0 : Number(text4);
}
function writeCalls(path2, text4) {
  const bytes = new TextEncoder().encode(text4);
  const opened = openat(at_fdcwd, path2, O_WRONLY | O_CLOEXEC, 0);
  const fd = new ResultOf(opened, "fd");
  return [
    opened,
    write(fd, bytes, bytes.length),
    close(fd)
  ];
}
function writeFile2(path2, text4) {
  const [opened, written2, closed] = writeCalls(path2, text4);
  const closing = new Label("closing");
  syscalls([
    {
      call: opened
    },
    {
      call: written2,
      onFailure: closing
    },
    closing,
    {
      call: closed
    }
  ]);
}
function pidsIn2(directory) {
  return (readFile(`${directory}/cgroup.procs`) ?? "").split("\n").filter(Boolean).map(Number);
}
function mayWrite(path2) {
  const asked = faccessat(at_fdcwd, path2, W_OK);
  const outcome = syscalls([
    {
      call: asked,
      accept: [
        "EACCES",
        "EPERM",
        "EROFS",
        "ENOENT"
      ]
    }
  ]);
  return outcome.result(asked) === 0n;
}
function directoriesIn(path2) {
  const entries = ifThere(() => entriesIn(path2)) ?? [];
  return entries.filter(({ type }) => type === S_IFDIR).map(({ name }) => name);
}

// ffi/cgroups/limits.ts
var PERIOD = 1e5;
var CONTROLLER_OF = {
  memory: "memory",
  memoryHigh: "memory",
  swap: "memory",
  cpus: "cpu",
  cpuWeight: "cpu",
  pids: "pids",
  io: "io",
  cpuset: "cpuset"
};
function limitsIn(limits2) {
  return Object.keys(CONTROLLER_OF).filter((limit) => limits2[limit] !== void 0);
}
function settingsOf2(limit, limits2) {
  const controller = CONTROLLER_OF[limit];
  const setting = (file, value) => ({
    limit,
    controller,
    file,
    value
  });
  switch (limit) {
    case "memory":
      return [
        setting("memory.max", orMax(limits2.memory))
      ];
    case "memoryHigh":
      return [
        setting("memory.high", orMax(limits2.memoryHigh))
      ];
    case "swap":
      return [
        setting("memory.swap.max", orMax(limits2.swap))
      ];
    case "cpus":
      return [
        setting("cpu.max", `${orMax(quota(limits2.cpus))} ${PERIOD}`)
      ];
    case "cpuWeight":
      return [
        setting("cpu.weight", String(limits2.cpuWeight))
      ];
    case "pids":
      return [
        setting("pids.max", orMax(limits2.pids))
      ];
    case "cpuset":
      return [
        setting("cpuset.cpus", limits2.cpuset)
      ];
    case "io":
      return limits2.io.map(({ device: device2, readBps, writeBps, readIops, writeIops }) => {
        const words3 = Object.entries({
          rbps: readBps,
          wbps: writeBps,
          riops: readIops,
          wiops: writeIops
        }).filter(([, value]) => value !== void 0).map(([name, value]) => `${name}=${orMax(value)}`);
        return setting("io.max", [
          device2,
          ...words3
        ].join(" "));
      });
  }
}
function settingsOf1(limit, limits2) {
  const controller = CONTROLLER_OF[limit];
  const setting = (file, value) => ({
    limit,
    controller,
    file,
    value
  });
  switch (limit) {
    case "memory":
      return [
        setting("memory.limit_in_bytes", orMinus1(limits2.memory))
      ];
    case "memoryHigh":
      return void 0;
    case "swap": {
      const { swap = Infinity, memory = Infinity } = limits2;
      if (memory === Infinity && swap !== Infinity) return void 0;
      return [
        setting("memory.memsw.limit_in_bytes", orMinus1(memory + swap))
      ];
    }
    case "cpus":
      return [
        setting("cpu.cfs_period_us", String(PERIOD)),
        setting("cpu.cfs_quota_us", orMinus1(quota(limits2.cpus)))
      ];
    case "cpuWeight":
      return [
        setting("cpu.shares", String(shares(limits2.cpuWeight)))
      ];
    case "pids":
      return [
        setting("pids.max", orMax(limits2.pids))
      ];
    case "cpuset":
      return [
        setting("cpuset.cpus", limits2.cpuset)
      ];
    case "io":
      return limits2.io.flatMap(({ device: device2, readBps, writeBps, readIops, writeIops }) => Object.entries({
        read_bps: readBps,
        write_bps: writeBps,
        read_iops: readIops,
        write_iops: writeIops
      }).filter(([, value]) => value !== void 0).map(([name, value]) => setting(`blkio.throttle.${name}_device`, `${device2} ${value === Infinity ? 0 : value}`)));
  }
}
function parseList(text4) {
  const numbers = /* @__PURE__ */ new Set();
  for (const range of text4.trim().split(",").filter(Boolean)) {
    const [first, last = first] = range.split("-").map(Number);
    for (let number = first; number <= last; number++) numbers.add(number);
  }
  return numbers;
}
function quota(cpus2) {
  return Math.round(cpus2 * PERIOD);
}
function shares(weight) {
  return Math.min(262144, Math.max(2, Math.round(weight * 1024 / 100)));
}
function orMax(value) {
  return value === void 0 || value === Infinity ? "max" : String(value);
}
function orMinus1(value) {
  return value === void 0 || value === Infinity ? "-1" : String(value);
}

// ffi/cgroups/naming.ts
var NAME = /^ramekin-(\d+)-(\d+)-(\d+)-(\w+)$/;
var SCRIPTS_OWN = "script";
function newName() {
  const [random] = crypto.getRandomValues(new Uint32Array(1));
  return `${owner()}-${random.toString(36)}`;
}
function scriptsName() {
  return `${owner()}-${SCRIPTS_OWN}`;
}
function isScriptsName(name) {
  return NAME.exec(name)?.[4] === SCRIPTS_OWN;
}
function owner() {
  return engine().once("owner of groups", () => {
    const stat = readWholeText(at_fdcwd, "/proc/self/stat");
    return `ramekin-${namespaces().pid}-${parseInt(stat)}-${startOf(stat)}`;
  });
}
function sweep(directory) {
  const own = NAME.exec(scriptsName())[1];
  for (const name of directoriesIn(directory)) {
    const [, pidNamespace, pid, started2] = NAME.exec(name) ?? [];
    if (pid === void 0 || pidNamespace !== own) continue;
    const stat = readFile(`/proc/${pid}/stat`);
    if (stat !== void 0 && startOf(stat) === Number(started2)) continue;
    const group = `${directory}/${name}`;
    const state = `${group}/freezer.state`;
    if (mayWrite(state)) writeFile2(state, "THAWED");
    removeTree(group);
  }
}
function removeTree(directory) {
  const remove = unlinkat(at_fdcwd, directory, AT_REMOVEDIR);
  const failed = () => {
    const accept2 = [
      "EBUSY",
      "ENOENT",
      "ENOTEMPTY",
      "EACCES",
      "EPERM"
    ];
    const result = syscalls([
      {
        call: remove,
        accept: accept2
      }
    ]).result(remove);
    return result !== 0n && result !== NOT_THERE2;
  };
  if (!failed()) return true;
  for (const name of directoriesIn(directory)) removeTree(`${directory}/${name}`);
  return !failed();
}
var NOT_THERE2 = -2n;

// ffi/cgroups/hierarchies.ts
var CONTROLLERS = [
  "memory",
  "cpu",
  "cpuacct",
  "cpuset",
  "pids",
  "io",
  "freezer"
];
function hierarchies() {
  try {
    const groups = readWholeText(at_fdcwd, "/proc/self/cgroup");
    return parseHierarchies(groups, readWholeText(at_fdcwd, "/proc/self/mountinfo"));
  } catch (error) {
    if (error instanceof SyscallError && error.code === "ENOENT") return [];
    throw error;
  }
}
function parseHierarchies(groups, mountinfo) {
  const mounts = mountinfo.split("\n").flatMap(parseMount);
  return groups.split("\n").filter(Boolean).flatMap((line) => {
    const [id2, names = "", ...rest] = line.split(":");
    const version = id2 === "0" && names === "" ? 2 : 1;
    const words3 = names.split(",");
    const controllers = new Set(words3.flatMap(controllerOf));
    if (version === 1 && controllers.size === 0) return [];
    const path2 = rest.join(":");
    for (const mount4 of mounts) {
      const same = mount4.version === version && (version === 2 || words3.every((word4) => mount4.options.includes(word4)));
      const own = same ? directoryIn(mount4, path2) : void 0;
      if (own !== void 0) return [
        {
          version,
          controllers,
          top: mount4.directory,
          own
        }
      ];
    }
    return [];
  });
}
function controllersIn(text4) {
  return new Set(text4.trim().split(/\s+/).flatMap(controllerOf));
}
function controllerOf(word4) {
  const name = word4 === "blkio" ? "io" : word4;
  return CONTROLLERS.filter((controller) => controller === name);
}
function parseMount(line) {
  const [before = "", after = ""] = line.split(" - ");
  const [type = "", , options = ""] = after.split(" ");
  if (type !== "cgroup" && type !== "cgroup2") return [];
  const [, , , root = "", directory = ""] = before.split(" ").map(unescapeOctal);
  return [
    {
      version: type === "cgroup2" ? 2 : 1,
      root,
      directory,
      options: options.split(",")
    }
  ];
}
function unescapeOctal(text4) {
  return text4.replace(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(parseInt(digits, 8)));
}
function directoryIn({ root, directory }, path2) {
  if (root === path2) return directory;
  const within = root === "/" ? path2 : path2.startsWith(`${root}/`) && path2.slice(root.length);
  return within === false || path2.startsWith("/..") ? void 0 : directory + within;
}

// ffi/cgroups/place.ts
var USEFUL = [
  "memory",
  "cpu",
  "cpuacct",
  "pids",
  "io"
];
function findPlaces(limits2) {
  const found = hierarchies();
  const needed = new Set(limitsIn(limits2).map((limit) => CONTROLLER_OF[limit]));
  const old = found.filter(({ version }) => version === 1);
  const unified = found.find(({ version }) => version === 2);
  const bound = new Set(old.flatMap(({ controllers }) => [
    ...controllers
  ]));
  const places = [];
  const obstacles = /* @__PURE__ */ new Map();
  if (unified !== void 0) {
    const here = [
      ...needed
    ].filter((controller) => !bound.has(controller));
    const place2 = placeIn2(unified, new Set(here));
    if ("why" in place2) {
      for (const name of [
        void 0,
        ...here
      ]) obstacles.set(name, place2);
    } else places.push(place2);
  }
  const useful = /* @__PURE__ */ new Set([
    ...needed,
    ...USEFUL
  ]);
  if (places.length === 0) useful.add("freezer");
  for (const { own, controllers } of old) {
    const mine = [
      ...controllers
    ].filter((controller) => useful.has(controller));
    if (mine.length === 0) continue;
    if (mayWrite(own)) places.push({
      version: 1,
      directory: own,
      controllers,
      before: []
    });
    else {
      const denied = {
        version: 1,
        directory: own,
        why: DENIED
      };
      for (const name of mine) obstacles.set(name, denied);
      if (!obstacles.has(void 0)) obstacles.set(void 0, denied);
    }
  }
  for (const limit of limitsIn(limits2)) {
    const controller = CONTROLLER_OF[limit];
    if (places.some(({ controllers }) => controllers.has(controller))) continue;
    const obstacle2 = obstacles.get(controller);
    throw new UnsupportedError(obstacle2 === void 0 ? `"${limit}" cannot be limited: there is no controller "${controller}" here: this kernel has none, or no hierarchy with it is in sight (see /proc/cgroups, /proc/self/mountinfo)` : `"${limit}" cannot be limited by the controller "${controller}": ${words2(obstacle2)}`);
  }
  if (places.length > 0) return places;
  const obstacle = obstacles.get(void 0);
  throw new UnsupportedError(obstacle === void 0 ? "a container cannot have a control group: no hierarchy of them is mounted here (cgroups(7))" : `a container cannot have a control group: ${words2(obstacle)}`);
}
var DENIED = "belongs to another user, or can only be read";
function words2({ version, directory, why }) {
  const mend = version === 2 ? "a script gets a group of its own by `systemd-run --user --scope -p Delegate=yes deno run --allow-ffi ...`" : "version 1 leaves them to root, who can make a group there and give it to a user (chown)";
  return `in cgroup v${version}, ${directory} ${why}; ${mend}`;
}
function placeIn2({ own, top }, needed) {
  let obstacle;
  const from = isScriptsName(nameOf3(own)) ? parentOf(own) : own;
  for (const directory of upwards(from, top)) {
    const place2 = placeAt2(directory, needed, directory === own);
    if (!("why" in place2)) return place2;
    obstacle ??= place2;
  }
  return obstacle;
}
function placeAt2(directory, needed, isContainerMount) {
  if (!mayWrite(directory) || !mayWrite(`${directory}/cgroup.procs`)) {
    return {
      version: 2,
      directory,
      why: DENIED
    };
  }
  const controllers = (file) => controllersIn(readFile(`${directory}/${file}`) ?? "");
  const there = controllers("cgroup.controllers");
  const enabled = controllers("cgroup.subtree_control");
  const absent = [
    ...needed
  ].filter((name) => !there.has(name));
  if (absent.length > 0) {
    return {
      version: 2,
      directory,
      why: `has not been given "${absent.join('", "')}"`
    };
  }
  const missing2 = [
    ...needed
  ].filter((name) => !enabled.has(name));
  const place2 = (enabling2, before = []) => ({
    version: 2,
    directory,
    controllers: /* @__PURE__ */ new Set([
      ...enabled,
      ...enabling2
    ]),
    before: enabling2.length === 0 ? before : [
      ...before,
      {
        file: `${directory}/cgroup.subtree_control`,
        text: enabling2.map((name) => `+${name}`).join(" ")
      }
    ]
  });
  if (missing2.length === 0) return place2([]);
  const pids = readFile(`${directory}/cgroup.type`) === void 0 ? [] : pidsIn2(directory);
  if (pids.length === 0) return place2(missing2);
  if (!isContainerMount || !pids.every(isOurs)) {
    const why = `has other processes in it (${pids.join(", ")}), which have to move to a group within it before there can be others`;
    return {
      version: 2,
      directory,
      why
    };
  }
  const scripts = `${directory}/${scriptsName()}`;
  const enabling = USEFUL.filter((name) => there.has(name) && !enabled.has(name));
  return place2([
    .../* @__PURE__ */ new Set([
      ...missing2,
      ...enabling
    ])
  ], [
    {
      directory: scripts
    },
    ...pids.map((pid) => ({
      file: `${scripts}/cgroup.procs`,
      text: String(pid)
    }))
  ]);
}
function isOurs(pid) {
  for (let at2 = pid; at2 !== void 0 && at2 > 0; ) {
    if (at2 === Deno.pid) return true;
    const status = readFile(`${processDirectory(at2)}/status`) ?? "";
    const parent = /^PPid:\s*(\d+)/m.exec(status)?.[1];
    at2 = parent === void 0 ? void 0 : Number(parent);
  }
  return false;
}
function upwards(directory, top) {
  const directories = [
    directory
  ];
  while (directory !== top && directory.startsWith(`${top}/`)) {
    directories.push(directory = parentOf(directory));
  }
  return directories;
}
function parentOf(directory) {
  return directory.slice(0, directory.lastIndexOf("/"));
}
function nameOf3(directory) {
  return directory.slice(directory.lastIndexOf("/") + 1);
}

// ffi/cgroups/plan.ts
function planCgroup(limits2) {
  const name = newName();
  const places = findPlaces(limits2);
  const directories = places.map((place2) => ({
    ...place2,
    directory: `${place2.directory}/${name}`
  }));
  const acts = places.flatMap((place2, index) => {
    const { directory } = directories[index];
    return [
      ...place2.before,
      {
        directory
      },
      ...inherited(place2, directory, limits2)
    ];
  });
  return {
    directories,
    limits: limits2,
    acts: [
      ...acts,
      ...settingActions(directories, limitsIn(limits2), limits2)
    ]
  };
}
function inherited(place2, made, limits2) {
  if (place2.version === 2 || !place2.controllers.has("cpuset")) return [];
  return [
    "cpuset.mems",
    ...limits2.cpuset === void 0 ? [
      "cpuset.cpus"
    ] : []
  ].map((file) => ({
    file: `${made}/${file}`,
    text: readFile(`${place2.directory}/${file}`) ?? ""
  }));
}
function settingActions(directories, names, limits2) {
  return names.flatMap((limit) => {
    const controller = CONTROLLER_OF[limit];
    const place2 = directories.find(({ controllers }) => controllers.has(controller));
    if (place2 === void 0) {
      throw new UnsupportedError(`"${limit}" cannot be limited: the container's group was made without the controller "${controller}"; give the step limits() such a limit from the beginning`);
    }
    const { directory, version } = place2;
    if (limit === "cpuset") checkProcessors(directory, limits2.cpuset);
    const settings2 = version === 2 ? settingsOf2(limit, limits2) : settingsOf1(limit, limits2);
    if (settings2 === void 0) {
      throw new UnsupportedError(`"${limit}" cannot be limited: the controller "${controller}" is bound to cgroup v1 here, ` + (limit === "swap" ? 'which only limits the sum of memory and swap; give "memory" too' : "which has no such limit; boot with systemd.unified_cgroup_hierarchy=1"));
    }
    return settings2.map((setting) => ({
      ...setting,
      file: `${directory}/${setting.file}`,
      text: setting.value
    }));
  });
}
function checkProcessors(directory, cpuset2) {
  const above = directory.slice(0, directory.lastIndexOf("/"));
  const text4 = readFile(`${above}/cpuset.cpus.effective`) ?? readFile(`${above}/cpuset.effective_cpus`);
  if (text4 === void 0) return;
  const there = parseList(text4);
  const absent = [
    ...parseList(cpuset2)
  ].filter((processor) => !there.has(processor));
  if (absent.length === 0) return;
  throw new UnsupportedError(`"cpuset" cannot be "${cpuset2}": there is no processor ${absent.join(", ")}, only ${text4}`);
}
function callsOf(act) {
  return "file" in act ? writeCalls(act.file, act.text) : [
    mkdirat(at_fdcwd, act.directory, 493)
  ];
}

// ffi/clone3_support.ts


// ffi/cgroups/errors.ts
var BELOW_USE = "more than that is in use, and cannot be given back";
var DENIALS = [
  [
    /memory\.(memsw\.)?(limit_in_bytes|max)$/,
    "EBUSY",
    BELOW_USE
  ],
  [
    /memory\.memsw\./,
    "EINVAL",
    "the sum of memory and swap is less than the memory alone"
  ],
  [
    /subtree_control$/,
    "EBUSY",
    "a process has come into the group, whose groups are to have it"
  ],
  [
    /cpu\.cfs_quota/,
    "EINVAL",
    "the group that this script is in has less time itself"
  ],
  [
    /(io\.max|blkio\.throttle)/,
    "ENODEV",
    "there is no such block device"
  ],
  [
    /(io\.max|blkio\.throttle)/,
    "EINVAL",
    "a whole disk can be limited, no partition of it"
  ],
  [
    /cpuset\./,
    "EACCES",
    "the group that this script is in has not all of these processors"
  ],
  [
    /cpuset\./,
    "EBUSY",
    "processes are in the group, and need some"
  ]
];
var PARTS = [
  [
    /memsw/,
    "does not count swap in cgroup v1: boot it with swapaccount=1"
  ],
  [
    /memory\.swap/,
    "does not count swap: it needs CONFIG_SWAP"
  ],
  [
    /cpu\.(max|cfs)/,
    "was made without CONFIG_CFS_BANDWIDTH"
  ],
  [
    /(io\.max|blkio\.throttle)/,
    "was made without CONFIG_BLK_DEV_THROTTLING"
  ]
];
function denialOf(act, { syscall: syscall2, errno }) {
  const code = errnoName(errno);
  if (!("file" in act)) {
    const hint2 = code === "EAGAIN" ? "there are as many groups as cgroup.max.descendants allows" : void 0;
    return new SyscallError({
      syscall: syscall2,
      errno,
      call: `mkdir("${act.directory}")`,
      hint: hint2
    });
  }
  const { file, text: text4 } = act;
  if (code === "ENOENT" && syscall2 === "openat") {
    const part = PARTS.find(([name]) => name.test(file))?.[1] ?? "does not have it";
    return new UnsupportedError(`there is no ${file}: this kernel ${part}`);
  }
  const written2 = syscall2 === "write" ? `, ${JSON.stringify(text4)}` : "";
  const call2 = `${syscall2}(${JSON.stringify(file)}${written2})`;
  const hint = DENIALS.find(([name, errno2]) => name.test(file) && errno2 === code)?.[2];
  return new SyscallError({
    syscall: syscall2,
    errno,
    call: call2,
    hint
  });
}

// ffi/cgroups/kill.ts
function killGroup(directories) {
  const unified = directories.find(({ version }) => version === 2);
  if (unified !== void 0 && mayWrite(`${unified.directory}/cgroup.kill`)) {
    writeFile2(`${unified.directory}/cgroup.kill`, "1");
  }
  for (const { directory } of directories) killEach(directory);
  for (const { directory } of directories) {
    if (mayWrite(`${directory}/freezer.state`)) writeFile2(`${directory}/freezer.state`, "THAWED");
  }
}
function killEach(directory) {
  for (const name of directoriesIn(directory)) killEach(`${directory}/${name}`);
  const held = /* @__PURE__ */ new Map();
  for (const pid of pidsIn2(directory)) {
    if (pid === 0) continue;
    const opened = pidfd_open(pid, 0);
    const pidfd = syscalls([
      {
        call: opened,
        accept: [
          "ESRCH",
          "EINVAL"
        ]
      }
    ]).result(opened);
    if (pidfd >= 0n) held.set(pid, Number(pidfd));
  }
  const still = new Set(pidsIn2(directory));
  for (const [pid, pidfd] of held) {
    const kill3 = pidfd_send_signal(pidfd, SIGNALS.SIGKILL);
    if (still.has(pid)) syscalls([
      {
        call: kill3,
        accept: [
          "ESRCH",
          "EPERM"
        ]
      }
    ]);
    syscalls([
      {
        call: close(pidfd)
      }
    ]);
  }
}

// ffi/cgroups/usage.ts
function usageOf(directories) {
  const of = (controller) => directories.find(({ controllers }) => controllers.has(controller));
  return {
    ...memoryOf(of("memory")),
    cpu: cpuOf(of("cpuacct"), directories.find(({ version }) => version === 2)),
    pids: numberOf2(of("pids"), "pids.current"),
    ...ioOf(of("io"))
  };
}
function memoryOf(place2) {
  return place2?.version === 1 ? {
    memory: numberOf2(place2, "memory.usage_in_bytes"),
    memoryPeak: numberOf2(place2, "memory.max_usage_in_bytes")
  } : {
    memory: numberOf2(place2, "memory.current"),
    memoryPeak: numberOf2(place2, "memory.peak")
  };
}
function cpuOf(old, unified) {
  const nanoseconds = numberOf2(old, "cpuacct.usage");
  if (nanoseconds !== void 0) return nanoseconds / 1e9;
  const microseconds = unified && readEntry(`${unified.directory}/cpu.stat`, "usage_usec");
  return microseconds === void 0 ? void 0 : microseconds / 1e6;
}
function ioOf(place2) {
  if (place2 === void 0) return {
    ioRead: void 0,
    ioWritten: void 0
  };
  const { directory, version } = place2;
  if (version === 2) {
    const text5 = readFile(`${directory}/io.stat`);
    return {
      ioRead: sum(text5, /\brbytes=(\d+)/g),
      ioWritten: sum(text5, /\bwbytes=(\d+)/g)
    };
  }
  const text4 = readFile(`${directory}/blkio.throttle.io_service_bytes`);
  return {
    ioRead: sum(text4, /\bRead (\d+)/g),
    ioWritten: sum(text4, /\bWrite (\d+)/g)
  };
}
function numberOf2(place2, file) {
  return place2 && readNumber(`${place2.directory}/${file}`);
}
function sum(text4, numbers) {
  return text4?.matchAll(numbers).reduce((sum2, [, number]) => sum2 + Number(number), 0);
}

// ffi/cgroups/group.ts
function planCgroupEntry({ directories }) {
  return entranceOf(directories, () => -1);
}
function closeCgroupEntry({ directory, files }) {
  for (const { value } of directory === void 0 ? files : [
    directory,
    ...files
  ]) {
    syscall(close(Number(value)));
  }
}
var Group = class _Group {
  /** Its directories. */
  directories;
  #limits;
  /** Use {@linkcode Group.make}. */
  constructor(directories, limits2) {
    this.directories = directories;
    this.#limits = limits2;
  }
  /**
   * Makes a group. For the first time, the groups of scripts that are gone are removed before.
   *
   * @throws {SyscallError} naming the file that says no; then nothing is left
   * @throws {UnsupportedError} where the kernel does not have that file
   */
  static make({ directories, limits: limits2, acts }) {
    engine().once("sweep of groups", () => {
      for (const { directory } of directories) {
        sweep(directory.slice(0, directory.lastIndexOf("/")));
      }
    });
    const group = new _Group(directories, limits2);
    try {
      makeAll(acts);
    } catch (error) {
      group.remove();
      throw error;
    }
    return group;
  }
  /**
   * Opens what a process needs to get in.
   *
   * @throws {SyscallError} where no more files may be open
   */
  enter() {
    const opened = [];
    try {
      return entranceOf(this.directories, (call2) => {
        opened.push(syscall(call2));
        return opened.at(-1);
      });
    } catch (error) {
      for (const fd of opened) syscall(close(fd));
      throw error;
    }
  }
  /**
   * Changes limits; those that are left out stay.
   *
   * @throws {UnsupportedError} where the group has not the controller
   * @throws {SyscallError} naming the file that says no: `EBUSY` below what is in use
   */
  update(changes) {
    const limits2 = {
      ...this.#limits,
      ...changes
    };
    const sum2 = this.#of("memory")?.version === 1 && limits2.swap !== void 0 && changes.memory !== void 0;
    const names = limitsIn(sum2 ? {
      ...changes,
      swap: limits2.swap
    } : changes);
    for (const act of inOrder(settingActions(this.directories, names, limits2))) {
      if (act.file.endsWith("/memory.max")) makeRoom(act, limits2.memory);
      makeAll([
        act
      ]);
    }
    this.#limits = limits2;
  }
  /** What its processes use, and have used. */
  usage() {
    return usageOf(this.directories);
  }
  /** How many of its processes were killed because memory was short. */
  outOfMemoryKills() {
    const place2 = this.#of("memory");
    if (place2 === void 0) return 0;
    const file = place2.version === 2 ? "memory.events" : "memory.oom_control";
    return readEntry(`${place2.directory}/${file}`, "oom_kill") ?? 0;
  }
  /** Begins to freeze its processes, or lets them go on. */
  freeze(frozen) {
    const { directory, version } = this.#freezer();
    if (version === 2) writeFile2(`${directory}/cgroup.freeze`, frozen ? "1" : "0");
    else writeFile2(`${directory}/freezer.state`, frozen ? "FROZEN" : "THAWED");
  }
  /** Whether all of its processes are frozen. */
  get frozen() {
    const { directory, version } = this.#freezer();
    return version === 2 ? readEntry(`${directory}/cgroup.events`, "frozen") === 1 : readFile(`${directory}/freezer.state`) === "FROZEN";
  }
  /** Kills whoever is in it, frozen or not. */
  kill() {
    killGroup(this.directories);
  }
  /** Removes it; answers whether nothing is left, as nobody was in it. */
  remove() {
    return this.directories.map(({ directory }) => removeTree(directory)).every((gone) => gone);
  }
  #of(controller) {
    return this.directories.find(({ controllers }) => controllers.has(controller));
  }
  #freezer() {
    const place2 = this.directories.find(({ version }) => version === 2) ?? this.#of("freezer");
    if (place2 !== void 0) return place2;
    throw new UnsupportedError('a container is paused by cgroup v2, or by the controller "freezer" of v1, and its group has neither');
  }
};
function entranceOf(directories, open3) {
  let into;
  const files = [];
  for (const { version, directory } of directories) {
    if (version === 2 && hasClone3()) {
      const flags2 = O_PATH | O_DIRECTORY | O_CLOEXEC;
      into = new Named(open3(openat(at_fdcwd, directory, flags2)), directory);
    } else {
      const file = `${directory}/cgroup.procs`;
      files.push(new Named(open3(openat(at_fdcwd, file, O_WRONLY | O_CLOEXEC)), file));
    }
  }
  return {
    directory: into,
    files
  };
}
function makeAll(acts) {
  const made = acts.map((act2) => ({
    act: act2,
    calls: callsOf(act2)
  }));
  const parts = made.flatMap(({ act: act2, calls: calls2 }) => {
    const moves = "file" in act2 && act2.file.endsWith("/cgroup.procs");
    return calls2.map((call2) => moves ? {
      call: call2,
      accept: [
        "ESRCH"
      ]
    } : {
      call: call2
    });
  });
  const outcome = engine().run(assemble(parts, engine().architecture));
  const { failed } = outcome;
  if (failed === void 0) return;
  const { act, calls } = made.find(({ calls: calls2 }) => calls2.includes(failed.call));
  if (failed.call === calls[1]) syscall(close(Number(outcome.result(calls[0]))));
  throw denialOf(act, {
    syscall: failed.call.name,
    errno: failed.errno
  });
}
function inOrder(acts) {
  const sum2 = acts.find(({ file }) => file.endsWith("/memory.memsw.limit_in_bytes"));
  if (sum2 === void 0) return acts;
  const rest = acts.filter((act) => act !== sum2);
  const grows = sum2.text === "-1" || Number(sum2.text) > readNumber(sum2.file);
  return grows ? [
    sum2,
    ...rest
  ] : [
    ...rest,
    sum2
  ];
}
function makeRoom(act, memory) {
  const directory = act.file.slice(0, act.file.lastIndexOf("/"));
  const excess = () => (readNumber(`${directory}/memory.current`) ?? 0) - memory;
  if (excess() <= 0) return;
  const reclaim = `${directory}/memory.reclaim`;
  if (mayWrite(reclaim)) {
    try {
      writeFile2(reclaim, String(excess()));
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
    }
  }
  if (excess() > 0) throw denialOf(act, {
    syscall: "write",
    errno: ERRNO.EBUSY
  });
}

// plan/steps/limits.ts
function lowerLimits(step, draft) {
  draft.limitTo(groupLimits(step, (why) => draft.refuse(why)));
}
function checkLimits(limits2) {
  const refuse2 = (why) => {
    throw new RecipeError(why);
  };
  const wrong = invalidField({
    ...limits2
  }, limitFields());
  if (wrong !== void 0) refuse2(`the limit "${wrong.field}" ${wrong.issue}`);
  return groupLimits(limits2, refuse2);
}
function groupLimits(limits2, refuse2) {
  const { memory, memoryHigh, swap, cpus: cpus2, cpuWeight, pids, io, cpuset: cpuset2 } = limits2;
  return present({
    memory: numberOf3(memory),
    memoryHigh: numberOf3(memoryHigh),
    swap: numberOf3(swap),
    cpus: numberOf3(cpus2),
    cpuWeight,
    pids: numberOf3(pids),
    io: io?.map((item) => ({
      device: deviceNumbers(item.device, refuse2),
      ...present({
        readBps: numberOf3(item.readBps),
        writeBps: numberOf3(item.writeBps),
        readIops: numberOf3(item.readIops),
        writeIops: numberOf3(item.writeIops)
      })
    })),
    cpuset: cpuset2 && [
      ...parseList(cpuset2)
    ].join(",")
  });
}
function numberOf3(value) {
  return value === "unlimited" ? Infinity : typeof value === "string" ? bytesOf2(value) : value;
}
function deviceNumbers(device2, refuse2) {
  if (!device2.startsWith("/")) return device2;
  const told = statxOutput();
  try {
    const asked = {
      call: statx(at_fdcwd, device2, 0, STATX_BASIC_STATS, told)
    };
    const view2 = syscalls([
      asked
    ]).output(told);
    if ((readStatx(view2).mode & S_IFMT) !== S_IFBLK) refuse2(`${device2} is no block device`);
    return `${view2.getUint32(DEVICE.major, true)}:${view2.getUint32(DEVICE.minor, true)}`;
  } catch (error) {
    if (error instanceof SyscallError) refuse2(`${device2} cannot be found: ${error.code}`);
    throw error;
  }
}
var DEVICE = {
  major: 128,
  minor: 132
};
function present(fields) {
  const entries = Object.entries(fields).filter(([, value]) => value !== void 0);
  return Object.fromEntries(entries);
}

// launch/cgroup.ts
var PATIENCE = [
  1,
  2,
  4,
  8,
  16,
  32,
  64,
  128,
  256,
  512,
  1024
];
var LONGEST_PAUSE = 50;
function planContainerCgroup(draft) {
  if (draft.limits === void 0) return void 0;
  const design = inStep(draft, () => planCgroup(draft.limits.limits));
  return {
    calls: design.acts.flatMap(callsOf),
    entrance: planCgroupEntry(design)
  };
}
var ContainerCgroup = class _ContainerCgroup {
  /** How the container gets in, until {@linkcode entered}. */
  entrance;
  #group;
  /** What was used until the end. */
  #last;
  #paused = false;
  constructor(group) {
    this.#group = group;
    this.entrance = group.enter();
  }
  /**
   * Makes the group that the recipe asks for, if it does.
   *
   * @throws {UnsupportedError} where it cannot be made here
   * @throws {SyscallError} naming the file that says no; then nothing is left
   */
  static make(draft) {
    if (draft.limits === void 0) return void 0;
    const { limits: limits2 } = draft.limits;
    return inStep(draft, () => {
      const group = Group.make(planCgroup(limits2));
      try {
        return new _ContainerCgroup(group);
      } catch (error) {
        group.remove();
        throw error;
      }
    });
  }
  /** The container is in, and its program runs. */
  entered() {
    closeCgroupEntry(this.entrance);
  }
  /** The container has come to nothing. */
  discard() {
    closeCgroupEntry(this.entrance);
    this.#removeSync();
  }
  /** What the container uses; after its end, what it has used. */
  usage() {
    return this.#last ?? this.#group.usage();
  }
  /** Changes limits. */
  update(limits2) {
    this.#group.update(checkLimits(limits2));
  }
  /** Freezes all processes; resolves when they stand still, or have ended. */
  async pause() {
    this.#group.freeze(true);
    this.#paused = true;
    for (let delay = 1; this.#paused && !this.#group.frozen; delay *= 2) {
      await sleep(Math.min(delay, LONGEST_PAUSE));
    }
  }
  /** Lets all processes go on. */
  resume() {
    this.#paused = false;
    this.#group.freeze(false);
  }
  /** The container was sent SIGKILL, which what is frozen by version 1 never notices. */
  killed() {
    if (this.#paused) this.resume();
  }
  /** The program has ended: kills what it has left, and removes the group. */
  async end() {
    const told = this.#close();
    for (const delay of PATIENCE) {
      if (this.#group.remove()) break;
      this.#group.kill();
      await sleep(delay);
    }
    return told;
  }
  /** As {@linkcode end}, while the script's thread waits. */
  endSync() {
    const told = this.#close();
    this.#removeSync();
    return told;
  }
  #close() {
    this.#paused = false;
    this.#last = this.#group.usage();
    return {
      outOfMemory: this.#group.outOfMemoryKills() > 0
    };
  }
  #removeSync() {
    for (const delay of PATIENCE) {
      if (this.#group.remove()) break;
      this.#group.kill();
      syscalls([
        {
          call: ppoll([], delay),
          accept: [
            "EINTR"
          ]
        }
      ]);
    }
  }
};
function inStep(draft, body) {
  const { stepIndex } = draft.limits;
  try {
    return body();
  } catch (error) {
    if (error instanceof UnsupportedError) {
      throw new UnsupportedError(`step ${stepIndex + 1} (limits): ${error.message}`);
    }
    throw error instanceof SyscallError ? stepError(error, draft, stepIndex) : error;
  }
}
function sleep(milliseconds) {
  return new Promise((resolve2) => setTimeout(resolve2, milliseconds));
}

// plan/access/access.ts
function describeAccess(need) {
  const { step, stepIndex } = need;
  const whose = step === void 0 ? "" : `, for step ${stepIndex + 1} (${step})`;
  return subjectOf(need) + whose;
}
function subjectOf(need) {
  switch (need.kind) {
    case "read":
    case "write":
      return `${need.kind} ${need.path}`;
    case "net":
      return "the host's network";
    case "namespace":
      return `the host's ${need.namespace} namespace`;
    case "identity":
      return need.count === 1 ? `the host's ${need.id} ${need.from}` : `the host's ${need.id}s ${need.from} to ${need.from + need.count - 1}`;
    case "device":
      return `the device ${need.path}`;
    case "privilege":
      return need.privilege === "all" ? "all rights of the host's root" : `${need.privilege} on the host`;
    case "join":
      return typeof need.target === "number" ? `the namespaces of process ${need.target}` : `the namespace ${need.target}`;
    case "env":
      return `the variable ${need.name}`;
    case "run":
      return `run ${need.program}`;
  }
}

// proxy/refusal.ts
var REASONS = {
  400: "Bad Request",
  403: "Forbidden",
  408: "Request Timeout",
  431: "Request Header Schemas Too Large",
  502: "Bad Gateway"
};
var Refusal = class extends Error {
  status;
  /** A refusal with a status of HTTP, and words for whoever reads the answer. */
  constructor(status, message2) {
    super(message2), this.status = status;
  }
  /** The answer of HTTP. */
  toResponse() {
    const body = new TextEncoder().encode(`${this.message}
`);
    const head = [
      `HTTP/1.1 ${this.status} ${REASONS[this.status]}`,
      "Content-Type: text/plain; charset=utf-8",
      `Content-Length: ${body.length}`,
      "Connection: close"
    ];
    return new Uint8Array([
      ...new TextEncoder().encode(head.join("\r\n") + "\r\n\r\n"),
      ...body
    ]);
  }
};

// proxy/stream.ts
var ClientStream = class {
  #reading;
  /** A descriptor of its own, as one can only be waited for in one way. */
  #writing;
  /** Takes a socket over that does not block. */
  constructor(socket) {
    let other;
    try {
      other = syscall(fcntl(socket, F_DUPFD_CLOEXEC, 3));
    } catch (error) {
      syscall(close(socket));
      throw error;
    }
    this.#reading = new FdStream(socket);
    this.#writing = new FdStream(other);
    for (const channel of [
      this.#reading,
      this.#writing
    ]) channel.keepAlive(false);
  }
  async read() {
    try {
      return await this.#reading.read();
    } catch (error) {
      if (error instanceof SyscallError) return new Uint8Array();
      throw error;
    }
  }
  async write(bytes) {
    await this.#writing.write(bytes);
  }
  end() {
    if (!this.#writing.closed) {
      syscalls([
        {
          call: shutdownWrite(this.#writing.fd),
          accept: [
            "ENOTCONN"
          ]
        }
      ]);
    }
    return Promise.resolve();
  }
  close() {
    this.#reading.close();
    this.#writing.close();
  }
};
var PART2 = 64 * 1024;
var HostStream = class {
  #connection;
  #buffer = new Uint8Array(PART2);
  #closed = false;
  /** Takes the connection over. */
  constructor(connection) {
    this.#connection = connection;
    connection.unref();
  }
  async read() {
    try {
      const count2 = await this.#connection.read(this.#buffer);
      return this.#buffer.subarray(0, count2 ?? 0);
    } catch {
      return new Uint8Array();
    }
  }
  async write(bytes) {
    for (let done = 0; done < bytes.length; ) {
      done += await this.#connection.write(bytes.subarray(done));
    }
  }
  async end() {
    await this.#connection.closeWrite();
  }
  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#connection.close();
  }
};

// proxy/hosts.ts
var Hosts = class {
  #hosts;
  /** A list such as `["example.org:443", "[::1]"]`, without a port for all of them. */
  constructor(list2) {
    this.#hosts = list2.map((text4) => parseHost(text4));
  }
  /** Whether the host is granted, by the name that it is asked for. */
  has({ name, port }) {
    return this.#hosts.some((host) => host.name === name && (host.port ?? port) === port);
  }
  /** Whether any of them is this machine. */
  get includesLoopback() {
    return this.#hosts.some(({ name }) => name === "localhost" || isReserved(name));
  }
  /**
   * Connects, with the script's own permissions.
   *
   * @throws {Refusal} where the host is not granted, or cannot be reached
   */
  async connect(to) {
    const text4 = describeDestination2(to);
    if (!this.has(to)) throw new Refusal(403, `${text4} is not allowed`);
    let connection;
    try {
      connection = await Deno.connect({
        hostname: to.name,
        port: to.port
      });
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) {
        throw new Refusal(403, `${text4} is not allowed to the script: --allow-net=${text4}`);
      }
      throw new Refusal(502, `${text4} cannot be reached: ${error.message}`);
    }
    const address2 = connection.remoteAddr.hostname;
    if (isReserved(address2) && to.name !== "localhost" && parseAddress(to.name) === void 0) {
      connection.close();
      throw new Refusal(403, `${text4} is not allowed: its address is ${address2}`);
    }
    return new HostStream(connection);
  }
};
function describeDestination2({ name, port }) {
  return name.includes(":") ? `[${name}]:${port}` : `${name}:${port}`;
}
function isReserved(address2) {
  const bytes = parseAddress(address2);
  if (bytes === void 0) return false;
  const [first, second] = bytes;
  if (bytes.length === 4) return first === 0 || first === 127 || first === 169 && second === 254;
  const isLast = (last) => bytes.every((byte, i) => byte === (i === 15 ? last : 0));
  return isLast(0) || isLast(1) || first === 254 && (second & 192) === 128;
}
function parseAddress(text4) {
  const bytes = parseIp(text4)?.bytes;
  if (bytes?.length !== 16) return bytes;
  return V4_IN_V6.some((prefix) => prefix.every((byte, i) => byte === bytes[i])) ? bytes.slice(12) : bytes;
}
var V4_IN_V6 = [
  [
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    255,
    255
  ],
  [
    0,
    100,
    255,
    155,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0
  ]
];

// host/resolve_path.ts
var PATH_MAX2 = 4096;
var TYPES2 = {
  4096: "pipe",
  8192: "device",
  16384: "directory",
  24576: "device",
  32768: "file",
  49152: "socket"
};
function resolve(path2) {
  return open2(path2) ?? missing(path2);
}
function open2(path2) {
  const fd = ifThere(() => syscall(openat(at_fdcwd, path2, O_PATH | O_CLOEXEC)));
  if (fd === void 0) return void 0;
  try {
    const [target, told] = [
      new Output(PATH_MAX2),
      statxOutput()
    ];
    const link2 = readlinkat(at_fdcwd, `/proc/self/fd/${fd}`, target);
    const outcome = syscalls([
      {
        call: link2
      },
      {
        call: statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, told)
      }
    ]);
    const { buffer, byteOffset } = outcome.output(target);
    const bytes = new Uint8Array(buffer, byteOffset, Number(outcome.result(link2)));
    const { mode: mode2 } = readStatx(outcome.output(told));
    return {
      path: new TextDecoder().decode(bytes),
      type: TYPES2[mode2 & 61440]
    };
  } finally {
    syscall(close(fd));
  }
}
function missing(path2) {
  const normal = normalize(path2);
  const name = nameOf2(normal);
  if (normal === "/" || name === "..") return {
    path: normal,
    type: void 0
  };
  const directory = resolve(directoryOf(normal)).path;
  return {
    path: directory === "/" ? `/${name}` : `${directory}/${name}`,
    type: void 0
  };
}

// permissions/permission_set.ts
var PermissionSet = class {
  #options;
  #paths;
  /** The grants of these permissions. */
  constructor(permissions) {
    const given = typeof permissions === "string" ? {} : permissions;
    const otherwise = permissions === "inherit" ? "inherit" : false;
    this.#options = {
      read: otherwise,
      write: otherwise,
      net: otherwise,
      env: otherwise,
      run: otherwise,
      sys: otherwise,
      ...given
    };
    const { read: read3, write: write3 } = this.#options;
    this.#paths = {
      read: resolved(read3),
      write: resolved(write3)
    };
  }
  /** What a network of the container's own is to have. */
  get network() {
    const { net } = this.#options;
    return net === "loopback" ? net : typeof net === "object" ? "proxy" : void 0;
  }
  /** The hosts that are granted one by one. */
  get hosts() {
    const { net } = this.#options;
    return typeof net === "object" ? new Hosts(net) : void 0;
  }
  /** Whether a variable of the script's environment may be handed on. */
  hasVariable(name) {
    const { env } = this.#options;
    if (env === "inherit") return mayScript({
      name: "env",
      variable: name
    });
    return typeof env === "boolean" ? env : env.includes(name);
  }
  /** Whether the need is granted. Variables always are, as those without a grant are left out. */
  has(need) {
    switch (need.kind) {
      case "read":
      case "write":
        return this.#hasPath(need.kind, need.path);
      case "net":
        return this.#options.net === "inherit" ? mayScript({
          name: "net"
        }) : this.#options.net === true;
      case "env":
        return true;
      case "run": {
        const { run } = this.#options;
        return typeof run !== "object" || run.includes(need.program);
      }
      default:
        return this.#hasMachine();
    }
  }
  /**
   * Refuses needs that are not granted.
   *
   * @throws {PermissionError} for the first of them
   */
  require(needs) {
    const denied = needs.filter((need) => !this.has(need));
    if (denied.length > 0) throw permissionError(denied);
  }
  #hasPath(kind2, path2) {
    const grant = this.#options[kind2];
    if (grant === "inherit") return mayScript({
      name: kind2,
      path: path2
    });
    if (typeof grant === "boolean") return grant;
    return !path2.split("/").includes("..") && this.#paths[kind2].some((granted) => isWithin(path2, granted));
  }
  #hasMachine() {
    const { run, sys } = this.#options;
    const has2 = (grant, name) => grant === "inherit" ? mayScript({
      name
    }) : grant === true;
    const needsFfi = run === "inherit" || sys === "inherit";
    return has2(run, "run") && has2(sys, "sys") && (!needsFfi || mayScript({
      name: "ffi"
    }));
  }
};
function mayScript(permission) {
  const { state, partial } = Deno.permissions.querySync(permission);
  return state === "granted" && partial !== true;
}
function resolved(grant) {
  if (typeof grant !== "object") return [];
  return grant.map((path2) => resolve(path2.startsWith("/") ? path2 : `${Deno.cwd()}/${path2}`).path);
}
function permissionError([need, ...others]) {
  const { step, stepIndex } = need;
  const { grant, value, mend } = remedyOf(need);
  const where = step === void 0 ? "" : `step ${stepIndex + 1} (${step}): `;
  const more = others.length === 0 ? "" : `
  not granted either: ${others.map(describeAccess).join("; ")}`;
  const { step: _, stepIndex: __, ...subject } = need;
  const message2 = `${where}not granted: ${describeAccess(subject)}
  ${mend}${more}`;
  return new PermissionError(message2, grant, {
    value,
    step,
    stepIndex
  });
}
function remedyOf(need) {
  switch (need.kind) {
    case "read":
    case "write": {
      const { kind: grant, path: value } = need;
      const grants = `--allow-${grant}=${value}, or { ${grant}: [${JSON.stringify(value)}] }`;
      return {
        grant,
        value,
        mend: need.step === void 0 ? "the program sees all files of the host; pivotRoot() gives it a root of its own, and " + grants + " lets it see them" : `${grants}, grants it` + (grant === "write" ? UNCHANGED : "")
      };
    }
    case "net":
      return {
        grant: "net",
        mend: need.step === void 0 ? 'unshare("net") gives it a network of its own; --allow-net, or { net: true }, grants it' : "--allow-net, or { net: true }, grants it"
      };
    case "run":
      return {
        grant: "run",
        value: need.program,
        mend: `{ run: [${JSON.stringify(need.program)}] } grants it`
      };
    case "namespace":
      return {
        ...MACHINE,
        mend: `unshare("${need.namespace}") does without; ${MACHINE.mend}`
      };
    case "privilege":
      return {
        ...MACHINE,
        value: need.privilege,
        mend: 'unshare("user"), or capabilities({ keep: [] }) and noNewPrivileges(), does without; ' + MACHINE.mend
      };
    case "device":
      return {
        ...MACHINE,
        value: need.path
      };
    default:
      return MACHINE;
  }
}
var UNCHANGED = "; for what is only read, the program must not be able to mount: bind with { readOnly: true }, and capabilities({ keep: [] })";
var MACHINE = {
  grant: "run",
  mend: "--allow-run --allow-sys with --allow-ffi, or { run: true, sys: true }, grant all of the machine"
};

// plan/capability_model.ts
var ALL = Object.keys(CAPABILITIES);
var CapabilityModel = class {
  /** What may be gained; all where no step has limited it. */
  #bounding = ALL;
  /** What is passed on: the ambient set is within the inheritable one. */
  #inheritable;
  #userNamespaces = 0;
  /** How many user namespaces have been entered. */
  get userNamespaces() {
    return this.#userNamespaces;
  }
  /** Who enters a user namespace has all capabilities there, and passes none on. */
  enterUserNamespace() {
    this.#userNamespaces++;
    this.#bounding = ALL;
    this.#inheritable = [];
  }
  /** A step sets them. */
  limit({ keep, ...sets }) {
    const { bounding = keep, permitted, effective, inheritable, ambient } = sets;
    if (bounding !== void 0) {
      this.#bounding = this.#bounding.filter((name) => bounding.includes(name));
    }
    if ((keep ?? permitted ?? effective ?? inheritable ?? ambient) !== void 0) {
      this.#inheritable = keep ?? inheritable ?? ambient ?? [];
    }
  }
  /**
   * What a program can come to have. Any but root needs a setuid program for it, or a file with
   * capabilities, unless it is kept from gaining privileges.
   *
   * @param callers what the caller passes on
   */
  of({ uid, gainsNoPrivileges }, callers) {
    const passed = this.#inheritable ?? callers;
    const gained = uid !== 0 && gainsNoPrivileges ? [] : this.#bounding;
    return ALL.filter((name) => passed.includes(name) || gained.includes(name));
  }
  /** Whether these are all that there are. */
  static areAll(names) {
    return names.length === ALL.length;
  }
};

// plan/access/required.ts
var REACHING = [
  "pid",
  "ipc"
];
function requiredAccess(gate, command) {
  const { container } = gate;
  const { powers, own, joined, caller } = container;
  const uid = command?.uid ?? container.ids?.uid ?? (own.has("user") ? OVERFLOW_ID : caller.euid);
  const beginning = {
    uid,
    gainsNoPrivileges: container.gainsNoPrivileges
  };
  const capabilities2 = powers.of(beginning, caller.inheritable);
  const mayMount = capabilities2.includes("CAP_SYS_ADMIN");
  const holds = (userNamespaces) => !gate.remounts && (!mayMount || userNamespaces < powers.userNamespaces);
  const init2 = gate.init?.userNamespaces === powers.userNamespaces ? gate.init : void 0;
  const isContainerMount = (kind2) => own.has(kind2) && (init2?.own.has(kind2) ?? true);
  const needs = [];
  const confined = init2?.seesHost !== true && (gate.root === "own" || gate.root === "chroot" && capabilities2.length === 0);
  if (!confined) needs.push(...ALL_OF_THE_HOST);
  for (const { need, locksWith } of gate.noted) {
    if (locksWith === void 0 || !holds(locksWith)) needs.push(need);
  }
  if (caller.euid === 0 && gate.mapsRoot) needs.push(...gate.kernelFiles.needs(holds));
  if (!isContainerMount("net")) needs.push({
    kind: "net",
    host: "*"
  });
  const asHost = !own.has("user");
  for (const namespace of NAMESPACE_KINDS) {
    const reaching = REACHING.includes(namespace) || asHost && mayMount && namespace === "uts";
    if (reaching && !isContainerMount(namespace)) needs.push({
      kind: "namespace",
      namespace
    });
  }
  if (asHost) needs.push(...privileges(capabilities2));
  if (command !== void 0) needs.push(...ofCommand(command, container));
  return once2(needs.filter((need) => need.kind !== "namespace" || !joined.has(need.namespace)));
}
var OVERFLOW_ID = 65534;
var ALL_OF_THE_HOST = [
  {
    kind: "read",
    path: "/"
  },
  {
    kind: "write",
    path: "/"
  },
  {
    kind: "device",
    path: "/dev"
  }
];
function privileges(names) {
  if (CapabilityModel.areAll(names)) return [
    {
      kind: "privilege",
      privilege: "all"
    }
  ];
  return names.map((privilege) => ({
    kind: "privilege",
    privilege
  }));
}
function ofCommand({ program, uid, gid, variables }, { own, caller }) {
  const needs = [];
  if (!own.has("user")) {
    if (uid !== void 0 && uid !== caller.euid) {
      needs.push({
        kind: "identity",
        id: "uid",
        from: uid,
        count: 1
      });
    }
    if (gid !== void 0 && gid !== caller.egid) {
      needs.push({
        kind: "identity",
        id: "gid",
        from: gid,
        count: 1
      });
    }
  }
  needs.push({
    kind: "run",
    program
  });
  for (const name of variables) needs.push({
    kind: "env",
    name
  });
  return needs;
}
function once2(needs) {
  const known = /* @__PURE__ */ new Map();
  for (const need of needs) {
    const { step: _, stepIndex: __, ...subject } = need;
    const key = JSON.stringify(subject);
    if (!known.has(key)) known.set(key, need);
  }
  return [
    ...known.values()
  ];
}

// proxy/body.ts
var LINE_LIMIT = 64;
async function passBody(body, from, to) {
  if (body !== "chunked") return await passBytes(body.length, from, to);
  for (; ; ) {
    const line = await from.upTo("\r\n", LINE_LIMIT);
    if (!/^[0-9A-Fa-f]{1,8}\r\n$/.test(line)) throw new Refusal(400, "a chunk has no length");
    const length = parseInt(line, 16);
    await to.write(new TextEncoder().encode(`${length.toString(16)}\r
`));
    await passBytes(length, from, to);
    if (await from.upTo("\r\n", LINE_LIMIT) !== "\r\n") {
      throw new Refusal(400, "a chunk is longer than it says");
    }
    await to.write(new TextEncoder().encode("\r\n"));
    if (length === 0) return;
  }
}
async function passBytes(count2, from, to) {
  for (let left = count2; left > 0; ) {
    const part = await from.some(left);
    if (part.length === 0) throw new Refusal(400, "the body ends too early");
    await to.write(part);
    left -= part.length;
  }
}

// proxy/reader.ts
var Reader = class {
  #stream;
  #buffer = new Uint8Array();
  /** Reads from this stream. */
  constructor(stream) {
    this.#stream = stream;
  }
  /** The first byte, which stays to be read; `undefined` at the end. */
  async peek() {
    return await this.#more(1) ? this.#buffer[0] : void 0;
  }
  /** So many bytes. */
  async exactly(count2) {
    if (!await this.#more(count2)) throw new Refusal(400, "the request ends too early");
    return this.#take(count2);
  }
  /** Everything up to an ending, with it, if that is within so many bytes. */
  async upTo(ending, limit) {
    const decoder = new TextDecoder("latin1");
    for (let searched = 0; ; ) {
      const from = Math.max(0, searched - ending.length);
      const at2 = decoder.decode(this.#buffer.subarray(from, limit)).indexOf(ending);
      if (at2 >= 0) return decoder.decode(this.#take(from + at2 + ending.length));
      if (this.#buffer.length >= limit) throw new Refusal(431, "the request's head is too long");
      searched = this.#buffer.length;
      if (!await this.#more(searched + 1)) throw new Refusal(400, "the request ends too early");
    }
  }
  /** What comes next, at most so many bytes; empty at the end. */
  async some(limit = Infinity) {
    if (this.#buffer.length === 0) this.#buffer = await this.#stream.read();
    return this.#take(Math.min(limit, this.#buffer.length));
  }
  #take(count2) {
    const part = this.#buffer.subarray(0, count2);
    this.#buffer = this.#buffer.subarray(count2);
    return part;
  }
  /** Reads until there are so many bytes; whether there are. */
  async #more(count2) {
    while (this.#buffer.length < count2) {
      const part = await this.#stream.read();
      if (part.length === 0) return false;
      this.#buffer = concat([
        this.#buffer,
        part
      ]);
    }
    return true;
  }
};

// proxy/request.ts
var TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
var REQUEST_LINE = new RegExp(`^(${TOKEN}) ([\\x21-\\x7e]+) HTTP/1\\.([01])$`);
var HEADER3 = new RegExp(`^(${TOKEN}):[ \\t]*((?:[\\x21-\\x7e\\x80-\\xff](?:[ \\t\\x21-\\x7e\\x80-\\xff]*[\\x21-\\x7e\\x80-\\xff])?)?)[ \\t]*$`);
var HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "upgrade"
];
function parseRequest(head) {
  const lines = head.slice(0, -"\r\n\r\n".length).split("\r\n");
  const [first, ...rest] = lines;
  const match = REQUEST_LINE.exec(first);
  if (match === null) throw new Refusal(400, "this is no request to an HTTP proxy");
  const [, method, target, minor] = match;
  const headers = rest.map(parseHeader);
  if (method === "CONNECT") {
    bodyOf(headers, minor);
    return {
      kind: "tunnel",
      to: destination2(target, void 0)
    };
  }
  const url = /^http:\/\/([^/?#]*)((?:[/?][^#]*)?)$/i.exec(target);
  if (url === null) {
    throw new Refusal(400, `a proxy is asked for http://host/..., or by CONNECT, not ${target}`);
  }
  const to = destination2(url[1], 80);
  return {
    kind: "forward",
    to,
    head: forwarded(method, to, url[2], headers),
    body: bodyOf(headers, minor)
  };
}
function parseHeader(line) {
  const match = HEADER3.exec(line);
  if (match === null) throw new Refusal(400, "a line of the request's head is no header");
  return {
    name: match[1],
    value: match[2]
  };
}
function destination2(authority, port) {
  const host = parseHost(authority);
  const named = host?.port ?? port;
  if (host === void 0 || named === void 0) {
    throw new Refusal(400, `${authority} is no host with a port`);
  }
  return {
    name: host.name,
    port: named
  };
}
function bodyOf(headers, minor) {
  const values = (wanted) => headers.filter(({ name }) => name.toLowerCase() === wanted).map(({ value }) => value);
  const [lengths, codings] = [
    values("content-length"),
    values("transfer-encoding")
  ];
  if (lengths.length + codings.length > 1) {
    throw new Refusal(400, "the length of the body is said twice");
  }
  const [length] = lengths;
  if (length !== void 0) {
    if (!/^\d{1,15}$/.test(length)) throw new Refusal(400, "Content-Length is no number");
    return {
      length: Number(length)
    };
  }
  const [coding] = codings;
  if (coding === void 0) return {
    length: 0
  };
  if (coding.toLowerCase() !== "chunked" || minor !== "1") {
    throw new Refusal(400, "Transfer-Encoding can only be chunked, in HTTP/1.1");
  }
  return "chunked";
}
function forwarded(method, { name, port }, path2, headers) {
  const named = headers.filter(({ name: name2 }) => name2.toLowerCase() === "connection").flatMap(({ value }) => value.split(",").map((word4) => word4.trim().toLowerCase()));
  const left = /* @__PURE__ */ new Set([
    ...HOP_BY_HOP,
    ...named,
    "host"
  ]);
  for (const framing of [
    "content-length",
    "transfer-encoding"
  ]) left.delete(framing);
  const bracketed = name.includes(":") ? `[${name}]` : name;
  const asked = path2.startsWith("/") ? path2 : `/${path2}`;
  return [
    `${method} ${asked} HTTP/1.1`,
    `Host: ${bracketed}${port === 80 ? "" : `:${port}`}`,
    ...headers.filter(({ name: name2 }) => !left.has(name2.toLowerCase())).map(({ name: name2, value }) => `${name2}: ${value}`),
    "Connection: close",
    "\r\n"
  ].join("\r\n");
}

// proxy/socks.ts
var SOCKS_VERSION = 5;
var NO_AUTHENTICATION = 0;
var NONE_ACCEPTABLE = 255;
var CONNECT = 1;
var [IPV4, NAME2, IPV6] = [
  1,
  3,
  4
];
var REPLIES = {
  done: 0,
  notAllowed: 2,
  unreachable: 4,
  noSuchCommand: 7
};
async function socksDestination(from, client) {
  const [, count2] = await from.exactly(2);
  const methods = await from.exactly(count2);
  if (!methods.includes(NO_AUTHENTICATION)) {
    await client.write(Uint8Array.of(SOCKS_VERSION, NONE_ACCEPTABLE));
    return void 0;
  }
  await client.write(Uint8Array.of(SOCKS_VERSION, NO_AUTHENTICATION));
  const [version, command, reserved, type] = await from.exactly(4);
  if (version !== SOCKS_VERSION || reserved !== 0) throw new Refusal(400, "this is no SOCKS 5");
  const name = await readName(type, from);
  const [high, low] = await from.exactly(2);
  if (command !== CONNECT) {
    await replySocks("noSuchCommand", client);
    return void 0;
  }
  const host = name === void 0 ? void 0 : parseHost(`${name}:${high * 256 + low}`);
  if (host?.port === void 0) {
    await replySocks("notAllowed", client);
    return void 0;
  }
  return {
    name: host.name,
    port: host.port
  };
}
async function replySocks(reply, client) {
  await client.write(Uint8Array.of(SOCKS_VERSION, REPLIES[reply], 0, IPV4, 0, 0, 0, 0, 0, 0));
}
async function readName(type, from) {
  if (type === IPV4) return (await from.exactly(4)).join(".");
  if (type === IPV6) {
    const bytes = await from.exactly(16);
    const { buffer, byteOffset } = bytes;
    const view2 = new DataView(buffer, byteOffset, 16);
    const groups = Array.from({
      length: 8
    }, (_, i) => view2.getUint16(i * 2).toString(16));
    return `[${groups.join(":")}]`;
  }
  if (type !== NAME2) throw new Refusal(400, "this is no SOCKS 5");
  const [length] = await from.exactly(1);
  return new TextDecoder("latin1").decode(await from.exactly(length));
}

// proxy/connection.ts
var HEAD_LIMIT = 32 * 1024;
var PATIENCE2 = 3e4;
async function serve(client, connect, patience = PATIENCE2) {
  const from = new Reader(client);
  const timer = setTimeout(() => client.close(), patience);
  Deno.unrefTimer(timer);
  const whenAsked = () => clearTimeout(timer);
  try {
    const first = await from.peek();
    if (first === SOCKS_VERSION) await serveSocks(client, from, connect, whenAsked);
    else if (first !== void 0) await serveHttp(client, from, connect, whenAsked);
  } catch {
  } finally {
    clearTimeout(timer);
    client.close();
  }
}
async function serveHttp(client, from, connect, whenAsked) {
  let request;
  let host;
  try {
    request = parseRequest(await from.upTo("\r\n\r\n", HEAD_LIMIT));
    whenAsked();
    host = await connect(request.to);
  } catch (error) {
    return await refuse(error, client);
  }
  try {
    if (request.kind === "tunnel") {
      await client.write(new TextEncoder().encode("HTTP/1.1 200 OK\r\n\r\n"));
      return await passBoth(client, from, host);
    }
    await host.write(new TextEncoder().encode(request.head));
    const body = passBody(request.body, from, host).catch(() => host.close());
    await pass(new Reader(host), client);
    client.close();
    await body;
  } finally {
    host.close();
  }
}
async function serveSocks(client, from, connect, whenAsked) {
  const to = await socksDestination(from, client);
  if (to === void 0) return;
  whenAsked();
  let host;
  try {
    host = await connect(to);
  } catch (error) {
    const denied = error instanceof Refusal && error.status === 403;
    return await replySocks(denied ? "notAllowed" : "unreachable", client);
  }
  try {
    await replySocks("done", client);
    await passBoth(client, from, host);
  } finally {
    host.close();
  }
}
async function passBoth(client, from, host) {
  const both = [
    pass(from, host),
    pass(new Reader(host), client)
  ];
  try {
    await Promise.all(both);
  } finally {
    client.close();
    host.close();
    await Promise.allSettled(both);
  }
}
async function pass(from, to) {
  for (; ; ) {
    const part = await from.some();
    if (part.length === 0) return await to.end();
    await to.write(part);
  }
}
async function refuse(error, to) {
  if (!(error instanceof Refusal)) throw error;
  await to.write(error.toResponse());
  await to.end();
}

// proxy/proxy.ts
var AT_ONCE2 = 256;
var ContainerProxy = class {
  #listener;
  #watch;
  #connect;
  #open = /* @__PURE__ */ new Set();
  #whenFewer;
  /** Takes over a socket that listens and does not block. */
  constructor(listener, connect) {
    this.#listener = listener;
    this.#watch = reactor().watch(listener);
    this.#watch.keepAlive(false);
    this.#connect = async (to) => this.#noted(await connect(to));
    void this.#accept();
  }
  /** Closes the socket, and all connections. */
  close() {
    if (this.#watch.closed) return;
    this.#watch.close();
    syscall(close(this.#listener));
    this.#whenFewer?.();
    for (const stream of this.#open) stream.close();
  }
  async #accept() {
    while (!this.#watch.closed) {
      const socket = this.#next();
      if (socket === void 0) await this.#watch.ready("readable");
      else await this.#serve(socket);
    }
  }
  /** The next connection, if one waits. */
  #next() {
    return ifThere(() => syscall(accept(this.#listener)));
  }
  /** Serves a connection; resolves when there is room for another. */
  async #serve(socket) {
    const client = this.#noted(new ClientStream(socket));
    void serve(client, this.#connect).finally(() => this.#whenFewer?.());
    if (this.#open.size < AT_ONCE2) return;
    await new Promise((resolve2) => this.#whenFewer = resolve2);
    this.#whenFewer = void 0;
  }
  /** Closes the stream with the proxy, if it is not closed before. */
  #noted(stream) {
    const open3 = this.#open;
    const noted = {
      read: () => stream.read(),
      write: (bytes) => stream.write(bytes),
      end: () => stream.end(),
      close() {
        open3.delete(noted);
        stream.close();
      }
    };
    if (this.#watch.closed) stream.close();
    else open3.add(noted);
    return noted;
  }
};

// proxy/variables.ts
var PROXY_PORT = 3128;
function proxyVariables(hosts) {
  const address2 = `127.0.0.1:${PROXY_PORT}`;
  const variables = {
    HTTP_PROXY: `http://${address2}`,
    HTTPS_PROXY: `http://${address2}`,
    ALL_PROXY: `socks5h://${address2}`,
    // The container's own loopback interface, unless it is the script's that is meant.
    NO_PROXY: hosts.includesLoopback ? "" : "localhost,127.0.0.1,::1"
  };
  return Object.entries(variables).flatMap(([name, value]) => [
    [
      name,
      value
    ],
    [
      name.toLowerCase(),
      value
    ]
  ]);
}

// launch/slots.ts




// plan/mount_table.ts
var HOST_ROOT = {
  target: "/",
  own: false,
  certain: true
};
var MountTable = class {
  /** In the order in which they were made. */
  #mounts = [
    HOST_ROOT
  ];
  /**
   * A step has mounted something here: a filesystem of its own, or files of the host. It may depend
   * on the host whether it has.
   */
  mounted(target, own, certain = true) {
    this.#mounts = [
      ...this.#mounts,
      {
        target: normalize(target),
        own,
        certain
      }
    ];
  }
  /** The topmost mount here is gone. */
  unmounted(target) {
    const at2 = this.#mounts.findLastIndex((mount4) => mount4.target === normalize(target));
    if (at2 > 0) this.#mounts = this.#mounts.toSpliced(at2, 1);
  }
  /** Whether a step of the recipe has mounted anything that is in sight. */
  get hasMounts() {
    return this.#mounts.length > 1;
  }
  /** Whether a step of the recipe has mounted something exactly here. */
  isMountPoint(target) {
    const path2 = normalize(target);
    return this.#visible().some((mount4) => mount4 !== this.#mounts[0] && mount4.certain && mount4.target === path2);
  }
  /** Whether the path is known to be there: a mount point of the recipe's, or above one. */
  isThere(path2) {
    const directory = normalize(path2);
    return this.#visible().some(({ target, certain }) => certain && isWithin(target, directory));
  }
  /** Whether the path lies on a filesystem that the recipe has made. */
  isContainerMount(path2) {
    return this.mountOf(path2).own;
  }
  /** The mount that the path lies on: of the deepest, the one mounted last. */
  mountOf(path2) {
    return this.#mountOf(path2, this.#visible());
  }
  #mountOf(path2, mounts) {
    const normal = normalize(path2);
    return mounts.filter(({ target }) => isWithin(normal, target)).reduce((best, mount4) => mount4.target.length >= best.target.length ? mount4 : best);
  }
  /** Whether paths still begin at the root of the host. */
  get atHostRoot() {
    return this.#mounts[0] === HOST_ROOT;
  }
  /** Whether the path lies on what the host itself has at that place. */
  isHostRoot(path2) {
    return this.mountOf(path2) === HOST_ROOT;
  }
  /** Whether it may do so: the mounts are left out that need not be there. */
  mayBeHosts(path2) {
    return this.#mountOf(path2, this.#visible().filter(({ certain }) => certain)) === HOST_ROOT;
  }
  /** The root has become this directory. */
  enter(root) {
    const directory = normalize(root);
    if (directory === "/") return;
    const { own } = this.mountOf(directory);
    const inside2 = this.#visible().filter(({ target }) => target !== directory && isWithin(target, directory)).map((mount4) => ({
      ...mount4,
      target: mount4.target.slice(directory.length)
    }));
    this.#mounts = [
      {
        ...HOST_ROOT,
        own
      },
      ...inside2
    ];
  }
  /** The container is among mounts that others have made. */
  leave() {
    this.#mounts = [
      HOST_ROOT
    ];
  }
  /** The mounts that no later one covers with the directory that they lie in. */
  #visible() {
    return this.#mounts.filter(({ target }, index) => !this.#mounts.slice(index + 1).some((later) => later.target !== target && isWithin(target, later.target)));
  }
};

// plan/access/host_paths.ts
var HostPaths = class {
  #sequence;
  #ground;
  /** Goes by what the steps have mounted by the time that it is asked. */
  constructor(sequence, ground) {
    this.#sequence = sequence;
    this.#ground = ground;
  }
  /** Whether the path may be one of the host's that no step has brought in. */
  mayBeHosts(path2) {
    return this.#ground.atHostRoot && (climbs(path2) || this.#ground.mayBeHosts(path2));
  }
  /**
   * The path by which to open, without following links: `undefined` once the recipe is in a root of
   * its own, where links lead to nothing else.
   *
   * @param path begins with `/`
   */
  resolvedPath(path2) {
    return this.#ground.atHostRoot ? this.#placeOf(path2).path : void 0;
  }
  /** Where a path leads, without links; refuses the step where that has no path. */
  placeOf(path2) {
    const place2 = this.#placeOf(path2);
    if (place2.path.startsWith("/")) return place2;
    return this.#sequence.refuse(`${path2} is ${place2.path}, which has no path of its own`);
  }
  /** A source as a path from the root: one from the working directory is the script's. */
  hostSource(source) {
    if (source.startsWith("/")) return source;
    const moved = [
      "chdir",
      "chroot",
      "join"
    ].some((step) => this.#sequence.cameBefore(step));
    return moved || !this.#ground.atHostRoot ? void 0 : `${Deno.cwd()}/${source}`;
  }
  #placeOf(path2) {
    const mount4 = this.#ground.mountOf(path2);
    if (mount4 === HOST_ROOT || climbs(path2)) return resolve(path2);
    const normal = normalize(path2);
    if (normal !== mount4.target) {
      return below(this.#placeOf(mount4.target), mount4.target, normal);
    }
    const directory = directoryOf(normal);
    if (this.#ground.mountOf(directory) === HOST_ROOT) return resolve(path2);
    const { path: place2 } = this.#placeOf(directory);
    return {
      path: place2 === "/" ? `/${nameOf2(normal)}` : `${place2}/${nameOf2(normal)}`,
      type: void 0
    };
  }
};
function touches(path2, other) {
  return isWithin(path2, other) || isWithin(other, path2);
}
function climbs(path2) {
  return path2.split("/").includes("..");
}
function below(place2, directory, path2) {
  const rest = path2.slice(directory === "/" ? 0 : directory.length);
  return {
    path: (place2.path === "/" ? "" : place2.path) + rest,
    type: void 0
  };
}

// plan/access/kernel_files.ts
var KERNEL_FILES = {
  proc: {
    path: "/proc/sys",
    guards: [
      "sys",
      "sysrq-trigger"
    ]
  },
  sysfs: {
    path: "/sys",
    guards: [
      ""
    ]
  }
};
var KernelFiles = class {
  #mounts = [];
  /** How many user namespaces had been entered when a path was guarded. */
  #guarded = /* @__PURE__ */ new Map();
  /** A filesystem is there that can be written to. */
  mounted(mount4) {
    if (KERNEL_FILES[mount4.type] === void 0) return;
    this.#mounts.push({
      ...mount4,
      target: normalize(mount4.target)
    });
  }
  /** A path is kept from being changed. */
  guard(path2, userNamespaces) {
    this.#guarded.set(normalize(path2), userNamespaces);
  }
  /** A directory has become the root. */
  enter(directory) {
    this.#mounts = this.#mounts.filter(({ target }) => isWithin(target, directory)).map((mount4) => ({
      ...mount4,
      target: mount4.target.slice(directory.length) || "/"
    }));
    this.#guarded.clear();
  }
  /**
   * What of them is not kept from root.
   *
   * @param holds whether what was kept from change then is still so
   */
  needs(holds) {
    return this.#mounts.filter(({ target, type }) => !KERNEL_FILES[type].guards.every((name) => {
      const guarded = this.#guarded.get(normalize(`${target}/${name}`));
      return guarded !== void 0 && holds(guarded);
    })).map(({ type, step, stepIndex }) => ({
      kind: "write",
      path: KERNEL_FILES[type].path,
      stepIndex,
      step
    }));
  }
};

// plan/access/recorder.ts
var HARMLESS_TYPES = /* @__PURE__ */ new Set([
  "tmpfs",
  "ramfs",
  "proc",
  "sysfs",
  "mqueue",
  "devpts"
]);
var HARMLESS = [
  "null",
  "zero",
  "full",
  "random",
  "urandom",
  "tty"
].map((name) => `/dev/${name}`);
var AccessRecorder = class {
  /** What the steps have made of the container. */
  container;
  /** Where paths lead on the host. */
  places;
  /** What a network of the container's own is to have. */
  network;
  noted = [];
  /** Whose root the program gets: the host's; a directory by chroot(2), which holds few in; its own. */
  root = "host";
  /** Where an init has stayed behind, which a program may get hold of. */
  init;
  /** Whether a step may make mounts writable that could only be read. */
  remounts = false;
  /** Whether the host's root has an id in the user namespace. */
  mapsRoot = true;
  /** The files by which root changes the machine. */
  kernelFiles = new KernelFiles();
  /** Variables that the steps take from the script's environment. */
  variables = /* @__PURE__ */ new Set();
  #sequence;
  /** Notes what these steps reach for, as they make this of the container. */
  constructor(sequence, container, { network }) {
    this.#sequence = sequence;
    this.container = container;
    this.places = new HostPaths(sequence, container.ground);
    this.network = network;
  }
  /** Notes a need of the step that is writing. */
  note(need, locksWith) {
    const { index } = this.#sequence;
    const whole = {
      ...need,
      stepIndex: index,
      step: this.#sequence.nameOf(index)
    };
    this.noted.push({
      need: whole,
      ...locksWith !== void 0 && {
        locksWith
      }
    });
  }
  /** A step hands a variable of the script's environment on. */
  handsOn(variable) {
    this.variables.add(variable);
    this.note({
      kind: "env",
      name: variable
    });
  }
  /** A step reads a path. */
  reads(path2) {
    if (!this.places.mayBeHosts(path2)) return;
    this.note({
      kind: "read",
      path: this.places.placeOf(path2).path
    });
  }
  /** A step lays a directory below others. */
  lays(path2) {
    if (!this.places.mayBeHosts(path2)) return;
    const { path: place2 } = this.places.placeOf(path2);
    this.note({
      kind: "read",
      path: place2
    });
    if (touches(place2, "/dev")) this.note({
      kind: "device",
      path: "/dev"
    });
    if (touches(place2, "/proc")) this.note({
      kind: "namespace",
      namespace: "pid"
    });
  }
  /** A step makes or changes a path. */
  changes(path2) {
    if (!this.places.mayBeHosts(path2)) return;
    this.note({
      kind: "write",
      path: this.places.placeOf(path2).path
    });
  }
  /** A step shows a path in the container, unless it is missing and may be. */
  shows(path2, { readOnly, noDevices, optional: optional2 }) {
    if (!this.places.mayBeHosts(path2)) return "shown";
    const { path: place2, type } = this.places.placeOf(path2);
    if (type === void 0 && optional2 === true) return "missing";
    if (!HARMLESS.includes(place2)) {
      this.note({
        kind: "read",
        path: place2
      });
      const locks = readOnly === true && type !== "socket" && type !== "pipe";
      this.note({
        kind: "write",
        path: place2
      }, locks ? this.container.powers.userNamespaces : void 0);
      if (noDevices !== true && (type === "device" || touches(place2, "/dev"))) {
        this.note({
          kind: "device",
          path: type === "device" ? place2 : "/dev"
        });
      }
    }
    if (touches(place2, "/proc")) this.note({
      kind: "namespace",
      namespace: "pid"
    });
    return "shown";
  }
  /** A step mounts a new filesystem. */
  mounts({ source, target, type, options }) {
    if ((parseMountOptions(options).flags & MS_RDONLY) === 0) {
      const { index: stepIndex } = this.#sequence;
      this.kernelFiles.mounted({
        target,
        type,
        step: this.#sequence.nameOf(stepIndex),
        stepIndex
      });
    }
    if (HARMLESS_TYPES.has(type)) return;
    if (type === "overlay") return this.reachesAll();
    if (type === "cgroup" || type === "cgroup2") {
      if (!this.container.own.has("cgroup")) this.note({
        kind: "namespace",
        namespace: "cgroup"
      });
      return;
    }
    this.note({
      kind: "device",
      path: source
    });
  }
  /** A step gives a mount other options. */
  remountsWith(flags2) {
    if ((flags2 & MS_RDONLY) === 0) this.remounts = true;
  }
  /** A step keeps a path from being changed. */
  guards(path2) {
    this.kernelFiles.guard(path2, this.container.powers.userNamespaces);
  }
  /** A step makes a directory the root. */
  enters(path2, by) {
    const directory = normalize(path2);
    if (directory === "/") return;
    const { ground } = this.container;
    if (by === "chroot" || !ground.isMountPoint(directory)) this.shows(path2, {});
    if (by === "chroot" && this.init !== void 0 && this.root !== "own") {
      this.init.seesHost = true;
    }
    if (this.root === "host") this.root = by === "chroot" ? "chroot" : "own";
    this.kernelFiles.enter(directory);
  }
  /** The process goes on as the init, in the namespaces that the container has by now. */
  leavesInit() {
    this.init = {
      userNamespaces: this.container.powers.userNamespaces,
      own: new Set(this.container.own),
      seesHost: false
    };
  }
  /** A step has made a mount namespace: an init stays in the one before. */
  entersMounts() {
    if (this.init !== void 0 && this.root !== "own") this.init.seesHost = true;
  }
  /** A step changes the host's network. */
  changesNetwork() {
    this.note({
      kind: "net",
      host: "*"
    });
    this.note({
      kind: "privilege",
      privilege: "CAP_NET_ADMIN"
    });
  }
  /** A step becomes other ids. */
  becomes(ids2) {
    if (this.container.own.has("user")) return;
    this.#identify("uid", ids2.uid, 1);
    for (const gid of [
      ids2.gid,
      ...ids2.groups ?? []
    ]) this.#identify("gid", gid, 1);
  }
  /** A step maps ids into the first user namespace. */
  maps({ uids, gids }) {
    if (this.container.powers.userNamespaces !== 1) return;
    this.mapsRoot = uids.some(({ outside: outside2 }) => outside2 === 0);
    for (const { outside: outside2, count: count2 } of uids) this.#identify("uid", outside2, count2);
    for (const { outside: outside2, count: count2 } of gids) this.#identify("gid", outside2, count2);
  }
  #identify(id2, from, count2) {
    const own = id2 === "uid" ? this.container.caller.euid : this.container.caller.egid;
    if (count2 === 1 && from === own) return;
    this.note({
      kind: "identity",
      id: id2,
      from,
      count: count2
    });
  }
  /** A step does what may reach anything of the host, as nobody can tell from the steps. */
  reachesAll() {
    if (!this.container.ground.atHostRoot) return;
    this.note({
      kind: "read",
      path: "/"
    });
    this.note({
      kind: "write",
      path: "/"
    });
  }
  /**
   * A step writes to a file of /proc, which the recipe may have covered with files that lead
   * elsewhere.
   */
  writesProc() {
    if (!this.container.ground.isHostRoot("/proc/self")) this.reachesAll();
  }
};

// host/credentials.ts


// plan/planned_state.ts
var PlannedState = class {
  /** The kinds of namespaces that are no longer the host's. */
  own = /* @__PURE__ */ new Set();
  /** The kinds of namespaces that are others' too. */
  joined = /* @__PURE__ */ new Set();
  /** Which paths are the recipe's and which are the host's. */
  ground = new MountTable();
  /** What is open of its networks. */
  network = {};
  /** Who the process has become, in its user namespace; at first it is the caller. */
  ids;
  /** Whether the user namespace has its id maps. */
  idsMapped = false;
  /** Whether the user namespace lies in another one of the container's. */
  nestedUser = false;
  /** Whether setgroups(2) is denied in the user namespace. */
  setgroupsDenied = false;
  /** What the steps leave the program of its capabilities. */
  powers = new CapabilityModel();
  /** Whether the program cannot gain privileges by execve(2). */
  gainsNoPrivileges = false;
  /** Changes of the environment. */
  environment = /* @__PURE__ */ new Map();
  /** Whether the program gets the variables of `environment` only, and none of the script's. */
  clearsEnvironment = false;
  /** Whether the program leads a session already. */
  sessionLeader = false;
  /** The multiplexer of the container's own terminals, where it has them: `/dev/ptmx`. */
  terminals;
  /** Whether processes that nobody vouches for can see the container while it is being made. */
  exposed = false;
  #caller;
  /** Who runs the recipe, and whom the container begins as. */
  get caller() {
    return this.#caller ??= callerOf();
  }
  /** It has entered namespaces of others. */
  joins(kinds) {
    for (const kind2 of kinds) {
      this.own.add(kind2);
      this.joined.add(kind2);
    }
    if (kinds.has("mount")) this.ground.leave();
    if (kinds.has("user")) {
      this.powers.enterUserNamespace();
      this.idsMapped = true;
    }
  }
  /** It has made namespaces of its own. */
  unshares(kinds) {
    if (kinds.has("user")) {
      this.powers.enterUserNamespace();
      this.nestedUser = this.own.has("user");
      this.idsMapped = false;
    }
    for (const kind2 of kinds) {
      this.own.add(kind2);
      this.joined.delete(kind2);
    }
  }
};

// plan/step_cursor.ts
var StepCursor = class {
  #steps;
  #index = 0;
  /** These steps; the first is about to write. */
  constructor(steps) {
    this.#steps = steps;
  }
  /** The next step begins to write. */
  begin(index) {
    this.#index = index;
  }
  /** The position of the step that is writing. */
  get index() {
    return this.#index;
  }
  /** The name of the step with this number. */
  nameOf(index) {
    return this.#steps[index].step;
  }
  /** Refuses the step that is writing. */
  refuse(message2) {
    throw new RecipeError(message2, {
      step: this.nameOf(this.#index),
      stepIndex: this.#index
    });
  }
  /** Whether a step of this name stands before the one that is writing. */
  cameBefore(step) {
    return this.#steps.slice(0, this.#index).some((earlier) => earlier.step === step);
  }
  /** Whether a step of this name will write later. */
  comesLater(step) {
    return this.#steps.slice(this.#index + 1).some((later) => later.step === step);
  }
  /** The directory that a later step will make the root. */
  get nextRoot() {
    const next = this.#steps.slice(this.#index + 1).find((step) => step.step === "pivotRoot" || step.step === "chroot");
    return next && normalize(next.path);
  }
  /**
   * The directory that a later step will make the root, if the path lies in it. What lies there may
   * be anybody's, so paths in it are resolved as if it already were the root.
   */
  rootOf(path2) {
    const root = this.nextRoot;
    const target = normalize(path2);
    return root !== void 0 && root !== "/" && target !== root && isWithin(target, root) ? root : void 0;
  }
};

// plan/builder.ts
var PlanBuilder = class {
  /** The steps, and which of them is writing. */
  sequence;
  /** What the container has become by now. */
  container = new PlannedState();
  /** Notes what the steps reach for of the host, where that is to be known. */
  gate;
  /** The stages so far; steps write to the last. */
  stages = [
    newProcess()
  ];
  /** The step that made each call. */
  stepOf = /* @__PURE__ */ new Map();
  /** Calls that are made last, when nothing is left to do but to begin the program. */
  beforeProgram = [];
  /** What the script opens for the container. */
  handed = [];
  /** Meetings, in their order. */
  meetings = [];
  /** A socket of the container's network that is sent to the script, which accepts connections. */
  listener;
  /** Flags that the first clone(2) takes, so that no unshare(2) is needed. */
  cloneFlags = 0;
  /** The step that those flags serve first. */
  cloneStep;
  /** The signal that the container gets when the script ends, by number; 0 for none. */
  deathSignal = 9;
  /** Whether the first stage is there only to keep the script out of reach; see {@linkcode limitTo}. */
  shielded = false;
  #limits;
  /**
   * A draft of these steps, which {@linkcode draftOf} lets write to it.
   *
   * @param gate whether it is to be known what they reach for of the host
   */
  constructor(steps, gate) {
    this.sequence = new StepCursor(steps);
    this.gate = gate && new AccessRecorder(this.sequence, this.container, gate);
  }
  /** The stage that is being written. */
  get stage() {
    return this.stages.at(-1);
  }
  /** The process that lives as long as the container: its init, or the program. */
  get main() {
    return this.stages.find((stage) => stage.then === "init") ?? this.stage;
  }
  /** Whether a process stays behind as the init. */
  get hasInit() {
    return this.main.then === "init";
  }
  /** Whether no call has been written yet: then namespaces can still be made by the first clone. */
  get untouched() {
    return this.stages.length === 1 && this.stage.parts.length === 0;
  }
  /** Leaves namespaces to the first clone. */
  cloneWith(flags2) {
    this.cloneFlags |= flags2;
    this.cloneStep ??= this.sequence.index;
  }
  /** Adds a call and answers it, so that later calls can refer to its result. */
  call(call2, edges = {}) {
    this.stage.parts.push({
      call: call2,
      ...edges
    });
    this.stepOf.set(call2, this.sequence.index);
    return call2;
  }
  /** A place that edges of earlier calls can go on to. */
  place(label) {
    this.stage.parts.push(label);
  }
  /**
   * Adds a call that limits the program, and with it the launch: it is made when all else is done,
   * wherever its step stands.
   */
  lastly(call2) {
    this.beforeProgram.push(call2);
    this.stepOf.set(call2, this.sequence.index);
  }
  /** Keeps the program from gaining privileges, as the kernel wants it of who limits programs. */
  gainNoPrivileges() {
    if (this.container.gainsNoPrivileges) return;
    this.container.gainsNoPrivileges = true;
    this.lastly(prctl(PR_SET_NO_NEW_PRIVS, 1));
  }
  /** Refuses the step that is writing. */
  refuse(message2) {
    this.sequence.refuse(message2);
  }
  /** Refuses the step, unless the container has a namespace of this kind by now. */
  needs(kind2, otherwise) {
    if (this.container.own.has(kind2)) return;
    this.refuse(`${otherwise}; put unshare("${kind2}") before it`);
  }
  /**
   * Refuses the step, if the container is in another pid namespace than the script: the kernel then
   * tells the number of a new process as it is there, and the script could not find it.
   */
  needsHostPids() {
    if (!this.container.own.has("pid")) return;
    this.refuse("the container is in a pid namespace of its own already; for one within it, run a second recipe in the container");
  }
  /** Refuses the step, unless the path is on a filesystem that the recipe has made. */
  requireContainerMount(path2) {
    this.needs("mount", `${path2} would be made on the host`);
    if (this.container.ground.isContainerMount(path2)) return;
    this.refuse(`${path2} is the host's, and would stay there; mount a tmpfs or an overlay there first, or say { host: true }`);
  }
  /** Goes on in a new process; the one so far ends, or stays as the init. */
  fork(then) {
    this.stage.then = then;
    this.stages.push(newProcess());
    this.container.sessionLeader = false;
  }
  /** Has the script open something for the container, before there is one. */
  hand(call2, text4, check) {
    const descriptor = new Output(4, `&${text4}`);
    const stepIndex = this.sequence.index;
    this.handed.push({
      stepIndex,
      call: call2,
      descriptor,
      ...check && {
        check
      }
    });
    return new OutputField(descriptor, 0, text4);
  }
  /** The container waits here until the script has done its part. */
  meet(acts) {
    const byte = new Output(1, "&byte");
    const arrival = this.call(call("write", CONTAINER_SOCKET, byte, 1));
    this.call(call("read", CONTAINER_SOCKET, byte, 1), {
      onZero: EXIT_CHILD
    });
    this.meetings.push({
      stepIndex: this.sequence.index,
      arrival,
      acts
    });
    this.#shield();
  }
  /** The limits of the container's control group, where it is to have one, and their step. */
  get limits() {
    return this.#limits;
  }
  /** Gives the container a control group with limits. */
  limitTo(limits2) {
    if (this.#limits !== void 0) {
      this.refuse("the container has its limits already; they hold for all of it");
    }
    this.#limits = {
      stepIndex: this.sequence.index,
      limits: limits2
    };
    this.#shield();
  }
  /**
   * Where memory is short in a group, the kernel kills a process with all that share its memory, as
   * the script does until the program has begun. It spares those whose maker sleeps meanwhile
   * (CLONE_VFORK); and as a script that meets its container cannot, another process sleeps for it.
   */
  #shield() {
    if (this.shielded || this.#limits === void 0 || this.meetings.length === 0) return;
    this.shielded = true;
    this.stages.unshift({
      ...newProcess(),
      then: "exit"
    });
  }
};

// launch/runtime_fds.ts




function plannedResources() {
  const ignored = hasClone3() ? ignoredSignals() : void 0;
  return {
    script: -1,
    init: -1,
    thread: {
      address: 0n,
      id: 0
    },
    ignored
  };
}
function initImage() {
  return engine().once("init's image", () => {
    const fd = syscall(memfd_create("ramekin-init", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    const image = Uint8Array.fromBase64(INIT[engine().architecture]);
    syscall(write(fd, image, image.length));
    syscall(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE));
    return fd;
  });
}

// launch/host_services/tool.ts
function hostTool(program, args, stdio) {
  return {
    program,
    args,
    environment: environmentBlock(environmentStrings(), /* @__PURE__ */ new Map()),
    searchPath: environmentVariable("PATH") ?? DEFAULT_PATH,
    cwd: void 0,
    uid: void 0,
    gid: void 0,
    stdio,
    terminal: void 0,
    resources: resources(false)
  };
}

// launch/stdio.ts
var StandardStreams = class {
  #kinds;
  #pipes = [];
  /**
   * Opens the pipes that the kinds of stdin, stdout and stderr ask for.
   *
   * @throws {SyscallError} where no more files may be open
   */
  constructor(kinds) {
    this.#kinds = kinds;
    try {
      kinds.forEach((kind2, fd) => this.#pipes.push(kind2 === "piped" ? openPipe(fd) : void 0));
    } catch (error) {
      this.close();
      throw error;
    }
  }
  /** What the program gets. */
  get theirs() {
    return this.#kinds.map((kind2, fd) => {
      const pipe = this.#pipes[fd];
      return pipe === void 0 ? kind2 : {
        fd: pipe.theirs
      };
    });
  }
  /** The same for a launch that is prepared once: the numbers of what {@linkcode stdioSlots} has. */
  get numbers() {
    const numbers = /* @__PURE__ */ new Map();
    this.#pipes.forEach((pipe, fd) => {
      if (pipe !== void 0) numbers.set(PLACES[fd], pipe.theirs);
    });
    return numbers;
  }
  /** Once the program has its sides: closes them here, and answers the script's. */
  release() {
    const calls = this.#pipes.flatMap((pipe) => pipe === void 0 ? [] : [
      {
        call: close(pipe.theirs)
      },
      {
        call: fcntl(pipe.ours, F_SETFL, O_NONBLOCK)
      }
    ]);
    if (calls.length > 0) syscalls(calls);
    return this.#pipes.map((pipe) => pipe?.ours);
  }
  /** Closes both sides of every pipe. */
  close() {
    for (const pipe of this.#pipes) {
      if (pipe === void 0) continue;
      syscall(close(pipe.ours));
      syscall(close(pipe.theirs));
    }
  }
};
var PLACES = [
  "stdin",
  "stdout",
  "stderr"
].map((name) => new Output(4, `&${name}`));



// launch/host_services/id_maps.ts
function runIdMapTool(launch2, tool, args) {
  const streams = new StandardStreams([
    "null",
    "null",
    "piped"
  ]);
  let launched;
  try {
    launched = launch2(new PlanBuilder([]), hostTool(tool, args, streams.theirs));
  } catch (error) {
    streams.close();
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UnsupportedError(`an ordinary user needs ${tool} to map more than the own id (Debian: uidmap); install it, or use mapRoot()`, {
      cause: error
    });
  }
  const { success, stderr } = collectSync(launched, streams.release(), void 0);
  if (success) return;
  throw new UnsupportedError(`${tool} ${args.join(" ")}: ${new TextDecoder().decode(stderr).trim()}
  /etc/subuid and /etc/subgid say which ids an ordinary user may map: see subuid(5)`);
}

// launch/launcher.ts

function launch(draft, order2, alter) {
  return spawn(prepare(draft, order2), /* @__PURE__ */ new Map(), alter);
}




function clearAway(started2) {
  const { layout, outcome } = started2;
  for (const pid of children(started2)) {
    syscall(kill(pid, SIGNALS.SIGKILL));
    reap(pid);
  }
  if (layout.pidfd !== void 0 && outcome.result(layout.pidfd) > 0n) {
    syscall(close(Number(outcome.result(layout.pidfd))));
  }
  if (hasSockets(started2)) syscall(close(socketOf(outcome)));
}


function reap(pid) {
  syscalls([
    {
      call: waitid(P_PID, pid, null, WEXITED),
      accept: [
        "ECHILD"
      ]
    }
  ]);
}


function socketOf(outcome) {
  return outcome.output(SYNC_SOCKETS).getInt32(0, true);
}
function receive(socket) {
  const control = controlOutput();
  const call2 = receiveDescriptor(socket, control);
  const outcome = syscalls([
    {
      call: call2,
      accept: [
        "ECONNRESET"
      ]
    }
  ]);
  return descriptorOf(outcome.output(control));
}

// launch/listing.ts
var Plan = class {
  /** What is done, in order. */
  entries;
  /** Use `plan()` of a recipe or a command. */
  constructor(draft, layout, cgroup = []) {
    const before = [
      ...cgroup.map((call2) => ({
        call: call2,
        stepIndex: draft.limits.stepIndex
      })),
      ...draft.handed
    ];
    const entries = before.map(({ call: call2, stepIndex }) => ({
      stepIndex,
      part: draft.sequence.nameOf(stepIndex),
      by: "script",
      call: describeCall(call2)
    }));
    for (const part of layout.parts) {
      if (!("call" in part)) continue;
      const { call: call2 } = part;
      const stepIndex = stepOf(call2, draft, layout);
      const chapter = layout.chapters.get(call2);
      if (chapter === "failure") continue;
      entries.push({
        ...stepIndex === void 0 ? {} : {
          stepIndex
        },
        part: stepIndex === void 0 ? PARTS2[chapter] : draft.sequence.nameOf(stepIndex),
        by: chapter === "script" || call2 === layout.clone ? "script" : "container",
        call: describeCall(call2)
      });
      const meeting = draft.meetings.find((meeting2) => meeting2.arrival === call2);
      if (meeting !== void 0) entries.push(...scriptsPart(draft, meeting));
    }
    this.entries = entries;
  }
  /** The plan as text: a heading for each step, and its calls below. */
  toString() {
    const lines = [];
    let heading;
    for (const [index, entry] of this.entries.entries()) {
      const number = entry.stepIndex === void 0 ? "" : `${entry.stepIndex + 1} `;
      if (heading !== number + entry.part) lines.push(heading = number + entry.part);
      if (isRepeated(this.entries, index)) continue;
      lines.push(`    ${entry.by === "script" ? "script: " : ""}${entry.call}`);
    }
    return lines.join("\n");
  }
  /** The entries, as JSON has them. */
  toJSON() {
    return this.entries;
  }
};
var PARTS2 = {
  begin: "the container begins",
  clone: "a process is made",
  failure: "when it fails",
  init: "the init",
  limits: "the limits",
  program: "the program",
  script: "the script"
};
function scriptsPart(draft, { stepIndex, acts }) {
  const part = draft.sequence.nameOf(stepIndex);
  return acts("PID").flatMap((act) => "calls" in act ? act.calls.map(describeCall) : "begin" in act ? act.does : [
    [
      act.program,
      ...act.args
    ].join(" ")
  ]).map((call2) => ({
    stepIndex,
    part,
    by: "script",
    call: call2
  }));
}
function isRepeated(entries, index) {
  const name = (entry) => entry?.call.replace(/\(.*/s, "");
  const same = name(entries[index - 1]);
  return same === name(entries[index]) && same === name(entries[index + 1]) && SERIES.has(same ?? "");
}
var SERIES = /* @__PURE__ */ new Set([
  "rt_sigaction",
  "prctl",
  "execve"
]);

// container/short_program.ts
var PATIENCE_MS = 1;

var UNANSWERED = [
  "EINTR",
  "ENOMEM"
];


// container/terminal/raw_mode.ts
var TERMIOS = {
  iflag: 0,
  oflag: 4,
  cflag: 8,
  lflag: 12,
  vtime: 22,
  vmin: 23,
  size: 36
};
var RawMode = class _RawMode {
  #fd;
  #saved;
  #guard;
  constructor(fd, saved) {
    this.#fd = fd;
    this.#saved = saved;
    this.#guard = new Guard(fd, saved);
  }
  /** Puts the terminal behind the descriptor into raw mode; there may be none. */
  static of(fd) {
    const settings2 = new Output(TERMIOS.size, "&termios");
    let saved;
    try {
      saved = syscalls([
        {
          call: ioctl(fd, TCGETS, settings2)
        }
      ]).output(settings2);
    } catch (error) {
      if (error instanceof SyscallError && error.code === "ENOTTY") return void 0;
      throw error;
    }
    const bytes = new Uint8Array(saved.buffer, saved.byteOffset, TERMIOS.size).slice();
    const mode2 = new _RawMode(fd, new Struct(bytes, "&termios"));
    syscall(ioctl(fd, TCSETS, new Struct(raw3(bytes), "&raw")));
    return mode2;
  }
  /** Puts the terminal back. */
  restore() {
    syscall(ioctl(this.#fd, TCSETS, this.#saved));
    this.#guard.dismiss();
  }
};
function raw3(saved) {
  const bytes = saved.slice();
  const view2 = new DataView(bytes.buffer);
  const clear = (at2, bits) => view2.setUint32(at2, (view2.getUint32(at2, true) & ~bits) >>> 0, true);
  clear(TERMIOS.iflag, 1 | 2 | 8 | 32 | 64 | 128 | 256 | 1024);
  clear(TERMIOS.oflag, 1);
  clear(TERMIOS.lflag, 8 | 64 | 2 | 1 | 32768);
  clear(TERMIOS.cflag, 48 | 256);
  view2.setUint32(TERMIOS.cflag, view2.getUint32(TERMIOS.cflag, true) | 48, true);
  bytes[TERMIOS.vmin] = 1;
  bytes[TERMIOS.vtime] = 0;
  return bytes;
}
var Guard = class {
  #memory;
  #pid;
  constructor(terminal, saved) {
    const [pid, mask2] = [
      new Output(4, "&pid"),
      new Output(8, "&mask")
    ];
    const [child, ended] = [
      new Label("guard"),
      new Label("guard ends")
    ];
    const program = assemble([
      // A handler of the script's must not run in the guard, on its memory.
      {
        call: rt_sigprocmask("all", mask2)
      },
      {
        call: clone(CLONE_VM, pid),
        onZero: child
      },
      {
        call: rt_sigprocmask(mask2, null),
        onZero: END
      },
      child,
      {
        call: setsid(),
        onFailure: ended
      },
      {
        call: dup3(terminal, 0, 0),
        accept: [
          "EINVAL"
        ],
        onFailure: ended
      },
      {
        call: dup3(scriptPidfd(), 1, 0),
        onFailure: ended
      },
      {
        call: close_range(2, 4294967295, 0),
        onFailure: ended
      },
      {
        call: ppoll([
          {
            fd: 1,
            events: POLLIN
          }
        ], void 0),
        onFailure: ended
      },
      {
        call: ioctl(0, TCSETS, saved),
        onFailure: ended
      },
      ended,
      {
        call: exit_group(0)
      }
    ], engine().architecture);
    this.#memory = engine().allocate(program.bytes.length);
    place(program, this.#memory);
    engine().runIn(this.#memory);
    this.#pid = this.#memory.view.getInt32(program.outputs.get(pid), true);
  }
  dismiss() {
    syscall(kill(this.#pid, SIGNALS.SIGKILL));
    syscall(waitid(P_PID, this.#pid, null, WEXITED));
    engine().release(this.#memory);
  }
};

// container/terminal/terminal.ts
var WINSIZE_SIZE = 8;
var ProgramTerminal = class {
  /** What the program gets. */
  theirs;
  /** Whether the program's side is open here still. */
  #hasTheirs = true;
  #master;
  #relays = [];
  #output;
  #rawMode;
  #onResize;
  #finished = Promise.resolve();
  /** Opens it here, or has the container open it where that has terminals of its own. */
  constructor(inContainer) {
    const size2 = new Struct(windowSize() ?? new Uint8Array(WINSIZE_SIZE), "&size");
    if (inContainer) {
      const reserved = syscall(fcntl(scriptPidfd(), F_DUPFD_CLOEXEC, 3));
      this.theirs = {
        place: "container",
        reserved,
        size: size2
      };
      return;
    }
    const flags2 = O_RDWR | O_NOCTTY | O_CLOEXEC;
    const master = this.#master = syscall(openat(at_fdcwd, "/dev/ptmx", flags2));
    try {
      syscall(ioctl(master, TIOCSPTLCK, new Struct(new Uint8Array(4), "&0")));
      syscall(ioctl(master, TIOCSWINSZ, size2));
      this.theirs = {
        place: "script",
        fd: syscall(ioctl(master, TIOCGPTPEER, flags2))
      };
    } catch (error) {
      syscall(close(master));
      throw error;
    }
  }
  /**
   * Once the program has its side: joins the script's terminal with it, and answers the descriptors
   * of the streams that are to be the script's own instead.
   */
  join(received, kinds) {
    this.#closeTheirs();
    const master = this.#master ??= received;
    syscall(fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK));
    const [stdin, stdout] = kinds;
    if (stdin === "inherit") this.#takeInput(master);
    if (stdout === "inherit") this.#finished = this.#giveOutput(master);
    const descriptors = [];
    try {
      for (const kind2 of [
        stdin,
        stdout
      ]) {
        descriptors.push(kind2 === "piped" ? duplicate(master) : void 0);
      }
    } catch (error) {
      for (const fd of descriptors) if (fd !== void 0) syscall(close(fd));
      throw error;
    }
    syscall(close(master));
    this.#master = void 0;
    return descriptors;
  }
  /** Once the program has ended: shows the rest of its output, and puts the terminal back. */
  async leave() {
    this.#output?.abandon();
    await this.#finished;
    this.close();
  }
  /** Puts everything back. */
  close() {
    if (this.#onResize !== void 0) Deno.removeSignalListener("SIGWINCH", this.#onResize);
    this.#onResize = void 0;
    this.#rawMode?.restore();
    this.#relays.splice(0).forEach((relay) => relay.close());
    if (this.#master !== void 0) syscall(close(this.#master));
    this.#master = void 0;
    this.#closeTheirs();
  }
  #closeTheirs() {
    if (!this.#hasTheirs) return;
    this.#hasTheirs = false;
    syscall(close(this.theirs.place === "script" ? this.theirs.fd : this.theirs.reserved));
  }
  #takeInput(master) {
    const target = this.#relay(duplicate(master));
    this.#rawMode = RawMode.of(0);
    this.#onResize = () => {
      const size2 = windowSize();
      if (size2 !== void 0) syscall(ioctl(target.fd, TIOCSWINSZ, new Struct(size2, "&size")));
    };
    Deno.addSignalListener("SIGWINCH", this.#onResize);
    void this.#copyInput(target);
  }
  async #copyInput(target) {
    const input = duplicate(0);
    try {
      const source = this.#relay(input, true);
      for await (const bytes of chunks(() => source.read())) await target.write(bytes);
    } catch (error) {
      if (!(error instanceof SyscallError && error.code === "EPERM")) throw error;
      for await (const bytes of chunks(() => readSome2(input))) await target.write(bytes);
      syscall(close(input));
    }
    if (!target.closed) await target.write(END_OF_INPUT);
  }
  async #giveOutput(master) {
    const source = this.#output = this.#relay(duplicate(master));
    for await (const bytes of chunks(() => source.read())) await writeToStdout(bytes);
  }
  #relay(fd, blocking = false) {
    const relay = new FdStream(fd, blocking);
    this.#relays.push(relay);
    return relay;
  }
};
var END_OF_INPUT = new Uint8Array([
  4
]);
async function* chunks(read3) {
  for (; ; ) {
    const bytes = await read3();
    if (bytes.length === 0) return;
    yield bytes;
  }
}
async function writeToStdout(bytes) {
  for (let done = 0; done < bytes.length; ) done += await Deno.stdout.write(bytes.subarray(done));
}
function duplicate(fd) {
  return syscall(fcntl(fd, F_DUPFD_CLOEXEC, 3));
}
function windowSize() {
  const size2 = new Output(WINSIZE_SIZE, "&size");
  for (const fd of [
    0,
    1,
    2
  ]) {
    try {
      const view2 = syscalls([
        {
          call: ioctl(fd, TIOCGWINSZ, size2)
        }
      ]).output(size2);
      return new Uint8Array(view2.buffer, view2.byteOffset, WINSIZE_SIZE).slice();
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
    }
  }
  return void 0;
}

// container/command.ts
var DEFAULT_VARIABLES = {
  PATH: DEFAULT_PATH,
  LANG: "C.UTF-8"
};
var Command = class _Command {
  #plans;
  #draft;
  #grants;
  #program;
  #options;
  #prepared = {
    environment: [],
    launches: /* @__PURE__ */ new Map()
  };
  /** Use {@linkcode Recipe.command}. */
  constructor(plans, program, options) {
    this.#program = pathOf2(program);
    this.#options = options;
    checkCommand(this.#program, options);
    const { permissions } = options;
    this.#grants = permissions === void 0 ? void 0 : new PermissionSet(permissions);
    this.#plans = plans;
    this.#draft = plans.plan(this.#grants && {
      network: this.#grants.network
    });
  }
  /**
   * What the recipe and the command reach of the host: what {@linkcode Recipe.needs} tells, the
   * program, and the variables of the script's environment that it gets.
   *
   * @throws {RecipeError} where the steps are in an impossible order, or would change the host
   * @throws {PermissionError} without `--allow-ffi`
   */
  needs() {
    return this.#needs(this.#plans.plan({}));
  }
  /**
   * Runs the program to its end, and answers how it has ended and what it has written. Where nothing
   * else is waited for, the script's thread sleeps for a millisecond at first: most programs are short.
   *
   * @throws {PermissionError} where the recipe needs more than its permissions
   * @throws {SyscallError} naming the step that failed
   * @throws {UnsupportedError} where this machine lacks what a step takes
   * @throws {Deno.errors.NotFound} when there is no such program in the container
   * @throws {TypeError} where stdin is piped, as nobody would write to it
   */
  async output() {
    this.#refusePipedInput("output");
    const defaults = [
      "null",
      "piped",
      "piped"
    ];
    if (this.#options.terminal === true) return await this.#startInTerminal(defaults).output();
    const { launched, descriptors } = this.#start(defaults);
    const { signal, timeout } = this.#options;
    const collected = signal?.aborted === true ? void 0 : await collectPromptly(launched, descriptors, timeout);
    return collected ?? await this.#container(launched, descriptors).output();
  }
  /**
   * Runs the program to its end, while the script's thread waits, and answers how it has ended and
   * what it has written.
   *
   * @throws {PermissionError} where the recipe needs more than its permissions
   * @throws {SyscallError} naming the step that failed
   * @throws {UnsupportedError} where this machine lacks what a step takes
   * @throws {Deno.errors.NotFound} when there is no such program in the container
   * @throws {TypeError} where stdin is piped, or the event loop is needed, which stands still: for a
   * terminal, and for a list of hosts that are granted
   */
  outputSync() {
    this.#refusePipedInput("outputSync");
    if (this.#options.terminal === true) {
      throw new TypeError("a terminal needs the event loop; use output() or spawn()");
    }
    if (this.#grants?.network === "proxy") {
      throw new TypeError("hosts are passed on by the event loop; use output() or spawn()");
    }
    const { signal, timeout } = this.#options;
    signal?.throwIfAborted();
    this.#admit();
    const kinds = this.#kinds([
      "null",
      "piped",
      "piped"
    ]);
    const streams = new StandardStreams(kinds);
    return collectSync(this.#launch(kinds, streams), streams.release(), timeout);
  }
  /**
   * Starts the program. When this returns, it runs.
   *
   * @throws {PermissionError} where the recipe needs more than its permissions
   * @throws {SyscallError} naming the step that failed
   * @throws {UnsupportedError} where this machine lacks what a step takes
   * @throws {Deno.errors.NotFound} when there is no such program in the container
   */
  spawn() {
    const defaults = [
      "inherit",
      "inherit",
      "inherit"
    ];
    if (this.#options.terminal === true) return this.#startInTerminal(defaults);
    const { launched, descriptors } = this.#start(defaults);
    return this.#container(launched, descriptors);
  }
  /**
   * Every system call from the clone to the program, without making any.
   *
   * @throws {PermissionError} without `--allow-ffi`
   */
  plan() {
    const order2 = this.#order([
      "null",
      "null",
      "null"
    ], plannedResources(), this.#inherited());
    const cgroup = planContainerCgroup(this.#draft);
    const layout = link(this.#draft, cgroup ? {
      ...order2,
      entrance: cgroup.entrance
    } : order2);
    return new Plan(this.#draft, layout, cgroup?.calls);
  }
  /** Starts the program, and answers the script's sides of its pipes as well. */
  #start(defaults) {
    const kinds = this.#kinds(defaults);
    this.#admit();
    reactor();
    const streams = new StandardStreams(kinds);
    const launched = this.#withProxy(this.#launch(kinds, streams));
    return {
      launched,
      descriptors: streams.release()
    };
  }
  #container(launched, descriptors) {
    const { signal, timeout } = this.#options;
    return new Container(launched, descriptors, {
      signal,
      timeout
    }, this.#enter);
  }
  #startInTerminal(defaults) {
    const kinds = this.#kinds(defaults);
    const { signal, timeout } = this.#options;
    this.#admit();
    reactor();
    const terminal = new ProgramTerminal(this.#draft.container.terminals !== void 0);
    const launched = this.#withProxy(this.#launchWith(terminal));
    try {
      const ours = terminal.join(launched.terminal, kinds);
      const limits2 = {
        signal,
        timeout,
        ended: () => terminal.leave()
      };
      return new Container(launched, ours, limits2, this.#enter);
    } catch (error) {
      terminal.close();
      endSync(launched);
      throw error;
    }
  }
  #launch(kinds, streams) {
    try {
      return spawn(this.#prepare(kinds), streams.numbers);
    } catch (error) {
      streams.close();
      throw error;
    }
  }
  /** The launch with these streams, laid out again only where the environment has changed. */
  #prepare(kinds) {
    const environment = this.#inherited();
    if (!isSame(environment, this.#prepared.environment)) {
      this.#prepared = {
        environment,
        launches: /* @__PURE__ */ new Map()
      };
    }
    const { launches } = this.#prepared;
    const key = kinds.join();
    const known = launches.get(key);
    if (known !== void 0) return known;
    const order2 = this.#order(stdioSlots(kinds), resources(this.#draft.hasInit), environment);
    const prepared = prepare(this.#draft, order2);
    launches.set(key, prepared);
    return prepared;
  }
  #launchWith(terminal) {
    try {
      const order2 = this.#order([], resources(this.#draft.hasInit), this.#inherited());
      return launch(this.#draft, {
        ...order2,
        terminal: terminal.theirs
      });
    } catch (error) {
      terminal.close();
      throw error;
    }
  }
  /** Refuses to run what has not been granted. */
  #admit() {
    if (this.#grants === void 0) return;
    this.#grants.require(this.#needs(this.#draft));
  }
  #needs(draft) {
    const { uid, gid, env = {} } = this.#options;
    const inherited2 = this.#inherits ? environmentStrings().map(nameAt) : [];
    const variables = inherited2.filter((name) => !Object.hasOwn(env, name) && !draft.container.environment.has(name));
    return requiredAccess(draft.gate, {
      program: this.#program,
      uid,
      gid,
      variables
    });
  }
  get #inherits() {
    return this.#options.clearEnv !== true && !this.#draft.container.clearsEnvironment;
  }
  /** Begins to pass on what goes to the hosts that are granted, until the container ends. */
  #withProxy(launched) {
    const { listener, endings } = launched;
    const hosts = this.#grants?.hosts;
    if (listener === void 0 || hosts === void 0) return launched;
    const proxy = new ContainerProxy(listener, (to) => hosts.connect(to));
    return {
      ...launched,
      endings: [
        ...endings,
        () => proxy.close()
      ]
    };
  }
  /** What the program gets of this process's environment. */
  #inherited() {
    if (!this.#inherits) return [];
    const grants = this.#grants;
    return grants === void 0 ? environmentStrings() : environmentStrings().filter((address2) => grants.hasVariable(nameAt(address2)));
  }
  /** What the environment has beside that, or in place of it. */
  #changes() {
    const changes = new Map(this.#draft.container.environment);
    const grants = this.#grants;
    if (grants !== void 0) {
      for (const name of this.#draft.gate.variables) {
        if (!grants.hasVariable(name)) changes.delete(name);
      }
      for (const [name, value] of this.#inherits ? Object.entries(DEFAULT_VARIABLES) : []) {
        if (!changes.has(name) && !grants.hasVariable(name)) changes.set(name, value);
      }
    }
    const hosts = grants?.hosts;
    for (const [name, value] of hosts ? proxyVariables(hosts) : []) {
      changes.set(name, value);
    }
    for (const [name, value] of Object.entries(this.#options.env ?? {})) changes.set(name, value);
    return changes;
  }
  #order(stdio, resources2, inherited2) {
    const { args = [], cwd, uid, gid } = this.#options;
    const changes = this.#changes();
    const inheritedPath = inherited2.length > 0 ? environmentVariable("PATH") : void 0;
    return {
      program: this.#program,
      args,
      environment: environmentBlock(inherited2, changes),
      searchPath: changes.get("PATH") ?? inheritedPath ?? DEFAULT_PATH,
      cwd: cwd === void 0 ? void 0 : pathOf2(cwd),
      uid,
      gid,
      stdio,
      terminal: void 0,
      resources: resources2
    };
  }
  #kinds(defaults) {
    const { stdin, stdout, stderr } = this.#options;
    return [
      stdin ?? defaults[0],
      stdout ?? defaults[1],
      stderr ?? defaults[2]
    ];
  }
  /** A command in all namespaces of a process, and its root, working directory and cgroups. */
  #enter = (target, program, options) => {
    const join2 = {
      step: "join",
      target,
      root: true,
      cwd: true,
      cgroup: true
    };
    const plan = (gate) => this.#plans.planBehind(join2, gate);
    return new _Command({
      ...this.#plans,
      plan
    }, program, options);
  };
  #refusePipedInput(method) {
    if (this.#options.stdin === "piped") {
      throw new TypeError(`${method}() has nobody to write to a piped stdin; use spawn()`);
    }
  }
};


// plan/steps/bind.ts
function lowerBind(step, draft) {
  draft.needs("mount", "it would be mounted on the host");
  const path2 = draft.gate === void 0 ? step.source : gatedSource(draft.gate, step);
  if (path2 === void 0) return draft.container.ground.mounted(step.target, false, false);
  const missing2 = new Label("the source is missing");
  const recursive = step.recursive === false ? 0 : AT_RECURSIVE;
  const source = openSource(draft, {
    ...step,
    source: path2
  }, missing2);
  const cloned = open_tree(source, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | recursive);
  const tree = new ResultOf(draft.call(cloned), "tree");
  const attributes = (step.restrict ?? []).reduce((sum2, word4) => sum2 | RESTRICTIONS[word4], step.readOnly === true ? MOUNT_ATTR_RDONLY : 0);
  if (attributes !== 0) {
    const set = {
      attr_set: attributes
    };
    draft.call(mount_setattr(tree, "", AT_EMPTY_PATH | recursive, set));
  }
  if (isOnItself(draft, {
    ...step,
    source: path2
  })) {
    draft.call(move_mount(tree, "", source, "", ONTO_DIRECTORY));
  } else {
    if (needsMountPoint(draft, step.target)) makeMountPointLike(draft, source, step.target);
    attachAt(draft, tree, step.target);
  }
  draft.call(close(tree));
  draft.call(close(source));
  draft.place(missing2);
  draft.container.ground.mounted(step.target, false, step.optional !== true);
}
var ONTO_DIRECTORY = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
function isOnItself(draft, { source, target }) {
  return normalize(source) === normalize(target) && draft.sequence.rootOf(target) !== void 0;
}
function gatedSource(gate, { source, readOnly, optional: optional2, restrict }) {
  const path2 = gate.places.hostSource(source);
  if (path2 === void 0) {
    gate.reachesAll();
    return source;
  }
  const noDevices = restrict?.includes("nodev");
  return gate.shows(path2, {
    readOnly,
    noDevices,
    optional: optional2
  }) === "missing" ? void 0 : path2;
}
function openSource(draft, { source, optional: optional2 }, missing2) {
  const edges = optional2 === true ? {
    accept: [
      "ENOENT"
    ],
    onAccepted: missing2
  } : {};
  return openAt(draft, source, O_PATH, 0, edges);
}
function makeMountPointLike(draft, source, target) {
  const isFile = new Label("the source is no directory");
  const made = new Label("the mount point is there");
  const opened = draft.call(openat(source, ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0), {
    accept: [
      "ENOTDIR"
    ],
    onAccepted: isFile
  });
  makeMountPoint(draft, target, "directory");
  draft.call(close(new ResultOf(opened, "directory")), {
    onZero: made
  });
  draft.place(isFile);
  makeMountPoint(draft, target, "file");
  draft.place(made);
}

// plan/steps/devices.ts
function lowerDevices(step, draft) {
  draft.needs("mount", "it would be mounted on the host");
  const directory = normalize(step.target);
  const trees = DEVICES.map((name) => ({
    name,
    tree: copyDevice(draft, `/dev/${name}`, name)
  }));
  mountAt(draft, "tmpfs", directory, "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755");
  for (const { name, tree } of trees) {
    const target = `${directory}/${name}`;
    makeMountPoint(draft, target, "file");
    attachAt(draft, tree, target);
    draft.call(close(tree));
  }
  const pts = "newinstance,ptmxmode=0666,mode=0620";
  mountAt(draft, "devpts", `${directory}/pts`, "devpts", MS_NOSUID | MS_NOEXEC, pts);
  mountAt(draft, "tmpfs", `${directory}/shm`, "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=1777");
  for (const [name, to] of Object.entries(LINKS)) {
    atEntry(draft, `${directory}/${name}`, (within, name2) => {
      draft.call(symlinkat(to, within, name2));
    });
  }
  draft.container.terminals = `${directory}/ptmx`;
}
var DEVICES = [
  "null",
  "zero",
  "full",
  "random",
  "urandom",
  "tty"
];
var LINKS = {
  fd: "/proc/self/fd",
  stdin: "/proc/self/fd/0",
  stdout: "/proc/self/fd/1",
  stderr: "/proc/self/fd/2",
  ptmx: "pts/ptmx"
};

// plan/steps/files.ts
function lowerMkdir(step, draft) {
  mayMake(draft, step);
  makeDirectories(draft, step.path);
  if (step.mode === void 0) return;
  const fd = openAt(draft, step.path, O_DIRECTORY);
  draft.call(fchmod(fd, step.mode));
  draft.call(close(fd));
}
function lowerSymlink(step, draft) {
  mayMake(draft, step);
  atEntry(draft, step.path, (directory, name) => {
    draft.call(symlinkat(step.target, directory, name));
  });
}
function lowerWriteFile(step, draft) {
  mayMake(draft, step);
  const bytes = new TextEncoder().encode(step.text);
  const fd = openAt(draft, step.path, O_WRONLY | O_CREAT | O_TRUNC, step.mode ?? 420);
  if (bytes.length > 0) {
    draft.call(write(fd, bytes, bytes.length));
    draft.call(pwrite64(fd, bytes.slice(-1), 1, bytes.length - 1));
  }
  if (step.mode !== void 0) draft.call(fchmod(fd, step.mode));
  draft.call(close(fd));
}
function lowerMknod(step, draft) {
  mayMake(draft, step);
  if (step.type !== "p") {
    draft.gate?.note({
      kind: "device",
      path: `${step.type} ${step.major}:${step.minor}`
    });
  }
  const type = {
    b: S_IFBLK,
    c: S_IFCHR,
    p: S_IFIFO
  }[step.type];
  const device2 = step.type === "p" ? 0 : makedev(step.major, step.minor);
  atEntry(draft, step.path, (directory, name) => {
    draft.call(mknodat(directory, name, type | (step.mode ?? 438), device2));
    if (step.mode !== void 0) draft.call(fchmodat(directory, name, step.mode));
  });
}
function mayMake(draft, { path: path2, host }) {
  if (host !== true) draft.requireContainerMount(path2);
  else draft.gate?.changes(path2);
}

// plan/steps/id_maps.ts

function lowerMapCurrentUser(_step, draft) {
  const { uid, gid } = idsOf2(draft.container);
  mapOwnIds(draft, uid, gid);
}
function lowerMapIds(step, draft) {
  const own = idsOf2(draft.container);
  const [uid, gid] = [
    step.uids[0],
    step.gids[0]
  ];
  const ownOnly = step.uids.length === 1 && uid.count === 1 && uid.outside === own.uid && step.gids.length === 1 && gid.count === 1 && gid.outside === own.gid;
  if (ownOnly && step.setgroups !== "allow") return mapOwnIds(draft, uid.inside, gid.inside);
  claimMaps(draft);
  if (draft.container.nestedUser) {
    draft.refuse("in a user namespace within that of the container only the own id can be mapped, as the script would have to be in the outer one to map others");
  }
  if (step.setgroups === "deny") denySetgroups(draft);
  draft.gate?.maps(step);
  const [uids, gids] = [
    mapText(step.uids),
    mapText(step.gids)
  ];
  requireOwnProc();
  const { mayMapIds } = draft.container.caller;
  draft.meet((pid) => mayMapIds ? [
    {
      calls: writeFileCalls(`/proc/${pid}/uid_map`, uids)
    },
    {
      calls: writeFileCalls(`/proc/${pid}/gid_map`, gids)
    }
  ] : [
    {
      program: "newuidmap",
      args: [
        pid,
        ...uids.trim().split(/\s/)
      ]
    },
    {
      program: "newgidmap",
      args: [
        pid,
        ...gids.trim().split(/\s/)
      ]
    }
  ]);
  draft.container.ids = {
    uid: imageOf(own.uid, step.uids),
    gid: imageOf(own.gid, step.gids)
  };
}
var encoder4 = new TextEncoder();


var OVERFLOW_ID2 = 65534;
function imageOf(id2, ranges) {
  const range = ranges.find(({ outside: outside2, count: count2 }) => id2 >= outside2 && id2 < outside2 + count2);
  return range === void 0 ? OVERFLOW_ID2 : range.inside + id2 - range.outside;
}




// plan/steps/identity.ts
function lowerSetUser({ uid, gid = uid, groups }, draft) {
  if (groups !== void 0 && draft.container.setgroupsDenied) {
    draft.refuse(`"groups" cannot be set, as the id map denies setgroups(2); leave them out, or map with mapIds({ ..., setgroups: "allow" })`);
  }
  if (!draft.container.setgroupsDenied) draft.call(setgroups(groups ?? []));
  draft.gate?.becomes({
    uid,
    gid,
    groups
  });
  draft.call(setresgid(gid, gid, gid));
  draft.call(setresuid(uid, uid, uid));
  draft.container.ids = {
    uid,
    gid
  };
}
function lowerCapabilities({ keep, ...sets }, draft) {
  draft.container.powers.limit({
    ...sets,
    ...keep && {
      keep
    }
  });
  const step = keep === void 0 ? sets : {
    bounding: keep,
    permitted: keep,
    inheritable: keep,
    ambient: keep
  };
  if (step.bounding !== void 0) {
    for (const [name, number] of Object.entries(CAPABILITIES)) {
      if (step.bounding.includes(name)) continue;
      draft.call(prctl(PR_CAPBSET_DROP, number), {
        accept: [
          "EINVAL"
        ]
      });
    }
  }
  const { ambient = [], effective = [] } = step;
  if ((step.permitted ?? step.effective ?? step.inheritable ?? step.ambient) === void 0) {
    return;
  }
  const permitted = step.permitted ?? [
    ...effective,
    ...ambient
  ];
  draft.call(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL));
  draft.call(capset({
    permitted,
    effective: step.effective ?? permitted,
    inheritable: step.inheritable ?? ambient
  }));
  for (const name of ambient) {
    draft.call(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAPABILITIES[name]));
  }
}
function lowerNoNewPrivileges(_step, draft) {
  draft.call(prctl(PR_SET_NO_NEW_PRIVS, 1));
  draft.container.gainsNoPrivileges = true;
}

// plan/network.ts
var HOSTS_NETWORK = "it would change the host's network";
var NetlinkBatch = class {
  socket;
  calls;
  #answer;
  constructor(socket) {
    this.socket = socket;
    this.calls = [];
    this.#answer = answerOutput();
  }
  /** Makes a request. */
  request(message2) {
    this.calls.push(...requestCalls(this.socket, [
      message2
    ], this.#answer));
  }
  /** The index of the interface with this name. */
  indexOf(name) {
    const request = interfaceRequest(name);
    this.calls.push(getInterfaceIndex(this.socket, request));
    return indexField(request, name);
  }
};
function inside(draft, speak) {
  const kernel = new NetlinkBatch(insideSocket(draft));
  speak(kernel);
  for (const call2 of kernel.calls) draft.call(call2);
}
function outside(draft, speak, upkeep) {
  const { outside: outside2 } = draft.container.network;
  if (outside2 !== void 0) {
    const kernel = new NetlinkBatch(outside2);
    speak(kernel, {
      fd: namespaceOf(draft)
    });
    for (const call2 of kernel.calls) draft.call(call2);
    return;
  }
  mayChangeOutside(draft);
  draft.gate?.changesNetwork();
  draft.meet((pid) => {
    const [socket, ...options] = socketCalls(NETLINK_ROUTE, fdOf);
    const kernel = new NetlinkBatch(fdOf(socket));
    speak(kernel, {
      pid: Number(pid)
    });
    const calls = [
      socket,
      ...options,
      ...kernel.calls,
      close(fdOf(socket))
    ];
    return upkeep === void 0 ? [
      {
        calls
      }
    ] : [
      {
        calls
      },
      upkeep
    ];
  });
}
function mayChangeOutside(draft) {
  if (draft.container.caller.mayChangeNetwork) return;
  draft.refuse(`an ordinary user may not change the host's network; join() the namespaces of a container that has a network, then unshare("net"), and this is done there`);
}

function insideSocket(draft) {
  if (draft.container.network.inside === void 0) {
    const calls = socketCalls(NETLINK_ROUTE, fdOf);
    for (const call2 of calls) draft.call(call2);
    draft.container.network.inside = fdOf(calls[0]);
  }
  return draft.container.network.inside;
}
function namespaceOf(draft) {
  const opened = () => draft.call(openSocketNamespace(insideSocket(draft)));
  return draft.container.network.namespace ??= new ResultOf(opened(), "the container's network");
}
function fdOf(socket) {
  return new ResultOf(socket, "socket");
}

// host/join_target.ts
function targetOf(pid, started2) {
  let found;
  try {
    found = processIdentity(pid);
  } catch (error) {
    if (!(error instanceof SyscallError) || !GONE.has(error.code)) throw error;
  }
  if (found !== void 0 && (started2 ?? found.started) === found.started) return found;
  throw new SyscallError({
    syscall: "pidfd_open",
    errno: ERRNO.ESRCH,
    call: `pidfd_open(${pid}, 0)`,
    hint: found === void 0 ? void 0 : "another process has its number by now"
  });
}
var GONE = /* @__PURE__ */ new Set([
  "ENOENT",
  "ESRCH"
]);
function otherKinds(pid) {
  const others = otherNamespaces(pid, Object.values(NAMESPACE_FILE));
  return NAMESPACE_KINDS.filter((kind2) => others.includes(NAMESPACE_FILE[kind2]));
}
function deniesSetgroups(pid) {
  return readWholeText(at_fdcwd, `${processDirectory(pid)}/setgroups`).startsWith("deny");
}
function environmentOf(pid) {
  const variables = /* @__PURE__ */ new Map();
  for (const string of environmentStrings2(pid)) {
    const at2 = string.indexOf("=");
    if (at2 > 0) variables.set(string.slice(0, at2), string.slice(at2 + 1));
  }
  return variables;
}
var LOADING = {
  attempts: 200,
  pause: 5
};
function environmentStrings2(pid) {
  for (let attempt = 0; attempt < LOADING.attempts; attempt++) {
    const environment = readWholeText(at_fdcwd, `${processDirectory(pid)}/environ`);
    if (environment !== "" || isLoaded(readWholeText(at_fdcwd, `${processDirectory(pid)}/stat`))) {
      return environment.split("\0");
    }
    syscall(ppoll([], LOADING.pause));
  }
  return [];
}
function isLoaded(stat) {
  const [end, state] = [
    statField(stat, 51),
    statField(stat, 3)
  ];
  return end !== "0" || state === "Z" || state === "X";
}

// host/process_cgroups.ts
function cgroupFilesOf(pid) {
  const own = new Map(memberships("thread-self").map((one) => [
    one.controllers,
    one.path
  ]));
  const others = memberships(pid).filter((one) => own.get(one.controllers) !== one.path);
  if (others.length === 0) return [];
  const mounts = mountsOf();
  return others.map((one) => `${directoryOf2(one, mounts)}/cgroup.procs`);
}
function memberships(process) {
  const lines = readWholeText(at_fdcwd, `${processDirectory(process)}/cgroup`).trimEnd().split("\n");
  return lines.map((line) => {
    const [, controllers, ...path2] = line.split(":");
    return {
      controllers,
      path: path2.join(":")
    };
  });
}
function directoryOf2({ controllers, path: path2 }, mounts) {
  const mount4 = mounts.findLast((mount5) => controllers === "" ? mount5.type === "cgroup2" && isWithin(path2, mount5.root) : mount5.type === "cgroup" && isWithin(path2, mount5.root) && serves(mount5, controllers));
  if (mount4 !== void 0) {
    return mount4.target + (mount4.root === "/" ? path2 : path2.slice(mount4.root.length));
  }
  throw new UnsupportedError(`the cgroup ${path2}${controllers && ` of ${controllers}`} cannot be reached from here: its hierarchy is not mounted, or it lies outside of the cgroup namespace`);
}
function serves({ data: data2 }, controllers) {
  const options = data2.split(",");
  return controllers.split(",").every((controller) => options.includes(controller));
}

// plan/steps/join.ts
function lowerJoin(step, draft) {
  const { target } = step;
  draft.gate?.note({
    kind: "join",
    target: typeof target === "object" ? target.pid : target
  });
  draft.container.exposed = true;
  try {
    if (typeof step.target === "string") joinFile(step.target, step, draft);
    else joinProcess(step.target, step, draft);
  } catch (error) {
    throw stepError(error, draft, draft.sequence.index);
  }
}
function joinProcess(target, step, draft) {
  const asked = typeof target === "number" ? {
    pid: target,
    started: void 0
  } : target;
  const { pid, started: started2 } = targetOf(asked.pid, asked.started);
  const kinds = new Set(step.kinds ?? otherKinds(pid));
  if (step.environment === true) takeEnvironment(draft, environmentOf(pid));
  if (step.cgroup === true) cgroupFilesOf(pid).forEach((file) => enterCgroup(draft, file));
  const check = () => void targetOf(pid, started2);
  const looksInto = step.root === true || step.cwd === true;
  const pidfd = draft.hand(pidfd_open(pid, 0), "pidfd", looksInto ? void 0 : check);
  const directory = looksInto ? draft.hand(openat(at_fdcwd, processDirectory(pid), O_PATH | O_DIRECTORY | O_CLOEXEC), "process", check) : void 0;
  const open3 = (name) => {
    if (step[name] !== true) return void 0;
    const opened = draft.call(openat(directory, name, O_PATH | O_DIRECTORY | O_CLOEXEC));
    return new ResultOf(opened, name);
  };
  const [root, cwd] = [
    open3("root"),
    open3("cwd")
  ];
  if (kinds.size > 0) enter(draft, pidfd, kinds, step.credentials);
  if (kinds.has("user")) draft.container.setgroupsDenied = deniesSetgroups(pid);
  if (root !== void 0) {
    draft.call(fchdir(root));
    draft.call(chroot("."));
  }
  if (cwd !== void 0) draft.call(fchdir(cwd));
  if (kinds.has("pid")) draft.fork("exit");
}
function joinFile(file, step, draft) {
  const kind2 = step.kinds?.[0] ?? kindOf(file, draft);
  const fd = new ResultOf(draft.call(openFile(file)), "namespace");
  enter(draft, fd, /* @__PURE__ */ new Set([
    kind2
  ]), step.credentials);
  if (kind2 === "pid") draft.fork("exit");
}
function kindOf(file, draft) {
  const opened = openFile(file);
  const fd = new ResultOf(opened, "namespace");
  const type = namespaceIoctl(fd, NS_GET_NSTYPE);
  const closing = new Label("closing");
  const outcome = syscalls([
    {
      call: opened
    },
    {
      call: type,
      accept: [
        "ENOTTY",
        "EINVAL"
      ],
      onFailure: closing
    },
    closing,
    {
      call: close(fd)
    }
  ]);
  const flag = Number(outcome.result(type));
  return NAMESPACE_KINDS.find((kind2) => CLONE_FLAG[kind2] === flag) ?? draft.refuse(`${file} is no file of a namespace; those are /proc/PID/ns/*, and what keep() makes`);
}
function openFile(file) {
  return openat(at_fdcwd, file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}
function enter(draft, fd, kinds, credentials) {
  if (kinds.has("pid")) draft.needsHostPids();
  if (kinds.has("time")) draft.stage.ownMemory = true;
  if (kinds.has("net")) keepParentNetns(draft);
  draft.container.joins(kinds);
  let flags2 = 0;
  for (const kind2 of kinds) flags2 |= CLONE_FLAG[kind2];
  draft.call(setns(fd, flags2));
  if (kinds.has("user")) becomeRoot(draft, credentials);
}
function becomeRoot(draft, credentials) {
  draft.call(prctl(PR_SET_DUMPABLE, 0));
  if (credentials === "keep") return;
  draft.call(setgroups([]), {
    accept: [
      "EPERM"
    ]
  });
  draft.call(setresgid(0, 0, 0), {
    accept: [
      "EINVAL"
    ]
  });
  draft.call(setresuid(0, 0, 0), {
    accept: [
      "EINVAL"
    ]
  });
  draft.container.ids = {
    uid: 0,
    gid: 0
  };
  draft.call(prctl(PR_SET_DUMPABLE, 0));
}
function enterCgroup(draft, file) {
  const opened = draft.call(openat(at_fdcwd, file, O_WRONLY | O_CLOEXEC));
  const fd = new ResultOf(opened, "cgroup");
  draft.call(write(fd, new TextEncoder().encode("0"), 1));
  draft.call(close(fd));
}
function takeEnvironment(draft, variables) {
  draft.container.clearsEnvironment = true;
  for (const [name, value] of variables) draft.container.environment.set(name, value);
}

// ffi/linux/landlock.ts
function landlockVersion2() {
  try {
    return syscall(landlockVersion());
  } catch (error) {
    if (error instanceof SyscallError && ABSENT.has(error.code)) return 0;
    throw error;
  }
}
var ABSENT = /* @__PURE__ */ new Set([
  "ENOSYS",
  "EOPNOTSUPP",
  "EPERM"
]);

// plan/steps/landlock.ts
function lowerLandlock(step, draft) {
  const version = landlockVersion2();
  if (step.degrade !== true) refuseOlder(step, version);
  const files = FILE_WORDS.some((word4) => step[word4] !== void 0) ? deniableFileRights(version) : 0;
  const ports = version < PORTS_SINCE ? 0 : PORT_WORDS.reduce((sum2, word4) => sum2 + (step[word4] === void 0 ? 0 : PORT_RIGHTS[word4]), 0);
  const scopes = version < SCOPES_SINCE ? 0 : (step.isolate ?? []).reduce((sum2, word4) => sum2 | SCOPES[word4], 0);
  if (files + ports + scopes === 0) return;
  const created = draft.call(landlock_create_ruleset({
    files,
    ports,
    scopes
  }));
  const ruleset = new ResultOf(created, "ruleset");
  if (files !== 0) allowFiles(step, files, ruleset, draft);
  if (ports !== 0) allowPorts(step, ruleset, draft);
  draft.gainNoPrivileges();
  draft.lastly(landlock_restrict_self(ruleset));
}
function refuseOlder(step, version) {
  const lacking = FILE_WORDS.some((word4) => step[word4] !== void 0) && version < FILES_SINCE ? "limit files (Linux 6.2)" : PORT_WORDS.some((word4) => step[word4] !== void 0) && version < PORTS_SINCE ? "limit ports (Linux 6.7)" : step.isolate !== void 0 && version < SCOPES_SINCE ? "isolate a program (Linux 6.12)" : void 0;
  if (lacking === void 0) return;
  throw new UnsupportedError(`landlock: this kernel cannot ${lacking}: ` + (version === 0 ? "it has no landlock, or not among its security modules (lsm=landlock,...)" : `its landlock has version ${version}`) + "; { degrade: true } takes what there is");
}
function allowFiles(step, deniable, ruleset, draft) {
  const rights = /* @__PURE__ */ new Map();
  for (const word4 of FILE_WORDS) {
    for (const path2 of step[word4] ?? []) {
      const place2 = normalize(path2);
      rights.set(place2, (rights.get(place2) ?? 0) | FILE_RIGHTS[word4] & deniable);
    }
  }
  const pipe = new PipeEnds();
  draft.call(pipe2(pipe.output, O_CLOEXEC));
  for (const [path2, allowed] of rights) {
    const place2 = openAt(draft, path2, O_PATH);
    const isFile = new Label("it is a file");
    const done = new Label("it is a directory");
    draft.call(writePathBeneath(pipe.writer, allowed, place2));
    const rule = pathBeneathOutput(allowed);
    draft.call(read(pipe.reader, rule, rule.size));
    draft.call(addPathBeneath(ruleset, rule), {
      accept: [
        "EINVAL"
      ],
      onAccepted: isFile,
      onZero: done
    });
    draft.place(isFile);
    const ofFile = allowed & RIGHTS_OF_FILE;
    draft.call(writePathBeneath(pipe.writer, ofFile, place2));
    const fileRule = pathBeneathOutput(ofFile);
    draft.call(read(pipe.reader, fileRule, fileRule.size));
    draft.call(addPathBeneath(ruleset, fileRule));
    draft.place(done);
    draft.call(close(place2));
  }
  draft.call(close(pipe.reader));
  draft.call(close(pipe.writer));
}
function allowPorts(step, ruleset, draft) {
  const rights = /* @__PURE__ */ new Map();
  for (const word4 of PORT_WORDS) {
    for (const port of step[word4] ?? []) {
      rights.set(port, (rights.get(port) ?? 0) | PORT_RIGHTS[word4]);
    }
  }
  for (const [port, allowed] of rights) draft.call(addNetPort(ruleset, allowed, port));
}

// plan/steps/masks.ts
function lowerMaskPaths({ paths }, draft) {
  draft.needs("mount", "they would be hidden on the host");
  for (const path2 of paths.map(normalize)) {
    if (path2 === "/") {
      draft.refuse("the root itself cannot be hidden; pivotRoot() enters another");
    }
    mask(draft, path2);
  }
}
function lowerReadonlyPaths({ paths }, draft) {
  draft.needs("mount", "they would become so on the host");
  for (const path2 of paths.map(normalize)) {
    if (path2 === "/") draft.refuse('for the root itself there is remount("/", "ro,...")');
    keepFromChange(draft, path2);
  }
}
function mask(draft, path2) {
  const done = new Label(`${path2} is hidden, or missing`);
  const isFile = new Label(`${path2} is no directory`);
  const place2 = openIfThere(draft, path2, done);
  const opened = draft.call(openat(place2, ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0), {
    accept: [
      "ENOTDIR"
    ],
    onAccepted: isFile
  });
  inPlace(draft, new ResultOf(opened, "directory"), () => {
    const flags2 = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
    draft.call(mount("tmpfs", ".", "tmpfs", flags2, "mode=0555"));
  });
  draft.call(close(place2), {
    onZero: done
  });
  draft.place(isFile);
  cover(draft, place2, copyDevice(draft, "/dev/null", "null"));
  draft.place(done);
  draft.gate?.guards(path2);
  draft.container.ground.mounted(path2, false, false);
}
function keepFromChange(draft, path2) {
  const missing2 = new Label(`${path2} is missing`);
  const place2 = openIfThere(draft, path2, missing2);
  const copy2 = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE;
  const tree = new ResultOf(draft.call(open_tree(place2, "", copy2)), "tree");
  const readOnly = {
    attr_set: MOUNT_ATTR_RDONLY
  };
  draft.call(mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, readOnly));
  cover(draft, place2, tree);
  draft.place(missing2);
  draft.gate?.guards(path2);
  draft.container.ground.mounted(path2, false, false);
}
function openIfThere(draft, path2, missing2) {
  return openAt(draft, path2, O_PATH, 0, {
    accept: [
      "ENOENT",
      "ENOTDIR"
    ],
    onAccepted: missing2
  });
}
function cover(draft, place2, tree) {
  const flags2 = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
  draft.call(move_mount(tree, "", place2, "", flags2));
  draft.call(close(tree));
  draft.call(close(place2));
}

// plan/steps/mounts.ts
var NEEDS_MOUNT = "it would be mounted on the host";
function lowerMount(step, draft) {
  draft.needs("mount", NEEDS_MOUNT);
  draft.gate?.mounts(step);
  const { flags: flags2, data: data2 } = parseMountOptions(step.options);
  mountAt(draft, step.source, step.target, step.type, flags2, data2);
}


function lowerPropagation(step, draft) {
  draft.needs("mount", "it would change the host's mounts");
  const flags2 = PROPAGATION[step.type] | (step.recursive === true ? MS_REC : 0);
  draft.call(mount(null, step.target, null, flags2, null));
}
function lowerRemount(step, draft) {
  draft.needs("mount", "it would change the host's mounts");
  const whole = step.bind === false;
  if (whole && !draft.container.ground.isContainerMount(step.target)) {
    draft.refuse(`{ bind: false } would change the host's filesystem at ${step.target} everywhere; leave it out, to change this mount alone`);
  }
  const { flags: flags2, data: data2 } = parseMountOptions(step.options);
  draft.gate?.remountsWith(flags2);
  checkOptions(draft, data2);
  const remounted = MS_REMOUNT | (whole ? 0 : MS_BIND) | flags2;
  draft.call(mount(null, step.target, null, remounted, data2));
}
function lowerUnmount(step, draft) {
  draft.needs("mount", "it would unmount it on the host");
  draft.gate?.reachesAll();
  draft.call(umount2(step.target, step.detach === true ? MNT_DETACH : 0));
  draft.container.ground.unmounted(step.target);
}

// plan/steps/names.ts

function lowerDomainname(step, draft) {
  draft.needs("uts", "it would rename the host's domain");
  draft.call(setdomainname(step.name));
}

// plan/steps/network/addresses.ts
function lowerAddress({ device: device2, address: address2 }, draft) {
  draft.needs("net", HOSTS_NETWORK);
  inside(draft, (kernel) => {
    kernel.request(addAddress(kernel.indexOf(device2), parsePrefix(address2)));
  });
}
function lowerRoute(step, draft) {
  draft.needs("net", HOSTS_NETWORK);
  const { via, device: device2 } = step;
  inside(draft, (kernel) => {
    kernel.request(addRoute(prefixOf(step), {
      via: via === void 0 ? void 0 : parseIp(via),
      device: device2 === void 0 ? void 0 : kernel.indexOf(device2)
    }));
  });
}

// plan/steps/network/links.ts
function lowerLoopback(_step, draft) {
  draft.needs("net", HOSTS_NETWORK);
  inside(draft, (kernel) => kernel.request(setLink("lo", {
    up: true
  })));
}
function lowerBridge({ name, ports = [] }, draft) {
  draft.needs("net", HOSTS_NETWORK);
  inside(draft, (kernel) => {
    kernel.request(addBridge({
      name,
      up: true
    }));
    if (ports.length === 0) return;
    const master = kernel.indexOf(name);
    for (const port of ports) kernel.request(setLink(port, {
      master,
      up: true
    }));
  });
}
function lowerDummy({ name }, draft) {
  draft.needs("net", HOSTS_NETWORK);
  inside(draft, (kernel) => kernel.request(addDummy({
    name,
    up: true
  })));
}

// launch/host_services/interfaces.ts
function deletedAtTheEnd(name) {
  return {
    does: [
      `at the end: {RTM_DELLINK, ${JSON.stringify(name)}}`
    ],
    begin() {
      using socket = new NetlinkSocket();
      const link2 = socket.links().find((link3) => link3.name === name);
      return () => {
        if (link2 === void 0) return;
        using socket2 = new NetlinkSocket();
        unlessGone(() => socket2.request([
          deleteLink({
            index: link2.index
          })
        ]));
      };
    }
  };
}
function returnedAtTheEnd(name, nameInside) {
  return {
    does: [
      `at the end: {RTM_NEWLINK, ${JSON.stringify(nameInside)}, ${JSON.stringify(name)}, back}`
    ],
    begin(pid) {
      const [home, away] = [
        openNamespace("thread-self"),
        openNamespace(pid)
      ];
      return () => {
        try {
          using socket = openSocketIn(away, home);
          const link2 = socket.links().find((link3) => link3.name === nameInside);
          if (link2 === void 0) return;
          const back = {
            name,
            namespace: {
              fd: home
            }
          };
          unlessGone(() => socket.request([
            setLink({
              index: link2.index
            }, back)
          ]));
        } finally {
          for (const namespace of [
            home,
            away
          ]) syscall(close(namespace));
        }
      };
    }
  };
}
function openNamespace(process) {
  return syscall(openat(at_fdcwd, `${processDirectory(process)}/ns/net`, O_RDONLY | O_CLOEXEC));
}
function openSocketIn(namespace, home) {
  const [socket, ...options] = socketCalls(NETLINK_ROUTE, (call2) => new ResultOf(call2, "socket"));
  const back = new Label("back");
  const outcome = syscalls([
    {
      call: setns(namespace, CLONE_NEWNET)
    },
    ...[
      socket,
      ...options
    ].map((call2) => ({
      call: call2,
      onFailure: back
    })),
    back,
    {
      call: setns(home, CLONE_NEWNET)
    }
  ]);
  return new NetlinkSocket({
    opened: Number(outcome.result(socket))
  });
}
function unlessGone(act) {
  try {
    act();
  } catch (error) {
    if (!(error instanceof SyscallError) || error.code !== "ENODEV") throw error;
  }
}

// plan/steps/network/outside.ts
function lowerVeth({ name, peer, peerAddress, bridge: bridge2 }, draft) {
  draft.needs("net", HOSTS_NETWORK);
  outside(draft, (kernel, namespace) => {
    const master = bridge2 === void 0 ? void 0 : kernel.indexOf(bridge2);
    kernel.request(addVeth({
      name: peer,
      master,
      up: true
    }, {
      name,
      namespace
    }));
    if (peerAddress !== void 0) {
      kernel.request(addAddress(kernel.indexOf(peer), parsePrefix(peerAddress)));
    }
  }, peer === void 0 ? void 0 : deletedAtTheEnd(peer));
  inside(draft, (kernel) => kernel.request(setLink(name, {
    up: true
  })));
}
function lowerMacvlan({ name, parent, mode: mode2 = "bridge" }, draft) {
  draft.needs("net", HOSTS_NETWORK);
  outside(draft, (kernel, namespace) => {
    const link2 = kernel.indexOf(parent);
    kernel.request(addMacvlan({
      name,
      namespace,
      up: true
    }, link2, mode2));
  });
}
function lowerMoveInterface({ name, as = name }, draft) {
  draft.needs("net", HOSTS_NETWORK);
  outside(draft, (kernel, namespace) => {
    kernel.request(setLink({
      index: kernel.indexOf(name)
    }, {
      name: as,
      namespace
    }));
  }, returnedAtTheEnd(name, as));
  inside(draft, (kernel) => kernel.request(setLink(as, {
    up: true
  })));
}

// ffi/netlink/nftables.ts
var NFNL_SUBSYS_NFTABLES = 10;
var BATCH_BEGIN = 16;
var BATCH_END = 17;
var NEWTABLE = NFNL_SUBSYS_NFTABLES << 8;
var GETTABLE = NEWTABLE | 1;
var NEWCHAIN = NEWTABLE | 3;
var NEWRULE = NEWTABLE | 6;
var NFT_TABLE_F_OWNER = 2;
var HOOKS = {
  prerouting: {
    number: 0,
    priority: -100
  },
  output: {
    number: 3,
    priority: -100
  },
  postrouting: {
    number: 4,
    priority: 100
  }
};
function addNatTable({ name, family, owned, rules }) {
  const hooks = [
    ...new Set(rules.map(({ hook }) => hook))
  ];
  const table = text2(1, name);
  const message2 = (type, words3, ...attributes) => ({
    type,
    flags: NLM_F_CREATE | (type === NEWRULE ? NLM_F_APPEND : 0),
    payload: [
      header(family),
      ...attributes
    ],
    words: [
      ...words3.slice(0, 1),
      family === AF_INET6 ? "ip6" : "ip",
      name,
      ...words3.slice(1)
    ]
  });
  const messages = [
    message2(NEWTABLE, [
      "NFT_MSG_NEWTABLE"
    ], table, big(2, owned ? NFT_TABLE_F_OWNER : 0)),
    ...hooks.map((hook) => message2(NEWCHAIN, [
      "NFT_MSG_NEWCHAIN",
      hook
    ], table, text2(3, hook), nested(4, big(1, HOOKS[hook].number), big(2, HOOKS[hook].priority)), text2(7, "nat"))),
    ...rules.map(({ hook, rule }) => message2(NEWRULE, [
      "NFT_MSG_NEWRULE",
      hook
    ], table, text2(2, hook), nested(4, ...rule)))
  ];
  const last = messages.pop();
  return [
    boundary(BATCH_BEGIN, "NFNL_MSG_BATCH_BEGIN"),
    ...messages,
    {
      ...last,
      flags: last.flags | NLM_F_ACK
    },
    boundary(BATCH_END, "NFNL_MSG_BATCH_END")
  ];
}
function masquerading(source) {
  const { from, to, size: size2 } = ADDRESS2[source.family === AF_INET6 ? "ip6" : "ip"];
  const network = networkOf(source);
  const mask2 = networkOf({
    ...source,
    bytes: new Uint8Array(size2).fill(255)
  });
  const inNetwork = (offset, comparison) => [
    payload(NETWORK_HEADER, offset, size2),
    expression("bitwise", big(1, 1), big(2, 1), big(3, size2), data(4, mask2), data(5, NOTHING[size2])),
    compare2(comparison, network)
  ];
  return [
    ...inNetwork(from, EQUAL),
    ...inNetwork(to, NOT_EQUAL),
    expression("masq")
  ];
}
function publishing({ protocol, port, to, toPort }) {
  const ipv6 = to.family === AF_INET6;
  const { to: offset } = ADDRESS2[ipv6 ? "ip6" : "ip"];
  return [
    expression("fib", big(1, 1), big(2, FIB_ADDRESS_TYPE), big(3, FIB_DESTINATION)),
    compare2(EQUAL, Uint8Array.of(RTN_LOCAL, 0, 0, 0)),
    ...ipv6 ? [
      payload(NETWORK_HEADER, offset, 16),
      compare2(NOT_EQUAL, LOOPBACK_IPV6)
    ] : [
      payload(NETWORK_HEADER, offset, 1),
      compare2(NOT_EQUAL, Uint8Array.of(127))
    ],
    expression("meta", big(1, 1), big(2, META_PROTOCOL)),
    compare2(EQUAL, Uint8Array.of(protocol === "tcp" ? 6 : 17)),
    payload(TRANSPORT_HEADER, 2, 2),
    compare2(EQUAL, portBytes(port)),
    expression("immediate", big(1, 1), data(2, to.bytes)),
    expression("immediate", big(1, 2), data(2, portBytes(toPort))),
    expression("nat", big(1, DESTINATION_NAT), big(2, to.family), big(3, 1), big(5, 2))
  ];
}
function describePublished({ protocol, port, to, toPort }) {
  return `${protocol} ${port} to ${formatIp(to.bytes)} ${toPort}`;
}
var ADDRESS2 = {
  ip: {
    from: 12,
    to: 16,
    size: 4
  },
  ip6: {
    from: 8,
    to: 24,
    size: 16
  }
};
var NETWORK_HEADER = 1;
var TRANSPORT_HEADER = 2;
var EQUAL = 0;
var NOT_EQUAL = 1;
var FIB_ADDRESS_TYPE = 3;
var FIB_DESTINATION = 2;
var RTN_LOCAL = 2;
var META_PROTOCOL = 16;
var DESTINATION_NAT = 1;
var LOOPBACK_IPV6 = Uint8Array.of(...new Uint8Array(15), 1);
var NOTHING = {
  4: new Uint8Array(4),
  16: new Uint8Array(16)
};
function payload(base, offset, length) {
  return expression("payload", big(1, 1), big(2, base), big(3, offset), big(4, length));
}
function compare2(operator, value) {
  return expression("cmp", big(1, 1), big(2, operator), data(3, value));
}
function expression(name, ...attributes) {
  return nested(1, text2(1, name), nested(2, ...attributes));
}
function data(type, value) {
  return nested(type, new Attribute(1, [
    value
  ]));
}
function big(type, value) {
  return raw2(type, value >>> 24, value >>> 16 & 255, value >>> 8 & 255, value & 255);
}
function portBytes(port) {
  return Uint8Array.of(port >> 8, port & 255);
}
function header(family, resource = 0) {
  return Uint8Array.of(family, 0, resource >> 8, resource & 255);
}
function boundary(type, name) {
  return {
    type,
    flags: 0,
    payload: [
      header(0, NFNL_SUBSYS_NFTABLES)
    ],
    words: [
      name
    ]
  };
}

// plan/steps/network/translation.ts
function lowerMasquerade({ source, inside: inside2 }, draft) {
  const network = parsePrefix(source);
  const rules = [
    {
      hook: "postrouting",
      rule: masquerading(network)
    }
  ];
  translate(draft, inside2, {
    family: network.family,
    rules
  }, [
    "masquerade",
    source
  ]);
}
function lowerPublish({ port, address: address2, to: toPort = port, protocol = "tcp", inside: inside2 }, draft) {
  const to = parseIp(address2);
  const published = {
    protocol,
    port,
    to,
    toPort
  };
  const rule = publishing(published);
  const rules = [
    {
      hook: "prerouting",
      rule
    },
    {
      hook: "output",
      rule
    }
  ];
  const words3 = [
    "publish",
    describePublished(published)
  ];
  translate(draft, inside2, {
    family: to.family,
    rules
  }, words3);
}
function translate(draft, inside2, table, words3) {
  draft.needs("net", HOSTS_NETWORK);
  const messages = (name) => addNatTable({
    ...table,
    name,
    owned: inside2 !== true
  });
  if (inside2 === true) {
    draft.gate?.writesProc();
    for (const call2 of forwardingCalls(table.family)) draft.call(call2);
    const [socket, ...options] = socketCalls(NETLINK_NETFILTER, fdOf2);
    const name = `ramekin-${words3.join(" ").replaceAll(/[^\w.]+/g, "-")}`;
    const request = requestCalls(fdOf2(socket), messages(name), answerOutput(), words3);
    for (const call2 of [
      socket,
      ...options,
      ...request,
      close(fdOf2(socket))
    ]) draft.call(call2);
    return;
  }
  if (draft.container.network.outside !== void 0) {
    draft.refuse("the network outside is another container's; put the step into that one's recipe, with { inside: true }");
  }
  mayChangeOutside(draft);
  draft.gate?.changesNetwork();
  draft.meet(() => [
    {
      does: [
        describeCall(send(fdOf2(netlinkSocket(NETLINK_NETFILTER)), messages("ramekin-...")))
      ],
      begin() {
        needsForwarding(table.family);
        const socket = new NetlinkSocket(NETLINK_NETFILTER);
        try {
          socket.request(messages(`ramekin-${crypto.randomUUID()}`), words3);
        } catch (error) {
          socket.close();
          throw error;
        }
        return () => socket.close();
      }
    }
  ]);
}
function forwardingFile(family) {
  return family === AF_INET6 ? "/proc/sys/net/ipv6/conf/all/forwarding" : "/proc/sys/net/ipv4/ip_forward";
}
function forwardingCalls(family) {
  const opened = openat(at_fdcwd, forwardingFile(family), O_WRONLY | O_CLOEXEC);
  const fd = new ResultOf(opened, "fd");
  return [
    opened,
    write(fd, Uint8Array.of(49), 1),
    close(fd)
  ];
}
function needsForwarding(family) {
  const file = forwardingFile(family);
  if (readHostNumber(file) === 1) return;
  const name = file.slice("/proc/sys/".length).replaceAll("/", ".");
  throw new UnsupportedError(`the host passes no packets on between its interfaces; sysctl -w ${name}=1 has it do so`);
}
function fdOf2(socket) {
  return new ResultOf(socket, "socket");
}

// launch/host_services/user_network.ts
var USER_NETWORK_ARGUMENTS = {
  slirp4netns: (pid) => [
    "--configure",
    "--mtu=65520",
    "--disable-host-loopback",
    "--ready-fd=1",
    pid,
    "tap0"
  ],
  pasta: (pid) => [
    ...[
      "--foreground",
      "--quiet",
      "--config-net",
      "--no-map-gw",
      "--pid",
      "/dev/stdout"
    ],
    ...[
      "-I",
      "tap0",
      "-t",
      "none",
      "-u",
      "none",
      "-T",
      "none",
      "-U",
      "none"
    ],
    pid
  ]
};
var PATIENCE3 = 1e4;
function startUserNetwork(programs2, pid) {
  for (const program of programs2) {
    const streams = new StandardStreams([
      "null",
      "piped",
      "piped"
    ]);
    let launched;
    try {
      launched = launchProgram(program, String(pid), streams);
    } catch (error) {
      streams.close();
      if (error instanceof Deno.errors.NotFound) continue;
      throw error;
    }
    return whenReady(program, launched, streams.release());
  }
  throw new UnsupportedError(`a network for an ordinary user needs ${programs2.join(" or ")}, and it is not installed (Debian: slirp4netns, passt); root can do without, with veth() and masquerade()`);
}
function launchProgram(program, pid, streams) {
  const { euid, egid } = callerOf();
  const args = USER_NETWORK_ARGUMENTS[program](pid);
  const asRoot = program === "pasta" && euid === 0 ? [
    "--runas",
    `${euid}:${egid}`
  ] : [];
  return launch(new PlanBuilder([]), hostTool(program, [
    ...asRoot,
    ...args
  ], streams.theirs));
}
function whenReady(program, { pidfd }, descriptors) {
  const [, stdout, stderr] = descriptors;
  const end = () => {
    syscall(pidfd_send_signal(pidfd, SIGNALS.SIGKILL));
    while (reapStatus(pidfd) === void 0) waitFor(pidfd, void 0);
    for (const fd of [
      pidfd,
      stdout,
      stderr
    ]) syscall(close(fd));
  };
  let issue;
  try {
    waitFor(stdout, PATIENCE3);
    if ((readSome2(stdout)?.length ?? 0) > 0) return end;
    issue = new TextDecoder().decode(readSome2(stderr) ?? new Uint8Array()).trim();
  } catch (error) {
    end();
    throw error;
  }
  end();
  throw new UnsupportedError(`${program} could not connect the container: ${issue}`);
}
function waitFor(fd, milliseconds) {
  syscalls([
    {
      call: ppoll([
        {
          fd,
          events: POLLIN
        }
      ], milliseconds),
      accept: [
        "EINTR"
      ]
    }
  ]);
}

// plan/steps/network/user_network.ts
function lowerUserNetwork({ program }, draft) {
  draft.needs("net", HOSTS_NETWORK);
  requireOwnProc();
  draft.gate?.note({
    kind: "net",
    host: "*"
  });
  const programs2 = program === void 0 ? USER_NETWORK_PROGRAMS : [
    program
  ];
  const commands = (pid) => programs2.map((name) => [
    name,
    ...USER_NETWORK_ARGUMENTS[name](pid)
  ].join(" "));
  draft.meet((text4) => [
    {
      does: [
        commands(text4).join(", or ")
      ],
      begin: (pid) => startUserNetwork(programs2, pid)
    }
  ]);
}

// plan/steps/overlay.ts
function lowerOverlay(step, draft) {
  draft.needs("mount", "it would be mounted on the host");
  if (draft.gate !== void 0 && draft.container.ground.atHostRoot) {
    return openedOverlay(draft, step);
  }
  if (step.discard === true) return discardingOverlay(draft, step);
  const { target, lower: lower2, upper, work } = step;
  mountAt(draft, "overlay", target, "overlay", 0, overlayData(draft, lower2, upper, work));
}
function discardingOverlay(draft, { target, lower: lower2 }) {
  const directory = normalize(target);
  if (needsMountPoint(draft, directory)) makeMountPoint(draft, directory, "directory");
  const covered = openAt(draft, directory, O_PATH | O_DIRECTORY);
  mountAt(draft, "tmpfs", directory, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755");
  inPlace(draft, openAt(draft, directory, O_PATH | O_DIRECTORY), () => {
    for (const name of [
      "upper",
      "work"
    ]) draft.call(mkdirat(at_fdcwd, name, 493));
    if (lower2.some((path2) => isWithin(normalize(path2), directory))) uncover(draft, covered);
    const reachable = lower2.map(normalize).map((path2) => isWithin(path2, directory) ? "lower" + path2.slice(directory === "/" ? 0 : directory.length) : path2);
    const data2 = overlayData(draft, reachable, "upper", "work");
    checkOptions(draft, data2);
    draft.call(mount("overlay", ".", "overlay", 0, data2));
  });
  draft.call(close(covered));
  draft.container.ground.mounted(directory, true);
}
function openedOverlay(draft, { target, lower: lower2, upper, work, discard }) {
  const { gate } = draft;
  const directory = normalize(target);
  if (needsMountPoint(draft, directory)) makeMountPoint(draft, directory, "directory");
  const trees = lower2.map((path2, index) => {
    gate?.lays(path2);
    return copyTree(draft, path2, `lower ${index}`);
  });
  const changes = upper === void 0 ? void 0 : openChanges(draft, upper, work);
  mountAt(draft, "tmpfs", directory, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755");
  inPlace(draft, openAt(draft, directory, O_PATH | O_DIRECTORY), () => {
    const attached = [
      ...trees.entries(),
      ...changes ? [
        [
          "changes",
          changes.tree
        ]
      ] : []
    ];
    for (const [name, tree] of attached) attachHere(draft, tree, String(name));
    if (discard === true) {
      for (const name of [
        "upper",
        "work"
      ]) draft.call(mkdirat(at_fdcwd, name, 493));
    }
    const names = trees.map((_, index) => String(index));
    const [above, beside] = discard === true ? [
      "upper",
      "work"
    ] : [
      changes?.upper,
      changes?.work
    ];
    const data2 = overlayData(draft, names, above, beside);
    checkOptions(draft, data2);
    draft.call(mount("overlay", ".", "overlay", 0, data2));
    for (const [name] of attached) draft.call(umount2(String(name), MNT_DETACH));
  });
  draft.container.ground.mounted(directory, true);
}
function openChanges(draft, upper, work) {
  draft.gate?.reads(upper);
  for (const path2 of [
    upper,
    work
  ]) draft.gate?.changes(path2);
  const [one, other] = [
    upper,
    work
  ].map((path2) => draft.gate?.places.resolvedPath(path2) ?? path2);
  let directory = directoryOf(one);
  while (!isWithin(other, directory)) directory = directoryOf(directory);
  const tree = copyTree(draft, directory, "changes", AT_RECURSIVE);
  draft.call(mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, {
    attr_set: MOUNT_ATTR_NOSYMFOLLOW
  }));
  const beneath = (path2) => "changes" + path2.slice(directory === "/" ? 0 : directory.length);
  return {
    tree,
    upper: beneath(one),
    work: beneath(other)
  };
}
function attachHere(draft, tree, name) {
  draft.call(mkdirat(at_fdcwd, name, 493));
  draft.call(move_mount(tree, "", at_fdcwd, name, MOVE_MOUNT_F_EMPTY_PATH));
  draft.call(close(tree));
}
function uncover(draft, covered) {
  const flags2 = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH;
  const tree = new ResultOf(draft.call(open_tree(covered, "", flags2)), "tree");
  attachHere(draft, tree, "lower");
}
function overlayData(draft, lower2, upper, work) {
  return [
    `lowerdir=${lower2.map((path2) => escaped(path2).replaceAll(":", "\\:")).join(":")}`,
    ...upper === void 0 ? [] : [
      `upperdir=${escaped(upper)}`
    ],
    ...work === void 0 ? [] : [
      `workdir=${escaped(work)}`
    ],
    // In a user namespace the trusted.* attributes, the default, cannot be written.
    ...draft.container.own.has("user") ? [
      "userxattr"
    ] : []
  ].join(",");
}
function escaped(path2) {
  return path2.replace(/[\\,]/g, "\\$&");
}

// plan/steps/process.ts
function lowerSetEnv({ variables }, draft) {
  for (const [name, value] of Object.entries(variables)) {
    draft.container.environment.set(name, value);
    draft.gate?.variables.delete(name);
  }
}
function lowerClearEnv({ keep = [] }, draft) {
  draft.container.clearsEnvironment = true;
  draft.container.environment.clear();
  for (const name of keep) {
    const value = environmentVariable(name);
    if (value === void 0) continue;
    draft.container.environment.set(name, value);
    draft.gate?.handsOn(name);
  }
}
function lowerUmask({ mask: mask2 }, draft) {
  draft.call(umask(mask2));
}
function lowerRlimit({ resource, soft, hard }, draft) {
  const number = (value) => value === "unlimited" ? RLIM_INFINITY : value;
  const name = resource.toUpperCase();
  const call2 = prlimit64(0, RLIMITS[name], {
    soft: number(soft),
    hard: number(hard)
  }, null);
  if (name === "NOFILE") draft.lastly(call2);
  else draft.call(call2);
}
function lowerNewSession(_step, draft) {
  draft.call(setsid());
  draft.container.sessionLeader = true;
}
function lowerDieWithParent({ signal }, draft) {
  draft.deathSignal = signal === null ? 0 : SIGNALS[signal];
}
function lowerInit(_step, draft) {
  draft.needs("pid", "an init is PID 1 of a pid namespace of its own");
  if (draft.container.joined.has("pid")) {
    draft.refuse("the pid namespace that is joined has its PID 1 already");
  }
  if (draft.hasInit) draft.refuse("there is an init already");
  draft.fork("init");
  draft.gate?.leavesInit();
}

// host/elf/loader_cache.ts
var LOADER_CACHE = "/etc/ld.so.cache";
var MAGIC = "glibc-ld.so.cache1.1";
var HEADER_SIZE2 = 48;
var ENTRY_SIZE = 24;
function readLoaderCache(bytes) {
  const paths = /* @__PURE__ */ new Map();
  const decoder = new TextDecoder();
  if (decoder.decode(bytes.subarray(0, MAGIC.length)) !== MAGIC) return paths;
  const view2 = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const textAt2 = (offset) => {
    const end = bytes.indexOf(0, offset);
    return decoder.decode(bytes.subarray(offset, end === -1 ? bytes.length : end));
  };
  const count2 = bytes.length < HEADER_SIZE2 ? 0 : view2.getUint32(MAGIC.length, true);
  for (let index = 0; index < count2; index++) {
    const entry = HEADER_SIZE2 + index * ENTRY_SIZE;
    if (entry + ENTRY_SIZE > bytes.length) break;
    const isForNewer = view2.getBigUint64(entry + 16, true) !== 0n;
    if (isForNewer) continue;
    const name = textAt2(view2.getUint32(entry + 4, true));
    const path2 = textAt2(view2.getUint32(entry + 8, true));
    const known = paths.get(name);
    if (known === void 0) paths.set(name, [
      path2
    ]);
    else known.push(path2);
  }
  return paths;
}

// host/elf/library_search.ts
function searchOf(interpreter, machine, host) {
  const musl = /^ld-musl-(.*)\.so\.1$/.exec(nameOf2(interpreter));
  return musl === null ? glibcSearch(machine, host) : muslSearch(musl[1], host);
}
var MULTIARCH = {
  62: "x86_64-linux-gnu",
  183: "aarch64-linux-gnu"
};
function glibcSearch(machine, host) {
  const multiarch = MULTIARCH[machine];
  const directories = [
    ...multiarch === void 0 ? [] : [
      `/lib/${multiarch}`,
      `/usr/lib/${multiarch}`
    ],
    ...[
      "/lib64",
      "/usr/lib64",
      "/lib",
      "/usr/lib"
    ]
  ];
  let cache;
  return {
    *candidates(name, asker) {
      if (asker.elf.runpath.length === 0) {
        for (const object2 of chain(asker)) {
          if (object2.elf.runpath.length > 0) continue;
          yield* inDirectories(object2.elf.rpath, object2, name);
        }
      }
      yield* inDirectories(asker.elf.runpath, asker, name);
      if (asker.elf.noDefaultDirectories) return;
      cache ??= readLoaderCache(host.bytes(LOADER_CACHE) ?? new Uint8Array());
      for (const path2 of cache.get(name) ?? []) {
        if (directories.includes(directoryOf(path2))) yield inPlace2(path2);
        else yield {
          ...inPlace2(path2),
          guide: LOADER_CACHE
        };
      }
      yield* directories.map((directory) => inPlace2(`${directory}/${name}`));
    },
    isLoader: (name) => /^ld-linux.*\.so\.\d+$/.test(name)
  };
}
var IN_MUSL = /^lib(c|pthread|rt|m|dl|util|xnet)\./;
function muslSearch(architecture, host) {
  const list2 = `/etc/ld-musl-${architecture}.path`;
  const written2 = host.bytes(list2);
  const directories = written2 === void 0 ? [
    "/lib",
    "/usr/local/lib",
    "/usr/lib"
  ] : new TextDecoder().decode(written2).split(/[:\n]/).filter(Boolean);
  return {
    *candidates(name, asker) {
      for (const object2 of chain(asker)) {
        yield* inDirectories([
          ...object2.elf.runpath,
          ...object2.elf.rpath
        ], object2, name);
      }
      const guide = written2 === void 0 ? {} : {
        guide: list2
      };
      yield* directories.map((directory) => ({
        ...inPlace2(`${directory}/${name}`),
        ...guide
      }));
    },
    isLoader: (name) => IN_MUSL.test(name)
  };
}
function* chain(object2) {
  for (let at2 = object2; at2 !== void 0; at2 = at2.askedBy) yield at2;
}
function placeOf2(path2, { origin }) {
  const expanded = (directory) => path2.replace(/\$(ORIGIN\b|\{ORIGIN\})/, () => directory);
  const [source, target] = [
    expanded(origin.source),
    expanded(origin.target)
  ];
  return source.startsWith("/") ? {
    source,
    target: withoutDots(target)
  } : void 0;
}
function* inDirectories(directories, object2, name) {
  for (const directory of directories) {
    const place2 = placeOf2(`${directory}/${name}`, object2);
    if (place2 !== void 0) yield place2;
  }
}
function inPlace2(path2) {
  return {
    source: path2,
    target: path2
  };
}
function originOf({ source, target }) {
  return {
    source: directoryOf(source),
    target: directoryOf(target)
  };
}
function withoutDots(path2) {
  const parts = [];
  for (const part of path2.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

// host/elf/program_files.ts
var SCRIPTS_DEEP = 5;
function filesOfPrograms(programs2, host, refuse2) {
  const files = /* @__PURE__ */ new Map();
  for (const program of programs2) {
    for (const { source, target } of filesOf(program, host, refuse2)) files.set(target, source);
  }
  return [
    ...files
  ].map(([target, source]) => ({
    source,
    target
  }));
}
function* filesOf(program, host, refuse2) {
  let path2 = program;
  for (let depth = 0; depth < SCRIPTS_DEEP; depth++) {
    const head = host.head(path2) ?? refuse2(`${path2} is not there${path2 === program ? "" : `, which ${program} is run by`}`);
    yield {
      source: path2,
      target: path2
    };
    const script = /^#![ \t]*([^ \t\n\0]+)/.exec(new TextDecoder().decode(head));
    if (script === null) {
      const elf = host.elf(path2) ?? refuse2(`${path2} is neither a program (ELF, 64 bits) nor a script that begins with "#!"`);
      return yield* filesOfElf(path2, elf, host, refuse2);
    }
    path2 = script[1];
    if (!path2.startsWith("/")) {
      refuse2(`${program} is a script, and its interpreter, "${path2}", has no absolute path`);
    }
  }
  refuse2(`${program} is a script whose interpreters are scripts, too many of them`);
}
function* filesOfElf(path2, elf, host, refuse2) {
  if (elf.interpreter === void 0) return;
  if (host.head(elf.interpreter) === void 0) {
    refuse2(`the loader ${elf.interpreter} is not there, which ${path2} needs`);
  }
  yield {
    source: elf.interpreter,
    target: elf.interpreter
  };
  const search = searchOf(elf.interpreter, elf.machine, host);
  const program = {
    source: path2,
    target: path2,
    elf,
    askedBy: void 0
  };
  const origin = {
    source: directoryOf(host.realPath(path2)),
    target: directoryOf(path2)
  };
  const queue = [
    {
      ...program,
      origin
    }
  ];
  const loaded2 = /* @__PURE__ */ new Set();
  for (const object2 of queue) {
    for (const name of object2.elf.needed) {
      if (loaded2.has(name) || search.isLoader(name)) continue;
      const library = libraryOf(name, object2, search, host) ?? refuse2(`the library ${name} is not there, which ${object2.source} needs`);
      loaded2.add(name);
      if (library.elf.soname !== void 0) loaded2.add(library.elf.soname);
      queue.push(library);
      yield library;
      const { guide } = library;
      if (guide !== void 0) yield {
        source: guide,
        target: guide
      };
    }
  }
}
function libraryOf(name, asker, search, host) {
  const places = name.includes("/") ? [
    placeOf2(name, asker)
  ] : search.candidates(name, asker);
  for (const place2 of places) {
    const elf = place2 && host.elf(place2.source);
    if (place2 === void 0 || elf?.machine !== asker.elf.machine) continue;
    return {
      ...place2,
      elf,
      askedBy: asker,
      origin: originOf(place2)
    };
  }
  return void 0;
}

// ffi/elf.ts
var PT = {
  LOAD: 1,
  DYNAMIC: 2,
  INTERP: 3
};
var DT = {
  NULL: 0,
  NEEDED: 1,
  STRTAB: 5,
  SONAME: 14,
  RPATH: 15,
  RUNPATH: 29,
  FLAGS_1: 1879048187
};
var DF_1_NODEFLIB = 2048;
var HEADER_SIZE3 = 64;
var ENTRY_SIZE2 = 16;
var MOST_ENTRIES = 4096;
function readElf(readAt) {
  const header2 = view(readAt(0, HEADER_SIZE3));
  if (header2.byteLength < HEADER_SIZE3 || header2.getUint32(0) !== 2135247942) return void 0;
  if (header2.getUint16(4) !== 513) return void 0;
  const segments = readSegments(readAt, header2);
  if (segments === void 0) return void 0;
  const interpreter = segments.find(({ type }) => type === PT.INTERP);
  const dynamic = segments.find(({ type }) => type === PT.DYNAMIC);
  const entries = dynamic === void 0 ? [] : readDynamic(readAt, dynamic);
  const of = (tag) => entries.filter((entry) => entry.tag === tag);
  const strings = offsetOf(segments, of(DT.STRTAB)[0]?.value);
  const texts = (tag) => strings === void 0 ? [] : of(tag).map(({ value }) => textAt(readAt, strings + value));
  const paths = (tag) => texts(tag).flatMap((text4) => text4.split(":")).filter(Boolean);
  return {
    machine: header2.getUint16(18, true),
    interpreter: interpreter && textAt(readAt, interpreter.offset),
    soname: texts(DT.SONAME)[0],
    needed: texts(DT.NEEDED),
    runpath: paths(DT.RUNPATH),
    rpath: paths(DT.RPATH),
    noDefaultDirectories: of(DT.FLAGS_1).some(({ value }) => (value & DF_1_NODEFLIB) !== 0)
  };
}
function readSegments(readAt, header2) {
  const [offset, size2, count2] = [
    Number(header2.getBigUint64(32, true)),
    header2.getUint16(54, true),
    header2.getUint16(56, true)
  ];
  const table = view(readAt(offset, size2 * count2));
  if (size2 < 56 || table.byteLength < size2 * count2) return void 0;
  return Array.from({
    length: count2
  }, (_, index) => ({
    type: table.getUint32(index * size2, true),
    offset: Number(table.getBigUint64(index * size2 + 8, true)),
    address: Number(table.getBigUint64(index * size2 + 16, true)),
    size: Number(table.getBigUint64(index * size2 + 32, true))
  }));
}
function readDynamic(readAt, { offset, size: size2 }) {
  const table = view(readAt(offset, Math.min(size2, MOST_ENTRIES * ENTRY_SIZE2)));
  const entries = [];
  for (let at2 = 0; at2 + ENTRY_SIZE2 <= table.byteLength; at2 += ENTRY_SIZE2) {
    const tag = Number(table.getBigInt64(at2, true));
    if (tag === DT.NULL) break;
    entries.push({
      tag,
      value: Number(table.getBigUint64(at2 + 8, true))
    });
  }
  return entries;
}
function offsetOf(segments, address2) {
  if (address2 === void 0) return void 0;
  const holder = segments.find((segment) => segment.type === PT.LOAD && address2 >= segment.address && address2 < segment.address + segment.size);
  return holder && holder.offset + address2 - holder.address;
}
function textAt(readAt, offset) {
  const bytes = readAt(offset, 4096);
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(bytes.subarray(0, end === -1 ? bytes.length : end));
}
function view(bytes) {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

// host/elf/elf_reader.ts
var MOST_AT_ONCE2 = 64 * 1024;
function programHost() {
  const known = /* @__PURE__ */ new Map();
  return {
    elf(path2) {
      if (!known.has(path2)) known.set(path2, withFile(path2, readElf));
      return known.get(path2);
    },
    head: (path2) => withFile(path2, (readAt) => readAt(0, 256)),
    bytes: (path2) => unlessMissing(() => readWholeFile(at_fdcwd, path2)),
    realPath(path2) {
      using file = open(path2, O_PATH | O_CLOEXEC);
      return readlinkat2(AT_FDCWD, `/proc/self/fd/${file.number}`);
    }
  };
}
function withFile(path2, use) {
  return unlessMissing(() => {
    using file = open(path2, O_CLOEXEC | O_NONBLOCK);
    return use((offset, length) => readSome3(file.number, offset, length));
  });
}
function unlessMissing(read3) {
  try {
    return read3();
  } catch (error) {
    if (error instanceof SyscallError && (error.code === "ENOENT" || error.code === "ENOTDIR")) {
      return void 0;
    }
    throw error;
  }
}
function readSome3(fd, offset, length) {
  const output = new Output(Math.min(length, MOST_AT_ONCE2), "&bytes");
  const call2 = pread64(fd, output, output.size, offset);
  const outcome = outcomeOf(call2);
  const { buffer, byteOffset } = outcome.output(output);
  return new Uint8Array(buffer, byteOffset, Number(outcome.result(call2))).slice();
}

// plan/steps/programs.ts
function lowerPrograms(step, draft) {
  draft.needs("mount", "it would be put on the host");
  const root = normalize(step.root ?? nextRoot(draft));
  draft.requireContainerMount(root);
  const files = filesOf2(step, draft).map(({ source, target }) => ({
    source,
    target: normalize(`${root}/${target}`)
  })).filter(({ target }) => !draft.container.ground.isMountPoint(target));
  for (const directory of new Set(files.map(({ target }) => directoryOf(target)))) {
    makeDirectories(draft, directory);
  }
  for (const file of files) {
    if (step.copy === true) copy(draft, file);
    else bind2(draft, file);
  }
}
function nextRoot(draft) {
  return draft.sequence.nextRoot ?? draft.refuse('there is no pivotRoot() or chroot() after it; say where to: { root: "/new/root" }');
}
function filesOf2(step, draft) {
  try {
    return filesOfPrograms(step.programs, programHost(), (issue) => draft.refuse(issue));
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    return draft.refuse(`a file that is needed cannot be read: ${error.message}`);
  }
}
function bind2(draft, { source, target }) {
  draft.call(close(openAt(draft, target, O_RDONLY | O_CREAT, 420)));
  draft.gate?.shows(source, {
    readOnly: true
  });
  const tree = copyTree(draft, source, "tree");
  draft.call(mount_setattr(tree, "", AT_EMPTY_PATH, {
    attr_set: MOUNT_ATTR_RDONLY
  }));
  attachAt(draft, tree, target);
  draft.call(close(tree));
  draft.container.ground.mounted(target, false);
}
var AT_ONCE3 = 2147479552;
function copy(draft, { source, target }) {
  draft.gate?.reads(source);
  const from = draft.gate === void 0 ? new ResultOf(draft.call(openat(at_fdcwd, source, O_RDONLY | O_CLOEXEC, 0)), "from") : openAt(draft, source, O_RDONLY);
  const to = openAt(draft, target, O_WRONLY | O_CREAT | O_TRUNC, 493);
  const more = new Label("more");
  const done = new Label("done");
  draft.place(more);
  draft.call(sendfile(to, from, AT_ONCE3), {
    onSuccess: more,
    onZero: done
  });
  draft.place(done);
  draft.call(fchmod(to, 493));
  draft.call(close(to));
  draft.call(close(from));
}
function sendfile(to, from, count2) {
  return call("sendfile", to, from, null, count2);
}

// plan/steps/root.ts
function lowerPivotRoot({ path: path2 }, draft) {
  draft.needs("mount", "it would change the host's root");
  const isMountPoint = draft.container.ground.isMountPoint(path2);
  draft.gate?.enters(path2, "pivotRoot");
  if (draft.gate?.places.resolvedPath(path2) !== void 0) enterOpened(draft, path2, !isMountPoint);
  else {
    if (!isMountPoint) draft.call(mount(path2, path2, null, MS_BIND | MS_REC, null));
    draft.call(chdir(path2));
  }
  draft.call(pivot_root(".", "."));
  draft.call(umount2(".", MNT_DETACH));
  draft.call(chdir("/"));
  draft.container.ground.enter(path2);
}
function lowerChroot({ path: path2 }, draft) {
  draft.gate?.enters(path2, "chroot");
  if (draft.gate?.places.resolvedPath(path2) !== void 0) {
    enterOpened(draft, path2, false);
    draft.call(chroot("."));
  } else draft.call(chroot(path2));
  draft.call(chdir("/"));
  draft.container.ground.enter(path2);
}
function lowerChdir({ path: path2 }, draft) {
  enterDirectory((call2) => draft.call(call2), path2);
}
function enterOpened(draft, path2, mounted) {
  const directory = openAt(draft, path2, O_PATH | O_DIRECTORY);
  if (mounted) {
    const flags2 = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE;
    const tree = new ResultOf(draft.call(open_tree(directory, "", flags2)), "tree");
    const empty = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
    draft.call(move_mount(tree, "", directory, "", empty));
    draft.call(fchdir(tree));
    draft.call(close(tree));
  } else draft.call(fchdir(directory));
  draft.call(close(directory));
}

// ffi/calls/seccomp.ts
var SECCOMP_SET_MODE_FILTER = new Named(1, "SECCOMP_SET_MODE_FILTER");
var SECCOMP_FILTER_FLAGS = {
  SECCOMP_FILTER_FLAG_LOG: 2,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: 4
};
var PROGRAM_SIZE = 16;
function seccompSetFilter(program, flagBits) {
  const length = program.length / INSTRUCTION_SIZE;
  const bytes = new Uint8Array(PROGRAM_SIZE);
  new DataView(bytes.buffer).setUint16(0, length, true);
  const struct = new Struct(bytes, `{${length} instructions}`, [
    {
      offset: 8,
      to: program
    }
  ]);
  return call("seccomp", SECCOMP_SET_MODE_FILTER, flags(flagBits, SECCOMP_FILTER_FLAGS), struct);
}

// plan/steps/seccomp.ts
function lowerSeccomp(step, draft) {
  const { flags: flags2 = [] } = step.profile ?? {};
  const flagBits = Object.entries(SECCOMP_FILTER_FLAGS).reduce((bits, [name, bit]) => flags2.includes(name) ? bits | bit : bits, 0);
  const program = programOf(step, draft);
  draft.gainNoPrivileges();
  draft.lastly(seccompSetFilter(program, flagBits));
}
var COMPILED = /* @__PURE__ */ new WeakMap();
function programOf(step, draft) {
  const known = COMPILED.get(step);
  if (known !== void 0) return known;
  const profile = allowMore(step.profile ?? DEFAULT_SECCOMP_PROFILE, step.allow ?? []);
  const filter = filterOf(profile);
  checkLaunch(filter, draft);
  let program;
  try {
    program = compileFilter(filter, engine().architecture);
  } catch (error) {
    if (error instanceof RangeError) draft.refuse(`the profile is too long: ${error.message}`);
    throw error;
  }
  COMPILED.set(step, program);
  return program;
}
var LAUNCHING = [
  "execve",
  "exit_group"
];
function checkLaunch(filter, draft) {
  const rules = new RuleIndex(filter);
  for (const name of LAUNCHING) {
    const answers = rules.for(name).map(({ answer }) => answer);
    if (answers.every((answer) => answer === SECCOMP_RET.ALLOW || answer === SECCOMP_RET.LOG)) {
      continue;
    }
    draft.refuse(`the profile does not allow ${name}, without which no program can be started`);
  }
}

// plan/steps/sysctl.ts
function lowerSysctl({ settings: settings2 }, draft) {
  for (const [name, value] of Object.entries(settings2)) {
    const path2 = pathOf(name);
    const kind2 = OWNERS.find(([pattern]) => pattern.test(path2))?.[1] ?? draft.refuse(`${name} is a setting of the whole host, and no namespace has its own`);
    draft.needs(kind2, `${name} would change on the host`);
    writeSetting(draft, path2, String(value));
  }
}
var OWNERS = [
  [
    /^net\//,
    "net"
  ],
  [
    /^kernel\/(msg\w*|sem|sem_next_id|shm\w*|auto_msgmni)$/,
    "ipc"
  ],
  [
    /^fs\/mqueue\//,
    "ipc"
  ],
  [
    /^kernel\/(hostname|domainname)$/,
    "uts"
  ],
  [
    /^user\//,
    "user"
  ]
];
function writeSetting(draft, path2, value) {
  const bytes = new TextEncoder().encode(value);
  const file = new ResultOf(openAt(draft, `/proc/sys/${path2}`, O_WRONLY).call, "setting");
  draft.call(write(file, bytes, bytes.length));
  draft.call(close(file));
}

// plan/time_namespace.ts
function enterTime(draft) {
  if (draft.sequence.comesLater("timeOffset") || entersByExec()) return;
  draft.stage.ownMemory = true;
  const path2 = "/proc/self/ns/time_for_children";
  const opened = draft.call(openat(at_fdcwd, path2, O_RDONLY | O_CLOEXEC));
  const fd = new ResultOf(opened, "time");
  draft.call(setns(fd, CLONE_NEWTIME));
  draft.call(close(fd));
}
function entersByExec() {
  const [major, minor] = uname2().release.split(".", 2).map((number) => parseInt(number));
  return major > 6 || major === 6 && minor >= 3;
}

// plan/steps/time.ts
function lowerTimeOffset(step, draft) {
  draft.needs("time", "the host's clocks are not to be changed");
  const lines = [
    "monotonic",
    "boottime"
  ].filter((clock) => step[clock] !== void 0).map((clock) => `${clock} ${secondsAndNanoseconds(step[clock])}
`);
  const bytes = new TextEncoder().encode(lines.join(""));
  draft.gate?.writesProc();
  const opened = openat(at_fdcwd, "/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC, 0);
  draft.call(opened);
  const fd = new ResultOf(opened, "fd");
  draft.call(write(fd, bytes, bytes.length));
  draft.call(close(fd));
  enterTime(draft);
}
function secondsAndNanoseconds(seconds2) {
  const whole = Math.floor(seconds2);
  const nanoseconds = Math.round((seconds2 - whole) * 1e9);
  return nanoseconds === 1e9 ? `${whole + 1} 0` : `${whole} ${nanoseconds}`;
}

// plan/restricted_network.ts
var BACKLOG = 128;


// plan/steps/unshare.ts



// plan/steps/user_namespaces.ts
function lowerDisableUserNamespaces(_step, draft) {
  draft.needs("user", "the host's limit would change");
  if (draft.container.joined.has("user")) {
    draft.refuse('the limit of those whose user namespace is joined would change; unshare("user")');
  }
  if (!draft.container.idsMapped) draft.refuse("the ids have to be mapped before it: mapRoot()");
  if (draft.sequence.cameBefore("capabilities")) {
    draft.refuse("it gives all capabilities again; capabilities() has to stand behind it");
  }
  writeSetting(draft, "user/max_user_namespaces", "1");
  lowerUnshare({
    step: "unshare",
    kinds: [
      "user"
    ]
  }, draft);
  lowerMapCurrentUser({
    step: "mapCurrentUser"
  }, draft);
}

// plan/lowering.ts
var LOWERINGS = {
  address: lowerAddress,
  bind: lowerBind,
  bridge: lowerBridge,
  capabilities: lowerCapabilities,
  chdir: lowerChdir,
  chroot: lowerChroot,
  clearEnv: lowerClearEnv,
  devices: lowerDevices,
  dieWithParent: lowerDieWithParent,
  disableUserNamespaces: lowerDisableUserNamespaces,
  domainname: lowerDomainname,
  dummy: lowerDummy,
  hostname: lowerHostname,
  init: lowerInit,
  join: lowerJoin,
  landlock: lowerLandlock,
  limits: lowerLimits,
  loopback: lowerLoopback,
  macvlan: lowerMacvlan,
  mapCurrentUser: lowerMapCurrentUser,
  mapIds: lowerMapIds,
  mapRoot: lowerMapRoot,
  maskPaths: lowerMaskPaths,
  masquerade: lowerMasquerade,
  mkdir: lowerMkdir,
  mknod: lowerMknod,
  mount: lowerMount,
  moveInterface: lowerMoveInterface,
  mqueue: lowerKernelFilesystem,
  newSession: lowerNewSession,
  noNewPrivileges: lowerNoNewPrivileges,
  overlay: lowerOverlay,
  pivotRoot: lowerPivotRoot,
  proc: lowerKernelFilesystem,
  programs: lowerPrograms,
  propagation: lowerPropagation,
  publish: lowerPublish,
  readonlyPaths: lowerReadonlyPaths,
  remount: lowerRemount,
  rlimit: lowerRlimit,
  route: lowerRoute,
  seccomp: lowerSeccomp,
  setEnv: lowerSetEnv,
  setUser: lowerSetUser,
  symlink: lowerSymlink,
  sysctl: lowerSysctl,
  sysfs: lowerKernelFilesystem,
  timeOffset: lowerTimeOffset,
  tmpfs: lowerTmpfs,
  umask: lowerUmask,
  unmount: lowerUnmount,
  unshare: lowerUnshare,
  userNetwork: lowerUserNetwork,
  veth: lowerVeth,
  writeFile: lowerWriteFile
};


// plan/plan_recipe.ts


// recipe/check.ts


// recipe/steps.ts
var DEFINITIONS = {
  address: addressDefinition,
  bind: bindDefinition,
  bridge: bridgeDefinition,
  capabilities: capabilitiesDefinition,
  chdir: chdirDefinition,
  chroot: chrootDefinition,
  clearEnv: clearEnvDefinition,
  devices: devicesDefinition,
  dieWithParent: dieWithParentDefinition,
  disableUserNamespaces: disableUserNamespacesDefinition,
  domainname: domainnameDefinition,
  dummy: dummyDefinition,
  hostname: hostnameDefinition,
  init: initDefinition,
  join: joinDefinition,
  landlock: landlockDefinition,
  limits: limitsDefinition,
  loopback: loopbackDefinition,
  macvlan: macvlanDefinition,
  mapCurrentUser: mapCurrentUserDefinition,
  mapIds: mapIdsDefinition,
  mapRoot: mapRootDefinition,
  maskPaths: maskPathsDefinition,
  masquerade: masqueradeDefinition,
  mkdir: mkdirDefinition,
  mknod: mknodDefinition,
  mount: mountDefinition,
  moveInterface: moveInterfaceDefinition,
  mqueue: mqueueDefinition,
  newSession: newSessionDefinition,
  noNewPrivileges: noNewPrivilegesDefinition,
  overlay: overlayDefinition,
  pivotRoot: pivotRootDefinition,
  proc: procDefinition,
  programs: programsDefinition,
  propagation: propagationDefinition,
  publish: publishDefinition,
  readonlyPaths: readonlyPathsDefinition,
  remount: remountDefinition,
  rlimit: rlimitDefinition,
  route: routeDefinition,
  seccomp: seccompDefinition,
  setEnv: setEnvDefinition,
  setUser: setUserDefinition,
  symlink: symlinkDefinition,
  sysctl: sysctlDefinition,
  sysfs: sysfsDefinition,
  timeOffset: timeOffsetDefinition,
  tmpfs: tmpfsDefinition,
  umask: umaskDefinition,
  unmount: unmountDefinition,
  unshare: unshareDefinition,
  userNetwork: userNetworkDefinition,
  veth: vethDefinition,
  writeFile: writeFileDefinition
};
var STEP_DEFINITIONS = new Map(Object.entries(DEFINITIONS));

// container/recipe.ts

var Recipe = class {
  /** The steps, in the order in which they happen. */
  steps;
  /**
   * A recipe of these steps; {@linkcode recipe} takes recipes too.
   *
   * @throws {RecipeError} where a step is none, or a field of it is wrong
   */
  constructor(steps) {
    steps.forEach((step, index) => checkStep(step, index, STEP_DEFINITIONS));
    this.steps = frozenCopy(steps);
  }
  /**
   * This recipe with more steps behind its own.
   *
   * @throws {RecipeError} where a step is none, or a field of it is wrong
   */
  with(...ingredients) {
    return recipe(this, ...ingredients);
  }
  /**
   * A program in a container of this recipe, with the options and methods of `Deno.Command`.
   * Nothing runs yet.
   *
   * @throws {RecipeError} where the steps are in an impossible order, or would change the host; for
   * an option that is wrong
   * @throws {PermissionError} without `--allow-ffi`, where a step looks at the host to be planned
   */
  command(program, options = {}) {
    const limits2 = this.steps.filter(({ step }) => LIMITS.has(step));
    return new Command({
      plan: (gate) => planRecipe(this.steps, gate),
      planBehind: (join2, gate) => planRecipe([
        join2,
        ...limits2
      ], gate)
    }, program, options);
  }
  /**
   * Every system call that the recipe makes, without making any.
   *
   * @throws {RecipeError} where the steps are in an impossible order, or would change the host
   * @throws {PermissionError} without `--allow-ffi`
   */
  plan() {
    return this.command("PROGRAM").plan();
  }
  /**
   * What the recipe, and any program that is run in it, reaches of the host: plain data, with the
   * step that each is for. Nothing runs; but the host is looked at, as paths are told without
   * symbolic links.
   *
   * @example
   * ```ts
   * import { sandbox } from "@ramekin/ramekin";
   *
   * const needs = sandbox({ read: ["/etc/os-release"] }).needs();
   * console.log(needs.filter(({ kind }) => kind === "write")); // []
   * ```
   *
   * @throws {RecipeError} where the steps are in an impossible order, or would change the host
   * @throws {PermissionError} without `--allow-ffi`
   */
  needs() {
    return requiredAccess(planRecipe(this.steps, {}).gate);
  }
  /**
   * The steps, as JSON has them.
   *
   * @example A recipe that is kept as a text
   * ```ts
   * import { recipe, setEnv } from "@ramekin/ramekin";
   * import { assertEquals } from "@std/assert";
   *
   * const box = recipe(setEnv({ LANG: "C" }));
   * const text = JSON.stringify(box);
   * assertEquals(text, '{"steps":[{"step":"setEnv","variables":{"LANG":"C"}}]}');
   * assertEquals(recipe(...JSON.parse(text).steps).toJSON(), box.toJSON());
   * ```
   */
  toJSON() {
    return {
      steps: this.steps
    };
  }
};
var LIMITS = /* @__PURE__ */ new Set([
  "capabilities",
  "clearEnv",
  "landlock",
  "noNewPrivileges",
  "rlimit",
  "seccomp",
  "setEnv"
]);


// container/sandbox.ts
function hostPath() {
  const base = absolutePath();
  return {
    ...base,
    issue(value) {
      const issue = base.issue(value);
      if (issue !== void 0) return issue;
      const own = [
        "/proc",
        "/dev"
      ].find((directory) => isWithin(normalize(value), directory));
      return own && `"${value}" cannot be the host's, as a sandbox has its own ${own}`;
    }
  };
}
function optionFields() {
  const paths = optional(list(hostPath()));
  return {
    read: paths,
    write: paths,
    net: optional(oneOf([
      "none",
      "host"
    ])),
    env: optional(list(variableName()))
  };
}
function sandbox(options = {}) {
  const wrong = invalidField({
    ...options
  }, optionFields());
  if (wrong !== void 0) {
    throw new RecipeError(`sandbox, "${wrong.field}": ${wrong.issue}`);
  }
  const { read: read3 = [], write: write3 = [], net = "none", env = [] } = options;
  const asked = /* @__PURE__ */ new Map();
  for (const path2 of read3) asked.set(normalize(path2), "read");
  for (const path2 of write3) asked.set(normalize(path2), "write");
  const usual = Object.entries({
    PATH: DEFAULT_PATH,
    HOME: "/tmp"
  });
  return recipe(
    unshare3("user", "mount", "pid", "uts", "ipc", "cgroup"),
    ...net === "none" ? [
      unshare3("net")
    ] : [],
    mapCurrentUser(),
    ...net === "none" ? [
      loopback()
    ] : [],
    hostname("sandbox"),
    ...newRoot(asked, net),
    // has no rights over the mounts and the network.
    sysctl({
      "user.max_user_namespaces": 1
    }),
    maskPaths(...MASKED),
    readonlyPaths(...READ_ONLY),
    newSession(),
    init(),
    unshare3("user"),
    mapCurrentUser(),
    capabilities({
      keep: []
    }),
    noNewPrivileges(),
    ...net === "host" ? [
      landlock({
        isolate: [
          "abstractSockets"
        ],
        degrade: true
      })
    ] : [],
    seccomp(),
    clearEnv({
      keep: env
    }),
    setEnv(Object.fromEntries(usual.filter(([name]) => !env.includes(name))))
  );
}
var ROOT = "/proc";
var TEMPORARY = [
  "/tmp",
  "/run"
];
function newRoot(asked, net) {
  const whole = asked.get("/");
  const others = [
    ...asked
  ].filter(([path2]) => path2 !== "/").sort(([a], [b]) => a < b ? -1 : 1);
  return [
    ...whole === void 0 ? smallRoot(net) : [
      shown2("/", whole)
    ],
    tmpfs(`${ROOT}/tmp`),
    tmpfs(`${ROOT}/run`, {
      mode: 493
    }),
    devices(`${ROOT}/dev`),
    ...others.map(([path2, access], index) => among(others.slice(0, index), path2, access, whole)),
    proc(`${ROOT}/proc`),
    pivotRoot(ROOT),
    whole === void 0 ? remount("/", "ro,nosuid,nodev") : maskPaths("/sys")
  ];
}
function among(before, path2, access, whole) {
  const around = before.filter(([directory]) => isWithin(path2, directory)).map(([, access2]) => access2);
  if (whole !== void 0 && !TEMPORARY.some((directory) => isWithin(path2, directory))) {
    around.unshift(whole);
  }
  if (!around.includes("write")) return shown2(path2, access);
  if (access === "write" && around.at(-1) === "read") {
    throw new RecipeError(`sandbox, "write": ${path2} lies in a directory to be read, and that in one to be written; name either the two inner ones alone, or the outer one`);
  }
  return {
    ...shown2(path2, access),
    source: ROOT + path2
  };
}
function smallRoot(net) {
  const system = net === "host" ? [
    ...SYSTEM,
    ...NETWORK_FILES
  ] : SYSTEM;
  return [
    tmpfs(ROOT, {
      mode: 493
    }),
    mkdir2(`${ROOT}/var`),
    symlink("/tmp", `${ROOT}/var/tmp`),
    ...system.map((path2) => shown2(path2, "read", true))
  ];
}
function shown2(path2, access, optional2 = false) {
  return bind(path2, normalize(ROOT + path2), {
    readOnly: access === "read",
    optional: optional2,
    restrict: [
      "nosuid",
      "nodev"
    ]
  });
}
var SYSTEM = [
  "/usr",
  "/bin",
  "/sbin",
  "/lib",
  "/lib32",
  "/lib64",
  "/etc/alternatives",
  "/etc/group",
  "/etc/ld.so.cache",
  "/etc/localtime",
  "/etc/nsswitch.conf",
  "/etc/passwd"
];
var NETWORK_FILES = [
  "/etc/ca-certificates",
  "/etc/gai.conf",
  "/etc/hosts",
  "/etc/pki",
  "/etc/protocols",
  "/etc/resolv.conf",
  "/etc/services",
  "/etc/ssl"
];
var MASKED = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/interrupts",
  "/proc/kallsyms",
  "/proc/kcore",
  "/proc/keys",
  "/proc/kmsg",
  "/proc/kpagecgroup",
  "/proc/kpagecount",
  "/proc/kpageflags",
  "/proc/latency_stats",
  "/proc/pagetypeinfo",
  "/proc/sched_debug",
  "/proc/scsi",
  "/proc/slabinfo",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/vmallocinfo",
  "/proc/vmcore"
];
var READ_ONLY = [
  "/proc/bus",
  "/proc/driver",
  "/proc/dynamic_debug",
  "/proc/fs",
  "/proc/irq",
  "/proc/mtrr",
  "/proc/pressure",
  "/proc/sys",
  "/proc/sysrq-trigger"
];
var mod_exports = {
  AMBIENT_OPERATIONS: AMBIENT_OPERATIONS,
  AT_EACCESS: AT_EACCESS,
  AT_EMPTY_PATH: AT_EMPTY_PATH,
  AT_FDCWD: AT_FDCWD,
  AT_NO_AUTOMOUNT: AT_NO_AUTOMOUNT,
  AT_RECURSIVE: AT_RECURSIVE,
  AT_REMOVEDIR: AT_REMOVEDIR,
  AT_SYMLINK_FOLLOW: AT_SYMLINK_FOLLOW,
  AT_SYMLINK_NOFOLLOW: AT_SYMLINK_NOFOLLOW,
  CAPABILITIES: CAPABILITIES,
  CHANGEABLE_SIGNALS: CHANGEABLE_SIGNALS,
  CLD_CONTINUED: CLD_CONTINUED,
  CLD_DUMPED: CLD_DUMPED,
  CLD_EXITED: CLD_EXITED,
  CLD_KILLED: CLD_KILLED,
  CLD_STOPPED: CLD_STOPPED,
  CLD_TRAPPED: CLD_TRAPPED,
  CLONE_CHILD_CLEARTID: CLONE_CHILD_CLEARTID,
  CLONE_CHILD_SETTID: CLONE_CHILD_SETTID,
  CLONE_FILES: CLONE_FILES,
  CLONE_FLAGS: CLONE_FLAGS,
  CLONE_FS: CLONE_FS,
  CLONE_IO: CLONE_IO,
  CLONE_NEWCGROUP: CLONE_NEWCGROUP,
  CLONE_NEWIPC: CLONE_NEWIPC,
  CLONE_NEWNET: CLONE_NEWNET,
  CLONE_NEWNS: CLONE_NEWNS,
  CLONE_NEWPID: CLONE_NEWPID,
  CLONE_NEWTIME: CLONE_NEWTIME,
  CLONE_NEWUSER: CLONE_NEWUSER,
  CLONE_NEWUTS: CLONE_NEWUTS,
  CLONE_PARENT: CLONE_PARENT,
  CLONE_PARENT_SETTID: CLONE_PARENT_SETTID,
  CLONE_PIDFD: CLONE_PIDFD,
  CLONE_PTRACE: CLONE_PTRACE,
  CLONE_SETTLS: CLONE_SETTLS,
  CLONE_SIGHAND: CLONE_SIGHAND,
  CLONE_SYSVSEM: CLONE_SYSVSEM,
  CLONE_THREAD: CLONE_THREAD,
  CLONE_UNTRACED: CLONE_UNTRACED,
  CLONE_VFORK: CLONE_VFORK,
  CLONE_VM: CLONE_VM,
  CLOSE_RANGE_CLOEXEC: CLOSE_RANGE_CLOEXEC,
  CLOSE_RANGE_UNSHARE: CLOSE_RANGE_UNSHARE,
  FCNTL_COMMANDS: FCNTL_COMMANDS,
  FD_CLOEXEC: FD_CLOEXEC,
  FSCONFIG_CMD_CREATE: FSCONFIG_CMD_CREATE,
  FSCONFIG_CMD_CREATE_EXCL: FSCONFIG_CMD_CREATE_EXCL,
  FSCONFIG_CMD_RECONFIGURE: FSCONFIG_CMD_RECONFIGURE,
  FSCONFIG_COMMANDS: FSCONFIG_COMMANDS,
  FSCONFIG_SET_BINARY: FSCONFIG_SET_BINARY,
  FSCONFIG_SET_FD: FSCONFIG_SET_FD,
  FSCONFIG_SET_FLAG: FSCONFIG_SET_FLAG,
  FSCONFIG_SET_PATH: FSCONFIG_SET_PATH,
  FSCONFIG_SET_PATH_EMPTY: FSCONFIG_SET_PATH_EMPTY,
  FSCONFIG_SET_STRING: FSCONFIG_SET_STRING,
  FSMOUNT_CLOEXEC: FSMOUNT_CLOEXEC,
  FSOPEN_CLOEXEC: FSOPEN_CLOEXEC,
  FSPICK_CLOEXEC: FSPICK_CLOEXEC,
  FSPICK_EMPTY_PATH: FSPICK_EMPTY_PATH,
  FSPICK_FLAGS: FSPICK_FLAGS,
  FSPICK_NO_AUTOMOUNT: FSPICK_NO_AUTOMOUNT,
  FSPICK_SYMLINK_NOFOLLOW: FSPICK_SYMLINK_NOFOLLOW,
  F_ADD_SEALS: F_ADD_SEALS,
  F_DUPFD: F_DUPFD,
  F_DUPFD_CLOEXEC: F_DUPFD_CLOEXEC,
  F_GETFD: F_GETFD,
  F_GETFL: F_GETFL,
  F_GETPIPE_SZ: F_GETPIPE_SZ,
  F_GET_SEALS: F_GET_SEALS,
  F_OK: F_OK,
  F_SEAL_GROW: F_SEAL_GROW,
  F_SEAL_SEAL: F_SEAL_SEAL,
  F_SEAL_SHRINK: F_SEAL_SHRINK,
  F_SEAL_WRITE: F_SEAL_WRITE,
  F_SETFD: F_SETFD,
  F_SETFL: F_SETFL,
  F_SETPIPE_SZ: F_SETPIPE_SZ,
  IPC_CREAT: IPC_CREAT,
  IPC_EXCL: IPC_EXCL,
  IPC_PRIVATE: IPC_PRIVATE,
  IPC_RMID: IPC_RMID,
  MFD_ALLOW_SEALING: MFD_ALLOW_SEALING,
  MFD_CLOEXEC: MFD_CLOEXEC,
  MFD_EXEC: MFD_EXEC,
  MFD_NOEXEC_SEAL: MFD_NOEXEC_SEAL,
  MNT_DETACH: MNT_DETACH,
  MNT_EXPIRE: MNT_EXPIRE,
  MNT_FORCE: MNT_FORCE,
  MOUNT_ATTRIBUTES: MOUNT_ATTRIBUTES,
  MOUNT_ATTR_IDMAP: MOUNT_ATTR_IDMAP,
  MOUNT_ATTR_NOATIME: MOUNT_ATTR_NOATIME,
  MOUNT_ATTR_NODEV: MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NODIRATIME: MOUNT_ATTR_NODIRATIME,
  MOUNT_ATTR_NOEXEC: MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID: MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_NOSYMFOLLOW: MOUNT_ATTR_NOSYMFOLLOW,
  MOUNT_ATTR_RDONLY: MOUNT_ATTR_RDONLY,
  MOUNT_ATTR_RELATIME: MOUNT_ATTR_RELATIME,
  MOUNT_ATTR_STRICTATIME: MOUNT_ATTR_STRICTATIME,
  MOUNT_ATTR__ATIME: MOUNT_ATTR__ATIME,
  MOUNT_FLAGS: MOUNT_FLAGS,
  MOVE_MOUNT_BENEATH: MOVE_MOUNT_BENEATH,
  MOVE_MOUNT_FLAGS: MOVE_MOUNT_FLAGS,
  MOVE_MOUNT_F_AUTOMOUNTS: MOVE_MOUNT_F_AUTOMOUNTS,
  MOVE_MOUNT_F_EMPTY_PATH: MOVE_MOUNT_F_EMPTY_PATH,
  MOVE_MOUNT_F_SYMLINKS: MOVE_MOUNT_F_SYMLINKS,
  MOVE_MOUNT_SET_GROUP: MOVE_MOUNT_SET_GROUP,
  MOVE_MOUNT_T_AUTOMOUNTS: MOVE_MOUNT_T_AUTOMOUNTS,
  MOVE_MOUNT_T_EMPTY_PATH: MOVE_MOUNT_T_EMPTY_PATH,
  MOVE_MOUNT_T_SYMLINKS: MOVE_MOUNT_T_SYMLINKS,
  MS_BIND: MS_BIND,
  MS_DIRSYNC: MS_DIRSYNC,
  MS_I_VERSION: MS_I_VERSION,
  MS_LAZYTIME: MS_LAZYTIME,
  MS_MANDLOCK: MS_MANDLOCK,
  MS_MOVE: MS_MOVE,
  MS_NOATIME: MS_NOATIME,
  MS_NODEV: MS_NODEV,
  MS_NODIRATIME: MS_NODIRATIME,
  MS_NOEXEC: MS_NOEXEC,
  MS_NOSUID: MS_NOSUID,
  MS_NOSYMFOLLOW: MS_NOSYMFOLLOW,
  MS_PRIVATE: MS_PRIVATE,
  MS_RDONLY: MS_RDONLY,
  MS_REC: MS_REC,
  MS_RELATIME: MS_RELATIME,
  MS_REMOUNT: MS_REMOUNT,
  MS_SHARED: MS_SHARED,
  MS_SILENT: MS_SILENT,
  MS_SLAVE: MS_SLAVE,
  MS_STRICTATIME: MS_STRICTATIME,
  MS_SYNCHRONOUS: MS_SYNCHRONOUS,
  MS_UNBINDABLE: MS_UNBINDABLE,
  OPEN_FLAGS: OPEN_FLAGS,
  OPEN_TREE_CLOEXEC: OPEN_TREE_CLOEXEC,
  OPEN_TREE_CLONE: OPEN_TREE_CLONE,
  O_APPEND: O_APPEND,
  O_CLOEXEC: O_CLOEXEC,
  O_CREAT: O_CREAT,
  O_DIRECT: O_DIRECT,
  O_DIRECTORY: O_DIRECTORY,
  O_DSYNC: O_DSYNC,
  O_EXCL: O_EXCL,
  O_NOATIME: O_NOATIME,
  O_NOCTTY: O_NOCTTY,
  O_NOFOLLOW: O_NOFOLLOW,
  O_NONBLOCK: O_NONBLOCK,
  O_PATH: O_PATH,
  O_RDONLY: O_RDONLY,
  O_RDWR: O_RDWR,
  O_SYNC: O_SYNC,
  O_TMPFILE: O_TMPFILE,
  O_TRUNC: O_TRUNC,
  O_WRONLY: O_WRONLY,
  OwnedFd: OwnedFd,
  PRCTL_OPERATIONS: PRCTL_OPERATIONS,
  PR_CAPBSET_DROP: PR_CAPBSET_DROP,
  PR_CAPBSET_READ: PR_CAPBSET_READ,
  PR_CAP_AMBIENT: PR_CAP_AMBIENT,
  PR_CAP_AMBIENT_CLEAR_ALL: PR_CAP_AMBIENT_CLEAR_ALL,
  PR_CAP_AMBIENT_IS_SET: PR_CAP_AMBIENT_IS_SET,
  PR_CAP_AMBIENT_LOWER: PR_CAP_AMBIENT_LOWER,
  PR_CAP_AMBIENT_RAISE: PR_CAP_AMBIENT_RAISE,
  PR_GET_CHILD_SUBREAPER: PR_GET_CHILD_SUBREAPER,
  PR_GET_DUMPABLE: PR_GET_DUMPABLE,
  PR_GET_KEEPCAPS: PR_GET_KEEPCAPS,
  PR_GET_NAME: PR_GET_NAME,
  PR_GET_NO_NEW_PRIVS: PR_GET_NO_NEW_PRIVS,
  PR_GET_PDEATHSIG: PR_GET_PDEATHSIG,
  PR_GET_SECCOMP: PR_GET_SECCOMP,
  PR_GET_SECUREBITS: PR_GET_SECUREBITS,
  PR_GET_TID_ADDRESS: PR_GET_TID_ADDRESS,
  PR_SET_CHILD_SUBREAPER: PR_SET_CHILD_SUBREAPER,
  PR_SET_DUMPABLE: PR_SET_DUMPABLE,
  PR_SET_KEEPCAPS: PR_SET_KEEPCAPS,
  PR_SET_NAME: PR_SET_NAME,
  PR_SET_NO_NEW_PRIVS: PR_SET_NO_NEW_PRIVS,
  PR_SET_PDEATHSIG: PR_SET_PDEATHSIG,
  PR_SET_SECCOMP: PR_SET_SECCOMP,
  PR_SET_SECUREBITS: PR_SET_SECUREBITS,
  P_ALL: P_ALL,
  P_PGID: P_PGID,
  P_PID: P_PID,
  P_PIDFD: P_PIDFD,
  RENAME_EXCHANGE: RENAME_EXCHANGE,
  RENAME_NOREPLACE: RENAME_NOREPLACE,
  RENAME_WHITEOUT: RENAME_WHITEOUT,
  RESOLVE_BENEATH: RESOLVE_BENEATH,
  RESOLVE_CACHED: RESOLVE_CACHED,
  RESOLVE_FLAGS: RESOLVE_FLAGS,
  RESOLVE_IN_ROOT: RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS: RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS: RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV: RESOLVE_NO_XDEV,
  RLIMITS: RLIMITS,
  RLIM_INFINITY: RLIM_INFINITY,
  R_OK: R_OK,
  SECBIT_KEEP_CAPS: SECBIT_KEEP_CAPS,
  SECBIT_KEEP_CAPS_LOCKED: SECBIT_KEEP_CAPS_LOCKED,
  SECBIT_NOROOT: SECBIT_NOROOT,
  SECBIT_NOROOT_LOCKED: SECBIT_NOROOT_LOCKED,
  SECBIT_NO_CAP_AMBIENT_RAISE: SECBIT_NO_CAP_AMBIENT_RAISE,
  SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED: SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED,
  SECBIT_NO_SETUID_FIXUP: SECBIT_NO_SETUID_FIXUP,
  SECBIT_NO_SETUID_FIXUP_LOCKED: SECBIT_NO_SETUID_FIXUP_LOCKED,
  SECUREBITS: SECUREBITS,
  SEEK_CUR: SEEK_CUR,
  SEEK_END: SEEK_END,
  SEEK_SET: SEEK_SET,
  SHMGET_FLAGS: SHMGET_FLAGS,
  SHM_RDONLY: SHM_RDONLY,
  SIGNALS: SIGNALS,
  SIGRTMAX: SIGRTMAX,
  SIGRTMIN: SIGRTMIN,
  STATX_ATIME: STATX_ATIME,
  STATX_BASIC_STATS: STATX_BASIC_STATS,
  STATX_BLOCKS: STATX_BLOCKS,
  STATX_BTIME: STATX_BTIME,
  STATX_CTIME: STATX_CTIME,
  STATX_FLAGS: STATX_FLAGS,
  STATX_GID: STATX_GID,
  STATX_INO: STATX_INO,
  STATX_MNT_ID: STATX_MNT_ID,
  STATX_MODE: STATX_MODE,
  STATX_MTIME: STATX_MTIME,
  STATX_NLINK: STATX_NLINK,
  STATX_SIZE: STATX_SIZE,
  STATX_TYPE: STATX_TYPE,
  STATX_UID: STATX_UID,
  S_IFBLK: S_IFBLK,
  S_IFCHR: S_IFCHR,
  S_IFDIR: S_IFDIR,
  S_IFIFO: S_IFIFO,
  S_IFLNK: S_IFLNK,
  S_IFMT: S_IFMT,
  S_IFREG: S_IFREG,
  S_IFSOCK: S_IFSOCK,
  UMOUNT_FLAGS: UMOUNT_FLAGS,
  UMOUNT_NOFOLLOW: UMOUNT_NOFOLLOW,
  WAIT_FLAGS: WAIT_FLAGS,
  WAIT_ID_TYPES: WAIT_ID_TYPES,
  WCONTINUED: WCONTINUED,
  WEXITED: WEXITED,
  WNOHANG: WNOHANG,
  WNOWAIT: WNOWAIT,
  WSTOPPED: WSTOPPED,
  W_OK: W_OK,
  X_OK: X_OK,
  addresses: addresses,
  capget: capget2,
  capset: capset2,
  chdir: chdir2,
  chroot: chroot2,
  close: close2,
  fchdir: fchdir2,
  fsconfig: fsconfig2,
  fsmount: fsmount2,
  fsopen: fsopen2,
  fspick: fspick2,
  getcwd: getcwd2,
  getegid: getegid2,
  geteuid: geteuid2,
  getgid: getgid2,
  getgroups: getgroups2,
  gethostname: gethostname,
  getpid: getpid2,
  getppid: getppid2,
  getresgid: getresgid2,
  getresuid: getresuid2,
  getsid: getsid2,
  gettid: gettid2,
  getuid: getuid2,
  kill: kill2,
  links: links,
  makedev: makedev2,
  memfd_create: memfd_create2,
  mkdir: mkdir,
  mkdirat: mkdirat2,
  mknodat: mknodat2,
  mount: mount2,
  mount_setattr: mount_setattr2,
  move_mount: move_mount2,
  mq_open: mq_open2,
  mq_receive: mq_receive,
  mq_send: mq_send,
  mq_unlink: mq_unlink2,
  namespaces: namespaces,
  open: open,
  open_tree: open_tree2,
  openat: openat3,
  openat2: openat22,
  pidfd_getfd: pidfd_getfd2,
  pidfd_open: pidfd_open2,
  pidfd_send_signal: pidfd_send_signal2,
  pipe2: pipe22,
  pivot_root: pivot_root2,
  prctl: prctl2,
  prlimit: prlimit,
  processIdentity: processIdentity,
  raw: raw,
  read: read2,
  readlinkat: readlinkat2,
  routes: routes,
  setdomainname: setdomainname2,
  setgroups: setgroups2,
  sethostname: sethostname2,
  setns: setns2,
  setresgid: setresgid2,
  setresuid: setresuid2,
  setsid: setsid2,
  shmat: shmat2,
  shmctl: shmctl2,
  shmdt: shmdt2,
  shmget: shmget2,
  statfs: statfs2,
  statx: statx2,
  symlinkat: symlinkat2,
  umask: umask2,
  umount2: umount22,
  uname: uname2,
  unlinkat: unlinkat2,
  unshare: unshare2,
  waitid: waitid2,
  write: write2
};
export {
  CAPABILITIES,
  Command,
  Container,
  DEFAULT_SECCOMP_PROFILE,
  ERRNO,
  PermissionError,
  Plan,
  RLIMITS,
  Recipe,
  RecipeError,
  SIGNALS,
  SyscallError,
  UnsupportedError,
  address,
  bind,
  bridge,
  capabilities,
  chdir3 as chdir,
  chroot3 as chroot,
  clearEnv,
  describeAccess,
  devices,
  dieWithParent,
  disableUserNamespaces,
  domainname,
  dummy,
  hostname,
  init,
  join,
  landlock,
  limits,
  mod_exports as linux,
  listNamespaces,
  loopback,
  macvlan,
  mapCurrentUser,
  mapIds,
  mapRoot,
  maskPaths,
  masquerade,
  mkdir2 as mkdir,
  mknod,
  mount3 as mount,
  mountsOf,
  moveInterface,
  mqueue,
  newSession,
  noNewPrivileges,
  overlay,
  pidsIn,
  pivotRoot,
  proc,
  programs,
  propagation,
  publish,
  readonlyPaths,
  recipe,
  remount,
  rlimit,
  route,
  sandbox,
  seccomp,
  setEnv,
  setUser,
  symlink,
  sysctl,
  sysfs,
  timeOffset,
  tmpfs,
  umask3 as umask,
  unmount,
  unshare3 as unshare,
  userNetwork,
  veth,
  writeFile
};
