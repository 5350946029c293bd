/** Classic BPF, interpreted: slow, and as linux/filter.h says it. */

/** The value that the program returns for this data. */
export function interpret(program: Uint8Array, data: Uint8Array): number {
  const code = new DataView(program.buffer, program.byteOffset, program.length);
  const memory = new DataView(data.buffer, data.byteOffset, data.length);
  const count = program.length / 8;
  let accumulator = 0;
  for (let at = 0; at < count;) {
    const operation = code.getUint16(at * 8, true);
    const [ifTrue, ifFalse] = [code.getUint8(at * 8 + 2), code.getUint8(at * 8 + 3)];
    const k = code.getUint32(at * 8 + 4, true);
    at++;
    const branch = (holds: boolean) => void (at += holds ? ifTrue : ifFalse);
    switch (operation) {
      case 0x20:
        if (k % 4 !== 0) throw new Error("the kernel refuses a load that is not aligned");
        accumulator = memory.getUint32(k, true);
        break;
      case 0x00:
        accumulator = k;
        break;
      case 0x54:
        accumulator = (accumulator & k) >>> 0;
        break;
      case 0x05:
        at += k;
        break;
      case 0x15:
        branch(accumulator === k);
        break;
      case 0x25:
        branch(accumulator > k);
        break;
      case 0x35:
        branch(accumulator >= k);
        break;
      case 0x06:
        return k;
      default:
        throw new Error(`no such instruction: 0x${operation.toString(16)}`);
    }
  }
  throw new Error("the program goes on behind its end");
}
