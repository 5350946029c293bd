/** Escapes by the other entrances to the same system calls: of 32 bits, and of x32. */

import { escape, unknownHere } from "./support.ts";

const CLONE_NEWUSER = 0x1000_0000;

/** A program of these instructions alone: an ELF file of 64 bits, in hexadecimal digits. */
function elf(code: readonly number[]): string {
  const start = 0x40_0000, headers = 64 + 56;
  const file = new DataView(new ArrayBuffer(headers + code.length));
  const bytes = new Uint8Array(file.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  const [executable, x86_64] = [2, 62];
  file.setUint16(16, executable, true);
  file.setUint16(18, x86_64, true);
  file.setUint32(20, 1, true);
  file.setUint32(24, start + headers, true);
  file.setUint32(32, 64, true);
  file.setUint16(52, 64, true);
  file.setUint16(54, 56, true);
  file.setUint16(56, 1, true);
  // The only segment is the whole file, readable and executable.
  file.setUint32(64, 1, true);
  file.setUint32(68, 5, true);
  file.setUint32(80, start, true);
  file.setUint32(96, bytes.length, true);
  file.setUint32(104, bytes.length, true);
  file.setUint32(112, 0x1000, true);
  bytes.set(code, headers);
  return bytes.toHex();
}

const word = (number: number) => [0, 8, 16, 24].map((shift) => (number >>> shift) & 0xff);

/** `mov edi, eax; neg edi; mov eax, exit; syscall`: ends with the errno of the call. */
const END = [0x89, 0xc7, 0xf7, 0xdf, 0xb8, ...word(60), 0x0f, 0x05];

/** `mov ebx, flags; mov eax, number; int 0x80`. */
const BY_32_BITS = elf([0xbb, ...word(CLONE_NEWUSER), 0xb8, ...word(310), 0xcd, 0x80, ...END]);

/** `mov edi, flags; mov eax, number; syscall`. */
const BY_X32 = elf([
  ...[0xbf, ...word(CLONE_NEWUSER), 0xb8, ...word(0x4000_0000 + 272), 0x0f, 0x05],
  ...END,
]);

/** Makes the program and starts it: it ends with the errno of its call, or by a signal. */
const start = (program: string) =>
  String.raw`
    open(my $file, ">", "/tmp/entrance-$$") or die "open: $!\n";
    print $file pack("H*", "${program}");
    close $file;
    chmod 0755, "/tmp/entrance-$$";
    my $status = system("/tmp/entrance-$$");
    unlink "/tmp/entrance-$$";
    $status == 0 or die "errno ", $status >> 8, ", signal ", $status & 127, "\n";
  `;

const skip = Deno.build.arch === "x86_64" ? undefined : "there are others on x86_64 only";

escape("a user namespace by the entrance of 32 bits", {
  attack: start(BY_32_BITS),
  lacking: ["seccomp", "sysctl"],
  says: /errno (0, signal 31|38, signal 0)/,
  skip,
  harmless: skip ?? unknownHere(start(BY_32_BITS)),
});

escape("a user namespace by the entrance of x32", {
  attack: start(BY_X32),
  lacking: ["seccomp", "sysctl"],
  says: /errno 38, signal 0/,
  skip,
  harmless: skip ?? unknownHere(start(BY_X32)),
});
